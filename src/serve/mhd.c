/* mhd.c - the functions of libmicrohttpd by name. */
#include "serve/mhd.h"

#include "base/library.h"

bool mhd_load(struct mhd *ret, struct err *err)
{
#define X(name) "MHD_" #name "\0"
    static const struct library library = {
        .files = "libmicrohttpd.so.12\0",
        .names = MHD_FUNCTIONS(X),
        .missing = "serving HTTP needs libmicrohttpd, which is not installed (apt install "
                   "libmicrohttpd12)"
    };
#undef X
    return library_load(&library, ret, sizeof *ret, err);
}

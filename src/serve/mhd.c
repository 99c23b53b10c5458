/* mhd.c - the functions of libmicrohttpd by name. */
#include "serve/mhd.h"

#include <assert.h>
#include <dlfcn.h>
#include <string.h>

#include "base/err.h"

bool mhd_load(struct mhd *ret, struct err *err)
{
    static const char *const names[] = {
#define X(name) "MHD_" #name,
        MHD_FUNCTIONS(X)
#undef X
    };
    enum { COUNT = sizeof names / sizeof *names };
    void *symbol[COUNT];
    static_assert(sizeof symbol == sizeof *ret, "one symbol for each function");
    void *library = dlopen("libmicrohttpd.so.12", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!library)
        return err_set(err, ERR_UNAVAILABLE,
                       "serving HTTP needs libmicrohttpd, which is not installed (apt install "
                       "libmicrohttpd12)");
    for (size_t i = 0; i < COUNT; i++)
        if (!(symbol[i] = dlsym(library, names[i])))
            return err_set(err, ERR_UNAVAILABLE, "libmicrohttpd has no %s", names[i]);
    memcpy(ret, symbol, sizeof symbol); /* POSIX: a function's address fits a void pointer */
    return true;
}

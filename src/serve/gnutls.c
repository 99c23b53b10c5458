/* gnutls.c - the functions of GnuTLS by name. */
#include "serve/gnutls.h"

#include "base/library.h"

bool gnutls_load(struct gnutls *ret, struct err *err)
{
#define X(name) "gnutls_" #name "\0"
    static const struct library library = {
        .files = "libgnutls.so.30\0",
        .names = GNUTLS_FUNCTIONS(X),
        .missing = "TLS needs GnuTLS, which is not installed (apt install libgnutls30)"
    };
#undef X
    return library_load(&library, ret, sizeof *ret, err);
}

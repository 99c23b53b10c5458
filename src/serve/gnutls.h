/* gnutls.h - what libmicrohttpd leaves to its TLS library: which certificate a client shows.
 *
 * Source:  libgnutls.so.30 (3.7), loaded with libmicrohttpd, which is built on it
 */
#pragma once
#include <stdbool.h>

#include <gnutls/gnutls.h>

struct err;

/* X(function without its prefix) */
#define GNUTLS_FUNCTIONS(X) \
    X(certificate_server_set_request) \
    X(certificate_get_peers)

struct gnutls {
#define X(name) __typeof__(&gnutls_##name) name;
    GNUTLS_FUNCTIONS(X)
#undef X
};

/* ERR_UNAVAILABLE where it is not installed; stays loaded. */
bool gnutls_load(struct gnutls *ret, struct err *err);

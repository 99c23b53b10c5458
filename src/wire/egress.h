/* egress.h - where a request to somebody else's address may go: not into the own network.
 *
 * Checked: the address that is connected to, not the name: a name that is resolved anew between a
 *          check and the request leads nowhere else. A proxy of the environment may be private
 * Source:  IANA special-purpose address registries (RFC 6890), RFC 6052, RFC 3056, RFC 1122
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct curl;
struct err;
struct sockaddr;

/* "a loopback address" ...; NULL: one of the internet. */
const char *egress_refusal(const struct sockaddr *address);

enum { EGRESS_WHY = 160 };
struct egress {
    const char *proxy;    /* as the environment names it, or NULL; egress_set_curl fills it */
    char why[EGRESS_WHY]; /* "127.0.0.1 is a loopback address" after a refusal, else empty */
};

/*
 * Have each socket of the handle checked; *egress outlives it.
 * Fails with ERR_USAGE where the host of the URL is such an address itself, so that a proxy is not
 * asked for it either.
 */
bool egress_set_curl(struct egress *egress, const struct curl *curl, void *easy, struct str url,
                     struct err *err);

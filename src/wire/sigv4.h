/* sigv4.h - AWS Signature Version 4 of one request, as S3 and what is compatible with it want it.
 *
 * Source:  Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header"
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct err;

struct sigv4_header {
    struct str name, value; /* name in lower case */
};
struct sigv4_request {
    struct str method, host, path;     /* path: encoded, from the slash on */
    const struct sigv4_header *header; /* that are signed besides host and x-amz-*; by name */
    size_t nheaders;
    struct str payload;
    struct str key_id, secret, token; /* token of temporary credentials, or empty */
    struct str region, service;
    int64_t now_utc_ms;
};
enum { SIGV4_HEADERS = 4 };
/* "Name: value" for each header to be sent: Authorization, x-amz-date, x-amz-content-sha256, and
 * x-amz-security-token where there is one; NUL-ended, in the arena. */
bool sigv4_sign(struct arena *arena, const struct sigv4_request *request,
                const char *ret[SIGV4_HEADERS + 1], struct err *err);
/* Bytes of a key for a path: all but unreserved characters and slashes as %XX. */
struct str sigv4_encode_path(struct arena *arena, struct str path);

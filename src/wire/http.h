/* http.h - one HTTP(S) request, through libcurl loaded on first use.
 *
 * Loaded with dlopen, so that a start without any request costs nothing and a machine without
 * libcurl can do everything else. A GET follows redirects within http and https, at most 5, and
 * never carries the password to another host; a POST follows none.
 * Source:  libcurl.so.4, curl_easy_setopt(3); the option numbers are its ABI
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct err;

struct http_get {
    const char *url;
    const char *user, *password;               /* basic auth; NULL = none */
    bool skip_verify;                          /* takes any certificate: only where asked for */
    struct str ca_pem, client_pem, client_key; /* instead of the system's; empty = none */
    int timeout_ms;                            /* without a byte moving; 0 = 30 s */
    size_t max_bytes;                          /* of the answer; 0 = 1 MiB */
    struct str post;                           /* POSTed as text/plain; ptr NULL = GET */
    const char *method;                        /* instead of GET and POST; then no redirects; HEAD
                                                  has no body */
    const char *const *header;                 /* "Name: value", NULL-ended, at most 8; instead of
                                                  post's own */
    int total_ms;                              /* for all of it, however it moves; 0 = no end */
    bool public_only; /* https, no redirects, and no address of the own network: egress.h */
    bool cut;         /* a longer answer is cut to max_bytes */
    bool path_secret; /* messages show the URL's host alone */
};
enum { HTTP_RETRY_MAX_S = 86400, HTTP_ETAG_MAX = 200 };
struct http_answer {
    long status;
    struct str body;  /* in the arena */
    int64_t retry_ms; /* Retry-After: from now, at most a day; 0 = nothing said */
    struct str etag;  /* as it came, quotes and all; empty = none, or of more than HTTP_ETAG_MAX */
};

/*
 * Any status is an answer. Fails with ERR_UNAVAILABLE (no connection, no libcurl), ERR_TIMEOUT,
 * ERR_LIMIT, or ERR_USAGE for what `public_only` does not allow; messages show the URL without
 * user, password and query.
 */
bool http_fetch(struct arena *arena, const struct http_get *get, struct http_answer *ret,
                struct err *err);
/* scheme://host/path without what may be secret. ptr NULL where the arena is full. */
struct str http_label(struct arena *arena, struct str url);
/* scheme://host alone. */
struct str http_label_host(struct arena *arena, struct str url);

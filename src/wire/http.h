/* http.h - one HTTP(S) GET or POST, through libcurl loaded on first use.
 *
 * Loaded with dlopen, so that a start without any request costs nothing and a machine without
 * libcurl can do everything else. A GET follows redirects within http and https, at most 5, and
 * never carries the password to another host; a POST follows none.
 * Source:  libcurl.so.4, curl_easy_setopt(3); the option numbers are its ABI
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

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
    const char *method;                        /* instead of GET and POST; then no redirects */
    const char *const *header;                 /* "Name: value", NULL-ended, at most 8; instead of
                                                  post's own */
};
struct http_answer {
    long status;
    struct str body; /* in the arena */
};

/*
 * Any status is an answer. Fails with ERR_UNAVAILABLE (no connection, no libcurl), ERR_TIMEOUT or
 * ERR_LIMIT; messages show the URL without user, password and query.
 */
bool http_fetch(struct arena *arena, const struct http_get *get, struct http_answer *ret,
                struct err *err);
/* scheme://host/path without what may be secret. ptr NULL where the arena is full. */
struct str http_label(struct arena *arena, struct str url);

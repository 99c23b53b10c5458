/* forge.h - the REST API of one project on GitHub or GitLab: what comments and issues both need.
 *
 * Secrets: the token is in no error and in no URL
 * Source:  GitHub REST API 2022-11-28; GitLab REST API v4
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct err;
struct http_answer;
struct value;

enum forge_kind { FORGE_GITHUB, FORGE_GITLAB };
enum { FORGE_PAGE = 100 };
struct forge {
    enum forge_kind kind;
    struct str api;     /* "https://api.github.com", "https://gitlab.com/api/v4" */
    struct str project; /* "owner/name"; GitLab: a number, or a path */
    struct str token;
    struct str ca;                 /* PEM, instead of the system's; or empty */
    int timeout_ms;                /* 0 = 30 s */
    int total_ms;                  /* 0 = no end */
    bool public_only, path_secret; /* wire/http.h */
    /* forge_open's own, then of the last request; status 0: no answer came */
    const char *header[5];
    long status;
    int64_t retry_ms;
    bool limited; /* forge_is_limited */
};

/* ERR_USAGE for a place or a token that can be none. */
bool forge_open(struct arena *arena, struct forge *forge, struct err *err);
/* tail  what follows the project: "/issues/12/comments?page=1"
 * Any status is an answer; body ptr NULL: none is sent. */
bool forge_ask(struct arena *arena, struct forge *forge, const char *method, struct str tail,
               struct str body, struct http_answer *ret, struct err *err);
/* The same, then its JSON; a status that is not 2xx is forge_refused. ret may be NULL. */
bool forge_call(struct arena *arena, struct forge *forge, const char *what, const char *method,
                struct str tail, struct str body, struct value *ret, struct err *err);
/* ERR_REMOTE with what the forge says; always false. */
bool forge_refused(struct arena *arena, const char *what, const struct http_answer *answer,
                   struct err *err);
/* "Not now": 429, and the 403 by which GitHub says the same. */
bool forge_is_limited(const struct http_answer *answer);
/* Only digits, and some. */
bool forge_number_ok(struct str number);

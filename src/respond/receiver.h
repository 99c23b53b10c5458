/* receiver.h - a request to a receiver over HTTP, what its answer means, and what it needs.
 *
 * Answers: 2xx taken; 408, 425, 429, 5xx and none at all: later; 410 gone; anything else, a
 *          redirect too: refused. A notifier whose receiver means something else says so after that
 * Secrets: of a URL the host alone is shown; an answer that repeats a secret is not quoted
 */
#pragma once
#include "respond/notify.h"
#include "wire/http.h"

enum { RECEIVER_TIMEOUT_MS = 20000, RECEIVER_ANSWER_MAX = 64 << 10, RECEIVER_SAID_MAX = 300 };

struct receiver_request {
    struct str url; /* NUL-ended */
    struct str body;
    const char *const *header; /* as of struct http_get */
    bool basic;                /* with the entry's user and password, if there are any */
};
/* ret_http->status 0: no answer came. False only where memory ends. */
bool receiver_ask(struct arena *arena, const struct notify_target *target,
                  const struct receiver_request *request, struct http_answer *ret_http,
                  struct notify_answer *ret, struct err *err);
enum notify_result receiver_result(long status);
/* What is told to people: "host: " and the words, one line, nothing of it a secret. */
struct str receiver_said(struct arena *arena, const struct notify_target *target, struct str url,
                         const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Does the text hold any secret of the target (url beyond its host, key, password)? */
bool receiver_tells_secret(const struct notify_target *target, struct str text);

/* The next word of a value that may name several, at blanks and line ends. */
bool receiver_next(struct str *rest, struct str *ret);

/* --- for check --- */

/* err_set(ERR_USAGE) "slack: `url` ...": the key of plumb.yaml and what to do; its place is told by
 * who asks. */
bool receiver_wrong(const struct config_notify *config, struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The URL's form: https unless allow_private, a host, no blanks. Empty `url` is fine. */
bool receiver_check_url(const struct config_notify *config, struct str url, struct err *err);
/* The same of several. */
bool receiver_check_urls(const struct config_notify *config, struct str url, struct err *err);

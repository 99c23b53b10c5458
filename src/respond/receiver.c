/* receiver.c - requests to receivers, and what their answers mean. */
#include "respond/receiver.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/config.h"
#include "respond/answers.h"
#include "respond/wording.h"

enum { SECRET_LEAST = 6 }; /* shorter ones are words */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool receiver_next(struct str *rest, struct str *ret)
{
    size_t from = 0, to;
    while (from < rest->len && is_blank(rest->ptr[from]))
        from++;
    for (to = from; to < rest->len && !is_blank(rest->ptr[to]);)
        to++;
    *ret = str_sub(*rest, from, to);
    *rest = str_sub(*rest, to, rest->len);
    return ret->len > 0;
}

/* --- what nobody is told --- */

static bool tells(struct str text, struct str secret)
{
    return secret.len >= SECRET_LEAST && str_find(text, secret, 0) != SIZE_MAX;
}

/* The path's last part and the values of the query. */
static bool tells_url(struct str text, struct str url)
{
    size_t scheme = str_find(url, STR("://"), 0), from = scheme == SIZE_MAX ? 0 : scheme + 3;
    size_t slash = str_find_char(url, '/', from), at = str_find_char(url, '@', from);
    struct str tail = slash == SIZE_MAX ? (struct str){0} : str_sub(url, slash, url.len);
    if (at != SIZE_MAX && at < slash && tells(text, str_sub(url, from, at)))
        return true;
    struct str path, part;
    (void)str_cut(&tail, '?', &path);
    if (tells(text, path))
        return true;
    while (str_cut(&path, '/', &part))
        continue;
    if (tells(text, part))
        return true;
    while (tail.len) {
        struct str name;
        (void)str_cut(&tail, '&', &part);
        if (str_cut(&part, '=', &name) && tells(text, part))
            return true;
    }
    return false;
}

bool receiver_tells_secret(const struct notify_target *target, struct str text)
{
    struct str rest = target->url, word;
    while (receiver_next(&rest, &word))
        if (tells_url(text, word))
            return true;
    rest = target->key;
    while (receiver_next(&rest, &word))
        if (tells(text, word))
            return true;
    return tells(text, str_trim(target->password));
}

struct str receiver_said(struct arena *arena, const struct notify_target *target, struct str url,
                         const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct str words = arena_vprintf(arena, fmt, args);
    va_end(args);
    struct str host = http_label_host(arena, url);
    size_t scheme = str_find(host, STR("://"), 0);
    host = str_sub(host, scheme == SIZE_MAX ? 0 : scheme + 3, host.len);
    if (receiver_tells_secret(target, words))
        words = STR("its answer repeats a secret, and is not shown");
    struct str said = arena_printf(arena, "%.*s: %.*s", STR_ARG(host), STR_ARG(words));
    return wording_line(arena, said, RECEIVER_SAID_MAX);
}

/* --- asking --- */

enum notify_result receiver_result(long status)
{
    if (status >= 200 && status <= 299)
        return NOTIFY_TAKEN;
    if (status == 410)
        return NOTIFY_GONE;
    bool later = status == 408 || status == 425 || status == 429 || status >= 500;
    return later || status <= 0 ? NOTIFY_LATER : NOTIFY_REFUSED;
}

static const char *advice(long status)
{
    if (status >= 300 && status <= 399)
        return ", a redirect, and none is followed: `url` should be where it leads to";
    if (status == 401 || status == 403)
        return ", what it knows us by is wrong or may not do this";
    return "";
}

bool receiver_judge(const struct answered *a, struct notify_answer *ret, struct err *err)
{
    long status = a->http->status;
    struct str text = wording_line(a->arena, str_trim(a->http->body), RECEIVER_SAID_MAX / 2);
    *ret = (struct notify_answer){
        .result = receiver_result(status), .retry_ms = a->http->retry_ms, .said = STR("")};
    if (ret->result != NOTIFY_TAKEN)
        ret->said = receiver_said(a->arena, a->target, a->url, "status %ld%s%s%.*s", status,
                                  advice(status), text.len ? ": " : "", STR_ARG(text));
    return ret->said.ptr || arena_full(a->arena, err);
}

bool receiver_ask(struct arena *arena, const struct notify_target *target,
                  const struct receiver_request *request, struct http_answer *ret_http,
                  struct notify_answer *ret, struct err *err)
{
    struct err trouble = {0};
    char text[ERR_TEXT_MAX];
    int limit_ms = target->timeout_ms > 0 ? target->timeout_ms : RECEIVER_TIMEOUT_MS;
    struct str user = arena_dup(arena, target->config->user);
    struct str password = arena_dup(arena, str_trim(target->password));
    bool basic = request->basic && user.len;
    const struct http_get get = {.url = request->url.ptr,
                                 .user = basic ? user.ptr : NULL,
                                 .password = basic ? password.ptr : NULL,
                                 .ca_pem = target->ca,
                                 .timeout_ms = limit_ms,
                                 .total_ms = limit_ms,
                                 .max_bytes = RECEIVER_ANSWER_MAX,
                                 .post = request->body,
                                 .method = "POST",
                                 .header = request->header,
                                 .public_only = !target->config->allow_private,
                                 .cut = true,
                                 .path_secret = true};
    struct http_answer http = {0};
    if (!user.ptr || !password.ptr)
        return arena_full(arena, err);
    if (http_fetch(arena, &get, &http, &trouble)) {
        *ret_http = http;
        const struct answered answered = {arena, target, request->url, ret_http};
        return receiver_judge(&answered, ret, err);
    }
    *ret_http = (struct http_answer){0};
    *ret = (struct notify_answer){.result = NOTIFY_LATER};
    ret->said =
        receiver_said(arena, target, request->url, "%s%s", err_text(&trouble, text, sizeof text),
                      trouble.kind == ERR_USAGE ? "; allow_private allows it, if it is meant" : "");
    return ret->said.ptr || arena_full(arena, err);
}

/* --- for check --- */

bool receiver_wrong(const struct config_notify *config, struct err *err, const char *fmt, ...)
{
    char words[ERR_TEXT_MAX / 2];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(words, sizeof words, fmt, args);
    va_end(args);
    return err_set(err, ERR_USAGE, "%.*s: %s", STR_ARG(config->to), words);
}

bool receiver_check_urls(const struct config_notify *config, struct str url, struct err *err)
{
    struct str rest = url, word;
    while (receiver_next(&rest, &word)) {
        bool https = str_starts(word, STR("https://")), http = str_starts(word, STR("http://"));
        struct str host = str_sub(word, https ? 8 : 7, word.len);
        if ((!https && !http) || !host.len || strchr("/?#:@", host.ptr[0]))
            return receiver_wrong(config, err,
                                  "what `url` refers to is no address: https://host/... is");
        if (!https && !config->allow_private)
            return receiver_wrong(config, err,
                                  "what `url` refers to is not https, and so readable for all on "
                                  "the way: use https, or allow_private: true in your own network");
    }
    return true;
}

bool receiver_check_url(const struct config_notify *config, struct str url, struct err *err)
{
    struct str rest = url, word;
    size_t words = 0;
    while (receiver_next(&rest, &word))
        words++;
    if (words > 1)
        return receiver_wrong(config, err, "what `url` refers to has blanks or line ends within");
    return receiver_check_urls(config, url, err);
}

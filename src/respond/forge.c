/* forge.c - addresses, headers and answers of GitHub's and GitLab's REST API. */
#include "respond/forge.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "wire/http.h"
#include "wire/json.h"

enum { ANSWER_MAX = 64 << 20, SAID_MAX = 200 };

/* --- what may stand in a URL --- */

#define DIGITS "0123456789"
#define WORDS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

static bool only(struct str s, const char *allowed)
{
    for (size_t i = 0; i < s.len; i++)
        if (str_find_char(str_from(allowed), s.ptr[i], 0) == SIZE_MAX)
            return false;
    return s.len > 0;
}

bool forge_number_ok(struct str number)
{
    return only(number, DIGITS);
}

/* GitLab takes a path as one part: group%2Fname. */
static void print_project(struct buf *out, const struct forge *forge)
{
    for (size_t i = 0; i < forge->project.len; i++) {
        char c = forge->project.ptr[i];
        if (c == '/' && forge->kind == FORGE_GITLAB)
            buf_str(out, STR("%2F"));
        else
            buf_char(out, c);
    }
}

static bool make_url(struct arena *arena, const struct forge *forge, struct str tail,
                     const char **ret, struct err *err)
{
    AUTO_BUF url = {.limit = 1 << 16};
    struct str api = forge->api;
    while (str_ends(api, STR("/")))
        api.len--;
    buf_str(&url, api);
    buf_str(&url, forge->kind == FORGE_GITHUB ? STR("/repos/") : STR("/projects/"));
    print_project(&url, forge);
    buf_str(&url, tail);
    struct str kept = arena_dup(arena, buf_view(&url));
    *ret = kept.ptr;
    return (buf_ok(&url, err) && kept.ptr) || arena_full(arena, err);
}

/* --- asking --- */

bool forge_open(struct arena *arena, struct forge *forge, struct err *err)
{
    bool github = forge->kind == FORGE_GITHUB;
    bool http = str_starts(forge->api, STR("https://")) || str_starts(forge->api, STR("http://"));
    struct str token = str_trim(forge->token);
    size_t slash = str_find_char(forge->project, '/', 0);
    if (!http)
        return err_set(err, ERR_USAGE, "the API's address is not an http(s) one");
    if (!only(forge->project, WORDS "/") || (github && slash == SIZE_MAX) ||
        str_find(forge->project, STR(".."), 0) != SIZE_MAX)
        return err_set(err, ERR_USAGE, "a project is needed, such as owner/name, not '%.*s'",
                       STR_ARG(forge->project));
    if (!only(token, WORDS "~+/=:"))
        return err_set(err, ERR_USAGE, "no token to write with");
    struct str header = arena_printf(
        arena, github ? "Authorization: Bearer %.*s" : "PRIVATE-TOKEN: %.*s", STR_ARG(token));
    forge->header[0] = header.ptr;
    forge->header[1] = "Content-Type: application/json";
    forge->header[2] = github ? "Accept: application/vnd.github+json" : NULL;
    forge->header[3] = github ? "X-GitHub-Api-Version: 2022-11-28" : NULL;
    return header.ptr || arena_full(arena, err);
}

bool forge_is_limited(const struct http_answer *answer)
{
    return answer->status == 429 ||
           (answer->status == 403 &&
            (answer->retry_ms || str_find(answer->body, STR("rate limit"), 0) != SIZE_MAX));
}

bool forge_ask(struct arena *arena, struct forge *forge, const char *method, struct str tail,
               struct str body, struct http_answer *ret, struct err *err)
{
    struct http_get get = {.timeout_ms = forge->timeout_ms,
                           .total_ms = forge->total_ms,
                           .max_bytes = ANSWER_MAX,
                           .post = body,
                           .method = method,
                           .header = forge->header,
                           .ca_pem = forge->ca,
                           .public_only = forge->public_only,
                           .path_secret = forge->path_secret};
    forge->status = 0;
    forge->retry_ms = 0;
    forge->limited = false;
    if (!make_url(arena, forge, tail, &get.url, err) || !http_fetch(arena, &get, ret, err))
        return false;
    forge->status = ret->status;
    forge->retry_ms = ret->retry_ms;
    forge->limited = forge_is_limited(ret);
    return true;
}

bool forge_refused(struct arena *arena, const char *what, const struct http_answer *answer,
                   struct err *err)
{
    struct value v;
    struct err ignored = {0};
    struct str said = str_sub(str_trim(answer->body), 0, SAID_MAX);
    if (json_parse(arena, answer->body, "answer", JSON_DUPLICATES_LAST, &v, &ignored) &&
        value_get_string(&v, STR("message")).len)
        said = str_sub(value_get_string(&v, STR("message")), 0, SAID_MAX);
    return err_set(err, ERR_REMOTE, "%s: status %ld: %.*s", what, answer->status, STR_ARG(said));
}

bool forge_call(struct arena *arena, struct forge *forge, const char *what, const char *method,
                struct str tail, struct str body, struct value *ret, struct err *err)
{
    struct http_answer answer;
    if (!forge_ask(arena, forge, method, tail, body, &answer, err))
        return false;
    if (answer.status < 200 || answer.status > 299)
        return forge_refused(arena, what, &answer, err);
    if (!ret || json_parse(arena, answer.body, "answer", JSON_DUPLICATES_LAST, ret, err))
        return true;
    return err_wrap(err, "%s", what);
}

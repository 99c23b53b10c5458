/* comment.c - looking for a comment, then changing or making it. */
#include "respond/comment.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "wire/http.h"
#include "wire/json.h"

enum { PAGE = 100, ANSWER_MAX = 64 << 20, SAID_MAX = 200, MARKER_MAX = 400 };

struct putting {
    struct arena *arena;
    const struct comment_place *place;
    struct str marker, text;
    const char *header[5];
    struct err *err;
};

/* --- what may stand in a URL --- */

static bool only(struct str s, const char *allowed)
{
    for (size_t i = 0; i < s.len; i++)
        if (str_find_char(str_from(allowed), s.ptr[i], 0) == SIZE_MAX)
            return false;
    return s.len > 0;
}

#define DIGITS "0123456789"
#define WORDS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

/* GitLab takes a path as one part: group%2Fname. */
static bool print_project(struct buf *out, const struct comment_place *place)
{
    for (size_t i = 0; i < place->project.len; i++) {
        char c = place->project.ptr[i];
        if (c == '/' && place->forge == COMMENT_GITLAB)
            buf_str(out, STR("%2F"));
        else
            buf_char(out, c);
    }
    return only(place->project, WORDS "/") && str_find(place->project, STR(".."), 0) == SIZE_MAX;
}

static bool make_url(struct putting *p, struct str tail, const char **ret)
{
    const struct comment_place *place = p->place;
    AUTO_BUF url = {.limit = 1 << 16};
    struct str api = place->api;
    bool http = str_starts(api, STR("https://")) || str_starts(api, STR("http://"));
    while (str_ends(api, STR("/")))
        api.len--;
    buf_str(&url, api);
    buf_str(&url, place->forge == COMMENT_GITHUB ? STR("/repos/") : STR("/projects/"));
    bool ok = print_project(&url, place) && http && only(place->number, DIGITS);
    buf_str(&url, tail);
    struct str kept = arena_dup(p->arena, buf_view(&url));
    if (!ok)
        return err_set(p->err, ERR_USAGE,
                       "no place for a comment: an http(s) API, a project such as owner/name and "
                       "the number of a pull request are needed");
    *ret = kept.ptr;
    return (buf_ok(&url, p->err) && kept.ptr) || arena_full(p->arena, p->err);
}

/* --- asking --- */

static bool make_headers(struct putting *p)
{
    const struct comment_place *place = p->place;
    bool github = place->forge == COMMENT_GITHUB;
    struct str token = str_trim(place->token);
    if (!only(token, WORDS "~+/=:"))
        return err_set(p->err, ERR_USAGE, "no token to comment with");
    struct str header = arena_printf(
        p->arena, github ? "Authorization: Bearer %.*s" : "PRIVATE-TOKEN: %.*s", STR_ARG(token));
    p->header[0] = header.ptr;
    p->header[1] = "Content-Type: application/json";
    p->header[2] = github ? "Accept: application/vnd.github+json" : NULL;
    p->header[3] = github ? "X-GitHub-Api-Version: 2022-11-28" : NULL;
    return header.ptr || arena_full(p->arena, p->err);
}

static bool ask(struct putting *p, const char *method, const char *url, struct str body,
                struct http_answer *ret)
{
    const struct http_get get = {.url = url,
                                 .timeout_ms = p->place->timeout_ms,
                                 .max_bytes = ANSWER_MAX,
                                 .post = body,
                                 .method = method,
                                 .header = p->header};
    return http_fetch(p->arena, &get, ret, p->err);
}

static bool refused(struct putting *p, const char *what, const struct http_answer *answer)
{
    struct value v;
    struct err ignored = {0};
    struct str said = str_sub(str_trim(answer->body), 0, SAID_MAX);
    if (json_parse(p->arena, answer->body, "answer", JSON_DUPLICATES_LAST, &v, &ignored) &&
        value_get_string(&v, STR("message")).len)
        said = str_sub(value_get_string(&v, STR("message")), 0, SAID_MAX);
    return err_set(p->err, ERR_REMOTE, "%s: status %ld: %.*s", what, answer->status, STR_ARG(said));
}

/* --- the comment --- */

static bool make_body(struct putting *p, struct str *ret)
{
    AUTO_BUF body = {.limit = 1 << 20};
    struct jsonw w = {.out = &body};
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("body"), p->text);
    jsonw_object_close(&w);
    *ret = arena_dup(p->arena, buf_view(&body));
    return (buf_ok(&body, p->err) && ret->ptr) || arena_full(p->arena, p->err);
}

/* *ret_id 0: there is none. */
static bool find(struct putting *p, int64_t *ret_id, bool *ret_same)
{
    bool github = p->place->forge == COMMENT_GITHUB;
    *ret_id = 0;
    for (unsigned page = 1; page <= COMMENT_PAGES_MAX; page++) {
        struct http_answer answer;
        struct value list;
        const char *url;
        struct str tail = arena_printf(p->arena,
                                       github ? "/issues/%.*s/comments?per_page=%d&page=%u"
                                              : "/merge_requests/%.*s/notes?per_page=%d&page=%u",
                                       STR_ARG(p->place->number), PAGE, page);
        if (!make_url(p, tail, &url) || !ask(p, "GET", url, (struct str){0}, &answer))
            return false;
        if (answer.status != 200)
            return refused(p, "list the comments", &answer);
        if (!json_parse(p->arena, answer.body, "comments", JSON_DUPLICATES_LAST, &list, p->err))
            return false;
        for (uint32_t i = 0; value_is_list_like(&list) && i < list.len; i++) {
            struct str body = value_get_string(&list.items[i], STR("body"));
            const struct value *id = value_get(&list.items[i], STR("id"));
            if (!str_starts(body, p->marker) || !id || !value_to_int64(id, ret_id) || *ret_id <= 0)
                continue;
            *ret_same = str_equal(str_trim(body), str_trim(p->text));
            return true;
        }
        if (!value_is_list_like(&list) || list.len < PAGE)
            break;
    }
    *ret_id = 0;
    return true;
}

static bool change(struct putting *p, int64_t id, struct str body, bool *ret_done)
{
    bool github = p->place->forge == COMMENT_GITHUB;
    struct http_answer answer;
    const char *url;
    struct str tail = github ? arena_printf(p->arena, "/issues/comments/%lld", (long long)id)
                             : arena_printf(p->arena, "/merge_requests/%.*s/notes/%lld",
                                            STR_ARG(p->place->number), (long long)id);
    if (!make_url(p, tail, &url) || !ask(p, github ? "PATCH" : "PUT", url, body, &answer))
        return false;
    *ret_done = answer.status == 200;
    if (*ret_done || answer.status == 403 || answer.status == 404)
        return true;
    return refused(p, "change the comment", &answer);
}

static bool make(struct putting *p, struct str body)
{
    bool github = p->place->forge == COMMENT_GITHUB;
    struct http_answer answer;
    const char *url;
    struct str tail =
        arena_printf(p->arena, github ? "/issues/%.*s/comments" : "/merge_requests/%.*s/notes",
                     STR_ARG(p->place->number));
    if (!make_url(p, tail, &url) || !ask(p, "POST", url, body, &answer))
        return false;
    return answer.status == 201 || refused(p, "make the comment", &answer);
}

static bool check_text(struct putting *p)
{
    struct str rest = p->text;
    (void)str_cut(&rest, '\n', &p->marker);
    if (!str_starts(p->marker, STR("<!-- plumb:")) || !str_ends(p->marker, STR(" -->")) ||
        p->marker.len > MARKER_MAX)
        return err_set(p->err, ERR_USAGE,
                       "the text does not begin with a marker line (<!-- plumb:... -->): is it of "
                       "plumb gate --output markdown?");
    return p->text.len <= COMMENT_TEXT_MAX ||
           err_set(p->err, ERR_USAGE, "the text has %zu bytes, a comment at most %d", p->text.len,
                   COMMENT_TEXT_MAX);
}

bool comment_put(struct arena *arena, const struct comment_place *place, struct str text,
                 enum comment_done *ret, struct err *err)
{
    struct err own = {0};
    struct putting p = {.arena = arena, .place = place, .text = text, .err = err ? err : &own};
    struct str body;
    int64_t id;
    bool same = false, done = false;
    if (!check_text(&p) || !make_headers(&p) || !make_body(&p, &body) || !find(&p, &id, &same))
        return false;
    if (id && same) {
        *ret = COMMENT_SAME;
        return true;
    }
    if (id && !change(&p, id, body, &done))
        return false;
    *ret = done ? COMMENT_CHANGED : COMMENT_MADE;
    return done || make(&p, body);
}

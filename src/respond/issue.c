/* issue.c - opening, changing, commenting and closing the issue of an alert's thread. */
#include "respond/issue.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/config.h"
#include "respond/comment.h"
#include "respond/receiver.h"
#include "respond/wording.h"
#include "wire/http.h"
#include "wire/json.h"
#include "wire/sigv4.h"

enum { TITLE_MAX = 240, RATE_MS = 60000, ID_MAX = 200, BODY_MAX = 65000 /* GitHub: 65,536 */ };

/* What stands behind it, or before the thread's marker, people wrote. */
static const struct str end_mark = STR_INIT("<!-- plumb:end -->");

static const char *const apis[] = {
    [FORGE_GITHUB] = "https://api.github.com", [FORGE_GITLAB] = "https://gitlab.com/api/v4"};

struct writing {
    struct arena *arena;
    const struct notify_target *target;
    const struct alert *alert;
    struct forge forge;
    struct str thread, told; /* markers */
    struct str text;         /* of the alert, without markers */
    struct err *err;
};
/* An issue that is there. */
struct found {
    int64_t number;  /* 0 = none */
    bool open, told; /* told: this very alert */
    struct str body; /* in the arena */
};

/* --- markers --- */

/* Nothing that could end an HTML comment. */
static struct str marker(struct arena *arena, const char *what, struct str id)
{
    AUTO_BUF out = {.limit = 1 << 12};
    buf_printf(&out, "<!-- plumb:%s:", what);
    for (size_t i = 0; i < id.len && i < ID_MAX; i++) {
        char c = id.ptr[i];
        bool ok = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                  (c == '-' && i > 0 && id.ptr[i - 1] != '-') || c == '_' || c == '.';
        buf_char(&out, ok ? c : '_');
    }
    buf_str(&out, STR(" -->"));
    return arena_dup(arena, buf_view(&out));
}

/* A line break comes back as it likes. */
static bool has(struct str body, struct str mark)
{
    return str_find(body, mark, 0) != SIZE_MAX;
}

static const char *number_key(const struct writing *x)
{
    return x->forge.kind == FORGE_GITHUB ? "number" : "iid";
}

static const char *body_key(const struct writing *x)
{
    return x->forge.kind == FORGE_GITHUB ? "body" : "description";
}

static bool read_issue(const struct writing *x, const struct value *v, struct found *ret)
{
    int64_t number = 0;
    const struct value *n = value_get(v, str_from(number_key(x)));
    struct str body = value_get_string(v, str_from(body_key(x)));
    if (!n || !value_to_int64(n, &number) || number <= 0)
        return false;
    *ret = (struct found){
        .number = number,
        .open = str_starts(value_get_string(v, STR("state")), STR("open")), /* "opened" */
        .told = has(body, x->told),
        .body = body};
    return true;
}

/* --- finding --- */

/* By the number that was kept; one that is away is looked for. */
static bool find_kept(struct writing *x, struct found *ret)
{
    struct http_answer answer;
    struct value v;
    struct str number = str_trim(x->target->kept);
    if (!forge_number_ok(number))
        return true;
    struct str tail = arena_printf(x->arena, "/issues/%.*s", STR_ARG(number));
    if (!forge_ask(x->arena, &x->forge, "GET", tail, (struct str){0}, &answer, x->err))
        return false;
    if (answer.status == 404 || answer.status == 410 || answer.status == 301)
        return true;
    if (answer.status != 200)
        return forge_refused(x->arena, "read the issue", &answer, x->err);
    if (!json_parse(x->arena, answer.body, "issue", JSON_DUPLICATES_LAST, &v, x->err))
        return false;
    (void)read_issue(x, &v, ret);
    return true;
}

static bool find_marked(struct writing *x, struct found *ret)
{
    bool github = x->forge.kind == FORGE_GITHUB;
    struct str id = sigv4_encode_path(x->arena, str_sub(x->thread, 5, x->thread.len - 4));
    for (unsigned page = 1; page <= ISSUE_PAGES_MAX && !ret->number; page++) {
        struct value list;
        struct arena_mark mark = arena_mark(x->arena);
        struct str tail =
            github ? arena_printf(x->arena,
                                  "/issues?state=all&sort=created&direction=desc&per_page=%d"
                                  "&page=%u",
                                  FORGE_PAGE, page)
                   : arena_printf(x->arena,
                                  "/issues?state=all&scope=all&in=description&search=%.*s"
                                  "&per_page=%d&page=%u",
                                  STR_ARG(id), FORGE_PAGE, page);
        if (!forge_call(x->arena, &x->forge, "list the issues", "GET", tail, (struct str){0}, &list,
                        x->err))
            return false;
        if (!value_is_list_like(&list)) /* "there is none" would open another one */
            return err_set(x->err, ERR_SYNTAX, "list the issues: the answer is no list");
        for (uint32_t i = 0; i < list.len && !ret->number; i++) {
            struct str body = value_get_string(&list.items[i], str_from(body_key(x)));
            if (has(body, x->thread) && !value_get(&list.items[i], STR("pull_request")))
                (void)read_issue(x, &list.items[i], ret);
        }
        bool last = list.len < FORGE_PAGE;
        if (ret->number) /* its body is in this page */
            break;
        arena_rewind(x->arena, mark);
        if (last)
            break;
    }
    return true;
}

/* --- writing --- */

/* Nobody is mentioned in a title, where there is no code span. */
static struct str make_title(struct writing *x)
{
    AUTO_BUF out = {.limit = 1 << 12};
    struct str title = wording_line(x->arena, x->alert->title, TITLE_MAX);
    for (size_t i = 0; i < title.len && out.len < TITLE_MAX; i++) {
        buf_char(&out, title.ptr[i]);
        if (title.ptr[i] == '@')
            buf_str(&out, STR("\xE2\x80\x8B")); /* U+200B */
    }
    return arena_dup(x->arena, str_trim(buf_view(&out)));
}

static void put_labels(struct writing *x, struct jsonw *w)
{
    const struct config_notify *config = x->target->config;
    AUTO_BUF all = {.limit = 1 << 16};
    if (!config->nlabels)
        return;
    jsonw_key(w, STR("labels"));
    if (x->forge.kind == FORGE_GITHUB)
        jsonw_array_open(w);
    for (size_t i = 0; i < config->nlabels; i++) {
        if (x->forge.kind == FORGE_GITHUB)
            jsonw_string(w, config->labels[i]);
        else
            buf_printf(&all, "%s%.*s", i ? "," : "", STR_ARG(config->labels[i]));
    }
    if (x->forge.kind == FORGE_GITHUB)
        jsonw_array_close(w);
    else
        jsonw_string(w, buf_view(&all));
}

/* Ours from the thread's marker to the end's; around it stays what people wrote. Where somebody
 * took the markers out, all of it is theirs. */
static void put_text(const struct writing *x, const struct found *found, struct buf *out)
{
    struct str body = found ? found->body : STR(""), behind = STR("");
    size_t from = str_find(body, x->thread, 0);
    if (from != SIZE_MAX) {
        size_t end = str_find(body, end_mark, from);
        if (end != SIZE_MAX)
            behind = str_sub(body, end + end_mark.len, body.len);
        buf_str(out, str_sub(body, 0, from));
    } else if (str_trim(body).len) {
        buf_printf(out, "%.*s\n\n", STR_ARG(str_trim(body)));
    }
    buf_printf(out, "%.*s\n%.*s\n%.*s\n%.*s%.*s", STR_ARG(x->thread), STR_ARG(x->told),
               STR_ARG(x->text), STR_ARG(end_mark), STR_ARG(behind));
}

/* found NULL: a new one. state: "open", "close", or NULL to leave it. */
static bool make_body(struct writing *x, const struct found *found, const char *state,
                      struct str *ret)
{
    AUTO_BUF out = {.limit = 1 << 20};
    AUTO_BUF text = {.limit = 8 << 20};
    struct jsonw w = {.out = &out};
    bool github = x->forge.kind == FORGE_GITHUB, close = state && state[0] == 'c';
    put_text(x, found, &text);
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("title"), make_title(x));
    if (!found || text.len <= BODY_MAX) /* else the comment tells it: nothing of people's is cut */
        jsonw_member_string(&w, str_from(body_key(x)), buf_view(&text));
    if (!found)
        put_labels(x, &w);
    if (state && github) {
        jsonw_member_string(&w, STR("state"), close ? STR("closed") : STR("open"));
        jsonw_member_string(&w, STR("state_reason"), close ? STR("completed") : STR("reopened"));
    } else if (state) {
        jsonw_member_string(&w, STR("state_event"), close ? STR("close") : STR("reopen"));
    }
    jsonw_object_close(&w);
    *ret = arena_dup(x->arena, buf_view(&out));
    return (buf_ok(&text, x->err) && buf_ok(&out, x->err) && ret->ptr) ||
           arena_full(x->arena, x->err);
}

static bool open_issue(struct writing *x, struct found *ret)
{
    struct str body;
    struct value v;
    if (!make_body(x, NULL, NULL, &body) || !forge_call(x->arena, &x->forge, "open the issue",
                                                        "POST", STR("/issues"), body, &v, x->err))
        return false;
    return read_issue(x, &v, ret) ||
           err_set(x->err, ERR_REMOTE, "open the issue: the answer has no number");
}

static bool change_issue(struct writing *x, const struct found *found, const char *state)
{
    struct str body;
    const char *method = x->forge.kind == FORGE_GITHUB ? "PATCH" : "PUT";
    struct str tail = arena_printf(x->arena, "/issues/%lld", (long long)found->number);
    return make_body(x, found, state, &body) &&
           forge_call(x->arena, &x->forge, "change the issue", method, tail, body, NULL, x->err);
}

/* Once for each alert: it is found again by the alert's marker. */
static bool comment(struct writing *x, const struct found *found)
{
    struct comment_place place = {.forge = &x->forge,
                                  .number =
                                      arena_printf(x->arena, "%lld", (long long)found->number),
                                  .issue = true};
    struct str text = arena_printf(x->arena, "%.*s\n%.*s", STR_ARG(x->told), STR_ARG(x->text));
    enum comment_done done;
    if (!place.number.ptr || !text.ptr)
        return arena_full(x->arena, x->err);
    return comment_put(x->arena, &place, text, &done, x->err);
}

static bool write_issue(struct writing *x, struct found *found)
{
    bool resolved = x->alert->status == ALERT_RESOLVED;
    bool some = resolved && x->alert->others_open; /* of those of the issue */
    bool digest = x->alert->status == ALERT_RECURRING;
    if (!find_kept(x, found) || (!found->number && !find_marked(x, found)))
        return false;
    if (found->told)
        return true;
    if (!found->number)
        return resolved || open_issue(x, found);
    if (!digest && !comment(x, found))
        return false;
    if (some)
        return true;
    const char *state = resolved                ? found->open ? "close" : NULL
                        : digest || found->open ? NULL
                                                : "open";
    return change_issue(x, found, state);
}

/* --- the answer --- */

static void judge(struct writing *x, struct notify_answer *ret)
{
    char text[ERR_TEXT_MAX];
    const char *said = err_text(x->err, text, sizeof text), *help = "";
    long status = x->forge.status;
    bool garbled = status >= 200 && status <= 299;
    bool busy = status == 409 || status == 423; /* somebody else writes that issue just now */
    ret->result = garbled || busy ? NOTIFY_LATER : receiver_result(status);
    ret->retry_ms = x->forge.retry_ms;
    if (status == 403 && (ret->retry_ms || strstr(said, "rate limit")))
        status = 429;
    if (status == 429) {
        ret->result = NOTIFY_LATER;
        ret->retry_ms = ret->retry_ms ? ret->retry_ms : RATE_MS;
    } else if (status == 401) {
        help = "; the token is wrong or has ended";
    } else if (status == 403) {
        help = "; the token may not write issues";
    } else if (status == 404) {
        help = "; is `project` right, and may the token see it?";
    } else if (status >= 300 && status <= 399) {
        help = "; the project has moved: name its new place";
    } else if (!status && x->err->kind == ERR_USAGE) {
        help = "; allow_private allows it, if it is meant";
    }
    ret->said = receiver_said(x->arena, x->target, x->forge.api, "%s%s", said, help);
}

static bool prepare(struct writing *x, enum forge_kind kind, struct err *err)
{
    const struct notify_target *target = x->target;
    int limit_ms = target->timeout_ms > 0 ? target->timeout_ms : RECEIVER_TIMEOUT_MS;
    struct str api = str_trim(target->url);
    x->forge = (struct forge){.kind = kind,
                              .api = api.len ? api : str_from(apis[kind]),
                              .project = target->config->project,
                              .token = target->key,
                              .ca = target->ca,
                              .timeout_ms = limit_ms,
                              .total_ms = limit_ms,
                              .public_only = !target->config->allow_private,
                              .path_secret = true};
    x->thread = marker(x->arena, "alert", x->alert->thread);
    x->told = marker(x->arena, "told", x->alert->id);
    if (!x->thread.ptr || !x->told.ptr)
        return arena_full(x->arena, err);
    return issue_text(x->arena, x->alert, &x->text, err);
}

bool issue_send(enum forge_kind kind, struct arena *arena, const struct notify_target *target,
                const struct alert *alert, struct notify_answer *ret, struct err *err)
{
    struct err trouble = {0};
    struct writing x = {.arena = arena, .target = target, .alert = alert, .err = &trouble};
    struct found found = {0};
    struct notify_answer answer = {.result = NOTIFY_TAKEN, .said = STR("")};
    if (!prepare(&x, kind, err))
        return false;
    if (!forge_open(arena, &x.forge, &trouble)) {
        char text[ERR_TEXT_MAX];
        answer.result = NOTIFY_REFUSED;
        answer.said =
            receiver_said(arena, target, x.forge.api, "%s", err_text(&trouble, text, sizeof text));
    } else if (!write_issue(&x, &found)) {
        judge(&x, &answer);
    }
    if (found.number)
        answer.kept = arena_printf(arena, "%lld", (long long)found.number);
    *ret = answer;
    return answer.said.ptr || arena_full(arena, err);
}

/* --- check --- */

bool issue_check(enum forge_kind kind, const struct config_notify *config,
                 const struct notify_target *target, struct err *err)
{
    AUTO_ARENA arena = {.limit = 1 << 16};
    struct err why = {0};
    bool github = kind == FORGE_GITHUB;
    struct forge forge = {.kind = kind,
                          .api = str_from(apis[kind]),
                          .project = config->project,
                          .token = target ? target->key : STR("x")};
    if (!config->project.len)
        return receiver_wrong(config, err, "`project` is missing: %s",
                              github ? "owner/name of the repository"
                                     : "group/name or the number of the project");
    if (!config->key.len)
        return receiver_wrong(config, err,
                              "`key` is missing: a token that may %s, as env:NAME or "
                              "file:PATH",
                              github ? "write issues" : "use the API (scope api)");
    for (size_t i = 0; !github && i < config->nlabels; i++)
        if (str_find_char(config->labels[i], ',', 0) != SIZE_MAX)
            return receiver_wrong(config, err,
                                  "`labels`: a comma in '%.*s': GitLab parts them there",
                                  STR_ARG(config->labels[i]));
    if (!forge_open(&arena, &forge, &why))
        return receiver_wrong(config, err, "%s", why.frame[0]);
    return !target || receiver_check_url(config, target->url, err);
}

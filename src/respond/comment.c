/* comment.c - looking for a comment, then changing or making it. */
#include "respond/comment.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "wire/http.h"
#include "wire/json.h"

enum { MARKER_MAX = 400 };

struct putting {
    struct arena *arena;
    struct forge *forge;
    struct str folder; /* "/issues/12/comments", "/merge_requests/12/notes" */
    struct str marker, text;
    struct err *err;
};

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

/* *ret_done false: somebody else's, or gone. */
static bool change(struct putting *p, int64_t id, struct str body, bool *ret_done)
{
    bool github = p->forge->kind == FORGE_GITHUB;
    struct http_answer answer;
    struct str folder = github ? STR("/issues/comments") : p->folder;
    struct str tail = arena_printf(p->arena, "%.*s/%lld", STR_ARG(folder), (long long)id);
    if (!forge_ask(p->arena, p->forge, github ? "PATCH" : "PUT", tail, body, &answer, p->err))
        return false;
    *ret_done = answer.status == 200;
    if (*ret_done || answer.status == 404 || (answer.status == 403 && !forge_is_limited(&answer)))
        return true;
    return forge_refused(p->arena, "change the comment", &answer, p->err);
}

/* The first of a page that has the marker and can be had. */
static bool look(struct putting *p, const struct value *list, struct str body,
                 enum comment_done *ret, bool *ret_done)
{
    for (uint32_t i = 0; i < list->len && !*ret_done; i++) {
        struct str has = value_get_string(&list->items[i], STR("body"));
        const struct value *id = value_get(&list->items[i], STR("id"));
        int64_t number;
        if (!str_starts(has, p->marker) || !id || !value_to_int64(id, &number) || number <= 0)
            continue;
        *ret = COMMENT_CHANGED;
        if (str_equal(str_trim(has), str_trim(p->text))) {
            *ret = COMMENT_SAME;
            *ret_done = true;
        } else if (!change(p, number, body, ret_done)) {
            return false;
        }
    }
    return true;
}

static bool find_and_change(struct putting *p, struct str body, enum comment_done *ret,
                            bool *ret_done)
{
    for (unsigned page = 1; page <= COMMENT_PAGES_MAX && !*ret_done; page++) {
        struct value list;
        struct str tail = arena_printf(p->arena, "%.*s?per_page=%d&page=%u", STR_ARG(p->folder),
                                       FORGE_PAGE, page);
        if (!forge_call(p->arena, p->forge, "list the comments", "GET", tail, (struct str){0},
                        &list, p->err))
            return false;
        if (!value_is_list_like(&list))
            break;
        if (!look(p, &list, body, ret, ret_done))
            return false;
        if (list.len < FORGE_PAGE)
            break;
    }
    return true;
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

static bool check_place(struct putting *p, const struct comment_place *place)
{
    bool github = p->forge->kind == FORGE_GITHUB;
    if (!forge_number_ok(place->number))
        return err_set(p->err, ERR_USAGE,
                       "no place for a comment: the number of a pull request or an issue is "
                       "needed, not '%.*s'",
                       STR_ARG(place->number));
    p->folder = arena_printf(p->arena,
                             github         ? "/issues/%.*s/comments"
                             : place->issue ? "/issues/%.*s/notes"
                                            : "/merge_requests/%.*s/notes",
                             STR_ARG(place->number));
    return p->folder.ptr || arena_full(p->arena, p->err);
}

bool comment_put(struct arena *arena, const struct comment_place *place, struct str text,
                 enum comment_done *ret, struct err *err)
{
    struct err own = {0};
    struct putting p = {
        .arena = arena, .forge = place->forge, .text = text, .err = err ? err : &own};
    struct str body;
    bool done = false;
    if (!check_text(&p) || !check_place(&p, place) || !make_body(&p, &body) ||
        !find_and_change(&p, body, ret, &done))
        return false;
    if (done)
        return true;
    *ret = COMMENT_MADE;
    return forge_call(arena, p.forge, "make the comment", "POST", p.folder, body, NULL, p.err);
}

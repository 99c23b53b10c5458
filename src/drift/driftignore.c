/* driftignore.c - lines of a .driftignore to ignore rules, never covering more than they did. */
#include "drift/driftignore.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/glob.h"
#include "base/utf8.h"

enum { PART_MAX = 1 << 16 };

/* A line that is, or may be, a rule. */
struct line {
    size_t number;
    struct str text, pattern; /* as written; without `!` */
    struct str part[2];       /* type and id as globs; empty id = any */
    struct str rest;          /* attribute path as written, or empty */
    bool negated;
    const char *why; /* it can not be a rule */
};

struct reading {
    struct arena *arena;
    const char *name;
    struct line *line;
    size_t n, room;
};

/* --- cutting at dots --- */

/* The end of the part that begins at `at`: an unescaped dot or the end. */
static size_t part_end(struct str s, size_t at)
{
    while (at < s.len && s.ptr[at] != '.')
        at += s.ptr[at] == '\\' && at + 1 < s.len ? 2 : 1;
    return at;
}

/* As a glob of base/glob.h: only `*`, `?` and `\` need their escapes. A run of `*` is one. */
static bool part_glob(struct arena *arena, struct str part, struct str *ret)
{
    AUTO_BUF out = {.limit = PART_MAX};
    for (size_t i = 0; i < part.len; i++) {
        char c = part.ptr[i];
        bool escaped = c == '\\' && i + 1 < part.len;
        if (escaped)
            c = part.ptr[++i];
        if (!escaped && c == '*' && out.len && i && part.ptr[i - 1] == '*')
            continue;
        if (escaped && (c == '*' || c == '?' || c == '\\'))
            buf_char(&out, '\\');
        buf_char(&out, c);
    }
    *ret = out.failed ? (struct str){0} : arena_dup(arena, buf_view(&out));
    return ret->ptr != NULL;
}

/* --- reading --- */

/* Blanks at the end go, unless escaped, as in a .gitignore. */
static struct str trim_line(struct str s)
{
    if (s.len && s.ptr[s.len - 1] == '\r')
        s.len--;
    while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t') &&
           !(s.len > 1 && s.ptr[s.len - 2] == '\\'))
        s.len--;
    return s;
}

static bool has_class(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '\\')
            i++;
        else if (s.ptr[i] == '[')
            return true;
    }
    return false;
}

static bool is_any(struct str glob)
{
    return str_equal(glob, STR("*")) || str_equal(glob, STR("**"));
}

static bool cut_parts(struct arena *arena, struct line *line, struct err *err)
{
    size_t type = part_end(line->pattern, 0);
    size_t id = type < line->pattern.len ? part_end(line->pattern, type + 1) : type;
    if (!part_glob(arena, str_sub(line->pattern, 0, type), &line->part[0]) ||
        !part_glob(arena, str_sub(line->pattern, type + 1, id), &line->part[1]))
        return arena_full(arena, err);
    line->rest = str_sub(line->pattern, id + 1, line->pattern.len);
    if (is_any(line->part[1]))
        line->part[1] = STR("");
    return true;
}

static void judge(struct line *line)
{
    if (has_class(line->pattern))
        line->why = "character classes ([...]) have no counterpart";
    else if (!line->part[0].len)
        line->why = "a type is missing before the first dot";
    else if (is_any(line->part[0]) && !line->part[1].len && !line->rest.len)
        line->why = "it would hide everything";
}

static bool read_line(struct reading *r, size_t number, struct str text, struct err *err)
{
    struct line line = {.number = number, .text = trim_line(text)};
    if (!line.text.len || line.text.ptr[0] == '#')
        return true;
    line.negated = line.text.ptr[0] == '!';
    line.pattern = str_sub(line.text, line.negated, line.text.len);
    if (!cut_parts(r->arena, &line, err))
        return false;
    judge(&line);
    r->line = arena_grow(r->arena, r->line, r->n, &r->room, r->n + 1);
    if (!r->line)
        return arena_full(r->arena, err);
    r->line[r->n++] = line;
    return true;
}

static bool read_lines(struct reading *r, struct str text, struct err *err)
{
    if (str_starts(text, STR("\xef\xbb\xbf")))
        text = str_sub(text, 3, text.len);
    for (size_t number = 1; text.len; number++) {
        struct str head;
        (void)str_cut(&text, '\n', &head);
        if (number > DRIFTIGNORE_LINES_MAX)
            return err_set(err, ERR_LIMIT, "%s: more than %d lines", r->name,
                           DRIFTIGNORE_LINES_MAX);
        if (!read_line(r, number, head, err))
            return false;
    }
    return true;
}

/* --- what a `!` takes back --- */

/* May some text match both? Where both are patterns nobody looks closer: they may. */
static bool may_meet(struct str a, struct str b)
{
    bool x = glob_is_pattern(a), y = glob_is_pattern(b);
    if (!a.len || !b.len || (x && y))
        return true;
    return glob_match(a, b, '\0') || glob_match(b, a, '\0');
}

/* An attribute line has no part in another attribute's; one without attributes meets all. */
static bool rests_meet(struct str a, struct str b)
{
    if (!a.len || !b.len || glob_is_pattern(a) || glob_is_pattern(b))
        return true;
    return str_starts(a, b) || str_starts(b, a);
}

static void take_back(struct reading *r)
{
    for (size_t i = 0; i < r->n; i++) {
        struct line *no = &r->line[i];
        if (!no->negated)
            continue;
        for (size_t j = 0; j < i; j++) {
            struct line *yes = &r->line[j];
            if (!yes->negated && !yes->why &&
                (no->why ||
                 (may_meet(no->part[0], yes->part[0]) && may_meet(no->part[1], yes->part[1]) &&
                  rests_meet(no->rest, yes->rest))))
                yes->why = "a later line with ! takes a part of it back";
        }
        no->why = "a rule can not take back what another one ignores";
    }
}

/* --- rules --- */

/* `0` is a position in a list; `*` any position or key; the rest is the glob of a key. */
static bool add_step(struct buf *out, struct arena *arena, struct str part, struct err *err)
{
    struct str glob;
    int64_t index;
    if (!part_glob(arena, part, &glob))
        return arena_full(arena, err);
    bool position = str_to_int64(glob, &index) && index >= 0;
    if (is_any(glob) || position) {
        buf_printf(out, "[%.*s]", STR_ARG(is_any(glob) ? STR("*") : glob));
        return true;
    }
    AUTO_BUF one = {.limit = PART_MAX};
    struct path_step step = {.kind = PATH_KEY, .key = glob};
    path_print(&one, (struct path){&step, 1});
    if (out->len && one.len && one.ptr[0] != '[')
        buf_char(out, '.');
    buf_str(out, buf_view(&one));
    return !one.failed ||
           err_set(err, ERR_LIMIT, "an attribute's name of more than %d bytes", PART_MAX);
}

static bool set_path(struct arena *arena, struct str rest, struct ignore_rule *rule,
                     struct err *err)
{
    AUTO_BUF out = {.limit = PART_MAX};
    for (size_t at = 0; at < rest.len;) {
        size_t end = part_end(rest, at);
        if (!add_step(&out, arena, str_sub(rest, at, end), err))
            return false;
        at = end + 1;
    }
    if (!buf_ok(&out, err))
        return false;
    rule->path = arena_dup(arena, buf_view(&out));
    return rule->path.ptr ? path_parse(arena, rule->path, &rule->path_pattern, err)
                          : arena_full(arena, err);
}

static bool make_rule(struct reading *r, const struct line *line, struct ignore_rule *ret,
                      struct err *err)
{
    *ret = (struct ignore_rule){
        .type = is_any(line->part[0]) ? STR("") : line->part[0],
        .id = line->part[1],
        .reason = arena_printf(r->arena, "imported from %s:%zu", r->name, line->number),
        .expires_utc_ms = INT64_MAX,
        .place = {(uint32_t)line->number, 1},
    };
    if (!ret->reason.ptr)
        return arena_full(r->arena, err);
    return !line->rest.len || set_path(r->arena, line->rest, ret, err);
}

bool driftignore_parse(struct arena *arena, struct str text, const char *name,
                       struct driftignore *ret, struct err *err)
{
    struct reading r = {.arena = arena, .name = name};
    size_t bad = utf8_bad_at(text);
    if (bad != SIZE_MAX)
        return err_set(err, ERR_SYNTAX, "%s: not UTF-8 at byte %zu", name, bad + 1);
    if (!read_lines(&r, text, err))
        return false;
    take_back(&r);
    struct ignore_rule *rules = arena_new(arena, struct ignore_rule, r.n);
    struct driftignore_left *left = arena_new(arena, struct driftignore_left, r.n);
    size_t n = 0, nleft = 0;
    if (!rules || !left)
        return arena_full(arena, err);
    for (size_t i = 0; i < r.n; i++) {
        const struct line *line = &r.line[i];
        if (line->why)
            left[nleft++] = (struct driftignore_left){line->number, line->text, line->why};
        else if (!make_rule(&r, line, &rules[n++], err))
            return false;
    }
    *ret = (struct driftignore){rules, n, left, nleft};
    return true;
}

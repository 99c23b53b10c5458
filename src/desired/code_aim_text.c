/* code_aim_text.c - texts put together of parts, by templates and format(): which part has to
 * change. */
#include <string.h>

#include "desired/code_aim.h"

struct texts {
    struct str *part, want;
};

static bool same_text(const void *ctx, size_t part, size_t to)
{
    const struct texts *t = ctx;
    return memcmp(t->want.ptr + to, t->part[part].ptr, t->part[part].len) == 0;
}

struct cutting {
    struct texts texts;
    size_t n, *len, *from;
    unsigned char *rank;
    bool *written;
};

static bool start_cutting(struct code_follow *f, size_t n, struct cutting *ret)
{
    *ret = (struct cutting){.n = n,
                            .texts.part = arena_new(f->arena, struct str, n),
                            .len = arena_new(f->arena, size_t, n),
                            .from = arena_new(f->arena, size_t, n + 1),
                            .rank = arena_new(f->arena, unsigned char, n),
                            .written = arena_new(f->arena, bool, n)};
    f->full |= !ret->texts.part || !ret->len || !ret->from || !ret->rank || !ret->written;
    return !f->full && !f->aim->unset && n && code_aim_text(f, &f->aim->value, &ret->texts.want);
}

static bool cut(struct code_follow *f, struct cutting *c)
{
    for (size_t i = 0; i < c->n; i++) {
        c->len[i] = c->texts.part[i].len;
        if (c->len[i] == 0)
            c->texts.part[i].ptr = "";
    }
    struct code_split split = {c->n,      c->len,    c->rank, c->written, c->texts.want.len,
                               same_text, &c->texts, c->from};
    return code_aim_split(f, &split);
}

static struct str part_wanted(const struct cutting *c, size_t i)
{
    return str_sub(c->texts.want, c->from[i], c->from[i + 1]);
}

/* --- templates --- */

/* More at one of the ends of a quoted template, where no part of it gives that. True: done. */
static bool aim_end(struct code_follow *f, const struct code_source *source,
                    const struct hcl_expr *expr, const struct cutting *c)
{
    struct str all = STR(""), want = c->texts.want, more;
    for (size_t i = 0; i < c->n && all.ptr; i++)
        all = arena_printf(f->arena, "%.*s%.*s", STR_ARG(all), STR_ARG(c->texts.part[i]));
    if (!all.ptr || source->file->json || expr->heredoc || want.len <= all.len)
        return false;
    bool last = str_starts(want, all);
    if ((!last && !str_ends(want, all)) || code_aim_choose(f, 2) == 0)
        return false;
    more = last ? str_sub(want, all.len, want.len) : str_sub(want, 0, want.len - all.len);
    struct value text = value_string(more);
    return code_aim_at(f, source, expr, (struct path){0},
                       last ? CODE_TARGET_LAST : CODE_TARGET_FIRST, &text);
}

bool code_aim_template(struct code_follow *f, const struct code_source *source,
                       const struct hcl_expr *expr, struct path rest, unsigned depth_left)
{
    struct cutting c;
    struct value v;
    if (rest.n || !start_cutting(f, expr->parts.n, &c))
        return true;
    for (size_t i = 0; i < c.n; i++) {
        const struct hcl_expr *part = expr->parts.part[i];
        c.rank[i] = code_aim_rank(f, source, part);
        c.written[i] = part->kind == HCL_EXPR_STRING;
        if (!code_follow_eval(f, source, part, &v) || !code_aim_text(f, &v, &c.texts.part[i]))
            return true;
    }
    if (aim_end(f, source, expr, &c) || !cut(f, &c))
        return true;
    for (size_t i = 0; i < c.n; i++) {
        struct str wanted = part_wanted(&c, i);
        struct value want = value_string(wanted);
        if (str_equal(wanted, c.texts.part[i]))
            continue;
        if (c.written[i]
                ? source->file->json || !code_aim_at(f, source, expr->parts.part[i],
                                                     (struct path){0}, CODE_TARGET_TEXT, &want)
                : !code_aim_on(f, source, expr->parts.part[i], (struct path){0}, &want,
                               depth_left - 1))
            return true;
    }
    f->aim->hits++;
    return true;
}

/* --- format() --- */

/* A verb that can be turned around: %s, %d, %v, and %05d. Else its length is 0. */
static size_t verb_len(struct str format, size_t at)
{
    size_t end = at + 1, digits = 0;
    for (; end < format.len && format.ptr[end] >= '0' && format.ptr[end] <= '9'; end++)
        digits++;
    if (end >= format.len || !strchr(digits ? "d" : "sdv", format.ptr[end]) ||
        (digits && format.ptr[at + 1] != '0'))
        return 0;
    return end + 1 - at;
}

struct pieces { /* texts between verbs, and verbs: as they are written */
    struct str *item;
    size_t n, room;
    size_t verbs;
};

static bool add_piece(struct code_follow *f, struct pieces *p, struct str text)
{
    struct str *grown = arena_grow(f->arena, p->item, p->n, &p->room, p->n + 1);
    if (!grown)
        return false;
    p->item = grown;
    grown[p->n++] = text;
    return true;
}

/* Text, verb, text ... text: each may be empty but for the verbs. */
static bool read_format(struct code_follow *f, struct str format, struct pieces *ret)
{
    size_t start = 0, at = 0;
    *ret = (struct pieces){0};
    while (at < format.len) {
        bool verb = format.ptr[at] == '%';
        if (!verb || (at + 1 < format.len && format.ptr[at + 1] == '%')) {
            at += verb ? 2 : 1;
            continue;
        }
        size_t len = verb_len(format, at);
        if (len == 0 || !add_piece(f, ret, str_sub(format, start, at)) ||
            !add_piece(f, ret, str_sub(format, at, at + len)))
            return false;
        ret->verbs++;
        start = at += len;
    }
    return add_piece(f, ret, str_sub(format, start, format.len));
}

/* %% is one, or one is %%. */
static struct str percent(struct code_follow *f, struct str text, bool escape)
{
    char *out = arena_alloc(f->arena, text.len * 2 + 1, 1, 1);
    size_t n = 0;
    for (size_t i = 0; out && i < text.len; i++) {
        out[n++] = text.ptr[i];
        if (text.ptr[i] != '%')
            continue;
        if (escape)
            out[n++] = '%';
        else
            i++;
    }
    f->full |= !out;
    return (struct str){out, out ? n : 0};
}

/* One verb with its value. */
static bool format_one(struct code_follow *f, const struct code_source *source,
                       const struct hcl_expr *call, struct str verb, const struct hcl_expr *arg,
                       struct str *ret)
{
    struct hcl_expr text = {
        .kind = HCL_EXPR_STRING, .range = call->range, .value = value_string(verb)};
    const struct hcl_expr *args[] = {&text, arg};
    struct hcl_expr one = *call;
    struct value v;
    one.call.arg = args;
    one.call.nargs = 2;
    return code_follow_eval(f, source, &one, &v) && code_aim_text(f, &v, ret);
}

static bool aim_verb(struct code_follow *f, const struct code_source *source,
                     const struct hcl_expr *arg, struct str verb, struct str wanted,
                     unsigned depth_left)
{
    struct value text = value_string(wanted), want = text;
    struct str why;
    if (verb.ptr[verb.len - 1] == 'd' &&
        (!hcl_convert(f->arena, &text, &type_number, &want, &why) || want.kind != VALUE_NUMBER))
        return code_aim_fail(f, source, arg, "a number is formatted, and the new text has none,");
    return code_aim_on(f, source, arg, (struct path){0}, &want, depth_left);
}

/* The format anew, with other texts between the verbs. */
static bool aim_format_text(struct code_follow *f, const struct code_source *source,
                            const struct hcl_expr *call, const struct pieces *p,
                            const struct cutting *c, unsigned depth_left)
{
    struct str text = STR("");
    for (size_t i = 0; i < p->n; i++) {
        struct str piece = i % 2 ? p->item[i] : percent(f, part_wanted(c, i), true);
        text = arena_printf(f->arena, "%.*s%.*s", STR_ARG(text), STR_ARG(piece));
    }
    struct value want = value_string(text);
    f->full |= !text.ptr;
    return !f->full &&
           code_aim_on(f, source, call->call.arg[0], (struct path){0}, &want, depth_left);
}

bool code_aim_format(struct code_follow *f, const struct code_source *source,
                     const struct hcl_expr *call, struct path rest, unsigned depth_left)
{
    struct cutting c;
    struct pieces p;
    struct value format;
    bool text = false;
    if (rest.n || call->call.expand || call->call.nargs == 0 ||
        !code_follow_eval(f, source, call->call.arg[0], &format) || format.kind != VALUE_STRING ||
        !read_format(f, value_text(&format), &p) || p.verbs + 1 != call->call.nargs ||
        !start_cutting(f, p.n, &c))
        return true;
    for (size_t i = 0; i < p.n; i++) {
        c.rank[i] = code_aim_rank(f, source, call->call.arg[i % 2 ? 1 + i / 2 : 0]);
        c.written[i] = i % 2 == 0;
        if (i % 2 == 0)
            c.texts.part[i] = percent(f, p.item[i], false);
        else if (!format_one(f, source, call, p.item[i], call->call.arg[1 + i / 2],
                             &c.texts.part[i]))
            return true;
    }
    if (f->full || !cut(f, &c))
        return true;
    for (size_t i = 0; i < p.n; i++) {
        struct str wanted = part_wanted(&c, i);
        if (str_equal(wanted, c.texts.part[i]))
            continue;
        text |= i % 2 == 0;
        if (i % 2 && !aim_verb(f, source, call->call.arg[1 + i / 2], p.item[i], wanted, depth_left))
            return true;
    }
    if (!text || aim_format_text(f, source, call, &p, &c, depth_left))
        f->aim->hits++;
    return true;
}

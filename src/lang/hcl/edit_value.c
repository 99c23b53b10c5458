/* edit_value.c - values as the literals that an editor writes: strings, heredocs, lists, objects.
 */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "lang/hcl/edit_parts.h"
#include "lang/hcl/encode.h"
#include "lang/hcl/eval.h"
#include "lang/hcl/lex.h"

enum { LINE_COLUMNS = 100 /* a list of simple values that is longer gets a line for each */ };

struct printer {
    struct hcl_edit *edit;
    struct buf *out;
    const struct edit_layout *layout;
};

static void print(struct printer *p, const struct value *v, unsigned level, bool one_line);

static void new_line(struct printer *p, unsigned level)
{
    buf_str(p->out, p->layout->newline);
    buf_str(p->out, p->layout->base);
    for (unsigned i = 0; i < level; i++)
        buf_str(p->out, p->layout->unit);
}

/* --- scalars --- */

/* In JSON syntax a string is a template too. */
static void print_template_json(struct printer *p, struct str s)
{
    AUTO_BUF escaped = {.limit = HCL_TEXT_MAX};
    for (size_t i = 0; i < s.len; i++) {
        bool opener = (s.ptr[i] == '$' || s.ptr[i] == '%') && i + 1 < s.len && s.ptr[i + 1] == '{';
        if (opener)
            buf_char(&escaped, s.ptr[i]);
        buf_char(&escaped, s.ptr[i]);
    }
    struct value v = value_string(buf_view(&escaped));
    struct str text, why;
    if (buf_ok(&escaped, NULL) && hcl_json_encode(p->edit->arena, &v, &text, &why))
        buf_str(p->out, text);
    else
        p->edit->full = true;
}

static void print_string(struct printer *p, struct str s)
{
    if (p->layout->json)
        print_template_json(p, s);
    else
        hcl_quote(p->out, s);
}

static void print_number(struct printer *p, const struct value *v)
{
    struct str text = hcl_number_text(p->edit->arena, v);
    if (hcl_is_infinite(v))
        edit_fail(p->edit, "an infinite number has no literal");
    p->edit->full |= !text.ptr;
    buf_str(p->out, text);
}

static bool is_bare_key(struct str key)
{
    return hcl_is_identifier(key) && !str_equal(key, STR("for"));
}

static struct str key_text(struct printer *p, struct str key, bool quoted)
{
    struct buf text = {.limit = HCL_TEXT_MAX};
    struct printer to = {p->edit, &text, p->layout};
    if (p->layout->json || quoted || !is_bare_key(key))
        print_string(&to, key);
    else
        buf_str(&text, key);
    return edit_text(p->edit, &text);
}

static size_t columns(struct str s)
{
    size_t n = 0;
    for (size_t at = 0; at < s.len; n++)
        at = utf8_cluster(s, at);
    return n;
}

/* --- lists and objects --- */

static bool is_compound(const struct value *v)
{
    return v->len > 0 && (value_is_list_like(v) || value_is_object_like(v));
}

/* A value that stands on one line wherever it is. */
static bool is_short(struct printer *p, const struct value *v)
{
    if (!is_compound(v))
        return true;
    if (value_is_object_like(v))
        return false;
    for (uint32_t i = 0; i < v->len; i++)
        if (is_compound(&v->items[i]))
            return false;
    AUTO_BUF line = {.limit = HCL_TEXT_MAX};
    struct printer to = {p->edit, &line, p->layout};
    print(&to, v, 0, true);
    return line.len <= LINE_COLUMNS;
}

static void print_elements(struct printer *p, const struct value *v, unsigned level, bool one_line)
{
    bool json = p->layout->json;
    one_line = one_line || is_short(p, v);
    buf_char(p->out, '[');
    for (uint32_t i = 0; i < v->len; i++) {
        if (!one_line)
            new_line(p, level + 1);
        else if (i)
            buf_char(p->out, ' ');
        print(p, &v->items[i], level + 1, one_line);
        if (i + 1 < v->len || (!one_line && !json))
            buf_char(p->out, ',');
    }
    if (!one_line && v->len)
        new_line(p, level);
    buf_char(p->out, ']');
}

/* Members in the order that they are printed in: keys of the like first, in its order. */
static const struct value_member **ordered(struct printer *p, const struct value *v)
{
    const struct value_member **order =
        arena_new(p->edit->arena, const struct value_member *, v->len);
    bool *done = arena_new(p->edit->arena, bool, v->len);
    const struct hcl_expr *like = p->layout->like;
    size_t n = 0;
    if (!order || !done) {
        p->edit->full = true;
        return NULL;
    }
    for (size_t i = 0; like && like->kind == HCL_EXPR_OBJECT && i < like->items.n; i++) {
        const struct hcl_expr *key = like->items.item[i].key;
        for (uint32_t k = 0; key->kind == HCL_EXPR_STRING && k < v->len; k++) {
            if (done[k] || !str_equal(key_str(v->members[k].key), value_text(&key->value)))
                continue;
            order[n++] = &v->members[k];
            done[k] = true;
        }
    }
    for (uint32_t k = 0; k < v->len; k++)
        if (!done[k])
            order[n++] = &v->members[k];
    return order;
}

/* Columns of the longest key among the members from `from` on that stand on lines without others.
 */
static size_t key_columns(struct printer *p, const struct value_member *const *member, size_t from,
                          size_t n)
{
    size_t widest = 0;
    for (size_t i = from; i < n && is_short(p, &member[i]->value); i++) {
        size_t own = columns(key_text(p, key_str(member[i]->key), false));
        widest = own > widest ? own : widest;
    }
    return widest;
}

static void print_key(struct printer *p, struct str key, size_t to_columns)
{
    struct str text = key_text(p, key, false);
    buf_str(p->out, text);
    if (p->layout->json) {
        buf_str(p->out, STR(": "));
        return;
    }
    for (size_t at = columns(text); at < to_columns; at++)
        buf_char(p->out, ' ');
    buf_str(p->out, STR(" = "));
}

/* Blanks inside of braces on one line: in JSON, where the like has them. */
static bool is_padded(const struct printer *p)
{
    const struct hcl_expr *like = p->layout->like;
    if (!p->layout->json)
        return true;
    return like && like->kind == HCL_EXPR_OBJECT &&
           str_starts(str_sub(p->edit->file->text, like->range.start, like->range.end), STR("{ "));
}

static void print_members(struct printer *p, const struct value *v, unsigned level, bool one_line)
{
    bool json = p->layout->json, pad = one_line && v->len && is_padded(p);
    size_t chain = 0; /* columns of the keys of neighbouring lines; 0 = no chain */
    const struct value_member **member = ordered(p, v);
    buf_str(p->out, pad ? STR("{ ") : STR("{"));
    for (uint32_t i = 0; member && i < v->len; i++) {
        const struct value *own = &member[i]->value;
        bool alone = !one_line && !is_short(p, own);
        if (alone || one_line)
            chain = 0;
        else if (!chain)
            chain = key_columns(p, member, i, v->len);
        if (!one_line)
            new_line(p, level + 1);
        print_key(p, key_str(member[i]->key), chain);
        print(p, own, level + 1, one_line);
        if (i + 1 < v->len && (one_line || json))
            buf_str(p->out, one_line ? STR(", ") : STR(","));
    }
    if (!one_line && v->len)
        new_line(p, level);
    buf_str(p->out, pad ? STR(" }") : STR("}"));
}

static void print(struct printer *p, const struct value *v, unsigned level, bool one_line)
{
    if (level >= HCL_DEPTH_MAX)
        edit_fail(p->edit, "the value is nested too deeply to be written");
    else if (v->kind == VALUE_UNKNOWN)
        edit_fail(p->edit, "a value that is not known has no literal");
    else if (value_is_list_like(v))
        print_elements(p, v, level, one_line);
    else if (value_is_object_like(v))
        print_members(p, v, level, one_line);
    else if (v->kind == VALUE_STRING)
        print_string(p, value_text(v));
    else if (v->kind == VALUE_NUMBER)
        print_number(p, v);
    else if (v->kind == VALUE_BOOL)
        buf_str(p->out, v->truth ? STR("true") : STR("false"));
    else
        buf_str(p->out, STR("null"));
}

void edit_print_value(struct hcl_edit *edit, struct buf *out, const struct value *v,
                      const struct edit_layout *layout)
{
    struct printer p = {edit, out, layout};
    print(&p, v, 0, layout->one_line);
}

struct str edit_literal(struct hcl_edit *edit, const struct value *v,
                        const struct edit_layout *layout)
{
    struct buf text = {.limit = HCL_TEXT_MAX};
    edit_print_value(edit, &text, v, layout);
    return edit_text(edit, &text);
}

void edit_print_item(struct hcl_edit *edit, struct buf *out, const struct hcl_new_item *item,
                     bool quoted, struct str between, const struct edit_layout *layout)
{
    struct printer p = {edit, out, layout};
    buf_str(out, key_text(&p, item->key, quoted));
    buf_str(out, between);
    if (item->value)
        edit_print_value(edit, out, item->value, layout);
    else
        buf_str(out, item->text);
}

/* --- heredocs --- */

struct heredoc {
    bool flush;                 /* <<- */
    struct str marker, newline; /* newline: of the line that opens it */
    struct str indent, last;    /* blanks in front of the text's lines, and of the marker */
};

/* What the old one looks like. Blank lines say nothing about the indent. */
static struct heredoc heredoc_of(struct str text, struct str line_indent)
{
    struct heredoc ret = {.flush = str_starts(text, STR("<<-")), .newline = STR("\n")};
    struct str line, rest = text;
    bool any = false;
    (void)str_cut(&rest, '\n', &line);
    if (line.len && line.ptr[line.len - 1] == '\r')
        ret.newline = STR("\r\n");
    ret.marker = str_trim(str_sub(line, ret.flush ? 3 : 2, line.len));
    while (str_cut(&rest, '\n', &line)) {
        if (str_trim(line).len == 0)
            continue;
        struct str indent = edit_indent(line, 0);
        if (!any || indent.len < ret.indent.len)
            ret.indent = indent;
        any = true;
    }
    ret.last = edit_indent(line, 0);
    if (!any)
        ret.indent = ret.flush ? line_indent : (struct str){0};
    return ret;
}

static bool has_line(struct str text, struct str marker)
{
    struct str line;
    bool more = true;
    while (more) {
        more = str_cut(&text, '\n', &line);
        if (str_equal(str_trim(line), marker))
            return true;
    }
    return false;
}

static struct str free_marker(struct arena *arena, struct str text, struct str marker)
{
    struct str tried = marker;
    for (unsigned i = 1; tried.ptr && has_line(text, tried); i++)
        tried = arena_printf(arena, "%.*s%u", STR_ARG(marker), i);
    return tried;
}

static struct str heredoc_text(struct hcl_edit *edit, const struct heredoc *like, struct str text)
{
    struct buf out = {.limit = HCL_TEXT_MAX};
    struct str marker = free_marker(edit->arena, text, like->marker), line, rest = text;
    buf_str(&out, like->flush ? STR("<<-") : STR("<<"));
    buf_str(&out, marker);
    buf_str(&out, like->newline);
    while (str_cut(&rest, '\n', &line)) {
        if (like->flush && line.len && !str_equal(line, STR("\r")))
            buf_str(&out, like->indent);
        for (size_t i = 0; i < line.len; i++) {
            char c = line.ptr[i];
            if ((c == '$' || c == '%') && i + 1 < line.len && line.ptr[i + 1] == '{')
                buf_char(&out, c);
            buf_char(&out, c);
        }
        buf_char(&out, '\n');
    }
    buf_str(&out, like->last);
    buf_str(&out, marker);
    return edit_text(edit, &out);
}

/* Is that what the language reads there? */
static bool reads_as(struct hcl_edit *edit, struct str heredoc, struct str want)
{
    struct hcl_diags diags = {.arena = edit->arena};
    const struct hcl_expr *expr;
    struct str nfc = utf8_nfc(edit->arena, want);
    struct str line = arena_printf(edit->arena, "%.*s\n", STR_ARG(heredoc));
    return heredoc.ptr && line.ptr && nfc.ptr &&
           hcl_parse_expression(edit->arena, line, edit->file->name, &diags, &expr, NULL) &&
           !hcl_has_errors(&diags) && expr->kind == HCL_EXPR_STRING &&
           str_equal(value_text(&expr->value), nfc);
}

/* As a heredoc in the form of the old one; text whose every line is indented cannot be one that is
 * flushed. False if it must be a quoted string. */
static bool keep_heredoc(struct hcl_edit *edit, const struct hcl_expr *old, struct str text,
                         struct str *ret)
{
    struct str was = str_sub(edit->file->text, old->range.start, old->range.end);
    struct str indent = edit_indent(edit->file->text, old->range.start);
    struct str deeper = arena_printf(edit->arena, "%.*s  ", STR_ARG(indent));
    struct heredoc like = heredoc_of(was, deeper);
    if (text.len == 0 || text.ptr[text.len - 1] != '\n')
        return false;
    *ret = heredoc_text(edit, &like, text);
    if (reads_as(edit, *ret, text))
        return true;
    like.flush = false;
    *ret = heredoc_text(edit, &like, text);
    return reads_as(edit, *ret, text);
}

/* --- in the place of an expression --- */

static int nesting(enum hcl_token_kind kind)
{
    return (kind == HCL_OBRACE || kind == HCL_OBRACK) - (kind == HCL_CBRACE || kind == HCL_CBRACK);
}

bool edit_in_one_line(const struct hcl_file *file, struct hcl_range range)
{
    size_t at = edit_token_at(file, range.start);
    uint32_t line_start = edit_line_start(file->text, range.start), line;
    int open = 0;
    while (at > 0 && file->token[at - 1].range.start >= line_start && open <= 0)
        open += nesting(file->token[--at].kind);
    at = edit_token_at(file, range.end);
    if (open <= 0 || at >= file->ntokens)
        return false;
    for (line = file->token[at].line; open > 0 && at < file->ntokens; at++) {
        if (file->token[at].line != line || file->token[at].kind == HCL_EOF)
            return false;
        open += nesting(file->token[at].kind);
    }
    return true;
}

void hcl_edit_expr(struct hcl_edit *edit, const struct hcl_expr *expr, const struct value *v)
{
    const struct hcl_file *file = edit->file;
    struct str text;
    while (expr->kind == HCL_EXPR_PAREN)
        expr = expr->operand;
    if (!(v->kind == VALUE_STRING && expr->heredoc &&
          keep_heredoc(edit, expr, value_text(v), &text))) {
        struct edit_layout layout = {.base = edit_indent(file->text, expr->range.start),
                                     .newline = edit_newline(file),
                                     .json = file->json,
                                     .one_line = edit_in_one_line(file, expr->range)};
        layout.unit = edit_indent_unit(layout.base, layout.base);
        text = edit_literal(edit, v, &layout);
    }
    if (!str_equal(text, str_sub(file->text, expr->range.start, expr->range.end)))
        edit_splice(edit, expr->range.start, expr->range.end, text);
}

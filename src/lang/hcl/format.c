/* format.c - the rewrites of the formatter, and its entry points; layout.c has the white space. */
#include "lang/hcl/format.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"
#include "lang/hcl/encode.h"
#include "lang/hcl/layout.h"

enum { BOM_LEN = 3, SPARE = 8 };

/* Pieces are collected in order of the text: tokens as they are up to a place that is rewritten. */
struct collector {
    struct arena *arena;
    const struct hcl_file *file;
    size_t at; /* the next token */
    struct hcl_piece *ptr;
    size_t n, room;
    bool full;
};

static struct str token_text(const struct hcl_file *file, const struct hcl_token *token)
{
    return str_sub(file->text, token->range.start, token->range.end);
}

static struct collector collector_open(struct arena *arena, const struct hcl_file *file)
{
    struct collector c = {.arena = arena, .file = file};
    c.ptr = arena_grow(arena, c.ptr, 0, &c.room, file->ntokens + SPARE);
    c.full = !c.ptr;
    return c;
}

static void add(struct collector *c, struct hcl_piece piece)
{
    if (c->n == c->room) {
        struct hcl_piece *grown = arena_grow(c->arena, c->ptr, c->n, &c->room, c->n + 1);
        if (!grown) {
            c->full = true;
            return;
        }
        c->ptr = grown;
    }
    c->ptr[c->n++] = piece;
}

static void add_new(struct collector *c, enum hcl_token_kind kind, struct str text)
{
    add(c, (struct hcl_piece){.kind = kind, .text = text});
}

static void copy_token(struct collector *c)
{
    const struct hcl_token *token = &c->file->token[c->at];
    uint32_t before = c->at ? token[-1].range.end : 0;
    add(c, (struct hcl_piece){.kind = token->kind,
                              .spaces = token->range.start - before,
                              .text = token_text(c->file, token),
                              .line = token->line});
    c->at++;
}

/* Tokens that start before `byte`. */
static void copy_until(struct collector *c, uint32_t byte)
{
    while (c->at < c->file->ntokens && c->file->token[c->at].range.start < byte)
        copy_token(c);
}

/* The first token from `at` on that starts at or behind `byte`. */
static size_t token_behind(const struct collector *c, uint32_t byte)
{
    size_t at = c->at;
    while (at < c->file->ntokens && c->file->token[at].range.start < byte)
        at++;
    return at;
}

/* --- "${x}" becomes x --- */

/* Nothing but one sequence between the quotes: no text and no other sequence at their level. */
static bool is_one_sequence(const struct hcl_token *inside, size_t n)
{
    int quotes = 0;
    for (size_t i = 0; i < n; i++) {
        enum hcl_token_kind kind = inside[i].kind;
        quotes += (kind == HCL_OQUOTE) - (kind == HCL_CQUOTE);
        bool of_template = kind == HCL_INTERP || kind == HCL_SEQ_END || kind == HCL_QUOTED_TEXT;
        if (quotes <= 0 && of_template)
            return false;
    }
    return true;
}

static int depth_change(enum hcl_token_kind kind)
{
    bool opens = kind == HCL_OBRACE || kind == HCL_OBRACK || kind == HCL_OPAREN ||
                 kind == HCL_INTERP || kind == HCL_CONTROL;
    bool closes =
        kind == HCL_CBRACE || kind == HCL_CBRACK || kind == HCL_CPAREN || kind == HCL_SEQ_END;
    return opens - closes;
}

/* Outside of brackets a line that ends in the middle would end the value. Terraform sees only
 * newlines, and so breaks a value with a comment there; brackets around it do no harm. */
static bool needs_brackets(const struct hcl_file *file, const struct hcl_token *token, size_t n)
{
    int depth = 0;
    for (size_t i = 0; i < n; i++) {
        bool comment = token[i].kind == HCL_COMMENT && depth == 0 && i + 1 < n;
        if (token[i].kind == HCL_NEWLINE ||
            (comment && str_ends(token_text(file, &token[i]), STR("\n"))))
            return true;
        depth += depth_change(token[i].kind);
    }
    return false;
}

/* The tokens from c->at to `end` are a value. Parentheses keep one of several lines together. */
static void copy_value(struct collector *c, size_t end)
{
    const struct hcl_token *all = c->file->token;
    size_t from = c->at + 2, to = end - 2;
    bool quoted = end - c->at >= 5 && all[c->at].kind == HCL_OQUOTE &&
                  all[c->at + 1].kind == HCL_INTERP && all[to].kind == HCL_SEQ_END &&
                  all[to + 1].kind == HCL_CQUOTE;
    if (quoted && is_one_sequence(&all[from], to - from)) {
        while (from < to && all[from].kind == HCL_NEWLINE)
            from++;
        while (to > from && all[to - 1].kind == HCL_NEWLINE)
            to--;
        bool parens =
            to - from > 1 && all[from].kind == HCL_OPAREN && all[to - 1].kind == HCL_CPAREN;
        bool wrap = !parens && needs_brackets(c->file, &all[from], to - from);
        c->at = from;
        if (wrap)
            add_new(c, HCL_OPAREN, STR("("));
        while (c->at < to)
            copy_token(c);
        if (wrap)
            add_new(c, HCL_CPAREN, STR(")"));
        c->at = end;
    }
    while (c->at < end)
        copy_token(c);
}

/* --- old spellings of types --- */

static const struct {
    struct str quoted, word, element; /* what is found, what is written; element: in parentheses */
} old_types[] = {
    {.quoted = STR_INIT("string"), .word = STR_INIT("string")},
    {.quoted = STR_INIT("list"), .word = STR_INIT("list"), .element = STR_INIT("string")},
    {.quoted = STR_INIT("map"), .word = STR_INIT("map"), .element = STR_INIT("string")},
};
static const struct str bare_types[] = {STR_INIT("list"), STR_INIT("map"), STR_INIT("set")};

static void add_type(struct collector *c, struct str word, struct str element)
{
    add_new(c, HCL_IDENT, word);
    if (!element.len)
        return;
    add_new(c, HCL_OPAREN, STR("("));
    add_new(c, HCL_IDENT, element);
    add_new(c, HCL_CPAREN, STR(")"));
}

/* The `type` of a variable: quoted words of 0.11, and collections without an element type. */
static void copy_type(struct collector *c, size_t end)
{
    const struct hcl_token *token = &c->file->token[c->at];
    size_t n = end - c->at;
    bool quoted = n == 3 && token[0].kind == HCL_OQUOTE && token[1].kind == HCL_QUOTED_TEXT;
    bool bare = n == 1 && token[0].kind == HCL_IDENT;
    struct str text = quoted || bare ? token_text(c->file, &token[n / 2]) : (struct str){0};
    for (size_t i = 0; quoted && i < sizeof old_types / sizeof *old_types; i++)
        if (str_equal(text, old_types[i].quoted)) {
            add_type(c, old_types[i].word, old_types[i].element);
            c->at = end;
        }
    for (size_t i = 0; bare && i < sizeof bare_types / sizeof *bare_types; i++)
        if (str_equal(text, bare_types[i])) {
            add_type(c, text, STR("any"));
            c->at = end;
        }
    while (c->at < end)
        copy_token(c);
}

/* --- labels --- */

static void add_label(struct collector *c, struct str text)
{
    struct str nfc = utf8_nfc(c->arena, text);
    AUTO_BUF buf = {.limit = BUF_DEFAULT_LIMIT};
    hcl_quote(&buf, nfc);
    struct str quoted = arena_dup(c->arena, buf_view(&buf));
    if (!nfc.ptr || !quoted.ptr || !buf_ok(&buf, NULL)) {
        c->full = true;
        return;
    }
    add_new(c, HCL_OQUOTE, STR("\""));
    if (quoted.len > 2)
        add_new(c, HCL_QUOTED_TEXT, str_sub(quoted, 1, quoted.len - 1));
    add_new(c, HCL_CQUOTE, STR("\""));
}

/* A label in quotes that would come out as it is. */
static bool is_plain(const struct hcl_label *label)
{
    if (!label->quoted || label->range.end - label->range.start != label->text.len + 2)
        return false;
    for (size_t i = 0; i < label->text.len; i++) {
        char c = label->text.ptr[i];
        if (c < ' ' || c > '~' || c == '"' || c == '\\' || c == '$' || c == '%')
            return false;
    }
    return true;
}

/* Quotes around each; comments that stood between them go. */
static void copy_labels(struct collector *c, const struct hcl_block *block)
{
    for (size_t i = 0; i < block->nlabels; i++) {
        const struct hcl_label *label = &block->label[i];
        c->at = token_behind(c, label->range.start);
        if (is_plain(label))
            copy_until(c, label->range.end);
        else
            add_label(c, label->text);
        c->at = token_behind(c, label->range.end);
    }
}

/* --- bodies --- */

static void copy_body(struct collector *c, const struct hcl_body *body, unsigned depth_left,
                      bool in_variable);

static void copy_block(struct collector *c, const struct hcl_block *block, unsigned depth_left,
                       bool at_top)
{
    copy_until(c, block->type_range.end);
    copy_labels(c, block);
    if (depth_left)
        copy_body(c, &block->body, depth_left - 1,
                  at_top && str_equal(block->type, STR("variable")));
}

static void copy_attribute(struct collector *c, const struct hcl_attribute *attribute, bool is_type)
{
    copy_until(c, attribute->value->range.start);
    size_t end = token_behind(c, attribute->value->range.end);
    if (is_type)
        copy_type(c, end);
    else
        copy_value(c, end);
}

/* Attributes and blocks in the order of the text; at the top depth_left is HCL_DEPTH_MAX. */
static void copy_body(struct collector *c, const struct hcl_body *body, unsigned depth_left,
                      bool in_variable)
{
    size_t a = 0, b = 0;
    while ((a < body->nattributes || b < body->nblocks) && !c->full) {
        const struct hcl_attribute *attribute = a < body->nattributes ? &body->attribute[a] : NULL;
        const struct hcl_block *block = b < body->nblocks ? &body->block[b] : NULL;
        if (attribute && (!block || attribute->range.start < block->range.start)) {
            copy_attribute(c, attribute, in_variable && str_equal(attribute->name, STR("type")));
            a++;
        } else {
            copy_block(c, block, depth_left, depth_left == HCL_DEPTH_MAX);
            b++;
        }
    }
}

/* --- text --- */

/* Pieces from..to as text; false when the arena is full. */
static bool write_pieces(struct arena *arena, const struct hcl_piece *piece, size_t from, size_t to,
                         struct str *ret)
{
    size_t len = 0;
    for (size_t i = from; i < to; i++)
        len += piece[i].spaces + piece[i].text.len;
    char *out = arena_alloc_raw(arena, len + 1, 1, 1);
    if (!out)
        return false;
    char *at = out;
    for (size_t i = from; i < to; i++) {
        memset(at, ' ', piece[i].spaces);
        at += piece[i].spaces;
        if (piece[i].text.len)
            memcpy(at, piece[i].text.ptr, piece[i].text.len);
        at += piece[i].text.len;
    }
    *ret = (struct str){out, len};
    return true;
}

bool hcl_format_file(struct arena *arena, const struct hcl_file *file, struct str *ret,
                     struct err *err)
{
    struct collector c = collector_open(arena, file);
    struct hcl_line *line;
    size_t nlines;
    struct str text;
    copy_body(&c, &file->body, HCL_DEPTH_MAX, false);
    while (c.at < file->ntokens)
        copy_token(&c);
    if (c.full || !hcl_lay_out(arena, c.ptr, c.n, &line, &nlines) ||
        !write_pieces(arena, c.ptr, 0, c.n, &text))
        return arena_full(arena, err);
    *ret = str_equal(text, file->text) ? file->text : text;
    return true;
}

bool hcl_format_text(struct arena *arena, struct str text, struct str name, struct hcl_diags *diags,
                     struct str *ret, struct err *err)
{
    struct hcl_file file;
    if (!hcl_parse_file(arena, text, name, diags, &file, err))
        return false;
    if (hcl_has_errors(diags))
        return hcl_diags_to_err(diags, err);
    return hcl_format_file(arena, &file, ret, err);
}

/* --- some lines only --- */

struct region {
    struct str before, laid_out, original, after;
};

static bool aligned_with_next(const struct hcl_line *line)
{
    return (line[0].assign < line[0].comment && line[1].assign < line[1].comment) ||
           (line[0].comment < line[0].end && line[1].comment < line[1].end);
}

/* The line of the source behind the layout's line i: a heredoc is one line of the layout. */
static uint32_t line_behind(const struct hcl_piece *piece, const struct hcl_line *line,
                            size_t nlines, size_t i)
{
    if (i + 1 < nlines)
        return piece[line[i + 1].lead].line;
    const struct hcl_piece *last = &piece[line[i].end - 1], *eof = last + 1;
    bool ended = last->text.len && last->text.ptr[last->text.len - 1] == '\n';
    return eof->line + !ended;
}

/* The lines that touch the range, and on both sides those in a run of columns with them. */
static void find_lines(const struct hcl_piece *piece, const struct hcl_line *line, size_t nlines,
                       struct hcl_line_range range, size_t *ret_from, size_t *ret_to)
{
    size_t from = 0, to;
    while (from < nlines && line_behind(piece, line, nlines, from) <= range.first)
        from++;
    for (to = from; to < nlines && piece[line[to].lead].line <= range.last; to++) {}
    *ret_from = from;
    *ret_to = to;
    if (from == to)
        return;
    while (from > 0 && aligned_with_next(&line[from - 1]))
        from--;
    while (to < nlines && aligned_with_next(&line[to - 1]))
        to++;
    *ret_from = from;
    *ret_to = to;
}

static bool lay_out_region(struct arena *arena, const struct hcl_file *file,
                           struct hcl_line_range range, struct region *ret, struct err *err)
{
    struct collector c = collector_open(arena, file);
    struct hcl_line *line;
    size_t nlines, from, to;
    while (c.at < file->ntokens)
        copy_token(&c);
    if (c.full || !hcl_lay_out(arena, c.ptr, c.n, &line, &nlines))
        return arena_full(arena, err);
    find_lines(c.ptr, line, nlines, range, &from, &to);
    if (from >= to) {
        *ret = (struct region){.before = file->text};
        return true;
    }
    size_t first = line[from].lead, end = line[to - 1].end;
    size_t start_byte = first ? file->token[first - 1].range.end : 0;
    size_t end_byte = file->token[end - 1].range.end;
    if (!first && str_starts(file->text, STR("\xef\xbb\xbf")))
        start_byte = BOM_LEN;
    ret->before = str_sub(file->text, 0, start_byte);
    ret->original = str_sub(file->text, start_byte, end_byte);
    ret->after = str_sub(file->text, end_byte, file->text.len);
    return write_pieces(arena, c.ptr, first, end, &ret->laid_out) || arena_full(arena, err);
}

bool hcl_format_lines(struct arena *arena, const struct hcl_file *file, struct hcl_line_range lines,
                      struct str *ret, struct err *err)
{
    struct region region;
    if (!lay_out_region(arena, file, lines, &region, err))
        return false;
    const struct str part[] = {region.before, region.laid_out, region.after};
    size_t len = region.before.len + region.laid_out.len + region.after.len;
    char *text = arena_alloc_raw(arena, len + 1, 1, 1), *at = text;
    if (!text)
        return arena_full(arena, err);
    for (size_t i = 0; i < sizeof part / sizeof *part; at += part[i++].len)
        if (part[i].len)
            memcpy(at, part[i].ptr, part[i].len);
    *ret = (struct str){text, len};
    return true;
}

bool hcl_lines_formatted(struct arena *arena, const struct hcl_file *file,
                         struct hcl_line_range lines, bool *ret, struct err *err)
{
    struct region region;
    if (!lay_out_region(arena, file, lines, &region, err))
        return false;
    *ret = str_equal(region.original, region.laid_out);
    return true;
}

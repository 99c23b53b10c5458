/* parse_template.c - quoted strings, heredocs and bare templates: flat parts first, then a tree.
 *
 * Order (facts/hcl.md section 3): strip markers trim the neighbouring text, heredoc lines are
 * dedented, neighbouring texts are joined, then the directives are nested.
 */
#include <string.h>
#include <unictype.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "lang/hcl/parser.h"

enum part_kind { PART_TEXT, PART_INTERP, PART_IF, PART_ELSE, PART_ENDIF, PART_FOR, PART_ENDFOR };

struct part {
    enum part_kind kind;
    bool trim_before, trim_after; /* ~ at its opener, at its closer */
    struct hcl_range range;
    struct str text;             /* PART_TEXT, decoded */
    const struct hcl_expr *expr; /* PART_INTERP, PART_IF condition, PART_FOR source */
    struct str key_name, value_name;
};
struct part_list {
    struct part *ptr;
    size_t n, room;
};

/* --- text --- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* \uXXXX or \UXXXXXXXX: bytes of out, or 0 where the digits are not there. */
static size_t decode_unicode(struct str s, size_t at, size_t digits, char out[4])
{
    uint32_t c = 0;
    for (size_t i = 0; i < digits; i++) {
        int digit = at + i < s.len ? hex_digit(s.ptr[at + i]) : -1;
        if (digit < 0)
            return 0;
        c = c << 4 | (uint32_t)digit;
    }
    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    return utf8_put(c, out);
}

static void bad_escape(struct parser *p, struct hcl_range subject, const char *detail)
{
    p->errors++;
    p->faults++;
    hcl_diag_add(p->diags, p->name, p->text, false, subject, STR("Invalid escape sequence"), "%s",
                 detail);
}

/* One backslash escape at s[at]; appends to out, gives the bytes read. */
static size_t decode_escape(struct parser *p, struct str s, size_t at, uint32_t base, char *out,
                            size_t *len)
{
    static const char from[] = "nrt\"\\", to[] = "\n\r\t\"\\";
    char c = at + 1 < s.len ? s.ptr[at + 1] : '\0';
    const char *simple = c ? strchr(from, c) : NULL;
    size_t digits = c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (simple) {
        out[(*len)++] = to[simple - from];
        return 2;
    }
    if (digits) {
        char utf8[4];
        size_t n = decode_unicode(s, at + 2, digits, utf8);
        memcpy(out + *len, utf8, n);
        *len += n;
        if (n == 0)
            bad_escape(p, (struct hcl_range){base + (uint32_t)at, base + (uint32_t)at + 2},
                       digits == 4
                           ? "The \\u escape sequence must be followed by four hexadecimal digits."
                           : "The \\U escape sequence must be followed by eight hexadecimal digits "
                             "of a Unicode character.");
        return n ? 2 + digits : 2;
    }
    bad_escape(
        p, (struct hcl_range){base + (uint32_t)at, base + (uint32_t)at + 2},
        "This symbol is not a valid escape sequence selector: use \\n, \\r, \\t, \\\", \\\\, "
        "\\uNNNN or \\UNNNNNNNN.");
    return at + 1 < s.len ? 2 : 1;
}

/* Escapes undone: backslashes where quoted, `$${` and `%%{` everywhere. Not normalised yet. */
static struct str decode_text(struct parser *p, struct hcl_token token)
{
    struct str s = hcl_token_text(p, token);
    bool quoted = token.kind == HCL_QUOTED_TEXT;
    if (str_find_char(s, '\\', 0) == SIZE_MAX && str_find_char(s, '{', 0) == SIZE_MAX)
        return s;
    char *out = arena_alloc_raw(p->arena, s.len + 4, 1, 1);
    if (!out) {
        p->full = true;
        return s;
    }
    size_t len = 0;
    for (size_t i = 0; i < s.len;) {
        if (quoted && s.ptr[i] == '\\') {
            i += decode_escape(p, s, i, token.range.start, out, &len);
            continue;
        }
        bool pair = i + 2 < s.len && (s.ptr[i] == '$' || s.ptr[i] == '%') &&
                    s.ptr[i + 1] == s.ptr[i] && s.ptr[i + 2] == '{';
        out[len++] = s.ptr[i];
        i += pair ? 2 : 1;
    }
    return (struct str){out, len};
}

static size_t leading_space(struct str s)
{
    size_t at = 0;
    while (at < s.len) {
        size_t next = at;
        if (!uc_is_property_white_space(utf8_next(s, &next)))
            break;
        at = next;
    }
    return at;
}

static size_t trailing_space_start(struct str s)
{
    size_t end = 0;
    for (size_t at = 0; at < s.len;)
        if (!uc_is_property_white_space(utf8_next(s, &at)))
            end = at;
    return end;
}

static void trim_parts(struct part_list *parts)
{
    for (size_t i = 0; i < parts->n; i++) {
        struct part *part = &parts->ptr[i];
        if (part->kind == PART_TEXT)
            continue;
        if (part->trim_before && i > 0 && part[-1].kind == PART_TEXT)
            part[-1].text.len = trailing_space_start(part[-1].text);
        if (part->trim_after && i + 1 < parts->n && part[1].kind == PART_TEXT)
            part[1].text = str_sub(part[1].text, leading_space(part[1].text), part[1].text.len);
    }
}

static size_t characters(struct str s)
{
    size_t count = 0;
    for (size_t at = 0; at < s.len; count++)
        (void)utf8_next(s, &at);
    return count;
}

static struct str drop_characters(struct str s, size_t count)
{
    size_t at = 0;
    while (count-- && at < s.len)
        (void)utf8_next(s, &at);
    return str_sub(s, at, s.len);
}

/* `<<-`: the least indentation of all lines off every line (facts/hcl.md "Heredocs"). */
static void dedent_parts(struct parser *p, struct part_list *parts)
{
    size_t least = SIZE_MAX;
    bool newline = true;
    bool *adjust = arena_new(p->arena, bool, parts->n);
    if (!adjust) {
        p->full = true;
        return;
    }
    for (size_t i = 0; i < parts->n; i++) {
        const struct part *part = &parts->ptr[i];
        bool text = part->kind == PART_TEXT;
        if (newline) {
            size_t space = text ? leading_space(part->text) : 0;
            bool blank = text && space == part->text.len && str_ends(part->text, STR("\n"));
            size_t width = characters(str_sub(part->text, 0, space));
            adjust[i] = text && !blank;
            if (!blank && width < least)
                least = width;
        }
        newline = text ? str_ends(part->text, STR("\n")) : newline && false;
    }
    for (size_t i = 0; i < parts->n; i++)
        if (adjust[i] && least != SIZE_MAX)
            parts->ptr[i].text = drop_characters(parts->ptr[i].text, least);
}

/* --- parts --- */

/* What stands where the brace of an interpolation should be: the words for it, and whether they are
 * about the template as a whole (then the place is its beginning, as in Terraform). */
struct unclosed {
    enum hcl_token_kind at;
    bool quoted; /* only in a quoted template */
    bool whole;
    const char *summary, *detail;
};
static const char unclosed_summary[] = "Unclosed template interpolation sequence";
static const char unclosed_quoted[] =
    "There is no closing brace for this interpolation sequence before the end of the quoted "
    "template. This might be caused by incorrect nesting inside the given expression.";
static const struct unclosed unclosed[] = {
    {HCL_EOF, false, true, unclosed_summary,
     "There is no closing brace for this interpolation sequence before the end of the file. This "
     "might be caused by incorrect nesting inside the given expression."},
    {HCL_CQUOTE, true, true, unclosed_summary, unclosed_quoted},
    {HCL_OQUOTE, true, true, unclosed_summary, unclosed_quoted},
    {HCL_COLON, false, false, "Extra characters after interpolation expression",
     "Template interpolation doesn't expect a colon at this location. Did you intend this to be a "
     "literal sequence to be processed as part of another language? If so, you can escape it by "
     "starting with \"$${\" instead of just \"${\"."},
};
static const struct unclosed unclosed_otherwise = {
    HCL_TOKEN_KIND_COUNT, false, false, "Extra characters after interpolation expression",
    "Expected a closing brace to end the interpolation expression, but found extra characters.\n\n"
    "This can happen when you include interpolation syntax for another language, such as shell "
    "scripting, but forget to escape the interpolation start token. If this is an embedded "
    "sequence for another language, escape it by starting with \"$${\" instead of just \"${\"."};

/* A template while its parts are read. */
struct reading {
    struct parser *p;
    enum hcl_token_kind end;
    struct hcl_range first; /* the token behind the opener: HCL points at it */
    struct part_list *parts;
};

/* The closing brace, or an error that skips to it. */
static void end_sequence(struct parser *p, struct part *part)
{
    struct hcl_token end = hcl_next(p);
    part->trim_after = p->text.ptr[end.range.start] == '~';
    part->range = hcl_span(part->range, end.range);
}

static void parse_interpolation(struct reading *r, struct part *part)
{
    struct parser *p = r->p;
    part->kind = PART_INTERP;
    part->expr = hcl_parse_expr(p);
    struct hcl_token end = hcl_peek(p);
    if (end.kind == HCL_SEQ_END) {
        end_sequence(p, part);
        return;
    }
    const struct unclosed *row = &unclosed_otherwise;
    for (size_t i = sizeof unclosed / sizeof *unclosed; i-- > 0;)
        if (unclosed[i].at == end.kind && (!unclosed[i].quoted || r->end == HCL_CQUOTE))
            row = &unclosed[i];
    hcl_follow_up_error(p, row->whole ? r->first : end.range, row->summary, row->detail);
    (void)hcl_skip_to(p, HCL_SEQ_END);
}

static bool for_directive_problem(struct parser *p, struct hcl_token found, const char *detail)
{
    hcl_follow_up_error(p, found.range, "Invalid 'for' directive", detail);
    return false;
}

static bool parse_for_directive(struct parser *p, struct part *part)
{
    struct hcl_token name = hcl_peek(p);
    if (name.kind != HCL_IDENT)
        return for_directive_problem(p, name, "For directive requires variable name after 'for'.");
    (void)hcl_next(p);
    part->value_name = hcl_token_text(p, name);
    if (hcl_peek(p).kind == HCL_COMMA) {
        (void)hcl_next(p);
        struct hcl_token second = hcl_peek(p);
        if (second.kind != HCL_IDENT)
            return for_directive_problem(p, second,
                                         "For directive requires value variable name after comma.");
        (void)hcl_next(p);
        part->key_name = part->value_name;
        part->value_name = hcl_token_text(p, second);
    }
    struct hcl_token in = hcl_peek(p);
    if (!hcl_token_is_word(p, in, "in"))
        return for_directive_problem(p, in, "For directive requires 'in' keyword after names.");
    (void)hcl_next(p);
    part->expr = hcl_parse_expr(p);
    return true;
}

static const struct {
    const char *word, *extra, *unexpected;
    enum part_kind kind;
} directives[] = {
    {"if", "Extra characters in if marker", NULL, PART_IF},
    {"else", "Extra characters in else marker", "Unexpected else directive", PART_ELSE},
    {"endif", "Extra characters in endif marker", "Unexpected endif directive", PART_ENDIF},
    {"for", "Extra characters in for marker", NULL, PART_FOR},
    {"endfor", "Extra characters in endfor marker", "Unexpected endfor directive", PART_ENDFOR},
};
enum { DIRECTIVES = sizeof directives / sizeof *directives };

static void unexpected_directive(struct parser *p, const struct part *part)
{
    for (size_t i = 0; i < DIRECTIVES; i++)
        if (directives[i].kind == part->kind)
            hcl_syntax_error(p, part->range, directives[i].unexpected,
                             "The control directives within this template are unbalanced.");
}

/* The word of a directive and what follows it; the index in the table, or DIRECTIVES (reported). */
static size_t parse_directive_word(struct parser *p, struct part *part)
{
    struct hcl_token word = hcl_peek(p);
    size_t i = 0;
    if (word.kind != HCL_IDENT) {
        hcl_follow_up_error(
            p, word.range, "Invalid template directive",
            "A template directive keyword (\"if\", \"for\", etc) is expected at the "
            "beginning of a %{ sequence.");
        return DIRECTIVES;
    }
    (void)hcl_next(p);
    while (i < DIRECTIVES && !hcl_token_is_word(p, word, directives[i].word))
        i++;
    if (i == DIRECTIVES) {
        hcl_follow_up_error(p, word.range, "Invalid template control keyword",
                            "This is not a valid template control keyword: use if, else, endif, "
                            "for or endfor.");
        return DIRECTIVES;
    }
    part->kind = directives[i].kind;
    if (part->kind == PART_IF)
        part->expr = hcl_parse_expr(p);
    return part->kind == PART_FOR && !parse_for_directive(p, part) ? DIRECTIVES : i;
}

/* After `%{`. False where there is no directive to make something of. */
static bool parse_directive(struct parser *p, struct part *part)
{
    size_t i = parse_directive_word(p, part);
    struct hcl_token end = hcl_peek(p);
    if (i < DIRECTIVES && end.kind == HCL_SEQ_END) {
        end_sequence(p, part);
        return true;
    }
    if (i < DIRECTIVES)
        hcl_follow_up_error(p, end.range, directives[i].extra,
                            "Expected a closing brace to end the sequence, but found extra "
                            "characters.");
    (void)hcl_skip_to(p, HCL_SEQ_END);
    return i < DIRECTIVES;
}

static void parse_sequence(struct reading *r, struct hcl_token open)
{
    struct parser *p = r->p;
    struct part part = {.range = open.range};
    bool outer = p->skip_newlines, is_part = true;
    part.trim_before = p->text.ptr[open.range.end - 1] == '~';
    p->skip_newlines = true;
    if (open.kind == HCL_INTERP)
        parse_interpolation(r, &part);
    else
        is_part = parse_directive(p, &part);
    p->skip_newlines = outer;
    if (is_part)
        HCL_APPEND(p, *r->parts, part);
}

/* Up to and with the closing marker, which is given; HCL_EOF where there is none. */
static struct hcl_token collect_parts(struct reading *r)
{
    struct parser *p = r->p;
    for (;;) {
        struct hcl_token token = hcl_next(p);
        if (token.kind == r->end)
            return token;
        if (token.kind == HCL_INTERP || token.kind == HCL_CONTROL) {
            parse_sequence(r, token);
        } else if (token.kind == HCL_QUOTED_TEXT || token.kind == HCL_RAW_TEXT) {
            struct part part = {
                .kind = PART_TEXT, .range = token.range, .text = decode_text(p, token)};
            HCL_APPEND(p, *r->parts, part);
        } else {
            hcl_follow_up_error(p, token.range, "Unterminated template string",
                                "No closing marker was found for the string.");
            return hcl_skip_to(p, r->end);
        }
    }
}

/* --- the tree --- */

struct builder {
    struct parser *p;
    const struct part_list *parts;
    size_t at;
    struct hcl_range end; /* the closing marker */
};

struct node_list {
    const struct hcl_expr **ptr;
    size_t n, room;
};

/* Neighbouring texts from here as one string node. */
static const struct hcl_expr *text_node(struct builder *b)
{
    struct parser *p = b->p;
    size_t from = b->at, len = 0;
    struct hcl_range range = b->parts->ptr[from].range;
    while (b->at < b->parts->n && b->parts->ptr[b->at].kind == PART_TEXT) {
        len += b->parts->ptr[b->at].text.len;
        range = hcl_span(range, b->parts->ptr[b->at++].range);
    }
    struct str text = b->parts->ptr[from].text;
    if (b->at - from > 1) {
        char *joined = arena_alloc_raw(p->arena, len + 1, 1, 1);
        size_t done = 0;
        for (size_t i = from; joined && i < b->at; i++) {
            struct str piece = b->parts->ptr[i].text;
            if (piece.len)
                memcpy(joined + done, piece.ptr, piece.len);
            done += piece.len;
        }
        text = (struct str){joined, joined ? len : 0};
    }
    struct hcl_expr *node = hcl_node(p, HCL_EXPR_STRING, range);
    struct str nfc = utf8_nfc(p->arena, text);
    if (!node || (!nfc.ptr && text.len)) {
        p->full = true;
        return hcl_error_node(p, range);
    }
    node->value = value_string(nfc);
    return node;
}

static const struct hcl_expr *sequence_node(struct builder *b, struct hcl_range range, bool root);

static struct part current(const struct builder *b)
{
    if (b->at < b->parts->n)
        return b->parts->ptr[b->at];
    return (struct part){.kind = PART_TEXT};
}

static bool at_part(const struct builder *b, enum part_kind kind)
{
    return b->at < b->parts->n && b->parts->ptr[b->at].kind == kind;
}

/* Is the directive that ends this level next? Reported if not; a wrong one is read. */
static bool close_directive(struct builder *b, enum part_kind kind, const char *missing)
{
    if (at_part(b, kind))
        return true;
    if (b->at < b->parts->n)
        unexpected_directive(b->p, &b->parts->ptr[b->at++]);
    else
        hcl_syntax_error(b->p, b->end, "Unexpected end of template", missing);
    return false;
}

static const struct hcl_expr *if_node(struct builder *b)
{
    struct parser *p = b->p;
    struct part open = current(b);
    b->at++;
    struct hcl_expr *node = hcl_node(p, HCL_EXPR_IF, open.range);
    if (!node)
        return hcl_error_node(p, open.range);
    node->cond.condition = open.expr ? open.expr : hcl_error_node(p, open.range);
    node->cond.yes = sequence_node(b, open.range, false);
    if (at_part(b, PART_ELSE)) {
        struct hcl_range range = current(b).range;
        b->at++;
        node->cond.no = sequence_node(b, range, false);
    }
    if (!close_directive(b, PART_ENDIF,
                         "The if directive is missing its corresponding endif "
                         "directive."))
        return node;
    node->range = hcl_span(open.range, current(b).range);
    b->at++;
    return node;
}

static const struct hcl_expr *for_node(struct builder *b)
{
    struct parser *p = b->p;
    struct part open = current(b);
    b->at++;
    struct hcl_expr *node = hcl_node(p, HCL_EXPR_FOR, open.range);
    struct hcl_for *for_ = arena_new(p->arena, struct hcl_for, 1);
    p->full |= !for_;
    if (!node || !for_)
        return hcl_error_node(p, open.range);
    *for_ = (struct hcl_for){.in_template = true,
                             .key_name = open.key_name,
                             .value_name = open.value_name,
                             .source = open.expr ? open.expr : hcl_error_node(p, open.range),
                             .names = open.range};
    for_->value = sequence_node(b, open.range, false);
    node->for_ = for_;
    if (!close_directive(b, PART_ENDFOR,
                         "The for directive is missing its corresponding endfor "
                         "directive."))
        return node;
    node->range = hcl_span(open.range, current(b).range);
    b->at++;
    return node;
}

static const struct hcl_expr *part_node(struct builder *b)
{
    struct part part = current(b);
    switch (part.kind) {
    case PART_TEXT:
        return text_node(b);
    case PART_IF:
        return if_node(b);
    case PART_FOR:
        return for_node(b);
    default:
        b->at++;
        return part.expr ? part.expr : hcl_error_node(b->p, part.range);
    }
}

static bool ends_sequence(enum part_kind kind)
{
    return kind == PART_ELSE || kind == PART_ENDIF || kind == PART_ENDFOR;
}

/* Parts up to a directive that ends this level (not read), or all. */
static const struct hcl_expr *sequence_node(struct builder *b, struct hcl_range range, bool root)
{
    struct parser *p = b->p;
    struct arena_mark mark = arena_mark(&p->scratch);
    struct node_list nodes = {0};
    if (p->depth_left == 0) {
        hcl_syntax_error(p, range, "Template nested too deeply",
                         "Template directives are nested deeper than plumb reads.");
        b->at = b->parts->n;
        return hcl_error_node(p, range);
    }
    p->depth_left--;
    while (b->at < b->parts->n && !p->full) {
        struct part part = current(b);
        if (ends_sequence(part.kind) && !root)
            break;
        if (ends_sequence(part.kind)) {
            unexpected_directive(p, &part);
            b->at++;
            continue;
        }
        const struct hcl_expr *node = part_node(b);
        range = hcl_span(range, node->range);
        HCL_APPEND(p, nodes, node);
    }
    p->depth_left++;
    HCL_KEEP(p, nodes);
    arena_rewind(&p->scratch, mark);
    struct hcl_expr *node = hcl_node(p, HCL_EXPR_TEMPLATE, range);
    if (!node)
        return hcl_error_node(p, range);
    node->parts.part = nodes.ptr;
    node->parts.n = nodes.n;
    return node;
}

/* A template of nothing or of one text is a string; of one interpolation, that value itself. */
static const struct hcl_expr *simplify(struct parser *p, const struct hcl_expr *template_,
                                       const struct part_list *parts, struct hcl_range range,
                                       bool heredoc)
{
    bool one = template_->kind == HCL_EXPR_TEMPLATE && template_->parts.n == 1;
    bool text =
        one && template_->parts.part[0]->kind == HCL_EXPR_STRING && parts->ptr[0].kind == PART_TEXT;
    bool wrap = one && parts->n == 1 && parts->ptr[0].kind == PART_INTERP;
    bool none = template_->kind == HCL_EXPR_TEMPLATE && template_->parts.n == 0;
    struct hcl_expr *node = hcl_node(p, template_->kind, range);
    if (!node)
        return template_;
    *node = *template_;
    node->range = range;
    node->heredoc = heredoc;
    if (text || none) {
        node->kind = HCL_EXPR_STRING;
        node->value = text ? template_->parts.part[0]->value : value_string(STR(""));
    } else if (wrap) {
        node->kind = HCL_EXPR_WRAP;
        node->operand = template_->parts.part[0];
    }
    return node;
}

/* Most strings are one text: "x". Read it and its closing quote; false if something else follows.
 */
static bool plain_text(struct parser *p, struct str *ret, struct hcl_range *ret_range)
{
    const struct hcl_token *token = &p->token[p->at];
    if (p->at + 1 >= p->limit || token[0].kind != HCL_QUOTED_TEXT || token[1].kind != HCL_CQUOTE)
        return false;
    *ret = utf8_nfc(p->arena, decode_text(p, token[0]));
    *ret_range = hcl_span(*ret_range, token[1].range);
    p->full |= !ret->ptr;
    p->at += 2;
    return true;
}

const struct hcl_expr *hcl_parse_template_until(struct parser *p, struct hcl_token opener,
                                                enum hcl_token_kind end, bool flush)
{
    struct part_list parts = {0};
    struct hcl_range range = opener.range;
    struct str text;
    if (end == HCL_CQUOTE && plain_text(p, &text, &range)) {
        struct hcl_expr *node = hcl_node(p, HCL_EXPR_STRING, range);
        if (!node)
            return hcl_error_node(p, range);
        node->value = value_string(text);
        return node;
    }
    struct arena_mark mark = arena_mark(&p->scratch);
    struct reading reading = {.p = p, .end = end, .first = hcl_peek(p).range, .parts = &parts};
    struct hcl_token close = collect_parts(&reading);
    trim_parts(&parts);
    if (flush)
        dedent_parts(p, &parts);
    struct builder builder = {.p = p, .parts = &parts, .end = close.range};
    range = hcl_span(opener.range, close.range);
    const struct hcl_expr *template_ = sequence_node(&builder, range, true);
    const struct hcl_expr *node = simplify(p, template_, &parts, range, end == HCL_CHEREDOC);
    arena_rewind(&p->scratch, mark);
    return node;
}

/* Texts of a label up to its closing quote, one behind the other. */
static void collect_label(struct parser *p, struct buf *out, struct hcl_range *ret_range)
{
    for (;;) {
        struct hcl_token token = hcl_next(p);
        *ret_range = hcl_span(*ret_range, token.range);
        switch (token.kind) {
        case HCL_CQUOTE:
            return;
        case HCL_QUOTED_TEXT:
            buf_str(out, decode_text(p, token));
            break;
        case HCL_INTERP:
        case HCL_CONTROL:
            hcl_syntax_error(p, token.range, "Invalid string literal",
                             "Template sequences are not allowed in this string. To include a "
                             "literal \"$\", double it (as \"$$\") to escape it.");
            (void)hcl_skip_to(p, HCL_SEQ_END);
            break;
        case HCL_EOF:
            hcl_syntax_error(p, token.range, "Unterminated string literal",
                             "Unable to find the closing quote mark before the end of the file.");
            return;
        default:
            hcl_syntax_error(p, token.range, "Invalid string literal",
                             "This item is not valid in a string literal.");
            (void)hcl_skip_to(p, HCL_CQUOTE);
            return;
        }
    }
}

struct str hcl_parse_label_text(struct parser *p, struct hcl_token opener,
                                struct hcl_range *ret_range)
{
    AUTO_BUF out = {.limit = HCL_SIZE_MAX};
    struct str text;
    *ret_range = opener.range;
    if (plain_text(p, &text, ret_range))
        return text;
    collect_label(p, &out, ret_range);
    text = arena_dup(p->arena, buf_view(&out));
    text = text.ptr ? utf8_nfc(p->arena, text) : text;
    p->full |= !text.ptr || out.failed;
    return text;
}

/* parse.c - entry points, the token cursor, recovery after an error. */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"
#include "lang/hcl/lex.h"
#include "lang/hcl/parser.h"

static bool is_skipped(const struct parser *p, const struct hcl_token *token)
{
    if (token->kind == HCL_NEWLINE)
        return p->skip_newlines;
    if (token->kind != HCL_COMMENT)
        return false;
    return p->skip_newlines || p->text.ptr[token->range.end - 1] != '\n';
}

static size_t cursor(const struct parser *p)
{
    size_t at = p->at;
    while (at < p->limit && is_skipped(p, &p->token[at]))
        at++;
    return at;
}

static struct hcl_token token_at(const struct parser *p, size_t at)
{
    struct hcl_token token = p->token[at < p->limit ? at : p->ntokens - 1];
    if (token.kind == HCL_COMMENT)
        token.kind = HCL_NEWLINE;
    return token;
}

struct hcl_token hcl_peek_behind(const struct parser *p)
{
    return token_at(p, cursor(p));
}

struct hcl_token hcl_next(struct parser *p)
{
    p->at = cursor(p);
    struct hcl_token token = token_at(p, p->at);
    p->at += p->at < p->limit;
    return token;
}

struct str hcl_token_text(const struct parser *p, struct hcl_token token)
{
    return str_sub(p->text, token.range.start, token.range.end);
}

bool hcl_token_is_word(const struct parser *p, struct hcl_token token, const char *word)
{
    return token.kind == HCL_IDENT && str_equal(hcl_token_text(p, token), str_from(word));
}

static void report(struct parser *p, struct hcl_range subject, const char *summary,
                   const char *detail)
{
    bool part_ends = p->limit + 1 < p->ntokens && hcl_peek(p).kind == HCL_EOF;
    if (!part_ends)
        hcl_diag_add(p->diags, p->name, p->text, false, subject, str_from(summary), "%s", detail);
    p->recovering = true;
}

void hcl_syntax_error(struct parser *p, struct hcl_range subject, const char *summary,
                      const char *detail)
{
    p->errors++;
    p->faults++;
    report(p, subject, summary, detail);
}

void hcl_follow_up_error(struct parser *p, struct hcl_range subject, const char *summary,
                         const char *detail)
{
    p->errors += !p->lost;
    p->faults++;
    if (!p->lost || !p->recovering)
        report(p, subject, summary, detail);
}

static const struct {
    enum hcl_token_kind open, close;
} brackets[] = {
    {HCL_OBRACE, HCL_CBRACE},   {HCL_OBRACK, HCL_CBRACK},     {HCL_OPAREN, HCL_CPAREN},
    {HCL_OQUOTE, HCL_CQUOTE},   {HCL_OHEREDOC, HCL_CHEREDOC}, {HCL_INTERP, HCL_SEQ_END},
    {HCL_CONTROL, HCL_SEQ_END},
};

/* The kind that closes an opening bracket, or HCL_EOF for what opens nothing. */
static enum hcl_token_kind closer_of(enum hcl_token_kind kind)
{
    for (size_t i = 0; i < sizeof brackets / sizeof *brackets; i++)
        if (brackets[i].open == kind)
            return brackets[i].close;
    return HCL_EOF;
}

static bool closes(enum hcl_token_kind kind)
{
    for (size_t i = 0; i < sizeof brackets / sizeof *brackets; i++)
        if (brackets[i].close == kind)
            return true;
    return false;
}

struct hcl_token hcl_skip_to(struct parser *p, enum hcl_token_kind closer)
{
    size_t depth = 0;
    p->lost = p->recovering = true;
    for (;;) {
        struct hcl_token token = hcl_next(p);
        if (token.kind == HCL_EOF || (token.kind == closer && depth == 0))
            return token;
        if (closer == HCL_EOF)
            continue;
        depth += closer_of(token.kind) == closer;
        depth -= token.kind == closer;
    }
}

void hcl_skip_over(struct parser *p, enum hcl_token_kind opener)
{
    for (;;) {
        enum hcl_token_kind kind = hcl_next(p).kind;
        if (kind == opener || kind == HCL_EOF)
            break;
    }
    (void)hcl_skip_to(p, closer_of(opener));
}

/* Close brackets up to the one that `closer` belongs to. */
static void close_brackets(struct parser *p, enum hcl_token_kind closer)
{
    while (p->open.n && closer_of(p->open.ptr[p->open.n - 1]) != closer)
        p->open.n--;
    if (p->open.n)
        p->open.n--;
}

void hcl_skip_item(struct parser *p)
{
    p->lost = p->recovering = true;
    p->open.n = 0;
    for (;;) {
        struct hcl_token token = hcl_next(p);
        if (token.kind == HCL_EOF || (token.kind == HCL_NEWLINE && p->open.n == 0))
            return;
        if (closer_of(token.kind) != HCL_EOF)
            HCL_APPEND_IN(p->arena, p, p->open, token.kind);
        else if (closes(token.kind))
            close_brackets(p, token.kind);
    }
}

void *hcl_keep(struct arena *arena, const void *list, size_t n, size_t size)
{
    void *kept = n ? arena_alloc_raw(arena, n, size, _Alignof(max_align_t)) : NULL;
    if (kept)
        memcpy(kept, list, n * size);
    return kept;
}

struct hcl_expr *hcl_node(struct parser *p, enum hcl_expr_kind kind, struct hcl_range range)
{
    struct hcl_expr *node = arena_new_raw(p->arena, struct hcl_expr, 1);
    if (!node) {
        p->full = true;
        return NULL;
    }
    *node = (struct hcl_expr){.kind = kind, .range = range};
    return node;
}

const struct hcl_expr *hcl_error_node(struct parser *p, struct hcl_range range)
{
    static const struct hcl_expr nothing = {.kind = HCL_EXPR_ERROR};
    const struct hcl_expr *node = hcl_node(p, HCL_EXPR_ERROR, range);
    return node ? node : &nothing;
}

/* What the scanner refuses. family: those that share a limit; told: how often one is told of. */
enum bad_family { BAD_BITWISE, BAD_BACKTICK, BAD_APOSTROPHE, BAD_SEMICOLON, BAD_ENCODING, BAD_ANY };
struct bad_character {
    const char *text, *summary, *detail;
    enum bad_family family;
};
static const struct bad_character bad_characters[] = {
    {"&", "Unsupported operator",
     "Bitwise operators are not supported. Did you mean boolean AND (\"&&\")?", BAD_BITWISE},
    {"|", "Unsupported operator",
     "Bitwise operators are not supported. Did you mean boolean OR (\"||\")?", BAD_BITWISE},
    {"~", "Unsupported operator",
     "Bitwise operators are not supported. Did you mean boolean NOT (\"!\")?", BAD_BITWISE},
    {"^", "Unsupported operator", "Bitwise operators are not supported.", BAD_BITWISE},
    {"`", "Invalid character",
     "The \"`\" character is not valid. To create a multi-line string, use the \"heredoc\" syntax, "
     "like \"<<EOT\".",
     BAD_BACKTICK},
    {"'", "Invalid character",
     "Single quotes are not valid. Use double quotes (\") to enclose strings.", BAD_APOSTROPHE},
    {";", "Invalid character",
     "The \";\" character is not valid. Use newlines to separate arguments and blocks, and commas "
     "to separate items in collection values.",
     BAD_SEMICOLON},
    {"\xe2\x80\x9c", "Invalid character",
     "Curly quotes are not valid here. They come from documents and discussion forums; write a "
     "straight quote (\").",
     BAD_ANY},
    {"\xe2\x80\x9d", "Invalid character",
     "Curly quotes are not valid here. They come from documents and discussion forums; write a "
     "straight quote (\").",
     BAD_ANY},
};

enum { BAD_ROWS = sizeof bad_characters / sizeof *bad_characters };

static const struct bad_character bad_newline = {
    NULL, "Invalid multi-line string",
    "Quoted strings may not be split over multiple lines. To produce a multi-line string, either "
    "use the \\n escape to represent a newline character or use the \"heredoc\" multi-line "
    "template "
    "syntax.",
    BAD_ANY};
static const struct bad_character bad_utf8 = {NULL, "Invalid character encoding",
                                              "All input files must be UTF-8 encoded. Ensure that "
                                              "UTF-8 encoding is selected in your editor.",
                                              BAD_ENCODING};
static const struct bad_character bad_other = {
    NULL, "Invalid character", "This character is not used within the language.", BAD_ANY};

static const struct bad_character *explain_bad(const struct parser *p,
                                               const struct hcl_token *token)
{
    if (token->kind == HCL_BAD_NEWLINE)
        return &bad_newline;
    if (token->kind == HCL_BAD_UTF8)
        return &bad_utf8;
    for (size_t i = 0; i < BAD_ROWS; i++)
        if (str_equal(hcl_token_text(p, *token), str_from(bad_characters[i].text)))
            return &bad_characters[i];
    return &bad_other;
}

/* As HCL does it: the first one of a family, up to four operators; a quote that ends what another
 * began is not told of. seen counts the family's tokens. */
static bool is_told(enum bad_family family, size_t seen)
{
    switch (family) {
    case BAD_BITWISE:
        return seen < 4;
    case BAD_BACKTICK:
    case BAD_APOSTROPHE:
        return seen == 0 || seen == 2;
    case BAD_SEMICOLON:
    case BAD_ENCODING:
        return seen == 0;
    default:
        return true;
    }
}

/* The scanner takes some broken bytes for letters, as that of HCL does, which lets them pass. */
static void check_words(struct parser *p)
{
    if (utf8_bad_at(p->text) == SIZE_MAX)
        return;
    for (size_t i = 0; i < p->ntokens; i++) {
        const struct hcl_token *token = &p->token[i];
        if (token->kind == HCL_IDENT && utf8_bad_at(hcl_token_text(p, *token)) != SIZE_MAX) {
            hcl_diag_add(p->diags, p->name, p->text, false, token->range,
                         str_from(bad_utf8.summary), "%s", bad_utf8.detail);
            return;
        }
    }
}

void hcl_check_tokens(struct parser *p)
{
    size_t seen[BAD_ANY + 1] = {0};
    for (size_t i = 0; i < p->ntokens; i++) {
        const struct hcl_token *token = &p->token[i];
        if (token->kind < HCL_BAD_OPERATOR)
            continue;
        const struct bad_character *bad = explain_bad(p, token);
        if (is_told(bad->family, seen[bad->family]++))
            hcl_diag_add(p->diags, p->name, p->text, false, token->range, str_from(bad->summary),
                         "%s", bad->detail);
    }
    check_words(p);
}

static bool parser_open(struct parser *p, struct arena *arena, struct str text, struct str name,
                        enum hcl_lex_mode mode, struct hcl_diags *diags, struct err *err)
{
    *p = (struct parser){.arena = arena,
                         .scratch = {.limit = arena->limit},
                         .text = text,
                         .name = name,
                         .diags = diags,
                         .depth_left = HCL_DEPTH_MAX};
    if (!hcl_lex(arena, text, mode, &p->token, &p->ntokens, err))
        return err_wrap(err, "%.*s", STR_ARG(name));
    p->limit = p->ntokens - 1;
    p->scanner_from = diags->n;
    hcl_check_tokens(p);
    p->scanner_to = diags->n;
    return true;
}

/* In order of place: the scanner's and the parser's come one after the other. */
static void sort_diags(struct hcl_diags *diags, size_t from)
{
    for (size_t i = from + 1; i < diags->n; i++)
        for (size_t k = i;
             k > from && diags->diag[k].subject.start < diags->diag[k - 1].subject.start; k--) {
            struct hcl_diag swap = diags->diag[k];
            diags->diag[k] = diags->diag[k - 1];
            diags->diag[k - 1] = swap;
        }
}

bool hcl_parse_file(struct arena *arena, struct str text, struct str name, struct hcl_diags *diags,
                    struct hcl_file *ret, struct err *err)
{
    struct parser p;
    size_t before = diags->n;
    if (!parser_open(&p, arena, text, name, HCL_LEX_CONFIG, diags, err))
        return false;
    struct hcl_body body = hcl_parse_body(&p);
    arena_free(&p.scratch);
    sort_diags(diags, before);
    if (p.full)
        return arena_full(arena, err);
    *ret = (struct hcl_file){
        .name = name, .text = text, .token = p.token, .ntokens = p.ntokens, .body = body};
    return true;
}

bool hcl_parse_expression(struct arena *arena, struct str text, struct str name,
                          struct hcl_diags *diags, const struct hcl_expr **ret, struct err *err)
{
    struct parser p;
    if (!parser_open(&p, arena, text, name, HCL_LEX_CONFIG, diags, err))
        return false;
    p.skip_newlines = true;
    const struct hcl_expr *expr = hcl_parse_expr(&p);
    struct hcl_token last = hcl_peek(&p);
    if (last.kind != HCL_EOF)
        hcl_follow_up_error(
            &p, last.range, "Extra characters after expression",
            "An expression was successfully parsed, but extra characters were found "
            "after it.");
    arena_free(&p.scratch);
    if (p.full)
        return arena_full(arena, err);
    *ret = expr;
    return true;
}

bool hcl_parse_template(struct arena *arena, struct str text, struct str name,
                        struct hcl_diags *diags, const struct hcl_expr **ret, struct err *err)
{
    struct parser p;
    if (!parser_open(&p, arena, text, name, HCL_LEX_TEMPLATE, diags, err))
        return false;
    const struct hcl_expr *expr =
        hcl_parse_template_until(&p, (struct hcl_token){.kind = HCL_EOF}, HCL_EOF, false);
    arena_free(&p.scratch);
    if (p.full)
        return arena_full(arena, err);
    *ret = expr;
    return true;
}

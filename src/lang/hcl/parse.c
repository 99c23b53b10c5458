/* parse.c - entry points, the token cursor, recovery after an error. */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
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
    while (is_skipped(p, &p->token[at]))
        at++;
    return at;
}

struct hcl_token hcl_peek(const struct parser *p)
{
    struct hcl_token token = p->token[cursor(p)];
    if (token.kind == HCL_COMMENT)
        token.kind = HCL_NEWLINE;
    return token;
}

struct hcl_token hcl_next(struct parser *p)
{
    struct hcl_token token = hcl_peek(p);
    p->at = cursor(p);
    if (token.kind != HCL_EOF)
        p->at++;
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

void hcl_syntax_error(struct parser *p, struct hcl_range subject, const char *summary,
                      const char *detail)
{
    /* What the scanner refused has been reported already, in better words. */
    if (!p->recovering && hcl_peek(p).kind < HCL_BAD_OPERATOR)
        hcl_diag_add(p->diags, p->name, p->text, false, subject, str_from(summary), "%s", detail);
    p->recovering = true;
}

static const struct {
    enum hcl_token_kind open, close;
} brackets[] = {
    {HCL_OBRACE, HCL_CBRACE},   {HCL_OBRACK, HCL_CBRACK},     {HCL_OPAREN, HCL_CPAREN},
    {HCL_OQUOTE, HCL_CQUOTE},   {HCL_OHEREDOC, HCL_CHEREDOC}, {HCL_INTERP, HCL_SEQ_END},
    {HCL_CONTROL, HCL_SEQ_END},
};

static bool opens(enum hcl_token_kind kind)
{
    for (size_t i = 0; i < sizeof brackets / sizeof *brackets; i++)
        if (brackets[i].open == kind)
            return true;
    return false;
}

static bool closes(enum hcl_token_kind kind)
{
    for (size_t i = 0; i < sizeof brackets / sizeof *brackets; i++)
        if (brackets[i].close == kind)
            return true;
    return false;
}

void hcl_skip_to(struct parser *p, enum hcl_token_kind closer)
{
    size_t depth = 0;
    for (;; p->at++) {
        enum hcl_token_kind kind = p->token[p->at].kind;
        if (kind == HCL_EOF)
            return;
        if (depth == 0 && kind == closer) {
            p->at++;
            return;
        }
        if (opens(kind))
            depth++;
        else if (closes(kind) && depth)
            depth--;
    }
}

static bool ends_line(const struct parser *p, const struct hcl_token *token)
{
    return token->kind == HCL_NEWLINE || token->kind == HCL_BAD_NEWLINE ||
           (token->kind == HCL_COMMENT && p->text.ptr[token->range.end - 1] == '\n');
}

void hcl_skip_item(struct parser *p)
{
    size_t depth = 0;
    p->recovering = false;
    for (;; p->at++) {
        const struct hcl_token *token = &p->token[p->at];
        if (token->kind == HCL_EOF)
            return;
        if (depth == 0 && ends_line(p, token)) {
            p->at++;
            return;
        }
        if (opens(token->kind))
            depth++;
        else if (depth && (closes(token->kind) || token->kind == HCL_BAD_NEWLINE))
            depth--;
    }
}

struct hcl_expr *hcl_node(struct parser *p, enum hcl_expr_kind kind, struct hcl_range range)
{
    struct hcl_expr *node = arena_new(p->arena, struct hcl_expr, 1);
    if (!node) {
        p->full = true;
        return NULL;
    }
    node->kind = kind;
    node->range = range;
    return node;
}

const struct hcl_expr *hcl_error_node(struct parser *p, struct hcl_range range)
{
    static const struct hcl_expr nothing = {.kind = HCL_EXPR_ERROR};
    const struct hcl_expr *node = hcl_node(p, HCL_EXPR_ERROR, range);
    return node ? node : &nothing;
}

struct bad_character {
    const char *text, *summary, *detail;
};
static const struct bad_character bad_characters[] = {
    {"&", "Unsupported operator",
     "Bitwise operators are not supported. Did you mean boolean AND (\"&&\")?"},
    {"|", "Unsupported operator",
     "Bitwise operators are not supported. Did you mean boolean OR (\"||\")?"},
    {"~", "Unsupported operator",
     "Bitwise operators are not supported. Did you mean boolean NOT (\"!\")?"},
    {"^", "Unsupported operator", "Bitwise operators are not supported."},
    {"`", "Invalid character",
     "The \"`\" character is not valid. To create a multi-line string, use the \"heredoc\" syntax, "
     "like \"<<EOT\"."},
    {"'", "Invalid character",
     "Single quotes are not valid. Use double quotes (\") to enclose strings."},
    {";", "Invalid character",
     "The \";\" character is not valid. Use newlines to separate arguments and blocks, and commas "
     "to separate items in collection values."},
};

enum { BAD_ROWS = sizeof bad_characters / sizeof *bad_characters };

static const struct bad_character bad_newline = {
    NULL, "Invalid multi-line string",
    "Quoted strings may not be split over multiple lines. To produce a multi-line string, either "
    "use the \\n escape to represent a newline character or use the \"heredoc\" multi-line "
    "template "
    "syntax."};
static const struct bad_character bad_utf8 = {NULL, "Invalid character encoding",
                                              "All input files must be UTF-8 encoded. Ensure that "
                                              "UTF-8 encoding is selected in your editor."};
static const struct bad_character bad_other = {NULL, "Invalid character",
                                               "This character is not used within the language."};

/* A character of the table and bad UTF-8 are told of once a file: told[] remembers. */
static const struct bad_character *
explain_bad(const struct parser *p, const struct hcl_token *token, bool told[BAD_ROWS + 1])
{
    size_t row = BAD_ROWS;
    for (size_t i = 0; i < BAD_ROWS; i++)
        if (str_equal(hcl_token_text(p, *token), str_from(bad_characters[i].text)))
            row = i;
    if (row == BAD_ROWS && token->kind == HCL_BAD_NEWLINE)
        return &bad_newline;
    if (row == BAD_ROWS && token->kind != HCL_BAD_UTF8)
        return &bad_other;
    bool again = told[row];
    told[row] = true;
    return again ? NULL : row < BAD_ROWS ? &bad_characters[row] : &bad_utf8;
}

void hcl_check_tokens(struct parser *p)
{
    bool told[BAD_ROWS + 1] = {false};
    for (size_t i = 0; i < p->ntokens; i++) {
        const struct hcl_token *token = &p->token[i];
        const struct bad_character *bad =
            token->kind < HCL_BAD_OPERATOR ? NULL : explain_bad(p, token, told);
        if (bad)
            hcl_diag_add(p->diags, p->name, p->text, false, token->range, str_from(bad->summary),
                         "%s", bad->detail);
    }
}

static bool parser_open(struct parser *p, struct arena *arena, struct str text, struct str name,
                        enum hcl_lex_mode mode, struct hcl_diags *diags, struct err *err)
{
    *p = (struct parser){
        .arena = arena, .text = text, .name = name, .diags = diags, .depth_left = HCL_DEPTH_MAX};
    if (!hcl_lex(arena, text, mode, &p->token, &p->ntokens, err))
        return err_wrap(err, "%.*s", STR_ARG(name));
    hcl_check_tokens(p);
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
    struct hcl_body body = hcl_parse_body(&p, HCL_EOF);
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
    const struct hcl_expr *expr = hcl_parse_expr(&p);
    while (hcl_peek(&p).kind == HCL_NEWLINE)
        (void)hcl_next(&p);
    struct hcl_token last = hcl_peek(&p);
    if (last.kind != HCL_EOF)
        hcl_syntax_error(&p, last.range, "Extra characters after expression",
                         "An expression was successfully parsed, but extra characters were found "
                         "after it.");
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
    if (p.full)
        return arena_full(arena, err);
    *ret = expr;
    return true;
}

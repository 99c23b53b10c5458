/* lex.h - Rego text to tokens.
 *
 * Source: facts/rego.md section 1
 * Errors: a token REGO_TOK_ERROR with its message; the lexer stops there
 */
#pragma once
#include "lang/rego/ast.h"

#define REGO_TOKENS(X) \
    X(REGO_TOK_EOF, "eof") \
    X(REGO_TOK_ERROR, "illegal") \
    X(REGO_TOK_IDENT, "identifier") \
    X(REGO_TOK_NUMBER, "number") \
    X(REGO_TOK_STRING, "string") \
    X(REGO_TOK_RAW_STRING, "rawstring") \
    X(REGO_TOK_TEMPLATE, "template-string-start") /* $" or $` : the text behind it follows */ \
    X(REGO_TOK_LBRACK, "[") \
    X(REGO_TOK_RBRACK, "]") \
    X(REGO_TOK_LBRACE, "{") \
    X(REGO_TOK_RBRACE, "}") \
    X(REGO_TOK_LPAREN, "(") \
    X(REGO_TOK_RPAREN, ")") \
    X(REGO_TOK_COMMA, ",") \
    X(REGO_TOK_COLON, ":") \
    X(REGO_TOK_SEMICOLON, ";") \
    X(REGO_TOK_DOT, ".") \
    X(REGO_TOK_ASSIGN, "assign") \
    X(REGO_TOK_UNIFY, "eq") \
    X(REGO_TOK_EQUAL, "equal") \
    X(REGO_TOK_NEQ, "neq") \
    X(REGO_TOK_LT, "lt") \
    X(REGO_TOK_LTE, "lte") \
    X(REGO_TOK_GT, "gt") \
    X(REGO_TOK_GTE, "gte") \
    X(REGO_TOK_ADD, "plus") \
    X(REGO_TOK_SUB, "minus") \
    X(REGO_TOK_MUL, "mul") \
    X(REGO_TOK_QUO, "div") \
    X(REGO_TOK_REM, "rem") \
    X(REGO_TOK_OR, "or") \
    X(REGO_TOK_AND, "and") \
    X(REGO_TOK_AS, "as") \
    X(REGO_TOK_CONTAINS, "contains") \
    X(REGO_TOK_DEFAULT, "default") \
    X(REGO_TOK_ELSE, "else") \
    X(REGO_TOK_EVERY, "every") \
    X(REGO_TOK_FALSE, "false") \
    X(REGO_TOK_IF, "if") \
    X(REGO_TOK_IMPORT, "import") \
    X(REGO_TOK_IN, "in") \
    X(REGO_TOK_NOT, "not") \
    X(REGO_TOK_NULL, "null") \
    X(REGO_TOK_PACKAGE, "package") \
    X(REGO_TOK_SOME, "some") \
    X(REGO_TOK_TRUE, "true") \
    X(REGO_TOK_WITH, "with") \
    X(REGO_TOK_LOGIC_AND, "and") /* with future.keywords.and */ \
    X(REGO_TOK_LOGIC_OR, "or")

#define X(constant, name) constant,
enum rego_token_kind { REGO_TOKENS(X) REGO_TOKEN_KINDS };
#undef X

/* Keywords that a module may lack: in v0 they need an import. */
enum {
    REGO_KW_IN = 1,
    REGO_KW_IF = 2,
    REGO_KW_CONTAINS = 4,
    REGO_KW_EVERY = 8,
    REGO_KW_AND = 16,
    REGO_KW_OR = 32,
    REGO_KW_NOT = 64, /* changes the meaning of not; no token of its own */
    REGO_KW_V1 = REGO_KW_IN | REGO_KW_IF | REGO_KW_CONTAINS | REGO_KW_EVERY
};

struct rego_token {
    enum rego_token_kind kind;
    struct rego_place place;
    struct str text;   /* as written; of strings the decoded text is `string` */
    struct str string; /* decoded; for ERROR the message */
    bool newline;      /* a newline lies between it and the token before */
    bool blank;        /* white space or a comment does */
};
struct rego_lexer {
    struct arena *arena;
    struct str text, file;
    uint32_t at, row, col; /* of the next character */
    unsigned keywords;
    struct rego_comment *comment;
    size_t ncomments, room;
};

/* The next token. Comments are gathered in lexer->comment (once each, by position). */
void rego_lex(struct rego_lexer *lexer, struct rego_token *ret);
/*
 * Inside a template string, up to the next `{`, or its end: the literal text, decoded. *ret_end
 * says that the string ended. False with an ERROR token in *ret_error.
 */
bool rego_lex_template(struct rego_lexer *lexer, bool raw, struct str *ret, bool *ret_end,
                       struct rego_token *ret_error);
const char *rego_token_name(enum rego_token_kind kind);
bool rego_token_is_keyword(enum rego_token_kind kind);
/* A word that is a keyword in v1 ("if"), whatever the module has imported. */
bool rego_word_is_keyword(struct str word);

/* parser.h - what the files of the Rego parser share: the state, trying and going back. */
#pragma once
#include "lang/rego/lex.h"

struct rego_memo { /* what was read before as a composite term at .start */
    uint32_t start;
    struct rego_term *term; /* NULL: it failed */
    union {
        struct { /* the lexer behind it, and the token looked at */
            uint32_t at, row, col;
            struct rego_token token;
        };
        struct { /* its error */
            struct str bad;
            struct rego_place bad_place;
        };
    };
};
struct rego_parser {
    struct arena *arena;
    struct rego_lexer lexer;
    struct rego_token token; /* the one looked at */
    const struct rego_parse_options *options;
    struct rego_diags *diags;
    struct str file;
    unsigned depth;
    bool too_deep;                /* nothing can be read any more */
    bool stopped;                 /* the same, as it may not take longer */
    unsigned tokens;              /* since it was last asked whether it may go on */
    uint32_t wildcards, last_end; /* last_end: byte behind the token before */
    bool calls_rego;              /* a call of rego.x was read */
    bool failed;                  /* an error is set: */
    struct rego_place bad_place;
    struct str bad;
    struct rego_memo **memo; /* open addressing by start */
    size_t nmemo, memo_room;
};

/* A point to go back to. */
struct rego_mark {
    struct rego_lexer lexer;
    struct rego_token token;
    uint32_t wildcards, last_end;
    unsigned depth;
    bool failed;
};

void parser_next(struct rego_parser *p);
struct rego_mark parser_mark(const struct rego_parser *p);
void parser_back(struct rego_parser *p, const struct rego_mark *mark);
/* Set the error, unless there is one; always NULL / false. */
void *parser_fail(struct rego_parser *p, struct rego_place place, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same of a text that lives as long as the arena. */
void *parser_fail_text(struct rego_parser *p, struct rego_place place, struct str text);
/* "unexpected identifier token: " and why, or the lexer's own error. */
void *parser_unexpected(struct rego_parser *p, const char *why);
bool parser_take(struct rego_parser *p, enum rego_token_kind kind);
/* Deeper by one, else the error is set. Leave with p->depth--. */
bool parser_enter(struct rego_parser *p);

struct rego_term *parser_make(struct rego_parser *p, enum rego_term_kind kind,
                              struct rego_place place);
struct rego_term *parser_string(struct rego_parser *p, struct str text, struct rego_place place);
struct rego_term *parser_var(struct rego_parser *p, struct str name, struct rego_place place);
/* Calls with a built-in operator: name and up to three operands. */
struct rego_term *parser_call(struct rego_parser *p, const char *name, struct rego_place place,
                              struct rego_term *a, struct rego_term *b, struct rego_term *c);

/* A list of terms that grows. */
struct rego_terms {
    struct rego_term **item;
    size_t n, room;
};
bool parser_push(struct rego_parser *p, struct rego_terms *terms, struct rego_term *term);

/* One term with infix operators. pair: `k, v in xs` may be read. */
struct rego_term *parser_expression(struct rego_parser *p, bool pair);
/* One term without infix operators at its top. */
struct rego_term *parser_term(struct rego_parser *p);
/* What follows a term without a blank: .name [key] (args). in_head: blanks allowed, no calls. */
struct rego_term *parser_postfix(struct rego_parser *p, struct rego_term *head, bool in_head);
/* expr, ... up to `end`, which is taken; a trailing comma is fine. */
bool parser_list(struct rego_parser *p, enum rego_token_kind end, struct rego_terms *terms,
                 const char *unterminated);
/* Literals up to `end`, which is not taken. */
struct rego_body *parser_query(struct rego_parser *p, enum rego_token_kind end);
struct rego_expr *parser_literal(struct rego_parser *p);
/* {v | v := term with ...}, `with` being looked at: what a template string inserts; .wrapped. */
struct rego_term *parser_wrapped(struct rego_parser *p, struct rego_term *term);
/* `{ query }`, the brace being looked at. */
struct rego_body *parser_braced(struct rego_parser *p);
/* One or more rules of a statement. */
bool parser_rules(struct rego_parser *p, struct rego_module *module, size_t *room);

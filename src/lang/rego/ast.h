/* ast.h - a Rego module as written: terms, expressions, rules, with their places.
 *
 * Owner:   the arena of the parse; text of the source must outlive it
 * Source:  facts/rego.md 1 to 4
 */
#pragma once
#include "lang/rego/term.h"

struct rego_place {
    uint32_t row, col;   /* from 1; col in code points, 0 at the end of the file */
    uint32_t start, end; /* bytes of the text */
};

#define REGO_NO_SLOT UINT32_MAX
#define REGO_NO_INDEX UINT32_MAX

enum rego_term_kind {
    REGO_TERM_VALUE,  /* a scalar: null, boolean, number, string */
    REGO_TERM_VAR,    /* .name; "_" is "$0", "$1" ... fresh at each use (wildcard) */
    REGO_TERM_REF,    /* .parts: head (var, call, composite, comprehension) then operands */
    REGO_TERM_ARRAY,  /* .parts */
    REGO_TERM_SET,    /* .parts */
    REGO_TERM_OBJECT, /* .pairs */
    REGO_TERM_CALL,   /* .parts: operator (a ref or var), then arguments; infix ones too */
    REGO_TERM_ARRAY_COMPREHENSION,  /* .compr: value */
    REGO_TERM_SET_COMPREHENSION,    /* .compr: value */
    REGO_TERM_OBJECT_COMPREHENSION, /* .compr: key and value */
    REGO_TERM_TEMPLATE              /* .parts: strings (VALUE) and inserted terms */
};

struct rego_term;
struct rego_body;
struct rego_term_pair {
    struct rego_term *key, *value;
};
struct rego_term {
    enum rego_term_kind kind;
    bool parenthesised;
    bool multi_line; /* template written with back quotes */
    bool wrapped;    /* in a template: a set comprehension whose one member is what is inserted */
    struct rego_place place;
    union {
        struct value value;
        struct {
            struct str name;
            uint32_t
                slot; /* set by the compiler: which variable of its rule; REGO_NO_SLOT before */
        };
        struct {
            struct rego_term **item;
            size_t n;
        } parts;
        struct {
            struct rego_term_pair *item;
            size_t n;
        } pairs;
        struct {
            struct rego_term *key, *value;
            struct rego_body *body;
        } compr;
    };
};

enum rego_expr_kind {
    REGO_EXPR_TERM,    /* .term: a value that must be defined and not false; calls are CALL terms */
    REGO_EXPR_CALL,    /* .term is a REGO_TERM_CALL: built-in, function, infix; `=` and `:=` too
                          (operators "eq", "assign") */
    REGO_EXPR_SOME,    /* .some: declared variables, or the `in` form as one call of
                          internal.member_2 / _3 */
    REGO_EXPR_EVERY,   /* .every */
    REGO_EXPR_LOGIC,   /* experimental and, or: .logic */
    REGO_EXPR_NOT_BODY /* not { query } of future.keywords.not: .body */
};
struct rego_with {
    struct rego_term *target, *value;
    struct rego_place place;
};
struct rego_expr {
    enum rego_expr_kind kind;
    bool negated;
    bool infix; /* the call is written with an operator */
    struct rego_place place;
    struct rego_with *with;
    size_t nwith;
    uint32_t index; /* in its body, as written; or REGO_NO_INDEX */
    union {
        struct rego_term *term;
        struct {
            struct rego_term **symbol; /* variables; for `in`: one CALL term */
            size_t n;
        } some;
        struct {
            struct rego_term *key, *value, *domain; /* key NULL if not given */
            struct rego_body *body;
        } every;
        struct {
            bool is_or;
            struct rego_body *left, *right;
        } logic;
        struct rego_body *body;
    };
};
struct rego_body {
    struct rego_expr **expr;
    size_t n;
    struct rego_place place;
};

enum rego_head_kind {
    REGO_HEAD_COMPLETE, /* p, p := v, a.b.c := v */
    REGO_HEAD_SET,      /* p contains t (v0: p[t]) */
    REGO_HEAD_OBJECT,   /* p[k] := v: the last part of the ref is not a constant */
    REGO_HEAD_FUNCTION  /* f(args) := v */
};
struct rego_head {
    enum rego_head_kind kind;
    struct rego_term **ref; /* p, then string VALUE terms or others: as written, without package */
    size_t nref;
    struct rego_term **arg;
    size_t narg;
    bool has_args;
    struct rego_term *key;   /* SET: the member; else NULL */
    struct rego_term *value; /* NULL: true */
    bool assign;             /* := */
    bool has_if, has_contains;
    struct rego_place place;
};
struct rego_annotation; /* METADATA; see annotation.h */
struct rego_rule {
    struct rego_head head;
    bool is_default;
    bool has_body; /* else `true` */
    struct rego_body *body;
    struct rego_rule *else_; /* its head has the same ref; value NULL = true */
    struct rego_module *module;
    struct rego_place place;
};
struct rego_import {
    struct rego_term *path; /* a REF, or the VAR input/data */
    struct str alias;       /* or empty */
    struct rego_place place;
    bool used; /* set by the compiler */
};
struct rego_comment {
    struct str text; /* behind the # */
    struct rego_place place;
};
struct rego_module {
    struct str file, text;
    bool v0;                   /* syntax that it was read with (import rego.v1 in it makes v1) */
    bool calls_rego;           /* something of the name rego.x */
    struct rego_term *package; /* a REF: data, then string VALUEs */
    struct rego_place package_place;
    struct rego_import *imports;
    size_t nimports;
    struct rego_rule **rules; /* in source order; chained bodies are several rules */
    size_t nrules;
    const struct rego_comment *comments;
    size_t ncomments;
    const struct rego_annotation *annotations;
    size_t nannotations;
    size_t unit; /* set by the compiler: its place among the modules */
};

/* --- diagnostics --- */

struct rego_diag {
    const char *code; /* "rego_parse_error", "rego_compile_error" ... */
    struct str file, message;
    uint32_t row, col;
};
struct rego_diags {
    struct arena *arena;
    struct rego_diag *diag;
    size_t n, room;
    size_t most; /* that compiling tells; 0 = REGO_DIAGS_MAX */
};
enum { REGO_DIAGS_MAX = 10 }; /* then "error limit reached" */
void rego_diag_add(struct rego_diags *diags, const char *code, struct str file,
                   struct rego_place place, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* The terms of a head become copies; false: the arena is full. */
bool rego_copy_head(struct arena *arena, struct rego_head *head);

/* Words that future.keywords may import, beside those of v1 and `not`; and that it may not. */
enum rego_words { REGO_WORD_AND = 1, REGO_WORD_OR = 2, REGO_WORD_NO_NOT = 4 };

struct rego_parse_options {
    bool v0;
    unsigned words;   /* of enum rego_words */
    bool annotations; /* read METADATA blocks */
    /* Asked now and then with the tokens read since; false ends it, without a diagnostic. */
    bool (*afford)(void *ctx, uint64_t tokens);
    void *afford_ctx;
};
enum { REGO_TEXT_MAX = 64 << 20, REGO_DEPTH_MAX = 1000 };
/* For .afford, by the clock alone. */
struct rego_parse_clock {
    int64_t until_ms; /* by the monotonic clock */
    const volatile int *cancel;
};
bool rego_parse_in_time(void *clock, uint64_t tokens);
/* False with at least one diagnostic, or none where .afford ended it. */
bool rego_parse_module(struct arena *arena, struct str text, struct str file,
                       const struct rego_parse_options *options, struct rego_diags *diags,
                       struct rego_module **ret);
/* A query body. */
bool rego_parse_query(struct arena *arena, struct str text, struct str file,
                      const struct rego_parse_options *options, struct rego_diags *diags,
                      struct rego_body **ret);
/* A ground term (input_term): any value without variables, refs and calls. */
bool rego_parse_value(struct arena *arena, struct str text, struct value *ret,
                      struct rego_diags *diags);
/* As OPA prints it in messages: data.t.p[x], [1, x], count(x) ... */
void rego_term_text(struct buf *out, const struct rego_term *term);

/* hcl.h - HCL native syntax: text to tokens to a tree with every place kept.
 *
 * Shape:   struct hcl_file holds the text, all tokens (comments and newlines included: token
 *          ranges plus the blanks between them are the file, byte for byte) and the tree; ranges
 *          are byte offsets into the text
 * Errors:  as many diagnostics as there are faults (bounded), with Terraform's summaries; the
 *          tree holds what could be read
 * Limits:  HCL_DEPTH_MAX nesting, HCL_SIZE_MAX bytes, HCL_DIAGS_MAX diagnostics
 * Source:  facts/hcl.md sections 1 to 3
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "value/value.h"

struct arena;
struct err;

enum { HCL_DEPTH_MAX = 500, HCL_SIZE_MAX = 256 << 20, HCL_DIAGS_MAX = 1000 };

struct hcl_range {
    uint32_t start, end; /* bytes; end excluded */
};

/* --- tokens --- */

/* X(constant, how a message calls it) */
#define HCL_TOKENS(X) \
    X(HCL_EOF, "end of file") \
    X(HCL_NEWLINE, "newline") \
    X(HCL_COMMENT, "comment") \
    X(HCL_IDENT, "identifier") \
    X(HCL_NUMBER, "number") \
    X(HCL_OQUOTE, "opening quote") \
    X(HCL_CQUOTE, "closing quote") \
    X(HCL_QUOTED_TEXT, "string text") /* backslash escapes still in it */ \
    X(HCL_OHEREDOC, "heredoc start")  /* <<EOT and its newline */ \
    X(HCL_CHEREDOC, "heredoc end")    /* the marker, without the newline behind it */ \
    X(HCL_RAW_TEXT, "template text")  /* a line, or a part of one, in a heredoc */ \
    X(HCL_INTERP, "\"${\"")           /* ${ or ${~ */ \
    X(HCL_CONTROL, "\"%{\"")          /* %{ or %{~ */ \
    X(HCL_SEQ_END, "\"}\"")           /* } or ~} that ends one of the two */ \
    X(HCL_OBRACE, "\"{\"") \
    X(HCL_CBRACE, "\"}\"") \
    X(HCL_OBRACK, "\"[\"") \
    X(HCL_CBRACK, "\"]\"") \
    X(HCL_OPAREN, "\"(\"") \
    X(HCL_CPAREN, "\")\"") \
    X(HCL_PLUS, "\"+\"") \
    X(HCL_MINUS, "\"-\"") \
    X(HCL_STAR, "\"*\"") \
    X(HCL_SLASH, "\"/\"") \
    X(HCL_PERCENT, "\"%\"") \
    X(HCL_EQ, "\"==\"") \
    X(HCL_NE, "\"!=\"") \
    X(HCL_LT, "\"<\"") \
    X(HCL_LE, "\"<=\"") \
    X(HCL_GT, "\">\"") \
    X(HCL_GE, "\">=\"") \
    X(HCL_AND, "\"&&\"") \
    X(HCL_OR, "\"||\"") \
    X(HCL_BANG, "\"!\"") \
    X(HCL_QUESTION, "\"?\"") \
    X(HCL_COLON, "\":\"") \
    X(HCL_DOUBLE_COLON, "\"::\"") \
    X(HCL_ASSIGN, "\"=\"") \
    X(HCL_ARROW, "\"=>\"") \
    X(HCL_COMMA, "\",\"") \
    X(HCL_DOT, "\".\"") \
    X(HCL_ELLIPSIS, "\"...\"") \
    X(HCL_BAD_OPERATOR, "operator")   /* & | ~ ^ */ \
    X(HCL_BAD_CHARACTER, "character") /* ; ` ' and everything else */ \
    X(HCL_BAD_NEWLINE, "newline in string") \
    X(HCL_BAD_UTF8, "bytes that are not UTF-8")

#define X(constant, name) constant,
enum hcl_token_kind { HCL_TOKENS(X) HCL_TOKEN_KIND_COUNT };
#undef X

struct hcl_token {
    enum hcl_token_kind kind;
    struct hcl_range range;
    uint32_t line; /* 1-based, of its first byte */
};

/* --- the tree --- */

enum hcl_expr_kind {
    HCL_EXPR_ERROR,       /* could not be read; a diagnostic says why */
    HCL_EXPR_LITERAL,     /* number, bool, null: .value */
    HCL_EXPR_STRING,      /* a template of one literal, decoded and NFC: .value */
    HCL_EXPR_TEMPLATE,    /* .parts: strings, expressions and directives, result always a string */
    HCL_EXPR_WRAP,        /* "${x}": .operand, unconverted */
    HCL_EXPR_TUPLE,       /* .parts */
    HCL_EXPR_OBJECT,      /* .items */
    HCL_EXPR_FOR,         /* .for_ */
    HCL_EXPR_VARIABLE,    /* root of a traversal: .name */
    HCL_EXPR_ATTRIBUTE,   /* .get: x.name */
    HCL_EXPR_INDEX,       /* .index: x[key]; x.0 is one with a literal key */
    HCL_EXPR_SPLAT,       /* .splat */
    HCL_EXPR_SPLAT_ITEM,  /* inside splat.each: the element */
    HCL_EXPR_CALL,        /* .call */
    HCL_EXPR_UNARY,       /* .binary: op, left */
    HCL_EXPR_BINARY,      /* .binary */
    HCL_EXPR_CONDITIONAL, /* .cond */
    HCL_EXPR_PAREN,       /* .operand */
    HCL_EXPR_IF,          /* %{if}: .cond, a string; otherwise NULL if there is no else */
};

struct hcl_expr;
struct hcl_item {
    const struct hcl_expr *key; /* bare identifiers are HCL_EXPR_STRING with bare_key */
    const struct hcl_expr *value;
};
struct hcl_for {
    struct str key_name, value_name; /* key_name empty if only one is given */
    const struct hcl_expr *source;
    const struct hcl_expr *key;       /* object for, else NULL */
    const struct hcl_expr *value;     /* in a template: the body template */
    const struct hcl_expr *condition; /* or NULL */
    bool group;                       /* `...` */
    bool in_template;                 /* %{for}: a string */
    struct hcl_range names, ellipsis;
};
struct hcl_expr { /* 64 bytes: a large root has millions */
    enum hcl_expr_kind kind;
    bool bare_key; /* object key written as a bare word */
    bool heredoc;  /* template or string written as a heredoc */
    bool legacy;   /* INDEX written as x.0, SPLAT as x.* */
    bool json;     /* OBJECT, TUPLE, LITERAL or string of a file in JSON syntax */
    struct hcl_range range;
    const struct str *raw; /* a JSON string before it was read as a template, else NULL; where the
                              template has faults the kind is ERROR and evaluation reports them */
    union {
        struct value value;
        const struct hcl_expr *operand;
        struct {
            const struct hcl_expr *const *part;
            size_t n;
        } parts;
        struct {
            const struct hcl_item *item;
            size_t n;
        } items;
        const struct hcl_for *for_;
        struct str name;
        struct {
            const struct hcl_expr *source;
            struct str name;
            struct hcl_range name_range;
        } get;
        struct {
            const struct hcl_expr *source, *key;
        } index;
        struct {
            const struct hcl_expr *source, *each; /* each: built on HCL_EXPR_SPLAT_ITEM */
        } splat;
        struct {
            struct str name; /* with its namespaces: core::abs */
            struct hcl_range name_range;
            const struct hcl_expr *const *arg;
            uint32_t nargs;
            bool expand; /* the last one has `...` */
        } call;
        struct {
            enum hcl_token_kind op;
            const struct hcl_expr *left, *right;
        } binary;
        struct {
            const struct hcl_expr *condition, *yes, *no;
        } cond;
    };
};

struct hcl_attribute {
    struct str name;
    const struct hcl_expr *value;
    struct hcl_range name_range, range; /* range: name to the end of the value */
};
struct hcl_label {
    struct str text;
    struct hcl_range range; /* with its quotes */
    bool quoted;
};
struct hcl_block;
/* In JSON syntax only those who know the names can tell attributes from blocks: content.h. */
struct hcl_body {
    const struct hcl_expr *json; /* JSON syntax: the object or tuple; the lists are empty */
    const struct hcl_attribute *attribute; /* in source order, unique by name */
    size_t nattributes;
    const struct hcl_block *block; /* in source order */
    size_t nblocks;
    struct hcl_range range;   /* between the braces, or the file */
    struct hcl_range missing; /* where a message about something that is not there points */
};
struct hcl_block {
    struct str type;
    const struct hcl_label *label;
    size_t nlabels;
    struct hcl_body body;
    struct hcl_range type_range, header, open,
        range; /* header: type to last label; open: its brace; range: to the closing brace */
};

/* --- diagnostics --- */

struct hcl_diag {
    bool warning;
    struct str summary, detail;
    struct str file; /* name of the file that `subject` is in */
    struct hcl_range subject;
    uint32_t line,
        column; /* of the subject's start; column in characters as a person counts them */
};
struct hcl_diags {
    struct arena *arena;
    struct hcl_diag *diag;
    size_t n, room;
    bool cut;              /* more than HCL_DIAGS_MAX, or no memory: the list is not whole */
    const char *last_text; /* what the last one is about */
};

struct hcl_file {
    struct str name, text;
    const struct hcl_token *token;
    size_t ntokens; /* the last one is HCL_EOF */
    struct hcl_body body;
    bool json; /* JSON syntax; a string token is a HCL_QUOTED_TEXT with its quotes */
};

/*
 * Read a whole file. True if it could be tokenised and the tree is there (diagnostics may say that
 * it has errors: hcl_has_errors). False only for limits. Everything lives in `arena`; text must
 * outlive it.
 */
bool hcl_parse_file(struct arena *arena, struct str text, struct str name, struct hcl_diags *diags,
                    struct hcl_file *ret, struct err *err);
/* One expression that must fill the whole text; newlines in it mean nothing, as in parentheses. */
bool hcl_parse_expression(struct arena *arena, struct str text, struct str name,
                          struct hcl_diags *diags, const struct hcl_expr **ret, struct err *err);
/* A template without quotes, as in a template file. */
bool hcl_parse_template(struct arena *arena, struct str text, struct str name,
                        struct hcl_diags *diags, const struct hcl_expr **ret, struct err *err);

bool hcl_has_errors(const struct hcl_diags *diags);
/* Add one; text is copied. */
void hcl_diag_add(struct hcl_diags *diags, struct str file_name, struct str text, bool warning,
                  struct hcl_range subject, struct str summary, const char *detail_fmt, ...)
    __attribute__((format(printf, 7, 8)));
/* err_set(ERR_SYNTAX) with "file:line:column: summary; detail" of the first error; always false. */
bool hcl_diags_to_err(const struct hcl_diags *diags, struct err *err);
/* Line and column (1-based; grapheme clusters, UAX 29) of a byte. */
void hcl_place(struct str text, uint32_t byte, uint32_t *ret_line, uint32_t *ret_column);
/* "main.tf:3,5-12" or "main.tf:3,5-4,2": a range as messages name it. */
struct str hcl_range_text(struct arena *arena, struct str file_name, struct str text,
                          struct hcl_range range);

/* --- looking --- */

const struct hcl_attribute *hcl_find_attribute(const struct hcl_body *body, struct str name);
/* The next block of that type at or after *at (start with 0; moved past it), or NULL. */
const struct hcl_block *hcl_find_block(const struct hcl_body *body, struct str type, size_t *at);
/*
 * The value of an expression without variables, calls or operators: literals, strings, tuples and
 * objects of such. False (no error set) for anything else. For lock files, CLI configuration and
 * static settings. JSON strings are taken as they are, whatever sequences they hold (as Terraform
 * does where no names may be used).
 */
bool hcl_static_value(struct arena *arena, const struct hcl_expr *expr, struct value *ret);

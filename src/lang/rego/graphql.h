/* graphql.h - GraphQL documents: read from text or from OPA's JSON of them, checked, written as it.
 *
 * Shape:   every thing of a document is a struct graphql_node; which of its members are used is
 *          said by its kind (the tables of graphql_json.c name them all)
 * Owner:   the arena; text of the source is not copied
 * Bounds:  GRAPHQL_DEPTH_MAX levels; the caller's budget (spend) counts tokens and comparisons
 * Source:  GraphQL specification, October 2021: 2 (language), 3 (type system), 5 (validation);
 *          names of members and texts of errors as OPA's
 */
#pragma once
#include "lang/rego/builtin.h"

enum { GRAPHQL_DEPTH_MAX = 200, GRAPHQL_ERRORS_MAX = 100 };

enum graphql_kind {
    GRAPHQL_QUERIES,    /* a document: members operations, extras fragments */
    GRAPHQL_SCHEMAS,    /* a document: members definitions, extras extensions, arguments schema
                           definitions, roots schema extensions, directives definitions of such */
    GRAPHQL_OPERATION,  /* alias its type; extras variables, members selections */
    GRAPHQL_FRAGMENT,   /* alias the type it is on; extras variables, members selections */
    GRAPHQL_FIELD,      /* members selections */
    GRAPHQL_SPREAD,     /* of a named fragment */
    GRAPHQL_INLINE,     /* alias the type it is on, or empty; members selections */
    GRAPHQL_VARIABLE,   /* a definition of one; flag: it is used; value its default */
    GRAPHQL_ARGUMENT,   /* name and value */
    GRAPHQL_DIRECTIVE,  /* where it is used */
    GRAPHQL_VALUE,      /* text as written, number its enum graphql_value, members children */
    GRAPHQL_CHILD,      /* of a value: name (of an object's) and value */
    GRAPHQL_TYPE,       /* name, or type its element; flag: not null */
    GRAPHQL_SCHEMA,     /* a schema definition: members roots */
    GRAPHQL_ROOT,       /* alias the operation, name the type */
    GRAPHQL_DEFINITION, /* of a type: alias its kind, members fields, extras values of an enum,
                           interfaces, types of a union; flag: built in */
    GRAPHQL_MEMBER,     /* a field, input field or argument of a definition; value its default */
    GRAPHQL_ENUM_VALUE,
    GRAPHQL_DIRECTIVE_DEFINITION, /* types its locations; flag: repeatable */
    GRAPHQL_KINDS,
    GRAPHQL_SELECTION = GRAPHQL_KINDS /* in tables: a field, a spread or an inline fragment */
};
enum graphql_value {
    GRAPHQL_VALUE_VARIABLE,
    GRAPHQL_VALUE_INT,
    GRAPHQL_VALUE_FLOAT,
    GRAPHQL_VALUE_STRING,
    GRAPHQL_VALUE_BLOCK,
    GRAPHQL_VALUE_BOOLEAN,
    GRAPHQL_VALUE_NULL,
    GRAPHQL_VALUE_ENUM,
    GRAPHQL_VALUE_LIST,
    GRAPHQL_VALUE_OBJECT
};

struct graphql_node;
struct graphql_list {
    struct graphql_node **item;
    size_t n, room;
};
struct graphql_names {
    struct str *item;
    size_t n, room;
};
struct graphql_node {
    enum graphql_kind kind;
    int32_t row, col; /* row 0: not known, the node is not from a text */
    bool flag;
    int32_t number;
    struct str name, alias, text; /* text: of a definition its description */
    struct graphql_node *type, *value;
    struct graphql_list directives, arguments, members, extras, roots;
    struct graphql_names interfaces, types;
    struct graphql_names before, after, end; /* comments: `after` is all that most kinds have */
    /* Set by validation. Of a field: its definition, and the type that it is selected on; of a
     * spread: the fragment; of a value: the definition of its type (`type` is then the type that is
     * expected, `flag` whether that has a default), and of a variable its definition. */
    const struct graphql_node *definition, *of;
};

struct graphql_error {
    struct str message;
    int32_t row, col; /* row 0: not known */
};

/* All fail with an error, or with *halt: memory or budget is out. */
struct graphql {
    struct rego_call *call;
    struct graphql_error error[GRAPHQL_ERRORS_MAX];
    size_t nerrors;
    bool halt;
};
/* Count n steps; false = stop (halt is set). */
bool graphql_spend(struct graphql *g, uint64_t n);
/* Keeps at most GRAPHQL_ERRORS_MAX; always false. */
bool graphql_error(struct graphql *g, const struct graphql_node *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same at a place. */
bool graphql_error_at(struct graphql *g, int32_t row, int32_t col, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* NULL with an error. */
struct graphql_node *graphql_parse_query(struct graphql *g, struct str text);
struct graphql_node *graphql_parse_schema(struct graphql *g, struct str text);

/* The JSON of a document: without places, nulls and empty lists. False: halt. */
bool graphql_to_value(struct graphql *g, const struct graphql_node *node, struct value *ret);
/* A document of that kind from such JSON; NULL with an error. */
struct graphql_node *graphql_from_value(struct graphql *g, enum graphql_kind kind,
                                        const struct value *v);

/* --- the schema in force: a document's definitions and those of the language, extended --- */

struct graphql_schema {
    struct graphql_node **type; /* sorted by name */
    size_t ntypes, types_room;
    struct graphql_node **directive; /* sorted by name */
    size_t ndirectives;
    struct graphql_node *query, *mutation, *subscription; /* NULL: the schema has none */
    const struct graphql_node *type_name;                 /* the field that every type has */
};
/* NULL with an error: the document is no valid schema. Extends the document's definitions. */
struct graphql_schema *graphql_schema(struct graphql *g, struct graphql_node *document);
struct graphql_node *graphql_type(const struct graphql_schema *schema, struct str name);
struct graphql_node *graphql_directive(const struct graphql_schema *schema, struct str name);
/* May what is of type `possible` (an object's name) stand where `type` is expected? */
bool graphql_is_possible(struct graphql *g, const struct graphql_node *type,
                         const struct graphql_node *possible);

/* Every rule of validation; false with the errors in the order that they are found. */
bool graphql_validate(struct graphql *g, const struct graphql_schema *schema,
                      struct graphql_node *queries);

/* Rule 5.3.2: fields of one selection that answer under one name agree. */
struct graphql_overlap {
    struct graphql *g;
    const struct graphql_schema *schema;
    struct graphql_names pair; /* of fragments that were compared: "a", "b", "x" if exclusive */
    struct graphql_names compared;
    unsigned depth;
};
void graphql_overlaps(struct graphql_overlap *o, const struct graphql_node *selections);

/* --- small ones that several files need --- */

/* Looked through one by one, which counts as so many steps: NULL and false also where that halts.
 */
struct graphql_node *graphql_named(struct graphql *g, const struct graphql_list *list,
                                   struct str name);
bool graphql_has_name(struct graphql *g, const struct graphql_names *names, struct str name);
bool graphql_add(struct graphql *g, struct graphql_list *list, struct graphql_node *node);
bool graphql_add_name(struct graphql *g, struct graphql_names *names, struct str name);
bool graphql_is(const struct graphql_node *definition, const char *kind); /* "OBJECT" ... */
bool graphql_is_input(const struct graphql_node *definition);
bool graphql_is_composite(const struct graphql_node *definition);
struct str graphql_type_name(const struct graphql_node *type); /* of the innermost element */
/* "[Int!]!"; a value as it would be written. In the arena. */
const char *graphql_type_text(struct graphql *g, const struct graphql_node *type);
const char *graphql_value_text(struct graphql *g, const struct graphql_node *value);
/* Could a variable of type `have` be given where `want` is asked? Not null may go for nullable. */
bool graphql_compatible(const struct graphql_node *have, const struct graphql_node *want);

/* --- tokens --- */

enum graphql_token_kind {
    GRAPHQL_INVALID,
    GRAPHQL_EOF,
    GRAPHQL_BANG,
    GRAPHQL_DOLLAR,
    GRAPHQL_AMP,
    GRAPHQL_PAREN_L,
    GRAPHQL_PAREN_R,
    GRAPHQL_DOTS,
    GRAPHQL_COLON,
    GRAPHQL_EQUALS,
    GRAPHQL_AT,
    GRAPHQL_BRACKET_L,
    GRAPHQL_BRACKET_R,
    GRAPHQL_BRACE_L,
    GRAPHQL_BRACE_R,
    GRAPHQL_PIPE,
    GRAPHQL_NAME,
    GRAPHQL_INT,
    GRAPHQL_FLOAT,
    GRAPHQL_STRING,
    GRAPHQL_BLOCK_STRING,
    GRAPHQL_COMMENT,
    GRAPHQL_TOKENS
};
struct graphql_token {
    enum graphql_token_kind kind;
    int32_t row, col;
    struct str value; /* of an invalid one: why */
};
struct graphql_lexer {
    struct arena *arena;
    struct str text;
    size_t at;
    int32_t row;
    size_t runes, line; /* code points before `at`, and before its line */
};
/* The next token; a limit of memory passed shows as an invalid one. */
struct graphql_token graphql_lex(struct graphql_lexer *lexer);
const char *graphql_token_name(enum graphql_token_kind kind);

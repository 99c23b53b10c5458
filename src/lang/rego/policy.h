/* policy.h - what compiling makes of modules: a tree of documents, and a plan for each rule.
 *
 * A plan is a chain of steps over registers (slots): each step fails, goes on once, or goes on once
 * for each of its solutions. Which variables are bound is known at each step, so that unification
 * is decided here: into binding, comparing and taking apart.
 * Owner: the policy's arena; read-only after compiling
 */
#pragma once
#include "base/arena.h"
#include "lang/rego/rego.h"
#include "lang/rego/type.h"

/* --- plans --- */

struct rego_operand { /* a register, or a constant (slot REGO_NO_SLOT) */
    uint32_t slot;
    struct value constant;
};

enum rego_pattern_kind {
    REGO_MATCH_ANY,
    REGO_MATCH_BIND,  /* into .slot */
    REGO_MATCH_EQUAL, /* .operand */
    REGO_MATCH_ARRAY, /* of n items */
    REGO_MATCH_OBJECT /* of exactly these keys */
};
struct rego_pattern {
    enum rego_pattern_kind kind;
    struct rego_operand operand; /* EQUAL; BIND: its slot */
    const struct rego_pattern *item;
    const struct rego_operand *key; /* OBJECT */
    size_t n;
    uint32_t hint; /* EQUAL to a constant text, as a key of a ref: 1 + its place in machine.hint */
};

enum rego_step_kind {
    REGO_STEP_GET,           /* match = base[operand]...: one way through a plain value */
    REGO_STEP_REF,           /* match = base[operand]...; patterns that bind iterate */
    REGO_STEP_RELATION,      /* match = each of builtin(arg...) */
    REGO_STEP_BUILTIN,       /* match = builtin(arg...) */
    REGO_STEP_FUNCTION,      /* match = node(arg...) */
    REGO_STEP_MATCH,         /* match = arg[0] */
    REGO_STEP_TEST,          /* arg[0] is not false */
    REGO_STEP_ARRAY,         /* match = [arg...] */
    REGO_STEP_SET,           /* match = {arg...} */
    REGO_STEP_OBJECT,        /* match = {arg[0]: arg[1], ...} */
    REGO_STEP_COMPREHENSION, /* match = kind of collection over `body` */
    REGO_STEP_TEMPLATE,      /* match = text of arg (constants) and part (bodies) in turn */
    REGO_STEP_NOT,           /* body has no solution */
    REGO_STEP_EVERY,         /* for each of arg[0] (key, value bound): body has a solution */
    REGO_STEP_OR,            /* body or other has one */
    REGO_STEP_AND,           /* both have one */
    REGO_STEP_WITH,          /* body under changed documents, then on without them */
    REGO_STEP_PRINT,         /* a line of the `part`s */
    REGO_STEP_COVER,         /* a counter goes up: rego_cover */
    REGO_STEP_FAIL           /* nothing */
};

enum rego_base { REGO_BASE_OPERAND, REGO_BASE_INPUT, REGO_BASE_DATA };

struct rego_step;
struct rego_part { /* a body and what it gives */
    const struct rego_step *body;
    struct rego_operand value;
};
struct rego_change { /* of `with` */
    enum { REGO_CHANGE_INPUT, REGO_CHANGE_DATA, REGO_CHANGE_FUNCTION } kind;
    const struct value *path; /* below input or data: constants */
    size_t npath;
    struct rego_node *node; /* DATA: the deepest node of the path, or NULL; FUNCTION: a user's */
    const struct rego_builtin *builtin; /* FUNCTION: or a built-in */
    struct rego_operand value;
    struct rego_node *by_node; /* FUNCTION: replaced by that one */
    const struct rego_builtin *by_builtin;
    const struct rego_signature *by_signature;
};
/*
 * Of an iteration: an element goes on only if what it has at a path is what is wanted, as the step
 * behind it (or the rest of its own path) will find. select.c goes through these alone.
 */
struct rego_select {
    size_t key;                    /* which key of the ref iterates */
    uint32_t path;                 /* equal paths have equal numbers, in all rules */
    const struct rego_pattern *at; /* the path: n constants */
    size_t n;
    struct rego_operand wanted;
    bool any; /* wanted is a set or an array: any of its items */
};
struct rego_path { /* of constants */
    const struct rego_pattern *at;
    size_t n;
};
enum { REGO_PATHS_MAX = 1000 };
struct rego_step {
    enum rego_step_kind kind;
    const struct rego_step *next; /* NULL: a solution */
    const struct rego_module *module;
    struct rego_place place;
    struct rego_pattern match; /* what the value must match, or where it goes */
    const struct rego_operand *arg;
    size_t narg;
    union {
        struct {
            enum rego_base base;
            struct rego_operand of;        /* OPERAND */
            const struct rego_node *node;  /* DATA: the node that the constants lead to */
            const struct rego_pattern *at; /* keys in turn, behind the node */
            size_t n;
            size_t nskip;                     /* DATA: constant keys up to node */
            const struct rego_select *select; /* or NULL */
        } ref;
        struct {
            const struct rego_builtin *builtin;
            const struct rego_signature *signature;
        } call;
        struct {
            const struct rego_node *node;
        } function;
        struct {
            uint32_t counter;
        } cover;
        struct {
            enum rego_term_kind kind;
            const struct rego_step *body;
            struct rego_operand key, value;
        } compr;
        struct {
            const struct rego_part *part;
            size_t n;
        } parts;
        struct {
            const struct rego_step *body, *other;
            struct rego_pattern key, value; /* EVERY */
        } sub;
        struct {
            const struct rego_step *body;
            const struct rego_change *change;
            size_t n;
        } with;
    };
};

/* --- rules --- */

struct rego_definition { /* one rule as written, with its else chain */
    struct rego_rule *rule;
    struct rego_node *node;
    const struct rego_pattern *arg; /* functions */
    size_t narg;
    uint32_t nslots;                 /* registers of its whole else chain */
    const struct rego_step *body;    /* with the steps of its head behind */
    const struct rego_operand *tail; /* keys behind the node's path: p[x].b */
    size_t ntail;
    struct rego_operand key;   /* SET: the member */
    struct rego_operand value; /* else the value */
    bool constant;             /* value is one, and there is no tail */
    const struct rego_definition *else_;
};

struct rego_node { /* a document below data */
    struct value key;
    struct rego_node *parent;
    struct rego_node **child; /* sorted by rego_compare of keys once the tree is built */
    size_t nchild, child_room;
    uint32_t id;
    bool package;     /* the path of a package */
    bool named;       /* it is in its parent's .name */
    struct str *name; /* package: first names of its rules, sorted once the tree is built */
    size_t nnames, name_room;
    bool virtual_;            /* it or something below has rules */
    enum rego_head_kind kind; /* of its rules, if it has any */
    bool dynamic;             /* a definition has a tail: the value is built from all of them */
    struct rego_definition *definition;
    size_t ndefinitions, definition_room;
    struct rego_definition *otherwise; /* default */
    size_t narg;
    const struct rego_index *index; /* index.h; or NULL */
    bool one_constant;              /* every definition gives the same constant: one is enough */
    uint8_t mark;                   /* of walks while compiling */
    uint32_t order;                 /* of its rules: after all that they need */
};

struct rego_named_import {
    struct str name;
    struct rego_import *import;
};
struct rego_unit { /* a module, with what the compiler knows of it */
    struct rego_module *module;
    struct rego_node *package;
    const struct rego_named_import *import; /* of input and data, by name; NULL: not sorted yet */
    size_t nimports;
};

struct rego_cover { /* a place that is counted */
    const struct rego_module *module;
    struct rego_place place;
    bool optional; /* some x in xs: counts where it is evaluated only */
    bool head;     /* of a rule: its value is there */
};

struct rego_types;
struct rego_policy {
    struct arena arena;
    struct rego_types *types; /* infer.h: of its documents; or NULL */
    size_t type_steps;        /* left for checking them */
    bool annotated;           /* some rule has schemas of its own */
    uint32_t norder;          /* nodes that are in order */
    struct rego_cover *cover; /* with options.coverage */
    size_t ncovers, cover_room;
    struct rego_compile_options options;
    struct rego_unit *unit;
    size_t nunits;
    struct rego_node *root; /* data */
    uint32_t nnodes, nhints;
    struct rego_path *path; /* that elements are selected by */
    size_t npaths, path_room;
    const struct value *data;
    struct rego_shared *shared; /* compiled patterns: caches.h; locked where it is used */
};
struct rego_slots { /* a set of registers */
    uint64_t *word;
    size_t nwords;
};
struct rego_query {
    const struct rego_policy *policy;
    struct arena arena;
    const struct rego_step *body;
    uint32_t nslots, nhints;       /* hints of the policy included */
    struct rego_slots bound;       /* by the query as a whole */
    const struct rego_named_slot { /* variables of the answers, sorted by name */
        struct str name;
        uint32_t slot;
    } * variable;
    size_t nvariables;
    const struct rego_operand *value; /* of each expression as written */
    size_t nvalues;
};

/* --- compiling --- */

struct rego_variables { /* of a rule, or a query */
    struct rego_variable {
        struct str name; /* as written */
        struct rego_place place;
        bool generated;
        bool used;
        enum { REGO_MAY_BE_UNUSED, REGO_DECLARED, REGO_ASSIGNED, REGO_ARGUMENT } must;
    } * item;
    uint32_t n;
    size_t room;
};
struct rego_compiler {
    struct rego_policy *policy;
    struct arena *arena; /* of the policy, or of the query */
    struct rego_diags *diags;
    struct rego_unit *unit; /* now */
    struct rego_rule *rule; /* now; NULL in a query */
    struct rego_variables variables;
    uint32_t *nhints;
    struct rego_node **grown; /* while the tree is built: nodes by parent and key */
    size_t ngrown, grown_room;
    unsigned depth;
    bool out_of_memory;
    uint64_t steps, steps_check;               /* taken; when to look at the clock */
    int64_t until_ms;                          /* by the monotonic clock */
    const char *stopped;                       /* what it has too much of */
    struct rego_notes *notes;                  /* metadata.c: the annotations by what they are of */
    struct rego_read_signature *signature[16]; /* rego_signature_of; by address of the text */
};

void rego_complain(struct rego_compiler *c, const char *code, struct rego_place place,
                   const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Of a variable that stands for a part of what was written; nobody is told of it. */
#define REGO_LOCAL_NAME "__local"
uint32_t rego_new_slot(struct rego_compiler *c, struct str name, struct rego_place place,
                       bool generated);
/* The child of that key, or NULL. */
struct rego_node *rego_child(const struct rego_node *node, const struct value *key);
/* "data.a.b" */
void rego_node_text(struct buf *out, const struct rego_node *node);

/* Out of line: what n steps more cost is looked at. */
bool rego_look(struct rego_compiler *c);
/* n steps of compiling; false: it has taken too many, or too long. */
static inline bool rego_afford(struct rego_compiler *c, uint64_t n)
{
    c->steps += n;
    return c->steps < c->steps_check || rego_look(c);
}

/* resolve.c: names of a rule or a query: locals get slots, rules and imports become refs of data.
 */
bool rego_resolve_rule(struct rego_compiler *c, struct rego_rule *rule);
bool rego_resolve_body(struct rego_compiler *c, struct rego_body *body);
/* The dotted name of a call's operator, "io.jwt.decode"; {0} where it is no name. */
struct str rego_operator_name(struct rego_compiler *c, const struct rego_term *operator_);
/* The built-in of that name, the host's own among them; NULL if there is none. */
const struct rego_builtin *rego_known_builtin(const struct rego_compiler *c, struct str name);
/* What rego_signature_parse makes of a table's text, once for each compile; NULL: memory is out. */
const struct rego_signature *rego_signature_of(struct rego_compiler *c, const char *text);
/* What a resolved operator calls: a node with rules, or a built-in. */
struct rego_node *rego_operator_node(const struct rego_compiler *c,
                                     const struct rego_term *operator_);

/* expand.c: var = value, a literal that nobody wrote; NULL: memory is out. */
struct rego_expr *rego_make_equation(struct rego_compiler *c, struct rego_term *var,
                                     struct rego_term *value);

/* safety.c: order of a body's literals such that each has what it needs; complains of the rest. */
bool rego_slots_make(struct rego_compiler *c, struct rego_slots *ret);
static inline bool rego_slots_has(const struct rego_slots *set, uint32_t slot)
{
    return slot / 64 < set->nwords && (set->word[slot / 64] >> (slot % 64) & 1);
}
bool rego_slots_add(struct rego_compiler *c, struct rego_slots *set, uint32_t slot);
/* The bodies and heads of a rule with its else chain. */
bool rego_safe_rule(struct rego_compiler *c, struct rego_rule *rule);
bool rego_safe_query(struct rego_compiler *c, struct rego_body *body, struct rego_slots *ret_bound);

/* check.c: complaints only; false for memory and depth. */
bool rego_check_calls(struct rego_compiler *c, const struct rego_rule *rule);
bool rego_check_body(struct rego_compiler *c, const struct rego_body *body);
/* Conflicts between rules, and recursion. */
bool rego_check_policy(struct rego_compiler *c);

/* infer.c: calls, comparisons and refs whose types cannot fit. After safety: bodies are in order;
 * definitions come in that of rego_node.order: what they ask first. */
bool rego_check_types(struct rego_compiler *c, const struct rego_definition *definition);
bool rego_check_body_types(struct rego_compiler *c, const struct rego_body *body);

/* plan.c */
bool rego_plan_rule(struct rego_compiler *c, struct rego_rule *rule,
                    struct rego_definition *definition);
bool rego_plan_query(struct rego_compiler *c, struct rego_body *body, struct rego_query *query);

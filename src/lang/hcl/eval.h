/* eval.h - HCL expressions to values, as Terraform 1.11 evaluates them (facts/hcl.md sections 4 to
 * 6).
 *
 * Values:  struct value with cty's kinds. Types come from the values themselves (hcl_type_of):
 *          null and unknown nodes and empty lists, sets and maps carry theirs. Numbers carry
 *          their precision (hcl_precision).
 * Marks:   on the nodes, as cty has them (a set as a whole)
 * Names:   the evaluator knows no Terraform nouns: a reference is handed to the scope's
 *          `resolve`, which says how many of its steps it has consumed; the rest is applied here
 * Bounds:  steps, depth and bytes (struct hcl_limits); past one, a diagnostic names it
 * Errors:  diagnostics with Terraform's summaries; the value is then unknown of unknown type
 */
#pragma once
#include "lang/hcl/hcl.h"
#include "value/type.h"

/* One step of a static traversal: `.name`, `["key"]`, `[0]`. */
struct hcl_step {
    bool index;       /* written in brackets (or as .0) */
    struct value key; /* string or number */
    struct hcl_range range;
};
enum { HCL_STEPS_MAX = 64 };
struct hcl_traversal {
    struct str root;
    struct hcl_range root_range, range;
    const struct hcl_step *step;
    size_t n;
    /* Of the first bracket behind the steps that is not static; of hcl_each_reference, only where
     * nothing in it can be bound inside the expression. NULL: there is none. */
    const struct hcl_expr *key;
};

struct hcl_eval;

/* Names that expressions may use. Local names (for, template variables) hide what `resolve` knows.
 */
struct hcl_scope {
    const struct hcl_scope *parent;
    const struct str *name; /* of this level; NULL with n = 0 */
    const struct value *value;
    size_t n;
    /*
     * Looked for on the way out, innermost first. Gives the value of the longest part of the
     * traversal that it knows (ret_steps = steps consumed behind the root). False = an error was
     * added to ev's diagnostics.
     */
    bool (*resolve)(void *ctx, struct hcl_eval *ev, const struct hcl_traversal *traversal,
                    struct value *ret, size_t *ret_steps);
    void *ctx;
};

enum {
    HCL_TEXT_MAX = 64 << 20, /* bytes of one text that a function or a template makes */
    HCL_PARTS_MAX = 10000000 /* of one value, all that is in it counted each time it is there */
};
struct hcl_limits {
    uint64_t steps;    /* nodes evaluated; 0 = 50,000,000 */
    unsigned depth;    /* nested evaluations; 0 = HCL_DEPTH_MAX */
    uint64_t bytes;    /* of the arena, which bounds it anyway */
    uint64_t elements; /* of one collection made by a function; 0 = 10,000,000 */
};

/* The world that functions may see. */
struct hcl_world {
    struct str base_dir; /* file functions resolve relative paths here ... */
    struct str root_dir; /* ... and may not leave this folder; empty = no files at all */
    struct str home_dir; /* pathexpand */
    int64_t now_utc_ms;  /* plantimestamp; INT64_MIN = unknown */
    bool planning;       /* timestamp, uuid, bcrypt are unknown */
    bool short_circuit;  /* && and || as since Terraform 1.12 and OpenTofu 1.10: see eval_logic.c */
    bool opentofu;       /* OpenTofu's additional functions too */
    /* provider::NAME::FUNCTION; NULL = none. */
    bool (*call_provider)(void *ctx, struct hcl_eval *ev, struct str name, const struct value *args,
                          size_t nargs, struct value *ret);
    /* The text of a file that is there, instead of the disk's; NULL = none. */
    bool (*read)(void *ctx, struct str path, struct str *ret);
    void *ctx;
};

struct hcl_eval {
    struct arena *arena;
    struct str file, text; /* where the expression is written: for diagnostics */
    struct hcl_diags *diags;
    const struct hcl_world *world;
    struct hcl_limits limits;
    uint64_t steps;           /* so far */
    unsigned depth;           /* now */
    bool exhausted;           /* a limit was hit: everything fails from here on */
    bool constant;            /* no functions: a place for constants only */
    struct hcl_range calling; /* the name of the provider's function that is being called */
    bool in_template_file;    /* templatefile and templatestring may not be called */
    bool in_template_string;  /* nor files looked at */
};

/* False if diagnostics with errors were added; *ret is then an unknown. scope NULL: no names at
 * all, and JSON strings are no templates (tfvars, defaults). */
bool hcl_eval_expr(struct hcl_eval *ev, const struct hcl_expr *expr, const struct hcl_scope *scope,
                   struct value *ret);
/* Flatten VARIABLE.ATTRIBUTE[literal]... from the root as far as it is static; false if expr has no
 * such root. */
bool hcl_static_traversal(struct arena *arena, const struct hcl_expr *expr,
                          struct hcl_traversal *ret);
/* Call visit for every traversal in expr whose root is not bound inside it (for, splat). */
bool hcl_each_reference(struct arena *arena, const struct hcl_expr *expr,
                        bool (*visit)(void *ctx, const struct hcl_traversal *traversal), void *ctx);
/* Type constraint syntax: string, list(any), object({a = optional(string, "x")}), "legacy".
 * Defaults: an object tree (value of optional() defaults by path) or NULL. */
struct hcl_type_default;
bool hcl_type_constraint(struct hcl_eval *ev, const struct hcl_expr *expr, const struct type **ret,
                         const struct hcl_type_default **ret_defaults);
/* Apply optional() defaults before conversion (facts 8 "Variables"). */
bool hcl_apply_defaults(struct arena *arena, const struct hcl_type_default *defaults,
                        const struct value *v, struct value *ret);

/* --- cty on struct value (convert.c, unify.c, ops.c, number.c) --- */

/*
 * Infinities are numbers whose text has an exponent that no other number reaches, so that comparing
 * them needs no special case; hcl_number_text prints "+Inf" and "-Inf".
 */
extern const struct value hcl_infinity, hcl_minus_infinity;
bool hcl_is_infinite(const struct value *number);

enum hcl_precision { HCL_PREC_512 = 0, HCL_PREC_64 = 1, HCL_PREC_53 = 2 };

/* dynamic (never NULL) where it cannot be known. NULL only when the arena is full. */
const struct type *hcl_type_of(struct arena *arena, const struct value *v);
struct value hcl_null(const struct type *type);
struct value hcl_unknown(struct arena *arena, const struct type *type); /* no refinement */
/*
 * cty convert. *ret_why gets Terraform's text of the reason ("a number is required") on failure.
 * Marks are kept. to = dynamic leaves v as it is.
 */
bool hcl_convert(struct arena *arena, const struct value *v, const struct type *to,
                 struct value *ret, struct str *ret_why);
/* Is there an object in v that may have members which it does not list (OBJECT_OPEN)? What such a
 * value lacks for a type is unknown. */
bool hcl_is_open(const struct value *v);
/* hcl_convert; *ret_path is where in v the reason is, as Terraform's own messages put it before the
 * reason: "[0].name", or empty at the top. */
bool hcl_convert_path(struct arena *arena, const struct value *v, const struct type *to,
                      struct value *ret, struct str *ret_path, struct str *ret_why);
/* cty unify (facts 4): the common type, NULL if there is none. unsafe: string <- number and so on
 * allowed. */
const struct type *hcl_unify(struct arena *arena, const struct type *const *types, size_t n);
/* Text of a number as Terraform prints it (shortest decimal at its precision, no exponent, "+Inf").
 */
struct str hcl_number_text(struct arena *arena, const struct value *number);
/* a OP b with cty's precision rules; false with *ret_why for 0/0, Inf-Inf, ... op: HCL_PLUS ...
 * HCL_PERCENT. */
bool hcl_arith(struct arena *arena, enum hcl_token_kind op, const struct value *a,
               const struct value *b, struct value *ret, struct str *ret_why);
/* ==: unknown bool where it depends on unknown parts. */
struct value hcl_equals(struct arena *arena, const struct value *a, const struct value *b);
/* Elements in cty set order (facts 5 "Set order"), equal ones dropped, marks gathered on the whole.
 */
bool hcl_make_set(struct arena *arena, const struct type *elem, struct value *items, size_t n,
                  struct value *ret);
/* v with these marks added to its top node. */
static inline struct value hcl_with_marks(struct value v, uint8_t marks)
{
    v.marks |= marks;
    return v;
}
/* The union of the marks of a node and everything below it. */
uint8_t hcl_deep_marks(const struct value *v);

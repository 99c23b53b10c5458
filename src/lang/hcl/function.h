/* function.h - the functions of the language: a table per family, one driver that checks and
 * converts the arguments.
 *
 * One family = one file fn_NAME.c with `const struct hcl_function_family fn_NAME`; the build lists
 * them in gen/hcl_fn.inc.
 *
 * The driver (call.c) does for each argument what go-cty's function package does: expand `...`,
 * count, convert to the parameter's type ("Invalid function argument"), refuse null unless allowed,
 * return an unknown of the result type for unknown arguments unless allowed, gather the marks of
 * arguments that are not `marked` and put them on the result. So an implementation sees plain,
 * known values of the right type.
 */
#pragma once
#include "lang/hcl/eval.h"

struct buf;

enum hcl_param_flags {
    PARAM_NULL = 1,    /* null is passed on */
    PARAM_UNKNOWN = 2, /* an unknown argument is passed on */
    PARAM_DYNAMIC = 4, /* an unknown of unknown type is passed on */
    PARAM_MARKED = 8,  /* marks stay on the argument; the implementation handles them */
};

/* Written as text in tables: "string", "number", "bool", "any", "list(string)", "map(any)",
 * "set(any)" ... */
struct hcl_param {
    const char *name;
    const char *type;
    unsigned flags;
};

struct hcl_call {
    struct hcl_eval *ev;
    const struct hcl_function *function;
    const struct hcl_expr *expr; /* the call as written */
    const struct hcl_scope *scope;
    const struct value *arg;
    size_t n;
    struct str why; /* on failure: the reason, as Terraform says it */
    int bad_arg;    /* on failure: index of the argument to blame, -1 = the call */
};

enum { HCL_PARAMS_MAX = 4 };
struct hcl_function {
    const char *name;
    struct hcl_param param[HCL_PARAMS_MAX]; /* name NULL ends them */
    struct hcl_param rest;                  /* variadic; name NULL = none */
    const char *result; /* static result type as text; NULL = `type` tells, else dynamic */
    /* The result type from (possibly unknown) arguments; NULL = `result`. */
    const struct type *(*type)(struct hcl_call *call);
    bool (*run)(struct hcl_call *call, struct value *ret);
    unsigned result_not_null : 1; /* an unknown result is known not to be null */
    unsigned opentofu : 1;        /* only there */
    unsigned unknown_when_planning : 1;
    /* Instead of all that: evaluates its arguments itself (try, can, templatestring). */
    bool (*special)(struct hcl_eval *ev, const struct hcl_expr *call, const struct hcl_scope *scope,
                    struct value *ret);
};

struct hcl_function_family {
    const struct hcl_function *function;
    size_t n;
};

/* By name without "core::"; NULL if there is none. */
const struct hcl_function *hcl_function_find(struct str name, bool opentofu);
/* Evaluate the arguments and call; used by eval.c. try, can, templatefile, templatestring are
 * special inside. */
bool hcl_eval_call(struct hcl_eval *ev, const struct hcl_expr *call, const struct hcl_scope *scope,
                   struct value *ret);
/* Sets call->why (printf) and gives false. */
bool hcl_call_fail(struct hcl_call *call, int bad_arg, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Report call->why as Terraform does, for special functions; always false. */
bool hcl_call_report(const struct hcl_call *call);
/* Argument i as an int64; else fails with Terraform's words behind `prefix`, blaming bad_arg. */
bool hcl_call_whole(struct hcl_call *call, size_t i, int bad_arg, const char *prefix, int64_t *ret);
/* May a result have n elements (struct hcl_limits)? Else the failure names the limit. */
bool hcl_call_bound(struct hcl_call *call, uint64_t n);
/* Count n more steps against the limit of the evaluation. */
bool hcl_call_spend(struct hcl_call *call, uint64_t n);
/* The result is this text, in NFC; or what was put together in a buffer of limit HCL_TEXT_MAX. */
bool hcl_call_text(struct hcl_call *call, struct str text, struct value *ret);
bool hcl_call_buf(struct hcl_call *call, struct buf *buf, struct value *ret);
/* s with every match of the pattern replaced, $1 and ${name} expanded as Go does. */
bool hcl_regex_replace(struct hcl_call *call, struct str s, struct str pattern, struct str by,
                       struct buf *out);
/* The type that a table's text means ("list(string)"); NULL for a text that is not in the driver's
 * list. */
const struct type *hcl_named_type(const char *text);

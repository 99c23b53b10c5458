/* builtin.h - Rego's built-in functions: a table per family, the calling convention, the checks
 * that every call shares.
 *
 * One family = one file builtin_NAME.c with `const struct rego_family builtin_NAME`; the build
 * lists them. The driver checks operands against the signature (facts/rego.md 9: eval_type_error
 * texts "count: operand 1 must be one of {array, object, set, string} but got number"), so that an
 * implementation sees the right kinds.
 * Source: facts/rego.md 11
 */
#pragma once
#include "base/arena.h"
#include "lang/rego/term.h"

enum rego_outcome {
    REGO_DEFINED,
    REGO_UNDEFINED,
    REGO_FAILED, /* eval_builtin_error (or eval_type_error): undefined unless errors are strict */
    REGO_HALT    /* budget, memory, cancelled: aborts the whole evaluation */
};

struct err;
struct rego_signature; /* type.h */
struct rego_caches;    /* per evaluation: compiled regexes and globs, rand, http: builtin_cache.h */
/* What a policy asks the embedding program to read: text (name of its format, text), a file, or
 * several as [{path, contents}]. */
enum rego_configuration_kind {
    REGO_CONFIGURATION_TEXT,
    REGO_CONFIGURATION_FILE,
    REGO_CONFIGURATION_FILES
};
struct rego_configuration {
    enum rego_configuration_kind kind;
    const struct value *arg;
    struct str policy; /* the file that asks */
};
struct rego_host { /* what the embedding program grants and fixes; shared by threads, read-only */
    int64_t now_utc_ns;          /* time.now_ns for the whole query; INT64_MIN = the clock */
    const struct value *runtime; /* opa.runtime(); NULL = {} */
    const struct str *hosts;     /* allow-list for http.send and net.lookup_ip_addr; none = off */
    size_t nhosts;
    void (*print)(void *ctx, struct str text, struct str file, uint32_t row); /* NULL = none */
    /* parse_config and its kin; NULL = they fail */
    bool (*configuration)(void *ctx, struct arena *arena, const struct rego_configuration *what,
                          struct value *ret, struct err *err);
    void *ctx;
};
struct rego_call {
    struct arena *arena; /* results live here */
    const struct rego_host *host;
    struct rego_caches *caches;
    const struct value *arg;
    size_t n;
    struct str name;
    struct str file; /* of the policy that calls */
    /* Spend n steps of the evaluation's budget; false = REGO_HALT must be returned. */
    bool (*spend)(void *ctx, uint64_t n);
    void *spend_ctx;
    bool type_error; /* on REGO_FAILED: the code is eval_type_error */
    bool refused;    /* on REGO_FAILED: it ends the evaluation, strict or not */
    struct str why;  /* on REGO_FAILED: without the "name: " in front */
};
typedef enum rego_outcome rego_builtin_fn(struct rego_call *call, struct value *ret);

enum rego_builtin_flags {
    REGO_RELATION = 1,         /* walk: gives an array of results, the driver iterates */
    REGO_NONDETERMINISTIC = 2, /* cached by arguments within one query */
    REGO_DEPRECATED = 4,       /* compile error in v1 */
    REGO_VOID = 8,             /* no result: print */
    REGO_INTERNAL = 16         /* not callable by name in `with` */
};
struct rego_builtin {
    const char *name;  /* "array.concat" */
    const char *infix; /* "+" or NULL */
    /*
     * "(array[any], number) => set[string]"; types: any null boolean number string
     * array[T] array<T1, T2> set[T] object[K: V] object<a: T, b: T> and T | T; facts 11.1.
     */
    const char *signature;
    rego_builtin_fn *run; /* NULL: the evaluator itself does it (eq, assign, print, member) */
    unsigned flags;
};
struct rego_family {
    const struct rego_builtin *builtin;
    size_t n;
};

/* Of one family; NULL where it has none of that name. */
const struct rego_builtin *rego_family_find(const struct rego_family *family, struct str name);
const struct rego_builtin *rego_builtin_find(struct str name);
const struct rego_builtin *rego_builtin_find_infix(struct str op);
size_t rego_builtin_count(void);
const struct rego_builtin *rego_builtin_at(size_t i); /* in order of name */

/* REGO_DEFINED, or REGO_FAILED for the first operand of a kind that the signature lacks. */
enum rego_outcome rego_check_operands(struct rego_call *call,
                                      const struct rego_signature *signature);

/* --- for implementations --- */

/* Fill call->why and give REGO_FAILED: an error of the function itself (eval_builtin_error) ... */
enum rego_outcome rego_fail(struct rego_call *call, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The same of what is not granted or not there: undefined would look like "nothing found". */
enum rego_outcome rego_refuse(struct rego_call *call, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* ... and of operand i (from 0): "operand 2 must be integer number but got string" */
enum rego_outcome rego_fail_operand(struct rego_call *call, size_t i, const char *want,
                                    const struct value *got);
/* Bytes that a text may have that is built beside the arena. */
static inline size_t rego_room(const struct rego_call *call)
{
    size_t left = call->arena->limit - call->arena->used;
    return left < VALUE_LEN_MAX ? left : VALUE_LEN_MAX;
}
/* A step for each 64 bytes that are looked at or written, and one; false = REGO_HALT. */
static inline bool rego_spend_bytes(const struct rego_call *call, size_t n)
{
    return !call->spend || call->spend(call->spend_ctx, n / 64 + 1);
}
/* Results that are texts; ptr NULL or a failed buffer = memory is out: REGO_HALT. */
enum rego_outcome rego_give_text(struct rego_call *call, struct str text, struct value *ret);
enum rego_outcome rego_give_buf(struct rego_call *call, struct buf *buf, struct value *ret);

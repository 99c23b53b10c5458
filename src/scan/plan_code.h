/* plan_code.h - the code that a plan was made of: where it gives an attribute its value.
 *
 * The plan does not say where its code is: that is given, and opened when it is first asked, with
 * the plan's variables; no provider is started, no state is read
 * Owner:   the arena it was made with
 */
#pragma once
#include "model/finding.h"
#include "scan/look.h"

struct plan_code;

struct plan_code_options {
    struct str dir; /* the root module */
    const char *(*env)(const char *name);
    int64_t now_utc_ms;
};
/*
 * Where the code gives a value of an instance: the expression that decides it, else the instance's
 * block. The file is below `base` (empty: as the root module names it); the excerpt is its lines.
 */
bool code_value_place(struct arena *arena, struct str base, struct code *code,
                      const struct code_instance *instance, struct path path,
                      struct location *ret_at, struct str *ret_excerpt, struct err *err);

bool plan_code_make(struct arena *arena, const struct plan_code_options *options,
                    struct plan_code **ret, struct err *err);
void plan_code_close(struct plan_code *code); /* NULL is fine */
/*
 * The expression that decides the attribute of that address, else its block. at->file empty: the
 * code does not have it, and *ret_note says so (or is empty). False only for memory.
 */
bool plan_code_place(struct plan_code *code, const struct value *plan, struct str address,
                     struct path path, struct location *ret_at, struct str *ret_excerpt,
                     struct str *ret_note, struct err *err);

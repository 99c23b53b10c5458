/* code_check.c - check blocks: what they find is a warning. */
#include "desired/code_parts.h"

static bool validate(const struct code_scope *scope, const struct code_conditions *asserts)
{
    bool fine = true;
    struct value v;
    for (size_t i = 0; i < asserts->n; i++) {
        const struct code_expr *message = &asserts->item[i].error_message;
        const struct code_expr *condition = &asserts->item[i].condition;
        if (!code_check_refs(scope,
                             code_refs_of(scope->walk->code, condition->file, condition->expr)))
            fine = false;
        if (message->expr && !code_eval(scope, message->file, message->expr, &type_dynamic, &v))
            fine = false;
    }
    return fine;
}

bool code_run_check(struct code_walk *walk, struct code_node *node)
{
    const struct code_check *check = &node->in->module->checks[node->at];
    struct code_instances_of *modules = code_modules(walk, node->in);
    bool fine = true;
    for (size_t i = 0; i < modules->n; i++) {
        struct code_scope scope = {.walk = walk, .module = &modules->item[i], .check = check->name};
        bool ok = walk->validate
                      ? validate(&scope, &check->asserts)
                      : code_run_conditions(&scope, &check->asserts, CODE_CONDITION_CHECK);
        fine = ok && fine;
    }
    return fine;
}

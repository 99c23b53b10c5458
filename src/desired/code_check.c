/* code_check.c - check blocks: what they find is a warning.
 *
 * A data source in one: where it cannot be read its error is a warning, and nothing is asserted;
 *          where nobody here reads it, nothing is said of what it would decide
 * Source:  Terraform terraform/node_check.go, node_resource_abstract_instance.go (planDataSource)
 */
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

/* What became of the data source that stands in the block. */
static void look_at_data(struct code_scope *scope, const struct code_node *node,
                         bool *ret_unreadable)
{
    const struct code_module *m = node->in->module;
    for (size_t i = 0; i < m->nresources; i++) {
        const struct code_result *r = code_result(scope->walk, &node->in->resources[i]);
        if (!str_equal(m->resources[i].check, scope->check) || !r->expansion)
            continue;
        const struct code_expansion *e = &r->expansion[scope->module->index];
        for (uint32_t k = 0; e->made && k < e->n; k++) {
            scope->unread |= e->made[k].unread;
            *ret_unreadable |= e->made[k].unreadable;
        }
    }
}

static bool plan(struct code_scope *scope, const struct code_node *node,
                 const struct code_conditions *asserts)
{
    bool unreadable = false;
    look_at_data(scope, node, &unreadable);
    return unreadable || code_run_conditions(scope, asserts, CODE_CONDITION_CHECK);
}

bool code_run_check(struct code_walk *walk, struct code_node *node)
{
    const struct code_check *check = &node->in->module->checks[node->at];
    struct code_instances_of *modules = code_modules(walk, node->in);
    bool fine = true;
    for (size_t i = 0; i < modules->n; i++) {
        struct code_scope scope = {.walk = walk, .module = &modules->item[i], .check = check->name};
        bool ok = walk->validate ? validate(&scope, &check->asserts)
                                 : plan(&scope, node, &check->asserts);
        fine = ok && fine;
    }
    return fine;
}

/* code_value.c - locals and outputs. */
#include "desired/code_parts.h"

static bool room_for(struct code_walk *walk, const struct code_node *node)
{
    struct code_result *r = code_result(walk, node);
    r->value = arena_new(&walk->code->arena, struct value, code_modules(walk, node->in)->n);
    return r->value;
}

/* --- locals --- */

static bool refers_to_itself(struct code_walk *walk, const struct code_node *node)
{
    const struct code_local *local = &node->in->module->locals[node->at];
    struct code_refs refs = code_refs_of(walk->code, local->value.file, local->value.expr);
    bool self = false;
    for (size_t i = 0; i < refs.n; i++)
        if (refs.ref[i].kind == CODE_REF_LOCAL && str_equal(refs.ref[i].name, local->name)) {
            code_say(walk, refs.ref[i].file, refs.ref[i].range, false,
                     "Self-referencing local value",
                     "Local value local.%.*s cannot use its own result as part of its expression.",
                     STR_ARG(local->name));
            self = true;
        }
    return self;
}

bool code_run_local(struct code_walk *walk, struct code_node *node)
{
    const struct code_local *local = &node->in->module->locals[node->at];
    struct code_instances_of *modules = code_modules(walk, node->in);
    bool fine = true;
    if (!room_for(walk, node) || refers_to_itself(walk, node))
        return false;
    for (size_t i = 0; i < modules->n; i++) {
        struct code_scope scope = {.walk = walk, .module = &modules->item[i]};
        if (code_is_needed(walk, node, scope.module, NULL) &&
            !code_eval(&scope, local->value.file, local->value.expr, &type_dynamic,
                       &code_result(walk, node)->value[i]))
            fine = false;
    }
    return fine;
}

/* --- outputs --- */

static bool fault(struct code_walk *walk, const struct hcl_file *file, struct hcl_range subject,
                  const char *summary, const char *detail)
{
    code_say(walk, file, subject, false, summary, "%s", detail);
    return false;
}

static bool check_marks(struct code_walk *walk, const struct code_output *output, bool root,
                        const struct value *v)
{
    uint8_t deep = hcl_deep_marks(v);
    if (root && !output->sensitive && (deep & VALUE_SENSITIVE))
        return fault(
            walk, output->place.file, output->place.range, "Output refers to sensitive values",
            "To reduce the risk of accidentally exporting sensitive data that was intended "
            "to be only internal, Terraform requires that any root module output containing "
            "sensitive data be explicitly marked as sensitive, to confirm your "
            "intent.\n\nIf you do intend to export this data, annotate the output value as "
            "sensitive by adding the following argument:\n    sensitive = true");
    if (output->ephemeral && !(v->marks & VALUE_EPHEMERAL))
        return fault(
            walk, output->value.file, output->value.expr->range,
            "Value not allowed in ephemeral output",
            "This output value is declared as returning an ephemeral value, so it can only "
            "be set to an ephemeral value.");
    if (!output->ephemeral && (deep & VALUE_EPHEMERAL))
        return fault(walk, output->value.file, output->value.expr->range,
                     "Ephemeral value not allowed",
                     "This output value is not declared as returning an ephemeral value, so it "
                     "cannot be set to a result derived from an ephemeral value.");
    return true;
}

static bool run_in(struct code_walk *walk, const struct code_output *output,
                   struct code_module_instance *module, struct value *ret)
{
    struct code_scope scope = {.walk = walk, .module = module};
    bool root = !module->parent;
    if (root && output->ephemeral)
        return fault(walk, output->place.file, output->place.range, "Ephemeral output not allowed",
                     "Ephemeral outputs are not allowed in context of a root module");
    if (!walk->validate &&
        !code_run_conditions(&scope, &output->preconditions, CODE_CONDITION_OUTPUT))
        return false;
    bool fine = code_eval(&scope, output->value.file, output->value.expr, &type_dynamic, ret);
    fine = code_check_depends_on(&scope, output->depends_on, output->ndepends_on) && fine;
    if (fine)
        fine = check_marks(walk, output, root, ret);
    if (output->sensitive)
        ret->marks |= VALUE_SENSITIVE;
    if (output->ephemeral)
        ret->marks |= VALUE_EPHEMERAL;
    return fine;
}

bool code_run_output(struct code_walk *walk, struct code_node *node)
{
    const struct code_output *output = &node->in->module->outputs[node->at];
    struct code_instances_of *modules = code_modules(walk, node->in);
    bool fine = true;
    if (!room_for(walk, node))
        return false;
    if (!output->value.expr)
        return true;
    for (size_t i = 0; i < modules->n; i++)
        if (code_is_needed(walk, node, &modules->item[i], NULL) &&
            !run_in(walk, output, &modules->item[i], &code_result(walk, node)->value[i]))
            fine = false;
    return fine;
}

/* code_variable.c - input variables: what they were given, converted and checked. */
#include "desired/code_parts.h"

/* Where a value comes from, for messages. */
struct given {
    bool is_set; /* even to null */
    struct value value;
    const struct hcl_file *file; /* of the value; NULL = it has no place */
    struct hcl_range range;
    const char *source; /* "set using -var=\"%s=...\"": where there is no place */
};

static bool fault(struct code_walk *walk, const struct hcl_file *file, struct hcl_range subject,
                  const char *summary, struct str detail)
{
    code_say(walk, file, subject, false, summary, "%.*s", STR_ARG(detail));
    return false;
}

static struct str variable_text(struct code_walk *walk, const struct code_module_instance *module,
                                const struct code_variable *v)
{
    return arena_printf(&walk->code->arena, "%.*s%svar.%.*s", STR_ARG(module->address),
                        module->address.len ? "." : "", STR_ARG(v->name));
}

static struct str place_text(struct code_walk *walk, const struct code_place *place)
{
    return arena_printf(&walk->code->arena, "%.*s:%u", STR_ARG(place->file->name), place->line);
}

static struct str source_text(struct code_walk *walk, const struct code_variable *v,
                              const struct given *given)
{
    return str_equal(str_from(given->source), STR("-var"))
               ? arena_printf(&walk->code->arena, "set using -var=\"%.*s=...\"", STR_ARG(v->name))
               : arena_printf(&walk->code->arena, "set using the TF_VAR_%.*s environment variable",
                              STR_ARG(v->name));
}

/* --- the final value --- */

static bool bad_value(struct code_walk *walk, const struct code_module_instance *module,
                      const struct code_variable *v, const struct given *given, struct str why)
{
    struct arena *arena = &walk->code->arena;
    struct str name = variable_text(walk, module, v), at = place_text(walk, &v->place);
    static const char summary[] = "Invalid value for input variable";
    if (!given->file)
        return fault(walk, v->place.file, v->place.range, summary,
                     arena_printf(arena, "Unsuitable value for %.*s %.*s: %.*s.", STR_ARG(name),
                                  STR_ARG(source_text(walk, v, given)), STR_ARG(why)));
    if (v->sensitive)
        return fault(walk, v->place.file, v->place.range, summary,
                     arena_printf(arena,
                                  "The given value is not suitable for %.*s, which is sensitive: "
                                  "%.*s. Invalid value defined at %.*s.",
                                  STR_ARG(name), STR_ARG(why), STR_ARG(given->file->name)));
    return fault(walk, given->file, given->range, summary,
                 arena_printf(arena,
                              "The given value is not suitable for %.*s declared at %.*s: %.*s.",
                              STR_ARG(name), STR_ARG(at), STR_ARG(why)));
}

static bool null_value(struct code_walk *walk, const struct code_module_instance *module,
                       const struct code_variable *v, const struct given *given)
{
    struct arena *arena = &walk->code->arena;
    struct str name = variable_text(walk, module, v);
    static const char summary[] = "Required variable not set";
    if (!given->file)
        return fault(walk, v->place.file, v->place.range, summary,
                     arena_printf(arena,
                                  "Unsuitable value for %.*s %.*s: required variable may not be "
                                  "set to null.",
                                  STR_ARG(name), STR_ARG(source_text(walk, v, given))));
    return fault(walk, given->file, given->range, summary,
                 arena_printf(arena,
                              "The given value is not suitable for %.*s defined at %.*s: required "
                              "variable may not be set to null.",
                              STR_ARG(name), STR_ARG(place_text(walk, &v->place))));
}

static bool check_marks(struct code_walk *walk, const struct code_variable *v,
                        const struct given *given, struct value *ret)
{
    if (v->ephemeral) {
        ret->marks |= VALUE_EPHEMERAL;
        return true;
    }
    if (!(hcl_deep_marks(ret) & VALUE_EPHEMERAL))
        return true;
    return fault(walk, given->file ? given->file : v->place.file,
                 given->file ? given->range : v->place.range, "Ephemeral value not allowed",
                 STR("This input variable is not declared as accepting a ephemeral values, so it "
                     "cannot be set to a result derived from an ephemeral value."));
}

static bool final_value(struct code_walk *walk, const struct code_module_instance *module,
                        const struct code_variable *v, const struct given *given, struct value *ret)
{
    struct arena *arena = &walk->code->arena;
    const struct type *type = v->type ? v->type : &type_dynamic;
    struct value value = given->value, filled;
    struct str why;
    *ret = hcl_unknown(arena, type);
    if (!given->is_set && !v->has_default)
        return fault(walk, v->place.file, v->place.range, "Required variable not set",
                     arena_printf(arena, "The variable \"%.*s\" is required, but is not set.",
                                  STR_ARG(v->name)));
    if (!given->is_set)
        value = v->default_value;
    if (v->defaults && value.kind != VALUE_NULL &&
        hcl_apply_defaults(arena, v->defaults, &value, &filled))
        value = filled;
    if (!hcl_convert(arena, &value, type, ret, &why)) {
        *ret = hcl_unknown(arena, type);
        return bad_value(walk, module, v, given, why);
    }
    if (ret->kind == VALUE_NULL && !v->nullable) {
        if (!v->has_default) {
            *ret = hcl_unknown(arena, type);
            return null_value(walk, module, v, given);
        }
        *ret = v->default_value;
    }
    return check_marks(walk, v, given, ret);
}

/* --- what was given --- */

static bool root_value(struct code_walk *walk, const struct code_variable *v, size_t at,
                       struct given *ret)
{
    const struct code_input *input = &walk->code->inputs[at];
    *ret = (struct given){.file = v->place.file, .range = v->place.range};
    switch (input->kind) {
    case CODE_INPUT_NONE:
        return true;
    case CODE_INPUT_FILE:
        *ret = (struct given){true, input->value, input->file, input->range, NULL};
        return !input->bad;
    default:
        *ret = (struct given){.is_set = true,
                              .value = input->value,
                              .source = input->kind == CODE_INPUT_ENV ? "TF_VAR" : "-var"};
        return !input->bad;
    }
}

static bool argument_value(struct code_walk *walk, const struct code_config *config,
                           struct code_module_instance *module, const struct code_variable *v,
                           struct given *ret)
{
    struct code_scope scope = {.walk = walk, .module = module->parent, .each = module->each};
    const struct hcl_file *file;
    const struct hcl_attribute *a = code_call_argument(walk->code, config->call, v->name, &file);
    *ret = (struct given){.file = v->place.file, .range = v->place.range};
    if (!a)
        return true;
    scope.each.any = walk->validate;
    *ret = (struct given){.is_set = true, .file = file, .range = a->value->range};
    return code_eval(&scope, file, a->value, &type_dynamic, &ret->value);
}

/* A required variable of the root that has no value: unknown, where that is allowed. */
static bool explored(struct code_walk *walk, const struct code_config *config,
                     const struct code_variable *v, const struct given *given)
{
    return !config->parent && !given->is_set && !v->has_default &&
           walk->code->options.phase == CODE_EXPLORE;
}

bool code_run_variable(struct code_walk *walk, struct code_node *node)
{
    struct arena *arena = &walk->code->arena;
    const struct code_config *config = node->in;
    const struct code_variable *v = &config->module->variables[node->at];
    struct code_instances_of *modules = code_modules(walk, config);
    struct code_result *r = code_result(walk, node);
    bool fine = true;
    r->value = arena_new(arena, struct value, modules->n);
    for (size_t i = 0; r->value && i < modules->n; i++) {
        struct given given = {0};
        if (!code_is_needed(walk, node, &modules->item[i], NULL))
            continue;
        r->value[i] = hcl_unknown(arena, v->type ? v->type : &type_dynamic);
        if (!config->parent && walk->validate)
            continue;
        bool got = config->parent ? argument_value(walk, config, &modules->item[i], v, &given)
                                  : root_value(walk, v, node->at, &given);
        if (got && explored(walk, config, v, &given))
            continue;
        if (!got || !final_value(walk, &modules->item[i], v, &given, &r->value[i]))
            fine = false;
    }
    return r->value && fine;
}

/* --- rules --- */

/* The value's place: the argument of the call, or the file that sets it; else the declaration. */
static struct code_place value_place(struct code_walk *walk, const struct code_node *node)
{
    const struct code_config *config = node->in;
    const struct code_variable *v = &config->module->variables[node->at];
    struct code_place place = v->place;
    const struct hcl_file *file;
    if (config->parent) {
        const struct hcl_attribute *a =
            code_call_argument(walk->code, config->call, v->name, &file);
        if (a) {
            place.file = file;
            place.range = a->value->range;
        }
    } else if (!walk->validate && walk->code->inputs[node->at].kind == CODE_INPUT_FILE) {
        place.file = walk->code->inputs[node->at].file;
        place.range = walk->code->inputs[node->at].range;
    }
    return place;
}

static bool check_rule_refs(const struct code_scope *scope, const struct code_conditions *rules)
{
    bool fine = true;
    for (size_t i = 0; i < rules->n; i++) {
        const struct code_expr *both[] = {&rules->item[i].condition, &rules->item[i].error_message};
        for (size_t k = 0; k < 2; k++)
            if (!code_check_refs(scope,
                                 code_refs_of(scope->walk->code, both[k]->file, both[k]->expr)))
                fine = false;
    }
    return fine;
}

bool code_run_validation(struct code_walk *walk, struct code_node *node)
{
    struct code_config *config = node->in;
    const struct code_variable *v = &config->module->variables[node->at];
    struct code_instances_of *modules = code_modules(walk, config);
    const struct code_result *value = code_result(walk, &config->variables[node->at]);
    struct code_place place = value_place(walk, node);
    bool fine = true;
    for (size_t i = 0; i < modules->n && v->validations.n; i++) {
        struct code_scope scope = {.walk = walk,
                                   .module = &modules->item[i],
                                   .variable = v,
                                   .variable_value = value->value ? value->value[i] : hcl_any()};
        if (!code_is_needed(walk, node, &modules->item[i], NULL))
            continue;
        if (!check_rule_refs(&scope, &v->validations)) {
            fine = false;
            continue;
        }
        for (size_t k = 0; k < v->validations.n; k++)
            if (!code_run_rule(&scope, &v->validations.item[k], &place))
                fine = false;
    }
    return fine;
}

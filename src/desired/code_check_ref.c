/* code_check_ref.c - what Terraform says of references before it evaluates the expression. */
#include "desired/code_parts.h"

static bool fault(const struct code_scope *scope, const struct code_ref *ref, const char *summary,
                  struct str detail)
{
    code_say(scope->walk, ref->file, ref->range, false, summary, "%.*s", STR_ARG(detail));
    return false;
}

/* " Did you mean \"x\"?", or nothing. name_of gives the i-th candidate. */
static struct str suggestion(struct arena *arena, struct str name, const void *list, size_t n,
                             size_t size)
{
    struct str *names = arena_new(arena, struct str, n);
    for (size_t i = 0; names && i < n; i++)
        names[i] = *(const struct str *)(const void *)((const char *)list + i * size);
    struct str near = names ? str_nearest(name, names, n) : (struct str){0};
    return near.len ? arena_printf(arena, " Did you mean \"%.*s\"?", STR_ARG(near)) : STR("");
}

/* variables, locals, calls begin with their name */
static_assert(offsetof(struct code_variable, name) == 0, "suggestion reads it there");
static_assert(offsetof(struct code_local, name) == 0, "suggestion reads it there");
static_assert(offsetof(struct code_module_call, name) == 0, "suggestion reads it there");

static struct str module_text(const struct code_config *config)
{
    return config->path.len ? config->path : STR("the root module");
}

/* --- without values --- */

static bool undeclared_resource(const struct code_scope *scope, const struct code_ref *ref)
{
    static const char *const kinds[] = {
        [CODE_MANAGED] = "A managed", [CODE_DATA] = "A data", [CODE_EPHEMERAL] = "An ephemeral"};
    struct arena *arena = &scope->walk->code->arena;
    const struct code_config *in = scope->module->config;
    struct str hint = STR("");
    if (ref->mode == CODE_MANAGED &&
        code_find_resource(in->module, CODE_DATA, ref->type, ref->name))
        hint = arena_printf(arena, "\n\nDid you mean the data resource data.%.*s.%.*s?",
                            STR_ARG(ref->type), STR_ARG(ref->name));
    return fault(scope, ref, "Reference to undeclared resource",
                 arena_printf(arena,
                              "%s resource \"%.*s\" \"%.*s\" has not been declared in %.*s.%.*s",
                              kinds[ref->mode], STR_ARG(ref->type), STR_ARG(ref->name),
                              STR_ARG(module_text(in)), STR_ARG(hint)));
}

/* Is the key there where it must be, and only there? */
static bool check_key(const struct code_scope *scope, const struct code_ref *ref,
                      const struct code_resource *r)
{
    struct arena *arena = &scope->walk->code->arena;
    struct str name = code_ref_text(arena, ref);
    bool count = r->count.expr, each = r->for_each.expr;
    if (ref->has_key && !count && !each)
        return fault(scope, ref, "Unexpected resource instance key",
                     arena_printf(arena,
                                  "Because %.*s does not have \"count\" or \"for_each\" set, "
                                  "references to it must not include an index key. Remove the "
                                  "bracketed index to refer to the single instance of this "
                                  "resource.",
                                  STR_ARG(name)));
    if (ref->has_key || ref->nrest == 0 || (!count && !each))
        return true;
    return fault(scope, ref, "Missing resource instance key",
                 arena_printf(arena,
                              "Because %.*s has \"%s\" set, its attributes must be accessed on "
                              "specific instances.\n\nFor example, to correlate with indices of a "
                              "referring resource, use:\n    %.*s[%s]",
                              STR_ARG(name), count ? "count" : "for_each", STR_ARG(name),
                              count ? "count.index" : "each.key"));
}

static bool check_resource(const struct code_scope *scope, const struct code_ref *ref)
{
    const struct code_config *in = scope->module->config;
    struct code *code = scope->walk->code;
    const struct code_resource *r = code_find_resource(in->module, ref->mode, ref->type, ref->name);
    if (!r)
        return undeclared_resource(scope, ref);
    bool fine = check_key(scope, ref, r);
    if (r->check.len && !str_equal(r->check, scope->check))
        fine = fault(scope, ref, "Reference to scoped resource",
                     arena_printf(&code->arena,
                                  "The referenced data resource \"%.*s\" \"%.*s\" is not available "
                                  "from this context.",
                                  STR_ARG(ref->type), STR_ARG(ref->name)));
    const struct schema *schema = code_schema_of(code, r->provider_source, r->mode, r->type);
    if (!schema)
        return fine;
    return code_check_traversal(scope, ref->file, &schema->block, ref->rest, ref->nrest) && fine;
}

static bool check_module(const struct code_scope *scope, const struct code_ref *ref)
{
    struct arena *arena = &scope->walk->code->arena;
    const struct code_module *m = scope->module->config->module;
    if (code_find_call(m, ref->name))
        return true;
    return fault(
        scope, ref, "Reference to undeclared module",
        arena_printf(arena, "No module call named \"%.*s\" is declared in %.*s.%.*s",
                     STR_ARG(ref->name), STR_ARG(module_text(scope->module->config)),
                     STR_ARG(suggestion(arena, ref->name, m->calls, m->ncalls, sizeof *m->calls))));
}

static bool check_self(const struct code_scope *scope, const struct code_ref *ref)
{
    if (!scope->self_value)
        return fault(scope, ref, "Invalid \"self\" reference",
                     STR("The \"self\" object is not available in this context. This object can be "
                         "used only in resource provisioner, connection, and postcondition "
                         "blocks."));
    if (!scope->self_schema)
        return true;
    return code_check_traversal(scope, ref->file, &scope->self_schema->block, ref->rest,
                                ref->nrest);
}

static bool check_static(const struct code_scope *scope, const struct code_ref *ref)
{
    switch (ref->kind) {
    case CODE_REF_RESOURCE:
    case CODE_REF_INSTANCE:
        return check_resource(scope, ref);
    case CODE_REF_MODULE:
    case CODE_REF_MODULE_AT:
    case CODE_REF_OUTPUT:
        return check_module(scope, ref);
    case CODE_REF_SELF:
        return check_self(scope, ref);
    default:
        return true;
    }
}

/* --- with what the place offers --- */

static bool check_variable(const struct code_scope *scope, const struct code_ref *ref)
{
    struct arena *arena = &scope->walk->code->arena;
    const struct code_module *m = scope->module->config->module;
    if (code_find_variable(m, ref->name))
        return true;
    struct str hint =
        suggestion(arena, ref->name, m->variables, m->nvariables, sizeof *m->variables);
    if (!hint.len)
        hint =
            arena_printf(arena, " This variable can be declared with a variable \"%.*s\" {} block.",
                         STR_ARG(ref->name));
    return fault(scope, ref, "Reference to undeclared input variable",
                 arena_printf(arena,
                              "An input variable with the name \"%.*s\" has not been "
                              "declared.%.*s",
                              STR_ARG(ref->name), STR_ARG(hint)));
}

static bool check_local(const struct code_scope *scope, const struct code_ref *ref)
{
    struct arena *arena = &scope->walk->code->arena;
    const struct code_module *m = scope->module->config->module;
    if (code_find_local(m, ref->name))
        return true;
    return fault(
        scope, ref, "Reference to undeclared local value",
        arena_printf(
            arena, "A local value with the name \"%.*s\" has not been declared.%.*s",
            STR_ARG(ref->name),
            STR_ARG(suggestion(arena, ref->name, m->locals, m->nlocals, sizeof *m->locals))));
}

static bool check_count(const struct code_scope *scope, const struct code_ref *ref)
{
    if (!str_equal(ref->name, STR("index")))
        return fault(scope, ref, "Invalid \"count\" attribute",
                     arena_printf(&scope->walk->code->arena,
                                  "The \"count\" object does not have an attribute named \"%.*s\". "
                                  "The only supported attribute is count.index, which is the index "
                                  "of each instance of a resource block that has the \"count\" "
                                  "argument set.",
                                  STR_ARG(ref->name)));
    return scope->each.any || scope->each.kind == CODE_KEY_COUNT ||
           fault(scope, ref, "Reference to \"count\" in non-counted context",
                 STR("The \"count\" object can only be used in \"module\", \"resource\", and "
                     "\"data\" blocks, and only when the \"count\" argument is set."));
}

static bool check_each(const struct code_scope *scope, const struct code_ref *ref)
{
    bool value = str_equal(ref->name, STR("value"));
    if (!value && !str_equal(ref->name, STR("key")))
        return fault(scope, ref, "Invalid \"each\" attribute",
                     arena_printf(&scope->walk->code->arena,
                                  "The \"each\" object does not have an attribute named \"%.*s\". "
                                  "The supported attributes are each.key and each.value, the "
                                  "current key and value pair of the \"for_each\" attribute set.",
                                  STR_ARG(ref->name)));
    if (scope->each.any || scope->each.kind == CODE_KEY_EACH)
        return true;
    if (value)
        return fault(scope, ref, "each.value cannot be used in this context",
                     STR("A reference to \"each.value\" has been used in a context in which it is "
                         "unavailable, such as when the configuration no longer contains the value "
                         "in its \"for_each\" expression. Remove this reference to each.value in "
                         "your configuration to work around this error."));
    return fault(scope, ref, "Reference to \"each\" in context without for_each",
                 STR("The \"each\" object can be used only in \"module\" or \"resource\" blocks, "
                     "and only when the \"for_each\" argument is set."));
}

static bool check_path(const struct code_scope *scope, const struct code_ref *ref)
{
    static const struct str names[] = {STR_INIT("cwd"), STR_INIT("module"), STR_INIT("root")};
    struct arena *arena = &scope->walk->code->arena;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_equal(ref->name, names[i]))
            return true;
    return fault(scope, ref, "Invalid \"path\" attribute",
                 arena_printf(arena,
                              "The \"path\" object does not have an attribute named \"%.*s\".%.*s",
                              STR_ARG(ref->name),
                              STR_ARG(suggestion(arena, ref->name, names, 3, sizeof *names))));
}

static bool check_terraform(const struct code_scope *scope, const struct code_ref *ref)
{
    if (str_equal(ref->name, STR("workspace")) || str_equal(ref->name, STR("applying")))
        return true;
    return fault(scope, ref, "Invalid \"terraform\" attribute",
                 arena_printf(&scope->walk->code->arena,
                              "The \"terraform\" object does not have an attribute named "
                              "\"%.*s\". The only supported attributes are terraform.workspace, "
                              "the name of the currently-selected workspace, and "
                              "terraform.applying, a boolean which is true only during apply.",
                              STR_ARG(ref->name)));
}

static bool check_data(const struct code_scope *scope, const struct code_ref *ref)
{
    switch (ref->kind) {
    case CODE_REF_VARIABLE:
        return check_variable(scope, ref);
    case CODE_REF_LOCAL:
        return check_local(scope, ref);
    case CODE_REF_COUNT:
        return check_count(scope, ref);
    case CODE_REF_EACH:
        return check_each(scope, ref);
    case CODE_REF_PATH:
        return check_path(scope, ref);
    case CODE_REF_TERRAFORM:
        return check_terraform(scope, ref);
    default:
        return true;
    }
}

/* Three rounds, as Terraform goes: is it a reference, is it declared, is it available here. */
bool code_check_refs(const struct code_scope *scope, struct code_refs refs)
{
    bool shape = true, declared = true, available = true;
    for (size_t i = 0; i < refs.n; i++)
        if (refs.ref[i].kind == CODE_REF_INVALID)
            shape = fault(scope, &refs.ref[i], refs.ref[i].summary.ptr, refs.ref[i].detail);
    for (size_t i = 0; i < refs.n; i++)
        declared = check_static(scope, &refs.ref[i]) && declared;
    for (size_t i = 0; i < refs.n && declared; i++)
        available = check_data(scope, &refs.ref[i]) && available;
    return shape && declared && available;
}

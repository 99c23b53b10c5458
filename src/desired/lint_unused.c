/* lint_unused.c - names of a module that nothing in it refers to.
 *
 * Counts:  every reference in any expression of the module's files; in JSON also text that reads as
 *          one (depends_on). A variable's own validation does not count as a use of it
 */
#include "desired/lint_parts.h"

struct uses {
    struct linting *in;
    const struct code_module *module;
    bool *variable, *local, *resource; /* by index of the module's lists */
    struct str own;                    /* the variable whose block is being looked at, or empty */
    const struct hcl_file *file;
};

/* --- what is referred to --- */

static struct str step_name(const struct hcl_traversal *t, size_t i)
{
    return i < t->n && t->step[i].key.kind == VALUE_STRING ? value_text(&t->step[i].key)
                                                           : (struct str){0};
}

static bool note(void *ctx, const struct hcl_traversal *t)
{
    struct uses *u = ctx;
    const struct code_module *m = u->module;
    struct str name = step_name(t, 0);
    if (str_equal(t->root, STR("var"))) {
        const struct code_variable *v = code_find_variable(m, name);
        if (v && !str_equal(name, u->own))
            u->variable[v - m->variables] = true;
    } else if (str_equal(t->root, STR("local"))) {
        const struct code_local *l = code_find_local(m, name);
        if (l)
            u->local[l - m->locals] = true;
    } else if (str_equal(t->root, STR("data"))) {
        const struct code_resource *r = code_find_resource(m, CODE_DATA, name, step_name(t, 1));
        if (r)
            u->resource[r - m->resources] = true;
    }
    return true;
}

static bool note_expr(void *ctx, const struct hcl_expr *expr)
{
    struct uses *u = ctx;
    (void)hcl_each_reference(u->in->arena, expr, note, u);
    return true;
}

/* A JSON string without a sequence may be a reference where one is wanted. */
static bool note_json_text(void *ctx, const struct hcl_expr *expr)
{
    static const struct str roots[] = {STR_INIT("var."), STR_INIT("local."), STR_INIT("data.")};
    struct uses *u = ctx;
    for (size_t i = 0; expr->raw && i < sizeof roots / sizeof *roots; i++)
        if (str_starts(*expr->raw, roots[i])) {
            AUTO_ARENA scratch = {.limit = 16 << 20};
            struct hcl_diags unheard = {.arena = &scratch};
            const struct hcl_expr *inner = hcl_keyword_expr(u->in->arena, u->file, expr, &unheard);
            if (inner)
                (void)note_expr(u, inner);
        }
    return true;
}

static void note_file(struct uses *u, const struct hcl_file *file)
{
    u->file = file;
    if (file->json) {
        (void)lint_each_attribute(&file->body, note_expr, u);
        if (file->body.json)
            (void)lint_each_expr(file->body.json, note_json_text, u);
        return;
    }
    for (size_t i = 0; i < file->body.nblocks; i++) {
        const struct hcl_block *block = &file->body.block[i];
        bool variable = str_equal(block->type, STR("variable")) && block->nlabels;
        u->own = variable ? block->label[0].text : (struct str){0};
        (void)lint_each_attribute(&block->body, note_expr, u);
    }
}

static bool gather(struct uses *u)
{
    const struct code_module *m = u->module;
    u->variable = arena_new(u->in->arena, bool, m->nvariables);
    u->local = arena_new(u->in->arena, bool, m->nlocals);
    u->resource = arena_new(u->in->arena, bool, m->nresources);
    if (!u->variable || !u->local || !u->resource)
        return false;
    for (size_t i = 0; i < m->nfiles; i++)
        note_file(u, m->files[i]);
    return true;
}

/* --- variables, locals, data sources --- */

static void say_values(struct uses *u)
{
    const struct code_module *m = u->module;
    for (size_t i = 0; i < m->nvariables; i++) {
        const struct code_variable *v = &m->variables[i];
        if (!u->variable[i])
            lint_say(u->in, LINT_UNUSED_VARIABLE, v->place.file, v->place.range, STR(""),
                     "Nothing in this module refers to var.%.*s.", STR_ARG(v->name));
    }
    for (size_t i = 0; i < m->nlocals; i++) {
        const struct code_local *l = &m->locals[i];
        if (!u->local[i])
            lint_say(u->in, LINT_UNUSED_LOCAL, l->value.file, l->value.range, STR(""),
                     "Nothing in this module refers to local.%.*s.", STR_ARG(l->name));
    }
    for (size_t i = 0; i < m->nresources; i++) {
        const struct code_resource *r = &m->resources[i];
        /* one with conditions checks something; one of a check block is asserted about */
        if (r->mode == CODE_DATA && !u->resource[i] && !r->check.len && !r->preconditions.n &&
            !r->postconditions.n)
            lint_say(
                u->in, LINT_UNUSED_DATA, r->place.file, r->place.range,
                arena_printf(u->in->arena, "data.%.*s.%.*s", STR_ARG(r->type), STR_ARG(r->name)),
                "Nothing in this module refers to data.%.*s.%.*s.", STR_ARG(r->type),
                STR_ARG(r->name));
    }
}

/* --- providers --- */

static struct str implied(struct str type)
{
    size_t end = str_find_char(type, '_', 0);
    return end == SIZE_MAX ? type : str_sub(type, 0, end);
}

static bool is_ref(const struct code_provider_ref *ref, struct str name, struct str alias)
{
    return str_equal(ref->name, name) && str_equal(ref->alias, alias);
}

/* Does a resource, an import or a call of this module name it? */
static bool named_here(const struct code_module *m, struct str name, struct str alias)
{
    for (size_t i = 0; i < m->nresources; i++) {
        const struct code_resource *r = &m->resources[i];
        if (r->has_provider ? is_ref(&r->provider, name, alias)
                            : !alias.len && str_equal(implied(r->type), name))
            return true;
    }
    for (size_t i = 0; i < m->nimports; i++)
        if (m->imports[i].has_provider && is_ref(&m->imports[i].provider, name, alias))
            return true;
    for (size_t i = 0; i < m->ncalls; i++)
        for (size_t k = 0; k < m->calls[i].nproviders; k++)
            if (is_ref(&m->calls[i].providers[k].outer, name, alias))
                return true;
    return false;
}

/* Below this module, is there a resource of that provider? One that cannot be read may have any. */
static bool used_below(const struct code_tree *tree, struct str source, unsigned depth_left)
{
    if (depth_left == 0)
        return true;
    for (size_t i = 0; i < tree->module.ncalls; i++) {
        const struct code_tree *child = tree->child[i];
        if (!child)
            return true;
        for (size_t k = 0; k < child->module.nresources; k++)
            if (str_equal(child->module.resources[k].provider_source, source))
                return true;
        for (size_t k = 0; k < child->module.nrequirements; k++)
            if (str_equal(child->module.requirements[k].source, source))
                return true;
        if (used_below(child, source, depth_left - 1))
            return true;
    }
    return false;
}

struct search {
    struct str name;
    bool found;
};

/* provider::NAME::function() */
static bool note_function(void *ctx, const struct hcl_expr *expr)
{
    struct search *s = ctx;
    if (expr->kind == HCL_EXPR_CALL && str_starts(expr->call.name, STR("provider::"))) {
        struct str rest = str_sub(expr->call.name, 10, expr->call.name.len), name;
        (void)str_cut(&rest, ':', &name);
        s->found |= str_equal(name, s->name);
    }
    return true;
}

static bool note_functions(void *ctx, const struct hcl_expr *expr)
{
    return lint_each_expr(expr, note_function, ctx);
}

static bool has_function(const struct code_module *m, struct str name)
{
    struct search s = {.name = name};
    for (size_t i = 0; i < m->nfiles && !s.found; i++)
        (void)lint_each_attribute(&m->files[i]->body, note_functions, &s);
    return s.found;
}

static struct str source_of(const struct code_module *m, struct str name)
{
    for (size_t i = 0; i < m->nrequirements; i++)
        if (str_equal(m->requirements[i].local_name, name))
            return m->requirements[i].source;
    for (size_t i = 0; i < m->nresources; i++)
        if (str_ends(m->resources[i].provider_source, name))
            return m->resources[i].provider_source;
    return (struct str){0};
}

static bool default_used_below(const struct code_tree *tree, struct str name)
{
    struct str source = source_of(&tree->module, name);
    if (source.len)
        return used_below(tree, source, CODE_TREE_DEPTH_MAX);
    return tree->module.ncalls > 0; /* nobody says which one it is */
}

static void say_providers(struct uses *u, const struct code_tree *tree)
{
    const struct code_module *m = u->module;
    for (size_t i = 0; i < m->nproviders; i++) {
        const struct code_provider *p = &m->providers[i];
        if (named_here(m, p->name, p->alias) || has_function(m, p->name) ||
            (!p->alias.len && default_used_below(tree, p->name)))
            continue;
        lint_say(u->in, LINT_UNUSED_PROVIDER, p->place.file, p->place.range, STR(""),
                 "No resource, data source or module call uses provider %.*s%s%.*s.",
                 STR_ARG(p->name), p->alias.len ? "." : "", STR_ARG(p->alias));
    }
}

static bool requirement_used(const struct code_tree *tree, const struct code_requirement *r)
{
    const struct code_module *m = &tree->module;
    for (size_t i = 0; i < m->nproviders; i++)
        if (str_equal(m->providers[i].name, r->local_name))
            return true; /* and if that one is not, it is said of that one */
    for (size_t i = 0; i < m->nresources; i++) {
        struct str name = m->resources[i].has_provider ? m->resources[i].provider.name
                                                       : implied(m->resources[i].type);
        if (str_equal(name, r->local_name))
            return true;
    }
    for (size_t i = 0; i < m->ncalls; i++)
        for (size_t k = 0; k < m->calls[i].nproviders; k++)
            if (str_equal(m->calls[i].providers[k].outer.name, r->local_name))
                return true;
    return r->naliases || has_function(m, r->local_name) ||
           used_below(tree, r->source, CODE_TREE_DEPTH_MAX);
}

static void say_requirements(struct uses *u, const struct code_tree *tree)
{
    for (size_t i = 0; i < u->module->nrequirements; i++) {
        const struct code_requirement *r = &u->module->requirements[i];
        if (!requirement_used(tree, r))
            lint_say(u->in, LINT_UNUSED_REQUIREMENT, r->place.file, r->place.range, STR(""),
                     "Nothing in this module or below it uses provider %.*s.",
                     STR_ARG(r->local_name));
    }
}

void lint_unused(struct linting *in, const struct code_tree *tree)
{
    struct uses u = {.in = in, .module = &tree->module};
    if (!gather(&u)) {
        in->full = true;
        return;
    }
    say_values(&u);
    say_providers(&u, tree);
    say_requirements(&u, tree);
}

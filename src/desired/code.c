/* code.c - code_open() to code_close(): the tree is read, walked, and what came out is put in
 * order.
 */
#include "desired/code.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/pathname.h"
#include "desired/code_parts.h"
#include "desired/version.h"

/* --- opening --- */

static bool copy_options(struct code *code, const struct code_options *options, struct err *err)
{
    code->options = *options;
    struct str *const texts[] = {&code->options.root_dir, &code->options.repo_dir,
                                 &code->options.workspace};
    struct code_limits *limits = &code->options.limits;
    limits->steps = limits->steps ? limits->steps : CODE_STEPS_MAX;
    limits->instances = limits->instances ? limits->instances : CODE_INSTANCES_MAX;
    if (!code->options.workspace.len)
        code->options.workspace = STR("default");
    if (!code->options.repo_dir.len)
        code->options.repo_dir = code->options.root_dir;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        *texts[i] = arena_dup(&code->arena, *texts[i]);
        if (!texts[i]->ptr)
            return arena_full(&code->arena, err);
    }
    return true;
}

static struct str absolute_path(struct arena *arena, struct str path)
{
    char resolved[4096];
    struct str copy = arena_dup(arena, path);
    if (!copy.ptr || !realpath(copy.ptr, resolved))
        return path;
    return arena_dup(arena, str_from(resolved));
}

/* What file functions read. */
static bool read_given(void *ctx, struct str path, struct str *ret)
{
    const struct code *code = ctx;
    return code->options.read && code->options.read(code->options.ctx, path, ret);
}

static void prepare(struct code *code)
{
    key_table_init(&code->keys, &code->arena, 0);
    code->cwd = absolute_path(&code->arena, code->options.root_dir);
    code->world = (struct hcl_world){
        .base_dir = code->cwd,
        .root_dir = absolute_path(&code->arena, code->options.repo_dir),
        .now_utc_ms = code->options.now_utc_ms,
        .planning = true,
        .opentofu = code->options.opentofu,
        .call_provider = code_call_provider,
        .read = read_given,
        .ctx = code,
    };
    code->ev = (struct hcl_eval){.arena = &code->arena,
                                 .diags = &code->diags,
                                 .world = &code->world,
                                 .limits = {.steps = code->options.limits.steps}};
}

/* Does a module want a version that is newer than what this is made after? */
static bool wants_newer(const struct code_tree *tree, unsigned depth_left)
{
    static const struct str ours = STR_INIT("1.11.4"), newer = STR_INIT("1.999.0");
    const struct code_module *m = &tree->module;
    for (size_t i = 0; i < m->nrequired_version; i++) {
        const struct hcl_expr *expr = m->required_version[i].expr;
        if (expr->kind == HCL_EXPR_STRING && !version_matches(ours, value_text(&expr->value)) &&
            version_matches(newer, value_text(&expr->value)))
            return true;
    }
    for (size_t i = 0; depth_left && i < m->ncalls; i++)
        if (tree->child[i] && wants_newer(tree->child[i], depth_left - 1))
            return true;
    return false;
}

/* Only OpenTofu has for_each of providers. */
static bool has_provider_each(const struct code_module *m)
{
    for (size_t i = 0; i < m->nproviders; i++)
        if (m->providers[i].for_each.expr)
            return true;
    return false;
}

/* Most code is small, and each question of a service opens its own: clearing room for the largest
 * would be more work than evaluating it. */
static bool make_tables(struct code *code, struct err *err)
{
    enum { SLOTS = 64, SLOTS_MAX = 4096, SLOTS_PER_NODE = 4 };
    struct arena *arena = &code->arena;
    size_t n = SLOTS;
    while (n < SLOTS_MAX && n < SLOTS_PER_NODE * code->nnodes)
        n *= 2;
    code->nslots = n;
    code->schema_use = arena_new(arena, struct code_schema_use *, n);
    code->refs = arena_new(arena, struct code_ref_entry *, n);
    code->content = arena_new(arena, struct code_content_entry *, n);
    code->spec = arena_new(arena, struct code_cached *, n);
    code->type = arena_new(arena, struct code_cached *, n);
    code->block = arena_new(arena, struct code_cached *, n);
    return (code->schema_use && code->refs && code->content && code->spec && code->type &&
            code->block) ||
           arena_full(arena, err);
}

static bool open_as(const struct code_options *options, struct code **ret, struct err *err)
{
    struct code *code = calloc(1, sizeof *code);
    const struct code_tree *tree;
    if (!code)
        return err_set(err, ERR_LIMIT, "out of memory");
    code->arena.limit = options->limits.bytes ? options->limits.bytes : CODE_ARENA_LIMIT;
    code->diags.arena = &code->arena;
    if (!copy_options(code, options, err)) {
        code_close(code);
        return false;
    }
    prepare(code);
    struct code_tree_options how = {.read = {.root_dir = code->options.root_dir,
                                             .opentofu = options->opentofu,
                                             .read = options->read,
                                             .list = options->list,
                                             .ctx = options->ctx}};
    if (!code_tree_read(&code->arena, code->options.root_dir, &how, &code->diags, &tree, err) ||
        !code_tree_build(code, tree, err) || !make_tables(code, err)) {
        code_close(code);
        return false;
    }
    code->tree = tree;
    code->world.short_circuit = options->opentofu || wants_newer(tree, CODE_TREE_DEPTH_MAX);
    code->broken = hcl_has_errors(&code->diags);
    *ret = code;
    return true;
}

bool code_open(const struct code_options *options, struct code **ret, struct err *err)
{
    struct code_options tofu = *options;
    struct code *code;
    if (!open_as(options, &code, err))
        return false;
    if (options->untold && !options->opentofu && has_provider_each(&code->tree->module)) {
        code_close(code);
        tofu.opentofu = true;
        return open_as(&tofu, ret, err);
    }
    *ret = code;
    return true;
}

void code_close(struct code *code)
{
    if (!code)
        return;
    arena_free(&code->arena);
    free(code);
}

/* --- evaluating --- */

static bool full(const struct code *code, struct err *err)
{
    return code->arena.used < code->arena.limit || arena_full(&code->arena, err);
}

static bool validate(struct code *code, struct err *err)
{
    struct code_walk walk;
    if (!code_walk_open(code, true, &code->diags, &walk))
        return arena_full(&code->arena, err);
    if (code_check_plugins(&walk) && code_check_provider_refs(&walk) &&
        code_check_import_modules(&walk) && code_check_calls(&walk) && code_check_cycles(&walk)) {
        (void)code_check_imports(&walk);
        (void)code_walk_all(&walk);
    }
    return full(code, err);
}

static bool is_empty(const struct code *code)
{
    return code->root->module->nfiles == 0;
}

static bool check_inputs(struct code *code, struct err *err)
{
    struct code_walk say = {.code = code, .diags = &code->diags};
    if (is_empty(code))
        code_say_at_all(&say, false, "No configuration files", "%s",
                        "Plan requires configuration to be present. Planning without a "
                        "configuration would mark everything for destruction, which is normally "
                        "not what is desired. If you would like to destroy everything, run plan "
                        "with the -destroy option. Otherwise, create a Terraform configuration "
                        "file (.tf file) and try again.");
    (void)code_read_inputs(code, &code->diags);
    return code->inputs || arena_full(&code->arena, err);
}

/* Moves that cannot be come before everything else that the walk has said. */
static void check_moves(struct code *code, size_t before)
{
    struct hcl_diags own = {.arena = &code->arena};
    struct code_walk say = code->plan;
    say.diags = &own;
    if (!code_check_moves(&say))
        code->diags.n = before;
    code_say_again(&code->plan, &own);
    if (!hcl_has_errors(&code->diags))
        code_warn_blocked(&code->plan);
}

static bool any_moved(const struct code *code)
{
    for (size_t i = 0; i < code->nconfigs; i++)
        if (code->config[i]->module->nmoved)
            return true;
    return false;
}

/* Values even where there are errors already; then what the walk says is not said. */
static bool walk_plan(struct code *code, struct err *err)
{
    struct hcl_diags quiet = {.arena = &code->arena};
    bool errors = hcl_has_errors(&code->diags);
    size_t before = code->diags.n;
    if (!code_ready(code, err))
        return false;
    if (!errors && (!code_check_removed(&code->plan) || !code_check_cycles(&code->plan)))
        errors = true;
    code->selects = code->options.wants && !errors && !any_moved(code) && code_mark_referred(code);
    code->plan.diags = errors ? &quiet : &code->diags;
    (void)code_check_imports(&code->plan);
    (void)code_walk_all(&code->plan);
    code->plan.diags = &code->diags;
    if (!errors)
        check_moves(code, before);
    return full(code, err);
}

/* --- what came out, in order --- */

static int compare_modules(const struct code_module_instance *a,
                           const struct code_module_instance *b)
{
    const struct code_module_instance *x[CODE_TREE_DEPTH_MAX + 2], *y[CODE_TREE_DEPTH_MAX + 2];
    size_t nx = 0, ny = 0;
    if (a == b)
        return 0;
    for (; a->parent && nx <= CODE_TREE_DEPTH_MAX; a = a->parent)
        x[nx++] = a;
    for (; b->parent && ny <= CODE_TREE_DEPTH_MAX; b = b->parent)
        y[ny++] = b;
    while (nx && ny) {
        nx--, ny--;
        int order = str_compare(x[nx]->config->call->name, y[ny]->config->call->name);
        if (!order)
            order = code_compare_keys(&x[nx]->each, &y[ny]->each);
        if (order)
            return order;
    }
    return nx < ny ? -1 : nx > ny;
}

/* Those of one resource in one module: in order already, by their keys. */
struct group {
    const struct code_made *first;
    const struct code_made *made;
    uint32_t n;
};

static int compare_groups(const void *a, const void *b)
{
    const struct code_made *p = ((const struct group *)a)->first;
    const struct code_made *q = ((const struct group *)b)->first;
    const struct code_instance *x = &p->out, *y = &q->out;
    int order = compare_modules(p->module, q->module);
    if (!order && x->mode != y->mode)
        order = x->mode == CODE_MANAGED   ? -1
                : y->mode == CODE_MANAGED ? 1
                : x->mode < y->mode       ? -1
                                          : 1;
    if (!order)
        order = str_compare(x->type, y->type);
    return order ? order : str_compare(x->name, y->name);
}

/* What of an expansion was needed: an instance that was not has no address. */
static struct group group_of(const struct code_expansion *e, size_t *n)
{
    struct group ret = {.made = e->made, .n = e->made ? e->n : 0};
    for (uint32_t i = 0; i < ret.n; i++)
        if (ret.made[i].out.address.ptr) {
            ret.first = ret.first ? ret.first : &ret.made[i];
            ++*n;
        }
    return ret;
}

/* *ret NULL where memory is out; *ret_instances: of all of them. */
static size_t gather_groups(struct code *code, struct group **ret, size_t *ret_instances)
{
    size_t n = 0, room = 0;
    *ret_instances = 0;
    for (size_t i = 0; i < code->nnodes; i++)
        if (code->node[i]->kind == CODE_NODE_RESOURCE)
            room += code_modules(&code->plan, code->node[i]->in)->n;
    struct group *group = arena_new(&code->arena, struct group, room);
    *ret = group;
    for (size_t i = 0; group && i < code->nnodes; i++) {
        const struct code_node *node = code->node[i];
        const struct code_result *r = code_result(&code->plan, node);
        if (node->kind != CODE_NODE_RESOURCE || !r->expansion)
            continue;
        for (size_t k = 0; k < code_modules(&code->plan, node->in)->n; k++) {
            group[n] = group_of(&r->expansion[k], ret_instances);
            n += group[n].first != NULL;
        }
    }
    return n;
}

static bool sort_instances(struct code *code, struct err *err)
{
    struct group *group;
    size_t room, n = gather_groups(code, &group, &room);
    code->ninstances = 0;
    code->sorted = group ? arena_new(&code->arena, struct code_instance, room) : NULL;
    if (!code->sorted)
        return arena_full(&code->arena, err);
    if (n)
        qsort(group, n, sizeof *group, compare_groups);
    for (size_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < group[i].n; k++)
            if (group[i].made[k].out.address.ptr)
                code->sorted[code->ninstances++] = group[i].made[k].out;
    return true;
}

static bool gather_outputs(struct code *code, struct err *err)
{
    const struct code_module *m = code->root->module;
    struct code_output_value *outputs =
        arena_new(&code->arena, struct code_output_value, m->noutputs);
    if (!outputs)
        return arena_full(&code->arena, err);
    for (size_t i = 0; i < m->noutputs; i++) {
        const struct code_result *r = code_result(&code->plan, &code->root->outputs[i]);
        outputs[i] = (struct code_output_value){.name = m->outputs[i].name,
                                                .value = r->value ? r->value[0] : hcl_any(),
                                                .sensitive = m->outputs[i].sensitive};
    }
    code->outputs = outputs;
    code->noutputs = m->noutputs;
    return true;
}

static bool gather_providers(struct code *code, struct err *err)
{
    struct code_provider_instance *all = NULL;
    size_t n = 0;
    for (int round = 0; round < 2; round++) {
        if (round) {
            all = arena_new(&code->arena, struct code_provider_instance, n);
            code->providers = all;
            if (!all)
                return arena_full(&code->arena, err);
            n = 0;
        }
        for (size_t i = 0; i < code->nnodes; i++) {
            const struct code_node *node = code->node[i];
            const struct code_result *r = code_result(&code->plan, node);
            if (node->kind != CODE_NODE_PROVIDER || !r->provider)
                continue;
            for (size_t k = 0; k < r->nproviders; k++, n++)
                if (round)
                    all[n] = r->provider[k];
        }
    }
    code->nproviders = n;
    return true;
}

/* What was wrong with what it needed is still said. */
static bool forget_question(struct code *code, struct err *err)
{
    if (!code->plan.needs)
        return true;
    code->ndiags = hcl_has_errors(&code->diags) ? code->diags.n : code->ndiags;
    return code_ready(code, err);
}

bool code_evaluate(struct code *code, struct err *err)
{
    bool in_spite = code->options.in_spite_of_errors && code->options.phase == CODE_VALIDATE;
    if (code->evaluated || (code->broken && !in_spite))
        return true;
    code->evaluated = true;
    if (!forget_question(code, err))
        return false;
    if (code->options.phase == CODE_VALIDATE)
        return validate(code, err);
    if (!check_inputs(code, err))
        return false;
    if (!hcl_has_errors(&code->diags) && !code->options.validated && !validate(code, err))
        return false;
    return walk_plan(code, err) && sort_instances(code, err) && gather_outputs(code, err) &&
           gather_providers(code, err);
}

/* --- looking --- */

const struct hcl_diags *code_diags(const struct code *code)
{
    return &code->diags;
}

bool code_is_sound(const struct code *code)
{
    return !code->broken;
}

const struct code_tree *code_module_tree(const struct code *code)
{
    return code->tree;
}

const struct code_module *code_root_module(const struct code *code)
{
    return code->root->module;
}

const struct code_instance *code_instances(const struct code *code, size_t *ret_n)
{
    *ret_n = code->ninstances;
    return code->sorted;
}

const struct code_provider_instance *code_provider_instances(const struct code *code, size_t *ret_n)
{
    *ret_n = code->nproviders;
    return code->providers;
}

const struct code_output_value *code_outputs(const struct code *code, size_t *ret_n)
{
    *ret_n = code->noutputs;
    return code->outputs;
}

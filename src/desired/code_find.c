/* code_find.c - one instance, one module, one expression: only what that needs is evaluated. */
#include <string.h>

#include "desired/code_parts.h"

bool code_ready(struct code *code, struct err *err)
{
    if (code->plan.code)
        return true;
    if (code->broken)
        return err_set(err, ERR_SYNTAX, "the code has errors; see its diagnostics");
    if (!code->inputs)
        (void)code_read_inputs(code, &code->diags);
    if (!code->inputs || !code_walk_open(code, false, &code->diags, &code->plan))
        return arena_full(&code->arena, err);
    return true;
}

/* --- addresses --- */

static bool parse_address(struct code *code, struct str address, struct hcl_traversal *ret)
{
    struct hcl_diags quiet = {.arena = &code->arena};
    const struct hcl_expr *expr;
    struct err err = {0};
    struct str text = arena_dup(&code->arena, address);
    return text.ptr && address.len &&
           hcl_parse_expression(&code->arena, text, STR("address"), &quiet, &expr, &err) &&
           !quiet.n && hcl_static_traversal(&code->arena, expr, ret);
}

static bool is_name(const struct hcl_traversal *t, size_t i)
{
    return i < t->n && !t->step[i].index && t->step[i].key.kind == VALUE_STRING;
}

/* Step i as a key of an instance, if it is one. */
static struct code_each key_at(const struct hcl_traversal *t, size_t i)
{
    struct code_each each = {.kind = CODE_KEY_NONE};
    if (i >= t->n || !t->step[i].index)
        return each;
    each.key = t->step[i].key;
    each.kind = each.key.kind == VALUE_STRING ? CODE_KEY_EACH : CODE_KEY_COUNT;
    return each;
}

/* The instance of a module that `parent` calls; its calls are expanded for that. */
static struct code_module_instance *child_of(struct code *code, struct code_module_instance *parent,
                                             struct str name, const struct code_each *each)
{
    struct code_config *in = parent->config;
    const struct code_module_call *call = code_find_call(in->module, name);
    struct code_config *child = call ? in->child[call - in->module->calls] : NULL;
    if (!child)
        return NULL;
    struct code_node *node = &in->calls[call - in->module->calls];
    (void)code_visit(&code->plan, node);
    const struct code_result *r = code_result(&code->plan, node);
    struct code_instances_of *all = code_modules(&code->plan, child);
    if (!r->expansion || !r->expansion[parent->index].known)
        return NULL;
    const struct code_expansion *e = &r->expansion[parent->index];
    for (uint32_t i = 0; i < e->n && e->first + i < all->n; i++)
        if (code_compare_keys(&all->item[e->first + i].each, each) == 0)
            return &all->item[e->first + i];
    return NULL;
}

/* Through module.NAME[KEY]...; *at is left behind the last of them (-1 = the root word). */
static struct code_module_instance *walk_modules(struct code *code, const struct hcl_traversal *t,
                                                 size_t *at)
{
    struct code_module_instance *module = code_modules(&code->plan, code->root)->item;
    bool here = str_equal(t->root, STR("module"));
    size_t i = 0; /* step behind the word "module" */
    *at = 0;
    while (here && module && is_name(t, i)) {
        struct code_each each = key_at(t, i + 1);
        module = child_of(code, module, value_text(&t->step[i].key), &each);
        i += each.kind == CODE_KEY_NONE ? 1 : 2;
        *at = i;
        here = is_name(t, i) && str_equal(value_text(&t->step[i].key), STR("module"));
        i += here;
    }
    return module;
}

/* --- instances --- */

struct wanted {
    enum code_mode mode;
    struct str type, name;
    struct code_each each;
};

/* The word at step i - 1 (0 = the root), and what follows. */
static struct str word_at(const struct hcl_traversal *t, size_t i, bool root)
{
    if (root && i == 0)
        return t->root;
    i -= root;
    return is_name(t, i) ? value_text(&t->step[i].key) : (struct str){0};
}

static bool resource_part(const struct hcl_traversal *t, size_t at, bool root, struct wanted *ret)
{
    static const struct {
        const char *word;
        enum code_mode mode;
    } modes[] = {{"data", CODE_DATA}, {"ephemeral", CODE_EPHEMERAL}, {"resource", CODE_MANAGED}};
    *ret = (struct wanted){.mode = CODE_MANAGED};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (str_equal(word_at(t, at, root), str_from(modes[i].word))) {
            ret->mode = modes[i].mode;
            at++;
            break;
        }
    ret->type = word_at(t, at, root);
    ret->name = word_at(t, at + 1, root);
    size_t key = at + 2 - root;
    ret->each = key_at(t, key);
    return ret->type.len && ret->name.len && t->n == key + (ret->each.kind != CODE_KEY_NONE);
}

const struct code_made *code_find_made(struct code *code, struct str address)
{
    struct hcl_traversal t;
    struct wanted want;
    size_t at;
    if (!code_ready(code, NULL) || !parse_address(code, address, &t))
        return NULL;
    struct code_module_instance *module = walk_modules(code, &t, &at);
    bool root = !str_equal(t.root, STR("module"));
    if (!module || !resource_part(&t, at, root, &want))
        return NULL;
    const struct code_module *m = module->config->module;
    const struct code_resource *r = code_find_resource(m, want.mode, want.type, want.name);
    if (!r)
        return NULL;
    struct code_node *node = &module->config->resources[r - m->resources];
    (void)code_visit(&code->plan, node);
    const struct code_result *result = code_result(&code->plan, node);
    if (!result->expansion || !result->expansion[module->index].made)
        return NULL;
    const struct code_expansion *e = &result->expansion[module->index];
    for (uint32_t i = 0; i < e->n; i++)
        if (code_compare_keys(&e->made[i].each, &want.each) == 0)
            return &e->made[i];
    return NULL;
}

const struct code_instance *code_find_instance(struct code *code, struct str address)
{
    const struct code_made *made = code_find_made(code, address);
    return made ? &made->out : NULL;
}

const struct code_module *code_find_module(struct code *code, struct str module_address)
{
    struct hcl_traversal t;
    size_t at;
    if (module_address.len == 0)
        return code->root->module;
    if (!code_ready(code, NULL) || !parse_address(code, module_address, &t) ||
        !str_equal(t.root, STR("module")))
        return NULL;
    const struct code_module_instance *module = walk_modules(code, &t, &at);
    return module && at == t.n ? module->config->module : NULL;
}

/* --- texts --- */

bool code_eval_text(struct code *code, struct str text, struct value *ret,
                    const struct hcl_diags **ret_diags, struct err *err)
{
    struct hcl_file *file = arena_new(&code->arena, struct hcl_file, 1);
    struct hcl_diags *diags = arena_new(&code->arena, struct hcl_diags, 1);
    const struct hcl_expr *expr;
    *ret = hcl_any();
    if (!file || !diags)
        return arena_full(&code->arena, err);
    diags->arena = &code->arena;
    *ret_diags = diags;
    *file = (struct hcl_file){.name = STR("<expression>"), .text = arena_dup(&code->arena, text)};
    if (!file->text.ptr || !code_ready(code, err))
        return false;
    if (!hcl_parse_expression(&code->arena, file->text, file->name, diags, &expr, err))
        return false;
    if (hcl_has_errors(diags))
        return true;
    struct code_refs refs = code_refs_of(code, file, expr);
    code->plan.diags = diags;
    for (size_t i = 0; i < refs.n; i++) {
        struct code_node *node = code_ref_node(code->root, &refs.ref[i]);
        if (node)
            (void)code_visit(&code->plan, node);
    }
    struct code_scope scope = {.walk = &code->plan,
                               .module = code_modules(&code->plan, code->root)->item};
    (void)code_eval(&scope, file, expr, &type_dynamic, ret);
    code->plan.diags = &code->diags;
    return true;
}

/* code_import.c - import blocks: which instance is to be found under which id.
 *
 * Source:  Terraform terraform/eval_import.go, node_resource_plan.go
 */
#include <stdlib.h>

#include "desired/code_parts.h"
#include "lang/hcl/eval_parts.h"

/* --- which resource a block is for --- */

/* TYPE.NAME with its modules, keys passed over: words from the innermost outwards. */
static size_t words_of(const struct hcl_expr *expr, struct str *word, size_t most)
{
    size_t n = 0;
    while (expr && n < most) {
        if (expr->kind == HCL_EXPR_ATTRIBUTE)
            word[n++] = expr->get.name;
        else if (expr->kind == HCL_EXPR_VARIABLE)
            word[n++] = expr->name;
        else if (expr->kind != HCL_EXPR_INDEX)
            return 0;
        if (expr->kind == HCL_EXPR_VARIABLE)
            break;
        expr = expr->kind == HCL_EXPR_ATTRIBUTE ? expr->get.source : expr->index.source;
    }
    for (size_t i = 0; i < n / 2; i++) {
        struct str swap = word[i];
        word[i] = word[n - 1 - i];
        word[n - 1 - i] = swap;
    }
    return n;
}

static bool find_target(struct code *code, const struct code_import *block,
                        struct code_import_target *ret)
{
    struct str word[HCL_STEPS_MAX];
    size_t n = words_of(block->to.expr, word, HCL_STEPS_MAX), at = 0;
    *ret = (struct code_import_target){.written = block, .in = code->root};
    for (; at + 1 < n && str_equal(word[at], STR("module")) && ret->in; at += 2) {
        const struct code_module_call *call = code_find_call(ret->in->module, word[at + 1]);
        ret->in = call ? ret->in->child[call - ret->in->module->calls] : NULL;
    }
    if (at < n && str_equal(word[at], STR("resource")))
        at++;
    if (ret->in && at + 2 == n)
        ret->resource = code_find_resource(ret->in->module, CODE_MANAGED, word[at], word[at + 1]);
    return at + 2 == n;
}

const struct code_import_target *code_import_targets(struct code *code, size_t *ret_n)
{
    const struct code_module *m = code->root->module;
    if (!code->imports) {
        struct code_import_target *all =
            arena_new(&code->arena, struct code_import_target, m->nimports);
        size_t n = 0;
        for (size_t i = 0; all && i < m->nimports; i++)
            n += find_target(code, &m->imports[i], &all[n]);
        code->imports = all;
        code->nimports = all ? n : 0;
    }
    *ret_n = code->nimports;
    return code->imports;
}

/* --- ids --- */

static bool fault(struct code_walk *walk, const struct code_expr *e, const char *summary,
                  const char *detail)
{
    code_say(walk, e->file, e->expr->range, false, summary, "%s", detail);
    return false;
}

static bool import_identity(const struct code_scope *scope, const struct code_expr *e,
                            struct value *ret)
{
    static const char summary[] = "Invalid import identity argument";
    if (!code_eval(scope, e->file, e->expr, &type_dynamic, ret))
        return false;
    uint8_t marks = hcl_deep_marks(ret);
    if (ret->kind == VALUE_NULL)
        return fault(scope->walk, e, summary, "The import identity cannot be null.");
    if (!hcl_wholly_known(ret) && !scope->walk->validate)
        return fault(
            scope->walk, e, summary,
            "The import block \"identity\" argument depends on resource attributes that cannot be "
            "determined until apply, so Terraform cannot plan to import this resource.");
    if (marks & (VALUE_SENSITIVE | VALUE_EPHEMERAL))
        return fault(scope->walk, e, summary,
                     marks & VALUE_SENSITIVE ? "The import identity cannot be sensitive."
                                             : "The import identity cannot be ephemeral.");
    return ret->kind == VALUE_UNKNOWN || value_is_object_like(ret) ||
           fault(scope->walk, e, summary, "The import identity must be an object.");
}

static bool import_id(const struct code_scope *scope, const struct code_import *block,
                      struct value *ret)
{
    static const char summary[] = "Invalid import id argument";
    const struct code_expr *e = &block->id;
    if (block->identity.expr)
        return import_identity(scope, &block->identity, ret);
    if (!e->expr) {
        *ret = hcl_any();
        return true;
    }
    if (!code_eval(scope, e->file, e->expr, &type_string, ret))
        return false;
    ret->marks = 0;
    if (ret->kind == VALUE_NULL)
        return fault(scope->walk, e, summary, "The import ID cannot be null.");
    if (ret->kind == VALUE_UNKNOWN && !scope->walk->validate)
        return fault(
            scope->walk, e, summary,
            "The import block \"id\" argument depends on resource attributes that cannot "
            "be determined until apply, so Terraform cannot plan to import this resource.");
    if (ret->kind == VALUE_STRING && ret->len == 0)
        return fault(scope->walk, e, summary,
                     "The import ID value evaluates to an empty string, please provide a non-empty "
                     "value.");
    return true;
}

/* --- addresses --- */

/* Has the target the keys that its address has? */
static bool check_key(struct code_walk *walk, const struct code_import_target *target,
                      const struct code_address *address)
{
    static const char summary[] = "Invalid import 'to' expression";
    const struct code_resource *r = target->resource;
    const struct code_expr *to = &target->written->to;
    bool each = r && r->for_each.expr, count = r && r->count.expr;
    switch (address->key.kind) {
    case CODE_KEY_EACH:
        return each || fault(walk, to, summary, "The target resource does not use for_each.");
    case CODE_KEY_COUNT:
        return count || fault(walk, to, summary, "The target resource does not use count.");
    default:
        if (each)
            return fault(walk, to, summary, "The target resource is using for_each.");
        return !count || fault(walk, to, summary, "The target resource is using count.");
    }
}

/* --- one block --- */

struct adding {
    struct code_import_value *item;
    size_t n, room;
};

static bool add_import(const struct code_scope *scope, const struct code_import_target *target,
                       struct adding *all)
{
    struct arena *arena = &scope->walk->code->arena;
    struct code_address address;
    struct value id;
    struct hcl_traversal to;
    if (!code_steps_of(scope, &target->written->to, &to) ||
        !code_address_from(arena, &to, &address) || !check_key(scope->walk, target, &address) ||
        !import_id(scope, target->written, &id))
        return false;
    struct code_import_value *grown = arena_grow(arena, all->item, all->n, &all->room, all->n + 1);
    if (!grown)
        return false;
    all->item = grown;
    all->item[all->n++] =
        (struct code_import_value){.address = code_address_text(arena, &address),
                                   .id = id,
                                   .by_identity = target->written->identity.expr != NULL,
                                   .written = target->written};
    return true;
}

static bool check_each(const struct code_scope *scope, const struct code_expr *e,
                       const struct value *v)
{
    if (!hcl_wholly_known(v))
        return scope->walk->validate ||
               fault(scope->walk, e, "Invalid for_each argument",
                     "The \"for_each\" expression includes values derived from other resource "
                     "attributes that cannot be determined until apply, and so Terraform cannot "
                     "determine the full set of values that might be used to import this "
                     "resource.");
    if (v->marks & VALUE_EPHEMERAL)
        return fault(scope->walk, e, "Invalid for_each argument",
                     "The given \"for_each\" value is derived from an ephemeral value, which means "
                     "that Terraform cannot persist it between plan/apply rounds. Use only "
                     "non-ephemeral values to specify a resource's instance keys.");
    if (v->kind == VALUE_NULL || value_is_list_like(v) || value_is_object_like(v))
        return true;
    return fault(scope->walk, e, "Invalid for_each argument",
                 "The \"for_each\" expression must be a collection.");
}

static bool expand_import(struct code_walk *walk, const struct code_import_target *target,
                          struct adding *all)
{
    const struct code_expr *e = &target->written->for_each;
    struct code_scope scope = {.walk = walk, .module = code_modules(walk, walk->code->root)->item};
    struct value v;
    struct hcl_iteration it;
    if (!e->expr)
        return add_import(&scope, target, all);
    if (!code_eval(&scope, e->file, e->expr, &type_dynamic, &v) || !check_each(&scope, e, &v))
        return false;
    uint8_t marks = v.marks;
    v.marks = 0;
    if (v.kind == VALUE_NULL || !hcl_wholly_known(&v) ||
        !hcl_iterate(&walk->code->ev, &v, e->expr->range, &it))
        return true;
    scope.each.kind = CODE_KEY_EACH;
    while (hcl_iteration_next(&it, &scope.each.key, &scope.each.value)) {
        scope.each.value.marks |= marks;
        if (!add_import(&scope, target, all))
            return false;
    }
    return true;
}

/* An id may not come from what it is the id of. */
static bool check_self(struct code_walk *walk, const struct code_import_target *target)
{
    bool by_id = !target->written->identity.expr;
    const struct code_expr *id = by_id ? &target->written->id : &target->written->identity;
    if (!id->expr || !target->resource)
        return true;
    struct code_refs refs = code_refs_of(walk->code, id->file, id->expr);
    for (size_t i = 0; i < refs.n; i++) {
        const struct code_node *node = code_ref_node(walk->code->root, &refs.ref[i]);
        if (node && node->kind == CODE_NODE_RESOURCE &&
            &node->in->module->resources[node->at] == target->resource) {
            code_say(walk, id->file, refs.ref[i].range, false,
                     by_id ? "Invalid import id argument" : "Invalid import identity argument",
                     "The import %s cannot reference the resource being imported.",
                     by_id ? "ID" : "identity");
            return false;
        }
    }
    return true;
}

bool code_run_imports(struct code_walk *walk, struct code_node *node)
{
    size_t n;
    const struct code_import_target *targets = code_import_targets(walk->code, &n);
    struct code_result *r = code_result(walk, node);
    struct adding all = {0};
    for (size_t i = 0; i < n; i++) {
        if (!targets[i].resource || targets[i].in != node->in ||
            targets[i].resource != &node->in->module->resources[node->at])
            continue;
        if ((walk->validate && !check_self(walk, &targets[i])) ||
            !expand_import(walk, &targets[i], &all))
            return false;
    }
    r->imports = all.item;
    r->nimports = all.n;
    return true;
}

static bool no_target(struct code_walk *walk, const struct code_expr *to)
{
    struct str text = str_sub(to->file->text, to->expr->range.start, to->expr->range.end);
    code_say(walk, to->file, to->expr->range, false,
             "Configuration for import target does not exist",
             "The configuration for the given import target %.*s does not exist. All target "
             "instances must have an associated configuration to be imported.",
             STR_ARG(text));
    return false;
}

bool code_check_import_modules(struct code_walk *walk)
{
    size_t n;
    const struct code_import_target *targets = code_import_targets(walk->code, &n);
    bool fine = true;
    for (size_t i = 0; i < n; i++)
        if (!targets[i].in)
            fine = no_target(walk, &targets[i].written->to);
    return fine;
}

/* What is not declared could be generated: in the root, one thing, without keys. */
bool code_check_imports(struct code_walk *walk)
{
    size_t n;
    const struct code_import_target *targets = code_import_targets(walk->code, &n);
    bool fine = true;
    for (size_t i = 0; i < n; i++) {
        const struct code_import *block = targets[i].written;
        struct hcl_traversal t;
        struct code_address address;
        if (targets[i].resource || !targets[i].in)
            continue;
        bool keyed = block->for_each.expr ||
                     !hcl_static_traversal(&walk->code->arena, block->to.expr, &t) ||
                     !code_address_from(&walk->code->arena, &t, &address) ||
                     address.key.kind != CODE_KEY_NONE;
        if (!walk->validate || targets[i].in->parent || keyed)
            fine = no_target(walk, &block->to);
    }
    return fine;
}

/* Of a resource that is declared: instances that it does not have. */
bool code_check_imported(struct code_walk *walk, const struct code_node *node)
{
    const struct code_result *r = code_result(walk, node);
    for (size_t i = 0; i < r->nimports; i++) {
        bool found = false;
        for (size_t m = 0; m < code_modules(walk, node->in)->n && !found; m++)
            for (uint32_t k = 0; r->expansion[m].made && k < r->expansion[m].n && !found; k++)
                found = str_equal(r->expansion[m].made[k].out.address, r->imports[i].address);
        if (found)
            continue;
        code_say_at_all(walk, false, "Configuration for import target does not exist",
                        "The configuration for the given import %.*s does not exist. All target "
                        "instances must have an associated configuration to be imported.",
                        STR_ARG(r->imports[i].address));
        return false;
    }
    return true;
}

const struct code_import_value *code_import_of(struct code_walk *walk, const struct code_made *made)
{
    const struct code_result *r = code_result(walk, made->node);
    for (size_t i = 0; i < r->nimports; i++)
        if (str_equal(r->imports[i].address, made->out.address))
            return &r->imports[i];
    return NULL;
}

const struct code_import_value *code_imports(struct code *code, size_t *ret_n)
{
    struct code_import_value *all;
    size_t n = 0, ntargets;
    (void)code_import_targets(code, &ntargets);
    *ret_n = 0;
    if (!ntargets || !code->plan.code)
        return NULL;
    for (int round = 0; round < 2; round++) {
        all = round ? arena_new(&code->arena, struct code_import_value, n) : NULL;
        if (round && !all)
            return NULL;
        n = 0;
        for (size_t i = 0; i < code->nnodes; i++) {
            const struct code_result *r = code_result(&code->plan, code->node[i]);
            for (size_t k = 0; k < r->nimports; k++, n++)
                if (all)
                    all[n] = r->imports[k];
        }
    }
    *ret_n = n;
    return all;
}

/* code_graph.c - what each node needs, cycles, and the visits that evaluate them in order.
 *
 * No recursion: a chain of ten thousand locals is a stack in the arena.
 */
#include <stdlib.h>

#include "desired/code_parts.h"

/* --- edges --- */

struct link {
    struct code *code;
    struct code_node *node;
    struct code_node **dep;
    size_t n, room;
    bool full;
};

static void link_to(struct link *l, struct code_node *to)
{
    if (!to || to == l->node || l->full)
        return;
    struct code_node **grown = arena_grow(&l->code->arena, l->dep, l->n, &l->room, l->n + 1);
    l->full = !grown;
    if (grown) {
        l->dep = grown;
        l->dep[l->n++] = to;
    }
}

static bool has_rules(const struct code_node *validation)
{
    return validation->in->module->variables[validation->at].validations.n > 0;
}

/* A reference to a variable waits for what validates it; one to a call, for its instances. */
static void link_ref(struct link *l, const struct code_config *in, const struct code_ref *ref)
{
    struct code_node *to = code_ref_node(in, ref);
    bool own = to && l->node->kind == CODE_NODE_VALIDATION && to->kind == CODE_NODE_VARIABLE &&
               to->in == l->node->in && to->at == l->node->at;
    link_to(l, to);
    if (to && to->kind == CODE_NODE_VARIABLE && !own && has_rules(&in->validations[to->at]))
        link_to(l, &to->in->validations[to->at]);
    if (ref->kind == CODE_REF_OUTPUT) {
        const struct code_module_call *call = code_find_call(in->module, ref->name);
        if (call)
            link_to(l, &l->code->config[in->index]->calls[call - in->module->calls]);
    }
}

static void link_refs(struct link *l, const struct code_config *in, struct code_refs refs)
{
    for (size_t i = 0; i < refs.n; i++)
        link_ref(l, in, &refs.ref[i]);
}

static void link_expr(struct link *l, const struct code_config *in, const struct code_expr *e)
{
    if (e->expr)
        link_refs(l, in, code_refs_of(l->code, e->file, e->expr));
}

static void link_exprs(struct link *l, const struct code_config *in, const struct code_expr *list,
                       size_t n)
{
    for (size_t i = 0; i < n; i++)
        link_expr(l, in, &list[i]);
}

static void link_conditions(struct link *l, const struct code_config *in,
                            const struct code_conditions *conditions)
{
    for (size_t i = 0; i < conditions->n; i++) {
        link_expr(l, in, &conditions->item[i].condition);
        link_expr(l, in, &conditions->item[i].error_message);
    }
}

/* OpenTofu: which one of a provider's for_each. */
static void link_provider_key(struct link *l, const struct code_config *in,
                              const struct code_provider_ref *ref)
{
    if (ref->key)
        link_refs(l, in, code_refs_of(l->code, ref->place.file, ref->key));
}

/* --- what each kind needs --- */

static void link_variable(struct link *l)
{
    struct code_config *in = l->node->in;
    const struct hcl_file *file;
    if (!in->parent)
        return;
    const struct hcl_attribute *argument =
        code_call_argument(l->code, in->call, in->module->variables[l->node->at].name, &file);
    if (argument)
        link_refs(l, in->parent, code_refs_of(l->code, file, argument->value));
}

static void link_validation(struct link *l)
{
    struct code_config *in = l->node->in;
    link_to(l, &in->variables[l->node->at]);
    link_conditions(l, in, &in->module->variables[l->node->at].validations);
}

static void link_local(struct link *l)
{
    link_expr(l, l->node->in, &l->node->in->module->locals[l->node->at].value);
}

static void link_output(struct link *l)
{
    const struct code_output *output = &l->node->in->module->outputs[l->node->at];
    link_expr(l, l->node->in, &output->value);
    link_exprs(l, l->node->in, output->depends_on, output->ndepends_on);
    link_conditions(l, l->node->in, &output->preconditions);
}

static void link_call(struct link *l)
{
    const struct code_module_call *call = &l->node->in->module->calls[l->node->at];
    link_expr(l, l->node->in, &call->count);
    link_expr(l, l->node->in, &call->for_each);
    link_expr(l, l->node->in, &call->enabled);
    link_exprs(l, l->node->in, call->depends_on, call->ndepends_on);
    for (size_t i = 0; i < call->nproviders; i++)
        link_provider_key(l, l->node->in, &call->providers[i].outer);
}

static void link_list(struct link *l, struct code_node *nodes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        link_to(l, &nodes[i]);
}

static void link_close(struct link *l)
{
    struct code_config *child = l->node->in->child[l->node->at];
    link_to(l, &l->node->in->calls[l->node->at]);
    if (!child)
        return;
    const struct code_module *m = child->module;
    link_list(l, child->variables, m->nvariables);
    for (size_t i = 0; i < m->nvariables; i++)
        if (has_rules(&child->validations[i]))
            link_to(l, &child->validations[i]);
    link_list(l, child->locals, m->nlocals);
    link_list(l, child->outputs, m->noutputs);
    link_list(l, child->resources, m->nresources);
    link_list(l, child->closes, m->ncalls);
    link_list(l, child->providers, m->nproviders);
}

/* An import's id is evaluated in the root, before the resource that it is for. */
static void link_imports(struct link *l, const struct code_resource *r)
{
    size_t n;
    const struct code_import_target *targets = code_import_targets(l->code, &n);
    for (size_t i = 0; i < n; i++)
        if (targets[i].resource == r && targets[i].in == l->node->in) {
            link_expr(l, l->code->root, &targets[i].written->id);
            link_expr(l, l->code->root, &targets[i].written->identity);
            link_expr(l, l->code->root, &targets[i].written->for_each);
        }
}

static void link_resource(struct link *l)
{
    struct code_config *in = l->node->in;
    const struct code_resource *r = &in->module->resources[l->node->at];
    link_exprs(l, in, r->depends_on, r->ndepends_on);
    link_expr(l, in, &r->count);
    link_expr(l, in, &r->for_each);
    link_expr(l, in, &r->enabled);
    link_exprs(l, in, r->replace_triggered_by, r->nreplace_triggered_by);
    l->node->refs = code_resource_refs(l->code, in, r);
    link_refs(l, in, l->node->refs);
    link_refs(l, in, code_provisioner_refs(l->code, r));
    link_conditions(l, in, &r->preconditions);
    link_conditions(l, in, &r->postconditions);
    link_to(l, code_provider_node(l->code, in, r));
    if (r->has_provider)
        link_provider_key(l, in, &r->provider);
    link_imports(l, r);
}

static void link_provider(struct link *l)
{
    const struct code_provider *p = &l->node->in->module->providers[l->node->at];
    l->node->refs = code_provider_refs(l->code, l->node->in, p);
    link_refs(l, l->node->in, l->node->refs);
    link_expr(l, l->node->in, &p->for_each);
}

static void link_check(struct link *l)
{
    link_conditions(l, l->node->in, &l->node->in->module->checks[l->node->at].asserts);
}

typedef void (*link_function)(struct link *l);
static const struct {
    link_function link;
    bool (*run)(struct code_walk *walk, struct code_node *node);
} kinds[] = {
    [CODE_NODE_VARIABLE] = {link_variable, code_run_variable},
    [CODE_NODE_VALIDATION] = {link_validation, code_run_validation},
    [CODE_NODE_LOCAL] = {link_local, code_run_local},
    [CODE_NODE_OUTPUT] = {link_output, code_run_output},
    [CODE_NODE_CALL] = {link_call, code_run_call},
    [CODE_NODE_CLOSE] = {link_close, NULL},
    [CODE_NODE_RESOURCE] = {link_resource, code_run_resource},
    [CODE_NODE_PROVIDER] = {link_provider, code_run_provider},
    [CODE_NODE_CHECK] = {link_check, code_run_check},
};

/* What is in a module waits for the module's instances. */
bool code_link_node(struct code *code, struct code_node *node)
{
    struct link l = {.code = code, .node = node};
    struct code_config *in = node->in;
    if (node->linked)
        return true;
    if (in->parent)
        link_to(&l, &in->parent->calls[in->call - in->parent->module->calls]);
    kinds[node->kind].link(&l);
    node->dep = l.dep;
    node->ndeps = l.n;
    node->linked = !l.full;
    return !l.full;
}

/* --- what is referred to --- */

/* The end of a call names all that is in the module: that is a use only if somebody waits for that
 * end. */
bool code_mark_referred(struct code *code)
{
    struct code_node **work = arena_new(&code->arena, struct code_node *, 2 * code->nnodes);
    size_t n = 0;
    for (size_t i = 0; i < code->nnodes; i++) {
        if (!work || !code_link_node(code, code->node[i]))
            return false;
        if (code->node[i]->kind != CODE_NODE_CLOSE)
            work[n++] = code->node[i];
    }
    while (n) {
        const struct code_node *node = work[--n];
        for (size_t i = 0; i < node->ndeps; i++) {
            struct code_node *dep = node->dep[i];
            if (!dep->referred && dep->kind == CODE_NODE_CLOSE)
                work[n++] = dep;
            dep->referred = true;
        }
    }
    code->marked = true;
    return true;
}

bool code_is_followed(struct code *code, const struct code_instance *instance)
{
    const struct code_node *node = instance->made->node;
    return !(code->marked || (!hcl_has_errors(&code->diags) && code_mark_referred(code))) ||
           node->referred || instance->resource->postconditions.n;
}

/* --- names, as Terraform gives them --- */

static struct str node_name(struct code_walk *walk, const struct code_node *node)
{
    struct arena *arena = &walk->code->arena;
    const struct code_module *m = node->in->module;
    struct str path = node->in->path;
    const char *dot = path.len ? "." : "";
    struct code_ref ref;
    switch (node->kind) {
    case CODE_NODE_VARIABLE:
    case CODE_NODE_VALIDATION:
        return arena_printf(arena, "%.*s%svar.%.*s%s", STR_ARG(path), dot,
                            STR_ARG(m->variables[node->at].name),
                            node->kind == CODE_NODE_VALIDATION ? " (validation)"
                            : path.len                         ? " (expand)"
                                                               : "");
    case CODE_NODE_LOCAL:
        return arena_printf(arena, "%.*s%slocal.%.*s (expand)", STR_ARG(path), dot,
                            STR_ARG(m->locals[node->at].name));
    case CODE_NODE_OUTPUT:
        return arena_printf(arena, "%.*s%soutput.%.*s (expand)", STR_ARG(path), dot,
                            STR_ARG(m->outputs[node->at].name));
    case CODE_NODE_CALL:
    case CODE_NODE_CLOSE:
        return arena_printf(arena, "%.*s%smodule.%.*s %s", STR_ARG(path), dot,
                            STR_ARG(m->calls[node->at].name),
                            node->kind == CODE_NODE_CALL ? "(expand)" : "(close)");
    case CODE_NODE_RESOURCE:
        ref = (struct code_ref){.kind = CODE_REF_RESOURCE,
                                .mode = m->resources[node->at].mode,
                                .type = m->resources[node->at].type,
                                .name = m->resources[node->at].name};
        return arena_printf(arena, "%.*s%s%.*s%s", STR_ARG(path), dot,
                            STR_ARG(code_ref_text(arena, &ref)), walk->validate ? "" : " (expand)");
    case CODE_NODE_PROVIDER:
        return arena_printf(arena, "%.*s%sprovider.%.*s", STR_ARG(path), dot,
                            STR_ARG(m->providers[node->at].name));
    default:
        return arena_printf(arena, "%.*s%scheck.%.*s", STR_ARG(path), dot,
                            STR_ARG(m->checks[node->at].name));
    }
}

/* --- a stack of nodes in work --- */

struct work {
    struct code_node *node;
    size_t next; /* dependency to look at */
};
struct stack {
    struct arena *arena;
    struct work *item;
    size_t n, room;
};

static bool push(struct stack *s, struct code_node *node)
{
    struct work *grown = arena_grow(s->arena, s->item, s->n, &s->room, s->n + 1);
    if (!grown)
        return false;
    s->item = grown;
    s->item[s->n++] = (struct work){.node = node};
    return true;
}

/* --- cycles: strongly connected components (Tarjan), all at once --- */

struct tarjan {
    struct code_walk *walk;
    uint32_t *number, *low;
    bool *open;
    uint32_t next;
    struct stack work;
    struct code_node **path;
    size_t npath;
    bool fine;
};

static void report_component(struct tarjan *t, const struct code_node *root)
{
    struct arena *arena = &t->walk->code->arena;
    struct str names = {0};
    size_t first = t->npath;
    do
        t->open[t->path[--first]->id] = false;
    while (t->path[first] != root);
    size_t n = t->npath - first;
    for (size_t i = t->npath; n > 1 && i-- > first;) {
        struct str name = node_name(t->walk, t->path[i]);
        names =
            arena_printf(arena, "%.*s%s%.*s", STR_ARG(names), names.len ? ", " : "", STR_ARG(name));
        code_result(t->walk, t->path[i])->state = CODE_DONE;
        code_result(t->walk, t->path[i])->failed = true;
    }
    if (n > 1) {
        t->fine = false;
        code_say_at_all(t->walk, false, arena_printf(arena, "Cycle: %.*s", STR_ARG(names)).ptr,
                        "%s", "");
    }
    t->npath = first;
}

static bool enter(struct tarjan *t, struct code_node *node)
{
    t->number[node->id] = t->low[node->id] = ++t->next;
    t->open[node->id] = true;
    t->path[t->npath++] = node;
    return code_link_node(t->walk->code, node) && push(&t->work, node);
}

static bool connect(struct tarjan *t, struct code_node *root)
{
    if (!enter(t, root))
        return false;
    while (t->work.n) {
        struct work *top = &t->work.item[t->work.n - 1];
        struct code_node *node = top->node;
        if (top->next < node->ndeps) {
            struct code_node *dep = node->dep[top->next++];
            if (!t->number[dep->id]) {
                if (!enter(t, dep))
                    return false;
            } else if (t->open[dep->id] && t->number[dep->id] < t->low[node->id]) {
                t->low[node->id] = t->number[dep->id];
            }
            continue;
        }
        t->work.n--;
        if (t->work.n) {
            uint32_t up = t->work.item[t->work.n - 1].node->id;
            if (t->low[node->id] < t->low[up])
                t->low[up] = t->low[node->id];
        }
        if (t->low[node->id] == t->number[node->id])
            report_component(t, node);
    }
    return true;
}

bool code_check_cycles(struct code_walk *walk)
{
    struct code *code = walk->code;
    struct tarjan t = {.walk = walk,
                       .number = arena_new(&code->arena, uint32_t, code->nnodes),
                       .low = arena_new(&code->arena, uint32_t, code->nnodes),
                       .open = arena_new(&code->arena, bool, code->nnodes),
                       .path = arena_new(&code->arena, struct code_node *, code->nnodes),
                       .work = {.arena = &code->arena},
                       .fine = true};
    bool ok = t.number && t.low && t.open && t.path;
    for (size_t i = 0; ok && i < code->nnodes; i++)
        if (!t.number[code->node[i]->id])
            ok = connect(&t, code->node[i]);
    return ok && t.fine;
}

/* --- visits --- */

static void finish(struct code_walk *walk, struct code_node *node)
{
    struct code_result *r = code_result(walk, node);
    for (size_t i = 0; i < node->ndeps && !r->failed; i++)
        r->failed = code_result(walk, node->dep[i])->failed;
    if (!r->failed && kinds[node->kind].run)
        r->failed = !kinds[node->kind].run(walk, node);
    r->state = CODE_DONE;
}

/* Only where cycles were not looked for before (one instance is asked for). */
static void report_cycle(struct code_walk *walk, const struct stack *s,
                         const struct code_node *from)
{
    struct arena *arena = &walk->code->arena;
    struct str names = {0};
    size_t i = s->n;
    while (i > 0 && s->item[i - 1].node != from)
        i--;
    for (i = i ? i - 1 : 0; i < s->n; i++)
        names = arena_printf(arena, "%.*s%s%.*s", STR_ARG(names), names.len ? ", " : "",
                             STR_ARG(node_name(walk, s->item[i].node)));
    code_say_at_all(walk, false, arena_printf(arena, "Cycle: %.*s", STR_ARG(names)).ptr, "%s", "");
}

static bool begin(struct code_walk *walk, struct stack *s, struct code_node *node)
{
    code_result(walk, node)->state = CODE_VISITING;
    if (code_link_node(walk->code, node) && push(s, node))
        return true;
    code_result(walk, node)->state = CODE_DONE;
    code_result(walk, node)->failed = true;
    return false;
}

bool code_visit(struct code_walk *walk, struct code_node *node)
{
    struct stack s = {.arena = &walk->code->arena};
    if (code_result(walk, node)->state == CODE_DONE)
        return !code_result(walk, node)->failed;
    if (!begin(walk, &s, node))
        return false;
    while (s.n) {
        struct work *top = &s.item[s.n - 1];
        if (top->next < top->node->ndeps) {
            struct code_node *dep = top->node->dep[top->next++];
            if (!code_is_needed_at_all(walk, dep))
                continue;
            if (code_result(walk, dep)->state == CODE_NEW) {
                (void)begin(walk, &s, dep);
            } else if (code_result(walk, dep)->state == CODE_VISITING) {
                report_cycle(walk, &s, dep);
                code_result(walk, top->node)->failed = true;
            }
            continue;
        }
        finish(walk, top->node);
        s.n--;
    }
    return !code_result(walk, node)->failed;
}

bool code_walk_open(struct code *code, bool validate, struct hcl_diags *diags,
                    struct code_walk *ret)
{
    *ret = (struct code_walk){.code = code, .validate = validate, .diags = diags};
    ret->result = arena_new(&code->arena, struct code_result, code->nnodes);
    ret->modules = arena_new(&code->arena, struct code_instances_of, code->nconfigs);
    struct code_module_instance *root = arena_new(&code->arena, struct code_module_instance, 1);
    if (!ret->result || !ret->modules || !root)
        return false;
    root->config = code->root;
    *code_modules(ret, code->root) = (struct code_instances_of){root, 1, true};
    return true;
}

bool code_walk_all(struct code_walk *walk)
{
    struct code *code = walk->code;
    bool fine = true;
    for (size_t i = 0; i < code->nnodes; i++) {
        const struct code_node *node = code->node[i];
        /* Configurations of providers that nobody uses are not looked at. */
        bool idle = (node->kind == CODE_NODE_VALIDATION && !has_rules(node)) ||
                    node->kind == CODE_NODE_PROVIDER;
        if (!idle && !code_visit(walk, code->node[i]))
            fine = false;
    }
    return fine;
}

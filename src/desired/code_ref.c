/* code_ref.c - a traversal as the reference that Terraform sees in it, and what that refers to. */
#include <string.h>

#include "base/digest.h"
#include "desired/code_parts.h"

/* --- parsing --- */

struct parse {
    struct code *code;
    const struct hcl_file *file;
    const struct hcl_traversal *t;
    struct code_ref *ret;
};

static void invalid(const struct parse *p, struct hcl_range subject, const char *summary,
                    struct str detail)
{
    p->ret->kind = CODE_REF_INVALID;
    p->ret->summary = str_from(summary);
    p->ret->detail = detail;
    p->ret->range = subject;
}

/* Step i is `.name`; a dot and the brackets belong to a step's place. */
static bool is_attribute(const struct hcl_traversal *t, size_t i)
{
    return i < t->n && !t->step[i].index && t->step[i].key.kind == VALUE_STRING;
}

static struct hcl_range step_range(const struct hcl_traversal *t, size_t i)
{
    struct hcl_range r = t->step[i].range;
    if (r.start > 0)
        r.start--;
    if (t->step[i].index)
        r.end++;
    return r;
}

static void rest_from(const struct parse *p, size_t i)
{
    p->ret->rest = p->t->n > i ? &p->t->step[i] : NULL;
    p->ret->nrest = p->t->n > i ? p->t->n - i : 0;
}

/* var.NAME, path.module ...: one attribute behind the root. */
static bool single(const struct parse *p, enum code_ref_kind kind)
{
    const struct hcl_traversal *t = p->t;
    struct arena *arena = &p->code->arena;
    if (t->n == 0) {
        invalid(p, t->root_range, "Invalid reference",
                arena_printf(arena,
                             "The \"%.*s\" object cannot be accessed directly. Instead, access one "
                             "of its attributes.",
                             STR_ARG(t->root)));
        return false;
    }
    if (!is_attribute(t, 0)) {
        invalid(p, step_range(t, 0), "Invalid reference",
                arena_printf(arena, "The \"%.*s\" object does not support this operation.",
                             STR_ARG(t->root)));
        return false;
    }
    p->ret->kind = kind;
    p->ret->name = value_text(&t->step[0].key);
    p->ret->range = (struct hcl_range){t->root_range.start, t->step[0].range.end};
    rest_from(p, 1);
    return true;
}

/* An index that can be a key of instances: a whole number or a string. */
static bool take_key(const struct parse *p, size_t i, const char *what)
{
    const struct value *key = &p->t->step[i].key;
    int64_t whole;
    if (key->kind == VALUE_NUMBER && !value_to_int64(key, &whole)) {
        invalid(p, step_range(p->t, i), "Invalid index key",
                arena_printf(&p->code->arena,
                             "Invalid index for %s instance: either a string or an integer is "
                             "required.",
                             what));
        return false;
    }
    p->ret->has_key = true;
    p->ret->key = *key;
    p->ret->range.end = step_range(p->t, i).end;
    return true;
}

static void parse_module(const struct parse *p)
{
    const struct hcl_traversal *t = p->t;
    size_t i = 1;
    if (!single(p, CODE_REF_MODULE))
        return;
    if (t->n == 1) {
        p->ret->index = t->key;
        return;
    }
    if (t->step[1].index) {
        if (!take_key(p, 1, "module"))
            return;
        p->ret->kind = CODE_REF_MODULE_AT;
        i = 2;
        rest_from(p, i);
        if (t->n == 2)
            return;
    }
    if (!is_attribute(t, i)) {
        invalid(p, step_range(t, i), "Invalid reference",
                STR("Module instance objects do not support this operation."));
        return;
    }
    p->ret->kind = CODE_REF_OUTPUT;
    p->ret->output = value_text(&t->step[i].key);
    p->ret->range.end = t->step[i].range.end;
    rest_from(p, i + 1);
}

/* TYPE.NAME behind the step `at` - 1 (at = 0: the root is the type). */
static void parse_resource(const struct parse *p, enum code_mode mode, size_t at)
{
    static const char *const what[] = {[CODE_MANAGED] = "a resource type",
                                       [CODE_DATA] = "a data source",
                                       [CODE_EPHEMERAL] = "an ephemeral resource type"};
    const struct hcl_traversal *t = p->t;
    struct arena *arena = &p->code->arena;
    if (at > t->n || t->n == 0 || (at == 1 && t->n == 1)) {
        invalid(p, t->range, "Invalid reference",
                STR("A reference to a resource type must be followed by at least one attribute "
                    "access, specifying the resource name."));
        return;
    }
    if (at == 1 && !is_attribute(t, 0)) {
        invalid(p, step_range(t, 0), "Invalid reference",
                arena_printf(arena, "The \"%.*s\" object does not support this operation.",
                             STR_ARG(t->root)));
        return;
    }
    if (!is_attribute(t, at)) {
        invalid(p, step_range(t, at), "Invalid reference",
                arena_printf(arena,
                             "A reference to %s must be followed by at least one attribute access, "
                             "specifying the resource name.",
                             what[mode]));
        return;
    }
    p->ret->kind = CODE_REF_RESOURCE;
    p->ret->mode = mode;
    p->ret->type = at == 0 ? t->root : value_text(&t->step[0].key);
    p->ret->name = value_text(&t->step[at].key);
    p->ret->range = (struct hcl_range){t->root_range.start, t->step[at].range.end};
    rest_from(p, at + 1);
    if (t->n == at + 1) {
        p->ret->index = t->key;
        return;
    }
    p->ret->kind = CODE_REF_INSTANCE;
    if (t->step[at + 1].index && take_key(p, at + 1, "resource"))
        rest_from(p, at + 2);
}

/* data, resource, ephemeral: two names must follow. */
static void parse_prefixed(const struct parse *p, enum code_mode mode)
{
    static const char *const what[] = {[CODE_MANAGED] = "resource",
                                       [CODE_DATA] = "data source",
                                       [CODE_EPHEMERAL] = "ephemeral resource"};
    if (p->t->n < 2) {
        invalid(p, p->t->range, "Invalid reference",
                arena_printf(&p->code->arena,
                             "The \"%.*s\" object must be followed by two attribute names: the %s "
                             "type and the resource name.",
                             STR_ARG(p->t->root), what[mode]));
        return;
    }
    parse_resource(p, mode, 1);
}

static void parse_self(const struct parse *p)
{
    p->ret->kind = CODE_REF_SELF;
    p->ret->range = p->t->root_range;
    rest_from(p, 0);
}

static void parse_reserved(const struct parse *p)
{
    invalid(
        p, p->t->root_range, "Reserved symbol name",
        arena_printf(&p->code->arena,
                     "The symbol name \"%.*s\" is reserved for use in a future Terraform "
                     "version. If you are using a provider that already uses this as a resource "
                     "type name, add the prefix \"resource.\" to force interpretation as a "
                     "resource type name.",
                     STR_ARG(p->t->root)));
}

void code_ref_parse(struct code *code, const struct hcl_file *file,
                    const struct hcl_traversal *traversal, struct code_ref *ret)
{
    enum shape { SINGLE, MODULE, PREFIXED, SELF, RESERVED };
    static const struct {
        const char *root;
        enum shape shape;
        enum code_ref_kind kind;
        enum code_mode mode;
    } roots[] = {
        {"var", SINGLE, CODE_REF_VARIABLE, 0},
        {"local", SINGLE, CODE_REF_LOCAL, 0},
        {"path", SINGLE, CODE_REF_PATH, 0},
        {"terraform", SINGLE, CODE_REF_TERRAFORM, 0},
        {"count", SINGLE, CODE_REF_COUNT, 0},
        {"each", SINGLE, CODE_REF_EACH, 0},
        {"module", MODULE, 0, 0},
        {"data", PREFIXED, 0, CODE_DATA},
        {"resource", PREFIXED, 0, CODE_MANAGED},
        {"ephemeral", PREFIXED, 0, CODE_EPHEMERAL},
        {"self", SELF, 0, 0},
        {"template", RESERVED, 0, 0},
        {"lazy", RESERVED, 0, 0},
        {"arg", RESERVED, 0, 0},
    };
    struct parse p = {code, file, traversal, ret};
    *ret = (struct code_ref){.file = file, .root = traversal->root, .range = traversal->range};
    if (code->options.opentofu && str_equal(traversal->root, STR("tofu"))) {
        (void)single(&p, CODE_REF_TERRAFORM);
        return;
    }
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
        if (!str_equal(traversal->root, str_from(roots[i].root)))
            continue;
        switch (roots[i].shape) {
        case SINGLE:
            (void)single(&p, roots[i].kind);
            return;
        case MODULE:
            parse_module(&p);
            return;
        case PREFIXED:
            parse_prefixed(&p, roots[i].mode);
            return;
        case SELF:
            parse_self(&p);
            return;
        default:
            parse_reserved(&p);
            return;
        }
    }
    parse_resource(&p, CODE_MANAGED, 0);
}

/* --- finding them once --- */

struct collect {
    struct code *code;
    const struct hcl_file *file;
    struct code_ref *ref;
    size_t n, room;
};

static bool add_ref(void *ctx, const struct hcl_traversal *traversal)
{
    struct collect *c = ctx;
    struct code_ref *grown = arena_grow(&c->code->arena, c->ref, c->n, &c->room, c->n + 1);
    if (!grown)
        return false;
    c->ref = grown;
    code_ref_parse(c->code, c->file, traversal, &c->ref[c->n++]);
    return true;
}

struct code_refs code_refs_of(struct code *code, const struct hcl_file *file,
                              const struct hcl_expr *expr)
{
    if (!expr || expr->kind == HCL_EXPR_LITERAL || expr->kind == HCL_EXPR_STRING)
        return (struct code_refs){0};
    uint64_t hash = hash_bytes((struct str){(const char *)&expr, sizeof expr}, 0);
    struct code_ref_entry **slot = &code->refs[hash % code->nslots];
    for (struct code_ref_entry *e = *slot; e; e = e->next)
        if (e->expr == expr)
            return e->refs;
    struct collect c = {.code = code, .file = file};
    (void)hcl_each_reference(&code->arena, expr, add_ref, &c);
    struct code_ref_entry *entry = arena_new(&code->arena, struct code_ref_entry, 1);
    if (entry) {
        *entry = (struct code_ref_entry){.next = *slot, .expr = expr, .refs = {c.ref, c.n}};
        *slot = entry;
    }
    return (struct code_refs){c.ref, c.n};
}

/* --- what is meant --- */

static struct code_node *node_of(struct code_node *nodes, const void *list, const void *item,
                                 size_t size)
{
    if (!item || !nodes)
        return NULL;
    return &nodes[(size_t)((const char *)item - (const char *)list) / size];
}

struct code_node *code_ref_node(const struct code_config *in, const struct code_ref *ref)
{
    const struct code_module *m = in->module;
    const struct code_module_call *call;
    struct code_config *child;
    switch (ref->kind) {
    case CODE_REF_VARIABLE:
        return node_of(in->variables, m->variables, code_find_variable(m, ref->name),
                       sizeof *m->variables);
    case CODE_REF_LOCAL:
        return node_of(in->locals, m->locals, code_find_local(m, ref->name), sizeof *m->locals);
    case CODE_REF_RESOURCE:
    case CODE_REF_INSTANCE:
        return node_of(in->resources, m->resources,
                       code_find_resource(m, ref->mode, ref->type, ref->name),
                       sizeof *m->resources);
    case CODE_REF_MODULE:
    case CODE_REF_MODULE_AT:
        return node_of(in->closes, m->calls, code_find_call(m, ref->name), sizeof *m->calls);
    case CODE_REF_OUTPUT:
        call = code_find_call(m, ref->name);
        child = call ? in->child[call - m->calls] : NULL;
        if (!child)
            return node_of(in->closes, m->calls, call, sizeof *m->calls);
        if (!code_find_output(child->module, ref->output)) /* told where the module is known */
            return node_of(in->calls, m->calls, call, sizeof *m->calls);
        return node_of(child->outputs, child->module->outputs,
                       code_find_output(child->module, ref->output),
                       sizeof *child->module->outputs);
    default:
        return NULL;
    }
}

struct str code_ref_text(struct arena *arena, const struct code_ref *ref)
{
    static const char *const before[] = {
        [CODE_MANAGED] = "", [CODE_DATA] = "data.", [CODE_EPHEMERAL] = "ephemeral."};
    switch (ref->kind) {
    case CODE_REF_RESOURCE:
    case CODE_REF_INSTANCE:
        return arena_printf(arena, "%s%.*s.%.*s", before[ref->mode], STR_ARG(ref->type),
                            STR_ARG(ref->name));
    case CODE_REF_VARIABLE:
        return arena_printf(arena, "var.%.*s", STR_ARG(ref->name));
    case CODE_REF_LOCAL:
        return arena_printf(arena, "local.%.*s", STR_ARG(ref->name));
    default:
        return arena_printf(arena, "module.%.*s", STR_ARG(ref->name));
    }
}

static bool is_iterator(const struct hcl_scope *names, struct str root)
{
    for (; names; names = names->parent)
        for (size_t i = 0; i < names->n; i++)
            if (str_equal(names->name[i], root))
                return true;
    return false;
}

struct code_refs code_free_refs(const struct code_scope *scope, const struct hcl_file *file,
                                const struct hcl_expr *expr)
{
    struct code *code = scope->walk->code;
    struct code_refs all = code_refs_of(code, file, expr), kept = {0};
    size_t bound = 0;
    for (size_t i = 0; i < all.n; i++)
        bound += is_iterator(scope->names, all.ref[i].root);
    if (!bound)
        return all;
    struct code_ref *list = arena_new(&code->arena, struct code_ref, all.n - bound);
    for (size_t i = 0; list && i < all.n; i++)
        if (!is_iterator(scope->names, all.ref[i].root))
            list[kept.n++] = all.ref[i];
    kept.ref = list;
    return kept;
}

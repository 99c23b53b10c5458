/* code_follow.c - following a path through expressions: constructors, references, and the
 * functions that pass their arguments on. */
#include "desired/code_follow.h"

#include <string.h>

#include "desired/code_aim.h"
#include "lang/hcl/eval_parts.h"

/* --- small things --- */

struct path code_follow_tail(struct path path)
{
    return (struct path){path.n ? path.step + 1 : NULL, path.n ? path.n - 1 : 0};
}

bool code_follow_prepend(struct code_follow *f, struct path_step step, struct path path,
                         struct path *ret)
{
    struct path_step *steps = arena_new(f->arena, struct path_step, path.n + 1);
    if (!steps) {
        f->full = true;
        return false;
    }
    steps[0] = step;
    if (path.n)
        memcpy(steps + 1, path.step, path.n * sizeof *steps);
    *ret = (struct path){steps, path.n + 1};
    return true;
}

bool code_follow_step(const struct value *key, struct path_step *ret)
{
    int64_t index;
    if (key->kind == VALUE_STRING)
        *ret = (struct path_step){.kind = PATH_KEY, .key = value_text(key)};
    else if (value_to_int64(key, &index))
        *ret = (struct path_step){.kind = PATH_INDEX, .index = index};
    else
        return false;
    return true;
}

static bool is_step(const struct path_step *step, const struct value *key)
{
    struct path_step other;
    if (!code_follow_step(key, &other))
        return false;
    if (other.kind != step->kind) { /* "0" and 0 are the same element */
        int64_t a;
        const struct path_step *text = other.kind == PATH_KEY ? &other : step;
        const struct path_step *number = other.kind == PATH_KEY ? step : &other;
        return number->kind == PATH_INDEX && text->kind == PATH_KEY &&
               str_to_int64(text->key, &a) && a == number->index;
    }
    return step->kind == PATH_KEY ? str_equal(other.key, step->key) : other.index == step->index;
}

void code_add_link(struct code_follow *f, const char *what, struct str name,
                   const struct hcl_file *file, struct hcl_range range, const struct hcl_expr *expr,
                   struct path rest)
{
    struct code_link *grown = arena_grow(f->arena, f->link, f->n, &f->room, f->n + 1);
    if (!grown || f->n >= CODE_LINKS_MAX) {
        f->full = true;
        return;
    }
    f->link = grown;
    struct code_link *link = &grown[f->n++];
    *link =
        (struct code_link){.what = what, .name = name, .range = range, .expr = expr, .rest = rest};
    if (!file)
        return;
    uint32_t column;
    link->file = file->name;
    link->source = file;
    hcl_place(file->text, range.start, &link->line, &link->column);
    hcl_place(file->text, range.end > range.start ? range.end - 1 : range.end, &link->end_line,
              &column);
}

bool code_follow_eval(struct code_follow *f, const struct code_source *source,
                      const struct hcl_expr *expr, struct value *ret)
{
    struct code_scope scope = *source->scope;
    size_t before = f->quiet.n;
    struct hcl_scope base = {.resolve = code_resolve, .ctx = &scope};
    scope.walk = &f->walk;
    scope.names = source->names ? source->names : &base;
    bool ok = code_eval_unchecked(&scope, source->file, expr, ret);
    f->quiet.n = before;
    return ok;
}

/* --- constructors --- */

bool code_follow_key(struct code_follow *f, const struct code_source *source,
                     const struct hcl_item *item, struct value *ret)
{
    struct str why;
    struct value v;
    if (item->key->kind == HCL_EXPR_STRING || item->key->kind == HCL_EXPR_LITERAL)
        v = item->key->value;
    else if (!code_follow_eval(f, source, item->key, &v))
        return false;
    return hcl_convert(f->arena, &v, &type_string, ret, &why) && ret->kind == VALUE_STRING;
}

static void follow_object(struct code_follow *f, const struct code_source *source,
                          const struct hcl_expr *expr, struct path rest, unsigned depth_left)
{
    if (rest.n == 0)
        return;
    for (size_t i = expr->items.n; i-- > 0;) {
        struct value key;
        if (!code_follow_key(f, source, &expr->items.item[i], &key) ||
            !is_step(&rest.step[0], &key))
            continue;
        code_follow_expr(f, source, expr->items.item[i].value, code_follow_tail(rest),
                         depth_left - 1);
        return;
    }
}

static void follow_tuple(struct code_follow *f, const struct code_source *source,
                         const struct hcl_expr *expr, struct path rest, unsigned depth_left)
{
    int64_t i;
    if (rest.n == 0)
        return;
    i = rest.step[0].kind == PATH_INDEX ? rest.step[0].index : -1;
    if (i >= 0 && (uint64_t)i < expr->parts.n)
        code_follow_expr(f, source, expr->parts.part[i], code_follow_tail(rest), depth_left - 1);
}

static void follow_conditional(struct code_follow *f, const struct code_source *source,
                               const struct hcl_expr *expr, struct path rest, unsigned depth_left)
{
    struct value v, truth;
    struct str why;
    if (code_follow_eval(f, source, expr->cond.condition, &v) &&
        hcl_convert(f->arena, &v, &type_bool, &truth, &why) && truth.kind == VALUE_BOOL)
        code_follow_expr(f, source, truth.truth ? expr->cond.yes : expr->cond.no, rest,
                         depth_left - 1);
}

/* --- for and splat --- */

struct code_source code_follow_bind(struct code_follow *f, const struct code_source *source,
                                    const struct hcl_expr *expr, const struct code_element *at)
{
    struct code_source inner = *source;
    struct hcl_scope *names = arena_new(f->arena, struct hcl_scope, 2);
    struct str *name = arena_new(f->arena, struct str, 2);
    struct value *value = arena_new(f->arena, struct value, 2);
    struct code_bind *bind = arena_new(f->arena, struct code_bind, 2);
    if (!names || !name || !value || !bind) {
        f->full = true;
        return inner;
    }
    names[0] = (struct hcl_scope){.resolve = code_resolve, .ctx = (void *)(uintptr_t)source->scope};
    name[0] = expr->for_->value_name;
    name[1] = expr->for_->key_name;
    value[0] = at->value;
    value[1] = at->key;
    names[1] = (struct hcl_scope){.parent = source->names ? source->names : &names[0],
                                  .name = name,
                                  .value = value,
                                  .n = name[1].len ? 2 : 1};
    bind[0] = (struct code_bind){.outer = source->bind,
                                 .name = name[0],
                                 .source = *source,
                                 .expr = expr->for_->source,
                                 .step = at->step,
                                 .any = at->set,
                                 .element = at->value};
    bind[1] = bind[0];
    bind[1].outer = &bind[0];
    bind[1].name = name[1];
    bind[1].key_only = true;
    inner.names = &names[1];
    inner.bind = name[1].len ? &bind[1] : &bind[0];
    return inner;
}

bool code_follow_passes(struct code_follow *f, const struct code_source *inner,
                        const struct hcl_expr *expr, int64_t n, struct value *ret_key)
{
    struct value v, truth;
    struct str why;
    if (expr->for_->condition && (!code_follow_eval(f, inner, expr->for_->condition, &v) ||
                                  !hcl_convert(f->arena, &v, &type_bool, &truth, &why) ||
                                  truth.kind != VALUE_BOOL || !truth.truth))
        return false;
    *ret_key = value_int(n);
    return !expr->for_->key || code_follow_eval(f, inner, expr->for_->key, ret_key);
}

static void follow_for(struct code_follow *f, const struct code_source *source,
                       const struct hcl_expr *expr, struct path rest, unsigned depth_left)
{
    struct value collection, key;
    struct hcl_iteration it;
    struct code_element at;
    int64_t passed = 0;
    if (rest.n == 0 || expr->for_->in_template || expr->for_->group ||
        !code_follow_eval(f, source, expr->for_->source, &collection) ||
        !(value_is_list_like(&collection) || value_is_object_like(&collection)) ||
        !hcl_iterate(&f->code->ev, &collection, expr->for_->source->range, &it))
        return;
    while (hcl_iteration_next(&it, &at.key, &at.value)) {
        at.set = collection.kind == VALUE_SET;
        if (!at.set && !code_follow_step(&at.key, &at.step))
            return;
        struct code_source inner = code_follow_bind(f, source, expr, &at);
        if (!code_follow_passes(f, &inner, expr, passed, &key))
            continue;
        passed++;
        if (!is_step(&rest.step[0], &key))
            continue;
        code_follow_expr(f, &inner, expr->for_->value, code_follow_tail(rest), depth_left - 1);
        return;
    }
}

static void follow_splat(struct code_follow *f, const struct code_source *source,
                         const struct hcl_expr *expr, struct path rest, unsigned depth_left)
{
    struct code_source inner = *source;
    struct code_bind *bind = arena_new(f->arena, struct code_bind, 1);
    struct value collection;
    if (!bind || rest.n == 0 || !code_follow_eval(f, source, expr->splat.source, &collection) ||
        collection.kind == VALUE_SET)
        return;
    bool list = collection.kind == VALUE_LIST || collection.kind == VALUE_TUPLE;
    *bind = (struct code_bind){.outer = source->bind,
                               .name = STR("*"),
                               .source = *source,
                               .expr = expr->splat.source,
                               .step = rest.step[0]};
    if (!list) { /* one thing stands for a list of it */
        bind->any = true;
        bind->element = collection;
    }
    inner.bind = bind;
    code_follow_expr(f, &inner, expr->splat.each, code_follow_tail(rest), depth_left - 1);
}

/* --- references --- */

/* An element of a set that is written out: the part of the list that gives it. */
static void follow_element(struct code_follow *f, const struct code_source *source,
                           const struct hcl_expr *expr, const struct value *element,
                           struct path rest, unsigned depth_left)
{
    struct value v;
    while (expr->kind == HCL_EXPR_PAREN)
        expr = expr->operand;
    if (expr->kind == HCL_EXPR_CALL && expr->call.nargs == 1 &&
        (str_equal(expr->call.name, STR("toset")) || str_equal(expr->call.name, STR("tolist"))))
        expr = expr->call.arg[0];
    if (expr->kind != HCL_EXPR_TUPLE && f->aim)
        return; /* nothing says which element */
    if (expr->kind != HCL_EXPR_TUPLE) {
        code_follow_expr(f, source, expr, (struct path){0}, depth_left - 1);
        return;
    }
    for (size_t i = 0; i < expr->parts.n; i++)
        if (code_follow_eval(f, source, expr->parts.part[i], &v) && value_equal(&v, element)) {
            code_follow_expr(f, source, expr->parts.part[i], rest, depth_left - 1);
            return;
        }
}

static void follow_bind(struct code_follow *f, const struct code_bind *bind, struct path rest,
                        unsigned depth_left)
{
    struct path inner = rest;
    bool key = bind->key_only;
    if (bind->iterator && rest.n) {
        key = rest.step[0].kind == PATH_KEY && str_equal(rest.step[0].key, STR("key"));
        inner = rest = code_follow_tail(rest);
    }
    if (!key && !bind->any && !code_follow_prepend(f, bind->step, rest, &inner))
        return;
    if (key || bind->any)
        inner = (struct path){0};
    if (bind->what)
        code_add_link(f, bind->what, bind->name, bind->source.file, bind->range, bind->expr, inner);
    if (key && !bind->any)
        return;
    if (bind->any)
        follow_element(f, &bind->source, bind->expr, &bind->element, rest, depth_left - 1);
    else
        code_follow_expr(f, &bind->source, bind->expr, inner, depth_left - 1);
}

static const struct code_bind *find_bind(const struct code_source *source, struct str name)
{
    for (const struct code_bind *at = source->bind; at; at = at->outer)
        if (str_equal(at->name, name))
            return at;
    return NULL;
}

struct unwound {
    const struct hcl_expr *root;
    struct path rest;             /* the steps outwards, and what was left before */
    bool brackets[HCL_STEPS_MAX]; /* of the first steps: written so */
    size_t n;                     /* steps that are written here */
};

/* x.a["b"][i]: the innermost expression, and the steps outwards; dynamic ones evaluated. */
static bool unwind(struct code_follow *f, const struct code_source *source,
                   const struct hcl_expr *expr, struct path rest, struct unwound *ret)
{
    *ret = (struct unwound){.rest = rest};
    while (expr->kind == HCL_EXPR_ATTRIBUTE || expr->kind == HCL_EXPR_INDEX) {
        struct path_step step = {.kind = PATH_KEY, .key = expr->get.name};
        struct value key;
        if (ret->n == HCL_STEPS_MAX ||
            (expr->kind == HCL_EXPR_INDEX && (!code_follow_eval(f, source, expr->index.key, &key) ||
                                              !code_follow_step(&key, &step))) ||
            !code_follow_prepend(f, step, ret->rest, &ret->rest))
            return false;
        memmove(ret->brackets + 1, ret->brackets, ret->n * sizeof *ret->brackets);
        ret->brackets[0] = expr->kind == HCL_EXPR_INDEX;
        ret->n++;
        expr = expr->kind == HCL_EXPR_ATTRIBUTE ? expr->get.source : expr->index.source;
    }
    ret->root = expr;
    return true;
}

const struct hcl_expr *code_follow_root(struct code_follow *f, const struct code_source *source,
                                        const struct hcl_expr *expr, struct path rest,
                                        struct path *ret)
{
    struct unwound u;
    if (!unwind(f, source, expr, rest, &u))
        return NULL;
    *ret = u.rest;
    return u.root;
}

/* Where a path goes on behind `module.m` or `TYPE.NAME`, the next step is the key of an instance if
 * there are such. */
static void mark_key(const struct code_source *source, const struct hcl_traversal *t,
                     struct hcl_step *steps, size_t written)
{
    const struct code_module *m = source->scope->module->config->module;
    struct str first = t->n ? value_text(&t->step[0].key) : (struct str){0};
    if (t->n < 2 || t->step[0].key.kind != VALUE_STRING)
        return;
    if (str_equal(t->root, STR("module"))) {
        const struct code_module_call *call = code_find_call(m, first);
        if (written < 2 && call && (call->for_each.expr || call->count.expr))
            steps[1].index = true;
        return;
    }
    bool data = str_equal(t->root, STR("data"));
    size_t at = data ? 2 : 1;
    if (t->n <= at || written > at || (data && t->step[1].key.kind != VALUE_STRING))
        return;
    const struct code_resource *r =
        code_find_resource(m, data ? CODE_DATA : CODE_MANAGED, data ? first : t->root,
                           data ? value_text(&t->step[1].key) : first);
    if (r && (r->for_each.expr || r->count.expr))
        steps[at].index = true;
}

static void follow_reference(struct code_follow *f, const struct code_source *source,
                             const struct hcl_expr *expr, struct path rest, unsigned depth_left)
{
    struct unwound u;
    if (!unwind(f, source, expr, rest, &u))
        return;
    if (u.root->kind != HCL_EXPR_VARIABLE) {
        code_follow_expr(f, source, u.root, u.rest, depth_left - 1);
        return;
    }
    const struct code_bind *bind = find_bind(source, u.root->name);
    if (bind) {
        follow_bind(f, bind, u.rest, depth_left);
        return;
    }
    struct hcl_step *steps = arena_new(f->arena, struct hcl_step, u.rest.n);
    if (!steps)
        return;
    struct hcl_traversal t = {
        .root = u.root->name, .root_range = u.root->range, .range = expr->range, .step = steps};
    for (; t.n < u.rest.n; t.n++) {
        const struct path_step *s = &u.rest.step[t.n];
        steps[t.n] = (struct hcl_step){.index = t.n < u.n ? u.brackets[t.n] : s->kind == PATH_INDEX,
                                       .key = s->kind == PATH_INDEX ? value_int(s->index)
                                                                    : value_string(s->key),
                                       .range = expr->range};
    }
    mark_key(source, &t, steps, u.n);
    code_follow_name(f, source, &t, u.rest, depth_left - 1);
}

/* --- what names stand for --- */

static struct path path_from(struct path rest, size_t n)
{
    n = n < rest.n ? n : rest.n;
    return (struct path){rest.step + n, rest.n - n};
}

static void follow_default(struct code_follow *f, const struct code_source *at,
                           const struct code_variable *v, struct str name, struct path rest,
                           unsigned depth_left)
{
    struct code_source source = *at;
    source.file = v->default_expr.file;
    if (!v->has_default) {
        f->why = arena_printf(f->arena, "%.*s has no value and no default (%.*s:%u)", STR_ARG(name),
                              STR_ARG(v->place.file->name), v->place.line);
        return;
    }
    if (!v->default_expr.expr)
        return;
    code_add_link(f, "default", name, v->default_expr.file, v->default_expr.range,
                  v->default_expr.expr, rest);
    code_follow_expr(f, &source, v->default_expr.expr, rest, depth_left - 1);
}

static void follow_input(struct code_follow *f, const struct code_source *at,
                         const struct code_variable *v, size_t index, struct str name,
                         struct path rest, unsigned depth_left)
{
    const struct code_input *in = &f->code->inputs[index];
    struct code_source source = *at;
    if (in->kind == CODE_INPUT_NONE || (in->value.kind == VALUE_NULL && !v->nullable)) {
        follow_default(f, at, v, name, rest, depth_left);
        return;
    }
    if (in->kind == CODE_INPUT_FILE) {
        source.file = in->file;
        code_add_link(f, "tfvars", v->name, in->file, in->whole, in->expr, rest);
        code_follow_expr(f, &source, in->expr, rest, depth_left - 1);
    } else if (in->kind == CODE_INPUT_ENV) {
        code_add_link(f, "environment", arena_printf(f->arena, "TF_VAR_%.*s", STR_ARG(v->name)),
                      NULL, (struct hcl_range){0, 0}, NULL, rest);
    } else {
        code_add_link(f, "command line", arena_printf(f->arena, "-var %.*s", STR_ARG(v->name)),
                      NULL, (struct hcl_range){0, 0}, NULL, rest);
    }
}

/* The place of a module instance: its root scope, with what each and count are in its call. */
static struct code_source module_source(struct code_follow *f, struct code_module_instance *module)
{
    struct code_scope *scope = arena_new(f->arena, struct code_scope, 1);
    struct code_source source = {.scope = scope};
    if (scope)
        *scope = (struct code_scope){.walk = &f->walk, .module = module};
    else
        f->full = true;
    return source;
}

/* Where the arguments of the call of `module` are evaluated. */
static struct code_source call_source(struct code_follow *f, struct code_module_instance *module)
{
    const struct code_module_call *call = module->config->call;
    struct code_source source = module_source(f, module->parent), outer;
    if (f->full)
        return source;
    outer = module_source(f, module->parent);
    ((struct code_scope *)(uintptr_t)source.scope)->each = module->each;
    source.repeat = call->for_each.expr ? &call->for_each : &call->count;
    source.repeat_scope = outer.scope;
    return source;
}

static void follow_variable(struct code_follow *f, const struct code_source *source,
                            const struct code_ref *ref, struct path rest, unsigned depth_left)
{
    struct code_module_instance *module = source->scope->module;
    const struct code_module *m = module->config->module;
    const struct code_variable *v = code_find_variable(m, ref->name);
    struct str name = arena_printf(f->arena, "var.%.*s", STR_ARG(ref->name));
    const struct hcl_file *file;
    if (!v)
        return;
    f->variable = v;
    f->variable_rest = rest;
    f->unset = NULL;
    code_add_link(f, "variable", name, v->place.file, v->place.range, NULL, rest);
    struct code_source own = module_source(f, module);
    if (f->full)
        return;
    if (!module->parent) {
        follow_input(f, &own, v, (size_t)(v - m->variables), name, rest, depth_left);
        return;
    }
    const struct hcl_attribute *a =
        code_call_argument(f->code, module->config->call, v->name, &file);
    struct code_source standard = own;
    standard.file = v->default_expr.file;
    if (!a && f->aim &&
        code_aim_argument(f, &standard, module->config->call, v->name, v->default_expr.expr, rest))
        return;
    if (!a) {
        f->unset = module;
        follow_default(f, &own, v, name, rest, depth_left);
        return;
    }
    struct code_source at = call_source(f, module);
    at.file = file;
    code_add_link(f, "module argument",
                  arena_printf(f->arena, "%.*s.%.*s", STR_ARG(module->address), STR_ARG(v->name)),
                  file, a->range, a->value, rest);
    code_follow_expr(f, &at, a->value, rest, depth_left - 1);
}

static void follow_local(struct code_follow *f, const struct code_source *source,
                         const struct code_ref *ref, struct path rest, unsigned depth_left)
{
    struct code_module_instance *module = source->scope->module;
    const struct code_local *local = code_find_local(module->config->module, ref->name);
    struct code_source own = module_source(f, module);
    if (!local || f->full)
        return;
    own.file = local->value.file;
    code_add_link(f, "local", arena_printf(f->arena, "local.%.*s", STR_ARG(ref->name)),
                  local->value.file, local->value.range, local->value.expr, rest);
    code_follow_expr(f, &own, local->value.expr, rest, depth_left - 1);
}

/* each.key, each.value, count.index: the expression that makes the instances. */
static void follow_repeat(struct code_follow *f, const struct code_source *source,
                          const struct code_ref *ref, struct path rest, unsigned depth_left)
{
    const struct code_each *each = &source->scope->each;
    struct path_step step;
    struct path inner = {0};
    if (!source->repeat || !source->repeat->expr)
        return;
    struct code_source own = {.file = source->repeat->file, .scope = source->repeat_scope};
    bool value = ref->kind == CODE_REF_EACH && str_equal(ref->name, STR("value"));
    bool set = value && value_equal(&each->key, &each->value);
    if (value && !set &&
        (!code_follow_step(&each->key, &step) || !code_follow_prepend(f, step, rest, &inner)))
        return;
    code_add_link(f, ref->kind == CODE_REF_COUNT ? "count" : "for_each",
                  arena_printf(f->arena, "%.*s.%.*s", STR_ARG(ref->root), STR_ARG(ref->name)),
                  own.file, source->repeat->range, source->repeat->expr, inner);
    if (set)
        follow_element(f, &own, source->repeat->expr, &each->value, rest, depth_left - 1);
    else if (value)
        code_follow_expr(f, &own, source->repeat->expr, inner, depth_left - 1);
}

/* Where nobody knows which instances something has: on from what says it. */
static void follow_keys(struct code_follow *f, const struct code_source *source, struct str name,
                        const struct code_expr *count, const struct code_expr *for_each,
                        unsigned depth_left)
{
    const struct code_expr *e = for_each->expr ? for_each : count;
    struct code_source own = module_source(f, source->scope->module);
    if (!e->expr || f->full)
        return;
    own.file = e->file;
    code_add_link(f, for_each->expr ? "for_each" : "count", name, e->file, e->range, e->expr,
                  (struct path){0});
    code_follow_expr(f, &own, e->expr, (struct path){0}, depth_left - 1);
}

/* True: why the module's instances cannot be known is told. */
static bool follow_call_keys(struct code_follow *f, const struct code_source *source,
                             const struct code_ref *ref, unsigned depth_left)
{
    struct code_module_instance *parent = source->scope->module;
    const struct code_config *in = parent->config;
    const struct code_module_call *call = code_find_call(in->module, ref->name);
    if (!call)
        return false;
    if (!in->child[call - in->module->calls]) {
        f->why =
            arena_printf(f->arena, "module.%.*s is not installed (%.*s:%u)", STR_ARG(call->name),
                         STR_ARG(call->place.file->name), call->place.line);
        return true;
    }
    const struct code_result *r = code_result(&f->walk, &in->calls[call - in->module->calls]);
    if (!r->expansion || r->expansion[parent->index].known)
        return false;
    follow_keys(f, source, arena_printf(f->arena, "module.%.*s", STR_ARG(call->name)), &call->count,
                &call->for_each, depth_left);
    return true;
}

static void follow_output(struct code_follow *f, const struct code_source *source,
                          const struct code_ref *ref, struct path rest, unsigned depth_left)
{
    struct code_module_instance *parent = source->scope->module;
    struct code_config *in = parent->config;
    const struct code_module_call *call = code_find_call(in->module, ref->name);
    struct code_config *child = call ? in->child[call - in->module->calls] : NULL;
    if (follow_call_keys(f, source, ref, depth_left))
        return;
    const struct code_output *output = child ? code_find_output(child->module, ref->output) : NULL;
    const struct code_instances_of *all = child ? code_modules(&f->walk, child) : NULL;
    struct code_each key = {.kind = CODE_KEY_NONE, .key = ref->key};
    if (ref->has_key)
        key.kind = ref->key.kind == VALUE_STRING ? CODE_KEY_EACH : CODE_KEY_COUNT;
    for (size_t i = 0; output && i < all->n; i++) {
        if (all->item[i].parent != parent || code_compare_keys(&all->item[i].each, &key) != 0)
            continue;
        struct code_source own = module_source(f, &all->item[i]);
        if (f->full)
            return;
        own.file = output->value.file;
        code_add_link(f, "output",
                      arena_printf(f->arena, "%.*s.%.*s", STR_ARG(all->item[i].address),
                                   STR_ARG(output->name)),
                      own.file, output->value.range, output->value.expr, rest);
        code_follow_expr(f, &own, output->value.expr, rest, depth_left - 1);
        return;
    }
}

/* Another resource's attribute: what its code says, else its provider computes it. */
static void follow_resource(struct code_follow *f, const struct code_source *source,
                            const struct code_ref *ref, struct path rest, unsigned depth_left)
{
    struct code_module_instance *module = source->scope->module;
    const struct code_node *node = code_ref_node(module->config, ref);
    const struct code_result *r = node ? code_result(&f->walk, node) : NULL;
    if (!r || !r->expansion)
        return;
    const struct code_expansion *e = &r->expansion[module->index];
    const struct code_resource *resource = &node->in->module->resources[node->at];
    if (!e->known) {
        follow_keys(f, source,
                    arena_printf(f->arena, "%.*s.%.*s", STR_ARG(ref->type), STR_ARG(ref->name)),
                    &resource->count, &resource->for_each, depth_left);
        return;
    }
    if (ref->kind == CODE_REF_RESOURCE) {
        f->why = arena_printf(f->arena,
                              "%.*s.%.*s has what only its provider tells; the state does not "
                              "have it",
                              STR_ARG(ref->type), STR_ARG(ref->name));
        return;
    }
    struct code_each key = {.kind = CODE_KEY_NONE, .key = ref->key};
    if (ref->has_key)
        key.kind = ref->key.kind == VALUE_STRING ? CODE_KEY_EACH : CODE_KEY_COUNT;
    for (uint32_t i = 0; i < e->n; i++) {
        const struct code_made *made = &e->made[i];
        if (!made->out.address.ptr || code_compare_keys(&made->each, &key) != 0)
            continue;
        if (code_follow_instance(f, made, rest, depth_left - 1))
            return;
        const struct code_place *at = &made->out.resource->place;
        struct str path = path_text(f->arena, rest);
        code_add_link(f, made->out.mode == CODE_DATA ? "data source" : "resource",
                      arena_printf(f->arena, "%.*s%s%.*s", STR_ARG(made->out.address),
                                   rest.n && rest.step[0].kind == PATH_KEY ? "." : "",
                                   STR_ARG(path)),
                      at->file, at->range, NULL, rest);
        f->why = arena_printf(f->arena,
                              made->out.mode == CODE_DATA
                                  ? "%.*s%s%.*s is what the data source reads; the state does not "
                                    "have it"
                                  : "%.*s%s%.*s is computed by the provider; the state does not "
                                    "have it",
                              STR_ARG(made->out.address), rest.n ? "." : "", STR_ARG(path));
        return;
    }
}

void code_follow_name(struct code_follow *f, const struct code_source *source,
                      const struct hcl_traversal *t, struct path rest, unsigned depth_left)
{
    struct code_ref ref;
    code_ref_parse(f->code, source->file, t, &ref);
    struct path behind = path_from(rest, rest.n - ref.nrest);
    switch (ref.kind) {
    case CODE_REF_VARIABLE:
        follow_variable(f, source, &ref, behind, depth_left);
        return;
    case CODE_REF_LOCAL:
        follow_local(f, source, &ref, behind, depth_left);
        return;
    case CODE_REF_COUNT:
    case CODE_REF_EACH:
        follow_repeat(f, source, &ref, behind, depth_left);
        return;
    case CODE_REF_OUTPUT:
        follow_output(f, source, &ref, behind, depth_left);
        return;
    case CODE_REF_MODULE:
    case CODE_REF_MODULE_AT:
        (void)follow_call_keys(f, source, &ref, depth_left);
        return;
    case CODE_REF_RESOURCE:
    case CODE_REF_INSTANCE:
        follow_resource(f, source, &ref, behind, depth_left);
        return;
    default:
        return;
    }
}

/* One expression that stands for another one. */
static bool is_name(const struct hcl_expr *expr)
{
    static const char *const calls[] = {"try",          "lookup",  "coalesce",
                                        "coalescelist", "element", "one"};
    for (size_t i = 0; expr->kind == HCL_EXPR_CALL && i < sizeof calls / sizeof *calls; i++)
        if (str_equal(expr->call.name, str_from(calls[i])))
            return true;
    return expr->kind == HCL_EXPR_PAREN || expr->kind == HCL_EXPR_WRAP ||
           expr->kind == HCL_EXPR_VARIABLE || expr->kind == HCL_EXPR_ATTRIBUTE ||
           expr->kind == HCL_EXPR_INDEX || expr->kind == HCL_EXPR_SPLAT_ITEM;
}

void code_follow_expr(struct code_follow *f, const struct code_source *source,
                      const struct hcl_expr *expr, struct path rest, unsigned depth_left)
{
    if (depth_left == 0 || f->full || !expr)
        return;
    f->reached = expr;
    f->reached_at = *source;
    f->left = rest;
    if (f->whole && rest.n == 0 && !is_name(expr))
        return;
    if (f->aim && code_aim_expr(f, source, expr, rest, depth_left))
        return;
    switch (expr->kind) {
    case HCL_EXPR_PAREN:
    case HCL_EXPR_WRAP:
        code_follow_expr(f, source, expr->operand, rest, depth_left - 1);
        return;
    case HCL_EXPR_OBJECT:
        follow_object(f, source, expr, rest, depth_left);
        return;
    case HCL_EXPR_TUPLE:
        follow_tuple(f, source, expr, rest, depth_left);
        return;
    case HCL_EXPR_CONDITIONAL:
        follow_conditional(f, source, expr, rest, depth_left);
        return;
    case HCL_EXPR_FOR:
        follow_for(f, source, expr, rest, depth_left);
        return;
    case HCL_EXPR_SPLAT:
        follow_splat(f, source, expr, rest, depth_left);
        return;
    case HCL_EXPR_SPLAT_ITEM: {
        const struct code_bind *bind = find_bind(source, STR("*"));
        if (bind)
            follow_bind(f, bind, rest, depth_left);
        return;
    }
    case HCL_EXPR_CALL:
        code_follow_call(f, source, expr, rest, depth_left);
        return;
    case HCL_EXPR_VARIABLE:
    case HCL_EXPR_ATTRIBUTE:
    case HCL_EXPR_INDEX:
        follow_reference(f, source, expr, rest, depth_left);
        return;
    default:
        return;
    }
}

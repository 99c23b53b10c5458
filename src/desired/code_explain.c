/* code_explain.c - code_explain(): from a path of an instance to the expressions that decide it. */
#include <string.h>

#include "desired/code_aim.h"

/* --- in the body of an instance --- */

static struct path path_behind(struct path path, size_t n)
{
    return (struct path){path.step + n, path.n - n};
}

static struct path path_before(struct path path, size_t n)
{
    return (struct path){path.step, n};
}

static const struct code_item *find_item(const struct code_body_tree *tree, struct str name)
{
    for (size_t i = 0; i < tree->nitems; i++)
        if (str_equal(tree->item[i].name, name))
            return &tree->item[i];
    return NULL;
}

/* The block that path.step[0], and perhaps a step behind it, selects; *ret_taken = steps used. */
static const struct code_body_tree *find_block(const struct code_body_tree *tree, struct path path,
                                               size_t *ret_taken)
{
    int64_t want = 0, n = 0;
    bool indexed = path.n > 1 && path.step[1].kind == PATH_INDEX;
    if (indexed)
        want = path.step[1].index;
    *ret_taken = indexed ? 2 : 1;
    for (size_t i = 0; i < tree->nchildren; i++) {
        const struct code_body_tree *child = &tree->child[i];
        if (!str_equal(child->type, path.step[0].key))
            continue;
        if (child->label.len && path.n > 1 && path.step[1].kind == PATH_KEY) {
            *ret_taken = 2;
            if (str_equal(child->label, path.step[1].key))
                return child;
            continue;
        }
        if (n++ == want)
            return child;
    }
    return NULL;
}

const struct code_bind *code_bind_generated(struct code_follow *f, const struct code_source *outer,
                                            const struct code_generated *from, unsigned depth_left)
{
    if (!from || depth_left == 0)
        return outer->bind;
    struct code_bind *bind = arena_new(f->arena, struct code_bind, 1);
    if (!bind)
        return outer->bind;
    *bind = (struct code_bind){.outer = code_bind_generated(f, outer, from->outer, depth_left - 1),
                               .name = from->iterator,
                               .iterator = true,
                               .what = "dynamic",
                               .source = *outer,
                               .expr = from->for_each->value,
                               .range = from->for_each->range,
                               .any = from->set,
                               .element = from->key};
    bind->source.file = from->file;
    bind->source.names = from->names;
    bind->source.bind = bind->outer;
    if (from->key.kind == VALUE_STRING)
        bind->step = (struct path_step){.kind = PATH_KEY, .key = value_text(&from->key)};
    else {
        bind->step.kind = PATH_INDEX;
        (void)value_to_int64(&from->key, &bind->step.index);
    }
    return bind;
}

static void link_block(struct code_follow *f, const struct code_source *source,
                       const struct code_body_tree *block, struct str name, struct path rest,
                       unsigned depth_left)
{
    code_add_link(f, "block", name, block->file, block->header, NULL, rest);
    const struct code_generated *from = block->is_generated ? block->generated : NULL;
    if (!from || f->aim) /* a block is no value that what it is made of could give */
        return;
    struct code_source own = *source;
    own.bind = code_bind_generated(f, source, from->outer, CODE_FOLLOW_DEPTH);
    own.names = from->names;
    own.file = from->file;
    struct path_step *step = arena_new(f->arena, struct path_step, 1);
    struct path inner = {step, 1};
    const struct code_bind *bind = code_bind_generated(f, source, from, CODE_FOLLOW_DEPTH);
    if (!step || !bind)
        return;
    *step = bind->step;
    if (from->set)
        inner.n = 0;
    code_add_link(f, "dynamic", from->iterator, from->file, from->for_each->range,
                  from->for_each->value, inner);
    code_follow_expr(f, &own, from->for_each->value, inner, depth_left - 1);
}

/* Down the tree as far as the path goes into blocks. */
static bool follow_body(struct code_follow *f, const struct code_source *source,
                        const struct code_body_tree *tree, struct path path, unsigned depth_left)
{
    size_t at = 0;
    const struct code_body_tree *last = NULL;
    while (at < path.n && path.step[at].kind == PATH_KEY) {
        struct str name = path.step[at].key;
        const struct code_item *item = find_item(tree, name);
        if (item) {
            struct code_source own = *source;
            own.file = item->file;
            own.names = tree->names;
            own.bind = code_bind_generated(f, source, tree->generated, CODE_FOLLOW_DEPTH);
            struct path rest = path_behind(path, at + 1);
            code_add_link(f, "attribute", path_text(f->arena, path_before(path, at + 1)),
                          item->file, item->written->range, item->written->value, rest);
            code_follow_expr(f, &own, item->written->value, rest, depth_left - 1);
            return true;
        }
        size_t taken;
        const struct code_body_tree *child = find_block(tree, path_behind(path, at), &taken);
        if (!child)
            break;
        at += taken;
        last = tree = child;
    }
    if (!last)
        return false;
    link_block(f, source, last, path_text(f->arena, path_before(path, at)), path_behind(path, at),
               depth_left);
    return at == path.n || path.step[at].kind != PATH_KEY;
}

bool code_follow_instance(struct code_follow *f, const struct code_made *made, struct path path,
                          unsigned depth_left)
{
    const struct code_resource *r = made->out.resource;
    struct code_scope *scope = arena_new(f->arena, struct code_scope, 2);
    const struct code_body *bodies;
    struct code_body_tree tree;
    size_t n = code_bodies_of(f->code, r, &bodies), links = f->n, before = f->quiet.n;
    if (!scope || !n || depth_left == 0 || path.n == 0)
        return false;
    scope[0] = (struct code_scope){
        .walk = &f->walk, .module = made->module, .each = made->each, .check = r->check};
    scope[1] = (struct code_scope){.walk = &f->walk, .module = made->module};
    struct code_source source = {.scope = &scope[0],
                                 .repeat = r->for_each.expr ? &r->for_each : &r->count,
                                 .repeat_scope = &scope[1]};
    (void)code_expand_body(&scope[0], bodies, n, made->out.schema ? &made->out.schema->block : NULL,
                           &code_resource_meta, &f->quiet, &tree);
    f->quiet.n = before;
    bool found = follow_body(f, &source, &tree, path, depth_left);
    if (!found)
        f->n = links;
    return found;
}

/* --- why it cannot be known --- */

static bool is_unknown(const struct value *v, struct path path)
{
    for (size_t i = 0; v && i < path.n; i++) {
        if (v->kind == VALUE_UNKNOWN)
            return true;
        const struct value *next = path_find(v, (struct path){&path.step[i], 1});
        if (!next)
            return hcl_is_open(v); /* what a schema would tell */
        v = next;
    }
    return v && value_any_unknown(v);
}

/* The steps of a name as a path, as far as they are one. */
static struct path path_of(struct arena *arena, const struct hcl_step *step, size_t n)
{
    struct path_step *steps = arena_new(arena, struct path_step, n + 1);
    struct path path = {steps, 0};
    for (size_t i = 0; steps && i < n; i++) {
        int64_t index;
        if (step[i].key.kind == VALUE_STRING)
            steps[i] = (struct path_step){.kind = PATH_KEY, .key = value_text(&step[i].key)};
        else if (value_to_int64(&step[i].key, &index))
            steps[i] = (struct path_step){.kind = PATH_INDEX, .index = index};
        else
            return path;
        path.n++;
    }
    return path;
}

/* Why a name at the place that was reached has no value; empty = nothing more is to be said. */
static struct str cause_of(struct code_follow *f, const struct hcl_traversal *t,
                           unsigned depth_left)
{
    struct code_follow on = {.code = f->code, .arena = f->arena, .walk = f->walk};
    on.quiet.arena = f->arena;
    on.walk.diags = &on.quiet;
    code_follow_name(&on, &f->reached_at, t, path_of(f->arena, t->step, t->n), CODE_FOLLOW_DEPTH);
    if (!on.why.len && on.reached)
        code_explain_unknown(&on, depth_left - 1);
    return on.why;
}

struct unknown_search {
    struct code_follow *f;
    unsigned depth_left;
};

/* The first name in the expression reached last that has no value. */
static bool is_known(void *ctx, const struct hcl_traversal *traversal)
{
    struct unknown_search *s = ctx;
    struct code_follow *f = s->f;
    const struct hcl_file *file = f->reached_at.file;
    struct code_scope scope = *f->reached_at.scope;
    struct value v = hcl_any();
    size_t steps;
    struct code_ref ref;
    uint32_t line, column;
    scope.walk = &f->walk;
    code_ref_parse(f->code, file, traversal, &ref);
    if (ref.kind == CODE_REF_INVALID ||
        !code_resolve(&scope, &f->code->ev, traversal, &v, &steps) ||
        !is_unknown(&v, path_of(f->arena, traversal->step + steps, traversal->n - steps)))
        return true;
    f->why = cause_of(f, traversal, s->depth_left);
    if (f->why.len)
        return false;
    struct str text = str_sub(file->text, traversal->range.start, traversal->range.end);
    hcl_place(file->text, traversal->range.start, &line, &column);
    f->why = arena_printf(f->arena, "%.*s cannot be known before an apply (%.*s:%u)", STR_ARG(text),
                          STR_ARG(file->name), line);
    return false;
}

/* Its value is unknown because it could not be evaluated. */
static bool has_error(const struct code *code, const struct code_link *link)
{
    for (size_t i = 0; i < code->diags.n; i++) {
        const struct hcl_diag *d = &code->diags.diag[i];
        if (!d->warning && str_equal(d->file, link->source->name) &&
            d->subject.start >= link->range.start && d->subject.end <= link->range.end)
            return true;
    }
    return false;
}

void code_explain_unknown(struct code_follow *f, unsigned depth_left)
{
    const struct code_link *last = f->n ? &f->link[f->n - 1] : NULL;
    struct unknown_search s = {f, depth_left};
    if (!f->why.len && f->reached && f->reached_at.file && depth_left)
        (void)hcl_each_reference(f->arena, f->reached, is_known, &s);
    if (!f->why.len && last && last->source)
        f->why = arena_printf(f->arena,
                              has_error(f->code, last)
                                  ? "there is an error in the expression at %.*s:%u"
                                  : "the expression at %.*s:%u is known only at an apply",
                              STR_ARG(last->file), last->line);
    if (!f->why.len)
        f->why = STR("it is known only at an apply");
}

/* An instance may have been asked for before others were. */
static bool is_of_walk(struct code *code, const struct code_made *made)
{
    const struct code_result *r =
        made && code->plan.code ? code_result(&code->plan, made->node) : NULL;
    const struct code_expansion *e =
        r && r->expansion && made->module->index < code_modules(&code->plan, made->node->in)->n
            ? &r->expansion[made->module->index]
            : NULL;
    uintptr_t at = (uintptr_t)made, from = e ? (uintptr_t)e->made : 0;
    return from && at >= from && at < from + e->n * sizeof *made;
}

bool code_explain(struct code *code, const struct code_instance *instance, struct path path,
                  struct code_chain *ret)
{
    struct code_follow f = {.code = code, .arena = &code->arena};
    const struct code_made *made =
        is_of_walk(code, instance->made) ? instance->made : code_find_made(code, instance->address);
    *ret = (struct code_chain){.unknown_because = STR("")};
    if (!made || !code->plan.code)
        return false;
    f.quiet.arena = &code->arena;
    f.walk = code->plan;
    f.walk.diags = &f.quiet;
    if (!code_follow_instance(&f, made, path, CODE_FOLLOW_DEPTH))
        return false;
    if (is_unknown(&made->out.config, path))
        code_explain_unknown(&f, CODE_FOLLOW_DEPTH);
    else
        f.why = STR("");
    *ret = (struct code_chain){f.link, f.n, f.why};
    return f.n > 0;
}

bool code_aim(struct code *code, const struct code_instance *instance, struct path path,
              const struct value *v, struct code_choices *choices, struct code_aim *ret)
{
    struct code_follow f = {.code = code, .arena = &code->arena};
    struct code_aiming aim = {.unset = !v, .choices = choices};
    const struct code_made *made =
        is_of_walk(code, instance->made) ? instance->made : code_find_made(code, instance->address);
    *ret = (struct code_aim){0};
    if (!made || !code->plan.code)
        return true;
    if (v)
        aim.value = *v;
    f.quiet.arena = &code->arena;
    f.walk = code->plan;
    f.walk.diags = &f.quiet;
    f.aim = &aim;
    (void)code_follow_instance(&f, made, path, CODE_FOLLOW_DEPTH);
    ret->why = aim.why;
    ret->chain = (struct code_chain){f.link, f.n, f.why};
    if (aim.failed || f.full)
        return !f.full || code->arena.used < code->arena.limit;
    ret->target = aim.target;
    ret->n = aim.n;
    return true;
}

bool code_explain_text(struct code *code, struct str text, struct value *ret_value,
                       struct code_chain *ret, const struct hcl_diags **ret_diags, struct err *err)
{
    const struct hcl_expr *expr;
    *ret = (struct code_chain){.unknown_because = STR("")};
    if (!code_eval_text(code, text, ret_value, ret_diags, err))
        return false;
    struct hcl_file *file = arena_new(&code->arena, struct hcl_file, 1);
    struct code_follow f = {.code = code, .arena = &code->arena, .walk = code->plan};
    if (!file)
        return arena_full(&code->arena, err);
    *file = (struct hcl_file){.name = STR("<expression>"), .text = arena_dup(&code->arena, text)};
    f.quiet.arena = &code->arena;
    f.walk.diags = &f.quiet;
    if (hcl_has_errors(*ret_diags))
        return true;
    if (!hcl_parse_expression(&code->arena, file->text, file->name, &f.quiet, &expr, err))
        return false;
    struct code_module_instance *root = code_modules(&f.walk, code->root)->item;
    struct code_scope scope = {.walk = &f.walk, .module = root};
    struct code_source source = {.file = file, .scope = &scope};
    code_follow_expr(&f, &source, expr, (struct path){0}, CODE_FOLLOW_DEPTH);
    if (value_any_unknown(ret_value))
        code_explain_unknown(&f, CODE_FOLLOW_DEPTH);
    *ret = (struct code_chain){f.link, f.n, value_any_unknown(ret_value) ? f.why : STR("")};
    return !f.full || arena_full(&code->arena, err);
}

/* code_blocks.c - which blocks of a type a body has; edits that make other ones of them. */
#include "desired/code_blocks.h"

#include "desired/code_remake.h"
#include "lang/hcl/eval_parts.h"

/* --- finding --- */

struct code_place_of { /* where the body of an instance is evaluated */
    struct code_follow f;
    struct code_scope scope[2];
    struct code_source source;
    struct code_body_tree tree; /* of the whole body */
};

/* The body of an instance, expanded. */
static bool expand(struct code *code, const struct code_made *made, struct code_place_of *ret)
{
    struct code_follow *f = &ret->f;
    const struct code_resource *r = made->out.resource;
    const struct code_body *bodies;
    size_t n = code_bodies_of(code, r, &bodies);
    *f = (struct code_follow){.code = code, .arena = &code->arena, .walk = code->plan};
    f->quiet.arena = &code->arena;
    f->walk.diags = &f->quiet;
    if (!n)
        return false;
    ret->scope[0] = (struct code_scope){
        .walk = &f->walk, .module = made->module, .each = made->each, .check = r->check};
    ret->scope[1] = (struct code_scope){.walk = &f->walk, .module = made->module};
    ret->source = (struct code_source){.scope = &ret->scope[0],
                                       .repeat = r->for_each.expr ? &r->for_each : &r->count,
                                       .repeat_scope = &ret->scope[1]};
    return code_expand_body(&ret->scope[0], bodies, n,
                            made->out.schema ? &made->out.schema->block : NULL, &code_resource_meta,
                            &f->quiet, &ret->tree);
}

static const struct code_body_tree *child_at(const struct code_body_tree *tree, struct str type,
                                             const struct path_step *step)
{
    int64_t n = 0;
    for (size_t i = 0; i < tree->nchildren; i++) {
        const struct code_body_tree *child = &tree->child[i];
        if (!str_equal(child->type, type))
            continue;
        if (!step ||
            (step->kind == PATH_KEY ? str_equal(child->label, step->key) : n == step->index))
            return child;
        n++;
    }
    return NULL;
}

/* The body that holds the blocks of path's last name. */
static const struct code_body_tree *body_at(const struct code_body_tree *tree, struct path path)
{
    for (size_t at = 0; tree && at + 1 < path.n;) {
        const struct schema_nested_block *nested =
            tree->block ? schema_find_block(tree->block, path.step[at].key) : NULL;
        bool single =
            nested && (nested->nesting == NESTING_SINGLE || nested->nesting == NESTING_GROUP);
        if (path.step[at].kind != PATH_KEY || (!single && at + 2 >= path.n))
            return NULL;
        tree = child_at(tree, path.step[at].key, single ? NULL : &path.step[at + 1]);
        at += single ? 1 : 2;
    }
    return path.n && path.step[path.n - 1].kind == PATH_KEY ? tree : NULL;
}

static bool list_blocks(struct code *code, const struct code_scope *scope,
                        const struct code_body_tree *body, struct str type, struct code_blocks *ret)
{
    struct code_nested *block = arena_new(&code->arena, struct code_nested, body->nchildren);
    const struct code_dynamic **dynamic =
        arena_new(&code->arena, const struct code_dynamic *, body->ndynamic);
    size_t n = 0, nd = 0;
    if (!block || !dynamic)
        return false;
    for (size_t i = 0; i < body->ndynamic; i++)
        if (str_equal(body->dynamic[i].block->label[0].text, type))
            dynamic[nd++] = &body->dynamic[i];
    for (size_t i = 0; i < body->nchildren; i++) {
        const struct code_body_tree *child = &body->child[i];
        if (!str_equal(child->type, type))
            continue;
        if (child->unknown)
            return false;
        block[n] =
            (struct code_nested){.file = child->file, .block = child->written, .dynamic = SIZE_MAX};
        for (size_t k = 0; k < nd && child->is_generated; k++)
            if (i >= dynamic[k]->from && i < dynamic[k]->from + dynamic[k]->n)
                block[n].dynamic = k;
        if (!code_tree_value(scope, child, &block[n++].config))
            return false;
    }
    const struct schema_nested_block *nested =
        body->block ? schema_find_block(body->block, type) : NULL;
    *ret = (struct code_blocks){.type = type,
                                .block = block,
                                .n = n,
                                .dynamic = dynamic,
                                .ndynamic = nd,
                                .schema = nested ? nested->block : NULL,
                                .ordered = !nested || nested->nesting == NESTING_LIST};
    return true;
}

bool code_blocks_at(struct code *code, const struct code_instance *instance, struct path path,
                    struct code_blocks *ret)
{
    const struct code_made *made = code_find_made(code, instance->address);
    struct code_place_of *place = arena_new(&code->arena, struct code_place_of, 1);
    if (!made || !place || !code->plan.code || !expand(code, made, place))
        return false;
    const struct code_body_tree *body = body_at(&place->tree, path);
    if (!body)
        return false;
    struct str type = path.step[path.n - 1].key;
    if (body->block && !schema_find_block(body->block, type))
        return false;
    bool ok = list_blocks(code, &place->scope[0], body, type, ret);
    ret->place = place;
    return ok;
}

size_t code_dynamic_from(const struct code_blocks *blocks, size_t dynamic, size_t *ret_n)
{
    size_t from = SIZE_MAX, n = 0, before = 0;
    for (size_t i = 0; i < blocks->n; i++) {
        size_t own = blocks->block[i].dynamic;
        if (own == dynamic && n++ == 0)
            from = i;
    }
    *ret_n = n;
    if (n)
        return from;
    /* It makes none: behind what stands in front of it. */
    const struct code_dynamic *d = blocks->dynamic[dynamic];
    for (size_t i = 0; i < blocks->n; i++) {
        const struct code_nested *b = &blocks->block[i];
        before += b->file == d->file && b->block->range.start < d->block->range.start;
    }
    return before;
}

const struct hcl_block *code_dynamic_block(const struct code_blocks *blocks, size_t dynamic,
                                           const struct hcl_file **ret_file,
                                           const struct hcl_expr **ret_for_each)
{
    const struct code_dynamic *d = blocks->dynamic[dynamic];
    *ret_file = d->file;
    *ret_for_each = d->for_each->value;
    return d->block;
}

/* --- making others --- */

struct remaking {
    struct remake r;
    struct code_follow f;
    const struct code_blocks *blocks;
    const struct code_dynamic *of;
    struct code_source content, each; /* where its content and its for_each are evaluated */
    const struct schema_block *schema;
    size_t from; /* its first block */
    bool set;
};

/* The element of for_each that a block is made of. */
static bool element_at(struct remaking *m, size_t at, struct value *ret_key, struct value *ret)
{
    struct hcl_iteration it;
    if (!hcl_iterate(&m->r.code->ev, &m->of->each, m->of->for_each->value->range, &it))
        return false;
    for (size_t i = 0; hcl_iteration_next(&it, ret_key, ret); i++)
        if (i == at)
            return true;
    return false;
}

/* What the element must be for a block with that configuration. */
static bool wanted_of(struct remaking *m, const struct value *config, struct code_wanted *ret)
{
    *ret = (struct code_wanted){.name = m->of->iterator, .iterator = true};
    m->f.why = STR("");
    if (code_invert_block(&m->f, &m->content, &m->of->content->body, m->schema, ret, config,
                          CODE_FOLLOW_DEPTH))
        return true;
    uint32_t line, column;
    hcl_place(m->of->file->text, m->of->block->range.start, &line, &column);
    return code_remake_cannot(&m->r, "the dynamic block at %.*s:%u cannot make it: %.*s",
                              STR_ARG(m->of->file->name), line, STR_ARG(m->f.why));
}

static bool is_same_key(const struct value *a, const struct value *b)
{
    return a->kind == b->kind && value_equal(a, b);
}

/* One block becomes another one: its element changes, or goes and another one comes. */
static bool change_one(struct remaking *m, struct remake_op op, const struct code_wanted *wanted,
                       size_t at)
{
    const struct hcl_expr *expr = m->of->for_each->value;
    bool other_key = wanted->has_key && !m->set && op.key.kind == VALUE_STRING &&
                     !is_same_key(&wanted->key, &op.key);
    op.value = op.old;
    if (wanted->has_value && !code_lay_over(m->r.arena, &op.old, &wanted->value, &op.value))
        return false;
    if (!other_key && !m->set && (op.key.kind == VALUE_STRING || op.key.kind == VALUE_NUMBER)) {
        op.kind = REMAKE_CHANGE;
        return code_remake(&m->r, &m->each, expr, op, CODE_FOLLOW_DEPTH);
    }
    op.kind = REMAKE_REMOVE;
    op.before = at;
    if (!code_remake(&m->r, &m->each, expr, op, CODE_FOLLOW_DEPTH))
        return false;
    op.kind = REMAKE_ADD;
    op.has_key = other_key;
    op.new_key = wanted->key;
    if (m->set && wanted->has_key && !wanted->has_value)
        op.value = wanted->key;
    if (!code_remake(&m->r, &m->each, expr, op, CODE_FOLLOW_DEPTH))
        return false;
    /* In a set it may stand anywhere: in the place of the other one. */
    struct code_edit *come = &m->r.edit[m->r.n - 1], *gone = come - 1;
    if (m->r.n > 1 && come->kind == CODE_EDIT_INSERT && gone->kind == CODE_EDIT_REMOVE &&
        come->expr == gone->expr)
        come->at = gone->at;
    return true;
}

static bool says_nothing(const struct value *v)
{
    return v->kind == VALUE_NULL || (value_is_list_like(v) && v->len == 0);
}

/* What differs; the rest is left as it is. */
static bool only_changed(struct remaking *m, const struct value *old, const struct value *v,
                         struct value *ret)
{
    *ret = *v;
    if (!value_is_object_like(old) || !value_is_object_like(v))
        return true;
    struct value_member *members =
        arena_new(m->r.arena, struct value_member, (size_t)v->len + old->len);
    size_t n = 0;
    for (uint32_t i = 0; members && i < v->len; i++) {
        const struct value *was = value_get(old, key_str(v->members[i].key));
        members[n] = v->members[i];
        if (was && code_loosely_equal(m->r.arena, was, &v->members[i].value))
            members[n].value = hcl_any();
        n++;
    }
    for (uint32_t i = 0; members && i < old->len; i++)
        if (says_nothing(&old->members[i].value) && !value_get(v, key_str(old->members[i].key)))
            members[n++] = (struct value_member){old->members[i].key, hcl_any()};
    return members && value_members(VALUE_OBJECT, members, n, ret, NULL, NULL);
}

static bool remake_one(struct remaking *m, const struct code_new_nested *change, bool ordered)
{
    struct remake_op op = {.kind = REMAKE_REMOVE, .ordered = ordered};
    struct code_wanted wanted;
    size_t at = change->instead == SIZE_MAX ? SIZE_MAX : change->instead - m->from;
    if (at != SIZE_MAX && !element_at(m, at, &op.key, &op.old))
        return code_remake_cannot(&m->r, "its elements cannot be told apart");
    if (!change->config)
        return code_remake(&m->r, &m->each, m->of->for_each->value, op, CODE_FOLLOW_DEPTH);
    struct value config = *change->config;
    if (at != SIZE_MAX && !m->set &&
        !only_changed(m, &m->blocks->block[change->instead].config, change->config, &config))
        return false;
    if (!wanted_of(m, &config, &wanted))
        return false;
    if (at != SIZE_MAX)
        return change_one(m, op, &wanted, at);
    op.kind = REMAKE_ADD;
    op.before = change->before - m->from;
    op.has_key = wanted.has_key;
    op.new_key = wanted.key;
    op.value = wanted.has_value ? wanted.value : wanted.has_key ? wanted.key : value_null();
    return code_remake(&m->r, &m->each, m->of->for_each->value, op, CODE_FOLLOW_DEPTH);
}

bool code_remake_blocks(struct code *code, const struct code_blocks *blocks, size_t dynamic,
                        const struct code_new_nested *change, size_t nchanges,
                        const struct code_edit **ret, size_t *ret_n, struct str *ret_why)
{
    const struct code_place_of *place = blocks->place;
    struct remaking m = {
        .f = place->f, .blocks = blocks, .of = blocks->dynamic[dynamic], .each = place->source};
    size_t n;
    m.f.walk.diags = &m.f.quiet;
    m.r = (struct remake){.code = code, .arena = &code->arena, .type = blocks->type};
    m.each.file = m.of->file;
    m.each.names = m.of->names;
    m.each.bind = code_bind_generated(&m.f, &place->source, m.of->outer, CODE_FOLLOW_DEPTH);
    m.content = m.each;
    m.from = code_dynamic_from(blocks, dynamic, &n);
    m.set = m.of->each.kind == VALUE_SET;
    m.schema = blocks->schema;
    for (size_t i = 0; i < nchanges; i++) {
        if (!remake_one(&m, &change[i], blocks->ordered)) {
            *ret_why = m.r.why;
            return false;
        }
    }
    *ret = m.r.edit;
    *ret_n = m.r.n;
    return !m.r.full;
}

/* adopt_again.c - what stands in the code as it was given, found again in texts that have been
 * edited; edits of what decides which elements a collection has. */
#include "base/arena.h"
#include "respond/adopt_parts.h"

/* --- the same place in another tree --- */

struct again {
    struct arena *arena;
    struct hcl_range target; /* in the old tree */
    const struct hcl_expr *expr;
    const struct hcl_body *parent;
    const struct hcl_block *block;
};

static bool holds(struct hcl_range outer, struct hcl_range inner)
{
    return outer.start <= inner.start && inner.end <= outer.end;
}

static bool again_expr(struct again *g, const struct hcl_expr *old, const struct hcl_expr *now,
                       unsigned depth_left);

static bool again_pair(struct again *g, const struct hcl_expr *old, const struct hcl_expr *now,
                       unsigned depth_left)
{
    return old && now && holds(old->range, g->target) && again_expr(g, old, now, depth_left);
}

static bool again_list(struct again *g, const struct hcl_expr *const *old, size_t n,
                       const struct hcl_expr *const *now, size_t nnow, unsigned depth_left)
{
    for (size_t i = 0; i < n && i < nnow; i++)
        if (again_pair(g, old[i], now[i], depth_left))
            return true;
    return false;
}

static bool same_key(struct arena *arena, const struct hcl_expr *a, const struct hcl_expr *b)
{
    struct value x, y;
    return hcl_static_value(arena, a, &x) && hcl_static_value(arena, b, &y) && value_equal(&x, &y);
}

static bool again_items(struct again *g, const struct hcl_expr *old, const struct hcl_expr *now,
                        unsigned depth_left)
{
    for (size_t i = 0; i < old->items.n; i++) {
        const struct hcl_item *item = &old->items.item[i];
        if (!holds(item->value->range, g->target))
            continue;
        for (size_t k = 0; k < now->items.n; k++)
            if (same_key(g->arena, item->key, now->items.item[k].key) &&
                again_pair(g, item->value, now->items.item[k].value, depth_left))
                return true;
        if (old->items.n == now->items.n)
            return again_pair(g, item->value, now->items.item[i].value, depth_left);
    }
    return false;
}

static bool again_for(struct again *g, const struct hcl_for *old, const struct hcl_for *now,
                      unsigned depth_left)
{
    return again_pair(g, old->source, now->source, depth_left) ||
           again_pair(g, old->key, now->key, depth_left) ||
           again_pair(g, old->value, now->value, depth_left) ||
           again_pair(g, old->condition, now->condition, depth_left);
}

static bool again_expr(struct again *g, const struct hcl_expr *old, const struct hcl_expr *now,
                       unsigned depth_left)
{
    if (depth_left-- == 0 || old->kind != now->kind)
        return false;
    if (old->range.start == g->target.start && old->range.end == g->target.end) {
        g->expr = now;
        return true;
    }
    switch (old->kind) {
    case HCL_EXPR_PAREN:
    case HCL_EXPR_WRAP:
        return again_pair(g, old->operand, now->operand, depth_left);
    case HCL_EXPR_TUPLE:
    case HCL_EXPR_TEMPLATE:
        return again_list(g, old->parts.part, old->parts.n, now->parts.part, now->parts.n,
                          depth_left);
    case HCL_EXPR_OBJECT:
        return again_items(g, old, now, depth_left);
    case HCL_EXPR_FOR:
        return again_for(g, old->for_, now->for_, depth_left);
    case HCL_EXPR_CALL:
        return again_list(g, old->call.arg, old->call.nargs, now->call.arg, now->call.nargs,
                          depth_left);
    case HCL_EXPR_ATTRIBUTE:
        return again_pair(g, old->get.source, now->get.source, depth_left);
    case HCL_EXPR_INDEX:
        return again_pair(g, old->index.source, now->index.source, depth_left) ||
               again_pair(g, old->index.key, now->index.key, depth_left);
    case HCL_EXPR_SPLAT:
        return again_pair(g, old->splat.source, now->splat.source, depth_left);
    case HCL_EXPR_UNARY:
    case HCL_EXPR_BINARY:
        return again_pair(g, old->binary.left, now->binary.left, depth_left) ||
               again_pair(g, old->binary.right, now->binary.right, depth_left);
    case HCL_EXPR_CONDITIONAL:
        return again_pair(g, old->cond.condition, now->cond.condition, depth_left) ||
               again_pair(g, old->cond.yes, now->cond.yes, depth_left) ||
               again_pair(g, old->cond.no, now->cond.no, depth_left);
    default:
        return false;
    }
}

static bool alike(const struct hcl_block *a, const struct hcl_block *b)
{
    if (!str_equal(a->type, b->type) || a->nlabels != b->nlabels)
        return false;
    for (size_t i = 0; i < a->nlabels; i++)
        if (!str_equal(a->label[i].text, b->label[i].text))
            return false;
    return true;
}

/* The block of the same name and the same place among those. */
static const struct hcl_block *counterpart(const struct hcl_body *old, size_t at,
                                           const struct hcl_body *now)
{
    size_t before = 0;
    for (size_t i = 0; i < at; i++)
        before += alike(&old->block[i], &old->block[at]);
    for (size_t i = 0; i < now->nblocks; i++)
        if (alike(&now->block[i], &old->block[at]) && before-- == 0)
            return &now->block[i];
    return NULL;
}

static bool again_body(struct again *g, const struct hcl_body *old, const struct hcl_body *now,
                       unsigned depth_left)
{
    if (depth_left-- == 0)
        return false;
    if (old->json && now->json)
        return again_expr(g, old->json, now->json, HCL_DEPTH_MAX);
    for (size_t i = 0; i < old->nattributes; i++) {
        const struct hcl_attribute *a = &old->attribute[i];
        const struct hcl_attribute *b = hcl_find_attribute(now, a->name);
        if (b && again_pair(g, a->value, b->value, HCL_DEPTH_MAX))
            return true;
    }
    for (size_t i = 0; i < old->nblocks; i++) {
        if (!holds(old->block[i].range, g->target))
            continue;
        const struct hcl_block *block = counterpart(old, i, now);
        if (block && old->block[i].range.start == g->target.start &&
            old->block[i].range.end == g->target.end) {
            g->parent = now;
            g->block = block;
            return true;
        }
        return block && again_body(g, &old->block[i].body, &block->body, depth_left);
    }
    return false;
}

static bool find_again(struct adopter *ad, const struct hcl_file *source, struct hcl_range range,
                       struct adopt_text **ret_text, struct again *ret)
{
    *ret = (struct again){.arena = ad->arena, .target = range};
    if (!adopt_may_edit(ad, source->name) ||
        !(*ret_text = adopt_open_text(ad, source->name, false)))
        return false;
    return again_body(ret, &source->body, &(*ret_text)->file->body, HCL_DEPTH_MAX) ||
           adopt_refuse(ad, "%.*s: what decides the value is not found again",
                        STR_ARG(source->name));
}

bool adopt_find_expr(struct adopter *ad, const struct hcl_file *source, const struct hcl_expr *expr,
                     struct adopt_text **ret_text, const struct hcl_expr **ret)
{
    struct again g;
    bool ok = find_again(ad, source, expr->range, ret_text, &g) && g.expr;
    *ret = ok ? g.expr : NULL;
    return ok || adopt_refuse(ad, "%.*s: what decides the value is not found again",
                              STR_ARG(source->name));
}

bool adopt_find_block(struct adopter *ad, const struct hcl_file *source,
                      const struct hcl_block *block, struct adopt_text **ret_text,
                      const struct hcl_body **ret_parent, const struct hcl_block **ret)
{
    struct again g;
    if (source->json)
        return adopt_refuse(ad, "%.*s is in JSON syntax, where such blocks are not told apart",
                            STR_ARG(source->name));
    if (!find_again(ad, source, block->range, ret_text, &g))
        return false;
    *ret_parent = g.parent;
    *ret = g.block;
    return g.block || adopt_refuse(ad, "%.*s: the block is not found again", STR_ARG(source->name));
}

/* --- edits of constructors --- */

static bool set_part(struct adopter *ad, const struct code_edit *e,
                     const struct adopt_change *change, const struct code_instance *instance)
{
    struct adopt_text *text;
    const struct hcl_expr *expr;
    struct hcl_obstacle obstacle;
    struct hcl_edit edit;
    if (!adopt_find_expr(ad, e->file, e->expr, &text, &expr))
        return false;
    hcl_edit_start(&edit, ad->arena, text->file);
    if (e->path.n == 0 && e->value.kind == VALUE_NULL) { /* whatever is written there */
        hcl_edit_expr(&edit, expr, &e->value);
        return adopt_take(ad, text, &edit);
    }
    if (e->unset ? hcl_edit_unset(&edit, expr, e->path, (struct hcl_known){0}, &obstacle)
                 : hcl_edit_set(&edit, expr, e->path, &e->value, (struct hcl_known){0}, &obstacle))
        return adopt_take(ad, text, &edit);
    return adopt_refuse_obstacle(ad, instance, change->path, text->file, &obstacle);
}

static bool add_argument(struct adopter *ad, const struct code_edit *e)
{
    struct adopt_place place = {
        .file = e->file->name, .type = STR("module"), .label = {e->call->name}, .nlabels = 1};
    struct adopt_spot spot;
    struct hcl_edit edit;
    struct hcl_obstacle obstacle;
    struct path_step step = {.kind = PATH_KEY, .key = e->key};
    struct hcl_new_item item = {.key = e->key, .value = &e->value};
    if (!adopt_may_edit(ad, place.file) || !adopt_find(ad, &place, &spot))
        return false;
    hcl_edit_start(&edit, ad->arena, spot.text->file);
    if (!spot.body.json)
        hcl_edit_add_attributes(&edit, &spot.body, &item, 1);
    else if (!hcl_edit_set(&edit, spot.body.json, (struct path){&step, 1}, &e->value,
                           (struct hcl_known){0}, &obstacle))
        return adopt_refuse(ad, "%.*s: the call of the module is no object", STR_ARG(place.file));
    return adopt_take(ad, spot.text, &edit);
}

/* All changes of which elements one constructor has. */
struct group {
    const struct code_edit *edit;
    size_t n;
};

static bool is_element(const struct code_edit *e)
{
    return e->kind == CODE_EDIT_REMOVE || e->kind == CODE_EDIT_INSERT || e->kind == CODE_EDIT_ITEM;
}

static bool edit_tuple(struct adopter *ad, struct hcl_edit *edit, const struct hcl_expr *expr,
                       const struct group *group)
{
    size_t n = 0, old = expr->parts.n;
    struct hcl_new_element *element = arena_new(ad->arena, struct hcl_new_element, old + group->n);
    if (!element)
        return adopt_full(ad);
    for (size_t i = 0; i <= old; i++) {
        bool gone = false;
        for (size_t k = 0; k < group->n; k++) {
            const struct code_edit *e = &group->edit[k];
            if (e->kind == CODE_EDIT_INSERT && (e->at == i || (i == old && e->at > i)))
                element[n++].value = &e->value;
            gone |= e->kind == CODE_EDIT_REMOVE && e->at == i;
        }
        if (i < old && !gone)
            element[n++].old = i;
    }
    hcl_edit_tuple(edit, expr, element, n);
    return true;
}

static bool edit_object(struct adopter *ad, struct hcl_edit *edit, const struct hcl_expr *expr,
                        const struct group *group)
{
    bool *gone = arena_new(ad->arena, bool, expr->items.n);
    struct hcl_new_item *add = arena_new(ad->arena, struct hcl_new_item, group->n);
    size_t n = 0;
    if (!gone || !add)
        return adopt_full(ad);
    for (size_t k = 0; k < group->n; k++) {
        const struct code_edit *e = &group->edit[k];
        if (e->kind == CODE_EDIT_ITEM)
            add[n++] = (struct hcl_new_item){.key = e->key, .value = &e->value};
        else if (e->at < expr->items.n)
            gone[e->at] = true;
    }
    hcl_edit_object(edit, expr, gone, add, n);
    return true;
}

static bool edit_group(struct adopter *ad, const struct group *group)
{
    struct adopt_text *text;
    const struct hcl_expr *expr;
    struct hcl_edit edit;
    const struct code_edit *first = &group->edit[0];
    if (!adopt_find_expr(ad, first->file, first->expr, &text, &expr))
        return false;
    hcl_edit_start(&edit, ad->arena, text->file);
    return (expr->kind == HCL_EXPR_TUPLE ? edit_tuple(ad, &edit, expr, group)
                                         : edit_object(ad, &edit, expr, group)) &&
           adopt_take(ad, text, &edit);
}

/* Another change may have asked for the same already: one collection, several kinds of blocks. */
static bool is_done(const struct adopter *ad, size_t n, const struct code_edit *e)
{
    for (size_t i = 0; i < n; i++) {
        const struct code_edit *done = &ad->done[i];
        if (done->kind == e->kind && done->expr == e->expr && done->at == e->at &&
            str_equal(done->key, e->key) && path_equal(done->path, e->path) &&
            (e->kind == CODE_EDIT_REMOVE || value_equal(&done->value, &e->value)))
            return true;
    }
    return false;
}

/* What is inside comes first, so that nothing is looked for in what has changed around it. */
static int by_place(const struct code_edit *x, const struct code_edit *y)
{
    int order = str_compare(x->file->name, y->file->name);
    if (order || x->expr == y->expr)
        return order ? order : (x->at > y->at) - (x->at < y->at);
    if (!x->expr || !y->expr)
        return (x->expr != NULL) - (y->expr != NULL);
    return (x->expr->range.start < y->expr->range.start) -
           (x->expr->range.start > y->expr->range.start);
}

/* Stable: new elements of one place stay in order. */
static void sort_edits(struct code_edit *edit, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct code_edit one = edit[i];
        size_t k = i;
        for (; k > 0 && by_place(&edit[k - 1], &one) > 0; k--)
            edit[k] = edit[k - 1];
        edit[k] = one;
    }
}

bool adopt_apply_edits(struct adopter *ad, const struct adopt_change *change,
                       const struct code_instance *instance, const struct code_edit *given,
                       size_t n)
{
    struct code_edit *edit = arena_new(ad->arena, struct code_edit, n);
    size_t done = ad->ndone, left = 0;
    if (n == 0)
        return adopt_refuse(ad, "no part of an element decides what differs");
    ad->done = arena_grow(ad->arena, ad->done, ad->ndone, &ad->room_done, ad->ndone + n);
    if (!edit || !ad->done)
        return adopt_full(ad);
    for (size_t i = 0; i < n; i++) {
        if (is_done(ad, done, &given[i]))
            continue;
        ad->done[ad->ndone++] = given[i];
        if (is_element(&given[i]))
            edit[left++] = given[i];
        else if (!(given[i].kind == CODE_EDIT_SET ? set_part(ad, &given[i], change, instance)
                                                  : add_argument(ad, &given[i])))
            return false;
    }
    sort_edits(edit, left);
    for (size_t i = 0; i < left;) {
        struct group group = {&edit[i], 0};
        while (i < left && edit[i].expr == group.edit->expr) {
            group.n++;
            i++;
        }
        if (!edit_group(ad, &group))
            return false;
    }
    return true;
}

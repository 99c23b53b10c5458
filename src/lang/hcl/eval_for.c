/* eval_for.c - tuples, objects, for expressions and splats. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "lang/hcl/eval_parts.h"
#include "lang/hcl/types.h"

/* --- iteration --- */

bool hcl_iterate(struct hcl_eval *ev, const struct value *v, struct hcl_range subject,
                 struct hcl_iteration *ret)
{
    if (v->kind == VALUE_NULL)
        return hcl_fail(ev, subject, "Iteration over null value",
                        "A null value cannot be used as the collection in a 'for' expression.");
    if (!value_is_list_like(v) && !value_is_object_like(v))
        return hcl_fail(ev, subject, "Iteration over non-iterable value",
                        "A value of type %.*s cannot be used as the collection in a 'for' "
                        "expression.",
                        STR_ARG(hcl_type_name(ev->arena, hcl_type_of(ev->arena, v))));
    *ret = (struct hcl_iteration){.collection = v};
    if (value_is_list_like(v))
        ret->items = hcl_elements(ev->arena, v);
    return true;
}

bool hcl_iteration_next(struct hcl_iteration *it, struct value *ret_key, struct value *ret_value)
{
    const struct value *c = it->collection;
    if (it->at >= c->len || (!it->items && value_is_list_like(c)))
        return false;
    uint32_t i = it->at++;
    if (value_is_object_like(c)) {
        *ret_key = value_string(key_str(c->members[i].key));
        *ret_value = c->members[i].value;
    } else {
        *ret_key = c->kind == VALUE_SET ? it->items[i] : value_int(i);
        ret_key->precision = HCL_PREC_64;
        if (ret_key->kind != VALUE_NUMBER || c->kind == VALUE_SET)
            ret_key->precision = it->items[i].precision;
        *ret_value = it->items[i];
    }
    return true;
}

/* --- elements that fail --- */

enum { FAILING_MAX = 10 }; /* elements that fail, after which no other is looked at */

/* All elements are looked at, though one has failed: each may tell another error. What was told of
 * an element before is not told again. */
struct failing {
    struct hcl_diags *diags;
    size_t from, before; /* diagnostics before the first element, and before this one */
    unsigned n;
};

static struct failing failing_start(struct hcl_eval *ev)
{
    size_t n = ev->diags ? ev->diags->n : 0;
    return (struct failing){.diags = ev->diags, .from = n, .before = n};
}

static bool same_diag(const struct hcl_diag *a, const struct hcl_diag *b)
{
    return a->warning == b->warning && a->subject.start == b->subject.start &&
           a->subject.end == b->subject.end && str_equal(a->file, b->file) &&
           str_equal(a->summary, b->summary) && str_equal(a->detail, b->detail);
}

static void failing_count(struct failing *f, bool ok)
{
    f->n += !ok;
    if (!f->diags)
        return;
    size_t kept = f->before;
    for (size_t i = f->before; i < f->diags->n; i++) {
        const struct hcl_diag *diag = &f->diags->diag[i];
        bool told = false;
        for (size_t k = f->from; k < f->before && !told; k++)
            told = same_diag(&f->diags->diag[k], diag);
        if (!told)
            f->diags->diag[kept++] = *diag;
    }
    f->diags->n = f->before = kept;
}

/* What ends an evaluation as a whole (time, depth, memory) is no matter of one element. */
static bool failing_may_go_on(const struct failing *f)
{
    return f->n < FAILING_MAX && !(f->n && f->diags && f->diags->n == f->from);
}

/* --- constructors --- */

bool hcl_eval_tuple(struct hcl_eval *ev, const struct hcl_expr *expr, const struct hcl_scope *scope,
                    struct value *ret)
{
    bool ok = true;
    struct value *items = arena_new(ev->arena, struct value, expr->parts.n);
    for (size_t i = 0; items && i < expr->parts.n; i++)
        ok = hcl_eval_expr(ev, expr->parts.part[i], scope, &items[i]) && ok;
    *ret = value_items(VALUE_TUPLE, items, expr->parts.n);
    return ok && items;
}

/* A key made of the value; false (reported) if it cannot be one. *ret_known tells an unknown key.
 */
static bool make_key(struct hcl_eval *ev, const struct value *v, struct hcl_range subject,
                     bool in_for, bool *ret_known, const struct value_key **ret)
{
    struct value text;
    struct str why;
    *ret_known = true;
    if (v->kind == VALUE_NULL)
        return hcl_fail(ev, subject, in_for ? "Invalid object key" : "Null value as key",
                        in_for ? "Key expression in 'for' expression must not produce a null value."
                               : "Can't use a null value as a key.");
    if (!hcl_convert(ev->arena, v, &type_string, &text, &why))
        return hcl_fail(ev, subject, in_for ? "Invalid object key" : "Incorrect key type",
                        in_for ? "The key expression produced an invalid result: %.*s."
                               : "Can't use this value as a key: %.*s.",
                        STR_ARG(why));
    if (text.kind == VALUE_UNKNOWN) {
        *ret_known = false;
        return true;
    }
    *ret = key_make(ev->arena, value_text(&text));
    return *ret;
}

static bool is_ambiguous_key(const struct hcl_expr *key)
{
    return key->kind == HCL_EXPR_ATTRIBUTE && key->get.source->kind == HCL_EXPR_VARIABLE &&
           (str_equal(key->get.source->name, STR("var")) ||
            str_equal(key->get.source->name, STR("local")) ||
            str_equal(key->get.source->name, STR("each")) ||
            str_equal(key->get.source->name, STR("count")) ||
            str_equal(key->get.source->name, STR("path")));
}

struct members {
    struct value_member *member;
    size_t n, room;
};

static int later_key(const void *a, const void *b)
{
    const struct value_member *x = *(const struct value_member *const *)a;
    const struct value_member *y = *(const struct value_member *const *)b;
    int order = str_compare(key_str(x->key), key_str(y->key));
    return order ? order : (x > y) - (x < y);
}

bool hcl_last_wins(struct arena *arena, const struct value_member *members, size_t count,
                   struct value *ret)
{
    const struct value_member **sorted = arena_new(arena, const struct value_member *, count);
    struct value_member *kept = arena_new(arena, struct value_member, count);
    size_t n = 0;
    if (!sorted || !kept)
        return false;
    for (size_t i = 0; i < count; i++)
        sorted[i] = &members[i];
    if (count)
        qsort(sorted, count, sizeof(const struct value_member *), later_key);
    for (size_t i = 0; i < count; i++) {
        if (n && key_equal(kept[n - 1].key, sorted[i]->key))
            n--;
        kept[n++] = *sorted[i];
    }
    return value_members(VALUE_OBJECT, kept, n, ret, NULL, NULL);
}

bool hcl_eval_object(struct hcl_eval *ev, const struct hcl_expr *expr,
                     const struct hcl_scope *scope, struct value *ret)
{
    struct members m = {.member = arena_new(ev->arena, struct value_member, expr->items.n)};
    bool ok = m.member, all_known = true;
    uint8_t marks = 0;
    for (size_t i = 0; m.member && i < expr->items.n; i++) {
        const struct hcl_item *item = &expr->items.item[i];
        struct value key, v;
        bool known;
        const struct value_key *name = NULL;
        if (is_ambiguous_key(item->key)) {
            ok = hcl_fail(ev, item->key->range, "Ambiguous attribute key",
                          "If this expression is intended to be a reference, wrap it in "
                          "parentheses. If it's instead intended as a literal name containing "
                          "periods, wrap it in quotes to create a string literal.");
            continue;
        }
        bool key_ok = hcl_eval_expr(ev, item->key, scope, &key);
        bool value_ok = hcl_eval_expr(ev, item->value, scope, &v);
        ok = ok && key_ok && value_ok;
        if (!key_ok)
            continue;
        if (!make_key(ev, &key, item->key->range, false, &known, &name)) {
            ok = false;
            continue;
        }
        marks |= key.marks;
        all_known = all_known && known;
        if (known)
            m.member[m.n++] = (struct value_member){.key = name, .value = v};
    }
    if (!ok || !hcl_last_wins(ev->arena, m.member, m.n, ret))
        return false;
    if (!all_known) /* hcl forgets the keys' marks then */
        *ret = hcl_any();
    else
        ret->marks |= marks;
    return true;
}

/* --- for --- */

struct for_run {
    struct hcl_eval *ev;
    const struct hcl_expr *expr;
    const struct hcl_scope *scope;
    uint8_t marks;
    bool unknown;
    struct {
        struct value *ptr;
        size_t n, room;
    } items;
    struct members members;
};

/* Does this element count? *ret_take; false = reported. */
static bool for_condition(struct for_run *run, const struct hcl_scope *scope, bool *ret_take)
{
    static const char summary[] = "Invalid 'for' condition";
    const struct hcl_expr *condition = run->expr->for_->condition;
    struct value v, truth;
    struct str why;
    *ret_take = true;
    if (!condition)
        return true;
    if (!hcl_eval_expr(run->ev, condition, scope, &v))
        return false;
    if (v.kind == VALUE_NULL)
        return hcl_fail(run->ev, condition->range, "Condition is null",
                        "The value of the 'if' clause must not be null.");
    if (!hcl_convert(run->ev->arena, &v, &type_bool, &truth, &why))
        return hcl_fail(run->ev, condition->range, summary,
                        "The 'if' clause value is invalid: %.*s.", STR_ARG(why));
    run->marks |= v.marks;
    if (truth.kind == VALUE_UNKNOWN)
        run->unknown = true;
    *ret_take = truth.kind == VALUE_BOOL && truth.truth;
    return true;
}

static bool add_member(struct for_run *run, const struct value_key *key, const struct value *v)
{
    struct members *m = &run->members;
    m->member = arena_grow(run->ev->arena, m->member, m->n, &m->room, m->n + 1);
    if (!m->member)
        return false;
    m->member[m->n++] = (struct value_member){.key = key, .value = *v};
    return true;
}

static bool for_element(struct for_run *run, const struct hcl_scope *scope)
{
    const struct hcl_expr *expr = run->expr;
    struct hcl_eval *ev = run->ev;
    struct value key, v;
    bool take, known = true;
    const struct value_key *name = NULL;
    if (!for_condition(run, scope, &take))
        return false;
    if (!take)
        return true;
    if (!expr->for_->key) {
        if (!hcl_eval_expr(ev, expr->for_->value, scope, &v))
            return false;
        run->items.ptr =
            arena_grow(ev->arena, run->items.ptr, run->items.n, &run->items.room, run->items.n + 1);
        if (!run->items.ptr)
            return false;
        run->items.ptr[run->items.n++] = v;
        return true;
    }
    if (!hcl_eval_expr(ev, expr->for_->key, scope, &key) ||
        !make_key(ev, &key, expr->for_->key->range, true, &known, &name))
        return false;
    run->marks |= key.marks;
    if (!hcl_eval_expr(ev, expr->for_->value, scope, &v))
        return false;
    if (!known) {
        run->unknown = true;
        return true;
    }
    return add_member(run, name, &v);
}

static const struct value_member *first_twice(const struct members *m)
{
    for (size_t i = 1; i < m->n; i++)
        if (key_equal(m->member[i - 1].key, m->member[i].key))
            return &m->member[i];
    return NULL;
}

/* Members in key order with equal keys together, in order of appearance. */
static bool order_members(struct arena *arena, struct members *m)
{
    const struct value_member **sorted = arena_new(arena, const struct value_member *, m->n);
    struct value_member *copy = arena_new(arena, struct value_member, m->n);
    if (!sorted || !copy)
        return false;
    for (size_t i = 0; i < m->n; i++)
        sorted[i] = &m->member[i];
    if (m->n)
        qsort(sorted, m->n, sizeof(const struct value_member *), later_key);
    for (size_t i = 0; i < m->n; i++)
        copy[i] = *sorted[i];
    m->member = copy;
    return true;
}

static bool group_members(struct arena *arena, struct members *m)
{
    size_t n = 0;
    for (size_t i = 0; i < m->n;) {
        size_t end = i + 1;
        while (end < m->n && key_equal(m->member[end].key, m->member[i].key))
            end++;
        struct value *items = arena_new(arena, struct value, end - i);
        if (!items)
            return false;
        for (size_t k = i; k < end; k++)
            items[k - i] = m->member[k].value;
        m->member[n++] = (struct value_member){.key = m->member[i].key,
                                               .value = value_items(VALUE_TUPLE, items, end - i)};
        i = end;
    }
    m->n = n;
    return true;
}

static bool for_object(struct for_run *run, struct value *ret)
{
    struct hcl_eval *ev = run->ev;
    if (!order_members(ev->arena, &run->members))
        return false;
    const struct value_member *twice = first_twice(&run->members);
    if (twice && !run->expr->for_->group)
        return hcl_fail(ev, run->expr->for_->key->range, "Duplicate object key",
                        "Two different items produced the key \"%s\" in this 'for' expression. If "
                        "duplicates are expected, use the ellipsis (...) after the value "
                        "expression to enable grouping by key.",
                        twice->key->text);
    if (run->expr->for_->group && !group_members(ev->arena, &run->members))
        return false;
    return value_members(VALUE_OBJECT, run->members.member, run->members.n, ret, NULL, NULL);
}

bool hcl_eval_for(struct hcl_eval *ev, const struct hcl_expr *expr, const struct hcl_scope *scope,
                  struct value *ret)
{
    struct for_run run = {.ev = ev, .expr = expr, .scope = scope};
    struct value source;
    struct hcl_iteration it;
    if (!hcl_eval_expr(ev, expr->for_->source, scope, &source))
        return false;
    run.marks = source.marks;
    if (source.kind == VALUE_UNKNOWN) {
        const struct type *type = hcl_type_of(ev->arena, &source);
        bool iterable = type && type->kind != TYPE_STRING && type->kind != TYPE_NUMBER &&
                        type->kind != TYPE_BOOL;
        if (!iterable)
            return hcl_fail(ev, expr->for_->source->range, "Iteration over non-iterable value",
                            "A value of type %.*s cannot be used as the collection in a 'for' "
                            "expression.",
                            STR_ARG(hcl_type_name(ev->arena, type)));
        *ret = hcl_with_marks(hcl_any(), run.marks);
        return true;
    }
    if (!hcl_iterate(ev, &source, expr->for_->source->range, &it))
        return false;
    struct str names[2] = {expr->for_->key_name, expr->for_->value_name};
    struct value values[2];
    struct hcl_scope inner = {.parent = scope, .name = names, .value = values, .n = 2};
    struct failing failing = failing_start(ev);
    while (failing_may_go_on(&failing) && hcl_iteration_next(&it, &values[0], &values[1]))
        failing_count(&failing, for_element(&run, &inner));
    bool ok = failing.n == 0;
    if (!ok)
        return false;
    if (expr->for_->key)
        ok = for_object(&run, ret);
    else
        *ret = value_items(VALUE_TUPLE, run.items.ptr, run.items.n);
    if (run.unknown)
        *ret = hcl_any();
    ret->marks |= run.marks;
    return ok;
}

/* --- splat --- */

static bool splat_known(struct hcl_eval *ev, const struct hcl_expr *expr,
                        const struct hcl_scope *scope, const struct value *source, bool sequence,
                        struct value *ret)
{
    static const struct str star = STR_INIT("*");
    struct value element;
    struct hcl_scope inner = {.parent = scope, .name = &star, .value = &element, .n = 1};
    size_t n = sequence ? source->len : 1;
    const struct value *from = sequence ? hcl_elements(ev->arena, source) : source;
    struct value *items = arena_new(ev->arena, struct value, n);
    struct failing failing = failing_start(ev);
    for (size_t i = 0; items && failing_may_go_on(&failing) && i < n; i++) {
        element = from[i];
        failing_count(&failing, hcl_eval_expr(ev, expr->splat.each, &inner, &items[i]));
    }
    bool ok = items && failing.n == 0;
    bool list = sequence && source->kind != VALUE_TUPLE;
    *ret = value_items(list ? VALUE_LIST : VALUE_TUPLE, items, n);
    return ok;
}

bool hcl_eval_splat(struct hcl_eval *ev, const struct hcl_expr *expr, const struct hcl_scope *scope,
                    struct value *ret)
{
    struct value source;
    if (!hcl_eval_expr(ev, expr->splat.source, scope, &source))
        return false;
    const struct type *type = hcl_type_of(ev->arena, &source);
    if (!type)
        return false;
    bool sequence = type->kind == TYPE_LIST || type->kind == TYPE_SET || type->kind == TYPE_TUPLE;
    struct value pattern = hcl_any();
    if (type->kind == TYPE_LIST || type->kind == TYPE_SET) {
        /* what the element type forbids is said even where there is no element */
        static const struct str star = STR_INIT("*");
        struct value element = hcl_unknown(ev->arena, type->elem);
        struct hcl_scope inner = {.parent = scope, .name = &star, .value = &element, .n = 1};
        if (!hcl_eval_expr(ev, expr->splat.each, &inner, &pattern))
            return false;
    }
    if (source.kind == VALUE_NULL) {
        if (sequence)
            return hcl_fail(ev, expr->splat.source->range, "Splat of null value",
                            "Splat expressions (with the * symbol) cannot be applied to null "
                            "sequences.");
        *ret = hcl_with_marks(value_items(VALUE_TUPLE, NULL, 0), source.marks);
        return true;
    }
    bool single = !sequence && type->kind != TYPE_DYNAMIC && hcl_never_null(&source);
    if (source.kind == VALUE_UNKNOWN && type->kind != TYPE_TUPLE && !single) {
        *ret = hcl_with_marks(hcl_any(), source.marks);
        const struct type *elem = hcl_type_of(ev->arena, &pattern);
        if (sequence && elem && elem->kind != TYPE_DYNAMIC)
            *ret = hcl_with_marks(
                hcl_unknown_not_null(ev->arena, type_collection(ev->arena, TYPE_LIST, elem)),
                source.marks);
        return true;
    }
    uint8_t marks = source.marks;
    if (source.kind == VALUE_UNKNOWN && sequence) { /* a tuple of known length */
        struct value *items = arena_new(ev->arena, struct value, type->n);
        for (uint32_t i = 0; items && i < type->n; i++)
            items[i] = hcl_unknown(ev->arena, type->items[i]);
        source = value_items(VALUE_TUPLE, items, type->n);
    }
    if (!sequence)
        source.marks = marks;
    if (!splat_known(ev, expr, scope, &source, sequence, ret))
        return false;
    if (ret->kind == VALUE_LIST && ret->len == 0)
        ret->type = hcl_type_of(ev->arena, &pattern);
    ret->marks |= marks;
    return true;
}

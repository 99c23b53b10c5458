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
    if (v->kind == VALUE_NULL && !hcl_may_iterate(ev, v, subject)) /* as validation would say */
        return false;
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

bool hcl_may_iterate(struct hcl_eval *ev, const struct value *v, struct hcl_range subject)
{
    const struct type *type = hcl_type_of(ev->arena, v);
    bool primitive =
        type && (type->kind == TYPE_STRING || type->kind == TYPE_NUMBER || type->kind == TYPE_BOOL);
    return type && (!primitive ||
                    hcl_fail(ev, subject, "Iteration over non-iterable value",
                             "A value of type %.*s cannot be used as the collection in a 'for' "
                             "expression.",
                             STR_ARG(hcl_type_name(ev->arena, type))));
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

/* A key made of the value; false (reported) if it cannot be one. *ret stays NULL for an unknown. */
static bool make_key(struct hcl_eval *ev, const struct value *v, struct hcl_range subject,
                     bool in_for, const struct value_key **ret)
{
    struct value text;
    struct str why;
    *ret = NULL;
    if (v->kind == VALUE_NULL)
        return hcl_fail(ev, subject, in_for ? "Invalid object key" : "Null value as key",
                        in_for ? "Key expression in 'for' expression must not produce a null value."
                               : "Can't use a null value as a key.");
    if (in_for && v->kind == VALUE_UNKNOWN)
        return true;
    if (!hcl_convert(ev->arena, v, &type_string, &text, &why))
        return hcl_fail(ev, subject, in_for ? "Invalid object key" : "Incorrect key type",
                        in_for ? "The key expression produced an invalid result: %.*s."
                               : "Can't use this value as a key: %.*s.",
                        STR_ARG(why));
    if (text.kind == VALUE_UNKNOWN)
        return true;
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
        const struct value_key *name = NULL;
        bool key_ok =
            is_ambiguous_key(item->key)
                ? hcl_fail(ev, item->key->range, "Ambiguous attribute key",
                           "If this expression is intended to be a reference, wrap it in "
                           "parentheses. If it's instead intended as a literal name containing "
                           "periods, wrap it in quotes to create a string literal.")
                : hcl_eval_expr(ev, item->key, scope, &key);
        ok = hcl_eval_expr(ev, item->value, scope, &v) && key_ok && ok;
        if (key_ok) {
            ok = make_key(ev, &key, key.kind == VALUE_NULL ? item->value->range : item->key->range,
                          false, &name) &&
                 ok;
            marks |= key.marks;
        }
        all_known = all_known && name;
        if (name)
            m.member[m.n++] = (struct value_member){.key = name, .value = v};
    }
    if (!all_known) { /* hcl forgets the keys' marks then */
        *ret = hcl_any();
        return ok;
    }
    if (!m.member || !hcl_last_wins(ev->arena, m.member, m.n, ret))
        return false;
    ret->marks |= marks;
    return ok;
}

/* --- for --- */

struct for_run {
    struct hcl_eval *ev;
    const struct hcl_expr *expr;
    const struct hcl_scope *scope;
    uint8_t marks, condition_marks; /* the latter: of the condition without any element */
    bool unknown;
    struct {
        struct value *ptr;
        size_t n, room;
    } items;
    struct members members;
};

static const char bad_condition[] = "Invalid 'for' condition";

/* Does this element count? *ret_take; false = reported. */
static bool for_condition(struct for_run *run, const struct hcl_scope *scope, bool *ret_take)
{
    const struct hcl_expr *condition = run->expr->for_->condition;
    struct value v, truth;
    struct str why;
    *ret_take = !condition;
    if (!condition)
        return true;
    bool ok = hcl_eval_expr(run->ev, condition, scope, &v), first = !run->unknown;
    bool tuple = !run->expr->for_->key;
    run->unknown = run->unknown || v.kind == VALUE_NULL || v.kind == VALUE_UNKNOWN;
    if (v.kind == VALUE_NULL) /* said once */
        return ok && (!first || hcl_fail(run->ev, condition->range, bad_condition,
                                         "The value of the 'if' clause must not be null."));
    run->marks |= v.marks;
    if (v.kind == VALUE_UNKNOWN && tuple)
        return ok;
    if (!hcl_convert(run->ev->arena, &v, &type_bool, &truth, &why)) {
        run->unknown = true;
        return ok && (!first || hcl_fail(run->ev, condition->range, bad_condition,
                                         "The 'if' clause value is invalid: %.*s.", STR_ARG(why)));
    }
    *ret_take = truth.kind == VALUE_BOOL && truth.truth;
    return ok;
}

/* Before any element is looked at: could the condition be one at all? */
static bool check_condition(struct for_run *run, const struct hcl_scope *scope)
{
    const struct hcl_expr *condition = run->expr->for_->condition;
    struct value v, truth;
    struct str why;
    if (!condition)
        return true;
    bool ok = hcl_eval_expr(run->ev, condition, scope, &v);
    if (v.kind == VALUE_NULL)
        return hcl_fail(run->ev, condition->range, "Condition is null",
                        "The value of the 'if' clause must not be null.");
    if (!hcl_convert(run->ev->arena, &v, &type_bool, &truth, &why))
        return hcl_fail(run->ev, condition->range, bad_condition,
                        "The 'if' clause value is invalid: %.*s.", STR_ARG(why));
    run->condition_marks = v.marks;
    return ok;
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
    bool take;
    const struct value_key *name = NULL;
    bool ok = for_condition(run, scope, &take);
    if (!take)
        return ok;
    if (!expr->for_->key) {
        ok = hcl_eval_expr(ev, expr->for_->value, scope, &v) && ok;
        run->items.ptr =
            arena_grow(ev->arena, run->items.ptr, run->items.n, &run->items.room, run->items.n + 1);
        if (!run->items.ptr)
            return false;
        run->items.ptr[run->items.n++] = v;
        return ok;
    }
    ok = hcl_eval_expr(ev, expr->for_->key, scope, &key) && ok;
    struct value text;
    bool silent = run->unknown && !hcl_convert(ev->arena, &key, &type_string, &text, NULL);
    if (run->unknown && (key.kind == VALUE_NULL || silent)) /* nothing comes of it anyway */
        return ok;
    ok = make_key(ev, &key, expr->for_->key->range, true, &name) && ok;
    run->marks |= key.kind == VALUE_NULL ? 0 : key.marks;
    run->unknown = run->unknown || !name;
    if (!name)
        return ok;
    ok = hcl_eval_expr(ev, expr->for_->value, scope, &v) && ok;
    return add_member(run, name, &v) && ok;
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

/* Of equal keys the first stays; each later one is a fault. */
static bool single_members(struct for_run *run)
{
    struct members *m = &run->members;
    size_t n = 0;
    for (size_t i = 0; i < m->n; i++) {
        if (n == 0 || !key_equal(m->member[n - 1].key, m->member[i].key)) {
            m->member[n++] = m->member[i];
            continue;
        }
        (void)hcl_fail(run->ev, run->expr->for_->key->range, "Duplicate object key",
                       "Two different items produced the key \"%s\" in this 'for' expression. If "
                       "duplicates are expected, use the ellipsis (...) after the value "
                       "expression to enable grouping by key.",
                       m->member[i].key->text);
        while (i + 1 < m->n && key_equal(m->member[i + 1].key, m->member[i].key))
            i++;
    }
    bool ok = n == m->n;
    m->n = n;
    return ok;
}

static bool for_object(struct for_run *run, struct value *ret)
{
    struct arena *arena = run->ev->arena;
    if (!order_members(arena, &run->members))
        return false;
    bool ok = run->expr->for_->group ? group_members(arena, &run->members) : single_members(run);
    return value_members(VALUE_OBJECT, run->members.member, run->members.n, ret, NULL, NULL) && ok;
}

bool hcl_eval_for(struct hcl_eval *ev, const struct hcl_expr *expr, const struct hcl_scope *scope,
                  struct value *ret)
{
    struct for_run run = {.ev = ev, .expr = expr, .scope = scope};
    struct value source, values[2] = {hcl_any(), hcl_any()};
    struct hcl_iteration it;
    struct str names[2] = {expr->for_->key_name, expr->for_->value_name};
    struct hcl_scope inner = {.parent = scope, .name = names, .value = values, .n = 2};
    bool ok = hcl_eval_expr(ev, expr->for_->source, scope, &source);
    run.marks = source.marks;
    *ret = hcl_any();
    if (source.kind == VALUE_UNKNOWN && !(source.unknown && source.unknown->type)) {
        return ok; /* hcl forgets the marks then */
    }
    bool iterable = source.kind == VALUE_UNKNOWN
                        ? hcl_may_iterate(ev, &source, expr->for_->source->range)
                        : hcl_iterate(ev, &source, expr->for_->source->range, &it);
    if (!iterable || !check_condition(&run, &inner))
        return false;
    if (source.kind == VALUE_UNKNOWN) {
        ret->marks = run.marks | run.condition_marks;
        return ok;
    }
    struct failing failing = failing_start(ev);
    while (failing_may_go_on(&failing) && hcl_iteration_next(&it, &values[0], &values[1]))
        failing_count(&failing, for_element(&run, &inner));
    ok = ok && failing.n == 0;
    if (expr->for_->key)
        ok = for_object(&run, ret) && ok;
    else
        *ret = value_items(VALUE_TUPLE, run.items.ptr, run.items.n);
    if (run.unknown || !failing_may_go_on(&failing))
        *ret = hcl_any();
    ret->marks |= run.marks;
    return ok;
}

/* --- splat --- */

struct splat_run {
    struct hcl_eval *ev;
    const struct hcl_expr *expr;
    const struct hcl_scope *scope;
};

static bool splat_element(const struct splat_run *run, const struct value *element,
                          struct value *ret)
{
    static const struct str star = STR_INIT("*");
    struct value own = *element;
    struct hcl_scope inner = {.parent = run->scope, .name = &star, .value = &own, .n = 1};
    return hcl_eval_expr(run->ev, run->expr->splat.each, &inner, ret);
}

/* What becomes of an element of which only the type is known. */
static bool splat_of_type(const struct splat_run *run, const struct type *type,
                          const struct type **ret)
{
    struct value element = hcl_unknown(run->ev->arena, type), v;
    bool ok = splat_element(run, &element, &v);
    *ret = hcl_type_of(run->ev->arena, &v);
    return ok && *ret;
}

/* The type of the whole, element by element of a tuple. NULL: no memory. Faults are not told. */
static const struct type *splat_type(const struct splat_run *run, const struct type *source)
{
    struct arena *arena = run->ev->arena;
    struct hcl_diags *outer = run->ev->diags, own = {.arena = arena};
    const struct type **items = arena_new(arena, const struct type *, source->n + 1);
    run->ev->diags = &own;
    bool tuple = source->kind == TYPE_TUPLE;
    for (uint32_t i = 0; items && (tuple ? i < source->n : i == 0); i++) {
        (void)splat_of_type(run, tuple ? source->items[i] : source->elem, &items[i]);
        if (!items[i])
            items = NULL;
    }
    run->ev->diags = outer;
    return !items  ? NULL
           : tuple ? type_tuple(arena, items, source->n)
                   : type_collection(arena, TYPE_LIST, items[0]);
}

static bool splat_known(const struct splat_run *run, const struct value *source, size_t n,
                        const struct value *from, const struct type *type, struct value *ret)
{
    struct hcl_eval *ev = run->ev;
    struct value *items = arena_new(ev->arena, struct value, n);
    struct failing failing = failing_start(ev);
    for (size_t i = 0; items && failing_may_go_on(&failing) && i < n; i++)
        failing_count(&failing, splat_element(run, &from[i], &items[i]));
    bool list = source->kind == VALUE_LIST || source->kind == VALUE_SET;
    if (!items || failing.n) {
        *ret = hcl_unknown(ev->arena, splat_type(run, type));
        return false;
    }
    *ret = value_items(list ? VALUE_LIST : VALUE_TUPLE, items, n);
    return true;
}

/* Of an unknown sequence the type is known, and of a list how long it may be. */
static bool splat_unknown(const struct splat_run *run, const struct value *source,
                          const struct type *type, struct value *ret)
{
    const struct type *whole = splat_type(run, type);
    const struct value_unknown *known = source->unknown;
    if (!whole)
        return false;
    *ret = hcl_unknown_not_null(run->ev->arena, whole);
    if (whole->kind == TYPE_LIST && known && (known->len_least > 0 || known->len_most >= 0))
        *ret = hcl_unknown_length(run->ev->arena, whole, known->len_least, known->len_most);
    return true;
}

bool hcl_eval_splat(struct hcl_eval *ev, const struct hcl_expr *expr, const struct hcl_scope *scope,
                    struct value *ret)
{
    struct splat_run run = {.ev = ev, .expr = expr, .scope = scope};
    struct value source;
    if (!hcl_eval_expr(ev, expr->splat.source, scope, &source)) {
        *ret = hcl_any();
        return false;
    }
    const struct type *type = hcl_type_of(ev->arena, &source), *pattern = &type_dynamic;
    if (!type)
        return false;
    bool list = type->kind == TYPE_LIST || type->kind == TYPE_SET;
    bool sequence = list || type->kind == TYPE_TUPLE;
    /* what the element type forbids is said even where there is no element */
    if (list && !splat_of_type(&run, type->elem, &pattern)) {
        *ret = hcl_unknown(ev->arena, type_collection(ev->arena, TYPE_LIST, pattern));
        return false;
    }
    if (source.kind == VALUE_NULL && sequence)
        return hcl_fail(ev, expr->splat.source->range, "Splat of null value",
                        "Splat expressions (with the * symbol) cannot be applied to null "
                        "sequences.");
    *ret = hcl_any();
    bool ok = true, dynamic = type->kind == TYPE_DYNAMIC;
    if (source.kind == VALUE_NULL)
        *ret = value_items(VALUE_TUPLE, NULL, 0);
    else if (source.kind == VALUE_UNKNOWN && sequence)
        ok = splat_unknown(&run, &source, type, ret);
    else if (sequence)
        ok = splat_known(&run, &source, source.len, hcl_elements(ev->arena, &source), type, ret);
    else if (!dynamic)
        ok = splat_known(&run, &source, 1, &source,
                         type_tuple(ev->arena, (const struct type *[]){type}, 1), ret);
    if (!sequence && source.kind == VALUE_UNKNOWN && !hcl_never_null(&source))
        *ret = hcl_any(); /* there may turn out to be none */
    if (ret->kind == VALUE_LIST && ret->len == 0)
        ret->type = pattern;
    ret->marks |= source.marks;
    return ok;
}

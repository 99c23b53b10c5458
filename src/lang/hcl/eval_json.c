/* eval_json.c - what JSON syntax evaluates otherwise: strings without names, faults of templates,
 * objects. */
#include <stdlib.h>

#include "base/arena.h"
#include "lang/hcl/eval_parts.h"
#include "lang/hcl/json_syntax.h"
#include "lang/hcl/types.h"

bool hcl_eval_json_string(struct hcl_eval *ev, const struct hcl_expr *expr,
                          const struct hcl_scope *scope, struct value *ret)
{
    if (!scope)
        return hcl_raw_string(ev->arena, expr, ret);
    (void)hcl_json_embedded(ev->arena, ev->file, ev->text, expr->range, true, ev->diags);
    return false;
}

struct property {
    struct value_member member;
    struct hcl_range name_range;
};

static int by_name_then_place(const void *a, const void *b)
{
    const struct property *x = *(const struct property *const *)a;
    const struct property *y = *(const struct property *const *)b;
    int order = str_compare(key_str(x->member.key), key_str(y->member.key));
    return order ? order : (x > y) - (x < y);
}

/* Properties as an object; false (reported) if a name comes twice. */
static bool make_object(struct hcl_eval *ev, const struct property *properties, size_t n,
                        struct value *ret)
{
    const struct property **sorted = arena_new(ev->arena, const struct property *, n);
    struct value_member *members = arena_new(ev->arena, struct value_member, n);
    bool ok = sorted && members;
    for (size_t i = 0; ok && i < n; i++)
        sorted[i] = &properties[i];
    if (ok && n)
        qsort(sorted, n, sizeof(const struct property *), by_name_then_place);
    size_t first = 0;
    for (size_t i = 0; sorted && members && i < n; i++) {
        members[i] = sorted[i]->member;
        if (i == first || !key_equal(members[first].key, members[i].key)) {
            first = i;
            continue;
        }
        struct str place = hcl_range_text(ev->arena, ev->file, ev->text, sorted[first]->name_range);
        ok = hcl_fail(ev, sorted[i]->name_range, "Duplicate object attribute",
                      "An attribute named \"%.*s\" was already defined at %.*s.",
                      STR_ARG(key_str(members[i].key)), STR_ARG(place));
    }
    return ok && value_members(VALUE_OBJECT, members, n, ret, NULL, NULL);
}

/* The name as text; false (reported) if it cannot be one. May be unknown. */
static bool name_text(struct hcl_eval *ev, const struct value *name, struct hcl_range subject,
                      struct value *ret)
{
    static const char summary[] = "Invalid object key expression";
    struct str why;
    if (!hcl_convert(ev->arena, name, &type_string, ret, &why))
        return hcl_fail(ev, subject, summary, "Cannot use this expression as an object key: %.*s.",
                        STR_ARG(why));
    if (ret->kind == VALUE_NULL)
        return hcl_fail(ev, subject, summary, "Cannot use null value as an object key.");
    return true;
}

bool hcl_eval_json_object(struct hcl_eval *ev, const struct hcl_expr *expr,
                          const struct hcl_scope *scope, struct value *ret)
{
    struct property *properties = arena_new(ev->arena, struct property, expr->items.n);
    bool ok = properties, all_known = true;
    uint8_t marks = 0;
    size_t n = 0;
    for (size_t i = 0; properties && i < expr->items.n; i++) {
        const struct hcl_item *item = &expr->items.item[i];
        struct value name, text, v;
        bool name_ok = hcl_eval_expr(ev, item->key, scope, &name);
        bool value_ok = hcl_eval_expr(ev, item->value, scope, &v);
        ok = ok && name_ok && value_ok;
        if (!name_ok)
            continue;
        if (!name_text(ev, &name, item->key->range, &text)) {
            ok = false;
            continue;
        }
        marks |= text.marks;
        if (text.kind == VALUE_UNKNOWN) {
            all_known = false;
            continue;
        }
        properties[n++] =
            (struct property){{key_make(ev->arena, value_text(&text)), v}, item->key->range};
        if (!properties[n - 1].member.key)
            return false;
    }
    if (!make_object(ev, properties, n, ret) || !ok)
        return false;
    if (!all_known)
        *ret = hcl_any();
    ret->marks |= marks;
    return true;
}

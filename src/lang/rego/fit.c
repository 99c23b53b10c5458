/* fit.c - terms that are taken apart, and types: which one a term has, whether it may have another,
 * and what its variables are then.
 */
#include <stdlib.h>
#include <string.h>

#include "lang/rego/infer.h"

bool rego_infer_no_memory(struct rego_inference *in)
{
    in->c->out_of_memory = true;
    return false;
}

/* --- variables --- */

const struct rego_type *rego_slot_type(const struct rego_inference *in, uint32_t slot)
{
    return slot < in->nslots ? in->slot[slot] : NULL;
}

void rego_learn(struct rego_inference *in, uint32_t slot, const struct rego_type *type)
{
    size_t need = slot + (size_t)1;
    if (need > in->nslots) {
        const struct rego_type **grown =
            arena_grow(in->types.arena, in->slot, in->nslots, &in->room, need);
        if (!grown) {
            rego_infer_no_memory(in);
            return;
        }
        in->slot = grown;
        memset(grown + in->nslots, 0, (need - in->nslots) * sizeof *grown);
        in->nslots = need;
    }
    struct rego_learnt *log =
        arena_grow(in->types.arena, in->learnt, in->nlearnt, &in->learnt_room, in->nlearnt + 1);
    if (!log) {
        rego_infer_no_memory(in);
        return;
    }
    in->learnt = log;
    log[in->nlearnt++] = (struct rego_learnt){slot, in->slot[slot]};
    in->slot[slot] = type;
}

/* What a closure has learnt is not known outside of it. */
void rego_forget(struct rego_inference *in, size_t to)
{
    while (in->nlearnt > to) {
        in->nlearnt--;
        in->slot[in->learnt[in->nlearnt].slot] = in->learnt[in->nlearnt].was;
    }
}

/* A new variable in a term's place. */
const struct rego_term *rego_stand_in(struct rego_inference *in, const struct rego_term *t,
                                      const struct rego_type *type)
{
    struct rego_term *var = arena_new(in->types.arena, struct rego_term, 1);
    if (!var) {
        rego_infer_no_memory(in);
        return t;
    }
    size_t slot = in->nslots > in->c->variables.n ? in->nslots : in->c->variables.n;
    var->kind = REGO_TERM_VAR;
    var->place = t->place;
    var->slot = (uint32_t)slot;
    rego_learn(in, var->slot, in->refs_only ? NULL : type);
    return var;
}

/* --- types of terms that are taken apart --- */

bool rego_is_document(const struct rego_term *t)
{
    return t->kind == REGO_TERM_VAR && t->slot == REGO_NO_SLOT;
}

bool rego_is_constant(const struct rego_term *t)
{
    return t->kind == REGO_TERM_VALUE && rego_kind_of(&t->value) < REGO_ARRAY;
}

static const struct rego_type *type_of_list(struct rego_inference *in, const struct rego_term *t)
{
    struct rego_type type = {.kind = REGO_ARRAY, .n = t->parts.n, .open = t->parts.n == 0};
    const struct rego_type **of = arena_new(in->types.arena, const struct rego_type *, t->parts.n);
    if (!of) {
        rego_infer_no_memory(in);
        return &rego_any;
    }
    for (size_t i = 0; i < t->parts.n; i++)
        of[i] = rego_term_type(in, t->parts.item[i]);
    type.of = of;
    type.rest = type.open ? &rego_any : NULL;
    return rego_type_make(&in->types, type);
}

static const struct rego_type *type_of_set(struct rego_inference *in, const struct rego_term *t)
{
    const struct rego_type *member = NULL;
    for (size_t i = 0; i < t->parts.n; i++)
        member = rego_type_or(&in->types, member, rego_term_type(in, t->parts.item[i]));
    return rego_type_set(&in->types, member ? member : &rego_any);
}

void rego_put_property(struct rego_property *property, size_t *n, struct rego_property one)
{
    size_t at = *n, low = 0;
    if (at > 0 && rego_compare(&property[at - 1].key, &one.key) > 0) {
        for (at--; low < at;) { /* the first that is greater */
            size_t middle = low + (at - low) / 2;
            if (rego_compare(&property[middle].key, &one.key) > 0)
                at = middle;
            else
                low = middle + 1;
        }
    }
    if (at > 0 && rego_equal(&property[at - 1].key, &one.key)) { /* the later one holds */
        property[at - 1] = one;
        return;
    }
    memmove(property + at + 1, property + at, (*n - at) * sizeof *property);
    property[at] = one;
    ++*n;
}

struct placed {
    const struct rego_term *key;
    size_t at;
};

static int compare_placed(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    int c = rego_compare(&x->key->value, &y->key->value);
    return c ? c : (x->at > y->at) - (x->at < y->at);
}

/* The properties of constant keys, sorted, none yet with a type; false: memory is out. */
static bool sorted_keys(struct rego_inference *in, const struct rego_term *t,
                        struct rego_property **ret, size_t *ret_n)
{
    size_t n = 0;
    struct placed *placed = arena_new_raw(in->types.arena, struct placed, t->pairs.n);
    *ret = arena_new(in->types.arena, struct rego_property, t->pairs.n);
    if (!placed || !*ret)
        return rego_infer_no_memory(in);
    for (size_t i = 0; i < t->pairs.n; i++)
        if (rego_is_constant(t->pairs.item[i].key))
            placed[n++] = (struct placed){t->pairs.item[i].key, i};
    if (n > 1)
        qsort(placed, n, sizeof *placed, compare_placed);
    *ret_n = 0;
    for (size_t i = 0; i < n; i++) { /* the last one of a key holds */
        const struct value *key = &placed[i].key->value;
        if (i + 1 == n || !rego_equal(key, &placed[i + 1].key->value))
            (*ret)[(*ret_n)++] =
                (struct rego_property){*key, rego_term_type(in, t->pairs.item[placed[i].at].value)};
    }
    return true;
}

static const struct rego_type *type_of_object(struct rego_inference *in, const struct rego_term *t)
{
    struct rego_type type = {.kind = REGO_OBJECT, .open = t->pairs.n == 0};
    struct rego_property *property;
    if (!sorted_keys(in, t, &property, &type.nproperties))
        return &rego_any;
    if (type.open)
        type.key = type.rest = &rego_any;
    for (size_t i = 0; i < t->pairs.n; i++) {
        const struct rego_term *key = t->pairs.item[i].key;
        if (rego_is_constant(key))
            continue;
        const struct rego_type *value = rego_term_type(in, t->pairs.item[i].value);
        const struct rego_type *known = rego_term_type(in, key);
        type.key = type.open ? rego_type_or(&in->types, type.key, known) : known;
        type.rest = type.open ? rego_type_or(&in->types, type.rest, value) : value;
        type.open = true;
    }
    type.property = property;
    return rego_type_make(&in->types, type);
}

const struct rego_type *rego_term_type(struct rego_inference *in, const struct rego_term *t)
{
    const struct rego_type *type = NULL;
    if (++in->depth > REGO_DEPTH_MAX)
        type = &rego_any;
    else if (t->kind == REGO_TERM_VALUE)
        type = rego_type_of_value(&in->types, &t->value);
    else if (t->kind == REGO_TERM_VAR)
        type = rego_slot_type(in, t->slot);
    else if (t->kind == REGO_TERM_ARRAY)
        type = type_of_list(in, t);
    else if (t->kind == REGO_TERM_SET)
        type = type_of_set(in, t);
    else if (t->kind == REGO_TERM_OBJECT)
        type = type_of_object(in, t);
    in->depth--;
    return type;
}

/* --- equations --- */

static bool unify_array(struct rego_inference *in, const struct rego_term *t,
                        const struct rego_type *type, bool either)
{
    if (t->parts.n != type->n && !type->open)
        return false;
    for (size_t i = 0; i < t->parts.n; i++) {
        const struct rego_type *item = i < type->n ? type->of[i] : type->open ? type->rest : NULL;
        if (!rego_unify(in, t->parts.item[i], item, either))
            return false;
    }
    return true;
}

static bool unify_object(struct rego_inference *in, const struct rego_term *t,
                         const struct rego_type *type, bool either)
{
    if (t->pairs.n != type->nproperties && !type->open)
        return false;
    for (size_t i = 0; i < t->pairs.n; i++) {
        const struct rego_term *key = t->pairs.item[i].key;
        if (!rego_is_constant(key)) {
            (void)rego_unify(in, t->pairs.item[i].value, &rego_any, either);
            continue;
        }
        const struct rego_type *value = rego_type_select(&in->types, type, &key->value);
        if (!value || !rego_unify(in, t->pairs.item[i].value, value, either))
            return false;
    }
    return true;
}

/* Variables within a collection that fits anything are anything. */
static void unify_parts(struct rego_inference *in, const struct rego_term *t)
{
    if (t->kind == REGO_TERM_OBJECT) {
        for (size_t i = 0; i < t->pairs.n; i++) {
            (void)rego_unify(in, t->pairs.item[i].key, &rego_any, true);
            (void)rego_unify(in, t->pairs.item[i].value, &rego_any, true);
        }
        return;
    }
    for (size_t i = 0; i < t->parts.n; i++)
        (void)rego_unify(in, t->parts.item[i], &rego_any, true);
}

static bool unify_collection(struct rego_inference *in, const struct rego_term *t,
                             const struct rego_type *type, bool either)
{
    unsigned kind = t->kind == REGO_TERM_ARRAY ? REGO_ARRAY
                    : t->kind == REGO_TERM_SET ? REGO_SET
                                               : REGO_OBJECT;
    bool fits = false;
    type = rego_type_itself(type);
    if (!type)
        return false;
    if (type->kind == REGO_ANY && type->n == 0) {
        unify_parts(in, t);
        return true;
    }
    if (type->kind == REGO_ANY) {
        for (size_t i = 0; i < type->n; i++)
            fits |= rego_unify(in, t, type->of[i], true);
        return fits;
    }
    if (type->kind != kind)
        return false;
    if (kind == REGO_ARRAY)
        return unify_array(in, t, type, either);
    if (kind == REGO_OBJECT)
        return unify_object(in, t, type, either);
    for (size_t i = 0; i < t->parts.n; i++)
        if (!rego_unify(in, t->parts.item[i], type->rest, either))
            return false;
    return true;
}

/* Whether a term may have that type; its variables learn theirs. either: of several that it may
 * have. */
bool rego_unify(struct rego_inference *in, const struct rego_term *t, const struct rego_type *type,
                bool either)
{
    bool fits = true;
    if (++in->depth > REGO_DEPTH_MAX || in->types.steps_left == 0) {
        in->depth--;
        return true;
    }
    if (t->kind == REGO_TERM_VAR) {
        const struct rego_type *known = rego_slot_type(in, t->slot);
        if (either)
            rego_learn(in, t->slot, rego_type_or(&in->types, known, type));
        else if (known)
            fits = rego_type_unifies(&in->types, known, type);
        else
            rego_learn(in, t->slot, type);
    } else if (t->kind == REGO_TERM_VALUE) {
        fits = rego_type_unifies(&in->types, rego_type_of_value(&in->types, &t->value), type);
    } else {
        fits = unify_collection(in, t, type, either);
    }
    in->depth--;
    return fits;
}

static bool unify_arrays(struct rego_inference *in, const struct rego_term *a,
                         const struct rego_term *b)
{
    if (b->kind == REGO_TERM_VAR)
        return rego_unify(in, a, &rego_any, false) &&
               rego_unify(in, b, rego_term_type(in, a), false);
    if (a->kind != b->kind || a->parts.n != b->parts.n)
        return false;
    for (size_t i = 0; i < a->parts.n; i++)
        if (!rego_unify_both(in, a->parts.item[i], b->parts.item[i]))
            return false;
    return true;
}

static bool same_key(const struct rego_term *a, const struct rego_term *b)
{
    if (a->kind == REGO_TERM_VAR && b->kind == REGO_TERM_VAR)
        return a->slot == b->slot;
    return rego_is_constant(a) && rego_is_constant(b) && rego_equal(&a->value, &b->value);
}

static bool unify_objects(struct rego_inference *in, const struct rego_term *a,
                          const struct rego_term *b)
{
    if (b->kind == REGO_TERM_VAR)
        return rego_unify(in, a, &rego_any, false) &&
               rego_unify(in, b, rego_term_type(in, a), false);
    if (a->kind != b->kind || a->pairs.n != b->pairs.n)
        return false;
    for (size_t i = 0; i < a->pairs.n; i++) {
        size_t k = 0;
        while (k < b->pairs.n && !same_key(a->pairs.item[i].key, b->pairs.item[k].key))
            k++;
        if (in->types.steps_left < k)
            return true;
        in->types.steps_left -= k;
        if (k == b->pairs.n) { /* OPA refuses these; keys that are collections are left to it */
            const struct rego_term *key = a->pairs.item[i].key;
            if (rego_is_constant(key) || key->kind == REGO_TERM_VAR)
                return false;
        } else if (!rego_unify_both(in, a->pairs.item[i].value, b->pairs.item[k].value)) {
            return false;
        }
    }
    return true;
}

bool rego_unify_both(struct rego_inference *in, const struct rego_term *a,
                     const struct rego_term *b)
{
    const struct rego_type *left = rego_term_type(in, a), *right = rego_term_type(in, b);
    bool open_a = rego_type_unknown(&in->types, left),
         open_b = rego_type_unknown(&in->types, right);
    if (open_a && !open_b)
        return rego_unify(in, a, right, false);
    if (open_b && !open_a)
        return rego_unify(in, b, left, false);
    if (!open_a)
        return rego_type_unifies(&in->types, left, right);
    if (a->kind == REGO_TERM_ARRAY)
        return unify_arrays(in, a, b);
    if (a->kind == REGO_TERM_OBJECT)
        return unify_objects(in, a, b);
    if (a->kind == REGO_TERM_VAR && b->kind == REGO_TERM_VAR)
        return rego_unify(in, a, &rego_any, false) &&
               rego_unify(in, b, rego_term_type(in, a), false);
    if (a->kind == REGO_TERM_VAR && b->kind == REGO_TERM_ARRAY)
        return unify_arrays(in, b, a);
    if (a->kind == REGO_TERM_VAR && b->kind == REGO_TERM_OBJECT)
        return unify_objects(in, b, a);
    if (a->kind == REGO_TERM_VAR && !left && right)
        return rego_unify(in, a, right, false);
    if (b->kind == REGO_TERM_VAR && !right && left)
        return rego_unify(in, b, left, false);
    return false;
}

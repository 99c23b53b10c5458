/* mismatch.c - why one type does not convert to another, and why two have none in common, in the
 * words of cty and HCL: the first part at fault.
 *
 * Source:  cty convert.MismatchMessage; hcl's messages of ConditionalExpr
 */
#include "base/arena.h"
#include "lang/hcl/types.h"

static bool is_collection(const struct type *t)
{
    return t->kind == TYPE_LIST || t->kind == TYPE_SET || t->kind == TYPE_MAP;
}

static const char *collection_noun(const struct type *t)
{
    return t->kind == TYPE_LIST ? "list" : t->kind == TYPE_SET ? "set" : "map";
}

static struct str mismatch(struct arena *arena, const struct type *got, const struct type *want,
                           unsigned depth_left);

static struct str required(struct arena *arena, const struct type *want)
{
    return arena_printf(arena, "%.*s required", STR_ARG(hcl_type_name(arena, want)));
}

/* "a" / "a" and "b" / "a", "b", and "c": what an object lacks. */
static struct str missing_attributes(struct arena *arena, const struct type *got,
                                     const struct type *want)
{
    struct str names = {0};
    size_t n = 0, at = 0;
    for (uint32_t i = 0; i < want->n; i++)
        n += !want->members[i].optional && !type_find_member(got, key_str(want->members[i].key));
    for (uint32_t i = 0; i < want->n; i++) {
        const struct type_member *m = &want->members[i];
        if (m->optional || type_find_member(got, key_str(m->key)))
            continue;
        const char *between = at == 0 ? "" : n == 2 ? " and " : at + 1 == n ? ", and " : ", ";
        names = arena_printf(arena, "%.*s%s\"%s\"", STR_ARG(names), between, m->key->text);
        at++;
    }
    if (n == 0)
        return (struct str){0};
    return arena_printf(arena, "attribute%s %.*s %s required", n > 1 ? "s" : "", STR_ARG(names),
                        n > 1 ? "are" : "is");
}

static struct str of_objects(struct arena *arena, const struct type *got, const struct type *want,
                             unsigned depth_left)
{
    struct str missing = missing_attributes(arena, got, want);
    for (uint32_t i = 0; !missing.ptr && i < want->n; i++) {
        const struct type_member *m = &want->members[i], *have = NULL;
        have = type_find_member(got, key_str(m->key));
        if (!have || hcl_type_converts(arena, have->type, m->type))
            continue;
        struct str inner = mismatch(arena, have->type, m->type, depth_left);
        return arena_printf(arena, "attribute \"%s\": %.*s", m->key->text, STR_ARG(inner));
    }
    return missing.ptr ? missing : STR("incorrect object attributes");
}

/* A tuple or an object to a collection. */
static struct str of_parts(struct arena *arena, const struct type *got, const struct type *want,
                           unsigned depth_left)
{
    bool fits = got->kind == (want->kind == TYPE_MAP ? TYPE_OBJECT : TYPE_TUPLE);
    if (fits && want->elem->kind == TYPE_DYNAMIC)
        return arena_printf(arena, "all %s elements must have the same type",
                            collection_noun(want));
    for (uint32_t i = 0; fits && i < got->n; i++) {
        const struct type *part = got->kind == TYPE_TUPLE ? got->items[i] : got->members[i].type;
        if (hcl_type_converts(arena, part, want->elem))
            continue;
        struct str inner = mismatch(arena, part, want->elem, depth_left);
        if (got->kind == TYPE_TUPLE)
            return arena_printf(arena, "element %u: %.*s", i, STR_ARG(inner));
        return arena_printf(arena, "element \"%s\": %.*s", got->members[i].key->text,
                            STR_ARG(inner));
    }
    if (fits)
        return arena_printf(arena, "all elements must be %.*s",
                            STR_ARG(hcl_type_name(arena, want->elem)));
    return required(arena, want);
}

static struct str of_collections(struct arena *arena, const struct type *got,
                                 const struct type *want, unsigned depth_left)
{
    if ((want->kind == TYPE_MAP) != (got->kind == TYPE_MAP))
        return required(arena, want);
    return arena_printf(arena, "incorrect %s element type: %.*s", collection_noun(want),
                        STR_ARG(mismatch(arena, got->elem, want->elem, depth_left)));
}

static struct str mismatch(struct arena *arena, const struct type *got, const struct type *want,
                           unsigned depth_left)
{
    if (depth_left == 0)
        return required(arena, want);
    if (got->kind == TYPE_OBJECT && want->kind == TYPE_OBJECT)
        return of_objects(arena, got, want, depth_left - 1);
    if ((got->kind == TYPE_TUPLE || got->kind == TYPE_OBJECT) && is_collection(want))
        return of_parts(arena, got, want, depth_left - 1);
    if (is_collection(got) && is_collection(want))
        return of_collections(arena, got, want, depth_left - 1);
    return required(arena, want);
}

struct str hcl_type_mismatch(struct arena *arena, const struct type *got, const struct type *want)
{
    return mismatch(arena, got, want, TYPE_DEPTH_MAX);
}

/* --- the branches of a conditional --- */

static struct str between(struct arena *arena, const struct type *yes, const struct type *no,
                          unsigned depth_left);

/* An attribute that one of them alone has. */
static struct str absent(struct arena *arena, const char *here, const char *there,
                         const struct value_key *key)
{
    return arena_printf(arena,
                        "The '%s' value includes object attribute \"%s\", which is absent in the "
                        "'%s' value",
                        here, key->text, there);
}

static struct str between_objects(struct arena *arena, const struct type *yes,
                                  const struct type *no, unsigned depth_left)
{
    for (uint32_t i = 0; i < yes->n; i++) {
        const struct type_member *m = &yes->members[i];
        const struct type_member *other = type_find_member(no, key_str(m->key));
        if (!other)
            return absent(arena, "true", "false", m->key);
        if (!type_equal(m->type, other->type))
            return arena_printf(arena, "Type mismatch for object attribute \"%s\": %.*s",
                                m->key->text,
                                STR_ARG(between(arena, m->type, other->type, depth_left)));
    }
    for (uint32_t i = 0; i < no->n; i++)
        if (!type_find_member(yes, key_str(no->members[i].key)))
            return absent(arena, "false", "true", no->members[i].key);
    return (struct str){0};
}

static struct str between_tuples(struct arena *arena, const struct type *yes, const struct type *no,
                                 unsigned depth_left)
{
    if (yes->n != no->n)
        return arena_printf(arena,
                            "The 'true' tuple has length %u, but the 'false' tuple has length %u",
                            yes->n, no->n);
    for (uint32_t i = 0; i < yes->n; i++)
        if (!type_equal(yes->items[i], no->items[i]))
            return arena_printf(arena, "Type mismatch for tuple element %u: %.*s", i,
                                STR_ARG(between(arena, yes->items[i], no->items[i], depth_left)));
    return (struct str){0};
}

static struct str between(struct arena *arena, const struct type *yes, const struct type *no,
                          unsigned depth_left)
{
    struct str why = {0};
    bool same = yes->kind == no->kind && depth_left;
    if (same && yes->kind == TYPE_OBJECT)
        why = between_objects(arena, yes, no, depth_left - 1);
    else if (same && yes->kind == TYPE_TUPLE)
        why = between_tuples(arena, yes, no, depth_left - 1);
    else if (same && is_collection(yes) && yes->elem->kind == no->elem->kind &&
             (yes->elem->kind == TYPE_OBJECT || yes->elem->kind == TYPE_TUPLE))
        why = arena_printf(arena, "Mismatched %s element types: %.*s", collection_noun(yes),
                           STR_ARG(between(arena, yes->elem, no->elem, depth_left - 1)));
    if (why.ptr)
        return why;
    struct str is = hcl_type_name(arena, yes), other = hcl_type_name(arena, no);
    if (str_equal(is, other))
        return STR("At least one deeply-nested attribute or element is not compatible across both "
                   "the 'true' and the 'false' value");
    return arena_printf(arena, "The 'true' value is %.*s, but the 'false' value is %.*s",
                        STR_ARG(is), STR_ARG(other));
}

struct str hcl_branch_mismatch(struct arena *arena, const struct type *yes, const struct type *no)
{
    return between(arena, yes, no, TYPE_DEPTH_MAX);
}

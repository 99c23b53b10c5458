/* mismatch.c - why one type does not convert to another, in cty's words: the first part at fault.
 *
 * Source:  cty convert.MismatchMessage
 */
#include "base/arena.h"
#include "lang/hcl/types.h"

static bool is_collection(const struct type *t)
{
    return t->kind == TYPE_LIST || t->kind == TYPE_SET || t->kind == TYPE_MAP;
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
                            want->kind == TYPE_LIST  ? "list"
                            : want->kind == TYPE_SET ? "set"
                                                     : "map");
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
    return arena_printf(arena, "incorrect %s element type: %.*s",
                        want->kind == TYPE_LIST  ? "list"
                        : want->kind == TYPE_SET ? "set"
                                                 : "map",
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

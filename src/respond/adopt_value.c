/* adopt_value.c - values for edits: as a schema has them, as code writes them, with a part changed.
 */
#include "base/arena.h"
#include "lang/hcl/encode.h"
#include "respond/adopt_parts.h"
#include "wire/json.h"

/* --- as the schema has them --- */

static bool fit(struct arena *arena, const struct type *type, const struct value *v,
                unsigned depth_left, struct value *ret, struct str *ret_why);

static bool fit_object(struct arena *arena, const struct type *type, const struct value *v,
                       unsigned depth_left, struct value *ret, struct str *ret_why)
{
    struct value_member *members = arena_new(arena, struct value_member, type->n);
    for (uint32_t i = 0; members && i < v->len; i++) {
        struct str key = key_str(v->members[i].key);
        if (!type_find_member(type, key)) {
            *ret_why = arena_printf(arena, "it has no \"%.*s\"", STR_ARG(key));
            return false;
        }
    }
    for (uint32_t i = 0; members && i < type->n; i++) {
        const struct type_member *member = &type->members[i];
        const struct value *given = value_get(v, key_str(member->key));
        struct value none = hcl_null(member->type);
        members[i].key = member->key;
        if (!fit(arena, member->type, given ? given : &none, depth_left, &members[i].value,
                 ret_why))
            return false;
    }
    *ret_why = STR("memory is out");
    return members && value_members(VALUE_OBJECT, members, type->n, ret, NULL, NULL);
}

static bool fit_items(struct arena *arena, const struct type *type, const struct value *v,
                      unsigned depth_left, struct value *ret, struct str *ret_why)
{
    struct value *items = arena_new(arena, struct value, v->len);
    *ret_why = STR("memory is out");
    for (uint32_t i = 0; items && i < v->len; i++)
        if (!fit(arena, type->elem, &v->items[i], depth_left, &items[i], ret_why))
            return false;
    if (!items)
        return false;
    if (type->kind == TYPE_SET && v->len)
        return hcl_make_set(arena, type->elem, items, v->len, ret);
    *ret = value_items(type->kind == TYPE_SET ? VALUE_SET : VALUE_LIST, items, v->len);
    if (v->len == 0)
        ret->type = type->elem;
    return true;
}

static bool fit_map(struct arena *arena, const struct type *type, const struct value *v,
                    unsigned depth_left, struct value *ret, struct str *ret_why)
{
    struct value_member *members = arena_new(arena, struct value_member, v->len);
    *ret_why = STR("memory is out");
    for (uint32_t i = 0; members && i < v->len; i++) {
        members[i].key = v->members[i].key;
        if (!fit(arena, type->elem, &v->members[i].value, depth_left, &members[i].value, ret_why))
            return false;
    }
    if (!members || !value_members(VALUE_MAP, members, v->len, ret, NULL, NULL))
        return false;
    if (v->len == 0)
        ret->type = type->elem;
    return true;
}

static bool fit(struct arena *arena, const struct type *type, const struct value *v,
                unsigned depth_left, struct value *ret, struct str *ret_why)
{
    if (depth_left-- == 0) {
        *ret_why = STR("it is nested too deeply");
        return false;
    }
    bool list = type->kind == TYPE_LIST || type->kind == TYPE_SET;
    if (type->kind == TYPE_OBJECT && value_is_object_like(v))
        return fit_object(arena, type, v, depth_left, ret, ret_why);
    if (list && value_is_list_like(v))
        return fit_items(arena, type, v, depth_left, ret, ret_why);
    if (type->kind == TYPE_MAP && value_is_object_like(v))
        return fit_map(arena, type, v, depth_left, ret, ret_why);
    return hcl_convert(arena, v, type, ret, ret_why);
}

bool adopt_fit(struct arena *arena, const struct type *type, const struct value *v,
               struct value *ret, struct str *ret_why)
{
    *ret = *v;
    return !type || type->kind == TYPE_DYNAMIC ||
           fit(arena, type, v, VALUE_DEPTH_MAX, ret, ret_why);
}

/* --- as code writes them --- */

bool adopt_settable(const struct schema_attribute *attribute)
{
    return attribute->required || attribute->optional;
}

static bool written(struct arena *arena, const struct schema_block *nested, const struct type *type,
                    const struct value *v, unsigned depth_left, struct value *ret);

static bool written_object(struct arena *arena, const struct schema_block *nested,
                           const struct type *type, const struct value *v, unsigned depth_left,
                           struct value *ret)
{
    struct value_member *members = arena_new(arena, struct value_member, v->len);
    bool schema_object = type && type->kind == TYPE_OBJECT;
    size_t n = 0;
    for (uint32_t i = 0; members && i < v->len; i++) {
        const struct value *member = &v->members[i].value;
        struct path_step step = {.kind = PATH_KEY, .key = key_str(v->members[i].key)};
        const struct schema_attribute *attribute =
            nested ? schema_find_attribute(nested, step.key) : NULL;
        if ((schema_object && member->kind == VALUE_NULL) ||
            (attribute && !adopt_settable(attribute)))
            continue;
        members[n].key = v->members[i].key;
        if (!written(arena, attribute ? attribute->nested : NULL, hcl_type_below(type, &step),
                     member, depth_left, &members[n++].value))
            return false;
    }
    return members && value_members(v->kind, members, n, ret, NULL, NULL);
}

static bool written(struct arena *arena, const struct schema_block *nested, const struct type *type,
                    const struct value *v, unsigned depth_left, struct value *ret)
{
    *ret = *v;
    if (depth_left-- == 0)
        return false;
    if (value_is_list_like(v) && v->len) {
        struct value *items = arena_new(arena, struct value, v->len);
        for (uint32_t i = 0; items && i < v->len; i++) {
            struct path_step step = {.kind = PATH_INDEX, .index = i};
            if (!written(arena, nested, hcl_type_below(type, &step), &v->items[i], depth_left,
                         &items[i]))
                return false;
        }
        ret->items = items;
        return items;
    }
    if (!value_is_object_like(v) || v->len == 0)
        return true;
    /* A map of nested attributes: the names of its members are no attributes. */
    if (type && type->kind == TYPE_MAP && nested) {
        struct value_member *members = arena_new(arena, struct value_member, v->len);
        for (uint32_t i = 0; members && i < v->len; i++) {
            members[i].key = v->members[i].key;
            if (!written(arena, nested, type->elem, &v->members[i].value, depth_left,
                         &members[i].value))
                return false;
        }
        ret->members = members;
        return members;
    }
    return written_object(arena, nested, type, v, depth_left, ret);
}

bool adopt_written(struct arena *arena, const struct schema_attribute *attribute,
                   const struct type *type, const struct value *v, struct value *ret)
{
    return written(arena, attribute ? attribute->nested : NULL, type, v, VALUE_DEPTH_MAX, ret);
}

/* --- with a part changed --- */

/* The members of an object or map, with room for one more. */
static struct value_member *members_of(struct arena *arena, const struct value *v)
{
    struct value_member *members = arena_new(arena, struct value_member, (size_t)v->len + 1);
    for (uint32_t i = 0; members && i < v->len; i++)
        members[i] = v->members[i];
    return members;
}

static bool with_at(struct arena *arena, const struct value *root, struct path path,
                    const struct value *v, struct value *ret);

/* What stands below a step now: nothing is an empty object or list, as the next step asks. */
static bool with_below(struct arena *arena, const struct value *now, struct path path,
                       const struct value *v, struct value *ret)
{
    struct path rest = {path.step + 1, path.n - 1};
    struct value empty = {.kind = VALUE_OBJECT};
    if (rest.n == 0) {
        *ret = *v;
        return true;
    }
    if (!now || now->kind == VALUE_NULL) {
        if (rest.step[0].kind != PATH_KEY)
            empty.kind = VALUE_TUPLE;
        now = &empty;
    }
    return with_at(arena, now, rest, v, ret);
}

static bool with_member(struct arena *arena, const struct value *root, struct path path,
                        const struct value *v, struct value *ret)
{
    struct str key = path.step[0].key;
    struct value_member *members = members_of(arena, root);
    size_t n = root->len, at = 0;
    if (!members)
        return false;
    while (at < n && !str_equal(key_str(members[at].key), key))
        at++;
    if (path.n == 1 && !v) {
        for (size_t i = at; i + 1 < n; i++)
            members[i] = members[i + 1];
        n -= at < n;
    } else {
        if (!with_below(arena, at < n ? &members[at].value : NULL, path, v, &members[at].value))
            return false;
        if (at == n && !(members[n++].key = key_make(arena, key)))
            return false;
    }
    return value_members(root->kind, members, n, ret, NULL, NULL);
}

static bool with_item(struct arena *arena, const struct value *root, struct path path,
                      const struct value *v, struct value *ret)
{
    size_t n = root->len, at = (size_t)path.step[0].index;
    struct value *items = arena_new(arena, struct value, n + 1);
    if (!items || path.step[0].kind != PATH_INDEX || path.step[0].index < 0 || at > n)
        return false;
    for (size_t i = 0; i < n; i++)
        items[i] = root->items[i];
    if (path.n == 1 && !v) {
        for (size_t i = at; i + 1 < n; i++)
            items[i] = items[i + 1];
        n -= at < n;
    } else {
        if (!with_below(arena, at < n ? &items[at] : NULL, path, v, &items[at]))
            return false;
        n += at == n;
    }
    *ret = value_items(root->kind, items, n);
    return true;
}

/* Text of JSON: a path into it is one into what it says. */
static bool with_json(struct arena *arena, const struct value *root, struct path path,
                      const struct value *v, struct value *ret)
{
    struct value inside, changed;
    struct str text, why;
    if (!json_parse(arena, value_text(root), "", JSON_DUPLICATES_LAST | JSON_NFC, &inside, NULL) ||
        !with_at(arena, &inside, path, v, &changed) ||
        !hcl_json_encode(arena, &changed, &text, &why))
        return false;
    *ret = value_string(text);
    return true;
}

static bool with_at(struct arena *arena, const struct value *root, struct path path,
                    const struct value *v, struct value *ret)
{
    if (path.n == 0) {
        if (v)
            *ret = *v;
        return v;
    }
    if (value_is_object_like(root) && path.step[0].kind == PATH_KEY)
        return with_member(arena, root, path, v, ret);
    if (root->kind == VALUE_LIST || root->kind == VALUE_TUPLE)
        return with_item(arena, root, path, v, ret);
    return root->kind == VALUE_STRING && with_json(arena, root, path, v, ret);
}

bool adopt_with(struct arena *arena, const struct value *root, struct path path,
                const struct value *v, struct value *ret)
{
    return path.n <= PATH_STEPS_MAX && with_at(arena, root, path, v, ret);
}

/* --- equal for a plan --- */

static bool same_at(const struct value *a, const struct value *b, unsigned depth_left);

/* Nothing: null, absent, no blocks. */
static bool is_nothing(const struct value *v)
{
    return !v || v->kind == VALUE_NULL || (value_is_list_like(v) && v->len == 0);
}

static bool members_in(const struct value *a, const struct value *b, unsigned depth_left)
{
    bool map = a->kind == VALUE_MAP || b->kind == VALUE_MAP;
    for (uint32_t i = 0; i < a->len; i++) {
        const struct value *mine = &a->members[i].value;
        const struct value *other = value_get(b, key_str(a->members[i].key));
        if (other ? !same_at(mine, other, depth_left) : map || !is_nothing(mine))
            return false;
    }
    return true;
}

static bool items_in(const struct value *a, const struct value *b, unsigned depth_left)
{
    for (uint32_t i = 0; i < a->len; i++) {
        bool found = false;
        for (uint32_t k = 0; k < b->len && !found; k++)
            found = same_at(&a->items[i], &b->items[k], depth_left);
        if (!found)
            return false;
    }
    return true;
}

static bool same_items(const struct value *a, const struct value *b, unsigned depth_left)
{
    if (a->kind == VALUE_SET || b->kind == VALUE_SET)
        return items_in(a, b, depth_left) && items_in(b, a, depth_left);
    for (uint32_t i = 0; i < a->len; i++)
        if (a->len != b->len || !same_at(&a->items[i], &b->items[i], depth_left))
            return false;
    return a->len == b->len;
}

static bool same_json(const struct value *a, const struct value *b)
{
    AUTO_ARENA scratch = {.limit = (size_t)64 << 20};
    struct value x, y;
    if (a->len < 2 || (a->text[0] != '{' && a->text[0] != '['))
        return false;
    return json_parse(&scratch, value_text(a), "", JSON_DUPLICATES_LAST | JSON_NFC, &x, NULL) &&
           json_parse(&scratch, value_text(b), "", JSON_DUPLICATES_LAST | JSON_NFC, &y, NULL) &&
           value_equal(&x, &y);
}

static bool same_at(const struct value *a, const struct value *b, unsigned depth_left)
{
    if (depth_left-- == 0)
        return false;
    if (value_is_object_like(a) && value_is_object_like(b))
        return members_in(a, b, depth_left) && members_in(b, a, depth_left);
    if (value_is_list_like(a) && value_is_list_like(b))
        return same_items(a, b, depth_left);
    if (is_nothing(a) && is_nothing(b))
        return true;
    if (a->kind == VALUE_UNKNOWN && b->kind == VALUE_UNKNOWN)
        return true;
    if (a->kind == VALUE_STRING && b->kind == VALUE_STRING)
        return value_equal(a, b) || same_json(a, b);
    return value_equal(a, b);
}

bool adopt_same(const struct value *a, const struct value *b)
{
    return same_at(a, b, VALUE_DEPTH_MAX);
}

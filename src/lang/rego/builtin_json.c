/* builtin_json.c - Rego's edits of documents by path: json.filter, json.remove, json.patch. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "lang/rego/builtin.h"

enum { PATH_MAX_KEYS = 1000 };
struct path {
    struct value *key;
    size_t n;
};

/* "a/b~1c" or an array of keys. False where it is neither. */
static bool read_path(struct rego_call *call, const struct value *v, bool leading, struct path *ret)
{
    *ret = (struct path){0};
    if (rego_is_array(v)) {
        ret->key = (struct value *)(uintptr_t)v->items;
        ret->n = v->len;
        return ret->n <= PATH_MAX_KEYS;
    }
    if (v->kind != VALUE_STRING)
        return false;
    struct str s = value_text(v), head;
    size_t room = 0;
    if (leading && str_starts(s, STR("/")))
        s = str_sub(s, 1, s.len);
    else if (!leading)
        while (str_starts(s, STR("/")))
            s = str_sub(s, 1, s.len);
    if (!s.len && leading && !value_text(v).len)
        return true;
    for (bool more = true; more && ret->n < PATH_MAX_KEYS;) {
        AUTO_BUF out = {.limit = rego_room(call)};
        more = str_cut(&s, '/', &head);
        for (size_t i = 0; i < head.len; i++) {
            bool escape = head.ptr[i] == '~' && i + 1 < head.len &&
                          (head.ptr[i + 1] == '0' || head.ptr[i + 1] == '1');
            buf_char(&out, escape ? head.ptr[++i] == '0' ? '~' : '/' : head.ptr[i]);
        }
        ret->key = arena_grow(call->arena, ret->key, ret->n, &room, ret->n + 1);
        struct str kept = arena_dup(call->arena, buf_view(&out));
        if (!ret->key || !kept.ptr)
            return false;
        ret->key[ret->n++] = value_string(kept);
    }
    return true;
}

/* An index of an array: a number, or its decimal text without a leading zero. */
static bool index_of(const struct value *key, int64_t *ret)
{
    if (key->kind == VALUE_NUMBER)
        return rego_to_int64(key, ret) && *ret >= 0;
    struct str s = key->kind == VALUE_STRING ? value_text(key) : STR("");
    return s.len && s.ptr[0] >= '0' && s.ptr[0] <= '9' && (s.len == 1 || s.ptr[0] != '0') &&
           str_to_int64(s, ret);
}

static const struct value *look(const struct value *v, const struct value *key)
{
    int64_t i;
    if (rego_is_array(v))
        return index_of(key, &i) && i < v->len ? &v->items[i] : NULL;
    return rego_get(v, key);
}

static bool read_paths(struct rego_call *call, struct path **ret, size_t *ret_n)
{
    const struct value *list = &call->arg[1];
    struct path *paths = arena_new(call->arena, struct path, list->len);
    for (uint32_t i = 0; paths && i < list->len; i++)
        if (!read_path(call, &list->items[i], false, &paths[i])) {
            call->why =
                arena_printf(call->arena,
                             "operand 2 must be one of {set, array} containing string paths "
                             "or array of path segments but got %s",
                             rego_type_name(&list->items[i]));
            call->type_error = true;
            return false;
        }
    *ret = paths;
    *ret_n = list->len;
    return paths != NULL;
}

/* --- filter and remove: paths that go on below this value --- */

/* A path and its first key as the value has it, sorted by that. */
struct branch {
    struct value first;
    struct path path;
};

static int compare_branches(const void *a, const void *b)
{
    return rego_compare(&((const struct branch *)a)->first, &((const struct branch *)b)->first);
}

/* Paths that have a key, of an array those that have an index. */
static struct branch *branches_of(struct rego_call *call, const struct value *v,
                                  const struct path *paths, size_t n, size_t *ret_n)
{
    struct branch *branch = arena_new_raw(call->arena, struct branch, n);
    *ret_n = 0;
    for (size_t i = 0; branch && i < n; i++) {
        int64_t at;
        if (!paths[i].n || (rego_is_array(v) && !index_of(&paths[i].key[0], &at)))
            continue;
        branch[(*ret_n)++] =
            (struct branch){rego_is_array(v) ? value_int(at) : paths[i].key[0], paths[i]};
    }
    if (branch && *ret_n)
        qsort(branch, *ret_n, sizeof *branch, compare_branches);
    return branch;
}

/* What is left of the paths that go through the key; *ret_ends: one of them ends there. */
static void below(const struct branch *branch, size_t n, const struct value *key, struct path *rest,
                  size_t *ret_n, bool *ret_ends)
{
    size_t from = 0, to = n;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (rego_compare(&branch[middle].first, key) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    *ret_n = 0;
    *ret_ends = false;
    for (; from < n && rego_compare(&branch[from].first, key) == 0; from++) {
        const struct path *path = &branch[from].path;
        *ret_ends |= path->n == 1;
        rest[(*ret_n)++] = (struct path){path->key + 1, path->n - 1};
    }
}

static bool pick(struct rego_call *call, const struct value *v, const struct path *paths, size_t n,
                 bool keep, unsigned depth_left, struct value *ret)
{
    struct value key, item;
    size_t made = 0, nrest, clash;
    bool object = rego_is_object(v), array = rego_is_array(v), set = v->kind == VALUE_SET;
    *ret = *v;
    if (!n || depth_left == 0 || (!object && !array && !set))
        return depth_left > 0;
    struct rego_pair *pairs = arena_new_raw(call->arena, struct rego_pair, v->len);
    struct path *rest = arena_new_raw(call->arena, struct path, n);
    size_t nbranches;
    const struct branch *branch = branches_of(call, v, paths, n, &nbranches);
    if (!pairs || !rest || !branch || !call->spend(call->spend_ctx, n + v->len))
        return false;
    for (size_t at = 0; rego_next(v, &at, &key, &item);) {
        bool ends;
        below(branch, nbranches, &key, rest, &nrest, &ends);
        if (keep ? !nrest : ends)
            continue;
        struct value inner = item;
        if (!ends && nrest && !pick(call, &item, rest, nrest, keep, depth_left - 1, &inner))
            return false;
        pairs[made++] = (struct rego_pair){key, inner};
    }
    if (object)
        return rego_make_object(pairs, made, ret, &clash);
    struct value *items = arena_new_raw(call->arena, struct value, made);
    if (!items)
        return false;
    for (size_t i = 0; i < made; i++)
        items[i] = pairs[i].value;
    *ret = set ? rego_make_set(items, made) : value_items(VALUE_TUPLE, items, made);
    return true;
}

static enum rego_outcome json_filter(struct rego_call *call, struct value *ret)
{
    struct path *paths;
    size_t n;
    if (!read_paths(call, &paths, &n))
        return call->why.ptr ? REGO_FAILED : REGO_HALT;
    if (!n) {
        *ret = (struct value){.kind = REGO_PAIRS};
        return REGO_DEFINED;
    }
    return pick(call, call->arg, paths, n, true, REGO_NESTING_MAX, ret) ? REGO_DEFINED : REGO_HALT;
}

static enum rego_outcome json_remove(struct rego_call *call, struct value *ret)
{
    struct path *paths;
    size_t n;
    if (!read_paths(call, &paths, &n))
        return call->why.ptr ? REGO_FAILED : REGO_HALT;
    return pick(call, call->arg, paths, n, false, REGO_NESTING_MAX, ret) ? REGO_DEFINED : REGO_HALT;
}

/* --- patch (RFC 6902, on sets too) --- */

enum patch_op { PATCH_ADD, PATCH_REMOVE, PATCH_REPLACE };
struct patch {
    struct rego_call *call;
    enum patch_op op;
    const struct value *value;
    struct value moved; /* what move and copy have taken */
    bool memory;
};

static bool insert_array(struct patch *p, const struct value *v, const struct value *key,
                         struct value *ret)
{
    int64_t at = v->len;
    bool dash = key->kind == VALUE_STRING && str_equal(value_text(key), STR("-"));
    bool add = p->op == PATCH_ADD;
    if (!(dash && add) && !index_of(key, &at))
        return false;
    if (at > v->len || (!add && at == v->len))
        return false;
    size_t n = v->len + (size_t)add - (p->op == PATCH_REMOVE);
    struct value *items = arena_new_raw(p->call->arena, struct value, n + 1);
    if (!items) {
        p->memory = true;
        return false;
    }
    size_t to = 0;
    for (size_t i = 0; i <= v->len; i++) {
        if ((int64_t)i == at && p->op != PATCH_REMOVE)
            items[to++] = *p->value;
        if (i < v->len && ((int64_t)i != at || add))
            items[to++] = v->items[i];
    }
    *ret = value_items(VALUE_TUPLE, items, n);
    return true;
}

/* The members of an object but one, and that one with its new value. */
static bool put_object(struct patch *p, const struct value *v, const struct value *key,
                       const struct value *by, struct value *ret)
{
    struct rego_pair *pairs = arena_new_raw(p->call->arena, struct rego_pair, v->len + 1);
    struct value k, item;
    size_t n = 0, clash;
    if (!pairs) {
        p->memory = true;
        return false;
    }
    for (size_t at = 0; rego_next(v, &at, &k, &item);)
        if (!rego_equal(&k, key))
            pairs[n++] = (struct rego_pair){k, item};
    if (by)
        pairs[n++] = (struct rego_pair){*key, *by};
    return rego_make_object(pairs, n, ret, &clash);
}

static bool put_set(struct patch *p, const struct value *v, const struct value *without,
                    const struct value *with, struct value *ret)
{
    struct value *items = arena_new_raw(p->call->arena, struct value, v->len + 1);
    size_t n = 0;
    if (!items) {
        p->memory = true;
        return false;
    }
    for (uint32_t i = 0; i < v->len; i++)
        if (!without || !rego_equal(&v->items[i], without))
            items[n++] = v->items[i];
    if (with)
        items[n++] = *with;
    *ret = rego_make_set(items, n);
    return true;
}

/* The change at the last key of the path. */
static bool change(struct patch *p, const struct value *v, const struct value *key,
                   struct value *ret)
{
    const struct value *old = look(v, key);
    if (p->op != PATCH_ADD && !old)
        return false;
    if (rego_is_array(v))
        return insert_array(p, v, key, ret);
    if (rego_is_object(v))
        return put_object(p, v, key, p->op == PATCH_REMOVE ? NULL : p->value, ret);
    if (v->kind != VALUE_SET || (p->op == PATCH_ADD && !rego_equal(key, p->value)))
        return false; /* a member is its own key */
    return put_set(p, v, p->op == PATCH_ADD ? NULL : key, p->op == PATCH_REMOVE ? NULL : p->value,
                   ret);
}

static bool apply(struct patch *p, const struct value *v, struct path path, struct value *ret)
{
    struct value inner;
    if (path.n == 0) {
        if (p->op == PATCH_REMOVE)
            return false;
        *ret = *p->value;
        return true;
    }
    if (path.n == 1)
        return change(p, v, path.key, ret);
    const struct value *next = look(v, path.key);
    if (!next || !apply(p, next, (struct path){path.key + 1, path.n - 1}, &inner))
        return false;
    if (v->kind == VALUE_SET)
        return put_set(p, v, path.key, &inner, ret);
    if (rego_is_object(v))
        return put_object(p, v, path.key, &inner, ret);
    struct patch replace = {.call = p->call, .op = PATCH_REPLACE, .value = &inner};
    bool ok = insert_array(&replace, v, path.key, ret);
    p->memory |= replace.memory;
    return ok;
}

static const struct value *find(const struct value *v, struct path path)
{
    for (size_t i = 0; v && i < path.n; i++)
        v = look(v, &path.key[i]);
    return v;
}

static const struct value *member(const struct value *v, const char *name)
{
    struct value key = value_string(str_from(name));
    return rego_is_object(v) ? rego_get(v, &key) : NULL;
}

static bool path_of(struct rego_call *call, const struct value *operation, const char *name,
                    struct path *ret)
{
    const struct value *v = member(operation, name);
    return v && read_path(call, v, true, ret);
}

/* One operation on *v, which becomes its result. */
static bool operate(struct patch *p, const struct value *operation, struct value *v)
{
    const struct value *op = member(operation, "op");
    struct str name = op && op->kind == VALUE_STRING ? value_text(op) : STR("");
    struct path path, from = {0};
    struct value after;
    bool move = str_equal(name, STR("move")), copy = str_equal(name, STR("copy"));
    if (!path_of(p->call, operation, "path", &path))
        return false;
    p->value = member(operation, "value");
    if (move || copy) {
        const struct value *source =
            path_of(p->call, operation, "from", &from) ? find(v, from) : NULL;
        if (!source)
            return false;
        p->moved = *source;
        p->value = &p->moved;
        if (move) {
            p->op = PATCH_REMOVE;
            if (!apply(p, v, from, &after))
                return false;
            *v = after;
        }
        p->op = PATCH_ADD;
    } else if (str_equal(name, STR("test"))) {
        const struct value *at = find(v, path);
        return at && p->value && rego_equal(at, p->value);
    } else if (str_equal(name, STR("remove"))) {
        p->op = PATCH_REMOVE;
    } else if (str_equal(name, STR("add")) || str_equal(name, STR("replace"))) {
        p->op = str_equal(name, STR("add")) ? PATCH_ADD : PATCH_REPLACE;
        if (!p->value)
            return false;
    } else {
        return false;
    }
    if (!apply(p, v, path, &after))
        return false;
    *v = after;
    return true;
}

static enum rego_outcome json_patch(struct rego_call *call, struct value *ret)
{
    struct patch p = {.call = call};
    const struct value *operations = &call->arg[1];
    *ret = call->arg[0];
    for (uint32_t i = 0; i < operations->len; i++) {
        if (!rego_is_object(&operations->items[i])) {
            call->why = arena_printf(call->arena,
                                     "operand 2 must be array of JSON-Patch objects but got array "
                                     "containing %s",
                                     rego_type_name(&operations->items[i]));
            call->type_error = true;
            return REGO_FAILED;
        }
        if (!operate(&p, &operations->items[i], ret))
            return p.memory ? REGO_HALT : REGO_UNDEFINED;
    }
    return REGO_DEFINED;
}

#define PATHS "set[string | array[any]] | array[string | array[any]]"
static const struct rego_builtin table[] = {
    {"json.filter", NULL, "(object[any: any], " PATHS ") => object[any: any]", json_filter, 0},
    {"json.remove", NULL, "(object[any: any], " PATHS ") => object[any: any]", json_remove, 0},
    {"json.patch", NULL, "(any, array[any]) => any", json_patch, 0},
};
const struct rego_family builtin_json = {table, sizeof table / sizeof *table};

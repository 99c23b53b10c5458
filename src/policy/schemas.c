/* schemas.c - a file, or all files below a folder. */
#include "policy/schemas.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "policy/load.h"

struct loading {
    struct arena *arena;
    struct rego_schema *schema;
    size_t n, room;
    struct value part[POLICY_FOLDERS_DEEP + 2]; /* "schema", folders, the file */
};

static bool load_one(struct loading *l, struct str path, size_t nparts, struct err *err)
{
    struct rego_schema *grown = arena_grow(l->arena, l->schema, l->n, &l->room, l->n + 1);
    struct value *parts = arena_new(l->arena, struct value, nparts);
    if (!grown || !parts)
        return arena_full(l->arena, err);
    l->schema = grown;
    if (l->n == POLICY_SCHEMAS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d schemas", POLICY_SCHEMAS_MAX);
    memcpy(parts, l->part, nparts * sizeof *parts);
    grown[l->n].path = value_items(VALUE_TUPLE, parts, (uint32_t)nparts);
    return policy_load_document(l->arena, path, &grown[l->n++].schema, err);
}

static struct str without_ending(struct str name)
{
    size_t dot = name.len;
    while (dot > 0 && name.ptr[dot - 1] != '.')
        dot--;
    return dot > 1 ? str_sub(name, 0, dot - 1) : name;
}

static bool load_below(struct loading *l, struct str folder, size_t nparts, struct err *err)
{
    struct str *names;
    size_t n;
    if (nparts > POLICY_FOLDERS_DEEP)
        return err_set(err, ERR_LIMIT, "%.*s: more than %d folders deep", STR_ARG(folder),
                       POLICY_FOLDERS_DEEP);
    if (!io_list_dir(l->arena, folder.ptr, POLICY_SCHEMAS_MAX, &names, &n, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        struct str path = io_join(l->arena, folder, names[i]);
        if (!path.ptr)
            return arena_full(l->arena, err);
        if (io_is_loop(path.ptr))
            continue;
        bool below = io_is_dir(path.ptr);
        l->part[nparts] = value_string(below ? names[i] : without_ending(names[i]));
        if (!(below ? load_below(l, path, nparts + 1, err) : load_one(l, path, nparts + 1, err)))
            return false;
    }
    return true;
}

bool policy_load_schemas(struct arena *arena, struct str path, struct rego_compile_options *options,
                         struct err *err)
{
    struct loading l = {.arena = arena, .part = {value_string(STR("schema"))}};
    struct str name = arena_dup(arena, path);
    if (!path.len)
        return true;
    if (!name.ptr)
        return arena_full(arena, err);
    if (!(io_is_dir(name.ptr) ? load_below(&l, name, 1, err) : load_one(&l, name, 1, err)))
        return err_wrap(err, "--schema");
    options->schema = l.schema;
    options->nschemas = l.n;
    return true;
}

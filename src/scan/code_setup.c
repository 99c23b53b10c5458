/* code_setup.c - how a stack's code is opened, and what it accepts. */
#include <stdlib.h>

#include "base/err.h"
#include "base/io.h"
#include "base/pathname.h"
#include "desired/owners.h"
#include "drift/ignore_changes.h"
#include "model/stack.h"
#include "scan/code_parts.h"

struct str scan_code_folder(struct arena *arena, const struct stack *stack)
{
    char root[4096], here[4096];
    struct str path = arena_dup(arena, stack->path.len ? stack->path : STR("."));
    if (!path.ptr || !realpath(path.ptr, root))
        return stack->path;
    struct str folder = arena_dup(arena, str_from(root));
    struct str repository = owners_repository(arena, folder);
    if (repository.len)
        return repository;
    if (realpath(".", here) && pathname_below(str_from(here), folder).ptr)
        return arena_dup(arena, str_from(here));
    return folder;
}

bool scan_code_is_opentofu(struct arena *arena, const struct stack *stack, bool by_state)
{
    struct str *names, text, dir = arena_dup(arena, stack->path.len ? stack->path : STR("."));
    size_t n = 0;
    struct str lock = io_join(arena, dir, STR(".terraform.lock.hcl"));
    if (!dir.ptr || !io_list_dir(arena, dir.ptr, 100000, &names, &n, NULL))
        return by_state;
    for (size_t i = 0; i < n; i++)
        if (str_ends(names[i], STR(".tofu")) || str_ends(names[i], STR(".tofu.json")))
            return true;
    if (!lock.ptr || !io_exists(lock.ptr) || !io_read_file(arena, lock.ptr, 16 << 20, &text, NULL))
        return by_state;
    bool tofu = str_find(text, STR("\"registry.opentofu.org/"), 0) != SIZE_MAX;
    bool terraform = str_find(text, STR("\"registry.terraform.io/"), 0) != SIZE_MAX;
    return tofu || (!terraform && by_state);
}

static bool take_path(struct arena *arena, const struct hcl_traversal *from,
                      struct ignored_path *ret, struct err *err)
{
    struct path_step *steps = arena_new(arena, struct path_step, from->n + 1);
    bool *is_index = arena_new(arena, bool, from->n + 1);
    if (!steps || !is_index)
        return arena_full(arena, err);
    steps[0] = (struct path_step){.kind = PATH_KEY, .key = from->root};
    for (size_t i = 0; i < from->n; i++) {
        const struct value *key = &from->step[i].key;
        is_index[i + 1] = from->step[i].index;
        if (key->kind == VALUE_STRING)
            steps[i + 1] = (struct path_step){.kind = PATH_KEY, .key = value_text(key)};
        else if (value_to_int64(key, &steps[i + 1].index))
            steps[i + 1].kind = PATH_INDEX;
        else
            steps[i + 1] = (struct path_step){.kind = PATH_INDEX, .index = -1};
    }
    *ret = (struct ignored_path){{steps, from->n + 1}, is_index};
    return true;
}

bool scan_code_ignored(struct arena *arena, const struct code_resource *resource,
                       struct ignore_changes *ret, struct err *err)
{
    *ret = (struct ignore_changes){.all = resource->ignore_all};
    if (!resource->ignore_all && resource->nignore_changes == 0)
        return true;
    struct ignored_path *paths = arena_new(arena, struct ignored_path, resource->nignore_changes);
    const struct code_place *place = &resource->ignore_place;
    if (!paths)
        return arena_full(arena, err);
    for (size_t i = 0; i < resource->nignore_changes; i++)
        if (!take_path(arena, &resource->ignore_changes[i], &paths[i], err))
            return false;
    ret->paths = paths;
    ret->n = resource->nignore_changes;
    ret->reason = place->file ? arena_printf(arena, "ignore_changes at %.*s:%u",
                                             STR_ARG(place->file->name), place->line)
                              : STR("ignore_changes");
    return ret->reason.ptr || arena_full(arena, err);
}

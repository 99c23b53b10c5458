/* code_setup.c - how a stack's code is opened, and what it accepts. */
#include "scan/code_setup.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/io.h"
#include "base/pathname.h"
#include "desired/owners.h"
#include "model/stack.h"
#include "scan/code_parts.h"

enum { NAMES_MAX = 100000, LOCK_BYTES_MAX = 16 << 20 };

struct str scan_code_folder(struct arena *arena, const struct stack *stack)
{
    char root[4096], here[4096];
    if (stack->files.len)
        return stack->files;
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

bool scan_code_is_opentofu(struct arena *arena, const struct stack *stack, bool by_state,
                           bool *ret_untold)
{
    struct str *names, text, dir = arena_dup(arena, stack->path.len ? stack->path : STR("."));
    size_t n = 0;
    struct str lock = io_join(arena, dir, STR(".terraform.lock.hcl"));
    *ret_untold = !by_state;
    if (!dir.ptr || !io_list_dir(arena, dir.ptr, NAMES_MAX, &names, &n, NULL))
        return by_state;
    for (size_t i = 0; i < n; i++)
        if (str_ends(names[i], STR(".tofu")) || str_ends(names[i], STR(".tofu.json")))
            return true;
    if (!lock.ptr || !io_read_file(arena, lock.ptr, LOCK_BYTES_MAX, &text, NULL))
        text = STR("");
    bool tofu = str_find(text, STR("\"registry.opentofu.org/"), 0) != SIZE_MAX;
    bool terraform = str_find(text, STR("\"registry.terraform.io/"), 0) != SIZE_MAX;
    *ret_untold = !tofu && !terraform && !by_state;
    return tofu || (!terraform && by_state);
}

/* --- schemas --- */

struct sources {
    struct str *item;
    size_t n, room;
};

static bool add_source(struct arena *arena, struct sources *list, struct str source)
{
    bool known = code_is_builtin(source);
    for (size_t i = list->n; i-- > 0 && !known;)
        known = str_equal(list->item[i], source);
    if (known)
        return true;
    struct str *grown = arena_grow(arena, list->item, list->n, &list->room, list->n + 1);
    if (!grown)
        return false;
    list->item = grown;
    list->item[list->n++] = source;
    return true;
}

static bool gather_sources(struct arena *arena, const struct code_tree *tree, struct sources *ret,
                           unsigned depth_left)
{
    const struct code_module *m = &tree->module;
    for (size_t i = 0; i < m->nresources; i++)
        if (!add_source(arena, ret, m->resources[i].provider_source))
            return false;
    for (size_t i = 0; depth_left && i < m->ncalls; i++)
        if (tree->child[i] && !gather_sources(arena, tree->child[i], ret, depth_left - 1))
            return false;
    return true;
}

bool scan_code_fetch(struct arena *arena, struct library *library, const struct code_tree *tree,
                     struct err *err)
{
    struct sources sources = {0};
    if (!library)
        return true;
    if (!gather_sources(arena, tree, &sources, CODE_TREE_DEPTH_MAX))
        return arena_full(arena, err);
    return !sources.n || library_prefetch(library, sources.item, sources.n, err);
}

/* --- settings of providers --- */

/* `module.a.provider["HOST/NS/TYPE"].alias` without the host of either registry: a state of
 * Terraform's may be read with the code of OpenTofu. */
static struct str without_host(struct arena *arena, struct str name)
{
    static const struct str hosts[] = {STR_INIT("[\"registry.terraform.io/"),
                                       STR_INIT("[\"registry.opentofu.org/")};
    for (size_t i = 0; i < 2; i++) {
        size_t at = str_find(name, hosts[i], 0);
        if (at != SIZE_MAX)
            return arena_printf(arena, "%.*s[\"%.*s", (int)at, name.ptr,
                                STR_ARG(str_sub(name, at + hosts[i].len, name.len)));
    }
    return name;
}

static bool same_config(struct str a, struct str b)
{
    AUTO_ARENA arena = {.limit = 1 << 16};
    return str_equal(a, b) || str_equal(without_host(&arena, a), without_host(&arena, b));
}

const struct code_provider_instance *scan_code_find_provider(const struct code *code,
                                                             struct str name)
{
    size_t n;
    const struct code_provider_instance *all = code_provider_instances(code, &n);
    for (size_t i = 0; i < n; i++)
        if (same_config(all[i].config_name, name) && all[i].config.kind == VALUE_OBJECT)
            return &all[i];
    return NULL;
}

bool scan_code_provider_place(struct arena *arena, const struct code_provider_instance *of,
                              struct str *ret)
{
    const struct code_provider *written = of->written;
    *ret = written && written->place.file
               ? arena_printf(arena, "%.*s:%u", STR_ARG(written->place.file->name),
                              written->place.line)
               : STR("the environment");
    return ret->ptr != NULL;
}

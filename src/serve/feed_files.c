/* feed_files.c - the files that a stack, its policies and its state are made of. */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "desired/backend.h"
#include "desired/desired.h"
#include "desired/module_tree.h"
#include "lang/hcl/hcl.h"
#include "model/config.h"
#include "model/resource.h"
#include "model/stack.h"
#include "serve/feeds_parts.h"
#include "wire/json.h"

enum { TREE_BYTES_MAX = 1 << 30, MANAGED_MAX = 20000, NAMES_MAX = 10000 };

const char *feed_why(enum feed_what what)
{
    return what == FEED_STATE                              ? "apply"
           : what == FEED_MANAGED || what == FEED_SNAPSHOT ? "file"
                                                           : "code";
}

/* --- names --- */

static bool has_prefix(struct str name, const char *prefix)
{
    return str_starts(name, str_from(prefix));
}

/* Of editors, of Terraform and of plumb itself, whose store and its journals change with each scan:
 * nothing that code says. */
static bool is_noise(struct str name)
{
    static const char *const ends[] = {"~",
                                       ".swp",
                                       ".swx",
                                       ".swo",
                                       ".tmp",
                                       ".bak",
                                       ".tfstate",
                                       ".tfstate.backup",
                                       ".log",
                                       ".tfplan",
                                       ".orig",
                                       ".rej",
                                       ".lock.info",
                                       ".part",
                                       ".db",
                                       ".sqlite",
                                       ".sqlite3",
                                       "-wal",
                                       "-shm",
                                       "-journal",
                                       ".audit.key.signed"};
    if (name.len == 0 || name.ptr[0] == '#' || name.ptr[0] == '.' || str_equal(name, STR("4913")) ||
        has_prefix(name, "terraform.tfstate"))
        return true;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (str_ends(name, str_from(ends[i])))
            return true;
    return false;
}

/* Code, and whatever file() and templatefile() may read beside it. */
static bool is_code(struct str name)
{
    return !is_noise(name) || str_equal(name, STR(".terraform.lock.hcl"));
}

static bool is_policy(struct str name)
{
    return !is_noise(name);
}

static bool is_module_file(const char *name)
{
    struct str s = str_from(name);
    return str_ends(s, STR(".tf")) || str_ends(s, STR(".tofu")) || str_ends(s, STR(".tf.json")) ||
           str_ends(s, STR(".tofu.json"));
}

/* --- the list --- */

static bool add(struct arena *arena, struct feed_targets *list, enum feed_what what,
                enum watch_kind kind, struct str path, struct str address, struct err *err)
{
    struct feed_target *item = arena_grow(arena, list->item, list->n, &list->room, list->n + 1);
    if (!item || !path.ptr)
        return arena_full(arena, err);
    list->item = item;
    item[list->n++] = (struct feed_target){.target = {.kind = kind,
                                                      .path = path,
                                                      .wanted = kind == WATCH_FILE    ? NULL
                                                                : what == FEED_POLICY ? is_policy
                                                                                      : is_code},
                                           .what = what,
                                           .address = address};
    return true;
}

/* Absolute, without "." at its ends. */
static struct str whole(struct arena *arena, struct str cwd, struct str path)
{
    while (str_starts(path, STR("./")))
        path = str_sub(path, 2, path.len);
    if (path.len == 0 || str_equal(path, STR(".")))
        return arena_dup(arena, cwd);
    return io_join(arena, cwd, path);
}

/* --- code --- */

/* Folders of a module without code of their own: templates, scripts, policies. */
static bool add_below(struct arena *arena, struct feed_targets *list, struct str dir,
                      struct err *err)
{
    AUTO_ARENA scratch = {.limit = 64 << 20};
    struct str *name = NULL;
    size_t n = 0;
    if (!io_list_dir(&scratch, dir.ptr, NAMES_MAX, &name, &n, NULL))
        return true;
    for (size_t i = 0; i < n; i++) {
        if (is_noise(name[i]) || str_equal(name[i], STR("node_modules")))
            continue;
        struct str path = io_join(arena, dir, name[i]);
        struct str *inside = NULL;
        size_t ninside = 0;
        bool module = false;
        if (!path.ptr)
            return arena_full(arena, err);
        if (!io_is_dir(path.ptr) ||
            !io_list_dir(&scratch, path.ptr, NAMES_MAX, &inside, &ninside, NULL))
            continue;
        for (size_t k = 0; k < ninside; k++)
            module |= is_module_file(inside[k].ptr) || str_equal(inside[k], STR(".terraform")) ||
                      io_is_dir(io_join(&scratch, path, inside[k]).ptr);
        if (!module && !add(arena, list, FEED_CODE, WATCH_TREE, path, (struct str){0}, err))
            return false;
    }
    return true;
}

static bool has_folder(const struct feed_targets *list, struct str path)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->item[i].target.kind == WATCH_FOLDER && str_equal(list->item[i].target.path, path))
            return true;
    return false;
}

static bool add_module(struct arena *arena, struct feed_targets *list, struct str cwd,
                       struct str dir, struct err *err)
{
    struct str path = whole(arena, cwd, dir);
    if (path.ptr && has_folder(list, path))
        return true;
    return add(arena, list, FEED_CODE, WATCH_FOLDER, path, (struct str){0}, err) &&
           add_below(arena, list, path, err);
}

/* Without recursion, deep trees or not: a list that is worked off. What init brought changes by
 * init alone, which writes modules.json. */
static bool add_modules(struct arena *arena, struct arena *scratch, struct feed_targets *list,
                        struct str cwd, const struct code_tree *root, struct str data_dir,
                        struct err *err)
{
    const struct code_tree **open = NULL;
    size_t n = 0, room = 0;
    for (const struct code_tree *tree = root; tree;) {
        if (!str_starts(tree->module.path, data_dir) &&
            !add_module(arena, list, cwd, tree->module.path, err))
            return false;
        for (size_t i = 0; tree->child && i < tree->module.ncalls; i++) {
            if (!tree->child[i])
                continue;
            open = arena_grow(scratch, open, n, &room, n + 1);
            if (!open)
                return arena_full(scratch, err);
            open[n++] = tree->child[i];
        }
        tree = n ? open[--n] : NULL;
    }
    return true;
}

static bool add_code(struct arena *arena, const struct stack *stack, struct str cwd,
                     struct feed_targets *list, struct err *err)
{
    AUTO_ARENA scratch = {.limit = TREE_BYTES_MAX};
    static const char *const noted[] = {"modules/modules.json", "terraform.tfstate", "environment"};
    struct hcl_diags diags = {.arena = &scratch};
    const struct code_tree *tree = NULL;
    struct str root = stack->path.len ? stack->path : STR(".");
    struct str data = backend_data_dir(&scratch, stack);
    struct code_tree_options options = {.read = {.root_dir = root, .opentofu = true},
                                        .data_dir = data};
    if (!data.ptr)
        return arena_full(&scratch, err);
    if (!code_tree_read(&scratch, root, &options, &diags, &tree, NULL))
        tree = NULL;
    for (size_t i = 0; i < sizeof noted / sizeof *noted; i++) {
        struct str path = whole(arena, cwd, io_join(arena, data, str_from(noted[i])));
        if (!add(arena, list, FEED_CODE, WATCH_FILE, path, (struct str){0}, err))
            return false;
    }
    return tree ? add_modules(arena, &scratch, list, cwd, tree, data, err)
                : add_module(arena, list, cwd, root, err);
}

/* --- state, and files that it names --- */

static bool add_managed(struct arena *arena, const struct stack *stack, struct str cwd,
                        struct feed_targets *list, struct err *err)
{
    AUTO_ARENA scratch = {.limit = 64 << 20};
    struct desired *desired = NULL;
    struct resource resource;
    struct err why = {0};
    struct str root = whole(&scratch, cwd, stack->path);
    bool ok = true;
    size_t n = 0;
    if (!root.ptr || !desired_open_stack_state(stack, &desired, NULL))
        return true;
    while (ok && n < MANAGED_MAX && desired_next(desired, &resource, &why)) {
        struct value attributes;
        bool file = str_equal(resource.type, STR("local_file")) ||
                    str_equal(resource.type, STR("local_sensitive_file"));
        if (!file || resource.mode != RESOURCE_MANAGED || resource.deposed.len)
            continue;
        struct arena_mark mark = arena_mark(&scratch);
        if (json_parse(&scratch, resource.attributes_json, "attributes", JSON_DEFAULT, &attributes,
                       NULL)) {
            struct str name = value_get_string(&attributes, STR("filename"));
            struct str address = arena_dup(arena, resource.address);
            ok = name.len == 0 || (address.ptr && add(arena, list, FEED_MANAGED, WATCH_FILE,
                                                      whole(arena, root, name), address, err));
            n++;
        }
        arena_rewind(&scratch, mark);
    }
    desired_close(desired);
    return ok;
}

static bool is_below(struct str path, struct str folder)
{
    return str_starts(path, folder) && path.len > folder.len && path.ptr[folder.len] == '/';
}

/* A folder without code that the stack writes files into is what comes out of it, not what it is
 * made of: each of the files is watched for itself. */
static void drop_outputs(struct feed_targets *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->n; i++) {
        bool output = false;
        for (size_t k = 0; list->item[i].target.kind == WATCH_TREE && k < list->n && !output; k++)
            output = list->item[k].what == FEED_MANAGED &&
                     is_below(list->item[k].target.path, list->item[i].target.path);
        if (!output)
            list->item[kept++] = list->item[i];
    }
    list->n = kept;
}

bool feed_files_of_stack(struct arena *arena, const struct stack *stack, struct str cwd,
                         struct feed_targets *ret, struct err *err)
{
    AUTO_ARENA scratch = {.limit = 64 << 20};
    struct str state = {0};
    const struct str none = {0};
    if (!add_code(arena, stack, cwd, ret, err))
        return false;
    if (stack->snapshot.len &&
        !add(arena, ret, FEED_SNAPSHOT, WATCH_FILE, whole(arena, cwd, stack->snapshot), none, err))
        return false;
    if (!backend_local_file(&scratch, stack, &state, NULL) || state.len == 0)
        return true;
    if (!add(arena, ret, FEED_STATE, WATCH_FILE, whole(arena, cwd, state), none, err) ||
        !add_managed(arena, stack, cwd, ret, err))
        return false;
    drop_outputs(ret);
    return true;
}

/* --- what is common to all --- */

bool feed_files_of_config(struct arena *arena, const struct config *config, struct str cwd,
                          struct feed_targets *ret, struct err *err)
{
    const struct {
        const struct str *item;
        size_t n;
    } lists[] = {{config->policies, config->npolicies},
                 {config->packs, config->npacks},
                 {config->rules, config->nrules},
                 {config->rego, config->nrego},
                 {config->waivers, config->nwaivers}};
    const struct str none = {0};
    struct str root = whole(arena, cwd, config->root);
    if (!root.ptr)
        return arena_full(arena, err);
    if (config->path.len &&
        !add(arena, ret, FEED_CONFIG, WATCH_FILE, whole(arena, cwd, config->path), none, err))
        return false;
    for (size_t k = 0; k < sizeof lists / sizeof *lists; k++)
        for (size_t i = 0; i < lists[k].n; i++) {
            if (str_starts(lists[k].item[i], STR("builtin:")))
                continue;
            struct str path = whole(arena, root, lists[k].item[i]);
            bool tree = path.ptr && io_is_dir(path.ptr);
            if (!add(arena, ret, FEED_POLICY, tree ? WATCH_TREE : WATCH_FILE, path, none, err))
                return false;
        }
    return true;
}

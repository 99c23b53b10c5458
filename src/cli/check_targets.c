/* check_targets.c - folders walked, files sorted out. */
#include "cli/check_targets.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "base/pathname.h"
#include "base/regex_re2.h"
#include "desired/roots.h"

struct finder {
    struct arena *arena;
    const struct check_targets_options *options;
    struct check_targets *targets;
    struct err *err;
};

static bool ends_with(struct str name, const struct str *endings, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_ends(name, endings[i]))
            return true;
    return false;
}

static bool is_code(struct str name)
{
    static const struct str endings[] = {STR_INIT(".tf"),      STR_INIT(".tofu"),
                                         STR_INIT(".tf.json"), STR_INIT(".tofu.json"),
                                         STR_INIT(".tfvars"),  STR_INIT(".tfvars.json")};
    return ends_with(name, endings, sizeof endings / sizeof *endings);
}

static bool is_document(struct str name)
{
    static const struct str endings[] = {STR_INIT(".json"), STR_INIT(".yaml"), STR_INIT(".yml"),
                                         STR_INIT(".tfstate")};
    return ends_with(name, endings, sizeof endings / sizeof *endings) && !is_code(name);
}

static bool add_file(struct finder *f, struct str path)
{
    struct check_targets *t = f->targets;
    if (t->nfiles == CHECK_FILES_MAX)
        return err_set(f->err, ERR_LIMIT, "more than %d files", CHECK_FILES_MAX);
    struct str *grown = arena_grow(f->arena, t->file, t->nfiles, &t->file_room, t->nfiles + 1);
    if (!grown)
        return arena_full(f->arena, f->err);
    t->file = grown;
    grown[t->nfiles++] = path;
    return true;
}

static bool is_skipped(struct finder *f, struct str path, struct str name)
{
    if (name.ptr[0] == '.' || str_equal(name, STR("node_modules")))
        return true;
    struct str clean = pathname_clean(f->arena, path);
    for (size_t i = 0; i < f->options->nskip; i++)
        if (str_equal(pathname_clean(f->arena, f->options->skip[i]), clean))
            return true;
    return f->options->ignore && regex_match(f->options->ignore, path, 0, NULL, 0);
}

static bool add_folder(struct finder *f, struct str path, unsigned depth_left)
{
    struct str *names;
    size_t n;
    if (depth_left == 0)
        return err_set(f->err, ERR_LIMIT, "%.*s: folders are nested deeper than %d", STR_ARG(path),
                       CHECK_FOLDERS_DEEP);
    if (!io_list_dir(f->arena, path.ptr, CHECK_FILES_MAX, &names, &n, f->err))
        return false;
    for (size_t i = 0; i < n; i++) {
        struct str below = str_equal(path, STR(".")) ? names[i] : io_join(f->arena, path, names[i]);
        if (!below.ptr)
            return arena_full(f->arena, f->err);
        if (is_skipped(f, below, names[i]) || io_is_loop(below.ptr))
            continue;
        bool ok = io_is_dir(below.ptr)    ? add_folder(f, below, depth_left - 1)
                  : is_document(names[i]) ? add_file(f, below)
                                          : true;
        if (!ok)
            return false;
    }
    return true;
}

static bool add_argument(struct finder *f, struct str arg)
{
    struct check_targets *t = f->targets;
    struct str path = arena_dup(f->arena, arg);
    struct roots roots = {0};
    if (!path.ptr)
        return arena_full(f->arena, f->err);
    if (str_equal(path, STR("-")))
        return add_file(f, path);
    if (io_exists(path.ptr) && !io_is_dir(path.ptr)) {
        if (is_code(path))
            return err_set(f->err, ERR_USAGE,
                           "%s: a file of a root module is checked with all of it: name its folder",
                           path.ptr);
        return add_file(f, path);
    }
    bool folder = io_is_dir(path.ptr);
    if (folder && !roots_find(f->arena, pathname_clean(f->arena, path), &roots, f->err))
        return false;
    size_t before = t->nfiles;
    if (folder && (roots.n == 0 || f->options->documents) &&
        !add_folder(f, path, CHECK_FOLDERS_DEEP))
        return false;
    if (folder && roots.n == 0 && t->nfiles == before)
        return err_set(f->err, ERR_USAGE,
                       "%s: neither a root module (a folder with *.tf, *.tf.json, *.tofu, "
                       "terraform.tfstate or .terraform) nor a document (*.json, *.yaml, *.yml, "
                       "*.tfstate) here",
                       path.ptr);
    /* the name of a stack, a glob, or nothing: told by those who look for stacks */
    if (roots.n || t->nfiles == before)
        t->module[t->nmodules++] = path;
    return true;
}

bool check_targets_find(struct arena *arena, const struct str *args, size_t n,
                        const struct check_targets_options *options, struct check_targets *ret,
                        struct err *err)
{
    struct finder f = {arena, options, ret, err};
    *ret = (struct check_targets){.module = arena_new(arena, struct str, n)};
    if (!ret->module)
        return arena_full(arena, err);
    for (size_t i = 0; i < n; i++)
        if (!add_argument(&f, args[i]))
            return false;
    return true;
}

struct str check_targets_code(struct arena *arena, struct str plan, struct str given)
{
    struct str dir = str_equal(plan, STR("-")) ? STR(".") : arena_dup(arena, io_dirname(plan));
    struct str first = {0};
    if (given.len)
        return str_equal(given, STR("-")) ? (struct str){0} : given;
    if (dir.ptr && roots_is_module(dir.ptr, &first, arena) && first.len)
        return dir;
    return roots_is_module(".", &first, arena) && first.len ? STR(".") : (struct str){0};
}

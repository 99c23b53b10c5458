/* roots.c - a walk with its own stack; then who calls whom. */
#include "desired/roots.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "base/pathname.h"
#include "desired/outline.h"

struct found {
    struct str path;
    struct outline outline;
};
struct walk {
    struct arena *arena;
    struct str top;
    struct str *todo; /* a stack of folders */
    size_t ntodo, todo_room, seen;
    struct found *found;
    size_t nfound, found_room;
    struct str *called; /* folders that a module call names */
    size_t ncalled, called_room;
};

static bool entered(struct str name)
{
    static const struct str skipped[] = {STR_INIT("node_modules"), STR_INIT("__pycache__"),
                                         STR_INIT("terraform.tfstate.d")};
    for (size_t i = 0; i < sizeof skipped / sizeof *skipped; i++)
        if (str_equal(name, skipped[i]))
            return false;
    return name.ptr[0] != '.';
}

static bool push_folders(struct walk *w, struct str dir, const struct str *names, size_t n,
                         struct err *err)
{
    size_t depth = 0;
    for (size_t i = 0; i < dir.len; i++)
        depth += dir.ptr[i] == '/';
    if (depth > ROOTS_DEPTH_MAX)
        return true;
    for (size_t i = n; i-- > 0;) {
        struct stat st;
        if (!entered(names[i]))
            continue;
        struct str path = str_equal(dir, STR(".")) ? arena_dup(w->arena, names[i])
                                                   : io_join(w->arena, dir, names[i]);
        if (!path.ptr)
            return arena_full(w->arena, err);
        if (lstat(path.ptr, &st) < 0 || !S_ISDIR(st.st_mode))
            continue;
        if (++w->seen > ROOTS_DIRS_MAX)
            return err_set(err, ERR_LIMIT, "more than %d folders below %.*s", ROOTS_DIRS_MAX,
                           STR_ARG(w->top));
        w->todo = arena_grow(w->arena, w->todo, w->ntodo, &w->todo_room, w->ntodo + 1);
        if (!w->todo)
            return arena_full(w->arena, err);
        w->todo[w->ntodo++] = path;
    }
    return true;
}

static bool keep(struct walk *w, struct str dir, const struct outline *outline, struct err *err)
{
    w->found = arena_grow(w->arena, w->found, w->nfound, &w->found_room, w->nfound + 1);
    if (!w->found)
        return arena_full(w->arena, err);
    w->found[w->nfound++] = (struct found){dir, *outline};
    for (size_t i = 0; i < outline->nsource; i++) {
        AUTO_ARENA scratch = {.limit = 1 << 20};
        struct str joined = io_join(&scratch, dir, outline->source[i]);
        struct str called = joined.ptr ? pathname_clean(w->arena, joined) : joined;
        w->called = arena_grow(w->arena, w->called, w->ncalled, &w->called_room, w->ncalled + 1);
        if (!w->called || !called.ptr)
            return arena_full(w->arena, err);
        w->called[w->ncalled++] = called;
    }
    return true;
}

static bool visit(struct walk *w, struct str dir, struct err *err)
{
    AUTO_ARENA scratch = {.limit = 256 << 20};
    struct str *names = NULL;
    size_t n = 0;
    struct outline outline;
    if (!io_list_dir(&scratch, dir.ptr, OUTLINE_NAMES_MAX, &names, &n, NULL))
        return true; /* a folder that may not be read is not ours to scan */
    if (!outline_read(w->arena, dir.ptr, names, n, &outline, err))
        return false;
    if (outline_is_code(&outline) && !keep(w, dir, &outline, err))
        return false;
    return push_folders(w, dir, names, n, err);
}

static bool below_modules(struct str top, struct str path)
{
    struct str rest = pathname_below(top, path), part;
    bool more = rest.len > 0;
    while (more) {
        more = str_cut(&rest, '/', &part);
        if (str_equal(part, STR("modules")))
            return true;
    }
    return false;
}

static bool is_root(const struct walk *w, const struct found *found)
{
    const struct outline *o = &found->outline;
    if (o->has_backend || o->has_state || o->has_lock || o->has_data_dir)
        return true;
    if (w->ncalled &&
        bsearch(&found->path, w->called, w->ncalled, sizeof *w->called, str_compare_qsort))
        return false;
    return !below_modules(w->top, found->path);
}

static int by_path(const void *a, const void *b)
{
    return str_compare(((const struct found *)a)->path, ((const struct found *)b)->path);
}

bool roots_find(struct arena *arena, struct str top, struct roots *ret, struct err *err)
{
    struct walk w = {.arena = arena, .top = pathname_clean(arena, top)};
    if (!w.top.ptr)
        return arena_full(arena, err);
    struct str dir = w.top;
    if (!visit(&w, dir, err))
        return false;
    while (w.ntodo) {
        dir = w.todo[--w.ntodo];
        if (!visit(&w, dir, err))
            return false;
    }
    if (w.ncalled)
        qsort(w.called, w.ncalled, sizeof *w.called, str_compare_qsort);
    if (w.nfound)
        qsort(w.found, w.nfound, sizeof *w.found, by_path);
    struct root *roots = arena_new(arena, struct root, w.nfound);
    if (!roots)
        return arena_full(arena, err);
    size_t n = 0;
    for (size_t i = 0; i < w.nfound; i++)
        if (is_root(&w, &w.found[i]))
            roots[n++] = (struct root){w.found[i].path, w.found[i].outline.first_file};
    *ret = (struct roots){roots, n};
    return true;
}

bool roots_is_module(const char *dir, struct str *ret_first_file, struct arena *arena)
{
    AUTO_ARENA scratch = {.limit = 256 << 20};
    struct str *names = NULL;
    size_t n = 0;
    struct outline outline;
    if (!io_list_dir(&scratch, dir, OUTLINE_NAMES_MAX, &names, &n, NULL) ||
        !outline_names(&scratch, names, n, &outline, NULL) || !outline_is_code(&outline))
        return false;
    *ret_first_file = arena_dup(arena, outline.first_file);
    return true;
}

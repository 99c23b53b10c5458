/* gatekeeper_load.c - templates and constraints found in files and folders. */
#include "base/err.h"
#include "base/io.h"
#include "base/regex_re2.h"
#include "policy/document.h"
#include "policy/gatekeeper.h"

enum { FOLDERS_DEEP = 64, FILES_MAX = 100000 };

static bool is_document(struct str name)
{
    return str_ends(name, STR(".yaml")) || str_ends(name, STR(".yml")) ||
           str_ends(name, STR(".json"));
}

struct loader {
    struct gatekeeper *gatekeeper;
    const struct gatekeeper_load_options *options;
};

static bool add_file(const struct loader *l, struct str path, struct err *err)
{
    struct gatekeeper *g = l->gatekeeper;
    struct documents *documents = arena_new(g->arena, struct documents, 1);
    struct err why = {0};
    if (!documents)
        return arena_full(g->arena, err);
    if (!documents_read(g->arena, path, documents, &why)) {
        /* data of policies may be a list or a text */
        if (why.kind == ERR_UNSUPPORTED || (l->options->lenient && why.kind == ERR_SYNTAX))
            return true;
        *err = why;
        return false;
    }
    for (size_t i = 0; i < documents->n; i++)
        if (gatekeeper_is_part(documents->item[i].root) &&
            !gatekeeper_add(g, documents, &documents->item[i], err))
            return false;
    return true;
}

static bool add_folder(const struct loader *l, struct str path, unsigned depth_left,
                       struct err *err)
{
    struct arena *arena = l->gatekeeper->arena;
    const struct regex *ignore = l->options->ignore;
    struct str *names;
    size_t n;
    if (depth_left == 0)
        return err_set(err, ERR_LIMIT, "%.*s: folders are nested deeper than %d", STR_ARG(path),
                       FOLDERS_DEEP);
    if (!io_list_dir(arena, path.ptr, FILES_MAX, &names, &n, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        struct str below = io_join(arena, path, names[i]);
        if (!below.ptr)
            return arena_full(arena, err);
        bool passed = io_is_loop(below.ptr) || (ignore && regex_match(ignore, below, 0, NULL, 0));
        bool ok = passed                  ? true
                  : io_is_dir(below.ptr)  ? add_folder(l, below, depth_left - 1, err)
                  : is_document(names[i]) ? add_file(l, below, err)
                                          : true;
        if (!ok)
            return false;
    }
    return true;
}

bool gatekeeper_load(struct gatekeeper *gatekeeper, struct str path,
                     const struct gatekeeper_load_options *options, struct err *err)
{
    const struct loader l = {gatekeeper, options};
    struct str name = arena_dup(gatekeeper->arena, path);
    if (!name.ptr)
        return arena_full(gatekeeper->arena, err);
    return io_is_dir(name.ptr) ? add_folder(&l, name, FOLDERS_DEEP, err)
           : is_document(name) ? add_file(&l, name, err)
                               : true;
}

bool gatekeeper_has_file(const struct gatekeeper *gatekeeper, struct str file)
{
    for (size_t i = 0; i < gatekeeper->ntemplates; i++)
        if (str_equal(gatekeeper->template[i] -> at.file, file))
            return true;
    for (size_t i = 0; i < gatekeeper->nconstraints; i++)
        if (str_equal(gatekeeper->constraint[i].at.file, file))
            return true;
    return false;
}

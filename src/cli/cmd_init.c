/* cmd_init.c - `plumb init`: a first plumb.yaml for the root modules that are here. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/pathname.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/yaml_text.h"
#include "desired/roots.h"
#include "desired/stacks.h"

enum { FORCE, STDOUT, OPTION_COUNT };
static const struct option options[] = {
    [FORCE] = {.name = "force",
               .letter = 'f',
               .kind = OPTION_FLAG,
               .text = "overwrite a plumb.yaml that is there"},
    [STDOUT] = {.name = "stdout", .kind = OPTION_FLAG, .text = "print it, write nothing"},
};

/* How many of the roots stand right in `dir`. */
static size_t children(const struct roots *roots, struct str dir, struct str top)
{
    size_t n = 0;
    for (size_t i = 0; i < roots->n; i++) {
        struct str below = pathname_below(top, roots->root[i].path);
        n += str_equal(io_dirname(below), dir);
    }
    return n;
}

static bool all_environments(const struct roots *roots, struct str dir, struct str top)
{
    for (size_t i = 0; i < roots->n; i++) {
        struct str below = pathname_below(top, roots->root[i].path);
        struct str name = io_basename(below);
        if (str_equal(io_dirname(below), dir) && !stacks_environment(name, STR("")).len)
            return false;
    }
    return true;
}

static void add_stack(struct buf *out, struct str path, const char *environment)
{
    buf_printf(out, "  - path: ");
    yaml_text(out, path);
    buf_char(out, '\n');
    if (environment)
        buf_printf(out, "    environment: \"%s\"\n", environment);
}

/* Two and more roots in one folder become one glob. */
static void add_root(struct arena *arena, struct buf *out, const struct roots *roots, size_t i,
                     struct str top)
{
    struct str below = pathname_below(top, roots->root[i].path), dir = io_dirname(below);
    bool alone = children(roots, dir, top) < 2 || str_equal(below, STR("."));
    if (alone) {
        add_stack(out, below, NULL);
        return;
    }
    for (size_t k = 0; k < i; k++)
        if (str_equal(io_dirname(pathname_below(top, roots->root[k].path)), dir) &&
            !str_equal(roots->root[k].path, top))
            return; /* the glob was written with the first of them */
    struct str glob = str_equal(dir, STR(".")) ? STR("*") : io_join(arena, dir, STR("*"));
    add_stack(out, glob, all_environments(roots, dir, top) ? "{dir}" : NULL);
}

static void write_config(struct arena *arena, struct buf *out, const struct roots *roots,
                         struct str top)
{
    buf_printf(out,
               "# Which stacks plumb looks at, and how. `plumb config check` explains errors,\n"
               "# `plumb stacks` shows the result; docs/configuration.md has every key.\n"
               "version: 1\n\n");
    if (roots->n) {
        buf_printf(out, "# Each root module that a path or glob names is a stack; the first entry "
                        "that\n# matches a root counts. name, owner, workspaces, providers and "
                        "state can be given too.\nstacks:\n");
        for (size_t i = 0; i < roots->n; i++)
            add_root(arena, out, roots, i, top);
    } else {
        buf_printf(out, "# No root module was found. Each one that a path or glob names is a "
                        "stack:\n# stacks:\n#   - path: infra/*\n#     environment: \"{dir}\"\n");
    }
    buf_printf(out,
               "\n# Differences that are accepted: counted, shown with --show-ignored.\n"
               "# ignore:\n"
               "#   - address: aws_autoscaling_group.*\n"
               "#     path: desired_capacity\n"
               "#     reason: the autoscaler sets it\n"
               "#     owner: \"@platform\"\n"
               "#     expires: 2027-06-30\n"
               "\n# Provider settings that the environment does not give; secrets by reference.\n"
               "# providers:\n"
               "#   aws:\n"
               "#     region: eu-central-1\n"
               "#   postgresql:\n"
               "#     password: env:PGPASSWORD\n");
}

/* What is written must be what plumb reads. */
static bool check(struct arena *arena, struct str text, struct err *err)
{
    struct config config;
    return config_parse(arena, text, "plumb.yaml", &config, err);
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    enum { FILE_MODE = 0644 };
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    AUTO_BUF buf = {.limit = BUF_DEFAULT_LIMIT};
    struct roots roots = {0};
    struct str top = pathname_clean(&arena, in->nargs ? in->args[0] : STR("."));
    struct str path =
        top.ptr ? pathname_clean(&arena, io_join(&arena, top, STR("plumb.yaml"))) : top;
    if (!path.ptr)
        return arena_full(&arena, err);
    if (!io_is_dir(top.ptr))
        return err_set(err, ERR_IO, "%s is not a folder", top.ptr);
    if (!in->value[STDOUT].set && !in->value[FORCE].set && io_exists(path.ptr))
        return err_set(err, ERR_CONFLICT, "%s is there already; --force overwrites it", path.ptr);
    if (!roots_find(&arena, top, &roots, err))
        return false;
    write_config(&arena, &buf, &roots, top);
    if (!buf_ok(&buf, err) || !check(&arena, buf_view(&buf), err))
        return false;
    *ret_exit = 0;
    if (in->value[STDOUT].set) {
        (void)fwrite(buf.ptr, 1, buf.len, app->out);
        return true;
    }
    if (!io_write_file_atomic(path.ptr, buf_view(&buf), FILE_MODE, err))
        return false;
    (void)fprintf(app->out, "wrote %s: %zu root module%s; next: plumb stacks, plumb scan\n",
                  path.ptr, roots.n, roots.n == 1 ? "" : "s");
    return true;
}

const struct command cmd_init = {
    .name = "init",
    .usage = "plumb init [DIR] [--force] [--stdout]",
    .summary = "write plumb.yaml for the root modules below DIR",
    .help = "Root modules are found by their backend, state, lock file or .terraform, and by "
            "nobody calling them as a module. Several in one folder become one glob.",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_most = 1,
    .run = run};

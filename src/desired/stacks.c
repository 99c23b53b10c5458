/* stacks.c - arguments and plumb.yaml to roots, roots to stacks with their names and workspaces. */
#include "desired/stacks.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/glob.h"
#include "base/io.h"
#include "base/pathname.h"
#include "desired/owners.h"
#include "desired/roots.h"

/* A root on its way to being stacks. */
struct pick {
    struct str path, first_file;
    struct str state;                  /* a state file given as an argument */
    const struct config_stack *config; /* what plumb.yaml says of it, or NULL */
    bool absent;                       /* it is named, and not there */
};
/* Where a row of plumb.yaml points: as the file is reached from here, and from the root of all. */
struct row_place {
    struct str path, real;
    bool is_glob, is_module;
};
struct finder {
    struct arena *arena;
    const struct stacks_query *query;
    const struct config *config;
    const struct row_place *rows; /* of config->stacks; asked for arguments only */
    struct pick *picks;
    size_t npicks, picks_room;
    struct stack *stacks;
    size_t nstacks, stacks_room;
    struct owners owners;
    struct str absent, twice;
};

/* --- Terragrunt --- */

/* What it runs is a copy, HASH/HASH below this folder of the unit: the stack is the unit. */
static const struct str copies = STR_INIT("/.terragrunt-cache/");

static struct str unit_of(struct str real)
{
    size_t at = str_find(real, copies, 0);
    return at == SIZE_MAX ? real : at == 0 ? STR("/") : str_sub(real, 0, at);
}

static bool is_copy(const char *dir)
{
    char real[PATH_MAX];
    return realpath(dir, real) && str_find(str_from(real), copies, 0) != SIZE_MAX;
}

/* --- plumb.yaml --- */

/* One that was copied with the code says where nothing is any more: the unit's own counts. */
struct str config_find(struct arena *arena, struct str from)
{
    enum { LEVELS_MAX = 256 };
    struct str dir = pathname_clean(arena, from);
    for (int i = 0; i < LEVELS_MAX && dir.ptr; i++) {
        struct stat here, above;
        struct str file = pathname_clean(arena, io_join(arena, dir, STR("plumb.yaml")));
        if (!file.ptr || (io_exists(file.ptr) && !is_copy(dir.ptr)))
            return file;
        struct str up = io_join(arena, dir, STR(".."));
        if (!up.ptr || stat(dir.ptr, &here) < 0 || stat(up.ptr, &above) < 0 ||
            (here.st_dev == above.st_dev && here.st_ino == above.st_ino))
            break;
        dir = str_equal(dir, STR(".")) ? STR("..") : up;
    }
    return (struct str){0};
}

bool config_load(struct arena *arena, const char *path, struct config *ret, struct err *err)
{
    struct str text;
    return io_read_file(arena, path, CONFIG_BYTES_MAX, &text, err) &&
           config_parse(arena, text, path, ret, err);
}

/* Where the paths of a row start. */
static struct str root_of(const struct config *config, const struct config_stack *row)
{
    return row && row->root.len ? row->root : config->root;
}

/* With links followed, of a copy the unit's; as it is where there is nothing. */
static struct str real_path(struct arena *arena, struct str path)
{
    char real[PATH_MAX];
    struct str kept = arena_dup(arena, path);
    return kept.ptr && realpath(kept.ptr, real) ? arena_dup(arena, unit_of(str_from(real)))
                                                : pathname_clean(arena, path);
}

static bool place_rows(struct finder *f, struct err *err)
{
    const struct config *config = f->config;
    struct row_place *rows = arena_new(f->arena, struct row_place, config->nstacks);
    struct str first;
    for (size_t i = 0; rows && i < config->nstacks; i++) {
        struct row_place *row = &rows[i];
        struct str path = config->stacks[i].path, at = root_of(config, &config->stacks[i]);
        struct str root = real_path(f->arena, at);
        row->is_glob = glob_is_pattern(path);
        row->path = pathname_clean(f->arena, io_join(f->arena, at, path));
        row->real = pathname_clean(f->arena, io_join(f->arena, root, path));
        if (row->real.ptr && !row->is_glob)
            row->real = real_path(f->arena, row->real);
        if (!row->path.ptr || !row->real.ptr)
            return arena_full(f->arena, err);
        row->is_module = !row->is_glob && roots_is_module(row->path.ptr, &first, f->arena);
    }
    f->rows = rows;
    return rows || arena_full(f->arena, err);
}

static bool in_row(const struct row_place *row, struct str row_path, struct str path)
{
    if (row->is_glob)
        return glob_match(row_path, path, '/');
    return row->is_module ? str_equal(row_path, path) : pathname_below(row_path, path).ptr != NULL;
}

/* Is the folder in what the row names, by whatever path either is reached? */
static bool row_covers(const struct row_place *row, struct str path, struct str real)
{
    return in_row(row, row->path, path) || in_row(row, row->real, real);
}

static bool any_row_covers(struct finder *f, struct str dir)
{
    struct str path = pathname_clean(f->arena, dir), real = real_path(f->arena, dir);
    for (size_t i = 0; path.ptr && real.ptr && i < f->config->nstacks; i++)
        if (row_covers(&f->rows[i], path, real))
            return true;
    return false;
}

/* plumb.yaml above the folder that is asked for, else the one here, if it names that folder. */
static bool load_config(struct finder *f, struct err *err)
{
    struct str given = f->query->config_file;
    struct str from = f->query->ndirs ? f->query->dirs[0] : STR(".");
    struct config *config = arena_new(f->arena, struct config, 1);
    bool elsewhere = false;
    if (!config)
        return arena_full(f->arena, err);
    f->config = f->query->config;
    if (f->config || str_equal(given, STR("-")))
        return true;
    if (!given.len) {
        struct str start = arena_dup(f->arena, from);
        bool is_dir = start.ptr && io_is_dir(start.ptr);
        given = is_dir ? config_find(f->arena, from) : given;
        elsewhere = is_dir && !given.len;
        if (!given.len)
            given = config_find(f->arena, STR("."));
    }
    if (!given.len)
        return true;
    struct str path = arena_dup(f->arena, given);
    if (!path.ptr || !config_load(f->arena, path.ptr, config, err))
        return path.ptr ? false : arena_full(f->arena, err);
    f->config = config;
    if (f->query->ndirs || f->query->state.len) {
        if (!place_rows(f, err))
            return false;
        if (elsewhere && !any_row_covers(f, from))
            f->config = NULL;
    }
    return true;
}

/* --- roots --- */

static bool add_pick(struct finder *f, struct pick pick, struct err *err)
{
    if (f->npicks == STACKS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d stacks", STACKS_MAX);
    f->picks = arena_grow(f->arena, f->picks, f->npicks, &f->picks_room, f->npicks + 1);
    if (!f->picks)
        return arena_full(f->arena, err);
    f->picks[f->npicks++] = pick;
    return true;
}

/* The folder that a glob starts from: its parts before the first with a `*` or `?`. */
static struct str literal_prefix(struct str pattern)
{
    size_t end = 0;
    for (size_t i = 0; i < pattern.len; i++) {
        if (pattern.ptr[i] == '/')
            end = i;
        if (pattern.ptr[i] == '*' || pattern.ptr[i] == '?')
            return end                             ? str_sub(pattern, 0, end)
                   : str_starts(pattern, STR("/")) ? STR("/")
                                                   : STR(".");
    }
    return pattern;
}

/* Roots of a glob or of a folder that is not a root itself; how many is told by npicks. */
static bool add_matching(struct finder *f, struct str pattern, const struct config_stack *config,
                         struct err *err)
{
    bool is_glob = glob_is_pattern(pattern);
    struct str clean = pathname_clean(f->arena, pattern);
    struct str top = is_glob ? literal_prefix(clean) : clean;
    struct roots roots = {0};
    if (!clean.ptr || !(top = arena_dup(f->arena, top)).ptr)
        return arena_full(f->arena, err);
    if (!io_is_dir(top.ptr))
        return true;
    if (!roots_find(f->arena, top, &roots, err))
        return false;
    for (size_t i = 0; i < roots.n; i++) {
        const struct root *root = &roots.root[i];
        if ((!is_glob || glob_match(clean, root->path, '/')) &&
            !add_pick(f, (struct pick){root->path, root->first_file, STR(""), config}, err))
            return false;
    }
    return true;
}

/* One path: exactly this folder if there is code in it, else what is below. */
static bool add_path(struct finder *f, struct str path, const struct config_stack *config,
                     struct err *err)
{
    struct str clean = pathname_clean(f->arena, path), first = STR("");
    if (!clean.ptr)
        return arena_full(f->arena, err);
    if (!glob_is_pattern(path) && io_is_dir(clean.ptr) &&
        roots_is_module(clean.ptr, &first, f->arena))
        return add_pick(f, (struct pick){clean, first, STR(""), config}, err);
    return add_matching(f, path, config, err);
}

/* A row that finds nothing. Code of another repository is the service's, which has a clone: it may
 * be on its way. */
static bool add_absent(struct finder *f, const struct config_stack *row, struct str path,
                       struct err *err)
{
    if (row->repository.len || row->root.len)
        return true;
    struct str text =
        arena_printf(f->arena, "%.*s:%u:%u: no root module in %.*s", STR_ARG(f->config->path),
                     row->place.line, row->place.column, STR_ARG(row->path));
    if (!text.ptr)
        return arena_full(f->arena, err);
    if (!f->query->none_is_fine)
        return err_set(err, ERR_USAGE, "%.*s", STR_ARG(text));
    if (!f->absent.len)
        f->absent = text;
    return glob_is_pattern(row->path) ||
           add_pick(f, (struct pick){pathname_clean(f->arena, path), STR(""), STR(""), row, true},
                    err);
}

static bool add_config_stacks(struct finder *f, struct err *err)
{
    const struct config *config = f->config;
    if (!config->nstacks)
        return add_matching(f, config->root, NULL, err);
    for (size_t i = 0; i < config->nstacks; i++) {
        const struct config_stack *stack = &config->stacks[i];
        size_t before = f->npicks;
        struct str path = io_join(f->arena, root_of(config, stack), stack->path);
        if (!path.ptr)
            return arena_full(f->arena, err);
        if (!add_path(f, path, stack, err))
            return false;
        if (f->npicks == before && (stack->state.len || stack->snapshot.len) &&
            !glob_is_pattern(stack->path) &&
            !add_pick(f, (struct pick){pathname_clean(f->arena, path), STR(""), STR(""), stack},
                      err))
            return false;
        if (f->npicks == before && !add_absent(f, stack, path, err))
            return false;
    }
    return true;
}

/* As a scan of everything has it: a stack for each row that covers the folder. */
static bool give_config(struct finder *f, size_t from, struct err *err)
{
    size_t end = f->npicks;
    for (size_t i = from; f->config && i < end; i++) {
        struct pick pick = f->picks[i];
        struct str real = real_path(f->arena, pick.path);
        if (pick.config)
            continue;
        if (!real.ptr)
            return arena_full(f->arena, err);
        for (size_t k = 0; k < f->config->nstacks; k++) {
            if (!row_covers(&f->rows[k], pick.path, real))
                continue;
            pick.config = &f->config->stacks[k];
            if (!f->picks[i].config)
                f->picks[i].config = pick.config;
            else if (!add_pick(f, pick, err))
                return false;
        }
    }
    return true;
}

/* A folder without code, of which plumb.yaml knows a state or a document of live values. */
static bool add_codeless(struct finder *f, struct str clean, struct err *err)
{
    struct str real = real_path(f->arena, clean);
    for (size_t i = 0; f->config && real.ptr && i < f->config->nstacks; i++) {
        const struct config_stack *row = &f->config->stacks[i];
        if ((row->state.len || row->snapshot.len) && !f->rows[i].is_glob &&
            str_equal(f->rows[i].real, real) &&
            !add_pick(f, (struct pick){clean, STR(""), STR(""), row}, err))
            return false;
    }
    return real.ptr || arena_full(f->arena, err);
}

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

static bool nothing_there(const struct finder *f, struct str arg, struct err *err)
{
    struct str clean = pathname_clean(f->arena, arg);
    if (!glob_is_pattern(arg) && clean.ptr && !io_exists(clean.ptr))
        return err_set(
            err, ERR_IO, "%.*s: no such folder or file%s", STR_ARG(arg),
            f->config && f->config->nstacks ? ", and no stack of plumb.yaml has that name" : "");
    return err_set(err, ERR_USAGE,
                   "%.*s: no root module here (a folder with *.tf, *.tf.json, *.tofu, "
                   "terraform.tfstate or .terraform)",
                   STR_ARG(arg));
}

/* An argument: a state file, a folder or glob. What matches nothing may still be a stack's name. */
static bool add_argument(struct finder *f, struct str arg, bool *ret_found, struct err *err)
{
    size_t before = f->npicks;
    struct str path = arena_dup(f->arena, arg);
    if (!path.ptr)
        return arena_full(f->arena, err);
    if (is_file(path.ptr)) {
        struct str dir = pathname_clean(f->arena, io_dirname(arg));
        *ret_found = true;
        return add_pick(f, (struct pick){dir, STR(""), path, NULL}, err);
    }
    struct str clean = pathname_clean(f->arena, arg);
    struct str root = f->config ? pathname_clean(f->arena, f->config->root) : STR("");
    if (f->config && clean.ptr && root.ptr && str_equal(clean, root) && f->config->nstacks) {
        if (!add_config_stacks(f, err))
            return false;
    } else if (!add_path(f, arg, NULL, err)) {
        return false;
    }
    if (!give_config(f, before, err) ||
        (f->npicks == before && io_is_dir(path.ptr) && !add_codeless(f, clean, err)))
        return false;
    *ret_found = f->npicks > before;
    return true;
}

/* --- workspaces --- */

static struct str environment_value(const struct finder *f, const char *name)
{
    return str_from(f->query->env ? f->query->env(name) : NULL);
}

static struct str selected_workspace(const struct finder *f, struct str path, struct str data_dir)
{
    enum { NAME_MAX_BYTES = 4096 };
    struct str chosen = environment_value(f, "TF_WORKSPACE"), text;
    if (chosen.len)
        return arena_dup(f->arena, chosen);
    struct str dir = io_join(f->arena, path, data_dir);
    struct str file = dir.ptr ? io_join(f->arena, dir, STR("environment")) : dir;
    if (file.ptr && io_exists(file.ptr) &&
        io_read_file(f->arena, file.ptr, NAME_MAX_BYTES, &text, NULL) && str_trim(text).len)
        return str_trim(text);
    return STR("default");
}

/* "*": default where it has a state or nothing else has, and terraform.tfstate.d's folders. */
static bool found_workspaces(struct finder *f, struct str path, struct str **ret, size_t *ret_n,
                             struct err *err)
{
    struct str dir = io_join(f->arena, path, STR("terraform.tfstate.d"));
    struct str state = io_join(f->arena, path, STR("terraform.tfstate"));
    struct str *names = NULL;
    size_t n = 0, kept = 0;
    if (!dir.ptr || !state.ptr)
        return arena_full(f->arena, err);
    if (io_is_dir(dir.ptr) && !io_list_dir(f->arena, dir.ptr, STACKS_MAX, &names, &n, err))
        return false;
    struct str *all = arena_new(f->arena, struct str, n + 1);
    if (!all)
        return arena_full(f->arena, err);
    if (io_exists(state.ptr) || n == 0)
        all[kept++] = STR("default");
    for (size_t i = 0; i < n; i++) {
        struct str one = io_join(f->arena, dir, names[i]);
        if (one.ptr && io_is_dir(one.ptr))
            all[kept++] = names[i];
    }
    *ret = all;
    *ret_n = kept;
    return true;
}

/* --- stacks --- */

/* Where names start: plumb.yaml's folder, the repository, or the working directory. */
static struct str name_base(struct finder *f, const struct config_stack *row, const char *real)
{
    char base[PATH_MAX];
    if (f->config) {
        struct str root = arena_dup(f->arena, root_of(f->config, row));
        return root.ptr && realpath(root.ptr, base) ? arena_dup(f->arena, str_from(base)) : root;
    }
    struct str repository = owners_repository(f->arena, str_from(real));
    if (repository.len)
        return repository;
    return realpath(".", base) ? arena_dup(f->arena, str_from(base)) : STR("/");
}

/* The root's (or state file's) path below the base; its own last part where it stands elsewhere. */
static struct str relative_path(struct finder *f, const struct pick *pick, struct str *ret_base)
{
    char real[PATH_MAX];
    const char *path = pick->state.len ? pick->state.ptr : pick->path.ptr;
    if (!realpath(path, real)) {
        *ret_base = STR("");
        return pick->path;
    }
    *ret_base = name_base(f, pick->config, real);
    struct str full = arena_dup(f->arena, unit_of(str_from(real)));
    struct str below = full.ptr ? pathname_below(*ret_base, full) : full;
    return below.ptr ? below : io_basename(full);
}

static const struct str environments[] = {
    STR_INIT("prod"),        STR_INIT("production"), STR_INIT("staging"),
    STR_INIT("stage"),       STR_INIT("dev"),        STR_INIT("devel"),
    STR_INIT("development"), STR_INIT("test"),       STR_INIT("testing"),
    STR_INIT("qa"),          STR_INIT("uat"),        STR_INIT("preprod"),
    STR_INIT("sandbox"),     STR_INIT("demo"),       STR_INIT("preproduction"),
    STR_INIT("integration")};

static bool is_environment(struct str word)
{
    for (size_t i = 0; i < sizeof environments / sizeof *environments; i++)
        if (str_equal(word, environments[i]))
            return true;
    return false;
}

struct str stacks_environment(struct str path, struct str workspace)
{
    struct str part, found = STR("");
    bool more = path.len > 0;
    if (is_environment(workspace))
        return workspace;
    while (more) {
        more = str_cut(&path, '/', &part);
        if (is_environment(part))
            found = part;
    }
    return found;
}

static struct str stack_name(struct finder *f, const struct pick *pick,
                             const struct config_template *words)
{
    struct str pattern = pick->config ? pick->config->name : STR("");
    struct str name = pattern.len ? config_expand(f->arena, pattern, words) : words->path;
    bool has_workspace = str_find(pattern, STR("{workspace}"), 0) != SIZE_MAX;
    if (has_workspace || str_equal(words->workspace, STR("default")) || !name.ptr)
        return name;
    return arena_printf(f->arena, "%.*s:%.*s", STR_ARG(name), STR_ARG(words->workspace));
}

static bool give_providers(struct finder *f, const struct pick *pick, struct stack *stack,
                           struct err *err)
{
    size_t own = pick->config ? pick->config->nproviders : 0;
    size_t shared = f->config ? f->config->nproviders : 0;
    struct config_provider *all = arena_new(f->arena, struct config_provider, own + shared);
    if (!all)
        return arena_full(f->arena, err);
    for (size_t i = 0; i < own; i++)
        all[i] = pick->config->providers[i];
    for (size_t i = 0; i < shared; i++)
        all[own + i] = f->config->providers[i];
    stack->providers = all;
    stack->nproviders = own + shared;
    return true;
}

/* What plumb.yaml names is relative to it; a URL stays as it is. */
static struct str config_path(struct finder *f, const struct config_stack *row, struct str path)
{
    if (!path.len || str_find(path, STR("://"), 0) != SIZE_MAX)
        return path;
    struct str joined = io_join(f->arena, root_of(f->config, row), path);
    return joined.ptr ? pathname_clean(f->arena, joined) : joined;
}

static struct str expand_or(struct finder *f, struct str pattern,
                            const struct config_template *words, struct str otherwise)
{
    return pattern.len ? config_expand(f->arena, pattern, words) : otherwise;
}

static bool add_stack(struct finder *f, const struct pick *pick, struct str workspace,
                      struct str data_dir, struct err *err)
{
    static const struct config_stack nothing;
    const struct config_stack *config = pick->config ? pick->config : &nothing;
    struct str base, relative = relative_path(f, pick, &base);
    struct config_template words = {relative, workspace};
    struct stack stack = {.path = pick->path,
                          .absent = pick->absent,
                          .workspace = workspace,
                          .data_dir = data_dir,
                          .schedule = config->schedule,
                          .state = f->query->state.len ? f->query->state
                                   : pick->state.len   ? pick->state
                                                       : config_path(f, config, config->state),
                          .snapshot = config_path(f, config, config->snapshot),
                          .files = config_path(f, config, config->files)};
    struct str owner = STR("");
    if (!config->owner.len &&
        !owners_find(f->arena, &f->owners, base, relative, pick->first_file, &owner, err))
        return false;
    stack.name = stack_name(f, pick, &words);
    stack.environment =
        expand_or(f, config->environment, &words, stacks_environment(relative, workspace));
    stack.owner = expand_or(f, config->owner, &words, owner);
    for (size_t i = 0; i < f->nstacks; i++)
        if (str_equal(f->stacks[i].path, stack.path) &&
            str_equal(f->stacks[i].workspace, workspace) &&
            str_equal(f->stacks[i].state, stack.state))
            return true; /* named twice: the first one counts */
    f->stacks = arena_grow(f->arena, f->stacks, f->nstacks, &f->stacks_room, f->nstacks + 1);
    if (!f->stacks || !stack.name.ptr || !stack.path.ptr)
        return arena_full(f->arena, err);
    if (!give_providers(f, pick, &stack, err))
        return false;
    f->stacks[f->nstacks++] = stack;
    return true;
}

static bool add_stacks(struct finder *f, const struct pick *pick, struct err *err)
{
    const struct str *names = f->query->workspaces;
    size_t n = f->query->nworkspaces;
    struct str data_dir = environment_value(f, "TF_DATA_DIR");
    data_dir = data_dir.len ? arena_dup(f->arena, data_dir) : STR(".terraform");
    struct str selected =
        pick->state.len ? STR("default") : selected_workspace(f, pick->path, data_dir);
    if (!n && pick->config && pick->config->nworkspaces) {
        names = pick->config->workspaces;
        n = pick->config->nworkspaces;
    }
    if (!n || pick->state.len) {
        names = &selected;
        n = 1;
    }
    for (size_t i = 0; i < n; i++) {
        struct str *all = NULL;
        size_t nall = 0;
        if (!str_equal(names[i], STR("*"))) {
            if (!add_stack(f, pick, names[i], data_dir, err))
                return false;
            continue;
        }
        if (!found_workspaces(f, pick->path, &all, &nall, err))
            return false;
        for (size_t k = 0; k < nall; k++)
            if (!add_stack(f, pick, all[k], data_dir, err))
                return false;
    }
    return true;
}

/* --- all together --- */

static int by_name(const void *a, const void *b)
{
    const struct stack *left = a, *right = b;
    int order = str_compare(left->name, right->name);
    return order ? order : str_compare(left->path, right->path);
}

static bool make_stacks(struct finder *f, size_t from, struct err *err)
{
    for (size_t i = from; i < f->npicks; i++)
        if (!add_stacks(f, &f->picks[i], err))
            return false;
    return true;
}

/* Arguments that named nothing on disk: names of plumb.yaml's stacks, or globs over them. */
static bool add_named(struct finder *f, const struct str *names, size_t n, struct err *err)
{
    struct finder all = {.arena = f->arena, .query = f->query, .config = f->config};
    if (n && (!f->config || !f->config->nstacks))
        return nothing_there(f, names[0], err);
    if (n && (!add_config_stacks(&all, err) || !make_stacks(&all, 0, err)))
        return false;
    for (size_t i = 0; i < n; i++) {
        bool found = false;
        for (size_t k = 0; k < all.nstacks; k++) {
            if (!glob_match(names[i], all.stacks[k].name, '\0'))
                continue;
            found = true;
            f->stacks =
                arena_grow(f->arena, f->stacks, f->nstacks, &f->stacks_room, f->nstacks + 1);
            if (!f->stacks)
                return arena_full(f->arena, err);
            f->stacks[f->nstacks++] = all.stacks[k];
        }
        if (!found)
            return nothing_there(f, names[i], err);
    }
    return true;
}

/* --state FILE [DIR] */
static bool pick_given_state(struct finder *f, struct err *err)
{
    struct str dir = f->query->ndirs ? f->query->dirs[0] : STR("."), first = STR("");
    struct str clean = pathname_clean(f->arena, dir);
    if (!clean.ptr)
        return arena_full(f->arena, err);
    if (f->query->ndirs > 1 || !io_is_dir(clean.ptr))
        return err_set(err, ERR_USAGE, "a given state is for one folder");
    (void)roots_is_module(clean.ptr, &first, f->arena);
    if (!add_pick(f, (struct pick){clean, first, STR(""), NULL}, err))
        return false;
    return give_config(f, 0, err) && make_stacks(f, 0, err);
}

static bool pick_all(struct finder *f, struct err *err)
{
    const struct stacks_query *query = f->query;
    struct str *names = arena_new(f->arena, struct str, query->ndirs);
    size_t nnames = 0;
    if (!names)
        return arena_full(f->arena, err);
    if (!query->ndirs && f->config && !add_config_stacks(f, err))
        return false;
    if (!query->ndirs && !f->config && !add_path(f, STR("."), NULL, err))
        return false;
    if (!query->ndirs && !f->npicks)
        return query->none_is_fine || nothing_there(f, STR("."), err);
    for (size_t i = 0; i < query->ndirs; i++) {
        bool found = false;
        if (!add_argument(f, query->dirs[i], &found, err))
            return false;
        if (!found)
            names[nnames++] = query->dirs[i];
    }
    return make_stacks(f, 0, err) && add_named(f, names, nnames, err);
}

/* Which of them a finding would be of, nobody could say: none of them is scanned. */
static bool refuse_twice(struct finder *f, struct stack *first, const struct stack *other,
                         struct err *err)
{
    if (first->twice.len)
        return true;
    first->twice = arena_printf(
        f->arena,
        "two stacks are named %.*s: %.*s and %.*s; give one of them another name in plumb.yaml",
        STR_ARG(first->name), STR_ARG(first->path), STR_ARG(other->path));
    if (!first->twice.ptr)
        return arena_full(f->arena, err);
    if (!f->twice.len)
        f->twice = first->twice;
    return f->query->twice_is_fine || err_set(err, ERR_CONFLICT, "%.*s", STR_ARG(first->twice));
}

static bool sort_unique(struct finder *f, struct err *err)
{
    size_t n = 0;
    if (f->nstacks)
        qsort(f->stacks, f->nstacks, sizeof *f->stacks, by_name);
    for (size_t i = 0; i < f->nstacks; i++) {
        const struct stack *one = &f->stacks[i];
        struct stack *last = n ? &f->stacks[n - 1] : NULL;
        if (last && str_equal(last->name, one->name) && str_equal(last->path, one->path) &&
            str_equal(last->workspace, one->workspace) && str_equal(last->state, one->state))
            continue;
        if (!last || !str_equal(last->name, one->name))
            f->stacks[n++] = *one;
        else if (!refuse_twice(f, last, one, err))
            return false;
    }
    f->nstacks = n;
    return true;
}

bool stacks_find(struct arena *arena, const struct stacks_query *query, struct stacks *ret,
                 struct err *err)
{
    struct finder f = {.arena = arena, .query = query};
    if (!load_config(&f, err) ||
        !(query->state.len ? pick_given_state(&f, err) : pick_all(&f, err)) ||
        !sort_unique(&f, err))
        return false;
    *ret = (struct stacks){f.stacks, f.nstacks, f.config, f.absent, f.twice};
    return true;
}

static int by_name_alone(const void *a, const void *b)
{
    const struct stack *left = a, *right = b;
    return str_compare(left->name, right->name);
}

static bool is_same(struct arena *arena, const struct stack *a, const struct stack *b)
{
    struct str x = real_path(arena, a->path), y = real_path(arena, b->path);
    return str_equal(x, y) && str_equal(a->workspace, b->workspace);
}

bool stacks_stand_alone(struct arena *arena, const struct stacks_query *query,
                        const struct stacks *found, struct err *err)
{
    struct stacks all = {0};
    const struct stacks_query whole = {.config = found->config,
                                       .workspaces = query->workspaces,
                                       .nworkspaces = query->nworkspaces,
                                       .env = query->env,
                                       .none_is_fine = true,
                                       .twice_is_fine = true};
    size_t named = 0;
    for (size_t i = 0; found->config && i < found->config->nstacks; i++)
        named += found->config->stacks[i].name.len > 0; /* others are called by their paths */
    if (!named || (!query->ndirs && !query->state.len) || !stacks_find(arena, &whole, &all, NULL))
        return true;
    struct finder f = {.arena = arena, .query = query};
    for (size_t i = 0; all.n && i < found->n; i++) {
        struct stack one = found->stack[i];
        const struct stack *other = bsearch(&one, all.stack, all.n, sizeof one, by_name_alone);
        if (other && other->twice.len)
            return err_set(err, ERR_CONFLICT, "%.*s", STR_ARG(other->twice));
        if (other && !is_same(arena, &one, other) && !refuse_twice(&f, &one, other, err))
            return false;
    }
    return true;
}

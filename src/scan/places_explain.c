/* places_explain.c - other versions of the code, evaluated: which of them asks for what is live? */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/pathname.h"
#include "drift/cursor.h"
#include "drift/normalise.h"
#include "scan/places_parts.h"

enum {
    EXPLAIN_MS = 10000,
    BRANCHES = 30,
    COMMITS = 20,
    DAYS = 180,
    FILES_MAX = 200,  /* of which the history is asked */
    MATCHES_MAX = 50, /* of one change */
    DAY_MS = 24 * 60 * 60 * 1000
};

/* A change, or a whole resource (change NULL), that another version may explain. */
struct subject {
    struct finding *finding;
    struct change *change;
    struct explanation *match;
    size_t nmatches, room;
    bool done; /* the newest commit is found: older ones say no more */
};

struct explaining {
    struct places *places;
    struct git *git;
    struct subject *subject;
    size_t n, room;
    int64_t deadline_ms;
    struct str files[FILES_MAX]; /* relative to the repository; where the values are decided */
    size_t nfiles;
};

/* --- another version of the code --- */

/* What code_open is given for it: our texts, and everything else as for the code itself. */
struct version {
    struct places *places;
    const struct code_options *outer;
    struct git_tree *tree;
    struct code *code;
};

static const char *version_env(void *ctx, const char *name)
{
    const struct code_options *outer = ((struct version *)ctx)->outer;
    return outer->env(outer->ctx, name);
}

static const struct schema *version_schema(void *ctx, struct str provider, enum code_mode mode,
                                           struct str type)
{
    const struct code_options *outer = ((struct version *)ctx)->outer;
    return outer->schema(outer->ctx, provider, mode, type);
}

static const struct schema *version_config_schema(void *ctx, struct str provider)
{
    const struct code_options *outer = ((struct version *)ctx)->outer;
    return outer->provider_config_schema(outer->ctx, provider);
}

static bool version_state(void *ctx, struct str address, struct value *ret)
{
    const struct code_options *outer = ((struct version *)ctx)->outer;
    return outer->state(outer->ctx, address, ret);
}

/* Absolute, as git's trees want it. */
static struct str absolute(struct places *places, struct str path)
{
    return path.len && path.ptr[0] != '/' ? io_join(places->arena, places->cwd, path) : path;
}

static bool version_read(void *ctx, struct str path, struct str *ret)
{
    struct version *version = ctx;
    struct str full = absolute(version->places, path);
    return full.ptr && git_tree_read(version->tree, full, ret);
}

static bool version_list(void *ctx, struct str dir, const struct str **ret_names, size_t *ret_n)
{
    struct version *version = ctx;
    struct str full = absolute(version->places, dir);
    return full.ptr && git_tree_list(version->tree, full, ret_names, ret_n);
}

/* False: it cannot be evaluated, and explains nothing. */
static bool open_version(struct places *places, struct git_tree *tree, struct version *ret)
{
    const struct code_options *outer = places->options.code_options;
    struct code_options options = *outer;
    struct err ignored = {0};
    *ret = (struct version){.places = places, .outer = outer, .tree = tree};
    options.root_dir = places->root;
    options.repo_dir = git_root(places->own->git);
    options.env = outer->env ? version_env : NULL;
    options.schema = outer->schema ? version_schema : NULL;
    options.provider_config_schema = outer->provider_config_schema ? version_config_schema : NULL;
    options.state = outer->state ? version_state : NULL;
    options.call_function = NULL; /* no provider is started for a guess */
    options.read = version_read;
    options.list = version_list;
    options.ctx = ret;
    /* not evaluated as a whole: what is asked for is, when it is */
    return tree && code_open(&options, &ret->code, &ignored);
}

static void close_version(struct version *version)
{
    if (version->code)
        code_close(version->code);
    version->code = NULL;
}

/* --- does it ask for what is live? --- */

static bool is_nothing(const struct value *v)
{
    return !v || v->kind == VALUE_NULL;
}

/* Elements of a set have no index: the whole set is looked through. */
static bool element_matches(const struct cursor *at, const struct value *set,
                            const struct change *change)
{
    const struct value *wanted = change->after ? change->after : change->before;
    bool found = false;
    if (!wanted || !set || !value_is_list_like(set) || value_any_unknown(set))
        return false;
    struct cursor element = cursor_element(at);
    for (uint32_t i = 0; i < set->len && !found; i++)
        found = value_equal(&set->items[i], wanted) ||
                normalise_place(&element, &set->items[i], wanted) != NULL;
    return found == (change->after != NULL);
}

static bool change_matches(struct arena *arena, const struct code_instance *instance,
                           const struct change *change)
{
    struct path path;
    bool element;
    if (!instance || instance->failed || !places_path(arena, change->path, &path, &element))
        return false;
    const struct value *value = path_find(&instance->config, path);
    struct cursor at = cursor_follow(cursor_root(instance->schema), path);
    if (value && value_any_sensitive(value))
        return false;
    if (element)
        return element_matches(&at, value, change);
    if (is_nothing(value) || is_nothing(change->after))
        return is_nothing(value) && is_nothing(change->after);
    return !value_any_unknown(value) && (value_equal(value, change->after) ||
                                         normalise_place(&at, value, change->after) != NULL);
}

/* Errors in the code may hide an instance; then nothing is known of it. */
static bool evaluated_whole(const struct code *code)
{
    const struct hcl_diags *diags = code_diags(code);
    for (size_t i = 0; i < diags->n; i++)
        if (!diags->diag[i].warning)
            return false;
    return true;
}

static bool subject_matches(struct arena *arena, const struct subject *subject, struct code *code,
                            struct code *now)
{
    struct str address = subject->finding->address;
    const struct code_instance *there = places_instance(code, address);
    if (subject->change)
        return change_matches(arena, there, subject->change);
    /* what is missing is explained by code without it; what is too much by code with it */
    bool wanted = subject->finding->class_ != CLASS_MISSING;
    if (!there && !evaluated_whole(code))
        return false;
    return (there != NULL) == wanted && (places_instance(now, address) != NULL) != wanted;
}

/* --- what is to be explained --- */

static bool add_subject(struct explaining *in, struct finding *finding, struct change *change)
{
    struct arena *arena = in->places->arena;
    in->subject = arena_grow(arena, in->subject, in->n, &in->room, in->n + 1);
    if (!in->subject)
        return false;
    in->subject[in->n++] = (struct subject){.finding = finding, .change = change};
    return true;
}

static bool hides(const struct change *change)
{
    return change->sensitive || (change->before && value_any_sensitive(change->before)) ||
           (change->after && value_any_sensitive(change->after));
}

/* Changes that code decides and that it does not already ask for; of unread resources nothing. */
static bool add_finding(struct explaining *in, struct finding *finding)
{
    struct code *code = in->places->options.code;
    struct arena *arena = in->places->arena;
    if (finding->class_ == CLASS_UNCHECKED || finding->class_ == CLASS_STATE_ONLY ||
        finding->ignored || finding->deposed)
        return true;
    if (!finding->nchanges)
        return add_subject(in, finding, NULL);
    const struct code_instance *instance = places_instance(code, finding->address);
    struct change *changes = arena_new(arena, struct change, finding->nchanges);
    if (!changes)
        return false;
    memcpy(changes, finding->changes, finding->nchanges * sizeof *changes);
    finding->changes = changes;
    for (size_t i = 0; i < finding->nchanges; i++) {
        bool asked = changes[i].configurable && !changes[i].ignored_by.len && !hides(&changes[i]) &&
                     !change_matches(arena, instance, &changes[i]);
        if (asked && !add_subject(in, finding, &changes[i]))
            return false;
    }
    return true;
}

static void add_file(struct explaining *in, struct str path)
{
    for (size_t i = 0; i < in->nfiles; i++)
        if (str_equal(in->files[i], path))
            return;
    if (in->nfiles < FILES_MAX && path.len)
        in->files[in->nfiles++] = path;
}

/* Paths of a chain are relative to the stack's repository already; absolute ones are of others. */
static void add_files(struct explaining *in, const struct origin *origin)
{
    for (size_t i = 0; origin && i < origin->nchain; i++)
        if (!str_starts(origin->chain[i].at.file, STR("/")))
            add_file(in, origin->chain[i].at.file);
}

static bool collect(struct explaining *in, struct finding *findings, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++)
        if (!add_finding(in, &findings[i]))
            return arena_full(in->places->arena, err);
    for (size_t i = 0; i < in->n; i++) {
        const struct subject *subject = &in->subject[i];
        add_files(in, subject->finding->origin);
        add_files(in, subject->change ? subject->change->origin : NULL);
        if (!subject->finding->origin) { /* the code has nothing of it: anywhere in the stack */
            struct str folder = pathname_below(git_root(in->git), in->places->root);
            add_file(in, folder);
        }
    }
    return true;
}

static bool in_time(struct explaining *in)
{
    if (clock_monotonic_ms() <= in->deadline_ms)
        return true;
    in->places->out_of_time = true;
    return false;
}

static bool add_match(struct explaining *in, struct subject *subject, enum explanation_kind kind,
                      const struct git_version *version, struct commit commit)
{
    if (subject->nmatches == MATCHES_MAX)
        return true;
    subject->match = arena_grow(in->places->arena, subject->match, subject->nmatches,
                                &subject->room, subject->nmatches + 1);
    if (!subject->match)
        return false;
    subject->match[subject->nmatches++] =
        (struct explanation){.kind = kind, .branch = version->branch, .commit = commit};
    return true;
}

/* --- which versions are worth an evaluation --- */

/* Does a path of the repository belong to the stack's code? A folder of a module, or below it. */
static bool is_code_path(const struct explaining *in, struct str path)
{
    struct str full = io_join(in->places->arena, git_root(in->git), path);
    const struct place_files *files = &in->places->files;
    if (full.ptr && pathname_below(in->places->root, full).ptr)
        return true;
    for (size_t i = 0; full.ptr && i < files->nslots; i++)
        if (files->slot[i] && pathname_below(io_dirname(files->slot[i]->real), full).ptr)
            return true;
    return false;
}

/* The same text in both trees? Either may have the path as HEAD has it. */
static const struct git_change *find_change(const struct git_change *list, size_t n,
                                            struct str path)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (str_compare(list[mid].path, path) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low < n && str_equal(list[low].path, path) ? &list[low] : NULL;
}

/* Has a path of the code another text in one tree than in the other (NULL: HEAD)? */
static bool code_differs(const struct explaining *in, const struct git_tree *a,
                         const struct git_tree *b)
{
    size_t n[2] = {0};
    const struct git_change *list[2] = {a ? git_tree_changes(a, &n[0]) : NULL,
                                        b ? git_tree_changes(b, &n[1]) : NULL};
    for (size_t side = 0; side < 2; side++)
        for (size_t i = 0; i < n[side]; i++) {
            const struct git_change *mine = &list[side][i];
            const struct git_change *other = find_change(list[!side], n[!side], mine->path);
            if (other && str_equal(other->hash, mine->hash))
                continue;
            if (is_code_path(in, mine->path))
                return true;
        }
    return false;
}

/* --- branches --- */

/* The commit of the branch that is to be named: the last one that touched a deciding file. */
static bool name_commit(struct explaining *in, const struct git_version *branch, struct str base,
                        struct version *version, const struct subject *subject, struct commit *ret,
                        struct err *err)
{
    struct places *places = in->places;
    const struct code_instance *there =
        version->code ? places_instance(version->code, subject->finding->address) : NULL;
    struct str files[FILES_MAX + 1];
    struct code_chain chain = {0};
    struct path path;
    size_t n = in->nfiles;
    bool element, found;
    memcpy(files, in->files, n * sizeof *files);
    if (there && subject->change &&
        places_path(places->arena, subject->change->path, &path, &element) &&
        code_explain(version->code, there, path, &chain))
        for (size_t i = chain.n; i-- > 0 && n == in->nfiles;)
            if (chain.link[i].file.len) {
                const struct place_file *file = places_file(places, chain.link[i].file, err);
                if (!file)
                    return false;
                if (file->repo == places->own && file->below.len)
                    files[n++] = file->below;
            }
    *ret = branch->commit;
    struct commit commit;
    if (!git_last_commit(in->git, base, branch->hash, n > in->nfiles ? &files[in->nfiles] : files,
                         n > in->nfiles ? 1 : n, &commit, &found, err))
        return false;
    if (found)
        *ret = commit;
    return true;
}

struct fork { /* a branch and where it left HEAD */
    const struct git_version *branch;
    struct git_tree *tree, *base_tree;
    struct str base;
};

/* Did the code say the same where the branch began? Then the branch did not bring it. */
static bool base_had_it(struct explaining *in, const struct subject *subject,
                        const struct fork *fork, struct version *base, bool *base_tried)
{
    if (!*base_tried) {
        *base_tried = true;
        (void)(fork->base_tree && open_version(in->places, fork->base_tree, base));
    }
    return base->code &&
           subject_matches(in->places->arena, subject, base->code, in->places->options.code);
}

static bool try_branch(struct explaining *in, const struct fork *fork, struct err *err)
{
    struct version version, base = {0};
    bool base_tried = false, ok = true;
    if (!open_version(in->places, fork->tree, &version))
        return true;
    for (size_t i = 0; ok && i < in->n; i++) {
        struct subject *subject = &in->subject[i];
        struct commit commit;
        if (!subject_matches(in->places->arena, subject, version.code, in->places->options.code) ||
            base_had_it(in, subject, fork, &base, &base_tried))
            continue;
        ok = name_commit(in, fork->branch, fork->base, &version, subject, &commit, err) &&
             (add_match(in, subject, EXPLAINED_BY_BRANCH, fork->branch, commit) ||
              arena_full(in->places->arena, err));
    }
    close_version(&base);
    close_version(&version);
    return ok;
}

/* The branches whose code is not HEAD's, with where they began. */
static bool find_forks(struct explaining *in, const struct git_version *branch, size_t n,
                       struct fork *ret, size_t *ret_n, struct err *err)
{
    struct arena *arena = in->places->arena;
    struct str *hash = arena_new(arena, struct str, n);
    struct git_tree **tree = arena_new(arena, struct git_tree *, n);
    *ret_n = 0;
    if (!hash || !tree)
        return arena_full(arena, err);
    for (size_t i = 0; i < n; i++)
        hash[i] = branch[i].hash;
    if (!git_trees(in->git, hash, n, tree, err))
        return false;
    for (size_t i = 0; i < n && in_time(in); i++) {
        if (!tree[i] || !code_differs(in, tree[i], NULL))
            continue;
        struct fork *fork = &ret[*ret_n];
        *fork = (struct fork){.branch = &branch[i], .tree = tree[i]};
        if (!git_merge_base(in->git, branch[i].hash, &fork->base, err))
            return false;
        hash[(*ret_n)++] = fork->base.len ? fork->base : STR("HEAD");
    }
    if (!git_trees(in->git, hash, *ret_n, tree, err))
        return false;
    for (size_t i = 0; i < *ret_n; i++)
        ret[i].base_tree = tree[i];
    return true;
}

static bool explain_by_branches(struct explaining *in, struct err *err)
{
    const struct places_options *options = &in->places->options;
    size_t most = options->most_branches ? options->most_branches : BRANCHES, n, nforks;
    int64_t days = options->most_days ? options->most_days : DAYS;
    const struct git_version *branch;
    bool more;
    if (!git_branches(in->git, most, options->now_utc_ms - days * DAY_MS, &branch, &n, &more, err))
        return false;
    struct fork *fork = arena_new(in->places->arena, struct fork, n);
    if (!fork)
        return arena_full(in->places->arena, err);
    if (!find_forks(in, branch, n, fork, &nforks, err))
        return false;
    for (size_t i = 0; i < nforks && in_time(in); i++)
        if (code_differs(in, fork[i].tree, fork[i].base_tree) && !try_branch(in, &fork[i], err))
            return false;
    return true;
}

/* --- earlier versions of the branch that is checked out --- */

static bool try_commit(struct explaining *in, const struct git_version *before,
                       struct git_tree *tree, enum explanation_kind kind, struct err *err)
{
    struct version version;
    bool ok = true;
    if (!open_version(in->places, tree, &version))
        return true;
    for (size_t i = 0; ok && i < in->n; i++) {
        struct subject *subject = &in->subject[i];
        bool gone = !subject->change && subject->finding->class_ == CLASS_MISSING;
        if (subject->done || gone || /* before it was written it was not there: that says nothing */
            !subject_matches(in->places->arena, subject, version.code, in->places->options.code))
            continue;
        subject->done = true;
        ok = add_match(in, subject, kind, before, before->commit) ||
             arena_full(in->places->arena, err);
    }
    close_version(&version);
    return ok;
}

static bool all_done(const struct explaining *in)
{
    for (size_t i = 0; i < in->n; i++)
        if (!in->subject[i].done)
            return false;
    return true;
}

static bool explain_by_commits(struct explaining *in, struct err *err)
{
    const struct places_options *options = &in->places->options;
    struct arena *arena = in->places->arena;
    size_t most = options->most_commits ? options->most_commits : COMMITS, n;
    int64_t days = options->most_days ? options->most_days : DAYS;
    const struct git_version *version;
    if (!git_commits(in->git, in->files, in->nfiles, most, options->now_utc_ms - days * DAY_MS,
                     &version, &n, err))
        return false;
    struct str *hash = arena_new(arena, struct str, n);
    struct git_tree **tree = arena_new(arena, struct git_tree *, n);
    if (!hash || !tree)
        return arena_full(arena, err);
    for (size_t i = 0; i < n; i++)
        hash[i] = version[i].hash;
    if (!git_trees(in->git, hash, n, tree, err))
        return false;
    for (size_t i = 0; i < n && !all_done(in) && in_time(in); i++)
        if (tree[i] && !try_commit(in, &version[i], tree[i], EXPLAINED_BY_EARLIER, err))
            return false;
    return true;
}

/* The working tree has been edited: what is committed may be what is live. */
static bool explain_by_head(struct explaining *in, struct err *err)
{
    const struct revision *revision = &in->places->revision;
    const struct str head = STR("HEAD");
    struct git_tree *tree;
    struct git_version version = {.branch = STR("")};
    bool found;
    if (!in->places->has_revision || !revision->dirty || !revision->commit.len || !in_time(in))
        return true;
    if (!git_trees(in->git, &head, 1, &tree, err) ||
        !git_last_commit(in->git, STR(""), revision->commit, NULL, 0, &version.commit, &found, err))
        return false;
    return !tree || !found || try_commit(in, &version, tree, EXPLAINED_BY_COMMITTED, err);
}

/* --- the results --- */

static const struct origin *with_matches(struct explaining *in, const struct origin *origin,
                                         const struct subject *subject)
{
    struct origin *copy = arena_new(in->places->arena, struct origin, 1);
    if (!copy)
        return NULL;
    if (origin)
        *copy = *origin;
    copy->explained = subject->match;
    copy->nexplained = subject->nmatches;
    return copy;
}

static bool store(struct explaining *in, struct err *err)
{
    for (size_t i = 0; i < in->n; i++) {
        struct subject *subject = &in->subject[i];
        struct finding *finding = subject->finding;
        if (!subject->nmatches)
            continue;
        const struct origin *old = subject->change ? subject->change->origin : finding->origin;
        const struct origin *made = with_matches(in, old, subject);
        if (!made)
            return arena_full(in->places->arena, err);
        if (finding->origin == old)
            finding->origin = made;
        if (subject->change)
            subject->change->origin = made;
    }
    return true;
}

bool places_explain(struct places *places, struct finding *findings, size_t n, struct err *err)
{
    const struct places_options *options = &places->options;
    struct git *git = places->own ? places->own->git : NULL;
    bool no_commit = places->has_revision && !places->revision.commit.len; /* `git init`, no more */
    if (!git || no_commit || !options->code || !options->code_options || !n)
        return true;
    struct explaining *in = arena_new(places->arena, struct explaining, 1);
    if (!in)
        return arena_full(places->arena, err);
    in->places = places;
    in->git = git;
    in->deadline_ms =
        clock_monotonic_ms() + (options->explain_ms > 0 ? options->explain_ms : EXPLAIN_MS);
    if (!collect(in, findings, n, err))
        return false;
    if (!in->n)
        return true;
    return explain_by_branches(in, err) && explain_by_head(in, err) &&
           explain_by_commits(in, err) && store(in, err);
}

/* gate_code.c - which code a plan was made from, and what git says of it. */
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "base/pathname.h"
#include "desired/git.h"
#include "desired/saved_plan.h"
#include "enforce/gate_facts_parts.h"
#include "model/stack.h"

enum { CODE_FILE_MAX = 64 << 20, DIFFERENT_SHOWN = 20 };

/* --- the code in the saved plan --- */

struct differences {
    struct str *name;
    size_t n, room;
};

static bool add_difference(struct gathering *g, struct differences *d, struct str name)
{
    struct str *grown = arena_grow(g->arena, d->name, d->n, &d->room, d->n + 1);
    struct str path = io_join(g->arena, g->asking->stack->path, name);
    if (!grown || !path.ptr)
        return arena_full(g->arena, g->err);
    d->name = grown;
    grown[d->n++] = pathname_clean(g->arena, path);
    return grown[d->n - 1].ptr || arena_full(g->arena, g->err);
}

static bool is_code(struct str name)
{
    return str_ends(name, STR(".tf")) || str_ends(name, STR(".tofu")) ||
           str_ends(name, STR(".tf.json")) || str_ends(name, STR(".tofu.json"));
}

static bool compare_file(struct gathering *g, const struct saved_file *file, struct differences *d)
{
    AUTO_ARENA scratch = {.limit = CODE_FILE_MAX + (1 << 20)};
    struct str path = io_join(&scratch, g->asking->stack->path, file->path), text;
    if (!path.ptr)
        return arena_full(&scratch, g->err);
    if (io_read_file(&scratch, path.ptr, CODE_FILE_MAX, &text, NULL) && str_equal(text, file->text))
        return true;
    return add_difference(g, d, file->path);
}

/* A file of the root module that was not there when the plan was made. */
static bool find_new_files(struct gathering *g, const struct saved_plan *saved,
                           struct differences *d)
{
    struct str dir = arena_dup(g->arena, g->asking->stack->path), *names = NULL;
    size_t n = 0;
    struct err why = {0};
    if (!dir.ptr)
        return arena_full(g->arena, g->err);
    if (!io_list_dir(g->arena, dir.ptr, SAVED_PLAN_FILES_MAX, &names, &n, &why))
        return gathering_failed(g, "the root module cannot be listed", &why);
    for (size_t i = 0; i < n; i++) {
        bool known = !is_code(names[i]) || str_starts(names[i], STR("."));
        for (size_t k = 0; !known && k < saved->nfiles; k++)
            known = str_equal(saved->file[k].path, names[i]);
        if (!known && !add_difference(g, d, names[i]))
            return false;
    }
    return true;
}

static bool compare_code(struct gathering *g)
{
    struct saved_plan saved;
    struct differences d = {0};
    struct gate_code *code = &g->seen->facts.code;
    if (!g->asking->saved.len || !saved_plan_is(g->asking->saved))
        return true;
    if (!saved_plan_read(g->arena, g->asking->saved, g->asking->plan_name, &saved, g->err))
        return false;
    for (size_t i = 0; i < saved.nfiles && d.n < DIFFERENT_SHOWN; i++)
        if (is_code(saved.file[i].path) && !compare_file(g, &saved.file[i], &d))
            return false;
    if (saved.nfiles && !find_new_files(g, &saved, &d))
        return false;
    code->different = d.name;
    code->ndifferent = d.n;
    return true;
}

/* --- git --- */

static bool ask_git(struct gathering *g, struct git *git, struct str folder)
{
    static const struct config_gate nothing;
    const struct config *config = g->asking->scan.config;
    const struct config_gate *rules = config ? &config->gate : &nothing;
    struct gate_code *code = &g->seen->facts.code;
    struct str below = pathname_below(git_root(git), folder);
    struct str signers = rules->allowed_signers, *untracked = NULL;
    bool known = true;
    enum git_signature signature = GIT_NOT_SIGNED;
    size_t nuntracked = 0;
    if (signers.len) {
        struct str path = io_join(g->arena, config->root, signers);
        signers = path.ptr ? io_real_path(g->arena, path) : path;
        if (!signers.ptr)
            return gathering_deny(g, arena_printf(g->arena, "allowed_signers: no file %.*s",
                                                  STR_ARG(rules->allowed_signers)));
    }
    if (!git_revision(git, STR("."), &code->revision, &code->known, g->err))
        return false;
    if (code->known && !git_untracked_code(git, below.ptr ? below : STR("."), &untracked,
                                           &nuntracked, &known, g->err))
        return false;
    code->revision.dirty |= nuntracked > 0;
    code->untracked = untracked;
    code->nuntracked = nuntracked;
    if (!known && !rules->no_require_clean) /* there may be code that nobody committed */
        code->known = false;
    if (code->known && rules->require_signed) {
        if (!git_head_signature(git, signers, &signature, &code->signature, &known, g->err))
            return false;
        code->asked_signature = true;
        code->good_signature = known && signature == GIT_GOOD_SIGNATURE;
    }
    if (code->known && rules->require_merged_into.len) {
        if (!git_head_merged(git, rules->require_merged_into, &code->merged, &code->branch_exists,
                             &known, g->err))
            return false;
        code->asked_merged = true;
        code->merged &= known;
    }
    code->why = git_trouble(git);
    return true;
}

bool gather_code(struct gathering *g)
{
    struct gate_code *code = &g->seen->facts.code;
    const struct git_options options = {.cancel = g->asking->scan.reader.cancel};
    struct git *git = NULL;
    struct str folder = io_real_path(g->arena, g->asking->stack->path);
    code->plan_commit = g->asking->plan_commit;
    if (!compare_code(g))
        return false;
    if (g->asking->scan.no_git || !folder.ptr)
        return gathering_note(g, STR("git was not asked"));
    if (!git_open(g->arena, folder, &options, &git, &code->why, g->err))
        return false;
    if (!git)
        return code->why.len || gathering_note(g, STR("the code is in no git repository"));
    return ask_git(g, git, folder);
}

/* code_home.c - the clones of serve.git, and the configuration in one of them. */
#include "cli/code_home.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/io.h"
#include "base/pathname.h"
#include "cli/app.h"
#include "desired/git_clone.h"
#include "desired/stacks.h"
#include "model/config.h"
#include "serve/server.h"

#define CLONES ".plumb/git"

static struct str absolute(struct arena *arena, struct str path)
{
    char room[PATH_MAX];
    struct str ended = arena_dup(arena, path.len ? path : STR("."));
    return ended.ptr && realpath(ended.ptr, room) ? arena_dup(arena, str_from(room)) : ended;
}

/* Which repository and branch, and where in it plumb.yaml is. */
static bool find_source(struct arena *arena, const struct config *given, struct git_origin *ret,
                        struct err *err)
{
    const struct config_feeds *feeds = &given->serve.feeds;
    struct err why = {0};
    if (!git_origin_of(arena, given->root, ret, &why)) {
        *ret = (struct git_origin){0};
        if (!feeds->git_url.len) {
            *err = why;
            return false;
        }
    }
    struct str url = ret->url;
    ret->url = feeds->git_url.len ? feeds->git_url : url;
    ret->branch = feeds->git_branch.len ? feeds->git_branch : ret->branch;
    if (!ret->url.len)
        return err_set(err, ERR_USAGE, "this repository has no remote: name it with serve.git.url");
    return ret->branch.len ||
           err_set(err, ERR_USAGE, "no branch is checked out here: name it with serve.git.branch");
}

static bool name_folder(struct arena *arena, const struct config *given,
                        const struct git_origin *origin, struct str *ret, struct err *err)
{
    struct digest digest;
    char hex[DIGEST_HEX + 1];
    struct str name =
        arena_printf(arena, "%.*s#%.*s", STR_ARG(origin->url), STR_ARG(origin->branch));
    if (!name.ptr || !digest_sha256(name, &digest, err))
        return name.ptr ? false : arena_full(arena, err);
    digest_hex(&digest, hex);
    struct str root = absolute(arena, given->root);
    *ret = arena_printf(arena, "%.*s/" CLONES "/%.16s", STR_ARG(root), hex);
    return ret->ptr || arena_full(arena, err);
}

static bool make_clone(struct arena *arena, const struct app *app, const struct git_clone *clone,
                       struct err *err)
{
    struct str head = {0};
    bool moved;
    if (!git_clone_head(arena, clone, &head, err))
        return false;
    if (head.len)
        return true; /* the service fetches it at once */
    (void)fprintf(app->err, "plumb: cloning %.*s of %.*s\n", STR_ARG(clone->branch),
                  STR_ARG(git_shown_url(arena, clone->url)));
    return git_clone_sync(arena, clone, &head, &moved, err);
}

struct homes {
    struct arena *arena;
    const struct app *app;
    const struct config *given;
    struct git_origin origin; /* of plumb.yaml */
    struct feed_code *code;
    size_t n;
};

static struct git_clone clone_of(const struct homes *h, const struct feed_code *code)
{
    return (struct git_clone){
        .url = code->url, .branch = code->branch, .folder = code->folder, .cancel = h->app->cancel};
}

/* The branch's clone: one that another stack has already, or a new one. root: the working tree that
 * has what git does not have; or empty. */
static bool find_code(struct homes *h, const struct git_origin *origin, struct str root,
                      const struct feed_code **ret, struct err *err)
{
    struct feed_code made = {.url = origin->url,
                             .branch = origin->branch,
                             .root = root,
                             .fetch_ms = h->given->serve.feeds.fetch_ms};
    if (!name_folder(h->arena, h->given, origin, &made.folder, err))
        return false;
    for (size_t i = 0; i < h->n; i++)
        if (str_equal(h->code[i].folder, made.folder)) {
            *ret = &h->code[i];
            return true;
        }
    if (h->n == CODES_MAX)
        return err_set(err, ERR_LIMIT, "more than %d branches that code comes from", CODES_MAX);
    h->code[h->n] = made;
    *ret = &h->code[h->n++];
    const struct git_clone clone = clone_of(h, *ret);
    return make_clone(h->arena, h->app, &clone, err) &&
           (!root.len || git_clone_link(h->arena, &clone, root, err));
}

/* --- stacks that have their code elsewhere --- */

/* Where it leads out of the repository, as git wrote it down: "../x". */
static bool leads_out(struct arena *arena, struct str below, struct str path)
{
    struct str at = pathname_clean(arena, io_join(arena, below.len ? below : STR("."), path));
    return str_starts(path, STR("/")) || str_equal(at, STR("..")) || str_starts(at, STR("../"));
}

/* The parts of a path before the first with a `*` or `?`. */
static struct str plain_part(struct str path)
{
    size_t slash = 0;
    for (size_t i = 0; i < path.len; i++) {
        if (path.ptr[i] == '*' || path.ptr[i] == '?')
            return str_sub(path, 0, slash);
        slash = path.ptr[i] == '/' ? i : slash;
    }
    return path;
}

/* What plumb.yaml names beside the repository, as it is called in the clone. */
static struct str moved(struct arena *arena, struct str text, struct str top, struct str below,
                        struct str here)
{
    if (!text.len || str_find(text, STR("://"), 0) != SIZE_MAX)
        return text;
    if (!str_starts(text, top))
        return io_join(arena, here, text);
    return arena_printf(arena, "%.*s%.*s", STR_ARG(below),
                        STR_ARG(str_sub(text, top.len, text.len)));
}

/* A folder beside the repository: in another one with a remote and a branch, or just there. */
static bool place_outside(struct homes *h, struct config_stack *row, struct err *err)
{
    struct git_origin origin = {0};
    const struct feed_code *code = NULL;
    struct str top = plain_part(row->path), here = absolute(h->arena, h->given->root);
    struct str folder = str_starts(top, STR("/")) ? top : io_join(h->arena, here, top);
    row->root = here;
    if (!folder.ptr || !here.ptr)
        return arena_full(h->arena, err);
    if (!git_origin_of(h->arena, absolute(h->arena, folder), &origin, NULL) || !origin.url.len ||
        !origin.branch.len)
        return true;
    bool ok = find_code(h, &origin, origin.root, &code, err);
    if (!code)
        return ok;
    struct str below = origin.below.len ? origin.below : STR(".");
    row->root = code->folder;
    row->path = moved(h->arena, row->path, top, below, here);
    row->state = moved(h->arena, row->state, top, below, here);
    row->snapshot = moved(h->arena, row->snapshot, top, below, here);
    row->files = moved(h->arena, row->files, top, below, here);
    return ok && (row->path.ptr || arena_full(h->arena, err));
}

static bool place_named(struct homes *h, struct config_stack *row, struct err *err)
{
    struct git_origin origin = h->origin;
    const struct feed_code *code = NULL;
    bool other = row->repository.len > 0;
    if (other)
        origin = (struct git_origin){.url = row->repository};
    if (row->branch.len)
        origin.branch = row->branch;
    if (!origin.branch.len)
        return err_set(err, ERR_USAGE, "%.*s:%u:%u: `repository` needs `branch`",
                       STR_ARG(h->given->path), row->place.line, row->place.column);
    bool ok = find_code(h, &origin, other ? STR("") : h->origin.root, &code, err);
    if (!code)
        return ok;
    row->root = origin.below.len ? io_join(h->arena, code->folder, origin.below) : code->folder;
    return ok && (row->root.ptr || arena_full(h->arena, err));
}

/* A remote that is away now keeps nobody from the stacks that are there. */
static bool place_stacks(struct homes *h, struct config *config, struct err *err)
{
    struct config_stack *row = arena_new(h->arena, struct config_stack, config->nstacks);
    char text[ERR_FRAMES_MAX * ERR_TEXT_MAX];
    if (!row)
        return arena_full(h->arena, err);
    for (size_t i = 0; i < config->nstacks; i++) {
        struct err why = {0};
        row[i] = config->stacks[i];
        bool named = row[i].repository.len || row[i].branch.len;
        bool ok = named ? place_named(h, &row[i], &why)
                  : leads_out(h->arena, h->origin.below, row[i].path)
                      ? place_outside(h, &row[i], &why)
                      : true;
        if (ok)
            continue;
        if (why.kind != ERR_REMOTE && why.kind != ERR_TIMEOUT && why.kind != ERR_UNAVAILABLE) {
            *err = why;
            return false;
        }
        (void)fprintf(h->app->err, "plumb: stack %.*s waits for its code: %s\n",
                      STR_ARG(row[i].path), err_text(&why, text, sizeof text));
    }
    config->stacks = row;
    return true;
}

/* plumb.yaml as the branch has it. */
static bool load(struct homes *h, const struct feed_code *code, struct config *ret, struct err *err)
{
    const struct config *given = h->given;
    struct str below =
        h->origin.below.len ? io_join(h->arena, code->folder, h->origin.below) : code->folder;
    struct str path = below.ptr ? io_join(h->arena, below, io_basename(given->path)) : below;
    if (!path.ptr)
        return arena_full(h->arena, err);
    if (!config_load(h->arena, path.ptr, ret, err))
        return err_wrap(err, "serve.git: %.*s of the branch", STR_ARG(io_basename(given->path)));
    ret->serve = given->serve;
    ret->store = given->store;
    ret->keep_ms = given->keep_ms;
    ret->audit = given->audit;
    return true;
}

bool code_home(struct arena *arena, const struct app *app, const struct config *given,
               const struct config **ret, const struct feed_code **ret_codes, size_t *ret_n,
               struct err *err)
{
    struct homes h = {.arena = arena, .app = app, .given = given};
    struct config *config = arena_new(arena, struct config, 1);
    const struct feed_code *own = NULL;
    *ret_n = 0;
    *ret = given;
    if (given->serve.feeds.fetch_ms == 0)
        return true;
    h.code = arena_new(arena, struct feed_code, CODES_MAX);
    if (!config || !h.code)
        return arena_full(arena, err);
    if (!given->path.len)
        return err_set(err, ERR_USAGE, "serve.git: there is no plumb.yaml");
    if (!find_source(arena, given, &h.origin, err))
        return config_blame(given, "serve.git", err);
    if (!find_code(&h, &h.origin, h.origin.root, &own, err))
        return err_wrap(err, "serve.git");
    if (!load(&h, own, config, err) || !place_stacks(&h, config, err))
        return false;
    *ret = config;
    *ret_codes = h.code;
    *ret_n = h.n;
    return true;
}

bool code_home_check(struct arena *arena, const struct config *given, struct err *err)
{
    struct git_origin origin;
    return given->serve.feeds.fetch_ms == 0 || find_source(arena, given, &origin, err) ||
           config_blame(given, "serve.git", err);
}

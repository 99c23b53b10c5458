/* code_home.c - the clone of serve.git, and the configuration in it. */
#include "cli/code_home.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/io.h"
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
        return err_set(err, ERR_USAGE,
                       "serve.git: this repository has no remote: name it with serve.git.url");
    return ret->branch.len ||
           err_set(err, ERR_USAGE,
                   "serve.git: no branch is checked out here: name it with serve.git.branch");
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

bool code_home(struct arena *arena, const struct app *app, const struct config *given,
               const struct config **ret, struct feed_code *ret_code, struct err *err)
{
    struct git_origin origin = {0};
    struct git_clone clone = {.cancel = app->cancel};
    struct config *config = arena_new(arena, struct config, 1);
    *ret_code = (struct feed_code){0};
    *ret = given;
    if (given->serve.feeds.fetch_ms == 0)
        return true;
    if (!config)
        return arena_full(arena, err);
    if (!given->path.len)
        return err_set(err, ERR_USAGE, "serve.git: there is no plumb.yaml");
    if (!find_source(arena, given, &origin, err) ||
        !name_folder(arena, given, &origin, &clone.folder, err))
        return false;
    clone.url = origin.url;
    clone.branch = origin.branch;
    if (!make_clone(arena, app, &clone, err) ||
        (origin.root.len && !git_clone_link(arena, &clone, origin.root, err)))
        return err_wrap(err, "serve.git");
    struct str below = origin.below.len ? io_join(arena, clone.folder, origin.below) : clone.folder;
    struct str path = below.ptr ? io_join(arena, below, io_basename(given->path)) : below;
    if (!path.ptr)
        return arena_full(arena, err);
    if (!config_load(arena, path.ptr, config, err))
        return err_wrap(err, "serve.git: %.*s of the branch", STR_ARG(io_basename(given->path)));
    config->serve = given->serve;
    config->store = given->store;
    config->keep_ms = given->keep_ms;
    config->audit = given->audit;
    *ret = config;
    *ret_code = (struct feed_code){.url = clone.url,
                                   .branch = clone.branch,
                                   .folder = clone.folder,
                                   .root = origin.root,
                                   .fetch_ms = given->serve.feeds.fetch_ms};
    return true;
}

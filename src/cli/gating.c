/* gating.c - opening plans. */
#include "cli/gating.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/io.h"
#include "cli/app.h"
#include "desired/backend.h"
#include "desired/saved_plan.h"
#include "desired/stacks.h"

bool gating_digest(struct arena *arena, struct str bytes, struct str *ret, struct err *err)
{
    struct digest digest;
    char hex[DIGEST_HEX + 1];
    if (!digest_sha256(bytes, &digest, err))
        return false;
    digest_hex(&digest, hex);
    *ret = arena_printf(arena, "sha256:%s", hex);
    return ret->ptr || arena_full(arena, err);
}

/* JSON begins with a brace; anything else is for the binary that made it to open. */
static bool is_json(struct str bytes)
{
    if (str_starts(bytes, STR("\xef\xbb\xbf")))
        bytes = str_sub(bytes, 3, bytes.len);
    struct str head = str_trim(str_sub(bytes, 0, 4096));
    return str_starts(head, STR("{"));
}

/* OpenTofu's encrypted plans are JSON as well. */
static bool is_encrypted(struct str bytes)
{
    return str_find(str_sub(bytes, 0, 1 << 16), STR("\"encrypted_data\""), 0) != SIZE_MAX;
}

static bool show(struct arena *arena, const struct app *app, const struct stack *stack,
                 struct str path, struct gating_plan *plan, struct err *err)
{
    struct str name = arena_dup(arena, path);
    char *real = name.ptr ? realpath(name.ptr, NULL) : NULL;
    struct str file = real ? arena_dup(arena, str_from(real)) : (struct str){0};
    free(real);
    if (!file.ptr)
        return err_set(err, ERR_IO, "%.*s: a saved plan is opened as a file", STR_ARG(path));
    plan->saved = plan->big.text;
    return backend_show_plan(arena, stack, file, app->cancel, &plan->json, err);
}

bool gating_read_plan(struct arena *arena, struct str path, struct gating_plan *ret,
                      struct err *err)
{
    bool piped = str_equal(path, STR("-"));
    ret->name = piped ? STR("standard input") : arena_dup(arena, path);
    if (!ret->name.ptr)
        return arena_full(arena, err);
    return io_big_read(piped ? "/dev/stdin" : ret->name.ptr, GATING_PLAN_MAX, &ret->big, err) &&
           gating_digest(arena, ret->big.text, &ret->digest, err);
}

bool gating_open_plan(struct arena *arena, const struct app *app, const struct stack *stack,
                      struct str path, struct gating_plan *ret, struct err *err)
{
    if (!gating_read_plan(arena, path, ret, err))
        return false;
    ret->json = ret->big.text;
    if (is_json(ret->big.text) && !is_encrypted(ret->big.text))
        return true;
    if (!saved_plan_is(ret->big.text) && !is_encrypted(ret->big.text))
        return err_set(err, ERR_SYNTAX,
                       "%s is neither a saved plan nor its JSON (terraform plan -out FILE; "
                       "terraform show -json FILE)",
                       ret->name.ptr);
    return show(arena, app, stack, path, ret, err);
}

void gating_close_plan(struct gating_plan *plan)
{
    io_big_free(&plan->big);
}

static struct str real_path(struct arena *arena, struct str path)
{
    struct str kept = arena_dup(arena, path);
    char *real = kept.ptr ? realpath(kept.ptr, NULL) : NULL;
    struct str ret = real ? arena_dup(arena, str_from(real)) : (struct str){0};
    free(real);
    return ret;
}

/* Stacks of plumb.yaml in the very folder, first in the list; how many. */
static size_t in_folder(struct arena *arena, const struct stacks *all, struct str folder,
                        struct stack *ret)
{
    size_t n = 0;
    for (size_t i = 0; folder.ptr && i < all->n; i++)
        if (str_equal(real_path(arena, all->stack[i].path), folder) && n++ == 0)
            *ret = all->stack[i];
    return n;
}

bool gating_find_stack(struct arena *arena, const struct app *app, const struct gating_stack *ask,
                       struct stack *ret, const struct config **ret_config, struct err *err)
{
    struct stacks found = {0};
    struct err ignored = {0};
    struct str dir = ask->named.len ? ask->named : STR(".");
    struct stacks_query query = {.config_file = ask->config_file,
                                 .workspaces = &ask->workspace,
                                 .nworkspaces = ask->workspace.len > 0,
                                 .env = app->env};
    size_t n = 0;
    if (stacks_find(arena, &query, &found, &ignored) && found.config)
        n = in_folder(arena, &found, real_path(arena, dir), ret);
    if (n == 0) {
        query.dirs = &dir;
        query.ndirs = 1;
        query.state = ask->state;
        if (!stacks_find(arena, &query, &found, err))
            return false;
        n = found.n;
        if (n == 1)
            *ret = found.stack[0];
    }
    if (n != 1)
        return err_set(err, ERR_USAGE,
                       "%.*s is %zu stacks, a plan is for one: name it (--stack, --workspace)",
                       STR_ARG(dir), n);
    if (ask->state.len)
        ret->state = ask->state;
    *ret_config = found.config;
    return true;
}

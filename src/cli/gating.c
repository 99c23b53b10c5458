/* gating.c - opening plans. */
#include "cli/gating.h"

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/io.h"
#include "cli/app.h"
#include "desired/backend.h"
#include "desired/saved_plan.h"
#include "desired/stacks.h"

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
    struct str file = io_real_path(arena, path);
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
           digest_text_of(arena, ret->big.text, &ret->digest, err);
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

bool gating_find_stack(struct arena *arena, const struct app *app, const struct gating_stack *ask,
                       struct stack *ret, const struct config **ret_config, struct err *err)
{
    struct stacks found = {0};
    struct str dir = ask->named.len ? ask->named : STR(".");
    const struct stacks_query query = {.dirs = &dir,
                                       .ndirs = 1,
                                       .config_file = ask->config_file,
                                       .workspaces = &ask->workspace,
                                       .nworkspaces = ask->workspace.len > 0,
                                       .state = ask->state,
                                       .env = app->env};
    if (!stacks_find(arena, &query, &found, err))
        return false;
    if (found.n != 1)
        return err_set(err, ERR_USAGE,
                       "%.*s is %zu stacks, a plan is for one: name it (--stack, --workspace)",
                       STR_ARG(dir), found.n);
    *ret = found.stack[0];
    *ret_config = found.config;
    return true;
}

/* setup.c - cache folder, colours, values of variables. */
#include "cli/setup.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "cli/app.h"
#include "cli/command.h"
#include "desired/code.h"

struct str setup_cache_dir(struct arena *arena, const struct app *app, struct str given)
{
    struct str xdg = str_from(app->env("XDG_CACHE_HOME"));
    struct str home = str_from(app->env("HOME"));
    if (given.len)
        return given;
    if (xdg.len)
        return io_join(arena, xdg, STR("plumb"));
    return home.len ? io_join(arena, home, STR(".cache/plumb")) : STR("");
}

bool setup_colour(const struct app *app, bool no_color)
{
    struct str forbidden = str_from(app->env("NO_COLOR"));
    struct str terminal = str_from(app->env("TERM"));
    return app->out_tty && !forbidden.len && !no_color && !str_equal(terminal, STR("dumb"));
}

static bool add_file(struct arena *arena, struct str path, struct code_input_value *ret,
                     struct err *err)
{
    char resolved[4096];
    struct str ended = arena_dup(arena, path);
    if (!ended.ptr)
        return arena_full(arena, err);
    if (!realpath(ended.ptr, resolved))
        return err_set(err, ERR_IO, "--var-file: no file %s", ended.ptr);
    *ret = (struct code_input_value){.is_file = true, .text = arena_dup(arena, str_from(resolved))};
    return ret->text.ptr || arena_full(arena, err);
}

bool setup_inputs(struct arena *arena, const struct option_value *files,
                  const struct option_value *vars, const struct code_input_value **ret,
                  size_t *ret_n, struct err *err)
{
    struct code_input_value *inputs =
        arena_new(arena, struct code_input_value, files->nlist + vars->nlist);
    size_t n = 0;
    if (!inputs)
        return arena_full(arena, err);
    for (size_t i = 0; i < files->nlist; i++)
        if (!add_file(arena, files->list[i], &inputs[n++], err))
            return false;
    for (size_t i = 0; i < vars->nlist; i++) {
        struct str rest = vars->list[i], name;
        if (!str_cut(&rest, '=', &name))
            return err_set(err, ERR_USAGE, "--var: NAME=VALUE is wanted, not '%.*s'",
                           STR_ARG(vars->list[i]));
        inputs[n++] = (struct code_input_value){.name = name, .text = rest};
    }
    *ret = inputs;
    *ret_n = n;
    return true;
}

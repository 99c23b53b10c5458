/* setup.c - cache folder and colours. */
#include "cli/setup.h"

#include "base/io.h"
#include "cli/app.h"

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

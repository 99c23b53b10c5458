/* cmd_proxy_stop.c - `eval "$(plumb proxy stop)"`: end what `plumb proxy start` began. */
#include "base/err.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/proxy_control.h"

enum { STOP_MS = 10000 };

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    (void)in;
    struct str path = str_from(app->env("PLUMB_PROXY"));
    if (!path.len)
        return err_set(err, ERR_USAGE,
                       "PLUMB_PROXY is not set: no proxy was started in this shell");
    bool ok = proxy_control_stop(path, STOP_MS, err);
    if (!ok && err->kind != ERR_UNAVAILABLE)
        return false;
    (void)fprintf(app->out, "unset TF_REATTACH_PROVIDERS PLUMB_PROXY\n");
    *ret_exit = 0;
    return true; /* one that is gone already is stopped */
}

const struct command cmd_proxy_stop = {
    .name = "proxy stop",
    .usage = "eval \"$(plumb proxy stop)\"",
    .summary = "end the proxy of this shell",
    .help = "Stops the providers, removes the sockets, and prints what takes the variables back, "
            "for eval. PLUMB_PROXY, which plumb proxy start has set, says which one.",
    .run = run};

/* cmd_config_schema.c - `plumb config schema`: the JSON Schema of plumb.yaml, for editors. */
#include "base/buf.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/command.h"
#include "model/config.h"

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    (void)in;
    AUTO_BUF buf = {.limit = 1 << 20};
    if (!config_write_schema(&buf, err))
        return false;
    (void)fwrite(buf.ptr, 1, buf.len, app->out);
    *ret_exit = 0;
    return true;
}

const struct command cmd_config_schema = {.name = "config schema",
                                          .usage = "plumb config schema",
                                          .summary =
                                              "print the JSON Schema of plumb.yaml, for editors",
                                          .run = run};

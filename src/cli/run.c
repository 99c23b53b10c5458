/* run.c - find the subcommand, parse its options, run it, print its error. */
#include "base/str.h"
#include "cli/app.h"
#include "cli/command.h"

int cli_main(const struct app *app, int argc, char **argv)
{
    (void)argc;
    (void)fprintf(app->err, "%s: no subcommand is built yet\n", argv[0]);
    return 1;
}

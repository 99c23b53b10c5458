/* cli.c - the table of subcommands. */
#include "cli/command.h"

#define X(name) extern const struct command name;
#include "gen/cli_cmd.inc"
#undef X

static const struct command *const commands[] = {
#define X(name) &name,
#include "gen/cli_cmd.inc"
#undef X
    NULL,
};

const struct command *const *command_all(size_t *ret_n)
{
    *ret_n = sizeof commands / sizeof *commands - 1;
    return commands;
}

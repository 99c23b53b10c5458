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

/* The names of the files: one beside the other, where those within the commands are spread over
 * pages that each have to be read in. */
static const char symbols[][24] = {
#define X(name) #name,
#include "gen/cli_cmd.inc"
#undef X
};

bool command_may_be(size_t i, struct str word)
{
    const char *at = symbols[i] + sizeof "cmd_" - 1;
    for (size_t k = 0; k < word.len; k++)
        if (!at[k] || (at[k] != word.ptr[k] && !(at[k] == '_' && word.ptr[k] == '-')))
            return false;
    return at[word.len] == '\0' || at[word.len] == '_';
}

const struct command *const *command_all(size_t *ret_n)
{
    *ret_n = sizeof commands / sizeof *commands - 1;
    return commands;
}

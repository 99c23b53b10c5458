/* cmd_run.c - `plumb run -- tofu apply`: a command behind whose providers plumb stands. */
#include "base/err.h"
#include "base/io.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/proxying.h"
#include "cli/run_child.h"

enum { OPTION_COUNT = PROXYING_OPTION_COUNT };
static const struct option options[] = {PROXYING_OPTIONS};

/* Where the command itself goes first: -chdir=DIR before its subcommand. */
static struct str directory_of(const struct str *argv, size_t n)
{
    struct str name = io_basename(argv[0]);
    if (!str_equal(name, STR("tofu")) && !str_equal(name, STR("terraform")))
        return (struct str){0};
    for (size_t i = 1; i < n && str_starts(argv[i], STR("-")); i++)
        if (str_starts(argv[i], STR("-chdir=")))
            return str_sub(argv[i], 7, argv[i].len);
    return (struct str){0};
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct proxying proxying;
    if (!proxying_open(app, &arena, in, directory_of(in->args, in->nargs), &proxying, err))
        return false;
    bool ok = run_child(&arena, &proxying.loop, in->args, in->nargs, &proxying.reattach,
                        proxying.reattach.len ? 1 : 0, ret_exit, err);
    if (ok && in->value[PROXYING_VERBOSE].set)
        proxying_tell(&proxying);
    proxying_close(&proxying);
    return ok;
}

const struct command cmd_run = {
    .name = "run",
    .usage = "plumb run [options] [--] COMMAND [ARG...]",
    .summary = "run tofu or terraform with plumb between it and its providers",
    .help = "Starts the providers that init installed for the stack, checks them against the lock "
            "file, and runs the command with TF_REATTACH_PROVIDERS set, so that whatever it asks "
            "of a provider goes through plumb, byte for byte.\n\n"
            "A change is passed on only if nothing stands against it: undecided drift of that "
            "resource and freezes in the store, and policy on the planned values. Otherwise it is "
            "answered with an error, which is printed beside the resource and its line, and each "
            "answer is in the audit log. What blocks and what only warns is said by `gate` of "
            "plumb.yaml. The exit code is the command's own.",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_least = 1,
    .args_most = SIZE_MAX,
    .rest = true,
    .run = run};

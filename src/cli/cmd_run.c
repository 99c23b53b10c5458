/* cmd_run.c - `plumb run -- tofu apply`: a command behind whose providers plumb stands. */

#include "base/err.h"
#include "base/io.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/proxying.h"
#include "cli/run_child.h"
#include "desired/code.h"

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

/* TF_CLI_ARGS and TF_CLI_ARGS_apply add words that we do not see. */
static bool has_hidden_words(const struct app *app)
{
    static const char *const names[] = {"TF_CLI_ARGS", "TF_CLI_ARGS_apply", "TF_CLI_ARGS_destroy",
                                        "TF_CLI_ARGS_plan"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_from(app->env(names[i])).len)
            return true;
    return false;
}

/* "-var x=1", "-var=x=1", with one dash or two. */
static bool takes(struct str word, const char *name, struct str *ret_value, bool *ret_next)
{
    struct str rest = str_sub(word, str_starts(word, STR("--")) ? 2 : 1, word.len), head;
    *ret_next = !str_cut(&rest, '=', &head);
    *ret_value = rest;
    return str_starts(word, STR("-")) && str_equal(head, str_from(name));
}

/* A variable's file is where the command looks for it: in its own folder. */
static bool add_file(struct arena *arena, struct str dir, struct str path,
                     struct code_input_value *ret, struct err *err)
{
    struct str whole = io_join(arena, dir, path);
    struct str real = io_real_path(arena, whole);
    *ret = (struct code_input_value){.is_file = true, .text = real.ptr ? real : whole};
    return ret->text.ptr || arena_full(arena, err);
}

/* The variables that the command is given, as far as its words tell. A word that is no option and
 * stands behind the subcommand is a saved plan, which has its own. */
static bool read_words(const struct app *app, struct arena *arena, const struct invocation *in,
                       struct str dir, struct proxying *p, struct err *err)
{
    struct code_input_value *inputs = arena_new(arena, struct code_input_value, in->nargs);
    struct str name = io_basename(in->args[0]), value;
    size_t words = 0;
    bool next;
    if (!inputs)
        return arena_full(arena, err);
    p->inputs = inputs;
    p->other_inputs = has_hidden_words(app) ||
                      (!str_equal(name, STR("tofu")) && !str_equal(name, STR("terraform")));
    for (size_t i = 1; i < in->nargs; i++) {
        bool file = takes(in->args[i], "var-file", &value, &next);
        if (!file && !takes(in->args[i], "var", &value, &next)) {
            words += !str_starts(in->args[i], STR("-"));
            p->other_inputs = p->other_inputs || words > 1;
            continue;
        }
        if (next)
            value = ++i < in->nargs ? in->args[i] : STR("");
        struct code_input_value *to = &inputs[p->ninputs++];
        if (file ? !add_file(arena, dir, value, to, err) : false)
            return false;
        if (!file && str_cut(&value, '=', &to->name))
            to->text = value;
    }
    return true;
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct proxying proxying = {0};
    struct str dir = directory_of(in->args, in->nargs);
    if (!read_words(app, &arena, in, dir, &proxying, err) ||
        !proxying_open(app, &arena, in, dir, &proxying, err))
        return false;
    bool ok = run_child(&arena, &proxying.loop, in->args, in->nargs, &proxying.reattach,
                        proxying.reattach.len ? 1 : 0, ret_exit, err);
    if (ok)
        proxying_keep(&proxying);
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

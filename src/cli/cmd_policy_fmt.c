/* cmd_policy_fmt.c - `plumb policy fmt`: policies in the form of `opa fmt`. */
#include <assert.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/capabilities.h"
#include "cli/command.h"
#include "cli/formatting.h"
#include "cli/policy_text.h"
#include "cli/rows.h"
#include "lang/rego/format.h"

enum { CHECK, DIFF, WRITE, REGO_V0, V0_V1, CAPABILITIES, TIMEOUT, OPTION_COUNT };
enum { TIMEOUT_DEFAULT_MS = 60000 };
static const struct option options[] = {
    [CHECK] = {.name = "check",
               .kind = OPTION_FLAG,
               .text = "print the names of files that are not in their form, and exit with 3 if "
                       "there are any; nothing is written"},
    [DIFF] = {.name = "diff",
              .letter = 'd',
              .kind = OPTION_FLAG,
              .text = "print what changes as a unified diff"},
    [WRITE] = {.name = "write",
               .letter = 'w',
               .kind = OPTION_FLAG,
               .text = "write the files and print the names of those that changed"},
    [REGO_V0] = {.name = "rego-v0",
                 .kind = OPTION_FLAG,
                 .text = "policies are Rego v0, the language before OPA 1.0, and stay so"},
    [V0_V1] = {.name = "v0-v1",
               .kind = OPTION_FLAG,
               .text = "policies are Rego v0 and become what both v0 and v1 read: import rego.v1, "
                       "if, contains, :="},
    [CAPABILITIES] = ROW_CAPABILITIES,
    [TIMEOUT] = {.name = "timeout",
                 .kind = OPTION_DURATION,
                 .arg = "TIME",
                 .least = 1,
                 .most = 86400000,
                 .text = "the longest that formatting one file may take, such as 5s; 60s without "
                         "it"},
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

static bool is_policy(struct str name)
{
    return str_ends(name, STR(".rego"));
}

struct how {
    struct rego_format_options options;
    int64_t timeout_ms;
};

static bool format(struct formatting *f, struct str path, struct str before, struct str *ret,
                   struct err *err)
{
    struct rego_diags diags = {.arena = f->content};
    const struct how *how = f->how;
    struct rego_format_options one = how->options;
    one.clock = (struct rego_parse_clock){clock_monotonic_ms() + how->timeout_ms, f->app->cancel};
    if (rego_format(f->content, before, path, &one, &diags, ret, err))
        return true;
    if (diags.n == 0)
        return false;
    policy_print_diags(f->app->err, &diags);
    f->failed = true;
    *ret = before;
    return true;
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA names = {.limit = ARENA_DEFAULT_LIMIT};
    AUTO_ARENA content = {.limit = (size_t)4 * ARENA_DEFAULT_LIMIT};
    struct capabilities capabilities;
    if (!capabilities_read(&names, in->value[CAPABILITIES].text, &capabilities, err))
        return false;
    const struct option_value *timeout = &in->value[TIMEOUT];
    const struct how how = {.options = {.v0 = in->value[REGO_V0].set || in->value[V0_V1].set,
                                        .to_v1 = in->value[V0_V1].set,
                                        .words = capabilities.words},
                            .timeout_ms = timeout->set ? timeout->number : TIMEOUT_DEFAULT_MS};
    bool check = in->value[CHECK].set, write = in->value[WRITE].set && !check;
    struct formatting f = {.app = app,
                           .command = "policy fmt",
                           .check = check,
                           .diff = in->value[DIFF].set,
                           .list = (check || write) && !in->value[DIFF].set,
                           .write = write,
                           .print = true,
                           .recursive = true,
                           .names = &names,
                           .content = &content,
                           .size_max = REGO_TEXT_MAX,
                           .how = &how,
                           .is_file = is_policy,
                           .wanted = "a file that ends in .rego",
                           .format = format};
    if (!formatting_run(&f, in, err))
        return false;
    *ret_exit = formatting_exit(&f);
    return true;
}

const struct command cmd_policy_fmt = {
    .name = "policy fmt",
    .usage = "plumb policy fmt [PATH...|-] [options]",
    .summary = "write policies in the form of opa fmt",
    .help = "Each PATH is a file or a folder, with all below it; without one it is the folder "
            "here. A single dash reads standard input. Without options the result is printed. "
            "Comments stay. A result is read again before it is given: where it would mean "
            "something else, or lack a comment, the file is left as it is and an error says so. "
            "Exit codes: 0, 3 with --check where a file is not in its form, 1 where one could not "
            "be read or formatted.",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_most = FORMATTING_PATHS_MAX,
    .run = run};

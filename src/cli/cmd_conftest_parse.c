/* cmd_conftest_parse.c - `plumb conftest parse`: configuration files as the JSON that policies see.
 */
#include <assert.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/conftest_setup.h"
#include "cli/rows.h"
#include "policy/inputs.h"
#include "policy/plain.h"
#include "wire/json.h"

enum { PARSER, COMBINE, CONFIG_FILE, OPTION_COUNT };

static const struct option options[] = {
    [PARSER] = {.name = "parser",
                .kind = OPTION_STRING,
                .arg = "NAME",
                .choices = policy_parser_names,
                .open = true,
                .text = "what all files are read as, whatever their endings"},
    [COMBINE] = {.name = "combine",
                 .kind = OPTION_FLAG,
                 .text = "one document of all files: an array of path and contents"},
    [CONFIG_FILE] = ROW_CONFTEST_CONFIG,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

/* The value of a file, whole again. */
static void whole(const struct policy_input *input, struct value *ret)
{
    bool alone = input->n == 1 && input->doc[0].kind != VALUE_TUPLE;
    *ret = alone ? input->doc[0] : value_items(VALUE_TUPLE, input->doc, input->n);
}

static bool by_path(struct arena *arena, const struct policy_inputs *inputs, struct value *ret,
                    struct err *err)
{
    struct value_member *members = arena_new(arena, struct value_member, inputs->n);
    if (!members)
        return arena_full(arena, err);
    for (size_t i = 0; i < inputs->n; i++) {
        members[i].key = key_make(arena, inputs->input[i].path);
        whole(&inputs->input[i], &members[i].value);
        if (!members[i].key)
            return arena_full(arena, err);
    }
    return value_members(VALUE_OBJECT, members, inputs->n, ret, NULL, err);
}

static bool run(const struct app *app, const struct invocation *given, int *ret_exit,
                struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << 34};
    AUTO_BUF compact = {.limit = BUF_DEFAULT_LIMIT}, out = {.limit = BUF_DEFAULT_LIMIT};
    struct jsonw w = {.out = &compact};
    struct policy_inputs inputs;
    struct invocation in;
    struct value v;
    if (!conftest_setup(&arena, app, options, OPTION_COUNT, given, CONFIG_FILE, &in, err))
        return false;
    const struct policy_inputs_options how = {.parser = in.value[PARSER].text};
    if (!policy_inputs_read(&arena, in.args, in.nargs, &how, &inputs, err))
        return false;
    bool combine = in.value[COMBINE].set;
    if (!combine && inputs.n == 1)
        whole(&inputs.input[0], &v);
    else if (!(combine ? policy_inputs_combine(&arena, &inputs, &v, err)
                       : by_path(&arena, &inputs, &v, err)))
        return false;
    policy_json_value(&w, &v);
    policy_json_indent(&out, buf_view(&compact), combine ? STR("\t") : STR("  "));
    buf_char(&out, '\n');
    if (!buf_ok(&compact, err) || !buf_ok(&out, err))
        return false;
    (void)fwrite(out.ptr, 1, out.len, app->out);
    *ret_exit = 0;
    return true;
}

const struct command cmd_conftest_parse = {
    .name = "conftest parse",
    .usage = "plumb conftest parse FILE... [options]",
    .summary = "configuration files as the JSON that policies see, as conftest does",
    .help = "Of one file its value, of several an object by path, with --combine an array.\n\n"
            "Exit codes: 0, or 1 where a file cannot be read.\n\n"
            "  plumb conftest parse Dockerfile\n"
            "  plumb conftest parse --parser hcl2 main.tf",
    .options = options,
    .noptions = OPTION_COUNT,
    .pflag = true,
    .args_least = 1,
    .args_most = SIZE_MAX,
    .run = run};

/* cmd_fmt.c - `plumb fmt`: configuration files in the form of `terraform fmt`. */
#include "base/arena.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/formatting.h"
#include "cli/problems.h"
#include "lang/hcl/format.h"

enum { CHECK, DIFF, LIST, RECURSIVE, WRITE, OPTION_COUNT };
static const char *const truths[] = {"true", "false", NULL};
static const struct option options[] = {
    [CHECK] = {.name = "check",
               .kind = OPTION_FLAG,
               .text = "write nothing; exit with 3 where a file is not in its form"},
    [DIFF] = {.name = "diff", .kind = OPTION_FLAG, .text = "print what changes as a unified diff"},
    [LIST] = {.name = "list",
              .kind = OPTION_STRING,
              .arg = "true|false",
              .text = "print the names of the files that change; true unless it says false",
              .choices = truths},
    [RECURSIVE] = {.name = "recursive", .kind = OPTION_FLAG, .text = "files in folders below, too"},
    [WRITE] = {.name = "write",
               .kind = OPTION_STRING,
               .arg = "true|false",
               .text = "write the files; true unless it says false",
               .choices = truths},
};

/* Names that Terraform and OpenTofu format; JSON has no form of its own. */
static const struct str endings[] = {
    STR_INIT(".tf"),          STR_INIT(".tofu"),         STR_INIT(".tfvars"),
    STR_INIT(".tftest.hcl"),  STR_INIT(".tofutest.hcl"), STR_INIT(".tfmock.hcl"),
    STR_INIT(".tfquery.hcl"),
};

static bool is_formattable(struct str name)
{
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (str_ends(name, endings[i]))
            return true;
    return false;
}

static bool format(struct formatting *f, struct str path, struct str before, struct str *ret,
                   struct err *err)
{
    struct hcl_diags diags = {.arena = f->content};
    if (hcl_format_text(f->content, before, path, &diags, ret, err))
        return true;
    if (diags.n == 0)
        return err_wrap(err, "%.*s", STR_ARG(path));
    problems_print(f->app->err, &diags, before, !str_ends(path, STR(".tfvars")));
    f->failed = true;
    *ret = before;
    err_clear(err);
    return true;
}

static bool is_false(const struct option_value *value)
{
    return value->set && str_equal(value->text, STR("false"));
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA names = {.limit = ARENA_DEFAULT_LIMIT};
    AUTO_ARENA content = {.limit = (size_t)4 * ARENA_DEFAULT_LIMIT};
    struct formatting f = {
        .app = app,
        .command = "fmt",
        .check = in->value[CHECK].set,
        .diff = in->value[DIFF].set,
        .list = !is_false(&in->value[LIST]),
        .write = !in->value[CHECK].set && !is_false(&in->value[WRITE]),
        .recursive = in->value[RECURSIVE].set,
        .names = &names,
        .content = &content,
        .size_max = HCL_SIZE_MAX,
        .is_file = is_formattable,
        .wanted = "a file that ends in .tf, .tofu, .tfvars, .tftest.hcl or .tofutest.hcl",
        .format = format};
    if (!formatting_run(&f, in, err))
        return false;
    *ret_exit = formatting_exit(&f);
    return true;
}

const struct command cmd_fmt = {
    .name = "fmt",
    .usage = "plumb fmt [PATH...|-] [options]",
    .summary = "write configuration files in the form of terraform fmt",
    .help =
        "Each PATH is a file or a folder; without one it is the folder here. A single dash reads "
        "standard input and prints the result. The result is what terraform fmt gives, byte for "
        "byte. A file with a syntax error is reported with its place and left as it is; JSON "
        "files are not touched. Exit codes: 0, 3 with --check where a file is not in its form, "
        "1 where one could not be read.",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_most = FORMATTING_PATHS_MAX,
    .run = run};

/* cmd_fmt.c - `plumb fmt`: configuration files in the form of `terraform fmt`. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/pathname.h"
#include "base/textdiff.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/problems.h"
#include "lang/hcl/format.h"
#include "model/finding.h"

enum { NAMES_MAX = 1000000, FOLDERS_DEEP = 200, PATHS_MAX = 10000 };
enum { EXIT_UNFORMATTED = EXIT_VIOLATION };

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

struct job {
    const struct app *app;
    bool check, diff, list, write, recursive;
    struct arena *names;   /* of the whole run */
    struct arena *content; /* of one file */
    bool differs, failed;
};

static bool is_formattable(struct str name)
{
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (str_ends(name, endings[i]))
            return true;
    return false;
}

/* Hidden files and what editors leave behind. */
static bool is_ignored(struct str name)
{
    return str_starts(name, STR(".")) || str_ends(name, STR("~")) ||
           (str_starts(name, STR("#")) && str_ends(name, STR("#")));
}

/* One file that could not be dealt with does not keep the others from it. */
static void tell(struct job *job, const struct err *err)
{
    char text[ERR_FRAMES_MAX * ERR_TEXT_MAX];
    job->failed = true;
    (void)fprintf(job->app->err, "plumb fmt: %s\n", err_text(err, text, sizeof text));
}

static bool print_diff(struct job *job, struct str path, struct str before, struct str after,
                       struct err *err)
{
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    struct str old_name = arena_printf(job->content, "old/%.*s", STR_ARG(path));
    struct str new_name = arena_printf(job->content, "new/%.*s", STR_ARG(path));
    if (!textdiff_unified(job->content, old_name, before, new_name, after, &out, err))
        return err_wrap(err, "%.*s", STR_ARG(path));
    (void)fwrite(out.ptr, 1, out.len, job->app->out);
    return true;
}

/* In place of the file that a link leads to, with its mode. */
static bool write_file(struct str path, struct str text, struct err *err)
{
    struct stat st;
    char *real = realpath(path.ptr, NULL);
    if (!real || stat(real, &st) < 0) {
        free(real);
        return err_set(err, ERR_IO, "%s: %s", path.ptr, strerror(errno));
    }
    bool ok = io_write_file_atomic(real, text, st.st_mode & 07777u, err);
    free(real);
    return ok;
}

static bool format(struct job *job, struct str path, struct str before, struct str *ret,
                   struct err *err)
{
    struct hcl_diags diags = {.arena = job->content};
    if (hcl_format_text(job->content, before, path, &diags, ret, err))
        return true;
    if (diags.n == 0)
        return err_wrap(err, "%.*s", STR_ARG(path));
    problems_print(job->app->err, &diags, before, !str_ends(path, STR(".tfvars")));
    job->failed = true;
    *ret = before;
    err_clear(err);
    return true;
}

static bool format_file(struct job *job, struct str path, struct err *err)
{
    struct str before, after;
    if (!io_read_file(job->content, path.ptr, HCL_SIZE_MAX, &before, err) ||
        !format(job, path, before, &after, err))
        return false;
    if (str_equal(before, after))
        return true;
    job->differs = true;
    if (job->list)
        (void)fprintf(job->app->out, "%s\n", path.ptr);
    return (!job->write || write_file(path, after, err)) &&
           (!job->diff || print_diff(job, path, before, after, err));
}

static void do_file(struct job *job, struct str path)
{
    struct err err = {0};
    if (!format_file(job, path, &err))
        tell(job, &err);
    arena_reset(job->content);
}

static bool read_folder(struct job *job, struct str path, unsigned depth_left, struct err *err);

static bool do_entry(struct job *job, struct str folder, struct str name, unsigned depth_left,
                     struct err *err)
{
    struct stat st;
    bool file = is_formattable(name);
    if (is_ignored(name) || (!file && !job->recursive))
        return true;
    struct str path = io_join(job->names, str_equal(folder, STR(".")) ? STR("") : folder, name);
    if (!path.ptr)
        return arena_full(job->names, err);
    if (lstat(path.ptr, &st) < 0)
        return err_set(err, ERR_IO, "%s: %s", path.ptr, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return !job->recursive || read_folder(job, path, depth_left - 1, err);
    if (file)
        do_file(job, path);
    return true;
}

static bool read_folder(struct job *job, struct str path, unsigned depth_left, struct err *err)
{
    struct str *names;
    size_t n;
    if (depth_left == 0)
        return err_set(err, ERR_LIMIT, "%s: folders nested deeper than %d", path.ptr, FOLDERS_DEEP);
    if (!io_list_dir(job->names, path.ptr, NAMES_MAX, &names, &n, err))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!do_entry(job, path, names[i], depth_left, err)) {
            tell(job, err);
            err_clear(err);
        }
    return true;
}

static bool do_path(struct job *job, struct str given, struct err *err)
{
    struct stat st;
    struct str path = pathname_clean(job->names, given);
    if (!path.ptr)
        return arena_full(job->names, err);
    if (stat(path.ptr, &st) < 0)
        return err_set(err, ERR_IO, "%s: %s", path.ptr, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return read_folder(job, path, FOLDERS_DEEP, err);
    if (!is_formattable(path))
        return err_set(err, ERR_USAGE,
                       "%s: not a file that can be formatted; give a folder, or a file that ends "
                       "in .tf, .tofu, .tfvars, .tftest.hcl or .tofutest.hcl",
                       path.ptr);
    do_file(job, path);
    return true;
}

/* "-": the text itself goes out, unless only the difference or the exit code is wanted. */
static bool do_standard_input(struct job *job, struct err *err)
{
    struct str before, after;
    if (!io_read_fd(job->content, STDIN_FILENO, "standard input", HCL_SIZE_MAX, &before, err) ||
        !format(job, STR("<stdin>"), before, &after, err))
        return false;
    job->differs = !str_equal(before, after);
    if (job->diff)
        return print_diff(job, STR("<stdin>"), before, after, err);
    if (!job->check && !job->failed)
        (void)fwrite(after.ptr, 1, after.len, job->app->out);
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
    struct job job = {.app = app,
                      .check = in->value[CHECK].set,
                      .diff = in->value[DIFF].set,
                      .list = !is_false(&in->value[LIST]),
                      .write = !in->value[CHECK].set && !is_false(&in->value[WRITE]),
                      .recursive = in->value[RECURSIVE].set,
                      .names = &names,
                      .content = &content};
    if (in->nargs == 1 && str_equal(in->args[0], STR("-"))) {
        if (!do_standard_input(&job, err))
            return false;
    } else if (in->nargs == 0 && !do_path(&job, STR("."), err)) {
        return false;
    }
    for (size_t i = 0; i < in->nargs && !str_equal(in->args[0], STR("-")); i++)
        if (!do_path(&job, in->args[i], err))
            return false;
    *ret_exit = job.failed ? EXIT_ERROR : job.check && job.differs ? EXIT_UNFORMATTED : 0;
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
    .args_most = PATHS_MAX,
    .run = run};

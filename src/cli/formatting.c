/* formatting.c - what the commands that format files share: finding files, writing, showing. */
#include "cli/formatting.h"

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
#include "model/finding.h"

enum { NAMES_MAX = 1000000, FOLDERS_DEEP = 200 };
enum { EXIT_UNFORMATTED = EXIT_VIOLATION };

/* Hidden files and what editors leave behind. */
static bool is_ignored(struct str name)
{
    return str_starts(name, STR(".")) || str_ends(name, STR("~")) ||
           (str_starts(name, STR("#")) && str_ends(name, STR("#")));
}

/* One file that could not be dealt with does not keep the others from it. */
static void tell(struct formatting *f, const struct err *err)
{
    char text[ERR_FRAMES_MAX * ERR_TEXT_MAX];
    f->failed = true;
    (void)fprintf(f->app->err, "plumb %s: %s\n", f->command, err_text(err, text, sizeof text));
}

static bool print_diff(struct formatting *f, struct str path, struct str before, struct str after,
                       struct err *err)
{
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    struct str old_name = arena_printf(f->content, "old/%.*s", STR_ARG(path));
    struct str new_name = arena_printf(f->content, "new/%.*s", STR_ARG(path));
    if (!textdiff_unified(f->content, old_name, before, new_name, after, &out, err))
        return err_wrap(err, "%.*s", STR_ARG(path));
    (void)fwrite(out.ptr, 1, out.len, f->app->out);
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

static bool format_file(struct formatting *f, struct str path, struct err *err)
{
    struct str before, after;
    bool failed = f->failed;
    f->failed = false;
    if (!io_read_file(f->content, path.ptr, f->size_max, &before, err) ||
        !f->format(f, path, before, &after, err))
        return false;
    bool good = !f->failed;
    f->failed |= failed;
    if (f->print && good && !f->check && !f->diff && !f->write)
        (void)fwrite(after.ptr, 1, after.len, f->app->out);
    if (str_equal(before, after))
        return true;
    f->differs = true;
    if (f->list)
        (void)fprintf(f->app->out, "%s\n", path.ptr);
    return (!f->write || write_file(path, after, err)) &&
           (!f->diff || print_diff(f, path, before, after, err));
}

static void do_file(struct formatting *f, struct str path)
{
    struct err err = {0};
    if (!format_file(f, path, &err))
        tell(f, &err);
    arena_reset(f->content);
}

static bool read_folder(struct formatting *f, struct str path, unsigned depth_left,
                        struct err *err);

static bool do_entry(struct formatting *f, struct str folder, struct str name, unsigned depth_left,
                     struct err *err)
{
    struct stat st;
    bool file = f->is_file(name);
    if (is_ignored(name) || (!file && !f->recursive))
        return true;
    struct str path = io_join(f->names, str_equal(folder, STR(".")) ? STR("") : folder, name);
    if (!path.ptr)
        return arena_full(f->names, err);
    if (lstat(path.ptr, &st) < 0)
        return err_set(err, ERR_IO, "%s: %s", path.ptr, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return !f->recursive || read_folder(f, path, depth_left - 1, err);
    if (file)
        do_file(f, path);
    return true;
}

static bool read_folder(struct formatting *f, struct str path, unsigned depth_left, struct err *err)
{
    struct str *names;
    size_t n;
    if (depth_left == 0)
        return err_set(err, ERR_LIMIT, "%s: folders nested deeper than %d", path.ptr, FOLDERS_DEEP);
    if (!io_list_dir(f->names, path.ptr, NAMES_MAX, &names, &n, err))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!do_entry(f, path, names[i], depth_left, err)) {
            tell(f, err);
            err_clear(err);
        }
    return true;
}

static bool do_path(struct formatting *f, struct str given, struct err *err)
{
    struct stat st;
    struct str path = pathname_clean(f->names, given);
    if (!path.ptr)
        return arena_full(f->names, err);
    if (stat(path.ptr, &st) < 0)
        return err_set(err, ERR_IO, "%s: %s", path.ptr, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return read_folder(f, path, FOLDERS_DEEP, err);
    if (!f->is_file(path))
        return err_set(err, ERR_USAGE, "%s: not a file that can be formatted; give a folder, or %s",
                       path.ptr, f->wanted);
    do_file(f, path);
    return true;
}

/* "-": the text itself goes out, unless only the difference or the exit code is wanted. */
static bool do_standard_input(struct formatting *f, struct err *err)
{
    struct str before, after;
    if (!io_read_fd(f->content, STDIN_FILENO, "standard input", f->size_max, &before, err) ||
        !f->format(f, STR("<stdin>"), before, &after, err))
        return false;
    f->differs = !str_equal(before, after);
    if (f->diff)
        return print_diff(f, STR("<stdin>"), before, after, err);
    if (!f->check && !f->failed)
        (void)fwrite(after.ptr, 1, after.len, f->app->out);
    return true;
}

bool formatting_run(struct formatting *f, const struct invocation *in, struct err *err)
{
    if (in->nargs == 1 && str_equal(in->args[0], STR("-")))
        return do_standard_input(f, err);
    if (in->nargs == 0)
        return do_path(f, STR("."), err);
    for (size_t i = 0; i < in->nargs; i++)
        if (!do_path(f, in->args[i], err))
            return false;
    return true;
}

int formatting_exit(const struct formatting *f)
{
    return f->failed ? EXIT_ERROR : f->check && f->differs ? EXIT_UNFORMATTED : 0;
}

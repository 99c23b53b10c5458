/* adopt_give.c - edits given away: as a difference, into the files, or as a commit on a branch. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/io.h"
#include "base/pathname.h"
#include "base/textdiff.h"
#include "cli/adopting.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/store_setup.h"
#include "cli/who.h"
#include "model/actor.h"
#include "record/audit.h"
#include "respond/branch.h"

enum { FILE_BYTES_MAX = 256 << 20, MODE_NEW = 0644 };

void adopting_say(const struct adopting *a, const char *fmt, ...)
{
    va_list args;
    (void)fflush(a->app->out); /* what was given before stands before it */
    (void)fputs("plumb adopt: ", a->app->err);
    va_start(args, fmt);
    (void)vfprintf(a->app->err, fmt, args);
    va_end(args);
    (void)fputc('\n', a->app->err);
}

/* As a difference names it: from where we are, if it is below. */
static struct str shown_path(struct adopting *a, struct str path)
{
    char here[4096];
    struct str clean = pathname_clean(a->arena, path), below = {0};
    if (!clean.ptr || clean.ptr[0] != '/')
        return clean;
    if (realpath(".", here))
        below = pathname_below(str_from(here), clean);
    return below.ptr ? below : str_sub(clean, 1, clean.len);
}

static bool print_diff(struct adopting *a, const struct adopt_file *file, struct err *err)
{
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    struct str shown = shown_path(a, file->path);
    struct str before =
        file->before.ptr ? arena_printf(a->arena, "a/%.*s", STR_ARG(shown)) : STR("/dev/null");
    struct str after = arena_printf(a->arena, "b/%.*s", STR_ARG(shown));
    if (!shown.ptr || !before.ptr || !after.ptr)
        return arena_full(a->arena, err);
    if (!textdiff_unified(a->arena, before, file->before.ptr ? file->before : STR(""), after,
                          file->after, &out, err))
        return err_wrap(err, "%.*s", STR_ARG(shown));
    if (fwrite(out.ptr, 1, out.len, a->app->out) != out.len)
        return err_set(err, ERR_IO, "write to standard output: %s", strerror(errno));
    return true;
}

/* In place of the file that a link leads to, with its mode; not over what somebody else wrote in
 * the meantime. */
static bool write_over(struct adopting *a, const struct adopt_file *file, struct err *err)
{
    struct stat st;
    struct str now;
    char *real = realpath(file->path.ptr, NULL);
    if (!real || stat(real, &st) < 0) {
        free(real);
        return err_set(err, ERR_IO, "%.*s: %s", STR_ARG(file->path), strerror(errno));
    }
    bool ok = io_read_file(a->arena, real, FILE_BYTES_MAX, &now, err) &&
              (str_equal(now, file->before) ||
               err_set(err, ERR_CONFLICT, "%.*s was edited meanwhile; nothing was written to it",
                       STR_ARG(file->path))) &&
              io_write_file_atomic(real, file->after, st.st_mode & 07777u, err);
    free(real);
    return ok;
}

static bool write_file(struct adopting *a, const struct adopt_file *file, struct err *err)
{
    if (file->before.ptr)
        return write_over(a, file, err);
    if (io_exists(file->path.ptr))
        return err_set(err, ERR_CONFLICT, "%.*s is there already", STR_ARG(file->path));
    return io_write_file_atomic(file->path.ptr, file->after, MODE_NEW, err);
}

static bool make_branch(struct adopting *a, const struct adopt_result *result, struct err *err)
{
    struct branch_file *file = arena_new(a->arena, struct branch_file, result->nfiles);
    struct str branch = a->in->value[ADOPT_BRANCH].text, hash;
    struct str message = arena_printf(a->arena,
                                      "code: %.*s as it is live\n\nMade by plumb adopt. Evaluating "
                                      "the code before and after shows no other difference.\n",
                                      STR_ARG(a->address));
    if (!file || !message.ptr)
        return arena_full(a->arena, err);
    for (size_t i = 0; i < result->nfiles; i++)
        file[i] = (struct branch_file){result->file[i].path, result->file[i].before,
                                       result->file[i].after};
    if (!branch_commit(a->arena, a->stack.path, branch, message, file, result->nfiles, &hash, err))
        return err_wrap(err, "--branch");
    adopting_say(a, "branch %.*s has it, commit %.*s", STR_ARG(branch), (int)12, hash.ptr);
    return true;
}

/* --- the event: before anything is written --- */

static bool fill_event(struct adopting *a, const struct adopt_result *result, struct event *ret,
                       struct err *err)
{
    struct event_input *input = arena_new(a->arena, struct event_input, result->nfiles);
    bool branch = a->in->value[ADOPT_BRANCH].set;
    struct actor actor;
    struct event event = {.type = EVENT_ADOPT,
                          .stack = a->stack.name,
                          .subject = a->address,
                          .outcome = branch ? STR("branch") : STR("write"),
                          .reason = branch ? a->in->value[ADOPT_BRANCH].text : STR(""),
                          .input = input,
                          .ninputs = result->nfiles};
    if (!input)
        return arena_full(a->arena, err);
    for (size_t i = 0; i < result->nfiles; i++) {
        input[i].name = shown_path(a, result->file[i].path);
        if (!input[i].name.ptr)
            return arena_full(a->arena, err);
        if (!digest_text_of(a->arena, result->file[i].after, &input[i].digest, err))
            return false;
    }
    if (!who_am_i(a->app, a->arena, &actor, err))
        return false;
    event.actor = actor_of_event(&actor);
    *ret = event;
    return true;
}

/* Where there is a store: what cannot be put on record is not done. */
static bool tell(struct adopting *a, const struct adopt_result *result, struct err *err)
{
    struct store_choice choice;
    struct record record = {0};
    struct event event;
    if (!store_choose(a->arena, a->app, a->config, NULL, &choice, err))
        return false;
    if (!choice.chosen && !choice.there)
        return true;
    if (!fill_event(a, result, &event, err) ||
        !store_open(a->arena, a->app, &choice, STORE_WRITE, &record, err))
        return err_wrap(err, "nothing was written, for it could not be recorded");
    bool ok = audit_write(&record, &event, NULL, err);
    store_close(a->app, &record);
    return ok || err_wrap(err, "nothing was written, for it could not be recorded");
}

bool adopting_give(struct adopting *a, const struct adopt_result *result, struct err *err)
{
    for (size_t i = 0; i < result->nfiles; i++)
        if (!print_diff(a, &result->file[i], err))
            return false;
    if (result->nfiles == 0)
        return true;
    bool branch = a->in->value[ADOPT_BRANCH].set, write = a->in->value[ADOPT_WRITE].set;
    if ((branch || write) && !tell(a, result, err))
        return false;
    if (branch)
        return make_branch(a, result, err);
    for (size_t i = 0; write && i < result->nfiles; i++) {
        if (!write_file(a, &result->file[i], err))
            return err_wrap(err, "--write");
        struct str path = pathname_clean(a->arena, result->file[i].path);
        adopting_say(a, "wrote %.*s", STR_ARG(path));
    }
    return true;
}

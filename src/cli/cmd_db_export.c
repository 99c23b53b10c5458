/* cmd_db_export.c - `plumb db export`: the whole store as NDJSON. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/rows.h"
#include "cli/store_setup.h"
#include "record/portable.h"

enum { WITH_STATES, CONFIG, STORE, OPTION_COUNT };
static const struct option options[] = {
    [WITH_STATES] = {.name = "with-states",
                     .kind = OPTION_FLAG,
                     .text =
                         "also states that the store keeps, with the secrets in them, and tokens"},
    [CONFIG] = ROW_CONFIG,
    [STORE] = ROW_STORE,
};

static bool write_bytes(void *ctx, struct str bytes, struct err *err)
{
    return io_write_all(*(const int *)ctx, bytes, err);
}

/* Beside the file first: nobody takes half an export for one. */
static bool export_to(struct record *record, struct arena *arena, struct str path, bool with_states,
                      int64_t *ret_rows, struct err *err)
{
    struct str whole = arena_dup(arena, path);
    struct str half = arena_printf(arena, "%.*s.%lld.part", STR_ARG(path), (long long)getpid());
    if (!whole.ptr || !half.ptr)
        return arena_full(arena, err);
    AUTO_FD fd = open(half.ptr, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, ERR_IO, "%s: %s", half.ptr, strerror(errno));
    const struct export_options how = {with_states, write_bytes, &fd};
    bool ok = store_export(record, &how, ret_rows, err);
    if (ok && (fsync(fd) != 0 || rename(half.ptr, whole.ptr) != 0))
        ok = err_set(err, ERR_IO, "%s: %s", whole.ptr, strerror(errno));
    if (!ok)
        (void)unlink(half.ptr);
    return ok;
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct store_choice choice;
    struct record record = {0};
    int64_t rows = 0;
    int out = fileno(app->out);
    bool states = in->value[WITH_STATES].set, file = in->nargs && !str_equal(in->args[0], STR("-"));
    const struct export_options how = {states, write_bytes, &out};
    if (!store_find(&arena, app, &in->value[CONFIG], &in->value[STORE], &choice, err) ||
        !store_open(&arena, app, &choice, STORE_READ, &record, err))
        return false;
    bool ok = file ? export_to(&record, &arena, in->args[0], states, &rows, err)
                   : store_export(&record, &how, &rows, err);
    record_close(&record);
    if (ok && file)
        (void)fprintf(app->out, "%lld rows\n", (long long)rows);
    *ret_exit = 0;
    return ok;
}

const struct command cmd_db_export = {
    .name = "db export",
    .usage = "plumb db export [FILE] [options]",
    .summary = "the whole store as NDJSON, for `plumb db import`",
    .help =
        "One moment of the store, to FILE (mode 0600, there only when it is whole) or standard "
        "output. It goes into a store of either kind; the keys beside the store are not in it and "
        "have to be brought along.\n\n"
        "  plumb db export backup.ndjson\n"
        "  plumb db export | plumb db import --store postgres://db.example.org/plumb -",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_most = 1,
    .run = run};

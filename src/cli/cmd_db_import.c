/* cmd_db_import.c - `plumb db import`: an export into a new store. */
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

enum { CONFIG, STORE, OPTION_COUNT };
static const struct option options[] = {[CONFIG] = ROW_CONFIG, [STORE] = ROW_STORE};

static bool read_bytes(void *ctx, char *to, size_t room, size_t *ret_n, struct err *err)
{
    for (;;) {
        ssize_t n = read(*(const int *)ctx, to, room);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ERR_IO, "read the export: %s", strerror(errno));
        *ret_n = (size_t)n;
        return true;
    }
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct store_choice choice;
    struct record record = {0};
    int64_t rows = 0;
    bool file = !str_equal(in->args[0], STR("-"));
    struct str path = arena_dup(&arena, in->args[0]);
    if (!path.ptr)
        return arena_full(&arena, err);
    AUTO_FD opened = file ? open(path.ptr, O_RDONLY | O_CLOEXEC) : -1;
    if (file && opened < 0)
        return err_set(err, ERR_IO, "%s: %s", path.ptr, strerror(errno));
    int from = file ? opened : STDIN_FILENO;
    const struct import_source source = {read_bytes, &from, file ? path.ptr : "standard input"};
    if (!store_find(&arena, app, &in->value[CONFIG], &in->value[STORE], &choice, err) ||
        !store_open(&arena, app, &choice, STORE_WRITE, &record, err))
        return false;
    bool ok = store_import(&record, &source, &rows, err);
    if (ok)
        (void)fprintf(app->out, "%lld rows into %.*s\n", (long long)rows,
                      STR_ARG(db_shown(record.db)));
    record_close(&record);
    *ret_exit = 0;
    return ok;
}

const struct command cmd_db_import = {
    .name = "db import",
    .usage = "plumb db import FILE [options]",
    .summary = "an export into a new store of either kind",
    .help =
        "All of it or nothing; an export that was cut short or changed is refused. The store must "
        "be new. FILE may be - for standard input. Bring the keys of the old store along.",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_least = 1,
    .args_most = 1,
    .run = run};

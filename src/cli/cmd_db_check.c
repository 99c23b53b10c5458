/* cmd_db_check.c - `plumb db check`: is the store whole? */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/rows.h"
#include "cli/store_setup.h"
#include "record/maintain.h"
#include "report/parts.h"

enum { CONFIG, STORE, OPTION_COUNT };
static const struct option options[] = {[CONFIG] = ROW_CONFIG, [STORE] = ROW_STORE};

static bool tell(void *ctx, struct str sentence, struct err *err)
{
    const struct app *app = *(const struct app *const *)ctx;
    AUTO_BUF line = {.limit = 1 << 16};
    text_safe(&line, sentence);
    buf_char(&line, '\n');
    return (buf_ok(&line, err) && fwrite(line.ptr, 1, line.len, app->out) == line.len) ||
           err_set(err, ERR_IO, "write to standard output");
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct store_choice choice;
    struct record record = {0};
    int64_t n = 0;
    if (!store_find(&arena, app, &in->value[CONFIG], &in->value[STORE], &choice, err) ||
        !store_open(&arena, app, &choice, STORE_READ, &record, err))
        return false;
    bool ok = store_check(&record, tell, &app, &n, err);
    if (ok && !n)
        (void)fprintf(app->out, "%.*s is good\n", STR_ARG(db_shown(record.db)));
    record_close(&record);
    *ret_exit = n ? 1 : 0;
    return ok;
}

const struct command cmd_db_check = {
    .name = "db check",
    .usage = "plumb db check [options]",
    .summary = "is the store whole?",
    .help =
        "The file's own structure (SQLite), and what must hold between its tables; a line for "
        "each thing that does not, and exit code 1. `plumb audit verify` checks the log itself.",
    .options = options,
    .noptions = OPTION_COUNT,
    .run = run};

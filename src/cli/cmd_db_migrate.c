/* cmd_db_migrate.c - `plumb db migrate`: make the store, or bring it to this plumb's schema. */
#include "base/arena.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/rows.h"
#include "cli/store_setup.h"
#include "record/schema.h"

enum { CONFIG, STORE, OPTION_COUNT };
static const struct option options[] = {[CONFIG] = ROW_CONFIG, [STORE] = ROW_STORE};

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct store_choice choice;
    struct record record = {0};
    struct str key;
    int64_t version = 0;
    if (!store_find(&arena, app, &in->value[CONFIG], &in->value[STORE], &choice, err) ||
        !store_open(&arena, app, &choice, STORE_WRITE, &record, err))
        return false;
    bool ok = record_key(&record, &key, err) && schema_version(record.db, &version, err);
    if (ok)
        (void)fprintf(app->out, "%.*s has schema %lld\n", STR_ARG(db_shown(record.db)),
                      (long long)version);
    record_close(&record);
    *ret_exit = 0;
    return ok;
}

const struct command cmd_db_migrate = {
    .name = "db migrate",
    .usage = "plumb db migrate [options]",
    .summary = "make the store, or bring it to the schema of this plumb",
    .help = "Whatever writes to the store does this by itself; here it is done alone, before many "
            "begin, or where others may only read.",
    .options = options,
    .noptions = OPTION_COUNT,
    .run = run};

/* cmd_token_revoke.c - `plumb token revoke`: a token that counts no more. */
#include "base/arena.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/rows.h"
#include "cli/store_setup.h"
#include "cli/who.h"
#include "record/audit.h"
#include "record/tokens.h"

enum { CONFIG, STORE, OPTION_COUNT };
static const struct option options[] = {
    [CONFIG] = ROW_CONFIG,
    [STORE] = ROW_STORE,
};

/* Together with its event. */
static bool revoke(struct record *record, const struct actor *by, int64_t id, struct err *err)
{
    struct event event = {.type = EVENT_CONFIG,
                          .actor = {.name = by->name, .how = by->how},
                          .subject = arena_printf(record->arena, "token %lld", (long long)id),
                          .outcome = STR("revoked")};
    if (!db_begin(record->db, DB_WRITE, err))
        return false;
    if (token_revoke(record->db, id, record_now(record), err) &&
        audit_append(record, &event, NULL, err) && db_commit(record->db, err))
        return true;
    db_rollback(record->db);
    return false;
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct store_choice choice = {0};
    struct record record = {0};
    struct actor by = {0};
    int64_t id = 0;
    if (!str_to_int64(in->args[0], &id) || id < 1)
        return err_set(err, ERR_USAGE,
                       "'%.*s' is no number of a token; `plumb token list` shows "
                       "them",
                       STR_ARG(in->args[0]));
    if (!who_am_i(app, &arena, &by, err) ||
        !store_find(&arena, app, &in->value[CONFIG], &in->value[STORE], &choice, err) ||
        !store_open(&arena, app, &choice, STORE_CHANGE, &record, err))
        return false;
    bool ok = revoke(&record, &by, id, err);
    store_close(app, &record);
    *ret_exit = 0;
    return ok;
}

const struct command cmd_token_revoke = {
    .name = "token revoke",
    .usage = "plumb token revoke ID [options]",
    .summary = "take a token of plumb serve out of use",
    .help = "A running service refuses it within a second. What it has locked stays locked, for "
            "an admin to give back.",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_least = 1,
    .args_most = 1,
    .run = run};

/* cmd_audit_prune.c - `plumb audit prune FILE`: what an export holds is taken out of the store. */
#include <assert.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io_big.h"
#include "cli/app.h"
#include "cli/audit_setup.h"
#include "cli/command.h"
#include "cli/rows.h"
#include "cli/store_setup.h"
#include "cli/who.h"
#include "record/audit_export.h"
#include "record/audit_prune.h"

enum { CONFIG, STORE, OPTION_COUNT };
static const struct option options[] = {
    [CONFIG] = ROW_CONFIG,
    [STORE] = ROW_STORE,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)4 * ARENA_DEFAULT_LIMIT};
    struct record record;
    struct actor actor;
    struct io_big file;
    int64_t kept = 0;
    struct str path = arena_dup(&arena, in->args[0]);
    if (!path.ptr)
        return arena_full(&arena, err);
    if (!who_am_i(app, &arena, &actor, err) ||
        !audit_open(&arena, app, &in->value[CONFIG], &in->value[STORE], AUDIT_CHANGE, &record, err))
        return false;
    struct event_actor by = actor_of_event(&actor);
    bool ok = io_big_read(path.ptr, AUDIT_EXPORT_MAX, &file, err);
    if (ok) {
        ok = audit_prune(&record, &arena, file.text, &by, &kept, err);
        io_big_free(&file);
    }
    store_close(app, &record);
    if (!ok)
        return false;
    (void)fprintf(app->out, "events before %lld are no longer in the store; keep %s\n",
                  (long long)kept, path.ptr);
    *ret_exit = 0;
    return true;
}

const struct command cmd_audit_prune = {
    .name = "audit prune",
    .usage = "plumb audit prune FILE [options]",
    .summary = "take the events that an export holds out of the store",
    .help = "FILE is an export that verifies and begins where the store begins. The tree's hashes "
            "stay, so that everything left is still provable; the log says what was taken out and "
            "the digest of the export. Whole blocks of 256 events go.\n\n"
            "  plumb audit export --until 365d -o audit-old.jsonl && plumb audit prune "
            "audit-old.jsonl",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_least = 1,
    .args_most = 1,
    .run = run};

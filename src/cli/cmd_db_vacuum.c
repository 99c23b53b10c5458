/* cmd_db_vacuum.c - `plumb db vacuum`: forget what is old, give room back. */
#include "base/arena.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/rows.h"
#include "cli/store_setup.h"
#include "cli/who.h"
#include "record/maintain.h"

enum { DAY_MS = 86400000 };

enum { KEEP, CONFIG, STORE, OPTION_COUNT };
static const struct option options[] = {
    [KEEP] = {.name = "keep",
              .kind = OPTION_DURATION,
              .arg = "TIME",
              .least = DAY_MS,
              .text = "take out resolved findings and runs that are older, such as 90d, instead of "
                      "what keep: in plumb.yaml says"},
    [CONFIG] = ROW_CONFIG,
    [STORE] = ROW_STORE,
};

static bool clean(const struct app *app, struct arena *arena, struct record *record,
                  int64_t keep_ms, struct err *err)
{
    struct actor actor;
    struct pruned pruned = {0};
    if (!who_am_i(app, arena, &actor, err))
        return false;
    const struct event_actor by = actor_of_event(&actor);
    if ((keep_ms && !store_prune(record, keep_ms, &by, &pruned, err)) || !store_vacuum(record, err))
        return false;
    if (keep_ms)
        (void)fprintf(app->out, "%lld resolved finding%s and %lld run%s taken out\n",
                      (long long)pruned.findings, pruned.findings == 1 ? "" : "s",
                      (long long)pruned.runs, pruned.runs == 1 ? "" : "s");
    return true;
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct store_choice choice;
    struct record record = {0};
    if (!store_find(&arena, app, &in->value[CONFIG], &in->value[STORE], &choice, err))
        return false;
    int64_t keep_ms = in->value[KEEP].set ? in->value[KEEP].number : choice.keep_ms;
    if (!choice.chosen && !choice.there) /* says how one comes to be */
        return store_open(&arena, app, &choice, STORE_READ, &record, err);
    if (!store_open(&arena, app, &choice, STORE_WRITE, &record, err))
        return false;
    bool ok = clean(app, &arena, &record, keep_ms, err);
    store_close(app, &record);
    *ret_exit = 0;
    return ok;
}

const struct command cmd_db_vacuum = {
    .name = "db vacuum",
    .usage = "plumb db vacuum [--keep TIME] [options]",
    .summary = "take out what is older than it has to be kept, and give its room back",
    .help =
        "Open findings stay however old they are, and so do each stack's last scan and its last "
        "complete one. The audit log is left alone: it has a retention of its own. Without --keep "
        "or keep: in plumb.yaml nothing is taken out.\n\n"
        "  plumb db vacuum --keep 90d",
    .options = options,
    .noptions = OPTION_COUNT,
    .run = run};

/* cmd_audit_checkpoint.c - `plumb audit checkpoint`: sign where the log stands, tell the witnesses.
 */
#include <assert.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/audit_setup.h"
#include "cli/command.h"
#include "cli/rows.h"
#include "record/audit_checkpoint.h"
#include "record/audit_witness.h"

enum { FILE_NAME, CONFIG, STORE, OPTION_COUNT };
static const struct option options[] = {
    [FILE_NAME] = ROW_AUDIT_FILE,
    [CONFIG] = ROW_CONFIG,
    [STORE] = ROW_STORE,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct record record;
    struct audit_signed made;
    if (!audit_open(&arena, app, &in->value[CONFIG], &in->value[STORE], AUDIT_SIGN, &record, err))
        return false;
    bool ok = audit_checkpoint_make(&record, &arena, &made, NULL, err) &&
              audit_witness_all(&record, &arena, &made, err);
    record_close(&record);
    if (!ok)
        return false;
    *ret_exit = 0;
    return audit_give(&arena, app, &in->value[FILE_NAME], made.note, err);
}

const struct command cmd_audit_checkpoint = {
    .name = "audit checkpoint",
    .usage = "plumb audit checkpoint [-o FILE] [options]",
    .summary = "sign how long the audit log is and what is in it, and tell the witnesses",
    .help =
        "A signed note (C2SP tlog-checkpoint). Who keeps it somewhere else can prove later that "
        "nothing before it was changed: `plumb audit verify --checkpoint FILE`. A log that does "
        "not continue what was signed before gets no checkpoint.\n\n"
        "  plumb audit checkpoint -o /mnt/elsewhere/checkpoint.txt",
    .options = options,
    .noptions = OPTION_COUNT,
    .run = run};

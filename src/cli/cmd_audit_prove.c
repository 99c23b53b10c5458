/* cmd_audit_prove.c - `plumb audit prove SEQ`: that one event is in the log, as a file. */
#include <assert.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/audit_setup.h"
#include "cli/command.h"
#include "cli/rows.h"
#include "record/audit_proof.h"

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
    struct str proof;
    int64_t seq;
    if (!audit_take_seq(in->args[0], &seq, err) ||
        !audit_open(&arena, app, &in->value[CONFIG], &in->value[STORE], AUDIT_SIGN, &record, err))
        return false;
    bool ok = audit_proof_write(&record, &arena, seq, &proof, err);
    record_close(&record);
    if (!ok)
        return false;
    *ret_exit = 0;
    return audit_give(&arena, app, &in->value[FILE_NAME], proof, err);
}

const struct command cmd_audit_prove = {
    .name = "audit prove",
    .usage = "plumb audit prove SEQ [options]",
    .summary = "a proof that one event is in the audit log, for somebody without it",
    .help = "A C2SP .tlog-proof: the event, its inclusion proof and a signed checkpoint. `plumb "
            "audit verify FILE --key KEY` checks it.\n\n"
            "  plumb audit prove 17 -o event-17.tlog-proof",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_least = 1,
    .args_most = 1,
    .run = run};

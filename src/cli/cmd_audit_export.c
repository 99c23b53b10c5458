/* cmd_audit_export.c - `plumb audit export`: a part of the log as a file, with all that proves it.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "cli/app.h"
#include "cli/audit_setup.h"
#include "cli/command.h"
#include "cli/rows.h"
#include "record/audit.h"
#include "record/audit_checkpoint.h"
#include "record/audit_export.h"
#include "record/audit_query.h"

static const char *const formats[] = {"plumb", "jsonl", "syslog", "ocsf", NULL};
static const char *const ocsf_versions[] = {"1.3", "1.8", "1.9", NULL};

enum { SINCE, UNTIL, FILE_NAME, FORMAT, OCSF_VERSION, CHECKPOINT, CONFIG, STORE, OPTION_COUNT };
/* clang-format off */
static const struct option options[] = {
    [SINCE] = {.name = "since", .kind = OPTION_STRING, .arg = "TIME",
               .text = "from then on: 30d, 2026-10-01"},
    [UNTIL] = {.name = "until", .kind = OPTION_STRING, .arg = "TIME",
               .text = "before then: 24h, 2026-11-01"},
    [FILE_NAME] = ROW_AUDIT_FILE,
    [FORMAT] = {.name = "format", .kind = OPTION_STRING, .arg = "FORMAT", .choices = formats,
                .text = "plumb (as without it: events, proofs, checkpoints), jsonl (events only), "
                        "syslog (RFC 5424) or ocsf"},
    [OCSF_VERSION] = {.name = "ocsf-version", .kind = OPTION_STRING, .arg = "VERSION",
                      .choices = ocsf_versions, .text = "of OCSF: 1.3, 1.8 (as without it), 1.9"},
    [CHECKPOINT] = {.name = "checkpoint", .kind = OPTION_LIST, .arg = "FILE",
                    .text = "a checkpoint that the reader has: prove that this continues it; may "
                            "be repeated"},
    [CONFIG] = ROW_CONFIG,
    [STORE] = ROW_STORE,
};
/* clang-format on */
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

struct exporting {
    const struct app *app;
    const struct invocation *in;
    struct arena *arena;
    struct record record;
    FILE *out;
};

static bool write_bytes(void *ctx, struct str bytes, struct err *err)
{
    return fwrite(bytes.ptr, 1, bytes.len, ctx) == bytes.len ||
           err_set(err, ERR_IO, "write: %s", strerror(errno));
}

static bool print_event(void *ctx, const struct audit_line *line, struct err *err)
{
    return audit_print(ctx, line, err);
}

static bool take_times(struct exporting *e, int64_t *ret_since, int64_t *ret_until, struct err *err)
{
    *ret_since = INT64_MIN;
    *ret_until = INT64_MAX;
    return audit_take_time(e->app, "since", &e->in->value[SINCE], ret_since, err) &&
           audit_take_time(e->app, "until", &e->in->value[UNTIL], ret_until, err);
}

/* Nothing can be signed there: what no checkpoint covers stays out, and that is told. */
static bool leave_unsigned(struct exporting *e, struct audit_export *what, struct err *err)
{
    struct audit_signed newest;
    int64_t size = 0;
    if (!audit_size(&e->record, &size, err) ||
        !audit_checkpoint_last(&e->record, e->arena, &newest, err))
        return false;
    if (!newest.note.len || newest.size >= size)
        return true;
    what->last = newest.size - 1;
    (void)fprintf(e->app->err,
                  "plumb: %.*s cannot be written: without the events from %lld on, which no "
                  "checkpoint covers yet\n",
                  STR_ARG(db_shown(e->record.db)), (long long)newest.size);
    return true;
}

static bool write_proven(struct exporting *e, struct err *err)
{
    struct audit_export what = {.last = -1};
    struct str *files;
    if (!take_times(e, &what.since_utc_ms, &what.until_utc_ms, err) ||
        !audit_read_files(e->arena, &e->in->value[CHECKPOINT], &files, &what.nformer, err))
        return false;
    what.former = files;
    if (e->record.read_only && !leave_unsigned(e, &what, err))
        return false;
    return audit_export_write(&e->record, &what, write_bytes, e->out, err);
}

static bool write_events(struct exporting *e, struct str format, struct err *err)
{
    struct audit_query query = {.from = 0};
    struct str version = e->in->value[OCSF_VERSION].text;
    struct audit_printer printer = {.out = e->out, .ocsf = OCSF_1_8};
    printer.format = str_equal(format, STR("jsonl"))    ? AUDIT_JSONL
                     : str_equal(format, STR("syslog")) ? AUDIT_SYSLOG
                                                        : AUDIT_OCSF;
    if (version.len && !ocsf_version_from(version, &printer.ocsf))
        return err_set(err, ERR_USAGE, "--ocsf-version: want 1.3, 1.8 or 1.9");
    return take_times(e, &query.since_utc_ms, &query.until_utc_ms, err) &&
           audit_log_origin(&e->record, e->arena, &printer.origin, err) &&
           audit_query(&e->record, &query, print_event, &printer, err);
}

/* Beside the place, then renamed: half an export is never at that name. */
static bool write_file(struct exporting *e, bool proven, struct str format, struct err *err)
{
    struct str path = arena_dup(e->arena, e->in->value[FILE_NAME].text);
    struct str half = arena_printf(e->arena, "%.*s.%d", STR_ARG(path), (int)getpid());
    if (!path.ptr || !half.ptr)
        return arena_full(e->arena, err);
    AUTO_FILE file = fopen(half.ptr, "wxe");
    if (!file)
        return err_set(err, ERR_IO, "%s: %s", half.ptr, strerror(errno));
    e->out = file;
    bool ok = proven ? write_proven(e, err) : write_events(e, format, err);
    if (ok && (fflush(file) != 0 || fsync(fileno(file)) != 0 || rename(half.ptr, path.ptr) != 0))
        ok = err_set(err, ERR_IO, "%s: %s", path.ptr, strerror(errno));
    if (!ok)
        (void)remove(half.ptr);
    return ok;
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct exporting e = {.app = app, .in = in, .arena = &arena, .out = app->out};
    struct str format = in->value[FORMAT].text;
    bool proven = !format.len || str_equal(format, STR("plumb"));
    if (!proven && in->value[CHECKPOINT].set)
        return err_set(err, ERR_USAGE, "--checkpoint is for --format plumb: others hold no proofs");
    if (!audit_open(&arena, app, &in->value[CONFIG], &in->value[STORE],
                    proven ? AUDIT_SIGN : AUDIT_READ, &e.record, err))
        return false;
    bool ok = in->value[FILE_NAME].set ? write_file(&e, proven, format, err)
              : proven                 ? write_proven(&e, err)
                                       : write_events(&e, format, err);
    record_close(&e.record);
    *ret_exit = 0;
    return ok;
}

const struct command cmd_audit_export = {
    .name = "audit export",
    .usage = "plumb audit export [--since TIME] [--until TIME] [-o FILE] [options]",
    .summary = "a part of the audit log as a file that proves itself",
    .help = "Events, inclusion and consistency proofs, checkpoints and public keys: `plumb audit "
            "verify FILE` needs nothing else. Makes a checkpoint where none covers the last event "
            "yet.\n\n"
            "  plumb audit export --since 2026-10-01 --until 2026-11-01 -o audit-2026-10.jsonl\n"
            "  plumb audit export --format ocsf --ocsf-version 1.3 -o events.json",
    .options = options,
    .noptions = OPTION_COUNT,
    .run = run};

/* recording.c - scans into the store. */
#include "scan/recording.h"

#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/io.h"
#include "model/config.h"
#include "record/activity.h"
#include "record/maintain.h"
#include "report/report.h"
#include "scan/tally.h"

static bool digest_config(struct arena *arena, const struct config *config, struct str *ret,
                          struct err *err)
{
    struct digest digest;
    struct str path = config ? arena_dup(arena, config->path) : STR("");
    *ret = STR("");
    if (!path.len)
        return path.ptr || arena_full(arena, err);
    return digest_file(path.ptr, &digest, err) && digest_text(arena, &digest, ret, err);
}

bool recording_prepare(struct recording *ret, const struct recording_options *options,
                       struct err *err)
{
    *ret = (struct recording){.options = *options, .start.actor = options->actor};
    ret->start.config = options->config;
    return judges_digest(options->arena, options->judges, &ret->start.policy, err) &&
           (options->config.ptr ||
            digest_config(options->arena, options->judges->config, &ret->start.config, err));
}

bool recording_use(struct recording *r, struct record *record, struct err *err)
{
    r->record = record;
    r->options.scan->keep_asked = true;
    r->options.scan->configured = record;
    return record_key(record, &r->options.scan->record_key, err);
}

static bool wanted(void *ctx, struct str address)
{
    const struct recording *r = ctx;
    return scan_wants(r->options.scan, address);
}

static bool describe(void *ctx, struct buf *out, const struct finding *finding, struct err *err)
{
    (void)ctx;
    return report_finding_json(out, finding, err);
}

/* A document is as old as its file says; providers answer now. */
static int64_t live_time(struct arena *arena, const struct scan_options *scan,
                         const struct stack *stack)
{
    struct str path = arena_dup(arena, scan->snapshot.len ? scan->snapshot : stack->snapshot);
    struct stat st;
    if (!path.len || stat(path.ptr, &st) != 0 || !S_ISREG(st.st_mode))
        return 0;
    return (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
}

/* --- a stack --- */

static bool with_others(struct recording *r, enum recording_step step, struct err *err)
{
    return !r->options.within || r->options.within(r->options.ctx, step, r->finish.run, err);
}

static bool begin_in(struct recording *r, struct err *err)
{
    return run_begin(r->record, &r->start, &r->finish.run, err) &&
           with_others(r, RECORDING_BEGIN, err);
}

/* What resources are called, for events that come later. A state that cannot be read so is told of
 * by the scan. */
static bool on_state(void *ctx, struct str text, const char *name, struct err *err)
{
    struct recording *r = ctx;
    struct err why = {0};
    if (identities_read(r->record, r->options.arena, r->start.stack, text, name, &r->identities,
                        &why) ||
        why.kind == ERR_SYNTAX || why.kind == ERR_UNSUPPORTED)
        return true;
    if (err)
        *err = why;
    return false;
}

static bool knows_state(void *ctx, uint64_t hash, bool *ret, struct err *err)
{
    struct recording *r = ctx;
    return identities_are_of_hash(r->record, r->start.stack, hash, ret, err);
}

static bool ask_who(struct recording *r, const struct stack *stack, struct err *err)
{
    struct scan_options *scan = r->options.scan;
    struct attributions *who;
    r->identities = NULL;
    if (!attributions_open(r->record, r->options.arena, stack->name, &who, err))
        return false;
    scan->attribute = attributions_find;
    scan->attribute_ctx = who;
    scan->on_state = on_state;
    scan->knows_state = knows_state;
    scan->on_state_ctx = r;
    return true;
}

bool recording_begin(struct recording *r, const struct stack *stack, struct err *err)
{
    struct arena *arena = r->options.arena;
    if (!r->record || r->failed.kind)
        return true;
    const struct config *config = r->options.judges->config;
    bool by_name = r->options.scan->exact && !r->options.scan->ntargets;
    r->start.stack = stack->name;
    r->start.path = stack->path;
    r->start.environment = stack->environment;
    r->start.owner = stack->owner;
    r->start.narrow = r->options.scan->ntargets || r->options.scan->exact;
    r->finish = (struct run_finish){.start = &r->start,
                                    .partial = scan_is_partial(r->options.scan),
                                    .wanted = wanted,
                                    .addresses = by_name ? r->options.scan->addresses : NULL,
                                    .naddresses = by_name ? r->options.scan->naddresses : 0,
                                    .describe = describe,
                                    .ctx = r,
                                    .live_utc_ms = live_time(arena, r->options.scan, stack),
                                    .baseline = r->options.baseline,
                                    .deadline_ms = config ? config->review.deadline_ms : NULL};
    bool own = !db_in_transaction(r->record->db);
    if (own && !db_begin(r->record->db, DB_WRITE, err))
        return err_wrap(err, "record the scan of %.*s", STR_ARG(stack->name));
    if (!begin_in(r, err) || (own && !db_commit(r->record->db, err))) {
        if (own)
            db_rollback(r->record->db);
        return false;
    }
    return ask_who(r, stack, err) &&
           (r->options.unmarked ||
            (baseline_open(r->record, arena, stack->name, &r->baseline, err) &&
             answers_open(r->record, arena, stack->name, &r->answers, err)));
}

static void add_changes(struct run_changes *to, const struct run_changes *c)
{
    to->fresh += c->fresh;
    to->recurring += c->recurring;
    to->changed += c->changed;
    to->reopened += c->reopened;
    to->waived += c->waived;
    to->ignored += c->ignored;
    to->reviewed += c->reviewed;
    to->resolved += c->resolved;
    to->kept += c->kept;
    to->baselined += c->baselined;
}

static bool end_in(struct recording *r, struct run_changes *ret, struct err *err)
{
    return run_end(r->record, &r->finish, ret, err) &&
           (!r->identities || activity_touch_late(r->record, r->start.stack, r->finish.run, err)) &&
           with_others(r, RECORDING_END, err) && db_commit(r->record->db, err);
}

bool recording_end(struct recording *r, const struct stack *stack, struct stack_result *result,
                   struct err *err)
{
    struct run_changes changes;
    struct arena *arena = r->options.arena;
    if (!r->record || r->failed.kind)
        return true;
    r->finish.result = result;
    if (!identities_write(r->record, r->identities, &r->failed) ||
        !db_begin(r->record->db, DB_WRITE, &r->failed) || !end_in(r, &changes, &r->failed)) {
        db_rollback(r->record->db);
        (void)err_wrap(&r->failed, "record the scan of %.*s", STR_ARG(stack->name));
        return true;
    }
    add_changes(&r->total, &changes);
    r->stacks++;
    if (r->options.unmarked)
        return true;
    if (changes.baselined && !baseline_open(r->record, arena, stack->name, &r->baseline, err))
        return false;
    return baseline_apply_all(r->baseline, result, err) &&
           answers_open(r->record, arena, stack->name, &r->answers, err) &&
           answers_apply_all(r->answers, result, err);
}

/* `keep:` of plumb.yaml. */
static bool forget(struct recording *r, struct err *err)
{
    struct pruned pruned;
    return !r->options.keep_ms ||
           store_prune(r->record, r->options.keep_ms, &r->start.actor, &pruned, err);
}

void recording_settle(struct recording *r)
{
    struct settled settled;
    if (r->record && !r->failed.kind)
        (void)(record_settle(r->record, &settled, &r->failed) && forget(r, &r->failed));
}

void recording_fail(struct recording *r, const struct err *why)
{
    char text[ERR_TEXT_MAX];
    if (!r->record || r->failed.kind || !r->finish.run)
        return;
    (void)err_text(why, text, sizeof text);
    (void)run_fail(r->record, r->finish.run, &r->start, str_from(text), &r->failed);
}

bool recording_mark(struct recording *r, struct finding *finding, struct err *err)
{
    return !r->baseline ||
           (baseline_apply(r->baseline, finding, err) && answers_apply(r->answers, finding, err));
}

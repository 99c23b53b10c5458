/* scheduler_scan.c - one stack whose lease was taken, scanned and recorded; then the next. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "desired/desired.h"
#include "desired/lockinfo.h"
#include "desired/remote.h"
#include "model/config.h"
#include "policy/policy.h"
#include "record/states.h"
#include "serve/feeds.h"
#include "serve/log.h"
#include "serve/scheduler_piece.h"

enum {
    BACK_OFF_MS = 30000, /* the first; doubled each time */
    BACK_OFF_MOST_MS = 3600000,
    ENDED_MS = 500, /* as BACK_OFF_MS, where the process ended and nothing is known of the scan */
    ENDED_MOST_MS = 16000,
    UNCHECKED_ALONE = 100,
    UNCHECKED_MS = 15000, /* a touched address that could not be read is looked at again */
    UNCHECKED_TIMES = 8,
    APPLY_LOOK_MS = 5000, /* is it over? */
    POLICY_MS = 60000,    /* then it is opened anew: waivers end by the clock */
    AGAIN_MS = 500,
    MOVED_TIMES = 3 /* in a row its code moved while it was read */
};
static const size_t PIECE_ARENA = (size_t)1 << 36;

#define X(constant, name) name,
static const char *const piece_names[] = {PIECES(X)};
#undef X

/* --- an apply --- */

/* plumb's own state store. */
static bool look_here(struct piece *p, struct lock_holder *ret)
{
    struct state_row row;
    struct lockinfo info = {0};
    char since[CLOCK_TEXT];
    *ret = (struct lock_holder){0};
    if (!states_get(&p->arena, piece_store(p)->db, p->stack->name, &row, &p->err))
        return false;
    ret->held = row.lock.id.len && str_equal(row.lock.kind, STR("write"));
    if (!ret->held)
        return true;
    (void)lockinfo_parse(&p->arena, row.lock.info, &info, NULL);
    ret->who = info.who.len ? info.who : row.lock.name;
    ret->since = arena_dup(&p->arena, str_from(clock_format(row.lock.taken_utc_ms, since)));
    return ret->since.ptr || arena_full(&p->arena, &p->err);
}

/* Somewhere else: the backend's own lock. One that cannot be looked at is told of, and nobody's. */
static void look_there(struct piece *p, struct lock_holder *ret)
{
    struct err why = {0};
    if (!ret->held && !lock_look(&p->arena, p->stack, clock_wall_ms(), ret, &why))
        scheduler_tell(p->s, "its lock cannot be looked at", p->stack->name, &why);
}

/* Another text than the one that was compared: another serial, lineage, whatever it is. */
static bool is_other_state(struct piece *p)
{
    uint64_t hash;
    return scan_state_hash(p->stack, p->s->known, &hash, NULL) && hash != p->result.state_hash;
}

static bool is_other_label(struct piece *p)
{
    struct desired *desired;
    if (!p->result.source.len || !desired_open_stack_state(p->stack, &desired, NULL))
        return false;
    bool other = !str_equal(desired_info(desired)->label, p->result.source);
    desired_close(desired);
    return other;
}

/* Is somebody about to change what was looked at, or did he while it was? Nothing is to be told of
 * a stack without findings, and nothing is asked. */
static bool was_changed(struct piece *p, struct lock_holder *holder)
{
    if (!look_here(p, holder) || holder->held)
        return holder->held;
    if (!p->result.nfindings && !p->result.failed.len)
        return false;
    look_there(p, holder);
    return holder->held || (p->result.state_hash ? is_other_state(p) : is_other_label(p));
}

/* Has an apply been waited for long enough? */
static bool is_patient(const struct piece *p)
{
    return !p->lease->waits_utc_ms ||
           p->now - p->lease->waits_utc_ms < p->s->settings.apply_wait_ms;
}

static void tell_apply(struct piece *p, const char *what)
{
    LOG(p->s->server->options.log, LOG_INFO, "scan", what, LOG_TEXT("stack", p->stack->name),
        LOG_TEXT("kind", str_from(piece_names[p->kind])));
}

/* --- recording --- */

static int64_t doubled(int64_t first_ms, int64_t attempts, int64_t most_ms)
{
    int64_t shift = attempts - 1 < 0 ? 0 : attempts - 1 > 7 ? 7 : attempts - 1;
    int64_t wait = first_ms << shift;
    return wait < most_ms ? wait : most_ms;
}

static int64_t back_off(int64_t attempts)
{
    return doubled(BACK_OFF_MS, attempts, BACK_OFF_MOST_MS);
}

/* Not later than the stack's schedules would have it. */
static int64_t try_again_at(const struct piece *p, int64_t now, int64_t attempts)
{
    int64_t at = now + back_off(attempts);
    for (size_t i = 0; i < p->set->n; i++) {
        const struct schedule_tier *tier = &p->set->tiers[i];
        int64_t next = tier->schedule.kind == SCHEDULE_NONE
                           ? SCHEDULE_NEVER
                           : schedule_next(&tier->schedule, p->stack->name, now);
        at = next < at ? next : at;
    }
    return at;
}

static bool give_back(struct piece *p, const struct lease_end *end, struct err *err)
{
    return lease_end(piece_store(p), p->lease, end, err);
}

/* A slice after the other; the last one's run stands for all of them. */
static void sum_up(struct piece *p)
{
    struct coverage *c = &p->result.coverage;
    if (p->kind == PIECE_WHOLE)
        p->progress = (struct progress){.resources = (int64_t)c->resources};
    if (p->kind != PIECE_SLICE)
        return;
    for (size_t i = 0; i < 10; i++)
        *piece_sum(c, i) += p->progress.sum[i];
    if (p->progress.slice + 1 < p->progress.nslices)
        return;
    p->recording.finish.partial = false;
    p->recording.finish.live_utc_ms = p->progress.began_utc_ms;
}

/* Schedules move on: those of which this was the scan. */
static bool move_on(struct piece *p, int64_t now, struct err *err)
{
    struct planned *row = NULL;
    size_t n = 0;
    bool all = p->kind == PIECE_WHOLE ||
               (p->kind == PIECE_SLICE && p->progress.slice + 1 == p->progress.nslices);
    if (p->kind == PIECE_TOUCHED) /* of none */
        return true;
    if (!planned_load(piece_store(p), &p->arena, p->stack->name, &row, &n, err))
        return false;
    for (size_t i = 0; i < p->set->n; i++) {
        const struct schedule_tier *tier = &p->set->tiers[i];
        struct planned *r = piece_row(row, n, tier->name);
        if (!r || !(all || (i > 0 && p->kind == PIECE_TIER && p->due[i])))
            continue;
        r->began_utc_ms = p->now;
        r->ended_utc_ms = now;
        r->next_utc_ms = tier->schedule.kind == SCHEDULE_NONE
                             ? SCHEDULE_NEVER
                             : schedule_next(&tier->schedule, p->stack->name, now);
    }
    struct planned *whole = piece_row(row, n, STR(""));
    if (whole && (all || p->kind == PIECE_SLICE)) {
        struct progress at = p->progress;
        if (all)
            at = (struct progress){.resources = (int64_t)p->result.coverage.resources};
        else
            at.slice++;
        at.told_utc_ms = now;
        for (size_t i = 0; !all && i < 10; i++)
            at.sum[i] = *piece_sum(&p->result.coverage, i);
        whole->progress = piece_print_progress(&p->arena, &at);
        if (!whole->progress.ptr)
            return arena_full(&p->arena, err);
    }
    return planned_store(piece_store(p), row, n, err);
}

static bool begin_with(struct piece *p, int64_t run, struct err *err)
{
    struct run_start start = p->recording.start;
    if (p->lease->run && !run_abandon(piece_store(p), p->lease->run, &start,
                                      STR("its service ended, or lost the stack's lease"), err))
        return false;
    /* A scan that ends its process is not begun again at once; nor are all the others long kept
     * from it that were under way when somebody else ended it. */
    int64_t wait = p->lease->attempts ? doubled(ENDED_MS, p->lease->attempts, ENDED_MOST_MS) : 0;
    int64_t again = p->now + wait;
    return lease_begin(piece_store(p), p->lease, run, again, err);
}

static bool is_unchecked(const struct piece *p, struct str address)
{
    for (size_t i = 0; i < p->result.nfindings; i++)
        if (p->result.findings[i].class_ == CLASS_UNCHECKED &&
            str_equal(p->result.findings[i].address, address))
            return true;
    return false;
}

/* "unchecked 3": that often it could not be read. */
static int64_t times_unchecked(struct str why)
{
    static const struct str word = STR_INIT("unchecked ");
    int64_t n = 0;
    return str_starts(why, word) && str_to_int64(str_sub(why, word.len, why.len), &n) ? n : 0;
}

static bool again(struct piece *p, struct str address, int64_t times, int64_t now, struct err *err)
{
    const struct touch touch = {.stack = p->stack->name,
                                .address = address,
                                .why = arena_printf(&p->arena, "unchecked %" PRId64, times + 1),
                                .due_utc_ms = now + ((int64_t)UNCHECKED_MS << times)};
    if (!touch.why.ptr)
        return arena_full(&p->arena, err);
    return times >= UNCHECKED_TIMES || touch_add(piece_store(p), &touch, 1, err);
}

/* Of a stack that was touched as a whole: each by itself, or all where they are many. */
static bool rest_again(struct piece *p, int64_t times, int64_t now, struct err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < p->result.nfindings; i++)
        n += p->result.findings[i].class_ == CLASS_UNCHECKED && p->result.findings[i].address.len;
    if (n > UNCHECKED_ALONE)
        return again(p, STR(""), times, now, err);
    for (size_t i = 0; i < p->result.nfindings; i++) {
        const struct finding *f = &p->result.findings[i];
        if (f->class_ == CLASS_UNCHECKED && f->address.len &&
            !again(p, f->address, times, now, err))
            return false;
    }
    return true;
}

/* What was touched and could not be read was not looked at: again, each time twice as late; what
 * cannot be read for an hour is the next sweep's. */
static bool again_later(struct piece *p, int64_t now, struct err *err)
{
    for (size_t i = 0; i < p->ntouched; i++) {
        const struct touch *touch = &p->touched[i].touch;
        int64_t times = times_unchecked(touch->why);
        if (!(touch->address.len
                  ? !is_unchecked(p, touch->address) || again(p, touch->address, times, now, err)
                  : rest_again(p, times, now, err)))
            return false;
    }
    return true;
}

static bool begin_next(struct piece *p, struct err *err);

static bool end_with(struct piece *p, struct err *err)
{
    int64_t now = 0, attempts = p->lease->attempts + 1;
    if (!lease_now(piece_store(p), &now, err))
        return false;
    if (p->result.failed.len) {
        const struct lease_end failed = {.attempts = attempts,
                                         .not_before_utc_ms = try_again_at(p, now, attempts)};
        return give_back(p, &failed, err);
    }
    return move_on(p, now, err) && touch_done(piece_store(p), p->touched, p->ntouched, err) &&
           again_later(p, now, err) &&
           give_back(p, &(struct lease_end){.waits_utc_ms = p->locked ? p->lease->waits_utc_ms : 0},
                     err) &&
           (!p->next || begin_next(p, err));
}

static bool within(void *ctx, enum recording_step step, int64_t run, struct err *err)
{
    struct piece *p = ctx;
    return step == RECORDING_BEGIN ? begin_with(p, run, err) : end_with(p, err);
}

/* The run that the lease stands for: this one's, also where nobody knows whether its beginning was
 * recorded; or that of somebody who died, which nobody has given up yet. */
static bool leave_run(struct piece *p, struct str why, struct err *err)
{
    const struct run_start plain = {.stack = p->stack->name,
                                    .actor = {STR("plumb"), STR("service")}};
    const struct run_start *start = p->recording.start.stack.len ? &p->recording.start : &plain;
    const struct db_value param[] = {DB_PARAM_TEXT(p->lease->stack), DB_PARAM_TEXT(p->lease->owner),
                                     DB_PARAM_INT(p->lease->fence)};
    struct err none = {0};
    int64_t run = 0;
    if (!db_one_int(piece_store(p)->db,
                    "SELECT run FROM lease WHERE stack = $1 AND owner = $2 AND fence = $3", param,
                    3, &run, &none) &&
        none.kind != ERR_NONE) {
        *err = none;
        return false;
    }
    return !run || run_abandon(piece_store(p), run, start, why, err);
}

/* The run that was begun counts for nothing; the stack is free again. */
static bool abandon_in(struct piece *p, struct str why, const struct lease_end *end,
                       struct err *err)
{
    return leave_run(p, why, err) && give_back(p, end, err);
}

static bool abandon(struct piece *p, struct str why, const struct lease_end *end, struct err *err)
{
    struct db *db;
    if (!store_ready(&p->hands->store, p->s->server, err))
        return false;
    db = piece_store(p)->db;
    if (!db_begin(db, DB_WRITE, err))
        return false;
    if (abandon_in(p, why, end, err) && db_commit(db, err))
        return true;
    db_rollback(db);
    return false;
}

/* Whose lease it is now has given up the run; if nobody took it, this does. */
static void give_up_lost(struct piece *p)
{
    metrics_add(server_metrics(p->s->server), METRIC_SCAN_LEASES_LOST, NULL, 1);
    if (p->recording.finish.run && store_ready(&p->hands->store, p->s->server, NULL))
        (void)run_abandon(piece_store(p), p->recording.finish.run, &p->recording.start,
                          STR("the stack's lease was lost"), NULL);
}

/* --- scanning --- */

void hands_drop(struct hands *hands)
{
    policy_close(hands->policy);
    arena_free(&hands->arena);
    store_drop(&hands->store);
    *hands = (struct hands){0};
}

static bool open_policy(struct piece *p)
{
    struct hands *h = p->hands;
    struct policy_problems problems = {.rules = {.arena = &h->arena}, .rego = {.arena = &h->arena}};
    const struct record_options *of = &p->s->server->options.record;
    const struct judges_opening how = {.now_utc_ms = record_now(piece_store(p)),
                                       .env = of->env,
                                       .cancel = &p->slot->cancel,
                                       .partial = true};
    int64_t now = clock_monotonic_ms();
    if (h->opened_ms && now - h->opened_ms < POLICY_MS &&
        str_equal(h->digest, p->recording.start.policy))
        return true;
    policy_close(h->policy);
    arena_free(&h->arena);
    h->policy = NULL;
    h->opened_ms = 0;
    h->arena = (struct arena){.limit = ARENA_DEFAULT_LIMIT};
    h->digest = arena_dup(&h->arena, p->recording.start.policy);
    if (!h->digest.ptr)
        return arena_full(&h->arena, &p->err);
    if (!judges_open(&h->arena, &p->judges, &how, &problems, &h->policy, &p->err))
        return false;
    h->opened_ms = now;
    return true;
}

static bool has_old_code(struct piece *p, bool *ret)
{
    return feeds_code_is_old(p->s->server->feeds, piece_store(p), &p->arena, p->stack->path, ret,
                             &p->code, &p->err);
}

/* Files that a fetch writes while they are read are those of no commit: what is missing of them for
 * a moment is no difference. Where the branch never rests that long, it is no reason to have none.
 */
static bool has_moved(struct piece *p, bool *ret)
{
    struct str before = p->code;
    bool old = false;
    *ret = false;
    if (p->lease->attempts >= MOVED_TIMES)
        return true;
    if (!has_old_code(p, &old))
        return false;
    *ret = !str_equal(before, p->code);
    return true;
}

static void fill_options(struct piece *p)
{
    const struct server_options *o = &p->s->server->options;
    const struct config *c = o->config;
    bool exact = p->kind == PIECE_TIER || p->kind == PIECE_TOUCHED;
    p->scan = (struct scan_options){.config = c,
                                    .reader = {.concurrency = (unsigned)c->concurrency,
                                               .max_providers = (unsigned)c->max_providers,
                                               .max_memory = (uint64_t)c->max_memory,
                                               .timeout_ms = (int)c->timeout_ms,
                                               .no_probe = c->no_probe,
                                               .cache_dir = o->cache_dir,
                                               .cancel = &p->slot->cancel,
                                               .warm = p->s->server->warm,
                                               .budgets = p->s->budgets},
                                    .addresses = p->address,
                                    .naddresses = p->naddresses,
                                    .exact = exact,
                                    .env = o->record.env,
                                    .repos = &p->repos,
                                    .known = p->s->known,
                                    .now_utc_ms = record_now(piece_store(p))};
    if (p->kind == PIECE_SLICE) {
        p->scan.slice = (unsigned)p->progress.slice;
        p->scan.nslices = (unsigned)p->progress.nslices;
    }
}

/* The digests of what decides: the configuration is the one that is in use, whatever the file is
 * like by now. */
static bool prepare(struct piece *p)
{
    p->judges = (struct judges){.config = p->s->server->options.config};
    const struct recording_options options = {.arena = &p->arena,
                                              .scan = &p->scan,
                                              .judges = &p->judges,
                                              .actor = {STR("plumb"), STR("service")},
                                              .config = p->s->server->options.config_digest,
                                              .unmarked = true,
                                              .within = within,
                                              .ctx = p};
    return recording_prepare(&p->recording, &options, &p->err);
}

static bool begin_run(struct piece *p)
{
    telemetry_begin(server_telemetry(p->s->server), NULL, STR(""), &p->span);
    for (size_t i = 0; i < p->ntouched; i++)
        telemetry_caused(&p->span, p->touched[i].touch.trace);
    fill_options(p);
    p->recording.start.trace = telemetry_traceparent(&p->span, p->trace);
    p->begun = recording_use(&p->recording, piece_store(p), &p->err) &&
               recording_begin(&p->recording, p->stack, &p->err);
    return p->begun;
}

/* A policy that cannot be asked, no memory: told as the stack's failure. */
static bool fail_with(struct piece *p)
{
    char text[ERR_FRAMES_MAX * ERR_TEXT_MAX];
    struct str why = arena_dup(&p->arena, str_from(err_text(&p->err, text, sizeof text)));
    p->result = (struct stack_result){.name = p->stack->name,
                                      .path = p->stack->path,
                                      .environment = p->stack->environment,
                                      .owner = p->stack->owner,
                                      .workspace = p->stack->workspace,
                                      .desired = STR("state"),
                                      .failed = why.ptr ? why : STR("out of memory")};
    p->err = (struct err){0};
    return true;
}

/* Told to end, or the store is away, which is no fault of the stack's: no result. */
static bool is_result(const struct piece *p)
{
    return p->err.kind != ERR_CANCELLED && p->err.kind != ERR_UNAVAILABLE;
}

static bool look_at_it(struct piece *p)
{
    if (p->stack->twice.len)
        return !err_set(&p->err, ERR_CONFLICT, "%.*s", STR_ARG(p->stack->twice)) && fail_with(p);
    if (!open_policy(p))
        return is_result(p) && fail_with(p);
    p->scan.policy = p->hands->policy;
    return scan_stack(&p->arena, p->stack, &p->scan, &p->result, &p->err) ||
           (is_result(p) && fail_with(p));
}

static bool may_go_on(struct piece *p)
{
    (void)pthread_mutex_lock(&p->s->lock);
    bool on = p->slot->why != SLOT_LOST;
    (void)pthread_mutex_unlock(&p->s->lock);
    return on;
}

/* --- what comes next ---
 *
 * Where more was touched than is looked at, one transaction ends a scan, takes the next stack's
 * lease and begins its run: one commit, one sync of the disk, for what are three otherwise. */

static void drop_next(struct piece *p)
{
    if (p->next)
        arena_free(&p->next->arena);
    free(p->next);
    p->next = NULL;
}

/* Room for one, and what takes a look at files, before anybody waits for the store. */
static void make_next(struct piece *p)
{
    if (p->kind != PIECE_TOUCHED || p->result.failed.len ||
        !scheduler_goes_on(p->s, &p->hands->store, p->plan))
        return;
    p->next = calloc(1, sizeof *p->next);
    if (!p->next)
        return;
    *p->next = (struct piece){.s = p->s,
                              .slot = p->slot,
                              .hands = p->hands,
                              .plan = p->plan,
                              .arena = {.limit = PIECE_ARENA}};
    if (!prepare(p->next))
        drop_next(p);
}

/* Within the transaction that ends the one before. What is more than a touch is begun after it. */
static bool begin_taken(struct piece *n)
{
    struct lock_holder holder;
    bool old = false;
    n->found = piece_find_work(n) && has_old_code(n, &old);
    if (!n->found || n->kind != PIECE_TOUCHED || n->lease->waits_utc_ms || old)
        return n->found;
    return look_here(n, &holder) && (holder.held || (piece_find_addresses(n) && begin_run(n)));
}

static void set_lease(struct piece *p, const struct lease *lease)
{
    size_t i = plan_find(p->plan, lease->stack);
    p->lease = lease;
    p->stack = &p->plan->stacks.stack[i];
    p->set = &p->plan->set[i];
    p->began_ms = clock_monotonic_ms();
}

static bool begin_next(struct piece *p, struct err *err)
{
    struct piece *n = p->next;
    bool taken = false;
    if (!scheduler_take(n->slot, piece_store(n), &n->arena, n->plan, true, &n->taken, &taken, err))
        return false;
    if (!taken) {
        drop_next(p);
        p->last = true;
        return true;
    }
    set_lease(n, &n->taken);
    if (begin_taken(n))
        return true;
    *err = n->err;
    return false;
}

/* A store that is away is waited for, as long as the lease lasts: writing twice is told apart by
 * the lease, which the first has given back. */
static bool record_it(struct piece *p)
{
    const struct timespec wait = {.tv_nsec = AGAIN_MS * 1000000L};
    int64_t until = clock_monotonic_ms() + p->s->settings.lease_ms;
    sum_up(p);
    make_next(p);
    for (;;) {
        p->last = false;
        if (!recording_end(&p->recording, p->stack, &p->result, &p->err))
            return false;
        if (p->next && p->recording.failed.kind) { /* neither is recorded: this one alone, then */
            drop_next(p);
            if (p->recording.failed.kind != ERR_UNAVAILABLE) {
                p->recording.failed = (struct err){0};
                continue;
            }
        }
        if (p->recording.failed.kind != ERR_UNAVAILABLE || clock_monotonic_ms() > until ||
            !may_go_on(p))
            break;
        store_drop(&p->hands->store);
        (void)nanosleep(&wait, NULL);
        if (store_ready(&p->hands->store, p->s->server, NULL)) {
            p->recording.failed = (struct err){0};
            if (!recording_use(&p->recording, piece_store(p), &p->err))
                return false;
        }
    }
    p->err = p->recording.failed;
    return p->err.kind == ERR_NONE;
}

static void tell_result(struct piece *p)
{
    struct metrics *metrics = server_metrics(p->s->server);
    struct str kind = str_from(piece_names[p->kind]);
    const struct coverage *c = &p->result.coverage;
    int64_t took = clock_monotonic_ms() - p->began_ms;
    struct str outcome = p->result.failed.len          ? STR("failed")
                         : p->recording.finish.partial ? STR("partial")
                         : c->unchecked                ? STR("incomplete")
                                                       : STR("complete");
    const struct log_field attribute[] = {
        LOG_TEXT("plumb.stack", p->stack->name),
        LOG_TEXT("plumb.kind", kind),
        LOG_TEXT("plumb.outcome", outcome),
        LOG_NUMBER("plumb.run", p->recording.finish.run),
        LOG_NUMBER("plumb.resources", (int64_t)c->resources),
        LOG_NUMBER("plumb.findings", (int64_t)p->result.nfindings)};
    telemetry_end(server_telemetry(p->s->server), &p->span, "scan", SPAN_INTERNAL, attribute,
                  sizeof attribute / sizeof *attribute,
                  p->result.failed.len ? "the stack could not be scanned" : NULL);
    metrics_add(metrics, METRIC_SCANS, LABELS(outcome), 1);
    metrics_observe(metrics, METRIC_SCAN_SECONDS, LABELS(outcome), (double)took / 1000);
    LOG(p->s->server->options.log, p->result.failed.len ? LOG_WARN : LOG_INFO, "scan", "scanned",
        LOG_TEXT("stack", p->stack->name), LOG_TEXT("kind", kind), LOG_TEXT("outcome", outcome),
        LOG_NUMBER("run", p->recording.finish.run), LOG_NUMBER("ms", took),
        LOG_NUMBER("resources", (int64_t)c->resources),
        LOG_NUMBER("findings", (int64_t)p->result.nfindings), LOG_TEXT("error", p->result.failed),
        LOG_TEXT("trace", str_from(p->span.trace)), LOG_TEXT("span", str_from(p->span.id)));
}

/* Who tells others of findings need not wait for his next look. */
static void wake_others(struct piece *p)
{
    const struct run_changes *c = &p->recording.total;
    if (c->fresh + c->changed + c->reopened + c->resolved > 0)
        hub_wake_for_finding(p->s->server->hub);
}

/* Back to when it is over, without a result. */
static bool wait_for_apply(struct piece *p, const char *what)
{
    const struct lease_end end = {.attempts = p->lease->attempts,
                                  .waits_utc_ms =
                                      p->lease->waits_utc_ms ? p->lease->waits_utc_ms : p->now,
                                  .not_before_utc_ms = p->now + APPLY_LOOK_MS};
    if (!p->lease->waits_utc_ms)
        tell_apply(p, what);
    metrics_add(server_metrics(p->s->server), METRIC_SCANS, LABELS(STR("apply")), 1);
    return abandon(p, STR("an apply changed what it looked at"), &end, &p->err);
}

/* Nothing is due any more, or nothing is in what is: schedules move on all the same. */
static bool move_on_alone(struct piece *p)
{
    struct db *db = piece_store(p)->db;
    if (!db_begin(db, DB_WRITE, &p->err))
        return false;
    if ((p->kind == PIECE_NONE || move_on(p, p->now, &p->err)) &&
        leave_run(p, STR("its service ended, or lost the stack's lease"), &p->err) &&
        give_back(p, &(struct lease_end){.attempts = p->lease->attempts}, &p->err) &&
        db_commit(db, &p->err))
        return true;
    db_rollback(db);
    return false;
}

/* Nothing of it is recorded while there is patience; after that it is, and says so. */
static bool end_of_apply(struct piece *p, const struct lock_holder *before, bool *ret_waits)
{
    struct lock_holder after = {0};
    bool patient = is_patient(p);
    *ret_waits = false;
    bool changed = was_changed(p, &after);
    if (p->err.kind || (!changed && (patient || !before->held)))
        return !p->err.kind;
    *ret_waits = patient;
    if (patient)
        return wait_for_apply(p, "an apply changed it while it was scanned: again soon");
    p->locked |= after.held;
    return scan_note_apply(&p->arena, before->held ? before : &after, &p->result, &p->err);
}

/* Free again at once, for those who have the newer code. */
static bool leave_to_others(struct piece *p, bool in_vain)
{
    const struct lease_end end = {.attempts = p->lease->attempts + in_vain,
                                  .waits_utc_ms = p->lease->waits_utc_ms};
    LOG(p->s->server->options.log, LOG_INFO, "scan",
        "there is newer code: left to who has it, until it is here",
        LOG_TEXT("stack", p->stack->name));
    return abandon(p, STR("there was newer code"), &end, &p->err);
}

/* *ret_waits: it is not begun, for an apply goes on, or the code here is old. */
static bool begin_it(struct piece *p, struct lock_holder *holder, bool *ret_waits)
{
    bool patient = is_patient(p);
    if (!has_old_code(p, ret_waits))
        return false;
    if (*ret_waits)
        return leave_to_others(p, false);
    if (!look_here(p, holder))
        return false;
    if (p->lease->waits_utc_ms) /* one look is less than a scan in vain */
        look_there(p, holder);
    *ret_waits = holder->held && patient;
    if (*ret_waits)
        return wait_for_apply(p, "an apply is under way: waiting");
    p->locked = holder->held;
    if (!patient)
        tell_apply(p, "an apply was waited for long enough: scanned all the same");
    return (p->recording.options.arena || prepare(p)) && begin_run(p);
}

static bool scan_it(struct piece *p)
{
    struct lock_holder holder = {0};
    bool waits = false, moved = false;
    if (!p->begun && (!begin_it(p, &holder, &waits) || waits))
        return waits && !p->err.kind;
    if (p->lease->due_utc_ms > 0)
        metrics_observe(server_metrics(p->s->server), METRIC_SCAN_LAG,
                        LABELS(str_from(piece_names[p->kind])),
                        (double)(p->now - p->lease->due_utc_ms) / 1000);
    if (!look_at_it(p) || !has_moved(p, &moved))
        return false;
    if (moved)
        return leave_to_others(p, true);
    if (!end_of_apply(p, &holder, &waits))
        return false;
    if (waits)
        return true;
    if (!record_it(p))
        return false;
    wake_others(p);
    tell_result(p);
    return true;
}

static bool run(struct piece *p)
{
    if ((!p->found && !piece_find_work(p)) || (!p->begun && !piece_find_addresses(p)))
        return false;
    bool nothing = p->kind == PIECE_NONE || (p->kind == PIECE_TIER && !p->naddresses);
    return nothing ? move_on_alone(p) : scan_it(p);
}

/* A store that is away is waited for, as long as the lease lasts. */
static bool abandon_at_last(struct piece *p, struct str why, const struct lease_end *end)
{
    const struct timespec wait = {.tv_nsec = AGAIN_MS * 1000000L};
    int64_t until = clock_monotonic_ms() + p->s->settings.lease_ms;
    for (;;) {
        struct err err = {0};
        if (abandon(p, why, end, &err))
            return true;
        store_drop(&p->hands->store);
        if (err.kind != ERR_UNAVAILABLE || clock_monotonic_ms() > until || p->slot->cancel)
            return false;
        (void)nanosleep(&wait, NULL);
    }
}

/* Without a result: given up, and free for others at once where that can be written. */
static void end_badly(struct piece *p)
{
    (void)pthread_mutex_lock(&p->s->lock);
    enum slot_why why = p->slot->why;
    (void)pthread_mutex_unlock(&p->s->lock);
    bool away = p->err.kind == ERR_UNAVAILABLE; /* the store: the stack is free again at once */
    bool failed = why == SLOT_GOES_ON && !away;
    int64_t attempts = p->lease->attempts + failed;
    const struct lease_end end = {.attempts = attempts,
                                  .not_before_utc_ms =
                                      failed && p->now ? try_again_at(p, p->now, attempts) : 0};
    if (failed || away)
        scheduler_tell(p->s, "not scanned", p->stack->name, &p->err);
    if (why == SLOT_LOST || p->err.kind == ERR_CONFLICT) {
        give_up_lost(p);
        return;
    }
    (void)abandon_at_last(p,
                          away     ? STR("the store went away")
                          : failed ? STR("it could not be recorded")
                                   : STR("the service ended"),
                          &end); /* or the lease runs out */
}

bool scheduler_scan(struct scheduler *scheduler, struct slot *slot, struct hands *hands,
                    const struct plan *plan, const struct lease *lease)
{
    bool more = true;
    struct piece first = {.s = scheduler,
                          .slot = slot,
                          .hands = hands,
                          .plan = plan,
                          .arena = {.limit = PIECE_ARENA}};
    set_lease(&first, lease);
    for (struct piece *p = &first, *next; p; p = next) {
        bool recorded = run(p);
        if (!recorded)
            end_badly(p);
        more = !recorded || !p->last;
        next = p->next;
        hands->store.uses += next ? 1 : 0;
        scheduler_hold(slot, next ? next->lease : NULL); /* before what it had goes */
        arena_free(&p->arena);
        if (p != &first)
            free(p);
    }
    return more;
}

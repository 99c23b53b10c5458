/* scheduler.c - the threads: who scans, who renews leases, who plans. */
#include "serve/scheduler.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "desired/known.h"
#include "live/budget.h"
#include "model/config.h"
#include "record/maintain.h"
#include "record/reviews.h"
#include "record/touch.h"
#include "serve/feeds.h"
#include "serve/log.h"
#include "serve/scheduler_parts.h"

enum {
    WORKERS = 2,
    TOUCH_WORKERS = 2, /* while one waits for the disk or a provider the other goes on */
    LEASE_MS = 30000,
    APPLY_WAIT_MS = 30 * 60000,
    DRAIN_MS = 10000,
    SLICE = 5000,
    LOOK_MS = 500,     /* for work, where nobody wakes us */
    TROUBLE_MS = 1000, /* before trying again */
    PLAN_MS = 60000,   /* folders come and go */
    CLOCK_BACK_MS = 1000,
    CLOCK_ASK_MS = 5000,
    FORGET_MS = 3600000,
    BEAT_MS = 120000,
    STORE_USES = 500
};

/* --- a connection --- */

void store_drop(struct store *store)
{
    record_close(&store->record);
    arena_free(&store->arena);
    *store = (struct store){0};
}

bool store_ready(struct store *store, const struct server *server, struct err *err)
{
    if (store->record.db && store->uses++ < STORE_USES)
        return true;
    /* What a scan records is found again where it is lost; who tells of it writes that down first.
     */
    struct record_options options = server->options.record;
    options.later = true;
    store_drop(store);
    store->arena.limit = STORE_ARENA;
    if (record_open(&store->arena, &options, &store->record, err))
        return true;
    store_drop(store);
    return false;
}

void scheduler_tell(struct scheduler *s, const char *what, struct str stack, const struct err *err)
{
    char text[ERR_FRAMES_MAX * ERR_TEXT_MAX];
    LOG(s->server->options.log, LOG_WARN, "scan", what, LOG_TEXT("stack", stack),
        LOG_TEXT("error", str_from(err_text(err, text, sizeof text))));
}

/* --- work --- */

struct looking {
    struct scheduler *scheduler;
    const struct plan *plan;
};

static bool is_ours(void *ctx, struct str stack)
{
    const struct looking *looking = ctx;
    size_t i = plan_find(looking->plan, stack);
    return i != SIZE_MAX && !feeds_code_waits(looking->scheduler->server->feeds,
                                              looking->plan->stacks.stack[i].path);
}

static struct plan *use_plan(struct scheduler *s)
{
    (void)pthread_mutex_lock(&s->lock);
    struct plan *plan = s->closing ? NULL : s->plan;
    if (plan)
        plan->uses++;
    (void)pthread_mutex_unlock(&s->lock);
    return plan;
}

static void unuse_plan(struct scheduler *s, struct plan *plan)
{
    (void)pthread_mutex_lock(&s->lock);
    bool last = --plan->uses == 0 && plan != s->plan;
    (void)pthread_mutex_unlock(&s->lock);
    if (last)
        plan_free(plan);
}

bool scheduler_take(struct slot *slot, struct record *record, struct arena *arena,
                    const struct plan *plan, bool urgent, struct lease *ret, bool *ret_taken,
                    struct err *err)
{
    struct scheduler *s = slot->scheduler;
    struct looking looking = {s, plan};
    (void)pthread_mutex_lock(&s->lock);
    uint64_t n = ++s->taken;
    (void)pthread_mutex_unlock(&s->lock);
    const struct lease_ask ask = {
        .owner = arena_printf(arena, "%s:%llu", s->name, (unsigned long long)n),
        .lease_ms = s->settings.lease_ms,
        .urgent = urgent,
        .known = is_ours,
        .ctx = &looking};
    if (!ask.owner.ptr)
        return arena_full(arena, err);
    return lease_take(record, arena, &ask, ret, ret_taken, err);
}

/* What is touched first, for everybody; then what is due. */
static bool take(struct slot *slot, struct record *record, struct arena *arena,
                 const struct plan *plan, struct lease *ret, bool *ret_taken, struct err *err)
{
    return scheduler_take(slot, record, arena, plan, true, ret, ret_taken, err) &&
           (*ret_taken || slot->urgent ||
            scheduler_take(slot, record, arena, plan, false, ret, ret_taken, err));
}

bool scheduler_goes_on(struct scheduler *s, struct store *store, const struct plan *plan)
{
    (void)pthread_mutex_lock(&s->lock);
    bool on = !s->closing && s->plan == plan;
    (void)pthread_mutex_unlock(&s->lock);
    return on && store->uses < STORE_USES;
}

void scheduler_hold(struct slot *slot, const struct lease *lease)
{
    struct scheduler *s = slot->scheduler;
    (void)pthread_mutex_lock(&s->lock);
    bool had = slot->lease.stack.ptr;
    slot->lease = lease ? *lease : (struct lease){0};
    slot->renewed_ms = clock_monotonic_ms();
    slot->why = lease && s->closing ? SLOT_CLOSING : SLOT_GOES_ON;
    slot->cancel = slot->why != SLOT_GOES_ON;
    s->busy += lease && !had;
    s->busy -= !lease;
    if (s->closing) /* whoever waits looks at busy then only */
        (void)pthread_cond_broadcast(&s->change);
    (void)pthread_mutex_unlock(&s->lock);
}

static void publish_budgets(struct scheduler *s)
{
    struct metrics *metrics = server_metrics(s->server);
    for (size_t i = 0; i < budgets_count(s->budgets); i++) {
        struct budget_tally tally;
        budgets_tally(s->budgets, i, &tally);
        const struct str label[] = {tally.provider.len ? tally.provider : STR("*"),
                                    tally.settings.len ? tally.settings : STR("*")};
        metrics_add(metrics, METRIC_BUDGET_CALLS, label, (double)tally.calls);
        metrics_add(metrics, METRIC_BUDGET_WAITS, label, (double)tally.waits);
        metrics_set(metrics, METRIC_BUDGET_RATE, label, tally.rate);
    }
}

/* True: there may be more to do at once. */
static bool work_once(struct slot *slot, struct hands *hands, struct err *err)
{
    struct scheduler *s = slot->scheduler;
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct lease lease;
    bool taken = false;
    struct plan *plan = use_plan(s);
    if (!plan)
        return false;
    if (store_ready(&hands->store, s->server, err) &&
        take(slot, &hands->store.record, &arena, plan, &lease, &taken, err) && taken) {
        scheduler_hold(slot, &lease);
        bool more = scheduler_scan(s, slot, hands, plan, &lease);
        taken = more || !slot->urgent; /* there may be what is due */
        publish_budgets(s);
    }
    unuse_plan(s, plan);
    if (err->kind)
        store_drop(&hands->store);
    return taken;
}

static bool closing(struct scheduler *s)
{
    (void)pthread_mutex_lock(&s->lock);
    bool closing = s->closing;
    (void)pthread_mutex_unlock(&s->lock);
    return closing;
}

static void *work(void *ctx)
{
    struct slot *slot = ctx;
    struct scheduler *s = slot->scheduler;
    struct hands hands = {0};
    uint64_t seen = 0;
    while (!closing(s)) {
        struct err err = {0};
        if (work_once(slot, &hands, &err))
            continue;
        seen = hub_wait(s->server->hub, HUB_SCANS, seen, err.kind ? TROUBLE_MS : LOOK_MS);
    }
    hands_drop(&hands);
    return NULL;
}

/* --- renewing --- */

/* Is it still that one? Its fence tells leases of one stack apart only; its owner is another with
 * each lease that is taken. Under the lock. */
static bool has_lease(const struct slot *slot, const struct lease *lease)
{
    return slot->lease.stack.ptr && str_equal(slot->lease.owner, lease->owner);
}

void scheduler_lose(struct scheduler *s, struct slot *slot, const struct lease *lease)
{
    (void)pthread_mutex_lock(&s->lock);
    if (has_lease(slot, lease) && slot->why == SLOT_GOES_ON) {
        slot->why = SLOT_LOST;
        slot->cancel = 1;
    }
    (void)pthread_mutex_unlock(&s->lock);
}

static bool copy_lease(struct scheduler *s, struct slot *slot, struct arena *arena,
                       struct lease *ret, int64_t *ret_renewed)
{
    (void)pthread_mutex_lock(&s->lock);
    *ret = slot->lease;
    *ret_renewed = slot->renewed_ms;
    if (ret->stack.ptr) {
        ret->stack = arena_dup(arena, ret->stack);
        ret->owner = arena_dup(arena, ret->owner);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return ret->stack.ptr && ret->owner.ptr;
}

static void renew(struct scheduler *s, struct slot *slot, struct store *store)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct lease lease;
    struct err err = {0};
    bool held = false;
    int64_t renewed = 0, began = clock_monotonic_ms();
    if (!copy_lease(s, slot, &arena, &lease, &renewed))
        return;
    if (store_ready(store, s->server, &err) && lease_renew(&store->record, &lease, &held, &err)) {
        (void)pthread_mutex_lock(&s->lock);
        if (held && has_lease(slot, &lease))
            slot->renewed_ms = began;
        (void)pthread_mutex_unlock(&s->lock);
        if (!held)
            scheduler_lose(s, slot, &lease);
        return;
    }
    store_drop(store);
    if (clock_monotonic_ms() - renewed > s->settings.lease_ms)
        scheduler_lose(s, slot, &lease); /* by now it may be another's */
}

/* The end of a wait that begins now. */
static struct timespec in_ms(int64_t ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    return until;
}

static void *beat(void *ctx)
{
    struct scheduler *s = ctx;
    struct store store = {0};
    for (bool on = true; on;) {
        const struct timespec until = in_ms(s->settings.lease_ms / 4);
        (void)pthread_mutex_lock(&s->lock);
        while ((!s->closing || s->busy) &&
               pthread_cond_timedwait(&s->change, &s->lock, &until) == 0)
            ;
        on = !s->closing || s->busy;
        (void)pthread_mutex_unlock(&s->lock);
        for (size_t i = 0; on && i < s->nslots; i++)
            renew(s, &s->slot[i], &store);
        publish_budgets(s);
    }
    store_drop(&store);
    return NULL;
}

/* --- planning --- */

struct planning {
    struct scheduler *s;
    struct store store, ear; /* ear: only listens */
    int64_t planned_ms, forgot_ms, asked_ms;
    int64_t seen_utc_ms; /* of the clock of leases, the last time */
    bool deaf;           /* there is nobody to listen to */
    uint64_t seen;
    char told[ERR_TEXT_MAX];
};

/* Which of two stacks a name means is no more, or again, clear: its scan says so at once. */
static bool touch_twice(const struct plan *plan, const struct plan *before, struct record *record,
                        struct err *err)
{
    for (size_t i = 0; i < plan->stacks.n; i++) {
        const struct stack *stack = &plan->stacks.stack[i];
        size_t at = before ? plan_find(before, stack->name) : SIZE_MAX;
        bool was = at != SIZE_MAX && before->stacks.stack[at].twice.len;
        const struct touch touch = {.stack = stack->name, .why = STR("code")};
        if (was != (stack->twice.len > 0) && !touch_add(record, &touch, 1, err))
            return false;
    }
    return true;
}

static bool swap_plan(struct scheduler *s, struct record *record, struct err *err)
{
    struct plan *plan = NULL;
    if (!plan_make(s->server, &plan, err))
        return false;
    if (!plan_drop_strangers(plan, record, err) || !plan_write(plan, s->server, record, err) ||
        !touch_twice(plan, s->plan, record, err)) {
        plan_free(plan);
        return false;
    }
    (void)pthread_mutex_lock(&s->lock);
    struct plan *before = s->plan;
    s->plan = plan;
    bool free_it = before && before->uses == 0;
    (void)pthread_mutex_unlock(&s->lock);
    if (free_it)
        plan_free(before);
    if (!before)
        hub_wake(s->server->hub);
    return true;
}

/* What time has ended is written down; what is old enough goes (`keep:`). */
static bool settle(struct planning *p, struct err *err)
{
    const struct config *config = p->s->server->options.config;
    const struct event_actor actor = {STR("plumb"), STR("service")};
    struct settled settled;
    struct pruned pruned;
    int64_t now = clock_monotonic_ms();
    if (!record_settle(&p->store.record, &settled, err))
        return false;
    if (!config || !config->keep_ms || now - p->forgot_ms < FORGET_MS)
        return true;
    p->forgot_ms = now;
    return store_prune(&p->store.record, config->keep_ms, &actor, &pruned, err);
}

static bool due(int64_t *at, int64_t every)
{
    int64_t now = clock_monotonic_ms();
    if (*at && now - *at < every)
        return false;
    *at = now;
    return true;
}

/* What was planned by a clock that was ahead would be waited for until that time comes again. */
static bool follow_clock(struct planning *p, struct err *err)
{
    int64_t now = 0;
    bool asks = db_kind(p->store.record.db) != DB_SQLITE; /* the server: not at each look */
    if (asks && !due(&p->asked_ms, CLOCK_ASK_MS))
        return true;
    if (!lease_now(&p->store.record, &now, err))
        return false;
    int64_t back = p->seen_utc_ms - now;
    if (back >= CLOCK_BACK_MS && !lease_shift(&p->store.record, back, err))
        return false;
    p->seen_utc_ms = now;
    if (back < CLOCK_BACK_MS)
        return true;
    p->planned_ms = 0;
    LOG(p->s->server->options.log, LOG_WARN, "scan", "the clock went back: scans are planned anew",
        LOG_NUMBER("ms", back));
    return true;
}

static bool plan_once(struct planning *p, struct err *err)
{
    struct scheduler *s = p->s;
    if (!store_ready(&p->store, s->server, err))
        return false;
    return s->settings.off ||
           (follow_clock(p, err) && (!due(&p->planned_ms, PLAN_MS) ||
                                     (swap_plan(s, &p->store.record, err) && settle(p, err))));
}

/* The same trouble is told once; so is its end. A stack that is not there, or is
 * two, is no other's. */
static void tell_trouble(struct planning *p, const struct err *err)
{
    const struct plan *plan = p->s->plan; /* which nobody else makes another one */
    struct err absent = {0};
    char text[ERR_TEXT_MAX] = "";
    bool twice = plan && plan->stacks.twice.len;
    struct str why = twice ? plan->stacks.twice : plan ? plan->stacks.absent : STR("");
    if (!err->kind && why.len)
        (void)err_set(&absent, ERR_USAGE, "%.*s", STR_ARG(why));
    const struct err *what = absent.kind ? &absent : err;
    if (what->kind)
        (void)err_text(what, text, sizeof text);
    hub_trouble(p->s->server->hub, PART_SCHEDULER, what->kind ? text : NULL);
    if (what->kind && strcmp(text, p->told) != 0)
        scheduler_tell(p->s,
                       !absent.kind ? "scans cannot be planned"
                       : twice      ? "a stack of plumb.yaml cannot be scanned"
                                    : "a stack of plumb.yaml is not there",
                       STR(""), what);
    memcpy(p->told, text, sizeof text);
}

/* Until something may be different: another service's touch wakes this process, too. */
static void listen_on(struct planning *p)
{
    struct err err = {0};
    struct hub *hub = p->s->server->hub;
    enum db_told told = DB_TOLD_NOTHING;
    if (!p->deaf && !p->ear.record.db && store_ready(&p->ear, p->s->server, &err) &&
        !db_listen(p->ear.record.db, "plumb_work", &err)) {
        p->deaf = err.kind == ERR_UNSUPPORTED;
        store_drop(&p->ear);
    }
    if (!p->ear.record.db) {
        p->seen = hub_wait(hub, HUB_REST, p->seen, p->deaf ? LOOK_MS : TROUBLE_MS);
        return;
    }
    if (!db_wait(p->ear.record.db, -1, LOOK_MS, &told, &err))
        store_drop(&p->ear); /* what was said meanwhile is found by looking */
    if (told == DB_TOLD)
        hub_wake(hub);
    else if (told == DB_TOLD_WORD)
        hub_wake_for_touches(hub);
}

static void *plan_on(void *ctx)
{
    struct planning p = {.s = ctx};
    while (!closing(p.s)) {
        struct err err = {0};
        hub_beat(p.s->server->hub, PART_SCHEDULER, BEAT_MS);
        if (!plan_once(&p, &err)) {
            store_drop(&p.store);
            p.planned_ms = 0;
        }
        tell_trouble(&p, &err);
        if (err.kind)
            p.seen = hub_wait(p.s->server->hub, HUB_REST, p.seen, TROUBLE_MS);
        else
            listen_on(&p);
    }
    store_drop(&p.store);
    store_drop(&p.ear);
    return NULL;
}

/* --- opening and closing --- */

static int64_t or_default(int64_t n, int64_t otherwise)
{
    return n ? n : otherwise;
}

static void set_up(struct scheduler *s, struct server *server)
{
    const struct config *config = server->options.config;
    char host[64] = "";
    uint64_t random = 0;
    s->server = server;
    if (config)
        s->settings = config->serve.scheduler;
    s->settings.workers = or_default(s->settings.workers, WORKERS);
    s->settings.lease_ms = or_default(s->settings.lease_ms, LEASE_MS);
    s->settings.apply_wait_ms = or_default(s->settings.apply_wait_ms, APPLY_WAIT_MS);
    s->settings.slice = or_default(s->settings.slice, SLICE);
    s->settings.drain_ms = or_default(s->settings.drain_ms, DRAIN_MS);
    (void)gethostname(host, sizeof host - 1);
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        random = (uint64_t)clock_monotonic_ms();
    (void)snprintf(s->name, sizeof s->name, "%s:%ld:%016llx", host, (long)getpid(),
                   (unsigned long long)random);
}

static bool start(struct scheduler *s, struct err *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < s->nslots; i++) {
        struct slot *slot = &s->slot[i];
        *slot = (struct slot){.scheduler = s, .n = (unsigned)i, .urgent = i < TOUCH_WORKERS};
        slot->started = ok = pthread_create(&slot->thread, NULL, work, slot) == 0;
    }
    s->has_heart = ok && pthread_create(&s->heart, NULL, beat, s) == 0;
    s->has_planner = s->has_heart && pthread_create(&s->planner, NULL, plan_on, s) == 0;
    return s->has_planner || err_set(err, ERR_LIMIT, "a thread cannot be started");
}

bool scheduler_open(struct scheduler **ret, struct server *server, struct err *err)
{
    pthread_condattr_t monotonic;
    struct scheduler *s = calloc(1, sizeof *s);
    if (!s)
        return err_set(err, ERR_LIMIT, "out of memory");
    set_up(s, server);
    (void)pthread_mutex_init(&s->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&s->change, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    s->nslots = s->settings.off ? 0 : (size_t)s->settings.workers + TOUCH_WORKERS;
    s->slot = calloc(s->nslots + 1, sizeof *s->slot);
    bool ok = s->slot || err_set(err, ERR_LIMIT, "out of memory");
    if (!ok ||
        !budgets_open(server->options.config ? server->options.config->budgets : NULL,
                      server->options.config ? server->options.config->nbudgets : 0, &s->budgets,
                      err) ||
        !known_states_open(0, &s->known, err) || !start(s, err)) {
        scheduler_close(s);
        return false;
    }
    *ret = s;
    return true;
}

/* Scans that go on end by themselves in that time, or are told to. */
static void drain(struct scheduler *s)
{
    const struct timespec until = in_ms(s->settings.drain_ms);
    (void)pthread_mutex_lock(&s->lock);
    s->closing = true;
    (void)pthread_cond_broadcast(&s->change);
    (void)pthread_mutex_unlock(&s->lock);
    hub_wake(s->server->hub);
    (void)pthread_mutex_lock(&s->lock);
    while (s->busy && pthread_cond_timedwait(&s->change, &s->lock, &until) == 0)
        ;
    for (size_t i = 0; s->slot && i < s->nslots; i++)
        if (s->slot[i].lease.stack.ptr && s->slot[i].why == SLOT_GOES_ON) {
            s->slot[i].why = SLOT_CLOSING;
            s->slot[i].cancel = 1;
        }
    (void)pthread_mutex_unlock(&s->lock);
}

void scheduler_close(struct scheduler *s)
{
    if (!s)
        return;
    drain(s);
    for (size_t i = 0; s->slot && i < s->nslots; i++)
        if (s->slot[i].started)
            (void)pthread_join(s->slot[i].thread, NULL);
    if (s->has_heart)
        (void)pthread_join(s->heart, NULL);
    if (s->has_planner)
        (void)pthread_join(s->planner, NULL);
    hub_beat(s->server->hub, PART_SCHEDULER, 0);
    hub_trouble(s->server->hub, PART_SCHEDULER, NULL);
    /* A row that the next configuration does not have has no figures either. */
    for (enum metric m = METRIC_BUDGET_CALLS; m <= METRIC_BUDGET_RATE; m++)
        metrics_clear(server_metrics(s->server), m);
    plan_free(s->plan);
    budgets_close(s->budgets);
    known_states_close(s->known);
    (void)pthread_cond_destroy(&s->change);
    (void)pthread_mutex_destroy(&s->lock);
    free(s->slot);
    free(s);
}

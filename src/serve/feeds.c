/* feeds.c - the thread that watches files, and turns their changes into touches. */
#include "serve/feeds.h"

#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "desired/stacks.h"
#include "live/warm.h"
#include "model/config.h"
#include "record/touch.h"
#include "serve/feeds_parts.h"
#include "serve/log.h"
#include "serve/server.h"

enum {
    AGAIN_MS = 60000, /* which stacks there are is asked anew */
    RETRY_MS = 2000,  /* the store could not be written */
    RELOADED_MS = 2000,
    FIGURES_MS = 2000,
    /* A file that the scans themselves make change (a log beside the code) must not keep them
     * going: past so many touches, each within a while of the last, the next waits longer and
     * longer. */
    BUSY_TOUCHES = 12,
    BUSY_WITHIN_MS = 10000,
    BUSY_FIRST_MS = 500,
    BUSY_MOST_MS = 120000,
    BYTES_MAX = 512 << 20
};

/* A stack and its files, or (the first) what is common to all. */
struct feed_stack {
    struct arena arena;
    struct str name, place;
    struct feed_targets files;
    bool there, changed, retold; /* changed: touch all of it; retold: its files are to be listed */
    bool moved;                  /* into another list */
    enum feed_what what;
    int64_t due_utc_ms; /* of its last touch */
    unsigned row;       /* touches one soon after the other */
};
/* Whose a watched target is; sorted by target. */
struct use {
    const struct feed_target *target;
    size_t stack;
    bool changed;
};

struct feeds {
    struct server *server;
    struct watch *watch;
    struct feed_git *git;
    struct feed_states *states;
    pthread_t thread;
    bool started;
    atomic_bool closing;
    int wake_fd;
    struct feed_store store;

    struct feed_stack *stack; /* [0]: common */
    size_t nstacks;
    struct arena uses_arena;
    struct use *use;
    size_t *first_use; /* of each watched target; one more at the end */
    size_t nuses, ntargets;
    int64_t again_ms;
    bool watched; /* what the uses name */
    bool pending, reload;
    atomic_bool moved; /* the clone stands at another commit */
    char told_trouble[300];
};

static const struct log *log_of(const struct feeds *f)
{
    return f->server->options.log;
}

static void tell(const struct feeds *f, enum log_level level, const char *message,
                 const struct err *err)
{
    char text[ERR_FRAMES_MAX * ERR_TEXT_MAX];
    LOG(log_of(f), level, "feeds", message,
        LOG_TEXT("error", str_from(err_text(err, text, sizeof text))));
}

/* --- which files --- */

static void free_stacks(struct feed_stack *stack, size_t n)
{
    for (size_t i = 0; i < n; i++)
        arena_free(&stack[i].arena);
    free(stack);
}

static bool same_files(const struct feed_targets *a, const struct feed_targets *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (a->item[i].target.kind != b->item[i].target.kind ||
            a->item[i].what != b->item[i].what ||
            !str_equal(a->item[i].target.path, b->item[i].target.path) ||
            !str_equal(a->item[i].address, b->item[i].address))
            return false;
    return true;
}

/* Its files as they are now. *ret_changed: other ones than before. */
static bool list_files(struct feed_stack *ret, const struct stack *stack,
                       const struct config *config, struct str cwd, bool *ret_changed,
                       struct err *err)
{
    struct feed_stack made = {.arena = {.limit = BYTES_MAX}, .there = true};
    made.name = arena_dup(&made.arena, stack ? stack->name : STR(""));
    made.place = arena_dup(&made.arena, stack ? stack->path : STR(""));
    bool ok = made.name.ptr && made.place.ptr &&
              (stack ? feed_files_of_stack(&made.arena, stack, cwd, &made.files, err)
                     : feed_files_of_config(&made.arena, config, cwd, &made.files, err));
    if (!ok) {
        arena_free(&made.arena);
        return err->kind != ERR_NONE ? false : err_set(err, ERR_LIMIT, "out of memory");
    }
    if (same_files(&ret->files, &made.files) && ret->name.ptr) {
        arena_free(&made.arena);
        ret->there = true;
        ret->retold = false;
        return true;
    }
    *ret_changed = true;
    made.changed = ret->changed;
    made.what = ret->what;
    made.due_utc_ms = ret->due_utc_ms;
    made.row = ret->row;
    arena_free(&ret->arena);
    *ret = made;
    return true;
}

static int by_target(const void *a, const void *b)
{
    const struct use *x = a, *y = b;
    const struct watch_target *s = &x->target->target, *t = &y->target->target;
    int order = str_compare(s->path, t->path);
    order = order ? order : (s->kind > t->kind) - (s->kind < t->kind);
    order = order ? order : s->wanted == t->wanted ? 0 : x->target->what < y->target->what ? -1 : 1;
    return order ? order : (x->stack > y->stack) - (x->stack < y->stack);
}

static bool same_target(const struct use *a, const struct use *b)
{
    const struct watch_target *s = &a->target->target, *t = &b->target->target;
    return s->kind == t->kind && s->wanted == t->wanted && str_equal(s->path, t->path);
}

/* One watched target for all who have it. */
static bool set_watch(struct feeds *f, struct err *err)
{
    size_t n = 0;
    arena_free(&f->uses_arena);
    f->uses_arena = (struct arena){.limit = BYTES_MAX};
    f->nuses = f->ntargets = 0;
    f->watched = false;
    for (size_t i = 0; i < f->nstacks; i++)
        n += f->stack[i].files.n;
    f->use = arena_new(&f->uses_arena, struct use, n);
    f->first_use = arena_new(&f->uses_arena, size_t, n + 1);
    struct watch_target *target = arena_new(&f->uses_arena, struct watch_target, n);
    if (!f->use || !f->first_use || !target)
        return arena_full(&f->uses_arena, err);
    for (size_t i = 0; i < f->nstacks; i++)
        for (size_t k = 0; k < f->stack[i].files.n; k++)
            f->use[f->nuses++] = (struct use){.target = &f->stack[i].files.item[k], .stack = i};
    if (n > 1)
        qsort(f->use, n, sizeof *f->use, by_target);
    size_t ntargets = 0;
    for (size_t i = 0; i < n; i++) {
        if (i && same_target(&f->use[i], &f->use[i - 1]))
            continue;
        f->first_use[ntargets] = i;
        target[ntargets++] = f->use[i].target->target;
    }
    f->first_use[ntargets] = n;
    if (!watch_set(f->watch, target, ntargets, err))
        return false; /* what is watched is numbered as before: no use of it is known */
    f->ntargets = ntargets;
    return f->watched = true;
}

static int by_name(const void *key, const void *element)
{
    const struct stack *stack = key;
    const struct feed_stack *known = element;
    return str_compare(stack->name, known->name);
}

/* Of the same name, and in the same place. */
static struct feed_stack *find_stack(const struct feed_stack *known, size_t n,
                                     const struct stack *stack)
{
    struct feed_stack *found =
        n > 1 ? bsearch(stack, &known[1], n - 1, sizeof *known, by_name) : NULL;
    return found && str_equal(found->place, stack->path) ? found : NULL;
}

/* Sorted by name on both sides: those that stay are moved over, with what was seen of them. */
static bool take_stacks(struct feeds *f, const struct stacks *found, struct str cwd,
                        bool *ret_changed, struct err *err)
{
    struct feed_stack *list = calloc(found->n + 1, sizeof *list);
    size_t before = f->nstacks;
    bool ok = true;
    if (!list)
        return err_set(err, ERR_LIMIT, "out of memory");
    for (size_t i = 0; i <= found->n; i++) {
        const struct stack *stack = i ? &found->stack[i - 1] : NULL;
        struct feed_stack *old = i        ? find_stack(f->stack, before, stack)
                                 : before ? &f->stack[0]
                                          : NULL;
        if (old) {
            list[i] = *old;
            old->moved = true; /* its arena, too; its name is still looked for */
        }
    }
    for (size_t i = 0; i < before; i++)
        if (f->stack[i].moved)
            f->stack[i].arena = (struct arena){0};
    *ret_changed |= before != found->n + 1;
    free_stacks(f->stack, before);
    f->stack = list;
    f->nstacks = found->n + 1;
    for (size_t i = 0; ok && i <= found->n && !atomic_load(&f->closing); i++)
        if (!list[i].there || list[i].retold)
            ok = list_files(&list[i], i ? &found->stack[i - 1] : NULL, f->server->options.config,
                            cwd, ret_changed, err);
    return ok;
}

static bool list_all(struct feeds *f, struct err *err)
{
    AUTO_ARENA arena = {.limit = BYTES_MAX};
    const struct config *config = f->server->options.config;
    const struct stacks_query query = {.config = config,
                                       .env = f->server->options.record.env,
                                       .none_is_fine = true,
                                       .twice_is_fine = true};
    struct stacks found = {0};
    char cwd[PATH_MAX];
    bool changed = false;
    f->again_ms = clock_monotonic_ms() + AGAIN_MS;
    if (!config || !config->path.len)
        return true; /* it serves states, and scans nothing */
    if (!getcwd(cwd, sizeof cwd))
        return err_set(err, ERR_IO, "the working directory is gone");
    if (!stacks_find(&arena, &query, &found, err))
        return false;
    bool ok = take_stacks(f, &found, str_from(cwd), &changed, err);
    /* What was taken of a list that cannot be had whole is watched, too: the old uses are gone. */
    bool set = (ok && !changed && f->watched) || set_watch(f, ok ? err : NULL);
    return ok && set;
}

/* --- what changed --- */

static void on_changed(void *ctx, size_t target)
{
    struct feeds *f = ctx;
    if (target >= f->ntargets)
        return;
    for (size_t i = f->first_use[target]; i < f->first_use[target + 1]; i++) {
        struct use *use = &f->use[i];
        struct feed_stack *stack = &f->stack[use->stack];
        enum feed_what what = use->target->what;
        f->pending = use->changed = true;
        f->reload |= what == FEED_CONFIG || what == FEED_POLICY;
        if (what == FEED_MANAGED)
            continue;
        stack->what = what;
        stack->changed = true;
        stack->retold |= what == FEED_CODE || what == FEED_STATE || what == FEED_CONFIG;
    }
}

struct touches {
    struct arena arena;
    struct touch *item;
    size_t n, room;
};

static bool add_touch(struct touches *t, struct str stack, struct str address, enum feed_what what,
                      int64_t due_utc_ms, struct err *err)
{
    struct touch *item = arena_grow(&t->arena, t->item, t->n, &t->room, t->n + 1);
    if (!item)
        return arena_full(&t->arena, err);
    t->item = item;
    item[t->n++] = (struct touch){.stack = stack,
                                  .address = address,
                                  .why = str_from(feed_why(what)),
                                  .due_utc_ms = due_utc_ms};
    return true;
}

/* When a stack whose files changed is due; the first of many is now. A state is written by applies,
 * again and again and never by a scan: what it became is looked at without delay. */
static int64_t due_of(const struct feed_stack *stack, int64_t now)
{
    if (!stack->changed || stack->what != FEED_CODE || stack->row < BUSY_TOUCHES)
        return 0;
    unsigned doubled = stack->row - BUSY_TOUCHES;
    int64_t wait = doubled < 8 ? (int64_t)BUSY_FIRST_MS << doubled : BUSY_MOST_MS;
    return now + (wait < BUSY_MOST_MS ? wait : BUSY_MOST_MS);
}

/* Its touch is written down. */
static void count_touch(const struct feeds *f, struct feed_stack *stack, int64_t now)
{
    if (now < stack->due_utc_ms) /* joins the one that waits */
        return;
    bool soon = stack->due_utc_ms && now - stack->due_utc_ms < BUSY_WITHIN_MS;
    int64_t due = due_of(stack, now);
    stack->row = soon ? stack->row + 1 : 0;
    stack->due_utc_ms = due ? due : now;
    if (stack->row == BUSY_TOUCHES)
        LOG(log_of(f), LOG_WARN, "feeds",
            "files of a stack change all the time: it is scanned less often",
            LOG_TEXT("stack", stack->name), LOG_TEXT("why", str_from(feed_why(stack->what))));
}

/* The whole of a stack, or single files that it manages. */
static bool make_touches(struct feeds *f, struct touches *t, struct err *err)
{
    const struct feed_stack *common = &f->stack[0];
    int64_t now = record_now(&f->store.record), due = f->reload ? now + RELOADED_MS : 0;
    for (size_t i = 1; i < f->nstacks; i++) {
        const struct feed_stack *stack = &f->stack[i];
        if ((stack->changed || common->changed) &&
            !add_touch(t, stack->name, STR(""), stack->changed ? stack->what : common->what,
                       due ? due : due_of(stack, now), err))
            return false;
    }
    for (size_t i = 0; i < f->nuses; i++) {
        const struct use *use = &f->use[i];
        if (use->changed && use->target->what == FEED_MANAGED && !f->stack[use->stack].changed &&
            !add_touch(t, f->stack[use->stack].name, use->target->address, FEED_MANAGED, due, err))
            return false;
    }
    return true;
}

/* Whoever handles SIGHUP takes a configuration only if it is right. */
static void ask_reload(struct feeds *f)
{
    sigset_t blocked; /* by who reads it from a descriptor (cmd_serve.c) */
    bool handled =
        pthread_sigmask(SIG_BLOCK, NULL, &blocked) == 0 && sigismember(&blocked, SIGHUP) == 1;
    LOG(log_of(f), LOG_INFO, "feeds", "plumb.yaml or a policy changed",
        LOG_TEXT("then", handled ? STR("reload") : STR("restart to use it")));
    if (handled)
        (void)kill(getpid(), SIGHUP);
    f->reload = false;
}

static bool write_down(struct feeds *f, struct err *err)
{
    struct touches touches = {.arena = {.limit = BYTES_MAX}};
    bool ok = feed_store_open(&f->store, f->server, err) && make_touches(f, &touches, err) &&
              touch_add(&f->store.record, touches.item, touches.n, err);
    struct metrics *metrics = server_metrics(f->server);
    for (size_t i = 0; ok && i < touches.n; i++)
        metrics_add(metrics, METRIC_FEED_TOUCHES, LABELS(touches.item[i].why), 1);
    if (ok && touches.n)
        LOG(log_of(f), LOG_INFO, "feeds", "files changed",
            LOG_NUMBER("touches", (int64_t)touches.n), LOG_TEXT("stack", touches.item[0].stack),
            LOG_TEXT("why", touches.item[0].why));
    arena_free(&touches.arena);
    for (size_t i = 1; ok && i < f->nstacks; i++)
        if (f->stack[i].changed && f->stack[i].what == FEED_CODE)
            count_touch(f, &f->stack[i], record_now(&f->store.record));
    if (!ok)
        feed_store_forget(&f->store);
    return ok;
}

static void settle(struct feeds *f)
{
    struct err err = {0};
    bool again = false;
    if (!write_down(f, &err)) {
        tell(f, LOG_ERROR, "changes of files wait for the store", &err);
        return;
    }
    server_wake(f->server);
    for (size_t i = 0; i < f->nstacks; i++) {
        again |= f->stack[i].retold;
        f->stack[i].changed = false;
    }
    for (size_t i = 0; i < f->nuses; i++)
        f->use[i].changed = false;
    f->pending = false;
    if (f->reload)
        ask_reload(f);
    if (again && !list_all(f, &err))
        tell(f, LOG_WARN, "files cannot be listed", &err);
}

/* --- the thread --- */

static void publish(struct feeds *f)
{
    struct metrics *metrics = server_metrics(f->server);
    struct watch_tally tally;
    struct warm_tally warm = {0};
    watch_tally(f->watch, &tally);
    metrics_set(metrics, METRIC_WATCHED_FOLDERS, NULL, (double)tally.watches);
    metrics_set(metrics, METRIC_WATCH_SLOW, NULL, watch_trouble(f->watch).len ? 1 : 0);
    if (f->server->warm)
        warm_tally(f->server->warm, &warm);
    metrics_set(metrics, METRIC_WARM_PROCESSES, LABELS(STR("waiting")), (double)warm.waiting);
    metrics_set(metrics, METRIC_WARM_PROCESSES, LABELS(STR("busy")), (double)warm.busy);
    metrics_set(metrics, METRIC_WARM_MEMORY, LABELS(STR("processes")), (double)warm.memory);
    metrics_set(metrics, METRIC_WARM_MEMORY, LABELS(STR("schemas")), (double)warm.schema_bytes);
    struct str trouble = watch_trouble(f->watch);
    if (trouble.len && !str_equal(trouble, str_from(f->told_trouble)))
        LOG(log_of(f), LOG_WARN, "feeds", "files are looked at slowly", LOG_TEXT("why", trouble));
    (void)snprintf(f->told_trouble, sizeof f->told_trouble, "%.*s", STR_ARG(trouble));
}

static void drain(int fd)
{
    uint64_t count;
    if (fd >= 0)
        while (read(fd, &count, sizeof count) > 0) {}
}

static void *watch_files(void *ctx)
{
    struct feeds *f = ctx;
    struct err err = {0};
    if (!list_all(f, &err))
        tell(f, LOG_WARN, "files cannot be listed", &err);
    while (!atomic_load(&f->closing)) {
        int64_t left = f->again_ms - clock_monotonic_ms();
        int wait = left < 0 ? 0 : left > FIGURES_MS ? FIGURES_MS : (int)left;
        err = (struct err){0};
        if (!watch_wait(f->watch, f->wake_fd, f->pending ? RETRY_MS : wait, on_changed, f, &err))
            tell(f, LOG_ERROR, "files cannot be watched", &err);
        drain(f->wake_fd);
        if (atomic_load(&f->closing))
            break;
        if (atomic_exchange(&f->moved, false)) {
            watch_look(f->watch);
            continue;
        }
        if (f->pending)
            settle(f);
        /* what waits for the store is known by the targets as they are */
        if (!f->pending && clock_monotonic_ms() >= f->again_ms && !list_all(f, &err))
            tell(f, LOG_WARN, "files cannot be listed", &err);
        publish(f);
    }
    return NULL;
}

/* Told by inotify, too; where that is not to be had, by this. */
static void on_moved(void *ctx)
{
    struct feeds *f = ctx;
    atomic_store(&f->moved, true);
    hub_wake(f->server->hub);
}

void feeds_close(struct feeds *f)
{
    if (!f)
        return;
    feed_git_close(f->git);
    feed_states_close(f->states);
    if (f->started) {
        atomic_store(&f->closing, true);
        hub_wake(f->server->hub);
        (void)pthread_join(f->thread, NULL);
    }
    free_stacks(f->stack, f->nstacks);
    arena_free(&f->uses_arena);
    feed_store_close(&f->store);
    watch_close(f->watch);
    free(f);
}

bool feeds_code_is_old(struct feeds *feeds, struct record *record, struct arena *arena,
                       struct str path, bool *ret, struct str *ret_head, struct err *err)
{
    return feed_git_is_old(feeds ? feeds->git : NULL, record, arena, path, ret, ret_head, err);
}

bool feeds_code_waits(struct feeds *feeds, struct str path)
{
    return feeds && feed_git_waits(feeds->git, path);
}

bool feeds_open(struct feeds **ret, struct server *server, struct err *err)
{
    const struct config *config = server->options.config;
    const struct config_feeds none = {0}, *feeds = config ? &config->serve.feeds : &none;
    const struct watch_options options = {.quiet_ms = (int)feeds->quiet_ms,
                                          .slow_ms = (int)feeds->poll_ms};
    struct feeds *f = calloc(1, sizeof *f);
    if (!f)
        return err_set(err, ERR_LIMIT, "out of memory");
    f->server = server;
    f->wake_fd = hub_wake_fd(server->hub, PART_FEEDS);
    if (!feed_git_open(&f->git, server, on_moved, f, err) ||
        !feed_states_open(&f->states, server, err)) {
        feeds_close(f);
        return false;
    }
    if (!feeds->watch_off || f->git) {
        if (!watch_open(&options, &f->watch, err)) {
            feeds_close(f);
            return false;
        }
        f->started = pthread_create(&f->thread, NULL, watch_files, f) == 0;
        if (!f->started) {
            feeds_close(f);
            return err_set(err, ERR_LIMIT, "the thread of files cannot be started");
        }
    }
    *ret = f;
    return true;
}

/* feed_git.c - the threads that fetch, one for each branch that code comes from, and who asks them
 * to: the clock, a webhook, another process. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "desired/git_clone.h"
#include "model/config.h"
#include "record/code_head.h"
#include "serve/feeds.h"
#include "serve/feeds_parts.h"
#include "serve/log.h"
#include "serve/server.h"

enum { HASH_ROOM = 100, LOOK_MS = 500, PAUSE_MS = 100, AGAIN_MS = 15000, AGAIN_MOST_MS = 600000 };

struct feed_branch {
    struct server *server;
    const struct feed_code *code;
    void (*moved)(void *ctx);
    void *ctx;
    pthread_t thread;
    atomic_bool closing;
    volatile int cancel;
    struct feed_store store;
    char seen_hash[HASH_ROOM]; /* of the store, that was looked into */
    int64_t asked_utc_ms;      /* of the store, that was looked into */
    int64_t due_ms;            /* monotonic */
    int failures;

    pthread_mutex_t lock; /* of the rest: who scans asks, too */
    char hash[HASH_ROOM]; /* where the clone stands */
    /* Heads in the store that are another one: what is fetched for, for somebody waits; and what
     * no fetch is tried for any more. Or empty. */
    char wanted[HASH_ROOM], tried[HASH_ROOM];
};
struct feed_git {
    size_t n;
    struct feed_branch branch[];
};

/* The row of the store: without what stands before an @. */
static struct str place_of(struct arena *arena, const struct feed_code *code)
{
    struct str url = git_shown_url(arena, code->url);
    return arena_printf(arena, "%.*s#%.*s", STR_ARG(url), STR_ARG(code->branch));
}

static void keep(char *room, size_t size, struct str text)
{
    size_t n = text.len < size - 1 ? text.len : size - 1;
    if (n)
        memcpy(room, text.ptr, n);
    room[n] = '\0';
}

static void trouble(struct feed_branch *g, const char *what, const struct err *err)
{
    char text[ERR_FRAMES_MAX * ERR_TEXT_MAX];
    LOG(g->server->options.log, LOG_ERROR, "feeds", what,
        LOG_TEXT("error", str_from(err_text(err, text, sizeof text))));
}

/* --- who asks --- */

/* Does the store name a head that this clone does not have, and was not fetched for? */
static bool is_other(struct feed_branch *g, struct str head)
{
    (void)pthread_mutex_lock(&g->lock);
    bool same = str_equal(head, str_from(g->hash));
    if (same)
        g->tried[0] = '\0'; /* it may be that one again */
    bool other = head.len && !same && !str_equal(head, str_from(g->tried));
    (void)pthread_mutex_unlock(&g->lock);
    return other;
}

/* A push came in here or to another process, or another one fetched something newer. */
static bool is_asked(struct feed_branch *g)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct code_head head;
    struct err err = {0};
    if (!feed_store_open(&g->store, g->server, &err) ||
        !code_head_get(&g->store.record, &arena, place_of(&arena, g->code), &head, &err)) {
        feed_store_forget(&g->store);
        return false; /* the clock goes on */
    }
    bool pushed = head.asked_utc_ms != g->asked_utc_ms;
    bool ahead = is_other(g, head.hash) && !str_equal(head.hash, str_from(g->seen_hash));
    g->asked_utc_ms = head.asked_utc_ms;
    keep(g->seen_hash, sizeof g->seen_hash, head.hash);
    return pushed || ahead;
}

static bool is_wanted(struct feed_branch *g)
{
    (void)pthread_mutex_lock(&g->lock);
    bool wanted = g->wanted[0];
    (void)pthread_mutex_unlock(&g->lock);
    return wanted;
}

/* Whose clone a path is in; NULL: none's. */
static struct feed_branch *branch_of(struct feed_git *git, struct str path)
{
    for (size_t i = 0; git && i < git->n; i++) {
        struct str folder = git->branch[i].code->folder;
        if (str_starts(path, folder) && (path.len == folder.len || path.ptr[folder.len] == '/'))
            return &git->branch[i];
    }
    return NULL;
}

bool feed_git_is_old(struct feed_git *git, struct record *record, struct arena *arena,
                     struct str path, bool *ret, struct str *ret_head, struct err *err)
{
    struct feed_branch *g = branch_of(git, path);
    struct code_head head;
    *ret = false;
    *ret_head = STR("");
    if (!g)
        return true;
    if (!code_head_get(record, arena, place_of(arena, g->code), &head, err))
        return false;
    *ret = is_other(g, head.hash);
    (void)pthread_mutex_lock(&g->lock);
    *ret_head = *ret ? head.hash : arena_dup(arena, str_from(g->hash));
    if (*ret)
        keep(g->wanted, sizeof g->wanted, head.hash);
    (void)pthread_mutex_unlock(&g->lock);
    if (!*ret)
        return true;
    hub_wake(g->server->hub);
    return true;
}

bool feed_git_waits(struct feed_git *git, struct str path)
{
    struct feed_branch *g = branch_of(git, path);
    return g && is_wanted(g);
}

/* --- fetching --- */

/* The head that the store names before anything is fetched: what is fetched then is no older. */
static bool look_before(struct feed_branch *g, struct err *err)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct code_head head;
    if (!feed_store_open(&g->store, g->server, err) ||
        !code_head_get(&g->store.record, &arena, place_of(&arena, g->code), &head, err))
        return false;
    keep(g->seen_hash, sizeof g->seen_hash, head.hash);
    return true;
}

/* Before any file is another one: from here on no scan begins with what is there, and one that is
 * reading it finds that out (feeds_code_is_old). */
static bool tell_others(void *ctx, struct str head, struct err *err)
{
    struct feed_branch *g = ctx;
    AUTO_ARENA arena = {.limit = 1 << 20};
    (void)pthread_mutex_lock(&g->lock);
    g->tried[0] = '\0';
    (void)pthread_mutex_unlock(&g->lock);
    if (str_equal(head, str_from(g->seen_hash)))
        return true;
    if (!code_head_fetched(&g->store.record, place_of(&arena, g->code), str_from(g->seen_hash),
                           head, err))
        return false;
    keep(g->seen_hash, sizeof g->seen_hash, head);
    return true;
}

static void fetched(struct feed_branch *g, struct arena *arena, const struct git_clone *clone,
                    struct str head, bool moved)
{
    const struct feed_code *code = g->code;
    struct err err = {0};
    g->failures = 0;
    g->due_ms = clock_monotonic_ms() + code->fetch_ms;
    (void)pthread_mutex_lock(&g->lock);
    keep(g->hash, sizeof g->hash, head);
    if (str_equal(head, str_from(g->wanted)))
        g->wanted[0] = '\0';
    (void)pthread_mutex_unlock(&g->lock);
    if (code->root.len && !git_clone_link(arena, clone, code->root, &err))
        trouble(g, "what git does not have cannot be linked", &err);
    if (!moved)
        return;
    LOG(g->server->options.log, LOG_INFO, "feeds", "code moved on",
        LOG_TEXT("branch", code->branch), LOG_TEXT("commit", head));
    g->moved(g->ctx);
}

/* A fetch was tried: scans go on with what is there. */
static void end_wait(struct feed_branch *g, struct str wanted)
{
    (void)pthread_mutex_lock(&g->lock);
    if (wanted.len)
        keep(g->tried, sizeof g->tried, wanted);
    if (str_equal(wanted, str_from(g->wanted)))
        g->wanted[0] = '\0';
    (void)pthread_mutex_unlock(&g->lock);
    if (wanted.len)
        hub_wake(g->server->hub);
}

static void fetch(struct feed_branch *g)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    const struct feed_code *code = g->code;
    const struct git_clone clone = {.url = code->url,
                                    .branch = code->branch,
                                    .folder = code->folder,
                                    .cancel = &g->cancel,
                                    .fetched = tell_others,
                                    .ctx = g};
    struct str head = {0};
    struct err err = {0};
    bool moved = false;
    char wanted[HASH_ROOM];
    (void)pthread_mutex_lock(&g->lock);
    memcpy(wanted, g->wanted, sizeof wanted);
    (void)pthread_mutex_unlock(&g->lock);
    bool ok = look_before(g, &err) && git_clone_sync(&arena, &clone, &head, &moved, &err);
    metrics_add(server_metrics(g->server), METRIC_FETCHES, LABELS(ok ? STR("ok") : STR("failed")),
                1);
    if (ok)
        fetched(g, &arena, &clone, head, moved);
    if (err.kind == ERR_CONFLICT) {
        g->due_ms = 0;
        return;
    }
    if (ok || !g->cancel)
        end_wait(g, str_from(wanted));
    if (ok || g->cancel)
        return;
    feed_store_forget(&g->store);
    int64_t wait = AGAIN_MS;
    for (int i = 0; i < g->failures && wait < AGAIN_MOST_MS; i++)
        wait *= 2;
    g->failures++;
    g->due_ms = clock_monotonic_ms() + (wait < code->fetch_ms ? wait : code->fetch_ms);
    trouble(g, "the branch cannot be fetched", &err);
}

static void *work(void *ctx)
{
    struct feed_branch *g = ctx;
    uint64_t seen = 0;
    (void)is_asked(g); /* the first fetch sees it all */
    while (!atomic_load(&g->closing)) {
        bool asked = is_asked(g);
        if (asked || clock_monotonic_ms() >= g->due_ms || is_wanted(g))
            fetch(g);
        /* A busy service wakes all its parts hundreds of times a second: the store is not asked
         * as often. */
        const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
        if (!atomic_load(&g->closing))
            seen = hub_wait(g->server->hub, HUB_REST, seen, LOOK_MS);
        if (!atomic_load(&g->closing))
            (void)nanosleep(&pause, NULL);
    }
    return NULL;
}

bool feed_git_open(struct feed_git **ret, struct server *server, void (*moved)(void *ctx),
                   void *ctx, struct err *err)
{
    const struct server_options *o = &server->options;
    if (o->ncodes == 0)
        return true;
    struct feed_git *git = calloc(1, sizeof *git + o->ncodes * sizeof git->branch[0]);
    if (!git)
        return err_set(err, ERR_LIMIT, "out of memory");
    for (; git->n < o->ncodes; git->n++) {
        struct feed_branch *g = &git->branch[git->n];
        g->server = server;
        g->code = &o->codes[git->n];
        g->moved = moved;
        g->ctx = ctx;
        (void)pthread_mutex_init(&g->lock, NULL);
        if (pthread_create(&g->thread, NULL, work, g) != 0) {
            feed_git_close(git);
            return err_set(err, ERR_LIMIT, "a thread of git cannot be started");
        }
    }
    *ret = git;
    return true;
}

void feed_git_close(struct feed_git *git)
{
    for (size_t i = 0; git && i < git->n; i++) {
        atomic_store(&git->branch[i].closing, true);
        git->branch[i].cancel = 1;
        hub_wake(git->branch[i].server->hub);
    }
    for (size_t i = 0; git && i < git->n; i++) {
        (void)pthread_join(git->branch[i].thread, NULL);
        feed_store_close(&git->branch[i].store);
        (void)pthread_mutex_destroy(&git->branch[i].lock);
    }
    free(git);
}

/* --- POST /v1/push --- */

static bool is_ours(const struct feed_code *code, const struct push *push)
{
    if (push->ignored || (push->branch.len && !str_equal(push->branch, code->branch)))
        return false;
    for (size_t i = 0; i < push->nrepositories; i++)
        if (git_same_repository(push->repository[i], code->url))
            return true;
    return false;
}

static bool is_anyones(const struct server *server, const struct push *push)
{
    bool any = false;
    for (size_t i = 0; i < server->options.ncodes; i++)
        any |= is_ours(&server->options.codes[i], push);
    return any;
}

/* A push may be of several branches. */
static bool ask_fetch(const struct server *server, struct request *request, const struct push *push,
                      struct err *err)
{
    struct record record = {0};
    bool ok = record_open(&request->arena, &server->options.record, &record, err);
    for (size_t i = 0; ok && i < server->options.ncodes; i++) {
        const struct feed_code *code = &server->options.codes[i];
        ok = !is_ours(code, push) || code_head_asked(&record, place_of(&request->arena, code), err);
    }
    record_close(&record);
    return ok;
}

void feeds_push(void *service, struct request *request)
{
    struct server *server = service;
    struct push_headers headers = {.github = request_header(request, "x-hub-signature-256"),
                                   .gitlab = request_header(request, "x-gitlab-token"),
                                   .id = request_header(request, "webhook-id"),
                                   .timestamp = request_header(request, "webhook-timestamp"),
                                   .signature = request_header(request, "webhook-signature")};
    const struct record_options *options = &server->options.record;
    int64_t now = options->now_ms ? options->now_ms(options->clock) : clock_wall_ms();
    struct push push = {0};
    struct err err = {0};
    if (!headers.github.len) /* as Bitbucket calls it */
        headers.github = request_header(request, "x-hub-signature");
    if (!push_is_signed(&headers, server->options.push_key, request->body, now)) {
        request_problem(request, 401, "signature",
                        "want X-Hub-Signature-256, X-Gitlab-Token or webhook-signature by "
                        "serve.git.push_key");
        return;
    }
    if (!push_parse(&request->arena, request->body, &push, &err)) {
        request_failed(request, &err);
        return;
    }
    struct answer answer = {.status = 200, .type = "application/json"};
    answer.body = STR("{\"fetch\":false}\n");
    if (is_anyones(server, &push)) {
        if (!ask_fetch(server, request, &push, &err)) {
            request_failed(request, &err);
            return;
        }
        server_wake(server);
        answer.status = 202;
        answer.body = STR("{\"fetch\":true}\n");
    }
    metrics_add(server_metrics(server), METRIC_PUSHES,
                LABELS(answer.status == 202 ? STR("fetched") : STR("ignored")), 1);
    request_answer(request, &answer);
}

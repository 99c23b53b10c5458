/* streams.c - one reader of the audit log, and the clients that listen to it. */
#include "serve/streams.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/glob.h"
#include "record/audit.h"
#include "record/audit_query.h"
#include "serve/log.h"
#include "serve/server.h"

enum {
    END_MS = 20,
    LOOK_MS = 500,  /* other processes write, too */
    BATCH = 1000,   /* events that are looked at in one go */
    TYPES_MAX = 16, /* of a client's filter */
    FRAME_MORE = 256,
    RETRY_MS = 3000,
};
#define FRAME_MAX ((size_t)AUDIT_LINE_MAX + FRAME_MORE)

struct client {
    struct client *next;
    struct stream *stream;
    struct arena arena;    /* of what follows */
    struct str may, stack; /* globs; empty = any */
    struct str type[TYPES_MAX];
    size_t ntypes;
    int64_t from;                 /* the first event that it did not get */
    int64_t told_from;            /* and as far as the ids go that it was told */
    int64_t began_ms, written_ms; /* monotonic */
    bool full;                    /* in this look: it has no room */
};

struct streams {
    struct server *server;
    pthread_t thread;
    pthread_mutex_t lock; /* of the next four */
    struct client *coming;
    size_t n;
    bool stopping;
    struct client *client; /* the thread's */
};

static void free_client(struct client *c)
{
    arena_free(&c->arena);
    free(c);
}

/* --- what a client gets --- */

static bool wants(const struct client *c, const struct audit_line *line)
{
    bool type = c->ntypes == 0;
    for (size_t i = 0; i < c->ntypes && !type; i++)
        type = glob_match(c->type[i], line->type, '\0');
    return type && (!c->stack.len || glob_match(c->stack, line->stack, '\0')) &&
           (!c->may.len || glob_match(c->may, line->stack, '\0'));
}

struct feeding {
    struct streams *streams;
    int64_t next; /* behind the last event that was looked at */
    struct buf frame;
};

static void put_frame(struct buf *out, const struct audit_line *line)
{
    out->len = 0;
    buf_printf(out, "id: %lld\nevent: %.*s\ndata: ", (long long)line->seq, STR_ARG(line->type));
    buf_str(out, line->text);
    buf_str(out, STR("\n\n"));
}

static bool feed(void *ctx, const struct audit_line *line, struct err *err)
{
    struct feeding *f = ctx;
    f->frame.len = 0;
    f->next = line->seq + 1;
    for (struct client *c = f->streams->client; c; c = c->next) {
        if (c->full || c->from > line->seq)
            continue;
        if (wants(c, line)) {
            if (!f->frame.len)
                put_frame(&f->frame, line);
            if (!buf_ok(&f->frame, err))
                return false;
            if (!stream_write(c->stream, buf_view(&f->frame))) {
                c->full = true;
                continue;
            }
            c->told_from = line->seq + 1;
            c->written_ms = clock_monotonic_ms();
        }
        c->from = line->seq + 1;
    }
    return true;
}

/* A batch from where the one is that has got least; true: there may be more. */
static bool look(struct streams *s, struct record *record, bool *ret_more, struct err *err)
{
    struct feeding f = {.streams = s, .frame = {.limit = FRAME_MAX}};
    int64_t size = 0, least = INT64_MAX;
    *ret_more = false;
    for (struct client *c = s->client; c; c = c->next) {
        c->full = stream_room(c->stream) < FRAME_MAX;
        if (!c->full && c->from < least)
            least = c->from;
    }
    if (!audit_size(record, &size, err))
        return false;
    if (least >= size)
        return true;
    const struct audit_query query = {
        .since_utc_ms = INT64_MIN, .until_utc_ms = INT64_MAX, .from = least, .look_most = BATCH};
    f.next = least;
    bool ok = audit_query(record, &query, feed, &f, err);
    buf_free(&f.frame);
    *ret_more = ok && f.next > least && f.next < size;
    return ok;
}

/* Comments keep what stands between from thinking that nobody is there; the id goes with them, so
 * that who comes again need not be given again what was not for him. */
static void keep_alive(struct client *c, int64_t now_ms)
{
    char text[64];
    if (now_ms - c->written_ms < STREAM_ALIVE_MS)
        return;
    int n = c->from > c->told_from
                ? snprintf(text, sizeof text, "id: %lld\n: \n\n", (long long)c->from - 1)
                : snprintf(text, sizeof text, ": \n\n");
    if (stream_write(c->stream, (struct str){text, (size_t)n})) {
        c->told_from = c->from;
        c->written_ms = now_ms;
    }
}

/* A place for one more; false: there are too many, or it is ending. */
static bool take_room(struct streams *s)
{
    (void)pthread_mutex_lock(&s->lock);
    bool may = s->n < STREAMS_MAX && !s->stopping;
    s->n += may;
    (void)pthread_mutex_unlock(&s->lock);
    return may;
}

static void give_room(struct streams *s)
{
    (void)pthread_mutex_lock(&s->lock);
    s->n--;
    (void)pthread_mutex_unlock(&s->lock);
}

/* --- the thread --- */

static void take_coming(struct streams *s)
{
    (void)pthread_mutex_lock(&s->lock);
    struct client *coming = s->coming;
    s->coming = NULL;
    (void)pthread_mutex_unlock(&s->lock);
    while (coming) {
        struct client *c = coming;
        coming = c->next;
        c->next = s->client;
        s->client = c;
    }
}

/* Those that left, have been there for long enough, or all. */
static void drop(struct streams *s, bool all)
{
    int64_t now = clock_monotonic_ms();
    for (struct client **at = &s->client; *at;) {
        struct client *c = *at;
        if (!all && !stream_is_gone(c->stream) && now - c->began_ms < STREAM_LIFE_MS) {
            keep_alive(c, now);
            at = &c->next;
            continue;
        }
        *at = c->next;
        stream_close(c->stream);
        free_client(c);
        give_room(s);
    }
    (void)pthread_mutex_lock(&s->lock);
    double n = (double)s->n;
    (void)pthread_mutex_unlock(&s->lock);
    metrics_set(server_metrics(s->server), METRIC_STREAMS, NULL, n);
}

/* Every place that was taken is given back, those of requests that are on their way included. */
static bool is_done(struct streams *s, bool *ret_stopping)
{
    (void)pthread_mutex_lock(&s->lock);
    *ret_stopping = s->stopping;
    bool done = s->stopping && s->n == 0;
    (void)pthread_mutex_unlock(&s->lock);
    return done;
}

static void trouble(struct streams *s, const struct err *err)
{
    char text[ERR_TEXT_MAX];
    hub_trouble(s->server->hub, PART_STREAMS, err ? err_text(err, text, sizeof text) : NULL);
}

static void leave_store(struct arena *arena, struct record *record)
{
    record_close(record);
    *record = (struct record){0};
    arena_free(arena);
}

/* The store is opened while somebody listens, and anew after a failure. */
static void tend(struct streams *s, struct arena *arena, struct record *record)
{
    struct record_options options = s->server->options.record;
    struct err err = {0};
    bool more = s->client != NULL;
    options.read_only = true;
    if (!s->client && record->db)
        leave_store(arena, record);
    if (more && !record->db && !record_open(arena, &options, record, &err))
        more = false;
    while (more && !server_leaving(s->server)) {
        if (!look(s, record, &more, &err))
            more = false;
    }
    trouble(s, err.kind ? &err : NULL);
    if (err.kind)
        leave_store(arena, record);
}

static void *work(void *ctx)
{
    struct streams *s = ctx;
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct record record = {0};
    uint64_t seen = 0;
    bool stopping = false;
    while (!is_done(s, &stopping)) {
        seen = hub_wait(s->server->hub, s->client ? HUB_STREAMS : HUB_REST, seen,
                        stopping ? END_MS : LOOK_MS);
        take_coming(s);
        drop(s, stopping || server_leaving(s->server));
        tend(s, &arena, &record);
    }
    record_close(&record);
    return NULL;
}

bool streams_open(struct streams **ret, struct server *server, struct err *err)
{
    struct streams *s = calloc(1, sizeof *s);
    if (!s)
        return err_set(err, ERR_LIMIT, "out of memory");
    s->server = server;
    (void)pthread_mutex_init(&s->lock, NULL);
    if (pthread_create(&s->thread, NULL, work, s) != 0) {
        (void)pthread_mutex_destroy(&s->lock);
        free(s);
        return err_set(err, ERR_LIMIT, "a thread cannot be started");
    }
    *ret = s;
    return true;
}

void streams_close(struct streams *s)
{
    if (!s)
        return;
    (void)pthread_mutex_lock(&s->lock);
    s->stopping = true;
    (void)pthread_mutex_unlock(&s->lock);
    server_wake(s->server);
    (void)pthread_join(s->thread, NULL);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

/* --- a client comes --- */

static bool copy(struct client *c, struct str *to, struct str from)
{
    *to = arena_dup(&c->arena, from);
    return to->ptr;
}

/* "finding.*,scan.end", in one parameter or in several. */
static bool take_types(struct request *request, struct client *c)
{
    struct str words, word;
    for (size_t i = 0; request_param_at(request, "type", i, &words); i++)
        for (bool more = true; more;) {
            more = str_cut(&words, ',', &word);
            if (!str_trim(word).len)
                continue;
            if (c->ntypes == TYPES_MAX || !copy(c, &c->type[c->ntypes++], str_trim(word)))
                return false;
        }
    return true;
}

/* Where it goes on: Last-Event-ID, else `after`, else from now on. */
static bool take_place(struct server *server, struct request *request, struct client *c)
{
    struct str text = request_header(request, "last-event-id");
    struct record record = {0};
    struct err err = {0};
    int64_t last = INT64_MAX;
    if ((text.len || request_param(request, "after", &text)) &&
        (!str_to_int64(str_trim(text), &last) || last < -1)) {
        request_problem(request, 400, "bad-request",
                        "Last-Event-ID (or after) is the number of an event, as its id says; "
                        "without it the stream begins now");
        return false;
    }
    if (!server_read(server, request, &record))
        return false;
    bool ok = audit_size(&record, &c->from, &err);
    record_close(&record);
    if (!ok)
        request_failed(request, &err);
    else if (last < c->from) /* ahead of the log, which was restored: what comes is told */
        c->from = last + 1;
    return ok;
}

/* The thread ends it where everything ends: it looks once more before it does. */
static void put_in(struct streams *s, struct client *c)
{
    (void)pthread_mutex_lock(&s->lock);
    c->next = s->coming;
    s->coming = c;
    server_wake(s->server);
    (void)pthread_mutex_unlock(&s->lock); /* from here on the part may end */
}

static bool begin(struct server *server, struct request *request, struct client *c)
{
    char hello[32];
    int n = snprintf(hello, sizeof hello, "retry: %d\n\n", RETRY_MS);
    c->stream = stream_open(request);
    if (!c->stream) {
        request_problem(request, 503, "unavailable", "out of memory");
        return false;
    }
    const struct answer answer = {.status = 200,
                                  .type = "text/event-stream",
                                  .stream = c->stream,
                                  .header = {{"X-Accel-Buffering", "no"}}};
    c->told_from = c->from;
    c->began_ms = c->written_ms = clock_monotonic_ms();
    (void)stream_write(c->stream, (struct str){hello, (size_t)n});
    struct streams *streams = server->streams;
    request_answer(request, &answer);
    put_in(streams, c);
    return true;
}

static bool take(struct server *server, struct request *request, struct client *c)
{
    struct str stack = STR("");
    if (!request_params_fit(request))
        return false;
    (void)request_param(request, "stack", &stack);
    if (!copy(c, &c->may, request->who.stacks) || !copy(c, &c->stack, stack) ||
        !take_types(request, c))
        request_problem(request, 400, "bad-request", "type: at most %d types", TYPES_MAX);
    else
        return take_place(server, request, c) && begin(server, request, c);
    return false;
}

void streams_get(void *service, struct request *request)
{
    struct server *server = service;
    struct streams *streams = server->streams;
    struct client *c = calloc(1, sizeof *c);
    if (!c) {
        request_problem(request, 503, "unavailable", "out of memory");
        return;
    }
    c->arena.limit = 1 << 16;
    if (!take_room(streams)) {
        free_client(c);
        request_problem(request, 503, "busy",
                        "%d clients listen already, which is the most: come again later",
                        STREAMS_MAX);
        return;
    }
    if (take(server, request, c))
        return;
    give_room(streams);
    free_client(c);
}

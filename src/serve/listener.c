/* listener.c - the daemon: requests from their first line to their last byte. */
#include "serve/listener.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "serve/listener_parts.h"
#include "serve/metrics.h"

enum {
    DEFAULT_CONNECTIONS = 1000,
    DEFAULT_THREADS = 2,
    THREADS_MAX = 64,
    DEFAULT_HEAD_MS = 10000,
    DEFAULT_IDLE_MS = 60000,
    DEFAULT_BODY_MS = 600000,
    DEFAULT_SLOW_MS = 30000,
    DEFAULT_BODIES = 1 << 30,
    SWEEP_MS = 500,
};
#define STOPPING "the service is stopping: ask again soon"
/* --- sockets and their deadlines --- */

void listener_set_deadline(struct listener *l, struct connection *c, int64_t in_ms)
{
    if (!c)
        return;
    (void)pthread_mutex_lock(&l->lock);
    c->deadline_ms = in_ms < 0 ? INT64_MAX : clock_monotonic_ms() + in_ms;
    (void)pthread_mutex_unlock(&l->lock);
}

void listener_on_connection(void *ctx, struct MHD_Connection *connection, void **socket_ctx,
                            enum MHD_ConnectionNotificationCode what)
{
    struct door *door = ctx;
    struct listener *l = door->listener;
    struct connection *c = *socket_ctx;
    (void)pthread_mutex_lock(&l->lock);
    door->connections += what == MHD_CONNECTION_NOTIFY_STARTED;
    door->connections -= what == MHD_CONNECTION_NOTIFY_CLOSED;
    (void)pthread_mutex_unlock(&l->lock);
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        if (door->cert)
            tls_ask_client(l, connection);
        const union MHD_ConnectionInfo *info =
            l->mhd.get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        c = info ? calloc(1, sizeof *c) : NULL;
        if (!c)
            return; /* without a deadline of ours; the library's own holds */
        c->door = door;
        c->fd = info->connect_fd;
        c->deadline_ms = clock_monotonic_ms() + l->options.head_ms;
        *socket_ctx = c;
        (void)pthread_mutex_lock(&l->lock);
        c->next = l->sockets;
        if (c->next)
            c->next->back = c;
        l->sockets = c;
        (void)pthread_mutex_unlock(&l->lock);
        return;
    }
    if (!c)
        return;
    (void)pthread_mutex_lock(&l->lock);
    if (c->next)
        c->next->back = c->back;
    *(c->back ? &c->back->next : &l->sockets) = c->next;
    (void)pthread_mutex_unlock(&l->lock);
    *socket_ctx = NULL;
    free(c);
}

/* Shuts what is late: the library only knows how long nothing at all came. */
static void *sweep(void *ctx)
{
    struct listener *l = ctx;
    (void)pthread_mutex_lock(&l->lock);
    while (!l->stopping) {
        struct timespec at;
        (void)clock_gettime(CLOCK_MONOTONIC, &at);
        at.tv_nsec += SWEEP_MS * 1000000L;
        at.tv_sec += at.tv_nsec / 1000000000L;
        at.tv_nsec %= 1000000000L;
        (void)pthread_cond_timedwait(&l->tick, &l->lock, &at);
        int64_t now = clock_monotonic_ms();
        for (struct connection *c = l->sockets; c; c = c->next)
            if (now >= c->deadline_ms) {
                (void)shutdown(c->fd, SHUT_RDWR);
                c->deadline_ms = INT64_MAX;
            }
        (void)pthread_mutex_unlock(&l->lock);
        door_tidy(l, false);
        (void)pthread_mutex_lock(&l->lock);
    }
    (void)pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* --- the life of a request --- */

void *listener_on_target(void *ctx, const char *target, struct MHD_Connection *connection)
{
    struct listener *l = ctx;
    struct request *request = calloc(1, sizeof *request);
    struct request_state *state = calloc(1, sizeof *state);
    if (!request || !state) {
        free(state);
        free(request);
        return NULL;
    }
    const union MHD_ConnectionInfo *socket =
        l->mhd.get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    const union MHD_ConnectionInfo *peer =
        l->mhd.get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    *state = (struct request_state){
        .listener = l, .connection = connection, .socket = socket ? socket->socket_context : NULL};
    request->state = state;
    request->arena.limit = ARENA_BYTES;
    request->started_ms = clock_monotonic_ms();
    request->peer = address_peer(&request->arena, peer ? peer->client_addr : NULL);
    struct str raw = str_from(target);
    if (raw.len <= URI_BYTES_MAX)
        (void)routing_target(request, arena_dup(&request->arena, raw));
    listener_set_deadline(l, state->socket, l->options.head_ms);
    (void)pthread_mutex_lock(&l->lock);
    l->active++;
    (void)pthread_mutex_unlock(&l->lock);
    metrics_add(l->options.metrics, METRIC_HTTP_ACTIVE, NULL, 1);
    return request;
}

static void count(struct listener *l, const struct request *request)
{
    const struct listener_route *route = request->route;
    struct str path = route ? str_from(route->path) : STR("other");
    struct str method = route ? str_from(route->method) : STR("other");
    char code[16];
    (void)snprintf(code, sizeof code, "%u", request->state->status);
    metrics_add(l->options.metrics, METRIC_HTTP_REQUESTS, LABELS(method, path, str_from(code)), 1);
    metrics_add(l->options.metrics, METRIC_HTTP_ACTIVE, NULL, -1);
    metrics_observe(l->options.metrics, METRIC_HTTP_SECONDS, LABELS(path),
                    (double)(clock_monotonic_ms() - request->started_ms) / 1000);
}

void listener_on_completed(void *ctx, struct MHD_Connection *connection, void **request_ctx,
                           enum MHD_RequestTerminationCode how)
{
    struct listener *l = ctx;
    struct request *request = *request_ctx;
    (void)connection;
    if (!request)
        return;
    struct request_state *state = request->state;
    listener_set_deadline(l, state->socket, l->options.idle_ms + l->options.head_ms);
    count(l, request);
    if (l->options.done && state->served)
        l->options.done(state->served->service, request, state->status);
    LOG(l->options.log, LOG_INFO, "http", "answered", LOG_TEXT("method", request->method),
        LOG_TEXT("path", request->path), LOG_NUMBER("status", state->status),
        LOG_NUMBER("ms", clock_monotonic_ms() - request->started_ms),
        LOG_NUMBER("bytes", (int64_t)state->counted), LOG_TEXT("who", request->who.name),
        LOG_TEXT("peer", request->peer), LOG_TEXT("trace", str_from(request->span.trace)),
        LOG_TEXT("span", str_from(request->span.id)),
        LOG_TEXT("end",
                 how == MHD_REQUEST_TERMINATED_COMPLETED_OK ? STR("ok") : STR("broken off")));
    if (state->stream)
        stream_left(state->stream);
    if (state->response)
        l->mhd.destroy_response(state->response);
    buf_free(&request->bytes);
    arena_free(&request->arena);
    (void)pthread_mutex_lock(&l->lock);
    l->bodies -= state->counted;
    served_give(l, state->served);
    if (--l->active == 0)
        (void)pthread_cond_broadcast(&l->idle);
    (void)pthread_mutex_unlock(&l->lock);
    free(state);
    free(request);
    *request_ctx = NULL;
}

struct header_walk {
    struct request *request;
    unsigned lengths, codings;
    int64_t length; /* of the body, as the head has it */
    bool bad;
};

/* Two lengths, or a length and a coding, mean different ends to different readers (RFC 9112, 6.3).
 */
static enum MHD_Result on_header(void *ctx, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    struct header_walk *walk = ctx;
    struct request *r = walk->request;
    (void)kind;
    struct str text = str_from(value);
    if (strcasecmp(name, "content-length") == 0) {
        walk->lengths++;
        for (size_t i = 0; i < text.len; i++)
            walk->bad |= text.ptr[i] < '0' || text.ptr[i] > '9';
        walk->bad |= text.len == 0 || !str_to_int64(text, &walk->length);
    } else if (strcasecmp(name, "transfer-encoding") == 0) {
        walk->codings++;
        walk->bad |= strcasecmp(value ? value : "", "chunked") != 0;
    }
    for (size_t i = 0; i < text.len; i++)
        walk->bad |= text.ptr[i] == '\r' || text.ptr[i] == '\n';
    struct request_header copy = {arena_dup(&r->arena, str_from(name)), arena_dup(&r->arena, text)};
    if (r->nheaders == REQUEST_HEADERS_MAX || !copy.name.ptr || !copy.value.ptr) {
        walk->bad = true;
        return MHD_NO;
    }
    r->header[r->nheaders++] = copy;
    return MHD_YES;
}

static enum MHD_Result queue(struct request *request)
{
    struct request_state *state = request->state;
    struct listener *l = state->listener;
    (void)pthread_mutex_lock(&l->lock);
    state->step = STEP_SENT;
    bool last = state->close || l->draining || (state->socket && state->socket->door->left);
    (void)pthread_mutex_unlock(&l->lock);
    if (!state->response)
        return MHD_NO;
    if (last)
        (void)l->mhd.add_response_header(state->response, "Connection", "close");
    listener_set_deadline(l, state->socket, l->options.body_ms);
    return l->mhd.queue_response(state->connection, state->status, state->response);
}

static enum MHD_Result refuse(struct request *request, unsigned status, const char *problem,
                              const char *detail)
{
    request->state->close = true;
    answer_prepare_problem(request, status, problem, detail);
    return queue(request);
}

static enum MHD_Result refuse_method(struct request *request, struct str methods)
{
    request->state->close = true;
    answer_prepare_problem(request, 405, "method-not-allowed", "this path has other methods");
    if (request->state->response)
        (void)request->state->listener->mhd.add_response_header(request->state->response, "Allow",
                                                                methods.ptr ? methods.ptr : "");
    return queue(request);
}

static enum role least_role(const struct listener_route *route)
{
    return route->role == ROLE_NONE ? ROLE_ADMIN : route->role;
}

/* What answers it from here on; false: nothing does any more. */
static bool take_service(struct listener *l, struct request_state *state)
{
    (void)pthread_mutex_lock(&l->lock);
    bool may = !l->draining;
    state->served = served_take(l);
    (void)pthread_mutex_unlock(&l->lock);
    return may;
}

/* The head is here: everything that needs no body is decided before one is read. */
static enum MHD_Result on_head(struct request *request, const char *method)
{
    struct request_state *state = request->state;
    struct listener *l = state->listener;
    struct header_walk walk = {.request = request};
    struct str methods = {0};
    request->method = arena_dup(&request->arena, str_from(method));
    if (!take_service(l, state))
        return refuse(request, 503, "stopping", STOPPING);
    (void)l->mhd.get_connection_values(state->connection, MHD_HEADER_KIND, on_header, &walk);
    if (walk.bad || walk.lengths > 1 || walk.codings > 1 || (walk.lengths && walk.codings))
        return refuse(request, 400, "framing", "the head of the request is malformed or ambiguous");
    if (!request->path.ptr || !request->method.ptr)
        return refuse(request, 400, "target", "the target of the request is malformed");
    request->route = routing_find(state->served, request, &methods);
    if (l->options.began)
        l->options.began(state->served->service, request);
    bool known = credential_check(l, request);
    if (!known && !(request->route && request->route->open))
        return refuse(request, 401, "credential",
                      request_header(request, "authorization").len
                          ? "this token is not known here, or has ended, or was revoked: `plumb "
                            "token list` tells; it goes as bearer token, or as password of basic "
                            "authentication"
                          : "a token is needed: as bearer token, as password of basic "
                            "authentication, or by a client certificate that it was made for; "
                            "`plumb token create` makes one");
    if (!request->route)
        return methods.len ? refuse_method(request, methods)
                           : refuse(request, 404, "not-found", "there is nothing at this path");
    if (!request->route->open && request->who.role < least_role(request->route))
        return refuse(request, 403, "role", "this token's role does not allow that");
    if ((uint64_t)walk.length > request->route->body_max)
        return refuse(request, 413, "too-large", "the body is larger than this path takes");
    request->bytes.limit = request->route->body_max;
    state->step = STEP_BODY;
    listener_set_deadline(l, state->socket, l->options.body_ms);
    return MHD_YES;
}

static enum MHD_Result on_body(struct request *request, const char *bytes, size_t *n)
{
    struct request_state *state = request->state;
    struct listener *l = state->listener;
    size_t most = l->options.bodies_max;
    if (state->step == STEP_SENT) { /* refused already; the rest is not wanted */
        *n = 0;
        return MHD_YES;
    }
    (void)pthread_mutex_lock(&l->lock);
    bool room = *n <= most && l->bodies <= most - *n;
    if (room) {
        l->bodies += *n;
        state->counted += *n;
    }
    (void)pthread_mutex_unlock(&l->lock);
    buf_add(&request->bytes, bytes, *n);
    *n = 0;
    /* An answer within a body cannot be queued: the connection is closed when the body is done. */
    if (request->bytes.failed || !room) {
        if (!state->status)
            state->status = room ? 413 : 503;
        buf_free(&request->bytes);
        request->bytes = (struct buf){.failed = true};
        if (state->counted > request->route->body_max + (1u << 20))
            return MHD_NO;
    }
    return MHD_YES;
}

static void run(struct request *request)
{
    const struct listener_route *route = request->route;
    request->body = buf_view(&request->bytes);
    route->answer(request->state->served->service, request);
}

static void hand_over(struct listener *l, struct request *request)
{
    (void)pthread_mutex_lock(&l->lock);
    request->next = NULL;
    *(l->last ? &l->last->next : &l->first) = request;
    l->last = request;
    (void)pthread_cond_signal(&l->work);
    (void)pthread_mutex_unlock(&l->lock);
}

/* False: the service takes nothing more. */
static bool begin_work(struct listener *l)
{
    (void)pthread_mutex_lock(&l->lock);
    bool may = !l->stopping;
    l->working += may;
    (void)pthread_mutex_unlock(&l->lock);
    return may;
}

static void end_work(struct listener *l)
{
    (void)pthread_mutex_lock(&l->lock);
    if (--l->working == 0)
        (void)pthread_cond_broadcast(&l->idle);
    (void)pthread_mutex_unlock(&l->lock);
}

static enum MHD_Result on_whole(struct request *request)
{
    struct request_state *state = request->state;
    struct listener *l = state->listener;
    if (request->bytes.failed)
        return state->status == 503
                   ? refuse(request, 503, "busy", "too many bytes are being received at once")
                   : refuse(request, 413, "too-large", "the body is larger than this path takes");
    if (!begin_work(l))
        return refuse(request, 503, "stopping", STOPPING);
    state->step = STEP_BUSY;
    listener_set_deadline(l, state->socket, -1);
    l->mhd.suspend_connection(state->connection);
    if (request->route->quick && request->bytes.len <= QUICK_BYTES)
        run(request);
    else
        hand_over(l, request);
    return MHD_YES;
}

enum MHD_Result listener_on_request(void *ctx, struct MHD_Connection *connection, const char *url,
                                    const char *method, const char *version, const char *bytes,
                                    size_t *nbytes, void **request_ctx)
{
    struct request *request = *request_ctx;
    (void)ctx, (void)connection, (void)url, (void)version;
    if (!request)
        return MHD_NO;
    struct request_state *state = request->state;
    if (state->step == STEP_HEAD)
        return on_head(request, method);
    if (*nbytes)
        return on_body(request, bytes, nbytes);
    if (state->step == STEP_BODY)
        return on_whole(request);
    (void)pthread_mutex_lock(&state->listener->lock);
    bool answered = state->step == STEP_ANSWERED;
    (void)pthread_mutex_unlock(&state->listener->lock);
    return answered ? queue(request) : MHD_YES;
}

void request_answer(struct request *request, const struct answer *answer)
{
    struct request_state *state = request->state;
    struct listener *l = state->listener;
    struct MHD_Connection *connection = state->connection;
    answer_prepare(request, answer);
    (void)pthread_mutex_lock(&l->lock);
    state->step = STEP_ANSWERED;
    (void)pthread_mutex_unlock(&l->lock);
    l->mhd.resume_connection(connection);
    end_work(l); /* after that call: the daemon may end from here on */
}

static void *work(void *ctx)
{
    struct listener *l = ctx;
    (void)pthread_mutex_lock(&l->lock);
    while (!l->stopping || l->first) {
        struct request *request = l->first;
        if (!request) {
            (void)pthread_cond_wait(&l->work, &l->lock);
            continue;
        }
        l->first = request->next;
        if (!l->first)
            l->last = NULL;
        request->next = NULL;
        (void)pthread_mutex_unlock(&l->lock);
        run(request);
        (void)pthread_mutex_lock(&l->lock);
    }
    (void)pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* --- starting and stopping --- */

static void fill_defaults(struct listener_options *o)
{
    o->connections_max = o->connections_max ? o->connections_max : DEFAULT_CONNECTIONS;
    o->per_address_max = o->per_address_max ? o->per_address_max : o->connections_max;
    o->threads = o->threads ? o->threads : DEFAULT_THREADS;
    o->threads = o->threads > THREADS_MAX ? THREADS_MAX : o->threads;
    o->head_ms = o->head_ms ? o->head_ms : DEFAULT_HEAD_MS;
    o->idle_ms = o->idle_ms ? o->idle_ms : DEFAULT_IDLE_MS;
    o->body_ms = o->body_ms ? o->body_ms : DEFAULT_BODY_MS;
    o->slow_ms = o->slow_ms ? o->slow_ms : DEFAULT_SLOW_MS;
    o->bodies_max = o->bodies_max ? o->bodies_max : DEFAULT_BODIES;
}

static bool start_threads(struct listener *l, struct err *err)
{
    l->thread = calloc(l->options.threads, sizeof *l->thread);
    if (!l->thread)
        return err_set(err, ERR_LIMIT, "out of memory");
    for (; l->nthreads < l->options.threads; l->nthreads++)
        if (pthread_create(&l->thread[l->nthreads], NULL, work, l) != 0)
            return err_set(err, ERR_LIMIT, "a thread cannot be started");
    l->swept = pthread_create(&l->sweeper, NULL, sweep, l) == 0;
    return l->swept || err_set(err, ERR_LIMIT, "a thread cannot be started");
}

bool listener_check(const struct listener_options *options, struct err *err)
{
    if (!options->tls_cert.len != !options->tls_key.len)
        return err_set(err, ERR_USAGE, "serve.tls needs both cert and key");
    if (options->tls_cert.len &&
        !tls_check(options->tls_cert, options->tls_key, options->now_ms(options->clock), err))
        return false;
    return (options->tls_cert.len && !options->anonymous) || address_check(options->address, err);
}

bool listener_start(struct listener **ret, const struct listener_options *options, struct err *err)
{
    struct listener *l = calloc(1, sizeof *l);
    pthread_condattr_t monotonic;
    if (!l) {
        token_set_free(options->tokens);
        return err_set(err, ERR_LIMIT, "out of memory");
    }
    l->options = *options;
    l->tokens = options->tokens;
    l->fd = -1;
    fill_defaults(&l->options);
    (void)pthread_mutex_init(&l->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&l->work, &monotonic);
    (void)pthread_cond_init(&l->idle, &monotonic);
    (void)pthread_cond_init(&l->tick, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    if (!mhd_load(&l->mhd, err) || !listener_check(options, err) || !served_set(l, options, err) ||
        !address_listen(options->address, &l->fd, l->address, sizeof l->address, err) ||
        !start_threads(l, err) || !door_open(l, options, err)) {
        listener_stop(l);
        return false;
    }
    *ret = l;
    return true;
}

bool listener_try(struct listener *l, const struct listener_options *options, struct err *err)
{
    return listener_check(options, err) && door_try(l, options, err);
}

bool listener_change(struct listener *l, const struct listener_options *options, struct err *err)
{
    const struct door *door = l->door;
    bool same = str_equal(options->tls_cert, str_from(door->cert)) &&
                str_equal(options->tls_key, str_from(door->key));
    return listener_check(options, err) && (same || door_open(l, options, err)) &&
           served_set(l, options, err);
}

bool listener_uses(struct listener *l, const void *service)
{
    bool used = false;
    (void)pthread_mutex_lock(&l->lock);
    for (const struct served *s = l->served; s; s = s->next)
        used |= s->service == service;
    (void)pthread_mutex_unlock(&l->lock);
    return used;
}

struct str listener_address(const struct listener *listener)
{
    return str_from(listener->address);
}

bool listener_has_tls(const struct listener *listener)
{
    return listener->door->cert != NULL;
}

void listener_set_tokens(struct listener *l, struct token_set *set)
{
    (void)pthread_mutex_lock(&l->lock);
    struct token_set *old = l->tokens;
    l->tokens = set;
    (void)pthread_mutex_unlock(&l->lock);
    token_set_free(old);
}

bool listener_drain(struct listener *l, int wait_ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += wait_ms % 1000 * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    door_shut(l);
    (void)pthread_mutex_lock(&l->lock);
    l->draining = true;
    while (l->active > 0 && pthread_cond_timedwait(&l->idle, &l->lock, &until) != ETIMEDOUT)
        ;
    bool done = l->active == 0;
    (void)pthread_mutex_unlock(&l->lock);
    return done;
}

void listener_halt(struct listener *l)
{
    (void)pthread_mutex_lock(&l->lock);
    l->stopping = true;
    (void)pthread_cond_broadcast(&l->work);
    (void)pthread_cond_broadcast(&l->tick);
    while (l->working > 0)
        (void)pthread_cond_wait(&l->idle, &l->lock);
    (void)pthread_mutex_unlock(&l->lock);
}

void listener_stop(struct listener *l)
{
    if (!l)
        return;
    listener_halt(l);
    for (size_t i = 0; i < l->nthreads; i++)
        (void)pthread_join(l->thread[i], NULL);
    if (l->swept)
        (void)pthread_join(l->sweeper, NULL);
    door_shut(l);
    door_tidy(l, true);
    while (l->served) {
        struct served *served = l->served;
        l->served = served->next;
        free(served);
    }
    token_set_free(l->tokens);
    (void)pthread_cond_destroy(&l->tick);
    (void)pthread_cond_destroy(&l->idle);
    (void)pthread_cond_destroy(&l->work);
    (void)pthread_mutex_destroy(&l->lock);
    free(l->thread);
    free(l);
}

/* stream.c - the body of an answer that goes on: what was written waits here until it is taken. */
#include <stdlib.h>
#include <string.h>

#include "serve/listener_parts.h"

enum { BLOCK = 8 << 10 };

/* Two have it: who writes, and the response. While `waiting` the connection is suspended, and the
 * library does nothing with it before it is resumed; so whoever resumes it holds the lock. */
struct stream {
    pthread_mutex_t lock;
    struct listener *listener;
    struct MHD_Connection *connection;
    struct connection *socket;
    struct buf bytes;
    size_t taken; /* of them */
    unsigned users;
    bool waiting, closed, gone;
};

static void give(struct stream *s)
{
    (void)pthread_mutex_lock(&s->lock);
    bool last = --s->users == 0;
    (void)pthread_mutex_unlock(&s->lock);
    if (!last)
        return;
    (void)pthread_mutex_destroy(&s->lock);
    buf_free(&s->bytes);
    free(s);
}

/* Under the lock. */
static void wake(struct stream *s)
{
    if (!s->waiting)
        return;
    s->waiting = false;
    s->listener->mhd.resume_connection(s->connection);
}

struct stream *stream_open(struct request *request)
{
    struct stream *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    (void)pthread_mutex_init(&s->lock, NULL);
    s->listener = request->state->listener;
    s->connection = request->state->connection;
    s->socket = request->state->socket;
    s->bytes.limit = STREAM_BYTES_MAX;
    s->users = 1;
    return s;
}

/* The library wants bytes: those before have left for the socket. */
static ssize_t take(void *ctx, uint64_t at, char *out, size_t most)
{
    struct stream *s = ctx;
    ssize_t given = 0;
    (void)at;
    (void)pthread_mutex_lock(&s->lock);
    size_t left = s->bytes.len - s->taken, n = left < most ? left : most;
    if (n) {
        memcpy(out, s->bytes.ptr + s->taken, n);
        s->taken += n;
        given = (ssize_t)n;
    } else if (s->closed) {
        given = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        s->waiting = true;
        s->listener->mhd.suspend_connection(s->connection);
    }
    if (s->taken == s->bytes.len)
        s->taken = s->bytes.len = 0;
    (void)pthread_mutex_unlock(&s->lock);
    listener_set_deadline(s->listener, s->socket, given ? s->listener->options.slow_ms : -1);
    return given;
}

static void end(void *ctx)
{
    stream_left(ctx);
    give(ctx);
}

struct MHD_Response *stream_response(struct stream *s)
{
    struct MHD_Response *response =
        s->listener->mhd.create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, take, s, end);
    (void)pthread_mutex_lock(&s->lock);
    s->users += response != NULL;
    s->gone |= response == NULL;
    (void)pthread_mutex_unlock(&s->lock);
    return response;
}

void stream_left(struct stream *s)
{
    (void)pthread_mutex_lock(&s->lock);
    s->gone = true;
    s->waiting = false;
    (void)pthread_mutex_unlock(&s->lock);
}

size_t stream_room(struct stream *s)
{
    (void)pthread_mutex_lock(&s->lock);
    size_t room = s->gone ? 0 : STREAM_BYTES_MAX - (s->bytes.len - s->taken);
    (void)pthread_mutex_unlock(&s->lock);
    return room;
}

bool stream_is_gone(struct stream *s)
{
    (void)pthread_mutex_lock(&s->lock);
    bool gone = s->gone;
    (void)pthread_mutex_unlock(&s->lock);
    return gone;
}

bool stream_write(struct stream *s, struct str bytes)
{
    (void)pthread_mutex_lock(&s->lock);
    bool fits = !s->gone && !s->closed && bytes.len <= STREAM_BYTES_MAX - (s->bytes.len - s->taken);
    if (fits) {
        if (s->taken) {
            memmove(s->bytes.ptr, s->bytes.ptr + s->taken, s->bytes.len - s->taken);
            s->bytes.len -= s->taken;
            s->taken = 0;
        }
        buf_str(&s->bytes, bytes);
        fits = !s->bytes.failed;
        s->closed |= s->bytes.failed; /* no memory: it ends */
        wake(s);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return fits;
}

void stream_close(struct stream *s)
{
    (void)pthread_mutex_lock(&s->lock);
    s->closed = true;
    wake(s);
    (void)pthread_mutex_unlock(&s->lock);
    give(s);
}

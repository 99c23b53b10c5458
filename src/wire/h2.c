/* h2.c - streams on an nghttp2 session behind h2.h.
 *
 * The session's own window updates are off: what was received counts until it is consumed, and so
 * a slow reader at one end of a relay holds back the writer at the other.
 */
#include "wire/h2.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wire/h2_link.h"

enum { QUEUE_MAX = 1 << 30, KEEP_ROOM = 256 << 10 };

/* Headers of one head, as they come: offsets, since the bytes move while they grow. */
struct head {
    struct buf bytes;
    struct {
        size_t name, value, end;
    } at[H2_HEADERS_MAX];
    size_t n;
    bool too_large;
};

struct h2_stream {
    struct h2_conn *conn;
    int32_t id;
    void *ctx;
    struct buf out;
    size_t out_at;
    bool out_end, has_trailers, waiting; /* waiting: nghttp2 was told that there is nothing yet */
    bool head_came, ended, sent_all, closed;
    struct buf trailer_bytes;
    struct {
        size_t name, value, end;
    } trailer[H2_HEADERS_MAX];
    size_t ntrailers;
    struct h2_stream *next, *back;
};

struct h2_conn {
    struct h2_link link;
    const struct h2_events *events;
    void *ctx;
    struct h2_stream *streams;
    size_t nstreams;
    struct head head; /* of the stream whose headers are coming: HTTP/2 does not interleave them */
    bool server, up;
};

/* --- streams --- */

static struct h2_stream *stream_new(struct h2_conn *conn, int32_t id)
{
    struct h2_stream *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->conn = conn;
    s->id = id;
    s->out.limit = QUEUE_MAX;
    s->trailer_bytes.limit = H2_HEAD_BYTES_MAX;
    s->next = conn->streams;
    if (conn->streams)
        conn->streams->back = s;
    conn->streams = s;
    conn->nstreams++;
    return s;
}

static void stream_free(struct h2_stream *s)
{
    struct h2_conn *conn = s->conn;
    *(s->back ? &s->back->next : &conn->streams) = s->next;
    if (s->next)
        s->next->back = s->back;
    conn->nstreams--;
    buf_free(&s->out);
    buf_free(&s->trailer_bytes);
    free(s);
}

static void stream_closed(struct h2_stream *s, uint32_t code)
{
    if (s->closed)
        return;
    s->closed = true;
    if (s->ctx)
        s->conn->events->on_close(s->ctx, code, code == H2_NO_ERROR && s->ended && s->sent_all);
    stream_free(s);
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    (void)user;
    struct h2_stream *s = nghttp2_session_get_stream_user_data(session, id);
    if (s)
        stream_closed(s, code);
    return 0;
}

/* --- receiving --- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    const struct h2_link *link = user;
    struct h2_conn *conn = link->owner;
    conn->head.n = 0;
    conn->head.bytes.len = 0;
    conn->head.bytes.failed = false;
    conn->head.too_large = false;
    if (!conn->server || frame->hd.type != NGHTTP2_HEADERS ||
        frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct h2_stream *s = stream_new(conn, frame->hd.stream_id);
    if (!s)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* resets it */
    (void)nghttp2_session_set_stream_user_data(session, s->id, s);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t nname, const uint8_t *value, size_t nvalue, uint8_t flags, void *user)
{
    (void)session, (void)frame, (void)flags;
    const struct h2_link *link = user;
    struct h2_conn *conn = link->owner;
    struct head *head = &conn->head;
    if (head->n == H2_HEADERS_MAX || head->bytes.len + nname + nvalue > H2_HEAD_BYTES_MAX) {
        head->too_large = true;
        return 0;
    }
    head->at[head->n].name = head->bytes.len;
    buf_add(&head->bytes, name, nname);
    head->at[head->n].value = head->bytes.len;
    buf_add(&head->bytes, value, nvalue);
    head->at[head->n++].end = head->bytes.len;
    return 0;
}

/* The whole head as views into conn->head. */
static size_t take_head(const struct h2_conn *conn, struct h2_header ret[H2_HEADERS_MAX])
{
    struct str all = buf_view(&conn->head.bytes);
    for (size_t i = 0; i < conn->head.n; i++) {
        ret[i].name = str_sub(all, conn->head.at[i].name, conn->head.at[i].value);
        ret[i].value = str_sub(all, conn->head.at[i].value, conn->head.at[i].end);
    }
    return conn->head.n;
}

static void headers_came(struct h2_conn *conn, struct h2_stream *s, bool end)
{
    struct h2_header headers[H2_HEADERS_MAX];
    if (conn->head.too_large || conn->head.bytes.failed) {
        h2_reset(s, H2_INTERNAL);
        return;
    }
    size_t n = take_head(conn, headers);
    bool trailers = s->head_came;
    bool informational = !conn->server && n && str_equal(headers[0].name, STR(":status")) &&
                         str_starts(headers[0].value, STR("1"));
    if (informational)
        return;
    s->head_came = true;
    s->ended = s->ended || end;
    if (!trailers && conn->server)
        s->ctx = conn->events->on_stream(conn->ctx, s, headers, n);
    else if (s->ctx && trailers)
        conn->events->on_trailers(s->ctx, headers, n);
    else if (s->ctx)
        conn->events->on_head(s->ctx, headers, n, end);
    if (end && s->ctx)
        conn->events->on_end(s->ctx);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    const struct h2_link *link = user;
    struct h2_conn *conn = link->owner;
    struct h2_stream *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    bool end = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        conn->link.going_away = true;
    } else if (frame->hd.type == NGHTTP2_SETTINGS && !(frame->hd.flags & NGHTTP2_FLAG_ACK)) {
        bool first = !conn->up;
        conn->up = true;
        if (first && conn->events->on_up)
            conn->events->on_up(conn->ctx);
    } else if (s && frame->hd.type == NGHTTP2_HEADERS) {
        headers_came(conn, s, end);
    } else if (s && frame->hd.type == NGHTTP2_DATA && end) {
        s->ended = true;
        if (s->ctx)
            conn->events->on_end(s->ctx);
    }
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t n, void *user)
{
    (void)flags;
    const struct h2_link *link = user;
    struct h2_conn *conn = link->owner;
    struct h2_stream *s = nghttp2_session_get_stream_user_data(session, id);
    if (s && s->ctx)
        conn->events->on_data(s->ctx, (struct str){(const char *)data, n});
    else /* nobody wants it: the connection's window must not leak away */
        (void)nghttp2_session_consume(session, id, n);
    return 0;
}

void h2_consume(struct h2_stream *s, size_t n)
{
    if (s->conn->link.down || !s->conn->link.session || !n)
        return;
    (void)nghttp2_session_consume(s->conn->link.session, s->id, n);
    h2_link_flush_soon(&s->conn->link);
}

/* --- sending --- */

static nghttp2_nv nv_of(struct str name, struct str value)
{
    union { /* nghttp2 copies them */
        const char *in;
        uint8_t *out;
    } n = {name.ptr}, v = {value.ptr ? value.ptr : ""};
    return (nghttp2_nv){n.out, v.out, name.len, value.len, NGHTTP2_NV_FLAG_NONE};
}

static size_t fill(nghttp2_nv ret[H2_HEADERS_MAX], const struct h2_header *headers, size_t n)
{
    size_t most = n < H2_HEADERS_MAX ? n : H2_HEADERS_MAX;
    for (size_t i = 0; i < most; i++)
        ret[i] = nv_of(headers[i].name, headers[i].value);
    return most;
}

/* The queue is empty and there will be no more. */
static void end_of_queue(struct h2_stream *s, uint32_t *flags)
{
    nghttp2_nv nv[H2_HEADERS_MAX];
    struct str all = buf_view(&s->trailer_bytes);
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    s->sent_all = true;
    if (!s->has_trailers)
        return;
    for (size_t i = 0; i < s->ntrailers; i++)
        nv[i] = nv_of(str_sub(all, s->trailer[i].name, s->trailer[i].value),
                      str_sub(all, s->trailer[i].value, s->trailer[i].end));
    if (nghttp2_submit_trailer(s->conn->link.session, s->id, nv, s->ntrailers) == 0)
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
}

static ssize_t read_queue(nghttp2_session *session, int32_t id, uint8_t *to, size_t room,
                          uint32_t *flags, nghttp2_data_source *source, void *user)
{
    (void)source, (void)user;
    struct h2_stream *s = nghttp2_session_get_stream_user_data(session, id);
    if (!s || s->out.failed)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* resets the stream */
    size_t left = s->out.len - s->out_at, n = left < room ? left : room;
    if (!left && !s->out_end) {
        s->waiting = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    if (n)
        memcpy(to, s->out.ptr + s->out_at, n);
    s->out_at += n;
    if (n == left) {
        s->out.len = s->out_at = 0;
        if (s->out.room > KEEP_ROOM)
            buf_free(&s->out);
        if (s->out_end)
            end_of_queue(s, flags);
    }
    if (n && s->ctx)
        s->conn->events->on_sent(s->ctx, n);
    return (ssize_t)n;
}

static void wake(struct h2_stream *s)
{
    if (s->waiting && s->conn->link.session) {
        s->waiting = false;
        (void)nghttp2_session_resume_data(s->conn->link.session, s->id);
    }
    h2_link_flush_soon(&s->conn->link);
}

struct h2_stream *h2_request(struct h2_conn *conn, const struct h2_header *headers, size_t n,
                             void *stream_ctx)
{
    nghttp2_nv nv[H2_HEADERS_MAX];
    nghttp2_data_provider provider = {.read_callback = read_queue};
    if (!h2_is_up(conn))
        return NULL;
    struct h2_stream *s = stream_new(conn, 0);
    if (!s)
        return NULL;
    s->id =
        nghttp2_submit_request(conn->link.session, NULL, nv, fill(nv, headers, n), &provider, s);
    if (s->id < 0) {
        stream_free(s);
        return NULL;
    }
    s->ctx = stream_ctx;
    h2_link_flush_soon(&conn->link);
    return s;
}

bool h2_respond(struct h2_stream *s, const struct h2_header *headers, size_t n, bool end)
{
    nghttp2_nv nv[H2_HEADERS_MAX];
    nghttp2_data_provider provider = {.read_callback = read_queue};
    if (s->conn->link.down)
        return false;
    s->sent_all = end;
    if (nghttp2_submit_response(s->conn->link.session, s->id, nv, fill(nv, headers, n),
                                end ? NULL : &provider) != 0) {
        h2_reset(s, H2_INTERNAL);
        return false;
    }
    h2_link_flush_soon(&s->conn->link);
    return true;
}

void h2_send(struct h2_stream *s, struct str bytes)
{
    buf_str(&s->out, bytes);
    wake(s);
}

void h2_send_buf(struct h2_stream *s, struct buf *bytes)
{
    if (!s->out.len && !bytes->failed) {
        struct buf empty = s->out;
        s->out = *bytes;
        s->out.limit = QUEUE_MAX;
        *bytes = (struct buf){.limit = bytes->limit};
        buf_free(&empty);
        wake(s);
        return;
    }
    h2_send(s, buf_view(bytes));
    buf_free(bytes);
}

void h2_finish(struct h2_stream *s, const struct h2_header *trailers, size_t n)
{
    size_t most = n < H2_HEADERS_MAX ? n : H2_HEADERS_MAX;
    for (size_t i = 0; i < most; i++) {
        s->trailer[i].name = s->trailer_bytes.len;
        buf_str(&s->trailer_bytes, trailers[i].name);
        s->trailer[i].value = s->trailer_bytes.len;
        buf_str(&s->trailer_bytes, trailers[i].value);
        s->trailer[i].end = s->trailer_bytes.len;
    }
    s->ntrailers = s->trailer_bytes.failed ? 0 : most;
    s->has_trailers = s->ntrailers > 0;
    s->out_end = true;
    wake(s);
}

void h2_reset(struct h2_stream *s, uint32_t code)
{
    if (s->conn->link.down || !s->conn->link.session)
        return;
    (void)nghttp2_submit_rst_stream(s->conn->link.session, NGHTTP2_FLAG_NONE, s->id, code);
    h2_link_flush_soon(&s->conn->link);
}

void h2_forget(struct h2_stream *s)
{
    s->ctx = NULL;
    h2_reset(s, H2_CANCEL);
}

/* --- the connection --- */

static void all_streams_end(struct h2_link *link, const struct err *why)
{
    struct h2_conn *conn = link->owner;
    while (conn->streams)
        stream_closed(conn->streams, why ? H2_INTERNAL : H2_CANCEL);
}

static void tell_down(struct h2_link *link)
{
    const struct h2_conn *conn = link->owner;
    conn->events->on_down(conn->ctx, &link->why);
}

static void conn_free(struct h2_link *link)
{
    struct h2_conn *conn = link->owner;
    h2_link_end(link);
    while (conn->streams)
        stream_free(conn->streams);
    buf_free(&conn->head.bytes);
    free(conn);
}

static void set_callbacks(nghttp2_session_callbacks *callbacks, nghttp2_option *option)
{
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_max_send_header_block_length(option, H2_HEAD_BYTES_MAX + (64 << 10));
}

bool h2_open(const struct h2_options *options, struct h2_conn **ret, struct err *err)
{
    static const struct h2_link_use use = {
        .cut = all_streams_end, .on_down = tell_down, .free = conn_free};
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2_STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, H2_STREAMS_MAX},
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0}, /* a client's alone */
    };
    struct h2_conn *conn = calloc(1, sizeof *conn);
    if (!conn) {
        close(options->fd);
        return err_set(err, ERR_LIMIT, "no memory for a connection");
    }
    conn->server = options->server;
    conn->events = options->events;
    conn->ctx = options->ctx;
    conn->head.bytes.limit = H2_HEAD_BYTES_MAX;
    const struct h2_link_options link = {.loop = options->loop,
                                         .fd = options->fd,
                                         .server = options->server,
                                         .connecting = options->connecting,
                                         .tls = options->tls,
                                         .use = &use,
                                         .owner = conn,
                                         .set = set_callbacks,
                                         .settings = settings,
                                         .nsettings = options->server ? 2 : 3,
                                         .connection_window = H2_CONNECTION_WINDOW};
    if (!h2_link_open(&conn->link, &link, err)) {
        free(conn);
        return false;
    }
    *ret = conn;
    return true;
}

void h2_close(struct h2_conn *conn)
{
    if (conn)
        h2_link_close(&conn->link);
}

void h2_goaway(struct h2_conn *conn)
{
    if (conn->link.down)
        return;
    (void)nghttp2_submit_goaway(conn->link.session, NGHTTP2_FLAG_NONE,
                                nghttp2_session_get_last_proc_stream_id(conn->link.session),
                                NGHTTP2_NO_ERROR, NULL, 0);
    h2_link_flush_soon(&conn->link);
}

bool h2_is_up(const struct h2_conn *conn)
{
    return conn && conn->up && !conn->link.down && !conn->link.closing && !conn->link.going_away;
}

bool h2_is_down(const struct h2_conn *conn)
{
    return conn->link.down;
}

bool h2_is_tls(const struct h2_conn *conn)
{
    return conn->link.channel.ssl != NULL;
}

size_t h2_streams(const struct h2_conn *conn)
{
    return conn->nstreams;
}

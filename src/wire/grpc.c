/* grpc.c - the calls of a gRPC connection on an nghttp2 session.
 *
 * Nothing is reported from inside an nghttp2 callback: a finished call waits in a queue until the
 * session has been left, so that on_done may start calls and close the connection.
 */
#include "wire/grpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "wire/h2_link.h"

enum {
    STREAM_WINDOW = 16 << 20,
    CONNECTION_WINDOW = 64 << 20,
    KEEP_ROOM = 256 << 10, /* a larger buffer is not kept for the next call */
    TEXT_MAX = 64 << 10,   /* of grpc-message */
    HEADERS_MAX = 200,     /* of one reply */
    PREFIX = 5,            /* compressed flag, length */
    STATUS_NONE = -1,
    TIMEOUT_MOST = 99990000, /* milliseconds: 8 digits is all that there may be */
    TIMEOUT_MORE = 1000,
};

enum call_state { CALL_WAITING, CALL_SENT, CALL_FINISHED, CALL_REPORTING, CALL_REPORTED };

struct grpc_call {
    struct grpc_conn *conn;
    const struct grpc_method *method;
    enum call_state state;
    int32_t stream_id; /* 0 = none (yet, or any more) */
    bool headers_sent;
    struct loop_timer deadline;
    int timeout_ms;
    grpc_item on_item;
    grpc_done on_done;
    void *ctx;
    char timeout_text[16];

    struct buf request; /* prefix and message */
    size_t request_at;

    struct buf body; /* of the message that is being received, or was */
    unsigned char prefix[PREFIX];
    size_t nprefix, message_len, nmessages;
    size_t buffered; /* bytes of body counted in conn->buffered */
    int http_status, grpc_status;
    unsigned nheaders;
    struct buf text;

    enum grpc_status status; /* the outcome */
    bool not_processed, connection_down;
    struct grpc_call *next, *back;  /* conn->calls, or the pool */
    struct grpc_call *next_in_line; /* waiting for SETTINGS, or for the report */
};

struct call_line {
    struct grpc_call *first, *last;
};

struct grpc_conn {
    struct h2_link link;
    const struct grpc_method *methods;
    size_t nmethods, max_message, max_buffered, buffered, in_flight;
    struct grpc_call *calls, *pool;
    struct call_line waiting, finished;
    bool settled; /* the server's SETTINGS came */
    void (*on_down)(void *ctx, const struct err *why);
    void *ctx;
};

/* --- lists --- */

static void line_add(struct call_line *line, struct grpc_call *call)
{
    call->next_in_line = NULL;
    if (line->last)
        line->last->next_in_line = call;
    else
        line->first = call;
    line->last = call;
}

static struct grpc_call *line_take(struct call_line *line)
{
    struct grpc_call *call = line->first;
    if (call) {
        line->first = call->next_in_line;
        if (!line->first)
            line->last = NULL;
    }
    return call;
}

static void line_remove(struct call_line *line, struct grpc_call *call)
{
    struct grpc_call *before = NULL;
    for (struct grpc_call *it = line->first; it; before = it, it = it->next_in_line) {
        if (it != call)
            continue;
        *(before ? &before->next_in_line : &line->first) = it->next_in_line;
        if (line->last == it)
            line->last = before;
        return;
    }
}

static struct grpc_call *call_new(struct grpc_conn *conn)
{
    struct grpc_call *call = conn->pool;
    if (call)
        conn->pool = call->next;
    else
        call = calloc(1, sizeof *call);
    if (!call)
        return NULL;
    struct buf request = call->request, body = call->body, text = call->text;
    request.len = body.len = text.len = 0;
    request.failed = body.failed = text.failed = false;
    request.limit = BUF_DEFAULT_LIMIT;
    body.limit = conn->max_message;
    text.limit = TEXT_MAX;
    *call = (struct grpc_call){.conn = conn,
                               .request = request,
                               .body = body,
                               .text = text,
                               .grpc_status = STATUS_NONE,
                               .next = conn->calls};
    if (conn->calls)
        conn->calls->back = call;
    conn->calls = call;
    return call;
}

static void call_free(struct grpc_call *call)
{
    buf_free(&call->request);
    buf_free(&call->body);
    buf_free(&call->text);
    free(call);
}

static void forget_body(struct grpc_call *call)
{
    call->conn->buffered -= call->buffered;
    call->buffered = 0;
    call->body.len = 0;
    if (call->body.room > KEEP_ROOM)
        buf_free(&call->body);
}

/* Back to the pool once it was reported and its stream is closed. */
static void call_recycle(struct grpc_call *call)
{
    struct grpc_conn *conn = call->conn;
    if (call->state != CALL_REPORTED || call->stream_id)
        return;
    forget_body(call);
    if (call->request.room > KEEP_ROOM)
        buf_free(&call->request);
    *(call->back ? &call->back->next : &conn->calls) = call->next;
    if (call->next)
        call->next->back = call->back;
    call->back = NULL;
    call->next = conn->pool;
    conn->pool = call;
}

/* --- the end of a call --- */

static void call_text(struct grpc_call *call, const char *text)
{
    call->text.len = 0;
    call->text.failed = false;
    buf_add(&call->text, text, strlen(text));
}

/* The outcome; text NULL = call->text has it. Reported at the end of the turn. */
static void call_finish(struct grpc_call *call, enum grpc_status status, const char *text)
{
    struct grpc_conn *conn = call->conn;
    if (call->state >= CALL_FINISHED)
        return;
    if (call->state == CALL_WAITING)
        line_remove(&conn->waiting, call);
    call->state = CALL_FINISHED;
    call->status = status;
    if (text)
        call_text(call, text);
    loop_timer_stop(conn->link.loop, &call->deadline);
    conn->in_flight--;
    line_add(&conn->finished, call);
    loop_task_add(conn->link.loop, &conn->link.task);
}

/* The same for a call whose stream the server still serves: tell it to stop. */
static void call_abort(struct grpc_call *call, enum grpc_status status, const char *text)
{
    if (call->stream_id && call->conn->link.session)
        (void)nghttp2_submit_rst_stream(call->conn->link.session, NGHTTP2_FLAG_NONE,
                                        call->stream_id, NGHTTP2_CANCEL);
    call_finish(call, status, text);
}

static void report(struct h2_link *link)
{
    struct grpc_conn *conn = link->owner;
    struct grpc_call *call;
    while ((call = line_take(&conn->finished))) {
        struct grpc_reply reply = {.status = call->status,
                                   .not_processed = call->not_processed,
                                   .connection_down = call->connection_down,
                                   .body = &call->body};
        if (call->status != GRPC_OK)
            reply.text = buf_view(&call->text);
        else if (!call->method->stream)
            reply.message = buf_view(&call->body);
        call->state = CALL_REPORTING; /* not to be recycled while on_done looks at it */
        call->on_done(call->ctx, &reply);
        call->state = CALL_REPORTED;
        if (!call->body.ptr) /* taken */
            call->body = (struct buf){.limit = conn->max_message};
        call_recycle(call);
    }
}

/* --- receiving --- */

static void take_item(struct grpc_call *call)
{
    call->nmessages++;
    call->nprefix = 0;
    if (!call->method->stream)
        return;
    if (call->on_item)
        call->on_item(call->ctx, buf_view(&call->body));
    forget_body(call);
}

/* A whole prefix is there: may that message come? */
static bool begin_message(struct grpc_call *call)
{
    const unsigned char *p = call->prefix;
    char text[96];
    call->message_len = (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4];
    if (p[0] != 0) {
        call_abort(call, GRPC_INTERNAL, "the reply is compressed, which was not asked for");
        return false;
    }
    if (call->message_len > call->conn->max_message) {
        (void)snprintf(text, sizeof text, "a reply of %zu bytes, more than %zu", call->message_len,
                       call->conn->max_message);
        call_abort(call, GRPC_RESOURCE_EXHAUSTED, text);
        return false;
    }
    if (!call->method->stream && call->nmessages) {
        call_abort(call, GRPC_INTERNAL, "more than one message in the reply");
        return false;
    }
    return true;
}

static bool add_body(struct grpc_call *call, const unsigned char *data, size_t n)
{
    struct grpc_conn *conn = call->conn;
    if (n > conn->max_buffered - conn->buffered) {
        call_abort(call, GRPC_RESOURCE_EXHAUSTED, "too many bytes in replies under way");
        return false;
    }
    buf_add(&call->body, data, n);
    if (call->body.failed) {
        call_abort(call, GRPC_RESOURCE_EXHAUSTED, "no memory for the reply");
        return false;
    }
    conn->buffered += n;
    call->buffered += n;
    return true;
}

/* Bytes of length-prefixed messages, cut anywhere. */
static void feed(struct grpc_call *call, const unsigned char *data, size_t n)
{
    while (n) {
        if (call->nprefix < PREFIX) {
            call->prefix[call->nprefix++] = *data++;
            n--;
            if (call->nprefix < PREFIX)
                continue;
            if (!begin_message(call))
                return;
        }
        size_t left = call->message_len - call->body.len, take = n < left ? n : left;
        if (take && !add_body(call, data, take))
            return;
        data += take;
        n -= take;
        if (call->body.len == call->message_len)
            take_item(call);
    }
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *data,
                   size_t n, void *user)
{
    (void)flags, (void)user;
    struct grpc_call *call = nghttp2_session_get_stream_user_data(session, stream_id);
    if (call && call->state == CALL_SENT && call->http_status == 200)
        feed(call, data, n);
    return 0;
}

static bool name_is(const uint8_t *name, size_t len, const char *want)
{
    return len == strlen(want) && memcmp(name, want, len) == 0;
}

static int small_number(const uint8_t *text, size_t len, int otherwise)
{
    int64_t number;
    bool ok = str_to_int64((struct str){(const char *)text, len}, &number);
    return ok && number >= 0 && number < 1000 ? (int)number : otherwise;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user)
{
    (void)flags, (void)user;
    struct grpc_call *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (!call || call->state != CALL_SENT)
        return 0;
    if (++call->nheaders > HEADERS_MAX) {
        call_abort(call, GRPC_RESOURCE_EXHAUSTED, "too many headers in the reply");
    } else if (name_is(name, name_len, ":status")) {
        call->http_status = small_number(value, value_len, 0);
    } else if (name_is(name, name_len, "grpc-status")) {
        call->grpc_status = small_number(value, value_len, GRPC_UNKNOWN);
    } else if (name_is(name, name_len, "grpc-message")) {
        call->text.len = 0;
        buf_add(&call->text, value, value_len);
        call->text.len = grpc_decode_text(call->text.ptr, call->text.len);
    }
    return 0;
}

/* What a stream that is closed without an HTTP/2 error amounts to. */
static void judge(struct grpc_call *call)
{
    char text[96];
    if (call->grpc_status == STATUS_NONE && call->http_status != 200) {
        (void)snprintf(text, sizeof text, "HTTP status %d in place of a gRPC reply",
                       call->http_status);
        call_finish(call, GRPC_UNKNOWN, text);
    } else if (call->grpc_status == STATUS_NONE) {
        call_finish(call, GRPC_INTERNAL, "the reply ended without a grpc-status");
    } else if (call->grpc_status != GRPC_OK) {
        call_finish(call, (enum grpc_status)call->grpc_status, NULL);
    } else if (call->nprefix) {
        call_finish(call, GRPC_INTERNAL, "the reply's message is cut short");
    } else if (!call->method->stream && call->nmessages != 1) {
        call_finish(call, GRPC_INTERNAL, "the reply has no message");
    } else {
        call_finish(call, GRPC_OK, "");
    }
}

static void judge_error(struct grpc_call *call, uint32_t code)
{
    char text[128];
    bool never_sent = !call->headers_sent && call->conn->link.going_away;
    (void)snprintf(text, sizeof text, "the stream was reset: HTTP/2 %s",
                   nghttp2_http2_strerror(code));
    if (code == NGHTTP2_REFUSED_STREAM || never_sent) {
        call->not_processed = true;
        call_finish(call, GRPC_UNAVAILABLE, text);
    } else if (call->grpc_status > GRPC_OK) {
        call_finish(call, (enum grpc_status)call->grpc_status, NULL);
    } else {
        call_finish(call, code == NGHTTP2_CANCEL ? GRPC_CANCELLED : GRPC_INTERNAL, text);
    }
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t code, void *user)
{
    (void)user;
    struct grpc_call *call = nghttp2_session_get_stream_user_data(session, stream_id);
    if (!call)
        return 0;
    if (call->state == CALL_SENT && code == NGHTTP2_NO_ERROR)
        judge(call);
    else if (call->state == CALL_SENT)
        judge_error(call, code);
    call->stream_id = 0;
    call_recycle(call);
    return 0;
}

/* --- sending --- */

static ssize_t read_request(nghttp2_session *session, int32_t stream_id, uint8_t *to, size_t room,
                            uint32_t *flags, nghttp2_data_source *source, void *user)
{
    (void)source, (void)user;
    struct grpc_call *call = nghttp2_session_get_stream_user_data(session, stream_id);
    if (!call || call->state != CALL_SENT)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* resets the stream */
    size_t left = call->request.len - call->request_at, n = left < room ? left : room;
    memcpy(to, call->request.ptr + call->request_at, n);
    call->request_at += n;
    if (n == left)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

static nghttp2_nv header(const char *name, const char *value)
{
    union { /* nghttp2 does not write to them: NO_COPY */
        const char *in;
        uint8_t *out;
    } n = {name}, v = {value};
    return (nghttp2_nv){n.out, v.out, strlen(name), strlen(value),
                        NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

static void submit(struct grpc_conn *conn, struct grpc_call *call)
{
    if (call->timeout_ms) /* a little more than ours, which tells it better */
        (void)snprintf(call->timeout_text, sizeof call->timeout_text, "%dm",
                       call->timeout_ms < TIMEOUT_MOST ? call->timeout_ms + TIMEOUT_MORE
                                                       : TIMEOUT_MOST);
    const nghttp2_nv headers[] = {
        header(":method", "POST"),
        header(":scheme", conn->link.channel.ssl ? "https" : "http"),
        header(":path", call->method->path),
        header(":authority", "localhost"),
        header("content-type", "application/grpc"),
        header("te", "trailers"),
        header("user-agent", "plumb/" PLUMB_VERSION),
        header("grpc-timeout", call->timeout_text),
    };
    size_t n = sizeof headers / sizeof *headers - (call->timeout_ms ? 0 : 1);
    nghttp2_data_provider provider = {.read_callback = read_request};
    int32_t id = nghttp2_submit_request(conn->link.session, NULL, headers, n, &provider, call);
    if (id < 0) {
        call->not_processed = true;
        call_finish(call, GRPC_UNAVAILABLE, nghttp2_strerror(id));
        return;
    }
    call->stream_id = id;
    call->state = CALL_SENT;
}

static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)user;
    if (frame->hd.type == NGHTTP2_HEADERS) {
        struct grpc_call *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
        if (call)
            call->headers_sent = true;
    }
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)session;
    const struct h2_link *link = user;
    struct grpc_conn *conn = link->owner;
    struct grpc_call *call;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        conn->link.going_away = true;
    } else if (frame->hd.type == NGHTTP2_SETTINGS && !(frame->hd.flags & NGHTTP2_FLAG_ACK)) {
        conn->settled = true;
        while ((call = line_take(&conn->waiting)))
            submit(conn, call);
    }
    return 0;
}

/* --- the connection --- */

static void conn_free(struct h2_link *link)
{
    struct grpc_conn *conn = link->owner;
    struct grpc_call *lists[2] = {conn->calls, conn->pool};
    h2_link_end(link);
    for (int i = 0; i < 2; i++) {
        for (struct grpc_call *call = lists[i], *next; call; call = next) {
            next = call->next;
            call_free(call);
        }
    }
    free(conn);
}

static void all_calls_end(struct h2_link *link, const struct err *why)
{
    struct grpc_conn *conn = link->owner;
    char text[ERR_TEXT_MAX] = "the connection was closed";
    if (why)
        (void)err_text(why, text, sizeof text);
    for (struct grpc_call *call = conn->calls, *next; call; call = next) {
        next = call->next;
        call->stream_id = 0;
        if (call->state < CALL_FINISHED) {
            call->connection_down = why != NULL;
            call->not_processed = why && !call->headers_sent;
        }
        call_finish(call, why ? GRPC_UNAVAILABLE : GRPC_CANCELLED, text);
        call_recycle(call);
    }
}

static void tell_down(struct h2_link *link)
{
    const struct grpc_conn *conn = link->owner;
    if (conn->on_down)
        conn->on_down(conn->ctx, &link->why);
}

static void on_deadline(void *ctx)
{
    struct grpc_call *call = ctx;
    struct h2_link *link = &call->conn->link;
    char text[64];
    h2_link_enter(link);
    (void)snprintf(text, sizeof text, "no answer within %d ms", call->timeout_ms);
    call_abort(call, GRPC_DEADLINE_EXCEEDED, text);
    h2_link_leave(link);
}

/* --- opening and calling --- */

static void set_callbacks(nghttp2_session_callbacks *callbacks, nghttp2_option *option)
{
    (void)option;
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
}

bool grpc_open(const struct grpc_options *options, struct grpc_conn **ret, struct err *err)
{
    static const struct h2_link_use use = {
        .cut = all_calls_end, .tell = report, .on_down = tell_down, .free = conn_free};
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
    };
    struct grpc_conn *conn = calloc(1, sizeof *conn);
    if (!conn) {
        close(options->fd);
        return err_set(err, ERR_LIMIT, "no memory for a connection");
    }
    conn->methods = options->methods;
    conn->nmethods = options->nmethods;
    conn->max_message = options->max_message ? options->max_message : GRPC_MESSAGE_MAX;
    conn->max_buffered = options->max_buffered ? options->max_buffered : GRPC_BUFFERED_MAX;
    conn->on_down = options->on_down;
    conn->ctx = options->ctx;
    const struct h2_link_options link = {.loop = options->loop,
                                         .fd = options->fd,
                                         .connecting = options->connecting,
                                         .tls = options->tls,
                                         .use = &use,
                                         .owner = conn,
                                         .set = set_callbacks,
                                         .settings = settings,
                                         .nsettings = sizeof settings / sizeof *settings,
                                         .connection_window = CONNECTION_WINDOW};
    if (!h2_link_open(&conn->link, &link, err)) {
        free(conn);
        return false;
    }
    *ret = conn;
    return true;
}

void grpc_close(struct grpc_conn *conn)
{
    if (conn)
        h2_link_close(&conn->link);
}

void grpc_leave(struct grpc_conn *conn)
{
    h2_link_off_loop(&conn->link);
}

bool grpc_join(struct grpc_conn *conn, struct loop *loop, struct err *err)
{
    return h2_link_on_loop(&conn->link, loop, err);
}

static void fill_request(struct grpc_call *call, struct str message)
{
    const unsigned char prefix[PREFIX] = {
        0, (unsigned char)(message.len >> 24), (unsigned char)(message.len >> 16),
        (unsigned char)(message.len >> 8), (unsigned char)message.len};
    buf_add(&call->request, prefix, PREFIX);
    buf_str(&call->request, message);
}

bool grpc_call_start(struct grpc_conn *conn, size_t method, struct str message, int timeout_ms,
                     grpc_item on_item, grpc_done on_done, void *ctx, struct grpc_call **ret,
                     struct err *err)
{
    if (method >= conn->nmethods)
        return err_set(err, ERR_USAGE, "no such method");
    if (!grpc_is_up(conn))
        return err_set(err, ERR_UNAVAILABLE, "the connection is closed");
    if (message.len > conn->max_message)
        return err_set(err, ERR_LIMIT, "a request of %zu bytes, more than %zu", message.len,
                       conn->max_message);
    struct grpc_call *call = call_new(conn);
    if (!call)
        return err_set(err, ERR_LIMIT, "no memory for a call");
    call->method = &conn->methods[method];
    call->timeout_ms = timeout_ms;
    call->on_item = on_item;
    call->on_done = on_done;
    call->ctx = ctx;
    fill_request(call, message);
    if (call->request.failed) {
        call->state = CALL_REPORTED;
        call_recycle(call);
        return err_set(err, ERR_LIMIT, "no memory for a request of %zu bytes", message.len);
    }
    conn->in_flight++;
    call->deadline = (struct loop_timer){.on_time = on_deadline, .ctx = call};
    if (timeout_ms > 0)
        loop_timer_set(conn->link.loop, &call->deadline, clock_monotonic_ms() + timeout_ms);
    if (conn->settled)
        submit(conn, call);
    else
        line_add(&conn->waiting, call);
    loop_task_add(conn->link.loop, &conn->link.task);
    if (ret)
        *ret = call;
    return true;
}

void grpc_call_cancel(struct grpc_call *call)
{
    struct h2_link *link = &call->conn->link;
    h2_link_enter(link);
    call_abort(call, GRPC_CANCELLED, "the call was cancelled");
    h2_link_leave(link);
}

bool grpc_is_up(const struct grpc_conn *conn)
{
    return conn && !conn->link.down && !conn->link.closing && !conn->link.going_away;
}

size_t grpc_in_flight(const struct grpc_conn *conn)
{
    return conn ? conn->in_flight : 0;
}

/* h2_link.c - bytes between an nghttp2 session and its channel, and the end of both. */
#include "wire/h2_link.h"

#include <stdio.h>
#include <string.h>

enum {
    READS_MAX = 64,        /* pieces per turn: other connections want their turn, too */
    OUT_PENDING = 1 << 20, /* bytes gathered for the socket before nghttp2 has to wait */
};

/* --- the end --- */

void h2_link_end(struct h2_link *link)
{
    loop_task_remove(link->loop, &link->task);
    loop_watch_remove(link->loop, &link->watch);
    nghttp2_session_del(link->session);
    link->session = NULL;
    channel_close(&link->channel);
}

/* Nothing comes or goes any more. Never from inside an nghttp2 callback. */
static void cut(struct h2_link *link, const struct err *why)
{
    link->down = true;
    loop_watch_remove(link->loop, &link->watch);
    link->use->cut(link, why);
    nghttp2_session_del(link->session);
    link->session = NULL;
    channel_close(&link->channel);
    loop_task_add(link->loop, &link->task); /* which tells of it */
}

static void go_down(struct h2_link *link, const struct err *why)
{
    if (link->down)
        return;
    link->why = *why;
    cut(link, why);
}

static void tell(struct h2_link *link)
{
    if (link->use->tell)
        link->use->tell(link);
}

void h2_link_enter(struct h2_link *link)
{
    link->entered++;
}

void h2_link_leave(struct h2_link *link)
{
    tell(link);
    if (link->down && !link->closing && !link->down_told) {
        link->down_told = true;
        link->use->on_down(link);
    }
    if (--link->entered == 0 && link->closing)
        link->use->free(link);
}

void h2_link_close(struct h2_link *link)
{
    if (link->closing)
        return;
    link->closing = true;
    h2_link_enter(link);
    if (!link->down)
        cut(link, NULL);
    h2_link_leave(link);
}

static void end_of_session(struct h2_link *link)
{
    struct err why = {0};
    (void)err_set(&why, ERR_UNAVAILABLE, "%s",
                  link->protocol_error[0] ? link->protocol_error
                  : link->going_away      ? "the other side ended the connection (GOAWAY)"
                                          : "HTTP/2 protocol error");
    go_down(link, &why);
}

/* --- sending --- */

/* nghttp2's frames to the channel; false = there are no more now. */
static bool gather(struct h2_link *link)
{
    struct err err = {0};
    while (channel_pending(&link->channel) < OUT_PENDING) {
        const uint8_t *bytes;
        ssize_t n = nghttp2_session_mem_send(link->session, &bytes);
        if (n < 0) {
            (void)err_set(&err, ERR_UNAVAILABLE, "HTTP/2: %s", nghttp2_strerror((int)n));
            go_down(link, &err);
        }
        if (n <= 0)
            return false;
        buf_add(&link->channel.out, bytes, (size_t)n);
    }
    return true;
}

static void flush(struct h2_link *link)
{
    struct err err = {0};
    for (bool more = true;;) {
        if (!channel_flush(&link->channel, &err)) {
            go_down(link, &err);
            return;
        }
        if (!more || channel_pending(&link->channel) >= OUT_PENDING)
            break;
        more = gather(link);
        if (link->down)
            return;
        if (link->channel.out.failed) {
            (void)err_set(&err, ERR_LIMIT, "no memory for what is to be sent");
            go_down(link, &err);
            return;
        }
    }
    if (!nghttp2_session_want_read(link->session) && !nghttp2_session_want_write(link->session))
        end_of_session(link);
    else if (!loop_watch_set(link->loop, &link->watch, channel_events(&link->channel), &err))
        go_down(link, &err);
}

void h2_link_flush_soon(struct h2_link *link)
{
    if (!link->down)
        loop_task_add(link->loop, &link->task);
}

/* --- receiving --- */

/* Everything that is there now, up to a fair share. */
static void receive(struct h2_link *link)
{
    struct err err = {0};
    for (int i = 0; i < READS_MAX && !link->down; i++) {
        size_t n = 0;
        enum channel_io got = channel_read(&link->channel, link->in, sizeof link->in, &n, &err);
        if (got == CHANNEL_AGAIN)
            return;
        if (got == CHANNEL_BYTES) {
            ssize_t used = nghttp2_session_mem_recv(link->session, link->in, n);
            bool more = n == sizeof link->in || link->channel.ssl;
            if (used >= 0 && more)
                continue;
            if (used >= 0) /* a short read: the rest, or the end, is epoll's to tell */
                return;
            (void)err_set(&err, ERR_UNAVAILABLE, "HTTP/2: %s%s%s", nghttp2_strerror((int)used),
                          link->protocol_error[0] ? ": " : "", link->protocol_error);
        } else if (got == CHANNEL_END) {
            (void)err_set(&err, ERR_UNAVAILABLE, "the connection was closed%s%s",
                          link->protocol_error[0] ? ": " : "", link->protocol_error);
        }
        go_down(link, &err);
    }
}

static void on_task(void *ctx)
{
    struct h2_link *link = ctx;
    h2_link_enter(link);
    if (!link->down && channel_has_more(&link->channel))
        receive(link);
    tell(link); /* what that starts goes out with this flush */
    if (!link->down && !link->closing)
        flush(link);
    if (!link->down && !link->closing && channel_has_more(&link->channel))
        loop_task_add(link->loop, &link->task);
    h2_link_leave(link);
}

static void on_ready(void *ctx, uint32_t events)
{
    (void)events;
    struct h2_link *link = ctx;
    h2_link_enter(link);
    receive(link);
    loop_task_add(link->loop, &link->task);
    h2_link_leave(link);
}

/* --- the beginning --- */

static int on_session_error(nghttp2_session *session, int code, const char *text, size_t len,
                            void *user)
{
    (void)session, (void)code;
    struct h2_link *link = user;
    (void)snprintf(link->protocol_error, sizeof link->protocol_error, "%.*s", (int)len, text);
    return 0;
}

static bool new_session(struct h2_link *link, const struct h2_link_options *options)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    bool ok = nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&option) == 0;
    if (ok) {
        options->set(callbacks, option);
        nghttp2_session_callbacks_set_error_callback2(callbacks, on_session_error);
        nghttp2_option_set_no_closed_streams(option, 1);
        ok = (options->server
                  ? nghttp2_session_server_new2(&link->session, callbacks, link, option)
                  : nghttp2_session_client_new2(&link->session, callbacks, link, option)) == 0;
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return ok &&
           nghttp2_submit_settings(link->session, NGHTTP2_FLAG_NONE, options->settings,
                                   options->nsettings) == 0 &&
           nghttp2_session_set_local_window_size(link->session, NGHTTP2_FLAG_NONE, 0,
                                                 options->connection_window) == 0;
}

static bool begin(struct h2_link *link, const struct h2_link_options *options, struct err *err)
{
    if (!channel_open(&link->channel, options->fd, options->connecting, options->tls, "localhost",
                      err))
        return false;
    if (!new_session(link, options))
        return err_set(err, ERR_LIMIT, "no memory for an HTTP/2 session");
    return loop_watch_set(link->loop, &link->watch, channel_events(&link->channel), err);
}

bool h2_link_open(struct h2_link *link, const struct h2_link_options *options, struct err *err)
{
    link->loop = options->loop;
    link->use = options->use;
    link->owner = options->owner;
    link->task = (struct loop_task){.run = on_task, .ctx = link};
    link->watch = (struct loop_watch){.fd = options->fd, .on_ready = on_ready, .ctx = link};
    if (!begin(link, options, err)) {
        h2_link_end(link);
        return false;
    }
    loop_task_add(link->loop, &link->task);
    return true;
}

void h2_link_off_loop(struct h2_link *link)
{
    loop_watch_remove(link->loop, &link->watch);
    loop_task_remove(link->loop, &link->task);
}

bool h2_link_on_loop(struct h2_link *link, struct loop *loop, struct err *err)
{
    link->loop = loop;
    loop_task_add(loop, &link->task); /* what had not been done when it left */
    return link->down || loop_watch_set(loop, &link->watch, channel_events(&link->channel), err);
}

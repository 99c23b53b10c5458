/* channel.c - send, recv and OpenSSL behind channel.h. */
#include "wire/channel.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/openssl.h"

/* The first reason that OpenSSL queued, or the verification's, in words. */
static bool tls_failed(const struct channel *channel, const char *doing, struct err *err)
{
    long verified = SSL_get_verify_result(channel->ssl);
    unsigned long code = ERR_peek_error();
    const char *why = code ? ERR_reason_error_string(code) : "connection closed";
    ERR_clear_error();
    if (verified != X509_V_OK)
        return err_set(err, ERR_UNAVAILABLE, "TLS %s: certificate: %s", doing,
                       X509_verify_cert_error_string(verified));
    return err_set(err, ERR_UNAVAILABLE, "TLS %s: %s", doing, why ? why : "unknown error");
}

/* SSL_set_tlsext_host_name, whose macro casts const away. */
static bool set_server_name(SSL *ssl, const char *host)
{
    return SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                    (void *)(uintptr_t)host) == 1;
}

bool channel_open(struct channel *channel, int fd, bool connecting, struct ssl_ctx_st *tls,
                  const char *host, struct err *err)
{
    *channel =
        (struct channel){.fd = fd, .connecting = connecting, .out = {.limit = BUF_DEFAULT_LIMIT}};
    if (!tls)
        return true;
    channel->ssl = SSL_new(tls);
    if (channel->ssl && SSL_set_fd(channel->ssl, fd) == 1 &&
        SSL_set1_host(channel->ssl, host) == 1 && set_server_name(channel->ssl, host)) {
        SSL_set_mode(channel->ssl,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        SSL_set_connect_state(channel->ssl);
        return true;
    }
    ERR_clear_error();
    channel_close(channel);
    return err_set(err, ERR_LIMIT, "no memory for a TLS session");
}

void channel_close(struct channel *channel)
{
    if (channel->ssl)
        SSL_free(channel->ssl);
    if (channel->fd >= 0)
        close(channel->fd);
    buf_free(&channel->out);
    *channel = (struct channel){.fd = -1};
}

/* What OpenSSL's answer to a read or write means. */
static enum channel_io tls_result(struct channel *channel, int got, const char *doing,
                                  struct err *err)
{
    int why = SSL_get_error(channel->ssl, got);
    channel->want_write = why == SSL_ERROR_WANT_WRITE;
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
        return CHANNEL_AGAIN;
    if (why == SSL_ERROR_ZERO_RETURN)
        return CHANNEL_END;
    if (why == SSL_ERROR_SYSCALL && !ERR_peek_error() && SSL_is_init_finished(channel->ssl))
        return CHANNEL_END; /* closed without a goodbye, as a dying process does */
    if (why == SSL_ERROR_SSL && SSL_is_init_finished(channel->ssl) &&
        ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        ERR_clear_error();
        return CHANNEL_END;
    }
    (void)tls_failed(channel, SSL_is_init_finished(channel->ssl) ? doing : "handshake", err);
    return CHANNEL_FAILED;
}

/* Has connect() come to its end? CHANNEL_BYTES = yes, and well. */
static enum channel_io finish_connect(struct channel *channel, struct err *err)
{
    int why = 0;
    socklen_t len = sizeof why;
    struct sockaddr_storage peer;
    socklen_t peer_len = sizeof peer;
    if (getsockopt(channel->fd, SOL_SOCKET, SO_ERROR, &why, &len) < 0)
        why = errno;
    if (why) {
        (void)err_set(err, ERR_UNAVAILABLE, "connect: %s", strerror(why));
        return CHANNEL_FAILED;
    }
    if (getpeername(channel->fd, (struct sockaddr *)&peer, &peer_len) < 0)
        return CHANNEL_AGAIN;
    channel->connecting = false;
    return CHANNEL_BYTES;
}

enum channel_io channel_read(struct channel *channel, void *bytes, size_t room, size_t *ret_n,
                             struct err *err)
{
    if (channel->connecting) {
        enum channel_io connected = finish_connect(channel, err);
        if (connected != CHANNEL_BYTES)
            return connected;
    }
    if (channel->ssl) {
        ERR_clear_error();
        int got = SSL_read(channel->ssl, bytes, room > INT_MAX ? INT_MAX : (int)room);
        if (got <= 0)
            return tls_result(channel, got, "read", err);
        channel->want_write = false;
        *ret_n = (size_t)got;
        return CHANNEL_BYTES;
    }
    ssize_t got = recv(channel->fd, bytes, room, 0);
    if (got == 0 || (got < 0 && errno == ECONNRESET))
        return CHANNEL_END;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return CHANNEL_AGAIN;
    if (got < 0) {
        (void)err_set(err, ERR_UNAVAILABLE, "read: %s", strerror(errno));
        return CHANNEL_FAILED;
    }
    *ret_n = (size_t)got;
    return CHANNEL_BYTES;
}

/* One write of what is left; the count, 0 = not now, -1 = broken. */
static ssize_t write_some(struct channel *channel, struct err *err)
{
    const char *from = channel->out.ptr + channel->out_at;
    size_t left = channel_pending(channel);
    if (channel->ssl) {
        ERR_clear_error();
        int put = SSL_write(channel->ssl, from, left > INT_MAX ? INT_MAX : (int)left);
        if (put > 0)
            return put;
        enum channel_io got = tls_result(channel, put, "write", err);
        if (got == CHANNEL_END)
            (void)err_set(err, ERR_UNAVAILABLE, "TLS write: connection closed");
        return got == CHANNEL_AGAIN ? 0 : -1;
    }
    ssize_t put = send(channel->fd, from, left, MSG_NOSIGNAL);
    if (put < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (put < 0)
        (void)err_set(err, ERR_UNAVAILABLE, "write: %s", strerror(errno));
    return put;
}

bool channel_flush(struct channel *channel, struct err *err)
{
    if (channel->connecting) {
        enum channel_io connected = finish_connect(channel, err);
        if (connected != CHANNEL_BYTES)
            return connected == CHANNEL_AGAIN;
    }
    while (channel_pending(channel)) {
        ssize_t put = write_some(channel, err);
        if (put <= 0)
            return put == 0;
        channel->out_at += (size_t)put;
    }
    channel->out.len = channel->out_at = 0;
    return true;
}

size_t channel_pending(const struct channel *channel)
{
    return channel->out.len - channel->out_at;
}

uint32_t channel_events(const struct channel *channel)
{
    bool handshake = channel->ssl && !SSL_is_init_finished(channel->ssl);
    bool out =
        channel->connecting || channel->want_write || (channel_pending(channel) && !handshake);
    return out ? EPOLLIN | EPOLLOUT : EPOLLIN;
}

bool channel_has_more(const struct channel *channel)
{
    return channel->ssl && SSL_pending(channel->ssl) > 0;
}

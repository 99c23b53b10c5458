/* syslog.c - RFC 5424 by a local socket, UDP, TCP and TLS. */
#include "wire/syslog.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/openssl.h"
#include "wire/channel.h"

enum {
    HOST_MAX = 255,
    DEFAULT_TIMEOUT_MS = 10000,
    GOODBYE_MS = 1000,
    MESSAGE_MAX = 1 << 20,
};

/* --- the message --- */

void syslog_begin(struct buf *out, const struct syslog_header *header)
{
    char time[CLOCK_TEXT], host[HOST_MAX + 1] = "";
    bool any = false;
    (void)gethostname(host, sizeof host - 1);
    buf_printf(out, "<%d>1 %s %s plumb %d %.*s ", (int)header->facility * 8 + (int)header->severity,
               clock_format(header->utc_ms, time), *host ? host : "-", (int)getpid(),
               STR_ARG(header->type));
    for (size_t i = 0; i < header->ndata; i++) {
        struct str value = header->data[i].value;
        if (!value.len)
            continue;
        /* 32473 is RFC 5612's number for whoever has none of his own */
        buf_printf(out, "%s %.*s=\"", any ? "" : "[plumb@32473", STR_ARG(header->data[i].name));
        for (size_t j = 0; j < value.len; j++) {
            if (strchr("\"\\]", value.ptr[j]) && value.ptr[j])
                buf_char(out, '\\');
            buf_char(out, value.ptr[j]);
        }
        buf_char(out, '"');
        any = true;
    }
    buf_str(out, any ? STR("] ") : STR("- "));
}

/* --- where to --- */

enum way { WAY_UNIX, WAY_UDP, WAY_TCP, WAY_TLS };
static const struct {
    struct str scheme;
    const char *port;
} ways[] = {
    [WAY_UNIX] = {STR_INIT("unix:"), ""},
    [WAY_UDP] = {STR_INIT("udp:"), "514"},
    [WAY_TCP] = {STR_INIT("tcp:"), "514"},
    [WAY_TLS] = {STR_INIT("tls:"), "6514"},
};

struct place {
    enum way way;
    char host[HOST_MAX + 1]; /* or the path */
    char port[8];
};

static bool no_place(struct str at, struct err *err)
{
    return err_set(err, ERR_USAGE,
                   "'%.*s' is no place of a syslog: unix:/dev/log, HOST:514, udp:HOST:514, "
                   "tcp:HOST:514 and tls:HOST:6514 are",
                   STR_ARG(at));
}

/* HOST, HOST:PORT, [V6], [V6]:PORT; more colons without brackets are a V6 alone. */
static bool split(struct str rest, struct str *ret_host, struct str *ret_port)
{
    size_t close = str_find_char(rest, ']', 0), colon = str_find_char(rest, ':', 0);
    if (str_starts(rest, STR("[")) && close != SIZE_MAX) {
        struct str tail = str_sub(rest, close + 1, rest.len);
        *ret_host = str_sub(rest, 1, close);
        *ret_port = str_sub(tail, 1, tail.len);
        return !tail.len || str_starts(tail, STR(":"));
    }
    bool one = colon != SIZE_MAX && str_find_char(rest, ':', colon + 1) == SIZE_MAX;
    *ret_host = one ? str_sub(rest, 0, colon) : rest;
    *ret_port = one ? str_sub(rest, colon + 1, rest.len) : STR("");
    return !one || ret_port->len > 0;
}

static bool parse_place(struct str at, struct place *ret, struct err *err)
{
    struct str rest = at, host, port;
    int64_t number = 1;
    *ret = (struct place){.way = at.len ? WAY_UDP : WAY_UNIX};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (str_starts(at, ways[i].scheme)) {
            ret->way = (enum way)i;
            rest = str_sub(at, ways[i].scheme.len, at.len);
            if (str_starts(rest, STR("//")))
                rest = str_sub(rest, 2, rest.len);
            break;
        }
    if (ret->way == WAY_UNIX) {
        host = rest.len ? rest : STR("/dev/log");
        port = STR("");
        if (host.ptr[0] != '/' || host.len >= sizeof((struct sockaddr_un){0}).sun_path)
            return no_place(at, err);
    } else if (!split(rest, &host, &port)) {
        return no_place(at, err);
    }
    if (!host.len || host.len > HOST_MAX || memchr(host.ptr, '\0', host.len) || port.len > 5 ||
        (port.len && (!str_to_int64(port, &number) || number < 1 || number > 65535)))
        return no_place(at, err);
    (void)snprintf(ret->host, sizeof ret->host, "%.*s", STR_ARG(host));
    (void)snprintf(ret->port, sizeof ret->port, "%.*s",
                   STR_ARG(port.len ? port : str_from(ways[ret->way].port)));
    return true;
}

bool syslog_place_ok(struct str at, struct err *err)
{
    struct place place;
    return parse_place(at, &place, err);
}

/* --- datagrams --- */

static bool send_local(const struct place *place, struct str message, struct err *err)
{
    static const int types[] = {SOCK_DGRAM, SOCK_STREAM}; /* as glibc's syslog() */
    struct sockaddr_un log = {.sun_family = AF_UNIX};
    memcpy(log.sun_path, place->host, strlen(place->host) + 1);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        AUTO_FD fd = socket(AF_UNIX, types[i] | SOCK_CLOEXEC, 0);
        size_t len = message.len + (types[i] == SOCK_STREAM); /* a NUL ends it in a stream */
        if (fd >= 0 && connect(fd, (const struct sockaddr *)(const void *)&log, sizeof log) == 0)
            return send(fd, message.ptr, len, MSG_NOSIGNAL) == (ssize_t)len ||
                   err_set(err, ERR_UNAVAILABLE, "syslog at %s: %s", place->host, strerror(errno));
        if (errno != EPROTOTYPE)
            break;
    }
    return err_set(err, ERR_UNAVAILABLE, "syslog at %s: %s", place->host, strerror(errno));
}

static bool send_datagram(const struct addrinfo *to, struct str message, struct err *err)
{
    AUTO_FD fd = socket(to->ai_family, to->ai_socktype | SOCK_CLOEXEC, 0);
    return (fd >= 0 && connect(fd, to->ai_addr, to->ai_addrlen) == 0 &&
            send(fd, message.ptr, message.len, MSG_NOSIGNAL) == (ssize_t)message.len) ||
           err_set(err, ERR_UNAVAILABLE, "%s", strerror(errno));
}

/* --- streams --- */

/* Certificates of a PEM text, one behind the other. */
static bool trust(SSL_CTX *ctx, struct str pem)
{
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    size_t n = 0;
    for (X509 *one; bio && (one = PEM_read_bio_X509(bio, NULL, NULL, NULL)); X509_free(one))
        n += X509_STORE_add_cert(store, one) == 1;
    BIO_free(bio);
    ERR_clear_error();
    return n > 0;
}

static SSL_CTX *open_tls(struct str ca_pem, struct err *err)
{
    if (!openssl_load_crypto(err) || !openssl_load_tls(err))
        return NULL;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    bool ok = ctx && SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
              (ca_pem.len ? ca_pem.len <= MESSAGE_MAX && trust(ctx, ca_pem)
                          : SSL_CTX_set_default_verify_paths(ctx) == 1);
    if (ok) {
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
        return ctx;
    }
    ERR_clear_error();
    if (ctx)
        SSL_CTX_free(ctx);
    (void)err_set(err, ERR_USAGE, "TLS: no certificate to trust: `ca` is none in PEM");
    return NULL;
}

/* Until the channel can go on; false once the time is over. */
static bool wait_for(const struct channel *channel, int64_t until_ms)
{
    int64_t left = until_ms - clock_monotonic_ms();
    struct pollfd fd = {.fd = channel->fd, .events = (short)channel_events(channel)};
    return left > 0 && poll(&fd, 1, (int)left) != 0;
}

/* A server that is going answers with a reset what a write took for sent: ask, but not for long. */
static bool say_goodbye(struct channel *channel, int64_t until_ms, struct err *err)
{
    char bytes[256];
    int64_t soon = clock_monotonic_ms() + GOODBYE_MS;
    if (channel->ssl) {
        (void)SSL_shutdown(channel->ssl);
        ERR_clear_error();
    }
    (void)shutdown(channel->fd, SHUT_WR);
    while (wait_for(channel, soon < until_ms ? soon : until_ms)) {
        ssize_t got = recv(channel->fd, bytes, sizeof bytes, 0);
        if (got == 0)
            break;
        if (got < 0 && errno != EAGAIN && errno != EINTR)
            return err_set(err, ERR_UNAVAILABLE, "%s", strerror(errno));
    }
    return true;
}

static bool flush_all(struct channel *channel, int64_t until_ms, struct err *err)
{
    char bytes[256];
    size_t n;
    while (channel_pending(channel)) {
        if (!channel_flush(channel, err))
            return false;
        if (!channel_pending(channel))
            break;
        if (!wait_for(channel, until_ms))
            return err_set(err, ERR_TIMEOUT, "it does not take the message in time");
        /* what comes before all is sent: a handshake's part, or the end */
        enum channel_io got = channel_read(channel, bytes, sizeof bytes, &n, err);
        if (got == CHANNEL_END)
            return err_set(err, ERR_UNAVAILABLE, "it closed the connection");
        if (got == CHANNEL_FAILED)
            return false;
    }
    return true;
}

static bool send_stream(const struct addrinfo *to, const struct place *at,
                        const struct syslog_place *place, struct str message, struct err *err)
{
    struct channel channel = {.fd = -1};
    int timeout_ms = place->timeout_ms ? place->timeout_ms : DEFAULT_TIMEOUT_MS;
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    SSL_CTX *tls = at->way == WAY_TLS ? open_tls(place->ca_pem, err) : NULL;
    if (at->way == WAY_TLS && !tls)
        return false;
    int fd = socket(to->ai_family, to->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool ok =
        (fd >= 0 && (connect(fd, to->ai_addr, to->ai_addrlen) == 0 || errno == EINPROGRESS)) ||
        err_set(err, ERR_UNAVAILABLE, "%s", strerror(errno));
    if (!ok && fd >= 0)
        close(fd);
    ok = ok && channel_open(&channel, fd, true, tls, at->host, err);
    if (ok) {
        buf_printf(&channel.out, "%zu ", message.len);
        buf_str(&channel.out, message);
        ok = buf_ok(&channel.out, err) && flush_all(&channel, until_ms, err) &&
             say_goodbye(&channel, until_ms, err);
        channel_close(&channel);
    }
    if (tls)
        SSL_CTX_free(tls);
    return ok;
}

bool syslog_send(struct arena *arena, const struct syslog_place *place, struct str message,
                 struct err *err)
{
    struct place at;
    struct addrinfo *found = NULL;
    if (!parse_place(place->at, &at, err))
        return false;
    message = arena_dup(arena, message); /* with a NUL behind it */
    if (!message.ptr)
        return arena_full(arena, err);
    if (at.way == WAY_UNIX)
        return send_local(&at, message, err);
    const struct addrinfo hints = {.ai_socktype = at.way == WAY_UDP ? SOCK_DGRAM : SOCK_STREAM};
    int code = getaddrinfo(at.host, at.port, &hints, &found);
    if (code != 0)
        return err_set(err, ERR_UNAVAILABLE, "syslog at %s: %s", at.host, gai_strerror(code));
    bool ok = false;
    for (const struct addrinfo *to = found; to && !ok; to = to->ai_next) {
        if (to != found)
            err_clear(err);
        ok = at.way == WAY_UDP ? send_datagram(to, message, err)
                               : send_stream(to, &at, place, message, err);
    }
    freeaddrinfo(found);
    return ok || err_wrap(err, "syslog at %s:%s", at.host, at.port);
}

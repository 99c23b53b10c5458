/* channel.h - bytes in and out of a non-blocking socket, through TLS where asked.
 *
 * Shape:   output is gathered in `out` and written by channel_flush(); input is read by the piece
 * Owner:   the descriptor belongs to the channel
 * Note:    TLS writes with write(): SIGPIPE must be ignored process-wide
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct err;
struct ssl_st;
struct ssl_ctx_st;

struct channel {
    int fd;
    struct ssl_st *ssl; /* NULL = plaintext */
    bool connecting;    /* connect() is still under way */
    bool want_write;    /* TLS must write before it can read on */
    struct buf out;
    size_t out_at; /* written of it */
};

enum channel_io { CHANNEL_FAILED = 0, CHANNEL_BYTES, CHANNEL_AGAIN, CHANNEL_END };

/* tls NULL = plaintext; the server's certificate must be for `host` (also sent as SNI). The
 * descriptor is closed on failure. */
bool channel_open(struct channel *channel, int fd, bool connecting, struct ssl_ctx_st *tls,
                  const char *host, struct err *err);
void channel_close(struct channel *channel);
/* One read. CHANNEL_AGAIN = nothing now; err is set with CHANNEL_FAILED only. */
enum channel_io channel_read(struct channel *channel, void *bytes, size_t room, size_t *ret_n,
                             struct err *err);
/* Write what `out` holds, as far as it goes now; false = broken. */
bool channel_flush(struct channel *channel, struct err *err);
size_t channel_pending(const struct channel *channel);  /* bytes not written yet */
uint32_t channel_events(const struct channel *channel); /* EPOLLIN, EPOLLOUT to wait for */
/* TLS has decrypted bytes in hand that epoll will not tell of. */
bool channel_has_more(const struct channel *channel);

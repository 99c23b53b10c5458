/* h2_link.h - what both HTTP/2 connections of ours (wire/h2.h, wire/grpc.h) stand on: an nghttp2
 * session on a channel, driven by a loop.
 *
 * Shape:   one session on a descriptor of ours, no thread. nghttp2's callbacks get the link as
 *          their user data; they and `use` are what the two connections differ in
 * Owner:   the link is part of its owner, which frees itself in use->free: at once where nobody is
 *          inside, else when the last one has left (h2_link_enter, h2_link_leave)
 * Limits:  READS_MAX pieces a turn, OUT_PENDING bytes gathered for the socket
 * Source:  RFC 9113; facts/dependencies.md "gRPC over nghttp2"
 */
#pragma once
#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/loop.h"
#include "wire/channel.h"

struct h2_link;

struct h2_link_use {
    /* The connection is lost (why) or being closed (NULL): all streams end. Never from inside one
     * of nghttp2's callbacks. */
    void (*cut)(struct h2_link *link, const struct err *why);
    /* What waits to be told is told: before what is to be sent is gathered, and before leaving.
     * May be NULL. */
    void (*tell)(struct h2_link *link);
    /* Once, when it is lost: link->why says why. Not after h2_link_close(). */
    void (*on_down)(struct h2_link *link);
    /* Frees the owner, h2_link_end() included. */
    void (*free)(struct h2_link *link);
};

enum { H2_LINK_PIECE = 256 << 10 };

struct h2_link {
    struct loop *loop;
    struct channel channel;
    struct loop_watch watch;
    struct loop_task task; /* tell, then flush, at the end of the turn */
    nghttp2_session *session;
    const struct h2_link_use *use;
    void *owner;
    bool going_away; /* a GOAWAY came; the owner's on_frame says so */
    bool down, closing, down_told;
    unsigned entered; /* how deep in our own code: freed when it is left */
    struct err why;   /* of being down */
    char protocol_error[160];
    unsigned char in[H2_LINK_PIECE];
};

struct h2_link_options {
    struct loop *loop;
    int fd; /* connected or connecting, non-blocking, CLOEXEC; the link's from now on */
    bool server, connecting;
    struct ssl_ctx_st *tls; /* client: NULL = plaintext; the server's name is "localhost" */
    const struct h2_link_use *use;
    void *owner;
    /* Sets nghttp2's callbacks and options, but for the error's, which the link has. */
    void (*set)(nghttp2_session_callbacks *callbacks, nghttp2_option *option);
    const nghttp2_settings_entry *settings;
    size_t nsettings;
    int connection_window;
};
/* *link is zeroed. On failure the descriptor is closed and nothing is left but *link itself. */
bool h2_link_open(struct h2_link *link, const struct h2_link_options *options, struct err *err);
/* Session, channel, watch and task are gone. */
void h2_link_end(struct h2_link *link);
/* Streams end, then the owner is freed. */
void h2_link_close(struct h2_link *link);

/* Around everything that may close the link or lose it. */
void h2_link_enter(struct h2_link *link);
void h2_link_leave(struct h2_link *link);
/* Flush at the end of this turn. */
void h2_link_flush_soon(struct h2_link *link);
/* From the loop that it is on, and onto another. */
void h2_link_off_loop(struct h2_link *link);
bool h2_link_on_loop(struct h2_link *link, struct loop *loop, struct err *err);

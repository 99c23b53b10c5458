/* handshake.h - the one line by which a provider says where it listens (facts/terraform.md 1.2).
 *
 * Limits:  HANDSHAKE_LINE_MAX bytes a line, HANDSHAKE_JUNK_MAX bytes of other lines before it; the
 *          time is the caller's
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct err;

enum { HANDSHAKE_LINE_MAX = 16 << 10, HANDSHAKE_JUNK_MAX = 64 << 10, HANDSHAKE_SHOWN = 120 };

struct handshake {
    int protocol; /* 5 or 6 */
    bool tcp;
    struct str address;     /* absolute socket path, or HOST:PORT of this machine */
    struct str certificate; /* DER in base64 without padding; empty = plaintext */
};

/* A line without its newline. Views into it. ERR_SYNTAX, or ERR_UNSUPPORTED for another protocol.
 */
bool handshake_parse(struct str line, struct handshake *ret, struct err *err);

/* Lines as they come in pieces; what does not begin with digits and '|' is junk and is skipped. */
struct handshake_reader {
    char line[HANDSHAKE_LINE_MAX];
    size_t n, junk;
    char shown[HANDSHAKE_SHOWN]; /* the first junk, for the error */
    size_t nshown;
};
enum handshake_progress { HANDSHAKE_BAD = 0, HANDSHAKE_MORE, HANDSHAKE_DONE };
/* HANDSHAKE_DONE: ret points into the reader; what follows the line is dropped. */
enum handshake_progress handshake_feed(struct handshake_reader *reader, struct str bytes,
                                       struct handshake *ret, struct err *err);

/* smtp.h - one mail through a server that takes mail for others (submission), by libcurl.
 *
 * TLS:     smtps:// from the first byte; smtp:// by STARTTLS, which the server must offer and
 *          prove who it is by, unless `plain_ok`
 * Answer:  what the server said of the mail and of each recipient: 2yz taken, 4yz not now,
 *          5yz never
 * Secrets: user and password are in no answer and no error
 * Source:  RFC 5321, RFC 3207, RFC 4954; libcurl 7.69 or newer
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct arena;
struct err;

enum { SMTP_RECIPIENTS_MAX = 100, SMTP_SAID_MAX = 240, SMTP_REPLY_MAX = 80 };

struct smtp_mail {
    struct str url;            /* smtp://host:587, smtps://host; a path is the name for EHLO */
    struct str user, password; /* empty = none */
    struct str ca_pem;         /* instead of the system's certificates; empty = those */
    struct str from;           /* local@domain, without brackets */
    const struct str *to;
    size_t nto;         /* 1 to SMTP_RECIPIENTS_MAX */
    struct str message; /* RFC 5322, lines end in CRLF */
    bool plain_ok;      /* without ca_pem: in clear where the server has no STARTTLS, and with any
                           certificate where it has */
    int timeout_ms;     /* of all; 0 = 30 s */
};
enum smtp_fate { SMTP_UNKNOWN = 0, SMTP_TAKEN, SMTP_LATER, SMTP_NEVER };

/* What the server says: the replies, by what they answer. */
struct smtp_reply {
    char
        text[SMTP_REPLY_MAX + 1]; /* one line of printable ASCII, cut; empty: none but the mail's */
};
struct smtp_talk {
    enum smtp_step {
        SMTP_GREETING = 0, /* and all that comes before the mail: EHLO, STARTTLS, AUTH */
        SMTP_MAIL,
        SMTP_RCPT,
        SMTP_DATA,
        SMTP_BODY,
        SMTP_DONE
    } step;
    size_t nto, next;             /* recipients, and those that were asked about */
    enum smtp_fate *of;           /* of each recipient, in order; sure once `step` is SMTP_DONE */
    struct smtp_reply *reply;     /* to each that was refused by itself; NULL: not kept */
    int code;                     /* of the worst reply so far; 0 = none was a refusal */
    char said[SMTP_SAID_MAX + 1]; /* that reply, one line of printable ASCII */
};
/* A command as it was sent, a line as it came: without their ends. */
void smtp_talk_sent(struct smtp_talk *talk, struct str line);
void smtp_talk_got(struct smtp_talk *talk, struct str line);

/*
 * The mail is sent to those whom the server takes. Whatever the server says of the mail is an
 * answer: ret->of[] (in the arena) has no SMTP_UNKNOWN then. Fails with ERR_USAGE (url, address),
 * ERR_UNAVAILABLE or ERR_TIMEOUT (no connection, no TLS, ended before its answer), ERR_REMOTE (it
 * does not want to talk, or not with that user).
 */
bool smtp_send(struct arena *arena, const struct smtp_mail *mail, struct smtp_talk *ret,
               struct err *err);

/* Can it stand in an envelope: local@domain in printable ASCII, no blank, bracket or quote? */
bool smtp_address_ok(struct str address);

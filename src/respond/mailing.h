/* mailing.h - an alert as a mail: headers, a text and an HTML part.
 *
 * Same:    for the same alert, sender and recipients the same bytes; the date is the alert's
 * Threads: every mail of alert.thread refers to one Message-ID that no mail has
 * Rules:   no text of an alert ends a header or a tag; nothing is loaded from elsewhere; controls
 *          and marks that reorder text are made visible
 */
#pragma once
#include "base/str.h"

struct alert;
struct arena;
struct err;

enum { MAILING_MAX = 4 << 20 };

struct mailbox {
    struct str name, address; /* "Ann Lee <ann@example.org>"; name may be empty */
};
/* An address, or a name and an address in <>. ERR_USAGE for what is neither. */
bool mailbox_parse(struct str text, struct mailbox *ret, struct err *err);

struct mailing {
    struct mailbox from;
    const struct mailbox *to;
    size_t nto;
};
/* The whole message, lines end in CRLF; in the arena. */
bool mailing_write(struct arena *arena, const struct mailing *mailing, const struct alert *alert,
                   struct str *ret, struct err *err);

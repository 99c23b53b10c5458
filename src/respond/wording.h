/* wording.h - the words of an alert that receivers share, and how much of it one message holds.
 *
 * Text:    one line each, controls and marks that reorder text made visible, cut at a character;
 *          not escaped for any format. Memory that ends gives a text with ptr NULL
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct alert;
struct alert_change;
struct alert_finding;
struct arena;
struct buf;
struct err;

/* s as one line of at most `most` bytes, "..." included. */
struct str wording_line(struct arena *arena, struct str s, size_t most);
/* "resolved, high: title" */
struct str wording_headline(struct arena *arena, const struct alert *alert, size_t most);
/* "size: small -> large": what it was, then what it is; "(none)" where it was not there */
struct str wording_change(struct arena *arena, const struct alert_change *change, size_t most);
/* "and 3 more findings", "and 1 more change"; empty for 0 */
struct str wording_more(struct arena *arena, size_t n, const char *what);

/* What is known of a finding, most important first; what is not known is left out, but for who. */
struct fact {
    const char *name; /* "Resource", "Stack", "Class", "Code", "Changed by", "Rule" ... */
    struct str text;
    struct str link; /* http or https alone; or empty */
    bool code;       /* an identifier: shown as code where there is such a form */
};
enum { WORDING_FACTS = 12 };
size_t wording_facts(struct arena *arena, const struct alert_finding *finding, size_t most,
                     struct fact ret[WORDING_FACTS]);
/* The link, where it is one that may be shown as one (http, https; no blanks, quotes, brackets);
 * else empty. */
struct str wording_link(struct str link);

/* --- how much is told --- */

struct told {
    size_t findings, changes, todo; /* of each finding */
    size_t bytes;                   /* of one text */
};
/* Writes the alert, as much of it as `told` says. */
typedef void (*wording_writer)(struct buf *out, const struct alert *alert, const struct told *told,
                               void *ctx);
/*
 * The fullest text of at most `most` bytes; findings_most as in struct notifier.
 * Fails with ERR_LIMIT where even the shortest is longer.
 */
bool wording_fit(struct arena *arena, const struct alert *alert, size_t findings_most, size_t most,
                 wording_writer writer, void *ctx, struct str *ret, struct err *err);

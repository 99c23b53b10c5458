/* feed.h - events of clouds' own logs, in whatever envelope they come, as activities.
 *
 * In:      JSON, an array, lines of JSON, or gzip of these: records of CloudTrail (files,
 * EventBridge, SQS, SNS, LookupEvents), entries of Google Cloud's audit log (sinks, Pub/Sub),
 * Azure's activity log (Event Hub, REST, Event Grid), CloudEvents, plumb's own event
 *          (docs/events.md)
 * Out:     struct activity (model/activity.h): what was done by whom, and every text that may name
 *          what it was done to. Pure: no I/O, no clock; what is read only is told so, not left out
 * Bounds:  envelopes within envelopes, events, texts of an event, bytes behind gzip
 * Errors:  ERR_SYNTAX with the place; a document without one event of a known form is one, too
 * Source:  facts/integrations.md 11 and 24
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "model/activity.h"

struct arena;
struct err;
struct value;

enum {
    FEED_EVENTS_MAX = 50000,
    FEED_NESTING_MAX = 16,
    FEED_BYTES_MAX = 64 << 20 /* of a document, unpacked */
};

struct feed {
    struct activity *event;
    size_t n, room;
    size_t unknown;        /* objects of no form that is known */
    struct str validation; /* Event Grid asks for this code back; or empty */
    bool of_files;         /* some of the unknown ones tell of files in a bucket */
};

/* Where the bytes come from: a request's headers, for CloudEvents in binary mode. All optional. */
struct feed_from {
    const char *name; /* for messages */
    struct str (*header)(const void *ctx, const char *name);
    const void *ctx;
};
/* Views into `arena` and into the bytes. */
bool feed_read(struct arena *arena, struct str bytes, const struct feed_from *from,
               struct feed *ret, struct err *err);

/* outbox_parts.h - what the files of the outbox share. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "respond/alert_make.h"
#include "respond/outbox.h"

/* Cursors: before the name of a receiver whose first digest is being made; that is not in
 * plumb.yaml and misses what is behind it, of findings and of the audit log. */
#define OUTBOX_FIRST "first "
#define OUTBOX_LEFT "left "
#define OUTBOX_MISSED "missed "

enum { OUTBOX_CHUNK = 100 }; /* findings of a message to a receiver that takes any number */

#define OUTBOX_RUN(record, sql, err, ...) \
    db_run((record)->db, (sql), (const struct db_value[]){__VA_ARGS__}, \
           sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value), (err))

struct stepping {
    struct record *record;
    struct arena *arena;
    const struct routes *routes;
    int64_t now;
    bool *gone;               /* by route */
    const struct route *only; /* who is back, and is told what happened meanwhile; or NULL */
    struct outbox_done *done;
};

/* One thing for one receiver. */
struct outbox_item {
    struct str what; /* "h12": of one line of a history; with the receiver it is there once */
    int64_t finding; /* 0: a notice */
    enum alert_status status;
    enum severity severity;
    struct str thread, title, detail;
    int64_t not_before_utc_ms; /* 0 = now */
};
bool outbox_add_item(struct stepping *s, const struct route *route, const struct outbox_item *item,
                     struct err *err);
/* A notice to everybody that takes it but `but` (may be NULL). `subject` without status. */
bool outbox_add_notice(struct stepping *s, const struct outbox_item *item,
                       const struct when_subject *subject, const struct route *but,
                       struct err *err);
/* The types of events that are notices, as SQL's list of texts. */
void outbox_notice_types(struct buf *out);
/* Ids of findings, one a row of a question. */
struct outbox_ids {
    struct arena *arena;
    int64_t *id;
    size_t n, room;
};
bool outbox_take_id(void *ctx, const struct db_row *row, struct err *err);
/* What has happened since. */
bool outbox_collect(struct stepping *s, struct err *err);
/* New receivers, digests, repeats. */
bool outbox_collect_times(struct stepping *s, struct err *err);
/* Items that are ready become messages. */
bool outbox_flush(struct stepping *s, struct err *err);

/* The message itself, waiting. trace: of the scans that it is about, or empty. */
bool outbox_put(struct stepping *s, const struct route *route, struct alert *alert, size_t findings,
                struct str trace, struct err *err);
/* The statuses by name. */
enum alert_status outbox_status(struct str name);
bool outbox_keep(struct arena *arena, struct str text, struct str *ret, struct err *err);
/* How many findings a message of that kind holds. */
size_t outbox_most(const struct notifier *kind);
enum severity outbox_severity(int64_t n);

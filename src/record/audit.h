/* audit.h - the audit log: what happened, in an order that nobody can change unseen.
 *
 * Shape:   event n is one line of canonical JSON (audit_line.h) that holds its number and the
 * digest of the line before; all lines are the leaves of one Merkle tree (tree.h), whose root
 *          signed checkpoints promise (audit_checkpoint.h). Event 0 is log.start, by the log itself
 * Durable: what was appended is so when db_commit, audit_write or audit_writer_write said true
 * Deny:    an answer that lets something happen (allow, approve, unlock) is given only behind such
 *          a true. On false the answer is deny, with err's text as the reason; nothing is kept for
 *          later, nothing is tried again behind the caller's back. After a commit that failed with
 *          ERR_UNAVAILABLE the event may be there: a log may say "allow" of what was refused, never
 *          the other way round
 * Order:   db_begin(DB_WRITE) serialises writers, so that numbers have no holes
 * Secrets: no value of a resource goes into an event; digests, names and counts do (docs/audit.md)
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/audit_options.h"
#include "model/event.h"

struct err;
struct record;

enum { AUDIT_LINE_MAX = 256 << 10, AUDIT_EVERY = 100, AUDIT_PERIOD_MS = 3600000 };

/* Within an open DB_WRITE transaction. ret_seq: the event's number, may be NULL. After a false only
 * db_rollback is of use. ERR_LIMIT past AUDIT_LINE_MAX; ERR_SYNTAX for what no event may hold. */
bool audit_append(struct record *record, const struct event *event, int64_t *ret_seq,
                  struct err *err);
/* Several in one go, numbered on from *ret_first. */
bool audit_append_many(struct record *record, const struct event *event, size_t n,
                       int64_t *ret_first, struct err *err);
/* Begins, appends, commits: true = durable. Outside a transaction. */
bool audit_write(struct record *record, const struct event *event, int64_t *ret_seq,
                 struct err *err);

/*
 * One thread with a connection of its own that writes for many: what several callers bring while
 * the disk is busy is committed together. audit_writer_write waits for its own event; any thread
 * may call it. Close it when nobody calls any more.
 */
struct audit_writer;
struct record_options;
bool audit_writer_open(struct audit_writer **ret, const struct record_options *options,
                       struct err *err);
bool audit_writer_write(struct audit_writer *writer, const struct event *event, int64_t *ret_seq,
                        struct err *err);
void audit_writer_close(struct audit_writer *writer); /* NULL is fine */

/* How many events there are. */
bool audit_size(struct record *record, int64_t *ret, struct err *err);

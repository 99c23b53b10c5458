/* audit_checkpoint.h - signed promises of how long the log is and what is in it.
 *
 * Promise: two checkpoints never contradict each other. What was signed is kept on disk beside
 *          the key before anybody else sees it (KEYFILE.signed), and a log that does not
 *          continue it - shorter, or with other events - gets no further signature: a store
 *          that was restored from a copy, or rewritten, is found at the next checkpoint
 * Out:     the store's table audit_checkpoint, then the witnesses (audit_witness.h)
 * Errors:  ERR_CONFLICT for a log that contradicts what was signed; ERR_USAGE where no key is
 *          known
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "model/event.h"

struct arena;
struct err;
struct record;

/* The newest one in the store; note empty where there is none. */
struct audit_signed {
    struct str note;
    int64_t size, utc_ms;
};
bool audit_checkpoint_last(struct record *record, struct arena *arena, struct audit_signed *ret,
                           struct err *err);

/*
 * Sign where the log stands, unless that was done already. Outside a transaction. A log without a
 * key gets its first one (log.key) where one can be had.
 * ret_new  whether a checkpoint was made; may be NULL
 */
bool audit_checkpoint_make(struct record *record, struct arena *arena, struct audit_signed *ret,
                           bool *ret_new, struct err *err);
/* Enough events or time since the last one (audit_options), and a key to sign with. */
bool audit_checkpoint_due(struct record *record, bool *ret, struct err *err);
/*
 * Once behind the last commit of a command, or now and then: makes the checkpoint that is due and
 * gives it to the witnesses. What fails changes nothing about the events: tell it as a warning.
 */
bool audit_settle(struct record *record, struct err *err);

/* For a process that stays: a thread with a connection of its own that settles every few seconds,
 * and once more when it is closed. warn: on that thread, the same trouble once. */
struct audit_settler;
struct record_options;
bool audit_settler_open(struct audit_settler **ret, const struct record_options *options,
                        void (*warn)(void *ctx, const char *text), void *ctx, struct err *err);
void audit_settler_close(struct audit_settler *settler); /* NULL is fine */

/* Another key from here on: the event log.key, signed by both, then a checkpoint by the new one.
 * lost: the old key is gone; nothing proves then that the owner did it. ret: the verifier's text.
 */
bool audit_key_rotate(struct record *record, struct arena *arena, const struct event_actor *actor,
                      bool lost, struct str *ret, struct err *err);
/* The verifier's text of the key that the log names last; empty: none yet. */
bool audit_key_current(struct record *record, struct arena *arena, struct str *ret,
                       struct err *err);

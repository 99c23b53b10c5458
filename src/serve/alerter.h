/* alerter.h - the part of the service that makes alerts and sends them: respond/outbox.h, in time.
 *
 * Thread:  one makes messages, whenever somebody wakes and every half second; each receiver has its
 *          sender (ALERTER_SENDERS_MOST at most, then some share one), so that a slow one holds
 *          nobody else
 * Memory:  may be lost at any moment: what is told and what is to be told is in the store
 * Secrets: of receivers are read when something is sent, so that one that changed is known at once
 */
#pragma once
#include <stdbool.h>

struct alerter;
struct err;
struct server;

enum { ALERTER_SENDERS_MOST = 16 };

/* *ret stays NULL where plumb.yaml has no receivers. ERR_USAGE with file:line:col: what is wrong
 * with one. */
bool alerter_open(struct alerter **ret, struct server *server, struct err *err);
/* Nothing more is begun, and another one may be opened. What is being sent goes on: a receiver that
 * does not answer has 20 seconds, and nobody else should wait for them. */
void alerter_rest(struct alerter *alerter);
bool alerter_is_done(const struct alerter *alerter); /* of one at rest: nothing is being sent */
/* What is being sent is sent to its end; NULL is fine. */
void alerter_close(struct alerter *alerter);

/* heartbeat.h - the part that watches over freshness: says when a scan is overdue, and tells a dead
 * man's switch elsewhere that all is well, so that silence means that it is not.
 *
 * Told:    event scan.overdue, once for each incident whichever service looks (record/freshness.h)
 * Switch:  POST to serve.heartbeat.url each `every` (as healthchecks.io and its kin take it): to
 * URL where no scan is overdue and the store can be read, else to URL/fail. The body says how many,
 * and names nothing. A URL is a secret: it is in no log
 */
#pragma once
#include <stdbool.h>

struct err;
struct heartbeat;
struct server;

bool heartbeat_open(struct heartbeat **ret, struct server *server, struct err *err);
void heartbeat_close(struct heartbeat *heartbeat); /* NULL is fine */

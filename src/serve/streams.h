/* streams.h - GET /v1/events: the audit log as it grows, to any number of clients up to a bound.
 *
 * Shape:   server-sent events: id is the event's number, event its type, data its line of JSON. A
 *          client that comes again says the last id that it had (Last-Event-ID) and gets what came
 *          since, from the store: nothing is kept for it here
 * Bounds:  STREAMS_MAX clients, and a buffer each (listener.h); who does not read is cut off. A
 *          stream ends after STREAM_LIFE_MS, so that a token that was revoked does not go on
 * Thread:  one reads the store, for all of them; a request only puts its stream in
 * Source:  WHATWG HTML, 9.2 Server-sent events
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { STREAMS_MAX = 200, STREAM_LIFE_MS = 15 * 60000, STREAM_ALIVE_MS = 15000 };

struct err;
struct request;
struct server;
struct streams;

bool streams_open(struct streams **ret, struct server *server, struct err *err);
void streams_close(struct streams *streams); /* NULL is fine */
/* The route. */
void streams_get(void *service, struct request *request);

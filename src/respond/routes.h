/* routes.h - `notify:` of plumb.yaml, checked and ready to be asked: who gets what, and when.
 *
 * Owner:   lives in the arena and points into the configuration; read-only once made
 * Source:  docs/alerts.md
 */
#pragma once
#include "model/config.h"
#include "model/timespan.h"
#include "model/when.h"
#include "respond/notify.h"

struct arena;
struct err;

enum route_group { ROUTE_BY_STACK, ROUTE_BY_OWNER, ROUTE_BY_ENVIRONMENT, ROUTE_BY_NONE };

struct route {
    const struct config_notify *config;
    const struct notifier *kind;
    struct str name;
    enum route_group group; /* ROUTE_BY_NONE: a message is about one finding */
    const struct zone *zone;
    const struct timespan *only, *quiet;
    size_t nonly, nquiet;
    enum severity quiet_passes;
    bool has_digest;
    struct timespan_digest digest;
};
struct routes {
    const struct route *item;
    size_t n;
    struct str url;  /* of the service, for links; or empty */
    struct str path; /* of plumb.yaml */
};

/* ERR_USAGE and ERR_SYNTAX with file:line:col: no such kind (with the nearest), what a kind needs
 * and does not have, no such time zone. */
bool routes_open(struct arena *arena, const struct config *config, struct routes *ret,
                 struct err *err);
const struct route *routes_find(const struct routes *routes, struct str name); /* or NULL */

#define ROUTE_ANY_TIME INT64_MIN
/* Does it want this, at this time (or ROUTE_ANY_TIME)? Not asked: fallback. */
bool route_takes(const struct route *route, const struct when_subject *subject, int64_t utc_ms);
/* Until when it is held back, or 0. */
int64_t route_quiet_until(const struct route *route, enum severity severity, int64_t utc_ms);
/* What becomes one message, and stays one thread: [a-z0-9-]. Of `finding` in the store. */
struct str route_thread(struct arena *arena, const struct route *route,
                        const struct alert_finding *finding, int64_t id);
/* "PREFIX-" and hex digits of a digest of the text. ptr NULL: no memory. */
struct str route_digest(struct arena *arena, const char *prefix, struct str text);

/* --- the receiver itself --- */

/* What it needs, from where plumb.yaml says: env:NAME, file:PATH (relative to plumb.yaml's folder).
 * ERR_USAGE names what is not there, never what is in it. */
bool route_target(struct arena *arena, const struct route *route, struct str root,
                  const char *(*env)(const char *name), struct notify_target *ret, struct err *err);
/* The same before anything is to be sent, with file:line:col. ret_absent: something that it refers
 * to is not here; else what is here is wrong. */
bool route_check(const struct routes *routes, const struct route *route, struct str root,
                 const char *(*env)(const char *name), bool *ret_absent, struct err *err);

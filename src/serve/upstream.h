/* upstream.h - another HTTP backend behind the lock: states stay where they are (GitLab's, say),
 * and plumb stands before it.
 *
 * Order:   LOCK: judged and recorded here, then asked there; what is refused there is given back
 *          here, and its answer goes to the client as it is. UNLOCK: there, then here. A write is
 *          checked against the lock that was given here, its event is durable, then it goes there
 * Crash:   between here and there the client asks again with the same id, which is the same lock,
 *          also where the other side gives no lock twice and takes no serial twice (GitLab)
 * Secrets: the other side's password stands in no log and no error
 * Source:  the http backend of Terraform; GitLab's API for states (lock: 200 or 409, both with a
 *          LockInfo; unlock: 200 or 409; write: 200, 422 for a serial that it has; read: 200, 204,
 *          404)
 */
#pragma once
#include "serve/listener.h"

struct server;

/* serve.upstream; {stack} in the addresses is the stack's name, {stack_segment} the same with its
 * slashes escaped. */
struct upstream {
    struct str address;                                   /* empty = there is none */
    struct str lock_address;                              /* empty = as address */
    struct str lock_method, unlock_method, update_method; /* empty = LOCK, UNLOCK, POST */
    struct str user, password;
};

/* In the place of the routes of states.c; they block, so they are never quick. */
void upstream_get(void *service, struct request *request);
void upstream_lock(void *service, struct request *request);
void upstream_unlock(void *service, struct request *request);
void upstream_write(void *service, struct request *request);
void upstream_delete(void *service, struct request *request);

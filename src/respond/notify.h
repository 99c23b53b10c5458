/* notify.h - one message to one receiver: what is told, and how each kind of receiver takes it.
 *
 * Shape:   the outbox makes an alert, keeps it, and gives it to the notifier of its receiver until
 *          it is taken, refused or given up. A notifier knows one format; of retries, routes and
 *          times it knows nothing. One more kind of receiver = one more notify_NAME.c
 * Repeat:  the same alert may come twice (at least once): `id` is what a receiver can know it by
 * Secrets: no value of a secret is in an alert; what is in a target is in no error and no answer
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/str.h"
#include "model/finding.h"

struct arena;
struct config_notify;
struct err;

/* X(constant, name, what it tells the reader) */
#define ALERT_STATUSES(X) \
    X(ALERT_NEW, "new", "seen for the first time, or again after it was resolved") \
    X(ALERT_CHANGED, "changed", "it has other values than were told") \
    X(ALERT_RECURRING, "recurring", "still there: the digest") \
    X(ALERT_OVERDUE, "overdue", "its deadline passed without a review; or a scan is late") \
    X(ALERT_ACKNOWLEDGED, "acknowledged", "somebody asked for a review: it is looked after") \
    X(ALERT_RESOLVED, "resolved", "a scan did not find it any more, or somebody has answered it") \
    X(ALERT_NOTICE, "notice", "no finding: a breakglass began, a receiver was given up ...") \
    X(ALERT_TEST, "test", "nothing happened: `plumb notify test`")

#define X(constant, name, meaning) constant,
enum alert_status { ALERT_STATUSES(X) ALERT_STATUS_COUNT };
#undef X
const char *alert_status_name(enum alert_status status);
const char *alert_status_meaning(enum alert_status status); /* what it tells the reader */

struct alert_change {
    struct str path, before, after; /* as reports show them: "(sensitive)"; empty = not there */
};
struct alert_finding {
    struct str fingerprint, stack, environment, owner, address, type, provider;
    enum finding_class class_;
    enum severity severity;
    struct str file; /* with `line`, where the code says otherwise; empty = not known */
    uint32_t line;
    struct str file_url; /* that line on the forge; or empty */
    const struct alert_change *change;
    size_t nchanges, more_changes; /* more_changes: left out */
    struct str reason;             /* one sentence; or empty */
    struct str actor;              /* who changed it; empty = not known, then actor_how says why */
    struct str actor_how, session, client, source_ip;
    struct str event;                      /* id of the audit event that says so; or empty */
    bool perhaps;                          /* the event names something that it is a part of */
    int64_t actor_utc_ms;                  /* 0 = not known */
    struct str decision, rule, rule_place; /* "policies/tags.yaml:3"; or empty */
    int64_t first_utc_ms, since_utc_ms, due_utc_ms; /* since: of its status; 0 = none */
    struct str link;                                /* to it in plumb; or empty */
    const struct str *todo;                         /* commands, the first is what most would do */
    size_t ntodo;
};
struct alert {
    struct str id;     /* [a-zA-Z0-9_-]: the same for each try, another for another alert */
    struct str thread; /* the same from new to resolved: one finding's, or one group's */
    struct str title;  /* one line */
    struct str text; /* what is to be said besides; of a notice, which has no findings; or empty */
    enum alert_status status;
    enum severity severity; /* the worst */
    const struct alert_finding *finding;
    size_t nfindings, more; /* more: left out */
    bool others_open;       /* of ALERT_RESOLVED: others of the thread are still there */
    int64_t made_utc_ms;
    struct str link; /* or empty */
};

/* A receiver with its references resolved. */
struct notify_target {
    const struct config_notify *config;
    struct str url, key, password, ca; /* empty where there is none; ca: PEM */
    struct str kept;                   /* what the thread's last message left: an issue's number */
    int timeout_ms;
    int64_t now_utc_ms;
    FILE *out; /* of receivers that are this process' own output */
};

enum notify_result {
    NOTIFY_TAKEN,
    NOTIFY_LATER,   /* down, busy, garbled: try again */
    NOTIFY_REFUSED, /* it will never take this one */
    NOTIFY_GONE     /* it will never take any: 410, account closed */
};
struct notify_answer {
    enum notify_result result;
    int64_t retry_ms; /* what it asks for; 0 = nothing */
    struct str said;  /* one line for people, without secrets; in the arena */
    struct str kept;  /* for the next message of the thread, and for the next try with NOTIFY_LATER;
                         ptr NULL = as before */
    bool partly;      /* taken, but not for all: `said` tells for whom not. They become a message
                         of their own, for which `kept` is */
    enum notify_result rest; /* of those: NOTIFY_LATER, or given up */
};

struct notifier {
    const char *name;     /* "slack" */
    const char *summary;  /* one sentence */
    bool resends;         /* it forgets: what is open is told again each minute (Alertmanager) */
    bool one_by_one;      /* a message is about one finding */
    bool tracks;          /* it keeps something open for each thread, which is one finding's where
                             `group` says nothing else, and ends with the last of its findings */
    bool acknowledges;    /* it is told that somebody is at it, and calls nobody else meanwhile */
    size_t findings_most; /* of one message; 0 = 10 */
    /* Is all there that it needs? `target` NULL: only the configuration is looked at. */
    bool (*check)(const struct config_notify *config, const struct notify_target *target,
                  struct err *err);
    /* False only where memory ends or it was cancelled: everything else is an answer. */
    bool (*send)(struct arena *arena, const struct notify_target *target, const struct alert *alert,
                 struct notify_answer *ret, struct err *err);
};
/* By name; NULL if there is none. All of them, by name. */
const struct notifier *notifier_find(struct str name);
const struct notifier *const *notifier_list(size_t *ret_n);

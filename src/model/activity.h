/* activity.h - what somebody did to the infrastructure, as a cloud's own log (or a sender of
 * events) tells it.
 *
 * Shape:   one struct for every source; the feeds (live/feed.h) make it, record/activity.h keeps it
 * Trust:   a hint of where to look and who it was; never the proof that something differs
 * Owner:   views into the text that was read, and its arena
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* X(constant, name, actor kind for policy, what it tells the reader) */
#define ACTIVITY_WAYS(X) \
    X(ACTIVITY_UNKNOWN_WAY, "unknown", "", "nothing tells how it was done") \
    X(ACTIVITY_PIPELINE, "pipeline", "ci", "by an identity that events.pipelines names") \
    X(ACTIVITY_CONSOLE, "console", "human", "by hand, in the cloud's console") \
    X(ACTIVITY_TERRAFORM, "terraform", "human", "Terraform or OpenTofu, but no pipeline") \
    X(ACTIVITY_API, "api", "human", "a command line, an SDK, a script") \
    X(ACTIVITY_SERVICE, "service", "cloud", "the cloud itself, or a service within it")

#define X(constant, name, kind, meaning) constant,
enum activity_way { ACTIVITY_WAYS(X) ACTIVITY_WAY_COUNT };
#undef X
const char *activity_way_name(enum activity_way way);
const char *activity_way_kind(enum activity_way way);
bool activity_way_from(struct str name, enum activity_way *ret);

/* A call of a cloud may be about a thousand resources (CreateTags). */
enum { ACTIVITY_NAMES_MAX = 1500, ACTIVITY_TEXT_MAX = 2048 };

/* A text of the event that may name a resource. */
struct activity_name {
    struct str text; /* as the source spells it */
    struct str key;  /* the member that it stood in: "groupId" */
    unsigned depth;  /* how deep below the request */
    bool declared;   /* the source says that this is what it is about */
};

struct activity {
    struct str source; /* how we know: "cloudtrail", "gcp-audit", "azure-activity", "event" */
    struct str id;     /* the same however often it is delivered */
    int64_t time_utc_ms;
    struct str cloud;           /* "aws", "google", "azure"; or empty */
    struct str account, region; /* account, project or subscription; or empty */
    struct str service, action; /* "ec2", "AuthorizeSecurityGroupIngress" */
    struct str kind;            /* what the source says of the resource's type; or empty */
    struct str actor;     /* a person's or a service's name; empty = the source does not say */
    struct str principal; /* in full: an ARN, a mail address */
    struct str session;   /* role, key or delegation beneath; or empty */
    struct str client;    /* user agent */
    struct str source_ip;
    enum activity_way way; /* as the event alone tells: never ACTIVITY_PIPELINE */
    bool read_only, failed;
    bool not_final;            /* the source tells of it again when it is done */
    bool creates;              /* it makes something: what no state knows is unmanaged */
    bool attack;               /* it takes away or blinds an audit source */
    struct str stack, address; /* where the sender knows; or empty */
    const struct activity_name *name;
    size_t nnames;
    bool more_names; /* ACTIVITY_NAMES_MAX were not all */
};

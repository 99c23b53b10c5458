/* feed_parts.h - what the feeds share. */
#pragma once
#include "base/arena.h"
#include "live/feed.h"
#include "value/value.h"

/* One event that is being read. */
struct feed_event {
    struct arena *arena;
    struct activity *to;
    struct activity_name *name; /* to->nnames, ACTIVITY_NAMES_MAX at most */
    size_t room;
    bool full; /* no memory */
};
/* {0} where a step is not there: feed_text(v, "identity.claims.upn") without names with dots. */
const struct value *feed_get(const struct value *v, const char *path);
struct str feed_text(const struct value *v, const char *path);
/* The first of them that is there; ended by NULL. */
struct str feed_first(const struct value *v, const char *const *paths);
/* 0 where it is none. Also seconds and milliseconds since 1970 as numbers. */
int64_t feed_time(const struct value *v);

void feed_add_name(struct feed_event *e, struct str key, struct str text, unsigned depth,
                   bool declared);
/* Every text below v. */
void feed_add_leaves(struct feed_event *e, struct str key, const struct value *v, bool declared);

bool feed_has(struct str text, const char *part); /* without case */
struct str feed_after_last(struct str text, char c);
/* By the user agent; ACTIVITY_API where it tells nothing else. */
enum activity_way feed_way_of_client(struct str client);
/* Does it blind an audit source? By service and action, as a table of patterns. */
bool feed_is_attack(const struct activity *a);
/* By the verb that the action begins with. */
bool feed_verb(struct str action, const char *const *verbs);

/* Each: is it of this form, and what does it say? */
bool feed_is_aws(const struct value *v);
bool feed_aws(struct feed_event *e, const struct value *v, struct err *err);
bool feed_is_gcp(const struct value *v);
bool feed_gcp(struct feed_event *e, const struct value *v, struct err *err);
bool feed_is_azure(const struct value *v);
bool feed_azure(struct feed_event *e, const struct value *v, struct err *err);
/* CloudEvents' attributes around it, where there are some. */
struct feed_around {
    struct str id, source, type, subject;
    const struct value *time;
};
bool feed_is_plumb(const struct value *v, const struct feed_around *around);
bool feed_plumb(struct feed_event *e, const struct value *v, const struct feed_around *around,
                struct err *err);

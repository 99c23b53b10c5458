/* audit_query.h - events of the log by what they are about, in their order. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/audit_line.h"

struct err;
struct record;

struct audit_query {
    const struct str *type; /* any of these, globs ("finding.*"); none = all */
    size_t ntypes;
    struct str stack, actor;            /* globs; empty = any */
    int64_t since_utc_ms, until_utc_ms; /* until not included; INT64_MAX = no bound */
    int64_t from;                       /* the first number */
    int64_t newest;                     /* only that many, the newest; 0 = all */
    int64_t look_most; /* at most so many events are looked at, from the first on; 0 = all */
};

/* `line` and its views live until the callback returns. */
bool audit_query(struct record *record, const struct audit_query *query,
                 bool (*event)(void *ctx, const struct audit_line *line, struct err *err),
                 void *ctx, struct err *err);

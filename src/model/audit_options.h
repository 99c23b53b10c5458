/* audit_options.h - `audit:` of plumb.yaml: the log's name, its key, when and to whom it promises.
 *
 * Zeroed is fine: a key beside the SQLite file, a checkpoint every 100 events or every hour.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Where checkpoints go: out of the reach of who can write the store. */
struct audit_witness {
    struct str to;  /* file, git, syslog or http */
    struct str at;  /* a path, a repository, HOST:PORT or empty for this machine's, a URL */
    struct str key; /* HTTP: the verifier key of a C2SP witness; empty: any URL that takes text */
    struct {
        uint32_t line, column;
    } place;
};

struct audit_options {
    struct str key;    /* file:PATH or env:NAME; empty: PLUMB_AUDIT_KEY, or beside the store */
    struct str origin; /* the log's name, used when it begins; empty = made up */
    int64_t every, period_ms; /* 0 = 100 events, an hour */
    const struct audit_witness *witnesses;
    size_t nwitnesses;
};

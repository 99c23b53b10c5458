/* identity_parts.h - what identity_*.c share. */
#pragma once
#include "record/identity.h"
#include "record/record.h"
#include "value/value.h"

enum { IDENTITY_VERSION = 1 }; /* of how names are taken from a state: another one reads all anew */

struct identity_name {
    int64_t hash;
    enum identity_rank rank;
};
struct identity_entry {
    struct str address, type, cloud, account, region;
    size_t first, n; /* of identities.name */
    int64_t sum;
};
struct identities {
    struct str stack;
    int64_t state;                /* hash of the text */
    struct identity_entry *entry; /* by address */
    size_t n, room;
    struct identity_name *name;
    size_t nnames, names_room;
};

/* "aws" of aws_s3_bucket; empty where it is no cloud's. */
struct str identity_cloud(struct str type);
/* The names that values go by, without what they refer to. */
bool identities_of_value(struct arena *arena, struct str type, const struct value *v,
                         int64_t **ret_hash, size_t *ret_n, struct err *err);
/* act() within the transaction that is open, or one of its own. */
bool record_within(struct record *record, bool (*act)(void *ctx, struct err *err), void *ctx,
                   struct err *err);

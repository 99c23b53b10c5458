/* audit_export_parts.h - head and end of an export, as writer and reader share them. */
#pragma once
#include "record/audit_export.h"

struct value;

#define EXPORT_WORD "plumb audit export"
enum { EXPORT_VERSION = 1, EXPORT_END_MAX = 1 << 28 };

struct export_key {
    struct str line; /* log.start or log.key from outside the range */
    struct merkle_proof proof;
};
struct export_head {
    int64_t first, last;
    struct str origin;
    struct merkle_range edge;
    const struct export_key *key;
    size_t nkeys;
};
struct export_former {
    struct str note;           /* a checkpoint that somebody kept, signed */
    struct merkle_proof proof; /* from there to the newest checkpoint */
};
struct export_end {
    struct digest digest; /* of the last event's line */
    struct str *note;     /* checkpoints by size; the last one covers everything */
    size_t nnotes;
    struct merkle_proof seal; /* from the tree up to the last event to the newest checkpoint */
    const struct export_former *former;
    size_t nformer;
    const struct str *witness; /* verifier keys of cosignatures */
    size_t nwitnesses;
};

/* One line each, with its LF. */
bool export_head_print(struct buf *out, const struct export_head *head, struct err *err);
bool export_end_print(struct buf *out, const struct export_end *end, struct err *err);
/* Without LF. ERR_SYNTAX where the bytes are not exactly what would be printed. */
bool export_head_read(struct arena *arena, struct str line, struct export_head *ret,
                      struct err *err);
bool export_end_read(struct arena *arena, struct str line, struct export_end *ret, struct err *err);

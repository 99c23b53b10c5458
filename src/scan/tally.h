/* tally.h - observations of one stack, added up to a stack_result (inside scan/ only).
 *
 * What is added is copied: inputs may go when tally_add() returns. Secrets are left behind: of a
 * sensitive value only whether it is there is copied.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drift/drift.h"
#include "model/finding.h"
#include "scan/scan.h"

struct arena;
struct err;

enum {
    TALLY_NOTES_MAX = 1000,   /* different ones; the last says that there are more */
    TALLY_REASONS_MAX = 1000, /* different reasons of unchecked resources that are counted apart */
};

/* Texts that are kept once. */
struct text_set {
    struct str *slot;
    size_t nslots, n;
};

struct tally {
    struct arena *arena;
    const struct scan_options *options;
    struct str stack; /* name */
    struct finding *findings;
    size_t nfindings, findings_room;
    struct considered_equal *equal;
    size_t nequal, equal_room;
    struct text_set texts, notes;
    struct coverage coverage;
    bool failed;            /* the arena is full or on_finding failed: the scan must end */
    const struct stack *of; /* the stack, for policy; NULL = a plan */
    /* Fills its place in the code before policy and on_finding see it; NULL = nobody does. */
    bool (*locate)(void *ctx, struct finding *finding, struct err *err);
    void *locate_ctx;
};

void tally_init(struct tally *tally, struct arena *arena, struct str stack,
                const struct scan_options *options);
/* Counts it and keeps its finding. Fails with ERR_LIMIT or on_finding's err. */
bool tally_add(struct tally *tally, const struct observation *observation, struct err *err);
/* Resources that are the same and were compared elsewhere. */
void tally_add_same(struct tally *tally, uint64_t resources, uint64_t leaves);
/* What policy says of a finding that was added, and what follows: its severity, whether it counts.
 * of   what it was made of; NULL = not known (judge.c)
 * raw  as it was observed, secrets and all
 * kept its copy in the result, with its place */
bool scan_judge(struct tally *tally, const struct drift_input *of, const struct finding *raw,
                struct finding *kept, struct err *err);
/* What the resource is tagged or labelled with goes into kept->tags; of, raw as above. */
bool scan_take_tags(struct tally *tally, const struct drift_input *of, const struct finding *raw,
                    struct finding *kept, struct err *err);
/* What the store knows a finding without changes by goes into kept->kept_digest. */
bool scan_take_value(struct tally *tally, const struct drift_input *of, const struct finding *raw,
                     struct finding *kept, struct err *err);
/* Keep for scan_judge what an observation was made of, as long as `scratch`. */
bool scan_remember(struct arena *scratch, const struct drift_input *in, struct observation *ret,
                   struct err *err);
/* A note of the report; the same text counts once. */
bool tally_note(struct tally *tally, struct str note, struct err *err);
/* A note for each ignore rule that has expired. */
bool tally_note_expired(struct tally *tally, struct err *err);
/* Sort, group the reasons, fill findings, equal, notes and coverage of *ret. */
bool tally_finish(struct tally *tally, struct stack_result *ret, struct err *err);

/* --- what scan.c and plan.c share (common.c) --- */

struct resource;
/* Does a target name it, or what it is inside of? No targets: all are wanted. */
bool scan_wants(const struct scan_options *options, struct str address);
/* Notes for a tainted or a deposed resource. */
bool scan_note_resource(struct tally *tally, const struct resource *resource, bool exists,
                        struct err *err);
/* ret->failed from why. False only where `why` ends everything (ERR_CANCELLED), or the arena is
 * full. */
bool scan_failed(struct arena *arena, const struct err *why, struct stack_result *ret,
                 struct err *err);

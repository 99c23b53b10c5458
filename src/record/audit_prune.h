/* audit_prune.h - taking old events out of the store without losing what they prove.
 *
 * Only what an export holds that verifies, and that this very log continues, is taken out, in whole
 * tiles: their hashes stay, so that every later proof and checkpoint still stands on them. Events
 * that announce keys stay. The event log.retention says what was taken, and which export has it.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct err;
struct event_actor;
struct record;

/*
 * text  of the export, which must begin at or before the first event that the store still has
 * ret   events before this one are gone; may be what it was already
 * ERR_CONFLICT where the export does not verify, or is of another log.
 */
bool audit_prune(struct record *record, struct arena *arena, struct str text,
                 const struct event_actor *actor, int64_t *ret, struct err *err);

/* asked.h - what policy was asked about a finding, kept as text, to be asked again another day.
 *
 * Shape:   JSON {"input": the document of input.h without `now`, "digests": what a waiver of each
 *          change is bound to, null where that could not be told}
 * Secrets: as in input.h: "(sensitive)" stands for one, and is one again when it is read
 */
#pragma once
#include "policy/rule.h"

struct buf;

enum { ASKED_BYTES_MAX = 4 << 20 };

/* digest  of each change, of a subject without changes one (policy_digests) */
bool asked_write(struct buf *out, const struct rule_subject *subject, const struct str *digest,
                 struct err *err);
/* All of it in `arena`. ERR_SYNTAX where it is no such text. */
bool asked_read(struct arena *arena, struct str text, struct rule_subject *ret, struct err *err);

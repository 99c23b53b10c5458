/* remote_state.h - which version of a remote state was seen last, for all services on one store:
 * one that sees another version touches the stack, the others leave it.
 *
 * Row:  one for each stack whose state is kept elsewhere than in a file (desired/remote.h)
 */
#pragma once
#include <stdbool.h>

#include "base/str.h"

struct arena;
struct err;
struct record;

/* Empty: nobody has looked yet. */
bool remote_state_get(struct record *record, struct arena *arena, struct str stack, struct str *ret,
                      struct err *err);
/* Does another state than the one that all of the stack was compared with last have this text
 * (empty: there is none) and label (desired_info)? Also where a scan that goes on may have read an
 * older one. */
bool remote_state_is_other(struct record *record, struct str stack, struct str text,
                           struct str label, bool *ret, struct err *err);
/* mark was seen. *ret_touched: the row had another one, or it is the first and `other`; then all of
 * the stack is touched, in the same transaction. */
bool remote_state_seen(struct record *record, struct str stack, struct str mark, bool other,
                       bool *ret_touched, struct err *err);

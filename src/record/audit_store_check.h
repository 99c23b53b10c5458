/* audit_store_check.h - is the log in the store what was written and signed?
 *
 * Checks lines, chain, columns, tiles, the head, each checkpoint of the store, the one kept beside
 * the key and those that the reader brings; names the event wherever it is known. Reads only.
 */
#pragma once
#include "base/buf.h"
#include "record/audit_export.h"

/* As audit_export_check. Opens a second connection to the same store. */
bool audit_store_check(struct record *record, struct arena *arena,
                       const struct audit_check_options *options, struct audit_check *ret,
                       struct err *err);

/* audit_ocsf.h - an event of the log as OCSF (API Activity, 6003), one JSON object.
 *
 * Versions: 1.3.0, 1.8.0, 1.9.0-dev. The schemas are closed, so each gets only what it knows; 1.9
 *           adds the profile record_integrity: the digest of the line and of the one before
 * Source:   schema.ocsf.io; facts/integrations.md section 10
 */
#pragma once
#include <stdbool.h>

#include "record/audit_line.h"

struct buf;
struct err;

enum ocsf_version { OCSF_1_3, OCSF_1_8, OCSF_1_9, OCSF_VERSION_COUNT };
/* "1.3", "1.3.0", "1.8" ... */
bool ocsf_version_from(struct str text, enum ocsf_version *ret);

/* origin: the log's name. No LF behind it. */
bool audit_ocsf_print(struct buf *out, const struct audit_line *line, struct str origin,
                      enum ocsf_version version, struct err *err);

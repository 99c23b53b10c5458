/* finding_rows.h - findings of the store as JSON members and as text, for the commands that tell of
 * them.
 */
#pragma once
#include "record/listing.h"

struct jsonw;
struct buf;

/* The members of a finding, into an object that is open (docs/schema/record.schema.json). */
void finding_row_json(struct jsonw *w, const struct finding_row *row, int64_t now_utc_ms);
/* "3 d", "2 h", "5 min", "now" */
struct str age_text(char out[24], int64_t ms);
/* "2026-11-22 10:00" */
struct str time_text(char out[24], int64_t utc_ms);
/* "recurring, 12 d", "new, overdue since 2 d" */
void finding_status_text(struct buf *out, const struct finding_row *row, int64_t now_utc_ms);

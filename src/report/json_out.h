/* json_out.h - what the JSON of the commands has in common: its version, times, nulls, the way out.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/str.h"

struct buf;
struct err;
struct jsonw;

/* {"schema_version": "1.0", and room for the caller's members. */
void json_open(struct jsonw *w, struct buf *out);
void json_close(struct jsonw *w);
/* "key": "2026-11-22T10:00:00Z", or null for 0 */
void time_json(struct jsonw *w, struct str key, int64_t utc_ms);
/* "key": "text", or null where it is empty */
void text_json(struct jsonw *w, struct str key, struct str text);
/* All of it, or an error. */
bool print_buf(FILE *to, const struct buf *out, struct err *err);

/* alert_json.h - an alert as JSON, for receivers that take plumb's own shape and for the outbox.
 *
 * Shape:   docs/schema/alert.schema.json; `schema_version` "1.0". One object, no line breaks
 */
#pragma once
#include "respond/notify.h"

struct buf;

enum { ALERT_JSON_MAX = 1 << 20 };

void alert_json(struct buf *out, const struct alert *alert);

/* What alert_json wrote, back: alerts wait in the store as that. Lives in arena, with views into
 * text. ERR_SYNTAX. */
struct arena;
struct err;
bool alert_json_read(struct arena *arena, struct str text, struct alert *ret, struct err *err);

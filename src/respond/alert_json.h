/* alert_json.h - an alert as JSON, for receivers that take plumb's own shape and for the outbox.
 *
 * Shape:   docs/schema/alert.schema.json; `schema_version` "1.0". One object, no line breaks
 */
#pragma once
#include "respond/notify.h"

struct buf;

enum { ALERT_JSON_MAX = 1 << 20 };

void alert_json(struct buf *out, const struct alert *alert);

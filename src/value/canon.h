/* canon.h - canonical bytes (RFC 8785, JCS) and their digest.
 *
 * Numbers: one that is the shortest spelling of a double prints as ECMAScript does, and so does a
 *          fraction of up to 17 digits (333333333.33333329, as other programs print a double). What
 *          no double spells (2^63+1, 30 digits) prints in plain decimal, so that different values
 *          do not share bytes: a documented deviation from JCS, which forbids such numbers. Past
 *          CANON_DIGITS_MAX digits: d.ddde+XX
 * Marks:   play no part; an unknown value prints as null. Redact before.
 * Source:  RFC 8785
 */
#pragma once
#include "base/digest.h"
#include "value/value.h"

struct buf;

enum { CANON_DIGITS_MAX = 100 };

bool canon_print(struct buf *out, const struct value *v, struct err *err);
bool canon_digest(const struct value *v, struct digest *ret, struct err *err);
/* The same keyed with HMAC-SHA-256: what may be stored of a sensitive value. */
bool canon_digest_keyed(struct str key, const struct value *v, struct digest *ret, struct err *err);

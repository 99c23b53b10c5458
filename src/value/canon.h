/* canon.h - canonical bytes (RFC 8785, JCS) and their digest.
 *
 * Numbers that are doubles print as ECMAScript does; one that no double holds exactly (2^63+1, 30
 * digits) prints in plain decimal, so that different values never share bytes (a documented
 * deviation from JCS, which forbids such numbers). Unknown and sensitive nodes print as they are:
 * redact before.
 */
#pragma once
#include "base/digest.h"
#include "value/value.h"

struct buf;

bool canon_print(struct buf *out, const struct value *v, struct err *err);
bool canon_digest(const struct value *v, struct digest *ret, struct err *err);
/* The same keyed with HMAC-SHA-256: what may be stored of a sensitive value. */
bool canon_digest_keyed(struct str key, const struct value *v, struct digest *ret, struct err *err);

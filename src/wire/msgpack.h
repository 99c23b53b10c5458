/* msgpack.h - cty values in MessagePack, both ways (facts/terraform.md 2.5).
 *
 * Limits:  depth <= VALUE_DEPTH_MAX; a container that claims more entries than bytes are left is
 * refused before anything is allocated; trailing bytes are an error. Errors name the byte and the
 * path.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "value/type.h"
#include "value/value.h"

/* Bytes of a value of that type. Strings become NFC; views into `bytes` where they already are. */
bool msgpack_decode(struct arena *arena, const struct type *type, struct str bytes,
                    struct value *ret, struct err *err);
/* v must conform to type (type_apply makes it so). */
bool msgpack_encode(struct buf *out, const struct type *type, const struct value *v,
                    struct err *err);

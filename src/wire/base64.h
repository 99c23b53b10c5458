/* base64.h - base64 of both alphabets, as Go reads and writes them: line breaks are skipped.
 *
 * Source: RFC 4648; Go's encoding/base64. base/digest.h has a base64 with one spelling
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct buf;

/* URL_BARE writes no padding; both of URL's are read with or without it. */
enum base64_form { BASE64_STANDARD, BASE64_URL, BASE64_URL_BARE };
/* False with the byte that is wrong (or a buffer past its limit). */
bool base64_read(struct buf *out, struct str text64, enum base64_form form, size_t *ret_bad);
void base64_write(struct buf *out, struct str bytes, enum base64_form form);

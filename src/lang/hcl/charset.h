/* charset.h - text in other character sets than UTF-8, named as IANA registers them.
 *
 * Source:  the IANA registry as golang.org/x/text/encoding/ianaindex supports it (HZ-GB-2312, which
 *          iconv lacks, is left out); WHATWG Encoding Standard
 */
#pragma once
#include <stdbool.h>

#include "base/str.h"

struct buf;

struct charset {
    const char *name, *iconv, *aliases; /* aliases: in lower case, a blank before and behind each */
};
/* NULL for a name that is not known; case and blanks around it do not matter. */
const struct charset *charset_find(struct str name);
/* Append to out; false where a character has no counterpart, or out is full. */
bool charset_encode(const struct charset *set, struct str text, struct buf *out);
bool charset_decode(const struct charset *set, struct str bytes, struct buf *out);

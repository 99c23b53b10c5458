/* words.h - foreign text for one line of ours. */
#pragma once
#include <stddef.h>

#include "base/str.h"

struct buf;

/* Control characters and runs of blanks become one blank, bad UTF-8 becomes U+FFFD; blanks at both
 * ends go; past `most` bytes of it there is an ellipsis. */
void words_put(struct buf *out, struct str text, size_t most);

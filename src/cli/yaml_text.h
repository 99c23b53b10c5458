/* yaml_text.h - a string as YAML that plumb writes into files. */
#pragma once
#include "base/str.h"

struct buf;

/* Plain where no reader could take it for anything else, in double quotes (JSON's escapes) if not.
 */
void yaml_text(struct buf *out, struct str text);

/* glob.h - patterns of rules and configuration, matched in linear-ish time without recursion.
 *
 * `*` any run of characters except the separator, `**` any run at all, `?` one character except the
 * separator, `\x` the character x itself. Everything else, `[` included, stands for itself, so that
 * an address such as aws_instance.web[0] is its own pattern. separator '\0' = no separator: `*`
 * crosses everything.
 */
#pragma once
#include <stdbool.h>

#include "base/str.h"

bool glob_match(struct str pattern, struct str text, char separator);
/* Has the pattern a `*` or `?` that is not escaped? */
bool glob_is_pattern(struct str text);

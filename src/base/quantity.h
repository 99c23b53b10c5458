/* quantity.h - sizes and durations as people write them: "512M", "2 GiB", "500ms", "2m", "3d". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* Bytes: digits, then K, M, G or T (powers of 1024; "KiB" and "KB" mean the same) or nothing. */
bool quantity_parse_bytes(struct str text, int64_t *ret_bytes);
/* Milliseconds: digits, then ms, s, m, h, d or w; without a unit seconds. */
bool quantity_parse_duration(struct str text, int64_t *ret_ms);

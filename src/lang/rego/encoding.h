/* encoding.h - quoted text as Go writes it; several families use it. */
#pragma once
#include "base/str.h"

struct buf;

void rego_go_quote(struct buf *out, struct str s); /* strconv.Quote */

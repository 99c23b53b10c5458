/* quote.h - text in quotes as Go's strconv.Quote writes it, which Terraform and OPA print with. */
#pragma once
#include "base/str.h"

struct buf;

/* "a\n\u00a0\xff": characters that Go does not print (unicode.IsPrint) and bytes that are no UTF-8
 * are escaped. */
void quote_go(struct buf *out, struct str s);

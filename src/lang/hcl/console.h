/* console.h - values and types as `terraform console` prints them.
 *
 * Source:  Terraform 1.11 internal/repl (FormatValue, typeString); Go strconv.Quote
 */
#pragma once
#include "lang/hcl/eval.h"

struct buf;

/* Known nothing: "(known after apply)"; secrets: "(sensitive value)", whatever is inside. */
void hcl_console_value(struct arena *arena, struct buf *out, const struct value *v);
/* object({\n    a: string,\n}) ... */
void hcl_console_type(struct buf *out, const struct type *type);

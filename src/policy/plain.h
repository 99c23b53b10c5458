/* plain.h - results of Rego as JSON: text as OPA writes it, and trees without sets or odd keys. */
#pragma once
#include "base/buf.h"
#include "value/value.h"

/* Compact JSON text spread over lines: `unit` a level ("  ", "\t"); {} and [] stay as they are. */
void policy_json_indent(struct buf *out, struct str json, struct str unit);
/* Sets become arrays, keys become texts; what it gives lives in the arena. */
bool policy_plain(struct arena *arena, const struct value *v, struct value *ret, struct err *err);

/* A value of Rego as the next value of a compact writer (indent 0), as rego_json() spells it. */
struct jsonw;
void policy_json_value(struct jsonw *w, const struct value *v);

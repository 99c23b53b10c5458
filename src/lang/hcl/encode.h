/* encode.h - texts that several functions of the language give or take.
 *
 * In:      known values without marks (what an implementation of a function sees)
 * Source:  go-cty's json package, encoding/base64 of Go, hclwrite's TokensForValue
 */
#pragma once
#include "lang/hcl/function.h"

struct buf;

/* Compact JSON with Go's escapes (< > & and U+2028/9 as \u....), numbers in full, sets in cty's
 * order. False with *ret_why for infinities and past a limit. */
bool hcl_json_encode(struct arena *arena, const struct value *v, struct str *ret,
                     struct str *ret_why);
/* An expression of the language that gives v, in the form of `terraform fmt`. */
bool hcl_expr_encode(struct arena *arena, const struct value *v, struct str *ret,
                     struct str *ret_why);
/* A quoted string literal of the language. */
void hcl_quote(struct buf *out, struct str s);
/* Standard alphabet, padded; CR and LF are skipped. *ret_bad_at: the byte that Go blames. */
bool hcl_base64_decode(struct arena *arena, struct str text, struct str *ret, size_t *ret_bad_at);

/* --- giving results --- */

/* The text as a string value, in NFC as cty makes them; ptr NULL = memory is out. */
bool hcl_give_text(struct hcl_call *call, struct str text, struct value *ret);
/* What was put together in a buffer; false if it did not fit. */
bool hcl_give_buf(struct hcl_call *call, struct buf *buf, struct value *ret);

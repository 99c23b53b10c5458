/* json_syntax.h - what the files for JSON syntax share; not for users of hcl.h and content.h.
 *
 * A JSON file becomes struct hcl_expr: objects, arrays, literals, and strings read as templates
 * with their text kept (hcl_expr.raw). Which of them are bodies, json_content.c finds when it is
 * asked.
 */
#pragma once
#include "lang/hcl/content.h"

struct hcl_asking;

/* Tokens, the last one HCL_EOF; `=` is one so that a message can tell of it. The first byte that
 * can be in no token is a HCL_BAD_CHARACTER and ends them. */
bool hcl_json_lex(struct arena *arena, struct str text, const struct hcl_token **ret_tokens,
                  size_t *ret_n, struct err *err);

/* The inside of a JSON string token, with the way back to the bytes of the file. */

struct hcl_json_jump {
    uint32_t decoded, written;
};
struct hcl_json_string {
    struct str text;
    uint32_t start; /* byte of the file where the inside begins */
    const struct hcl_json_jump *jump;
    size_t njumps; /* places behind an escape */
};
/* False with the byte of the file at fault, or SIZE_MAX there where memory is out. Bad UTF-8 and
 * lone surrogates become U+FFFD. */
bool hcl_json_decode(struct arena *arena, struct str text, struct hcl_range token,
                     struct hcl_json_string *ret, size_t *ret_bad);

/*
 * The text of a string token read as a template or as an expression, with the ranges of the file.
 * NULL where it has faults, which are reported to diags (unless that is NULL) at their places.
 */
const struct hcl_expr *hcl_json_embedded(struct arena *arena, struct str name, struct str text,
                                         struct hcl_range token, bool template_,
                                         struct hcl_diags *diags);

/* A JSON string as it is, sequences and all: where no names may be used. False: memory is out. */
bool hcl_raw_string(struct arena *arena, const struct hcl_expr *expr, struct value *ret);
/* A body of the file, whatever the value is: faults are reported when it is asked. */
struct hcl_body hcl_json_body(const struct hcl_expr *expr);
bool hcl_json_content(const struct hcl_asking *in, struct hcl_content *ret);
bool hcl_json_attributes(const struct hcl_asking *in, struct hcl_content *ret);

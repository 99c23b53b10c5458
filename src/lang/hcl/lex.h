/* lex.h - HCL text to tokens; every byte of the text is in a token or a blank between two. */
#pragma once
#include "lang/hcl/hcl.h"

enum hcl_lex_mode { HCL_LEX_CONFIG, HCL_LEX_TEMPLATE };

/* The tokens, the last one HCL_EOF. Fails only for limits (size, depth of templates, memory). */
bool hcl_lex(struct arena *arena, struct str text, enum hcl_lex_mode mode,
             const struct hcl_token **ret_tokens, size_t *ret_n, struct err *err);
/* The name of a kind for messages. */
const char *hcl_token_name(enum hcl_token_kind kind);
/* Is all of s an identifier? */
bool hcl_is_identifier(struct str s);

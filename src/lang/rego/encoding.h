/* encoding.h - base64, PEM and quoted text as Go reads and writes them; several families use them.
 *
 * Source: RFC 4648, RFC 7468; Go's encoding/base64 (line breaks are skipped) and encoding/pem
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct arena;
struct buf;

/* Standard alphabet with padding; URL alphabet with or without. False with the byte that is wrong
 * (or a buffer past its limit). */
bool rego_from_base64(struct buf *out, struct str text64, size_t *ret_bad);
bool rego_from_base64url(struct buf *out, struct str text64, size_t *ret_bad);
void rego_to_base64(struct buf *out, struct str bytes);    /* padded */
void rego_to_base64url(struct buf *out, struct str bytes); /* URL alphabet, not padded */

void rego_go_quote(struct buf *out, struct str s); /* strconv.Quote */

struct pem {
    struct str type;  /* "CERTIFICATE"; a view into the text */
    struct str bytes; /* what its base64 holds; in the arena */
};
/* The next block of *rest, which then starts behind it; text between blocks is skipped. False
 * where there is none (or the arena is full). */
bool pem_next(struct arena *arena, struct str *rest, struct pem *ret);

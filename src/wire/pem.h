/* pem.h - blocks of base64 between "-----BEGIN X-----" and "-----END X-----".
 *
 * Source: RFC 7468; Go's encoding/pem
 */
#pragma once
#include <stdbool.h>

#include "base/str.h"

struct arena;

struct pem {
    struct str type;  /* "CERTIFICATE"; a view into the text */
    struct str bytes; /* what its base64 holds; in the arena */
};
/* The next block of *rest, which then starts behind it; text between blocks is skipped. False
 * where there is none (or the arena is full). */
bool pem_next(struct arena *arena, struct str *rest, struct pem *ret);

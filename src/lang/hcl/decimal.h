/* decimal.h - a number as decimal digits, and the texts of it that Go's math/big gives.
 *
 * Source:  math/big's Text and Format of Float
 */
#pragma once
#include <mpfr.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct buf;

struct hcl_decimal {
    bool negative;
    struct str digits; /* "123" without zeros at either end; empty = 0 */
    int64_t exponent;  /* 0.123 x 10^exponent */
};

/* From "-0.00123", "1200". These three: false where the arena or memory is full. */
bool hcl_decimal_from_text(struct arena *arena, struct str text, struct hcl_decimal *ret);
/* x to `count` significant digits, or to `places` behind the point; a tie to even. x is finite. */
bool hcl_decimal_round(struct arena *arena, mpfr_srcptr x, size_t count, struct hcl_decimal *ret);
bool hcl_decimal_places(struct arena *arena, mpfr_srcptr x, size_t places, struct hcl_decimal *ret);

/* Without the sign. d.dddde+XX with `places` behind the point; there are not more digits than that.
 */
void hcl_decimal_put_exponent(struct buf *out, const struct hcl_decimal *d, size_t places,
                              char letter);
/* Plain digits with `places` behind the point. */
void hcl_decimal_put_plain(struct buf *out, const struct hcl_decimal *d, size_t places);
/* %g: precision -1 = the shortest digits. */
void hcl_decimal_put_general(struct buf *out, const struct hcl_decimal *d, int64_t precision,
                             char letter);

/* number.h - Rego's numbers and the libraries of big ones, for arithmetic and for built-ins.
 *
 * Limits: REGO_DIGITS_MAX digits of an integer, REGO_BITS_MAX bits of a result
 * Owner:  the caller clears x after rego_number_mpz and rego_number_mpfr, also where they fail
 */
#pragma once
#include <gmp.h>
#include <mpfr.h>

#include "lang/rego/term.h"

enum { REGO_DIGITS_MAX = 100000, REGO_BITS_MAX = 1 << 20 };

/* The exact integer; false if it is none, or too big. */
bool rego_number_mpz(mpz_t ret, const struct value *v);
/* At 64 bits of mantissa, to nearest. */
bool rego_number_mpfr(mpfr_t ret, const struct value *v);
bool rego_number_from_mpz(struct arena *arena, mpz_srcptr z, struct value *ret);
/* As OPA prints a float: plain if it is an integer, else the shortest %g. */
bool rego_number_from_mpfr(struct arena *arena, mpfr_srcptr x, struct value *ret);

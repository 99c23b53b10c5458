/* hcl_number.h - between struct value and MPFR; for the functions of the language. */
#pragma once
#include <mpfr.h>
#include <stdio.h>

#include "lang/hcl/eval.h"

/* Initialises ret at the number's own precision; clear it in any case. */
bool hcl_number_read(mpfr_t ret, const struct value *v);
/* False for NaN or a full arena. */
bool hcl_number_make(struct arena *arena, mpfr_srcptr x, enum hcl_precision precision,
                     struct value *ret);
enum hcl_precision hcl_wider(const struct value *a, const struct value *b);

/* number.h - exact decimal numbers as text: equality, order, conversion, printing.
 *
 * Shape:   a number is int64 (NUMBER_INT) or the text of a JSON number (NUMBER_TEXT)
 * Limits:  an exponent beyond int32 is legal to hold and to compare, never expanded
 * Source:  RFC 8259 section 6; facts/terraform.md 2.5 and 2.7; facts/dependencies.md "Numbers"
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct err;
struct value;

/* Is all of s a JSON number? */
bool number_is_valid(struct str s);
/* By numeric value, exactly, whatever the spelling: 1 = 1.0 = 10e-1, -0 = 0. */
int number_compare(const struct value *a, const struct value *b);
uint64_t number_hash(const struct value *v, uint64_t seed); /* agrees with number_compare */
/* Exact integer value within int64 ("1e3", "5.0" included). */
bool number_to_int64(struct str text, int64_t *ret);
/* The nearest double (may be +-infinity); *ret_exact tells whether it is the very same number. */
double number_to_double(const struct value *v, bool *ret_exact);
/*
 * Plain decimal digits as Terraform prints a number: no exponent, no trailing zeros ("1e30" gives
 * 31 digits). Fails with ERR_LIMIT past max_digits.
 */
bool number_print_plain(struct arena *arena, const struct value *v, size_t max_digits,
                        struct str *ret, struct err *err);
/* As ECMAScript prints the nearest double (-0 as "0"). ptr NULL: infinite, or the arena is full. */
struct str number_print_ecmascript(struct arena *arena, const struct value *v);
/* "d.ddde+XX", the digits without zeros at their end; any number, however large its exponent. */
struct str number_print_scientific(struct arena *arena, const struct value *v);
bool number_is_integer(const struct value *v);
/* Significant digits: 0 for zero, 1 for 1e30, 4 for 0.00120400. */
size_t number_digits(const struct value *v);
/* The source spelling: the kept text, or the int64 in decimal. ptr NULL where the arena is full. */
struct str number_text(struct arena *arena, const struct value *v);
/*
 * The shortest text that reads back as the same double, laid out as ECMAScript does ("0.1",
 * "1e+300"; -0 is "-0"). ptr NULL for infinity, NaN, or where the arena is full.
 */
struct str number_from_double(struct arena *arena, double d);

/* blank.h - do two values of one type differ in nothing but null against empty?
 *
 * Where:  the fields of objects only ("" or [] or {} for null). An entry of a map and an element of
 *         a list are data, in which null and empty differ; so does the value as a whole
 * For:    providers on SDKv2, which make one out of the other with every read (schema_is_legacy).
 *         The drift room has named rules for the same; here it only says that a second question is
 *         not needed. False is always the safe answer: sets are compared in the order they are in
 */
#pragma once
#include <stdbool.h>

struct value;

bool blank_apart_equal(const struct value *a, const struct value *b);

/* condition.h - one test of a condition against one value. */
#pragma once
#include "policy/rule.h"

/* Numbers by value, lists by place (of a set: in any order), objects by key; what the operand does
 * not name may be null. */
enum rule_outcome condition_equal(const struct value *v, const struct value *operand);
/* Does the value meet the test? */
enum rule_outcome condition_test(const struct condition *test, const struct value *v);
/* "ingress[0].from_port is 22 (at_most 22)". ptr NULL where the arena is full. */
struct str condition_text(struct arena *arena, const struct condition *test, struct str path,
                          const struct value *v, bool sensitive, bool held);

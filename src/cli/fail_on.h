/* fail_on.h - what makes the exit code: --fail-on and --exit-zero, the same in every subcommand. */
#pragma once
#include <stdbool.h>

struct err;
struct option_value;

extern const char *const fail_on_words[]; /* classes and groups of them, NULL at the end */

/* Bits 1 << enum finding_class; FAIL_ON_DEFAULT where the option was not given. ERR_USAGE with the
 * nearest word. */
bool fail_on_parse(const struct option_value *value, unsigned *ret, struct err *err);
/* exit_zero makes 0 of what was found (2, 3, 4); an error stays one. */
int fail_on_exit(int code, bool exit_zero);

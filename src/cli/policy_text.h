/* policy_text.h - what is wrong with policies, for people; the inputs that the policy commands
 * share.
 */
#pragma once
#include <stdio.h>

#include "lang/rego/rego.h"

/* "FILE:ROW:COLUMN: CODE: MESSAGE" each. */
void policy_print_diags(FILE *out, const struct rego_diags *diags);
/* "FILE:LINE:COLUMN: TEXT" each, of rule files. */
struct rule_problems;
void policy_print_problems(FILE *out, const struct rule_problems *problems);
/* The same of an evaluation. */
void policy_print_error(FILE *out, const struct rego_error *error);
/* err for a command whose policies do not compile: diags are printed already; else err stays. */
bool policy_refuse(const struct rego_diags *diags, struct err *err);
/* A regular expression of the command line: NULL where text is empty. Close with regex_close. */
struct regex;
bool policy_regex(const char *option, struct str text, struct regex **ret, struct err *err);

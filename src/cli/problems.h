/* problems.h - diagnostics of configuration files for people: place, text, the line itself. */
#pragma once
#include <stdbool.h>
#include <stdio.h>

#include "base/str.h"

struct hcl_diags;

/*
 * "FILE:LINE:COLUMN: SUMMARY: detail" each, and where `excerpts` is set the line of `text` with a
 * caret below it. Variable files hold secrets: print those without excerpts.
 * text  the file that all of them are about
 */
void problems_print(FILE *out, const struct hcl_diags *diags, struct str text, bool excerpts);

/* help.h - what the option tables say, for a terminal: `plumb --help`, `plumb help CMD`. */
#pragma once
#include <stdio.h>

#include "base/str.h"

struct command;

enum { HELP_WIDTH = 90 };

void help_overview(FILE *out);
void help_command(FILE *out, const struct command *command);
/* Words of text, broken at HELP_WIDTH; every line starts at column `indent`, the first where the
 * cursor (column `at`) is. Blank lines in the text are kept. Ends with a newline. */
void help_wrap(FILE *out, struct str text, size_t indent, size_t at);

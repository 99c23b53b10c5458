/* format.h - HCL in the one form that `terraform fmt` gives it.
 *
 * In:      a file without syntax errors (hcl.h)
 * Out:     the whole text in that form: blanks at lines' starts, between tokens and in front of "="
 *          and comments; block labels in quotes; "${x}" as x; old spellings of a variable's type.
 *          Lines are neither joined nor split, texts and comments stay. Formatting the result again
 *          may take one more interpolation apart
 * Lines:   for an edit, hcl_format_lines() changes blanks only, and only on the lines that the edit
 *          touched and those whose columns are aligned with theirs; ask hcl_lines_formatted() about
 *          the same place first, so that a hand-made layout stays as it is
 * Errors:  ERR_SYNTAX for text with syntax errors, ERR_LIMIT when the arena is full
 * Source:  facts/hcl.md section 10; byte for byte as `terraform fmt` 1.11, except where that loses
 *          code (a label with a lone "$" or "%", the index of x[true] and x[null]) or breaks it (a
 *          comment in the middle of "${x}")
 */
#pragma once
#include "lang/hcl/hcl.h"

/* The file in its form; `file->text` itself where nothing differs. */
bool hcl_format_file(struct arena *arena, const struct hcl_file *file, struct str *ret,
                     struct err *err);
/* Read `text` and format it. Syntax errors: false, err is the first one and diags has all. */
bool hcl_format_text(struct arena *arena, struct str text, struct str name, struct hcl_diags *diags,
                     struct str *ret, struct err *err);

struct hcl_line_range {
    uint32_t first, last; /* 1-based, both included */
};

/* The text with these lines, and those aligned with them, laid out. All else stays, byte for byte.
 */
bool hcl_format_lines(struct arena *arena, const struct hcl_file *file, struct hcl_line_range lines,
                      struct str *ret, struct err *err);
/* Would hcl_format_lines() change nothing there? */
bool hcl_lines_formatted(struct arena *arena, const struct hcl_file *file,
                         struct hcl_line_range lines, bool *ret, struct err *err);

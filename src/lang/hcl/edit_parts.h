/* edit_parts.h - what the files of the editor share; not for users of edit.h. */
#pragma once
#include "lang/hcl/edit.h"

struct buf;

/* How new text is laid out: blanks in front of the line that it begins on, one more level of them,
 * the end of a line. */
struct edit_layout {
    struct str base, unit, newline;
    bool json;                   /* JSON syntax */
    bool one_line;               /* objects too */
    const struct hcl_expr *like; /* an object constructor whose order of keys is taken; or NULL */
};

/* Bytes of the old text from start to end become `text`. */
void edit_splice(struct hcl_edit *edit, uint32_t start, uint32_t end, struct str text);
/* What was put together becomes a text of the arena; buf is freed. ptr NULL (edit->full) if it did
 * not fit. */
struct str edit_text(struct hcl_edit *edit, struct buf *buf);
void edit_fail(struct hcl_edit *edit, const char *why);

/* --- lines of the old text --- */

struct str edit_newline(const struct hcl_file *file);
/* Blanks at the start of the line that byte `at` is on. */
struct str edit_indent(struct str text, uint32_t at);
/* One level of indentation: what `inner` has more than `outer`, else the usual. */
struct str edit_indent_unit(struct str outer, struct str inner);
uint32_t edit_line_start(struct str text, uint32_t at);
bool edit_is_blank_line(struct str text, uint32_t line_start);
/* Nothing but blanks (and a byte order mark) stands in front of it on its line. */
bool edit_starts_line(struct str text, uint32_t at);
/* Index of the first token that starts at or behind a byte. */
size_t edit_token_at(const struct hcl_file *file, uint32_t byte);
/* Where the comments begin that belong to what starts at `start`: those right above it. */
uint32_t edit_lead(const struct hcl_file *file, uint32_t start);
/* The end of the line behind an item and of what belongs to it there: a comma (if asked for),
 * comments. False where something else follows on the line. */
bool edit_line_rest(const struct hcl_file *file, uint32_t end, bool comma, uint32_t *ret_end);
/* The comma behind an item, or an empty range. */
struct hcl_range edit_comma(const struct hcl_file *file, uint32_t end);

/* Whole lines that go, ascending. A blank line that would be left over goes too. */
void edit_remove_lines(struct hcl_edit *edit, const struct hcl_range *lines, size_t n);

/* --- values --- */

/* Add the literal of v; layout->base is in front of all lines but the first. */
void edit_print_value(struct hcl_edit *edit, struct buf *out, const struct value *v,
                      const struct edit_layout *layout);
/* `key = value` in the form of layout; quoted: also where the key is an identifier. */
void edit_print_item(struct hcl_edit *edit, struct buf *out, const struct hcl_new_item *item,
                     bool quoted, struct str between, const struct edit_layout *layout);
/* The value as the literal that stands for it there. */
struct str edit_literal(struct hcl_edit *edit, const struct value *v,
                        const struct edit_layout *layout);
/* Does the expression stand inside of brackets or braces that begin and end on its line? */
bool edit_in_one_line(const struct hcl_file *file, struct hcl_range range);

/* edit.h - changing a file as little as possible: expressions, keys, elements, attributes, blocks.
 *
 * The way: hcl_edit_start on a file that was read without errors, any number of changes of
 *          different things in it, hcl_edit_finish gives the new text. A thing that was changed is
 *          not changed again before the text is read again.
 * Keeps:   every byte that is not in the way: comments, blanks, line ends (LF or CRLF), a byte
 * order mark, a missing newline at the end. Lines are laid out again (hcl_format_lines) only where
 * they were touched or stand in columns with touched ones, and only if they were in the form of
 * `terraform fmt` before. New:     literals as `terraform fmt` has them; a text that ends in a
 * newline stays a heredoc where it was one; separators, quotes and indents as in the neighbours
 * Errors:  kept until hcl_edit_finish: ERR_LIMIT, ERR_UNSUPPORTED for what has no literal (unknown
 *          values, infinities), ERR_CONFLICT if the new text would not be read as HCL
 * Source:  facts/hcl.md section 11
 */
#pragma once
#include "lang/hcl/hcl.h"

struct hcl_splice {
    struct hcl_range range; /* of the old text; empty = a place between two bytes */
    struct str text;        /* what stands there now */
};
struct hcl_edit {
    struct arena *arena;
    const struct hcl_file *file;
    struct hcl_splice *splice;
    size_t n, room;
    bool full;      /* out of memory */
    struct str why; /* first thing that cannot be written, or empty */
};

/* file->text, and all values given to changes, outlive the edit. */
void hcl_edit_start(struct hcl_edit *ret, struct arena *arena, const struct hcl_file *file);
/* The text after all changes; file->text itself where there are none. */
bool hcl_edit_finish(struct hcl_edit *edit, struct str *ret, struct err *err);

/* Write v in the place of an expression; parentheses around it stay. */
void hcl_edit_expr(struct hcl_edit *edit, const struct hcl_expr *expr, const struct value *v);

/* A name and what it is given: a value, or an expression's text where value is NULL. */
struct hcl_new_item {
    struct str key;
    const struct value *value;
    struct str text;
};
/* An object constructor without the items that are gone (an entry each, NULL = none), and with new
 * ones behind the last. */
void hcl_edit_object(struct hcl_edit *edit, const struct hcl_expr *object, const bool *gone,
                     const struct hcl_new_item *add, size_t nadd);

/* The elements that a tuple has afterwards, in order. */
struct hcl_new_element {
    const struct value *value; /* a new one; NULL = an old one: */
    size_t old;                /* its index; indices ascend */
};
/* Old elements that are not named go; where one goes and a new one comes, it is written over. */
void hcl_edit_tuple(struct hcl_edit *edit, const struct hcl_expr *tuple,
                    const struct hcl_new_element *element, size_t n);

/* After the last attribute, in front of the first nested block. One call adds all new ones. */
void hcl_edit_add_attributes(struct hcl_edit *edit, const struct hcl_body *body,
                             const struct hcl_new_item *add, size_t n);
/* With its comments: those right above it and the one behind it. */
void hcl_edit_remove_attribute(struct hcl_edit *edit, const struct hcl_body *body,
                               const struct hcl_attribute *attribute);

struct hcl_new_block {
    struct str type;
    const struct str *label;
    size_t nlabels;
    const struct hcl_new_item *attribute;
    size_t nattributes;
    const struct hcl_new_block *block;
    size_t nblocks;
};
/* After the last one of its type, else at the end behind a blank line. One call adds all new ones
 * of a type. */
void hcl_edit_add_blocks(struct hcl_edit *edit, const struct hcl_body *body,
                         const struct hcl_new_block *add, size_t n);
/* At the end of the file. */
void hcl_edit_append_block(struct hcl_edit *edit, const struct hcl_new_block *block);
/* In front of a block of that body and its comments. */
void hcl_edit_insert_blocks(struct hcl_edit *edit, const struct hcl_body *body,
                            const struct hcl_block *before, const struct hcl_new_block *add,
                            size_t n);
void hcl_edit_remove_block(struct hcl_edit *edit, const struct hcl_body *body,
                           const struct hcl_block *block);

/* layout.h - the white space of HCL: how far lines are indented, tokens apart and columns aligned.
 *
 * Shape:   pieces (tokens, or what stands in for them) in order; lines of them in three cells:
 *          lead, from the "=" on, trailing comment; an empty cell is not there
 * Limits:  none of its own: time and memory are linear in the pieces
 * Source:  facts/hcl.md section 10
 */
#pragma once
#include "lang/hcl/hcl.h"

struct hcl_piece {
    enum hcl_token_kind kind;
    uint32_t spaces; /* blanks in front of it */
    struct str text;
    uint32_t line; /* of the source, 1-based; 0 for what is not in it */
};
struct hcl_line {
    size_t lead, assign, comment, end; /* indexes of pieces: where each cell begins, and the end */
};

/*
 * Set the blanks in front of every piece but HCL_EOF, and give the lines.
 * piece  the last one is HCL_EOF, which belongs to no line
 * False only when the arena is full.
 */
bool hcl_lay_out(struct arena *arena, struct hcl_piece *piece, size_t npieces,
                 struct hcl_line **ret_lines, size_t *ret_n);

/* formatter.h - what the files of the Rego formatter share: the text made so far, comments.
 *
 * Rows of the source decide where lines break, and texts of the source where something is written
 * as it was; both are places of the tree. A comment that has no place to go between two parts of a
 * term makes that term be written as it was: FORMAT_AS_WAS goes up from there.
 */
#pragma once
#include "base/buf.h"
#include "lang/rego/ast.h"

enum form_flow {
    FORMAT_OK,
    FORMAT_AS_WAS, /* the last thing written is as it was in the source */
    FORMAT_FAILED  /* formatter->why */
};

struct form_comments { /* those to come, by place */
    const struct rego_comment *const *item;
    size_t n;
};
struct formatter {
    struct arena *arena;
    const struct rego_module *module;
    const uint32_t *newline; /* bytes of the source */
    size_t nnewlines;
    struct buf out;
    unsigned level, depth;
    bool in_line;                      /* a line has begun */
    bool delay;                        /* the next end of a line is not the comment's */
    bool on_final_line;                /* see form_as_was */
    const struct rego_comment *at_end; /* waits for the end of its line */
    bool lost;                         /* something was left out: the whole must be as it was */
    bool v1, ifs, contains, ref_heads;
    const struct rego_place *over; /* the place of every node, in copied heads and some else */
    const struct rego_term *moved; /* a term that has another's place: */
    struct rego_place moved_to;
    struct form_comments comments;
    const char *why;
    struct rego_parse_clock clock; /* .until_ms 0: no end */
    unsigned looks;
};
/* Is there time left? Otherwise .why says so, once it was asked often enough to look. */
bool form_in_time(struct formatter *f);

void form_start_line(struct formatter *f);
void form_end_line(struct formatter *f);
void form_blank_line(struct formatter *f);
void form_write(struct formatter *f, const char *text);
void form_write_str(struct formatter *f, struct str text);
struct str form_text(const struct formatter *f, struct rego_place place);
/* Within a part of the source; false: memory is out. */
uint32_t form_newlines(const struct formatter *f, struct str text);
bool form_find_newlines(struct formatter *f);

/* Write the comments above the row; the one on it waits for the end of the line. */
enum form_flow form_insert_comments(struct formatter *f, uint32_t row);
void form_write_comments(struct formatter *f, const struct rego_comment *const *item, size_t n);
/* The source at the place, without a change; its comments are written with it. */
void form_as_was(struct formatter *f, struct rego_place place);
/* What a piece may change, to go back to. */
struct form_mark {
    size_t len;
    unsigned level;
    const struct rego_comment *at_end;
    bool in_line, delay;
    struct form_comments comments;
};
struct form_mark form_mark(const struct formatter *f);
void form_back(struct formatter *f, const struct form_mark *mark);

/* The row of the bracket that closes the first `open` of the text; before it, `skip` brackets of
 * the head are passed. 0 = none. Strings are not told from code: it is how OPA counts. */
uint32_t form_closing_row(const struct formatter *f, struct rego_place place, const char *skip,
                          const char *brackets);

struct rego_place form_term_place(const struct formatter *f, const struct rego_term *term);
struct rego_place form_expr_place(const struct formatter *f, const struct rego_expr *expr);
/* As strconv.Quote of Go does. */
void form_quote(struct formatter *f, struct str text);

enum form_flow form_term(struct formatter *f, const struct rego_term *term);
enum form_flow form_term_inner(struct formatter *f, const struct rego_term *term, bool parens);
enum form_flow form_ref(struct formatter *f, struct rego_term *const *part, size_t n);
/* Items of a list, `row` and `text` being those of what holds it. */
enum form_flow form_list(struct formatter *f, struct rego_term *const *item, size_t n,
                         struct rego_place holder, uint32_t closing_row);
enum form_flow form_expr(struct formatter *f, const struct rego_expr *expr);
/* The same, as it was where a comment in it has no other place. */
enum form_flow form_literal(struct formatter *f, const struct rego_expr *expr);
enum form_flow form_body(struct formatter *f, const struct rego_body *body);
/* The query behind the bar of a comprehension, or in the braces of every. */
enum form_flow form_query(struct formatter *f, const struct rego_body *body,
                          struct rego_place before, struct rego_place holder, const char *brackets);
enum form_flow form_call(struct formatter *f, const struct rego_term *call);
enum form_flow form_member(struct formatter *f, const struct rego_term *call, bool parens);
/* The sign of a built-in that is written between its operands, or NULL. */
const char *form_infix(struct formatter *f, const struct rego_term *call, size_t *ret_arity);
enum form_flow form_rules(struct formatter *f, struct rego_rule *const *rule, size_t n);

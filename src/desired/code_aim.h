/* code_aim.h - which literals must be edited so that an expression gives another value (inside
 * desired/ only).
 *
 * Shape:   the way of code_follow.h, with a wish: what the expression that is reached is to give.
 *          Where an expression makes something of its parts (a template, concat(), for ...), the
 *          wish becomes one for the part that must differ. It ends at what is written out
 * Choices: where several parts could be edited, the likeliest comes first, the others with further
 *          attempts (struct code_choices)
 * Proof:   none here; whoever edits evaluates the code again
 */
#pragma once
#include "desired/code_follow.h"

enum {
    CODE_TARGETS_MAX = 1000,
    CODE_RANKS = 3 /* see code_aim_rank */
};

struct code_aiming {
    bool unset;
    struct value value; /* what is wished for, unless it is to be unset */
    struct code_target *target;
    size_t n, room;
    size_t hits; /* targets, and what is as it should be already */
    struct code_choices *choices;
    const struct hcl_file *template; /* of templatefile(), while we are in one */
    struct str why;                  /* the first reason why not, or empty */
    bool failed;
};

/* Handle an expression that is reached; false: follow it as ever. */
bool code_aim_expr(struct code_follow *f, const struct code_source *source,
                   const struct hcl_expr *expr, struct path rest, unsigned depth_left);
/* The same (by the kind of expression) for what is not written out. True: handled. */
bool code_aim_call(struct code_follow *f, const struct code_source *source,
                   const struct hcl_expr *expr, struct path rest, unsigned depth_left);
bool code_aim_template(struct code_follow *f, const struct code_source *source,
                       const struct hcl_expr *expr, struct path rest, unsigned depth_left);
bool code_aim_for(struct code_follow *f, const struct code_source *source,
                  const struct hcl_expr *expr, struct path rest, unsigned depth_left);
bool code_aim_format(struct code_follow *f, const struct code_source *source,
                     const struct hcl_expr *call, struct path rest, unsigned depth_left);

bool code_aim_file(struct code_follow *f, const struct code_source *source,
                   const struct hcl_expr *call, struct path rest);
bool code_aim_template_file(struct code_follow *f, const struct code_source *source,
                            const struct hcl_expr *call, struct path rest, unsigned depth_left);
/* A text inside of the template of a file is to say something else. */
bool code_aim_file_text(struct code_follow *f, const struct code_source *source,
                        const struct hcl_expr *text, struct str now);
/* A file is to have that text. */
bool code_aim_whole_file(struct code_follow *f, const struct hcl_file *file, struct str text);

/* On from an expression with another wish (NULL: the part goes); then the old one is back. False:
 * it leads nowhere, and the aim has failed. */
bool code_aim_on(struct code_follow *f, const struct code_source *source,
                 const struct hcl_expr *expr, struct path rest, const struct value *want,
                 unsigned depth_left);
/* One of n for this attempt. n > 0 */
size_t code_aim_choose(struct code_follow *f, size_t n);
/* Always false. */
bool code_aim_fail(struct code_follow *f, const struct code_source *source,
                   const struct hcl_expr *expr, const char *why);
/* The wish as a whole at `expr`, which gives `old`: member by member, element by element. True
 * where it can be taken apart (or has failed). */
bool code_aim_parts(struct code_follow *f, const struct code_source *source,
                    const struct hcl_expr *expr, const struct value *old, unsigned depth_left);
/* An edit of expr. */
bool code_aim_at(struct code_follow *f, const struct code_source *source,
                 const struct hcl_expr *expr, struct path rest, enum code_target_part part,
                 const struct value *value);
/* Is it written out where it stands? */
bool code_aim_written(const struct hcl_expr *expr);
/* Which of several parts is edited first: what is written out, then what is of this instance alone,
 * then anything else. In a module that is called: of this instance, given by the call, else. */
unsigned char code_aim_rank(struct code_follow *f, const struct code_source *source,
                            const struct hcl_expr *expr);
/* A variable of a module has no value but its default: another argument of the call, else the
 * default. True: it is the argument, and a target. */
bool code_aim_argument(struct code_follow *f, const struct code_source *source,
                       const struct code_module_call *call, struct str name,
                       const struct hcl_expr *otherwise, struct path rest);
/* Equal, or the same text (5 and "5"). */
bool code_aim_alike(const struct value *a, const struct value *b);
bool code_aim_has(const struct value *list, const struct value *v);
struct path code_aim_path(struct code_follow *f, struct path_step step, struct path rest);
/* A value as text; false where it is none. */
bool code_aim_text(struct code_follow *f, const struct value *v, struct str *ret);

/* --- parts that stand one behind the other, code_aim_split.c --- */

struct code_split {
    size_t n; /* parts */
    const size_t *len;
    const unsigned char *rank; /* of each: which is edited first */
    const bool *written;       /* written out where it stands */
    size_t want;               /* the length of what is wished for */
    /* Does what is wished for have the whole of a part at `to`? It is long enough. */
    bool (*same)(const void *ctx, size_t part, size_t to);
    const void *ctx;
    size_t *from; /* of each part in what is wished for, and the end: n + 1 */
};
/* Which part of what is wished for each of them is to give: one differs, else those written out. */
bool code_aim_split(struct code_follow *f, const struct code_split *split);

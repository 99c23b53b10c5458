/* edit_assign.h - what the two halves of edit_path.h share; not for its users. */
#pragma once
#include "lang/hcl/edit_path.h"

/* Make a whole expression give v. expr is what stands inside of parentheses. */
bool edit_assign(struct hcl_edit *edit, const struct hcl_expr *expr, const struct value *v,
                 struct hcl_known known, unsigned depth_left, struct hcl_obstacle *ret);

/* Without parentheses and "${ }" around it. */
const struct hcl_expr *edit_inner(const struct hcl_expr *expr);
/* Both fill *ret and give false. */
bool edit_blocked(const struct hcl_expr *expr, struct path rest, struct hcl_obstacle *ret);
bool edit_obstacle(enum hcl_obstacle_kind kind, const struct hcl_expr *expr, struct path rest,
                   struct hcl_obstacle *ret);
struct path edit_below(struct path path);
/* The key of an item as text; false where only evaluation tells. */
bool edit_key(struct arena *arena, const struct hcl_item *item, struct str *ret);
size_t edit_find_item(struct arena *arena, const struct hcl_expr *object, struct str key,
                      bool *ret_computed);
bool edit_is_call(const struct hcl_expr *expr, struct str name);
/* The key that a step into an object means; ptr NULL where the arena is full. */
struct str edit_step_key(struct arena *arena, const struct path_step *step);
/* Are two values equal, whatever kind of list or object holds them? Not if either is unknown. */
bool edit_same(const struct value *a, const struct value *b);
/* What is known of a member. */
struct hcl_known edit_member_known(struct hcl_known known, struct str key);

/* --- merge(...), edit_merge.c --- */

bool edit_set_merged(struct hcl_edit *edit, const struct hcl_expr *merge, struct path rest,
                     const struct value *v, struct hcl_known known, struct hcl_obstacle *ret);
bool edit_unset_merged(struct hcl_edit *edit, const struct hcl_expr *merge, struct path rest,
                       struct hcl_known known, struct hcl_obstacle *ret);
bool edit_assign_merge(struct hcl_edit *edit, const struct hcl_expr *merge, const struct value *v,
                       struct hcl_known known, unsigned depth_left, struct hcl_obstacle *ret);

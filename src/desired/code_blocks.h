/* code_blocks.h - nested blocks of an instance, what makes them, and how the code would make
 * others.
 *
 * Blocks:  those of one type in one body, in the order of the code; a dynamic block makes as many
 *          of them as its for_each has elements
 * Edits:   of the constructors (or the arguments of calls) that decide which elements there are,
 *          found through variables, module arguments, locals, conditionals, `for`, concat(),
 *          merge() and their like. They are a guess until the edited code was evaluated
 */
#pragma once
#include "desired/code.h"

struct code_dynamic;
struct code_place_of;

struct code_nested {
    const struct hcl_file *file;
    const struct hcl_block *block; /* as written; of what a dynamic block makes: that one */
    size_t dynamic;                /* which one; SIZE_MAX: it is written */
    struct value config;
};
struct code_blocks {
    struct str type;
    const struct code_nested *block;
    size_t n;
    const struct code_dynamic *const *dynamic; /* of that type, also those that make nothing */
    size_t ndynamic;
    const struct schema_block *schema; /* of each; NULL: none is known */
    bool ordered;                      /* the schema has them as a list */
    const struct code_place_of *place; /* the evaluator's own */
};
/* path: of an instance, to the blocks of one type; indices as code_explain counts. False: no such
 * block can be there, or they cannot be known. */
bool code_blocks_at(struct code *code, const struct code_instance *instance, struct path path,
                    struct code_blocks *ret);
/* Where the blocks that a dynamic block makes begin, and how many there are. */
size_t code_dynamic_from(const struct code_blocks *blocks, size_t dynamic, size_t *ret_n);
/* "main.tf:4", and what it goes through: "var.rules" */
const struct hcl_block *code_dynamic_block(const struct code_blocks *blocks, size_t dynamic,
                                           const struct hcl_file **ret_file,
                                           const struct hcl_expr **ret_for_each);

/* X(constant): what is to be done with `expr` as it is written */
enum code_edit_kind {
    CODE_EDIT_REMOVE,  /* element or item `at` of it goes */
    CODE_EDIT_INSERT,  /* a new element in front of element `at` */
    CODE_EDIT_ITEM,    /* a new item */
    CODE_EDIT_SET,     /* what is at `path` in it is given the value */
    CODE_EDIT_ARGUMENT /* the call gets an argument */
};
struct code_edit {
    enum code_edit_kind kind;
    const struct hcl_file *file;
    const struct hcl_expr *expr;
    size_t at;
    struct str key;
    struct path path;
    bool unset; /* what is there goes; path.n > 0 */
    struct value value;
    const struct code_module_call *call;
};
/* One of the blocks that a dynamic block is to make afterwards. */
struct code_new_nested {
    size_t instead;             /* of that block; SIZE_MAX: of none */
    size_t before;              /* in front of that one */
    const struct value *config; /* NULL: that one goes */
};
/*
 * Edits that make a dynamic block make other blocks.
 * False: *ret_why says what stands in the way, with its place.
 */
bool code_remake_blocks(struct code *code, const struct code_blocks *blocks, size_t dynamic,
                        const struct code_new_nested *change, size_t nchanges,
                        const struct code_edit **ret, size_t *ret_n, struct str *ret_why);

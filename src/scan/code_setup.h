/* code_setup.h - how the code of a stack is opened, for a scan and for those who only look. */
#pragma once
#include "desired/module_tree.h"
#include "live/library.h"
#include "model/stack.h"

/* Files may be read below what the configuration says (`files`), else the repository; without one,
 * below where we are or the root. */
struct str scan_code_folder(struct arena *arena, const struct stack *stack);
/* OpenTofu's own files, a lock file of its registry, or (without one) its state. *ret_untold: there
 * is nothing that tells; then what is written may (struct code_options). */
bool scan_code_is_opentofu(struct arena *arena, const struct stack *stack, bool by_state,
                           bool *ret_untold);
/* The schemas of all that the tree's resources are of, asked for at once; library NULL: none. False
 * only when cancelled or full. */
bool scan_code_fetch(struct arena *arena, struct library *library, const struct code_tree *tree,
                     struct err *err);
/* The evaluated configuration of a provider, by the name that a state has for it; NULL: the code
 * has none. */
struct code;
struct code_provider_instance;
const struct code_provider_instance *scan_code_find_provider(const struct code *code,
                                                             struct str name);
/* "main.tf:3", for messages; false where the arena is full. */
bool scan_code_provider_place(struct arena *arena, const struct code_provider_instance *of,
                              struct str *ret);

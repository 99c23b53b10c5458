/* module_tree.h - a root module and all modules that it calls, read and decoded.
 *
 * Where:   local sources beside their caller; all others where `terraform init` has put them:
 *          .terraform/modules/modules.json (Key "a.b", Source, Dir) in the data directory
 * Owner:   the arena that was given
 * Bounds:  CODE_TREE_DEPTH_MAX calls deep, CODE_TREE_MODULES_MAX in all; past one ERR_LIMIT
 * Errors:  diagnostics as Terraform words them. A module that `init` has not brought is a warning
 *          (with `strict` an error, as Terraform has it) and its tree is NULL. False only for
 *          limits and a root that cannot be read
 * Source:  facts/hcl.md 12; Terraform 1.11 configs (BuildConfig, provider validation)
 */
#pragma once
#include "desired/module.h"

enum { CODE_TREE_DEPTH_MAX = 64, CODE_TREE_MODULES_MAX = 20000 };

struct code_tree {
    struct code_module module; /* the same directory called twice is read once */
    const struct code_tree *parent;
    const struct code_module_call *call; /* NULL for the root */
    struct str path;                     /* "module.a.module.b", without keys; "" = the root */
    struct str source, version;          /* as installed; empty for the root */
    struct code_tree **child;            /* one for each module.calls; NULL = could not be read */
};

struct code_tree_options {
    struct code_read_options read;
    struct str data_dir; /* empty = ROOT/.terraform */
    /* As Terraform does it: local modules must be in modules.json as well ("Module not installed"),
     * and no module is looked at while the root has faults of its own. */
    bool strict;
};

bool code_tree_read(struct arena *arena, struct str root_path,
                    const struct code_tree_options *options, struct hcl_diags *diags,
                    const struct code_tree **ret, struct err *err);
/* The file of that name (as diagnostics have it) in any of its modules; NULL: none, or no tree. */
const struct hcl_file *code_tree_file(const struct code_tree *tree, struct str name);
/* Do the providers that modules pass each other fit? code_tree_read has asked already. */
void code_check_providers(struct arena *arena, const struct code_tree *root, bool opentofu,
                          struct hcl_diags *diags);

/* module.h - one module directory read and decoded: every block of the Terraform language as a
 * struct, nothing evaluated yet.
 *
 * Source:  facts/hcl.md 8; Terraform 1.11 configs package
 * Owner:   the arena that was given; texts of the files included
 * Errors:  diagnostics with Terraform's summaries; what could be read is there
 */
#pragma once
#include "lang/hcl/content.h"
#include "lang/hcl/eval.h"

/* An expression and where it is written. expr NULL = not given. */
struct code_expr {
    const struct hcl_expr *expr;
    const struct hcl_file *file;
    struct hcl_range range; /* of the whole attribute, name included */
};
struct code_place {
    const struct hcl_file *file; /* its name: relative to the root module's folder */
    struct hcl_range range;      /* header of a block, or an attribute */
    uint32_t line, end_line;     /* of the whole block or attribute */
};

struct code_condition { /* precondition, postcondition, validation, assert */
    struct code_expr condition, error_message;
    struct code_place place;
};
struct code_conditions {
    const struct code_condition *item;
    size_t n;
};

struct code_variable {
    struct str name;
    const struct type *type; /* dynamic if not given */
    const struct hcl_type_default *defaults;
    bool has_type, type_string_like; /* -var text is taken literally */
    bool has_default;
    struct code_expr default_expr;
    struct value default_value; /* converted */
    bool nullable, sensitive, ephemeral;
    struct str description;
    struct code_conditions validations;
    struct code_place place;
};
struct code_local {
    struct str name;
    struct code_expr value;
};
struct code_output {
    struct str name;
    struct code_expr value;
    const struct code_expr *depends_on; /* each a reference */
    size_t ndepends_on;
    bool sensitive, ephemeral;
    struct str description;
    struct code_conditions preconditions;
    struct code_place place;
};

struct code_requirement { /* an entry of required_providers */
    struct str local_name, source,
        version;               /* source: registry.terraform.io/hashicorp/aws in full */
    const struct str *aliases; /* of configuration_aliases: "aws.east" as "east" */
    size_t naliases;
    struct code_place place;
};
/* aws.east as written in code: local name and alias (or empty) */
struct code_provider_ref {
    struct str name, alias;
    const struct hcl_expr *key; /* OpenTofu: which one of its for_each; NULL = none */
    struct code_place place;
};
/* A body that an override file (or an escaping block `_`) adds to one. */
struct code_body {
    const struct hcl_file *file;
    const struct hcl_body *body;
};
struct code_provider {
    struct str name, alias;
    const struct hcl_file *file;
    const struct hcl_body *body; /* configuration, meta arguments included (alias, version) */
    const struct code_body *overrides;
    size_t noverrides;
    const struct hcl_body *escape;
    struct code_expr for_each; /* OpenTofu */
    bool has_version;          /* deprecated here */
    struct code_place place;
};

enum code_mode { CODE_MANAGED, CODE_DATA, CODE_EPHEMERAL };
struct code_resource {
    enum code_mode mode;
    struct str type, name;
    const struct hcl_file *file;
    /* The body; an override file's additions follow, the later wins (facts 8 "Files of a module").
     */
    const struct hcl_body *body;
    const struct code_body *overrides;
    size_t noverrides;
    const struct hcl_body *escape; /* of a block `_`: arguments that only look like meta ones */
    struct code_expr count, for_each;
    struct code_expr enabled; /* OpenTofu, in lifecycle: false = there is none */
    const struct code_expr *depends_on;
    size_t ndepends_on;
    bool has_provider;
    struct code_provider_ref provider;
    struct str provider_source; /* in full, from required_providers or the default */
    bool create_before_destroy, prevent_destroy;
    bool ignore_all;
    const struct hcl_traversal *ignore_changes; /* root = the attribute */
    size_t nignore_changes;
    struct code_place ignore_place;
    const struct code_expr *replace_triggered_by;
    size_t nreplace_triggered_by;
    struct code_conditions preconditions, postconditions;
    struct str check; /* name of the check block that it is in, or empty */
    struct code_place place;
};
struct code_module_call {
    struct str name, source, version; /* source cleaned as modules.json has it; empty = bad */
    struct code_expr source_expr;
    const struct hcl_file *file;
    const struct hcl_body *body; /* arguments, meta arguments included */
    const struct code_body *overrides;
    size_t noverrides;
    const struct hcl_body *escape; /* of a block `_`: arguments that only look like meta ones */
    struct code_expr count, for_each;
    struct code_expr enabled; /* OpenTofu, in lifecycle: false = there is none */
    const struct code_expr *depends_on;
    size_t ndepends_on;
    struct code_passed_provider {
        struct code_provider_ref inner, outer;
        struct hcl_range range;
    } const *providers;
    size_t nproviders;
    bool has_providers, has_depends_on;
    struct code_place place;
};
struct code_moved { /* also removed (to empty) */
    struct code_expr from, to;
    bool destroy; /* removed: lifecycle { destroy } */
    struct code_place place;
};
struct code_import {
    struct code_expr to, id, identity, for_each;
    bool has_provider;
    struct code_provider_ref provider;
    struct code_place place;
};
struct code_check {
    struct str name;
    struct code_conditions asserts;
    struct code_place place;
};

struct code_module {
    struct str dir;                      /* relative to the root module: "." or modules/x */
    struct str path;                     /* on disk */
    const struct hcl_file *const *files; /* in order of loading */
    size_t nfiles;
    bool opentofu; /* has .tofu files */
    bool cut;      /* a file has syntax errors: what it declares may be missing here */
    /* Each sorted by name, except where order matters (moved, removed, imports). */
    const struct code_variable *variables;
    const struct code_local *locals;
    const struct code_output *outputs;
    const struct code_requirement *requirements;
    const struct code_provider *providers;
    const struct code_resource *resources; /* data and ephemeral too; by mode, type, name */
    const struct code_module_call *calls;
    const struct code_moved *moved, *removed;
    const struct code_import *imports;
    const struct code_check *checks;
    size_t nvariables, nlocals, noutputs, nrequirements, nproviders, nresources, ncalls, nmoved,
        nremoved, nimports, nchecks;
    const struct code_expr *required_version;
    size_t nrequired_version;
    struct str backend_type; /* or "cloud", or empty */
    const struct hcl_body *backend;
    const struct hcl_file *backend_file;
    struct code_place backend_place;
};

struct code_read_options {
    struct str root_dir; /* on disk: names in messages are relative to it */
    bool opentofu;       /* .tofu files too, OpenTofu's rules */
    /* Instead of the disk (edits check a text before it is written): the file's text, or false. */
    bool (*read)(void *ctx, struct str path, struct str *ret);
    /* The names in a directory instead of the disk's (another commit's tree; read then has every
     * file there is, and false means that there is none). NULL = the disk's names. False: there is
     * no such directory. */
    bool (*list)(void *ctx, struct str dir, const struct str **ret_names, size_t *ret_n);
    void *ctx;
};

/* The directory `path`, named `dir` in messages. False for limits and a folder that cannot be read.
 */
bool code_module_read(struct arena *arena, struct str path, struct str dir,
                      const struct code_read_options *options, struct hcl_diags *diags,
                      struct code_module *ret, struct err *err);
/* What of a provider block is not the provider's own. */
extern const struct hcl_body_spec code_provider_meta;
/* Does the provider (source in full) come with Terraform itself: terraform_data and the like? */
bool code_is_builtin(struct str provider);
const struct code_variable *code_find_variable(const struct code_module *module, struct str name);
const struct code_local *code_find_local(const struct code_module *module, struct str name);
const struct code_output *code_find_output(const struct code_module *module, struct str name);
const struct code_resource *code_find_resource(const struct code_module *module,
                                               enum code_mode mode, struct str type,
                                               struct str name);
const struct code_module_call *code_find_call(const struct code_module *module, struct str name);

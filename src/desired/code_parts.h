/* code_parts.h - what the files of the evaluator of configurations share; not for users of code.h.
 *
 * Shape:   a tree of modules as written (struct code_config); a graph of what is written in them
 *          (struct code_node: one for a local, an output, a resource block ...); walks over that
 *          graph, one as `terraform validate` does it and one as `plan` does. A walk keeps the
 *          instances of modules and the values of nodes by module instance
 * Order:   a node is evaluated when all that it refers to is; if one of those failed, it is left
 *          out without a word, as Terraform leaves it out
 * Source:  Terraform 1.11 internal/terraform (the walks), internal/lang (scopes)
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "desired/code.h"
#include "desired/code_address.h"
#include "desired/module_tree.h"
#include "lang/hcl/ops.h"

enum {
    CODE_INSTANCES_MAX = 2000000, /* defaults of struct code_limits */
    CODE_NODES_MAX = 5000000,     /* in the graph */
    CODE_BODY_DEPTH_MAX = 64,     /* nested blocks */
    CODE_FILE_MAX = 64 << 20,     /* bytes of a tfvars file */
    CODE_STEPS_MAX = 500000000,   /* of evaluation in all */
};
#define CODE_ARENA_LIMIT ((size_t)4 << 30) /* the evaluator gives up at half of it */

struct code_moves;
struct code_needs;
struct code_walk;
struct code_node;
struct code_scope;

/* --- the tree of modules as written --- */

struct code_config {
    const struct code_module *module;
    struct code_config *parent;          /* NULL: the root */
    const struct code_module_call *call; /* NULL: the root */
    struct code_config **child;          /* by index of module->calls; NULL = not read */
    struct str path;                     /* module.a.module.b, without keys; "" = the root */
    uint32_t index;                      /* in struct code */
    /* Nodes, in the order of the module's lists. */
    struct code_node *variables, *validations, *locals, *outputs, *calls, *closes, *resources,
        *providers, *checks;
};

/* --- references --- */

enum code_ref_kind {
    CODE_REF_INVALID, /* not a reference at all: summary and detail say why */
    CODE_REF_VARIABLE,
    CODE_REF_LOCAL,
    CODE_REF_MODULE,    /* module.a */
    CODE_REF_MODULE_AT, /* module.a["k"] */
    CODE_REF_OUTPUT,    /* module.a.x, module.a["k"].x */
    CODE_REF_RESOURCE,  /* TYPE.NAME alone */
    CODE_REF_INSTANCE,  /* TYPE.NAME.x, TYPE.NAME[0] */
    CODE_REF_PATH,
    CODE_REF_TERRAFORM,
    CODE_REF_COUNT,
    CODE_REF_EACH,
    CODE_REF_SELF
};
struct code_ref {
    enum code_ref_kind kind;
    struct str root;
    enum code_mode mode;
    struct str type, name, output; /* name: of variable, local, call, resource, attribute */
    bool has_key;
    struct value key;
    const struct hcl_expr *index; /* instead of a key: what gives it; NULL: nothing stands there */
    const struct hcl_step *rest;  /* steps behind */
    size_t nrest;
    struct hcl_range range;
    const struct hcl_file *file;
    struct str summary, detail; /* CODE_REF_INVALID */
};
struct code_refs {
    const struct code_ref *ref;
    size_t n;
};

/* --- the graph --- */

enum code_node_kind {
    CODE_NODE_VARIABLE,
    CODE_NODE_VALIDATION, /* of a variable */
    CODE_NODE_LOCAL,
    CODE_NODE_OUTPUT,
    CODE_NODE_CALL,  /* which instances a module has */
    CODE_NODE_CLOSE, /* all of a module */
    CODE_NODE_RESOURCE,
    CODE_NODE_PROVIDER,
    CODE_NODE_CHECK
};
struct code_node {
    enum code_node_kind kind;
    uint32_t id;
    bool linked;            /* deps are there */
    bool referred;          /* some other's dep, in a way that may use its value */
    struct code_config *in; /* where it is written; of a call and a close: the module that calls */
    size_t at;              /* index in the module's list */
    struct code_node **dep;
    size_t ndeps;
    struct code_refs refs; /* resources: of the whole body */
};

/* --- a walk --- */

struct code_module_instance {
    struct code_config *config;
    struct code_module_instance *parent;
    struct str address; /* module.a["k"].module.b; "" = the root */
    struct code_each each;
    uint32_t index; /* in its config's list */
};

struct code_made;
/* The instances of one block (resource or call) in one module instance. */
struct code_expansion {
    enum code_key_kind kind;
    bool known;
    uint32_t first, n;      /* of a call: in the child's list */
    struct code_made *made; /* of a resource */
};

struct code_made {            /* one resource instance */
    struct code_instance out; /* what users see; without an address: it was not needed */
    struct code_each each;
    struct code_module_instance *module;
    struct code_node *node;
    struct value planned; /* as expressions see it */
    struct value prior;   /* what the state has; null = nothing */
    bool replaced;        /* it will be made anew */
    bool unread;          /* a data source that a plan reads and that nobody here can */
    bool unreadable;      /* or cannot be read: said so */
};
struct code_import_target { /* an import block, and what it is for */
    const struct code_import *written;
    struct code_config *in;               /* NULL: no such module */
    const struct code_resource *resource; /* NULL: not declared */
};

enum code_state { CODE_NEW, CODE_VISITING, CODE_DONE };
struct code_result {
    enum code_state state;
    bool failed;
    struct value
        *value; /* variable, local, output: by module instance; resource, call: all of it */
    struct code_expansion *expansion; /* call, resource: by module instance */
    bool *whole;                      /* resource, call: value[i] is made */
    /* provider: by module instance, and by key of its for_each */
    struct code_provider_instance *provider;
    size_t nproviders;
    struct code_import_value *imports; /* resource */
    size_t nimports;
};

struct code_instances_of { /* of one config */
    struct code_module_instance *item;
    size_t n;
    bool known; /* the call was expanded */
};

struct code_walk {
    struct code *code;
    bool validate;
    struct hcl_diags *diags;
    struct code_result *result;        /* by node id */
    struct code_instances_of *modules; /* by config index */
    size_t ninstances;
    const struct code_needs *needs; /* of the question that it is for; NULL: of all */
};

struct code_schema_use { /* one (provider, mode, type) */
    struct code_schema_use *next;
    struct str provider, type;
    enum code_mode mode;
    const struct schema *schema;
};

struct code_ref_entry {
    struct code_ref_entry *next;
    const struct hcl_expr *expr;
    struct code_refs refs;
};
struct code_content_entry {
    struct code_content_entry *next;
    const struct hcl_body *body;
    const struct schema_block *block;
    struct hcl_content content;
    struct hcl_diags diags; /* what there is to say of it, each time that it is used */
};
struct code_cached { /* what is made once of a schema or a type: by its address */
    struct code_cached *next;
    const void *of;
    const void *made;
};

enum code_input_kind {
    CODE_INPUT_NONE,
    CODE_INPUT_ENV,
    CODE_INPUT_FILE,
    CODE_INPUT_CLI,
};
struct code_input { /* the value of a root variable from outside, as it wins */
    enum code_input_kind kind;
    bool bad; /* it does not parse; said so */
    struct str name, text;
    struct value value;
    const struct hcl_file *file; /* of a file */
    const struct hcl_expr *expr;
    struct hcl_range range, whole; /* of the value; of the attribute */
};

struct code {
    struct arena arena;
    struct code_options options;
    struct key_table keys;
    struct hcl_diags diags;      /* of loading, then what the evaluation says */
    struct hcl_diags load_diags; /* loading only */
    struct hcl_world world;
    struct hcl_eval ev; /* shared; file and text change */
    const struct code_tree *tree;
    struct code_config *root, **config;
    size_t nconfigs, room_configs;
    struct code_node **node; /* by id */
    size_t nnodes, room_nodes;
    bool broken;  /* loading failed: nothing to evaluate */
    bool selects; /* options.wants is asked */
    bool marked;  /* nodes say whether they are referred to */
    bool evaluated;
    const struct code_input *inputs; /* by index of the root's variables */
    struct code_walk plan;
    struct str question; /* plan.needs: an address, or an expression with a '=' before it */
    size_t ndiags;       /* plan.needs: of code->diags before it */
    struct code_instance *sorted;
    size_t ninstances;
    const struct code_provider_instance *providers;
    size_t nproviders;
    const struct code_output_value *outputs;
    size_t noutputs;
    size_t nslots; /* of each table that follows */
    struct code_schema_use **schema_use;
    struct code_ref_entry **refs;
    struct code_content_entry **content;
    struct code_cached **spec, **type, **block;
    const struct code_scope *scope;           /* what is being evaluated now */
    const struct code_moves *moves;           /* NULL = not read yet */
    const struct code_import_target *imports; /* the same */
    size_t nimports;
    struct str blocked; /* moves that could not be: "\n  - A could not move to B" */
    struct str cwd;
};

/* --- code_tree.c: modules, nodes --- */

bool code_tree_build(struct code *code, const struct code_tree *tree, struct err *err);
static inline struct code_result *code_result(struct code_walk *walk, const struct code_node *node)
{
    return &walk->result[node->id];
}
static inline struct code_instances_of *code_modules(struct code_walk *walk,
                                                     const struct code_config *config)
{
    return &walk->modules[config->index];
}

/* --- code_find.c --- */

/* The walk that values come from is open, and is for all. False: the code is broken, or a limit. */
bool code_ready(struct code *code, struct err *err);
const struct code_made *code_find_made(struct code *code, struct str address);

/* --- code_need.c: what one question needs --- */

/* Of a resource instance, whose modules and resource are declared; of an expression in the root,
 * by its references. code->plan is open. NULL: all is needed. */
const struct code_needs *code_needs_of_instance(struct code *code,
                                                const struct code_address *address,
                                                struct code_node *node);
const struct code_needs *code_needs_of_refs(struct code *code, struct code_refs refs);
bool code_is_needed_at_all(const struct code_walk *walk, const struct code_node *node);
/* In this module instance; each: of a resource, this one of its instances; NULL: any of it. */
bool code_is_needed(const struct code_walk *walk, const struct code_node *node,
                    const struct code_module_instance *module, const struct code_each *each);

/* --- code_graph.c: what refers to what, and the order of evaluation --- */

/* Fill node->dep, once. False: memory is out. */
bool code_link_node(struct code *code, struct code_node *node);
/* Link all of them, and say which ones are referred to. False: memory is out. */
bool code_mark_referred(struct code *code);
/* Evaluate the node after all that it needs. False: it failed, or something before it. */
bool code_visit(struct code_walk *walk, struct code_node *node);
/* Report cycles among all nodes; true if there are none. */
bool code_check_cycles(struct code_walk *walk);
bool code_walk_open(struct code *code, bool validate, struct hcl_diags *diags,
                    struct code_walk *ret);
bool code_walk_all(struct code_walk *walk);

/* --- code_ref.c --- */

/* The references of an expression, found once. */
struct code_refs code_refs_of(struct code *code, const struct hcl_file *file,
                              const struct hcl_expr *expr);
void code_ref_parse(struct code *code, const struct hcl_file *file,
                    const struct hcl_traversal *traversal, struct code_ref *ret);
/* The node that a reference is to; NULL if there is none. */
struct code_node *code_ref_node(const struct code_config *in, const struct code_ref *ref);
struct str code_ref_text(struct arena *arena, const struct code_ref *ref); /* data.t.n, var.x */

/* Of a body, attributes and blocks that the schema has (block NULL: all), as Terraform looks for
 * them: code_body_refs.c. */
struct code_refs code_resource_refs(struct code *code, const struct code_config *in,
                                    const struct code_resource *resource);
struct code_refs code_provisioner_refs(struct code *code, const struct code_resource *resource);
struct code_refs code_provider_refs(struct code *code, const struct code_config *in,
                                    const struct code_provider *provider);
/* The configuration that a resource uses, where it is written; NULL = the empty default. */
struct code_node *code_provider_node(struct code *code, const struct code_config *in,
                                     const struct code_resource *resource);

/* Those that no iterator of a dynamic block in scope->names hides. */
struct code_refs code_free_refs(const struct code_scope *scope, const struct hcl_file *file,
                                const struct hcl_expr *expr);

/* --- code_scope.c: evaluating expressions in a place --- */

struct code_scope {
    struct code_walk *walk;
    struct code_module_instance *module;
    struct code_each each;
    const struct value *self_value; /* or NULL */
    struct str check;               /* name of the check block that this is in, or empty */
    bool unread;                    /* its data source was not read here */
    /* A value that hides the variable's own (validation). */
    const struct code_variable *variable;
    struct value variable_value;
    const struct schema *self_schema;
    /* Iterators of dynamic blocks, the outermost on a scope of code_resolve; or NULL. */
    const struct hcl_scope *names;
};
bool code_resolve(void *ctx, struct hcl_eval *ev, const struct hcl_traversal *traversal,
                  struct value *ret, size_t *ret_steps);
/* Is every reference fine? Says what is not. */
bool code_check_refs(const struct code_scope *scope, struct code_refs refs);
/* References checked, evaluated, converted to `want` (dynamic: as it is). False: said why, *ret is
 * an unknown of that type. */
bool code_eval(const struct code_scope *scope, const struct hcl_file *file,
               const struct hcl_expr *expr, const struct type *want, struct value *ret);
/* The same without the checks of references, for bodies that have checked all of theirs. */
bool code_eval_unchecked(const struct code_scope *scope, const struct hcl_file *file,
                         const struct hcl_expr *expr, struct value *ret);
void code_say(struct code_walk *walk, const struct hcl_file *file, struct hcl_range subject,
              bool warning, const char *summary, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
/* All of `diags` once more. */
void code_say_again(struct code_walk *walk, const struct hcl_diags *diags);
/* Without a place. */
void code_say_at_all(struct code_walk *walk, bool warning, const char *summary, const char *fmt,
                     ...) __attribute__((format(printf, 4, 5)));

/* Does the rest of a reference exist in the schema? Says what does not. */
bool code_check_traversal(const struct code_scope *scope, const struct hcl_file *file,
                          const struct schema_block *block, const struct hcl_step *step, size_t n);

bool code_check_depends_on(const struct code_scope *scope, const struct code_expr *list, size_t n);
/* Ephemeral values are for write-only attributes only. */
bool code_check_ephemeral(const struct code_scope *scope, const struct code_resource *resource,
                          const struct schema_block *block, const struct value *config);
/* Where an attribute of a resource is written: its value; else the header. */
struct code_place code_attribute_place(struct code *code, const struct code_resource *r,
                                       struct str name);
/* The provider is known and has no such type; always false. */
bool code_say_no_type(struct code_walk *walk, const struct code_resource *r);

/* --- code_condition.c --- */

enum code_condition_kind {
    CODE_CONDITION_BEFORE, /* of a resource */
    CODE_CONDITION_AFTER,
    CODE_CONDITION_OUTPUT,
    CODE_CONDITION_CHECK /* failures are warnings */
};
bool code_run_conditions(const struct code_scope *scope, const struct code_conditions *list,
                         enum code_condition_kind kind);
/* A validation rule of a variable; references are checked already. */
bool code_run_rule(const struct code_scope *scope, const struct code_condition *c,
                   const struct code_place *subject);

/* --- code_plan.c, code_remote_state.c --- */

/* False: said why it cannot be planned. */
bool code_plan_instance(struct code_walk *walk, struct code_made *made);
/* Is the configuration of a terraform_remote_state one? Says what is not. */
bool code_check_remote_state(struct code_walk *walk, const struct code_resource *r,
                             const struct value *config);
/* False: it cannot be read here; *ret_missing: because the file is not there. */
bool code_read_remote_state(struct code_walk *walk, const struct code_made *made, struct value *ret,
                            bool *ret_missing);

/* --- code_move_check.c --- */

/* After a walk: statements that contradict each other or what is declared. */
bool code_check_moves(struct code_walk *walk);
void code_warn_blocked(struct code_walk *walk);
/* Before it: what is removed must not be declared. */
bool code_check_removed(struct code_walk *walk);

/* --- code_import.c, code_trigger.c --- */

const struct code_import_target *code_import_targets(struct code *code, size_t *ret_n);
bool code_run_imports(struct code_walk *walk, struct code_node *node);
/* Modules that imports are for and that are not there: then nothing else is said. */
bool code_check_import_modules(struct code_walk *walk);
bool code_check_imports(struct code_walk *walk);
bool code_check_imported(struct code_walk *walk, const struct code_node *node);
/* What an instance is to be imported as; NULL = nothing. */
const struct code_import_value *code_import_of(struct code_walk *walk,
                                               const struct code_made *made);
/* The steps of an expression that names something, its keys evaluated: count.index, each.key and
 * each.value may be in them. False where it names nothing, or a key has an error, which is told. */
bool code_steps_of(const struct code_scope *scope, const struct code_expr *e,
                   struct hcl_traversal *ret);
/* Does a change elsewhere make it anew? */
bool code_is_triggered(struct code_walk *walk, const struct code_made *made);
/* Says which replace_triggered_by name what is not there. */
void code_check_triggers(struct code_walk *walk, const struct code_made *made);
/* Does a data source have to wait for changes of what its depends_on names? */
bool code_data_waits(struct code_walk *walk, const struct code_made *made);

/* --- code_provisioner.c --- */

/* One after the other, until there are errors; fine: what is known of the resource so far. */
bool code_check_provisioners(const struct code_scope *scope, const struct code_resource *r,
                             bool fine);
/* Before everything else: provisioners that do not exist. */
bool code_check_plugins(struct code_walk *walk);

/* --- code_provider.c --- */

/* Before everything else: resources of provider configurations that are not there. */
bool code_check_provider_refs(struct code_walk *walk);
/* provider["..."].alias["key"] with its module, as states have it, for an instance whose arguments
 * are evaluated in that scope. */
struct str code_provider_config_text(const struct code_scope *scope, const struct code_resource *r);
/* The same where all instances of the resource in one module have one; else empty. */
struct str code_provider_config_shared(struct code *code, const struct code_config *in,
                                       const struct code_resource *r);
/* struct hcl_world.call_provider; ctx = struct code */
bool code_call_provider(void *ctx, struct hcl_eval *ev, struct str name, const struct value *args,
                        size_t nargs, struct value *ret);
size_t code_bodies_of(struct code *code, const struct code_resource *r,
                      const struct code_body **ret);

/* --- values --- */

/* Of a resource and of a module, for the steps that a reference has; code_resource.c, code_call.c
 */
struct value code_resource_value(const struct code_scope *scope, const struct code_ref *ref,
                                 size_t *ret_steps);
struct value code_module_value(const struct code_scope *scope, const struct code_ref *ref,
                               size_t *ret_steps);

bool code_run_variable(struct code_walk *walk, struct code_node *node);
bool code_run_validation(struct code_walk *walk, struct code_node *node);
bool code_run_local(struct code_walk *walk, struct code_node *node);
bool code_run_output(struct code_walk *walk, struct code_node *node);
bool code_run_call(struct code_walk *walk, struct code_node *node);
bool code_run_resource(struct code_walk *walk, struct code_node *node);
bool code_run_provider(struct code_walk *walk, struct code_node *node);
bool code_run_check(struct code_walk *walk, struct code_node *node);

/* code_variable.c: the argument of a call for a variable; NULL expr if it is not given. */
const struct hcl_attribute *code_call_argument(struct code *code,
                                               const struct code_module_call *call, struct str name,
                                               const struct hcl_file **ret_file);
/* source, count ...: arguments of the call itself */
bool code_is_call_meta(struct str name);
/* Arguments that the module does not have, or that are missing. True if all is well. */
bool code_check_calls(struct code_walk *walk);

/* code_input.c: values of root variables from outside. False: there are errors. */
bool code_read_inputs(struct code *code, struct hcl_diags *diags);

/* --- code_expand.c: count and for_each --- */

struct code_keys {
    enum code_key_kind kind;
    bool known;
    size_t n;
    const struct code_each *each;
};
bool code_expand(const struct code_scope *scope, const struct code_expr *count,
                 const struct code_expr *for_each, struct code_keys *ret);
/* Of what has neither: none where enabled (or NULL expr) is false. */
bool code_expand_enabled(const struct code_scope *scope, const struct code_expr *enabled,
                         struct code_keys *keys);

/* --- schemas (code_schema.c) --- */

const void *code_cached_find(const struct code *code, struct code_cached *const *table,
                             const void *of);
/* Gives `made` back; not to be found again where memory is out. */
const void *code_cached_add(struct code *code, struct code_cached **table, const void *of,
                            const void *made);

/* Of the built-in provider too; NULL if it is not known. */
const struct schema *code_schema_of(struct code *code, struct str provider, enum code_mode mode,
                                    struct str type);
const struct schema *code_provider_schema_of(struct code *code, struct str provider);
/* Attributes, blocks and `dynamic`, for hcl_body_content. */
const struct hcl_body_spec *code_body_spec(struct code *code, const struct schema_block *block);
/* May attributes of that block be written as blocks (providers of the old SDK)? */
bool code_attributes_as_blocks(const struct schema_block *block);
bool code_can_be_blocks(const struct schema_attribute *attribute);
/* A block whose attributes are the object's. */
const struct schema_block *code_block_of_type(struct code *code, const struct type *object);
/* The type that a configuration is converted to: members of nested attributes that may be left out
 * are optional. */
const struct type *code_attribute_type(struct code *code, const struct schema_attribute *attribute);

/* --- bodies: code_tree_of_body.c expands, code_body.c makes values --- */

struct code_item { /* an attribute of an expanded body */
    struct str name;
    const struct hcl_file *file;
    const struct hcl_attribute *written;
    struct code_body_tree *blocks; /* attribute written as blocks: then `written` is NULL */
    size_t nblocks;
};
/* The dynamic block that a block comes from, and which element of its for_each. */
struct code_generated {
    const struct hcl_file *file;
    const struct hcl_attribute *for_each;
    const struct hcl_scope *names; /* where for_each is evaluated */
    struct str iterator;
    struct value key; /* of a list: its index; of a set: the element */
    bool set;
    const struct code_generated *outer;
};
/* A dynamic block of a body, also where it makes nothing. */
struct code_dynamic {
    const struct hcl_file *file;
    const struct hcl_block *block, *content;
    const struct hcl_attribute *for_each;
    struct str iterator;
    struct value each;                  /* what for_each gives */
    const struct hcl_scope *names;      /* where for_each is evaluated */
    const struct code_generated *outer; /* the dynamic block around it; or NULL */
    size_t from, n;                     /* the children of the body that it makes */
};
/* A body with its dynamic blocks expanded. */
struct code_body_tree {
    struct str type, label; /* of the block that it is; label: of map blocks */
    const struct hcl_file *file;
    const struct hcl_block *written; /* or the dynamic block that makes it; NULL: the outermost */
    struct hcl_range header, missing;
    const struct schema_block *block;       /* NULL: no schema */
    const struct hcl_scope *names;          /* iterators here */
    const struct code_generated *generated; /* the innermost dynamic block around it; or NULL */
    bool is_generated;                      /* it is itself made by that one */
    bool unknown;                           /* of a dynamic block whose for_each cannot be known */
    uint8_t marks;                          /* of the for_each */
    const struct code_item *item;
    size_t nitems;
    const struct code_body_tree *child;
    size_t nchildren;
    const struct code_dynamic *dynamic;
    size_t ndynamic;
};
/* What bodies hold: the first one, override files' additions behind it. meta: names that are not
 * the schema's. False if there are errors (diags; those of references are said at once); what could
 * be read is in *ret. */
bool code_expand_body(const struct code_scope *scope, const struct code_body *bodies,
                      size_t nbodies, const struct schema_block *block,
                      const struct hcl_body_spec *meta, struct hcl_diags *diags,
                      struct code_body_tree *ret);
/* References checked, then evaluated: an object. block NULL: attributes as they are, blocks as
 * tuples of objects. */
bool code_body_value(const struct code_scope *scope, const struct code_body *bodies, size_t nbodies,
                     const struct schema_block *block, const struct hcl_body_spec *meta,
                     struct value *ret);
/* The object of one expanded body. False where it gives errors. */
bool code_tree_value(const struct code_scope *scope, const struct code_body_tree *tree,
                     struct value *ret);
extern const struct hcl_body_spec code_resource_meta, code_no_meta;

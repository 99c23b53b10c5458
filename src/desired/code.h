/* code.h - what the code itself asks for: a root module with its tree of modules, evaluated.
 *
 * The way: code_open reads and decodes the tree (module.h), code_evaluate gives the instances with
 * typed values; code_explain follows one attribute to the expression that decides it.
 * Source:  facts/hcl.md 8 and 12
 * Owner:   one struct code has one arena; all that is given lives until code_close
 * Errors:  diagnostics (code_diags), as Terraform words them; false only for limits and I/O
 * Reads:   files below the repository only; runs nothing, asks no network
 */
#pragma once
#include "desired/module_tree.h"
#include "model/schema.h"
#include "value/path.h"

struct code;
struct digest;

struct code_input_value { /* -var NAME=TEXT, or -var-file PATH; in the order of the command line */
    bool is_file;
    struct str name, text; /* text: the value, or the path */
};
struct code_made;
struct code_instance;
enum code_phase {
    CODE_VALIDATE, /* terraform validate: variables unknown */
    CODE_PLAN,     /* variables given or defaulted; a missing required one is an error */
    CODE_EXPLORE   /* a missing required variable is unknown and noted (fresh clones, check) */
};
struct code_limits {    /* 0 = the default */
    uint64_t steps;     /* of evaluation in all: 500,000,000 */
    uint64_t instances; /* of resources and modules: 2,000,000; of one count or for_each: half */
    size_t bytes;       /* of memory: 4 GiB, evaluation gives up at half of it */
};
struct code_options {
    struct str root_dir;  /* the root module */
    struct str repo_dir;  /* files may be read below it; empty = root_dir */
    struct str workspace; /* empty = default */
    bool opentofu;
    bool untold; /* if it is not: nothing says so; a provider block with for_each makes it one */
    enum code_phase phase;
    bool in_spite_of_errors; /* CODE_VALIDATE: look at references although declarations have errors
                              */
    bool validated; /* CODE_VALIDATE of the same has found no errors: they are not looked for again
                     */
    const struct code_input_value *inputs;
    size_t ninputs;
    /* TF_VAR_name; NULL = none */
    const char *(*env)(void *ctx, const char *name);
    /* The schema of a type of a provider (source in full); NULL = not known. Data sources too. */
    const struct schema *(*schema)(void *ctx, struct str provider, enum code_mode mode,
                                   struct str type);
    const struct schema *(*provider_config_schema)(void *ctx, struct str provider);
    /* What the state has of an instance (managed or data, address with index): its attributes as
     * the state's JSON has them (untyped; dynamic ones as {value, type}); false = nothing. */
    bool (*state)(void *ctx, struct str address, struct value *ret);
    /*
     * What the provider plans (PlanResourceChange), where it can be asked: config and prior are of
     * the schema's type, prior null = it is made; proposed is what the evaluator says by itself.
     * *ret_replace: it must be made anew, and is asked for once more with prior null. False = as
     * proposed. NULL = as proposed, always.
     */
    bool (*plan)(void *ctx, const struct code_instance *instance, const struct value *prior,
                 const struct value *config, const struct value *proposed, struct value *ret,
                 bool *ret_replace);
    /*
     * Instead of what the state has of a managed instance: *ret of the schema's type, null where it
     * is gone. False = as the state has it. NULL = always.
     */
    bool (*now)(void *ctx, struct str address, struct value *ret);
    /*
     * Is anybody to be told of that managed instance? One that nobody wants, and whose resource
     * nothing refers to, is not evaluated, and is not among the instances. Not asked where `moved`
     * blocks give instances other names, and of what import blocks name. NULL = all are.
     */
    bool (*wants)(void *ctx, struct str address);
    /* Mark unknown values that an apply decides with VALUE_PENDING: what nobody can tell has none.
     * Data sources wait for what they depend on, as in a plan. */
    bool pending;
    /* provider::NAME::FUNCTION by provider source; NULL = unknown results */
    bool (*call_function)(void *ctx, struct hcl_eval *ev, struct str provider, struct str name,
                          const struct value *args, size_t nargs, struct value *ret);
    /* Instead of the disk; see code_read_options. What file functions read comes from there too. */
    bool (*read)(void *ctx, struct str path, struct str *ret);
    bool (*list)(void *ctx, struct str dir, const struct str **ret_names, size_t *ret_n);
    void *ctx;
    int64_t now_utc_ms; /* INT64_MIN = unknown */
    struct code_limits limits;
};

struct code_instance {
    struct str address, module; /* module: "" or module.a["k"] */
    enum code_mode mode;
    struct str type, name;
    struct value index_key; /* null, number or string */
    const struct code_resource *resource;
    const struct code_module *in; /* the module that it is written in */
    struct str provider;          /* source in full */
    struct str provider_config;   /* as states write it: provider["..."].alias, with its module */
    const struct schema *schema;  /* or NULL: values are as written then, attributes unconverted */
    /*
     * The configuration: an object of the schema's type, null where the code says nothing, unknown
     * where it cannot be known. Ignored paths are as the code has them (see ignore_changes).
     */
    struct value config;
    /* As a plan shows it: config, with computed attributes from the state, else unknown; ignored
     * paths from the state. */
    struct value desired;
    bool failed;                  /* its evaluation gave errors, or nobody wants it; config is
                                     unknown */
    bool triggered;               /* replace_triggered_by asks for another one */
    const struct code_made *made; /* the evaluator's own */
};
struct code_provider_instance {          /* a provider configuration that resources use */
    struct str provider, config_name;    /* config_name as code_instance.provider_config */
    struct value config;                 /* object; unknown parts stay unknown */
    const struct code_provider *written; /* NULL = the empty default */
    struct str unknown_because; /* which expression cannot be known, with its place; or empty */
};
/* Which of its expressions cannot be known, with its place, going by `config`; or empty. */
struct str code_provider_unknown(struct arena *arena, const struct code_provider *written,
                                 const struct value *config);
/* Nothing of it has to be evaluated. */
bool code_provider_is_constant(const struct code_provider *written);
/* Of the text of its block, with what override files add to it. */
bool code_provider_digest(const struct code_provider *written, struct digest *ret, struct err *err);
struct code_output_value {
    struct str name;
    struct value value;
    bool sensitive;
};

/* Read the tree. What does not parse is in the diagnostics. */
bool code_open(const struct code_options *options, struct code **ret, struct err *err);
/* Evaluate all of it, once. */
bool code_evaluate(struct code *code, struct err *err);
void code_close(struct code *code);

const struct hcl_diags *code_diags(const struct code *code);
const struct code_module *code_root_module(const struct code *code);
/* False: the files themselves have errors, and nothing is evaluated. */
bool code_is_sound(const struct code *code);
/* The root and all modules that it calls. */
const struct code_tree *code_module_tree(const struct code *code);
/* Sorted by address (module path, then mode, type, name, key as Terraform sorts). */
const struct code_instance *code_instances(const struct code *code, size_t *ret_n);
/* Evaluates no more than this one needs, if not all is evaluated yet. NULL: it is not there. */
const struct code_instance *code_find_instance(struct code *code, struct str address);
/* May other values follow from those of the instance: does anything refer to its resource, or a
 * condition of its own look at them? True also where that cannot be told. After code_evaluate. */
bool code_is_followed(struct code *code, const struct code_instance *instance);
/* Is the resource written in any module of the tree? Keys in the address do not matter. */
bool code_is_declared(struct code *code, struct str address);
/* Is it the address of a module (keys do not matter)? *ret: what is called; NULL: it is not there.
 */
bool code_find_called(struct code *code, struct str address, const struct code_module **ret);
/* The provider (source in full) that a resource of that type in the root module would have without
 * a `provider` argument. ptr NULL where memory is out. */
struct str code_provider_of_type(struct code *code, struct str type);
/* The module that a module instance ("", module.a["k"].module.b) is of; NULL if there is none. */
const struct code_module *code_find_module(struct code *code, struct str module_address);
const struct code_provider_instance *code_provider_instances(const struct code *code,
                                                             size_t *ret_n);
const struct code_output_value *code_outputs(const struct code *code, size_t *ret_n);
/* What import blocks ask for, as far as it is evaluated. */
struct code_import_value {
    struct str address; /* of the instance */
    struct value id;    /* string; or by_identity: an object */
    bool by_identity;
    const struct code_import *written;
};
const struct code_import_value *code_imports(struct code *code, size_t *ret_n);
/* Addresses that moved blocks and implicit moves give to what a state has: the new address, or the
 * same. False: a `removed` block forgets it. */
bool code_moved_address(struct code *code, struct str state_address, struct str *ret);
/* Evaluate a text in the root module (plumb eval). */
bool code_eval_text(struct code *code, struct str text, struct value *ret,
                    const struct hcl_diags **ret_diags, struct err *err);

/* --- places --- */

/* One link of the chain, from the attribute to the literal that decides it. */
struct code_link {
    const char *what; /* "attribute", "local", "variable", "module argument", "tfvars", "for_each",
                         "output", "default", "dynamic", "environment", "command line" ... */
    struct str name;  /* local.x, var.y; or empty */
    struct str file;  /* relative to the root module; empty = no file (environment) */
    uint32_t line, column, end_line;
    struct hcl_range range;
    const struct hcl_expr *expr; /* the whole of what the link's name is given; NULL = nothing */
    struct path rest;            /* what of the path is left below expr */
    const struct hcl_file *source;
};
struct code_chain {
    const struct code_link *link;
    size_t n;
    struct str unknown_because; /* why the value cannot be known, or empty */
};
/*
 * Which expressions decide this path of this instance (path in the schema's terms: tags["a"],
 * ingress[0].from_port). The longest part of the path that is written is used. False if the code
 * does not set it.
 */
bool code_explain(struct code *code, const struct code_instance *instance, struct path path,
                  struct code_chain *ret);
/* An edit that makes a path of an instance give another value. */
enum code_target_part {
    CODE_TARGET_VALUE, /* what expr gives */
    CODE_TARGET_TEXT,  /* expr is a text inside of a template; `value` is what it says then */
    CODE_TARGET_FIRST, /* expr is a template; `value` is put in front of what it says */
    CODE_TARGET_LAST,  /* ... and behind it */
    CODE_TARGET_FILE,  /* the whole of `source`, which is no code: a file that file() reads */
};
struct code_target {
    const struct hcl_file *source;
    const struct hcl_expr
        *expr; /* NULL: a new argument `name` in `body`, that of a module's call */
    const struct hcl_body *body;
    struct str name;
    struct path rest; /* below expr: what is set or unset there */
    bool unset;
    enum code_target_part part;
    struct value value;      /* as the expression should give it */
    const struct value *old; /* what that part gives now, or NULL */
};
/* Which of several parts to edit, each time that there are some: the first of them, at first. */
enum { CODE_CHOICES_MAX = 32 };
struct code_choices {
    size_t n, at; /* at: made in this attempt */
    uint32_t digit[CODE_CHOICES_MAX], of[CODE_CHOICES_MAX];
};
/* One of n for this attempt. n > 0 */
size_t code_choose(struct code_choices *choices, size_t n);
/* To the next attempt: the last choice differs first. False: there is none. */
bool code_choose_again(struct code_choices *choices);
struct code_aim {
    const struct code_target *target;
    size_t n;       /* 0: there are none */
    struct str why; /* why there are none, with its place; or empty */
    struct code_chain chain;
};
/*
 * What would have to be written elsewhere for the path to give v (NULL: the part goes): through
 * names, functions, templates and `for` as far as they can be turned around. Whether it is right
 * only an evaluation of the edited code tells.
 */
bool code_aim(struct code *code, const struct code_instance *instance, struct path path,
              const struct value *v, struct code_choices *choices, struct code_aim *ret);
/* Why an instance (or any of TYPE.NAME) is not there: the count, for_each or enabled that decides
 * it. */
struct code_absence {
    struct str of;    /* what has it: the resource, or a call on the way; an address */
    const char *meta; /* "count", "for_each", "enabled" */
    bool known;       /* false: it cannot be known how many there are */
    struct value value;
    struct code_chain chain;
};
/* False: no such resource, it is there, or it has neither. */
bool code_explain_absence(struct code *code, struct str address, struct code_absence *ret);
/* The same for an expression in the root module (local.x, module.a.b, var.y): its value, and what
 * decides it. */
bool code_explain_text(struct code *code, struct str text, struct value *ret_value,
                       struct code_chain *ret, const struct hcl_diags **ret_diags, struct err *err);

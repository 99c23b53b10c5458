/* adopt.h - the smallest edit of the code that makes it say what is live; or why there is none.
 *
 * The way: each change leads from an address and a path to the expression that is written there;
 *          literals are edited in place (lang/hcl/edit_path.h). Where the value comes from
 *          elsewhere (a local, a variable's default or tfvars entry, a module's argument, a
 *          for_each map), or something is made of it (a template, concat(), for ...), that place is
 *          edited only if the change asks for its origin; of several the first that is proved
 * Proof:   the edited code is evaluated, and must differ from the code as it is in the intended
 *          places and nowhere else: no other instance, no provider, no new error
 * Refuses: what cannot be turned around (comparisons, length() ...), dynamic blocks, computed
 * attributes, paths under ignore_changes, literals that other instances share, files of installed
 * modules. A refusal is a result, not an error I/O:     reads what code_open reads; writes nothing
 * Source:  facts/hcl.md section 11
 */
#pragma once
#include "desired/code.h"
#include "value/path.h"

struct adopt_change {
    struct str address; /* with module and index: module.m["k"].aws_x.y[0] */
    struct path path;   /* as the schema has it: tags["a"], ingress[0].from_port. Lists of nested
                           blocks, and sets, count as the code is written */
    bool unset;         /* the part goes */
    struct value value; /* else: what it becomes */
    bool origin;        /* edit the literal that feeds it, wherever that is */
};

/* A place that the value comes from. */
struct adopt_origin {
    struct str
        kind; /* "local", "variable", "default", "tfvars", "module argument", "for_each" ... */
    struct str name; /* local.x, var.y; or empty */
    struct str file; /* relative to the root module; empty = none */
    uint32_t line, column;
};
struct adopt_file {
    struct str name, path;    /* relative to the root module; on disk */
    struct str before, after; /* before.ptr NULL: a new file */
};
struct adopt_result {
    bool refused;
    size_t change;     /* which one is refused; SIZE_MAX: all of them together */
    struct str reason; /* one sentence with the place of what is in the way */
    const struct adopt_origin *origin;
    size_t norigins;
    bool has_other_way;            /* the same change with `origin` set may do */
    const struct adopt_file *file; /* those that differ, sorted by name; none if refused */
    size_t nfiles;
};

/*
 * Plan edits for all the changes together.
 * options  as `code` was opened with; read and list stand in for the disk, as everywhere
 * code     evaluated
 * ret      everything in it lives in `arena`
 * False only for I/O and limits.
 */
bool adopt_plan(struct arena *arena, const struct code_options *options, struct code *code,
                const struct adopt_change *change, size_t nchanges, struct adopt_result *ret,
                struct err *err);

/* A resource that is live and in no code. */
struct adopt_import {
    struct str type, name; /* how the code is to call it, in the root module */
    struct str id;         /* what the provider imports it by */
    struct str provider;   /* "aws.east": written where it is not empty */
    const struct schema *schema;
    struct value config; /* what the code is to say: adopt_live_config, or of the provider */
    struct str file; /* of the root module; empty: where resources of its type are, else main.tf */
};
/* An import block and a resource block at the end of a file. Secrets are not written: null with a
 * comment stands for one that must be there. */
bool adopt_plan_import(struct arena *arena, const struct code_options *options, struct code *code,
                       const struct adopt_import *import, struct adopt_result *ret,
                       struct err *err);

/* A resource that is not there any more: its block goes, with its comments and the import blocks
 * for it. forget: a `removed` block that destroys nothing takes its place. Refuses where count or
 * for_each makes it, or where something refers to it. */
bool adopt_plan_remove(struct arena *arena, const struct code_options *options, struct code *code,
                       struct str address, bool forget, struct adopt_result *ret, struct err *err);

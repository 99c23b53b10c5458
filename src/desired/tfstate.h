/* tfstate.h - a walk over the text of a state v4, one instance at a time, without a tree.
 *
 * In:      the whole text in memory; every byte of it has been checked when the walk has ended
 * Out:     spans of the text: what each member of a resource and of an instance is spelled like
 * Order:   members may stand in any order (`jq -S`); as Terraform writes them one pass is enough
 * Source:  facts/terraform.md 4.1
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "model/resource.h"
#include "wire/json_scan.h"

struct arena;
struct err;
struct key_table;

/* X(constant, member's name) */
#define TFSTATE_TOP(X) \
    X(TOP_VERSION, "version") \
    X(TOP_TERRAFORM_VERSION, "terraform_version") \
    X(TOP_SERIAL, "serial") \
    X(TOP_LINEAGE, "lineage") \
    X(TOP_RESOURCES, "resources") \
    X(TOP_ENCRYPTED, "encrypted_data") \
    X(TOP_FORMAT_VERSION, "format_version")

#define TFSTATE_RESOURCE(X) \
    X(RES_MODULE, "module") \
    X(RES_MODE, "mode") \
    X(RES_TYPE, "type") \
    X(RES_NAME, "name") \
    X(RES_PROVIDER, "provider") \
    X(RES_INSTANCES, "instances")

#define TFSTATE_INSTANCE(X) \
    X(INST_INDEX_KEY, "index_key") \
    X(INST_SCHEMA_VERSION, "schema_version") \
    X(INST_ATTRIBUTES, "attributes") \
    X(INST_SENSITIVE, "sensitive_attributes") \
    X(INST_IDENTITY_VERSION, "identity_schema_version") \
    X(INST_IDENTITY, "identity") \
    X(INST_PRIVATE, "private") \
    X(INST_DEPENDENCIES, "dependencies") \
    X(INST_STATUS, "status") \
    X(INST_DEPOSED, "deposed") \
    X(INST_FLAT, "attributes_flat") \
    X(INST_CREATE_BEFORE_DESTROY, "create_before_destroy") \
    X(INST_PROVIDER, "provider")

#define X(constant, name) constant,
enum tfstate_top { TFSTATE_TOP(X) TOP_COUNT };
enum tfstate_res { TFSTATE_RESOURCE(X) RES_COUNT };
enum tfstate_inst { TFSTATE_INSTANCE(X) INST_COUNT };
#undef X

/* The text of a member's value, empty where there is no such member or it is null. */
struct tfstate_instance {
    struct str span[INST_COUNT];
    const char *at; /* where the instance begins, for messages */
};

struct tfstate_walk {
    struct json_scan scan;
    const char *name;
    struct str top[TOP_COUNT];
    struct str resource[RES_COUNT]; /* of the instances that come now */
    const char *resource_at;        /* where their resource begins */
    uint64_t nresources;            /* entered so far; counts up by one for each */
    /* where to go on when resources (instances) had to be read after what stands behind them */
    const char *after_top, *after_resource;
    bool first_top, first_resource, first_member, first_instance;
    bool in_resource, ended;
};

/*
 * Reads the head; the walk stands before the first resource. Fails on what is no state v4 with what
 * to do about it: ERR_SYNTAX, or ERR_UNSUPPORTED for another version and for an encrypted state.
 */
bool tfstate_open(struct tfstate_walk *walk, struct str text, const char *name, struct err *err);
uint64_t tfstate_serial(const struct tfstate_walk *walk);
/* "state terraform.tfstate, serial 3"; ptr NULL where the arena is full. */
struct str tfstate_label(struct arena *arena, const char *name, uint64_t serial);
/* The next instance, checked; false at the end (err->kind ERR_NONE) and on error. */
bool tfstate_next(struct tfstate_walk *walk, struct tfstate_instance *ret, struct err *err);
/*
 * The same in steps. _enter: into the next resource, whose members up to its instances are in
 * walk->resource; behind the last one the walk has ended. Then, while walk->in_resource, _instance
 * gives the next one or (*ret_more false) leaves the resource; _pass leaves it at once, and looks
 * at nothing but brackets on the way. _back: before a resource that was passed, at its resource_at.
 */
bool tfstate_enter(struct tfstate_walk *walk, struct err *err);
bool tfstate_instance(struct tfstate_walk *walk, bool *ret_more, struct tfstate_instance *ret,
                      struct err *err);
bool tfstate_pass(struct tfstate_walk *walk, struct err *err);
bool tfstate_back(struct tfstate_walk *walk, const char *resource_at, struct err *err);
/*
 * All that one instance says. r's texts are views into the state or live in the arena; address is
 * in the arena. Fails with ERR_SYNTAX and the place, or ERR_LIMIT.
 */
bool tfstate_resource(struct arena *arena, struct key_table *keys, const struct tfstate_walk *walk,
                      const struct tfstate_instance *instance, struct resource *r, struct err *err);

/* The same for one instance of a checked text, alone: its resource's members and its place. */
bool tfstate_read_at(struct str text, const char *name, const struct str resource[RES_COUNT],
                     const char *at, struct arena *arena, struct key_table *keys,
                     struct resource *r, struct err *err);

/* The content of a JSON string's text with its quotes: a view, or in the arena where it has
 * escapes. ptr NULL: not a string, or the arena is full. */
struct str tfstate_string(struct arena *arena, struct str span);
/* [[{"type":"get_attr","value":"x"}, ...], ...] -> paths. */
bool tfstate_sensitive(struct arena *arena, struct key_table *keys, struct str span,
                       const char *name, const struct path **ret, size_t *ret_n, struct err *err);

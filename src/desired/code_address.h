/* code_address.h - addresses of modules, resources and their instances, taken apart.
 *
 * Shape:   [module.NAME[KEY].]*[[data.|ephemeral.]TYPE.NAME[KEY]]
 * Owner:   the arena that was given; texts and keys are views into what was parsed
 * Bounds:  HCL_STEPS_MAX steps
 */
#pragma once
#include "desired/module.h"

enum code_key_kind { CODE_KEY_NONE, CODE_KEY_COUNT, CODE_KEY_EACH };
/* What count.index, each.key and each.value are somewhere; of an address: its key. */
struct code_each {
    enum code_key_kind kind;
    bool any;         /* validate: unknowns for all of them */
    struct value key; /* number or string */
    struct value value;
};
/* None, then numbers, then strings. */
int code_compare_keys(const struct code_each *a, const struct code_each *b);

struct code_address_step { /* module.NAME[KEY] */
    struct str name;
    struct code_each key;
};
struct code_address {
    const struct code_address_step *step;
    size_t nsteps;
    bool has_resource;
    enum code_mode mode;
    struct str type, name;
    struct code_each key; /* of the resource */
};

/* False if it is none; nothing is reported. */
bool code_address_from(struct arena *arena, const struct hcl_traversal *traversal,
                       struct code_address *ret);
bool code_address_parse(struct arena *arena, struct str text, struct code_address *ret);
/* As Terraform prints it; ptr NULL where the arena is full. */
struct str code_address_text(struct arena *arena, const struct code_address *address);
bool code_address_same_resource(const struct code_address *a, const struct code_address *b);

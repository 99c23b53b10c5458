/* tfplan.h - a plan as JSON (`terraform show -json PLANFILE`): what Terraform saw when it made it.
 *
 * In:      format_version 1.x; unknown keys are passed over
 * Out:     every managed instance that the plan knows of, sorted by address, with what Terraform
 *          found: the recorded and the live attributes where they differ, secrets marked
 * Owner:   views into the text and nodes in the arena; both outlive it
 * Source:  facts/terraform.md 3.1, 3.2, 4.3
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "desired/desired.h"
#include "model/resource.h"
#include "value/path.h"
#include "value/value.h"

struct arena;
struct err;

enum tfplan_outcome {
    TFPLAN_UNREAD = 0, /* the plan did not get to it, see `why` */
    TFPLAN_SAME,
    TFPLAN_DRIFTED,
    TFPLAN_GONE
};

struct tfplan_resource {
    struct resource resource; /* `attributes`: as recorded (SAME: as they are) */
    enum tfplan_outcome outcome;
    struct value live; /* TFPLAN_DRIFTED */
    struct str why;    /* TFPLAN_UNREAD */
    /* What the plan would do to it, and what the code sets of it; NULL where that is not known. */
    const struct value *planned;     /* the `change` of its resource_changes entry */
    const struct value *expressions; /* attribute and block names -> expression */
};

struct tfplan {
    struct desired_info info;
    const struct tfplan_resource *resources;
    size_t n;
    const struct str *notes;
    size_t nnotes;
};

/*
 * Fails with ERR_SYNTAX or ERR_UNSUPPORTED, naming what to do, for what is no plan JSON, for
 * another format version, and for a plan that ended with an error before it knew any resource.
 */
bool tfplan_parse(struct arena *arena, struct str text, const char *name, struct tfplan *ret,
                  struct err *err);
/*
 * Would the code change this place back? With a plan for the resource: where the plan changes it,
 * or replaces it by something not known yet that the code sets. Without one (-refresh-only): where
 * the code sets it. Where neither is known: yes.
 */
bool tfplan_configurable(const struct tfplan_resource *resource, struct path path);

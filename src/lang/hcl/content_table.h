/* content_table.h - what native and JSON bodies share when they are asked by table. */
#pragma once
#include "lang/hcl/content.h"

struct hcl_asking {
    struct arena *arena;
    const struct hcl_file *file;
    const struct hcl_body *body;
    const struct hcl_body_spec *spec;
    struct hcl_diags *diags;
    bool partial;
};

/* Near enough for "Did you mean": fewer than three characters differ. */
bool hcl_is_near(struct str a, struct str b);
bool hcl_is_taken_attribute(const struct hcl_body_spec *spec, struct str name);
bool hcl_is_taken_block(const struct hcl_body_spec *spec, struct str type);
/* A name that the table knows, is near and (an attribute) not found yet; or {0}. */
struct str hcl_near_attribute(const struct hcl_body_spec *spec, const struct hcl_content *found,
                              struct str name);
struct str hcl_near_block(const struct hcl_body_spec *spec, struct str type);
void hcl_content_fault(const struct hcl_asking *in, struct hcl_range subject, struct str summary,
                       struct str detail);
/* Reports each attribute that is required and not found. */
void hcl_report_missing(const struct hcl_asking *in, const struct hcl_content *found);

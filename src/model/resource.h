/* resource.h - one instance of a resource as the last apply recorded it.
 *
 * Owner:  views into the state text or the source's arena, which outlive it
 * Source: state v4 (facts/terraform.md 4.1, 4.2)
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "value/path.h"
#include "value/value.h"

enum resource_mode { RESOURCE_MANAGED, RESOURCE_DATA };

struct resource {
    struct str address; /* module.m[0].aws_instance.web["a"]; with " (deposed 1234abcd)" for such */
    struct str module;  /* module.m[0], or empty */
    enum resource_mode mode;
    struct str type, name;
    struct value index_key;     /* null, number or string */
    struct str provider;        /* registry.opentofu.org/hashicorp/aws */
    struct str provider_config; /* which configuration of it: the state's own text, alias and module
                                   included */
    struct str deposed;         /* its key, or empty */
    bool tainted;
    int64_t schema_version;
    struct str attributes_json; /* verbatim text of the `attributes` object; empty if flatmap */
    struct str flatmap_json;    /* legacy `attributes_flat` object text, or empty */
    bool attributes_plain;   /* from show -json: dynamic values are not wrapped in value + type */
    struct value attributes; /* parsed `attributes`, where the source has parsed them; else kind
                                VALUE_NULL */
    struct str import_id;    /* nothing is recorded: what it is to be imported by; or empty */
    bool import_identity;    /* import_id is the JSON of an identity */
    struct str private_base64;
    struct str identity_json; /* text of the `identity` object, or empty */
    int64_t identity_schema_version;
    const struct path *sensitive; /* `sensitive_attributes` */
    size_t nsensitive;
    const struct str *dependencies;
    size_t ndependencies;
    bool create_before_destroy;
};

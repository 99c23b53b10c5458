/* tfplugin.h - the messages of tfplugin 5 and 6 that a client needs which changes nothing.
 *
 * Requests:  written into a buf. Values are msgpack bytes (wire/msgpack.h makes and reads them)
 * Replies:   msgpack and private bytes are views into the reply's bytes; lists live in the arena.
 *            A field that did not come is the empty view with ptr NULL
 * Protocol:  5 or 6 as plugin_protocol() says, where the layouts differ
 * Limits:    PROTOBUF_DEPTH_MAX; TF_ATTRIBUTES_MAX attributes and blocks per schema reply
 * Source:    facts/terraform.md 2.2 (tfplugin5.proto 5.10, tfplugin6.proto 6.11)
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "model/schema.h"
#include "value/path.h"

struct arena;
struct err;

enum { TF_ATTRIBUTES_MAX = 5000000 };

enum tf_severity { TF_ERROR, TF_WARNING }; /* INVALID and unknown numbers are errors */
struct tf_diagnostic {
    enum tf_severity severity;
    struct str summary, detail;
    struct path attribute; /* n = 0: none */
};
struct tf_diagnostics {
    const struct tf_diagnostic *items;
    size_t n;
    size_t nerrors;
};
/* "summary: detail (at path)" of the first error (else of the first warning), on one line, at most
 * 400 bytes, control characters replaced; and how many more. Empty if there is none. */
struct str tf_diagnostics_text(struct arena *arena, const struct tf_diagnostics *diagnostics);

/* GetProviderSchema and GetResourceIdentitySchemas have empty requests: STR(""). */

/* How much of a schema is wanted: reading needs managed resources, evaluating code all of it. */
enum tf_schema_part { TF_SCHEMA_RESOURCES, TF_SCHEMA_WHOLE };
/* Nothing of it points into `bytes`. Sorted by name; nested types and blocks have their implied
 * types filled. */
bool tf_decode_schema(struct arena *arena, int protocol, enum tf_schema_part part, struct str bytes,
                      struct provider_schema *ret, struct tf_diagnostics *ret_diagnostics,
                      struct err *err);
/* Fills `identity` of the resources in *schema (a new array; types it does not know are skipped).
 */
bool tf_decode_identity_schemas(struct arena *arena, struct str bytes,
                                struct provider_schema *schema,
                                struct tf_diagnostics *ret_diagnostics, struct err *err);

/* config: msgpack of the provider's configuration. */
void tf_encode_validate_config(struct buf *out, struct str config);
struct tf_validate_reply {
    struct str prepared; /* protocol 5: msgpack, or ptr NULL */
    struct tf_diagnostics diagnostics;
};
bool tf_decode_validate_config(struct arena *arena, int protocol, struct str bytes,
                               struct tf_validate_reply *ret, struct err *err);

void tf_encode_configure(struct buf *out, struct str terraform_version, struct str config);
bool tf_decode_configure(struct arena *arena, struct str bytes, struct tf_diagnostics *ret,
                         struct err *err);

/* What a state holds: the JSON of the attributes, or (legacy) flatmap pairs. */
struct tf_raw_state {
    struct str type_name;
    int64_t version; /* schema_version of the state */
    struct str json; /* verbatim; empty = flatmap */
    const struct tf_pair {
        struct str key, value;
    } * flatmap;
    size_t nflatmap;
};
/* UpgradeResourceState and UpgradeResourceIdentity: one layout. */
void tf_encode_upgrade(struct buf *out, const struct tf_raw_state *state);
struct tf_upgrade_reply {
    struct str state; /* msgpack; ptr NULL = the provider gave none */
    struct tf_diagnostics diagnostics;
};
bool tf_decode_upgrade_state(struct arena *arena, struct str bytes, struct tf_upgrade_reply *ret,
                             struct err *err);
bool tf_decode_upgrade_identity(struct arena *arena, struct str bytes, struct tf_upgrade_reply *ret,
                                struct err *err);

struct tf_read_request {
    struct str type_name;
    struct str state;         /* msgpack: what UpgradeResourceState gave, unchanged */
    struct str private_bytes; /* empty = none */
    struct str provider_meta; /* msgpack; ptr NULL = none */
    struct str identity;      /* msgpack; ptr NULL = none */
};
void tf_encode_read(struct buf *out, const struct tf_read_request *request);

enum tf_deferred {
    TF_NOT_DEFERRED = -1,
    TF_DEFERRED_UNKNOWN = 0,
    TF_DEFERRED_RESOURCE_CONFIG,
    TF_DEFERRED_PROVIDER_CONFIG,
    TF_DEFERRED_PREREQUISITE
};
struct tf_read_reply {
    struct str state;         /* msgpack; "\xc0" = the resource is gone; ptr NULL = none given */
    struct str private_bytes; /* what replaces the old private bytes */
    struct str identity;      /* msgpack or ptr NULL */
    enum tf_deferred deferred;
    struct tf_diagnostics diagnostics;
};
bool tf_decode_read(struct arena *arena, struct str bytes, struct tf_read_reply *ret,
                    struct err *err);
/* Is that msgpack a null (the resource is gone)? */
bool tf_is_null(struct str msgpack);
const char *tf_deferred_text(enum tf_deferred deferred);

/* --- planning, importing, functions (tfplugin_plan.c) --- */

/* ValidateResourceConfig; its answer is read by tf_decode_configure (diagnostics alone). */
void tf_encode_validate_resource(struct buf *out, struct str type_name, struct str config);

struct tf_plan_request {
    struct str type_name;
    struct str prior, proposed, config; /* msgpack */
    struct str private_bytes;           /* empty = none */
    struct str provider_meta;           /* msgpack; ptr NULL = none */
    struct str identity;                /* msgpack; ptr NULL = none */
};
void tf_encode_plan(struct buf *out, const struct tf_plan_request *request);
struct tf_plan_reply {
    struct str planned;                  /* msgpack; ptr NULL = none given */
    const struct path *requires_replace; /* what cannot be changed in place */
    size_t nrequires_replace;
    bool legacy; /* SDKv2: the plan may depart from the configuration */
    enum tf_deferred deferred;
    struct tf_diagnostics diagnostics;
};
bool tf_decode_plan(struct arena *arena, struct str bytes, struct tf_plan_reply *ret,
                    struct err *err);

/* By id, or by identity (msgpack) where id is empty. */
void tf_encode_import(struct buf *out, struct str type_name, struct str id, struct str identity);
struct tf_imported {
    struct str type_name;
    struct str state; /* msgpack of a stub: read it before anything is made of it */
    struct str private_bytes, identity;
};
struct tf_import_reply {
    const struct tf_imported *items;
    size_t n;
    enum tf_deferred deferred;
    struct tf_diagnostics diagnostics;
};
bool tf_decode_import(struct arena *arena, struct str bytes, struct tf_import_reply *ret,
                      struct err *err);

/* GenerateResourceConfig: a state as configuration. Answer: as of UpgradeResourceState. */
void tf_encode_generate(struct buf *out, struct str type_name, struct str state);

void tf_encode_call_function(struct buf *out, struct str name, const struct str *args,
                             size_t nargs);
struct tf_function_reply {
    struct str result; /* msgpack; ptr NULL where it failed */
    struct str error;  /* the function's own words; ptr NULL = it did not fail */
    int64_t argument;  /* that the error is about, from 0; -1 = none */
};
bool tf_decode_call_function(struct arena *arena, struct str bytes, struct tf_function_reply *ret,
                             struct err *err);

/* StopProvider's answer: its error text, empty = fine. */
bool tf_decode_stop(struct str bytes, struct str *ret, struct err *err);

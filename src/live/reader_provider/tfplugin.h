/* tfplugin.h - the messages of tfplugin 5 and 6 that a read-only client needs.
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

/* Only provider, provider_meta, resources and the capability are kept; nothing of it points into
 * `bytes`. Sorted by name; nested types and blocks have their implied types filled. */
bool tf_decode_schema(struct arena *arena, int protocol, struct str bytes,
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

/* StopProvider's answer: its error text, empty = fine. */
bool tf_decode_stop(struct str bytes, struct str *ret, struct err *err);

/* fuzz_protobuf.c - any bytes as each reply of a provider: first byte = which, and the protocol. */
#include <stdint.h>

#include "base/arena.h"
#include "live/reader_provider/tfplugin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_replies(struct arena *arena, struct str bytes)
{
    struct tf_read_reply read;
    struct tf_upgrade_reply upgrade;
    struct tf_validate_reply validate;
    struct tf_plan_reply plan;
    struct tf_import_reply imported;
    struct tf_function_reply function;
    struct tf_diagnostics diagnostics;
    struct str text;
    if (tf_decode_read(arena, bytes, &read, NULL))
        (void)tf_diagnostics_text(arena, &read.diagnostics);
    (void)tf_decode_upgrade_state(arena, bytes, &upgrade, NULL);
    (void)tf_decode_upgrade_identity(arena, bytes, &upgrade, NULL);
    (void)tf_decode_validate_config(arena, 5, bytes, &validate, NULL);
    if (tf_decode_configure(arena, bytes, &diagnostics, NULL))
        (void)tf_diagnostics_text(arena, &diagnostics);
    (void)tf_decode_stop(bytes, &text, NULL);
    (void)tf_decode_plan(arena, bytes, &plan, NULL);
    (void)tf_decode_import(arena, bytes, &imported, NULL);
    (void)tf_decode_call_function(arena, bytes, &function, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct provider_schema schema = {0};
    struct tf_diagnostics diagnostics;
    if (size < 1)
        return 0;
    struct str bytes = {(const char *)data + 1, size - 1};
    if (data[0] & 1) {
        read_replies(&arena, bytes);
    } else if (tf_decode_schema(&arena, data[0] & 2 ? 5 : 6, TF_SCHEMA_WHOLE, bytes, &schema,
                                &diagnostics, NULL)) {
        AUTO_BUF out = {.limit = 1 << 20};
        for (size_t i = 0; i < schema.nresources; i++)
            type_print_json(&out, schema.resources[i].schema->block.type);
        (void)tf_decode_identity_schemas(&arena, bytes, &schema, &diagnostics, NULL);
    }
    return 0;
}

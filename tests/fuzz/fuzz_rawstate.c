/* fuzz_rawstate.c - any bytes as recorded attributes: what is sent to a provider, straight or not,
 * says the same as the record or is refused; and any bytes as a provider's answer to a probe.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "live/reader_provider/probe.h"
#include "live/reader_provider/rawstate.h"
#include "model/resource.h"
#include "value/type.h"
#include "wire/msgpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct schema_attribute inner_attributes[] = {
    {.name = STR_INIT("k"), .type = &type_string, .optional = true},
    {.name = STR_INIT("n"), .type = &type_number, .optional = true},
};
static const struct schema_attribute attributes[] = {
    {.name = STR_INIT("any"), .type = &type_dynamic, .optional = true},
    {.name = STR_INIT("on"), .type = &type_bool, .optional = true},
    {.name = STR_INIT("size"), .type = &type_number, .optional = true},
    {.name = STR_INIT("text"), .type = &type_string, .required = true},
};

/* What was encoded must read back as the same value. */
static void round_trip(struct arena *arena, const struct type *type, const struct value *v)
{
    AUTO_BUF out = {.limit = 16 << 20};
    struct value back;
    struct err err = {0};
    if (!msgpack_encode(&out, type, v, &err) || !buf_ok(&out, &err))
        return;
    if (!msgpack_decode(arena, type, buf_view(&out), &back, &err) || !value_equal(v, &back))
        abort();
}

static void probe(struct arena *arena, const struct schema_named *named, const struct value *live)
{
    struct value sent;
    struct path *paths;
    struct err err = {0};
    size_t changed, n;
    for (unsigned round = 1; round <= PROBE_ROUNDS; round++)
        if (probe_perturb(arena, named, live, round, &sent, &changed, &err)) {
            round_trip(arena, named->schema->block.type, &sent);
            if (probe_echoed(arena, named, live, &sent, live, &paths, &n, &err) && n > 0)
                abort(); /* nothing that came back as it was is an echo */
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct schema_block inner = {.attributes = inner_attributes, .nattributes = 2};
    struct schema_nested_block blocks[] = {
        {.name = STR_INIT("l"), .nesting = NESTING_LIST, .block = &inner},
        {.name = STR_INIT("m"), .nesting = NESTING_MAP, .block = &inner},
        {.name = STR_INIT("s"), .nesting = NESTING_SET, .block = &inner}};
    struct schema schema = {
        .block = {.attributes = attributes, .nattributes = 4, .blocks = blocks, .nblocks = 3}};
    struct schema_named named = {.name = STR("t"), .schema = &schema};
    struct resource resource = {.type = STR("t"), .attributes_json = {(const char *)data, size}};
    struct tf_raw_state raw;
    struct value v;
    struct err err = {0};
    if (!schema_imply_type(&arena, &inner) || !schema_imply_type(&arena, &schema.block))
        abort();
    bool sent = rawstate_make(&arena, &resource, &schema, &raw, &err);
    if (rawstate_value(&arena, &resource, &schema, &v, &err)) {
        if (!sent)
            abort();
        round_trip(&arena, schema.block.type, &v);
        if (v.kind == VALUE_OBJECT)
            probe(&arena, &named, &v);
    }
    resource.flatmap_json = resource.attributes_json;
    resource.attributes_json = (struct str){0};
    (void)rawstate_make(&arena, &resource, &schema, &raw, &err);
    return 0;
}

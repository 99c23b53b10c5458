/* fuzz_graphql.c - any two texts (a zero byte between them) as a query and its schema: read,
 * written as JSON, read from that, checked within a budget.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "lang/rego/graphql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool spend(void *ctx, uint64_t n)
{
    uint64_t *left = ctx;
    bool enough = *left >= n;
    *left -= enough ? n : *left;
    return enough;
}

/* What is written and read is written the same once more. (The first time, a spread of a fragment
 * that is not there becomes a field: that its JSON looks the same is the format's.) */
static struct graphql_node *round_trip(struct graphql *g, struct graphql_node *document)
{
    struct value said[3];
    for (size_t i = 0; i < 3; i++) {
        if (!document || !graphql_to_value(g, document, &said[i]))
            return NULL;
        document = graphql_from_value(g, document->kind, &said[i]);
    }
    if (!rego_equal(&said[1], &said[2]))
        abort();
    return document;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 32 << 20};
    uint64_t left = 200000;
    struct rego_call call = {.arena = &arena, .spend = spend, .spend_ctx = &left};
    if (size > 4096)
        return 0;
    const uint8_t *cut = size ? memchr(data, 0, size) : NULL;
    size_t n = cut ? (size_t)(cut - data) : size;
    struct str query = {(const char *)data, n};
    struct str schema = {(const char *)data + n, size - n};
    if (cut)
        schema = str_sub(schema, 1, schema.len);
    struct graphql *g = arena_new(&arena, struct graphql, 1);
    *g = (struct graphql){.call = &call};
    struct graphql_node *queries = graphql_parse_query(g, query);
    struct graphql_node *schemas = graphql_parse_schema(g, schema);
    for (int round = 0; queries && schemas && round < 2 && !g->halt; round++) {
        struct graphql_node *next = round_trip(g, queries);
        struct graphql_node *next_schema = round_trip(g, schemas);
        const struct graphql_schema *in_force = graphql_schema(g, schemas);
        if (in_force)
            (void)graphql_validate(g, in_force, queries);
        queries = next;
        schemas = next_schema;
    }
    return 0;
}

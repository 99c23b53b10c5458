/* fuzz_snapshot.c - any bytes as a live snapshot; and what raw_same() calls the same must be. */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "live/raw_same.h"
#include "live/snapshot.h"
#include "value/value.h"
#include "wire/json.h"
#include "wire/json_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input is two values, one behind the other. */
static void two_values(struct str text)
{
    struct json_scan scan = json_scan_open(text);
    struct str a, b;
    uint64_t leaves;
    struct value x, y;
    AUTO_ARENA arena = {.limit = 16 << 20};
    if (!json_scan_value(&scan, JSON_DEPTH_MAX, &a) || !json_scan_value(&scan, JSON_DEPTH_MAX, &b))
        return;
    struct raw_scratch *scratch = malloc(sizeof *scratch);
    if (scratch && raw_same(scratch, a, b, &leaves)) {
        if (!json_parse(&arena, a, "a", 0, &x, NULL) || !json_parse(&arena, b, "b", 0, &y, NULL) ||
            !value_equal(&x, &y))
            abort();
    }
    free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {size ? (const char *)data : "", size};
    struct snapshot *snapshot;
    two_values(text);
    if (snapshot_open_text(text, "fuzz", &snapshot, NULL))
        snapshot_close(snapshot);
    return 0;
}

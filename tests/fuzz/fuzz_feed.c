/* fuzz_feed.c - events of clouds' logs: whatever comes is an event with bounded texts, or an error.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "live/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str header(const void *ctx, const char *name)
{
    const struct str *bytes = ctx;
    (void)name;
    return str_sub(*bytes, 0, bytes->len < 40 ? bytes->len : 40);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct str bytes = {size ? (const char *)data : "", size};
    const struct feed_from from = {.name = "f", .header = size % 2 ? header : NULL, .ctx = &bytes};
    struct feed feed = {0};
    struct err err = {0};
    if (!feed_read(&arena, bytes, &from, &feed, &err)) {
        if (err.kind == ERR_NONE)
            abort();
        return 0;
    }
    for (size_t i = 0; i < feed.n; i++) {
        const struct activity *a = &feed.event[i];
        if (!a->id.len || a->time_utc_ms <= 0 || !a->source.len || a->nnames > ACTIVITY_NAMES_MAX ||
            a->way >= ACTIVITY_WAY_COUNT || a->way == ACTIVITY_PIPELINE)
            abort();
        for (size_t k = 0; k < a->nnames; k++)
            if (!a->name[k].text.len || a->name[k].text.len > ACTIVITY_TEXT_MAX)
                abort();
    }
    return 0;
}

/* fuzz_drift.c - two JSON lines as desired and live: the same or a finding, never both, never
 * neither; the other way round too. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "drift/drift.h"
#include "wire/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum observation_outcome observe(const struct value *desired, const struct value *live)
{
    static const struct resource resource = {.address = STR_INIT("t.n"), .type = STR_INIT("t")};
    AUTO_ARENA arena = {.limit = 256 << 20};
    struct drift_input in = {
        .resource = &resource, .desired = desired, .live = live, .explain = true};
    struct observation got;
    if (!drift_observe(&arena, &in, &got, NULL))
        return OBSERVED_UNCHECKED;
    if (got.nfindings != (got.outcome == OBSERVED_DIFFERENT) ||
        (got.nfindings &&
         (!got.findings[0].nchanges || strlen(got.findings[0].fingerprint) != 32)) ||
        (value_equal(desired, live) && got.nfindings))
        abort();
    return got.outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct str rest = {(const char *)data, size}, head;
    struct value a, b;
    if (!str_cut(&rest, '\n', &head) || !json_parse(&arena, head, "a", 0, &a, NULL) ||
        !json_parse(&arena, rest, "b", 0, &b, NULL))
        return 0;
    if (observe(&a, &b) != observe(&b, &a) || observe(&a, &a) != OBSERVED_SAME)
        abort();
    return 0;
}

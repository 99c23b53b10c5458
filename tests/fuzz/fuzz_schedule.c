/* fuzz_schedule.c - schedules and TZif files of anything: what is taken gives due times that rise.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "model/schedule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Due times after some moments, each after the one before; never is for ever. */
static void walk(const struct schedule *schedule, int64_t from)
{
    for (int i = 0; i < 8; i++) {
        int64_t next = schedule_next(schedule, STR("stack"), from);
        if (next <= from)
            abort();
        if (next == SCHEDULE_NEVER)
            break;
        from = next;
    }
}

static void try_zone(struct arena *arena, struct str bytes)
{
    static const char *const texts[] = {"30 2 * * *", "*/20 * * * *", "0 0 29 2 *"};
    struct zone zone;
    struct schedule schedule;
    if (!zone_parse(arena, bytes, STR("Fuzz/Zone"), &zone, NULL))
        return;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (!schedule_parse(arena, str_from(texts[i]), STR(""), 0, &schedule, NULL))
            abort();
        schedule.zone = &zone;
        walk(&schedule, INT64_C(1700000000000));
        walk(&schedule, zone.nat ? zone.at[zone.nat - 1] / 4096 * 1000 : 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    AUTO_ARENA arena = {.limit = 4 << 20};
    struct schedule schedule;
    struct schedule_tier tier;
    if (!size)
        return 0;
    try_zone(&arena, text);
    if (schedule_parse(&arena, text, STR(""), SCHEDULE_JITTER_DEFAULT, &schedule, NULL)) {
        walk(&schedule, 0);
        walk(&schedule, INT64_C(1774750000000));
    }
    (void)schedule_tier_from_spec(&arena, text, &tier, NULL);
    return 0;
}

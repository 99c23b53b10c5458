/* config_schedule.c - the keys of `schedules` and `windows` in plumb.yaml, and what spans them. */
#include "base/arena.h"
#include "base/err.h"
#include "model/config.h"
#include "model/config_field.h"
#include "model/schedule.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define AT(type, member) .at = offsetof(struct type, member)
#define MANY(type, member) \
    .at = offsetof(struct type, member), .count_at = offsetof(struct type, n##member)
#define TEXT(type, key, member, must, what) \
    { \
        .name = key, .kind = FIELD_STRING, .check = must, AT(type, member), .text = what \
    }

static const struct field schedule_fields[] = {
    {.name = "schedule",
     .kind = FIELD_STRING,
     .check = CHECK_SCHEDULE,
     .required = true,
     AT(config_schedule, schedule),
     .text = "how often: hourly, daily, weekly, monthly, yearly, a duration such as 15m, or five "
             "cron fields"},
    TEXT(config_schedule, "name", name, CHECK_FILLED,
         "of the tier, for reports; made of types and tags without it"),
    TEXT(config_schedule, "stack", stack, CHECK_FILLED,
         "glob over the stack's name; without it any stack"),
    TEXT(config_schedule, "environment", environment, CHECK_FILLED,
         "glob over the stack's environment; without it any"),
    {.name = "types",
     .kind = FIELD_STRINGS,
     .check = CHECK_FILLED,
     MANY(config_schedule, types),
     .text = "globs over resource types: a tier of these resources alone, beside the whole stack"},
    {.name = "tags",
     .kind = FIELD_STRINGS,
     .check = CHECK_FILLED,
     MANY(config_schedule, tags),
     .text = "globs \"key\" or \"key=value\" over tags and labels: a tier of resources with one of "
             "them"},
    TEXT(config_schedule, "time_zone", time_zone, CHECK_ZONE,
         "of cron and words, such as Europe/Berlin; UTC without it"),
    {.name = "jitter",
     .kind = FIELD_SCALAR,
     .check = CHECK_DURATION,
     AT(config_schedule, jitter),
     .text = "how far stacks are spread behind the time that is said; the whole period of words "
             "and durations without it, 0 for cron"},
    {.name = "grace",
     .kind = FIELD_DURATION,
     .least = 1000,
     AT(config_schedule, grace_ms),
     .text = "how long after its time a scan may end before it is overdue; a quarter of the "
             "period without it, at least 5m and at most 6h"},
};
const struct section config_schedule_section = {.what = "schedule",
                                                .fields = schedule_fields,
                                                .nfields = COUNT(schedule_fields),
                                                .size = sizeof(struct config_schedule),
                                                .place_at = offsetof(struct config_schedule, place),
                                                .short_form = true};

static const struct field window_fields[] = {
    {.name = "opens",
     .kind = FIELD_STRING,
     .check = CHECK_SCHEDULE,
     .required = true,
     AT(config_window, opens),
     .text = "when it begins: five cron fields or a word, as in a schedule"},
    {.name = "for",
     .kind = FIELD_DURATION,
     .least = 60000,
     .most = 31536000000,
     .required = true,
     AT(config_window, for_ms),
     .text = "how long it lasts, such as 8h"},
    TEXT(config_window, "stack", stack, CHECK_FILLED,
         "glob over the stack's name; without it any stack"),
    TEXT(config_window, "environment", environment, CHECK_FILLED,
         "glob over the stack's environment; without it any"),
    TEXT(config_window, "time_zone", time_zone, CHECK_ZONE,
         "of `opens`, such as Europe/Berlin; UTC without it"),
    {.name = "closed",
     .kind = FIELD_BOOL,
     AT(config_window, closed),
     .text = "true: within it nothing is reverted, whatever other windows say"},
};
const struct section config_window_section = {.what = "window",
                                              .fields = window_fields,
                                              .nfields = COUNT(window_fields),
                                              .size = sizeof(struct config_window),
                                              .place_at = offsetof(struct config_window, place)};

struct checking {
    const struct config *config;
    struct err *err;
    bool no_zones;
};

static bool check(struct checking *c, struct str text, struct str zone, struct config_place place)
{
    AUTO_ARENA scratch = {.limit = 1 << 20};
    struct schedule schedule;
    struct err why = {0};
    if (!text.len || schedule_parse(&scratch, text, zone, 0, &schedule, &why))
        return true;
    c->no_zones |= why.kind == ERR_UNAVAILABLE;
    return why.kind == ERR_UNAVAILABLE ||
           err_set(c->err, why.kind, "%.*s:%u:%u: %s", STR_ARG(c->config->path), place.line,
                   place.column, why.frame[0]);
}

bool config_check_schedules(const struct config *config, bool *ret_no_zones, struct err *err)
{
    struct checking c = {config, err, false};
    for (size_t i = 0; i < config->nstacks; i++)
        if (!check(&c, config->stacks[i].schedule, STR(""), config->stacks[i].place))
            return false;
    for (size_t i = 0; i < config->nschedules; i++)
        if (!check(&c, config->schedules[i].schedule, config->schedules[i].time_zone,
                   config->schedules[i].place))
            return false;
    for (size_t i = 0; i < config->nwindows; i++)
        if (!check(&c, config->windows[i].opens, config->windows[i].time_zone,
                   config->windows[i].place))
            return false;
    *ret_no_zones = c.no_zones;
    return true;
}

bool config_has_schedules(const struct config *config)
{
    bool any = config->nschedules > 0;
    for (size_t i = 0; i < config->nstacks && !any; i++)
        any = config->stacks[i].schedule.len > 0;
    return any;
}

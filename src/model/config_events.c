/* config_events.c - the keys of `events` in plumb.yaml. */
#include "model/config.h"
#include "model/config_field.h"

#define AT(member) .at = offsetof(struct config, events.member)

static const struct field events_fields[] = {
    {.name = "key",
     .kind = FIELD_STRING,
     .check = CHECK_REFERENCE,
     AT(key),
     .text = "env:NAME or file:PATH: who signs events with it, or sends it as X-Api-Key, needs no "
             "token"},
    {.name = "pipelines",
     .kind = FIELD_STRINGS,
     .check = CHECK_FILLED,
     AT(pipelines),
     .count_at = offsetof(struct config, events.npipelines),
     .text = "identities that apply the code: names, ARNs or addresses, * and ? in them, such as "
             "*:assumed-role/ci-deploy/*; what they do within a run is expected"},
    {.name = "keep",
     .kind = FIELD_DURATION,
     .least = 86400000,
     AT(keep_ms),
     .text = "how long events are kept, such as 30d; 90 days without it"},
};
const struct section config_events_section = {.what = "events",
                                              .fields = events_fields,
                                              .nfields =
                                                  sizeof events_fields / sizeof *events_fields};

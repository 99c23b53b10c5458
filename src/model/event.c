/* event.c - the names of event types. */
#include "model/event.h"

static const struct {
    const char *name, *meaning;
} types[] = {
#define X(constant, name, meaning) {name, meaning},
    EVENT_TYPES(X)
#undef X
};

const char *event_type_name(enum event_type type)
{
    return types[type].name;
}

const char *event_type_meaning(enum event_type type)
{
    return types[type].meaning;
}

bool event_type_from(struct str name, enum event_type *ret)
{
    for (int i = 0; i < EVENT_TYPE_COUNT; i++) {
        if (!str_equal(str_from(types[i].name), name))
            continue;
        *ret = (enum event_type)i;
        return true;
    }
    return false;
}

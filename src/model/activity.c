/* activity.c - the ways in which something is done, as a table. */
#include "model/activity.h"

static const struct {
    const char *name, *kind;
} ways[] = {
#define X(constant, name, kind, meaning) {name, kind},
    ACTIVITY_WAYS(X)
#undef X
};

const char *activity_way_name(enum activity_way way)
{
    return ways[way].name;
}

const char *activity_way_kind(enum activity_way way)
{
    return ways[way].kind;
}

bool activity_way_from(struct str name, enum activity_way *ret)
{
    for (int i = 0; i < ACTIVITY_WAY_COUNT; i++)
        if (str_equal(str_from(ways[i].name), name)) {
            *ret = (enum activity_way)i;
            return true;
        }
    return false;
}

/* notify.c - the kinds of receivers, by name. */
#include "respond/notify.h"

#define X(name) extern const struct notifier name;
#include "gen/respond_notifier.inc"
#undef X

#define X(name) &name,
static const struct notifier *const all[] = {
#include "gen/respond_notifier.inc"
};
#undef X

const struct notifier *const *notifier_list(size_t *ret_n)
{
    *ret_n = sizeof all / sizeof *all;
    return all;
}

const struct notifier *notifier_find(struct str name)
{
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (str_equal(name, str_from(all[i]->name)))
            return all[i];
    return NULL;
}

const char *alert_status_name(enum alert_status status)
{
#define X(constant, name, meaning) [constant] = name,
    static const char *const names[] = { ALERT_STATUSES(X) };
#undef X
    return status < ALERT_STATUS_COUNT ? names[status] : "";
}

const char *alert_status_meaning(enum alert_status status)
{
#define X(constant, name, meaning) [constant] = meaning,
    static const char *const meanings[] = { ALERT_STATUSES(X) };
#undef X
    return status < ALERT_STATUS_COUNT ? meanings[status] : "";
}

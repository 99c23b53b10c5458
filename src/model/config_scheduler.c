/* config_scheduler.c - the keys of `serve.scheduler` and `budgets` in plumb.yaml. */
#include "model/config.h"
#include "model/config_field.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define AT(member) .at = offsetof(struct config, serve.scheduler.member)

static const struct field scheduler_fields[] = {
    {.name = "enabled",
     .kind = FIELD_NOT,
     AT(off),
     .text = "does this service scan? true without it"},
    {.name = "workers",
     .kind = FIELD_INT,
     .least = 1,
     .most = 64,
     AT(workers),
     .text = "scans at once in one process, besides one of what was touched; 2 without it"},
    {.name = "lease",
     .kind = FIELD_DURATION,
     .least = 1000,
     .most = 3600000,
     AT(lease_ms),
     .text = "so long after a service died its scans are another's; 30s without it"},
    {.name = "apply_wait",
     .kind = FIELD_DURATION,
     .least = 1000,
     AT(apply_wait_ms),
     .text = "how long the end of an apply is waited for before a stack is scanned all the same; "
             "30m without it"},
    {.name = "slice",
     .kind = FIELD_INT,
     .least = 1,
     .most = 100000000,
     AT(slice),
     .text = "a stack with more resources than this that providers read is scanned in parts of "
             "that size, and goes on after a restart where it was; 5000 without it"},
    {.name = "drain",
     .kind = FIELD_DURATION,
     .least = 0,
     .most = 3600000,
     AT(drain_ms),
     .text = "how long a service that ends, or takes up another configuration, lets scans go on; "
             "10s without it"},
};
const struct section config_scheduler_section = {
    .what = "serve.scheduler", .fields = scheduler_fields, .nfields = COUNT(scheduler_fields)};

#define BUDGET(member) .at = offsetof(struct config_budget, member)
static const struct field budget_fields[] = {
    {.name = "provider",
     .kind = FIELD_STRING,
     .check = CHECK_FILLED,
     BUDGET(provider),
     .text = "glob over a provider's name, such as aws or */hashicorp/aws; any without it"},
    {.name = "settings",
     .kind = FIELD_STRING,
     .check = CHECK_FILLED,
     BUDGET(settings),
     .text =
         "glob over one value of the provider's settings, such as an account, a profile, a role "
         "or a region; any without it"},
    {.name = "requests",
     .kind = FIELD_INT,
     .least = 1,
     .most = 1000000,
     BUDGET(requests),
     .text = "what the other side allows a second, for all who ask it"},
    {.name = "concurrent",
     .kind = FIELD_INT,
     .least = 1,
     .most = 1000000,
     BUDGET(concurrent),
     .text = "what it allows at once, for all who ask it"},
    {.name = "share",
     .kind = FIELD_INT,
     .least = 1,
     .most = 100,
     BUDGET(share),
     .text = "per cent of both that scans take, so that the rest is there for applies; 50 without "
             "it"},
};
const struct section config_budget_section = {.what = "budget",
                                              .fields = budget_fields,
                                              .nfields = COUNT(budget_fields),
                                              .size = sizeof(struct config_budget),
                                              .place_at = offsetof(struct config_budget, place)};

/* config_feeds.c - the keys of `serve.watch`, `serve.git` and `serve.warm` in plumb.yaml. */
#include "model/config.h"
#include "model/config_field.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define AT(member) .at = offsetof(struct config, serve.feeds.member)

static const struct field watch_states_fields[] = {
    {.name = "off", .kind = FIELD_BOOL, AT(states_off), .text = "they are read by scans alone"},
    {.name = "every",
     .kind = FIELD_DURATION,
     .least = 1000,
     .most = 86400000,
     AT(states_every_ms),
     .text = "how often one is asked for its version in an http backend, s3 or gcs; 1m without it"},
    {.name = "pull",
     .kind = FIELD_DURATION,
     .least = 10000,
     .most = 86400000,
     AT(states_pull_ms),
     .text = "how often one of another backend is read, with `state pull`; 15m without it"},
    {.name = "requests",
     .kind = FIELD_INT,
     .least = 1,
     .most = 1000,
     AT(states_requests),
     .text = "looks a second at most, of all states together; 10 without it"},
};
static const struct section watch_states_section = {.what = "serve.watch.states",
                                                    .fields = watch_states_fields,
                                                    .nfields = COUNT(watch_states_fields)};

static const struct field watch_fields[] = {
    {.name = "off", .kind = FIELD_BOOL, AT(watch_off), .text = "nothing is watched"},
    {.name = "quiet",
     .kind = FIELD_DURATION,
     AT(quiet_ms),
     .text = "a change is told when nothing has happened for so long; 150ms without it"},
    {.name = "poll",
     .kind = FIELD_DURATION,
     AT(poll_ms),
     .text = "how often everything is looked at where the system gives no watches; 20s without it"},
    {.name = "states",
     .kind = FIELD_SECTION,
     .section = &watch_states_section,
     .text = "states that are kept elsewhere than in a file are asked whether they are other ones"},
};
const struct section config_watch_section = {
    .what = "serve.watch", .fields = watch_fields, .nfields = COUNT(watch_fields)};

static const struct field git_fields[] = {
    {.name = "fetch",
     .kind = FIELD_DURATION,
     .least = 1000,
     AT(fetch_ms),
     .text = "how often the branch is fetched; with it, code and this file are read from a clone "
             "that plumb keeps beside its store"},
    {.name = "url",
     .kind = FIELD_STRING,
     .check = CHECK_LOCATION,
     AT(git_url),
     .text = "the repository, without a password; the remote of the one that this file is in "
             "without it"},
    {.name = "branch",
     .kind = FIELD_STRING,
     .check = CHECK_FILLED,
     AT(git_branch),
     .text = "the branch; the one that is checked out here without it"},
    {.name = "push_key",
     .kind = FIELD_STRING,
     .check = CHECK_REFERENCE,
     AT(push_key),
     .text = "env:NAME or file:PATH: the secret of webhooks at POST /v1/push, which fetch at once"},
};
const struct section config_git_section = {
    .what = "serve.git", .fields = git_fields, .nfields = COUNT(git_fields)};

static const struct field warm_fields[] = {
    {.name = "off", .kind = FIELD_BOOL, AT(warm_off), .text = "providers end with their scan"},
    {.name = "processes",
     .kind = FIELD_INT,
     .least = 1,
     .most = 10000,
     AT(warm_processes),
     .text = "providers that wait for the next scan at most; 16 without it"},
    {.name = "apart",
     .kind = FIELD_BOOL,
     AT(warm_apart),
     .text = "each stack has provider processes of its own, also where its folder is of no matter"},
    {.name = "share",
     .kind = FIELD_STRINGS,
     .check = CHECK_FILLED,
     AT(warm_share),
     .count_at = offsetof(struct config, serve.feeds.nwarm_share),
     .text = "globs of HOST/NAMESPACE/TYPE: providers that look for no file unless they are told "
             "its path; stacks share their processes whatever is in their folders"},
    {.name = "memory",
     .kind = FIELD_SIZE,
     AT(warm_memory),
     .text = "memory of all that wait; past it the biggest ends first; 1G without it"},
    {.name = "idle",
     .kind = FIELD_DURATION,
     .least = 1000,
     AT(warm_idle_ms),
     .text = "one that was not used for so long ends; 10m without it"},
    {.name = "age",
     .kind = FIELD_DURATION,
     .least = 1000,
     AT(warm_age_ms),
     .text = "one that was configured so long ago ends, with the credentials it was given; 30m "
             "without it"},
};
const struct section config_warm_section = {
    .what = "serve.warm", .fields = warm_fields, .nfields = COUNT(warm_fields)};

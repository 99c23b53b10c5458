/* config_notify.c - the keys of an entry of `notify` in plumb.yaml. */
#include "base/err.h"
#include "model/config.h"
#include "model/config_field.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define AT(member) .at = offsetof(struct config_notify, member)
#define MANY(member) AT(member), .count_at = offsetof(struct config_notify, n##member)

static const struct field notify_fields[] = {
    {.name = "to",
     .kind = FIELD_STRING,
     .check = CHECK_FILLED,
     .required = true,
     AT(to),
     .text = "kind of receiver, such as slack"},
    {.name = "name",
     .kind = FIELD_STRING,
     .check = CHECK_FILLED,
     AT(name),
     .text = "how it is called in lists and in `plumb notify test`; the kind without it"},
    {.name = "url",
     .kind = FIELD_STRING,
     .check = CHECK_REFERENCE,
     AT(url),
     .text = "where to, by reference: env:NAME or file:PATH"},
    {.name = "key",
     .kind = FIELD_STRING,
     .check = CHECK_REFERENCE,
     AT(key),
     .text = "env:NAME or file:PATH: what it is signed with, or the receiver's token"},
    {.name = "user",
     .kind = FIELD_STRING,
     .check = CHECK_FILLED,
     AT(user),
     .text = "of basic authentication, or of the mail server"},
    {.name = "password",
     .kind = FIELD_STRING,
     .check = CHECK_REFERENCE,
     AT(password),
     .text = "env:NAME or file:PATH"},
    {.name = "ca",
     .kind = FIELD_STRING,
     .check = CHECK_REFERENCE,
     AT(ca),
     .text = "env:NAME or file:PATH: certificates (PEM) that the receiver's is signed by, instead "
             "of the system's"},
    {.name = "from", .kind = FIELD_STRING, .check = CHECK_FILLED, AT(from), .text = "mail: sender"},
    {.name = "recipients",
     .kind = FIELD_STRINGS,
     .check = CHECK_FILLED,
     MANY(recipients),
     .text = "mail: addresses"},
    {.name = "project",
     .kind = FIELD_STRING,
     .check = CHECK_FILLED,
     AT(project),
     .text = "issues: owner/name on GitHub, the path or number of a project on GitLab"},
    {.name = "channel",
     .kind = FIELD_STRING,
     .check = CHECK_FILLED,
     AT(channel),
     .text = "slack with a bot's token: the channel's id"},
    {.name = "format",
     .kind = FIELD_STRING,
     .check = CHECK_FILLED,
     AT(format),
     .text = "webhook: standard (as Standard Webhooks has it), cloudevents, or plumb's own alone"},
    {.name = "labels",
     .kind = FIELD_STRINGS,
     .check = CHECK_FILLED,
     MANY(labels),
     .text = "issues: labels of a new one; alertmanager: name=value, on each alert"},
    {.name = "allow_private",
     .kind = FIELD_BOOL,
     AT(allow_private),
     .text = "the receiver may be at a private or loopback address"},
    {.name = "when",
     .kind = FIELD_STRING,
     .check = CHECK_WHEN,
     AT(when),
     .text = "which findings, such as \"severity >= high and environment = prod\"; without it all"},
    {.name = "owners",
     .kind = FIELD_STRINGS,
     .check = CHECK_FILLED,
     MANY(owners),
     .text = "only findings of these owners, such as \"@net\"; globs"},
    {.name = "fallback",
     .kind = FIELD_BOOL,
     AT(fallback),
     .text = "gets what no other receiver takes, and only that"},
    {.name = "only",
     .kind = FIELD_STRINGS,
     .check = CHECK_SPAN,
     MANY(only),
     .text = "times at which it takes anything, such as \"mon-fri 08:00-18:00\""},
    {.name = "quiet",
     .kind = FIELD_STRINGS,
     .check = CHECK_SPAN,
     MANY(quiet),
     .text = "times at which what it gets is held back until they end, such as \"22:00-07:00\""},
    {.name = "quiet_passes",
     .kind = FIELD_STRING,
     .check = CHECK_SEVERITY,
     AT(quiet_passes),
     .text = "severity from which an alert is not held back; critical without it"},
    {.name = "time_zone",
     .kind = FIELD_STRING,
     .check = CHECK_FILLED,
     AT(time_zone),
     .text = "of only, quiet and digest, such as Europe/Berlin; UTC without it"},
    {.name = "group",
     .kind = FIELD_STRING,
     .check = CHECK_GROUP,
     AT(group),
     .text = "what becomes one message: stack (as without it), owner, environment or none"},
    {.name = "group_wait",
     .kind = FIELD_DURATION,
     .most = 86400000,
     AT(group_wait_ms),
     .text = "how long a message waits for more of its group; 0 without it"},
    {.name = "group_interval",
     .kind = FIELD_DURATION,
     .most = 604800000,
     AT(group_interval_ms),
     .text = "least time between two messages of a group; 0 without it"},
    {.name = "digest",
     .kind = FIELD_STRING,
     .check = CHECK_DIGEST,
     AT(digest),
     .text = "when it is told what is still open: \"daily 09:00\", \"weekly mon 09:00\""},
    {.name = "repeat",
     .kind = FIELD_DURATION,
     .least = 60000,
     AT(repeat_ms),
     .text = "after which time what is still open is told again; never without it"},
    {.name = "resolved",
     .kind = FIELD_NOT,
     AT(no_resolved),
     .text = "false: it is not told what is resolved"},
    {.name = "rate",
     .kind = FIELD_INT,
     .least = 1,
     .most = 10000,
     AT(rate),
     .text = "most messages in a minute; what is over it becomes one"},
    {.name = "escalate",
     .kind = FIELD_STRINGS,
     .check = CHECK_FILLED,
     MANY(escalate),
     .text = "names of receivers that are told when the deadline of a finding that this one was "
             "told passes without an answer"},
    {.name = "escalate_after",
     .kind = FIELD_DURATION,
     AT(escalate_after_ms),
     .text = "how long after the deadline; 0 without it"},
};
const struct section config_notify_section = {.what = "notify entry",
                                              .fields = notify_fields,
                                              .nfields = COUNT(notify_fields),
                                              .size = sizeof(struct config_notify),
                                              .place_at = offsetof(struct config_notify, place)};

static bool there(const struct config *config, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_equal(config->notify[i].name, name))
            return true;
    return false;
}

bool config_finish_notify(const struct config *config, struct err *err)
{
    enum { RECEIVERS_MAX = 1000 };
    if (config->nnotify > RECEIVERS_MAX)
        return err_set(err, ERR_LIMIT, "notify: more than %d receivers", RECEIVERS_MAX);
    for (size_t i = 0; i < config->nnotify; i++) {
        /* Just made, writable, by the reader. */
        struct config_notify *one = (struct config_notify *)(uintptr_t)&config->notify[i];
        one->name = one->name.len ? one->name : one->to;
        if (there(config, i, one->name))
            return err_set(err, ERR_USAGE,
                           "%.*s:%u:%u: there is a receiver '%.*s' already: give each its `name`",
                           STR_ARG(config->path), one->place.line, one->place.column,
                           STR_ARG(one->name));
    }
    for (size_t i = 0; i < config->nnotify; i++) {
        const struct config_notify *one = &config->notify[i];
        for (size_t k = 0; k < one->nescalate; k++)
            if (!there(config, config->nnotify, one->escalate[k]) ||
                str_equal(one->escalate[k], one->name))
                return err_set(err, ERR_USAGE, "%.*s:%u:%u: escalate: '%.*s' is no other receiver",
                               STR_ARG(config->path), one->place.line, one->place.column,
                               STR_ARG(one->escalate[k]));
    }
    return true;
}

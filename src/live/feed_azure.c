/* feed_azure.c - an event of Azure's activity log: of an Event Hub, of REST, of Event Grid.
 *
 * Source:  activity-log-schema.md (azure-monitor-docs), Event Grid "Azure subscription" events
 */
#include <strings.h>

#include "live/feed_parts.h"

#define CLAIM "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"

/* operationName is a text in a hub, {value, localizedValue} in REST. */
static struct str text_or_value(const struct value *v, const char *key)
{
    const struct value *at = value_get(v, str_from(key));
    return value_is_object_like(at) ? feed_text(at, "value") : feed_text(v, key);
}

/* Event Grid has the log's members below `data`. */
static const struct value *inner(const struct value *v)
{
    const struct value *data = value_get(v, STR("data"));
    return value_is_object_like(data) && value_get(data, STR("operationName")) ? data : v;
}

bool feed_is_azure(const struct value *v)
{
    const struct value *at = inner(v);
    static const char *const ids[] = {"resourceId", "resourceUri", "id", NULL};
    return text_or_value(at, "operationName").len && feed_first(at, ids).len &&
           (feed_text(at, "correlationId").len || feed_text(at, "eventDataId").len);
}

static void read_actor(struct activity *a, const struct value *at)
{
    static const struct str names[] = {STR_INIT(CLAIM "upn"),
                                       STR_INIT("upn"),
                                       STR_INIT("preferred_username"),
                                       STR_INIT(CLAIM "emailaddress"),
                                       STR_INIT(CLAIM "name"),
                                       STR_INIT("name"),
                                       STR_INIT("appid")};
    const struct value *claims = feed_get(at, "identity.claims");
    struct str app;
    if (!claims)
        claims = value_get(at, STR("claims"));
    for (size_t i = 0; i < sizeof names / sizeof *names && !a->actor.len; i++)
        a->actor = value_get_string(claims, names[i]);
    a->principal = text_or_value(at, "caller");
    if (!a->actor.len)
        a->actor = a->principal;
    app = value_get_string(claims, STR("appid"));
    if (!a->principal.len)
        a->principal = value_get_string(
            claims, STR("http://schemas.microsoft.com/identity/claims/objectidentifier"));
    a->session = app;
    if (!a->principal.len)
        a->principal = a->actor;
}

/* The applications that people's tools are; another one is a service principal of somebody's. */
static enum activity_way way_of(const struct activity *a)
{
    static const struct {
        struct str app;
        enum activity_way way;
    } apps[] = {{STR_INIT("c44b4083-3bb0-49c1-b47d-974e53cbdf3c"), ACTIVITY_CONSOLE},
                {STR_INIT("04b07795-8ddb-461a-bbee-02f9e1bf7b46"), ACTIVITY_API},
                {STR_INIT("1950a258-227b-4e31-a9cf-717495945fc2"), ACTIVITY_API}};
    for (size_t i = 0; i < sizeof apps / sizeof *apps; i++)
        if (str_equal(apps[i].app, a->session))
            return apps[i].way;
    return a->actor.len ? ACTIVITY_API : ACTIVITY_SERVICE;
}

static void read_status(struct activity *a, const struct value *at)
{
    static const char *const pending[] = {"Start", "Accept", "Active", "InProgress", NULL};
    static const char *const failed[] = {"Fail", "Cancel", "Error", NULL};
    struct str status = text_or_value(at, "resultType");
    struct str more = feed_text(at, "resultSignature"),
               code = feed_text(at, "properties.statusCode");
    if (!status.len)
        status = text_or_value(at, "status");
    a->not_final = feed_verb(status, pending);
    a->failed = feed_verb(status, failed);
    a->creates = feed_has(more, "Created") || feed_has(code, "Created") ||
                 feed_has(text_or_value(at, "subStatus"), "Created");
}

/* Only these change something. A hub or a storage account may have the last three, which are of the
 * log's older schema. */
static bool changes_things(struct str category)
{
    static const struct str those[] = {STR_INIT("Administrative"), STR_INIT("Write"),
                                       STR_INIT("Delete"), STR_INIT("Action")};
    bool is = !category.len;
    for (size_t i = 0; i < sizeof those / sizeof *those && !is; i++)
        is = category.len == those[i].len &&
             strncasecmp(category.ptr, those[i].ptr, category.len) == 0;
    return is;
}

static bool is_read_only(const struct value *at, struct str action)
{
    static const char *const reads[] = {"read", "list", NULL};
    struct str before;
    if (!changes_things(text_or_value(at, "category")))
        return true;
    if (feed_verb(action, reads))
        return true;
    /* Microsoft.Storage/storageAccounts/listKeys/action */
    if (action.len < 7 || strncasecmp(action.ptr + action.len - 7, "/action", 7) != 0)
        return false;
    before = feed_after_last(str_sub(action, 0, action.len - 7), '/');
    return before.len >= 4 && strncasecmp(before.ptr, "list", 4) == 0;
}

static struct str subscription_of(struct str id)
{
    struct str step, rest = id;
    for (bool more = true; more;) {
        more = str_cut(&rest, '/', &step);
        if (more && step.len == 13 && strncasecmp(step.ptr, "subscriptions", 13) == 0) {
            (void)str_cut(&rest, '/', &step);
            return step;
        }
    }
    return (struct str){0};
}

bool feed_azure(struct feed_event *e, const struct value *v, struct err *err)
{
    static const char *const ids[] = {"resourceId", "resourceUri", NULL};
    static const char *const ips[] = {"callerIpAddress", "httpRequest.clientIpAddress", NULL};
    static const char *const scopes[] = {"identity.authorization.scope", "authorization.scope",
                                         "properties.entity", NULL};
    static const char *const times[] = {"time", "eventTimestamp", "submissionTimestamp", NULL};
    const struct value *at = inner(v);
    struct activity *a = e->to;
    struct str resource = feed_first(at, ids), time = feed_first(at, times);
    a->source = STR("azure-activity");
    a->cloud = STR("azure");
    a->action = text_or_value(at, "operationName");
    if (!resource.len && at == v)
        resource = feed_text(v, "id");
    if (!time.len)
        time = feed_text(v, "eventTime");
    if (!time.len)
        time = feed_text(v, "time");
    const struct value when = value_string(time);
    a->time_utc_ms = feed_time(&when);
    a->account = subscription_of(resource);
    a->source_ip = feed_first(at, ips);
    read_status(a, at);
    a->read_only = is_read_only(at, a->action);
    read_actor(a, at);
    a->way = way_of(a);
    a->id = feed_text(at, "eventDataId");
    if (!a->id.len)
        a->id = arena_printf(e->arena, "%.*s %.*s %.*s", STR_ARG(feed_text(at, "correlationId")),
                             STR_ARG(a->action), STR_ARG(time));
    if (!a->id.ptr)
        return arena_full(e->arena, err);
    feed_add_name(e, STR("resourceId"), resource, 0, true);
    for (size_t i = 0; scopes[i]; i++)
        feed_add_name(e, STR("scope"), feed_text(at, scopes[i]), 0, true);
    return true;
}

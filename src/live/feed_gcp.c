/* feed_gcp.c - an entry of Google Cloud's audit log.
 *
 * Source:  google/logging/v2/log_entry.proto, google/cloud/audit/audit_log.proto
 */
#include "live/feed_parts.h"

bool feed_is_gcp(const struct value *v)
{
    return value_is_object_like(value_get(v, STR("protoPayload")));
}

static void read_actor(struct activity *a, const struct value *p)
{
    static const char *const names[] = {"authenticationInfo.principalEmail",
                                        "authenticationInfo.principalSubject", NULL};
    const struct value *chain = feed_get(p, "authenticationInfo.serviceAccountDelegationInfo");
    a->actor = feed_first(p, names);
    a->principal = feed_text(p, "authenticationInfo.principalSubject");
    if (!a->principal.len)
        a->principal = a->actor;
    a->session = feed_text(p, "authenticationInfo.serviceAccountKeyName");
    /* Whoever took on the account: the first of the chain. */
    if (value_is_list_like(chain) && chain->len) {
        static const char *const first[] = {"firstPartyPrincipal.principalEmail",
                                            "principalSubject", NULL};
        struct str by = feed_first(&chain->items[0], first);
        if (by.len) {
            a->session = a->actor;
            a->actor = str_starts(by, STR("user:")) ? str_sub(by, 5, by.len) : by;
        }
    }
}

static enum activity_way way_of(const struct activity *a)
{
    if (str_starts(a->actor, STR("service-")) && feed_has(a->actor, ".iam.gserviceaccount.com"))
        return ACTIVITY_SERVICE;
    if (feed_has(a->actor, "@cloudservices.gserviceaccount.com") || str_equal(a->actor, STR("")))
        return ACTIVITY_SERVICE;
    return feed_way_of_client(a->client);
}

/* The log "activity" has writes only; in "data_access" a write changes data, not infrastructure; in
 * "policy" is what was denied. What stands before the log's own name is a project's. */
static bool is_read_only(const struct value *v)
{
    struct str log = feed_after_last(feed_text(v, "logName"), '/');
    return feed_has(log, "%2Fdata_access") || feed_has(log, "%2Fpolicy") ||
           str_equal(log, STR("data_access")) || str_equal(log, STR("policy"));
}

static struct str account_of(const struct value *v, const struct value *p)
{
    static const char *const labels[] = {"resource.labels.project_id", NULL};
    struct str project = feed_first(v, labels), rest = feed_text(v, "logName"), step;
    if (!project.len && str_cut(&rest, '/', &step) && str_equal(step, STR("projects")) &&
        str_cut(&rest, '/', &step))
        project = step;
    rest = feed_text(p, "resourceName");
    if (!project.len && str_cut(&rest, '/', &step) && str_equal(step, STR("projects")) &&
        str_cut(&rest, '/', &step))
        project = step;
    return project;
}

static void read_names(struct feed_event *e, const struct value *v, const struct value *p)
{
    static const char *const common[] = {"project_id", "location", "zone", "region", NULL};
    const struct value *labels = feed_get(v, "resource.labels");
    feed_add_name(e, STR("resourceName"), feed_text(p, "resourceName"), 0, true);
    for (uint32_t i = 0; value_is_object_like(labels) && i < labels->len; i++) {
        struct str key = key_str(labels->members[i].key);
        bool skip = false;
        for (size_t k = 0; common[k]; k++)
            skip |= str_equal(key, str_from(common[k]));
        if (!skip && value_is_string(&labels->members[i].value))
            feed_add_name(e, key, value_text(&labels->members[i].value), 0, false);
    }
    feed_add_name(e, STR("targetLink"), feed_text(p, "response.targetLink"), 1, false);
    feed_add_leaves(e, STR("request"), value_get(p, STR("request")), false);
}

bool feed_gcp(struct feed_event *e, const struct value *v, struct err *err)
{
    static const char *const makes[] = {"insert", "create", "import", NULL};
    static const char *const region[] = {"resource.labels.location", "resource.labels.region",
                                         "resource.labels.zone", NULL};
    const struct value *p = value_get(v, STR("protoPayload"));
    const struct value *code = feed_get(p, "status.code"), *operation = feed_get(v, "operation");
    struct activity *a = e->to;
    int64_t status = 0;
    a->source = STR("gcp-audit");
    struct str id = feed_text(v, "insertId");
    if (id.len) {
        a->id = arena_printf(e->arena, "%.*s %.*s %.*s", STR_ARG(id),
                             STR_ARG(feed_text(v, "logName")), STR_ARG(feed_text(v, "timestamp")));
        if (!a->id.ptr)
            return arena_full(e->arena, err);
    }
    a->time_utc_ms = feed_time(value_get(v, STR("timestamp")));
    a->cloud = STR("google");
    a->account = account_of(v, p);
    a->region = feed_first(v, region);
    a->service = feed_text(p, "serviceName");
    a->action = feed_text(p, "methodName");
    a->kind = feed_text(v, "resource.type");
    a->client = feed_text(p, "requestMetadata.callerSuppliedUserAgent");
    a->source_ip = feed_text(p, "requestMetadata.callerIp");
    a->failed = code && value_to_int64(code, &status) && status != 0;
    a->read_only = is_read_only(v);
    a->not_final = value_get_bool(operation, STR("first"), false) &&
                   !value_get_bool(operation, STR("last"), false);
    a->creates = feed_verb(a->action, makes);
    read_actor(a, p);
    a->way = way_of(a);
    read_names(e, v, p);
    return true;
}

/* feed_aws.c - a record of AWS CloudTrail.
 *
 * Source:  CloudTrail record contents 1.11, userIdentity element
 */
#include "live/feed_parts.h"

bool feed_is_aws(const struct value *v)
{
    return feed_text(v, "eventSource").len && feed_text(v, "eventName").len &&
           (value_get(v, STR("userIdentity")) || feed_text(v, "eventID").len) &&
           !value_get(v, STR("s3"));
}

/* UpdateFunctionConfiguration20150331v2: the version of the interface goes. */
static struct str without_version(struct str name)
{
    enum { DATE = 8 };
    size_t end = name.len, digits = 0;
    while (end && name.ptr[end - 1] >= '0' && name.ptr[end - 1] <= '9')
        end--;
    if (end && end < name.len && (name.ptr[end - 1] == 'v' || name.ptr[end - 1] == '_'))
        end--;
    else
        end = name.len;
    while (digits < end && name.ptr[end - 1 - digits] >= '0' && name.ptr[end - 1 - digits] <= '9')
        digits++;
    return digits == DATE ? str_sub(name, 0, end - digits) : name;
}

/* A session of Identity Center is named after the person; of other roles after whoever took it. */
static void read_actor(struct activity *a, const struct value *v)
{
    const struct value *who = value_get(v, STR("userIdentity"));
    struct str type = feed_text(who, "type");
    struct str service = feed_text(who, "invokedBy");
    struct str issuer = feed_text(who, "sessionContext.sessionIssuer.userName");
    a->principal = feed_text(who, "arn");
    if (!a->principal.len)
        a->principal = feed_text(who, "principalId");
    a->session = issuer.len ? issuer : feed_text(who, "sessionContext.sessionIssuer.arn");
    if (service.len || str_equal(type, STR("AWSService"))) {
        a->actor = service.len ? service : feed_text(who, "principalId");
        a->way = ACTIVITY_SERVICE;
        return;
    }
    a->actor = feed_text(who, "sessionContext.sourceIdentity");
    if (!a->actor.len && str_equal(type, STR("Root")))
        a->actor = STR("root");
    if (!a->actor.len && str_equal(type, STR("AssumedRole")))
        a->actor = feed_after_last(a->principal, '/');
    if (!a->actor.len)
        a->actor = feed_text(who, "userName");
    if (!a->actor.len) /* IdentityCenterUser, FederatedUser, WebIdentityUser ... */
        a->actor = feed_after_last(a->principal, '/');
}

static bool truth(const struct value *v, const char *key)
{
    const struct value *at = value_get(v, str_from(key));
    return (at && at->kind == VALUE_BOOL && at->truth) ||
           (value_is_string(at) && str_equal(value_text(at), STR("true")));
}

static bool is_read_only(const struct value *v, struct str action)
{
    static const char *const reads[] = {"Get", "List", "Describe", "Head", "Lookup", NULL};
    const struct value *said = value_get(v, STR("readOnly"));
    return said && said->kind == VALUE_BOOL ? said->truth
                                            : truth(v, "readOnly") || feed_verb(action, reads);
}

static void read_names(struct feed_event *e, const struct value *v)
{
    const struct value *list = value_get(v, STR("resources"));
    for (uint32_t i = 0; value_is_list_like(list) && i < list->len; i++) {
        struct str arn = feed_text(&list->items[i], "ARN");
        feed_add_name(e, STR("arn"), arn.len ? arn : feed_text(&list->items[i], "arn"), 0, true);
        if (!e->to->kind.len)
            e->to->kind = feed_text(&list->items[i], "type");
    }
    feed_add_leaves(e, STR("request"), value_get(v, STR("requestParameters")), false);
    feed_add_leaves(e, STR("response"), value_get(v, STR("responseElements")), false);
}

bool feed_aws(struct feed_event *e, const struct value *v, struct err *err)
{
    static const char *const makes[] = {"Create",   "Run",     "Allocate", "Import",
                                        "Register", "Restore", NULL};
    static const char *const account[] = {"recipientAccountId", "userIdentity.accountId", NULL};
    struct activity *a = e->to;
    struct str service = feed_text(v, "eventSource");
    (void)err;
    a->source = STR("cloudtrail");
    a->id = feed_text(v, "eventID");
    a->time_utc_ms = feed_time(value_get(v, STR("eventTime")));
    a->cloud = STR("aws");
    a->account = feed_first(v, account);
    a->region = feed_text(v, "awsRegion");
    a->service =
        str_ends(service, STR(".amazonaws.com")) ? str_sub(service, 0, service.len - 14) : service;
    a->action = without_version(feed_text(v, "eventName"));
    a->client = feed_text(v, "userAgent");
    a->source_ip = feed_text(v, "sourceIPAddress");
    a->failed = feed_text(v, "errorCode").len != 0;
    a->read_only = is_read_only(v, a->action);
    a->creates = feed_verb(a->action, makes);
    read_actor(a, v);
    if (truth(v, "sessionCredentialFromConsole"))
        a->way = ACTIVITY_CONSOLE;
    else if (a->way == ACTIVITY_UNKNOWN_WAY)
        a->way = feed_way_of_client(a->client);
    read_names(e, v);
    return true;
}

/* test_feed.c - events of each source, in each envelope: a row says what is taken from one. */
#include "base/test.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "live/feed.h"

enum { LIMIT = 64 << 20 };

#define TRAIL_OF(identity, more) \
    "{\"eventVersion\":\"1.11\",\"userIdentity\":{" identity "}," \
    "\"eventTime\":\"2026-08-23T09:58:12Z\",\"eventSource\":\"ec2.amazonaws.com\"," \
    "\"eventName\":\"AuthorizeSecurityGroupIngress\",\"awsRegion\":\"eu-west-1\"," \
    "\"sourceIPAddress\":\"203.0.113.64\",\"userAgent\":\"aws-cli/2.15\"," \
    "\"requestParameters\":{\"groupId\":\"sg-1\",\"deep\":[{\"groupId\":\"sg-2\"}]}," \
    "\"responseElements\":null,\"eventID\":\"e-1\",\"recipientAccountId\":\"111122223333\"" more \
    "}"
#define USER "\"type\":\"IAMUser\",\"userName\":\"alice\",\"arn\":\"arn:aws:iam::1:user/alice\""
#define TRAIL TRAIL_OF(USER, "")
/* the same as a JSON string */
#define TRAIL_TEXT \
    "\"{\\\"eventSource\\\":\\\"s3.amazonaws.com\\\",\\\"eventName\\\":\\\"PutBucketAcl\\\"," \
    "\\\"eventID\\\":\\\"e-2\\\",\\\"eventTime\\\":\\\"2026-08-23T09:58:12Z\\\"," \
    "\\\"userIdentity\\\":{\\\"type\\\":\\\"Root\\\",\\\"arn\\\":\\\"arn:aws:iam::1:root\\\"}}\""
#define SESSION(role) \
    "\"type\":\"AssumedRole\",\"arn\":\"arn:aws:sts::1:assumed-role/" role "/bob@example.org\"," \
    "\"sessionContext\":{\"sessionIssuer\":{\"userName\":\"" role "\"}}"
#define GCP_OF(method, more) \
    "{\"insertId\":\"i1\",\"logName\":\"projects/p/logs/cloudaudit.googleapis.com%2Factivity\"," \
    "\"timestamp\":\"2026-08-23T09:58:12.345678Z\",\"resource\":{\"type\":\"gce_firewall_rule\"," \
    "\"labels\":{\"project_id\":\"p\",\"firewall_rule_id\":\"123456789\"}},\"protoPayload\":{" \
    "\"serviceName\":\"compute.googleapis.com\",\"methodName\":\"" method "\",\"resourceName\":" \
    "\"projects/p/global/firewalls/f\",\"authenticationInfo\":{\"principalEmail\":" \
    "\"carol@example.org\"},\"requestMetadata\":{\"callerIp\":\"203.0.113.65\"," \
    "\"callerSuppliedUserAgent\":\"Terraform/1.9.0\"}}" more "}"
#define GCP_IN(log) \
    "{\"insertId\":\"i1\",\"logName\":\"projects/" log "\",\"timestamp\":" \
    "\"2026-08-23T09:58:12Z\",\"protoPayload\":{\"methodName\":\"m\",\"resourceName\":" \
    "\"projects/p/x/f\",\"authenticationInfo\":{\"principalEmail\":\"carol@example.org\"}}}"
#define SUB "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers"
#define AZURE_OF(status, operation) AZURE_IN("Administrative", status, operation)
#define AZURE_IN(category, status, operation) \
    "{\"time\":\"2026-08-23T09:58:12.9792776Z\",\"resourceId\":\"" SUB "/Microsoft.X/ys/y\"," \
    "\"operationName\":\"" operation "\",\"category\":\"" category "\",\"resultType\":\"" status \
    "\",\"callerIpAddress\":\"203.0.113.66\",\"correlationId\":\"c1\",\"identity\":{\"claims\":{" \
    "\"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn\":\"dave@example.org\"," \
    "\"appid\":\"c44b4083-3bb0-49c1-b47d-974e53cbdf3c\"}}}"
#define OWN \
    "{\"actor\":\"erin\",\"action\":\"alter role\",\"resource\":\"app\"," \
    "\"time\":\"2026-08-23T09:58:12Z\"}"

static const struct {
    const char *says, *text;
    size_t n;
    const char *source, *actor, *action, *name; /* name: the first */
    enum activity_way way;
    bool read_only, failed, not_final, creates, attack;
} cases[] = {
    {"a record as EventBridge has it in detail",
     "{\"detail-type\":\"AWS API Call via CloudTrail\",\"resources\":[],\"detail\":" TRAIL "}", 1,
     "cloudtrail", "alice", "AuthorizeSecurityGroupIngress", "sg-1", ACTIVITY_API},
    {"a file of records", "{\"Records\":[" TRAIL "," TRAIL "]}", 2, "cloudtrail", "alice",
     "AuthorizeSecurityGroupIngress", "sg-1", ACTIVITY_API},
    {"lines", TRAIL "\n\n" TRAIL "\n", 2, "cloudtrail", "alice", "AuthorizeSecurityGroupIngress",
     "sg-1", ACTIVITY_API},
    {"SQS: a body within a message",
     "{\"Messages\":[{\"MessageId\":\"1\",\"Body\":" TRAIL_TEXT "}]}", 1, "cloudtrail", "root",
     "PutBucketAcl", NULL, ACTIVITY_UNKNOWN_WAY},
    {"SQS as Lambda gets it", "{\"Records\":[{\"messageId\":\"1\",\"body\":" TRAIL_TEXT "}]}", 1,
     "cloudtrail", "root", "PutBucketAcl", NULL, ACTIVITY_UNKNOWN_WAY},
    {"SNS", "{\"Type\":\"Notification\",\"MessageId\":\"1\",\"Message\":" TRAIL_TEXT "}", 1,
     "cloudtrail", "root", "PutBucketAcl", NULL, ACTIVITY_UNKNOWN_WAY},
    {"LookupEvents", "{\"Events\":[{\"EventId\":\"e\",\"CloudTrailEvent\":" TRAIL_TEXT "}]}", 1,
     "cloudtrail", "root", "PutBucketAcl", NULL, ACTIVITY_UNKNOWN_WAY},
    {"a person of Identity Center is the session's name",
     TRAIL_OF(SESSION("AWSReservedSSO_Admin_0"), ",\"sessionCredentialFromConsole\":\"true\""), 1,
     "cloudtrail", "bob@example.org", "AuthorizeSecurityGroupIngress", "sg-1", ACTIVITY_CONSOLE},
    {"who took the role said who he is",
     TRAIL_OF("\"type\":\"AssumedRole\",\"arn\":\"arn:aws:sts::1:assumed-role/r/s\","
              "\"sessionContext\":{\"sourceIdentity\":\"frank\"}",
              ""),
     1, "cloudtrail", "frank", "AuthorizeSecurityGroupIngress", "sg-1", ACTIVITY_API},
    {"a service", TRAIL_OF(SESSION("r") ",\"invokedBy\":\"autoscaling.amazonaws.com\"", ""), 1,
     "cloudtrail", "autoscaling.amazonaws.com", "AuthorizeSecurityGroupIngress", "sg-1",
     ACTIVITY_SERVICE},
    {"refused by the cloud", TRAIL_OF(USER, ",\"errorCode\":\"AccessDenied\""), 1, "cloudtrail",
     "alice", "AuthorizeSecurityGroupIngress", "sg-1", ACTIVITY_API, .failed = true},
    {"read only", TRAIL_OF(USER, ",\"readOnly\":true"), 1, "cloudtrail", "alice",
     "AuthorizeSecurityGroupIngress", "sg-1", ACTIVITY_API, .read_only = true},
    {"the version of the interface goes",
     "{\"eventSource\":\"lambda.amazonaws.com\",\"eventName\":"
     "\"UpdateFunctionConfiguration20150331v2\",\"eventID\":\"e\",\"userIdentity\":{" USER "},"
     "\"eventTime\":\"2026-08-23T09:58:12Z\"}",
     1, "cloudtrail", "alice", "UpdateFunctionConfiguration", NULL, ACTIVITY_UNKNOWN_WAY},
    {"the log itself is stopped",
     "{\"eventSource\":\"cloudtrail.amazonaws.com\",\"eventName\":\"StopLogging\",\"eventID\":"
     "\"e\",\"userIdentity\":{" USER "},\"eventTime\":\"2026-08-23T09:58:12Z\"}",
     1, "cloudtrail", "alice", "StopLogging", NULL, ACTIVITY_UNKNOWN_WAY, .attack = true},
    {"Google: an entry", GCP_OF("v1.compute.firewalls.patch", ""), 1, "gcp-audit",
     "carol@example.org", "v1.compute.firewalls.patch", "projects/p/global/firewalls/f",
     ACTIVITY_TERRAFORM},
    {"Google: a project that is named as another log is",
     GCP_IN("acme-policy-data_access/logs/cloudaudit.googleapis.com%2Factivity"), 1, "gcp-audit",
     "carol@example.org", "m", "projects/p/x/f", ACTIVITY_UNKNOWN_WAY},
    {"Google: access to data", GCP_IN("p/logs/cloudaudit.googleapis.com%2Fdata_access"), 1,
     "gcp-audit", "carol@example.org", "m", "projects/p/x/f", ACTIVITY_UNKNOWN_WAY,
     .read_only = true},
    {"Google: what a policy denied", GCP_IN("p/logs/cloudaudit.googleapis.com%2Fpolicy"), 1,
     "gcp-audit", "carol@example.org", "m", "projects/p/x/f", ACTIVITY_UNKNOWN_WAY,
     .read_only = true},
    {"Azure: a write by the category of the older schema",
     AZURE_IN("Write", "Success", "Microsoft.X/ys/write"), 1, "azure-activity", "dave@example.org",
     "Microsoft.X/ys/write", SUB "/Microsoft.X/ys/y", ACTIVITY_CONSOLE},
    {"Azure: a category that changes nothing",
     AZURE_IN("Policy", "Success", "Microsoft.X/ys/write"), 1, "azure-activity", "dave@example.org",
     "Microsoft.X/ys/write", SUB "/Microsoft.X/ys/y", ACTIVITY_CONSOLE, .read_only = true},
    {"our own with members that are envelopes elsewhere",
     "{\"actor\":\"erin\",\"action\":\"alter role\",\"resource\":\"app\",\"value\":\"5\","
     "\"entries\":[\"a\"],\"time\":\"2026-08-23T09:58:12Z\"}",
     1, "event", "erin", "alter role", "app", ACTIVITY_UNKNOWN_WAY},
    {"Google: the first of two",
     GCP_OF("v1.compute.firewalls.insert", ",\"operation\":{\"id\":\"o\",\"first\":true}"), 1,
     "gcp-audit", "carol@example.org", "v1.compute.firewalls.insert",
     "projects/p/global/firewalls/f", ACTIVITY_TERRAFORM, .not_final = true, .creates = true},
    {"Google: the last of two",
     GCP_OF("v1.compute.firewalls.patch", ",\"operation\":{\"id\":\"o\",\"last\":true}"), 1,
     "gcp-audit", "carol@example.org", "v1.compute.firewalls.patch",
     "projects/p/global/firewalls/f", ACTIVITY_TERRAFORM},
    {"Google: as gcloud reads them", "[" GCP_OF("v1.compute.firewalls.patch", "") "]", 1,
     "gcp-audit", "carol@example.org", "v1.compute.firewalls.patch",
     "projects/p/global/firewalls/f", ACTIVITY_TERRAFORM},
    {"Azure: of a hub", "{\"records\":[" AZURE_OF("Success", "MICROSOFT.X/YS/WRITE") "]}", 1,
     "azure-activity", "dave@example.org", "MICROSOFT.X/YS/WRITE", SUB "/Microsoft.X/ys/y",
     ACTIVITY_CONSOLE},
    {"Azure: it began", "{\"records\":[" AZURE_OF("Start", "MICROSOFT.X/YS/WRITE") "]}", 1,
     "azure-activity", "dave@example.org", "MICROSOFT.X/YS/WRITE", SUB "/Microsoft.X/ys/y",
     ACTIVITY_CONSOLE, .not_final = true},
    {"Azure: it failed", AZURE_OF("Failure", "Microsoft.X/ys/delete"), 1, "azure-activity",
     "dave@example.org", "Microsoft.X/ys/delete", SUB "/Microsoft.X/ys/y", ACTIVITY_CONSOLE,
     .failed = true},
    {"Azure: keys are listed", AZURE_OF("Success", "Microsoft.X/ys/listKeys/action"), 1,
     "azure-activity", "dave@example.org", "Microsoft.X/ys/listKeys/action",
     SUB "/Microsoft.X/ys/y", ACTIVITY_CONSOLE, .read_only = true},
    {"Azure: REST",
     "{\"value\":[{\"eventDataId\":\"d1\",\"eventTimestamp\":\"2026-08-23T09:58:12Z\","
     "\"resourceId\":\"" SUB "/Microsoft.X/ys/y\",\"operationName\":{\"value\":"
     "\"Microsoft.X/ys/write\"},\"status\":{\"value\":\"Succeeded\"},\"caller\":"
     "\"dave@example.org\",\"correlationId\":\"c\"}]}",
     1, "azure-activity", "dave@example.org", "Microsoft.X/ys/write", SUB "/Microsoft.X/ys/y",
     ACTIVITY_API},
    {"Azure: Event Grid",
     "[{\"id\":\"g1\",\"eventTime\":\"2026-08-23T09:58:12Z\",\"eventType\":"
     "\"Microsoft.Resources.ResourceWriteSuccess\",\"data\":{\"operationName\":"
     "\"Microsoft.X/ys/write\",\"status\":\"Succeeded\",\"resourceUri\":\"" SUB
     "/Microsoft.X/ys/y\",\"correlationId\":\"c\",\"claims\":{\"name\":\"Dave\"}}}]",
     1, "azure-activity", "Dave", "Microsoft.X/ys/write", SUB "/Microsoft.X/ys/y", ACTIVITY_API},
    {"plumb's own", OWN, 1, "event", "erin", "alter role", "app", ACTIVITY_UNKNOWN_WAY},
    {"plumb's own in a CloudEvent",
     "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/db\",\"type\":\"org.example.role\","
     "\"time\":\"2026-08-23T09:58:12Z\",\"data\":{\"actor\":\"erin\",\"resource\":\"app\"}}",
     1, "event", "erin", "org.example.role", "app", ACTIVITY_UNKNOWN_WAY},
    {"a batch of CloudEvents, one of them about its subject",
     "[{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/db\",\"type\":\"t\",\"subject\":\"app\","
     "\"time\":\"2026-08-23T09:58:12Z\",\"data\":{\"actor\":\"erin\"}},{\"specversion\":\"1.0\","
     "\"id\":\"2\",\"source\":\"/"
     "gcp\",\"type\":\"google.cloud.audit.log.v1.written\",\"data\":" GCP_OF(
         "v1.compute.firewalls.patch", "") "}]",
     2, "event", "erin", "t", "app", ACTIVITY_UNKNOWN_WAY},
};

static void is_text(struct str have, const char *want)
{
    if (!str_equal(have, str_from(want)))
        print_message("have '%.*s', want '%s'\n", STR_ARG(have), want);
    assert_true(str_equal(have, str_from(want)));
}

static void each_source_and_envelope(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = LIMIT};
        struct err err = {0};
        struct feed feed = {0};
        const struct feed_from from = {.name = "t"};
        print_message("  %s\n", cases[i].says);
        assert_true(feed_read(&arena, str_from(cases[i].text), &from, &feed, &err));
        assert_int_equal(feed.n, cases[i].n);
        const struct activity *a = &feed.event[0];
        is_text(a->source, cases[i].source);
        is_text(a->actor, cases[i].actor);
        is_text(a->action, cases[i].action);
        assert_true(!cases[i].name || a->nnames);
        if (cases[i].name)
            is_text(a->name[0].text, cases[i].name);
        assert_int_equal(a->way, cases[i].way);
        assert_int_equal(a->time_utc_ms / 1000, 1787479092);
        assert_true(a->id.len > 0);
        assert_int_equal(a->read_only, cases[i].read_only);
        assert_int_equal(a->failed, cases[i].failed);
        assert_int_equal(a->not_final, cases[i].not_final);
        assert_int_equal(a->creates, cases[i].creates);
        assert_int_equal(a->attack, cases[i].attack);
    }
}

static void pubsub_and_gzip(void **state)
{
    /* the entry of plumb's own, gzip -n -9 */
    static const unsigned char gz[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00,
                                       0x00, 0x02, 0x03, 0x4b, 0x04, 0x00, 0x43,
                                       0xbe, 0xb7, 0xe8, 0x01, 0x00, 0x00, 0x00};
    AUTO_ARENA arena = {.limit = LIMIT};
    AUTO_BUF text = {.limit = LIMIT};
    struct err err = {0};
    struct feed feed = {0};
    const struct feed_from from = {.name = "t"};
    (void)state;
    buf_str(&text, STR("{\"message\":{\"messageId\":\"1\",\"data\":\""));
    buf_str(&text, base64_encode(&arena, STR(GCP_OF("v1.compute.firewalls.patch", ""))));
    buf_str(&text, STR("\"},\"subscription\":\"s\"}"));
    assert_true(feed_read(&arena, buf_view(&text), &from, &feed, &err));
    assert_int_equal(feed.n, 1);
    is_text(feed.event[0].actor, "carol@example.org");
    /* unpacked, it is no JSON: but it was unpacked */
    assert_false(feed_read(&arena, (struct str){(const char *)gz, sizeof gz}, &from, &feed, &err));
    assert_int_equal(err.kind, ERR_SYNTAX);
    assert_null(strstr(err.frame[0], "gzip"));
    err_clear(&err);
    assert_false(feed_read(&arena,
                           STR("{\"Records\":[{\"eventSource\":\"aws:s3\",\"eventName\":"
                               "\"ObjectCreated:Put\",\"s3\":{\"object\":{\"key\":\"x.gz\"}}}]}"),
                           &from, &feed, &err));
    assert_non_null(strstr(err.frame[0], "files in a bucket"));
    err_clear(&err);
    assert_false(feed_read(&arena, (struct str){(const char *)gz, 15}, &from, &feed, &err));
    assert_non_null(strstr(err.frame[0], "gzip"));
}

/* Members behind one another are one file: logs that are gathered are written so. */
static void all_members_of_a_gzip(void **state)
{
    AUTO_ARENA arena = {.limit = LIMIT};
    AUTO_BUF gz = {.limit = LIMIT};
    struct err err = {0};
    struct feed feed = {0};
    const struct feed_from from = {.name = "t"};
    (void)state;
    for (int i = 0; i < 3; i++) {
        unsigned char packed[1000];
        char line[200];
        int n = snprintf(line, sizeof line,
                         "{\"id\":\"%d\",\"actor\":\"erin\",\"resource\":\"app\","
                         "\"time\":\"2026-08-23T09:58:12Z\"}\n",
                         i);
        z_stream z = {0};
        assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
        z.next_in = (Bytef *)line;
        z.avail_in = (uInt)n;
        z.next_out = packed;
        z.avail_out = sizeof packed;
        assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
        buf_add(&gz, (const char *)packed, sizeof packed - z.avail_out);
        (void)deflateEnd(&z);
    }
    size_t whole = gz.len;
    assert_true(feed_read(&arena, buf_view(&gz), &from, &feed, &err));
    assert_int_equal(feed.n, 3);
    is_text(feed.event[2].id, "2");
    assert_false(feed_read(&arena, str_sub(buf_view(&gz), 0, whole - 5), &from, &feed, &err));
    assert_int_equal(err.kind, ERR_SYNTAX);
    buf_str(&gz, (struct str){"\0\0\0", 3});
    assert_true(feed_read(&arena, buf_view(&gz), &from, &feed, &err));
    assert_int_equal(feed.n, 3);
    buf_str(&gz, STR("more"));
    assert_false(feed_read(&arena, buf_view(&gz), &from, &feed, &err));
}

/* Files that were put together have no line ends between them, and lines of their own. */
static void documents_behind_one_another(void **state)
{
#define E(id) \
    "{\"id\":\"" id "\",\"actor\":\"a}{\\\"[\",\n\"resource\":\"app\"," \
    "\"time\":\"2026-08-23T09:58:12Z\"}"
    static const struct {
        const char *text;
        size_t n;
    } good[] = {{E("1") E("2"), 2},
                {E("1") "\n" E("2") "\n\n", 2},
                {"[" E("1") "," E("2") "]" E("3"), 3},
                {E("1") " []", 1},
                {"{\"Records\":[]}" E("1"), 1}};
    static const char *const bad[] = {E("1") "x",          E("1") "{",          E("1") "}",
                                      E("1") E("2") "{\"", E("1") "{,}" E("2"), "}" E("1")};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        AUTO_ARENA arena = {.limit = LIMIT};
        struct err err = {0};
        struct feed feed = {0};
        const struct feed_from from = {.name = "t"};
        assert_true(feed_read(&arena, str_from(good[i].text), &from, &feed, &err));
        assert_int_equal(feed.n, good[i].n);
        assert_int_equal(feed.unknown, 0);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        AUTO_ARENA arena = {.limit = LIMIT};
        struct err err = {0};
        struct feed feed = {0};
        const struct feed_from from = {.name = "t"};
        assert_false(feed_read(&arena, str_from(bad[i]), &from, &feed, &err));
        assert_int_equal(err.kind, ERR_SYNTAX);
        assert_int_equal(feed.n, 0);
    }
#undef E
}

/* Of a table {name, value, ..., NULL}. */
static struct str said(const void *ctx, const char *name)
{
    for (const char *const *at = ctx; *at; at += 2)
        if (strcmp(*at, name) == 0)
            return str_from(at[1]);
    return STR("");
}

static void values_of_headers_are_unpacked(void **state)
{
    static const struct {
        const char *said, *want;
    } ids[] = {{"a%20b%2F%C3%BC", "a b/\u00fc"},
               {"\"a \\\"b\\\\\"", "a \"b\\"},
               {"\"q%22\"", "q\""},
               {"100%", "100%"},
               {"%zz", "%zz"},
               {"%ff", "%ff"},
               {"%2525", "%25"},
               {"\"", "\""},
               {"a+b", "a+b"}};
    (void)state;
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        const char *const with[] = {"ce-specversion",
                                    "1.0",
                                    "ce-id",
                                    ids[i].said,
                                    "ce-source",
                                    "/db%2Fone",
                                    "ce-type",
                                    "role%20altered",
                                    "ce-subject",
                                    "app%5Frole",
                                    "ce-time",
                                    "2026-08-23T09:58:12Z",
                                    NULL};
        AUTO_ARENA arena = {.limit = LIMIT};
        struct err err = {0};
        struct feed feed = {0};
        const struct feed_from from = {.name = "t", .header = said, .ctx = with};
        /* without data, the attributes say all of it */
        assert_true(feed_read(&arena, STR(""), &from, &feed, &err));
        assert_int_equal(feed.n, 1);
        is_text(feed.event[0].id, arena_printf(&arena, "/db/one %s", ids[i].want).ptr);
        is_text(feed.event[0].action, "role altered");
        is_text(feed.event[0].name[0].text, "app_role");
    }
}

static struct str header(const void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "ce-specversion") == 0 ? STR("1.0")
           : strcmp(name, "ce-id") == 0        ? STR("77")
           : strcmp(name, "ce-source") == 0    ? STR("/db")
           : strcmp(name, "ce-type") == 0      ? STR("org.example.role")
           : strcmp(name, "ce-time") == 0      ? STR("2026-08-23T09:58:12Z")
                                               : STR("");
}

static void a_cloudevent_in_headers(void **state)
{
    AUTO_ARENA arena = {.limit = LIMIT};
    struct err err = {0};
    struct feed feed = {0};
    const struct feed_from from = {.name = "t", .header = header};
    (void)state;
    assert_true(
        feed_read(&arena, STR("{\"actor\":\"erin\",\"resource\":\"app\"}"), &from, &feed, &err));
    assert_int_equal(feed.n, 1);
    is_text(feed.event[0].id, "/db 77");
    is_text(feed.event[0].action, "org.example.role");
}

static void what_is_no_event_is_an_error(void **state)
{
    static const struct {
        const char *text;
        enum err_kind kind;
    } bad[] = {
        {"", ERR_SYNTAX},
        {"{", ERR_SYNTAX},
        {"{}", ERR_SYNTAX},
        {"[1,2]", ERR_SYNTAX},
        {"{\"Records\":[{\"eventSource\":\"aws:s3\",\"eventName\":\"x\",\"s3\":{}}]}", ERR_SYNTAX},
        {"{\"actor\":\"erin\",\"resource\":\"app\"}", ERR_SYNTAX}, /* without a time */
        {"[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]", ERR_LIMIT},
        {OWN "\n{", ERR_SYNTAX},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        AUTO_ARENA arena = {.limit = LIMIT};
        struct err err = {0};
        struct feed feed = {0};
        const struct feed_from from = {.name = "t"};
        print_message("  %s\n", bad[i].text);
        assert_false(feed_read(&arena, str_from(bad[i].text), &from, &feed, &err));
        assert_int_equal(err.kind, bad[i].kind);
    }
}

/* An event with more texts than are looked at, nested deeper than anybody nests. */
static void what_is_taken_of_one_is_bounded(void **state)
{
    AUTO_ARENA arena = {.limit = LIMIT};
    AUTO_BUF text = {.limit = LIMIT};
    struct err err = {0};
    struct feed feed = {0};
    const struct feed_from from = {.name = "t"};
    (void)state;
    buf_str(&text, STR("{\"eventSource\":\"a.amazonaws.com\",\"eventName\":\"B\",\"eventID\":\"e\","
                       "\"eventTime\":\"2026-08-23T09:58:12Z\",\"requestParameters\":{\"many\":["));
    for (int i = 0; i < 2000; i++) {
        if (i == 1000) { /* as many as CreateTags takes */
            struct buf whole = {.limit = LIMIT};
            buf_str(&whole, buf_view(&text));
            buf_str(&whole, STR("]}}"));
            assert_true(feed_read(&arena, buf_view(&whole), &from, &feed, &err));
            assert_int_equal(feed.event[0].nnames, 1000);
            assert_false(feed.event[0].more_names);
            buf_free(&whole);
        }
        buf_printf(&text, "%s\"id-%d\"", i ? "," : "", i);
    }
    buf_str(&text, STR("]}}"));
    assert_true(feed_read(&arena, buf_view(&text), &from, &feed, &err));
    assert_int_equal(feed.event[0].nnames, ACTIVITY_NAMES_MAX);
    assert_true(feed.event[0].more_names);
}

/* aws sqs receive-message of a queue that a topic fills, and EventBridge by a topic and a queue. */
static void a_queue_behind_a_topic(void **state)
{
#define EVENT \
    "{\\\\\\\"eventSource\\\\\\\":\\\\\\\"a.amazonaws.com\\\\\\\",\\\\\\\"eventName\\\\\\\":" \
    "\\\\\\\"B\\\\\\\"," \
    "\\\\\\\"eventID\\\\\\\":\\\\\\\"e\\\\\\\",\\\\\\\"eventTime\\\\\\\":\\\\\\\"2026-08-23T09:" \
    "58:12Z\\\\\\\"}"
#define QUEUED(message) \
    "{\"Messages\":[{\"MessageId\":\"m\",\"Body\":\"{\\\"MessageId\\\":\\\"n\\\",\\\"Message\\\":" \
    "\\\"" message "\\\"}\"}]}"
    static const char *const texts[] = {
        QUEUED("{\\\\\\\"Records\\\\\\\":[" EVENT "]}"),
        QUEUED("{\\\\\\\"detail-type\\\\\\\":\\\\\\\"t\\\\\\\",\\\\\\\"detail\\\\\\\":" EVENT "}")};
    const struct feed_from from = {.name = "t"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        AUTO_ARENA arena = {.limit = LIMIT};
        struct err err = {0};
        struct feed feed = {0};
        if (!feed_read(&arena, str_from(texts[i]), &from, &feed, &err))
            fail_msg("%s: %s", texts[i], err.frame[0]);
        assert_int_equal(feed.n, 1);
        is_text(feed.event[0].action, "B");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_source_and_envelope),
        cmocka_unit_test(pubsub_and_gzip),
        cmocka_unit_test(all_members_of_a_gzip),
        cmocka_unit_test(documents_behind_one_another),
        cmocka_unit_test(values_of_headers_are_unpacked),
        cmocka_unit_test(a_cloudevent_in_headers),
        cmocka_unit_test(what_is_no_event_is_an_error),
        cmocka_unit_test(what_is_taken_of_one_is_bounded),
        cmocka_unit_test(a_queue_behind_a_topic),
    };
    return cmocka_run_group_tests_name("live/feed", tests, NULL, NULL);
}

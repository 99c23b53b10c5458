/* test_activity.c - what resources are called, which of them an event is about, and who made a
 * difference; on both stores. */
#include "base/test.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "live/feed.h"
#include "record/activity.h"
#include "record/findings.h"
#include "record/identity.h"
#include "record/test_stores.h"
#include "record/touch.h"

enum { LIMIT = 256 << 20 };
#define NOW INT64_C(1787500000000) /* 2026-08-23T15:46:40Z */

static int64_t test_now(void *clock)
{
    return *(int64_t *)clock;
}

struct lab {
    struct arena arena;
    struct record record;
    int64_t now;
};

static void open_lab(struct lab *lab, const struct test_store *store)
{
    struct err err = {0};
    *lab = (struct lab){.arena = {.limit = LIMIT}, .now = NOW};
    const struct record_options options = {
        .url = str_from(store->url), .env = test_store_env, .now_ms = test_now, .clock = &lab->now};
    assert_true(record_open(&lab->arena, &options, &lab->record, &err));
}

static void close_lab(struct lab *lab)
{
    record_close(&lab->record);
    arena_free(&lab->arena);
}

/* --- a state --- */

#define ONE(type, name, attributes) \
    "{\"mode\":\"managed\",\"type\":\"" type "\",\"name\":\"" name \
    "\",\"provider\":\"provider[\\\"registry.terraform.io/hashicorp/x\\\"]\",\"instances\":[{" \
    "\"schema_version\":0,\"attributes\":{" attributes "}}]}"
#define ARN(rest) "\"arn\":\"arn:aws:" rest "\""
#define NSG \
    "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/" \
    "Microsoft.Network/networkSecurityGroups/nsg"

static const char *const resources[] = {
    ONE("aws_security_group", "web",
        "\"id\":\"sg-1\",\"name\":\"web\",\"vpc_id\":\"vpc-1\"," ARN(
            "ec2:eu-west-1:1:security-group/sg-1")),
    ONE("aws_security_group", "db",
        "\"id\":\"sg-2\",\"name\":\"db\",\"vpc_id\":\"vpc-1\"," ARN(
            "ec2:eu-west-1:1:security-group/sg-2")),
    ONE("aws_vpc_security_group_ingress_rule", "https",
        "\"id\":\"sgr-1\",\"security_group_id\":\"sg-1\"," ARN(
            "ec2:eu-west-1:1:security-group-rule/sgr-1")),
    ONE("aws_vpc", "main", "\"id\":\"vpc-1\"," ARN("ec2:eu-west-1:1:vpc/vpc-1")),
    ONE("aws_subnet", "a",
        "\"id\":\"subnet-1\",\"vpc_id\":\"vpc-1\"," ARN("ec2:eu-west-1:1:subnet/subnet-1")),
    ONE("aws_instance", "app",
        "\"id\":\"i-1\",\"subnet_id\":\"subnet-1\",\"tags\":{\"owner\":\"i-9\"}," ARN(
            "ec2:eu-west-1:1:instance/i-1")),
    ONE("aws_s3_bucket", "logs",
        "\"id\":\"acme-logs\",\"bucket\":\"acme-logs\"," ARN("s3:::acme-logs")),
    ONE("aws_s3_bucket_policy", "logs", "\"id\":\"acme-logs\",\"bucket\":\"acme-logs\""),
    ONE("aws_iam_role", "app",
        "\"id\":\"app\",\"name\":\"app\",\"unique_id\":\"AROAX\"," ARN("iam::1:role/app")),
    ONE("aws_iam_role_policy", "one", "\"id\":\"app:one\",\"role\":\"app\",\"name\":\"one\""),
    ONE("aws_iam_role_policy", "two", "\"id\":\"app:two\",\"role\":\"app\",\"name\":\"two\""),
    ONE("aws_lambda_function", "app",
        "\"id\":\"app\",\"function_name\":\"app\"," ARN("lambda:eu-west-1:1:function:app")),
    ONE("aws_route53_zone", "z",
        "\"id\":\"Z123\",\"zone_id\":\"Z123\",\"name\":\"example.org\"," ARN(
            "route53:::hostedzone/Z123")),
    ONE("aws_route53_record", "www",
        "\"id\":\"Z123_www.example.org_A\",\"zone_id\":\"Z123\",\"name\":\"www.example.org\""),
    ONE("aws_db_instance", "db",
        "\"id\":\"db-XYZ\",\"identifier\":\"orders\"," ARN("rds:eu-west-1:1:db:orders")),
    ONE("google_compute_firewall", "ssh",
        "\"id\":\"projects/p/global/firewalls/ssh\",\"name\":\"ssh\",\"project\":\"p\","
        "\"self_link\":\"https://www.googleapis.com/compute/v1/projects/p/global/firewalls/ssh\""),
    ONE("google_storage_bucket", "b", "\"id\":\"acme-b\",\"name\":\"acme-b\",\"project\":\"p\""),
    ONE("azurerm_network_security_group", "nsg", "\"id\":\"" NSG "\",\"name\":\"nsg\""),
    ONE("azurerm_resource_group", "rg",
        "\"id\":\"/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg\","
        "\"name\":\"rg\""),
    ONE("postgresql_role", "app", "\"id\":\"app_role\",\"name\":\"app_role\",\"password\":\"pw\""),
};

static struct str make_state(struct arena *arena, size_t n, const char *more)
{
    AUTO_BUF text = {.limit = LIMIT};
    buf_str(&text, STR("{\"version\":4,\"terraform_version\":\"1.9.0\",\"serial\":3,\"lineage\":"
                       "\"l\",\"resources\":["));
    for (size_t i = 0; i < n; i++)
        buf_printf(&text, "%s%s", i ? "," : "", resources[i]);
    buf_printf(&text, "%s]}", more);
    struct str got = arena_dup(arena, buf_view(&text));
    assert_non_null(got.ptr);
    return got;
}

static void know(struct lab *lab, struct str state, bool want_new)
{
    struct err err = {0};
    struct identities *all = NULL;
    assert_true(identities_read(&lab->record, &lab->arena, STR("prod"), state, "s", &all, &err));
    assert_int_equal(all != NULL, want_new);
    assert_true(identities_write(&lab->record, all, &err));
}

/* Between two parts of a big index somebody else writes, on another connection, without a wait. */
struct other {
    struct record record;
    int64_t parts, seen, most;
};

static int64_t resources_of(struct record *record)
{
    int64_t n = 0;
    struct err err = {0};
    assert_true(db_one_int(record->db,
                           "SELECT count(*) FROM identity_resource WHERE stack = 'prod'", NULL, 0,
                           &n, &err));
    return n;
}

static void write_between(void *ctx)
{
    struct other *other = ctx;
    struct err err = {0};
    int64_t n = resources_of(&other->record);
    int64_t step = n > other->seen ? n - other->seen : other->seen - n;
    other->most = step > other->most ? step : other->most;
    other->seen = n;
    other->parts++;
    if (!db_begin(other->record.db, DB_WRITE, &err) ||
        !db_run(other->record.db,
                "INSERT INTO setting (name, value) VALUES ('other', '1')"
                " ON CONFLICT (name) DO UPDATE SET value = setting.value || '1'",
                NULL, 0, &err) ||
        !db_commit(other->record.db, &err))
        fail_msg("%s", err.frame[0]);
}

static struct str make_big(struct arena *arena, size_t n, int serial)
{
    AUTO_BUF text = {.limit = LIMIT};
    buf_printf(&text,
               "{\"version\":4,\"terraform_version\":\"1.9.0\",\"serial\":%d,"
               "\"lineage\":\"l\",\"resources\":[",
               serial);
    for (size_t i = 0; i < n; i++)
        buf_printf(&text,
                   "%s{\"mode\":\"managed\",\"type\":\"x_thing\",\"name\":\"t%zu\","
                   "\"provider\":\"provider[\\\"a/b/x\\\"]\",\"instances\":[{"
                   "\"schema_version\":0,\"attributes\":{\"id\":\"id-%zu-%d\"}}]}",
                   i ? "," : "", i, i, i % 3 ? 0 : serial);
    buf_str(&text, STR("]}"));
    struct str got = arena_dup(arena, buf_view(&text));
    assert_non_null(got.ptr);
    return got;
}

static int64_t write_big(struct lab *lab, struct other *other, size_t n, int serial)
{
    struct err err = {0};
    struct identities *all = NULL;
    struct str state = make_big(&lab->arena, n, serial);
    other->parts = other->most = 0;
    other->seen = resources_of(&other->record);
    assert_true(identities_read(&lab->record, &lab->arena, STR("prod"), state, "s", &all, &err));
    assert_non_null(all);
    if (!identities_write_parts(&lab->record, all, write_between, other, &err))
        fail_msg("%s", err.frame[0]);
    assert_int_equal(resources_of(&lab->record), n);
    assert_true(other->most <= IDENTITIES_PART);
    /* Whole: the same state again is the same as before. */
    assert_true(identities_read(&lab->record, &lab->arena, STR("prod"), state, "s", &all, &err));
    assert_null(all);
    return other->parts;
}

static void a_big_index_lets_others_write(void **state)
{
    struct lab lab;
    struct other other = {0};
    struct err err = {0};
    const struct test_store *store = *state;
    const struct record_options options = {
        .url = str_from(store->url), .env = test_store_env, .timeout_ms = 60000};
    open_lab(&lab, store);
    assert_true(record_open(&lab.arena, &options, &other.record, &err));
    const size_t n = 3 * IDENTITIES_PART + 500;
    assert_int_equal(write_big(&lab, &other, n, 1), 3); /* four transactions */
    assert_int_equal(write_big(&lab, &other, n, 2), 3); /* a third of them has another name */
    int64_t names = 0;
    assert_true(db_one_int(lab.record.db,
                           "SELECT count(*) - count(DISTINCT resource) FROM identity", NULL, 0,
                           &names, &err));
    assert_int_equal(names, 0);                       /* one each */
    assert_true(write_big(&lab, &other, 10, 3) >= 3); /* what goes is bounded, too */
    assert_int_equal(write_big(&lab, &other, 0, 4), 0);
    record_close(&other.record);
    close_lab(&lab);
}

enum { ALL = sizeof resources / sizeof *resources };

static void know_all(struct lab *lab)
{
    know(lab, make_state(&lab->arena, ALL, ""), true);
}

/* --- which resources an event is about --- */

#define TRAIL(service, action, more) \
    "{\"eventSource\":\"" service ".amazonaws.com\",\"eventName\":\"" action "\",\"awsRegion\":" \
    "\"eu-west-1\",\"recipientAccountId\":\"1\",\"eventID\":\"" service action \
    "\",\"eventTime\":\"2026-08-23T09:58:12Z\",\"userIdentity\":{\"type\":\"IAMUser\"," \
    "\"userName\":\"alice\",\"arn\":\"arn:aws:iam::1:user/alice\"},\"userAgent\":\"aws-cli/" \
    "2\"," more "}"
#define ASKED(parameters) "\"requestParameters\":{" parameters "}"
#define GCP(method, name) \
    "{\"insertId\":\"" method "\",\"logName\":\"projects/p/logs/cloudaudit.googleapis.com" \
    "%2Factivity\",\"timestamp\":\"2026-08-23T09:58:12Z\",\"resource\":{\"labels\":{" \
    "\"project_id\":\"p\"}},\"protoPayload\":{\"serviceName\":\"x.googleapis.com\"," \
    "\"methodName\":\"" method "\",\"resourceName\":\"" name "\",\"authenticationInfo\":{" \
    "\"principalEmail\":\"alice\"}}}"
#define OWN(id, actor, time, about) \
    "{\"id\":\"" id "\",\"actor\":\"" actor "\",\"action\":\"alter role\",\"time\":\"" time \
    "\"," about "}"

static const struct {
    const char *says, *text;
    const char *targets; /* sure ones, then "?" and the others; by address */
} about[] = {
    {"a rule of a group: the group, and the rules that are resources of their own",
     TRAIL("ec2", "AuthorizeSecurityGroupIngress", ASKED("\"groupId\":\"sg-1\"")),
     "aws_security_group.web ? aws_vpc_security_group_ingress_rule.https"},
    {"what a rule refers to is not what it is about",
     TRAIL("ec2", "AuthorizeSecurityGroupIngress",
           ASKED("\"groupId\":\"sg-1\",\"ipPermissions\":{\"items\":[{\"groups\":{\"items\":[{"
                 "\"groupId\":\"sg-2\"}]}}]}")),
     "aws_security_group.web ? aws_vpc_security_group_ingress_rule.https"},
    {"parameters within an object of the call's name",
     TRAIL("ec2", "ModifySecurityGroupRules",
           ASKED("\"ModifySecurityGroupRulesRequest\":{\"GroupId\":\"sg-1\"}")),
     "aws_security_group.web ? aws_vpc_security_group_ingress_rule.https"},
    {"a rule by its own id, beside the group",
     TRAIL("ec2", "ModifySecurityGroupRules",
           ASKED("\"ModifySecurityGroupRulesRequest\":{\"GroupId\":\"sg-1\","
                 "\"SecurityGroupRule\":{\"SecurityGroupRuleId\":\"sgr-1\"}}")),
     "aws_security_group.web aws_vpc_security_group_ingress_rule.https"},
    {"a group that an instance is put into is not what is done",
     TRAIL("ec2", "ModifyInstanceAttribute",
           ASKED("\"instanceId\":\"i-1\",\"groupSet\":{\"items\":[{\"securityGroupId\":"
                 "\"sg-1\"}]}")),
     "aws_instance.app"},
    {"the network, not what is in it",
     TRAIL("ec2", "ModifyVpcAttribute", ASKED("\"vpcId\":\"vpc-1\"")), "aws_vpc.main"},
    {"tags of anything",
     TRAIL("ec2", "CreateTags",
           ASKED("\"resourcesSet\":{\"items\":[{\"resourceId\":\"i-1\"},{\"resourceId\":"
                 "\"subnet-1\"}]}")),
     "aws_instance.app aws_subnet.a"},
    {"a new instance in a known subnet is not about the subnet",
     TRAIL("ec2", "RunInstances",
           ASKED("\"subnetId\":\"subnet-1\"") ",\"responseElements\":{\"instancesSet\":{\"items\":["
                                              "{\"instanceId\":\"i-77\"}]}}"),
     ""},
    {"a value of a tag is no name", TRAIL("ec2", "StopInstances", ASKED("\"instanceId\":\"i-9\"")),
     ""},
    {"a bucket's policy, and the bucket",
     TRAIL("s3", "PutBucketPolicy", ASKED("\"bucketName\":\"acme-logs\"")),
     "aws_s3_bucket.logs aws_s3_bucket_policy.logs"},
    {"by its ARN alone",
     TRAIL("s3", "PutBucketAcl", "\"resources\":[{\"ARN\":\"arn:aws:s3:::acme-logs\"}]"),
     "aws_s3_bucket.logs ? aws_s3_bucket_policy.logs"},
    {"an id of two fields",
     TRAIL("iam", "PutRolePolicy", ASKED("\"roleName\":\"app\",\"policyName\":\"one\"")),
     "aws_iam_role.app aws_iam_role_policy.one"},
    {"one name in two services",
     TRAIL("lambda", "UpdateFunctionConfiguration20150331v2", ASKED("\"functionName\":\"app\"")),
     "aws_lambda_function.app"},
    {"IAM is everywhere", TRAIL("iam", "UpdateAssumeRolePolicy", ASKED("\"roleName\":\"app\"")),
     "aws_iam_role.app ? aws_iam_role_policy.one aws_iam_role_policy.two"},
    {"a zone's id with its prefix, a record by its name",
     TRAIL("route53", "ChangeResourceRecordSets",
           ASKED("\"hostedZoneId\":\"/hostedzone/Z123\",\"changeBatch\":{\"changes\":[{"
                 "\"resourceRecordSet\":{\"name\":\"www.example.org.\"}}]}")),
     "aws_route53_record.www ? aws_route53_zone.z"},
    {"an identifier that is not the id",
     TRAIL("rds", "ModifyDBInstance", ASKED("\"dBInstanceIdentifier\":\"Orders\"")),
     "aws_db_instance.db"},
    {"another account has an instance of that name, too",
     "{\"eventSource\":\"rds.amazonaws.com\",\"eventName\":\"ModifyDBInstance\",\"awsRegion\":"
     "\"eu-west-1\",\"recipientAccountId\":\"2\",\"eventID\":\"x\",\"eventTime\":"
     "\"2026-08-23T09:58:12Z\",\"userIdentity\":{},\"requestParameters\":{"
     "\"dBInstanceIdentifier\":\"orders\"}}",
     ""},
    {"another region, too",
     "{\"eventSource\":\"rds.amazonaws.com\",\"eventName\":\"ModifyDBInstance\",\"awsRegion\":"
     "\"us-east-2\",\"recipientAccountId\":\"1\",\"eventID\":\"y\",\"eventTime\":"
     "\"2026-08-23T09:58:12Z\",\"userIdentity\":{},\"requestParameters\":{"
     "\"dBInstanceIdentifier\":\"orders\"}}",
     ""},
    {"Google: the name as the provider has it",
     GCP("v1.compute.firewalls.patch", "projects/p/global/firewalls/ssh"),
     "google_compute_firewall.ssh"},
    {"Google: by the project's number",
     GCP("v1.compute.firewalls.delete", "projects/123456789012/global/firewalls/ssh"),
     "google_compute_firewall.ssh"},
    {"Google: of a bucket only the end", GCP("storage.buckets.update", "projects/_/buckets/acme-b"),
     "google_storage_bucket.b"},
    {"Azure: upper case, and a child that is no resource of its own",
     "{\"time\":\"2026-08-23T09:58:12Z\",\"resourceId\":"
     "\"/SUBSCRIPTIONS/11111111-2222-3333-4444-555555555555/RESOURCEGROUPS/RG/PROVIDERS/"
     "MICROSOFT.NETWORK/NETWORKSECURITYGROUPS/NSG/SECURITYRULES/SSH\",\"operationName\":"
     "\"MICROSOFT.NETWORK/NETWORKSECURITYGROUPS/SECURITYRULES/WRITE\",\"resultType\":\"Success\","
     "\"correlationId\":\"c\",\"category\":\"Administrative\"}",
     "azurerm_network_security_group.nsg"},
    {"plumb's own: by name", OWN("1", "erin", "2026-08-23T09:58:12Z", "\"resource\":\"app_role\""),
     "postgresql_role.app"},
    {"plumb's own: by address",
     OWN("2", "erin", "2026-08-23T09:58:12Z",
         "\"stack\":\"prod\",\"address\":\"postgresql_role.other\""),
     "postgresql_role.other"},
    {"a secret is no name", OWN("3", "erin", "2026-08-23T09:58:12Z", "\"resource\":\"pw\""), ""},
};

struct told {
    struct buf sure, perhaps;
};

static bool tell_target(void *ctx, const struct db_row *row, struct err *err)
{
    struct told *told = ctx;
    struct buf *to = db_int(row, 1) ? &told->sure : &told->perhaps;
    (void)err;
    if (to->len)
        buf_char(to, ' ');
    buf_str(to, db_text(row, 0));
    return true;
}

static void add(struct lab *lab, const char *text, const struct activity_rules *rules,
                struct activity_done *done)
{
    struct err err = {0};
    struct feed feed = {0};
    const struct feed_from from = {.name = "t"};
    assert_true(feed_read(&lab->arena, str_from(text), &from, &feed, &err));
    if (!activity_add(&lab->record, rules, feed.event, feed.n, done, &err))
        fail_msg("%s", err.frame[0]);
}

static const struct activity_rules no_rules;

static void an_event_finds_its_resources(void **state)
{
    struct lab lab;
    struct err err = {0};
    open_lab(&lab, *state);
    know_all(&lab);
    for (size_t i = 0; i < sizeof about / sizeof *about; i++) {
        struct activity_done done = {0};
        struct told told = {{.limit = 4096}, {.limit = 4096}};
        int64_t id = 0;
        print_message("  %s\n", about[i].says);
        assert_true(
            db_script(lab.record.db, "DELETE FROM activity; DELETE FROM activity_target;", &err));
        add(&lab, about[i].text, &no_rules, &done);
        assert_int_equal(done.count[ACTIVITY_MATCHED], about[i].targets[0] != '\0');
        assert_true(db_one_int(lab.record.db, "SELECT id FROM activity", NULL, 0, &id, &err));
        const struct db_value param = DB_PARAM_INT(id);
        assert_true(db_query(lab.record.db,
                             "SELECT address, sure FROM activity_target WHERE activity = $1"
                             " ORDER BY address",
                             &param, 1, tell_target, &told, &err));
        if (told.perhaps.len) {
            buf_str(&told.sure, STR(" ? "));
            buf_str(&told.sure, buf_view(&told.perhaps));
        }
        if (!str_equal(buf_view(&told.sure), str_from(about[i].targets)))
            print_message("have '%.*s'\nwant '%s'\n", STR_ARG(buf_view(&told.sure)),
                          about[i].targets);
        assert_true(str_equal(buf_view(&told.sure), str_from(about[i].targets)));
        buf_free(&told.sure);
        buf_free(&told.perhaps);
    }
    close_lab(&lab);
}

/* --- the index --- */

static int64_t count(struct lab *lab, const char *sql)
{
    struct err err = {0};
    int64_t n = -1;
    assert_true(db_one_int(lab->record.db, sql, NULL, 0, &n, &err));
    return n;
}

static void the_index_follows_the_state(void **state)
{
    static const char resources_of[] = "SELECT count(*) FROM identity_resource";
    static const char names_of[] = "SELECT count(*) FROM identity";
    struct lab lab;
    struct err err = {0};
    open_lab(&lab, *state);
    know(&lab, make_state(&lab.arena, 3, ""), true);
    know(&lab, make_state(&lab.arena, 3, ""), false); /* the same: nothing to do */
    assert_int_equal(count(&lab, resources_of), 3);
    int64_t kept = count(&lab, "SELECT max(id) FROM identity_resource WHERE type = "
                               "'aws_security_group'");
    int64_t names = count(&lab, names_of);
    know(&lab, make_state(&lab.arena, 4, ""), true);
    assert_int_equal(count(&lab, resources_of), 4);
    assert_true(count(&lab, names_of) > names);
    assert_int_equal(kept, count(&lab, "SELECT max(id) FROM identity_resource WHERE type = "
                                       "'aws_security_group'"));
    know(&lab, make_state(&lab.arena, 2, ""), true);
    assert_int_equal(count(&lab, resources_of), 2);
    assert_int_equal(count(&lab, "SELECT count(*) FROM identity WHERE resource NOT IN (SELECT id "
                                 "FROM identity_resource)"),
                     0);
    assert_true(identities_drop(&lab.record, STR("prod"), &err));
    assert_int_equal(count(&lab, resources_of), 0);
    assert_int_equal(count(&lab, names_of), 0);
    close_lab(&lab);
}

static void spellings_of_one_name_are_one(void **state)
{
    static const struct {
        const char *text, *normal; /* NULL: names nothing */
    } rows[] = {
        {"/hostedzone/Z123", "z123"},
        {"www.example.org.", "www.example.org"},
        {"https://www.googleapis.com/compute/v1/projects/P/zones/z/instances/i",
         "projects/p/zones/z/instances/i"},
        {"//compute.googleapis.com/projects/p/global/networks/n", "projects/p/global/networks/n"},
        {"arn:aws:s3:::Logs", "arn:aws:s3:::logs"},
        {"/SUBSCRIPTIONS/S/resourceGroups/r/", "/subscriptions/s/resourcegroups/r"},
        {"https://sqs.eu-west-1.amazonaws.com/1/q", "https://sqs.eu-west-1.amazonaws.com/1/q"},
        {"true", NULL},
        {"", NULL},
        {"80", NULL},
        {"123456789012", "123456789012"},
        {"a\nb", NULL},
        {"x", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO_BUF out = {.limit = IDENTITY_TEXT_MAX + 1};
        print_message("  %s\n", rows[i].text);
        assert_int_equal(identity_normalise(&out, str_from(rows[i].text)), rows[i].normal != NULL);
        if (rows[i].normal)
            assert_true(str_equal(buf_view(&out), str_from(rows[i].normal)));
    }
}

/* --- once, late, failed --- */

static int64_t touches(struct lab *lab)
{
    return count(lab, "SELECT count(*) FROM touch");
}

static void an_event_counts_once_and_only_if_it_wrote(void **state)
{
    struct lab lab;
    struct activity_done done = {0};
    open_lab(&lab, *state);
    know_all(&lab);
    const char *event = OWN("1", "erin", "2026-08-23T09:58:12Z", "\"resource\":\"app_role\"");
    add(&lab, event, &no_rules, &done);
    add(&lab, event, &no_rules, &done);
    assert_int_equal(done.count[ACTIVITY_MATCHED], 1);
    assert_int_equal(done.count[ACTIVITY_DUPLICATE], 1);
    assert_int_equal(touches(&lab), 1);
    add(&lab,
        TRAIL("ec2", "ModifyVpcAttribute",
              "\"errorCode\":\"AccessDenied\"," ASKED("\"vpcId\":\"vpc-1\"")),
        &no_rules, &done);
    add(&lab, TRAIL("ec2", "DescribeVpcs", "\"readOnly\":true," ASKED("\"vpcId\":\"vpc-1\"")),
        &no_rules, &done);
    assert_int_equal(done.count[ACTIVITY_IGNORED], 1);
    assert_int_equal(done.count[ACTIVITY_MATCHED], 2); /* who tried is known */
    assert_int_equal(touches(&lab), 1);
    close_lab(&lab);
}

static void put_instances(struct buf *text, int n)
{
    buf_str(text, STR("{\"version\":4,\"terraform_version\":\"1\",\"serial\":1,\"lineage\":\"l\","
                      "\"resources\":["));
    for (int i = 0; i < n; i++)
        buf_printf(text,
                   "%s{\"mode\":\"managed\",\"type\":\"aws_instance\",\"name\":\"n%d\","
                   "\"provider\":\"provider[\\\"registry.terraform.io/hashicorp/aws\\\"]\","
                   "\"instances\":[{\"attributes\":{\"id\":\"i-%08d\",\"arn\":\"arn:aws:ec2:"
                   "eu-west-1:1:instance/i-%08d\",\"subnet_id\":\"subnet-%d\",\"vpc_id\":\"vpc-1\"}"
                   "}]}",
                   i ? "," : "", i, i, i, i % 100);
    buf_str(text, STR("]}"));
}

/* A call about a thousand resources, and a name that more go by than are told one by one. */
static void nothing_is_lost_where_many_are_meant(void **state)
{
    enum { KNOWN = 1500, CALLED = 1000, TOLD = 1024 };
    static const struct activity_name vpc = {STR_INIT("vpc-1"), STR_INIT("vpcId"), 0, true};
    static struct activity_name name[CALLED];
    static char id[CALLED][16];
    struct activity e = {.source = STR("cloudtrail"),
                         .id = STR("1"),
                         .time_utc_ms = NOW,
                         .cloud = STR("aws"),
                         .account = STR("1"),
                         .service = STR("ec2"),
                         .action = STR("ModifyInstanceAttribute"),
                         .actor = STR("alice"),
                         .name = name,
                         .nnames = CALLED};
    struct lab lab;
    struct err err = {0};
    AUTO_BUF text = {.limit = LIMIT};
    struct activity_done done = {0};
    open_lab(&lab, *state);
    put_instances(&text, KNOWN);
    know(&lab, buf_view(&text), true);
    for (int i = 0; i < CALLED; i++) {
        (void)snprintf(id[i], sizeof id[i], "i-%08d", i);
        name[i] = (struct activity_name){str_from(id[i]), STR("instanceId"), 0, false};
    }
    assert_true(activity_add(&lab.record, &no_rules, &e, 1, &done, &err));
    assert_true(done.touched == CALLED && !done.whole);
    assert_int_equal(count(&lab, "SELECT count(*) FROM activity_target WHERE sure = 1"), CALLED);
    assert_int_equal(count(&lab, "SELECT count(*) FROM touch WHERE address <> ''"), CALLED);
    e.id = STR("2");
    e.action = STR("ModifyInstances");
    e.name = &vpc;
    e.nnames = 1;
    e.more_names = true;
    assert_true(activity_add(&lab.record, &no_rules, &e, 1, &done, &err));
    assert_int_equal(done.touched, CALLED + TOLD);
    assert_true(done.whole == 1 && done.cut == 1);
    assert_int_equal(count(&lab, "SELECT count(*) FROM touch WHERE address = '' AND why = 'event'"
                                 " AND stack = 'prod'"),
                     1);
    close_lab(&lab);
}

static void a_time_ahead_of_ours_counts_as_now(void **state)
{
    struct lab lab;
    struct activity_done done = {0};
    open_lab(&lab, *state);
    know_all(&lab);
    add(&lab, OWN("1", "erin", "2126-08-23T09:58:12Z", "\"resource\":\"app_role\""), &no_rules,
        &done);
    assert_int_equal(count(&lab, "SELECT utc_ms FROM activity"), NOW);
    close_lab(&lab);
}

static void who_attacks_the_log_is_in_the_log(void **state)
{
    struct lab lab;
    struct activity_done done = {0};
    open_lab(&lab, *state);
    add(&lab, TRAIL("cloudtrail", "StopLogging", ASKED("\"name\":\"main\"")), &no_rules, &done);
    assert_int_equal(count(&lab, "SELECT count(*) FROM audit_event WHERE type = 'activity.alarm'"),
                     1);
    close_lab(&lab);
}

static void what_is_old_goes(void **state)
{
    struct lab lab;
    struct activity_done done = {0};
    const struct activity_rules rules = {.keep_ms = INT64_C(48) * 3600 * 1000};
    open_lab(&lab, *state);
    know_all(&lab);
    add(&lab, OWN("1", "erin", "2026-08-23T09:58:12Z", "\"resource\":\"app_role\""), &rules, &done);
    lab.now += INT64_C(47) * 3600 * 1000;
    add(&lab, OWN("2", "erin", "2026-08-23T09:58:12Z", "\"resource\":\"nobody\""), &rules, &done);
    assert_int_equal(count(&lab, "SELECT count(*) FROM activity"), 2);
    lab.now += INT64_C(2) * 3600 * 1000;
    add(&lab, OWN("3", "erin", "2026-08-23T09:58:12Z", "\"resource\":\"app_role\""), &rules, &done);
    assert_int_equal(count(&lab, "SELECT count(*) FROM activity"), 2);
    assert_int_equal(count(&lab, "SELECT count(*) FROM activity_target"), 1);
    close_lab(&lab);
}

/* --- who --- */

static const struct attribution *who_of(struct lab *lab, const struct finding *finding)
{
    struct err err = {0};
    struct attributions *a = NULL;
    const struct attribution *by = NULL;
    assert_true(attributions_open(&lab->record, &lab->arena, STR("prod"), &a, &err));
    if (!attributions_find(a, finding, NULL, &by, &err))
        fail_msg("%s", err.frame[0]);
    return by;
}

static const struct attribution *who(struct lab *lab, const char *address,
                                     enum finding_class class_)
{
    const struct finding finding = {
        .class_ = class_, .address = str_from(address), .type = STR("postgresql_role")};
    return who_of(lab, &finding);
}

/* Whose value n is. */
static const struct attribution *whose(struct lab *lab, const char *address, int64_t n)
{
    const struct value after = value_int(n);
    const struct change change = {.path = STR("size"), .after = &after, .configurable = true};
    const struct finding finding = {.class_ = CLASS_CONTRADICTS_CODE,
                                    .address = str_from(address),
                                    .type = STR("postgresql_role"),
                                    .changes = &change,
                                    .nchanges = 1};
    return who_of(lab, &finding);
}

static void scan_value(struct lab *lab, const char *address, int64_t n);

static void scan(struct lab *lab, const char *address)
{
    scan_value(lab, address, 0);
}

/* n: what it is now; 0: that is not told */
static void scan_value(struct lab *lab, const char *address, int64_t n)
{
    const struct value after = value_int(n);
    struct change change = {.path = STR("size"), .after = &after, .configurable = true};
    struct err err = {0};
    struct run_changes changes;
    struct finding finding = {.class_ = CLASS_CONTRADICTS_CODE,
                              .severity = SEVERITY_MEDIUM,
                              .stack = STR("prod"),
                              .address = str_from(address ? address : ""),
                              .type = STR("postgresql_role")};
    const struct run_start start = {.stack = STR("prod"), .path = STR("prod")};
    struct stack_result result = {.name = STR("prod"),
                                  .desired = STR("code"),
                                  .live = STR("providers"),
                                  .findings = &finding,
                                  .nfindings = address ? 1 : 0};
    struct run_finish finish = {.start = &start, .result = &result};
    finding.changes = &change;
    finding.nchanges = n ? 1 : 0;
    if (address) {
        finding.by = who_of(lab, &finding);
        assert_true(finding_fingerprint(&finding, NULL, 0, &err));
    }
    assert_true(run_begin(&lab->record, &start, &finish.run, &err));
    lab->now += 1000;
    if (!run_end(&lab->record, &finish, &changes, &err))
        fail_msg("%s", err.frame[0]);
    lab->now += 1000;
}

static bool same(struct str have, const char *want)
{
    if (!str_equal(have, str_from(want)))
        print_message("have '%.*s', want '%s'\n", STR_ARG(have), want);
    return str_equal(have, str_from(want));
}

static void event_by(struct lab *lab, const char *id, const char *actor, const char *name)
{
    char when[CLOCK_TEXT], text[400];
    struct activity_done done = {0};
    (void)clock_format(lab->now, when);
    (void)snprintf(text, sizeof text,
                   "{\"id\":\"%s\",\"actor\":\"%s\",\"action\":\"alter role\",\"time\":\"%s\","
                   "\"resource\":\"%s\"}",
                   id, actor, when, name);
    add(lab, text, &no_rules, &done);
    lab->now += 1000;
}

static void the_last_one_since_it_was_in_sync(void **state)
{
    static const char at[] = "postgresql_role.app";
    struct lab lab;
    open_lab(&lab, *state);
    assert_true(same(who(&lab, at, CLASS_CONTRADICTS_CODE)->unknown_because,
                     "unknown, no audit source for this account"));
    know_all(&lab);
    event_by(&lab, "1", "early", "app_role");
    scan(&lab, NULL); /* in sync */
    assert_true(same(who(&lab, at, CLASS_CONTRADICTS_CODE)->unknown_because,
                     "unknown, no event names it since it was last in sync"));
    event_by(&lab, "2", "erin", "app_role");
    event_by(&lab, "3", "frank", "app_role");
    event_by(&lab, "4", "frank", "app_role");
    const struct attribution *by = who(&lab, at, CLASS_MISSING);
    assert_true(same(by->actor, "frank") && same(by->how, "event"));
    assert_int_equal(by->others, 1);
    assert_true(by->surely && !by->expected);
    assert_null(who(&lab, at, CLASS_UNCHECKED));
    scan(&lab, at);
    assert_int_equal(count(&lab, "SELECT count(*) FROM finding WHERE actor = 'frank' AND "
                                 "actor_how = 'event'"),
                     1);
    scan(&lab, at); /* still there: the same one, however often it is scanned */
    assert_true(same(who(&lab, at, CLASS_CONTRADICTS_CODE)->actor, "frank"));
    scan(&lab, NULL); /* mended */
    assert_true(who(&lab, at, CLASS_CONTRADICTS_CODE)->actor.len == 0);
    close_lab(&lab);
}

static void a_late_event_names_an_open_finding(void **state)
{
    static const char at[] = "postgresql_role.app";
    struct lab lab;
    struct activity_done done = {0};
    open_lab(&lab, *state);
    know_all(&lab);
    scan(&lab, NULL);
    int64_t when = lab.now;
    scan(&lab, at);
    assert_int_equal(count(&lab, "SELECT count(*) FROM finding WHERE actor = '' AND actor_how ="
                                 " 'unknown, no audit source for this account'"),
                     1);
    int64_t lines = count(&lab, "SELECT count(*) FROM finding_history");
    lab.now = when; /* that is when it was done */
    char text[300], time[CLOCK_TEXT];
    (void)snprintf(text, sizeof text,
                   "{\"id\":\"9\",\"actor\":\"erin\",\"action\":\"a\",\"time\":\"%s\","
                   "\"resource\":\"app_role\"}",
                   clock_format(when, time));
    lab.now += 60000;
    add(&lab, text, &no_rules, &done);
    assert_int_equal(done.named, 1);
    assert_int_equal(count(&lab, "SELECT count(*) FROM finding WHERE actor = 'erin'"), 1);
    /* nothing happened to the finding: nobody is told again */
    assert_int_equal(count(&lab, "SELECT count(*) FROM finding_history"), lines);
    scan(&lab, at);
    assert_int_equal(count(&lab, "SELECT count(*) FROM finding_history"), lines);
    assert_int_equal(count(&lab, "SELECT count(*) FROM finding WHERE actor = 'erin'"), 1);
    close_lab(&lab);
}

/* What was done before the resource was seen in sync is not what differs now. */
static void a_late_event_of_before_it_was_in_sync_names_nobody(void **state)
{
    static const char at[] = "postgresql_role.app";
    struct lab lab;
    open_lab(&lab, *state);
    know_all(&lab);
    int64_t old = lab.now;
    lab.now += 60000;
    scan(&lab, NULL);
    scan(&lab, at);
    int64_t now = lab.now;
    lab.now = old;
    event_by(&lab, "1", "early", "app_role");
    assert_int_equal(count(&lab, "SELECT count(*) FROM activity"), 1);
    assert_int_equal(count(&lab, "SELECT count(*) FROM finding WHERE actor = ''"), 1);
    lab.now = now;
    scan(&lab, at);
    assert_int_equal(count(&lab, "SELECT count(*) FROM finding WHERE actor = ''"), 1);
    event_by(&lab, "2", "erin", "app_role");
    assert_int_equal(count(&lab, "SELECT count(*) FROM finding WHERE actor = 'erin'"), 1);
    close_lab(&lab);
}

/* Who made the value that was there before may have made this one, too: nobody else is known. */
static void another_value_is_perhaps_of_who_made_the_last(void **state)
{
    enum { HOUR = 3600000 };
    static const char at[] = "postgresql_role.app";
    struct lab lab;
    open_lab(&lab, *state);
    know_all(&lab);
    scan(&lab, NULL);
    event_by(&lab, "1", "alice", "app_role");
    assert_true(whose(&lab, at, 1)->surely);
    scan_value(&lab, at, 1);
    lab.now += HOUR;
    scan_value(&lab, at, 1); /* still hers */
    assert_true(whose(&lab, at, 1)->surely);
    lab.now += HOUR;
    assert_true(same(whose(&lab, at, 2)->actor, "alice"));
    assert_false(whose(&lab, at, 2)->surely);
    scan_value(&lab, at, 2);
    assert_int_equal(count(&lab, "SELECT count(*) FROM finding_history WHERE what = 'changed'"), 1);
    lab.now += HOUR;
    scan_value(&lab, at, 2);
    assert_false(whose(&lab, at, 2)->surely);
    lab.now -= HOUR + 60000; /* the event of it comes late */
    event_by(&lab, "2", "bob", "app_role");
    assert_true(same(whose(&lab, at, 2)->actor, "bob") && whose(&lab, at, 2)->surely);
    close_lab(&lab);
}

/* The event comes before any state has the resource. */
static void an_early_event_is_found_by_its_names(void **state)
{
    struct lab lab;
    struct activity_done done = {0};
    open_lab(&lab, *state);
    add(&lab, TRAIL("ec2", "CreateVpc", "\"responseElements\":{\"vpc\":{\"vpcId\":\"vpc-1\"}}"),
        &no_rules, &done);
    assert_int_equal(done.count[ACTIVITY_UNMANAGED], 1);
    know_all(&lab);
    assert_true(same(who(&lab, "aws_vpc.main", CLASS_CONTRADICTS_CODE)->actor, "alice"));
    close_lab(&lab);
}

/* Two senders of one event may touch different stacks; two events of one id are two. */
static void an_event_of_two_senders_counts_for_both(void **state)
{
    static const struct activity_rules others = {.stacks = STR_INIT("else*")};
    static const char *const own[] = {
        OWN("1", "erin", "2026-08-23T09:58:12Z", "\"resource\":\"app_role\""),
        OWN("1", "dave", "2026-08-23T09:58:12Z", "\"resource\":\"app_role\""),
        OWN("1", "dave", "2126-08-23T09:58:12Z", "\"resource\":\"app_role\"")};
    static const char trail[] = TRAIL("ec2", "ModifyVpcAttribute", ASKED("\"vpcId\":\"vpc-1\""));
    struct lab lab;
    struct activity_done done = {0};
    open_lab(&lab, *state);
    know_all(&lab);
    add(&lab, trail, &others, &done);
    assert_true(done.count[ACTIVITY_UNMATCHED] == 1 && touches(&lab) == 0);
    assert_int_equal(who(&lab, "aws_vpc.main", CLASS_CONTRADICTS_CODE)->actor.len, 0);
    add(&lab, trail, &no_rules, &done);
    assert_true(done.count[ACTIVITY_DUPLICATE] == 1 && touches(&lab) == 1);
    assert_int_equal(count(&lab, "SELECT count(*) FROM activity WHERE result = 'matched'"), 1);
    assert_true(same(who(&lab, "aws_vpc.main", CLASS_CONTRADICTS_CODE)->actor, "alice"));
    assert_int_equal(count(&lab, "SELECT count(*) FROM audit_event WHERE type ="
                                 " 'finding.actor'"),
                     0);
    int64_t serial = count(&lab, "SELECT max(serial) FROM touch");
    add(&lab, trail, &no_rules, &done); /* nothing new */
    assert_int_equal(count(&lab, "SELECT max(serial) FROM touch"), serial);
    done = (struct activity_done){0};
    for (int i = 0; i < 2; i++)
        for (size_t k = 0; k < sizeof own / sizeof *own; k++)
            add(&lab, own[k], &no_rules, &done);
    /* told again, it may have another time */
    assert_int_equal(done.count[ACTIVITY_MATCHED], 2);
    assert_int_equal(done.count[ACTIVITY_DUPLICATE], 4);
    assert_int_equal(count(&lab, "SELECT count(*) FROM activity WHERE event LIKE '1 #%'"), 1);
    assert_int_equal(count(&lab, "SELECT count(*) FROM activity WHERE actor = 'dave'"), 1);
    close_lab(&lab);
}

static void a_pipeline_is_expected_within_a_run(void **state)
{
    static const struct str patterns[] = {STR_INIT("cloudtrail:arn:aws:iam::1:user/ali*")};
    const struct activity_rules rules = {.pipelines = patterns, .npipelines = 1};
    struct lab lab;
    struct activity_done done = {0};
    struct err err = {0};
    open_lab(&lab, *state);
    know_all(&lab);
    add(&lab, TRAIL("ec2", "ModifyVpcAttribute", ASKED("\"vpcId\":\"vpc-1\"")), &rules, &done);
    const struct attribution *by = who(&lab, "aws_vpc.main", CLASS_CONTRADICTS_CODE);
    assert_true(by->expected && same(by->way, "pipeline") && same(by->kind, "ci"));
    /* locks are known of that stack, and none was held then */
    assert_true(
        db_script(lab.record.db,
                  "INSERT INTO audit_event (seq, utc_ms, type, stack, actor, line) VALUES"
                  " (1000, 1000, 'lock', 'prod', '', ''), (1001, 2000, 'unlock', 'prod', '',"
                  " '')",
                  &err));
    add(&lab, TRAIL("ec2", "DeleteVpc", ASKED("\"vpcId\":\"vpc-1\"")), &rules, &done);
    by = who(&lab, "aws_vpc.main", CLASS_CONTRADICTS_CODE);
    assert_true(!by->expected && same(by->way, "pipeline"));
    close_lab(&lab);
}

/* The first scan reads a resource, an event changes it, and only then the store learns what it is
 * called: it is read again. What came before that scan began, it has seen. */
static void an_event_before_its_name_is_known(void **state)
{
    static const struct activity_rules others = {.stacks = STR_INIT("else*")};
    static const char touched[] =
        "SELECT count(*) FROM touch WHERE stack = 'prod' AND address = 'aws_instance.app' AND"
        " why = 'event'";
    const struct run_start start = {.stack = STR("prod"), .path = STR("prod")};
    struct activity_done done = {0};
    struct lab lab;
    struct err err = {0};
    int64_t run = 0;
    open_lab(&lab, *state);
    add(&lab, TRAIL("s3", "PutBucketAcl", ASKED("\"bucketName\":\"acme-logs\"")), &no_rules, &done);
    lab.now += 2 * 60000; /* clocks of services may be a minute apart */
    assert_true(run_begin(&lab.record, &start, &run, &err));
    lab.now += 1000;
    add(&lab, TRAIL("ec2", "StopInstances", ASKED("\"instanceId\":\"i-1\"")), &no_rules, &done);
    add(&lab, TRAIL("ec2", "ModifyVpcAttribute", ASKED("\"vpcId\":\"vpc-1\"")), &others, &done);
    assert_int_equal(done.touched, 0);
    know_all(&lab);
    assert_true(db_begin(lab.record.db, DB_WRITE, &err) &&
                activity_touch_late(&lab.record, STR("prod"), run, &err) &&
                db_commit(lab.record.db, &err));
    assert_int_equal(count(&lab, touched), 1);
    assert_int_equal(count(&lab, "SELECT count(*) FROM touch"), 1);
    close_lab(&lab);
}

/* --- how much --- */

static double seconds(void)
{
    return (double)clock_monotonic_ms() / 1000.0;
}

static void many_resources_and_many_events(void **state)
{
    enum { RESOURCES = 20000, EVENTS = 1000, TEXTS = 30, BATCH = 50 };
    struct lab lab;
    AUTO_BUF text = {.limit = LIMIT};
    struct activity_done done = {0};
    open_lab(&lab, *state);
    put_instances(&text, RESOURCES);
    double began = seconds();
    know(&lab, buf_view(&text), true);
    double indexed = seconds();
    for (int e = 0; e < EVENTS; e += BATCH) {
        struct activity_name name[BATCH][TEXTS];
        char id[BATCH][TEXTS][32];
        struct activity a[BATCH];
        struct err err = {0};
        for (int b = 0; b < BATCH; b++) {
            for (int k = 0; k < TEXTS; k++) {
                (void)snprintf(id[b][k], sizeof id[b][k], k ? "text-%d-%d" : "i-%08d",
                               k ? k : (e + b) * 7, e + b);
                name[b][k] =
                    (struct activity_name){str_from(id[b][k]), STR("instanceId"), 0, false};
            }
            a[b] = (struct activity){.source = STR("cloudtrail"),
                                     .id = str_from(id[b][1]),
                                     .time_utc_ms = NOW,
                                     .cloud = STR("aws"),
                                     .account = STR("1"),
                                     .service = STR("ec2"),
                                     .action = STR("ModifyInstanceAttribute"),
                                     .actor = STR("alice"),
                                     .name = name[b],
                                     .nnames = TEXTS};
        }
        assert_true(activity_add(&lab.record, &no_rules, a, BATCH, &done, &err));
    }
    double added = seconds();
    assert_int_equal(done.count[ACTIVITY_MATCHED], EVENTS);
    print_message("  %d resources in %.2f s; %d events of %d texts, %d at a time, in %.2f s\n",
                  RESOURCES, indexed - began, EVENTS, TEXTS, BATCH, added - indexed);
    close_lab(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spellings_of_one_name_are_one),
        cmocka_unit_test(the_index_follows_the_state),
        cmocka_unit_test(an_event_finds_its_resources),
        cmocka_unit_test(an_event_before_its_name_is_known),
        cmocka_unit_test(an_event_counts_once_and_only_if_it_wrote),
        cmocka_unit_test(an_event_of_two_senders_counts_for_both),
        cmocka_unit_test(nothing_is_lost_where_many_are_meant),
        cmocka_unit_test(a_time_ahead_of_ours_counts_as_now),
        cmocka_unit_test(who_attacks_the_log_is_in_the_log),
        cmocka_unit_test(what_is_old_goes),
        cmocka_unit_test(the_last_one_since_it_was_in_sync),
        cmocka_unit_test(a_late_event_names_an_open_finding),
        cmocka_unit_test(a_late_event_of_before_it_was_in_sync_names_nobody),
        cmocka_unit_test(another_value_is_perhaps_of_who_made_the_last),
        cmocka_unit_test(an_early_event_is_found_by_its_names),
        cmocka_unit_test(a_pipeline_is_expected_within_a_run),
        cmocka_unit_test(many_resources_and_many_events),
        cmocka_unit_test(a_big_index_lets_others_write),
    };
    return test_stores_run("record/activity", tests, sizeof tests / sizeof *tests);
}

/* test_alert.h - an alert with text that wants to break out of every format. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "respond/notify.h"

enum { TEST_NOW_S = 1795341600 /* 2026-11-22T10:00:00Z */ };

struct test_alert {
    struct alert alert;
    struct alert_finding finding[12];
    struct alert_change change[3];
    struct str todo[2];
};

static inline void test_alert_fill(struct test_alert *t, enum alert_status status, size_t findings)
{
    *t = (struct test_alert){
        .change = {{STR("ingress[0].cidr"), STR("10.0.0.0/8"), STR("0.0.0.0/0")},
                   {STR("tags.\"<!here> @channel `x` ``` [a](http://e) |\""), STR(""),
                    STR("*b* _i_ ~s~ </details><script> &amp; \n/close\n# h \x1b[31m")},
                   {STR("password"), STR("(sensitive)"), STR("(sensitive)")}},
        .todo = {STR("plumb review answer f1a9 --revert"), STR("plumb finding show f1a9")}};
    const struct alert_finding finding = {
        .fingerprint = STR("f1a9c0ffee"),
        .stack = STR("prod/network"),
        .environment = STR("prod"),
        .owner = STR("@acme/net"),
        .address = STR("module.vpc.aws_security_group.web[\"a`b\"]"),
        .type = STR("aws_security_group"),
        .provider = STR("aws"),
        .class_ = CLASS_CONTRADICTS_CODE,
        .severity = SEVERITY_HIGH,
        .file = STR("modules/vpc/sg.tf"),
        .line = 41,
        .file_url = STR("https://git.example.org/acme/net/blob/main/modules/vpc/sg.tf#L41"),
        .change = t->change,
        .nchanges = 3,
        .more_changes = 2,
        .reason = STR("opened to the world, see <https://evil.example|here> & @everyone"),
        .actor = STR("arn:aws:iam::111122223333:user/alice"),
        .actor_how = STR("audit event"),
        .session = STR("AWSReservedSSO_Admin <!here>\n@channel"),
        .client = STR("console"),
        .source_ip = STR("198.51.100.7"),
        .event = STR("3b1e2d4c-aaaa-4bbb-8ccc-0d1e2f3a4b5c"),
        .actor_utc_ms = (TEST_NOW_S - 120) * INT64_C(1000),
        .decision = STR("block"),
        .rule = STR("net/public"),
        .rule_place = STR("policies/net.yaml:3"),
        .first_utc_ms = (TEST_NOW_S - 60) * INT64_C(1000),
        .since_utc_ms = (TEST_NOW_S - 60) * INT64_C(1000),
        .due_utc_ms = (TEST_NOW_S + 86400) * INT64_C(1000),
        .link = STR("https://plumb.example.org/findings/f1a9c0ffee"),
        .todo = t->todo,
        .ntodo = 2};
    const size_t room = sizeof t->finding / sizeof *t->finding;
    for (size_t i = 0; i < findings && i < room; i++)
        t->finding[i] = finding;
    if (findings > 1) { /* the second is as little as there can be */
        t->finding[1] = (struct alert_finding){.fingerprint = STR("00"),
                                               .stack = STR("dns"),
                                               .address = STR("x_zone.a"),
                                               .class_ = CLASS_MISSING,
                                               .severity = SEVERITY_LOW,
                                               .actor_how = STR("no audit source")};
    }
    t->alert = (struct alert){
        .id = STR("alrt_0001"),
        .thread = STR("thr_f1a9c0ffee"),
        .title = STR("aws_security_group.web contradicts the code @here <!channel> *now*"),
        .status = status,
        .severity = SEVERITY_HIGH,
        .finding = t->finding,
        .nfindings = findings,
        .more = findings > 1 ? 4 : 0,
        .made_utc_ms = TEST_NOW_S * INT64_C(1000),
        .link = STR("https://plumb.example.org/findings/f1a9c0ffee")};
    if (!findings)
        t->alert.text = STR("bob opened a breakglass until 12:00\n@everyone ```");
}

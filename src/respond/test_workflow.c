/* test_workflow.c - who may do what to a review: a behaviour is a row of `cases`. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/config.h"
#include "respond/workflow.h"

#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)
#define NOW (1000 * DAY)

static const char config_text[] =
    "version: 1\n"
    "review:\n"
    "  rules:\n"
    "    - {severity: critical, answer: accept, approvals: 2, by: [security, codeowners],\n"
    "       longest: 7d}\n"
    "    - {env: sandbox, approvals: 0}\n"
    "    - {env: team, approvals: 0, by: security}\n"
    "    - {stack: solo*, approvals: 1, self_approval: [author, requester]}\n"
    "    - {decision: block, approvals: 3}\n"
    "    - {approvals: 1}\n"
    "  roles:\n"
    "    - {name: security, members: [sam, 'os-user:sue', 'ci:github:sid']}\n"
    "    - {name: '@example/net', members: [nora]}\n"
    "  people:\n"
    "    - {name: carol, known_as: ['os-user:carol', 'arn:aws:sts::*:assumed-role/*/carol']}\n"
    "    - {name: dan, known_as: ['os-user:dan', dan.d@example.org]}\n"
    "  deadlines: {critical: 1d, high: 3d}\n"
    "  breakglass: {by: security}\n";

#define OS(n) \
    { \
        .name = STR_INIT(n), .how = STR_INIT("os-user") \
    }
#define CI(n, v) \
    { \
        .name = STR_INIT(n), .how = STR_INIT("ci:github"), .via = STR_INIT(v) \
    }

static const struct actor alice = OS("uid 1000 (alice)"), bob = OS("uid 1001 (bob)"),
                          carol = OS("uid 1002 (carol)"), sam = OS("uid 2000 (sam)"),
                          sue = OS("uid 2001 (sue)"), nora = OS("uid 2002 (nora)"),
                          dan = OS("uid 2003 (dan)");
static const struct actor ci_bob = CI("bob", "uid 1 (runner)"), ci_dan = CI("x", "uid 2003 (dan)"),
                          cloud_carol = {.name =
                                             STR_INIT("arn:aws:sts::1:assumed-role/Admin/carol"),
                                         .how = STR_INIT("cloudtrail")},
                          session_carol = {.name = STR_INIT("c.carol@example.org"),
                                           .how = STR_INIT("cloudtrail"),
                                           .via =
                                               STR_INIT("arn:aws:sts::1:assumed-role/Dev/carol")},
                          mail_dan = {.name = STR_INIT("Dan.D@Example.org"),
                                      .how = STR_INIT("azure-activity")},
                          session_dave = {
                              .name = STR_INIT("dave@example.org"),
                              .how = STR_INIT("cloudtrail"),
                              .via = STR_INIT("arn:aws:sts::1:assumed-role/Dev/dave@example.org")};

/* A review that alice asked for. */
static struct review asked(void)
{
    return (struct review){.id = 1,
                           .stack = STR("app"),
                           .address = STR("aws_s3_bucket.logs"),
                           .value = STR("sha256:one"),
                           .environment = STR("prod"),
                           .owners = STR("@example/net dan"),
                           .severity = SEVERITY_HIGH,
                           .decision = STR("review"),
                           .answer = ANSWER_ACCEPT,
                           .reason = STR("until the move"),
                           .by = alice,
                           .requested_utc_ms = NOW - HOUR,
                           .until_utc_ms = NOW + DAY};
}

static const struct {
    const char *says;
    enum workflow_step step;
    const struct actor *by;
    /* what is otherwise than in asked(); 0 and NULL = as there */
    const struct actor *first, *second, *author; /* approved before; made the change */
    const char *stack, *env, *decision;
    enum severity severity;
    enum review_state state;
    int64_t until_in;
    bool no_value, revert, unchecked, no_reason;
    /* what comes of it */
    bool allowed;
    enum review_state then;
    const char *why;
} cases[] = {
    /* asking */
    {"a request waits for one approval", WORKFLOW_REQUEST, &alice, .allowed = true,
     .why = "needs 1 approval by anybody but the requester (plumb.yaml:10)"},
    {"its rule is the first that fits", WORKFLOW_REQUEST, &alice, .severity = SEVERITY_CRITICAL,
     .allowed = true, .why = "needs 2 approvals by security or codeowners"},
    {"of a block three must approve", WORKFLOW_REQUEST, &alice, .decision = "block",
     .allowed = true, .why = "needs 3 approvals by anybody but the requester (plumb.yaml:9)"},
    {"the rule of critical accepts is not one of reverts", WORKFLOW_REQUEST, &alice,
     .severity = SEVERITY_CRITICAL, .revert = true, .allowed = true, .why = "plumb.yaml:10"},
    {"the author is named where known", WORKFLOW_REQUEST, &alice, .author = &bob, .allowed = true,
     .why = "but the requester and the author"},
    {"without approvals it counts at once", WORKFLOW_REQUEST, &alice, .env = "sandbox",
     .allowed = true, .then = REVIEW_EFFECT, .why = "plumb.yaml:6 wants no approval"},
    {"at once only by the role", WORKFLOW_REQUEST, &alice, .env = "team",
     .why = "uid 1000 (alice) is not among security, as plumb.yaml:7 wants it"},
    {"at once by the role", WORKFLOW_REQUEST, &sam, .env = "team", .allowed = true,
     .then = REVIEW_EFFECT, .why = "plumb.yaml:7"},
    {"longer than the rule allows", WORKFLOW_REQUEST, &alice, .severity = SEVERITY_CRITICAL,
     .until_in = 8 * DAY, .why = "at most 7 days (plumb.yaml:4)"},
    {"longer than the default", WORKFLOW_REQUEST, &alice, .until_in = 91 * DAY,
     .why = "at most 90 days"},
    {"over before it began", WORKFLOW_REQUEST, &alice, .until_in = -1, .why = "ended already"},
    {"a secret without a digest", WORKFLOW_REQUEST, &alice, .no_value = true, .why = "a secret"},
    {"what could not be compared is not reverted", WORKFLOW_REQUEST, &alice, .unchecked = true,
     .revert = true, .why = "nothing to revert"},
    {"but may be accepted", WORKFLOW_REQUEST, &alice, .unchecked = true, .allowed = true,
     .why = "needs 1"},
    {"no reason", WORKFLOW_REQUEST, &alice, .no_reason = true, .why = "has a reason"},
    /* approving */
    {"another person approves", WORKFLOW_APPROVE, &bob, .allowed = true, .then = REVIEW_EFFECT,
     .why = "in effect with 1 of 1"},
    {"the requester cannot", WORKFLOW_APPROVE, &alice,
     .why = "uid 1000 (alice) asked for this review and cannot approve it (plumb.yaml:10)"},
    {"the requester may where the rule says so", WORKFLOW_APPROVE, &alice, .stack = "solo-app",
     .allowed = true, .then = REVIEW_EFFECT, .why = "plumb.yaml:8"},
    {"the author of the change cannot", WORKFLOW_APPROVE, &bob, .author = &bob,
     .why = "made the change that is reviewed and cannot approve it"},
    {"the author under another name cannot", WORKFLOW_APPROVE, &carol, .author = &cloud_carol,
     .why = "made the change"},
    {"the author whom people knows by the principal cannot", WORKFLOW_APPROVE, &carol,
     .author = &session_carol, .why = "made the change"},
    {"a mail address is the same in capitals", WORKFLOW_APPROVE, &dan, .author = &mail_dan,
     .why = "made the change"},
    {"another than the author may", WORKFLOW_APPROVE, &bob, .author = &session_carol,
     .allowed = true, .then = REVIEW_EFFECT, .why = "in effect"},
    {"an author whom nobody knows by a name is told of", WORKFLOW_REQUEST, &alice,
     .author = &session_dave, .allowed = true,
     .why = "(plumb.yaml:10); whose name dave@example.org is, who made the change, review.people "
            "does not say"},
    {"the author may where the rule says so", WORKFLOW_APPROVE, &bob, .author = &bob,
     .stack = "solo-app", .allowed = true, .then = REVIEW_EFFECT, .why = "in effect"},
    {"whom only a variable names", WORKFLOW_APPROVE, &ci_bob,
     .why = "bob is known by ci:github only, which review.trust does not name"},
    {"not in the role", WORKFLOW_APPROVE, &bob, .severity = SEVERITY_CRITICAL,
     .why = "uid 1001 (bob) is not among security or codeowners, as plumb.yaml:4 wants it"},
    {"the first of two", WORKFLOW_APPROVE, &sam, .severity = SEVERITY_CRITICAL, .allowed = true,
     .why = "1 of 2 approvals (plumb.yaml:4)"},
    {"the second of two, by the owner's team", WORKFLOW_APPROVE, &nora,
     .severity = SEVERITY_CRITICAL, .first = &sam, .allowed = true, .then = REVIEW_EFFECT,
     .why = "in effect with 2 of 2"},
    {"an owner by name", WORKFLOW_APPROVE, &dan, .severity = SEVERITY_CRITICAL, .first = &sam,
     .allowed = true, .then = REVIEW_EFFECT, .why = "2 of 2"},
    {"the same one twice", WORKFLOW_APPROVE, &sam, .severity = SEVERITY_CRITICAL, .first = &sam,
     .why = "has approved it already"},
    {"an earlier approval by one who left the role does not count", WORKFLOW_APPROVE, &sue,
     .severity = SEVERITY_CRITICAL, .first = &bob, .allowed = true, .why = "1 of 2"},
    {"two names of one person are one approval", WORKFLOW_APPROVE, &sue, .decision = "block",
     .first = &dan, .second = &ci_dan, .allowed = true, .why = "2 of 3"},
    {"in effect already", WORKFLOW_APPROVE, &bob, .state = REVIEW_EFFECT, .then = REVIEW_EFFECT,
     .why = "in effect already"},
    {"too late", WORKFLOW_APPROVE, &bob, .until_in = -1, .then = REVIEW_ENDED,
     .why = "its time has passed"},
    {"ended", WORKFLOW_APPROVE, &bob, .state = REVIEW_ENDED, .then = REVIEW_ENDED,
     .why = "it has ended"},
    /* taking back */
    {"the requester takes it back", WORKFLOW_WITHDRAW, &alice, .allowed = true,
     .then = REVIEW_ENDED, .why = "withdrawn by uid 1000 (alice)"},
    {"one in effect, too", WORKFLOW_WITHDRAW, &alice, .state = REVIEW_EFFECT, .allowed = true,
     .then = REVIEW_ENDED, .why = "withdrawn"},
    {"who could approve may refuse it", WORKFLOW_WITHDRAW, &bob, .allowed = true,
     .then = REVIEW_ENDED, .why = "withdrawn by uid 1001 (bob)"},
    {"who could not, may not", WORKFLOW_WITHDRAW, &bob, .severity = SEVERITY_CRITICAL,
     .why = "is not among"},
    {"an ended one stays as it is", WORKFLOW_WITHDRAW, &alice, .state = REVIEW_ENDED,
     .then = REVIEW_ENDED, .why = "it has ended"},
};

static struct config read_config(struct arena *arena)
{
    struct err err = {0};
    struct config config = {0};
    char text[1024];
    if (!config_parse(arena, str_from(config_text), "plumb.yaml", &config, &err))
        fail_msg("%s", err_text(&err, text, sizeof text));
    return config;
}

static void each_step_is_decided(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 24};
    struct config config = read_config(&arena);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct review review = asked();
        struct approval approvals[2] = {0};
        struct workflow_outcome got = {0};
        struct err err = {0};
        const struct actor *earlier[] = {cases[i].first, cases[i].second};
        for (size_t k = 0; k < 2 && earlier[k]; k++)
            approvals[review.napprovals++] = (struct approval){.by = *earlier[k]};
        review.approval = approvals;
        review.state = cases[i].state;
        if (review.state == REVIEW_ENDED)
            review.end = REVIEW_WITHDRAWN;
        if (cases[i].step == WORKFLOW_REQUEST)
            review.by = *cases[i].by;
        if (cases[i].author)
            review.author = *cases[i].author;
        if (cases[i].stack)
            review.stack = str_from(cases[i].stack);
        if (cases[i].env)
            review.environment = str_from(cases[i].env);
        if (cases[i].decision)
            review.decision = str_from(cases[i].decision);
        if (cases[i].severity)
            review.severity = cases[i].severity;
        if (cases[i].until_in)
            review.until_utc_ms = NOW + cases[i].until_in;
        if (cases[i].no_value)
            review.value = STR("");
        if (cases[i].revert)
            review.answer = ANSWER_REVERT;
        if (cases[i].unchecked)
            review.class_ = CLASS_UNCHECKED;
        if (cases[i].no_reason)
            review.reason = STR(" \n");
        print_message("  %s\n", cases[i].says);
        assert_true(
            workflow_decide(&arena, &config, &review, cases[i].step, cases[i].by, NOW, &got, &err));
        if (!strstr(got.why.ptr, cases[i].why))
            fail_msg("said: %s", got.why.ptr);
        assert_int_equal(got.allowed, cases[i].allowed);
        assert_int_equal(got.state, cases[i].then);
    }
}

/* Without plumb.yaml: one approval, by somebody else. */
static void the_default_wants_a_second_person(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct review review = asked();
    struct workflow_outcome got;
    struct err err = {0};
    assert_true(workflow_decide(&arena, NULL, &review, WORKFLOW_REQUEST, &alice, NOW, &got, &err));
    assert_true(got.allowed && got.state == REVIEW_REQUESTED && got.rule.approvals == 1);
    assert_true(workflow_decide(&arena, NULL, &review, WORKFLOW_APPROVE, &alice, NOW, &got, &err));
    assert_false(got.allowed);
    assert_true(workflow_decide(&arena, NULL, &review, WORKFLOW_APPROVE, &bob, NOW, &got, &err));
    assert_true(got.allowed && got.state == REVIEW_EFFECT);
}

static const struct {
    const char *says;
    enum review_state state;
    enum review_sight sight;
    const char *value;
    int64_t at;
    enum review_end end;
    bool counts; /* for the value */
} looks[] = {
    {"in effect, the same value", REVIEW_EFFECT, SIGHT_FOUND, "sha256:one", NOW, REVIEW_NOT_ENDED,
     true},
    {"a second change voids it", REVIEW_EFFECT, SIGHT_FOUND, "sha256:two", NOW, REVIEW_VOIDED,
     false},
    {"a value that cannot be told voids it", REVIEW_EFFECT, SIGHT_FOUND, "", NOW, REVIEW_VOIDED,
     false},
    {"the last moment", REVIEW_EFFECT, SIGHT_FOUND, "sha256:one", NOW + DAY - 1, REVIEW_NOT_ENDED,
     true},
    {"its end", REVIEW_EFFECT, SIGHT_FOUND, "sha256:one", NOW + DAY, REVIEW_EXPIRED, false},
    {"not found any more", REVIEW_EFFECT, SIGHT_GONE, "", NOW, REVIEW_RESOLVED, false},
    {"a request does not count", REVIEW_REQUESTED, SIGHT_FOUND, "sha256:one", NOW, REVIEW_NOT_ENDED,
     false},
    {"a request is voided, too", REVIEW_REQUESTED, SIGHT_FOUND, "sha256:two", NOW, REVIEW_VOIDED,
     false},
    {"what ended stays ended", REVIEW_ENDED, SIGHT_FOUND, "sha256:one", NOW, REVIEW_WITHDRAWN,
     false},
};

static void time_and_sight_end_a_review(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
        struct review review = asked();
        review.state = looks[i].state;
        if (review.state == REVIEW_ENDED)
            review.end = REVIEW_WITHDRAWN;
        print_message("  %s\n", looks[i].says);
        assert_int_equal(
            review_look(&review, looks[i].sight, str_from(looks[i].value), looks[i].at),
            looks[i].end);
        assert_int_equal(review_counts(&review, str_from(looks[i].value), looks[i].at),
                         looks[i].counts);
    }
}

static void deadlines_and_powers(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 24};
    struct config config = read_config(&arena);
    struct err err = {0};
    struct str why;
    bool may;
    int64_t until, id;
    const int64_t *by_severity = config.review.deadline_ms;
    assert_true(review_deadline(by_severity, SEVERITY_CRITICAL, 0) == DAY);
    assert_true(review_deadline(by_severity, SEVERITY_CRITICAL, HOUR) == HOUR);
    assert_true(review_deadline(by_severity, SEVERITY_CRITICAL, 9 * DAY) == DAY);
    assert_true(review_deadline(by_severity, SEVERITY_LOW, 9 * DAY) == 9 * DAY);
    assert_true(review_deadline(NULL, SEVERITY_LOW, 0) == 0);

    assert_true(workflow_may(&arena, &config, WORKFLOW_BREAKGLASS, &bob, &may, &why, &err));
    assert_false(may);
    assert_non_null(strstr(why.ptr, "not among security"));
    assert_true(workflow_may(&arena, &config, WORKFLOW_BREAKGLASS, &sam, &may, &why, &err));
    assert_true(may);
    assert_true(workflow_may(&arena, &config, WORKFLOW_FREEZE, &bob, &may, &why, &err));
    assert_true(may);

    assert_true(workflow_until(STR("30d"), NOW, &until) && until == NOW + 30 * DAY);
    assert_true(workflow_until(STR("2026-12-31"), NOW, &until));
    assert_false(workflow_until(STR("30"), NOW, &until));
    assert_false(workflow_until(STR("0d"), NOW, &until));
    assert_false(workflow_until(STR("soon"), NOW, &until));
    assert_true(review_id_from(STR("R12"), 'R', &id) && id == 12);
    assert_true(review_id_from(STR("7"), 'R', &id) && id == 7);
    assert_false(review_id_from(STR("B7"), 'R', &id));
    assert_false(review_id_from(STR("R"), 'R', &id));
    assert_false(review_id_from(STR("R0"), 'R', &id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_step_is_decided),
        cmocka_unit_test(the_default_wants_a_second_person),
        cmocka_unit_test(time_and_sight_end_a_review),
        cmocka_unit_test(deadlines_and_powers),
    };
    return cmocka_run_group_tests_name("respond/workflow", tests, NULL, NULL);
}

/* test_notify_http.c - what each notifier over HTTP sends, byte for byte (tests/data/notify), and
 * what it makes of answers. PLUMB_GOLDEN=write writes what is sent instead of comparing.
 */
#include "respond/test_receiver.h"

#include <sys/stat.h>

#include "base/io.h"
#include "model/config.h"
#include "respond/receiver.h"
#include "respond/wording.h"

#define OK_JSON "200 OK\r\nContent-Type: application/json\r\n\r\n"
#define MADE "201 Created\r\n\r\n"

struct sending {
    const char *to, *key, *password, *kept;
    struct config_notify config;
    const char *path; /* behind the receiver's address */
    const char *const *answer;
};

/* Sends to a receiver that answers so; the arena outlives what comes back. */
static struct notify_answer send_to(struct arena *arena, struct test_receiver *r,
                                    const struct sending *s, const struct alert *alert)
{
    struct err err = {0};
    struct notify_answer answer;
    struct config_notify config = s->config;
    const struct notifier *notifier = notifier_find(str_from(s->to));
    assert_non_null(notifier);
    test_receiver_open(r, s->answer);
    config.to = str_from(s->to);
    config.allow_private = true;
    config.url = STR("env:URL");
    config.key = s->key ? STR("env:KEY") : STR("");
    config.password = s->password ? STR("env:PASSWORD") : STR("");
    const struct notify_target target = {
        .config = &config,
        .url = arena_printf(arena, "http://127.0.0.1:%d%s", r->port, s->path ? s->path : ""),
        .key = str_from(s->key),
        .password = str_from(s->password),
        .kept = str_from(s->kept),
        .timeout_ms = 120000,
        .now_utc_ms = TEST_NOW_S * INT64_C(1000) + 5000};
    char text[1000];
    if (!notifier->check(&config, NULL, &err) || !notifier->check(&config, &target, &err))
        fail_msg("%s: %s", s->to, err_text(&err, text, sizeof text));
    if (!notifier->send(arena, &target, alert, &answer, &err))
        fail_msg("%s: %s", s->to, err_text(&err, text, sizeof text));
    test_receiver_close(r, arena);
    return answer;
}

/* --- what is sent --- */

/* Request lines, the headers that are ours, and bodies; a line break behind each member of one. */
static void transcript(const struct test_receiver *r, struct buf *out)
{
    static const char *const headers[] = {
        "Content-Type",      "Authorization",     "PRIVATE-TOKEN",      "webhook-id",
        "webhook-timestamp", "webhook-signature", "X-Hub-Signature-256"};
    for (size_t i = 0; i < r->n; i++) {
        buf_printf(out, "%.*s\n", STR_ARG(test_line(r, i)));
        for (size_t k = 0; k < sizeof headers / sizeof *headers; k++) {
            struct str value = test_header(r, i, headers[k]);
            if (value.len)
                buf_printf(out, "%s: %.*s\n", headers[k], STR_ARG(value));
        }
        buf_printf(out, "%.*s\n\n", STR_ARG(test_body(r, i)));
    }
}

static void golden(struct arena *arena, const char *name, struct test_receiver *r)
{
    struct err err = {0};
    struct str want;
    AUTO_BUF got = {.limit = 1 << 22};
    struct buf *text = &got;
    const char *root = getenv("PLUMB_ROOT"), *mode = getenv("PLUMB_GOLDEN");
    struct str path = arena_printf(arena, "%s/tests/data/notify/%s.txt", root ? root : ".", name);
    transcript(r, text);
    assert_true(buf_ok(text, &err));
    if (mode && strcmp(mode, "write") == 0) {
        FILE *file = fopen(path.ptr, "we");
        assert_non_null(file);
        assert_int_equal(fwrite(got.ptr, 1, got.len, file), got.len);
        assert_int_equal(fclose(file), 0);
        return;
    }
    if (!io_read_file(arena, path.ptr, 1 << 22, &want, &err))
        fail_msg("%s: no golden (PLUMB_GOLDEN=write)", name);
    if (!str_equal(want, buf_view(text)))
        fail_msg("%s differs from what is sent:\n%.*s", path.ptr, STR_ARG(buf_view(text)));
}

static const char *const slack_ok[] = {"200 OK\r\n\r\nok", NULL};
static const char *const bot_ok[] = {
    OK_JSON "{\"ok\":true,\"channel\":\"C0123456789\",\"ts\":\"1795341600.000100\"}", NULL};
static const char *const empty_ok[] = {"200 OK\r\n\r\n", NULL};
static const char *const teams_ok[] = {"202 Accepted\r\n\r\n", NULL};
static const char *const duty_ok[] = {
    "202 Accepted\r\n\r\n{\"status\":\"success\",\"dedup_key\":\"x\"}", NULL};
#define ISSUE(number, name, state, body) \
    "{\"" number "\":12,\"" name "\":\"" body "\",\"state\":\"" state "\"}"
static const char *const github_new[] = {OK_JSON "[]", MADE ISSUE("number", "body", "open", ""),
                                         NULL};
static const char *const github_known[] = {
    OK_JSON ISSUE("number", "body", "open", "<!-- plumb:alert:thr_f1a9c0ffee -->"), OK_JSON "[]",
    MADE "{}", OK_JSON "{}", NULL};
static const char *const gitlab_new[] = {OK_JSON "[]",
                                         MADE ISSUE("iid", "description", "opened", ""), NULL};
static const char *const gitlab_known[] = {
    OK_JSON "[" ISSUE("iid", "description", "closed", "<!-- plumb:alert:thr_f1a9c0ffee -->") "]",
    OK_JSON "[]", MADE "{}", OK_JSON "{}", NULL};

#define SECRETS \
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
#define ROUTING "0123456789abcdef0123456789abcdef"

static const struct str labels_forge[] = {STR_INIT("drift"), STR_INIT("prod net")};
static const struct str labels_prometheus[] = {STR_INIT("team=net"), STR_INIT("site=a=b")};

static void what_is_sent(void **state)
{
    static const struct {
        const char *name;
        enum alert_status status;
        size_t findings;
        struct sending sending;
        const char *kept;
    } cases[] = {
        {"slack-new",
         ALERT_NEW,
         1,
         {.to = "slack", .path = "/services/T0/B0/x", .answer = slack_ok},
         NULL},
        {"slack-group",
         ALERT_OVERDUE,
         12,
         {.to = "slack", .path = "/services/T0/B0/x", .answer = slack_ok},
         NULL},
        {"slack-notice",
         ALERT_NOTICE,
         0,
         {.to = "slack", .path = "/services/T0/B0/x", .answer = slack_ok},
         NULL},
        {"slack-bot-new",
         ALERT_NEW,
         2,
         {.to = "slack",
          .key = "xoxb-1",
          .path = "/api",
          .answer = bot_ok,
          .config = {.channel = STR_INIT("C0123456789")}},
         "C0123456789 1795341600.000100"},
        {"slack-bot-resolved",
         ALERT_RESOLVED,
         1,
         {.to = "slack",
          .key = "xoxb-1",
          .path = "/api",
          .kept = "C0123456789 17.1",
          .answer = bot_ok,
          .config = {.channel = STR_INIT("C0123456789")}},
         NULL},
        {"teams-new",
         ALERT_NEW,
         1,
         {.to = "teams", .path = "/workflows/x?sig=y", .answer = teams_ok},
         NULL},
        {"teams-group",
         ALERT_RECURRING,
         2,
         {.to = "teams", .path = "/workflows/x?sig=y", .answer = teams_ok},
         NULL},
        {"pagerduty-new",
         ALERT_NEW,
         1,
         {.to = "pagerduty", .key = ROUTING, .answer = duty_ok},
         NULL},
        {"pagerduty-group",
         ALERT_CHANGED,
         2,
         {.to = "pagerduty", .key = ROUTING, .answer = duty_ok},
         NULL},
        {"pagerduty-resolved",
         ALERT_RESOLVED,
         1,
         {.to = "pagerduty", .key = ROUTING, .answer = duty_ok},
         NULL},
        {"alertmanager-new",
         ALERT_NEW,
         2,
         {.to = "alertmanager",
          .answer = empty_ok,
          .config = {.labels = labels_prometheus, .nlabels = 2}},
         NULL},
        {"alertmanager-resolved",
         ALERT_RESOLVED,
         1,
         {.to = "alertmanager", .key = "t0ken-t0ken", .answer = empty_ok},
         NULL},
        {"alertmanager-notice", ALERT_NOTICE, 0, {.to = "alertmanager", .answer = empty_ok}, NULL},
        {"webhook-standard",
         ALERT_NEW,
         1,
         {.to = "webhook", .key = SECRETS, .path = "/in", .answer = empty_ok},
         NULL},
        {"webhook-cloudevents",
         ALERT_RESOLVED,
         1,
         {.to = "webhook",
          .key = SECRETS,
          .path = "/in",
          .answer = empty_ok,
          .config = {.format = STR_INIT("cloudevents")}},
         NULL},
        {"webhook-plumb",
         ALERT_CHANGED,
         2,
         {.to = "webhook",
          .password = "t0ken-t0ken",
          .path = "/in",
          .answer = empty_ok,
          .config = {.format = STR_INIT("plumb")}},
         NULL},
        {"webhook-basic",
         ALERT_TEST,
         0,
         {.to = "webhook",
          .password = "word",
          .path = "/in",
          .answer = empty_ok,
          .config = {.user = STR_INIT("plumb")}},
         NULL},
        {"github-new",
         ALERT_NEW,
         1,
         {.to = "github",
          .key = "ghp_0123456789",
          .answer = github_new,
          .config = {.project = STR_INIT("acme/net"), .labels = labels_forge, .nlabels = 2}},
         "12"},
        {"github-resolved",
         ALERT_RESOLVED,
         1,
         {.to = "github",
          .key = "ghp_0123456789",
          .kept = "12",
          .answer = github_known,
          .config = {.project = STR_INIT("acme/net")}},
         "12"},
        {"gitlab-new",
         ALERT_NEW,
         2,
         {.to = "gitlab",
          .key = "glpat-0123456789",
          .answer = gitlab_new,
          .config = {.project = STR_INIT("acme/net"), .labels = labels_forge, .nlabels = 2}},
         "12"},
        {"gitlab-again",
         ALERT_NEW,
         1,
         {.to = "gitlab",
          .key = "glpat-0123456789",
          .answer = gitlab_known,
          .config = {.project = STR_INIT("acme/net")}},
         "12"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 64 << 20};
        struct test_alert t;
        struct test_receiver r;
        print_message("  %s\n", cases[i].name);
        test_alert_fill(&t, cases[i].status, cases[i].findings);
        struct notify_answer answer = send_to(&arena, &r, &cases[i].sending, &t.alert);
        if (answer.result != NOTIFY_TAKEN)
            fail_msg("%s: %.*s", cases[i].name, STR_ARG(answer.said));
        assert_true(str_equal(answer.kept, str_from(cases[i].kept)));
        golden(&arena, cases[i].name, &r);
    }
}

/* --- what an answer means --- */

static const struct {
    const char *to, *kept, *answer;
    enum notify_result result;
    int64_t retry_ms;
    const char *said; /* part of it */
} answers[] = {
    {"slack", 0, "200 OK\r\n\r\nok\n", NOTIFY_TAKEN, 0, ""},
    {"slack", 0, "200 OK\r\n\r\n<html>log in</html>", NOTIFY_LATER, 0, "not the \"ok\" of Slack"},
    {"slack", 0, "429 Slow\r\nRetry-After: 30\r\n\r\nrate_limited", NOTIFY_LATER, 30000, "429"},
    {"slack", 0, "500 Oops\r\n\r\nrollup_error", NOTIFY_LATER, 0, "rollup_error"},
    {"slack", 0, "503 Oops\r\n\r\n", NOTIFY_LATER, 0, "status 503"},
    {"slack", 0, "400 Bad\r\n\r\ninvalid_blocks", NOTIFY_REFUSED, 0, "invalid_blocks"},
    {"slack", 0, "403 No\r\n\r\naction_prohibited", NOTIFY_REFUSED, 0, "action_prohibited"},
    {"slack", 0, "404 No\r\n\r\nno_service", NOTIFY_GONE, 0, "make another"},
    {"slack", 0, "410 Gone\r\n\r\nchannel_is_archived", NOTIFY_GONE, 0, "make another"},
    {"slack", 0, "400 Bad\r\n\r\nnot /services/T0S3CRET/x", NOTIFY_REFUSED, 0, "repeats a secret"},
    {"slack", 0, "302 Found\r\nLocation: /x\r\n\r\n", NOTIFY_REFUSED, 0, "none is followed"},
    {"bot", 0, OK_JSON "{\"ok\":false,\"error\":\"ratelimited\"}", NOTIFY_LATER, 0, "ratelimited"},
    {"bot", 0, "429 Slow\r\nRetry-After: 7\r\n\r\n{\"ok\":false,\"error\":\"ratelimited\"}",
     NOTIFY_LATER, 7000, "429"},
    {"bot", 0, OK_JSON "{\"ok\":false,\"error\":\"not_in_channel\"}", NOTIFY_REFUSED, 0, "invite"},
    {"bot", 0, OK_JSON "{\"ok\":false,\"error\":\"token_revoked\"}", NOTIFY_GONE, 0,
     "another token"},
    {"bot", 0, OK_JSON "{\"ok\":true}", NOTIFY_LATER, 0, "not an answer of Slack"},
    {"bot", 0, OK_JSON "ok", NOTIFY_LATER, 0, "not an answer of Slack"},
    {"teams", 0, "202 Accepted\r\n\r\n", NOTIFY_TAKEN, 0, ""},
    {"teams", 0, "200 OK\r\n\r\n1", NOTIFY_TAKEN, 0, ""},
    {"teams", 0,
     "200 OK\r\n\r\nWebhook message delivery failed with error: Microsoft Teams endpoint returned "
     "HTTP error 429 with ContextId tcid=0",
     NOTIFY_LATER, 0, "error 429"},
    {"teams", 0, "200 OK\r\n\r\nreturned HTTP error 413 with", NOTIFY_REFUSED, 0, "error 413"},
    {"teams", 0, "429 Slow\r\nRetry-After: 2\r\n\r\n", NOTIFY_LATER, 2000, "429"},
    {"teams", 0, "404 No\r\n\r\n{\"error\":{\"code\":\"WorkflowNotFound\"}}", NOTIFY_GONE, 0,
     "off"},
    {"teams", 0, "400 Bad\r\n\r\n{\"error\":{\"code\":\"TriggerInputSchemaMismatch\"}}",
     NOTIFY_REFUSED, 0, "TriggerInput"},
    {"pagerduty", 0, "202 Accepted\r\n\r\n{}", NOTIFY_TAKEN, 0, ""},
    {"pagerduty", 0, "200 OK\r\n\r\n", NOTIFY_LATER, 0, "says 202"},
    {"pagerduty", 0, "400 Bad\r\n\r\n{\"status\":\"invalid event\"}", NOTIFY_REFUSED, 0, "invalid"},
    {"pagerduty", 0, "429 Slow\r\n\r\n", NOTIFY_LATER, 0, "429"},
    {"alertmanager", 0, "200 OK\r\n\r\n", NOTIFY_TAKEN, 0, ""},
    {"alertmanager", 0, "400 Bad\r\n\r\n\"invalid label set\"", NOTIFY_REFUSED, 0, "label set"},
    {"webhook", 0, "204 None\r\n\r\n", NOTIFY_TAKEN, 0, ""},
    {"webhook", 0, "410 Gone\r\n\r\n", NOTIFY_GONE, 0, "410"},
    {"webhook", 0, "502 Bad\r\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n", NOTIFY_LATER, 0,
     "502"},
    {"webhook", 0, "503 Busy\r\nRetry-After: 99999999\r\n\r\n", NOTIFY_LATER, 86400000, "503"},
    {"webhook", 0, "503 Busy\r\nRetry-After: -5\r\n\r\n", NOTIFY_LATER, 0, "503"},
    {"github", 0, OK_JSON "null", NOTIFY_LATER, 0, "no list"},
    {"gitlab", 0, "409 Conflict\r\n\r\n{\"message\":\"409 Conflict\"}", NOTIFY_LATER, 0, "409"},
    {"github", 0, "401 No\r\n\r\n{\"message\":\"Bad credentials\"}", NOTIFY_REFUSED, 0,
     "has ended"},
    {"github", 0, "403 No\r\n\r\n{\"message\":\"API rate limit exceeded\"}", NOTIFY_LATER, 60000,
     "rate limit"},
    {"github", 0, "403 No\r\nRetry-After: 9\r\n\r\n{\"message\":\"secondary\"}", NOTIFY_LATER, 9000,
     "secondary"},
    {"github", 0, "403 No\r\n\r\n{\"message\":\"Resource not accessible\"}", NOTIFY_REFUSED, 0,
     "may not write"},
    {"github", 0, "404 No\r\n\r\n{\"message\":\"Not Found\"}", NOTIFY_REFUSED, 0, "project"},
    {"github", "7", "301 Moved\r\nLocation: /x\r\n\r\n{}", NOTIFY_REFUSED, 0, "moved"},
    {"github", 0, OK_JSON "no json", NOTIFY_LATER, 0, "list the issues"},
    {"github", 0, OK_JSON "{}", NOTIFY_LATER, 0, "no list"},
    {"gitlab", 0, "502 Bad\r\n\r\n", NOTIFY_LATER, 0, "502"},
    {"gitlab", 0, "429 Slow\r\nRetry-After: 3\r\n\r\n", NOTIFY_LATER, 3000, "429"},
    {"gitlab", 0, "410 Gone\r\n\r\n", NOTIFY_GONE, 0, "410"},
};

static void what_an_answer_means(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        AUTO_ARENA arena = {.limit = 64 << 20};
        struct test_alert t;
        struct test_receiver r;
        bool bot = strcmp(answers[i].to, "bot") == 0;
        const char *const sequence[] = {answers[i].answer, NULL};
        const char *key = bot                                       ? "xoxb-0123456789"
                          : strcmp(answers[i].to, "pagerduty") == 0 ? ROUTING
                          : answers[i].to[0] == 'g'                 ? "t0ken-0123456789"
                                                                    : NULL;
        const struct sending s = {
            .to = bot ? "slack" : answers[i].to,
            .key = key,
            .kept = answers[i].kept,
            .path = "/services/T0S3CRET/x",
            .answer = sequence,
            .config = {.channel = bot ? STR("C1") : STR(""), .project = STR("acme/net")}};
        test_alert_fill(&t, ALERT_NEW, 1);
        struct notify_answer got = send_to(&arena, &r, &s, &t.alert);
        if (got.result != answers[i].result || got.retry_ms != answers[i].retry_ms ||
            str_find(got.said, str_from(answers[i].said), 0) == SIZE_MAX ||
            str_find(got.said, STR("S3CRET"), 0) != SIZE_MAX || got.said.len > RECEIVER_SAID_MAX)
            fail_msg("%s: %s\n%d, %lld ms: %.*s", answers[i].to, answers[i].answer, got.result,
                     (long long)got.retry_ms, STR_ARG(got.said));
        assert_true(got.result == NOTIFY_TAKEN || got.said.len > 0);
    }
}

#define OTHERS_OPEN ALERT_STATUS_COUNT /* resolved, but others of the thread are not */

static struct notify_answer send_once(struct arena *arena, struct test_receiver *r, const char *to,
                                      const char *kept, enum alert_status status,
                                      const char *const *answer)
{
    struct test_alert t;
    const struct sending s = {
        .to = to,
        .key = to[0] == 's' ? "xoxb-0123456789" : "t0ken-0123456789",
        .kept = kept,
        .answer = answer,
        .config = {.channel = to[0] == 's' ? STR("C1") : STR(""), .project = STR("acme/net")}};
    test_alert_fill(&t, status == OTHERS_OPEN ? ALERT_RESOLVED : status, 1);
    t.alert.others_open = status == OTHERS_OPEN;
    return send_to(arena, r, &s, &t.alert);
}

#define MARKED "<!-- plumb:alert:thr_f1a9c0ffee -->\\r\\n"
#define TOLD "<!-- plumb:told:alrt_0001 -->"

static void an_issue_is_found_and_told_once(void **state)
{
    static const struct {
        const char *says, *kept;
        enum alert_status status;
        const char *answer[6], *line[6], *want_kept;
    } cases[] = {
        {"one that comes twice changes nothing",
         "12",
         ALERT_CHANGED,
         {OK_JSON ISSUE("number", "body", "open", MARKED TOLD)},
         {"GET /repos/acme/net/issues/12"},
         "12"},
        {"an issue that is away is looked for, then opened anew",
         "12",
         ALERT_CHANGED,
         {"410 Gone\r\n\r\n{}", OK_JSON "[]", MADE ISSUE("number", "body", "open", "")},
         {"GET /repos/acme/net/issues/12",
          "GET /repos/acme/net/issues?state=all&sort=created&direction=desc&per_page=100&page=1",
          "POST /repos/acme/net/issues"},
         "12"},
        {"what is resolved and was never opened needs none",
         NULL,
         ALERT_RESOLVED,
         {OK_JSON "[]"},
         {"GET /repos/acme/net/issues?state=all&sort=created&direction=desc&per_page=100&page=1"},
         NULL},
        {"a digest does not open again what people closed, and says nothing",
         "12",
         ALERT_RECURRING,
         {OK_JSON ISSUE("number", "body", "closed", MARKED), OK_JSON "{}"},
         {"GET /repos/acme/net/issues/12", "PATCH /repos/acme/net/issues/12"},
         "12"},
        {"what changed does",
         "12",
         ALERT_CHANGED,
         {OK_JSON ISSUE("number", "body", "closed", MARKED), OK_JSON "[]", MADE "{}", OK_JSON "{}"},
         {"GET /repos/acme/net/issues/12",
          "GET /repos/acme/net/issues/12/comments?per_page=100&page=1",
          "POST /repos/acme/net/issues/12/comments", "PATCH /repos/acme/net/issues/12"},
         "12"},
        {"of several findings that the issue is about some are there",
         "12",
         OTHERS_OPEN,
         {OK_JSON ISSUE("number", "body", "open", MARKED), OK_JSON "[]", MADE "{}"},
         {"GET /repos/acme/net/issues/12",
          "GET /repos/acme/net/issues/12/comments?per_page=100&page=1",
          "POST /repos/acme/net/issues/12/comments"},
         "12"},
        {"a comment that was made before the other side fell silent is not made twice",
         "12",
         ALERT_RESOLVED,
         {OK_JSON ISSUE("number", "body", "open", MARKED),
          OK_JSON "[{\"id\":5,\"body\":\"" TOLD "\"}]", OK_JSON "{}", OK_JSON "{}"},
         {"GET /repos/acme/net/issues/12",
          "GET /repos/acme/net/issues/12/comments?per_page=100&page=1",
          "PATCH /repos/acme/net/issues/comments/5", "PATCH /repos/acme/net/issues/12"},
         "12"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 64 << 20};
        struct test_receiver r;
        print_message("  %s\n", cases[i].says);
        struct notify_answer got =
            send_once(&arena, &r, "github", cases[i].kept, cases[i].status, cases[i].answer);
        size_t n = 0;
        for (; n < 6 && cases[i].line[n]; n++)
            assert_true(n < r.n && str_equal(test_line(&r, n), str_from(cases[i].line[n])));
        assert_int_equal(r.n, n);
        assert_int_equal(got.result, NOTIFY_TAKEN);
        assert_true(str_equal(got.kept, str_from(cases[i].want_kept)));
    }
}

static void a_bot_keeps_one_message(void **state)
{
    static const char *const lost[] = {OK_JSON "{\"ok\":false,\"error\":\"message_not_found\"}",
                                       OK_JSON "{\"ok\":true,\"channel\":\"C1\",\"ts\":\"9.9\"}",
                                       NULL};
    static const char *const half[] = {OK_JSON "{\"ok\":true,\"channel\":\"C1\",\"ts\":\"1.1\"}",
                                       "500 Oops\r\n\r\n", NULL};
    static const struct str update = STR_INIT("POST /chat.update");
    static const struct str post = STR_INIT("POST /chat.postMessage");
    (void)state;
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct test_receiver r;
    struct notify_answer got = send_once(&arena, &r, "slack", "C1 1.1", ALERT_CHANGED, lost);
    assert_true(got.result == NOTIFY_TAKEN && str_equal(got.kept, STR("C1 9.9")) && r.n == 2);
    assert_true(str_equal(test_line(&r, 0), update) && str_equal(test_line(&r, 1), post));
    got = send_once(&arena, &r, "slack", "C1 1.1", ALERT_OVERDUE, half);
    assert_true(got.result == NOTIFY_LATER && !got.kept.ptr && r.n == 2);
    got = send_once(&arena, &r, "slack", "garbage", ALERT_OVERDUE, bot_ok);
    assert_true(got.result == NOTIFY_TAKEN && r.n == 1 && str_equal(test_line(&r, 0), post));
}

static void one_replica_that_took_it_is_enough(void **state)
{
    static const char *const no[] = {"500 Oops\r\n\r\n", NULL};
    const struct config_notify config = {
        .to = STR("alertmanager"), .url = STR("env:X"), .allow_private = true};
    (void)state;
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct err err = {0};
    struct test_alert t;
    struct test_receiver bad, good;
    struct notify_answer got;
    test_receiver_open(&bad, no);
    test_receiver_open(&good, empty_ok);
    test_alert_fill(&t, ALERT_NEW, 1);
    const struct notify_target target = {
        .config = &config,
        .url =
            arena_printf(&arena, "http://127.0.0.1:1\nhttp://127.0.0.1:%d http://127.0.0.1:%d/\n",
                         bad.port, good.port),
        .timeout_ms = 120000,
        .now_utc_ms = TEST_NOW_S * INT64_C(1000)};
    assert_true(notifier_find(STR("alertmanager"))->send(&arena, &target, &t.alert, &got, &err));
    test_receiver_close(&bad, &arena);
    test_receiver_close(&good, &arena);
    assert_int_equal(got.result, NOTIFY_TAKEN);
    assert_true(bad.n == 1 && good.n == 1);
    assert_true(str_find(got.said, STR("status 500"), 0) != SIZE_MAX);
    assert_true(str_equal(test_line(&good, 0), STR("POST /api/v2/alerts")));
}

static size_t count_of(struct str text, struct str what)
{
    size_t n = 0;
    for (size_t at = 0; (at = str_find(text, what, at)) != SIZE_MAX; at += what.len)
        n++;
    return n;
}

/* More than one body holds goes in several; all of it is told. */
static void alertmanager_is_told_all_of_it(void **state)
{
    enum { FINDINGS = 500, CHANGES = 20, QUOTES = 480, MOST = 4 << 20 };
    static struct alert_finding finding[FINDINGS];
    static struct alert_change change[CHANGES];
    static char quotes[QUOTES];
    const struct sending s = {.to = "alertmanager", .answer = empty_ok};
    (void)state;
    AUTO_ARENA arena = {.limit = 256 << 20};
    struct test_alert t;
    struct test_receiver r;
    size_t told = 0, changes = 0;
    test_alert_fill(&t, ALERT_NEW, 1);
    memset(quotes, '"', QUOTES);
    for (size_t i = 0; i < CHANGES; i++)
        change[i] = (struct alert_change){STR("a"), {quotes, QUOTES}, {quotes, QUOTES}};
    for (size_t i = 0; i < FINDINGS; i++) {
        finding[i] = t.finding[0];
        finding[i].change = change;
        finding[i].nchanges = CHANGES;
        finding[i].more_changes = 0;
    }
    t.alert.finding = finding;
    t.alert.nfindings = FINDINGS;
    t.alert.more = 0;
    assert_int_equal(send_to(&arena, &r, &s, &t.alert).result, NOTIFY_TAKEN);
    for (size_t i = 0; i < r.n; i++) {
        assert_in_range(test_body(&r, i).len, 1, MOST);
        told += count_of(test_body(&r, i), STR("\"alertname\""));
        changes += count_of(test_body(&r, i), STR("more change"));
    }
    print_message("  %zu findings in %zu requests\n", told, r.n);
    assert_true(r.n > 1 && told == FINDINGS && !changes);
}

static void pagerduty_hears_who_is_at_it(void **state)
{
    const struct sending s = {
        .to = "pagerduty", .key = "0123456789abcdef0123456789ABCDEF", .answer = duty_ok};
    (void)state;
    AUTO_ARENA arena = {.limit = 16 << 20};
    struct test_alert t;
    struct test_receiver r;
    test_alert_fill(&t, ALERT_ACKNOWLEDGED, 1);
    assert_int_equal(send_to(&arena, &r, &s, &t.alert).result, NOTIFY_TAKEN);
    assert_true(
        str_equal(test_body(&r, 0), STR("{\"routing_key\":\"0123456789abcdef0123456789ABCDEF\","
                                        "\"event_action\":\"acknowledge\","
                                        "\"dedup_key\":\"thr_f1a9c0ffee\"}")));
    t.alert.status = ALERT_RESOLVED;
    t.alert.others_open = true; /* of what it is one page for */
    assert_int_equal(send_to(&arena, &r, &s, &t.alert).result, NOTIFY_TAKEN);
    assert_int_equal(r.n, 0);
}

/* --- the own network, silence, and size --- */

static void no_private_address_is_told_anything(void **state)
{
    static const char *const to[] = {"slack",   "teams",  "pagerduty", "alertmanager",
                                     "webhook", "github", "gitlab"};
    (void)state;
    for (size_t i = 0; i < sizeof to / sizeof *to; i++) {
        AUTO_ARENA arena = {.limit = 64 << 20};
        struct err err = {0};
        struct test_alert t;
        struct test_receiver r;
        struct notify_answer got;
        const struct config_notify config = {
            .to = str_from(to[i]), .url = STR("env:X"), .project = STR("a/b")};
        test_receiver_open(&r, empty_ok);
        test_alert_fill(&t, ALERT_NEW, 1);
        struct notify_target target = {
            .config = &config,
            .url = arena_printf(&arena, "https://localhost:%d/services/T0S3CRET", r.port),
            .key = STR("t0ken-0123456789"),
            .timeout_ms = 120000,
            .now_utc_ms = 1};
        const struct notifier *notifier = notifier_find(str_from(to[i]));
        assert_true(notifier->send(&arena, &target, &t.alert, &got, &err));
        assert_int_equal(got.result, NOTIFY_LATER);
        if (str_find(got.said, STR("allow_private"), 0) == SIZE_MAX)
            fail_msg("%s: %.*s", to[i], STR_ARG(got.said));
        if (to[i][0] != 'g') /* the API of a forge is no secret */
            assert_true(str_find(got.said, STR("S3CRET"), 0) == SIZE_MAX);
        target.url = arena_printf(&arena, "http://localhost:%d/services/T0S3CRET", r.port);
        assert_false(notifier->check(&config, &target, &err));
        assert_true(notifier->send(&arena, &target, &t.alert, &got, &err));
        assert_int_equal(got.result, NOTIFY_LATER);
        test_receiver_close(&r, &arena);
        assert_int_equal(r.n, 0);
    }
}

/* Ten findings with as little to say as there can be fit into its bytes, but not into 50 blocks. */
static void slack_takes_fifty_blocks(void **state)
{
    static const char *const kinds[] = {"\"type\":\"header\"", "\"type\":\"section\"",
                                        "\"type\":\"context\"", "\"type\":\"divider\""};
    (void)state;
    AUTO_ARENA arena = {.limit = 16 << 20};
    struct test_alert t;
    struct test_receiver r;
    struct alert_change change[] = {{STR("a"), STR("1"), STR("2")}};
    struct str todo[] = {STR("x")};
    const struct sending s = {.to = "slack", .answer = slack_ok};
    test_alert_fill(&t, ALERT_NEW, 10);
    t.alert.title = t.alert.text = STR("t");
    for (size_t i = 0; i < 10; i++)
        t.finding[i] = (struct alert_finding){.stack = STR("s"),
                                              .address = STR("x.a"),
                                              .actor = STR("eve"),
                                              .change = change,
                                              .nchanges = 1,
                                              .more_changes = 1,
                                              .todo = todo,
                                              .ntodo = 1};
    struct notify_answer got = send_to(&arena, &r, &s, &t.alert);
    assert_int_equal(got.result, NOTIFY_TAKEN);
    struct str body = test_body(&r, 0);
    size_t blocks = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        blocks += count_of(body, str_from(kinds[i]));
    print_message("  %zu blocks, %zu bytes\n", blocks, body.len);
    assert_in_range(blocks, 10, 50);
    assert_true(str_find(body, STR("more findings"), 0) != SIZE_MAX);
}

/* Values of a megabyte, hundreds of changes: within each receiver's limit, and still JSON. */
static void what_is_huge_is_cut(void **state)
{
    static const struct {
        const char *to;
        const char *const *answer;
        size_t most;
    } cases[] = {{"slack", slack_ok, 8000},
                 {"teams", teams_ok, 27000},
                 {"pagerduty", duty_ok, 512000},
                 {"webhook", empty_ok, 20000},
                 {"github", github_new, 140000}};
    (void)state;
    AUTO_ARENA texts = {.limit = 64 << 20};
    char *huge = arena_new(&texts, char, 1 << 20);
    struct alert_change *change = arena_new(&texts, struct alert_change, 500);
    memset(huge, '<', 1 << 20);
    for (size_t i = 0; i < 500; i++)
        change[i] = (struct alert_change){{huge, 1 << 20}, {huge, 1 << 20}, {huge, 1 << 20}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 256 << 20};
        struct test_alert t;
        struct test_receiver r;
        const struct sending s = {.to = cases[i].to,
                                  .key = strcmp(cases[i].to, "pagerduty") == 0 ? ROUTING
                                         : cases[i].to[0] == 'g'               ? "t0ken"
                                                                               : NULL,
                                  .answer = cases[i].answer,
                                  .config = {.project = STR("acme/net")}};
        test_alert_fill(&t, ALERT_NEW, 12);
        t.alert.title = t.alert.text = (struct str){huge, 1 << 20};
        for (size_t k = 0; k < 12; k++) {
            t.finding[k].change = change;
            t.finding[k].nchanges = 500;
            t.finding[k].reason = t.finding[k].actor = (struct str){huge, 1 << 20};
            t.finding[k].address = t.finding[k].owner = (struct str){huge, 60000};
            t.finding[k].file = t.finding[k].rule = (struct str){huge, 60000};
            t.finding[k].link = t.finding[k].file_url = (struct str){huge, 60000};
        }
        t.todo[0] = t.todo[1] = (struct str){huge, 60000};
        struct notify_answer got = send_to(&arena, &r, &s, &t.alert);
        if (got.result != NOTIFY_TAKEN)
            fail_msg("%s: %.*s", cases[i].to, STR_ARG(got.said));
        assert_true(r.n > 0);
        for (size_t k = 0; k < r.n; k++)
            if (test_body(&r, k).len > cases[i].most)
                fail_msg("%s: %zu bytes", cases[i].to, test_body(&r, k).len);
    }
}

static const struct str bad_labels[] = {STR_INIT("bad-name=x"), STR_INIT("severity=x"),
                                        STR_INIT("a,b")};

static void what_is_missing_is_named(void **state)
{
    static const struct {
        struct config_notify config;
        const char *url, *key, *password, *says;
    } cases[] = {
        {{.to = STR_INIT("slack")}, 0, 0, 0, "`url` is missing"},
        {{.to = STR_INIT("slack"), .key = STR_INIT("env:K")}, 0, 0, 0, "`channel` is missing"},
        {{.to = STR_INIT("slack"), .url = STR_INIT("env:K"), .channel = STR_INIT("C")},
         0,
         0,
         0,
         "`channel` needs `key`"},
        {{.to = STR_INIT("slack"), .key = STR_INIT("env:K"), .channel = STR_INIT("C")},
         0,
         "s3cret",
         0,
         "no token of Slack"},
        {{.to = STR_INIT("slack"), .url = STR_INIT("env:K")}, "ftp://s3cret/", 0, 0, "no address"},
        {{.to = STR_INIT("slack"), .url = STR_INIT("env:K")},
         "http://hooks.slack.com/s3cret",
         0,
         0,
         "not https"},
        {{.to = STR_INIT("slack"), .url = STR_INIT("env:K")},
         "https://h/s3cret https://h/",
         0,
         0,
         "blanks"},
        {{.to = STR_INIT("teams")}, 0, 0, 0, "`url` is missing"},
        {{.to = STR_INIT("teams"), .url = STR_INIT("env:K")},
         "https://acme.webhook.office.com/s3cret",
         0,
         0,
         "retired"},
        {{.to = STR_INIT("pagerduty")}, 0, 0, 0, "`key` is missing"},
        {{.to = STR_INIT("pagerduty"), .key = STR_INIT("env:K")}, 0, "s3cret", 0, "no routing key"},
        {{.to = STR_INIT("alertmanager")}, 0, 0, 0, "`url` is missing"},
        {{.to = STR_INIT("alertmanager"),
          .url = STR_INIT("env:K"),
          .labels = bad_labels + 0,
          .nlabels = 1},
         0,
         0,
         0,
         "'bad-name=x' is no label"},
        {{.to = STR_INIT("alertmanager"),
          .url = STR_INIT("env:K"),
          .labels = bad_labels + 1,
          .nlabels = 1},
         0,
         0,
         0,
         "already"},
        {{.to = STR_INIT("alertmanager"), .url = STR_INIT("env:K"), .user = STR_INIT("x")},
         0,
         0,
         0,
         "`password`"},
        {{.to = STR_INIT("webhook")}, 0, 0, 0, "`url` is missing"},
        {{.to = STR_INIT("webhook"), .url = STR_INIT("env:K"), .format = STR_INIT("xml")},
         0,
         0,
         0,
         "`format` is standard"},
        {{.to = STR_INIT("webhook"), .url = STR_INIT("env:K"), .key = STR_INIT("env:K")},
         "https://a/",
         "whsec_s3cret",
         0,
         "of what `key` refers to, key 1"},
        {{.to = STR_INIT("webhook"), .url = STR_INIT("env:K"), .password = STR_INIT("env:K")},
         "https://a/",
         0,
         "s3\ncret",
         "`password`"},
        {{.to = STR_INIT("github")}, 0, 0, 0, "`project` is missing"},
        {{.to = STR_INIT("github"), .project = STR_INIT("a/b")}, 0, 0, 0, "`key` is missing"},
        {{.to = STR_INIT("github"), .project = STR_INIT("ab"), .key = STR_INIT("env:K")},
         0,
         0,
         0,
         "owner/name"},
        {{.to = STR_INIT("gitlab"),
          .project = STR_INIT("12"),
          .key = STR_INIT("env:K"),
          .labels = bad_labels + 2,
          .nlabels = 1},
         0,
         0,
         0,
         "comma"},
        {{.to = STR_INIT("gitlab"), .project = STR_INIT("12"), .key = STR_INIT("env:K")},
         0,
         "s3\ncret",
         0,
         "token"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = {0};
        char text[1000];
        const struct notify_target target = {.config = &cases[i].config,
                                             .url = str_from(cases[i].url),
                                             .key = str_from(cases[i].key),
                                             .password = str_from(cases[i].password)};
        bool resolved = cases[i].url || cases[i].key || cases[i].password;
        const struct notifier *notifier = notifier_find(cases[i].config.to);
        if (resolved)
            assert_true(notifier->check(&cases[i].config, NULL, &err));
        assert_false(notifier->check(&cases[i].config, resolved ? &target : NULL, &err));
        (void)err_text(&err, text, sizeof text);
        if (!strstr(text, cases[i].says) || strstr(text, "s3cret") || err.kind != ERR_USAGE)
            fail_msg("%zu: %s", i, text);
        assert_true(str_starts(str_from(text), cases[i].config.to));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sent),
        cmocka_unit_test(what_an_answer_means),
        cmocka_unit_test(an_issue_is_found_and_told_once),
        cmocka_unit_test(a_bot_keeps_one_message),
        cmocka_unit_test(one_replica_that_took_it_is_enough),
        cmocka_unit_test(alertmanager_is_told_all_of_it),
        cmocka_unit_test(pagerduty_hears_who_is_at_it),
        cmocka_unit_test(no_private_address_is_told_anything),
        cmocka_unit_test(slack_takes_fifty_blocks),
        cmocka_unit_test(what_is_huge_is_cut),
        cmocka_unit_test(what_is_missing_is_named),
    };
    return cmocka_run_group_tests_name("respond/notify_http", tests, NULL, NULL);
}

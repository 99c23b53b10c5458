/* test_mailing.c - an alert as a mail, byte by byte (tests/data/mail); hostile text; addresses.
 * Judged by Python's parsers, as real servers keep it, in tests/live/mailing.py.
 * PLUMB_GOLDEN=write writes the files anew. */
#include "base/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "model/config.h"
#include "respond/mailing.h"
#include "respond/notify.h"

static const struct alert_change changes[] = {
    {STR_INIT("ingress[0].cidr"), STR_INIT("\"10.0.0.0/8\""), STR_INIT("\"0.0.0.0/0\"")},
    {STR_INIT("tags.owner"), STR_INIT("\"Müller & <Söhne>\""), STR_INIT("")},
    {STR_INIT("password"), STR_INIT("(sensitive)"), STR_INIT("(sensitive)")},
};
static const struct str todo[] = {
    STR_INIT("plumb adopt 'lab_net.web[\"a\"]' --stack net"),
    STR_INIT("plumb review fp-1 --accept --until 7d"),
};
static const struct alert_finding findings[] = {
    {.fingerprint = STR_INIT("0123456789abcdef"),
     .stack = STR_INIT("net"),
     .environment = STR_INIT("production"),
     .owner = STR_INIT("@net"),
     .address = STR_INIT("lab_net.web[\"a\"]"),
     .type = STR_INIT("lab_net"),
     .class_ = CLASS_CONTRADICTS_CODE,
     .severity = SEVERITY_CRITICAL,
     .file = STR_INIT("net/main.tf"),
     .line = 12,
     .file_url = STR_INIT("https://forge.example.org/net/main.tf?a=1&b=2#L12"),
     .change = changes,
     .nchanges = 3,
     .more_changes = 2,
     .reason = STR_INIT("open to the world"),
     .actor = STR_INIT("ann@example.org"),
     .actor_how = STR_INIT("console"),
     .session = STR_INIT("admin<b>\r\nBcc: all@example.org"),
     .client = STR_INIT("Mozilla/5.0"),
     .source_ip = STR_INIT("192.0.2.7"),
     .event = STR_INIT("3b1e2d4c"),
     .actor_utc_ms = 1795362900000,
     .decision = STR_INIT("block"),
     .rule = STR_INIT("net/public"),
     .rule_place = STR_INIT("policies/net.yaml:3"),
     .first_utc_ms = 1795362950000,
     .since_utc_ms = 1795362950000,
     .due_utc_ms = 1795449350000,
     .link = STR_INIT("https://plumb.example.org/findings/0123456789abcdef"),
     .todo = todo,
     .ntodo = 2},
    {.fingerprint = STR_INIT("fedcba9876543210"),
     .stack = STR_INIT("net"),
     .address = STR_INIT("lab_net.gone"),
     .class_ = CLASS_MISSING,
     .severity = SEVERITY_HIGH,
     .actor_how = STR_INIT("unknown, no audit source for this account"),
     .link = STR_INIT("javascript:alert(1)")},
};
static const struct alert many = {.id = STR_INIT("al-1"),
                                  .thread = STR_INIT("th-1"),
                                  .title = STR_INIT("net: 2 findings, größte: lab_net.web[\"a\"]"),
                                  .status = ALERT_NEW,
                                  .severity = SEVERITY_CRITICAL,
                                  .finding = findings,
                                  .nfindings = 2,
                                  .more = 3,
                                  .made_utc_ms = 1795362957123,
                                  .link = STR_INIT("https://plumb.example.org/findings")};
static const struct alert one = {.id = STR_INIT("al-2"),
                                 .thread = STR_INIT("th-1"),
                                 .title = STR_INIT("lab_net.gone"),
                                 .status = ALERT_RESOLVED,
                                 .severity = SEVERITY_HIGH,
                                 .finding = findings + 1,
                                 .nfindings = 1,
                                 .made_utc_ms = 1795363957000};
static const struct alert notice = {.id = STR_INIT("al-3"),
                                    .thread = STR_INIT("notice"),
                                    .title = STR_INIT("breakglass began"),
                                    .text = STR_INIT("by ann\nuntil 18:00 <UTC>"),
                                    .status = ALERT_NOTICE,
                                    .severity = SEVERITY_HIGH,
                                    .made_utc_ms = 1795363957000};

static struct str write_one(struct arena *arena, const struct alert *alert)
{
    static const struct mailbox to[] = {{STR_INIT("Netz-Größen"), STR_INIT("net@example.org")},
                                        {STR_INIT(""), STR_INIT("ops@example.org")}};
    struct mailing mailing = {.to = to, .nto = 2};
    struct err err = {0};
    struct str got;
    assert_true(mailbox_parse(STR("plumb <plumb@example.org>"), &mailing.from, &err));
    assert_true(mailing_write(arena, &mailing, alert, &got, &err));
    return got;
}

static void mails_are_as_they_were(void **state)
{
    static const struct {
        const char *name;
        const struct alert *alert;
    } rows[] = {{"many", &many}, {"resolved", &one}, {"notice", &notice}};
    const char *root = getenv("PLUMB_ROOT"), *mode = getenv("PLUMB_GOLDEN");
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO_ARENA arena = {.limit = 8 << 20};
        struct err err = {0};
        struct str want, got = write_one(&arena, rows[i].alert);
        const char *path =
            arena_printf(&arena, "%s/tests/data/mail/%s.eml", root ? root : ".", rows[i].name).ptr;
        print_message("  %s\n", path);
        if (mode)
            assert_true(io_write_file_atomic(path, got, 0644, &err));
        assert_true(io_read_file(&arena, path, 1 << 20, &want, &err));
        assert_string_equal(got.ptr, want.ptr);
        assert_true(str_equal(write_one(&arena, rows[i].alert), got));
    }
}

/* Each line is printable ASCII of at most 998 bytes, and headers are the same in number. */
static size_t count_headers(struct str mail)
{
    size_t n = 0, head = str_find(mail, STR("\r\n\r\n"), 0);
    for (size_t i = 0, from = 0; i < mail.len; i++) {
        char c = mail.ptr[i];
        assert_true((c >= ' ' && c <= '~') || c == '\r' || c == '\n');
        assert_true(c != '\n' || (i && mail.ptr[i - 1] == '\r'));
        assert_true(c != '\r' || (i + 1 < mail.len && mail.ptr[i + 1] == '\n'));
        if (c != '\n')
            continue;
        assert_true(i - from <= 600);
        n += from < head && mail.ptr[from] != ' ';
        from = i + 1;
    }
    return n;
}

static void hostile_text_stays_text(void **state)
{
    static const struct str evil =
        STR_INIT("x\r\nBcc: victim@example.org\r\n\r\n--=_plumb\r\n</pre><script>alert(1)</script>"
                 "<img src=\"https://evil.example/\">\xe2\x80\xae\x1b[31m\xff");
    AUTO_ARENA arena = {.limit = 8 << 20};
    struct alert_finding f = findings[0];
    struct alert_change change = {evil, evil, evil};
    struct alert alert = many;
    (void)state;
    f.fingerprint = f.stack = f.address = f.owner = f.file = f.actor = f.client = f.rule = evil;
    f.file_url = f.link = STR("https://x/\"><script>\r\nX: y");
    f.reason = f.actor_how = f.decision = evil;
    f.change = &change;
    f.nchanges = 1;
    alert.id = alert.thread = alert.title = alert.text = alert.link = evil;
    alert.finding = &f;
    alert.nfindings = 1;
    struct str got = write_one(&arena, &alert), usual = write_one(&arena, &many);
    assert_int_equal(count_headers(got), count_headers(usual) + 1); /* X-Plumb-Fingerprint */
    size_t html = str_find(got, STR("text/html"), 0);
    assert_int_equal(str_find(got, STR("<script"), html), SIZE_MAX);
    assert_int_equal(str_find(got, STR("<img"), html), SIZE_MAX);
    size_t n = 0;
    for (size_t at = 0; (at = str_find(got, STR("\n--=_plumb"), at)) != SIZE_MAX; at++)
        n++;
    assert_int_equal(n, 3);
}

static void addresses_have_names(void **state)
{
    static const struct {
        struct str text;
        const char *name, *address; /* NULL = refused */
    } rows[] = {
        {STR_INIT("a@b"), "", "a@b"},
        {STR_INIT(" a@b "), "", "a@b"},
        {STR_INIT("Ann Lee <a@b>"), "Ann Lee", "a@b"},
        {STR_INIT("\"Lee, Ann\" <a@b>"), "Lee, Ann", "a@b"},
        {STR_INIT("<a@b>"), "", "a@b"},
        {STR_INIT("Ann <a@b"), NULL, NULL},
        {STR_INIT("Ann\r\nBcc: x <a@b>"), NULL, NULL},
        {STR_INIT("a@b\r\nBcc: x@y"), NULL, NULL},
        {STR_INIT("nobody"), NULL, NULL},
        {STR_INIT("\xc3\xb6ps@b"), NULL, NULL},
        {STR_INIT("ops@gr\xc3\xb6n.org"), NULL, NULL},
        {STR_INIT("Gr\xc3\xb6n <ops@xn--grn-sna.org>"), "Gr\xc3\xb6n", "ops@xn--grn-sna.org"},
        {STR_INIT(""), NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err err = {0};
        struct mailbox box;
        bool ok = mailbox_parse(rows[i].text, &box, &err);
        assert_int_equal(ok, rows[i].name != NULL);
        if (!ok) {
            assert_int_equal(err.kind, ERR_USAGE);
            bool other = str_find(rows[i].text, STR("\xc3"), 0) != SIZE_MAX;
            assert_int_equal(strstr(err.frame[0], "ASCII") != NULL, other);
            continue;
        }
        assert_true(str_equal(box.name, str_from(rows[i].name)));
        assert_true(str_equal(box.address, str_from(rows[i].address)));
    }
}

static void what_it_needs_is_asked_for_at_once(void **state)
{
    static const struct str good[] = {STR_INIT("ops@example.org")}, bad[] = {STR_INIT("ops\n@x")};
    static const struct {
        struct str url, from, user, password, target;
        const struct str *recipients;
        size_t n;
        bool ok;
    } rows[] = {
        {STR_INIT("env:A"), STR_INIT("a@b"), {0}, {0}, STR_INIT("smtp://x"), good, 1, true},
        {STR_INIT("env:A"), STR_INIT("a@b"), STR_INIT("u"), STR_INIT("env:P"),
         STR_INIT("smtps://x"), good, 1, true},
        {{0}, STR_INIT("a@b"), {0}, {0}, STR_INIT("smtp://x"), good, 1, false},
        {STR_INIT("env:A"), {0}, {0}, {0}, STR_INIT("smtp://x"), good, 1, false},
        {STR_INIT("env:A"), STR_INIT("a@b"), {0}, {0}, STR_INIT("smtp://x"), good, 0, false},
        {STR_INIT("env:A"), STR_INIT("a@b"), {0}, {0}, STR_INIT("smtp://x"), bad, 1, false},
        {STR_INIT("env:A"), STR_INIT("a\r@b"), {0}, {0}, STR_INIT("smtp://x"), good, 1, false},
        {STR_INIT("env:A"),
         STR_INIT("a@b"),
         STR_INIT("u"),
         {0},
         STR_INIT("smtp://x"),
         good,
         1,
         false},
        {STR_INIT("env:A"), STR_INIT("a@b"), {0}, {0}, STR_INIT("https://x"), good, 1, false},
    };
    (void)state;
    const struct notifier *email = notifier_find(STR("email"));
    assert_non_null(email);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err err = {0};
        struct config_notify config = {.url = rows[i].url,
                                       .from = rows[i].from,
                                       .user = rows[i].user,
                                       .password = rows[i].password,
                                       .recipients = rows[i].recipients,
                                       .nrecipients = rows[i].n};
        struct notify_target target = {.config = &config, .url = rows[i].target};
        assert_int_equal(email->check(&config, &target, &err), rows[i].ok);
    }
}

static void a_server_that_is_not_there_is_tried_again(void **state)
{
    static const struct str to[] = {STR_INIT("ops@example.org")};
    AUTO_ARENA arena = {.limit = 8 << 20};
    struct err err = {0};
    struct config_notify config = {.url = STR("env:A"),
                                   .from = STR("a@b"),
                                   .user = STR("u"),
                                   .password = STR("env:P"),
                                   .recipients = to,
                                   .nrecipients = 1};
    struct notify_target target = {.config = &config,
                                   .url = STR("smtp://u2:s3cret@127.0.0.1:1"),
                                   .password = STR("s3cret"),
                                   .timeout_ms = 2000};
    struct notify_answer answer;
    (void)state;
    assert_true(notifier_find(STR("email"))->send(&arena, &target, &one, &answer, &err));
    assert_int_equal(answer.result, NOTIFY_LATER);
    assert_int_equal(str_find(answer.said, STR("s3cret"), 0), SIZE_MAX);
    assert_true(answer.said.len > 0);
    /* kept: whom this alert still goes to; nobody of them is a recipient any more */
    target.kept = STR("al-2 old@example.org");
    assert_true(notifier_find(STR("email"))->send(&arena, &target, &one, &answer, &err));
    assert_int_equal(answer.result, NOTIFY_TAKEN);
    target.kept = STR("al-1 old@example.org"); /* of another alert: counts for nothing */
    assert_true(notifier_find(STR("email"))->send(&arena, &target, &one, &answer, &err));
    assert_int_equal(answer.result, NOTIFY_LATER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mails_are_as_they_were),
        cmocka_unit_test(hostile_text_stays_text),
        cmocka_unit_test(addresses_have_names),
        cmocka_unit_test(what_it_needs_is_asked_for_at_once),
        cmocka_unit_test(a_server_that_is_not_there_is_tried_again),
    };
    return cmocka_run_group_tests_name("respond/mailing", tests, NULL, NULL);
}

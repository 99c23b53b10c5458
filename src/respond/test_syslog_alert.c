/* test_syslog_alert.c - an alert as syslog messages, as a socket of this test gets them. */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/config.h"
#include "respond/notify.h"

static const struct alert_change change = {STR_INIT("size"), STR_INIT("\"small\""),
                                           STR_INIT("\"large\n\"")};
static const struct str todo = STR_INIT("plumb finding show fp-1");
static const struct alert_finding findings[] = {
    {.fingerprint = STR_INIT("fp-1"),
     .stack = STR_INIT("net]\"x"),
     .address = STR_INIT("lab_net.web[\"a\"]"),
     .severity = SEVERITY_HIGH,
     .change = &change,
     .nchanges = 1,
     .file = STR_INIT("net/main.tf"),
     .line = 5,
     .actor = STR_INIT("ann"),
     .session = STR_INIT("admin\n\"]"),
     .client = STR_INIT("psql 15"),
     .source_ip = STR_INIT("192.0.2.7"),
     .event = STR_INIT("ev-1"),
     .actor_utc_ms = 1795362900000,
     .rule = STR_INIT("net/open"),
     .rule_place = STR_INIT("net.yaml:3"),
     .todo = &todo,
     .ntodo = 1},
    {.fingerprint = STR_INIT("fp-2"), .stack = STR_INIT("net"), .severity = SEVERITY_LOW},
};

static int listen_here(char *folder, struct sockaddr_un *at)
{
    *at = (struct sockaddr_un){.sun_family = AF_UNIX};
    assert_non_null(mkdtemp(folder));
    (void)snprintf(at->sun_path, sizeof at->sun_path, "%.60s/log", folder);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)(const void *)at, sizeof *at), 0);
    return fd;
}

static void each_finding_is_a_message(void **state)
{
    char folder[] = "/tmp/plumb-syslog-XXXXXX", url[128], got[4096];
    struct sockaddr_un at;
    AUTO_ARENA arena = {.limit = 4 << 20};
    struct err err = {0};
    struct config_notify config = {0};
    struct notify_answer answer;
    struct alert alert = {.id = STR("al-1"),
                          .thread = STR("th"),
                          .title = STR("net: 2 findings"),
                          .status = ALERT_NEW,
                          .severity = SEVERITY_HIGH,
                          .finding = findings,
                          .nfindings = 2,
                          .made_utc_ms = 1795362957123};
    (void)state;
    int fd = listen_here(folder, &at);
    (void)snprintf(url, sizeof url, "unix:%.100s", at.sun_path);
    struct notify_target target = {.config = &config, .url = str_from(url)};
    const struct notifier *syslog = notifier_find(STR("syslog"));
    assert_non_null(syslog);
    assert_true(syslog->check(&config, &target, &err));
    assert_true(syslog->send(&arena, &target, &alert, &answer, &err));
    assert_int_equal(answer.result, NOTIFY_TAKEN);
    ssize_t n = recv(fd, got, sizeof got - 1, 0);
    assert_true(n > 0);
    got[n] = '\0';
    assert_memory_equal(got, "<27>1 2026-11-22T15:55:57.123Z ", 31);
    assert_non_null(strstr(got, " new [plumb@32473 alert=\"al-1\" status=\"new\" severity=\"high\" "
                                "fingerprint=\"fp-1\" class=\"contradicts-code\" "
                                "stack=\"net\\]\\\"x\" address=\"lab_net.web[\\\"a\\\"\\]\" "
                                "file=\"net/main.tf\" line=\"5\" actor=\"ann\" "
                                "actor_at=\"2026-11-22T15:55:00Z\" "
                                "session=\"admin\\\\n\\\"\\]\" client=\"psql 15\" "
                                "source_ip=\"192.0.2.7\" event=\"ev-1\" rule=\"net/open\" "
                                "rule_place=\"net.yaml:3\" todo=\"plumb finding show fp-1\"] "
                                "\xef\xbb\xbfnet: 2 findings: size \"small\" -> "
                                "\"large\\n\""));
    n = recv(fd, got, sizeof got - 1, 0);
    assert_true(n > 0);
    got[n] = '\0';
    assert_memory_equal(got, "<29>1 ", 6);
    assert_non_null(strstr(got, "fingerprint=\"fp-2\""));
    /* what has no finding is one message; an end is no error */
    alert.nfindings = 0;
    alert.status = ALERT_RESOLVED;
    alert.text = STR("it is over");
    assert_true(syslog->send(&arena, &target, &alert, &answer, &err));
    n = recv(fd, got, sizeof got - 1, 0);
    assert_true(n > 0);
    got[n] = '\0';
    assert_memory_equal(got, "<30>1 ", 6);
    assert_non_null(strstr(got, "net: 2 findings: it is over"));
    close(fd);
    (void)unlink(at.sun_path);
    (void)rmdir(folder);
    assert_true(syslog->send(&arena, &target, &alert, &answer, &err));
    assert_int_equal(answer.result, NOTIFY_LATER);
    target.url = STR("tcp:host:0");
    assert_false(syslog->check(&config, &target, &err));
    assert_true(syslog->send(&arena, &target, &alert, &answer, &err));
    assert_int_equal(answer.result, NOTIFY_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_finding_is_a_message)};
    return cmocka_run_group_tests_name("respond/syslog", tests, NULL, NULL);
}

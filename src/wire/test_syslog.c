/* test_syslog.c - messages, places, and what arrives at sockets of this test. TLS and real servers:
 * tests/live/mailing.py. */
#include "base/test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <netinet/in.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "wire/syslog.h"

static void a_message_has_its_header_and_data(void **state)
{
    static const struct syslog_datum data[] = {
        {STR_INIT("stack"), STR_INIT("net")},
        {STR_INIT("none"), STR_INIT("")},
        {STR_INIT("address"), STR_INIT("a[\"b\"]\\")},
    };
    const struct syslog_header header = {.facility = SYSLOG_DAEMON,
                                         .severity = SYSLOG_ERR,
                                         .utc_ms = 1795362957123,
                                         .type = STR("new"),
                                         .data = data,
                                         .ndata = 3};
    AUTO_BUF out = {.limit = 1 << 16};
    char host[256] = "", want[1024];
    (void)state;
    (void)gethostname(host, sizeof host - 1);
    syslog_begin(&out, &header);
    buf_char(&out, '\0');
    (void)snprintf(want, sizeof want,
                   "<27>1 2026-11-22T15:55:57.123Z %s plumb %d new "
                   "[plumb@32473 stack=\"net\" address=\"a[\\\"b\\\"\\]\\\\\"] ",
                   host, (int)getpid());
    assert_string_equal(out.ptr, want);
}

static void places_are_read(void **state)
{
    static const struct {
        struct str at;
        bool ok;
    } rows[] = {
        {STR_INIT(""), true},
        {STR_INIT("unix:/run/log"), true},
        {STR_INIT("unix:///run/log"), true},
        {STR_INIT("unix:log"), false},
        {STR_INIT("logs.example.org"), true},
        {STR_INIT("logs.example.org:514"), true},
        {STR_INIT("udp:logs.example.org"), true},
        {STR_INIT("tcp://logs.example.org:601"), true},
        {STR_INIT("tls:[::1]:6514"), true},
        {STR_INIT("tls:[::1]"), true},
        {STR_INIT("tls:::1"), true},
        {STR_INIT("tls:[::1]x"), false},
        {STR_INIT("tcp:"), false},
        {STR_INIT("tcp:host:"), false},
        {STR_INIT("tcp:host:0"), false},
        {STR_INIT("tcp:host:65536"), false},
        {STR_INIT("tcp:host:1x"), false},
        {STR_INIT(":514"), false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err err = {0};
        print_message("  '%.*s'\n", STR_ARG(rows[i].at));
        assert_int_equal(syslog_place_ok(rows[i].at, &err), rows[i].ok);
    }
}

static int listen_at(int type, char *at, size_t room, const char *scheme)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;
    int fd = socket(AF_INET, type, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    assert_true(type == SOCK_DGRAM || listen(fd, 4) == 0);
    (void)snprintf(at, room, "%s127.0.0.1:%d", scheme, ntohs(in.sin_port));
    return fd;
}

static bool give(const char *at, const char *message, struct err *err)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    const struct syslog_place place = {.at = str_from(at), .timeout_ms = 120000};
    return syslog_send(&arena, &place, str_from(message), err);
}

static void datagrams_arrive(void **state)
{
    char at[64], got[64] = "", path[] = "/tmp/plumb-syslog-XXXXXX";
    struct err err = {0};
    struct sockaddr_un log = {.sun_family = AF_UNIX};
    (void)state;
    int udp = listen_at(SOCK_DGRAM, at, sizeof at, "");
    assert_true(give(at, "<13>1 x", &err));
    assert_int_equal(recv(udp, got, sizeof got, 0), 7);
    assert_memory_equal(got, "<13>1 x", 7);
    close(udp);
    assert_non_null(mkdtemp(path));
    (void)snprintf(log.sun_path, sizeof log.sun_path, "%s/log", path);
    (void)snprintf(at, sizeof at, "unix:%.40s", log.sun_path);
    assert_false(give(at, "x", &err));
    assert_int_equal(err.kind, ERR_UNAVAILABLE);
    int local = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(bind(local, (struct sockaddr *)&log, sizeof log), 0);
    assert_true(give(at, "<13>1 y", &err));
    assert_int_equal(recv(local, got, sizeof got, 0), 7);
    close(local);
    (void)unlink(log.sun_path);
    /* a log that takes streams, as syslog-ng may */
    local = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(local, (struct sockaddr *)&log, sizeof log), 0);
    assert_int_equal(listen(local, 1), 0);
    assert_true(give(at, "<13>1 z", &err));
    int peer = accept(local, NULL, NULL);
    assert_int_equal(recv(peer, got, sizeof got, MSG_WAITALL), 8);
    assert_string_equal(got, "<13>1 z");
    close(peer);
    close(local);
    (void)unlink(log.sun_path);
    (void)rmdir(path);
}

struct taking {
    int fd;
    bool reset; /* ends without reading: what was sent is lost */
    char got[64];
};

static void *take(void *arg)
{
    struct taking *t = arg;
    int peer = accept(t->fd, NULL, NULL);
    const struct linger at_once = {.l_onoff = 1};
    if (t->reset)
        (void)setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    else
        (void)recv(peer, t->got, sizeof t->got - 1, MSG_WAITALL);
    close(peer);
    return NULL;
}

static void streams_count_octets_and_notice_a_reset(void **state)
{
    (void)state;
    for (int reset = 0; reset < 2; reset++) {
        char at[64];
        struct err err = {0};
        pthread_t thread;
        struct taking taking = {.reset = reset};
        taking.fd = listen_at(SOCK_STREAM, at, sizeof at, "tcp:");
        assert_int_equal(pthread_create(&thread, NULL, take, &taking), 0);
        assert_int_equal(give(at, "<13>1 x", &err), !reset);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_string_equal(taking.got, reset ? "" : "7 <13>1 x");
        close(taking.fd);
        assert_false(give(at, "<13>1 x", &err)); /* nobody listens any more */
        assert_int_equal(err.kind, ERR_UNAVAILABLE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_message_has_its_header_and_data),
                                       cmocka_unit_test(places_are_read),
                                       cmocka_unit_test(datagrams_arrive),
                                       cmocka_unit_test(streams_count_octets_and_notice_a_reset)};
    return cmocka_run_group_tests_name("wire/syslog", tests, NULL, NULL);
}

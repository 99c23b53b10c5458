/* test_egress.c - which addresses are of the internet, and that no request goes elsewhere. */
#include "base/test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "wire/egress.h"
#include "wire/http.h"

static const char *refusal(const char *text)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    struct sockaddr_storage room = {0};
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
        memcpy(&room, &in, sizeof in);
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
        memcpy(&room, &in6, sizeof in6);
    }
    return egress_refusal((const struct sockaddr *)&room);
}

static void ranges_are_known(void **state)
{
    static const char *const refused[] = {"0.0.0.0",
                                          "0.1.2.3",
                                          "10.0.0.1",
                                          "10.255.255.255",
                                          "100.64.0.1",
                                          "100.127.255.1",
                                          "127.0.0.1",
                                          "127.8.9.1",
                                          "169.254.169.254",
                                          "172.16.0.1",
                                          "172.31.255.255",
                                          "192.0.0.8",
                                          "192.168.0.1",
                                          "198.19.255.255",
                                          "203.0.113.7",
                                          "224.0.0.1",
                                          "239.1.1.1",
                                          "240.0.0.1",
                                          "255.255.255.255",
                                          "::",
                                          "::1",
                                          "::ffff:10.0.0.1",
                                          "::ffff:127.0.0.1",
                                          "::127.0.0.1",
                                          "64:ff9b::a9fe:a9fe",
                                          "64:ff9b:1::1",
                                          "100::1",
                                          "2001::1",
                                          "2001:db8::1",
                                          "2002:a00:1::",
                                          "2002:7f00:1::1",
                                          "fc00::1",
                                          "fdff::1",
                                          "fe80::1",
                                          "febf::1",
                                          "fec0::1",
                                          "ff02::1"};
    static const char *const taken[] = {
        "1.1.1.1",         "9.255.255.255", "11.0.0.0",      "100.63.255.255", "100.128.0.0",
        "126.0.0.1",       "128.0.0.1",     "169.253.1.1",   "172.15.0.1",     "172.32.0.1",
        "192.167.0.1",     "198.17.0.1",    "223.255.255.1", "::ffff:8.8.8.8", "64:ff9b::808:808",
        "2002:808:808::1", "2600::1",       "2a00:1450::1",  "fbff::1"};
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (!refusal(refused[i]))
            fail_msg("%s is taken", refused[i]);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (refusal(taken[i]))
            fail_msg("%s is refused: %s", taken[i], refusal(taken[i]));
    const struct sockaddr_storage unix_socket = {.ss_family = AF_UNIX};
    assert_non_null(egress_refusal((const struct sockaddr *)&unix_socket));
}

enum { PATIENCE_MS = 300000 }; /* nothing here waits for a time to pass */

/* A server that would answer; only its port is of interest. */
static int listener(int *ret_port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&in, sizeof in) == 0 && listen(fd, 8) == 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    *ret_port = ntohs(in.sin_port);
    return fd;
}

static void no_request_goes_into_the_own_network(void **state)
{
    static const struct {
        const char *url, *says;
    } cases[] = {
        {"https://127.0.0.1:%d/secret", "127.0.0.1 is a loopback address"},
        {"https://localhost:%d/secret", "is "},
        {"https://2130706433:%d/secret", "127.0.0.1 is a loopback address"},
        {"https://0x7f.1:%d/secret", "127.0.0.1 is a loopback address"},
        {"https://a:b@127.0.0.1:%d/secret", "127.0.0.1 is a loopback address"},
        {"https://[::1]:%d/secret", "::1 is the loopback address"},
        {"https://[::ffff:127.0.0.1]:%d/secret", "loopback"},
        {"https://169.254.169.254/latest?%d", "169.254.169.254 is a link-local address"},
        {"http://127.0.0.1:%d/secret", ""},
        {"https://", "no host"},
    };
    (void)state;
    int port, fd = listener(&port);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct err err = {0};
        char url[200], text[1000];
        struct http_answer answer;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        (void)snprintf(url, sizeof url, cases[i].url, port);
#pragma GCC diagnostic pop
        const struct http_get get = {
            .url = url, .public_only = true, .path_secret = true, .total_ms = PATIENCE_MS};
        assert_false(http_fetch(&arena, &get, &answer, &err));
        if (!strstr(err_text(&err, text, sizeof text), cases[i].says) || strstr(text, "secret"))
            fail_msg("%s: %s", url, text);
        assert_true(accept(fd, NULL, NULL) < 0);
    }
    (void)close(fd);
}

struct proxy {
    int fd;
    ssize_t n;
    char text[1000];
};

/* Hears what it is asked for, and ends without an answer. */
static void *hear(void *ctx)
{
    struct proxy *proxy = ctx;
    int client = accept(proxy->fd, NULL, NULL);
    proxy->n = client < 0 ? -1 : recv(client, proxy->text, sizeof proxy->text - 1, 0);
    (void)close(client);
    return NULL;
}

/* A proxy of the environment may be private; what it would be asked for may not. */
static void a_proxy_may_be_private(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct http_answer answer;
    char url[64], text[1000];
    int port, fd = listener(&port);
    struct proxy proxy = {.fd = fd};
    pthread_t thread;
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
    assert_int_equal(setenv("https_proxy", url, 1), 0);
    struct http_get get = {
        .url = "https://10.0.0.1/x", .public_only = true, .total_ms = PATIENCE_MS};
    assert_false(http_fetch(&arena, &get, &answer, &err));
    assert_non_null(strstr(err_text(&err, text, sizeof text), "10.0.0.1 is a private address"));
    assert_true(accept(fd, NULL, NULL) < 0);
    get.url = "https://receiver.example/x";
    assert_int_equal(fcntl(fd, F_SETFL, 0), 0); /* it waits from here on */
    assert_int_equal(pthread_create(&thread, NULL, hear, &proxy), 0);
    assert_false(http_fetch(&arena, &get, &answer, &err));
    (void)shutdown(fd, SHUT_RDWR);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(proxy.n > 0);
    assert_int_equal(strncmp(proxy.text, "CONNECT receiver.example:443", 28), 0);
    (void)close(fd);
    assert_int_equal(unsetenv("https_proxy"), 0);
}

static void labels_tell_no_secret(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct str url = STR("https://me:word@host:8443/services/T0/B0?sig=x");
    assert_string_equal(http_label(&arena, url).ptr, "https://host:8443/services/T0/B0");
    assert_string_equal(http_label_host(&arena, url).ptr, "https://host:8443");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_known),
        cmocka_unit_test(no_request_goes_into_the_own_network),
        cmocka_unit_test(a_proxy_may_be_private),
        cmocka_unit_test(labels_tell_no_secret),
    };
    return cmocka_run_group_tests_name("wire/egress", tests, NULL, NULL);
}

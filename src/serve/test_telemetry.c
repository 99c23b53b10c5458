/* test_telemetry.c - spans and log records on their way to a collector that answers as it likes. */
#include "base/test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "serve/telemetry_parts.h"
#include "wire/json.h"

/* Answers each request with the next of its answers, the last one on and on. */
struct collector {
    int fd;
    char url[64];
    const char *const *answer;
    pthread_t thread;
    pthread_mutex_t lock; /* whoever holds it keeps the answer back */
    atomic_size_t asked;
    size_t n;
    char got[8][16 << 10];
};

static void *collect(void *ctx)
{
    struct collector *c = ctx;
    for (int fd; (fd = accept(c->fd, NULL, NULL)) >= 0; (void)close(fd)) {
        static const char more[] = "HTTP/1.1 100 Continue\r\n\r\n";
        char text[16 << 10];
        size_t n = 0, whole = SIZE_MAX;
        for (ssize_t got; n < whole && (got = recv(fd, text + n, sizeof text - 1 - n, 0)) > 0;) {
            n += (size_t)got;
            text[n] = '\0';
            const char *head = strstr(text, "\r\n\r\n"), *len = strstr(text, "Content-Length: ");
            if (head && len)
                whole = (size_t)(head + 4 - text) + strtoul(len + 16, NULL, 10);
            if (head && strstr(text, "100-continue"))
                (void)send(fd, more, sizeof more - 1, MSG_NOSIGNAL);
        }
        c->asked++;
        (void)pthread_mutex_lock(&c->lock);
        const char *answer = *c->answer;
        if (c->answer[1])
            c->answer++;
        if (c->n < 8)
            memcpy(c->got[c->n++], text, n + 1);
        (void)pthread_mutex_unlock(&c->lock);
        (void)send(fd, answer, strlen(answer), MSG_NOSIGNAL);
    }
    return NULL;
}

static void listen_for(struct collector *c, const char *const *answer)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    *c = (struct collector){.answer = answer};
    (void)pthread_mutex_init(&c->lock, NULL);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(c->fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(c->fd, 8), 0);
    assert_int_equal(getsockname(c->fd, (struct sockaddr *)&at, &len), 0);
    (void)snprintf(c->url, sizeof c->url, "http://127.0.0.1:%d/", ntohs(at.sin_port));
    assert_int_equal(pthread_create(&c->thread, NULL, collect, c), 0);
}

static void stop(struct collector *c)
{
    (void)shutdown(c->fd, SHUT_RDWR);
    assert_int_equal(pthread_join(c->thread, NULL), 0);
    (void)close(c->fd);
    (void)pthread_mutex_destroy(&c->lock);
}

#define ANSWER(head, body, length) \
    "HTTP/1.1 " head "Connection: close\r\nContent-Length: " length "\r\n\r\n" body
#define TAKEN ANSWER("200 OK\r\n", "{}", "2")

static struct telemetry *begin(const char *url)
{
    struct telemetry *t = NULL;
    struct err err = {0};
    const struct telemetry_settings settings = {.url = str_from(url),
                                                .headers = STR("x-key=a%20b,other=c")};
    assert_true(telemetry_open(&t, &err));
    assert_true(telemetry_check(&settings, &err));
    assert_true(telemetry_set(t, &settings, &err));
    return t;
}

static uint64_t count_of(struct telemetry *t, enum telemetry_signal signal,
                         enum telemetry_fate fate)
{
    uint64_t n[SIGNAL_COUNT][FATE_COUNT];
    telemetry_counts(t, n);
    return n[signal][fate];
}

static void wait_for(struct telemetry *t, enum telemetry_signal signal, enum telemetry_fate fate,
                     uint64_t n)
{
    for (int i = 0; i < 30000 && count_of(t, signal, fate) < n; i++)
        (void)usleep(10000);
    assert_int_equal(count_of(t, signal, fate), n);
}

static void one_span(struct telemetry *t)
{
    struct telemetry_span span;
    const struct log_field field[] = {LOG_TEXT("stack", STR("a\"b")), LOG_NUMBER("n", 1LL << 60)};
    telemetry_begin(t, NULL, STR("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), &span);
    telemetry_end(t, &span, "scan", SPAN_INTERNAL, field, 2, "it failed");
}

static const struct value *dig(const struct value *v, const char *path)
{
    struct str rest = str_from(path), key;
    while (v && rest.len) {
        (void)str_cut(&rest, '.', &key);
        v = str_equal(key, STR("0")) ? (v->len ? &v->items[0] : NULL) : value_get(v, key);
    }
    return v;
}

static void a_span_is_sent_as_others_read_it(void **state)
{
    static const char *const answers[] = {TAKEN, NULL};
    static struct collector c;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct value doc;
    (void)state;
    listen_for(&c, answers);
    struct telemetry *t = begin(c.url);
    one_span(t);
    wait_for(t, SIGNAL_SPANS, FATE_SENT, 1);
    telemetry_close(t);
    stop(&c);
    assert_non_null(strstr(c.got[0], "POST /v1/traces HTTP/1.1\r\n"));
    assert_non_null(strstr(c.got[0], "x-key: a b\r\n"));
    assert_non_null(strstr(c.got[0], "Content-Type: application/json\r\n"));
    assert_true(
        json_parse(&arena, str_from(strstr(c.got[0], "\r\n\r\n") + 4), "body", 0, &doc, NULL));
    const struct value *span = dig(&doc, "resourceSpans.0.scopeSpans.0.spans.0");
    assert_true(
        str_equal(value_get_string(span, STR("traceId")), STR("0af7651916cd43dd8448eb211c80319c")));
    assert_true(str_equal(value_get_string(span, STR("parentSpanId")), STR("b7ad6b7169203331")));
    assert_int_equal(value_get_string(span, STR("spanId")).len, 16);
    assert_true(str_equal(value_get_string(dig(span, "attributes.0.value"), STR("stringValue")),
                          STR("a\"b")));
    assert_non_null(strstr(c.got[0], "{\"intValue\":\"1152921504606846976\"}"));
    assert_non_null(strstr(c.got[0], "\"status\":{\"code\":2,\"message\":\"it failed\"}"));
}

/* The first cause is the parent, the others are links, each once; what is none is left out. */
static void a_span_knows_what_caused_it(void **state)
{
#define CAUSE_A "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
#define CAUSE_B "00-11111111111111111111111111111111-2222222222222222-01"
    static const char *const answers[] = {TAKEN, NULL};
    static struct collector c;
    AUTO_ARENA arena = {.limit = 1 << 20};
    AUTO_BUF many = {.limit = 1 << 16};
    struct telemetry_span span, none = {0};
    char text[TELEMETRY_PARENT];
    struct value doc;
    (void)state;
    listen_for(&c, answers);
    struct telemetry *t = begin(c.url);
    telemetry_begin(t, NULL, STR(""), &span);
    telemetry_caused(&span, STR("garbage " CAUSE_A " " CAUSE_B " 00-x"));
    telemetry_caused(&span, STR(CAUSE_B " " CAUSE_A));
    telemetry_caused(&span, STR(""));
    telemetry_end(t, &span, "send", SPAN_CLIENT, NULL, 0, NULL);
    struct str own = telemetry_traceparent(&span, text);
    wait_for(t, SIGNAL_SPANS, FATE_SENT, 1);
    for (int i = 0; i < 50; i++)
        buf_printf(&many, " 00-%032x-%016x-01", i + 1, i + 1);
    telemetry_caused(&span, buf_view(&many));
    assert_int_equal(span.nlinks, TELEMETRY_LINKS_MAX);
    telemetry_caused(&none, STR(CAUSE_A)); /* off: nothing is caused */
    assert_string_equal(none.trace, "");
    assert_int_equal(telemetry_traceparent(&none, text).len, 0);
    telemetry_close(t);
    stop(&c);
    assert_true(
        json_parse(&arena, str_from(strstr(c.got[0], "\r\n\r\n") + 4), "body", 0, &doc, NULL));
    const struct value *sent = dig(&doc, "resourceSpans.0.scopeSpans.0.spans.0");
    const struct value *links = value_get(sent, STR("links"));
    assert_true(
        str_equal(value_get_string(sent, STR("traceId")), STR("0af7651916cd43dd8448eb211c80319c")));
    assert_true(str_equal(value_get_string(sent, STR("parentSpanId")), STR("b7ad6b7169203331")));
    assert_int_equal(links->len, 1);
    assert_true(
        str_equal(value_get_string(&links->items[0], STR("spanId")), STR("2222222222222222")));
    assert_int_equal(own.len, 55);
    assert_int_equal(str_find(own, STR("00-0af7651916cd43dd8448eb211c80319c-"), 0), 0);
    assert_int_equal(str_find(own, value_get_string(sent, STR("spanId")), 0), 36);
}

static void what_is_busy_is_asked_again(void **state)
{
    static const char *const answers[] = {
        TAKEN, ANSWER("503 Service Unavailable\r\nRetry-After: 0\r\n", "", "0"),
        ANSWER("429 Too Many Requests\r\n", "", "0"),
        ANSWER("200 OK\r\n", "{\"partialSuccess\":{\"rejectedLogRecords\":\"1\"}}", "45"), NULL};
    static struct collector c;
    (void)state;
    listen_for(&c, answers);
    struct telemetry *t = begin(c.url);
    (void)pthread_mutex_lock(&c.lock);
    one_span(t);
    for (int i = 0; i < 30000 && !c.asked; i++)
        (void)usleep(10000);
    assert_true(c.asked > 0); /* while it waits for that answer both come, and go together */
    telemetry_log(t, LOG_WARN, "http", "first", NULL, 0);
    telemetry_log(t, LOG_INFO, "http", "second", (struct log_field[]){LOG_TEXT("trace", STR("ab"))},
                  1);
    (void)pthread_mutex_unlock(&c.lock);
    wait_for(t, SIGNAL_LOGS, FATE_SENT, 1);
    wait_for(t, SIGNAL_LOGS, FATE_REFUSED, 1);
    telemetry_close(t);
    stop(&c);
    assert_int_equal(c.n, 4);
    assert_non_null(strstr(c.got[3], "POST /v1/logs "));
    assert_non_null(strstr(c.got[3], "\"severityNumber\":13"));
    assert_non_null(strstr(c.got[3], "\"traceId\":\"ab\""));
}

static void what_is_refused_is_not_asked_again(void **state)
{
    static const char *const answers[] = {ANSWER("400 Bad Request\r\n", "", "0"), TAKEN, NULL};
    static struct collector c;
    (void)state;
    listen_for(&c, answers);
    struct telemetry *t = begin(c.url);
    one_span(t);
    wait_for(t, SIGNAL_SPANS, FATE_REFUSED, 1);
    one_span(t);
    telemetry_close(t); /* sends what waits */
    stop(&c);
    assert_int_equal(c.n, 2);
}

static void nobody_waits_for_a_collector(void **state)
{
    (void)state;
    struct telemetry *t = begin("http://127.0.0.1:1");
    int64_t began = clock_monotonic_ms();
    for (int i = 0; i < TELEMETRY_QUEUE_MAX * 2; i++)
        one_span(t);
    assert_true(count_of(t, SIGNAL_SPANS, FATE_FULL) > 0);
    telemetry_close(t);
    assert_true(clock_monotonic_ms() - began < 60000);
}

static void off_is_nothing(void **state)
{
    struct telemetry *t = NULL;
    struct telemetry_span span;
    struct err err = {0};
    (void)state;
    assert_true(telemetry_open(&t, &err));
    assert_false(telemetry_is_on(t));
    assert_false(telemetry_is_on(NULL));
    telemetry_begin(NULL, NULL, STR(""), &span);
    telemetry_begin(t, NULL, STR(""), &span);
    assert_string_equal(span.trace, "");
    telemetry_end(t, &span, "x", SPAN_CLIENT, NULL, 0, NULL);
    telemetry_log(t, LOG_INFO, "http", "x", NULL, 0);
    telemetry_close(t);
}

static void settings_are_checked(void **state)
{
    static const struct {
        struct telemetry_settings settings;
        bool good;
    } rows[] = {
        {{STR_INIT(""), STR_INIT("whatever")}, true},
        {{STR_INIT("http://x"), STR_INIT("")}, true},
        {{STR_INIT("https://x"), STR_INIT("a=b, c = d")}, true},
        {{STR_INIT("ftp://x"), STR_INIT("")}, false},
        {{STR_INIT("http://x"), STR_INIT("a")}, false},
        {{STR_INIT("http://x"), STR_INIT("=b")}, false},
        {{STR_INIT("http://x"), STR_INIT("a=b%0d%0aEvil: yes")}, false},
        {{STR_INIT("http://x"), STR_INIT("a=1,b=1,c=1,d=1,e=1,f=1,g=1")}, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(telemetry_check(&rows[i].settings, NULL), rows[i].good);
}

static void parents_are_taken_as_they_should_be(void **state)
{
    static const struct {
        struct str header;
        bool good;
    } rows[] = {
        {STR_INIT("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), true},
        {STR_INIT("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"), true},
        {STR_INIT("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-later"), true},
        {STR_INIT("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-later"), false},
        {STR_INIT("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), false},
        {STR_INIT("00-00000000000000000000000000000000-b7ad6b7169203331-01"), false},
        {STR_INIT("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"), false},
        {STR_INIT("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"), false},
        {STR_INIT("00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333-01"), false},
        {STR_INIT("00-0af7651916cd43dd8448eb211c80319c"), false},
        {STR_INIT(""), false},
        {STR_INIT("-"), false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct telemetry_span span = {0};
        assert_int_equal(otlp_traceparent(rows[i].header, &span), rows[i].good);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_span_is_sent_as_others_read_it),
        cmocka_unit_test(a_span_knows_what_caused_it),
        cmocka_unit_test(what_is_busy_is_asked_again),
        cmocka_unit_test(what_is_refused_is_not_asked_again),
        cmocka_unit_test(nobody_waits_for_a_collector),
        cmocka_unit_test(off_is_nothing),
        cmocka_unit_test(settings_are_checked),
        cmocka_unit_test(parents_are_taken_as_they_should_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

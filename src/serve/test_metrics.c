/* test_metrics.c - series, both text formats, and which of them a reader wants. */
#include "base/test.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "serve/metrics.h"

static void what_is_counted_is_written(void **state)
{
    struct metrics *m = metrics_open();
    AUTO_BUF text = {.limit = 1 << 20};
    (void)state;
    metrics_add(m, METRIC_HTTP_REQUESTS, LABELS(STR("GET"), STR("/v1/\"x\\\n"), STR("200")), 2);
    metrics_add(m, METRIC_HTTP_REQUESTS, LABELS(STR("GET"), STR("/v1/\"x\\\n"), STR("200")), 1);
    metrics_observe(m, METRIC_HTTP_SECONDS, LABELS(STR("/a")), 0.25);
    metrics_observe(m, METRIC_HTTP_SECONDS, LABELS(STR("/a")), 4000);
    metrics_set(m, METRIC_HTTP_ACTIVE, NULL, 0.1);
    metrics_write(m, false, &text);
    buf_char(&text, '\0');
    assert_non_null(strstr(text.ptr, "# TYPE plumb_http_requests_total counter\n"));
    assert_non_null(strstr(
        text.ptr,
        "plumb_http_requests_total{method=\"GET\",route=\"/v1/\\\"x\\\\\\n\",code=\"200\"} 3\n"));
    assert_non_null(strstr(
        text.ptr, "plumb_http_request_duration_seconds_bucket{route=\"/a\",le=\"0.1\"} 0\n"
                  "plumb_http_request_duration_seconds_bucket{route=\"/a\",le=\"0.25\"} 1\n"));
    assert_non_null(
        strstr(text.ptr, "plumb_http_request_duration_seconds_bucket{route=\"/a\",le=\"+Inf\"} 2\n"
                         "plumb_http_request_duration_seconds_sum{route=\"/a\"} 4000.25\n"
                         "plumb_http_request_duration_seconds_count{route=\"/a\"} 2\n"));
    assert_non_null(strstr(text.ptr, "plumb_http_requests_in_flight 0.1\n"));
    assert_null(strstr(text.ptr, "# EOF"));
    metrics_close(m);
}

static void openmetrics_has_its_own_names(void **state)
{
    struct metrics *m = metrics_open();
    AUTO_BUF text = {.limit = 1 << 20};
    (void)state;
    metrics_add(m, METRIC_HTTP_REQUESTS, LABELS(STR("GET"), STR("/"), STR("200")), 1);
    metrics_observe(m, METRIC_HTTP_SECONDS, LABELS(STR("/a")), 1);
    metrics_write(m, true, &text);
    buf_char(&text, '\0');
    assert_non_null(strstr(text.ptr, "# TYPE plumb_http_requests counter\n# HELP "));
    assert_non_null(strstr(text.ptr, "plumb_http_requests_total{"));
    assert_non_null(strstr(text.ptr, "# TYPE plumb_http_request_duration_seconds histogram\n"
                                     "# UNIT plumb_http_request_duration_seconds seconds\n"));
    assert_string_equal(text.ptr + strlen(text.ptr) - 6, "# EOF\n");
    metrics_close(m);
}

static void series_have_an_end(void **state)
{
    struct metrics *m = metrics_open();
    AUTO_BUF text = {.limit = 8 << 20};
    char name[20];
    (void)state;
    for (int i = 0; i < METRICS_SERIES_MAX + 7; i++) {
        (void)snprintf(name, sizeof name, "%d", i);
        metrics_add(m, METRIC_HTTP_REQUESTS, LABELS(STR("GET"), str_from(name), STR("200")), 1);
    }
    metrics_write(m, false, &text);
    buf_char(&text, '\0');
    assert_non_null(strstr(text.ptr, "plumb_metrics_dropped_total 7\n"));
    metrics_clear(m, METRIC_HTTP_ACTIVE);
    metrics_close(m);
}

static void nothing_is_fine(void **state)
{
    AUTO_BUF text = {.limit = 1 << 20};
    (void)state;
    metrics_add(NULL, METRIC_HTTP_ACTIVE, NULL, 1);
    metrics_set(NULL, METRIC_HTTP_ACTIVE, NULL, 1);
    metrics_clear(NULL, METRIC_HTTP_ACTIVE);
    metrics_write(NULL, true, &text);
    metrics_close(NULL);
    assert_int_equal(text.len, 0);
}

static void *count(void *ctx)
{
    for (int i = 0; i < 10000; i++) {
        metrics_add(ctx, METRIC_HTTP_REQUESTS, LABELS(STR("GET"), STR("/"), STR("200")), 1);
        metrics_observe(ctx, METRIC_HTTP_SECONDS, LABELS(STR("/")), i);
    }
    return NULL;
}

static void threads_count_together(void **state)
{
    struct metrics *m = metrics_open();
    AUTO_BUF text = {.limit = 1 << 20};
    pthread_t thread[4];
    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, count, m), 0);
    metrics_write(m, true, &text);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    text.len = 0;
    metrics_write(m, false, &text);
    buf_char(&text, '\0');
    assert_non_null(strstr(text.ptr, "code=\"200\"} 40000\n"));
    assert_non_null(strstr(text.ptr, "_count{route=\"/\"} 40000\n"));
    metrics_close(m);
}

static void accept_decides(void **state)
{
    static const struct {
        struct str accept;
        bool openmetrics;
    } rows[] = {
        {STR_INIT(""), false},
        {STR_INIT("*/*"), false},
        {STR_INIT("text/plain;version=0.0.4"), false},
        {STR_INIT("application/openmetrics-text"), true},
        {STR_INIT("application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
                  "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"),
         true},
        {STR_INIT("application/openmetrics-text; version=1.0.0; q=0.3, text/plain;q=0.9"), false},
        {STR_INIT("application/openmetrics-text;version=0.0.1"), false},
        {STR_INIT("application/openmetrics-text;q=0, */*"), false},
        {STR_INIT("text/html, application/openmetrics-text;q=0.001"), true},
        {STR_INIT("application/openmetrics-text;q="), true},
        {STR_INIT(";;,,q=1;"), false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(metrics_wants_openmetrics(rows[i].accept), rows[i].openmetrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_counted_is_written),
        cmocka_unit_test(openmetrics_has_its_own_names),
        cmocka_unit_test(series_have_an_end),
        cmocka_unit_test(nothing_is_fine),
        cmocka_unit_test(threads_count_together),
        cmocka_unit_test(accept_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* notify.c - one alert to one receiver: notify TO STATUS FINDINGS [KEY=VALUE...]
 *
 * What tests/live/notifying.py tells real receivers with: the alert is that of
 * respond/test_alert.h, made at the time that made=MS names. Keys are those of a `notify` entry,
 * with what their references would hold; kept, now and timeout (ms), made (ms); public=1 refuses
 * private addresses. Prints the answer as JSON; exit 1 where the notifier's check refuses.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "model/config.h"
#include "respond/test_alert.h"
#include "wire/json.h"

enum { LABELS_MAX = 8 };

struct asked {
    struct config_notify config;
    struct notify_target target;
    struct str labels[LABELS_MAX];
    int64_t made_ms;
};

static void set(struct asked *a, struct str word)
{
    struct str value = word, key;
    int64_t number = 0;
    (void)str_cut(&value, '=', &key);
    (void)str_to_int64(value, &number);
    const struct {
        const char *key;
        struct str *text, *reference;
    } texts[] = {{"url", &a->target.url, &a->config.url},
                 {"key", &a->target.key, &a->config.key},
                 {"password", &a->target.password, &a->config.password},
                 {"kept", &a->target.kept, NULL},
                 {"user", &a->config.user, NULL},
                 {"channel", &a->config.channel, NULL},
                 {"format", &a->config.format, NULL},
                 {"project", &a->config.project, NULL}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (!str_equal(key, str_from(texts[i].key)))
            continue;
        *texts[i].text = value;
        if (texts[i].reference)
            *texts[i].reference = STR("env:X");
    }
    if (str_equal(key, STR("public")))
        a->config.allow_private = false;
    if (str_equal(key, STR("now")))
        a->target.now_utc_ms = number;
    if (str_equal(key, STR("made")))
        a->made_ms = number;
    if (str_equal(key, STR("timeout")))
        a->target.timeout_ms = (int)number;
    if (str_equal(key, STR("label")) && a->config.nlabels < LABELS_MAX)
        a->labels[a->config.nlabels++] = value;
}

static enum alert_status status_from(const char *name)
{
    for (unsigned i = 0; i < ALERT_STATUS_COUNT; i++)
        if (strcmp(name, alert_status_name(i)) == 0)
            return i;
    return ALERT_TEST;
}

static void print(const struct notify_answer *answer)
{
    static const char *const results[] = {[NOTIFY_TAKEN] = "taken",
                                          [NOTIFY_LATER] = "later",
                                          [NOTIFY_REFUSED] = "refused",
                                          [NOTIFY_GONE] = "gone"};
    AUTO_BUF out = {.limit = 1 << 20};
    struct jsonw w = {.out = &out};
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("result"), str_from(results[answer->result]));
    jsonw_member_int(&w, STR("retry_ms"), answer->retry_ms);
    jsonw_member_string(&w, STR("said"), answer->said);
    jsonw_member_string(&w, STR("kept"), answer->kept);
    jsonw_object_close(&w);
    (void)printf("%.*s\n", STR_ARG(buf_view(&out)));
}

int main(int argc, char **argv)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct err err = {0};
    char text[ERR_TEXT_MAX * 2];
    struct test_alert t;
    struct notify_answer answer;
    struct asked a = {
        .config = {.allow_private = true},
        .target = {.now_utc_ms = clock_wall_ms(), .timeout_ms = 10000, .out = stdout}};
    const struct notifier *notifier = argc > 3 ? notifier_find(str_from(argv[1])) : NULL;
    if (!notifier) {
        (void)fprintf(stderr, "usage: notify TO STATUS FINDINGS [KEY=VALUE...]\n");
        return 2;
    }
    a.config.to = str_from(argv[1]);
    a.config.labels = a.labels;
    a.target.config = &a.config;
    for (int i = 4; i < argc; i++)
        set(&a, str_from(argv[i]));
    test_alert_fill(&t, status_from(argv[2]), (size_t)strtoul(argv[3], NULL, 10));
    if (a.made_ms) {
        t.alert.made_utc_ms = a.made_ms;
        for (size_t i = 0; i < t.alert.nfindings; i++)
            t.finding[i].first_utc_ms = t.finding[i].since_utc_ms = a.made_ms;
    }
    if (!notifier->check(&a.config, NULL, &err) || !notifier->check(&a.config, &a.target, &err) ||
        !notifier->send(&arena, &a.target, &t.alert, &answer, &err)) {
        (void)fprintf(stderr, "%s\n", err_text(&err, text, sizeof text));
        return 1;
    }
    print(&answer);
    return 0;
}

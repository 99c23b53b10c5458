/* metrics.c - families, their series, and the two text formats. */
#include "serve/metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

/* Upper edges of all histograms, which are of seconds: from a look-up to a long scan. */
#define EDGES(X) \
    X(0.001) \
    X(0.005) \
    X(0.025) \
    X(0.1) \
    X(0.25) \
    X(0.5) \
    X(1.0) \
    X(2.5) \
    X(5.0) \
    X(10.0) \
    X(30.0) \
    X(60.0) \
    X(300.0) \
    X(1800.0)
#define X(edge) edge,
static const double edges[] = {EDGES(X)};
#undef X
#define X(edge) #edge,
static const char *const edge_names[] = {EDGES(X)};
#undef X
enum { EDGE_COUNT = sizeof edges / sizeof *edges, TABLE = 1024, LABEL_BYTES_MAX = 256 };

struct family {
    const char *name, *unit, *labels, *help;
    enum metric_kind kind;
};
#define X(constant, name, kind, unit, labels, help) {name, unit, labels, help, kind},
static const struct family families[] = {METRICS(X)};
#undef X
static_assert(sizeof families / sizeof *families == METRIC_COUNT, "one row a family");

struct series {
    struct series *next; /* in its slot of the table */
    enum metric metric;
    double value;               /* of a histogram: the sum */
    uint64_t n, at[EDGE_COUNT]; /* of a histogram: values in all, and up to each edge alone */
    size_t len;                 /* of the text that the label values make */
    char text[];                /* a="b",c="d" */
};
struct metrics {
    pthread_mutex_t collecting; /* taken before `lock` */
    bool collected;
    int64_t collected_ms; /* monotonic */
    pthread_mutex_t lock;
    struct series *slot[TABLE];
    size_t count[METRIC_COUNT];
};

struct metrics *metrics_open(void)
{
    struct metrics *metrics = calloc(1, sizeof *metrics);
    if (!metrics)
        return NULL;
    (void)pthread_mutex_init(&metrics->lock, NULL);
    (void)pthread_mutex_init(&metrics->collecting, NULL);
    metrics_set(metrics, METRIC_BUILD, LABELS(STR(PLUMB_VERSION)), 1);
    metrics_add(metrics, METRIC_DROPPED, NULL, 0);
    return metrics;
}

void metrics_close(struct metrics *metrics)
{
    if (!metrics)
        return;
    for (size_t i = 0; i < TABLE; i++)
        for (struct series *s; (s = metrics->slot[i]);) {
            metrics->slot[i] = s->next;
            free(s);
        }
    (void)pthread_mutex_destroy(&metrics->collecting);
    (void)pthread_mutex_destroy(&metrics->lock);
    free(metrics);
}

/* --- series --- */

static void add_escaped(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.len && i < LABEL_BYTES_MAX; i++) {
        if (s.ptr[i] == '\n')
            buf_str(out, STR("\\n"));
        else if (s.ptr[i] == '\\' || s.ptr[i] == '"')
            buf_printf(out, "\\%c", s.ptr[i]);
        else
            buf_char(out, s.ptr[i]);
    }
}

/* A text of at most that many bytes that does not end within a character. */
static struct str whole_characters(struct str s)
{
    if (s.len <= LABEL_BYTES_MAX)
        return s;
    s.len = LABEL_BYTES_MAX;
    while (s.len > 0 && ((unsigned char)s.ptr[s.len] & 0xc0) == 0x80)
        s.len--;
    return s;
}

static void add_labels(struct buf *out, const struct family *family, const struct str *label)
{
    struct str rest = str_from(family->labels), name = {0};
    for (size_t i = 0; rest.len > 0; i++) {
        (void)str_cut(&rest, ',', &name);
        buf_printf(out, "%s%.*s=\"", i ? "," : "", STR_ARG(name));
        add_escaped(out, whole_characters(label[i]));
        buf_char(out, '"');
    }
}

static size_t slot_of(enum metric metric, struct str text)
{
    uint64_t hash = 1469598103934665603u ^ (uint64_t)metric;
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.ptr[i]) * 1099511628211u;
    return (size_t)(hash >> 20) % TABLE;
}

static struct series *make(struct metrics *metrics, enum metric metric, struct str text)
{
    struct series **slot = &metrics->slot[slot_of(metric, text)];
    struct series *s =
        metrics->count[metric] < METRICS_SERIES_MAX ? calloc(1, sizeof *s + text.len) : NULL;
    if (!s)
        return NULL;
    s->metric = metric;
    s->len = text.len;
    if (text.len)
        memcpy(s->text, text.ptr, text.len);
    s->next = *slot;
    *slot = s;
    metrics->count[metric]++;
    return s;
}

/* Under the lock; NULL where there is no room. */
static struct series *find(struct metrics *metrics, enum metric metric, struct str text)
{
    for (struct series *s = metrics->slot[slot_of(metric, text)]; s; s = s->next)
        if (s->metric == metric && str_equal((struct str){s->text, s->len}, text))
            return s;
    return make(metrics, metric, text);
}

enum change { CHANGE_ADD, CHANGE_SET, CHANGE_OBSERVE };

static void change(struct metrics *metrics, enum metric metric, const struct str *label, double n,
                   enum change how)
{
    AUTO_BUF text = {.limit = 16 << 10};
    size_t edge = 0;
    if (!metrics)
        return;
    add_labels(&text, &families[metric], label);
    while (edge < EDGE_COUNT && n > edges[edge])
        edge++;
    (void)pthread_mutex_lock(&metrics->lock);
    struct series *s = text.failed ? NULL : find(metrics, metric, buf_view(&text));
    if (!s) {
        s = find(metrics, METRIC_DROPPED, STR(""));
        how = CHANGE_ADD;
        n = 1;
    }
    if (s && how == CHANGE_OBSERVE) {
        s->n++;
        s->at[edge < EDGE_COUNT ? edge : 0] += edge < EDGE_COUNT;
    }
    if (s)
        s->value = how == CHANGE_SET ? n : s->value + n;
    (void)pthread_mutex_unlock(&metrics->lock);
}

void metrics_add(struct metrics *metrics, enum metric metric, const struct str *label, double n)
{
    assert(families[metric].kind != METRIC_HISTOGRAM);
    change(metrics, metric, label, n, CHANGE_ADD);
}

void metrics_set(struct metrics *metrics, enum metric metric, const struct str *label, double n)
{
    assert(families[metric].kind != METRIC_HISTOGRAM);
    change(metrics, metric, label, n, CHANGE_SET);
}

void metrics_observe(struct metrics *metrics, enum metric metric, const struct str *label, double n)
{
    assert(families[metric].kind == METRIC_HISTOGRAM);
    change(metrics, metric, label, n, CHANGE_OBSERVE);
}

void metrics_clear(struct metrics *metrics, enum metric metric)
{
    if (!metrics)
        return;
    (void)pthread_mutex_lock(&metrics->lock);
    for (size_t i = 0; i < TABLE; i++)
        for (struct series **at = &metrics->slot[i]; *at;) {
            struct series *s = *at;
            if (s->metric != metric) {
                at = &s->next;
                continue;
            }
            *at = s->next;
            free(s);
        }
    metrics->count[metric] = 0;
    (void)pthread_mutex_unlock(&metrics->lock);
}

/* --- text --- */

static void add_number(struct buf *out, double n)
{
    char text[40];
    if (n >= -9e15 && n <= 9e15 && (double)(int64_t)n == n) {
        buf_printf(out, "%" PRId64 "\n", (int64_t)n);
        return;
    }
    (void)snprintf(text, sizeof text, "%.15g", n);
    if (strtod(text, NULL) != n)
        (void)snprintf(text, sizeof text, "%.17g", n);
    buf_printf(out, "%s\n", n != n ? "NaN" : n > 1.7e308 ? "+Inf" : n < -1.7e308 ? "-Inf" : text);
}

/* name_end{labels,more} */
static void add_sample(struct buf *out, const struct series *s, const char *end, const char *le,
                       double n)
{
    buf_printf(out, "%s%s", families[s->metric].name, end);
    if (s->len || le) {
        buf_printf(out, "{%.*s", (int)s->len, s->text);
        if (le)
            buf_printf(out, "%sle=\"%s\"", s->len ? "," : "", le);
        buf_char(out, '}');
    }
    buf_char(out, ' ');
    add_number(out, n);
}

static void add_series(struct buf *out, const struct series *s)
{
    uint64_t n = 0;
    if (families[s->metric].kind != METRIC_HISTOGRAM) {
        add_sample(out, s, families[s->metric].kind == METRIC_COUNTER ? "_total" : "", NULL,
                   s->value);
        return;
    }
    for (size_t i = 0; i < EDGE_COUNT; i++) {
        n += s->at[i];
        add_sample(out, s, "_bucket", edge_names[i], (double)n);
    }
    add_sample(out, s, "_bucket", "+Inf", (double)s->n);
    add_sample(out, s, "_sum", NULL, s->value);
    add_sample(out, s, "_count", NULL, (double)s->n);
}

static void add_head(struct buf *out, const struct family *family, bool openmetrics)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    const char *end = family->kind == METRIC_COUNTER && !openmetrics ? "_total" : "";
    buf_printf(out, "# TYPE %s%s %s\n", family->name, end, kinds[family->kind]);
    if (openmetrics && *family->unit)
        buf_printf(out, "# UNIT %s %s\n", family->name, family->unit);
    buf_printf(out, "# HELP %s%s %s\n", family->name, end, family->help);
}

static int by_family(const void *a, const void *b)
{
    const struct series *const *x = a, *const *y = b;
    if ((*x)->metric != (*y)->metric)
        return (*x)->metric < (*y)->metric ? -1 : 1;
    return str_compare((struct str){(*x)->text, (*x)->len}, (struct str){(*y)->text, (*y)->len});
}

static struct series **sorted(struct metrics *metrics, size_t *ret_n)
{
    size_t n = 0;
    for (size_t i = 0; i < METRIC_COUNT; i++)
        n += metrics->count[i];
    struct series **all = calloc(n ? n : 1, sizeof(struct series *));
    *ret_n = 0;
    for (size_t i = 0; all && i < TABLE; i++)
        for (struct series *s = metrics->slot[i]; s; s = s->next)
            all[(*ret_n)++] = s;
    if (all)
        qsort(all, *ret_n, sizeof(struct series *), by_family);
    return all;
}

void metrics_write(struct metrics *metrics, bool openmetrics, struct buf *out)
{
    size_t n = 0;
    if (!metrics)
        return;
    (void)pthread_mutex_lock(&metrics->lock);
    struct series **all = sorted(metrics, &n);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || all[i]->metric != all[i - 1]->metric)
            add_head(out, &families[all[i]->metric], openmetrics);
        add_series(out, all[i]);
    }
    (void)pthread_mutex_unlock(&metrics->lock);
    out->failed |= !all;
    free(all);
    if (openmetrics)
        buf_str(out, STR("# EOF\n"));
}

void metrics_scrape(struct metrics *metrics, bool openmetrics, int fresh_ms,
                    void (*collect)(void *ctx), void *ctx, struct buf *out)
{
    if (!metrics)
        return;
    (void)pthread_mutex_lock(&metrics->collecting);
    if (!metrics->collected || clock_monotonic_ms() - metrics->collected_ms >= fresh_ms) {
        collect(ctx);
        metrics->collected = true;
        metrics->collected_ms = clock_monotonic_ms();
    }
    metrics_write(metrics, openmetrics, out);
    (void)pthread_mutex_unlock(&metrics->collecting);
}

const char *metrics_media_type(bool openmetrics)
{
    return openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                       : "text/plain; version=0.0.4; charset=utf-8";
}

/* In thousandths; 0 for a range that is refused, or another version than ours. */
static int weight_of(struct str parameters)
{
    int weight = 1000;
    for (struct str one; parameters.len > 0;) {
        (void)str_cut(&parameters, ';', &one);
        one = str_trim(one);
        struct str rest = str_sub(one, 2, one.len);
        if (str_starts(one, STR("version=")) && !str_equal(one, STR("version=1.0.0")))
            return 0;
        if (!str_starts(one, STR("q=")) || rest.len == 0)
            continue;
        weight = (rest.ptr[0] - '0') * 1000;
        for (size_t i = 2, unit = 100; i < rest.len && i < 5; i++, unit /= 10)
            weight += (rest.ptr[i] - '0') * (int)unit;
    }
    return weight;
}

bool metrics_wants_openmetrics(struct str accept)
{
    int openmetrics = 0, text = 0;
    for (struct str one, type; accept.len > 0;) {
        (void)str_cut(&accept, ',', &one);
        (void)str_cut(&one, ';', &type);
        type = str_trim(type);
        if (str_equal(type, STR("application/openmetrics-text"))) {
            int weight = weight_of(one);
            openmetrics = weight > openmetrics ? weight : openmetrics;
        } else if (str_equal(type, STR("text/plain"))) {
            int weight = str_find(one, STR("version=0.0.4"), 0) == SIZE_MAX ? weight_of(one) : 1;
            text = weight > text ? weight : text;
        }
    }
    return openmetrics > 0 && openmetrics >= text;
}

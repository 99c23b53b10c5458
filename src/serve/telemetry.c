/* telemetry.c - the queue of spans and log records, and the thread that sends them. */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "serve/telemetry_parts.h"
#include "wire/http.h"

enum {
    BATCH_MAX = 512,
    EVERY_MS = 1000,    /* a record waits no longer */
    TOTAL_MS = 10000,   /* for one request */
    GIVE_UP_MS = 60000, /* for one batch, with its tries */
    CLOSING_MS = 3000,
    RETRY_FIRST_MS = 500,
    RETRY_LAST_MS = 15000,
    RECORD_BYTES_MAX = 64 << 10,
    BATCH_BYTES_MAX = 64 << 20,
    ANSWER_BYTES_MAX = 64 << 10,
    HEADER_BYTES_MAX = 8 << 10,
};

struct waiting {
    struct waiting *next;
    enum telemetry_signal signal;
    size_t len;
    char text[];
};
struct telemetry {
    pthread_mutex_t lock; /* what follows */
    pthread_cond_t work;
    struct waiting *first, *last;
    size_t n;
    bool closing, started;
    struct arena arena; /* of what follows; made anew at each change */
    struct str url, headers;
    uint64_t count[SIGNAL_COUNT][FATE_COUNT];
    atomic_bool on;
    pthread_t thread;
};

/* --- settings --- */

static bool good_header(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < ' ' || s.ptr[i] > '~')
            return false;
    return s.len > 0;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* "a=b%20c,d=e" -> "a: b c", "d: e"; false: it is no such list. */
static bool split_headers(struct arena *arena, struct str text, const char **ret, size_t *ret_n)
{
    for (struct str one, key; text.len > 0;) {
        AUTO_BUF line = {.limit = HEADER_BYTES_MAX};
        (void)str_cut(&text, ',', &one);
        if (!str_cut(&one, '=', &key) || !good_header(str_trim(key)) ||
            *ret_n == TELEMETRY_HEADERS_MAX)
            return false;
        buf_printf(&line, "%.*s: ", STR_ARG(str_trim(key)));
        one = str_trim(one);
        for (size_t i = 0; i < one.len; i++) {
            int high = i + 2 < one.len ? hex_digit(one.ptr[i + 1]) : -1;
            int low = i + 2 < one.len ? hex_digit(one.ptr[i + 2]) : -1;
            bool coded = one.ptr[i] == '%' && high >= 0 && low >= 0;
            buf_char(&line, coded ? (char)(high * 16 + low) : one.ptr[i]);
            i += coded ? 2 : 0;
        }
        if (line.failed || !good_header(buf_view(&line)))
            return false;
        ret[(*ret_n)++] = arena_dup(arena, buf_view(&line)).ptr;
    }
    return true;
}

bool telemetry_check(const struct telemetry_settings *settings, struct err *err)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    const char *header[TELEMETRY_HEADERS_MAX];
    size_t n = 0;
    if (!settings->url.len)
        return true;
    if (!str_starts(settings->url, STR("http://")) && !str_starts(settings->url, STR("https://")))
        return err_set(err, ERR_USAGE,
                       "the address of the collector is no http:// or https:// URL");
    return split_headers(&arena, settings->headers, header, &n) ||
           err_set(err, ERR_USAGE,
                   "the headers for the collector are no list such as Authorization=Bearer%%20x, "
                   "or more than %d",
                   TELEMETRY_HEADERS_MAX);
}

bool telemetry_set(struct telemetry *t, const struct telemetry_settings *settings, struct err *err)
{
    (void)pthread_mutex_lock(&t->lock);
    arena_reset(&t->arena);
    struct str url = settings->url;
    while (str_ends(url, STR("/")))
        url.len--;
    t->url = arena_dup(&t->arena, url);
    t->headers = arena_dup(&t->arena, settings->headers);
    bool ok = t->url.ptr && t->headers.ptr;
    t->on = ok && t->url.len > 0;
    (void)pthread_mutex_unlock(&t->lock);
    return ok || err_set(err, ERR_LIMIT, "out of memory");
}

bool telemetry_is_on(const struct telemetry *t)
{
    return t && t->on;
}

/* --- sending --- */

struct batch {
    struct str record[BATCH_MAX];
    size_t n;
    enum telemetry_signal signal;
    struct str url;
    const char *header[TELEMETRY_HEADERS_MAX + 2];
    int64_t until_ms;
};

static int64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static struct str instance_of(struct arena *arena)
{
    char host[256] = "";
    (void)gethostname(host, sizeof host - 1);
    return arena_printf(arena, "%s:%ld", host, (long)getpid());
}

/* One try: is the batch done with? *ret_wait_ms: when to try again, where it is not. */
static bool try_once(struct arena *arena, const struct batch *batch, struct str body, bool closing,
                     enum telemetry_fate *ret, int64_t *ret_rejected, int64_t *ret_wait_ms)
{
    struct http_answer answer = {0};
    struct err err = {0};
    const struct http_get get = {.url = batch->url.ptr,
                                 .post = body,
                                 .header = batch->header,
                                 .max_bytes = ANSWER_BYTES_MAX,
                                 .cut = true,
                                 .timeout_ms = closing ? CLOSING_MS : TOTAL_MS,
                                 .total_ms = closing ? CLOSING_MS : TOTAL_MS};
    *ret = FATE_UNREACHABLE;
    *ret_wait_ms = 0;
    if (!http_fetch(arena, &get, &answer, &err))
        return err.kind == ERR_USAGE || err.kind == ERR_LIMIT;
    if (answer.status >= 200 && answer.status < 300) {
        *ret = FATE_SENT;
        *ret_rejected = otlp_rejected(arena, answer.body, batch->signal);
        return true;
    }
    *ret_wait_ms = answer.retry_ms;
    if (answer.status == 429 || (answer.status >= 502 && answer.status <= 504))
        return false;
    *ret = FATE_REFUSED;
    return true;
}

/* False: it closes. */
static bool rest(struct telemetry *t, int64_t ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    (void)pthread_mutex_lock(&t->lock);
    while (!t->closing && pthread_cond_timedwait(&t->work, &t->lock, &until) == 0)
        ;
    bool closing = t->closing;
    (void)pthread_mutex_unlock(&t->lock);
    return !closing;
}

static void count(struct telemetry *t, enum telemetry_signal signal, enum telemetry_fate fate,
                  uint64_t n)
{
    (void)pthread_mutex_lock(&t->lock);
    t->count[signal][fate] += n;
    (void)pthread_mutex_unlock(&t->lock);
}

static void send_batch(struct telemetry *t, struct arena *arena, struct batch *batch, bool closing)
{
    AUTO_BUF body = {.limit = BATCH_BYTES_MAX};
    enum telemetry_fate fate = FATE_UNREACHABLE;
    int64_t rejected = 0, wait = 0, pause = RETRY_FIRST_MS;
    otlp_batch(&body, batch->signal, instance_of(arena), batch->record, batch->n);
    if (body.failed)
        fate = FATE_FULL;
    while (!body.failed &&
           !try_once(arena, batch, buf_view(&body), closing, &fate, &rejected, &wait)) {
        wait = wait > pause ? wait : pause;
        pause = pause * 2 > RETRY_LAST_MS ? RETRY_LAST_MS : pause * 2;
        if (closing || clock_monotonic_ms() + wait > batch->until_ms)
            break;
        closing = !rest(t, wait); /* then once more, and no more */
    }
    uint64_t lost = rejected > 0 && (uint64_t)rejected <= batch->n ? (uint64_t)rejected : 0;
    count(t, batch->signal, fate, batch->n - lost);
    count(t, batch->signal, FATE_REFUSED, lost);
}

/* Everything of one signal that waits, up to a batch; under the lock. */
static void take(struct telemetry *t, struct arena *arena, enum telemetry_signal signal,
                 struct batch *ret)
{
    struct waiting *last = NULL;
    for (struct waiting **at = &t->first; *at && ret->n < BATCH_MAX;) {
        struct waiting *w = *at;
        if (w->signal != signal) {
            last = w;
            at = &w->next;
            continue;
        }
        *at = w->next;
        ret->record[ret->n++] = arena_dup(arena, (struct str){w->text, w->len});
        free(w);
        t->n--;
    }
    if (!t->first)
        t->last = NULL;
    else if (ret->n < BATCH_MAX) /* the list was walked to its end */
        t->last = last;
    ret->signal = signal;
}

static bool fill_batch(struct telemetry *t, struct arena *arena, enum telemetry_signal signal,
                       struct batch *ret)
{
    static const char *const paths[] = {[SIGNAL_SPANS] = "/v1/traces", [SIGNAL_LOGS] = "/v1/logs"};
    size_t n = 0;
    (void)pthread_mutex_lock(&t->lock);
    take(t, arena, signal, ret);
    ret->url = arena_printf(arena, "%.*s%s", STR_ARG(t->url), paths[signal]);
    bool ok = split_headers(arena, t->headers, ret->header, &n);
    bool on = t->on;
    (void)pthread_mutex_unlock(&t->lock);
    ret->header[n++] = "Content-Type: application/json";
    ret->header[n] = NULL;
    ret->until_ms = clock_monotonic_ms() + GIVE_UP_MS;
    return ok && on && ret->n > 0 && ret->url.ptr;
}

static void send_all(struct telemetry *t, bool closing)
{
    for (int signal = 0; signal < SIGNAL_COUNT; signal++)
        for (bool more = true; more;) {
            AUTO_ARENA arena = {.limit = 2 * BATCH_BYTES_MAX};
            struct batch batch = {0};
            more = fill_batch(t, &arena, (enum telemetry_signal)signal, &batch);
            if (more)
                send_batch(t, &arena, &batch, closing);
            more = more && batch.n == BATCH_MAX;
        }
}

static void *work(void *ctx)
{
    struct telemetry *t = ctx;
    while (rest(t, EVERY_MS))
        send_all(t, false);
    send_all(t, true);
    return NULL;
}

/* --- opening and closing --- */

bool telemetry_open(struct telemetry **ret, struct err *err)
{
    pthread_condattr_t monotonic;
    struct telemetry *t = calloc(1, sizeof *t);
    if (!t)
        return err_set(err, ERR_LIMIT, "out of memory");
    t->arena.limit = 1 << 20;
    (void)pthread_mutex_init(&t->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&t->work, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    t->started = pthread_create(&t->thread, NULL, work, t) == 0;
    if (!t->started) {
        telemetry_close(t);
        return err_set(err, ERR_LIMIT, "a thread cannot be started");
    }
    *ret = t;
    return true;
}

void telemetry_close(struct telemetry *t)
{
    if (!t)
        return;
    (void)pthread_mutex_lock(&t->lock);
    t->closing = true;
    (void)pthread_cond_signal(&t->work);
    (void)pthread_mutex_unlock(&t->lock);
    if (t->started)
        (void)pthread_join(t->thread, NULL);
    while (t->first) {
        struct waiting *w = t->first;
        t->first = w->next;
        free(w);
    }
    arena_free(&t->arena);
    (void)pthread_cond_destroy(&t->work);
    (void)pthread_mutex_destroy(&t->lock);
    free(t);
}

void telemetry_counts(struct telemetry *t, uint64_t ret[SIGNAL_COUNT][FATE_COUNT])
{
    memset(ret, 0, sizeof(uint64_t[SIGNAL_COUNT][FATE_COUNT]));
    if (!t)
        return;
    (void)pthread_mutex_lock(&t->lock);
    memcpy(ret, t->count, sizeof t->count);
    (void)pthread_mutex_unlock(&t->lock);
}

/* --- what ended --- */

static void enqueue(struct telemetry *t, enum telemetry_signal signal, const struct buf *text)
{
    struct waiting *w = text->failed ? NULL : malloc(sizeof *w + text->len);
    if (w) {
        *w = (struct waiting){.signal = signal, .len = text->len};
        memcpy(w->text, text->ptr, text->len);
    }
    (void)pthread_mutex_lock(&t->lock);
    if (!w || t->n == TELEMETRY_QUEUE_MAX) {
        t->count[signal][FATE_FULL]++;
        free(w);
    } else {
        *(t->last ? &t->last->next : &t->first) = w;
        t->last = w;
        t->n++;
    }
    (void)pthread_mutex_unlock(&t->lock);
}

static void make_id(char *ret, size_t bytes)
{
    unsigned char random[16] = {0};
    if (getrandom(random, bytes, 0) != (ssize_t)bytes)
        random[0] = 1; /* all zero is none */
    for (size_t i = 0; i < bytes; i++)
        (void)snprintf(ret + 2 * i, 3, "%02x", random[i]);
}

void telemetry_begin(struct telemetry *t, const struct telemetry_span *parent,
                     struct str traceparent, struct telemetry_span *ret)
{
    *ret = (struct telemetry_span){0};
    if (!telemetry_is_on(t))
        return;
    if (parent && *parent->trace) {
        memcpy(ret->trace, parent->trace, sizeof ret->trace);
        memcpy(ret->parent, parent->id, sizeof ret->parent);
    } else if (!otlp_traceparent(traceparent, ret)) {
        make_id(ret->trace, 16);
    }
    make_id(ret->id, 8);
    ret->start_ns = now_ns();
}

static bool is_linked(const struct telemetry_span *span, const struct telemetry_span *to)
{
    if (strcmp(span->parent, to->parent) == 0 && strcmp(span->trace, to->trace) == 0)
        return true;
    for (size_t i = 0; i < span->nlinks; i++)
        if (strcmp(span->link[i].id, to->parent) == 0 &&
            strcmp(span->link[i].trace, to->trace) == 0)
            return true;
    return false;
}

void telemetry_caused(struct telemetry_span *span, struct str causes)
{
    struct str word;
    while (*span->id && causes.len) {
        struct telemetry_span one = {0};
        (void)str_cut(&causes, ' ', &word);
        if (!otlp_traceparent(word, &one))
            continue;
        if (!*span->parent) {
            memcpy(span->trace, one.trace, sizeof span->trace);
            memcpy(span->parent, one.parent, sizeof span->parent);
        } else if (span->nlinks < TELEMETRY_LINKS_MAX && !is_linked(span, &one)) {
            struct telemetry_link *link = &span->link[span->nlinks++];
            memcpy(link->trace, one.trace, sizeof link->trace);
            memcpy(link->id, one.parent, sizeof link->id);
        }
    }
}

struct str telemetry_traceparent(const struct telemetry_span *span, char out[TELEMETRY_PARENT])
{
    if (!*span->id)
        return STR("");
    (void)snprintf(out, TELEMETRY_PARENT, "00-%.32s-%.16s-01", span->trace, span->id);
    return str_from(out);
}

void telemetry_end(struct telemetry *t, const struct telemetry_span *span, const char *name,
                   enum telemetry_kind kind, const struct log_field *attribute, size_t n,
                   const char *error)
{
    AUTO_BUF text = {.limit = RECORD_BYTES_MAX};
    if (!telemetry_is_on(t) || !*span->id)
        return;
    otlp_span(&text, span, name, kind, attribute, n, error, now_ns());
    enqueue(t, SIGNAL_SPANS, &text);
}

void telemetry_log(void *telemetry, enum log_level level, const char *subsystem,
                   const char *message, const struct log_field *field, size_t n)
{
    struct telemetry *t = telemetry;
    AUTO_BUF text = {.limit = RECORD_BYTES_MAX};
    if (!telemetry_is_on(t))
        return;
    otlp_log(&text, level, subsystem, message, field, n, now_ns());
    enqueue(t, SIGNAL_LOGS, &text);
}

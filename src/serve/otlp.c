/* otlp.c - spans and log records in the JSON of OTLP: ids in hex, 64-bit numbers as strings, enums
 * as numbers. */
#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "serve/telemetry_parts.h"
#include "value/value.h"
#include "wire/json.h"

static void add_number(struct jsonw *w, const char *key, int64_t n)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRId64, n);
    jsonw_member_string(w, str_from(key), str_from(text));
}

static void add_attribute(struct jsonw *w, const char *key, const struct log_field *field)
{
    jsonw_object_open(w);
    jsonw_member_string(w, STR("key"), str_from(key));
    jsonw_key(w, STR("value"));
    jsonw_object_open(w);
    if (field->is_number)
        add_number(w, "intValue", field->number);
    else
        jsonw_member_string(w, STR("stringValue"), field->text);
    jsonw_object_close(w);
    jsonw_object_close(w);
}

void otlp_span(struct buf *out, const struct telemetry_span *span, const char *name,
               enum telemetry_kind kind, const struct log_field *attribute, size_t n,
               const char *error, int64_t end_ns)
{
    struct jsonw w = {.out = out};
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("traceId"), str_from(span->trace));
    jsonw_member_string(&w, STR("spanId"), str_from(span->id));
    if (*span->parent)
        jsonw_member_string(&w, STR("parentSpanId"), str_from(span->parent));
    jsonw_member_string(&w, STR("name"), str_from(name));
    jsonw_member_int(&w, STR("kind"), kind);
    add_number(&w, "startTimeUnixNano", span->start_ns);
    add_number(&w, "endTimeUnixNano", end_ns < span->start_ns ? span->start_ns : end_ns);
    jsonw_key(&w, STR("attributes"));
    jsonw_array_open(&w);
    for (size_t i = 0; i < n; i++)
        add_attribute(&w, attribute[i].name, &attribute[i]);
    jsonw_array_close(&w);
    if (span->nlinks) {
        jsonw_key(&w, STR("links"));
        jsonw_array_open(&w);
        for (size_t i = 0; i < span->nlinks; i++) {
            jsonw_object_open(&w);
            jsonw_member_string(&w, STR("traceId"), str_from(span->link[i].trace));
            jsonw_member_string(&w, STR("spanId"), str_from(span->link[i].id));
            jsonw_object_close(&w);
        }
        jsonw_array_close(&w);
    }
    if (error) {
        jsonw_key(&w, STR("status"));
        jsonw_object_open(&w);
        jsonw_member_int(&w, STR("code"), 2);
        jsonw_member_string(&w, STR("message"), str_from(error));
        jsonw_object_close(&w);
    }
    jsonw_object_close(&w);
}

static bool is_id(const struct log_field *field)
{
    return !field->is_number &&
           (strcmp(field->name, "trace") == 0 || strcmp(field->name, "span") == 0);
}

void otlp_log(struct buf *out, enum log_level level, const char *subsystem, const char *message,
              const struct log_field *field, size_t n, int64_t now_ns)
{
    static const int numbers[] = {
        [LOG_ERROR] = 17, [LOG_WARN] = 13, [LOG_INFO] = 9, [LOG_DEBUG] = 5};
    const struct log_field of = LOG_TEXT("subsystem", str_from(subsystem));
    struct jsonw w = {.out = out};
    jsonw_object_open(&w);
    add_number(&w, "timeUnixNano", now_ns);
    add_number(&w, "observedTimeUnixNano", now_ns);
    jsonw_member_int(&w, STR("severityNumber"), numbers[level]);
    jsonw_member_string(&w, STR("severityText"), str_from(log_level_name(level)));
    jsonw_key(&w, STR("body"));
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("stringValue"), str_from(message));
    jsonw_object_close(&w);
    jsonw_key(&w, STR("attributes"));
    jsonw_array_open(&w);
    add_attribute(&w, "plumb.subsystem", &of);
    for (size_t i = 0; i < n; i++)
        if (!is_id(&field[i]))
            add_attribute(&w, field[i].name, &field[i]);
    jsonw_array_close(&w);
    for (size_t i = 0; i < n; i++)
        if (is_id(&field[i]) && field[i].text.len)
            jsonw_member_string(&w, *field[i].name == 't' ? STR("traceId") : STR("spanId"),
                                field[i].text);
    jsonw_object_close(&w);
}

/* --- requests and answers --- */

static const struct {
    const char *resource, *scope, *records, *rejected;
} words[] = {
    [SIGNAL_SPANS] = {"resourceSpans", "scopeSpans", "spans", "rejectedSpans"},
    [SIGNAL_LOGS] = {"resourceLogs", "scopeLogs", "logRecords", "rejectedLogRecords"},
};

static void open_list(struct jsonw *w, const char *key)
{
    jsonw_key(w, str_from(key));
    jsonw_array_open(w);
}

static void add_of_resource(struct jsonw *w, const char *key, struct str text)
{
    const struct log_field field = LOG_TEXT(key, text);
    add_attribute(w, key, &field);
}

void otlp_batch(struct buf *out, enum telemetry_signal signal, struct str instance,
                const struct str *record, size_t n)
{
    struct jsonw w = {.out = out};
    jsonw_object_open(&w);
    open_list(&w, words[signal].resource);
    jsonw_object_open(&w);
    jsonw_key(&w, STR("resource"));
    jsonw_object_open(&w);
    open_list(&w, "attributes");
    add_of_resource(&w, "service.name", STR("plumb"));
    add_of_resource(&w, "service.version", STR(PLUMB_VERSION));
    add_of_resource(&w, "service.instance.id", instance);
    jsonw_array_close(&w);
    jsonw_object_close(&w);
    open_list(&w, words[signal].scope);
    jsonw_object_open(&w);
    jsonw_key(&w, STR("scope"));
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("name"), STR("plumb"));
    jsonw_object_close(&w);
    open_list(&w, words[signal].records);
    for (size_t i = 0; i < n; i++) { /* JSON already */
        buf_str(out, i ? STR(",") : STR(""));
        buf_str(out, record[i]);
    }
    for (int i = 0; i < 3; i++) { /* each list, and the object that it is in */
        jsonw_array_close(&w);
        jsonw_object_close(&w);
    }
}

int64_t otlp_rejected(struct arena *arena, struct str answer, enum telemetry_signal signal)
{
    struct value doc;
    struct err err = {0};
    int64_t n = 0;
    if (!json_parse(arena, answer, "answer", 0, &doc, &err))
        return 0; /* 2xx says that it has them */
    const struct value *partial = value_get(&doc, STR("partialSuccess"));
    const struct value *count = value_get(partial, str_from(words[signal].rejected));
    if (!count)
        return 0;
    if (count->kind == VALUE_STRING)
        return str_to_int64(value_text(count), &n) ? n : 0;
    return value_to_int64(count, &n) ? n : 0;
}

static bool take_hex(struct str *rest, size_t n, char *ret)
{
    bool zero = true;
    for (size_t i = 0; i < n; i++) {
        char c = i < rest->len ? rest->ptr[i] : '\0';
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        zero &= c == '0';
        ret[i] = c;
    }
    ret[n] = '\0';
    *rest = str_sub(*rest, n, rest->len);
    return !zero;
}

static bool take_dash(struct str *rest)
{
    bool is = rest->len && rest->ptr[0] == '-';
    *rest = str_sub(*rest, 1, rest->len);
    return is;
}

bool otlp_traceparent(struct str header, struct telemetry_span *ret)
{
    struct telemetry_span got = {0};
    char version[TELEMETRY_HEX] = "", flags[TELEMETRY_HEX];
    struct str rest = header;
    (void)take_hex(&rest, 2, version); /* 00 is all zero */
    if (strlen(version) != 2 || strcmp(version, "ff") == 0 || !take_dash(&rest) ||
        !take_hex(&rest, 32, got.trace) || !take_dash(&rest) || !take_hex(&rest, 16, got.parent) ||
        !take_dash(&rest))
        return false;
    flags[0] = '\0';
    (void)take_hex(&rest, 2, flags);
    if (strlen(flags) != 2 || (strcmp(version, "00") == 0 && rest.len) ||
        (rest.len && rest.ptr[0] != '-'))
        return false;
    *ret = got;
    return true;
}

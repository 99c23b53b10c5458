/* feed.c - what an event came in is taken off it; then it is what one of the feeds knows.
 *
 * Envelopes: lists; {Records}, {records}, {value}, {entries}, {Events}, {Messages},
 *            {receivedMessages}; SQS and SNS bodies; EventBridge; Pub/Sub; Event Grid; CloudEvents
 */
#include "live/feed.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/utf8.h"
#include "live/feed_parts.h"
#include "wire/grpc.h"
#include "wire/gzip.h"
#include "wire/json.h"

struct feeding {
    struct arena *arena;
    const char *name;
    struct feed *to;
    struct feed_around around;
};

static bool read_value(struct feeding *f, const struct value *v, unsigned left, struct err *err);

static struct activity *next_event(struct feeding *f, struct err *err)
{
    struct feed *to = f->to;
    if (to->n == FEED_EVENTS_MAX) {
        (void)err_set(err, ERR_LIMIT, "%s: more than %d events in one document", f->name,
                      FEED_EVENTS_MAX);
        return NULL;
    }
    struct activity *grown = arena_grow(f->arena, to->event, to->n, &to->room, to->n + 1);
    if (!grown) {
        (void)arena_full(f->arena, err);
        return NULL;
    }
    to->event = grown;
    return &to->event[to->n];
}

/* --- events --- */

static bool read_event(struct feeding *f, const struct value *v, struct err *err)
{
    static const struct {
        bool (*is)(const struct value *v);
        bool (*read)(struct feed_event *e, const struct value *v, struct err *err);
    } forms[] = {{feed_is_aws, feed_aws}, {feed_is_gcp, feed_gcp}, {feed_is_azure, feed_azure}};
    struct feed_event e = {.arena = f->arena};
    size_t form = 0, nforms = sizeof forms / sizeof *forms;
    while (form < nforms && !forms[form].is(v))
        form++;
    if (form == nforms && !feed_is_plumb(v, &f->around)) {
        f->to->unknown++;
        f->to->of_files |= feed_text(v, "s3.object.key").len > 0;
        return true;
    }
    struct activity *to = next_event(f, err);
    if (!to)
        return false;
    *to = (struct activity){0};
    e.to = to;
    if (!(form < nforms ? forms[form].read(&e, v, err) : feed_plumb(&e, v, &f->around, err)))
        return false;
    if (e.full)
        return arena_full(f->arena, err);
    to->attack = !to->read_only && feed_is_attack(to);
    /* Without these nobody can tell it from another one, or what it comes after. */
    if (to->id.len && to->time_utc_ms > 0)
        f->to->n++;
    else
        f->to->unknown++;
    return true;
}

/* --- envelopes --- */

static bool read_list(struct feeding *f, const struct value *list, unsigned left, struct err *err)
{
    for (uint32_t i = 0; i < list->len; i++)
        if (!read_value(f, &list->items[i], left - 1, err))
            return false;
    return true;
}

/* JSON within a text. What is no JSON there is an event of no known form. */
static bool read_text(struct feeding *f, struct str text, unsigned left, struct err *err)
{
    struct value v;
    struct err why = {0};
    if (!json_parse(f->arena, text, f->name, JSON_DUPLICATES_LAST, &v, &why)) {
        if (why.kind == ERR_LIMIT && err)
            *err = why;
        f->to->unknown++;
        return why.kind != ERR_LIMIT;
    }
    return read_value(f, &v, left - 1, err);
}

static bool read_base64(struct feeding *f, struct str text, unsigned left, struct err *err)
{
    struct str plain;
    if (!base64_decode(f->arena, text, &plain, NULL)) {
        f->to->unknown++;
        return true;
    }
    return read_text(f, plain, left, err);
}

/* CloudEvents 1.0.2, structured. */
static bool read_cloudevent(struct feeding *f, const struct value *v, unsigned left,
                            struct err *err)
{
    struct feed_around before = f->around;
    const struct value *data = value_get(v, STR("data"));
    struct str packed = feed_text(v, "data_base64");
    bool ok;
    f->around = (struct feed_around){.id = feed_text(v, "id"),
                                     .source = feed_text(v, "source"),
                                     .type = feed_text(v, "type"),
                                     .subject = feed_text(v, "subject"),
                                     .time = value_get(v, STR("time"))};
    if (packed.len)
        ok = read_base64(f, packed, left, err);
    else if (feed_is_azure(v)) /* Event Grid's log in a CloudEvent */
        ok = read_event(f, v, err);
    else if (value_is_string(data))
        ok = read_text(f, value_text(data), left, err);
    else if (data)
        ok = read_value(f, data, left - 1, err);
    else
        ok = read_event(f, v, err);
    f->around = before;
    return ok;
}

/* Members that hold events: a list, an object, a JSON text or one in base64. */
static const struct {
    const char *needs; /* another member that must be there; or NULL */
    const char *path;
    bool base64;
} envelopes[] = {
    {NULL, "Records", false},         /* files of CloudTrail; SQS and SNS as Lambda gets them */
    {NULL, "records", false},         /* Event Hub */
    {"detail-type", "detail", false}, /* EventBridge */
    {"MessageId", "Message", false},  /* SNS */
    {"MessageId", "Body", false},     /* aws sqs receive-message */
    {"messageId", "body", false},     /* SQS */
    {NULL, "Sns.Message", false},
    {NULL, "Messages", false},
    {NULL, "CloudTrailEvent", false}, /* aws cloudtrail lookup-events */
    {NULL, "Events", false},
    {NULL, "message.data", true}, /* Pub/Sub */
    {NULL, "receivedMessages", false},
    {NULL, "entries", false},
    {NULL, "value", false}, /* REST of Azure */
};

static bool read_object(struct feeding *f, const struct value *v, unsigned left, struct err *err)
{
    if (feed_text(v, "specversion").len)
        return read_cloudevent(f, v, left, err);
    if (str_equal(feed_text(v, "eventType"),
                  STR("Microsoft.EventGrid.SubscriptionValidationEvent"))) {
        f->to->validation = feed_text(v, "data.validationCode");
        return true;
    }
    /* plumb's own event may have any member besides its own: "value" is no envelope there. */
    const struct feed_around none = {.id = {0}};
    if (feed_text(v, "actor").len && feed_is_plumb(v, &none))
        return read_event(f, v, err);
    for (size_t i = 0; i < sizeof envelopes / sizeof *envelopes; i++) {
        const struct value *at = feed_get(v, envelopes[i].path);
        if (!at || (envelopes[i].needs && !value_get(v, str_from(envelopes[i].needs))))
            continue;
        if (value_is_string(at))
            return envelopes[i].base64 ? read_base64(f, value_text(at), left, err)
                                       : read_text(f, value_text(at), left, err);
        if (!envelopes[i].base64 && (value_is_list_like(at) || value_is_object_like(at)))
            return read_value(f, at, left - 1, err);
    }
    return read_event(f, v, err);
}

static bool read_value(struct feeding *f, const struct value *v, unsigned left, struct err *err)
{
    if (left == 0)
        return err_set(err, ERR_LIMIT, "%s: more than %d envelopes within one another", f->name,
                       FEED_NESTING_MAX);
    if (value_is_list_like(v))
        return read_list(f, v, left, err);
    if (value_is_object_like(v))
        return read_object(f, v, left, err);
    f->to->unknown++;
    return true;
}

/* --- documents --- */

/* CloudEvents' HTTP binding 1.0.2, 3.1.3.2: quotes off, then %XX, once; what is no UTF-8 then stays
 * as it came. ptr NULL where memory ends. */
static struct str from_header(struct feeding *f, const struct feed_from *from, const char *name)
{
    struct str raw = str_trim(from->header(from->ctx, name)), text = arena_dup(f->arena, raw);
    char *bytes = (char *)(uintptr_t)text.ptr; /* our own copy */
    if (!bytes)
        return text;
    if (raw.len >= 2 && raw.ptr[0] == '"' && raw.ptr[raw.len - 1] == '"') {
        text.len = 0;
        for (size_t i = 1; i + 1 < raw.len; i++) {
            i += raw.ptr[i] == '\\' && i + 2 < raw.len;
            bytes[text.len++] = raw.ptr[i];
        }
    }
    text.len = grpc_decode_text(bytes, text.len);
    return utf8_bad_at(text) == SIZE_MAX ? text : raw;
}

static bool take_headers(struct feeding *f, const struct feed_from *from, struct err *err)
{
    struct feed_around *around = &f->around;
    if (!from->header || !from->header(from->ctx, "ce-specversion").len)
        return true;
    struct value *time = arena_new(f->arena, struct value, 1);
    *around = (struct feed_around){.id = from_header(f, from, "ce-id"),
                                   .source = from_header(f, from, "ce-source"),
                                   .type = from_header(f, from, "ce-type"),
                                   .subject = from_header(f, from, "ce-subject"),
                                   .time = time};
    if (!time || !around->id.ptr || !around->source.ptr || !around->type.ptr ||
        !around->subject.ptr)
        return arena_full(f->arena, err);
    *time = value_string(from->header(from->ctx, "ce-time"));
    return true;
}

/* What the first bracket holds, to its end; empty where there is none. Texts may have brackets. */
static struct str next_document(struct str *rest)
{
    size_t depth = 0;
    bool quoted = false;
    *rest = str_trim(*rest);
    for (size_t i = 0; i < rest->len; i++) {
        char c = rest->ptr[i];
        if (quoted) {
            i += c == '\\';
            quoted = c != '"';
            continue;
        }
        quoted = c == '"';
        depth += c == '{' || c == '[';
        if (!depth)
            break;
        depth -= c == '}' || c == ']';
        if (!depth) {
            struct str whole = str_sub(*rest, 0, i + 1);
            *rest = str_sub(*rest, i + 1, rest->len);
            return whole;
        }
    }
    return STR("");
}

/* Behind one another with or without line ends between, as files that were put together are.
 * *ret_ok: all of it was read. */
static bool read_stream(struct feeding *f, struct str text, bool *ret_ok, struct err *err)
{
    *ret_ok = false;
    for (struct str rest = text, one; (one = next_document(&rest)).len;) {
        struct value v;
        struct err why = {0};
        if (!json_parse(f->arena, one, f->name, JSON_DUPLICATES_LAST, &v, &why))
            return true;
        if (!read_value(f, &v, FEED_NESTING_MAX, err))
            return false;
        *ret_ok = !rest.len;
    }
    return true;
}

/* One document, or several; where one is wrong its line tells which. */
static bool read_documents(struct feeding *f, struct str text, struct err *err)
{
    struct value v;
    struct err why = {0}, bad = {0};
    struct arena_mark mark = arena_mark(f->arena);
    bool whole = false;
    if (json_parse(f->arena, text, f->name, JSON_DUPLICATES_LAST, &v, &why))
        return read_value(f, &v, FEED_NESTING_MAX, err);
    arena_rewind(f->arena, mark);
    if (why.kind == ERR_SYNTAX && !read_stream(f, text, &whole, err))
        return false;
    if (whole)
        return true;
    arena_rewind(f->arena, mark);
    *f->to = (struct feed){0};
    struct ndjson lines = {.rest = text, .name = f->name};
    size_t n = 0;
    while (why.kind == ERR_SYNTAX &&
           ndjson_next(&lines, f->arena, JSON_DUPLICATES_LAST, &v, &bad)) {
        if (!read_value(f, &v, FEED_NESTING_MAX, err))
            return false;
        n++;
    }
    if (n && bad.kind == ERR_NONE)
        return true;
    if (err)
        *err = n ? bad : why;
    return false;
}

bool feed_read(struct arena *arena, struct str bytes, const struct feed_from *from,
               struct feed *ret, struct err *err)
{
    struct feed got = {0};
    struct feeding f = {arena, from->name ? from->name : "events", &got, {.id = {0}}};
    if (gzip_is(bytes)) {
        AUTO_BUF plain = {.limit = FEED_BYTES_MAX};
        if (!gzip_inflate(bytes, str_from(f.name), &plain, err))
            return false;
        bytes = arena_dup(arena, buf_view(&plain));
        if (!bytes.ptr)
            return arena_full(arena, err);
    }
    if (bytes.len > FEED_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "%s: more than %d MiB", f.name, FEED_BYTES_MAX >> 20);
    if (!take_headers(&f, from, err))
        return false;
    if (f.around.id.len && !str_trim(bytes).len)
        bytes = STR("{}"); /* the attributes say all of it */
    if (!read_documents(&f, bytes, err))
        return false;
    if (!got.n && got.of_files)
        return err_set(err, ERR_SYNTAX,
                       "%s: it tells of files in a bucket (S3's notifications), which are to be "
                       "given themselves: aws s3 cp, then plumb events add",
                       f.name);
    if (!got.n && got.unknown)
        return err_set(err, ERR_SYNTAX,
                       "%s: no event of a form that plumb knows, with its id and time: see "
                       "docs/events.md",
                       f.name);
    *ret = got;
    return true;
}

/* feed_plumb.c - plumb's own event, for whatever has no log that plumb knows.
 *
 * Schema: docs/schema/event.schema.json
 */
#include "base/digest.h"
#include "base/err.h"
#include "live/feed_parts.h"
#include "wire/json.h"

bool feed_is_plumb(const struct value *v, const struct feed_around *around)
{
    static const char *const about[] = {"resource", "address", "stack", NULL};
    bool names = feed_first(v, about).len || value_is_list_like(value_get(v, STR("resources"))) ||
                 around->subject.len;
    return value_is_object_like(v) && names &&
           (feed_text(v, "action").len || around->type.len || feed_text(v, "actor").len);
}

/* An event without an id is known by what it says. */
static bool make_id(struct feed_event *e, const struct value *v, const struct feed_around *around,
                    struct str *ret, struct err *err)
{
    struct str id = feed_text(v, "id"), source = feed_text(v, "source");
    AUTO_BUF text = {.limit = FEED_BYTES_MAX};
    struct digest digest;
    char hex[DIGEST_HEX + 1];
    if (around->id.len)
        *ret = arena_printf(e->arena, "%.*s %.*s", STR_ARG(around->source), STR_ARG(around->id));
    else if (id.len && source.len)
        *ret = arena_printf(e->arena, "%.*s %.*s", STR_ARG(source), STR_ARG(id));
    else if (id.len)
        *ret = id;
    else {
        struct jsonw w = {.out = &text};
        jsonw_value(&w, v);
        if (!buf_ok(&text, err) || !digest_sha256(buf_view(&text), &digest, err))
            return false;
        digest_hex(&digest, hex);
        *ret = arena_dup(e->arena, str_from(hex));
    }
    return ret->ptr || arena_full(e->arena, err);
}

static void read_names(struct feed_event *e, const struct value *v,
                       const struct feed_around *around)
{
    const struct value *list = value_get(v, STR("resources"));
    feed_add_name(e, STR("resource"), feed_text(v, "resource"), 0, true);
    for (uint32_t i = 0; value_is_list_like(list) && i < list->len; i++)
        if (value_is_string(&list->items[i]))
            feed_add_name(e, STR("resource"), value_text(&list->items[i]), 0, true);
    feed_add_name(e, STR("subject"), around->subject, 0, true);
}

bool feed_plumb(struct feed_event *e, const struct value *v, const struct feed_around *around,
                struct err *err)
{
    static const struct {
        const char *key;
        size_t at;
    } texts[] = {{"actor", offsetof(struct activity, actor)},
                 {"principal", offsetof(struct activity, principal)},
                 {"session", offsetof(struct activity, session)},
                 {"client", offsetof(struct activity, client)},
                 {"source_ip", offsetof(struct activity, source_ip)},
                 {"action", offsetof(struct activity, action)},
                 {"service", offsetof(struct activity, service)},
                 {"cloud", offsetof(struct activity, cloud)},
                 {"account", offsetof(struct activity, account)},
                 {"region", offsetof(struct activity, region)},
                 {"type", offsetof(struct activity, kind)},
                 {"stack", offsetof(struct activity, stack)},
                 {"address", offsetof(struct activity, address)}};
    struct activity *a = e->to;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *(struct str *)(void *)((char *)a + texts[i].at) = feed_text(v, texts[i].key);
    a->source = STR("event");
    if (!a->action.len)
        a->action = around->type;
    if (!a->principal.len)
        a->principal = a->actor;
    a->time_utc_ms = feed_time(value_get(v, STR("time")));
    if (!a->time_utc_ms)
        a->time_utc_ms = feed_time(around->time);
    a->read_only = value_get_bool(v, STR("read_only"), false);
    a->failed = value_get_bool(v, STR("failed"), false);
    a->creates = value_get_bool(v, STR("creates"), false);
    if (!activity_way_from(feed_text(v, "way"), &a->way) || a->way == ACTIVITY_PIPELINE)
        a->way = feed_way_of_client(a->client);
    read_names(e, v, around);
    return make_id(e, v, around, &a->id, err);
}

/* by.c - who made a difference, for every format. */
#include "base/clock.h"
#include "report/parts.h"
#include "wire/json.h"

enum { CLIENT_BYTES = 60 };

bool by_told(const struct finding *finding)
{
    return finding->by && !finding->by->no_source;
}

void by_text(struct buf *out, const struct attribution *by)
{
    char when[CLOCK_TEXT];
    if (!by->actor.len) {
        text_safe(out, by->unknown_because);
        return;
    }
    text_safe(out, by->actor);
    if (!by->surely)
        buf_str(out, STR(" (perhaps)"));
    (void)clock_format(by->time_utc_ms, when);
    buf_printf(out, ", %.10s %.8s UTC", when, when + 11);
    if (by->expected)
        buf_str(out, STR(", expected"));
    const struct {
        const char *before;
        struct str text;
    } parts[] = {{", ", by->action},
                 {", ", by->way},
                 {", from ", by->source_ip},
                 {", with ", text_cut(by->client, CLIENT_BYTES)}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!parts[i].text.len)
            continue;
        buf_str(out, str_from(parts[i].before));
        text_safe(out, parts[i].text);
    }
    buf_str(out, STR(" ["));
    text_safe(out, by->how);
    buf_char(out, ']');
    if (by->others)
        buf_printf(out, "; and %llu other%s before", (unsigned long long)by->others,
                   by->others == 1 ? "" : "s");
}

static void put(struct jsonw *w, struct str key, struct str text)
{
    if (text.len)
        jsonw_member_string(w, key, text);
}

void by_json(struct jsonw *w, const struct attribution *by)
{
    char when[CLOCK_TEXT];
    if (!by)
        return;
    jsonw_key(w, STR("actor"));
    jsonw_object_open(w);
    put(w, STR("name"), by->actor);
    if (!by->actor.len) {
        put(w, STR("unknown"), by->unknown_because);
        jsonw_object_close(w);
        return;
    }
    put(w, STR("how"), by->how);
    put(w, STR("kind"), by->kind);
    put(w, STR("way"), by->way);
    put(w, STR("principal"), by->principal);
    put(w, STR("session"), by->session);
    put(w, STR("client"), by->client);
    put(w, STR("source_ip"), by->source_ip);
    put(w, STR("action"), by->action);
    put(w, STR("event"), by->event_id);
    jsonw_member_string(w, STR("time"), str_from(clock_format(by->time_utc_ms, when)));
    jsonw_member_bool(w, STR("expected"), by->expected);
    jsonw_member_bool(w, STR("surely"), by->surely);
    jsonw_member_int(w, STR("others"), (int64_t)by->others);
    jsonw_object_close(w);
}

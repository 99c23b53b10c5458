/* finding_rows.c - findings of the store as JSON members and as text. */
#include "report/finding_rows.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "report/json_out.h"
#include "wire/json.h"

enum { MINUTE = 60000, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

static void id_json(struct jsonw *w, struct str key, int64_t id)
{
    jsonw_key(w, key);
    if (id)
        jsonw_int(w, id);
    else
        jsonw_null(w);
}

void finding_row_json(struct jsonw *w, const struct finding_row *row, int64_t now_utc_ms)
{
    int64_t until = row->resolved_utc_ms ? row->resolved_utc_ms : now_utc_ms;
    jsonw_member_string(w, STR("fingerprint"), row->fingerprint);
    jsonw_member_string(w, STR("stack"), row->stack);
    jsonw_member_string(w, STR("status"), str_from(finding_status_name(row->status)));
    jsonw_member_string(w, STR("class"), row->class_);
    jsonw_member_string(w, STR("severity"), str_from(severity_name((enum severity)row->severity)));
    jsonw_member_string(w, STR("address"), row->address);
    jsonw_member_string(w, STR("type"), row->type);
    text_json(w, STR("provider"), row->provider);
    text_json(w, STR("decision"), row->decision);
    text_json(w, STR("rule"), row->rule);
    text_json(w, STR("owner"), row->owner);
    jsonw_key(w, STR("actor"));
    if (row->actor.len) {
        jsonw_object_open(w);
        jsonw_member_string(w, STR("name"), row->actor);
        jsonw_member_string(w, STR("how"), row->actor_how);
        jsonw_object_close(w);
    } else {
        jsonw_null(w);
    }
    text_json(w, STR("why"), row->why);
    jsonw_member_string(w, STR("digest"), row->digest);
    time_json(w, STR("first_seen"), row->first_utc_ms);
    time_json(w, STR("open_since"), row->open_utc_ms);
    time_json(w, STR("status_since"), row->changed_utc_ms);
    time_json(w, STR("last_seen"), row->seen_utc_ms);
    time_json(w, STR("resolved"), row->resolved_utc_ms);
    time_json(w, STR("due"), row->due_utc_ms);
    jsonw_member_bool(w, STR("overdue"), row->overdue);
    jsonw_member_int(w, STR("days"),
                     until > row->open_utc_ms ? (until - row->open_utc_ms) / DAY : 0);
    jsonw_member_int(w, STR("times"), row->times);
    jsonw_member_int(w, STR("first_run"), row->first_run);
    jsonw_member_int(w, STR("last_run"), row->seen_run);
    id_json(w, STR("resolved_run"), row->resolved_run);
}

struct str age_text(char out[24], int64_t ms)
{
    int len = ms >= DAY      ? snprintf(out, 24, "%lld d", (long long)(ms / DAY))
              : ms >= HOUR   ? snprintf(out, 24, "%lld h", (long long)(ms / HOUR))
              : ms >= MINUTE ? snprintf(out, 24, "%lld min", (long long)(ms / MINUTE))
                             : snprintf(out, 24, "now");
    return (struct str){out, (size_t)len};
}

struct str time_text(char out[24], int64_t utc_ms)
{
    char text[CLOCK_TEXT];
    (void)clock_format(utc_ms, text);
    int len = snprintf(out, 24, "%.10s %.5s", text, text + 11);
    return (struct str){out, (size_t)len};
}

void finding_status_text(struct buf *out, const struct finding_row *row, int64_t now_utc_ms)
{
    char age[24];
    bool recurring = row->status == STATUS_RECURRING;
    buf_str(out, str_from(finding_status_name(row->status)));
    if (recurring)
        buf_printf(out, ", %s", age_text(age, now_utc_ms - row->open_utc_ms).ptr);
    if (row->overdue)
        buf_printf(out, ", overdue %s", age_text(age, now_utc_ms - row->due_utc_ms).ptr);
}

/* alert_read.c - an alert back from its JSON. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "respond/alert_json.h"
#include "wire/json.h"

static int64_t moment(const struct value *v, const char *key)
{
    int64_t at = 0;
    return clock_parse(value_get_string(v, str_from(key)), &at) ? at : 0;
}

static size_t number(const struct value *v, const char *key)
{
    int64_t n = 0;
    return value_to_int64(value_get(v, str_from(key)), &n) && n > 0 ? (size_t)n : 0;
}

static size_t items(const struct value *v, const char *key, const struct value **ret)
{
    *ret = value_get(v, str_from(key));
    return value_is_list_like(*ret) ? (*ret)->len : 0;
}

static bool read_lists(struct arena *arena, const struct value *v, struct alert_finding *f)
{
    const struct value *changes, *todo;
    size_t nchanges = items(v, "changes", &changes), ntodo = items(v, "todo", &todo);
    struct alert_change *change = arena_new(arena, struct alert_change, nchanges);
    struct str *line = arena_new(arena, struct str, ntodo);
    if (!change || !line)
        return false;
    for (size_t i = 0; i < nchanges; i++)
        change[i] = (struct alert_change){value_get_string(&changes->items[i], STR("path")),
                                          value_get_string(&changes->items[i], STR("before")),
                                          value_get_string(&changes->items[i], STR("after"))};
    for (size_t i = 0; i < ntodo; i++)
        line[i] = value_is_string(&todo->items[i]) ? value_text(&todo->items[i]) : STR("");
    f->change = change;
    f->nchanges = nchanges;
    f->todo = line;
    f->ntodo = ntodo;
    return true;
}

static bool read_finding(struct arena *arena, const struct value *v, struct alert_finding *f)
{
    const struct value *code = value_get(v, STR("code")), *actor = value_get(v, STR("actor"));
    const struct {
        const struct value *of;
        const char *key;
        struct str *to;
    } texts[] = {{v, "fingerprint", &f->fingerprint}, {v, "stack", &f->stack},
                 {v, "environment", &f->environment}, {v, "owner", &f->owner},
                 {v, "address", &f->address},         {v, "type", &f->type},
                 {v, "provider", &f->provider},       {code, "file", &f->file},
                 {code, "url", &f->file_url},         {v, "reason", &f->reason},
                 {actor, "name", &f->actor},          {actor, "how", &f->actor_how},
                 {actor, "session", &f->session},     {actor, "client", &f->client},
                 {actor, "source_ip", &f->source_ip}, {actor, "event", &f->event},
                 {v, "decision", &f->decision},       {v, "rule", &f->rule},
                 {v, "rule_place", &f->rule_place},   {v, "link", &f->link}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i].to = value_get_string(texts[i].of, str_from(texts[i].key));
    f->line = (uint32_t)number(code, "line");
    f->more_changes = number(v, "more_changes");
    f->actor_utc_ms = moment(actor, "at");
    f->perhaps = !value_get_bool(actor, STR("surely"), true);
    f->first_utc_ms = moment(v, "first");
    f->since_utc_ms = moment(v, "since");
    f->due_utc_ms = moment(v, "due");
    return finding_class_from(value_get_string(v, STR("class")), &f->class_) &&
           severity_from(value_get_string(v, STR("severity")), &f->severity) &&
           read_lists(arena, v, f);
}

static bool read_status(struct str name, enum alert_status *ret)
{
    for (unsigned i = 0; i < ALERT_STATUS_COUNT; i++)
        if (str_equal(name, str_from(alert_status_name((enum alert_status)i)))) {
            *ret = (enum alert_status)i;
            return true;
        }
    return false;
}

bool alert_json_read(struct arena *arena, struct str text, struct alert *ret, struct err *err)
{
    struct value root;
    const struct value *findings;
    if (!json_parse(arena, text, "alert", JSON_DEFAULT, &root, err))
        return false;
    size_t n = items(&root, "findings", &findings);
    struct alert_finding *finding = arena_new(arena, struct alert_finding, n);
    if (!finding)
        return arena_full(arena, err);
    struct alert alert = {.id = value_get_string(&root, STR("id")),
                          .thread = value_get_string(&root, STR("thread")),
                          .title = value_get_string(&root, STR("title")),
                          .text = value_get_string(&root, STR("text")),
                          .link = value_get_string(&root, STR("link")),
                          .made_utc_ms = moment(&root, "made"),
                          .finding = finding,
                          .nfindings = n,
                          .more = number(&root, "more"),
                          .others_open = value_get_bool(&root, STR("others_open"), false)};
    bool ok = alert.id.len && read_status(value_get_string(&root, STR("status")), &alert.status) &&
              severity_from(value_get_string(&root, STR("severity")), &alert.severity);
    for (size_t i = 0; i < n && ok; i++)
        ok = read_finding(arena, &findings->items[i], &finding[i]);
    if (!ok)
        return err_set(err, ERR_SYNTAX, "alert: this is none of plumb's");
    *ret = alert;
    return true;
}

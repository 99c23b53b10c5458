/* feed_text.c - what the feeds share: members by a path, texts that may name something, clients. */
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/glob.h"
#include "live/feed_parts.h"

enum { LEAF_DEPTH_MAX = 12, LEAF_LEAST = 2 };

const struct value *feed_get(const struct value *v, const char *path)
{
    struct str rest = str_from(path), step;
    for (bool more = true; v && more;) {
        more = str_cut(&rest, '.', &step);
        v = value_get(v, step);
    }
    return v;
}

struct str feed_text(const struct value *v, const char *path)
{
    const struct value *at = feed_get(v, path);
    return value_is_string(at) ? value_text(at) : (struct str){0};
}

struct str feed_first(const struct value *v, const char *const *paths)
{
    struct str text = {0};
    for (size_t i = 0; paths[i] && !text.len; i++)
        text = feed_text(v, paths[i]);
    return text;
}

int64_t feed_time(const struct value *v)
{
    enum { SECONDS_MOST = 100000000 };
    int64_t ms = 0;
    if (value_is_string(v) && clock_parse(value_text(v), &ms))
        return ms;
    if (v && v->kind == VALUE_NUMBER && value_to_int64(v, &ms) && ms > 0)
        return ms / 1000 < SECONDS_MOST ? ms * 1000 : ms;
    return 0;
}

void feed_add_name(struct feed_event *e, struct str key, struct str text, unsigned depth,
                   bool declared)
{
    struct activity *a = e->to;
    text = str_trim(text);
    if (text.len < LEAF_LEAST || text.len > ACTIVITY_TEXT_MAX)
        return;
    for (size_t i = 0; i < a->nnames; i++)
        if (str_equal(e->name[i].text, text)) {
            e->name[i].declared |= declared;
            return;
        }
    a->more_names |= a->nnames == ACTIVITY_NAMES_MAX;
    struct activity_name *grown =
        a->more_names ? NULL : arena_grow(e->arena, e->name, a->nnames, &e->room, a->nnames + 1);
    e->full |= !grown && !a->more_names;
    if (!grown)
        return;
    a->name = e->name = grown;
    e->name[a->nnames++] = (struct activity_name){text, key, depth, declared};
}

/* Those so deep; true: there is something deeper. */
static bool add_level(struct feed_event *e, struct str key, const struct value *v, unsigned depth,
                      unsigned level, bool declared)
{
    bool list = value_is_list_like(v), deeper = false;
    if (e->full || e->to->more_names)
        return false;
    if (!list && !value_is_object_like(v)) {
        if (depth == level && v->kind == VALUE_STRING)
            feed_add_name(e, key, value_text(v), depth, declared);
        return false;
    }
    if (depth == level)
        return v->len != 0;
    for (uint32_t i = 0; i < v->len; i++)
        deeper |= add_level(e, list ? key : key_str(v->members[i].key),
                            list ? &v->items[i] : &v->members[i].value, depth + 1, level, declared);
    return deeper;
}

/* What stands further up comes first: of an event with many texts it says most. */
void feed_add_leaves(struct feed_event *e, struct str key, const struct value *v, bool declared)
{
    for (unsigned level = 0; v && level <= LEAF_DEPTH_MAX; level++)
        if (!add_level(e, key, v, 0, level, declared))
            return;
}

bool feed_has(struct str text, const char *part)
{
    size_t n = strlen(part);
    for (size_t i = 0; n && i + n <= text.len; i++)
        if (strncasecmp(text.ptr + i, part, n) == 0)
            return true;
    return false;
}

struct str feed_after_last(struct str text, char c)
{
    for (size_t i = text.len; i > 0; i--)
        if (text.ptr[i - 1] == c)
            return str_sub(text, i, text.len);
    return text;
}

enum activity_way feed_way_of_client(struct str client)
{
    static const struct {
        const char *part;
        enum activity_way way;
    } marks[] = {{"terraform", ACTIVITY_TERRAFORM},
                 {"opentofu", ACTIVITY_TERRAFORM},
                 {"console.amazonaws.com", ACTIVITY_CONSOLE},
                 {"signin.amazonaws.com", ACTIVITY_CONSOLE},
                 {"S3Console", ACTIVITY_CONSOLE},
                 {"aws-cli", ACTIVITY_API},
                 {"Mozilla/", ACTIVITY_CONSOLE},
                 {"AWS Internal", ACTIVITY_SERVICE}};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (feed_has(client, marks[i].part))
            return marks[i].way;
    return client.len ? ACTIVITY_API : ACTIVITY_UNKNOWN_WAY;
}

static void put(char *to, size_t room, size_t *n, struct str text)
{
    for (size_t i = 0; i < text.len && *n < room; i++) {
        char c = text.ptr[i];
        to[(*n)++] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
}

bool feed_is_attack(const struct activity *a)
{
    static const struct str patterns[] = {
        STR_INIT("cloudtrail stop*"),
        STR_INIT("cloudtrail delete*"),
        STR_INIT("cloudtrail updatetrail*"),
        STR_INIT("cloudtrail put*selectors"),
        STR_INIT("config stop*"),
        STR_INIT("config delete*recorder"),
        STR_INIT("config deletedeliverychannel"),
        STR_INIT("guardduty delete*"),
        STR_INIT("securityhub disable*"),
        STR_INIT("logging.googleapis.com *.deletesink"),
        STR_INIT("logging.googleapis.com *.updatesink"),
        STR_INIT("logging.googleapis.com *exclusion"),
        STR_INIT("logging.googleapis.com *.deletebucket"),
        STR_INIT("* microsoft.insights/diagnosticsettings/*"),
        STR_INIT("* microsoft.eventgrid/*eventsubscriptions/delete")};
    char text[256];
    size_t n = 0;
    put(text, sizeof text, &n, a->service);
    put(text, sizeof text, &n, STR(" "));
    put(text, sizeof text, &n, a->action);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        if (glob_match(patterns[i], (struct str){text, n}, '\0'))
            return true;
    return false;
}

bool feed_verb(struct str action, const char *const *verbs)
{
    struct str verb = feed_after_last(feed_after_last(action, '.'), '/');
    for (size_t i = 0; verbs[i]; i++)
        if (verb.len >= strlen(verbs[i]) && strncasecmp(verb.ptr, verbs[i], strlen(verbs[i])) == 0)
            return true;
    return false;
}

/* alert_make.c - the store's row and its detail to what an alert says of a finding. */
#include "respond/alert_make.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "record/listing.h"
#include "wire/json.h"

enum { SHORT_FINGERPRINT = 8, TODO_MAX = 4 };

/* --- pieces --- */

static struct str cut(struct arena *arena, struct str s, size_t most)
{
    if (s.len <= most)
        return s;
    while (most && ((unsigned char)s.ptr[most] & 0xc0) == 0x80)
        most--;
    return arena_printf(arena, "%.*s...", (int)most, s.ptr);
}

/* Text as it is, everything else as JSON; empty where there is none. */
static struct str value_shown(struct arena *arena, const struct value *v)
{
    if (!v || v->kind == VALUE_NULL)
        return STR("");
    if (value_is_string(v))
        return cut(arena, value_text(v), ALERT_VALUE_MAX);
    AUTO_BUF out = {.limit = 1 << 20};
    struct jsonw w = {.out = &out};
    jsonw_value(&w, v);
    return cut(arena, arena_dup(arena, buf_view(&out)), ALERT_VALUE_MAX);
}

static uint32_t line_of(const struct value *at)
{
    int64_t line = 0;
    return value_to_int64(value_get(at, STR("line")), &line) && line > 0 && line < UINT32_MAX
               ? (uint32_t)line
               : 0;
}

static bool take_changes(struct arena *arena, const struct value *detail, struct alert_finding *f,
                         struct err *err)
{
    const struct value *list = value_get(detail, STR("changes"));
    size_t n = value_is_list_like(list) ? list->len : 0;
    struct alert_change *change = arena_new(arena, struct alert_change, ALERT_CHANGES_MAX);
    if (!change)
        return arena_full(arena, err);
    for (size_t i = 0; i < n; i++) {
        const struct value *from = &list->items[i];
        if (value_get_string(from, STR("ignored_by")).len)
            continue;
        if (f->nchanges == ALERT_CHANGES_MAX) {
            f->more_changes++;
            continue;
        }
        change[f->nchanges++] = (struct alert_change){
            value_get_string(from, STR("path")), value_shown(arena, value_get(from, STR("before"))),
            value_shown(arena, value_get(from, STR("after")))};
    }
    f->change = change;
    return true;
}

/* "file:line", or empty */
static struct str place_text(struct arena *arena, const struct value *at)
{
    struct str file = value_get_string(at, STR("file"));
    uint32_t line = line_of(at);
    return file.len && line ? arena_printf(arena, "%.*s:%u", STR_ARG(file), line) : file;
}

static void take_actor(const struct value *detail, struct alert_finding *f)
{
    const struct value *by = value_get(detail, STR("actor"));
    int64_t at = 0;
    f->session = value_get_string(by, STR("session"));
    f->client = value_get_string(by, STR("client"));
    f->source_ip = value_get_string(by, STR("source_ip"));
    f->event = value_get_string(by, STR("event"));
    f->perhaps = !value_get_bool(by, STR("surely"), true);
    if (clock_parse(value_get_string(by, STR("time")), &at))
        f->actor_utc_ms = at;
    if (!f->actor.len && !f->actor_how.len)
        f->actor_how = value_get_string(by, STR("unknown"));
}

/* --- what to do --- */

static bool take_todo(struct arena *arena, struct alert_finding *f, bool open, struct err *err)
{
    struct str fp = str_sub(f->fingerprint, 0, SHORT_FINGERPRINT);
    struct str *todo = arena_new(arena, struct str, TODO_MAX);
    size_t n = 0;
    bool code = f->class_ == CLASS_CONTRADICTS_CODE || f->class_ == CLASS_MISSING;
    if (!todo)
        return arena_full(arena, err);
    todo[n++] = arena_printf(arena, "plumb finding show %.*s", STR_ARG(fp));
    if (open && code)
        todo[n++] = arena_printf(arena, "plumb review %.*s --revert --reason '...'", STR_ARG(fp));
    if (open && (code || f->class_ == CLASS_UNMANAGED))
        todo[n++] = arena_printf(arena, "plumb review %.*s --adopt --reason '...'", STR_ARG(fp));
    if (open && f->class_ != CLASS_UNCHECKED)
        todo[n++] = arena_printf(arena, "plumb review %.*s --accept --until 30d --reason '...'",
                                 STR_ARG(fp));
    f->todo = todo;
    f->ntodo = n;
    return todo[n - 1].ptr || arena_full(arena, err);
}

struct str alert_file_url(struct arena *arena, struct str repository, struct str commit,
                          struct str file, uint32_t line)
{
    struct str host, rest = repository, way = STR("blob"), mark = STR("#L");
    size_t at = str_find(rest, STR("://"), 0);
    bool web = str_starts(rest, STR("https://")) || str_starts(rest, STR("http://")) ||
               str_starts(rest, STR("ssh://")) || str_starts(rest, STR("git://"));
    if (!web || !commit.len || !file.len || file.ptr[0] == '/' || str_starts(file, STR("../")))
        return STR("");
    bool kept = str_starts(rest, STR("http")); /* a port of ssh is none of the web's */
    struct str scheme = str_starts(rest, STR("http://")) ? STR("http") : STR("https");
    rest = str_sub(rest, at + 3, rest.len);
    (void)str_cut(&rest, '/', &host);
    host = kept ? host : str_sub(host, 0, str_find_char(host, ':', 0));
    if (str_ends(rest, STR(".git")))
        rest = str_sub(rest, 0, rest.len - 4);
    if (str_find(host, STR("gitlab"), 0) != SIZE_MAX)
        way = STR("-/blob");
    if (str_find(host, STR("bitbucket"), 0) != SIZE_MAX) {
        way = STR("src");
        mark = STR("#lines-");
    }
    if (!host.len || !rest.len)
        return STR("");
    AUTO_BUF path = {.limit = 1 << 16};
    for (size_t i = 0; i < file.len; i++) {
        unsigned char c = (unsigned char)file.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '/' || c == '.' || c == '-' || c == '_' || c == '~';
        if (plain)
            buf_char(&path, (char)c);
        else
            buf_printf(&path, "%%%02X", c);
    }
    if (line)
        buf_printf(&path, "%.*s%u", STR_ARG(mark), line);
    return arena_printf(arena, "%.*s://%.*s/%.*s/%.*s/%.*s/%.*s", STR_ARG(scheme), STR_ARG(host),
                        STR_ARG(rest), STR_ARG(way), STR_ARG(commit), STR_ARG(buf_view(&path)));
}

/* --- the whole --- */

struct around {
    struct arena *arena;
    struct str environment, owner, repository, commit;
};

static bool take_around(void *ctx, const struct db_row *row, struct err *err)
{
    struct around *around = ctx;
    struct str *to[] = {&around->environment, &around->owner, &around->repository, &around->commit};
    for (size_t i = 0; i < sizeof to / sizeof *to; i++) {
        *to[i] = arena_dup(around->arena, db_text(row, i));
        if (!to[i]->ptr)
            return arena_full(around->arena, err);
    }
    return true;
}

static bool load_around(struct record *record, const struct finding_row *row, struct around *ret,
                        struct err *err)
{
    const struct db_value param[] = {DB_PARAM_TEXT(row->stack), DB_PARAM_INT(row->seen_run)};
    return db_query(record->db,
                    "SELECT s.environment, s.owner, coalesce(r.repository, ''),"
                    " coalesce(r.revision, '') FROM stack s LEFT JOIN run r ON r.id = $2"
                    " WHERE s.name = $1",
                    param, 2, take_around, ret, err);
}

/* By rule or CODEOWNERS, else by the resource's tag, else of the stack. */
static struct str owner_of(const struct finding_row *row, const struct value *tags,
                           const struct around *around)
{
    static const struct str keys[] = {STR_INIT("owner"), STR_INIT("Owner"), STR_INIT("team"),
                                      STR_INIT("Team")};
    if (row->owner.len)
        return row->owner;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct str tag = value_get_string(tags, keys[i]);
        if (tag.len)
            return tag;
    }
    return around->owner;
}

static void take_row(struct arena *arena, const struct finding_row *row, const struct value *detail,
                     const struct around *around, struct alert_finding *f)
{
    const struct value *at = value_get(detail, STR("location"));
    struct str reason = value_get_string(detail, STR("reason"));
    *f = (struct alert_finding){.fingerprint = row->fingerprint,
                                .stack = row->stack,
                                .environment = around->environment,
                                .owner = owner_of(row, value_get(detail, STR("tags")), around),
                                .address = row->address,
                                .type = row->type,
                                .provider = row->provider,
                                .severity = row->severity >= 0 && row->severity < SEVERITY_COUNT
                                                ? (enum severity)row->severity
                                                : SEVERITY_CRITICAL,
                                .file = value_get_string(at, STR("file")),
                                .line = line_of(at),
                                .actor = row->actor,
                                .actor_how = row->actor_how,
                                .decision = row->decision,
                                .rule = row->rule,
                                .rule_place = place_text(arena, value_get(detail, STR("policy"))),
                                .first_utc_ms = row->first_utc_ms,
                                .since_utc_ms = row->changed_utc_ms,
                                .due_utc_ms = row->due_utc_ms};
    struct str message = value_get_string(value_get(detail, STR("policy")), STR("message"));
    f->reason = cut(arena, row->why.len ? row->why : reason.len ? reason : message, ALERT_LINE_MAX);
    f->file_url = alert_file_url(arena, around->repository, around->commit, f->file, f->line);
    (void)finding_class_from(row->class_, &f->class_);
    take_actor(detail, f);
}

static void take_subject(const struct value *detail, struct alert_source *s)
{
    const struct alert_finding *f = &s->finding;
    const struct value *tags = value_get(detail, STR("tags"));
    s->subject = (struct when_subject){.severity = f->severity,
                                       .tags = value_is_object_like(tags) ? tags : NULL};
    struct str *text = s->subject.text;
    text[WHEN_CLASS] = str_from(finding_class_name(f->class_));
    text[WHEN_STACK] = f->stack;
    text[WHEN_ENVIRONMENT] = f->environment;
    text[WHEN_OWNER] = f->owner;
    text[WHEN_TYPE] = f->type;
    text[WHEN_ADDRESS] = f->address;
    text[WHEN_PROVIDER] = f->provider;
    text[WHEN_DECISION] = f->decision;
    text[WHEN_RULE] = f->rule;
    text[WHEN_ACTOR] = f->actor;
}

bool alert_load(struct record *record, struct arena *arena, int64_t finding, struct str url,
                struct alert_source *ret, bool *ret_found, struct err *err)
{
    struct finding_row row = {0};
    struct around around = {.arena = arena};
    struct value *detail = arena_new(arena, struct value, 1);
    if (!detail)
        return arena_full(arena, err);
    if (!finding_get_id(record, arena, finding, record_now(record), &row, ret_found, err))
        return false;
    if (!*ret_found)
        return true;
    if (!load_around(record, &row, &around, err) ||
        !json_parse(arena, row.detail, "the store's detail", JSON_DEFAULT, detail, err))
        return false;
    *ret = (struct alert_source){.id = finding,
                                 .status = row.status,
                                 .open = finding_status_open(row.status),
                                 .digest = row.digest,
                                 .why = row.why};
    struct alert_finding *f = &ret->finding;
    take_row(arena, &row, detail, &around, f);
    if (url.len)
        f->link =
            arena_printf(arena, "%.*s/v1/findings/%.*s", STR_ARG(url), STR_ARG(f->fingerprint));
    take_subject(detail, ret);
    return take_changes(arena, detail, f, err) && take_todo(arena, f, ret->open, err);
}

static bool keep(struct arena *arena, struct str *s, struct err *err)
{
    *s = arena_dup(arena, *s);
    return s->ptr || arena_full(arena, err);
}

/* Out of where the whole detail lies. */
static bool keep_finding(struct arena *arena, struct alert_finding *f, struct err *err)
{
    struct str *texts[] = {&f->fingerprint, &f->stack,  &f->environment, &f->owner,
                           &f->address,     &f->type,   &f->provider,    &f->file,
                           &f->file_url,    &f->reason, &f->actor,       &f->actor_how,
                           &f->session,     &f->client, &f->source_ip,   &f->event,
                           &f->decision,    &f->rule,   &f->rule_place,  &f->link};
    struct alert_change *change = arena_new(arena, struct alert_change, f->nchanges);
    struct str *todo = arena_new(arena, struct str, f->ntodo);
    if (!change || !todo)
        return arena_full(arena, err);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!keep(arena, texts[i], err))
            return false;
    for (size_t i = 0; i < f->nchanges; i++) {
        change[i] = f->change[i];
        if (!keep(arena, &change[i].path, err) || !keep(arena, &change[i].before, err) ||
            !keep(arena, &change[i].after, err))
            return false;
    }
    for (size_t i = 0; i < f->ntodo; i++) {
        todo[i] = f->todo[i];
        if (!keep(arena, &todo[i], err))
            return false;
    }
    f->change = change;
    f->todo = todo;
    return true;
}

bool alert_load_shown(struct record *record, struct arena *arena, int64_t finding, struct str url,
                      struct alert_source *ret, bool *ret_found, struct err *err)
{
    AUTO_ARENA whole = {.limit = arena->limit};
    if (!alert_load(record, &whole, finding, url, ret, ret_found, err))
        return false;
    if (!*ret_found)
        return true;
    ret->subject = (struct when_subject){.severity = ret->finding.severity};
    return keep_finding(arena, &ret->finding, err) && keep(arena, &ret->digest, err) &&
           keep(arena, &ret->why, err);
}

struct str alert_title(struct arena *arena, const struct alert_finding *finding, size_t n,
                       size_t more)
{
    bool one_stack = true;
    if (n == 1 && !more)
        return arena_printf(arena, "%s %.*s in %.*s", finding_class_name(finding->class_),
                            STR_ARG(finding->address), STR_ARG(finding->stack));
    for (size_t i = 0; i < n; i++)
        one_stack = one_stack && str_equal(finding[i].stack, finding[0].stack);
    struct str stack = one_stack && n ? finding[0].stack : STR("");
    return arena_printf(arena, "%zu findings%s%.*s", n + more, stack.len ? " in " : "",
                        STR_ARG(stack));
}

/* config.c - YAML against the table of config_field.c; every complaint has its place. */
#include "model/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/quantity.h"
#include "model/config_field.h"
#include "model/review.h"
#include "model/schedule.h"
#include "model/timespan.h"
#include "model/when.h"
#include "value/number.h"
#include "wire/yaml.h"

enum { KEYS_MAX = 64, LIST_MAX = 100000, VERSION = 1, SHOWN_DIGITS = 30 };

struct reader {
    struct arena *arena;
    const struct yaml_doc *doc;
    const char *name; /* of the file */
    struct str text;
    struct str *notes;
    size_t nnotes, notes_room;
};

/* `at` is the node the message is about. Always false. */
static bool complain(const struct reader *r, const struct value *at, struct err *err,
                     const char *what, struct str detail)
{
    struct place place = at ? yaml_place(r->doc, at) : r->doc->place;
    return err_set(err, ERR_SYNTAX, "%s:%u:%u: %s%.*s", r->name, place.line ? place.line : 1,
                   place.column ? place.column : 1, what, STR_ARG(detail));
}

static bool complain_value(const struct reader *r, const struct value *at, struct err *err,
                           const char *field, struct str want)
{
    struct place place = yaml_place(r->doc, at);
    struct str got =
        value_is_string(at) ? value_text(at) : str_from(value_plain_kind_name(at->kind));
    return err_set(err, ERR_USAGE, "%s:%u:%u: %s: want %.*s, got %s%.*s%s", r->name, place.line,
                   place.column, field, STR_ARG(want), value_is_string(at) ? "'" : "", STR_ARG(got),
                   value_is_string(at) ? "'" : "");
}

/* Where a number belongs none is a secret: which one it is may be said. */
static bool complain_number(const struct reader *r, const struct value *at, struct err *err,
                            const char *field, struct str want)
{
    struct place place = yaml_place(r->doc, at);
    struct str number;
    if (at->kind != VALUE_NUMBER || !number_print_plain(r->arena, at, SHOWN_DIGITS, &number, NULL))
        return complain_value(r, at, err, field, want);
    return err_set(err, ERR_USAGE, "%s:%u:%u: %s: want %.*s, got number %.*s", r->name, place.line,
                   place.column, field, STR_ARG(want), STR_ARG(number));
}

static bool add_note(struct reader *r, struct str note, struct err *err)
{
    r->notes = arena_grow(r->arena, r->notes, r->nnotes, &r->notes_room, r->nnotes + 1);
    if (!r->notes || !note.ptr)
        return arena_full(r->arena, err);
    r->notes[r->nnotes++] = note;
    return true;
}

/* --- what a string must be --- */

static bool template_ok(struct str text)
{
    for (size_t at = 0; (at = str_find_char(text, '{', at)) != SIZE_MAX; at++) {
        size_t end = str_find_char(text, '}', at), i = 0;
        if (end == SIZE_MAX)
            return false;
        struct str word = str_sub(text, at + 1, end);
        while (config_words[i] && !str_equal(word, str_from(config_words[i])))
            i++;
        if (!config_words[i])
            return false;
    }
    return true;
}

/* A machine without time zone data cannot tell: config_check_schedules does. */
static bool schedule_says(struct str text, struct err *err)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct schedule schedule;
    struct err why = {0};
    if (schedule_parse(&arena, text, STR(""), 0, &schedule, &why) || why.kind == ERR_UNAVAILABLE)
        return true;
    return err_set(err, why.kind, "%s", why.frame[0]);
}

static bool zone_says(struct str text, struct err *err)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    const struct zone *zone;
    struct err why = {0};
    if (zone_load(&arena, text, &zone, &why) || why.kind == ERR_UNAVAILABLE)
        return true;
    return err_set(err, why.kind, "%s", why.frame[0]);
}

static bool duration_ok(struct str text)
{
    int64_t ms;
    return quantity_parse_duration(text, &ms) && ms >= 0;
}

static bool reference_ok(struct str text)
{
    return (str_starts(text, STR("env:")) && text.len > 4) ||
           (str_starts(text, STR("file:")) && text.len > 5);
}

/* "//user:password@host" has no place in a file under version control. */
static bool has_password(struct str text)
{
    size_t start = str_find(text, STR("://"), 0);
    if (start == SIZE_MAX)
        return false;
    size_t end = str_find_char(text, '/', start + 3);
    struct str authority = str_sub(text, start + 3, end == SIZE_MAX ? text.len : end);
    size_t at = str_find_char(authority, '@', 0);
    return at != SIZE_MAX && str_find_char(str_sub(authority, 0, at), ':', 0) != SIZE_MAX;
}

static bool filled_ok(struct str text)
{
    return str_trim(text).len > 0;
}

static bool date_ok(struct str text)
{
    int64_t ms;
    return clock_parse(text, &ms);
}

static bool store_ok(struct str text)
{
    static const struct str starts[] = {STR_INIT("sqlite:"), STR_INIT("postgres://"),
                                        STR_INIT("postgresql://")};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (str_starts(text, starts[i]) && text.len > starts[i].len)
            return !has_password(text);
    return false;
}

static bool location_ok(struct str text)
{
    return filled_ok(text) && !has_password(text);
}

static bool path_ok(struct str text)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct path path;
    return filled_ok(text) && path_parse(&arena, text, &path, NULL);
}

static bool decision_ok(struct str text)
{
    enum decision decision;
    return decision_from(text, &decision);
}

static bool severity_ok(struct str text)
{
    enum severity severity;
    return severity_from(text, &severity);
}

static bool answer_ok(struct str text)
{
    enum review_answer answer;
    return review_answer_from(text, &answer);
}

static bool self_ok(struct str text)
{
    return str_equal(text, STR("author")) || str_equal(text, STR("requester"));
}

static bool trust_ok(struct str text)
{
    return str_equal(text, STR("os-user")) || str_equal(text, STR("token")) ||
           str_equal(text, STR("oidc")) || (str_starts(text, STR("ci:")) && text.len > 3);
}

static bool witness_ok(struct str text)
{
    return str_equal(text, STR("file")) || str_equal(text, STR("git")) ||
           str_equal(text, STR("syslog")) || str_equal(text, STR("http"));
}

static bool level_ok(struct str text)
{
    return str_equal(text, STR("block")) || str_equal(text, STR("warn")) ||
           str_equal(text, STR("off"));
}

static bool group_ok(struct str text)
{
    static const struct str names[] = {STR_INIT("none"), STR_INIT("stack"), STR_INIT("owner"),
                                       STR_INIT("environment")};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_equal(text, names[i]))
            return true;
    return false;
}

static bool span_ok(struct str text)
{
    struct timespan span;
    return timespan_parse(text, &span);
}

static bool digest_ok(struct str text)
{
    struct timespan_digest digest;
    return timespan_digest_parse(text, &digest);
}

static const struct {
    bool (*ok)(struct str text);
    struct str want;
    bool (*says)(struct str text,
                 struct err *err); /* where there is more than one way to be wrong */
} checks[] = {
    [CHECK_NONE] = {NULL, STR_INIT("a string")},
    [CHECK_FILLED] = {filled_ok, STR_INIT("a string that is not empty")},
    [CHECK_TEMPLATE] = {template_ok,
                        STR_INIT("a string whose only words in braces are {path}, {dir}, "
                                 "{parent} and {workspace}")},
    [CHECK_SCHEDULE] = {NULL, STR_INIT("a schedule such as hourly, 15m or five cron fields"),
                        schedule_says},
    [CHECK_ZONE] = {NULL, STR_INIT("a time zone such as Europe/Berlin"), zone_says},
    [CHECK_DURATION] = {duration_ok, STR_INIT("a duration such as 30s or 2m")},
    [CHECK_DATE] = {date_ok, STR_INIT("a date such as 2026-12-31")},
    [CHECK_PATH] = {path_ok, STR_INIT("an attribute path such as tags.* or ingress[*].from_port")},
    [CHECK_REFERENCE] = {reference_ok,
                         STR_INIT(
                             "a reference, env:NAME or file:PATH: no secret stands in this file")},
    [CHECK_STORE] = {store_ok, STR_INIT("sqlite:PATH or postgres://... without a password "
                                        "(PGPASSWORD or ~/.pgpass hold it)")},
    [CHECK_LOCATION] = {location_ok, STR_INIT("a path, or a URL without a password")},
    [CHECK_WITNESS] = {witness_ok, STR_INIT("file, git, syslog or http")},
    [CHECK_LEVEL] = {level_ok, STR_INIT("block, warn or off")},
    [CHECK_GROUP] = {group_ok, STR_INIT("none, stack, owner or environment")},
    [CHECK_SPAN] = {span_ok, STR_INIT("days and times such as mon-fri 08:00-18:00")},
    [CHECK_DIGEST] = {digest_ok, STR_INIT("daily 09:00 or weekly mon 09:00")},
    [CHECK_WHEN] = {filled_ok, STR_INIT("a condition such as severity >= high")},
    [CHECK_DECISION] = {decision_ok, STR_INIT("ignore, notify, review, revert or block")},
    [CHECK_SEVERITY] = {severity_ok, STR_INIT("info, low, medium, high or critical")},
    [CHECK_ANSWER] = {answer_ok, STR_INIT("revert, adopt or accept")},
    [CHECK_SELF] = {self_ok, STR_INIT("author or requester")},
    [CHECK_TRUST] = {trust_ok, STR_INIT("os-user, token, oidc, or ci:NAME such as ci:github")},
};

/* --- one kind of field each --- */

/* A condition, whose errors stand where they are within it, where it is on one line. */
static bool check_when(const struct reader *r, const struct value *v, struct err *err)
{
    AUTO_ARENA scratch = {.limit = 1 << 20};
    const struct when *when;
    struct place place = yaml_place(r->doc, v);
    struct err why = {0};
    size_t at = 0, line = 1, start = 0;
    if (when_parse(&scratch, value_text(v), &when, &at, &why))
        return true;
    while (line < place.line && (start = str_find_char(r->text, '\n', start)) != SIZE_MAX) {
        line++;
        start++;
    }
    size_t first = start + place.column - 1; /* lines before it may hold anything, this one too */
    if (start != SIZE_MAX && first < r->text.len &&
        (r->text.ptr[first] == '"' || r->text.ptr[first] == '\''))
        at++;
    return err_set(err, ERR_SYNTAX, "%s:%u:%zu: when: %s", r->name, place.line, place.column + at,
                   why.frame[0]);
}

static bool read_text(const struct reader *r, const struct field *field, const struct value *v,
                      struct str *ret, struct err *err)
{
    bool hidden = field->check == CHECK_REFERENCE || field->check == CHECK_STORE ||
                  field->check == CHECK_LOCATION; /* what stands there may be a secret */
    if (!value_is_string(v))
        return complain_value(r, v, err, field->name, checks[field->check].want);
    if (checks[field->check].ok && !checks[field->check].ok(value_text(v)))
        return hidden ? complain(r, v, err, "want ", checks[field->check].want)
                      : complain_value(r, v, err, field->name, checks[field->check].want);
    if (checks[field->check].says && !checks[field->check].says(value_text(v), err)) {
        struct place place = yaml_place(r->doc, v);
        return err_wrap(err, "%s:%u:%u: %s", r->name, place.line, place.column, field->name);
    }
    *ret = value_text(v);
    return field->check != CHECK_WHEN || check_when(r, v, err);
}

/* 3, 1.50 and true without quotes are meant as their text. */
static bool read_scalar(const struct reader *r, const struct field *field, const struct value *v,
                        struct str *ret, struct err *err)
{
    int64_t number;
    if (v->kind == VALUE_BOOL)
        *ret = v->truth ? STR("true") : STR("false");
    else if (value_to_int64(v, &number))
        *ret = arena_printf(r->arena, "%lld", (long long)number);
    else if (v->kind == VALUE_NUMBER)
        *ret = value_text(v);
    else
        return read_text(r, field, v, ret, err);
    return ret->ptr || arena_full(r->arena, err);
}

static bool read_strings(const struct reader *r, const struct field *field, const struct value *v,
                         char *target, struct err *err)
{
    size_t n = value_is_list_like(v) ? v->len : 1;
    struct str *list = arena_new(r->arena, struct str, n);
    if (!list)
        return arena_full(r->arena, err);
    for (size_t i = 0; i < n; i++)
        if (!read_text(r, field, value_is_list_like(v) ? &v->items[i] : v, &list[i], err))
            return false;
    memcpy(target + field->at, &(const struct str *){list}, sizeof list);
    memcpy(target + field->count_at, &n, sizeof n);
    return true;
}

/* As somebody would write it: 86400000 milliseconds are "1d". */
static struct str number_shown(const struct reader *r, enum field_kind kind, int64_t number)
{
    static const struct {
        int64_t ms;
        const char *name;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    size_t i = 0;
    if (kind != FIELD_DURATION || number == 0)
        return arena_printf(r->arena, "%lld", (long long)number);
    while (number % units[i].ms != 0)
        i++;
    return arena_printf(r->arena, "%lld%s", (long long)(number / units[i].ms), units[i].name);
}

/* The bounds of a number; the largest there is is none that anybody has to know. */
static struct str bounds(const struct reader *r, const struct field *field)
{
    struct str least = number_shown(r, field->kind, field->least);
    if (!field->most)
        return arena_printf(r->arena, "at least %.*s", STR_ARG(least));
    struct str most = number_shown(r, field->kind, field->most);
    return arena_printf(r->arena, "at least %.*s and at most %.*s", STR_ARG(least), STR_ARG(most));
}

static bool read_number(const struct reader *r, const struct field *field, const struct value *v,
                        char *target, struct err *err)
{
    static const struct str want[] = {[FIELD_INT] = STR_INIT("a whole number"),
                                      [FIELD_SIZE] = STR_INIT("a size such as 512M or 2G"),
                                      [FIELD_DURATION] = STR_INIT("a duration such as 30s or 2m")};
    int64_t number = 0;
    bool ok = value_to_int64(v, &number);
    if (ok && field->kind == FIELD_DURATION)
        ok = !__builtin_mul_overflow(number, (int64_t)1000, &number);
    else if (!ok && value_is_string(v) && field->kind == FIELD_SIZE)
        ok = quantity_parse_bytes(value_text(v), &number);
    else if (!ok && value_is_string(v) && field->kind == FIELD_DURATION)
        ok = quantity_parse_duration(value_text(v), &number);
    if (!ok)
        return complain_number(r, v, err, field->name, want[field->kind]);
    int64_t most = field->most ? field->most : INT64_MAX;
    if (number < field->least || number > most)
        return complain_number(r, v, err, field->name, bounds(r, field));
    memcpy(target + field->at, &number, sizeof number);
    return true;
}

static bool read_bool(const struct reader *r, const struct field *field, const struct value *v,
                      char *target, struct err *err)
{
    if (v->kind != VALUE_BOOL)
        return complain_value(r, v, err, field->name, STR("true or false"));
    bool kept = field->kind == FIELD_NOT ? !v->truth : v->truth;
    memcpy(target + field->at, &kept, sizeof kept);
    return true;
}

static bool read_version(const struct reader *r, const struct value *v, struct err *err)
{
    int64_t version;
    if (value_to_int64(v, &version) && version > VERSION)
        return complain(r, v, err, "this file is for a newer plumb; this one reads version 1",
                        STR(""));
    if (!value_to_int64(v, &version) || version != VERSION)
        return complain_value(r, v, err, "version", STR("1"));
    return true;
}

/* "aws", "hashicorp/aws", "registry.example.com/hashicorp/aws", each with ".alias" behind it. */
static bool provider_name_ok(struct str name)
{
    size_t slashes = 0;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '_' || c == '.' || c == ':';
        slashes += c == '/';
        if (!word && c != '/')
            return false;
        if (c == '/' && (i == 0 || i + 1 == name.len || name.ptr[i - 1] == '/'))
            return false;
    }
    return name.len > 0 && slashes <= 2;
}

static bool names_secret(struct str key)
{
    static const struct str words[] = {STR_INIT("password"),   STR_INIT("secret"),
                                       STR_INIT("token"),      STR_INIT("private_key"),
                                       STR_INIT("access_key"), STR_INIT("api_key")};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_find(key, words[i], 0) != SIZE_MAX)
            return true;
    return false;
}

/* A literal where a secret seems to be meant is told, not refused: it may be a dummy. */
static bool note_plain_secrets(struct reader *r, struct str provider, const struct value *config,
                               struct err *err)
{
    for (size_t i = 0; i < config->len; i++) {
        const struct value *v = &config->members[i].value;
        struct str key = key_str(config->members[i].key);
        if (!value_is_string(v) || reference_ok(value_text(v)) || !names_secret(key))
            continue;
        struct place place = yaml_place(r->doc, v);
        if (!add_note(r,
                      arena_printf(r->arena,
                                   "%s:%u:%u: providers.%.*s.%.*s looks like a secret in plain "
                                   "text; write env:NAME or file:PATH",
                                   r->name, place.line, place.column, STR_ARG(provider),
                                   STR_ARG(key)),
                      err))
            return false;
    }
    return true;
}

static bool read_providers(struct reader *r, const struct field *field, const struct value *v,
                           char *target, struct err *err)
{
    if (!value_is_object_like(v))
        return complain_value(r, v, err, field->name,
                              STR("a mapping of a provider's name to its settings"));
    size_t n = v->len;
    struct config_provider *list = arena_new(r->arena, struct config_provider, n);
    if (!list)
        return arena_full(r->arena, err);
    for (size_t i = 0; i < n; i++) {
        const struct value *config = &v->members[i].value;
        struct str name = key_str(v->members[i].key);
        struct place place = yaml_key_place(r->doc, config);
        if (!provider_name_ok(name))
            return complain(r, config, err,
                            "a provider is named aws, hashicorp/aws or HOST/hashicorp/aws, with "
                            ".alias behind it; not ",
                            name);
        if (!value_is_object_like(config))
            return complain_value(r, config, err, "provider settings", STR("a mapping"));
        if (!note_plain_secrets(r, name, config, err))
            return false;
        list[i] = (struct config_provider){name, *config, {place.line, place.column}};
    }
    memcpy(target + field->at, &(const struct config_provider *){list}, sizeof list);
    memcpy(target + field->count_at, &n, sizeof n);
    return true;
}

/* --- mappings --- */

static bool read_section(struct reader *r, const struct section *section, const struct value *v,
                         char *target, unsigned depth_left, struct err *err);

static bool read_list(struct reader *r, const struct field *field, const struct value *v,
                      char *target, unsigned depth_left, struct err *err)
{
    const struct section *section = field->section;
    if (!value_is_list_like(v) || v->len > LIST_MAX)
        return complain_value(r, v, err, field->name, STR("a list"));
    size_t n = v->len;
    char *list = arena_alloc(r->arena, n, section->size, _Alignof(max_align_t));
    if (!list)
        return arena_full(r->arena, err);
    for (size_t i = 0; i < n; i++) {
        char *element = list + i * section->size;
        struct place place = yaml_place(r->doc, &v->items[i]);
        struct config_place kept = {place.line, place.column};
        memcpy(element + section->place_at, &kept, sizeof kept);
        if (!read_section(r, section, &v->items[i], element, depth_left, err))
            return false;
    }
    const void *items = list;
    memcpy(target + field->at, &items, sizeof items);
    memcpy(target + field->count_at, &n, sizeof n);
    return true;
}

static bool read_field(struct reader *r, const struct field *field, const struct value *v,
                       char *target, unsigned depth_left, struct err *err)
{
    struct str text;
    if (field->inert && !add_note(r,
                                  arena_printf(r->arena,
                                               "%s: accepted, without effect in this "
                                               "version of plumb",
                                               field->name),
                                  err))
        return false;
    switch (field->kind) {
    case FIELD_VERSION:
        return read_version(r, v, err);
    case FIELD_STRING:
        if (!read_text(r, field, v, &text, err))
            return false;
        memcpy(target + field->at, &text, sizeof text);
        return true;
    case FIELD_SCALAR:
        if (!read_scalar(r, field, v, &text, err))
            return false;
        memcpy(target + field->at, &text, sizeof text);
        return true;
    case FIELD_STRINGS:
        return read_strings(r, field, v, target, err);
    case FIELD_INT:
    case FIELD_SIZE:
    case FIELD_DURATION:
        return read_number(r, field, v, target, err);
    case FIELD_NOT:
    case FIELD_BOOL:
        return read_bool(r, field, v, target, err);
    case FIELD_SECTION:
        return read_section(r, field->section, v, target, depth_left, err);
    case FIELD_LIST:
        return read_list(r, field, v, target, depth_left, err);
    case FIELD_PROVIDERS:
        return read_providers(r, field, v, target, err);
    }
    return complain(r, v, err, "no such kind of field: ", str_from(field->name));
}

static bool unknown_key(const struct reader *r, const struct section *section,
                        const struct value_member *member, struct err *err)
{
    struct str names[KEYS_MAX] = {0}, key = key_str(member->key);
    for (size_t i = 0; i < section->nfields; i++)
        names[i] = str_from(section->fields[i].name);
    struct str near = str_nearest(key, names, section->nfields);
    struct place place = yaml_key_place(r->doc, &member->value);
    return err_set(err, ERR_SYNTAX, "%s:%u:%u: unknown key '%.*s' in %s%s%.*s%s", r->name,
                   place.line, place.column, STR_ARG(key), section->what,
                   near.len ? "; did you mean '" : "", STR_ARG(near), near.len ? "'?" : "");
}

static bool check_required(const struct reader *r, const struct section *section,
                           const struct value *v, struct err *err)
{
    for (size_t i = 0; i < section->nfields; i++)
        if (section->fields[i].required && !value_get(v, str_from(section->fields[i].name)))
            return complain(r, v, err, "missing key: ", str_from(section->fields[i].name));
    return true;
}

static bool read_section(struct reader *r, const struct section *section, const struct value *v,
                         char *target, unsigned depth_left, struct err *err)
{
    if (depth_left == 0)
        return complain(r, v, err, "nested too deeply", STR(""));
    if (section->short_form && value_is_string(v))
        return read_field(r, &section->fields[0], v, target, depth_left - 1, err);
    if (!value_is_object_like(v))
        return complain_value(r, v, err, section->what,
                              section->short_form ? STR("a mapping or a path") : STR("a mapping"));
    for (size_t i = 0; i < v->len; i++) {
        size_t k = 0;
        while (k < section->nfields &&
               !str_equal(str_from(section->fields[k].name), key_str(v->members[i].key)))
            k++;
        if (k == section->nfields)
            return unknown_key(r, section, &v->members[i], err);
        if (!read_field(r, &section->fields[k], &v->members[i].value, target, depth_left - 1, err))
            return false;
    }
    return check_required(r, section, v, err);
}

/* --- what spans fields --- */

static bool finish_ignores(const struct reader *r, const struct config *config, struct err *err)
{
    for (size_t i = 0; i < config->nignores; i++) {
        /* The elements were just made, writable, by read_list. */
        struct ignore_rule *rule = (struct ignore_rule *)(uintptr_t)&config->ignores[i];
        rule->expires_utc_ms = INT64_MAX;
        if (rule->expires.len && !clock_parse(rule->expires, &rule->expires_utc_ms))
            return err_set(err, ERR_USAGE, "%s:%u:%u: expires: not a date", r->name,
                           rule->place.line, rule->place.column);
        if (rule->path.len && !path_parse(r->arena, rule->path, &rule->path_pattern, err))
            return err_wrap(err, "%s:%u:%u: path", r->name, rule->place.line, rule->place.column);
        if (!rule->stack.len && !rule->address.len && !rule->type.len && !rule->id.len &&
            !rule->path.len)
            return err_set(err, ERR_USAGE,
                           "%s:%u:%u: an ignore rule without stack, address, type, id or path "
                           "would hide everything",
                           r->name, rule->place.line, rule->place.column);
    }
    return true;
}

static void finish_defaults(const struct config *config)
{
    for (size_t i = 0; i < config->ndefaults; i++) {
        /* As above; its text was checked when it was read. */
        struct config_default *one = (struct config_default *)(uintptr_t)&config->defaults[i];
        (void)decision_from(one->decision_text, &one->decision);
    }
}

static bool finish_schedules(struct reader *r, const struct config *config, struct err *err)
{
    bool no_zones;
    return config_check_schedules(config, &no_zones, err) &&
           (!no_zones ||
            add_note(r,
                     STR("schedules: this machine has no time zone data, which `plumb serve` and "
                         "`plumb status` will need (install tzdata)"),
                     err));
}

static bool finish_conditions(const struct reader *r, const struct config *config, struct err *err)
{
    for (size_t i = 0; i < config->nnotify; i++) {
        /* As above. */
        struct config_notify *one = (struct config_notify *)(uintptr_t)&config->notify[i];
        size_t at = 0;
        if (one->when.len && !when_parse(r->arena, one->when, &one->condition, &at, err))
            return false;
    }
    return true;
}

static void drop_double_notes(struct reader *r)
{
    size_t n = 0;
    qsort(r->notes, r->nnotes, sizeof *r->notes, str_compare_qsort);
    for (size_t i = 0; i < r->nnotes; i++)
        if (!n || !str_equal(r->notes[n - 1], r->notes[i]))
            r->notes[n++] = r->notes[i];
    r->nnotes = n;
}

bool config_parse(struct arena *arena, struct str text, const char *name, struct config *ret,
                  struct err *err)
{
    enum { DEPTH_MAX = 4 };
    struct config config = {.path = arena_dup(arena, str_from(name))};
    struct yaml_doc doc = {0};
    struct reader r = {.arena = arena, .doc = &doc, .name = config.path.ptr};
    struct str copy = r.text = arena_dup(arena, text);
    if (!config.path.ptr || !copy.ptr)
        return arena_full(arena, err);
    config.root = io_dirname(config.path);
    if (!yaml_parse_one(arena, copy, name, YAML_DEFAULT, &doc, err))
        return false;
    if (doc.root.kind == VALUE_NULL)
        return complain(&r, NULL, err, "the file is empty; it starts with `version: 1`", STR(""));
    if (!read_section(&r, &config_section, &doc.root, (char *)&config, DEPTH_MAX, err) ||
        !finish_ignores(&r, &config, err) || !config_check_review(r.name, &config.review, err) ||
        !finish_schedules(&r, &config, err) || !finish_conditions(&r, &config, err) ||
        !config_finish_notify(&config, err))
        return false;
    finish_defaults(&config);
    if (r.nnotes)
        drop_double_notes(&r);
    config.notes = r.notes;
    config.nnotes = r.nnotes;
    *ret = config;
    return true;
}

/* --- {dir} and the others --- */

static struct str word_value(struct str word, const struct config_template *words)
{
    if (str_equal(word, STR("path")))
        return words->path;
    if (str_equal(word, STR("dir")))
        return io_basename(words->path);
    if (str_equal(word, STR("parent")))
        return io_basename(io_dirname(words->path));
    return words->workspace;
}

struct str config_expand(struct arena *arena, struct str text, const struct config_template *words)
{
    struct str done = STR("");
    while (text.len) {
        struct str head, word;
        bool open = str_cut(&text, '{', &head);
        if (open && str_find_char(text, '}', 0) != SIZE_MAX) {
            (void)str_cut(&text, '}', &word);
            struct str value = word_value(word, words);
            done =
                arena_printf(arena, "%.*s%.*s%.*s", STR_ARG(done), STR_ARG(head), STR_ARG(value));
        } else {
            done = arena_printf(arena, "%.*s%.*s%s", STR_ARG(done), STR_ARG(head), open ? "{" : "");
        }
        if (!done.ptr)
            return done;
    }
    return arena_dup(arena, done);
}

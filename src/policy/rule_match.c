/* rule_match.c - `match` of a rule: reading it, and what it says of a subject. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/glob.h"
#include "policy/rule_judge.h"
#include "policy/rule_parts.h"

static const struct str source_names[] = {STR_INIT("terraform"), STR_INIT("kubernetes"),
                                          STR_INIT("file")};
enum { SOURCES = sizeof source_names / sizeof *source_names };

const char *rule_source_name(enum rule_source source)
{
    for (size_t i = 0; i < SOURCES; i++)
        if (source == 1u << i)
            return source_names[i].ptr;
    return "";
}

bool rule_source_from(struct str name, enum rule_source *ret)
{
    for (size_t i = 0; i < SOURCES; i++)
        if (str_equal(name, source_names[i])) {
            *ret = (enum rule_source)(1u << i);
            return true;
        }
    return false;
}

/* --- reading --- */

static void read_classes(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                         void *target)
{
    struct rule_match *match = target;
    struct rule_strs list = {0};
    struct str names[CLASS_COUNT];
    for (unsigned i = 0; i < CLASS_COUNT; i++)
        names[i] = str_from(finding_class_name((enum finding_class)i));
    rule_read_texts(r, &(struct rule_key){.name = key->name}, v, &list);
    for (size_t i = 0; i < list.n; i++) {
        enum finding_class class_;
        if (!list.item[i].len)
            continue;
        if (finding_class_from(list.item[i], &class_)) {
            match->classes |= 1u << class_;
            continue;
        }
        struct str hint = rule_hint(r, list.item[i], names, CLASS_COUNT);
        rule_problem(r, rule_location(r, v), "class: there is no '%.*s'%.*s", STR_ARG(list.item[i]),
                     STR_ARG(hint));
    }
}

/* Each of the list must be one of the names. Bits of those that are. */
static unsigned read_names(struct rule_reader *r, const struct value *v, const char *what,
                           const struct rule_strs *list, const struct str *names, size_t n)
{
    unsigned bits = 0;
    for (size_t i = 0; i < list->n; i++) {
        size_t k = 0;
        while (k < n && !str_equal(list->item[i], names[k]))
            k++;
        if (k < n) {
            bits |= 1u << k;
        } else if (list->item[i].len) {
            struct str hint = rule_hint(r, list->item[i], names, n);
            rule_problem(r, rule_location(r, v), "%s: there is no '%.*s'%.*s", what,
                         STR_ARG(list->item[i]), STR_ARG(hint));
        }
    }
    return bits;
}

static void read_sources(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                         void *target)
{
    struct rule_match *match = target;
    struct rule_strs list = {0};
    rule_read_texts(r, &(struct rule_key){.name = key->name}, v, &list);
    match->sources = read_names(r, v, key->name, &list, source_names, SOURCES);
}

static void read_actions(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                         void *target)
{
    static const struct str names[] = {STR_INIT("create"),  STR_INIT("update"), STR_INIT("delete"),
                                       STR_INIT("replace"), STR_INIT("read"),   STR_INIT("no-op"),
                                       STR_INIT("forget"),  STR_INIT("import")};
    struct rule_match *match = target;
    rule_read_texts(r, key, v, target);
    (void)read_names(r, v, key->name, &match->action, names, sizeof names / sizeof *names);
}

static void read_kinds(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                       void *target)
{
    static const struct str names[] = {STR_INIT("human"), STR_INIT("ci"), STR_INIT("autoscaler"),
                                       STR_INIT("cloud"), STR_INIT("unknown")};
    struct rule_match *match = target;
    rule_read_texts(r, key, v, target);
    (void)read_names(r, v, key->name, &match->actor_kind, names, sizeof names / sizeof *names);
}

static void read_actor(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                       void *target)
{
    static const struct rule_key keys[] = {
        {"kind", read_kinds, offsetof(struct rule_match, actor_kind), false},
        {"principal", rule_read_texts, offsetof(struct rule_match, actor_principal), false},
    };
    rule_read_mapping(r, key->name, keys, sizeof keys / sizeof *keys, v, target);
}

static void read_paths(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                       void *target)
{
    struct rule_match *match = target;
    rule_read_texts(r, key, v, target);
    struct path *paths = arena_new(r->arena, struct path, match->path_text.n);
    if (!paths) {
        r->full = true;
        match->path_text.n = 0;
        return;
    }
    for (size_t i = 0; i < match->path_text.n; i++) {
        struct err err = {0};
        if (!path_parse(r->arena, match->path_text.item[i], &paths[i], &err))
            rule_problem(r, rule_location(r, value_is_list_like(v) ? &v->items[i] : v), "%s",
                         err.frame[0]);
    }
    match->path = paths;
}

/* One text, null, or a list of these. */
static void read_tag(struct rule_reader *r, const struct value *v, struct rule_tag *ret)
{
    size_t n = value_is_list_like(v) ? v->len : 1;
    const struct value *item = value_is_list_like(v) ? v->items : v;
    struct str *list = arena_new(r->arena, struct str, n);
    r->full |= !list;
    for (size_t i = 0; list && i < n; i++) {
        if (item[i].kind == VALUE_NULL)
            ret->absent = true;
        else if (value_is_string(&item[i]))
            list[ret->value.n++] = value_text(&item[i]);
        else
            rule_problem(r, rule_location(r, &item[i]),
                         "tags: want a text in quotes, null (the tag is absent) or a list of "
                         "these, got %s",
                         value_plain_kind_name(item[i].kind));
    }
    if (n == 0)
        rule_problem(r, rule_location(r, v), "tags: an empty list matches nothing");
    ret->value.item = list;
}

static void read_tags(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                      void *target)
{
    struct rule_match *match = target;
    if (!value_is_object_like(v) || v->len == 0) {
        rule_problem(r, rule_location(r, v), "%s: want a mapping of tags to what they must be",
                     key->name);
        return;
    }
    struct rule_tag *tags = arena_new(r->arena, struct rule_tag, v->len);
    if (!tags) {
        r->full = true;
        return;
    }
    for (size_t i = 0; i < v->len; i++) {
        tags[i].key = key_str(v->members[i].key);
        read_tag(r, &v->members[i].value, &tags[i]);
    }
    match->tag = tags;
    match->ntags = v->len;
}

void rule_read_match(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                     void *target)
{
    static const struct rule_key keys[] = {
        {"type", rule_read_texts, offsetof(struct rule_match, type), false},
        {"class", read_classes, 0, false},
        {"address", rule_read_texts, offsetof(struct rule_match, address), false},
        {"path", read_paths, offsetof(struct rule_match, path_text), false},
        {"tags", read_tags, 0, false},
        {"env", rule_read_texts, offsetof(struct rule_match, env), false},
        {"stack", rule_read_texts, offsetof(struct rule_match, stack), false},
        {"source", read_sources, 0, false},
        {"actor", read_actor, 0, false},
        {"action", read_actions, offsetof(struct rule_match, action), false},
    };
    void *match = (char *)target + key->at;
    rule_read_mapping(r, key->name, keys, sizeof keys / sizeof *keys, v, match);
}

/* --- judging --- */

/* The pattern that covers the text; NULL: none does. */
static const struct str *find_glob(const struct rule_strs *globs, struct str text, char separator)
{
    for (size_t i = 0; i < globs->n; i++)
        if (glob_match(globs->item[i], text, separator))
            return &globs->item[i];
    return NULL;
}

static bool any_glob(const struct rule_strs *globs, struct str text, char separator)
{
    return globs->n == 0 || find_glob(globs, text, separator);
}

/* A known tag by its glob; numbers and booleans by their text. */
static enum rule_outcome tag_matches(const struct rule_tag *tag, const struct value *tags)
{
    char digits[24];
    const struct value *v = value_get(tags, tag->key);
    if (tags && (tags->kind == VALUE_UNKNOWN || (v && v->kind == VALUE_UNKNOWN)))
        return RULE_UNKNOWN;
    if (!v || v->kind == VALUE_NULL)
        return tag->absent ? RULE_MATCH : RULE_NO_MATCH;
    struct str text = STR("");
    if (v->kind == VALUE_STRING || (v->kind == VALUE_NUMBER && v->form == NUMBER_TEXT)) {
        text = value_text(v);
    } else if (v->kind == VALUE_BOOL) {
        text = v->truth ? STR("true") : STR("false");
    } else if (v->kind == VALUE_NUMBER) {
        (void)snprintf(digits, sizeof digits, "%lld", (long long)v->integer);
        text = str_from(digits);
    }
    return find_glob(&tag->value, text, '\0') ? RULE_MATCH : RULE_NO_MATCH;
}

static enum rule_outcome tags_match(const struct rule_match *match, const struct value *tags)
{
    enum rule_outcome outcome = RULE_MATCH;
    for (size_t i = 0; i < match->ntags; i++) {
        enum rule_outcome one = tag_matches(&match->tag[i], tags);
        if (one < outcome)
            outcome = one;
    }
    return outcome;
}

static bool actor_matches(const struct rule_match *match, const struct rule_actor *actor)
{
    struct str kind = actor->known && actor->kind.len ? actor->kind : STR("unknown");
    if (!any_glob(&match->actor_kind, kind, '\0'))
        return false;
    return match->actor_principal.n == 0 ||
           (actor->known && find_glob(&match->actor_principal, actor->principal, '\0'));
}

static bool action_matches(const struct rule_match *match, const struct rule_subject *s)
{
    return match->action.n == 0 || (s->action.len && find_glob(&match->action, s->action, '\0'));
}

enum rule_outcome rule_match_subject(const struct rule *rule, const struct rule_subject *s,
                                     const struct value *tags)
{
    const struct rule_match *match = &rule->match;
    if (!any_glob(&match->type, s->type, '\0') || !any_glob(&match->address, s->address, '\0') ||
        !any_glob(&match->env, s->env, '\0') || !any_glob(&match->stack, s->stack, '/') ||
        (match->sources && !(match->sources & s->source)) || !actor_matches(match, &s->actor) ||
        !action_matches(match, s))
        return RULE_NO_MATCH;
    if (match->classes && (s->kind != SUBJECT_FINDING || !(match->classes & 1u << s->class_)))
        return RULE_NO_MATCH;
    /* What is no more has no values: conditions look at what was there, and only if asked to. */
    bool gone = (s->kind == SUBJECT_FINDING && s->class_ == CLASS_MISSING) ||
                str_equal(s->action, STR("delete")) || str_equal(s->action, STR("forget"));
    bool not_known = s->values && s->values->kind == VALUE_UNKNOWN;
    if ((gone || not_known) && rule->when && !match->classes && !match->action.n)
        return RULE_NO_MATCH;
    return tags_match(match, tags);
}

/* "type aws_s3_bucket, env prod": what a rule without conditions goes by. */
struct str rule_match_text(struct arena *arena, const struct rule *rule,
                           const struct rule_subject *s)
{
    const struct {
        const char *name;
        const struct rule_strs *globs;
        struct str text;
    } parts[] = {{"type", &rule->match.type, s->type},
                 {"address", &rule->match.address, s->address},
                 {"env", &rule->match.env, s->env},
                 {"stack", &rule->match.stack, s->stack},
                 {"action", &rule->match.action, s->action},
                 {"actor", &rule->match.actor_kind, s->actor.kind},
                 {"principal", &rule->match.actor_principal, s->actor.principal}};
    struct str text = STR("");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].globs->n && parts[i].text.len)
            text = arena_printf(arena, "%.*s%s%s %.*s", STR_ARG(text), text.len ? ", " : "",
                                parts[i].name, STR_ARG(parts[i].text));
    if (rule->match.classes)
        text = arena_printf(arena, "%.*s%sclass %s", STR_ARG(text), text.len ? ", " : "",
                            finding_class_name(s->class_));
    for (size_t i = 0; i < rule->match.ntags; i++)
        text = arena_printf(arena, "%.*s%stag %.*s", STR_ARG(text), text.len ? ", " : "",
                            STR_ARG(rule->match.tag[i].key));
    return text.ptr && !text.len ? arena_dup(arena, s->type.len ? s->type : s->address) : text;
}

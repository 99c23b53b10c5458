/* ignore.c - matching of ignore rules. */
#include "drift/ignore.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/glob.h"
#include "wire/json.h"

enum { VALUE_TEXT_MAX = 1 << 20 }; /* a longer value is matched by no pattern */

static bool has_expired(const struct ignore_rule *rule, int64_t now_utc_ms)
{
    return rule->expires_utc_ms <= now_utc_ms;
}

static bool matches(struct str pattern, struct str text, char separator)
{
    return pattern.len == 0 || glob_match(pattern, text, separator);
}

bool ignore_select(struct arena *arena, const struct ignore_rule *rules, size_t nrules,
                   struct str stack, const struct resource *resource, struct str id,
                   int64_t now_utc_ms, struct ignore_set *ret, struct err *err)
{
    *ret = (struct ignore_set){0};
    for (size_t i = 0; i < nrules; i++) {
        if (has_expired(&rules[i], now_utc_ms) || !matches(rules[i].stack, stack, '/') ||
            !matches(rules[i].address, resource->address, '\0') ||
            !matches(rules[i].type, resource->type, '\0') ||
            (rules[i].id.len && !(id.ptr && matches(rules[i].id, id, '\0'))))
            continue;
        if (!ret->rule)
            ret->rule = arena_new(arena, const struct ignore_rule *, nrules - i);
        if (!ret->rule)
            return arena_full(arena, err);
        ret->rule[ret->n++] = &rules[i];
    }
    return true;
}

/* Strings as they are; the rest as compact JSON. */
static bool value_matches(struct str pattern, const struct value *live)
{
    AUTO_BUF text = {.limit = VALUE_TEXT_MAX};
    if (!live)
        return false;
    if (live->kind == VALUE_STRING)
        return glob_match(pattern, value_text(live), '\0');
    struct jsonw w = {.out = &text};
    jsonw_value(&w, live);
    return !text.failed && glob_match(pattern, buf_view(&text), '\0');
}

const struct ignore_rule *ignore_find(const struct ignore_set *set, struct path path,
                                      const struct value *live, bool sensitive)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct ignore_rule *rule = set->rule[i];
        if (rule->path.len && !path_covered(rule->path_pattern, path))
            continue;
        if (rule->value.len && (sensitive || !value_matches(rule->value, live)))
            continue;
        return rule;
    }
    return NULL;
}

const struct ignore_rule *ignore_find_whole(const struct ignore_set *set)
{
    for (size_t i = 0; i < set->n; i++)
        if (set->rule[i]->path.len == 0 && set->rule[i]->value.len == 0)
            return set->rule[i];
    return NULL;
}

bool ignore_note_expired(struct arena *arena, const struct ignore_rule *rules, size_t nrules,
                         struct str config_path, struct str stack, int64_t now_utc_ms,
                         struct str **ret_notes, size_t *ret_n, struct err *err)
{
    struct str *notes = NULL;
    size_t n = 0, room = 0;
    for (size_t i = 0; i < nrules; i++) {
        const struct ignore_rule *rule = &rules[i];
        if (!has_expired(rule, now_utc_ms) || !matches(rule->stack, stack, '/'))
            continue;
        notes = arena_grow(arena, notes, n, &room, n + 1);
        if (!notes)
            return arena_full(arena, err);
        notes[n] = arena_printf(
            arena, "ignore rule %.*s:%u:%u (%.*s%s%.*s) expired %.*s and covers nothing any more",
            STR_ARG(config_path), rule->place.line, rule->place.column, STR_ARG(rule->reason),
            rule->owner.len ? "; owner " : "", STR_ARG(rule->owner), STR_ARG(rule->expires));
        if (!notes[n++].ptr)
            return arena_full(arena, err);
    }
    *ret_notes = notes;
    *ret_n = n;
    return true;
}

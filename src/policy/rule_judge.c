/* rule_judge.c - rules over a subject: match, changed paths, conditions, and the reasons. */
#include "policy/rule_judge.h"

#include <stdlib.h>

#include "base/err.h"

/* --- effective tags --- */

static const struct str tag_attributes[] = {
    STR_INIT("tags_all"), STR_INIT("effective_labels"), STR_INIT("terraform_labels"),
    STR_INIT("tags"),     STR_INIT("labels"),
};

/* Members of both; those of `above` win. */
static bool merge_tags(struct arena *arena, struct value *into, const struct value *above,
                       struct err *err)
{
    struct value_member *members =
        arena_new(arena, struct value_member, (size_t)into->len + above->len);
    size_t n = 0, i = 0, j = 0;
    if (!members)
        return arena_full(arena, err);
    while (i < into->len || j < above->len) {
        int order = i == into->len    ? 1
                    : j == above->len ? -1
                                      : str_compare(key_str(into->members[i].key),
                                                    key_str(above->members[j].key));
        members[n++] = order < 0 ? into->members[i] : above->members[j];
        i += order <= 0;
        j += order >= 0;
    }
    *into = (struct value){.kind = VALUE_MAP, .len = (uint32_t)n, .members = members};
    return true;
}

/* Where an attribute of tags is unknown as a whole, so are the tags. */
bool rule_tags(struct arena *arena, const struct rule_subject *subject, struct value *ret,
               struct err *err)
{
    struct value tags = {.kind = VALUE_MAP};
    const struct value *v = subject->values;
    for (size_t i = 0; i < sizeof tag_attributes / sizeof *tag_attributes; i++) {
        const struct value *one = value_get(v, tag_attributes[i]);
        if (one && one->kind == VALUE_UNKNOWN && tags.len == 0)
            tags = value_unknown(NULL);
        else if (value_is_object_like(one)) {
            if (tags.kind == VALUE_UNKNOWN)
                tags = (struct value){.kind = VALUE_MAP};
            if (!merge_tags(arena, &tags, one, err))
                return false;
        }
    }
    const struct value *metadata = value_get(v, STR("metadata"));
    const struct value *labels = value_get(metadata, STR("labels"));
    if (value_is_object_like(labels) && tags.kind == VALUE_MAP &&
        !merge_tags(arena, &tags, labels, err))
        return false;
    *ret = tags;
    return true;
}

/* --- changed paths --- */

/* Is one of them at or below the other? A block that appeared as a whole touches what is in it. */
static bool touches(struct path pattern, struct path path)
{
    if (pattern.n > path.n)
        pattern.n = path.n;
    return path_covered(pattern, path);
}

/* Does a condition look at the path? Those below a path look at nothing outside of it. */
static bool condition_touches(const struct condition *c, struct path path)
{
    if (c->has_path)
        return touches(c->path, path);
    if (c->kind == CONDITION_TEST || c->kind == CONDITION_EVERY || c->kind == CONDITION_JSON)
        return true; /* of the resource as a whole */
    for (size_t i = 0; i < c->nparts; i++)
        if (condition_touches(&c->part[i], path))
            return true;
    return false;
}

static bool rule_touches(const struct rule *rule, struct path path)
{
    for (size_t i = 0; i < rule->match.path_text.n; i++)
        if (touches(rule->match.path[i], path))
            return true;
    return rule->match.path_text.n == 0 && (!rule->when || condition_touches(rule->when, path));
}

/* The changes that the rule is about. False: there are changes, and it is about none of them. What
 * a plan would make is judged as a whole unless the rule names paths: that a value was wrong before
 * is no reason to let it pass. */
static bool select_changes(const struct rule *rule, struct arena *arena,
                           const struct rule_subject *s, struct rule_result *ret, bool *ret_full)
{
    if (s->nchanges == 0) /* paths alone say nothing of a resource as a whole */
        return rule->when || rule->match.path_text.n == 0;
    ret->change = arena_new(arena, const struct rule_change *, s->nchanges);
    *ret_full = !ret->change;
    for (size_t i = 0; ret->change && i < s->nchanges; i++)
        if (rule_touches(rule, s->change[i].path))
            ret->change[ret->nchanges++] = &s->change[i];
    return ret->nchanges > 0 || (s->kind == SUBJECT_CHANGE && rule->match.path_text.n == 0);
}

/* --- reasons --- */

static struct str join(struct arena *arena, const struct rule_why *why, size_t n)
{
    struct str text = n ? why[0].text : STR("");
    for (size_t i = 1; i < n && text.ptr; i++)
        text = arena_printf(arena, "%.*s; %.*s", STR_ARG(text), STR_ARG(why[i].text));
    return text;
}

/* A rule without conditions goes by what `match` says, and by what has changed. */
static bool explain_match(struct arena *arena, const struct rule *rule,
                          const struct rule_subject *s, struct rule_result *ret)
{
    struct rule_why *why = arena_new(arena, struct rule_why, 1);
    struct str text = rule_match_text(arena, rule, s);
    if (rule->match.path_text.n && ret->nchanges && text.ptr)
        text = arena_printf(arena, "%.*s: %.*s changed", STR_ARG(text),
                            STR_ARG(ret->change[0]->path_text));
    if (!why || !text.ptr)
        return false;
    why[0].text = text;
    if (ret->nchanges)
        why[0].path = ret->change[0]->path;
    ret->why = why;
    ret->nwhy = 1;
    return true;
}

/* --- judging --- */

static bool judge_when(const struct rule *rule, struct arena *arena, const struct rule_subject *s,
                       struct rule_count *count, struct rule_result *ret)
{
    struct condition_run run = {
        .arena = arena, .path = count ? count->path : NULL, .nodes_left = CONDITION_NODES_MAX};
    run.why = arena_new(arena, struct rule_why, RULE_WHY_MAX);
    if (!run.why)
        return false;
    ret->outcome = condition_judge(&run, rule->when, s->values);
    if (run.full)
        return false;
    ret->why = run.why;
    ret->nwhy = run.nwhy;
    if (run.nodes_left == 0) {
        ret->outcome = RULE_ERROR;
        run.why[0] = (struct rule_why){.text = STR("the rule looked at more values than it may")};
        ret->nwhy = 1;
    } else if (ret->outcome == RULE_UNKNOWN) {
        run.why[0] = run.unknown;
        ret->nwhy = 1;
    }
    return true;
}

static void count_outcome(struct rule_count *count, enum rule_outcome outcome)
{
    if (!count)
        return;
    count->applicable++;
    count->matched += outcome == RULE_MATCH;
    count->unknown += outcome == RULE_UNKNOWN;
}

/* Is there anything at the path? */
static bool has_path(const struct value *v, struct path path, size_t step)
{
    if (step == path.n || v->kind == VALUE_UNKNOWN)
        return true;
    const struct path_step *at = &path.step[step];
    const struct value *below = NULL;
    if (at->kind == PATH_ELEMENT) {
        bool has = !value_is_list_like(v) && !value_is_object_like(v) && v->kind != VALUE_NULL &&
                   has_path(v, path, step + 1);
        for (uint32_t i = 0; value_is_list_like(v) && i < v->len && !has; i++)
            has = has_path(&v->items[i], path, step + 1);
        for (uint32_t i = 0; value_is_object_like(v) && i < v->len && !has; i++)
            has = has_path(&v->members[i].value, path, step + 1);
        return has;
    }
    if (at->kind == PATH_KEY)
        below = value_get(v, at->key);
    else if (value_is_list_like(v) && at->index < v->len)
        below = &v->items[at->index];
    return below && has_path(below, path, step + 1);
}

/* Nothing changed where the rule looks: is that because there is no such place? */
static void look_for(const struct condition *c, const struct value *values,
                     struct rule_path_count *count)
{
    if (c->has_path) {
        count[c->id].read++;
        count[c->id].had += has_path(values, c->path, 0);
        return; /* what is below it is said of what it leads to */
    }
    for (size_t i = 0; i < c->nparts && c->kind != CONDITION_EVERY && c->kind != CONDITION_JSON;
         i++)
        look_for(&c->part[i], values, count);
}

/* tags: effective ones */
static bool judge(const struct rule *rule, struct arena *arena, const struct rule_subject *s,
                  const struct value *tags, struct rule_count *count, struct rule_result *ret,
                  struct err *err)
{
    struct rule_result result = {.rule = rule, .outcome = RULE_NO_MATCH};
    enum rule_outcome matched = rule_match_subject(rule, s, tags);
    bool full = false;
    *ret = result;
    if (matched == RULE_NO_MATCH)
        return true;
    if (!select_changes(rule, arena, s, &result, &full)) {
        if (count && rule->when && s->values && s->values->kind != VALUE_NULL)
            look_for(rule->when, s->values, count->path);
        return !full || arena_full(arena, err);
    }
    result.outcome = RULE_MATCH;
    if (rule->when ? !judge_when(rule, arena, s, count, &result)
                   : !explain_match(arena, rule, s, &result))
        return arena_full(arena, err);
    if (matched == RULE_UNKNOWN && result.outcome == RULE_MATCH) {
        static const struct rule_why tags_unknown[] = {
            {.text = STR_INIT("tags are known only after apply")}};
        result.outcome = RULE_UNKNOWN;
        result.why = tags_unknown;
        result.nwhy = 1;
    }
    count_outcome(count, result.outcome);
    if (result.outcome == RULE_NO_MATCH)
        return true;
    result.text = join(arena, result.why, result.nwhy);
    *ret = result;
    return result.text.ptr || arena_full(arena, err);
}

bool rule_judge(const struct rule *rule, struct arena *arena, const struct rule_subject *subject,
                struct rule_count *count, struct rule_result *ret, struct err *err)
{
    struct value tags;
    if (!subject->tags && !rule_tags(arena, subject, &tags, err))
        return false;
    return judge(rule, arena, subject, subject->tags ? subject->tags : &tags, count, ret, err);
}

bool rules_judge(const struct rules *rules, struct arena *arena, const struct rule_subject *subject,
                 struct rule_counts *counts, struct rule_results *ret, struct err *err)
{
    struct value tags;
    struct rule_result *item = NULL, one;
    size_t n = 0, room = 0;
    if (!subject->tags && !rule_tags(arena, subject, &tags, err))
        return false;
    if (counts)
        counts->subjects++;
    for (size_t i = 0; i < rules->n; i++) {
        if (!judge(&rules->rule[i], arena, subject, subject->tags ? subject->tags : &tags,
                   counts ? &counts->rule[i] : NULL, &one, err))
            return false;
        if (one.outcome == RULE_NO_MATCH)
            continue;
        item = arena_grow(arena, item, n, &room, n + 1);
        if (!item)
            return arena_full(arena, err);
        item[n++] = one;
    }
    *ret = (struct rule_results){item, n};
    return true;
}

bool rule_counts_init(struct rule_counts *counts, struct arena *arena, const struct rules *rules,
                      struct err *err)
{
    struct rule_count *rule = arena_new(arena, struct rule_count, rules->n);
    for (size_t i = 0; rule && i < rules->n; i++) {
        rule[i].path = arena_new(arena, struct rule_path_count, rules->rule[i].npaths);
        if (!rule[i].path)
            return arena_full(arena, err);
    }
    if (!rule)
        return arena_full(arena, err);
    *counts = (struct rule_counts){.rule = rule};
    return true;
}

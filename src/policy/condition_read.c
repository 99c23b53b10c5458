/* condition_read.c - `when` of a rule: YAML to struct condition. */
#include <string.h>

#include "base/err.h"
#include "base/regex_re2.h"
#include "policy/network.h"
#include "policy/rule_parts.h"

static const struct {
    const char *key, *want;
} operators[] = {
#define X(constant, key, want) [constant] = {key, want},
    CONDITION_OPERATORS(X)
#undef X
};
static const struct {
    const char *key;
    enum condition_kind kind;
} groups[] = {{"all", CONDITION_ALL},
              {"any", CONDITION_ANY},
              {"none", CONDITION_NONE},
              {"every", CONDITION_EVERY},
              {"json", CONDITION_JSON}};
enum { GROUPS = sizeof groups / sizeof *groups, KEYS = OPERATOR_COUNT + GROUPS + 1 };

static void key_names(struct str names[KEYS])
{
    size_t n = 0;
    for (size_t i = 0; i < OPERATOR_COUNT; i++)
        names[n++] = str_from(operators[i].key);
    for (size_t i = 0; i < GROUPS; i++)
        names[n++] = str_from(groups[i].key);
    names[n] = STR("path");
}

/* --- operands --- */

static bool each_is(const struct value *v, bool (*is)(const struct value *))
{
    if (!value_is_list_like(v))
        return is(v);
    for (size_t i = 0; i < v->len; i++)
        if (!is(&v->items[i]))
            return false;
    return v->len > 0;
}

static bool is_network(const struct value *v)
{
    struct network net;
    return value_is_string(v) && network_parse(value_text(v), &net);
}

static void open_regex(struct rule_reader *r, const struct value *v, struct condition *c)
{
    enum { WHY = 200 };
    char why[WHY] = "";
    struct rules *rules = r->rules;
    struct regex **grown = arena_grow(r->arena, rules->regex, rules->nregexes, &rules->regex_room,
                                      rules->nregexes + 1);
    if (!grown) {
        r->full = true;
        return;
    }
    rules->regex = grown;
    struct regex *regex = regex_open(value_text(v), why, sizeof why);
    if (!regex) {
        rule_problem(r, rule_location(r, v), "%s: not a regular expression: %s",
                     operators[c->op].key, why);
        return;
    }
    c->regex = rules->regex[rules->nregexes++] = regex;
}

static bool operand_ok(enum condition_operator op, const struct value *v)
{
    switch (op) {
    case OPERATOR_EQUALS:
    case OPERATOR_NOT_EQUALS:
    case OPERATOR_CONTAINS:
    case OPERATOR_NOT_CONTAINS:
        return true;
    case OPERATOR_IN:
    case OPERATOR_NOT_IN:
        return value_is_list_like(v) && v->len > 0;
    case OPERATOR_MATCHES:
    case OPERATOR_NOT_MATCHES:
        return value_is_string(v);
    case OPERATOR_EXISTS:
    case OPERATOR_EMPTY:
        return v->kind == VALUE_BOOL;
    case OPERATOR_AT_MOST:
    case OPERATOR_AT_LEAST:
    case OPERATOR_LESS:
    case OPERATOR_MORE:
    case OPERATOR_SPANS:
        return v->kind == VALUE_NUMBER;
    case OPERATOR_WITHIN:
    case OPERATOR_OVERLAPS:
        return each_is(v, is_network);
    case OPERATOR_COUNT:
        break;
    }
    return false;
}

static void read_operand(struct rule_reader *r, const struct value *v, struct condition *c)
{
    c->operand = *v;
    if (!operand_ok(c->op, v)) {
        rule_problem(r, rule_location(r, v), "%s: want %s, got %s", operators[c->op].key,
                     operators[c->op].want, value_plain_kind_name(v->kind));
        return;
    }
    if (c->op == OPERATOR_MATCHES || c->op == OPERATOR_NOT_MATCHES)
        open_regex(r, v, c);
}

/* --- conditions --- */

static void read_condition(struct rule_reader *r, const struct value *v, unsigned depth_left,
                           struct condition *ret);

/* A list of conditions, or one. */
static void read_parts(struct rule_reader *r, const struct value *v, unsigned depth_left,
                       struct condition *ret)
{
    size_t n = value_is_list_like(v) ? v->len : 1;
    struct condition *parts = arena_new(r->arena, struct condition, n);
    if (!parts) {
        r->full = true;
        return;
    }
    if (n == 0)
        rule_problem(r, rule_location(r, v), "an empty list of conditions");
    for (size_t i = 0; i < n && !r->full; i++)
        read_condition(r, value_is_list_like(v) ? &v->items[i] : v, depth_left, &parts[i]);
    ret->part = parts;
    ret->nparts = n;
}

static void read_path(struct rule_reader *r, const struct value *v, struct condition *c)
{
    struct err err = {0};
    if (!value_is_string(v) || value_text(v).len == 0) {
        rule_problem(r, rule_location(r, v),
                     "path: want a path such as tags.owner or ingress[*].from_port");
        return;
    }
    if (r->npaths == RULE_PATHS_MAX) {
        rule_problem(r, rule_location(r, v), "more than %d paths in one rule", RULE_PATHS_MAX);
        return;
    }
    c->path_text = value_text(v);
    if (!path_parse(r->arena, c->path_text, &c->path, &err)) {
        rule_problem(r, rule_location(r, v), "%s", err.frame[0]);
        return;
    }
    if (c->path.n > CONDITION_STEPS_MAX)
        rule_problem(r, rule_location(r, v), "path: more than %d steps", CONDITION_STEPS_MAX);
    for (size_t i = 0; i < c->path.n; i++)
        if (c->path.step[i].kind == PATH_KEY &&
            (str_find_char(c->path.step[i].key, '*', 0) != SIZE_MAX))
            rule_problem(r, rule_location(r, v),
                         "path: '*' in a name; [*] is some element of a list or a map");
    c->has_path = true;
    c->id = r->npaths++;
}

/* What a key of a condition says. False: there is no such key. */
static bool take_key(struct rule_reader *r, struct str key, const struct value *v,
                     unsigned depth_left, struct condition *c)
{
    for (size_t i = 0; i < OPERATOR_COUNT; i++)
        if (str_equal(key, str_from(operators[i].key))) {
            c->kind = CONDITION_TEST;
            c->op = (enum condition_operator)i;
            read_operand(r, v, c);
            return true;
        }
    for (size_t i = 0; i < GROUPS; i++)
        if (str_equal(key, str_from(groups[i].key))) {
            c->kind = groups[i].kind;
            read_parts(r, v, depth_left, c);
            return true;
        }
    return false;
}

static void unknown_key(struct rule_reader *r, const struct value_member *member)
{
    struct str names[KEYS], key = key_str(member->key);
    key_names(names);
    struct str hint = rule_hint(r, key, names, KEYS);
    struct place place = yaml_key_place(&r->doc, &member->value);
    rule_problem(r, (struct location){.file = r->file, .line = place.line, .column = place.column},
                 "unknown key '%.*s' in a condition%.*s", STR_ARG(key), STR_ARG(hint));
}

/* The keys of a condition but `path`, of which there may be several. */
static void read_keys(struct rule_reader *r, const struct value *v, const struct value *path,
                      unsigned depth_left, struct condition *ret)
{
    size_t verbs = 0;
    if (path)
        read_path(r, path, ret);
    for (size_t i = 0; i < v->len && !r->full; i++) {
        const struct value_member *member = &v->members[i];
        if (str_equal(key_str(member->key), STR("path")))
            continue;
        if (take_key(r, key_str(member->key), &member->value, depth_left - 1, ret))
            verbs++;
        else
            unknown_key(r, member);
    }
    if (verbs > 1)
        rule_problem(r, ret->at, "two tests in one condition; put each in its own, below `all`");
    else if (verbs == 0 && v->len == (path != NULL))
        rule_problem(r, ret->at, "a condition without a test: equals, in, matches, exists ...");
}

/* path: [a, b] is the same condition at a or at b. What is wrong with it is told once. */
static void read_each_path(struct rule_reader *r, const struct value *v, const struct value *paths,
                           unsigned depth_left, struct condition *ret)
{
    size_t before = r->problems->n;
    struct condition *parts = arena_new(r->arena, struct condition, paths->len);
    if (!parts) {
        r->full = true;
        return;
    }
    if (paths->len == 0)
        rule_problem(r, rule_location(r, paths), "path: an empty list; name one at least");
    for (size_t i = 0; i < paths->len && !r->full && r->problems->n == before; i++) {
        parts[i].at = ret->at;
        read_keys(r, v, &paths->items[i], depth_left, &parts[i]);
    }
    ret->kind = CONDITION_ANY;
    ret->part = parts;
    ret->nparts = paths->len;
}

static void read_condition(struct rule_reader *r, const struct value *v, unsigned depth_left,
                           struct condition *ret)
{
    *ret = (struct condition){.kind = CONDITION_ALL, .at = rule_location(r, v)};
    if (depth_left == 0) {
        rule_problem(r, ret->at, "conditions are nested deeper than %d", CONDITION_DEPTH_MAX);
        return;
    }
    if (value_is_list_like(v)) {
        read_parts(r, v, depth_left - 1, ret);
        return;
    }
    if (!value_is_object_like(v)) {
        rule_problem(r, ret->at, "want a condition such as {path: acl, equals: public}, got %s",
                     value_plain_kind_name(v->kind));
        return;
    }
    const struct value *path = value_get(v, STR("path"));
    if (value_is_list_like(path))
        read_each_path(r, v, path, depth_left, ret);
    else
        read_keys(r, v, path, depth_left, ret);
}

void rule_read_when(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                    void *target)
{
    struct condition *when = arena_new(r->arena, struct condition, 1);
    if (!when) {
        r->full = true;
        return;
    }
    read_condition(r, v, CONDITION_DEPTH_MAX, when);
    memcpy((char *)target + key->at, &(const struct condition *){when}, sizeof when);
}

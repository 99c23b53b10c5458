/* rule_tests.c - reading and running YAML tests of rules. */
#include "policy/rule_tests.h"

#include <string.h>

#include "base/err.h"
#include "policy/input.h"
#include "policy/rule_parts.h"

enum { TESTS_MAX = 1000000 };

/* What the keys of a test are read into. */
struct draft {
    struct rule_test test;
    const struct value *input, *changes, *unknown;
    bool has_expect, has_resource;
};
struct test_reader {
    struct rule_reader base; /* first: readers of keys get this */
    struct rule_tests *tests;
};

bool rule_tests_is_name(struct str path)
{
    return str_ends(path, STR("_test.yaml")) || str_ends(path, STR("_test.yml"));
}

/* --- keys --- */

static void keep(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                 void *target)
{
    (void)r;
    memcpy((char *)target + key->at, &v, sizeof v);
}

static void keep_value(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                       void *target)
{
    if (!value_is_object_like(v))
        rule_problem(r, rule_location(r, v), "%s: want a mapping, got %s", key->name,
                     value_plain_kind_name(v->kind));
    else
        keep(r, key, v, target);
}

static void read_index(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                       void *target)
{
    (void)r;
    memcpy((char *)target + key->at, v, sizeof *v);
}

static void read_source(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                        void *target)
{
    struct rule_subject *s = target;
    if (!value_is_string(v) || !rule_source_from(value_text(v), &s->source))
        rule_problem(r, rule_location(r, v), "%s: want terraform, kubernetes or file", key->name);
}

#define SUBJECT(member) offsetof(struct rule_subject, member)

static void read_resource(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                          void *target)
{
    static const struct rule_key keys[] = {
        {"type", rule_read_text, SUBJECT(type), false},
        {"address", rule_read_text, SUBJECT(address), false},
        {"module", rule_read_text, SUBJECT(module), false},
        {"mode", rule_read_text, SUBJECT(mode), false},
        {"name", rule_read_text, SUBJECT(name), false},
        {"provider", rule_read_text, SUBJECT(provider), false},
        {"id", rule_read_text, SUBJECT(id), false},
        {"source", read_source, 0, false},
        {"index", read_index, SUBJECT(index), false},
        {"values", keep_value, SUBJECT(values), false},
        {"tags", keep_value, SUBJECT(tags), false},
    };
    struct draft *draft = target;
    draft->has_resource = true;
    rule_read_mapping(r, key->name, keys, sizeof keys / sizeof *keys, v, &draft->test.subject);
}

static void read_class(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                       void *target)
{
    struct draft *draft = target;
    draft->test.subject.kind = SUBJECT_FINDING;
    if (!value_is_string(v) || !finding_class_from(value_text(v), &draft->test.subject.class_))
        rule_problem(r, rule_location(r, v), "%s: want a class of findings such as missing",
                     key->name);
}

static void read_action(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                        void *target)
{
    struct draft *draft = target;
    draft->test.subject.kind = SUBJECT_CHANGE;
    rule_read_text(r, key, v, target);
}

static void read_actor(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                       void *target)
{
    static const struct rule_key keys[] = {
        {"kind", rule_read_text, offsetof(struct rule_actor, kind), false},
        {"principal", rule_read_text, offsetof(struct rule_actor, principal), false},
        {"via", rule_read_text, offsetof(struct rule_actor, via), false},
    };
    struct draft *draft = target;
    draft->test.subject.actor.known = true;
    rule_read_mapping(r, key->name, keys, sizeof keys / sizeof *keys, v,
                      &draft->test.subject.actor);
}

static void read_expected(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                          void *target)
{
    struct rule_test *test = target;
    bool decision = str_equal(str_from(key->name), STR("decision"));
    struct str text = value_is_string(v) ? value_text(v) : STR("");
    if (decision)
        test->has_decision = decision_from(text, &test->decision);
    else
        test->has_severity = severity_from(text, &test->severity);
    if (decision ? !test->has_decision : !test->has_severity)
        rule_problem(r, rule_location(r, v), "%s: there is no '%.*s'", key->name, STR_ARG(text));
}

static void read_expect(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                        void *target)
{
    static const struct rule_key keys[] = {{"decision", read_expected, 0, false},
                                           {"severity", read_expected, 0, false}};
    static const struct {
        struct str text;
        enum rule_outcome outcome;
    } outcomes[] = {{STR_INIT("match"), RULE_MATCH},
                    {STR_INIT("no-match"), RULE_NO_MATCH},
                    {STR_INIT("unknown"), RULE_UNKNOWN}};
    struct draft *draft = target;
    draft->has_expect = true;
    draft->test.expect = RULE_MATCH;
    if (value_is_object_like(v)) {
        rule_read_mapping(r, key->name, keys, sizeof keys / sizeof *keys, v, &draft->test);
        return;
    }
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++)
        if (value_is_string(v) && str_equal(value_text(v), outcomes[i].text)) {
            draft->test.expect = outcomes[i].outcome;
            return;
        }
    rule_problem(r, rule_location(r, v),
                 "%s: want match, no-match, unknown, or {decision: ..., severity: ...}", key->name);
}

#define DRAFT(member) offsetof(struct draft, member)

static const struct rule_key test_keys[] = {
    {"rule", rule_read_text, DRAFT(test.rule), true},
    {"name", rule_read_text, DRAFT(test.name), false},
    {"resource", read_resource, 0, false},
    {"input", keep_value, DRAFT(input), false},
    {"changes", keep, DRAFT(changes), false},
    {"unknown", keep, DRAFT(unknown), false},
    {"class", read_class, 0, false},
    {"env", rule_read_text, DRAFT(test.subject.env), false},
    {"stack", rule_read_text, DRAFT(test.subject.stack), false},
    {"actor", read_actor, 0, false},
    {"action", read_action, DRAFT(test.subject.action), false},
    {"expect", read_expect, 0, true},
};

/* --- changes and unknown values --- */

static void read_changes(struct rule_reader *r, const struct value *v, struct rule_subject *s)
{
    struct err err = {0};
    struct rule_change *change =
        value_is_list_like(v) ? arena_new(r->arena, struct rule_change, v->len) : NULL;
    if (!change) {
        r->full |= value_is_list_like(v);
        if (!r->full)
            rule_problem(r, rule_location(r, v), "changes: want a list");
        return;
    }
    for (size_t i = 0; i < v->len; i++) {
        const struct value *path = value_get(&v->items[i], STR("path"));
        change[i] = (struct rule_change){.before = value_get(&v->items[i], STR("before")),
                                         .after = value_get(&v->items[i], STR("after"))};
        if (!value_is_string(path)) {
            rule_problem(r, rule_location(r, &v->items[i]),
                         "changes: want {path: ..., before: ..., after: ...}");
            continue;
        }
        change[i].path_text = value_text(path);
        if (!path_parse(r->arena, change[i].path_text, &change[i].path, &err))
            rule_problem(r, rule_location(r, path), "%s", err.frame[0]);
    }
    if (s->kind == SUBJECT_RESOURCE) {
        s->kind = SUBJECT_FINDING;
        s->class_ = CLASS_CONTRADICTS_CODE;
    }
    s->change = change;
    s->nchanges = v->len;
}

/* The node becomes unknown. Values of a test are used once, so the document is ours to change. */
static void read_unknown(struct rule_reader *r, const struct value *v, const struct rule_subject *s)
{
    struct rule_strs paths = {0};
    struct path path;
    struct err err = {0};
    rule_read_texts(r, &(struct rule_key){.name = "unknown"}, v, &paths);
    for (size_t i = 0; i < paths.n; i++) {
        if (!path_parse(r->arena, paths.item[i], &path, &err)) {
            rule_problem(r, rule_location(r, v), "unknown: %s", err.frame[0]);
            continue;
        }
        struct value *node = (struct value *)(uintptr_t)path_find(s->values, path);
        if (node && path.n)
            *node = value_unknown(NULL);
        else
            rule_problem(r, rule_location(r, v),
                         "unknown: there is no %.*s in values; write it there with any value",
                         STR_ARG(paths.item[i]));
    }
}

/* --- tests --- */

static const struct rule *find_rule(struct rule_reader *r, struct str name, const struct value *at)
{
    const struct rules *rules = r->rules;
    struct str *names = arena_new(r->arena, struct str, rules->n);
    for (size_t i = 0; names && i < rules->n; i++) {
        names[i] = rules->rule[i].id;
        if (str_equal(rules->rule[i].id, name) || str_equal(rules->rule[i].name, name))
            return &rules->rule[i];
    }
    r->full |= !names;
    struct str hint = rule_hint(r, name, names, names ? rules->n : 0);
    rule_problem(r, rule_location(r, at), "rule: there is no '%.*s'%.*s", STR_ARG(name),
                 STR_ARG(hint));
    return NULL;
}

static bool add_test(struct test_reader *t, const struct value *v)
{
    struct rule_reader *r = &t->base;
    struct rule_tests *tests = t->tests;
    struct draft draft = {.test = {.at = rule_location(r, v)}};
    struct rule_test *test = &draft.test;
    test->subject.source = RULE_SOURCE_TERRAFORM;
    rule_read_mapping(r, "test", test_keys, sizeof test_keys / sizeof *test_keys, v, &draft);
    if (value_is_object_like(v) && draft.has_resource == (draft.input != NULL))
        rule_problem(r, test->at, "a test has either `resource` or `input`");
    if (draft.input && !input_to_subject(r->arena, draft.input, &test->subject))
        return false;
    if (draft.changes)
        read_changes(r, draft.changes, &test->subject);
    if (draft.unknown)
        read_unknown(r, draft.unknown, &test->subject);
    if (test->rule.len)
        test->of = find_rule(r, test->rule, value_get(v, STR("rule")));
    if (!test->name.len)
        test->name = arena_printf(r->arena, "line %u", test->at.line);
    struct rule_test *grown =
        arena_grow(r->arena, tests->test, tests->n, &tests->room, tests->n + 1);
    if (!grown || !test->name.ptr)
        return false;
    tests->test = grown;
    tests->test[tests->n++] = *test;
    return true;
}

static void read_tests(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                       void *target)
{
    if (!value_is_list_like(v) || v->len > TESTS_MAX) {
        rule_problem(r, rule_location(r, v), "%s: want a list of tests, got %s", key->name,
                     value_plain_kind_name(v->kind));
        return;
    }
    for (size_t i = 0; i < v->len && !r->full; i++)
        r->full = !add_test(target, &v->items[i]);
}

bool rule_tests_read(struct rule_tests *tests, struct arena *arena, const struct rules *rules,
                     struct str text, struct str file, struct rule_problems *problems,
                     struct err *err)
{
    static const struct rule_key keys[] = {{"version", rule_read_version, 0, false},
                                           {"tests", read_tests, 0, true}};
    /* Finding a rule changes none of them. */
    struct test_reader t = {
        .base = {.rules = (struct rules *)(uintptr_t)rules, .problems = problems, .arena = arena},
        .tests = tests};
    size_t before = problems->n + problems->left_out;
    struct str name = arena_dup(arena, file), copy = arena_dup(arena, text);
    t.base.file = name;
    if (!name.ptr || !copy.ptr)
        return arena_full(arena, err);
    if (!yaml_parse_one(arena, copy, name.ptr, YAML_DEFAULT, &t.base.doc, err))
        return false;
    rule_read_mapping(&t.base, "test file", keys, sizeof keys / sizeof *keys, &t.base.doc.root, &t);
    if (t.base.full)
        return arena_full(arena, err);
    return problems->n + problems->left_out == before || rule_refuse(&t.base, before, err);
}

/* --- running --- */

static const char *outcome_name(enum rule_outcome outcome)
{
    return outcome == RULE_MATCH      ? "match"
           : outcome == RULE_NO_MATCH ? "no match"
           : outcome == RULE_UNKNOWN  ? "unknown"
                                      : "error";
}

bool rule_test_run(struct rule_test *test, struct arena *arena, struct err *err)
{
    struct rule_result result;
    const struct rule *rule = test->of;
    if (!rule_judge(rule, arena, &test->subject, NULL, &result, err))
        return false;
    test->failure = STR("");
    if (result.outcome != test->expect)
        test->failure = arena_printf(arena, "want %s, got %s%s%.*s", outcome_name(test->expect),
                                     outcome_name(result.outcome), result.text.len ? ": " : "",
                                     STR_ARG(result.text));
    else if (test->has_decision && test->decision != rule->decision)
        test->failure = arena_printf(arena, "want decision %s, got %s",
                                     decision_name(test->decision), decision_name(rule->decision));
    else if (test->has_severity && (!rule->has_severity || test->severity != rule->severity))
        test->failure =
            arena_printf(arena, "want severity %s, got %s", severity_name(test->severity),
                         rule->has_severity ? severity_name(rule->severity) : "none");
    test->passed = test->failure.len == 0;
    return test->failure.ptr || arena_full(arena, err);
}

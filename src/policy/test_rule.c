/* test_rule.c - rules in YAML: reading, problems, matching, conditions, reasons. */
#include "base/test.h"

#include <string.h>

#include "base/err.h"
#include "policy/rule.h"
#include "wire/json.h"

enum { MEMORY = 16 << 20 };

static struct value json(struct arena *arena, const char *text)
{
    struct value v;
    struct err err = {0};
    assert_true(json_parse(arena, str_from(text), "test", JSON_DEFAULT, &v, &err));
    return v;
}

/* Replace "?" (the JSON text "?") by an unknown value and "!" by a sensitive one, in place. */
static void mark(struct value *v)
{
    if (value_is_string(v) && str_equal(value_text(v), STR("?")))
        *v = value_unknown(NULL);
    else if (value_is_string(v) && str_equal(value_text(v), STR("!")))
        v->marks = VALUE_SENSITIVE;
    else if (value_is_list_like(v))
        for (size_t i = 0; i < v->len; i++)
            mark((struct value *)(uintptr_t)&v->items[i]);
    else if (value_is_object_like(v))
        for (size_t i = 0; i < v->len; i++)
            mark((struct value *)(uintptr_t)&v->members[i].value);
}

static struct rules read_rules(struct arena *arena, const char *text)
{
    struct rules rules = {0};
    struct rule_problems problems = {.arena = arena};
    struct err err = {0};
    if (!rules_read(&rules, arena, str_from(text), STR("r.yaml"), STR("p"), &problems, &err))
        fail_msg("%s", err.frame[0]);
    return rules;
}

/* --- conditions --- */

static const struct {
    const char *when, *values;
    enum rule_outcome outcome;
    const char *why; /* of a match, and what is unknown */
} conditions[] = {
    {"{path: a, equals: 1}", "{\"a\": 1.0}", RULE_MATCH, "a is 1.0"},
    {"{path: a, equals: 1}", "{\"a\": \"1\"}", RULE_NO_MATCH, NULL},
    {"{path: a, equals: null}", "{}", RULE_MATCH, "a is not set"},
    {"{path: a, equals: [x, {k: v}]}", "{\"a\": [\"x\", {\"k\": \"v\", \"n\": null}]}", RULE_MATCH,
     "a is [\"x\",{\"k\":\"v\",\"n\":null}]"},
    {"{path: a, equals: [x]}", "{\"a\": [\"?\"]}", RULE_UNKNOWN, "a is known only after apply"},
    {"{path: a, not_equals: true}", "{}", RULE_MATCH, "a is not set"},
    {"{path: a, not_equals: true}", "{\"a\": false}", RULE_MATCH, "a is false (not_equals true)"},
    {"{path: a, not_equals: true}", "{\"a\": true}", RULE_NO_MATCH, NULL},
    {"{path: a, not_equals: true}", "{\"a\": \"?\"}", RULE_UNKNOWN, "a is known only after apply"},
    {"{path: a, in: [x, y]}", "{\"a\": \"y\"}", RULE_MATCH, "a is \"y\" (in [\"x\",\"y\"])"},
    {"{path: a, not_in: [x, y]}", "{\"a\": \"z\"}", RULE_MATCH,
     "a is \"z\" (not_in [\"x\",\"y\"])"},
    {"{path: a, matches: '^ami-'}", "{\"a\": \"ami-1\"}", RULE_MATCH,
     "a is \"ami-1\" (matches \"^ami-\")"},
    {"{path: a, not_matches: '^ami-'}", "{}", RULE_MATCH, "a is not set"},
    {"{path: a, contains: x}", "{\"a\": [\"w\", \"x\"]}", RULE_MATCH,
     "a is [\"w\",\"x\"] (contains \"x\")"},
    {"{path: a, contains: x}", "{\"a\": [\"w\", \"?\"]}", RULE_UNKNOWN,
     "a is known only after apply"},
    {"{path: a, contains: x}", "{\"a\": {\"x\": null}}", RULE_MATCH,
     "a is {\"x\":null} (contains \"x\")"},
    {"{path: a, contains: ell}", "{\"a\": \"hello\"}", RULE_MATCH,
     "a is \"hello\" (contains \"ell\")"},
    {"{path: a, not_contains: x}", "{\"a\": []}", RULE_MATCH, "a is [] (not_contains \"x\")"},
    {"{path: a, exists: true}", "{\"a\": null}", RULE_NO_MATCH, NULL},
    {"{path: a, exists: false}", "{\"a\": null}", RULE_MATCH, "a is not set"},
    {"{path: a.b, exists: true}", "{\"a\": {\"b\": 1}}", RULE_MATCH, "a.b is 1 (exists true)"},
    {"{path: a, empty: true}", "{\"a\": []}", RULE_MATCH, "a is [] (empty true)"},
    {"{path: a, empty: false}", "{\"a\": 0}", RULE_MATCH, "a is 0 (empty false)"},
    {"{path: a, at_most: 22}", "{\"a\": 22}", RULE_MATCH, "a is 22 (at_most 22)"},
    {"{path: a, at_most: 22}", "{\"a\": \"0\"}", RULE_MATCH, "a is \"0\" (at_most 22)"},
    {"{path: a, at_most: 22}", "{}", RULE_NO_MATCH, NULL},
    {"{path: a, at_least: 7}", "{\"a\": 6}", RULE_NO_MATCH, NULL},
    {"{path: a, less: 7}", "{\"a\": 7}", RULE_NO_MATCH, NULL},
    {"{path: a, more: 7}", "{\"a\": 7.5}", RULE_MATCH, "a is 7.5 (more 7)"},
    {"{path: a, spans: 22}", "{\"a\": \"20-30\"}", RULE_MATCH, "a is \"20-30\" (spans 22)"},
    {"{path: a, spans: 22}", "{\"a\": \"22\"}", RULE_MATCH, "a is \"22\" (spans 22)"},
    {"{path: a, spans: 22}", "{\"a\": 22}", RULE_MATCH, "a is 22 (spans 22)"},
    {"{path: a, spans: 22}", "{\"a\": \"*\"}", RULE_MATCH, "a is \"*\" (spans 22)"},
    {"{path: a, spans: 22}", "{\"a\": \"23-30\"}", RULE_NO_MATCH, NULL},
    {"{path: a, spans: 22}", "{\"a\": \"1-21\"}", RULE_NO_MATCH, NULL},
    {"{path: a, spans: 22}", "{\"a\": \"-\"}", RULE_NO_MATCH, NULL},
    {"{path: a, spans: 22}", "{}", RULE_NO_MATCH, NULL},
    {"{path: [a, b], equals: 1}", "{\"b\": 1}", RULE_MATCH, "b is 1"},
    {"{path: [a, b], equals: 1}", "{\"a\": 2, \"b\": 2}", RULE_NO_MATCH, NULL},
    {"{path: [a, b], equals: 1}", "{\"a\": \"?\", \"b\": 2}", RULE_UNKNOWN,
     "a is known only after apply"},
    {"{path: ['x[*]', y], all: [{path: p, equals: 1}, {path: q, equals: 2}]}",
     "{\"x\": [{\"p\": 1}], \"y\": {\"p\": 1, \"q\": 2}}", RULE_MATCH, "y.p is 1; y.q is 2"},
    {"{path: a, within: 10.0.0.0/8}", "{\"a\": \"10.1.0.0/16\"}", RULE_MATCH,
     "a is \"10.1.0.0/16\" (within \"10.0.0.0/8\")"},
    {"{path: a, within: [10.0.0.0/8]}", "{\"a\": [\"10.1.2.3\", \"11.0.0.0/8\"]}", RULE_NO_MATCH,
     NULL},
    {"{path: a, overlaps: 10.0.0.0/8}", "{\"a\": [\"0.0.0.0/0\"]}", RULE_MATCH,
     "a is [\"0.0.0.0/0\"] (overlaps \"10.0.0.0/8\")"},
    {"{path: a, overlaps: '::/0'}", "{\"a\": \"0.0.0.0/0\"}", RULE_NO_MATCH, NULL},
    /* elements */
    {"{path: 'in[*].port', equals: 22}", "{\"in\": [{\"port\": 1}, {\"port\": 22}]}", RULE_MATCH,
     "in[1].port is 22"},
    {"{path: 'in[*].port', equals: 22}", "{\"in\": []}", RULE_NO_MATCH, NULL},
    {"{path: 'in[*].port', equals: 22}", "{\"in\": \"?\"}", RULE_UNKNOWN,
     "in is known only after apply"},
    {"{path: 'in[*]', all: [{path: c, contains: w}, {path: p, at_most: 22}]}",
     "{\"in\": [{\"c\": [\"w\"], \"p\": 80}, {\"c\": [\"x\"], \"p\": 1}]}", RULE_NO_MATCH, NULL},
    {"{path: 'in[*]', all: [{path: c, contains: w}, {path: p, at_most: 22}]}",
     "{\"in\": [{\"c\": [\"x\"], \"p\": 80}, {\"c\": [\"w\"], \"p\": 1}]}", RULE_MATCH,
     "in[1].c is [\"w\"] (contains \"w\"); in[1].p is 1 (at_most 22)"},
    {"{path: 'x[*]', equals: a}", "{\"x\": \"a\"}", RULE_MATCH, "x is \"a\""},
    {"{path: 'x[*]', equals: a}", "{\"x\": {\"k\": \"a\"}}", RULE_MATCH, "x.k is \"a\""},
    {"{path: x, every: {equals: a}}", "{\"x\": [\"a\", \"b\"]}", RULE_NO_MATCH, NULL},
    {"{path: x, every: {equals: a}}", "{\"x\": []}", RULE_MATCH, ""},
    /* groups */
    {"[{path: a, equals: 1}, {path: b, equals: 2}]", "{\"a\": 1, \"b\": 2}", RULE_MATCH,
     "a is 1; b is 2"},
    {"{any: [{path: a, equals: 1}, {path: b, equals: 2}]}", "{\"a\": \"?\", \"b\": 2}", RULE_MATCH,
     "b is 2"},
    {"{any: [{path: a, equals: 1}, {path: b, equals: 2}]}", "{\"a\": \"?\", \"b\": 3}",
     RULE_UNKNOWN, "a is known only after apply"},
    {"[{path: a, equals: 1}, {path: b, equals: 2}]", "{\"a\": \"?\", \"b\": 3}", RULE_NO_MATCH,
     NULL},
    {"{none: [{path: a, equals: 1}, {path: b, equals: 2}]}", "{\"a\": 2, \"b\": 3}", RULE_MATCH,
     "a is 2 (not equals 1); b is 3 (not equals 2)"},
    {"{none: [{path: a, equals: 1}]}", "{\"a\": \"?\"}", RULE_UNKNOWN,
     "a is known only after apply"},
    /* JSON texts */
    {"{path: p, json: [{path: 'Statement[*]', all: [{path: Effect, equals: Allow}, {path: "
     "'Action[*]', equals: '*'}]}]}",
     "{\"p\": \"{\\\"Statement\\\": {\\\"Effect\\\": \\\"Allow\\\", \\\"Action\\\": \\\"*\\\"}}\"}",
     RULE_MATCH, "p.Statement[0].Effect is \"Allow\"; p.Statement[0].Action is \"*\""},
    {"{path: p, json: [{path: a, equals: 1}]}", "{\"p\": \"{\"}", RULE_UNKNOWN, "p is not JSON"},
    {"{path: p, json: [{path: a, exists: false}]}", "{}", RULE_MATCH, "p.a is not set"},
    /* secrets */
    {"{path: s, matches: '!'}", "{\"s\": \"!\"}", RULE_MATCH, "s is (sensitive)"},
    {"{path: s, contains: x}", "{\"s\": [\"x\", \"!\"]}", RULE_MATCH, "s is (sensitive)"},
};

static void conditions_give_their_outcome_and_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
        AUTO_ARENA arena = {.limit = MEMORY};
        struct err err = {0};
        struct str text = arena_printf(
            &arena, "version: 1\nrules:\n  - {id: r, title: T, decision: block, when: %s}\n",
            conditions[i].when);
        struct rules rules = read_rules(&arena, text.ptr);
        struct value values = json(&arena, conditions[i].values);
        struct rule_result result;
        mark(&values);
        print_message("  %s over %s\n", conditions[i].when, conditions[i].values);
        const struct rule_subject subject = {.values = &values};
        assert_true(rule_judge(&rules.rule[0], &arena, &subject, NULL, &result, &err));
        assert_int_equal(result.outcome, conditions[i].outcome);
        if (conditions[i].why)
            assert_string_equal(arena_dup(&arena, result.text).ptr, conditions[i].why);
        rules_close(&rules);
    }
}

/* A set is equal in any order, and its elements have no place. */
static void sets_have_no_order(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = MEMORY};
    struct err err = {0};
    struct value items[] = {value_string(STR("a")), value_string(STR("b"))};
    struct value_member member = {key_make(&arena, STR("s")), value_items(VALUE_SET, items, 2)};
    struct value values = {.kind = VALUE_OBJECT, .len = 1, .members = &member};
    struct rules rules =
        read_rules(&arena, "version: 1\nrules:\n  - id: r\n    title: T\n    decision: block\n"
                           "    when: [{path: s, equals: [b, a]}, {path: 's[*]', equals: b}]\n");
    struct rule_result result;
    const struct rule_subject subject = {.values = &values};
    assert_true(rule_judge(&rules.rule[0], &arena, &subject, NULL, &result, &err));
    assert_int_equal(result.outcome, RULE_MATCH);
    assert_string_equal(arena_dup(&arena, result.text).ptr, "s is [\"a\",\"b\"]; s[*] is \"b\"");
    rules_close(&rules);
}

/* --- match --- */

static const struct {
    const char *match;
    struct rule_subject subject;
    const char *tags;
    enum rule_outcome outcome;
} matches[] = {
    {"{type: [aws_*, google_x]}", {.type = STR_INIT("aws_vpc")}, NULL, RULE_MATCH},
    {"{type: [aws_*]}", {.type = STR_INIT("google_x")}, NULL, RULE_NO_MATCH},
    {"{address: 'module.net.*'}", {.address = STR_INIT("module.net.a.b[0]")}, NULL, RULE_MATCH},
    {"{env: prod}", {.env = STR_INIT("prod")}, NULL, RULE_MATCH},
    {"{env: prod}", {.env = STR_INIT("")}, NULL, RULE_NO_MATCH},
    {"{stack: 'net-*'}", {.stack = STR_INIT("net-a")}, NULL, RULE_MATCH},
    {"{stack: 'net-*'}", {.stack = STR_INIT("net-a/b")}, NULL, RULE_NO_MATCH},
    {"{source: kubernetes}", {.source = RULE_SOURCE_KUBERNETES}, NULL, RULE_MATCH},
    {"{source: kubernetes}", {.source = RULE_SOURCE_TERRAFORM}, NULL, RULE_NO_MATCH},
    {"{class: missing}", {.kind = SUBJECT_FINDING, .class_ = CLASS_MISSING}, NULL, RULE_MATCH},
    {"{class: missing}", {.kind = SUBJECT_FINDING, .class_ = CLASS_UNMANAGED}, NULL, RULE_NO_MATCH},
    {"{class: missing}", {.kind = SUBJECT_RESOURCE}, NULL, RULE_NO_MATCH},
    {"{action: [delete, replace]}",
     {.kind = SUBJECT_CHANGE, .action = STR_INIT("replace")},
     NULL,
     RULE_MATCH},
    {"{action: delete}", {.kind = SUBJECT_RESOURCE}, NULL, RULE_NO_MATCH},
    {"{actor: {kind: human, principal: 'arn:*'}}",
     {.actor = {true, STR_INIT("human"), STR_INIT("arn:aws:x"), {0}}},
     NULL,
     RULE_MATCH},
    {"{actor: {principal: '*'}}", {.actor = {0}}, NULL, RULE_NO_MATCH},
    {"{actor: {kind: unknown}}", {.actor = {0}}, NULL, RULE_MATCH},
    {"{tags: {env: prod}}", {0}, "{\"tags\": {\"env\": \"prod\"}}", RULE_MATCH},
    {"{tags: {env: prod}}", {0}, "{\"tags_all\": {\"env\": \"prod\"}, \"tags\": null}", RULE_MATCH},
    {"{tags: {env: prod}}", {0}, "{\"metadata\": {\"labels\": {\"env\": \"prod\"}}}", RULE_MATCH},
    {"{tags: {env: 'p*', team: null}}", {0}, "{\"tags\": {\"env\": \"prod\"}}", RULE_MATCH},
    {"{tags: {env: null}}", {0}, "{\"tags\": {\"env\": \"prod\"}}", RULE_NO_MATCH},
    {"{tags: {env: prod}}", {0}, "{\"tags\": \"?\"}", RULE_UNKNOWN},
    {"{tags: {env: prod}}", {0}, "{\"labels\": {\"env\": \"?\"}}", RULE_UNKNOWN},
};

static void match_keys_must_all_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof matches / sizeof *matches; i++) {
        AUTO_ARENA arena = {.limit = MEMORY};
        struct err err = {0};
        struct str text = arena_printf(
            &arena, "version: 1\nrules:\n  - {id: r, title: T, decision: block, match: %s}\n",
            matches[i].match);
        struct rules rules = read_rules(&arena, text.ptr);
        struct rule_subject subject = matches[i].subject;
        struct value values = json(&arena, matches[i].tags ? matches[i].tags : "{}");
        struct rule_result result;
        mark(&values);
        subject.values = &values;
        print_message("  %s\n", matches[i].match);
        assert_true(rule_judge(&rules.rule[0], &arena, &subject, NULL, &result, &err));
        assert_int_equal(result.outcome, matches[i].outcome);
        rules_close(&rules);
    }
}

/* --- changes --- */

static const struct {
    const char *says, *rule, *changed[3];
    size_t nchanges; /* of the result */
    enum rule_outcome outcome;
    enum rule_outcome planned; /* the same as a plan's change */
} changes[] = {
    {"a changed path that the condition reads",
     "when: {path: acl, equals: x}",
     {"acl", "tags.a"},
     1,
     RULE_MATCH,
     RULE_MATCH},
    {"the condition reads what has not changed",
     "when: {path: acl, equals: x}",
     {"tags.a"},
     0,
     RULE_NO_MATCH,
     RULE_MATCH},
    {"a block that appeared as a whole",
     "when: {path: 'in[*].port', equals: 22}",
     {"in[0]"},
     1,
     RULE_MATCH,
     RULE_MATCH},
    {"paths of match say which changes count",
     "match: {path: [tags.*]}\n    when: {path: acl, equals: x}",
     {"tags.a"},
     1,
     RULE_MATCH,
     RULE_MATCH},
    {"no path of match has changed",
     "match: {path: [tags.*]}",
     {"acl"},
     0,
     RULE_NO_MATCH,
     RULE_NO_MATCH},
    {"no changes: the resource as a whole",
     "when: {path: acl, equals: x}",
     {NULL},
     0,
     RULE_MATCH,
     RULE_MATCH},
    {"no changes, and the rule is about a path",
     "match: {path: acl}",
     {NULL},
     0,
     RULE_NO_MATCH,
     RULE_NO_MATCH},
};

static void rules_are_about_what_has_changed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        AUTO_ARENA arena = {.limit = MEMORY};
        struct err err = {0};
        struct str text = arena_printf(
            &arena, "version: 1\nrules:\n  - id: r\n    title: T\n    decision: block\n    %s\n",
            changes[i].rule);
        struct rules rules = read_rules(&arena, text.ptr);
        struct value values = json(&arena, "{\"acl\": \"x\", \"in\": [{\"port\": 22}]}");
        struct rule_change change[3] = {0};
        struct rule_subject subject = {
            .kind = SUBJECT_FINDING, .values = &values, .change = change};
        struct rule_result result;
        for (; changes[i].changed[subject.nchanges]; subject.nchanges++) {
            struct rule_change *one = &change[subject.nchanges];
            one->path_text = str_from(changes[i].changed[subject.nchanges]);
            assert_true(path_parse(&arena, one->path_text, &one->path, &err));
        }
        print_message("  %s\n", changes[i].says);
        assert_true(rule_judge(&rules.rule[0], &arena, &subject, NULL, &result, &err));
        assert_int_equal(result.outcome, changes[i].outcome);
        assert_int_equal(result.nchanges, changes[i].nchanges);
        subject.kind = SUBJECT_CHANGE;
        assert_true(rule_judge(&rules.rule[0], &arena, &subject, NULL, &result, &err));
        assert_int_equal(result.outcome, changes[i].planned);
        rules_close(&rules);
    }
}

/* What is gone is judged by its last values, and only by rules that name it. */
static void what_is_gone_needs_to_be_named(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = MEMORY};
    struct err err = {0};
    struct rules rules = read_rules(
        &arena, "version: 1\nrules:\n"
                "  - {id: a, title: T, decision: block, when: {path: x, not_equals: 1}}\n"
                "  - {id: b, title: T, decision: block, match: {class: missing},"
                " when: {path: x, not_equals: 1}}\n"
                "  - {id: c, title: T, decision: block, match: {type: t}}\n");
    struct value values = json(&arena, "{\"x\": 2}");
    struct rule_results results;
    const struct rule_subject subject = {
        .kind = SUBJECT_FINDING, .class_ = CLASS_MISSING, .type = STR("t"), .values = &values};
    assert_true(rules_judge(&rules, &arena, &subject, NULL, &results, &err));
    assert_int_equal(results.n, 2);
    assert_true(str_equal(results.item[0].rule->name, STR("p/b")));
    assert_true(str_equal(results.item[1].rule->name, STR("p/c")));
    assert_true(str_equal(results.item[1].text, STR("type t")));
    rules_close(&rules);
}

/* --- counting --- */

static void counts_tell_what_a_rule_did(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = MEMORY};
    struct err err = {0};
    struct rules rules =
        read_rules(&arena, "version: 1\nrules:\n"
                           "  - {id: a, title: T, decision: block, when: "
                           "[{path: x, equals: 1}, {path: misspelt, equals: null}]}\n"
                           "  - {id: b, title: T, decision: block, match: {type: other}}\n");
    struct rule_counts counts;
    struct rule_results results;
    struct value values = json(&arena, "{\"x\": 1}");
    const struct rule_subject subject = {.values = &values};
    assert_true(rule_counts_init(&counts, &arena, &rules, &err));
    for (int i = 0; i < 3; i++)
        assert_true(rules_judge(&rules, &arena, &subject, &counts, &results, &err));
    assert_int_equal(counts.subjects, 3);
    assert_int_equal(counts.rule[0].applicable, 3);
    assert_int_equal(counts.rule[0].matched, 3);
    assert_int_equal(counts.rule[0].path[0].read, 3);
    assert_int_equal(counts.rule[0].path[0].had, 3);
    assert_int_equal(counts.rule[0].path[1].read, 3);
    assert_int_equal(counts.rule[0].path[1].had, 0);
    assert_int_equal(counts.rule[1].applicable, 0);
    rules_close(&rules);
}

/* --- problems --- */

static const char broken[] =
    "version: 1\n"
    "rules:\n"
    "  - id: a b\n"
    "    titel: T\n"
    "    decision: blok\n"
    "    severity: hihg\n"
    "    match: {typ: x, class: mising, path: 'a[', source: terrafrom, tags: {a: 1}}\n"
    "    when: {path: a, equls: 1}\n"
    "    deadline: soon\n"
    "  - id: b\n"
    "    title: T\n"
    "    decision: block\n"
    "    when:\n"
    "      - {path: a, matches: '('}\n"
    "      - {path: a, at_most: x}\n"
    "      - {path: a, equals: 1, exists: true}\n"
    "      - {path: a}\n"
    "      - {path: a, within: 10.0.0.0/99}\n"
    "  - {id: b, title: T, decision: ignore}\n"
    "  - {id: c, title: T, decision: ignore, match: {}}\n"
    "  - {id: d, title: T, decision: ignore, match: [], when: {path: a, exists: true}}\n"
    "  - id: e\n"
    "    title: T\n"
    "    decision: ignore\n"
    "    match: {type: x}\n"
    "    references:\n"
    "      csf: [PR, PR.DS, PR.DS-01, pr.ds-1, PR.DS-03, PR.AC-1, PR.DS-01a, PR.DSX]\n"
    "      '800-53': [AC-3, AC-3(7), SC-51, ac-03, AC-26, AC-3(7, AC-3 (7), AC, XX-1]\n"
    "      cis: [anything]\n";

static const char *const wanted[] = {
    "r.yaml:3:5: rule: 'title' is missing",
    "r.yaml:3:9: id: want letters, digits, '-', '_' and '.', got 'a b'",
    "r.yaml:4:5: unknown key 'titel' in rule; did you mean 'title'?",
    "r.yaml:5:15: decision: want ignore, notify, review, revert or block; did you mean 'block'?",
    "r.yaml:6:15: severity: want info, low, medium, high or critical; did you mean 'high'?",
    "r.yaml:7:13: unknown key 'typ' in match; did you mean 'type'?",
    "r.yaml:7:28: class: there is no 'mising'; did you mean 'missing'?",
    "r.yaml:7:42: path: an index, a quoted key or * is missing at byte 3",
    "r.yaml:7:56: source: there is no 'terrafrom'; did you mean 'terraform'?",
    "r.yaml:7:77: tags: want a text in quotes, null (the tag is absent) or a list of these, got "
    "number",
    "r.yaml:8:21: unknown key 'equls' in a condition; did you mean 'equals'?",
    "r.yaml:9:15: deadline: want hours, days or weeks: 12h, 3d, 2w",
    "r.yaml:14:28: matches: not a regular expression: missing ): (",
    "r.yaml:15:28: at_most: want a number, got string",
    "r.yaml:16:9: two tests in one condition; put each in its own, below `all`",
    "r.yaml:17:9: a condition without a test: equals, in, matches, exists ...",
    "r.yaml:18:27: within: want a network such as 10.0.0.0/8, or a list of them, got string",
    "r.yaml:19:5: a rule without match and when is about everything; if that is meant, write "
    "match: "
    "{type: '*'}",
    "r.yaml:19:5: rule 'p/b' is at r.yaml:10 already",
    "r.yaml:20:48: match: an empty mapping is about everything; if that is meant, write match: "
    "{type: '*'}",
    "r.yaml:21:48: match: want a mapping, got list",
    "r.yaml:27:34: references: CSF 2.0 has no 'pr.ds-1'; did you mean 'PR.DS-01'?",
    "r.yaml:27:43: references: CSF 2.0 has no 'PR.DS-03'",
    "r.yaml:27:53: references: CSF 2.0 has no 'PR.AC-1'",
    "r.yaml:27:62: references: CSF 2.0 has no 'PR.DS-01a'",
    "r.yaml:27:73: references: CSF 2.0 has no 'PR.DSX'",
    "r.yaml:28:40: references: 800-53 revision 5 has no 'ac-03'; did you mean 'AC-3'?",
    "r.yaml:28:47: references: 800-53 revision 5 has no 'AC-26'",
    "r.yaml:28:54: references: 800-53 revision 5 has no 'AC-3(7'",
    "r.yaml:28:62: references: 800-53 revision 5 has no 'AC-3 (7)'; did you mean 'AC-3(7)'?",
    "r.yaml:28:72: references: 800-53 revision 5 has no 'AC'",
    "r.yaml:28:76: references: 800-53 revision 5 has no 'XX-1'",
};

static void all_problems_are_told_in_one_run(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = MEMORY};
    struct err err = {0};
    struct rules rules = {0};
    struct rule_problems problems = {.arena = &arena};
    assert_false(rules_read(&rules, &arena, STR(broken), STR("r.yaml"), STR("p"), &problems, &err));
    for (size_t i = 0; i < problems.n || i < sizeof wanted / sizeof *wanted; i++) {
        assert_true(i < problems.n && i < sizeof wanted / sizeof *wanted);
        assert_string_equal(rule_problem_text(&arena, &problems.item[i]).ptr, wanted[i]);
    }
    assert_non_null(strstr(err.frame[0], "r.yaml: 32 problems; the first, 3:5: "));
    rules_close(&rules);
}

static void documents_are_told_apart(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = MEMORY};
    struct value v = json(&arena, "{\"version\": 1, \"rules\": []}");
    assert_true(rules_is_file(&v));
    v = json(&arena, "{\"version\": 1, \"rule\": []}");
    assert_true(rules_is_file(&v));
    v = json(&arena, "{\"version\": 1, \"services\": []}");
    assert_false(rules_is_file(&v));
    v = json(&arena, "{\"rules\": {\"a\": 1}}");
    assert_false(rules_is_file(&v));
    v = json(&arena, "[1]");
    assert_false(rules_is_file(&v));
}

static void a_nested_rule_ends_at_its_bound(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = MEMORY};
    struct err err = {0};
    struct rules rules = {0};
    struct rule_problems problems = {.arena = &arena};
    AUTO_BUF text = {.limit = 1 << 20};
    buf_str(&text, STR("version: 1\nrules:\n  - {id: a, title: T, decision: block, when: "));
    for (int i = 0; i < 60; i++)
        buf_str(&text, STR("["));
    buf_str(&text, STR("{path: a, equals: 1}"));
    for (int i = 0; i < 60; i++)
        buf_str(&text, STR("]"));
    buf_str(&text, STR("}\n"));
    assert_false(
        rules_read(&rules, &arena, buf_view(&text), STR("r.yaml"), STR(""), &problems, &err));
    assert_non_null(strstr(err.frame[0], "nested deeper than 32"));
    rules_close(&rules);
}

/* Nested [*] over long lists: the budget ends it, and the outcome says so. */
static void a_rule_that_looks_too_long_is_an_error(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = MEMORY * 4};
    struct err err = {0};
    enum { N = 4000 };
    struct value *inner = arena_new(&arena, struct value, N), *outer;
    outer = arena_new(&arena, struct value, N);
    for (size_t i = 0; i < N; i++) {
        inner[i] = value_int(0);
        outer[i] = value_items(VALUE_TUPLE, inner, N);
    }
    struct value_member member = {key_make(&arena, STR("a")), value_items(VALUE_TUPLE, outer, N)};
    struct value values = {.kind = VALUE_OBJECT, .len = 1, .members = &member};
    struct rules rules =
        read_rules(&arena, "version: 1\nrules:\n  - {id: r, title: T, decision: block, when: "
                           "{path: 'a[*][*]', equals: 1}}\n");
    struct rule_result result;
    const struct rule_subject subject = {.values = &values};
    assert_true(rule_judge(&rules.rule[0], &arena, &subject, NULL, &result, &err));
    assert_int_equal(result.outcome, RULE_ERROR);
    assert_string_equal(arena_dup(&arena, result.text).ptr,
                        "the rule looked at more values than it may");
    rules_close(&rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_give_their_outcome_and_why),
        cmocka_unit_test(sets_have_no_order),
        cmocka_unit_test(match_keys_must_all_hold),
        cmocka_unit_test(rules_are_about_what_has_changed),
        cmocka_unit_test(what_is_gone_needs_to_be_named),
        cmocka_unit_test(counts_tell_what_a_rule_did),
        cmocka_unit_test(all_problems_are_told_in_one_run),
        cmocka_unit_test(documents_are_told_apart),
        cmocka_unit_test(a_nested_rule_ends_at_its_bound),
        cmocka_unit_test(a_rule_that_looks_too_long_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

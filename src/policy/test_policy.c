/* test_policy.c - judgements: strictest wins, defaults, Rego packages, errors, waivers, reports. */
#include "base/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "policy/policy.h"
#include "wire/json.h"

enum { MEMORY = 64 << 20, NOW_MS = 1700000000 };

/* Files in a folder of their own, opened as one policy. */
struct setup {
    struct arena arena;
    char dir[32];
    struct str files[8];
    size_t nfiles;
    struct policy_problems problems;
    struct policy *policy;
    struct err err;
};

static void add_file(struct setup *t, const char *name, const char *text)
{
    struct str path = arena_printf(&t->arena, "%s/%s", t->dir, name);
    assert_true(io_write_file_atomic(path.ptr, str_from(text), 0600, &t->err));
    t->files[t->nfiles++] = path;
}

static void begin(struct setup *t)
{
    *t = (struct setup){.arena = {.limit = MEMORY}, .dir = "/tmp/plumb-policy.XXXXXX"};
    assert_non_null(mkdtemp(t->dir));
    t->problems.rules.arena = &t->arena;
    t->problems.rego.arena = &t->arena;
}

static void end(struct setup *t)
{
    policy_close(t->policy);
    for (size_t i = 0; i < t->nfiles; i++)
        (void)unlink(t->files[i].ptr);
    (void)rmdir(t->dir);
    arena_free(&t->arena);
}

static const struct policy_default defaults[] = {{STR_INIT("prod"), DECISION_REVIEW},
                                                 {STR_INIT("dev*"), DECISION_IGNORE}};

static bool open_policy(struct setup *t, const char *waivers)
{
    struct str waiver_file = waivers ? arena_printf(&t->arena, "%s/%s", t->dir, waivers) : STR("");
    struct policy_source *sources = arena_new(&t->arena, struct policy_source, t->nfiles);
    struct policy_options options = {.source = sources,
                                     .waivers = &waiver_file,
                                     .nwaivers = waivers != NULL,
                                     .defaults = defaults,
                                     .ndefaults = 2,
                                     .waiver_key = STR("key"),
                                     .now_utc_ms = NOW_MS};
    for (size_t i = 0; i < t->nfiles; i++)
        if (!waivers || !str_equal(t->files[i], waiver_file))
            sources[options.nsources++] = (struct policy_source){t->files[i], STR("")};
    return policy_open(&t->arena, &options, &t->problems, &t->policy, &t->err);
}

static void must_open(struct setup *t, const char *waivers)
{
    if (!open_policy(t, waivers))
        fail_msg("%s", t->err.frame[0]);
}

static const char *values_text =
    "{\"acl\": \"public\", \"size\": 3, \"tags\": {\"team\": \"x\"}, \"password\": \"hunter2\"}";

/* A finding of prod with these changed paths (their live values are those of values_text). */
static struct rule_subject subject(struct setup *t, const char *const *paths)
{
    struct value *values = arena_new(&t->arena, struct value, 1);
    struct rule_change *change = arena_new(&t->arena, struct rule_change, 8);
    struct rule_subject s = {.kind = SUBJECT_FINDING,
                             .source = RULE_SOURCE_TERRAFORM,
                             .class_ = CLASS_CONTRADICTS_CODE,
                             .address = STR("aws_s3_bucket.b"),
                             .type = STR("aws_s3_bucket"),
                             .env = STR("prod"),
                             .fingerprint = STR("0123456789abcdef0123456789abcdef"),
                             .values = values,
                             .change = change,
                             .now_utc_ms = NOW_MS};
    assert_true(json_parse(&t->arena, str_from(values_text), "v", 0, values, &t->err));
    for (; paths && paths[s.nchanges]; s.nchanges++) {
        struct rule_change *c = &change[s.nchanges];
        c->path_text = str_from(paths[s.nchanges]);
        assert_true(path_parse(&t->arena, c->path_text, &c->path, &t->err));
        c->after = path_find(values, c->path);
        c->sensitive = str_equal(c->path_text, STR("password"));
    }
    return s;
}

static struct judgement judge(struct setup *t, const struct rule_subject *s)
{
    struct judgement j;
    if (!policy_judge(t->policy, &t->arena, s, &j, &t->err))
        fail_msg("%s", t->err.frame[0]);
    return j;
}

#define PATHS(...) ((const char *const[]){__VA_ARGS__, NULL})

static const char some_rules[] =
    "version: 1\n"
    "rules:\n"
    "  - {id: public, title: It is public, when: {path: acl, equals: public}, decision: block,\n"
    "     severity: high, owner: '@sec', deadline: 3d, fix: Make it private.}\n"
    "  - {id: tags, title: Tags may differ, match: {path: tags}, decision: ignore, owner: '@net "
    "@sec'}\n"
    "  - {id: size, title: The size differs, match: {path: size}, decision: notify,\n"
    "     severity: critical, deadline: 1d}\n";

static void the_strictest_decision_wins(void **state)
{
    (void)state;
    struct setup t;
    begin(&t);
    add_file(&t, "r.yaml", some_rules);
    must_open(&t, NULL);
    struct rule_subject s = subject(&t, PATHS("acl", "size", "tags.team"));
    struct judgement j = judge(&t, &s);
    assert_int_equal(j.decision, DECISION_BLOCK);
    assert_int_equal(j.severity, SEVERITY_CRITICAL);
    assert_true(str_equal(j.rule, STR("public")));
    assert_int_equal(j.at.line, 3);
    assert_true(str_equal(j.message, STR("It is public")));
    assert_true(str_equal(j.owner, STR("@sec @net")));
    assert_true(str_equal(j.deadline, STR("1d")));
    assert_int_equal(j.nverdicts, 3);
    assert_true(str_equal(j.verdict[0].why, STR("acl is \"public\"")));
    assert_int_equal(j.verdict[0].npaths, 1);
    assert_true(str_equal(j.verdict[0].path[0], STR("acl")));
    end(&t);
}

static const struct {
    const char *says, *env;
    const char *paths[3];
    enum decision decision;
    const char *rule;
} scopes[] = {
    {"a path-limited ignore takes its paths", "prod", {"tags.team"}, DECISION_IGNORE, "tags"},
    {"the others get the default of the environment",
     "prod",
     {"tags.team", "x"},
     DECISION_REVIEW,
     ""},
    {"another default", "dev-2", {"x"}, DECISION_IGNORE, ""},
    {"no default: notify", "staging", {"x"}, DECISION_NOTIFY, ""},
    {"a milder verdict and a stricter default elsewhere",
     "prod",
     {"size", "x"},
     DECISION_REVIEW,
     ""},
};

static void paths_without_a_verdict_get_the_default(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++) {
        struct setup t;
        begin(&t);
        print_message("  %s\n", scopes[i].says);
        add_file(&t, "r.yaml", some_rules);
        must_open(&t, NULL);
        struct rule_subject s = subject(&t, scopes[i].paths);
        s.env = str_from(scopes[i].env);
        struct judgement j = judge(&t, &s);
        assert_int_equal(j.decision, scopes[i].decision);
        assert_true(str_equal(j.rule, str_from(scopes[i].rule)));
        end(&t);
    }
}

static void without_a_rule_only_drift_gets_the_default(void **state)
{
    (void)state;
    struct setup t;
    begin(&t);
    add_file(&t, "r.yaml", some_rules);
    must_open(&t, NULL);
    struct rule_subject s = subject(&t, NULL);
    s.values = NULL;
    s.class_ = CLASS_UNCHECKED;
    assert_int_equal(judge(&t, &s).decision, DECISION_NOTIFY);
    s.class_ = CLASS_UNMANAGED;
    assert_int_equal(judge(&t, &s).decision, DECISION_REVIEW);
    s.kind = SUBJECT_RESOURCE;
    assert_int_equal(judge(&t, &s).decision, DECISION_IGNORE);
    end(&t);
}

/* That it was wrong before the plan is no reason to let it pass. */
static void what_a_plan_leaves_wrong_is_decided(void **state)
{
    (void)state;
    struct setup t;
    begin(&t);
    add_file(&t, "r.yaml",
             "version: 1\nrules:\n  - {id: acl, title: T, decision: block,"
             " when: {path: acl, equals: public}}\n");
    must_open(&t, NULL);
    struct rule_subject s = subject(&t, (const char *[]){"size", "tags.team", NULL});
    struct judgement j = judge(&t, &s);
    assert_int_equal(j.nverdicts, 0); /* a finding is about what has drifted */
    s.kind = SUBJECT_CHANGE;
    j = judge(&t, &s);
    assert_int_equal(j.decision, DECISION_BLOCK);
    assert_int_equal(j.nverdicts, 1);
    assert_int_equal(j.verdict[0].npaths, 0);
    end(&t);
}

static void what_only_follows_gets_no_default(void **state)
{
    (void)state;
    struct setup t;
    begin(&t);
    add_file(&t, "r.yaml", some_rules);
    must_open(&t, NULL);
    struct rule_subject s = subject(&t, PATHS("tags.team", "etag"));
    struct rule_change *change = (struct rule_change *)(uintptr_t)s.change;
    assert_int_equal(judge(&t, &s).decision, DECISION_REVIEW);
    change[1].computed = true; /* beside a change of what the code sets */
    assert_int_equal(judge(&t, &s).decision, DECISION_IGNORE);
    change[0].computed = true; /* nothing else explains them */
    assert_int_equal(judge(&t, &s).decision, DECISION_REVIEW);
    end(&t);
}

/* --- Rego --- */

static const char rego_rules[] =
    "package net.drift\n"
    "\n"
    "decision contains {\"decision\": \"revert\", \"severity\": \"high\", \"reason\": msg,\n"
    "    \"owner\": \"@net\", \"paths\": [[\"acl\"]], \"deadline\": \"2w\",\n"
    "    \"references\": {\"csf\": [\"PR.DS-01\", \"PR\"], \"800-53\": \"AC-3(7)\"}} if {\n"
    "    input.resource.values.acl == \"public\"\n"
    "    some c in input.changes\n"
    "    msg := sprintf(\"%s: %s changed\", [input.resource.address, c.path_text])\n"
    "    c.path_text == \"acl\"\n"
    "}\n"
    "\n"
    "warn contains \"the password changed\" if {\n"
    "    some c in input.changes\n"
    "    c.path == [\"password\"]\n"
    "    c.after == \"(sensitive)\"\n"
    "}\n"
    "\n"
    "deny_big contains {\"msg\": \"too big\", \"severity\": \"low\"} if input.resource.values.size "
    "> "
    "5\n";

static void rego_packages_decide(void **state)
{
    (void)state;
    struct setup t;
    begin(&t);
    add_file(&t, "p.rego", rego_rules);
    must_open(&t, NULL);
    struct rule_subject s = subject(&t, PATHS("acl", "password"));
    struct judgement j = judge(&t, &s);
    assert_int_equal(j.decision, DECISION_REVERT);
    assert_int_equal(j.severity, SEVERITY_HIGH);
    assert_true(str_equal(j.rule, STR("data.net.drift.decision")));
    assert_int_equal(j.at.line, 3);
    assert_true(str_equal(j.message, STR("aws_s3_bucket.b: acl changed")));
    assert_true(str_equal(j.owner, STR("@net")));
    assert_true(str_equal(j.deadline, STR("2w")));
    assert_int_equal(j.nverdicts, 2);
    assert_int_equal(j.verdict[0].npaths, 1);
    assert_int_equal(j.verdict[0].ncsf, 2);
    assert_true(str_equal(j.verdict[0].csf[0], STR("PR.DS-01")));
    assert_true(str_equal(j.verdict[0].sp800_53[0], STR("AC-3(7)")));
    assert_int_equal(j.verdict[1].decision, DECISION_NOTIFY);
    assert_true(str_equal(j.verdict[1].message, STR("the password changed")));
    end(&t);
}

static const struct {
    const char *says, *rego, *message;
} errors[] = {
    {"a conflict", "package a\nf(x) := 1\nf(x) := 2\ndeny contains \"m\" if f(1) == 3",
     "eval_conflict_error"},
    {"no decision", "package a\ndecision contains {\"severity\": \"low\"}", "without `decision`"},
    {"no such decision", "package a\ndecision contains {\"decision\": \"blok\"}",
     "without `decision`"},
    {"no such severity",
     "package a\ndecision contains {\"decision\": \"block\", \"severity\": \"huge\"}",
     "no such severity: huge"},
    {"no such deadline",
     "package a\ndecision contains {\"decision\": \"block\", \"deadline\": \"soon\"}",
     "not a deadline such as 3d: soon"},
    {"no such reference",
     "package a\ndecision contains {\"decision\": \"block\", \"references\": {\"csf\": "
     "\"pr.ds-1\"}}",
     "references: CSF 2.0 has no 'pr.ds-1'; did you mean 'PR.DS-01'?"},
    {"no such control",
     "package a\ndecision contains {\"decision\": \"block\", \"references\": {\"800-53\": "
     "[\"AC-3\", \"AC-99\"]}}",
     "references: 800-53 revision 5 has no 'AC-99'"},
    {"no references",
     "package a\ndecision contains {\"decision\": \"block\", \"references\": [\"AC-3\"]}",
     "`references` is an object"},
    {"no paths", "package a\ndecision contains {\"decision\": \"ignore\", \"paths\": [3]}",
     "is a list of paths"},
    {"a message that is none", "package a\ndeny contains 7", "an object with `msg`"},
    {"a truth value", "package a\ndeny if true", "it says no message"},
};

static void a_rule_that_errors_blocks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        struct setup t;
        begin(&t);
        print_message("  %s\n", errors[i].says);
        add_file(&t, "p.rego", errors[i].rego);
        must_open(&t, NULL);
        struct rule_subject s = subject(&t, PATHS("acl"));
        struct judgement j = judge(&t, &s);
        assert_int_equal(j.decision, DECISION_BLOCK);
        assert_int_equal(j.nverdicts, 1);
        assert_true(j.verdict[0].error);
        assert_non_null(strstr(arena_dup(&t.arena, j.message).ptr, errors[i].message));
        end(&t);
    }
}

static void what_nobody_asks_is_said(void **state)
{
    (void)state;
    static const char *const wanted[] = {
        "a.rego:3: nobody asks data.a.denny; did you mean 'deny'?",
        "b.rego:1: package data.b has no rules",
        "c.rego:1: package data.c has none of decision, deny, violation and warn: nobody asks it"};
    struct setup t;
    struct policy_report report;
    begin(&t);
    add_file(&t, "a.rego", "package a\n\ndenny contains \"x\"\n");
    add_file(&t, "b.rego", "package b\n");
    add_file(&t, "c.rego", "package c\n\nx := 1\n");
    add_file(&t, "d.rego", "package lib.d\n\ny := 1\n");
    add_file(&t, "e.rego", "package e\n\nimport data.lib.d\n\ndeny contains \"y\" if d.y == 2\n");
    must_open(&t, NULL);
    assert_true(policy_report(t.policy, &t.arena, &report, &t.err));
    assert_int_equal(report.nnotes, 3);
    for (size_t i = 0; i < 3; i++)
        assert_non_null(strstr(arena_dup(&t.arena, report.note[i]).ptr, wanted[i]));
    end(&t);
}

/* Paths of input that a rule of Rego came to and nothing had, also where an index asks for them. */
static void the_report_names_paths_that_rego_never_found(void **state)
{
    (void)state;
    static const char *const wanted[] = {"input.recource.type", "input.resource.values.sise",
                                         "input.resource[_].nowhere"};
    struct setup t;
    struct policy_report report;
    begin(&t);
    add_file(&t, "p.rego",
             "package p\n\n"
             "deny contains \"a\" if input.resource.values.sise > 5\n"
             "deny contains \"b\" if {\n  input.resource.values.size == -1\n"
             "  input.resource.values.unreached\n}\n"
             "deny contains \"c\" if input.resource[_].nowhere == 1\n"
             "deny contains \"d\" if input.resource[\"values\"].size == -2\n"
             "deny contains \"e\" if indexed\n"
             "indexed if input.recource.type == \"f\"\n"
             "indexed if input.recource.type == \"g\"\n"
             "indexed if input.recource.type == \"h\"\n"
             "indexed if input.recource.type == \"i\"\n");
    must_open(&t, NULL);
    struct rule_subject s = subject(&t, NULL);
    (void)judge(&t, &s);
    assert_true(policy_report(t.policy, &t.arena, &report, &t.err));
    assert_int_equal(report.n, 1);
    assert_int_equal(report.row[0].nnever_had, 3);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(arena_dup(&t.arena, report.row[0].never_had[i]).ptr, wanted[i]);
    end(&t);
}

static void the_report_counts_what_rules_did(void **state)
{
    (void)state;
    struct setup t;
    struct policy_report report;
    begin(&t);
    add_file(&t, "r.yaml",
             "version: 1\nrules:\n"
             "  - {id: a, title: T, decision: block, when: {path: acll, equals: x}}\n"
             "  - {id: b, title: T, decision: block, match: {type: other}}\n");
    add_file(&t, "p.rego", "package p\n\ndeny contains \"x\" if input.resource.values.size > 5\n");
    must_open(&t, NULL);
    struct rule_subject s = subject(&t, NULL);
    (void)judge(&t, &s);
    assert_true(policy_report(t.policy, &t.arena, &report, &t.err));
    assert_int_equal(report.judged, 1);
    assert_int_equal(report.n, 3);
    assert_int_equal(report.row[0].applicable, 1);
    assert_int_equal(report.row[0].nnever_had, 1);
    assert_true(str_equal(report.row[0].never_had[0], STR("acll")));
    assert_int_equal(report.row[1].applicable, 0);
    assert_true(str_equal(report.row[2].rule, STR("data.p.deny")));
    assert_int_equal(report.row[2].asked, 1);
    assert_int_equal(report.row[2].matched, 0);
    end(&t);
}

/* Of a finding whose changes a rule is not about, because what it names is nowhere. */
static void paths_that_nothing_has_are_told(void **state)
{
    (void)state;
    struct setup t;
    struct policy_report report;
    begin(&t);
    add_file(&t, "r.yaml",
             "version: 1\nrules:\n"
             "  - {id: a, title: T, decision: block, when: {path: sizee, equals: x}}\n"
             "  - {id: b, title: T, decision: block, when: {any: [{path: size, equals: 1}, {path: "
             "'tags[*].no', equals: 2}, {path: 'tags[*]', equals: x}]}}\n");
    must_open(&t, NULL);
    static const char *const paths[] = {"acl", NULL};
    struct rule_subject s = subject(&t, paths);
    (void)judge(&t, &s);
    assert_true(policy_report(t.policy, &t.arena, &report, &t.err));
    assert_int_equal(report.row[0].applicable, 0);
    assert_int_equal(report.row[0].nnever_had, 1);
    assert_true(str_equal(report.row[0].never_had[0], STR("sizee")));
    assert_int_equal(report.row[1].nnever_had, 1);
    assert_true(str_equal(report.row[1].never_had[0], STR("tags[*].no")));
    end(&t);
}

/* --- waivers --- */

static struct str digest_of(struct setup *t, const struct rule_subject *s, size_t i)
{
    struct str digest[8];
    assert_true(policy_digests(t->policy, &t->arena, s, digest, &t->err));
    return digest[i];
}

static const char *waiver_text(struct setup *t, const char *scope, struct str value,
                               const char *expires)
{
    return arena_printf(&t->arena,
                        "version: 1\nwaivers:\n  - {%s, value: '%.*s', reason: agreed, owner: "
                        "'@a', expires: %s}\n",
                        scope, STR_ARG(value), expires)
        .ptr;
}

#define FINGERPRINT "fingerprint: '0123456789abcdef0123456789abcdef'"

static const struct {
    const char *says, *scope, *expires;
    const char *path; /* whose live value the waiver is bound to */
    const char *changed[3];
    enum decision decision;
    const char *note;
} waivers[] = {
    {"the very value", FINGERPRINT, "2026-12-31", "acl", {"acl"}, DECISION_IGNORE, NULL},
    {"of one rule",
     FINGERPRINT ", rule: public",
     "2026-12-31",
     "acl",
     {"acl"},
     DECISION_IGNORE,
     NULL},
    {"of another rule",
     FINGERPRINT ", rule: net/*",
     "2026-12-31",
     "acl",
     {"acl"},
     DECISION_BLOCK,
     "was not needed"},
    {"by address and path",
     "address: 'aws_s3_bucket.*', path: acl",
     "2026-12-31",
     "acl",
     {"acl"},
     DECISION_IGNORE,
     NULL},
    {"another path",
     "address: 'aws_s3_bucket.*', path: tags",
     "2026-12-31",
     "acl",
     {"acl"},
     DECISION_BLOCK,
     "was not needed"},
    {"another finding",
     "fingerprint: 'ffffffffffffffffffffffffffffffff'",
     "2026-12-31",
     "acl",
     {"acl"},
     DECISION_BLOCK,
     "was not needed"},
    {"another value: void",
     FINGERPRINT,
     "2026-12-31",
     "size",
     {"acl"},
     DECISION_BLOCK,
     "is void: the value has changed"},
    {"a change beside it is not covered",
     FINGERPRINT,
     "2026-12-31",
     "acl",
     {"acl", "x"},
     DECISION_REVIEW,
     NULL},
    {"expired", FINGERPRINT, "1970-01-02", "acl", {"acl"}, DECISION_BLOCK, "expired 1970-01-02"},
    {"a secret, keyed", FINGERPRINT, "2026-12-31", "password", {"password"}, DECISION_IGNORE, NULL},
};

static void waivers_cover_the_very_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof waivers / sizeof *waivers; i++) {
        struct setup t;
        struct policy_report report;
        begin(&t);
        print_message("  %s\n", waivers[i].says);
        add_file(&t, "r.yaml", some_rules);
        must_open(&t, NULL);
        struct rule_subject bound = subject(&t, PATHS(waivers[i].path));
        struct rule_subject s = subject(&t, waivers[i].changed);
        struct str digest = digest_of(&t, &bound, 0);
        policy_close(t.policy);
        add_file(&t, "w.yaml", waiver_text(&t, waivers[i].scope, digest, waivers[i].expires));
        must_open(&t, "w.yaml");
        struct judgement j = judge(&t, &s);
        assert_int_equal(j.decision, waivers[i].decision);
        if (waivers[i].decision == DECISION_IGNORE)
            assert_true(j.waived && str_find(j.message, STR("agreed; owner @a"), 0) != SIZE_MAX);
        assert_true(policy_report(t.policy, &t.arena, &report, &t.err));
        assert_int_equal(report.nnotes, waivers[i].note ? 1 : 0);
        if (waivers[i].note)
            assert_non_null(strstr(arena_dup(&t.arena, report.note[0]).ptr, waivers[i].note));
        end(&t);
    }
}

/* A resource that no code asks for has no changes: its waiver is bound to all that is live of it.
 */
static void a_waiver_of_what_no_code_asks_for_is_bound_to_its_values(void **state)
{
    (void)state;
    struct setup t;
    struct value *other, secret;
    begin(&t);
    add_file(&t, "r.yaml",
             "version: 1\nrules:\n"
             "  - {id: alone, title: Who made it, match: {class: unmanaged}, decision: block}\n");
    must_open(&t, NULL);
    struct rule_subject s = subject(&t, NULL), gone = s;
    s.class_ = CLASS_UNMANAGED;
    s.live = s.values;
    gone.class_ = CLASS_MISSING;
    struct str digest = digest_of(&t, &s, 0), missing = digest_of(&t, &gone, 0);
    gone.live = s.live;
    assert_true(str_equal(missing, digest_of(&t, &gone, 0))); /* of others the class says it all */
    policy_close(t.policy);
    add_file(&t, "w.yaml", waiver_text(&t, FINGERPRINT, digest, "2026-12-31"));
    must_open(&t, "w.yaml");
    assert_int_equal(judge(&t, &s).decision, DECISION_IGNORE);

    other = arena_new(&t.arena, struct value, 1);
    assert_true(
        json_parse(&t.arena, STR("{\"acl\": \"private\", \"size\": 3}"), "v", 0, other, &t.err));
    s.live = s.values = other;
    assert_int_equal(judge(&t, &s).decision, DECISION_BLOCK);
    s.type = STR("aws_s3_bucket_acl");
    assert_false(str_equal(digest_of(&t, &s, 0), digest));
    s.live = NULL;
    assert_null(digest_of(&t, &s, 0).ptr);

    secret = value_string(STR("hunter2"));
    secret.marks |= VALUE_SENSITIVE;
    s.live = &secret;
    assert_true(str_starts(digest_of(&t, &s, 0), STR("hmac-sha256:")));
    end(&t);
}

/* Short of memory there is an error, never a milder answer. */
static void a_full_arena_never_softens_a_decision(void **state)
{
    (void)state;
    struct setup t;
    size_t failed = 0;
    begin(&t);
    add_file(&t, "r.yaml", some_rules);
    add_file(&t, "p.rego", rego_rules);
    must_open(&t, NULL);
    struct rule_subject s = subject(&t, PATHS("acl", "size"));
    struct str acl = digest_of(&t, &s, 0);
    policy_close(t.policy);
    add_file(&t, "w.yaml", waiver_text(&t, FINGERPRINT ", path: acl", acl, "2026-12-31"));
    must_open(&t, "w.yaml");
    const struct judgement want = judge(&t, &s);
    for (size_t limit = 0; limit < 1 << 20; limit += limit < 1 << 15 ? 64 : 4096) {
        AUTO_ARENA small = {.limit = limit};
        struct judgement got;
        struct err err = {0};
        if (!policy_judge(t.policy, &small, &s, &got, &err)) {
            failed++;
            continue;
        }
        /* the memory of an evaluation of Rego that ends is an error of the rule: it blocks */
        assert_false(decision_stricter(want.decision, got.decision));
        assert_true(got.nverdicts >= want.nverdicts);
    }
    assert_true(failed > 10);
    end(&t);
}

static void secrets_have_keyed_digests(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct value v = value_string(STR("x"));
    struct str open, keyed, other, none;
    assert_true(waiver_digest(&arena, STR("k"), STR("p"), &v, false, &open, &err));
    assert_true(waiver_digest(&arena, STR("k"), STR("p"), &v, true, &keyed, &err));
    assert_true(waiver_digest(&arena, STR("l"), STR("p"), &v, true, &other, &err));
    assert_true(waiver_digest(&arena, STR(""), STR("p"), &v, true, &none, &err));
    assert_true(str_starts(open, STR("sha256:")));
    assert_true(str_starts(keyed, STR("hmac-sha256:")));
    assert_false(str_equal(keyed, other));
    assert_null(none.ptr);
}

/* What only an apply decides is not what somebody accepted as null. */
static void unknown_is_not_null_for_waivers(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct value unknown = value_unknown(NULL);
    struct value pairs[4][2] = {{value_null(), value_null()},
                                {unknown, value_null()},
                                {value_null(), unknown},
                                {unknown, unknown}};
    struct value list[4];
    struct str digest[6];
    for (size_t i = 0; i < 4; i++) {
        list[i] = value_items(VALUE_LIST, pairs[i], 2);
        assert_true(waiver_digest(&arena, STR(""), STR("p"), &list[i], false, &digest[i], &err));
    }
    assert_true(waiver_digest(&arena, STR(""), STR("p"), NULL, false, &digest[4], &err));
    assert_true(waiver_digest(&arena, STR(""), STR("p"), &unknown, false, &digest[5], &err));
    for (size_t i = 0; i < 6; i++)
        for (size_t k = 0; k < i; k++)
            assert_false(str_equal(digest[i], digest[k]));
    /* What is known keeps the digest that files of waivers have. */
    assert_true(str_equal(
        digest[4], STR("sha256:45f46b4ab31e3bace24959cc01b79ba27b915c0fd9742f1355b8dbaa11d9dad2")));
}

static void a_waiver_needs_its_facts(void **state)
{
    (void)state;
    static const char *const wanted[] = {
        "3:5: a waiver names a fingerprint or an address",
        "3:5: waiver: 'expires' is missing",
        "3:5: waiver: 'owner' is missing",
        "3:5: waiver: 'value' is missing",
        "4:5: unknown key 'reson' in waiver; did you mean 'reason'?",
        "5:19: fingerprint: want the 32 hex digits that a report names, in quotes",
        "5:30: value: want sha256: or hmac-sha256: and 64 hex digits, as a report has it",
        "6:26: value: an empty list covers nothing; want the digest of each change",
    };
    enum { WANTED = sizeof wanted / sizeof *wanted };
    struct setup t;
    begin(&t);
    add_file(&t, "r.yaml", some_rules);
    add_file(&t, "w.yaml",
             "version: 1\nwaivers:\n  - reason: x\n    reson: y\n  - {fingerprint: "
             "12, value: 'sha256:00', reason: x, owner: y, expires: 2026-01-01}\n"
             "  - {address: ab, value: [], reason: x, owner: y, expires: 2026-01-01}\n");
    assert_false(open_policy(&t, "w.yaml"));
    assert_int_equal(t.problems.rules.n, WANTED);
    for (size_t i = 0; i < WANTED; i++)
        assert_non_null(
            strstr(rule_problem_text(&t.arena, &t.problems.rules.item[i]).ptr, wanted[i]));
    end(&t);
}

#define HEX_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void a_written_waiver_can_be_read(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    AUTO_BUF out = {.limit = 1 << 16};
    struct err err = {0};
    static const struct str values[] = {STR_INIT("sha256:" HEX_64),
                                        STR_INIT("hmac-sha256:" HEX_64)};
    const struct waiver waiver = {.fingerprint = STR("0123456789abcdef0123456789abcdef"),
                                  .rule = STR("net/*"),
                                  .value = {values, 2},
                                  .reason = STR("it's \"fine\": yes # no\n\tand more"),
                                  .owner = STR("@a"),
                                  .expires = STR("2026-12-31")};
    struct waivers read = {0};
    struct rule_problems problems = {.arena = &arena};
    buf_str(&out, STR("version: 1\nwaivers:\n"));
    waiver_write(&out, &waiver);
    if (!waivers_read(&read, &arena, buf_view(&out), STR("w"), &problems, &err))
        fail_msg("%s", err.frame[0]);
    assert_int_equal(read.n, 1);
    assert_true(str_equal(read.item[0].reason, waiver.reason));
    assert_int_equal(read.item[0].value.n, 2);
}

static void all_that_is_wrong_is_told(void **state)
{
    (void)state;
    struct setup t;
    begin(&t);
    add_file(&t, "a.yaml", "version: 1\nrules: [{id: a}]\n");
    add_file(&t, "b.yaml", "version: 1\nrules: [{id: b}]\n");
    assert_false(open_policy(&t, NULL));
    assert_null(t.policy);
    assert_int_equal(t.problems.rules.n, 6);
    end(&t);
    begin(&t);
    add_file(&t, "p.rego", "package p\n\ndeny contains x if x > 1\n");
    assert_false(open_policy(&t, NULL));
    assert_non_null(strstr(t.err.frame[0], "p.rego:3:"));
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_strictest_decision_wins),
        cmocka_unit_test(paths_without_a_verdict_get_the_default),
        cmocka_unit_test(without_a_rule_only_drift_gets_the_default),
        cmocka_unit_test(what_a_plan_leaves_wrong_is_decided),
        cmocka_unit_test(what_only_follows_gets_no_default),
        cmocka_unit_test(rego_packages_decide),
        cmocka_unit_test(a_rule_that_errors_blocks),
        cmocka_unit_test(what_nobody_asks_is_said),
        cmocka_unit_test(the_report_names_paths_that_rego_never_found),
        cmocka_unit_test(the_report_counts_what_rules_did),
        cmocka_unit_test(paths_that_nothing_has_are_told),
        cmocka_unit_test(waivers_cover_the_very_value),
        cmocka_unit_test(a_waiver_of_what_no_code_asks_for_is_bound_to_its_values),
        cmocka_unit_test(a_full_arena_never_softens_a_decision),
        cmocka_unit_test(secrets_have_keyed_digests),
        cmocka_unit_test(unknown_is_not_null_for_waivers),
        cmocka_unit_test(a_waiver_needs_its_facts),
        cmocka_unit_test(a_written_waiver_can_be_read),
        cmocka_unit_test(all_that_is_wrong_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

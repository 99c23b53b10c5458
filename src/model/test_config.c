/* test_config.c - plumb.yaml: what is read, what is refused and where, the schema in the docs. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "model/config.h"
#include "model/config_field.h"

static const char whole[] = "version: 1\n"
                            "stacks:\n"
                            "  - infra/*\n"
                            "  - path: app\n"
                            "    name: \"{dir}-{workspace}\"\n"
                            "    environment: prod\n"
                            "    owner: \"@platform\"\n"
                            "    schedule: 15m\n"
                            "    workspaces: [blue, green]\n"
                            "    state: https://state.example.com/app\n"
                            "    snapshot: live.json\n"
                            "    providers:\n"
                            "      hashicorp/aws.west: {region: us-west-2, retries: 3}\n"
                            "ignore:\n"
                            "  - address: aws_autoscaling_group.*\n"
                            "    path: desired_capacity\n"
                            "    value: 3\n"
                            "    reason: the autoscaler sets it\n"
                            "    expires: 2027-06-30\n"
                            "providers:\n"
                            "  postgresql: {password: env:PGPASSWORD}\n"
                            "  random: {}\n"
                            "scan:\n"
                            "  concurrency: 20\n"
                            "  max_providers: 4\n"
                            "  max_memory: 2G\n"
                            "  timeout: 90\n"
                            "  probe: false\n"
                            "policies: policies/\n"
                            "notify: [{to: slack, url: env:SLACK_URL, when: severity >= high}]\n"
                            "store: sqlite:.plumb/plumb.db\n"
                            "keep: 90d\n";

static void stacks_are_read(const struct config *config)
{
    assert_int_equal(config->nstacks, 2);
    const struct config_stack *stack = &config->stacks[1];
    assert_true(str_equal(config->stacks[0].path, STR("infra/*")));
    assert_int_equal(config->stacks[0].place.line, 3);
    assert_true(str_equal(stack->name, STR("{dir}-{workspace}")));
    assert_true(str_equal(stack->owner, STR("@platform")));
    assert_int_equal(stack->nworkspaces, 2);
    assert_true(str_equal(stack->workspaces[1], STR("green")));
    assert_int_equal(stack->nproviders, 1);
    assert_true(str_equal(stack->providers[0].name, STR("hashicorp/aws.west")));
    assert_true(
        str_equal(value_get_string(&stack->providers[0].config, STR("region")), STR("us-west-2")));
    assert_int_equal(stack->providers[0].place.line, 13);
}

static void every_key_is_read(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 24};
    struct err err = {0};
    struct config config = {0};
    char text[4096];
    if (!config_parse(&arena, str_from(whole), "dir/plumb.yaml", &config, &err))
        fail_msg("%s", err_text(&err, text, sizeof text));
    stacks_are_read(&config);
    assert_true(str_equal(config.root, STR("dir")));
    assert_int_equal(config.nignores, 1);
    const struct ignore_rule *rule = &config.ignores[0];
    assert_true(str_equal(rule->value, STR("3")));
    assert_int_equal(rule->path_pattern.n, 1);
    assert_true(rule->expires_utc_ms == INT64_C(1814313600000));
    assert_int_equal(rule->place.line, 15);
    assert_int_equal(config.nproviders, 2);
    assert_int_equal(config.concurrency, 20);
    assert_int_equal(config.max_providers, 4);
    assert_true(config.max_memory == INT64_C(2) << 30);
    assert_int_equal(config.timeout_ms, 90000);
    assert_true(config.keep_ms == INT64_C(90) * 86400000);
    assert_true(config.no_probe);
    assert_int_equal(config.npolicies, 1);
    assert_int_equal(config.nnotify, 1);
    assert_non_null(config.notify[0].condition);
    assert_true(str_equal(config.notify[0].name, STR("slack")));
    assert_int_equal(config.nnotes, 0);
}

static const struct {
    const char *text, *message;
} bad[] = {
    {"", "plumb.yaml:1:1: the file is empty"},
    {"stacks: []\n", "missing key: version"},
    {"version: 2\n", "plumb.yaml:1:10: this file is for a newer plumb"},
    {"version: one\n", "plumb.yaml:1:10: version: want 1, got 'one'"},
    {"- 1\n", "plumb.yaml: want a mapping, got list"},
    {"version: 1\nstack: []\n", "plumb.yaml:2:1: unknown key 'stack' in plumb.yaml; did you mean "
                                "'stacks'?"},
    {"version: 1\nversion: 1\n", "plumb.yaml:2:1"},
    {"version: 1\nstacks:\n  - path: a\n    onwer: x\n",
     "plumb.yaml:4:5: unknown key 'onwer' in stack; did you mean 'owner'?"},
    {"version: 1\nstacks:\n  - name: x\n", "plumb.yaml:3:5: missing key: path"},
    {"version: 1\nstacks: x\n", "plumb.yaml:2:9: stacks: want a list, got 'x'"},
    {"version: 1\nstacks: [3]\n", "plumb.yaml:2:10: stack: want a mapping or a path, got number"},
    {"version: 1\nstacks: ['']\n", "path: want a string that is not empty"},
    {"version: 1\nstacks: [{path: a, name: '{dri}'}]\n", "only words in braces"},
    {"version: 1\nstacks: [{path: a, name: '{dir'}]\n", "only words in braces"},
    {"version: 1\nstacks: [{path: a, schedule: sometimes}]\n",
     "plumb.yaml:2:30: schedule: 'sometimes' is no schedule"},
    {"version: 1\nstacks: [{path: a, state: 'https://u:p@h/x'}]\n", "a URL without a password"},
    {"version: 1\nignore: [{address: a}]\n", "missing key: reason"},
    {"version: 1\nignore: [{reason: r}]\n", "would hide everything"},
    {"version: 1\nignore: [{address: a, reason: ' '}]\n",
     "reason: want a string that is not empty"},
    {"version: 1\nignore: [{address: a, reason: r, expires: soon}]\n", "want a date"},
    {"version: 1\nignore: [{path: 'a..b', reason: r}]\n", "want an attribute path"},
    {"version: 1\nproviders: {'a b': {}}\n", "a provider is named"},
    {"version: 1\nproviders: {aws: 3}\n", "provider settings: want a mapping"},
    {"version: 1\nscan: {concurrency: 0}\n", "at least 1 and at most 1000"},
    {"version: 1\nscan: {timeout: fast}\n", "want a duration"},
    {"version: 1\nscan: {timeout: 2d}\n", "want at least 1ms and at most 1d, got '2d'"},
    {"version: 1\nkeep: 5\n", "keep: want at least 1d, got number 5"},
    {"version: 1\nserve: {scheduler: {workers: -1}}\n", "at most 64, got number -1"},
    {"version: 1\nserve: {scheduler: {workers: 1.5}}\n", "a whole number, got number 1.5"},
    {"version: 1\nserve: {gate: {key: 12345}}\n", "stands in this file, got number"},
    {"version: 1\nkeep: 5m\n", "keep: want at least 1d, got '5m'"},
    {"version: 1\nscan: {max_memory: 1X}\n", "want a size"},
    {"version: 1\nscan: {probe: maybe}\n", "want true or false"},
    {"version: 1\nnotify: [{to: slack, url: 'https://hooks.example.com/x'}]\n", "want a reference"},
    {"version: 1\nnotify:\n  - to: slack\n    when: severity >= hihg\n",
     "plumb.yaml:4:23: when: want info, low, medium, high or critical, got 'hihg'"},
    {"version: 1\nnotify:\n  - to: slack\n    when: \"class = missing or stak = a\"\n",
     "plumb.yaml:4:31: when: want a field such as severity (did you mean stack?), got 'stak'"},
    {"version: 1\nnotify: [{to: slack, quiet: 25:00-07:00}]\n", "want days and times"},
    {"version: 1\nnotify: [{to: slack, digest: monthly}]\n", "want daily 09:00 or weekly"},
    {"version: 1\nnotify: [{to: slack}, {to: slack}]\n",
     "plumb.yaml:2:23: there is a receiver 'slack' already"},
    {"version: 1\nnotify: [{to: slack, escalate: pager}]\n", "'pager' is no other receiver"},
    {"version: 1\nstore: mysql://x\n", "want sqlite:PATH"},
    {"version: 1\nstore: postgres://u:p@h/d\n", "without a password"},
    {"version: 1\nreview: {rules: [{by: [sec]}]}\n", "missing key: approvals"},
    {"version: 1\nreview: {rules: [{approvals: 1, by: [sec]}]}\n",
     "plumb.yaml:2:18: by: no role 'sec' in review.roles"},
    {"version: 1\nreview: {rules: [{approvals: 1, severity: huge}]}\n", "want info, low, medium"},
    {"version: 1\nreview: {rules: [{approvals: -1}]}\n", "at least 0 and at most 20"},
    {"version: 1\nreview: {trust: [me]}\n", "want os-user, token, oidc, or ci:NAME"},
    {"version: 1\nreview: {rules: [{approvals: 1, self_approval: all}]}\n",
     "want author or requester"},
    {"version: 1\nreview: {roles: [{name: a, members: x}, {name: a, members: y}]}\n",
     "plumb.yaml:2:41: the name 'a' is there twice"},
    {"version: 1\nreview: {roles: [{name: codeowners, members: x}]}\n", "no role of your own"},
    {"version: 1\nreview: {breakglass: {by: oncall}}\n", "review.breakglass.by: no role 'oncall'"},
    {"version: [\n", "plumb.yaml:"},
};

static void what_is_wrong_has_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        AUTO_ARENA arena = {.limit = 1 << 24};
        struct err err = {0};
        struct config config = {0};
        char text[4096];
        assert_false(config_parse(&arena, str_from(bad[i].text), "plumb.yaml", &config, &err));
        print_message("  %s\n", err_text(&err, text, sizeof text));
        assert_non_null(strstr(text, bad[i].message));
        assert_null(strstr(text, "u:p@"));
        assert_null(strstr(text, "hooks.example.com"));
        assert_int_equal(config.nstacks, 0);
    }
}

static void plain_secrets_are_noted(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 24};
    struct err err = {0};
    struct config config = {0};
    assert_true(config_parse(&arena,
                             STR("version: 1\nproviders: {aws: {secret_key: hunter2, token: "
                                 "'env:T', region: x}}\n"),
                             "plumb.yaml", &config, &err));
    assert_int_equal(config.nnotes, 1);
    assert_true(str_starts(config.notes[0],
                           STR("plumb.yaml:2:31: providers.aws.secret_key looks like a secret")));
    assert_true(str_find(config.notes[0], STR("hunter2"), 0) == SIZE_MAX);
}

static const struct {
    const char *text, *path, *workspace, *want;
} expansions[] = {
    {"{dir}", "infra/prod/net", "default", "net"},
    {"{parent}", "infra/prod/net", "default", "prod"},
    {"{path}@{workspace}", "infra/prod", "blue", "infra/prod@blue"},
    {"plain", "x", "y", "plain"},
    {"a{", "x", "y", "a{"},
    {"", "x", "y", ""},
};

static void words_in_braces_are_replaced(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof expansions / sizeof *expansions; i++) {
        AUTO_ARENA arena = {.limit = 1 << 16};
        const struct config_template words = {str_from(expansions[i].path),
                                              str_from(expansions[i].workspace)};
        struct str got = config_expand(&arena, str_from(expansions[i].text), &words);
        assert_string_equal(got.ptr, expansions[i].want);
    }
}

static void review_rules_are_read(void **state)
{
    static const char text[] =
        "version: 1\n"
        "review:\n"
        "  rules:\n"
        "    - {severity: [high, critical], answer: accept, env: prod*, approvals: 2,\n"
        "       by: [security, codeowners], longest: 30d}\n"
        "    - {approvals: 0, self_approval: [author, requester]}\n"
        "  roles: [{name: security, members: ['os-user:alice', bob]}]\n"
        "  people: [{name: bob, known_as: ['@bob', 'arn:aws:sts::*:assumed-role/*/bob']}]\n"
        "  trust: [os-user, 'ci:github']\n"
        "  deadlines: {critical: 1d, high: 2w}\n"
        "  breakglass: {by: security, longest: 4h, review_within: 2d}\n"
        "  freeze: {by: [security]}\n";
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 24};
    struct err err = {0};
    struct config config = {0};
    char said[4096];
    if (!config_parse(&arena, str_from(text), "plumb.yaml", &config, &err))
        fail_msg("%s", err_text(&err, said, sizeof said));
    const struct config_review *review = &config.review;
    assert_int_equal(review->nrules, 2);
    assert_int_equal(review->rules[0].nseverity, 2);
    assert_int_equal(review->rules[0].approvals, 2);
    assert_int_equal(review->rules[0].place.line, 4);
    assert_true(review->rules[0].longest_ms == INT64_C(30) * 24 * 3600 * 1000);
    assert_int_equal(review->rules[1].nself_approval, 2);
    assert_int_equal(review->roles[0].nmembers, 2);
    assert_int_equal(review->people[0].nknown_as, 2);
    assert_int_equal(review->ntrust, 2);
    assert_int_equal(review->deadline_ms[SEVERITY_CRITICAL], 24 * 3600 * 1000);
    assert_int_equal(review->deadline_ms[SEVERITY_HIGH], 14 * 24 * 3600 * 1000);
    assert_int_equal(review->deadline_ms[SEVERITY_LOW], 0);
    assert_int_equal(review->breakglass_longest_ms, 4 * 3600 * 1000);
    assert_int_equal(review->breakglass_review_ms, 48 * 3600 * 1000);
    assert_int_equal(review->nfreeze_by, 1);
}

/* The committed schema is what the table says, and the guide names every key. */
static void the_documents_keep_step(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 24};
    AUTO_BUF buf = {.limit = 1 << 20};
    struct err err = {0};
    struct str schema, guide;
    assert_true(config_write_schema(&buf, &err));
    assert_true(io_read_file(&arena, "docs/schema/plumb.schema.json", 1 << 20, &schema, &err));
    assert_true(str_equal(schema, buf_view(&buf)));
    assert_true(io_read_file(&arena, "docs/configuration.md", 1 << 20, &guide, &err));
    const struct section *sections[32] = {&config_section};
    for (size_t i = 0, n = 1; i < n; i++)
        for (size_t k = 0; k < sections[i]->nfields; k++) {
            const struct field *field = &sections[i]->fields[k];
            struct str name = arena_printf(&arena, "`%s`", field->name);
            print_message("  %s\n", name.ptr);
            assert_true(str_find(guide, name, 0) != SIZE_MAX);
            if (field->section && n < 32)
                sections[n++] = field->section;
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(what_is_wrong_has_its_place),
        cmocka_unit_test(plain_secrets_are_noted),
        cmocka_unit_test(review_rules_are_read),
        cmocka_unit_test(words_in_braces_are_replaced),
        cmocka_unit_test(the_documents_keep_step),
    };
    return cmocka_run_group_tests_name("model/config", tests, NULL, NULL);
}

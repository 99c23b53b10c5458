/* test_gatekeeper.c - which objects a constraint is for, and what a template says of them. */
#include "base/arena.h"
#include "base/err.h"
#include "base/test.h"
#include "policy/document.h"
#include "policy/gatekeeper.h"
#include "wire/json.h"
#include "wire/yaml.h"

static const char pod[] =
    "{kind: {group: '', version: v1, kind: Pod}, namespace: shop, object: {kind: Pod, metadata: "
    "{name: web-1, namespace: shop, labels: {app: web}}}}";
static const char space[] = "{kind: {group: '', version: v1, kind: Namespace}, object: {kind: "
                            "Namespace, metadata: {name: shop, labels: {tier: a}}}}";
static const char role[] =
    "{kind: {group: rbac.authorization.k8s.io, version: v1, kind: ClusterRole}, object: {metadata: "
    "{name: r}}}";
static const char gone[] =
    "{kind: {group: '', version: v1, kind: Pod}, namespace: shop, oldObject: "
    "{metadata: {name: web-1, labels: {app: web}}}}";

static const struct {
    const char *match, *review;
    enum gatekeeper_matching want;
} matches[] = {
    {"{}", pod, GATEKEEPER_YES},
    {"{kinds: [{apiGroups: [''], kinds: [Pod]}]}", pod, GATEKEEPER_YES},
    {"{kinds: [{apiGroups: [apps], kinds: [Pod]}]}", pod, GATEKEEPER_NO},
    {"{kinds: [{apiGroups: [apps], kinds: ['*']}, {apiGroups: ['*'], kinds: [Pod]}]}", pod,
     GATEKEEPER_YES},
    {"{kinds: []}", pod, GATEKEEPER_YES},
    {"{namespaces: [shop]}", pod, GATEKEEPER_YES},
    {"{namespaces: ['sh*']}", pod, GATEKEEPER_YES},
    {"{namespaces: ['*op']}", pod, GATEKEEPER_YES},
    {"{namespaces: [other]}", pod, GATEKEEPER_NO},
    {"{namespaces: [other]}", role, GATEKEEPER_YES},
    {"{namespaces: [shop]}", space, GATEKEEPER_YES},
    {"{excludedNamespaces: [shop]}", pod, GATEKEEPER_NO},
    {"{excludedNamespaces: ['*']}", pod, GATEKEEPER_NO},
    {"{excludedNamespaces: [shop]}", space, GATEKEEPER_NO},
    {"{excludedNamespaces: ['*']}", role, GATEKEEPER_YES},
    {"{scope: Namespaced}", pod, GATEKEEPER_YES},
    {"{scope: Cluster}", pod, GATEKEEPER_NO},
    {"{scope: Cluster}", role, GATEKEEPER_YES},
    {"{scope: Cluster}", space, GATEKEEPER_YES},
    {"{scope: '*'}", role, GATEKEEPER_YES},
    {"{name: 'web-*'}", pod, GATEKEEPER_YES},
    {"{name: web}", pod, GATEKEEPER_NO},
    {"{source: Generated}", pod, GATEKEEPER_NO},
    {"{labelSelector: {matchLabels: {app: web}}}", pod, GATEKEEPER_YES},
    {"{labelSelector: {matchLabels: {app: web}}}", gone, GATEKEEPER_YES},
    {"{labelSelector: {matchLabels: {app: db}}}", pod, GATEKEEPER_NO},
    {"{labelSelector: {matchExpressions: [{key: app, operator: In, values: [web, db]}]}}", pod,
     GATEKEEPER_YES},
    {"{labelSelector: {matchExpressions: [{key: app, operator: NotIn, values: [web]}]}}", pod,
     GATEKEEPER_NO},
    {"{labelSelector: {matchExpressions: [{key: no, operator: NotIn, values: [web]}]}}", pod,
     GATEKEEPER_YES},
    {"{labelSelector: {matchExpressions: [{key: app, operator: Exists}]}}", pod, GATEKEEPER_YES},
    {"{labelSelector: {matchExpressions: [{key: app, operator: DoesNotExist}]}}", pod,
     GATEKEEPER_NO},
    {"{namespaceSelector: {matchLabels: {tier: a}}}", space, GATEKEEPER_YES},
    {"{namespaceSelector: {matchLabels: {tier: b}}}", space, GATEKEEPER_NO},
    {"{namespaceSelector: {matchLabels: {tier: b}}}", pod, GATEKEEPER_UNKNOWN},
    {"{namespaceSelector: {matchLabels: {tier: b}}}", role, GATEKEEPER_YES},
};

static const struct value *read(struct arena *arena, const char *text)
{
    struct yaml_doc *doc = arena_new(arena, struct yaml_doc, 1);
    struct err err = {0};
    assert_true(yaml_parse_one(arena, str_from(text), "t", YAML_V1_1_BOOLS, doc, &err));
    return &doc->root;
}

static void matches_of_each_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof matches / sizeof *matches; i++) {
        AUTO_ARENA arena = {.limit = 16 << 20};
        print_message("  %s\n", matches[i].match);
        assert_int_equal(gatekeeper_matches(read(&arena, matches[i].match),
                                            read(&arena, matches[i].review), NULL),
                         matches[i].want);
    }
}

static void namespaces_are_looked_up(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 16 << 20};
    struct err err = {0};
    struct value inventory;
    const struct value *objects[] = {
        read(&arena, "{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {t: a}}}")};
    const struct value *match = read(&arena, "{namespaceSelector: {matchLabels: {t: a}}}");
    assert_true(gatekeeper_inventory(&arena, objects, 1, &inventory, &err));
    assert_int_equal(gatekeeper_matches(match, read(&arena, pod), &inventory), GATEKEEPER_YES);
}

/* Templates that cannot be: each refused with its place. */
static const struct {
    const char *spec, *want;
} refused[] = {
    {"{}", "t.yaml:1:1: ConstraintTemplate t: spec.crd.spec.names.kind is not set"},
    {"{crd: {spec: {names: {kind: K}}}}",
     "t.yaml:1:1: ConstraintTemplate t: spec.targets has no target admission.k8s.gatekeeper.sh"},
    {"{crd: {spec: {names: {kind: K}}}, targets: [{target: admission.k8s.gatekeeper.sh}]}",
     "t.yaml:1:1: ConstraintTemplate t: the target has no Rego"},
    {"{crd: {spec: {names: {kind: K}}}, targets: [{target: admission.k8s.gatekeeper.sh, rego: "
     "'package k'}]}",
     "package k has no rule violation"},
};

static void templates_that_cannot_be(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        AUTO_ARENA arena = {.limit = 64 << 20};
        struct gatekeeper gatekeeper = {.arena = &arena};
        struct documents documents;
        struct err err = {0};
        struct str text = arena_printf(
            &arena,
            "apiVersion: templates.gatekeeper.sh/v1\nkind: ConstraintTemplate\nmetadata: {name: "
            "t}\nspec: %s\n",
            refused[i].spec);
        assert_true(documents_parse(&arena, text, STR("t.yaml"), &documents, &err));
        bool ok = gatekeeper_add(&gatekeeper, &documents, &documents.item[0], &err) &&
                  gatekeeper_compile(&gatekeeper, NULL, NULL, &err);
        gatekeeper_close(&gatekeeper);
        assert_false(ok);
        assert_string_equal(err.frame[0], refused[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(matches_of_each_case),
                                       cmocka_unit_test(namespaces_are_looked_up),
                                       cmocka_unit_test(templates_that_cannot_be)};
    return cmocka_run_group_tests_name("policy/gatekeeper", tests, NULL, NULL);
}

/* test_document.c - what a file is, where its values stand, and which of them no report may show.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/test.h"
#include "policy/document.h"
#include "policy/secrets.h"
#include "policy/spot.h"

enum { LIMIT = 64 << 20 };

static const struct {
    const char *says, *text;
    size_t n;
    enum document_kind kind;
} kinds[] = {
    {"a plan", "{\"format_version\":\"1.2\",\"resource_changes\":[]}", 1, DOCUMENT_PLAN},
    {"a state", "{\"format_version\":\"1.0\",\"values\":{}}", 1, DOCUMENT_STATE},
    {"an empty state", "{\"format_version\":\"1.0\",\"terraform_version\":\"1.9.0\"}", 1,
     DOCUMENT_STATE},
    {"a state file", "{\"version\":4,\"terraform_version\":\"1.9.0\",\"resources\":[]}", 1,
     DOCUMENT_RAW_STATE},
    {"a manifest", "apiVersion: v1\nkind: Pod\n", 1, DOCUMENT_MANIFEST},
    {"two, and an empty one", "apiVersion: v1\nkind: Pod\n---\n---\nkind: X\napiVersion: a/v1\n", 2,
     DOCUMENT_MANIFEST},
    {"items of a List", "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod}\n", 1,
     DOCUMENT_MANIFEST},
    {"a custom resource with items", "apiVersion: x/v1\nkind: Menu\nitems: [a]\n", 1,
     DOCUMENT_MANIFEST},
    {"a review", "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\"}", 1,
     DOCUMENT_REVIEW},
    {"items of an array", "[{\"a\":1},{\"b\":2}]", 2, DOCUMENT_OTHER},
    {"flow YAML", "{a: 1}", 1, DOCUMENT_OTHER},
};

static void kinds_are_told_by_content(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        AUTO_ARENA arena = {.limit = LIMIT};
        struct documents got;
        struct err err = {0};
        print_message("  %s\n", kinds[i].says);
        assert_true(documents_parse(&arena, str_from(kinds[i].text), STR("f"), &got, &err));
        assert_int_equal(got.n, kinds[i].n);
        assert_int_equal(got.item[got.n - 1].kind, kinds[i].kind);
    }
}

static const struct {
    const char *text, *file;
    enum err_kind kind;
} refused[] = {
    {"words", "f", ERR_UNSUPPORTED},     {"PK\x03\x04", "f", ERR_UNSUPPORTED},
    {"{\"a\": }", "f.json", ERR_SYNTAX}, {"a: [", "f", ERR_SYNTAX},
    {"[1]", "f", ERR_UNSUPPORTED},
};

static void what_is_none_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        AUTO_ARENA arena = {.limit = LIMIT};
        struct documents got;
        struct err err = {0};
        assert_false(documents_parse(&arena, str_from(refused[i].text), str_from(refused[i].file),
                                     &got, &err));
        assert_int_equal(err.kind, refused[i].kind);
    }
}

static const char json[] = "{\n  \"b\": {\"é\": [1,\n   \"x\"]},\n \"a\\u0062\": true, \"b2\": "
                           "1, \"b2\": [2]\n}";
static const char yaml[] = "b:\n  é:\n  - 1\n  -  x\nab: true\nb2: [2]\n";

static const struct {
    const char *path;
    uint32_t json_line, json_column, yaml_line, yaml_column;
} places[] = {
    {"", 1, 1, 1, 1},
    {"b", 2, 8, 2, 3},
    {"b[\"é\"]", 2, 14, 3, 3},
    {"b[\"é\"][1]", 3, 4, 4, 6},
    {"ab", 4, 13, 5, 5},
    {"b2[0]", 4, 35, 6, 6},
    {"b.none.deeper", 2, 3, 1, 1},
};

static void places_of(const char *text, bool is_json)
{
    AUTO_ARENA arena = {.limit = LIMIT};
    struct documents got;
    struct spots *spots;
    struct err err = {0};
    assert_true(documents_parse(&arena, str_from(text), STR("f"), &got, &err));
    assert_true(spots_open(&arena, &got, &got.item[0], &spots, &err));
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct path path;
        struct spot at, found;
        assert_true(path_parse(&arena, str_from(places[i].path), &path, &err));
        at = spots_at(spots, path);
        print_message("  %s %u:%u\n", places[i].path, at.at.line, at.at.column);
        assert_int_equal(at.at.line, is_json ? places[i].json_line : places[i].yaml_line);
        assert_int_equal(at.at.column, is_json ? places[i].json_column : places[i].yaml_column);
        assert_true(path_equal(at.path, path));
        const struct value *node = path_find(got.item[0].root, path);
        if (!node)
            continue;
        assert_true(spots_find(spots, node, NULL, NULL, 0, &found));
        assert_true(path_equal(found.path, path));
        assert_int_equal(spots_depth(spots, node, NULL), path.n);
        /* a copy is known by what it holds */
        struct value copy = *node;
        bool holds =
            node->kind == VALUE_STRING || node->kind == VALUE_TUPLE || node->kind == VALUE_OBJECT;
        assert_int_equal(spots_find(spots, &copy, &copy, NULL, 0, &found), holds);
    }
}

static void places_of_json_and_yaml(void **state)
{
    (void)state;
    places_of(json, true);
    places_of(yaml, false);
}

static const struct {
    const char *says, *document, *text, *want;
} hidden[] = {
    {"a sensitive attribute",
     "{\"format_version\":\"1\",\"resource_changes\":[{\"change\":{\"after\":{\"p\":\"hunter2\"},"
     "\"after_sensitive\":{\"p\":true}}}]}",
     "p is hunter2!", "p is (sensitive)!"},
    {"all of a value",
     "{\"format_version\":\"1\",\"values\":{\"root_module\":{\"resources\":[{\"values\":{\"p\":["
     "\"first\",{\"q\":\"second\"}]},\"sensitive_values\":{\"p\":true}}]}}}",
     "first, second", "(sensitive), (sensitive)"},
    {"a short one is hidden as a word only",
     "{\"format_version\":\"1\",\"values\":{\"outputs\":{\"o\":{\"value\":\"abc\",\"sensitive\":"
     "true}"
     "}}}",
     "abc abcd", "(sensitive) abcd"},
    {"a variable",
     "{\"format_version\":\"1\",\"variables\":{\"v\":{\"value\":\"hunter2\"}},"
     "\"configuration\":{\"root_module\":{\"variables\":{\"v\":{\"sensitive\":true}}}}}",
     "hunter2", "(sensitive)"},
    {"a state file",
     "{\"version\":4,\"terraform_version\":\"1\",\"resources\":[{\"instances\":[{"
     "\"attributes\":{\"p\":\"hunter2\",\"q\":\"plain\"},\"sensitive_attributes\":"
     "[[{\"type\":\"get_attr\",\"value\":\"p\"}]]}]}]}",
     "hunter2 plain", "(sensitive) plain"},
    {"a Secret, decoded and not",
     "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"data\":{\"a\":\"aHVudGVyMg==\"},\"stringData\":{"
     "\"b\":\"line one\\nline two\"}}",
     "aHVudGVyMg== hunter2 \"line one\\nline two\" line two",
     "(sensitive) (sensitive) "
     "\"(sensitive)\" (sensitive)"},
    {"no secret", "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"data\":{\"a\":\"plain\"}}",
     "plain", "plain"},
};

/* A document is refused rather than shown with secrets that nobody looks for. */
static void secrets_are_bounded(void **state)
{
    enum { MANY = 1000001 };
    AUTO_ARENA arena = {.limit = (size_t)1 << 30};
    AUTO_BUF text = {.limit = 64 << 20};
    struct documents got;
    struct secrets *secrets;
    struct err err = {0};
    (void)state;
    buf_str(&text, STR("{\"format_version\":\"1.0\",\"terraform_version\":\"1\",\"values\":{"
                       "\"outputs\":{\"a\":{\"sensitive\":true,\"value\":[\"s\""));
    for (int i = 1; i < MANY; i++)
        buf_str(&text, STR(",\"s\""));
    buf_str(&text, STR("]}}}}"));
    assert_true(documents_parse(&arena, buf_view(&text), STR("f"), &got, &err));
    assert_false(secrets_find(&arena, &got.item[0], &secrets, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_string_equal(err.frame[0], "more than 1000000 secrets in one document");
}

static void secrets_are_hidden(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
        AUTO_ARENA arena = {.limit = LIMIT};
        struct documents got;
        struct secrets *secrets;
        struct str text;
        struct err err = {0};
        print_message("  %s\n", hidden[i].says);
        assert_true(documents_parse(&arena, str_from(hidden[i].document), STR("f"), &got, &err));
        assert_true(secrets_find(&arena, &got.item[0], &secrets, &err));
        assert_true(secrets_hide(secrets, &arena, str_from(hidden[i].text), &text, &err));
        assert_string_equal(arena_dup(&arena, text).ptr, hidden[i].want);
        bool tells = !str_equal(text, str_from(hidden[i].text));
        assert_int_equal(secrets_tells(secrets, str_from(hidden[i].text)), tells);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_are_told_by_content), cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(places_of_json_and_yaml), cmocka_unit_test(secrets_are_hidden),
        cmocka_unit_test(secrets_are_bounded)};
    return cmocka_run_group_tests_name("policy/document", tests, NULL, NULL);
}

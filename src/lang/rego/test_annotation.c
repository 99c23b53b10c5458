/* test_annotation.c - METADATA comments: what rego.metadata gives, and what is wrong with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "lang/rego/rego.h"

static struct rego_policy *compile(struct arena *arena, const char *text, struct rego_diags *diags)
{
    struct rego_source source = {.file = STR("t.rego"), .text = str_from(text)};
    struct rego_compile_options options = {0};
    struct rego_policy *policy = NULL;
    struct err err = {0};
    diags->arena = arena;
    (void)rego_compile(&source, 1, NULL, &options, diags, &policy, &err);
    return policy;
}

static void test_values(void **state)
{
    static const struct {
        const char *says, *text, *want;
    } cases[] = {
        {"no annotation: an empty object", "package a\np := rego.metadata.rule()", "{}"},
        {"of the rule, the nearest first",
         "package a\n# METADATA\n# title: far\n\n# METADATA\n# title: near\np := "
         "rego.metadata.rule()",
         "{\"scope\": \"rule\", \"title\": \"near\"}"},
        {"of the next rule with that name: nothing",
         "package a\n# METADATA\n# title: x\np := 1 if false\np := rego.metadata.rule()", "{}"},
        {"in an else, a comprehension, as an output",
         "package a\n# METADATA\n# title: x\np := 1 if false else := [m | rego.metadata.rule(m)]",
         "[{\"scope\": \"rule\", \"title\": \"x\"}]"},
        {"authors, resources, organizations, custom",
         "package a\n# METADATA\n# title: 42\n# authors: [Jane Doe <j@x.org>, {name: Joe}]\n"
         "# related_resources: [https://a.b, {ref: https://c.d, description: e}]\n"
         "# organizations: [f]\n# custom: {g: [1]}\np := rego.metadata.rule()",
         "{\"authors\": [{\"email\": \"j@x.org\", \"name\": \"Jane Doe\"}, {\"name\": \"Joe\"}], "
         "\"custom\": {\"g\": [1]}, \"organizations\": [\"f\"], \"related_resources\": "
         "[{\"ref\": \"https://a.b\"}, {\"description\": \"e\", \"ref\": \"https://c.d\"}], "
         "\"scope\": \"rule\", \"title\": \"42\"}"},
        {"the chain: rule, document, package, packages around it",
         "# METADATA\n# title: all\n# scope: subpackages\n\n# METADATA\n# title: package\npackage "
         "a\n"
         "# METADATA\n# title: document\n# scope: document\np := rego.metadata.chain()",
         "[{\"path\": [\"a\", \"p\"]}, {\"annotations\": {\"scope\": \"document\", \"title\": "
         "\"document\"}, \"path\": [\"a\", \"p\"]}, {\"annotations\": {\"scope\": \"package\", "
         "\"title\": \"package\"}, \"path\": [\"a\"]}, {\"annotations\": {\"scope\": "
         "\"subpackages\", \"title\": \"all\"}, \"path\": [\"a\"]}]"},
        {"an entry point is of the document",
         "package a\n# METADATA\n# entrypoint: yes\np := rego.metadata.chain()[1].annotations",
         "{\"entrypoint\": true, \"scope\": \"document\"}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 8 << 20};
        AUTO_BUF text = {.limit = 1 << 16};
        struct rego_diags diags = {0};
        struct rego_eval_options how = {0};
        struct rego_query *query;
        struct rego_result result;
        struct err err = {0};
        print_message("  %s\n", cases[i].says);
        struct rego_policy *policy = compile(&arena, cases[i].text, &diags);
        if (!policy)
            fail_msg("%.*s", STR_ARG(diags.diag[0].message));
        assert_true(rego_prepare(policy, STR("data.a.p"), &diags, &query, &err));
        assert_true(rego_eval(query, NULL, &how, &arena, &result, &err));
        assert_int_equal(result.values.len, 1);
        rego_text(&text, &result.values.items[0].items[0]);
        buf_char(&text, '\0');
        assert_string_equal(text.ptr, cases[i].want);
        rego_query_close(query);
        rego_close(policy);
    }
}

static void test_errors(void **state)
{
    static const struct {
        const char *text;
        uint32_t row;
        const char *says; /* part of the message */
    } cases[] = {
        {"# METADATA\n# scope: foo\npackage a", 1, "invalid annotation scope 'foo'"},
        {"package a\n# METADATA\n\np := 1", 2, "expected METADATA block, found whitespace"},
        {"package a\n# METADATA\n# title: [\np := 1", 3, "yaml: line"},
        {"package a\n# METADATA\n# a: b\n# title: [1]\n# b: c\np := 1", 5,
         "line 2: cannot unmarshal !!seq into string"},
        {"package a\n# METADATA\n# custom: 3\np := 1", 3, "cannot unmarshal !!int `3` into map"},
        {"package a\n# METADATA\n# entrypoint: 3\np := 1", 3,
         "cannot unmarshal !!int `3` into bool"},
        {"package a\n# METADATA\n# authors: ['']\np := 1", 2, "author is an empty string"},
        {"package a\n# METADATA\n# authors: [{a: b}]\np := 1", 2, "'name' and/or 'email'"},
        {"package a\n# METADATA\n# related_resources: [4]\np := 1", 2, "must be string or map"},
        {"package a\n# METADATA\n# related_resources: [{a: b}]\np := 1", 2, "'ref' value required"},
        {"package a\n# METADATA\n# title: x\nimport data.b\np := 1", 2, "scope 'import'"},
        {"package a\n# METADATA\n# scope: package\np := 1", 2,
         "must be applied to package (have rule)"},
        {"# METADATA\n# scope: rule\npackage a\np := 1", 1,
         "must be applied to rule (have package)"},
        {"package a\n# METADATA\n# scope: rule\n# entrypoint: true\np := 1", 2, "non-document"},
        {"package a\n# METADATA\n# schemas: [{input: foo}]\np := 1", 2, "invalid schema reference"},
        {"package a\n# METADATA\n# schemas: [{+: schema.a}]\np := 1", 2,
         "invalid document reference"},
        {"package a\n# METADATA\n# schemas: [{input: 3}]\np := 1", 2, "invalid schema declaration"},
        {"package a\n# METADATA\n# scope: document\np := 1\n# METADATA\n# scope: document\np := 1",
         5, "document annotation redeclared: t.rego:2"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 8 << 20};
        struct rego_diags diags = {0};
        print_message("  %s\n", cases[i].says);
        assert_null(compile(&arena, cases[i].text, &diags));
        assert_int_equal(diags.n, 1);
        assert_int_equal(diags.diag[0].row, cases[i].row);
        assert_true(str_find(diags.diag[0].message, str_from(cases[i].says), 0) != SIZE_MAX);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_values),
                                              cmocka_unit_test(test_errors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

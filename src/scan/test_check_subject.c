/* test_check_subject.c - the resources of documents as subjects: values with their marks, actions,
 * changes, and where their values stand.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/test.h"
#include "policy/document.h"
#include "scan/check_subject.h"

/* Values as text: "!" before what is secret, "?" for what is not known. */
static void put(struct buf *out, const struct value *v)
{
    if (!v) {
        buf_str(out, STR("-"));
        return;
    }
    if (v->marks & VALUE_SENSITIVE)
        buf_char(out, '!');
    if (v->kind == VALUE_UNKNOWN)
        buf_char(out, '?');
    else if (v->kind == VALUE_STRING)
        buf_str(out, value_text(v));
    else if (v->kind == VALUE_BOOL)
        buf_str(out, v->truth ? STR("true") : STR("false"));
    else if (v->kind == VALUE_NULL)
        buf_str(out, STR("null"));
    else if (v->kind == VALUE_NUMBER)
        buf_printf(out, "%lld", (long long)v->integer);
    for (uint32_t i = 0; value_is_list_like(v) && i < v->len; i++) {
        buf_str(out, i ? STR(",") : STR("["));
        put(out, &v->items[i]);
        buf_str(out, i + 1 == v->len ? STR("]") : STR(""));
    }
    for (uint32_t i = 0; value_is_object_like(v) && i < v->len; i++) {
        buf_str(out, i ? STR(",") : STR("{"));
        buf_str(out, key_str(v->members[i].key));
        buf_char(out, ':');
        put(out, &v->members[i].value);
        buf_str(out, i + 1 == v->len ? STR("}") : STR(""));
    }
}

/* type address action path values changes; */
static const struct {
    const char *says, *text, *want;
} cases[] = {
    {"a planned creation",
     "{\"format_version\":\"1\",\"resource_changes\":[{\"address\":\"a.b\",\"type\":\"a\","
     "\"change\":{"
     "\"actions\":[\"create\"],\"before\":null,\"after\":{\"x\":1,\"p\":\"s\",\"l\":[{\"k\":\"v\"}]"
     "},"
     "\"after_unknown\":{\"id\":true,\"l\":[{\"n\":true}]},\"after_sensitive\":{\"p\":true,\"l\":[{"
     "\"k\":true}]}}}]}",
     "a a.b create resource_changes[0].change.after {id:?,l:[{k:!v,n:?}],p:!s,x:1};"},
    {"an update with what changes",
     "{\"format_version\":\"1\",\"resource_changes\":[{\"address\":\"a.b\",\"type\":\"a\","
     "\"change\":{"
     "\"actions\":[\"update\"],\"before\":{\"x\":1,\"t\":{\"o\":\"a\"}},\"after\":{\"x\":1,\"t\":{"
     "\"o\":\"b\"}}}}]}",
     "a a.b update resource_changes[0].change.after {t:{o:b},x:1} t.o;"},
    {"a deletion: what was there",
     "{\"format_version\":\"1\",\"resource_changes\":[{\"address\":\"a.b\",\"type\":\"a\","
     "\"change\":{"
     "\"actions\":[\"delete\"],\"before\":{\"x\":1},\"before_sensitive\":true,\"after\":null}}]}",
     "a a.b delete resource_changes[0].change.before !{x:1};"},
    {"a replacement",
     "{\"format_version\":\"1\",\"resource_changes\":[{\"address\":\"a.b\",\"type\":\"a\","
     "\"change\":{"
     "\"actions\":[\"delete\",\"create\"],\"before\":{\"x\":1},\"after\":{\"x\":2}}}]}",
     "a a.b replace resource_changes[0].change.after {x:2} x;"},
    {"a state with modules",
     "{\"format_version\":\"1\",\"values\":{\"root_module\":{\"resources\":[{\"address\":\"a.b\","
     "\"type\":"
     "\"a\",\"values\":{\"p\":\"s\"},\"sensitive_values\":{\"p\":true}}],\"child_modules\":[{"
     "\"resources\":[{\"address\":\"module.m.a.c\",\"type\":\"a\",\"values\":{}}]}]}}}",
     "a a.b  values.root_module.resources[0].values {p:!s};a module.m.a.c  "
     "values.root_module.child_modules[0].resources[0].values ;"},
    {"a state file",
     "{\"version\":4,\"terraform_version\":\"1\",\"resources\":[{\"module\":\"module.m\",\"mode\":"
     "\"data\",\"type\":\"a\",\"name\":\"b\",\"instances\":[{\"attributes\":{\"x\":true}}]}]}",
     "a module.m.data.a.b  resources[0].instances[0].attributes {x:true};"},
    {"a manifest",
     "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\",\"namespace\":\"n\"}}",
     "Pod Pod/n/p   {apiVersion:v1,kind:Pod,metadata:{name:p,namespace:n}};"},
    {"the object of a review",
     "{\"apiVersion\":\"v1\",\"kind\":\"AdmissionReview\",\"request\":{\"object\":{\"kind\":"
     "\"Pod\"}}}",
     "Pod Pod/  request.object {kind:Pod};"},
    {"a review of a deletion",
     "{\"apiVersion\":\"v1\",\"kind\":\"AdmissionReview\",\"request\":{}}", ""},
    {"another document", "{\"a\":1}", ""},
};

static void resources_of_each_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 64 << 20};
        AUTO_BUF out = {.limit = 1 << 16};
        struct documents documents;
        struct check_resources got;
        struct err err = {0};
        print_message("  %s\n", cases[i].says);
        assert_true(documents_parse(&arena, str_from(cases[i].text), STR("f"), &documents, &err));
        assert_true(check_resources_find(&arena, &documents.item[0], &got, &err));
        for (size_t k = 0; k < got.n; k++) {
            const struct rule_subject *s = &got.item[k].subject;
            buf_printf(&out, "%.*s %.*s %.*s ", STR_ARG(s->type), STR_ARG(s->address),
                       STR_ARG(s->action));
            path_print(&out, got.item[k].path);
            buf_char(&out, ' ');
            put(&out, s->values);
            for (size_t c = 0; c < s->nchanges; c++)
                buf_printf(&out, " %.*s", STR_ARG(s->change[c].path_text));
            buf_char(&out, ';');
        }
        buf_char(&out, '\0');
        assert_string_equal(out.ptr, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(resources_of_each_case)};
    return cmocka_run_group_tests_name("scan/check_subject", tests, NULL, NULL);
}

/* test_builtin_template.c - strings.render_template: what text/template does with the same. */
#include "lang/rego/test_call.h"

#define RENDER(template, variables, want) \
    { \
        "strings.render_template", "[\"" template "\"," variables "]", want \
    }

static void test_templates(void **state)
{
    (void)state;
    static const struct test_row rows[] = {
        RENDER("a {{.x}} b", "{\"x\":\"y\"}", "\"a y b\""),
        RENDER("{{.n}} {{.m.a}} {{.none}}", "{\"n\":2023,\"m\":{\"a\":1.5}}",
               "\"2023 1.5 \\u003cundefined\\u003e\""),
        RENDER("{{range $i, $n := .a}}{{if $i}},{{end}}{{$n}}{{else}}none{{end}}",
               "{\"a\":[\"x\",\"y\"]}", "\"x,y\""),
        RENDER("{{range .a}}{{.}}{{else}}none{{end}}", "{\"a\":[]}", "\"none\""),
        RENDER("{{range $k, $v := .}}{{$k}}={{$v}};{{end}}", "{\"b\":1,\"a\":2}", "\"a=2;b=1;\""),
        RENDER("x {{- 1 -}} y", "{}", "\"x1y\""),
        RENDER("{{/* no */}}{{if eq .a \\\"b\\\"}}1{{else if .c}}2{{else}}3{{end}}",
               "{\"a\":\"c\",\"c\":true}", "\"2\""),
        RENDER("{{with .a}}{{.b}}{{end}}{{$x := len .l}}{{$x}}", "{\"a\":{\"b\":7},\"l\":[1,2]}",
               "\"72\""),
        RENDER("{{.l}} {{.m}}", "{\"l\":[1,\"a\"],\"m\":{\"k\":null}}",
               "\"[1 a] map[k:\\u003cnil\\u003e]\""),
        RENDER("{{index .l 1 | printf \\\"%s-%v\\\" \\\"a\\\"}}", "{\"l\":[1,2]}", "\"a-2\""),
        RENDER("{{and true (not false)}}", "{}", "\"true\""),
        RENDER("{{.a", "{}", "error: template: template: unclosed action: {{.a"),
        RENDER("{{end}}", "{}", "error: template: template: unexpected: {{end}}"),
        RENDER("{{if .a}}", "{}", "error: template: template: unexpected EOF: want {{end}}"),
        RENDER("{{foo}}", "{}", "error: template: template: function not defined: foo"),
        RENDER("{{$x}}", "{}", "error: template: template: undefined variable: x"),
    };
    test_rows(rows, sizeof rows / sizeof *rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_templates)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_builtin_module.c - rego.parse_module: the members of what each form of the language says. */
#include "lang/rego/test_call.h"

/* `want` is somewhere in the JSON of a module of this text; the error for a wrong text. */
static const struct {
    const char *text, *want;
} cases[] = {
    {"package a.b", "{\"package\":{\"path\":[{\"type\":\"var\",\"value\":\"data\"},{\"type\":"
                    "\"string\",\"value\":\"a\"},{\"type\":\"string\",\"value\":\"b\"}]}}"},
    {"package a\\nimport data.x as y # c",
     "{\"comments\":[{\"Location\":{\"col\":20,\"file\":\"f.rego\",\"row\":2},\"Text\":\"IGM=\"}],"
     "\"imports\":[{\"alias\":\"y\",\"path\":{\"type\":\"ref\","},
    {"package a\\np := 1",
     "\"rules\":[{\"body\":[{\"index\":0,\"terms\":{\"type\":\"boolean\",\"value\":true}}],"
     "\"head\":{\"assign\":true,\"name\":\"p\",\"ref\":[{\"type\":\"var\",\"value\":\"p\"}],"
     "\"value\":{\"type\":\"number\",\"value\":1}}}]"},
    {"package a\\np contains x if not x",
     "[{\"body\":[{\"index\":0,\"negated\":true,\"terms\":{\"type\":\"var\",\"value\":\"x\"}}],"
     "\"head\":{\"key\":{\"type\":\"var\",\"value\":\"x\"},\"name\":\"p\","},
    {"package a\\nf(x) := 1 if x == null else := 2",
     "\"else\":{\"body\":[{\"index\":0,\"terms\":{\"type\":\"boolean\",\"value\":true}}],\"head\":{"
     "\"args\":[{\"type\":\"var\",\"value\":\"x\"}]"},
    {"package a\\np if x == null",
     "\"terms\":[{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"equal\"}]},{\"type\":"
     "\"var\",\"value\":\"x\"},{\"type\":\"null\",\"value\":{}}]"},
    {"package a\\np if some x in input",
     "\"symbols\":[{\"type\":\"call\",\"value\":[{\"type\":\"ref\",\"value\":[{\"type\":\"var\","
     "\"value\":\"internal\"},{\"type\":\"string\",\"value\":\"member_2\"}]},{\"type\":\"var\","
     "\"value\":\"x\"},{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"input\"}]}]}]"},
    {"package a\\np if every x in [1] { x }",
     "\"domain\":{\"type\":\"array\",\"value\":[{\"type\":\"number\",\"value\":1}]},\"key\":null,"},
    {"package a\\np[x] := {\\\"k\\\": set()} if q with input.y as 1",
     "\"with\":[{\"target\":{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"input\"},{"
     "\"type\":\"string\",\"value\":\"y\"}]},\"value\":{\"type\":\"number\",\"value\":1}}]"},
    {"package a\\np := [y | y := 1]",
     "{\"type\":\"arraycomprehension\",\"value\":{\"body\":[{\"index\":0,\"terms\":[{\"type\":"
     "\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"assign\"}]}"},
    {"package a\\np := $\\\"x{count(y)}\\\"",
     "{\"type\":\"templatestring\",\"value\":{\"multi_line\":false,\"parts\":[{\"type\":\"string\","
     "\"value\":\"x\"},{\"index\":0,\"terms\":[{\"type\":\"ref\""},
    {"package a\\np if {", "error: 1 error occurred: f.rego:2: rego_parse_error: "},
};

static void test_modules(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 8 << 20};
        struct str operands = arena_printf(&arena, "[\"f.rego\",\"%s\"]", cases[i].text);
        struct str got = test_call(&arena, "rego.parse_module", operands, NULL);
        if (str_find(got, str_from(cases[i].want), 0) == SIZE_MAX)
            fail_msg("%s\n want %s\n got  %.*s", cases[i].text, cases[i].want, STR_ARG(got));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_modules)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

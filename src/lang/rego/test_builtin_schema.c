/* test_builtin_schema.c - json.match_schema and json.verify_schema. */
#include "lang/rego/schema_format.h"
#include "lang/rego/test_call.h"

#define ERROR(field, text, type) \
    "[false,[{\"desc\":\"" text "\",\"error\":\"" field ": " text "\",\"field\":\"" field \
    "\",\"type\":\"" type "\"}]]"

static void test_match(void **state)
{
    (void)state;
    static const struct test_row rows[] = {
        {"json.match_schema", "[{\"id\":5},{\"required\":[\"id\"]}]", "[true,[]]"},
        {"json.match_schema", "[\"{}\",\"{\\\"required\\\":[\\\"id\\\"]}\"]",
         ERROR("(Root)", "id is required", "required")},
        {"json.match_schema", "[{\"id\":\"foo\"},{\"properties\":{\"id\":{\"type\":\"integer\"}}}]",
         ERROR("id", "Invalid type. Expected: integer, given: string", "invalid_type")},
        {"json.match_schema", "[{\"a\":1},{\"additionalProperties\":false}]",
         ERROR("(Root)", "Additional property a is not allowed",
               "additional_property_not_allowed")},
        {"json.match_schema",
         "[{\"a\":[1,20]},{\"properties\":{\"a\":{\"items\":{\"$ref\":\"#/definitions/x\"}}},"
         "\"definitions\":{\"x\":{\"maximum\":10}}}]",
         ERROR("a.1", "Must be less than or equal to 10", "number_lte")},
        {"json.match_schema", "[{},{\"type\":\"unknown\"}]",
         "error: has a primitive type that is NOT VALID -- given: /unknown/ Expected valid values "
         "are:[array boolean integer number null object string]"},
        {"json.match_schema", "[{\"a\":1},{\"dependencies\":{\"a\":[\"b\"],\"z\":[\"y\"]}}]",
         ERROR("(Root)", "Has a dependency on b", "missing_dependency")},
        {"json.match_schema", "[{\"a\":1},{\"dependencies\":{\"a\":{\"required\":[\"q\"]}}}]",
         ERROR("(Root)", "q is required", "required")},
        {"json.match_schema", "[{\"a\":\"x\"},{\"properties\":{\"a\":{\"format\":\"date\"}}}]",
         ERROR("a", "Does not match format 'date'", "format")},
        {"json.verify_schema", "[{\"dependencies\":{\"a\":3}}]",
         "[false,\"jsonschema: Dependency must be of type Schema Or Array Of Strings\"]"},
        {"json.verify_schema", "[\"{}\"]", "[true,null]"},
        {"json.verify_schema", "[\"{\"]", "[false,\"jsonschema: invalid JSON string\"]"},
        {"json.verify_schema", "[{\"properties\":1}]",
         "[false,\"jsonschema: properties must be of type object\"]"},
    };
    test_rows(rows, sizeof rows / sizeof *rows);
}

/* Texts that fit a format, and texts that do not. */
static void test_formats(void **state)
{
    (void)state;
    static const struct {
        const char *format, *good[5], *bad[7];
    } rows[] = {
        {"date", {"2020-02-29"}, {"2021-02-29", "2020-2-1", "2020-13-01", "2020-12-31x"}},
        {"time", {"12:00:00", "1:00:00Z", "12:00:00.5+01:00"}, {"24:00:00", "12:00", "12:00:00z"}},
        {"date-time",
         {"2020-01-01T00:00:00Z", "2020-01-01", "2020-01-01T00:00:00.12+05:30"},
         {"2020-01-01T00:00:00", "2020-01-01 00:00:00Z"}},
        {"hostname", {"a", "a.b", "A.B-c9"}, {"", "-a", "a..b", "a.", "a_b"}},
        {"email",
         {"a@b", "Joe <a@b.c>", "\"J,o\" <a@b>", "a@[1.2.3.4]"},
         {"a@", "@b", "a b@c", ".a@b", "<a@b", "Joe a@b", "Joe <a@b> x"}},
        {"ipv4", {"1.2.3.4"}, {"01.2.3.4", "1.2.3", "256.1.1.1", "::1"}},
        {"ipv6", {"::1", "::ffff:1.2.3.4"}, {"1.2.3.4", "fe80::1%eth0", "::g"}},
        {"uri", {"http://a/b", "urn:x:y"}, {"a", "/a", "http:\\a", "http://a/%zz", "http://%41/"}},
        {"uri-reference", {"", "a", "//a/b", "#f"}, {"a\\b", "%zz", "1:b"}},
        {"uri-template", {"/a}", "/{a}{b}"}, {"/{a", "http://a/{b}c{d"}},
        {"uuid",
         {"123e4567-e89b-12d3-a456-42661417400F"},
         {"", "123e4567e89b12d3a456426614174000"}},
        {"regex", {"", "a(b|c)"}, {"(", "(?=x)"}},
        {"json-pointer", {"", "/a/~0~1"}, {"a", "/~", "/~2"}},
        {"relative-json-pointer", {"0", "1/a", "10#"}, {"", "01", "1#/a", "-1"}},
        {"nobody knows it", {"", "x"}, {0}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str format = str_from(rows[i].format);
        for (size_t k = 0; k < 5 && rows[i].good[k]; k++)
            if (!rego_is_format(format, str_from(rows[i].good[k])))
                fail_msg("%s: %s", rows[i].format, rows[i].good[k]);
        for (size_t k = 0; k < 7 && rows[i].bad[k]; k++)
            if (rego_is_format(format, str_from(rows[i].bad[k])))
                fail_msg("%s: %s", rows[i].format, rows[i].bad[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_match),
                                       cmocka_unit_test(test_formats)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

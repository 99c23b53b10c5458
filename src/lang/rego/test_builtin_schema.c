/* test_builtin_schema.c - json.match_schema and json.verify_schema. */
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
        {"json.verify_schema", "[\"{}\"]", "[true,null]"},
        {"json.verify_schema", "[\"{\"]", "[false,\"jsonschema: invalid JSON string\"]"},
        {"json.verify_schema", "[{\"properties\":1}]",
         "[false,\"jsonschema: properties must be of type object\"]"},
    };
    test_rows(rows, sizeof rows / sizeof *rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_match)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

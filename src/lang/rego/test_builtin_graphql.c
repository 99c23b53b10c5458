/* test_builtin_graphql.c - graphql.*: documents as JSON, schemas, validation, hostile texts. */
#include "lang/rego/test_call.h"

#define SCHEMA \
    "type Query { hero(id: ID!): Hero! dog(l: [Int!], e: E = A): Dog in(x: In): Int } " \
    "interface Hero { name: String! } type Dog implements Hero { name: String! age: Int } " \
    "type Cat { name: String! } enum E { A BEE } input In { a: Int! b: String = \\\"x\\\" } " \
    "type Subscription { a: Int b: Int }"

static void test_parse(void **state)
{
    (void)state;
    static const struct test_row rows[] = {
        {"graphql.parse_query", "[\"{ a: b(x: $v) # c\\n ...F }\"]",
         "{\"Operations\":[{\"Name\":\"\",\"Operation\":\"query\",\"SelectionSet\":[{\"Alias\":"
         "\"a\",\"Arguments\":[{\"Name\":\"x\",\"Value\":{\"ExpectedTypeHasDefault\":false,"
         "\"Kind\":0,\"Raw\":\"v\"}}],\"Name\":\"b\"},{\"Comment\":{\"List\":[{\"Value\":\"# "
         "c\"}]},\"Name\":\"F\"}]}]}"},
        {"graphql.parse_query", "[\"\"]", "{}"},
        {"graphql.parse_query", "[\"{ a(x: \\\"\\\"\\\"\\n  b\\n   c\\n\\\"\\\"\\\") }\"]",
         "{\"Operations\":[{\"Name\":\"\",\"Operation\":\"query\",\"SelectionSet\":[{\"Alias\":"
         "\"a\",\"Arguments\":[{\"Name\":\"x\",\"Value\":{\"ExpectedTypeHasDefault\":false,"
         "\"Kind\":4,\"Raw\":\"b\\n c\"}}],\"Name\":\"a\"}]}]}"},
        {"graphql.parse_schema",
         "[\"\\\"d\\\" type A implements B & C @x { f(a: Int = 1): [T!]! "
         "}\"]",
         "{\"Definitions\":[{\"BuiltIn\":false,\"Description\":\"d\",\"Directives\":[{\"Location\":"
         "\"\",\"Name\":\"x\"}],\"Fields\":[{\"Arguments\":[{\"DefaultValue\":{"
         "\"ExpectedTypeHasDefault\":false,\"Kind\":1,\"Raw\":\"1\"},\"Description\":\"\","
         "\"Name\":\"a\",\"Type\":{\"NamedType\":\"Int\",\"NonNull\":false}}],\"Description\":"
         "\"\",\"Name\":\"f\",\"Type\":{\"Elem\":{\"NamedType\":\"T\",\"NonNull\":true},"
         "\"NamedType\":\"\",\"NonNull\":true}}],\"Interfaces\":[\"B\",\"C\"],\"Kind\":\"OBJECT\","
         "\"Name\":\"A\"}]}"},
        {"graphql.parse_query", "[\"{ ' }\"]",
         "error: Expected Name, found <Invalid> in GraphQL string at location 1:3"},
        {"graphql.parse_query", "[\"query {}\"]",
         "error: expected at least one definition, found } in GraphQL string at location 1:8"},
        {"graphql.parse_query", "[\"x \\\"a\\\\nb\\\"\"]",
         "error: Unexpected Name \\\"x\\\" in GraphQL string at location 1:1"},
        {"graphql.parse_schema", "[\"directive @a on NOWHERE\"]",
         "error: Unexpected Name \\\"NOWHERE\\\" in GraphQL string at location 1:17"},
        {"graphql.parse_schema", "[\"\\\"d\\\" extend type A { a: Int }\"]",
         "error: Unexpected String \\\"d\\\" in GraphQL string at location 1:2"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO_ARENA arena = {.limit = 8 << 20};
        struct str got = test_call(&arena, rows[i].name, str_from(rows[i].operands), NULL);
        AUTO_BUF plain = {.limit = 1 << 16}; /* errors are written with \" above */
        for (const char *p = rows[i].want; *p; p++)
            if (strncmp(rows[i].want, "error", 5) != 0 || *p != '\\')
                buf_char(&plain, *p);
        if (!str_equal(got, buf_view(&plain)))
            fail_msg("%s\n want %.*s\n got  %.*s", rows[i].operands, STR_ARG(buf_view(&plain)),
                     STR_ARG(got));
    }
}

static void test_schemas(void **state)
{
    (void)state;
    static const struct {
        const char *schema;
        bool valid;
    } rows[] = {
        {"", true},
        {SCHEMA, true},
        {"type A { a: B }", false},
        {"type A { a: Int a: Int }", false},
        {"type A", false},
        {"type A { __a: Int }", false},
        {"type __A { a: Int }", false},
        {"type String { a: Int }", false},
        {"scalar A scalar A", false},
        {"enum A { true }", false},
        {"enum A { B B }", false},
        {"enum A { B C @deprecated(reason: null) }", true},
        {"union U = A | B type A { a: Int } type B { b: Int }", true},
        {"union U = A | A type A { a: Int }", false},
        {"union U = Int", false},
        {"input I { a: Q } type Q { a: Int }", false},
        {"type Q { a(i: Q): Int }", false},
        {"type Q { a: I } input I { a: Int }", false},
        {"interface I { a(x: Int): Int } type T implements I { a(x: Int, y: Int): Int! }", true},
        {"interface I { a(x: Int): Int } type T implements I { a(x: Int, y: Int!): Int }", false},
        {"interface I { a(x: Int): Int } type T implements I { a: Int }", false},
        {"interface I { a: Int! } type T implements I { a: Int }", false},
        {"interface I { a: I } type T implements I { a: T }", true},
        {"interface I { a: [I] } type T implements I { a: T }", false},
        {"interface I implements J { a: Int } interface J { a: Int } "
         "type T implements I { a: Int }",
         false},
        {"type T implements Int { a: Int }", false},
        {"directive @d on OBJECT type T @d { a: Int }", true},
        {"directive @d on OBJECT type T { a: Int @d }", false},
        {"directive @d(x: Int!) on OBJECT type T @d { a: Int }", false},
        {"directive @d on OBJECT directive @d on FIELD", false},
        {"directive @skip on FIELD directive @skip on QUERY", true},
        {"directive @d(x: Int @d) on ARGUMENT_DEFINITION", false},
        {"directive @d on FIELD_DEFINITION type T { a: Int @d @d }", false},
        {"directive @d repeatable on FIELD_DEFINITION type T { a: Int @d @d }", true},
        {"type T { a: Int @unknown }", false},
        {"extend type T { a: Int }", true},
        {"scalar T extend type T { a: Int }", false},
        {"schema { query: Q } type Q { a: Int } extend schema { mutation: Q }", true},
        {"schema { query: Q }", false},
        {"schema { query: Q } schema { query: Q } type Q { a: Int }", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO_ARENA arena = {.limit = 8 << 20};
        struct str got = test_call(&arena, "graphql.schema_is_valid",
                                   arena_printf(&arena, "[\"%s\"]", rows[i].schema), NULL);
        if (!str_equal(got, rows[i].valid ? STR("true") : STR("false")))
            fail_msg("%s: %.*s", rows[i].schema, STR_ARG(got));
    }
}

/* A query against SCHEMA and what the first error says ("": valid). */
static void test_validation(void **state)
{
    (void)state;
    static const struct {
        const char *query, *says;
    } rows[] = {
        {"{ hero(id: 4) { name __typename ... on Dog { age } } }", ""},
        {"{ dog { nam } }", "Cannot query field \"nam\" on type \"Dog\". Did you mean \"name\"?"},
        {"{ hero(id: 1) { age } }", "Did you mean to use an inline fragment on \"Dog\"?"},
        {"{ dog }", "must have a selection of subfields"},
        {"{ dog { age { x } } }", "must not have a selection since type \"Int\""},
        {"{ hero { name } }", "argument \"id\" of type \"ID!\" is required"},
        {"{ hero(id: 1, ix: 2) { name } }", "Unknown argument \"ix\" on field \"Query.hero\""},
        {"{ hero(id: 1, id: 2) { name } }", "only one argument named \"id\""},
        {"{ dog(l: [1, \\\"a\\\"]) { age } }", "Int cannot represent non-integer value: \"a\""},
        {"{ dog(l: 1) { age } }", ""},
        {"{ dog(l: {a: 1}) { age } }", "Field \"a\" is not defined by type \"Int\""},
        {"{ dog(e: BE) { age } }",
         "Value \"BE\" does not exist in \"E\" enum. Did you mean the enum value \"BEE\"?"},
        {"{ dog(e: \\\"A\\\") { age } }", "Enum \"E\" cannot represent non-enum value: \"A\""},
        {"{ in(x: {b: \\\"\\\"}) }", "Field \"In.a\" of required type \"Int!\" was not provided"},
        {"{ in(x: {a: 1, a: 2}) }", "only one input field named \"a\""},
        {"{ in(x: {a: 99999999999999999999}) }", "non 32-bit signed integer"},
        {"query Q($x: Int) { in(x: {a: $x}) }",
         "Variable \"$x\" of type \"Int\" used in position expecting type \"Int!\""},
        {"query Q($x: Int = 1) { in(x: {a: $x}) }", ""},
        {"query Q($x: Int!) { dog { age } }", "\"$x\" is never used in operation \"Q\""},
        {"query Q($x: Int!, $x: Int!) { in(x: {a: $x}) }", "only one variable named \"$x\""},
        {"query Q($x: Dog) { hero(id: $x) { name } }", "cannot be non-input type \"Dog\""},
        {"query Q { in(x: {a: $x}) }", "Variable \"$x\" is not defined by operation \"Q\""},
        {"{ ...F }", "Unknown fragment \"F\""},
        {"{ dog { ...F } } fragment F on Dog { age ...F }", "Cannot spread fragment \"F\" within"},
        {"{ dog { ...F } } fragment F on Dog { age ...G } fragment G on Dog { ...F }",
         "within itself via \"G\""},
        {"{ dog { age } } fragment F on Dog { age }", "Fragment \"F\" is never used"},
        {"{ dog { ... on Cat { name } } }", "objects of type \"Dog\" can never be of type \"Cat\""},
        {"{ dog { ... on Int { name } } }", "non composite type \"Int\""},
        {"{ dog { a: name a: age } }", "\"name\" and \"age\" are different fields"},
        {"{ d: dog { a: name } d: dog { a: age } }", "subfields \"a\" conflict because"},
        {"{ a: in(x: {a: 1}) a: in }", "they have differing arguments"},
        {"{ dog { age @skip } }", "argument \"if\" of type \"Boolean!\" is required"},
        {"{ dog { age @nope } }", "Unknown directive \"@nope\""},
        {"query @skip(if: true) { dog { age } }", "may not be used on QUERY"},
        {"{ dog { age @skip(if: true) @skip(if: false) } }", "can only be used once"},
        {"mutation { a }", "Schema does not support operation type \"mutation\""},
        {"subscription { a b }", "must select only one top level field"},
        {"subscription { __typename }", "must not select an introspection"},
        {"{ dog { age } } query B { dog { age } }", "must be the only defined operation"},
        {"query B { dog { age } } query B { dog { age } }", "only one operation named \"B\""},
        {"{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
         "Maximum introspection depth exceeded"},
        {"{ __type(name: \\\"Dog\\\") { name fields { name } } }", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO_ARENA arena = {.limit = 8 << 20};
        struct str operands = arena_printf(&arena, "[\"%s\",\"%s\"]", rows[i].query, SCHEMA);
        struct str got = test_call(&arena, "graphql.is_valid", operands, NULL);
        bool valid = rows[i].says[0] == '\0';
        if (!str_equal(got, valid ? STR("true") : STR("false")))
            fail_msg("%s: %.*s", rows[i].query, STR_ARG(got));
        got = test_call(&arena, "graphql.parse", operands, NULL);
        if (str_find(got, valid ? STR("[{\"Operations\"") : str_from(rows[i].says), 0) == SIZE_MAX)
            fail_msg("%s\n want %s\n got  %.*s", rows[i].query, rows[i].says, STR_ARG(got));
    }
}

/* What parse_query and parse_schema give may be checked in place of the texts. */
static void test_objects(void **state)
{
    (void)state;
    static const char *const queries[] = {
        "{ dog { ...F ... on Dog { age } name @skip(if: true) } } fragment F on Dog { age }",
        "query Q($x: Int = 1) { in(x: {a: $x}) }", "{ dog(l: [1, 2]) { a: age } }"};
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        AUTO_ARENA arena = {.limit = 8 << 20};
        struct str query = test_call(&arena, "graphql.parse_query",
                                     arena_printf(&arena, "[\"%s\"]", queries[i]), NULL);
        struct str schema = test_call(&arena, "graphql.parse_schema",
                                      arena_printf(&arena, "[\"%s\"]", SCHEMA), NULL);
        struct str pair = arena_printf(&arena, "[%.*s,%.*s]", STR_ARG(query), STR_ARG(schema));
        assert_true(str_equal(test_call(&arena, "graphql.is_valid", pair, NULL), STR("true")));
        struct str again = test_call(&arena, "graphql.parse", pair, NULL);
        assert_true(str_equal(again, pair));
    }
    static const struct test_row wrong[] = {
        {"graphql.is_valid", "[{\"Operations\":[{\"Name\":1}]},\"\"]", "false"},
        {"graphql.schema_is_valid", "[{\"Definitions\":[{\"Name\":\"A\",\"Fields\":[{}]}]}]",
         "false"},
        {"graphql.parse", "[{\"Operations\":1},\"\"]",
         "error: GraphQL parse error: input: Operations of a GraphQL document must be an array "
         "but is number"},
        {"graphql.parse_and_verify", "[\"{\",\"\"]", "[false,{},{}]"},
    };
    test_rows(wrong, sizeof wrong / sizeof *wrong);
}

static struct str repeated(struct arena *arena, const char *head, const char *each, unsigned n,
                           const char *tail)
{
    AUTO_BUF out = {.limit = 4 << 20};
    buf_str(&out, str_from(head));
    for (unsigned i = 0; i < n; i++)
        buf_str(&out, str_from(each));
    buf_str(&out, str_from(tail));
    return arena_dup(arena, buf_view(&out));
}

static void test_hostile(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 256 << 20};
    static const char *const deep[][2] = {{"graphql.parse_query", "{a"},
                                          {"graphql.parse_query", "{a(x:["},
                                          {"graphql.parse_schema", "type A{a:["}};
    for (size_t i = 0; i < 3; i++) {
        const char *tail = deep[i][1] + strlen(deep[i][1]) - 1;
        struct str text = repeated(&arena, "[\"", i == 0 ? "{a" : "", 5000, "");
        if (i > 0)
            text = repeated(&arena, i == 1 ? "[\"{a(x:" : "[\"type A{a:", tail, 5000, "");
        text = arena_printf(&arena, "%.*s\"]", STR_ARG(text));
        struct str got = test_call(&arena, deep[i][0], text, NULL);
        if (str_find(got, STR("nested deeper than 200 levels"), 0) == SIZE_MAX)
            fail_msg("%.*s", STR_ARG(got));
    }
    /* A chain of fragments: deeper than the walk goes, and no fault. */
    AUTO_BUF chain = {.limit = 4 << 20};
    buf_str(&chain, STR("[\"{dog{...F0}}"));
    for (int i = 0; i < 20; i++) {
        buf_printf(&chain, " fragment F%d on Dog {", i);
        for (int k = 0; k < 150; k++)
            buf_str(&chain, STR("...{"));
        buf_printf(&chain, "...F%d", i + 1);
        for (int k = 0; k < 151; k++)
            buf_char(&chain, '}');
    }
    buf_str(&chain, STR(" fragment F20 on Dog {age}\",\"" SCHEMA "\"]"));
    struct str got = test_call(&arena, "graphql.is_valid", buf_view(&chain), NULL);
    assert_true(str_equal(got, STR("false")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parse), cmocka_unit_test(test_schemas),
                                       cmocka_unit_test(test_validation),
                                       cmocka_unit_test(test_objects),
                                       cmocka_unit_test(test_hostile)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

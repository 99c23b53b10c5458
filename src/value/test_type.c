/* test_type.c - type constraints in and out, and values put into their type. */
#include "base/test.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "value/path.h"
#include "value/type.h"
#include "wire/json.h"

static struct value json(struct arena *arena, const char *text)
{
    struct err err = {0};
    struct value v;
    if (!json_parse(arena, str_from(text), "test", JSON_DEFAULT, &v, &err))
        fail_msg("%s: %s", text, err.frame[0]);
    return v;
}

static const struct type *type(struct arena *arena, const char *text)
{
    struct err err = {0};
    struct value v = json(arena, text);
    const struct type *t = NULL;
    if (!type_from_value(arena, &v, &t, &err))
        fail_msg("%s: %s", text, err.frame[0]);
    return t;
}

static const struct {
    const char *json, *printed, *hcl; /* printed NULL: as it came */
    bool dynamic;
} types[] = {
    {"\"string\"", NULL, "string", false},
    {"\"number\"", NULL, "number", false},
    {"\"bool\"", NULL, "bool", false},
    {"\"dynamic\"", NULL, "any", true},
    {"[\"list\",\"string\"]", NULL, "list(string)", false},
    {"[\"set\",[\"map\",\"dynamic\"]]", NULL, "set(map(any))", true},
    {"[\"tuple\",[]]", NULL, "tuple([])", false},
    {"[\"tuple\",[\"string\",[\"list\",\"bool\"]]]", NULL, "tuple([string, list(bool)])", false},
    {"[\"object\",{}]", NULL, "object({})", false},
    {"[\"object\",{\"b\":\"string\",\"a\":[\"list\",\"number\"]}]",
     "[\"object\",{\"a\":[\"list\",\"number\"],\"b\":\"string\"}]",
     "object({a=list(number), b=string})", false},
    {"[\"object\",{\"a\":\"string\",\"b\":\"bool\"},[\"b\"]]", NULL,
     "object({a=string, b=optional(bool)})", false},
    {"[\"object\",{\"a b\":\"string\",\"q\\\"<\":\"dynamic\"}]",
     "[\"object\",{\"a b\":\"string\",\"q\\\"\\u003c\":\"dynamic\"}]",
     "object({\"a b\"=string, \"q\\\"\\u003c\"=any})", true},
};
enum { TYPES = sizeof types / sizeof *types };

static void types_are_read_and_printed(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    for (size_t i = 0; i < TYPES; i++) {
        AUTO_BUF out = {.limit = 1 << 16}, hcl = {.limit = 1 << 16};
        const struct type *t = type(&arena, types[i].json);
        type_print_json(&out, t);
        type_print_hcl(&hcl, t);
        assert_string_equal(arena_dup(&arena, buf_view(&out)).ptr,
                            types[i].printed ? types[i].printed : types[i].json);
        assert_string_equal(arena_dup(&arena, buf_view(&hcl)).ptr, types[i].hcl);
        assert_int_equal(type_has_dynamic(t), types[i].dynamic);
        for (size_t j = 0; j < TYPES; j++)
            assert_int_equal(type_equal(t, type(&arena, types[j].json)), i == j);
    }
}

static void wrong_types_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "null",
        "1",
        "{}",
        "[]",
        "\"text\"",
        "\"list\"",
        "\"capsule\"",
        "[\"string\"]",
        "[\"string\",\"string\"]",
        "[\"list\"]",
        "[\"list\",\"string\",\"string\"]",
        "[\"list\",{}]",
        "[\"tuple\",\"string\"]",
        "[\"tuple\",{}]",
        "[\"object\",[]]",
        "[\"object\",{\"a\":1}]",
        "[\"object\",{\"a\":\"string\"},[\"b\"]]",
        "[\"object\",{\"a\":\"string\"},[1]]",
        "[\"object\",{\"a\":\"string\"},{}]",
        "[\"object\",{},[],[]]",
        "[1,2]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        AUTO_ARENA arena = {.limit = 1 << 16};
        struct err err = {0};
        const struct type *t = NULL;
        struct value v = json(&arena, bad[i]);
        if (type_from_value(&arena, &v, &t, &err))
            fail_msg("%s", bad[i]);
        assert_int_equal(err.kind, ERR_SYNTAX);
        assert_null(t);
    }
}

static void type_depth_is_bounded(void **state)
{
    (void)state;
    for (unsigned depth = TYPE_DEPTH_MAX - 1; depth <= TYPE_DEPTH_MAX + 200; depth += 50) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        AUTO_BUF text = {.limit = 1 << 20}, out = {.limit = 1 << 20};
        struct err err = {0};
        const struct type *t;
        for (unsigned i = 0; i < depth; i++)
            buf_str(&text, STR("[\"list\","));
        buf_str(&text, STR("\"string\""));
        for (unsigned i = 0; i < depth; i++)
            buf_char(&text, ']');
        struct value v = json(&arena, arena_dup(&arena, buf_view(&text)).ptr);
        bool ok = type_from_value(&arena, &v, &t, &err);
        assert_int_equal(ok, depth < TYPE_DEPTH_MAX);
        if (!ok)
            continue;
        type_print_json(&out, t);
        assert_true(str_equal(buf_view(&out), buf_view(&text)));
    }
}

/* type, JSON in, the JSON that the typed value prints as, its type as HCL, or an error. */
static const struct {
    const char *type, *in;
    bool wrapped;
    const char *out, *type_out, *error;
} applied[] = {
    {"\"string\"", "\"e\\u0301\"", false, "\"\xc3\xa9\"", "string", NULL},
    {"\"number\"", "1.0", false, "1.0", "number", NULL},
    {"\"number\"", "null", false, "null", "number", NULL},
    {"\"string\"", "1", false, NULL, NULL, "want string, got number"},
    {"\"number\"", "\"1\"", false, NULL, NULL, "want number, got string"},
    {"\"bool\"", "[]", false, NULL, NULL, "want bool, got tuple"},
    {"[\"list\",\"number\"]", "[3,1]", false, "[3,1]", "list(number)", NULL},
    {"[\"list\",\"number\"]", "[]", false, "[]", "list(number)", NULL},
    {"[\"list\",\"number\"]", "[null]", false, "[null]", "list(number)", NULL},
    {"[\"list\",\"number\"]", "[1,\"x\"]", false, NULL, NULL, "[1]: want number, got string"},
    {"[\"list\",\"number\"]", "{}", false, NULL, NULL, "want list, got object"},
    {"[\"set\",\"number\"]", "[2,1,2.0,10e-1]", false, "[1,2]", "set(number)", NULL},
    {"[\"set\",\"string\"]", "[\"\\u00e9\",\"e\\u0301\"]", false, "[\"\xc3\xa9\"]", "set(string)",
     NULL},
    {"[\"map\",\"bool\"]", "{\"b\":true,\"a\":null}", false, "{\"a\":null,\"b\":true}", "map(bool)",
     NULL},
    {"[\"map\",\"bool\"]", "{}", false, "{}", "map(bool)", NULL},
    {"[\"map\",\"bool\"]", "{\"x y\":1}", false, NULL, NULL, "[\"x y\"]: want bool, got number"},
    {"[\"map\",\"bool\"]", "{\"e\\u0301\":true,\"f\":false}", false,
     "{\"f\":false,\"\xc3\xa9\":true}", "map(bool)", NULL},
    {"[\"tuple\",[\"bool\",\"string\"]]", "[true,\"x\"]", false, "[true,\"x\"]",
     "tuple([bool, string])", NULL},
    {"[\"tuple\",[\"bool\"]]", "[]", false, NULL, NULL,
     "want as many elements as its tuple type has, got tuple"},
    {"[\"object\",{\"a\":\"string\",\"b\":[\"list\",\"bool\"]}]", "{\"a\":\"x\"}", false,
     "{\"a\":\"x\",\"b\":null}", "object({a=string, b=list(bool)})", NULL},
    {"[\"object\",{\"a\":\"string\"}]", "{\"a\":\"x\",\"c\":1}", false, NULL, NULL,
     "c: want no attribute of that name, got number"},
    {"[\"object\",{\"r\":[\"set\",[\"object\",{\"p\":\"number\"}]]}]", "{\"r\":[{\"p\":{}}]}",
     false, NULL, NULL, "r[0].p: want number, got object"},
    {"\"dynamic\"", "[1,\"x\",[],{},null]", false, "[1,\"x\",[],{},null]",
     "tuple([number, string, tuple([]), object({}), any])", NULL},
    {"\"dynamic\"", "{\"e\\u0301\":\"e\\u0301\"}", false, "{\"\xc3\xa9\":\"\xc3\xa9\"}",
     "object({\"\xc3\xa9\"=string})", NULL},
    {"\"dynamic\"", "{\"value\":[1],\"type\":[\"list\",\"number\"]}", true, "[1]", "list(number)",
     NULL},
    {"\"dynamic\"", "{\"value\":null,\"type\":\"string\"}", true, "null", "string", NULL},
    {"\"dynamic\"", "null", true, "null", "any", NULL},
    {"\"dynamic\"", "5", true, NULL, NULL, "want {\"value\":...,\"type\":...}, got number"},
    {"\"dynamic\"", "{\"value\":1}", true, NULL, NULL,
     "want {\"value\":...,\"type\":...}, got object"},
    {"\"dynamic\"", "{\"value\":1,\"type\":\"string\"}", true, NULL, NULL,
     "want string, got number"},
};

static void values_take_their_type(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof applied / sizeof *applied; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        AUTO_BUF out = {.limit = 1 << 16}, hcl = {.limit = 1 << 16};
        struct jsonw w = {.out = &out};
        struct err err = {0};
        struct value in = json(&arena, applied[i].in), v;
        const struct type *t = type(&arena, applied[i].type);
        bool ok = type_apply(&arena, t, &in, applied[i].wrapped, &v, &err);
        if (ok != !applied[i].error)
            fail_msg("%s as %s: %s", applied[i].in, applied[i].type, err.frame[0]);
        if (!ok) {
            assert_string_equal(err.frame[0], applied[i].error);
            continue;
        }
        jsonw_value(&w, &v);
        type_print_hcl(&hcl, type_of(&arena, &v));
        assert_string_equal(arena_dup(&arena, buf_view(&out)).ptr, applied[i].out);
        assert_string_equal(arena_dup(&arena, buf_view(&hcl)).ptr, applied[i].type_out);
        struct value again; /* a typed value takes its type once more */
        if (!applied[i].wrapped) {
            assert_true(type_apply(&arena, t, &v, false, &again, &err));
            assert_true(value_equal(&v, &again));
        }
    }
}

static void two_keys_that_become_one_are_refused(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct value in = json(&arena, "{\"e\\u0301\":1,\"\\u00e9\":2}"), v;
    const struct type *t = type(&arena, "[\"map\",\"number\"]");
    assert_false(type_apply(&arena, t, &in, false, &v, &err));
    assert_int_equal(err.kind, ERR_SYNTAX);
    assert_false(type_apply(&arena, &type_dynamic, &in, false, &v, &err));
}

static void marks_and_unknowns_stay(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct value items[3] = {value_string(STR("x")), value_unknown(NULL), value_null()}, v;
    items[0].marks = VALUE_SENSITIVE;
    items[2].marks = VALUE_SENSITIVE;
    struct value in = value_items(VALUE_TUPLE, items, 3);
    in.marks = VALUE_DEPRECATED;
    assert_true(type_apply(&arena, type(&arena, "[\"list\",\"string\"]"), &in, false, &v, &err));
    assert_int_equal(v.kind, VALUE_LIST);
    assert_int_equal(v.marks, VALUE_DEPRECATED);
    assert_int_equal(v.items[0].marks, VALUE_SENSITIVE);
    assert_int_equal(v.items[1].kind, VALUE_UNKNOWN);
    assert_ptr_equal(v.items[1].unknown->type, &type_string);
    assert_int_equal(v.items[1].unknown->len_least, -1);
    assert_int_equal(v.items[2].marks, VALUE_SENSITIVE);
    assert_ptr_equal(v.items[2].type, &type_string);
}

static void the_type_of_a_collection_is_what_its_elements_share(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    AUTO_BUF hcl = {.limit = 1 << 16};
    struct value parts[2] = {json(&arena, "{\"a\":null,\"b\":1}"),
                             json(&arena, "{\"a\":\"x\",\"b\":null}")};
    struct value list = value_items(VALUE_LIST, parts, 2);
    type_print_hcl(&hcl, type_of(&arena, &list));
    assert_true(str_equal(buf_view(&hcl), STR("list(object({a=string, b=number}))")));
}

static void a_full_arena_is_an_error(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    const struct type *t =
        type(&arena, "[\"object\",{\"a\":[\"list\",\"string\"],\"b\":\"dynamic\"}]");
    struct value in = json(&arena, "{\"a\":[\"e\\u0301\",\"b\"],\"b\":{\"c\":[1,\"e\\u0301\"]}}");
    bool done = false;
    for (size_t limit = 0; !done; limit += 8) {
        AUTO_ARENA small = {.limit = limit};
        struct err err = {0};
        struct value v;
        done = type_apply(&small, t, &in, false, &v, &err);
        assert_int_equal(err.kind, done ? ERR_NONE : ERR_LIMIT);
        assert_true(limit < 4096);
    }
}

static void depth_is_bounded(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct value *v = arena_new(&arena, struct value, VALUE_DEPTH_MAX + 2), out;
    for (unsigned i = 1; i < VALUE_DEPTH_MAX + 2; i++)
        v[i] = value_items(VALUE_TUPLE, &v[i - 1], 1);
    assert_true(type_apply(&arena, &type_dynamic, &v[VALUE_DEPTH_MAX], false, &out, &err));
    assert_false(type_apply(&arena, &type_dynamic, &v[VALUE_DEPTH_MAX + 1], false, &out, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_non_null(type_of(&arena, &v[VALUE_DEPTH_MAX + 1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_are_read_and_printed),
        cmocka_unit_test(wrong_types_are_refused),
        cmocka_unit_test(type_depth_is_bounded),
        cmocka_unit_test(values_take_their_type),
        cmocka_unit_test(two_keys_that_become_one_are_refused),
        cmocka_unit_test(marks_and_unknowns_stay),
        cmocka_unit_test(the_type_of_a_collection_is_what_its_elements_share),
        cmocka_unit_test(a_full_arena_is_an_error),
        cmocka_unit_test(depth_is_bounded),
    };
    return cmocka_run_group_tests_name("value/type", tests, NULL, NULL);
}

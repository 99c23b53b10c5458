/* test_json_write.c - the escaping writer: bytes out for calls in. */
#include "base/test.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "wire/json.h"

static void quotes_what_must_be_quoted(void **state)
{
    (void)state;
    static const struct {
        struct str in;
        const char *out;
    } rows[] = {
        {STR_INIT(""), "\"\""},
        {STR_INIT("plain"), "\"plain\""},
        {STR_INIT("\"\\/"), "\"\\\"\\\\/\""},
        {STR_INIT("\b\f\n\r\t\x1f\x7f"), "\"\\b\\f\\n\\r\\t\\u001f\x7f\""},
        {STR_INIT("a\0b"), "\"a\\u0000b\""},
        {STR_INIT("\xc3\xa4\xff\xe2\x82"), "\"\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO_BUF buf = {.limit = 1000};
        json_quote(&buf, rows[i].in);
        buf_char(&buf, '\0');
        assert_string_equal(buf.ptr, rows[i].out);
    }
}

static void write_sample(struct jsonw *w)
{
    jsonw_object_open(w);
    jsonw_member_string(w, STR("s"), STR("x"));
    jsonw_member_int(w, STR("i"), -5);
    jsonw_key(w, STR("list"));
    jsonw_array_open(w);
    jsonw_bool(w, true);
    jsonw_null(w);
    jsonw_array_open(w);
    jsonw_array_close(w);
    jsonw_object_open(w);
    jsonw_object_close(w);
    jsonw_array_close(w);
    jsonw_member_bool(w, STR("b"), false);
    jsonw_object_close(w);
}

static void puts_commas_and_indentation(void **state)
{
    (void)state;
    AUTO_BUF flat = {.limit = 1000}, deep = {.limit = 1000};
    write_sample(&(struct jsonw){.out = &flat});
    write_sample(&(struct jsonw){.out = &deep, .indent = 2});
    buf_char(&flat, '\0');
    buf_char(&deep, '\0');
    assert_string_equal(flat.ptr, "{\"s\":\"x\",\"i\":-5,\"list\":[true,null,[],{}],\"b\":false}");
    assert_string_equal(deep.ptr, "{\n  \"s\": \"x\",\n  \"i\": -5,\n  \"list\": [\n    true,\n"
                                  "    null,\n    [],\n    {}\n  ],\n  \"b\": false\n}");
}

static void never_writes_what_is_sensitive_or_unknown(void **state)
{
    (void)state;
    AUTO_BUF buf = {.limit = 1000};
    struct jsonw w = {.out = &buf};
    struct value items[3] = {value_string(STR("secret")), value_unknown(NULL), value_int(1)};
    items[0].marks = VALUE_SENSITIVE;
    struct value list = value_items(VALUE_SET, items, 3);
    jsonw_value(&w, &list);
    buf_char(&buf, '\0');
    assert_string_equal(buf.ptr, "[null,null,1]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_what_must_be_quoted),
        cmocka_unit_test(puts_commas_and_indentation),
        cmocka_unit_test(never_writes_what_is_sensitive_or_unknown),
    };
    return cmocka_run_group_tests_name("wire/json_write", tests, NULL, NULL);
}

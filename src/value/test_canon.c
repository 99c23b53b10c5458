/* test_canon.c - RFC 8785: the reference vectors, and what plumb prints beyond them. */
#include "base/test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "value/canon.h"
#include "value/number.h"
#include "wire/json.h"

static const char *shared(void)
{
    const char *dir = getenv("PLUMB_SHARED");
    return dir ? dir : "../shared";
}

/* The vectors stand outside the repository; with CI=true they must be there. */
static bool have_vectors(const char *path)
{
    const char *ci = getenv("CI");
    if (io_exists(path))
        return true;
    if (ci && strcmp(ci, "true") == 0)
        fail_msg("%s is missing", path);
    print_message("  skipped: %s is missing (set PLUMB_SHARED)\n", path);
    return false;
}

static struct str canon_of(struct arena *arena, struct str json)
{
    char text[1000];
    struct err err = {0};
    struct value v;
    AUTO_BUF out = {.limit = 1 << 20};
    if (!json_parse(arena, json, "test", JSON_DEFAULT, &v, &err) || !canon_print(&out, &v, &err))
        fail_msg("%.*s: %s", STR_ARG(json), err_text(&err, text, sizeof text));
    return arena_dup(arena, buf_view(&out));
}

static void reference_documents(void **state)
{
    (void)state;
    static const char *const names[] = {"arrays",  "french", "structures",
                                        "unicode", "values", "weird"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct err err = {0};
        struct str in, want;
        struct str path = arena_printf(&arena, "%s/vectors/jcs/input/%s.json", shared(), names[i]);
        struct str out = arena_printf(&arena, "%s/vectors/jcs/output/%s.json", shared(), names[i]);
        if (!have_vectors(path.ptr))
            return;
        assert_true(io_read_file(&arena, path.ptr, 1 << 20, &in, &err));
        assert_true(io_read_file(&arena, out.ptr, 1 << 20, &want, &err));
        assert_string_equal(canon_of(&arena, in).ptr, want.ptr);
    }
}

static void reference_numbers(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 8 << 20};
    struct err err = {0};
    struct str text, line;
    size_t n = 0;
    struct str path = arena_printf(&arena, "%s/vectors/jcs/es6-numbers-10000.txt", shared());
    if (!have_vectors(path.ptr))
        return;
    assert_true(io_read_file(&arena, path.ptr, 4 << 20, &text, &err));
    while (text.len) {
        (void)str_cut(&text, '\n', &line);
        struct str hex, want = line;
        AUTO_ARENA small = {.limit = 1 << 13};
        AUTO_BUF out = {.limit = 1 << 13};
        if (!str_cut(&want, ',', &hex))
            continue;
        uint64_t bits = strtoull(hex.ptr, NULL, 16);
        double x;
        memcpy(&x, &bits, sizeof x);
        struct value v = value_number(number_from_double(&small, x));
        assert_true(canon_print(&out, &v, &err));
        if (!str_equal(buf_view(&out), want))
            fail_msg("%.*s gives %.*s", STR_ARG(line), STR_ARG(buf_view(&out)));
        /* and however the double is spelled */
        struct str exact = arena_printf(&small, "%.17g", x);
        buf_consume(&out, out.len);
        v = value_number(exact);
        assert_true(canon_print(&out, &v, &err));
        if (!number_is_integer(&v) && !str_equal(buf_view(&out), want))
            fail_msg("%.*s gives %.*s", STR_ARG(exact), STR_ARG(buf_view(&out)));
        n++;
    }
    assert_int_equal(n, 10000);
}

static void documents(void **state)
{
    (void)state;
    static const struct {
        const char *json, *want;
    } cases[] = {
        {"null", "null"},
        {"[ true , false ]", "[true,false]"},
        {"-0", "0"},
        {"-0.0", "0"},
        {"1.0", "1"},
        {"10e-1", "1"},
        {"1E21", "1e+21"},
        {"100000000000000000000", "100000000000000000000"},
        {"0.000001", "0.000001"},
        {"0.0000001", "1e-7"},
        {"1e-400", "1e-400"},
        {"9007199254740993", "9007199254740993"},       /* no double */
        {"9223372036854775809", "9223372036854775809"}, /* 2^63+1 */
        {"9223372036854775808", "9223372036854775808"}, /* a double, but not its shortest */
        {"9223372036854776000", "9223372036854776000"},
        {"123456789012345678901234567890", "123456789012345678901234567890"},
        {"0.1234567890123456789", "0.1234567890123456789"},
        {"0.3000000000000000000", "0.3"},
        {"1e999999999", "1e+999999999"},
        {"-12.50e1000000", "-1.25e+1000001"},
        {"1e99999999999999999999", "1e99999999999999999999"},
        {"\"\\u0000\\u001f\\b\\t\\n\\f\\r\\\"\\\\\\/\\u20ac\\ud83d\\ude00\\u007f\"",
         "\"\\u0000\\u001f\\b\\t\\n\\f\\r\\\"\\\\/\xe2\x82\xac\xf0\x9f\x98\x80\x7f\""},
        {"{\"b\":1,\"a\":{\"d\":[],\"c\":{}}}", "{\"a\":{\"c\":{},\"d\":[]},\"b\":1}"},
        /* U+FB33 comes behind U+1F600 in UTF-16, before it in UTF-8 */
        {"{\"\\ufb33\":1,\"\\ud83d\\ude00\":2,\"\\u00f6\":3}",
         "{\"\xc3\xb6\":3,\"\xf0\x9f\x98\x80\":2,\"\xef\xac\xb3\":1}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        assert_string_equal(canon_of(&arena, str_from(cases[i].json)).ptr, cases[i].want);
    }
}

static void digests(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct digest a, b;
    struct value x, y;
    char hex[DIGEST_HEX + 1];
    assert_true(json_parse(&arena, STR("{\"b\":[1.0,2],\"a\":null}"), "x", 0, &x, &err));
    assert_true(json_parse(&arena, STR("{\"a\":null,\"b\":[1,2e0]}"), "y", 0, &y, &err));
    assert_true(canon_digest(&x, &a, &err) && canon_digest(&y, &b, &err));
    assert_true(digest_equal(&a, &b));
    digest_hex(&a, hex); /* sha256sum of {"a":null,"b":[1,2]} */
    assert_string_equal(hex, "ee743f2fa2570a1b5e3270cc405d0456b983ba03ab9cb27552fc6c1a720183c7");
    assert_true(canon_digest_keyed(STR("k"), &x, &b, &err));
    assert_false(digest_equal(&a, &b));
}

static void depth_is_bounded(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    AUTO_BUF out = {.limit = 1 << 20};
    struct err err = {0};
    struct value *v = arena_new(&arena, struct value, VALUE_DEPTH_MAX + 2);
    for (unsigned i = 1; i < VALUE_DEPTH_MAX + 2; i++)
        v[i] = value_items(VALUE_TUPLE, &v[i - 1], 1);
    assert_true(canon_print(&out, &v[VALUE_DEPTH_MAX], &err));
    assert_false(canon_print(&out, &v[VALUE_DEPTH_MAX + 1], &err));
    assert_int_equal(err.kind, ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_documents), cmocka_unit_test(reference_numbers),
        cmocka_unit_test(documents),           cmocka_unit_test(digests),
        cmocka_unit_test(depth_is_bounded),
    };
    return cmocka_run_group_tests_name("value/canon", tests, NULL, NULL);
}

/* test_path.c - paths: reading, printing, order, patterns, and what they lead to. */
#include "base/test.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "value/path.h"
#include "value/value.h"
#include "wire/json.h"

static struct path parse(struct arena *arena, const char *text)
{
    struct err err = {0};
    struct path path = {0};
    if (!path_parse(arena, str_from(text), &path, &err))
        fail_msg("%s: %s", text, err.frame[0]);
    return path;
}

static void what_is_read_is_printed(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want; /* NULL: the same */
    } cases[] = {
        {"", NULL},
        {"a", NULL},
        {"_a-b9", NULL},
        {"ingress[0].cidr_blocks", NULL},
        {"tags[\"a.b\"]", NULL},
        {"[0]", NULL},
        {"[\"\"]", NULL},
        {"[\"a b\"].c", NULL},
        {"rule[*].port", NULL},
        {"a[9223372036854775807]", NULL},
        {"a[0][1][*][\"x y\"].z", NULL},
        {"tags[\"kubernetes.io/name\"]", NULL},
        {"[\"q\\\"b\\\\s\\n\\u0001\"]", NULL},
        {"[\"\xc3\xa9\"]", NULL},
        {"[\"1a\"]", NULL},
        {"[\"a\"]", "a"},
        {"x[\"a\"]", "x.a"},
        {"[\"\\u0061\\/\"]", "[\"a/\"]"},
        {"[\"\\ud83d\\ude00\"]", "[\"\xf0\x9f\x98\x80\"]"},
        {"tags.*", "tags[\"*\"]"},
        {"tags.kube?", "tags[\"kube?\"]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 16};
        struct path path = parse(&arena, cases[i].text);
        struct str printed = path_text(&arena, path);
        assert_string_equal(printed.ptr, cases[i].want ? cases[i].want : cases[i].text);
        assert_true(path_equal(parse(&arena, printed.ptr), path));
    }
}

static void wrong_paths_name_the_byte(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {".a", "path: a name is missing at byte 1"},
        {"a.", "path: a name is missing at byte 3"},
        {"a..b", "path: a name is missing at byte 3"},
        {"a b", "path: . or [ is missing at byte 2"},
        {"a[0]b", "path: . or [ is missing at byte 5"},
        {"1a", "path: a name is missing at byte 1"},
        {"a[", "path: an index, a quoted key or * is missing at byte 3"},
        {"a[]", "path: an index, a quoted key or * is missing at byte 3"},
        {"a[-1]", "path: an index, a quoted key or * is missing at byte 3"},
        {"a[01]", "path: an index, a quoted key or * is missing at byte 3"},
        {"a[9223372036854775808]", "path: an index, a quoted key or * is missing at byte 3"},
        {"a[0", "path: ] is missing at byte 4"},
        {"a[0x]", "path: ] is missing at byte 4"},
        {"a[*", "path: ] is missing at byte 4"},
        {"a[\"b", "path: a quote is not closed at byte 4"},
        {"a[\"b\\\"]", "path: a quote is not closed at byte 4"},
        {"a[\"b\\", "path: a quote is not closed at byte 4"},
        {"a[\"b\"", "path: ] is missing at byte 6"},
        {"a[\"\\x\"]", "path: an unknown escape at byte 5"},
        {"a[\"\\u12\"]", "path: a broken \\u escape at byte 6"},
        {"a[\"\\ud83d\"]", "path: a broken \\u escape at byte 10"},
        {"a[\"\\udc00\"]", "path: a broken \\u escape at byte 10"},
        {"a[\"b\n\"]", "path: a control character at byte 5"},
        {"a[\"\xff\"]", "path: not UTF-8 at byte 4"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 16};
        struct err err = {0};
        struct path path;
        assert_false(path_parse(&arena, str_from(cases[i].text), &path, &err));
        assert_string_equal(err.frame[0], cases[i].says);
        assert_int_equal(err.kind, ERR_SYNTAX);
    }
}

static void steps_are_bounded(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    AUTO_BUF text = {.limit = 1 << 20};
    struct err err = {0};
    struct path path;
    for (unsigned i = 0; i < PATH_STEPS_MAX; i++)
        buf_str(&text, STR("[0]"));
    assert_true(path_parse(&arena, buf_view(&text), &path, &err));
    assert_int_equal(path.n, PATH_STEPS_MAX);
    buf_str(&text, STR(".a"));
    assert_false(path_parse(&arena, buf_view(&text), &path, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    AUTO_ARENA tiny = {.limit = 16};
    assert_false(path_parse(&tiny, STR("a.b"), &path, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
}

static void order_is_by_step(void **state)
{
    (void)state;
    static const char *const sorted[] = {"",     "a",      "a.b", "a.b.c", "a[2]", "a[10]",
                                         "a[*]", "a[*].a", "b",   "[0]",   "[*]"};
    AUTO_ARENA arena = {.limit = 1 << 20};
    enum { N = sizeof sorted / sizeof *sorted };
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            int got = path_compare(parse(&arena, sorted[i]), parse(&arena, sorted[j]));
            assert_int_equal((got > 0) - (got < 0), (i > j) - (i < j));
            assert_int_equal(path_equal(parse(&arena, sorted[i]), parse(&arena, sorted[j])),
                             i == j);
        }
    assert_true(path_starts(parse(&arena, "a.b[0]"), parse(&arena, "a.b")));
    assert_true(path_starts(parse(&arena, "a.b"), parse(&arena, "")));
    assert_false(path_starts(parse(&arena, "a.b"), parse(&arena, "a.b[0]")));
    assert_false(path_starts(parse(&arena, "a.bc"), parse(&arena, "a.b")));
}

static void patterns_cover_what_is_below(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *path;
        bool covered;
    } cases[] = {
        {"tags", "tags.owner", true},
        {"tags", "tags", true},
        {"", "anything", true},
        {"tags.*", "tags.owner", true},
        {"tags.*", "tags[\"a.b\"]", true},
        {"tags.*", "tags", false},
        {"tags.*", "other.owner", false},
        {"tags.kube*", "tags.kubernetes", true},
        {"tags.kube*", "tags.owner", false},
        {"tags[\"kubernetes.io/*\"]", "tags[\"kubernetes.io/name\"]", true},
        {"tags.own?r", "tags.owner", true},
        {"ingress[*].description", "ingress[3].description", true},
        {"ingress[*].description", "ingress[*].description", true},
        {"ingress[*].description", "ingress.k.description", true},
        {"ingress[0].description", "ingress[1].description", false},
        {"ingress[0]", "ingress[0].port", true},
        {"*", "name", true},
        {"[\"a\\\\*\"]", "[\"a*\"]", true}, /* an escaped star is a star */
        {"[\"a\\\\*\"]", "ab", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 16};
        if (path_covered(parse(&arena, cases[i].pattern), parse(&arena, cases[i].path)) !=
            cases[i].covered)
            fail_msg("%s and %s", cases[i].pattern, cases[i].path);
    }
}

static void paths_lead_to_nodes(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 16};
    struct err err = {0};
    struct value root;
    assert_true(json_parse(&arena, STR("{\"a\":[{\"b c\":7},null]}"), "x", 0, &root, &err));
    const struct value *hit = path_find(&root, parse(&arena, "a[0][\"b c\"]"));
    assert_non_null(hit);
    assert_int_equal(hit->integer, 7);
    assert_int_equal(path_find(&root, parse(&arena, "a[1]"))->kind, VALUE_NULL);
    assert_ptr_equal(path_find(&root, parse(&arena, "")), &root);
    static const char *const nowhere[] = {"b", "a[2]", "a.b", "a[*]", "[0]", "a[1].x", "a[0].b"};
    for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++)
        assert_null(path_find(&root, parse(&arena, nowhere[i])));
    struct value item = value_int(1), set = value_items(VALUE_SET, &item, 1);
    assert_null(path_find(&set, parse(&arena, "[0]")));
}

static void links_become_paths(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 16};
    AUTO_BUF text = {.limit = 1 << 16};
    struct path path;
    struct path_link a = path_link_key(NULL, STR("a")), b = path_link_index(&a, 3),
                     c = path_link_key(&b, STR("c d"));
    assert_true(path_from_link(&arena, &c, &path));
    assert_string_equal(path_text(&arena, path).ptr, "a[3][\"c d\"]");
    path_print_link(&text, &c);
    assert_true(str_equal(buf_view(&text), STR("a[3][\"c d\"]")));
    assert_true(path_from_link(&arena, NULL, &path));
    assert_int_equal(path.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_is_printed),
        cmocka_unit_test(wrong_paths_name_the_byte),
        cmocka_unit_test(steps_are_bounded),
        cmocka_unit_test(order_is_by_step),
        cmocka_unit_test(patterns_cover_what_is_below),
        cmocka_unit_test(paths_lead_to_nodes),
        cmocka_unit_test(links_become_paths),
    };
    return cmocka_run_group_tests_name("value/path", tests, NULL, NULL);
}

/* test_yaml.c - YAML: values, places, aliases and merges, and what must be refused. */
#include "base/test.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "value/path.h"
#include "wire/json.h"
#include "wire/yaml.h"

static struct str to_json(struct arena *arena, const struct value *v)
{
    AUTO_BUF out = {.limit = 1 << 20};
    struct jsonw w = {.out = &out};
    jsonw_value(&w, v);
    return arena_dup(arena, buf_view(&out));
}

static const struct {
    const char *yaml, *json;
} cases[] = {
    {"", "null"},
    {"# nothing\n", "null"},
    {"a", "\"a\""},
    {"a: 1\nb: [x, 2.50, {c: ~}]\n", "{\"a\":1,\"b\":[\"x\",2.50,{\"c\":null}]}"},
    {"\xef\xbb\xbf"
     "a: 1\r\nb: 2\r\n",
     "{\"a\":1,\"b\":2}"},
    {"b: 1\na: 2\n", "{\"a\":2,\"b\":1}"},
    {"[~, null, Null, NULL, '', nULL]", "[null,null,null,null,\"\",\"nULL\"]"},
    {"a:\nb:\n", "{\"a\":null,\"b\":null}"},
    {"[true, True, TRUE, false, False, FALSE, tRUE]",
     "[true,true,true,false,false,false,\"tRUE\"]"},
    {"[yes, no, on, off, y, n]", "[\"yes\",\"no\",\"on\",\"off\",\"y\",\"n\"]"},
    {"[0, -0, +1, 007, -012, 0o17, 0x1F, 0xffffffffffffffffff]",
     "[0,-0,1,7,-12,15,31,4722366482869645213695]"},
    {"[1., .5, -.5, +1.5e3, 1e400, 1.e2, 00.5]", "[1.0,0.5,-0.5,1.5e3,1e400,1.0e2,0.5]"},
    {"[123456789012345678901234567890]", "[123456789012345678901234567890]"},
    {"[1_000, 0b1, 0x, 0o8, '1', \"2\", 1.2.3, 1e, ., +, -, ..5, 12:30:45, 2024-01-01]",
     "[\"1_000\",\"0b1\",\"0x\",\"0o8\",\"1\",\"2\",\"1.2.3\",\"1e\",\".\",\"+\",\"-\",\"..5\","
     "\"12:30:45\",\"2024-01-01\"]"},
    {"[!!str 1, !!int '5', !!float 1, !!bool 'true', !!null '', !!str , !!binary aGk=]",
     "[\"1\",5,1,true,null,\"\",\"aGk=\"]"},
    {"!!map {a: !!seq [1]}", "{\"a\":[1]}"},
    {"{1: a, true: b, ~: c, 1.50: d, 'x y': e}",
     "{\"1\":\"a\",\"1.50\":\"d\",\"true\":\"b\",\"x y\":\"e\",\"~\":\"c\"}"},
    {"a: |\n  one\n  two\nb: >-\n  one\n  two\n", "{\"a\":\"one\\ntwo\\n\",\"b\":\"one two\"}"},
    {"\"\\u00e9\\x41\\n\\/\"", "\"\xc3\xa9"
                               "A\\n/\""},
    {"{\"a\": \"\\ud83d\\ude00\"}", "{\"a\":\"\xf0\x9f\x98\x80\"}"}, /* JSON, not for libyaml */
    /* aliases and merges */
    {"a: &x [1, 2]\nb: *x\n", "{\"a\":[1,2],\"b\":[1,2]}"},
    {"a: &x 1\nb: *x\nc: &x 2\nd: *x\n", "{\"a\":1,\"b\":1,\"c\":2,\"d\":2}"},
    {"&k key: 1\nother: *k\n", "{\"key\":1,\"other\":\"key\"}"},
    {"a: &k key\n*k : 1\n", "{\"a\":\"key\",\"key\":1}"},
    {"d: &d {a: 1, b: 2}\ne:\n  <<: *d\n  b: 3\n  c: 4\n",
     "{\"d\":{\"a\":1,\"b\":2},\"e\":{\"a\":1,\"b\":3,\"c\":4}}"},
    {"e:\n  b: 3\n  <<: {a: 1, b: 2}\n", "{\"e\":{\"a\":1,\"b\":3}}"},
    {"x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz:\n  <<: [*x, *y, {d: 3, a: 3}]\n",
     "{\"x\":{\"a\":1,\"b\":1},\"y\":{\"b\":2,\"c\":2},\"z\":{\"a\":1,\"b\":1,\"c\":2,\"d\":3}}"},
    {"x: &x {a: 1}\ny: &y {<<: *x, b: 2}\nz: {<<: *y}\n",
     "{\"x\":{\"a\":1},\"y\":{\"a\":1,\"b\":2},\"z\":{\"a\":1,\"b\":2}}"},
    {"x: &x {}\ny: {<<: *x, a: 1}\n", "{\"x\":{},\"y\":{\"a\":1}}"},
    {"'<<': 1", "{\"<<\":1}"},
};

static void documents_become_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct err err = {0};
        struct yaml_doc doc;
        if (!yaml_parse_one(&arena, str_from(cases[i].yaml), "f.yaml", YAML_DEFAULT, &doc, &err))
            fail_msg("%s: %s", cases[i].yaml, err.frame[0]);
        assert_string_equal(to_json(&arena, &doc.root).ptr, cases[i].json);
    }
}

static void version_1_1_is_as_kubectl_reads(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct yaml_doc doc;
    const char *text = "y: [yes, No, ON, off, y, N, nO]\nn: [0644, -0755, 0b101, 1_000, 1_0.5_0, "
                       "08, 0X1f, _1, 0o17]\n";
    assert_true(yaml_parse_one(&arena, str_from(text), "f.yaml", YAML_V1_1_BOOLS, &doc, &err));
    assert_string_equal(to_json(&arena, &doc.root).ptr,
                        "{\"false\":[420,-493,5,1000,10.50,8,31,\"_1\",15],"
                        "\"true\":[true,false,true,false,true,false,\"nO\"]}");
}

static void tags_that_are_unknown_may_be_passed_over(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct yaml_doc doc;
    const char *text = "a: !Ref x\nb: !Join [1]\nc: !X {a: 1}\nd: !Ref 3\ne: !!int '3'\n";
    assert_true(yaml_parse_one(&arena, str_from(text), "f.yaml", YAML_ANY_TAG, &doc, &err));
    assert_string_equal(to_json(&arena, &doc.root).ptr,
                        "{\"a\":\"x\",\"b\":[1],\"c\":{\"a\":1},\"d\":\"3\",\"e\":3}");
    assert_false(yaml_parse_one(&arena, str_from(text), "f.yaml", YAML_DEFAULT, &doc, &err));
}

static void wrong_input_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *says;
        enum err_kind kind;
    } wrong[] = {
        {"a: 1\nb: 2\na: 3\n", "f:3:1: duplicate key \"a\", first at 1:1", ERR_SYNTAX},
        {"{a: 1, 'a': 2}", "f:1:8: duplicate key \"a\", first at 1:2", ERR_SYNTAX},
        {"x:\n  - {b: 1, a: 1, b: 2, a: 2}\n", "f:2:24: duplicate key \"a\", first at 2:12",
         ERR_SYNTAX},
        {"a: *x\n", "f:1:4: there is no anchor of that name: *x", ERR_SYNTAX},
        {"a: &x 1\nb: *y\n", "f:2:4: there is no anchor of that name: *y", ERR_SYNTAX},
        {"a: &x [1, *x]\n", "f:1:11: an alias inside of what it stands for: *x", ERR_SYNTAX},
        {"a: &x\n  b: *x\n", "f:2:6: an alias inside of what it stands for: *x", ERR_SYNTAX},
        {"a: &x 1\nb: &x [*x]\n", "f:2:8: an alias inside of what it stands for: *x", ERR_SYNTAX},
        {"? [a]\n: 1\n", "f:1:3: a key that is no scalar", ERR_SYNTAX},
        {"? {a: 1}\n: 1\n", "f:1:3: a key that is no scalar (a template {{ }}? render it before)",
         ERR_SYNTAX},
        {"a: {{ .Values.x }}\n",
         "f:1:5: a key that is no scalar (a template {{ }}? render it before)", ERR_SYNTAX},
        {"a: &x [1]\n*x : 1\n", "f:2:1: a key that is no scalar", ERR_SYNTAX},
        {"a: {<<: 1}\n", "f:1:9: << wants a mapping or a list of mappings", ERR_SYNTAX},
        {"a: {<<: [1]}\n", "f:1:10: << wants a mapping or a list of mappings", ERR_SYNTAX},
        {"a: !Ref x\n", "f:1:4: unknown tag !Ref", ERR_SYNTAX},
        {"a: !Join [x]\n", "f:1:4: unknown tag !Join", ERR_SYNTAX},
        {"a: !X {}\n", "f:1:4: unknown tag !X", ERR_SYNTAX},
        {"a: !!int x\n", "f:1:4: the value does not fit its tag", ERR_SYNTAX},
        {"a: !!int 1.5\n", "f:1:4: the value does not fit its tag", ERR_SYNTAX},
        {"a: !!bool 1\n", "f:1:4: the value does not fit its tag", ERR_SYNTAX},
        {"a: .inf\n", "f:1:4: .inf is no number that JSON knows", ERR_SYNTAX},
        {"a: [-.Inf]\n", "f:1:5: -.Inf is no number that JSON knows", ERR_SYNTAX},
        {"a: .nan\n", "f:1:4: .nan is no number that JSON knows", ERR_SYNTAX},
        {"a: \"b\n", "f:1:4: while scanning a quoted scalar: found unexpected end of stream",
         ERR_SYNTAX},
        {"a: [1, 2\n", "f:1:4: while parsing a flow sequence: did not find expected ',' or ']'",
         ERR_SYNTAX},
        {"a: 1\n b: 2\nc: 3\n", "f:2:3: mapping values are not allowed in this context",
         ERR_SYNTAX},
        {"a:\n\t- 1\n", "f:2:1: found character that cannot start any token", ERR_SYNTAX},
        {"\xc3\xa9\xc3\xa9: {a: 1, a: 2}", "f:1:12: duplicate key \"a\", first at 1:6",
         ERR_SYNTAX}, /* columns are characters */
        {"ok: 1\nbad: \"\xff\"\n", "f:2:7: invalid leading UTF-8 octet", ERR_SYNTAX},
        {"a: \"\\ud83d\\ude00\"\n", "f:1:7: found invalid Unicode character escape code",
         ERR_SYNTAX},
        {"a: 1\n---\nb: 2\n", "f:3:1: a second document; one is wanted", ERR_SYNTAX},
        {"{\"a\": 1, \"a\": 2}", "f:1:10: duplicate key \"a\", first at 1:2", ERR_SYNTAX},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct err err = {0};
        struct yaml_doc doc;
        if (yaml_parse_one(&arena, str_from(wrong[i].yaml), "f", YAML_DEFAULT, &doc, &err))
            fail_msg("%s", wrong[i].yaml);
        if (strncmp(err.frame[0], wrong[i].says, strlen(wrong[i].says)) != 0)
            fail_msg("%s: %s, not %s", wrong[i].yaml, err.frame[0], wrong[i].says);
        assert_int_equal(err.kind, wrong[i].kind);
    }
}

static void every_node_has_its_place(void **state)
{
    (void)state;
    static const char text[] = "# first\n"
                               "name: x\n"
                               "base: &base\n"
                               "  port: 1\n"
                               "  list: [a, b]\n"
                               "rules:\n"
                               "  - port: 2\n"
                               "    more: {deep: [1, {x: y}]}\n"
                               "  - *base\n"
                               "  - <<: *base\n"
                               "    port: 3\n";
    static const struct {
        const char *path;
        unsigned line, column, key_line, key_column;
    } places[] = {
        {"", 2, 1, 0, 0},
        {"name", 2, 7, 2, 1},
        {"base", 3, 7, 3, 1},
        {"base.port", 4, 9, 4, 3},
        {"base.list", 5, 9, 5, 3},
        {"base.list[1]", 5, 13, 0, 0},
        {"rules", 7, 3, 6, 1},
        {"rules[0]", 7, 5, 0, 0},
        {"rules[0].port", 7, 11, 7, 5},
        {"rules[0].more.deep[1].x", 8, 26, 8, 23},
        {"rules[1]", 9, 5, 0, 0},      /* where the alias stands */
        {"rules[1].port", 4, 9, 4, 3}, /* where it was written */
        {"rules[2].list[0]", 5, 10, 0, 0},
        {"rules[2].list", 5, 9, 5, 3},
        {"rules[2].port", 11, 11, 11, 5},
    };
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct yaml_doc doc;
    assert_true(yaml_parse_one(&arena, STR(text), "f", YAML_DEFAULT, &doc, &err));
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct path path;
        assert_true(path_parse(&arena, str_from(places[i].path), &path, &err));
        const struct value *node = path_find(&doc.root, path);
        assert_non_null(node);
        struct place at = yaml_place(&doc, node), key = yaml_key_place(&doc, node);
        if (at.line != places[i].line || at.column != places[i].column ||
            key.line != places[i].key_line || key.column != places[i].key_column)
            fail_msg("%s: %u:%u, key %u:%u", places[i].path, at.line, at.column, key.line,
                     key.column);
    }
    struct value stranger = doc.root;
    assert_int_equal(yaml_place(&doc, &stranger).line, 0);
    assert_int_equal(yaml_key_place(&doc, &stranger).line, 0);
    assert_int_equal(yaml_place(&doc, NULL).line, 0);
}

static void streams_have_documents(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct yaml_doc *docs;
    size_t n;
    assert_true(yaml_parse(&arena, STR("a: &x 1\n---\n# empty\n---\n- b\n...\n---\nc: 2\n"), "f",
                           YAML_DEFAULT, &docs, &n, &err));
    assert_int_equal(n, 4);
    assert_string_equal(to_json(&arena, &docs[0].root).ptr, "{\"a\":1}");
    assert_string_equal(to_json(&arena, &docs[1].root).ptr, "null");
    assert_string_equal(to_json(&arena, &docs[2].root).ptr, "[\"b\"]");
    assert_int_equal(yaml_place(&docs[2], &docs[2].root.items[0]).line, 5);
    assert_int_equal(yaml_place(&docs[3], &docs[2].root.items[0]).line, 0);
    /* an anchor ends with its document */
    assert_false(
        yaml_parse(&arena, STR("a: &x 1\n---\nb: *x\n"), "f", YAML_DEFAULT, &docs, &n, &err));
}

static bool parses(struct str text, struct err *err)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct yaml_doc doc;
    *err = (struct err){0};
    return yaml_parse_one(&arena, text, "f", YAML_DEFAULT, &doc, err);
}

static void bombs_are_refused(void **state)
{
    (void)state;
    struct err err;
    AUTO_BUF text = {.limit = 1 << 20}, merged = {.limit = 1 << 20}, bytes = {.limit = 1 << 20};
    /* a billion laughs: 9 levels of 9 aliases */
    buf_str(&text, STR("a0: &a0 [x,x,x,x,x,x,x,x,x]\n"));
    for (int i = 1; i < 9; i++) {
        buf_printf(&text, "a%d: &a%d [", i, i);
        for (int k = 0; k < 9; k++)
            buf_printf(&text, "*a%d,", i - 1);
        buf_str(&text, STR("]\n"));
    }
    assert_false(parses(buf_view(&text), &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    /* the same hidden behind merges */
    buf_str(&merged, STR("a0: &a0 {x: [1,2,3,4,5,6,7,8,9]}\n"));
    for (int i = 1; i < 9; i++) {
        buf_printf(&merged, "b%d: &b%d {<<: *a%d}\na%d: &a%d {", i, i, i - 1, i, i);
        for (int k = 0; k < 9; k++)
            buf_printf(&merged, "k%d: *b%d,", k, i);
        buf_str(&merged, STR("}\n"));
    }
    assert_false(parses(buf_view(&merged), &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    /* one long string many times */
    buf_str(&bytes, STR("a: &a "));
    for (int i = 0; i < 10000; i++)
        buf_char(&bytes, 'x');
    buf_str(&bytes, STR("\nb: ["));
    for (int i = 0; i < 1000; i++)
        buf_str(&bytes, STR("*a,"));
    buf_str(&bytes, STR("]\n"));
    assert_false(parses(buf_view(&bytes), &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_non_null(strstr(err.frame[0], "aliases make more than 10 times the file"));
}

static void depth_is_bounded(void **state)
{
    (void)state;
    static const char *const opens[] = {"[", "{a: ", "- ", "&x [", "? "};
    for (size_t o = 0; o < sizeof opens / sizeof *opens; o++)
        for (int depth = YAML_DEPTH_MAX; depth <= 20000; depth *= 10) {
            struct err err;
            AUTO_BUF text = {.limit = 1 << 20};
            for (int i = 0; i < depth + 1; i++)
                buf_str(&text, str_from(opens[o]));
            assert_false(parses(buf_view(&text), &err) && o != 2);
            assert_true(o == 4 || err.kind == ERR_LIMIT);
        }
    /* aliases nest too */
    struct err err;
    AUTO_BUF text = {.limit = 1 << 20};
    buf_str(&text, STR("a0: &a0 []\n"));
    for (int i = 1; i < 300; i++)
        buf_printf(&text,
                   "a%d: &a%d [*a%d] # ............................................."
                   "....................................................................\n",
                   i, i, i - 1);
    assert_false(parses(buf_view(&text), &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_non_null(strstr(err.frame[0], "nested deeper than 200"));
}

static void truncations_are_survived(void **state)
{
    (void)state;
    static const char text[] = "a: &x {b: [1, 'c', \"d\\n\"], e: |\n  f\n}\nx: *x\ny:\n  <<: *x\n";
    for (size_t n = 0; n < sizeof text; n++) {
        struct err err;
        char *copy = test_malloc(n ? n : 1);
        memcpy(copy, text, n);
        bool ok = parses((struct str){copy, n}, &err);
        test_free(copy);
        assert_int_equal(ok, err.kind == ERR_NONE);
    }
}

static void many_anchors_and_members_take_linear_time(void **state)
{
    (void)state;
    struct err err;
    AUTO_BUF text = {.limit = 64 << 20};
    for (int i = 0; i < 20000; i++)
        buf_printf(&text, "k%d: &a%d {x: %d}\nl%d: *a%d\n", i, i, i, i, i);
    if (!parses(buf_view(&text), &err))
        fail_msg("%s", err.frame[0]);
}

static void a_full_arena_is_an_error(void **state)
{
    (void)state;
    bool done = false;
    for (size_t limit = 0; !done; limit += 64) {
        AUTO_ARENA arena = {.limit = limit};
        struct err err = {0};
        struct yaml_doc doc;
        done = yaml_parse_one(&arena, STR("a: &x [1, b, 0x1f]\nb: {<<: {c: *x}, d: .5}\n"), "f",
                              YAML_DEFAULT, &doc, &err);
        assert_int_equal(err.kind, done ? ERR_NONE : ERR_LIMIT);
        assert_true(limit < 1 << 16);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_become_values),
        cmocka_unit_test(version_1_1_is_as_kubectl_reads),
        cmocka_unit_test(tags_that_are_unknown_may_be_passed_over),
        cmocka_unit_test(wrong_input_is_refused_with_its_place),
        cmocka_unit_test(every_node_has_its_place),
        cmocka_unit_test(streams_have_documents),
        cmocka_unit_test(bombs_are_refused),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(truncations_are_survived),
        cmocka_unit_test(many_anchors_and_members_take_linear_time),
        cmocka_unit_test(a_full_arena_is_an_error),
    };
    return cmocka_run_group_tests_name("wire/yaml", tests, NULL, NULL);
}

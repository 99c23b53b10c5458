/* test_value.c - keys, members, lookups, equality, order, hash, sets and copies. */
#include "base/test.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "value/type.h"
#include "value/value.h"
#include "wire/json.h"

static struct value json(struct arena *arena, const char *text)
{
    struct err err = {0};
    struct value v;
    if (!json_parse(arena, str_from(text), "test", JSON_DEFAULT, &v, &err))
        fail_msg("%s: %s", text, err.frame[0]);
    return v;
}

static void keys_are_interned(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 8 << 20};
    struct key_table table;
    const struct value_key *key[5000];
    char text[20];
    key_table_init(&table, &arena, 42);
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(text, sizeof text, "key%d", i);
        key[i] = key_intern(&table, str_from(text));
        assert_string_equal(key[i]->text, text);
        assert_int_equal(key[i]->len, strlen(text));
    }
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(text, sizeof text, "key%d", i);
        assert_ptr_equal(key_intern(&table, str_from(text)), key[i]);
    }
    assert_int_equal(table.n, 5000);
    assert_ptr_equal(key_intern(&table, STR("")), key_intern(&table, (struct str){0}));
    assert_ptr_not_equal(key_intern(&table, STR("a\0b")), key_intern(&table, STR("a\0c")));
    assert_true(key_equal(key_make(&arena, STR("key7")), key[7]));
    assert_false(key_equal(key[8], key[7]));
    AUTO_ARENA none = {0};
    key_table_init(&table, &none, 0);
    assert_null(key_intern(&table, STR("a")));
    assert_null(key_make(&none, STR("a")));
}

static void members_are_sorted_and_unique(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 16};
    struct err err = {0};
    static const char *const names[] = {"b", "a", "ab", "", "\xc3\xa9", "B"};
    static const char *const sorted[] = {"", "B", "a", "ab", "b", "\xc3\xa9"};
    struct value_member members[6];
    struct value v;
    for (int i = 0; i < 6; i++)
        members[i] = (struct value_member){key_make(&arena, str_from(names[i])), value_int(i)};
    assert_true(value_members(VALUE_MAP, members, 6, &v, NULL, &err));
    assert_int_equal(v.kind, VALUE_MAP);
    for (int i = 0; i < 6; i++) {
        assert_string_equal(v.members[i].key->text, sorted[i]);
        const struct value *hit = value_get(&v, str_from(names[i]));
        assert_non_null(hit);
        assert_int_equal(hit->integer, i);
    }
    assert_null(value_get(&v, STR("c")));
    assert_null(value_get(&v, STR("aa")));
    assert_null(value_get(NULL, STR("a")));
    assert_null(value_get(&v.members[0].value, STR("a")));

    const struct value_key *twice = NULL;
    struct value before = v;
    members[3].key = members[1].key;
    assert_false(value_members(VALUE_OBJECT, members, 6, &v, &twice, &err));
    assert_string_equal(err.frame[0], "duplicate key \"B\"");
    assert_string_equal(twice->text, "B");
    assert_memory_equal(&v, &before, sizeof v); /* untouched */
    assert_true(value_members(VALUE_OBJECT, NULL, 0, &v, NULL, &err));
    assert_int_equal(v.len, 0);
    assert_null(v.members);
}

static void typed_lookups_fall_back(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 16};
    int64_t n = 7;
    struct value v = json(&arena, "{\"s\":\"x\",\"b\":true,\"n\":1e2,\"f\":1.5,\"z\":null}");
    assert_true(str_equal(value_get_string(&v, STR("s")), STR("x")));
    assert_null(value_get_string(&v, STR("b")).ptr);
    assert_null(value_get_string(&v, STR("none")).ptr);
    assert_true(value_get_bool(&v, STR("b"), false));
    assert_true(value_get_bool(&v, STR("s"), true));
    assert_false(value_get_bool(&v, STR("none"), false));
    assert_true(value_to_int64(value_get(&v, STR("n")), &n) && n == 100);
    assert_false(value_to_int64(value_get(&v, STR("f")), &n));
    assert_false(value_to_int64(value_get(&v, STR("s")), &n));
    assert_false(value_to_int64(NULL, &n));
    assert_int_equal(n, 100);
    assert_string_equal(value_kind_name(VALUE_NULL), "null");
    assert_string_equal(value_kind_name(VALUE_UNKNOWN), "unknown");
    assert_string_equal(value_kind_name(VALUE_KIND_COUNT), "invalid");
}

/* In the order of value_compare; each equals itself only. */
static const char *const ordered[] = {
    "null",
    "false",
    "true",
    "-1",
    "0",
    "0.5",
    "1",
    "1e400",
    "\"\"",
    "\"a\"",
    "\"aa\"",
    "\"b\"",
    "\"\xc3\xa9\"",
    "[]",
    "[null]",
    "[1]",
    "[1,1]",
    "[1,2]",
    "[2]",
    "{}",
    "{\"a\":1}",
    "{\"a\":1,\"b\":0}",
    "{\"a\":2}",
    "{\"b\":0}",
};
enum { ORDERED = sizeof ordered / sizeof *ordered };

static void order_equality_and_hash_agree(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    for (int i = 0; i < ORDERED; i++)
        for (int j = 0; j < ORDERED; j++) {
            struct value a = json(&arena, ordered[i]), b = json(&arena, ordered[j]);
            int got = value_compare(&a, &b);
            if ((got > 0) - (got < 0) != (i > j) - (i < j))
                fail_msg("%s against %s: %d", ordered[i], ordered[j], got);
            assert_int_equal(value_equal(&a, &b), i == j);
            assert_int_equal(value_hash(&a, 1) == value_hash(&b, 1), i == j);
            a.marks = VALUE_SENSITIVE;
            assert_int_equal(value_equal(&a, &b), i == j);
        }
}

static void kinds_must_match(void **state)
{
    (void)state;
    struct value one = value_int(1);
    for (int a = VALUE_LIST; a <= VALUE_SET; a++)
        for (int b = VALUE_LIST; b <= VALUE_SET; b++) {
            struct value x = value_items((enum value_kind)a, &one, 1);
            struct value y = value_items((enum value_kind)b, &one, 1);
            assert_int_equal(value_equal(&x, &y), a == b);
        }
    struct value map = value_items(VALUE_MAP, NULL, 0), object = value_items(VALUE_OBJECT, NULL, 0);
    assert_false(value_equal(&map, &object));
    struct value empty = value_items(VALUE_LIST, NULL, 0), null = value_null();
    assert_false(value_equal(&empty, &null));
    /* whatever type an empty one or a null carries */
    struct value typed = empty;
    typed.type = (const struct type *)(const void *)&one;
    assert_true(value_equal(&empty, &typed));
}

static void spellings_do_not_matter(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct value a = json(&arena, "{\"x\":[1.0,-0,1e2,\"\\u00e9\"],\"y\":{\"z\":5}}");
    struct value b = json(&arena, "{\"y\":{\"z\":5.0},\"x\":[1,0,100,\"\xc3\xa9\"]}");
    assert_true(value_equal(&a, &b));
    assert_int_equal(value_compare(&a, &b), 0);
    assert_int_equal(value_hash(&a, 3), value_hash(&b, 3));
}

static void sets_are_normalised(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct value v = json(&arena, "[3,1,\"a\",1.0,[2],3,null,[2],\"a\",10e-1]");
    struct value items[10];
    memcpy(items, v.items, sizeof items);
    size_t n = value_set_normalise(items, 10);
    assert_int_equal(n, 5);
    struct value want = json(&arena, "[null,1,3,\"a\",[2]]"),
                 got = value_items(VALUE_TUPLE, items, n);
    assert_true(value_equal(&want, &got));
    assert_int_equal(value_set_normalise(NULL, 0), 0);
    assert_int_equal(value_set_normalise(items, 1), 1);
}

static void marks_and_unknowns_are_found(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct value items[2] = {value_int(1), value_unknown(NULL)};
    struct value_member member = {key_make(&arena, STR("a")), value_items(VALUE_LIST, items, 2)};
    struct value v;
    assert_true(value_members(VALUE_OBJECT, &member, 1, &v, NULL, NULL));
    assert_true(value_any_unknown(&v));
    assert_false(value_any_sensitive(&v));
    items[0].marks = VALUE_DEPRECATED;
    assert_false(value_any_sensitive(&v));
    items[0].marks |= VALUE_SENSITIVE;
    assert_true(value_any_sensitive(&v));
    items[1] = value_null();
    assert_false(value_any_unknown(&v));
}

static void copies_own_every_byte(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct value copy;
    static const char text[] = "{\"a\":[\"text\",1e400,{\"b\":\"\"}],\"c\":null,\"d\":[],\"e\":{}}";
    {
        AUTO_ARENA brief = {.limit = 1 << 20};
        struct value v = json(&brief, arena_dup(&brief, STR(text)).ptr);
        assert_true(value_copy(&arena, &v, &copy, &err));
        assert_true(value_equal(&v, &copy));
    } /* gone: the address sanitizer watches what follows */
    struct value again = json(&arena, text);
    assert_true(value_equal(&copy, &again));
    bool done = false;
    for (size_t limit = 0; !done; limit += 4) {
        AUTO_ARENA small = {.limit = limit};
        err_clear(&err);
        done = value_copy(&small, &again, &copy, &err);
        assert_int_equal(err.kind, done ? ERR_NONE : ERR_LIMIT);
        assert_true(limit < 4096);
    }
}

static void an_untyped_copy_outlives_types(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct value copy;
    {
        AUTO_ARENA brief = {.limit = 1 << 20};
        struct value v = json(&brief, "[null,[],{},[null],1,true,\"text\",{\"a\":{}}]");
        struct value *items = arena_new(&brief, struct value, v.len);
        struct type *type = arena_new(&brief, struct type, 1);
        assert_true(items && type);
        memcpy(items, v.items, v.len * sizeof *items);
        items[0].type = items[1].type = type;
        items[0].marks = VALUE_SENSITIVE;
        v.items = items;
        assert_true(value_copy_untyped(&arena, &v, &copy, &err));
        assert_true(value_equal(&v, &copy));
    }
    assert_true(copy.items[0].type == NULL && copy.items[1].type == NULL);
    assert_int_equal(copy.items[0].marks, VALUE_SENSITIVE);
    assert_true(value_is_string(&copy.items[6]) && copy.items[4].kind == VALUE_NUMBER);
}

static void walks_stop_at_the_greatest_depth(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct value a[VALUE_DEPTH_MAX + 2], b[VALUE_DEPTH_MAX + 2], copy;
    a[0] = value_int(1);
    b[0] = value_int(2);
    for (unsigned i = 1; i < VALUE_DEPTH_MAX + 2; i++) {
        a[i] = value_items(VALUE_TUPLE, &a[i - 1], 1);
        b[i] = value_items(VALUE_TUPLE, &b[i - 1], 1);
    }
    const struct value *deep_a = &a[VALUE_DEPTH_MAX], *deep_b = &b[VALUE_DEPTH_MAX];
    assert_false(value_equal(deep_a, deep_b)); /* the innermost counts */
    assert_true(value_compare(deep_a, deep_b) < 0);
    assert_true(value_copy(&arena, deep_a, &copy, &err));
    assert_true(value_equal(deep_a, &copy));
    assert_false(value_any_sensitive(deep_a));
    /* one more: different rather than unseen */
    assert_false(value_equal(&a[VALUE_DEPTH_MAX + 1], &b[VALUE_DEPTH_MAX + 1]));
    assert_int_not_equal(value_compare(&a[VALUE_DEPTH_MAX + 1], &b[VALUE_DEPTH_MAX + 1]), 0);
    assert_false(value_copy(&arena, &a[VALUE_DEPTH_MAX + 1], &copy, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    (void)value_hash(&a[VALUE_DEPTH_MAX + 1], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_interned),
        cmocka_unit_test(members_are_sorted_and_unique),
        cmocka_unit_test(typed_lookups_fall_back),
        cmocka_unit_test(order_equality_and_hash_agree),
        cmocka_unit_test(kinds_must_match),
        cmocka_unit_test(spellings_do_not_matter),
        cmocka_unit_test(sets_are_normalised),
        cmocka_unit_test(marks_and_unknowns_are_found),
        cmocka_unit_test(copies_own_every_byte),
        cmocka_unit_test(an_untyped_copy_outlives_types),
        cmocka_unit_test(walks_stop_at_the_greatest_depth),
    };
    return cmocka_run_group_tests_name("value/value", tests, NULL, NULL);
}

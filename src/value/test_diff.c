/* test_diff.c - value_diff(): which changes, at which paths, in which order, and no more than that.
 */
#include "base/test.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "value/diff.h"
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

static struct value typed(struct arena *arena, const char *type_json, const char *text)
{
    struct err err = {0};
    const struct type *type;
    struct value t = json(arena, type_json), v = json(arena, text), ret;
    assert_true(type_from_value(arena, &t, &type, &err));
    if (!type_apply(arena, type, &v, false, &ret, &err))
        fail_msg("%s: %s", text, err.frame[0]);
    return ret;
}

static void print_side(struct buf *out, const struct value *v)
{
    struct jsonw w = {.out = out};
    if (v)
        jsonw_value(&w, v);
    else
        buf_char(out, '-');
}

/* "path: before > after; ..." with - for the side that lacks it. */
static struct str changes(struct arena *arena, const struct value_diff *diff)
{
    AUTO_BUF out = {.limit = 1 << 20};
    for (size_t i = 0; i < diff->n; i++) {
        if (i)
            buf_str(&out, STR("; "));
        path_print(&out, diff->change[i].path);
        buf_str(&out, STR(": "));
        print_side(&out, diff->change[i].before);
        buf_str(&out, STR(" > "));
        print_side(&out, diff->change[i].after);
    }
    return arena_dup(arena, buf_view(&out));
}

#define T_ROOT \
    "[\"object\",{\"l\":[\"list\",\"dynamic\"],\"m\":[\"map\",\"dynamic\"]," \
    "\"s\":[\"set\",\"dynamic\"],\"o\":\"dynamic\"}]"

static const struct {
    const char *before, *after, *changes;
    size_t nleaves;
} cases[] = {
    {"{}", "{}", "", 4},
    {"{\"o\":1}", "{\"o\":1.0}", "", 4},
    {"{\"o\":1}", "{\"o\":2}", "o: 1 > 2", 4},
    {"{\"o\":null}", "{\"o\":\"\"}", "o: null > \"\"", 4},
    {"{\"l\":null}", "{\"l\":[]}", "l: null > []", 4},
    {"{\"o\":1}", "{\"o\":\"1\"}", "o: 1 > \"1\"", 4},
    {"{\"o\":{\"a\":1}}", "{\"o\":[1,2]}", "o: {\"a\":1} > [1,2]", 5},
    /* objects and maps: null is not absent */
    {"{\"m\":{\"a\":1,\"b\":2}}", "{\"m\":{\"b\":2,\"c\":3}}", "m.a: 1 > -; m.c: - > 3", 6},
    {"{\"m\":{\"a\":null}}", "{\"m\":{}}", "m.a: null > -", 4},
    {"{\"m\":{}}", "{\"m\":{\"a.b\":null}}", "m[\"a.b\"]: - > null", 4},
    {"{\"m\":{}}", "{\"m\":{\"x\":{\"y\":[1,2,3]}}}", "m.x: - > {\"y\":[1,2,3]}", 6},
    {"{\"m\":{\"x\":{\"y\":{\"z\":1}}}}", "{\"m\":{\"x\":{\"y\":{\"z\":2}}}}", "m.x.y.z: 1 > 2", 4},
    /* lists */
    {"{\"l\":[1,2,3]}", "{\"l\":[0,1,2,3]}", "l[0]: - > 0", 7},
    {"{\"l\":[1,2,3]}", "{\"l\":[1,2,3,4]}", "l[3]: - > 4", 7},
    {"{\"l\":[1,2,3]}", "{\"l\":[1,3]}", "l[1]: 2 > -", 6},
    {"{\"l\":[1,2,3]}", "{\"l\":[1,9,3]}", "l[1]: 2 > 9", 6},
    {"{\"l\":[1,2,3]}", "{\"l\":[]}", "l[0]: 1 > -; l[1]: 2 > -; l[2]: 3 > -", 6},
    {"{\"l\":[1,2,3,4,5]}", "{\"l\":[2,3,4,5,1]}", "l[0]: 1 > -; l[4]: - > 1", 9},
    {"{\"l\":[1,2,3,4,5]}", "{\"l\":[5,1,2,3,4]}", "l[0]: - > 5; l[4]: 5 > -", 9},
    {"{\"l\":[1,2,3,4,5]}", "{\"l\":[1,4,2,3,5]}", "l[1]: - > 4; l[3]: 4 > -", 9},
    {"{\"l\":[1,2]}", "{\"l\":[2,1]}", "l[0]: 1 > -; l[1]: - > 1", 6},
    {"{\"l\":[1,1,1]}", "{\"l\":[1,1]}", "l[2]: 1 > -", 6},
    {"{\"l\":[\"a\",\"b\"]}", "{\"l\":[\"x\",\"y\",\"z\"]}",
     "l[0]: \"a\" > \"x\"; l[1]: \"b\" > \"y\"; l[2]: - > \"z\"", 6},
    /* lists of objects: walked into, by likeness */
    {"{\"l\":[{\"port\":1,\"p\":\"t\"}]}", "{\"l\":[{\"port\":2,\"p\":\"t\"}]}", "l[0].port: 1 > 2",
     5},
    {"{\"l\":[{\"n\":\"a\",\"v\":1},{\"n\":\"b\",\"v\":2}]}",
     "{\"l\":[{\"n\":\"z\",\"v\":0},{\"n\":\"a\",\"v\":1},{\"n\":\"b\",\"v\":3}]}",
     "l[0]: - > {\"n\":\"z\",\"v\":0}; l[1].v: 2 > 3", 9},
    {"{\"l\":[{\"n\":\"a\",\"v\":1,\"w\":1},{\"n\":\"b\",\"v\":2,\"w\":2}]}",
     "{\"l\":[{\"n\":\"b\",\"v\":2,\"w\":9}]}",
     "l[0]: {\"n\":\"a\",\"v\":1,\"w\":1} > -; l[1].w: 2 > 9", 9},
    {"{\"l\":[{\"n\":\"a\"},{\"n\":\"b\"}]}", "{\"l\":[{\"n\":\"x\"},{\"n\":\"y\"}]}",
     "l[0].n: \"a\" > \"x\"; l[1].n: \"b\" > \"y\"", 5},
    {"{\"l\":[{\"n\":1},5]}", "{\"l\":[5,{\"n\":2}]}", "l[0]: {\"n\":1} > -; l[1]: - > {\"n\":2}",
     6},
    {"{\"l\":[[1,2],[3,4]]}", "{\"l\":[[1,2],[3,5]]}", "l[1][1]: 4 > 5", 7},
    {"{\"l\":[[1,2],3]}", "{\"l\":[4,3]}", "l[0]: [1,2] > 4", 6},
    /* sets: an element is there or not */
    {"{\"s\":[1,2,3]}", "{\"s\":[3,2,1]}", "", 6},
    {"{\"s\":[1,2,3]}", "{\"s\":[2,3,4]}", "s[*]: 1 > -; s[*]: - > 4", 7},
    {"{\"s\":[{\"p\":1}]}", "{\"s\":[{\"p\":2}]}", "s[*]: {\"p\":1} > -; s[*]: - > {\"p\":2}", 5},
    {"{\"s\":[]}", "{\"s\":[\"a\"]}", "s[*]: - > \"a\"", 4},
};

static void each_case_gives_its_changes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct err err = {0};
        struct value_diff diff;
        struct value before = typed(&arena, T_ROOT, cases[i].before);
        struct value after = typed(&arena, T_ROOT, cases[i].after);
        assert_true(value_diff(&arena, &before, &after, &diff, &err));
        struct str got = changes(&arena, &diff);
        if (strcmp(got.ptr, cases[i].changes) != 0)
            fail_msg("%s > %s: %s", cases[i].before, cases[i].after, got.ptr);
        if (diff.nleaves != cases[i].nleaves)
            fail_msg("%s > %s: %zu leaves", cases[i].before, cases[i].after, diff.nleaves);
        assert_int_equal(diff.n == 0, value_equal(&before, &after));
    }
}

static void kinds_marks_and_roots(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct value_diff diff;
    struct value item = value_int(1), list = value_items(VALUE_LIST, &item, 1),
                 tuple = value_items(VALUE_TUPLE, &item, 1), other = item;
    assert_true(value_diff(&arena, &list, &tuple, &diff, &err));
    assert_int_equal(diff.n, 1);
    assert_int_equal(diff.change[0].path.n, 0);
    assert_ptr_equal(diff.change[0].before, &list);
    assert_ptr_equal(diff.change[0].after, &tuple);
    other.marks = VALUE_SENSITIVE;
    assert_true(value_diff(&arena, &item, &other, &diff, &err));
    assert_int_equal(diff.n, 0);
    assert_int_equal(diff.nleaves, 1);
    struct value unknown = value_unknown(NULL), null = value_null();
    assert_true(value_diff(&arena, &unknown, &null, &diff, &err));
    assert_int_equal(diff.n, 1);
}

static struct value numbers(struct arena *arena, int64_t from, size_t n)
{
    struct value *items = arena_new(arena, struct value, n ? n : 1);
    for (size_t i = 0; i < n; i++)
        items[i] = value_int(from + (int64_t)i);
    return value_items(VALUE_LIST, items, n);
}

static size_t count(struct value *before, struct value *after)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct err err = {0};
    struct value_diff diff;
    if (!value_diff(&arena, before, after, &diff, &err))
        fail_msg("%s", err.frame[0]);
    return diff.n;
}

static void long_lists_stay_minimal(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 64 << 20};
    enum { N = 1000 };
    struct value before = numbers(&arena, 0, N), after = numbers(&arena, -1, N + 1);
    assert_int_equal(count(&before, &after), 1); /* inserted at the head */
    assert_int_equal(count(&after, &before), 1);
    struct value *moved = arena_new(&arena, struct value, N);
    for (size_t from = 0; from < N; from += 37)
        for (size_t to = 0; to < N; to += 111) {
            size_t n = 0;
            for (size_t i = 0; i < N; i++)
                if (i != from)
                    moved[n++] = before.items[i];
            memmove(moved + to + 1, moved + to, (N - 1 - to) * sizeof *moved);
            moved[to] = before.items[from];
            after = value_items(VALUE_LIST, moved, N);
            assert_int_equal(count(&before, &after), from == to ? 0 : 2);
        }
    for (size_t i = 0; i < N; i++) /* every tenth changed in place, one more at the head */
        moved[i] = i % 10 == 5 ? value_int(-5 - (int64_t)i) : before.items[i];
    after = value_items(VALUE_LIST, moved, N);
    assert_int_equal(count(&before, &after), N / 10);
    for (size_t i = 0; i < N; i++) /* reversed: all but one, in two halves */
        moved[i] = before.items[N - 1 - i];
    assert_in_range(count(&before, &after), N - 1, 2 * N - 2);
}

static void past_the_limit_lists_go_by_position(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct value before = numbers(&arena, 0, 10000), after = numbers(&arena, 100000, 10000);
    assert_int_equal(count(&before, &after), 10000);
    after = numbers(&arena, 100000, 10003);
    assert_int_equal(count(&before, &after), 10003);
    /* a long list with one insertion is no differing middle at all */
    before = numbers(&arena, 1, 50000);
    after = numbers(&arena, 0, 50001);
    assert_int_equal(count(&before, &after), 1);
    before = numbers(&arena, 0, DIFF_CHANGES_MAX + 1);
    after = numbers(&arena, -7000000, DIFF_CHANGES_MAX + 1);
    AUTO_ARENA room = {.limit = 64 << 20};
    struct err err = {0};
    struct value_diff diff;
    assert_false(value_diff(&room, &before, &after, &diff, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
}

/* Applied backwards: what is not named as changed is the same on both sides. */
static void random_lists_lose_nothing(void **state)
{
    (void)state;
    uint64_t seed = 88172645463325252u;
    for (unsigned round = 0; round < 3000; round++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct err err = {0};
        struct value_diff diff;
        struct value items[2][8];
        size_t n[2];
        for (int side = 0; side < 2; side++) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            n[side] = seed % 8;
            for (size_t i = 0; i < n[side]; i++)
                items[side][i] = value_int((int64_t)(seed >> (8 + 4 * i)) & 3);
        }
        struct value before = value_items(VALUE_LIST, items[0], n[0]);
        struct value after = value_items(VALUE_LIST, items[1], n[1]);
        assert_true(value_diff(&arena, &before, &after, &diff, &err));
        assert_true(diff.n <= (n[0] > n[1] ? n[0] : n[1]) + 1 + n[0]);
        size_t removed = 0, added = 0;
        for (size_t i = 0; i < diff.n; i++) {
            removed += !diff.change[i].after;
            added += !diff.change[i].before;
            if (i)
                assert_true(diff.change[i - 1].path.step[0].index <=
                            diff.change[i].path.step[0].index);
        }
        assert_int_equal(n[0] - removed + added, n[1]);
        assert_int_equal(diff.n == 0, value_equal(&before, &after));
    }
}

static void depth_and_memory_are_bounded(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct value_diff diff;
    struct value a[VALUE_DEPTH_MAX + 2], b[VALUE_DEPTH_MAX + 2];
    a[0] = value_int(1);
    b[0] = value_int(2);
    for (unsigned i = 1; i < VALUE_DEPTH_MAX + 2; i++) {
        a[i] = value_items(VALUE_TUPLE, &a[i - 1], 1);
        b[i] = value_items(VALUE_TUPLE, &b[i - 1], 1);
    }
    assert_true(value_diff(&arena, &a[VALUE_DEPTH_MAX], &b[VALUE_DEPTH_MAX], &diff, &err));
    assert_int_equal(diff.n, 1);
    assert_int_equal(diff.change[0].path.n, VALUE_DEPTH_MAX);
    assert_false(value_diff(&arena, &a[VALUE_DEPTH_MAX + 1], &b[VALUE_DEPTH_MAX + 1], &diff, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    AUTO_ARENA none = {0};
    assert_false(value_diff(&none, &a[0], &b[0], &diff, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_true(value_diff(&none, &a[0], &a[0], &diff, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case_gives_its_changes),
        cmocka_unit_test(kinds_marks_and_roots),
        cmocka_unit_test(long_lists_stay_minimal),
        cmocka_unit_test(past_the_limit_lists_go_by_position),
        cmocka_unit_test(random_lists_lose_nothing),
        cmocka_unit_test(depth_and_memory_are_bounded),
    };
    return cmocka_run_group_tests_name("value/diff", tests, NULL, NULL);
}

/* test_arena.c - arenas and buffers: alignment, growth, limits, what stays after a failure. */
#include "base/test.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

static void objects_are_aligned_zeroed_and_apart(void **state)
{
    (void)state;
    static const size_t aligns[] = {1, 2, 4, 8, 16};
    AUTO_ARENA arena = {.limit = 32 << 20};
    unsigned char *seen[2000];
    size_t size[2000];
    for (size_t i = 0; i < 2000; i++) {
        size_t align = aligns[i % 5];
        size[i] = i % 7 == 0 ? 5000 + i : i % 33;
        seen[i] = arena_alloc(&arena, size[i], 1, align);
        assert_non_null(seen[i]);
        assert_int_equal((uintptr_t)seen[i] % align, 0);
        for (size_t k = 0; k < size[i]; k++)
            assert_int_equal(seen[i][k], 0);
        memset(seen[i], (int)(i & 0xff), size[i]);
    }
    for (size_t i = 0; i < 2000; i++)
        for (size_t k = 0; k < size[i]; k++)
            assert_int_equal(seen[i][k], i & 0xff);
}

static void the_limit_is_exact(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 100};
    struct err err = {0};
    assert_null(arena_alloc(&arena, 101, 1, 1));
    assert_non_null(arena_alloc(&arena, 60, 1, 1));
    assert_null(arena_alloc(&arena, 41, 1, 1));
    assert_non_null(arena_alloc(&arena, 40, 1, 1));
    assert_int_equal(arena.used, 100);
    assert_null(arena_alloc(&arena, 1, 1, 1));
    assert_non_null(arena_alloc(&arena, 0, 8, 8));
    assert_false(arena_full(&arena, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    arena.limit = 10; /* made smaller than what is used */
    assert_null(arena_alloc(&arena, 1, 1, 1));
    AUTO_ARENA zero = {0};
    assert_null(arena_alloc(&zero, 1, 1, 1));
    AUTO_ARENA vast = {.limit = SIZE_MAX};
    assert_null(arena_alloc(&vast, SIZE_MAX / 2, 4, 8)); /* n * size wraps */
    assert_null(arena_alloc(&vast, SIZE_MAX - 8, 1, 8)); /* the block would wrap */
    assert_null(arena_dup(&vast, (struct str){"x", SIZE_MAX}).ptr);
}

static void what_is_given_back_is_used_again(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 64 << 20};
    char *first = arena_alloc(&arena, 1000, 1, 1);
    arena_trim(&arena, first, 10);
    assert_int_equal(arena.used, 10);
    char *second = arena_alloc(&arena, 5, 1, 1);
    assert_ptr_equal(second, first + 10);
    arena_trim(&arena, first, 3); /* what came after it goes with the rest of it */
    assert_int_equal(arena.used, 3);
    struct arena_mark mark = arena_mark(&arena);
    for (int i = 0; i < 6; i++) /* blocks of every size, huge pages among them */
        memset(arena_alloc(&arena, 3 << 20, 1, 1), 'x', 3 << 20);
    arena_trim(&arena, first, 1); /* of another block: stays */
    assert_int_equal(arena.used, 3 + 6 * (3 << 20));
    arena_rewind(&arena, mark);
    assert_int_equal(arena.used, 3);
    assert_ptr_equal(arena_alloc(&arena, 1, 1, 1), first + 3);
    AUTO_ARENA empty = {.limit = 1 << 20};
    mark = arena_mark(&empty);
    assert_non_null(arena_alloc(&empty, 100, 1, 1));
    arena_rewind(&empty, mark);
    assert_null(empty.last);
    assert_int_equal(empty.used, 0);
}

static void a_mark_at_the_end_of_a_block_costs_one_block(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 64 << 20};
    while (arena.used < 16 << 20) /* large steps by now */
        assert_non_null(arena_alloc(&arena, 1 << 20, 1, 1));
    assert_non_null(arena_alloc(&arena, 1 << 20, 1, 1));
    struct arena_mark mark = arena_mark(&arena);
    char *beyond = arena_alloc(&arena, 4 << 19, 1, 1);
    for (int i = 0; i < 1000; i++) {
        arena_rewind(&arena, mark);
        assert_ptr_equal(arena_alloc(&arena, 4 << 19, 1, 1), beyond);
    }
    arena_reset(&arena);
    assert_int_equal(arena.used, 0);
}

static void copies_end_in_nul(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 16};
    struct str s = arena_dup(&arena, (struct str){"a\0bc", 3});
    assert_int_equal(s.len, 3);
    assert_memory_equal(s.ptr, "a\0b", 4);
    s = arena_dup(&arena, (struct str){0});
    assert_non_null(s.ptr);
    assert_string_equal(s.ptr, "");
    s = arena_printf(&arena, "%d-%s", 42, "x");
    assert_string_equal(s.ptr, "42-x");
    assert_int_equal(s.len, 4);
    AUTO_ARENA small = {.limit = 4};
    assert_null(arena_printf(&small, "%d", 12345).ptr);
    assert_null(arena_printf(&small, "%d", 1234).ptr); /* and its NUL */
    assert_string_equal(arena_printf(&small, "%d", 123).ptr, "123");
}

static void arrays_grow_and_keep(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    int *array = NULL;
    size_t room = 0;
    for (int i = 0; i < 10000; i++) {
        array = arena_grow(&arena, array, (size_t)i, &room, (size_t)i + 1);
        assert_non_null(array);
        array[i] = i;
    }
    for (int i = 0; i < 10000; i++)
        assert_int_equal(array[i], i);
    assert_true(room >= 10000 && room < 20000);
    assert_null(arena_grow(&arena, array, 10000, &room, SIZE_MAX));
    assert_null(arena_grow(&arena, array, 10000, &room, 1 << 19));
    assert_int_equal(array[9999], 9999);
}

static void the_last_array_grows_where_it_stands(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    size_t room = 0, other_room = 0;
    int *array = arena_grow(&arena, (int *)NULL, 0, &room, 1);
    int *grown = arena_grow(&arena, array, room, &room, room + 1);
    assert_ptr_equal(grown, array);
    int *other = arena_grow(&arena, (int *)NULL, 0, &other_room, 1);
    grown = arena_grow(&arena, array, room, &room, room + 1);
    assert_ptr_not_equal(grown, array);
    assert_ptr_not_equal(grown, other);
    for (size_t i = 0; i < room; i++)
        assert_int_equal(grown[i], 0);
}

static void all_sizes_come_zeroed(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 4 << 20};
    for (size_t n = 0; n < 300; n++) {
        struct arena_mark mark = arena_mark(&arena);
        unsigned char *raw = arena_alloc_raw(&arena, n + 2, 1, 8);
        memset(raw, 0xaa, n + 2);
        arena_rewind(&arena, mark);
        unsigned char *bytes = arena_alloc(&arena, n, 1, 8);
        assert_non_null(bytes);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(bytes[i], 0);
        if (bytes == raw)
            assert_int_equal(raw[n], 0xaa);
    }
}

static void a_reset_arena_starts_anew(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 64 << 20};
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 100; i++)
            assert_non_null(arena_alloc(&arena, 10000, 1, 8));
        arena_reset(&arena);
        assert_int_equal(arena.used, 0);
        char *p = arena_alloc(&arena, 100, 1, 1);
        for (int i = 0; i < 100; i++)
            assert_int_equal(p[i], 0); /* zeroed although the block was used */
    }
    assert_non_null(arena_alloc(&arena, 4 << 20, 1, 1));
    arena_reset(&arena); /* a block that large is not kept */
    assert_null(arena.last);
    arena_free(&arena);
    arena_free(&arena);
    assert_non_null(arena_alloc(&arena, 1, 1, 1));
}

static void buffers_grow_to_their_limit(void **state)
{
    (void)state;
    AUTO_BUF buf = {.limit = 1000};
    struct err err = {0};
    for (int i = 0; i < 100; i++)
        buf_printf(&buf, "%09d", i);
    buf_str(&buf, STR("1234567890"));
    for (int i = 0; i < 9; i++)
        buf_add(&buf, "0123456789", 10);
    assert_int_equal(buf.len, 1000);
    assert_true(buf_ok(&buf, &err));
    buf_add(&buf, NULL, 0);
    buf_printf(&buf, "%s", "");
    assert_true(buf_ok(&buf, &err)); /* nothing fits into nothing */
    buf_char(&buf, 'x');
    assert_false(buf_ok(&buf, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_int_equal(buf.len, 1000);
    buf_consume(&buf, 500);
    buf_char(&buf, 'x'); /* failed stays failed: a gap would go unseen */
    assert_int_equal(buf.len, 500);
    assert_true(str_ends(buf_view(&buf), STR("0123456789")));
    buf_free(&buf);
    assert_int_equal(buf.limit, 1000);
    buf_char(&buf, 'x');
    assert_true(buf_ok(&buf, &err));
}

static void numbers_are_written_as_printf_does(void **state)
{
    (void)state;
    static const int64_t numbers[] = {0, 7, -7, 10, 1234567890, INT64_MAX, INT64_MIN};
    AUTO_BUF buf = {.limit = 100}, want = {.limit = 100};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        buf.len = want.len = 0;
        buf_int(&buf, numbers[i]);
        buf_printf(&want, "%" PRId64, numbers[i]);
        assert_true(str_equal(buf_view(&buf), buf_view(&want)));
    }
}

static void printf_fits_to_the_last_byte(void **state)
{
    (void)state;
    AUTO_BUF buf = {.limit = 5};
    struct err err = {0};
    buf_printf(&buf, "%d", 12345);
    assert_true(buf_ok(&buf, &err));
    assert_true(str_equal(buf_view(&buf), STR("12345")));
    AUTO_BUF less = {.limit = 4};
    buf_printf(&less, "%d", 12345);
    assert_false(buf_ok(&less, &err));
    assert_int_equal(less.len, 0);
    AUTO_BUF zero = {0};
    buf_char(&zero, 'x');
    assert_false(buf_ok(&zero, &err));
    AUTO_BUF vast = {.limit = SIZE_MAX};
    assert_null(buf_room(&vast, SIZE_MAX - 1)); /* no endless doubling */
}

static void room_and_consume(void **state)
{
    (void)state;
    AUTO_BUF buf = {.limit = 1 << 20};
    char *room = buf_room(&buf, 3000);
    memset(room, 'a', 3000);
    buf.len += 3000;
    buf_str(&buf, STR("tail"));
    buf_consume(&buf, 2999);
    assert_true(str_equal(buf_view(&buf), STR("atail")));
    buf_consume(&buf, 99);
    assert_int_equal(buf.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_aligned_zeroed_and_apart),
        cmocka_unit_test(the_limit_is_exact),
        cmocka_unit_test(what_is_given_back_is_used_again),
        cmocka_unit_test(a_mark_at_the_end_of_a_block_costs_one_block),
        cmocka_unit_test(copies_end_in_nul),
        cmocka_unit_test(arrays_grow_and_keep),
        cmocka_unit_test(the_last_array_grows_where_it_stands),
        cmocka_unit_test(all_sizes_come_zeroed),
        cmocka_unit_test(a_reset_arena_starts_anew),
        cmocka_unit_test(buffers_grow_to_their_limit),
        cmocka_unit_test(numbers_are_written_as_printf_does),
        cmocka_unit_test(printf_fits_to_the_last_byte),
        cmocka_unit_test(room_and_consume),
    };
    return cmocka_run_group_tests_name("base/arena", tests, NULL, NULL);
}

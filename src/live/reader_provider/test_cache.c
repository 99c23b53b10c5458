/* test_cache.c - what is remembered comes back whole or not at all. */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "live/reader_provider/cache.h"

static void a_cache_is_whole_or_nothing(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 8 << 20};
    struct err err = {0};
    char dir[] = "/tmp/plumb-cache-XXXXXX", command[100];
    struct digest digest = {{1, 2, 3}}, none = {{0}};
    struct str got, *names, file;
    size_t n;
    assert_non_null(mkdtemp(dir));
    struct str below = arena_printf(&arena, "%s/made/here", dir);

    assert_false(cache_load(&arena, below, &digest, "schema-6", &got));
    cache_save(below, &digest, "schema-6", STR("bytes\0and more"));
    assert_true(cache_load(&arena, below, &digest, "schema-6", &got));
    assert_true(str_equal(got, STR("bytes\0and more")));
    assert_false(cache_load(&arena, below, &digest, "schema-5", &got));

    /* no directory, no digest: nothing */
    cache_save((struct str){0}, &digest, "schema-6", STR("x"));
    assert_false(cache_load(&arena, (struct str){0}, &digest, "schema-6", &got));
    cache_save(below, &none, "schema-6", STR("x"));
    assert_false(cache_load(&arena, below, &none, "schema-6", &got));

    /* every cut and every flipped byte makes it nothing */
    assert_true(io_list_dir(&arena, below.ptr, 10, &names, &n, &err));
    assert_int_equal(n, 1);
    struct str path = io_join(&arena, below, names[0]);
    assert_true(io_read_file(&arena, path.ptr, 1000, &file, &err));
    for (size_t i = 0; i < file.len; i++) {
        struct str broken = arena_dup(&arena, file);
        char *byte = arena_alloc_raw(&arena, broken.len, 1, 1);
        memcpy(byte, file.ptr, file.len);
        byte[i] ^= 1;
        assert_true(io_write_file_atomic(path.ptr, (struct str){byte, file.len}, 0600, &err));
        assert_false(cache_load(&arena, below, &digest, "schema-6", &got));
        assert_true(io_write_file_atomic(path.ptr, str_sub(file, 0, i), 0600, &err));
        assert_false(cache_load(&arena, below, &digest, "schema-6", &got));
    }
    (void)snprintf(command, sizeof command, "rm -rf %s", dir);
    (void)!system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_cache_is_whole_or_nothing)};
    return cmocka_run_group_tests_name("live/reader_provider/cache", tests, NULL, NULL);
}

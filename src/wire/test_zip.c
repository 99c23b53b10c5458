/* test_zip.c - members out of archives, and what is refused. */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "wire/zip.h"

/* Made by Python's zipfile: a.txt stored "hello", b/c.txt deflated 1,000 times "x". */
static struct str archive(struct arena *arena)
{
    static const char script[] =
        "python3 -c \"import zipfile; z = zipfile.ZipFile('/dev/stdout', 'w'); "
        "z.writestr('a.txt', 'hello'); "
        "z.writestr('b/c.txt', 'x' * 1000, compress_type=zipfile.ZIP_DEFLATED); z.close()\" | cat";
    FILE *pipe = popen(script, "r"); /* NOLINT(cert-env33-c) */
    char *bytes = arena_alloc(arena, 4096, 1, 1);
    assert_non_null(pipe);
    size_t n = fread(bytes, 1, 4096, pipe);
    assert_int_equal(pclose(pipe), 0);
    return (struct str){bytes, n};
}

static void members_are_read(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct zip zip;
    struct zip_member m;
    struct str text, all = archive(&arena);
    assert_true(zip_is(all));
    assert_true(zip_open(all, "t.zip", &zip, &err));
    assert_true(zip_next(&zip, &m, &err));
    assert_true(str_equal(m.name, STR("a.txt")));
    assert_true(zip_read(&arena, &zip, &m, 5, &text, &err));
    assert_true(str_equal(text, STR("hello")));
    assert_true(zip_next(&zip, &m, &err));
    assert_int_equal(m.size, 1000);
    assert_false(zip_read(&arena, &zip, &m, 999, &text, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    err_clear(&err);
    assert_true(zip_read(&arena, &zip, &m, 1000, &text, &err));
    assert_int_equal(text.len, 1000);
    assert_int_equal(text.ptr[999], 'x');
    assert_false(zip_next(&zip, &m, &err));
    assert_int_equal(err.kind, ERR_NONE);
}

/* All of it, or nothing. */
static bool read_all(struct str bytes, struct err *err)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct zip zip;
    struct zip_member m;
    struct str text;
    if (!zip_open(bytes, "t.zip", &zip, err))
        return false;
    while (zip_next(&zip, &m, err))
        if (!zip_read(&arena, &zip, &m, 1 << 16, &text, err))
            return false;
    return err->kind == ERR_NONE;
}

static void damage_is_an_error(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct str all = archive(&arena);
    for (size_t n = 0; n < all.len; n++) {
        err_clear(&err);
        assert_false(read_all(str_sub(all, 0, n), &err));
    }
    char *copy = arena_alloc(&arena, all.len, 1, 1);
    memcpy(copy, all.ptr, all.len);
    copy[36] ^= 1; /* within "hello" */
    err_clear(&err);
    assert_false(read_all((struct str){copy, all.len}, &err));
    assert_int_equal(err.kind, ERR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_read),
        cmocka_unit_test(damage_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

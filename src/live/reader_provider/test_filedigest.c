/* test_filedigest.c - a digest is remembered for the very same file, and for no other. */
#include "base/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "live/reader_provider/cache.h"
#include "live/reader_provider/filedigest.h"

enum { SIZE = FILEDIGEST_LEAST + 1000, LATER = 10 };

struct place {
    struct arena arena;
    char dir[40];
    struct str cache, file;
};

static void put_file(struct place *at, size_t size, char fill)
{
    FILE *out = fopen(at->file.ptr, "wb");
    assert_non_null(out);
    for (size_t i = 0; i < size; i++)
        (void)fputc(fill, out);
    assert_int_equal(fclose(out), 0);
}

/* As if it were `after` seconds later. */
static struct digest get(struct place *at, struct str cache, int after)
{
    struct digest digest;
    struct err err = {0};
    assert_true(filedigest_get(cache, at->file.ptr, time(NULL) + after, &digest, &err));
    return digest;
}

static bool is_true(struct place *at, struct digest digest)
{
    struct digest truth;
    assert_true(digest_file(at->file.ptr, &truth, NULL));
    return digest_equal(&digest, &truth);
}

static size_t remembered(struct place *at)
{
    struct str *names;
    size_t n = 0;
    if (io_is_dir(at->cache.ptr))
        assert_true(io_list_dir(&at->arena, at->cache.ptr, 100, &names, &n, NULL));
    return n;
}

static int open_place(void **state)
{
    struct place *at = calloc(1, sizeof *at);
    at->arena.limit = 8 << 20;
    (void)snprintf(at->dir, sizeof at->dir, "/tmp/plumb-digest-XXXXXX");
    assert_non_null(mkdtemp(at->dir));
    at->cache = arena_printf(&at->arena, "%s/cache", at->dir);
    at->file = arena_printf(&at->arena, "%s/binary", at->dir);
    *state = at;
    return 0;
}

static int close_place(void **state)
{
    struct place *at = *state;
    char command[100];
    (void)snprintf(command, sizeof command, "rm -rf %s", at->dir);
    (void)!system(command);
    arena_free(&at->arena);
    free(at);
    return 0;
}

/* What is remembered says something else now: whoever gets that has not hashed the file. */
static void plant_lie(struct place *at)
{
    struct digest key;
    struct str kept;
    assert_true(digest_sha256(at->file, &key, NULL));
    assert_true(cache_load(&at->arena, at->cache, &key, "file", &kept));
    char *lie = arena_alloc_raw(&at->arena, kept.len, 1, 1);
    memcpy(lie, kept.ptr, kept.len);
    lie[kept.len - 1] = lie[kept.len - 1] == '0' ? '1' : '0';
    cache_save(at->cache, &key, "file", (struct str){lie, kept.len});
}

static void a_settled_file_is_remembered(void **state)
{
    struct place *at = *state;
    put_file(at, SIZE, 'a');
    assert_true(is_true(at, get(at, at->cache, 0)));
    assert_int_equal(remembered(at), 0); /* it was written just now */
    assert_true(is_true(at, get(at, at->cache, LATER)));
    assert_int_equal(remembered(at), 1);
    assert_true(is_true(at, get(at, at->cache, LATER)));
    plant_lie(at);
    assert_false(is_true(at, get(at, at->cache, LATER)));
    assert_true(is_true(at, get(at, at->cache, 0)));
    assert_true(is_true(at, get(at, STR(""), LATER)));
}

/* Other bytes of the same length in the same inode, with the old times put back as far as goes. */
static void a_touched_file_is_hashed(void **state)
{
    struct place *at = *state;
    struct stat st;
    put_file(at, SIZE, 'a');
    (void)get(at, at->cache, LATER);
    assert_int_equal(stat(at->file.ptr, &st), 0);
    const struct timespec times[] = {st.st_atim, st.st_mtim};
    (void)usleep(20000); /* a tick of the clock that files get their times from */
    put_file(at, SIZE, 'b');
    assert_int_equal(utimensat(AT_FDCWD, at->file.ptr, times, 0), 0);
    assert_true(is_true(at, get(at, at->cache, LATER)));
    plant_lie(at);
    assert_false(is_true(at, get(at, at->cache, LATER)));
    (void)usleep(20000);
    assert_int_equal(chmod(at->file.ptr, 0700), 0);
    assert_true(is_true(at, get(at, at->cache, LATER)));
}

static void a_cache_that_others_write_is_not_believed(void **state)
{
    struct place *at = *state;
    put_file(at, SIZE, 'a');
    (void)get(at, at->cache, LATER);
    plant_lie(at);
    assert_false(is_true(at, get(at, at->cache, LATER)));
    assert_int_equal(chmod(at->cache.ptr, 0770), 0);
    assert_true(is_true(at, get(at, at->cache, LATER)));
    assert_int_equal(chmod(at->cache.ptr, 0707), 0);
    assert_true(is_true(at, get(at, at->cache, LATER)));
}

static void small_and_absent_files(void **state)
{
    struct place *at = *state;
    struct err err = {0};
    struct digest digest;
    put_file(at, 1000, 'a');
    assert_true(is_true(at, get(at, at->cache, LATER)));
    assert_int_equal(remembered(at), 0);
    assert_int_equal(unlink(at->file.ptr), 0);
    assert_false(filedigest_get(at->cache, at->file.ptr, time(NULL) + LATER, &digest, &err));
}

#define PLACE(test) cmocka_unit_test_setup_teardown(test, open_place, close_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE(a_settled_file_is_remembered),
        PLACE(a_touched_file_is_hashed),
        PLACE(a_cache_that_others_write_is_not_believed),
        PLACE(small_and_absent_files),
    };
    return cmocka_run_group_tests_name("live/reader_provider/filedigest", tests, NULL, NULL);
}

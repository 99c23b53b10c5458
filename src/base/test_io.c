/* test_io.c - files: whole reads with a limit, atomic writes, folders, names. */
#include "base/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "base/io_big.h"

struct room {
    char dir[64], path[128];
};

static int make_room(void **state)
{
    struct room *room = calloc(1, sizeof *room);
    strcpy(room->dir, "/tmp/plumb_io_XXXXXX");
    *state = room;
    return mkdtemp(room->dir) ? 0 : -1;
}

static int leave_room(void **state)
{
    struct room *room = *state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -r %s", room->dir);
    int failed = system(command);
    free(room);
    return failed;
}

static const char *in(struct room *room, const char *name)
{
    (void)snprintf(room->path, sizeof room->path, "%s/%s", room->dir, name);
    return room->path;
}

static void what_is_written_is_read(void **state)
{
    struct room *room = *state;
    static const size_t sizes[] = {0, 1, 4095, 4096, 100000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct err err = {0};
        struct str got;
        char *bytes = arena_new(&arena, char, sizes[i]);
        memset(bytes, 'x', sizes[i]);
        struct str want = {bytes, sizes[i]};
        struct stat st;
        assert_true(io_write_file_atomic(in(room, "file"), want, 0640, &err));
        assert_int_equal(stat(room->path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0640);
        assert_true(io_read_file(&arena, room->path, sizes[i], &got, &err));
        assert_true(str_equal(got, want));
        assert_int_equal(got.ptr[got.len], 0);
        if (sizes[i]) {
            assert_false(io_read_file(&arena, room->path, sizes[i] - 1, &got, &err));
            assert_int_equal(err.kind, ERR_LIMIT);
        }
    }
    AUTO_ARENA small = {.limit = 1000};
    struct err err = {0};
    struct str got;
    assert_false(io_read_file(&small, room->path, 1 << 20, &got, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
}

static void streams_are_read_to_their_end(void **state)
{
    struct room *room = *state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct str got;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_true(io_write_all(fds[1], STR("through a pipe"), &err));
    close(fds[1]);
    assert_true(io_read_fd(&arena, fds[0], "pipe", 100, &got, &err));
    assert_true(str_equal(got, STR("through a pipe")));
    close(fds[0]);
    assert_int_equal(pipe(fds), 0);
    assert_true(io_write_all(fds[1], STR("12345"), &err));
    close(fds[1]);
    assert_false(io_read_fd(&arena, fds[0], "pipe", 4, &got, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    close(fds[0]);
    assert_false(io_read_fd(&arena, fds[0], "closed", 4, &got, &err));
    assert_int_equal(err.kind, ERR_IO);
    assert_true(io_read_file(&arena, "/proc/self/status", 1 << 16, &got, &err)); /* size 0 */
    assert_true(got.len > 100);
    assert_true(io_read_file(&arena, "/dev/null", 10, &got, &err));
    assert_int_equal(got.len, 0);
    assert_false(io_read_file(&arena, "/dev/zero", 1 << 17, &got, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_false(io_read_file(&arena, room->dir, 10, &got, &err));
    assert_non_null(strstr(err.frame[0], "is a directory"));
    assert_false(io_read_file(&arena, in(room, "none"), 10, &got, &err));
    assert_non_null(strstr(err.frame[0], "No such file"));
}

static void a_failed_write_leaves_the_old_file(void **state)
{
    struct room *room = *state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct str *names;
    size_t n;
    assert_int_equal(mkdir(in(room, "is_a_folder"), 0700), 0);
    assert_false(io_write_file_atomic(room->path, STR("x"), 0600, &err)); /* rename fails */
    assert_true(io_is_dir(room->path));
    assert_true(io_list_dir(&arena, room->dir, 100, &names, &n, &err));
    assert_int_equal(n, 1); /* no temporary file stays */
    assert_false(io_write_file_atomic(in(room, "no/such/file"), STR("x"), 0600, &err));
    assert_int_equal(err.kind, ERR_IO);
}

static void a_link_that_leads_back_is_a_loop(void **state)
{
    struct room *room = *state;
    struct err err = {0};
    assert_true(io_make_dirs(in(room, "a/b"), 0700, &err));
    assert_true(io_make_dirs(in(room, "c"), 0700, &err));
    assert_int_equal(symlink("..", in(room, "a/b/up")), 0);
    assert_true(io_is_loop(room->path));
    assert_int_equal(symlink("../c", in(room, "a/aside")), 0);
    assert_false(io_is_loop(room->path));
    assert_int_equal(symlink("../a", in(room, "c/back")), 0);
    assert_false(io_is_loop(room->path)); /* it leads where nobody came from */
    assert_true(io_is_loop(in(room, "a/aside/back")));
    assert_false(io_is_loop(in(room, "a/b")));
    assert_false(io_is_loop(in(room, "a/none")));
}

static void links_are_followed_to_the_real_path(void **state)
{
    struct room *room = *state;
    struct err err = {0};
    AUTO_ARENA arena = {.limit = 1 << 14};
    assert_true(io_make_dirs(in(room, "a/b"), 0700, &err));
    struct str want = io_real_path(&arena, str_from(room->path));
    assert_true(str_ends(want, STR("/a/b")) && want.ptr[want.len] == '\0');
    assert_int_equal(symlink("a/b", in(room, "link")), 0);
    assert_true(str_equal(io_real_path(&arena, str_from(room->path)), want));
    assert_true(str_equal(io_real_path(&arena, str_from(in(room, "a/../link/."))), want));
    assert_null(io_real_path(&arena, str_from(in(room, "none"))).ptr);
    assert_int_equal(errno, ENOENT);
}

static void folders_are_made_and_listed(void **state)
{
    struct room *room = *state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct str *names;
    size_t n;
    assert_true(io_make_dirs(in(room, "a/b//c/"), 0700, &err));
    assert_true(io_is_dir(room->path));
    assert_true(io_make_dirs(room->path, 0700, &err));
    assert_true(io_write_file_atomic(in(room, "a/file"), STR("x"), 0600, &err));
    assert_true(io_exists(room->path));
    assert_false(io_is_dir(room->path));
    assert_false(io_make_dirs(room->path, 0700, &err)); /* a file stands there */
    assert_int_equal(err.kind, ERR_IO);
    assert_false(io_make_dirs(in(room, "a/file/deeper"), 0700, &err));
    assert_true(io_write_file_atomic(in(room, "a/Z"), STR("x"), 0600, &err));
    assert_true(io_list_dir(&arena, in(room, "a"), 3, &names, &n, &err));
    assert_int_equal(n, 3);
    assert_string_equal(names[0].ptr, "Z");
    assert_string_equal(names[1].ptr, "b");
    assert_string_equal(names[2].ptr, "file");
    assert_false(io_list_dir(&arena, room->path, 2, &names, &n, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_true(io_list_dir(&arena, in(room, "a/b/c"), 0, &names, &n, &err));
    assert_int_equal(n, 0);
    assert_false(io_list_dir(&arena, in(room, "none"), 9, &names, &n, &err));
    assert_int_equal(err.kind, ERR_IO);
    assert_false(io_exists(room->path));
}

static void names_are_joined_and_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *dir, *name, *want;
    } joins[] = {{"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"", "b", "b"},
                 {"/", "b", "/b"},  {"a", "/b", "/b"},  {"a", "", "a/"}};
    static const struct {
        const char *path, *dir, *base;
    } parts[] = {{"a/b", "a", "b"}, {"b", ".", "b"}, {"/b", "/", "b"},
                 {"a/", "a", ""},   {"", ".", ""},   {"a/b/c", "a/b", "c"}};
    AUTO_ARENA arena = {.limit = 1 << 12};
    for (size_t i = 0; i < sizeof joins / sizeof *joins; i++)
        assert_string_equal(io_join(&arena, str_from(joins[i].dir), str_from(joins[i].name)).ptr,
                            joins[i].want);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        assert_true(str_equal(io_dirname(str_from(parts[i].path)), str_from(parts[i].dir)));
        assert_true(str_equal(io_basename(str_from(parts[i].path)), str_from(parts[i].base)));
    }
}

static void handles_close_themselves(void **state)
{
    struct room *room = *state;
    int seen;
    {
        AUTO_FD fd = open(room->dir, O_RDONLY | O_CLOEXEC);
        AUTO_FD none = -1;
        AUTO_FILE file = NULL;
        seen = fd;
        assert_true(fd >= 0 && none < 0 && !file);
    }
    assert_int_equal(fcntl(seen, F_GETFD), -1);
}

/* Nobody writes into it: who waits for that, waits for ever. What a shell passes is read. */
static void a_pipe_is_no_file(void **state)
{
    struct room *room = *state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct io_big big = {0};
    struct str text;
    struct err err = {0};
    char path[40];
    int ends[2];
    const char *fifo = in(room, "f");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_false(io_read_file(&arena, fifo, 100, &text, &err));
    assert_non_null(strstr(err.frame[0], "/f is a pipe or a device"));
    err = (struct err){0};
    assert_false(io_big_read(fifo, 100, &big, &err));
    assert_non_null(strstr(err.frame[0], "name a regular file"));
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "ab", 2), 2);
    (void)close(ends[1]);
    (void)snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    assert_true(io_read_file(&arena, path, 100, &text, &err));
    assert_true(str_equal(text, STR("ab")));
    (void)close(ends[0]);
}

int main(void)
{
#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, make_room, leave_room)
    const struct CMUnitTest tests[] = {
        IN_ROOM(what_is_written_is_read),
        IN_ROOM(streams_are_read_to_their_end),
        IN_ROOM(a_failed_write_leaves_the_old_file),
        IN_ROOM(a_link_that_leads_back_is_a_loop),
        IN_ROOM(links_are_followed_to_the_real_path),
        IN_ROOM(folders_are_made_and_listed),
        cmocka_unit_test(names_are_joined_and_taken_apart),
        IN_ROOM(handles_close_themselves),
        IN_ROOM(a_pipe_is_no_file),
    };
    return cmocka_run_group_tests_name("base/io", tests, NULL, NULL);
}

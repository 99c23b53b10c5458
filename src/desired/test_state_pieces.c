/* test_state_pieces.c - a state read from its file piece by piece says what the whole text says. */
#include "base/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "desired/desired.h"
#include "model/stack.h"

enum { TEXT_MAX = 64 << 20, MEGABYTE = 1 << 20 };

#define HEAD "\"version\":4,\"terraform_version\":\"1.9.0\",\"serial\":3,\"lineage\":\"l\""

static void add_resource(struct buf *out, unsigned i, size_t filler)
{
    buf_printf(out,
               "%s{\"mode\":\"managed\",\"type\":\"t\",\"name\":\"r%u\",\"provider\":"
               "\"provider[\\\"a/b/c\\\"]\",\"instances\":[{\"attributes\":{\"n\":%u,\"filler\":\"",
               i ? "," : "", i, i);
    for (size_t n = 0; n < filler; n++)
        buf_char(out, (char)('a' + (n + i) % 26));
    buf_str(out, STR("\"}}]}"));
}

/* n resources of about `filler` bytes each, in an array. */
static void add_resources(struct buf *out, unsigned n, size_t filler)
{
    buf_str(out, STR("\"resources\":["));
    for (unsigned i = 0; i < n; i++)
        add_resource(out, i, filler + i % 7);
    buf_char(out, ']');
}

/* All that a source says, or why it says no more. */
static void say(struct desired *desired, struct err *err, struct buf *out)
{
    char room[1000];
    struct resource r;
    if (desired) {
        buf_printf(out, "%.*s\n", STR_ARG(desired_info(desired)->label));
        while (desired_next(desired, &r, err))
            buf_printf(out, "%.*s %.*s\n", STR_ARG(r.address), STR_ARG(r.attributes_json));
        desired_close(desired);
    }
    if (err->kind != ERR_NONE)
        buf_printf(out, "failed: %s\n", err_text(err, room, sizeof room));
}

static void assert_same(const char *says, struct str text)
{
    AUTO_BUF whole = {.limit = TEXT_MAX};
    AUTO_BUF pieces = {.limit = TEXT_MAX};
    char dir[] = "/tmp/plumb-pieces-XXXXXX", path[64];
    struct err err = {0}, other = {0};
    struct desired *desired = NULL;
    print_message("  %s: %zu bytes\n", says, text.len);
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/s.tfstate", dir);
    assert_true(io_write_file_atomic(path, text, 0600, &err));
    const struct stack stack = {.path = str_from(dir), .state = str_from(path)};
    (void)desired_open_state_text(text, path, &desired, &err);
    say(desired, &err, &whole);
    desired = NULL;
    (void)desired_open_stack_state(&stack, &desired, &other);
    say(desired, &other, &pieces);
    (void)remove(path);
    (void)remove(dir);
    assert_int_equal(err.kind, other.kind);
    assert_int_equal(whole.len, pieces.len);
    assert_memory_equal(whole.ptr, pieces.ptr, whole.len);
}

static void pieces_say_what_the_whole_says(void **state)
{
    (void)state;
    static const struct {
        const char *says;
        const char *before, *behind; /* of the resources */
        unsigned n;
        size_t filler;
        size_t cut; /* so many bytes of its end are missing */
    } cases[] = {
        {"small", "{" HEAD ",", "}", 3, 10, 0},
        {"as Terraform writes it", "{" HEAD ",", ",\"check_results\":null}\n", 9000, 300, 0},
        {"the head behind the resources", "{\"lineage\":\"l\",", ",\"serial\":3,\"version\":4}",
         9000, 300, 0},
        {"no version before the resources", "{", "," HEAD "}", 9000, 300, 0},
        {"large instances", "{" HEAD ",", "}", 5, 3 * MEGABYTE, 0},
        {"a key twice, behind all", "{" HEAD ",", ",\"serial\":3}", 9000, 300, 0},
        {"text behind the end", "{" HEAD ",", "}{}", 9000, 300, 0},
        {"cut short", "{" HEAD ",", "}", 9000, 300, 100},
        {"cut short in an instance", "{" HEAD ",", "}", 3, 2 * MEGABYTE, MEGABYTE},
        {"no version at all", "{\"lineage\":\"l\",", "}", 9000, 300, 0},
        {"another version", "{\"lineage\":\"l\",\"version\":3,", "}", 9000, 300, 0},
        {"another kind of document", "{\"format_version\":\"1.0\",", "}", 9000, 300, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_BUF text = {.limit = TEXT_MAX};
        buf_str(&text, str_from(cases[i].before));
        add_resources(&text, cases[i].n, cases[i].filler);
        buf_str(&text, str_from(cases[i].behind));
        assert_false(text.failed);
        assert_same(cases[i].says, str_sub(buf_view(&text), 0, text.len - cases[i].cut));
    }
}

static void what_stands_at_the_edge_of_a_piece_is_read(void **state)
{
    (void)state;
    /* A number, a word, a string, blanks and the end of all across the first edge. */
    for (unsigned back = 0; back < 60; back += 3) {
        AUTO_BUF text = {.limit = TEXT_MAX};
        buf_str(&text, STR("{" HEAD ",\"resources\":["));
        add_resource(&text, 0, MEGABYTE - 300 + back);
        buf_str(&text,
                STR(",{\"mode\":\"managed\",\"type\":\"t\",\"name\":\"\\u0061b\",\"provider\":"
                    "\"provider[\\\"a/b/c\\\"]\",\"instances\":[{\"index_key\":12345678,"
                    "\"attributes\":{\"x\":null,\"y\":1.25e3}}]}]}   \n"));
        assert_same("edge", buf_view(&text));
    }
    AUTO_BUF none = {.limit = TEXT_MAX};
    buf_str(&none, STR("{" HEAD ",\"resources\":[],\"outputs\":\""));
    for (size_t i = 0; i < 3 * MEGABYTE; i++)
        buf_char(&none, 'x');
    buf_str(&none, STR("\"}"));
    assert_same("no resources, much behind", buf_view(&none));
    buf_str(&none, STR("}"));
    assert_same("no resources, too much behind", buf_view(&none));
}

/* Names in an order that has nothing to do with that of the state, each found alone. */
static void only_what_is_wanted_is_given(void **state)
{
    (void)state;
    static const unsigned orders[][6] = {{0, 1, 2, 3, 8998, 8999},
                                         {8999, 8998, 3, 2, 1, 0},
                                         {7000, 1, 6999, 7001, 9000, 2},
                                         {5, 5, 4, 5, 9999, 8999}};
    AUTO_BUF text = {.limit = TEXT_MAX};
    char dir[] = "/tmp/plumb-pieces-XXXXXX", path[64];
    struct err err = {0};
    buf_str(&text, STR("{" HEAD ","));
    add_resources(&text, 9000, 300);
    buf_str(&text, STR("}"));
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/s.tfstate", dir);
    assert_true(io_write_file_atomic(path, buf_view(&text), 0600, &err));
    const struct stack stack = {.path = str_from(dir), .state = str_from(path)};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        struct desired *desired = NULL;
        assert_true(desired_open_stack_state(&stack, &desired, &err));
        for (size_t k = 0; k < 6; k++) {
            AUTO_ARENA arena = {.limit = 1 << 16};
            struct resource r;
            struct str name = arena_printf(&arena, "r%u", orders[i][k]);
            struct str want = arena_printf(&arena, "{\"n\":%u,", orders[i][k]);
            bool again = false;
            for (size_t before = 0; before < k; before++)
                again |= orders[i][before] == orders[i][k];
            bool found = desired_find(desired, STR("t"), name, &r, &err);
            assert_int_equal(err.kind, ERR_NONE);
            assert_int_equal(found, orders[i][k] < 9000 && !again);
            assert_true(!found || str_starts(r.attributes_json, want));
            assert_false(found && desired_find(desired, STR("t"), name, &r, &err));
        }
        desired_close(desired);
    }
    (void)remove(path);
    (void)remove(dir);
}

/* All that desired_find gives of one type and name, and in which order. */
static void assert_found(const char *says, const char *resources, const char *name,
                         const char *want)
{
    AUTO_BUF text = {.limit = TEXT_MAX};
    AUTO_BUF got = {.limit = TEXT_MAX};
    struct desired *desired = NULL;
    struct resource r;
    struct err err = {0};
    print_message("  %s\n", says);
    buf_printf(&text, "{" HEAD ",\"resources\":[%s]}", resources);
    assert_true(desired_open_state_text(buf_view(&text), "s", &desired, &err));
    while (desired_find(desired, STR("t"), str_from(name), &r, &err))
        buf_printf(&got, "%.*s;", STR_ARG(r.address));
    buf_str(&got, err.kind == ERR_NONE ? STR("") : STR("failed"));
    desired_close(desired);
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.ptr, want, got.len);
}

static void what_is_passed_over_may_look_like_anything(void **state)
{
    (void)state;
#define PROVIDER "\"provider\":\"provider[\\\"a/b/c\\\"]\""
#define T "{\"mode\":\"managed\",\"type\":\"t\"," PROVIDER ","
#define WANTED T "\"name\":\"w\",\"instances\":[{\"attributes\":{}}]}"
    static const struct {
        const char *says, *resources, *want;
    } cases[] = {
        {"nothing before it", WANTED, "t.w;"},
        {"brackets and quotes in strings",
         T "\"name\":\"a\",\"instances\":[{\"attributes\":{\"x\":\"]}]}\\\"]}]}\\\\\",\"y\":[[{}],"
           "\"{[\"]"
           "}}]}," WANTED,
         "t.w;"},
        {"a backslash at the end of a string, over and over",
         T "\"name\":\"a\",\"instances\":[{\"attributes\":{\"x\":"
           "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\\\\\"}}]}," WANTED,
         "t.w;"},
        {"the name behind the instances",
         "{\"instances\":[{\"attributes\":{\"name\":\"w\"}}],\"mode\":\"managed\",\"type\":\"t\","
         "\"name\":"
         "\"a\"," PROVIDER "}," WANTED,
         "t.w;"},
        {"no instances", T "\"name\":\"a\",\"instances\":null}," WANTED, "t.w;"},
        {"an empty list", T "\"name\":\"a\",\"instances\":[]}," WANTED, "t.w;"},
        {"members behind the instances",
         T "\"name\":\"a\",\"instances\":[{\"attributes\":{}}],\"x\":[{\"y\":[]}]}," WANTED,
         "t.w;"},
        {"its name with an escape",
         T "\"name\":\"\\u0077\",\"instances\":[{\"attributes\":{}}]}," WANTED, "t.w;t.w;"},
        {"twice, in modules",
         T "\"name\":\"w\",\"module\":\"module.m\",\"instances\":[{\"attributes\":{}}]}," WANTED,
         "module.m.t.w;t.w;"},
        {"brackets that do not end",
         T "\"name\":\"a\",\"instances\":[{\"attributes\":{\"x\":\"},]}", "failed"},
    };
#undef WANTED
#undef T
#undef PROVIDER
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_found(cases[i].says, cases[i].resources, "w", cases[i].want);
}

/* Terraform writes a local state in place: half of the old one and half of the new is neither. */
static void what_is_written_meanwhile_is_an_error(void **state)
{
    (void)state;
    AUTO_BUF text = {.limit = TEXT_MAX};
    char dir[] = "/tmp/plumb-pieces-XXXXXX", path[64], room[1000];
    struct err err = {0};
    struct desired *desired = NULL;
    struct resource r;
    buf_str(&text, STR("{" HEAD ","));
    add_resources(&text, 9000, 300);
    buf_str(&text, STR("}"));
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/s.tfstate", dir);
    assert_true(io_write_file_atomic(path, buf_view(&text), 0600, &err));
    const struct stack stack = {.path = str_from(dir), .state = str_from(path)};
    assert_true(desired_open_stack_state(&stack, &desired, &err));
    assert_true(desired_next(desired, &r, &err));
    const struct timespec times[] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    while (desired_next(desired, &r, &err)) {}
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_non_null(strstr(err_text(&err, room, sizeof room), "s.tfstate: it was written to"));
    desired_close(desired);
    (void)remove(path);
    (void)remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_say_what_the_whole_says),
        cmocka_unit_test(what_stands_at_the_edge_of_a_piece_is_read),
        cmocka_unit_test(only_what_is_wanted_is_given),
        cmocka_unit_test(what_is_passed_over_may_look_like_anything),
        cmocka_unit_test(what_is_written_meanwhile_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

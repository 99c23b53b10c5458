/* test_known.c - what is known of a state says what walking it says, for as long as it is that one.
 */
#include "base/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "desired/known.h"
#include "desired/source.h"
#include "model/stack.h"

enum { LIMIT = 64 << 20, HASH = 77 };

static void open_set(size_t bytes, struct known_states **ret)
{
    struct err err = {0};
    if (!known_states_open(bytes, ret, &err))
        fail_msg("%s", err.frame[0]);
}

static void open_state(const char *path, struct desired **ret)
{
    struct err err = {0};
    const struct stack stack = {.path = STR("."), .state = str_from(path)};
    if (!desired_open_stack_state(&stack, ret, &err))
        fail_msg("%s", err.frame[0]);
}

/* Walk and learn. settled: as if the file had been written long ago. */
static void learn(struct known_states *states, const char *path, bool settled)
{
    struct desired *desired;
    struct resource r;
    struct err err = {0};
    open_state(path, &desired);
    desired->state.big.id.settled |= settled;
    struct known_making *making = known_begin(states, desired);
    while (desired_next(desired, &r, &err))
        known_add(making, &r);
    assert_int_equal(err.kind, ERR_NONE);
    known_end(making, HASH);
    desired_close(desired);
}

static struct known *view(struct known_states *states, const char *path)
{
    const struct stack stack = {.path = STR("."), .state = str_from(path)};
    return known_open(states, &stack);
}

static void write_file(const char *path, struct str text)
{
    struct err err = {0};
    AUTO_FD fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && io_write_all(fd, text, &err));
}

static void add_str(struct buf *out, const char *name, struct str s)
{
    buf_printf(out, " %s=%.*s", name, STR_ARG(s));
}

static struct str line_of(struct arena *arena, const struct resource *r)
{
    AUTO_BUF out = {.limit = LIMIT};
    buf_printf(&out, "%.*s", STR_ARG(r->address));
    add_str(&out, "module", r->module);
    add_str(&out, "type", r->type);
    add_str(&out, "name", r->name);
    add_str(&out, "deposed", r->deposed);
    add_str(&out, "provider", r->provider);
    add_str(&out, "config", r->provider_config);
    add_str(&out, "attributes", r->attributes_json);
    add_str(&out, "private", r->private_base64);
    add_str(&out, "identity", r->identity_json);
    buf_printf(&out, " mode=%d version=%d tainted=%d cbd=%d", r->mode, (int)r->schema_version,
               r->tainted, r->create_before_destroy);
    for (size_t i = 0; i < r->ndependencies; i++)
        add_str(&out, "needs", r->dependencies[i]);
    for (size_t i = 0; i < r->nsensitive; i++)
        add_str(&out, "secret", path_text(arena, r->sensitive[i]));
    return arena_dup(arena, buf_view(&out));
}

/* Is it found by its address? Other instances of that address come besides. */
static void assert_found(struct arena *arena, struct known *known, const struct resource *want)
{
    struct resource got;
    struct err err = {0};
    bool found = false;
    struct str line = line_of(arena, want);
    assert_true(known_has(known, want->address));
    for (size_t at = 0; known_next(known, want->address, &at, &got, &err);)
        found |= str_equal(line, line_of(arena, &got));
    if (err.kind != ERR_NONE)
        fail_msg("%s", err.frame[0]);
    if (!found)
        fail_msg("not found: %.*s", STR_ARG(line));
}

static void it_says_what_the_walk_says(void **state)
{
    (void)state;
    static const char *const scenarios[] = {
        "foreach-weird-keys", "realistic-app", "deposed",   "tainted",      "sensitive-var",
        "drift-many",         "input-kinds",   "fake-full", "state-checks", "empty-tf"};
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        AUTO_ARENA arena = {.limit = LIMIT};
        struct known_states *states;
        struct desired *desired;
        struct resource r;
        struct err err = {0};
        const char *path =
            arena_printf(&arena, "tests/data/terraform/%s/after.tfstate", scenarios[i]).ptr;
        print_message("  %s\n", path);
        open_set(0, &states);
        learn(states, path, true);
        struct known *known = view(states, path);
        assert_non_null(known);
        assert_int_equal(known_hash(known), HASH);
        open_state(path, &desired);
        assert_true(str_equal(known_info(known)->label, desired_info(desired)->label));
        while (desired_next(desired, &r, &err))
            assert_found(&arena, known, &r);
        assert_false(known_has(known, STR("no.such")));
        desired_close(desired);
        known_close(known);
        known_states_close(states);
    }
}

#define STATE(n, instances) \
    "{\"version\":4,\"terraform_version\":\"1.9.0\",\"serial\":" n \
    ",\"lineage\":\"l\",\"resources\":[{\"mode\":\"managed\",\"type\":\"t\",\"name\":\"a\"," \
    "\"provider\":\"provider[\\\"registry.opentofu.org/b/c\\\"]\",\"instances\":[" instances \
    "]}]}"
#define ONE(v) "{\"schema_version\":0,\"attributes\":{\"v\":" v "}}"

struct lab {
    char dir[64], path[80];
    struct known_states *states;
};

static void lab_open(struct lab *lab, struct str text)
{
    *lab = (struct lab){.dir = "/tmp/plumb-known-XXXXXX"};
    assert_non_null(mkdtemp(lab->dir));
    (void)snprintf(lab->path, sizeof lab->path, "%s/s.tfstate", lab->dir);
    write_file(lab->path, text);
    open_set(0, &lab->states);
}

static void lab_close(struct lab *lab)
{
    known_states_close(lab->states);
    (void)unlink(lab->path);
    (void)rmdir(lab->dir);
}

static void what_was_written_just_now_is_read_again(void **state)
{
    (void)state;
    struct lab lab;
    lab_open(&lab, STR(STATE("1", ONE("1"))));
    learn(lab.states, lab.path, false);
    assert_null(view(lab.states, lab.path));
    assert_int_equal(known_states_bytes(lab.states), 0);
    lab_close(&lab);
}

/* Another size, another time with the same size, and another file in its place. */
static void another_version_is_not_known(void **state)
{
    (void)state;
    const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    struct lab lab;
    struct stat st;
    uint64_t hash = 0;
    lab_open(&lab, STR(STATE("1", ONE("1"))));
    const struct stack stack = {.path = STR("."), .state = str_from(lab.path)};
    assert_int_equal(utimensat(AT_FDCWD, lab.path, old, 0), 0);
    learn(lab.states, lab.path, true);
    assert_true(known_hash_now(lab.states, &stack, &hash) && hash == HASH);
    write_file(lab.path, STR(STATE("1", ONE("2"))));
    assert_int_equal(utimensat(AT_FDCWD, lab.path, old, 0), 0);
    assert_true(stat(lab.path, &st) == 0 && st.st_mtim.tv_sec == 1000);
    assert_false(known_hash_now(lab.states, &stack, &hash));
    assert_null(view(lab.states, lab.path));

    learn(lab.states, lab.path, true);
    write_file(lab.path, STR(STATE("10", ONE("2"))));
    assert_null(view(lab.states, lab.path));

    learn(lab.states, lab.path, true);
    assert_int_equal(unlink(lab.path), 0);
    assert_null(view(lab.states, lab.path));
    lab_close(&lab);
}

static void a_piece_that_changes_meanwhile_is_a_conflict(void **state)
{
    (void)state;
    struct lab lab;
    struct resource r;
    struct err err = {0};
    size_t at = 0;
    lab_open(&lab, STR(STATE("1", ONE("1"))));
    learn(lab.states, lab.path, true);
    struct known *known = view(lab.states, lab.path);
    assert_non_null(known);
    assert_true(known_opentofu(known));
    assert_true(known_next(known, STR("t.a"), &at, &r, &err));
    write_file(lab.path, STR(STATE("1", ONE("2"))));
    at = 0;
    assert_false(known_next(known, STR("t.a"), &at, &r, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
    err = (struct err){0};
    at = 0;
    write_file(lab.path, STR("{"));
    assert_false(known_next(known, STR("t.a"), &at, &r, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
    known_close(known);
    lab_close(&lab);
}

/* Sorted keys put the instances before what they are of. */
static void another_order_is_walked(void **state)
{
    (void)state;
    struct lab lab;
    lab_open(
        &lab,
        STR("{\"lineage\":\"l\",\"resources\":[{\"instances\":[" ONE(
            "1") "],"
                 "\"mode\":\"managed\",\"name\":\"a\",\"provider\":\"provider[\\\"h/b/c\\\"]\","
                 "\"type\":\"t\"}],\"serial\":1,\"terraform_version\":\"1.9.0\",\"version\":4}"));
    learn(lab.states, lab.path, true);
    assert_null(view(lab.states, lab.path));
    lab_close(&lab);
}

static void what_was_asked_for_the_longest_ago_goes_first(void **state)
{
    (void)state;
    struct lab lab[3];
    for (size_t i = 0; i < 3; i++)
        lab_open(&lab[i], STR(STATE("1", ONE("1"))));
    learn(lab[0].states, lab[0].path, true);
    size_t one = known_states_bytes(lab[0].states);
    struct known_states *states;
    open_set(2 * one + one / 2, &states);
    learn(states, lab[0].path, true);
    learn(states, lab[1].path, true);
    known_close(view(states, lab[0].path));
    struct known *held = view(states, lab[1].path);
    known_close(view(states, lab[0].path));
    learn(states, lab[2].path, true);
    assert_true(known_states_bytes(states) <= 2 * one + one / 2);
    assert_null(view(states, lab[1].path));
    struct known *first = view(states, lab[0].path), *third = view(states, lab[2].path);
    assert_true(first && third && held);
    assert_true(known_has(held, STR("t.a"))); /* a view stays */
    known_close(first);
    known_close(third);
    known_close(held);
    known_states_close(states);
    open_set(one - 1, &states);
    learn(states, lab[0].path, true); /* larger than all room */
    assert_int_equal(known_states_bytes(states), 0);
    known_states_close(states);
    for (size_t i = 0; i < 3; i++)
        lab_close(&lab[i]);
}

static void without_a_set_nothing_is_known(void **state)
{
    (void)state;
    struct lab lab;
    lab_open(&lab, STR(STATE("1", ONE("1"))));
    learn(NULL, lab.path, true);
    assert_null(view(NULL, lab.path));
    lab_close(&lab);
}

/* Nobody writes into it: who waits for that waits for ever. */
static void a_pipe_in_its_place_is_not_waited_for(void **state)
{
    (void)state;
    struct known_states *states;
    struct lab lab;
    lab_open(&lab, STR(STATE("1", ONE("1"))));
    open_set(LIMIT, &states);
    learn(states, lab.path, true);
    assert_int_equal(unlink(lab.path), 0);
    assert_int_equal(mkfifo(lab.path, 0600), 0);
    (void)alarm(20);
    assert_null(view(states, lab.path));
    (void)alarm(0);
    known_states_close(states);
    lab_close(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_what_the_walk_says),
        cmocka_unit_test(what_was_written_just_now_is_read_again),
        cmocka_unit_test(another_version_is_not_known),
        cmocka_unit_test(a_piece_that_changes_meanwhile_is_a_conflict),
        cmocka_unit_test(another_order_is_walked),
        cmocka_unit_test(what_was_asked_for_the_longest_ago_goes_first),
        cmocka_unit_test(without_a_set_nothing_is_known),
        cmocka_unit_test(a_pipe_in_its_place_is_not_waited_for),
    };
    return cmocka_run_group_tests_name("desired/known", tests, NULL, NULL);
}

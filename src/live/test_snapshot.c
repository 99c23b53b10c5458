/* test_snapshot.c - the snapshot document in all its forms, and a stack matched against it. */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "live/snapshot.h"
#include "model/stack.h"
#include "wire/json.h"

enum { LIMIT = 64 << 20 };

/* --- asking one address --- */

#define STATE_HEAD \
    "{\"version\":4,\"terraform_version\":\"1.9.0\",\"serial\":3,\"lineage\":\"l\",\"resources\":" \
    "["
#define RES(name, instances) \
    "{\"mode\":\"managed\",\"type\":\"t\",\"name\":\"" name \
    "\",\"provider\":\"provider[\\\"a/b/c\\\"]\",\"instances\":[" instances "]}"

static const struct {
    const char *text, *address;
    enum live_status status;
    const char *says; /* begin of the attributes, or the reason */
} answers[] = {
    {"{\"address\":\"t.a\",\"attributes\":{\"x\":1}}", "t.a", LIVE_READ, "{\"x\":1}"},
    {"{\"address\":\"t.a\",\"attributes\":{\"x\":1}}", "t.b", LIVE_UNREADABLE,
     "not in the snapshot"},
    {"{\"complete\":true}\n{\"address\":\"t.a\",\"attributes\":{}}\n", "t.b", LIVE_GONE, ""},
    {"{\"complete\":false}\n{\"address\":\"t.a\",\"attributes\":{}}\n", "t.b", LIVE_UNREADABLE,
     "not in the snapshot"},
    {"\n{\"address\":\"t.a\",\"attributes\":{}}\n\n{\"address\":\"t.b\",\"attributes\":{ }}\n",
     "t.b", LIVE_READ, "{ }"},
    {"[{\"address\":\"t.a\",\"attributes\":null}]", "t.a", LIVE_GONE, ""},
    {"[]", "t.a", LIVE_UNREADABLE, "not in the snapshot"},
    {"{\"resources\":[{\"address\":\"t.a\",\"type\":\"t\",\"attributes\":{\"x\":1}}]}", "t.a",
     LIVE_READ, "{\"x\":1}"},
    {"{\"resources\":[],\"complete\":true}", "t.a", LIVE_GONE, ""},
    {"{\"complete\":true,\"resources\":[{\"address\":\"t.a\",\"error\":\"no \\u0061ccess\"}]}",
     "t.a", LIVE_UNREADABLE, "no access"},
    {"{\"address\":\"t.a[\\\"k\\\"]\",\"attributes\":{}}", "t.a[\"k\"]", LIVE_READ, "{}"},
    {STATE_HEAD RES("n", "{\"index_key\":0,\"attributes\":{\"x\":1}}") "]}", "t.n[0]", LIVE_READ,
     "{\"x\":1}"},
    {STATE_HEAD RES("n", "{\"attributes_flat\":{}}") "]}", "t.n", LIVE_UNREADABLE,
     "the snapshot has it in the flatmap format"},
    {STATE_HEAD RES("n", "{}") "]}", "t.n", LIVE_READ, "{}"},
    {STATE_HEAD "]}", "t.n", LIVE_UNREADABLE, "not in the snapshot"},
    {"{\"format_version\":\"1.0\",\"values\":{\"root_module\":{\"resources\":[{\"address\":\"t.n\","
     "\"mode\":\"managed\",\"type\":\"t\",\"name\":\"n\",\"values\":{\"x\":1}}]}}}",
     "t.n", LIVE_READ, "{\"x\":1}"},
};

static void answers_by_address(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        AUTO_ARENA arena = {.limit = LIMIT};
        struct snapshot *snapshot;
        struct snapshot_answer got;
        struct err err = {0};
        if (!snapshot_open_text(str_from(answers[i].text), "s", &snapshot, &err))
            fail_msg("%s: %s", answers[i].text, err.frame[0]);
        assert_true(snapshot_find(snapshot, &arena, str_from(answers[i].address), &got, &err));
        if (got.status != answers[i].status)
            fail_msg("%s: status %d", answers[i].text, got.status);
        struct str said = got.status == LIVE_READ ? got.attributes_json : got.reason;
        if (!str_starts(said, str_from(answers[i].says)))
            fail_msg("%s: %.*s", answers[i].text, STR_ARG(said));
        snapshot_close(snapshot);
    }
}

static const struct {
    const char *text, *says;
} refused[] = {
    {"", "s is empty"},
    {"{\"format_version\":\"1.2\",\"resource_changes\":[]}", "plumb scan --plan s"},
    {"{\"address\":\"t.a\"}", "s:1:1: a resource wants \"attributes\""},
    {"{\"attributes\":{}}", "s:1:1: a resource wants \"address\""},
    {"{\"address\":\"\",\"attributes\":{}}", "wants \"address\""},
    {"{\"address\":7,\"attributes\":{}}", "wants \"address\""},
    {"{\"address\":\"a\",\"attributes\":[]}", "s:1:29: \"attributes\" are an object, or null"},
    {"{\"address\":\"a\",\"error\":1}", "\"error\" is a string"},
    {"{\"complete\":1}", "\"complete\" is true or false"},
    {"{\"address\":\"a\",\"attributes\":{}}\n{\"address\":\"a\",\"attributes\":{}}",
     "s:2:13: a stands here for the second time"},
    {"[{\"address\":\"a\",\"attributes\":{}}", "the text ends too early"},
    {"[{\"address\":\"a\",\"attributes\":{\"x\":01}}]", "must not begin with 0"},
    {"[{\"address\":\"a\",\"attributes\":{\"x\":\"\xff\"}}]", "not UTF-8"},
    {"[] []", "more text behind the end"},
    {"{\"address\":\"a\",\"address\":\"a\",\"attributes\":{}}", "this key stands here twice"},
    {"hello", "expected an object"},
};

static void refuses_with_a_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct snapshot *snapshot;
        struct err err = {0};
        char room[2000];
        assert_false(snapshot_open_text(str_from(refused[i].text), "s", &snapshot, &err));
        if (!strstr(err_text(&err, room, sizeof room), refused[i].says))
            fail_msg("%s: %s", refused[i].text, room);
    }
}

/* --- a whole stack --- */

struct fixture {
    char dir[64], live[80];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f)
        return -1;
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/plumb-snapshot-XXXXXX");
    *state = f;
    if (!mkdtemp(f->dir))
        return -1;
    (void)snprintf(f->live, sizeof f->live, "%s/live.json", f->dir);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", f->dir);
    int failed = system(command);
    free(f);
    return failed;
}

static void put(const struct fixture *f, const char *name, struct str text)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct str path = io_join(&arena, str_from(f->dir), str_from(name));
    if (!io_write_file_atomic(path.ptr, text, 0600, &err))
        fail_msg("%s", err.frame[0]);
}

/* A line per result: address, status, both values. */
static bool note(void *ctx, const struct live_result *result, struct err *err)
{
    static const char *const names[] = {"unreadable", "gone", "read"};
    struct buf *out = ctx;
    struct jsonw w = {.out = out};
    (void)err;
    buf_printf(out, "%.*s %s %.*s", STR_ARG(result->resource->address), names[result->status],
               STR_ARG(result->reason));
    if (result->status == LIVE_READ) {
        jsonw_value(&w, &result->desired);
        buf_char(out, ' ');
        w = (struct jsonw){.out = out};
        jsonw_value(&w, &result->live);
    }
    buf_char(out, '\n');
    return true;
}

static bool match(const struct fixture *f, const struct snapshot_match_options *options,
                  struct buf *out, struct snapshot_match *ret, struct err *err)
{
    AUTO_ARENA arena = {.limit = LIMIT};
    struct stack stack = {.path = str_from(f->dir), .workspace = STR("default")};
    return snapshot_match(&arena, &stack, str_from(f->live), options, note, out, ret, err);
}

static bool not_e(const void *ctx, struct str address)
{
    (void)ctx;
    return !str_starts(address, STR("t.e"));
}

#define KEYED \
    "{\"index_key\":\"a\\\"$" \
    "{b}\",\"attributes\":{\"v\":\"\xc3\xa4\",\"w\":1.0}}," \
    "{\"index_key\":7,\"attributes\":{\"v\":[1,2]}}," \
    "{\"index_key\":7,\"deposed\":\"00112233\",\"attributes\":{\"v\":null}}"

static const char state_text[] =
    STATE_HEAD RES("a", "{\"attributes\":{\"x\":1,\"y\":[]}}") "," RES("b", KEYED) "," RES(
        "c",
        "{\"at"
        "tribu"
        "tes\""
        ":{"
        "\"x\""
        ":1}}") "," RES("d",
                        "{\"attributes\":{\"x\":1}}") "," RES("e",
                                                              "{\"attributes\":{\"x\":1}"
                                                              "}") "," RES("f",
                                                                           "{\"attributes"
                                                                           "_flat\":{"
                                                                           "\"x\":\"1\"}"
                                                                           "}") "," RES("g",
                                                                                        "{\"attribu"
                                                                                        "tes\":"
                                                                                        "{\"x\":1,"
                                                                                        "\"x\":"
                                                                                        "2}}") "," RES("h",
                                                                                                       "{"
                                                                                                       "}") ","
                                                                                                            "{\"mode\":\"data\",\"type\":\"t\",\"name\":\"z\",\"provider\":\"provider[\\\"a/b/c\\\"]\","
                                                                                                            "\"instances\":[{\"attributes\":{\"x\":9}}]}]}";

static const char live_text[] =
    "{\"address\":\"t.a\",\"attributes\":{ \"y\" : [ ], \"x\" : 1 }}\n"
    "{\"address\":\"t.b[\\\"a\\\\\\\"$$"
    "{b}\\\"]\",\"attributes\":{\"v\":\"a\\u0308\",\"w\":1}}\n"
    "{\"address\":\"t.b[7]\",\"attributes\":{\"v\":[1,3]}}\n"
    "{\"address\":\"t.b[7] (deposed 00112233)\",\"attributes\":{\"v\":null}}\n"
    "{\"address\":\"t.c\",\"attributes\":null}\n"
    "{\"address\":\"t.d\",\"error\":\"no access\"}\n"
    "{\"address\":\"t.f\",\"attributes\":{\"x\":\"1\"}}\n"
    "{\"address\":\"t.g\",\"attributes\":{\"x\":1,\"x\":2}}\n"
    "{\"address\":\"t.h\",\"attributes\":{}}\n"
    "{\"address\":\"t.unmanaged\",\"attributes\":{}}\n";

static const char want[] =
    "t.b[7] read {\"v\":[1,2]} {\"v\":[1,3]}\n"
    "t.b[7] (deposed 00112233) read {\"v\":null} {\"v\":null}\n"
    "t.c gone \n"
    "t.d unreadable no access\n"
    "t.e unreadable not in the snapshot\n"
    "t.f unreadable recorded in the flatmap format of Terraform 0.11: apply it once with a newer "
    "version\n"
    "t.g unreadable the recorded attributes: desired:1:8: duplicate key \"x\"\n";

static void gives_what_is_not_the_same_in_order(void **state)
{
    struct fixture *f = *state;
    put(f, "terraform.tfstate", STR(state_text));
    put(f, "live.json", STR(live_text));
    for (unsigned threads = 0; threads < 3; threads++) {
        AUTO_BUF out = {.limit = LIMIT};
        struct snapshot_match got;
        struct err err = {0};
        const struct snapshot_match_options options = {.threads = threads};
        if (!match(f, &options, &out, &got, &err))
            fail_msg("%s", err.frame[0]);
        buf_char(&out, '\0');
        assert_string_equal(out.ptr, want);
        assert_int_equal(got.resources, 10);
        assert_int_equal(got.same, 3);
        assert_int_equal(got.same_leaves, 2 + 2 + 1);
        assert_false(got.no_state);
    }
}

static void only_what_is_wanted_or_all_of_it(void **state)
{
    struct fixture *f = *state;
    put(f, "terraform.tfstate", STR(state_text));
    put(f, "live.json", STR(live_text));
    AUTO_BUF out = {.limit = LIMIT}, all = {.limit = LIMIT};
    struct snapshot_match got;
    struct err err = {0};
    assert_true(match(f, &(struct snapshot_match_options){.wanted = not_e}, &out, &got, &err));
    assert_int_equal(got.resources, 9);
    buf_char(&out, '\0');
    assert_null(strstr(out.ptr, "t.e"));
    assert_true(match(f, &(struct snapshot_match_options){.show_same = true}, &all, &got, &err));
    assert_int_equal(got.resources, 10);
    assert_int_equal(got.same, 0);
    buf_char(&all, '\0');
    assert_non_null(strstr(all.ptr, "t.h read {} {}\n"));
}

static void real_states_against_themselves(void **state)
{
    struct fixture *f = *state;
    static const char *const scenarios[] = {"realistic-app", "deposed", "foreach-weird-keys",
                                            "input-kinds", "fake-full"};
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        for (int turn = 0; turn < 4; turn++) { /* state or show -json on either side */
            AUTO_ARENA arena = {.limit = LIMIT};
            AUTO_BUF out = {.limit = LIMIT};
            struct snapshot_match got;
            struct err err = {0};
            struct str text[2];
            for (int k = 0; k < 2; k++) {
                struct str path =
                    arena_printf(&arena, "tests/data/terraform/%s/after.%s", scenarios[i],
                                 turn >> k & 1 ? "tfstate" : "state.json");
                assert_true(io_read_file(&arena, path.ptr, LIMIT, &text[k], &err));
            }
            put(f, "terraform.tfstate", text[0]);
            put(f, "live.json", text[1]);
            if (!match(f, &(struct snapshot_match_options){0}, &out, &got, &err))
                fail_msg("%s", err.frame[0]);
            buf_char(&out, '\0');
            if (strcmp(scenarios[i], "deposed") == 0) { /* the deposed object has to be named */
                assert_int_equal(got.resources - got.same, 1);
                assert_non_null(strstr(out.ptr, "fake_bucket.b (deposed 1342c151) read"));
                continue;
            }
            assert_string_equal(out.ptr, "");
            assert_true(got.resources > 0);
            assert_int_equal(got.same, got.resources);
        }
    }
}

static void what_cannot_be_read_fails_as_a_whole(void **state)
{
    struct fixture *f = *state;
    AUTO_BUF out = {.limit = LIMIT};
    struct snapshot_match got = {0};
    struct err err = {0};
    char room[2000];
    const struct snapshot_match_options options = {0};
    put(f, "live.json", STR(live_text));
    assert_true(match(f, &options, &out, &got, &err));
    assert_true(got.no_state);
    for (size_t len = 1; len < sizeof state_text - 1; len += 3) {
        put(f, "terraform.tfstate", (struct str){state_text, len});
        err_clear(&err);
        assert_false(match(f, &options, &out, &got, &err));
        assert_int_not_equal(err.kind, ERR_NONE);
    }
    put(f, "terraform.tfstate", STR(state_text));
    put(f, "live.json", STR("{\"address\":"));
    err_clear(&err);
    assert_false(match(f, &options, &out, &got, &err));
    assert_non_null(strstr(err_text(&err, room, sizeof room), "live.json:1:12: the text ends"));
    assert_int_equal(unlink(f->live), 0);
    err_clear(&err);
    assert_false(match(f, &options, &out, &got, &err));
    assert_non_null(strstr(err_text(&err, room, sizeof room), "live snapshot: open "));
    const volatile int cancel = 1;
    put(f, "live.json", STR(live_text));
    err_clear(&err);
    assert_false(match(f, &(struct snapshot_match_options){.cancel = &cancel}, &out, &got, &err));
    assert_int_equal(err.kind, ERR_CANCELLED);
}

/* Enough for several chunks on several threads; every 997th differs. */
static void many_instances_in_the_same_order_always(void **state)
{
    enum { N = 30000 };
    struct fixture *f = *state;
    AUTO_BUF text = {.limit = LIMIT}, live = {.limit = LIMIT}, first = {.limit = LIMIT};
    buf_str(&text, STR(STATE_HEAD));
    buf_str(&live, STR("{\"complete\":true}\n"));
    for (int i = 0; i < N; i++) {
        buf_printf(&text,
                   "%s" RES("n%d", "{\"index_key\":%d,\"attributes\":{\"a\":%d,\"b\":\"x\"}}"),
                   i ? ",\n" : "", i / 100, i, i);
        if (i % 1000 == 999)
            continue; /* gone */
        buf_printf(&live, "{\"attributes\":{\"a\":%d,\"b\":\"%s\"},\"address\":\"t.n%d[%d]\"}\n", i,
                   i % 997 == 5 ? "y" : "x", i / 100, i);
    }
    buf_str(&text, STR("]}"));
    put(f, "terraform.tfstate", buf_view(&text));
    put(f, "live.json", buf_view(&live));
    for (unsigned threads = 1; threads < 5; threads++) {
        AUTO_BUF out = {.limit = LIMIT};
        struct snapshot_match got;
        struct err err = {0};
        if (!match(f, &(struct snapshot_match_options){.threads = threads}, &out, &got, &err))
            fail_msg("%s", err.frame[0]);
        assert_int_equal(got.resources, N);
        assert_int_equal(got.same, N - 30 - 31 + 1); /* 1,999 is both */
        assert_int_equal(got.same_leaves, 2 * got.same);
        if (threads == 1)
            buf_str(&first, buf_view(&out));
        assert_true(str_equal(buf_view(&first), buf_view(&out)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_by_address),
        cmocka_unit_test(refuses_with_a_place),
        cmocka_unit_test_setup_teardown(gives_what_is_not_the_same_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(only_what_is_wanted_or_all_of_it, setup, teardown),
        cmocka_unit_test_setup_teardown(real_states_against_themselves, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_fails_as_a_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(many_instances_in_the_same_order_always, setup, teardown),
    };
    return cmocka_run_group_tests_name("live/snapshot", tests, NULL, NULL);
}

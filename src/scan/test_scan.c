/* test_scan.c - scan_stack() over stacks that the test writes: files, snapshots, no reader at all.
 */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/io.h"
#include "base/proc.h"
#include "desired/known.h"
#include "scan/scan.h"

/* --- a stack in a folder of its own --- */

struct lab {
    char dir[64];
    struct stack stack;
    struct scan_options options;
};

static void lab_open(struct lab *lab)
{
    *lab = (struct lab){.dir = "/tmp/plumb-scan-XXXXXX"};
    assert_non_null(mkdtemp(lab->dir));
    lab->stack = (struct stack){.name = STR("infra/web"),
                                .path = str_from(lab->dir),
                                .workspace = STR("default"),
                                .environment = STR("prod"),
                                .data_dir = STR(".terraform")};
    lab->options.now_utc_ms = 1000;
}

static void lab_close(struct lab *lab)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    const char *argv[] = {"rm", "-rf", lab->dir, NULL};
    struct proc_result ran;
    assert_true(proc_run(&arena, &(struct proc_spec){.argv = argv}, &ran, NULL));
}

static void put(const struct lab *lab, const char *name, struct str content, unsigned mode)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct str path = io_join(&arena, str_from(lab->dir), str_from(name));
    struct err err = {0};
    if (!io_write_file_atomic(path.ptr, content, mode, &err))
        fail_msg("%s", err.frame[0]);
    assert_int_equal(chmod(path.ptr, mode), 0);
}

#define STATE(resources) \
    "{\"version\":4,\"terraform_version\":\"1.11.4\",\"serial\":3,\"lineage\":\"l\",\"outputs\":{" \
    "}," \
    "\"resources\":[" resources "],\"check_results\":null}"
#define RESOURCE(mode, type, name, provider, instances) \
    "{\"mode\":\"" mode "\",\"type\":\"" type "\",\"name\":\"" name \
    "\",\"provider\":\"provider[\\\"registry.terraform.io/" provider \
    "\\\"]\",\"instances\":[" instances "]}"
#define FILE_AT(name, content) \
    "{\"schema_version\":0,\"attributes\":{\"filename\":\"" name "\",\"content\":\"" content \
    "\",\"file_permission\":\"0644\",\"id\":null},\"sensitive_attributes\":[]}"
#define KEYED(key, rest) "{\"index_key\":\"" key "\"," rest
#define WEB(key, size) \
    "{\"index_key\":" key ",\"schema_version\":0,\"attributes\":{\"id\":\"w\",\"size\":" size \
    ",\"pw\":\"hush\"},\"sensitive_attributes\":[[{\"type\":\"get_attr\",\"value\":\"pw\"}]]}"

static void scan(struct arena *arena, const struct lab *lab, struct stack_result *ret)
{
    struct err err = {0};
    if (!scan_stack(arena, &lab->stack, &lab->options, ret, &err))
        fail_msg("%s", err.frame[0]);
}

/* "class address: reason" a line. */
static const char *print(struct arena *arena, const struct stack_result *result)
{
    struct str text = STR("");
    for (size_t i = 0; i < result->nfindings; i++)
        text =
            arena_printf(arena, "%.*s%s %.*s: %.*s\n", STR_ARG(text),
                         finding_class_name(result->findings[i].class_),
                         STR_ARG(result->findings[i].address), STR_ARG(result->findings[i].reason));
    return text.ptr;
}

static bool has_note(const struct stack_result *result, const char *part)
{
    for (size_t i = 0; i < result->nnotes; i++)
        if (str_find(result->notes[i], str_from(part), 0) != SIZE_MAX)
            return true;
    return false;
}

/* --- readers --- */

#define FILES \
    STATE(RESOURCE("data", "local_file", "read", "hashicorp/local", FILE_AT("a", "x")) "," RESOURCE( \
        "managed", "local_file", "same", "hashicorp/local", \
        FILE_AT( \
            "a", \
            "one")) "," RESOURCE("managed", "local_file", "changed", "hashicorp/local", \
                                 FILE_AT( \
                                     "b", \
                                     "two")) "," RESOURCE("managed", "local_file", "gone", \
                                                          "hashicorp/local", \
                                                          FILE_AT( \
                                                              "c", \
                                                              "three")) "," RESOURCE("managed", \
                                                                                     "local_" \
                                                                                     "sensitive_" \
                                                                                     "file", \
                                                                                     "key", \
                                                                                     "hashicorp/" \
                                                                                     "local", \
                                                                                     FILE_AT( \
                                                                                         "d", \
                                                                                         "hush")) "," RESOURCE("managed", \
                                                                                                               "other_thing", \
                                                                                                               "x", \
                                                                                                               "nobody/other", \
                                                                                                               "{\"schema_version\":0,\"attributes\":{}}"))

static void files_are_read_and_the_unreadable_is_said(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct lab lab;
    struct stack_result got;
    lab_open(&lab);
    put(&lab, "terraform.tfstate", STR(FILES), 0600);
    put(&lab, "a", STR("one"), 0644);
    put(&lab, "b", STR("other"), 0644);
    put(&lab, "d", STR("psst"), 0644);
    scan(&arena, &lab, &got);
    print_message("%s", print(&arena, &got));
    assert_int_equal(got.failed.len, 0);
    assert_int_equal(got.nfindings, 4);
    static const struct {
        const char *address;
        enum finding_class class_;
    } want[] = {
        {"local_file.changed", CLASS_CONTRADICTS_CODE},
        {"local_file.gone", CLASS_MISSING},
        {"local_sensitive_file.key", CLASS_CONTRADICTS_CODE},
        {"other_thing.x", CLASS_UNCHECKED},
    };
    for (size_t i = 0; i < 4; i++) {
        assert_true(str_equal(got.findings[i].address, str_from(want[i].address)));
        assert_int_equal(got.findings[i].class_, want[i].class_);
        assert_true(str_equal(got.findings[i].stack, STR("infra/web")));
    }
    const struct change *secret = &got.findings[2].changes[0];
    assert_true(secret->sensitive);
    assert_true(str_equal(value_text(secret->after), STR("(sensitive)")));
    const struct coverage *c = &got.coverage;
    assert_int_equal(c->resources, 5); /* data sources are no part of it */
    assert_int_equal(c->compared, 4);
    assert_int_equal(c->same, 1);
    assert_int_equal(c->different, 2);
    assert_int_equal(c->missing, 1);
    assert_int_equal(c->unchecked, 1);
    assert_int_equal(c->nreasons, 1);
    assert_true(str_equal(c->reasons[0].reason, got.findings[3].reason));
    assert_true(str_find(got.source, STR("serial 3"), 0) != SIZE_MAX);
    struct scan_result all = {&got, 1};
    assert_int_equal(scan_exit_code(&all, FAIL_ON_DEFAULT), EXIT_DRIFT);

    /* A target is a resource or what it is inside of. */
    const struct str targets[] = {STR("local_file.same"), STR("local_*.gone")};
    lab.options.targets = targets;
    lab.options.ntargets = 2;
    scan(&arena, &lab, &got);
    assert_int_equal(got.coverage.resources, 2);
    assert_int_equal(got.nfindings, 1);
    const struct str none[] = {STR("local_file.sam")};
    lab.options.targets = none;
    lab.options.ntargets = 1;
    scan(&arena, &lab, &got);
    assert_int_equal(got.coverage.resources, 0);
    assert_true(has_note(&got, "matches the targets"));
    lab_close(&lab);
}

static void the_same_stack_gives_the_same_bytes(void **state)
{
    (void)state;
    struct lab lab;
    char first[33] = "";
    lab_open(&lab);
    put(&lab, "terraform.tfstate", STR(FILES), 0600);
    for (int round = 0; round < 2; round++) {
        AUTO_ARENA arena = {.limit = 64 << 20};
        struct stack_result got;
        scan(&arena, &lab, &got);
        if (round)
            assert_string_equal(got.findings[0].fingerprint, first);
        memcpy(first, got.findings[0].fingerprint, 33);
    }
    lab_close(&lab);
}

/* --- stacks that can not be scanned --- */

static void what_can_not_be_scanned_is_failed(void **state)
{
    (void)state;
    static const struct {
        const char *state, *part;
    } bad[] = {
        {NULL, "no state yet"},
        {"{\"version\":4,", "terraform.tfstate"},
        {"{\"version\":3}", "version"},
        {"nonsense", "terraform.tfstate"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        AUTO_ARENA arena = {.limit = 64 << 20};
        struct lab lab;
        struct stack_result got;
        lab_open(&lab);
        if (bad[i].state)
            put(&lab, "terraform.tfstate", str_from(bad[i].state), 0600);
        scan(&arena, &lab, &got);
        print_message("  %.*s\n", STR_ARG(got.failed));
        assert_true(str_find(got.failed, str_from(bad[i].part), 0) != SIZE_MAX);
        struct scan_result all = {&got, 1};
        assert_int_equal(scan_exit_code(&all, FAIL_ON_DEFAULT), EXIT_ERROR);
        lab_close(&lab);
    }
}

static void an_empty_state_is_in_sync(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct lab lab;
    struct stack_result got;
    lab_open(&lab);
    put(&lab, "terraform.tfstate", STR(STATE("")), 0600);
    scan(&arena, &lab, &got);
    assert_int_equal(got.failed.len, 0);
    assert_int_equal(got.coverage.resources, 0);
    lab_close(&lab);
}

/* --- snapshots --- */

#define LIVE(key, size, pw) \
    "{\"address\":\"aws_web.w[" key "]\",\"attributes\":{\"pw\":\"" pw "\",\"size\":" size \
    ",\"id\":\"w\"}}\n"

static void a_snapshot_is_compared_like_anything_else(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct lab lab;
    struct stack_result got;
    lab_open(&lab);
    put(&lab, "terraform.tfstate",
        STR(STATE(RESOURCE("managed", "aws_web", "w", "hashicorp/aws",
                           WEB("0", "1") "," WEB("1", "1") "," WEB("2", "1") "," WEB("3", "1")))),
        0600);
    put(&lab, "live.ndjson",
        STR(LIVE("0", "1.0", "hush") LIVE("1", "2", "hush") LIVE("2", "1", "psst")), 0600);
    lab.options.snapshot = io_join(&arena, str_from(lab.dir), STR("live.ndjson"));
    scan(&arena, &lab, &got);
    print_message("%s", print(&arena, &got));
    assert_int_equal(got.failed.len, 0);
    assert_int_equal(got.coverage.resources, 4);
    assert_int_equal(got.coverage.same, 1);
    assert_int_equal(got.coverage.different, 2);
    assert_int_equal(got.coverage.attributes_compared, 9);
    assert_int_equal(got.coverage.unchecked, 1); /* not listed, and not said to be complete */
    assert_int_equal(got.nfindings, 3);
    assert_string_equal(got.findings[0].changes[0].path.ptr, "size");
    assert_true(got.findings[1].changes[0].sensitive);

    struct stack plain = lab.stack;
    plain.snapshot = STR("/nonexistent/live.json");
    lab.options.snapshot = (struct str){0};
    lab.stack = plain;
    scan(&arena, &lab, &got);
    assert_true(str_find(got.failed, STR("/nonexistent/live.json"), 0) != SIZE_MAX);
    lab_close(&lab);
}

/* --- deposed and tainted, streaming, cancelling --- */

static void deposed_and_tainted_objects_are_noted(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct lab lab;
    struct stack_result got;
    lab_open(&lab);
    put(&lab, "terraform.tfstate",
        STR(STATE(RESOURCE(
            "managed", "local_file", "f", "hashicorp/local",
            FILE_AT("a",
                    "one") ",{\"deposed\":\"0badcafe\",\"schema_version\":0,\"attributes\":{"
                           "\"filename\":\"gone\",\"content\":\"x\"}},{\"deposed\":\"1badcafe\","
                           "\"schema_version\":0,\"attributes\":{\"filename\":\"a\",\"content\":"
                           "\"x\"}}") "," RESOURCE("managed", "local_file", "t", "hashicorp/local",
                                                   "{\"status\":\"tainted\","
                                                   "\"schema_version\":0,"
                                                   "\"attributes\":{\"filename\":\"a\",\"content\":"
                                                   "\"one\"}}"))),
        0600);
    put(&lab, "a", STR("one"), 0644);
    scan(&arena, &lab, &got);
    print_message("%s", print(&arena, &got));
    assert_true(has_note(&got, "local_file.f (deposed 0badcafe) is gone"));
    assert_true(has_note(&got, "local_file.f (deposed 1badcafe) still exists"));
    assert_true(has_note(&got, "local_file.t is tainted"));
    assert_int_equal(got.nfindings, 1);
    assert_int_equal(got.findings[0].class_, CLASS_STATE_ONLY);
    assert_true(got.findings[0].deposed);
    assert_int_equal(got.coverage.resources, 4);
    assert_int_equal(got.coverage.missing, 0);
    struct scan_result all = {&got, 1};
    assert_int_equal(scan_exit_code(&all, FAIL_ON_DEFAULT), EXIT_IN_SYNC);
    lab_close(&lab);
}

static bool refuse(void *ctx, const struct finding *finding, struct err *err)
{
    int *seen = ctx;
    (void)finding;
    ++*seen;
    return err_set(err, ERR_IO, "closed pipe");
}

static void streaming_and_cancelling_end_it(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct lab lab;
    struct stack_result got = {.desired = STR("untouched")};
    struct err err = {0};
    int seen = 0, cancel = 1;
    lab_open(&lab);
    put(&lab, "terraform.tfstate", STR(FILES), 0600);
    lab.options.on_finding = refuse;
    lab.options.ctx = &seen;
    assert_false(scan_stack(&arena, &lab.stack, &lab.options, &got, &err));
    assert_int_equal(err.kind, ERR_IO);
    assert_int_equal(seen, 1);
    lab.options.on_finding = NULL;
    lab.options.reader.cancel = &cancel;
    assert_false(scan_stack(&arena, &lab.stack, &lab.options, &got, &err));
    assert_int_equal(err.kind, ERR_CANCELLED);
    assert_true(str_equal(got.desired, STR("untouched")));
    lab_close(&lab);
}

static void a_small_arena_is_an_error_not_a_short_list(void **state)
{
    (void)state;
    struct lab lab;
    bool whole = false;
    lab_open(&lab);
    put(&lab, "terraform.tfstate", STR(FILES), 0600);
    for (size_t limit = 0; limit < (4 << 20) && !whole; limit += 3000) {
        AUTO_ARENA arena = {.limit = limit};
        struct stack_result got = {0};
        struct err err = {0};
        whole = scan_stack(&arena, &lab.stack, &lab.options, &got, &err) && !got.failed.len;
        if (whole)
            assert_int_equal(got.coverage.resources, 5);
        else
            assert_true(got.failed.len || err.kind == ERR_LIMIT);
    }
    assert_true(whole);
    lab_close(&lab);
}

/* --- many --- */

static void many_instances_are_counted_one_by_one(void **state)
{
    (void)state;
    enum { N = 20000 };
    AUTO_ARENA arena = {.limit = 256 << 20};
    AUTO_BUF text = {.limit = 64 << 20};
    struct lab lab;
    struct stack_result got;
    lab_open(&lab);
    buf_str(&text,
            STR("{\"version\":4,\"terraform_version\":\"1.11.4\",\"serial\":1,\"lineage\":\"l\","
                "\"outputs\":{},\"resources\":["));
    buf_str(&text,
            STR("{\"mode\":\"managed\",\"type\":\"local_file\",\"name\":\"f\",\"provider\":"
                "\"provider[\\\"registry.terraform.io/hashicorp/local\\\"]\",\"instances\":["));
    for (int i = 0; i < N; i++)
        buf_printf(&text,
                   "%s{\"index_key\":%d,\"schema_version\":0,\"attributes\":{\"filename\":\"%s\","
                   "\"content\":\"one\"}}",
                   i ? "," : "", i, i % 2 ? "a" : "gone");
    buf_str(&text, STR("]}],\"check_results\":null}"));
    put(&lab, "terraform.tfstate", buf_view(&text), 0600);
    put(&lab, "a", STR("one"), 0644);
    scan(&arena, &lab, &got);
    assert_int_equal(got.coverage.resources, N);
    assert_int_equal(got.coverage.same, N / 2);
    assert_int_equal(got.coverage.missing, N / 2);
    assert_int_equal(got.nfindings, N / 2);
    for (size_t i = 1; i < got.nfindings; i++)
        assert_true(str_compare(got.findings[i - 1].address, got.findings[i].address) < 0);
    lab_close(&lab);
}

/* --- known states --- */

struct telling {
    unsigned told, asked; /* on_state, knows_state */
    uint64_t hash;
};

static bool hear_state(void *ctx, struct str text, const char *name, struct err *err)
{
    struct telling *telling = ctx;
    (void)name;
    (void)err;
    telling->told++;
    telling->hash = hash_bytes(text, 0);
    return true;
}

static bool know_state(void *ctx, uint64_t hash, bool *ret, struct err *err)
{
    struct telling *telling = ctx;
    (void)err;
    telling->asked++;
    *ret = hash == telling->hash;
    return true;
}

#define KNOWN(content) \
    STATE(RESOURCE("managed", "local_file", "one", "hashicorp/local", \
                   FILE_AT("a", content)) "," RESOURCE("managed", "local_file", "other", \
                                                       "hashicorp/local", FILE_AT("b", "two")))

/* Of a state that was walked before, a scan of one address reads that one; a state that was written
 * since is noticed at once. */
static void a_known_state_is_compared_as_one_that_is_walked(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 64 << 20};
    const struct timespec settle = {.tv_sec = 2, .tv_nsec = 200000000};
    static const struct str address = STR_INIT("local_file.one");
    struct lab lab;
    struct telling telling = {0};
    struct stack_result whole, walked, known, after;
    uint64_t hash = 0;
    lab_open(&lab);
    put(&lab, "terraform.tfstate", STR(KNOWN("abc")), 0644);
    put(&lab, "main.tf", STR("resource \"local_file\" \"one\" {\n  filename = \"a\"\n}\n"), 0644);
    assert_true(known_states_open(0, &lab.options.known, NULL));
    lab.options.on_state = hear_state;
    lab.options.knows_state = know_state;
    lab.options.on_state_ctx = &telling;
    (void)nanosleep(&settle, NULL);
    scan(&arena, &lab, &whole);
    assert_int_equal(telling.told, 1);
    assert_true(known_states_bytes(lab.options.known) > 0);
    assert_true(scan_state_hash(&lab.stack, lab.options.known, &hash, NULL));
    assert_int_equal(hash, whole.state_hash);

    lab.options.exact = true;
    lab.options.addresses = &address;
    lab.options.naddresses = 1;
    scan(&arena, &lab, &known);
    assert_int_equal(telling.asked, 1);
    assert_int_equal(telling.told, 1);
    struct known_states *states = lab.options.known;
    lab.options.known = NULL;
    scan(&arena, &lab, &walked);
    lab.options.known = states;
    assert_int_equal(telling.asked, 1);
    assert_int_equal(known.state_hash, walked.state_hash);
    assert_string_equal(print(&arena, &known), print(&arena, &walked));
    assert_true(str_equal(known.source, walked.source));
    assert_int_equal(known.nnotes, walked.nnotes);
    assert_int_equal(known.coverage.resources, 1);
    assert_int_equal(known.nfindings, 1);

    put(&lab, "terraform.tfstate", STR(KNOWN("abd")), 0644);
    assert_true(scan_state_hash(&lab.stack, states, &hash, NULL));
    assert_int_not_equal(hash, known.state_hash);
    scan(&arena, &lab, &after);
    assert_int_equal(after.state_hash, hash);
    known_states_close(states);
    lab_close(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_read_and_the_unreadable_is_said),
        cmocka_unit_test(the_same_stack_gives_the_same_bytes),
        cmocka_unit_test(what_can_not_be_scanned_is_failed),
        cmocka_unit_test(an_empty_state_is_in_sync),
        cmocka_unit_test(a_snapshot_is_compared_like_anything_else),
        cmocka_unit_test(deposed_and_tainted_objects_are_noted),
        cmocka_unit_test(streaming_and_cancelling_end_it),
        cmocka_unit_test(a_small_arena_is_an_error_not_a_short_list),
        cmocka_unit_test(many_instances_are_counted_one_by_one),
        cmocka_unit_test(a_known_state_is_compared_as_one_that_is_walked),
    };
    return cmocka_run_group_tests_name("scan/scan", tests, NULL, NULL);
}

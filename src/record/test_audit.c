/* test_audit.c - appending to the audit log on both stores: lines, chain, tree, refusals. */
#include "record/audit.h"

#include <pthread.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "record/audit_checkpoint.h"
#include "record/audit_head.h"
#include "record/audit_key.h"
#include "record/audit_line.h"
#include "record/record.h"
#include "record/test_stores.h"
#include "value/canon.h"
#include "wire/json.h"

enum { NOON_MS = 1700000000 };

static int64_t fixed_clock(void *clock)
{
    int64_t *now = clock;
    return *now += 250;
}

static struct record open_record(struct arena *arena, const struct test_store *store,
                                 const struct audit_options *audit, int64_t *clock)
{
    struct err err = {0};
    struct record record;
    char text[1000];
    struct record_options options = {.url = str_from(store->url),
                                     .env = test_store_env,
                                     .now_ms = fixed_clock,
                                     .clock = clock,
                                     .audit = audit};
    if (!record_open(arena, &options, &record, &err))
        fail_msg("%s", err_text(&err, text, sizeof text));
    return record;
}

static struct event decision(struct str stack, struct str outcome)
{
    static const struct event_input input[] = {{STR_INIT("plan"), STR_INIT("sha256:00")}};
    return (struct event){.type = EVENT_GATE_DECISION,
                          .actor = {STR("alice"), STR("os-user")},
                          .stack = stack,
                          .subject = STR("aws_s3_bucket.logs"),
                          .outcome = outcome,
                          .reason = STR("no open finding"),
                          .input = input,
                          .ninputs = 1};
}

static struct str line_of(struct record *record, struct arena *arena, int64_t seq)
{
    struct err err = {0};
    struct str line;
    struct db_value at = DB_PARAM_INT(seq);
    assert_true(db_one_text(record->db, arena, "SELECT line FROM audit_event WHERE seq = $1", &at,
                            1, &line, &err));
    return line;
}

static void a_line_is_canonical_and_chained(void **state)
{
    AUTO_ARENA arena = {.limit = 16 << 20};
    struct err err = {0};
    int64_t clock = NOON_MS, seq = -1;
    const struct audit_options audit = {.origin = STR("example.org/log"),
                                        .key = STR("env:NO_KEY_HERE")};
    const struct audit_options no_key = {.origin = STR("example.org/log"),
                                         .key = STR("PRIVATE+KEY+nonsense")};
    struct event event = decision(STR("prod/net"), STR("allow"));
    event.time_utc_ms = NOON_MS + 1250;
    struct record record = open_record(&arena, *state, &audit, &clock);
    /* a key that is named and not there is no reason to go on without one */
    assert_false(audit_write(&record, &event, &seq, &err));
    assert_int_equal(seq, -1);
    record.audit = &no_key;
    assert_false(audit_write(&record, &event, &seq, &err));
    static const struct audit_options own = {.origin = STR_INIT("example.org/log")};
    record.audit = &own;
    assert_true(audit_write(&record, &event, &seq, &err));
    assert_int_equal(seq, 1);
    struct str first = line_of(&record, &arena, 0), line = line_of(&record, &arena, 1);
    struct digest digest;
    char hex[DIGEST_HEX + 1];
    assert_true(digest_sha256(first, &digest, &err));
    digest_hex(&digest, hex);
    struct str want = arena_printf(
        &arena,
        "{\"actor\":{\"how\":\"os-user\",\"name\":\"alice\"},"
        "\"inputs\":[{\"digest\":\"sha256:00\",\"name\":\"plan\"}],\"outcome\":\"allow\","
        "\"prev\":\"sha256:%s\",\"reason\":\"no open finding\",\"seq\":1,\"stack\":\"prod/net\","
        "\"subject\":\"aws_s3_bucket.logs\",\"time\":\"1970-01-20T16:13:21.250Z\","
        "\"type\":\"gate.decision\",\"v\":1}",
        hex);
    struct audit_line read;
    assert_true(audit_line_read(line, &read, &err));
    assert_string_equal(line.ptr, want.ptr);
    assert_int_equal(read.seq, 1);
    assert_memory_equal(&read.prev, &digest, sizeof digest);
    assert_true(
        str_starts(first, STR("{\"actor\":{\"how\":\"none\",\"name\":\"plumb\"},\"detail\"")));
    record_close(&record);
}

static void roots_and_proofs_come_from_tiles(void **state)
{
    enum { EVENTS = 1300, BATCH = 37 };
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct err err = {0};
    int64_t clock = NOON_MS, size = 0;
    struct record record = open_record(&arena, *state, NULL, &clock);
    struct event event[BATCH];
    struct merkle_range range = {.size = 0};
    struct hasher *hasher = hasher_open(&err);
    struct audit_nodes nodes;
    for (size_t i = 0; i < BATCH; i++)
        event[i] = decision(STR("s"), STR("deny"));
    for (; size < EVENTS; assert_true(audit_size(&record, &size, &err))) {
        assert_true(db_begin(record.db, DB_WRITE, &err));
        assert_true(audit_append_many(&record, event, BATCH, NULL, &err));
        assert_true(db_commit(record.db, &err));
    }
    assert_true(audit_nodes_open(&nodes, record.db, size, &err));
    const struct merkle_source source = {audit_node, &nodes};
    for (int64_t i = 0; i < size; i++) {
        struct arena_mark mark = arena_mark(&arena);
        struct digest leaf, root, want;
        struct merkle_proof proof;
        assert_true(merkle_leaf(hasher, line_of(&record, &arena, i), &leaf));
        assert_true(merkle_range_add(hasher, &range, &leaf));
        if (i % 61 == 0 || (i + 1) % TILE_WIDTH < 2) {
            uint64_t now = (uint64_t)i + 1;
            assert_true(merkle_range_root(hasher, &range, &want));
            assert_true(merkle_root(hasher, &source, now, &root, &err));
            assert_memory_equal(&root, &want, sizeof root);
            assert_true(merkle_prove_inclusion(hasher, &source, now - 1, now, &proof, &err));
            assert_true(
                merkle_check_inclusion(hasher, now - 1, now, &leaf, proof.hash, proof.n, &root));
        }
        arena_rewind(&arena, mark);
    }
    struct audit_head head;
    assert_true(audit_head_read(record.db, &arena, &head, &err));
    assert_int_equal(head.size, size);
    assert_memory_equal(&head.edge, &range,
                        offsetof(struct merkle_range, root) +
                            merkle_range_count(range.size) * sizeof(struct digest));
    int64_t tiles = 0;
    assert_true(db_one_int(record.db, "SELECT count(*) FROM audit_tile", NULL, 0, &tiles, &err));
    assert_int_equal(tiles, size / TILE_WIDTH);
    audit_nodes_close(&nodes);
    hasher_close(hasher);
    record_close(&record);
}

static void what_is_rolled_back_leaves_no_hole(void **state)
{
    AUTO_ARENA arena = {.limit = 16 << 20};
    struct err err = {0};
    int64_t clock = NOON_MS, seq = 0;
    struct record record = open_record(&arena, *state, NULL, &clock);
    struct event event = decision(STR("s"), STR("deny"));
    assert_true(audit_write(&record, &event, &seq, &err));
    assert_int_equal(seq, 1);
    assert_true(db_begin(record.db, DB_WRITE, &err));
    assert_true(audit_append(&record, &event, &seq, &err));
    assert_int_equal(seq, 2);
    db_rollback(record.db);
    assert_false(audit_append(&record, &event, &seq, &err)); /* no transaction */
    assert_true(audit_write(&record, &event, &seq, &err));
    assert_int_equal(seq, 2);
    record_close(&record);
}

static struct value detail_of(struct arena *arena, const char *json)
{
    struct err err = {0};
    struct value v;
    assert_true(json_parse(arena, str_from(json), "detail", JSON_DEFAULT, &v, &err));
    return v;
}

static void what_no_event_may_hold(void **state)
{
    static const char *const bad[] = {"[1]", "{\"a\":1.5}", "{\"a\":9007199254740992}",
                                      "{\"a\":null}", "{\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}"};
    AUTO_ARENA arena = {.limit = 16 << 20};
    int64_t clock = NOON_MS, seq = 0;
    struct err err = {0};
    struct record record = open_record(&arena, *state, NULL, &clock);
    struct event event = decision(STR("s"), STR("deny"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        event.detail = detail_of(&arena, bad[i]);
        err = (struct err){0};
        assert_false(audit_write(&record, &event, &seq, &err));
        assert_int_equal(err.kind, ERR_SYNTAX);
    }
    char *big = arena_new(&arena, char, AUDIT_LINE_MAX);
    memset(big, 'x', AUDIT_LINE_MAX);
    event.detail = value_null();
    event.reason = (struct str){big, AUDIT_LINE_MAX};
    err = (struct err){0};
    assert_false(audit_write(&record, &event, &seq, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    /* bytes that are no text are written as U+FFFD, in the line and in its columns */
    event.reason = STR("a\xff\"\\\n\x01");
    event.stack = (struct str){"s\xfe\0x", 4};
    event.detail = detail_of(&arena, "{\"n\":9007199254740991,\"b\":[true,\"x\"]}");
    assert_true(audit_write(&record, &event, &seq, &err));
    struct str line = line_of(&record, &arena, seq);
    assert_true(str_find(line, STR("\"detail\":{\"b\":[true,\"x\"],\"n\":9007199254740991}"), 0) !=
                SIZE_MAX);
    assert_true(str_find(line, STR("\"a\xef\xbf\xbd\\\"\\\\\\n\\u0001\""), 0) != SIZE_MAX);
    struct value v;
    AUTO_BUF again = {.limit = 1 << 20};
    assert_true(json_parse(&arena, line, "line", JSON_DEFAULT, &v, &err));
    assert_true(canon_print(&again, &v, &err));
    assert_true(str_equal(buf_view(&again), line));
    record_close(&record);
}

/* Lines that were changed in the database do not become a tile. */
static void a_changed_line_stops_the_log(void **state)
{
    AUTO_ARENA arena = {.limit = 16 << 20};
    struct err err = {0};
    char text[1000];
    int64_t clock = NOON_MS, seq = 0;
    struct record record = open_record(&arena, *state, NULL, &clock);
    struct event event = decision(STR("s"), STR("deny"));
    assert_true(audit_write(&record, &event, &seq, &err));
    assert_true(db_run(record.db,
                       "UPDATE audit_event SET line = replace(line, 'deny', 'allow') WHERE seq = 1",
                       NULL, 0, &err));
    assert_true(db_begin(record.db, DB_WRITE, &err));
    for (int i = 2; i < TILE_WIDTH - 1; i++)
        assert_true(audit_append(&record, &event, &seq, &err));
    assert_true(db_commit(record.db, &err));
    assert_false(audit_write(&record, &event, &seq, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_non_null(strstr(err_text(&err, text, sizeof text), "plumb audit verify"));
    record_close(&record);
}

static void the_key_is_made_beside_the_file(void **state)
{
    const struct test_store *store = *state;
    AUTO_ARENA arena = {.limit = 16 << 20};
    struct err err = {0};
    struct stat st;
    int64_t clock = NOON_MS;
    struct str path;
    struct note_key key;
    enum audit_key_found found;
    struct record record = open_record(&arena, store, NULL, &clock);
    struct event event = decision(STR("s"), STR("deny"));
    assert_true(audit_write(&record, &event, NULL, &err));
    assert_true(audit_key_path(&record, &arena, &path, &err));
    assert_int_equal(path.len > 0, store->server[0] == '\0');
    struct audit_head head;
    assert_true(audit_head_read(record.db, &arena, &head, &err));
    assert_true(audit_key_open(&record, &arena, head.origin, false, &key, &found, &err));
    assert_int_equal(found == AUDIT_KEY_FOUND, path.len > 0);
    if (path.len) {
        struct str vkey = note_key_verifier(&arena, &key);
        assert_int_equal(stat(path.ptr, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        assert_true(str_find(line_of(&record, &arena, 0), vkey, 0) != SIZE_MAX);
        assert_true(str_find(line_of(&record, &arena, 0), STR("PRIVATE"), 0) == SIZE_MAX);
        assert_int_equal(chmod(path.ptr, 0644), 0);
        assert_false(audit_key_open(&record, &arena, head.origin, false, &key, &found, &err));
    }
    record_close(&record);
}

enum { WRITERS = 8, EACH = 40 };
struct caller {
    struct audit_writer *writer;
    int64_t seq[EACH];
    pthread_t thread;
};

static void *write_many(void *ctx)
{
    struct caller *caller = ctx;
    struct event event = decision(STR("s"), STR("allow"));
    for (int i = 0; i < EACH; i++) {
        struct err err = {0};
        caller->seq[i] = -1;
        event.type = i == 7 ? EVENT_LOCK : EVENT_GATE_DECISION;
        event.detail = i == 7 ? value_items(VALUE_TUPLE, NULL, 0) : value_null();
        event.detail.len = i == 7; /* no object: refused, and alone */
        static const struct value one = {.kind = VALUE_BOOL};
        event.detail.items = i == 7 ? &one : NULL;
        if (audit_writer_write(caller->writer, &event, &caller->seq[i], &err) != (i != 7))
            return NULL;
    }
    return caller;
}

static void many_callers_share_commits(void **state)
{
    const struct test_store *store = *state;
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct err err = {0};
    int64_t clock = NOON_MS, size = 0;
    bool seen[WRITERS * EACH + 1] = {false};
    struct audit_writer *writer;
    struct record_options options = {
        .url = str_from(store->url), .env = test_store_env, .timeout_ms = TEST_STORE_PATIENCE_MS};
    struct caller caller[WRITERS];
    assert_true(audit_writer_open(&writer, &options, &err));
    for (int i = 0; i < WRITERS; i++) {
        caller[i].writer = writer;
        assert_int_equal(pthread_create(&caller[i].thread, NULL, write_many, &caller[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        void *got = NULL;
        pthread_join(caller[i].thread, &got);
        assert_ptr_equal(got, &caller[i]);
        for (int k = 0; k < EACH; k++) {
            if (k == 7)
                continue;
            assert_true(caller[i].seq[k] > 0 && caller[i].seq[k] <= WRITERS * EACH);
            assert_false(seen[caller[i].seq[k]]);
            seen[caller[i].seq[k]] = true;
        }
    }
    audit_writer_close(writer);
    struct record record = open_record(&arena, store, NULL, &clock);
    assert_true(audit_size(&record, &size, &err));
    assert_int_equal(size, WRITERS * (EACH - 1) + 1);
    record_close(&record);
}

static void never_warned(void *ctx, const char *text)
{
    (void)ctx;
    fail_msg("%s", text);
}

static void a_settler_signs_what_was_written(void **state)
{
    const struct test_store *store = *state;
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct err err = {0};
    int64_t clock = NOON_MS;
    struct audit_options audit = {.every = 1};
    struct audit_settler *settler;
    struct audit_signed last;
    if (store->server[0])
        audit.key = arena_printf(&arena, "file:%s/settler.key", store->dir);
    const struct record_options options = {
        .url = str_from(store->url), .env = test_store_env, .audit = &audit};
    assert_true(audit_settler_open(&settler, &options, never_warned, NULL, &err));
    struct record record = open_record(&arena, store, &audit, &clock);
    struct event event = decision(STR("s"), STR("deny"));
    assert_true(audit_write(&record, &event, NULL, &err));
    audit_settler_close(settler);
    assert_true(audit_checkpoint_last(&record, &arena, &last, &err));
    assert_int_equal(last.size, 2);
    record.read_only = true;
    assert_true(audit_write(&record, &event, NULL, &err));
    assert_true(audit_settle(&record, &err));
    assert_true(audit_checkpoint_last(&record, &arena, &last, &err));
    assert_int_equal(last.size, 2);
    record.read_only = false;
    assert_true(audit_settle(&record, &err));
    assert_true(audit_checkpoint_last(&record, &arena, &last, &err));
    assert_int_equal(last.size, 3);
    record_close(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_canonical_and_chained),
        cmocka_unit_test(roots_and_proofs_come_from_tiles),
        cmocka_unit_test(what_is_rolled_back_leaves_no_hole),
        cmocka_unit_test(what_no_event_may_hold),
        cmocka_unit_test(a_changed_line_stops_the_log),
        cmocka_unit_test(a_settler_signs_what_was_written),
        cmocka_unit_test(many_callers_share_commits),
        cmocka_unit_test(the_key_is_made_beside_the_file),
    };
    return test_stores_run("record/audit", tests, sizeof tests / sizeof *tests);
}

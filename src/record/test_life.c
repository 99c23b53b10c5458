/* test_life.c - the life of findings over several runs, on both stores: a story is a row. */
#include "base/test.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "model/decision.h"
#include "policy/waiver.h"
#include "record/audit_store_check.h"
#include "record/findings.h"
#include "record/listing.h"
#include "record/test_stores.h"

/* A run sees letters: "a" is a finding of the address a with the value 1, "a2" one with the value
 * 2, "?a" says that a could not be checked, "!" that the stack failed, "a:" that only a was
 * wanted, "-a" that an ignore rule covers it, "+" that what is found becomes the baseline, "m:"
 * nothing. A secret is a capital letter: its value is not in its fingerprint. "*a" is a resource a
 * that no code asks for, "*a2" the same with another value, "*a_" one of which no value is known.
 */
static const struct story {
    const char *says;
    const char *runs[6];
    const char *want[6]; /* status of every finding of the store after the run, by address */
} stories[] = {
    {"new, recurring, changed, resolved, reopened",
     {"a", "a", "a2", "", "a2"},
     {"a=new", "a=recurring", "a=changed", "a=resolved", "a=reopened"}},
    {"another value after it was resolved is a new one",
     {"a", "", "a2"},
     {"a=new", "a=resolved", "a=resolved a=new"}},
    {"a secret that changes keeps its name",
     {"A", "A2", "A2"},
     {"A=new", "A=changed", "A=recurring"}},
    {"back to the value before is another change",
     {"a", "a2", "a"},
     {"a=new", "a=changed", "a=changed"}},
    {"what is unchecked is not resolved",
     {"a b", "?a", "?a b", "b"},
     {"a=new b=new", "a=new a=new b=resolved", "a=new a=recurring b=reopened",
      "a=resolved a=resolved b=recurring"}},
    {"what is outside the targets is not resolved",
     {"a b", "a:", "a:a2", "b"},
     {"a=new b=new", "a=resolved b=new", "a=resolved a=new b=new",
      "a=resolved a=resolved b=recurring"}},
    {"a stack that failed resolves nothing", {"a", "!", "a"}, {"a=new", "a=new", "a=recurring"}},
    {"an ignore rule comes and goes",
     {"a", "-a", "-a", "a"},
     {"a=new", "a=ignored", "a=ignored", "a=recurring"}},
    {"the baseline accepts these values only",
     {"+a b ?c", "a b ?c", "a2 b ?c", "a2 b ?c"},
     {"a=waived b=waived c=new", "a=waived b=waived c=recurring", "a=changed b=waived c=recurring",
      "a=recurring b=waived c=recurring"}},
    {"what was put right leaves the baseline",
     {"+a", "", "a"},
     {"a=waived", "a=resolved", "a=reopened"}},
    {"what no code asks for is known by all that is live of it",
     {"*a", "*a", "*a2", "*a2", "", "*a2"},
     {"a=new", "a=recurring", "a=changed", "a=recurring", "a=resolved", "a=reopened"}},
    {"the baseline accepts what no code asks for as it is, and no longer",
     {"+*a", "*a", "*a2", "*a"},
     {"a=waived", "a=waived", "a=changed", "a=changed"}},
    {"what nothing is known of is not accepted",
     {"+*a_ b", "*a_ b"},
     {"a=new b=waived", "a=recurring b=waived"}},
    {"a value that moved leaves the baseline, even if it comes back",
     {"+a", "a2", "a", "+a", "a"},
     {"a=waived", "a=changed", "a=changed", "a=waived", "a=waived"}},
};

struct world {
    struct arena arena;
    struct record record;
    int64_t now;
    char wanted;
    bool by_name; /* what is wanted is given by name, as for a touch */
};

static int64_t tick(void *clock)
{
    struct world *world = clock;
    return world->now += 1000;
}

static bool wanted(void *ctx, struct str address)
{
    const struct world *world = ctx;
    return !world->wanted || (address.len == 1 && address.ptr[0] == world->wanted);
}

static bool describe(void *ctx, struct buf *out, const struct finding *finding, struct err *err)
{
    (void)ctx;
    buf_printf(out, "{\"fingerprint\":\"%s\"}", finding->fingerprint);
    return buf_ok(out, err);
}

static const struct value values[] = {{.kind = VALUE_STRING, .len = 5, .text = "right"},
                                      {.kind = VALUE_STRING, .len = 3, .text = "one"},
                                      {.kind = VALUE_STRING, .len = 3, .text = "two"}};

static void make_finding(struct world *world, struct str word, struct finding *f)
{
    struct err err = {0};
    bool unchecked = word.ptr[0] == '?', ignored = word.ptr[0] == '-', alone = word.ptr[0] == '*';
    struct str name = str_sub(word, unchecked || ignored || alone, word.len);
    struct change *change = arena_new(&world->arena, struct change, 1);
    bool secret = name.ptr[0] >= 'A' && name.ptr[0] <= 'Z';
    *change = (struct change){.path = STR("size"),
                              .before = &values[0],
                              .after = &values[name.len > 1 ? 2 : 1],
                              .configurable = true,
                              .sensitive = secret};
    *f = (struct finding){.class_ = unchecked ? CLASS_UNCHECKED
                                    : alone   ? CLASS_UNMANAGED
                                              : CLASS_CONTRADICTS_CODE,
                          .severity = SEVERITY_MEDIUM,
                          .stack = STR("prod"),
                          .address = str_sub(name, 0, 1),
                          .type = STR("thing"),
                          .changes = change,
                          .nchanges = !unchecked && !alone,
                          .ignored = ignored,
                          .ignored_by = ignored ? STR("we know") : STR("")};
    assert_true(finding_fingerprint(f, change, f->nchanges, &err));
    if (alone)
        assert_true(waiver_digest_whole(&world->arena, STR("key"), f->class_, f->address, f->type,
                                        str_ends(name, STR("_")) ? NULL : change->after,
                                        &f->kept_digest, &err));
}

static struct run_changes scan(struct world *world, const char *sees)
{
    static const struct run_start start = {
        .stack = STR_INIT("prod"), .actor = {STR_INIT("uid 1000 (ann)"), STR_INIT("os-user")}};
    struct finding *finding = arena_new(&world->arena, struct finding, 64);
    struct stack_result result = {
        .name = STR("prod"), .live = STR("snapshot live.json"), .desired = STR("state")};
    struct run_finish finish = {
        .start = &start, .result = &result, .wanted = wanted, .describe = describe, .ctx = world};
    struct run_changes changes = {0};
    struct str rest = str_from(sees), word;
    struct err err = {0};
    world->wanted = 0;
    if (str_starts(rest, STR("!")))
        result.failed = STR("no state");
    if (str_starts(rest, STR("+")))
        finish.baseline = STR("the estate as we found it");
    if (rest.len > 1 && rest.ptr[1] == ':')
        world->wanted = rest.ptr[0];
    finish.partial = world->wanted != 0;
    const struct str named = {&world->wanted, 1};
    finish.addresses = world->by_name && world->wanted ? &named : NULL;
    finish.naddresses = finish.addresses ? 1 : 0;
    rest = str_sub(rest,
                   result.failed.len || finish.baseline.ptr ? 1
                   : world->wanted                          ? 2
                                                            : 0,
                   rest.len);
    while (rest.len) {
        (void)str_cut(&rest, ' ', &word);
        make_finding(world, word, &finding[result.nfindings]);
        result.coverage.unchecked += finding[result.nfindings++].class_ == CLASS_UNCHECKED;
    }
    result.findings = finding;
    assert_true(run_begin(&world->record, &start, &finish.run, &err));
    if (!run_end(&world->record, &finish, &changes, &err))
        fail_msg("%s / %s", err.frame[0], err.frame[1]);
    return changes;
}

static bool print_status(void *ctx, const struct db_row *row, struct err *err)
{
    struct buf *out = ctx;
    (void)err;
    buf_printf(out, "%s%.*s=%.*s", out->len ? " " : "", STR_ARG(db_text(row, 0)),
               STR_ARG(db_text(row, 1)));
    return true;
}

static bool print_count(void *ctx, const struct db_row *row, struct err *err)
{
    struct buf *out = ctx;
    (void)err;
    buf_printf(out, "%s%.*s=%lld", out->len ? " " : "", STR_ARG(db_text(row, 0)),
               (long long)db_int(row, 1));
    return true;
}

static void open_world(struct world *world, const struct test_store *store)
{
    struct err err = {0};
    *world = (struct world){.arena = {.limit = 1 << 26}, .now = 1700000000000};
    const struct record_options options = {
        .url = str_from(store->url), .env = test_store_env, .now_ms = tick, .clock = world};
    if (!record_open(&world->arena, &options, &world->record, &err))
        fail_msg("%s", err.frame[0]);
}

static void close_world(struct world *world)
{
    record_close(&world->record);
    arena_free(&world->arena);
}

static void clear(struct world *world)
{
    assert_true(db_script(world->record.db,
                          "DELETE FROM finding; DELETE FROM finding_history; DELETE FROM run;"
                          "DELETE FROM stack; DELETE FROM baseline; DELETE FROM baseline_item;"
                          "DELETE FROM finding_count",
                          NULL));
}

static void each_story_is_told_by_the_store(void **state)
{
    struct world world;
    open_world(&world, *state);
    for (size_t i = 0; i < 2 * sizeof stories / sizeof *stories; i++) {
        const struct story *story = &stories[i / 2];
        world.by_name = i % 2;
        print_message("  %s%s\n", story->says, world.by_name ? ", by name" : "");
        clear(&world);
        for (size_t r = 0; r < 6 && story->runs[r]; r++) {
            struct buf got = {.limit = 4096};
            (void)scan(&world, story->runs[r]);
            assert_true(db_query(world.record.db,
                                 "SELECT address, status FROM finding ORDER BY address, id", NULL,
                                 0, print_status, &got, NULL));
            buf_char(&got, '\0');
            assert_string_equal(got.ptr, story->want[r]);
            buf_free(&got);
            test_counts_hold(world.record.db);
        }
    }
    close_world(&world);
}

static void a_run_says_what_it_changed(void **state)
{
    struct world world;
    open_world(&world, *state);
    struct run_changes c = scan(&world, "a b -c");
    assert_true(c.fresh == 2 && c.ignored == 1 && !c.resolved && !c.recurring);
    c = scan(&world, "a2 -c d");
    assert_true(c.changed == 1 && c.resolved == 1 && c.fresh == 1 && c.ignored == 1);
    c = scan(&world, "d:");
    assert_true(c.resolved == 1 && c.kept == 2);
    c = scan(&world, "+a2 b");
    assert_true(c.baselined == 2 && c.waived == 2);
    (void)scan(&world, "a b d e");
    world.by_name = true; /* of the others nothing is read: they are as they were */
    c = scan(&world, "d:");
    assert_true(c.resolved == 1 && c.kept == 3);
    c = scan(&world, "d:d f");
    assert_true(c.reopened == 1 && c.fresh == 1 && c.kept == 3);
    c = scan(&world, "d:d f");
    assert_true(c.recurring == 2 && c.kept == 3);
    c = scan(&world, "d:d");
    assert_true(c.recurring == 1 && c.kept == 4);
    test_counts_hold(world.record.db);
    close_world(&world);
}

static bool take_history(void *ctx, const struct db_row *row, struct err *err)
{
    return print_status(ctx, row, err);
}

/* Types of events, and of findings their outcome, in their order. */
static void a_scan_is_told_to_the_log(void **state)
{
    struct world world;
    struct buf got = {.limit = 4096};
    int64_t told = 0;
    open_world(&world, *state);
    (void)scan(&world, "a b");
    (void)scan(&world, "a2");
    (void)scan(&world, "+a2");
    (void)scan(&world, "!");
    struct db *db = world.record.db;
    assert_true(db_query(db, "SELECT type, stack FROM audit_event WHERE seq > 0 ORDER BY seq", NULL,
                         0, print_status, &got, NULL));
    buf_char(&got, '\0');
    assert_string_equal(got.ptr,
                        "scan.start=prod finding.new=prod finding.new=prod scan.end=prod "
                        "scan.start=prod finding.changed=prod finding.resolved=prod scan.end=prod "
                        "scan.start=prod finding.changed=prod baseline=prod scan.end=prod "
                        "scan.start=prod scan.end=prod");
    assert_true(db_one_int(db,
                           "SELECT count(*) FROM audit_event WHERE line LIKE '%uid 1000 (ann)%'",
                           NULL, 0, &told, NULL));
    assert_int_equal(told, 14);
    assert_true(db_one_int(db,
                           "SELECT count(*) FROM audit_event WHERE line LIKE '%\"two\"%' OR"
                           " line LIKE '%right%'",
                           NULL, 0, &told, NULL));
    assert_int_equal(told, 0); /* no value is in an event */
    buf_free(&got);
    close_world(&world);
}

/* More than are appended at once, past the end of a tile of the log's tree. */
static void many_findings_are_told_once_and_in_their_order(void **state)
{
    struct world world;
    struct audit_check check;
    struct buf got = {.limit = 4096};
    struct err err = {0};
    int64_t n = 0;
    open_world(&world, *state);
    for (int i = 0; i < 12; i++)
        (void)scan(&world, i % 2 ? "" : "a b c d e f g h i j k l m n o p q r s t u v w x y z");
    if (!audit_store_check(&world.record, &world.arena, &(struct audit_check_options){0}, &check,
                           &err))
        fail_msg("%s", err.frame[0]);
    assert_int_equal(check.faults.n, 0);
    struct db *db = world.record.db;
    assert_true(db_query(db, "SELECT type, count(*) FROM audit_event GROUP BY type ORDER BY type",
                         NULL, 0, print_count, &got, NULL));
    buf_char(&got, '\0');
    assert_string_equal(got.ptr, "finding.new=156 finding.resolved=156 log.start=1 scan.end=12"
                                 " scan.start=12");
    assert_true(db_one_int(db,
                           "SELECT count(*) FROM audit_event a JOIN audit_event b ON b.seq ="
                           " a.seq + 1 WHERE (a.type = 'scan.end') <> (b.type = 'scan.start')"
                           " AND a.seq > 0",
                           NULL, 0, &n, NULL));
    assert_int_equal(n, 0);
    buf_free(&got);
    close_world(&world);
}

static void a_finding_keeps_its_age_its_names_and_its_history(void **state)
{
    struct world world;
    struct buf got = {.limit = 4096};
    int64_t first = 0, times = 0, names = 0;
    open_world(&world, *state);
    for (size_t i = 0; i < 3; i++)
        (void)scan(&world, i < 2 ? "a" : "a2");
    (void)scan(&world, "");
    struct db *db = world.record.db;
    assert_true(db_one_int(db, "SELECT first_utc_ms FROM finding", NULL, 0, &first, NULL));
    assert_true(first < 1700000010000);
    assert_true(db_one_int(db, "SELECT times FROM finding", NULL, 0, &times, NULL));
    assert_int_equal(times, 3);
    assert_true(db_one_int(db, "SELECT count(DISTINCT fingerprint) FROM finding_history", NULL, 0,
                           &names, NULL));
    assert_int_equal(names, 2);
    assert_true(db_query(db, "SELECT what, actor FROM finding_history ORDER BY id", NULL, 0,
                         take_history, &got, NULL));
    buf_char(&got, '\0');
    assert_string_equal(got.ptr,
                        "new=uid 1000 (ann) changed=uid 1000 (ann) resolved=uid 1000 (ann)");
    buf_free(&got);
    close_world(&world);
}

static void a_secret_is_in_no_digest_that_can_be_guessed(void **state)
{
    struct world world;
    struct finding plain, secret;
    struct str a, b, c;
    open_world(&world, *state);
    make_finding(&world, STR("a"), &plain);
    make_finding(&world, STR("A"), &secret);
    assert_true(finding_digest(&world.arena, STR("key one"), &plain, &a, NULL));
    assert_true(finding_digest(&world.arena, STR("key two"), &plain, &b, NULL));
    assert_true(str_equal(a, b));
    assert_true(finding_digest(&world.arena, STR("key one"), &secret, &b, NULL));
    assert_true(finding_digest(&world.arena, STR("key two"), &secret, &c, NULL));
    assert_false(str_equal(b, c));
    assert_false(str_equal(a, b));
    close_world(&world);
}

static void text_that_is_none_is_made_one(void **state)
{
    struct world world;
    struct err err = {0};
    struct finding finding;
    struct str reason;
    open_world(&world, *state);
    make_finding(&world, STR("a"), &finding);
    finding.address = STR("bad \xff\0"
                          " address");
    finding.ignored = true;
    finding.ignored_by = STR("\xc3");
    const struct run_start start = {.stack = STR("st\xff"
                                                 "ck")};
    const struct stack_result result = {
        .findings = &finding, .nfindings = 1, .failed = STR("\xfe")};
    struct run_finish finish = {.start = &start, .result = &result};
    struct run_changes changes;
    for (int i = 0; i < 2; i++) {
        assert_true(run_begin(&world.record, &start, &finish.run, &err));
        if (!run_end(&world.record, &finish, &changes, &err))
            fail_msg("%s", err.frame[0]);
    }
    assert_int_equal(changes.ignored, 1);
    assert_true(db_one_text(world.record.db, &world.arena, "SELECT address FROM finding", NULL, 0,
                            &reason, &err));
    assert_true(str_equal(reason, STR("bad \xef\xbf\xbd\xef\xbf\xbd address")));
    assert_false(run_end(&world.record, &finish, &changes, &err)); /* a run ends once */
    assert_int_equal(err.kind, ERR_CONFLICT);
    close_world(&world);
}

/* --- lists --- */

enum { LISTED = 120 };
struct listed {
    int64_t id[LISTED + 1];
    size_t n;
};

static bool take_listed(void *ctx, const struct finding_row *row, struct err *err)
{
    struct listed *listed = ctx;
    (void)err;
    assert_true(listed->n < LISTED);
    listed->id[listed->n++] = row->id;
    return true;
}

/* The whole list, of which each page is a part, whatever indexes find it. */
static void check_pages(struct world *world, struct finding_query query)
{
    struct listed whole = {.n = 0};
    struct err err = {0};
    query.now_utc_ms = 1700000000000;
    if (!finding_list(&world->record, &query, take_listed, &whole, &err))
        fail_msg("%s", err.frame[0]);
    assert_true(whole.n > 0);
    query.limit = 5;
    for (query.offset = 0; query.offset < (int64_t)whole.n + 5; query.offset += 5) {
        struct listed page = {.n = 0};
        if (!finding_list(&world->record, &query, take_listed, &page, &err))
            fail_msg("%s", err.frame[0]);
        size_t left = query.offset < (int64_t)whole.n ? whole.n - (size_t)query.offset : 0;
        assert_int_equal(page.n, left < 5 ? left : 5);
        for (size_t i = 0; i < page.n; i++)
            assert_int_equal(page.id[i], whole.id[(size_t)query.offset + i]);
    }
}

static void a_page_is_a_part_of_the_list(void **state)
{
    static const char sql[] =
        "INSERT INTO finding (id, stack, fingerprint, status, class, severity, address, type,"
        " provider, digest, decision, rule, owner, actor, actor_how, first_utc_ms, open_utc_ms,"
        " changed_utc_ms, seen_utc_ms, first_run, seen_run, times, why, detail, due_utc_ms) VALUES "
        "($1,"
        " $2, $3, $4, $5, $6, 'a', 't', '', '', '', '', '', '', '', 1, 1, $7, 1, 1, 1, 1, '', '',"
        " $8)";
    const unsigned both = 1u << CLASS_MISSING | 1u << CLASS_UNMANAGED;
    struct world world;
    open_world(&world, *state);
    assert_true(db_begin(world.record.db, DB_WRITE, NULL));
    for (int i = 1; i <= LISTED; i++) {
        char name[16], many[16];
        (void)snprintf(name, sizeof name, "%d", i);
        (void)snprintf(many, sizeof many, "s%d", i);
        const struct db_value row[] = {
            DB_PARAM_INT(i),
            DB_PARAM_TEXT(i % 5 == 4   ? str_from(many) /* 24 of them */
                          : i % 3 == 0 ? STR("test")
                                       : STR("prod")),
            DB_PARAM_TEXT(str_from(name)),
            DB_PARAM_TEXT(str_from(finding_status_name((enum finding_status)(i % STATUS_COUNT)))),
            DB_PARAM_TEXT(i % 5 ? STR("missing") : STR("unmanaged")),
            DB_PARAM_INT(i * 7 % 5),
            DB_PARAM_INT(i * 31 % 100),
            i % 2 ? DB_PARAM_INT(1000 + i * 17 % 50) : DB_PARAM_NULL};
        assert_true(db_run(world.record.db, sql, row, sizeof row / sizeof *row, NULL));
    }
    assert_true(counts_rebuild(world.record.db, NULL) && db_commit(world.record.db, NULL));
    for (unsigned statuses = 0; statuses < 1u << STATUS_COUNT; statuses += 5) {
        check_pages(&world, (struct finding_query){.statuses = statuses});
        check_pages(&world, (struct finding_query){.statuses = statuses,
                                                   .severity = 1,
                                                   .classes = 1u << CLASS_MISSING});
        check_pages(&world, (struct finding_query){.statuses = statuses,
                                                   .stack = {STR("prod")},
                                                   .nstacks = 1,
                                                   .since_utc_ms = 10});
        check_pages(&world, (struct finding_query){.statuses = statuses,
                                                   .stack = {STR("prod"), STR("test")},
                                                   .nstacks = 2,
                                                   .severity = 1,
                                                   .classes = both});
        check_pages(&world,
                    (struct finding_query){
                        .statuses = statuses, .since_utc_ms = 10, .severity = 1, .classes = both});
        check_pages(&world, (struct finding_query){.statuses = statuses, .stacks = STR("p*d")});
        check_pages(&world, (struct finding_query){.statuses = statuses, .stacks = STR("s?*")});
    }
    check_pages(&world, (struct finding_query){.overdue = true});
    check_pages(&world, (struct finding_query){.overdue = true, .since_utc_ms = 10});
    check_pages(&world, (struct finding_query){.overdue = true, .classes = both, .severity = 1});
    const struct finding_query none = {.stacks = STR("elsewhere"), .limit = 5};
    struct listed listed = {.n = 0};
    assert_true(finding_list(&world.record, &none, take_listed, &listed, NULL));
    assert_int_equal(listed.n, 0);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_story_is_told_by_the_store),
        cmocka_unit_test(a_run_says_what_it_changed),
        cmocka_unit_test(a_scan_is_told_to_the_log),
        cmocka_unit_test(many_findings_are_told_once_and_in_their_order),
        cmocka_unit_test(a_finding_keeps_its_age_its_names_and_its_history),
        cmocka_unit_test(a_secret_is_in_no_digest_that_can_be_guessed),
        cmocka_unit_test(text_that_is_none_is_made_one),
        cmocka_unit_test(a_page_is_a_part_of_the_list),
    };
    return test_stores_run("record/life", tests, sizeof tests / sizeof *tests);
}

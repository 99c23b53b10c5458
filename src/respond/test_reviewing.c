/* test_reviewing.c - reviews from a scan's finding to their end, on both stores: a story is a row.
 */
#include "base/test.h"

#include <pthread.h>

#include "base/arena.h"
#include "base/buf.h"
#include "model/config.h"
#include "model/decision.h"
#include "policy/waiver.h"
#include "record/audit.h"
#include "record/findings.h"
#include "record/standing.h"
#include "record/test_stores.h"
#include "respond/reviewing.h"

#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)

static const struct actor people[] = {
    {STR_INIT("uid 1000 (alice)"), STR_INIT("os-user"), STR_INIT("")},
    {STR_INIT("uid 1001 (bob)"), STR_INIT("os-user"), STR_INIT("")},
    {STR_INIT("uid 1002 (sam)"), STR_INIT("os-user"), STR_INIT("")},
    {STR_INIT("bob"), STR_INIT("ci:github"), STR_INIT("uid 1 (runner)")},
};

/*
 * A step: "scan X", X as "a", "a2" (another value), "" (nothing there any more), "a!" (policy says
 * review, due in a day), "*a" (a resource that no code asks for); "WHO accept|revert|adopt" (of
 * what is at a, for a day), "WHO ok" (the newest review), "WHO back" (withdraw); "later N" hours;
 * "settle". A step that is refused has a "no " before it.
 */
static const struct story {
    const char *says;
    const char *steps[12];
    const char *status; /* of the finding */
    const char *review; /* state and end of the newest review */
    bool decided;
    const char *events; /* of reviews and findings, without their common parts */
} stories[] = {
    {"from new to verified close",
     {"scan a", "alice revert", "no alice ok", "bob ok", "scan a", "scan "},
     "resolved",
     "ended resolved",
     false,
     "request refused approve effect end"},
    {"an accepted finding is waived, and stays so",
     {"scan a", "alice accept", "bob ok", "scan a", "settle"},
     "waived",
     "effect ",
     true,
     "request approve effect"},
    {"a request alone decides nothing",
     {"scan a", "alice accept", "scan a", "settle"},
     "recurring",
     "requested ",
     false,
     "request"},
    {"another value voids it",
     {"scan a", "alice accept", "bob ok", "scan a2"},
     "changed",
     "ended voided",
     false,
     "request approve effect end"},
    {"the value of before does not bring it back",
     {"scan a", "alice accept", "bob ok", "scan a2", "scan a"},
     "changed",
     "ended voided",
     false,
     "request approve effect end"},
    {"another value voids a request, too",
     {"scan a", "alice accept", "scan a2", "no bob ok"},
     "changed",
     "ended voided",
     false,
     "request end"},
    {"what no code asks for: accepted while it is what it was",
     {"scan *a", "alice accept", "bob ok", "scan *a", "settle", "scan *a"},
     "waived",
     "effect ",
     true,
     "request approve effect"},
    {"what no code asks for: changed, it voids the review",
     {"scan *a", "alice accept", "bob ok", "scan *a", "scan *a2"},
     "changed",
     "ended voided",
     false,
     "request approve effect end"},
    {"its time passes",
     {"scan a", "alice accept", "bob ok", "later 25", "settle", "scan a"},
     "recurring",
     "ended expired",
     false,
     "request approve effect end"},
    {"its time has passed, written down or not",
     {"scan a", "alice accept", "bob ok", "later 25"},
     "waived",
     "effect ",
     false,
     "request approve effect"},
    {"a scan after its time",
     {"scan a", "alice accept", "bob ok", "later 25", "scan a"},
     "recurring",
     "ended expired",
     false,
     "request approve effect end"},
    {"an approval after its time",
     {"scan a", "alice accept", "later 25", "no bob ok"},
     "new",
     "ended expired",
     false,
     "request end"},
    {"taken back before",
     {"scan a", "alice accept", "alice back", "no bob ok"},
     "new",
     "ended withdrawn",
     false,
     "request withdraw"},
    {"taken back in effect",
     {"scan a", "alice accept", "bob ok", "alice back"},
     "recurring",
     "ended withdrawn",
     false,
     "request approve effect withdraw"},
    {"refused by another, asked again by him",
     {"scan a", "alice accept", "bob back", "bob revert", "no bob ok", "alice ok"},
     "reviewed",
     "effect ",
     true,
     "request withdraw request refused approve effect"},
    {"a second request has to wait",
     {"scan a", "alice accept", "no bob revert", "bob ok"},
     "waived",
     "effect ",
     true,
     "request approve effect"},
    {"a later answer takes the place of the one before",
     {"scan a", "alice accept", "bob ok", "bob revert", "alice ok"},
     "reviewed",
     "effect ",
     true,
     "request approve effect request approve end effect"},
    {"a name that a variable says",
     {"scan a", "alice accept", "no ci ok"},
     "new",
     "requested ",
     false,
     "request refused"},
    {"found again after it was resolved, it is open",
     {"scan a", "alice accept", "bob ok", "scan ", "scan a"},
     "reopened",
     "ended resolved",
     false,
     "request approve effect end"},
    {"overdue once",
     {"scan a!", "later 23", "settle", "later 2", "settle", "settle", "scan a!", "settle"},
     "recurring",
     "",
     false,
     "overdue"},
    {"answered in time it is not overdue",
     {"scan a!", "alice revert", "bob ok", "later 23", "settle"},
     "reviewed",
     "effect ",
     true,
     "request approve effect"},
    {"after a waiver its deadline begins anew",
     {"scan a!", "alice accept", "bob ok", "later 26", "settle", "later 20", "settle"},
     "recurring",
     "ended expired",
     false,
     "request approve effect end"},
    {"taking back gives no more time",
     {"scan a!", "alice accept", "bob ok", "later 20", "bob back", "later 5", "settle"},
     "recurring",
     "ended withdrawn",
     false,
     "request approve effect withdraw overdue"},
};

struct world {
    struct arena arena;
    struct record record;
    int64_t now;
    struct config config;
    int64_t newest; /* review */
};

static int64_t clock_of(void *clock)
{
    return ((struct world *)clock)->now;
}

static bool describe(void *ctx, struct buf *out, const struct finding *finding, struct err *err)
{
    (void)ctx;
    (void)finding;
    buf_str(out, STR("{\"origin\":{\"owner\":\"@example/net\"}}"));
    return buf_ok(out, err);
}

static const struct value values[] = {{.kind = VALUE_STRING, .len = 5, .text = "right"},
                                      {.kind = VALUE_STRING, .len = 3, .text = "one"},
                                      {.kind = VALUE_STRING, .len = 3, .text = "two"}};

static void make_finding(struct world *world, struct str word, struct finding *f)
{
    struct err err = {0};
    struct change *change = arena_new(&world->arena, struct change, 1);
    struct judgement *judgement = arena_new(&world->arena, struct judgement, 1);
    bool due = str_ends(word, STR("!")), alone = str_starts(word, STR("*"));
    word = str_sub(word, alone, word.len);
    *change = (struct change){.path = STR("size"),
                              .before = &values[0],
                              .after = &values[str_find_char(word, '2', 0) != SIZE_MAX ? 2 : 1],
                              .configurable = true};
    *judgement = (struct judgement){
        .decision = DECISION_REVIEW, .severity = SEVERITY_HIGH, .deadline_ms = DAY};
    *f = (struct finding){.class_ = alone ? CLASS_UNMANAGED : CLASS_CONTRADICTS_CODE,
                          .severity = SEVERITY_MEDIUM,
                          .stack = STR("prod"),
                          .address = str_sub(word, 0, 1),
                          .type = STR("thing"),
                          .changes = change,
                          .nchanges = !alone,
                          .judgement = due ? judgement : NULL};
    assert_true(finding_fingerprint(f, change, f->nchanges, &err));
    if (alone)
        assert_true(waiver_digest_whole(&world->arena, STR("key"), f->class_, f->address, f->type,
                                        change->after, &f->kept_digest, &err));
}

/* What a command does: reviews are asked, the scan is written down. */
static struct finding scan(struct world *world, struct str sees)
{
    static const struct run_start start = {.stack = STR_INIT("prod"),
                                           .environment = STR_INIT("production"),
                                           .actor = {STR_INIT("uid 1"), STR_INIT("os-user")}};
    struct finding finding = {0};
    struct stack_result result = {.name = STR("prod"),
                                  .live = STR("snapshot live.json"),
                                  .desired = STR("state"),
                                  .findings = &finding,
                                  .nfindings = sees.len > 0};
    struct run_finish finish = {.start = &start, .result = &result, .describe = describe};
    struct run_changes changes = {0};
    struct answers *answers;
    struct err err = {0};
    world->now += 1000;
    if (sees.len)
        make_finding(world, sees, &finding);
    if (!run_begin(&world->record, &start, &finish.run, &err) ||
        !run_end(&world->record, &finish, &changes, &err) ||
        !answers_open(&world->record, &world->arena, STR("prod"), &answers, &err) ||
        !answers_apply_all(answers, &result, &err))
        fail_msg("%s", err.frame[0]);
    return result.nfindings ? result.findings[0] : finding;
}

static struct str fingerprint_at(struct world *world)
{
    struct str text = {0};
    assert_true(db_one_text(world->record.db, &world->arena,
                            "SELECT fingerprint FROM finding WHERE status <> 'resolved'", NULL, 0,
                            &text, NULL));
    return text;
}

static bool request(struct world *world, const struct actor *by, enum review_answer answer)
{
    const struct reviewing r = {&world->record, &world->arena, &world->config, by};
    struct review review = {
        .answer = answer, .reason = STR("because of the move"), .until_utc_ms = world->now + DAY};
    struct workflow_outcome out;
    struct reviewed of;
    struct err err = {0};
    if (!reviews_find(&world->record, &world->arena, str_sub(fingerprint_at(world), 0, 8), STR(""),
                      &of, &err))
        fail_msg("%s", err.frame[0]);
    assert_true(str_equal(of.review.owners, STR("@example/net")));
    assert_true(str_equal(of.review.environment, STR("production")));
    if (!reviewing_request(&r, &of, &review, &out, &err)) {
        assert_int_equal(err.kind, ERR_CONFLICT);
        return false;
    }
    world->newest = review.id;
    return out.allowed;
}

static bool step_review(struct world *world, const struct actor *by, bool approve)
{
    const struct reviewing r = {&world->record, &world->arena, &world->config, by};
    struct workflow_outcome out;
    struct review review;
    struct err err = {0};
    bool ok = approve ? reviewing_approve(&r, world->newest, &review, &out, &err)
                      : reviewing_withdraw(&r, world->newest, STR(""), &review, &out, &err);
    if (!ok)
        fail_msg("%s", err.frame[0]);
    return out.allowed;
}

static const struct actor *person(struct str name)
{
    return str_equal(name, STR("alice")) ? &people[0]
           : str_equal(name, STR("bob")) ? &people[1]
           : str_equal(name, STR("sam")) ? &people[2]
                                         : &people[3];
}

static void take_step(struct world *world, const char *text)
{
    struct str rest = str_from(text), word;
    struct settled settled;
    struct err err = {0};
    int64_t hours = 0;
    bool refused = str_starts(rest, STR("no "));
    enum review_answer answer;
    if (refused)
        (void)str_cut(&rest, ' ', &word);
    (void)str_cut(&rest, ' ', &word);
    if (str_equal(word, STR("scan"))) {
        (void)scan(world, rest);
    } else if (str_equal(word, STR("later"))) {
        assert_true(str_to_int64(rest, &hours));
        world->now += hours * HOUR;
    } else if (str_equal(word, STR("settle"))) {
        if (!record_settle(&world->record, &settled, &err))
            fail_msg("%s", err.frame[0]);
    } else if (review_answer_from(rest, &answer)) {
        assert_int_equal(request(world, person(word), answer), !refused);
    } else {
        assert_int_equal(step_review(world, person(word), str_equal(rest, STR("ok"))), !refused);
    }
}

static bool print_event(void *ctx, const struct db_row *row, struct err *err)
{
    struct buf *out = ctx;
    struct str type = db_text(row, 0);
    (void)err;
    if (!str_starts(type, STR("review.")) && !str_equal(type, STR("finding.overdue")))
        return true;
    size_t dot = str_find_char(type, '.', 0);
    struct str word = str_sub(type, dot + 1, type.len);
    buf_printf(out, "%s%.*s", out->len ? " " : "", STR_ARG(word));
    return true;
}

static void open_world(struct world *world, const struct test_store *store)
{
    struct err err = {0};
    *world = (struct world){.arena = {.limit = 1 << 26}, .now = 1700000000000};
    const struct record_options options = {.url = str_from(store->url),
                                           .env = test_store_env,
                                           .timeout_ms = TEST_STORE_PATIENCE_MS,
                                           .now_ms = clock_of,
                                           .clock = world};
    if (!record_open(&world->arena, &options, &world->record, &err))
        fail_msg("%s", err.frame[0]);
}

static void close_world(struct world *world)
{
    test_counts_hold(world->record.db);
    record_close(&world->record);
    arena_free(&world->arena);
}

static void clear(struct world *world)
{
    test_counts_hold(world->record.db);
    assert_true(db_script(world->record.db,
                          "DELETE FROM finding; DELETE FROM finding_count;"
                          "DELETE FROM finding_history; DELETE FROM run;"
                          "DELETE FROM stack; DELETE FROM review; DELETE FROM review_approval;"
                          "DELETE FROM overdue; DELETE FROM cover; DELETE FROM cover_finding",
                          NULL));
    world->newest = 0;
}

static void check_story(struct world *world, const struct story *story, int64_t events_before)
{
    const struct db_value param[] = {DB_PARAM_INT(events_before)};
    struct buf got = {.limit = 4096};
    struct standing standing;
    struct review *review;
    struct str status;
    struct err err = {0};
    size_t n = 0;
    assert_true(db_one_text(world->record.db, &world->arena, "SELECT status FROM finding", NULL, 0,
                            &status, NULL));
    assert_string_equal(status.ptr, story->status);
    assert_true(reviews_list(&world->record, &world->arena, &(struct reviews_query){.most = 1},
                             &review, &n, &err));
    if (n)
        buf_printf(&got, "%s %s", review_state_name(review->state), review_end_name(review->end));
    buf_char(&got, '\0');
    assert_string_equal(got.ptr, story->review);
    got.len = 0;
    if (!standing_ask(&world->record, &world->arena, STR("prod"), 0, &standing, &err))
        fail_msg("%s", err.frame[0]);
    assert_int_equal(standing.n, strcmp(story->status, "resolved") != 0);
    assert_int_equal(standing.n && standing.finding[0].decided, story->decided);
    assert_int_equal(standing.nundecided, standing.n && !story->decided);
    assert_true(db_query(world->record.db,
                         "SELECT type FROM audit_event WHERE seq > $1 ORDER BY seq", param, 1,
                         print_event, &got, NULL));
    buf_char(&got, '\0');
    assert_string_equal(got.ptr, story->events);
    buf_free(&got);
}

static void each_story_ends_as_told(void **state)
{
    struct world world;
    open_world(&world, *state);
    for (size_t i = 0; i < sizeof stories / sizeof *stories; i++) {
        int64_t events = 0;
        print_message("  %s\n", stories[i].says);
        clear(&world);
        assert_true(db_one_int(world.record.db, "SELECT coalesce(max(seq), -1) FROM audit_event",
                               NULL, 0, &events, NULL));
        for (size_t k = 0; k < 12 && stories[i].steps[k]; k++)
            take_step(&world, stories[i].steps[k]);
        check_story(&world, &stories[i], events);
    }
    close_world(&world);
}

/* What a report says of a finding that was answered. */
static void a_scan_is_told_of_reviews(void **state)
{
    struct world world;
    open_world(&world, *state);
    take_step(&world, "scan a!");
    take_step(&world, "alice revert");
    take_step(&world, "bob ok");
    struct finding f = scan(&world, STR("a!"));
    assert_true(str_starts(f.reviewed, STR("review R1 (revert) by uid 1000 (alice) until 2023-")));
    assert_false(f.ignored);
    take_step(&world, "bob accept");
    take_step(&world, "alice ok");
    f = scan(&world, STR("a!"));
    assert_true(f.ignored && str_starts(f.ignored_by, STR("review R2 (accept)")));
    assert_true(f.judgement->waived && f.judgement->decision == DECISION_IGNORE);
    f = scan(&world, STR("a2!"));
    assert_true(!f.ignored && !f.reviewed.len);
    close_world(&world);
}

static void a_number_is_given_once(void **state)
{
    struct world world;
    open_world(&world, *state);
    take_step(&world, "scan a");
    take_step(&world, "alice revert");
    clear(&world); /* as retention does */
    take_step(&world, "scan a");
    take_step(&world, "alice revert");
    assert_int_equal(world.newest, 2);
    close_world(&world);
}

/* --- breakglass and freeze --- */

static struct cover start_cover(struct world *world, enum cover_kind kind, const char *scope,
                                int64_t hours)
{
    struct cover cover = {.kind = kind,
                          .scope = str_from(scope),
                          .reason = STR("fire"),
                          .ticket = STR("INC-1"),
                          .by = people[0],
                          .start_utc_ms = world->now,
                          .until_utc_ms = world->now + hours * HOUR,
                          .within_ms = 2 * HOUR};
    struct err err = {0};
    if (!covers_start(&world->record, &cover, &err))
        fail_msg("%s", err.frame[0]);
    return cover;
}

static struct standing ask(struct world *world)
{
    struct standing standing;
    struct err err = {0};
    if (!standing_ask(&world->record, &world->arena, STR("prod"), 0, &standing, &err))
        fail_msg("%s", err.frame[0]);
    return standing;
}

static void covers_hold_within_scope_and_time(void **state)
{
    struct world world;
    struct cover ended;
    struct err err = {0};
    open_world(&world, *state);
    struct cover freeze = start_cover(&world, COVER_FREEZE, "pr*", 4);
    struct cover other = start_cover(&world, COVER_FREEZE, "dev*", 4);
    struct cover glass = start_cover(&world, COVER_BREAKGLASS, "prod", 2);
    assert_int_equal(freeze.id, 1);
    assert_int_equal(other.id, 2);
    assert_int_equal(glass.id, 1);
    struct standing s = ask(&world);
    assert_int_equal(s.nfreezes, 1);
    assert_int_equal(s.nbreakglasses, 1);
    assert_non_null(standing_freeze(&s, STR("a")));
    world.now += 2 * HOUR;
    assert_int_equal(ask(&world).nbreakglasses, 0);
    assert_int_equal(ask(&world).nfreezes, 1);
    assert_true(covers_end(&world.record, COVER_FREEZE, 1, &people[1], STR("done"), &ended,
                           &world.arena, &err));
    assert_int_equal(ask(&world).nfreezes, 0);
    assert_false(covers_end(&world.record, COVER_FREEZE, 1, &people[1], STR("done"), &ended,
                            &world.arena, &err));
    assert_int_equal(err.kind, ERR_USAGE);
    close_world(&world);
}

static void a_breakglass_leaves_a_list_that_is_due(void **state)
{
    struct world world;
    struct settled settled;
    struct str *list;
    size_t n = 0;
    struct err err = {0};
    open_world(&world, *state);
    take_step(&world, "scan a"); /* was there before */
    world.now += HOUR;
    (void)start_cover(&world, COVER_BREAKGLASS, "prod", 1);
    take_step(&world, "scan a2"); /* within */
    world.now += HOUR;
    assert_true(record_settle(&world.record, &settled, &err));
    assert_int_equal(settled.breakglasses, 1);
    assert_true(covers_findings(&world.record, &world.arena, 1, &list, &n, &err));
    assert_int_equal(n, 1);
    struct standing s = ask(&world);
    assert_int_equal(s.noverdue, 0);
    assert_true(s.finding[0].due_utc_ms < world.now + 2 * HOUR);
    take_step(&world, "scan a2");
    take_step(&world, "settle");
    world.now += 2 * HOUR;
    assert_int_equal(ask(&world).noverdue, 1);
    assert_true(record_settle(&world.record, &settled, &err));
    assert_int_equal(settled.overdue, 1);
    close_world(&world);
}

static void what_the_first_scan_behind_it_sees_is_on_the_list(void **state)
{
    struct world world;
    struct settled settled;
    struct str *list;
    size_t n = 0;
    struct err err = {0};
    open_world(&world, *state);
    take_step(&world, "scan ");
    world.now += HOUR;
    (void)start_cover(&world, COVER_BREAKGLASS, "", 1);
    world.now += HOUR;
    assert_true(record_settle(&world.record, &settled, &err));
    assert_true(covers_findings(&world.record, &world.arena, 1, &list, &n, &err));
    assert_int_equal(n, 0);
    take_step(&world, "scan a"); /* nobody can tell when that was done */
    assert_true(record_settle(&world.record, &settled, &err));
    assert_true(covers_findings(&world.record, &world.arena, 1, &list, &n, &err));
    assert_int_equal(n, 1);
    take_step(&world, "scan a2"); /* another scan lies between */
    assert_true(record_settle(&world.record, &settled, &err));
    close_world(&world);
}

/* --- two approvals at once --- */

struct racer {
    pthread_t thread;
    const struct test_store *store;
    const struct actor *by;
    int64_t id;
    bool allowed, in_effect;
};

static void *race(void *arg)
{
    struct racer *racer = arg;
    struct world world;
    struct workflow_outcome out = {0};
    struct review review;
    struct err err = {0};
    open_world(&world, racer->store);
    const struct reviewing r = {&world.record, &world.arena, NULL, racer->by};
    bool ok = reviewing_approve(&r, racer->id, &review, &out, &err);
    racer->allowed = ok && out.allowed;
    racer->in_effect = racer->allowed && out.state == REVIEW_EFFECT;
    close_world(&world);
    return NULL;
}

static void two_approvals_at_once_take_effect_once(void **state)
{
    struct world world;
    int64_t effects = 0, approvals = 0;
    open_world(&world, *state);
    for (int round = 0; round < 10; round++) {
        clear(&world);
        take_step(&world, "scan a");
        take_step(&world, "alice accept");
        struct racer racer[2] = {{.store = *state, .by = &people[1], .id = world.newest},
                                 {.store = *state, .by = &people[2], .id = world.newest}};
        for (size_t i = 0; i < 2; i++)
            assert_int_equal(pthread_create(&racer[i].thread, NULL, race, &racer[i]), 0);
        for (size_t i = 0; i < 2; i++)
            (void)pthread_join(racer[i].thread, NULL);
        assert_int_equal(racer[0].in_effect + racer[1].in_effect, 1);
        assert_int_equal(racer[0].allowed + racer[1].allowed, 1);
    }
    assert_true(db_one_int(world.record.db,
                           "SELECT count(*) FROM audit_event WHERE type = 'review.effect'", NULL, 0,
                           &effects, NULL));
    assert_true(db_one_int(world.record.db, "SELECT count(*) FROM review_approval", NULL, 0,
                           &approvals, NULL));
    assert_int_equal(effects, 10);
    assert_int_equal(approvals, 1);
    close_world(&world);
}

/* More findings like the one that is there. */
static void multiply(struct world *world, int64_t from, int64_t to)
{
    static const char sql[] =
        "INSERT INTO finding (id, stack, fingerprint, status, class, severity, address, type,"
        " provider, digest, decision, rule, owner, actor, actor_how, first_utc_ms, open_utc_ms,"
        " changed_utc_ms, seen_utc_ms, due_utc_ms, first_run, seen_run, times, why, detail) SELECT"
        " $1, stack, $2, status, class, severity, address, type, provider, digest, decision, rule,"
        " owner, actor, actor_how, first_utc_ms, open_utc_ms, changed_utc_ms, seen_utc_ms,"
        " due_utc_ms, first_run, seen_run, times, why, $3 FROM finding WHERE id = 1";
    char name[33], detail[1001];
    (void)snprintf(detail, sizeof detail, "%01000d", 0);
    assert_true(db_begin(world->record.db, DB_WRITE, NULL));
    for (int64_t id = from; id <= to; id++) {
        (void)snprintf(name, sizeof name, "%032lld", (long long)id);
        const struct db_value row[] = {DB_PARAM_INT(id), DB_PARAM_TEXT(str_from(name)),
                                       DB_PARAM_TEXT(str_from(detail))};
        assert_true(db_run(world->record.db, sql, row, 3, NULL));
    }
    assert_true(counts_rebuild(world->record.db, NULL) && db_commit(world->record.db, NULL));
}

static int64_t number(struct world *world, const char *sql)
{
    int64_t n = -1;
    assert_true(db_one_int(world->record.db, sql, NULL, 0, &n, NULL));
    return n;
}

/* What this process has read, in bytes; -1 where the kernel does not count it. */
static long long bytes_read(void)
{
    long long n = -1;
    FILE *file = fopen("/proc/self/io", "r");
    if (file) {
        if (fscanf(file, "rchar: %lld", &n) != 1)
            n = -1;
        (void)fclose(file);
    }
    return n;
}

static void many_deadlines_pass_at_once(void **state)
{
    const struct test_store *store = *state;
    struct world world, again;
    struct settled settled;
    bool open = true;
    struct err err = {0};
    open_world(&world, store);
    take_step(&world, "scan a!");
    multiply(&world, 2, 3000);
    assert_true(db_script(world.record.db,
                          "INSERT INTO overdue SELECT id, due_utc_ms, 1 FROM finding WHERE id = 7",
                          NULL)); /* it was due before, and is so once more */
    int64_t size = number(&world, "SELECT size FROM audit_head");
    world.now += 2 * DAY;
    assert_true(record_settle(&world.record, &settled, &err));
    assert_int_equal(settled.overdue, 2999);
    assert_int_equal(number(&world, "SELECT size FROM audit_head"), size + 2999);
    assert_int_equal(number(&world, "SELECT count(DISTINCT line) FROM audit_event WHERE"
                                    " type = 'finding.overdue'"),
                     2999);
    assert_int_equal(number(&world, "SELECT count(*) FROM overdue"), 3000);
    assert_int_equal(number(&world, "SELECT count(DISTINCT finding) FROM finding_history WHERE"
                                    " what = 'overdue' AND finding <> 7"),
                     2999);
    /* in the order of the findings, in the history as in the log */
    assert_int_equal(number(&world, "SELECT count(*) FROM finding_history a JOIN finding_history b"
                                    " ON b.id = a.id + 1 WHERE a.what = 'overdue' AND"
                                    " b.finding <= a.finding"),
                     0);
    assert_true(record_settle(&world.record, &settled, &err));
    assert_int_equal(settled.overdue, 0);
    multiply(&world, 3001, 3001); /* the log goes on behind whole tiles */
    assert_true(record_settle(&world.record, &settled, &err));
    assert_int_equal(settled.overdue, 1);
    int64_t now = world.now;
    close_world(&world);

    /* That there is nothing to do is known without a look at all that was told: 3 MB of rows. */
    open_world(&again, store);
    again.now = now;
    long long before = bytes_read();
    assert_true(record_unsettled(&again.record, &open, &err));
    assert_false(open);
    if (before >= 0 && store->server[0] == '\0')
        assert_true(bytes_read() - before < 500000);
    close_world(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_story_ends_as_told),
        cmocka_unit_test(a_scan_is_told_of_reviews),
        cmocka_unit_test(a_number_is_given_once),
        cmocka_unit_test(covers_hold_within_scope_and_time),
        cmocka_unit_test(a_breakglass_leaves_a_list_that_is_due),
        cmocka_unit_test(what_the_first_scan_behind_it_sees_is_on_the_list),
        cmocka_unit_test(two_approvals_at_once_take_effect_once),
        cmocka_unit_test(many_deadlines_pass_at_once),
    };
    return test_stores_run("respond/reviewing", tests, sizeof tests / sizeof *tests);
}

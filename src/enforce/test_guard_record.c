/* test_guard_record.c - what is refused, with what is on record: a case is a row. State and code
 * are files; no provider is installed, so that instances of one type cannot be told apart. */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "enforce/concern.h"
#include "enforce/guard_record.h"
#include "live/reader.h"
#include "model/config.h"
#include "model/stack.h"
#include "record/findings.h"
#include "record/reviews.h"

static const char code[] = "resource \"lab_thing\" \"a\" {}\n"
                           "resource \"lab_thing\" \"b\" {}\n"
                           "resource \"lab_row\" \"c\" {}\n";
static const char state_text[] =
    "{\"version\":4,\"terraform_version\":\"1.11.4\",\"serial\":1,\"lineage\":\"l\",\"outputs\":{},"
    "\"resources\":["
    "{\"mode\":\"managed\",\"type\":\"lab_thing\",\"name\":\"a\",\"provider\":"
    "\"provider[\\\"plumb.test/lab/lab\\\"]\",\"instances\":[{\"schema_version\":0,"
    "\"attributes\":{\"id\":\"1\"}}]},"
    "{\"mode\":\"managed\",\"type\":\"lab_row\",\"name\":\"c\",\"provider\":"
    "\"provider[\\\"plumb.test/lab/lab\\\"]\",\"instances\":[{\"schema_version\":0,"
    "\"attributes\":{\"id\":\"3\"}}]}]}";

enum setting {
    PLAIN = 0,
    FREEZE = 1,
    FREEZE_OF_ROW = 2,
    BREAKGLASS = 4,
    BASELINE = 8,
    NO_STORE = 16,
    BROKEN_STATE = 32,
    READ_ONLY = 64,
    NO_SCAN = 128
};
static const struct {
    const char *says;
    unsigned settings;
    const char *drifted; /* address; NULL = nothing */
    enum finding_class class_;
    enum guard_kind kind;
    const char *type;
    struct config_gate gate;
    bool allow;
    const char *want; /* in summary, detail or warning */
    const char *outcome;
} cases[] = {
    {"nothing drifted", PLAIN, NULL, 0, GUARD_UPDATE, "lab_thing", {{0}}, true, "", "allow"},
    {"no store: nobody objects", NO_STORE, NULL, 0, GUARD_UPDATE, "lab_thing", {{0}}, true, "", ""},
    {"it drifted",
     PLAIN,
     "lab_thing.a",
     CLASS_CONTRADICTS_CODE,
     GUARD_UPDATE,
     "lab_thing",
     {{0}},
     false,
     "lab_thing.a was changed outside",
     "deny"},
    {"it drifted, and is removed",
     PLAIN,
     "lab_thing.a",
     CLASS_CONTRADICTS_CODE,
     GUARD_DELETE,
     "lab_thing",
     {{0}},
     false,
     "unreviewed drift",
     "deny"},
    {"it was deleted, and is made again",
     PLAIN,
     "lab_thing.b",
     CLASS_MISSING,
     GUARD_CREATE,
     "lab_thing",
     {{0}},
     false,
     "lab_thing.b was deleted outside",
     "deny"},
    {"which one is not known: the strictest",
     PLAIN,
     "lab_thing.b",
     CLASS_MISSING,
     GUARD_CREATE,
     "lab_thing",
     {{0}},
     false,
     "may be of another resource",
     "deny"},
    {"another type",
     PLAIN,
     "lab_thing.a",
     CLASS_CONTRADICTS_CODE,
     GUARD_UPDATE,
     "lab_row",
     {{0}},
     true,
     "",
     "allow"},
    {"an address that the state does not have",
     PLAIN,
     "lab_thing.b",
     CLASS_CONTRADICTS_CODE,
     GUARD_UPDATE,
     "lab_thing",
     {{0}},
     true,
     "",
     "allow"},
    {"code that is ahead is no drift",
     PLAIN,
     "lab_thing.a",
     CLASS_UNAPPLIED,
     GUARD_UPDATE,
     "lab_thing",
     {{0}},
     true,
     "",
     "allow"},
    {"a baseline decides",
     BASELINE,
     "lab_thing.a",
     CLASS_CONTRADICTS_CODE,
     GUARD_UPDATE,
     "lab_thing",
     {{0}},
     true,
     "",
     "allow"},
    {"told to warn",
     PLAIN,
     "lab_thing.a",
     CLASS_CONTRADICTS_CODE,
     GUARD_UPDATE,
     "lab_thing",
     {.undo = STR_INIT("warn")},
     true,
     "this warns only",
     "warn"},
    {"told not to ask",
     PLAIN,
     "lab_thing.a",
     CLASS_CONTRADICTS_CODE,
     GUARD_UPDATE,
     "lab_thing",
     {.undo = STR_INIT("off")},
     true,
     "",
     "allow"},
    {"a word that is no level blocks",
     PLAIN,
     "lab_thing.a",
     CLASS_CONTRADICTS_CODE,
     GUARD_UPDATE,
     "lab_thing",
     {.undo = STR_INIT("wran")},
     false,
     "unreviewed drift",
     "deny"},
    {"a breakglass lets it through",
     BREAKGLASS,
     "lab_thing.a",
     CLASS_CONTRADICTS_CODE,
     GUARD_UPDATE,
     "lab_thing",
     {{0}},
     true,
     "a breakglass is in effect",
     "warn"},
    {"a freeze", FREEZE, NULL, 0, GUARD_UPDATE, "lab_thing", {{0}}, false, "Freeze F1", "deny"},
    {"a freeze of something else",
     FREEZE_OF_ROW,
     NULL,
     0,
     GUARD_UPDATE,
     "lab_thing",
     {{0}},
     true,
     "",
     "allow"},
    {"a freeze of just this",
     FREEZE_OF_ROW,
     NULL,
     0,
     GUARD_UPDATE,
     "lab_row",
     {{0}},
     false,
     "Freeze F1",
     "deny"},
    {"a call without an address, and a freeze",
     FREEZE_OF_ROW,
     NULL,
     0,
     GUARD_UNKNOWN,
     "",
     {{0}},
     false,
     "Freeze F1",
     "deny"},
    {"a call without an address, and drift",
     PLAIN,
     "lab_thing.a",
     CLASS_CONTRADICTS_CODE,
     GUARD_UNKNOWN,
     "",
     {{0}},
     false,
     "unreviewed drift",
     "deny"},
    {"a call without an address, and nothing",
     PLAIN,
     NULL,
     0,
     GUARD_UNKNOWN,
     "",
     {{0}},
     true,
     "",
     "allow"},
    {"no state to be read: any of that type",
     BROKEN_STATE,
     "lab_thing.b",
     CLASS_CONTRADICTS_CODE,
     GUARD_UPDATE,
     "lab_thing",
     {{0}},
     false,
     "the state was not read",
     "deny"},
    {"what cannot be written down is not allowed",
     READ_ONLY,
     NULL,
     0,
     GUARD_UPDATE,
     "lab_thing",
     {{0}},
     false,
     "could not decide",
     ""},
    {"scanned just now",
     PLAIN,
     NULL,
     0,
     GUARD_UPDATE,
     "lab_thing",
     {.max_age_ms = 3600000},
     true,
     "",
     "allow"},
    {"never scanned",
     NO_SCAN,
     NULL,
     0,
     GUARD_UPDATE,
     "lab_thing",
     {.max_age_ms = 3600000},
     false,
     "never scanned",
     "deny"},
};

struct world {
    struct arena arena;
    char dir[64], db[128];
    struct stack stack;
    struct record record;
    struct buf warned;
};

static const char *no_env(const char *name)
{
    (void)name;
    return NULL;
}

static int64_t now(void *clock)
{
    (void)clock;
    return 1800000000000;
}

static bool describe(void *ctx, struct buf *out, const struct finding *finding, struct err *err)
{
    (void)ctx;
    buf_printf(out, "{\"fingerprint\":\"%s\"}", finding->fingerprint);
    return buf_ok(out, err);
}

static void on_warning(void *ctx, struct str text)
{
    buf_str(&((struct world *)ctx)->warned, text);
}

static void write_file(const struct world *w, const char *name, struct str text)
{
    char path[160];
    struct err err = {0};
    (void)snprintf(path, sizeof path, "%s/%s", w->dir, name);
    assert_true(io_write_file_atomic(path, text, 0600, &err));
}

static void open_world(struct world *w, unsigned settings)
{
    struct err err = {0};
    *w = (struct world){.arena = {.limit = 64 << 20}, .warned = {.limit = 1 << 16}};
    (void)snprintf(w->dir, sizeof w->dir, "/tmp/plumb-guard-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    write_file(w, "main.tf", str_from(code));
    write_file(w, "terraform.tfstate",
               settings & BROKEN_STATE ? STR("{\"version\":4,") : str_from(state_text));
    w->stack = (struct stack){.name = STR("prod"),
                              .path = str_from(w->dir),
                              .workspace = STR("default"),
                              .data_dir = STR(".terraform")};
    (void)snprintf(w->db, sizeof w->db, "sqlite:%s/s.db", w->dir);
    if (settings & NO_STORE)
        return;
    const struct record_options options = {.url = str_from(w->db), .env = no_env, .now_ms = now};
    assert_true(record_open(&w->arena, &options, &w->record, &err));
}

static void close_world(struct world *w)
{
    char line[128];
    record_close(&w->record);
    buf_free(&w->warned);
    arena_free(&w->arena);
    (void)snprintf(line, sizeof line, "rm -rf '%s'", w->dir);
    assert_int_equal(system(line), 0); /* NOLINT(cert-env33-c): our own words */
}

static void scan(struct world *w, const char *address, enum finding_class class_, bool baseline)
{
    static const struct run_start start = {
        .stack = STR_INIT("prod"), .actor = {STR_INIT("uid 1000 (ann)"), STR_INIT("os-user")}};
    static const struct value before = {.kind = VALUE_STRING, .len = 1, .text = "x"};
    static const struct value after = {.kind = VALUE_STRING, .len = 1, .text = "y"};
    struct change change = {
        .path = STR("size"), .before = &before, .after = &after, .configurable = true};
    struct str given = str_from(address), rest = given, type;
    (void)str_cut(&rest, '.', &type);
    struct finding finding = {.class_ = class_,
                              .severity = SEVERITY_HIGH,
                              .stack = STR("prod"),
                              .address = given,
                              .type = type,
                              .changes = &change,
                              .nchanges = class_ != CLASS_MISSING};
    struct stack_result result = {.name = STR("prod"),
                                  .live = STR("providers"),
                                  .desired = STR("code"),
                                  .findings = &finding,
                                  .nfindings = address ? 1 : 0};
    struct run_finish finish = {.start = &start, .result = &result, .describe = describe};
    struct run_changes changes;
    struct err err = {0};
    if (baseline)
        finish.baseline = STR("as found");
    if (address)
        assert_true(finding_fingerprint(&finding, &change, finding.nchanges, &err));
    assert_true(run_begin(&w->record, &start, &finish.run, &err));
    assert_true(run_end(&w->record, &finish, &changes, &err));
}

static void cover(struct world *w, enum cover_kind kind, const char *address)
{
    struct err err = {0};
    struct cover cover = {.kind = kind,
                          .scope = STR("prod"),
                          .address = str_from(address),
                          .reason = STR("because"),
                          .by = {.name = STR("ann"), .how = STR("os-user")},
                          .start_utc_ms = now(NULL) - 1000,
                          .until_utc_ms = now(NULL) + 3600000,
                          .within_ms = 3600000,
                          .due_utc_ms = now(NULL) + 7200000};
    assert_true(covers_start(&w->record, &cover, &err));
}

static void prepare(struct world *w, size_t i)
{
    unsigned settings = cases[i].settings;
    open_world(w, settings);
    if (settings & NO_STORE)
        return;
    if (!(settings & NO_SCAN))
        scan(w, cases[i].drifted, cases[i].class_, settings & BASELINE);
    if (settings & FREEZE)
        cover(w, COVER_FREEZE, NULL);
    if (settings & FREEZE_OF_ROW)
        cover(w, COVER_FREEZE, "lab_row.*");
    if (settings & BREAKGLASS)
        cover(w, COVER_BREAKGLASS, NULL);
    if (settings & READ_ONLY) {
        const struct record_options options = {
            .url = str_from(w->db), .env = no_env, .now_ms = now, .read_only = true};
        record_close(&w->record);
        assert_true(record_open(&w->arena, &options, &w->record, NULL));
    }
}

struct looking {
    const char *want;
    bool found;
};

static bool look_at(void *ctx, const struct db_row *row, struct err *err)
{
    (void)err;
    struct looking *looking = ctx;
    struct str line = db_text(row, 0);
    if (str_find(line, STR("gate.decision"), 0) != SIZE_MAX)
        looking->found = str_find(line, str_from(looking->want), 0) != SIZE_MAX &&
                         str_find(line, STR("\"point\":\"provider\""), 0) != SIZE_MAX;
    return true;
}

/* Is the last gate.decision of the log one with that outcome? "": there is none. */
static void check_event(struct world *w, const char *outcome)
{
    char want[64];
    struct looking looking = {.want = want};
    (void)snprintf(want, sizeof want, "\"outcome\":\"%s\"", outcome);
    if (!w->record.db)
        return;
    assert_true(db_query(w->record.db, "SELECT line FROM audit_event ORDER BY seq", NULL, 0,
                         look_at, &looking, NULL));
    assert_int_equal(looking.found, *outcome != '\0');
}

static void each_change_gets_its_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world w;
        struct err err = {0};
        struct concern *concern = NULL;
        struct guard_record *guarding = NULL;
        const struct reader_options reader = {0};
        AUTO_ARENA arena = {.limit = 64 << 20};
        print_message("  %s\n", cases[i].says);
        prepare(&w, i);
        const struct concern_options co = {
            .stack = &w.stack, .reader = &reader, .env = no_env, .now_utc_ms = now(NULL)};
        assert_true(concern_open(&co, &concern, &err));
        const struct guard_record_options options = {
            .stack = &w.stack,
            .concern = concern,
            .record = w.record.db ? &w.record : NULL,
            .gate = &cases[i].gate,
            .actor = {STR("uid 1000 (ann)"), STR("os-user")},
            .now_ms = now,
            .on_warning = on_warning,
            .ctx = &w};
        assert_true(guard_record_open(&options, &guarding, &err));
        const struct guard_change change = {.kind = cases[i].kind,
                                            .provider = STR("plumb.test/lab/lab"),
                                            .method = STR("ApplyResourceChange"),
                                            .type = str_from(cases[i].type),
                                            .prior = STR("\x81\xa2id\xa1"
                                                         "1"),
                                            .planned = STR("\x81\xa2id\xa1"
                                                           "1")};
        struct guard guard = guard_record_guard(guarding);
        struct guard_answer answer = {0};
        guard.ask(guard.ctx, &arena, &change, &answer);
        assert_int_equal(answer.allow, cases[i].allow);
        struct str want = str_from(cases[i].want);
        if (want.len && str_find(answer.detail, want, 0) == SIZE_MAX &&
            str_find(answer.summary, want, 0) == SIZE_MAX &&
            str_find(buf_view(&w.warned), want, 0) == SIZE_MAX)
            fail_msg("'%.*s' is not in: %.*s: %.*s / %.*s", STR_ARG(want), STR_ARG(answer.summary),
                     STR_ARG(answer.detail), (int)w.warned.len, w.warned.ptr);
        check_event(&w, cases[i].outcome);
        guard_record_close(guarding);
        concern_close(concern);
        close_world(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_change_gets_its_answer)};
    return cmocka_run_group_tests_name("enforce/guard_record", tests, NULL, NULL);
}

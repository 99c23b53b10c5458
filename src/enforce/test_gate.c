/* test_gate.c - the gate's decision: a situation is a row. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "enforce/gate.h"
#include "model/decision.h"
#include "wire/json.h"

/* Everything that a row may say; the rest is as in a stack where all is well. */
struct row {
    const char *says;
    enum plan_action action;
    const char *live, *after, *unknown,
        *before;               /* JSON of the attributes; live NULL: as the code has it */
    const char *path;          /* the drift: of x.a, from 1 to 2 */
    enum finding_class class_; /* of it */
    bool no_drift, ignored, sensitive, computed, waived;
    int decision;     /* of policy, 1 + enum decision; 0: not asked */
    int answer;       /* of a review in effect, 1 + enum review_answer */
    bool other_value; /* the review is about another value */
    int64_t until;    /* of the review */
    bool unread, unanswered, since;
    const char *lineage; /* the plan's */
    uint64_t serial;     /* the plan's; the state's is 7 */
    bool dirty, unpushed, no_remote, not_git, git_broken, signed_, merged;
    const char *plan_commit;
    bool differs;
    int64_t scanned;   /* minutes ago; 0: never */
    uint64_t compared; /* of 100 */
    bool no_store, violation, notify, broken_rule, freeze, breakglass, errored, cannot_tell;
    bool standing; /* x.b is on record as undecided */
    struct config_gate rules;
    int exit;          /* wanted */
    const char *kinds; /* wanted: blocks, then warnings in parentheses */
};

#define DRIFT .path = "size", .class_ = CLASS_CONTRADICTS_CODE, .live = "{\"size\":2}"
#define BACK .action = PLAN_UPDATE, .after = "{\"size\":1}"
#define CALM .no_drift = true, .action = PLAN_UPDATE, .after = "{\"size\":3}"

static const struct row rows[] = {
    {"all is well", CALM, .kinds = ""},
    {"nothing to do", .no_drift = true, .action = PLAN_NO_OP, .kinds = ""},
    {"sets drift back", DRIFT, BACK, .exit = 2, .kinds = "undo"},
    {"sets a third value", DRIFT, .action = PLAN_UPDATE, .after = "{\"size\":9}", .exit = 2,
     .kinds = "undo"},
    {"keeps drift", DRIFT, .action = PLAN_UPDATE, .after = "{\"size\":2}", .kinds = ""},
    {"known after apply", DRIFT, .action = PLAN_UPDATE, .after = "{}", .unknown = "{\"size\":true}",
     .exit = 2, .kinds = "undo"},
    {"replaces with drift", DRIFT, .action = PLAN_REPLACE, .after = "{\"size\":1}", .exit = 2,
     .kinds = "undo"},
    {"destroys drift", DRIFT, .action = PLAN_DELETE, .exit = 2, .kinds = "undo"},
    {"forgets drift", DRIFT, .action = PLAN_FORGET, .kinds = ""},
    {"an action of tomorrow", DRIFT, .action = PLAN_UNKNOWN_ACTION, .exit = 2, .kinds = "undo"},
    {"leaves drift alone", DRIFT, .action = PLAN_NO_OP, .kinds = ""},
    {"what only follows", DRIFT, BACK, .computed = true, .kinds = ""},
    {"what only follows, and the plan changes it", DRIFT, BACK, .computed = true,
     .before = "{\"size\":2}", .exit = 2, .kinds = "undo"},
    {"what code has no say in", .path = "size", .class_ = CLASS_STATE_ONLY, BACK,
     .live = "{\"size\":2}", .before = "{\"size\":1}", .kinds = ""},
    {"... and the plan has", .path = "size", .class_ = CLASS_STATE_ONLY, BACK,
     .live = "{\"size\":2}", .before = "{\"size\":2}", .exit = 2, .kinds = "undo"},
    {"an ignore rule", DRIFT, BACK, .ignored = true, .kinds = ""},
    {"a secret drifted", .path = "size", .class_ = CLASS_CONTRADICTS_CODE, .sensitive = true, BACK,
     .exit = 2, .kinds = "undo"},
    {"creates what was deleted", .path = "", .class_ = CLASS_MISSING, .action = PLAN_CREATE,
     .after = "{\"size\":1}", .exit = 2, .kinds = "undo"},
    {"destroys what was deleted", .path = "", .class_ = CLASS_MISSING, .action = PLAN_DELETE,
     .kinds = ""},
    {"code ahead of live is no drift", .path = "size", .class_ = CLASS_UNAPPLIED, BACK,
     .kinds = ""},
    /* reviews and policy */
    {"reviewed: revert", DRIFT, BACK, .answer = 1 + ANSWER_REVERT, .kinds = ""},
    {"reviewed: accept", DRIFT, BACK, .answer = 1 + ANSWER_ACCEPT, .kinds = "(undo)"},
    {"reviewed: adopt", DRIFT, BACK, .answer = 1 + ANSWER_ADOPT, .exit = 2, .kinds = "undo"},
    {"reviewed, then changed again", DRIFT, BACK, .answer = 1 + ANSWER_REVERT, .other_value = true,
     .exit = 2, .kinds = "undo"},
    {"a review that is over", DRIFT, BACK, .answer = 1 + ANSWER_REVERT, .until = 1, .exit = 2,
     .kinds = "undo"},
    {"policy ignores", DRIFT, BACK, .decision = 1 + DECISION_IGNORE, .kinds = ""},
    {"policy notifies", DRIFT, BACK, .decision = 1 + DECISION_NOTIFY, .exit = 2, .kinds = "undo"},
    {"policy wants it back", DRIFT, BACK, .decision = 1 + DECISION_REVERT, .kinds = ""},
    {"waived", DRIFT, BACK, .decision = 1 + DECISION_BLOCK, .waived = true, .kinds = ""},
    {"beside: review", DRIFT, .action = PLAN_NO_OP, .decision = 1 + DECISION_REVIEW, .exit = 2,
     .kinds = "undecided"},
    {"beside: reviewed", DRIFT, .action = PLAN_NO_OP, .decision = 1 + DECISION_REVIEW,
     .answer = 1 + ANSWER_ACCEPT, .kinds = ""},
    {"beside: notify", DRIFT, .action = PLAN_NO_OP, .decision = 1 + DECISION_NOTIFY, .kinds = ""},
    {"on record, elsewhere", CALM, .standing = true, .exit = 2, .kinds = "undecided"},
    {"on record, may warn", CALM, .standing = true, .rules.undecided = STR_INIT("warn"),
     .kinds = "(undecided)"},
    {"planned values violate", CALM, .violation = true, .exit = 3, .kinds = "policy"},
    {"a rule that notifies", CALM, .violation = true, .notify = true, .kinds = "(policy)"},
    {"a rule that fails", CALM, .violation = true, .broken_rule = true, .exit = 1,
     .kinds = "cannot-tell"},
    /* stale */
    {"another serial", CALM, .serial = 6, .exit = 2, .kinds = "stale-state"},
    {"another lineage", CALM, .serial = 7, .lineage = "m", .exit = 2, .kinds = "stale-state"},
    {"the same state", CALM, .serial = 7, .lineage = "l", .kinds = ""},
    {"live changed since", CALM, .since = true, .exit = 2, .kinds = "stale-live"},
    {"stale may warn", CALM, .since = true, .serial = 6, .rules.stale = STR_INIT("warn"),
     .kinds = "(stale-state stale-live)"},
    {"other code", CALM, .differs = true, .exit = 3, .kinds = "stale-code"},
    {"another commit", CALM, .plan_commit = "ffff", .exit = 3, .kinds = "stale-code"},
    {"this commit", CALM, .plan_commit = "c0ffee", .kinds = ""},
    /* the code */
    {"dirty", CALM, .dirty = true, .exit = 3, .kinds = "dirty"},
    {"dirty is fine", CALM, .dirty = true, .rules.no_require_clean = true, .kinds = ""},
    {"not pushed", CALM, .unpushed = true, .exit = 3, .kinds = "unpushed"},
    {"nowhere to push", CALM, .unpushed = true, .no_remote = true, .kinds = ""},
    {"not signed", CALM, .rules.require_signed = true, .exit = 3, .kinds = "unsigned"},
    {"signed", CALM, .rules.require_signed = true, .signed_ = true, .kinds = ""},
    {"not merged", CALM, .rules.require_merged_into = STR_INIT("main"), .exit = 3,
     .kinds = "unmerged"},
    {"merged", CALM, .rules.require_merged_into = STR_INIT("main"), .merged = true, .kinds = ""},
    {"no git", CALM, .not_git = true, .kinds = ""},
    {"no git, but asked", CALM, .not_git = true, .rules.require_signed = true, .exit = 1,
     .kinds = "cannot-tell"},
    {"git is broken", CALM, .not_git = true, .git_broken = true, .exit = 1, .kinds = "cannot-tell"},
    /* coverage */
    {"unreadable", CALM, .unread = true, .exit = 1, .kinds = "unread"},
    {"unreadable may warn", CALM, .unread = true, .rules.coverage = STR_INIT("warn"),
     .kinds = "(unread)"},
    {"nobody answered", CALM, .unanswered = true, .exit = 1, .kinds = "unread"},
    {"never scanned", CALM, .rules.max_age_ms = 3600000, .exit = 3, .kinds = "freshness"},
    {"scanned long ago", CALM, .rules.max_age_ms = 3600000, .scanned = 61, .exit = 3,
     .kinds = "freshness"},
    {"scanned lately", CALM, .rules.max_age_ms = 3600000, .scanned = 59, .kinds = ""},
    {"too little compared", CALM, .rules.min_coverage = 90, .scanned = 1, .compared = 89, .exit = 3,
     .kinds = "coverage"},
    {"enough compared", CALM, .rules.min_coverage = 90, .scanned = 1, .compared = 90, .kinds = ""},
    {"no store to ask", CALM, .rules.min_coverage = 90, .no_store = true, .exit = 1,
     .kinds = "cannot-tell"},
    /* the rest */
    {"a freeze", CALM, .freeze = true, .exit = 3, .kinds = "freeze"},
    {"a freeze, nothing to do", .no_drift = true, .action = PLAN_NO_OP, .freeze = true,
     .kinds = ""},
    {"breakglass", DRIFT, BACK, .freeze = true, .breakglass = true, .kinds = "(undo freeze)"},
    {"breakglass tells no facts", CALM, .breakglass = true, .cannot_tell = true, .exit = 1,
     .kinds = "cannot-tell"},
    {"the plan failed", CALM, .errored = true, .exit = 1, .kinds = "cannot-tell"},
    {"the worst counts", DRIFT, BACK, .violation = true, .exit = 3, .kinds = "undo policy"},
    {"not knowing is worst", DRIFT, BACK, .violation = true, .cannot_tell = true, .exit = 1,
     .kinds = "cannot-tell undo policy"},
};

static const struct value *parse(struct arena *arena, const char *text)
{
    struct value *v = arena_new(arena, struct value, 1);
    struct err err = {0};
    if (!text)
        return NULL;
    assert_true(json_parse(arena, str_from(text), "row", 0, v, &err));
    return v;
}

static const struct value one = {.kind = VALUE_NUMBER, .form = NUMBER_INT, .integer = 1},
                          two = {.kind = VALUE_NUMBER, .form = NUMBER_INT, .integer = 2};
enum { NOW = 1800000000 };
static const int64_t now_ms = (int64_t)NOW * 1000;

struct situation {
    struct gate_touch touch;
    struct change change, since;
    struct finding finding;
    struct judgement judgement;
    struct review review;
    struct gate_standing standing[2];
    struct gate_violation violation;
    struct gate_cover freeze, glass;
    struct str different, trouble;
    struct gate_facts facts;
};

static void set_drift(struct situation *s, const struct row *row)
{
    s->change = (struct change){.path = str_from(row->path),
                                .before = &one,
                                .after = &two,
                                .sensitive = row->sensitive,
                                .configurable = !row->computed,
                                .ignored_by = row->ignored ? STR("it is so") : STR("")};
    s->finding = (struct finding){.fingerprint = "0123456789abcdef0123456789abcdef",
                                  .class_ = row->class_,
                                  .severity = SEVERITY_MEDIUM,
                                  .address = STR("x.a"),
                                  .type = STR("x"),
                                  .changes = &s->change,
                                  .nchanges = row->class_ != CLASS_MISSING,
                                  .ignored = row->ignored};
    s->judgement = (struct judgement){.rule = STR("r"), .waived = row->waived};
    if (row->decision) {
        s->judgement.decision = (enum decision)(row->decision - 1);
        s->finding.judgement = &s->judgement;
    }
    s->facts.finding = &s->finding;
    s->facts.nfindings = !row->no_drift;
    if (!row->answer)
        return;
    s->review = (struct review){.id = 4,
                                .answer = (enum review_answer)(row->answer - 1),
                                .state = REVIEW_EFFECT,
                                .reason = STR("it was agreed"),
                                .until_utc_ms = row->until ? row->until : now_ms + 1000,
                                .fingerprint =
                                    row->other_value ? STR("0") : str_from(s->finding.fingerprint)};
    s->standing[0] = (struct gate_standing){.address = STR("x.a"),
                                            .fingerprint = s->review.fingerprint,
                                            .class_ = row->class_,
                                            .review = &s->review};
    s->facts.nstanding = 1;
}

static void set_rest(struct situation *s, const struct row *row)
{
    struct gate_facts *f = &s->facts;
    s->violation = (struct gate_violation){.address = STR("x.a"),
                                           .rule = STR("doors"),
                                           .message = STR("Doors stay closed"),
                                           .warning = row->notify,
                                           .error = row->broken_rule};
    f->violation = &s->violation;
    f->nviolations = row->violation;
    s->freeze = (struct gate_cover){.id = STR("F1"), .reason = STR("the fair")};
    s->glass = (struct gate_cover){.id = STR("B1"), .reason = STR("it burns")};
    f->freeze = &s->freeze;
    f->nfreezes = row->freeze;
    f->breakglass = &s->glass;
    f->nbreakglasses = row->breakglass;
    s->trouble = STR("the store is not there");
    f->cannot_tell = &s->trouble;
    f->ncannot_tell = row->cannot_tell;
    f->plan_errored = row->errored;
    f->has_store = !row->no_store;
    f->scanned_utc_ms = row->scanned ? now_ms - row->scanned * 60000 : 0;
    f->scanned_resources = 100;
    f->scanned_compared = row->compared ? row->compared : 100;
    f->now_utc_ms = now_ms;
    if (!row->standing)
        return;
    s->standing[f->nstanding++] = (struct gate_standing){.address = STR("x.b"),
                                                         .fingerprint = STR("89abcdef01234567"),
                                                         .class_ = CLASS_MISSING,
                                                         .decision = DECISION_REVIEW,
                                                         .has_decision = true,
                                                         .actor = STR("eve")};
}

static void set_code(struct situation *s, const struct row *row)
{
    struct gate_code *c = &s->facts.code;
    s->different = STR("main.tf");
    *c = (struct gate_code){.known = !row->not_git,
                            .why = row->git_broken ? STR("git: it is broken") : STR(""),
                            .asked_signature = row->rules.require_signed,
                            .good_signature = row->signed_,
                            .asked_merged = row->rules.require_merged_into.len > 0,
                            .merged = row->merged,
                            .branch_exists = true,
                            .plan_commit = str_from(row->plan_commit),
                            .different = &s->different,
                            .ndifferent = row->differs};
    c->revision = (struct revision){.commit = STR("c0ffee0000000000000000000000000000000000"),
                                    .has_remote = !row->no_remote,
                                    .dirty = row->dirty,
                                    .pushed = !row->unpushed};
}

static void set_all(struct arena *arena, struct situation *s, const struct row *row)
{
    s->touch = (struct gate_touch){.address = STR("x.a"),
                                   .type = STR("x"),
                                   .action = row->action,
                                   .live = parse(arena, row->live),
                                   .after = parse(arena, row->after),
                                   .before = parse(arena, row->before),
                                   .unknown = parse(arena, row->unknown),
                                   .answered = !row->unanswered,
                                   .unread = row->unread ? STR("AccessDenied") : STR("")};
    s->since = (struct change){.path = STR("size"), .sensitive = true};
    s->touch.since = &s->since;
    s->touch.nsince = row->since;
    s->facts.stack = STR("shop");
    s->facts.touch = &s->touch;
    s->facts.ntouches = 1;
    s->facts.standing = s->standing;
    set_drift(s, row);
    set_rest(s, row);
    set_code(s, row);
    if (!row->serial)
        return;
    s->facts.state = (struct gate_state){.known = true, .lineage = STR("l"), .serial = 7};
    s->facts.plan_state = (struct gate_state){
        .known = true, .lineage = str_from(row->lineage), .serial = row->serial};
}

static void print_kinds(struct buf *out, const struct gate_decision *decision)
{
    for (size_t i = 0; i < decision->n; i++) {
        bool warns = decision->objection[i].level == GATE_WARN;
        if (i)
            buf_char(out, ' ');
        if (warns && i == decision->nblocking)
            buf_char(out, '(');
        buf_str(out, str_from(gate_kind_name(decision->objection[i].kind)));
    }
    if (decision->n > decision->nblocking)
        buf_char(out, ')');
}

static void a_situation_has_its_decision(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        AUTO_BUF got = {.limit = 1 << 12};
        struct err err = {0};
        struct situation s = {0};
        struct gate_decision decision = {0};
        set_all(&arena, &s, &rows[i]);
        assert_true(gate_decide(&arena, &s.facts, &rows[i].rules, &decision, &err));
        print_kinds(&got, &decision);
        if (decision.exit_code != rows[i].exit ||
            !str_equal(buf_view(&got), str_from(rows[i].kinds)))
            print_message("  %s: exit %d, '%.*s'\n", rows[i].says, decision.exit_code,
                          STR_ARG(buf_view(&got)));
        assert_int_equal(decision.exit_code, rows[i].exit);
        assert_true(str_equal(buf_view(&got), str_from(rows[i].kinds)));
        assert_int_equal(gate_allows(decision.answer), rows[i].exit == 0);
        for (size_t k = 0; k < decision.n; k++) {
            assert_true(decision.objection[k].message.len > 0);
            assert_true(decision.objection[k].todo.len > 0);
            /* what is on record is another finding than what is there now */
            if (rows[i].other_value && decision.objection[k].kind == GATE_UNDO)
                assert_true(str_starts(decision.objection[k].todo, STR("scan the stack")));
        }
    }
}

static void without_room_nothing_is_allowed(void **state)
{
    (void)state;
    for (size_t limit = 0; limit < 600; limit += 8) {
        AUTO_ARENA arena = {.limit = 1 << 20}, small = {.limit = limit};
        struct err err = {0};
        struct situation s = {0};
        struct gate_decision decision = {0};
        static const struct row row = {"", DRIFT, BACK, .violation = true};
        set_all(&arena, &s, &row);
        bool ok = gate_decide(&small, &s.facts, NULL, &decision, &err);
        assert_false(gate_allows(decision.answer));
        assert_int_equal(err.kind, ok ? ERR_NONE : ERR_LIMIT);
    }
}

static void a_zeroed_decision_is_none(void **state)
{
    (void)state;
    static const struct gate_decision nothing;
    assert_false(gate_allows(nothing.answer));
    assert_false(gate_allows(GATE_DENY));
    assert_int_equal(GATE_ALLOW ^ GATE_DENY, 0x7fffffff);
}

static void an_address_is_blocked_by_its_own_and_by_all(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct situation s = {0}, f = {0};
    struct gate_decision decision;
    static const struct row drifted = {"", DRIFT, BACK}, frozen = {"", CALM, .freeze = true};
    set_all(&arena, &s, &drifted);
    assert_true(gate_decide(&arena, &s.facts, NULL, &decision, &err));
    assert_non_null(gate_blocks_address(&decision, STR("x.a")));
    assert_null(gate_blocks_address(&decision, STR("x.b")));
    set_all(&arena, &f, &frozen);
    assert_true(gate_decide(&arena, &f.facts, NULL, &decision, &err));
    assert_non_null(gate_blocks_address(&decision, STR("x.b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_situation_has_its_decision),
        cmocka_unit_test(without_room_nothing_is_allowed),
        cmocka_unit_test(a_zeroed_decision_is_none),
        cmocka_unit_test(an_address_is_blocked_by_its_own_and_by_all),
    };
    return cmocka_run_group_tests_name("enforce/gate", tests, NULL, NULL);
}

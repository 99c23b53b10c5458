/* test_statelock.c - who may lock, give back and write: a behaviour is a row. */
#include "base/test.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "enforce/statelock.h"
#include "wire/json.h"

#define PLAN "OperationTypePlan"
#define APPLY "OperationTypeApply"

static const struct {
    const char *says;
    const char *operation;
    enum role role;
    const char *held; /* id of the lock there is, by token 1 */
    int64_t token;    /* of the caller, who asks for the lock "a" */
    size_t nreasons;
    const char *breakglass;
    enum lock_answer answer;
    bool warned;
    const char *kind; /* of the lock that is held; NULL: "write" */
} locks[] = {
    {"a plan on a free state", PLAN, ROLE_PLAN, "", 2, 0, "", LOCK_GIVEN, false},
    {"a plan while something stands against an apply", PLAN, ROLE_PLAN, "", 2, 3, "", LOCK_GIVEN,
     false},
    {"a plan with a token that reads", PLAN, ROLE_READ, "", 2, 0, "", LOCK_FORBIDDEN, false},
    {"a plan on a held state", PLAN, ROLE_ADMIN, "b", 2, 0, "", LOCK_HELD, false},
    {"an apply", APPLY, ROLE_APPLY, "", 2, 0, "", LOCK_GIVEN, false},
    {"an apply with a token that plans", APPLY, ROLE_PLAN, "", 2, 0, "", LOCK_FORBIDDEN, false},
    {"an apply with a reason against it", APPLY, ROLE_APPLY, "", 2, 1, "", LOCK_REFUSED, false},
    {"even for an admin", APPLY, ROLE_ADMIN, "", 2, 1, "", LOCK_REFUSED, false},
    {"a breakglass lets it through", APPLY, ROLE_APPLY, "", 2, 1, "B1", LOCK_GIVEN, true},
    {"a breakglass takes no lock away", APPLY, ROLE_APPLY, "b", 2, 1, "B1", LOCK_HELD, false},
    {"an unknown operation is no plan", "new", ROLE_APPLY, "", 2, 1, "", LOCK_REFUSED, false},
    {"the same lock asked for again", APPLY, ROLE_APPLY, "a", 1, 0, "", LOCK_AGAIN, false},
    {"the same id of another token", APPLY, ROLE_APPLY, "a", 2, 0, "", LOCK_HELD, false},
    {"a plan's lock again", PLAN, ROLE_APPLY, "a", 1, 0, "", LOCK_AGAIN, false, "plan"},
    {"a plan's lock, now for an apply", APPLY, ROLE_APPLY, "a", 1, 1, "", LOCK_HELD, false, "plan"},
    {"an apply's lock, now for a plan", PLAN, ROLE_APPLY, "a", 1, 0, "", LOCK_HELD, false},
    {"a person's hold, by its id", APPLY, ROLE_ADMIN, "a", 1, 0, "", LOCK_HELD, false, "hold"},
};

static void locks_are_given_as_each_case_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof locks / sizeof *locks; i++) {
        struct lock_reason reasons[3] = {{0}};
        struct state_row row = {.lock = {.id = str_from(locks[i].held),
                                         .kind = str_from(locks[i].kind ? locks[i].kind : "write"),
                                         .token = 1}};
        struct lockinfo info = {.id = STR("a"), .operation = str_from(locks[i].operation)};
        struct lock_facts facts = {.row = &row,
                                   .info = &info,
                                   .caller = {.role = locks[i].role, .token = locks[i].token},
                                   .reason = reasons,
                                   .nreasons = locks[i].nreasons,
                                   .breakglass = str_from(locks[i].breakglass)};
        bool warned = true;
        print_message("  %s\n", locks[i].says);
        assert_int_equal(statelock_may_lock(&facts, &warned), locks[i].answer);
        assert_int_equal(warned, locks[i].warned);
    }
}

static const struct {
    const char *says;
    enum role role;
    int64_t token;
    const char *held, *last, *id;
    bool forced;
    enum lock_answer answer;
} unlocks[] = {
    {"one's own", ROLE_APPLY, 1, "a", "", "a", false, LOCK_GIVEN},
    {"another's", ROLE_APPLY, 2, "a", "", "a", false, LOCK_FORBIDDEN},
    {"another's, by an admin", ROLE_ADMIN, 2, "a", "", "a", false, LOCK_GIVEN},
    {"by force", ROLE_APPLY, 1, "a", "", "", true, LOCK_FORBIDDEN},
    {"by force, by an admin", ROLE_ADMIN, 2, "a", "", "", true, LOCK_GIVEN},
    {"of another id", ROLE_ADMIN, 1, "a", "", "b", false, LOCK_CONFLICT},
    {"given back before", ROLE_APPLY, 1, "", "a", "a", false, LOCK_AGAIN},
    {"given back before, and taken by another since", ROLE_APPLY, 1, "c", "a", "a", false,
     LOCK_AGAIN},
    {"never held", ROLE_APPLY, 1, "", "", "a", false, LOCK_CONFLICT},
    {"by a reader", ROLE_READ, 1, "a", "", "a", false, LOCK_FORBIDDEN},
};

static void locks_are_given_back_as_each_case_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof unlocks / sizeof *unlocks; i++) {
        struct state_row row = {.lock = {.id = str_from(unlocks[i].held), .token = 1},
                                .lock_last = str_from(unlocks[i].last)};
        struct lockinfo info = {.id = str_from(unlocks[i].id)};
        struct lock_facts facts = {.row = &row,
                                   .info = &info,
                                   .caller = {.role = unlocks[i].role, .token = unlocks[i].token}};
        print_message("  %s\n", unlocks[i].says);
        assert_int_equal(statelock_may_unlock(&facts, unlocks[i].forced), unlocks[i].answer);
    }
}

/* The stored state: lineage "l", serial 5, locked by token 1 with the lock "a". */
static const struct {
    const char *says;
    enum role role;
    int64_t token;
    const char *kind, *id, *lineage;
    int64_t serial;
    bool same;
    enum lock_answer answer;
} writes[] = {
    {"under the lock", ROLE_APPLY, 1, "write", "a", "l", 6, false, LOCK_GIVEN},
    {"without a lock", ROLE_ADMIN, 1, "write", "", "l", 6, false, LOCK_CONFLICT},
    {"under another lock", ROLE_APPLY, 1, "write", "b", "l", 6, false, LOCK_CONFLICT},
    {"under another's lock", ROLE_APPLY, 2, "write", "a", "l", 6, false, LOCK_CONFLICT},
    {"under the lock of a plan", ROLE_APPLY, 1, "plan", "a", "l", 6, false, LOCK_CONFLICT},
    {"under a person's hold", ROLE_APPLY, 1, "hold", "a", "l", 6, false, LOCK_CONFLICT},
    {"another lineage", ROLE_APPLY, 1, "write", "a", "m", 6, false, LOCK_CONFLICT},
    {"an old serial", ROLE_APPLY, 1, "write", "a", "l", 4, false, LOCK_CONFLICT},
    {"the same serial with other bytes", ROLE_APPLY, 1, "write", "a", "l", 5, false, LOCK_CONFLICT},
    {"the same again", ROLE_APPLY, 1, "write", "a", "l", 5, true, LOCK_AGAIN},
    {"by a planner", ROLE_PLAN, 1, "write", "a", "l", 6, false, LOCK_FORBIDDEN},
};

static void states_are_written_as_each_case_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
        struct state_row row = {
            .version = 3,
            .lineage = STR("l"),
            .serial = 5,
            .lock = {.id = STR("a"), .kind = str_from(writes[i].kind), .token = 1}};
        struct write_facts facts = {
            .row = &row,
            .lock_id = str_from(writes[i].id),
            .caller = {.role = writes[i].role, .token = writes[i].token},
            .head = {.lineage = str_from(writes[i].lineage), .serial = writes[i].serial},
            .same_bytes = writes[i].same};
        const char *why = "";
        print_message("  %s\n", writes[i].says);
        assert_int_equal(statelock_may_write(&facts, &why), writes[i].answer);
        assert_int_equal(*why != '\0', writes[i].answer == LOCK_CONFLICT);
    }
}

static void a_refusal_says_all_in_its_id(void **state)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    AUTO_BUF out = {.limit = 1 << 20};
    struct value v = {0};
    struct lock_reason reason[12] = {
        {.because = LOCK_BECAUSE_FREEZE, .what = STR("freeze F1 until monday: release")},
        {.address = STR("aws_instance.\x1b[31mweb"),
         .what = STR("missing"),
         .who = STR("alice"),
         .todo = STR("plumb review abc")}};
    (void)state;
    for (size_t i = 2; i < 12; i++)
        reason[i] = (struct lock_reason){.address = STR("x.y"), .what = STR("differs")};
    statelock_print_refusal(&arena, &out, STR("net/prod"), STR(APPLY), 1800000000000, reason, 12);
    assert_true(json_parse(&arena, buf_view(&out), "info", JSON_COPY, &v, NULL));
    struct str id = value_get_string(&v, STR("ID"));
    static const char *const has[] = {"BLOCKED BY PLUMB: apply of net/prod",
                                      "11 changes that nobody has decided on",
                                      "freeze F1 until monday: release",
                                      "by alice",
                                      "plumb review abc",
                                      "and 4 more: plumb findings --stack 'net/prod'"};
    for (size_t i = 0; i < sizeof has / sizeof *has; i++)
        assert_true(str_find(id, str_from(has[i]), 0) != SIZE_MAX);
    assert_int_equal(str_find_char(id, '\x1b', 0), SIZE_MAX);
    assert_true(str_equal(value_get_string(&v, STR("Created")), STR("2027-01-15T08:00:00Z")));
    assert_true(value_get_string(&v, STR("Info")).len > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locks_are_given_as_each_case_says),
        cmocka_unit_test(locks_are_given_back_as_each_case_says),
        cmocka_unit_test(states_are_written_as_each_case_says),
        cmocka_unit_test(a_refusal_says_all_in_its_id),
    };
    return cmocka_run_group_tests_name("enforce/statelock", tests, NULL, NULL);
}

/* test_iam.c - policies that say the same, and policies that only look so. */
#include "base/test.h"

#include "base/arena.h"
#include "base/err.h"
#include "drift/normalise.h"
#include "wire/json.h"

#define S(statement) "{\"Version\":\"2012-10-17\",\"Statement\":" statement "}"
#define ALLOW(rest) "{\"Effect\":\"Allow\"," rest "}"

static const struct {
    const char *says, *a, *b;
    bool equal;
} cases[] = {
    {"one statement or a list of it", S(ALLOW("\"Action\":\"a\"")),
     S("[" ALLOW("\"Action\":\"a\"") "]"), true},
    {"order of statements", S("[" ALLOW("\"Action\":\"a\"") "," ALLOW("\"Action\":\"b\"") "]"),
     S("[" ALLOW("\"Action\":\"b\"") "," ALLOW("\"Action\":\"a\"") "]"), true},
    {"a statement more", S("[" ALLOW("\"Action\":\"a\"") "]"),
     S("[" ALLOW("\"Action\":\"a\"") "," ALLOW("\"Action\":\"b\"") "]"), false},
    {"order of actions and resources",
     S(ALLOW("\"Action\":[\"a\",\"b\"],\"Resource\":[\"x\",\"y\"]")),
     S(ALLOW("\"Action\":[\"b\",\"a\"],\"Resource\":[\"y\",\"x\"]")), true},
    {"an action more", S(ALLOW("\"Action\":[\"a\"]")), S(ALLOW("\"Action\":[\"a\",\"*\"]")), false},
    {"an action less", S(ALLOW("\"Action\":[\"a\",\"b\"]")), S(ALLOW("\"Action\":\"a\"")), false},
    {"action is not resource", S(ALLOW("\"Action\":\"a\"")), S(ALLOW("\"Resource\":\"a\"")), false},
    {"action is not NotAction", S(ALLOW("\"Action\":\"a\"")), S(ALLOW("\"NotAction\":\"a\"")),
     false},
    {"another effect", S(ALLOW("\"Action\":\"a\"")), S("{\"Effect\":\"Deny\",\"Action\":\"a\"}"),
     false},
    {"case of an action is left alone", S(ALLOW("\"Action\":\"s3:Get\"")),
     S(ALLOW("\"Action\":\"S3:get\"")), false},
    {"principals", S(ALLOW("\"Principal\":{\"AWS\":[\"1\",\"2\"],\"Service\":\"x\"}")),
     S(ALLOW("\"Principal\":{\"Service\":[\"x\"],\"AWS\":[\"2\",\"1\"]}")), true},
    {"everybody is not every account", S(ALLOW("\"Principal\":\"*\"")),
     S(ALLOW("\"Principal\":{\"AWS\":\"*\"}")), false},
    {"a principal more", S(ALLOW("\"Principal\":{\"AWS\":\"1\"}")),
     S(ALLOW("\"Principal\":{\"AWS\":[\"1\",\"2\"]}")), false},
    {"condition values", S(ALLOW("\"Condition\":{\"StringLike\":{\"k\":[\"a\",\"b\"]}}")),
     S(ALLOW("\"Condition\":{\"StringLike\":{\"k\":[\"b\",\"a\"]}}")), true},
    {"another operator", S(ALLOW("\"Condition\":{\"StringLike\":{\"k\":\"a\"}}")),
     S(ALLOW("\"Condition\":{\"StringEquals\":{\"k\":\"a\"}}")), false},
    {"a condition gone", S(ALLOW("\"Action\":\"a\",\"Condition\":{\"Bool\":{\"k\":\"true\"}}")),
     S(ALLOW("\"Action\":\"a\"")), false},
    {"another version", "{\"Version\":\"2008-10-17\",\"Statement\":[]}", S("[]"), false},
    {"what is not named keeps its order", S(ALLOW("\"Other\":[1,2]")), S(ALLOW("\"Other\":[2,1]")),
     false},
    {"no policy at all", "{\"Action\":[\"a\",\"b\"]}", "{\"Action\":[\"b\",\"a\"]}", false},
    {"statements of odd kinds", S("[1,\"x\",null]"), S("[\"x\",null,1]"), false},
    {"nothing allowed is nothing", S("[]"), S("[]"), true},
    {"nothing and something", S("[]"), S(ALLOW("\"Action\":\"a\"")), false},
};

static void each_pair_is_equal_or_not_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct value a, b;
        print_message("  %s\n", cases[i].says);
        assert_true(json_parse(&arena, str_from(cases[i].a), "a", JSON_DEFAULT, &a, NULL));
        assert_true(json_parse(&arena, str_from(cases[i].b), "b", JSON_DEFAULT, &b, NULL));
        assert_int_equal(iam_policy_equal(&a, &b), cases[i].equal);
        assert_int_equal(iam_policy_equal(&b, &a), cases[i].equal);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_pair_is_equal_or_not_both_ways)};
    return cmocka_run_group_tests_name("drift/iam", tests, NULL, NULL);
}

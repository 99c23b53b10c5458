/* test_undo.c - what a change sets back: a case is a row, values are JSON, the change is one that
 * the store keeps. */
#include "base/test.h"

#include "base/arena.h"
#include "base/err.h"
#include "enforce/kept_changes.h"
#include "enforce/undo.h"
#include "wire/json.h"

#define SIZE \
    "{\"path\":\"size\",\"before\":\"a\",\"after\":\"b\",\"sensitive\":false,\"configurable\":" \
    "true}"
#define FOLLOWS \
    "{\"path\":\"etag\",\"before\":\"1\",\"after\":\"2\",\"sensitive\":false,\"configurable\":" \
    "false}"
#define SECRET \
    "{\"path\":\"pw\",\"before\":null,\"after\":null,\"sensitive\":true,\"configurable\":true}"
#define RULE \
    "{\"path\":\"rule[1].port\",\"before\":1,\"after\":2,\"sensitive\":false,\"configurable\":" \
    "true}"
#define ZONE \
    "{\"path\":\"zone[*]\",\"before\":null,\"after\":\"c\",\"sensitive\":false,\"configurable\":" \
    "true}"

static const struct {
    const char *says, *change;
    enum plan_action action;
    const char *before,
        *after; /* what is there for Terraform, and what it makes; NULL: not known */
    bool sets_back, shows;
} cases[] = {
    {"the code's value again", SIZE, PLAN_UPDATE, "{\"size\":\"b\"}", "{\"size\":\"a\"}", true,
     true},
    {"live's value stays", SIZE, PLAN_UPDATE, "{\"size\":\"b\",\"n\":1}",
     "{\"size\":\"b\",\"n\":2}", false, true},
    {"a third value", SIZE, PLAN_UPDATE, "{\"size\":\"b\"}", "{\"size\":\"c\"}", true, true},
    {"not refreshed: nothing seems to change, and it is set back", SIZE, PLAN_UPDATE,
     "{\"size\":\"a\",\"n\":1}", "{\"size\":\"a\",\"n\":2}", true, false},
    {"not refreshed, and the code has live's value now", SIZE, PLAN_UPDATE, "{\"size\":\"a\"}",
     "{\"size\":\"b\"}", false, false},
    {"removed", SIZE, PLAN_DELETE, "{\"size\":\"b\"}", "null", true, true},
    {"made anew with live's value", SIZE, PLAN_CREATE, "null", "{\"size\":\"b\"}", false, false},
    {"made anew without it", SIZE, PLAN_CREATE, "null", "{}", true, false},
    {"nothing is known of it", SIZE, PLAN_UPDATE, NULL, NULL, true, false},
    {"what follows goes on as it is", FOLLOWS, PLAN_UPDATE, "{\"etag\":\"2\"}", "{\"etag\":\"2\"}",
     false, true},
    {"what follows is set", FOLLOWS, PLAN_UPDATE, "{\"etag\":\"2\"}", "{\"etag\":\"1\"}", true,
     true},
    {"what follows is removed with all of it", FOLLOWS, PLAN_DELETE, "{\"etag\":\"2\"}", "null",
     false, true},
    {"a secret: the same on both sides may be what was recorded", SECRET, PLAN_UPDATE,
     "{\"pw\":\"x\"}", "{\"pw\":\"x\"}", true, false},
    {"within a list that stays", RULE, PLAN_UPDATE,
     "{\"rule\":[{\"port\":9},{\"port\":2}],\"n\":1}",
     "{\"rule\":[{\"port\":9},{\"port\":2}],\"n\":2}", false, true},
    {"within a list of which another element changes", RULE, PLAN_UPDATE,
     "{\"rule\":[{\"port\":9},{\"port\":2}]}", "{\"rule\":[{\"port\":8},{\"port\":2}]}", true,
     true},
    {"within a list that was not refreshed", RULE, PLAN_UPDATE,
     "{\"rule\":[{\"port\":9},{\"port\":1}]}", "{\"rule\":[{\"port\":9},{\"port\":2}]}", true,
     false},
    {"an element of a set that stays", ZONE, PLAN_UPDATE, "{\"zone\":[\"a\",\"c\"],\"n\":1}",
     "{\"zone\":[\"a\",\"c\"],\"n\":2}", false, true},
    {"an element of a set that goes", ZONE, PLAN_UPDATE, "{\"zone\":[\"a\",\"c\"]}",
     "{\"zone\":[\"a\"]}", true, true},
    {"an element that Terraform does not see", ZONE, PLAN_UPDATE, "{\"zone\":[\"a\"],\"n\":1}",
     "{\"zone\":[\"a\"],\"n\":2}", true, false},
};

static const struct value *tree(struct arena *arena, const char *text)
{
    struct err err = {0};
    struct value *v = arena_new(arena, struct value, 1);
    if (!text)
        return NULL;
    assert_true(json_parse(arena, str_from(text), "test", JSON_DUPLICATES_LAST, v, &err));
    return v;
}

static const struct change *kept(struct arena *arena, const char *change)
{
    const struct change *list = NULL;
    size_t n = 0;
    struct err err = {0};
    assert_true(kept_changes_parse(arena, arena_printf(arena, "{\"changes\":[%s]}", change), &list,
                                   &n, &err));
    assert_int_equal(n, 1);
    return list;
}

static void a_change_sets_back_what_it_does_not_leave(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        const struct change *change = kept(&arena, cases[i].change);
        struct undo_deed deed = {.action = cases[i].action,
                                 .before = tree(&arena, cases[i].before),
                                 .after = tree(&arena, cases[i].after)};
        print_message("  %s\n", cases[i].says);
        bool shows = undo_shows(&arena, deed.before, change);
        assert_int_equal(shows, cases[i].shows);
        deed.live = shows ? deed.before : NULL;
        assert_int_equal(undo_sets_back(&arena, &deed, CLASS_CONTRADICTS_CODE, change),
                         cases[i].sets_back);
    }
}

static void what_is_not_known_yet_is_set_back(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    const struct change *change = kept(&arena, SIZE), *follows = kept(&arena, FOLLOWS);
    const struct value *before = tree(&arena, "{\"size\":\"b\",\"etag\":\"2\"}");
    struct value_member member[] = {{key_make(&arena, STR("size")), value_unknown(NULL)},
                                    {key_make(&arena, STR("etag")), value_unknown(NULL)}};
    struct value after;
    assert_true(value_members(VALUE_OBJECT, member, 2, &after, NULL, NULL));
    const struct undo_deed on_the_wire = {
        .action = PLAN_UPDATE, .live = before, .before = before, .after = &after};
    const struct undo_deed in_a_plan = {.action = PLAN_UPDATE,
                                        .live = before,
                                        .before = before,
                                        .after = tree(&arena, "{}"),
                                        .unknown = tree(&arena, "{\"size\":true,\"etag\":true}")};
    assert_true(undo_sets_back(&arena, &on_the_wire, CLASS_CONTRADICTS_CODE, change));
    assert_true(undo_sets_back(&arena, &in_a_plan, CLASS_CONTRADICTS_CODE, change));
    assert_false(undo_sets_back(&arena, &on_the_wire, CLASS_CONTRADICTS_CODE, follows));
    assert_false(undo_sets_back(&arena, &in_a_plan, CLASS_CONTRADICTS_CODE, follows));
}

static void an_ignored_change_is_nobodys(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct change change = *kept(&arena, SIZE);
    const struct undo_deed deed = {.action = PLAN_DELETE};
    assert_true(undo_sets_back(&arena, &deed, CLASS_CONTRADICTS_CODE, &change));
    change.ignored_by = STR("ignore_changes");
    assert_false(undo_sets_back(&arena, &deed, CLASS_CONTRADICTS_CODE, &change));
}

/* What the store keeps may be of another version, or damaged. */
static void what_is_kept_is_read_strictly(void **state)
{
    (void)state;
    static const char *const broken[] = {"", "{\"changes\":[", "x"};
    const struct change *list = NULL;
    size_t n = 0;
    struct err err = {0};
    AUTO_ARENA arena = {.limit = 1 << 20};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        assert_false(kept_changes_parse(&arena, str_from(broken[i]), &list, &n, &err));
    assert_true(kept_changes_parse(&arena, STR("{}"), &list, &n, &err));
    assert_int_equal(n, 0);
    assert_true(kept_changes_parse(&arena, STR("{\"changes\":[{\"path\":\"x\",\"before\":1}]}"),
                                   &list, &n, &err));
    assert_int_equal(n, 1);
    assert_true(list->sensitive && list->configurable && !list->before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_sets_back_what_it_does_not_leave),
        cmocka_unit_test(what_is_not_known_yet_is_set_back),
        cmocka_unit_test(an_ignored_change_is_nobodys),
        cmocka_unit_test(what_is_kept_is_read_strictly),
    };
    return cmocka_run_group_tests_name("enforce/undo", tests, NULL, NULL);
}

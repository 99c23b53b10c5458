/* test_pool_plan.c - the pool plans what it has read, imports, and has what is imported written. */
#include "live/reader_provider/test_pool.h"

/* The code says that `value` is "v", and has no instance of the first word. */
static bool ask(void *ctx, struct arena *arena, const struct resource *resource,
                const struct schema *schema, enum live_side side, const struct value *prior,
                const struct value *recorded, struct live_question *ret, struct err *err)
{
    struct run *run = ctx;
    assert_true(recorded->kind == VALUE_OBJECT || recorded->kind == VALUE_NULL);
    struct value_member *config = arena_new(arena, struct value_member, 3);
    struct value_member *proposed = arena_new(arena, struct value_member, 3);
    assert_true(run->n > 0);
    assert_non_null(schema);
    assert_true(side < LIVE_SIDES);
    if (prior->kind == VALUE_NULL)
        return false;
    if (str_find(resource->address, STR("nocode"), 0) != SIZE_MAX)
        return false;
    if (str_find(resource->address, STR("badcode"), 0) != SIZE_MAX)
        return err_set(err, ERR_SYNTAX, "the code is wrong");
    for (uint32_t i = 0; i < 3; i++) {
        config[i] = proposed[i] = prior->members[i];
        config[i].value = value_null();
    }
    config[2].value = proposed[2].value = value_string(STR("v"));
    *ret = (struct live_question){.prior = *prior};
    assert_true(value_members(VALUE_OBJECT, config, 3, &ret->config, NULL, NULL));
    return value_members(VALUE_OBJECT, proposed, 3, &ret->proposed, NULL, NULL);
}

static const struct {
    const char *word;
    enum live_plan_status from_live, from_state;
    const char *reason;
} plans[] = {
    {"ok", LIVE_PLANNED, LIVE_PLANNED, ""},
    {"drift", LIVE_PLANNED, LIVE_PLANNED, ""},
    {"nocode", LIVE_NOT_PLANNED, LIVE_NOT_PLANNED, ""},
    {"badcode", LIVE_PLAN_FAILED, LIVE_NOT_PLANNED, "the code is wrong"},
    {"plan-denied", LIVE_PLAN_FAILED, LIVE_NOT_PLANNED, "this plan is not allowed"},
    {"plan-slow", LIVE_PLANNED, LIVE_PLANNED, ""},
    {"plan-garbage", LIVE_PLAN_FAILED, LIVE_NOT_PLANNED, "not what its schema promises"},
    {"plan-nothing", LIVE_PLAN_FAILED, LIVE_NOT_PLANNED, "without a plan"},
    {"plan-hang", LIVE_PLAN_FAILED, LIVE_NOT_PLANNED, "no answer in time"},
};
enum { PLANS = sizeof plans / sizeof *plans };

static void what_is_read_is_planned_where_the_code_has_it(void **state)
{
    struct run *run = *state;
    run->options.ask = ask;
    for (size_t i = 0; i < PLANS; i++)
        add(run, plans[i].word, "");
    go(run);
    expect_all_once(run);
    for (size_t i = 0; i < PLANS; i++) {
        expect(run, i, LIVE_READ, "");
        print_message("    %s\n", run->seen[i].plan_reason);
        assert_int_equal(run->seen[i].from_live, plans[i].from_live);
        assert_int_equal(run->seen[i].from_state, plans[i].from_state);
        assert_non_null(strstr(run->seen[i].plan_reason, plans[i].reason));
    }
    assert_string_equal(run->seen[1].planned, "v"); /* live has "changed" there */
    assert_int_equal(run->seen[1].nreplace, 1);
}

static void what_does_not_differ_is_planned_once(void **state)
{
    struct run *run = *state;
    run->options.ask = ask;
    for (size_t i = 0; i < 20; i++)
        add(run, i == 7 ? "drift" : "ok", "");
    go(run);
    expect_all_once(run);
    assert_int_equal(world.calls[PLUGIN_PLAN], 21);
    assert_int_equal(world.calls[PLUGIN_READ], 20);
}

/* Its plan is what was recorded: what would be made of that is known, too. */
static void what_would_be_as_recorded_is_planned_once(void **state)
{
    struct run *run = *state;
    run->options.ask = ask;
    add(run, "drift-in-place", "");
    go(run);
    assert_int_equal(world.calls[PLUGIN_PLAN], 1);
    assert_int_equal(run->seen[0].from_live, LIVE_PLANNED);
    assert_int_equal(run->seen[0].from_state, LIVE_PLANNED);
    assert_string_equal(run->seen[0].planned, "v");
    run->options.ask_apart = true; /* the code may say another thing of each */
    add(run, "drift-in-place-too", "");
    go(run);
    assert_int_equal(world.calls[PLUGIN_PLAN], 1 + 4);
}

/* So it is where the change only makes computed attributes anew, once a type was seen to leave
 * them without one. */
static void what_is_made_anew_with_the_change_is_planned_once(void **state)
{
    struct run *run = *state;
    run->options.ask = ask;
    run->options.concurrency = 1;
    for (int i = 0; i < 5; i++)
        add(run, "drift-anew", "");
    go(run);
    assert_int_equal(world.calls[PLUGIN_PLAN], 5 + 1);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(run->seen[i].from_live, LIVE_PLANNED);
        assert_int_equal(run->seen[i].from_state, LIVE_PLANNED);
    }
}

static void what_is_made_anew_in_any_case_is_planned_twice(void **state)
{
    struct run *run = *state;
    run->options.ask = ask;
    run->options.concurrency = 1;
    for (int i = 0; i < 5; i++)
        add(run, i ? "drift-anew" : "drift-always", "");
    go(run);
    assert_int_equal(world.calls[PLUGIN_PLAN], 2 * 5);
}

/* A difference rests on the provider's own upgrade until it is known that it changes nothing: once
 * for a type that is not one of SDKv2's, which looks at each. */
static void an_upgrade_is_confirmed_once_where_it_cannot_change(void **state)
{
    static const struct {
        bool legacy, legacy_plans;
        unsigned upgrades;
    } cases[] = {{false, false, 2}, {true, false, 5}, {false, true, 5}};
    struct run *run = *state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        run->options.ask = ask;
        run->options.concurrency = 1;
        world.legacy = cases[c].legacy;
        world.legacy_plans = cases[c].legacy_plans;
        world.calls[PLUGIN_UPGRADE_STATE] = 0;
        run->n = run->progress_done = 0;
        for (int i = 0; i < 5; i++)
            add(run, "drift-anew", "");
        go(run);
        assert_int_equal(world.calls[PLUGIN_UPGRADE_STATE], cases[c].upgrades);
    }
}

/* What was read stands, and nobody else suffers. */
static void a_plan_that_crashes_costs_no_reading(void **state)
{
    struct run *run = *state;
    world.latency_ms = 1;
    run->options.ask = ask;
    for (size_t i = 0; i < 60; i++)
        add(run, i % 3 ? "ok" : "plan-panic", "");
    go(run);
    expect_all_once(run);
    for (size_t i = 0; i < 60; i++)
        expect(run, i, LIVE_READ, "");
    assert_int_equal(run->seen[0].from_live, LIVE_PLAN_FAILED);
    assert_non_null(strstr(run->seen[0].plan_reason, "planning a t crashes the provider"));
    assert_int_equal(world.starts, 2);
}

static void a_type_that_hangs_in_planning_is_not_planned_on(void **state)
{
    struct run *run = *state;
    run->options.ask = ask;
    for (size_t i = 0; i < 40; i++)
        add(run, "plan-hang", "");
    go(run);
    expect_all_once(run);
    expect(run, 39, LIVE_READ, "");
    assert_non_null(strstr(run->seen[39].plan_reason, "planning it is not answered"));
    assert_true(world.calls[PLUGIN_PLAN] < 20);
}

static void what_was_never_recorded_is_imported(void **state)
{
    struct run *run = *state;
    run->options.ask = ask;
    run->options.no_probe = false;
    add(run, "ok", "");
    for (size_t i = 1; i < 4; i++) {
        add(run, "import", "");
        run->resources[i].attributes_json = (struct str){0};
    }
    run->resources[1].import_id = STR("ok-001");
    run->resources[2].import_id = STR("nobody");
    run->resources[3].import_id = STR("gone-003");
    go(run);
    expect_all_once(run);
    expect(run, 1, LIVE_READ, "");
    assert_false(run->seen[1].recorded);
    assert_int_equal(run->seen[1].from_live, LIVE_PLANNED);
    assert_int_equal(run->seen[1].from_state, LIVE_NOT_PLANNED);
    expect(run, 2, LIVE_UNREADABLE, "importing it by \"nobody\": Cannot import non-existent");
    expect(run, 3, LIVE_GONE, "");
    assert_true(run->seen[0].recorded);
}

/* Asked for of imports alone, where the provider offers it; without an answer what was read will
 * do. */
static void a_provider_writes_what_is_imported(void **state)
{
    static const char *const ids[] = {"ok-001", "ok-refused", "ok-garbage"};
    struct run *run = *state;
    run->options.generate = true;
    world.generates = true;
    for (size_t i = 0; i < 3; i++) {
        add(run, "import", "");
        run->resources[i].attributes_json = (struct str){0};
        run->resources[i].import_id = str_from(ids[i]);
    }
    add(run, "ok", "");
    go(run);
    expect_all_once(run);
    for (size_t i = 0; i < 4; i++)
        expect(run, i, LIVE_READ, "");
    assert_string_equal(run->seen[0].generated, "written");
    assert_string_equal(run->seen[1].generated, "");
    assert_string_equal(run->seen[2].generated, "");
    assert_string_equal(run->seen[3].generated, "");
    assert_int_equal(world.calls[PLUGIN_GENERATE_CONFIG], 3);
}

static void nothing_is_generated_where_nobody_offers_it(void **state)
{
    struct run *run = *state;
    run->options.generate = true;
    add(run, "import", "");
    run->resources[0].attributes_json = (struct str){0};
    run->resources[0].import_id = STR("ok-001");
    go(run);
    expect(run, 0, LIVE_READ, "");
    assert_int_equal(world.calls[PLUGIN_GENERATE_CONFIG], 0);
}

static void imports_alone_wait_for_nobody(void **state)
{
    struct run *run = *state;
    run->options.no_probe = false;
    for (size_t i = 0; i < 3; i++) {
        add(run, "import", "");
        run->resources[i].attributes_json = (struct str){0};
        run->resources[i].import_id = arena_printf(&run->arena, "ok-00%zu", i);
    }
    go(run);
    expect_all_once(run);
    expect(run, 2, LIVE_READ, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD(what_is_read_is_planned_where_the_code_has_it),
        WORLD(what_does_not_differ_is_planned_once),
        WORLD(what_would_be_as_recorded_is_planned_once),
        WORLD(what_is_made_anew_with_the_change_is_planned_once),
        WORLD(what_is_made_anew_in_any_case_is_planned_twice),
        WORLD(an_upgrade_is_confirmed_once_where_it_cannot_change),
        WORLD(a_plan_that_crashes_costs_no_reading),
        WORLD(a_type_that_hangs_in_planning_is_not_planned_on),
        WORLD(what_was_never_recorded_is_imported),
        WORLD(a_provider_writes_what_is_imported),
        WORLD(nothing_is_generated_where_nobody_offers_it),
        WORLD(imports_alone_wait_for_nobody),
    };
    return cmocka_run_group_tests_name("live/reader_provider/pool_plan", tests, NULL, NULL);
}

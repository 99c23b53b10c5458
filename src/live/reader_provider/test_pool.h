/* test_pool.h - for tests: a run of the pool over the provider of test_fake_plugin.h, and what it
 * told. */
#pragma once
#include "live/reader_provider/test_fake_plugin.h"

#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "live/reader_provider/locate.h"
#include "model/resource.h"
#include "model/stack.h"

enum { RESOURCES_MAX = 200 };
struct run {
    struct arena arena;
    struct resource resources[RESOURCES_MAX];
    size_t n;
    struct reader_options options;
    struct seen {
        unsigned times;
        enum live_status status;
        char reason[500], not_observed[100];
        bool differs, recorded;
        enum live_plan_status from_live, from_state;
        char plan_reason[300], planned[50]; /* `value` of from_live */
        char generated[50];                 /* its `value` */
        size_t nreplace;
    } seen[RESOURCES_MAX];
    size_t results, fail_at, cancel_at;
    int cancel;
    uint64_t progress_done, progress_total;
    char notes[2000];
    bool ok;
    struct err err;
};

static inline void see_plans(struct seen *seen, const struct live_result *result)
{
    const struct live_plan *plan = &result->from_live;
    struct str planned = value_get_string(&plan->planned, STR("value"));
    seen->from_live = plan->status;
    seen->from_state = result->from_state.status;
    seen->nreplace = plan->nrequires_replace;
    (void)snprintf(seen->plan_reason, sizeof seen->plan_reason, "%.*s", STR_ARG(plan->reason));
    (void)snprintf(seen->planned, sizeof seen->planned, "%.*s", STR_ARG(planned));
}

static inline bool on_result(void *ctx, const struct live_result *result, struct err *err)
{
    struct run *run = ctx;
    size_t i = (size_t)(result->resource - run->resources);
    struct seen *seen = &run->seen[i];
    assert_true(i < run->n);
    seen->times++;
    seen->status = result->status;
    (void)snprintf(seen->reason, sizeof seen->reason, "%.*s", STR_ARG(result->reason));
    for (size_t j = 0; j < result->nnot_observed; j++) {
        AUTO_BUF text = {.limit = 90};
        path_print(&text, result->not_observed[j]);
        (void)snprintf(seen->not_observed, sizeof seen->not_observed, "%.*s",
                       STR_ARG(buf_view(&text)));
    }
    if (result->status == LIVE_READ)
        seen->differs = !value_equal(&result->desired, &result->live);
    seen->recorded = result->desired.kind != VALUE_NULL;
    struct str generated = value_get_string(&result->generated, STR("value"));
    (void)snprintf(seen->generated, sizeof seen->generated, "%.*s", STR_ARG(generated));
    see_plans(seen, result);
    run->results++;
    if (run->results == run->cancel_at)
        run->cancel = 1;
    return run->results != run->fail_at || err_set(err, ERR_IO, "the sink is full");
}

static inline void on_progress(void *ctx, const struct reader_progress *progress)
{
    struct run *run = ctx;
    assert_true(progress->done >= run->progress_done);
    run->progress_done = progress->done;
    run->progress_total = progress->total;
}

static inline void on_note(void *ctx, struct str text)
{
    struct run *run = ctx;
    size_t len = strlen(run->notes);
    (void)snprintf(run->notes + len, sizeof run->notes - len, "%.*s\n", STR_ARG(text));
}

static inline const char *env(const char *name)
{
    static char path[60];
    (void)snprintf(path, sizeof path, "%s/rc", world.dir);
    return strcmp(name, "TF_CLI_CONFIG_FILE") == 0 ? path : NULL;
}

static inline int open_world(void **state)
{
    struct err err = {0};
    char path[60], text[300];
    memset(&world, 0, sizeof world);
    (void)strcpy(world.dir, "/tmp/plumb-pool-XXXXXX");
    assert_non_null(mkdtemp(world.dir));
    (void)snprintf(path, sizeof path, "%s/terraform-provider-fake", world.dir);
    assert_true(io_write_file_atomic(path, STR("binary"), 0755, &err));
    (void)snprintf(path, sizeof path, "%s/rc", world.dir);
    (void)snprintf(text, sizeof text,
                   "provider_installation {\n dev_overrides {\n  \"example.com/a/fake\" = \"%s\"\n"
                   " }\n}\n",
                   world.dir);
    assert_true(io_write_file_atomic(path, str_from(text), 0644, &err));
    struct run *run = calloc(1, sizeof *run);
    assert_non_null(run);
    run->arena.limit = 16 << 20;
    run->options = (struct reader_options){.no_probe = true,
                                           .timeout_ms = 40,
                                           .cancel = &run->cancel,
                                           .progress = on_progress,
                                           .note = on_note,
                                           .ctx = run};
    *state = run;
    return 0;
}

static inline int close_world(void **state)
{
    struct run *run = *state;
    char command[100];
    (void)snprintf(command, sizeof command, "rm -rf %s", world.dir);
    (void)!system(command);
    arena_free(&run->arena);
    free(run);
    return 0;
}

static inline void add(struct run *run, const char *word, const char *config)
{
    struct arena *a = &run->arena;
    struct str kind = str_from(word);
    unsigned i = (unsigned)run->n;
    assert_true(run->n < RESOURCES_MAX);
    run->resources[run->n++] = (struct resource){
        .address = arena_printf(a, "t.%s[%u]", word, i),
        .type = STR("t"),
        .provider = STR("example.com/a/fake"),
        .provider_config = str_from(config),
        .schema_version = !str_equal(kind, STR("stuck")), /* that one is of an older version */
        .attributes_json =
            arena_printf(a, "{\"id\":\"%s-%03u\",\"value\":%s,\"echoed\":\"e\",\"removed\":1}",
                         word, i, str_equal(kind, STR("blank")) ? "null" : "\"v\"")};
}

static inline void go(struct run *run)
{
    const struct resource *list[RESOURCES_MAX];
    struct locator locator;
    struct stack stack = {.path = str_from(world.dir)};
    assert_true(locate_open(&run->arena, &stack, env, &locator, &run->err));
    for (size_t i = 0; i < run->n; i++)
        list[i] = &run->resources[i];
    struct pool_input in = {.resources = list,
                            .n = run->n,
                            .options = &run->options,
                            .on_result = on_result,
                            .sink_ctx = run,
                            .locator = &locator,
                            .settings = {settings_from_stack, &stack},
                            .env = env,
                            .backend = &fake_backend};
    run->ok = pool_run(&in, &run->err);
    assert_int_equal(world.running, 0); /* whatever happened */
    assert_int_equal(world.in_flight, 0);
}

static inline void expect_all_once(struct run *run)
{
    assert_true(run->ok);
    for (size_t i = 0; i < run->n; i++)
        assert_int_equal(run->seen[i].times, 1);
    assert_int_equal(run->progress_done, run->n);
    assert_int_equal(run->progress_total, run->n);
}

static inline void expect(struct run *run, size_t i, enum live_status status, const char *reason)
{
    print_message("  %.*s: %s\n", STR_ARG(run->resources[i].address), run->seen[i].reason);
    assert_int_equal(run->seen[i].status, status);
    assert_non_null(strstr(run->seen[i].reason, reason));
}

static inline void reset_world(struct run *run)
{
    memset(run->seen, 0, sizeof run->seen);
    memset(world.calls, 0, sizeof world.calls);
    run->results = run->progress_done = world.probes = world.starts = 0;
}

#define WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

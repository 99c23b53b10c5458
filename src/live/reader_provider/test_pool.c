/* test_pool.c - the pool against a provider made of timers: every answer, crash, hang and refusal.
 */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "base/loop.h"
#include "live/reader_provider/locate.h"
#include "live/reader_provider/pool.h"
#include "live/reader_provider/throttle.h"
#include "model/resource.h"
#include "model/stack.h"
#include "value/type.h"
#include "wire/json.h"
#include "wire/msgpack.h"
#include "wire/protobuf.h"

/* --- the provider: what it does with an instance is the first word of its id --- */

enum { METHODS = PLUGIN_METHOD_COUNT };
struct world {
    char dir[40];
    bool schema_optional, refuse_configure, crash_configure, cannot_start, crash_on_probe,
        upgrade_changes, generates, legacy, /* as SDKv2: `id` may be set */
        legacy_plans;                       /* as SDKv2's say of themselves */
    int latency_ms;
    unsigned starts, running, most_running, in_flight, most_in_flight, first_together;
    unsigned calls[METHODS], reads_done, probes, refused;
    unsigned tries[200]; /* of the instance with that number behind its id */
};
static struct world world; /* of the test that runs */

struct fake_call {
    struct plugin *plugin;
    enum plugin_method method;
    struct buf reply;
    bool crash, never;
    plugin_done on_done;
    void *ctx;
    struct loop_timer timer;
    struct fake_call *next;
};
struct plugin {
    struct plugin_spec spec;
    struct loop_timer ready, down;
    struct fake_call *calls;
    bool stopped, dead;
};

static const struct type *object_type(struct arena *arena)
{
    static const char text[] = "[\"object\",{\"echoed\":\"string\",\"id\":\"string\",\"value\":"
                               "\"string\"}]";
    struct value v;
    const struct type *type = NULL;
    assert_true(json_parse(arena, STR(text), "t", JSON_DEFAULT, &v, NULL));
    assert_true(type_from_value(arena, &v, &type, NULL));
    return type;
}

enum { OPTIONAL = 5, COMPUTED = 6 };

static void put_attribute(struct buf *out, const char *name, unsigned flag, bool optional)
{
    size_t at = pb_open(out, 2);
    pb_put_bytes(out, 1, str_from(name));
    pb_put_bytes(out, 2, STR("\"string\""));
    pb_put_bool(out, OPTIONAL, optional);
    pb_put_bool(out, flag, true);
    pb_close(out, at);
}

static void put_schema(struct buf *out, unsigned number, bool resource)
{
    size_t schema = pb_open(out, number);
    pb_put_int(out, 1, 1); /* version */
    size_t block = pb_open(out, 2);
    if (resource) {
        put_attribute(out, "id", COMPUTED, world.legacy);
        put_attribute(out, "value", OPTIONAL, true);
        put_attribute(out, "echoed", OPTIONAL, true);
    }
    pb_close(out, block);
    pb_close(out, schema);
}

static void answer_schema(struct buf *out)
{
    put_schema(out, 1, false);
    size_t entry = pb_open(out, 2);
    pb_put_bytes(out, 1, STR("t"));
    put_schema(out, 2, true);
    pb_close(out, entry);
    size_t capabilities = pb_open(out, 6);
    pb_put_bool(out, 2, world.schema_optional);
    pb_put_bool(out, 4, world.generates);
    pb_close(out, capabilities);
}

static void put_error(struct buf *out, unsigned number, const char *summary)
{
    size_t at = pb_open(out, number);
    pb_put_int(out, 1, 1);
    pb_put_bytes(out, 2, str_from(summary));
    pb_close(out, at);
}

static void put_state(struct buf *out, unsigned number, struct str msgpack)
{
    size_t at = pb_open(out, number);
    pb_put_bytes(out, 1, msgpack);
    pb_close(out, at);
}

/* The bytes at field `outer`, sub-field `inner` of a request. */
static struct str field(struct str bytes, uint32_t number)
{
    struct pb_reader reader = {.bytes = bytes};
    struct pb_field got;
    struct str found = {0};
    while (pb_next(&reader, &got))
        if (got.number == number)
            found = got.bytes;
    return found;
}

static void answer_upgrade(struct arena *arena, struct str request, struct buf *out)
{
    struct value raw, v;
    const struct type *type = object_type(arena);
    AUTO_BUF msgpack = {.limit = 10000};
    assert_true(json_parse(arena, field(field(request, 3), 1), "raw", JSON_DEFAULT, &raw, NULL));
    if (str_starts(value_get_string(&raw, STR("id")), STR("stuck"))) {
        put_error(out, 2, "this state cannot be upgraded");
        return;
    }
    assert_true(type_apply(arena, type, &raw, true, &v, NULL));
    struct value_member members[3];
    memcpy(members, v.members, sizeof members);
    if (world.upgrade_changes)
        members[2].value = value_string(STR("upgraded"));
    v.members = members;
    assert_true(msgpack_encode(&msgpack, type, &v, NULL));
    put_state(out, 1, buf_view(&msgpack));
}

static const char *number_of(struct str id)
{
    return id.ptr + id.len - 3; /* "ok-007" */
}

/* Kinds of instances; a row answers (true) or leaves it to the ordinary answer. */
static bool throttled(struct str id, unsigned most, struct buf *out)
{
    if (world.tries[strtoul(number_of(id), NULL, 10)]++ >= most)
        return false;
    put_error(out, 2, "ThrottlingException: Rate exceeded");
    return true;
}
static bool slow(struct str id, struct buf *out, struct fake_call *call)
{
    (void)call;
    return throttled(id, 2, out);
}
static bool denied(struct str id, struct buf *out, struct fake_call *call)
{
    (void)id, (void)call;
    put_error(out, 2, "AccessDenied: not you");
    return true;
}
static bool gone(struct str id, struct buf *out, struct fake_call *call)
{
    (void)id, (void)call;
    put_state(out, 1, STR("\xc0"));
    return true;
}
static bool garbage(struct str id, struct buf *out, struct fake_call *call)
{
    (void)id, (void)call;
    put_state(out, 1, STR("\x93\x01"));
    return true;
}
static bool no_message(struct str id, struct buf *out, struct fake_call *call)
{
    (void)id, (void)call;
    buf_str(out, STR("\xff\xff\xff"));
    return true;
}
static bool unknown(struct str id, struct buf *out, struct fake_call *call)
{
    (void)id, (void)call;
    put_state(out, 1,
              STR("\x83\xa6"
                  "echoed\xc0\xa2"
                  "id\xa1"
                  "x\xa5"
                  "value\xd4\x00\x00"));
    return true;
}
static bool nothing(struct str id, struct buf *out, struct fake_call *call)
{
    (void)id, (void)out, (void)call;
    return true;
}
static bool deferred(struct str id, struct buf *out, struct fake_call *call)
{
    (void)id, (void)call;
    size_t at = pb_open(out, 4);
    pb_put_int(out, 1, 2);
    pb_close(out, at);
    return true;
}
static bool panics(struct str id, struct buf *out, struct fake_call *call)
{
    (void)id, (void)out;
    call->crash = true;
    return true;
}
static bool hangs(struct str id, struct buf *out, struct fake_call *call)
{
    (void)id, (void)out;
    call->never = true;
    return true;
}
static const struct {
    struct str word;
    bool (*answer)(struct str id, struct buf *out, struct fake_call *call);
} kinds[] = {
    {STR_INIT("slow"), slow},        {STR_INIT("denied"), denied},
    {STR_INIT("gone"), gone},        {STR_INIT("garbage"), garbage},
    {STR_INIT("noise"), no_message}, {STR_INIT("unknown"), unknown},
    {STR_INIT("nothing"), nothing},  {STR_INIT("deferred"), deferred},
    {STR_INIT("panic"), panics},     {STR_INIT("hang"), hangs},
};

/* The world's own `value` is "v"; `echoed` is whatever came. */
static void answer_read(struct arena *arena, struct str request, struct buf *out,
                        struct fake_call *call)
{
    const struct type *type = object_type(arena);
    struct value v;
    AUTO_BUF msgpack = {.limit = 10000};
    assert_true(msgpack_decode(arena, type, field(field(request, 2), 1), &v, NULL));
    struct str id = value_get_string(&v, STR("id"));
    bool probe = str_ends(value_get_string(&v, STR("echoed")), STR("-plumb"));
    world.probes += probe;
    if (probe && world.crash_on_probe) {
        call->crash = true;
        return;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (str_starts(id, kinds[i].word) && kinds[i].answer(id, out, call))
            return;
    struct value_member members[3];
    memcpy(members, v.members, sizeof members);
    members[2].value = value_string(str_starts(id, STR("drift"))   ? STR("changed")
                                    : str_starts(id, STR("blank")) ? STR("")
                                                                   : STR("v"));
    v.members = members;
    assert_true(msgpack_encode(&msgpack, type, &v, NULL));
    put_state(out, 1, buf_view(&msgpack));
}

/* With a change, or always, the provider makes `id` anew. */
static void put_anew(struct arena *arena, const struct value *prior, struct str proposed,
                     bool always, struct buf *out)
{
    const struct type *type = object_type(arena);
    AUTO_BUF msgpack = {.limit = 10000};
    struct value v;
    assert_true(msgpack_decode(arena, type, proposed, &v, NULL));
    if (always || !value_equal(prior, &v)) {
        struct value_member members[3];
        memcpy(members, v.members, sizeof members);
        members[1].value = (struct value){.kind = VALUE_UNKNOWN};
        v.members = members;
        assert_true(msgpack_encode(&msgpack, type, &v, NULL));
    } else {
        buf_str(&msgpack, proposed);
    }
    put_state(out, 1, buf_view(&msgpack));
}

/* What is proposed is planned; `value` cannot be changed in place. */
static void answer_plan(struct arena *arena, struct str request, struct buf *out,
                        struct fake_call *call)
{
    struct value v;
    assert_true(msgpack_decode(arena, object_type(arena), field(field(request, 2), 1), &v, NULL));
    struct str id = value_get_string(&v, STR("id"));
    call->crash = str_starts(id, STR("plan-panic"));
    call->never = str_starts(id, STR("plan-hang"));
    if (str_starts(id, STR("plan-denied"))) {
        put_error(out, 4, "this plan is not allowed");
        return;
    }
    if (str_starts(id, STR("plan-slow")) && throttled(id, 2, out)) {
        out->len = 0;
        put_error(out, 4, "ThrottlingException: Rate exceeded");
        return;
    }
    if (str_starts(id, STR("drift-anew")) || str_starts(id, STR("drift-always"))) {
        put_anew(arena, &v, field(field(request, 3), 1), str_starts(id, STR("drift-always")), out);
        pb_put_bool(out, 5, world.legacy_plans);
        return;
    }
    if (!str_starts(id, STR("plan-nothing")))
        put_state(out, 1,
                  str_starts(id, STR("plan-garbage")) ? STR("\x93\x01")
                                                      : field(field(request, 3), 1));
    if (str_starts(id, STR("drift-in-place")))
        return;
    size_t path = pb_open(out, 2), step = pb_open(out, 1);
    pb_put_bytes(out, 1, STR("value"));
    pb_close(out, step);
    pb_close(out, path);
}

/* A stub that has the id and nothing else, and something of another type before it. */
static void answer_import(struct str request, struct buf *out)
{
    struct str id = field(request, 2);
    if (str_equal(id, STR("nobody"))) {
        put_error(out, 2, "Cannot import non-existent remote object");
        return;
    }
    AUTO_BUF stub = {.limit = 1000};
    buf_str(&stub, STR("\x83\xa6"
                       "echoed\xc0\xa2"
                       "id"));
    buf_char(&stub, (char)(0xa0 + id.len));
    buf_str(&stub, id);
    buf_str(&stub, STR("\xa5"
                       "value\xc0"));
    for (int i = 0; i < 2; i++) {
        size_t item = pb_open(out, 1);
        pb_put_bytes(out, 1, i ? STR("t") : STR("beside"));
        put_state(out, 2, buf_view(&stub));
        pb_close(out, item);
    }
}

/* `value` as "written"; or why not. */
static void answer_generate(struct arena *arena, struct str request, struct buf *out)
{
    const struct type *type = object_type(arena);
    AUTO_BUF msgpack = {.limit = 1000};
    struct value v;
    assert_true(msgpack_decode(arena, type, field(field(request, 2), 1), &v, NULL));
    struct str id = value_get_string(&v, STR("id"));
    struct value_member members[3];
    memcpy(members, v.members, sizeof members);
    members[2].value = value_string(STR("written"));
    v.members = members;
    assert_true(msgpack_encode(&msgpack, type, &v, NULL));
    if (str_equal(id, STR("ok-refused")))
        put_error(out, 2, "no configuration of that");
    else
        put_state(out, 1, str_equal(id, STR("ok-garbage")) ? STR("\x93\x01") : buf_view(&msgpack));
}

static void make_reply(struct fake_call *call, struct str request)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    switch (call->method) {
    case PLUGIN_GET_SCHEMA:
        answer_schema(&call->reply);
        break;
    case PLUGIN_CONFIGURE:
        call->crash = world.crash_configure;
        if (world.refuse_configure)
            put_error(&call->reply, 1, "no region is set");
        break;
    case PLUGIN_UPGRADE_STATE:
        answer_upgrade(&arena, request, &call->reply);
        break;
    case PLUGIN_READ:
        answer_read(&arena, request, &call->reply, call);
        break;
    case PLUGIN_PLAN:
        answer_plan(&arena, request, &call->reply, call);
        break;
    case PLUGIN_IMPORT:
        answer_import(request, &call->reply);
        break;
    case PLUGIN_GENERATE_CONFIG:
        answer_generate(&arena, request, &call->reply);
        break;
    default:
        break;
    }
}

static void unlink_call(struct fake_call *call)
{
    struct fake_call **at = &call->plugin->calls;
    while (*at && *at != call)
        at = &(*at)->next;
    assert_non_null(*at);
    *at = call->next;
    loop_timer_stop(call->plugin->spec.loop, &call->timer);
    if (call->method == PLUGIN_READ) {
        world.in_flight--;
        world.reads_done++;
    }
}

static void end_call(struct fake_call *call, struct plugin_reply reply)
{
    unlink_call(call);
    reply.body = &call->reply;
    if (reply.ok)
        reply.bytes = buf_view(&call->reply);
    call->on_done(call->ctx, &reply);
    buf_free(&call->reply);
    free(call);
}

static void tell_crash(void *ctx)
{
    struct plugin *plugin = ctx;
    struct err why = {0};
    (void)err_set(&why, ERR_UNAVAILABLE, "exit status 2: panic: boom");
    plugin->spec.on_down(plugin->spec.ctx, &why);
}

/* The calls are answered at once; that it was reaped is told a little later. */
static void crash(void *ctx)
{
    struct plugin *plugin = ctx;
    plugin->dead = true;
    plugin->down.on_time = tell_crash;
    loop_timer_set(plugin->spec.loop, &plugin->down, plugin->spec.loop->now_ms + 10);
    while (plugin->calls)
        end_call(plugin->calls, (struct plugin_reply){.status = GRPC_UNAVAILABLE,
                                                      .text = STR("panic: boom"),
                                                      .down = true});
}

static void call_due(void *ctx)
{
    struct fake_call *call = ctx;
    if (call->crash)
        crash(call->plugin);
    else if (call->never)
        end_call(call, (struct plugin_reply){.status = GRPC_DEADLINE_EXCEEDED,
                                             .text = STR("no answer in time")});
    else
        end_call(call, (struct plugin_reply){.ok = true});
}

static void fake_ready(void *ctx)
{
    struct plugin *plugin = ctx;
    struct err why = {0};
    (void)err_set(&why, ERR_UNAVAILABLE, "exit status 1");
    plugin->spec.on_ready(plugin->spec.ctx, world.cannot_start ? &why : NULL);
}

static void fake_down(void *ctx)
{
    struct plugin *plugin = ctx;
    plugin->spec.on_down(plugin->spec.ctx, NULL);
}

static bool fake_start(const struct plugin_spec *spec, struct plugin **ret, struct err *err)
{
    struct plugin *plugin = calloc(1, sizeof *plugin);
    (void)err;
    assert_non_null(plugin);
    plugin->spec = *spec;
    plugin->ready = (struct loop_timer){.on_time = fake_ready, .ctx = plugin};
    plugin->down = (struct loop_timer){.on_time = fake_down, .ctx = plugin};
    loop_timer_set(spec->loop, &plugin->ready, spec->loop->now_ms + 1);
    world.starts++;
    if (++world.running > world.most_running)
        world.most_running = world.running;
    *ret = plugin;
    return true;
}

static void fake_stop(struct plugin *plugin)
{
    assert_false(plugin->stopped);
    plugin->stopped = true;
    loop_timer_set(plugin->spec.loop, &plugin->down, plugin->spec.loop->now_ms + 1);
}

static void fake_close(struct plugin *plugin)
{
    while (plugin->calls)
        end_call(plugin->calls,
                 (struct plugin_reply){.status = GRPC_CANCELLED, .text = STR("closed")});
    loop_timer_stop(plugin->spec.loop, &plugin->ready);
    loop_timer_stop(plugin->spec.loop, &plugin->down);
    world.running--;
    free(plugin);
}

static bool fake_call(struct plugin *plugin, enum plugin_method method, struct str request,
                      int timeout_ms, plugin_done on_done, void *ctx, struct err *err)
{
    struct fake_call *call;
    assert_false(plugin->stopped);
    if (plugin->dead) {
        world.refused++;
        return err_set(err, ERR_UNAVAILABLE, "the connection is closed");
    }
    call = calloc(1, sizeof *call);
    assert_non_null(call);
    *call = (struct fake_call){.plugin = plugin,
                               .method = method,
                               .reply = {.limit = 1 << 20},
                               .on_done = on_done,
                               .ctx = ctx,
                               .next = plugin->calls};
    plugin->calls = call;
    world.calls[method]++;
    if (method == PLUGIN_READ) {
        if (++world.in_flight > world.most_in_flight)
            world.most_in_flight = world.in_flight;
        if (world.reads_done == 0)
            world.first_together = world.in_flight;
    }
    make_reply(call, request);
    call->timer = (struct loop_timer){.on_time = call_due, .ctx = call};
    int wait = call->never ? timeout_ms : method == PLUGIN_READ ? world.latency_ms : 0;
    loop_timer_set(plugin->spec.loop, &call->timer, plugin->spec.loop->now_ms + wait);
    return true;
}

static int fake_protocol(const struct plugin *plugin)
{
    (void)plugin;
    return 6;
}

static uint64_t fake_memory(const struct plugin *plugin)
{
    (void)plugin;
    return 300 << 20;
}

static const struct pool_backend fake_backend = {.start = fake_start,
                                                 .stop = fake_stop,
                                                 .close = fake_close,
                                                 .call = fake_call,
                                                 .protocol = fake_protocol,
                                                 .memory = fake_memory};

/* --- a run --- */

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

static void see_plans(struct seen *seen, const struct live_result *result)
{
    const struct live_plan *plan = &result->from_live;
    struct str planned = value_get_string(&plan->planned, STR("value"));
    seen->from_live = plan->status;
    seen->from_state = result->from_state.status;
    seen->nreplace = plan->nrequires_replace;
    (void)snprintf(seen->plan_reason, sizeof seen->plan_reason, "%.*s", STR_ARG(plan->reason));
    (void)snprintf(seen->planned, sizeof seen->planned, "%.*s", STR_ARG(planned));
}

static bool on_result(void *ctx, const struct live_result *result, struct err *err)
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

static void on_progress(void *ctx, const struct reader_progress *progress)
{
    struct run *run = ctx;
    assert_true(progress->done >= run->progress_done);
    run->progress_done = progress->done;
    run->progress_total = progress->total;
}

static void on_note(void *ctx, struct str text)
{
    struct run *run = ctx;
    size_t len = strlen(run->notes);
    (void)snprintf(run->notes + len, sizeof run->notes - len, "%.*s\n", STR_ARG(text));
}

static const char *env(const char *name)
{
    static char path[60];
    (void)snprintf(path, sizeof path, "%s/rc", world.dir);
    return strcmp(name, "TF_CLI_CONFIG_FILE") == 0 ? path : NULL;
}

static int open_world(void **state)
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

static int close_world(void **state)
{
    struct run *run = *state;
    char command[100];
    (void)snprintf(command, sizeof command, "rm -rf %s", world.dir);
    (void)!system(command);
    arena_free(&run->arena);
    free(run);
    return 0;
}

static void add(struct run *run, const char *word, const char *config)
{
    struct arena *a = &run->arena;
    unsigned i = (unsigned)run->n;
    assert_true(run->n < RESOURCES_MAX);
    run->resources[run->n++] = (struct resource){
        .address = arena_printf(a, "t.%s[%u]", word, i),
        .type = STR("t"),
        .provider = STR("example.com/a/fake"),
        .provider_config = str_from(config),
        .schema_version = strcmp(word, "stuck") != 0, /* that one is of an older version */
        .attributes_json =
            arena_printf(a, "{\"id\":\"%s-%03u\",\"value\":%s,\"echoed\":\"e\",\"removed\":1}",
                         word, i, strcmp(word, "blank") == 0 ? "null" : "\"v\"")};
}

static void go(struct run *run)
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

static void expect_all_once(struct run *run)
{
    assert_true(run->ok);
    for (size_t i = 0; i < run->n; i++)
        assert_int_equal(run->seen[i].times, 1);
    assert_int_equal(run->progress_done, run->n);
    assert_int_equal(run->progress_total, run->n);
}

static void expect(struct run *run, size_t i, enum live_status status, const char *reason)
{
    print_message("  %.*s: %s\n", STR_ARG(run->resources[i].address), run->seen[i].reason);
    assert_int_equal(run->seen[i].status, status);
    assert_non_null(strstr(run->seen[i].reason, reason));
}

static void reset_world(struct run *run)
{
    memset(run->seen, 0, sizeof run->seen);
    memset(world.calls, 0, sizeof world.calls);
    run->results = run->progress_done = world.probes = world.starts = 0;
}

/* --- what is true --- */

static const struct {
    const char *word;
    enum live_status status;
    const char *reason;
} answers[] = {
    {"ok", LIVE_READ, ""},
    {"drift", LIVE_READ, ""},
    {"gone", LIVE_GONE, ""},
    {"denied", LIVE_UNREADABLE, "AccessDenied: not you"},
    {"slow", LIVE_READ, ""},
    {"garbage", LIVE_UNREADABLE, "not what its schema promises"},
    {"noise", LIVE_UNREADABLE, ""},
    {"unknown", LIVE_UNREADABLE, "unknown values"},
    {"nothing", LIVE_UNREADABLE, "without a state"},
    {"deferred", LIVE_UNREADABLE, ""},
    {"stuck", LIVE_UNREADABLE, "cannot be upgraded"},
    {"hang", LIVE_UNREADABLE, "no answer in time"},
};
enum { ANSWERS = sizeof answers / sizeof *answers };

static void every_answer_has_its_result(void **state)
{
    struct run *run = *state;
    for (size_t i = 0; i < ANSWERS; i++)
        add(run, answers[i].word, "");
    add(run, "ok", "");
    run->resources[ANSWERS].type = STR("other");
    add(run, "ok", "");
    run->resources[ANSWERS + 1].schema_version = 3;
    go(run);
    expect_all_once(run);
    for (size_t i = 0; i < ANSWERS; i++)
        expect(run, i, answers[i].status, answers[i].reason);
    expect(run, ANSWERS, LIVE_UNREADABLE, "has no resource type other");
    expect(run, ANSWERS + 1, LIVE_UNREADABLE, "newer provider");
    assert_false(run->seen[0].differs);
    assert_true(run->seen[1].differs);
    assert_non_null(strstr(run->notes, "development override"));
}

static void the_first_read_is_alone_then_many(void **state)
{
    struct run *run = *state;
    world.latency_ms = 20;
    for (size_t i = 0; i < RESOURCES_MAX; i++)
        add(run, "ok", "");
    go(run);
    expect_all_once(run);
    assert_int_equal(world.first_together, 1);
    print_message("  at most %u at once\n", world.most_in_flight);
    assert_true(world.most_in_flight >= 20); /* how far depends on the machine's other work */
    assert_int_equal(world.calls[PLUGIN_CONFIGURE], 1);
    assert_int_equal(world.calls[PLUGIN_READ], RESOURCES_MAX);
    assert_int_equal(world.calls[PLUGIN_UPGRADE_STATE], 1); /* then it is known to change nothing */
}

static void a_difference_is_confirmed_by_an_upgrade(void **state)
{
    struct run *run = *state;
    add(run, "ok", "");
    for (size_t i = 1; i < 20; i++)
        add(run, i % 2 ? "drift" : "ok", "");
    go(run);
    expect_all_once(run);
    assert_int_equal(world.calls[PLUGIN_UPGRADE_STATE], 1 + 10);
    assert_int_equal(world.calls[PLUGIN_READ], 20);
}

/* null was recorded and "" comes back: noise of SDKv2, and a difference of anybody else. */
static void null_against_empty_is_confirmed_where_it_means_something(void **state)
{
    struct run *run = *state;
    add(run, "ok", "");
    for (size_t i = 1; i < 20; i++)
        add(run, "blank", "");
    for (int legacy = 0; legacy < 2; legacy++) {
        reset_world(run);
        world.legacy = legacy;
        go(run);
        expect_all_once(run);
        for (size_t i = 1; i < 20; i++)
            assert_true(run->seen[i].differs); /* the drift room decides about it */
        assert_int_equal(world.calls[PLUGIN_UPGRADE_STATE], legacy ? 1 : 20);
        assert_int_equal(world.calls[PLUGIN_READ], 20);
    }
}

/* Its upgrade turns `value` into something else: the full order for every instance. */
static void an_upgrade_that_changes_is_always_asked(void **state)
{
    struct run *run = *state;
    world.upgrade_changes = true;
    for (size_t i = 0; i < 20; i++)
        add(run, "ok", "");
    go(run);
    expect_all_once(run);
    for (size_t i = 0; i < 20; i++)
        assert_true(run->seen[i].differs);
    assert_int_equal(world.calls[PLUGIN_UPGRADE_STATE], 20);
    assert_int_equal(world.calls[PLUGIN_READ], 20);
}

static void concurrency_is_kept(void **state)
{
    struct run *run = *state;
    world.latency_ms = 1;
    run->options.concurrency = 3;
    for (size_t i = 0; i < 60; i++)
        add(run, i % 7 ? "ok" : "slow", "");
    go(run);
    expect_all_once(run);
    assert_int_equal(world.most_in_flight, 3);
}

static void who_crashes_the_provider_is_named(void **state)
{
    struct run *run = *state;
    world.latency_ms = 1;
    for (size_t i = 0; i < 40; i++)
        add(run, i == 17 || i == 30 ? "panic" : "ok", "");
    go(run);
    expect_all_once(run);
    for (size_t i = 0; i < 40; i++)
        if (i != 17 && i != 30)
            assert_int_equal(run->seen[i].status, LIVE_READ);
    expect(run, 17, LIVE_UNREADABLE, "crashes the provider: exit status 2: panic: boom");
    expect(run, 30, LIVE_UNREADABLE, "crashes the provider");
    print_message("  %u starts\n", world.starts);
    assert_true(world.starts <= 6);
    assert_true(world.refused <= world.starts); /* a dead process is not asked again and again */
}

static void a_provider_that_only_crashes_is_given_up(void **state)
{
    struct run *run = *state;
    for (size_t i = 0; i < 50; i++)
        add(run, "panic", "");
    go(run);
    expect_all_once(run);
    for (size_t i = 0; i < 50; i++)
        assert_int_equal(run->seen[i].status, LIVE_UNREADABLE);
    expect(run, 49, LIVE_UNREADABLE, "panic: boom");
    assert_true(world.starts <= 10);
}

static void a_hanging_provider_is_given_up(void **state)
{
    struct run *run = *state;
    for (size_t i = 0; i < 100; i++)
        add(run, "hang", "");
    go(run);
    expect_all_once(run);
    expect(run, 0, LIVE_UNREADABLE, "no answer in time");
    expect(run, 99, LIVE_UNREADABLE, "did not answer");
    assert_true(world.calls[PLUGIN_READ] <= 25);
}

static void a_refused_configuration_is_told(void **state)
{
    struct run *run = *state;
    world.refuse_configure = true;
    add(run, "ok", "");
    add(run, "ok", "");
    go(run);
    expect_all_once(run);
    expect(run, 1, LIVE_UNREADABLE, "refused its configuration (from the environment): no region");
    assert_int_equal(world.calls[PLUGIN_READ], 0);
}

static void a_crash_in_configure_is_tried_once_more(void **state)
{
    struct run *run = *state;
    world.crash_configure = true;
    add(run, "ok", "");
    go(run);
    expect_all_once(run);
    expect(run, 0, LIVE_UNREADABLE, "crashed 2 times");
    assert_int_equal(world.starts, 2);
}

static void a_provider_that_cannot_start_is_told(void **state)
{
    struct run *run = *state;
    world.cannot_start = true;
    add(run, "ok", "");
    go(run);
    expect_all_once(run);
    expect(run, 0, LIVE_UNREADABLE, "could not be started: exit status 1");
}

static void what_is_not_installed_is_told(void **state)
{
    struct run *run = *state;
    add(run, "ok", "");
    add(run, "ok", "");
    run->resources[1].provider = STR("example.com/a/absent");
    go(run);
    expect_all_once(run);
    expect(run, 0, LIVE_READ, "");
    expect(run, 1, LIVE_UNREADABLE, "run `tofu init`");
}

static void one_process_per_configuration(void **state)
{
    struct run *run = *state;
    static const char *const configs[] = {"provider[\"example.com/a/fake\"]",
                                          "provider[\"example.com/a/fake\"].west",
                                          "provider[\"example.com/a/fake\"].east"};
    run->options.max_providers = 2;
    world.latency_ms = 1;
    for (size_t i = 0; i < 30; i++)
        add(run, "ok", configs[i % 3]);
    go(run);
    expect_all_once(run);
    assert_int_equal(world.starts, 3);
    assert_int_equal(world.most_running, 2);
    assert_int_equal(world.calls[PLUGIN_CONFIGURE], 3);
}

static void cancelled_within_a_second(void **state)
{
    struct run *run = *state;
    world.latency_ms = 1;
    run->options.timeout_ms = 60000;
    run->cancel_at = 5;
    for (size_t i = 0; i < 100; i++)
        add(run, i % 2 ? "hang" : "ok", "");
    go(run);
    assert_false(run->ok);
    assert_int_equal(run->err.kind, ERR_CANCELLED);
    assert_true(run->results < 100);
}

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

static void a_sink_that_fails_ends_it(void **state)
{
    struct run *run = *state;
    run->fail_at = 5;
    for (size_t i = 0; i < 100; i++)
        add(run, "ok", "");
    go(run);
    assert_false(run->ok);
    assert_int_equal(run->err.kind, ERR_IO);
    assert_int_equal(run->results, 5);
}

static void the_probe_finds_what_is_echoed(void **state)
{
    struct run *run = *state;
    char dir[60];
    (void)snprintf(dir, sizeof dir, "%s/cache", world.dir);
    run->options.no_probe = false;
    run->options.cache_dir = str_from(dir);
    world.latency_ms = 2;
    world.schema_optional = true;
    add(run, "gone", ""); /* nothing to be probed there */
    add(run, "denied", "");
    for (size_t i = 2; i < 50; i++)
        add(run, i == 20 ? "drift" : "ok", "");
    for (int round = 0; round < 2; round++) {
        print_message("  round %d\n", round);
        reset_world(run);
        go(run);
        expect_all_once(run);
        for (size_t i = 2; i < 50; i++)
            assert_string_equal(run->seen[i].not_observed, "echoed");
        assert_int_equal(world.probes, round == 0);                   /* remembered */
        assert_int_equal(world.calls[PLUGIN_GET_SCHEMA], round == 0); /* likewise */
    }
    run->options.no_probe = true;
    reset_world(run);
    go(run);
    expect_all_once(run);
    assert_int_equal(world.probes, 0);
}

static void a_schema_is_asked_for_where_it_must_be(void **state)
{
    struct run *run = *state;
    char dir[60];
    (void)snprintf(dir, sizeof dir, "%s/cache", world.dir);
    run->options.cache_dir = str_from(dir);
    add(run, "ok", "");
    for (int round = 0; round < 2; round++) {
        reset_world(run);
        go(run);
        expect_all_once(run);
        assert_int_equal(world.calls[PLUGIN_GET_SCHEMA], 1);
    }
}

static void a_probe_that_crashes_blames_nobody(void **state)
{
    struct run *run = *state;
    run->options.no_probe = false;
    world.crash_on_probe = true;
    world.latency_ms = 1;
    for (size_t i = 0; i < 50; i++)
        add(run, "ok", "");
    go(run);
    expect_all_once(run);
    for (size_t i = 0; i < 50; i++)
        assert_int_equal(run->seen[i].status, LIVE_READ);
    assert_int_equal(world.starts, 2);
    assert_int_equal(world.probes, 1);
}

static void too_much_memory_is_noted_once(void **state)
{
    struct run *run = *state;
    run->options.max_memory = 100 << 20;
    world.latency_ms = 20;
    for (size_t i = 0; i < 30; i++)
        add(run, "ok", "");
    go(run);
    expect_all_once(run);
    char *first = strstr(run->notes, "300 MiB");
    assert_non_null(first);
    assert_null(strstr(first + 1, "300 MiB"));
}

static void nothing_to_do_starts_nothing(void **state)
{
    struct run *run = *state;
    go(run);
    assert_true(run->ok);
    assert_int_equal(world.starts, 0);
}

#define WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD(every_answer_has_its_result),
        WORLD(the_first_read_is_alone_then_many),
        WORLD(a_difference_is_confirmed_by_an_upgrade),
        WORLD(null_against_empty_is_confirmed_where_it_means_something),
        WORLD(an_upgrade_that_changes_is_always_asked),
        WORLD(concurrency_is_kept),
        WORLD(who_crashes_the_provider_is_named),
        WORLD(a_provider_that_only_crashes_is_given_up),
        WORLD(a_hanging_provider_is_given_up),
        WORLD(a_refused_configuration_is_told),
        WORLD(a_crash_in_configure_is_tried_once_more),
        WORLD(a_provider_that_cannot_start_is_told),
        WORLD(what_is_not_installed_is_told),
        WORLD(one_process_per_configuration),
        WORLD(cancelled_within_a_second),
        WORLD(a_sink_that_fails_ends_it),
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
        WORLD(the_probe_finds_what_is_echoed),
        WORLD(a_schema_is_asked_for_where_it_must_be),
        WORLD(a_probe_that_crashes_blames_nobody),
        WORLD(too_much_memory_is_noted_once),
        WORLD(nothing_to_do_starts_nothing),
    };
    return cmocka_run_group_tests_name("live/reader_provider/pool", tests, NULL, NULL);
}

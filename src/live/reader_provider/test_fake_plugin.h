/* test_fake_plugin.h - for tests: a provider made of timers, with every answer, crash, hang and
 * refusal.
 *
 * What it does with an instance is the first word of its id, or `world` says it of all.
 */
#pragma once
#include "base/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/loop.h"
#include "live/reader_provider/pool.h"
#include "value/type.h"
#include "wire/json.h"
#include "wire/msgpack.h"
#include "wire/protobuf.h"

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

static inline const struct type *object_type(struct arena *arena)
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

static inline void put_attribute(struct buf *out, const char *name, unsigned flag, bool optional)
{
    size_t at = pb_open(out, 2);
    pb_put_bytes(out, 1, str_from(name));
    pb_put_bytes(out, 2, STR("\"string\""));
    pb_put_bool(out, OPTIONAL, optional);
    pb_put_bool(out, flag, true);
    pb_close(out, at);
}

static inline void put_schema(struct buf *out, unsigned number, bool resource)
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

static inline void answer_schema(struct buf *out)
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

static inline void put_error(struct buf *out, unsigned number, const char *summary)
{
    size_t at = pb_open(out, number);
    pb_put_int(out, 1, 1);
    pb_put_bytes(out, 2, str_from(summary));
    pb_close(out, at);
}

static inline void put_state(struct buf *out, unsigned number, struct str msgpack)
{
    size_t at = pb_open(out, number);
    pb_put_bytes(out, 1, msgpack);
    pb_close(out, at);
}

/* The bytes at field `outer`, sub-field `inner` of a request. */
static inline struct str field(struct str bytes, uint32_t number)
{
    struct pb_reader reader = {.bytes = bytes};
    struct pb_field got;
    struct str found = {0};
    while (pb_next(&reader, &got))
        if (got.number == number)
            found = got.bytes;
    return found;
}

static inline void answer_upgrade(struct arena *arena, struct str request, struct buf *out)
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

static inline const char *number_of(struct str id)
{
    return id.ptr + id.len - 3; /* "ok-007" */
}

/* Kinds of instances; a row answers (true) or leaves it to the ordinary answer. */
static inline bool throttled(struct str id, unsigned most, struct buf *out)
{
    if (world.tries[strtoul(number_of(id), NULL, 10)]++ >= most)
        return false;
    put_error(out, 2, "ThrottlingException: Rate exceeded");
    return true;
}
static inline bool slow(struct str id, struct buf *out, struct fake_call *call)
{
    (void)call;
    return throttled(id, 2, out);
}
static inline bool denied(struct str id, struct buf *out, struct fake_call *call)
{
    (void)id, (void)call;
    put_error(out, 2, "AccessDenied: not you");
    return true;
}
static inline bool gone(struct str id, struct buf *out, struct fake_call *call)
{
    (void)id, (void)call;
    put_state(out, 1, STR("\xc0"));
    return true;
}
static inline bool garbage(struct str id, struct buf *out, struct fake_call *call)
{
    (void)id, (void)call;
    put_state(out, 1, STR("\x93\x01"));
    return true;
}
static inline bool no_message(struct str id, struct buf *out, struct fake_call *call)
{
    (void)id, (void)call;
    buf_str(out, STR("\xff\xff\xff"));
    return true;
}
static inline bool unknown(struct str id, struct buf *out, struct fake_call *call)
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
static inline bool nothing(struct str id, struct buf *out, struct fake_call *call)
{
    (void)id, (void)out, (void)call;
    return true;
}
static inline bool deferred(struct str id, struct buf *out, struct fake_call *call)
{
    (void)id, (void)call;
    size_t at = pb_open(out, 4);
    pb_put_int(out, 1, 2);
    pb_close(out, at);
    return true;
}
static inline bool panics(struct str id, struct buf *out, struct fake_call *call)
{
    (void)id, (void)out;
    call->crash = true;
    return true;
}
static inline bool hangs(struct str id, struct buf *out, struct fake_call *call)
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
static inline void answer_read(struct arena *arena, struct str request, struct buf *out,
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
static inline void put_anew(struct arena *arena, const struct value *prior, struct str proposed,
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
static inline void answer_plan(struct arena *arena, struct str request, struct buf *out,
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
static inline void answer_import(struct str request, struct buf *out)
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
static inline void answer_generate(struct arena *arena, struct str request, struct buf *out)
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

static inline void make_reply(struct fake_call *call, struct str request)
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

static inline void unlink_call(struct fake_call *call)
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

static inline void end_call(struct fake_call *call, struct plugin_reply reply)
{
    unlink_call(call);
    reply.body = &call->reply;
    if (reply.ok)
        reply.bytes = buf_view(&call->reply);
    call->on_done(call->ctx, &reply);
    buf_free(&call->reply);
    free(call);
}

static inline void tell_crash(void *ctx)
{
    struct plugin *plugin = ctx;
    struct err why = {0};
    (void)err_set(&why, ERR_UNAVAILABLE, "exit status 2: panic: boom");
    plugin->spec.on_down(plugin->spec.ctx, &why);
}

/* The calls are answered at once; that it was reaped is told a little later. */
static inline void crash(void *ctx)
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

static inline void call_due(void *ctx)
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

static inline void fake_ready(void *ctx)
{
    struct plugin *plugin = ctx;
    struct err why = {0};
    (void)err_set(&why, ERR_UNAVAILABLE, "exit status 1");
    plugin->spec.on_ready(plugin->spec.ctx, world.cannot_start ? &why : NULL);
}

static inline void fake_down(void *ctx)
{
    struct plugin *plugin = ctx;
    plugin->spec.on_down(plugin->spec.ctx, NULL);
}

static inline bool fake_start(const struct plugin_spec *spec, struct plugin **ret, struct err *err)
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

static inline void fake_stop(struct plugin *plugin)
{
    assert_false(plugin->stopped);
    plugin->stopped = true;
    loop_timer_set(plugin->spec.loop, &plugin->down, plugin->spec.loop->now_ms + 1);
}

static inline void fake_close(struct plugin *plugin)
{
    while (plugin->calls)
        end_call(plugin->calls,
                 (struct plugin_reply){.status = GRPC_CANCELLED, .text = STR("closed")});
    loop_timer_stop(plugin->spec.loop, &plugin->ready);
    loop_timer_stop(plugin->spec.loop, &plugin->down);
    world.running--;
    free(plugin);
}

static inline bool fake_call(struct plugin *plugin, enum plugin_method method, struct str request,
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

static inline int fake_protocol(const struct plugin *plugin)
{
    (void)plugin;
    return 6;
}

static inline uint64_t fake_memory(const struct plugin *plugin)
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

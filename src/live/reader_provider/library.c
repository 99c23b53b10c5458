/* library.c - providers found once, their schemas fetched side by side, their functions called. */
#include "live/library.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "lang/hcl/ops.h"
#include "live/reader.h"
#include "live/reader_provider/locate.h"
#include "live/reader_provider/plugin.h"
#include "live/reader_provider/provider.h"
#include "live/reader_provider/tfplugin.h"
#include "live/reader_provider/warm_parts.h"
#include "wire/msgpack.h"

enum { SCHEMA_MS = 120000, ARGS_MAX = 1000 };

/* One provider. Its process runs while `plugin` is set. */
struct shelf {
    struct library *library;
    struct provider provider;
    struct plugin *plugin;
    bool fetching; /* a process was started for the schema, and has not answered yet */
    struct str trouble;
    struct shelf *next;
};
struct library {
    struct arena arena;
    struct loop loop; /* open once a process was started */
    bool has_loop;
    struct locator locator;
    struct reader_options options;
    struct shelf *first;
};

static const char *env(const char *name)
{
    return getenv(name);
}

bool library_open(const struct stack *stack, const struct reader_options *options,
                  struct library **ret, struct err *err)
{
    struct library *library = calloc(1, sizeof *library);
    if (!library)
        return err_set(err, ERR_LIMIT, "out of memory");
    library->arena.limit = ARENA_DEFAULT_LIMIT;
    library->options = *options;
    if (!locate_open(&library->arena, stack, env, &library->locator, err)) {
        library_close(library);
        return false;
    }
    *ret = library;
    return true;
}

void library_close(struct library *library)
{
    if (!library)
        return;
    for (struct shelf *shelf = library->first, *next; shelf; shelf = next) {
        next = shelf->next;
        plugin_close(shelf->plugin);
        warm_give_schema(library->options.warm, &shelf->provider);
        provider_close(&shelf->provider);
        free(shelf);
    }
    if (library->has_loop)
        loop_close(&library->loop);
    arena_free(&library->arena);
    free(library);
}

static struct shelf *shelf_of(struct library *library, struct str source)
{
    struct shelf *shelf = library->first;
    while (shelf && !str_equal(shelf->provider.source, source))
        shelf = shelf->next;
    if (shelf)
        return shelf;
    shelf = calloc(1, sizeof *shelf);
    struct str kept = arena_dup(&library->arena, source);
    if (!shelf || !kept.ptr) {
        free(shelf);
        return NULL;
    }
    shelf->library = library;
    provider_open(&shelf->provider, &library->locator, kept, &library->options);
    shelf->provider.whole = true;
    warm_take_schema(library->options.warm, &shelf->provider);
    shelf->trouble = shelf->provider.refused;
    shelf->next = library->first;
    library->first = shelf;
    return shelf;
}

bool library_has(struct library *library, struct str source)
{
    const struct shelf *shelf = shelf_of(library, source);
    return shelf && shelf->provider.found.source.len;
}

const struct locator *library_locator(const struct library *library)
{
    return &library->locator;
}

struct provider *library_provider(void *ctx, struct str source)
{
    struct shelf *shelf = shelf_of(ctx, source);
    return shelf ? &shelf->provider : NULL;
}

/* --- schemas --- */

static void settle(struct shelf *shelf, const struct err *why)
{
    char text[2048];
    shelf->fetching = false;
    if (!why)
        return;
    shelf->trouble = arena_dup(&shelf->library->arena, str_from(err_text(why, text, sizeof text)));
    if (!shelf->trouble.len)
        shelf->trouble = STR("out of memory");
}

static void close_process(struct shelf *shelf)
{
    struct plugin *plugin = shelf->plugin;
    shelf->plugin = NULL;
    plugin_close(plugin);
}

static void on_schema(void *ctx, const struct plugin_reply *reply)
{
    struct shelf *shelf = ctx;
    struct provider *provider = &shelf->provider;
    struct str refused = {0};
    struct err err = {0};
    if (!shelf->plugin) /* it was closed */
        return;
    if (!reply->ok)
        (void)err_set(&err, ERR_REMOTE, "the provider's schema could not be had: %.*s",
                      STR_ARG(reply->text));
    else if (provider_take_schema(provider, &shelf->library->options,
                                  plugin_protocol(shelf->plugin), reply->bytes, &refused, &err) &&
             refused.len)
        (void)err_set(&err, ERR_REMOTE, "the provider gave no schema: %.*s", STR_ARG(refused));
    settle(shelf, err.kind == ERR_NONE ? NULL : &err);
    close_process(shelf);
}

static void on_ready(void *ctx, const struct err *why)
{
    struct shelf *shelf = ctx;
    struct err err = {0};
    if (!shelf->fetching)
        return;
    if (why)
        settle(shelf, why);
    else if (!plugin_call(shelf->plugin, PLUGIN_GET_SCHEMA, STR(""), SCHEMA_MS, on_schema, shelf,
                          &err))
        settle(shelf, &err);
}

/* What was in flight is answered before. */
static void on_down(void *ctx, const struct err *why)
{
    struct shelf *shelf = ctx;
    if (shelf->fetching)
        settle(shelf, why);
    shelf->fetching = false;
    close_process(shelf);
}

/* Most stacks are asked of providers that run, and of schemas that are known. */
static bool ready_loop(struct library *library, struct err *err)
{
    if (library->has_loop)
        return true;
    if (!loop_open(&library->loop, err))
        return false;
    library->loop.cancel = library->options.cancel;
    library->has_loop = true;
    return true;
}

static bool start(struct shelf *shelf, struct err *err)
{
    struct library *library = shelf->library;
    if (!ready_loop(library, err))
        return false;
    struct plugin_spec spec =
        provider_spec(&shelf->provider, &library->locator, &library->arena, &library->loop);
    spec.on_ready = on_ready;
    spec.on_down = on_down;
    spec.ctx = shelf;
    return plugin_start(&spec, &shelf->plugin, err);
}

/* Known, or on its way, or in trouble. */
static void begin_schema(struct shelf *shelf)
{
    struct err err = {0};
    if (shelf->trouble.len || shelf->fetching ||
        provider_cached_schema(&shelf->provider, &shelf->library->options, 0))
        return;
    shelf->fetching = true;
    if (!start(shelf, &err))
        settle(shelf, &err);
}

static bool wait_for(struct shelf *shelf, struct err *err)
{
    while (shelf->fetching)
        if (!loop_turn(&shelf->library->loop, -1, err))
            return false;
    if (shelf->plugin && shelf->trouble.len)
        close_process(shelf);
    return true;
}

bool library_prefetch(struct library *library, const struct str *sources, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        struct shelf *shelf = shelf_of(library, sources[i]);
        if (shelf)
            begin_schema(shelf);
    }
    for (struct shelf *shelf = library->first; shelf; shelf = shelf->next)
        if (!wait_for(shelf, err))
            return false;
    return true;
}

/* With its schema, or NULL. */
static struct shelf *fetch(struct library *library, struct str source)
{
    struct shelf *shelf = shelf_of(library, source);
    if (!shelf)
        return NULL;
    begin_schema(shelf);
    return wait_for(shelf, NULL) && shelf->provider.protocol ? shelf : NULL;
}

struct str library_trouble(struct library *library, struct str source)
{
    struct shelf *shelf = shelf_of(library, source);
    return shelf ? shelf->trouble : STR("out of memory");
}

const struct schema *library_schema(void *ctx, struct str source, enum code_mode mode,
                                    struct str type)
{
    const struct shelf *shelf = fetch(ctx, source);
    if (!shelf)
        return NULL;
    const struct provider_schema *schema = &shelf->provider.schema;
    const struct schema_named *named = mode == CODE_MANAGED ? schema_find_resource(schema, type)
                                       : mode == CODE_DATA  ? schema_find_data(schema, type)
                                                            : schema_find_ephemeral(schema, type);
    return named ? named->schema : NULL;
}

const struct schema *library_config_schema(void *ctx, struct str source)
{
    const struct shelf *shelf = fetch(ctx, source);
    return shelf ? shelf->provider.schema.provider : NULL;
}

/* --- functions --- */

static const char invalid[] = "Invalid function argument";
static const struct hcl_range nowhere;

struct call {
    struct hcl_eval *ev;
    const struct schema_function *function;
    struct str name;
    struct str *args; /* msgpack */
    uint8_t marks;
    bool unknown; /* an argument is, so that the result is */
};

static const struct schema_parameter *parameter_at(const struct schema_function *function, size_t i)
{
    return i < function->nparameters ? &function->parameters[i] : function->variadic;
}

/* One argument as the function takes it. */
static bool take_argument(struct call *call, size_t i, const struct value *arg)
{
    const struct schema_parameter *parameter = parameter_at(call->function, i);
    struct arena *arena = call->ev->arena;
    struct value plain, typed;
    struct str why;
    uint8_t marks = 0;
    AUTO_BUF out = {.limit = 64 << 20};
    if (!hcl_unmark_deep(arena, arg, &plain, &marks))
        return false;
    call->marks |= marks;
    if (plain.kind == VALUE_NULL && !parameter->allow_null)
        return hcl_fail(call->ev, nowhere, invalid,
                        "Invalid value for \"%.*s\" parameter: argument must not be null.",
                        STR_ARG(parameter->name));
    if (!hcl_convert(arena, &plain, parameter->type, &typed, &why))
        return hcl_fail(call->ev, nowhere, invalid, "Invalid value for \"%.*s\" parameter: %.*s.",
                        STR_ARG(parameter->name), STR_ARG(why));
    if (value_any_unknown(&typed) && !parameter->allow_unknown)
        call->unknown = true;
    if (!msgpack_encode(&out, parameter->type, &typed, NULL) || !buf_ok(&out, NULL))
        return hcl_fail(call->ev, nowhere, invalid, "The argument for \"%.*s\" is too large.",
                        STR_ARG(parameter->name));
    call->args[i] = arena_dup(arena, buf_view(&out));
    return call->args[i].ptr != NULL;
}

static bool take_arguments(struct call *call, const struct value *args, size_t nargs)
{
    size_t least = call->function->nparameters;
    size_t most = call->function->variadic ? ARGS_MAX : least;
    if (nargs < least || nargs > most)
        return hcl_fail(call->ev, nowhere,
                        nargs < least ? "Not enough function arguments"
                                      : "Too many function arguments",
                        "Function \"%.*s\" expects %s%zu argument(s).", STR_ARG(call->name),
                        call->function->variadic ? "at least " : "", least);
    call->args = arena_new(call->ev->arena, struct str, nargs);
    for (size_t i = 0; call->args && i < nargs; i++)
        if (!take_argument(call, i, &args[i]))
            return false;
    return call->args != NULL;
}

/* A process that answers calls; one that must be asked for its schema first, is. */
static bool ready_for_calls(struct shelf *shelf, struct err *err)
{
    struct buf body = {0};
    struct str bytes;
    if (shelf->plugin)
        return true;
    if (!start(shelf, err))
        return false;
    bool ok = plugin_wait_ready(shelf->plugin, err) &&
              (shelf->provider.schema.schema_optional ||
               plugin_call_wait(shelf->plugin, PLUGIN_GET_SCHEMA, STR(""), SCHEMA_MS, &body, &bytes,
                                err));
    buf_free(&body);
    if (!ok)
        close_process(shelf);
    return ok;
}

static bool take_result(struct call *call, struct str reply, struct value *ret, struct err *err)
{
    struct tf_function_reply got;
    struct arena *arena = call->ev->arena;
    struct value v;
    struct str kept = arena_dup(arena, reply); /* the value points into it */
    if (!kept.ptr || !tf_decode_call_function(arena, kept, &got, err))
        return false;
    if (got.error.ptr) {
        const struct schema_parameter *parameter =
            got.argument >= 0 ? parameter_at(call->function, (size_t)got.argument) : NULL;
        return parameter ? hcl_fail(call->ev, nowhere, invalid,
                                    "Invalid value for \"%.*s\" parameter: %.*s.",
                                    STR_ARG(parameter->name), STR_ARG(got.error))
                         : hcl_fail(call->ev, nowhere, "Error in function call",
                                    "Call to function \"%.*s\" failed: %.*s.", STR_ARG(call->name),
                                    STR_ARG(got.error));
    }
    if (!got.result.ptr)
        return err_set(err, ERR_REMOTE, "the provider answered without a result");
    if (!msgpack_decode(arena, call->function->result, got.result, &v, err))
        return false;
    *ret = hcl_with_marks(v, call->marks);
    return true;
}

static bool ask(struct shelf *shelf, struct call *call, size_t nargs, struct value *ret,
                struct err *err)
{
    AUTO_BUF out = {.limit = 64 << 20}, body = {0};
    struct str bytes;
    tf_encode_call_function(&out, call->function->name, call->args, nargs);
    return buf_ok(&out, err) && ready_for_calls(shelf, err) &&
           plugin_call_wait(shelf->plugin, PLUGIN_CALL_FUNCTION, buf_view(&out),
                            shelf->library->options.timeout_ms, &body, &bytes, err) &&
           take_result(call, bytes, ret, err);
}

bool library_call_function(void *ctx, struct hcl_eval *ev, struct str source, struct str name,
                           const struct value *args, size_t nargs, struct value *ret)
{
    struct shelf *shelf = fetch(ctx, source);
    struct err err = {0};
    char text[1024];
    struct call call = {.ev = ev, .name = name};
    if (!shelf)
        return true; /* unknown: what it could say is not to be had */
    call.function = schema_find_function(&shelf->provider.schema, name);
    if (!call.function)
        return hcl_fail(ev, nowhere, "Unknown provider function",
                        "The function \"%.*s\" is not available from the provider \"%.*s\".",
                        STR_ARG(name), STR_ARG(source));
    *ret = hcl_unknown(ev->arena, call.function->result);
    if (!take_arguments(&call, args, nargs))
        return false;
    *ret = hcl_with_marks(*ret, call.marks);
    if (call.unknown || ask(shelf, &call, nargs, ret, &err))
        return true;
    if (err.kind == ERR_NONE) /* the function's own error */
        return false;
    return hcl_fail(ev, nowhere, "Error in function call", "Call to function \"%.*s\" failed: %s.",
                    STR_ARG(name), err_text(&err, text, sizeof text));
}

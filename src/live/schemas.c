/* schemas.c - providers started for their schema alone, or none where it is remembered. */
#include "live/schemas.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "live/reader.h"
#include "live/reader_provider/cache.h"
#include "live/reader_provider/locate.h"
#include "live/reader_provider/plugin.h"
#include "live/reader_provider/tfplugin.h"

/* One provider that was asked for. */
struct answer {
    struct str source;
    bool good;
    struct provider_schema schema;
    struct str why; /* not good */
    struct answer *next;
};
struct live_schemas {
    struct arena arena;
    struct locator locator;
    const struct reader_options *options;
    struct answer *answers;
};

/* Kinds of the cache, by protocol: replies as they came. */
static const char *const kinds[] = {[5] = "whole-5", [6] = "whole-6"};

bool live_schemas_open(const struct stack *stack, const char *(*env)(const char *name),
                       const struct reader_options *options, struct live_schemas **ret,
                       struct err *err)
{
    struct live_schemas *schemas = calloc(1, sizeof *schemas);
    if (!schemas)
        return err_set(err, ERR_LIMIT, "out of memory");
    schemas->arena = (struct arena){.limit = (size_t)1 << 34};
    schemas->options = options;
    if (!locate_open(&schemas->arena, stack, env, &schemas->locator, err)) {
        live_schemas_close(schemas);
        return false;
    }
    *ret = schemas;
    return true;
}

void live_schemas_close(struct live_schemas *schemas)
{
    if (!schemas)
        return;
    arena_free(&schemas->arena);
    free(schemas);
}

static bool decode(struct live_schemas *schemas, int protocol, struct str reply,
                   struct provider_schema *ret, struct err *err)
{
    struct tf_diagnostics diagnostics = {0};
    if (!tf_decode_schema(&schemas->arena, protocol, TF_SCHEMA_WHOLE, reply, ret, &diagnostics,
                          err))
        return err_wrap(err, "the provider's schema cannot be read");
    if (!diagnostics.nerrors)
        return true;
    struct str text = tf_diagnostics_text(&schemas->arena, &diagnostics);
    return err_set(err, ERR_REMOTE, "the provider gave no schema: %.*s", STR_ARG(text));
}

static bool from_cache(struct live_schemas *schemas, const struct digest *binary,
                       struct provider_schema *ret)
{
    for (int protocol = 6; protocol >= 5; protocol--) {
        AUTO_ARENA scratch = {.limit = 2 * (size_t)CACHE_BYTES_MAX};
        struct str bytes;
        if (cache_load(&scratch, schemas->options->cache_dir, binary, kinds[protocol], &bytes) &&
            decode(schemas, protocol, bytes, ret, NULL))
            return true;
    }
    return false;
}

static bool ask(struct live_schemas *schemas, struct plugin *plugin, const struct digest *binary,
                bool keep, struct provider_schema *ret, struct err *err)
{
    AUTO_BUF body = {.limit = 0};
    struct str bytes;
    if (!plugin_wait_ready(plugin, err) ||
        !plugin_call_wait(plugin, PLUGIN_GET_SCHEMA, STR(""), schemas->options->timeout_ms, &body,
                          &bytes, err))
        return false;
    int protocol = plugin_protocol(plugin);
    if (!decode(schemas, protocol, bytes, ret, err))
        return false;
    if (keep)
        cache_save(schemas->options->cache_dir, binary, kinds[protocol == 6 ? 6 : 5], bytes);
    return true;
}

static bool from_process(struct live_schemas *schemas, const struct located *found,
                         const struct digest *binary, struct provider_schema *ret, struct err *err)
{
    struct loop loop;
    struct plugin *plugin = NULL;
    bool reattach = found->origin == LOCATE_REATTACH;
    if (!loop_open(&loop, err))
        return false;
    loop.cancel = schemas->options->cancel;
    struct plugin_spec spec = {
        .loop = &loop, .name = found->source, .path = found->path, .dir = schemas->locator.root};
    if (reattach)
        spec.reattach =
            (struct plugin_reattach){.tcp = str_equal(found->reattach.network, STR("tcp")),
                                     .address = found->reattach.address,
                                     .protocol = (int)found->reattach.protocol};
    bool ok = plugin_start(&spec, &plugin, err);
    if (!ok)
        err_wrap(err, "the provider could not be started");
    ok = ok && ask(schemas, plugin, binary, !reattach, ret, err);
    plugin_close(plugin);
    loop_close(&loop);
    return ok;
}

static bool obtain(struct live_schemas *schemas, struct str source, struct provider_schema *ret,
                   struct err *err)
{
    struct located found;
    struct digest binary = {0};
    if (!locate_find(&schemas->locator, source, &found, err))
        return false;
    if (!locate_verify(&schemas->locator, &found, schemas->options->cache_dir, &binary, err)) {
        if (err->kind != ERR_CONFLICT || !schemas->options->allow_hash_mismatch)
            return false;
        err_clear(err);
    }
    return from_cache(schemas, &binary, ret) || from_process(schemas, &found, &binary, ret, err);
}

const struct provider_schema *live_schemas_find(struct live_schemas *schemas, struct str source,
                                                struct str *ret_why)
{
    struct answer *answer = schemas->answers;
    while (answer && !str_equal(answer->source, source))
        answer = answer->next;
    if (!answer) {
        struct err err = {0};
        char text[2048];
        answer = arena_new(&schemas->arena, struct answer, 1);
        if (!answer)
            return NULL;
        answer->source = arena_dup(&schemas->arena, source);
        answer->good = obtain(schemas, source, &answer->schema, &err);
        if (!answer->good)
            answer->why = arena_dup(&schemas->arena, str_from(err_text(&err, text, sizeof text)));
        answer->next = schemas->answers;
        schemas->answers = answer;
    }
    if (ret_why)
        *ret_why = answer->why;
    return answer->good ? &answer->schema : NULL;
}

/* provider.c - opening a provider, its schema and its probe verdicts, with the cache beside. */
#include "live/reader_provider/provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "live/reader.h"
#include "live/reader_provider/cache.h"
#include "live/reader_provider/plugin.h"
#include "live/reader_provider/tfplugin.h"
#include "wire/json.h"

static void note(const struct reader_options *options, struct str text)
{
    if (options->note && text.len)
        options->note(options->ctx, text);
}

static struct str keep_error(struct arena *arena, const struct err *err)
{
    char text[2048];
    struct str kept = arena_dup(arena, str_from(err_text(err, text, sizeof text)));
    return kept.ptr ? kept : STR("out of memory");
}

void provider_open(struct provider *provider, const struct locator *locator, struct str source,
                   const struct reader_options *options)
{
    struct err err = {0};
    *provider = (struct provider){.source = source, .arena = {.limit = ARENA_DEFAULT_LIMIT}};
    if (!locate_find(locator, source, &provider->found, &err)) {
        provider->refused = keep_error(&provider->arena, &err);
        return;
    }
    note(options, provider->found.note);
    if (locate_verify(locator, &provider->found, options->cache_dir, &provider->digest, &err))
        return;
    struct str why = keep_error(&provider->arena, &err);
    if (!options->allow_hash_mismatch || err.kind != ERR_CONFLICT) {
        provider->refused = why;
        return;
    }
    note(options,
         arena_printf(&provider->arena, "%.*s; used all the same, as asked for", STR_ARG(why)));
}

void provider_close(struct provider *provider)
{
    arena_free(&provider->arena);
}

/*
 * Our environment; for a small provider with a garbage collector that does not run after every few
 * requests. Go's default (GOGC=100) lets a heap of a few MiB be collected hundreds of times a
 * second; that was half of a small provider's work. So the heap may grow to 17 times what is in
 * use, but from 256 MiB on (a soft limit) what is in use decides again. Large ones keep the
 * default: their heaps are large too.
 */
static const char *const *environment(struct arena *arena, const struct located *found)
{
    enum { SMALL_BINARY = 100 << 20, OURS = 2 };
    struct stat st;
    size_t n = 0;
    if (!found->path.ptr || getenv("GOGC") || getenv("GOMEMLIMIT") ||
        stat(found->path.ptr, &st) < 0 || st.st_size > SMALL_BINARY)
        return NULL;
    while (environ[n])
        n++;
    const char **list = arena_new(arena, const char *, n + OURS + 1);
    if (!list)
        return NULL;
    for (size_t i = 0; i < n; i++)
        list[i] = environ[i];
    list[n] = "GOGC=1600";
    list[n + 1] = "GOMEMLIMIT=256MiB";
    return list;
}

struct plugin_spec provider_spec(const struct provider *provider, const struct locator *locator,
                                 struct arena *arena, struct loop *loop)
{
    const struct located *found = &provider->found;
    struct plugin_spec spec = {.loop = loop,
                               .name = provider->source,
                               .path = found->path,
                               .dir = locator->root, /* as Terraform: "./x" */
                               .env = environment(arena, found)};
    if (found->origin == LOCATE_REATTACH)
        spec.reattach =
            (struct plugin_reattach){.tcp = str_equal(found->reattach.network, STR("tcp")),
                                     .address = found->reattach.address,
                                     .protocol = (int)found->reattach.protocol};
    return spec;
}

/* --- schema --- */

static bool decode_schema(struct provider *provider, int protocol, struct str reply,
                          struct str *ret_refused, struct err *err)
{
    struct tf_diagnostics diagnostics = {0};
    struct provider_schema schema = {0};
    enum tf_schema_part part = provider->whole ? TF_SCHEMA_WHOLE : TF_SCHEMA_RESOURCES;
    if (!tf_decode_schema(&provider->arena, protocol, part, reply, &schema, &diagnostics, err))
        return false;
    if (diagnostics.nerrors) {
        *ret_refused = tf_diagnostics_text(&provider->arena, &diagnostics);
        return true;
    }
    struct provider_type *types =
        arena_new(&provider->arena, struct provider_type, schema.nresources);
    if (!types)
        return arena_full(&provider->arena, err);
    provider->schema = schema;
    provider->types = types;
    provider->protocol = protocol;
    return true;
}

static const char *schema_kind(int protocol)
{
    return protocol == 6 ? "schema-6" : "schema-5";
}

static const char *identity_kind(int protocol)
{
    return protocol == 6 ? "identity-6" : "identity-5";
}

bool provider_take_schema(struct provider *provider, const struct reader_options *options,
                          int protocol, struct str reply, struct str *ret_refused, struct err *err)
{
    if (provider->protocol == protocol)
        return true;
    if (!decode_schema(provider, protocol, reply, ret_refused, err))
        return false;
    if (provider->protocol)
        cache_save(options->cache_dir, &provider->digest, schema_kind(protocol), reply);
    if (provider->protocol)
        provider_load_probes(provider, options);
    return true;
}

static bool load_schema(struct provider *provider, const struct reader_options *options,
                        int protocol)
{
    struct str bytes, refused = {0};
    AUTO_ARENA arena = {.limit = 2 * (size_t)CACHE_BYTES_MAX};
    if (!cache_load(&arena, options->cache_dir, &provider->digest, schema_kind(protocol), &bytes) ||
        !decode_schema(provider, protocol, bytes, &refused, NULL) || !provider->protocol)
        return false;
    provider_load_probes(provider, options);
    return true;
}

bool provider_cached_schema(struct provider *provider, const struct reader_options *options,
                            int protocol)
{
    if (provider->protocol)
        return !protocol || provider->protocol == protocol;
    if (protocol)
        return load_schema(provider, options, protocol);
    return load_schema(provider, options, 6) || load_schema(provider, options, 5);
}

static bool decode_identity(struct provider *provider, struct str reply)
{
    struct tf_diagnostics diagnostics = {0};
    return tf_decode_identity_schemas(&provider->arena, reply, &provider->schema, &diagnostics,
                                      NULL) &&
           !diagnostics.nerrors;
}

void provider_take_identity(struct provider *provider, const struct reader_options *options,
                            struct str reply)
{
    if (provider->has_identity)
        return;
    provider->has_identity = true;
    if (decode_identity(provider, reply))
        cache_save(options->cache_dir, &provider->digest, identity_kind(provider->protocol), reply);
}

bool provider_cached_identity(struct provider *provider, const struct reader_options *options)
{
    struct str bytes;
    AUTO_ARENA arena = {.limit = 2 * (size_t)CACHE_BYTES_MAX};
    if (!provider->has_identity)
        provider->has_identity = cache_load(&arena, options->cache_dir, &provider->digest,
                                            identity_kind(provider->protocol), &bytes) &&
                                 decode_identity(provider, bytes);
    return provider->has_identity;
}

/* --- probes: {"TYPE": ["path", ...], ...} --- */

static const char probes_kind[] = "probes";

static bool load_verdict(struct arena *arena, const struct value *list, struct provider_type *ret)
{
    struct path *paths = arena_new(arena, struct path, list->len);
    if (!paths)
        return false;
    for (uint32_t i = 0; i < list->len; i++) {
        struct str text = value_is_string(&list->items[i])
                              ? arena_dup(arena, value_text(&list->items[i]))
                              : (struct str){0};
        if (!text.len || !path_parse(arena, text, &paths[i], NULL))
            return false;
    }
    *ret = (struct provider_type){.state = PROBE_DONE, .not_observed = paths, .n = list->len};
    return true;
}

void provider_load_probes(struct provider *provider, const struct reader_options *options)
{
    struct str bytes;
    struct value all;
    AUTO_ARENA arena = {.limit = 64 << 20};
    if (options->no_probe ||
        !cache_load(&arena, options->cache_dir, &provider->digest, probes_kind, &bytes) ||
        !json_parse(&arena, bytes, probes_kind, JSON_DEFAULT, &all, NULL))
        return;
    for (size_t i = 0; i < provider->schema.nresources; i++) {
        const struct value *list = value_get(&all, provider->schema.resources[i].name);
        if (value_is_list_like(list))
            (void)load_verdict(&provider->arena, list, &provider->types[i]);
    }
}

void provider_save_probes(const struct provider *provider, const struct reader_options *options)
{
    bool fresh = false;
    for (size_t i = 0; provider->types && i < provider->schema.nresources; i++)
        fresh = fresh || provider->types[i].fresh;
    if (!fresh)
        return;
    AUTO_BUF out = {.limit = 64 << 20}, path = {.limit = 1 << 20};
    struct jsonw w = {.out = &out};
    jsonw_object_open(&w);
    for (size_t i = 0; i < provider->schema.nresources; i++) {
        const struct provider_type *type = &provider->types[i];
        if (type->state != PROBE_DONE)
            continue;
        jsonw_key(&w, provider->schema.resources[i].name);
        jsonw_array_open(&w);
        for (size_t j = 0; j < type->n; j++) {
            path.len = 0;
            path_print(&path, type->not_observed[j]);
            jsonw_string(&w, buf_view(&path));
        }
        jsonw_array_close(&w);
    }
    jsonw_object_close(&w);
    if (buf_ok(&out, NULL) && buf_ok(&path, NULL))
        cache_save(options->cache_dir, &provider->digest, probes_kind, buf_view(&out));
}

/* process_set.c - the providers of a stack: lock file, dev_overrides, TF_REATTACH_PROVIDERS. */
#include "live/reader_provider/process_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "live/provider_process.h"
#include "live/reader.h"
#include "live/reader_provider/locate.h"
#include "live/reader_provider/plugin.h"
#include "live/reader_provider/provider.h"
#include "model/stack.h"

enum { PROVIDERS_MAX = 1000 };

struct provider_set {
    struct arena arena;
    struct locator locator;
    struct provider *providers;
    struct provider_row *rows;
    size_t n;
};

static bool add_source(struct str *sources, size_t *n, struct str source)
{
    for (size_t i = 0; i < *n; i++)
        if (str_equal(sources[i], source))
            return true;
    if (*n == PROVIDERS_MAX)
        return false;
    sources[(*n)++] = source;
    return true;
}

/* HOST/NS/TYPE of an override as it is written; of a short one, at both registries' host. */
static bool add_override(struct arena *arena, struct str *sources, size_t *n, struct str written)
{
    size_t parts = 1;
    for (size_t i = 0; i < written.len; i++)
        parts += written.ptr[i] == '/';
    if (parts == 3)
        return add_source(sources, n, written);
    static const char *const hosts[] = {"registry.opentofu.org", "registry.terraform.io"};
    for (size_t i = 0; i < 2; i++) {
        struct str full = arena_printf(arena, "%s/%s%.*s", hosts[i], parts == 1 ? "hashicorp/" : "",
                                       STR_ARG(written));
        if (!full.ptr || !add_source(sources, n, full))
            return false;
    }
    return true;
}

static bool list_sources(struct provider_set *set, struct str *sources, size_t *ret_n,
                         struct err *err)
{
    const struct locator *in = &set->locator;
    bool ok = true;
    size_t n = 0;
    for (size_t i = 0; i < in->lock.n; i++)
        ok = ok && add_source(sources, &n, in->lock.entry[i].source);
    for (size_t i = 0; i < in->clirc.noverrides; i++)
        ok = ok && add_override(&set->arena, sources, &n, in->clirc.overrides[i].source);
    if (value_is_object_like(&in->reattach))
        for (uint32_t i = 0; i < in->reattach.len; i++)
            ok = ok && add_source(sources, &n, key_str(in->reattach.members[i].key));
    if (!ok)
        return err_set(err, ERR_LIMIT, "more than %d providers", PROVIDERS_MAX);
    *ret_n = n;
    return true;
}

static bool fill(struct provider_set *set, const struct reader_options *options, struct err *err)
{
    struct str *sources = arena_new(&set->arena, struct str, PROVIDERS_MAX);
    if (!sources || !list_sources(set, sources, &set->n, err))
        return sources ? false : arena_full(&set->arena, err);
    set->providers = arena_new(&set->arena, struct provider, set->n);
    set->rows = arena_new(&set->arena, struct provider_row, set->n);
    if (!set->providers || !set->rows)
        return arena_full(&set->arena, err);
    for (size_t i = 0; i < set->n; i++) {
        struct provider *provider = &set->providers[i];
        provider_open(provider, &set->locator, sources[i], options);
        set->rows[i] = (struct provider_row){.source = sources[i],
                                             .version = provider->found.version,
                                             .refused = provider->refused,
                                             .note = provider->found.note};
    }
    return true;
}

bool provider_set_open(const struct stack *stack, const struct reader_options *options,
                       const char *(*env)(const char *name), struct provider_set **ret,
                       struct err *err)
{
    struct provider_set *set = calloc(1, sizeof *set);
    if (!set)
        return err_set(err, ERR_LIMIT, "no memory for a list of providers");
    set->arena.limit = ARENA_DEFAULT_LIMIT;
    bool ok = locate_open(&set->arena, stack, env, &set->locator, err);
    if (ok && set->locator.lock_error.len)
        ok = err_set(err, ERR_SYNTAX, "%.*s", STR_ARG(set->locator.lock_error));
    if (!ok || !fill(set, options, err)) {
        provider_set_close(set);
        return false;
    }
    *ret = set;
    return true;
}

void provider_set_close(struct provider_set *set)
{
    if (!set)
        return;
    for (size_t i = 0; set->providers && i < set->n; i++)
        provider_close(&set->providers[i]);
    arena_free(&set->arena);
    free(set);
}

const struct provider_row *provider_set_rows(const struct provider_set *set, size_t *ret_n)
{
    *ret_n = set->n;
    return set->rows;
}

bool provider_set_spec(const struct provider_set *set, size_t row, struct arena *arena,
                       struct loop *loop, struct plugin_spec *ret, struct err *err)
{
    const struct provider *provider = &set->providers[row];
    if (provider->refused.len)
        return err_set(err, ERR_CONFLICT, "%.*s", STR_ARG(provider->refused));
    *ret = provider_spec(provider, &set->locator, arena, loop);
    return true;
}

/* reader_provider.c - live values from the stack's own Terraform providers: every type of every
 * provider, exactly as the vendor reads it, without running Terraform.
 *
 * Reads:   UpgradeResourceState and ReadResource of the provider binaries that `init` installed
 * Safety:  the client can call nothing that writes (reader_provider/plugin.h: enum plugin_method)
 * Builtin: terraform_data has nothing outside the state: read, and equal to what was recorded
 * Docs:    docs/providers.md
 */
#include "live/reader.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "live/library.h"
#include "live/reader_provider/builtin.h"
#include "live/reader_provider/codeblock.h"
#include "live/reader_provider/locate.h"
#include "live/reader_provider/pool.h"
#include "live/reader_provider/settings.h"
#include "model/resource.h"
#include "model/stack.h"

static const char *env(const char *name)
{
    return getenv(name);
}

static bool claims(const struct stack *stack, const struct resource *resource,
                   struct library *library)
{
    if (resource->mode != RESOURCE_MANAGED)
        return false;
    if (code_is_builtin(resource->provider))
        return true;
    return library ? library_has(library, resource->provider)
                   : locate_has(stack, env, resource->provider);
}

/* Nothing can be found out about providers at all: a CLI configuration that cannot be read. */
static bool all_unreadable(const struct resource *const *resources, size_t n, const struct err *why,
                           live_sink on_result, void *sink_ctx, struct err *err)
{
    char text[2048];
    struct str reason = str_from(err_text(why, text, sizeof text));
    for (size_t i = 0; i < n; i++)
        if (!live_tell_unreadable(resources[i], reason, on_result, sink_ctx, err))
            return false;
    return true;
}

static bool read_all(const struct stack *stack, const struct resource *const *resources, size_t n,
                     const struct reader_options *options, live_sink on_result, void *sink_ctx,
                     struct err *err)
{
    AUTO_ARENA arena = {.limit = SIZE_MAX};
    struct locator own;
    const struct locator *locator = &own;
    struct err why = {0};
    size_t kept = 0;
    const struct resource **rest = arena_new(&arena, const struct resource *, n);
    if (!rest)
        return arena_full(&arena, err);
    for (size_t i = 0; i < n; i++)
        if (!code_is_builtin(resources[i]->provider))
            rest[kept++] = resources[i];
        else if (!builtin_read(resources[i], options, on_result, sink_ctx, err))
            return false;
    if (options->library)
        locator = library_locator(options->library);
    else if (!locate_open(&arena, stack, env, &own, &why))
        return all_unreadable(rest, kept, &why, on_result, sink_ctx, err);

    struct code_context code = {stack, options, locator->root, locator->data_dir};
    struct pool_input in = {.resources = rest,
                            .n = kept,
                            .options = options,
                            .on_result = on_result,
                            .sink_ctx = sink_ctx,
                            .locator = locator,
                            .settings = {settings_from_code, &code},
                            .env = env,
                            .backend = &pool_real_processes};
    if (options->library) {
        in.borrow = library_provider;
        in.borrow_ctx = options->library;
    }
    return pool_run(&in, err);
}

const struct reader reader_provider = {
    .name = "provider",
    .summary = "the stack's own Terraform or OpenTofu providers",
    .claims = claims,
    .read = read_all,
};

/* proxying.c - stack, providers and sockets behind proxying.h. */
#include "cli/proxying.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "cli/app.h"
#include "cli/policy_setup.h"
#include "cli/setup.h"
#include "cli/store_setup.h"
#include "cli/who.h"
#include "desired/stacks.h"
#include "enforce/concern.h"
#include "enforce/configuring.h"
#include "enforce/guard_record.h"
#include "policy/policy.h"

/* Of a folder that is no root module yet (init comes first): there is nothing to stand between. */
static bool plain_folder(struct arena *arena, struct str dir, struct stack *ret, struct err *err)
{
    struct str path = arena_dup(arena, dir);
    *ret = (struct stack){
        .name = path, .path = path, .workspace = STR("default"), .data_dir = STR(".terraform")};
    if (!path.ptr)
        return arena_full(arena, err);
    return io_is_dir(path.ptr) ||
           err_set(err, ERR_USAGE, "%s is no folder, and no stack is called so", path.ptr);
}

static bool find_stack(const struct app *app, struct arena *arena, const struct invocation *in,
                       struct str dir, struct stack *ret, struct err *err)
{
    struct stacks found = {0};
    struct err ignored = {0};
    const struct stacks_query query = {.dirs = &dir,
                                       .ndirs = 1,
                                       .config_file = in->value[PROXYING_CONFIG].text,
                                       .workspaces = &in->value[PROXYING_WORKSPACE].text,
                                       .nworkspaces = in->value[PROXYING_WORKSPACE].set,
                                       .env = app->env};
    if (!stacks_find(arena, &query, &found, &ignored) || !found.n)
        return plain_folder(arena, dir, ret, err);
    for (size_t i = 1; i < found.n; i++)
        if (!str_equal(found.stack[i].path, found.stack[0].path))
            return err_set(err, ERR_USAGE,
                           "%.*s has several root modules (%.*s, %.*s ...): name one with --dir",
                           STR_ARG(dir), STR_ARG(found.stack[0].path),
                           STR_ARG(found.stack[i].path));
    *ret = found.stack[0];
    return true;
}

static void on_note(void *ctx, struct str text)
{
    const struct proxying *p = ctx;
    (void)fprintf(p->app->err, "plumb: %.*s\n", STR_ARG(text));
}

/* As it is: TF_LOG asked for it, and it is the provider's own. */
static void on_output(void *ctx, struct str provider, struct str bytes)
{
    (void)provider;
    const struct proxying *p = ctx;
    (void)fwrite(bytes.ptr, 1, bytes.len, p->app->err);
    (void)fflush(p->app->err);
}

/* Between two commands of a shell code, state and what stands on record may change. */
static void on_idle(void *ctx)
{
    struct proxying *p = ctx;
    if (p->many)
        proxying_keep(p);
    if (p->concern)
        concern_forget(p->concern);
    guard_record_forget(p->guarding);
}

static void on_configured(void *ctx, struct str provider, struct str config)
{
    const struct proxying *p = ctx;
    configuring_saw(p->configuring, provider, config);
}

static bool wants_logs(const struct app *app)
{
    static const char *const names[] = {"TF_LOG", "TF_LOG_PROVIDER"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct str value = str_from(app->env(names[i]));
        if (value.len && !str_equal(value, STR("OFF")) && !str_equal(value, STR("off")))
            return true;
    }
    return false;
}

/* --- who is asked --- */

static bool open_store(struct proxying *p, struct arena *arena, const struct invocation *in,
                       struct err *err)
{
    struct store_choice choice;
    if (!store_choose(arena, p->app, &p->config, &in->value[PROXYING_STORE], &choice, err))
        return false;
    if (!choice.chosen && !choice.there)
        return true;
    return store_open(arena, p->app, &choice, STORE_WRITE, &p->record, err) ||
           err_wrap(err, "nothing was run, for nobody can say what may be changed");
}

/* Neither a store nor a policy: there is nothing that could object. */
static bool open_guard(struct proxying *p, struct arena *arena, const struct invocation *in,
                       struct err *err)
{
    struct actor actor;
    const struct concern_options concern = {.stack = &p->stack,
                                            .reader = &p->reader,
                                            .env = p->app->env,
                                            .inputs = p->inputs,
                                            .ninputs = p->ninputs,
                                            .other_inputs = p->other_inputs,
                                            .now_utc_ms = p->app->now_ms(p->app->clock)};
    if (!policy_find_config(arena, p->app, &in->value[PROXYING_CONFIG], &p->config, err) ||
        !open_store(p, arena, in, err) ||
        !policy_setup(arena, p->app, &p->config, &in->value[PROXYING_POLICY],
                      &in->value[PROXYING_WAIVERS], true, NULL, &p->policy, err))
        return false;
    if (!p->record.db && !p->policy)
        return true;
    if (!who_am_i(p->app, arena, &actor, err) || !concern_open(&concern, &p->concern, err))
        return false;
    const struct guard_record_options options = {.stack = &p->stack,
                                                 .concern = p->concern,
                                                 .record = p->record.db ? &p->record : NULL,
                                                 .policy = p->policy,
                                                 .gate = &p->config.gate,
                                                 .actor = actor_of_event(&actor),
                                                 .now_ms = p->app->now_ms,
                                                 .clock = p->app->clock,
                                                 .on_warning = on_note,
                                                 .ctx = p};
    if (!guard_record_open(&options, &p->guarding, err))
        return false;
    p->guard = guard_record_guard(p->guarding);
    const struct configuring_options configuring = {.stack = &p->stack,
                                                    .concern = p->concern,
                                                    .record = &p->record,
                                                    .other_inputs = p->other_inputs,
                                                    .actor = actor_of_event(&actor),
                                                    .on_note = on_note,
                                                    .ctx = p};
    return !p->record.db || configuring_open(&configuring, &p->configuring, err);
}

static void close_guard(struct proxying *p)
{
    configuring_close(p->configuring);
    guard_record_close(p->guarding);
    concern_close(p->concern);
    if (p->policy)
        policy_close(p->policy);
    store_close(p->app, &p->record);
}

static bool start(struct proxying *p, struct arena *arena, struct err *err)
{
    const struct proxy_options options = {.loop = &p->loop,
                                          .stack = &p->stack,
                                          .reader = &p->reader,
                                          .env = p->app->env,
                                          .guard = p->guard.ask ? &p->guard : NULL,
                                          .logs = wants_logs(p->app),
                                          .on_output = on_output,
                                          .on_note = on_note,
                                          .on_configured = p->configuring ? on_configured : NULL,
                                          .on_idle = on_idle,
                                          .ctx = p};
    AUTO_BUF out = {.limit = 16 << 20};
    if (!proxy_open(&options, &p->proxy, err) || !proxy_wait_ready(p->proxy, err))
        return false;
    if (!proxy_providers(p->proxy))
        return true;
    buf_str(&out, STR("TF_REATTACH_PROVIDERS="));
    if (!proxy_reattach(p->proxy, &out, err))
        return false;
    p->reattach = arena_dup(arena, buf_view(&out));
    return p->reattach.ptr || arena_full(arena, err);
}

bool proxying_open(const struct app *app, struct arena *arena, const struct invocation *in,
                   struct str dir, struct proxying *ret, struct err *err)
{
    struct str given = in->value[PROXYING_DIR].text;
    ret->app = app;
    if (!find_stack(app, arena, in, given.len ? given : dir.len ? dir : STR("."), &ret->stack, err))
        return false;
    ret->reader.allow_hash_mismatch = in->value[PROXYING_ALLOW_MISMATCH].set;
    if (!in->value[PROXYING_NO_CACHE].set)
        ret->reader.cache_dir = setup_cache_dir(arena, app, in->value[PROXYING_CACHE_DIR].text);
    if (!loop_open(&ret->loop, err))
        return false;
    ret->loop.cancel = app->cancel;
    bool ok = open_guard(ret, arena, in, err) && start(ret, arena, err);
    ret->loop.cancel = NULL; /* from here on the command decides when it is over */
    if (ok)
        return true;
    proxy_close(ret->proxy);
    ret->proxy = NULL;
    proxying_close(ret);
    return false;
}

void proxying_keep(struct proxying *p)
{
    configuring_keep(p->configuring);
}

void proxying_stop(struct proxying *p)
{
    proxy_shutdown(p->proxy);
    proxy_close(p->proxy);
    p->proxy = NULL;
}

void proxying_close(struct proxying *p)
{
    if (p->proxy)
        proxying_stop(p);
    close_guard(p);
    loop_close(&p->loop);
}

void proxying_tell(const struct proxying *p)
{
    struct proxy_counts n = proxy_counts(p->proxy);
    (void)fprintf(p->app->err,
                  "plumb: %zu providers, %" PRIu64 " connections, %" PRIu64 " processes, %" PRIu64
                  " calls; %" PRIu64 " changes, of which %" PRIu64 " passed on and %" PRIu64
                  " refused\n",
                  proxy_providers(p->proxy), n.connections, n.processes, n.calls, n.changes,
                  n.allowed, n.refused);
}

/* cmd_serve.c - `plumb serve`: plumb as a service, until it is told to stop. */
#include <assert.h>
#include <time.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/policy_setup.h"
#include "cli/rows.h"
#include "cli/store_setup.h"
#include "model/config.h"
#include "policy/policy.h"
#include "serve/log.h"
#include "serve/server.h"

enum { LISTEN, ANONYMOUS, LOG_UP_TO, LOG_FORMAT, CONFIG, STORE, OPTION_COUNT };
enum { DRAIN_MS = 30000, LOOK_MS = 100, PEM_BYTES_MAX = 1 << 20 };
#define DEFAULT_ADDRESS "127.0.0.1:7430"

static const struct option options[] = {
    [LISTEN] = {.name = "listen",
                .kind = OPTION_STRING,
                .arg = "HOST:PORT",
                .env = "PLUMB_LISTEN",
                .text = "address to listen on instead of serve.listen; port 0 takes a free one"},
    [ANONYMOUS] = {.name = "anonymous",
                   .kind = OPTION_FLAG,
                   .text = "nobody needs a token; on loopback only"},
    [LOG_UP_TO] = {.name = "log-level",
                   .kind = OPTION_STRING,
                   .arg = "LEVEL",
                   .env = "PLUMB_LOG_LEVEL",
                   .choices = (const char *const[]){"error", "warn", "info", "debug", NULL},
                   .text = "what is logged; info without it"},
    [LOG_FORMAT] = {.name = "log-format",
                    .kind = OPTION_STRING,
                    .arg = "FORMAT",
                    .env = "PLUMB_LOG_FORMAT",
                    .choices = (const char *const[]){"text", "json", NULL},
                    .text = "how: text or json, one line an event"},
    [CONFIG] = ROW_CONFIG,
    [STORE] = ROW_STORE,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

static bool read_pem(struct arena *arena, const struct config *config, struct str file,
                     struct str *ret, struct err *err)
{
    if (file.len == 0)
        return true;
    struct str path = io_join(arena, config->root, file);
    return path.ptr ? io_read_file(arena, path.ptr, PEM_BYTES_MAX, ret, err)
                    : arena_full(arena, err);
}

/* env:NAME or file:PATH; a line's end is not part of a key. */
static bool read_key(struct arena *arena, const struct app *app, const struct config *config,
                     struct str from, struct str *ret, struct err *err)
{
    struct str rest = str_sub(from, from.len ? 4 : 0, from.len);
    struct str key = {0};
    if (from.len == 0)
        return true;
    if (str_starts(from, STR("file:"))) {
        if (!read_pem(arena, config, str_sub(from, 5, from.len), &key, err))
            return false;
    } else {
        struct str name = arena_dup(arena, rest);
        key = name.ptr ? str_from(app->env(name.ptr)) : key;
    }
    *ret = str_trim(key);
    return ret->len || err_set(err, ERR_USAGE, "%.*s: there is no key in it", STR_ARG(from));
}

static struct log log_of(const struct app *app, const struct invocation *in)
{
    struct log log = {.out = app->err,
                      .level = LOG_INFO,
                      .json = str_equal(in->value[LOG_FORMAT].text, STR("json")),
                      .now_ms = app->now_ms,
                      .clock = app->clock};
    if (in->value[LOG_UP_TO].text.len)
        (void)log_level_from(in->value[LOG_UP_TO].text, &log.level);
    return log;
}

static bool fill(struct arena *arena, const struct app *app, const struct invocation *in,
                 const struct config *config, struct server_options *ret, struct err *err)
{
    struct store_choice store = {0};
    const struct config_serve *serve = &config->serve;
    if (!store_choose(arena, app, config, &in->value[STORE], &store, err))
        return false;
    ret->record = (struct record_options){.url = store.url,
                                          .env = app->env,
                                          .now_ms = app->now_ms,
                                          .clock = app->clock,
                                          .audit = store.audit};
    ret->rules = lock_rules_of(config);
    ret->guard_reads = serve->guard_reads;
    ret->metrics_open = serve->metrics_open;
    ret->listener =
        (struct listener_options){.address = in->value[LISTEN].text.len ? in->value[LISTEN].text
                                             : serve->listen.len        ? serve->listen
                                                                        : STR(DEFAULT_ADDRESS),
                                  .anonymous = serve->anonymous || in->value[ANONYMOUS].set,
                                  .now_ms = app->now_ms,
                                  .clock = app->clock};
    ret->config = config;
    ret->upstream = (struct upstream){.address = serve->up_address,
                                      .lock_address = serve->up_lock_address,
                                      .lock_method = serve->up_lock_method,
                                      .unlock_method = serve->up_unlock_method,
                                      .update_method = serve->up_update_method,
                                      .user = serve->up_user};
    ret->run_task_url =
        serve->run_task_url.len ? serve->run_task_url : STR("https://app.terraform.io");
    return read_key(arena, app, config, serve->up_password, &ret->upstream.password, err) &&
           read_key(arena, app, config, serve->gate_key, &ret->gate_key, err) &&
           read_key(arena, app, config, serve->run_task_key, &ret->run_task_key, err) &&
           policy_setup(arena, app, config, &(struct option_value){0}, &(struct option_value){0},
                        true, &ret->policy, err) &&
           read_pem(arena, config, serve->tls_cert, &ret->listener.tls_cert, err) &&
           read_pem(arena, config, serve->tls_key, &ret->listener.tls_key, err);
}

static void tell_start(const struct server *server, const struct log *log)
{
    LOG(log, LOG_INFO, "serve", "listening",
        LOG_TEXT("address", listener_address(server->listener)),
        LOG_TEXT("tls", listener_has_tls(server->listener) ? STR("yes") : STR("no")),
        LOG_NUMBER("tokens", (int64_t)server->ntokens));
    if (server->options.listener.anonymous)
        LOG(log, LOG_WARN, "serve", "nobody needs a token", LOG_TEXT("why", STR("anonymous")));
    else if (server->ntokens == 0)
        LOG(log, LOG_WARN, "serve", "there is no token yet: every request is refused",
            LOG_TEXT("todo", STR("plumb token create --role apply --name NAME")));
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct config config = {0};
    struct server server;
    struct log log = log_of(app, in);
    struct server_options serving = {.log = &log};
    const struct timespec look = {.tv_nsec = LOOK_MS * 1000000L};
    if (!policy_find_config(&arena, app, &in->value[CONFIG], &config, err) ||
        !fill(&arena, app, in, &config, &serving, err) || !server_start(&server, &serving, err)) {
        policy_close(serving.policy);
        return false;
    }
    tell_start(&server, &log);
    while (!*app->cancel)
        (void)nanosleep(&look, NULL);
    LOG(&log, LOG_INFO, "serve", "stopping", LOG_NUMBER("wait_ms", DRAIN_MS));
    bool done = server_stop(&server, DRAIN_MS);
    LOG(&log, LOG_INFO, "serve", "stopped", LOG_TEXT("unanswered", done ? STR("no") : STR("yes")));
    policy_close(serving.policy);
    *ret_exit = done ? 0 : 1;
    return true;
}

const struct command cmd_serve = {
    .name = "serve",
    .usage = "plumb serve [options]",
    .summary = "serve states and their locks to Terraform and OpenTofu",
    .help =
        "A state store with versions and a lock, as their http backend wants it, at "
        "/v1/states/STACK. A plan may always lock. An apply, and everything else that writes, is "
        "refused at the lock while drift of the stack is undecided or a freeze is in effect; the "
        "terminal shows why and what to do. A state is written under its lock only, so "
        "-lock=false ends at the write.\n\n"
        "Requests need a token (plumb token create): as password of the http backend, or as "
        "bearer token. It listens on loopback; elsewhere it needs TLS and tokens. SIGTERM lets "
        "what was begun end, then stops.",
    .options = options,
    .noptions = OPTION_COUNT,
    .run = run};

/* serve_setup.c - keys, certificates, policies and receivers of the service. */
#include "cli/serve_setup.h"

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/io.h"
#include "cli/app.h"
#include "cli/code_home.h"
#include "cli/command.h"
#include "cli/policy_setup.h"
#include "cli/serve_tls.h"
#include "cli/setup.h"
#include "cli/store_setup.h"
#include "model/config.h"
#include "policy/policy.h"
#include "respond/routes.h"
#include "scan/judges.h"
#include "serve/log.h"
#include "serve/server.h"

enum { PEM_BYTES_MAX = 1 << 20 };
#define DEFAULT_ADDRESS "127.0.0.1:7430"

struct setup {
    struct arena *arena;
    const struct app *app;
    const struct config *config;
    bool look;    /* nothing is fetched or made */
    FILE *absent; /* of a look; or NULL */
};

/* What is not on this machine is no mistake of who only looks. False: it is one. */
static bool excuse(const struct setup *s, struct err *err)
{
    char text[ERR_FRAMES_MAX * ERR_TEXT_MAX];
    if (!s->absent)
        return false;
    (void)fprintf(s->absent, "note: %s\n", err_text(err, text, sizeof text));
    err_clear(err);
    return true;
}

/* --- keys --- */

/* env:NAME or file:PATH; a line's end is not part of a key. */
static bool find_key(const struct setup *s, struct str from, struct str *ret, struct err *err)
{
    struct str rest =
        arena_dup(s->arena, str_sub(from, str_starts(from, STR("file:")) ? 5 : 4, from.len));
    struct str key = {0};
    if (!rest.ptr)
        return arena_full(s->arena, err);
    if (str_starts(from, STR("file:"))) {
        struct str path = io_join(s->arena, s->config->root, rest);
        if (!path.ptr)
            return arena_full(s->arena, err);
        if (!io_read_file(s->arena, path.ptr, PEM_BYTES_MAX, &key, err))
            return false;
    } else {
        key = str_from(s->app->env(rest.ptr));
    }
    *ret = str_trim(key);
    return ret->len || err_set(err, ERR_USAGE, "%.*s: there is no key in it", STR_ARG(from));
}

/* name: of the key in plumb.yaml, for what is wrong with it */
static bool read_key(const struct setup *s, const char *name, struct str from, struct str *ret,
                     struct err *err)
{
    return from.len == 0 || find_key(s, from, ret, err) || config_blame(s->config, name, err) ||
           excuse(s, err);
}

/* plumb.yaml, else what OpenTelemetry's own variables say. */
static bool fill_telemetry(const struct setup *s, struct telemetry_settings *ret, struct err *err)
{
    const struct config_serve *serve = &s->config->serve;
    struct str off = str_from(s->app->env("OTEL_SDK_DISABLED"));
    struct str url = serve->telemetry_url.len
                         ? serve->telemetry_url
                         : str_from(s->app->env("OTEL_EXPORTER_OTLP_ENDPOINT"));
    if (str_equal(off, STR("true")) || !url.len)
        return true;
    ret->url = arena_dup(s->arena, url);
    ret->headers = arena_dup(s->arena, str_from(s->app->env("OTEL_EXPORTER_OTLP_HEADERS")));
    return read_key(s, "serve.telemetry.headers", serve->telemetry_headers, &ret->headers, err) &&
           (telemetry_check(ret, err) || config_blame(s->config, "serve.telemetry", err));
}

static bool fill_oidc(const struct setup *s, struct oidc_settings *ret, struct err *err)
{
    const struct config_events *e = &s->config->events;
    *ret = (struct oidc_settings){.audience = e->oidc_audience,
                                  .issuer = e->oidc_issuer,
                                  .keys = e->oidc_keys,
                                  .email = e->oidc_emails,
                                  .nemails = e->noidc_emails};
    if (e->oidc_keys.len && str_find(e->oidc_keys, STR("://"), 0) == SIZE_MAX)
        ret->keys = io_join(s->arena, s->config->root, e->oidc_keys);
    return !ret->keys.len || ret->keys.ptr || arena_full(s->arena, err);
}

static bool fill_keys(const struct setup *s, struct server_options *ret, struct err *err)
{
    const struct config *c = s->config;
    const struct config_serve *serve = &c->serve;
    return fill_oidc(s, &ret->events_oidc, err) &&
           fill_telemetry(s, &ret->telemetry_settings, err) &&
           read_key(s, "serve.upstream.password", serve->up_password, &ret->upstream.password,
                    err) &&
           read_key(s, "serve.gate.key", serve->gate_key, &ret->gate_key, err) &&
           read_key(s, "serve.heartbeat.url", serve->heartbeat_url, &ret->heartbeat_url, err) &&
           read_key(s, "events.key", c->events.key, &ret->events_key, err) &&
           read_key(s, "serve.run_tasks.key", serve->run_task_key, &ret->run_task_key, err) &&
           read_key(s, "serve.git.push_key", serve->feeds.push_key, &ret->push_key, err);
}

/* --- addresses --- */

static bool is_web(struct str url, bool clear_too)
{
    return str_starts(url, STR("https://")) || (clear_too && str_starts(url, STR("http://")));
}

/* Of a secret nothing is quoted. */
static bool check_addresses(const struct setup *s, const struct server_options *o, struct err *err)
{
    const struct config_serve *serve = &s->config->serve;
    if (o->heartbeat_url.len && !is_web(o->heartbeat_url, serve->heartbeat_private)) {
        (void)err_set(err, ERR_USAGE,
                      "what it refers to is no https:// URL (http:// with allow_private: true)");
        return config_blame(s->config, "serve.heartbeat.url", err);
    }
    if (o->upstream.address.len && !is_web(o->upstream.address, true)) {
        (void)err_set(err, ERR_USAGE, "it is no http:// or https:// URL");
        return config_blame(s->config, "serve.upstream.address", err);
    }
    if (!is_web(o->run_task_url, true)) {
        (void)err_set(err, ERR_USAGE, "it is no https:// URL");
        return config_blame(s->config, "serve.run_tasks.url", err);
    }
    return true;
}

/* --- the listener --- */

/* What an option says has no place in the file. */
static bool check_listener(const struct setup *s, const struct serve_given *given,
                           const struct listener_options *listener, struct err *err)
{
    struct listener_options at_home = *listener;
    at_home.address = STR(DEFAULT_ADDRESS);
    if (!listener_check(&at_home, err))
        return config_blame(s->config, "serve.tls", err);
    return listener_check(listener, err) ||
           (!given->listen.len && config_blame(s->config, "serve.listen", err));
}

static bool fill_listener(const struct setup *s, const struct serve_given *given,
                          const struct log *log, struct listener_options *ret, struct err *err)
{
    const struct config_serve *serve = &s->config->serve;
    *ret = (struct listener_options){.address = given->listen.len   ? given->listen
                                                : serve->listen.len ? serve->listen
                                                                    : STR(DEFAULT_ADDRESS),
                                     .anonymous = serve->anonymous || given->anonymous,
                                     .now_ms = s->app->now_ms,
                                     .clock = s->app->clock};
    if (serve_tls_read(s->arena, s->config, s->look, log, ret, err))
        return check_listener(s, given, ret, err);
    bool away = err->kind == ERR_IO;
    return config_blame(s->config, "serve.tls", err) || (away && excuse(s, err));
}

/* --- all of it --- */

static bool digest_config(struct arena *arena, const struct config *config, struct str *ret,
                          struct err *err)
{
    struct digest digest;
    *ret = STR("");
    if (!config->path.len)
        return true;
    return digest_file(config->path.ptr, &digest, err) && digest_text(arena, &digest, ret, err);
}

/* code: what is scanned, and how it is judged */
static bool fill_code(const struct setup *s, const struct config *code, struct server_options *ret,
                      struct err *err)
{
    const struct judges judges = {.config = code};
    ret->config = code;
    ret->rules = lock_rules_of(code);
    ret->cache_dir = setup_cache_dir(s->arena, s->app, STR(""));
    return digest_config(s->arena, code, &ret->config_digest, err) &&
           judges_digest(s->arena, &judges, &ret->policy_digest, err) &&
           policy_setup(s->arena, s->app, code, &(struct option_value){0},
                        &(struct option_value){0}, true, NULL, &ret->policy, err);
}

static bool fill(const struct setup *s, const struct serve_given *given, const struct config *code,
                 struct server_options *ret, struct err *err)
{
    struct store_choice store = {0};
    const struct config_serve *serve = &s->config->serve;
    if (!store_choose(s->arena, s->app, s->config, given->store, &store, err))
        return false;
    ret->record = (struct record_options){.url = store.url,
                                          .env = s->app->env,
                                          .now_ms = s->app->now_ms,
                                          .clock = s->app->clock,
                                          .audit = store.audit};
    ret->guard_reads = serve->guard_reads;
    ret->metrics_open = serve->metrics_open;
    ret->upstream = (struct upstream){.address = serve->up_address,
                                      .lock_address = serve->up_lock_address,
                                      .lock_method = serve->up_lock_method,
                                      .unlock_method = serve->up_unlock_method,
                                      .update_method = serve->up_update_method,
                                      .user = serve->up_user};
    ret->run_task_url =
        serve->run_task_url.len ? serve->run_task_url : STR("https://app.terraform.io");
    return fill_keys(s, ret, err) && check_addresses(s, ret, err) && fill_code(s, code, ret, err) &&
           fill_listener(s, given, ret->log, &ret->listener, err);
}

bool serve_setup(struct arena *arena, const struct app *app, const struct serve_given *given,
                 const struct config *config, struct server_options *ret, struct err *err)
{
    const struct setup s = {.arena = arena, .app = app, .config = config};
    const struct config *code = NULL;
    if (!code_home(arena, app, config, &code, &ret->codes, &ret->ncodes, err))
        return false;
    if (ret->ncodes)
        ret->code = ret->codes[0];
    return fill(&s, given, code, ret, err);
}

static bool check_receivers(const struct setup *s, struct err *err)
{
    struct routes routes;
    if (!routes_open(s->arena, s->config, &routes, err))
        return false;
    for (size_t i = 0; i < routes.n; i++) {
        bool absent = false;
        if (!route_check(&routes, &routes.item[i], s->config->root, s->app->env, &absent, err) &&
            !(absent && excuse(s, err)))
            return false;
    }
    return true;
}

bool serve_setup_check(struct arena *arena, const struct app *app, const struct config *config,
                       FILE *absent, struct err *err)
{
    const struct setup s = {
        .arena = arena, .app = app, .config = config, .look = true, .absent = absent};
    const struct option_value store = {0};
    const struct serve_given given = {.store = &store};
    struct server_options options = {0};
    bool ok =
        (log_set_levels(NULL, config->serve.log, err) || config_blame(config, "serve.log", err)) &&
        code_home_check(arena, config, err) && fill(&s, &given, config, &options, err) &&
        server_check_oidc(&options, err) && check_receivers(&s, err);
    policy_close(options.policy);
    return ok;
}

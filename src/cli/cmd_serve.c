/* cmd_serve.c - `plumb serve`: plumb as a service, until it is told to stop. */
#include <assert.h>
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/policy_setup.h"
#include "cli/rows.h"
#include "cli/serve_setup.h"
#include "cli/serve_tls.h"
#include "model/config.h"
#include "policy/policy.h"
#include "serve/log.h"
#include "serve/service.h"
#include "serve/systemd.h"

enum { LISTEN, ANONYMOUS, LOG_UP_TO, LOG_FORMAT, CONFIG, STORE, OPTION_COUNT };
enum { DRAIN_MS = 30000, LOOK_MS = 100 };

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
                   .arg = "LEVELS",
                   .env = "PLUMB_LOG_LEVEL",
                   .choices = (const char *const[]){"error", "warn", "info", "debug", NULL},
                   .open = true,
                   .text = "what is logged instead of serve.log, such as info,http=warn; info "
                           "without it"},
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

/* What one configuration is made of; released by the server that was opened with it. */
struct setup {
    struct arena arena;
    struct config config;
    struct policy *policy;
};

static void release(void *owner)
{
    struct setup *setup = owner;
    policy_close(setup->policy);
    arena_free(&setup->arena);
    free(setup);
}

/* --- running --- */

struct serving {
    const struct app *app;
    const struct invocation *in;
    struct log log;
    struct service service;
    struct systemd *systemd;
    struct telemetry *telemetry;
    int hangups; /* signalfd of SIGHUP */
    struct arena arena;
    struct str config; /* the plumb.yaml that it has; empty: none */
};

static struct str levels_of(const struct serving *s, const struct config *config)
{
    struct str given = s->in->value[LOG_UP_TO].text;
    return given.len ? given : config->serve.log;
}

/* A file that is not there for a moment, or for good, is no order to scan nothing and tell nobody;
 * nor is one of a folder above, which counts once it is gone. */
static bool is_that_file(const struct serving *s, struct str found, struct err *err)
{
    if (!s->config.len || str_equal(found, s->config))
        return true;
    if (!found.len)
        return err_set(err, ERR_USAGE,
                       "there is no %.*s any more: put it back; to go on without it, restart",
                       STR_ARG(s->config));
    return err_set(err, ERR_USAGE,
                   "there is no %.*s any more, and %.*s is another file: that needs a restart",
                   STR_ARG(s->config), STR_ARG(found));
}

static void keep_file(struct serving *s, const struct server_options *loaded)
{
    const struct setup *setup = loaded->owner;
    if (!s->config.len)
        s->config = arena_dup(&s->arena, setup->config.path);
}

/* Reads and checks everything that plumb.yaml names. */
static bool load(struct serving *s, const struct app *app, struct server_options *ret,
                 struct err *err)
{
    struct setup *setup = calloc(1, sizeof *setup);
    if (!setup)
        return err_set(err, ERR_LIMIT, "out of memory");
    *setup = (struct setup){.arena = {.limit = ARENA_DEFAULT_LIMIT}};
    *ret = (struct server_options){
        .log = &s->log, .telemetry = s->telemetry, .release = release, .owner = setup};
    const struct serve_given given = {.listen = s->in->value[LISTEN].text,
                                      .anonymous = s->in->value[ANONYMOUS].set,
                                      .store = &s->in->value[STORE]};
    bool ok =
        policy_find_config(&setup->arena, app, &s->in->value[CONFIG], &setup->config, err) &&
        is_that_file(s, setup->config.path, err) &&
        (log_set_levels(NULL, levels_of(s, &setup->config), err) ||
         (s->in->value[LOG_UP_TO].text.len ? err_wrap(err, "--log-level")
                                           : config_blame(&setup->config, "serve.log", err))) &&
        serve_setup(&setup->arena, app, &given, &setup->config, ret, err);
    setup->policy = ret->policy;
    if (!ok)
        release(setup);
    return ok;
}

static void take_levels(struct serving *s)
{
    (void)log_set_levels(&s->log, levels_of(s, s->service.server->options.config), NULL);
}

static void tell_manager(const struct serving *s)
{
    char text[ERR_TEXT_MAX];
    const struct server *server = s->service.server;
    (void)snprintf(text, sizeof text, "listening on %.*s%s",
                   STR_ARG(listener_address(server->listener)),
                   listener_has_tls(server->listener) ? " (TLS)" : "");
    systemd_ready(s->systemd, text);
}

/* Who starts it for the first time would wait for a scan that never comes. */
static void tell_unscanned(const struct config *config, const struct log *log)
{
    if (config && !config->serve.scheduler.off && !config_has_schedules(config))
        LOG(log, LOG_INFO, "serve", "no stack has a schedule: only what is touched is scanned",
            LOG_TEXT("todo", STR("schedules: [hourly] in plumb.yaml")));
}

static void tell_start(const struct server *server, const struct log *log)
{
    LOG(log, LOG_INFO, "serve", "listening",
        LOG_TEXT("address", listener_address(server->listener)),
        LOG_TEXT("tls", listener_has_tls(server->listener) ? STR("yes") : STR("no")),
        LOG_NUMBER("tokens", (int64_t)server->ntokens));
    serve_tls_tell(&server->options.listener, log);
    if (server->options.listener.anonymous)
        LOG(log, LOG_WARN, "serve", "nobody needs a token", LOG_TEXT("why", STR("anonymous")));
    else if (server->ntokens == 0)
        LOG(log, LOG_WARN, "serve", "there is no token yet: every request is refused",
            LOG_TEXT("todo", STR("plumb token create --role read --name NAME")));
    tell_unscanned(server->options.config, log);
}

/* What commands print about a policy, as lines of the log. */
static void log_lines(const struct serving *s, const char *text, size_t n)
{
    struct str rest = {text, n}, line;
    while (rest.len > 0) {
        (void)str_cut(&rest, '\n', &line);
        if (line.len)
            LOG(&s->log, LOG_ERROR, "config", "problem", LOG_TEXT("text", line));
    }
}

static bool load_quietly(struct serving *s, struct server_options *ret, struct err *err)
{
    struct app app = *s->app;
    char *text = NULL;
    size_t n = 0;
    app.err = open_memstream(&text, &n);
    if (!app.err)
        return err_set(err, ERR_LIMIT, "out of memory");
    bool ok = load(s, &app, ret, err);
    (void)fclose(app.err);
    log_lines(s, text, n);
    free(text);
    return ok;
}

static void reload(struct serving *s)
{
    struct server_options serving;
    struct err err = {0};
    char text[ERR_TEXT_MAX];
    systemd_reloading(s->systemd);
    LOG(&s->log, LOG_INFO, "serve", "reloading", LOG_TEXT("why", STR("SIGHUP")));
    bool ok = load_quietly(s, &serving, &err) && service_reload(&s->service, &serving, &err);
    metrics_add(hub_metrics(s->service.hub), METRIC_RELOADS,
                LABELS(ok ? STR("taken") : STR("refused")), 1);
    if (ok) {
        const struct server_options *now = &s->service.server->options;
        take_levels(s);
        keep_file(s, now);
        LOG(&s->log, LOG_INFO, "serve", "reloaded", LOG_TEXT("config", now->config_digest),
            LOG_TEXT("policy", now->policy_digest));
    } else {
        LOG(&s->log, LOG_ERROR, "serve", "not reloaded: what was configured before goes on",
            LOG_TEXT("error", str_from(err_text(&err, text, sizeof text))));
    }
    tell_manager(s);
}

static void run_until_stopped(struct serving *s)
{
    struct signalfd_siginfo hangup;
    struct pollfd wait = {.fd = s->hangups, .events = POLLIN};
    while (!*s->app->cancel) {
        if (poll(&wait, 1, LOOK_MS) > 0 && read(s->hangups, &hangup, sizeof hangup) > 0)
            reload(s);
        service_tend(&s->service);
    }
}

/* Blocked in all threads that are started from here on; children begin without. */
static bool open_hangups(int *ret, sigset_t *ret_before, struct err *err)
{
    sigset_t hangup;
    (void)sigemptyset(&hangup);
    (void)sigaddset(&hangup, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &hangup, ret_before);
    *ret = signalfd(-1, &hangup, SFD_CLOEXEC | SFD_NONBLOCK);
    return *ret >= 0 || err_set(err, ERR_IO, "signalfd: %s", strerror(errno));
}

/* Who has ended takes up nothing any more: a hangup that came meanwhile, its own after a change of
 * plumb.yaml among them, would end it as a signal does that nobody handles. */
static void close_hangups(const struct serving *s, const sigset_t *before)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGHUP, &ignore, NULL);
    if (s->hangups >= 0)
        (void)close(s->hangups);
    (void)pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* Each of malloc's arenas keeps what its busiest moment took, and each of twenty threads would have
 * one of its own: what a service holds went on growing for long. As many as run at once are enough.
 */
static void share_heaps(void)
{
#ifdef M_ARENA_MAX
    enum { FEWEST = 2, MOST = 4 };
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int arenas = processors < FEWEST ? FEWEST : processors > MOST ? MOST : (int)processors;
    (void)mallopt(M_ARENA_MAX, arenas);
#endif
}

static bool start(struct serving *s, struct err *err)
{
    struct server_options serving;
    if (!load(s, s->app, &serving, err))
        return false;
    (void)log_set_levels(&s->log, levels_of(s, serving.config), NULL);
    if (!service_start(&s->service, &serving, err))
        return false;
    keep_file(s, &serving);
    if (systemd_open(&s->systemd, s->app->env, s->service.hub, err))
        return true;
    (void)service_stop(&s->service, 0);
    return false;
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    share_heaps();
    sigset_t before;
    struct serving s = {.app = app,
                        .in = in,
                        .arena = {.limit = 1 << 20},
                        .log = {.out = app->err,
                                .level = LOG_INFO,
                                .json = str_equal(in->value[LOG_FORMAT].text, STR("json")),
                                .now_ms = app->now_ms,
                                .clock = app->clock}};
    bool ok = open_hangups(&s.hangups, &before, err) && telemetry_open(&s.telemetry, err);
    s.log.also = telemetry_log;
    s.log.also_ctx = s.telemetry;
    ok = ok && start(&s, err);
    if (ok) {
        tell_start(s.service.server, &s.log);
        tell_manager(&s);
        run_until_stopped(&s);
        systemd_stopping(s.systemd);
        LOG(&s.log, LOG_INFO, "serve", "stopping", LOG_NUMBER("wait_ms", DRAIN_MS));
        systemd_close(s.systemd);
        bool done = service_stop(&s.service, DRAIN_MS);
        LOG(&s.log, LOG_INFO, "serve", "stopped",
            LOG_TEXT("unanswered", done ? STR("no") : STR("yes")));
        *ret_exit = done ? 0 : 1;
    }
    telemetry_close(s.telemetry);
    close_hangups(&s, &before);
    arena_free(&s.arena);
    return ok;
}

const struct command cmd_serve = {
    .name = "serve",
    .usage = "plumb serve [options]",
    .summary = "scan on schedules and on events, tell who has to know, serve states and locks",
    .help =
        "The stacks of plumb.yaml are scanned when they are due (schedule, schedules), and what an "
        "audit event, a changed file or a push touches is looked at again at once; receivers "
        "(notify) are told. Any number of services may share one PostgreSQL.\n\n"
        "It is a state store with versions and a lock, too, as their http backend wants it, at "
        "/v1/states/STACK. A plan may always lock. An apply, and everything else that writes, is "
        "refused at the lock while drift of the stack is undecided or a freeze is in effect; the "
        "terminal shows why and what to do. A state is written under its lock only, so "
        "-lock=false ends at the write.\n\n"
        "Requests need a token (plumb token create): as password of the http backend, or as "
        "bearer token. It listens on loopback; elsewhere it needs TLS and tokens. SIGHUP takes "
        "the configuration anew, or goes on with the one before where something is wrong with it. "
        "SIGTERM lets what was begun end, then stops.",
    .options = options,
    .noptions = OPTION_COUNT,
    .run = run};

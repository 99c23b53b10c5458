/* cmd_notify_test.c - `plumb notify test`: does a receiver take an alert? */
#include <assert.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/notifying.h"
#include "cli/rows.h"
#include "respond/alert_json.h"

enum { DRY_RUN, CONFIG, OPTION_COUNT };
static const struct option options[] = {
    [DRY_RUN] = {.name = "dry-run",
                 .kind = OPTION_FLAG,
                 .text = "print the alert instead of sending it"},
    [CONFIG] = ROW_CONFIG,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

static const struct alert_change change = {STR_INIT("tags.owner"), STR_INIT("platform"),
                                           STR_INIT("nobody")};
static const struct str todo = STR_INIT("nothing: this is a test");

static struct alert_finding sample(int64_t now)
{
    return (struct alert_finding){.fingerprint = STR("00000000000000000000000000000000"),
                                  .stack = STR("example"),
                                  .environment = STR("test"),
                                  .owner = STR("@example"),
                                  .address = STR("example_resource.test"),
                                  .type = STR("example_resource"),
                                  .class_ = CLASS_CONTRADICTS_CODE,
                                  .severity = SEVERITY_INFO,
                                  .file = STR("main.tf"),
                                  .line = 1,
                                  .change = &change,
                                  .nchanges = 1,
                                  .reason = STR("nothing happened: somebody tries the receiver"),
                                  .actor = STR("plumb notify test"),
                                  .actor_how = STR("none"),
                                  .decision = STR("notify"),
                                  .first_utc_ms = now,
                                  .since_utc_ms = now,
                                  .todo = &todo,
                                  .ntodo = 1};
}

static bool make(struct notifying *n, const struct route *route,
                 const struct alert_finding *finding, struct alert *ret, struct err *err)
{
    int64_t now = finding->since_utc_ms;
    struct str name = arena_printf(n->arena, "%.*s %lld %lld", STR_ARG(route->name), (long long)now,
                                   (long long)clock_monotonic_ms());
    *ret = (struct alert){.status = ALERT_TEST,
                          .title = STR("a test of plumb's alerts"),
                          .finding = finding,
                          .nfindings = 1,
                          .made_utc_ms = now};
    ret->id = name.ptr ? route_digest(n->arena, "test", name) : name;
    ret->thread = route_digest(n->arena, "t", route->name);
    return (ret->id.ptr && ret->thread.ptr) || arena_full(n->arena, err);
}

static bool print(const struct app *app, const struct alert *alert, struct err *err)
{
    AUTO_BUF out = {.limit = ALERT_JSON_MAX};
    alert_json(&out, alert);
    buf_char(&out, '\n');
    if (!buf_ok(&out, err))
        return false;
    return fwrite(out.ptr, 1, out.len, app->out) == out.len ||
           err_set(err, ERR_IO, "standard output cannot be written");
}

/* *ret_ok: it was taken (or everything that it needs is there). */
static bool try(struct notifying *n, const struct route *route, bool dry, bool *ret_ok,
                struct err *err)
{
    struct alert_finding finding = sample(n->app->now_ms(n->app->clock));
    struct notify_answer answer = {0};
    struct notify_target target;
    struct alert alert;
    struct err why = {0};
    char text[ERR_TEXT_MAX];
    if (!make(n, route, &finding, &alert, err))
        return false;
    *ret_ok = notifying_target(n, route, &target, &why);
    if (!*ret_ok) {
        (void)fprintf(n->app->out, "%.*s (%s): %s\n", STR_ARG(route->name), route->kind->name,
                      err_text(&why, text, sizeof text));
        return true;
    }
    if (dry)
        return print(n->app, &alert, err);
    if (!route->kind->send(n->arena, &target, &alert, &answer, err))
        return false;
    static const char *const results[] = {[NOTIFY_TAKEN] = "taken",
                                          [NOTIFY_LATER] = "not now",
                                          [NOTIFY_REFUSED] = "refused",
                                          [NOTIFY_GONE] = "gone"};
    *ret_ok = answer.result == NOTIFY_TAKEN;
    (void)fprintf(n->app->out, "%.*s (%s): %s%s%.*s\n", STR_ARG(route->name), route->kind->name,
                  results[answer.result], answer.said.len ? ": " : "", STR_ARG(answer.said));
    return true;
}

static bool try_all(struct notifying *n, const struct invocation *in, int *ret_exit,
                    struct err *err)
{
    const struct route *only = NULL;
    bool all_ok = true;
    if (in->nargs && !notifying_find(n, in->args[0], &only, err))
        return false;
    if (!n->routes.n)
        return err_set(err, ERR_USAGE, "plumb.yaml has no `notify`: docs/alerts.md tells how");
    for (size_t i = 0; i < n->routes.n; i++) {
        bool ok = true;
        if ((!only || only == &n->routes.item[i]) &&
            !try(n, &n->routes.item[i], in->value[DRY_RUN].set, &ok, err))
            return false;
        all_ok &= ok;
    }
    *ret_exit = all_ok ? 0 : 1;
    return true;
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct notifying n;
    return notifying_open(&n, app, &arena, &in->value[CONFIG], NULL, NULL, err) &&
           try_all(&n, in, ret_exit, err);
}

const struct command cmd_notify_test = {
    .name = "notify test",
    .usage = "plumb notify test [NAME] [--dry-run] [options]",
    .summary = "send a test alert to a receiver, or to all of plumb.yaml",
    .help = "Tells what the receiver said, and exits with 1 where one did not take it. With "
            "--dry-run everything that it needs is looked for, and the alert is printed instead "
            "(docs/schema/alert.schema.json). Nothing is written to the store.",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_most = 1,
    .run = run};

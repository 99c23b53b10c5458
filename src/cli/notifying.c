/* notifying.c - receivers and their outbox, for the commands. */
#include "cli/notifying.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/policy_setup.h"
#include "cli/rows.h"
#include "cli/who.h"

enum { ID_LEAST = 6 };

const struct option notifying_options[NOTIFYING_COUNT] = {
    [NOTIFYING_DEAD] = {.name = "dead",
                        .kind = OPTION_FLAG,
                        .text = "all that were refused or given up"},
    [NOTIFYING_RECEIVER] = {.name = "receiver",
                            .kind = OPTION_STRING,
                            .arg = "NAME",
                            .text = "only those of this receiver"},
    [NOTIFYING_CONFIG] = ROW_CONFIG,
    [NOTIFYING_STORE] = ROW_STORE,
};

bool notifying_open(struct notifying *n, const struct app *app, struct arena *arena,
                    const struct option_value *config, const struct option_value *store,
                    const enum store_use *use, struct err *err)
{
    struct store_choice choice;
    *n = (struct notifying){.app = app, .arena = arena};
    return policy_find_config(arena, app, config, &n->config, err) &&
           routes_open(arena, &n->config, &n->routes, err) &&
           (!use || (store_choose(arena, app, &n->config, store, &choice, err) &&
                     store_open(arena, app, &choice, *use, &n->record, err)));
}

void notifying_close(struct notifying *n)
{
    if (n->record.db)
        store_close(n->app, &n->record);
}

bool notifying_target(const struct notifying *n, const struct route *route,
                      struct notify_target *ret, struct err *err)
{
    if (!route_target(n->arena, route, n->config.root, n->app->env, ret, err))
        return false;
    ret->out = n->app->out;
    ret->now_utc_ms = n->app->now_ms(n->app->clock);
    return true;
}

bool notifying_find(const struct notifying *n, struct str name, const struct route **ret,
                    struct err *err)
{
    AUTO_BUF names = {.limit = 1 << 16};
    *ret = routes_find(&n->routes, name);
    if (*ret)
        return true;
    for (size_t i = 0; i < n->routes.n; i++)
        buf_printf(&names, "%s%.*s", i ? ", " : "", STR_ARG(n->routes.item[i].name));
    return err_set(err, ERR_USAGE, "there is no receiver '%.*s'%s%.*s", STR_ARG(name),
                   names.len ? "; there are " : ": plumb.yaml has no `notify`",
                   STR_ARG(buf_view(&names)));
}

static bool send_route(struct notifying *n, struct record *record, const struct route *route,
                       struct str owner, int64_t *left, struct err *err)
{
    struct outbox_breaker breaker = {0};
    struct notify_target target;
    struct outbox_sent sent = {.some = true};
    struct err why = {0};
    char text[ERR_TEXT_MAX];
    if (!notifying_target(n, route, &target, &why)) {
        ++*left;
        (void)fprintf(n->app->err, "plumb: %s\n", err_text(&why, text, sizeof text));
        return true;
    }
    for (bool resend = false; !resend; resend = !sent.some) {
        AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
        if (*n->app->cancel)
            return err_set(err, ERR_CANCELLED, "interrupted");
        if (!outbox_send(record, &arena, &n->routes, route, &target, owner, &breaker, &sent, err) ||
            (!sent.some &&
             !outbox_resend(record, &arena, &n->routes, route, &target, &breaker, &sent, err)))
            return false;
        if (sent.some && sent.result != NOTIFY_TAKEN) {
            ++*left;
            (void)fprintf(n->app->err, "plumb: %.*s did not take %.*s: %.*s%s\n",
                          STR_ARG(route->name), STR_ARG(sent.id), STR_ARG(sent.said),
                          sent.dead ? " (given up)" : "");
        }
    }
    return true;
}

bool notifying_send(struct notifying *n, struct record *record, int64_t *ret_left, struct err *err)
{
    struct outbox_done done = {.more = true};
    struct str owner =
        arena_printf(n->arena, "by hand/%lld/%" PRId64, (long long)getpid(), clock_monotonic_ms());
    *ret_left = 0;
    if (!owner.ptr)
        return arena_full(n->arena, err);
    while (done.more)
        if (!outbox_step(record, &n->routes, &done, err))
            return false;
    for (size_t i = 0; i < n->routes.n; i++)
        if (!send_route(n, record, &n->routes.item[i], owner, ret_left, err))
            return false;
    return true;
}

/* True also where plumb.yaml names it, or nobody knows it. */
static bool forget_receiver(struct notifying *n, struct str name, struct err *err)
{
    bool was = false;
    if (!name.len || routes_find(&n->routes, name))
        return true;
    if (!outbox_forget(&n->record, name, &was, err))
        return false;
    if (was)
        (void)fprintf(n->app->out, "%.*s, which is not in plumb.yaml, is forgotten\n",
                      STR_ARG(name));
    return true;
}

static bool change_in(struct notifying *n, const struct invocation *in,
                      bool (*act)(struct record *record, const struct outbox_query *query,
                                  const struct actor *by, int64_t *ret_n, struct err *err),
                      const char *done, bool forgets, struct err *err)
{
    struct outbox_query query = {.receiver = in->value[NOTIFYING_RECEIVER].text};
    struct actor by;
    int64_t changed = 0;
    bool by_name = in->nargs > 0;
    if (by_name == (in->value[NOTIFYING_DEAD].set || query.receiver.len > 0))
        return err_set(err, ERR_USAGE, "want an ID of `plumb notify list`, or --dead, --receiver");
    if (by_name && in->args[0].len < ID_LEAST)
        return err_set(err, ERR_USAGE, "want at least %d characters of an ID", ID_LEAST);
    query.id = by_name ? in->args[0] : STR("");
    query.state = in->value[NOTIFYING_DEAD].set ? STR("dead") : STR("");
    if (!who_am_i(n->app, n->arena, &by, err) || !act(&n->record, &query, &by, &changed, err))
        return false;
    if (by_name && !changed)
        return err_set(err, ERR_USAGE,
                       "no alert that waits or is dead begins with '%.*s' (plumb notify list)",
                       STR_ARG(query.id));
    (void)fprintf(n->app->out, "%lld alert%s %s\n", (long long)changed, changed == 1 ? "" : "s",
                  done);
    return !forgets || query.state.len || forget_receiver(n, query.receiver, err);
}

bool notifying_change(const struct app *app, const struct invocation *in,
                      bool (*act)(struct record *record, const struct outbox_query *query,
                                  const struct actor *by, int64_t *ret_n, struct err *err),
                      const char *done, bool forgets, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    const enum store_use use = STORE_CHANGE;
    struct notifying n;
    bool ok = notifying_open(&n, app, &arena, &in->value[NOTIFYING_CONFIG],
                             &in->value[NOTIFYING_STORE], &use, err) &&
              change_in(&n, in, act, done, forgets, err);
    notifying_close(&n);
    return ok;
}

/* routes.c - `notify:` checked, and asked. */
#include "respond/routes.h"

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/glob.h"
#include "base/io.h"
#include "model/zone.h"

enum { THREAD_HEX = 24, SECRET_BYTES_MAX = 64 << 10, KINDS_MAX = 32 };

static bool wrap_place(const struct routes *routes, const struct config_notify *c, struct err *err)
{
    return err_wrap(err, "%.*s:%u:%u", STR_ARG(routes->path), c->place.line, c->place.column);
}

static bool no_kind(struct str to, struct err *err)
{
    struct str names[KINDS_MAX];
    size_t n = 0;
    const struct notifier *const *all = notifier_list(&n);
    n = n < KINDS_MAX ? n : KINDS_MAX;
    for (size_t i = 0; i < n; i++)
        names[i] = str_from(all[i]->name);
    struct str near = str_nearest(to, names, n);
    return err_set(err, ERR_USAGE, "to: there is no kind of receiver '%.*s'%s%.*s%s", STR_ARG(to),
                   near.len ? "; did you mean '" : "", STR_ARG(near), near.len ? "'?" : "");
}

static bool read_spans(struct arena *arena, const struct str *text, size_t n,
                       const struct timespan **ret, struct err *err)
{
    struct timespan *span = arena_new(arena, struct timespan, n);
    if (!span)
        return arena_full(arena, err);
    for (size_t i = 0; i < n; i++)
        if (!timespan_parse(text[i], &span[i]))
            return err_set(err, ERR_USAGE, "'%.*s' is no time of the week", STR_ARG(text[i]));
    *ret = span;
    return true;
}

static enum route_group group_of(const struct config_notify *c, const struct notifier *kind)
{
    static const struct str names[] = {[ROUTE_BY_STACK] = STR_INIT("stack"),
                                       [ROUTE_BY_OWNER] = STR_INIT("owner"),
                                       [ROUTE_BY_ENVIRONMENT] = STR_INIT("environment"),
                                       [ROUTE_BY_NONE] = STR_INIT("none")};
    for (unsigned i = 0; i < sizeof names / sizeof *names && !kind->one_by_one; i++)
        if (str_equal(c->group, names[i]))
            return (enum route_group)i;
    return kind->one_by_one || kind->tracks ? ROUTE_BY_NONE : ROUTE_BY_STACK;
}

static bool open_route(struct arena *arena, const struct config_notify *c, struct route *ret,
                       struct err *err)
{
    *ret = (struct route){.config = c,
                          .kind = notifier_find(c->to),
                          .name = c->name,
                          .nonly = c->nonly,
                          .nquiet = c->nquiet,
                          .quiet_passes = SEVERITY_CRITICAL};
    if (!ret->kind)
        return no_kind(c->to, err);
    if (c->quiet_passes.len && !severity_from(c->quiet_passes, &ret->quiet_passes))
        return err_set(err, ERR_USAGE, "quiet_passes: no severity");
    ret->group = group_of(c, ret->kind);
    ret->has_digest = c->digest.len && timespan_digest_parse(c->digest, &ret->digest);
    if (ret->has_digest && (ret->kind->one_by_one || ret->kind->tracks || ret->kind->resends))
        return err_set(err, ERR_USAGE,
                       "digest: %s has what is open as it is; a digest is for receivers that "
                       "people read",
                       ret->kind->name);
    return read_spans(arena, c->only, c->nonly, &ret->only, err) &&
           read_spans(arena, c->quiet, c->nquiet, &ret->quiet, err) &&
           (!c->time_zone.len || zone_load(arena, c->time_zone, &ret->zone, err)) &&
           ret->kind->check(c, NULL, err);
}

bool routes_open(struct arena *arena, const struct config *config, struct routes *ret,
                 struct err *err)
{
    size_t n = config ? config->nnotify : 0;
    struct route *item = arena_new(arena, struct route, n);
    if (!item)
        return arena_full(arena, err);
    *ret = (struct routes){.item = item, .n = n};
    if (config) {
        ret->url = config->serve.url;
        ret->path = config->path;
    }
    while (ret->url.len && ret->url.ptr[ret->url.len - 1] == '/')
        ret->url.len--;
    for (size_t i = 0; i < n; i++)
        if (!open_route(arena, &config->notify[i], &item[i], err))
            return wrap_place(ret, &config->notify[i], err);
    return true;
}

const struct route *routes_find(const struct routes *routes, struct str name)
{
    for (size_t i = 0; i < routes->n; i++)
        if (str_equal(routes->item[i].name, name))
            return &routes->item[i];
    return NULL;
}

/* --- asking --- */

static bool owner_fits(const struct config_notify *c, struct str owners)
{
    struct str word;
    if (!c->nowners)
        return true;
    for (bool more = true; more;) {
        more = str_cut(&owners, ' ', &word);
        for (size_t i = 0; i < c->nowners && word.len; i++)
            if (glob_match(c->owners[i], word, '\0'))
                return true;
    }
    return false;
}

bool route_takes(const struct route *route, const struct when_subject *subject, int64_t utc_ms)
{
    return when_holds(route->config->condition, subject) &&
           owner_fits(route->config, subject->text[WHEN_OWNER]) &&
           (!route->nonly || timespan_covers(route->only, route->nonly, route->zone, utc_ms, NULL));
}

int64_t route_quiet_until(const struct route *route, enum severity severity, int64_t utc_ms)
{
    int64_t until = 0;
    bool quiet = route->nquiet && severity < route->quiet_passes &&
                 timespan_covers(route->quiet, route->nquiet, route->zone, utc_ms, &until);
    return quiet && until > utc_ms ? until : 0;
}

struct str route_digest(struct arena *arena, const char *prefix, struct str text)
{
    struct digest digest;
    char hex[DIGEST_HEX + 1];
    if (!digest_sha256(text, &digest, NULL))
        return (struct str){0};
    digest_hex(&digest, hex);
    return arena_printf(arena, "%s-%.*s", prefix, THREAD_HEX, hex);
}

struct str route_thread(struct arena *arena, const struct route *route,
                        const struct alert_finding *finding, int64_t id)
{
    struct str by[] = {[ROUTE_BY_STACK] = finding->stack,
                       [ROUTE_BY_OWNER] = finding->owner,
                       [ROUTE_BY_ENVIRONMENT] = finding->environment};
    if (route->group != ROUTE_BY_NONE) {
        struct str text =
            arena_printf(arena, "%d %.*s", (int)route->group, STR_ARG(by[route->group]));
        return text.ptr ? route_digest(arena, "g", text) : text;
    }
    /* The same from new to resolved, whatever its values and so its fingerprint are. */
    struct str text = arena_printf(arena, "%lld %lld %.*s", (long long)id,
                                   (long long)finding->first_utc_ms, STR_ARG(finding->stack));
    return text.ptr ? route_digest(arena, "f", text) : text;
}

/* --- the receiver --- */

static bool resolve(struct arena *arena, const char *key, struct str from, struct str root,
                    const char *(*env)(const char *name), struct str *ret, struct err *err)
{
    struct str text = {0};
    if (!from.len) {
        *ret = STR("");
        return true;
    }
    if (str_starts(from, STR("file:"))) {
        struct str path = io_join(arena, root, str_sub(from, 5, from.len));
        if (!path.ptr)
            return arena_full(arena, err);
        if (!io_read_file(arena, path.ptr, SECRET_BYTES_MAX, &text, err))
            return err_wrap(err, "%s", key);
    } else {
        struct str name = arena_dup(arena, str_sub(from, 4, from.len));
        if (!name.ptr)
            return arena_full(arena, err);
        text = str_from(env ? env(name.ptr) : NULL);
    }
    *ret = arena_dup(arena, str_trim(text));
    if (!ret->ptr)
        return arena_full(arena, err);
    return ret->len || err_set(err, ERR_USAGE, "%s: there is nothing in %.*s", key, STR_ARG(from));
}

/* What plumb.yaml refers to, as it is here. */
static bool read_secrets(struct arena *arena, const struct route *route, struct str root,
                         const char *(*env)(const char *name), struct notify_target *ret,
                         struct err *err)
{
    enum { TIMEOUT_MS = 20000 };
    const struct config_notify *c = route->config;
    const struct {
        const char *key;
        struct str from, *to;
    } refs[] = {{"url", c->url, &ret->url},
                {"key", c->key, &ret->key},
                {"password", c->password, &ret->password},
                {"ca", c->ca, &ret->ca}};
    *ret = (struct notify_target){.config = c, .timeout_ms = TIMEOUT_MS};
    for (size_t i = 0; i < sizeof refs / sizeof *refs; i++)
        if (!resolve(arena, refs[i].key, refs[i].from, root, env, refs[i].to, err))
            return false;
    return true;
}

static bool check_target(const struct route *route, const struct notify_target *target,
                         struct err *err)
{
    const struct config_notify *c = route->config;
    if (target->ca.len && str_find(target->ca, STR("-----BEGIN CERTIFICATE-----"), 0) == SIZE_MAX)
        return err_set(err, ERR_USAGE, "ca: %.*s holds no certificate in PEM form", STR_ARG(c->ca));
    return route->kind->check(c, target, err);
}

bool route_target(struct arena *arena, const struct route *route, struct str root,
                  const char *(*env)(const char *name), struct notify_target *ret, struct err *err)
{
    return (read_secrets(arena, route, root, env, ret, err) && check_target(route, ret, err)) ||
           err_wrap(err, "receiver %.*s", STR_ARG(route->name));
}

bool route_check(const struct routes *routes, const struct route *route, struct str root,
                 const char *(*env)(const char *name), bool *ret_absent, struct err *err)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct notify_target target;
    *ret_absent = !read_secrets(&arena, route, root, env, &target, err);
    if (!*ret_absent && check_target(route, &target, err))
        return true;
    (void)err_wrap(err, "receiver %.*s", STR_ARG(route->name));
    return wrap_place(routes, route->config, err);
}

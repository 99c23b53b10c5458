/* policy_setup.c - which files judge, from plumb.yaml and options. */
#include "cli/policy_setup.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/policy_text.h"
#include "desired/stacks.h"
#include "model/config.h"
#include "policy/pack.h"
#include "policy/policy.h"

struct list {
    struct arena *arena;
    struct policy_source *item;
    size_t n;
};

/* What plumb.yaml names is relative to it. */
static struct str below(struct arena *arena, struct str root, struct str path)
{
    bool whole = str_starts(path, STR("/")) || str_starts(path, STR("builtin:"));
    return whole || !root.len || str_equal(root, STR(".")) ? path : io_join(arena, root, path);
}

/* "policies/net/" is the pack "net". */
static struct str pack_name(struct str path)
{
    while (path.len > 1 && str_ends(path, STR("/")))
        path.len--;
    struct str name =
        str_starts(path, STR("builtin:")) ? str_sub(path, 8, path.len) : io_basename(path);
    return str_equal(name, STR(".")) || str_equal(name, STR("..")) ? STR("") : name;
}

static bool add(struct list *list, struct str root, const struct str *paths, size_t n, bool pack)
{
    for (size_t i = 0; i < n; i++) {
        struct str path = below(list->arena, root, paths[i]);
        if (!path.ptr)
            return false;
        bool named = pack && (str_starts(path, STR("builtin:")) || io_is_dir(path.ptr));
        list->item[list->n++] = (struct policy_source){path, named ? pack_name(paths[i]) : STR("")};
    }
    return true;
}

static bool list_sources(struct list *list, const struct config *c,
                         const struct option_value *policies, struct err *err)
{
    size_t most = c->npolicies + c->npacks + c->nrules + c->nrego + policies->nlist;
    list->item = arena_new(list->arena, struct policy_source, most);
    bool ok = list->item && add(list, c->root, c->policies, c->npolicies, true) &&
              add(list, c->root, c->packs, c->npacks, true) &&
              add(list, c->root, c->rules, c->nrules, false) &&
              add(list, c->root, c->rego, c->nrego, false) &&
              add(list, STR(""), policies->list, policies->nlist, true);
    return ok || arena_full(list->arena, err);
}

bool policy_list_sources(struct arena *arena, const struct config *config,
                         const struct option_value *policies, struct policy_source **ret,
                         size_t *ret_n, struct err *err)
{
    static const struct config nothing;
    struct list list = {.arena = arena};
    if (!list_sources(&list, config ? config : &nothing, policies, err))
        return false;
    *ret = list.item;
    *ret_n = list.n;
    return true;
}

/* --- packs and their pins --- */

static bool read_pack(struct arena *arena, const struct config *c, struct str origin,
                      struct pack *ret, struct err *err)
{
    struct str path = below(arena, c->root, origin);
    if (!path.ptr)
        return arena_full(arena, err);
    if (!pack_read(arena, path, ret, err))
        return false;
    ret->origin = origin;
    return true;
}

bool policy_read_packs(struct arena *arena, const struct config *config, struct pack **ret,
                       size_t *ret_n, struct err *err)
{
    size_t n = config->npolicies + config->npacks;
    struct pack *packs = arena_new(arena, struct pack, n);
    if (!packs)
        return arena_full(arena, err);
    for (size_t i = 0; i < n; i++) {
        struct str origin =
            i < config->npolicies ? config->policies[i] : config->packs[i - config->npolicies];
        if (!read_pack(arena, config, origin, &packs[i], err))
            return false;
    }
    *ret = packs;
    *ret_n = n;
    return true;
}

struct str policy_pins_path(struct arena *arena, const struct config *config)
{
    return io_join(arena, config->root, STR(PACK_PINS_FILE));
}

static bool check_pins(struct arena *arena, const struct config *c, struct err *err)
{
    struct str path = policy_pins_path(arena, c), text;
    struct pack *packs;
    size_t n;
    if (!path.ptr)
        return arena_full(arena, err);
    if (!c->path.len || !io_exists(path.ptr))
        return true;
    return io_read_file(arena, path.ptr, PACK_BYTES_MAX, &text, err) &&
           policy_read_packs(arena, c, &packs, &n, err) &&
           pack_pins_check(text, path, packs, n, err);
}

bool policy_find_config(struct arena *arena, const struct app *app,
                        const struct option_value *given, struct config *ret, struct err *err)
{
    struct str path = given->set ? given->text : str_from(app->env("PLUMB_CONFIG"));
    path = path.len ? arena_dup(arena, path) : config_find(arena, STR("."));
    *ret = (struct config){0};
    if (str_equal(path, STR("-")))
        return true;
    return !path.len || config_load(arena, path.ptr, ret, err);
}

/* --- the rest --- */

static bool list_waivers(struct arena *arena, const struct config *c,
                         const struct option_value *waivers, struct policy_options *options,
                         struct err *err)
{
    struct str *files = arena_new(arena, struct str, c->nwaivers + waivers->nlist);
    for (size_t i = 0; files && i < c->nwaivers; i++) {
        files[i] = below(arena, c->root, c->waivers[i]);
        if (!files[i].ptr)
            return arena_full(arena, err);
    }
    for (size_t i = 0; files && i < waivers->nlist; i++)
        files[c->nwaivers + i] = waivers->list[i];
    options->waivers = files;
    options->nwaivers = c->nwaivers + waivers->nlist;
    return files || arena_full(arena, err);
}

static bool list_defaults(struct arena *arena, const struct config *c,
                          struct policy_options *options, struct err *err)
{
    struct policy_default *list = arena_new(arena, struct policy_default, c->ndefaults);
    for (size_t i = 0; list && i < c->ndefaults; i++)
        list[i] = (struct policy_default){c->defaults[i].env, c->defaults[i].decision};
    options->defaults = list;
    options->ndefaults = c->ndefaults;
    return list || arena_full(arena, err);
}

bool policy_setup(struct arena *arena, const struct app *app, const struct config *config,
                  const struct option_value *policies, const struct option_value *waivers,
                  bool partial, struct policy **ret, struct err *err)
{
    static const struct config nothing;
    const struct config *c = config ? config : &nothing;
    struct list sources = {.arena = arena};
    struct policy_options options = {
        .now_utc_ms = app->now_ms(app->clock), .partial = partial, .cancel = app->cancel};
    struct policy_problems problems = {.rules = {.arena = arena}, .rego = {.arena = arena}};
    *ret = NULL;
    if (!list_sources(&sources, c, policies, err) || !check_pins(arena, c, err) ||
        !list_waivers(arena, c, waivers, &options, err) || !list_defaults(arena, c, &options, err))
        return false;
    if (!sources.n && !options.nwaivers && !options.ndefaults)
        return true;
    options.source = sources.item;
    options.nsources = sources.n;
    options.waiver_key = str_from(app->env("PLUMB_WAIVER_KEY"));
    if (policy_open(arena, &options, &problems, ret, err))
        return true;
    policy_print_problems(app->err, &problems.rules);
    policy_print_diags(app->err, &problems.rego);
    return err_wrap(err, "policy");
}

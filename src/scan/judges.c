/* judges.c - packs, rules, Rego and waivers: listed, digested, opened. */
#include "scan/judges.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/io.h"
#include "model/config.h"
#include "policy/pack.h"
#include "policy/policy.h"

static const struct config nothing;

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

static bool list_sources(struct list *list, const struct judges *j, struct err *err)
{
    const struct config *c = j->config ? j->config : &nothing;
    size_t most = c->npolicies + c->npacks + c->nrules + c->nrego + j->npolicies;
    list->item = arena_new(list->arena, struct policy_source, most);
    bool ok = list->item && add(list, c->root, c->policies, c->npolicies, true) &&
              add(list, c->root, c->packs, c->npacks, true) &&
              add(list, c->root, c->rules, c->nrules, false) &&
              add(list, c->root, c->rego, c->nrego, false) &&
              add(list, STR(""), j->policies, j->npolicies, true);
    return ok || arena_full(list->arena, err);
}

bool judges_list(struct arena *arena, const struct judges *judges, struct policy_source **ret,
                 size_t *ret_n, struct err *err)
{
    struct list list = {.arena = arena};
    if (!list_sources(&list, judges, err))
        return false;
    *ret = list.item;
    *ret_n = list.n;
    return true;
}

/* --- what is there --- */

static bool is_there(struct arena *arena, const struct config *c, struct str path, struct err *err)
{
    AUTO_ARENA scratch = {.limit = ARENA_DEFAULT_LIMIT};
    struct pack pack;
    if (pack_is_builtin(path))
        return pack_read(&scratch, path, &pack, err);
    path = io_join(arena, c->root, path);
    if (!path.ptr)
        return arena_full(arena, err);
    return io_exists(path.ptr) || err_set(err, ERR_IO, "open %s: %s", path.ptr, strerror(ENOENT));
}

/* What is not there is told by its place in plumb.yaml. */
static bool check_there(struct arena *arena, const struct config *c, const char *key,
                        const struct str *paths, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (is_there(arena, c, paths[i], err))
            continue;
        struct str at = arena_printf(arena, "%s.%zu", key, i);
        return at.ptr ? config_blame(c, at.ptr, err) : arena_full(arena, err);
    }
    return true;
}

static bool check_all_there(struct arena *arena, const struct config *c, struct err *err)
{
    return !c || (check_there(arena, c, "policies", c->policies, c->npolicies, err) &&
                  check_there(arena, c, "policy.packs", c->packs, c->npacks, err) &&
                  check_there(arena, c, "policy.rules", c->rules, c->nrules, err) &&
                  check_there(arena, c, "policy.rego", c->rego, c->nrego, err) &&
                  check_there(arena, c, "policy.waivers", c->waivers, c->nwaivers, err));
}

/* --- digest --- */

static bool add_source(struct arena *arena, struct sha256 *sha, struct str path, struct err *err)
{
    struct digest digest;
    struct str ended = arena_dup(arena, path);
    if (!ended.ptr)
        return arena_full(arena, err);
    if (pack_is_builtin(path) || pack_is_bundle(path) || io_is_dir(ended.ptr)) {
        AUTO_ARENA scratch = {.limit = ARENA_DEFAULT_LIMIT};
        struct pack pack;
        if (!pack_read(&scratch, path, &pack, err))
            return false;
        digest = pack.digest;
    } else if (!digest_file(ended.ptr, &digest, err)) {
        return false;
    }
    sha256_add_field(sha, io_basename(path));
    sha256_add(sha, (struct str){(const char *)digest.byte, DIGEST_SIZE});
    return true;
}

bool judges_digest(struct arena *arena, const struct judges *judges, struct str *ret,
                   struct err *err)
{
    struct policy_source *source = NULL;
    struct digest digest;
    size_t n = 0;
    bool ok = true;
    *ret = STR("");
    if (!check_all_there(arena, judges->config, err) ||
        !judges_list(arena, judges, &source, &n, err))
        return false;
    if (!n)
        return true;
    struct sha256 *sha = sha256_open(err);
    for (size_t i = 0; sha && ok && i < n; i++)
        ok = add_source(arena, sha, source[i].path, err);
    for (size_t i = 0; sha && ok && i < judges->nwaivers; i++)
        ok = add_source(arena, sha, judges->waivers[i], err);
    if (!sha || !sha256_close(sha, &digest, ok ? err : NULL) || !ok)
        return false;
    return digest_text(arena, &digest, ret, err);
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

bool judges_read_packs(struct arena *arena, const struct config *config, struct pack **ret,
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

struct str judges_pins_path(struct arena *arena, const struct config *config)
{
    return io_join(arena, config->root, STR(PACK_PINS_FILE));
}

static bool check_pins(struct arena *arena, const struct config *c, struct err *err)
{
    struct str path = judges_pins_path(arena, c), text;
    struct pack *packs;
    size_t n;
    if (!path.ptr)
        return arena_full(arena, err);
    if (!c->path.len || !io_exists(path.ptr))
        return true;
    return io_read_file(arena, path.ptr, PACK_BYTES_MAX, &text, err) &&
           judges_read_packs(arena, c, &packs, &n, err) &&
           pack_pins_check(text, path, packs, n, err);
}

/* --- opening --- */

bool judges_list_waivers(struct arena *arena, const struct judges *j, struct str **ret,
                         size_t *ret_n, struct err *err)
{
    const struct config *c = j->config ? j->config : &nothing;
    struct str *files = arena_new(arena, struct str, c->nwaivers + j->nwaivers);
    for (size_t i = 0; files && i < c->nwaivers; i++) {
        files[i] = below(arena, c->root, c->waivers[i]);
        if (!files[i].ptr)
            return arena_full(arena, err);
    }
    for (size_t i = 0; files && i < j->nwaivers; i++)
        files[c->nwaivers + i] = j->waivers[i];
    *ret = files;
    *ret_n = c->nwaivers + j->nwaivers;
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

bool judges_open(struct arena *arena, const struct judges *judges, const struct judges_opening *how,
                 struct policy_problems *problems, struct policy **ret, struct err *err)
{
    const struct config *c = judges->config ? judges->config : &nothing;
    struct list sources = {.arena = arena};
    struct str *waivers = NULL;
    struct policy_options options = {.now_utc_ms = how->now_utc_ms,
                                     .partial = how->partial,
                                     .timeout_ms = c->policy_timeout_ms,
                                     .cancel = how->cancel};
    if (how->capabilities)
        options.capabilities = *how->capabilities;
    *ret = NULL;
    if (!check_all_there(arena, judges->config, err) || !list_sources(&sources, judges, err) ||
        !check_pins(arena, c, err) ||
        !judges_list_waivers(arena, judges, &waivers, &options.nwaivers, err) ||
        !list_defaults(arena, c, &options, err))
        return false;
    options.waivers = waivers;
    if (!sources.n && !options.nwaivers && !options.ndefaults)
        return true;
    options.source = sources.item;
    options.nsources = sources.n;
    options.waiver_key = how->env ? str_from(how->env("PLUMB_WAIVER_KEY")) : STR("");
    return policy_open(arena, &options, problems, ret, err) || err_wrap(err, "policy");
}

/* check_rules.c - policies of all kinds, loaded and compiled. */
#include "cli/check_rules.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "cli/policy_text.h"
#include "model/decision.h"
#include "policy/conftest.h"
#include "policy/document.h"
#include "policy/load.h"
#include "policy/pack.h"
#include "policy/policy.h"
#include "policy/schemas.h"
#include "policy/unasked.h"

static bool open_rego(struct arena *arena, const struct check_rules_options *options, FILE *out,
                      struct check_rules *rules, struct err *err)
{
    const struct policy_load_options rego = {.what = POLICY_LOAD_REGO, .v0 = options->v0};
    const struct policy_load_options documents = {.what = POLICY_LOAD_DATA};
    struct rego_compile_options how = {
        .keep_print = true, .deadline_ms = options->timeout_ms, .cancel = options->cancel};
    const struct entries_options entries = {.space = options->spaces,
                                            .nspaces = options->nspaces,
                                            .all_spaces = options->all_spaces,
                                            .lookups = options->explain};
    struct rego_diags diags = {.arena = arena};
    struct policy_files files, facts;
    rego_compile_within(&how, &options->capabilities);
    if (!policy_load_schemas(arena, options->schema, &how, err) ||
        !policy_load(arena, options->paths, options->npaths, &rego, &files, err) ||
        !policy_load(arena, options->data, options->ndata, &documents, &facts, err))
        return false;
    if (!files.nsources)
        return true;
    rules->data = facts.data;
    if (!rego_compile(files.source, files.nsources, &rules->data, &how, &diags, &rules->policy,
                      err)) {
        policy_print_diags(out, &diags);
        return policy_refuse(&diags, err);
    }
    rego_allow_all(rules->policy);
    struct err why = {0};
    if (entries_open(arena, rules->policy, &entries, &rules->entries, &why))
        return true;
    /* packages with `decision` alone ask something, too, where nobody named others */
    if (rules->policies && why.kind == ERR_USAGE && !options->nspaces && !options->all_spaces)
        return true;
    *err = why;
    return false;
}

/* All manifests that are checked know of each other. What cannot be read is told when its turn
 * comes. */
static bool make_inventory(struct arena *arena, const struct check_rules_options *options,
                           struct value *ret, struct err *err)
{
    const struct value **objects = NULL;
    size_t n = 0, room = 0;
    for (size_t i = 0; i < options->nfiles; i++) {
        struct documents documents;
        if (str_equal(options->files[i], STR("-")) ||
            !documents_read(arena, options->files[i], &documents, NULL))
            continue;
        for (size_t k = 0; k < documents.n; k++) {
            if (documents.item[k].kind != DOCUMENT_MANIFEST)
                continue;
            objects = arena_grow(arena, objects, n, &room, n + 1);
            if (!objects)
                return arena_full(arena, err);
            objects[n++] = documents.item[k].root;
        }
    }
    return gatekeeper_inventory(arena, objects, n, ret, err);
}

/* --- rules in YAML, decisions in Rego --- */

enum { SOURCES_MAX = 100000, FOLDERS_DEEP = 64 };

struct sources {
    struct arena *arena;
    struct policy_source *item;
    size_t n, room;
    struct str pack;
    struct err *err;
};

static bool add_source(struct sources *s, struct str path)
{
    struct policy_source *grown = arena_grow(s->arena, s->item, s->n, &s->room, s->n + 1);
    if (!grown)
        return arena_full(s->arena, s->err);
    s->item = grown;
    grown[s->n++] = (struct policy_source){path, s->pack};
    return true;
}

/* What cannot be read was told by those who read all of it. */
static bool is_rules(struct sources *s, struct str path)
{
    struct documents documents;
    bool yaml = str_ends(path, STR(".yaml")) || str_ends(path, STR(".yml"));
    return yaml && documents_read(s->arena, path, &documents, NULL) && documents.n &&
           rules_is_file(documents.item[0].root);
}

static bool decides(struct sources *s, struct str path)
{
    struct str text;
    return str_ends(path, STR(".rego")) &&
           io_read_file(s->arena, path.ptr, POLICY_DATA_MAX, &text, NULL) &&
           str_find(text, STR("decision"), 0) != SIZE_MAX;
}

static bool find_sources(struct sources *s, struct str path, unsigned depth_left)
{
    struct str *names;
    size_t n;
    if (!io_is_dir(path.ptr))
        return !(is_rules(s, path) || decides(s, path)) || add_source(s, path);
    if (depth_left == 0)
        return err_set(s->err, ERR_LIMIT, "%.*s: folders are nested deeper than %d", STR_ARG(path),
                       FOLDERS_DEEP);
    if (!io_list_dir(s->arena, path.ptr, SOURCES_MAX, &names, &n, s->err))
        return false;
    for (size_t i = 0; i < n; i++) {
        struct str below = io_join(s->arena, path, names[i]);
        if (!below.ptr)
            return arena_full(s->arena, s->err);
        if (!io_is_loop(below.ptr) && !find_sources(s, below, depth_left - 1))
            return false;
    }
    return true;
}

static bool open_policies(struct arena *arena, const struct check_rules_options *options, FILE *out,
                          struct check_rules *rules, struct err *err)
{
    struct policy_problems problems = {.rules = {.arena = arena}, .rego = {.arena = arena}};
    struct sources s = {.arena = arena, .err = err};
    for (size_t i = 0; i < options->npaths; i++) {
        struct str path = arena_dup(arena, options->paths[i]);
        if (!path.ptr)
            return arena_full(arena, err);
        bool builtin = pack_is_builtin(path), whole = builtin || pack_is_bundle(path);
        s.pack = builtin               ? str_sub(path, 8, path.len)
                 : io_is_dir(path.ptr) ? io_basename(path)
                                       : STR("");
        if (!(whole ? add_source(&s, path) : find_sources(&s, path, FOLDERS_DEEP)))
            return false;
    }
    const struct policy_options how = {.capabilities = options->capabilities,
                                       .source = s.item,
                                       .nsources = s.n,
                                       .now_utc_ms = options->now_utc_ms,
                                       .rego_v0 = options->v0,
                                       .decisions_only = true,
                                       .partial = true,
                                       .waivers = options->waivers,
                                       .nwaivers = options->nwaivers,
                                       .waiver_key = options->waiver_key,
                                       .timeout_ms = options->timeout_ms,
                                       .cancel = options->cancel};
    struct policy_options waivers = how;
    waivers.nsources = 0;
    if ((!s.n || policy_open(arena, &how, &problems, &rules->policies, err)) &&
        policy_open(arena, &waivers, &problems, &rules->waiving, err))
        return true;
    policy_print_problems(out, &problems.rules);
    policy_print_diags(out, &problems.rego);
    return err_wrap(err, "policy");
}

/* Paths that are files. */
static bool plain_paths(struct arena *arena, const struct check_rules_options *options,
                        struct check_rules_options *ret, struct err *err)
{
    struct str *paths = arena_new(arena, struct str, options->npaths);
    *ret = *options;
    ret->paths = paths;
    ret->npaths = 0;
    for (size_t i = 0; paths && i < options->npaths; i++)
        if (!str_starts(options->paths[i], STR("builtin:")))
            paths[ret->npaths++] = options->paths[i];
    return paths || arena_full(arena, err);
}

static bool open_all(struct arena *arena, const struct check_rules_options *options, FILE *out,
                     struct check_rules *ret, struct err *err)
{
    const struct gatekeeper_load_options all = {.ignore = NULL};
    struct check_rules_options plain;
    if (!plain_paths(arena, options, &plain, err))
        return false;
    for (size_t i = 0; i < plain.npaths; i++)
        if (!gatekeeper_load(&ret->gatekeeper, plain.paths[i], &all, err))
            return false;
    return open_policies(arena, options, out, ret, err) && open_rego(arena, &plain, out, ret, err);
}

bool check_rules_open(struct arena *arena, const struct check_rules_options *options, FILE *out,
                      struct check_rules *ret, struct err *err)
{
    *ret = (struct check_rules){.gatekeeper = {.arena = arena,
                                               .timeout_ms = options->timeout_ms,
                                               .capabilities = options->capabilities,
                                               .cancel = options->cancel,
                                               .lookups = options->explain},
                                .chosen = options->nspaces || options->all_spaces};
    if (!options->npaths)
        return true;
    if (!open_all(arena, options, out, ret, err))
        return false;
    if (!ret->entries && !ret->gatekeeper.nconstraints && !ret->policies)
        return err_set(err, ERR_USAGE,
                       ret->gatekeeper.ntemplates
                           ? "--policy %.*s: templates without a constraint ask nothing"
                           : "--policy %.*s: no .rego file, no rules in YAML and no constraint of "
                             "Gatekeeper",
                       STR_ARG(options->paths[0]));
    return !ret->gatekeeper.nconstraints ||
           (make_inventory(arena, options, &ret->inventory, err) &&
            gatekeeper_compile(&ret->gatekeeper, &ret->inventory, NULL, err));
}

/* --- what they did --- */

static enum unasked how_asked(void *ctx, const struct rego_module *module)
{
    const struct check_rules *rules = ctx;
    enum unasked ret = UNASKED_NONE;
    for (size_t i = 0; i < module->nrules; i++) {
        struct str name = conftest_rule_name(module->rules[i]);
        if (str_equal(name, STR("decision")) ||
            (rules->entries && entries_has(rules->entries, module, name)))
            return UNASKED_NO;
        if (conftest_is_failure(name) || conftest_is_warning(name))
            ret = UNASKED_OTHERS;
    }
    return ret;
}

struct gathering {
    struct arena *arena;
    struct policy_row *row;
    struct str *note;
    size_t n, room, nnotes, note_room;
};

static bool add_rows(struct gathering *g, const struct policy_row *row, size_t n)
{
    if (!n)
        return true;
    struct policy_row *grown = arena_grow(g->arena, g->row, g->n, &g->room, g->n + n);
    if (grown)
        memcpy(grown + g->n, row, n * sizeof *row);
    g->row = grown;
    g->n += n;
    return grown;
}

static bool has_note(const struct gathering *g, struct str note)
{
    for (size_t i = 0; i < g->nnotes; i++)
        if (str_equal(g->note[i], note))
            return true;
    return false;
}

/* Several policies may have the same waivers. */
static bool add_notes(struct gathering *g, const struct str *note, size_t n)
{
    if (!n)
        return true;
    struct str *grown = arena_grow(g->arena, g->note, g->nnotes, &g->note_room, g->nnotes + n);
    g->note = grown;
    for (size_t i = 0; grown && i < n; i++)
        if (!has_note(g, note[i]))
            grown[g->nnotes++] = note[i];
    return grown;
}

static bool add_policy(struct gathering *g, struct policy *policy, struct err *err)
{
    struct policy_report report = {0};
    return !policy ||
           (policy_report(policy, g->arena, &report, err) && add_rows(g, report.row, report.n) &&
            add_notes(g, report.note, report.nnotes));
}

static bool add_entries(struct gathering *g, const struct check_rules *rules)
{
    size_t n = rules->entries ? entries_count(rules->entries) : 0, nnotes = 0;
    size_t nconstraints = rules->gatekeeper.nconstraints;
    struct policy_row *row = arena_new(g->arena, struct policy_row, n + nconstraints);
    const struct unasked_options how = {
        .of = how_asked,
        .ctx = (void *)(uintptr_t)rules,
        .others = rules->chosen ? NULL : "name it with --namespace, or ask --all-namespaces"};
    struct str *note = NULL;
    return row && (!n || entries_report(rules->entries, g->arena, row)) &&
           gatekeeper_report(&rules->gatekeeper, g->arena, row + n) &&
           add_rows(g, row, n + nconstraints) &&
           (!rules->policy || unasked_find(g->arena, rules->policy, &how, &note, &nnotes)) &&
           add_notes(g, note, nnotes);
}

bool check_rules_report(const struct check_rules *rules, struct arena *arena, struct policy *policy,
                        const struct policy_report **ret, struct err *err)
{
    struct gathering g = {.arena = arena};
    struct policy_report *report = arena_new(arena, struct policy_report, 1);
    *ret = NULL;
    if (!report || !add_policy(&g, policy, err) || !add_policy(&g, rules->policies, err) ||
        !add_policy(&g, rules->waiving, err) || !add_entries(&g, rules))
        return err->kind ? false : arena_full(arena, err);
    *report = (struct policy_report){
        .row = g.row, .n = g.n, .note = g.note, .nnotes = g.nnotes, .of_check = true};
    *ret = g.n || g.nnotes ? report : NULL;
    return true;
}

void check_rules_close(struct check_rules *rules)
{
    gatekeeper_close(&rules->gatekeeper);
    entries_close(rules->entries);
    rego_close(rules->policy);
    policy_close(rules->policies);
    policy_close(rules->waiving);
}

/* check_rules.c - policies of all kinds, loaded and compiled. */
#include "cli/check_rules.h"

#include "base/err.h"
#include "cli/policy_text.h"
#include "policy/document.h"
#include "policy/load.h"

static bool open_rego(struct arena *arena, const struct check_rules_options *options, FILE *out,
                      struct check_rules *rules, struct err *err)
{
    const struct policy_load_options rego = {.what = POLICY_LOAD_REGO, .v0 = options->v0};
    const struct policy_load_options documents = {.what = POLICY_LOAD_DATA};
    const struct rego_compile_options how = {.keep_print = true};
    const struct entries_options entries = {
        .space = options->spaces, .nspaces = options->nspaces, .all_spaces = options->all_spaces};
    struct rego_diags diags = {.arena = arena};
    struct policy_files files, facts;
    if (!policy_load(arena, options->paths, options->npaths, &rego, &files, err) ||
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
    return entries_open(arena, rules->policy, &entries, &rules->entries, err);
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

bool check_rules_open(struct arena *arena, const struct check_rules_options *options, FILE *out,
                      struct check_rules *ret, struct err *err)
{
    *ret = (struct check_rules){.gatekeeper = {.arena = arena}};
    if (!options->npaths)
        return true;
    if (!open_rego(arena, options, out, ret, err))
        return false;
    for (size_t i = 0; i < options->npaths; i++)
        if (!gatekeeper_load(&ret->gatekeeper, options->paths[i], err))
            return false;
    if (!ret->entries && !ret->gatekeeper.nconstraints)
        return err_set(err, ERR_USAGE,
                       ret->gatekeeper.ntemplates
                           ? "--policy %.*s: templates without a constraint ask nothing"
                           : "--policy %.*s: no .rego file and no constraint of Gatekeeper",
                       STR_ARG(options->paths[0]));
    return !ret->gatekeeper.nconstraints ||
           (make_inventory(arena, options, &ret->inventory, err) &&
            gatekeeper_compile(&ret->gatekeeper, &ret->inventory, NULL, err));
}

void check_rules_close(struct check_rules *rules)
{
    gatekeeper_close(&rules->gatekeeper);
    entries_close(rules->entries);
    rego_close(rules->policy);
}

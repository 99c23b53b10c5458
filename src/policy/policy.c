/* policy.c - opening what judges, and the table of what it did. */
#include "base/err.h"
#include "base/io.h"
#include "lang/rego/lookups.h"
#include "policy/load.h"
#include "policy/policy_parts.h"

enum { WAIVER_FILE_MAX = 16 << 20 };

bool policy_note(struct policy *policy, struct arena *arena, struct str note)
{
    struct str *grown =
        arena_grow(arena, policy->note, policy->nnotes, &policy->note_room, policy->nnotes + 1);
    if (!grown || !note.ptr)
        return false;
    policy->note = grown;
    policy->note[policy->nnotes++] = note;
    return true;
}

/* --- opening --- */

struct opening {
    struct arena *arena;
    struct policy *policy;
    struct policy_problems *problems;
    struct rego_source *source;
    size_t nsources, source_room;
    struct value data;
    bool refused; /* a file has problems: the others are read for theirs */
};

/* A file that has problems is not the end: the others are read for theirs. False ends it. */
static bool refused(struct opening *o, size_t problems_before, const struct err *why,
                    struct err *err)
{
    const struct rule_problems *p = &o->problems->rules;
    if (!o->refused && err)
        *err = *why;
    o->refused = true;
    return p->n + p->left_out > problems_before;
}

static bool read_rules(struct opening *o, const struct policy_files *files, struct str pack,
                       struct err *err)
{
    const struct rule_problems *p = &o->problems->rules;
    for (size_t i = 0; i < files->nrule_files; i++) {
        struct err why = {0};
        size_t before = p->n + p->left_out;
        if (!rules_read_file(&o->policy->rules, o->arena, files->rule_file[i], pack,
                             &o->problems->rules, &why) &&
            !refused(o, before, &why, err))
            return false;
    }
    return true;
}

/* Tests of policies are not policies. */
static bool keep_sources(struct opening *o, const struct policy_files *files, struct err *err)
{
    for (size_t i = 0; i < files->nsources; i++) {
        if (str_ends(files->source[i].file, STR("_test.rego")))
            continue;
        struct rego_source *grown =
            arena_grow(o->arena, o->source, o->nsources, &o->source_room, o->nsources + 1);
        if (!grown)
            return arena_full(o->arena, err);
        o->source = grown;
        o->source[o->nsources++] = files->source[i];
    }
    return true;
}

/* A file of waivers among the policies covers nothing unless it is named as one. */
static bool note_waivers(struct opening *o, const struct policy_files *files, struct err *err)
{
    const struct policy_options *options = &o->policy->options;
    for (size_t i = 0; i < files->nwaiver_files; i++) {
        bool named = false;
        for (size_t k = 0; k < options->nwaivers; k++)
            named = named ||
                    str_equal(io_basename(options->waivers[k]), io_basename(files->waiver_file[i]));
        if (!named && !policy_note(o->policy, o->arena,
                                   arena_printf(o->arena,
                                                "%.*s holds waivers that nobody asks: name it in "
                                                "policy.waivers or with --waivers",
                                                STR_ARG(files->waiver_file[i]))))
            return arena_full(o->arena, err);
    }
    return true;
}

static bool read_source(struct opening *o, const struct policy_source *source, struct err *err)
{
    const struct policy_load_options how = {.v0 = o->policy->options.rego_v0, .rules = true};
    struct policy_files files;
    struct value merged;
    struct str clash;
    if (!policy_load(o->arena, &source->path, 1, &how, &files, err))
        return false;
    if (!note_waivers(o, &files, err))
        return false;
    if (!files.nsources && !files.nrule_files && !files.data.len)
        return err_set(err, ERR_USAGE, "%.*s: no rules, no Rego and no data",
                       STR_ARG(source->path));
    if (!policy_merge(o->arena, &o->data, &files.data, &merged, &clash))
        return clash.ptr ? err_set(err, ERR_CONFLICT, "%.*s: data.%.*s is there already",
                                   STR_ARG(source->path), STR_ARG(clash))
                         : arena_full(o->arena, err);
    o->data = merged;
    return read_rules(o, &files, source->pack, err) && keep_sources(o, &files, err);
}

static bool read_waivers(struct opening *o, struct err *err)
{
    const struct policy_options *options = &o->policy->options;
    const struct rule_problems *p = &o->problems->rules;
    for (size_t i = 0; i < options->nwaivers; i++) {
        struct str text, path = arena_dup(o->arena, options->waivers[i]);
        struct err why = {0};
        size_t before = p->n + p->left_out;
        if (!path.ptr)
            return arena_full(o->arena, err);
        if (!io_read_file(o->arena, path.ptr, WAIVER_FILE_MAX, &text, err))
            return err_wrap(err, "waivers");
        if (!waivers_read(&o->policy->waivers, o->arena, text, path, &o->problems->rules, &why) &&
            !refused(o, before, &why, err))
            return false;
    }
    return true;
}

static bool compile(struct opening *o, struct err *err)
{
    struct policy *policy = o->policy;
    struct rego_compile_options how = {.cancel = policy->options.cancel};
    struct rego_diags *diags = &o->problems->rego;
    if (!o->nsources)
        return true;
    rego_compile_within(&how, &policy->options.capabilities);
    struct value *data = arena_new(o->arena, struct value, 1);
    if (!data)
        return arena_full(o->arena, err);
    *data = o->data;
    bool ok = rego_compile(o->source, o->nsources, data, &how, diags, &policy->rego, err);
    if (ok)
        rego_allow_all(policy->rego);
    if (ok && policy_find_entries(policy, o->arena, diags, err))
        return true;
    if (diags->n)
        return err_set(err, ERR_SYNTAX, "%.*s:%u:%u: %s: %.*s", STR_ARG(diags->diag[0].file),
                       diags->diag[0].row, diags->diag[0].col, diags->diag[0].code,
                       STR_ARG(diags->diag[0].message));
    return false;
}

static bool open_all(struct opening *o, struct err *err)
{
    struct policy *policy = o->policy;
    for (size_t i = 0; i < policy->options.nsources; i++)
        if (!read_source(o, &policy->options.source[i], err))
            return false;
    if (!read_waivers(o, err) || o->refused)
        return false;
    return compile(o, err) && rule_counts_init(&policy->counts, o->arena, &policy->rules, err);
}

bool policy_open(struct arena *arena, const struct policy_options *options,
                 struct policy_problems *problems, struct policy **ret, struct err *err)
{
    struct policy *policy = arena_new(arena, struct policy, 1);
    struct opening o = {
        .arena = arena, .policy = policy, .problems = problems, .data = {.kind = VALUE_OBJECT}};
    *ret = NULL;
    if (!policy)
        return arena_full(arena, err);
    policy->options = *options;
    if (!open_all(&o, err)) {
        policy_close(policy);
        return false;
    }
    *ret = policy;
    return true;
}

void policy_close(struct policy *policy)
{
    if (!policy)
        return;
    for (size_t i = 0; i < policy->nentries; i++)
        rego_query_close(policy->entry[i].query);
    policy->nentries = 0;
    rego_close(policy->rego);
    policy->rego = NULL;
    rules_close(&policy->rules);
}

/* --- what it did --- */

/* Paths that a condition looked for in vain in every subject: misspelt, or never set. */
static bool list_never_had(struct arena *arena, const struct condition *c,
                           const struct rule_count *count, struct str *list, size_t *n)
{
    bool never = c->has_path && count->path[c->id].read && !count->path[c->id].had;
    if (never)
        list[(*n)++] = c->path_text;
    for (size_t i = 0; !never && i < c->nparts; i++)
        if (!list_never_had(arena, &c->part[i], count, list, n))
            return false;
    return true;
}

static bool rule_row(const struct policy *policy, size_t i, struct arena *arena,
                     struct policy_row *ret)
{
    const struct rule *rule = &policy->rules.rule[i];
    const struct rule_count *count = &policy->counts.rule[i];
    struct str *never = arena_new(arena, struct str, rule->npaths);
    *ret = (struct policy_row){.rule = rule->name,
                               .at = rule->at,
                               .asked = policy->counts.subjects,
                               .applicable = count->applicable,
                               .matched = count->matched,
                               .unknown = count->unknown};
    if (!never)
        return false;
    if (rule->when && !list_never_had(arena, rule->when, count, never, &ret->nnever_had))
        return false;
    ret->never_had = never;
    return true;
}

static bool waiver_note(struct policy *policy, struct arena *arena, const struct waiver *waiver)
{
    struct str note;
    struct location at = waiver->at;
    if (waiver->expires_utc_ms <= policy->options.now_utc_ms)
        note = arena_printf(arena,
                            "waiver %.*s:%u (%.*s; owner %.*s) expired %.*s and covers "
                            "nothing any more",
                            STR_ARG(at.file), at.line, STR_ARG(waiver->reason),
                            STR_ARG(waiver->owner), STR_ARG(waiver->expires));
    else if (waiver->voided && !waiver->used)
        note = arena_printf(arena,
                            "waiver %.*s:%u (%.*s; owner %.*s) is void: the value has "
                            "changed since it was accepted",
                            STR_ARG(at.file), at.line, STR_ARG(waiver->reason),
                            STR_ARG(waiver->owner));
    else if (!waiver->used && !policy->options.partial)
        note = arena_printf(arena,
                            "waiver %.*s:%u (%.*s; owner %.*s) was not needed: nothing "
                            "that it names was found as it was accepted",
                            STR_ARG(at.file), at.line, STR_ARG(waiver->reason),
                            STR_ARG(waiver->owner));
    else
        return true;
    return policy_note(policy, arena, note);
}

bool policy_report(struct policy *policy, struct arena *arena, struct policy_report *ret,
                   struct err *err)
{
    size_t n = 0;
    struct policy_row *row =
        arena_new(arena, struct policy_row, policy->rules.n + policy->nentries);
    if (!row)
        return arena_full(arena, err);
    for (size_t i = 0; i < policy->rules.n; i++)
        if (!rule_row(policy, i, arena, &row[n++]))
            return arena_full(arena, err);
    for (size_t i = 0; i < policy->nentries; i++) {
        const struct policy_entry *entry = &policy->entry[i];
        struct str *never;
        size_t nnever;
        if (!rego_lookups_never_had(entry->lookups, arena, &never, &nnever))
            return arena_full(arena, err);
        row[n++] = (struct policy_row){.rule = entry->name,
                                       .at = entry->at,
                                       .asked = entry->asked,
                                       .applicable = entry->asked,
                                       .matched = entry->matched,
                                       .errors = entry->errors,
                                       .never_had = never,
                                       .nnever_had = nnever};
    }
    for (size_t i = 0; i < policy->waivers.n; i++)
        if (!waiver_note(policy, arena, &policy->waivers.item[i]))
            return arena_full(arena, err);
    policy->waivers.n = 0; /* told */
    *ret = (struct policy_report){.row = row,
                                  .n = n,
                                  .note = policy->note,
                                  .nnotes = policy->nnotes,
                                  .judged = policy->judged};
    for (size_t i = 0; i < DECISION_COUNT; i++)
        ret->by_decision[i] = policy->by_decision[i];
    return true;
}

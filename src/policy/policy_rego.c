/* policy_rego.c - Rego packages as judges: which rules are asked, and what their answers mean. */
#include "base/buf.h"
#include "base/err.h"
#include "lang/rego/lookups.h"
#include "policy/conftest.h"
#include "policy/input.h"
#include "policy/plain.h"
#include "policy/policy_parts.h"
#include "policy/references.h"
#include "policy/unasked.h"
#include "wire/json.h"

enum { TIMEOUT_MS = 5000, NAME_MAX_BYTES = 1 << 16 };

/* --- entries --- */

static struct str package_name(struct arena *arena, const struct rego_module *module)
{
    AUTO_BUF out = {.limit = NAME_MAX_BYTES};
    rego_term_text(&out, module->package);
    return out.failed ? (struct str){0} : arena_dup(arena, buf_view(&out));
}

static bool entry_kind_of(struct str name, enum entry_kind *ret)
{
    if (str_equal(name, STR("decision")))
        *ret = ENTRY_DECISION;
    else if (conftest_is_failure(name))
        *ret = ENTRY_BLOCK;
    else if (conftest_is_warning(name))
        *ret = ENTRY_NOTIFY;
    else
        return false;
    return true;
}

static bool add_entry(struct policy *policy, struct arena *arena, const struct rego_rule *rule,
                      enum entry_kind kind, struct rego_diags *diags, struct err *err)
{
    struct str package = package_name(arena, rule->module), name = conftest_rule_name(rule);
    struct policy_entry entry = {
        .kind = kind,
        .name = arena_printf(arena, "%.*s.%.*s", STR_ARG(package), STR_ARG(name)),
        .at = {.file = rule->module->file, .line = rule->place.row, .column = rule->place.col}};
    if (!entry.name.ptr || !package.ptr)
        return arena_full(arena, err);
    for (size_t i = 0; i < policy->nentries; i++)
        if (str_equal(policy->entry[i].name, entry.name))
            return true;
    struct policy_entry *grown = arena_grow(arena, policy->entry, policy->nentries,
                                            &policy->entry_room, policy->nentries + 1);
    if (!grown)
        return arena_full(arena, err);
    policy->entry = grown;
    entry.lookups = rego_lookups_make(arena);
    if (!entry.lookups)
        return arena_full(arena, err);
    if (!rego_prepare(policy->rego, entry.name, diags, &entry.query, err))
        return err_wrap(err, "%.*s", STR_ARG(entry.name));
    policy->entry[policy->nentries++] = entry;
    return true;
}

static bool has_entry(const struct policy *policy, struct str package)
{
    for (size_t i = 0; i < policy->nentries; i++) {
        struct str name = policy->entry[i].name;
        if (str_starts(name, package) && name.len > package.len && name.ptr[package.len] == '.' &&
            str_find_char(name, '.', package.len + 1) == SIZE_MAX)
            return true;
    }
    return false;
}

static enum unasked how_asked(void *ctx, const struct rego_module *module)
{
    struct policy *policy = ctx;
    AUTO_BUF name = {.limit = NAME_MAX_BYTES};
    rego_term_text(&name, module->package);
    return has_entry(policy, buf_view(&name)) ? UNASKED_NO : UNASKED_NONE;
}

static bool note_unasked(struct policy *policy, struct arena *arena)
{
    const struct unasked_options how = {.of = how_asked, .ctx = policy};
    struct str *note = NULL;
    size_t n = 0;
    bool ok = unasked_find(arena, policy->rego, &how, &note, &n);
    for (size_t i = 0; ok && i < n; i++)
        ok = policy_note(policy, arena, note[i]);
    return ok;
}

bool policy_find_entries(struct policy *policy, struct arena *arena, struct rego_diags *diags,
                         struct err *err)
{
    size_t n = rego_module_count(policy->rego);
    enum entry_kind kind;
    for (size_t i = 0; i < n; i++) {
        const struct rego_module *module = rego_module_at(policy->rego, i);
        for (size_t k = 0; k < module->nrules; k++)
            if (module->rules[k]->head.kind != REGO_HEAD_FUNCTION &&
                entry_kind_of(conftest_rule_name(module->rules[k]), &kind) &&
                (kind == ENTRY_DECISION || !policy->options.decisions_only) &&
                !add_entry(policy, arena, module->rules[k], kind, diags, err))
                return false;
    }
    return policy->options.decisions_only || note_unasked(policy, arena) || arena_full(arena, err);
}

/* --- answers --- */

struct asking {
    struct policy *policy;
    struct policy_drafts *drafts;
    const struct rule_subject *subject;
    struct policy_entry *entry;
    struct arena *arena;
};

static bool add_error(struct asking *a, struct str message)
{
    const struct verdict verdict = {.rule = a->entry->name,
                                    .at = a->entry->at,
                                    .decision = DECISION_BLOCK,
                                    .message = message,
                                    .error = true};
    a->entry->errors++;
    return message.ptr && policy_drafts_add(a->drafts, &verdict);
}

/* "tags.owner", or ["tags", "owner"]. */
static bool path_of(struct asking *a, const struct value *v, struct path *ret)
{
    if (value_is_string(v))
        return path_parse(a->arena, value_text(v), ret, NULL);
    if (!value_is_list_like(v))
        return false;
    struct path_step *step = arena_new(a->arena, struct path_step, v->len);
    if (!step)
        return false;
    for (size_t i = 0; i < v->len; i++) {
        if (value_is_string(&v->items[i]))
            step[i] = (struct path_step){.kind = PATH_KEY, .key = value_text(&v->items[i])};
        else if (value_to_int64(&v->items[i], &step[i].index))
            step[i].kind = PATH_INDEX;
        else
            return false;
        if (str_equal(step[i].key, STR("*")))
            step[i].kind = PATH_ELEMENT;
    }
    *ret = (struct path){step, v->len};
    return true;
}

/* Which changes a verdict with `paths` is about. False: not paths. */
static bool cover(struct asking *a, const struct value *paths, struct policy_draft *draft)
{
    const struct rule_subject *s = a->subject;
    if (!value_is_list_like(paths))
        return false;
    draft->covers = arena_new(a->arena, bool, s->nchanges);
    for (size_t i = 0; draft->covers && i < paths->len; i++) {
        struct path path;
        if (!path_of(a, &paths->items[i], &path))
            return false;
        for (size_t k = 0; k < s->nchanges; k++)
            draft->covers[k] |= path_covered(path, s->change[k].path);
    }
    return draft->covers != NULL;
}

/* One text or a list of them; what is wrong with one in *ret_bad. */
static bool texts_of(struct asking *a, const struct value *v, const enum reference *kind,
                     const struct str **ret, size_t *ret_n, struct str *ret_bad)
{
    size_t n = !v ? 0 : value_is_list_like(v) ? v->len : 1;
    const struct value *item = n && value_is_list_like(v) ? v->items : v;
    struct str *list = arena_new(a->arena, struct str, n + 1), meant;
    if (!list)
        return false;
    for (size_t i = 0; i < n && !ret_bad->len; i++) {
        list[i] = value_is_string(&item[i]) ? value_text(&item[i]) : STR("");
        if (!list[i].len)
            *ret_bad = STR("references: want a text, or a list of texts");
        else if (kind && !reference_known(a->arena, *kind, list[i], &meant))
            *ret_bad = arena_printf(a->arena, "references: %s has no '%.*s'%s%.*s%s",
                                    reference_name(*kind), STR_ARG(list[i]),
                                    meant.len ? "; did you mean '" : "", STR_ARG(meant),
                                    meant.len ? "'?" : "");
    }
    *ret = list;
    *ret_n = n;
    return ret_bad->ptr;
}

static bool references_of(struct asking *a, const struct value *v, struct verdict *ret,
                          struct str *ret_bad)
{
    static const enum reference csf = REFERENCE_CSF, controls = REFERENCE_800_53;
    *ret_bad = STR("");
    if (v && !value_is_object_like(v))
        *ret_bad = STR("`references` is an object: csf, 800-53, cis, links");
    return texts_of(a, value_get(v, STR("csf")), &csf, &ret->csf, &ret->ncsf, ret_bad) &&
           texts_of(a, value_get(v, STR("800-53")), &controls, &ret->sp800_53, &ret->nsp800_53,
                    ret_bad) &&
           texts_of(a, value_get(v, STR("cis")), NULL, &ret->cis, &ret->ncis, ret_bad) &&
           texts_of(a, value_get(v, STR("links")), NULL, &ret->links, &ret->nlinks, ret_bad);
}

/* decision, severity, reason, owner, paths, deadline, references of one member. */
static bool add_decision(struct asking *a, const struct value *v)
{
    struct verdict verdict = {.rule = a->entry->name, .at = a->entry->at};
    const struct value *paths = value_get(v, STR("paths"));
    struct str severity = value_get_string(v, STR("severity"));
    struct str deadline = value_get_string(v, STR("deadline"));
    struct str message = value_get_string(v, STR("reason")), bad;
    if (!decision_from(value_get_string(v, STR("decision")), &verdict.decision))
        return add_error(a, STR("a decision without `decision`: ignore, notify, review, revert or "
                                "block"));
    verdict.has_severity = severity_from(severity, &verdict.severity);
    if (severity.len && !verdict.has_severity)
        return add_error(a, arena_printf(a->arena, "no such severity: %.*s", STR_ARG(severity)));
    if (deadline.len && !rule_deadline_parse(deadline, &verdict.deadline_ms))
        return add_error(
            a, arena_printf(a->arena, "not a deadline such as 3d: %.*s", STR_ARG(deadline)));
    if (!references_of(a, value_get(v, STR("references")), &verdict, &bad))
        return false;
    if (bad.len)
        return add_error(a, bad);
    verdict.message = message.len ? message : value_get_string(v, STR("msg"));
    verdict.owner = value_get_string(v, STR("owner"));
    verdict.remedy = value_get_string(v, STR("fix"));
    verdict.deadline = deadline;
    if (!verdict.message.len)
        verdict.message = verdict.rule;
    struct policy_draft *draft = policy_drafts_add(a->drafts, &verdict);
    if (!draft)
        return false;
    if (paths && paths->kind != VALUE_NULL && a->subject->nchanges && !cover(a, paths, draft)) {
        a->drafts->n--;
        return add_error(a, STR("`paths` is a list of paths: \"tags.owner\" or [\"tags\", "
                                "\"owner\"]"));
    }
    return true;
}

/* A text, or an object with `msg`; severity and owner beside it are taken, too. */
static bool add_message(struct asking *a, const struct value *v)
{
    struct verdict verdict = {.rule = a->entry->name,
                              .at = a->entry->at,
                              .decision =
                                  a->entry->kind == ENTRY_BLOCK ? DECISION_BLOCK : DECISION_NOTIFY};
    if (value_is_string(v)) {
        verdict.message = value_text(v);
    } else {
        verdict.message = value_get_string(v, STR("msg"));
        verdict.owner = value_get_string(v, STR("owner"));
        verdict.has_severity =
            severity_from(value_get_string(v, STR("severity")), &verdict.severity);
    }
    if (!verdict.message.len)
        return add_error(a, STR("want a text, or an object with `msg`"));
    return policy_drafts_add(a->drafts, &verdict) != NULL;
}

static bool add_member(struct asking *a, const struct value *v)
{
    return a->entry->kind == ENTRY_DECISION ? add_decision(a, v) : add_message(a, v);
}

/* The value of the rule: a set or a list of answers, one object, or a mere truth value. */
static bool add_answers(struct asking *a, const struct value *v)
{
    if (v->kind == VALUE_BOOL)
        return !v->truth || add_error(a, arena_printf(a->arena,
                                                      "%.*s is true: it says no message (write "
                                                      "`contains`)",
                                                      STR_ARG(a->entry->name)));
    if (!value_is_list_like(v))
        return (value_is_object_like(v) && v->len == 0) || add_member(a, v);
    for (size_t i = 0; i < v->len; i++)
        if (!add_member(a, &v->items[i]))
            return false;
    return true;
}

static bool ask(struct asking *a, const struct value *input, struct err *err)
{
    const struct policy_options *o = &a->policy->options;
    const struct rego_eval_options how = {.host = {.now_utc_ns = o->now_utc_ms * 1000000},
                                          .deadline_ms = o->timeout_ms ? o->timeout_ms : TIMEOUT_MS,
                                          .lookups = a->entry->lookups,
                                          .cancel = o->cancel};
    struct rego_result result;
    struct value plain;
    size_t before = a->drafts->n;
    uint64_t errors = a->entry->errors;
    if (!rego_eval(a->entry->query, input, &how, a->arena, &result, err))
        return err_wrap(err, "%.*s", STR_ARG(a->entry->name));
    a->entry->asked++;
    if (result.error.code) {
        struct str message = arena_printf(
            a->arena, "%.*s:%u:%u: %s: %.*s", STR_ARG(result.error.file), result.error.row,
            result.error.col, result.error.code, STR_ARG(result.error.message));
        return add_error(a, message) || arena_full(a->arena, err);
    }
    if (!result.values.len)
        return true;
    if (!policy_plain(a->arena, &result.values.items[0].items[0], &plain, err))
        return false;
    if (!add_answers(a, &plain))
        return arena_full(a->arena, err);
    a->entry->matched += a->drafts->n > before && a->entry->errors == errors;
    return true;
}

bool policy_ask_entries(struct policy *policy, struct policy_drafts *drafts,
                        const struct rule_subject *subject, struct err *err)
{
    struct value input;
    struct asking a = {
        .policy = policy, .drafts = drafts, .subject = subject, .arena = drafts->arena};
    if (!policy->nentries)
        return true;
    if (!input_make(drafts->arena, subject, &input, err))
        return false;
    for (size_t i = 0; i < policy->nentries; i++) {
        a.entry = &policy->entry[i];
        if (!ask(&a, &input, err))
            return false;
    }
    return true;
}

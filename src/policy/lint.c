/* lint.c - reading rule and waiver files for what is wrong with them. */
#include "policy/lint.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/glob.h"
#include "policy/gatekeeper.h"
#include "policy/pack.h"
#include "policy/waiver.h"

struct linter {
    struct arena *arena;
    struct policy_lint *item;
    size_t n, room;
};

static const struct {
    const char *name, *meaning;
    bool error;
} kinds[] = {
#define X(constant, name, error, meaning) [constant] = {name, meaning, error},
    POLICY_LINTS(X)
#undef X
};

const char *policy_lint_name(enum policy_lint_kind kind)
{
    return kind < POLICY_LINT_KINDS ? kinds[kind].name : "";
}

const char *policy_lint_meaning(enum policy_lint_kind kind)
{
    return kind < POLICY_LINT_KINDS ? kinds[kind].meaning : "";
}

bool policy_lint_is_error(enum policy_lint_kind kind)
{
    return kind < POLICY_LINT_KINDS && kinds[kind].error;
}

static bool add(struct linter *l, enum policy_lint_kind kind, struct location at,
                struct str message)
{
    struct policy_lint *grown = arena_grow(l->arena, l->item, l->n, &l->room, l->n + 1);
    if (!grown || !message.ptr)
        return false;
    l->item = grown;
    grown[l->n++] = (struct policy_lint){kind, at, message};
    return true;
}

/* A file that has problems is told of; one that is no YAML is told of by its error. */
static bool add_problems(struct linter *l, enum policy_lint_kind kind, struct str file,
                         const struct rule_problems *problems, const struct err *why,
                         struct err *err)
{
    char text[ERR_TEXT_MAX];
    bool ok = true;
    if (why->kind == ERR_LIMIT || why->kind == ERR_IO) {
        *err = *why;
        return false;
    }
    for (size_t i = 0; ok && i < problems->n; i++)
        ok = add(l, kind, problems->item[i].at, problems->item[i].text);
    if (ok && !problems->n)
        ok = add(l, kind, (struct location){.file = file, .line = 1, .column = 1},
                 arena_dup(l->arena, str_from(err_text(why, text, sizeof text))));
    return ok || arena_full(l->arena, err);
}

static bool lint_rules(struct linter *l, const struct policy_files *files, struct rules *rules,
                       struct err *err)
{
    for (size_t i = 0; i < files->nrule_files; i++) {
        struct rule_problems problems = {.arena = l->arena};
        struct err why = {0};
        if (!rules_read_file(rules, l->arena, files->rule_file[i], STR(""), &problems, &why) &&
            !add_problems(l, POLICY_LINT_RULES, files->rule_file[i], &problems, &why, err))
            return false;
    }
    return true;
}

/* Rules are known here by their ids: which pack stands before them is said where they are used. */
static bool names_a_rule(struct str glob, const struct rules *rules)
{
    size_t slash = str_find_char(glob, '/', 0);
    struct str id = slash == SIZE_MAX ? glob : str_sub(glob, slash + 1, glob.len);
    for (size_t i = 0; i < rules->n; i++)
        if (glob_match(id, rules->rule[i].id, '\0') || glob_match(glob, rules->rule[i].id, '\0'))
            return true;
    return !rules->n || str_starts(glob, STR("data."));
}

static bool lint_waiver(struct linter *l, const struct waiver *waiver, const struct rules *rules,
                        int64_t now_utc_ms)
{
    if (waiver->expires.len && waiver->expires_utc_ms <= now_utc_ms &&
        !add(l, POLICY_LINT_EXPIRED, waiver->at,
             arena_printf(l->arena, "expired %.*s and covers nothing any more (%.*s; owner %.*s)",
                          STR_ARG(waiver->expires), STR_ARG(waiver->reason),
                          STR_ARG(waiver->owner))))
        return false;
    return !waiver->rule.len || names_a_rule(waiver->rule, rules) ||
           add(l, POLICY_LINT_NO_RULE, waiver->at,
               arena_printf(l->arena, "no rule of these files is called %.*s",
                            STR_ARG(waiver->rule)));
}

static bool lint_waivers(struct linter *l, const struct policy_files *files,
                         const struct rules *rules, int64_t now_utc_ms, struct err *err)
{
    for (size_t i = 0; i < files->nwaiver_files; i++) {
        struct rule_problems problems = {.arena = l->arena};
        struct waivers waivers = {0};
        struct err why = {0};
        struct str text, file = files->waiver_file[i];
        if (!pack_read_text(l->arena, file, RULE_FILE_MAX, &text, err))
            return false;
        if (!waivers_read(&waivers, l->arena, text, file, &problems, &why) &&
            !add_problems(l, POLICY_LINT_WAIVERS, file, &problems, &why, err))
            return false;
        for (size_t k = 0; k < waivers.n; k++)
            if (!lint_waiver(l, &waivers.item[k], rules, now_utc_ms))
                return arena_full(l->arena, err);
    }
    return true;
}

/* Templates and constraints are no data, and nobody takes them for it. */
static bool lint_data(struct linter *l, const struct policy_files *files,
                      const struct gatekeeper *gatekeeper, struct err *err)
{
    for (size_t i = 0; i < files->npassed_over; i++) {
        struct location at = {.file = files->passed_over[i].file, .line = 1, .column = 1};
        if (!gatekeeper_has_file(gatekeeper, at.file) &&
            !add(l, POLICY_LINT_UNREAD, at, files->passed_over[i].why))
            return arena_full(l->arena, err);
    }
    return true;
}

static bool lint_constraints(struct linter *l, const struct gatekeeper *g, struct err *err)
{
    for (size_t i = 0; i < g->nconstraints; i++) {
        const struct gatekeeper_constraint *c = &g->constraint[i];
        size_t k = 0;
        while (k < g->ntemplates && !str_equal(g->template[k] -> kind, c -> kind))
            k++;
        if (k == g->ntemplates &&
            !add(l, POLICY_LINT_NO_TEMPLATE, c->at,
                 arena_printf(l->arena, "%.*s: no ConstraintTemplate of these files is for %.*s",
                              STR_ARG(c->name), STR_ARG(c->kind))))
            return arena_full(l->arena, err);
    }
    return true;
}

bool policy_lint(struct arena *arena, const struct policy_files *files,
                 const struct gatekeeper *gatekeeper, int64_t now_utc_ms, struct policy_lint **ret,
                 size_t *ret_n, struct err *err)
{
    struct linter l = {.arena = arena};
    struct rules rules = {0};
    bool ok = lint_rules(&l, files, &rules, err) &&
              lint_waivers(&l, files, &rules, now_utc_ms, err) &&
              lint_constraints(&l, gatekeeper, err) && lint_data(&l, files, gatekeeper, err);
    rules_close(&rules);
    *ret = l.item;
    *ret_n = l.n;
    return ok;
}

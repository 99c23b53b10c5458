/* gate_policy.c - what a plan would leave behind, before policy. */
#include "base/arena.h"
#include "base/err.h"
#include "enforce/gate_facts_parts.h"
#include "model/stack.h"
#include "policy/document.h"
#include "policy/policy.h"
#include "scan/check_subject.h"
#include "scan/plan_code.h"

enum { VIOLATIONS_MAX = 100000 };

/* The entry as a plan of one change. */
static bool document_of(struct arena *arena, const struct value *entry, struct document *ret,
                        struct err *err)
{
    struct value *root = arena_new(arena, struct value, 1);
    struct value *item = arena_new(arena, struct value, 1);
    struct value_member *member = arena_new(arena, struct value_member, 1);
    const struct value_key *key = key_make(arena, STR("resource_changes"));
    if (!root || !item || !member || !key)
        return arena_full(arena, err);
    *item = *entry;
    *member = (struct value_member){key, value_items(VALUE_TUPLE, item, 1)};
    *ret = (struct document){.kind = DOCUMENT_PLAN, .root = root, .whole = root};
    return value_members(VALUE_OBJECT, member, 1, root, NULL, err);
}

static bool find_place(struct gathering *g, struct str address, struct path path,
                       struct location *ret)
{
    struct str excerpt, note;
    *ret = (struct location){0};
    return !g->asking->code || plan_code_place(g->asking->code, &g->variables, address, path, ret,
                                               &excerpt, &note, g->err);
}

static bool keep(struct gathering *g, struct str from, struct str *to)
{
    *to = arena_dup(g->arena, from);
    return to->ptr || arena_full(g->arena, g->err);
}

static bool add_verdict(struct gathering *g, struct str address, const struct verdict *verdict)
{
    if (verdict->decision == DECISION_IGNORE || verdict->waived_by.len)
        return true;
    if (g->nviolations == VIOLATIONS_MAX)
        return err_set(g->err, ERR_LIMIT, "more than %d violations of policy", VIOLATIONS_MAX);
    struct gate_violation *grown =
        arena_grow(g->arena, g->violation, g->nviolations, &g->violation_room, g->nviolations + 1);
    if (!grown)
        return arena_full(g->arena, g->err);
    g->violation = grown;
    struct gate_violation *v = &grown[g->nviolations++];
    *v = (struct gate_violation){.address = address,
                                 .severity =
                                     verdict->has_severity ? verdict->severity : SEVERITY_HIGH,
                                 .warning = !decision_is_violation(verdict->decision),
                                 .error = verdict->error,
                                 .rule_at = verdict->at};
    struct str where = path_text(g->arena, verdict->where);
    return keep(g, where, &v->path) && keep(g, verdict->rule, &v->rule) &&
           keep(g, verdict->message.len ? verdict->message : verdict->rule, &v->message) &&
           keep(g, verdict->remedy, &v->remedy) && keep(g, verdict->why, &v->why) &&
           keep(g, verdict->at.file, &v->rule_at.file) &&
           find_place(g, address, verdict->where, &v->at);
}

static void surround(const struct gate_asking *asking, struct rule_subject *s)
{
    const struct stack *stack = asking->stack;
    s->stack = stack->name;
    s->stack_path = stack->path;
    s->workspace = stack->workspace;
    s->env = stack->environment;
    s->owner = stack->owner;
    s->now_utc_ms = asking->scan.now_utc_ms;
    s->enforcement_point = STR("gate");
}

static bool judge_entry(struct gathering *g, struct arena *scratch, const struct plan_entry *entry)
{
    struct plan_change change;
    struct document document;
    struct check_resources found;
    if (!plan_change_read(scratch, entry, g->asking->plan_name, &change, g->err) ||
        !document_of(scratch, &change.entry, &document, g->err) ||
        !check_resources_find(scratch, &document, &found, g->err))
        return false;
    for (size_t i = 0; i < found.n; i++) {
        struct rule_subject subject = found.item[i].subject;
        struct judgement said;
        surround(g->asking, &subject);
        if (!policy_judge(g->asking->scan.policy, scratch, &subject, &said, g->err))
            return err_wrap(g->err, "policy of %.*s", STR_ARG(entry->address));
        for (size_t k = 0; k < said.nverdicts; k++)
            if (!add_verdict(g, entry->address, &said.verdict[k]))
                return false;
    }
    return true;
}

bool gather_policy(struct gathering *g)
{
    const struct plan_doc *doc = &g->seen->doc;
    AUTO_ARENA scratch = {.limit = ARENA_DEFAULT_LIMIT};
    if (!g->asking->scan.policy)
        return gathering_note(g, STR("no policy is configured: nobody judges what the plan leaves "
                                     "behind"));
    for (size_t i = 0; i < doc->ntouches; i++) {
        arena_reset(&scratch);
        if (!judge_entry(g, &scratch, &doc->touch[i]))
            return false;
    }
    return true;
}

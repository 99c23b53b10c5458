/* gate_facts.c - gathers what gate_decide asks. */
#include "enforce/gate_facts.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "desired/desired.h"
#include "enforce/gate_facts_parts.h"
#include "wire/json.h"

static bool add_text(struct gathering *g, struct str **list, size_t *n, size_t *room,
                     struct str what)
{
    struct str *grown = what.ptr ? arena_grow(g->arena, *list, *n, room, *n + 1) : NULL;
    if (!grown)
        return arena_full(g->arena, g->err);
    *list = grown;
    grown[(*n)++] = what;
    return true;
}

bool gathering_deny(struct gathering *g, struct str what)
{
    return add_text(g, &g->cannot_tell, &g->ncannot_tell, &g->cannot_room, what);
}

bool gathering_note(struct gathering *g, struct str what)
{
    return add_text(g, &g->note, &g->nnotes, &g->note_room, what);
}

bool gathering_failed(struct gathering *g, const char *what, const struct err *why)
{
    char text[ERR_FRAMES_MAX * ERR_TEXT_MAX];
    if (why->kind == ERR_CANCELLED || g->arena->used >= g->arena->limit) {
        *g->err = *why;
        return false;
    }
    return gathering_deny(g,
                          arena_printf(g->arena, "%s: %s", what, err_text(why, text, sizeof text)));
}

/* --- what the plan touches, and what drifted before it --- */

static void take(struct gathering *g, const struct plan_entry *entry, enum plan_action action)
{
    struct gate_touch *last = g->ntouches ? &g->touch[g->ntouches - 1] : NULL;
    if (last && str_equal(last->address, entry->address)) {
        last->action = action < last->action ? action : last->action;
        return;
    }
    g->touch[g->ntouches++] = (struct gate_touch){.address = entry->address,
                                                  .previous = entry->previous_address,
                                                  .type = entry->type,
                                                  .action = action};
}

static bool list_touches(struct gathering *g)
{
    const struct plan_doc *doc = &g->seen->doc;
    size_t i = 0, k = 0;
    g->touch = arena_new(g->arena, struct gate_touch, doc->ntouches + doc->ndrifts);
    if (!g->touch)
        return arena_full(g->arena, g->err);
    while (i < doc->ntouches || k < doc->ndrifts) {
        bool drift =
            i == doc->ntouches ||
            (k < doc->ndrifts && str_compare(doc->drift[k].address, doc->touch[i].address) < 0);
        if (drift)
            take(g, &doc->drift[k++], PLAN_NO_OP);
        else
            take(g, &doc->touch[i], doc->touch[i].action), i++;
    }
    return true;
}

static bool take_variables(struct gathering *g)
{
    struct value *member = arena_new(g->arena, struct value, 1);
    struct value_member *one = arena_new(g->arena, struct value_member, 1);
    const struct value_key *key = key_make(g->arena, STR("variables"));
    struct str text = g->seen->doc.variables;
    if (!member || !one || !key)
        return arena_full(g->arena, g->err);
    *member = value_null();
    if (text.len && !json_parse(g->arena, text, g->asking->plan_name,
                                JSON_DUPLICATES_LAST | JSON_NFC, member, g->err))
        return false;
    one[0] = (struct value_member){key, *member};
    return value_members(VALUE_OBJECT, one, 1, &g->variables, NULL, g->err);
}

/* What the decision does not cover. */
static bool note_limits(struct gathering *g)
{
    const struct plan_doc *doc = &g->seen->doc;
    if (doc->incomplete && !gathering_note(g, STR("the plan is not all of it: -target or -exclude, "
                                                  "or something was put off")))
        return false;
    return !doc->ninvocations ||
           gathering_note(g, arena_printf(g->arena,
                                          "the plan invokes %zu action%s of providers: no plan "
                                          "says what these change",
                                          doc->ninvocations, doc->ninvocations == 1 ? "" : "s"));
}

/* --- the state --- */

static bool take_saved(struct gathering *g)
{
    struct saved_plan saved;
    struct gate_facts *f = &g->seen->facts;
    if (!g->asking->saved.len)
        return gathering_note(g, STR("a plan as JSON does not say which state and which code it "
                                     "was made from; a saved plan (-out) does"));
    if (!saved_plan_is(g->asking->saved))
        return gathering_note(g, STR("the saved plan is encrypted: which state and which code it "
                                     "was made from is not known"));
    if (!saved_plan_read(g->arena, g->asking->saved, g->asking->plan_name, &saved, g->err))
        return false;
    f->plan_state =
        (struct gate_state){.known = true, .lineage = saved.lineage, .serial = saved.serial};
    return true;
}

static bool take_state(struct gathering *g)
{
    struct desired *state;
    struct err why = {0};
    struct gate_facts *f = &g->seen->facts;
    if (g->asking->from_plan && !g->asking->saved.len)
        return true;
    if (!desired_open_stack_state(g->asking->stack, &state, &why))
        return gathering_failed(g, "the stack's state cannot be read", &why);
    const struct desired_info *info = desired_info(state);
    f->state = (struct gate_state){.known = true, .serial = info->serial};
    f->state.lineage = arena_dup(g->arena, info->lineage);
    desired_close(state);
    return f->state.lineage.ptr || arena_full(g->arena, g->err);
}

bool gate_gather(struct arena *arena, const struct gate_asking *asking, struct gate_seen *ret,
                 struct err *err)
{
    struct gate_seen seen = {0};
    struct err own = {0};
    struct gathering g = {.arena = arena, .asking = asking, .seen = &seen, .err = err ? err : &own};
    struct gate_facts *f = &seen.facts;
    f->stack = asking->stack->name;
    f->environment = asking->stack->environment;
    f->now_utc_ms = asking->scan.now_utc_ms;
    if (!plan_doc_read(arena, asking->plan, asking->plan_name, &seen.doc, g.err))
        return false;
    f->plan_errored = seen.doc.errored;
    if (!list_touches(&g) || !take_variables(&g) || !note_limits(&g) || !take_saved(&g) ||
        !take_state(&g) || !gather_live(&g) || !gather_policy(&g) || !gather_code(&g))
        return false;
    f->touch = g.touch;
    f->ntouches = g.ntouches;
    f->violation = g.violation;
    f->nviolations = g.nviolations;
    f->cannot_tell = g.cannot_tell;
    f->ncannot_tell = g.ncannot_tell;
    seen.note = g.note;
    seen.nnotes = g.nnotes;
    *ret = seen;
    return true;
}

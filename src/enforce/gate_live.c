/* gate_live.c - what is live now at the addresses of a plan, beside what the plan saw. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "drift/drift.h"
#include "enforce/gate_facts_parts.h"

enum { MOVED_MAX = 10000 };

struct reading {
    struct gathering *g;
    struct arena scratch; /* of one answer */
};

static int touch_order(const void *a, const void *b)
{
    const struct gate_touch *x = a, *y = b;
    return str_compare(x->address, y->address);
}

/* What was moved is found by the address that the state has, too. */
static struct gate_touch *find_touch(struct gathering *g, struct str address)
{
    struct gate_touch key = {.address = address};
    struct gate_touch *hit =
        g->ntouches ? bsearch(&key, g->touch, g->ntouches, sizeof key, touch_order) : NULL;
    for (size_t i = 0; !hit && i < g->nmoved; i++)
        if (str_equal(g->moved[i]->previous, address))
            hit = g->moved[i];
    return hit;
}

static bool list_moved(struct gathering *g)
{
    g->moved = arena_new(g->arena, struct gate_touch *, g->ntouches);
    if (!g->moved)
        return arena_full(g->arena, g->err);
    for (size_t i = 0; i < g->ntouches && g->nmoved < MOVED_MAX; i++)
        if (g->touch[i].previous.len)
            g->moved[g->nmoved++] = &g->touch[i];
    return true;
}

static int finding_order(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;
    int order = str_compare(x->address, y->address);
    return order ? order : (x->class_ > y->class_) - (x->class_ < y->class_);
}

/* Findings of what was moved under the address that the plan has. */
static bool follow_moves(struct gathering *g)
{
    struct stack_result *scan = &g->seen->scan;
    struct finding *copy = arena_new(g->arena, struct finding, scan->nfindings);
    if (!copy)
        return arena_full(g->arena, g->err);
    for (size_t i = 0; i < scan->nfindings; i++) {
        const struct gate_touch *touch = find_touch(g, scan->findings[i].address);
        copy[i] = scan->findings[i];
        if (touch)
            copy[i].address = touch->address;
    }
    if (scan->nfindings > 1)
        qsort(copy, scan->nfindings, sizeof *copy, finding_order);
    scan->findings = copy;
    return true;
}

/* --- before, and now --- */

/* Paths only: what the values were and are, the next plan shows. */
static bool keep_since(struct gathering *g, const struct observation *found,
                       struct gate_touch *touch)
{
    size_t n = 0;
    for (size_t i = 0; i < found->nfindings; i++)
        n += found->findings[i].class_ == CLASS_CONTRADICTS_CODE ? found->findings[i].nchanges : 0;
    struct change *kept = arena_new(g->arena, struct change, n);
    if (!kept)
        return arena_full(g->arena, g->err);
    n = 0;
    for (size_t i = 0; i < found->nfindings; i++) {
        const struct finding *finding = &found->findings[i];
        for (size_t k = 0; finding->class_ == CLASS_CONTRADICTS_CODE && k < finding->nchanges;
             k++) {
            const struct change *change = &finding->changes[k];
            if (change->ignored_by.len || !change->configurable)
                continue;
            kept[n] = (struct change){
                .path = arena_dup(g->arena, change->path), .sensitive = true, .configurable = true};
            if (!kept[n++].path.ptr)
                return arena_full(g->arena, g->err);
        }
    }
    touch->since = kept;
    touch->nsince = n;
    return true;
}

/* The plan's values in the types of the schema, as the reader's are. */
static struct value typed(struct arena *arena, const struct live_result *result,
                          const struct value *plain)
{
    struct value made;
    struct err ignored = {0};
    if (!result->schema || plain->kind == VALUE_NULL ||
        !type_apply(arena, result->schema->block.type, plain, false, &made, &ignored))
        return *plain;
    return made;
}

static bool compare(struct reading *r, const struct plan_entry *entry,
                    const struct live_result *result, struct gate_touch *touch)
{
    struct gathering *g = r->g;
    const struct scan_options *options = &g->asking->scan;
    struct plan_change change;
    struct observation found;
    if (!plan_change_read(&r->scratch, entry, g->asking->plan_name, &change, g->err))
        return false;
    touch->vanished = touch->gone && change.before.kind != VALUE_NULL;
    if (touch->gone || change.before.kind == VALUE_NULL)
        return true;
    struct value before = typed(&r->scratch, result, &change.before);
    if (value_equal(&before, &result->live))
        return true;
    const struct drift_input in = {
        .resource = result->resource,
        .desired = &before,
        .live = &result->live,
        .schema = result->schema,
        .not_observed = result->not_observed,
        .nnot_observed = result->nnot_observed,
        .stack = g->asking->stack->name,
        .ignores = options->config ? options->config->ignores : NULL,
        .nignores = options->config ? options->config->nignores : 0,
        .now_utc_ms = options->now_utc_ms,
    };
    return drift_observe(&r->scratch, &in, &found, g->err) && keep_since(g, &found, touch);
}

/* The attributes of v that `wanted` names, null for those that v lacks; all of what is no object;
 * without types, which go with the provider's schema. */
static bool keep_some(struct gathering *g, const struct value *v, const struct str *wanted,
                      size_t n, const struct value **ret)
{
    struct value *kept = arena_new(g->arena, struct value, 1);
    struct value_member *member = arena_new(g->arena, struct value_member, n);
    if (!kept || !member)
        return arena_full(g->arena, g->err);
    *ret = kept;
    if (!value_is_object_like(v))
        return value_copy_untyped(g->arena, v, kept, g->err);
    for (size_t i = 0; i < n; i++) {
        const struct value *from = value_get(v, wanted[i]);
        member[i] = (struct value_member){key_make(g->arena, wanted[i]), value_null()};
        if (!member[i].key)
            return arena_full(g->arena, g->err);
        if (from && !value_copy_untyped(g->arena, from, &member[i].value, g->err))
            return false;
    }
    return value_members(VALUE_OBJECT, member, n, kept, NULL, g->err);
}

static bool add_name(struct arena *arena, struct str **list, size_t *n, size_t *room,
                     struct str name)
{
    for (size_t i = 0; i < *n; i++)
        if (str_equal((*list)[i], name))
            return true;
    *list = arena_grow(arena, *list, *n, room, *n + 1);
    if (*list)
        (*list)[(*n)++] = name;
    return *list != NULL;
}

/* What is not as it was recorded: the rest is in the findings, if it is anywhere. */
static bool keep_live(struct reading *r, const struct live_result *result, struct gate_touch *touch)
{
    const struct value *live = &result->live, *desired = &result->desired;
    struct str *names = NULL;
    size_t n = 0, room = 0;
    bool ok = true;
    if (touch->gone || value_equal(desired, live))
        return true;
    for (uint32_t i = 0; ok && value_is_object_like(live) && i < live->len; i++) {
        struct str name = key_str(live->members[i].key);
        const struct value *was = value_get(desired, name);
        if (!was || !value_equal(was, &live->members[i].value))
            ok = add_name(&r->scratch, &names, &n, &room, name);
    }
    for (uint32_t i = 0; ok && value_is_object_like(desired) && i < desired->len; i++) {
        struct str name = key_str(desired->members[i].key);
        if (!value_get(live, name))
            ok = add_name(&r->scratch, &names, &n, &room, name);
    }
    return ok ? keep_some(r->g, live, names, n, &touch->live) : arena_full(&r->scratch, r->g->err);
}

static bool on_answer(void *ctx, const struct live_result *result, struct err *err)
{
    struct reading *r = ctx;
    struct gathering *g = r->g;
    const struct plan_doc *doc = &g->seen->doc;
    struct gate_touch *touch = find_touch(g, result->resource->address);
    if (!touch || result->status == LIVE_UNREADABLE)
        return true; /* a finding says why */
    arena_reset(&r->scratch);
    touch->answered = true;
    touch->gone = result->status == LIVE_GONE;
    touch->live = NULL;
    touch->since = NULL;
    touch->nsince = 0;
    touch->appeared = touch->action == PLAN_CREATE && !touch->gone;
    const struct plan_entry *entry = plan_doc_find(doc->touch, doc->ntouches, touch->address);
    bool ok = (!entry || touch->appeared || compare(r, entry, result, touch)) &&
              keep_live(r, result, touch);
    if (!ok && err != g->err && err)
        *err = *g->err;
    return ok;
}

/* --- the findings of those addresses --- */

static bool is_drift(const struct finding *finding)
{
    return finding->class_ == CLASS_CONTRADICTS_CODE || finding->class_ == CLASS_MISSING ||
           finding->class_ == CLASS_STATE_ONLY;
}

/* What the plan makes of what drifted: nothing else of it is asked. */
static bool keep_after(struct gathering *g, struct arena *scratch, const struct finding *finding,
                       size_t n, struct gate_touch *touch)
{
    const struct plan_doc *doc = &g->seen->doc;
    const struct plan_entry *entry = plan_doc_find(doc->touch, doc->ntouches, touch->address);
    struct plan_change change;
    struct str *names = NULL;
    size_t nnames = 0, room = 0;
    if (!entry)
        return true;
    arena_reset(scratch);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; is_drift(&finding[i]) && k < finding[i].nchanges; k++) {
            struct path path;
            if (path_parse(scratch, finding[i].changes[k].path, &path, NULL) && path.n &&
                !add_name(scratch, &names, &nnames, &room, path.step[0].key))
                return arena_full(scratch, g->err);
        }
    return plan_change_read(scratch, entry, g->asking->plan_name, &change, g->err) &&
           keep_some(g, &change.before, names, nnames, &touch->before) &&
           keep_some(g, &change.after, names, nnames, &touch->after) &&
           keep_some(g, &change.unknown, names, nnames, &touch->unknown);
}

/* Nothing was ever applied: of what is made now there is nothing that could have drifted, and
 * nothing to read. */
static bool is_first(const struct gathering *g, const struct gate_touch *touch)
{
    const struct gate_state *state = &g->seen->facts.state;
    return touch->action == PLAN_CREATE && state->known && state->serial == 0;
}

static bool take_findings(struct gathering *g)
{
    AUTO_ARENA scratch = {.limit = ARENA_DEFAULT_LIMIT};
    const struct stack_result *scan = &g->seen->scan;
    struct gate_facts *f = &g->seen->facts;
    if (g->nmoved && !follow_moves(g))
        return false;
    for (size_t i = 0, n; i < scan->nfindings; i += n) {
        const struct finding *finding = &scan->findings[i];
        struct gate_touch *touch = find_touch(g, finding->address);
        bool drift = false;
        for (n = 0; i + n < scan->nfindings && str_equal(finding[n].address, finding->address);
             n++) {
            drift |= is_drift(&finding[n]);
            if (touch && finding[n].class_ == CLASS_UNCHECKED && !is_first(g, touch))
                touch->unread =
                    finding[n].reason.len ? finding[n].reason : STR("no reason was given");
        }
        if (touch && drift && !keep_after(g, &scratch, finding, n, touch))
            return false;
    }
    f->finding = scan->findings;
    f->nfindings = scan->nfindings;
    return true;
}

/* --- the ways --- */

/* What the plan saw while it was made. */
static bool trust_plan(struct gathering *g)
{
    const struct gate_asking *asking = g->asking;
    struct scan_options options = asking->scan;
    struct str name = arena_dup(g->arena, asking->stack->name);
    options.on_answer = NULL;
    if (!name.ptr)
        return arena_full(g->arena, g->err);
    if (!scan_plan(g->arena, asking->plan, name.ptr, &options, &g->seen->scan, g->err))
        return false;
    if (g->seen->scan.failed.len)
        return gathering_deny(g, g->seen->scan.failed);
    for (size_t i = 0; i < g->ntouches; i++)
        g->touch[i].answered = true;
    return gathering_note(g, STR("nothing was read: what the plan saw while it was made counts "
                                 "as live (--from-plan)")) &&
           take_findings(g);
}

static bool only_creates(const struct gathering *g)
{
    for (size_t i = 0; i < g->ntouches; i++)
        if (!is_first(g, &g->touch[i]))
            return false;
    return true;
}

static bool read_now(struct gathering *g)
{
    struct reading r = {.g = g, .scratch = {.limit = ARENA_DEFAULT_LIMIT}};
    struct scan_options options = g->asking->scan;
    struct str *addresses = arena_new(g->arena, struct str, g->ntouches + g->nmoved);
    size_t n = 0;
    if (!addresses)
        return arena_full(g->arena, g->err);
    for (size_t i = 0; i < g->ntouches; i++)
        addresses[n++] = g->touch[i].address;
    for (size_t i = 0; i < g->nmoved; i++)
        addresses[n++] = g->moved[i]->previous;
    if (n > 1)
        qsort(addresses, n, sizeof *addresses, str_compare_qsort);
    options.addresses = addresses;
    options.naddresses = n;
    options.exact = true;
    options.on_answer = on_answer;
    options.ctx = &r;
    bool ok = scan_stack(g->arena, g->asking->stack, &options, &g->seen->scan, g->err);
    arena_free(&r.scratch);
    if (!ok)
        return false;
    if (!g->seen->scan.failed.len)
        return take_findings(g);
    if (g->seen->facts.state.known && g->seen->facts.state.serial == 0 && only_creates(g))
        return true;
    return gathering_deny(g, g->seen->scan.failed);
}

bool gather_live(struct gathering *g)
{
    if (!list_moved(g))
        return false;
    if (g->asking->from_plan)
        return trust_plan(g);
    return g->ntouches == 0 || read_now(g);
}

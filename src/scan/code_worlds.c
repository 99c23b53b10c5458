/* code_worlds.c - what one instance's difference makes of others, as a plan computes it.
 *
 * There are two worlds: of what is live, which `plan` works out, and of what was recorded, which
 * `plan -refresh=false` works out. What is wanted of an instance may differ in them: it refers to
 * computed attributes of another, which drifted, or which an apply will decide. So the code is
 * evaluated again with each world's values and with what the providers planned; where that says
 * something else of an instance than what was planned for it, it is read and planned once more,
 * until nothing changes. Where nothing differs from anything none of this happens.
 *
 * Source:  Terraform terraform/node_resource_abstract_instance.go (plan), facts/hcl.md 12
 */
#include "base/arena.h"
#include "base/err.h"
#include "lang/hcl/ops.h"
#include "scan/code.h"
#include "scan/code_parts.h"
#include "value/type.h"

const struct value *scan_code_config(const struct entry *entry, enum live_side side)
{
    return entry->kept ? &entry->kept->config[side] : &entry->instance->config;
}

/* --- keeping answers --- */

static bool copy_paths(struct arena *arena, const struct path **paths, size_t n, struct err *err)
{
    struct path *copies = arena_new(arena, struct path, n);
    if (!copies)
        return arena_full(arena, err);
    for (size_t i = 0; i < n; i++) {
        const struct path *from = &(*paths)[i];
        struct path_step *steps = arena_new(arena, struct path_step, from->n);
        if (!steps)
            return arena_full(arena, err);
        for (size_t k = 0; k < from->n; k++) {
            steps[k] = from->step[k];
            steps[k].key = arena_dup(arena, from->step[k].key);
            if (!steps[k].key.ptr)
                return arena_full(arena, err);
        }
        copies[i] = (struct path){steps, from->n};
    }
    *paths = copies;
    return true;
}

static const struct type *member_type(const struct type *type, uint32_t at, struct str key)
{
    if (type->kind == TYPE_MAP)
        return type->elem;
    if (type->kind != TYPE_OBJECT)
        return &type_dynamic;
    if (at < type->n && str_equal(key_str(type->members[at].key), key))
        return type->members[at].type;
    for (uint32_t i = 0; i < type->n; i++)
        if (str_equal(key_str(type->members[i].key), key))
            return type->members[i].type;
    return &type_dynamic;
}

static const struct type *item_type(const struct type *type, uint32_t at)
{
    if (type->kind == TYPE_LIST || type->kind == TYPE_SET)
        return type->elem;
    return type->kind == TYPE_TUPLE && at < type->n ? type->items[at] : &type_dynamic;
}

/* A copy's null, empty and unknown values have types that go with the answer: those of the schema
 * instead, and none within dynamic values. */
static void retype(struct arena *arena, struct value *v, const struct type *type,
                   unsigned depth_left)
{
    bool dynamic = type->kind == TYPE_DYNAMIC || depth_left == 0;
    bool items = value_is_list_like(v), members = value_is_object_like(v);
    if (v->kind == VALUE_UNKNOWN) {
        uint8_t marks = v->marks;
        *v = hcl_unknown(arena, dynamic ? &type_dynamic : type);
        v->marks = marks;
    } else if (v->kind == VALUE_NULL) {
        v->type = dynamic ? NULL : type;
    } else if ((items || members) && v->len == 0) {
        bool collection = v->kind == VALUE_LIST || v->kind == VALUE_SET || v->kind == VALUE_MAP;
        v->type =
            collection && !dynamic &&
                    (type->kind == TYPE_LIST || type->kind == TYPE_SET || type->kind == TYPE_MAP)
                ? type->elem
                : NULL;
    }
    if (depth_left == 0)
        return;
    /* what was just copied is ours to write */
    for (uint32_t i = 0; items && i < v->len; i++)
        retype(arena, (struct value *)(uintptr_t)&v->items[i], item_type(type, i), depth_left - 1);
    for (uint32_t i = 0; members && i < v->len; i++)
        retype(arena, (struct value *)(uintptr_t)&v->members[i].value,
               member_type(type, i, key_str(v->members[i].key)), depth_left - 1);
}

static bool copy_value(struct arena *arena, const struct schema *schema, const struct value *from,
                       struct value *ret, struct err *err)
{
    if (!value_copy(arena, from, ret, err))
        return false;
    retype(arena, ret, schema ? schema->block.type : &type_dynamic, VALUE_DEPTH_MAX);
    return true;
}

static bool copy_plan(struct arena *arena, const struct schema *schema,
                      const struct live_plan *from, struct live_plan *ret, struct err *err)
{
    *ret = *from;
    ret->reason = arena_dup(arena, from->reason);
    if (!ret->reason.ptr)
        return arena_full(arena, err);
    return from->status != LIVE_PLANNED ||
           (copy_value(arena, schema, &from->planned, &ret->planned, err) &&
            copy_paths(arena, &ret->requires_replace, ret->nrequires_replace, err));
}

/* An answer's schema may go with it: the code's stays. Where that is another one (a file's says
 * more of secrets than its provider's), and where no code is there, a copy. */
static bool copy_schema(struct arena *arena, const struct entry *entry,
                        const struct schema **schema, struct err *err)
{
    const struct schema *of_code = entry->instance ? entry->instance->schema : NULL;
    if (of_code && (*schema == of_code || code_is_builtin(entry->resource.provider)))
        *schema = of_code;
    else if (*schema)
        *schema = schema_copy(arena, *schema);
    else
        return true;
    return *schema || arena_full(arena, err);
}

static bool copy_result(struct arena *arena, const struct entry *entry,
                        const struct live_result *from, struct live_result *ret, struct err *err)
{
    *ret = *from;
    if (!copy_schema(arena, entry, &ret->schema, err) ||
        !copy_paths(arena, &ret->not_observed, ret->nnot_observed, err))
        return false;
    ret->warnings = NULL;
    ret->nwarnings = 0;
    ret->reason = arena_dup(arena, from->reason);
    if (!ret->reason.ptr)
        return arena_full(arena, err);
    return copy_value(arena, ret->schema, &from->desired, &ret->desired, err) &&
           copy_value(arena, ret->schema, &from->live, &ret->live, err) &&
           copy_plan(arena, ret->schema, &from->from_live, &ret->from_live, err) &&
           copy_plan(arena, ret->schema, &from->from_state, &ret->from_state, err);
}

/* Does the plan change what cannot be changed in place? */
static bool must_replace(const struct live_plan *plan, const struct value *prior)
{
    for (size_t i = 0; plan->status == LIVE_PLANNED && i < plan->nrequires_replace; i++) {
        const struct value *now = path_find(prior, plan->requires_replace[i]);
        const struct value *then = path_find(&plan->planned, plan->requires_replace[i]);
        if (now && then ? !value_equal(now, then) : now != then)
            return true;
    }
    return false;
}

static struct scan_kept *keep(struct scan_code *code, struct entry *entry, struct err *err)
{
    if (entry->kept)
        return entry->kept;
    struct scan_kept *kept = arena_new(&code->arena, struct scan_kept, 1);
    if (!kept) {
        (void)arena_full(&code->arena, err);
        return NULL;
    }
    const struct value nothing = value_null();
    for (int side = 0; side < LIVE_SIDES; side++)
        kept->config[side] = entry->instance ? entry->instance->config : nothing;
    kept->result.resource = &entry->resource;
    entry->again = entry->in_order; /* what was read of it is not here any more */
    entry->in_order = false;
    entry->kept = kept;
    return kept;
}

/* Nothing to tell, and nothing that could make a difference to others. */
static bool take_count(struct scan_code *code, struct entry *entry,
                       const struct live_result *result, struct err *err)
{
    struct observation found;
    struct err why = {0};
    (void)err;
    arena_reset(&code->scan->scratch);
    entry->in_order = result->status == LIVE_READ && entry->instance && !entry->kept &&
                      !entry->instance->triggered && !entry->resource.tainted &&
                      value_equal(&result->desired, &result->live) &&
                      scan_observe(code->scan, entry, result, &found, &why) &&
                      found.outcome == OBSERVED_SAME && !found.nfindings && !found.nequal;
    if (!entry->in_order)
        return false;
    entry->compared = found.attributes_compared;
    entry->not_observed = found.attributes_not_observed;
    return true;
}

bool scan_code_take(struct scan_code *code, struct entry *entry, const struct live_result *result,
                    struct err *err)
{
    struct live_result typed = *result;
    if (entry->resource.deposed.len)
        return scan_tell(code->scan, entry, result, err);
    arena_reset(&code->scan->scratch);
    if (!scan_code_type(&code->scan->scratch, entry, result, &typed, err))
        return false;
    /* what is typed is in the scratch, which the count needs anew: it types for itself */
    if (take_count(code, entry, result, err))
        return true;
    if (typed.schema != result->schema) {
        arena_reset(&code->scan->scratch);
        if (!scan_code_type(&code->scan->scratch, entry, result, &typed, err))
            return false;
    }
    struct scan_kept *kept = keep(code, entry, err);
    if (!kept || !copy_result(&code->arena, entry, &typed, &kept->result, err))
        return false;
    kept->replaced[LIVE_SIDE_LIVE] = must_replace(&typed.from_live, &typed.live);
    kept->replaced[LIVE_SIDE_STATE] = must_replace(&typed.from_state, &typed.desired);
    bool triggered = entry->instance && entry->instance->triggered;
    kept->triggered[LIVE_SIDE_LIVE] |= triggered && !code->evaluation;
    kept->triggered[LIVE_SIDE_STATE] |= triggered && !code->evaluation;
    return true;
}

/* --- the evaluator's questions --- */

static struct entry *find_entry(const struct scan_code *code, struct str address)
{
    /* entries are not const; the table holds whatever it is given */
    return (struct entry *)(uintptr_t)scan_code_look_up(&code->entries, address);
}

static bool has_result(const struct scan_kept *kept)
{
    return kept && kept->result.status != LIVE_UNREADABLE;
}

static bool now(void *ctx, struct str address, struct value *ret)
{
    const struct scan_code *code = ctx;
    const struct entry *entry = find_entry(code, address);
    if (!entry || !has_result(entry->kept))
        return false;
    const struct live_result *result = &entry->kept->result;
    bool recorded = result->desired.kind != VALUE_NULL;
    if (!result->schema || (!recorded && result->status == LIVE_GONE))
        return false;
    *ret = code->side == LIVE_SIDE_STATE && recorded ? result->desired
           : result->status == LIVE_READ             ? result->live
                                                     : value_null();
    return true;
}

static bool same_config(const struct value *a, const struct value *b)
{
    return value_equal(a, b) &&
           !((hcl_deep_marks(a) ^ hcl_deep_marks(b)) & VALUE_PENDING && value_any_unknown(a));
}

/* Of what is as it should be a plan changes nothing, as long as the code says the same. */
static bool plan_in_order(const struct entry *entry, const struct code_instance *instance,
                          const struct value *prior, struct value *ret)
{
    if (prior->kind == VALUE_NULL || !entry->instance ||
        !same_config(&instance->config, &entry->instance->config))
        return false;
    *ret = *prior;
    return true;
}

/* The provider's answer, where it was asked with just this. */
static bool plan(void *ctx, const struct code_instance *instance, const struct value *prior,
                 const struct value *config, const struct value *proposed, struct value *ret,
                 bool *ret_replace)
{
    const struct scan_code *code = ctx;
    const struct entry *entry = find_entry(code, instance->address);
    enum live_side side = code->side;
    (void)config;
    if (!entry)
        return false;
    const struct scan_kept *kept = entry->kept;
    bool there = prior->kind != VALUE_NULL;
    if (there && entry->resource.tainted) {
        *ret_replace = true;
        *ret = *proposed;
        return true;
    }
    if (!has_result(kept))
        return plan_in_order(entry, instance, prior, ret);
    const struct live_plan *answer =
        side == LIVE_SIDE_LIVE ? &kept->result.from_live : &kept->result.from_state;
    bool gone = side == LIVE_SIDE_LIVE && kept->result.status == LIVE_GONE;
    if (there == gone || answer->status != LIVE_PLANNED ||
        !same_config(&instance->config, &kept->config[side]))
        return false;
    *ret = answer->planned;
    *ret_replace = there && kept->replaced[side];
    return true;
}

/* --- a world --- */

static bool give_up(struct scan_code *code, const char *why, struct str detail, struct err *err)
{
    return scan_code_note(code,
                          arena_printf(&code->arena,
                                       "code: what the differences make of other resources was not "
                                       "followed: %s%.*s",
                                       why, STR_ARG(detail)),
                          err);
}

static const struct hcl_diag *first_error(const struct code *code)
{
    const struct hcl_diags *diags = code_diags(code);
    for (size_t i = 0; i < diags->n; i++)
        if (!diags->diag[i].warning)
            return &diags->diag[i];
    return NULL;
}

/* *ret NULL: it cannot be evaluated, which was said. */
static bool evaluate(struct scan_code *code, enum live_side side, struct code **ret,
                     struct err *err)
{
    struct code_options options = code->options;
    struct err why = {0};
    char text[ERR_FRAMES_MAX * ERR_TEXT_MAX];
    options.validated = code->complete;
    options.now = now;
    options.plan = plan;
    struct code **world = &code->worlds[code->evaluation++];
    code->side = side;
    code->world[side] = *ret = NULL;
    bool evaluated = code_open(&options, world, &why) && code_evaluate(*world, &why);
    if (!scan_code_is_whole(code, err))
        return false;
    if (!evaluated) {
        if (why.kind == ERR_CANCELLED) {
            *err = why;
            return false;
        }
        return give_up(code, "", str_from(err_text(&why, text, sizeof text)), err);
    }
    const struct hcl_diag *wrong = first_error(*world);
    if (wrong && code->complete)
        return give_up(code, "", scan_code_diag_text(code, wrong), err);
    *ret = code->world[side] = *world;
    return true;
}

/* What the world says of an entry, against what was asked for it. */
static bool compare(struct scan_code *code, enum live_side side, struct entry *entry,
                    const struct code_instance *instance, size_t *changed, struct err *err)
{
    bool triggered = instance->triggered && entry->instance && !entry->resource.tainted;
    entry->seen = code->evaluation;
    if (!entry->instance || instance->failed || entry->instance->failed)
        return true;
    bool differs = !same_config(&instance->config, scan_code_config(entry, side));
    bool news = triggered && !(entry->kept && entry->kept->triggered[side]);
    if (!differs && !news)
        return true;
    if (!keep(code, entry, err))
        return false;
    entry->kept->triggered[side] |= triggered;
    if (differs && !value_copy(&code->arena, &instance->config, &entry->kept->config[side], err))
        return false;
    entry->again |= differs;
    *changed += entry->again;
    return true;
}

/* Instances that the world does not have (any more). */
static bool compare_absent(struct scan_code *code, enum live_side side, size_t *changed,
                           struct err *err)
{
    for (struct chunk *chunk = code->scan->first; chunk; chunk = chunk->next)
        for (size_t i = 0; i < chunk->n; i++) {
            struct entry *entry = &chunk->entry[i];
            bool absent = entry->seen != code->evaluation;
            if (!entry->instance || entry->resource.deposed.len ||
                absent == (entry->kept && entry->kept->absent[side]))
                continue;
            if (!keep(code, entry, err))
                return false;
            entry->kept->absent[side] = absent;
            *changed += entry->again;
        }
    return true;
}

static bool run_world(struct scan_code *code, enum live_side side, size_t *changed, bool *ret_ok,
                      struct err *err)
{
    struct code *world;
    size_t n;
    if (!evaluate(code, side, &world, err))
        return false;
    *ret_ok = world != NULL;
    if (!world)
        return true;
    const struct code_instance *all = code_instances(world, &n);
    for (size_t i = 0; i < n; i++) {
        struct entry *entry = all[i].mode == CODE_MANAGED ? find_entry(code, all[i].address) : NULL;
        if (entry && !compare(code, side, entry, &all[i], changed, err))
            return false;
    }
    return !code->complete || compare_absent(code, side, changed, err);
}

/* --- rounds --- */

struct differences {
    bool any;     /* something differs from anything, and something else may follow from it */
    bool drifted; /* live differs from what was recorded */
    bool ahead;   /* the code from what was recorded */
};

static struct differences differences_of(const struct scan_code *code)
{
    struct differences found = {0};
    size_t n;
    const struct code_instance *all = code_instances(code->code, &n);
    for (const struct chunk *chunk = code->scan->first; chunk; chunk = chunk->next)
        for (size_t i = 0; i < chunk->n; i++) {
            const struct entry *entry = &chunk->entry[i];
            const struct live_result *r = entry->kept ? &entry->kept->result : NULL;
            if (!r || r->status == LIVE_UNREADABLE)
                continue;
            bool planned = r->from_state.status == LIVE_PLANNED;
            found.any =
                found.any || (entry->instance && code_is_followed(code->code, entry->instance));
            found.drifted |= r->status == LIVE_GONE || !value_equal(&r->desired, &r->live);
            found.ahead |= !entry->instance || entry->resource.tainted ||
                           entry->resource.import_id.len ||
                           (planned && !value_equal(&r->from_state.planned, &r->desired));
        }
    for (size_t i = 0; i < n && !found.ahead; i++)
        found.ahead = all[i].mode == CODE_MANAGED && !code->met[i] &&
                      scan_wants(code->scan->tally.options, all[i].address);
    return found;
}

/* Nothing drifted: both worlds are one. */
static void share(struct scan_code *code)
{
    for (struct chunk *chunk = code->scan->first; chunk; chunk = chunk->next)
        for (size_t i = 0; i < chunk->n; i++) {
            struct scan_kept *kept = chunk->entry[i].kept;
            if (!kept)
                continue;
            kept->config[LIVE_SIDE_STATE] = kept->config[LIVE_SIDE_LIVE];
            kept->triggered[LIVE_SIDE_STATE] = kept->triggered[LIVE_SIDE_LIVE];
            kept->absent[LIVE_SIDE_STATE] = kept->absent[LIVE_SIDE_LIVE];
        }
}

static bool follow(struct scan_code *code, bool *ret_ok, struct err *err)
{
    for (unsigned round = 0; round < SCAN_ROUNDS_MAX; round++) {
        struct differences found = differences_of(code);
        size_t changed = 0;
        *ret_ok = true;
        if (!found.any)
            return true;
        if (!run_world(code, LIVE_SIDE_LIVE, &changed, ret_ok, err))
            return false;
        if (*ret_ok && !found.drifted)
            share(code);
        if (*ret_ok && found.drifted && found.ahead &&
            !run_world(code, LIVE_SIDE_STATE, &changed, ret_ok, err))
            return false;
        if (!*ret_ok || changed == 0)
            return true;
        if (!scan_read_again(code->scan, err))
            return false;
    }
    *ret_ok = false;
    return give_up(code, "a chain of references is too long", STR(""), err);
}

/* --- telling --- */

static bool tell(struct scan_code *code, struct entry *entry, struct err *err)
{
    if (entry->kept)
        return scan_tell(code->scan, entry, &entry->kept->result, err);
    const struct observation same = {.outcome = OBSERVED_SAME,
                                     .attributes_compared = entry->compared,
                                     .attributes_not_observed = entry->not_observed};
    return !entry->in_order || tally_add(&code->scan->tally, &same, err);
}

/* Instances of a world that nobody has made. before: those that are asked for without drift too. */
static bool tell_uncreated(struct scan_code *code, const struct code *world,
                           const struct code *before, struct err *err)
{
    struct address_table known = {0};
    size_t n, nknown;
    const struct code_instance *all = code_instances(world, &n);
    const struct code_instance *old = code_instances(before, &nknown);
    for (size_t i = 0; world != before && i < nknown; i++)
        if (old[i].mode == CODE_MANAGED &&
            !scan_code_put(&code->arena, &known, old[i].address, &old[i]))
            return arena_full(&code->arena, err);
    for (size_t i = 0; i < n; i++) {
        bool by_drift = world != before && !scan_code_look_up(&known, all[i].address);
        if (all[i].mode == CODE_MANAGED && !all[i].failed && !find_entry(code, all[i].address) &&
            scan_wants(code->scan->tally.options, all[i].address) &&
            !scan_code_is_recorded(code, all[i].address) &&
            !scan_code_add_uncreated(code, &all[i], by_drift, err))
            return false;
    }
    return true;
}

bool scan_code_finish(struct scan_code *code, struct err *err)
{
    bool ok = true;
    if (!code->scan->no_state && !follow(code, &ok, err))
        return false;
    for (struct chunk *chunk = code->scan->first; chunk; chunk = chunk->next)
        for (size_t i = 0; i < chunk->n; i++)
            if (!tell(code, &chunk->entry[i], err))
                return false;
    const struct code *live = ok ? code->world[LIVE_SIDE_LIVE] : NULL;
    const struct code *state = ok ? code->world[LIVE_SIDE_STATE] : NULL;
    live = live ? live : code->code;
    /* Without a world of its own, what was recorded is as the code has it, or as what is live. */
    state = state ? state : differences_of(code).drifted ? code->code : live;
    return tell_uncreated(code, live, state, err);
}

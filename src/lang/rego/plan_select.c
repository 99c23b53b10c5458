/* plan_select.c - iterations whose elements are asked for a value right behind: xs[_].type == "a",
 * and some x in xs; x.type == "a", and x.type in {"a", "b"}. Only those need be gone through.
 */
#include "lang/rego/plan.h"

enum { ANY_OF_MAX = 64 };

static bool is_constant_key(const struct rego_pattern *p)
{
    return p->kind == REGO_MATCH_EQUAL && p->operand.slot == REGO_NO_SLOT;
}

/* The only key that iterates; false where there is none, or more than one. */
static bool find_free(const struct rego_step *step, size_t *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < step->ref.n; i++) {
        const struct rego_pattern *p = &step->ref.at[i];
        if (p->kind == REGO_MATCH_EQUAL)
            continue;
        if (p->kind != REGO_MATCH_ANY && p->kind != REGO_MATCH_BIND)
            return false;
        *ret = i;
        n++;
    }
    return n == 1;
}

static bool same_path(const struct rego_path *path, const struct rego_pattern *at, size_t n)
{
    bool same = path->n == n;
    for (size_t i = 0; same && i < n; i++)
        same = rego_equal(&path->at[i].operand.constant, &at[i].operand.constant);
    return same;
}

/* The number of a path of constants; a query knows those of its policy only. */
static bool number_of(struct planning *p, const struct rego_pattern *at, size_t n, uint32_t *ret)
{
    struct rego_policy *policy = p->c->policy;
    for (size_t i = 0; i < policy->npaths; i++)
        if (same_path(&policy->path[i], at, n)) {
            *ret = (uint32_t)i;
            return true;
        }
    if (p->c->arena != &policy->arena || policy->npaths >= REGO_PATHS_MAX)
        return false;
    struct rego_path *grown = arena_grow(p->c->arena, policy->path, policy->npaths,
                                         &policy->path_room, policy->npaths + 1);
    if (!grown)
        return false;
    policy->path = grown;
    grown[policy->npaths] = (struct rego_path){at, n};
    *ret = (uint32_t)policy->npaths++;
    return true;
}

/* ref: iterates; at: the path below its elements; wanted: what stands there. */
static void select_by(struct planning *p, struct rego_step *ref, const struct rego_pattern *at,
                      size_t n, struct rego_operand wanted, bool any)
{
    size_t free_at = 0;
    uint32_t path;
    if (!n || ref->ref.select || p->c->policy->options.unindexed || !find_free(ref, &free_at))
        return;
    for (size_t i = 0; i < n; i++)
        if (!is_constant_key(&at[i]))
            return;
    const struct rego_pattern *key = &ref->ref.at[free_at];
    if (wanted.slot != REGO_NO_SLOT && key->kind == REGO_MATCH_BIND &&
        key->operand.slot == wanted.slot)
        return;
    struct rego_select *made = arena_new(p->c->arena, struct rego_select, 1);
    if (!made || !number_of(p, at, n, &path))
        return; /* it is faster with, and right without */
    *made = (struct rego_select){free_at, path, at, n, wanted, any};
    ref->ref.select = made;
}

/* Does `get` ask the elements that `ref` binds? */
static bool asks(const struct rego_step *ref, const struct rego_step *get)
{
    size_t free_at = 0;
    return ref && get && ref->kind == REGO_STEP_REF && get->kind == REGO_STEP_GET &&
           get->ref.base == REGO_BASE_OPERAND && ref->match.kind == REGO_MATCH_BIND &&
           get->ref.of.slot == ref->match.operand.slot && find_free(ref, &free_at) &&
           free_at + 1 == ref->ref.n;
}

static bool is_one_of(const struct rego_step *call, const struct rego_step *get)
{
    if (call->kind != REGO_STEP_BUILTIN || call->narg != 2 ||
        !str_equal(str_from(call->call.builtin->name), STR("internal.member_2")) ||
        call->arg[1].slot != REGO_NO_SLOT || get->match.kind != REGO_MATCH_BIND ||
        call->arg[0].slot != get->match.operand.slot)
        return false;
    const struct value *set = &call->arg[1].constant;
    return (rego_is_array(set) || set->kind == VALUE_SET) && set->len <= ANY_OF_MAX;
}

void rego_plan_select(struct planning *p)
{
    struct rego_step *const *last = p->chain->last;
    struct rego_step *now = last[0];
    size_t free_at = 0;
    if (now->kind == REGO_STEP_REF && now->match.kind == REGO_MATCH_EQUAL &&
        find_free(now, &free_at))
        select_by(p, now, now->ref.at + free_at + 1, now->ref.n - free_at - 1, now->match.operand,
                  false);
    if (now->kind == REGO_STEP_GET && now->match.kind == REGO_MATCH_EQUAL && asks(last[1], now) &&
        now->match.operand.slot != last[1]->match.operand.slot)
        select_by(p, last[1], now->ref.at, now->ref.n, now->match.operand, false);
    if (now->kind == REGO_STEP_TEST && last[1] && last[2] && asks(last[3], last[2]) &&
        is_one_of(last[1], last[2]) && last[1]->match.kind == REGO_MATCH_BIND &&
        now->arg->slot == last[1]->match.operand.slot)
        select_by(p, last[3], last[2]->ref.at, last[2]->ref.n, last[1]->arg[1], true);
}

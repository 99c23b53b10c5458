/* index.c - rules of one name told apart by what they ask of the input, or of an argument, first.
 *
 * A definition whose body begins with input.kind == "Pod", or whose argument is a constant, has no
 * solution for another value. Where a name has several such definitions, a table by that value says
 * which ones can have one; those that ask something else are tried always, all in their order.
 */
#include "lang/rego/index.h"

#include <string.h>

#include "lang/rego/lookups.h"

enum { WORTH_IT = 4, PATHS_MAX = 16 };

struct bucket {
    uint64_t hash;
    const struct value *value; /* NULL: an empty slot */
    uint32_t from, n;
};
struct rego_index {
    bool argument; /* of that number; else of the input at a path */
    size_t n;      /* the number, or the length of the path */
    const struct rego_pattern *at;
    struct bucket *bucket;
    size_t nbuckets; /* slots, a power of two */
    uint32_t *some, *others;
    size_t nothers;
};

/* What a definition asks of one place: the constant, or NULL. */
static const struct value *asked_argument(const struct rego_definition *d, size_t arg)
{
    const struct rego_pattern *p = arg < d->narg ? &d->arg[arg] : NULL;
    return p && p->kind == REGO_MATCH_EQUAL && p->operand.slot == REGO_NO_SLOT
               ? &p->operand.constant
               : NULL;
}

static bool is_question(const struct rego_step *step)
{
    bool is = step->kind == REGO_STEP_GET && step->ref.base == REGO_BASE_INPUT && step->ref.n > 0;
    for (size_t i = 0; is && i < step->ref.n; i++)
        is = step->ref.at[i].operand.slot == REGO_NO_SLOT;
    return is && step->match.kind == REGO_MATCH_EQUAL && step->match.operand.slot == REGO_NO_SLOT;
}

static bool same_path(const struct rego_pattern *a, size_t na, const struct rego_step *step)
{
    bool same = na == step->ref.n;
    for (size_t i = 0; same && i < na; i++)
        same = rego_equal(&a[i].operand.constant, &step->ref.at[i].operand.constant);
    return same;
}

/* Only steps that neither fail loudly nor say anything may stand before. */
static const struct value *asked_input(const struct rego_definition *d,
                                       const struct rego_pattern *at, size_t n)
{
    const struct rego_step *step = d->body;
    for (; step && (step->kind == REGO_STEP_GET || step->kind == REGO_STEP_MATCH);
         step = step->next)
        if (is_question(step) && same_path(at, n, step))
            return &step->match.operand.constant;
    return NULL;
}

static const struct value *asked(const struct rego_definition *d, const struct rego_index *index)
{
    if (d->else_)
        return NULL;
    return index->argument ? asked_argument(d, index->n) : asked_input(d, index->at, index->n);
}

static size_t count(const struct rego_node *node, const struct rego_index *index)
{
    size_t n = 0;
    for (size_t i = 0; i < node->ndefinitions; i++)
        n += asked(&node->definition[i], index) != NULL;
    return n;
}

static void better(const struct rego_node *node, const struct rego_index *try, size_t *most,
                   struct rego_index *best)
{
    size_t n = count(node, try);
    if (n <= *most)
        return;
    *most = n;
    *best = *try;
}

/* The argument or the path that most definitions ask. */
static size_t choose(const struct rego_node *node, struct rego_index *best)
{
    size_t most = 0, npaths = 0;
    for (size_t i = 0; i < node->narg; i++)
        better(node, &(struct rego_index){.argument = true, .n = i}, &most, best);
    for (size_t i = 0; i < node->ndefinitions && npaths < PATHS_MAX; i++) {
        const struct rego_step *step = node->definition[i].body;
        for (; step && (step->kind == REGO_STEP_GET || step->kind == REGO_STEP_MATCH);
             step = step->next) {
            if (!is_question(step) || (best->at && same_path(best->at, best->n, step)))
                continue;
            better(node, &(struct rego_index){.at = step->ref.at, .n = step->ref.n}, &most, best);
            npaths++;
        }
    }
    return most;
}

static struct bucket *bucket_of(const struct rego_index *index, const struct value *v)
{
    uint64_t hash = rego_hash(v);
    size_t at = (hash ^ hash >> 32) & (index->nbuckets - 1);
    while (index->bucket[at].value &&
           (index->bucket[at].hash != hash || !rego_equal(index->bucket[at].value, v)))
        at = (at + 1) & (index->nbuckets - 1);
    index->bucket[at].hash = hash;
    return &index->bucket[at];
}

static void fill(const struct rego_node *node, struct rego_index *index)
{
    uint32_t from = 0;
    for (uint32_t i = 0; i < node->ndefinitions; i++) {
        const struct value *v = asked(&node->definition[i], index);
        struct bucket *b = v ? bucket_of(index, v) : NULL;
        if (!b) {
            index->others[index->nothers++] = i;
            continue;
        }
        b->value = v;
        b->n++;
    }
    for (size_t i = 0; i < index->nbuckets; i++) {
        index->bucket[i].from = from;
        from += index->bucket[i].n;
        index->bucket[i].n = 0;
    }
    for (uint32_t i = 0; i < node->ndefinitions; i++) {
        const struct value *v = asked(&node->definition[i], index);
        struct bucket *b = v ? bucket_of(index, v) : NULL;
        if (b)
            index->some[b->from + b->n++] = i;
    }
}

bool rego_index_rules(struct rego_compiler *c, struct rego_node *node, unsigned depth_left)
{
    struct rego_index best = {0};
    for (size_t i = 0; depth_left && i < node->nchild; i++)
        if (!rego_index_rules(c, node->child[i], depth_left - 1))
            return false;
    if (node->ndefinitions < WORTH_IT || c->policy->options.unindexed)
        return true;
    size_t n = choose(node, &best);
    if (n < WORTH_IT)
        return true;
    struct rego_index *index = arena_new(c->arena, struct rego_index, 1);
    best.nbuckets = 8;
    while (best.nbuckets < n * 2)
        best.nbuckets *= 2;
    best.bucket = arena_new(c->arena, struct bucket, best.nbuckets);
    best.some = arena_new(c->arena, uint32_t, n);
    best.others = arena_new(c->arena, uint32_t, node->ndefinitions - n);
    if (!index || !best.bucket || !best.some || !best.others)
        return false;
    fill(node, &best);
    *index = best;
    node->index = index;
    return true;
}

/* --- while evaluating --- */

static const struct value *at_path(struct rego_machine *m, const struct rego_index *index)
{
    const struct value *v = m->world->input;
    for (size_t i = 0; v && i < index->n; i++)
        v = rego_get_hinted(m, v, &index->at[i]);
    if (m->options->lookups && m->world->input)
        rego_lookups_count(m->options->lookups, index->at, index->n, v != NULL);
    return v;
}

struct rego_candidates rego_candidates(struct rego_machine *m, const struct rego_node *node,
                                       const struct value *arg)
{
    const struct rego_index *index = node->index;
    struct rego_candidates c = {.n = node->ndefinitions};
    if (!index || m->options->coverage || m->reads)
        return c;
    const struct value *v = index->argument ? &arg[index->n] : at_path(m, index);
    uint64_t hash = v ? rego_hash(v) : 0;
    size_t at = (hash ^ hash >> 32) & (index->nbuckets - 1);
    while (v && index->bucket[at].value &&
           (index->bucket[at].hash != hash || !rego_equal(index->bucket[at].value, v)))
        at = (at + 1) & (index->nbuckets - 1);
    c.listed = true;
    c.others = index->others;
    c.nothers = index->nothers;
    c.n = v ? index->bucket[at].n : 0;
    c.some = index->some + (v ? index->bucket[at].from : 0);
    return c;
}

bool rego_candidate(struct rego_candidates *c, size_t *ret)
{
    if (!c->listed) {
        *ret = c->at;
        return c->at++ < c->n;
    }
    if (c->at == c->n && c->other_at == c->nothers)
        return false;
    bool other =
        c->at == c->n || (c->other_at < c->nothers && c->others[c->other_at] < c->some[c->at]);
    *ret = other ? c->others[c->other_at++] : c->some[c->at++];
    return true;
}

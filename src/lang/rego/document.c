/* document.c - values of rules and of packages: all definitions together, kept once made. */
#include <string.h>

#include "base/buf.h"
#include "lang/rego/index.h"
#include "lang/rego/machine.h"
#include "lang/rego/trace.h"
#include "lang/rego/watch.h"

/* --- frames --- */

enum { FRAMES_FIRST = 1 << 8, FRAMES_MOST = 1 << 14 };
struct rego_frames {
    struct rego_frames *before, *next; /* next: left when its last frame went, for the next one */
    size_t used, room;
    struct value value[];
};

/* The chunk behind top, which has no room for n values: the one that was there, or a larger one. */
static struct rego_frames *next_chunk(struct rego_machine *m, struct rego_frames *top, size_t n)
{
    struct rego_frames *next = top ? top->next : NULL;
    if (next && next->room >= n)
        return next;
    size_t room = !top ? FRAMES_FIRST : top->room < FRAMES_MOST ? 2 * top->room : FRAMES_MOST;
    room = room < n ? n : room;
    next = arena_alloc_raw(m->arena, 1, sizeof *next + room * sizeof(struct value),
                           _Alignof(struct value));
    if (!next)
        return NULL;
    next->before = top;
    next->next = NULL;
    next->used = 0;
    next->room = room;
    if (top)
        top->next = next;
    return next;
}

bool rego_frame_push(struct rego_machine *m, uint32_t n, struct value **ret_before)
{
    struct rego_frames *top = m->frames;
    if (!top || top->room - top->used < n) {
        top = next_chunk(m, top, n);
        if (!top) {
            (void)rego_no_memory(m);
            return false;
        }
        m->frames = top;
    }
    *ret_before = m->frame;
    m->frame = top->value + top->used;
    top->used += n;
    return true;
}

void rego_frame_pop(struct rego_machine *m, struct value *before, uint32_t n)
{
    m->frames->used -= n;
    if (m->frames->used == 0 && m->frames->before)
        m->frames = m->frames->before;
    m->frame = before;
}

/* --- one definition --- */

struct gathered { /* solutions of a node's definitions */
    struct rego_found found;
    const struct rego_definition *definition;
    bool any, stop; /* stop: the first is enough */
    struct value value;
    struct rego_entry {
        struct value *path; /* keys behind the node's path */
        size_t npath;
        struct value value;
        bool member; /* of a set that is there */
        const struct rego_rule *rule;
    } * entry;
    size_t n, room, mark;
};

static enum rego_flow conflict(struct rego_machine *m, const struct rego_rule *rule,
                               const char *what)
{
    return rego_error(m, "eval_conflict_error", rule->module, rule->place, "%s", what);
}

static const char outputs_clash[] = "complete rules must not produce multiple outputs";
static const char function_clash[] = "functions must not produce multiple outputs for same inputs";

/* Complete rules and functions: one value. */
static enum rego_flow found_value(struct rego_found *found, struct rego_machine *m)
{
    struct gathered *g = (struct gathered *)(void *)found;
    const struct value *v = rego_operand(m, &g->definition->value);
    if (g->any && !rego_equal(&g->value, v))
        return conflict(m, g->definition->rule,
                        g->definition->node->kind == REGO_HEAD_FUNCTION ? function_clash
                                                                        : outputs_clash);
    g->value = *v;
    g->any = true;
    return g->stop || g->definition->constant ? REGO_STOP : REGO_GO;
}

static enum rego_flow found_entry(struct rego_found *found, struct rego_machine *m)
{
    struct gathered *g = (struct gathered *)(void *)found;
    const struct rego_definition *d = g->definition;
    bool set = d->rule->head.kind == REGO_HEAD_SET;
    struct rego_entry *grown = arena_grow(m->arena, g->entry, g->n, &g->room, g->n + 1);
    struct value *path = arena_new_raw(m->arena, struct value, d->ntail);
    if (!grown || !path)
        return rego_no_memory(m);
    for (size_t i = 0; i < d->ntail; i++)
        path[i] = *rego_operand(m, &d->tail[i]);
    g->entry = grown;
    grown[g->n++] = (struct rego_entry){path, d->ntail, *rego_operand(m, set ? &d->key : &d->value),
                                        set, d->rule};
    g->any = true;
    if (m->reads)
        rego_found_member(m, d->rule, &grown[g->n - 1].value, g->mark);
    return REGO_GO;
}

static bool match_args(struct rego_machine *m, const struct rego_definition *d,
                       const struct value *arg, size_t n)
{
    if (n != d->narg)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!rego_match(m, &d->arg[i], &arg[i]))
            return false;
    return true;
}

static enum rego_flow define_later(struct rego_machine *m, const struct rego_definition *first,
                                   const struct value *arg, size_t n, struct gathered *g);

/* A definition with its else chain: the first link that has a solution. */
static enum rego_flow define(struct rego_machine *m, const struct rego_definition *first,
                             const struct value *arg, size_t n, struct gathered *g)
{
    struct value *before;
    bool any = g->any;
    enum rego_flow flow = REGO_GO;
    if (rego_stack_low(m))
        return define_later(m, first, arg, n, g);
    if (++m->depth > m->depth_limit)
        return rego_error(m, "eval_cancel_error", first->rule->module, first->rule->place,
                          "more than %u rules are nested", m->depth_limit);
    if (!rego_frame_push(m, first->nslots, &before))
        return REGO_BAD;
    g->any = false;
    struct value value = g->value;
    for (const struct rego_definition *d = first; d && flow == REGO_GO && !g->any; d = d->else_) {
        g->definition = d;
        if (!match_args(m, d, arg, n))
            continue;
        if (m->options->trace)
            rego_trace_enter(m, d->rule);
        flow = rego_run(m, d->body, &g->found);
        if (m->options->trace)
            rego_trace_leave(m);
    }
    rego_frame_pop(m, before, first->nslots);
    m->depth--;
    if (flow == REGO_STOP)
        flow = REGO_GO;
    if (flow == REGO_GO && any && g->any && g->found.call == found_value &&
        !rego_equal(&value, &g->value))
        return conflict(m, g->definition->rule,
                        first->node->kind == REGO_HEAD_FUNCTION ? function_clash : outputs_clash);
    g->any |= any;
    return flow;
}

struct define {
    const struct rego_definition *first;
    const struct value *arg;
    size_t n;
    struct gathered *g;
};

static enum rego_flow define_on(struct rego_machine *m, void *ctx)
{
    const struct define *later = ctx;
    return define(m, later->first, later->arg, later->n, later->g);
}

static enum rego_flow define_later(struct rego_machine *m, const struct rego_definition *first,
                                   const struct value *arg, size_t n, struct gathered *g)
{
    struct define later = {first, arg, n, g};
    return rego_on_new_stack(m, define_on, &later);
}

/* --- values of long chains --- */

enum { CHAIN_LONG = 1000, VALUES_DEEP = 2000 };

static bool is_shallow(struct rego_machine *m, const struct value *v, unsigned depth_left)
{
    bool keyed = rego_is_object(v);
    if (!keyed && !rego_is_array(v) && v->kind != VALUE_SET)
        return true;
    if (depth_left == 0 || !rego_spend(m, v->len))
        return false;
    struct value key, item;
    for (size_t at = 0; keyed && rego_next(v, &at, &key, &item);)
        if (!is_shallow(m, &key, depth_left - 1) || !is_shallow(m, &item, depth_left - 1))
            return false;
    for (uint32_t i = 0; !keyed && i < v->len; i++)
        if (!is_shallow(m, &v->items[i], depth_left - 1))
            return false;
    return true;
}

/* Values are walked by recursion, and compared as far as REGO_NESTING_MAX: rules that each wrap the
 * value of the next must end before that. */
static enum rego_flow check_shallow(struct rego_machine *m, const struct value *v, size_t n,
                                    const struct rego_node *node)
{
    const struct rego_rule *rule =
        node->ndefinitions ? node->definition[0].rule : node->otherwise->rule;
    for (size_t i = 0; i < n; i++)
        if (!is_shallow(m, &v[i], VALUES_DEEP))
            return rego_error(m, "eval_cancel_error", rule->module, rule->place,
                              "a value is nested deeper than %d", VALUES_DEEP);
    return REGO_GO;
}

/* --- complete rules and functions --- */

static enum rego_flow single(struct rego_machine *m, const struct rego_node *node,
                             const struct value *arg, size_t n, struct value *ret,
                             bool *ret_defined)
{
    struct gathered g = {.found = {found_value}};
    struct rego_candidates candidates = rego_candidates(m, node, arg);
    size_t mark = rego_mark(m);
    for (size_t i; rego_candidate(&candidates, &i);) {
        bool had = g.any;
        rego_back(m, mark);
        enum rego_flow flow = define(m, &node->definition[i], arg, n, &g);
        if (flow != REGO_GO)
            return flow;
        if (g.any && node->one_constant)
            break;
        if (g.any && !had)
            mark = rego_mark(m); /* the others only agree */
    }
    if (g.any && !node->one_constant)
        rego_back(m, mark);
    if (!g.any && node->otherwise) {
        enum rego_flow flow = define(m, node->otherwise, arg, n, &g);
        if (flow != REGO_GO)
            return flow;
    }
    *ret = g.value;
    *ret_defined = g.any;
    return REGO_GO;
}

/* --- partial rules --- */

/* Entries of a node and of the nodes below it, paths relative to the first. */
static enum rego_flow entries(struct rego_machine *m, const struct rego_node *node,
                              struct gathered *g);

/* What a child gives, under its key. */
static enum rego_flow child_entries(struct rego_machine *m, const struct rego_node *child,
                                    struct gathered *g)
{
    size_t from = g->n;
    enum rego_flow flow = entries(m, child, g);
    for (size_t i = from; flow == REGO_GO && i < g->n; i++) {
        struct value *path = arena_new_raw(m->arena, struct value, g->entry[i].npath + 1);
        if (!path)
            return rego_no_memory(m);
        path[0] = child->key;
        if (g->entry[i].npath)
            memcpy(path + 1, g->entry[i].path, g->entry[i].npath * sizeof *path);
        g->entry[i].path = path;
        g->entry[i].npath++;
    }
    return flow;
}

static enum rego_flow entries(struct rego_machine *m, const struct rego_node *node,
                              struct gathered *g)
{
    enum rego_flow flow = REGO_GO;
    if (++m->nested > REGO_RUNNING_MAX)
        return rego_error(m, "eval_cancel_error", NULL, (struct rego_place){0},
                          "documents are nested too deep");
    if (node->ndefinitions && node->kind == REGO_HEAD_COMPLETE && !node->dynamic) {
        struct value v;
        bool defined;
        flow = rego_node_value(m, node, &v, &defined);
        struct rego_entry *grown = arena_grow(m->arena, g->entry, g->n, &g->room, g->n + 1);
        if (!grown)
            return rego_no_memory(m);
        g->entry = grown;
        if (flow == REGO_GO && defined)
            grown[g->n++] = (struct rego_entry){NULL, 0, v, false, node->definition[0].rule};
    } else if (node->kind != REGO_HEAD_FUNCTION || !node->ndefinitions) {
        struct rego_candidates candidates = rego_candidates(m, node, NULL);
        for (size_t i; flow == REGO_GO && rego_candidate(&candidates, &i);) {
            rego_back(m, g->mark);
            flow = define(m, &node->definition[i], NULL, 0, g);
        }
    }
    for (size_t i = 0; flow == REGO_GO && i < node->nchild; i++)
        flow = child_entries(m, node->child[i], g);
    m->nested--;
    return flow;
}

/* Entries that share what lies before `depth`, sorted by their key there. */
static int compare_at_depth(const struct rego_entry *a, const struct rego_entry *b, size_t depth)
{
    return rego_compare(&a->path[depth], &b->path[depth]);
}

static void sort_entries(struct rego_entry *e, struct rego_entry *room, size_t n, size_t depth)
{
    if (n < 2)
        return;
    size_t half = n / 2, i = 0, j = half, k = 0;
    sort_entries(e, room, half, depth);
    sort_entries(e + half, room, n - half, depth);
    while (i < half || j < n)
        room[k++] =
            j >= n || (i < half && compare_at_depth(&e[i], &e[j], depth) <= 0) ? e[i++] : e[j++];
    memcpy(e, room, n * sizeof *e);
}

static enum rego_flow build(struct rego_machine *m, struct rego_entry *e, size_t n, size_t depth,
                            struct rego_entry *room, struct value *ret);

/* All of them end here: members of one set, or values that must agree. */
static enum rego_flow build_leaf(struct rego_machine *m, const struct rego_entry *e, size_t n,
                                 struct value *ret)
{
    if (!e->member) {
        for (size_t i = 1; i < n; i++)
            if (e[i].member || !rego_equal(&e[i].value, &e->value))
                return conflict(m, e[i].rule,
                                e[i].npath ? "object keys must be unique" : outputs_clash);
        *ret = e->value;
        return REGO_GO;
    }
    struct value *items = arena_new_raw(m->arena, struct value, n);
    if (!items)
        return rego_no_memory(m);
    for (size_t i = 0; i < n; i++) {
        if (!e[i].member)
            return conflict(m, e[i].rule, "object keys must be unique");
        items[i] = e[i].value;
    }
    *ret = rego_make_set(items, n);
    return REGO_GO;
}

/* A value of one rule where another goes deeper: members of that object are entries too. */
static bool any_ends(const struct rego_entry *e, size_t n, size_t depth, size_t *ret)
{
    for (size_t i = 0; i < n; i++)
        if (e[i].npath == depth) {
            *ret = i;
            return true;
        }
    return false;
}

static enum rego_flow build(struct rego_machine *m, struct rego_entry *e, size_t n, size_t depth,
                            struct rego_entry *room, struct value *ret)
{
    size_t ends = 0, deeper = 0, npairs = 0, clash;
    for (size_t i = 0; i < n; i++)
        e[i].npath == depth ? ends++ : deeper++;
    if (!deeper)
        return build_leaf(m, e, n, ret);
    if (ends && any_ends(e, n, depth, &clash))
        return conflict(m, e[clash].rule, "object keys must be unique");
    sort_entries(e, room, n, depth);
    struct rego_pair *pairs = arena_new_raw(m->arena, struct rego_pair, n);
    if (!pairs)
        return rego_no_memory(m);
    for (size_t i = 0, j; i < n; i = j) {
        for (j = i + 1; j < n && compare_at_depth(&e[i], &e[j], depth) == 0; j++) {}
        pairs[npairs].key = e[i].path[depth];
        enum rego_flow flow = build(m, e + i, j - i, depth + 1, room, &pairs[npairs].value);
        if (flow != REGO_GO)
            return flow;
        npairs++;
    }
    (void)rego_make_object(pairs, npairs, ret, &clash);
    return REGO_GO;
}

static enum rego_flow partial(struct rego_machine *m, const struct rego_node *node,
                              struct value *ret, bool *ret_defined)
{
    struct gathered g = {.found = {found_entry}, .mark = rego_mark(m)};
    enum rego_flow flow = entries(m, node, &g);
    if (flow != REGO_GO)
        return flow;
    rego_back(m, g.mark);
    *ret_defined = true;
    if (!g.n) {
        *ret = node->kind == REGO_HEAD_SET && !node->dynamic ? value_items(VALUE_SET, NULL, 0)
                                                             : (struct value){.kind = REGO_PAIRS};
        return REGO_GO;
    }
    struct rego_entry *room = arena_new_raw(m->arena, struct rego_entry, g.n);
    return room ? build(m, g.entry, g.n, 0, room, ret) : rego_no_memory(m);
}

/* --- nodes --- */

static const struct value *base_of(struct rego_machine *m, const struct rego_node *node)
{
    if (!m->world->data)
        return NULL;
    if (!node->parent)
        return m->world->data;
    const struct value *parent = base_of(m, node->parent);
    return parent ? rego_get(parent, &node->key) : NULL;
}

/* All children of a document of rules, merged with base values. */
static enum rego_flow merged(struct rego_machine *m, struct rego_document at, struct value *ret)
{
    size_t nbase = at.base && rego_is_object(at.base) ? at.base->len : 0, n = 0, clash;
    struct rego_pair *pairs = arena_new_raw(m->arena, struct rego_pair, nbase + at.node->nchild);
    struct value key, v;
    if (!pairs)
        return rego_no_memory(m);
    for (size_t i = 0; nbase && rego_next(at.base, &i, &key, &v);)
        if (!rego_child(at.node, &key))
            pairs[n++] = (struct rego_pair){key, v};
    for (size_t i = 0; i < at.node->nchild; i++) {
        const struct rego_node *child = at.node->child[i];
        struct rego_document below = {m->world->masked && m->world->masked[child->id] ? NULL
                                                                                      : child,
                                      nbase ? rego_get(at.base, &child->key) : NULL, false};
        bool defined;
        bool function =
            child->kind == REGO_HEAD_FUNCTION && child->ndefinitions + (child->otherwise != NULL);
        if ((!below.node || function) && !below.base)
            continue;
        /* In the whole document the base value wins over a rule. */
        if (below.base && child->ndefinitions)
            below.node = NULL;
        enum rego_flow flow = rego_document_value(m, below, &v, &defined);
        if (flow != REGO_GO)
            return flow;
        if (defined)
            pairs[n++] = (struct rego_pair){child->key, v};
    }
    (void)rego_make_object(pairs, n, ret, &clash);
    return REGO_GO;
}

static bool has_rules(const struct rego_node *node)
{
    return node->ndefinitions || node->otherwise || node->dynamic;
}

struct rego_document rego_node_document(struct rego_machine *m, const struct rego_node *node)
{
    bool masked = m->world->masked && m->world->masked[node->id];
    const struct value *base = masked || !has_rules(node) ? base_of(m, node) : NULL;
    return (struct rego_document){masked ? NULL : node, base, base != NULL};
}

enum rego_flow rego_document_value(struct rego_machine *m, struct rego_document document,
                                   struct value *ret, bool *ret_defined)
{
    *ret_defined = true;
    if (!document.node) {
        *ret = *document.base;
        return REGO_GO;
    }
    if (has_rules(document.node))
        return rego_node_value(m, document.node, ret, ret_defined);
    if (++m->nested > REGO_RUNNING_MAX)
        return rego_error(m, "eval_cancel_error", NULL, (struct rego_place){0},
                          "documents are nested too deep");
    enum rego_flow flow = merged(m, document, ret);
    m->nested--;
    return flow;
}

enum rego_flow rego_node_value(struct rego_machine *m, const struct rego_node *node,
                               struct value *ret, bool *ret_defined)
{
    struct rego_node_memo *memo = &m->world->memo[node->id];
    enum rego_flow flow;
    *ret_defined = memo->state == REGO_MEMO_VALUE;
    *ret = memo->value;
    if (memo->state == REGO_MEMO_VALUE || memo->state == REGO_MEMO_UNDEFINED) {
        if (m->reads)
            rego_again_reads(m, memo);
        return REGO_GO;
    }
    if (node->kind == REGO_HEAD_FUNCTION && has_rules(node) && !node->dynamic)
        return REGO_GO;
    if (memo->state == REGO_MEMO_RUNNING)
        return rego_error(m, "eval_internal_error", NULL, (struct rego_place){0},
                          "a rule needs its own value");
    memo->state = REGO_MEMO_RUNNING;
    size_t mark = rego_mark(m);
    bool one_value = node->kind == REGO_HEAD_COMPLETE && !node->dynamic;
    flow =
        one_value ? single(m, node, NULL, 0, ret, ret_defined) : partial(m, node, ret, ret_defined);
    if (flow == REGO_GO && m->depth > CHAIN_LONG && *ret_defined && has_rules(node))
        flow = check_shallow(m, ret, 1, node);
    if (flow != REGO_GO)
        return flow;
    memo->state = *ret_defined ? REGO_MEMO_VALUE : REGO_MEMO_UNDEFINED;
    memo->value = *ret;
    rego_keep_reads(m, memo, mark);
    return REGO_GO;
}

/* --- functions --- */

/* The same argument without a walk: scalars by value, collections by where they are. */
static bool same(const struct value *a, const struct value *b)
{
    if (a->kind != b->kind || a->len != b->len)
        return false;
    if (a->kind == VALUE_STRING || a->kind == VALUE_NUMBER || a->kind == VALUE_BOOL)
        return rego_equal(a, b);
    return a->kind == VALUE_NULL || a->items == b->items;
}

static uint64_t hash_args(const struct rego_node *node, const struct value *arg, size_t n)
{
    uint64_t h = node->id;
    for (size_t i = 0; i < n; i++)
        h = h * 0x9e3779b97f4a7c15U +
            (arg[i].kind <= VALUE_STRING ? rego_hash(&arg[i]) : (uintptr_t)arg[i].items >> 4);
    return h ^ h >> 29;
}

static struct rego_call_memo *call_slot(struct rego_call_memo *slot, size_t nslots,
                                        const struct rego_node *node, const struct value *arg,
                                        size_t n)
{
    size_t at = hash_args(node, arg, n) & (nslots - 1);
    for (;; at = (at + 1) & (nslots - 1)) {
        bool equal = slot[at].node == node;
        for (size_t i = 0; equal && i < n; i++)
            equal = same(&slot[at].arg[i], &arg[i]);
        if (!slot[at].node || equal)
            return &slot[at];
    }
}

enum { CALLS_FIRST = 256 };

static bool grow_calls(struct rego_machine *m, struct rego_world *w)
{
    size_t nslots = w->nslots ? w->nslots * 2 : CALLS_FIRST;
    struct rego_call_memo *grown = arena_new(m->arena, struct rego_call_memo, nslots);
    if (!grown)
        return false;
    for (size_t i = 0; i < w->nslots; i++)
        if (w->call[i].node)
            *call_slot(grown, nslots, w->call[i].node, w->call[i].arg, w->call[i].node->narg) =
                w->call[i];
    w->call = grown;
    w->nslots = nslots;
    return true;
}

enum rego_flow rego_function(struct rego_machine *m, const struct rego_node *node,
                             const struct value *arg, size_t n, struct value *ret,
                             bool *ret_defined)
{
    struct rego_world *w = m->world;
    if (w->ncalls * 2 >= w->nslots && !grow_calls(m, w))
        return rego_no_memory(m);
    struct rego_call_memo *memo = call_slot(w->call, w->nslots, node, arg, n);
    if (memo->node) {
        *ret = memo->value;
        *ret_defined = memo->defined;
        if (m->reads)
            rego_again_reads(m, memo->arg);
        return REGO_GO;
    }
    size_t mark = rego_mark(m);
    enum rego_flow flow = REGO_GO;
    if (m->depth > CHAIN_LONG)
        flow = check_shallow(m, arg, n, node);
    if (flow == REGO_GO)
        flow = single(m, node, arg, n, ret, ret_defined);
    if (flow == REGO_GO && m->depth > CHAIN_LONG && *ret_defined)
        flow = check_shallow(m, ret, 1, node);
    if (flow != REGO_GO)
        return flow;
    struct value *args = arena_new_raw(m->arena, struct value, n);
    if (!args)
        return rego_no_memory(m);
    memcpy(args, arg, n * sizeof *args);
    if (w->ncalls * 2 >= w->nslots && !grow_calls(m, w))
        return rego_no_memory(m);
    memo = call_slot(w->call, w->nslots, node, arg, n);
    w->ncalls += !memo->node;
    *memo = (struct rego_call_memo){node, args, *ret_defined, *ret};
    if (n)
        rego_keep_reads(m, args, mark);
    return REGO_GO;
}

/* --- with --- */

bool rego_world_make(struct rego_machine *m, const struct rego_world *from, struct rego_world *ret)
{
    *ret = (struct rego_world){
        .input = from->input,
        .data = from->data,
        .masked = from->masked,
        .mock = from->mock,
        .nmock = from->nmock,
    };
    ret->memo = arena_new(m->arena, struct rego_node_memo, m->policy->nnodes);
    return ret->memo != NULL;
}

/* v with what is at path replaced; parents are made where they lack. */
static bool patch(struct rego_machine *m, const struct value *v, const struct value *path, size_t n,
                  const struct value *by, struct value *ret)
{
    if (n == 0) {
        *ret = *by;
        return true;
    }
    size_t len = v && rego_is_object(v) ? v->len : 0, npairs = 0, clash;
    struct rego_pair *pairs = arena_new_raw(m->arena, struct rego_pair, len + 1);
    struct value key, item;
    if (!pairs)
        return false;
    const struct value *old = len ? rego_get(v, path) : NULL;
    for (size_t at = 0; len && rego_next(v, &at, &key, &item);)
        if (!rego_equal(&key, path))
            pairs[npairs++] = (struct rego_pair){key, item};
    pairs[npairs].key = *path;
    if (!patch(m, old, path + 1, n - 1, by, &pairs[npairs].value))
        return false;
    return rego_make_object(pairs, npairs + 1, ret, &clash);
}

static void mask(bool *masked, const struct rego_node *node, unsigned depth_left)
{
    masked[node->id] = true;
    for (size_t i = 0; depth_left && i < node->nchild; i++)
        mask(masked, node->child[i], depth_left - 1);
}

static bool change_document(struct rego_machine *m, const struct rego_change *change,
                            struct rego_world *w)
{
    const struct value **document = change->kind == REGO_CHANGE_INPUT ? &w->input : &w->data;
    const struct value *by = rego_operand(m, &change->value);
    struct value *made = arena_new(m->arena, struct value, 1);
    if (!made || !patch(m, *document, change->path, change->npath, by, made))
        return false;
    *document = made;
    if (change->kind == REGO_CHANGE_DATA && change->node) {
        bool *masked = arena_new(m->arena, bool, m->policy->nnodes);
        if (!masked)
            return false;
        if (w->masked)
            memcpy(masked, w->masked, m->policy->nnodes * sizeof *masked);
        mask(masked, change->node, REGO_DEPTH_MAX);
        w->masked = masked;
    }
    return true;
}

static bool change_function(struct rego_machine *m, const struct rego_change *change,
                            struct rego_world *w)
{
    struct rego_mock *mocks = arena_new(m->arena, struct rego_mock, w->nmock + 1);
    if (!mocks)
        return false;
    if (w->nmock)
        memcpy(mocks, w->mock, w->nmock * sizeof *mocks);
    mocks[w->nmock] = (struct rego_mock){change->node,       change->builtin,      change->by_node,
                                         change->by_builtin, change->by_signature, {0}};
    if (!change->by_node && !change->by_builtin)
        mocks[w->nmock].value = *rego_operand(m, &change->value);
    w->mock = mocks;
    w->nmock++;
    return true;
}

enum rego_flow rego_change_world(struct rego_machine *m, const struct rego_step *step,
                                 struct rego_world *ret)
{
    if (!rego_world_make(m, m->world, ret))
        return rego_no_memory(m);
    for (size_t i = 0; i < step->with.n; i++) {
        const struct rego_change *change = &step->with.change[i];
        if (!(change->kind == REGO_CHANGE_FUNCTION ? change_function(m, change, ret)
                                                   : change_document(m, change, ret)))
            return rego_no_memory(m);
    }
    return REGO_GO;
}

/* machine.c - the steps of plans. */
#include "lang/rego/machine.h"

#include <stdarg.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "lang/rego/lookups.h"
#include "lang/rego/trace.h"
#include "lang/rego/watch.h"
#include "value/number.h"

enum { CHECK_EVERY = 1024, BUILTIN_ERRORS_MAX = 100 };

enum rego_flow rego_error(struct rego_machine *m, const char *code,
                          const struct rego_module *module, struct rego_place place,
                          const char *fmt, ...)
{
    va_list args;
    if (m->error.code)
        return REGO_BAD;
    va_start(args, fmt);
    struct str message = arena_vprintf(m->arena, fmt, args);
    va_end(args);
    m->error =
        (struct rego_error){code, module ? module->file : STR("query"),
                            message.ptr ? message : STR("memory is out"), place.row, place.col};
    return REGO_BAD;
}

enum rego_flow rego_no_memory(struct rego_machine *m)
{
    return rego_error(m, "eval_cancel_error", NULL, (struct rego_place){0},
                      "the evaluation needs more than its %zu bytes of memory", m->arena->limit);
}

bool rego_spend_checked(struct rego_machine *m)
{
    m->steps_check = m->steps + CHECK_EVERY;
    if (m->steps_check > m->steps_limit)
        m->steps_check = m->steps_limit + 1;
    if (m->steps > m->steps_limit) {
        rego_error(m, "eval_cancel_error", NULL, (struct rego_place){0},
                   "the evaluation took more than its %llu steps",
                   (unsigned long long)m->steps_limit);
        return false;
    }
    if (m->options->cancel && *m->options->cancel) {
        rego_error(m, "eval_cancel_error", NULL, (struct rego_place){0}, "caller cancelled");
        return false;
    }
    if (m->deadline_ms && clock_monotonic_ms() > m->deadline_ms) {
        rego_error(m, "eval_cancel_error", NULL, (struct rego_place){0},
                   "the evaluation took longer than its %lld ms",
                   (long long)m->options->deadline_ms);
        return false;
    }
    return true;
}

/* --- matching --- */

bool rego_match(struct rego_machine *m, const struct rego_pattern *p, const struct value *v)
{
    switch (p->kind) {
    case REGO_MATCH_ANY:
        return true;
    case REGO_MATCH_BIND:
        m->frame[p->operand.slot] = *v;
        return true;
    case REGO_MATCH_EQUAL:
        return rego_equal(rego_operand(m, &p->operand), v);
    case REGO_MATCH_ARRAY:
        if (!rego_is_array(v) || v->len != p->n)
            return false;
        for (size_t i = 0; i < p->n; i++)
            if (!rego_match(m, &p->item[i], &v->items[i]))
                return false;
        return true;
    case REGO_MATCH_OBJECT:
        if (!rego_is_object(v) || v->len != p->n)
            return false;
        for (size_t i = 0; i < p->n; i++) {
            const struct value *item = rego_get(v, rego_operand(m, &p->key[i]));
            if (!item || !rego_match(m, &p->item[i], item))
                return false;
        }
        return true;
    }
    return false;
}

/* --- refs --- */

static struct str key_text(const struct value *object, uint32_t i)
{
    return object->kind == REGO_PAIRS ? value_text(&rego_pairs(object)[i].key)
                                      : key_str(object->members[i].key);
}

/* Objects of one sort have their keys at the same places: 10,000 resources of a plan, say. */
const struct value *rego_get_hinted(struct rego_machine *m, const struct value *v,
                                    const struct rego_pattern *key)
{
    const struct value *wanted = rego_operand(m, &key->operand), *found;
    bool pairs = v->kind == REGO_PAIRS;
    if (!key->hint || !rego_is_object(v))
        return rego_get(v, wanted);
    uint32_t at = m->hint[key->hint - 1];
    if (at < v->len && (!pairs || rego_pairs(v)[at].key.kind == VALUE_STRING) &&
        str_equal(key_text(v, at), value_text(wanted)))
        return pairs ? &rego_pairs(v)[at].value : &v->members[at].value;
    found = rego_get(v, wanted);
    if (found)
        m->hint[key->hint - 1] =
            pairs ? (uint32_t)((const struct rego_pair *)(const void *)(found - 1) - rego_pairs(v))
                  : (uint32_t)((size_t)((const char *)found - (const char *)v->members) /
                               sizeof *v->members);
    return found;
}

struct walk {
    const struct rego_step *step;
    struct rego_found *found;
};

static enum rego_flow walk(struct rego_machine *m, const struct walk *w, size_t i,
                           struct rego_document at);

/* A ref to input found all of its path, or lacks a key of it. */
static inline void count_lookup(const struct rego_machine *m, const struct rego_step *step,
                                bool had)
{
    if (m->options->lookups && step->ref.base == REGO_BASE_INPUT)
        rego_lookups_count(m->options->lookups, step->ref.at, step->ref.n, had);
}

static enum rego_flow arrived(struct rego_machine *m, const struct walk *w, struct rego_document at)
{
    struct value v;
    bool defined;
    enum rego_flow flow = rego_document_value(m, at, &v, &defined);
    count_lookup(m, w->step, true);
    if (flow != REGO_GO || !defined || !rego_match(m, &w->step->match, &v))
        return flow;
    if (m->reads && at.base && !at.node)
        rego_read_node(m, w->step, at.base, at.base, NULL, 0);
    return rego_run(m, w->step->next, w->found);
}

static bool is_masked(const struct rego_machine *m, const struct rego_node *node)
{
    return m->world->masked && m->world->masked[node->id];
}

static bool has_rules(const struct rego_node *node)
{
    return node->ndefinitions || node->otherwise || node->dynamic;
}

/* One key of a document; hinted: it as it stands in the ref, or NULL. */
static enum rego_flow child(struct rego_machine *m, const struct walk *w, size_t i,
                            struct rego_document at, const struct value *key,
                            const struct rego_pattern *hinted)
{
    struct rego_document below = {0};
    if (at.node) {
        below.node = rego_child(at.node, key);
        if (below.node && is_masked(m, below.node))
            below.node = NULL;
    }
    below.stored = at.stored;
    if (at.base)
        below.base = hinted ? rego_get_hinted(m, at.base, hinted) : rego_get(at.base, key);
    if (!below.base && at.base && at.stored && key->kind == VALUE_NUMBER &&
        rego_is_object(at.base)) {
        struct str text = number_text(m->arena, key);
        struct value name = value_string(text);
        below.base = text.ptr ? rego_get(at.base, &name) : NULL;
    }
    if (below.node || below.base)
        return walk(m, w, i + 1, below);
    count_lookup(m, w->step, false);
    if (m->reads && at.base)
        rego_read_node(m, w->step, at.base, NULL, &w->step->ref.at[i], w->step->ref.n - i);
    return REGO_GO;
}

/* Every key of a plain collection that matches. */
static enum rego_flow each(struct rego_machine *m, const struct walk *w, size_t i,
                           const struct value *collection)
{
    const struct rego_pattern *p = &w->step->ref.at[i];
    const struct rego_select *by = m->options->lookups ? NULL : w->step->ref.select;
    const uint32_t *only = NULL;
    struct value key, v;
    size_t mark = rego_mark(m), n = 0;
    if (by && by->key == i && rego_select(m, by, collection, &only, &n) != REGO_GO)
        return REGO_BAD;
    for (size_t at = 0, k = 0;; k++) {
        if (only && k == n)
            break;
        if (only)
            at = only[k];
        if (!rego_next(collection, &at, &key, &v))
            break;
        if (!rego_spend(m, 1))
            return REGO_BAD;
        if (!rego_match(m, p, &key))
            continue;
        rego_back(m, mark);
        const struct value *item = m->reads ? rego_item(collection, at - 1) : &v;
        enum rego_flow flow = walk(m, w, i + 1, (struct rego_document){.base = item});
        if (flow != REGO_GO)
            return flow;
    }
    return REGO_GO;
}

/* Every key of a document of base values and rules, in order. */
static enum rego_flow each_merged(struct rego_machine *m, const struct walk *w, size_t i,
                                  struct rego_document at)
{
    const struct rego_pattern *p = &w->step->ref.at[i];
    size_t n = 0, base_at = 0, nbase = at.base && rego_is_object(at.base) ? at.base->len : 0;
    size_t mark = rego_mark(m);
    struct value key = {0}, v;
    bool more = nbase && rego_next(at.base, &base_at, &key, &v);
    while (more || n < at.node->nchild) {
        int c = !more ? 1 : n >= at.node->nchild ? -1 : rego_compare(&key, &at.node->child[n]->key);
        struct value now = c <= 0 ? key : at.node->child[n]->key;
        n += c >= 0;
        if (c <= 0)
            more = rego_next(at.base, &base_at, &key, &v);
        if (!rego_match(m, p, &now))
            continue;
        rego_back(m, mark);
        enum rego_flow flow = child(m, w, i, at, &now, NULL);
        if (flow != REGO_GO)
            return flow;
    }
    return REGO_GO;
}

static enum rego_flow walk(struct rego_machine *m, const struct walk *w, size_t i,
                           struct rego_document at)
{
    struct value v;
    bool defined;
    if (i == w->step->ref.n)
        return arrived(m, w, at);
    if (at.node && has_rules(at.node)) {
        enum rego_flow flow = rego_node_value(m, at.node, &v, &defined);
        if (flow != REGO_GO || !defined)
            return flow;
        at = (struct rego_document){.base = &v};
    }
    const struct rego_pattern *p = &w->step->ref.at[i];
    if (p->kind == REGO_MATCH_EQUAL)
        return child(m, w, i, at, rego_operand(m, &p->operand), p);
    return at.node ? each_merged(m, w, i, at) : each(m, w, i, at.base);
}

static enum rego_flow ref(struct rego_machine *m, const struct rego_step *step,
                          struct rego_found *found)
{
    struct walk w = {step, found};
    struct rego_document at = {0};
    switch (step->ref.base) {
    case REGO_BASE_INPUT:
        at.base = m->world->input;
        break;
    case REGO_BASE_OPERAND:
        at.base = rego_operand(m, &step->ref.of);
        break;
    case REGO_BASE_DATA:
        at = rego_node_document(m, step->ref.node);
        break;
    }
    return at.node || at.base ? walk(m, &w, 0, at) : REGO_GO;
}

/* Only one way through: constant or bound keys all along a plain value. */
static bool lookup(struct rego_machine *m, const struct rego_step *step, const struct value **ret)
{
    const struct value *v =
        step->ref.base == REGO_BASE_INPUT ? m->world->input : rego_operand(m, &step->ref.of);
    const struct value *from = v;
    size_t i = 0;
    for (; v && i < step->ref.n; i++) {
        from = v;
        v = rego_get_hinted(m, v, &step->ref.at[i]);
    }
    if (i)
        count_lookup(m, step, v != NULL);
    if (m->reads && i)
        rego_read_node(m, step, from, v, &step->ref.at[i - 1], step->ref.n - (i - 1));
    *ret = v;
    return v != NULL;
}

/* --- calls --- */

static bool spend(void *ctx, uint64_t n)
{
    return rego_spend(ctx, n);
}

/* A failed built-in: the error of the evaluation if errors are strict or it was refused, else
 * undefined. */
static enum rego_flow failed(struct rego_machine *m, const struct rego_step *step,
                             const struct rego_call *call)
{
    const char *code = call->type_error ? "eval_type_error" : "eval_builtin_error";
    struct rego_error *grown;
    if (m->options->strict_builtin_errors || call->refused)
        return rego_error(m, code, step->module, step->place, "%.*s: %.*s", STR_ARG(call->name),
                          STR_ARG(call->why));
    if (m->nbuiltin_errors >= BUILTIN_ERRORS_MAX)
        return REGO_GO;
    grown = arena_grow(m->arena, m->builtin_error, m->nbuiltin_errors, &m->builtin_error_room,
                       m->nbuiltin_errors + 1);
    if (!grown)
        return rego_no_memory(m);
    m->builtin_error = grown;
    grown[m->nbuiltin_errors++] = (struct rego_error){
        code, step->module ? step->module->file : STR("query"),
        arena_printf(m->arena, "%.*s: %.*s", STR_ARG(call->name), STR_ARG(call->why)),
        step->place.row, step->place.col};
    return REGO_GO;
}

/* Kept results of what is not the same each time. */
static struct rego_call_memo *once(struct rego_machine *m, const void *builtin,
                                   const struct value *arg, size_t n)
{
    for (size_t i = 0; i < m->nonce; i++) {
        bool same = (const void *)m->once[i].node == builtin;
        for (size_t j = 0; same && j < n; j++)
            same = rego_equal(&m->once[i].arg[j], &arg[j]);
        if (same)
            return &m->once[i];
    }
    return NULL;
}

static bool keep_once(struct rego_machine *m, const void *builtin, const struct value *arg,
                      size_t n, const struct value *v, bool defined)
{
    struct value *args = arena_new_raw(m->arena, struct value, n);
    struct rego_call_memo *grown =
        arena_grow(m->arena, m->once, m->nonce, &m->once_room, m->nonce + 1);
    if (!args || !grown)
        return false;
    memcpy(args, arg, n * sizeof *args);
    m->once = grown;
    grown[m->nonce++] =
        (struct rego_call_memo){(const struct rego_node *)builtin, args, defined, *v};
    return true;
}

/* The built-in itself. *ret_defined false: undefined, or failed and not strict. */
static enum rego_flow builtin(struct rego_machine *m, const struct rego_step *step,
                              const struct rego_builtin *b, const struct rego_signature *signature,
                              const struct value *arg, size_t n, struct value *ret,
                              bool *ret_defined)
{
    struct rego_call call = {
        .arena = m->arena,
        .host = &m->options->host,
        .caches = m->caches,
        .arg = arg,
        .n = n,
        .name = str_from(b->name),
        .file = step->module ? step->module->file : STR(""),
        .spend = spend,
        .spend_ctx = m,
    };
    bool kept = b->flags & REGO_NONDETERMINISTIC;
    const struct rego_call_memo *memo = kept ? once(m, b, arg, n) : NULL;
    if (memo) {
        *ret = memo->value;
        *ret_defined = memo->defined;
        return REGO_GO;
    }
    *ret_defined = false;
    if (m->reads)
        rego_read_call(m, step, b->name, arg, n);
    enum rego_outcome outcome = rego_check_operands(&call, signature);
    if (outcome == REGO_DEFINED)
        outcome = b->run ? b->run(&call, ret) : REGO_UNDEFINED;
    if (outcome == REGO_FAILED)
        return failed(m, step, &call);
    if (outcome == REGO_HALT)
        return m->error.code ? REGO_BAD : rego_no_memory(m);
    *ret_defined = outcome == REGO_DEFINED;
    if (kept && !keep_once(m, b, arg, n, ret, *ret_defined))
        return rego_no_memory(m);
    return REGO_GO;
}

static const struct rego_mock *mock(const struct rego_machine *m, const struct rego_step *step)
{
    for (size_t i = m->world->nmock; i-- > 0;) {
        const struct rego_mock *one = &m->world->mock[i];
        if (step->kind == REGO_STEP_FUNCTION ? one->node == step->function.node
                                             : !one->node && one->builtin == step->call.builtin)
            return one;
    }
    return NULL;
}

/* The function put in place of another; it may call that other one itself. */
static enum rego_flow replaced(struct rego_machine *m, const struct rego_mock *by,
                               const struct value *arg, size_t n, struct value *ret,
                               bool *ret_defined)
{
    struct rego_world without, *before = m->world;
    struct rego_mock *mocks = arena_new(m->arena, struct rego_mock, before->nmock);
    if (!mocks || !rego_world_make(m, before, &without))
        return rego_no_memory(m);
    without.nmock = 0;
    without.mock = mocks;
    for (size_t i = 0; i < before->nmock; i++)
        if (before->mock[i].node != by->node || before->mock[i].builtin != by->builtin)
            mocks[without.nmock++] = before->mock[i];
    m->world = &without;
    enum rego_flow flow = rego_function(m, by->by_node, arg, n, ret, ret_defined);
    m->world = before;
    return flow;
}

enum { ARGS_MAX = 64 };

static enum rego_flow call(struct rego_machine *m, const struct rego_step *step, struct value *ret,
                           bool *ret_defined)
{
    __attribute__((uninitialized)) struct value arg[ARGS_MAX]; /* filled just below, often few */
    if (step->narg > ARGS_MAX)
        return rego_error(m, "eval_internal_error", step->module, step->place,
                          "a call has more than %d arguments", ARGS_MAX);
    for (size_t i = 0; i < step->narg; i++)
        arg[i] = *rego_operand(m, &step->arg[i]);
    const struct rego_mock *by = m->world->nmock ? mock(m, step) : NULL;
    if (by && by->by_node)
        return replaced(m, by, arg, step->narg, ret, ret_defined);
    if (by && by->by_builtin)
        return builtin(m, step, by->by_builtin, by->by_signature, arg, step->narg, ret,
                       ret_defined);
    if (by) {
        *ret = by->value;
        *ret_defined = true;
        return REGO_GO;
    }
    if (m->options->trace && step->kind == REGO_STEP_BUILTIN && step->narg == 1 &&
        str_equal(str_from(step->call.builtin->name), STR("trace")) && value_is_string(&arg[0]))
        rego_trace_note(m, step, value_text(&arg[0]));
    if (step->kind == REGO_STEP_FUNCTION)
        return rego_function(m, step->function.node, arg, step->narg, ret, ret_defined);
    return builtin(m, step, step->call.builtin, step->call.signature, arg, step->narg, ret,
                   ret_defined);
}

static enum rego_flow relation(struct rego_machine *m, const struct rego_step *step,
                               struct rego_found *found)
{
    struct value all;
    bool defined;
    enum rego_flow flow = call(m, step, &all, &defined);
    size_t mark = rego_mark(m);
    for (uint32_t i = 0; flow == REGO_GO && defined && i < all.len; i++) {
        if (!rego_spend(m, 1))
            return REGO_BAD;
        rego_back(m, mark);
        if (rego_match(m, &step->match, &all.items[i]))
            flow = rego_run(m, step->next, found);
    }
    return flow;
}

/* --- collections --- */

struct gathering {
    struct rego_found found;
    const struct rego_step *step;
    struct value *item; /* pairs: key, value, key, value */
    size_t n, room, mark;
    struct rego_first_reads first;
};

static enum rego_flow gather(struct rego_found *found, struct rego_machine *m)
{
    struct gathering *g = (struct gathering *)(void *)found;
    bool pairs = g->step->compr.kind == REGO_TERM_OBJECT_COMPREHENSION;
    struct value *grown = arena_grow(m->arena, g->item, g->n, &g->room, g->n + 2);
    if (!grown)
        return rego_no_memory(m);
    g->item = grown;
    if (pairs)
        grown[g->n++] = *rego_operand(m, &g->step->compr.key);
    grown[g->n++] = *rego_operand(m, &g->step->compr.value);
    if (m->reads)
        rego_first_reads_take(m, &g->first, g->mark);
    return REGO_GO;
}

static enum rego_flow comprehension(struct rego_machine *m, const struct rego_step *step,
                                    struct value *ret)
{
    struct gathering g = {.found = {gather}, .step = step, .mark = rego_mark(m)};
    size_t clash;
    enum rego_flow flow = rego_run(m, step->compr.body, &g.found);
    if (flow != REGO_GO)
        return flow;
    if (m->reads)
        rego_first_reads_give(m, &g.first, g.mark);
    if (g.n > VALUE_LEN_MAX)
        return rego_no_memory(m);
    switch (step->compr.kind) {
    case REGO_TERM_ARRAY_COMPREHENSION:
        *ret = value_items(VALUE_TUPLE, g.item, g.n);
        break;
    case REGO_TERM_SET_COMPREHENSION:
        *ret = rego_make_set(g.item, g.n);
        break;
    default:
        if (!rego_make_object((struct rego_pair *)(void *)g.item, g.n / 2, ret, &clash))
            return rego_error(m, "eval_conflict_error", step->module, step->place,
                              "object keys must be unique");
        break;
    }
    return REGO_GO;
}

static enum rego_flow collection(struct rego_machine *m, const struct rego_step *step,
                                 struct value *ret)
{
    struct value *items = arena_new_raw(m->arena, struct value, step->narg);
    if (!items)
        return rego_no_memory(m);
    for (size_t i = 0; i < step->narg; i++)
        items[i] = *rego_operand(m, &step->arg[i]);
    if (step->kind == REGO_STEP_ARRAY)
        *ret = value_items(VALUE_TUPLE, items, step->narg);
    else if (step->kind == REGO_STEP_SET)
        *ret = rego_make_set(items, step->narg);
    else
        *ret = rego_make_written((struct rego_pair *)(void *)items, step->narg / 2);
    return REGO_GO;
}

/* --- texts --- */

struct first {
    struct rego_found found;
    const struct rego_operand *operand;
    struct value value;
    bool any;
};

static enum rego_flow take_first(struct rego_found *found, struct rego_machine *m)
{
    struct first *f = (struct first *)(void *)found;
    f->any = true;
    if (f->operand)
        f->value = *rego_operand(m, f->operand);
    return REGO_STOP;
}

/* Has the body a solution, and which value is its first? */
static enum rego_flow exists(struct rego_machine *m, const struct rego_step *body,
                             const struct rego_operand *value, struct first *ret)
{
    *ret = (struct first){.found = {take_first}, .operand = value};
    enum rego_flow flow = rego_run(m, body, &ret->found);
    return flow == REGO_STOP ? REGO_GO : flow;
}

static enum rego_flow text_of_parts(struct rego_machine *m, const struct rego_step *step,
                                    const char *between, struct buf *out)
{
    for (size_t i = 0; i < step->parts.n; i++) {
        struct first f;
        const struct rego_part *part = &step->parts.part[i];
        enum rego_flow flow = exists(m, part->body, &part->value, &f);
        if (flow != REGO_GO)
            return flow;
        if (i)
            buf_str(out, str_from(between));
        if (!f.any)
            buf_str(out, STR("<undefined>"));
        else if (f.value.kind == VALUE_STRING)
            buf_str(out, value_text(&f.value));
        else
            rego_text(out, &f.value);
    }
    return REGO_GO;
}

static enum rego_flow template_text(struct rego_machine *m, const struct rego_step *step,
                                    struct value *ret)
{
    AUTO_BUF out = {.limit = m->arena->limit};
    enum rego_flow flow = text_of_parts(m, step, "", &out);
    if (flow != REGO_GO)
        return flow;
    struct str text = out.failed ? (struct str){0} : arena_dup(m->arena, buf_view(&out));
    if (!text.ptr || text.len > VALUE_LEN_MAX)
        return rego_no_memory(m);
    *ret = value_string(text);
    return REGO_GO;
}

static enum rego_flow print(struct rego_machine *m, const struct rego_step *step)
{
    AUTO_BUF out = {.limit = 1 << 20};
    enum rego_flow flow = text_of_parts(m, step, " ", &out);
    const struct rego_host *host = &m->options->host;
    if (flow == REGO_GO && host->print)
        host->print(host->ctx, buf_view(&out), step->module ? step->module->file : STR("query"),
                    step->place.row);
    return flow;
}

/* --- statements over bodies --- */

static enum rego_flow every(struct rego_machine *m, const struct rego_step *step, bool *ret)
{
    const struct value *domain = rego_operand(m, step->arg);
    struct value key, v;
    struct first f;
    *ret = rego_is_array(domain) || rego_is_object(domain) || domain->kind == VALUE_SET;
    for (size_t at = 0; *ret && rego_next(domain, &at, &key, &v);) {
        if (!rego_spend(m, 1))
            return REGO_BAD;
        if (!rego_match(m, &step->sub.key, &key) || !rego_match(m, &step->sub.value, &v))
            continue;
        enum rego_flow flow = exists(m, step->sub.body, NULL, &f);
        if (flow != REGO_GO)
            return flow;
        *ret = f.any;
    }
    return REGO_GO;
}

static enum rego_flow logic(struct rego_machine *m, const struct rego_step *step, bool *ret)
{
    struct first f;
    enum rego_flow flow = exists(m, step->sub.body, NULL, &f);
    *ret = f.any;
    if (flow != REGO_GO)
        return flow;
    if (step->kind == REGO_STEP_NOT) {
        *ret = !f.any;
        return REGO_GO;
    }
    if (f.any != (step->kind == REGO_STEP_OR)) {
        flow = exists(m, step->sub.other, NULL, &f);
        *ret = f.any;
    }
    return flow;
}

struct leaving { /* a solution under `with`: the rest runs outside of it */
    struct rego_found found;
    const struct rego_step *step;
    struct rego_found *outer;
    struct rego_world *outside;
};

static enum rego_flow leave(struct rego_found *found, struct rego_machine *m)
{
    struct leaving *l = (struct leaving *)(void *)found;
    struct rego_world *inside = m->world;
    m->world = l->outside;
    enum rego_flow flow = rego_run(m, l->step->next, l->outer);
    m->world = inside;
    return flow;
}

static enum rego_flow with(struct rego_machine *m, const struct rego_step *step,
                           struct rego_found *found)
{
    struct rego_world world;
    struct leaving l = {{leave}, step, found, m->world};
    enum rego_flow flow = rego_change_world(m, step, &world);
    if (flow != REGO_GO)
        return flow;
    m->world = &world;
    flow = rego_run(m, step->with.body, &l.found);
    m->world = l.outside;
    return flow;
}

/* --- the loop --- */

/* A step that has one solution at most: *ret tells whether it has. */
static enum rego_flow one(struct rego_machine *m, const struct rego_step *step, bool *ret)
{
    struct value v;
    const struct value *at = &v;
    enum rego_flow flow = REGO_GO;
    *ret = true;
    switch (step->kind) {
    case REGO_STEP_GET:
        *ret = lookup(m, step, &at);
        break;
    case REGO_STEP_BUILTIN:
    case REGO_STEP_FUNCTION:
        flow = call(m, step, &v, ret);
        break;
    case REGO_STEP_MATCH:
        at = rego_operand(m, step->arg);
        break;
    case REGO_STEP_ARRAY:
    case REGO_STEP_SET:
    case REGO_STEP_OBJECT:
        flow = collection(m, step, &v);
        break;
    case REGO_STEP_COMPREHENSION:
        flow = comprehension(m, step, &v);
        break;
    case REGO_STEP_TEMPLATE:
        flow = template_text(m, step, &v);
        break;
    case REGO_STEP_TEST:
        at = rego_operand(m, step->arg);
        *ret = at->kind != VALUE_BOOL || at->truth;
        return REGO_GO;
    case REGO_STEP_NOT:
    case REGO_STEP_OR:
    case REGO_STEP_AND:
        return logic(m, step, ret);
    case REGO_STEP_EVERY:
        return every(m, step, ret);
    case REGO_STEP_COVER:
        if (m->options->coverage)
            m->options->coverage[step->cover.counter]++;
        return REGO_GO;
    case REGO_STEP_PRINT:
        return print(m, step);
    default:
        *ret = false;
        return REGO_GO;
    }
    if (flow == REGO_GO && *ret)
        *ret = rego_match(m, &step->match, at);
    return flow;
}

static enum rego_flow many_later(struct rego_machine *m, const struct rego_step *step,
                                 struct rego_found *found);

static enum rego_flow many(struct rego_machine *m, const struct rego_step *step,
                           struct rego_found *found)
{
    if (rego_stack_low(m))
        return many_later(m, step, found);
    if (m->nested >= REGO_RUNNING_MAX)
        return rego_error(m, "eval_cancel_error", step->module, step->place,
                          "the evaluation is nested too deep");
    m->nested++;
    enum rego_flow flow = step->kind == REGO_STEP_WITH  ? with(m, step, found)
                          : step->kind == REGO_STEP_REF ? ref(m, step, found)
                                                        : relation(m, step, found);
    m->nested--;
    return flow;
}

struct many {
    const struct rego_step *step;
    struct rego_found *found;
};

static enum rego_flow many_on(struct rego_machine *m, void *ctx)
{
    const struct many *later = ctx;
    return many(m, later->step, later->found);
}

static enum rego_flow many_later(struct rego_machine *m, const struct rego_step *step,
                                 struct rego_found *found)
{
    struct many later = {step, found};
    return rego_on_new_stack(m, many_on, &later);
}

/* A budget that ran out knows no place: the innermost step that was going on is it. */
static enum rego_flow stopped(struct rego_machine *m, const struct rego_step *step)
{
    if (m->error.code && !m->error.row) {
        m->error.row = step->place.row;
        m->error.col = step->place.col;
        if (step->module)
            m->error.file = step->module->file;
    }
    return REGO_BAD;
}

enum rego_flow rego_run(struct rego_machine *m, const struct rego_step *step,
                        struct rego_found *found)
{
    for (; step; step = step->next) {
        bool holds;
        enum rego_flow flow;
        if (!rego_spend(m, 1))
            return stopped(m, step);
        if (step->kind == REGO_STEP_WITH || step->kind == REGO_STEP_RELATION ||
            step->kind == REGO_STEP_REF) {
            flow = many(m, step, found);
            return flow == REGO_BAD ? stopped(m, step) : flow;
        }
        if (step->kind == REGO_STEP_COVER && m->options->trace)
            return rego_trace_place(m, step, found);
        flow = one(m, step, &holds);
        if (flow == REGO_BAD)
            return stopped(m, step);
        if (flow != REGO_GO || !holds)
            return flow;
    }
    if (m->open)
        rego_trace_found(m, found);
    return found->call(found, m);
}

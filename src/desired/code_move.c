/* code_move.c - moved blocks: which address becomes which, and where an instance was before. */
#include "desired/code_move.h"

#include <string.h>

/* --- matching --- */

static bool same_step(const struct code_address_step *a, const struct code_address_step *b)
{
    return str_equal(a->name, b->name) && code_compare_keys(&a->key, &b->key) == 0;
}

static size_t depth_of(const struct code_config *config)
{
    size_t n = 0;
    for (; config->parent; config = config->parent)
        n++;
    return n;
}

/* Is the address in the module (any instance of it), or below? */
static bool is_in(const struct code_config *config, const struct code_address *a, size_t depth)
{
    if (a->nsteps < depth)
        return false;
    for (; config->parent; config = config->parent)
        if (!str_equal(a->step[--depth].name, config->call->name))
            return false;
    return true;
}

/* The steps of `want` at the start of the steps behind the module; `any` = the last key may be any.
 */
static bool starts_with(const struct code_address *a, size_t depth, const struct code_address *want,
                        bool any)
{
    if (a->nsteps < depth + want->nsteps)
        return false;
    for (size_t i = 0; i < want->nsteps; i++) {
        bool last = any && i + 1 == want->nsteps;
        const struct code_address_step *x = &a->step[depth + i], *y = &want->step[i];
        if (last ? !str_equal(x->name, y->name) : !same_step(x, y))
            return false;
    }
    return true;
}

static bool matches(const struct code_move *move, const struct code_address *from,
                    const struct code_address *a, size_t depth)
{
    bool whole = a->nsteps == depth + from->nsteps;
    switch (move->kind) {
    case CODE_MOVE_CALL:
        return starts_with(a, depth, from, true);
    case CODE_MOVE_MODULE:
        return starts_with(a, depth, from, false);
    case CODE_MOVE_RESOURCE:
        return whole && starts_with(a, depth, from, false) && code_address_same_resource(a, from);
    default:
        return whole && starts_with(a, depth, from, false) && code_address_same_resource(a, from) &&
               code_compare_keys(&a->key, &from->key) == 0;
    }
}

bool code_move_apply(struct arena *arena, const struct code_move *move, bool backwards,
                     const struct code_address *address, struct code_address *ret)
{
    const struct code_address *from = backwards ? &move->to : &move->from;
    const struct code_address *to = backwards ? &move->from : &move->to;
    size_t depth = depth_of(move->in), behind;
    if (!is_in(move->in, address, depth) || !matches(move, from, address, depth))
        return false;
    behind = address->nsteps - depth - from->nsteps;
    struct code_address_step *step =
        arena_new(arena, struct code_address_step, depth + to->nsteps + behind);
    if (!step)
        return false;
    *ret = *address;
    ret->step = step;
    ret->nsteps = depth + to->nsteps + behind;
    memcpy(step, address->step, depth * sizeof *step);
    if (to->nsteps)
        memcpy(step + depth, to->step, to->nsteps * sizeof *step);
    if (behind)
        memcpy(step + depth + to->nsteps, address->step + depth + from->nsteps,
               behind * sizeof *step);
    if (move->kind == CODE_MOVE_CALL)
        step[depth + to->nsteps - 1].key = address->step[depth + from->nsteps - 1].key;
    if (move->kind == CODE_MOVE_RESOURCE || move->kind == CODE_MOVE_INSTANCE) {
        ret->mode = to->mode;
        ret->type = to->type;
        ret->name = to->name;
    }
    if (move->kind == CODE_MOVE_INSTANCE)
        ret->key = to->key;
    return true;
}

/* --- order --- */

/* The path of a statement's address from the root, keys of enclosing modules left open. */
struct pattern {
    const struct code_move *move;
    const struct code_address *address;
    size_t depth; /* steps of the module that it is written in */
};

static size_t pattern_length(const struct pattern *p)
{
    return p->depth + p->address->nsteps;
}

static struct str pattern_name(const struct pattern *p, size_t i, const struct code_each **ret_key)
{
    const struct code_config *at = p->move->in;
    *ret_key = NULL;
    if (i >= p->depth) {
        const struct code_address_step *step = &p->address->step[i - p->depth];
        bool open = p->move->kind == CODE_MOVE_CALL && i + 1 == pattern_length(p);
        *ret_key = open ? NULL : &step->key;
        return step->name;
    }
    for (size_t up = p->depth - 1; up > i; up--)
        at = at->parent;
    return at->call->name;
}

/* Could the first n steps be of the same module instance? */
static bool could_match(const struct pattern *a, const struct pattern *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct code_each *x, *y;
        if (!str_equal(pattern_name(a, i, &x), pattern_name(b, i, &y)))
            return false;
        if (x && y && code_compare_keys(x, y) != 0)
            return false;
    }
    return true;
}

static bool is_module(const struct pattern *p)
{
    return p->move->kind == CODE_MOVE_CALL || p->move->kind == CODE_MOVE_MODULE;
}

/* a starts where b ends */
static bool chains(const struct pattern *a, const struct pattern *b)
{
    if (pattern_length(a) != pattern_length(b) || !could_match(a, b, pattern_length(a)))
        return false;
    if (is_module(a) || is_module(b))
        return is_module(a) && is_module(b);
    return a->move->kind == b->move->kind && code_address_same_resource(a->address, b->address) &&
           (a->move->kind == CODE_MOVE_RESOURCE ||
            code_compare_keys(&a->address->key, &b->address->key) == 0);
}

/* a is inside of what b selects */
static bool nested(const struct pattern *a, const struct pattern *b)
{
    size_t x = pattern_length(a), y = pattern_length(b);
    if (y > x || !could_match(b, a, y))
        return false;
    if (is_module(b))
        return !is_module(a) || x > y ||
               (b->move->kind == CODE_MOVE_CALL && a->move->kind == CODE_MOVE_MODULE);
    return b->move->kind == CODE_MOVE_RESOURCE && a->move->kind == CODE_MOVE_INSTANCE && x == y &&
           code_address_same_resource(a->address, b->address);
}

/* Only keys of the module differ. */
static bool only_keys(const struct code_move *m)
{
    if (m->kind == CODE_MOVE_RESOURCE || m->kind == CODE_MOVE_INSTANCE ||
        m->from.nsteps != m->to.nsteps)
        return false;
    for (size_t i = 0; i < m->from.nsteps; i++)
        if (!str_equal(m->from.step[i].name, m->to.step[i].name))
            return false;
    return true;
}

/* Must b take effect before a? */
static bool depends(const struct code_move *a, const struct code_move *b)
{
    struct pattern af = {a, &a->from, depth_of(a->in)}, at = {a, &a->to, depth_of(a->in)};
    struct pattern bf = {b, &b->from, depth_of(b->in)}, bt = {b, &b->to, depth_of(b->in)};
    if (chains(&af, &bt))
        return true;
    if (!nested(&af, &bt) && !nested(&at, &bt) && !nested(&bf, &af) && !nested(&bt, &af))
        return false;
    return depth_of(a->in) >= depth_of(b->in) || !only_keys(a);
}

/* Those first whose needs are met; false: some wait for each other. */
static bool put_in_order(struct arena *arena, struct code_moves *moves)
{
    size_t n = moves->n, done = 0;
    struct code_move *ordered = arena_new(arena, struct code_move, n);
    bool *placed = arena_new(arena, bool, n);
    if (!ordered || !placed)
        return false;
    for (bool moved = true; moved && done < n;) {
        moved = false;
        for (size_t i = 0; i < n; i++) {
            bool ready = !placed[i];
            for (size_t k = 0; k < n && ready; k++)
                ready = k == i || placed[k] || !depends(&moves->item[i], &moves->item[k]);
            if (!ready)
                continue;
            placed[i] = moved = true;
            ordered[done++] = moves->item[i];
        }
    }
    if (done == n)
        moves->item = ordered;
    return done == n;
}

/* --- reading --- */

static bool read_move(struct code *code, const struct code_config *in,
                      const struct code_moved *written, struct code_move *ret)
{
    struct hcl_traversal from, to;
    *ret = (struct code_move){.in = in, .written = written};
    if (!written->from.expr || !written->to.expr ||
        !hcl_static_traversal(&code->arena, written->from.expr, &from) ||
        !hcl_static_traversal(&code->arena, written->to.expr, &to) ||
        !code_address_from(&code->arena, &from, &ret->from) ||
        !code_address_from(&code->arena, &to, &ret->to) ||
        ret->from.has_resource != ret->to.has_resource)
        return false;
    const struct code_each *a = &ret->from.key, *b = &ret->to.key;
    if (!ret->from.has_resource) {
        a = &ret->from.step[ret->from.nsteps - 1].key;
        b = &ret->to.step[ret->to.nsteps - 1].key;
    }
    bool keyed = a->kind != CODE_KEY_NONE || b->kind != CODE_KEY_NONE;
    ret->kind = ret->from.has_resource ? (keyed ? CODE_MOVE_INSTANCE : CODE_MOVE_RESOURCE)
                                       : (keyed ? CODE_MOVE_MODULE : CODE_MOVE_CALL);
    return true;
}

const struct code_moves *code_moves_of(struct code *code)
{
    static const struct code_moves none = {0};
    size_t n = 0;
    if (code->moves)
        return code->moves;
    for (size_t i = 0; i < code->nconfigs; i++)
        n += code->config[i]->module->nmoved;
    struct code_moves *moves = arena_new(&code->arena, struct code_moves, 1);
    if (n > CODE_MOVES_MAX)
        n = CODE_MOVES_MAX;
    if (moves)
        moves->item = arena_new(&code->arena, struct code_move, n);
    if (!moves || !moves->item)
        return &none;
    for (size_t i = 0; i < code->nconfigs; i++) {
        const struct code_module *m = code->config[i]->module;
        for (size_t k = 0; k < m->nmoved && moves->n < n; k++) {
            struct code_move *move = &moves->item[moves->n];
            bool read = read_move(code, code->config[i], &m->moved[k], move);
            move->index = moves->n;
            moves->n += read;
        }
    }
    moves->cyclic = !put_in_order(&code->arena, moves);
    code->moves = moves;
    return moves;
}

/* --- the state --- */

static bool in_state(struct code *code, const struct code_address *address, struct value *ret)
{
    const struct code_options *o = &code->options;
    struct str text = code_address_text(&code->arena, address);
    return text.ptr && o->state && o->state(o->ctx, text, ret) && ret->kind == VALUE_OBJECT;
}

static void blocked(struct code_walk *walk, const struct code_address *from,
                    const struct code_address *to)
{
    struct code *code = walk->code;
    struct arena *arena = &code->arena;
    code->blocked = arena_printf(arena, "%.*s\n  - %.*s could not move to %.*s",
                                 STR_ARG(code->blocked), STR_ARG(code_address_text(arena, from)),
                                 STR_ARG(code_address_text(arena, to)));
}

/* Back through the statements, the last one first. */
static bool moved_from(struct code_walk *walk, const struct code_address *address, bool there,
                       struct value *ret)
{
    const struct code_moves *moves = code_moves_of(walk->code);
    struct code_address at = *address, before;
    struct value found;
    for (size_t i = moves->n; i-- > 0 && !moves->cyclic;) {
        if (!code_move_apply(&walk->code->arena, &moves->item[i], true, &at, &before))
            continue;
        if (in_state(walk->code, &before, &found)) {
            if (there) {
                blocked(walk, &before, address);
                return false;
            }
            *ret = found;
            return true;
        }
        at = before;
    }
    return false;
}

static bool is_mentioned(struct code *code, const struct code_address *address)
{
    const struct code_moves *moves = code_moves_of(code);
    for (size_t i = 0; i < moves->n; i++) {
        const struct code_move *m = &moves->item[i];
        size_t depth = depth_of(m->in);
        const struct code_address *both[] = {&m->from, &m->to};
        for (size_t k = 0; k < 2; k++)
            if (is_in(m->in, address, depth) && address->nsteps == depth + both[k]->nsteps &&
                starts_with(address, depth, both[k], false) &&
                code_address_same_resource(address, both[k]))
                return true;
    }
    return false;
}

/* Where `count` came or went: the first instance stays what it was. */
static bool renumbered(struct code *code, const struct code_resource *r,
                       struct code_address *address)
{
    bool first =
        address->key.kind == CODE_KEY_COUNT &&
        value_equal(&address->key.key, &(struct value){.kind = VALUE_NUMBER, .form = NUMBER_INT});
    if (r->count.expr && first)
        address->key = (struct code_each){.kind = CODE_KEY_NONE};
    else if (!r->count.expr && !r->for_each.expr && address->key.kind == CODE_KEY_NONE)
        address->key = (struct code_each){.kind = CODE_KEY_COUNT, .key = value_int(0)};
    else
        return false;
    return !is_mentioned(code, address);
}

static bool address_of(struct code *code, const struct code_made *made, struct code_address *ret)
{
    size_t n = depth_of(made->module->config);
    struct code_address_step *step = arena_new(&code->arena, struct code_address_step, n);
    *ret = (struct code_address){.step = step,
                                 .nsteps = n,
                                 .has_resource = true,
                                 .mode = made->out.mode,
                                 .type = made->out.type,
                                 .name = made->out.name,
                                 .key = made->each};
    const struct code_module_instance *at = made->module;
    for (size_t i = n; step && i-- > 0; at = at->parent)
        step[i] = (struct code_address_step){at->config->call->name, at->each};
    return step;
}

bool code_prior_state(struct code_walk *walk, const struct code_made *made, struct value *ret)
{
    struct code *code = walk->code;
    const struct code_options *o = &code->options;
    struct code_address address;
    if (!o->state)
        return false;
    bool there = o->state(o->ctx, made->out.address, ret) && ret->kind == VALUE_OBJECT;
    if (made->out.mode != CODE_MANAGED || !address_of(code, made, &address))
        return there;
    struct value moved;
    if (code_moves_of(code)->n && moved_from(walk, &address, there, &moved) && !there) {
        *ret = moved;
        return true;
    }
    return there ||
           (renumbered(code, made->out.resource, &address) && in_state(code, &address, ret));
}

/* --- forward: what becomes of an address of the state --- */

static bool is_removed(const struct code *code, const struct code_address *a)
{
    for (size_t i = 0; i < code->nconfigs; i++) {
        const struct code_config *in = code->config[i];
        size_t depth = depth_of(in);
        for (size_t k = 0; k < in->module->nremoved; k++) {
            struct hcl_traversal t;
            struct code_address from;
            struct arena *arena = &((struct code *)(uintptr_t)code)->arena;
            const struct hcl_expr *expr = in->module->removed[k].from.expr;
            if (!expr || !hcl_static_traversal(arena, expr, &t) ||
                !code_address_from(arena, &t, &from) || !is_in(in, a, depth) ||
                a->nsteps < depth + from.nsteps)
                continue;
            bool same = true;
            for (size_t s = 0; s < from.nsteps && same; s++)
                same = str_equal(from.step[s].name, a->step[depth + s].name);
            if (same && (!from.has_resource || (a->nsteps == depth + from.nsteps &&
                                                code_address_same_resource(a, &from))))
                return true;
        }
    }
    return false;
}

static const struct code_resource *resource_at(const struct code *code,
                                               const struct code_address *a)
{
    const struct code_config *config = code->root;
    for (size_t i = 0; i < a->nsteps && config; i++) {
        const struct code_module_call *call = code_find_call(config->module, a->step[i].name);
        config = call ? config->child[call - config->module->calls] : NULL;
    }
    return config ? code_find_resource(config->module, a->mode, a->type, a->name) : NULL;
}

bool code_moved_address(struct code *code, struct str state_address, struct str *ret)
{
    const struct code_moves *moves = code_moves_of(code);
    struct code_address at, next;
    struct value unused;
    *ret = state_address;
    if (!code_address_parse(&code->arena, state_address, &at) || !at.has_resource)
        return true;
    for (size_t i = 0; i < moves->n && !moves->cyclic; i++)
        if (code_move_apply(&code->arena, &moves->item[i], false, &at, &next) &&
            !in_state(code, &next, &unused))
            at = next;
    if (is_removed(code, &at))
        return false;
    const struct code_resource *r = resource_at(code, &at);
    next = at;
    bool first = at.key.kind != CODE_KEY_EACH && r && !r->for_each.expr &&
                 (r->count.expr != NULL) == (at.key.kind == CODE_KEY_NONE);
    if (first && at.key.kind == CODE_KEY_NONE)
        next.key = (struct code_each){.kind = CODE_KEY_COUNT, .key = value_int(0)};
    else if (first)
        next.key = (struct code_each){.kind = CODE_KEY_NONE};
    bool zero =
        at.key.kind == CODE_KEY_NONE ||
        (at.key.kind == CODE_KEY_COUNT &&
         value_equal(&at.key.key, &(struct value){.kind = VALUE_NUMBER, .form = NUMBER_INT}));
    if (first && zero && !is_mentioned(code, &at) && !in_state(code, &next, &unused))
        at = next;
    struct str text = code_address_text(&code->arena, &at);
    if (text.ptr)
        *ret = text;
    return true;
}

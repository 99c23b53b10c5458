/* collect.c - changes with their secrets, ignore rules and roots; what findings of all kinds share.
 */
#include "drift/collect.h"

#include "base/arena.h"
#include "base/err.h"
#include "drift/cursor.h"
#include "drift/sensitive.h"
#include "value/diff.h"

/* --- leaves --- */

/* An empty collection is a leaf: something to compare. */
uint64_t collect_leaves(const struct value *v, unsigned depth_left)
{
    uint64_t n = 0;
    if (v->len && depth_left && value_is_list_like(v)) {
        for (uint32_t i = 0; i < v->len; i++)
            n += collect_leaves(&v->items[i], depth_left - 1);
        return n;
    }
    if (v->len && depth_left && value_is_object_like(v)) {
        for (uint32_t i = 0; i < v->len; i++)
            n += collect_leaves(&v->members[i].value, depth_left - 1);
        return n;
    }
    return 1;
}

/* Are they equal? Counts the leaves on the way; what it counted up to a difference is void. */
bool collect_equal(const struct value *a, const struct value *b, unsigned depth_left,
                   uint64_t *count)
{
    bool listed = value_is_list_like(a), named = value_is_object_like(a);
    if (a->kind != b->kind)
        return false;
    if ((!listed && !named) || a->len == 0 || depth_left == 0) {
        ++*count;
        return value_equal(a, b);
    }
    if (a->len != b->len)
        return false;
    for (uint32_t i = 0; listed && i < a->len; i++)
        if (!collect_equal(&a->items[i], &b->items[i], depth_left - 1, count))
            return false;
    for (uint32_t i = 0; named && i < a->len; i++)
        if (!key_equal(a->members[i].key, b->members[i].key) ||
            !collect_equal(&a->members[i].value, &b->members[i].value, depth_left - 1, count))
            return false;
    return true;
}

/* Leaves below a path of the echo probe; an element or index step stands for all elements. */
static uint64_t leaves_at(const struct value *v, struct path path)
{
    uint64_t n = 0;
    if (path.n == 0)
        return collect_leaves(v, VALUE_DEPTH_MAX);
    struct path rest = {path.step + 1, path.n - 1};
    if (path.step[0].kind == PATH_KEY) {
        const struct value *member = value_get(v, path.step[0].key);
        return member ? leaves_at(member, rest) : 0;
    }
    for (uint32_t i = 0; value_is_list_like(v) && i < v->len; i++)
        n += leaves_at(&v->items[i], rest);
    for (uint32_t i = 0; value_is_object_like(v) && i < v->len; i++)
        n += leaves_at(&v->members[i].value, rest);
    return n;
}

void collect_count(const struct drift_input *in, uint64_t total, struct observation *ret)
{
    uint64_t blind = 0;
    for (size_t i = 0; i < in->nnot_observed; i++)
        blind += leaves_at(in->desired, in->not_observed[i]);
    ret->attributes_not_observed = blind < total ? blind : total;
    ret->attributes_compared = total - ret->attributes_not_observed;
}

/* --- changes --- */

bool collect_note_equal(struct collector *c, struct str path, const struct normalise_rule *rule,
                        struct err *err)
{
    if (!c->in->explain)
        return true;
    c->equal = arena_grow(c->arena, c->equal, c->nequal, &c->equal_room, c->nequal + 1);
    if (!c->equal)
        return arena_full(c->arena, err);
    c->equal[c->nequal++] = (struct considered_equal){
        .path = path, .rule = str_from(rule->name), .why = str_from(rule->why)};
    return true;
}

/* tags_all["x"] changed as tags["x"] did? */
static const struct normalise_rule *mirrored(const struct collector *c,
                                             const struct value_change *change)
{
    const struct path *path = &change->path;
    struct str entry = {0};
    if (path->n == 0 || path->n > 2 || path->step[0].kind != PATH_KEY)
        return NULL;
    if (path->n == 2) {
        if (path->step[1].kind != PATH_KEY)
            return NULL;
        entry = path->step[1].key;
    }
    return normalise_mirrored(&c->desired, &c->live, path->step[0].key, entry, change->before,
                              change->after);
}

static bool is_secret(const struct value *v)
{
    return v && (v->marks & VALUE_SENSITIVE);
}

static bool is_configurable(const struct drift_input *in, struct path path)
{
    if (in->schema)
        return !cursor_follow(cursor_root(in->schema), path).computed_only;
    return !in->configurable || in->configurable(in->configurable_ctx, path);
}

/*
 * A difference inside of a secret is one at the outermost secret place: neither keys nor structure
 * of it are told.
 */
static struct value_change outermost_secret(const struct collector *c,
                                            const struct value_change *change)
{
    for (size_t n = 0; n < change->path.n; n++) {
        struct path prefix = {change->path.step, n};
        const struct value *before = path_find(&c->desired, prefix);
        const struct value *after = path_find(&c->live, prefix);
        if (is_secret(before) || is_secret(after))
            return (struct value_change){prefix, before, after};
    }
    return *change;
}

bool collect_change(struct collector *c, const struct value_change *found, struct err *err)
{
    struct value_change from = outermost_secret(c, found);
    struct change change = {
        .path = path_text(c->arena, from.path),
        .before = from.before,
        .after = from.after,
        .sensitive = is_secret(from.before) || is_secret(from.after),
        .configurable = is_configurable(c->in, from.path),
    };
    if (!change.path.ptr)
        return arena_full(c->arena, err);
    if (c->n && from.path.n < found->path.n && path_equal(c->paths[c->n - 1], from.path))
        return true;
    const struct normalise_rule *mirror = mirrored(c, &from);
    if (mirror)
        return collect_note_equal(c, change.path, mirror, err);
    const struct ignore_rule *rule =
        ignore_find(&c->ignores, from.path, from.after, change.sensitive);
    if (rule)
        change.ignored_by = rule->reason;
    c->paths[c->n] = from.path;
    c->rule_of[c->n] = rule;
    c->changes[c->n++] = change;
    return true;
}

/* Too many differences to list: the top-level attributes that differ, each as a whole. */
static bool diff_coarsely(struct arena *arena, const struct value *desired,
                          const struct value *live, struct value_diff *ret, struct err *err)
{
    size_t n = 0, most = desired->len + (size_t)live->len;
    if (!value_is_object_like(desired) || !value_is_object_like(live))
        most = 1;
    struct value_change *changes = arena_new(arena, struct value_change, most);
    struct path_step *steps = arena_new(arena, struct path_step, most);
    if (!changes || !steps)
        return arena_full(arena, err);
    ret->nleaves = collect_leaves(desired, VALUE_DEPTH_MAX);
    ret->change = changes;
    ret->n = 1;
    changes[0] = (struct value_change){.before = desired, .after = live};
    if (most == 1)
        return true;
    for (uint32_t i = 0, j = 0; i < desired->len || j < live->len;) {
        const struct value_member *b = i < desired->len ? &desired->members[i] : NULL;
        const struct value_member *a = j < live->len ? &live->members[j] : NULL;
        int side = !a ? -1 : !b ? 1 : str_compare(key_str(b->key), key_str(a->key));
        i += side <= 0;
        j += side >= 0;
        if (side == 0 && value_equal(&b->value, &a->value))
            continue;
        steps[n] = (struct path_step){.kind = PATH_KEY, .key = key_str(side > 0 ? a->key : b->key)};
        changes[n] = (struct value_change){.path = {&steps[n], 1},
                                           .before = side <= 0 ? &b->value : NULL,
                                           .after = side >= 0 ? &a->value : NULL};
        n++;
    }
    ret->n = n;
    return true;
}

bool collect_diff(struct arena *arena, const struct value *before, const struct value *after,
                  struct value_diff *ret, struct err *err)
{
    struct err too_many = {0};
    return value_diff(arena, before, after, ret, &too_many) ||
           diff_coarsely(arena, before, after, ret, err);
}

bool collect_room(struct collector *c, size_t n, struct err *err)
{
    c->changes = arena_new(c->arena, struct change, n);
    c->paths = arena_new(c->arena, struct path, n);
    c->rule_of = arena_new(c->arena, const struct ignore_rule *, n);
    return (c->changes && c->paths && c->rule_of) || arena_full(c->arena, err);
}

bool collect_changes(struct collector *c, uint64_t *ret_leaves, struct err *err)
{
    struct value_diff diff;
    if (!collect_diff(c->arena, &c->desired, &c->live, &diff, err) || !collect_room(c, diff.n, err))
        return false;
    for (size_t i = 0; i < diff.n; i++)
        if (!collect_change(c, &diff.change[i], err))
            return false;
    *ret_leaves = diff.nleaves;
    return true;
}

bool collect_equal_by_rule(struct collector *c, const struct normalised *normal, struct err *err)
{
    c->equal = arena_new(c->arena, struct considered_equal, normal->n);
    if (!c->equal)
        return arena_full(c->arena, err);
    for (size_t i = 0; i < normal->n; i++)
        c->equal[c->nequal++] = normal->list[i];
    c->equal_room = normal->n;
    return true;
}

const struct considered_equal *collect_named_equal(struct collector *c)
{
    for (size_t i = 0; i < c->nequal; i++)
        c->equal[i].address = c->in->resource->address;
    return c->equal;
}

/* --- the fingerprint's roots --- */

struct path collect_root(struct path path)
{
    size_t n = 0;
    while (n < path.n && path.step[n].kind == PATH_KEY)
        n++;
    return (struct path){path.step, n};
}

static bool add_root(struct collector *c, size_t i, struct change *roots, size_t *n,
                     struct err *err)
{
    struct path root = collect_root(c->paths[i]);
    struct change to = {.before = c->changes[i].before, .after = c->changes[i].after};
    if (root.n < c->paths[i].n) {
        to.before = path_find(&c->desired, root);
        to.after = path_find(&c->live, root);
    }
    to.path = path_text(c->arena, root);
    if (!to.path.ptr)
        return arena_full(c->arena, err);
    bool again = *n && str_equal(roots[*n - 1].path, to.path);
    if (!again)
        roots[(*n)++] = to;
    if (c->changes[i].sensitive && !roots[*n - 1].sensitive) {
        roots[*n] = roots[*n - 1];
        roots[(*n)++].sensitive = true; /* in a list: beside what else differs there */
    }
    return true;
}

bool collect_fingerprint(struct collector *c, struct finding *finding, struct err *err)
{
    struct change *roots = arena_new(c->arena, struct change, 2 * c->n);
    size_t n = 0;
    if (!roots)
        return arena_full(c->arena, err);
    for (size_t i = 0; i < c->n; i++)
        if ((!c->rule_of[i] || finding->ignored) && !add_root(c, i, roots, &n, err))
            return false;
    return finding_fingerprint(finding, roots, n, err);
}

/* --- of the resource as a whole --- */

struct finding collect_finding(const struct resource *resource, struct str stack)
{
    return (struct finding){
        .stack = stack,
        .address = resource->address,
        .type = resource->type,
        .provider = resource->provider,
        .tainted = resource->tainted,
        .deposed = resource->deposed.len > 0,
    };
}

/* What the schema, the state and the code call secret. */
static bool secrets_of(struct arena *arena, const struct drift_input *in,
                       struct sensitive_input *ret, struct err *err)
{
    size_t n = in->resource->nsensitive, more = in->code ? in->code->nsensitive : 0;
    *ret = (struct sensitive_input){in->schema, in->resource->sensitive, n};
    if (more == 0)
        return true;
    struct path *paths = arena_new(arena, struct path, n + more);
    if (!paths)
        return arena_full(arena, err);
    for (size_t i = 0; i < n + more; i++)
        paths[i] = i < n ? in->resource->sensitive[i] : in->code->sensitive[i - n];
    ret->paths = paths;
    ret->npaths = n + more;
    return true;
}

bool collect_mark(struct collector *c, const struct value *before, const struct value *after,
                  struct err *err)
{
    struct sensitive_input secrets;
    c->desired = *before;
    c->live = *after;
    if (!secrets_of(c->arena, c->in, &secrets, err))
        return false;
    if (!sensitive_any(&secrets, before) && !value_any_sensitive(after))
        return true;
    return sensitive_mark(c->arena, &secrets, before, &c->desired, err) &&
           sensitive_mark(c->arena, &secrets, after, &c->live, err);
}

/* What the resource is known by, unless that is a secret. */
bool collect_public_id(struct arena *arena, const struct drift_input *in, struct str *ret,
                       struct err *err)
{
    struct sensitive_input secrets;
    struct value marked;
    *ret = (struct str){0};
    if (in->desired->kind == VALUE_NULL)
        return true;
    if (!secrets_of(arena, in, &secrets, err))
        return false;
    if (!sensitive_mark(arena, &secrets, in->desired, &marked, err))
        return false;
    const struct value *id = value_get(&marked, STR("id"));
    *ret = value_is_string(id) && !is_secret(id) ? value_text(id) : (struct str){0};
    return true;
}

bool collect_ignores(struct arena *arena, const struct drift_input *in, struct ignore_set *ret,
                     struct err *err)
{
    struct str id = {0};
    bool by_id = false;
    for (size_t i = 0; i < in->nignores; i++)
        by_id |= in->ignores[i].id.len > 0;
    if (by_id && !collect_public_id(arena, in, &id, err))
        return false;
    return ignore_select(arena, in->ignores, in->nignores, in->stack, in->resource, id,
                         in->now_utc_ms, ret, err);
}

/* probe.c - perturbing a value by its schema, and finding what was echoed. */
#include "live/reader_provider/probe.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "value/type.h"

enum { PROBE_DEPTH_MAX = 32, PROBE_PATHS_MAX = 10000 };

/* --- names that say which object it is --- */

static const struct str identity_names[] = {
    STR_INIT("account"),     STR_INIT("address"),    STR_INIT("alias"),
    STR_INIT("api_version"), STR_INIT("arn"),        STR_INIT("bucket"),
    STR_INIT("cluster"),     STR_INIT("database"),   STR_INIT("db"),
    STR_INIT("dest"),        STR_INIT("directory"),  STR_INIT("domain"),
    STR_INIT("endpoint"),    STR_INIT("file"),       STR_INIT("filename"),
    STR_INIT("fqdn"),        STR_INIT("group"),      STR_INIT("host"),
    STR_INIT("hostname"),    STR_INIT("id"),         STR_INIT("identifier"),
    STR_INIT("ids"),         STR_INIT("key"),        STR_INIT("kind"),
    STR_INIT("location"),    STR_INIT("login"),      STR_INIT("metadata"),
    STR_INIT("name"),        STR_INIT("namespace"),  STR_INIT("organization"),
    STR_INIT("owner"),       STR_INIT("parent"),     STR_INIT("path"),
    STR_INIT("port"),        STR_INIT("project"),    STR_INIT("region"),
    STR_INIT("repo"),        STR_INIT("repository"), STR_INIT("schema"),
    STR_INIT("scope"),       STR_INIT("self_link"),  STR_INIT("server"),
    STR_INIT("service"),     STR_INIT("slug"),       STR_INIT("source"),
    STR_INIT("table"),       STR_INIT("timeouts"),   STR_INIT("type"),
    STR_INIT("uid"),         STR_INIT("uri"),        STR_INIT("url"),
    STR_INIT("urn"),         STR_INIT("user"),       STR_INIT("username"),
    STR_INIT("uuid"),        STR_INIT("vault"),      STR_INIT("zone"),
};
/* The last word of a longer name that does the same: vpc_id, role_name, role_arn. */
static const struct str identity_words[] = {
    STR_INIT("_id"),   STR_INIT("_ids"), STR_INIT("_arn"),  STR_INIT("_name"), STR_INIT("_key"),
    STR_INIT("_path"), STR_INIT("_url"), STR_INIT("_uuid"), STR_INIT("_uri"),  STR_INIT("_link"),
};

bool probe_is_identity_name(struct str name)
{
    for (size_t i = 0; i < sizeof identity_names / sizeof *identity_names; i++)
        if (str_equal(name, identity_names[i]))
            return true;
    for (size_t i = 0; i < sizeof identity_words / sizeof *identity_words; i++)
        if (str_ends(name, identity_words[i]))
            return true;
    return false;
}

struct prober {
    struct arena *arena;
    const struct schema *identity;
    unsigned round;
    size_t changed;
};

static bool may_touch(const struct prober *in, const struct schema_attribute *attribute)
{
    if (attribute->write_only || probe_is_identity_name(attribute->name))
        return false;
    if (in->identity && schema_find_attribute(&in->identity->block, attribute->name))
        return false;
    return in->round == 1 || (attribute->optional && !attribute->computed && !attribute->required);
}

/* --- other values --- */

/* The last digit moves: "10.0.0.0/16" stays an address, "2024-01-01" a date, "0644" a mode. */
static bool other_text(struct prober *in, struct value *v, struct err *err)
{
    struct str text = value_text(v);
    size_t at = text.len;
    while (at > 0 && (text.ptr[at - 1] < '0' || text.ptr[at - 1] > '9'))
        at--;
    if (at > 0) {
        char *copy = arena_alloc_raw(in->arena, text.len, 1, 1);
        if (!copy)
            return arena_full(in->arena, err);
        memcpy(copy, text.ptr, text.len);
        char digit = copy[at - 1];
        copy[at - 1] = digit == '0' ? '1' : digit == '1' ? '2' : (char)(digit - 1);
        *v = value_string((struct str){copy, text.len});
    } else if (text.len && (text.ptr[0] == '{' || text.ptr[0] == '[')) {
        bool object = text.ptr[0] == '{', bare = text.len == 2;
        *v = value_string(object ? (bare ? STR("{\"plumb\":1}") : STR("{}"))
                                 : (bare ? STR("[1]") : STR("[]")));
    } else if (str_equal(text, STR("true")) || str_equal(text, STR("false"))) {
        *v = value_string(text.len == 4 ? STR("false") : STR("true"));
    } else {
        struct str other = arena_printf(in->arena, "%.*s-plumb", STR_ARG(text));
        if (!other.ptr)
            return arena_full(in->arena, err);
        *v = value_string(other);
    }
    in->changed++;
    return true;
}

static bool other_value(struct prober *in, struct value *v, unsigned depth_left, struct err *err);

/* Of a list, set or map without a schema of its own: the first entry changes. */
static bool other_first(struct prober *in, struct value *v, unsigned depth_left, struct err *err)
{
    size_t before = in->changed;
    if (value_is_object_like(v)) {
        struct value_member *members = arena_new(in->arena, struct value_member, v->len);
        if (!members)
            return arena_full(in->arena, err);
        memcpy(members, v->members, v->len * sizeof *members);
        v->members = members;
        for (uint32_t i = 0; i < v->len && in->changed == before; i++)
            if (!other_value(in, &members[i].value, depth_left - 1, err))
                return false;
        return true;
    }
    struct value *items = arena_new(in->arena, struct value, v->len);
    if (!items)
        return arena_full(in->arena, err);
    memcpy(items, v->items, v->len * sizeof *items);
    v->items = items;
    for (uint32_t i = 0; i < v->len && in->changed == before; i++)
        if (!other_value(in, &items[i], depth_left - 1, err))
            return false;
    if (v->kind == VALUE_SET)
        v->len = (uint32_t)value_set_normalise(items, v->len);
    return true;
}

static bool other_value(struct prober *in, struct value *v, unsigned depth_left, struct err *err)
{
    if (depth_left == 0)
        return true;
    switch ((enum value_kind)v->kind) {
    case VALUE_BOOL:
        v->truth = !v->truth;
        in->changed++;
        return true;
    case VALUE_NUMBER:
        *v = value_int(v->form != NUMBER_INT ? 1
                       : v->integer > 0      ? v->integer - 1
                                             : v->integer + 1);
        in->changed++;
        return true;
    case VALUE_STRING:
        return other_text(in, v, err);
    case VALUE_LIST:
    case VALUE_TUPLE:
    case VALUE_SET:
    case VALUE_MAP:
    case VALUE_OBJECT:
        return v->len == 0 || other_first(in, v, depth_left, err);
    default:
        return true; /* null stays null */
    }
}

static bool perturb_block(struct prober *in, const struct schema_block *block, struct value *v,
                          unsigned depth_left, struct err *err);

/* The objects of a nested block or nested attribute. */
static bool perturb_nested(struct prober *in, const struct schema_block *block,
                           enum schema_nesting nesting, struct value *v, unsigned depth_left,
                           struct err *err)
{
    if (depth_left == 0 || v->kind == VALUE_NULL)
        return true;
    if (nesting == NESTING_SINGLE || nesting == NESTING_GROUP)
        return perturb_block(in, block, v, depth_left - 1, err);
    if (nesting == NESTING_MAP || !value_is_list_like(v) || v->len == 0)
        return true;
    struct value *items = arena_new(in->arena, struct value, v->len);
    if (!items)
        return arena_full(in->arena, err);
    memcpy(items, v->items, v->len * sizeof *items);
    v->items = items;
    for (uint32_t i = 0; i < v->len; i++)
        if (!perturb_block(in, block, &items[i], depth_left - 1, err))
            return false;
    if (v->kind == VALUE_SET)
        v->len = (uint32_t)value_set_normalise(items, v->len);
    return true;
}

static bool perturb_member(struct prober *in, const struct schema_block *block, struct str name,
                           struct value *v, unsigned depth_left, struct err *err)
{
    const struct schema_attribute *attribute = schema_find_attribute(block, name);
    const struct schema_nested_block *nested = attribute ? NULL : schema_find_block(block, name);
    if (attribute && !may_touch(in, attribute))
        return true;
    if (attribute && attribute->nested)
        return perturb_nested(in, attribute->nested, attribute->nesting, v, depth_left, err);
    if (attribute)
        return attribute->type->kind == TYPE_DYNAMIC || other_value(in, v, depth_left, err);
    if (!nested || probe_is_identity_name(name))
        return true;
    return perturb_nested(in, nested->block, nested->nesting, v, depth_left, err);
}

static bool perturb_block(struct prober *in, const struct schema_block *block, struct value *v,
                          unsigned depth_left, struct err *err)
{
    if (depth_left == 0 || !value_is_object_like(v) || v->len == 0)
        return true;
    struct value_member *members = arena_new(in->arena, struct value_member, v->len);
    if (!members)
        return arena_full(in->arena, err);
    memcpy(members, v->members, v->len * sizeof *members);
    v->members = members;
    for (uint32_t i = 0; i < v->len; i++)
        if (!perturb_member(in, block, key_str(members[i].key), &members[i].value, depth_left - 1,
                            err))
            return false;
    return true;
}

bool probe_perturb(struct arena *arena, const struct schema_named *type, const struct value *live,
                   unsigned round, struct value *ret, size_t *ret_n, struct err *err)
{
    struct prober in = {arena, type->identity, round, 0};
    struct value other = *live;
    if (!perturb_block(&in, &type->schema->block, &other, PROBE_DEPTH_MAX, err))
        return false;
    *ret = other;
    *ret_n = in.changed;
    return true;
}

/* --- what came back --- */

struct echoes {
    struct arena *arena;
    struct path *paths;
    size_t n, room;
};
/* Where we are: linked backwards, so that a path is only made when it is needed. */
struct place {
    const struct place *up;
    struct path_step step;
    size_t depth;
};

static bool add_echo(struct echoes *out, const struct place *at, struct err *err)
{
    if (out->n >= PROBE_PATHS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d attributes", PROBE_PATHS_MAX);
    struct path_step *steps = arena_new(out->arena, struct path_step, at->depth);
    out->paths = arena_grow(out->arena, out->paths, out->n, &out->room, out->n + 1);
    if (!steps || !out->paths)
        return arena_full(out->arena, err);
    size_t depth = at->depth;
    for (const struct place *p = at; p; p = p->up) {
        steps[p->depth - 1] = p->step;
        if (p->step.kind == PATH_KEY) {
            steps[p->depth - 1].key = arena_dup(out->arena, p->step.key);
            if (!steps[p->depth - 1].key.ptr)
                return arena_full(out->arena, err);
        }
    }
    out->paths[out->n++] = (struct path){steps, depth};
    return true;
}

static bool echo_block(struct echoes *out, const struct schema_block *block,
                       const struct value *const three[3], const struct place *up,
                       unsigned depth_left, struct err *err);

enum { LIVE, SENT, ANSWER };

/* A list of blocks whose answer has as many: an attribute is echoed if it is in all that changed.
 * Decided on the first element that was changed: every element comes from the same code. */
static bool echo_list(struct echoes *out, const struct schema_block *block,
                      const struct value *const three[3], const struct place *at,
                      unsigned depth_left, struct err *err)
{
    struct place item = {at, {.kind = PATH_ELEMENT}, at->depth + 1};
    for (uint32_t i = 0; i < three[LIVE]->len; i++) {
        const struct value *const inner[3] = {&three[LIVE]->items[i], &three[SENT]->items[i],
                                              &three[ANSWER]->items[i]};
        if (!value_equal(inner[LIVE], inner[SENT]))
            return echo_block(out, block, inner, &item, depth_left - 1, err);
    }
    return true;
}

static bool echo_member(struct echoes *out, const struct schema_block *block,
                        const struct value *const three[3], const struct place *at,
                        unsigned depth_left, struct err *err)
{
    const struct schema_attribute *attribute = schema_find_attribute(block, at->step.key);
    const struct schema_nested_block *nested =
        attribute ? NULL : schema_find_block(block, at->step.key);
    const struct schema_block *inner = attribute ? attribute->nested
                                       : nested  ? nested->block
                                                 : NULL;
    if (!three[ANSWER] || value_equal(three[LIVE], three[SENT]))
        return true;
    bool inside = inner && depth_left && three[ANSWER]->kind == three[LIVE]->kind;
    if (inside && three[LIVE]->kind == VALUE_OBJECT)
        return echo_block(out, inner, three, at, depth_left - 1, err);
    if (inside && (three[LIVE]->kind == VALUE_LIST || three[LIVE]->kind == VALUE_TUPLE))
        return three[ANSWER]->len != three[LIVE]->len ||
               echo_list(out, inner, three, at, depth_left, err);
    return !value_equal(three[SENT], three[ANSWER]) || add_echo(out, at, err);
}

static bool echo_block(struct echoes *out, const struct schema_block *block,
                       const struct value *const three[3], const struct place *up,
                       unsigned depth_left, struct err *err)
{
    if (depth_left == 0 || !value_is_object_like(three[LIVE]))
        return true;
    for (uint32_t i = 0; i < three[LIVE]->len; i++) {
        struct str name = key_str(three[LIVE]->members[i].key);
        const struct value *const inner[3] = {&three[LIVE]->members[i].value,
                                              value_get(three[SENT], name),
                                              value_get(three[ANSWER], name)};
        struct place at = {up, {.kind = PATH_KEY, .key = name}, up ? up->depth + 1 : 1};
        if (inner[SENT] && !echo_member(out, block, inner, &at, depth_left - 1, err))
            return false;
    }
    return true;
}

static int path_order(const void *a, const void *b)
{
    const struct path *x = a, *y = b;
    return path_compare(*x, *y);
}

bool probe_echoed(struct arena *arena, const struct schema_named *type, const struct value *live,
                  const struct value *sent, const struct value *answer, struct path **ret,
                  size_t *ret_n, struct err *err)
{
    struct echoes out = {.arena = arena};
    const struct value *const three[3] = {live, sent, answer};
    if (!echo_block(&out, &type->schema->block, three, NULL, PROBE_DEPTH_MAX, err))
        return false;
    if (out.n)
        qsort(out.paths, out.n, sizeof *out.paths, path_order);
    *ret = out.paths;
    *ret_n = out.n;
    return true;
}

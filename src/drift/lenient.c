/* lenient.c - configuration laid over a prior value, place by place. */
#include "drift/lenient.h"

#include "base/arena.h"
#include "base/err.h"
#include "value/number.h"

enum { DIGITS_MAX = 400, PAIRS_MAX = 200 /* elements that are tried in any order */ };

static bool says_nothing(const struct value *config)
{
    return config->kind == VALUE_NULL || config->kind == VALUE_UNKNOWN;
}

/* The text that a scalar converts to; ptr NULL for what is none. */
static struct str scalar_text(struct arena *arena, const struct value *v)
{
    struct str text = {0};
    if (v->kind == VALUE_STRING)
        return value_text(v);
    if (v->kind == VALUE_BOOL)
        return v->truth ? STR("true") : STR("false");
    if (v->kind == VALUE_NUMBER && !number_print_plain(arena, v, DIGITS_MAX, &text, NULL))
        text = number_text(arena, v);
    return text;
}

static bool same_scalar(struct arena *arena, const struct value *a, const struct value *b)
{
    if (a->kind == b->kind)
        return value_equal(a, b);
    struct str x = scalar_text(arena, a), y = scalar_text(arena, b);
    return x.ptr && y.ptr && str_equal(x, y);
}

/* in_list: members that the configuration does not name are left alone. */
static bool same(struct arena *arena, const struct value *prior, const struct value *config,
                 bool in_list, unsigned depth_left);

/* One block for a list of one, on either side. */
static const struct value *only_element(const struct value *v, const struct value *beside)
{
    bool one = value_is_list_like(v) && v->len == 1 && value_is_object_like(beside);
    return one ? &v->items[0] : v;
}

static bool same_members(struct arena *arena, const struct value *prior, const struct value *config,
                         bool in_list, unsigned depth_left)
{
    for (uint32_t i = 0; i < config->len; i++) {
        const struct value *p = value_get(prior, key_str(config->members[i].key));
        const struct value *c = &config->members[i].value;
        if (!says_nothing(c) && (!p || !same(arena, p, c, in_list, depth_left)))
            return false;
    }
    for (uint32_t i = 0; i < prior->len && !in_list; i++) {
        const struct value *c = value_get(config, key_str(prior->members[i].key));
        if (!c && prior->members[i].value.kind != VALUE_NULL)
            return false;
    }
    return true;
}

static bool same_in_order(struct arena *arena, const struct value *prior,
                          const struct value *config, unsigned depth_left)
{
    for (uint32_t i = 0; i < config->len; i++)
        if (!same(arena, &prior->items[i], &config->items[i], true, depth_left))
            return false;
    return true;
}

static bool same_in_any_order(struct arena *arena, const struct value *prior,
                              const struct value *config, unsigned depth_left)
{
    bool used[PAIRS_MAX] = {false};
    if (config->len > PAIRS_MAX)
        return false;
    for (uint32_t i = 0; i < config->len; i++) {
        uint32_t j = 0;
        while (j < prior->len &&
               (used[j] || !same(arena, &prior->items[j], &config->items[i], true, depth_left)))
            j++;
        if (j == prior->len)
            return false;
        used[j] = true;
    }
    return true;
}

static bool same(struct arena *arena, const struct value *prior, const struct value *config,
                 bool in_list, unsigned depth_left)
{
    const struct value *p = only_element(prior, config), *c = only_element(config, prior);
    in_list |= p != prior || c != config;
    if (says_nothing(c))
        return true;
    if (depth_left == 0)
        return false;
    if (value_is_object_like(p) && value_is_object_like(c))
        return same_members(arena, p, c, in_list, depth_left - 1);
    if (value_is_list_like(p) && value_is_list_like(c))
        return p->len == c->len && (same_in_order(arena, p, c, depth_left - 1) ||
                                    same_in_any_order(arena, p, c, depth_left - 1));
    /* nothing at all, on both sides */
    if (p->kind == VALUE_NULL && (value_is_list_like(c) || value_is_object_like(c)))
        return c->len == 0;
    return same_scalar(arena, p, c);
}

static bool lay(struct arena *arena, const struct value *prior, const struct value *config,
                bool in_list, unsigned depth_left, struct value *ret, struct err *err);

static bool lay_members(struct arena *arena, const struct value *prior, const struct value *config,
                        bool in_list, unsigned depth_left, struct value *ret, struct err *err)
{
    struct value_member *members =
        arena_new(arena, struct value_member, (size_t)prior->len + config->len);
    size_t n = 0;
    if (!members)
        return arena_full(arena, err);
    for (uint32_t i = 0; i < config->len; i++) {
        const struct value_member *c = &config->members[i];
        const struct value *p = value_get(prior, key_str(c->key));
        if (says_nothing(&c->value) && !p)
            continue;
        members[n] = *c;
        if (p && !lay(arena, p, &c->value, in_list, depth_left, &members[n].value, err))
            return false;
        n++;
    }
    for (uint32_t i = 0; i < prior->len && in_list; i++)
        if (!value_get(config, key_str(prior->members[i].key)))
            members[n++] = prior->members[i];
    return value_members((enum value_kind)prior->kind, members, n, ret, NULL, err);
}

static bool lay_items(struct arena *arena, const struct value *prior, const struct value *config,
                      unsigned depth_left, struct value *ret, struct err *err)
{
    struct value *items = arena_new(arena, struct value, config->len);
    if (!items)
        return arena_full(arena, err);
    for (uint32_t i = 0; i < config->len; i++) {
        items[i] = config->items[i];
        if (i < prior->len &&
            !lay(arena, &prior->items[i], &config->items[i], true, depth_left, &items[i], err))
            return false;
    }
    *ret = value_items((enum value_kind)prior->kind, items, config->len);
    return true;
}

static bool lay(struct arena *arena, const struct value *prior, const struct value *config,
                bool in_list, unsigned depth_left, struct value *ret, struct err *err)
{
    const struct value *p = only_element(prior, config), *c = only_element(config, prior);
    *ret = *prior;
    if (depth_left == 0 || same(arena, prior, config, in_list, depth_left))
        return true;
    if (value_is_object_like(p) && value_is_object_like(c)) {
        if (p == prior)
            return lay_members(arena, p, c, in_list || c != config, depth_left - 1, ret, err);
        struct value *one = arena_new(arena, struct value, 1);
        if (!one)
            return arena_full(arena, err);
        *ret = value_items((enum value_kind)prior->kind, one, 1);
        return lay_members(arena, p, c, true, depth_left - 1, one, err);
    }
    if (value_is_list_like(p) && value_is_list_like(c))
        return lay_items(arena, p, c, depth_left - 1, ret, err);
    *ret = *config;
    return true;
}

bool lenient_plan(struct arena *arena, const struct value *prior, const struct value *config,
                  struct value *ret, struct err *err)
{
    struct value_member *members = arena_new(arena, struct value_member, prior->len);
    if (!members)
        return arena_full(arena, err);
    for (uint32_t i = 0; i < prior->len; i++) {
        const struct value *c = value_get(config, key_str(prior->members[i].key));
        members[i] = prior->members[i];
        if (c && !says_nothing(c) &&
            !lay(arena, &prior->members[i].value, c, false, VALUE_DEPTH_MAX / 4, &members[i].value,
                 err))
            return false;
    }
    *ret = *prior;
    if (prior->len)
        ret->members = members;
    return true;
}

/* graphql_overlap.c - fields of a selection that answer under one name, but differ.
 *
 * Source: GraphQL, October 2021, 5.3.2 (FieldsInSetCanMerge, SameResponseShape), in the order of
 * comparisons that OPA's validator has
 */
#include "base/arena.h"
#include "base/buf.h"
#include "lang/rego/graphql.h"

enum { OVERLAP_DEPTH_MAX = 400, MESSAGE_MAX = 1 << 14 };

/* What a selection has once its inline fragments are opened. */
struct collected {
    struct graphql_list fields, spreads;
};
struct conflict {
    struct str name; /* the name both answer under */
    struct str why;
    const struct graphql_node *at;
};
struct conflicts {
    struct conflict *item;
    size_t n, room;
};

static void find_conflict(struct graphql_overlap *o, struct conflicts *out, bool exclusive,
                          const struct graphql_node *a, const struct graphql_node *b);

static struct str answer_name(const struct graphql_node *field)
{
    return field->alias.len ? field->alias : field->name;
}

static bool collect(struct graphql_overlap *o, const struct graphql_node *selections,
                    struct collected *into)
{
    for (size_t i = 0; i < selections->members.n; i++) {
        struct graphql_node *item = selections->members.item[i];
        if (!graphql_spend(o->g, 1))
            return false;
        if (item->kind == GRAPHQL_INLINE   ? !collect(o, item, into)
            : item->kind == GRAPHQL_SPREAD ? !graphql_add(o->g, &into->spreads, item)
                                           : !graphql_add(o->g, &into->fields, item))
            return false;
    }
    return true;
}

static void add(struct graphql_overlap *o, struct conflicts *out, struct conflict conflict)
{
    if (out->n >= GRAPHQL_ERRORS_MAX)
        return;
    out->item = arena_grow(o->g->call->arena, out->item, out->n, &out->room, out->n + 1);
    o->g->halt |= !out->item || !conflict.why.ptr;
    if (!o->g->halt)
        out->item[out->n++] = conflict;
}

/* --- sets against sets --- */

static void between(struct graphql_overlap *o, struct conflicts *out, bool exclusive,
                    const struct collected *a, const struct collected *b)
{
    for (size_t i = 0; i < a->fields.n; i++) {
        struct str name = answer_name(a->fields.item[i]);
        if (!graphql_spend(o->g, b->fields.n))
            return;
        for (size_t k = 0; k < b->fields.n; k++)
            if (str_equal(name, answer_name(b->fields.item[k])))
                find_conflict(o, out, exclusive, a->fields.item[i], b->fields.item[k]);
    }
}

static bool same_fields(const struct collected *a, const struct collected *b)
{
    if (a->fields.n != b->fields.n)
        return false;
    for (size_t i = 0; i < a->fields.n; i++)
        if (a->fields.item[i] != b->fields.item[i])
            return false;
    return true;
}

static void with_fragment(struct graphql_overlap *o, struct conflicts *out, bool exclusive,
                          const struct collected *a, const struct graphql_node *spread)
{
    struct collected b = {0};
    if (graphql_has_name(o->g, &o->compared, spread->name) ||
        !graphql_add_name(o->g, &o->compared, spread->name) || !spread->definition ||
        !collect(o, spread->definition, &b) || same_fields(a, &b))
        return;
    between(o, out, exclusive, a, &b);
    o->depth++;
    for (size_t i = 0; i < b.spreads.n && !o->g->halt && o->depth < OVERLAP_DEPTH_MAX; i++)
        if (!str_equal(b.spreads.item[i]->name, spread->name))
            with_fragment(o, out, exclusive, a, b.spreads.item[i]);
    o->depth--;
}

/* Were these two compared already, as strictly? Else they are from now on. */
static bool seen_pair(struct graphql_overlap *o, struct str a, struct str b, bool exclusive)
{
    for (size_t i = 0; i + 2 < o->pair.n && graphql_spend(o->g, 1); i += 3) {
        const struct str *pair = &o->pair.item[i];
        bool same = (str_equal(pair[0], a) && str_equal(pair[1], b)) ||
                    (str_equal(pair[0], b) && str_equal(pair[1], a));
        if (same && (exclusive || pair[2].len == 0))
            return true;
    }
    return !graphql_add_name(o->g, &o->pair, a) || !graphql_add_name(o->g, &o->pair, b) ||
           !graphql_add_name(o->g, &o->pair, exclusive ? STR("x") : STR(""));
}

static void fragments(struct graphql_overlap *o, struct conflicts *out, bool exclusive,
                      const struct graphql_node *a, const struct graphql_node *b)
{
    struct collected in_a = {0}, in_b = {0};
    if (o->depth >= OVERLAP_DEPTH_MAX || str_equal(a->name, b->name) ||
        seen_pair(o, a->name, b->name, exclusive) || !a->definition || !b->definition ||
        !collect(o, a->definition, &in_a) || !collect(o, b->definition, &in_b))
        return;
    o->depth++;
    between(o, out, exclusive, &in_a, &in_b);
    for (size_t i = 0; i < in_b.spreads.n && !o->g->halt; i++)
        fragments(o, out, exclusive, a, in_b.spreads.item[i]);
    for (size_t i = 0; i < in_a.spreads.n && !o->g->halt; i++)
        fragments(o, out, exclusive, in_a.spreads.item[i], b);
    o->depth--;
}

static void sub_selections(struct graphql_overlap *o, struct conflicts *out, bool exclusive,
                           const struct graphql_node *a, const struct graphql_node *b)
{
    struct collected in_a = {0}, in_b = {0};
    if (!collect(o, a, &in_a) || !collect(o, b, &in_b))
        return;
    between(o, out, exclusive, &in_a, &in_b);
    for (size_t i = 0; i < in_b.spreads.n && !o->g->halt; i++) {
        o->compared = (struct graphql_names){0};
        with_fragment(o, out, exclusive, &in_a, in_b.spreads.item[i]);
    }
    for (size_t i = 0; i < in_a.spreads.n && !o->g->halt; i++) {
        o->compared = (struct graphql_names){0};
        with_fragment(o, out, exclusive, &in_b, in_a.spreads.item[i]);
    }
    for (size_t i = 0; i < in_a.spreads.n; i++)
        for (size_t k = 0; k < in_b.spreads.n && !o->g->halt; k++)
            fragments(o, out, exclusive, in_a.spreads.item[i], in_b.spreads.item[k]);
}

/* --- field against field --- */

static bool same_arguments(struct graphql_overlap *o, const struct graphql_list *a,
                           const struct graphql_list *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n && graphql_spend(o->g, b->n); i++) {
        const struct graphql_node *x = a->item[i]->value;
        bool found = false;
        for (size_t k = 0; k < b->n && !found; k++) {
            const struct graphql_node *y = b->item[k]->value;
            found = str_equal(a->item[i]->name, b->item[k]->name) && x->number == y->number &&
                    str_equal(x->text, y->text);
        }
        if (!found)
            return false;
    }
    return true;
}

static bool types_conflict(struct graphql_overlap *o, const struct graphql_node *a,
                           const struct graphql_node *b)
{
    for (; a->type && b->type; a = a->type, b = b->type)
        ;
    if (a->type || b->type || a->flag != b->flag)
        return true;
    const struct graphql_node *x = graphql_type(o->schema, a->name);
    const struct graphql_node *y = graphql_type(o->schema, b->name);
    bool leaf_x = graphql_is(x, "SCALAR") || graphql_is(x, "ENUM");
    bool leaf_y = graphql_is(y, "SCALAR") || graphql_is(y, "ENUM");
    return leaf_x && leaf_y && x != y;
}

/* Can both never be asked of one object? */
static bool apart(const struct graphql_node *a, const struct graphql_node *b)
{
    return !str_equal(a->of->name, b->of->name) && graphql_is(a->of, "OBJECT") &&
           graphql_is(b->of, "OBJECT") && a->definition && b->definition;
}

static struct str sub_reasons(struct graphql_overlap *o, const struct conflicts *found)
{
    AUTO_BUF out = {.limit = MESSAGE_MAX};
    for (size_t i = 0; i < found->n; i++) {
        if (out.len + found->item[i].why.len + 1000 > MESSAGE_MAX)
            break; /* the first ones say enough */
        buf_str(&out, i ? STR(" and subfields \"") : STR("subfields \""));
        buf_str(&out, str_sub(found->item[i].name, 0, 500));
        buf_str(&out, STR("\" conflict because "));
        buf_str(&out, found->item[i].why);
    }
    return arena_dup(o->g->call->arena, buf_view(&out));
}

static struct str reason(struct graphql_overlap *o, bool exclusive, const struct graphql_node *a,
                         const struct graphql_node *b)
{
    struct arena *arena = o->g->call->arena;
    if (!exclusive && !str_equal(a->name, b->name))
        return arena_printf(arena, "\"%.*s\" and \"%.*s\" are different fields", STR_ARG(a->name),
                            STR_ARG(b->name));
    if (!exclusive && !same_arguments(o, &a->arguments, &b->arguments))
        return STR("they have differing arguments");
    if (a->definition && b->definition &&
        types_conflict(o, a->definition->type, b->definition->type))
        return arena_printf(arena, "they return conflicting types \"%s\" and \"%s\"",
                            graphql_type_text(o->g, a->definition->type),
                            graphql_type_text(o->g, b->definition->type));
    struct conflicts found = {0};
    sub_selections(o, &found, exclusive, a, b);
    return found.n ? sub_reasons(o, &found) : STR("");
}

static void find_conflict(struct graphql_overlap *o, struct conflicts *out, bool exclusive,
                          const struct graphql_node *a, const struct graphql_node *b)
{
    if (!a->of || !b->of || o->depth >= OVERLAP_DEPTH_MAX || o->g->halt)
        return;
    o->depth++;
    struct str why = reason(o, exclusive || apart(a, b), a, b);
    o->depth--;
    if (why.len || !why.ptr)
        add(o, out, (struct conflict){answer_name(a), why, b});
}

void graphql_overlaps(struct graphql_overlap *o, const struct graphql_node *selections)
{
    struct conflicts found = {0};
    struct collected in = {0};
    if (selections->members.n == 0 || !collect(o, selections, &in))
        return;
    for (size_t i = 0; i < in.fields.n; i++) {
        struct str name = answer_name(in.fields.item[i]);
        if (!graphql_spend(o->g, in.fields.n - i))
            return;
        for (size_t k = i + 1; k < in.fields.n; k++)
            if (str_equal(name, answer_name(in.fields.item[k])))
                find_conflict(o, &found, false, in.fields.item[i], in.fields.item[k]);
    }
    o->compared = (struct graphql_names){0};
    for (size_t i = 0; i < in.spreads.n && !o->g->halt; i++) {
        with_fragment(o, &found, false, &in, in.spreads.item[i]);
        for (size_t k = i + 1; k < in.spreads.n && !o->g->halt; k++)
            fragments(o, &found, false, in.spreads.item[i], in.spreads.item[k]);
    }
    for (size_t i = 0; i < found.n && !o->g->halt; i++)
        (void)graphql_error(o->g, found.item[i].at,
                            "Fields \"%.*s\" conflict because %.*s. Use different aliases on the "
                            "fields to fetch both if this was intentional.",
                            STR_ARG(found.item[i].name), STR_ARG(found.item[i].why));
}

/* graphql_validate.c - the rules of validation over the operations and fragments of a document.
 *
 * One walk; at each thing the rules about it, in the order of their names (as OPA reports them).
 * Source: GraphQL, October 2021, 5
 */
#include "base/arena.h"
#include "base/buf.h"
#include "lang/rego/graphql_rules.h"

enum { WALK_DEPTH_MAX = 2000, SUGGEST_NAME_MAX = 100, INTROSPECTION_LISTS_MAX = 3 };

static void walk_selections(struct walk *w, const struct graphql_node *parent,
                            struct graphql_node *node);

/* --- suggestions --- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Edits from one to the other; 1 where only the case differs. SIZE_MAX: too long to say. */
static size_t distance(struct str a, struct str b)
{
    size_t row[SUGGEST_NAME_MAX + 1];
    bool same = a.len == b.len;
    if (a.len > SUGGEST_NAME_MAX || b.len > SUGGEST_NAME_MAX)
        return SIZE_MAX;
    for (size_t k = 0; k <= b.len; k++)
        row[k] = k;
    for (size_t i = 0; i < a.len; i++) {
        size_t corner = row[0];
        row[0] = i + 1;
        same = same && lower(a.ptr[i]) == lower(b.ptr[i]);
        for (size_t k = 0; k < b.len; k++) {
            size_t replaced = corner + (lower(a.ptr[i]) != lower(b.ptr[k]));
            corner = row[k + 1];
            size_t least = row[k] < corner ? row[k] + 1 : corner + 1;
            row[k + 1] = replaced < least ? replaced : least;
        }
    }
    if (same)
        return str_equal(a, b) ? 0 : 1;
    return row[b.len];
}

/* a, b, or c: the first five */
static void or_list(struct buf *out, const struct str *item, size_t n, bool quoted)
{
    n = n > 5 ? 5 : n;
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_str(out, n == 2 ? STR(" or ") : i + 1 == n ? STR(", or ") : STR(", "));
        buf_str(out, quoted ? STR("\"") : STR(""));
        buf_str(out, item[i]);
        buf_str(out, quoted ? STR("\"") : STR(""));
    }
}

static const char *kept(struct walk *w, struct buf *out)
{
    struct str s = out->failed ? STR("") : arena_dup(w->g->call->arena, buf_view(out));
    w->g->halt |= !s.ptr;
    return s.ptr ? s.ptr : "";
}

const char *graphql_suggest(struct walk *w, const char *prefix, struct str typed,
                            const struct graphql_list *of, bool quoted)
{
    struct str near[5];
    size_t far[5], n = 0, threshold = typed.len * 2 / 5 + 1;
    AUTO_BUF out = {.limit = 1 << 12};
    for (size_t i = 0; i < of->n && graphql_spend(w->g, typed.len); i++) {
        size_t d = distance(typed, of->item[i]->name), at;
        if (d > threshold)
            continue;
        for (at = n < 5 ? n++ : 5; at > 0 && far[at - 1] > d; at--)
            if (at < 5) {
                far[at] = far[at - 1];
                near[at] = near[at - 1];
            }
        if (at < 5) {
            far[at] = d;
            near[at] = of->item[i]->name;
        }
    }
    if (n == 0)
        return "";
    buf_str(&out, str_from(prefix));
    buf_char(&out, ' ');
    or_list(&out, near, n, quoted);
    buf_char(&out, '?');
    return kept(w, &out);
}

/* Objects and interfaces that do have such a field, where the type itself is abstract. */
static const char *suggest_types(struct walk *w, const struct graphql_node *parent,
                                 struct str field)
{
    struct graphql_list objects = {0};
    struct graphql_names names = {0};
    AUTO_BUF out = {.limit = 1 << 12};
    for (size_t i = 0; i < w->schema->ntypes && graphql_spend(w->g, 1); i++) {
        struct graphql_node *t = w->schema->type[i];
        if (graphql_is_possible(w->g, parent, t) && graphql_named(w->g, &t->members, field) &&
            !graphql_add(w->g, &objects, t))
            return "";
    }
    for (size_t most = objects.n; most > 0; most--) /* interfaces by how many implement them */
        for (size_t i = 0; i < w->schema->ntypes && graphql_spend(w->g, objects.n + 1); i++) {
            const struct graphql_node *t = w->schema->type[i];
            size_t n = 0;
            for (size_t k = 0; k < objects.n; k++)
                n += graphql_has_name(w->g, &objects.item[k]->interfaces, t->name);
            if (n == most && graphql_named(w->g, &t->members, field))
                (void)graphql_add_name(w->g, &names, t->name);
        }
    for (size_t k = 0; k < objects.n; k++)
        if (!graphql_has_name(w->g, &names, objects.item[k]->name))
            (void)graphql_add_name(w->g, &names, objects.item[k]->name);
    if (names.n == 0)
        return "";
    buf_str(&out, STR(" Did you mean to use an inline fragment on "));
    or_list(&out, names.item, names.n, true);
    buf_char(&out, '?');
    return kept(w, &out);
}

/* --- arguments and directives --- */

static void repeated_arguments(struct walk *w, const struct graphql_list *list)
{
    for (size_t i = 0; i < list->n && graphql_spend(w->g, i + 1); i++) {
        size_t before = 0;
        for (size_t k = 0; k < i; k++)
            before += str_equal(list->item[k]->name, list->item[i]->name);
        if (before == 1)
            (void)graphql_error(w->g, list->item[i],
                                "There can be only one argument named \"%.*s\".",
                                STR_ARG(list->item[i]->name));
    }
}

static void walk_arguments(struct walk *w, const struct graphql_list *given,
                           const struct graphql_node *definition)
{
    for (size_t i = 0; i < given->n && !w->g->halt; i++) {
        struct graphql_node *a = given->item[i];
        const struct graphql_node *of =
            definition ? graphql_named(w->g, &definition->arguments, a->name) : NULL;
        if (of)
            graphql_expect(w, a->value, of);
        graphql_walk_value(w, a->value);
    }
}

static void check_directive(struct walk *w, const struct graphql_node *d, const char *location)
{
    const struct graphql_node *of = d->definition;
    for (size_t i = 0; of && i < d->arguments.n; i++)
        if (!graphql_named(w->g, &of->arguments, d->arguments.item[i]->name))
            (void)graphql_error(w->g, d, "Unknown argument \"%.*s\" on directive \"@%.*s\".%s",
                                STR_ARG(d->arguments.item[i]->name), STR_ARG(d->name),
                                graphql_suggest(w, " Did you mean", d->arguments.item[i]->name,
                                                &of->arguments, true));
    if (!of)
        (void)graphql_error(w->g, d, "Unknown directive \"@%.*s\".", STR_ARG(d->name));
    else if (!graphql_has_name(w->g, &of->types, str_from(location)) && !d->of)
        (void)graphql_error(w->g, d, "Directive \"@%.*s\" may not be used on %s.", STR_ARG(d->name),
                            location);
    for (size_t i = 0; of && i < of->arguments.n && graphql_spend(w->g, 1); i++) {
        const struct graphql_node *a = of->arguments.item[i];
        if (a->type->flag && !a->value && !graphql_named(w->g, &d->arguments, a->name))
            (void)graphql_error(w->g, d,
                                "Directive \"@%.*s\" argument \"%.*s\" of type \"%s\" is "
                                "required, but it was not provided.",
                                STR_ARG(of->name), STR_ARG(a->name),
                                graphql_type_text(w->g, a->type));
    }
    repeated_arguments(w, &d->arguments);
}

static void walk_directives(struct walk *w, const struct graphql_list *list, const char *location)
{
    for (size_t i = 0; i < list->n && graphql_spend(w->g, 1); i++) {
        struct graphql_node *d = list->item[i];
        d->definition = graphql_directive(w->schema, d->name);
        walk_arguments(w, &d->arguments, d->definition);
        check_directive(w, d, location);
        d->of = d; /* one met again, by way of its fragment, is not told of twice */
    }
    for (size_t i = 0; i < list->n && !w->g->halt; i++) {
        const struct graphql_node *d = list->item[i];
        const struct graphql_list before = {list->item, i, 0};
        if ((!d->definition || !d->definition->flag) && graphql_named(w->g, &before, d->name))
            (void)graphql_error(w->g, d,
                                "The directive \"@%.*s\" can only be used once at this location.",
                                STR_ARG(d->name));
    }
}

/* --- fields --- */

/* MaxIntrospectionDepth: lists in lists of the schema's own description. */
static bool too_deep(struct walk *w, const struct graphql_node *node, unsigned lists)
{
    if (w->depth >= WALK_DEPTH_MAX || !graphql_spend(w->g, 1))
        return false;
    if (node->kind == GRAPHQL_SPREAD) {
        if (!node->definition || graphql_has_name(w->g, &w->visited, node->name) ||
            !graphql_add_name(w->g, &w->visited, node->name))
            return false;
        size_t n = w->visited.n - 1;
        w->depth++;
        bool deep = too_deep(w, node->definition, lists);
        w->depth--;
        w->visited.n = n;
        return deep;
    }
    static const char *const listing[] = {"fields", "interfaces", "possibleTypes", "inputFields"};
    for (size_t i = 0; node->kind == GRAPHQL_FIELD && i < 4; i++)
        lists += str_equal(node->name, str_from(listing[i]));
    if (lists >= INTROSPECTION_LISTS_MAX)
        return true;
    w->depth++;
    bool deep = false;
    for (size_t i = 0; i < node->members.n && !deep; i++)
        deep = too_deep(w, node->members.item[i], lists);
    w->depth--;
    return deep;
}

static void check_introspection(struct walk *w, const struct graphql_node *f)
{
    if (!str_equal(f->name, STR("__schema")) && !str_equal(f->name, STR("__type")))
        return;
    struct graphql_names kept_visited = w->visited;
    w->visited = (struct graphql_names){0};
    if (too_deep(w, f, 0))
        (void)graphql_error(w->g, f, "Maximum introspection depth exceeded");
    w->visited = kept_visited;
}

static void check_known(struct walk *w, const struct graphql_node *f)
{
    if (f->of && !f->definition) {
        bool plain = graphql_is(f->of, "OBJECT") || graphql_is(f->of, "INTERFACE");
        const char *types = graphql_is(f->of, "INTERFACE") || graphql_is(f->of, "UNION")
                                ? suggest_types(w, f->of, f->name)
                                : "";
        (void)graphql_error(
            w->g, f, "Cannot query field \"%.*s\" on type \"%.*s\".%s", STR_ARG(f->name),
            STR_ARG(f->of->name),
            *types  ? types
            : plain ? graphql_suggest(w, " Did you mean", f->name, &f->of->members, true)
                    : "");
    }
    for (size_t i = 0; f->of && f->definition && i < f->arguments.n; i++) {
        const struct graphql_node *a = f->arguments.item[i];
        if (!graphql_named(w->g, &f->definition->arguments, a->name))
            (void)graphql_error(
                w->g, f, "Unknown argument \"%.*s\" on field \"%.*s.%.*s\".%s", STR_ARG(a->name),
                STR_ARG(f->of->name), STR_ARG(f->name),
                graphql_suggest(w, " Did you mean", a->name, &f->definition->arguments, true));
    }
}

static void check_complete(struct walk *w, const struct graphql_node *f)
{
    const struct graphql_node *d = f->definition;
    for (size_t i = 0; d && i < d->arguments.n && graphql_spend(w->g, 1); i++) {
        const struct graphql_node *a = d->arguments.item[i];
        if (a->type->flag && !a->value && !graphql_named(w->g, &f->arguments, a->name))
            (void)graphql_error(w->g, f,
                                "Field \"%.*s\" argument \"%.*s\" of type \"%s\" is required, "
                                "but it was not provided.",
                                STR_ARG(f->name), STR_ARG(a->name),
                                graphql_type_text(w->g, a->type));
    }
    const struct graphql_node *type =
        d ? graphql_type(w->schema, graphql_type_name(d->type)) : NULL;
    bool leaf = graphql_is(type, "SCALAR") || graphql_is(type, "ENUM");
    if (type && leaf && f->members.n > 0)
        (void)graphql_error(
            w->g, f,
            "Field \"%.*s\" must not have a selection since type \"%.*s\" has no subfields.",
            STR_ARG(f->name), STR_ARG(type->name));
    if (type && !leaf && f->members.n == 0)
        (void)graphql_error(w->g, f,
                            "Field \"%.*s\" of type \"%s\" must have a selection of subfields. "
                            "Did you mean \"%.*s { ... }\"?",
                            STR_ARG(f->name), graphql_type_text(w->g, d->type), STR_ARG(f->name));
}

static void walk_field(struct walk *w, const struct graphql_node *parent, struct graphql_node *f)
{
    f->of = parent;
    f->definition = str_equal(f->name, STR("__typename")) ? w->schema->type_name
                    : parent ? graphql_named(w->g, &parent->members, f->name)
                             : NULL;
    const struct graphql_node *type =
        f->definition ? graphql_type(w->schema, graphql_type_name(f->definition->type)) : NULL;
    walk_arguments(w, &f->arguments, f->definition);
    walk_directives(w, &f->directives, "FIELD");
    walk_selections(w, type, f);
    check_known(w, f);
    check_introspection(w, f);
    if (w->operation)
        graphql_overlaps(&w->overlap, f);
    check_complete(w, f);
    repeated_arguments(w, &f->arguments);
}

/* --- fragments --- */

/* PossibleFragmentSpreads: can anything be of both types? */
static bool can_spread(struct walk *w, const struct graphql_node *parent, struct str on)
{
    const struct graphql_node *type = graphql_type(w->schema, on);
    if (!parent || !graphql_is_composite(parent) || !type || !graphql_is_composite(type))
        return true; /* nothing to say, or said by another rule */
    if (graphql_is(parent, "OBJECT"))
        return graphql_is_possible(w->g, type, parent);
    for (size_t i = 0; i < w->schema->ntypes && graphql_spend(w->g, 1); i++)
        if (graphql_is_possible(w->g, type, w->schema->type[i]) &&
            graphql_is_possible(w->g, parent, w->schema->type[i]))
            return true;
    return false;
}

static void walk_inline(struct walk *w, const struct graphql_node *parent, struct graphql_node *f)
{
    const struct graphql_node *type = f->alias.len ? graphql_type(w->schema, f->alias) : parent;
    walk_directives(w, &f->directives, "INLINE_FRAGMENT");
    walk_selections(w, type, f);
    if (f->alias.len && type && !graphql_is_composite(type))
        (void)graphql_error(w->g, f, "Fragment cannot condition on non composite type \"%.*s\".",
                            STR_ARG(f->alias));
    if (f->alias.len && !type)
        (void)graphql_error(w->g, f, "Unknown type \"%.*s\".", STR_ARG(f->alias));
    graphql_overlaps(&w->overlap, f);
    if (f->alias.len && !can_spread(w, parent, f->alias))
        (void)graphql_error(w->g, f,
                            "Fragment cannot be spread here as objects of type \"%.*s\" can never "
                            "be of type \"%.*s\".",
                            STR_ARG(parent->name), STR_ARG(f->alias));
}

static void walk_spread(struct walk *w, const struct graphql_node *parent, struct graphql_node *s)
{
    struct graphql_node *fragment = graphql_named(w->g, &w->document->extras, s->name);
    const struct graphql_node *type = fragment ? graphql_type(w->schema, fragment->alias) : NULL;
    s->definition = fragment;
    walk_directives(w, &s->directives, "FRAGMENT_SPREAD");
    if (fragment && !graphql_has_name(w->g, &w->visited, s->name) &&
        graphql_add_name(w->g, &w->visited, s->name)) {
        walk_directives(w, &fragment->directives, "FRAGMENT_DEFINITION");
        walk_selections(w, type, fragment);
    }
    if (!fragment)
        (void)graphql_error(w->g, s, "Unknown fragment \"%.*s\".", STR_ARG(s->name));
    /* Of the fragments, the first one's count too: as OPA has it. */
    if ((w->operation || w->done == 0) && !graphql_has_name(w->g, &w->used, s->name))
        (void)graphql_add_name(w->g, &w->used, s->name);
    if (fragment && !can_spread(w, parent, fragment->alias))
        (void)graphql_error(w->g, s,
                            "Fragment \"%.*s\" cannot be spread here as objects of type \"%.*s\" "
                            "can never be of type \"%.*s\".",
                            STR_ARG(s->name), STR_ARG(parent->name), STR_ARG(fragment->alias));
}

static void walk_selections(struct walk *w, const struct graphql_node *parent,
                            struct graphql_node *node)
{
    if (w->depth >= WALK_DEPTH_MAX) {
        (void)graphql_error(w->g, node, "fragments are spread deeper than %d levels",
                            WALK_DEPTH_MAX);
        return;
    }
    w->depth++;
    for (size_t i = 0; i < node->members.n && graphql_spend(w->g, 1); i++) {
        struct graphql_node *item = node->members.item[i];
        if (item->kind == GRAPHQL_FIELD)
            walk_field(w, parent, item);
        else if (item->kind == GRAPHQL_INLINE)
            walk_inline(w, parent, item);
        else
            walk_spread(w, parent, item);
    }
    w->depth--;
}

/* The spreads in a selection, those of nested selections behind. */
static bool spreads(struct walk *w, struct graphql_node *node, struct graphql_list *into)
{
    struct graphql_list sets = {0};
    if (!graphql_add(w->g, &sets, node))
        return false;
    while (sets.n > 0) {
        const struct graphql_node *set = sets.item[--sets.n];
        for (size_t i = 0; i < set->members.n; i++)
            if (!graphql_spend(w->g, 1) ||
                !graphql_add(w->g, set->members.item[i]->kind == GRAPHQL_SPREAD ? into : &sets,
                             set->members.item[i]))
                return false;
    }
    return true;
}

/* NoFragmentCycles; path: the spreads that led here, open: the fragments that are open. */
static void check_cycles(struct walk *w, struct graphql_node *fragment, struct graphql_list *path,
                         struct graphql_list *open)
{
    struct graphql_list found = {0};
    if (graphql_has_name(w->g, &w->cyclic, fragment->name) || w->depth >= WALK_DEPTH_MAX ||
        !graphql_add_name(w->g, &w->cyclic, fragment->name) || !spreads(w, fragment, &found) ||
        found.n == 0 || !graphql_add(w->g, open, fragment))
        return;
    w->depth++;
    for (size_t i = 0; i < found.n; i++) {
        if (!graphql_spend(w->g, open->n))
            break;
        struct graphql_node *s = found.item[i];
        size_t at = 0;
        while (at < open->n && !str_equal(open->item[at]->name, s->name))
            at++;
        struct graphql_node *next = graphql_named(w->g, &w->document->extras, s->name);
        if (!graphql_add(w->g, path, s))
            break;
        if (at == open->n && next)
            check_cycles(w, next, path, open);
        if (at < open->n) {
            AUTO_BUF via = {.limit = 1 << 12};
            for (size_t k = at; k + 1 < path->n; k++) {
                buf_str(&via, k == at ? STR(" via \"") : STR(", \""));
                buf_str(&via, path->item[k]->name);
                buf_char(&via, '"');
            }
            (void)graphql_error(w->g, s, "Cannot spread fragment \"%.*s\" within itself%s.",
                                STR_ARG(s->name), kept(w, &via));
        }
        path->n--;
    }
    w->depth--;
    open->n--;
}

static void walk_fragment(struct walk *w, struct graphql_node *f)
{
    const struct graphql_node *type = graphql_type(w->schema, f->alias);
    struct graphql_list path = {0}, open = {0};
    const struct graphql_list before = {w->document->extras.item, w->done, 0};
    const struct graphql_list types = {w->schema->type, w->schema->ntypes, 0};
    walk_directives(w, &f->directives, "FRAGMENT_DEFINITION");
    walk_selections(w, type, f);
    if (type && f->alias.len && !graphql_is_composite(type))
        (void)graphql_error(w->g, f,
                            "Fragment \"%.*s\" cannot condition on non composite type \"%.*s\".",
                            STR_ARG(f->name), STR_ARG(f->alias));
    if (!type)
        (void)graphql_error(w->g, f, "Unknown type \"%.*s\".%s", STR_ARG(f->alias),
                            graphql_suggest(w, " Did you mean", f->alias, &types, true));
    check_cycles(w, f, &path, &open);
    if (!graphql_has_name(w->g, &w->used, f->name))
        (void)graphql_error(w->g, f, "Fragment \"%.*s\" is never used.", STR_ARG(f->name));
    graphql_overlaps(&w->overlap, f);
    if (graphql_named(w->g, &before, f->name))
        (void)graphql_error(w->g, f, "There can be only one fragment named \"%.*s\".",
                            STR_ARG(f->name));
}

/* --- operations --- */

/* Names of the fields that a subscription asks for, each once, by way of fragments too. */
static void top_fields(struct walk *w, const struct graphql_node *node, struct graphql_names *in,
                       struct graphql_list *into)
{
    if (w->depth >= WALK_DEPTH_MAX)
        return;
    w->depth++;
    for (size_t i = 0; i < node->members.n && graphql_spend(w->g, 1); i++) {
        struct graphql_node *item = node->members.item[i];
        if (item->kind == GRAPHQL_SPREAD && !item->definition)
            break;
        if (item->kind == GRAPHQL_FIELD && !graphql_named(w->g, into, item->name))
            (void)graphql_add(w->g, into, item);
        else if (item->kind == GRAPHQL_INLINE)
            top_fields(w, item, in, into);
        else if (item->kind == GRAPHQL_SPREAD && !graphql_has_name(w->g, in, item->name) &&
                 graphql_add_name(w->g, in, item->name))
            top_fields(w, item->definition, in, into);
    }
    w->depth--;
}

static void check_subscription(struct walk *w, const struct graphql_node *o)
{
    struct graphql_list fields = {0};
    struct graphql_names in = {0};
    if (!w->schema->subscription || !str_equal(o->alias, STR("subscription")))
        return;
    top_fields(w, o, &in, &fields);
    struct str name =
        o->name.len ? arena_printf(w->g->call->arena, "Subscription \"%.*s\"", STR_ARG(o->name))
                    : STR("Anonymous Subscription");
    if (fields.n > 1)
        (void)graphql_error(w->g, fields.item[1], "%.*s must select only one top level field.",
                            STR_ARG(name));
    for (size_t i = 0; i < fields.n; i++)
        if (str_starts(fields.item[i]->name, STR("__")))
            (void)graphql_error(w->g, fields.item[i],
                                "%.*s must not select an introspection top level field.",
                                STR_ARG(name));
}

static void check_unused(struct walk *w, const struct graphql_node *o)
{
    for (size_t i = 0; i < o->extras.n; i++) {
        const struct graphql_node *v = o->extras.item[i];
        if (v->flag)
            continue;
        if (o->name.len)
            (void)graphql_error(w->g, v, "Variable \"$%.*s\" is never used in operation \"%.*s\".",
                                STR_ARG(v->name), STR_ARG(o->name));
        else
            (void)graphql_error(w->g, v, "Variable \"$%.*s\" is never used.", STR_ARG(v->name));
    }
}

static void check_variables(struct walk *w, const struct graphql_node *o)
{
    for (size_t i = 0; i < o->extras.n && graphql_spend(w->g, i + 1); i++) {
        size_t before = 0;
        for (size_t k = 0; k < i; k++)
            before += str_equal(o->extras.item[k]->name, o->extras.item[i]->name);
        if (before == 1)
            (void)graphql_error(w->g, o->extras.item[i],
                                "There can be only one variable named \"$%.*s\".",
                                STR_ARG(o->extras.item[i]->name));
    }
    for (size_t i = 0; i < o->extras.n; i++) {
        const struct graphql_node *v = o->extras.item[i];
        const struct graphql_node *type = graphql_type(w->schema, graphql_type_name(v->type));
        if (type && !graphql_is_input(type))
            (void)graphql_error(w->g, v, "Variable \"$%.*s\" cannot be non-input type \"%s\".",
                                STR_ARG(v->name), graphql_type_text(w->g, v->type));
    }
}

static void check_operation(struct walk *w, const struct graphql_node *o,
                            const struct graphql_node *root)
{
    const struct graphql_list before = {w->document->members.item, w->done, 0};
    if (!root)
        (void)graphql_error(w->g, o, "Schema does not support operation type \"%.*s\"",
                            STR_ARG(o->alias));
    if (o->name.len == 0 && w->document->members.n > 1)
        (void)graphql_error(w->g, o,
                            "This anonymous operation must be the only defined operation.");
    check_unused(w, o);
    graphql_overlaps(&w->overlap, o);
    check_subscription(w, o);
    if (graphql_named(w->g, &before, o->name))
        (void)graphql_error(w->g, o, "There can be only one operation named \"%.*s\".",
                            STR_ARG(o->name));
    check_variables(w, o);
}

static void walk_operation(struct walk *w, struct graphql_node *o)
{
    bool mutation = str_equal(o->alias, STR("mutation"));
    bool subscription = str_equal(o->alias, STR("subscription"));
    struct graphql_node *root = mutation       ? w->schema->mutation
                                : subscription ? w->schema->subscription
                                               : w->schema->query;
    w->operation = o;
    for (size_t i = 0; i < o->extras.n; i++) {
        struct graphql_node *v = o->extras.item[i];
        v->definition = graphql_type(w->schema, graphql_type_name(v->type));
        v->flag = false;
        if (!v->definition) {
            struct str name = graphql_type_name(v->type);
            (void)graphql_error(w->g, v, "Unknown type \"%.*s\".", STR_ARG(name));
        }
        if (v->value) {
            v->value->type = v->type;
            v->value->definition = v->definition;
        }
    }
    for (size_t i = 0; i < o->extras.n && !w->g->halt; i++) {
        if (o->extras.item[i]->value)
            graphql_walk_value(w, o->extras.item[i]->value);
        walk_directives(w, &o->extras.item[i]->directives, "VARIABLE_DEFINITION");
    }
    walk_directives(w, &o->directives,
                    mutation       ? "MUTATION"
                    : subscription ? "SUBSCRIPTION"
                                   : "QUERY");
    walk_selections(w, root, o);
    check_operation(w, o, root);
    w->operation = NULL;
}

bool graphql_validate(struct graphql *g, const struct graphql_schema *schema,
                      struct graphql_node *queries)
{
    struct walk walk = {
        .g = g, .schema = schema, .document = queries, .overlap = {.g = g, .schema = schema}};
    for (walk.done = 0; walk.done < queries->members.n && !g->halt; walk.done++) {
        walk.visited = (struct graphql_names){0};
        walk_operation(&walk, queries->members.item[walk.done]);
    }
    for (walk.done = 0; walk.done < queries->extras.n && !g->halt; walk.done++) {
        walk.visited = (struct graphql_names){0};
        walk_fragment(&walk, queries->extras.item[walk.done]);
    }
    return g->nerrors == 0 && !g->halt;
}

/* graphql_schema.c - a schema document as the schema in force: extended, its names found, checked.
 *
 * The checks and their texts, the first of which that fails ends it, are those of OPA.
 * Source: GraphQL, October 2021, 3 and 4.2
 */
#include <stdlib.h>

#include "base/arena.h"
#include "lang/rego/graphql.h"

/* What every schema has without saying so: 3.5, 3.13, 4.2; @defer and @oneOf of the drafts. */
static const char prelude[] =
    "scalar Int scalar Float scalar String scalar Boolean scalar ID "
    "directive @defer(if: Boolean = true, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT "
    "directive @include(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT "
    "directive @skip(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT "
    "directive @deprecated(reason: String = \"No longer supported\") on FIELD_DEFINITION | "
    "ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | ENUM_VALUE "
    "directive @specifiedBy(url: String!) on SCALAR directive @oneOf on INPUT_OBJECT "
    "type __Schema { description: String types: [__Type!]! queryType: __Type! "
    "mutationType: __Type subscriptionType: __Type directives: [__Directive!]! } "
    "type __Type { kind: __TypeKind! name: String description: String specifiedByURL: String "
    "fields(includeDeprecated: Boolean = false): [__Field!] interfaces: [__Type!] "
    "possibleTypes: [__Type!] enumValues(includeDeprecated: Boolean = false): [__EnumValue!] "
    "inputFields(includeDeprecated: Boolean = false): [__InputValue!] ofType: __Type "
    "isOneOf: Boolean } "
    "enum __TypeKind { SCALAR OBJECT INTERFACE UNION ENUM INPUT_OBJECT LIST NON_NULL } "
    "type __Field { name: String! description: String "
    "args(includeDeprecated: Boolean = false): [__InputValue!]! type: __Type! "
    "isDeprecated: Boolean! deprecationReason: String } "
    "type __InputValue { name: String! description: String type: __Type! defaultValue: String "
    "isDeprecated: Boolean! deprecationReason: String } "
    "type __EnumValue { name: String! description: String isDeprecated: Boolean! "
    "deprecationReason: String } "
    "type __Directive { name: String! description: String isRepeatable: Boolean! "
    "locations: [__DirectiveLocation!]! "
    "args(includeDeprecated: Boolean = false): [__InputValue!]! } "
    "enum __DirectiveLocation { QUERY MUTATION SUBSCRIPTION FIELD FRAGMENT_DEFINITION "
    "FRAGMENT_SPREAD INLINE_FRAGMENT VARIABLE_DEFINITION SCHEMA SCALAR OBJECT FIELD_DEFINITION "
    "ARGUMENT_DEFINITION INTERFACE UNION ENUM ENUM_VALUE INPUT_OBJECT INPUT_FIELD_DEFINITION }";
/* What every type has besides, and what the type of queries has. */
static const char introspection[] =
    "type Q { __typename: String __schema: __Schema! __type(name: String!): __Type }";

struct check {
    struct graphql *g;
    struct graphql_schema *schema;
};

static bool cannot(struct check *c, const struct graphql_node *at, struct str message)
{
    return graphql_error(c->g, at, "%.*s", STR_ARG(message));
}
#define FAIL(c, at, ...) cannot((c), (at), arena_printf((c)->g->call->arena, __VA_ARGS__))

/* --- finding --- */

static int by_name(const void *a, const void *b)
{
    const struct graphql_node *const *x = a, *const *y = b;
    return str_compare((*x)->name, (*y)->name);
}
static struct graphql_node *find(struct graphql_node **list, size_t n, struct str name)
{
    struct graphql_node key = {.name = name}, *at = &key;
    struct graphql_node **found = n ? bsearch(&at, list, n, sizeof *list, by_name) : NULL;
    return found ? *found : NULL;
}
struct graphql_node *graphql_type(const struct graphql_schema *schema, struct str name)
{
    return find(schema->type, schema->ntypes, name);
}
struct graphql_node *graphql_directive(const struct graphql_schema *schema, struct str name)
{
    return find(schema->directive, schema->ndirectives, name);
}

bool graphql_is_possible(struct graphql *g, const struct graphql_node *type,
                         const struct graphql_node *possible)
{
    if (!type || !possible)
        return false;
    if (graphql_is(type, "UNION"))
        return graphql_has_name(g, &type->types, possible->name);
    bool object = graphql_is(possible, "OBJECT") || graphql_is(possible, "INPUT_OBJECT");
    return (object && str_equal(type->name, possible->name)) ||
           ((object || graphql_is(possible, "INTERFACE")) &&
            graphql_has_name(g, &possible->interfaces, type->name));
}

/* --- building --- */

static bool append(struct check *c, struct graphql_list *to, const struct graphql_list *from)
{
    for (size_t i = 0; i < from->n; i++)
        if (!graphql_add(c->g, to, from->item[i]))
            return false;
    return true;
}
static bool append_names(struct check *c, struct graphql_names *to,
                         const struct graphql_names *from)
{
    for (size_t i = 0; i < from->n; i++)
        if (!graphql_add_name(c->g, to, from->item[i]))
            return false;
    return true;
}

/* Those of one document behind those of the language, sorted; the later of two of one name is an
 * error unless may_repeat. */
static bool sorted(struct check *c, const struct graphql_list *of_language,
                   const struct graphql_list *given, struct graphql_node ***ret, size_t *ret_n)
{
    struct graphql_list all = {0};
    if (!append(c, &all, of_language) || !append(c, &all, given))
        return false;
    if (all.n)
        qsort(all.item, all.n, sizeof *all.item, by_name);
    *ret = all.item;
    *ret_n = all.n;
    return graphql_spend(c->g, all.n);
}

static bool set_types(struct check *c, const struct graphql_node *language,
                      const struct graphql_node *document)
{
    struct graphql_schema *s = c->schema;
    const struct graphql_node *again = NULL;
    if (!sorted(c, &language->members, &document->members, &s->type, &s->ntypes))
        return false;
    for (size_t i = 1; i < s->ntypes; i++)
        if (str_equal(s->type[i - 1]->name, s->type[i]->name))
            again = s->type[i];
    if (!again)
        return true;
    /* The first that repeats one, as the text has them. */
    for (size_t i = 0; i < document->members.n; i++) {
        struct graphql_list before = {document->members.item, i, 0};
        struct str name = document->members.item[i]->name;
        if (graphql_named(c->g, &language->members, name) || graphql_named(c->g, &before, name))
            return FAIL(c, document->members.item[i], "Cannot redeclare type %.*s.", STR_ARG(name));
    }
    return FAIL(c, again, "Cannot redeclare type %.*s.", STR_ARG(again->name));
}

static bool add_type(struct check *c, struct graphql_node *node)
{
    struct graphql_schema *s = c->schema;
    struct graphql_list all = {s->type, s->ntypes, s->types_room};
    if (!graphql_spend(c->g, s->ntypes) || !graphql_add(c->g, &all, node))
        return false;
    s->type = all.item;
    s->types_room = all.room;
    size_t at = s->ntypes++;
    for (; at > 0 && str_compare(s->type[at - 1]->name, node->name) > 0; at--)
        s->type[at] = s->type[at - 1];
    s->type[at] = node;
    return true;
}

static bool extend(struct check *c, const struct graphql_node *by)
{
    struct graphql_node *d = graphql_type(c->schema, by->name);
    if (!d) {
        d = arena_new(c->g->call->arena, struct graphql_node, 1);
        c->g->halt |= !d;
        if (c->g->halt)
            return false;
        *d = (struct graphql_node){.kind = GRAPHQL_DEFINITION,
                                   .row = by->row,
                                   .col = by->col,
                                   .name = by->name,
                                   .alias = by->alias,
                                   .text = STR("")};
        if (!add_type(c, d))
            return false;
    }
    if (!str_equal(d->alias, by->alias))
        return FAIL(c, by, "Cannot extend type %.*s because the base type is a %.*s, not %.*s.",
                    STR_ARG(by->name), STR_ARG(d->alias), STR_ARG(by->alias));
    return graphql_spend(c->g, 1) && append(c, &d->directives, &by->directives) &&
           append_names(c, &d->interfaces, &by->interfaces) &&
           append(c, &d->members, &by->members) && append_names(c, &d->types, &by->types) &&
           append(c, &d->extras, &by->extras);
}

static bool set_directives(struct check *c, const struct graphql_node *language,
                           const struct graphql_node *document)
{
    struct graphql_schema *s = c->schema;
    struct graphql_list kept = {0};
    const struct graphql_list *given = &document->directives;
    for (size_t i = 0; i < language->directives.n; i++)
        if (!graphql_named(c->g, given, language->directives.item[i]->name) &&
            !graphql_add(c->g, &kept, language->directives.item[i]))
            return false;
    for (size_t i = 0; i < given->n; i++) {
        struct graphql_node *d = given->item[i], *last = NULL;
        bool builtin = graphql_named(c->g, &language->directives, d->name) != NULL;
        if (!graphql_spend(c->g, given->n))
            return false;
        /* of its name: the language's may be repeated */
        for (size_t k = 0, n = builtin ? given->n : i; k < n; k++)
            if (str_equal(given->item[k]->name, d->name))
                last = given->item[k];
        if (!builtin && last)
            return FAIL(c, d, "Cannot redeclare directive %.*s.", STR_ARG(d->name));
        if ((!builtin || last == d) && !graphql_add(c->g, &kept, d))
            return false;
    }
    struct graphql_list none = {0};
    return sorted(c, &kept, &none, &s->directive, &s->ndirectives);
}

/* --- checks --- */

static bool check_name(struct check *c, const struct graphql_node *at, struct str name)
{
    return !str_starts(name, STR("__")) ||
           FAIL(c, at,
                "Name \"%.*s\" must not begin with \"__\", which is reserved by GraphQL "
                "introspection.",
                STR_ARG(name));
}

static bool check_type(struct check *c, const struct graphql_node *type)
{
    struct str name = graphql_type_name(type);
    return graphql_type(c->schema, name) || FAIL(c, type, "Undefined type %.*s.", STR_ARG(name));
}

static bool check_directive_arguments(struct check *c, const struct graphql_node *d,
                                      const struct graphql_node *definition)
{
    for (size_t i = 0; i < d->arguments.n; i++)
        if (!graphql_named(c->g, &definition->arguments, d->arguments.item[i]->name))
            return FAIL(c, d->arguments.item[i], "Undefined argument %.*s for directive %.*s.",
                        STR_ARG(d->arguments.item[i]->name), STR_ARG(d->name));
    for (size_t i = 0; i < definition->arguments.n; i++) {
        const struct graphql_node *a = definition->arguments.item[i];
        const struct graphql_node *given = graphql_named(c->g, &d->arguments, a->name);
        if (a->type->flag && !a->value && (!given || given->value->number == GRAPHQL_VALUE_NULL))
            return FAIL(c, d, "Argument %.*s for directive %.*s cannot be null.", STR_ARG(a->name),
                        STR_ARG(d->name));
    }
    return true;
}

/* self: the directive whose arguments these stand on; once: they stand at one place of the text */
static bool check_directives(struct check *c, const struct graphql_list *list, struct str location,
                             const struct graphql_node *self, bool once)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct graphql_node *d = list->item[i];
        const struct graphql_list before = {list->item, i, 0};
        if (!graphql_spend(c->g, 1) || !check_name(c, d, d->name))
            return false;
        if (self && str_equal(d->name, self->name))
            return FAIL(c, d, "Directive %.*s cannot refer to itself.", STR_ARG(self->name));
        const struct graphql_node *definition = graphql_directive(c->schema, d->name);
        if (!definition)
            return FAIL(c, d, "Undefined directive %.*s.", STR_ARG(d->name));
        if (once && !definition->flag && graphql_named(c->g, &before, d->name))
            return FAIL(c, d, "The directive %.*s can only be used once at this location.",
                        STR_ARG(d->name));
        if (!graphql_has_name(c->g, &definition->types, location))
            return FAIL(c, d, "Directive %.*s is not applicable on %.*s.", STR_ARG(d->name),
                        STR_ARG(location));
        if (!check_directive_arguments(c, d, definition))
            return false;
    }
    return true;
}

static bool check_arguments(struct check *c, const struct graphql_list *list,
                            const struct graphql_node *self)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct graphql_node *a = list->item[i];
        if (!graphql_spend(c->g, 1) || !check_name(c, a, a->name) || !check_type(c, a->type))
            return false;
        const struct graphql_node *type = graphql_type(c->schema, graphql_type_name(a->type));
        if (!graphql_is_input(type))
            return FAIL(c, a,
                        "cannot use %s as argument %.*s because %.*s is not a valid input type",
                        graphql_type_text(c->g, a->type), STR_ARG(a->name), STR_ARG(type->alias));
        if (!check_directives(c, &a->directives, STR("ARGUMENT_DEFINITION"), self, true))
            return false;
    }
    return true;
}

/* May a field of type `have` implement one of type `want`? */
static bool covariant(struct check *c, const struct graphql_node *want,
                      const struct graphql_node *have)
{
    for (; want && have; want = want->type, have = have->type) {
        if (want->flag && !have->flag)
            return false;
        if (want->name.len)
            return str_equal(want->name, have->name) ||
                   (have->name.len && graphql_is_possible(c->g, graphql_type(c->schema, want->name),
                                                          graphql_type(c->schema, have->name)));
    }
    return !want;
}

static bool check_implemented_arguments(struct check *c, const struct graphql_node *d,
                                        const struct graphql_node *interface,
                                        const struct graphql_node *want,
                                        const struct graphql_node *have)
{
    for (size_t i = 0; i < want->arguments.n; i++) {
        const struct graphql_node *a = want->arguments.item[i];
        const struct graphql_node *found = graphql_named(c->g, &have->arguments, a->name);
        if (!found)
            return FAIL(c, have,
                        "For %.*s to implement %.*s the field %.*s must have the same arguments "
                        "but it is missing %.*s.",
                        STR_ARG(d->name), STR_ARG(interface->name), STR_ARG(want->name),
                        STR_ARG(a->name));
        if (!graphql_compatible(a->type, found->type))
            return FAIL(c, found,
                        "For %.*s to implement %.*s the field %.*s must have the same arguments "
                        "but %.*s has the wrong type.",
                        STR_ARG(d->name), STR_ARG(interface->name), STR_ARG(want->name),
                        STR_ARG(a->name));
    }
    for (size_t i = 0; i < have->arguments.n; i++) {
        const struct graphql_node *a = have->arguments.item[i];
        if (a->type->flag && !a->value && !graphql_named(c->g, &want->arguments, a->name))
            return FAIL(c, a,
                        "For %.*s to implement %.*s any additional arguments on %.*s must be "
                        "optional or have a default value but %.*s is required.",
                        STR_ARG(d->name), STR_ARG(interface->name), STR_ARG(have->name),
                        STR_ARG(a->name));
    }
    return true;
}

static bool check_interface(struct check *c, const struct graphql_node *d, struct str name)
{
    const struct graphql_node *interface = graphql_type(c->schema, name);
    if (!interface)
        return FAIL(c, d, "Undefined type \"%.*s\".", STR_ARG(name));
    if (!graphql_is(interface, "INTERFACE"))
        return FAIL(c, d, "\"%.*s\" is a non interface type %.*s.", STR_ARG(name),
                    STR_ARG(interface->alias));
    for (size_t i = 0; i < interface->members.n; i++) {
        const struct graphql_node *want = interface->members.item[i];
        const struct graphql_node *have = graphql_named(c->g, &d->members, want->name);
        if (!graphql_spend(c->g, 1))
            return false;
        if (!have)
            return FAIL(c, d, "For %.*s to implement %.*s it must have a field called %.*s.",
                        STR_ARG(d->name), STR_ARG(name), STR_ARG(want->name));
        if (!covariant(c, want->type, have->type))
            return FAIL(c, have, "For %.*s to implement %.*s the field %.*s must have type %s.",
                        STR_ARG(d->name), STR_ARG(name), STR_ARG(want->name),
                        graphql_type_text(c->g, want->type));
        if (!check_implemented_arguments(c, d, interface, want, have))
            return false;
    }
    for (size_t i = 0; i < interface->interfaces.n; i++) {
        struct str further = interface->interfaces.item[i];
        if (graphql_has_name(c->g, &d->interfaces, further))
            continue;
        if (str_equal(further, d->name))
            return FAIL(c, d,
                        "Type %.*s cannot implement %.*s because it would create a circular "
                        "reference.",
                        STR_ARG(d->name), STR_ARG(name));
        return FAIL(c, d, "Type %.*s must implement %.*s because it is implemented by %.*s.",
                    STR_ARG(d->name), STR_ARG(further), STR_ARG(name));
    }
    return true;
}

static bool check_union(struct check *c, const struct graphql_node *d)
{
    for (size_t i = 0; i < d->types.n; i++) {
        const struct graphql_node *type = graphql_type(c->schema, d->types.item[i]);
        if (!type)
            return FAIL(c, d, "Undefined type \"%.*s\".", STR_ARG(d->types.item[i]));
        if (!graphql_is(type, "OBJECT"))
            return FAIL(c, d, "%.*s type \"%.*s\" must be OBJECT.", STR_ARG(d->alias),
                        STR_ARG(d->types.item[i]));
    }
    return true;
}

static bool check_fields(struct check *c, const struct graphql_node *d)
{
    bool input = graphql_is(d, "INPUT_OBJECT");
    if (!input && !graphql_is(d, "OBJECT") && !graphql_is(d, "INTERFACE"))
        return true;
    if (d->members.n == 0)
        return FAIL(c, d, "%.*s %.*s: must define one or more %sfields.", STR_ARG(d->alias),
                    STR_ARG(d->name), input ? "input " : "");
    for (size_t i = 0; i < d->members.n; i++) {
        const struct graphql_node *f = d->members.item[i];
        const struct graphql_node *type = graphql_type(c->schema, graphql_type_name(f->type));
        if (input && !graphql_is_input(type))
            return FAIL(c, f, "%.*s %.*s: field must be one of SCALAR, ENUM, INPUT_OBJECT.",
                        STR_ARG(type->alias), STR_ARG(f->name));
        if (!input && graphql_is(type, "INPUT_OBJECT"))
            return FAIL(c, f,
                        "%.*s %.*s: field must be one of SCALAR, OBJECT, INTERFACE, UNION, ENUM.",
                        STR_ARG(d->alias), STR_ARG(d->name));
    }
    return true;
}

static bool check_enum(struct check *c, const struct graphql_node *d)
{
    if (!graphql_is(d, "ENUM"))
        return true;
    if (d->extras.n == 0)
        return FAIL(c, d, "%.*s %.*s: must define one or more unique enum values.",
                    STR_ARG(d->alias), STR_ARG(d->name));
    for (size_t i = 0; i < d->extras.n; i++) {
        const struct graphql_node *v = d->extras.item[i];
        if (str_equal(v->name, STR("true")) || str_equal(v->name, STR("false")) ||
            str_equal(v->name, STR("null")))
            return FAIL(c, d, "%.*s %.*s: non-enum value %.*s.", STR_ARG(d->alias),
                        STR_ARG(d->name), STR_ARG(v->name));
        if (!check_directives(c, &v->directives, STR("ENUM_VALUE"), NULL, true))
            return false;
    }
    return true;
}

/* The later of two of one name: of the first name that has one. */
static const struct graphql_node *repeated(struct check *c, const struct graphql_list *list)
{
    for (size_t i = 0; i < list->n && graphql_spend(c->g, list->n - i); i++)
        for (size_t k = i + 1; k < list->n; k++)
            if (str_equal(list->item[i]->name, list->item[k]->name))
                return list->item[k];
    return NULL;
}

static bool check_unique(struct check *c, const struct graphql_node *d)
{
    const struct graphql_node *again = repeated(c, &d->members);
    if (again)
        return FAIL(c, again, "Field %.*s.%.*s can only be defined once.", STR_ARG(d->name),
                    STR_ARG(again->name));
    again = repeated(c, &d->extras);
    if (again)
        return FAIL(c, again, "Enum value %.*s.%.*s can only be defined once.", STR_ARG(d->name),
                    STR_ARG(again->name));
    for (size_t i = 0; i < d->types.n && graphql_spend(c->g, d->types.n - i); i++)
        for (size_t k = i + 1; k < d->types.n; k++)
            if (str_equal(d->types.item[i], d->types.item[k]))
                return FAIL(c, d, "Union type %.*s can only include type %.*s once.",
                            STR_ARG(d->name), STR_ARG(d->types.item[k]));
    return !c->g->halt;
}

static bool check_definition(struct check *c, const struct graphql_node *d)
{
    struct str location =
        graphql_is(d, "INPUT_OBJECT") ? STR("INPUT_FIELD_DEFINITION") : STR("FIELD_DEFINITION");
    for (size_t i = 0; i < d->members.n; i++) {
        const struct graphql_node *f = d->members.item[i];
        if (!graphql_spend(c->g, 1) || !check_name(c, f, f->name) || !check_type(c, f->type) ||
            !check_arguments(c, &f->arguments, NULL) ||
            !check_directives(c, &f->directives, location, NULL, true))
            return false;
    }
    if (!check_union(c, d))
        return false;
    for (size_t i = 0; i < d->interfaces.n; i++)
        if (!check_interface(c, d, d->interfaces.item[i]))
            return false;
    return check_fields(c, d) && check_enum(c, d) && check_unique(c, d) &&
           (d->flag || check_name(c, d, d->name)) &&
           check_directives(c, &d->directives, d->alias, NULL, false);
}

/* --- roots --- */

static bool set_roots(struct check *c, const struct graphql_node *definition)
{
    struct graphql_schema *s = c->schema;
    for (size_t i = 0; i < definition->members.n; i++) {
        const struct graphql_node *root = definition->members.item[i];
        struct graphql_node *type = graphql_type(s, root->name);
        if (!type)
            return FAIL(c, root, "Schema root %.*s refers to a type %.*s that does not exist.",
                        STR_ARG(root->alias), STR_ARG(root->name));
        if (str_equal(root->alias, STR("query")))
            s->query = type;
        else if (str_equal(root->alias, STR("mutation")))
            s->mutation = type;
        else if (str_equal(root->alias, STR("subscription")))
            s->subscription = type;
    }
    return check_directives(c, &definition->directives, STR("SCHEMA"), NULL, true);
}

static bool roots(struct check *c, const struct graphql_node *document)
{
    if (document->arguments.n > 1)
        return FAIL(c, document->arguments.item[1],
                    "Cannot have multiple schema entry points, consider schema extensions "
                    "instead.");
    if (document->arguments.n == 1 && !set_roots(c, document->arguments.item[0]))
        return false;
    for (size_t i = 0; i < document->roots.n; i++)
        if (!set_roots(c, document->roots.item[i]))
            return false;
    return true;
}

/* Names that stand for roots where no schema definition says otherwise; introspection. */
static bool finish(struct check *c, const struct graphql_node *document)
{
    struct graphql_schema *s = c->schema;
    if (document->arguments.n == 0) {
        s->query = s->query ? s->query : graphql_type(s, STR("Query"));
        s->mutation = s->mutation ? s->mutation : graphql_type(s, STR("Mutation"));
        s->subscription = s->subscription ? s->subscription : graphql_type(s, STR("Subscription"));
    }
    const struct graphql_node *more = graphql_parse_schema(c->g, str_from(introspection));
    if (!more)
        return false;
    const struct graphql_list *fields = &more->members.item[0]->members;
    s->type_name = fields->item[0];
    return !s->query || (graphql_add(c->g, &s->query->members, fields->item[1]) &&
                         graphql_add(c->g, &s->query->members, fields->item[2]));
}

struct graphql_schema *graphql_schema(struct graphql *g, struct graphql_node *document)
{
    struct check check = {.g = g}, *c = &check;
    c->schema = arena_new(g->call->arena, struct graphql_schema, 1);
    struct graphql_node *language = graphql_parse_schema(g, str_from(prelude));
    g->halt |= !c->schema;
    if (g->halt || !language)
        return NULL;
    for (size_t i = 0; i < language->members.n; i++)
        language->members.item[i]->flag = true;
    if (!set_types(c, language, document))
        return NULL;
    for (size_t i = 0; i < document->extras.n; i++)
        if (!extend(c, document->extras.item[i]))
            return NULL;
    if (!set_directives(c, language, document) || !roots(c, document))
        return NULL;
    for (size_t i = 0; i < c->schema->ntypes; i++)
        if (!check_definition(c, c->schema->type[i]))
            return NULL;
    for (size_t i = 0; i < c->schema->ndirectives; i++) {
        const struct graphql_node *d = c->schema->directive[i];
        if (!check_name(c, d, d->name) || !check_arguments(c, &d->arguments, d))
            return NULL;
    }
    return finish(c, document) && !g->halt ? c->schema : NULL;
}

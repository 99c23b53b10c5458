/* graphql_values.c - rules about what is written as a value: its type, its variables, its fields.
 *
 * Source: GraphQL, October 2021, 5.6 and 5.8; texts as OPA's validator has them
 */
#include <math.h>
#include <stdlib.h>

#include "base/arena.h"
#include "lang/rego/graphql_rules.h"

static bool is_one_of(const struct graphql_node *definition, const char *a, const char *b,
                      const char *c)
{
    return str_equal(definition->name, str_from(a)) ||
           (b && str_equal(definition->name, str_from(b))) ||
           (c && str_equal(definition->name, str_from(c)));
}

/* An integer's digits, if that is what it is. */
static bool is_digits(struct str s)
{
    size_t i = s.len && (s.ptr[0] == '-' || s.ptr[0] == '+');
    if (i == s.len)
        return false;
    for (; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    return true;
}
static bool fits_in(struct str s, int64_t least, int64_t most)
{
    int64_t v;
    return str_to_int64(s, &v) && v >= least && v <= most;
}

/* A number in it that no machine can hold, or (in a document that was not read) no number. */
static bool unreadable(struct walk *w, const struct graphql_node *value)
{
    if (value->number == GRAPHQL_VALUE_INT)
        return !fits_in(value->text, INT64_MIN, INT64_MAX);
    if (value->number == GRAPHQL_VALUE_FLOAT) {
        struct str text = arena_dup(w->g->call->arena, str_sub(value->text, 0, 1000));
        char *end = NULL;
        double d = text.ptr ? strtod(text.ptr, &end) : 0;
        return !text.ptr || end == text.ptr || *end != '\0' || isinf(d);
    }
    if (value->number == GRAPHQL_VALUE_LIST || value->number == GRAPHQL_VALUE_OBJECT)
        for (size_t i = 0; i < value->members.n && graphql_spend(w->g, 1); i++)
            if (unreadable(w, value->members.item[i]->value))
                return true;
    return false;
}

/* What is wrong with a value of another type; suggestions go behind it. */
static struct str wrong_type(struct walk *w, const struct graphql_node *v)
{
    struct arena *arena = w->g->call->arena;
    const char *type = graphql_type_text(w->g, v->type), *text = graphql_value_text(w->g, v);
    struct str bare = str_from(type);
    if (str_equal(bare, STR("[String]")))
        bare = STR("String");
    if (str_ends(bare, STR("!")))
        bare = str_sub(bare, 0, bare.len - 1);
    if (str_equal(bare, STR("Int")))
        return is_digits(v->text) && !fits_in(v->text, INT32_MIN, INT32_MAX)
                   ? arena_printf(arena, "Int cannot represent non 32-bit signed integer value: %s",
                                  text)
                   : arena_printf(arena, "Int cannot represent non-integer value: %s", text);
    if (str_equal(bare, STR("String")))
        return arena_printf(arena, "String cannot represent a non string value: %s", text);
    if (str_equal(bare, STR("Boolean")))
        return arena_printf(arena, "Boolean cannot represent a non boolean value: %s", text);
    if (str_equal(bare, STR("Float")))
        return arena_printf(arena, "Float cannot represent non numeric value: %s", text);
    if (str_equal(bare, STR("ID")))
        return arena_printf(arena, "ID cannot represent a non-string and non-integer value: %s",
                            text);
    if (graphql_is(v->definition, "ENUM"))
        return arena_printf(arena, "Enum \"%s\" cannot represent non-enum value: %s.", type, text);
    return arena_printf(arena, "Expected value of type \"%s\", found %s.", type, text);
}

static void unexpected(struct walk *w, const struct graphql_node *v)
{
    struct str why = wrong_type(w, v);
    (void)graphql_error(w->g, v, "%.*s", STR_ARG(why));
}

/* --- by kind of value --- */

static void check_text(struct walk *w, const struct graphql_node *v)
{
    if (!graphql_is(v->definition, "ENUM")) {
        if (!is_one_of(v->definition, "String", "ID", NULL))
            unexpected(w, v);
        return;
    }
    (void)graphql_error(
        w->g, v, "Enum \"%s\" cannot represent non-enum value: %s.%s",
        graphql_type_text(w->g, v->type), graphql_value_text(w->g, v),
        graphql_suggest(w, " Did you mean the enum value", v->text, &v->definition->extras, true));
}

static void check_enum(struct walk *w, const struct graphql_node *v)
{
    if (!graphql_is(v->definition, "ENUM"))
        unexpected(w, v);
    else if (!graphql_named(w->g, &v->definition->extras, v->text))
        (void)graphql_error(w->g, v, "Value \"%s\" does not exist in \"%s\" enum.%s",
                            graphql_value_text(w->g, v), graphql_type_text(w->g, v->type),
                            graphql_suggest(w, " Did you mean the enum value", v->text,
                                            &v->definition->extras, true));
}

/* An input object of which exactly one field is given. */
static void check_one_of(struct walk *w, const struct graphql_node *v)
{
    const struct graphql_node *d = v->definition;
    if (v->members.n != 1)
        (void)graphql_error(w->g, v, "OneOf Input Object \"%.*s\" must specify exactly one key.",
                            STR_ARG(d->name));
    else if (v->members.item[0]->value->number == GRAPHQL_VALUE_NULL && d->members.n)
        (void)graphql_error(w->g, v->members.item[0]->value,
                            "Field \"%.*s.%.*s\" must be non-null.", STR_ARG(d->name),
                            STR_ARG(d->members.item[0]->name));
}

static void check_object(struct walk *w, const struct graphql_node *v)
{
    const struct graphql_node *d = v->definition;
    for (size_t i = 0; i < d->members.n && graphql_spend(w->g, 1); i++) {
        const struct graphql_node *f = d->members.item[i];
        if (f->type->flag && !f->value && !graphql_named(w->g, &v->members, f->name))
            (void)graphql_error(
                w->g, v, "Field \"%.*s.%.*s\" of required type \"%s\" was not provided.",
                STR_ARG(d->name), STR_ARG(f->name), graphql_type_text(w->g, f->type));
    }
    if (graphql_named(w->g, &d->directives, STR("oneOf")))
        check_one_of(w, v);
    for (size_t i = 0; i < v->members.n; i++) {
        const struct graphql_node *child = v->members.item[i];
        if (!graphql_named(w->g, &d->members, child->name))
            (void)graphql_error(
                w->g, child, "Field \"%.*s\" is not defined by type \"%.*s\".%s",
                STR_ARG(child->name), STR_ARG(d->name),
                graphql_suggest(w, " Did you mean", child->name, &d->members, true));
    }
}

/* ValuesOfCorrectType */
static void check_type(struct walk *w, const struct graphql_node *v)
{
    const struct graphql_node *d = v->definition;
    if (!d || !v->type)
        return;
    if (v->number == GRAPHQL_VALUE_NULL && v->type->flag)
        (void)graphql_error(w->g, v, "Expected value of type \"%s\", found %s.",
                            graphql_type_text(w->g, v->type), graphql_value_text(w->g, v));
    if (graphql_is(d, "SCALAR") && !is_one_of(d, "Int", "Float", "String") &&
        !is_one_of(d, "Boolean", "ID", NULL))
        return; /* what others define, they check */
    if (unreadable(w, v))
        unexpected(w, v);
    switch (v->number) {
    case GRAPHQL_VALUE_LIST:
        if (!v->type->type)
            unexpected(w, v);
        return;
    case GRAPHQL_VALUE_INT:
        if (!is_one_of(d, "Int", "Float", "ID"))
            unexpected(w, v);
        return;
    case GRAPHQL_VALUE_FLOAT:
        if (!is_one_of(d, "Float", NULL, NULL))
            unexpected(w, v);
        return;
    case GRAPHQL_VALUE_STRING:
    case GRAPHQL_VALUE_BLOCK:
        check_text(w, v);
        return;
    case GRAPHQL_VALUE_ENUM:
        check_enum(w, v);
        return;
    case GRAPHQL_VALUE_BOOLEAN:
        if (!is_one_of(d, "Boolean", NULL, NULL))
            unexpected(w, v);
        return;
    case GRAPHQL_VALUE_OBJECT:
        check_object(w, v);
        return;
    default:
        return;
    }
}

/* --- variables --- */

/* NoUndefinedVariables */
static void check_defined(struct walk *w, const struct graphql_node *v)
{
    if (!w->operation || v->number != GRAPHQL_VALUE_VARIABLE || v->of)
        return;
    if (w->operation->name.len)
        (void)graphql_error(w->g, v, "Variable \"$%.*s\" is not defined by operation \"%.*s\".",
                            STR_ARG(v->text), STR_ARG(w->operation->name));
    else
        (void)graphql_error(w->g, v, "Variable \"$%.*s\" is not defined.", STR_ARG(v->text));
}

/* VariablesInAllowedPosition */
static void check_position(struct walk *w, const struct graphql_node *v)
{
    if (v->number != GRAPHQL_VALUE_VARIABLE || !v->type || !v->of || !w->operation)
        return;
    struct graphql_node want = *v->type;
    if ((v->of->value && v->of->value->number != GRAPHQL_VALUE_NULL) || v->flag)
        want.flag = false; /* a default stands in for null */
    if (!graphql_compatible(v->of->type, &want))
        (void)graphql_error(
            w->g, v, "Variable \"$%.*s\" of type \"%s\" used in position expecting type \"%s\".",
            STR_ARG(v->text), graphql_type_text(w->g, v->of->type),
            graphql_type_text(w->g, v->type));
}

static void check_one_of_variables(struct walk *w, const struct graphql_node *v)
{
    if (v->number != GRAPHQL_VALUE_OBJECT || !v->definition ||
        !graphql_named(w->g, &v->definition->directives, STR("oneOf")))
        return;
    for (size_t i = 0; i < v->members.n; i++) {
        const struct graphql_node *given = v->members.item[i]->value;
        if (given->number == GRAPHQL_VALUE_VARIABLE && given->of && !given->of->type->flag)
            (void)graphql_error(w->g, given->of,
                                "Variable \"$%.*s\" is of type \"%s\" but must be non-nullable to "
                                "be used for OneOf Input Object \"%.*s\".",
                                STR_ARG(given->text), graphql_type_text(w->g, given->of->type),
                                STR_ARG(v->definition->name));
    }
}

/* UniqueInputFieldNames */
static void check_unique(struct walk *w, const struct graphql_node *v)
{
    if (v->number != GRAPHQL_VALUE_OBJECT)
        return;
    for (size_t i = 0; i < v->members.n && !w->g->halt; i++) {
        const struct graphql_list before = {v->members.item, i, 0};
        if (graphql_named(w->g, &before, v->members.item[i]->name))
            (void)graphql_error(w->g, v->members.item[i],
                                "There can be only one input field named \"%.*s\".",
                                STR_ARG(v->members.item[i]->name));
    }
}

/* --- the walk --- */

static void expect_of(struct walk *w, struct graphql_node *child, const struct graphql_node *value)
{
    const struct graphql_node *field =
        value->number == GRAPHQL_VALUE_OBJECT && value->definition
            ? graphql_named(w->g, &value->definition->members, child->name)
            : NULL;
    if (field)
        graphql_expect(w, child->value, field);
    if (value->number == GRAPHQL_VALUE_LIST && value->type && value->type->type) {
        child->value->type = value->type->type;
        child->value->definition = value->definition;
    }
}

void graphql_expect(struct walk *w, struct graphql_node *value, const struct graphql_node *member)
{
    value->type = member->type;
    value->flag = member->value && member->value->number != GRAPHQL_VALUE_NULL;
    value->definition = graphql_type(w->schema, graphql_type_name(member->type));
}

void graphql_walk_value(struct walk *w, struct graphql_node *v)
{
    if (!graphql_spend(w->g, 1))
        return;
    if (v->number == GRAPHQL_VALUE_VARIABLE && w->operation) {
        struct graphql_node *variable = graphql_named(w->g, &w->operation->extras, v->text);
        if (variable)
            variable->flag = true;
        v->of = variable;
    }
    if (v->number == GRAPHQL_VALUE_OBJECT || v->number == GRAPHQL_VALUE_LIST)
        for (size_t i = 0; i < v->members.n && !w->g->halt; i++) {
            expect_of(w, v->members.item[i], v);
            graphql_walk_value(w, v->members.item[i]->value);
        }
    check_defined(w, v);
    check_unique(w, v);
    check_type(w, v);
    check_position(w, v);
    check_one_of_variables(w, v);
}

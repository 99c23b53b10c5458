/* graphql_node.c - what the readers and the checks of GraphQL documents share. */
#include <stdarg.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/quote.h"
#include "lang/rego/graphql.h"

bool graphql_spend(struct graphql *g, uint64_t n)
{
    if (g->call->spend && !g->call->spend(g->call->spend_ctx, n))
        g->halt = true;
    return !g->halt;
}

__attribute__((format(printf, 4, 0))) static bool
add_error(struct graphql *g, int32_t row, int32_t col, const char *fmt, va_list args)
{
    struct str message = arena_vprintf(g->call->arena, fmt, args);
    g->halt |= !message.ptr;
    if (g->nerrors < GRAPHQL_ERRORS_MAX)
        g->error[g->nerrors++] = (struct graphql_error){message, row, col};
    return false;
}

bool graphql_error_at(struct graphql *g, int32_t row, int32_t col, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)add_error(g, row, col, fmt, args);
    va_end(args);
    return false;
}

bool graphql_error(struct graphql *g, const struct graphql_node *at, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)add_error(g, at ? at->row : 0, at ? at->col : 0, fmt, args);
    va_end(args);
    return false;
}

struct graphql_node *graphql_named(struct graphql *g, const struct graphql_list *list,
                                   struct str name)
{
    if (!graphql_spend(g, list->n))
        return NULL;
    for (size_t i = 0; i < list->n; i++)
        if (str_equal(list->item[i]->name, name))
            return list->item[i];
    return NULL;
}

bool graphql_has_name(struct graphql *g, const struct graphql_names *names, struct str name)
{
    if (!graphql_spend(g, names->n))
        return false;
    for (size_t i = 0; i < names->n; i++)
        if (str_equal(names->item[i], name))
            return true;
    return false;
}

bool graphql_add(struct graphql *g, struct graphql_list *list, struct graphql_node *node)
{
    list->item = arena_grow(g->call->arena, list->item, list->n, &list->room, list->n + 1);
    g->halt |= !list->item;
    if (g->halt)
        return false;
    list->item[list->n++] = node;
    return true;
}

bool graphql_add_name(struct graphql *g, struct graphql_names *names, struct str name)
{
    names->item = arena_grow(g->call->arena, names->item, names->n, &names->room, names->n + 1);
    g->halt |= !names->item;
    if (g->halt)
        return false;
    names->item[names->n++] = name;
    return true;
}

bool graphql_is(const struct graphql_node *definition, const char *kind)
{
    return definition && str_equal(definition->alias, str_from(kind));
}
bool graphql_is_input(const struct graphql_node *d)
{
    return graphql_is(d, "SCALAR") || graphql_is(d, "ENUM") || graphql_is(d, "INPUT_OBJECT");
}
bool graphql_is_composite(const struct graphql_node *d)
{
    return graphql_is(d, "OBJECT") || graphql_is(d, "INTERFACE") || graphql_is(d, "UNION");
}

struct str graphql_type_name(const struct graphql_node *type)
{
    while (type->name.len == 0 && type->type)
        type = type->type;
    return type->name;
}

static const char *kept(struct graphql *g, struct buf *out)
{
    struct str s = out->failed ? (struct str){0} : arena_dup(g->call->arena, buf_view(out));
    g->halt |= !s.ptr;
    return s.ptr ? s.ptr : "";
}

const char *graphql_type_text(struct graphql *g, const struct graphql_node *type)
{
    AUTO_BUF out = {.limit = 1 << 16};
    const struct graphql_node *path[2 * GRAPHQL_DEPTH_MAX];
    size_t n = 0;
    for (; n < sizeof path / sizeof *path && type->name.len == 0 && type->type; type = type->type) {
        buf_char(&out, '[');
        path[n++] = type;
    }
    buf_str(&out, type->name);
    if (type->flag)
        buf_char(&out, '!');
    while (n-- > 0)
        buf_str(&out, path[n]->flag ? STR("]!") : STR("]"));
    return kept(g, &out);
}

static void write_value(struct buf *out, const struct graphql_node *v, unsigned depth)
{
    bool list = v->number == GRAPHQL_VALUE_LIST;
    if (depth == 0)
        return;
    if (v->number == GRAPHQL_VALUE_VARIABLE)
        buf_char(out, '$');
    if (v->number == GRAPHQL_VALUE_STRING || v->number == GRAPHQL_VALUE_BLOCK) {
        quote_go(out, v->text);
    } else if (list || v->number == GRAPHQL_VALUE_OBJECT) {
        buf_char(out, list ? '[' : '{');
        for (size_t i = 0; i < v->members.n; i++) {
            const struct graphql_node *child = v->members.item[i];
            if (i)
                buf_char(out, ',');
            if (!list) {
                buf_str(out, child->name);
                buf_char(out, ':');
            }
            write_value(out, child->value, depth - 1);
        }
        buf_char(out, list ? ']' : '}');
    } else {
        buf_str(out, v->text);
    }
}

const char *graphql_value_text(struct graphql *g, const struct graphql_node *value)
{
    AUTO_BUF out = {.limit = 1 << 20};
    write_value(&out, value, 2 * GRAPHQL_DEPTH_MAX);
    return kept(g, &out);
}

bool graphql_compatible(const struct graphql_node *have, const struct graphql_node *want)
{
    for (; have && want; have = have->type, want = want->type) {
        if (!str_equal(have->name, want->name) || (have->type && !want->type))
            return false;
        if (want->flag && !have->flag)
            return false;
    }
    return true;
}

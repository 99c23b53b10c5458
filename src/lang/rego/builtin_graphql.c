/* builtin_graphql.c - graphql.*: documents read, a query checked against a schema.
 *
 * Source: facts/rego.md 11; OPA's texts of errors, its parser's name in them included
 */
#include "base/arena.h"
#include "base/buf.h"
#include "lang/rego/graphql.h"

struct pair {
    struct graphql_node *query, *schema;
    struct value query_value, schema_value;
};

static struct graphql *begin(struct rego_call *call)
{
    struct graphql *g = arena_new(call->arena, struct graphql, 1);
    if (g)
        g->call = call;
    return g;
}

/* input:3:7: message */
static void write_error(struct buf *out, const struct graphql_error *e, const char *otherwise)
{
    if (e->row > 0)
        buf_printf(out, "input:%d:%d: ", e->row, e->col);
    else
        buf_str(out, str_from(otherwise));
    buf_str(out, e->message);
}

/* The error, or all of validation's: "message in GraphQL string at location 3:7". */
static enum rego_outcome failed(struct graphql *g, bool validation)
{
    AUTO_BUF all = {.limit = 1 << 18};
    const struct graphql_error *first = &g->error[0];
    if (g->halt || g->nerrors == 0)
        return REGO_HALT;
    bool placed = first->row > 0 && first->col >= 0;
    for (size_t i = 0; i < g->nerrors; i++) {
        if (placed && i == 0)
            buf_str(&all, first->message);
        else
            write_error(&all, &g->error[i], "input: ");
        buf_str(&all, validation ? STR("\n") : STR(""));
    }
    struct str text = buf_view(&all);
    if (!placed)
        return rego_fail(g->call, "GraphQL parse error: %.*s", STR_ARG(text));
    if (str_ends(text, STR(".\n")))
        text = str_sub(text, 0, text.len - 2);
    return rego_fail(g->call, "%.*s in GraphQL string at location %d:%d", STR_ARG(text), first->row,
                     first->col);
}

static enum rego_outcome no_schema(struct graphql *g)
{
    AUTO_BUF text = {.limit = 1 << 16};
    if (g->halt || g->nerrors == 0)
        return REGO_HALT;
    write_error(&text, &g->error[0], "input:-1:-1: ");
    return rego_fail(g->call, "Error in gqlparser SchemaDocument to Schema conversion: %.*s",
                     STR_ARG(buf_view(&text)));
}

static struct graphql_node *read_document(struct graphql *g, const struct value *v,
                                          enum graphql_kind kind)
{
    if (v->kind != VALUE_STRING)
        return graphql_from_value(g, kind, v);
    return kind == GRAPHQL_QUERIES ? graphql_parse_query(g, value_text(v))
                                   : graphql_parse_schema(g, value_text(v));
}

/* Both read, said as JSON, and the one checked against the other. */
static enum rego_outcome check_pair(struct graphql *g, struct pair *ret)
{
    const struct value *arg = g->call->arg;
    ret->query = read_document(g, &arg[0], GRAPHQL_QUERIES);
    if (!ret->query)
        return failed(g, false);
    ret->schema = read_document(g, &arg[1], GRAPHQL_SCHEMAS);
    if (!ret->schema)
        return failed(g, false);
    if (!graphql_to_value(g, ret->query, &ret->query_value) ||
        !graphql_to_value(g, ret->schema, &ret->schema_value))
        return REGO_HALT;
    const struct graphql_schema *schema = graphql_schema(g, ret->schema);
    if (!schema)
        return no_schema(g);
    return graphql_validate(g, schema, ret->query) ? REGO_DEFINED : failed(g, true);
}

static enum rego_outcome give(struct rego_call *call, const struct value *items, size_t n,
                              struct value *ret)
{
    struct value *kept = arena_new(call->arena, struct value, n);
    for (size_t i = 0; kept && i < n; i++)
        kept[i] = items[i];
    *ret = value_items(VALUE_TUPLE, kept, n);
    return kept ? REGO_DEFINED : REGO_HALT;
}

static enum rego_outcome parse(struct rego_call *call, struct value *ret)
{
    struct graphql *g = begin(call);
    struct pair pair = {0};
    enum rego_outcome outcome = g ? check_pair(g, &pair) : REGO_HALT;
    const struct value items[] = {pair.query_value, pair.schema_value};
    return outcome == REGO_DEFINED ? give(call, items, 2, ret) : outcome;
}

static enum rego_outcome parse_and_verify(struct rego_call *call, struct value *ret)
{
    struct graphql *g = begin(call);
    struct pair pair = {0};
    size_t clash;
    enum rego_outcome outcome = g ? check_pair(g, &pair) : REGO_HALT;
    struct value none;
    (void)rego_make_object(NULL, 0, &none, &clash);
    const struct value good[] = {value_bool(true), pair.query_value, pair.schema_value};
    const struct value bad[] = {value_bool(false), none, none};
    call->why = (struct str){0};
    return outcome == REGO_HALT ? outcome
                                : give(call, outcome == REGO_DEFINED ? good : bad, 3, ret);
}

static enum rego_outcome parse_one(struct rego_call *call, enum graphql_kind kind,
                                   struct value *ret)
{
    struct graphql *g = begin(call);
    struct graphql_node *document = g ? read_document(g, call->arg, kind) : NULL;
    if (!document)
        return g ? failed(g, false) : REGO_HALT;
    return graphql_to_value(g, document, ret) ? REGO_DEFINED : REGO_HALT;
}
static enum rego_outcome parse_query(struct rego_call *call, struct value *ret)
{
    return parse_one(call, GRAPHQL_QUERIES, ret);
}
static enum rego_outcome parse_schema(struct rego_call *call, struct value *ret)
{
    return parse_one(call, GRAPHQL_SCHEMAS, ret);
}

static enum rego_outcome is_valid(struct rego_call *call, struct value *ret)
{
    struct graphql *g = begin(call);
    struct pair pair = {0};
    enum rego_outcome outcome = g ? check_pair(g, &pair) : REGO_HALT;
    call->why = (struct str){0};
    *ret = value_bool(outcome == REGO_DEFINED);
    return outcome == REGO_HALT ? outcome : REGO_DEFINED;
}

static enum rego_outcome schema_is_valid(struct rego_call *call, struct value *ret)
{
    struct graphql *g = begin(call);
    struct graphql_node *document = g ? read_document(g, call->arg, GRAPHQL_SCHEMAS) : NULL;
    bool valid = document && graphql_schema(g, document);
    *ret = value_bool(valid);
    return !g || g->halt ? REGO_HALT : REGO_DEFINED;
}

#define DOCUMENT "string | object[any: any]"
static const struct rego_builtin table[] = {
    {"graphql.parse", NULL,
     "(" DOCUMENT ", " DOCUMENT ") => array<object[any: any], object[any: any]>", parse, 0},
    {"graphql.parse_and_verify", NULL,
     "(" DOCUMENT ", " DOCUMENT ") => array<boolean, object[any: any], object[any: any]>",
     parse_and_verify, 0},
    {"graphql.parse_query", NULL, "(string) => object[any: any]", parse_query, 0},
    {"graphql.parse_schema", NULL, "(string) => object[any: any]", parse_schema, 0},
    {"graphql.is_valid", NULL, "(" DOCUMENT ", " DOCUMENT ") => boolean", is_valid, 0},
    {"graphql.schema_is_valid", NULL, "(" DOCUMENT ") => boolean", schema_is_valid, 0},
};
const struct rego_family builtin_graphql = {table, sizeof table / sizeof *table};

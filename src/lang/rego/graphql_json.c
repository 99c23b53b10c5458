/* graphql_json.c - GraphQL documents as JSON, both ways, with the names that OPA gives to things.
 *
 * One table a kind names its members; reading and writing walk the same table.
 */
#include <stdarg.h>

#include "base/arena.h"
#include "lang/rego/graphql.h"

enum form { TEXT, FLAG, NUMBER, NAMES, COMMENTS, LIST, NODE };
struct member {
    const char *name;
    enum form form;
    size_t offset;
    enum graphql_kind kind; /* of what is in the list or the node */
};
enum { MEMBERS_MAX = 16 };

#define AT(what) offsetof(struct graphql_node, what)
#define ALIAS(key) \
    { \
        key, TEXT, AT(alias), 0 \
    }
#define NAME(key) \
    { \
        key, TEXT, AT(name), 0 \
    }
#define SAYS(key) \
    { \
        key, TEXT, AT(text), 0 \
    }
#define FLAGGED(key) \
    { \
        key, FLAG, AT(flag), 0 \
    }
#define COMMENT(key, what) \
    { \
        key, COMMENTS, AT(what), 0 \
    }
#define LISTED(key, what, of) \
    { \
        key, LIST, AT(what), of \
    }
#define ONE(key, what, of) \
    { \
        key, NODE, AT(what), of \
    }
#define DIRECTIVES LISTED("Directives", directives, GRAPHQL_DIRECTIVE)
#define ARGUMENTS(of) LISTED("Arguments", arguments, of)
#define SELECTIONS LISTED("SelectionSet", members, GRAPHQL_SELECTION)
#define ROOTS LISTED("OperationTypes", members, GRAPHQL_ROOT)
#define LEAD \
    COMMENT("BeforeDescriptionComment", before), COMMENT("AfterDescriptionComment", after), \
        SAYS("Description")
#define END COMMENT("EndOfDefinitionComment", end)

static const struct member members[GRAPHQL_KINDS][MEMBERS_MAX] = {
    [GRAPHQL_QUERIES] = {LISTED("Operations", members, GRAPHQL_OPERATION),
                         LISTED("Fragments", extras, GRAPHQL_FRAGMENT)},
    [GRAPHQL_SCHEMAS] = {LISTED("Schema", arguments, GRAPHQL_SCHEMA),
                         LISTED("SchemaExtension", roots, GRAPHQL_SCHEMA),
                         LISTED("Directives", directives, GRAPHQL_DIRECTIVE_DEFINITION),
                         LISTED("Definitions", members, GRAPHQL_DEFINITION),
                         LISTED("Extensions", extras, GRAPHQL_DEFINITION),
                         COMMENT("Comment", after)},
    [GRAPHQL_OPERATION] = {ALIAS("Operation"), NAME("Name"),
                           LISTED("VariableDefinitions", extras, GRAPHQL_VARIABLE), DIRECTIVES,
                           SELECTIONS, COMMENT("Comment", after)},
    [GRAPHQL_FRAGMENT] = {NAME("Name"), LISTED("VariableDefinition", extras, GRAPHQL_VARIABLE),
                          ALIAS("TypeCondition"), DIRECTIVES, SELECTIONS,
                          COMMENT("Comment", after)},
    [GRAPHQL_FIELD] = {ALIAS("Alias"), NAME("Name"), ARGUMENTS(GRAPHQL_ARGUMENT), DIRECTIVES,
                       SELECTIONS, COMMENT("Comment", after)},
    [GRAPHQL_SPREAD] = {NAME("Name"), DIRECTIVES, COMMENT("Comment", after)},
    [GRAPHQL_INLINE] = {ALIAS("TypeCondition"), DIRECTIVES, SELECTIONS, COMMENT("Comment", after)},
    [GRAPHQL_VARIABLE] = {NAME("Variable"), ONE("Type", type, GRAPHQL_TYPE),
                          ONE("DefaultValue", value, GRAPHQL_VALUE), DIRECTIVES, FLAGGED("Used"),
                          COMMENT("Comment", after)},
    [GRAPHQL_ARGUMENT] = {NAME("Name"), ONE("Value", value, GRAPHQL_VALUE),
                          COMMENT("Comment", after)},
    [GRAPHQL_DIRECTIVE] = {NAME("Name"), ARGUMENTS(GRAPHQL_ARGUMENT), ALIAS("Location")},
    [GRAPHQL_VALUE] = {SAYS("Raw"),
                       LISTED("Children", members, GRAPHQL_CHILD),
                       {"Kind", NUMBER, AT(number), 0},
                       FLAGGED("ExpectedTypeHasDefault"),
                       COMMENT("Comment", after)},
    [GRAPHQL_CHILD] = {NAME("Name"), ONE("Value", value, GRAPHQL_VALUE), COMMENT("Comment", after)},
    [GRAPHQL_TYPE] = {NAME("NamedType"), ONE("Elem", type, GRAPHQL_TYPE), FLAGGED("NonNull")},
    [GRAPHQL_SCHEMA] = {DIRECTIVES, ROOTS, LEAD, END},
    [GRAPHQL_ROOT] = {ALIAS("Operation"), NAME("Type"), COMMENT("Comment", after)},
    [GRAPHQL_DEFINITION] = {ALIAS("Kind"),
                            NAME("Name"),
                            DIRECTIVES,
                            {"Interfaces", NAMES, AT(interfaces), 0},
                            LISTED("Fields", members, GRAPHQL_MEMBER),
                            {"Types", NAMES, AT(types), 0},
                            LISTED("EnumValues", extras, GRAPHQL_ENUM_VALUE),
                            FLAGGED("BuiltIn"),
                            LEAD,
                            END},
    [GRAPHQL_MEMBER] = {NAME("Name"), ARGUMENTS(GRAPHQL_MEMBER),
                        ONE("DefaultValue", value, GRAPHQL_VALUE), ONE("Type", type, GRAPHQL_TYPE),
                        DIRECTIVES, LEAD},
    [GRAPHQL_ENUM_VALUE] = {NAME("Name"), DIRECTIVES, LEAD},
    [GRAPHQL_DIRECTIVE_DEFINITION] = {NAME("Name"),
                                      ARGUMENTS(GRAPHQL_MEMBER),
                                      {"Locations", NAMES, AT(types), 0},
                                      FLAGGED("IsRepeatable"),
                                      LEAD},
};

static const void *inside(const struct graphql_node *node, const struct member *m)
{
    return (const char *)node + m->offset;
}
static void *part(struct graphql_node *node, const struct member *m)
{
    return (char *)node + m->offset;
}

/* --- to JSON --- */

static bool names_value(struct graphql *g, const struct graphql_names *names, struct value *ret)
{
    struct value *items = arena_new(g->call->arena, struct value, names->n);
    for (size_t i = 0; items && i < names->n; i++)
        items[i] = value_string(names->item[i]);
    *ret = value_items(VALUE_TUPLE, items, names->n);
    g->halt |= !items;
    return items != NULL;
}

static bool object(struct graphql *g, struct rego_pair *pairs, size_t n, struct value *ret)
{
    size_t clash;
    g->halt |= !pairs;
    return pairs && rego_make_object(pairs, n, ret, &clash);
}

/* {"List": [{"Value": "# text"}]} */
static bool comments_value(struct graphql *g, const struct graphql_names *names, struct value *ret)
{
    struct value *items = arena_new(g->call->arena, struct value, names->n);
    struct rego_pair *pairs = arena_new(g->call->arena, struct rego_pair, names->n + 1);
    for (size_t i = 0; items && pairs && i < names->n; i++) {
        pairs[i] = (struct rego_pair){value_string(STR("Value")), value_string(names->item[i])};
        (void)object(g, &pairs[i], 1, &items[i]);
    }
    g->halt |= !items || !pairs;
    if (g->halt)
        return false;
    pairs[names->n] =
        (struct rego_pair){value_string(STR("List")), value_items(VALUE_TUPLE, items, names->n)};
    return object(g, &pairs[names->n], 1, ret);
}

static bool list_value(struct graphql *g, const struct graphql_list *list, struct value *ret)
{
    struct value *items = arena_new(g->call->arena, struct value, list->n);
    g->halt |= !items;
    for (size_t i = 0; items && i < list->n; i++)
        if (!graphql_to_value(g, list->item[i], &items[i]))
            return false;
    *ret = value_items(VALUE_TUPLE, items, list->n);
    return !g->halt;
}

/* *ret_any: there is something to say of it. */
static bool member_value(struct graphql *g, const struct graphql_node *node, const struct member *m,
                         struct value *ret, bool *ret_any)
{
    const void *at = inside(node, m);
    *ret_any = true;
    switch (m->form) {
    case TEXT:
        *ret = value_string(*(const struct str *)at);
        return true;
    case FLAG:
        *ret = value_bool(*(const bool *)at);
        return true;
    case NUMBER:
        *ret = value_int(*(const int32_t *)at);
        return true;
    case NAMES:
        *ret_any = ((const struct graphql_names *)at)->n > 0;
        return !*ret_any || names_value(g, at, ret);
    case COMMENTS:
        *ret_any = ((const struct graphql_names *)at)->n > 0;
        return !*ret_any || comments_value(g, at, ret);
    case LIST:
        *ret_any = ((const struct graphql_list *)at)->n > 0;
        return !*ret_any || list_value(g, at, ret);
    default:
        *ret_any = *(struct graphql_node *const *)at != NULL;
        return !*ret_any || graphql_to_value(g, *(struct graphql_node *const *)at, ret);
    }
}

bool graphql_to_value(struct graphql *g, const struct graphql_node *node, struct value *ret)
{
    struct rego_pair *pairs = arena_new(g->call->arena, struct rego_pair, MEMBERS_MAX);
    size_t n = 0;
    g->halt |= !pairs;
    if (g->halt)
        return false;
    for (const struct member *m = members[node->kind]; m->name; m++) {
        bool any;
        if (!member_value(g, node, m, &pairs[n].value, &any))
            return false;
        pairs[n].key = value_string(str_from(m->name));
        n += any;
    }
    return object(g, pairs, n, ret);
}

/* --- from JSON --- */

static const struct value *get(const struct value *object, const char *name)
{
    struct value key = value_string(str_from(name));
    const struct value *v = rego_get(object, &key);
    return v && v->kind != VALUE_NULL ? v : NULL;
}

static bool wrong(struct graphql *g, const struct member *m, const char *want,
                  const struct value *v)
{
    return graphql_error(g, NULL, "%s of a GraphQL document must be %s but is %s", m->name, want,
                         rego_type_name(v));
}

static struct graphql_node *read_node(struct graphql *g, enum graphql_kind kind,
                                      const struct value *v, unsigned depth);

static bool read_names(struct graphql *g, const struct member *m, const struct value *v,
                       struct graphql_names *ret)
{
    for (uint32_t i = 0; i < v->len; i++) {
        if (v->items[i].kind != VALUE_STRING)
            return wrong(g, m, "strings", &v->items[i]);
        if (!graphql_add_name(g, ret, value_text(&v->items[i])))
            return false;
    }
    return true;
}

static bool read_comments(struct graphql *g, const struct member *m, const struct value *v,
                          struct graphql_names *ret)
{
    const struct value *list = rego_is_object(v) ? get(v, "List") : NULL;
    for (uint32_t i = 0; list && rego_is_array(list) && i < list->len; i++) {
        const struct value *text =
            rego_is_object(&list->items[i]) ? get(&list->items[i], "Value") : NULL;
        if (!value_is_string(text))
            return wrong(g, m, "a list of comments", &list->items[i]);
        if (!graphql_add_name(g, ret, value_text(text)))
            return false;
    }
    return true;
}

static bool read_member(struct graphql *g, struct graphql_node *node, const struct member *m,
                        const struct value *v, unsigned depth)
{
    void *at = part(node, m);
    int64_t number;
    switch (m->form) {
    case TEXT:
        if (v->kind != VALUE_STRING)
            return wrong(g, m, "a string", v);
        *(struct str *)at = value_text(v);
        return true;
    case FLAG:
        if (v->kind != VALUE_BOOL)
            return wrong(g, m, "a boolean", v);
        *(bool *)at = v->truth;
        return true;
    case NUMBER:
        if (v->kind != VALUE_NUMBER || !rego_to_int64(v, &number) || number < 0 ||
            number > GRAPHQL_VALUE_OBJECT)
            return wrong(g, m, "the number of a kind of value", v);
        *(int32_t *)at = (int32_t)number;
        return true;
    case COMMENTS:
        return read_comments(g, m, v, at);
    case NODE:
        if (!rego_is_object(v))
            return wrong(g, m, "an object", v);
        *(struct graphql_node **)at = read_node(g, m->kind, v, depth);
        return *(struct graphql_node **)at != NULL;
    default:
        break;
    }
    if (!rego_is_array(v))
        return wrong(g, m, "an array", v);
    if (m->form == NAMES)
        return read_names(g, m, v, at);
    for (uint32_t i = 0; i < v->len; i++) {
        if (!rego_is_object(&v->items[i]))
            return wrong(g, m, "an array of objects", &v->items[i]);
        struct graphql_node *item = read_node(g, m->kind, &v->items[i], depth);
        if (!item || !graphql_add(g, at, item))
            return false;
    }
    return true;
}

/* What a selection is: its JSON has no member that says so. */
static enum graphql_kind selection_kind(const struct value *v)
{
    if (get(v, "Alias"))
        return GRAPHQL_FIELD;
    if (get(v, "TypeCondition") || !get(v, "Name"))
        return GRAPHQL_INLINE;
    return get(v, "SelectionSet") || get(v, "Arguments") ? GRAPHQL_FIELD : GRAPHQL_SPREAD;
}

/* What validation counts on being there. */
static bool complete(struct graphql *g, const struct graphql_node *node)
{
    bool typed = node->kind == GRAPHQL_VARIABLE || node->kind == GRAPHQL_MEMBER ||
                 (node->kind == GRAPHQL_TYPE && node->name.len == 0);
    bool valued = node->kind == GRAPHQL_ARGUMENT || node->kind == GRAPHQL_CHILD;
    if (typed && !node->type)
        return graphql_error(g, NULL, "%.*s of a GraphQL document lacks its type",
                             STR_ARG(node->name));
    if (valued && !node->value)
        return graphql_error(g, NULL, "%.*s of a GraphQL document lacks its value",
                             STR_ARG(node->name));
    return true;
}

static struct graphql_node *read_node(struct graphql *g, enum graphql_kind kind,
                                      const struct value *v, unsigned depth)
{
    struct graphql_node *node = arena_new(g->call->arena, struct graphql_node, 1);
    g->halt |= !node;
    if (depth == 0)
        (void)graphql_error(g, NULL, "a GraphQL document is nested too deep");
    if (g->halt || depth == 0 || !graphql_spend(g, 1))
        return NULL;
    node->name = node->alias = node->text = STR("");
    node->kind = kind == GRAPHQL_SELECTION ? selection_kind(v) : kind;
    for (const struct member *m = members[node->kind]; m->name; m++) {
        const struct value *part_value = get(v, m->name);
        if (part_value && !read_member(g, node, m, part_value, depth - 1))
            return NULL;
    }
    return complete(g, node) ? node : NULL;
}

/* A field without alias and without more looks as a spread does: one of a fragment that is there.
 */
static void settle_spreads(struct graphql *g, const struct graphql_node *document,
                           struct graphql_node *node)
{
    for (size_t i = 0; i < node->members.n; i++) {
        struct graphql_node *item = node->members.item[i];
        if (item->kind == GRAPHQL_SPREAD && !graphql_named(g, &document->extras, item->name))
            item->kind = GRAPHQL_FIELD;
        if (item->kind <= GRAPHQL_INLINE)
            settle_spreads(g, document, item);
    }
}

struct graphql_node *graphql_from_value(struct graphql *g, enum graphql_kind kind,
                                        const struct value *v)
{
    struct graphql_node *document = read_node(g, kind, v, 2 * GRAPHQL_DEPTH_MAX);
    for (size_t i = 0; document && kind == GRAPHQL_QUERIES && i < document->extras.n; i++)
        settle_spreads(g, document, document->extras.item[i]);
    if (document && kind == GRAPHQL_QUERIES)
        settle_spreads(g, document, document);
    return g->halt ? NULL : document;
}

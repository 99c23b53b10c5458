/* graphql_parse.c - tokens as GraphQL documents, executable ones and schemas.
 *
 * The first error ends it.
 * Source: GraphQL, October 2021, appendix B
 */
#include <stdarg.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/quote.h"
#include "lang/rego/graphql.h"

struct parser {
    struct graphql *g;
    struct graphql_lexer lexer;
    struct graphql_token token;    /* the next one, comments passed over */
    struct graphql_names comments; /* in front of it */
    bool failed;
    unsigned depth;
};
/* What stands before a definition. */
struct lead {
    struct str text;
    struct graphql_names comments;
};
typedef bool parse_fn(struct parser *p, struct graphql_node *into, bool constant);

/* --- tokens --- */

static bool fail(struct parser *p, const struct graphql_token *at, struct str message)
{
    if (!p->failed)
        (void)graphql_error_at(p->g, at->row, at->col, "%.*s", STR_ARG(message));
    p->failed = true;
    p->token = (struct graphql_token){.kind = GRAPHQL_EOF}; /* ends every loop */
    return false;
}

static struct str described(struct parser *p, const struct graphql_token *token)
{
    AUTO_BUF out = {.limit = 1 << 16};
    buf_str(&out, str_from(graphql_token_name(token->kind)));
    if (token->value.len && token->kind != GRAPHQL_INVALID) {
        buf_char(&out, ' ');
        quote_go(&out, str_sub(token->value, 0, 1000));
    }
    return arena_dup(p->g->call->arena, buf_view(&out));
}

static bool unexpected(struct parser *p)
{
    struct graphql_token at = p->token;
    struct str what = described(p, &at);
    return fail(p, &at, arena_printf(p->g->call->arena, "Unexpected %.*s", STR_ARG(what)));
}

static void advance(struct parser *p)
{
    if (p->failed)
        return;
    if (p->token.kind == GRAPHQL_INVALID) {
        (void)fail(p, &p->token, p->token.value);
        return;
    }
    p->comments = (struct graphql_names){0};
    for (p->token = graphql_lex(&p->lexer); p->token.kind == GRAPHQL_COMMENT;
         p->token = graphql_lex(&p->lexer))
        if (!graphql_add_name(p->g, &p->comments, p->token.value) || !graphql_spend(p->g, 1))
            break;
    if (!graphql_spend(p->g, 1))
        (void)fail(p, &p->token, STR("budget"));
}

static bool skip(struct parser *p, enum graphql_token_kind kind)
{
    if (p->failed || p->token.kind != kind)
        return false;
    advance(p);
    return true;
}

static bool expect(struct parser *p, enum graphql_token_kind kind)
{
    struct graphql_token at = p->token;
    if (skip(p, kind))
        return true;
    return fail(p, &at,
                arena_printf(p->g->call->arena, "Expected %s, found %s", graphql_token_name(kind),
                             graphql_token_name(at.kind)));
}

static bool is_word(const struct parser *p, const char *word)
{
    return p->token.kind == GRAPHQL_NAME && str_equal(p->token.value, str_from(word));
}

static bool expect_word(struct parser *p, const char *word)
{
    struct graphql_token at = p->token;
    if (is_word(p, word)) {
        advance(p);
        return !p->failed;
    }
    struct str what = described(p, &at);
    return fail(
        p, &at,
        arena_printf(p->g->call->arena, "Expected \"%s\", found %.*s", word, STR_ARG(what)));
}

static struct str name(struct parser *p)
{
    struct str s = p->token.value;
    return expect(p, GRAPHQL_NAME) ? s : STR("");
}

/* A node at the next token; after the first failure they are spare ones. */
static struct graphql_node *node(struct parser *p, enum graphql_kind kind)
{
    struct graphql_node *n = arena_new(p->g->call->arena, struct graphql_node, 1);
    p->g->halt |= !n;
    if (n)
        *n = (struct graphql_node){.kind = kind,
                                   .row = p->token.row,
                                   .col = p->token.col,
                                   .name = STR(""),
                                   .alias = STR(""),
                                   .text = STR("")};
    else
        (void)fail(p, &p->token, STR("memory"));
    return n;
}

/* What is between the two, at least one; nothing at all where the first is not there. */
static bool some(struct parser *p, enum graphql_token_kind open, enum graphql_token_kind close,
                 parse_fn *each, struct graphql_node *into, bool constant)
{
    if (p->failed || !skip(p, open))
        return !p->failed;
    if (p->token.kind == close) {
        struct graphql_token at = p->token;
        return fail(p, &at,
                    arena_printf(p->g->call->arena, "expected at least one definition, found %s",
                                 graphql_token_name(at.kind)));
    }
    while (!p->failed && p->token.kind != close)
        if (!each(p, into, constant))
            return false;
    if (close == GRAPHQL_BRACE_R)
        into->end = p->comments;
    advance(p);
    return !p->failed;
}

static bool enter(struct parser *p)
{
    if (p->depth == GRAPHQL_DEPTH_MAX) {
        struct graphql_token at = p->token;
        return fail(
            p, &at,
            arena_printf(p->g->call->arena, "nested deeper than %d levels", GRAPHQL_DEPTH_MAX));
    }
    p->depth++;
    return true;
}

/* --- values, types, directives --- */

static struct graphql_node *value(struct parser *p, bool constant);

static bool list_item(struct parser *p, struct graphql_node *into, bool constant)
{
    struct graphql_node *child = node(p, GRAPHQL_CHILD);
    if (!child || !(child->value = value(p, constant)))
        return false;
    return graphql_add(p->g, &into->members, child);
}

static bool object_field(struct parser *p, struct graphql_node *into, bool constant)
{
    struct graphql_node *child = node(p, GRAPHQL_CHILD);
    if (!child)
        return false;
    child->after = p->comments;
    child->name = name(p);
    return expect(p, GRAPHQL_COLON) && (child->value = value(p, constant)) &&
           graphql_add(p->g, &into->members, child);
}

static struct graphql_node *composite(struct parser *p, bool constant)
{
    bool list = p->token.kind == GRAPHQL_BRACKET_L;
    enum graphql_token_kind close = list ? GRAPHQL_BRACKET_R : GRAPHQL_BRACE_R;
    struct graphql_node *v = node(p, GRAPHQL_VALUE);
    if (!v || !enter(p))
        return NULL;
    v->after = p->comments;
    v->number = list ? GRAPHQL_VALUE_LIST : GRAPHQL_VALUE_OBJECT;
    advance(p);
    while (!p->failed && p->token.kind != close)
        if (!(list ? list_item : object_field)(p, v, constant))
            return NULL;
    advance(p);
    p->depth--;
    return p->failed ? NULL : v;
}

static int32_t kind_of_word(struct str word)
{
    if (str_equal(word, STR("true")) || str_equal(word, STR("false")))
        return GRAPHQL_VALUE_BOOLEAN;
    return str_equal(word, STR("null")) ? GRAPHQL_VALUE_NULL : GRAPHQL_VALUE_ENUM;
}

static struct graphql_node *value(struct parser *p, bool constant)
{
    enum graphql_token_kind kind = p->token.kind;
    if (p->failed)
        return NULL;
    if (kind == GRAPHQL_BRACKET_L || kind == GRAPHQL_BRACE_L)
        return composite(p, constant);
    struct graphql_node *v = node(p, GRAPHQL_VALUE);
    if (!v)
        return NULL;
    v->text = p->token.value;
    if (kind == GRAPHQL_DOLLAR && !constant) {
        v->number = GRAPHQL_VALUE_VARIABLE;
        advance(p);
        v->text = name(p);
        return p->failed ? NULL : v;
    }
    if (kind == GRAPHQL_NAME)
        v->number = kind_of_word(v->text);
    else if (kind >= GRAPHQL_INT && kind <= GRAPHQL_BLOCK_STRING)
        v->number = GRAPHQL_VALUE_INT + (int32_t)(kind - GRAPHQL_INT);
    else if (!unexpected(p))
        return NULL;
    advance(p);
    return p->failed ? NULL : v;
}

static bool argument(struct parser *p, struct graphql_node *into, bool constant)
{
    struct graphql_node *a = node(p, GRAPHQL_ARGUMENT);
    if (!a)
        return false;
    a->after = p->comments;
    a->name = name(p);
    return expect(p, GRAPHQL_COLON) && (a->value = value(p, constant)) &&
           graphql_add(p->g, &into->arguments, a);
}

static bool directives(struct parser *p, struct graphql_node *into, bool constant)
{
    while (skip(p, GRAPHQL_AT)) {
        struct graphql_node *d = node(p, GRAPHQL_DIRECTIVE);
        if (!d)
            return false;
        d->name = name(p);
        if (!some(p, GRAPHQL_PAREN_L, GRAPHQL_PAREN_R, argument, d, constant) ||
            !graphql_add(p->g, &into->directives, d))
            return false;
    }
    return !p->failed;
}

static struct graphql_node *type(struct parser *p)
{
    bool list = p->token.kind == GRAPHQL_BRACKET_L;
    if (!enter(p) || (list && !skip(p, GRAPHQL_BRACKET_L)))
        return NULL;
    struct graphql_node *t = node(p, GRAPHQL_TYPE);
    if (!t)
        return NULL;
    if (list) {
        t->type = type(p);
        (void)expect(p, GRAPHQL_BRACKET_R);
    } else {
        t->name = name(p);
    }
    t->flag = skip(p, GRAPHQL_BANG);
    p->depth--;
    return p->failed ? NULL : t;
}

/* : type [= value] of a variable, field or argument */
static bool typed(struct parser *p, struct graphql_node *into, bool with_default)
{
    if (!expect(p, GRAPHQL_COLON) || !(into->type = type(p)))
        return false;
    if (with_default && skip(p, GRAPHQL_EQUALS))
        into->value = value(p, true);
    return !p->failed;
}

/* --- executable documents --- */

static bool selection(struct parser *p, struct graphql_node *into, bool constant);

static bool selections(struct parser *p, struct graphql_node *into)
{
    if (p->failed || (p->token.kind != GRAPHQL_BRACE_L && !expect(p, GRAPHQL_BRACE_L)) || !enter(p))
        return false;
    bool ok = some(p, GRAPHQL_BRACE_L, GRAPHQL_BRACE_R, selection, into, false);
    p->depth--;
    return ok;
}

static bool variable(struct parser *p, struct graphql_node *into, bool constant)
{
    struct graphql_node *v = node(p, GRAPHQL_VARIABLE);
    (void)constant;
    if (!v)
        return false;
    v->after = p->comments;
    (void)expect(p, GRAPHQL_DOLLAR);
    v->name = name(p);
    return typed(p, v, true) && directives(p, v, false) && graphql_add(p->g, &into->extras, v);
}

static bool variables(struct parser *p, struct graphql_node *into)
{
    return some(p, GRAPHQL_PAREN_L, GRAPHQL_PAREN_R, variable, into, false);
}

static bool field(struct parser *p, struct graphql_node *into)
{
    struct graphql_node *f = node(p, GRAPHQL_FIELD);
    if (!f)
        return false;
    f->after = p->comments;
    f->alias = name(p);
    f->name = skip(p, GRAPHQL_COLON) ? name(p) : f->alias;
    return some(p, GRAPHQL_PAREN_L, GRAPHQL_PAREN_R, argument, f, false) &&
           directives(p, f, false) && (p->token.kind != GRAPHQL_BRACE_L || selections(p, f)) &&
           graphql_add(p->g, &into->members, f);
}

static bool selection(struct parser *p, struct graphql_node *into, bool constant)
{
    struct graphql_names comments = p->comments;
    (void)constant;
    if (p->token.kind != GRAPHQL_DOTS)
        return field(p, into);
    advance(p);
    bool spread = p->token.kind == GRAPHQL_NAME && !is_word(p, "on");
    struct graphql_node *n = node(p, spread ? GRAPHQL_SPREAD : GRAPHQL_INLINE);
    if (!n)
        return false;
    n->after = comments;
    if (spread) {
        n->name = name(p);
    } else if (is_word(p, "on")) {
        advance(p);
        n->alias = name(p);
    }
    return directives(p, n, false) && (spread || selections(p, n)) &&
           graphql_add(p->g, &into->members, n);
}

static bool operation(struct parser *p, struct graphql_node *into)
{
    struct graphql_node *o = node(p, GRAPHQL_OPERATION);
    if (!o)
        return false;
    o->alias = STR("query");
    if (p->token.kind != GRAPHQL_BRACE_L) {
        o->after = p->comments;
        o->alias = p->token.value;
        advance(p);
        if (p->token.kind == GRAPHQL_NAME)
            o->name = name(p);
        if (!variables(p, o) || !directives(p, o, false))
            return false;
    }
    return selections(p, o) && graphql_add(p->g, &into->members, o);
}

static bool fragment(struct parser *p, struct graphql_node *into)
{
    struct graphql_node *f = node(p, GRAPHQL_FRAGMENT);
    if (!f)
        return false;
    f->after = p->comments;
    advance(p);
    if (is_word(p, "on"))
        return unexpected(p);
    f->name = name(p);
    if (p->failed || !variables(p, f) || !expect_word(p, "on"))
        return false;
    f->alias = name(p);
    return directives(p, f, false) && selections(p, f) && graphql_add(p->g, &into->extras, f);
}

static bool is_operation(const struct parser *p)
{
    return is_word(p, "query") || is_word(p, "mutation") || is_word(p, "subscription");
}

static struct graphql_node *start(struct parser *p, struct graphql *g, struct str text,
                                  enum graphql_kind kind)
{
    *p = (struct parser){.g = g,
                         .lexer = {.arena = g->call->arena, .text = text, .row = 1},
                         .token = {.kind = GRAPHQL_COMMENT}};
    advance(p);
    return node(p, kind);
}

struct graphql_node *graphql_parse_query(struct graphql *g, struct str text)
{
    struct parser parser, *p = &parser;
    struct graphql_node *document = start(p, g, text, GRAPHQL_QUERIES);
    while (!p->failed && p->token.kind != GRAPHQL_EOF) {
        if (p->token.kind == GRAPHQL_BRACE_L || is_operation(p))
            (void)operation(p, document);
        else if (is_word(p, "fragment"))
            (void)fragment(p, document);
        else
            (void)unexpected(p);
    }
    return p->failed ? NULL : document;
}

/* --- schemas --- */

static struct lead lead(struct parser *p)
{
    struct lead lead = {STR(""), {0}};
    if (p->token.kind == GRAPHQL_STRING || p->token.kind == GRAPHQL_BLOCK_STRING) {
        lead = (struct lead){p->token.value, p->comments};
        advance(p);
    }
    return lead;
}

/* A field, an argument, an input field, a value of an enum: description and name. */
static struct graphql_node *described_node(struct parser *p, enum graphql_kind kind)
{
    struct lead before = lead(p);
    struct graphql_node *n = node(p, kind);
    if (!n)
        return NULL;
    if (before.text.len) {
        n->before = before.comments;
        n->text = before.text;
    }
    n->after = p->comments;
    n->name = name(p);
    return p->failed ? NULL : n;
}

static bool argument_definition(struct parser *p, struct graphql_node *into, bool constant)
{
    struct graphql_node *a = described_node(p, GRAPHQL_MEMBER);
    (void)constant;
    return a && typed(p, a, true) && directives(p, a, true) &&
           graphql_add(p->g, &into->arguments, a);
}

static bool field_definition(struct parser *p, struct graphql_node *into, bool constant)
{
    struct graphql_node *f = described_node(p, GRAPHQL_MEMBER);
    (void)constant;
    return f && some(p, GRAPHQL_PAREN_L, GRAPHQL_PAREN_R, argument_definition, f, true) &&
           typed(p, f, false) && directives(p, f, true) && graphql_add(p->g, &into->members, f);
}

static bool input_field(struct parser *p, struct graphql_node *into, bool constant)
{
    struct graphql_node *f = described_node(p, GRAPHQL_MEMBER);
    (void)constant;
    return f && typed(p, f, true) && directives(p, f, true) && graphql_add(p->g, &into->members, f);
}

static bool enum_value(struct parser *p, struct graphql_node *into, bool constant)
{
    struct graphql_node *v = described_node(p, GRAPHQL_ENUM_VALUE);
    (void)constant;
    return v && directives(p, v, true) && graphql_add(p->g, &into->extras, v);
}

static bool root(struct parser *p, struct graphql_node *into, bool constant)
{
    struct graphql_node *r = node(p, GRAPHQL_ROOT);
    (void)constant;
    if (!r)
        return false;
    r->after = p->comments;
    r->alias = p->token.value;
    if (!is_operation(p)) {
        bool invalid = p->token.kind == GRAPHQL_INVALID;
        if (invalid)
            advance(p); /* says what is wrong with the token */
        return invalid ? false : unexpected(p);
    }
    advance(p);
    (void)expect(p, GRAPHQL_COLON);
    r->name = name(p);
    return !p->failed && graphql_add(p->g, &into->members, r);
}

/* NAME, NAME & NAME, & NAME & NAME */
static bool names(struct parser *p, enum graphql_token_kind separator, struct graphql_names *into)
{
    (void)skip(p, separator);
    do {
        struct str one = name(p);
        if (p->failed || !graphql_add_name(p->g, into, one))
            return false;
    } while (skip(p, separator));
    return !p->failed;
}

static const struct type_form {
    const char *word, *kind;
    parse_fn *member; /* of what is between the braces */
} type_forms[] = {
    {"scalar", "SCALAR", NULL},
    {"type", "OBJECT", field_definition},
    {"interface", "INTERFACE", field_definition},
    {"union", "UNION", NULL},
    {"enum", "ENUM", enum_value},
    {"input", "INPUT_OBJECT", input_field},
};
static const struct type_form *type_form(const struct parser *p)
{
    for (size_t i = 0; i < sizeof type_forms / sizeof *type_forms; i++)
        if (is_word(p, type_forms[i].word))
            return &type_forms[i];
    return NULL;
}

/* From its word on. */
static bool definition(struct parser *p, const struct type_form *form, const struct lead *before,
                       const struct graphql_names *after, bool extends, struct graphql_list *into)
{
    struct graphql_names comments = after ? *after : p->comments;
    advance(p);
    struct graphql_node *d = node(p, GRAPHQL_DEFINITION);
    if (!d)
        return false;
    d->before = before->comments;
    d->text = before->text;
    d->after = comments;
    d->alias = str_from(form->kind);
    d->name = name(p);
    bool fields = form->member == field_definition;
    if (fields && !(extends && form->kind[0] == 'I') && is_word(p, "implements")) {
        advance(p);
        if (!names(p, GRAPHQL_AMP, &d->interfaces))
            return false;
    }
    if (!directives(p, d, !(extends && form->member == input_field)))
        return false;
    if (str_equal(d->alias, STR("UNION")) && skip(p, GRAPHQL_EQUALS) &&
        !names(p, GRAPHQL_PIPE, &d->types))
        return false;
    if (form->member && !some(p, GRAPHQL_BRACE_L, GRAPHQL_BRACE_R, form->member, d, true))
        return false;
    if (extends && d->interfaces.n + d->directives.n + d->types.n + d->members.n + d->extras.n == 0)
        return unexpected(p);
    return graphql_add(p->g, into, d);
}

static bool schema_definition(struct parser *p, const struct lead *before,
                              const struct graphql_names *after, bool extends,
                              struct graphql_list *into)
{
    struct graphql_names comments = after ? *after : p->comments;
    advance(p);
    struct graphql_node *s = node(p, GRAPHQL_SCHEMA);
    if (!s)
        return false;
    s->before = before->comments;
    s->text = before->text;
    s->after = comments;
    if (!directives(p, s, true) || !some(p, GRAPHQL_BRACE_L, GRAPHQL_BRACE_R, root, s, true))
        return false;
    if (extends && s->directives.n + s->members.n == 0)
        return unexpected(p);
    return graphql_add(p->g, into, s);
}

static bool is_location(struct str s)
{
    static const char *const all[] = {"QUERY",
                                      "MUTATION",
                                      "SUBSCRIPTION",
                                      "FIELD",
                                      "FRAGMENT_DEFINITION",
                                      "FRAGMENT_SPREAD",
                                      "INLINE_FRAGMENT",
                                      "VARIABLE_DEFINITION",
                                      "SCHEMA",
                                      "SCALAR",
                                      "OBJECT",
                                      "FIELD_DEFINITION",
                                      "ARGUMENT_DEFINITION",
                                      "INTERFACE",
                                      "UNION",
                                      "ENUM",
                                      "ENUM_VALUE",
                                      "INPUT_OBJECT",
                                      "INPUT_FIELD_DEFINITION"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (str_equal(s, str_from(all[i])))
            return true;
    return false;
}

static bool locations(struct parser *p, struct graphql_names *into)
{
    (void)skip(p, GRAPHQL_PIPE);
    do {
        if (p->token.kind == GRAPHQL_NAME && !is_location(p->token.value))
            return unexpected(p);
        struct str one = name(p);
        if (p->failed || !graphql_add_name(p->g, into, one))
            return false;
    } while (skip(p, GRAPHQL_PIPE));
    return !p->failed;
}

static bool directive_definition(struct parser *p, const struct lead *before,
                                 struct graphql_list *into)
{
    struct graphql_names comments = p->comments;
    advance(p);
    (void)expect(p, GRAPHQL_AT);
    struct graphql_node *d = node(p, GRAPHQL_DIRECTIVE_DEFINITION);
    if (!d)
        return false;
    d->before = before->comments;
    d->text = before->text;
    d->after = comments;
    d->name = name(p);
    if (!some(p, GRAPHQL_PAREN_L, GRAPHQL_PAREN_R, argument_definition, d, true))
        return false;
    d->flag = is_word(p, "repeatable");
    if (d->flag)
        advance(p);
    return expect_word(p, "on") && locations(p, &d->types) && graphql_add(p->g, into, d);
}

static bool extension(struct parser *p, struct graphql_node *document)
{
    struct graphql_names comments = p->comments;
    const struct lead none = {STR(""), {0}};
    advance(p);
    const struct type_form *form = type_form(p);
    if (is_word(p, "schema"))
        return schema_definition(p, &none, &comments, true, &document->roots);
    return form ? definition(p, form, &none, &comments, true, &document->extras) : unexpected(p);
}

struct graphql_node *graphql_parse_schema(struct graphql *g, struct str text)
{
    struct parser parser, *p = &parser;
    struct graphql_node *document = start(p, g, text, GRAPHQL_SCHEMAS);
    while (!p->failed && p->token.kind != GRAPHQL_EOF) {
        struct graphql_token first = p->token;
        struct lead before = lead(p);
        const struct type_form *form = type_form(p);
        if (form)
            (void)definition(p, form, &before, NULL, false, &document->members);
        else if (is_word(p, "schema"))
            (void)schema_definition(p, &before, NULL, false, &document->arguments);
        else if (is_word(p, "directive"))
            (void)directive_definition(p, &before, &document->directives);
        else if (is_word(p, "extend") && !before.text.len)
            (void)extension(p, document);
        else if (is_word(p, "extend")) {
            p->token = first; /* nothing to describe: what is extended has its own */
            (void)unexpected(p);
        } else
            (void)unexpected(p);
    }
    if (p->failed)
        return NULL;
    document->after = p->comments;
    return document;
}

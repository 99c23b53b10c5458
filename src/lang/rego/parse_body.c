/* parse_body.c - Rego bodies: literals with some, every, not, with, and the logic operators. */
#include "base/arena.h"
#include "lang/rego/parser.h"

static struct rego_expr *make_expr(struct rego_parser *p, enum rego_expr_kind kind,
                                   struct rego_place place)
{
    struct rego_expr *expr = arena_new(p->arena, struct rego_expr, 1);
    if (!expr)
        return parser_fail(p, place, "the text needs too much memory");
    expr->kind = kind;
    expr->place = place;
    return expr;
}

static struct rego_expr *of_term(struct rego_parser *p, struct rego_term *term)
{
    enum rego_expr_kind kind = term->kind == REGO_TERM_CALL ? REGO_EXPR_CALL : REGO_EXPR_TERM;
    struct rego_expr *expr = make_expr(p, kind, term->place);
    if (expr)
        expr->term = term;
    return expr;
}

/* term, term := term, term = term */
static struct rego_expr *plain(struct rego_parser *p)
{
    struct rego_place place = p->token.place;
    struct rego_term *left = parser_expression(p, true);
    if (!left)
        return NULL;
    enum rego_token_kind kind = p->token.kind;
    if (kind != REGO_TOK_ASSIGN && kind != REGO_TOK_UNIFY)
        return of_term(p, left);
    parser_next(p);
    struct rego_term *right = parser_expression(p, true);
    if (!right)
        return NULL;
    struct rego_term *call =
        parser_call(p, kind == REGO_TOK_ASSIGN ? "assign" : "eq", place, left, right, NULL);
    if (!call)
        return NULL;
    call->place.end = p->last_end;
    struct rego_expr *expr = of_term(p, call);
    if (expr)
        expr->infix = true;
    return expr;
}

/* --- some, every --- */

/* some x, y */
static bool declared(struct rego_parser *p, struct rego_terms *symbols)
{
    do {
        if (p->token.kind != REGO_TOK_IDENT)
            return parser_unexpected(p, "expected var");
        if (!parser_push(p, symbols, parser_var(p, p->token.text, p->token.place)))
            return false;
        parser_next(p);
    } while (parser_take(p, REGO_TOK_COMMA));
    return true;
}

static bool is_member(const struct rego_term *term)
{
    return term->kind == REGO_TERM_CALL && !term->parenthesised &&
           str_starts(term->parts.item[0]->name, STR("internal.member_"));
}

static struct rego_expr *some(struct rego_parser *p)
{
    struct rego_expr *expr = make_expr(p, REGO_EXPR_SOME, p->token.place);
    struct rego_terms symbols = {0};
    parser_next(p);
    struct rego_mark mark = parser_mark(p);
    struct rego_term *term = p->lexer.keywords & REGO_KW_IN ? parser_expression(p, true) : NULL;
    if (term && is_member(term)) {
        if (!parser_push(p, &symbols, term))
            return NULL;
    } else {
        parser_back(p, &mark);
        if (!declared(p, &symbols))
            return NULL;
    }
    if (!expr)
        return NULL;
    expr->some.symbol = symbols.item;
    expr->some.n = symbols.n;
    return expr;
}

static struct rego_term *every_var(struct rego_parser *p, const struct rego_term *term,
                                   const char *why)
{
    return term->kind == REGO_TERM_VAR ? (struct rego_term *)(uintptr_t)term
                                       : parser_unexpected(p, why);
}

static struct rego_expr *every(struct rego_parser *p)
{
    struct rego_expr *expr = make_expr(p, REGO_EXPR_EVERY, p->token.place);
    parser_next(p);
    struct rego_term *member = parser_expression(p, true);
    if (!member || !expr)
        return NULL;
    if (!is_member(member))
        return parser_unexpected(p, "expected `x[, y] in xs { ... }` expression");
    size_t n = member->parts.n;
    expr->every.domain = member->parts.item[n - 1];
    expr->every.value = every_var(p, member->parts.item[n - 2], "expected value to be a variable");
    if (n == 4)
        expr->every.key = every_var(p, member->parts.item[1], "expected key to be a variable");
    if (p->failed)
        return NULL;
    if (p->token.kind != REGO_TOK_LBRACE)
        return parser_unexpected(p, "missing body");
    expr->every.body = parser_braced(p);
    return expr->every.body ? expr : NULL;
}

/* --- with --- */

static bool with(struct rego_parser *p, struct rego_expr *expr)
{
    size_t room = 0;
    while (p->token.kind == REGO_TOK_WITH) {
        struct rego_with one = {.place = p->token.place};
        parser_next(p);
        if (p->token.kind != REGO_TOK_IDENT && !rego_token_is_keyword(p->token.kind))
            return parser_unexpected(p, "expected ident");
        if (!(one.target = parser_term(p)))
            return false;
        if (!parser_take(p, REGO_TOK_AS))
            return parser_unexpected(p, "expected as keyword");
        if (!(one.value = parser_expression(p, true)))
            return false;
        struct rego_with *grown =
            arena_grow(p->arena, expr->with, expr->nwith, &room, expr->nwith + 1);
        if (!grown)
            return parser_fail(p, one.place, "the text needs too much memory");
        expr->with = grown;
        grown[expr->nwith++] = one;
    }
    expr->place.end = p->last_end;
    return true;
}

struct rego_term *parser_wrapped(struct rego_parser *p, struct rego_term *term)
{
    struct rego_body *body = arena_new(p->arena, struct rego_body, 1);
    struct rego_expr **list = arena_new(p->arena, struct rego_expr *, 1);
    struct rego_term *var = parser_var(p, STR("_"), term->place);
    struct rego_term *set = parser_make(p, REGO_TERM_SET_COMPREHENSION, term->place);
    struct rego_term *call = var ? parser_call(p, "eq", term->place, var, term, NULL) : NULL;
    struct rego_expr *expr = call ? of_term(p, call) : NULL;
    if (!body || !list || !set || !expr || !with(p, expr))
        return parser_fail(p, term->place, "the text needs too much memory");
    list[0] = expr;
    *body = (struct rego_body){list, 1, term->place};
    set->compr.value = var;
    set->compr.body = body;
    set->wrapped = true;
    return set;
}

/* --- and, or --- */

static struct rego_body *body_of(struct rego_parser *p, struct rego_expr *expr)
{
    struct rego_body *body = arena_new(p->arena, struct rego_body, 1);
    struct rego_expr **list = arena_new(p->arena, struct rego_expr *, 1);
    if (!body || !list || !expr)
        return parser_fail(p, p->token.place, "the text needs too much memory");
    list[0] = expr;
    *body = (struct rego_body){list, 1, expr->place};
    return body;
}

static bool is_logic(const struct rego_parser *p)
{
    return p->token.kind == REGO_TOK_LOGIC_AND || p->token.kind == REGO_TOK_LOGIC_OR;
}

static struct rego_body *logic(struct rego_parser *p, bool or_level, bool first);

/* (a or b), the parenthesis being looked at; NULL without an error if it is a term. */
static struct rego_body *group(struct rego_parser *p)
{
    struct rego_mark mark = parser_mark(p);
    parser_next(p);
    struct rego_body *body = logic(p, true, true);
    bool scoped = body && p->token.kind == REGO_TOK_WITH;
    if (scoped && !with(p, body->expr[0]))
        body = NULL;
    if (body && (scoped || body->expr[0]->kind == REGO_EXPR_LOGIC) &&
        parser_take(p, REGO_TOK_RPAREN))
        return body;
    parser_back(p, &mark);
    return NULL;
}

static struct rego_expr *negated(struct rego_parser *p);

static struct rego_body *operand(struct rego_parser *p, bool first)
{
    struct rego_body *body = NULL;
    if (p->token.kind == REGO_TOK_LBRACE) {
        struct rego_mark mark = parser_mark(p);
        body = parser_braced(p);
        if (body && (!first || is_logic(p)))
            return body;
        if (!first)
            return NULL;
        parser_back(p, &mark);
    }
    if (p->token.kind == REGO_TOK_LPAREN && (body = group(p)))
        return body;
    struct rego_expr *expr = p->token.kind == REGO_TOK_NOT ? negated(p) : plain(p);
    return expr ? body_of(p, expr) : NULL;
}

/* Operands joined by `or`, or by `and`; one operand alone is itself. */
static struct rego_body *logic(struct rego_parser *p, bool or_level, bool first)
{
    enum rego_token_kind token = or_level ? REGO_TOK_LOGIC_OR : REGO_TOK_LOGIC_AND;
    if (!parser_enter(p))
        return NULL;
    struct rego_body *left = or_level ? logic(p, false, first) : operand(p, first);
    while (left && p->token.kind == token) {
        parser_next(p);
        struct rego_expr *expr = make_expr(p, REGO_EXPR_LOGIC, left->place);
        struct rego_body *right = or_level ? logic(p, false, false) : operand(p, false);
        if (!expr || !right)
            return NULL;
        expr->logic.is_or = or_level;
        expr->logic.left = left;
        expr->logic.right = right;
        expr->place.end = p->last_end;
        left = body_of(p, expr);
    }
    p->depth--;
    return left;
}

/* --- literals --- */

/* not e; with future.keywords.not a body of its own. */
static struct rego_expr *negated(struct rego_parser *p)
{
    struct rego_place place = p->token.place;
    struct rego_body *body;
    parser_next(p);
    if (p->token.kind == REGO_TOK_SOME)
        return parser_unexpected(p, "illegal negation of 'some'");
    if (p->token.kind == REGO_TOK_EVERY)
        return parser_unexpected(p, "illegal negation of 'every'");
    if (!(p->lexer.keywords & REGO_KW_NOT)) {
        struct rego_expr *expr = plain(p);
        if (expr) {
            expr->negated = true;
            expr->place.row = place.row;
            expr->place.col = place.col;
            expr->place.start = place.start;
        }
        return expr;
    }
    struct rego_mark mark = parser_mark(p);
    bool words = p->lexer.keywords & (REGO_KW_AND | REGO_KW_OR);
    body = p->token.kind == REGO_TOK_LBRACE            ? parser_braced(p)
           : p->token.kind == REGO_TOK_LPAREN && words ? group(p)
                                                       : NULL;
    if (!body) {
        parser_back(p, &mark);
        struct rego_expr *inner = plain(p);
        body = inner ? body_of(p, inner) : NULL;
    }
    struct rego_expr *expr = make_expr(p, REGO_EXPR_NOT_BODY, place);
    if (!body || !expr)
        return NULL;
    expr->body = body;
    return expr;
}

struct rego_expr *parser_literal(struct rego_parser *p)
{
    struct rego_expr *expr;
    struct rego_place place = p->token.place;
    if (!parser_enter(p))
        return NULL;
    if (p->token.kind == REGO_TOK_SOME) {
        expr = some(p);
    } else if (p->token.kind == REGO_TOK_EVERY) {
        expr = every(p);
    } else if (p->lexer.keywords & (REGO_KW_AND | REGO_KW_OR)) {
        struct rego_body *body = logic(p, true, true);
        expr = body ? body->expr[0] : NULL;
        if (body && body->n != 1)
            return parser_unexpected(p, "expected and, or");
    } else if (p->token.kind == REGO_TOK_NOT) {
        expr = negated(p);
    } else {
        expr = plain(p);
    }
    p->depth--;
    if (expr)
        expr->place = place;
    return expr && with(p, expr) ? expr : NULL;
}

struct rego_body *parser_query(struct rego_parser *p, enum rego_token_kind end)
{
    struct rego_body *body = arena_new(p->arena, struct rego_body, 1);
    size_t room = 0;
    if (!body)
        return parser_fail(p, p->token.place, "the text needs too much memory");
    body->place = p->token.place;
    while (p->token.kind != end) {
        if (parser_take(p, REGO_TOK_SEMICOLON))
            continue;
        struct rego_expr *expr = parser_literal(p);
        struct rego_expr **grown = arena_grow(p->arena, body->expr, body->n, &room, body->n + 1);
        if (!expr || !grown)
            return NULL;
        expr->index = (uint32_t)body->n;
        body->expr = grown;
        grown[body->n++] = expr;
        bool apart = p->token.newline || p->token.kind == REGO_TOK_SEMICOLON;
        if (p->token.kind == end || (apart && p->token.kind != REGO_TOK_EOF))
            continue;
        return parser_unexpected(p, p->token.kind == REGO_TOK_EOF ? ""
                                    : end == REGO_TOK_RBRACE      ? "expected \\n or ; or }"
                                    : end == REGO_TOK_RBRACK      ? "expected \\n or ; or ]"
                                                                  : "");
    }
    body->place.end = p->last_end;
    return body;
}

struct rego_body *parser_braced(struct rego_parser *p)
{
    struct rego_place place = p->token.place;
    parser_next(p);
    struct rego_body *body = parser_query(p, REGO_TOK_RBRACE);
    if (!body)
        return NULL;
    if (body->n == 0)
        return parser_fail(p, p->token.place, "found empty body");
    parser_next(p);
    body->place = place;
    body->place.end = p->last_end;
    return body;
}

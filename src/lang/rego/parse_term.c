/* parse_term.c - Rego terms: scalars, collections, comprehensions, refs, calls, infix operators. */
#include <string.h>

#include "base/arena.h"
#include "lang/rego/parser.h"

/* --- memo of composite terms: what was tried as one thing is not read again as another --- */

enum { MEMO_FIRST = 16 };

/* The slot of what starts there: NULL where it was not read before. */
static struct rego_memo **memo_slot(struct rego_memo **memo, size_t room, uint32_t start)
{
    size_t at = (start * 2654435761U) & (room - 1);
    while (memo[at] && memo[at]->start != start)
        at = (at + 1) & (room - 1);
    return &memo[at];
}

static bool memo_grow(struct rego_parser *p)
{
    size_t room = p->memo_room ? p->memo_room * 2 : MEMO_FIRST;
    struct rego_memo **grown = arena_new(p->arena, struct rego_memo *, room);
    if (!grown)
        return false;
    for (size_t i = 0; i < p->memo_room; i++)
        if (p->memo[i])
            *memo_slot(grown, room, p->memo[i]->start) = p->memo[i];
    p->memo = grown;
    p->memo_room = room;
    return true;
}

static void memo_keep(struct rego_parser *p, uint32_t start, struct rego_term *term)
{
    struct rego_memo *memo = arena_new_raw(p->arena, struct rego_memo, 1);
    if (!memo || (p->nmemo * 2 >= p->memo_room && !memo_grow(p)))
        return;
    memo->start = start;
    memo->term = term;
    if (term) {
        memo->at = p->lexer.at;
        memo->row = p->lexer.row;
        memo->col = p->lexer.col;
        memo->token = p->token;
    } else {
        memo->bad = p->bad;
        memo->bad_place = p->bad_place;
    }
    struct rego_memo **slot = memo_slot(p->memo, p->memo_room, start);
    p->nmemo += !*slot;
    *slot = memo;
}

/* Was a term read here before? Then *ret is it, the parser moved behind it; or NULL, its error set.
 */
static bool memo_take(struct rego_parser *p, struct rego_term **ret)
{
    uint32_t start = p->token.place.start;
    const struct rego_memo *memo = p->nmemo ? *memo_slot(p->memo, p->memo_room, start) : NULL;
    if (!memo)
        return false;
    *ret = memo->term;
    if (!memo->term) {
        (void)parser_fail_text(p, memo->bad_place, memo->bad);
        return true;
    }
    p->lexer.at = memo->at;
    p->lexer.row = memo->row;
    p->lexer.col = memo->col;
    p->token = memo->token;
    p->last_end = memo->term->place.end;
    return true;
}

/* --- lists --- */

bool parser_list(struct rego_parser *p, enum rego_token_kind end, struct rego_terms *terms,
                 const char *unterminated)
{
    (void)parser_take(p, REGO_TOK_COMMA); /* a leading comma is accepted */
    while (p->token.kind != end) {
        if (!parser_push(p, terms, parser_expression(p, false)))
            return false;
        if (p->token.kind == end)
            break;
        if (!parser_take(p, REGO_TOK_COMMA))
            return parser_unexpected(p, unterminated);
    }
    parser_next(p);
    return true;
}

static struct rego_term *close_parts(struct rego_parser *p, enum rego_term_kind kind,
                                     struct rego_place place, const struct rego_terms *parts)
{
    struct rego_term *term = parser_make(p, kind, place);
    if (!term)
        return NULL;
    term->parts.item = parts->item;
    term->parts.n = parts->n;
    term->place.end = p->last_end;
    return term;
}

/* `| query` and the closing token, the bar being looked at; NULL with the error set. */
static struct rego_term *comprehension(struct rego_parser *p, enum rego_term_kind kind,
                                       struct rego_place place, struct rego_term *key,
                                       struct rego_term *value, enum rego_token_kind end)
{
    parser_next(p);
    struct rego_body *body = parser_query(p, end);
    if (!body)
        return NULL;
    if (body->n == 0)
        return parser_unexpected(p, "found empty body");
    if (!parser_take(p, end))
        return parser_unexpected(p, "");
    struct rego_term *term = parser_make(p, kind, place);
    if (!term)
        return NULL;
    term->compr.key = key;
    term->compr.value = value;
    term->compr.body = body;
    term->place.end = p->last_end;
    return term;
}

static struct rego_term *array(struct rego_parser *p)
{
    struct rego_place place = p->token.place;
    struct rego_terms parts = {0};
    parser_next(p);
    if (p->token.kind != REGO_TOK_RBRACK && p->token.kind != REGO_TOK_COMMA) {
        struct rego_mark mark = parser_mark(p);
        struct rego_term *head = parser_term(p);
        if (head && p->token.kind == REGO_TOK_OR) {
            struct rego_term *term =
                comprehension(p, REGO_TERM_ARRAY_COMPREHENSION, place, NULL, head, REGO_TOK_RBRACK);
            if (term)
                return term;
        }
        parser_back(p, &mark);
    }
    if (!parser_list(p, REGO_TOK_RBRACK, &parts, "expected \",\" or \"]\""))
        return NULL;
    return close_parts(p, REGO_TERM_ARRAY, place, &parts);
}

/* key: value, ... the first key and its colon being read already. */
static struct rego_term *object(struct rego_parser *p, struct rego_place place,
                                struct rego_term *key)
{
    struct rego_term *term = parser_make(p, REGO_TERM_OBJECT, place);
    size_t room = 0;
    while (term) {
        struct rego_term *value = parser_expression(p, false);
        struct rego_term_pair *grown =
            arena_grow(p->arena, term->pairs.item, term->pairs.n, &room, term->pairs.n + 1);
        if (!value || !grown)
            return NULL;
        term->pairs.item = grown;
        grown[term->pairs.n++] = (struct rego_term_pair){key, value};
        if (p->token.kind == REGO_TOK_COMMA)
            parser_next(p);
        else if (p->token.kind != REGO_TOK_RBRACE)
            return parser_unexpected(p, "non-terminated object");
        if (parser_take(p, REGO_TOK_RBRACE))
            break;
        if (!(key = parser_expression(p, false)))
            return NULL;
        if (!parser_take(p, REGO_TOK_COLON))
            return parser_unexpected(p, "non-terminated object");
    }
    if (term)
        term->place.end = p->last_end;
    return term;
}

/* {k: v | query}: the colon being read already. NULL without an error if it is an object. */
static struct rego_term *object_comprehension(struct rego_parser *p, struct rego_place place,
                                              struct rego_term *key)
{
    struct rego_mark mark = parser_mark(p);
    struct rego_term *value = parser_term(p);
    if (value && p->token.kind == REGO_TOK_OR) {
        struct rego_term *term =
            comprehension(p, REGO_TERM_OBJECT_COMPREHENSION, place, key, value, REGO_TOK_RBRACE);
        if (term)
            return term;
    }
    parser_back(p, &mark);
    return NULL;
}

static struct rego_term *set_or_object(struct rego_parser *p)
{
    struct rego_place place = p->token.place;
    struct rego_terms parts = {0};
    parser_next(p);
    if (p->token.kind == REGO_TOK_RBRACE) {
        parser_next(p);
        return close_parts(p, REGO_TERM_OBJECT, place, &parts);
    }
    (void)parser_take(p, REGO_TOK_COMMA);
    struct rego_mark mark = parser_mark(p);
    struct rego_term *head = parser_term(p);
    if (head && p->token.kind == REGO_TOK_OR) {
        struct rego_term *term =
            comprehension(p, REGO_TERM_SET_COMPREHENSION, place, NULL, head, REGO_TOK_RBRACE);
        if (term)
            return term;
    }
    parser_back(p, &mark);
    if (!(head = parser_expression(p, false)))
        return NULL;
    if (parser_take(p, REGO_TOK_COLON)) {
        struct rego_term *term = object_comprehension(p, place, head);
        return term ? term : object(p, place, head);
    }
    if (!parser_push(p, &parts, head))
        return NULL;
    if (p->token.kind != REGO_TOK_RBRACE && !parser_take(p, REGO_TOK_COMMA))
        return parser_unexpected(p, "non-terminated set");
    if (!parser_list(p, REGO_TOK_RBRACE, &parts, "non-terminated set"))
        return NULL;
    return close_parts(p, REGO_TERM_SET, place, &parts);
}

/* --- simple terms --- */

static struct rego_term *number(struct rego_parser *p, bool negative)
{
    struct rego_term *term = parser_make(p, REGO_TERM_VALUE, p->token.place);
    struct str text = p->token.text;
    if (!term)
        return NULL;
    if (negative || text.ptr[0] == '.')
        text = arena_printf(p->arena, "%s%s%.*s", negative ? "-" : "",
                            text.ptr[0] == '.' ? "0" : "", STR_ARG(text));
    term->value = value_number(text);
    parser_next(p);
    return term;
}

/* -1 is a number; -x is 0 - x. */
static struct rego_term *minus(struct rego_parser *p)
{
    struct rego_place place = p->token.place;
    parser_next(p);
    if (p->token.kind == REGO_TOK_NUMBER && !p->token.blank) {
        struct rego_term *term = number(p, true);
        if (term)
            term->place.start = place.start, term->place.col = place.col;
        return term;
    }
    struct rego_term *zero = parser_make(p, REGO_TERM_VALUE, place), *term = parser_term(p);
    if (!zero || !term)
        return NULL;
    zero->value = value_int(0);
    place.end = p->last_end;
    return parser_call(p, "minus", place, zero, term, NULL);
}

static struct rego_term *scalar(struct rego_parser *p, struct value v)
{
    struct rego_term *term = parser_make(p, REGO_TERM_VALUE, p->token.place);
    if (term)
        term->value = v;
    parser_next(p);
    return term;
}

/* What is between the braces of a template string; the brace has been passed. */
static struct rego_term *inserted(struct rego_parser *p)
{
    parser_next(p);
    if (p->token.kind == REGO_TOK_RBRACE)
        return parser_unexpected(p, "");
    struct rego_term *term = parser_expression(p, false);
    if (!term)
        return NULL;
    if (p->token.kind == REGO_TOK_ASSIGN)
        return parser_fail(p, p->token.place,
                           "unexpected assignment (':=') in template-string expression");
    if (p->token.kind == REGO_TOK_UNIFY)
        return parser_fail(p, p->token.place,
                           "unexpected unification ('=') in template-string expression");
    if (p->token.kind == REGO_TOK_WITH && !(term = parser_wrapped(p, term)))
        return NULL;
    if (p->token.kind != REGO_TOK_RBRACE)
        return parser_fail(p, p->token.place, "expected } to end template string expression");
    return term;
}

static struct rego_term *template_string(struct rego_parser *p)
{
    struct rego_place place = p->token.place;
    struct rego_terms parts = {0};
    bool raw = str_ends(p->token.text, STR("`")), end = false;
    while (!end) {
        struct str text;
        struct rego_token error;
        struct rego_place at = {p->lexer.row, p->lexer.col, p->lexer.at, p->lexer.at};
        if (!rego_lex_template(&p->lexer, raw, &text, &end, &error))
            return parser_fail(p, error.place, "%.*s", STR_ARG(error.string));
        if (text.len && !parser_push(p, &parts, parser_string(p, text, at)))
            return NULL;
        if (!end && !parser_push(p, &parts, inserted(p)))
            return NULL;
    }
    p->token.place.end = p->lexer.at; /* its last quote is no token */
    parser_next(p);
    struct rego_term *term = close_parts(p, REGO_TERM_TEMPLATE, place, &parts);
    if (term)
        term->multi_line = raw;
    return term;
}

/* Its text is with the parentheses; its row and column are of what is in them, as in OPA. */
static struct rego_term *parenthesis(struct rego_parser *p)
{
    uint32_t start = p->token.place.start;
    parser_next(p);
    struct rego_term *term = parser_expression(p, true);
    if (!term)
        return NULL;
    if (!parser_take(p, REGO_TOK_RPAREN))
        return parser_unexpected(p, "expected )");
    struct rego_term *copy = arena_new(p->arena, struct rego_term, 1);
    if (copy) {
        *copy = *term;
        copy->parenthesised = true;
        copy->place.start = start;
        copy->place.end = p->last_end;
    }
    return copy;
}

/* --- refs and calls --- */

static struct rego_term *dot(struct rego_parser *p)
{
    parser_next(p);
    if (p->token.kind != REGO_TOK_IDENT && !rego_token_is_keyword(p->token.kind))
        return parser_unexpected(p, "expected ident");
    struct rego_term *term = parser_string(p, p->token.text, p->token.place);
    parser_next(p);
    return term;
}

static struct rego_term *bracket(struct rego_parser *p)
{
    parser_next(p);
    struct rego_term *term = parser_expression(p, true);
    if (!term)
        return NULL;
    if (!parser_take(p, REGO_TOK_RBRACK))
        return parser_unexpected(p, "expected ]");
    return term;
}

/* `set()` is a value; everything else a call of what stands before the parenthesis. */
static struct rego_term *call(struct rego_parser *p, struct rego_term *operator_)
{
    struct rego_terms parts = {0};
    if (!parser_push(p, &parts, operator_))
        return NULL;
    parser_next(p);
    if (!parser_list(p, REGO_TOK_RPAREN, &parts, "expected \",\" or \")\""))
        return NULL;
    if (parts.n == 1 && operator_->kind == REGO_TERM_VAR && str_equal(operator_->name, STR("set")))
        return close_parts(p, REGO_TERM_SET, operator_->place, &(struct rego_terms){0});
    if (operator_->kind == REGO_TERM_REF && operator_->parts.item[0]->kind == REGO_TERM_VAR)
        p->calls_rego |= str_equal(operator_->parts.item[0]->name, STR("rego"));
    return close_parts(p, REGO_TERM_CALL, operator_->place, &parts);
}

static struct rego_term *close_ref(struct rego_parser *p, struct rego_terms *parts)
{
    struct rego_term *head = parts->item[0];
    if (head->kind == REGO_TERM_VALUE || head->kind == REGO_TERM_TEMPLATE)
        return parser_fail(p, head->place, "illegal ref (head cannot be %s)",
                           head->kind == REGO_TERM_TEMPLATE ? "templatestring"
                                                            : rego_type_name(&head->value));
    return close_parts(p, REGO_TERM_REF, head->place, parts);
}

static struct rego_term *make_ref(struct rego_parser *p, struct rego_terms *parts)
{
    return parts->n == 1 ? parts->item[0] : close_ref(p, parts);
}

/* What is called is a name or a ref: [1](x) calls the ref of one part. */
static struct rego_term *make_operator(struct rego_parser *p, struct rego_terms *parts)
{
    bool named = parts->n == 1 && parts->item[0]->kind == REGO_TERM_VAR;
    return named ? parts->item[0] : close_ref(p, parts);
}

/* f(1)(2): the second parenthesis is none of the call's */
static bool ends_with_call(const struct rego_terms *parts)
{
    return parts->n == 1 && parts->item[0]->kind == REGO_TERM_CALL &&
           !parts->item[0]->parenthesised;
}

struct rego_term *parser_postfix(struct rego_parser *p, struct rego_term *head, bool in_head)
{
    struct rego_terms parts = {0};
    if (!parser_push(p, &parts, head))
        return NULL;
    for (;;) {
        enum rego_token_kind kind = p->token.kind;
        bool apart = in_head ? p->token.newline : p->token.blank;
        if (apart || (kind != REGO_TOK_DOT && kind != REGO_TOK_LBRACK &&
                      (kind != REGO_TOK_LPAREN || in_head || ends_with_call(&parts))))
            return make_ref(p, &parts);
        if (kind == REGO_TOK_LPAREN) {
            struct rego_term *operator_ = make_operator(p, &parts), *term;
            if (!operator_ || !(term = call(p, operator_)))
                return NULL;
            parts = (struct rego_terms){0};
            if (!parser_push(p, &parts, term))
                return NULL;
        } else if (!parser_push(p, &parts, kind == REGO_TOK_DOT ? dot(p) : bracket(p))) {
            return NULL;
        }
    }
}

/* A keyword that starts a ref: as["foo"] (as.foo is a name already) */
static bool starts_ref(const struct rego_parser *p)
{
    const struct rego_lexer *l = &p->lexer;
    return rego_token_is_keyword(p->token.kind) && p->token.kind != REGO_TOK_NOT &&
           l->at < l->text.len && l->text.ptr[l->at] == '[';
}

static struct rego_term *name(struct rego_parser *p)
{
    struct rego_term *term = parser_var(p, p->token.text, p->token.place);
    parser_next(p);
    return term;
}

static struct rego_term *primary(struct rego_parser *p)
{
    if (starts_ref(p))
        return name(p);
    switch (p->token.kind) {
    case REGO_TOK_IDENT:
        return name(p);
    case REGO_TOK_NUMBER:
        return number(p, false);
    case REGO_TOK_STRING:
    case REGO_TOK_RAW_STRING:
        return scalar(p, value_string(p->token.string));
    case REGO_TOK_TRUE:
        return scalar(p, value_bool(true));
    case REGO_TOK_FALSE:
        return scalar(p, value_bool(false));
    case REGO_TOK_NULL:
        return scalar(p, value_null());
    case REGO_TOK_CONTAINS:
        return name(p); /* the built-in */
    case REGO_TOK_SUB:
        return minus(p);
    case REGO_TOK_TEMPLATE:
        return template_string(p);
    case REGO_TOK_LBRACK:
        return array(p);
    case REGO_TOK_LBRACE:
        return set_or_object(p);
    case REGO_TOK_LPAREN:
        return parenthesis(p);
    default:
        return parser_unexpected(p, "");
    }
}

struct rego_term *parser_term(struct rego_parser *p)
{
    enum rego_token_kind kind = p->token.kind;
    uint32_t start = p->token.place.start;
    bool composite = kind == REGO_TOK_LBRACK || kind == REGO_TOK_LBRACE ||
                     kind == REGO_TOK_LPAREN || kind == REGO_TOK_TEMPLATE;
    struct rego_term *term;
    if (composite && memo_take(p, &term))
        return term;
    if (!parser_enter(p))
        return NULL;
    term = primary(p);
    if (term)
        term = parser_postfix(p, term, false);
    if (composite)
        memo_keep(p, start, term);
    p->depth--;
    return term;
}

/* --- infix operators --- */

static const struct {
    enum rego_token_kind token;
    int level;
    const char *name;
} infix[] = {
    {REGO_TOK_EQUAL, 1, "equal"}, {REGO_TOK_NEQ, 1, "neq"}, {REGO_TOK_LT, 1, "lt"},
    {REGO_TOK_LTE, 1, "lte"},     {REGO_TOK_GT, 1, "gt"},   {REGO_TOK_GTE, 1, "gte"},
    {REGO_TOK_OR, 2, "or"},       {REGO_TOK_AND, 3, "and"}, {REGO_TOK_ADD, 4, "plus"},
    {REGO_TOK_SUB, 4, "minus"},   {REGO_TOK_MUL, 5, "mul"}, {REGO_TOK_QUO, 5, "div"},
    {REGO_TOK_REM, 5, "rem"},
};

static int find_infix(enum rego_token_kind kind)
{
    for (int i = 0; i < (int)(sizeof infix / sizeof *infix); i++)
        if (infix[i].token == kind)
            return i;
    return -1;
}

/* Operators of this level and tighter ones, from the left. */
static struct rego_term *operators(struct rego_parser *p, int level)
{
    struct rego_term *left = parser_term(p);
    while (left) {
        int op = find_infix(p->token.kind);
        if (op < 0 || infix[op].level < level)
            return left;
        parser_next(p);
        if (!parser_enter(p))
            return NULL;
        struct rego_term *right = operators(p, infix[op].level + 1);
        p->depth--;
        if (!right)
            return NULL;
        left = parser_call(p, infix[op].name, left->place, left, right, NULL);
        if (left)
            left->place.end = p->last_end;
    }
    return NULL;
}

/* The second term of `k, v in xs`, if that is what follows the comma. */
static struct rego_term *second(struct rego_parser *p)
{
    struct rego_mark mark = parser_mark(p);
    if (parser_take(p, REGO_TOK_COMMA)) {
        struct rego_term *term = operators(p, 1);
        if (term && p->token.kind == REGO_TOK_IN)
            return term;
    }
    parser_back(p, &mark);
    return NULL;
}

struct rego_term *parser_expression(struct rego_parser *p, bool pair)
{
    struct rego_term *left = operators(p, 1);
    struct rego_term *value = left && pair && p->token.kind == REGO_TOK_COMMA ? second(p) : NULL;
    while (left && p->token.kind == REGO_TOK_IN) {
        parser_next(p);
        struct rego_term *right = operators(p, 1);
        if (!right)
            return NULL;
        left = value ? parser_call(p, "internal.member_3", left->place, left, value, right)
                     : parser_call(p, "internal.member_2", left->place, left, right, NULL);
        value = NULL;
        if (left)
            left->place.end = p->last_end;
    }
    return left;
}

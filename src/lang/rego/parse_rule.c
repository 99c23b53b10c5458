/* parse_rule.c - Rego rules: heads of all kinds, bodies, else chains, defaults; v0 and v1. */
#include <string.h>

#include "base/arena.h"
#include "lang/rego/parser.h"

static bool is_constant(const struct rego_term *term)
{
    return term->kind == REGO_TERM_VALUE;
}

/* Any part behind the first that is not a constant. */
static bool has_variables(const struct rego_head *head)
{
    for (size_t i = 1; i < head->nref; i++)
        if (!is_constant(head->ref[i]))
            return true;
    return false;
}

/* --- heads --- */

static bool head_name(struct rego_parser *p, struct rego_term **ret)
{
    enum rego_token_kind kind = p->token.kind;
    bool longer = p->lexer.at < p->lexer.text.len &&
                  (p->lexer.text.ptr[p->lexer.at] == '.' || p->lexer.text.ptr[p->lexer.at] == '[');
    if (kind != REGO_TOK_IDENT && !(rego_token_is_keyword(kind) && longer)) {
        if (rego_token_is_keyword(kind) && kind != REGO_TOK_TRUE && kind != REGO_TOK_FALSE &&
            kind != REGO_TOK_NULL && kind != REGO_TOK_NOT && kind != REGO_TOK_SOME &&
            kind != REGO_TOK_EVERY)
            return parser_fail(p, p->token.place, "%s keyword cannot be used for rule name",
                               rego_token_name(kind));
        return parser_unexpected(p, "");
    }
    *ret = parser_make(p, REGO_TERM_VAR, p->token.place);
    if (!*ret)
        return false;
    (*ret)->name = p->token.text;
    parser_next(p);
    return true;
}

/* p.q[x].r */
static bool head_ref(struct rego_parser *p, struct rego_head *head)
{
    struct rego_term *first;
    if (!head_name(p, &first))
        return false;
    struct rego_term *ref = parser_postfix(p, first, true);
    if (!ref)
        return false;
    if (ref->kind == REGO_TERM_REF) {
        head->ref = ref->parts.item;
        head->nref = ref->parts.n;
        return true;
    }
    struct rego_terms parts = {0};
    if (!parser_push(p, &parts, ref))
        return false;
    head->ref = parts.item;
    head->nref = 1;
    return true;
}

static bool head_args(struct rego_parser *p, struct rego_head *head)
{
    struct rego_terms args = {0};
    if (p->token.kind != REGO_TOK_LPAREN || p->token.newline)
        return true;
    parser_next(p);
    if (!parser_list(p, REGO_TOK_RPAREN, &args, "expected \",\" or \")\""))
        return false;
    head->arg = args.item;
    head->narg = args.n;
    head->has_args = args.n > 0; /* f() := x is f := x */
    return true;
}

static bool head_value(struct rego_parser *p, struct rego_head *head)
{
    if (p->token.kind == REGO_TOK_CONTAINS) {
        parser_next(p);
        head->has_contains = true;
        head->key = parser_expression(p, true);
        if (!head->key)
            return false;
    }
    if (p->token.kind == REGO_TOK_ASSIGN || p->token.kind == REGO_TOK_UNIFY) {
        if (head->has_contains)
            return parser_unexpected(p, "the contains keyword can only be used with multi-value "
                                        "rule definitions");
        head->assign = p->token.kind == REGO_TOK_ASSIGN;
        parser_next(p);
        head->value = parser_expression(p, true);
        if (!head->value)
            return false;
    }
    return true;
}

/* What the head makes; v0's p[x] is a set. */
static bool classify(struct rego_parser *p, const struct rego_module *module,
                     struct rego_head *head, bool body)
{
    bool plain = !head->value && !head->has_args && !head->has_contains && head->nref > 1;
    if (plain && !module->v0 && !head->has_if && !body && head->nref == 2)
        return parser_fail(p, head->place, "`contains` keyword is required for partial set rules");
    if (plain && module->v0 && !head->has_if && head->nref == 2) {
        head->key = head->ref[1];
        head->nref = 1;
        head->kind = REGO_HEAD_SET;
        return true;
    }
    /* f() := 1 is a rule like f := 1, as OPA has it */
    head->kind = head->narg            ? REGO_HEAD_FUNCTION
                 : head->has_contains  ? REGO_HEAD_SET
                 : has_variables(head) ? REGO_HEAD_OBJECT
                                       : REGO_HEAD_COMPLETE;
    return true;
}

/* --- bodies --- */

/* What follows `if`: a literal; one that is a set in braces is a query. */
static struct rego_body *after_if(struct rego_parser *p)
{
    struct rego_mark mark = parser_mark(p);
    bool brace = p->token.kind == REGO_TOK_LBRACE;
    struct rego_place place = p->token.place;
    struct rego_expr *expr = parser_literal(p);
    bool set = brace && expr && expr->kind == REGO_EXPR_TERM && expr->term->kind == REGO_TERM_SET;
    bool follows = expr && (p->token.newline || p->token.kind == REGO_TOK_EOF ||
                            p->token.kind == REGO_TOK_SEMICOLON || p->token.kind == REGO_TOK_ELSE ||
                            p->token.kind == REGO_TOK_LBRACE);
    if (brace && (!expr || set || !follows)) {
        parser_back(p, &mark);
        return parser_braced(p);
    }
    if (!expr)
        return NULL;
    struct rego_body *body = arena_new(p->arena, struct rego_body, 1);
    struct rego_expr **list = arena_new(p->arena, struct rego_expr *, 1);
    if (!body || !list)
        return parser_fail(p, place, "the text needs too much memory");
    list[0] = expr;
    *body = (struct rego_body){list, 1, expr->place};
    return body;
}

/* [if] body, if there is one. */
static bool rule_body(struct rego_parser *p, const struct rego_module *module,
                      struct rego_rule *rule)
{
    if (p->token.kind == REGO_TOK_IF) {
        parser_next(p);
        rule->head.has_if = true;
        rule->body = after_if(p);
        rule->has_body = true;
        return rule->body != NULL;
    }
    if (p->token.kind != REGO_TOK_LBRACE)
        return true;
    if (!module->v0)
        return parser_fail(p, rule->place, "`if` keyword is required before %s body",
                           rule->head.has_args ? "function" : "rule");
    rule->body = parser_braced(p);
    rule->has_body = true;
    return rule->body != NULL;
}

/* --- else --- */

static bool else_chain(struct rego_parser *p, struct rego_module *module, struct rego_rule *rule)
{
    struct rego_rule *first = rule;
    while (p->token.kind == REGO_TOK_ELSE) {
        struct rego_rule *next = arena_new(p->arena, struct rego_rule, 1);
        struct rego_place place = p->token.place;
        if (!next)
            return parser_fail(p, place, "the text needs too much memory");
        if (!rule->has_body) /* nothing there that could be undefined: another value is no answer */
            return parser_unexpected(p, "");
        if (rule->head.kind == REGO_HEAD_SET)
            return parser_fail(p, place, "else keyword cannot be used on multi-value rules");
        if (rule->head.kind == REGO_HEAD_OBJECT)
            return parser_fail(p, place,
                               "else keyword cannot be used on rules with variables in head");
        parser_next(p);
        next->head = rule->head;
        next->head.value = NULL;
        next->head.has_if = false;
        next->head.place = place;
        next->module = module;
        next->place = place;
        if (p->token.kind == REGO_TOK_ASSIGN || p->token.kind == REGO_TOK_UNIFY) {
            next->head.assign = p->token.kind == REGO_TOK_ASSIGN;
            parser_next(p);
            if (!(next->head.value = parser_expression(p, true)))
                return false;
        }
        bool valued = next->head.value != NULL;
        next->head.place.end = p->last_end;
        if (!rule_body(p, module, next))
            return false;
        if (!valued && !next->has_body)
            return parser_unexpected(p, "expected else value term or rule body");
        rule->else_ = next;
        rule = next;
    }
    for (rule = first->else_; rule; rule = rule->else_)
        rule->place.end = p->last_end; /* the text of each goes on to the end of the chain */
    return true;
}

/* --- defaults --- */

enum { WALK_DEPTH = REGO_DEPTH_MAX };

/* What a default value must not have: "ref", "var", "call"; NULL if it is fine. */
static const char *not_ground(const struct rego_term *term, unsigned depth_left)
{
    const char *bad = NULL;
    if (depth_left == 0)
        return NULL;
    switch (term->kind) {
    case REGO_TERM_VAR:
        return "var";
    case REGO_TERM_REF:
        return "ref";
    case REGO_TERM_CALL:
        return "call";
    case REGO_TERM_ARRAY:
    case REGO_TERM_SET:
        for (size_t i = 0; i < term->parts.n && !bad; i++)
            bad = not_ground(term->parts.item[i], depth_left - 1);
        return bad;
    case REGO_TERM_OBJECT:
        for (size_t i = 0; i < term->pairs.n && !bad; i++) {
            bad = not_ground(term->pairs.item[i].key, depth_left - 1);
            if (!bad)
                bad = not_ground(term->pairs.item[i].value, depth_left - 1);
        }
        return bad;
    default:
        return NULL;
    }
}

static const char *term_name(const struct rego_term *term)
{
    static const char *const names[] = {
        [REGO_TERM_VAR] = "var",
        [REGO_TERM_REF] = "ref",
        [REGO_TERM_ARRAY] = "array",
        [REGO_TERM_SET] = "set",
        [REGO_TERM_OBJECT] = "object",
        [REGO_TERM_CALL] = "call",
        [REGO_TERM_ARRAY_COMPREHENSION] = "arraycomprehension",
        [REGO_TERM_SET_COMPREHENSION] = "setcomprehension",
        [REGO_TERM_OBJECT_COMPREHENSION] = "objectcomprehension",
        [REGO_TERM_TEMPLATE] = "templatestring",
    };
    return term->kind == REGO_TERM_VALUE ? rego_type_name(&term->value) : names[term->kind];
}

static bool default_args(struct rego_parser *p, const struct rego_rule *rule)
{
    const struct rego_head *head = &rule->head;
    for (size_t i = 0; i < head->narg; i++) {
        if (head->arg[i]->kind != REGO_TERM_VAR)
            return parser_fail(p, rule->place, "illegal default rule (arguments cannot contain %s)",
                               term_name(head->arg[i]));
        for (size_t j = 0; j < i; j++)
            if (str_equal(head->arg[i]->name, head->arg[j]->name))
                return parser_fail(p, rule->place,
                                   "illegal default rule (arguments cannot be repeated %.*s)",
                                   STR_ARG(head->arg[i]->name));
    }
    return true;
}

static bool default_rule(struct rego_parser *p, struct rego_rule *rule)
{
    if (!head_ref(p, &rule->head) || !head_args(p, &rule->head))
        return false;
    if (p->token.kind != REGO_TOK_ASSIGN && p->token.kind != REGO_TOK_UNIFY)
        return parser_unexpected(p, "expected := or = for default rule");
    if (!head_value(p, &rule->head))
        return false;
    const char *bad = not_ground(rule->head.value, WALK_DEPTH);
    if (bad)
        return parser_fail(p, rule->place, "illegal default rule (value cannot contain %s)", bad);
    rule->head.kind = rule->head.narg              ? REGO_HEAD_FUNCTION
                      : has_variables(&rule->head) ? REGO_HEAD_OBJECT
                                                   : REGO_HEAD_COMPLETE;
    if (rule->head.kind == REGO_HEAD_OBJECT)
        return parser_fail(p, rule->place, "default rules must have a ground reference");
    return default_args(p, rule);
}

/* --- rules --- */

static bool keep(struct rego_parser *p, struct rego_module *module, size_t *room,
                 struct rego_rule *rule)
{
    struct rego_rule **grown =
        arena_grow(p->arena, module->rules, module->nrules, room, module->nrules + 1);
    if (!grown)
        return parser_fail(p, rule->place, "the text needs too much memory");
    rule->module = module;
    rule->place.end = p->last_end;
    module->rules = grown;
    grown[module->nrules++] = rule;
    return true;
}

/* p if {a} {b}: the same head again. */
static bool more_bodies(struct rego_parser *p, struct rego_module *module, size_t *room,
                        const struct rego_rule *first)
{
    while (first->has_body && p->token.kind == REGO_TOK_LBRACE && !first->else_) {
        struct rego_rule *rule = arena_new(p->arena, struct rego_rule, 1);
        if (!rule)
            return parser_fail(p, p->token.place, "the text needs too much memory");
        rule->head = first->head;
        rule->place = p->token.place;
        rule->has_body = true;
        /* Its variables are its own: they get registers of their own. */
        if (!rego_copy_head(p->arena, &rule->head))
            return parser_fail(p, rule->place, "the text needs too much memory");
        rule->body = parser_braced(p);
        if (!rule->body || !else_chain(p, module, rule) || !keep(p, module, room, rule))
            return false;
    }
    return true;
}

static bool starts_default(const struct rego_parser *p)
{
    const struct rego_lexer *l = &p->lexer;
    return p->token.kind == REGO_TOK_DEFAULT &&
           !(l->at < l->text.len && (l->text.ptr[l->at] == '.' || l->text.ptr[l->at] == '['));
}

bool parser_rules(struct rego_parser *p, struct rego_module *module, size_t *room)
{
    struct rego_rule *rule = arena_new(p->arena, struct rego_rule, 1);
    if (!rule)
        return parser_fail(p, p->token.place, "the text needs too much memory");
    rule->place = rule->head.place = p->token.place;
    rule->is_default = starts_default(p);
    if (rule->is_default) {
        parser_next(p);
        rule->head.place = p->token.place;
        return default_rule(p, rule) && keep(p, module, room, rule);
    }
    if (p->token.kind == REGO_TOK_NUMBER || p->token.kind == REGO_TOK_STRING) {
        if (!parser_term(p))
            return false;
        return parser_unexpected(p, "");
    }
    if (!head_ref(p, &rule->head) || !head_args(p, &rule->head) || !head_value(p, &rule->head))
        return false;
    rule->head.place.end = p->last_end;
    rule->head.has_if = p->token.kind == REGO_TOK_IF;
    if (!classify(p, module, &rule->head, p->token.kind == REGO_TOK_LBRACE))
        return false;
    bool bare = !rule->head.value && !rule->head.has_contains && !rule->head.key;
    if (!rule_body(p, module, rule))
        return false;
    if (bare && !rule->has_body && !rule->head.narg && (!module->v0 || rule->head.nref == 1))
        return parser_fail(p, rule->place,
                           rule->head.nref > 2
                               ? "rule must have value assignment and/or body declaration"
                               : "var cannot be used for rule name");
    return else_chain(p, module, rule) && keep(p, module, room, rule) &&
           more_bodies(p, module, room, rule);
}

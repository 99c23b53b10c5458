/* infer.c - types of Rego that are known before anything runs, and what cannot fit them: arguments
 * of built-ins, sides of an equation.
 *
 * Known are kinds only (REGO_NUMBER ...), of literals, collections, results of built-ins, variables
 * that stand for such, and rules whose every value is such. Anything else fits everything.
 */
#include "base/buf.h"
#include "lang/rego/policy.h"

static unsigned kinds_of(struct rego_compiler *c, const struct rego_term *t, unsigned depth_left);

/* Of a complete rule: what its definitions give, if that can be told from their heads. */
static unsigned rule_kinds(struct rego_compiler *c, const struct rego_node *node,
                           unsigned depth_left)
{
    unsigned kinds = 0;
    if (node->dynamic || node->nchild || depth_left == 0)
        return REGO_ANY;
    if (node->kind == REGO_HEAD_SET)
        return REGO_SET;
    if (node->kind != REGO_HEAD_COMPLETE)
        return REGO_ANY;
    for (size_t i = 0; i <= node->ndefinitions; i++) {
        const struct rego_rule *rule = i < node->ndefinitions ? node->definition[i].rule
                                       : node->otherwise      ? node->otherwise->rule
                                                              : NULL;
        for (; rule; rule = rule->else_) {
            const struct rego_term *value = rule->head.value;
            if (value && value->kind == REGO_TERM_VAR)
                return REGO_ANY;
            kinds |= value ? kinds_of(c, value, depth_left - 1) : (unsigned)REGO_BOOLEAN;
        }
    }
    return kinds ? kinds : (unsigned)REGO_ANY;
}

static unsigned call_kinds(struct rego_compiler *c, const struct rego_term *t)
{
    struct rego_signature signature;
    const struct rego_term *op = t->parts.item[0];
    if (rego_operator_node(c, op))
        return REGO_ANY;
    const struct rego_builtin *builtin = rego_builtin_find(rego_operator_name(c, op));
    if (!builtin || !rego_signature_parse(c->arena, builtin->signature, &signature) ||
        !signature.has_result)
        return REGO_ANY;
    return rego_type_kinds(signature.result);
}

static unsigned kinds_of(struct rego_compiler *c, const struct rego_term *t, unsigned depth_left)
{
    const struct rego_node *node;
    if (depth_left == 0)
        return REGO_ANY;
    switch (t->kind) {
    case REGO_TERM_VALUE:
        return rego_kind_of(&t->value);
    case REGO_TERM_ARRAY:
    case REGO_TERM_ARRAY_COMPREHENSION:
        return REGO_ARRAY;
    case REGO_TERM_SET:
    case REGO_TERM_SET_COMPREHENSION:
        return REGO_SET;
    case REGO_TERM_OBJECT:
    case REGO_TERM_OBJECT_COMPREHENSION:
        return REGO_OBJECT;
    case REGO_TERM_TEMPLATE:
        return REGO_STRING;
    case REGO_TERM_CALL:
        return call_kinds(c, t);
    case REGO_TERM_REF:
        node = rego_operator_node(c, t);
        return node ? rule_kinds(c, node, depth_left - 1) : (unsigned)REGO_ANY;
    case REGO_TERM_VAR:
        if (t->slot < c->variables.n && c->variables.item[t->slot].kinds)
            return c->variables.item[t->slot].kinds;
        return REGO_ANY;
    }
    return REGO_ANY;
}

enum { FOLLOW_DEPTH = 50 };

static bool is_operator(const struct rego_term *t, const char *name)
{
    const struct rego_term *op = t->parts.item[0];
    return op->kind == REGO_TERM_VAR && op->slot == REGO_NO_SLOT && t->parts.n == 3 &&
           str_equal(op->name, str_from(name));
}

static void learn(struct rego_compiler *c, const struct rego_term *var, unsigned kinds)
{
    if (var->kind == REGO_TERM_VAR && var->slot < c->variables.n && kinds != REGO_ANY &&
        !c->variables.item[var->slot].kinds)
        c->variables.item[var->slot].kinds = kinds;
}

static void check_equation(struct rego_compiler *c, const struct rego_term *t)
{
    unsigned a = kinds_of(c, t->parts.item[1], FOLLOW_DEPTH);
    unsigned b = kinds_of(c, t->parts.item[2], FOLLOW_DEPTH);
    if (!(a & b))
        rego_complain(c, "rego_type_error", t->place, "match error");
    learn(c, t->parts.item[1], b);
    learn(c, t->parts.item[2], a);
}

static void check_arguments(struct rego_compiler *c, const struct rego_term *t)
{
    struct rego_signature signature;
    const struct rego_term *op = t->parts.item[0];
    struct str name = rego_operator_name(c, op);
    const struct rego_builtin *builtin = rego_operator_node(c, op) ? NULL : rego_builtin_find(name);
    if (!builtin || !rego_signature_parse(c->arena, builtin->signature, &signature) ||
        signature.variadic)
        return;
    for (size_t i = 0; i < signature.nargs && i + 1 < t->parts.n; i++)
        if (!(kinds_of(c, t->parts.item[i + 1], FOLLOW_DEPTH) &
              rego_type_kinds(signature.arg[i]))) {
            rego_complain(c, "rego_type_error", t->place, "%.*s: invalid argument(s)",
                          STR_ARG(name));
            return;
        }
    if (t->parts.n == signature.nargs + 2)
        learn(c, t->parts.item[t->parts.n - 1], rego_type_kinds(signature.result));
}

/* --- walking in the order of evaluation --- */

static bool check_body(struct rego_compiler *c, const struct rego_body *body, unsigned depth_left);

static bool check_term(struct rego_compiler *c, const struct rego_term *t, unsigned depth_left)
{
    bool ok = true;
    if (!t || depth_left == 0)
        return !t;
    switch (t->kind) {
    case REGO_TERM_VALUE:
    case REGO_TERM_VAR:
        return true;
    case REGO_TERM_OBJECT:
        for (size_t i = 0; i < t->pairs.n && ok; i++)
            ok = check_term(c, t->pairs.item[i].key, depth_left - 1) &&
                 check_term(c, t->pairs.item[i].value, depth_left - 1);
        return ok;
    case REGO_TERM_CALL:
        for (size_t i = 1; i < t->parts.n && ok; i++)
            ok = check_term(c, t->parts.item[i], depth_left - 1);
        if (is_operator(t, "eq") || is_operator(t, "assign") || is_operator(t, "equal"))
            check_equation(c, t);
        else
            check_arguments(c, t);
        return ok;
    case REGO_TERM_REF:
    case REGO_TERM_ARRAY:
    case REGO_TERM_SET:
    case REGO_TERM_TEMPLATE:
        for (size_t i = 0; i < t->parts.n && ok; i++)
            ok = check_term(c, t->parts.item[i], depth_left - 1);
        return ok;
    default:
        return check_body(c, t->compr.body, depth_left - 1) &&
               check_term(c, t->compr.key, depth_left - 1) &&
               check_term(c, t->compr.value, depth_left - 1);
    }
}

static bool check_expr(struct rego_compiler *c, const struct rego_expr *e, unsigned depth_left)
{
    if (e->nwith) /* documents and functions may be others there */
        return true;
    switch (e->kind) {
    case REGO_EXPR_SOME:
        return e->some.symbol[0]->kind != REGO_TERM_CALL ||
               check_term(c, e->some.symbol[0]->parts.item[e->some.symbol[0]->parts.n - 1],
                          depth_left);
    case REGO_EXPR_EVERY: /* its body may never be asked: OPA does not look at its types either */
        return check_term(c, e->every.domain, depth_left);
    case REGO_EXPR_LOGIC:
        return check_body(c, e->logic.left, depth_left) &&
               check_body(c, e->logic.right, depth_left);
    case REGO_EXPR_NOT_BODY:
        return check_body(c, e->body, depth_left);
    default:
        return check_term(c, e->term, depth_left);
    }
}

static bool check_body(struct rego_compiler *c, const struct rego_body *body, unsigned depth_left)
{
    if (depth_left == 0)
        return false;
    for (size_t i = 0; body && i < body->n; i++)
        if (!check_expr(c, body->expr[i], depth_left - 1))
            return false;
    return true;
}

bool rego_check_body_types(struct rego_compiler *c, const struct rego_body *body)
{
    return check_body(c, body, REGO_DEPTH_MAX);
}

bool rego_check_types(struct rego_compiler *c, const struct rego_rule *rule)
{
    for (; rule; rule = rule->else_)
        if (!check_body(c, rule->body, REGO_DEPTH_MAX) ||
            !check_term(c, rule->head.key, REGO_DEPTH_MAX) ||
            !check_term(c, rule->head.value, REGO_DEPTH_MAX))
            return false;
    return true;
}

/* check.c - what is wrong with a policy before it runs: calls, conflicts, recursion, heads. */
#include <string.h>

#include "base/buf.h"
#include "lang/rego/policy.h"

/* --- operators --- */

struct rego_node *rego_operator_node(const struct rego_compiler *c,
                                     const struct rego_term *operator_)
{
    if (operator_->kind != REGO_TERM_REF)
        return NULL;
    const struct rego_term *head = operator_->parts.item[0];
    if (head->kind != REGO_TERM_VAR || head->slot != REGO_NO_SLOT ||
        !str_equal(head->name, STR("data")))
        return NULL;
    struct rego_node *node = c->policy->root;
    for (size_t i = 1; i < operator_->parts.n && node; i++) {
        const struct rego_term *part = operator_->parts.item[i];
        node = part->kind == REGO_TERM_VALUE ? rego_child(node, &part->value) : NULL;
    }
    return node && node->ndefinitions + (node->otherwise != NULL) ? node : NULL;
}

/* --- walking over everything in a rule --- */

struct visitor {
    struct rego_compiler *c;
    bool (*term)(struct visitor *v, const struct rego_term *t);
    bool (*expr)(struct visitor *v, const struct rego_expr *e); /* or NULL */
    void *ctx;
    const struct rego_term *skip;     /* the head of a ref that was seen as a whole */
    const struct rego_term *function; /* names a function here, rightly */
    unsigned depth;
};

static bool visit_body(struct visitor *v, const struct rego_body *body);

static bool visit(struct visitor *v, const struct rego_term *t)
{
    bool ok = true;
    if (!t)
        return true;
    if (++v->depth > REGO_DEPTH_MAX)
        return false;
    if (!v->term(v, t))
        return false;
    switch (t->kind) {
    case REGO_TERM_VALUE:
    case REGO_TERM_VAR:
        break;
    case REGO_TERM_OBJECT:
        for (size_t i = 0; i < t->pairs.n && ok; i++)
            ok = visit(v, t->pairs.item[i].key) && visit(v, t->pairs.item[i].value);
        break;
    case REGO_TERM_REF:
    case REGO_TERM_CALL:
    case REGO_TERM_ARRAY:
    case REGO_TERM_SET:
    case REGO_TERM_TEMPLATE:
        for (size_t i = 0; i < t->parts.n && ok; i++)
            ok = visit(v, t->parts.item[i]);
        break;
    default:
        ok = visit(v, t->compr.key) && visit(v, t->compr.value) && visit_body(v, t->compr.body);
        break;
    }
    v->depth--;
    return ok;
}

static bool visit_expr(struct visitor *v, const struct rego_expr *e)
{
    bool ok = !v->expr || v->expr(v, e);
    for (size_t i = 0; i < e->nwith && ok; i++) {
        v->function = e->with[i].target; /* functions are named here, not called */
        ok = visit(v, e->with[i].target);
        v->function = e->with[i].value;
        ok = ok && visit(v, e->with[i].value);
    }
    if (!ok)
        return false;
    switch (e->kind) {
    case REGO_EXPR_SOME:
        for (size_t i = 0; i < e->some.n && ok; i++)
            ok = visit(v, e->some.symbol[i]);
        return ok;
    case REGO_EXPR_EVERY:
        return visit(v, e->every.key) && visit(v, e->every.value) && visit(v, e->every.domain) &&
               visit_body(v, e->every.body);
    case REGO_EXPR_LOGIC:
        return visit_body(v, e->logic.left) && visit_body(v, e->logic.right);
    case REGO_EXPR_NOT_BODY:
        return visit_body(v, e->body);
    default:
        return visit(v, e->term);
    }
}

static bool visit_body(struct visitor *v, const struct rego_body *body)
{
    if (++v->depth > REGO_DEPTH_MAX)
        return false;
    for (size_t i = 0; body && i < body->n; i++)
        if (!visit_expr(v, body->expr[i]))
            return false;
    v->depth--;
    return true;
}

static bool visit_rule(struct visitor *v, const struct rego_rule *rule)
{
    for (; rule; rule = rule->else_) {
        const struct rego_head *h = &rule->head;
        for (size_t i = 1; i < h->nref; i++)
            if (!visit(v, h->ref[i]))
                return false;
        for (size_t i = 0; i < h->narg; i++)
            if (!visit(v, h->arg[i]))
                return false;
        if (!visit(v, h->key) || !visit(v, h->value) || !visit_body(v, rule->body))
            return false;
    }
    return true;
}

/* --- calls --- */

static bool is_statement(const struct visitor *v, const struct rego_term *t)
{
    return v->ctx == t;
}

static void wrong_arity(struct visitor *v, const struct rego_term *t, struct str name,
                        const struct rego_node *node, size_t n)
{
    if (node)
        rego_complain(v->c, "rego_type_error", t->place,
                      "function %.*s has arity %zu, got %zu argument%s", STR_ARG(name), node->narg,
                      n, n == 1 ? "" : "s");
    else
        rego_complain(v->c, "rego_type_error", t->place, "%.*s: arity mismatch", STR_ARG(name));
}

/* A function where a value is wanted. */
static void check_value(struct visitor *v, const struct rego_term *t)
{
    AUTO_BUF name = {.limit = 1 << 12};
    const struct rego_node *node = t == v->function ? NULL : rego_operator_node(v->c, t);
    if (!node || node->kind != REGO_HEAD_FUNCTION)
        return;
    rego_node_text(&name, node);
    rego_complain(v->c, "rego_type_error", t->place, "function %.*s used as reference, not called",
                  STR_ARG(buf_view(&name)));
}

static bool check_call(struct visitor *v, const struct rego_term *t)
{
    if (t->kind == REGO_TERM_REF)
        check_value(v, t);
    if (t->kind != REGO_TERM_CALL)
        return true;
    const struct rego_term *op = t->parts.item[0];
    const struct rego_node *node = rego_operator_node(v->c, op);
    v->function = op;
    struct str name = rego_operator_name(v->c, op);
    const struct rego_builtin *builtin = node ? NULL : rego_known_builtin(v->c, name);
    const struct rego_compile_options *options = &v->c->policy->options;
    const struct rego_signature *signature =
        builtin ? rego_signature_of(v->c, builtin->signature) : NULL;
    size_t n = t->parts.n - 1;
    if (builtin && options->allowed && !(builtin->flags & (REGO_VOID | REGO_INTERNAL)) &&
        !options->allowed(options->allowed_ctx, str_from(builtin->name)))
        builtin = NULL;
    if (!node && !builtin) {
        rego_complain(v->c, "rego_type_error", t->place, "undefined function %.*s", STR_ARG(name));
        return true;
    }
    if (builtin && builtin->flags & REGO_VOID && !is_statement(v, t)) {
        AUTO_BUF text = {.limit = 1 << 12};
        rego_term_text(&text, t);
        rego_complain(v->c, "rego_type_error", t->place, "%.*s used as value",
                      STR_ARG(buf_view(&text)));
        return true;
    }
    if (builtin && (!signature || signature->variadic))
        return true;
    size_t arity = node ? node->narg : signature->nargs;
    bool more = n == arity + 1 && is_statement(v, t) && !(builtin && !signature->has_result);
    if (n != arity && !more)
        wrong_arity(v, t, name, node, n);
    else if (node && node->kind != REGO_HEAD_FUNCTION)
        rego_complain(v->c, "rego_type_error", t->place, "undefined function %.*s", STR_ARG(name));
    if (builtin && builtin->flags & REGO_DEPRECATED && v->c->unit && !v->c->unit->module->v0)
        rego_complain(v->c, "rego_type_error", t->place,
                      "deprecated built-in function calls in expression: %.*s", STR_ARG(name));
    return true;
}

static void check_mock(struct visitor *v, const struct rego_with *with,
                       const struct rego_builtin *builtin)
{
    const struct rego_signature *signature = rego_signature_of(v->c, builtin->signature);
    const struct rego_node *by = rego_operator_node(v->c, with->value);
    if (builtin->flags & REGO_INTERNAL)
        rego_complain(v->c, "rego_compile_error", with->target->place,
                      "with keyword replacing built-in function: replacement of internal function "
                      "\"%s\" invalid",
                      builtin->name);
    else if (builtin->flags & (REGO_RELATION | REGO_VOID))
        rego_complain(v->c, "rego_compile_error", with->target->place,
                      "with keyword replacing built-in function: target must not be a %s",
                      builtin->flags & REGO_VOID ? "void function" : "relation");
    else if (by && by->kind == REGO_HEAD_FUNCTION && signature && signature->nargs != by->narg)
        rego_complain(v->c, "rego_type_error", with->place, "%s: arity mismatch", builtin->name);
}

/* Only whole rules can be replaced, or what has none. */
static void check_replaced(struct visitor *v, const struct rego_with *with)
{
    const struct rego_term *t = with->target;
    const struct rego_node *node = v->c->policy->root;
    if (t->kind != REGO_TERM_REF || t->parts.item[0]->kind != REGO_TERM_VAR ||
        !str_equal(t->parts.item[0]->name, STR("data")))
        return;
    for (size_t i = 1; i < t->parts.n && node; i++) {
        if (node->ndefinitions) {
            rego_complain(v->c, "rego_compile_error", t->place,
                          "with keyword cannot partially replace virtual document(s)");
            return;
        }
        node = t->parts.item[i]->kind == REGO_TERM_VALUE
                   ? rego_child(node, &t->parts.item[i]->value)
                   : NULL;
    }
}

static bool statement(struct visitor *v, const struct rego_expr *e)
{
    for (size_t i = 0; i < e->nwith; i++) {
        const struct rego_with *with = &e->with[i];
        const struct rego_builtin *builtin =
            rego_operator_node(v->c, with->target)
                ? NULL
                : rego_known_builtin(v->c, rego_operator_name(v->c, with->target));
        if (builtin)
            check_mock(v, with, builtin);
        else
            check_replaced(v, with);
    }
    v->ctx = e->kind == REGO_EXPR_CALL ? e->term : NULL;
    return true;
}

bool rego_check_calls(struct rego_compiler *c, const struct rego_rule *rule)
{
    struct visitor v = {.c = c, .term = check_call, .expr = statement};
    return visit_rule(&v, rule);
}

bool rego_check_body(struct rego_compiler *c, const struct rego_body *body)
{
    struct visitor v = {.c = c, .term = check_call, .expr = statement};
    return visit_body(&v, body);
}

/* --- recursion --- */

enum { MARK_NEW, MARK_OPEN, MARK_DONE };

/* A node that is being followed, and what its rules need: walk.need[next] up to walk.need[end]. */
struct step {
    struct rego_node *node;
    size_t from, next, end;
};
/* By hand, for chains of rules are as long as a policy likes. */
struct walk {
    struct rego_compiler *c;
    struct step *step; /* from the first to the one at work */
    size_t n, room;
    struct rego_node **need;
    size_t nneed, need_room;
};

static void recursion(struct walk *w, const struct rego_node *node)
{
    enum { RING_MAX = 64 };
    struct rego_compiler *c = w->c;
    const struct rego_node *ring[RING_MAX];
    size_t n = 0;
    for (size_t i = w->n; i-- > 0 && n < RING_MAX;) {
        ring[n++] = w->step[i].node;
        if (w->step[i].node == node)
            break;
    }
    /* One error for each rule of the ring, beginning with itself. */
    for (size_t i = n; i-- > 0;) {
        AUTO_BUF text = {.limit = 1 << 14};
        struct rego_node *first = (struct rego_node *)(uintptr_t)ring[i];
        buf_str(&text, STR("rule "));
        rego_node_text(&text, first);
        buf_str(&text, STR(" is recursive: "));
        for (size_t j = 0; j <= n; j++) {
            if (j)
                buf_str(&text, STR(" -> "));
            rego_node_text(&text, ring[(i + n - j % n) % n]);
        }
        const struct rego_rule *rule =
            first->ndefinitions ? first->definition[0].rule : first->otherwise->rule;
        struct rego_unit unit = {.module = rule->module}, *kept = c->unit;
        c->unit = &unit;
        rego_complain(c, "rego_recursion_error", rule->place, "%.*s", STR_ARG(buf_view(&text)));
        c->unit = kept;
    }
}

static bool has_rules(const struct rego_node *node)
{
    return node->ndefinitions || node->otherwise;
}

/* What is done already needs no second look. */
static bool need(struct walk *w, struct rego_node *node)
{
    if (!rego_afford(w->c, 1))
        return false;
    if (!has_rules(node) || node->mark == MARK_DONE)
        return true;
    struct rego_node **grown =
        arena_grow(w->c->arena, w->need, w->nneed, &w->need_room, w->nneed + 1);
    if (!grown) {
        w->c->out_of_memory = true;
        return false;
    }
    w->need = grown;
    grown[w->nneed++] = node;
    return true;
}

/* A node and everything below it. */
static bool need_all(struct walk *w, struct rego_node *node, unsigned depth_left)
{
    if (depth_left == 0 || !need(w, node))
        return false;
    for (size_t i = 0; i < node->nchild; i++)
        if (!need_all(w, node->child[i], depth_left - 1))
            return false;
    return true;
}

/* What the keys of a ref behind `node` lead to; any child where a key is not a constant. */
static bool need_ref(struct walk *w, struct rego_node *node, const struct rego_term *t, size_t from)
{
    for (size_t i = from; i < t->parts.n; i++) {
        const struct rego_term *part = t->parts.item[i];
        if (!need(w, node))
            return false;
        if (part->kind != REGO_TERM_VALUE) {
            for (size_t k = 0; k < node->nchild; k++)
                if (!need_ref(w, node->child[k], t, i + 1))
                    return false;
            return true;
        }
        struct rego_node *child = rego_child(node, &part->value);
        if (!child)
            return true;
        node = child;
    }
    return need_all(w, node, REGO_DEPTH_MAX);
}

/* The rules that a ref below data may need. */
static bool depend(struct visitor *v, const struct rego_term *t)
{
    const struct rego_term *head = t->kind == REGO_TERM_REF ? t->parts.item[0] : t;
    if (t == v->skip || head->kind != REGO_TERM_VAR || head->slot != REGO_NO_SLOT ||
        !str_equal(head->name, STR("data")))
        return true;
    if (t->kind == REGO_TERM_VAR) /* all there is */
        return need_all(v->ctx, v->c->policy->root, REGO_DEPTH_MAX);
    v->skip = head; /* comes next: not a document by itself */
    return need_ref(v->ctx, v->c->policy->root, t, 1);
}

static bool open_step(struct walk *w, struct rego_node *node)
{
    struct step *grown = arena_grow(w->c->arena, w->step, w->n, &w->room, w->n + 1);
    struct visitor v = {.c = w->c, .term = depend, .ctx = w};
    if (!grown) {
        w->c->out_of_memory = true;
        return false;
    }
    w->step = grown;
    size_t from = w->nneed;
    node->mark = MARK_OPEN;
    bool ok = true;
    for (size_t i = 0; i < node->ndefinitions && ok; i++)
        ok = visit_rule(&v, node->definition[i].rule);
    if (ok && node->otherwise)
        ok = visit_rule(&v, node->otherwise->rule);
    w->step[w->n++] = (struct step){node, from, from, w->nneed};
    return ok;
}

static void close_step(struct walk *w)
{
    struct step *last = &w->step[--w->n];
    last->node->mark = MARK_DONE;
    last->node->order = ++w->c->policy->norder;
    w->nneed = last->from;
}

/* Everything that the first needs before it. */
static bool follow(struct walk *w, struct rego_node *first)
{
    if (first->mark == MARK_DONE)
        return true;
    if (!open_step(w, first))
        return false;
    while (w->n) {
        struct step *at = &w->step[w->n - 1];
        if (!rego_afford(w->c, 1))
            return false;
        if (at->next == at->end) {
            close_step(w);
            continue;
        }
        struct rego_node *node = w->need[at->next++];
        if (node->mark == MARK_OPEN)
            recursion(w, node);
        else if (node->mark == MARK_NEW && !open_step(w, node))
            return false;
    }
    return true;
}

static bool follow_tree(struct walk *w, struct rego_node *node, unsigned depth_left)
{
    if (depth_left == 0 || (has_rules(node) && !follow(w, node)))
        return false;
    for (size_t i = 0; i < node->nchild; i++)
        if (!follow_tree(w, node->child[i], depth_left - 1))
            return false;
    return true;
}

/* --- conflicts between rules --- */

static void rule_conflict(struct rego_compiler *c, const struct rego_node *node)
{
    AUTO_BUF text = {.limit = 1 << 12};
    rego_node_text(&text, node);
    const struct rego_rule *rule = node->definition[0].rule;
    struct rego_unit unit = {.module = rule->module}, *kept = c->unit;
    c->unit = &unit;
    rego_complain(c, "rego_type_error", rule->place,
                  "rule %.*s conflicts with:", STR_ARG(buf_view(&text)));
    c->unit = kept;
}

static bool any_rules(const struct rego_node *node, unsigned depth_left)
{
    if (has_rules(node) && node->ndefinitions)
        return true;
    for (size_t i = 0; depth_left && i < node->nchild; i++)
        if (any_rules(node->child[i], depth_left - 1))
            return true;
    return false;
}

static void conflicts(struct rego_compiler *c, const struct rego_node *node, unsigned depth_left)
{
    bool single = node->ndefinitions && !node->dynamic && node->kind != REGO_HEAD_SET;
    if (single && node->nchild) {
        bool below = false;
        for (size_t i = 0; i < node->nchild; i++)
            below |= any_rules(node->child[i], REGO_DEPTH_MAX) || node->child[i]->package;
        if (below)
            rule_conflict(c, node);
        if (below && node->package) {
            const struct rego_rule *rule = node->definition[0].rule;
            AUTO_BUF text = {.limit = 1 << 12};
            rego_node_text(&text, node);
            rego_complain(c, "rego_type_error", (struct rego_place){.row = 1, .col = 1},
                          "package %.*s conflicts with rule %.*s defined at %.*s:%u",
                          STR_ARG(str_sub(buf_view(&text), 5, text.len)),
                          STR_ARG(rule->head.ref[0]->name), STR_ARG(rule->module->file),
                          rule->place.row);
        }
    }
    for (size_t i = 0; depth_left && i < node->nchild; i++)
        conflicts(c, node->child[i], depth_left - 1);
}

bool rego_check_policy(struct rego_compiler *c)
{
    conflicts(c, c->policy->root, REGO_DEPTH_MAX);
    if (c->diags->n)
        return true;
    struct walk walk = {.c = c};
    return follow_tree(&walk, c->policy->root, REGO_DEPTH_MAX);
}

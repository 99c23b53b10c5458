/* format_rule.c - the Rego formatter's rules: heads, else chains, rules that stand together. */
#include "lang/rego/formatter.h"

static bool is_true(const struct rego_term *term)
{
    return !term ||
           (term->kind == REGO_TERM_VALUE && term->value.kind == VALUE_BOOL && term->value.truth);
}

/* Only `true`: the rule says no more than its head does. */
static bool is_constant(const struct rego_rule *rule)
{
    if (rule->else_)
        return false;
    if (!rule->has_body || !rule->body)
        return true;
    const struct rego_expr *expr = rule->body->expr[0];
    return rule->body->n == 1 && expr->kind == REGO_EXPR_TERM && !expr->negated && !expr->nwith &&
           is_true(expr->term);
}

static bool is_ground(const struct rego_term *term)
{
    if (term->kind == REGO_TERM_VALUE)
        return true;
    if (term->kind != REGO_TERM_ARRAY && term->kind != REGO_TERM_SET)
        return false;
    for (size_t i = 0; i < term->parts.n; i++)
        if (term->parts.item[i]->kind != REGO_TERM_VALUE)
            return false;
    return true;
}

struct head { /* as OPA sees it */
    const struct rego_rule *rule;
    struct rego_term *const *ref;
    size_t nref;
    const struct rego_term *key, *value; /* NULL: none; `true` that nobody wrote has no value */
    bool has_value, generated_here;
    bool is_else, chained;
};

static bool is_chained(const struct formatter *f, const struct rego_rule *rule)
{
    return !rule->is_default && str_starts(form_text(f, rule->place), STR("{"));
}

static struct head head_of(const struct formatter *f, const struct rego_rule *rule, bool is_else)
{
    const struct rego_head *h = &rule->head;
    struct head ret = {.rule = rule,
                       .ref = h->ref,
                       .nref = h->nref,
                       .key = h->key,
                       .value = h->value,
                       .has_value = h->kind != REGO_HEAD_SET,
                       .is_else = is_else,
                       .chained = is_chained(f, rule)};
    if (!is_else && !h->has_contains && !h->key && !h->has_args && h->nref == 2 &&
        !rule->is_default && (h->has_if ? !is_ground(h->ref[1]) : true))
        ret.key = h->ref[1];
    bool bare = !rule->has_body && !h->value; /* f(1), p.a.b */
    ret.generated_here =
        !h->value && !is_else && ((h->has_if && h->nref == 2) || bare || ret.chained);
    return ret;
}

/* The only key of a head, as OPA's terms write themselves: calls by their names. */
static enum form_flow head_term(struct formatter *f, const struct rego_term *key)
{
    enum form_flow flow = FORMAT_OK;
    if (key->kind == REGO_TERM_VALUE && key->value.kind == VALUE_STRING) {
        form_quote(f, value_text(&key->value));
    } else if (key->kind == REGO_TERM_TEMPLATE) {
        return form_term(f, key);
    } else if (key->kind == REGO_TERM_CALL) {
        rego_term_text(&f->out, key->parts.item[0]);
        form_write(f, "(");
        for (size_t i = 1; i < key->parts.n && flow == FORMAT_OK; i++) {
            form_write(f, i > 1 ? ", " : "");
            flow = head_term(f, key->parts.item[i]);
        }
        form_write(f, ")");
    } else {
        rego_term_text(&f->out, key);
    }
    return flow;
}

static enum form_flow head_name(struct formatter *f, const struct head *h)
{
    if (h->is_else) {
        form_write(f, "else");
        return FORMAT_OK;
    }
    if (f->ref_heads || h->nref == 1)
        return form_ref(f, h->ref, h->nref);
    uint32_t row = form_term_place(f, h->ref[1]).row;
    if (f->comments.n && f->comments.item[0]->place.row == row) {
        form_as_was(f, f->over ? *f->over : h->rule->head.place);
        return FORMAT_AS_WAS;
    }
    form_write_str(f, h->ref[0]->name);
    form_write(f, "[");
    enum form_flow flow = head_term(f, h->ref[1]);
    form_write(f, "]");
    return flow;
}

static enum form_flow head_args(struct formatter *f, const struct head *h)
{
    const struct rego_head *head = &h->rule->head;
    struct rego_place place = f->over ? *f->over : head->place;
    if (h->is_else || !head->narg)
        return FORMAT_OK;
    form_write(f, "(");
    enum form_flow flow =
        form_list(f, head->arg, head->narg, place, form_closing_row(f, place, NULL, "()"));
    form_write(f, ")");
    return flow;
}

static enum form_flow head_key(struct formatter *f, const struct head *h)
{
    if (!h->key || h->has_value)
        return FORMAT_OK;
    form_write(f, f->contains ? " contains " : "[");
    enum form_flow flow = form_term(f, h->key);
    if (!f->contains && flow == FORMAT_OK)
        form_write(f, "]");
    return flow;
}

static enum form_flow head_value(struct formatter *f, const struct head *h, bool constant)
{
    const struct rego_rule *rule = h->rule;
    if (!h->has_value || !(h->key || !is_true(h->value) || constant || rule->is_default))
        return FORMAT_OK;
    bool plain_const = f->v1 && constant && !h->key && (h->is_else || !rule->head.narg);
    if (h->generated_here && !plain_const)
        return FORMAT_OK;
    form_write(f, rule->head.assign || f->v1 ? " := " : " = ");
    if (!h->value) {
        form_write(f, "true");
        return FORMAT_OK;
    }
    return form_term(f, h->value);
}

static enum form_flow head(struct formatter *f, const struct rego_rule *rule, bool is_else,
                           bool constant)
{
    struct head h = head_of(f, rule, is_else);
    const struct rego_place *over = f->over;
    struct form_comments comments = f->comments;
    if (h.chained) { /* the comments are of the body: the head is written for the second time */
        f->over = &rule->place;
        f->comments.n = 0;
    }
    f->moved = is_else ? h.value : NULL;
    f->moved_to = rule->head.place;
    enum form_flow flow = head_name(f, &h);
    if (flow == FORMAT_OK)
        flow = head_args(f, &h);
    if (flow == FORMAT_OK)
        flow = head_key(f, &h);
    if (flow == FORMAT_OK)
        flow = head_value(f, &h, constant);
    f->over = over;
    f->moved = NULL;
    if (h.chained)
        f->comments = comments;
    return flow;
}

/* --- rules --- */

static enum form_flow rule_text(struct formatter *f, const struct rego_rule *rule, bool is_else);

/* Does something else stand before `else` on its line? */
static bool else_is_inline(const struct formatter *f, const struct rego_rule *rule)
{
    if (rule->else_->place.row == rule->place.row)
        return false;
    struct str text = f->module->text;
    size_t at = rule->else_->place.start;
    while (at > 0 && (text.ptr[at - 1] == ' ' || text.ptr[at - 1] == '\t'))
        at--;
    return at > 0 && text.ptr[at - 1] != '\n';
}

static enum form_flow else_text(struct formatter *f, const struct rego_rule *rule)
{
    const struct rego_rule *next = rule->else_;
    bool same_line = else_is_inline(f, rule);
    bool comment = (f->comments.n && f->comments.item[0]->place.row < next->place.row) || f->at_end;
    if (!comment && same_line) {
        form_write(f, " ");
    } else {
        form_blank_line(f);
        form_start_line(f);
    }
    enum form_flow flow = form_insert_comments(f, next->place.row);
    if (flow != FORMAT_OK)
        return flow;
    if (comment && !same_line)
        form_start_line(f);
    return rule_text(f, next, true);
}

static bool takes_if(const struct formatter *f, const struct rego_rule *rule)
{
    return (f->v1 || f->ifs) && (f->contains || rule->head.kind != REGO_HEAD_SET);
}

/* `if literal` of one line. */
static enum form_flow short_body(struct formatter *f, const struct rego_rule *rule,
                                 const struct rego_place *over)
{
    const struct rego_place *before = f->over;
    form_write(f, " ");
    f->over = over;
    enum form_flow flow = form_literal(f, rule->body->expr[0]);
    f->over = before;
    if (flow == FORMAT_FAILED)
        return flow;
    form_end_line(f);
    return rule->else_ ? else_text(f, rule) : FORMAT_OK;
}

static uint32_t rule_closing_row(const struct formatter *f, const struct rego_rule *rule,
                                 bool is_else)
{
    struct head h = head_of(f, rule, is_else);
    const char *skip = !is_else && rule->head.narg ? "()" : h.key ? "[]" : NULL;
    return form_closing_row(f, rule->place, skip, "{}");
}

static enum form_flow block(struct formatter *f, const struct rego_rule *rule, bool is_else)
{
    f->level++;
    enum form_flow flow = form_body(f, rule->body);
    if (flow != FORMAT_FAILED)
        flow = form_insert_comments(f, rule_closing_row(f, rule, is_else));
    f->level--;
    if (flow != FORMAT_OK)
        return flow;
    form_start_line(f);
    form_write(f, "}");
    return rule->else_ ? else_text(f, rule) : FORMAT_OK;
}

static enum form_flow rule_text(struct formatter *f, const struct rego_rule *rule, bool is_else)
{
    bool constant = is_constant(rule);
    if (!is_else)
        form_start_line(f);
    if (rule->is_default)
        form_write(f, "default ");
    f->on_final_line = constant;
    enum form_flow flow = head(f, rule, is_else, constant);
    if (flow == FORMAT_FAILED)
        return flow;
    if (constant) {
        form_end_line(f);
        return FORMAT_OK;
    }
    bool odd = flow == FORMAT_AS_WAS;
    f->on_final_line = true;
    if (takes_if(f, rule)) {
        const struct rego_expr *first = rule->body->expr[0];
        bool brace = str_starts(form_text(f, rule->body->place), STR("{"));
        const struct rego_place *over = is_else && !brace ? &rule->place : NULL;
        struct rego_place at = is_chained(f, rule) ? rule->place : rule->head.place;
        uint32_t head_end = at.row + form_newlines(f, form_text(f, at));
        form_write(f, " if");
        if (rule->body->n == 1 && (over ? over->row : first->place.row) == head_end)
            return short_body(f, rule, over);
    }
    form_write(f, odd && f->comments.n ? " { " : " {");
    if (!(odd && f->comments.n))
        form_end_line(f);
    return block(f, rule, is_else);
}

/* Rules of one line that stand together stay together. */
static bool groupable(const struct formatter *f, const struct rego_rule *rule)
{
    return (!rule->body || rule->body->n <= 1) && !rule->is_default && takes_if(f, rule);
}

enum form_flow form_rules(struct formatter *f, struct rego_rule *const *rule, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (form_insert_comments(f, rule[i]->place.row) == FORMAT_FAILED ||
            rule_text(f, rule[i], false) == FORMAT_FAILED)
            return FORMAT_FAILED;
        if (i + 1 < n && groupable(f, rule[i]) && groupable(f, rule[i + 1]) &&
            rule[i + 1]->place.row == rule[i]->place.row + 1)
            continue;
        form_blank_line(f);
    }
    return FORMAT_OK;
}

/* format_body.c - the Rego formatter's bodies: expressions and their modifiers, queries. */
#include "lang/rego/formatter.h"

struct rego_place form_expr_place(const struct formatter *f, const struct rego_expr *expr)
{
    return f->over ? *f->over : expr->place;
}

/* The row on which what stands before `with` ends. */
static uint32_t end_row(const struct formatter *f, const struct rego_expr *expr)
{
    struct rego_place place = form_expr_place(f, expr);
    if (expr->nwith && expr->with[0].place.start > place.start && !f->over)
        place.end = expr->with[0].place.start;
    struct str text = form_text(f, place);
    while (text.len && (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == ' ' ||
                        text.ptr[text.len - 1] == '\t' || text.ptr[text.len - 1] == '\r'))
        text.len--;
    return place.row + form_newlines(f, text);
}

static enum form_flow with(struct formatter *f, const struct rego_with *with, bool indented)
{
    enum form_flow flow = form_insert_comments(f, f->over ? f->over->row : with->place.row);
    if (flow != FORMAT_OK)
        return f->lost = true, flow;
    form_write(f, indented ? "with " : " with ");
    if ((flow = form_term(f, with->target)) != FORMAT_OK)
        return f->lost = true, flow;
    form_write(f, " as ");
    flow = form_term(f, with->value);
    return flow == FORMAT_AS_WAS ? FORMAT_OK : flow;
}

static enum form_flow withs(struct formatter *f, const struct rego_expr *expr)
{
    uint32_t row = end_row(f, expr);
    bool up = false;
    enum form_flow flow = FORMAT_OK;
    for (size_t i = 0; i < expr->nwith && flow == FORMAT_OK; i++) {
        uint32_t at = f->over ? f->over->row : expr->with[i].place.row;
        bool indent = i == 0 ? at != row && at > row : at > row;
        if (indent) {
            f->level += !up;
            up = true;
            form_end_line(f);
            form_start_line(f);
            row = at;
        }
        flow = with(f, &expr->with[i], indent);
    }
    f->level -= up;
    return flow;
}

static enum form_flow some(struct formatter *f, const struct rego_expr *expr)
{
    uint32_t row = form_expr_place(f, expr).row;
    enum form_flow flow = form_insert_comments(f, row);
    if (flow != FORMAT_OK)
        return f->lost = true, flow;
    form_write(f, "some ");
    for (size_t i = 0; i < expr->some.n && flow == FORMAT_OK; i++) {
        const struct rego_term *symbol = expr->some.symbol[i];
        if (symbol->kind == REGO_TERM_CALL)
            return form_member(f, symbol, false);
        if (form_term_place(f, symbol).row > row) {
            form_end_line(f);
            form_start_line(f);
            form_write(f, "\t");
            row = form_term_place(f, symbol).row;
        } else if (i) {
            form_write(f, " ");
        }
        flow = form_term(f, symbol);
        if (i + 1 < expr->some.n)
            form_write(f, ",");
    }
    return flow;
}

static enum form_flow braced(struct formatter *f, const struct rego_body *body,
                             struct rego_place place)
{
    enum form_flow flow = form_query(f, body, place, place, "{}");
    if (flow == FORMAT_FAILED)
        return flow;
    if (flow == FORMAT_AS_WAS)
        f->lost = true;
    if (body->n == 1 && form_expr_place(f, body->expr[0]).row == place.row)
        form_write(f, " ");
    form_write(f, "}");
    return flow;
}

static enum form_flow every(struct formatter *f, const struct rego_expr *expr)
{
    struct rego_place place = form_expr_place(f, expr);
    enum form_flow flow = form_insert_comments(f, place.row);
    if (flow != FORMAT_OK)
        return f->lost = true, flow;
    form_write(f, "every ");
    if (expr->every.key) {
        if ((flow = form_term(f, expr->every.key)) != FORMAT_OK)
            return f->lost = true, flow;
        form_write(f, ", ");
    }
    if ((flow = form_term(f, expr->every.value)) != FORMAT_OK)
        return f->lost = true, flow;
    form_write(f, " in ");
    if ((flow = form_term(f, expr->every.domain)) != FORMAT_OK)
        return f->lost = true, flow;
    form_write(f, " {");
    return braced(f, expr->every.body, place);
}

static enum form_flow not_body(struct formatter *f, const struct rego_expr *expr)
{
    struct rego_place place = form_expr_place(f, expr);
    enum form_flow flow = form_insert_comments(f, place.row);
    if (flow != FORMAT_OK)
        return f->lost = true, flow;
    form_write(f, "not ");
    if (expr->body->n == 1 && !str_starts(form_text(f, expr->body->place), STR("{")))
        return form_expr(f, expr->body->expr[0]);
    form_write(f, "{");
    return braced(f, expr->body, place);
}

/* An operand of `and`, `or`: one literal, a group of the looser operator, or a body in braces. */
static enum form_flow operand(struct formatter *f, const struct rego_body *body, bool in_and)
{
    const struct rego_expr *first = body->expr[0];
    bool explicit = str_starts(form_text(f, body->place), STR("{")) || body->n > 1;
    bool group = body->n == 1 && first->kind == REGO_EXPR_LOGIC && (in_and && first->logic.is_or);
    enum form_flow flow = FORMAT_OK;
    if (!explicit) {
        form_write(f, group || first->nwith ? "(" : "");
        flow = form_expr(f, first);
        form_write(f, group || first->nwith ? ")" : "");
        return flow;
    }
    form_write(f, "{ ");
    for (size_t i = 0; i < body->n && flow == FORMAT_OK; i++) {
        form_write(f, i ? "; " : "");
        flow = form_expr(f, body->expr[i]);
    }
    form_write(f, " }");
    return flow;
}

static enum form_flow logic(struct formatter *f, const struct rego_expr *expr)
{
    enum form_flow flow = operand(f, expr->logic.left, !expr->logic.is_or);
    if (flow != FORMAT_OK)
        return f->lost = true, flow;
    form_write(f, expr->logic.is_or ? " or " : " and ");
    flow = operand(f, expr->logic.right, !expr->logic.is_or);
    f->lost |= flow != FORMAT_OK;
    return flow;
}

static enum form_flow expr_kind(struct formatter *f, const struct rego_expr *expr)
{
    switch (expr->kind) {
    case REGO_EXPR_SOME:
        return some(f, expr);
    case REGO_EXPR_EVERY:
        return every(f, expr);
    case REGO_EXPR_NOT_BODY:
        return not_body(f, expr);
    case REGO_EXPR_LOGIC:
        return logic(f, expr);
    case REGO_EXPR_CALL:
        return form_call(f, expr->term);
    default:
        return form_term(f, expr->term);
    }
}

enum form_flow form_expr(struct formatter *f, const struct rego_expr *expr)
{
    struct rego_place place = form_expr_place(f, expr);
    enum form_flow flow = form_insert_comments(f, place.row);
    if (flow != FORMAT_OK)
        return f->lost = true, flow;
    if (!f->in_line)
        form_start_line(f);
    if (expr->negated)
        form_write(f, "not ");
    flow = expr_kind(f, expr);
    if (flow != FORMAT_OK) {
        f->lost |= expr->nwith > 0;
        return flow;
    }
    return withs(f, expr);
}

/* An expression of a body, as it was where a comment within it has no other place. */
enum form_flow form_literal(struct formatter *f, const struct rego_expr *expr)
{
    struct form_mark mark = form_mark(f);
    f->lost = false;
    enum form_flow flow = form_expr(f, expr);
    if (flow != FORMAT_AS_WAS)
        return flow;
    if (f->lost && !f->over) {
        struct rego_place place = form_expr_place(f, expr);
        bool final = f->on_final_line;
        form_back(f, &mark);
        f->at_end = NULL;
        f->in_line = mark.in_line;
        if ((flow = form_insert_comments(f, place.row - 1)) == FORMAT_FAILED)
            return flow;
        if (!f->in_line)
            form_start_line(f);
        f->on_final_line = true;
        form_as_was(f, place);
        f->on_final_line = final;
        f->in_line = true;
    }
    f->lost = false;
    return FORMAT_OK;
}

enum form_flow form_body(struct formatter *f, const struct rego_body *body)
{
    enum form_flow flow = form_insert_comments(f, form_expr_place(f, body->expr[0]).row);
    if (flow != FORMAT_OK)
        return f->lost = true, flow;
    for (size_t i = 0; i < body->n; i++) {
        if (i > 0) {
            struct rego_place before = form_expr_place(f, body->expr[i - 1]);
            uint32_t last = before.row + form_newlines(f, form_text(f, before));
            if (form_expr_place(f, body->expr[i]).row > last + 1)
                form_blank_line(f);
        }
        form_start_line(f);
        if ((flow = form_literal(f, body->expr[i])) == FORMAT_FAILED)
            return flow;
        form_end_line(f);
    }
    return FORMAT_OK;
}

static bool on_one_row(const struct formatter *f, const struct rego_body *body)
{
    for (size_t i = 1; i < body->n; i++)
        if (form_expr_place(f, body->expr[i]).row > form_expr_place(f, body->expr[i - 1]).row)
            return false;
    return true;
}

enum form_flow form_query(struct formatter *f, const struct rego_body *body,
                          struct rego_place before, struct rego_place holder, const char *brackets)
{
    enum form_flow flow = FORMAT_OK;
    bool lines = form_expr_place(f, body->expr[0]).row > before.row || !on_one_row(f, body);
    if (lines) {
        form_end_line(f);
        f->level++;
        flow = form_body(f, body);
    } else {
        form_write(f, " ");
        for (size_t i = 0; i < body->n && flow == FORMAT_OK; i++) {
            form_write(f, i ? "; " : "");
            flow = form_expr(f, body->expr[i]);
        }
        f->lost |= flow == FORMAT_AS_WAS;
    }
    if (flow == FORMAT_OK)
        flow = form_insert_comments(f, form_closing_row(f, holder, NULL, brackets));
    if (lines) {
        f->level--;
        form_start_line(f);
    }
    return flow;
}

/* eval_template.c - templates, their directives, and conditionals. */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "lang/hcl/eval_parts.h"
#include "lang/hcl/types.h"

/* --- templates --- */

struct joined {
    struct buf text;
    uint8_t marks;
    bool unknown; /* from the first unknown part on, only marks are gathered */
};

static bool join_part(struct hcl_eval *ev, const struct hcl_expr *part, const struct value *v,
                      struct joined *out)
{
    static const char summary[] = "Invalid template interpolation value";
    struct value text;
    struct str why;
    uint8_t marks = hcl_deep_marks(v);
    bool unknown = v->kind == VALUE_UNKNOWN; /* whatever it is going to be */
    if (v->kind == VALUE_NULL)
        return hcl_fail(ev, part->range, summary,
                        "The expression result is null. Cannot include a null value in a string "
                        "template.");
    out->marks |= marks;
    if (!unknown && !hcl_convert(ev->arena, v, &type_string, &text, &why))
        return hcl_fail(ev, part->range, summary,
                        "Cannot include the given value in a string template: %.*s.", STR_ARG(why));
    if (unknown) {
        out->unknown = true;
    } else if (!out->unknown) {
        buf_str(&out->text, value_text(&text));
    }
    return true;
}

static bool finish(struct hcl_eval *ev, const struct hcl_expr *expr, struct joined *out,
                   struct value *ret)
{
    struct str text = arena_dup(ev->arena, buf_view(&out->text));
    struct str nfc = text.ptr ? utf8_nfc(ev->arena, text) : text;
    bool fits = !out->text.failed;
    buf_free(&out->text);
    if (!fits)
        return hcl_exhausted(ev, expr, "a text of more than %d bytes", HCL_TEXT_MAX);
    if (!nfc.ptr)
        return hcl_exhausted(ev, expr, "too much memory");
    *ret = value_string(nfc);
    if (out->unknown) {
        *ret = hcl_unknown_not_null(ev->arena, &type_string);
        struct value_unknown *known = arena_new(ev->arena, struct value_unknown, 1);
        if (known && ret->unknown) {
            *known = *ret->unknown;
            known->prefix = hcl_safe_prefix(nfc);
            ret->unknown = known;
        }
    }
    ret->marks = out->marks;
    return true;
}

bool hcl_eval_template(struct hcl_eval *ev, const struct hcl_expr *expr,
                       const struct hcl_scope *scope, struct value *ret)
{
    struct joined out = {.text = {.limit = HCL_TEXT_MAX}};
    bool ok = true;
    for (size_t i = 0; i < expr->parts.n; i++) {
        const struct hcl_expr *part = expr->parts.part[i];
        struct value v;
        ok = hcl_eval_expr(ev, part, scope, &v) && ok;
        ok = join_part(ev, part, &v, &out) && ok;
    }
    if (!ok && out.unknown) /* what it starts with is not known either */
        out.text.len = 0;
    return finish(ev, expr, &out, ret) && ok;
}

/* %{for}: the body once an element, joined. */
bool hcl_eval_template_for(struct hcl_eval *ev, const struct hcl_expr *expr,
                           const struct hcl_scope *scope, struct value *ret)
{
    struct value source;
    struct hcl_iteration it;
    bool ok = hcl_eval_expr(ev, expr->for_->source, scope, &source);
    *ret = hcl_unknown(ev->arena, &type_string);
    if (source.kind == VALUE_UNKNOWN)
        return hcl_may_iterate(ev, &source, expr->for_->source->range) && ok;
    if (!hcl_iterate(ev, &source, expr->for_->source->range, &it))
        return false;
    struct joined out = {.text = {.limit = HCL_TEXT_MAX}, .marks = source.marks};
    struct str names[2] = {expr->for_->key_name, expr->for_->value_name};
    struct value values[2], v;
    struct hcl_scope inner = {.parent = scope, .name = names, .value = values, .n = 2};
    while (ok && hcl_iteration_next(&it, &values[0], &values[1])) {
        ok = hcl_eval_expr(ev, expr->for_->value, &inner, &v);
        ok = join_part(ev, expr->for_->value, &v, &out) && ok;
    }
    if (out.unknown) /* hcl forgets those of the elements then */
        out.marks = source.marks;
    return finish(ev, expr, &out, ret) && ok;
}

/* --- conditions --- */

/* *ret: a bool, or unknown, of whatever type; what is in it where this fails is of no matter. */
static bool eval_condition(struct hcl_eval *ev, const struct hcl_expr *condition,
                           const struct hcl_scope *scope, struct value *ret)
{
    struct value v;
    struct str why;
    bool ok = hcl_eval_expr(ev, condition, scope, &v);
    *ret = v;
    if (v.kind == VALUE_NULL)
        return hcl_fail(ev, condition->range, "Null condition",
                        "The condition value is null. Conditions must either be true or false.");
    if (v.kind != VALUE_UNKNOWN && !hcl_convert(ev->arena, &v, &type_bool, ret, &why))
        return hcl_fail(ev, condition->range, "Incorrect condition type",
                        "The condition expression must be of type bool.");
    return ok;
}

/* A conditional of two texts; without %{else} the other one is empty. */
bool hcl_eval_template_if(struct hcl_eval *ev, const struct hcl_expr *expr,
                          const struct hcl_scope *scope, struct value *ret)
{
    struct hcl_expr nothing = {
        .kind = HCL_EXPR_STRING, .range = expr->range, .value = value_string(STR(""))};
    struct hcl_expr both = *expr;
    if (!both.cond.no)
        both.cond.no = &nothing;
    return hcl_eval_conditional(ev, &both, scope, ret);
}

bool hcl_eval_aside(struct hcl_eval *ev, const struct hcl_expr *expr, const struct hcl_scope *scope,
                    struct hcl_diags *diags, struct value *ret)
{
    struct hcl_diags *outer = ev->diags;
    *diags = (struct hcl_diags){.arena = ev->arena};
    ev->diags = diags;
    bool ok = hcl_eval_expr(ev, expr, scope, ret);
    ev->diags = outer;
    return ok;
}

void hcl_pass_on(struct hcl_eval *ev, const struct hcl_diags *from)
{
    for (size_t i = 0; i < from->n; i++) {
        const struct hcl_diag *d = &from->diag[i];
        hcl_diag_add(ev->diags, d->file, ev->text, d->warning, d->subject, d->summary, "%.*s",
                     STR_ARG(d->detail));
    }
}

static bool is_untyped_null(const struct value *v)
{
    return v->kind == VALUE_NULL && !v->type;
}

/* The one type that both branches become; dynamic: leave them as they are. NULL: none (reported).
 */
static const struct type *branch_type(struct hcl_eval *ev, const struct hcl_expr *expr,
                                      const struct value *yes, const struct value *no)
{
    const struct type *types[2] = {hcl_type_of(ev->arena, yes), hcl_type_of(ev->arena, no)};
    if (!types[0] || !types[1])
        return NULL;
    if (is_untyped_null(yes))
        return types[1];
    if (is_untyped_null(no))
        return types[0];
    if (types[0]->kind == TYPE_DYNAMIC || types[1]->kind == TYPE_DYNAMIC)
        return &type_dynamic;
    const struct type *common = hcl_unify(ev->arena, types, 2);
    if (!common && (hcl_is_open(yes) || hcl_is_open(no)))
        return &type_dynamic;
    if (!common)
        hcl_fail(ev, (struct hcl_range){expr->cond.yes->range.start, expr->cond.no->range.end},
                 "Inconsistent conditional result types",
                 "The true and false result expressions must have consistent types. %.*s.",
                 STR_ARG(hcl_branch_mismatch(ev->arena, types[0], types[1])));
    return common;
}

/* How many elements a value of a collection type has: no fewer, no more (-1: who knows). */
static void length_of(const struct value *v, int64_t *ret_least, int64_t *ret_most)
{
    bool known = v->kind == VALUE_LIST || v->kind == VALUE_MAP || v->kind == VALUE_SET;
    const struct value_unknown *unknown = v->kind == VALUE_UNKNOWN ? v->unknown : NULL;
    *ret_least = known ? v->len : unknown && unknown->len_least > 0 ? unknown->len_least : 0;
    *ret_most = known ? v->len : unknown ? unknown->len_most : -1;
}

/* What is known of c ? yes : no with c unknown, both as they were before they became `type`. */
static struct value either(struct hcl_eval *ev, const struct type *type, const struct value *yes,
                           const struct value *no)
{
    bool nulls = yes->kind == VALUE_NULL && no->kind == VALUE_NULL;
    bool numbers = yes->kind == VALUE_NUMBER && no->kind == VALUE_NUMBER && value_equal(yes, no);
    if (nulls)
        return hcl_null(type->kind == TYPE_DYNAMIC ? NULL : type);
    if (numbers)
        return *yes;
    if (type->kind == TYPE_DYNAMIC)
        return hcl_any();
    struct value out = hcl_unknown(ev->arena, type);
    struct value_unknown *known = arena_new(ev->arena, struct value_unknown, 1);
    if (!known || !out.unknown)
        return out;
    *known = *out.unknown;
    known->not_null = hcl_never_null(yes) && hcl_never_null(no);
    const struct type *types[2] = {hcl_type_of(ev->arena, yes), hcl_type_of(ev->arena, no)};
    bool collections =
        (type->kind == TYPE_LIST || type->kind == TYPE_SET || type->kind == TYPE_MAP) && types[0] &&
        types[1] && type_equal(types[0], types[1]);
    if (collections) {
        int64_t least[2], most[2];
        length_of(yes, &least[0], &most[0]);
        length_of(no, &least[1], &most[1]);
        known->len_least = least[0] < least[1] ? least[0] : least[1];
        known->len_most = most[0] < 0 || most[1] < 0 ? -1 : most[0] > most[1] ? most[0] : most[1];
        if (known->not_null)
            return hcl_unknown_length(ev->arena, type, known->len_least, known->len_most);
    }
    if (yes->kind == VALUE_NUMBER && no->kind == VALUE_NUMBER) {
        bool up = value_compare(yes, no) < 0;
        known->least = up ? yes : no;
        known->most = up ? no : yes;
        known->least_inclusive = known->most_inclusive = true;
        struct value *copies = arena_new(ev->arena, struct value, 2);
        if (copies) {
            copies[0] = *known->least;
            copies[1] = *known->most;
            known->least = &copies[0];
            known->most = &copies[1];
        }
    }
    out.unknown = known;
    return out;
}

bool hcl_eval_conditional(struct hcl_eval *ev, const struct hcl_expr *expr,
                          const struct hcl_scope *scope, struct value *ret)
{
    struct value condition, yes, no;
    struct hcl_diags yes_diags, no_diags;
    struct str why;
    /* A branch that is not taken is evaluated for its type; what goes wrong in it is dropped. */
    bool yes_ok = hcl_eval_aside(ev, expr->cond.yes, scope, &yes_diags, &yes);
    bool no_ok = hcl_eval_aside(ev, expr->cond.no, scope, &no_diags, &no);
    const struct type *type = branch_type(ev, expr, &yes, &no);
    if (!type)
        return false;
    bool ok = eval_condition(ev, expr->cond.condition, scope, &condition);
    bool known = condition.kind == VALUE_BOOL;
    uint8_t marks = condition.marks | yes.marks | no.marks;
    if (!known) {
        *ret = condition.kind == VALUE_UNKNOWN ? either(ev, type, &yes, &no)
                                               : hcl_unknown(ev->arena, type);
        ret->marks |= marks;
        return ok;
    }
    const struct value *taken = condition.truth ? &yes : &no;
    hcl_pass_on(ev, condition.truth ? &yes_diags : &no_diags);
    ok = ok && (condition.truth ? yes_ok : no_ok);
    if (!hcl_convert(ev->arena, taken, type, ret, &why)) {
        *ret = hcl_unknown(ev->arena, type);
        ok = hcl_fail(ev, condition.truth ? expr->cond.yes->range : expr->cond.no->range,
                      "Inconsistent conditional result types",
                      "The %s result value has the wrong type: %.*s.",
                      condition.truth ? "true" : "false", STR_ARG(why));
    }
    ret->marks |= marks;
    return ok;
}

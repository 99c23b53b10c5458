/* code_condition.c - preconditions, postconditions, assertions and validation rules. */
#include "desired/code_parts.h"

static const struct {
    const char *failed, *unknown;
} kinds[] = {
    [CODE_CONDITION_BEFORE] = {"Resource precondition failed", NULL},
    [CODE_CONDITION_AFTER] = {"Resource postcondition failed", NULL},
    [CODE_CONDITION_OUTPUT] = {"Module output value precondition failed", NULL},
    [CODE_CONDITION_CHECK] = {"Check block assertion failed",
                              "Check block assertion known after apply"},
};

static bool fault(const struct code_scope *scope, const struct code_expr *e, const char *summary,
                  struct str detail)
{
    code_say(scope->walk, e->file, e->expr->range, false, summary, "%.*s", STR_ARG(detail));
    return false;
}

static void warn(const struct code_scope *scope, const struct code_expr *e, const char *summary,
                 const char *detail)
{
    code_say(scope->walk, e->file, e->expr->range, true, summary, "%s", detail);
}

/* The message, or empty after a warning. False: an error. */
static bool message_of(const struct code_scope *scope, const struct code_expr *e, struct str *ret)
{
    struct arena *arena = &scope->walk->code->arena;
    struct value v, text;
    struct str why;
    *ret = STR("");
    if (!e->expr)
        return true;
    if (!code_eval_unchecked(scope, e->file, e->expr, &v))
        return false;
    if (!hcl_convert(arena, &v, &type_string, &text, &why))
        return fault(
            scope, e, "Invalid error message",
            arena_printf(arena, "Unsuitable value for error message: %.*s.", STR_ARG(why)));
    if (text.kind == VALUE_UNKNOWN)
        return true;
    if (text.kind == VALUE_NULL)
        return fault(scope, e, "Invalid error message",
                     STR("Unsuitable value for error message: must not be null."));
    if (text.marks & VALUE_SENSITIVE)
        warn(
            scope, e, "Error message refers to sensitive values",
            "The error expression used to explain this condition refers to sensitive values, so "
            "Terraform will not display the resulting message.\n\nYou can correct this by removing "
            "references to sensitive values, or by carefully using the nonsensitive() function if "
            "the expression will not reveal the sensitive data.");
    else if (text.marks & VALUE_EPHEMERAL)
        warn(
            scope, e, "Error message refers to ephemeral values",
            "The error expression used to explain this condition refers to ephemeral values, so "
            "Terraform will not display the resulting message.\n\nYou can correct this by removing "
            "references to ephemeral values, or by using the ephemeralasnull() function on the "
            "references to not reveal ephemeral data.");
    else
        *ret = str_trim(value_text(&text));
    return true;
}

static bool check_both(const struct code_scope *scope, const struct code_condition *c)
{
    struct code *code = scope->walk->code;
    bool fine = code_check_refs(scope, code_refs_of(code, c->condition.file, c->condition.expr));
    return code_check_refs(scope,
                           code_refs_of(code, c->error_message.file, c->error_message.expr)) &&
           fine;
}

/* Is it an apply that will tell? Not so of what a plan reads and we do not. */
static bool tells_later(const struct code_scope *scope, const struct value *condition)
{
    bool sees_all = !scope->unread && scope->walk->code->options.phase == CODE_PLAN;
    return sees_all || condition->marks & VALUE_PENDING;
}

static bool run_condition(const struct code_scope *scope, const struct code_condition *c,
                          enum code_condition_kind kind)
{
    struct arena *arena = &scope->walk->code->arena;
    struct str message, why;
    struct value v, result;
    if (!c->condition.expr || !check_both(scope, c))
        return false;
    bool fine = message_of(scope, &c->error_message, &message);
    if (!code_eval_unchecked(scope, c->condition.file, c->condition.expr, &v) || !fine)
        return false;
    if (v.kind == VALUE_UNKNOWN) {
        if (kinds[kind].unknown && tells_later(scope, &v))
            warn(scope, &c->condition, kinds[kind].unknown,
                 "The condition could not be evaluated at this time, a result will be known when "
                 "this plan is applied.");
        return true;
    }
    if (v.kind == VALUE_NULL)
        return fault(scope, &c->condition, "Invalid condition result",
                     STR("Condition expression must return either true or false, not null."));
    if (!hcl_convert(arena, &v, &type_bool, &result, &why))
        return fault(scope, &c->condition, "Invalid condition result",
                     arena_printf(arena, "Invalid condition result value: %.*s.", STR_ARG(why)));
    if (result.truth)
        return true;
    if (message.len == 0)
        message = STR("This check failed, but has an invalid error message as described in the "
                      "other accompanying messages.");
    code_say(scope->walk, c->condition.file, c->condition.expr->range, kind == CODE_CONDITION_CHECK,
             kinds[kind].failed, "%.*s", STR_ARG(message));
    return kind == CODE_CONDITION_CHECK;
}

bool code_run_conditions(const struct code_scope *scope, const struct code_conditions *list,
                         enum code_condition_kind kind)
{
    bool fine = true;
    for (size_t i = 0; i < list->n; i++)
        fine = run_condition(scope, &list->item[i], kind) && fine;
    return fine;
}

/* --- validation of variables --- */

static bool failed_rule(const struct code_scope *scope, const struct code_condition *c,
                        const struct code_place *subject, const struct value *message_value,
                        bool message_fine)
{
    struct arena *arena = &scope->walk->code->arena;
    const struct code_expr *e = &c->error_message;
    struct str text = STR(""), why;
    struct value message = *message_value;
    if (message.kind == VALUE_UNKNOWN && message_fine) {
        if (scope->walk->validate)
            return true;
        return fault(scope, e, "Invalid error message",
                     STR("Unsuitable value for error message: expression refers to values that "
                         "won't be known until the apply phase."));
    }
    if (message_fine && message.kind != VALUE_NULL) {
        if (!hcl_convert(arena, message_value, &type_string, &message, &why)) {
            (void)fault(
                scope, e, "Invalid error message",
                arena_printf(arena, "Unsuitable value for error message: %.*s.", STR_ARG(why)));
        } else if (message.marks & (VALUE_SENSITIVE | VALUE_EPHEMERAL)) {
            (void)fault(scope, e,
                        message.marks & VALUE_SENSITIVE
                            ? "Error message refers to sensitive values"
                            : "Error message refers to ephemeral values",
                        STR("The error expression used to explain this condition refers to values "
                            "that must not be shown. Terraform will not display the resulting "
                            "message."));
            text = STR("The error message included a sensitive value, so it will not be "
                       "displayed.");
        } else {
            text = str_trim(value_text(&message));
        }
    }
    if (text.len == 0)
        text = STR("Failed to evaluate condition error message.");
    code_say(scope->walk, subject->file, subject->range, false, "Invalid value for variable",
             "%.*s\n\nThis was checked by the validation rule at %.*s:%u.", STR_ARG(text),
             STR_ARG(c->place.file->name), c->place.line);
    return false;
}

bool code_run_rule(const struct code_scope *scope, const struct code_condition *c,
                   const struct code_place *subject)
{
    struct arena *arena = &scope->walk->code->arena;
    struct value v, message = value_null(), result;
    struct str why;
    if (!c->condition.expr)
        return true;
    bool fine = code_eval_unchecked(scope, c->condition.file, c->condition.expr, &v);
    bool message_fine =
        !c->error_message.expr ||
        code_eval_unchecked(scope, c->error_message.file, c->error_message.expr, &message);
    if (v.kind == VALUE_UNKNOWN)
        return fine && message_fine;
    if (v.kind == VALUE_NULL)
        return fault(scope, &c->condition, "Invalid variable validation result",
                     STR("Validation condition expression must return either true or false, not "
                         "null."));
    if (!hcl_convert(arena, &v, &type_bool, &result, &why))
        return fault(
            scope, &c->condition, "Invalid variable validation result",
            arena_printf(arena, "Invalid validation condition result value: %.*s.", STR_ARG(why)));
    if (result.truth)
        return fine && message_fine;
    return failed_rule(scope, c, subject, &message, message_fine);
}

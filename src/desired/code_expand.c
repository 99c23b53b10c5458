/* code_expand.c - count and for_each: which instances a block has, and what is wrong with asking
 * so. */
#include <string.h>

#include "desired/code_parts.h"
#include "lang/hcl/types.h"

static bool fault(const struct code_scope *scope, const struct code_expr *e, const char *summary,
                  const char *detail)
{
    code_say(scope->walk, e->file, e->expr->range, false, summary, "%s", detail);
    return false;
}

/* Where values may be missing, what cannot be known is no fault: there is no telling which
 * instances there are. */
static bool may_be_unknown(const struct code_scope *scope)
{
    return scope->walk->validate || scope->walk->code->options.phase == CODE_EXPLORE;
}

/* --- count --- */

static bool count_fault(const struct code_scope *scope, const struct code_expr *e,
                        const char *detail)
{
    return fault(scope, e, "Invalid count argument", detail);
}

static bool count_value(const struct code_scope *scope, const struct code_expr *e,
                        struct value *ret)
{
    struct value v;
    bool fine = code_eval(scope, e->file, e->expr, &type_number, &v);
    if (!fine)
        return false;
    if (v.marks & VALUE_EPHEMERAL)
        fine = count_fault(scope, e,
                           "The given \"count\" is derived from an ephemeral value, which means "
                           "that Terraform cannot persist it between plan/apply rounds. Use only "
                           "non-ephemeral values to specify the number of resource instances.");
    v.marks = 0;
    *ret = v;
    if (v.kind == VALUE_NULL)
        return count_fault(scope, e,
                           "The given \"count\" argument value is null. An integer is required.");
    return fine;
}

static bool expand_count(const struct code_scope *scope, const struct code_expr *e,
                         struct code_keys *ret)
{
    struct value v;
    int64_t n;
    ret->kind = CODE_KEY_COUNT;
    if (!count_value(scope, e, &v))
        return false;
    if (v.kind == VALUE_UNKNOWN)
        return may_be_unknown(scope) ||
               count_fault(
                   scope, e,
                   "The \"count\" value depends on resource attributes that cannot be "
                   "determined until apply, so Terraform cannot predict how many instances "
                   "will be created. To work around this, use the -target argument to first "
                   "apply only the resources that the count depends on.");
    if (!value_to_int64(&v, &n))
        return count_fault(scope, e,
                           "The given \"count\" argument value is unsuitable: value must be a "
                           "whole number, between -9223372036854775808 and 9223372036854775807 "
                           "inclusive.");
    if (n < 0)
        return count_fault(scope, e,
                           "The given \"count\" argument value is unsuitable: must be greater than "
                           "or equal to zero.");
    if (scope->walk->validate)
        return true;
    uint64_t most = scope->walk->code->options.limits.instances / 2;
    if ((uint64_t)n > most) {
        code_say(scope->walk, e->file, e->expr->range, false, "Too many instances",
                 "A count of %lld asks for more instances than the limit of %llu.", (long long)n,
                 (unsigned long long)most);
        return false;
    }
    struct code_each *each = arena_new(&scope->walk->code->arena, struct code_each, (size_t)n);
    if (!each)
        return false;
    for (int64_t i = 0; i < n; i++) {
        each[i] = (struct code_each){.kind = CODE_KEY_COUNT, .key = value_int(i)};
        each[i].key.precision = HCL_PREC_64;
    }
    *ret = (struct code_keys){CODE_KEY_COUNT, true, (size_t)n, each};
    return true;
}

/* --- for_each --- */

static bool each_fault(const struct code_scope *scope, const struct code_expr *e,
                       const char *detail)
{
    return fault(scope, e, "Invalid for_each argument", detail);
}

static bool each_known(const struct code_scope *scope, const struct code_expr *e,
                       const struct value *v, bool *ret_known)
{
    bool set = hcl_type_of(&scope->walk->code->arena, v)->kind == TYPE_SET;
    *ret_known = v->kind != VALUE_UNKNOWN && (!set || hcl_wholly_known(v));
    if (*ret_known || may_be_unknown(scope))
        return true;
    return each_fault(
        scope, e,
        set ? "The \"for_each\" set includes values derived from resource attributes that cannot "
              "be determined until apply, and so Terraform cannot determine the full set of keys "
              "that will identify the instances of this resource.\n\nWhen working with unknown "
              "values in for_each, it's better to use a map value where the keys are defined "
              "statically in your configuration and where only the values contain apply-time "
              "results.\n\nAlternatively, you could use the -target planning option to first apply "
              "only the resources that the for_each value depends on, and then apply a second time "
              "to fully converge."
            : "The \"for_each\" map includes keys derived from resource attributes that cannot be "
              "determined until apply, and so Terraform cannot determine the full set of keys that "
              "will identify the instances of this resource.\n\nWhen working with unknown values "
              "in for_each, it's better to define the map keys statically in your configuration "
              "and place apply-time results only in the map values.\n\nAlternatively, you could "
              "use the -target planning option to first apply only the resources that the for_each "
              "value depends on, and then apply a second time to fully converge.");
}

static bool each_marks(const struct code_scope *scope, const struct code_expr *e,
                       const struct value *v)
{
    bool fine = true;
    if (v->marks & VALUE_SENSITIVE)
        fine = each_fault(scope, e,
                          "Sensitive values, or values derived from sensitive values, cannot be "
                          "used as for_each arguments. If used, the sensitive value could be "
                          "exposed as a resource instance key.");
    if (v->marks & VALUE_EPHEMERAL)
        fine = each_fault(scope, e,
                          "The given \"for_each\" value is derived from an ephemeral value, which "
                          "means that Terraform cannot persist it between plan/apply rounds. Use "
                          "only non-ephemeral values to specify a resource's instance keys.");
    return fine;
}

static bool each_set(const struct code_scope *scope, const struct code_expr *e,
                     const struct value *v)
{
    struct arena *arena = &scope->walk->code->arena;
    const struct type *type = hcl_type_of(arena, v);
    if (!hcl_wholly_known(v))
        return true;
    if (type->elem->kind != TYPE_STRING)
        return fault(scope, e, "Invalid for_each set argument",
                     arena_printf(arena,
                                  "The given \"for_each\" argument value is unsuitable: "
                                  "\"for_each\" supports maps and sets of strings, but you have "
                                  "provided a set containing type %.*s.",
                                  STR_ARG(hcl_type_name(arena, type->elem)))
                         .ptr);
    for (uint32_t i = 0; i < v->len; i++)
        if (v->items[i].kind == VALUE_NULL)
            return fault(scope, e, "Invalid for_each set argument",
                         "The given \"for_each\" argument value is unsuitable: \"for_each\" sets "
                         "must not contain null values.");
    return true;
}

static bool each_valid(const struct code_scope *scope, const struct code_expr *e,
                       const struct value *v)
{
    struct arena *arena = &scope->walk->code->arena;
    const struct type *type = hcl_type_of(arena, v);
    if (!each_marks(scope, e, v))
        return false;
    if (v->kind == VALUE_NULL)
        return each_fault(scope, e,
                          "The given \"for_each\" argument value is unsuitable: the given "
                          "\"for_each\" argument value is null. A map, or set of strings is "
                          "allowed.");
    if (type->kind == TYPE_DYNAMIC)
        return true;
    if (type->kind != TYPE_MAP && type->kind != TYPE_SET && type->kind != TYPE_OBJECT)
        return each_fault(scope, e,
                          arena_printf(arena,
                                       "The given \"for_each\" argument value is unsuitable: the "
                                       "\"for_each\" argument must be a map, or set of strings, "
                                       "and you have provided a value of type %.*s.",
                                       STR_ARG(hcl_type_name(arena, type)))
                              .ptr);
    if (v->kind == VALUE_UNKNOWN || v->len == 0)
        return true;
    return type->kind != TYPE_SET || each_set(scope, e, v);
}

static bool fill_each(const struct code_scope *scope, const struct value *v, struct code_keys *ret)
{
    struct code_each *each = arena_new(&scope->walk->code->arena, struct code_each, v->len);
    const struct value *items =
        v->kind == VALUE_SET ? hcl_elements(&scope->walk->code->arena, v) : NULL;
    if (!each || (v->kind == VALUE_SET && v->len && !items))
        return false;
    for (uint32_t i = 0; i < v->len; i++) {
        each[i].kind = CODE_KEY_EACH;
        each[i].key = items ? items[i] : value_string(key_str(v->members[i].key));
        each[i].value = items ? items[i] : v->members[i].value;
    }
    *ret = (struct code_keys){CODE_KEY_EACH, true, v->len, each};
    return true;
}

static bool expand_each(const struct code_scope *scope, const struct code_expr *e,
                        struct code_keys *ret)
{
    struct value v;
    bool known;
    ret->kind = CODE_KEY_EACH;
    if (!code_eval(scope, e->file, e->expr, &type_dynamic, &v))
        return false;
    if (!each_known(scope, e, &v, &known) || !each_valid(scope, e, &v))
        return false;
    if (scope->walk->validate || !known)
        return true;
    uint64_t most = scope->walk->code->options.limits.instances / 2;
    if (v.len > most) {
        code_say(scope->walk, e->file, e->expr->range, false, "Too many instances",
                 "for_each has %u elements, the limit is %llu.", v.len, (unsigned long long)most);
        return false;
    }
    return fill_each(scope, &v, ret);
}

bool code_expand_enabled(const struct code_scope *scope, const struct code_expr *enabled,
                         struct code_keys *keys)
{
    static const char summary[] = "Invalid enabled argument";
    struct value v;
    if (!enabled->expr || keys->kind != CODE_KEY_NONE)
        return true;
    if (!code_eval(scope, enabled->file, enabled->expr, &type_dynamic, &v))
        return false;
    if (v.marks & VALUE_SENSITIVE)
        return fault(scope, enabled, summary,
                     "Sensitive values, or values derived from sensitive values, cannot be used in "
                     "\"enabled\" arguments. If used, the sensitive value would be exposed by "
                     "whether an instance is present.");
    if (v.marks & VALUE_EPHEMERAL || v.kind == VALUE_NULL)
        return fault(scope, enabled, summary,
                     v.kind == VALUE_NULL ? "The given \"enabled\" argument value is unsuitable: "
                                            "the given value is null."
                                          : "The given \"enabled\" argument value is unsuitable: "
                                            "the given value is ephemeral.");
    if (v.kind == VALUE_UNKNOWN) {
        keys->known = false;
        return may_be_unknown(scope) ||
               fault(scope, enabled, summary,
                     "The given \"enabled\" argument value is derived from a value that won't be "
                     "known until the apply phase, so OpenTofu cannot determine whether an "
                     "instance of this object is declared or not.");
    }
    if (!hcl_convert(scope->walk->code->ev.arena, &v, &type_bool, &v, NULL))
        return fault(scope, enabled, summary,
                     "The given \"enabled\" argument value is unsuitable: a bool is required.");
    keys->n = v.truth ? keys->n : 0;
    return true;
}

bool code_expand(const struct code_scope *scope, const struct code_expr *count,
                 const struct code_expr *for_each, struct code_keys *ret)
{
    *ret = (struct code_keys){.kind = CODE_KEY_NONE};
    if (count->expr)
        return expand_count(scope, count, ret);
    if (for_each->expr)
        return expand_each(scope, for_each, ret);
    struct code_each *each = arena_new(&scope->walk->code->arena, struct code_each, 1);
    *ret = (struct code_keys){CODE_KEY_NONE, true, 1, each};
    return each;
}

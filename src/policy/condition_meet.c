/* condition_meet.c - the operators of conditions: equals, contains, at_most, within ... */
#include "base/regex_re2.h"
#include "base/utf8.h"
#include "policy/condition.h"
#include "policy/network.h"
#include "policy/rule_judge.h"
#include "value/number.h"
#include "wire/json.h"

static enum rule_outcome outcome_of(bool met)
{
    return met ? RULE_MATCH : RULE_NO_MATCH;
}

static enum rule_outcome opposite(enum rule_outcome outcome)
{
    return outcome == RULE_MATCH ? RULE_NO_MATCH : outcome == RULE_NO_MATCH ? RULE_MATCH : outcome;
}

static bool is_unknown(const struct value *v)
{
    return v->kind == VALUE_UNKNOWN;
}

/* --- equals --- */

/* Some element equals the operand. */
static enum rule_outcome any_equal(const struct value *list, const struct value *operand)
{
    enum rule_outcome most = RULE_NO_MATCH;
    for (size_t i = 0; i < list->len && most != RULE_MATCH; i++) {
        enum rule_outcome one = condition_equal(&list->items[i], operand);
        if (one > most)
            most = one;
    }
    return most;
}

static enum rule_outcome lists_equal(const struct value *v, const struct value *operand)
{
    enum rule_outcome least = RULE_MATCH;
    if (v->len != operand->len)
        return v->kind == VALUE_SET && value_any_unknown(v) ? RULE_UNKNOWN : RULE_NO_MATCH;
    for (size_t i = 0; i < v->len && least != RULE_NO_MATCH; i++) {
        enum rule_outcome one = v->kind == VALUE_SET
                                    ? any_equal(v, &operand->items[i])
                                    : condition_equal(&v->items[i], &operand->items[i]);
        if (one < least)
            least = one;
    }
    return least;
}

static enum rule_outcome objects_equal(const struct value *v, const struct value *operand)
{
    static const struct value null = {.kind = VALUE_NULL};
    enum rule_outcome least = RULE_MATCH;
    for (size_t i = 0; i < operand->len; i++) {
        const struct value *member = value_get(v, key_str(operand->members[i].key));
        enum rule_outcome one =
            condition_equal(member ? member : &null, &operand->members[i].value);
        if (one < least)
            least = one;
    }
    for (size_t i = 0; i < v->len && least != RULE_NO_MATCH; i++) {
        const struct value *member = &v->members[i].value;
        if (member->kind == VALUE_NULL || value_get(operand, key_str(v->members[i].key)))
            continue;
        least = is_unknown(member) ? RULE_UNKNOWN : RULE_NO_MATCH;
    }
    return least;
}

/* Recursion ends with the operand, whose depth YAML_DEPTH_MAX bounds. */
enum rule_outcome condition_equal(const struct value *v, const struct value *operand)
{
    if (is_unknown(v))
        return RULE_UNKNOWN;
    if (value_is_list_like(v) && value_is_list_like(operand))
        return lists_equal(v, operand);
    if (value_is_object_like(v) && value_is_object_like(operand))
        return objects_equal(v, operand);
    if (v->kind != operand->kind)
        return RULE_NO_MATCH;
    return outcome_of(v->kind == VALUE_NULL || value_equal(v, operand));
}

/* --- the others --- */

static enum rule_outcome is_in(const struct value *v, const struct value *list)
{
    enum rule_outcome most = RULE_NO_MATCH;
    for (size_t i = 0; i < list->len && most != RULE_MATCH; i++) {
        enum rule_outcome one = condition_equal(v, &list->items[i]);
        if (one > most)
            most = one;
    }
    return most;
}

static enum rule_outcome contains(const struct value *v, const struct value *operand)
{
    if (value_is_list_like(v))
        return any_equal(v, operand);
    if (!value_is_string(operand))
        return RULE_NO_MATCH;
    if (value_is_object_like(v)) {
        if (value_get(v, value_text(operand)))
            return RULE_MATCH;
        return v->form == OBJECT_OPEN ? RULE_UNKNOWN : RULE_NO_MATCH;
    }
    return outcome_of(value_is_string(v) &&
                      str_find(value_text(v), value_text(operand), 0) != SIZE_MAX);
}

/* null, "", an empty list, set, map or object */
static bool is_empty(const struct value *v)
{
    bool holds = value_is_string(v) || value_is_list_like(v) || value_is_object_like(v);
    return v->kind == VALUE_NULL || (holds && v->len == 0);
}

/* A number, or a text that is one, against the operand. */
static enum rule_outcome compare(enum condition_operator op, const struct value *v,
                                 const struct value *operand)
{
    struct value number = *v;
    if (value_is_string(v)) {
        if (!number_is_valid(value_text(v)))
            return RULE_NO_MATCH;
        number = value_number(value_text(v));
    }
    if (number.kind != VALUE_NUMBER)
        return RULE_NO_MATCH;
    int order = number_compare(&number, operand);
    return outcome_of(op == OPERATOR_AT_MOST    ? order <= 0
                      : op == OPERATOR_AT_LEAST ? order >= 0
                      : op == OPERATOR_LESS     ? order < 0
                                                : order > 0);
}

/* "20-30", "22", "*", 22: as ports are written in firewall rules. */
static bool spans(const struct value *v, const struct value *operand)
{
    struct str low = value_is_string(v) ? str_trim(value_text(v)) : (struct str){0};
    size_t dash = str_find_char(low, '-', 1);
    int64_t from, to, n;
    if (!value_to_int64(operand, &n))
        return false;
    if (value_to_int64(v, &from))
        return n == from;
    if (str_equal(low, STR("*")))
        return true;
    struct str high = dash == SIZE_MAX ? low : str_sub(low, dash + 1, low.len);
    if (dash != SIZE_MAX)
        low.len = dash;
    return str_to_int64(str_trim(low), &from) && str_to_int64(str_trim(high), &to) && from <= n &&
           n <= to;
}

static bool network_meets(enum condition_operator op, const struct network *net,
                          const struct value *operand)
{
    size_t n = value_is_list_like(operand) ? operand->len : 1;
    for (size_t i = 0; i < n; i++) {
        struct network want;
        const struct value *item = value_is_list_like(operand) ? &operand->items[i] : operand;
        if (network_parse(value_text(item), &want) &&
            (op == OPERATOR_WITHIN ? network_within(net, &want) : network_overlaps(net, &want)))
            return true;
    }
    return false;
}

static enum rule_outcome text_in_networks(enum condition_operator op, const struct value *v,
                                          const struct value *operand)
{
    struct network net;
    if (is_unknown(v))
        return RULE_UNKNOWN;
    return outcome_of(value_is_string(v) && network_parse(value_text(v), &net) &&
                      network_meets(op, &net, operand));
}

/* A list is within when all of it is, and overlaps when some of it does. */
static enum rule_outcome in_networks(enum condition_operator op, const struct value *v,
                                     const struct value *operand)
{
    bool all = op == OPERATOR_WITHIN;
    if (!value_is_list_like(v))
        return text_in_networks(op, v, operand);
    enum rule_outcome outcome = outcome_of(all);
    for (size_t i = 0; i < v->len; i++) {
        enum rule_outcome one = text_in_networks(op, &v->items[i], operand);
        if (all ? one < outcome : one > outcome)
            outcome = one;
    }
    return outcome;
}

static enum rule_outcome matches(const struct condition *test, const struct value *v)
{
    return outcome_of(value_is_string(v) && test->regex &&
                      regex_match(test->regex, value_text(v), 0, NULL, 0));
}

enum rule_outcome condition_test(const struct condition *test, const struct value *v)
{
    const struct value *operand = &test->operand;
    if (is_unknown(v))
        return RULE_UNKNOWN;
    switch (test->op) {
    case OPERATOR_EQUALS:
        return condition_equal(v, operand);
    case OPERATOR_NOT_EQUALS:
        return opposite(condition_equal(v, operand));
    case OPERATOR_IN:
        return is_in(v, operand);
    case OPERATOR_NOT_IN:
        return opposite(is_in(v, operand));
    case OPERATOR_MATCHES:
        return matches(test, v);
    case OPERATOR_NOT_MATCHES:
        return opposite(matches(test, v));
    case OPERATOR_CONTAINS:
        return contains(v, operand);
    case OPERATOR_NOT_CONTAINS:
        return opposite(contains(v, operand));
    case OPERATOR_EXISTS:
        return outcome_of((v->kind != VALUE_NULL) == operand->truth);
    case OPERATOR_EMPTY:
        return outcome_of(is_empty(v) == operand->truth);
    case OPERATOR_AT_MOST:
    case OPERATOR_AT_LEAST:
    case OPERATOR_LESS:
    case OPERATOR_MORE:
        return compare(test->op, v, operand);
    case OPERATOR_SPANS:
        return outcome_of(spans(v, operand));
    case OPERATOR_WITHIN:
    case OPERATOR_OVERLAPS:
        return in_networks(test->op, v, operand);
    case OPERATOR_COUNT:
        break;
    }
    return RULE_NO_MATCH;
}

/* --- for people --- */

struct str rule_value_text(struct arena *arena, const struct value *v)
{
    enum { TEXT_MAX = 80, JSON_MAX = 1 << 16 };
    AUTO_BUF out = {.limit = JSON_MAX};
    struct jsonw w = {.out = &out};
    if (value_any_sensitive(v))
        return STR("(sensitive)");
    if (v->kind == VALUE_UNKNOWN)
        return STR("(known after apply)");
    jsonw_value(&w, v);
    if (out.failed)
        return arena_printf(arena, "a %s of %u", value_plain_kind_name(v->kind), v->len);
    struct str text = buf_view(&out);
    if (text.len <= TEXT_MAX)
        return arena_dup(arena, text);
    size_t cut = TEXT_MAX;
    while (cut > 0 && ((unsigned char)text.ptr[cut] & 0xc0) == 0x80)
        cut--;
    return arena_printf(arena, "%.*s...", (int)cut, text.ptr);
}

struct str condition_text(struct arena *arena, const struct condition *test, struct str path,
                          const struct value *v, bool sensitive, bool held)
{
    static const char *const names[] = {
#define X(constant, key, want) [constant] = key,
        CONDITION_OPERATORS(X)
#undef X
    };
    struct str name = path.len ? path : STR("the value");
    if (sensitive || value_any_sensitive(v))
        return arena_printf(arena, "%.*s is (sensitive)", STR_ARG(name));
    if (v->kind == VALUE_NULL)
        return arena_printf(arena, "%.*s is not set", STR_ARG(name));
    struct str is = rule_value_text(arena, v), operand = rule_value_text(arena, &test->operand);
    if (!is.ptr || !operand.ptr)
        return (struct str){0};
    if (test->op == OPERATOR_EQUALS && held)
        return arena_printf(arena, "%.*s is %.*s", STR_ARG(name), STR_ARG(is));
    return arena_printf(arena, "%.*s is %.*s (%s%s %.*s)", STR_ARG(name), STR_ARG(is),
                        held ? "" : "not ", names[test->op], STR_ARG(operand));
}

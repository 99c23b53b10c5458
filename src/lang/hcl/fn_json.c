/* fn_json.c - jsonencode and jsondecode. */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"
#include "lang/hcl/encode.h"
#include "lang/hcl/ops.h"
#include "lang/hcl/types.h"
#include "wire/json.h"

/* --- jsonencode --- */

/* How the text of a value that is not known yet will begin, where that is certain. */
static struct str first_character(const struct type *type)
{
    switch (type->kind) {
    case TYPE_STRING:
        return STR("\"");
    case TYPE_OBJECT:
    case TYPE_MAP:
        return STR("{");
    case TYPE_TUPLE:
    case TYPE_LIST:
    case TYPE_SET:
        return STR("[");
    default:
        return STR("");
    }
}

static bool unknown_text(struct hcl_call *call, struct value *ret)
{
    const struct value *v = &call->arg[0];
    const struct type *type = hcl_type_of(call->ev->arena, v);
    struct value_unknown *known = arena_new(call->ev->arena, struct value_unknown, 1);
    if (!type || !known)
        return false;
    *known = (struct value_unknown){
        .type = &type_string, .not_null = true, .len_least = -1, .len_most = -1};
    if (hcl_never_null(v))
        known->prefix = first_character(type);
    *ret = value_unknown(known);
    return true;
}

static bool run_jsonencode(struct hcl_call *call, struct value *ret)
{
    struct str text;
    if (!hcl_wholly_known(&call->arg[0]))
        return unknown_text(call, ret);
    if (!hcl_json_encode(call->ev->arena, &call->arg[0], &text, &call->why))
        return false;
    *ret = value_string(text);
    return true;
}

/* --- jsondecode --- */

/* What the first character of a text that is not known yet tells about the result. */
static const struct type *jsondecode_type(struct hcl_call *call)
{
    const struct value *v = &call->arg[0];
    if (v->kind != VALUE_UNKNOWN || !v->unknown)
        return &type_dynamic;
    struct str prefix = str_trim(v->unknown->prefix);
    switch (prefix.len ? prefix.ptr[0] : 'n') {
    case '{':
    case '[':
    case 'n':
        return &type_dynamic;
    case '"':
        return &type_string;
    case 't':
    case 'f':
        return &type_bool;
    case '-':
    case '.':
        return &type_number;
    default:
        if (prefix.ptr[0] >= '0' && prefix.ptr[0] <= '9')
            return &type_number;
        (void)hcl_call_fail(call, 0, "a JSON document cannot begin with the character '%c'",
                            prefix.ptr[0]);
        return NULL;
    }
}

/* Numbers as the language rounds them; the tree's own arrays are rewritten into new ones. */
static bool exact_numbers(struct hcl_call *call, const struct value *v, unsigned depth_left,
                          struct value *ret)
{
    struct arena *arena = call->ev->arena;
    *ret = *v;
    if (depth_left == 0)
        return hcl_call_fail(call, -1, "exceeded max depth");
    if (v->kind == VALUE_NUMBER && v->form == NUMBER_TEXT)
        return hcl_parse_number(arena, value_text(v), ret) ||
               hcl_call_fail(call, -1, "a number is required");
    if (value_is_list_like(v) && v->len) {
        struct value *items = arena_new_raw(arena, struct value, v->len);
        for (uint32_t i = 0; items && i < v->len; i++)
            if (!exact_numbers(call, &v->items[i], depth_left - 1, &items[i]))
                return false;
        ret->items = items;
        return items;
    }
    if (value_is_object_like(v) && v->len) {
        struct value_member *members = arena_new_raw(arena, struct value_member, v->len);
        for (uint32_t i = 0; members && i < v->len; i++) {
            members[i].key = v->members[i].key;
            if (!exact_numbers(call, &v->members[i].value, depth_left - 1, &members[i].value))
                return false;
        }
        ret->members = members;
        return members;
    }
    return true;
}

/* The code unit of an escape with u at `at`, or -1. */
static int code_unit(struct str s, size_t at)
{
    int unit = 0;
    if (at + 6 > s.len || s.ptr[at] != '\\' || s.ptr[at + 1] != 'u')
        return -1;
    for (size_t i = at + 2; i < at + 6; i++) {
        int c = s.ptr[i] | 32;
        int digit = s.ptr[i] >= '0' && s.ptr[i] <= '9' ? s.ptr[i] - '0'
                    : c >= 'a' && c <= 'f'             ? c - 'a' + 10
                                                       : -1;
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

/* Escaped halves of surrogate pairs that stand alone become U+FFFD, as Go reads them. */
static struct str mend_surrogates(struct arena *arena, struct str text)
{
    char *copy = NULL;
    for (size_t at = 0; at + 1 < text.len; at++) {
        if (text.ptr[at] != '\\')
            continue;
        int unit = code_unit(text, at), next = unit < 0 ? -1 : code_unit(text, at + 6);
        bool pair = unit >= 0xd800 && unit < 0xdc00 && next >= 0xdc00 && next < 0xe000;
        if (unit >= 0xd800 && unit < 0xe000 && !pair) {
            if (!copy && !(copy = arena_alloc_raw(arena, text.len, 1, 1)))
                return (struct str){0};
            if (text.ptr != copy)
                memcpy(copy, text.ptr, text.len);
            text.ptr = copy;
            memcpy(copy + at + 2, "fffd", 4);
        }
        at += pair ? 11 : unit >= 0 ? 5 : 1;
    }
    return text;
}

static bool run_jsondecode(struct hcl_call *call, struct value *ret)
{
    struct err err = {0};
    struct value parsed;
    struct str text = mend_surrogates(call->ev->arena, value_text(&call->arg[0]));
    if (!text.ptr && call->arg[0].len)
        return false;
    if (!json_parse(call->ev->arena, text, "line", JSON_DUPLICATES_LAST | JSON_NFC, &parsed, &err))
        return hcl_call_fail(call, -1, "%s", err.frame[0]);
    return exact_numbers(call, &parsed, VALUE_DEPTH_MAX + 1, ret);
}

static const struct hcl_function functions[] = {
    {.name = "jsonencode",
     .param = {{"val", "any", PARAM_NULL | PARAM_UNKNOWN | PARAM_DYNAMIC}},
     .result = "string",
     .run = run_jsonencode,
     .result_not_null = 1},
    {.name = "jsondecode",
     .param = {{"str", "string", 0}},
     .type = jsondecode_type,
     .run = run_jsondecode},
};

const struct hcl_function_family fn_json = {functions, sizeof functions / sizeof *functions};

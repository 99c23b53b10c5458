/* builtin_schema.c - json.match_schema, json.verify_schema: JSON Schema, drafts 4 to 7.
 *
 * References go to places of the same schema only ("#/definitions/x").
 * Source: the JSON Schema validation drafts; the texts are those of OPA's validator
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/regex_re2.h"
#include "base/utf8.h"
#include "lang/rego/builtin.h"
#include "lang/rego/schema_format.h"
#include "wire/json.h"

enum { SCHEMA_DEPTH_MAX = 200, SCHEMA_ERRORS_MAX = 1000 };

struct check {
    struct rego_call *call;
    const struct value *root; /* of the schema */
    struct value *error;
    size_t n, room;
    bool stopped; /* memory or budget is out, or the schema is wrong (call->why) */
};
/* A part of the document with its place: "(Root)", "a.0". */
struct at {
    const struct value *v;
    struct str field;
};

static const struct value *get(const struct value *object, const char *name)
{
    struct value key = value_string(str_from(name));
    return rego_is_object(object) ? rego_get(object, &key) : NULL;
}

static struct at below(struct check *c, struct at at, struct str name, const struct value *v)
{
    bool root = str_equal(at.field, STR("(Root)"));
    struct str field =
        root ? arena_dup(c->call->arena, name)
             : arena_printf(c->call->arena, "%.*s.%.*s", STR_ARG(at.field), STR_ARG(name));
    c->stopped |= !field.ptr;
    return (struct at){v, field};
}

__attribute__((format(printf, 4, 5))) static void add(struct check *c, struct at at,
                                                      const char *type, const char *fmt, ...)
{
    va_list args;
    size_t clash;
    struct arena *arena = c->call->arena;
    struct rego_pair *pairs = arena_new(arena, struct rego_pair, 4);
    va_start(args, fmt);
    struct str desc = arena_vprintf(arena, fmt, args);
    va_end(args);
    struct str text = arena_printf(arena, "%.*s: %.*s", STR_ARG(at.field), STR_ARG(desc));
    c->error = arena_grow(arena, c->error, c->n, &c->room, c->n + 1);
    if (!pairs || !desc.ptr || !text.ptr || !c->error || c->n >= SCHEMA_ERRORS_MAX) {
        c->stopped = true;
        return;
    }
    pairs[0] = (struct rego_pair){value_string(STR("desc")), value_string(desc)};
    pairs[1] = (struct rego_pair){value_string(STR("error")), value_string(text)};
    pairs[2] = (struct rego_pair){value_string(STR("field")), value_string(at.field)};
    pairs[3] = (struct rego_pair){value_string(STR("type")), value_string(str_from(type))};
    (void)rego_make_object(pairs, 4, &c->error[c->n++], &clash);
}

static struct str json_text(struct check *c, const struct value *v)
{
    AUTO_BUF out = {.limit = 1 << 20};
    rego_json(&out, v);
    return arena_dup(c->call->arena, buf_view(&out));
}

static void validate(struct check *c, const struct value *schema, struct at at, unsigned depth);

/* Does it fit, without a word about why not? */
static bool fits(struct check *c, const struct value *schema, struct at at, unsigned depth)
{
    struct check inner = {.call = c->call, .root = c->root};
    validate(&inner, schema, at, depth);
    c->stopped |= inner.stopped;
    return inner.n == 0;
}

/* --- types --- */

static const char *type_of(const struct value *v)
{
    if (v->kind == VALUE_NUMBER)
        return rego_is_integer(v) ? "integer" : "number";
    return rego_type_name(v);
}
static bool is_type(const struct value *v, struct str name)
{
    return str_equal(name, str_from(type_of(v))) ||
           (v->kind == VALUE_NUMBER && str_equal(name, STR("number")));
}

static bool check_type(struct check *c, const struct value *schema, struct at at)
{
    const struct value *type = get(schema, "type");
    AUTO_BUF names = {.limit = 1 << 12};
    if (!type)
        return true;
    size_t n = type->kind == VALUE_STRING ? 1 : type->len;
    const struct value *name = type->kind == VALUE_STRING ? type : type->items;
    for (size_t i = 0; i < n; i++) {
        if (is_type(at.v, value_text(&name[i])))
            return true;
        if (i)
            buf_char(&names, ',');
        buf_str(&names, value_text(&name[i]));
    }
    add(c, at, "invalid_type", "Invalid type. Expected: %.*s, given: %s", STR_ARG(buf_view(&names)),
        type_of(at.v));
    return false;
}

/* --- combinations --- */

static size_t count_fitting(struct check *c, const struct value *list, struct at at, unsigned depth)
{
    size_t n = 0;
    for (uint32_t i = 0; i < list->len && !c->stopped; i++)
        n += fits(c, &list->items[i], at, depth);
    return n;
}

static void check_combinations(struct check *c, const struct value *schema, struct at at,
                               unsigned depth)
{
    const struct value *any = get(schema, "anyOf"), *one = get(schema, "oneOf");
    const struct value *all = get(schema, "allOf"), *none = get(schema, "not");
    const struct value *condition = get(schema, "if");
    if (any && count_fitting(c, any, at, depth) == 0)
        add(c, at, "number_any_of", "Must validate at least one schema (anyOf)");
    if (one && count_fitting(c, one, at, depth) != 1)
        add(c, at, "number_one_of", "Must validate one and only one schema (oneOf)");
    size_t before = c->n;
    for (uint32_t i = 0; all && i < all->len; i++)
        validate(c, &all->items[i], at, depth);
    if (c->n > before)
        add(c, at, "number_all_of", "Must validate all the schemas (allOf)");
    if (none && fits(c, none, at, depth))
        add(c, at, "number_not", "Must not validate the schema (not)");
    if (!condition)
        return;
    bool yes = fits(c, condition, at, depth);
    const struct value *branch = get(schema, yes ? "then" : "else");
    if (branch && !fits(c, branch, at, depth)) {
        add(c, at, yes ? "condition_then" : "condition_else",
            "Must validate \"%s\" as \"if\" was %s", yes ? "then" : "else",
            yes ? "valid" : "not valid");
        validate(c, branch, at, depth);
    }
}

static void check_values(struct check *c, const struct value *schema, struct at at)
{
    const struct value *fixed = get(schema, "const"), *list = get(schema, "enum");
    AUTO_BUF names = {.limit = 1 << 20};
    if (fixed && !rego_equal(fixed, at.v)) {
        struct str want = json_text(c, fixed);
        add(c, at, "const", "%.*s does not match: %.*s", STR_ARG(at.field), STR_ARG(want));
    }
    for (uint32_t i = 0; list && i < list->len; i++) {
        if (rego_equal(&list->items[i], at.v))
            return;
        if (i)
            buf_str(&names, STR(", "));
        rego_json(&names, &list->items[i]);
    }
    if (list)
        add(c, at, "enum", "%.*s must be one of the following: %.*s", STR_ARG(at.field),
            STR_ARG(buf_view(&names)));
}

static void check_format(struct check *c, const struct value *schema, struct at at)
{
    const struct value *format = get(schema, "format");
    if (value_is_string(format) && at.v->kind == VALUE_STRING &&
        !rego_is_format(value_text(format), value_text(at.v)))
        add(c, at, "format", "Does not match format '%.*s'", STR_ARG(value_text(format)));
}

/* --- bounds --- */

static void check_count(struct check *c, const struct value *schema, struct at at, int64_t n,
                        const char *const keyword[2], const char *const type[2],
                        const char *const text[2])
{
    for (size_t i = 0; i < 2; i++) {
        const struct value *limit = get(schema, keyword[i]);
        int64_t bound;
        if (!limit || !rego_to_int64(limit, &bound) || (i ? n <= bound : n >= bound))
            continue;
        struct str number = json_text(c, limit);
        add(c, at, type[i], "%s %.*s%s", text[i], STR_ARG(number),
            strstr(type[i], "items")        ? " items"
            : strstr(type[i], "properties") ? " properties"
                                            : "");
    }
}

static bool matches(struct check *c, struct str pattern, struct str text)
{
    char why[200];
    struct str group;
    struct regex *regex = regex_open(pattern, why, sizeof why);
    if (!regex) {
        if (!c->call->why.ptr)
            (void)rego_fail(c->call, "pattern must be a valid regex: %s", why);
        c->stopped = true;
        return true;
    }
    bool ok = regex_match(regex, text, 0, &group, 1);
    regex_close(regex);
    return ok;
}

static int64_t characters(struct str s)
{
    int64_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
    return n;
}

static void check_string(struct check *c, const struct value *schema, struct at at)
{
    static const char *const keyword[] = {"minLength", "maxLength"};
    static const char *const type[] = {"string_gte", "string_lte"};
    static const char *const text[] = {"String length must be greater than or equal to",
                                       "String length must be less than or equal to"};
    const struct value *pattern = get(schema, "pattern");
    check_count(c, schema, at, characters(value_text(at.v)), keyword, type, text);
    if (value_is_string(pattern) && !matches(c, value_text(pattern), value_text(at.v)))
        add(c, at, "pattern", "Does not match pattern '%.*s'", STR_ARG(value_text(pattern)));
}

static void check_number(struct check *c, const struct value *schema, struct at at)
{
    static const struct {
        const char *keyword, *old, *type, *text; /* old: draft 4's flag that makes it exclusive */
        int sign;
        bool exclusive;
    } bounds[] = {
        {"minimum", "exclusiveMinimum", "number_gte", "Must be greater than or equal to", -1,
         false},
        {"exclusiveMinimum", NULL, "number_gt", "Must be greater than", -1, true},
        {"maximum", "exclusiveMaximum", "number_lte", "Must be less than or equal to", 1, false},
        {"exclusiveMaximum", NULL, "number_lt", "Must be less than", 1, true},
    };
    const struct value *step = get(schema, "multipleOf");
    struct value rest;
    const char *why;
    if (step && rego_arith(c->call->arena, REGO_DIV, at.v, step, &rest, &why) &&
        !rego_is_integer(&rest)) {
        struct str number = json_text(c, step);
        add(c, at, "multiple_of", "Must be a multiple of %.*s", STR_ARG(number));
    }
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        const struct value *bound = get(schema, bounds[i].keyword);
        const struct value *flag = bounds[i].old ? get(schema, bounds[i].old) : NULL;
        bool strict = flag && flag->kind == VALUE_BOOL && flag->truth;
        if (!bound || bound->kind != VALUE_NUMBER)
            continue;
        int by = rego_compare(at.v, bound) * bounds[i].sign;
        size_t as = strict ? i + 1 : i; /* its exclusive brother */
        struct str number = json_text(c, bound);
        if (by > 0 || (by == 0 && bounds[as].exclusive))
            add(c, at, bounds[as].type, "%s %.*s", bounds[as].text, STR_ARG(number));
    }
}

/* --- arrays and objects --- */

static void check_array(struct check *c, const struct value *schema, struct at at, unsigned depth)
{
    static const char *const keyword[] = {"minItems", "maxItems"};
    static const char *const type[] = {"array_min_items", "array_max_items"};
    static const char *const text[] = {"Array must have at least", "Array must have at most"};
    const struct value *items = get(schema, "items"), *more = get(schema, "additionalItems");
    const struct value *unique = get(schema, "uniqueItems"), *contains = get(schema, "contains");
    check_count(c, schema, at, at.v->len, keyword, type, text);
    for (uint32_t i = 0; unique && unique->kind == VALUE_BOOL && unique->truth && i < at.v->len;
         i++)
        for (uint32_t j = i + 1; j < at.v->len; j++)
            if (rego_equal(&at.v->items[i], &at.v->items[j]))
                add(c, at, "unique", "array items[%u,%u] must be unique", i, j);
    bool found = !contains;
    for (uint32_t i = 0; i < at.v->len && !c->stopped; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "%u", i);
        struct at item = below(c, at, str_from(name), &at.v->items[i]);
        const struct value *one = !items                  ? NULL
                                  : !rego_is_array(items) ? items
                                  : i < items->len        ? &items->items[i]
                                                          : more;
        if (one && one == more && one->kind == VALUE_BOOL && !one->truth) {
            add(c, at, "array_no_additional_items", "No additional items allowed on array");
            break;
        }
        if (one)
            validate(c, one, item, depth);
        found = found || fits(c, contains, item, depth);
    }
    if (!found)
        add(c, at, "contains", "At least one of the items must match");
}

/* Properties that are named or fit a pattern; the rest is up to additionalProperties. */
static void check_property(struct check *c, const struct value *schema, struct at at,
                           const struct value *name, const struct value *v, unsigned depth)
{
    const struct value *named = get(schema, "properties"),
                       *more = get(schema, "additionalProperties");
    const struct value *patterns = get(schema, "patternProperties");
    const struct value *own = named ? rego_get(named, name) : NULL;
    struct at item = below(c, at, value_text(name), v);
    struct value key, inner;
    bool known = own != NULL;
    if (own)
        validate(c, own, item, depth);
    for (size_t i = 0; patterns && rego_next(patterns, &i, &key, &inner);)
        if (matches(c, value_text(&key), value_text(name))) {
            known = true;
            validate(c, &inner, item, depth);
        }
    if (known || !more)
        return;
    if (more->kind == VALUE_BOOL && !more->truth)
        add(c, at, "additional_property_not_allowed", "Additional property %.*s is not allowed",
            STR_ARG(value_text(name)));
    else
        validate(c, more, item, depth);
}

static void check_object(struct check *c, const struct value *schema, struct at at, unsigned depth)
{
    static const char *const keyword[] = {"minProperties", "maxProperties"};
    static const char *const type[] = {"array_min_properties", "array_max_properties"};
    static const char *const text[] = {"Must have at least", "Must have at most"};
    const struct value *required = get(schema, "required"), *names = get(schema, "propertyNames");
    struct value key, v;
    check_count(c, schema, at, at.v->len, keyword, type, text);
    for (uint32_t i = 0; required && i < required->len && rego_is_array(required); i++)
        if (!rego_get(at.v, &required->items[i]))
            add(c, at, "required", "%.*s is required", STR_ARG(value_text(&required->items[i])));
    for (size_t i = 0; !c->stopped && rego_next(at.v, &i, &key, &v);) {
        if (key.kind != VALUE_STRING)
            continue;
        struct at name = {&key, at.field};
        if (names && !fits(c, names, name, depth))
            add(c, at, "invalid_property_name", "Property name of \"%.*s\" does not match",
                STR_ARG(value_text(&key)));
        check_property(c, schema, at, &key, &v, depth);
    }
}

/* What must be there, or hold, where a property is there. */
static void check_dependencies(struct check *c, const struct value *schema, struct at at,
                               unsigned depth)
{
    const struct value *all = get(schema, "dependencies");
    struct value key, needs;
    for (size_t i = 0; all && !c->stopped && rego_next(all, &i, &key, &needs);) {
        if (!rego_get(at.v, &key))
            continue;
        if (!rego_is_array(&needs))
            validate(c, &needs, at, depth);
        for (uint32_t k = 0; rego_is_array(&needs) && k < needs.len; k++)
            if (!rego_get(at.v, &needs.items[k]))
                add(c, at, "missing_dependency", "Has a dependency on %.*s",
                    STR_ARG(value_text(&needs.items[k])));
    }
}

/* --- a schema --- */

/* "#/definitions/x" from the root; NULL = there is no such place. */
static const struct value *resolve(struct check *c, struct str ref)
{
    const struct value *v = c->root;
    struct str part;
    if (!str_starts(ref, STR("#")))
        return NULL;
    ref = str_sub(ref, ref.len > 1 && ref.ptr[1] == '/' ? 2 : 1, ref.len);
    while (v && ref.len) {
        (void)str_cut(&ref, '/', &part);
        struct value key = value_string(part);
        v = rego_is_object(v) ? rego_get(v, &key) : NULL;
    }
    return v;
}

static void validate(struct check *c, const struct value *schema, struct at at, unsigned depth)
{
    struct rego_call *call = c->call;
    const struct value *ref = get(schema, "$ref");
    if (c->stopped || depth == 0 || (call->spend && !call->spend(call->spend_ctx, 1))) {
        c->stopped = true;
        return;
    }
    if (schema->kind == VALUE_BOOL) {
        if (!schema->truth)
            add(c, at, "false", "False always fails validation");
        return;
    }
    if (value_is_string(ref)) {
        const struct value *target = resolve(c, value_text(ref));
        if (target)
            validate(c, target, at, depth - 1);
        c->stopped |= !target;
        return;
    }
    if (!check_type(c, schema, at))
        return;
    check_combinations(c, schema, at, depth - 1);
    if (rego_is_object(at.v))
        check_dependencies(c, schema, at, depth - 1);
    check_values(c, schema, at);
    check_format(c, schema, at);
    if (at.v->kind == VALUE_STRING)
        check_string(c, schema, at);
    else if (at.v->kind == VALUE_NUMBER)
        check_number(c, schema, at);
    else if (rego_is_array(at.v))
        check_array(c, schema, at, depth - 1);
    else if (rego_is_object(at.v))
        check_object(c, schema, at, depth - 1);
}

/* --- is it a schema? --- */

__attribute__((format(printf, 2, 3))) static bool wrong(struct check *c, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    if (!c->call->why.ptr)
        c->call->why = arena_vprintf(c->call->arena, fmt, args);
    va_end(args);
    return false;
}

static bool known_type(struct check *c, const struct value *v)
{
    static const char *const names[] = {"array", "boolean", "integer", "number",
                                        "null",  "object",  "string"};
    for (size_t i = 0; value_is_string(v) && i < sizeof names / sizeof *names; i++)
        if (str_equal(value_text(v), str_from(names[i])))
            return true;
    if (!value_is_string(v))
        return wrong(c, "Invalid type. Expected: type, given: string/Array Of Strings");
    if (!c->call->why.ptr)
        (void)rego_fail(c->call,
                        "has a primitive type that is NOT VALID -- given: /%.*s/ Expected valid "
                        "values are:[array boolean integer number null object string]",
                        STR_ARG(value_text(v)));
    return false;
}

static bool well_formed(struct check *c, const struct value *schema, unsigned depth);

static bool all_well_formed(struct check *c, const struct value *list, unsigned depth)
{
    struct value key, v;
    for (size_t at = 0; rego_next(list, &at, &key, &v);)
        if (!well_formed(c, &v, depth))
            return false;
    return true;
}

static bool dependencies_well_formed(struct check *c, const struct value *all, unsigned depth)
{
    struct value key, v;
    if (!rego_is_object(all))
        return wrong(c, "dependencies must be of type object");
    for (size_t at = 0; rego_next(all, &at, &key, &v);) {
        bool names = rego_is_array(&v);
        for (uint32_t i = 0; rego_is_array(&v) && i < v.len; i++)
            names = names && value_is_string(&v.items[i]);
        if (!names && v.kind != VALUE_BOOL && !rego_is_object(&v))
            return wrong(c, "Dependency must be of type Schema Or Array Of Strings");
        if (!names && !well_formed(c, &v, depth))
            return false;
    }
    return true;
}

static bool well_formed(struct check *c, const struct value *schema, unsigned depth)
{
    static const char *const maps[] = {"properties", "patternProperties", "definitions"};
    static const char *const lists[] = {"anyOf", "oneOf", "allOf"};
    static const char *const singles[] = {"items", "not", "additionalProperties", "contains"};
    const struct value *type = get(schema, "type"), *part = get(schema, "$ref");
    if (depth == 0 || (!rego_is_object(schema) && schema->kind != VALUE_BOOL))
        return wrong(c, "schema is invalid");
    if (part && (!value_is_string(part) || !resolve(c, value_text(part))))
        return wrong(c, "Could not find the object that $ref names");
    if (type && rego_is_array(type)) {
        for (uint32_t i = 0; i < type->len; i++)
            if (!known_type(c, &type->items[i]))
                return false;
    } else if (type && !known_type(c, type)) {
        return false;
    }
    for (size_t i = 0; i < 3; i++) {
        part = get(schema, maps[i]);
        if (part && (!rego_is_object(part) || !all_well_formed(c, part, depth - 1)))
            return wrong(c, "%s must be of type object", maps[i]);
        part = get(schema, lists[i]);
        if (part && (!rego_is_array(part) || !all_well_formed(c, part, depth - 1)))
            return wrong(c, "%s must be of an array", lists[i]);
    }
    for (size_t i = 0; i < sizeof singles / sizeof *singles; i++) {
        part = get(schema, singles[i]);
        if (part && !(rego_is_array(part) ? all_well_formed(c, part, depth - 1)
                                          : well_formed(c, part, depth - 1)))
            return false;
    }
    part = get(schema, "format");
    if (part && !value_is_string(part))
        return wrong(c, "Invalid type. Expected: string, given: format");
    part = get(schema, "dependencies");
    if (part && !dependencies_well_formed(c, part, depth - 1))
        return false;
    part = get(schema, "enum");
    if (part && !rego_is_array(part))
        return wrong(c, "enum must be of an array");
    part = get(schema, "required");
    for (uint32_t i = 0; part && rego_is_array(part) && i < part->len; i++)
        if (!value_is_string(&part->items[i]))
            return wrong(c, "required items must be string");
    return !part || rego_is_array(part) || part->kind == VALUE_BOOL ||
           wrong(c, "required must be of an array");
}

/* A text is JSON, another value becomes what its JSON says: sets are arrays, keys are texts. False
 * with the error in call. */
static bool load(struct rego_call *call, const struct value *given, struct value *ret)
{
    AUTO_BUF out = {.limit = rego_room(call)};
    if (given->kind != VALUE_STRING && !rego_is_object(given) && !rego_is_array(given)) {
        (void)rego_fail(call, "wrong type, expected string or object");
        return false;
    }
    if (given->kind != VALUE_STRING)
        rego_json(&out, given);
    struct str text =
        given->kind == VALUE_STRING ? value_text(given) : arena_dup(call->arena, buf_view(&out));
    if (!json_parse(call->arena, text, "text", JSON_DUPLICATES_LAST, ret, NULL)) {
        (void)rego_fail(call, "invalid JSON string");
        return false;
    }
    return true;
}

static enum rego_outcome give_pair(struct rego_call *call, bool valid, struct value with,
                                   struct value *ret)
{
    struct value *items = arena_new(call->arena, struct value, 2);
    if (!items)
        return REGO_HALT;
    items[0] = value_bool(valid);
    items[1] = with;
    *ret = value_items(VALUE_TUPLE, items, 2);
    return REGO_DEFINED;
}

static enum rego_outcome match_schema(struct rego_call *call, struct value *ret)
{
    struct value document, schema;
    struct check c = {.call = call, .root = &schema};
    if (!load(call, &call->arg[0], &document) || !load(call, &call->arg[1], &schema) ||
        !well_formed(&c, &schema, SCHEMA_DEPTH_MAX))
        return REGO_FAILED;
    validate(&c, &schema, (struct at){&document, STR("(Root)")}, SCHEMA_DEPTH_MAX);
    if (call->why.ptr)
        return REGO_FAILED;
    return c.stopped ? REGO_HALT
                     : give_pair(call, c.n == 0, value_items(VALUE_TUPLE, c.error, c.n), ret);
}

static enum rego_outcome verify_schema(struct rego_call *call, struct value *ret)
{
    struct value schema;
    struct check c = {.call = call, .root = &schema};
    bool ok = load(call, call->arg, &schema) && well_formed(&c, &schema, SCHEMA_DEPTH_MAX);
    struct str why = ok ? STR("") : call->why;
    why = arena_printf(call->arena, "jsonschema: %.*s", STR_ARG(why));
    call->why = (struct str){0};
    return why.ptr ? give_pair(call, ok, ok ? value_null() : value_string(why), ret) : REGO_HALT;
}

static const struct rego_builtin table[] = {
    {"json.match_schema", NULL,
     "(string | object[any: any], string | object[any: any]) => array<boolean, "
     "array[object<desc: string, error: string, field: string, type: string>]>",
     match_schema, 0},
    {"json.verify_schema", NULL, "(string | object[any: any]) => array<boolean, string | null>",
     verify_schema, 0},
};
const struct rego_family builtin_schema = {table, sizeof table / sizeof *table};

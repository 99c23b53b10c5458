/* settings.c - from plumb.yaml to the msgpack of a provider's configuration. */
#include "live/reader_provider/settings.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "model/config.h"
#include "model/schema.h"
#include "model/stack.h"
#include "value/number.h"
#include "value/type.h"
#include "wire/msgpack.h"

enum { SETTINGS_DEPTH_MAX = 32 };

/* --- which settings --- */

bool settings_parse_key(struct str provider_config, struct str source, struct settings_key *ret)
{
    struct settings_key key = {.text = provider_config, .source = source};
    size_t at = str_find(provider_config, STR("provider["), 0);
    if (at != SIZE_MAX) {
        if (at > 0)
            key.module = str_sub(provider_config, 0, at - 1);
        size_t end = str_find(provider_config, STR("\"]"), at);
        if (end == SIZE_MAX)
            return false;
        struct str rest = str_sub(provider_config, end + 2, provider_config.len);
        if (str_starts(rest, STR(".")))
            key.alias = str_sub(rest, 1, rest.len);
    }
    *ret = key;
    return true;
}

bool settings_name_matches(struct str name, const struct settings_key *key)
{
    size_t slash = SIZE_MAX;
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] == '/')
            slash = i;
    size_t dot = str_find_char(name, '.', slash == SIZE_MAX ? 0 : slash);
    struct str source = str_sub(name, 0, dot), alias = {0};
    if (dot != SIZE_MAX)
        alias = str_sub(name, dot + 1, name.len);
    if (!str_equal(alias, key->alias) || !str_ends(key->source, source))
        return false;
    return source.len > 0 && (source.len == key->source.len ||
                              key->source.ptr[key->source.len - source.len - 1] == '/');
}

bool settings_from_stack(void *ctx, struct arena *arena, const struct settings_key *key,
                         const struct schema *schema, struct settings *ret, struct err *err)
{
    const struct stack *stack = ctx;
    (void)arena;
    (void)schema;
    (void)err;
    *ret = (struct settings){.values = value_null(), .from = STR("the environment")};
    for (size_t i = 0; i < stack->nproviders; i++) {
        if (!settings_name_matches(stack->providers[i].name, key))
            continue;
        *ret = (struct settings){.values = stack->providers[i].config, .from = STR("plumb.yaml")};
        break;
    }
    return true;
}

/* --- encoding --- */

struct encoder {
    struct arena *arena;
    const char *(*env)(const char *name);
};

static bool make_block(struct encoder *in, const struct schema_block *block,
                       const struct value *given, struct str path, unsigned depth_left,
                       struct value *ret, struct err *err);

static bool from_environment(struct encoder *in, struct str name, struct str path, struct str *ret,
                             struct err *err)
{
    struct str ended = arena_dup(in->arena, name);
    if (!ended.ptr)
        return arena_full(in->arena, err);
    const char *value = in->env(ended.ptr);
    if (!value)
        return err_set(err, ERR_USAGE,
                       "provider setting %.*s: the environment variable %s is not set",
                       STR_ARG(path), ended.ptr);
    *ret = arena_dup(in->arena, str_from(value));
    return ret->ptr || arena_full(in->arena, err);
}

/* The content without the line end that editors leave. */
static bool from_file(struct encoder *in, struct str name, struct str path, struct str *ret,
                      struct err *err)
{
    enum { SECRET_MAX = 1 << 20 };
    struct str ended = arena_dup(in->arena, name), text;
    if (!ended.ptr)
        return arena_full(in->arena, err);
    if (!io_read_file(in->arena, ended.ptr, SECRET_MAX, &text, err))
        return err_wrap(err, "provider setting %.*s", STR_ARG(path));
    if (str_ends(text, STR("\n")))
        text = str_sub(text, 0, text.len - 1);
    *ret = str_ends(text, STR("\r")) ? str_sub(text, 0, text.len - 1) : text;
    return true;
}

/* "env:NAME" and "file:PATH" -> what they stand for. Other strings stay. */
static bool resolve(struct encoder *in, struct value *v, struct str path, struct err *err)
{
    struct str text = value_is_string(v) ? value_text(v) : (struct str){0}, found = {0};
    bool by_env = str_starts(text, STR("env:"));
    if (!by_env && !str_starts(text, STR("file:")))
        return true;
    struct str name = str_sub(text, by_env ? 4 : 5, text.len);
    if (!(by_env ? from_environment(in, name, path, &found, err)
                 : from_file(in, name, path, &found, err)))
        return false;
    *v = value_string(found);
    return true;
}

/* A scalar to what the type asks for, where its text says the same thing. */
static void convert(struct encoder *in, const struct type *type, struct value *v)
{
    struct str text = value_is_string(v) ? value_text(v) : (struct str){0};
    if (type->kind == TYPE_STRING && v->kind == VALUE_BOOL)
        *v = value_string(v->truth ? STR("true") : STR("false"));
    else if (type->kind == TYPE_STRING && v->kind == VALUE_NUMBER)
        *v = value_string(number_text(in->arena, v));
    else if (type->kind == TYPE_BOOL && str_equal(text, STR("true")))
        *v = value_bool(true);
    else if (type->kind == TYPE_BOOL && str_equal(text, STR("false")))
        *v = value_bool(false);
    else if (type->kind == TYPE_NUMBER && text.len && number_is_valid(text))
        *v = value_number(text);
}

static const struct type *element_type(const struct type *type, size_t i, struct str key)
{
    const struct type_member *member;
    switch (type->kind) {
    case TYPE_LIST:
    case TYPE_SET:
    case TYPE_MAP:
        return type->elem;
    case TYPE_TUPLE:
        return i < type->n ? type->items[i] : &type_dynamic;
    case TYPE_OBJECT:
        member = type_find_member(type, key);
        return member ? member->type : &type_dynamic;
    default:
        return &type_dynamic;
    }
}

/* A copy with every scalar resolved and converted. */
static bool make_value(struct encoder *in, const struct type *type, const struct value *given,
                       struct str path, unsigned depth_left, struct value *ret, struct err *err)
{
    struct value v = *given;
    if (depth_left == 0)
        return err_set(err, ERR_LIMIT, "provider setting %.*s is nested too deep", STR_ARG(path));
    if (value_is_list_like(given) && given->len) {
        struct value *items = arena_new(in->arena, struct value, given->len);
        if (!items)
            return arena_full(in->arena, err);
        for (uint32_t i = 0; i < given->len; i++)
            if (!make_value(in, element_type(type, i, (struct str){0}), &given->items[i], path,
                            depth_left - 1, &items[i], err))
                return false;
        v.items = items;
    } else if (value_is_object_like(given) && given->len) {
        struct value_member *members = arena_new(in->arena, struct value_member, given->len);
        if (!members)
            return arena_full(in->arena, err);
        for (uint32_t i = 0; i < given->len; i++) {
            members[i].key = given->members[i].key;
            if (!make_value(in, element_type(type, 0, key_str(members[i].key)),
                            &given->members[i].value, path, depth_left - 1, &members[i].value, err))
                return false;
        }
        v.members = members;
    } else {
        if (!resolve(in, &v, path, err))
            return false;
        convert(in, type, &v);
    }
    *ret = v;
    return true;
}

static struct str below(struct encoder *in, struct str path, struct str name)
{
    return path.len ? arena_printf(in->arena, "%.*s.%.*s", STR_ARG(path), STR_ARG(name)) : name;
}

/* What stands where a block is absent. */
static bool absent_block(struct encoder *in, const struct schema_nested_block *nested,
                         struct str path, unsigned depth_left, struct value *ret, struct err *err)
{
    *ret = value_null();
    if (nested->nesting == NESTING_GROUP)
        return make_block(in, nested->block, NULL, path, depth_left - 1, ret, err);
    if (nested->nesting == NESTING_LIST || nested->nesting == NESTING_SET)
        *ret = value_items(VALUE_TUPLE, NULL, 0);
    else if (nested->nesting == NESTING_MAP)
        *ret = (struct value){.kind = VALUE_OBJECT};
    return true;
}

static bool make_block_list(struct encoder *in, const struct schema_nested_block *nested,
                            const struct value *given, struct str path, unsigned depth_left,
                            struct value *ret, struct err *err)
{
    const struct value *from = value_is_list_like(given) ? given->items : given;
    uint32_t n = value_is_list_like(given) ? given->len : 1;
    struct value *items = arena_new(in->arena, struct value, n);
    if (!items)
        return arena_full(in->arena, err);
    for (uint32_t i = 0; i < n; i++)
        if (!make_block(in, nested->block, &from[i], path, depth_left - 1, &items[i], err))
            return false;
    *ret = value_items(VALUE_TUPLE, items, n);
    return true;
}

static bool make_nested(struct encoder *in, const struct schema_nested_block *nested,
                        const struct value *given, struct str path, unsigned depth_left,
                        struct value *ret, struct err *err)
{
    if (!given || given->kind == VALUE_NULL)
        return absent_block(in, nested, path, depth_left, ret, err);
    if (nested->nesting == NESTING_LIST || nested->nesting == NESTING_SET)
        return make_block_list(in, nested, given, path, depth_left, ret, err);
    if (nested->nesting != NESTING_MAP)
        return make_block(in, nested->block, given, path, depth_left - 1, ret, err);
    if (!value_is_object_like(given))
        return err_set(err, ERR_USAGE, "provider setting %.*s must be a map of blocks",
                       STR_ARG(path));
    struct value_member *members = arena_new(in->arena, struct value_member, given->len);
    if (!members)
        return arena_full(in->arena, err);
    for (uint32_t i = 0; i < given->len; i++) {
        members[i].key = given->members[i].key;
        if (!make_block(in, nested->block, &given->members[i].value, path, depth_left - 1,
                        &members[i].value, err))
            return false;
    }
    return value_members(VALUE_OBJECT, members, given->len, ret, NULL, err);
}

/* A name that the schema does not have. */
static bool unknown_name(struct encoder *in, const struct schema_block *block, struct str name,
                         struct str path, struct err *err)
{
    size_t n = block->nattributes + block->nblocks;
    struct str *names = arena_new(in->arena, struct str, n);
    struct str nearest = {0};
    for (size_t i = 0; names && i < n; i++)
        names[i] = i < block->nattributes ? block->attributes[i].name
                                          : block->blocks[i - block->nattributes].name;
    if (names)
        nearest = str_nearest(name, names, n);
    return err_set(err, ERR_USAGE, "the provider has no setting %.*s%s%.*s%s", STR_ARG(path),
                   nearest.len ? "; did you mean \"" : "", STR_ARG(nearest),
                   nearest.len ? "\"?" : "");
}

static bool check_names(struct encoder *in, const struct schema_block *block,
                        const struct value *given, struct str path, struct err *err)
{
    for (uint32_t i = 0; given && i < given->len; i++) {
        struct str name = key_str(given->members[i].key);
        if (!schema_find_attribute(block, name) && !schema_find_block(block, name))
            return unknown_name(in, block, name, below(in, path, name), err);
    }
    return true;
}

static bool make_block(struct encoder *in, const struct schema_block *block,
                       const struct value *given, struct str path, unsigned depth_left,
                       struct value *ret, struct err *err)
{
    if (depth_left == 0)
        return err_set(err, ERR_LIMIT, "provider setting %.*s is nested too deep", STR_ARG(path));
    if (given && given->kind == VALUE_NULL)
        given = NULL;
    if (given && !value_is_object_like(given))
        return err_set(err, ERR_USAGE, "provider setting%s%.*s must be a map of settings, not %s",
                       path.len ? " " : "s", STR_ARG(path), value_kind_name(given->kind));
    if (!check_names(in, block, given, path, err))
        return false;

    size_t n = block->nattributes + block->nblocks;
    struct value_member *members = arena_new(in->arena, struct value_member, n);
    if (!members)
        return arena_full(in->arena, err);
    for (size_t i = 0; i < n; i++) {
        bool is_block = i >= block->nattributes;
        struct str name =
            is_block ? block->blocks[i - block->nattributes].name : block->attributes[i].name;
        struct str here = below(in, path, name);
        const struct value *value = value_get(given, name);
        members[i].key = key_make(in->arena, name);
        if (!members[i].key || !here.ptr)
            return arena_full(in->arena, err);
        if (is_block) {
            if (!make_nested(in, &block->blocks[i - block->nattributes], value, here, depth_left,
                             &members[i].value, err))
                return false;
        } else if (value && !make_value(in, block->attributes[i].type, value, here, depth_left - 1,
                                        &members[i].value, err)) {
            return false;
        }
    }
    return value_members(VALUE_OBJECT, members, n, ret, NULL, err);
}

bool settings_encode(struct arena *arena, const struct schema *schema, const struct value *values,
                     const char *(*env)(const char *name), struct buf *out, struct err *err)
{
    struct encoder in = {arena, env};
    struct value raw, typed;
    const struct value *given = values && values->kind != VALUE_NULL ? values : NULL;
    if (!make_block(&in, &schema->block, given, STR(""), SETTINGS_DEPTH_MAX, &raw, err))
        return false;
    if (!type_apply(arena, schema->block.type, &raw, false, &typed, err))
        return err_wrap(err, "provider settings");
    return msgpack_encode(out, schema->block.type, &typed, err);
}

/* What is not known is not said: null, and no block. */
static bool without_unknown(struct arena *arena, const struct type *type, const struct value *v,
                            unsigned depth_left, struct value *ret, struct err *err)
{
    bool repeated = type->kind == TYPE_LIST || type->kind == TYPE_SET;
    *ret = *v;
    if (v->kind == VALUE_UNKNOWN || depth_left == 0) {
        bool blocks = repeated && type->elem->kind == TYPE_OBJECT;
        *ret = blocks ? value_items(type->kind == TYPE_LIST ? VALUE_LIST : VALUE_SET, NULL, 0)
                      : value_null();
        return true;
    }
    if (!value_any_unknown(v))
        return true;
    if (value_is_object_like(v)) {
        struct value_member *members = arena_new(arena, struct value_member, v->len);
        if (!members)
            return arena_full(arena, err);
        for (uint32_t i = 0; i < v->len; i++) {
            const struct type_member *member =
                type->kind == TYPE_OBJECT ? type_find_member(type, key_str(v->members[i].key))
                                          : NULL;
            const struct type *inner = member                   ? member->type
                                       : type->kind == TYPE_MAP ? type->elem
                                                                : &type_dynamic;
            members[i].key = v->members[i].key;
            if (!without_unknown(arena, inner, &v->members[i].value, depth_left - 1,
                                 &members[i].value, err))
                return false;
        }
        ret->members = members;
        return true;
    }
    struct value *items = arena_new(arena, struct value, v->len);
    if (!items)
        return arena_full(arena, err);
    for (uint32_t i = 0; i < v->len; i++)
        if (!without_unknown(arena, repeated ? type->elem : &type_dynamic, &v->items[i],
                             depth_left - 1, &items[i], err))
            return false;
    ret->items = items;
    return true;
}

bool settings_encode_typed(struct arena *arena, const struct schema *schema,
                           const struct value *values, struct buf *out, struct err *err)
{
    struct value known;
    const struct type *type = schema->block.type;
    return without_unknown(arena, type, values, SETTINGS_DEPTH_MAX, &known, err) &&
           (msgpack_encode(out, type, &known, err) || err_wrap(err, "provider settings"));
}

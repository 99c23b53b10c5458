/* identity.c - identity_encode(). */
#include "live/reader_provider/identity.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "lang/hcl/eval.h"
#include "model/schema.h"
#include "value/type.h"
#include "value/value.h"
#include "wire/json.h"
#include "wire/msgpack.h"

/* Every attribute that is given is one that the schema has. */
static bool all_known(const struct schema_block *block, const struct value *raw, struct err *err)
{
    for (uint32_t i = 0; i < raw->len; i++) {
        struct str name = key_str(raw->members[i].key);
        if (!schema_find_attribute(block, name))
            return err_set(err, ERR_SYNTAX, "it has no attribute %.*s", STR_ARG(name));
    }
    return true;
}

static bool take(struct arena *arena, const struct schema_attribute *attribute,
                 const struct value *given, struct value *ret, struct err *err)
{
    struct str why = {0};
    *ret = value_null();
    if (!given || given->kind == VALUE_NULL)
        return !attribute->required ||
               err_set(err, ERR_SYNTAX, "it wants %.*s", STR_ARG(attribute->name));
    return hcl_convert(arena, given, attribute->type, ret, &why) ||
           err_set(err, ERR_SYNTAX, "%.*s: %.*s", STR_ARG(attribute->name), STR_ARG(why));
}

bool identity_encode(struct arena *arena, const struct schema *schema, struct str json,
                     struct str *ret, struct err *err)
{
    const struct schema_block *block = &schema->block;
    struct value raw, typed;
    AUTO_BUF out = {.limit = 16 << 20};
    if (!json_parse(arena, json, "identity", JSON_DEFAULT, &raw, err) ||
        !all_known(block, &raw, err))
        return false;
    struct value_member *members = arena_new(arena, struct value_member, block->type->n);
    for (size_t i = 0; members && i < block->type->n; i++) {
        struct str name = key_str(block->type->members[i].key);
        members[i].key = block->type->members[i].key;
        if (!take(arena, schema_find_attribute(block, name), value_get(&raw, name),
                  &members[i].value, err))
            return false;
    }
    if (!members || !value_members(VALUE_OBJECT, members, block->type->n, &typed, NULL, err) ||
        !msgpack_encode(&out, block->type, &typed, err) || !buf_ok(&out, err))
        return members ? false : arena_full(arena, err);
    *ret = arena_dup(arena, buf_view(&out));
    return ret->ptr || arena_full(arena, err);
}

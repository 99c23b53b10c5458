/* rawstate.c - attributes_json minus what the schema does not know; flatmap to pairs. */
#include "live/reader_provider/rawstate.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/resource.h"
#include "value/type.h"
#include "wire/json.h"

enum { STRIP_DEPTH_MAX = 200 };

/* Leaves out of *v, in place, object members that the type lacks. Deeper than any schema: kept. */
static bool strip(struct value *v, const struct type *type, unsigned depth_left);

static bool strip_list(struct value *v, const struct type *type, unsigned depth_left)
{
    union {
        const struct value *in;
        struct value *out;
    } items = {v->items}; /* ours: parsed into our own arena */
    bool changed = false;
    for (uint32_t i = 0; i < v->len; i++) {
        const struct type *elem =
            type->kind == TYPE_TUPLE ? i < type->n ? type->items[i] : NULL : type->elem;
        changed |= elem && strip(&items.out[i], elem, depth_left - 1);
    }
    return changed;
}

static bool strip_members(struct value *v, const struct type *type, unsigned depth_left)
{
    union {
        const struct value_member *in;
        struct value_member *out;
    } members = {v->members};
    bool changed = false;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < v->len; i++) {
        struct value_member *member = &members.out[i];
        const struct type_member *known =
            type->kind == TYPE_OBJECT ? type_find_member(type, key_str(member->key)) : NULL;
        if (type->kind == TYPE_OBJECT && !known) {
            changed = true;
            continue;
        }
        changed |= strip(&member->value, known ? known->type : type->elem, depth_left - 1);
        members.out[kept++] = *member;
    }
    v->len = kept;
    return changed;
}

static bool strip(struct value *v, const struct type *type, unsigned depth_left)
{
    if (depth_left == 0)
        return false;
    if (value_is_object_like(v) && v->len && (type->kind == TYPE_OBJECT || type->kind == TYPE_MAP))
        return strip_members(v, type, depth_left);
    if (value_is_list_like(v) && v->len &&
        (type->kind == TYPE_LIST || type->kind == TYPE_SET || type->kind == TYPE_TUPLE))
        return strip_list(v, type, depth_left);
    return false;
}

static bool strip_unknown(struct arena *arena, const struct schema *schema, struct str *json,
                          struct err *err)
{
    struct value v;
    if (!json_parse(arena, *json, "attributes", JSON_DUPLICATES_LAST, &v, err))
        return false;
    if (!strip(&v, schema->block.type, STRIP_DEPTH_MAX))
        return true;
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    struct jsonw w = {.out = &out};
    jsonw_value(&w, &v);
    if (!buf_ok(&out, err))
        return false;
    *json = arena_dup(arena, buf_view(&out));
    return json->ptr || arena_full(arena, err);
}

static bool take_flatmap(struct arena *arena, struct str text, struct tf_raw_state *ret,
                         struct err *err)
{
    struct value v;
    if (!json_parse(arena, text, "attributes_flat", JSON_DUPLICATES_LAST, &v, err))
        return false;
    if (!value_is_object_like(&v))
        return err_set(err, ERR_SYNTAX, "attributes_flat must be an object");
    struct tf_pair *pairs = arena_new(arena, struct tf_pair, v.len);
    if (!pairs)
        return arena_full(arena, err);
    for (uint32_t i = 0; i < v.len; i++) {
        if (!value_is_string(&v.members[i].value))
            return err_set(err, ERR_SYNTAX, "attributes_flat: %.*s is not a string",
                           STR_ARG(key_str(v.members[i].key)));
        pairs[i] = (struct tf_pair){key_str(v.members[i].key), value_text(&v.members[i].value)};
    }
    ret->flatmap = pairs;
    ret->nflatmap = v.len;
    return true;
}

bool rawstate_make(struct arena *arena, const struct resource *resource,
                   const struct schema *schema, struct tf_raw_state *ret, struct err *err)
{
    struct tf_raw_state raw = {.type_name = resource->type,
                               .version = resource->schema_version,
                               .json = resource->attributes_json};
    if (resource->schema_version > schema->version)
        return err_set(err, ERR_CONFLICT,
                       "the state was written by a newer provider (schema version %lld, this "
                       "provider has %lld): upgrade the provider",
                       (long long)resource->schema_version, (long long)schema->version);
    if (raw.json.len == 0 && resource->flatmap_json.len) {
        if (!take_flatmap(arena, resource->flatmap_json, &raw, err))
            return false;
    } else if (raw.json.len == 0) {
        return err_set(err, ERR_SYNTAX, "the state has no attributes for it");
    } else if (resource->schema_version == schema->version &&
               !strip_unknown(arena, schema, &raw.json, err)) {
        return false;
    }
    *ret = raw;
    return true;
}

bool rawstate_value(struct arena *arena, const struct resource *resource,
                    const struct schema *schema, struct value *ret, struct err *err)
{
    struct value v;
    if (resource->schema_version != schema->version || !resource->attributes_json.len)
        return err_set(err, ERR_CONFLICT, "not of the schema's version");
    if (!json_parse(arena, resource->attributes_json, "attributes", JSON_DUPLICATES_LAST, &v, err))
        return false;
    (void)strip(&v, schema->block.type, STRIP_DEPTH_MAX);
    return type_apply(arena, schema->block.type, &v, true, ret, err);
}

/* code_schema.c - schemas of types, the built-in provider's among them, and what evaluation makes
 * of each once. */
#include <string.h>

#include "base/digest.h"
#include "desired/code_parts.h"

/* --- things made once --- */

static size_t slot_of(const struct code *code, const void *p)
{
    return hash_bytes((struct str){(const char *)&p, sizeof p}, 0) % code->nslots;
}

const void *code_cached_find(const struct code *code, struct code_cached *const *table,
                             const void *of)
{
    for (const struct code_cached *at = table[slot_of(code, of)]; at; at = at->next)
        if (at->of == of)
            return at->made;
    return NULL;
}

const void *code_cached_add(struct code *code, struct code_cached **table, const void *of,
                            const void *made)
{
    struct code_cached *entry = arena_new(&code->arena, struct code_cached, 1);
    struct code_cached **slot = &table[slot_of(code, of)];
    if (entry) {
        *entry = (struct code_cached){*slot, of, made};
        *slot = entry;
    }
    return made;
}

/* --- the built-in provider --- */

bool code_is_builtin(struct str provider)
{
    return str_equal(provider, STR("terraform.io/builtin/terraform"));
}

struct builtin {
    const char *type;
    enum code_mode mode;
    struct {
        const char *name;
        const struct type *type;
        bool required, optional, computed;
    } attribute[8];
};
static const struct builtin builtins[] = {
    {"terraform_data",
     CODE_MANAGED,
     {{"id", &type_string, .computed = true},
      {"input", &type_dynamic, .optional = true},
      {"output", &type_dynamic, .computed = true},
      {"triggers_replace", &type_dynamic, .optional = true}}},
    {"terraform_remote_state",
     CODE_DATA,
     {{"backend", &type_string, .required = true},
      {"config", &type_dynamic, .optional = true},
      {"defaults", &type_dynamic, .optional = true},
      {"outputs", &type_dynamic, .computed = true},
      {"workspace", &type_string, .optional = true}}},
};

static const struct schema *make_builtin(struct code *code, const struct builtin *b)
{
    struct schema *schema = arena_new(&code->arena, struct schema, 1);
    struct schema_attribute *a = arena_new(&code->arena, struct schema_attribute, 8);
    size_t n = 0;
    if (!schema || !a)
        return NULL;
    for (; n < 8 && b->attribute[n].name; n++)
        a[n] = (struct schema_attribute){.name = str_from(b->attribute[n].name),
                                         .type = b->attribute[n].type,
                                         .required = b->attribute[n].required,
                                         .optional = b->attribute[n].optional,
                                         .computed = b->attribute[n].computed};
    schema->block = (struct schema_block){.attributes = a, .nattributes = n};
    return schema_imply_type(&code->arena, &schema->block) ? schema : NULL;
}

static const struct schema *find_schema(struct code *code, struct str provider, enum code_mode mode,
                                        struct str type)
{
    for (size_t i = 0; code_is_builtin(provider) && i < sizeof builtins / sizeof *builtins; i++)
        if (builtins[i].mode == mode && str_equal(type, str_from(builtins[i].type)))
            return make_builtin(code, &builtins[i]);
    if (!code->options.schema)
        return NULL;
    return code->options.schema(code->options.ctx, provider, mode, type);
}

const struct schema *code_schema_of(struct code *code, struct str provider, enum code_mode mode,
                                    struct str type)
{
    struct code_schema_use **slot =
        &code->schema_use[(hash_bytes(type, mode) ^ hash_bytes(provider, 1)) % code->nslots];
    for (struct code_schema_use *at = *slot; at; at = at->next)
        if (at->mode == mode && str_equal(at->type, type) && str_equal(at->provider, provider))
            return at->schema;
    struct code_schema_use *use = arena_new(&code->arena, struct code_schema_use, 1);
    const struct schema *schema = find_schema(code, provider, mode, type);
    if (use) {
        *use = (struct code_schema_use){*slot, provider, type, mode, schema};
        *slot = use;
    }
    return schema;
}

const struct schema *code_provider_schema_of(struct code *code, struct str provider)
{
    static const struct type nothing = {.kind = TYPE_OBJECT};
    static const struct schema empty = {.block = {.type = &nothing}};
    if (code_is_builtin(provider))
        return &empty;
    if (!code->options.provider_config_schema)
        return NULL;
    return code->options.provider_config_schema(code->options.ctx, provider);
}

/* --- bodies by schema --- */

const struct hcl_body_spec *code_body_spec(struct code *code, const struct schema_block *block)
{
    const struct hcl_body_spec *known = code_cached_find(code, code->spec, block);
    if (known)
        return known;
    struct hcl_body_spec *spec = arena_new(&code->arena, struct hcl_body_spec, 1);
    struct hcl_attribute_spec *a =
        arena_new(&code->arena, struct hcl_attribute_spec, block->nattributes);
    struct hcl_block_spec *b = arena_new(&code->arena, struct hcl_block_spec, block->nblocks + 1);
    if (!spec || !a || !b)
        return NULL;
    for (size_t i = 0; i < block->nattributes; i++)
        a[i] =
            (struct hcl_attribute_spec){block->attributes[i].name, block->attributes[i].required};
    for (size_t i = 0; i < block->nblocks; i++)
        b[i] = (struct hcl_block_spec){
            .type = block->blocks[i].name,
            .label = {block->blocks[i].nesting == NESTING_MAP ? "key" : NULL}};
    b[block->nblocks] = (struct hcl_block_spec){.type = STR("dynamic"), .label = {"type"}};
    *spec = (struct hcl_body_spec){.attribute = a,
                                   .nattributes = block->nattributes,
                                   .block = b,
                                   .nblocks = block->nblocks + 1};
    return code_cached_add(code, code->spec, block, spec);
}

bool code_can_be_blocks(const struct schema_attribute *attribute)
{
    const struct type *t = attribute->type;
    return !attribute->nested && t && (t->kind == TYPE_LIST || t->kind == TYPE_SET) &&
           t->elem->kind == TYPE_OBJECT;
}

static bool is_collection(const struct type *t)
{
    return t->kind == TYPE_LIST || t->kind == TYPE_SET || t->kind == TYPE_MAP;
}

/* A type that the old SDK could not have made: then no attribute may be written as blocks. */
static bool is_modern(const struct schema_attribute *a)
{
    const struct type *t = a->type ? a->type : &type_dynamic;
    if (a->nested || t->kind == TYPE_TUPLE || t->kind == TYPE_OBJECT)
        return true;
    if (!is_collection(t))
        return false;
    if (t->kind == TYPE_MAP && t->elem->kind == TYPE_OBJECT)
        return true;
    return is_collection(t->elem) && t->elem->elem->kind != TYPE_BOOL &&
           t->elem->elem->kind != TYPE_NUMBER && t->elem->elem->kind != TYPE_STRING;
}

static bool any_modern(const struct schema_block *block, unsigned depth_left)
{
    if (depth_left == 0)
        return true;
    for (size_t i = 0; i < block->nattributes; i++)
        if (is_modern(&block->attributes[i]))
            return true;
    for (size_t i = 0; i < block->nblocks; i++)
        if (any_modern(block->blocks[i].block, depth_left - 1))
            return true;
    return false;
}

bool code_attributes_as_blocks(const struct schema_block *block)
{
    bool any = false;
    for (size_t i = 0; i < block->nattributes && !any; i++)
        any = code_can_be_blocks(&block->attributes[i]);
    return any && !any_modern(block, CODE_BODY_DEPTH_MAX);
}

const struct schema_block *code_block_of_type(struct code *code, const struct type *object)
{
    const struct schema_block *known = code_cached_find(code, code->block, object);
    if (known)
        return known;
    struct schema_block *block = arena_new(&code->arena, struct schema_block, 1);
    struct schema_attribute *a = arena_new(&code->arena, struct schema_attribute, object->n);
    if (!block || !a)
        return NULL;
    for (uint32_t i = 0; i < object->n; i++)
        a[i] = (struct schema_attribute){.name = key_str(object->members[i].key),
                                         .type = object->members[i].type,
                                         .optional = true};
    *block = (struct schema_block){.attributes = a, .nattributes = object->n, .type = object};
    return code_cached_add(code, code->block, object, block);
}

/* --- types of configurations --- */

static const struct type *nested_config_type(struct code *code, const struct schema_attribute *a,
                                             unsigned depth_left);

static const struct type *object_config_type(struct code *code, const struct schema_block *block,
                                             unsigned depth_left)
{
    struct type_member *m = arena_new(&code->arena, struct type_member, block->nattributes);
    if (!m || depth_left == 0)
        return NULL;
    for (size_t i = 0; i < block->nattributes; i++) {
        const struct schema_attribute *a = &block->attributes[i];
        m[i] = (struct type_member){.key = key_intern(&code->keys, a->name),
                                    .type = nested_config_type(code, a, depth_left - 1),
                                    .optional = a->optional || a->computed};
        if (!m[i].key || !m[i].type)
            return NULL;
    }
    return type_object(&code->arena, m, block->nattributes);
}

static const struct type *nested_config_type(struct code *code, const struct schema_attribute *a,
                                             unsigned depth_left)
{
    static const enum type_kind kinds[] = {
        [NESTING_LIST] = TYPE_LIST, [NESTING_SET] = TYPE_SET, [NESTING_MAP] = TYPE_MAP};
    if (!a->nested)
        return a->type ? a->type : &type_dynamic;
    const struct type *object = object_config_type(code, a->nested, depth_left);
    if (!object || a->nesting == NESTING_SINGLE || a->nesting == NESTING_GROUP)
        return object;
    return type_collection(&code->arena, kinds[a->nesting], object);
}

const struct type *code_attribute_type(struct code *code, const struct schema_attribute *attribute)
{
    if (!attribute->nested)
        return attribute->type ? attribute->type : &type_dynamic;
    const struct type *known = code_cached_find(code, code->type, attribute);
    if (known)
        return known;
    const struct type *made = nested_config_type(code, attribute, CODE_BODY_DEPTH_MAX);
    return made ? code_cached_add(code, code->type, attribute, made) : &type_dynamic;
}

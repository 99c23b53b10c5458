/* code_expand_body.c - bodies of blocks with their dynamic blocks expanded and override files laid
 * over them; what is written, before it is evaluated.
 *
 * Source:  hcl ext/dynblock; Terraform lang/blocktoattr and configs/module_merge_body
 */
#include <string.h>

#include "desired/code_parts.h"
#include "lang/hcl/content.h"
#include "lang/hcl/eval_parts.h"
#include "lang/hcl/types.h"

/* Names of meta arguments and blocks, which are not the schema's. */
static const struct hcl_attribute_spec resource_attributes[] = {
    {STR_INIT("count"), false},
    {STR_INIT("for_each"), false},
    {STR_INIT("provider"), false},
    {STR_INIT("depends_on"), false},
};
static const struct hcl_block_spec resource_blocks[] = {
    {.type = STR_INIT("lifecycle")},
    {.type = STR_INIT("connection")},
    {.type = STR_INIT("provisioner"), .label = {"type"}},
    {.type = STR_INIT("_")},
};
const struct hcl_body_spec code_resource_meta = {
    .attribute = resource_attributes,
    .nattributes = sizeof resource_attributes / sizeof *resource_attributes,
    .block = resource_blocks,
    .nblocks = sizeof resource_blocks / sizeof *resource_blocks};
const struct hcl_body_spec code_no_meta = {.nattributes = 0};

/* --- what the bodies hold --- */

struct found_block {
    const struct hcl_file *file;
    const struct hcl_block *block;
};
struct found {
    struct code_item *item;
    size_t nitems;
    struct found_block *block;
    size_t nblocks;
    struct hcl_range missing;
};

struct expander {
    const struct code_scope *scope; /* what is wrong with references is said there */
    struct code_walk *walk;         /* all else */
    struct code *code;
    struct arena *arena;
    bool fine;
};

/* JSON syntax without a schema: all of it may be attributes, but for dynamic blocks. */
static bool raw_json_content(struct expander *x, const struct code_body *body,
                             const struct hcl_body_spec *meta, struct hcl_content *ret)
{
    static const struct hcl_block_spec dynamic = {STR_INIT("dynamic"), {"type"}};
    static const struct hcl_body_spec dynamics = {NULL, 0, &dynamic, 1, NULL};
    struct hcl_diags quiet = {.arena = x->arena};
    struct hcl_content all, blocks;
    if (!hcl_body_attributes(x->arena, body->file, body->body, &quiet, &all) ||
        !hcl_body_content(x->arena, body->file, body->body, &dynamics, true, &quiet, &blocks))
        return false;
    struct hcl_attribute *a = arena_new(x->arena, struct hcl_attribute, all.nattributes);
    *ret = (struct hcl_content){.attribute = a, .block = blocks.block, .nblocks = blocks.nblocks};
    for (size_t i = 0; a && i < all.nattributes; i++) {
        struct str name = all.attribute[i].name;
        bool own = blocks.nblocks && str_equal(name, dynamic.type);
        if (!own && !hcl_find_attribute_spec(meta, name) && !hcl_find_block_spec(meta, name))
            a[ret->nattributes++] = all.attribute[i];
    }
    return a;
}

/* Without a schema: whatever is there. */
static bool raw_content(struct expander *x, const struct code_body *body,
                        const struct hcl_body_spec *meta, struct hcl_content *ret)
{
    struct hcl_attribute *a = arena_new(x->arena, struct hcl_attribute, body->body->nattributes);
    struct hcl_block *b = arena_new(x->arena, struct hcl_block, body->body->nblocks);
    struct hcl_content c = {.attribute = a, .block = b};
    if (!a || !b)
        return false;
    if (body->body->json)
        return raw_json_content(x, body, meta, ret);
    for (size_t i = 0; i < body->body->nattributes; i++)
        if (!hcl_find_attribute_spec(meta, body->body->attribute[i].name))
            a[c.nattributes++] = body->body->attribute[i];
    for (size_t i = 0; i < body->body->nblocks; i++)
        if (!hcl_find_block_spec(meta, body->body->block[i].type))
            b[c.nblocks++] = body->body->block[i];
    *ret = c;
    return true;
}

/* Is the name written as an attribute here? JSON says yes to anything. */
static bool written_as_attribute(struct expander *x, const struct code_body *body, struct str name)
{
    struct hcl_attribute_spec attribute = {.name = name};
    struct hcl_body_spec spec = {.attribute = &attribute, .nattributes = 1};
    struct hcl_diags quiet = {.arena = x->arena};
    struct hcl_content content;
    return hcl_body_content(x->arena, body->file, body->body, &spec, true, &quiet, &content) &&
           content.nattributes;
}

/* The spec of a block some of whose attributes are written as blocks in this body. */
static const struct hcl_body_spec *ambiguous_spec(struct expander *x, const struct code_body *body,
                                                  const struct schema_block *block,
                                                  const struct hcl_body_spec *plain)
{
    struct hcl_body_spec *spec = arena_new(x->arena, struct hcl_body_spec, 1);
    struct hcl_attribute_spec *a =
        arena_new(x->arena, struct hcl_attribute_spec, block->nattributes);
    struct hcl_block_spec *b =
        arena_new(x->arena, struct hcl_block_spec, block->nattributes + plain->nblocks);
    if (!spec || !a || !b)
        return plain;
    *spec = (struct hcl_body_spec){.attribute = a, .block = b};
    for (size_t i = 0; i < block->nattributes; i++) {
        const struct schema_attribute *at = &block->attributes[i];
        if (code_can_be_blocks(at) && !written_as_attribute(x, body, at->name))
            b[spec->nblocks++] = (struct hcl_block_spec){.type = at->name};
        else
            a[spec->nattributes++] = (struct hcl_attribute_spec){at->name, at->required};
    }
    for (size_t i = 0; i < plain->nblocks; i++)
        b[spec->nblocks++] = plain->block[i];
    return spec;
}

enum laid { LAID_ALONE, LAID_UNDER, LAID_OVER }; /* with override files, or as one */

static bool forget_required(struct expander *x, struct hcl_body_spec *spec)
{
    struct hcl_attribute_spec *a =
        arena_new(x->arena, struct hcl_attribute_spec, spec->nattributes);
    for (size_t i = 0; a && i < spec->nattributes; i++)
        a[i].name = spec->attribute[i].name;
    spec->attribute = a;
    return a;
}

/* What one body holds: found once, and what is wrong said each time. */
static bool content_of(struct expander *x, const struct code_body *body,
                       const struct schema_block *block, const struct hcl_body_spec *meta,
                       enum laid laid, struct hcl_content *ret)
{
    size_t at = ((uintptr_t)body->body >> 4) % x->code->nslots;
    struct code_content_entry **slot = &x->code->content[at];
    struct code_content_entry *entry = *slot;
    while (entry && (entry->body != body->body || entry->block != block))
        entry = entry->next;
    if (!entry) {
        const struct hcl_body_spec *spec = code_body_spec(x->code, block);
        entry = arena_new(x->arena, struct code_content_entry, 1);
        if (!spec || !entry)
            return false;
        if (code_attributes_as_blocks(block))
            spec = ambiguous_spec(x, body, block, spec);
        *entry = (struct code_content_entry){
            .next = *slot, .body = body->body, .block = block, .diags = {.arena = x->arena}};
        struct hcl_body_spec with_meta = *spec;
        with_meta.taken = meta;
        if (laid == LAID_OVER && !forget_required(x, &with_meta))
            return false;
        if (!hcl_body_content(x->arena, body->file, body->body, &with_meta, laid != LAID_ALONE,
                              &entry->diags, &entry->content))
            return false;
        *slot = entry;
    }
    code_say_again(x->walk, &entry->diags);
    x->fine = x->fine && !hcl_has_errors(&entry->diags);
    *ret = entry->content;
    return true;
}

static struct str block_subject(const struct hcl_block *block)
{
    return str_equal(block->type, STR("dynamic")) && block->nlabels ? block->label[0].text
                                                                    : block->type;
}

static void lay_attributes(const struct code_body *body, const struct hcl_content *c,
                           struct found *found)
{
    size_t before = found->nitems;
    for (size_t i = 0; i < c->nattributes; i++) {
        size_t at = 0;
        while (at < before && !str_equal(found->item[at].name, c->attribute[i].name))
            at++;
        if (at == before)
            at = found->nitems++;
        found->item[at] = (struct code_item){
            .name = c->attribute[i].name, .file = body->file, .written = &c->attribute[i]};
    }
}

/* Blocks of a type in an override replace all of that type. */
static void lay_blocks(const struct code_body *body, const struct hcl_content *c,
                       struct found *found)
{
    size_t kept = 0;
    for (size_t i = 0; i < found->nblocks; i++) {
        bool replaced = false;
        for (size_t k = 0; k < c->nblocks && !replaced; k++)
            replaced = str_equal(block_subject(&c->block[k]), block_subject(found->block[i].block));
        if (!replaced)
            found->block[kept++] = found->block[i];
    }
    found->nblocks = kept;
    for (size_t i = 0; i < c->nblocks; i++)
        found->block[found->nblocks++] = (struct found_block){body->file, &c->block[i]};
}

static bool find_all(struct expander *x, const struct code_body *bodies, size_t nbodies,
                     const struct schema_block *block, const struct hcl_body_spec *meta,
                     struct found *ret)
{
    size_t na = 0, nb = 0;
    struct hcl_content *content = arena_new(x->arena, struct hcl_content, nbodies);
    for (size_t i = 0; content && i < nbodies; i++) {
        if (!(block ? content_of(x, &bodies[i], block, meta,
                                 nbodies == 1 ? LAID_ALONE
                                 : i          ? LAID_OVER
                                              : LAID_UNDER,
                                 &content[i])
                    : raw_content(x, &bodies[i], meta, &content[i])))
            return false;
        na += content[i].nattributes;
        nb += content[i].nblocks;
    }
    *ret = (struct found){.item = arena_new(x->arena, struct code_item, na),
                          .block = arena_new(x->arena, struct found_block, nb),
                          .missing = bodies[0].body->missing};
    if (!content || !ret->item || !ret->block)
        return false;
    for (size_t i = 0; i < nbodies; i++) {
        lay_attributes(&bodies[i], &content[i], ret);
        lay_blocks(&bodies[i], &content[i], ret);
    }
    return true;
}

/* --- dynamic blocks --- */

static void fault(struct expander *x, const struct hcl_file *file, struct hcl_range subject,
                  const char *summary, struct str detail)
{
    x->fine = false;
    code_say(x->walk, file, subject, false, summary, "%.*s", STR_ARG(detail));
}

/* References first, then the value; errors of the two go to different places. */
static bool eval_free(struct expander *x, struct code_scope *scope, const struct hcl_file *file,
                      const struct hcl_expr *expr, struct value *ret)
{
    bool fine = code_check_refs(scope, code_free_refs(scope, file, expr));
    scope->walk = x->walk;
    fine = fine && code_eval_unchecked(scope, file, expr, ret);
    x->fine = x->fine && fine;
    return fine;
}

struct dynamic {
    const struct hcl_file *file;
    const struct hcl_block *block; /* the dynamic block */
    const struct hcl_block *content;
    struct str iterator;
    const struct hcl_attribute *for_each, *labels;
    struct value each;
};

static const struct hcl_attribute *named(const struct hcl_content *c, struct str name)
{
    for (size_t i = 0; i < c->nattributes; i++)
        if (str_equal(c->attribute[i].name, name))
            return &c->attribute[i];
    return NULL;
}

static bool read_iterator(struct expander *x, const struct hcl_content *c, struct dynamic *d)
{
    const struct hcl_attribute *iterator = named(c, STR("iterator"));
    struct hcl_traversal t;
    d->iterator = d->block->label[0].text;
    if (!iterator)
        return true;
    const struct hcl_expr *word =
        hcl_keyword_expr(x->arena, d->file, iterator->value, x->walk->diags);
    if (!word || !hcl_static_traversal(x->arena, word, &t)) {
        fault(x, d->file, iterator->value->range, "Invalid expression",
              STR("A single static variable reference is required: only attribute access and "
                  "indexing with constant keys. No calculations, function calls, template "
                  "expressions, etc are allowed here."));
        return false;
    }
    if (t.n) {
        fault(x, d->file, iterator->value->range, "Invalid dynamic iterator name",
              STR("Dynamic iterator must be a single variable name."));
        return false;
    }
    d->iterator = t.root;
    return true;
}

static bool iterable(const struct value *v)
{
    return value_is_list_like(v) || value_is_object_like(v);
}

/* for_each must be something to go through, or unknown. */
static bool check_each(struct expander *x, const struct dynamic *d)
{
    const struct type *type = hcl_type_of(x->arena, &d->each);
    struct hcl_range subject = d->for_each->value->range;
    bool collection = type->kind >= TYPE_LIST && type->kind <= TYPE_OBJECT;
    if (d->each.marks & VALUE_EPHEMERAL) {
        fault(x, d->file, subject, "Invalid dynamic for_each value",
              STR("Cannot use an ephemeral value in for_each."));
        return false;
    }
    if (d->each.kind == VALUE_NULL && (collection || type->kind == TYPE_DYNAMIC)) {
        fault(x, d->file, subject, "Invalid dynamic for_each value",
              STR("Cannot use a null value in for_each."));
        return false;
    }
    if (collection || type->kind == TYPE_DYNAMIC)
        return true;
    fault(x, d->file, subject, "Invalid dynamic for_each value",
          arena_printf(x->arena,
                       "Cannot use a %.*s value in for_each. An iterable collection is required.",
                       STR_ARG(hcl_type_name(x->arena, type))));
    return false;
}

static bool read_dynamic(struct expander *x, const struct hcl_scope *names, bool labelled,
                         struct dynamic *d)
{
    static const struct hcl_attribute_spec attributes[] = {
        {STR_INIT("for_each"), true}, {STR_INIT("iterator"), false}, {STR_INIT("labels"), true}};
    static const struct hcl_block_spec blocks[] = {{.type = STR_INIT("content")}};
    struct hcl_body_spec spec = {
        .attribute = attributes, .nattributes = labelled ? 3 : 2, .block = blocks, .nblocks = 1};
    struct hcl_content c;
    struct hcl_diags diags = {.arena = x->arena};
    if (!hcl_body_content(x->arena, d->file, &d->block->body, &spec, false, &diags, &c))
        return false;
    code_say_again(x->walk, &diags);
    if (hcl_has_errors(&diags)) {
        x->fine = false;
        return false;
    }
    d->for_each = named(&c, STR("for_each"));
    d->labels = named(&c, STR("labels"));
    struct code_scope scope = *x->scope;
    scope.names = names;
    if (!read_iterator(x, &c, d))
        return false;
    if (!eval_free(x, &scope, d->file, d->for_each->value, &d->each))
        return false;
    if (!check_each(x, d))
        return false;
    if (c.nblocks == 1) {
        d->content = c.block;
        return true;
    }
    if (c.nblocks == 0)
        fault(x, d->file, d->block->body.missing, "Missing dynamic content block",
              STR("A dynamic block must have a nested block of type \"content\" to describe the "
                  "body of each generated block."));
    else
        fault(x, d->file, c.block[1].header, "Extraneous dynamic content block",
              STR("Only one nested content block is allowed for each dynamic block."));
    return false;
}

/* The iterator as a scope of its own: ITERATOR.key and .value */
static const struct hcl_scope *iterator_scope(struct expander *x, const struct dynamic *d,
                                              const struct hcl_scope *names, struct value key,
                                              struct value value)
{
    struct value_member *m = arena_new(x->arena, struct value_member, 2);
    struct value *object = arena_new(x->arena, struct value, 1);
    struct hcl_scope *scope = arena_new(x->arena, struct hcl_scope, 1);
    struct str *name = arena_new(x->arena, struct str, 1);
    if (!m || !object || !scope || !name)
        return NULL;
    m[0] = (struct value_member){key_intern(&x->code->keys, STR("key")), key};
    m[1] = (struct value_member){key_intern(&x->code->keys, STR("value")), value};
    *object = (struct value){.kind = VALUE_OBJECT, .len = 2, .members = m};
    *name = d->iterator;
    *scope = (struct hcl_scope){.parent = names, .name = name, .value = object, .n = 1};
    return m[0].key && m[1].key ? scope : NULL;
}

/* --- trees --- */

struct level {
    const struct schema_block *block;
    const struct hcl_scope *names;
    const struct code_generated *generated;
    struct code_body_tree *child;
    size_t n, room;
    struct code_dynamic *dynamic;
    size_t ndynamic, room_dynamic;
    unsigned depth_left;
    bool unknown;
};

static bool expand_one(struct expander *x, const struct code_body *bodies, size_t nbodies,
                       const struct schema_block *block, const struct hcl_body_spec *meta,
                       unsigned depth_left, struct code_body_tree *ret);

/* The schema of blocks of that type; NULL = none. Attributes that may be blocks have one too. */
static const struct schema_block *inner_block(struct expander *x, const struct schema_block *block,
                                              struct str type)
{
    if (!block)
        return NULL;
    const struct schema_nested_block *nested = schema_find_block(block, type);
    const struct schema_attribute *attribute = schema_find_attribute(block, type);
    if (nested)
        return nested->block;
    if (attribute && code_can_be_blocks(attribute) && code_attributes_as_blocks(block))
        return code_block_of_type(x->code, attribute->type->elem);
    return NULL;
}

static bool add_block(struct expander *x, struct level *at, const struct hcl_file *file,
                      const struct hcl_block *header, const struct hcl_body *body,
                      struct code_body_tree tree)
{
    struct code_body_tree *grown = arena_grow(x->arena, at->child, at->n, &at->room, at->n + 1);
    struct code_body written = {.file = file, .body = body};
    if (!grown)
        return false;
    at->child = grown;
    tree.file = file;
    tree.written = header;
    tree.header = header->header;
    tree.unknown = tree.unknown || at->unknown;
    const struct schema_block *block = inner_block(x, at->block, tree.type);
    if (!expand_one(x, &written, 1, block, &code_no_meta, at->depth_left - 1, &tree))
        return false;
    at->child[at->n++] = tree;
    return true;
}

static bool take_label(struct expander *x, const struct dynamic *d, const struct hcl_scope *names,
                       struct str *ret)
{
    static const char summary[] = "Invalid dynamic block label";
    const struct hcl_expr *list = d->labels->value;
    struct code_scope scope = *x->scope;
    struct value v, text;
    struct str why;
    scope.names = names;
    if (list->kind != HCL_EXPR_TUPLE || list->parts.n != 1) {
        fault(x, d->file, list->range,
              list->kind == HCL_EXPR_TUPLE && list->parts.n > 1
                  ? "Extraneous dynamic block label"
                  : "Insufficient dynamic block labels",
              arena_printf(x->arena, "Blocks of type \"%.*s\" require 1 label(s).",
                           STR_ARG(d->block->label[0].text)));
        return false;
    }
    const struct hcl_expr *e = list->parts.part[0];
    if (!eval_free(x, &scope, d->file, e, &v))
        return false;
    if (!hcl_convert(x->arena, &v, &type_string, &text, &why))
        fault(x, d->file, e->range, summary,
              arena_printf(x->arena, "Cannot use this value as a dynamic block label: %.*s.",
                           STR_ARG(why)));
    else if (text.kind == VALUE_NULL)
        fault(x, d->file, e->range, summary,
              STR("Cannot use a null value as a dynamic block label."));
    else if (text.kind == VALUE_UNKNOWN)
        fault(x, d->file, e->range, summary,
              STR("This value is not yet known. Dynamic block labels must be immediately-known "
                  "values."));
    else if (text.marks)
        fault(x, d->file, e->range, summary,
              STR("This value has dynamic marks that make it unsuitable for use as a block "
                  "label."));
    else {
        *ret = value_text(&text);
        return true;
    }
    return false;
}

static bool add_generated(struct expander *x, struct level *at, const struct dynamic *d,
                          struct value key, struct value value, bool unknown)
{
    struct code_body_tree tree = {
        .type = d->block->label[0].text, .unknown = unknown, .marks = d->each.marks};
    struct code_generated *from = arena_new(x->arena, struct code_generated, 1);
    tree.names = iterator_scope(x, d, at->names, key, value);
    if (!tree.names || !from)
        return false;
    *from = (struct code_generated){.file = d->file,
                                    .for_each = d->for_each,
                                    .names = at->names,
                                    .iterator = d->iterator,
                                    .key = key,
                                    .set = d->each.kind == VALUE_SET,
                                    .outer = at->generated};
    tree.generated = from;
    tree.is_generated = true;
    if (d->labels && !take_label(x, d, tree.names, &tree.label))
        return true; /* said why; the block is left out */
    return add_block(x, at, d->file, d->block, &d->content->body, tree);
}

static bool note_dynamic(struct expander *x, struct level *at, const struct dynamic *d)
{
    struct code_dynamic *grown =
        arena_grow(x->arena, at->dynamic, at->ndynamic, &at->room_dynamic, at->ndynamic + 1);
    if (!grown)
        return false;
    at->dynamic = grown;
    at->dynamic[at->ndynamic++] = (struct code_dynamic){.file = d->file,
                                                        .block = d->block,
                                                        .content = d->content,
                                                        .for_each = d->for_each,
                                                        .iterator = d->iterator,
                                                        .each = d->each,
                                                        .names = at->names,
                                                        .outer = at->generated,
                                                        .from = at->n};
    return true;
}

static bool expand_dynamic(struct expander *x, struct level *at, const struct hcl_file *file,
                           const struct hcl_block *block)
{
    struct dynamic d = {.file = file, .block = block};
    struct str type = block->label[0].text;
    struct hcl_iteration it;
    struct value key, value;
    const struct schema_nested_block *nested =
        at->block ? schema_find_block(at->block, type) : NULL;
    if (at->block && !inner_block(x, at->block, type)) {
        fault(x, file, block->label[0].range, "Unsupported block type",
              arena_printf(x->arena, "Blocks of type \"%.*s\" are not expected here.",
                           STR_ARG(type)));
        return true;
    }
    if (!read_dynamic(x, at->names, nested && nested->nesting == NESTING_MAP, &d))
        return true;
    if (!note_dynamic(x, at, &d))
        return false;
    if (d.each.kind == VALUE_UNKNOWN)
        return add_generated(x, at, &d, hcl_any(), hcl_any(), true);
    if (!iterable(&d.each) || !hcl_iterate(&x->code->ev, &d.each, d.for_each->value->range, &it))
        return true;
    while (hcl_iteration_next(&it, &key, &value))
        if (!add_generated(x, at, &d, key, value, false))
            return false;
    at->dynamic[at->ndynamic - 1].n = at->n - at->dynamic[at->ndynamic - 1].from;
    return true;
}

static bool expand_blocks(struct expander *x, const struct found *found, struct level *at)
{
    for (size_t i = 0; i < found->nblocks; i++) {
        const struct hcl_block *block = found->block[i].block;
        const struct hcl_file *file = found->block[i].file;
        struct code_body_tree tree = {
            .type = block->type, .names = at->names, .generated = at->generated};
        if (str_equal(block->type, STR("dynamic")) && block->nlabels == 1) {
            if (!expand_dynamic(x, at, file, block))
                return false;
            continue;
        }
        if (block->nlabels)
            tree.label = block->label[block->nlabels - 1].text;
        if (!add_block(x, at, file, block, &block->body, tree))
            return false;
    }
    return true;
}

/* ret->type, names and so on are there already. False only for limits. */
static bool expand_one(struct expander *x, const struct code_body *bodies, size_t nbodies,
                       const struct schema_block *block, const struct hcl_body_spec *meta,
                       unsigned depth_left, struct code_body_tree *ret)
{
    struct found found;
    if (depth_left == 0) {
        fault(x, bodies[0].file, bodies[0].body->range, "Blocks nested too deeply",
              arena_printf(x->arena, "Blocks may be nested %d deep.", CODE_BODY_DEPTH_MAX));
        return false;
    }
    if (++x->code->ev.steps > x->code->options.limits.steps ||
        !find_all(x, bodies, nbodies, block, meta, &found))
        return false;
    struct level at = {.block = block,
                       .names = ret->names,
                       .generated = ret->generated,
                       .depth_left = depth_left,
                       .unknown = ret->unknown};
    if (!expand_blocks(x, &found, &at))
        return false;
    ret->block = block;
    ret->file = bodies[0].file;
    ret->missing = found.missing;
    ret->item = found.item;
    ret->nitems = found.nitems;
    ret->child = at.child;
    ret->nchildren = at.n;
    ret->dynamic = at.dynamic;
    ret->ndynamic = at.ndynamic;
    return true;
}

bool code_expand_body(const struct code_scope *scope, const struct code_body *bodies,
                      size_t nbodies, const struct schema_block *block,
                      const struct hcl_body_spec *meta, struct hcl_diags *diags,
                      struct code_body_tree *ret)
{
    struct code *code = scope->walk->code;
    struct code_walk walk = *scope->walk;
    struct expander x = {
        .scope = scope, .walk = &walk, .code = code, .arena = &code->arena, .fine = true};
    struct hcl_scope *base = arena_new(&code->arena, struct hcl_scope, 1);
    if (!base)
        return false;
    walk.diags = diags;
    *base = (struct hcl_scope){.resolve = code_resolve, .ctx = (void *)(uintptr_t)scope};
    *ret = (struct code_body_tree){.names = base};
    return expand_one(&x, bodies, nbodies, block, meta, CODE_BODY_DEPTH_MAX, ret) && x.fine;
}

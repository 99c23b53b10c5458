/* hcl_specsuite.c - the language's own suite: files decoded by a specification (hcldec), compared
 * with what their tests expect.
 *
 * Usage: hcl_specsuite DIR; every NAME.t below it with its NAME.hcldec and its inputs NAME.hcl and
 * NAME.hcl.json. A test names a result and its type, the references of the input, or the places of
 * its faults. Prints each failure, then `N passed, N failed` (inputs); exit 1 if any failed.
 * Source: hashicorp/hcl, cmd/hcldec/spec-format.md and cmd/hclspecsuite.
 */
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "lang/hcl/content.h"
#include "lang/hcl/ops.h"
#include "lang/hcl/types.h"
#include "wire/json.h"

/* --- specifications --- */

#define SPEC_KINDS(X) \
    X(SPEC_OBJECT, "object") \
    X(SPEC_ARRAY, "array") \
    X(SPEC_LITERAL, "literal") \
    X(SPEC_ATTR, "attr") \
    X(SPEC_BLOCK, "block") \
    X(SPEC_BLOCK_LIST, "block_list") \
    X(SPEC_BLOCK_SET, "block_set") \
    X(SPEC_BLOCK_MAP, "block_map") \
    X(SPEC_BLOCK_ATTRS, "block_attrs") \
    X(SPEC_DEFAULT, "default") \
    X(SPEC_TRANSFORM, "transform")

#define X(constant, name) constant,
enum spec_kind { SPEC_KINDS(X) SPEC_KIND_COUNT };
#undef X
#define X(constant, name) STR_INIT(name),
static const struct str spec_names[] = {SPEC_KINDS(X)};
#undef X

struct spec {
    enum spec_kind kind;
    struct str key;  /* of the property in an object */
    struct str name; /* of the attribute or the block type */
    bool required;
    size_t least, most; /* blocks; most 0 = any number */
    const char *label[HCL_LABELS_MAX];
    const struct type *type;       /* of an attribute or of the elements of block_attrs */
    const struct hcl_expr *result; /* of a literal or a transformation */
    const struct spec *nested;
    size_t n;
};

/* What is open while one test runs. */
struct run {
    struct arena *arena;
    struct hcl_diags spec_diags, diags; /* of the test's own files, of the input */
    struct hcl_file spec_file, test_file, input;
    struct str name[64]; /* variables */
    struct value value[64];
    size_t nvariables;
    bool failed;
};

static void fail(struct run *run, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void fail(struct run *run, const char *fmt, ...)
{
    va_list args;
    if (!run->failed)
        printf("FAIL %.*s\n", STR_ARG(run->input.name));
    run->failed = true;
    printf("    ");
    va_start(args, fmt);
    (void)vprintf(fmt, args);
    va_end(args);
    printf("\n");
}

static struct hcl_eval evaluator(struct run *run, const struct hcl_file *file,
                                 struct hcl_diags *diags, const struct hcl_world *world)
{
    return (struct hcl_eval){.arena = run->arena,
                             .file = file->name,
                             .text = file->text,
                             .diags = diags,
                             .world = world};
}

/* An argument of the specification or the test: evaluated without names. */
static bool argument(struct run *run, const struct hcl_file *file, const struct hcl_body *body,
                     const char *name, struct value *ret)
{
    const struct hcl_attribute *attribute = hcl_find_attribute(body, str_from(name));
    struct hcl_world world = {.planning = true};
    struct hcl_eval ev = evaluator(run, file, &run->spec_diags, &world);
    return attribute && hcl_eval_expr(&ev, attribute->value, NULL, ret);
}

static size_t count_argument(struct run *run, const struct hcl_body *body, const char *name)
{
    struct value v;
    int64_t n = 0;
    return argument(run, &run->spec_file, body, name, &v) && value_to_int64(&v, &n) && n > 0
               ? (size_t)n
               : 0;
}

static const struct type *type_argument(struct run *run, const struct hcl_file *file,
                                        const struct hcl_body *body, const char *name)
{
    const struct hcl_attribute *attribute = hcl_find_attribute(body, str_from(name));
    const struct hcl_type_default *defaults;
    const struct type *type = &type_dynamic;
    struct hcl_world world = {.planning = true};
    struct hcl_eval ev = evaluator(run, file, &run->spec_diags, &world);
    if (attribute)
        (void)hcl_type_constraint(&ev, attribute->value, &type, &defaults);
    return type;
}

static struct spec load_spec(struct run *run, const struct hcl_block *block, unsigned depth_left);

static bool find_kind(struct str name, enum spec_kind *ret)
{
    for (size_t i = 0; i < SPEC_KIND_COUNT; i++)
        if (str_equal(spec_names[i], name)) {
            *ret = (enum spec_kind)i;
            return true;
        }
    return false;
}

static void load_nested(struct run *run, const struct hcl_body *body, unsigned depth_left,
                        struct spec *ret)
{
    struct spec *nested = arena_new(run->arena, struct spec, body->nblocks);
    enum spec_kind kind;
    ret->n = 0;
    for (size_t i = 0; nested && depth_left && i < body->nblocks; i++)
        if (find_kind(body->block[i].type, &kind))
            nested[ret->n++] = load_spec(run, &body->block[i], depth_left - 1);
    ret->nested = nested;
}

static struct spec load_spec(struct run *run, const struct hcl_block *block, unsigned depth_left)
{
    const struct hcl_body *body = &block->body;
    struct spec spec = {0};
    struct value v;
    (void)find_kind(block->type, &spec.kind);
    if (block->nlabels)
        spec.key = spec.name = block->label[0].text;
    if (argument(run, &run->spec_file, body, spec.kind == SPEC_ATTR ? "name" : "block_type", &v))
        spec.name = value_text(&v);
    if (argument(run, &run->spec_file, body, "required", &v))
        spec.required = v.kind == VALUE_BOOL && v.truth;
    spec.least = count_argument(run, body, "min_items");
    spec.most = count_argument(run, body, "max_items");
    spec.type = type_argument(run, &run->spec_file, body,
                              spec.kind == SPEC_BLOCK_ATTRS ? "element_type" : "type");
    if (argument(run, &run->spec_file, body, "labels", &v) && value_is_list_like(&v))
        for (uint32_t i = 0; i < v.len && i < HCL_LABELS_MAX; i++)
            spec.label[i] = arena_dup(run->arena, value_text(&v.items[i])).ptr;
    const struct hcl_attribute *result =
        hcl_find_attribute(body, spec.kind == SPEC_LITERAL ? STR("value") : STR("result"));
    spec.result = result ? result->value : NULL;
    load_nested(run, body, depth_left, &spec);
    return spec;
}

/* --- the table that a specification implies for a body --- */

enum { NAMES_MAX = 64 };
struct implied {
    struct hcl_attribute_spec attribute[NAMES_MAX];
    struct hcl_block_spec block[NAMES_MAX];
    struct hcl_body_spec spec;
};

static void imply_block(const struct spec *spec, struct implied *ret)
{
    for (size_t i = 0; i < ret->spec.nblocks; i++)
        if (str_equal(ret->block[i].type, spec->name))
            return;
    struct hcl_block_spec *block = &ret->block[ret->spec.nblocks++];
    block->type = spec->name;
    memcpy(block->label, spec->label, sizeof block->label);
}

static void imply(const struct spec *spec, struct implied *ret, unsigned depth_left)
{
    size_t of_this_body = spec->kind == SPEC_OBJECT || spec->kind == SPEC_ARRAY        ? spec->n
                          : spec->kind == SPEC_DEFAULT || spec->kind == SPEC_TRANSFORM ? 1
                                                                                       : 0;
    if (ret->spec.nattributes == NAMES_MAX || ret->spec.nblocks == NAMES_MAX || !depth_left)
        return;
    if (spec->kind == SPEC_ATTR)
        ret->attribute[ret->spec.nattributes++] =
            (struct hcl_attribute_spec){spec->name, spec->required};
    else if (spec->kind >= SPEC_BLOCK && spec->kind <= SPEC_BLOCK_ATTRS)
        imply_block(spec, ret);
    for (size_t i = 0; i < of_this_body && i < spec->n; i++)
        imply(&spec->nested[i], ret, depth_left - 1);
    ret->spec.attribute = ret->attribute;
    ret->spec.block = ret->block;
}

/* --- the type that it implies, for what is not there --- */

static const struct type *implied_type(struct run *run, const struct spec *spec);

static const struct type *object_type(struct run *run, const struct spec *spec)
{
    struct type_member *members = arena_new(run->arena, struct type_member, spec->n);
    for (size_t i = 0; members && i < spec->n; i++)
        members[i] = (struct type_member){.key = key_make(run->arena, spec->nested[i].key),
                                          .type = implied_type(run, &spec->nested[i])};
    return type_object(run->arena, members, spec->n);
}

static const struct type *array_type(struct run *run, const struct spec *spec)
{
    const struct type **items = arena_new(run->arena, const struct type *, spec->n);
    for (size_t i = 0; items && i < spec->n; i++)
        items[i] = implied_type(run, &spec->nested[i]);
    return type_tuple(run->arena, items, spec->n);
}

static const struct type *implied_type(struct run *run, const struct spec *spec)
{
    const struct type *nested = &type_dynamic;
    if (spec->n && spec->kind != SPEC_OBJECT && spec->kind != SPEC_ARRAY)
        nested = implied_type(run, &spec->nested[0]);
    switch (spec->kind) {
    case SPEC_OBJECT:
        return object_type(run, spec);
    case SPEC_ARRAY:
        return array_type(run, spec);
    case SPEC_ATTR:
        return spec->type;
    case SPEC_BLOCK_LIST:
        return type_collection(run->arena, TYPE_LIST, nested);
    case SPEC_BLOCK_SET:
        return type_collection(run->arena, TYPE_SET, nested);
    case SPEC_BLOCK_MAP:
        for (size_t i = 0; i < HCL_LABELS_MAX && spec->label[i]; i++)
            nested = type_collection(run->arena, TYPE_MAP, nested);
        return nested;
    case SPEC_BLOCK_ATTRS:
        return type_collection(run->arena, TYPE_MAP, spec->type);
    case SPEC_BLOCK:
    case SPEC_DEFAULT:
        return nested;
    default:
        return &type_dynamic;
    }
}

/* --- decoding --- */

static void report(struct run *run, struct hcl_range subject, const char *summary)
{
    hcl_diag_add(&run->diags, run->input.name, run->input.text, false, subject, str_from(summary),
                 "see the specification");
}

static bool resolve(void *ctx, struct hcl_eval *ev, const struct hcl_traversal *traversal,
                    struct value *ret, size_t *ret_steps)
{
    const struct run *run = ctx;
    *ret_steps = 0;
    for (size_t i = 0; i < run->nvariables; i++)
        if (str_equal(run->name[i], traversal->root)) {
            *ret = run->value[i];
            return true;
        }
    return hcl_fail(ev, traversal->root_range, "Unknown variable", "There is no such variable.");
}

/* Converted to the type; a null of it after a fault, so that the rest is still looked at. */
static struct value evaluate(struct run *run, const struct hcl_expr *expr, const struct type *type)
{
    struct hcl_world world = {.planning = true};
    struct hcl_eval ev = evaluator(run, &run->input, &run->diags, &world);
    struct hcl_scope scope = {.resolve = resolve, .ctx = run};
    struct value v, converted;
    struct str why;
    if (!hcl_eval_expr(&ev, expr, run->nvariables ? &scope : NULL, &v))
        return hcl_null(type);
    if (hcl_convert(run->arena, &v, type, &converted, &why))
        return converted;
    report(run, expr->range, "Incorrect attribute value type");
    return hcl_null(type);
}

static struct value decode(struct run *run, const struct spec *spec, const struct hcl_body *body,
                           const struct hcl_content *content);
static struct value decode_body(struct run *run, const struct spec *spec,
                                const struct hcl_body *body);

static struct value decode_attr(struct run *run, const struct spec *spec,
                                const struct hcl_content *content)
{
    for (size_t i = 0; i < content->nattributes; i++)
        if (str_equal(content->attribute[i].name, spec->name))
            return evaluate(run, content->attribute[i].value, spec->type);
    return hcl_null(spec->type);
}

/* The next block of the specification's type at or after *at, moved past it. */
static const struct hcl_block *next_block(const struct spec *spec,
                                          const struct hcl_content *content, size_t *at)
{
    while (*at < content->nblocks)
        if (str_equal(content->block[(*at)++].type, spec->name))
            return &content->block[*at - 1];
    return NULL;
}

static struct value decode_attributes(struct run *run, const struct spec *spec,
                                      const struct hcl_body *body)
{
    struct hcl_content content = {0};
    struct value ret = {0};
    if (!hcl_body_attributes(run->arena, &run->input, body, &run->diags, &content))
        return hcl_any();
    struct value_member *members = arena_new(run->arena, struct value_member, content.nattributes);
    for (size_t i = 0; members && i < content.nattributes; i++)
        members[i] = (struct value_member){key_make(run->arena, content.attribute[i].name),
                                           evaluate(run, content.attribute[i].value, spec->type)};
    (void)value_members(VALUE_MAP, members, content.nattributes, &ret, NULL, NULL);
    if (ret.len == 0)
        ret.type = spec->type;
    return ret;
}

static struct value decode_block(struct run *run, const struct spec *spec,
                                 const struct hcl_body *body, const struct hcl_content *content)
{
    size_t at = 0;
    const struct hcl_block *block = next_block(spec, content, &at);
    if (!block) {
        if (spec->required)
            report(run, body->missing, "Missing block");
        return hcl_null(implied_type(run, spec));
    }
    const struct hcl_block *second = next_block(spec, content, &at);
    if (second)
        report(run, second->header, "Duplicate block");
    if (spec->kind == SPEC_BLOCK_ATTRS)
        return decode_attributes(run, spec, &block->body);
    return spec->n ? decode_body(run, &spec->nested[0], &block->body) : hcl_any();
}

static struct value decode_blocks(struct run *run, const struct spec *spec,
                                  const struct hcl_body *body, const struct hcl_content *content)
{
    struct value *items = arena_new(run->arena, struct value, content->nblocks);
    struct value list;
    size_t n = 0, at = 0;
    const struct hcl_block *block;
    while (items && spec->n && (block = next_block(spec, content, &at))) {
        items[n++] = decode_body(run, &spec->nested[0], &block->body);
        if (spec->most && n == spec->most + 1)
            report(run, block->header, "Too many blocks");
    }
    if (n < spec->least)
        report(run, body->missing, "Insufficient blocks");
    const struct type *elem =
        n ? hcl_type_of(run->arena, &items[0]) : implied_type(run, &spec->nested[0]);
    if (spec->kind == SPEC_BLOCK_SET)
        return hcl_make_set(run->arena, elem, items, n, &list) ? list : hcl_any();
    list = value_items(VALUE_LIST, items, n);
    if (n == 0)
        list.type = elem;
    return list;
}

/* Blocks with the same first labels, as maps of maps by the labels from `level` on. */
static struct value map_level(struct run *run, const struct spec *spec,
                              const struct hcl_block *const *blocks, size_t n, size_t level)
{
    struct value_member *members = arena_new(run->arena, struct value_member, n);
    const struct hcl_block **same = arena_new(run->arena, const struct hcl_block *, n);
    bool last = level + 1 == HCL_LABELS_MAX || !spec->label[level + 1];
    size_t nmembers = 0;
    struct value ret = {0};
    for (size_t i = 0; members && same && i < n; i++) {
        struct str label = blocks[i]->label[level].text;
        size_t nsame = 0, before = 0;
        for (size_t k = 0; k < n; k++)
            if (str_equal(blocks[k]->label[level].text, label)) {
                before += k < i;
                same[nsame++] = blocks[k];
            }
        if (before && last)
            report(run, blocks[i]->header, "Duplicate block");
        if (before)
            continue;
        struct value_member *m = &members[nmembers++];
        m->key = key_make(run->arena, label);
        m->value = last ? decode_body(run, &spec->nested[0], &blocks[i]->body)
                        : map_level(run, spec, same, nsame, level + 1);
    }
    (void)value_members(VALUE_MAP, members, nmembers, &ret, NULL, NULL);
    return ret;
}

static struct value decode_map(struct run *run, const struct spec *spec,
                               const struct hcl_content *content)
{
    const struct hcl_block **blocks =
        arena_new(run->arena, const struct hcl_block *, content->nblocks);
    const struct hcl_block *block;
    size_t n = 0, at = 0;
    while (blocks && (block = next_block(spec, content, &at)))
        blocks[n++] = block;
    if (n && spec->n)
        return map_level(run, spec, blocks, n, 0);
    struct value ret = {.kind = VALUE_MAP};
    ret.type = implied_type(run, spec)->elem;
    return ret;
}

static struct value decode_object(struct run *run, const struct spec *spec,
                                  const struct hcl_body *body, const struct hcl_content *content)
{
    struct value ret = {.kind = VALUE_OBJECT};
    struct value_member *members = arena_new(run->arena, struct value_member, spec->n);
    for (size_t i = 0; members && i < spec->n; i++)
        members[i] = (struct value_member){key_make(run->arena, spec->nested[i].key),
                                           decode(run, &spec->nested[i], body, content)};
    (void)value_members(VALUE_OBJECT, members, spec->n, &ret, NULL, NULL);
    return ret;
}

static struct value decode_array(struct run *run, const struct spec *spec,
                                 const struct hcl_body *body, const struct hcl_content *content)
{
    struct value *items = arena_new(run->arena, struct value, spec->n);
    for (size_t i = 0; items && i < spec->n; i++)
        items[i] = decode(run, &spec->nested[i], body, content);
    return value_items(VALUE_TUPLE, items, spec->n);
}

/* An expression of the specification over what the nested one gave. */
static struct value decode_result(struct run *run, const struct spec *spec,
                                  const struct value *nested)
{
    static const struct str name = STR_INIT("nested");
    struct hcl_world world = {.planning = true};
    struct hcl_eval ev = evaluator(run, &run->spec_file, &run->spec_diags, &world);
    struct hcl_scope scope = {.name = &name, .value = nested, .n = 1};
    struct value v = hcl_any();
    if (spec->result)
        (void)hcl_eval_expr(&ev, spec->result, nested ? &scope : NULL, &v);
    return v;
}

static struct value decode(struct run *run, const struct spec *spec, const struct hcl_body *body,
                           const struct hcl_content *content)
{
    struct value v = hcl_null(NULL);
    switch (spec->kind) {
    case SPEC_OBJECT:
        return decode_object(run, spec, body, content);
    case SPEC_ARRAY:
        return decode_array(run, spec, body, content);
    case SPEC_ATTR:
        return decode_attr(run, spec, content);
    case SPEC_BLOCK:
    case SPEC_BLOCK_ATTRS:
        return decode_block(run, spec, body, content);
    case SPEC_BLOCK_LIST:
    case SPEC_BLOCK_SET:
        return decode_blocks(run, spec, body, content);
    case SPEC_BLOCK_MAP:
        return decode_map(run, spec, content);
    case SPEC_DEFAULT:
        for (size_t i = 0; i < spec->n && v.kind == VALUE_NULL; i++)
            v = decode(run, &spec->nested[i], body, content);
        return v;
    case SPEC_TRANSFORM:
        if (spec->n)
            v = decode(run, &spec->nested[0], body, content);
        return decode_result(run, spec, &v);
    default:
        return decode_result(run, spec, NULL);
    }
}

static struct value decode_body(struct run *run, const struct spec *spec,
                                const struct hcl_body *body)
{
    struct implied implied = {0};
    struct hcl_content content = {0};
    imply(spec, &implied, 100);
    if (!hcl_body_content(run->arena, &run->input, body, &implied.spec, false, &run->diags,
                          &content))
        return hcl_any();
    return decode(run, spec, body, &content);
}

/* --- references --- */

struct references {
    struct run *run;
    struct hcl_traversal found[NAMES_MAX];
    size_t n;
};

static bool keep_reference(void *ctx, const struct hcl_traversal *traversal)
{
    struct references *refs = ctx;
    if (refs->n < NAMES_MAX)
        refs->found[refs->n++] = *traversal;
    return true;
}

static void find_references(struct references *refs, const struct spec *spec,
                            const struct hcl_body *body, unsigned depth_left)
{
    struct run *run = refs->run;
    struct hcl_diags unheard = {.arena = run->arena};
    struct implied implied = {0};
    struct hcl_content content = {0};
    imply(spec, &implied, 100);
    (void)hcl_body_content(run->arena, &run->input, body, &implied.spec, false, &unheard, &content);
    for (size_t i = 0; i < content.nattributes; i++)
        (void)hcl_each_reference(run->arena, content.attribute[i].value, keep_reference, refs);
    for (size_t i = 0; depth_left && i < spec->n; i++)
        for (size_t k = 0; k < content.nblocks; k++)
            if (str_equal(content.block[k].type, spec->nested[i].name) && spec->nested[i].n)
                find_references(refs, &spec->nested[i].nested[0], &content.block[k].body,
                                depth_left - 1);
}

static bool same_reference(const struct hcl_traversal *a, const struct hcl_traversal *b)
{
    if (!str_equal(a->root, b->root) || a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!value_equal(&a->step[i].key, &b->step[i].key))
            return false;
    return true;
}

/* --- judging --- */

struct place {
    uint32_t line, column, byte;
};

static struct place place_of(const struct run *run, uint32_t byte)
{
    struct place place = {.byte = byte};
    hcl_place(run->input.text, byte, &place.line, &place.column);
    return place;
}

/* `from` and `to` of a block of the test; what it leaves out is 0, as the suite has it. */
static struct place wanted_place(struct run *run, const struct hcl_body *body, const char *which)
{
    static const char *const names[] = {"line", "column", "byte"};
    uint32_t found[3] = {0};
    size_t at = 0;
    const struct hcl_block *block = hcl_find_block(body, str_from(which), &at);
    for (size_t i = 0; block && i < 3; i++) {
        struct value v;
        int64_t n;
        if (argument(run, &run->test_file, &block->body, names[i], &v) && value_to_int64(&v, &n))
            found[i] = (uint32_t)n;
    }
    return (struct place){found[0], found[1], found[2]};
}

static bool same_place(struct place a, struct place b)
{
    return a.line == b.line && a.column == b.column && a.byte == b.byte;
}

static void check_references(struct run *run, const struct hcl_body *want, const struct spec *spec)
{
    struct references refs = {.run = run};
    size_t expected = 0;
    find_references(&refs, spec, &run->input.body, 100);
    for (size_t i = 0; i < want->nblocks; i++) {
        const struct hcl_attribute *ref = hcl_find_attribute(&want->block[i].body, STR("ref"));
        struct hcl_traversal t;
        bool found = false;
        if (!ref || !hcl_static_traversal(run->arena, ref->value, &t))
            continue;
        struct place from = wanted_place(run, &want->block[i].body, "from");
        struct place to = wanted_place(run, &want->block[i].body, "to");
        for (size_t k = 0; k < refs.n && !found; k++)
            found = same_reference(&refs.found[k], &t) &&
                    same_place(place_of(run, refs.found[k].range.start), from) &&
                    same_place(place_of(run, refs.found[k].range.end), to);
        expected++;
        if (!found)
            fail(run, "missing reference to %.*s", STR_ARG(t.root));
    }
    if (refs.n != expected)
        fail(run, "%zu references instead of %zu", refs.n, expected);
}

static bool is_wanted(struct run *run, const struct hcl_diag *diag, const struct hcl_block *want)
{
    return diag->warning == str_equal(want->type, STR("warning")) &&
           same_place(place_of(run, diag->subject.start), wanted_place(run, &want->body, "from")) &&
           same_place(place_of(run, diag->subject.end), wanted_place(run, &want->body, "to"));
}

static void check_diagnostics(struct run *run, const struct hcl_body *want)
{
    for (size_t i = 0; i < run->diags.n; i++) {
        bool found = false;
        for (size_t k = 0; k < want->nblocks && !found; k++)
            found = is_wanted(run, &run->diags.diag[i], &want->block[k]);
        if (!found)
            fail(run, "unexpected at %u:%u: %.*s; %.*s", run->diags.diag[i].line,
                 run->diags.diag[i].column, STR_ARG(run->diags.diag[i].summary),
                 STR_ARG(run->diags.diag[i].detail));
    }
    for (size_t k = 0; k < want->nblocks; k++) {
        struct place from = wanted_place(run, &want->block[k].body, "from");
        bool found = false;
        for (size_t i = 0; i < run->diags.n && !found; i++)
            found = is_wanted(run, &run->diags.diag[i], &want->block[k]);
        if (!found)
            fail(run, "missing diagnostic at %u:%u", from.line, from.column);
    }
}

/* Is `type` what `want` says, dynamic standing for anything? */
static bool conforms(const struct type *type, const struct type *want)
{
    if (want->kind == TYPE_DYNAMIC)
        return true;
    if (type->kind != want->kind || (type->kind >= TYPE_TUPLE && type->n != want->n))
        return false;
    if (type->kind == TYPE_TUPLE)
        for (uint32_t i = 0; i < type->n; i++)
            if (!conforms(type->items[i], want->items[i]))
                return false;
    if (type->kind == TYPE_OBJECT)
        for (uint32_t i = 0; i < type->n; i++)
            if (!key_equal(type->members[i].key, want->members[i].key) ||
                !conforms(type->members[i].type, want->members[i].type))
                return false;
    bool collection = type->kind == TYPE_LIST || type->kind == TYPE_SET || type->kind == TYPE_MAP;
    return !collection || conforms(type->elem, want->elem);
}

static void print_value(const char *which, const struct value *v)
{
    AUTO_BUF out = {.limit = 1 << 20};
    struct jsonw w = {.out = &out};
    jsonw_value(&w, v);
    printf("    %s: %.*s\n", which, (int)(out.len < 4000 ? out.len : 4000), out.ptr);
}

static void check_result(struct run *run, const struct value *got)
{
    const struct hcl_body *test = &run->test_file.body;
    const struct type *want_type = type_argument(run, &run->test_file, test, "result_type");
    const struct type *type = hcl_type_of(run->arena, got);
    struct value want, converted;
    struct str why;
    for (size_t i = 0; i < run->diags.n; i++)
        fail(run, "%u:%u: %.*s; %.*s", run->diags.diag[i].line, run->diags.diag[i].column,
             STR_ARG(run->diags.diag[i].summary), STR_ARG(run->diags.diag[i].detail));
    if (run->failed)
        return;
    if (!conforms(type, want_type))
        fail(run, "another type: %.*s", STR_ARG(hcl_type_name(run->arena, type)));
    if (!argument(run, &run->test_file, test, "result", &want))
        return;
    if (!hcl_convert(run->arena, &want, want_type, &converted, &why)) {
        fail(run, "the test's result has not its type: %.*s", STR_ARG(why));
    } else if (!value_equal(got, &converted)) {
        fail(run, "another value");
        print_value("want", &converted);
        print_value("got", got);
    }
}

/* --- a test --- */

static bool read_file(struct run *run, const char *path, struct hcl_diags *diags,
                      struct hcl_file *ret)
{
    struct err err = {0};
    struct str text, name = arena_dup(run->arena, str_from(path));
    char why[512];
    ret->name = name;
    bool json = str_ends(name, STR(".json"));
    bool ok = io_read_file(run->arena, path, HCL_SIZE_MAX, &text, &err) &&
              (json ? hcl_parse_json_file(run->arena, text, name, diags, ret, &err)
                    : hcl_parse_file(run->arena, text, name, diags, ret, &err));
    if (!ok)
        fail(run, "%s", err_text(&err, why, sizeof why));
    return ok;
}

static void load_variables(struct run *run)
{
    size_t at = 0;
    const struct hcl_block *block;
    while ((block = hcl_find_block(&run->spec_file.body, STR("variables"), &at)))
        for (size_t i = 0; i < block->body.nattributes && run->nvariables < NAMES_MAX; i++) {
            const struct hcl_attribute *a = &block->body.attribute[i];
            run->name[run->nvariables] = a->name;
            if (argument(run, &run->spec_file, &block->body, arena_dup(run->arena, a->name).ptr,
                         &run->value[run->nvariables]))
                run->nvariables++;
        }
}

static void judge(struct run *run)
{
    struct spec root = {0};
    size_t at = 0;
    load_variables(run);
    load_nested(run, &run->spec_file.body, 100, &root);
    if (root.n != 1) {
        fail(run, "the specification has %zu roots", root.n);
        return;
    }
    const struct hcl_block *references =
        hcl_find_block(&run->test_file.body, STR("traversals"), &at);
    at = 0;
    const struct hcl_block *faults = hcl_find_block(&run->test_file.body, STR("diagnostics"), &at);
    struct value got = hcl_any();
    if (!hcl_has_errors(&run->diags)) { /* of a file that cannot be read nothing is decoded */
        if (references)
            check_references(run, &references->body, &root.nested[0]);
        got = decode_body(run, &root.nested[0], &run->input.body);
    }
    if (faults)
        check_diagnostics(run, &faults->body);
    else
        check_result(run, &got);
    for (size_t i = 0; i < run->spec_diags.n; i++)
        fail(run, "the test's own files: %.*s:%u: %.*s", STR_ARG(run->spec_diags.diag[i].file),
             run->spec_diags.diag[i].line, STR_ARG(run->spec_diags.diag[i].summary));
}

/* base: the path without ".t". -1: there is no such input. */
static int run_input(struct str base, const char *suffix)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << 28};
    struct run *run = arena_new(&arena, struct run, 1);
    struct str path = arena_printf(&arena, "%.*s%s", STR_ARG(base), suffix);
    struct str spec = arena_printf(&arena, "%.*s.hcldec", STR_ARG(base));
    struct str test = arena_printf(&arena, "%.*s.t", STR_ARG(base));
    struct stat st;
    if (!run || stat(path.ptr, &st) != 0)
        return -1;
    run->arena = &arena;
    run->spec_diags.arena = run->diags.arena = &arena;
    if (read_file(run, path.ptr, &run->diags, &run->input) &&
        read_file(run, spec.ptr, &run->spec_diags, &run->spec_file) &&
        read_file(run, test.ptr, &run->spec_diags, &run->test_file))
        judge(run);
    return run->failed;
}

static void run_test(struct str base, size_t *passed, size_t *failed)
{
    static const char *const suffixes[] = {".hcl", ".hcl.json"};
    size_t inputs = 0;
    for (size_t i = 0; i < 2; i++) {
        int bad = run_input(base, suffixes[i]);
        inputs += bad >= 0;
        *passed += bad == 0;
        *failed += bad > 0;
    }
    if (inputs == 0) {
        printf("FAIL %.*s.t\n    there is no input\n", STR_ARG(base));
        ++*failed;
    }
}

static void run_folder(const char *path, unsigned depth_left, size_t *passed, size_t *failed)
{
    AUTO_ARENA arena = {.limit = 1 << 24};
    struct dirent **entries = NULL;
    int n = depth_left ? scandir(path, &entries, NULL, alphasort) : -1;
    for (int i = 0; i < n; i++) {
        struct str name = str_from(entries[i]->d_name);
        struct str whole = arena_printf(&arena, "%s/%.*s", path, STR_ARG(name));
        struct stat st;
        bool folder = whole.ptr && stat(whole.ptr, &st) == 0 && S_ISDIR(st.st_mode);
        if (folder && !str_starts(name, STR(".")))
            run_folder(whole.ptr, depth_left - 1, passed, failed);
        else if (!folder && str_ends(name, STR(".t")))
            run_test(str_sub(whole, 0, whole.len - 2), passed, failed);
        free(entries[i]);
    }
    free((void *)entries);
}

int main(int argc, char **argv)
{
    size_t passed = 0, failed = 0;
    if (argc != 2) {
        (void)fprintf(stderr, "usage: hcl_specsuite DIR\n");
        return 2;
    }
    run_folder(argv[1], 20, &passed, &failed);
    printf("%zu passed, %zu failed\n", passed, failed);
    return failed > 0 || passed == 0;
}

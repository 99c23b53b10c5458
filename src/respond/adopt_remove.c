/* adopt_remove.c - what is not there any more: its block goes out of the code, in either syntax,
 * with the import blocks for it; a `removed` block takes its place where that is asked for.
 *
 * Source: Terraform language, "Remove a resource from state" (removed blocks)
 */
#include "base/arena.h"
#include "base/err.h"
#include "respond/adopt_parts.h"

enum { WORDS = 3, STEPS_MAX = 2 * WORDS + 2 }; /* resource, TYPE, NAME; an array around each */

static const struct hcl_block *block_of(const struct hcl_file *file,
                                        const struct code_instance *instance)
{
    for (size_t i = 0; i < file->body.nblocks; i++) {
        const struct hcl_block *block = &file->body.block[i];
        if (str_equal(block->type, STR("resource")) && block->nlabels == 2 &&
            str_equal(block->label[0].text, instance->type) &&
            str_equal(block->label[1].text, instance->name))
            return block;
    }
    return NULL;
}

static bool check(struct adopter *ad, const struct code_instance *instance, struct str file)
{
    const struct code_resource *resource = instance->resource;
    if (instance->index_key.kind != VALUE_NULL)
        return adopt_refuse(ad,
                            "it is one of those that %s of %.*s:%u makes: take it out of what "
                            "that goes through",
                            instance->index_key.kind == VALUE_STRING ? "for_each" : "count",
                            STR_ARG(file), resource->place.line);
    if (instance->mode != CODE_MANAGED || resource->check.len)
        return adopt_refuse(ad, "it is no resource of its own");
    if (resource->noverrides)
        return adopt_refuse(ad, "an override file says more about it");
    return adopt_may_edit(ad, file);
}

/* TYPE.NAME, as a block of its module names it. */
static struct str own_name(struct adopter *ad, const struct code_instance *instance)
{
    return arena_printf(ad->arena, "%.*s.%.*s", STR_ARG(instance->type), STR_ARG(instance->name));
}

/* --- native syntax --- */

static bool add_removed(struct adopter *ad, const struct code_instance *instance,
                        struct adopt_text *text, const struct hcl_block *before)
{
    struct hcl_edit edit;
    struct value no = value_bool(false);
    struct hcl_new_item destroy = {.key = STR("destroy"), .value = &no};
    struct hcl_new_item from = {.key = STR("from"), .text = own_name(ad, instance)};
    struct hcl_new_block lifecycle = {
        .type = STR("lifecycle"), .attribute = &destroy, .nattributes = 1};
    struct hcl_new_block removed = {.type = STR("removed"),
                                    .attribute = &from,
                                    .nattributes = 1,
                                    .block = &lifecycle,
                                    .nblocks = 1};
    if (!from.text.ptr)
        return adopt_full(ad);
    hcl_edit_start(&edit, ad->arena, text->file);
    hcl_edit_insert_blocks(&edit, &text->file->body, before, &removed, 1);
    return adopt_take(ad, text, &edit);
}

static bool remove_native(struct adopter *ad, const struct code_instance *instance,
                          struct adopt_text *text, bool forget)
{
    struct hcl_edit edit;
    const struct hcl_block *block = block_of(text->file, instance);
    if (!block)
        return adopt_refuse(ad, "%.*s: its block is not found again", STR_ARG(text->name));
    if (forget && !add_removed(ad, instance, text, block))
        return false;
    block = block_of(text->file, instance);
    hcl_edit_start(&edit, ad->arena, text->file);
    hcl_edit_remove_block(&edit, &text->file->body, block);
    return adopt_take(ad, text, &edit);
}

/* --- JSON syntax --- */

/* Where a block stands in the objects and arrays of a file. */
struct trail {
    const struct str *word;
    struct path_step step[STEPS_MAX];
    size_t n;
    size_t alone; /* so many steps lead to the largest part that holds nothing else */
    bool twice;   /* it could be in more than one place */
};

static bool member_of(const struct hcl_expr *object, struct str name, size_t *ret_n,
                      const struct hcl_expr **ret)
{
    *ret_n = 0;
    for (size_t i = 0; i < object->items.n; i++) {
        const struct hcl_expr *key = object->items.item[i].key;
        if (key->kind == HCL_EXPR_STRING && str_equal(value_text(&key->value), name)) {
            *ret = object->items.item[i].value;
            ++*ret_n;
        }
    }
    return *ret_n > 0;
}

static void go_on(struct trail *trail, struct path_step step, bool alone)
{
    trail->step[trail->n++] = step;
    if (!alone || trail->alone == 0)
        trail->alone = trail->n;
}

static void go_back(struct trail *trail, const struct trail *to)
{
    bool twice = trail->twice;
    *trail = *to;
    trail->twice = twice;
}

static bool find_json(struct trail *trail, const struct hcl_expr *expr, size_t at, bool nested)
{
    const struct hcl_expr *inner;
    struct trail kept = *trail;
    size_t n;
    if (expr->kind == HCL_EXPR_TUPLE && !nested) { /* several blocks */
        for (size_t i = 0; i < expr->parts.n; i++) {
            struct path_step step = {.kind = PATH_INDEX, .index = (int64_t)i};
            go_on(trail, step, expr->parts.n == 1 && trail->n > 0);
            if (find_json(trail, expr->parts.part[i], at, true))
                return true;
            go_back(trail, &kept);
        }
        return false;
    }
    if (expr->kind != HCL_EXPR_OBJECT || !member_of(expr, trail->word[at], &n, &inner))
        return false;
    trail->twice |= n > 1;
    go_on(trail, (struct path_step){.kind = PATH_KEY, .key = trail->word[at]},
          expr->items.n == 1 && trail->n > 0);
    if (at + 1 == WORDS || find_json(trail, inner, at + 1, false))
        return true;
    go_back(trail, &kept);
    return false;
}

/* One more element of "removed" at the top. */
static bool add_removed_json(struct adopter *ad, const struct code_instance *instance,
                             struct adopt_text *text)
{
    struct hcl_edit edit;
    struct hcl_obstacle obstacle;
    const struct hcl_expr *top = text->file->body.json, *there = NULL;
    size_t n = 0;
    struct str from = own_name(ad, instance);
    struct value_member destroy = {key_make(ad->arena, STR("destroy")), value_bool(false)};
    struct value_member member[2] = {{key_make(ad->arena, STR("from")), value_string(from)},
                                     {key_make(ad->arena, STR("lifecycle")), value_null()}};
    struct value object, list;
    if (!destroy.key || !member[0].key || !member[1].key || !from.ptr)
        return adopt_full(ad);
    if (!value_members(VALUE_OBJECT, &destroy, 1, &member[1].value, NULL, NULL) ||
        !value_members(VALUE_OBJECT, member, 2, &object, NULL, NULL))
        return adopt_full(ad);
    bool array = top->kind == HCL_EXPR_OBJECT && member_of(top, STR("removed"), &n, &there) &&
                 there->kind == HCL_EXPR_TUPLE;
    if (top->kind != HCL_EXPR_OBJECT || n > 1 || (there && !array))
        return adopt_refuse(ad, "%.*s has no array of removed blocks that could grow",
                            STR_ARG(text->name));
    struct path_step step[2] = {{.kind = PATH_KEY, .key = STR("removed")}, {.kind = PATH_INDEX}};
    step[1].index = array ? (int64_t)there->parts.n : 0;
    list = value_items(VALUE_TUPLE, &object, 1);
    hcl_edit_start(&edit, ad->arena, text->file);
    if (!hcl_edit_set(&edit, top, (struct path){step, array ? 2 : 1}, array ? &object : &list,
                      (struct hcl_known){0}, &obstacle))
        return adopt_refuse(ad, "%.*s: %s is in the way of a removed block", STR_ARG(text->name),
                            hcl_obstacle_name(obstacle.kind));
    return adopt_take(ad, text, &edit);
}

static bool remove_json(struct adopter *ad, const struct code_instance *instance,
                        struct adopt_text *text, bool forget)
{
    const struct str word[WORDS] = {STR("resource"), instance->type, instance->name};
    struct trail trail = {.word = word};
    struct hcl_edit edit;
    struct hcl_obstacle obstacle;
    bool found = find_json(&trail, text->file->body.json, 0, false);
    if (trail.twice)
        return adopt_refuse(ad, "%.*s has the key of a block around it more than once",
                            STR_ARG(text->name));
    if (!found)
        return adopt_refuse(ad, "%.*s: its block is not found again", STR_ARG(text->name));
    hcl_edit_start(&edit, ad->arena, text->file);
    if (!hcl_edit_unset(&edit, text->file->body.json, (struct path){trail.step, trail.alone},
                        (struct hcl_known){0}, &obstacle))
        return adopt_refuse(ad, "%.*s: %s is in the way", STR_ARG(text->name),
                            hcl_obstacle_name(obstacle.kind));
    return adopt_take(ad, text, &edit) && (!forget || add_removed_json(ad, instance, text));
}

/* --- import blocks for it --- */

/* One that is for this address alone, in native syntax: the block whose header is in that line. */
static bool remove_import(struct adopter *ad, const struct code_import *written)
{
    struct hcl_edit edit;
    const struct hcl_file *file = written->place.file;
    struct str to = str_sub(file->text, written->to.expr->range.start, written->to.expr->range.end);
    if (written->for_each.expr || file->json)
        return adopt_refuse(ad, "the import block at %.*s:%u is for it: take it out there first",
                            STR_ARG(file->name), written->place.line);
    struct adopt_text *text = adopt_open_text(ad, file->name, false);
    if (!text)
        return false;
    for (size_t i = 0; i < text->file->body.nblocks; i++) {
        const struct hcl_block *block = &text->file->body.block[i];
        for (size_t k = 0; k < block->body.nattributes; k++) {
            const struct hcl_attribute *a = &block->body.attribute[k];
            if (!str_equal(block->type, STR("import")) || !str_equal(a->name, STR("to")) ||
                !str_equal(str_sub(text->file->text, a->value->range.start, a->value->range.end),
                           to))
                continue;
            hcl_edit_start(&edit, ad->arena, text->file);
            hcl_edit_remove_block(&edit, &text->file->body, block);
            return adopt_take(ad, text, &edit);
        }
    }
    return adopt_refuse(ad, "%.*s: the import block for it is not found again",
                        STR_ARG(file->name));
}

static bool remove_imports(struct adopter *ad, const struct code_instance *instance)
{
    size_t n;
    const struct code_import_value *all = code_imports(ad->code, &n);
    for (size_t i = 0; i < n; i++)
        if (str_equal(all[i].address, instance->address) && !remove_import(ad, all[i].written))
            return false;
    return true;
}

/* --- all of it --- */

static bool plan(struct adopter *ad, const struct code_instance *instance, bool forget,
                 struct adopt_result *ret)
{
    struct str file = instance->resource->file->name;
    ret->change = SIZE_MAX;
    if (!adopt_check_code(ad) || !check(ad, instance, file))
        return false;
    struct adopt_text *text = adopt_open_text(ad, file, false);
    if (!text)
        return false;
    ad->removed = instance->address;
    bool ok = text->file->json ? remove_json(ad, instance, text, forget)
                               : remove_native(ad, instance, text, forget);
    return ok && remove_imports(ad, instance) && adopt_verify(ad) && adopt_collect(ad, ret);
}

bool adopt_plan_remove(struct arena *arena, const struct code_options *options, struct code *code,
                       struct str address, bool forget, struct adopt_result *ret, struct err *err)
{
    struct err own = {0};
    struct adopter ad = {.arena = arena, .options = options, .code = code, .err = err ? err : &own};
    const struct code_instance *instance = code_find_instance(code, address);
    struct adopt_result result = {0};
    bool ok = instance ? plan(&ad, instance, forget, &result)
                       : adopt_refuse(&ad, "the code has no %.*s", STR_ARG(address));
    if (!adopt_finish(&ad, ok, &result))
        return false;
    *ret = result;
    return true;
}

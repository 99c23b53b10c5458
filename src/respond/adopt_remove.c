/* adopt_remove.c - what is not there any more: its block goes out of the code. */
#include "base/arena.h"
#include "base/err.h"
#include "respond/adopt_parts.h"

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
    if (str_ends(file, STR(".json")))
        return adopt_refuse(ad, "%.*s:%u has it in JSON syntax: blocks of that are not taken out",
                            STR_ARG(file), resource->place.line);
    return adopt_may_edit(ad, file);
}

static bool plan(struct adopter *ad, const struct code_instance *instance, struct adopt_result *ret)
{
    struct str file = instance->resource->file->name;
    struct hcl_edit edit;
    ret->change = SIZE_MAX;
    if (!adopt_check_code(ad) || !check(ad, instance, file))
        return false;
    struct adopt_text *text = adopt_open_text(ad, file, false);
    if (!text)
        return false;
    const struct hcl_block *block = block_of(text->file, instance);
    if (!block)
        return adopt_refuse(ad, "%.*s: its block is not found again", STR_ARG(file));
    hcl_edit_start(&edit, ad->arena, text->file);
    hcl_edit_remove_block(&edit, &text->file->body, block);
    ad->removed = instance->address;
    return adopt_take(ad, text, &edit) && adopt_verify(ad) && adopt_collect(ad, ret);
}

bool adopt_plan_remove(struct arena *arena, const struct code_options *options, struct code *code,
                       struct str address, struct adopt_result *ret, struct err *err)
{
    struct err own = {0};
    struct adopter ad = {.arena = arena, .options = options, .code = code, .err = err ? err : &own};
    const struct code_instance *instance = code_find_instance(code, address);
    struct adopt_result result = {0};
    bool ok = instance ? plan(&ad, instance, &result)
                       : adopt_refuse(&ad, "the code has no %.*s", STR_ARG(address));
    if (!adopt_finish(&ad, ok, &result))
        return false;
    *ret = result;
    return true;
}

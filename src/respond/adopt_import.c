/* adopt_import.c - what is live and in no code: an import block and a resource block for it. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "lang/hcl/lex.h"
#include "respond/adopt_parts.h"

static bool is_root_file(const struct adopter *ad, struct str name)
{
    const struct code_module *root = code_root_module(ad->code);
    for (size_t i = 0; i < root->nfiles; i++)
        if (str_equal(root->files[i]->name, name))
            return true;
    return false;
}

static bool is_native(struct str name)
{
    return !str_ends(name, STR(".json"));
}

/* Where resources of that type are; else main.tf. Override files hold no resources of their own. */
static struct str choose_file(const struct adopter *ad, const struct adopt_import *import)
{
    const struct code_module *root = code_root_module(ad->code);
    struct str found = STR("main.tf");
    if (import->file.len)
        return import->file;
    for (size_t i = 0; i < root->nresources; i++) {
        const struct code_resource *r = &root->resources[i];
        if (r->mode == CODE_MANAGED && str_equal(r->type, import->type) && is_native(r->file->name))
            found = r->file->name;
    }
    return found;
}

static bool check_names(struct adopter *ad, const struct adopt_import *import, struct str file)
{
    const struct code_module *root = code_root_module(ad->code);
    if (!hcl_is_identifier(import->type) || !hcl_is_identifier(import->name))
        return adopt_refuse(ad, "%.*s.%.*s is no name of a resource", STR_ARG(import->type),
                            STR_ARG(import->name));
    if (code_find_resource(root, CODE_MANAGED, import->type, import->name))
        return adopt_refuse(ad, "the code has %.*s.%.*s already", STR_ARG(import->type),
                            STR_ARG(import->name));
    if (!is_native(file) || str_find_char(file, '/', 0) != SIZE_MAX)
        return adopt_refuse(ad,
                            "%.*s is no file for new blocks: name one of the root module that "
                            "is not JSON",
                            STR_ARG(file));
    return true;
}

/* Secrets stay out of the text. */
static size_t hide_secrets(const struct schema_block *schema, struct hcl_new_block *block,
                           struct hcl_new_item *item)
{
    size_t n = 0;
    for (size_t i = 0; i < block->nattributes; i++) {
        const struct schema_attribute *attribute =
            schema_find_attribute(schema, block->attribute[i].key);
        bool secret =
            (attribute && attribute->sensitive) || value_any_sensitive(block->attribute[i].value);
        if (secret && !(attribute && attribute->required))
            continue;
        item[n] = block->attribute[i];
        if (secret) {
            item[n].value = NULL;
            item[n].text = STR("null # sensitive: say where it comes from");
        }
        n++;
    }
    block->attribute = item;
    block->nattributes = n;
    return n;
}

static bool add_blocks(struct adopter *ad, const struct adopt_import *import,
                       struct adopt_text *text)
{
    struct adopt_change change = {.address = import->name};
    struct code_instance instance = {.type = import->type, .schema = import->schema};
    struct adopt_job job = {.ad = ad, .change = &change, .instance = &instance, .file = text->file};
    struct hcl_new_block blocks[2];
    struct str labels[] = {import->type, import->name};
    struct str to =
        arena_printf(ad->arena, "%.*s.%.*s", STR_ARG(import->type), STR_ARG(import->name));
    struct value id = value_string(import->id);
    struct hcl_new_item import_items[] = {{.key = STR("to"), .text = to},
                                          {.key = STR("id"), .value = &id},
                                          {.key = STR("provider"), .text = import->provider}};
    if (!to.ptr)
        return adopt_full(ad);
    if (!adopt_new_block(&job, STR("resource"), &import->schema->block, &import->config, NULL,
                         HCL_DEPTH_MAX, &blocks[1]))
        return false;
    struct hcl_new_item *items =
        arena_new(ad->arena, struct hcl_new_item, blocks[1].nattributes + 1);
    if (!items)
        return adopt_full(ad);
    bool provider = import->provider.len > 0;
    if (provider)
        items[0] = import_items[2];
    (void)hide_secrets(&import->schema->block, &blocks[1], items + provider);
    blocks[1].attribute = items;
    blocks[1].nattributes += provider;
    blocks[1].label = labels;
    blocks[1].nlabels = 2;
    blocks[0] = (struct hcl_new_block){
        .type = STR("import"), .attribute = import_items, .nattributes = provider ? 3 : 2};
    for (size_t i = 0; i < 2; i++) {
        hcl_edit_start(&job.edit, ad->arena, text->file);
        hcl_edit_append_block(&job.edit, &blocks[i]);
        if (!adopt_take(ad, text, &job.edit))
            return false;
    }
    return true;
}

static bool plan(struct adopter *ad, const struct adopt_import *import, struct adopt_result *ret)
{
    struct str file = choose_file(ad, import);
    ret->change = SIZE_MAX;
    if (!adopt_check_code(ad) || !check_names(ad, import, file))
        return false;
    struct adopt_text *text = adopt_open_text(ad, file, !is_root_file(ad, file));
    if (!text || !add_blocks(ad, import, text))
        return false;
    ad->added = arena_printf(ad->arena, "%.*s.%.*s", STR_ARG(import->type), STR_ARG(import->name));
    return adopt_verify(ad) && adopt_collect(ad, ret);
}

bool adopt_plan_import(struct arena *arena, const struct code_options *options, struct code *code,
                       const struct adopt_import *import, struct adopt_result *ret, struct err *err)
{
    struct err own = {0};
    struct adopter ad = {.arena = arena, .options = options, .code = code, .err = err ? err : &own};
    struct adopt_result result = {0};
    bool ok = plan(&ad, import, &result);
    if (!adopt_finish(&ad, ok, &result))
        return false;
    *ret = result;
    return true;
}

/* adopt_place.c - blocks of the code's files, found again in texts that have been edited. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "lang/hcl/content.h"
#include "respond/adopt_parts.h"

/* What stands at the top of a file of the language, with its labels. */
static const struct hcl_block_spec top_blocks[] = {
    {STR_INIT("check"), {"name"}},
    {STR_INIT("data"), {"type", "name"}},
    {STR_INIT("ephemeral"), {"type", "name"}},
    {STR_INIT("import"), {0}},
    {STR_INIT("locals"), {0}},
    {STR_INIT("module"), {"name"}},
    {STR_INIT("moved"), {0}},
    {STR_INIT("output"), {"name"}},
    {STR_INIT("provider"), {"name"}},
    {STR_INIT("removed"), {0}},
    {STR_INIT("resource"), {"type", "name"}},
    {STR_INIT("terraform"), {0}},
    {STR_INIT("variable"), {"name"}},
};
static const struct hcl_body_spec top = {.block = top_blocks,
                                         .nblocks = sizeof top_blocks / sizeof *top_blocks};

static bool is_values_file(struct str name)
{
    return str_ends(name, STR(".tfvars")) || str_ends(name, STR(".tfvars.json"));
}

static bool blocks_of(struct adopter *ad, const struct hcl_file *file, struct hcl_content *ret)
{
    struct hcl_diags diags = {.arena = ad->arena};
    return hcl_body_content(ad->arena, file, &file->body, &top, true, &diags, ret) ||
           adopt_full(ad);
}

static struct hcl_range body_range(const struct hcl_block *block)
{
    return block->body.json ? block->body.json->range : block->range;
}

bool adopt_place_of(struct adopter *ad, const struct hcl_file *file, uint32_t byte,
                    struct adopt_place *ret)
{
    struct hcl_content content;
    *ret = (struct adopt_place){.file = file->name};
    if (is_values_file(file->name))
        return true;
    if (!blocks_of(ad, file, &content))
        return false;
    for (size_t i = 0; i < content.nblocks; i++) {
        const struct hcl_block *block = &content.block[i];
        struct hcl_range range = body_range(block);
        if (byte < range.start || byte >= range.end)
            continue;
        ret->type = block->type;
        ret->nlabels = block->nlabels < 2 ? block->nlabels : 2;
        for (size_t k = 0; k < ret->nlabels; k++)
            ret->label[k] = block->label[k].text;
        return true;
    }
    return false;
}

/* --- texts --- */

static bool parse(struct adopter *ad, struct adopt_text *text)
{
    struct hcl_diags diags = {.arena = ad->arena};
    struct hcl_file *file = arena_new(ad->arena, struct hcl_file, 1);
    if (!file)
        return adopt_full(ad);
    bool ok = str_ends(text->name, STR(".json"))
                  ? hcl_parse_json_file(ad->arena, text->text, text->name, &diags, file, ad->err)
                  : hcl_parse_file(ad->arena, text->text, text->name, &diags, file, ad->err);
    if (!ok)
        return false;
    if (hcl_has_errors(&diags))
        return adopt_refuse(ad, "%.*s has syntax errors", STR_ARG(text->name));
    text->file = file;
    return true;
}

static bool read_text(struct adopter *ad, struct str path, struct str *ret)
{
    const struct code_options *o = ad->options;
    if (o->read && o->read(o->ctx, path, ret))
        return true;
    return io_read_file(ad->arena, path.ptr, HCL_SIZE_MAX, ret, ad->err);
}

static struct adopt_text *opened(const struct adopter *ad, struct str name)
{
    for (size_t i = 0; i < ad->ntexts; i++)
        if (str_equal(ad->text[i].name, name))
            return &ad->text[i];
    return NULL;
}

/* Room for one more, not counted yet, and its name and path. */
static bool begin_text(struct adopter *ad, struct str name, struct adopt_text *ret)
{
    struct adopt_text *grown =
        arena_grow(ad->arena, ad->text, ad->ntexts, &ad->room_texts, ad->ntexts + 1);
    *ret = (struct adopt_text){.name = arena_dup(ad->arena, name),
                               .path = io_join(ad->arena, ad->options->root_dir, name)};
    if (!grown || !ret->name.ptr || !ret->path.ptr)
        return adopt_full(ad);
    ad->text = grown;
    return true;
}

struct adopt_text *adopt_open_plain(struct adopter *ad, struct str name)
{
    char root[4096];
    struct str dir = arena_dup(ad->arena, ad->options->root_dir);
    struct adopt_text text, *before = opened(ad, name);
    if (before || !begin_text(ad, name, &text))
        return before;
    if (dir.ptr)
        text.read_as = io_join(ad->arena, realpath(dir.ptr, root) ? str_from(root) : dir, name);
    if (!text.read_as.ptr) {
        (void)adopt_full(ad);
        return NULL;
    }
    if (!read_text(ad, text.path, &text.before))
        return NULL;
    text.text = text.opened = text.before;
    ad->text[ad->ntexts] = text;
    return &ad->text[ad->ntexts++];
}

struct adopt_text *adopt_open_text(struct adopter *ad, struct str name, bool make)
{
    struct adopt_text text, *before = opened(ad, name);
    if (before || !begin_text(ad, name, &text))
        return before;
    if (make) {
        text.made = true;
        text.before = STR("");
    } else if (!read_text(ad, text.path, &text.before)) {
        return NULL;
    }
    text.text = text.before;
    if (!parse(ad, &text))
        return NULL;
    text.first = text.file;
    text.opened = text.text;
    ad->text[ad->ntexts] = text;
    return &ad->text[ad->ntexts++];
}

static bool is_block(const struct hcl_block *block, const struct adopt_place *place)
{
    if (!str_equal(block->type, place->type) || block->nlabels < place->nlabels)
        return false;
    for (size_t i = 0; i < place->nlabels; i++)
        if (!str_equal(block->label[i].text, place->label[i]))
            return false;
    return true;
}

bool adopt_find(struct adopter *ad, const struct adopt_place *place, struct adopt_spot *ret)
{
    struct hcl_content content;
    *ret = (struct adopt_spot){.text = adopt_open_text(ad, place->file, false)};
    if (!ret->text)
        return false;
    ret->body = ret->text->file->body;
    if (place->type.len == 0)
        return true;
    if (!blocks_of(ad, ret->text->file, &content))
        return false;
    for (size_t i = 0; i < content.nblocks; i++) {
        ret->body = content.block[i].body;
        if (is_block(&content.block[i], place) &&
            (place->attribute.len == 0 || adopt_attribute(ad, ret, place->attribute)))
            return true;
    }
    return adopt_refuse(ad, "%.*s: the block of the value is not found again",
                        STR_ARG(place->file));
}

const struct hcl_attribute *adopt_attribute(struct adopter *ad, const struct adopt_spot *spot,
                                            struct str name)
{
    struct hcl_diags diags = {.arena = ad->arena};
    struct hcl_attribute_spec attribute = {.name = name};
    struct hcl_body_spec spec = {.attribute = &attribute, .nattributes = 1};
    struct hcl_content content;
    if (!hcl_body_content(ad->arena, spot->text->file, &spot->body, &spec, true, &diags,
                          &content)) {
        (void)adopt_full(ad);
        return NULL;
    }
    return content.nattributes ? &content.attribute[0] : NULL;
}

bool adopt_take(struct adopter *ad, struct adopt_text *text, struct hcl_edit *edit)
{
    struct err err = {0};
    if (edit->n && ad->nedits++ == 0)
        ad->edited_at = adopt_at(ad, edit->file, edit->splice[0].range.start);
    if (hcl_edit_finish(edit, &text->text, &err))
        return parse(ad, text);
    if (err.kind == ERR_UNSUPPORTED || err.kind == ERR_CONFLICT) {
        char why[ERR_FRAMES_MAX * ERR_TEXT_MAX];
        return adopt_refuse(ad, "%s", err_text(&err, why, sizeof why));
    }
    *ad->err = err;
    return false;
}

bool adopt_may_edit(struct adopter *ad, struct str file)
{
    struct str dir = STR(".terraform/");
    size_t at = str_find(file, dir, 0);
    if (at != SIZE_MAX && (at == 0 || file.ptr[at - 1] == '/'))
        return adopt_refuse(ad,
                            "%.*s is a file of an installed module: change the module where it is "
                            "developed, or what is passed to it",
                            STR_ARG(file));
    return true;
}

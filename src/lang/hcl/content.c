/* content.c - bodies by table: native syntax. */
#include "lang/hcl/content.h"

#include "base/arena.h"
#include "lang/hcl/content_table.h"
#include "lang/hcl/json_syntax.h"

static size_t count_labels(const struct hcl_block_spec *spec)
{
    size_t n = 0;
    while (n < HCL_LABELS_MAX && spec->label[n])
        n++;
    return n;
}

/* "type, name" */
static struct str label_names(struct arena *arena, const struct hcl_block_spec *spec)
{
    struct str all = STR("");
    for (size_t i = 0; i < count_labels(spec); i++)
        all = arena_printf(arena, "%.*s%s%s", STR_ARG(all), i ? ", " : "", spec->label[i]);
    return all;
}

/* As many labels as the table names? Reported if not. */
static bool check_labels(const struct hcl_asking *in, const struct hcl_block *block,
                         const struct hcl_block_spec *want)
{
    size_t n = count_labels(want);
    if (block->nlabels == n)
        return true;
    struct str summary, names = label_names(in->arena, want);
    if (block->nlabels > n) {
        summary = arena_printf(in->arena, "Extraneous label for %.*s", STR_ARG(block->type));
        struct hcl_range subject = block->label[n].range;
        if (n == 0)
            hcl_diag_add(in->diags, in->file->name, in->file->text, false, subject, summary,
                         "No labels are expected for %.*s blocks.", STR_ARG(block->type));
        else
            hcl_diag_add(in->diags, in->file->name, in->file->text, false, subject, summary,
                         "Only %zu labels (%.*s) are expected for %.*s blocks.", n, STR_ARG(names),
                         STR_ARG(block->type));
    } else {
        summary = arena_printf(in->arena, "Missing %s for %.*s", want->label[block->nlabels],
                               STR_ARG(block->type));
        hcl_diag_add(in->diags, in->file->name, in->file->text, false, block->open, summary,
                     "All %.*s blocks must have %zu labels (%.*s).", STR_ARG(block->type), n,
                     STR_ARG(names));
    }
    return false;
}

static void report_attribute(const struct hcl_asking *in, const struct hcl_attribute *attribute,
                             const struct hcl_content *found)
{
    struct str near = hcl_near_attribute(in->spec, found, attribute->name), hint = {0};
    if (near.ptr)
        hint = arena_printf(in->arena, " Did you mean \"%.*s\"?", STR_ARG(near));
    else if (hcl_find_block_spec(in->spec, attribute->name))
        hint = arena_printf(in->arena, " Did you mean to define a block of type \"%.*s\"?",
                            STR_ARG(attribute->name));
    hcl_diag_add(in->diags, in->file->name, in->file->text, false, attribute->name_range,
                 STR("Unsupported argument"),
                 "An argument named \"%.*s\" is not expected here.%.*s", STR_ARG(attribute->name),
                 STR_ARG(hint));
}

static void report_block(const struct hcl_asking *in, const struct hcl_block *block)
{
    struct str near = hcl_near_block(in->spec, block->type), hint = {0};
    if (near.ptr)
        hint = arena_printf(in->arena, " Did you mean \"%.*s\"?", STR_ARG(near));
    else if (hcl_find_attribute_spec(in->spec, block->type))
        hint = arena_printf(in->arena,
                            " Did you mean to define argument \"%.*s\"? If so, use the equals sign "
                            "to assign it a value.",
                            STR_ARG(block->type));
    hcl_diag_add(in->diags, in->file->name, in->file->text, false, block->type_range,
                 STR("Unsupported block type"),
                 "Blocks of type \"%.*s\" are not expected here.%.*s", STR_ARG(block->type),
                 STR_ARG(hint));
}

static void report_others(const struct hcl_asking *in, const struct hcl_content *found)
{
    for (size_t i = 0; i < in->body->nattributes; i++) {
        const struct hcl_attribute *a = &in->body->attribute[i];
        if (!hcl_find_attribute_spec(in->spec, a->name) &&
            !hcl_is_taken_attribute(in->spec, a->name))
            report_attribute(in, a, found);
    }
    for (size_t i = 0; i < in->body->nblocks; i++) {
        const struct hcl_block *b = &in->body->block[i];
        if (!hcl_find_block_spec(in->spec, b->type) && !hcl_is_taken_block(in->spec, b->type))
            report_block(in, b);
    }
}

static bool native_content(const struct hcl_asking *in, struct hcl_content *ret)
{
    struct hcl_attribute *attributes =
        arena_new(in->arena, struct hcl_attribute, in->body->nattributes);
    struct hcl_block *blocks = arena_new(in->arena, struct hcl_block, in->body->nblocks);
    struct hcl_content found = {.attribute = attributes, .block = blocks};
    if (!attributes || !blocks)
        return false;
    for (size_t i = 0; i < in->body->nattributes; i++)
        if (hcl_find_attribute_spec(in->spec, in->body->attribute[i].name))
            attributes[found.nattributes++] = in->body->attribute[i];
    hcl_report_missing(in, &found);
    for (size_t i = 0; i < in->body->nblocks; i++) {
        const struct hcl_block_spec *want = hcl_find_block_spec(in->spec, in->body->block[i].type);
        if (want && check_labels(in, &in->body->block[i], want))
            blocks[found.nblocks++] = in->body->block[i];
    }
    if (!in->partial)
        report_others(in, &found);
    *ret = found;
    return true;
}

bool hcl_body_content(struct arena *arena, const struct hcl_file *file, const struct hcl_body *body,
                      const struct hcl_body_spec *spec, bool partial, struct hcl_diags *diags,
                      struct hcl_content *ret)
{
    struct hcl_asking in = {arena, file, body, spec, diags, partial};
    return body->json ? hcl_json_content(&in, ret) : native_content(&in, ret);
}

bool hcl_body_attributes(struct arena *arena, const struct hcl_file *file,
                         const struct hcl_body *body, struct hcl_diags *diags,
                         struct hcl_content *ret)
{
    struct hcl_asking in = {.arena = arena, .file = file, .body = body, .diags = diags};
    if (body->json)
        return hcl_json_attributes(&in, ret);
    if (body->nblocks)
        hcl_content_fault(
            &in, body->block[0].type_range,
            arena_printf(arena, "Unexpected \"%.*s\" block", STR_ARG(body->block[0].type)),
            STR("Blocks are not allowed here."));
    *ret = (struct hcl_content){.attribute = body->attribute, .nattributes = body->nattributes};
    return true;
}

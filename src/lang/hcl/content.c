/* content.c - bodies by table: native syntax, and the hints of both. */
#include "lang/hcl/content.h"

#include "base/arena.h"
#include "base/utf8.h"

/* --- hints --- */

enum { HINT_DISTANCE = 3, HINT_LEN_MAX = 64 };

static size_t code_points(struct str s, uint32_t out[HINT_LEN_MAX])
{
    size_t n = 0;
    for (size_t at = 0; at < s.len && n < HINT_LEN_MAX;)
        out[n++] = utf8_next(s, &at);
    return n;
}

/* Fewer than HINT_DISTANCE characters inserted, removed or replaced. */
static bool is_near(struct str a, struct str b)
{
    uint32_t x[HINT_LEN_MAX], y[HINT_LEN_MAX];
    size_t row[HINT_LEN_MAX + 1];
    if (a.len >= HINT_LEN_MAX || b.len >= HINT_LEN_MAX)
        return false;
    size_t nx = code_points(a, x), ny = code_points(b, y);
    for (size_t j = 0; j <= ny; j++)
        row[j] = j;
    for (size_t i = 1; i <= nx; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= ny; j++) {
            size_t least = corner + (x[i - 1] != y[j - 1]);
            corner = row[j];
            least = row[j] + 1 < least ? row[j] + 1 : least;
            row[j] = row[j - 1] + 1 < least ? row[j - 1] + 1 : least;
        }
    }
    return row[ny] < HINT_DISTANCE;
}

/* The first near name is the hint, as in Terraform: not the nearest. */
static struct str near_attribute(const struct hcl_body_spec *spec, const struct hcl_content *found,
                                 struct str name)
{
    for (size_t i = 0; i < spec->nattributes; i++) {
        struct str candidate = spec->attribute[i].name;
        bool used = false;
        for (size_t k = 0; k < found->nattributes && !used; k++)
            used = str_equal(found->attribute[k].name, candidate);
        if (!used && is_near(name, candidate))
            return candidate;
    }
    return (struct str){0};
}

static struct str near_block(const struct hcl_body_spec *spec, struct str type)
{
    for (size_t i = 0; i < spec->nblocks; i++)
        if (is_near(type, spec->block[i].type))
            return spec->block[i].type;
    return (struct str){0};
}

/* --- the table --- */

static const struct hcl_attribute_spec *find_attribute_spec(const struct hcl_body_spec *spec,
                                                            struct str name)
{
    for (size_t i = 0; i < spec->nattributes; i++)
        if (str_equal(spec->attribute[i].name, name))
            return &spec->attribute[i];
    return NULL;
}

static const struct hcl_block_spec *find_block_spec(const struct hcl_body_spec *spec,
                                                    struct str type)
{
    for (size_t i = 0; i < spec->nblocks; i++)
        if (str_equal(spec->block[i].type, type))
            return &spec->block[i];
    return NULL;
}

static bool is_taken_attribute(const struct hcl_body_spec *spec, struct str name)
{
    for (const struct hcl_body_spec *at = spec->taken; at; at = at->taken)
        if (find_attribute_spec(at, name))
            return true;
    return false;
}

static bool is_taken_block(const struct hcl_body_spec *spec, struct str type)
{
    for (const struct hcl_body_spec *at = spec->taken; at; at = at->taken)
        if (find_block_spec(at, type))
            return true;
    return false;
}

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
    struct str all = {0};
    for (size_t i = 0; i < count_labels(spec); i++)
        all = arena_printf(arena, "%.*s%s%s", STR_ARG(all), i ? ", " : "", spec->label[i]);
    return all;
}

/* --- native syntax --- */

struct native {
    struct arena *arena;
    const struct hcl_file *file;
    const struct hcl_body *body;
    const struct hcl_body_spec *spec;
    struct hcl_diags *diags;
};

static void report_missing(const struct native *in, const struct hcl_content *found)
{
    for (size_t i = 0; i < in->spec->nattributes; i++) {
        const struct hcl_attribute_spec *want = &in->spec->attribute[i];
        bool there = !want->required;
        for (size_t k = 0; k < found->nattributes && !there; k++)
            there = str_equal(found->attribute[k].name, want->name);
        if (!there)
            hcl_diag_add(in->diags, in->file->name, in->file->text, false, in->body->missing,
                         STR("Missing required argument"),
                         "The argument \"%.*s\" is required, but no definition was found.",
                         STR_ARG(want->name));
    }
}

/* As many labels as the table names? Reported if not. */
static bool check_labels(const struct native *in, const struct hcl_block *block,
                         const struct hcl_block_spec *want)
{
    size_t n = count_labels(want);
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
    } else if (block->nlabels < n) {
        summary = arena_printf(in->arena, "Missing %s for %.*s", want->label[block->nlabels],
                               STR_ARG(block->type));
        hcl_diag_add(in->diags, in->file->name, in->file->text, false, block->open, summary,
                     "All %.*s blocks must have %zu labels (%.*s).", STR_ARG(block->type), n,
                     STR_ARG(names));
    }
    return block->nlabels == n;
}

static void report_attribute(const struct native *in, const struct hcl_attribute *attribute,
                             const struct hcl_content *found)
{
    struct str near = near_attribute(in->spec, found, attribute->name), hint = {0};
    if (near.ptr)
        hint = arena_printf(in->arena, " Did you mean \"%.*s\"?", STR_ARG(near));
    else if (find_block_spec(in->spec, attribute->name))
        hint = arena_printf(in->arena, " Did you mean to define a block of type \"%.*s\"?",
                            STR_ARG(attribute->name));
    hcl_diag_add(in->diags, in->file->name, in->file->text, false, attribute->name_range,
                 STR("Unsupported argument"),
                 "An argument named \"%.*s\" is not expected here.%.*s", STR_ARG(attribute->name),
                 STR_ARG(hint));
}

static void report_block(const struct native *in, const struct hcl_block *block)
{
    struct str near = near_block(in->spec, block->type), hint = {0};
    if (near.ptr)
        hint = arena_printf(in->arena, " Did you mean \"%.*s\"?", STR_ARG(near));
    else if (find_attribute_spec(in->spec, block->type))
        hint = arena_printf(in->arena,
                            " Did you mean to define argument \"%.*s\"? If so, use the equals sign "
                            "to assign it a value.",
                            STR_ARG(block->type));
    hcl_diag_add(in->diags, in->file->name, in->file->text, false, block->type_range,
                 STR("Unsupported block type"),
                 "Blocks of type \"%.*s\" are not expected here.%.*s", STR_ARG(block->type),
                 STR_ARG(hint));
}

static void report_others(const struct native *in, const struct hcl_content *found)
{
    for (size_t i = 0; i < in->body->nattributes; i++) {
        const struct hcl_attribute *a = &in->body->attribute[i];
        if (!find_attribute_spec(in->spec, a->name) && !is_taken_attribute(in->spec, a->name))
            report_attribute(in, a, found);
    }
    for (size_t i = 0; i < in->body->nblocks; i++) {
        const struct hcl_block *b = &in->body->block[i];
        if (!find_block_spec(in->spec, b->type) && !is_taken_block(in->spec, b->type))
            report_block(in, b);
    }
}

static bool native_content(const struct native *in, bool partial, struct hcl_content *ret)
{
    struct hcl_attribute *attributes =
        arena_new(in->arena, struct hcl_attribute, in->body->nattributes);
    struct hcl_block *blocks = arena_new(in->arena, struct hcl_block, in->body->nblocks);
    struct hcl_content found = {.attribute = attributes, .block = blocks};
    if (!attributes || !blocks)
        return false;
    for (size_t i = 0; i < in->body->nattributes; i++)
        if (find_attribute_spec(in->spec, in->body->attribute[i].name))
            attributes[found.nattributes++] = in->body->attribute[i];
    report_missing(in, &found);
    for (size_t i = 0; i < in->body->nblocks; i++) {
        const struct hcl_block_spec *want = find_block_spec(in->spec, in->body->block[i].type);
        if (want && check_labels(in, &in->body->block[i], want))
            blocks[found.nblocks++] = in->body->block[i];
    }
    if (!partial)
        report_others(in, &found);
    *ret = found;
    return true;
}

bool hcl_body_content(struct arena *arena, const struct hcl_file *file, const struct hcl_body *body,
                      const struct hcl_body_spec *spec, bool partial, struct hcl_diags *diags,
                      struct hcl_content *ret)
{
    struct native native = {
        .arena = arena, .file = file, .body = body, .spec = spec, .diags = diags};
    return native_content(&native, partial, ret);
}

bool hcl_body_attributes(struct arena *arena, const struct hcl_file *file,
                         const struct hcl_body *body, struct hcl_diags *diags,
                         struct hcl_content *ret)
{
    if (body->nblocks) {
        struct str summary =
            arena_printf(arena, "Unexpected \"%.*s\" block", STR_ARG(body->block[0].type));
        hcl_diag_add(diags, file->name, file->text, false, body->block[0].type_range, summary,
                     "Blocks are not allowed here.");
    }
    *ret = (struct hcl_content){.attribute = body->attribute, .nattributes = body->nattributes};
    return true;
}

const struct hcl_expr *hcl_keyword_expr(struct arena *arena, const struct hcl_file *file,
                                        const struct hcl_expr *expr, struct hcl_diags *diags)
{
    (void)arena;
    (void)file;
    (void)diags;
    return expr;
}

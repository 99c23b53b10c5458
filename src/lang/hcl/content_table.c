/* content_table.c - what a table of a body knows, and the hints for what it does not. */
#include "lang/hcl/content_table.h"

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
bool hcl_is_near(struct str a, struct str b)
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
struct str hcl_near_attribute(const struct hcl_body_spec *spec, const struct hcl_content *found,
                              struct str name)
{
    for (size_t i = 0; i < spec->nattributes; i++) {
        struct str candidate = spec->attribute[i].name;
        bool used = false;
        for (size_t k = 0; k < found->nattributes && !used; k++)
            used = str_equal(found->attribute[k].name, candidate);
        if (!used && hcl_is_near(name, candidate))
            return candidate;
    }
    return (struct str){0};
}

struct str hcl_near_block(const struct hcl_body_spec *spec, struct str type)
{
    for (size_t i = 0; i < spec->nblocks; i++)
        if (hcl_is_near(type, spec->block[i].type))
            return spec->block[i].type;
    return (struct str){0};
}

/* --- the table --- */

const struct hcl_attribute_spec *hcl_find_attribute_spec(const struct hcl_body_spec *spec,
                                                         struct str name)
{
    for (size_t i = 0; i < spec->nattributes; i++)
        if (str_equal(spec->attribute[i].name, name))
            return &spec->attribute[i];
    return NULL;
}

const struct hcl_block_spec *hcl_find_block_spec(const struct hcl_body_spec *spec, struct str type)
{
    for (size_t i = 0; i < spec->nblocks; i++)
        if (str_equal(spec->block[i].type, type))
            return &spec->block[i];
    return NULL;
}

bool hcl_is_taken_attribute(const struct hcl_body_spec *spec, struct str name)
{
    for (const struct hcl_body_spec *at = spec->taken; at; at = at->taken)
        if (hcl_find_attribute_spec(at, name))
            return true;
    return false;
}

bool hcl_is_taken_block(const struct hcl_body_spec *spec, struct str type)
{
    for (const struct hcl_body_spec *at = spec->taken; at; at = at->taken)
        if (hcl_find_block_spec(at, type))
            return true;
    return false;
}

void hcl_content_fault(const struct hcl_asking *in, struct hcl_range subject, struct str summary,
                       struct str detail)
{
    hcl_diag_add(in->diags, in->file->name, in->file->text, false, subject, summary, "%.*s",
                 STR_ARG(detail));
}

void hcl_report_missing(const struct hcl_asking *in, const struct hcl_content *found)
{
    for (size_t i = 0; i < in->spec->nattributes; i++) {
        const struct hcl_attribute_spec *want = &in->spec->attribute[i];
        bool there = !want->required;
        for (size_t k = 0; k < found->nattributes && !there; k++)
            there = str_equal(found->attribute[k].name, want->name);
        if (!there)
            hcl_content_fault(
                in, in->body->missing, STR("Missing required argument"),
                arena_printf(in->arena,
                             "The argument \"%.*s\" is required, but no definition was found.",
                             STR_ARG(want->name)));
    }
}

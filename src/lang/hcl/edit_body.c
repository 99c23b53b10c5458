/* edit_body.c - attributes and nested blocks put into a body and taken out of it. */
#include "base/arena.h"
#include "base/buf.h"
#include "lang/hcl/edit_parts.h"
#include "lang/hcl/encode.h"

/* Where a body stands: its braces, and what its lines begin with. */
struct place {
    uint32_t inner,
        close; /* behind the opening brace (0: a file), at the closing one (or the end) */
    bool is_file, one_line;
    struct str base, indent, unit;
};

static struct str first_indent(const struct hcl_file *file, const struct hcl_body *body)
{
    uint32_t first = UINT32_MAX;
    if (body->nattributes)
        first = body->attribute[0].range.start;
    if (body->nblocks && body->block[0].range.start < first)
        first = body->block[0].range.start;
    return first == UINT32_MAX ? (struct str){0} : edit_indent(file->text, first);
}

static struct place place_of(struct hcl_edit *edit, const struct hcl_body *body)
{
    const struct hcl_file *file = edit->file;
    size_t at = edit_token_at(file, body->range.end);
    struct place ret = {.close = body->range.end};
    ret.is_file = at >= file->ntokens || file->token[at].kind != HCL_CBRACE;
    if (ret.is_file) {
        ret.close = (uint32_t)file->text.len;
        ret.indent = first_indent(file, body);
        ret.unit = edit_indent_unit((struct str){0}, (struct str){0});
        return ret;
    }
    at = edit_token_at(file, body->range.start);
    while (at > 0 &&
           !(file->token[at].kind == HCL_OBRACE && file->token[at].range.end <= body->range.end &&
             file->token[at].range.start < body->range.start))
        at--;
    ret.inner = file->token[at].range.end;
    ret.base = edit_indent(file->text, ret.inner);
    ret.one_line = str_find_char(str_sub(file->text, ret.inner, ret.close), '\n', 0) == SIZE_MAX;
    struct str first = ret.one_line ? (struct str){0} : first_indent(file, body);
    ret.unit = edit_indent_unit(ret.base, first);
    ret.indent = first.ptr
                     ? first
                     : arena_printf(edit->arena, "%.*s%.*s", STR_ARG(ret.base), STR_ARG(ret.unit));
    edit->full |= ret.indent.len && !ret.indent.ptr;
    return ret;
}

static struct edit_layout layout_at(const struct hcl_edit *edit, struct str base, struct str unit)
{
    return (struct edit_layout){.base = base, .unit = unit, .newline = edit_newline(edit->file)};
}

static bool ends_in_newline(struct str text, uint32_t at)
{
    return at == 0 || text.ptr[at - 1] == '\n' || edit_line_start(text, at) == at;
}

/* Whole lines at `at`, a line's start or the end of a text whose last line has no end: which it
 * then does not get. */
static void insert_lines(struct hcl_edit *edit, uint32_t at, struct str lines)
{
    struct str newline = edit_newline(edit->file);
    if (!ends_in_newline(edit->file->text, at)) {
        struct buf out = {.limit = HCL_TEXT_MAX};
        buf_str(&out, newline);
        buf_str(&out, str_sub(lines, 0, lines.len - newline.len));
        lines = edit_text(edit, &out);
    }
    edit_splice(edit, at, at, lines);
}

/* A body on one line, or an empty one: its content on lines, new ones behind it. */
static void open_up(struct hcl_edit *edit, const struct place *place, struct str lines)
{
    struct str text = edit->file->text, newline = edit_newline(edit->file);
    uint32_t from = place->inner, to = place->close;
    struct buf out = {.limit = HCL_TEXT_MAX};
    while (from < to && (text.ptr[from] == ' ' || text.ptr[from] == '\t'))
        from++;
    while (to > from && (text.ptr[to - 1] == ' ' || text.ptr[to - 1] == '\t'))
        to--;
    if (from < to) {
        struct buf head = {.limit = HCL_TEXT_MAX};
        buf_str(&head, newline);
        buf_str(&head, place->indent);
        edit_splice(edit, place->inner, from, edit_text(edit, &head));
    } else {
        to = place->inner;
    }
    buf_str(&out, newline);
    buf_str(&out, lines);
    buf_str(&out, place->base);
    edit_splice(edit, to, place->close, edit_text(edit, &out));
}

/* --- attributes --- */

static struct str attribute_lines(struct hcl_edit *edit, const struct hcl_new_item *add, size_t n,
                                  struct str indent, struct str unit)
{
    struct edit_layout layout = layout_at(edit, indent, unit);
    struct buf out = {.limit = HCL_TEXT_MAX};
    for (size_t i = 0; i < n; i++) {
        buf_str(&out, indent);
        edit_print_item(edit, &out, &add[i], false, STR(" = "), &layout);
        buf_str(&out, layout.newline);
    }
    return edit_text(edit, &out);
}

/* The attribute that new ones come behind, or NULL. */
static const struct hcl_attribute *last_attribute(const struct hcl_body *body)
{
    const struct hcl_attribute *last = NULL;
    for (size_t i = 0; i < body->nattributes; i++)
        if (!last || body->nblocks == 0 ||
            body->attribute[i].range.start < body->block[0].range.start)
            last = &body->attribute[i];
    if (last && body->nblocks && last->range.start > body->block[0].range.start)
        last = &body->attribute[body->nattributes - 1];
    return last;
}

void hcl_edit_add_attributes(struct hcl_edit *edit, const struct hcl_body *body,
                             const struct hcl_new_item *add, size_t n)
{
    const struct hcl_attribute *last = last_attribute(body);
    struct place place = place_of(edit, body);
    struct str lines = attribute_lines(edit, add, n, place.indent, place.unit);
    uint32_t at = place.close;
    if (n == 0)
        return;
    if (place.one_line) {
        open_up(edit, &place, lines);
        return;
    }
    if (last && edit_line_rest(edit->file, last->range.end, false, &at)) {
        insert_lines(edit, at, lines);
        return;
    }
    if (body->nblocks && edit_line_rest(edit->file, place.inner, false, &at) && !place.is_file) {
        struct buf out = {.limit = HCL_TEXT_MAX};
        buf_str(&out, lines);
        buf_str(&out, edit_is_blank_line(edit->file->text, at) ? (struct str){0}
                                                               : edit_newline(edit->file));
        insert_lines(edit, at, edit_text(edit, &out));
        return;
    }
    insert_lines(edit, place.is_file ? place.close : edit_line_start(edit->file->text, place.close),
                 lines);
}

/* Lines of an item of a body, or what it takes of its only line. */
static void remove_item(struct hcl_edit *edit, const struct hcl_body *body, struct hcl_range item)
{
    struct str text = edit->file->text;
    struct hcl_range lines = {edit_lead(edit->file, item.start), item.end};
    struct place place = place_of(edit, body);
    if (place.one_line) {
        edit_splice(edit, place.inner, place.close, (struct str){0});
    } else if (edit_line_rest(edit->file, item.end, false, &lines.end)) {
        lines.start = edit_line_start(text, lines.start);
        edit_remove_lines(edit, &lines, 1);
    }
}

void hcl_edit_remove_attribute(struct hcl_edit *edit, const struct hcl_body *body,
                               const struct hcl_attribute *attribute)
{
    remove_item(edit, body, attribute->range);
}

/* --- blocks --- */

static void print_block(struct hcl_edit *edit, struct buf *out, const struct hcl_new_block *block,
                        struct str indent, struct str unit, unsigned depth)
{
    struct str newline = edit_newline(edit->file);
    struct str inner = arena_printf(edit->arena, "%.*s%.*s", STR_ARG(indent), STR_ARG(unit));
    edit->full |= !inner.ptr;
    if (depth >= HCL_DEPTH_MAX || edit->full) {
        edit_fail(edit, "the blocks are nested too deeply to be written");
        return;
    }
    buf_str(out, indent);
    buf_str(out, block->type);
    for (size_t i = 0; i < block->nlabels; i++) {
        buf_char(out, ' ');
        hcl_quote(out, block->label[i]);
    }
    buf_str(out, STR(" {"));
    if (block->nattributes || block->nblocks) {
        buf_str(out, newline);
        buf_str(out, attribute_lines(edit, block->attribute, block->nattributes, inner, unit));
        for (size_t i = 0; i < block->nblocks; i++) {
            if (depth == 0 && indent.len == 0 && (i || block->nattributes))
                buf_str(out, newline);
            print_block(edit, out, &block->block[i], inner, unit, depth + 1);
        }
        buf_str(out, indent);
    }
    buf_char(out, '}');
    buf_str(out, newline);
}

/* The last block of a type, and whether a blank line parts it from the one before. */
static const struct hcl_block *last_block(const struct hcl_file *file, const struct hcl_body *body,
                                          struct str type, bool *ret_parted)
{
    const struct hcl_block *last = NULL, *block;
    size_t n = 0;
    for (size_t at = 0; (block = hcl_find_block(body, type, &at)); n++)
        last = block;
    *ret_parted = false;
    if (n > 1) {
        uint32_t start = edit_line_start(file->text, edit_lead(file, last->range.start));
        *ret_parted =
            start > 0 && edit_is_blank_line(file->text, edit_line_start(file->text, start - 1));
    }
    return last;
}

static struct str block_lines(struct hcl_edit *edit, const struct hcl_new_block *add, size_t n,
                              const struct place *place, bool first_parted, bool parted)
{
    struct buf out = {.limit = HCL_TEXT_MAX};
    for (size_t i = 0; i < n; i++) {
        if (i ? parted : first_parted)
            buf_str(&out, edit_newline(edit->file));
        print_block(edit, &out, &add[i], place->indent, place->unit, 0);
    }
    return edit_text(edit, &out);
}

/* Behind all that the body has. */
static void append_blocks(struct hcl_edit *edit, const struct hcl_body *body,
                          const struct place *place, const struct hcl_new_block *add, size_t n)
{
    struct str text = edit->file->text;
    uint32_t at = place->close;
    bool parted = place->is_file;
    if (place->one_line) {
        open_up(edit, place, block_lines(edit, add, n, place, body->nattributes > 0, parted));
        return;
    }
    if (!place->is_file)
        at = edit_line_start(text, at);
    uint32_t above = at > place->inner ? edit_line_start(text, at - 1) : at;
    bool blank = at > place->inner && above >= place->inner && !edit_is_blank_line(text, above);
    insert_lines(edit, at, block_lines(edit, add, n, place, blank, parted));
}

void hcl_edit_append_block(struct hcl_edit *edit, const struct hcl_new_block *block)
{
    struct place place = place_of(edit, &edit->file->body);
    append_blocks(edit, &edit->file->body, &place, block, 1);
}

void hcl_edit_add_blocks(struct hcl_edit *edit, const struct hcl_body *body,
                         const struct hcl_new_block *add, size_t n)
{
    bool parted;
    struct place place = place_of(edit, body);
    const struct hcl_block *last = n ? last_block(edit->file, body, add[0].type, &parted) : NULL;
    uint32_t at = place.close;
    if (n == 0)
        return;
    if (last && edit_line_rest(edit->file, last->range.end, false, &at)) {
        parted |= place.is_file;
        insert_lines(edit, at, block_lines(edit, add, n, &place, parted, parted));
    } else {
        append_blocks(edit, body, &place, add, n);
    }
}

void hcl_edit_insert_blocks(struct hcl_edit *edit, const struct hcl_body *body,
                            const struct hcl_block *before, const struct hcl_new_block *add,
                            size_t n)
{
    bool parted;
    struct place place = place_of(edit, body);
    uint32_t at = edit_lead(edit->file, before->range.start);
    (void)last_block(edit->file, body, before->type, &parted);
    struct str lines = block_lines(edit, add, n, &place, false, parted);
    struct buf out = {.limit = HCL_TEXT_MAX};
    buf_str(&out, lines);
    if (parted)
        buf_str(&out, edit_newline(edit->file));
    insert_lines(edit, edit_line_start(edit->file->text, at), edit_text(edit, &out));
}

void hcl_edit_remove_block(struct hcl_edit *edit, const struct hcl_body *body,
                           const struct hcl_block *block)
{
    remove_item(edit, body, block->range);
}

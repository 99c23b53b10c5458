/* edit_seq.c - what stands between brackets: items of an object constructor, elements of a tuple.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "lang/hcl/edit_parts.h"
#include "lang/hcl/encode.h"

/* Things in brackets, separated by commas or, in objects, by line ends. */
struct seq {
    const struct hcl_file *file;
    struct hcl_range range;       /* with the brackets */
    const struct hcl_range *item; /* of each, without its comma */
    size_t n;
    bool is_object, json;
    bool commas;   /* between items on lines of their own */
    bool trailing; /* one behind the last, too */
};

static bool has_comma(const struct hcl_file *file, uint32_t end)
{
    struct hcl_range comma = edit_comma(file, end);
    return comma.end > comma.start;
}

static void find_style(struct seq *seq)
{
    seq->json = seq->file->json;
    seq->trailing = seq->n && has_comma(seq->file, seq->item[seq->n - 1].end);
    seq->commas = seq->json || !seq->is_object || seq->trailing ||
                  (seq->n > 1 && has_comma(seq->file, seq->item[0].end));
    if (seq->n == 0)
        seq->trailing = !seq->json && !seq->is_object;
}

/* The lines of an item that shares them with nothing else. */
static bool own_lines(const struct seq *seq, size_t i, struct hcl_range *ret)
{
    struct str text = seq->file->text;
    uint32_t start = edit_lead(seq->file, seq->item[i].start);
    if (!edit_starts_line(text, start) ||
        !edit_line_rest(seq->file, seq->item[i].end, true, &ret->end))
        return false;
    ret->start = edit_line_start(text, start);
    return true;
}

/* --- taking out --- */

/* Items first to last, some of which share lines with others. */
static void cut_inline(struct hcl_edit *edit, const struct seq *seq, size_t first, size_t last)
{
    bool next = last + 1 < seq->n;
    bool joins = next && edit_starts_line(seq->file->text, seq->item[last + 1].start);
    if (next && !(joins && first > 0))
        edit_splice(edit, seq->item[first].start, seq->item[last + 1].start, (struct str){0});
    else if (first > 0)
        edit_splice(edit, seq->item[first - 1].end, seq->item[last].end, (struct str){0});
}

/* more: something is put in behind the last one that stays. */
static void cut_run(struct hcl_edit *edit, const struct seq *seq, size_t first, size_t last,
                    bool more)
{
    struct hcl_range *lines = arena_new(edit->arena, struct hcl_range, last - first + 1);
    if (!lines) {
        edit->full = true;
        return;
    }
    for (size_t i = first; i <= last; i++) {
        if (!own_lines(seq, i, &lines[i - first])) {
            cut_inline(edit, seq, first, last);
            return;
        }
    }
    edit_remove_lines(edit, lines, last - first + 1);
    struct hcl_range comma =
        first ? edit_comma(seq->file, seq->item[first - 1].end) : (struct hcl_range){0};
    if (last + 1 == seq->n && first > 0 && !seq->trailing && !more)
        edit_splice(edit, comma.start, comma.end, (struct str){0});
}

static void cut(struct hcl_edit *edit, const struct seq *seq, const bool *gone, bool more)
{
    for (size_t i = 0; i < seq->n; i++) {
        size_t first = i;
        if (!gone[i])
            continue;
        while (i + 1 < seq->n && gone[i + 1])
            i++;
        cut_run(edit, seq, first, i, more);
    }
}

/* --- putting in --- */

struct inserts {
    const struct str *text;
    size_t n;
};

/* Lines of their own. last: nothing follows, so that no comma need be behind the last one. */
static struct str lines_of(struct hcl_edit *edit, const struct seq *seq, const struct inserts *in,
                           struct str indent, bool last)
{
    struct buf out = {.limit = HCL_TEXT_MAX};
    for (size_t i = 0; i < in->n; i++) {
        buf_str(&out, indent);
        buf_str(&out, in->text[i]);
        if (seq->commas && (i + 1 < in->n || !last || seq->trailing))
            buf_char(&out, ',');
        buf_str(&out, edit_newline(seq->file));
    }
    return edit_text(edit, &out);
}

/* On the line that is there: `before` in front of all but the first, or of the first too. */
static struct str joined(struct hcl_edit *edit, const struct inserts *in, struct str first,
                         struct str before, struct str behind)
{
    struct buf out = {.limit = HCL_TEXT_MAX};
    for (size_t i = 0; i < in->n; i++) {
        buf_str(&out, i ? before : first);
        buf_str(&out, in->text[i]);
        if (i + 1 == in->n)
            buf_str(&out, behind);
    }
    return edit_text(edit, &out);
}

/* All that stands between the brackets. */
static struct str inside(struct hcl_edit *edit, const struct seq *seq, const struct inserts *in,
                         struct str indent, bool on_lines)
{
    struct str pad = seq->is_object && !seq->json && in->n ? STR(" ") : (struct str){0};
    if (!on_lines || in->n == 0)
        return joined(edit, in, pad, STR(", "), pad);
    struct buf out = {.limit = HCL_TEXT_MAX};
    buf_str(&out, edit_newline(seq->file));
    buf_str(&out, lines_of(edit, seq, in, indent, true));
    buf_str(&out, edit_indent(seq->file->text, seq->range.start));
    return edit_text(edit, &out);
}

/* last: no item that stays follows item i. */
static void insert_behind(struct hcl_edit *edit, const struct seq *seq, size_t i, bool last,
                          const struct inserts *in)
{
    uint32_t end;
    if (!edit_line_rest(seq->file, seq->item[i].end, true, &end)) {
        edit_splice(edit, seq->item[i].end, seq->item[i].end,
                    joined(edit, in, STR(", "), STR(", "), (struct str){0}));
        return;
    }
    if (seq->commas && !has_comma(seq->file, seq->item[i].end))
        edit_splice(edit, seq->item[i].end, seq->item[i].end, STR(","));
    struct str indent = edit_indent(seq->file->text, seq->item[i].start);
    edit_splice(edit, end, end, lines_of(edit, seq, in, indent, last));
}

static void insert_before(struct hcl_edit *edit, const struct seq *seq, size_t i,
                          const struct inserts *in)
{
    struct str text = seq->file->text;
    uint32_t start = edit_lead(seq->file, seq->item[i].start);
    if (edit_starts_line(text, start)) {
        start = edit_line_start(text, start);
        struct str indent = edit_indent(text, seq->item[i].start);
        edit_splice(edit, start, start, lines_of(edit, seq, in, indent, false));
    } else {
        edit_splice(edit, seq->item[i].start, seq->item[i].start,
                    joined(edit, in, (struct str){0}, STR(", "), STR(", ")));
    }
}

/* Between brackets without items. What is there besides (comments) stays in front. */
static void insert_first(struct hcl_edit *edit, const struct seq *seq, const struct inserts *in,
                         bool on_lines)
{
    struct str text = seq->file->text, base = edit_indent(text, seq->range.start);
    struct str unit = edit_indent_unit(base, base);
    struct str indent = arena_printf(edit->arena, "%.*s%.*s", STR_ARG(base), STR_ARG(unit));
    uint32_t from = seq->range.start + 1, to = seq->range.end - 1;
    bool empty = str_trim(str_sub(text, from, to)).len == 0;
    edit->full |= !indent.ptr;
    if (empty) {
        edit_splice(edit, from, to, inside(edit, seq, in, indent, on_lines));
    } else if (edit_starts_line(text, to)) {
        to = edit_line_start(text, to);
        edit_splice(edit, to, to, lines_of(edit, seq, in, indent, true));
    } else {
        edit_splice(edit, to, to, joined(edit, in, STR(" "), STR(", "), STR(" ")));
    }
}

/* The last item that stays, or SIZE_MAX. */
static size_t last_kept(const struct seq *seq, const bool *gone)
{
    for (size_t i = seq->n; i-- > 0;)
        if (!gone || !gone[i])
            return i;
    return SIZE_MAX;
}

static bool ends_on_lines(const struct seq *seq)
{
    uint32_t end;
    return seq->n && edit_line_rest(seq->file, seq->item[seq->n - 1].end, true, &end);
}

/* No item stays. */
static void refill(struct hcl_edit *edit, const struct seq *seq, const struct inserts *in)
{
    struct str indent = edit_indent(seq->file->text, seq->item[0].start);
    edit_splice(edit, seq->range.start + 1, seq->range.end - 1,
                inside(edit, seq, in, indent, ends_on_lines(seq)));
}

/* --- objects --- */

static bool seq_of_object(struct hcl_edit *edit, const struct hcl_expr *object, struct seq *ret)
{
    struct hcl_range *item = arena_new(edit->arena, struct hcl_range, object->items.n);
    *ret = (struct seq){.file = edit->file,
                        .range = object->range,
                        .item = item,
                        .n = object->items.n,
                        .is_object = true};
    edit->full |= !item;
    for (size_t i = 0; item && i < ret->n; i++)
        item[i] = (struct hcl_range){object->items.item[i].key->range.start,
                                     object->items.item[i].value->range.end};
    if (item)
        find_style(ret);
    return item;
}

static bool all_keys_quoted(const struct hcl_expr *object)
{
    for (size_t i = 0; i < object->items.n; i++)
        if (object->items.item[i].key->kind != HCL_EXPR_STRING ||
            object->items.item[i].key->bare_key)
            return false;
    return object->items.n > 0;
}

/* " = ", or as the last item has it: ": ", "=" ... Blanks that only align are left out. */
static struct str key_separator(struct hcl_edit *edit, const struct hcl_expr *object)
{
    if (object->items.n == 0)
        return edit->file->json ? STR(": ") : STR(" = ");
    const struct hcl_item *last = &object->items.item[object->items.n - 1];
    struct str between = str_sub(edit->file->text, last->key->range.end, last->value->range.start);
    size_t colon = str_find_char(between, ':', 0);
    if (colon == SIZE_MAX || str_find_char(between, '=', 0) != SIZE_MAX)
        return between.len && between.ptr[0] == '=' ? STR("=") : STR(" = ");
    return colon + 1 == between.len ? STR(":") : colon ? STR(" : ") : STR(": ");
}

static bool is_one_line(const struct hcl_file *file, const struct hcl_expr *expr)
{
    struct str text = str_sub(file->text, expr->range.start, expr->range.end);
    return str_find_char(text, '\n', 0) == SIZE_MAX;
}

static struct inserts item_texts(struct hcl_edit *edit, const struct hcl_expr *object,
                                 const struct seq *seq, const struct hcl_new_item *add, size_t n)
{
    struct str *text = arena_new(edit->arena, struct str, n);
    struct str anchor =
        edit_indent(edit->file->text, seq->n ? seq->item[seq->n - 1].start : seq->range.start);
    const struct hcl_expr *last = seq->n ? object->items.item[seq->n - 1].value : NULL;
    bool like = last && last->kind == HCL_EXPR_OBJECT && last->items.n;
    bool one_line = seq->n ? !ends_on_lines(seq) : edit_in_one_line(edit->file, seq->range);
    struct edit_layout layout = {.newline = edit_newline(edit->file),
                                 .base = anchor,
                                 .unit = edit_indent_unit(anchor, anchor),
                                 .json = seq->json,
                                 .one_line = one_line || (like && is_one_line(edit->file, last)),
                                 .like = like ? last : NULL};
    if (seq->n == 0 && !one_line)
        layout.base = arena_printf(edit->arena, "%.*s%.*s", STR_ARG(anchor), STR_ARG(layout.unit));
    edit->full |= !text || !layout.base.ptr;
    for (size_t i = 0; !edit->full && i < n; i++) {
        struct buf out = {.limit = HCL_TEXT_MAX};
        edit_print_item(edit, &out, &add[i], all_keys_quoted(object), key_separator(edit, object),
                        &layout);
        text[i] = edit_text(edit, &out);
    }
    return (struct inserts){text, edit->full ? 0 : n};
}

void hcl_edit_object(struct hcl_edit *edit, const struct hcl_expr *object, const bool *gone,
                     const struct hcl_new_item *add, size_t nadd)
{
    struct seq seq;
    if (!seq_of_object(edit, object, &seq))
        return;
    struct inserts in = item_texts(edit, object, &seq, add, nadd);
    size_t last = last_kept(&seq, gone);
    if (seq.n == 0) {
        if (in.n)
            insert_first(edit, &seq, &in, !edit_in_one_line(edit->file, seq.range));
    } else if (last == SIZE_MAX) {
        refill(edit, &seq, &in);
    } else {
        if (gone)
            cut(edit, &seq, gone, in.n > 0);
        if (in.n)
            insert_behind(edit, &seq, last, true, &in);
    }
}

/* --- tuples --- */

static bool seq_of_tuple(struct hcl_edit *edit, const struct hcl_expr *tuple, struct seq *ret)
{
    struct hcl_range *item = arena_new(edit->arena, struct hcl_range, tuple->parts.n);
    *ret =
        (struct seq){.file = edit->file, .range = tuple->range, .item = item, .n = tuple->parts.n};
    edit->full |= !item;
    for (size_t i = 0; item && i < ret->n; i++)
        item[i] = tuple->parts.part[i]->range;
    if (item)
        find_style(ret);
    return item;
}

/* New elements look like old ones: objects on one line where those are. */
static struct edit_layout element_layout(struct hcl_edit *edit, const struct hcl_expr *tuple,
                                         const struct seq *seq, size_t near)
{
    struct str text = edit->file->text;
    bool one_line = seq->n ? !ends_on_lines(seq) : edit_in_one_line(edit->file, seq->range);
    struct str base = edit_indent(text, seq->n ? seq->item[near].start : seq->range.start);
    struct str unit = edit_indent_unit(base, base);
    if (seq->n == 0 && !one_line)
        base = arena_printf(edit->arena, "%.*s%.*s", STR_ARG(base), STR_ARG(unit));
    bool spread = seq->n && one_line && tuple->parts.part[near]->kind == HCL_EXPR_OBJECT &&
                  !is_one_line(edit->file, tuple->parts.part[near]); /* "}, {" */
    one_line = one_line && !spread;
    for (size_t i = 0; i < seq->n && !one_line && !spread; i++)
        one_line = tuple->parts.part[i]->kind == HCL_EXPR_OBJECT &&
                   is_one_line(edit->file, tuple->parts.part[i]);
    edit->full |= !base.ptr;
    return (struct edit_layout){.base = base,
                                .unit = unit,
                                .newline = edit_newline(edit->file),
                                .json = seq->json,
                                .one_line = one_line,
                                .like = seq->n ? tuple->parts.part[near] : NULL};
}

/* What comes between two elements that stay: old ones [old, old_end), new ones [from, to). */
struct gap {
    size_t old, old_end, from, to;
};

static void fill_gap(struct hcl_edit *edit, const struct hcl_expr *tuple, const struct seq *seq,
                     const struct hcl_new_element *element, struct gap gap, bool *gone)
{
    for (; gap.old < gap.old_end && gap.from < gap.to; gap.old++, gap.from++)
        hcl_edit_expr(edit, tuple->parts.part[gap.old], element[gap.from].value);
    for (; gap.old < gap.old_end; gap.old++)
        gone[gap.old] = true;
    if (gap.from == gap.to)
        return;
    size_t near = gap.old ? gap.old - 1 : 0;
    struct edit_layout layout = element_layout(edit, tuple, seq, near);
    struct str *text = arena_new(edit->arena, struct str, gap.to - gap.from);
    edit->full |= !text;
    for (size_t i = gap.from; !edit->full && i < gap.to; i++)
        text[i - gap.from] = edit_literal(edit, element[i].value, &layout);
    if (edit->full)
        return;
    struct inserts in = {text, gap.to - gap.from};
    bool on_lines = false;
    for (size_t i = 0; i < in.n; i++)
        on_lines |= str_find_char(text[i], '\n', 0) != SIZE_MAX;
    if (seq->n == 0)
        insert_first(edit, seq, &in, on_lines);
    else if (gap.old == 0)
        insert_before(edit, seq, 0, &in);
    else
        insert_behind(edit, seq, near, gap.old == seq->n, &in);
}

void hcl_edit_tuple(struct hcl_edit *edit, const struct hcl_expr *tuple,
                    const struct hcl_new_element *element, size_t n)
{
    struct seq seq;
    size_t old = 0, from = 0;
    bool *gone = arena_new(edit->arena, bool, tuple->parts.n);
    edit->full |= !gone;
    if (!seq_of_tuple(edit, tuple, &seq) || edit->full)
        return;
    if (n == 0) {
        if (seq.n)
            refill(edit, &seq, &(struct inserts){NULL, 0});
        return;
    }
    for (size_t i = 0; i <= n; i++) {
        if (i < n && element[i].value)
            continue;
        size_t old_end = i < n ? element[i].old : seq.n;
        fill_gap(edit, tuple, &seq, element, (struct gap){old, old_end, from, i}, gone);
        old = old_end + 1;
        from = i + 1;
    }
    cut(edit, &seq, gone, false);
}

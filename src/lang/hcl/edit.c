/* edit.c - changes of a text collected, applied, laid out where they were made, and read again. */
#include "lang/hcl/edit.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "lang/hcl/content.h"
#include "lang/hcl/edit_parts.h"
#include "lang/hcl/format.h"

void hcl_edit_start(struct hcl_edit *ret, struct arena *arena, const struct hcl_file *file)
{
    *ret = (struct hcl_edit){.arena = arena, .file = file};
}

void edit_splice(struct hcl_edit *edit, uint32_t start, uint32_t end, struct str text)
{
    if (start == end && text.len == 0)
        return;
    edit->splice = arena_grow(edit->arena, edit->splice, edit->n, &edit->room, edit->n + 1);
    if (!edit->splice) {
        edit->full = true;
        edit->n = edit->room = 0;
        return;
    }
    edit->splice[edit->n++] = (struct hcl_splice){{start, end}, text};
}

struct str edit_text(struct hcl_edit *edit, struct buf *buf)
{
    struct str text = buf_ok(buf, NULL) ? arena_dup(edit->arena, buf_view(buf)) : (struct str){0};
    edit->full |= !text.ptr;
    buf_free(buf);
    return text;
}

void edit_fail(struct hcl_edit *edit, const char *why)
{
    if (!edit->why.ptr)
        edit->why = str_from(why);
}

/* --- applying --- */

/* By place; what is put in comes before what is taken out there, and stays in order. */
static int by_place(const void *a, const void *b)
{
    const struct hcl_splice *x = *(const struct hcl_splice *const *)a;
    const struct hcl_splice *y = *(const struct hcl_splice *const *)b;
    if (x->range.start != y->range.start)
        return x->range.start < y->range.start ? -1 : 1;
    bool x_in = x->range.start == x->range.end, y_in = y->range.start == y->range.end;
    if (x_in != y_in)
        return x_in ? -1 : 1;
    return (x > y) - (x < y);
}

/* In order of place. Two removals that overlap become one; other overlaps fail. */
static bool order_splices(struct hcl_edit *edit, struct err *err)
{
    const struct hcl_splice **sorted = arena_new(edit->arena, const struct hcl_splice *, edit->n);
    struct hcl_splice *out = arena_new(edit->arena, struct hcl_splice, edit->n);
    size_t kept = 0;
    if (!sorted || !out)
        return arena_full(edit->arena, err);
    for (size_t i = 0; i < edit->n; i++)
        sorted[i] = &edit->splice[i];
    qsort(sorted, edit->n, sizeof *sorted, by_place);
    for (size_t i = 0; i < edit->n; i++) {
        const struct hcl_splice *next = sorted[i];
        struct hcl_splice *last = kept ? &out[kept - 1] : NULL;
        if (!last || next->range.start >= last->range.end) {
            out[kept++] = *next;
        } else if (last->text.len == 0 && next->text.len == 0) {
            if (next->range.end > last->range.end)
                last->range.end = next->range.end;
        } else {
            return err_set(err, ERR_CONFLICT, "%.*s: two changes of the same place",
                           STR_ARG(edit->file->name));
        }
    }
    edit->splice = out;
    edit->n = edit->room = kept;
    return true;
}

static struct str apply(struct hcl_edit *edit)
{
    struct str old = edit->file->text;
    size_t len = old.len;
    for (size_t i = 0; i < edit->n; i++)
        len += edit->splice[i].text.len;
    char *text = len < UINT32_MAX ? arena_new_raw(edit->arena, char, len + 1) : NULL, *to = text;
    size_t from = 0;
    if (!text)
        return (struct str){0};
    for (size_t i = 0; i <= edit->n; i++) {
        size_t until = i < edit->n ? edit->splice[i].range.start : old.len;
        memcpy(to, old.ptr + from, until - from);
        to += until - from;
        if (i == edit->n)
            break;
        if (edit->splice[i].text.len)
            memcpy(to, edit->splice[i].text.ptr, edit->splice[i].text.len);
        to += edit->splice[i].text.len;
        from = edit->splice[i].range.end;
    }
    *to = '\0';
    return (struct str){text, (size_t)(to - text)};
}

static bool read_again(struct hcl_edit *edit, struct str text, struct hcl_file *ret,
                       struct err *err)
{
    struct hcl_diags diags = {.arena = edit->arena};
    bool ok = edit->file->json
                  ? hcl_parse_json_file(edit->arena, text, edit->file->name, &diags, ret, err)
                  : hcl_parse_file(edit->arena, text, edit->file->name, &diags, ret, err);
    if (!ok)
        return false;
    if (!hcl_has_errors(&diags))
        return true;
    (void)hcl_diags_to_err(&diags, err);
    if (err)
        err->kind = ERR_CONFLICT;
    return err_wrap(err, "the edited text cannot be read");
}

/* --- laying out --- */

/* Lines that a change touches, in the old text and in the new one. */
struct spot {
    struct hcl_line_range before, after;
};

static uint32_t newlines(struct str text)
{
    uint32_t n = 0;
    for (size_t at = 0; (at = str_find_char(text, '\n', at)) != SIZE_MAX; at++)
        n++;
    return n;
}

/*
 * The lines of changes that are on neighbouring lines are one spot. What is put in between two
 * lines, or taken out there, touches the lines on both sides.
 */
static size_t find_spots(const struct hcl_edit *edit, struct spot *spots)
{
    struct str old = edit->file->text;
    uint32_t line = 1, grown = 0;
    size_t at = 0, n = 0;
    for (size_t i = 0; i < edit->n; i++) {
        const struct hcl_splice *splice = &edit->splice[i];
        line += newlines(str_sub(old, at, splice->range.start));
        struct str gone = str_sub(old, splice->range.start, splice->range.end);
        uint32_t first = line, last = line + newlines(gone), more = newlines(splice->text);
        bool whole_lines = edit_line_start(old, splice->range.start) == splice->range.start &&
                           (splice->text.len ? splice->text.ptr[splice->text.len - 1] == '\n'
                                             : last > first && gone.ptr[gone.len - 1] == '\n');
        /* What takes other lines than before stands in no column with its neighbours any more. */
        bool reshaped = !whole_lines && (more > 0) != (last > first);
        uint32_t below = reshaped && str_find_char(old, '\n', splice->range.end) != SIZE_MAX;
        if ((whole_lines || reshaped) && first > 1)
            first--;
        struct spot spot = {{first, last + below}, {first + grown, line + grown + more + below}};
        grown += more - newlines(gone);
        line = last;
        at = splice->range.end;
        if (n && spots[n - 1].before.last + 1 >= spot.before.first) {
            spots[n - 1].before.last = spot.before.last;
            spots[n - 1].after.last = spot.after.last;
        } else {
            spots[n++] = spot;
        }
    }
    return n;
}

/* What was in form before is brought in form again. Layout changes no line's number. */
static bool lay_out(struct hcl_edit *edit, struct hcl_file *file, struct err *err)
{
    struct spot *spots = arena_new(edit->arena, struct spot, edit->n);
    if (!spots)
        return arena_full(edit->arena, err);
    size_t n = find_spots(edit, spots);
    for (size_t i = 0; i < n; i++) {
        bool in_form;
        struct str text;
        if (!hcl_lines_formatted(edit->arena, edit->file, spots[i].before, &in_form, err))
            return false;
        if (!in_form)
            continue;
        if (!hcl_format_lines(edit->arena, file, spots[i].after, &text, err))
            return false;
        if (!str_equal(text, file->text) && !read_again(edit, text, file, err))
            return false;
    }
    return true;
}

bool hcl_edit_finish(struct hcl_edit *edit, struct str *ret, struct err *err)
{
    struct hcl_file file;
    if (edit->full)
        return arena_full(edit->arena, err);
    if (edit->why.ptr)
        return err_set(err, ERR_UNSUPPORTED, "%.*s", STR_ARG(edit->why));
    if (edit->n == 0) {
        *ret = edit->file->text;
        return true;
    }
    if (!order_splices(edit, err))
        return false;
    struct str text = apply(edit);
    if (!text.ptr)
        return arena_full(edit->arena, err);
    if (!read_again(edit, text, &file, err))
        return false;
    if (!edit->file->json && !lay_out(edit, &file, err))
        return false;
    *ret = file.text;
    return true;
}

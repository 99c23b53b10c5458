/* format_out.c - the Rego formatter's output: lines, comments, and text left as it was. */
#include <string.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "lang/rego/formatter.h"

void form_write(struct formatter *f, const char *text)
{
    buf_str(&f->out, str_from(text));
}

void form_write_str(struct formatter *f, struct str text)
{
    buf_str(&f->out, text);
}

void form_start_line(struct formatter *f)
{
    f->in_line = true;
    for (unsigned i = 0; i < f->level; i++)
        buf_char(&f->out, '\t');
}

/* Without the blanks at its end. */
static struct str comment_text(const struct rego_comment *comment)
{
    struct str text = comment->text;
    while (text.len && strchr(" \t\r\v\f", text.ptr[text.len - 1]))
        text.len--;
    return text;
}

static void write_comment(struct formatter *f, const struct rego_comment *comment)
{
    buf_char(&f->out, '#');
    buf_str(&f->out, comment_text(comment));
}

void form_end_line(struct formatter *f)
{
    f->in_line = false;
    if (f->at_end && !f->delay) {
        buf_char(&f->out, ' ');
        write_comment(f, f->at_end);
        f->at_end = NULL;
    }
    f->delay = false;
    buf_char(&f->out, '\n');
}

void form_blank_line(struct formatter *f)
{
    if (f->in_line)
        form_end_line(f);
    buf_char(&f->out, '\n');
}

struct str form_text(const struct formatter *f, struct rego_place place)
{
    return str_sub(f->module->text, place.start, place.end);
}

/* --- comments --- */

static bool is_metadata(const struct rego_comment *comment)
{
    return comment->place.col == 1 && str_starts(str_trim(comment->text), STR("METADATA"));
}

void form_write_comments(struct formatter *f, const struct rego_comment *const *item, size_t n)
{
    bool metadata = false;
    for (size_t i = 0; i < n; i++) {
        uint32_t apart = i ? item[i]->place.row - item[i - 1]->place.row : 0;
        if (apart > 1) {
            form_blank_line(f);
            metadata = false;
        } else if (apart == 1 && metadata && is_metadata(item[i])) {
            form_blank_line(f);
        }
        metadata |= is_metadata(item[i]);
        if (!f->in_line)
            form_start_line(f);
        write_comment(f, item[i]);
        form_end_line(f);
    }
}

static enum form_flow wait_for_end(struct formatter *f, const struct rego_comment *comment)
{
    if (!f->at_end) {
        f->at_end = comment;
        return FORMAT_OK;
    }
    if (!comment)
        return FORMAT_OK;
    f->at_end = NULL; /* two comments for one line */
    return FORMAT_AS_WAS;
}

enum form_flow form_insert_comments(struct formatter *f, uint32_t row)
{
    struct form_comments all = f->comments;
    size_t before = 0, at;
    if (!form_in_time(f))
        return FORMAT_FAILED;
    while (before < all.n && all.item[before]->place.row < row)
        before++;
    at = before;
    while (at < all.n && all.item[at]->place.row == row)
        at++;
    f->comments = (struct form_comments){all.item + at, all.n - at};
    form_write_comments(f, all.item, before);
    if (before && row - all.item[before - 1]->place.row > 1)
        form_blank_line(f);
    return wait_for_end(f, at > before ? all.item[at - 1] : NULL);
}

bool form_find_newlines(struct formatter *f)
{
    struct str text = f->module->text;
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == '\n';
    uint32_t *newline = arena_new_raw(f->arena, uint32_t, n);
    for (size_t i = 0; newline && i < text.len; i++)
        if (text.ptr[i] == '\n')
            newline[f->nnewlines++] = (uint32_t)i;
    f->newline = newline;
    return newline != NULL;
}

/* How many stand before that byte. */
static uint32_t newlines_before(const struct formatter *f, size_t byte)
{
    size_t low = 0, high = f->nnewlines;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (f->newline[middle] < byte)
            low = middle + 1;
        else
            high = middle;
    }
    return (uint32_t)low;
}

uint32_t form_newlines(const struct formatter *f, struct str text)
{
    if (!text.len)
        return 0;
    size_t from = (size_t)(text.ptr - f->module->text.ptr);
    return newlines_before(f, from + text.len) - newlines_before(f, from);
}

void form_as_was(struct formatter *f, struct rego_place place)
{
    struct str text = form_text(f, place);
    uint32_t last = place.row + form_newlines(f, text);
    struct form_comments *c = &f->comments;
    form_write_str(f, text);
    while (c->n &&
           (c->item[0]->place.row < last || (f->on_final_line && c->item[0]->place.row == last))) {
        if (c->item[0]->place.row == last && c->item[0]->place.start >= place.end) {
            buf_char(&f->out, ' ');
            write_comment(f, c->item[0]);
        }
        c->item++;
        c->n--;
    }
}

struct form_mark form_mark(const struct formatter *f)
{
    return (struct form_mark){f->out.len, f->level, f->at_end, f->in_line, f->delay, f->comments};
}

void form_back(struct formatter *f, const struct form_mark *mark)
{
    f->out.len = mark->len;
    f->level = mark->level;
    f->comments = mark->comments;
}

/* --- closing brackets --- */

/* Behind the bracket that closes the first one; SIZE_MAX where it is not closed. */
static size_t close_of(struct str text, size_t at, const char *brackets, uint32_t *rows)
{
    while (at < text.len && text.ptr[at] != brackets[0])
        at++;
    if (at >= text.len)
        return SIZE_MAX;
    for (unsigned open = 1; open;) {
        if (++at >= text.len)
            return SIZE_MAX;
        open += text.ptr[at] == brackets[0] && brackets[0] != brackets[1];
        open -= text.ptr[at] == brackets[1];
        *rows += text.ptr[at] == '\n';
    }
    return at;
}

uint32_t form_closing_row(const struct formatter *f, struct rego_place place, const char *skip,
                          const char *brackets)
{
    struct str text = form_text(f, place);
    uint32_t rows = 0;
    size_t from = 0;
    if (skip && (from = close_of(text, 0, skip, &rows)) == SIZE_MAX)
        return 0;
    return close_of(text, from, brackets, &rows) == SIZE_MAX ? 0 : place.row + rows;
}

/* --- quoting --- */

static void quote_point(struct formatter *f, uint32_t c, struct str bytes)
{
    static const char plain[] = "abfnrtv", codes[] = "\a\b\f\n\r\t\v";
    const char *known = c && c < 0x20 ? strchr(codes, (int)c) : NULL;
    if (c == '"' || c == '\\')
        buf_printf(&f->out, "\\%c", (int)c);
    else if (known)
        buf_printf(&f->out, "\\%c", plain[known - codes]);
    else if (c < 0x20 || c == 0x7f)
        buf_printf(&f->out, "\\u%04x", c); /* Go writes \x.., which Rego cannot read */
    else
        buf_str(&f->out, bytes);
}

void form_quote(struct formatter *f, struct str text)
{
    buf_char(&f->out, '"');
    for (size_t at = 0; at < text.len;) {
        size_t from = at;
        uint32_t c = utf8_next(text, &at);
        quote_point(f, c, str_sub(text, from, at));
    }
    buf_char(&f->out, '"');
}

/* edit_lines.c - the lines that things of a text stand on, with the comments that belong to them.
 */
#include "base/arena.h"
#include "lang/hcl/edit_parts.h"

enum { BOM_LEN = 3 };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct str edit_newline(const struct hcl_file *file)
{
    size_t at = str_find_char(file->text, '\n', 0);
    return at != SIZE_MAX && at > 0 && file->text.ptr[at - 1] == '\r' ? STR("\r\n") : STR("\n");
}

uint32_t edit_line_start(struct str text, uint32_t at)
{
    while (at > 0 && text.ptr[at - 1] != '\n')
        at--;
    if (at == 0 && str_starts(text, STR("\xef\xbb\xbf")))
        at = BOM_LEN;
    return at;
}

struct str edit_indent(struct str text, uint32_t at)
{
    uint32_t start = edit_line_start(text, at), end = start;
    while (end < text.len && is_blank(text.ptr[end]))
        end++;
    return str_sub(text, start, end);
}

struct str edit_indent_unit(struct str outer, struct str inner)
{
    if (inner.len > outer.len && str_starts(inner, outer))
        return str_sub(inner, outer.len, inner.len);
    return outer.len && outer.ptr[outer.len - 1] == '\t' ? STR("\t") : STR("  ");
}

bool edit_is_blank_line(struct str text, uint32_t line_start)
{
    uint32_t at = line_start;
    while (at < text.len && (is_blank(text.ptr[at]) || text.ptr[at] == '\r'))
        at++;
    return at < text.len && text.ptr[at] == '\n';
}

bool edit_starts_line(struct str text, uint32_t at)
{
    uint32_t start = edit_line_start(text, at);
    while (start < at && is_blank(text.ptr[start]))
        start++;
    return start >= at;
}

size_t edit_token_at(const struct hcl_file *file, uint32_t byte)
{
    size_t low = 0, high = file->ntokens;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (file->token[middle].range.start < byte)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t edit_lead(const struct hcl_file *file, uint32_t start)
{
    size_t at = edit_token_at(file, start);
    if (file->json)
        return start;
    while (at > 0 && file->token[at - 1].kind == HCL_COMMENT &&
           edit_starts_line(file->text, file->token[at - 1].range.start))
        at--;
    return at < file->ntokens && file->token[at].range.start < start ? file->token[at].range.start
                                                                     : start;
}

static size_t skip_blanks(struct str text, size_t at)
{
    while (at < text.len && (is_blank(text.ptr[at]) || text.ptr[at] == '\r'))
        at++;
    return at;
}

static bool json_line_rest(struct str text, uint32_t end, bool comma, uint32_t *ret_end)
{
    size_t at = skip_blanks(text, end);
    if (comma && at < text.len && text.ptr[at] == ',')
        at = skip_blanks(text, at + 1);
    if (at < text.len && text.ptr[at] != '\n')
        return false;
    *ret_end = (uint32_t)(at < text.len ? at + 1 : at);
    return true;
}

bool edit_line_rest(const struct hcl_file *file, uint32_t end, bool comma, uint32_t *ret_end)
{
    if (file->json)
        return json_line_rest(file->text, end, comma, ret_end);
    for (size_t at = edit_token_at(file, end); at < file->ntokens; at++) {
        const struct hcl_token *token = &file->token[at];
        bool ends = token->kind == HCL_NEWLINE || token->kind == HCL_EOF ||
                    (token->kind == HCL_COMMENT && file->text.ptr[token->range.end - 1] == '\n');
        if (ends) {
            *ret_end = token->range.end;
            return true;
        }
        if (token->kind == HCL_COMMA && comma)
            comma = false;
        else if (token->kind != HCL_COMMENT)
            return false;
    }
    return false;
}

struct hcl_range edit_comma(const struct hcl_file *file, uint32_t end)
{
    if (file->json) {
        size_t at = end;
        while (at < file->text.len && (is_blank(file->text.ptr[at]) || file->text.ptr[at] == '\n' ||
                                       file->text.ptr[at] == '\r'))
            at++;
        bool there = at < file->text.len && file->text.ptr[at] == ',';
        return (struct hcl_range){(uint32_t)at, (uint32_t)(there ? at + 1 : at)};
    }
    size_t at = edit_token_at(file, end);
    while (at < file->ntokens &&
           (file->token[at].kind == HCL_COMMENT || file->token[at].kind == HCL_NEWLINE))
        at++;
    if (at < file->ntokens && file->token[at].kind == HCL_COMMA)
        return file->token[at].range;
    return (struct hcl_range){end, end};
}

/* --- lines that go --- */

static uint32_t next_line(struct str text, uint32_t at)
{
    size_t end = str_find_char(text, '\n', at);
    return (uint32_t)(end == SIZE_MAX ? text.len : end + 1);
}

static bool blanks_only(struct str text, uint32_t from, uint32_t to)
{
    for (uint32_t at = from; at < to; at = next_line(text, at))
        if (!edit_is_blank_line(text, at))
            return false;
    return true;
}

static bool is_blank_above(struct str text, uint32_t line_start)
{
    return line_start > edit_line_start(text, 0) &&
           edit_is_blank_line(text, edit_line_start(text, line_start - 1));
}

/* Does the line above begin the text, or open the brackets that this line is in? */
static bool opens_above(struct str text, uint32_t line_start)
{
    uint32_t at = line_start;
    while (at > 0 &&
           (is_blank(text.ptr[at - 1]) || text.ptr[at - 1] == '\r' || text.ptr[at - 1] == '\n'))
        at--;
    if (at == 0 || (at == BOM_LEN && edit_line_start(text, 0) == BOM_LEN))
        return true;
    return text.ptr[at - 1] == '{' || text.ptr[at - 1] == '[' || text.ptr[at - 1] == '(';
}

static bool closes(struct str text, uint32_t line_start)
{
    size_t at = skip_blanks(text, line_start);
    return at == text.len || text.ptr[at] == '}' || text.ptr[at] == ']' || text.ptr[at] == ')';
}

void edit_remove_lines(struct hcl_edit *edit, const struct hcl_range *lines, size_t n)
{
    struct str text = edit->file->text;
    for (size_t i = 0; i < n; i++) {
        struct hcl_range gone = lines[i];
        while (i + 1 < n && blanks_only(text, gone.end, lines[i + 1].start))
            gone.end = lines[++i].end;
        bool above = is_blank_above(text, gone.start), first = opens_above(text, gone.start);
        while ((above || first) && gone.end < text.len && edit_is_blank_line(text, gone.end))
            gone.end = next_line(text, gone.end);
        while (closes(text, gone.end) && is_blank_above(text, gone.start))
            gone.start = edit_line_start(text, gone.start - 1);
        edit_splice(edit, gone.start, gone.end, (struct str){0});
    }
}

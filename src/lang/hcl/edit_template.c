/* edit_template.c - a text inside of a template changed: only the characters that differ. */
#include "base/arena.h"
#include "base/buf.h"
#include "lang/hcl/edit_parts.h"
#include "lang/hcl/edit_path.h"
#include "lang/hcl/encode.h"

/* Where the text stands: in quotes, or in a heredoc whose lines lose their indent. */
struct standing {
    bool quoted;
    struct str indent; /* in front of each line; empty where none is taken off */
};

/* The opener of the heredoc that a token is in; SIZE_MAX: none. */
static size_t opener_of(const struct hcl_file *file, size_t at)
{
    size_t closed = 0;
    while (at-- > 0) {
        if (file->token[at].kind == HCL_CHEREDOC)
            closed++;
        else if (file->token[at].kind == HCL_OHEREDOC && closed-- == 0)
            return at;
    }
    return SIZE_MAX;
}

/* Blanks in front of the lines of a heredoc: the fewest. Those that hold nothing else do not
 * count. */
static struct str least_indent(const struct hcl_file *file, size_t opener)
{
    struct str text = file->text, least = {0};
    bool any = false;
    uint32_t at = file->token[opener].range.end;
    size_t closer = opener + 1, open = 1;
    for (; closer < file->ntokens; closer++) {
        open += file->token[closer].kind == HCL_OHEREDOC;
        open -= file->token[closer].kind == HCL_CHEREDOC;
        if (open == 0)
            break;
    }
    uint32_t end = closer < file->ntokens ? file->token[closer].range.start : (uint32_t)text.len;
    for (end = edit_line_start(text, end); at < end;) {
        struct str indent = edit_indent(text, at);
        if (!edit_is_blank_line(text, at) && (!any || indent.len < least.len)) {
            least = indent;
            any = true;
        }
        size_t next = str_find_char(text, '\n', at);
        at = next == SIZE_MAX ? end : (uint32_t)next + 1;
    }
    return least;
}

static struct standing standing_of(const struct hcl_file *file, const struct hcl_expr *text)
{
    size_t at = edit_token_at(file, text->range.start);
    struct standing ret = {.quoted = true};
    if (at >= file->ntokens || file->token[at].kind != HCL_RAW_TEXT)
        return ret;
    ret.quoted = false;
    size_t opener = opener_of(file, at);
    if (opener != SIZE_MAX &&
        str_starts(str_sub(file->text, file->token[opener].range.start, file->text.len),
                   STR("<<-")))
        ret.indent = least_indent(file, opener);
    return ret;
}

/* --- places of characters --- */

/* Length of one character as it is written, and what it says; 0 where it is not told here. */
static size_t written_char(struct str s, bool quoted, char *ret)
{
    bool pair = s.len > 2 && (s.ptr[0] == '$' || s.ptr[0] == '%') && s.ptr[1] == s.ptr[0] &&
                s.ptr[2] == '{';
    *ret = s.ptr[0];
    if (pair)
        return 2;
    if (!quoted || s.ptr[0] != '\\')
        return 1;
    char c = s.len > 1 ? s.ptr[1] : '\0';
    if (c != 'n' && c != 'r' && c != 't' && c != '"' && c != '\\')
        return 0;
    *ret = (char)(c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c);
    return 2;
}

/* For each byte of what the text says, and for its end, where that is written. Blanks that the
 * template takes off are passed over. NULL: it cannot be told. */
static uint32_t *places_of(struct arena *arena, struct str file, const struct hcl_expr *text,
                           const struct standing *standing)
{
    struct str raw = str_sub(file, text->range.start, text->range.end);
    struct str says = value_text(&text->value);
    uint32_t *place = arena_new(arena, uint32_t, says.len + 1);
    size_t at = 0, n = 0;
    bool line = standing->indent.len > 0 &&
                (text->range.start == 0 || file.ptr[text->range.start - 1] == '\n');
    while (place && n < says.len) {
        char c;
        if (at >= raw.len)
            return NULL;
        if (line && str_starts(str_sub(raw, at, raw.len), standing->indent))
            at += standing->indent.len;
        size_t len =
            at < raw.len ? written_char(str_sub(raw, at, raw.len), standing->quoted, &c) : 0;
        if (len == 0)
            return NULL;
        line = c == '\n' && standing->indent.len > 0;
        if (c == says.ptr[n])
            place[n++] = text->range.start + (uint32_t)at;
        else if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            return NULL;
        at += len;
    }
    if (place)
        place[n] = text->range.start + (uint32_t)at;
    return place;
}

/* --- writing --- */

static void print(struct buf *out, const struct standing *standing, struct str newline,
                  struct str text, bool ends)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        const char *escape = NULL;
        bool opener = (c == '$' || c == '%') && i + 1 < text.len && text.ptr[i + 1] == '{';
        if (standing->quoted)
            escape = c == '\n'   ? "\\n"
                     : c == '\r' ? "\\r"
                     : c == '\t' ? "\\t"
                     : c == '"'  ? "\\\""
                     : c == '\\' ? "\\\\"
                                 : NULL;
        if (opener)
            buf_char(out, c);
        if (escape)
            buf_str(out, str_from(escape));
        else if (c == '\n' && (i == 0 || text.ptr[i - 1] != '\r'))
            buf_str(out, newline);
        else
            buf_char(out, c);
        bool next = i + 1 < text.len ? text.ptr[i + 1] != '\n' : !ends;
        if (c == '\n' && next)
            buf_str(out, standing->indent);
    }
}

/* The characters that differ, and what is written there then. */
static bool splice_of(struct arena *arena, struct str file, const struct hcl_expr *text,
                      const struct standing *standing, struct str now, struct hcl_splice *ret)
{
    struct str old = value_text(&text->value);
    uint32_t *place = places_of(arena, file, text, standing);
    struct str newline = standing->quoted ? STR("\\n") : STR("\n");
    AUTO_BUF out = {.limit = HCL_SIZE_MAX};
    size_t same = 0, end = 0;
    if (!place)
        return false;
    while (same < old.len && same < now.len && old.ptr[same] == now.ptr[same])
        same++;
    while (end < old.len - same && end < now.len - same &&
           old.ptr[old.len - 1 - end] == now.ptr[now.len - 1 - end])
        end++;
    /* Whole characters: not from the middle of one. */
    while (same > 0 && same < now.len && ((unsigned char)now.ptr[same] & 0xc0) == 0x80)
        same--;
    while (end > 0 && ((unsigned char)now.ptr[now.len - end] & 0xc0) == 0x80)
        end--;
    print(&out, standing, newline, str_sub(now, same, now.len - end), end == 0);
    *ret =
        (struct hcl_splice){{place[same], place[old.len - end]}, arena_dup(arena, buf_view(&out))};
    return buf_ok(&out, NULL) && ret->text.ptr;
}

bool hcl_edit_text(struct hcl_edit *edit, const struct hcl_expr *text, struct str now)
{
    struct standing standing = standing_of(edit->file, text);
    struct hcl_splice splice;
    if (edit->file->json ||
        !splice_of(edit->arena, edit->file->text, text, &standing, now, &splice))
        return false;
    edit_splice(edit, splice.range.start, splice.range.end, splice.text);
    return true;
}

bool hcl_template_text(struct arena *arena, struct str file, const struct hcl_expr *text,
                       struct str now, struct str *ret)
{
    const struct standing bare = {0};
    struct hcl_splice splice;
    if (!splice_of(arena, file, text, &bare, now, &splice))
        return false;
    *ret = arena_printf(arena, "%.*s%.*s%.*s", (int)splice.range.start, file.ptr,
                        STR_ARG(splice.text), STR_ARG(str_sub(file, splice.range.end, file.len)));
    return ret->ptr;
}

bool hcl_edit_text_end(struct hcl_edit *edit, const struct hcl_expr *template, bool at_end,
                       struct str text)
{
    const struct standing quoted = {.quoted = true};
    struct str all = str_sub(edit->file->text, template->range.start, template->range.end);
    struct buf out = {.limit = HCL_SIZE_MAX};
    if (edit->file->json || all.len < 2 || all.ptr[0] != '"' || all.ptr[all.len - 1] != '"')
        return false;
    uint32_t place = at_end ? template->range.end - 1 : template->range.start + 1;
    print(&out, &quoted, STR("\\n"), text, false);
    edit_splice(edit, place, place, edit_text(edit, &out));
    return true;
}

/* fuzz_hcl_fmt.c - any text as a file: tokens cover it; what can be formatted can be read again and
 * then stays as it is; laying out any lines changes nothing but blanks. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "lang/hcl/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void tokens_cover(const struct hcl_file *file)
{
    size_t at = str_starts(file->text, STR("\xef\xbb\xbf")) ? 3 : 0;
    for (size_t i = 0; i < file->ntokens; i++) {
        struct hcl_range range = file->token[i].range;
        must(range.start >= at && range.end >= range.start);
        for (; at < range.start; at++)
            must(file->text.ptr[at] == ' ' || file->text.ptr[at] == '\t');
        at = range.end;
    }
    must(at == file->text.len);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool same_but_blanks(struct str a, struct str b)
{
    size_t i = 0, k = 0;
    for (;;) {
        while (i < a.len && is_blank(a.ptr[i]))
            i++;
        while (k < b.len && is_blank(b.ptr[k]))
            k++;
        if (i == a.len || k == b.len)
            return i == a.len && k == b.len;
        if (a.ptr[i++] != b.ptr[k++])
            return false;
    }
}

static void lines_lay_out(struct arena *arena, const struct hcl_file *file,
                          struct hcl_line_range lines)
{
    struct err err = {0};
    struct str text, again;
    struct hcl_file laid_out;
    struct hcl_diags diags = {.arena = arena};
    bool formatted;
    if (!hcl_format_lines(arena, file, lines, &text, &err))
        return;
    must(same_but_blanks(file->text, text));
    if (!hcl_parse_file(arena, text, STR("lines"), &diags, &laid_out, &err))
        return;
    must(!hcl_has_errors(&diags));
    if (hcl_format_lines(arena, &laid_out, lines, &again, &err))
        must(str_equal(text, again));
    if (hcl_lines_formatted(arena, &laid_out, lines, &formatted, &err))
        must(formatted);
}

/* Each time one interpolation around a value may go; then it stays as it is. */
static void form_is_final(struct arena *arena, const struct hcl_file *file)
{
    struct err err = {0};
    struct str text, again;
    if (!hcl_format_file(arena, file, &text, &err))
        return;
    for (size_t rounds = 0;; rounds++) {
        struct hcl_diags diags = {.arena = arena};
        if (!hcl_format_text(arena, text, STR("again"), &diags, &again, &err)) {
            must(err.kind == ERR_LIMIT);
            return;
        }
        if (str_equal(again, text))
            return;
        must(rounds < file->text.len);
        text = again;
    }
}

/* `2e1 .50` becomes `2e1.50`, which is another text or none: so has terraform fmt it. */
static bool is_number_before_dot(const struct hcl_file *file)
{
    for (size_t i = 1; i < file->ntokens; i++)
        if (file->token[i - 1].kind == HCL_NUMBER && file->token[i].kind == HCL_DOT)
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct hcl_diags diags = {.arena = &arena};
    struct err err = {0};
    struct hcl_file file;
    struct str text = {(const char *)data, size};
    if (size > 8192 || !hcl_parse_file(&arena, text, STR("fuzz"), &diags, &file, &err))
        return 0;
    tokens_cover(&file);
    if (hcl_has_errors(&diags) || is_number_before_dot(&file))
        return 0;
    uint32_t line = size ? 1 + data[size / 2] % 8u : 1;
    lines_lay_out(&arena, &file, (struct hcl_line_range){line, line + 1});
    form_is_final(&arena, &file);
    return 0;
}

/* fn_csv.c - csvdecode, as Go's encoding/csv reads RFC 4180. */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "lang/hcl/encode.h"
#include "lang/hcl/ops.h"

struct csv {
    struct hcl_call *call;
    struct str rest; /* lines not read yet */
    size_t line;
    struct str *field; /* of the record */
    size_t n, room;
};

/* A line with its "\n"; CRLF ends count as LF, and so does a CR at the very end. */
static bool next_line(struct csv *csv, struct str *ret)
{
    if (csv->rest.len == 0)
        return false;
    size_t end = str_find_char(csv->rest, '\n', 0);
    *ret = str_sub(csv->rest, 0, end == SIZE_MAX ? csv->rest.len : end + 1);
    csv->rest = str_sub(csv->rest, ret->len, csv->rest.len);
    csv->line++;
    return true;
}

/* The line without its end. */
static struct str without_end(struct str line)
{
    if (str_ends(line, STR("\r\n")))
        return str_sub(line, 0, line.len - 2);
    if (str_ends(line, STR("\n")))
        return str_sub(line, 0, line.len - 1);
    return str_ends(line, STR("\r")) ? str_sub(line, 0, line.len - 1) : line;
}

static bool bad(struct csv *csv, size_t line, const char *why)
{
    return hcl_call_fail(csv->call, -1, "CSV parse error on line %zu: %s", line, why);
}

static bool add_field(struct csv *csv, struct str text)
{
    struct arena *arena = csv->call->ev->arena;
    csv->field = arena_grow(arena, csv->field, csv->n, &csv->room, csv->n + 1);
    text = csv->field ? utf8_nfc(arena, text) : (struct str){0};
    if (!text.ptr)
        return hcl_call_fail(csv->call, -1, "the text is too large");
    csv->field[csv->n++] = text;
    return true;
}

/* A field that starts with a quote; *line stands behind the quote, then behind the comma.
 * *ret_more: a comma followed. */
static bool quoted_field(struct csv *csv, struct str *line, bool *ret_more)
{
    AUTO_BUF text = {.limit = HCL_TEXT_MAX};
    size_t first = csv->line;
    for (;;) {
        size_t quote = str_find_char(*line, '"', 0);
        if (quote == SIZE_MAX) {
            struct str whole = without_end(*line);
            buf_str(&text, whole);
            if (whole.len < line->len && str_ends(*line, STR("\n")))
                buf_char(&text, '\n');
            if (!next_line(csv, line))
                return bad(csv, first, "extraneous or missing \" in quoted-field");
            continue;
        }
        buf_str(&text, str_sub(*line, 0, quote));
        *line = str_sub(*line, quote + 1, line->len);
        if (line->len && line->ptr[0] == '"') {
            buf_char(&text, '"');
            *line = str_sub(*line, 1, line->len);
            continue;
        }
        *ret_more = line->len && line->ptr[0] == ',';
        if (!*ret_more && without_end(*line).len)
            return bad(csv, csv->line, "extraneous or missing \" in quoted-field");
        *line = str_sub(*line, 1, line->len);
        struct str copy = buf_ok(&text, NULL) ? arena_dup(csv->call->ev->arena, buf_view(&text))
                                              : (struct str){0};
        return copy.ptr ? add_field(csv, copy)
                        : hcl_call_fail(csv->call, -1, "the text is too large");
    }
}

/* False at the end (call->why is then empty) and on a problem. */
static bool next_record(struct csv *csv)
{
    struct str line;
    bool more = true;
    do {
        if (!next_line(csv, &line))
            return false;
    } while (without_end(line).len == 0);
    csv->n = 0;
    while (more) {
        if (line.len && line.ptr[0] == '"') {
            line = str_sub(line, 1, line.len);
            if (!quoted_field(csv, &line, &more))
                return false;
            continue;
        }
        size_t comma = str_find_char(line, ',', 0);
        more = comma != SIZE_MAX;
        struct str text = more ? str_sub(line, 0, comma) : without_end(line);
        if (str_find_char(text, '"', 0) != SIZE_MAX)
            return bad(csv, csv->line, "bare \" in non-quoted-field");
        if (!add_field(csv, text))
            return false;
        line = more ? str_sub(line, comma + 1, line.len) : (struct str){0};
    }
    return true;
}

/* The members of a row, sorted; in `order` the column of each. */
static bool read_header(struct csv *csv, const struct value_key ***ret_keys)
{
    struct hcl_call *call = csv->call;
    struct arena *arena = call->ev->arena;
    if (!next_record(csv))
        return call->why.ptr ? false : hcl_call_fail(call, -1, "missing header line");
    const struct value_key **keys = arena_new(arena, const struct value_key *, csv->n);
    struct value_member *members = arena_new(arena, struct value_member, csv->n);
    const struct value_key *twice = NULL;
    struct value row;
    for (size_t i = 0; keys && members && i < csv->n; i++)
        if (!(members[i].key = keys[i] = key_make(arena, csv->field[i])))
            return false;
    if (!keys || !members)
        return false;
    if (!value_members(VALUE_OBJECT, members, csv->n, &row, &twice, NULL))
        return hcl_call_fail(call, -1, "duplicate column name \"%s\"", twice ? twice->text : "");
    *ret_keys = keys;
    return true;
}

static bool make_row(struct csv *csv, const struct value_key **keys, size_t columns,
                     struct value *ret)
{
    struct value_member *members = arena_new(csv->call->ev->arena, struct value_member, columns);
    if (csv->n != columns)
        return bad(csv, csv->line, "wrong number of fields");
    for (size_t i = 0; members && i < columns; i++)
        members[i] = (struct value_member){keys[i], value_string(csv->field[i])};
    return members && value_members(VALUE_OBJECT, members, columns, ret, NULL, NULL);
}

static bool run_csvdecode(struct hcl_call *call, struct value *ret)
{
    struct csv csv = {.call = call, .rest = value_text(&call->arg[0])};
    const struct value_key **keys;
    struct value *rows = NULL;
    size_t n = 0, room = 0;
    if (!read_header(&csv, &keys))
        return false;
    size_t columns = csv.n;
    while (next_record(&csv)) {
        rows = arena_grow(call->ev->arena, rows, n, &room, n + 1);
        if (!rows || !make_row(&csv, keys, columns, &rows[n++]))
            return false;
    }
    *ret = value_items(VALUE_LIST, rows, n);
    if (n == 0 && !call->why.ptr) {
        struct type_member *members = arena_new(call->ev->arena, struct type_member, columns);
        for (size_t i = 0; members && i < columns; i++)
            members[i] = (struct type_member){.key = keys[i], .type = &type_string};
        ret->type = members ? type_object(call->ev->arena, members, columns) : NULL;
        return ret->type;
    }
    return !call->why.ptr;
}

static const struct hcl_function functions[] = {
    {.name = "csvdecode", .param = {{"str", "string", 0}}, .run = run_csvdecode},
};

const struct hcl_function_family fn_csv = {functions, sizeof functions / sizeof *functions};

/* console.c - one printer for values, one for types, each as deep as values may be. */
#include "lang/hcl/console.h"

#include "base/buf.h"
#include "base/quote.h"
#include "lang/hcl/types.h"

struct page {
    struct arena *arena;
    struct buf *out;
};

static void put_value(const struct page *page, const struct value *v, unsigned indent,
                      unsigned depth_left);

static void put_blanks(struct buf *out, unsigned n)
{
    buf_printf(out, "%*s", (int)n, "");
}

/* --- strings --- */

/* EOT, with as many _ behind it as no line of the text is. */
static size_t marker_tail(struct str text)
{
    size_t n = 0;
    bool again = true;
    while (again) {
        struct str rest = text, line;
        again = false;
        for (bool more = true; more && !again;) {
            more = str_cut(&rest, '\n', &line);
            line = str_trim(line);
            again = line.len == 3 + n && str_starts(line, STR("EOT"));
            for (size_t i = 3; again && i < line.len; i++)
                again = line.ptr[i] == '_';
        }
        n += again;
    }
    return n;
}

static void put_heredoc(struct buf *out, struct str text, unsigned indent)
{
    size_t tail = marker_tail(text);
    struct str rest = text, line;
    buf_str(out, indent ? STR("<<-EOT") : STR("<<EOT"));
    for (size_t i = 0; i < tail; i++)
        buf_char(out, '_');
    for (bool more = true; more;) {
        more = str_cut(&rest, '\n', &line);
        buf_char(out, '\n');
        put_blanks(out, indent);
        buf_str(out, line);
    }
    buf_char(out, '\n');
    put_blanks(out, indent);
    buf_str(out, STR("EOT"));
    for (size_t i = 0; i < tail; i++)
        buf_char(out, '_');
}

/* --- values --- */

static void put_null(const struct page *page, const struct type *type)
{
    static const char *const simple[] = {
        [TYPE_STRING] = "tostring(null)", [TYPE_NUMBER] = "tonumber(null)",
        [TYPE_BOOL] = "tobool(null)",     [TYPE_LIST] = "tolist(null)",
        [TYPE_SET] = "toset(null)",       [TYPE_MAP] = "tomap(null)"};
    if (!type || type->kind == TYPE_DYNAMIC) {
        buf_str(page->out, STR("null"));
        return;
    }
    bool collection = type->kind == TYPE_LIST || type->kind == TYPE_SET || type->kind == TYPE_MAP;
    bool known = (size_t)type->kind < sizeof simple / sizeof *simple && simple[type->kind];
    buf_str(page->out, str_from(known ? simple[type->kind] : "null"));
    if (known && !collection)
        return;
    struct str name = hcl_type_name(page->arena, collection ? type->elem : type);
    buf_printf(page->out, collection ? " /* of %.*s */" : " /* %.*s */", STR_ARG(name));
}

static void put_sequence(const struct page *page, const struct value *v, unsigned indent,
                         unsigned depth_left)
{
    buf_char(page->out, '[');
    for (uint32_t i = 0; i < v->len; i++) {
        buf_char(page->out, '\n');
        put_blanks(page->out, indent + 2);
        put_value(page, &v->items[i], indent + 2, depth_left);
        buf_char(page->out, ',');
    }
    if (v->len) {
        buf_char(page->out, '\n');
        put_blanks(page->out, indent);
    }
    buf_char(page->out, ']');
}

static void put_mapping(const struct page *page, const struct value *v, unsigned indent,
                        unsigned depth_left)
{
    buf_char(page->out, '{');
    for (uint32_t i = 0; i < v->len; i++) {
        struct value key = value_string(key_str(v->members[i].key));
        buf_char(page->out, '\n');
        put_blanks(page->out, indent + 2);
        put_value(page, &key, indent + 2, depth_left);
        buf_str(page->out, STR(" = "));
        put_value(page, &v->members[i].value, indent + 2, depth_left);
    }
    if (v->len) {
        buf_char(page->out, '\n');
        put_blanks(page->out, indent);
    }
    buf_char(page->out, '}');
}

static void put_collection(const struct page *page, const struct value *v, unsigned indent,
                           unsigned depth_left)
{
    static const char *const functions[] = {
        [VALUE_LIST] = "tolist(", [VALUE_SET] = "toset(", [VALUE_MAP] = "tomap("};
    bool wrapped = v->kind == VALUE_LIST || v->kind == VALUE_SET || v->kind == VALUE_MAP;
    buf_str(page->out, wrapped ? str_from(functions[v->kind]) : STR(""));
    if (value_is_object_like(v))
        put_mapping(page, v, indent, depth_left);
    else
        put_sequence(page, v, indent, depth_left);
    buf_str(page->out, wrapped ? STR(")") : STR(""));
}

static void put_value(const struct page *page, const struct value *v, unsigned indent,
                      unsigned depth_left)
{
    if (v->kind == VALUE_UNKNOWN)
        buf_str(page->out, STR("(known after apply)"));
    else if (v->marks & VALUE_SENSITIVE)
        buf_str(page->out, STR("(sensitive value)"));
    else if (v->marks & VALUE_EPHEMERAL)
        buf_str(page->out, STR("(ephemeral value)"));
    else if (v->kind == VALUE_NULL)
        put_null(page, v->type);
    else if (v->kind == VALUE_BOOL)
        buf_str(page->out, v->truth ? STR("true") : STR("false"));
    else if (v->kind == VALUE_NUMBER)
        buf_str(page->out, hcl_number_text(page->arena, v));
    else if (v->kind == VALUE_STRING && str_find_char(value_text(v), '\n', 0) != SIZE_MAX)
        put_heredoc(page->out, value_text(v), indent);
    else if (v->kind == VALUE_STRING)
        quote_go(page->out, value_text(v));
    else if (depth_left)
        put_collection(page, v, indent, depth_left - 1);
    else
        buf_str(page->out, STR("..."));
}

void hcl_console_value(struct arena *arena, struct buf *out, const struct value *v)
{
    const struct page page = {arena, out};
    put_value(&page, v, 0, VALUE_DEPTH_MAX);
}

/* --- types --- */

static void put_type(struct buf *out, const struct type *type, unsigned indent,
                     unsigned depth_left);

static bool is_structural(const struct type *type)
{
    return type->kind == TYPE_OBJECT || type->kind == TYPE_TUPLE;
}

static void put_structure(struct buf *out, const struct type *type, unsigned indent,
                          unsigned depth_left)
{
    bool object = type->kind == TYPE_OBJECT;
    buf_str(out, object ? STR("object({") : STR("tuple(["));
    for (uint32_t i = 0; i < type->n; i++) {
        buf_str(out, i ? STR("") : STR("\n"));
        put_blanks(out, (indent + 1) * 4);
        if (object)
            buf_printf(out, "%s: ", type->members[i].key->text);
        put_type(out, object ? type->members[i].type : type->items[i], indent + 1, depth_left);
        buf_str(out, STR(",\n"));
    }
    if (type->n)
        put_blanks(out, indent * 4);
    buf_str(out, object ? STR("})") : STR("])"));
}

/* What stands in a collection is set off where it has lines of its own. */
static void put_element(struct buf *out, const struct type *elem, unsigned indent,
                        unsigned depth_left)
{
    bool complex = is_structural(elem);
    if (complex) {
        buf_char(out, '\n');
        put_blanks(out, (indent + 1) * 4);
    }
    put_type(out, elem, indent + complex, depth_left);
    if (complex) {
        buf_str(out, STR(",\n"));
        put_blanks(out, indent * 4);
    }
    buf_char(out, ')');
}

static void put_type(struct buf *out, const struct type *type, unsigned indent, unsigned depth_left)
{
    static const char *const names[] = {
        [TYPE_DYNAMIC] = "dynamic", [TYPE_BOOL] = "bool",  [TYPE_NUMBER] = "number",
        [TYPE_STRING] = "string",   [TYPE_LIST] = "list(", [TYPE_SET] = "set(",
        [TYPE_MAP] = "map("};
    if (depth_left == 0)
        buf_str(out, STR("..."));
    else if (is_structural(type))
        put_structure(out, type, indent, depth_left - 1);
    else if ((size_t)type->kind < sizeof names / sizeof *names)
        buf_str(out, str_from(names[type->kind]));
    if (depth_left && (type->kind == TYPE_LIST || type->kind == TYPE_SET || type->kind == TYPE_MAP))
        put_element(out, type->elem, indent, depth_left - 1);
}

void hcl_console_type(struct buf *out, const struct type *type)
{
    put_type(out, type, 0, TYPE_DEPTH_MAX);
}

/* secrets.c - marks beside values, collected as texts; and texts looked through for them. */
#include "policy/secrets.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "policy/document.h"
#include "wire/json.h"

enum {
    ANYWHERE_LEAST = 5, /* shorter ones are hidden as whole words: "abc" is part of many */
    LINE_LEAST = 8,     /* a line of a longer secret */
    SECRETS_MAX = 1000000
};

struct secrets {
    struct arena *arena;
    struct str *text; /* longest first */
    size_t n, room;
    bool full, too_many;
};

static void add(struct secrets *s, struct str text)
{
    s->too_many = s->too_many || s->n == SECRETS_MAX;
    if (!text.len || s->too_many)
        return;
    struct str *grown = arena_grow(s->arena, s->text, s->n, &s->room, s->n + 1);
    s->full = s->full || !grown;
    if (!grown)
        return;
    s->text = grown;
    grown[s->n++] = text;
}

/* As it is, as JSON has it between quotes, and line by line: a key is printed in many ways. */
static void add_text(struct secrets *s, struct str text)
{
    AUTO_BUF quoted = {.limit = BUF_DEFAULT_LIMIT};
    struct str line, rest = text;
    add(s, text);
    json_quote(&quoted, text);
    struct str inside = str_sub(buf_view(&quoted), 1, quoted.len ? quoted.len - 1 : 0);
    if (!str_equal(inside, text))
        add(s, arena_dup(s->arena, inside));
    if (str_find_char(text, '\n', 0) == SIZE_MAX)
        return;
    for (bool more = true; more;) {
        more = str_cut(&rest, '\n', &line);
        line = str_trim(line);
        if (line.len >= LINE_LEAST)
            add(s, line);
    }
}

static int base64_digit(char c)
{
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

/* What `data` of a Secret stands for. */
static void add_decoded(struct secrets *s, struct str text)
{
    char *out = arena_new_raw(s->arena, char, text.len + 1);
    unsigned bits = 0, word = 0;
    size_t n = 0;
    s->full = s->full || !out;
    for (size_t i = 0; out && i < text.len && text.ptr[i] != '='; i++) {
        int digit = base64_digit(text.ptr[i]);
        if (digit < 0)
            continue;
        word = word << 6 | (unsigned)digit;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[n++] = (char)(word >> bits & 0xff);
        }
    }
    if (n)
        add_text(s, (struct str){out, n});
}

/* All that is below a value: of a mark, or of a Secret. */
static void add_all(struct secrets *s, const struct value *v, bool base64, unsigned depth_left)
{
    if (!v || depth_left == 0)
        return;
    if (v->kind == VALUE_STRING) {
        add_text(s, value_text(v));
        if (base64)
            add_decoded(s, value_text(v));
    } else if (v->kind == VALUE_NUMBER) {
        add(s, v->form == NUMBER_INT ? arena_printf(s->arena, "%lld", (long long)v->integer)
                                     : value_text(v));
    }
    for (uint32_t i = 0; value_is_object_like(v) && i < v->len; i++)
        add_all(s, &v->members[i].value, base64, depth_left - 1);
    for (uint32_t i = 0; value_is_list_like(v) && i < v->len; i++)
        add_all(s, &v->items[i], base64, depth_left - 1);
}

/* marks: true where all of the value is secret, else collections alike with marks in them. */
static void add_marked(struct secrets *s, const struct value *v, const struct value *marks,
                       unsigned depth_left)
{
    if (!v || !marks || depth_left == 0)
        return;
    if (marks->kind == VALUE_BOOL && marks->truth) {
        add_all(s, v, false, depth_left);
        return;
    }
    for (uint32_t i = 0; value_is_object_like(marks) && i < marks->len; i++)
        add_marked(s, value_get(v, key_str(marks->members[i].key)), &marks->members[i].value,
                   depth_left - 1);
    for (uint32_t i = 0;
         value_is_list_like(marks) && value_is_list_like(v) && i < marks->len && i < v->len; i++)
        add_marked(s, &v->items[i], &marks->items[i], depth_left - 1);
}

/* --- plans and states: marks stand beside what they mark --- */

static const struct {
    struct str value, marks;
} pairs[] = {
    {STR_INIT("before"), STR_INIT("before_sensitive")},
    {STR_INIT("after"), STR_INIT("after_sensitive")},
    {STR_INIT("values"), STR_INIT("sensitive_values")},
    {STR_INIT("value"), STR_INIT("sensitive")}, /* outputs */
};

/* A path of a state file: [{"type": "get_attr", "value": "password"}, ...]. */
static void add_attribute(struct secrets *s, const struct value *attributes,
                          const struct value *path)
{
    for (uint32_t i = 0; attributes && value_is_list_like(path) && i < path->len; i++) {
        const struct value *step = &path->items[i];
        const struct value *key = value_get(step, STR("value"));
        int64_t at;
        if (key && value_is_object_like(key) && value_get(key, STR("value")))
            key = value_get(key, STR("value"));
        if (value_is_string(key))
            attributes = value_get(attributes, value_text(key));
        else if (key && value_to_int64(key, &at) && value_is_list_like(attributes) && at >= 0 &&
                 at < attributes->len)
            attributes = &attributes->items[at];
        else
            break; /* all of it, rather than none */
    }
    add_all(s, attributes, false, VALUE_DEPTH_MAX);
}

static void walk(struct secrets *s, const struct value *v, unsigned depth_left)
{
    if (depth_left == 0)
        return;
    for (size_t i = 0; value_is_object_like(v) && i < sizeof pairs / sizeof *pairs; i++)
        add_marked(s, value_get(v, pairs[i].value), value_get(v, pairs[i].marks), VALUE_DEPTH_MAX);
    const struct value *paths = value_get(v, STR("sensitive_attributes"));
    for (uint32_t i = 0; value_is_list_like(paths) && i < paths->len; i++)
        add_attribute(s, value_get(v, STR("attributes")), &paths->items[i]);
    for (uint32_t i = 0; value_is_object_like(v) && i < v->len; i++)
        walk(s, &v->members[i].value, depth_left - 1);
    for (uint32_t i = 0; value_is_list_like(v) && i < v->len; i++)
        walk(s, &v->items[i], depth_left - 1);
}

/* The values of variables that the configuration calls sensitive. */
static void add_variables(struct secrets *s, const struct value *plan)
{
    const struct value *declared = value_get(
        value_get(value_get(plan, STR("configuration")), STR("root_module")), STR("variables"));
    const struct value *given = value_get(plan, STR("variables"));
    for (uint32_t i = 0; value_is_object_like(declared) && i < declared->len; i++)
        if (value_get_bool(&declared->members[i].value, STR("sensitive"), false))
            add_all(s, value_get(given, key_str(declared->members[i].key)), false, VALUE_DEPTH_MAX);
}

/* --- manifests --- */

static void add_secret_object(struct secrets *s, const struct value *v)
{
    if (!str_equal(value_get_string(v, STR("kind")), STR("Secret")))
        return;
    add_all(s, value_get(v, STR("data")), true, VALUE_DEPTH_MAX);
    add_all(s, value_get(v, STR("stringData")), false, VALUE_DEPTH_MAX);
}

static int longest_first(const void *a, const void *b)
{
    const struct str *x = a, *y = b;
    if (x->len != y->len)
        return x->len > y->len ? -1 : 1;
    return str_compare(*x, *y);
}

bool secrets_find(struct arena *arena, const struct document *document, struct secrets **ret,
                  struct err *err)
{
    struct secrets *s = arena_new(arena, struct secrets, 1);
    const struct value *root = document->root, *request = value_get(root, STR("request"));
    if (!s)
        return arena_full(arena, err);
    s->arena = arena;
    switch (document->kind) {
    case DOCUMENT_PLAN:
        add_variables(s, root);
        walk(s, root, VALUE_DEPTH_MAX);
        break;
    case DOCUMENT_STATE:
    case DOCUMENT_RAW_STATE:
        walk(s, root, VALUE_DEPTH_MAX);
        break;
    case DOCUMENT_REVIEW:
        add_secret_object(s, value_get(request, STR("object")));
        add_secret_object(s, value_get(request, STR("oldObject")));
        break;
    default:
        add_secret_object(s, root);
        break;
    }
    if (s->full)
        return arena_full(arena, err);
    if (s->too_many) /* one that is not looked for may be told */
        return err_set(err, ERR_LIMIT, "more than %d secrets in one document", SECRETS_MAX);
    size_t kept = 0;
    if (s->n)
        qsort(s->text, s->n, sizeof *s->text, longest_first);
    for (size_t i = 0; i < s->n; i++)
        if (!kept || !str_equal(s->text[kept - 1], s->text[i]))
            s->text[kept++] = s->text[i];
    s->n = kept;
    *ret = s;
    return true;
}

/* --- looking through --- */

static bool is_word(struct str text, size_t at)
{
    if (at >= text.len)
        return false;
    char c = text.ptr[at];
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static size_t find(struct str text, struct str secret, size_t from)
{
    for (size_t at; (at = str_find(text, secret, from)) != SIZE_MAX; from = at + 1) {
        bool inside = (at && is_word(text, at - 1) && is_word(text, at)) ||
                      (is_word(text, at + secret.len - 1) && is_word(text, at + secret.len));
        if (secret.len >= ANYWHERE_LEAST || !inside)
            return at;
    }
    return SIZE_MAX;
}

bool secrets_tells(const struct secrets *secrets, struct str text)
{
    for (size_t i = 0; i < secrets->n; i++)
        if (find(text, secrets->text[i], 0) != SIZE_MAX)
            return true;
    return false;
}

static void replace(struct buf *out, struct str text, struct str secret)
{
    size_t from = 0;
    for (size_t at; (at = find(text, secret, from)) != SIZE_MAX; from = at + secret.len) {
        buf_str(out, str_sub(text, from, at));
        buf_str(out, STR("(sensitive)"));
    }
    buf_str(out, str_sub(text, from, text.len));
}

bool secrets_hide(const struct secrets *secrets, struct arena *arena, struct str text,
                  struct str *ret, struct err *err)
{
    for (size_t i = 0; i < secrets->n; i++) {
        AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
        if (str_equal(secrets->text[i], STR("sensitive")) ||
            find(text, secrets->text[i], 0) == SIZE_MAX)
            continue;
        replace(&out, text, secrets->text[i]);
        if (!buf_ok(&out, err))
            return false;
        text = arena_dup(arena, buf_view(&out));
        if (!text.ptr)
            return arena_full(arena, err);
    }
    *ret = text;
    return true;
}

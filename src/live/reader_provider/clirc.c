/* clirc.c - tokens to items (key, label, text or children), items to struct clirc. */
#include "live/reader_provider/clirc.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "lang/hcl/hcl.h"

/* One `key = "text"`, `key = ["a", "b"]` or `key "label" { ... }`. */
struct item {
    struct str key, label, text;
    struct item *children; /* of a block, or the elements of a list (key empty) */
    size_t n, room;
};
struct cursor {
    struct arena *arena;
    const struct hcl_file *file;
    const struct hcl_token *at;
    const char *(*env)(const char *name);
    size_t items_left;
};

static bool fail(const struct cursor *in, struct err *err, const char *want)
{
    uint32_t line = 0, column = 0;
    hcl_place(in->file->text, in->at->range.start, &line, &column);
    return err_set(err, ERR_SYNTAX, "%.*s:%u:%u: %s", STR_ARG(in->file->name), line, column, want);
}

static struct str token_text(const struct cursor *in)
{
    return str_sub(in->file->text, in->at->range.start, in->at->range.end);
}

static void skip_blank(struct cursor *in)
{
    while (in->at->kind == HCL_NEWLINE || in->at->kind == HCL_COMMENT || in->at->kind == HCL_COMMA)
        in->at++;
}

/* The value of $NAME or ${NAME} at text[at]; how many bytes it took (0 = not a variable). */
static size_t put_variable(struct buf *out, struct str text, size_t at,
                           const char *(*env)(const char *name))
{
    char name[128];
    size_t brace = at + 1 < text.len && text.ptr[at + 1] == '{', from = at + 1 + brace, n = 0;
    while (from + n < text.len && n < sizeof name - 1) {
        char c = text.ptr[from + n];
        bool word = c == '_' || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
        if (!word)
            break;
        name[n++] = c;
    }
    name[n] = '\0';
    if (n == 0 || (brace && (from + n >= text.len || text.ptr[from + n] != '}')))
        return 0;
    const char *value = env ? env(name) : NULL;
    buf_str(out, str_from(value));
    return 1 + brace + n + brace;
}

/* From the opening quote to the closing one: escapes undone, variables put in. */
static bool read_string(struct cursor *in, struct str *ret, struct err *err)
{
    size_t start = in->at->range.end, depth = 1;
    while (depth) {
        in->at++;
        if (in->at->kind == HCL_EOF || in->at->kind == HCL_BAD_NEWLINE)
            return fail(in, err, "a string without its closing quote");
        depth += in->at->kind == HCL_OQUOTE;
        depth -= in->at->kind == HCL_CQUOTE;
    }
    struct str raw = str_sub(in->file->text, start, in->at->range.start);
    AUTO_BUF text = {.limit = 1 << 16};
    for (size_t i = 0; i < raw.len;) {
        size_t took = raw.ptr[i] == '$' ? put_variable(&text, raw, i, in->env) : 0;
        if (took == 0 && raw.ptr[i] == '\\' && i + 1 < raw.len)
            i++; /* \" and \\ are what paths need */
        if (took == 0)
            buf_char(&text, raw.ptr[i]);
        i += took ? took : 1;
    }
    in->at++;
    if (!buf_ok(&text, err))
        return false;
    *ret = arena_dup(in->arena, buf_view(&text));
    return ret->ptr || arena_full(in->arena, err);
}

static bool read_word(struct cursor *in, struct str *ret, struct err *err)
{
    if (in->at->kind == HCL_OQUOTE)
        return read_string(in, ret, err);
    if (in->at->kind != HCL_IDENT && in->at->kind != HCL_NUMBER)
        return fail(in, err, "expected a name or a value");
    *ret = token_text(in);
    in->at++;
    return true;
}

static bool read_body(struct cursor *in, enum hcl_token_kind end, struct item *into,
                      unsigned depth_left, struct err *err);

static struct item *add_child(struct cursor *in, struct item *into, struct err *err)
{
    if (in->items_left == 0) {
        (void)fail(in, err, "too many settings");
        return NULL;
    }
    in->items_left--;
    into->children = arena_grow(in->arena, into->children, into->n, &into->room, into->n + 1);
    if (!into->children) {
        (void)arena_full(in->arena, err);
        return NULL;
    }
    struct item *child = &into->children[into->n++];
    memset(child, 0, sizeof *child);
    return child;
}

static bool read_list(struct cursor *in, struct item *into, struct err *err)
{
    for (skip_blank(in); in->at->kind != HCL_CBRACK; skip_blank(in)) {
        struct item *child = add_child(in, into, err);
        if (!child || !read_word(in, &child->text, err))
            return false;
    }
    in->at++;
    return true;
}

static bool read_value(struct cursor *in, struct item *into, unsigned depth_left, struct err *err)
{
    if (in->at->kind == HCL_OBRACK) {
        in->at++;
        return read_list(in, into, err);
    }
    if (in->at->kind == HCL_OBRACE) {
        in->at++;
        return read_body(in, HCL_CBRACE, into, depth_left, err);
    }
    return read_word(in, &into->text, err);
}

static bool read_item(struct cursor *in, struct item *item, unsigned depth_left, struct err *err)
{
    if (!read_word(in, &item->key, err))
        return false;
    if (in->at->kind == HCL_ASSIGN || in->at->kind == HCL_COLON) {
        in->at++;
        return read_value(in, item, depth_left, err);
    }
    while (in->at->kind == HCL_OQUOTE || in->at->kind == HCL_IDENT)
        if (!read_word(in, &item->label, err))
            return false;
    if (in->at->kind != HCL_OBRACE)
        return fail(in, err, "expected \"=\" or \"{\"");
    in->at++;
    return read_body(in, HCL_CBRACE, item, depth_left, err);
}

static bool read_body(struct cursor *in, enum hcl_token_kind end, struct item *into,
                      unsigned depth_left, struct err *err)
{
    if (depth_left == 0)
        return fail(in, err, "blocks nested too deep");
    for (skip_blank(in); in->at->kind != end; skip_blank(in)) {
        struct item *child = add_child(in, into, err);
        if (!child || !read_item(in, child, depth_left - 1, err))
            return false;
    }
    if (end != HCL_EOF)
        in->at++;
    return true;
}

static bool take_list(struct arena *arena, const struct item *item, const struct str **ret,
                      size_t *ret_n)
{
    struct str *list = arena_new(arena, struct str, item->n);
    for (size_t i = 0; list && i < item->n; i++)
        list[i] = item->children[i].text;
    *ret = list;
    *ret_n = list ? item->n : 0;
    return list != NULL;
}

static bool take_mirror(struct arena *arena, const struct item *block, struct clirc *ret)
{
    struct clirc_mirror mirror = {0},
                        *all = arena_new(arena, struct clirc_mirror, ret->nmirrors + 1);
    if (!all)
        return false;
    for (size_t i = 0; i < block->n; i++) {
        const struct item *item = &block->children[i];
        if (str_equal(item->key, STR("path")))
            mirror.path = item->text;
        else if (str_equal(item->key, STR("include")) &&
                 !take_list(arena, item, &mirror.include, &mirror.ninclude))
            return false;
        else if (str_equal(item->key, STR("exclude")) &&
                 !take_list(arena, item, &mirror.exclude, &mirror.nexclude))
            return false;
    }
    for (size_t i = 0; i < ret->nmirrors; i++)
        all[i] = ret->mirrors[i];
    all[ret->nmirrors] = mirror;
    ret->mirrors = all;
    ret->nmirrors += mirror.path.len > 0;
    return true;
}

static bool take_overrides(struct arena *arena, const struct item *block, struct clirc *ret)
{
    struct clirc_override *all =
        arena_new(arena, struct clirc_override, ret->noverrides + block->n);
    if (!all)
        return false;
    for (size_t i = 0; i < ret->noverrides; i++)
        all[i] = ret->overrides[i];
    for (size_t i = 0; i < block->n; i++)
        all[ret->noverrides + i] =
            (struct clirc_override){block->children[i].key, block->children[i].text};
    ret->overrides = all;
    ret->noverrides += block->n;
    return true;
}

static bool take_installation(struct arena *arena, const struct item *block, struct clirc *ret)
{
    for (size_t i = 0; i < block->n; i++) {
        const struct item *item = &block->children[i];
        if (str_equal(item->key, STR("filesystem_mirror")) && !take_mirror(arena, item, ret))
            return false;
        if (str_equal(item->key, STR("dev_overrides")) && !take_overrides(arena, item, ret))
            return false;
    }
    return true;
}

bool clirc_parse(struct arena *arena, struct str text, const char *name,
                 const char *(*env)(const char *name), struct clirc *ret, struct err *err)
{
    struct hcl_diags diags = {.arena = arena};
    struct hcl_file file = {0};
    struct clirc got = *ret;
    if (!hcl_parse_file(arena, text, str_from(name), &diags, &file, err))
        return false;

    struct item root = {0};
    struct cursor in = {arena, &file, file.token, env, CLIRC_ITEMS_MAX};
    if (!read_body(&in, HCL_EOF, &root, CLIRC_DEPTH_MAX, err))
        return false;
    for (size_t i = 0; i < root.n; i++) {
        const struct item *item = &root.children[i];
        if (str_equal(item->key, STR("plugin_cache_dir")))
            got.plugin_cache_dir = item->text;
        else if (str_equal(item->key, STR("provider_installation")) &&
                 !take_installation(arena, item, &got))
            return arena_full(arena, err);
    }
    *ret = got;
    return true;
}

bool clirc_source_matches(struct str pattern, struct str source)
{
    struct str part[3], want[3], rest = pattern;
    size_t n = 0;
    for (; n < 3 && rest.len; n++)
        (void)str_cut(&rest, '/', &part[n]);
    for (size_t i = 0; i < 3; i++)
        (void)str_cut(&source, '/', &want[i]);
    if (rest.len)
        return false;
    for (size_t i = 0; i < n; i++) /* NS/TYPE leaves the host open */
        if (!str_equal(part[i], STR("*")) && !str_equal(part[i], want[3 - n + i]))
            return false;
    return n > 0;
}

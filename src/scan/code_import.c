/* code_import.c - import blocks: the addresses and ids that they give, each for_each expanded. */
#include "base/buf.h"
#include "base/err.h"
#include "lang/hcl/encode.h"
#include "lang/hcl/eval.h"
#include "scan/code_parts.h"

struct importing {
    struct scan_code *code;
    struct scan_import *list;
    size_t n, room;
};

static struct str source_of(const struct code_expr *expr)
{
    if (!expr->expr || !expr->file)
        return STR("");
    return str_sub(expr->file->text, expr->expr->range.start, expr->expr->range.end);
}

/* In JSON syntax an address is a string. */
static struct str address_of(const struct code_expr *expr)
{
    struct str text = str_trim(source_of(expr));
    bool quoted = expr->file && expr->file->json && text.len >= 2 && text.ptr[0] == '"';
    return quoted ? str_sub(text, 1, text.len - 1) : text;
}

static bool add(struct importing *in, struct str address, const struct value *id, struct err *err)
{
    struct arena *arena = &in->code->arena;
    if (!value_is_string(id) || !id->len)
        return true; /* not known, or given by identity: nothing can be asked */
    in->list = arena_grow(arena, in->list, in->n, &in->room, in->n + 1);
    if (!in->list)
        return arena_full(arena, err);
    in->list[in->n++] = (struct scan_import){arena_dup(arena, address), value_text(id)};
    return in->list[in->n - 1].address.ptr || arena_full(arena, err);
}

/* The key of `to`, as text between its last brackets; false: it has none. */
static bool cut_key(struct str to, struct str *ret_resource, struct str *ret_key)
{
    size_t open = SIZE_MAX;
    if (!str_ends(to, STR("]")))
        return false;
    unsigned depth = 0;
    for (size_t i = to.len; i-- > 0 && open == SIZE_MAX;) {
        depth += to.ptr[i] == ']';
        depth -= to.ptr[i] == '[';
        if (depth == 0)
            open = i;
    }
    if (open == SIZE_MAX)
        return false;
    *ret_resource = str_sub(to, 0, open);
    *ret_key = str_sub(to, open + 1, to.len - 1);
    return true;
}

static struct str with_key(struct arena *arena, struct str resource, const struct value *key)
{
    AUTO_BUF quoted = {.limit = 1 << 20};
    int64_t index;
    if (value_to_int64(key, &index))
        return arena_printf(arena, "%.*s[%lld]", STR_ARG(resource), (long long)index);
    if (!value_is_string(key))
        return (struct str){0};
    hcl_quote(&quoted, value_text(key));
    return arena_printf(arena, "%.*s[%.*s]", STR_ARG(resource), STR_ARG(buf_view(&quoted)));
}

/* [[ID, KEY], ...] by the code itself: one for each element of for_each, in which `each` is bound.
 */
static bool evaluate(struct importing *in, const struct code_import *block, struct str key,
                     struct value *ret, struct err *err)
{
    struct arena *arena = &in->code->arena;
    struct str id = source_of(&block->id), each = source_of(&block->for_each);
    const struct hcl_diags *diags;
    struct str text =
        each.len ? arena_printf(arena,
                                "[for each in [for k, v in %.*s : {key = k, value = v}] : [%.*s, "
                                "%.*s]]",
                                STR_ARG(each), STR_ARG(id), STR_ARG(key))
                 : arena_printf(arena, "[[%.*s, %.*s]]", STR_ARG(id), STR_ARG(key));
    *ret = value_null();
    if (!text.ptr)
        return arena_full(arena, err);
    if (!code_eval_text(in->code->code, text, ret, &diags, err))
        return false;
    if (hcl_has_errors(diags))
        *ret = value_null();
    return true;
}

static bool take_block(struct importing *in, const struct code_import *block, struct err *err)
{
    struct str to = address_of(&block->to), resource = to, key = STR("null");
    struct value rows;
    bool keyed = cut_key(to, &resource, &key);
    if (!source_of(&block->id).len || !to.len)
        return true;
    if (!evaluate(in, block, key, &rows, err))
        return false;
    for (uint32_t i = 0; value_is_list_like(&rows) && i < rows.len; i++) {
        const struct value *row = &rows.items[i];
        if (!value_is_list_like(row) || row->len != 2)
            continue;
        struct str address =
            keyed ? with_key(&in->code->arena, resource, &row->items[1]) : resource;
        if (address.ptr && !add(in, address, &row->items[0], err))
            return false;
    }
    return true;
}

bool scan_code_imports(struct scan_code *code, const struct scan_import **ret, size_t *ret_n,
                       struct err *err)
{
    const struct code_module *root = code_root_module(code->code);
    struct importing in = {.code = code};
    for (size_t i = 0; i < root->nimports; i++)
        if (!take_block(&in, &root->imports[i], err))
            return false;
    *ret = in.list;
    *ret_n = in.n;
    return true;
}

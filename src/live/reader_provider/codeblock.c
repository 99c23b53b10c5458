/* codeblock.c - provider blocks found by local name and alias, their constants taken out. */
#include "live/reader_provider/codeblock.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "lang/hcl/hcl.h"
#include "live/reader.h"
#include "model/stack.h"
#include "wire/json.h"

enum { BLOCK_DEPTH_MAX = 16, MEMBERS_MAX = 1000, INCOMPLETE_MAX = 300 };

struct finder {
    struct arena *arena;
    const struct settings_key *key;
    struct str alias;      /* without an instance key */
    struct str local_name; /* of the provider in this module */
    const struct hcl_file *files;
    size_t nfiles;
    struct value values; /* object so far, or null */
    struct str from;     /* "main.tf:3" of the first block */
    struct buf incomplete;
};

static void miss(struct finder *in, const struct hcl_file *file, struct hcl_range range,
                 struct str name)
{
    uint32_t line = 0, column = 0;
    if (in->incomplete.len > INCOMPLETE_MAX)
        return;
    hcl_place(file->text, range.start, &line, &column);
    buf_printf(&in->incomplete, "%s%.*s at %.*s:%u", in->incomplete.len ? ", " : "", STR_ARG(name),
               STR_ARG(io_basename(file->name)), line);
}

/* --- local names --- */

/* "hashicorp/aws" and "HOST/hashicorp/aws" and "aws" of required_providers. */
static bool names_source(struct str text, struct str source)
{
    size_t slashes = 0;
    for (size_t i = 0; i < text.len; i++)
        slashes += text.ptr[i] == '/';
    if (slashes == 2)
        return str_equal(text, source);
    struct str rest = source, part;
    (void)str_cut(&rest, '/', &part);
    if (slashes == 1)
        return str_equal(text, rest);
    return str_starts(rest, STR("hashicorp/")) && str_equal(text, io_basename(rest));
}

static void take_local_name(struct finder *in, const struct hcl_body *required)
{
    for (size_t i = 0; i < required->nattributes; i++) {
        const struct hcl_attribute *attribute = &required->attribute[i];
        struct value v;
        if (!hcl_static_value(in->arena, attribute->value, &v))
            continue;
        struct str source = value_get_string(&v, STR("source"));
        if (source.len && names_source(source, in->key->source))
            in->local_name = attribute->name;
        else if (source.len && str_equal(attribute->name, in->local_name))
            in->local_name = (struct str){0}; /* that name means another provider here */
    }
}

static void find_local_name(struct finder *in)
{
    in->local_name = io_basename(in->key->source);
    for (size_t i = 0; i < in->nfiles; i++) {
        const struct hcl_block *terraform, *required;
        size_t at = 0;
        while ((terraform = hcl_find_block(&in->files[i].body, STR("terraform"), &at))) {
            size_t inner = 0;
            while ((required = hcl_find_block(&terraform->body, STR("required_providers"), &inner)))
                take_local_name(in, &required->body);
        }
    }
}

/* --- blocks to values --- */

/* One member more, or another value for one that is there. */
static bool put(struct finder *in, struct value *object, struct str name, struct value v,
                struct err *err)
{
    struct value_member *members = arena_new(in->arena, struct value_member, object->len + 1);
    if (!members || object->len >= MEMBERS_MAX)
        return arena_full(in->arena, err);
    size_t n = 0;
    for (uint32_t i = 0; i < object->len; i++)
        if (!str_equal(key_str(object->members[i].key), name))
            members[n++] = object->members[i];
    members[n].key = key_make(in->arena, name);
    members[n].value = v;
    if (!members[n].key)
        return arena_full(in->arena, err);
    return value_members(VALUE_OBJECT, members, n + 1, object, NULL, err);
}

/* Blocks of one type become a tuple of objects. */
static bool put_block(struct finder *in, struct value *object, struct str name, struct value block,
                      struct err *err)
{
    const struct value *before = value_get(object, name);
    uint32_t n = before ? before->len : 0;
    struct value *items = arena_new(in->arena, struct value, n + 1);
    if (!items)
        return arena_full(in->arena, err);
    if (n)
        memcpy(items, before->items, n * sizeof *items);
    items[n] = block;
    return put(in, object, name, value_items(VALUE_TUPLE, items, n + 1), err);
}

static bool is_meta(struct str name)
{
    return str_equal(name, STR("alias")) || str_equal(name, STR("version")) ||
           str_equal(name, STR("for_each"));
}

static bool take_body(struct finder *in, const struct hcl_file *file, const struct hcl_body *body,
                      bool top, unsigned depth_left, struct value *object, struct err *err)
{
    for (size_t i = 0; i < body->nattributes; i++) {
        const struct hcl_attribute *attribute = &body->attribute[i];
        struct value v;
        if (top && is_meta(attribute->name))
            continue;
        if (!hcl_static_value(in->arena, attribute->value, &v))
            miss(in, file, attribute->range, attribute->name);
        else if (!put(in, object, attribute->name, v, err))
            return false;
    }
    for (size_t i = 0; i < body->nblocks; i++) {
        const struct hcl_block *block = &body->block[i];
        struct value inner = {.kind = VALUE_OBJECT};
        if (block->nlabels || depth_left == 0) {
            miss(in, file, block->range, block->type); /* dynamic blocks among them */
            continue;
        }
        if (!take_body(in, file, &block->body, false, depth_left - 1, &inner, err) ||
            !put_block(in, object, block->type, inner, err))
            return false;
    }
    return true;
}

/* Is it this configuration's block? One whose alias is no constant is not. */
static bool is_ours(const struct finder *in, const struct hcl_block *block)
{
    const struct hcl_attribute *alias = hcl_find_attribute(&block->body, STR("alias"));
    struct value v;
    if (block->nlabels != 1 || !str_equal(block->label[0].text, in->local_name))
        return false;
    if (!alias)
        return in->alias.len == 0;
    return hcl_static_value(in->arena, alias->value, &v) && value_is_string(&v) &&
           str_equal(value_text(&v), in->alias);
}

static bool take_blocks(struct finder *in, const struct hcl_file *file, struct err *err)
{
    const struct hcl_block *block;
    size_t at = 0;
    while ((block = hcl_find_block(&file->body, STR("provider"), &at))) {
        if (!is_ours(in, block))
            continue;
        if (in->values.kind == VALUE_NULL) {
            uint32_t line = 0, column = 0;
            hcl_place(file->text, block->range.start, &line, &column);
            in->from = arena_printf(in->arena, "%.*s:%u", STR_ARG(io_basename(file->name)), line);
            in->values = (struct value){.kind = VALUE_OBJECT};
        }
        if (!take_body(in, file, &block->body, true, BLOCK_DEPTH_MAX, &in->values, err))
            return false;
    }
    return true;
}

/* --- files --- */

static bool is_override(struct str stem)
{
    return str_equal(stem, STR("override")) || str_ends(stem, STR("_override"));
}

/* NAME of NAME.tf or NAME.tofu; empty for anything else, and for NAME.tf beside NAME.tofu. */
static struct str stem_of(struct arena *arena, struct str dir, struct str name)
{
    if (str_starts(name, STR(".")) || str_ends(name, STR("~")))
        return (struct str){0};
    if (str_ends(name, STR(".tofu")))
        return str_sub(name, 0, name.len - 5);
    if (!str_ends(name, STR(".tf")))
        return (struct str){0};
    struct str stem = str_sub(name, 0, name.len - 3);
    struct str twin = arena_printf(arena, "%.*s/%.*s.tofu", STR_ARG(dir), STR_ARG(stem));
    return twin.ptr && io_exists(twin.ptr) ? (struct str){0} : stem;
}

/* Files that can be read as far as they can be read; the first that cannot makes it incomplete. */
static bool read_files(struct finder *in, struct str dir, struct hcl_file **ret, size_t *ret_n,
                       struct err *err)
{
    struct str *names = NULL;
    size_t n = 0, kept = 0;
    if (!io_list_dir(in->arena, dir.ptr, CODE_FILES_MAX, &names, &n, err))
        return false;
    struct hcl_file *files = arena_new(in->arena, struct hcl_file, n);
    if (!files)
        return arena_full(in->arena, err);
    for (int override = 0; override < 2; override++)
        for (size_t i = 0; i < n; i++) {
            struct hcl_diags diags = {.arena = in->arena};
            struct str stem = stem_of(in->arena, dir, names[i]), text;
            struct str path = io_join(in->arena, dir, names[i]);
            if (!stem.len || is_override(stem) != (override == 1))
                continue;
            bool ok = path.ptr && io_read_file(in->arena, path.ptr, CODE_FILE_MAX, &text, NULL) &&
                      hcl_parse_file(in->arena, text, path, &diags, &files[kept], NULL);
            if ((!ok || hcl_has_errors(&diags)) && in->incomplete.len == 0)
                buf_printf(&in->incomplete, "%.*s cannot be read", STR_ARG(names[i]));
            kept += ok;
        }
    *ret = files;
    *ret_n = kept;
    return true;
}

bool codeblock_read(struct arena *arena, struct str dir, const struct settings_key *key,
                    struct settings *ret, struct err *err)
{
    struct str alias = key->alias, head = alias;
    (void)str_cut(&alias, '[', &head);
    struct finder in = {.arena = arena,
                        .key = key,
                        .alias = head,
                        .values = value_null(),
                        .incomplete = {.limit = 4096}};
    struct hcl_file *files = NULL;
    bool ok = read_files(&in, dir, &files, &in.nfiles, err);
    in.files = files;
    if (ok)
        find_local_name(&in);
    for (size_t i = 0; ok && i < in.nfiles; i++)
        ok = take_blocks(&in, &files[i], err);
    if (ok) {
        struct str incomplete = arena_dup(arena, buf_view(&in.incomplete));
        *ret = (struct settings){.values = in.values,
                                 .from = in.from.len ? in.from : STR("the environment"),
                                 .incomplete = incomplete.len ? incomplete : (struct str){0}};
    }
    buf_free(&in.incomplete);
    return ok;
}

/* --- which directory --- */

/* module.a["k"].module.b -> a.b, as .terraform/modules/modules.json names it. */
static struct str module_key(struct arena *arena, struct str module)
{
    AUTO_BUF out = {.limit = 4096};
    bool quoted = false;
    for (size_t i = 0, depth = 0; i < module.len; i++) {
        char c = module.ptr[i];
        if (c == '"' && (i == 0 || module.ptr[i - 1] != '\\'))
            quoted = !quoted;
        if (!quoted && c == '[')
            depth++;
        if (depth == 0 && str_starts(str_sub(module, i, module.len), STR("module.")) &&
            (i == 0 || module.ptr[i - 1] == '.'))
            i += 6;
        else if (depth == 0)
            buf_char(&out, c);
        if (!quoted && c == ']' && depth)
            depth--;
    }
    return buf_ok(&out, NULL) ? arena_dup(arena, buf_view(&out)) : (struct str){0};
}

/* Where that module's code lies; empty where nobody says. */
static struct str module_dir(struct arena *arena, const struct code_context *context,
                             struct str module)
{
    struct str text, wanted = module_key(arena, module);
    struct value all;
    struct str path = io_join(arena, context->data_dir, STR("modules/modules.json"));
    if (!wanted.ptr || !path.ptr || !io_exists(path.ptr) ||
        !io_read_file(arena, path.ptr, CODE_FILE_MAX, &text, NULL) ||
        !json_parse(arena, text, path.ptr, JSON_DUPLICATES_LAST, &all, NULL))
        return (struct str){0};
    const struct value *list = value_get(&all, STR("Modules"));
    for (uint32_t i = 0; value_is_list_like(list) && i < list->len; i++)
        if (str_equal(value_get_string(&list->items[i], STR("Key")), wanted))
            return io_join(arena, context->root, value_get_string(&list->items[i], STR("Dir")));
    return (struct str){0};
}

bool settings_from_code(void *ctx, struct arena *arena, const struct settings_key *key,
                        const struct schema *schema, struct settings *ret, struct err *err)
{
    const struct code_context *context = ctx;
    struct stack stack = *context->stack;
    struct settings got = {0};
    if (!settings_from_stack(&stack, arena, key, schema, &got, err))
        return false;
    if (got.values.kind == VALUE_NULL && context->options && context->options->provider_config &&
        context->options->provider_config(context->options->ctx, key->text, &got.values, &got.from,
                                          &got.incomplete)) {
        got.typed = got.values.kind != VALUE_NULL;
    } else if (got.values.kind == VALUE_NULL) {
        struct str dir = key->module.len ? module_dir(arena, context, key->module) : context->root;
        if (dir.len == 0 || !io_is_dir(dir.ptr))
            got.incomplete = key->module.len ? arena_printf(arena, "the code of %.*s is not there",
                                                            STR_ARG(key->module))
                                             : (struct str){0};
        else if (!codeblock_read(arena, dir, key, &got, err))
            return false;
    }
    *ret = got;
    return true;
}

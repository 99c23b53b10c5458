/* module.c - the files of a module directory, each decoded, and names found in the result. */
#include "desired/module.h"

#include <string.h>

#include "base/err.h"
#include "base/io.h"
#include "desired/module_parts.h"

enum { NAMES_MAX = 100000 };

/* --- which files --- */

struct source_file {
    struct str name; /* in its folder */
    bool json, tofu, override;
};

/* *.tf, *.tf.json, and with OpenTofu *.tofu, *.tofu.json; hidden and editors' files are not. */
static bool classify(struct str name, bool opentofu, struct source_file *ret)
{
    static const struct {
        struct str suffix;
        bool json, tofu;
    } suffixes[] = {{STR_INIT(".tf"), false, false},
                    {STR_INIT(".tf.json"), true, false},
                    {STR_INIT(".tofu"), false, true},
                    {STR_INIT(".tofu.json"), true, true}};
    if (str_starts(name, STR(".")) || str_ends(name, STR("~")) ||
        (str_starts(name, STR("#")) && str_ends(name, STR("#"))))
        return false;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        if (!str_ends(name, suffixes[i].suffix) || (suffixes[i].tofu && !opentofu))
            continue;
        struct str base = str_sub(name, 0, name.len - suffixes[i].suffix.len);
        *ret = (struct source_file){name, suffixes[i].json, suffixes[i].tofu,
                                    str_equal(base, STR("override")) ||
                                        str_ends(base, STR("_override"))};
        return true;
    }
    return false;
}

/* X.tofu hides X.tf, X.tofu.json hides X.tf.json. */
static bool is_hidden(const struct source_file *file, const struct source_file *all, size_t n)
{
    if (file->tofu)
        return false;
    size_t base = file->name.len - (file->json ? 8 : 3); /* .tf.json, .tf */
    for (size_t i = 0; i < n; i++)
        if (all[i].tofu && all[i].json == file->json && all[i].name.len == file->name.len + 2 &&
            !memcmp(all[i].name.ptr, file->name.ptr, base))
            return true;
    return false;
}

/* --- one file --- */

/* A file may have 10,000 resources, and a list that doubles leaves as many behind. */
static void make_room(struct code_decoder *d, const struct hcl_content *content,
                      struct code_parts *parts)
{
    size_t n = 0;
    for (size_t i = 0; i < content->nblocks; i++)
        n += content->block[i].nlabels == 2;
    parts->resources.item = n ? arena_new_raw(d->arena, struct part_resource, n) : NULL;
    parts->resources.room = parts->resources.item ? n : 0;
}

static void decode_file(struct code_decoder *d, struct code_parts *parts)
{
    static const struct hcl_block_spec blocks[] = {
        {STR_INIT("terraform"), {0}},
        {STR_INIT("required_providers"), {0}},
        {STR_INIT("provider"), {"name"}},
        {STR_INIT("variable"), {"name"}},
        {STR_INIT("locals"), {0}},
        {STR_INIT("output"), {"name"}},
        {STR_INIT("module"), {"name"}},
        {STR_INIT("resource"), {"type", "name"}},
        {STR_INIT("data"), {"type", "name"}},
        {STR_INIT("ephemeral"), {"type", "name"}},
        {STR_INIT("moved"), {0}},
        {STR_INIT("removed"), {0}},
        {STR_INIT("import"), {0}},
        {STR_INIT("check"), {"name"}},
    };
    static void (*const decode[])(struct code_decoder *, const struct hcl_block *,
                                  struct code_parts *) = {
        code_decode_terraform, NULL,
        code_decode_provider,  code_decode_variable,
        code_decode_locals,    code_decode_output,
        code_decode_call,      code_decode_resource,
        code_decode_data,      code_decode_ephemeral,
        code_decode_moved,     code_decode_removed,
        code_decode_import,    code_decode_check,
    };
    enum { NBLOCKS = sizeof blocks / sizeof *blocks };
    static_assert(NBLOCKS == sizeof decode / sizeof *decode, "one decoder for each kind of block");
    static const struct hcl_body_spec spec = {NULL, 0, blocks, NBLOCKS, NULL};
    struct hcl_content content = code_content(d, &d->file->body, &spec, false);
    make_room(d, &content, parts);
    for (size_t i = 0; i < content.nblocks && !d->full; i++) {
        const struct hcl_block *block = &content.block[i];
        size_t kind = 0;
        while (!str_equal(block->type, blocks[kind].type))
            kind++;
        if (decode[kind])
            decode[kind](d, block, parts);
        else
            code_fault(d, block->type_range, "Invalid required_providers block",
                       "A \"required_providers\" block must be nested inside a \"terraform\" "
                       "block.");
    }
}

struct reading {
    struct arena *arena;
    struct str path, dir;
    const struct code_read_options *options;
    struct hcl_diags *diags;
};

static bool read_text(const struct reading *in, struct str path, struct str *ret, struct err *err)
{
    const struct code_read_options *options = in->options;
    if (options->read && options->read(options->ctx, path, ret))
        return true;
    if (options->list)
        return err_set(err, ERR_IO, "there is no such file");
    return io_read_file(in->arena, path.ptr, HCL_SIZE_MAX, ret, err);
}

static bool errors_since(const struct hcl_diags *diags, size_t from)
{
    for (size_t i = from; i < diags->n; i++)
        if (!diags->diag[i].warning)
            return true;
    return diags->cut;
}

static bool read_one(const struct reading *in, const struct source_file *source,
                     struct code_parts *ret, bool *ret_full, struct err *err)
{
    size_t before = in->diags->n;
    struct str path = io_join(in->arena, in->path, source->name), text;
    struct str name =
        str_equal(in->dir, STR(".")) ? source->name : io_join(in->arena, in->dir, source->name);
    struct hcl_file *file = arena_new(in->arena, struct hcl_file, 1);
    if (!path.ptr || !name.ptr || !file)
        return arena_full(in->arena, err);
    if (!read_text(in, path, &text, err))
        return err_wrap(err, "reading %.*s", STR_ARG(name));
    bool parsed = source->json ? hcl_parse_json_file(in->arena, text, name, in->diags, file, err)
                               : hcl_parse_file(in->arena, text, name, in->diags, file, err);
    if (!parsed)
        return err_wrap(err, "%.*s", STR_ARG(name));
    struct code_decoder d = {.arena = in->arena,
                             .diags = in->diags,
                             .file = file,
                             .lines = code_lines_of(in->arena, text),
                             .override = source->override,
                             .opentofu = in->options->opentofu};
    ret->file = file;
    ret->cut = errors_since(in->diags, before);
    d.full = !d.lines.n;
    if (!d.full)
        decode_file(&d, ret);
    *ret_full |= d.full;
    return true;
}

/* --- the folder --- */

static bool list_names(const struct reading *in, const struct str **ret, size_t *ret_n,
                       struct err *err)
{
    struct str *names;
    if (in->options->list) {
        if (!in->options->list(in->options->ctx, in->path, ret, ret_n))
            return err_set(err, ERR_IO, "there is no such directory");
        return true;
    }
    if (!io_list_dir(in->arena, in->path.ptr, NAMES_MAX, &names, ret_n, err))
        return false;
    *ret = names;
    return true;
}

static bool list_files(const struct reading *in, struct source_file **ret, size_t *ret_n,
                       struct err *err)
{
    const struct str *names;
    size_t n, kept = 0;
    if (!list_names(in, &names, &n, err))
        return err_wrap(err, "module directory %.*s", STR_ARG(in->dir));
    struct source_file *files = arena_new(in->arena, struct source_file, n);
    if (!files)
        return arena_full(in->arena, err);
    for (size_t i = 0; i < n; i++) {
        if (!classify(names[i], in->options->opentofu, &files[kept]))
            continue;
        struct str path = io_join(in->arena, in->path, names[i]);
        if (!path.ptr)
            return arena_full(in->arena, err);
        kept += in->options->list || !io_is_dir(path.ptr);
    }
    *ret = files;
    *ret_n = kept;
    return true;
}

/* Primary files first, then those that override, each in the order of names. */
static bool read_all(const struct reading *in, const struct source_file *files, size_t n,
                     struct code_module *ret, struct err *err)
{
    struct code_parts *parts = arena_new(in->arena, struct code_parts, n);
    const struct hcl_file **read = arena_new(in->arena, const struct hcl_file *, n);
    size_t nread = 0, nprimary = 0;
    bool full = !parts || !read;
    for (int override = 0; override < 2 && !full; override++) {
        for (size_t i = 0; i < n && !full; i++) {
            if (files[i].override != override || is_hidden(&files[i], files, n))
                continue;
            if (!read_one(in, &files[i], &parts[nread], &full, err))
                return false;
            read[nread] = parts[nread].file;
            ret->cut |= parts[nread].cut;
            nread++;
        }
        nprimary = override ? nprimary : nread;
    }
    struct code_decoder d = {
        .arena = in->arena, .diags = in->diags, .opentofu = in->options->opentofu, .full = full};
    if (full || !code_merge_parts(&d, parts, nprimary, parts + nprimary, nread - nprimary, ret))
        return arena_full(in->arena, err);
    ret->files = read;
    ret->nfiles = nread;
    return true;
}

bool code_module_read(struct arena *arena, struct str path, struct str dir,
                      const struct code_read_options *options, struct hcl_diags *diags,
                      struct code_module *ret, struct err *err)
{
    struct reading in = {arena, arena_dup(arena, path), arena_dup(arena, dir), options, diags};
    struct source_file *files;
    size_t n;
    struct code_module module = {.dir = in.dir, .path = in.path};
    if (!in.path.ptr || !in.dir.ptr)
        return arena_full(arena, err);
    if (!list_files(&in, &files, &n, err) || !read_all(&in, files, n, &module, err))
        return false;
    for (size_t i = 0; i < n; i++)
        module.opentofu |= files[i].tofu;
    *ret = module;
    return true;
}

/* --- finding --- */

#define FIND_BY_NAME(array, count, wanted) \
    do { \
        size_t low = 0, high = (count); \
        while (low < high) { \
            size_t middle = low + (high - low) / 2; \
            int order = str_compare((array)[middle].name, (wanted)); \
            if (order == 0) \
                return &(array)[middle]; \
            if (order < 0) \
                low = middle + 1; \
            else \
                high = middle; \
        } \
        return NULL; \
    } while (0)

const struct code_variable *code_find_variable(const struct code_module *module, struct str name)
{
    FIND_BY_NAME(module->variables, module->nvariables, name);
}

const struct code_local *code_find_local(const struct code_module *module, struct str name)
{
    FIND_BY_NAME(module->locals, module->nlocals, name);
}

const struct code_output *code_find_output(const struct code_module *module, struct str name)
{
    FIND_BY_NAME(module->outputs, module->noutputs, name);
}

const struct code_module_call *code_find_call(const struct code_module *module, struct str name)
{
    FIND_BY_NAME(module->calls, module->ncalls, name);
}

const struct code_resource *code_find_resource(const struct code_module *module,
                                               enum code_mode mode, struct str type,
                                               struct str name)
{
    size_t low = 0, high = module->nresources;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct code_resource *r = &module->resources[middle];
        int order = r->mode != mode ? (r->mode < mode ? -1 : 1) : str_compare(r->type, type);
        order = order ? order : str_compare(r->name, name);
        if (order == 0)
            return r;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* module_tree.c - from a root along its calls: local folders, and modules.json for the rest. */
#include "desired/module_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "base/pathname.h"
#include "desired/module_parts.h"
#include "desired/version.h"
#include "wire/json.h"

enum { BUCKETS = 4096, MANIFEST_BYTES_MAX = 64 << 20 };

/* An entry of modules.json. */
struct record {
    struct str key, source, version, dir;
};
/* A directory that was read. */
struct cached {
    struct str path;
    struct code_module module;
    struct cached *next;
};
struct building {
    struct arena *arena;
    const struct code_tree_options *options;
    struct str root_path;
    struct hcl_diags *diags;
    struct record *record; /* sorted by key */
    size_t nrecords, nmodules;
    struct cached **bucket;
    struct err *err;
};

/* --- modules.json --- */

static int compare_records(const void *a, const void *b)
{
    const struct record *x = a, *y = b;
    return str_compare(x->key, y->key);
}

static const struct record *find_record(const struct building *in, struct str key)
{
    struct record wanted = {.key = key};
    return in->nrecords
               ? bsearch(&wanted, in->record, in->nrecords, sizeof *in->record, compare_records)
               : NULL;
}

static bool load_manifest(struct building *in)
{
    struct str data = in->options->data_dir, text = {0};
    if (!data.len)
        data = io_join(in->arena, in->root_path, STR(".terraform"));
    struct str path = io_join(in->arena, data, STR("modules/modules.json"));
    struct value document;
    if (!path.ptr)
        return arena_full(in->arena, in->err);
    bool given =
        in->options->read.read && in->options->read.read(in->options->read.ctx, path, &text);
    if (!given && !io_exists(path.ptr))
        return true;
    if (!given && !io_read_file(in->arena, path.ptr, MANIFEST_BYTES_MAX, &text, in->err))
        return false;
    if (!json_parse(in->arena, text, path.ptr, JSON_DEFAULT, &document, in->err))
        return err_wrap(in->err, "the list of installed modules; run `terraform init`");
    const struct value *modules = value_get(&document, STR("Modules"));
    size_t n = value_is_list_like(modules) ? modules->len : 0;
    in->record = arena_new(in->arena, struct record, n);
    if (!in->record)
        return arena_full(in->arena, in->err);
    for (size_t i = 0; i < n; i++) {
        const struct value *m = &modules->items[i];
        in->record[in->nrecords++] =
            (struct record){value_get_string(m, STR("Key")), value_get_string(m, STR("Source")),
                            value_get_string(m, STR("Version")), value_get_string(m, STR("Dir"))};
    }
    if (n)
        qsort(in->record, n, sizeof *in->record, compare_records);
    return true;
}

/* --- reading a directory once --- */

static size_t bucket_of(struct str path)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < path.len; i++)
        hash = (hash ^ (unsigned char)path.ptr[i]) * 1099511628211u;
    return (size_t)(hash % BUCKETS);
}

/* NULL with *ret_unreadable: the folder is not there; without: err is set. */
static const struct code_module *read_module(struct building *in, struct str path, struct str dir,
                                             bool *ret_unreadable)
{
    struct cached **bucket = &in->bucket[bucket_of(path)];
    struct err err = {0};
    *ret_unreadable = false;
    for (struct cached *at = *bucket; at; at = at->next)
        if (str_equal(at->path, path))
            return &at->module;
    struct cached *made = arena_new(in->arena, struct cached, 1);
    if (!made) {
        (void)arena_full(in->arena, in->err);
        return NULL;
    }
    if (!code_module_read(in->arena, path, dir, &in->options->read, in->diags, &made->module,
                          &err)) {
        *ret_unreadable = err.kind == ERR_IO;
        if (in->err)
            *in->err = err;
        return NULL;
    }
    made->path = path;
    made->next = *bucket;
    *bucket = made;
    return &made->module;
}

/* --- one call --- */

static void report(struct building *in, const struct hcl_file *file, struct hcl_range subject,
                   bool warning, const char *summary, struct str detail)
{
    hcl_diag_add(in->diags, file->name, file->text, warning, subject, str_from(summary), "%.*s",
                 STR_ARG(detail));
}

/* registry.terraform.io/ns/name/system of what may be shorter; remote ones as they are. */
static bool same_source(struct arena *arena, struct str source, struct str installed)
{
    static const struct str hosts[] = {STR_INIT("registry.terraform.io/"),
                                       STR_INIT("registry.opentofu.org/")};
    if (module_source_is_local(source) || str_equal(source, installed))
        return str_equal(source, installed);
    for (size_t i = 0; i < 2; i++) {
        if (!str_starts(installed, hosts[i]))
            continue;
        struct str full = arena_printf(arena, "%.*s%.*s", STR_ARG(hosts[i]), STR_ARG(source));
        return str_equal(full, installed);
    }
    return true; /* getters' addresses have many spellings */
}

static void check_record(struct building *in, const struct code_module_call *call,
                         const struct record *record)
{
    const struct hcl_file *file = call->source_expr.file;
    struct hcl_range subject =
        call->source_expr.expr ? call->source_expr.expr->range : call->place.range;
    if (!file)
        return;
    if (call->source.len && !same_source(in->arena, call->source, record->source))
        report(in, file, subject, false, "Module source has changed",
               STR("The source address was changed since this module was installed. Run "
                   "\"terraform init\" to install all modules required by this configuration."));
    if (call->version.len && !record->version.len)
        report(in, file, subject, false, "Module version requirements have changed",
               STR("The version requirements have changed since this module was installed and the "
                   "installed version is no longer acceptable. Run \"terraform init\" to install "
                   "all modules required by this configuration."));
    else if (call->version.len && !version_matches(record->version, call->version))
        report(in, file, subject, false, "Module version requirements have changed",
               arena_printf(in->arena,
                            "The version requirements have changed since this module was installed "
                            "and the installed version (%.*s) is no longer acceptable. Run "
                            "\"terraform init\" to install all modules required by this "
                            "configuration.",
                            STR_ARG(record->version)));
}

struct place_of_module {
    struct str path, dir, source, version;
};

/* Where a call's module is; false: nowhere (reported). */
static bool locate(struct building *in, const struct code_tree *caller,
                   const struct code_module_call *call, struct str key, struct place_of_module *ret)
{
    const struct record *record = find_record(in, key);
    bool local = module_source_is_local(call->source);
    if (record)
        check_record(in, call, record);
    if (!call->source.len) /* said where it was decoded */
        return false;
    if (!record && (!local || in->options->strict)) {
        report(in, call->place.file, call->place.range, !in->options->strict,
               "Module not installed",
               STR("This module is not yet installed. Run \"terraform init\" to install all "
                   "modules required by this configuration."));
        return false;
    }
    if (local) {
        ret->dir = pathname_clean(in->arena, io_join(in->arena, caller->module.dir, call->source));
        ret->path =
            pathname_clean(in->arena, io_join(in->arena, caller->module.path, call->source));
    } else if (record) {
        ret->dir = pathname_clean(in->arena, record->dir);
        ret->path = pathname_clean(in->arena, io_join(in->arena, in->root_path, record->dir));
    } else {
        return false;
    }
    ret->source = record ? record->source : call->source;
    ret->version = record ? record->version : (struct str){0};
    return true;
}

/* A folder that calls itself through local sources never ends. */
static bool calls_itself(struct building *in, const struct code_tree *caller,
                         const struct code_module_call *call, struct str path)
{
    for (const struct code_tree *at = caller; at; at = at->parent) {
        if (!str_equal(at->module.path, path))
            continue;
        report(in, call->place.file, call->place.range, false, "Module calls itself",
               arena_printf(in->arena,
                            "The module in %.*s is called from within itself, so the tree of "
                            "modules would never end. Remove one of the calls.",
                            STR_ARG(at->module.dir)));
        return true;
    }
    return false;
}

static bool grow(struct building *in, struct code_tree *tree, struct str key, unsigned depth_left);

static void check_child(struct building *in, const struct code_module *m, struct str key)
{
    if (m->backend_file && !str_equal(m->backend_type, STR("cloud")))
        report(in, m->backend_file, m->backend_place.range, true, "Backend configuration ignored",
               STR("Any selected backend applies to the entire configuration, so Terraform expects "
                   "provider configurations only in the root module.\n\nThis is a warning rather "
                   "than an error because it's sometimes convenient to temporarily call a root "
                   "module as a child module for testing purposes, but this backend configuration "
                   "block will have no effect."));
    if (m->nimports)
        report(in, m->imports[0].place.file, m->imports[0].place.range, false,
               "Invalid import configuration",
               arena_printf(in->arena,
                            "An import block was detected in \"%.*s\". Import blocks are only "
                            "allowed in the root module.",
                            STR_ARG(key)));
}

static bool add_child(struct building *in, struct code_tree *tree, size_t i, struct str key,
                      unsigned depth_left)
{
    const struct code_module_call *call = &tree->module.calls[i];
    struct place_of_module place = {0};
    bool unreadable;
    if (!locate(in, tree, call, key, &place))
        return true;
    struct code_tree *child = arena_new(in->arena, struct code_tree, 1);
    if (!child || !place.dir.ptr || !place.path.ptr)
        return arena_full(in->arena, in->err);
    if (calls_itself(in, tree, call, place.path))
        return true;
    const struct code_module *module = read_module(in, place.path, place.dir, &unreadable);
    if (!module && !unreadable)
        return false;
    if (!module) {
        report(in, call->place.file, call->place.range, false, "Module not installed",
               arena_printf(in->arena,
                            "This module's local cache directory %.*s could not be read. Run "
                            "\"terraform init\" to install all modules required by this "
                            "configuration.",
                            STR_ARG(place.dir)));
        return true;
    }
    *child =
        (struct code_tree){.module = *module,
                           .parent = tree,
                           .call = call,
                           .path = arena_printf(in->arena, "%.*s%smodule.%.*s", STR_ARG(tree->path),
                                                tree->path.len ? "." : "", STR_ARG(call->name)),
                           .source = place.source,
                           .version = place.version};
    tree->child[i] = child;
    if (!child->path.ptr)
        return arena_full(in->arena, in->err);
    if (!grow(in, child, key, depth_left))
        return false;
    check_child(in, &child->module, child->path);
    return true;
}

static bool grow(struct building *in, struct code_tree *tree, struct str key, unsigned depth_left)
{
    if (depth_left == 0)
        return err_set(in->err, ERR_LIMIT, "modules call each other more than %d deep: %.*s",
                       CODE_TREE_DEPTH_MAX, STR_ARG(tree->path));
    if (++in->nmodules > CODE_TREE_MODULES_MAX)
        return err_set(in->err, ERR_LIMIT, "more than %d modules are called",
                       CODE_TREE_MODULES_MAX);
    tree->child = arena_new(in->arena, struct code_tree *, tree->module.ncalls);
    if (!tree->child)
        return arena_full(in->arena, in->err);
    for (size_t i = 0; i < tree->module.ncalls; i++) {
        struct str name = tree->module.calls[i].name;
        struct str inner =
            key.len ? arena_printf(in->arena, "%.*s.%.*s", STR_ARG(key), STR_ARG(name)) : name;
        if (!add_child(in, tree, i, inner, depth_left - 1))
            return false;
    }
    return true;
}

bool code_tree_read(struct arena *arena, struct str root_path,
                    const struct code_tree_options *options, struct hcl_diags *diags,
                    const struct code_tree **ret, struct err *err)
{
    struct building in = {.arena = arena,
                          .options = options,
                          .root_path = pathname_clean(arena, root_path),
                          .diags = diags,
                          .err = err};
    struct code_tree *root = arena_new(arena, struct code_tree, 1);
    bool unreadable;
    in.bucket = arena_new(arena, struct cached *, BUCKETS);
    if (!root || !in.root_path.ptr || !in.bucket)
        return arena_full(arena, err);
    const struct code_module *module = read_module(&in, in.root_path, STR("."), &unreadable);
    if (!module)
        return false;
    root->module = *module;
    if (options->strict && hcl_has_errors(diags)) {
        root->child = arena_new(arena, struct code_tree *, module->ncalls);
        if (!root->child)
            return arena_full(arena, err);
    } else if (!load_manifest(&in) || !grow(&in, root, (struct str){0}, CODE_TREE_DEPTH_MAX)) {
        return false;
    } else {
        code_check_providers(arena, root, options->read.opentofu, diags);
    }
    *ret = root;
    return true;
}

static const struct hcl_file *find_file(const struct code_tree *tree, struct str name,
                                        unsigned depth_left)
{
    for (size_t i = 0; tree && i < tree->module.nfiles; i++)
        if (str_equal(tree->module.files[i]->name, name))
            return tree->module.files[i];
    for (size_t i = 0; tree && depth_left && i < tree->module.ncalls; i++) {
        const struct hcl_file *found = find_file(tree->child[i], name, depth_left - 1);
        if (found)
            return found;
    }
    return NULL;
}

const struct hcl_file *code_tree_file(const struct code_tree *tree, struct str name)
{
    return find_file(tree, name, CODE_TREE_DEPTH_MAX);
}

/* adopt_changes.c - what the code should say: a value that was given, or what is live. */
#include "base/arena.h"
#include "base/err.h"
#include "cli/adopting.h"
#include "cli/app.h"
#include "cli/command.h"
#include "lang/hcl/eval.h"
#include "respond/adopt_live.h"
#include "scan/look.h"
#include "scan/one.h"

static bool option_path(struct adopting *a, struct path *ret, struct err *err)
{
    return path_parse(a->arena, a->in->value[ADOPT_PATH].text, ret, err) || err_wrap(err, "--path");
}

/* --- a value that was given --- */

/* A literal of the language; anything else is text. */
static bool given_value(struct adopting *a, struct value *ret, struct err *err)
{
    struct str text = a->in->value[ADOPT_VALUE].text;
    struct hcl_diags diags = {.arena = a->arena};
    const struct hcl_expr *expr;
    if (!hcl_parse_expression(a->arena, text, STR("--value"), &diags, &expr, err))
        return false;
    if (hcl_has_errors(&diags) || !hcl_static_value(a->arena, expr, ret))
        *ret = value_string(text);
    return true;
}

static bool given_change(struct adopting *a, struct adopt_change *ret, struct err *err)
{
    *ret = (struct adopt_change){.address = a->address,
                                 .unset = a->in->value[ADOPT_UNSET].set,
                                 .origin = a->in->value[ADOPT_ORIGIN].set};
    if (!a->in->value[ADOPT_PATH].set)
        return err_set(err, ERR_USAGE, "--value and --unset need --path: which part is meant?");
    return option_path(a, &ret->path, err) && (ret->unset || given_value(a, &ret->value, err));
}

/* --- what is live --- */

static bool read_live(struct adopting *a, const struct resource *unrecorded, struct scan_one *ret,
                      struct err *err)
{
    if (!scan_one(a->arena, &a->stack, &a->reader, a->address, unrecorded, ret, err))
        return false;
    if (ret->status == LIVE_UNREADABLE)
        return err_set(err, ERR_UNAVAILABLE, "%.*s cannot be read: %.*s", STR_ARG(a->address),
                       STR_ARG(ret->reason));
    if (a->open_settings.len) /* it may have looked at another place: no code is made of that */
        return err_set(err, ERR_UNAVAILABLE,
                       "%.*s cannot be read: plumb does not know all settings of its provider "
                       "(%.*s): give the variable (--var), or set them under `providers` in "
                       "plumb.yaml",
                       STR_ARG(a->address), STR_ARG(a->open_settings));
    return true;
}

/* Secrets are not written into code. */
static bool is_secret(const struct code_instance *instance, const struct scan_one *one,
                      struct path path)
{
    const struct schema_block *block = instance->schema ? &instance->schema->block : NULL;
    const struct schema_attribute *attribute =
        block ? schema_find_attribute(block, path.step[0].key) : NULL;
    const struct value *live = path_find(&one->live, path);
    for (size_t i = 0; i < one->nsensitive; i++)
        if (path_starts(one->sensitive[i], path) || path_starts(path, one->sensitive[i]))
            return true;
    return (attribute && attribute->sensitive) || (live && value_any_sensitive(live));
}

/* Whatever the code can set of this resource. */
static bool all_names(struct adopting *a, const struct code_instance *instance, struct err *err)
{
    const struct value *config = &instance->config;
    const struct schema_block *block = instance->schema ? &instance->schema->block : NULL;
    size_t most = block ? block->nattributes + block->nblocks : config->len, n = 0;
    struct str *name = arena_new(a->arena, struct str, most);
    if (!name)
        return arena_full(a->arena, err);
    for (size_t i = 0; block && i < block->nattributes; i++) {
        const struct schema_attribute *attribute = &block->attributes[i];
        const struct value *own = value_get(config, attribute->name);
        if (!attribute->computed || (own && own->kind != VALUE_NULL))
            name[n++] = attribute->name;
    }
    for (size_t i = 0; block && i < block->nblocks; i++)
        name[n++] = block->blocks[i].name;
    for (uint32_t i = 0; !block && i < config->len; i++)
        name[n++] = key_str(config->members[i].key);
    a->name = name;
    a->nnames = n;
    return true;
}

/* --path names one part: the change of the whole attribute becomes one of that part, where the path
 * has only names; elements of lists are matched as a whole. */
static bool narrow(struct adopting *a, struct path path, struct adopt_change *change,
                   struct err *err)
{
    for (size_t i = 0; i < path.n; i++)
        if (path.step[i].kind != PATH_KEY)
            return true;
    struct path rest = {path.step + 1, path.n - 1};
    const struct value *part = change->unset ? NULL : path_find(&change->value, rest);
    struct value *v = arena_new(a->arena, struct value, 1);
    if (!v)
        return arena_full(a->arena, err);
    *v = part ? *part : value_null();
    change->path = path;
    change->unset = v->kind == VALUE_NULL;
    change->value = *v;
    return true;
}

static bool names_of_path(struct adopting *a, struct path path, struct err *err)
{
    struct str *name = arena_new(a->arena, struct str, 1);
    if (!name)
        return arena_full(a->arena, err);
    if (path.n == 0 || path.step[0].kind != PATH_KEY)
        return err_set(err, ERR_USAGE, "--path must begin with the name of an attribute or block");
    *name = path.step[0].key;
    a->name = name;
    a->nnames = 1;
    return true;
}

/* Leaves out what may not be written. */
static size_t drop_secrets(struct adopting *a, const struct code_instance *instance,
                           const struct scan_one *one, struct adopt_change *change, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (!is_secret(instance, one, change[i].path)) {
            change[kept++] = change[i];
            continue;
        }
        struct str path = path_text(a->arena, change[i].path);
        adopting_say(a,
                     "%.*s: %.*s is secret: its live value is not written into code; say it "
                     "with --path and --value if it should be",
                     STR_ARG(a->address), STR_ARG(path));
        a->refused = true;
    }
    return kept;
}

static bool live_changes(struct adopting *a, const struct code_instance *instance,
                         struct adopt_change **ret, size_t *ret_n, struct err *err)
{
    struct scan_one one;
    struct path path = {0};
    const struct adopt_change *change;
    bool has_path = a->in->value[ADOPT_PATH].set;
    if (has_path && (!option_path(a, &path, err) || !names_of_path(a, path, err)))
        return false;
    if (!read_live(a, NULL, &one, err))
        return false;
    if (one.status == LIVE_GONE) {
        a->gone = true;
        return true;
    }
    bool asked = a->nnames > 0;
    if (!asked && !all_names(a, instance, err))
        return false;
    if (!adopt_live_changes(a->arena, instance, &one.live, a->name, a->nnames, asked, &change,
                            ret_n, err))
        return err_wrap(err, "%.*s", STR_ARG(a->address));
    *ret = arena_new(a->arena, struct adopt_change, *ret_n);
    for (size_t i = 0; *ret && i < *ret_n; i++) {
        (*ret)[i] = change[i];
        (*ret)[i].origin = a->in->value[ADOPT_ORIGIN].set;
        if (has_path && !narrow(a, path, &(*ret)[i], err))
            return false;
    }
    if (!*ret)
        return arena_full(a->arena, err);
    *ret_n = drop_secrets(a, instance, &one, *ret, *ret_n);
    return true;
}

static void say_nothing_to_do(struct adopting *a)
{
    if (!a->refused)
        adopting_say(a, "%.*s: the code says what is live already; nothing to change",
                     STR_ARG(a->address));
}

bool adopting_removal(struct adopting *a, struct adopt_result *ret, struct err *err)
{
    const struct code_instance *instance = code_find_instance(a->code, a->address);
    const struct code_place *place = &instance->resource->place;
    bool forget = a->in->value[ADOPT_FORGET].set;
    if (!adopt_plan_remove(a->arena, &a->options, a->code, a->address, forget, ret, err))
        return false;
    a->refused = ret->refused;
    if (ret->refused)
        adopting_say(a,
                     "%.*s is not there any more, and its block at %.*s:%u cannot just go: %.*s; "
                     "to have it back, apply",
                     STR_ARG(a->address), STR_ARG(place->file->name), place->line,
                     STR_ARG(ret->reason));
    else
        adopting_say(a, "%.*s is not there any more: %s; to have it back instead, apply",
                     STR_ARG(a->address),
                     forget ? "a removed block takes the place of its block" : "its block goes");
    return true;
}

bool adopting_changes(struct adopting *a, const struct adopt_change **ret, size_t *ret_n,
                      struct err *err)
{
    const struct code_instance *instance = code_find_instance(a->code, a->address);
    struct adopt_change *change = arena_new(a->arena, struct adopt_change, 1);
    *ret_n = 0;
    if (!instance)
        return err_set(err, ERR_USAGE,
                       "the code has no %.*s; with --id ID (what the provider imports it by) an "
                       "import block and its configuration can be made",
                       STR_ARG(a->address));
    if (!change)
        return arena_full(a->arena, err);
    if (a->in->value[ADOPT_VALUE].set || a->in->value[ADOPT_UNSET].set) {
        *ret = change;
        *ret_n = 1;
        return given_change(a, change, err);
    }
    if (!a->gone && !live_changes(a, instance, &change, ret_n, err))
        return false;
    *ret = change;
    if (!a->gone && a->in->value[ADOPT_FORGET].set)
        return err_set(err, ERR_USAGE, "--forget: %.*s is there; what is live is not forgotten",
                       STR_ARG(a->address));
    if (!a->gone && *ret_n == 0)
        say_nothing_to_do(a);
    return true;
}

/* --- what no code has --- */

/* TYPE.NAME of the root module. */
static bool split_address(struct adopting *a, struct str *ret_type, struct str *ret_name,
                          struct err *err)
{
    struct str rest = a->address;
    bool two = str_cut(&rest, '.', ret_type);
    *ret_name = rest;
    if (two && str_find_char(rest, '.', 0) == SIZE_MAX && str_find_char(rest, '[', 0) == SIZE_MAX &&
        !str_equal(*ret_type, STR("data")) && !str_equal(*ret_type, STR("module")))
        return true;
    return err_set(err, ERR_USAGE,
                   "--address: TYPE.NAME of the root module is wanted for what is imported, not "
                   "%.*s",
                   STR_ARG(a->address));
}

bool adopting_import(struct adopting *a, struct adopt_result *ret, struct err *err)
{
    struct adopt_import import = {.id = a->in->value[ADOPT_ID].text,
                                  .file = a->in->value[ADOPT_FILE].text};
    struct scan_one one;
    if (!split_address(a, &import.type, &import.name, err))
        return false;
    struct str source = code_provider_of_type(a->code, import.type);
    if (!source.ptr)
        return arena_full(a->arena, err);
    import.schema = look_schema(a->look, source, CODE_MANAGED, import.type);
    if (!import.schema)
        return err_set(err, ERR_UNAVAILABLE,
                       "the schema of %.*s is not known: %.*s must be installed (init) and know it",
                       STR_ARG(import.type), STR_ARG(source));
    const struct resource unrecorded = {
        .address = a->address,
        .mode = RESOURCE_MANAGED,
        .type = import.type,
        .name = import.name,
        .provider = source,
        .provider_config = arena_printf(a->arena, "provider[\"%.*s\"]", STR_ARG(source)),
        .import_id = import.id};
    if (!unrecorded.provider_config.ptr)
        return arena_full(a->arena, err);
    a->reader.generate = true;
    if (!read_live(a, &unrecorded, &one, err))
        return false;
    if (one.status == LIVE_GONE)
        return err_set(err, ERR_USAGE, "%.*s: there is none with the id %.*s", STR_ARG(a->address),
                       STR_ARG(import.id));
    import.config = one.generated;
    if (one.generated.kind != VALUE_OBJECT &&
        !adopt_live_config(a->arena, import.schema, &one.live, &import.config, err))
        return false;
    return adopt_plan_import(a->arena, &a->options, a->code, &import, ret, err);
}

/* source_show.c - desired from `terraform show -json` of a state.
 *
 * Streams as the state source does: a stack of the modules that are open, no tree of the whole.
 * What such a document lacks (private data, provider configuration, serial) stays empty.
 * Source:  facts/terraform.md 4.3; format_version 1.x
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "desired/address.h"
#include "desired/source.h"
#include "desired/tfstate.h"
#include "value/path.h"
#include "value/value.h"
#include "wire/json.h"
#include "wire/json_scan.h"

enum { MODULES_DEEP_MAX = 200, ADDRESS_MAX = 1 << 20, SENSITIVE_MAX = 100000 };

#define SHOW_RESOURCE(X) \
    X(SHOW_ADDRESS, "address") \
    X(SHOW_MODE, "mode") \
    X(SHOW_TYPE, "type") \
    X(SHOW_NAME, "name") \
    X(SHOW_INDEX, "index") \
    X(SHOW_PROVIDER, "provider_name") \
    X(SHOW_SCHEMA_VERSION, "schema_version") \
    X(SHOW_VALUES, "values") \
    X(SHOW_SENSITIVE, "sensitive_values") \
    X(SHOW_DEPENDS, "depends_on") \
    X(SHOW_TAINTED, "tainted") \
    X(SHOW_DEPOSED, "deposed_key") \
    X(SHOW_IDENTITY_VERSION, "identity_schema_version") \
    X(SHOW_IDENTITY, "identity")
#define X(constant, name) constant,
enum show_member { SHOW_RESOURCE(X) SHOW_COUNT };
#undef X
#define X(constant, name) [constant] = STR_INIT(name),
static const struct str show_names[SHOW_COUNT] = {SHOW_RESOURCE(X)};
#undef X

/* Where the walk stands in an open module. */
enum stage { IN_MODULE, IN_RESOURCES, IN_CHILDREN };
struct module {
    enum stage stage;
    bool first_key, first_item;
};

struct source_show {
    struct json_scan scan;
    const char *name;
    struct key_table keys;
    bool first_top, first_values, in_values;
    struct module module[MODULES_DEEP_MAX];
    unsigned depth;
};

static bool fail(const struct source_show *own, struct err *err)
{
    return json_scan_error(&own->scan, own->name, 1, err);
}

static bool fail_why(struct source_show *own, const char *why, struct err *err)
{
    (void)json_scan_fail(&own->scan, own->scan.at, why);
    return fail(own, err);
}

/* --- one resource --- */

static const char *text_member(struct arena *arena, struct str span, struct str *ret)
{
    *ret = (struct str){0};
    if (!span.ptr)
        return NULL;
    *ret = tfstate_string(arena, span);
    return ret->ptr ? NULL : "a string was expected in this resource";
}

static bool mark_paths(struct arena *arena, const struct value *v, struct path_step *step,
                       size_t depth, struct path **paths, size_t *n, size_t *room);

static bool add_path(struct arena *arena, const struct path_step *step, size_t depth,
                     struct path **paths, size_t *n, size_t *room)
{
    struct path_step *copy = arena_new(arena, struct path_step, depth);
    if (*n == SENSITIVE_MAX || !copy)
        return false;
    if (depth)
        memcpy(copy, step, depth * sizeof *copy);
    *paths = arena_grow(arena, *paths, *n, room, *n + 1);
    if (!*paths)
        return false;
    (*paths)[(*n)++] = (struct path){copy, depth};
    return true;
}

static bool mark_paths(struct arena *arena, const struct value *v, struct path_step *step,
                       size_t depth, struct path **paths, size_t *n, size_t *room)
{
    if (v->kind == VALUE_BOOL)
        return !v->truth || add_path(arena, step, depth, paths, n, room);
    if (depth == PATH_STEPS_MAX)
        return false;
    if (v->kind == VALUE_TUPLE)
        for (uint32_t i = 0; i < v->len; i++) {
            step[depth] = (struct path_step){.kind = PATH_INDEX, .index = i};
            if (!mark_paths(arena, &v->items[i], step, depth + 1, paths, n, room))
                return false;
        }
    if (v->kind == VALUE_OBJECT)
        for (uint32_t i = 0; i < v->len; i++) {
            step[depth] = (struct path_step){.kind = PATH_KEY, .key = key_str(v->members[i].key)};
            if (!mark_paths(arena, &v->members[i].value, step, depth + 1, paths, n, room))
                return false;
        }
    return true;
}

/* true in sensitive_values -> a path. */
static bool collect_sensitive(struct arena *arena, const struct value *marks, struct resource *r,
                              struct err *err)
{
    struct path_step step[PATH_STEPS_MAX];
    struct path *paths = NULL;
    size_t n = 0, room = 0;
    if (!mark_paths(arena, marks, step, 0, &paths, &n, &room))
        return arena_full(arena, err);
    r->sensitive = paths;
    r->nsensitive = n;
    return true;
}

static bool read_sensitive(struct desired *desired, struct source_show *own, struct str span,
                           struct resource *r, struct err *err)
{
    struct value marks;
    if (!span.ptr || !memmem(span.ptr, span.len, "true", 4))
        return true;
    return json_parse_with(&desired->arena, &own->keys, span, own->name, JSON_DUPLICATES_LAST,
                           &marks, err) &&
           collect_sensitive(&desired->arena, &marks, r, err);
}

/* The address is given; the module is what stands before [data.]type.name[key]. */
static const char *split_module(struct resource *r)
{
    AUTO_BUF own = {.limit = ADDRESS_MAX};
    struct resource bare = *r;
    bare.module = bare.deposed = (struct str){0};
    address_print(&own, &bare);
    if (own.failed)
        return "the address is longer than 1 MiB";
    if (str_equal(r->address, buf_view(&own)))
        return NULL;
    if (!str_ends(r->address, buf_view(&own)) || r->address.len < own.len + 2 ||
        r->address.ptr[r->address.len - own.len - 1] != '.')
        return "the address does not end in this resource's type, name and index";
    r->module = str_sub(r->address, 0, r->address.len - own.len - 1);
    return NULL;
}

static const char *read_texts(struct arena *arena, const struct str *span, struct resource *r)
{
    struct str mode = {0};
    const char *why = text_member(arena, span[SHOW_ADDRESS], &r->address);
    why = why ? why : text_member(arena, span[SHOW_MODE], &mode);
    why = why ? why : text_member(arena, span[SHOW_TYPE], &r->type);
    why = why ? why : text_member(arena, span[SHOW_NAME], &r->name);
    why = why ? why : text_member(arena, span[SHOW_PROVIDER], &r->provider);
    why = why ? why : text_member(arena, span[SHOW_DEPOSED], &r->deposed);
    if (why)
        return why;
    if (!r->address.len || !r->type.len || !r->name.len)
        return "a resource without address, type or name";
    if (!str_equal(mode, STR("managed")) && !str_equal(mode, STR("data")))
        return "the mode of a resource is \"managed\" or \"data\"";
    r->mode = str_equal(mode, STR("data")) ? RESOURCE_DATA : RESOURCE_MANAGED;
    r->provider_config = r->provider;
    return NULL;
}

static const char *read_plain(struct arena *arena, const struct str *span, struct resource *r)
{
    struct str index = span[SHOW_INDEX];
    if (index.ptr && *index.ptr == '"') {
        struct str text = tfstate_string(arena, index);
        if (!text.ptr)
            return "the index could not be kept";
        r->index_key = value_string(text);
    } else if (index.ptr) {
        int64_t n;
        if (!str_to_int64(index, &n))
            return "an index is a string or a whole number";
        r->index_key = value_int(n);
    }
    if (span[SHOW_SCHEMA_VERSION].ptr &&
        !str_to_int64(span[SHOW_SCHEMA_VERSION], &r->schema_version))
        return "a schema version is a number";
    if (span[SHOW_IDENTITY_VERSION].ptr &&
        !str_to_int64(span[SHOW_IDENTITY_VERSION], &r->identity_schema_version))
        return "a schema version is a number";
    r->tainted = span[SHOW_TAINTED].ptr && *span[SHOW_TAINTED].ptr == 't';
    r->identity_json = span[SHOW_IDENTITY];
    r->attributes_json = span[SHOW_VALUES].ptr ? span[SHOW_VALUES] : STR("{}");
    r->attributes_plain = true;
    return *r->attributes_json.ptr == '{' ? NULL : "values are an object";
}

static bool read_members(struct source_show *own, struct str *span, struct err *err)
{
    struct str key, value;
    bool escaped, first = true;
    if (!json_scan_enter(&own->scan, '{'))
        return fail(own, err);
    while (json_scan_next_key(&own->scan, &first, &key, &escaped)) {
        size_t i = 0;
        while (i < SHOW_COUNT && !str_equal(show_names[i], key))
            i++;
        if (i < SHOW_COUNT && span[i].ptr)
            return fail_why(own, "this key stands here twice", err);
        if (!json_scan_value(&own->scan, JSON_DEPTH_MAX, &value))
            return fail(own, err);
        if (i < SHOW_COUNT && !str_equal(value, STR("null")))
            span[i] = value;
    }
    return !own->scan.why || fail(own, err);
}

static bool with_deposed(struct arena *arena, struct resource *r)
{
    if (r->deposed.len)
        r->address =
            arena_printf(arena, "%.*s (deposed %.*s)", STR_ARG(r->address), STR_ARG(r->deposed));
    return r->address.ptr != NULL;
}

static bool read_resource(struct desired *desired, struct source_show *own, struct resource *ret,
                          struct err *err)
{
    struct str span[SHOW_COUNT] = {{0}};
    struct resource r = {0};
    if (!read_members(own, span, err))
        return false;
    const char *why = read_texts(&desired->arena, span, &r);
    why = why ? why : read_plain(&desired->arena, span, &r);
    why = why ? why : split_module(&r);
    if (why)
        return fail_why(own, why, err);
    if (!with_deposed(&desired->arena, &r))
        return arena_full(&desired->arena, err);
    if (!read_sensitive(desired, own, span[SHOW_SENSITIVE], &r, err))
        return false;
    *ret = r;
    return true;
}

/* --- the walk --- */

static bool open_module(struct source_show *own, struct err *err)
{
    if (own->depth == MODULES_DEEP_MAX)
        return fail_why(own, "modules nested deeper than 200", err);
    if (!json_scan_enter(&own->scan, '{'))
        return fail(own, err);
    own->module[own->depth++] = (struct module){.stage = IN_MODULE, .first_key = true};
    return true;
}

/* A key of the innermost module; what is neither resources nor child modules is passed over. */
static bool step_module(struct source_show *own, struct module *module, struct err *err)
{
    struct str key, ignored;
    bool escaped;
    if (!json_scan_next_key(&own->scan, &module->first_key, &key, &escaped)) {
        own->depth--;
        return !own->scan.why || fail(own, err);
    }
    bool resources = str_equal(key, STR("resources"));
    if (!resources && !str_equal(key, STR("child_modules")))
        return json_scan_value(&own->scan, JSON_DEPTH_MAX, &ignored) || fail(own, err);
    module->stage = resources ? IN_RESOURCES : IN_CHILDREN;
    module->first_item = true;
    return json_scan_enter(&own->scan, '[') || fail(own, err);
}

/* A key of `values` (root_module opens the first module), or of the document around it. */
static bool step_outside(struct source_show *own, bool *ret_ended, struct err *err)
{
    struct str key, ignored;
    bool escaped;
    bool *first = own->in_values ? &own->first_values : &own->first_top;
    if (!json_scan_next_key(&own->scan, first, &key, &escaped)) {
        if (own->scan.why)
            return fail(own, err);
        *ret_ended = !own->in_values;
        own->in_values = false;
        return !*ret_ended || json_scan_end(&own->scan) || fail(own, err);
    }
    json_scan_space(&own->scan);
    bool object = own->scan.at < own->scan.end && *own->scan.at == '{';
    if (own->in_values && str_equal(key, STR("root_module")))
        return open_module(own, err);
    if (!own->in_values && object && str_equal(key, STR("values"))) {
        own->in_values = own->first_values = true;
        return json_scan_enter(&own->scan, '{');
    }
    return json_scan_value(&own->scan, JSON_DEPTH_MAX, &ignored) || fail(own, err);
}

static bool next_ended(struct desired *desired, struct resource *ret, struct err *err)
{
    (void)desired;
    (void)ret;
    (void)err;
    return false;
}

static bool next(struct desired *desired, struct resource *ret, struct err *err)
{
    struct source_show *own = desired->own;
    for (bool ended = false; !ended;) {
        struct module *module = own->depth ? &own->module[own->depth - 1] : NULL;
        if (!module) {
            if (!step_outside(own, &ended, err))
                return false;
        } else if (module->stage == IN_MODULE) {
            if (!step_module(own, module, err))
                return false;
        } else if (json_scan_next_item(&own->scan, &module->first_item)) {
            if (module->stage == IN_RESOURCES)
                return read_resource(desired, own, ret, err);
            if (!open_module(own, err))
                return false;
        } else if (own->scan.why) {
            return fail(own, err);
        } else {
            module->stage = IN_MODULE;
        }
    }
    desired->next = next_ended;
    return false;
}

/* format_version (1.x) and terraform_version, wherever they stand before the values. */
static bool read_head(struct source_show *own, struct desired *desired, struct str text,
                      struct err *err)
{
    struct json_scan s = json_scan_open(text);
    struct str key, value, version = {0};
    bool escaped, first = true;
    if (!json_scan_enter(&s, '{'))
        return json_scan_error(&s, own->name, 1, err);
    desired->info.no_state = true;
    while (json_scan_next_key(&s, &first, &key, &escaped)) {
        if (str_equal(key, STR("values"))) {
            desired->info.no_state = false;
            if (version.len)
                break;
        }
        if (!json_scan_value(&s, JSON_DEPTH_MAX, &value))
            return json_scan_error(&s, own->name, 1, err);
        if (str_equal(key, STR("format_version")))
            version = tfstate_string(&desired->arena, value);
        if (str_equal(key, STR("terraform_version")))
            desired->info.terraform_version = tfstate_string(&desired->arena, value);
    }
    if (s.why)
        return json_scan_error(&s, own->name, 1, err);
    return str_starts(version, STR("1.")) ||
           err_set(err, ERR_UNSUPPORTED,
                   "%s: format_version \"%.*s\" of show -json; this plumb knows 1.x", own->name,
                   STR_ARG(version));
}

bool source_show_open(struct desired *desired, struct str text, const char *name, struct err *err)
{
    struct arena *arena = &desired->arena;
    struct source_show *own = arena_new(arena, struct source_show, 1);
    if (!own)
        return arena_full(arena, err);
    own->name = name;
    own->scan = json_scan_open(text);
    own->first_top = true;
    key_table_init(&own->keys, arena, (uint64_t)(uintptr_t)own);
    desired->own = own;
    desired->next = next;
    desired->info.kind = STR("state");
    desired->info.label = arena_printf(arena, "state %s (show -json)", name);
    if (!desired->info.label.ptr)
        return arena_full(arena, err);
    return read_head(own, desired, text, err) &&
           (json_scan_enter(&own->scan, '{') || fail(own, err));
}

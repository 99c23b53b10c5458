/* tfstate.c - the walk over a state v4: spans first, then what they say. */
#include "desired/tfstate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "desired/address.h"
#include "value/value.h"
#include "wire/json.h"

enum { NAME_LEN_MAX = 32, ADDRESS_MAX = 1 << 20 };

#define X(constant, name) [constant] = STR_INIT(name),
static const struct str top_names[TOP_COUNT] = {TFSTATE_TOP(X)};
static const struct str resource_names[RES_COUNT] = {TFSTATE_RESOURCE(X)};
static const struct str instance_names[INST_COUNT] = {TFSTATE_INSTANCE(X)};
#undef X

static bool fail_at(const struct tfstate_walk *walk, const char *at, const char *why,
                    struct err *err)
{
    struct json_scan scan = walk->scan;
    scan.at = at;
    scan.why = why;
    return json_scan_error(&scan, walk->name, 1, err);
}

/* What the scanner found; a text that ends too early gets the way out told. */
static bool fail(const struct tfstate_walk *walk, struct err *err)
{
    (void)json_scan_error(&walk->scan, walk->name, 1, err);
    if (walk->scan.at == walk->scan.end)
        (void)err_wrap(err,
                       "the state is cut short: restore it from terraform.tfstate.backup or an "
                       "earlier version in its backend");
    return false;
}

static size_t name_index(const struct str *names, size_t n, struct str raw, bool escaped)
{
    char plain[6 * NAME_LEN_MAX];
    if (escaped && raw.len <= sizeof plain)
        raw = (struct str){plain, json_unescape(plain, raw)};
    for (size_t i = 0; i < n; i++)
        if (str_equal(names[i], raw))
            return i;
    return SIZE_MAX;
}

/* Does the member `stop` come now, with all of need[0..nneed) read before it? */
static bool may_stop(const struct str *span, const unsigned *need, size_t nneed)
{
    for (size_t i = 0; i < nneed; i++)
        if (!span[need[i]].ptr)
            return false;
    return true;
}

/* The members of an object into span[], up to its end or to the member `stop` (its value not yet
 * read, *ret_stopped) if what it needs is known by then. */
struct member_plan {
    const struct str *names;
    size_t n, stop;
    const unsigned *need;
    size_t nneed;
};

static bool read_members(struct tfstate_walk *walk, const struct member_plan *plan,
                         struct str *span, bool *first, bool *ret_stopped, struct err *err)
{
    struct json_scan *s = &walk->scan;
    struct str raw, value;
    bool escaped;
    *ret_stopped = false;
    while (json_scan_next_key(s, first, &raw, &escaped)) {
        size_t i = name_index(plan->names, plan->n, raw, escaped);
        if (i != SIZE_MAX && span[i].ptr)
            return fail_at(walk, raw.ptr, "this key stands here twice", err);
        json_scan_space(s);
        if (i != SIZE_MAX && i == plan->stop && may_stop(span, plan->need, plan->nneed)) {
            span[i] = (struct str){s->at, 0};
            *ret_stopped = true;
            return true;
        }
        if (!json_scan_value(s, JSON_DEPTH_MAX, &value))
            return fail(walk, err);
        if (i != SIZE_MAX)
            span[i] = value;
    }
    return !s->why || fail(walk, err);
}

static bool is_null(struct str span)
{
    return span.len == 4 && span.ptr[0] == 'n';
}

static bool check_version(const struct tfstate_walk *walk, struct err *err)
{
    int64_t version = -1;
    struct str text = walk->top[TOP_VERSION];
    if (walk->top[TOP_ENCRYPTED].ptr)
        return err_set(
            err, ERR_UNSUPPORTED,
            "%s is encrypted by OpenTofu: run `tofu state pull > plain.tfstate` where its "
            "encryption is configured, and scan with that file as the state",
            walk->name);
    if (!text.ptr && walk->top[TOP_FORMAT_VERSION].ptr)
        return err_set(err, ERR_SYNTAX, "%s is output of `terraform show -json`, not a state",
                       walk->name);
    if (!text.ptr)
        return err_set(err, ERR_SYNTAX, "%s is no Terraform state: it has no \"version\"",
                       walk->name);
    if (!str_to_int64(text, &version) || version < 1)
        return fail_at(walk, text.ptr, "the version of a state is a number from 1 to 4", err);
    if (version < 4)
        return err_set(
            err, ERR_UNSUPPORTED,
            "%s is a state of version %d, of Terraform 0.11 or older: let Terraform 0.12 "
            "or later rewrite it as version 4 (`terraform refresh`), then scan again",
            walk->name, (int)version);
    if (version > 4)
        return err_set(err, ERR_UNSUPPORTED,
                       "%s is a state of version %.*s; this plumb knows version 4: update plumb",
                       walk->name, STR_ARG(text));
    return true;
}

/* From the member `at` on again, what stands behind it being known already. */
static const char *step_back(struct tfstate_walk *walk, struct str to)
{
    const char *after = walk->scan.at;
    walk->scan.at = to.ptr;
    return after;
}

static bool read_head(struct tfstate_walk *walk, struct err *err)
{
    static const unsigned need[] = {TOP_VERSION, TOP_TERRAFORM_VERSION, TOP_SERIAL, TOP_LINEAGE};
    const struct member_plan plan = {top_names, TOP_COUNT, TOP_RESOURCES, need, 4};
    bool stopped;
    walk->first_top = true;
    if (!json_scan_enter(&walk->scan, '{'))
        return fail(walk, err);
    if (!read_members(walk, &plan, walk->top, &walk->first_top, &stopped, err))
        return false;
    if (!stopped && !json_scan_end(&walk->scan))
        return fail_at(walk, walk->scan.at,
                       "more text behind the end of the state: are two files joined here?", err);
    if (!check_version(walk, err))
        return false;
    struct str resources = walk->top[TOP_RESOURCES];
    if (!stopped && !resources.ptr) {
        walk->ended = true;
        return true;
    }
    if (!stopped)
        walk->after_top = step_back(walk, resources);
    return true;
}

/* Behind the last resource: the rest of the document. */
static bool finish(struct tfstate_walk *walk, struct err *err)
{
    const struct member_plan plan = {top_names, TOP_COUNT, SIZE_MAX, NULL, 0};
    bool stopped;
    walk->ended = true;
    if (walk->after_top)
        return true;
    if (!read_members(walk, &plan, walk->top, &walk->first_top, &stopped, err))
        return false;
    return json_scan_end(&walk->scan) ||
           fail_at(walk, walk->scan.at,
                   "more text behind the end of the state: are two files joined here?", err);
}

static bool skip_null(struct json_scan *s)
{
    if (s->end - s->at < 4 || memcmp(s->at, "null", 4) != 0)
        return false;
    s->at += 4;
    return true;
}

bool tfstate_open(struct tfstate_walk *walk, struct str text, const char *name, struct err *err)
{
    *walk = (struct tfstate_walk){.scan = json_scan_open(text), .name = name};
    if (str_starts(text, STR("\xef\xbb\xbf")))
        return fail_at(walk, text.ptr, "begins with a byte order mark (BOM): save it without", err);
    if (!read_head(walk, err))
        return false;
    if (walk->ended)
        return true;
    if (skip_null(&walk->scan))
        return finish(walk, err);
    walk->first_resource = true;
    return json_scan_enter(&walk->scan, '[') || fail(walk, err);
}

/* Behind the last instance: the rest of the resource, which must not change what was said of it. */
static bool leave_resource(struct tfstate_walk *walk, struct err *err)
{
    const struct member_plan plan = {resource_names, RES_COUNT, SIZE_MAX, NULL, 0};
    bool stopped, had_module = walk->resource[RES_MODULE].ptr;
    walk->in_resource = false;
    if (walk->after_resource) {
        walk->scan.at = walk->after_resource;
        return true;
    }
    if (!read_members(walk, &plan, walk->resource, &walk->first_member, &stopped, err))
        return false;
    if (!had_module && walk->resource[RES_MODULE].ptr)
        return fail_at(walk, walk->resource[RES_MODULE].ptr,
                       "\"module\" stands behind the instances: sort the keys (jq -S) first", err);
    return true;
}

static bool enter_resource(struct tfstate_walk *walk, struct err *err)
{
    static const unsigned need[] = {RES_MODE, RES_TYPE, RES_NAME, RES_PROVIDER};
    const struct member_plan plan = {resource_names, RES_COUNT, RES_INSTANCES, need, 4};
    bool stopped;
    json_scan_space(&walk->scan);
    walk->resource_at = walk->scan.at;
    memset(walk->resource, 0, sizeof walk->resource);
    walk->after_resource = NULL;
    walk->first_member = true;
    if (!json_scan_enter(&walk->scan, '{'))
        return fail(walk, err);
    if (!read_members(walk, &plan, walk->resource, &walk->first_member, &stopped, err))
        return false;
    if (!may_stop(walk->resource, need,
                  3)) /* the provider may be told of each instance (OpenTofu) */
        return fail_at(walk, walk->resource_at, "a resource without mode, type or name", err);
    struct str instances = walk->resource[RES_INSTANCES];
    if (!stopped && (!instances.ptr || is_null(instances)))
        return true;
    if (!stopped)
        walk->after_resource = step_back(walk, instances);
    else if (skip_null(&walk->scan))
        return leave_resource(walk, err);
    if (!json_scan_enter(&walk->scan, '['))
        return fail(walk, err);
    walk->in_resource = true;
    walk->first_instance = true;
    walk->nresources++;
    return true;
}

static bool read_instance(struct tfstate_walk *walk, struct tfstate_instance *ret, struct err *err)
{
    const struct member_plan plan = {instance_names, INST_COUNT, SIZE_MAX, NULL, 0};
    struct tfstate_instance made = {0};
    bool stopped, first = true;
    json_scan_space(&walk->scan);
    made.at = walk->scan.at;
    if (!json_scan_enter(&walk->scan, '{'))
        return fail(walk, err);
    if (!read_members(walk, &plan, made.span, &first, &stopped, err))
        return false;
    for (size_t i = 0; i < INST_COUNT; i++)
        if (is_null(made.span[i]))
            made.span[i] = (struct str){0};
    *ret = made;
    return true;
}

bool tfstate_enter(struct tfstate_walk *walk, struct err *err)
{
    if (json_scan_next_item(&walk->scan, &walk->first_resource))
        return enter_resource(walk, err);
    return walk->scan.why ? fail(walk, err) : finish(walk, err);
}

bool tfstate_instance(struct tfstate_walk *walk, bool *ret_more, struct tfstate_instance *ret,
                      struct err *err)
{
    *ret_more = json_scan_next_item(&walk->scan, &walk->first_instance);
    if (*ret_more)
        return read_instance(walk, ret, err);
    return walk->scan.why ? fail(walk, err) : leave_resource(walk, err);
}

bool tfstate_pass(struct tfstate_walk *walk, struct err *err)
{
    walk->in_resource = false;
    if (walk->after_resource) {
        walk->scan.at = walk->after_resource;
        return true;
    }
    return json_scan_leave(&walk->scan, 2) || fail(walk, err); /* the list and the resource */
}

bool tfstate_back(struct tfstate_walk *walk, const char *resource_at, struct err *err)
{
    walk->scan.at = resource_at;
    return enter_resource(walk, err);
}

bool tfstate_next(struct tfstate_walk *walk, struct tfstate_instance *ret, struct err *err)
{
    bool more = false;
    while (!walk->ended && !more)
        if (walk->in_resource ? !tfstate_instance(walk, &more, ret, err)
                              : !tfstate_enter(walk, err))
            return false;
    return more;
}

/* A number that the scanner has checked. */
uint64_t tfstate_serial(const struct tfstate_walk *walk)
{
    struct str text = walk->top[TOP_SERIAL];
    uint64_t serial = 0;
    for (size_t i = 0; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++)
        serial = serial * 10 + (uint64_t)(text.ptr[i] - '0');
    return serial;
}

struct str tfstate_label(struct arena *arena, const char *name, uint64_t serial)
{
    return arena_printf(arena, "state %s, serial %" PRIu64, name, serial);
}

struct str tfstate_string(struct arena *arena, struct str span)
{
    if (span.len < 2 || span.ptr[0] != '"')
        return (struct str){0};
    struct str raw = str_sub(span, 1, span.len - 1);
    if (!memchr(raw.ptr, '\\', raw.len))
        return raw;
    char *text = arena_alloc_raw(arena, raw.len + 1, 1, 1);
    if (!text)
        return (struct str){0};
    size_t len = json_unescape(text, raw);
    text[len] = '\0';
    return (struct str){text, len};
}

/* --- what one instance says --- */

struct reading {
    struct arena *arena;
    struct key_table *keys;
    const struct tfstate_walk *walk;
    const struct tfstate_instance *instance;
    struct err *err;
    bool failed;
};

static void reading_fail(struct reading *in, const char *at, const char *why)
{
    if (!in->failed)
        (void)fail_at(in->walk, at, why, in->err);
    in->failed = true;
}

static void reading_full(struct reading *in)
{
    if (!in->failed)
        (void)arena_full(in->arena, in->err);
    in->failed = true;
}

/* A string, or empty where there is none. */
static struct str text_of(struct reading *in, struct str span, const char *why)
{
    if (!span.ptr || is_null(span))
        return (struct str){0};
    if (span.ptr[0] != '"') {
        reading_fail(in, span.ptr, why);
        return (struct str){0};
    }
    struct str text = tfstate_string(in->arena, span);
    if (!text.ptr)
        reading_full(in);
    return text;
}

static int64_t integer_of(struct reading *in, struct str span, const char *why)
{
    int64_t n = 0;
    if (span.ptr && !str_to_int64(span, &n))
        reading_fail(in, span.ptr, why);
    return n;
}

static struct value key_of(struct reading *in, struct str span)
{
    struct value key = value_null();
    int64_t n;
    if (!span.ptr)
        return key;
    if (span.ptr[0] == '"')
        return value_string(text_of(in, span, "a string was expected"));
    if (*span.ptr == '-' || (*span.ptr >= '0' && *span.ptr <= '9'))
        key = value_number(span);
    if (value_to_int64(&key, &n))
        return value_int(n);
    reading_fail(in, span.ptr, "an index key is a string or a whole number");
    return value_null();
}

static bool is_tainted(struct reading *in)
{
    struct str span = in->instance->span[INST_STATUS];
    struct str status = text_of(in, span, "the status of an instance is a string");
    if (status.len && !str_equal(status, STR("tainted")))
        reading_fail(in, span.ptr, "the status of an instance is empty or \"tainted\"");
    return status.len > 0;
}

static enum resource_mode mode_of(struct reading *in, struct str span)
{
    struct str mode = text_of(in, span, "the mode of a resource is a string");
    if (str_equal(mode, STR("data")))
        return RESOURCE_DATA;
    if (!str_equal(mode, STR("managed")))
        reading_fail(in, span.ptr, "the mode of a resource is \"managed\" or \"data\"");
    return RESOURCE_MANAGED;
}

static void read_provider(struct reading *in, struct resource *r)
{
    struct str span = in->instance->span[INST_PROVIDER];
    if (!span.ptr)
        span = in->walk->resource[RES_PROVIDER];
    r->provider_config = text_of(in, span, "a provider is a string");
    if (!in->failed && !address_provider(in->arena, r->provider_config, &r->provider))
        reading_fail(in, span.ptr, "want provider[\"HOST/NAMESPACE/TYPE\"] here");
}

/* Neither attributes nor a flatmap: Terraform takes that as an object without any. */
static void read_attributes(struct reading *in, struct resource *r)
{
    struct str json = in->instance->span[INST_ATTRIBUTES], flat = in->instance->span[INST_FLAT];
    if (json.ptr && *json.ptr != '{')
        reading_fail(in, json.ptr, "attributes are an object");
    if (flat.ptr && *flat.ptr != '{')
        reading_fail(in, flat.ptr, "flat attributes are an object");
    if (json.ptr)
        r->attributes_json = json;
    else if (flat.ptr)
        r->flatmap_json = flat;
    else
        r->attributes_json = STR("{}");
}

static void read_dependencies(struct reading *in, struct resource *r)
{
    struct str span = in->instance->span[INST_DEPENDENCIES];
    struct value list;
    if (!span.ptr)
        return;
    if (!json_parse_with(in->arena, in->keys, span, in->walk->name, 0, &list, NULL) ||
        list.kind != VALUE_TUPLE) {
        reading_fail(in, span.ptr, "dependencies are a list of addresses");
        return;
    }
    struct str *names = arena_new(in->arena, struct str, list.len);
    if (!names) {
        reading_full(in);
        return;
    }
    for (uint32_t i = 0; i < list.len; i++) {
        if (!value_is_string(&list.items[i]))
            reading_fail(in, span.ptr, "dependencies are a list of addresses");
        else
            names[i] = value_text(&list.items[i]);
    }
    r->dependencies = names;
    r->ndependencies = list.len;
}

static void read_rest(struct reading *in, struct resource *r)
{
    const struct str *span = in->instance->span;
    struct str flag = span[INST_CREATE_BEFORE_DESTROY], identity = span[INST_IDENTITY];
    r->schema_version = integer_of(in, span[INST_SCHEMA_VERSION], "a schema version is a number");
    r->identity_schema_version =
        integer_of(in, span[INST_IDENTITY_VERSION], "a schema version is a number");
    r->private_base64 = text_of(in, span[INST_PRIVATE], "private data is a string");
    r->tainted = is_tainted(in);
    r->create_before_destroy = flag.ptr && *flag.ptr == 't';
    if (identity.ptr && *identity.ptr != '{')
        reading_fail(in, identity.ptr, "an identity is an object");
    r->identity_json = identity;
    if (!in->failed && !tfstate_sensitive(in->arena, in->keys, span[INST_SENSITIVE], in->walk->name,
                                          &r->sensitive, &r->nsensitive, in->err)) {
        if (in->err->kind == ERR_SYNTAX)
            reading_fail(in, span[INST_SENSITIVE].ptr, "a list of paths was expected");
        in->failed = true;
    }
}

static void read_address(struct reading *in, struct resource *r)
{
    AUTO_BUF out = {.limit = ADDRESS_MAX};
    address_print(&out, r);
    if (out.failed) {
        reading_fail(in, in->instance->at, "the address is longer than 1 MiB");
        return;
    }
    r->address = arena_dup(in->arena, buf_view(&out));
    if (!r->address.ptr)
        reading_full(in);
}

bool tfstate_resource(struct arena *arena, struct key_table *keys, const struct tfstate_walk *walk,
                      const struct tfstate_instance *instance, struct resource *r, struct err *err)
{
    struct err ignored = {0};
    struct reading in = {arena, keys, walk, instance, err ? err : &ignored, false};
    const struct str *head = walk->resource;
    struct resource made = {0};
    made.module = text_of(&in, head[RES_MODULE], "a module is a string");
    made.mode = mode_of(&in, head[RES_MODE]);
    made.type = text_of(&in, head[RES_TYPE], "a type is a string");
    made.name = text_of(&in, head[RES_NAME], "a name is a string");
    made.index_key = key_of(&in, instance->span[INST_INDEX_KEY]);
    made.deposed = text_of(&in, instance->span[INST_DEPOSED], "a deposed key is a string");
    read_provider(&in, &made);
    read_attributes(&in, &made);
    read_dependencies(&in, &made);
    read_rest(&in, &made);
    if (!in.failed && (made.type.len == 0 || made.name.len == 0))
        reading_fail(&in, head[RES_TYPE].ptr, "a resource without a type or a name");
    if (!in.failed)
        read_address(&in, &made);
    if (in.failed)
        return false;
    *r = made;
    return true;
}

bool tfstate_read_at(struct str text, const char *name, const struct str resource[RES_COUNT],
                     const char *at, struct arena *arena, struct key_table *keys,
                     struct resource *r, struct err *err)
{
    struct tfstate_walk walk = {.scan = json_scan_open(text), .name = name};
    struct tfstate_instance instance;
    memcpy(walk.resource, resource, sizeof walk.resource);
    walk.scan.at = at;
    return read_instance(&walk, &instance, err) &&
           tfstate_resource(arena, keys, &walk, &instance, r, err);
}

/* tfplan.c - reading plan JSON, and joining drift with plan and configuration. */
#include "desired/tfplan.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "desired/source.h"
#include "wire/json.h"

enum { MODULES_DEEP_MAX = 200, ADDRESS_MAX = 1 << 20 };

/* A text and what it stands for, in a sorted table. */
struct named {
    struct str name;
    const struct value *value;
};
struct table {
    struct named *row;
    size_t n, room;
};

struct reading {
    struct arena *arena;
    const char *name;
    const struct value *root;
    struct table changes; /* resource_changes by address */
    struct table code;    /* configuration's resources by "module.names/type.name" */
    struct tfplan_resource *list;
    size_t n, room;
    struct str *notes;
    size_t nnotes, notes_room;
    bool errored, complete, has_changes;
};

/* --- tables --- */

static int named_order(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    return str_compare(x->name, y->name);
}

static bool table_add(struct reading *r, struct table *table, struct str name,
                      const struct value *value, struct err *err)
{
    table->row = arena_grow(r->arena, table->row, table->n, &table->room, table->n + 1);
    if (!table->row || !name.ptr)
        return arena_full(r->arena, err);
    table->row[table->n++] = (struct named){name, value};
    return true;
}

static void table_sort(struct table *table)
{
    if (table->n > 1)
        qsort(table->row, table->n, sizeof *table->row, named_order);
}

static const struct value *table_find(const struct table *table, struct str name)
{
    struct named key = {name, NULL};
    const struct named *hit =
        table->n ? bsearch(&key, table->row, table->n, sizeof *table->row, named_order) : NULL;
    return hit ? hit->value : NULL;
}

static bool add_note(struct reading *r, struct str note, struct err *err)
{
    r->notes = arena_grow(r->arena, r->notes, r->nnotes, &r->notes_room, r->nnotes + 1);
    if (!r->notes || !note.ptr)
        return arena_full(r->arena, err);
    r->notes[r->nnotes++] = note;
    return true;
}

/* --- lists of the document; what is no list is empty --- */

struct list {
    const struct value *items;
    uint32_t n;
};
static struct list list_of(const struct value *parent, struct str key)
{
    const struct value *v = value_get(parent, key);
    return v && v->kind == VALUE_TUPLE && v->len ? (struct list){v->items, v->len}
                                                 : (struct list){0};
}

/* --- the configuration --- */

static bool walk_code(struct reading *r, const struct value *module, struct str prefix,
                      unsigned depth_left, struct err *err)
{
    struct list resources = list_of(module, STR("resources"));
    const struct value *calls = value_get(module, STR("module_calls"));
    if (depth_left == 0)
        return err_set(err, ERR_LIMIT, "%s: modules nested deeper than %d", r->name,
                       MODULES_DEEP_MAX);
    for (uint32_t i = 0; i < resources.n; i++) {
        struct str address = value_get_string(&resources.items[i], STR("address"));
        struct str key = arena_printf(r->arena, "%.*s/%.*s", STR_ARG(prefix), STR_ARG(address));
        if (!table_add(r, &r->code, key, &resources.items[i], err))
            return false;
    }
    for (uint32_t i = 0; value_is_object_like(calls) && i < calls->len; i++) {
        struct str inner =
            arena_printf(r->arena, "%.*s/%s", STR_ARG(prefix), calls->members[i].key->text);
        if (!inner.ptr)
            return arena_full(r->arena, err);
        if (!walk_code(r, value_get(&calls->members[i].value, STR("module")), inner, depth_left - 1,
                       err))
            return false;
    }
    return true;
}

/* From behind an opening bracket to behind its closing one; a quoted key may hold brackets. */
static size_t skip_key(struct str s, size_t at)
{
    bool quoted = false;
    for (; at < s.len; at++) {
        if (quoted && s.ptr[at] == '\\')
            at++;
        else if (s.ptr[at] == '"')
            quoted = !quoted;
        else if (!quoted && s.ptr[at] == ']')
            return at + 1;
    }
    return s.len;
}

/* module.m[0].module.x["k"] -> "/m/x", as walk_code() calls it. */
static void print_module(struct buf *out, struct str address)
{
    static const struct str word = STR_INIT("module.");
    for (size_t at = 0; str_starts(str_sub(address, at, address.len), word);) {
        size_t from = at + word.len;
        for (at = from; at < address.len && address.ptr[at] != '.' && address.ptr[at] != '[';)
            at++;
        buf_char(out, '/');
        buf_str(out, str_sub(address, from, at));
        if (at < address.len && address.ptr[at] == '[')
            at = skip_key(address, at + 1);
        at += at < address.len;
    }
}

static const struct value *find_code(const struct reading *r, const struct resource *resource)
{
    AUTO_BUF key = {.limit = ADDRESS_MAX};
    print_module(&key, resource->module);
    buf_printf(&key, "/%.*s.%.*s", STR_ARG(resource->type), STR_ARG(resource->name));
    return key.failed ? NULL : table_find(&r->code, buf_view(&key));
}

/* --- secrets --- */

/* `true` in a mask marks the node beside it; objects and lists mirror the value. */
static bool apply_mask(struct arena *arena, struct value *v, const struct value *mask,
                       unsigned depth_left, struct err *err)
{
    if (mask && mask->kind == VALUE_BOOL && mask->truth)
        v->marks |= VALUE_SENSITIVE;
    if (!mask || mask->len == 0 || v->len == 0 || depth_left == 0 || mask->kind == VALUE_BOOL)
        return true;
    if (v->kind == VALUE_TUPLE && mask->kind == VALUE_TUPLE) {
        struct value *items = arena_new(arena, struct value, v->len);
        if (!items)
            return arena_full(arena, err);
        memcpy(items, v->items, v->len * sizeof *items);
        for (uint32_t i = 0; i < v->len && i < mask->len; i++)
            if (!apply_mask(arena, &items[i], &mask->items[i], depth_left - 1, err))
                return false;
        v->items = items;
    }
    if (v->kind == VALUE_OBJECT && mask->kind == VALUE_OBJECT) {
        struct value_member *members = arena_new(arena, struct value_member, v->len);
        if (!members)
            return arena_full(arena, err);
        memcpy(members, v->members, v->len * sizeof *members);
        for (uint32_t i = 0; i < v->len; i++)
            if (!apply_mask(arena, &members[i].value, value_get(mask, key_str(members[i].key)),
                            depth_left - 1, err))
                return false;
        v->members = members;
    }
    return true;
}

static bool take_side(struct reading *r, const struct value *change, struct str side,
                      struct str mask, struct value *ret, struct err *err)
{
    const struct value *v = value_get(change, side);
    *ret = v ? *v : value_null();
    return apply_mask(r->arena, ret, value_get(change, mask), VALUE_DEPTH_MAX, err);
}

/* --- resources --- */

static bool fail_at(const struct reading *r, const char *where, struct err *err)
{
    return err_set(err, ERR_SYNTAX, "%s: %s is not what a plan JSON has there", r->name, where);
}

/* An entry of resource_drift, or of prior_state. */
static bool take_resource(struct reading *r, const struct value *from, struct str deposed_key,
                          struct resource *ret, struct err *err)
{
    struct str deposed = value_get_string(from, deposed_key);
    const struct value *index = value_get(from, STR("index"));
    *ret = (struct resource){
        .address = value_get_string(from, STR("address")),
        .module = value_get_string(from, STR("module_address")),
        .mode = RESOURCE_MANAGED,
        .type = value_get_string(from, STR("type")),
        .name = value_get_string(from, STR("name")),
        .index_key = index ? *index : value_null(),
        .provider = value_get_string(from, STR("provider_name")),
        .deposed = deposed,
        .tainted = value_get_bool(from, STR("tainted"), false),
    };
    if (!ret->address.len || !ret->type.len)
        return fail_at(r, "a resource without address or type", err);
    if (!deposed.len)
        return true;
    ret->address =
        arena_printf(r->arena, "%.*s (deposed %.*s)", STR_ARG(ret->address), STR_ARG(deposed));
    return ret->address.ptr || arena_full(r->arena, err);
}

static bool is_managed(const struct value *resource)
{
    return str_equal(value_get_string(resource, STR("mode")), STR("managed"));
}

static bool add_resource(struct reading *r, const struct tfplan_resource *resource, struct err *err)
{
    r->list = arena_grow(r->arena, r->list, r->n, &r->room, r->n + 1);
    if (!r->list)
        return arena_full(r->arena, err);
    r->list[r->n++] = *resource;
    return true;
}

static bool has_action(const struct value *change, struct str action)
{
    struct list actions = list_of(change, STR("actions"));
    for (uint32_t i = 0; i < actions.n; i++)
        if (value_is_string(&actions.items[i]) && str_equal(value_text(&actions.items[i]), action))
            return true;
    return false;
}

static bool note_move(struct reading *r, const struct value *entry, struct str address,
                      struct err *err)
{
    struct str from = value_get_string(entry, STR("previous_address"));
    if (!from.len)
        return true;
    return add_note(r,
                    arena_printf(r->arena, "%.*s was %.*s before (moved in the code)",
                                 STR_ARG(address), STR_ARG(from)),
                    err);
}

static bool add_drift(struct reading *r, const struct value *entry, struct err *err)
{
    struct tfplan_resource found = {.outcome = TFPLAN_DRIFTED};
    const struct value *change = value_get(entry, STR("change"));
    if (!is_managed(entry))
        return true;
    if (!value_is_object_like(change))
        return fail_at(r, "resource_drift", err);
    if (!take_resource(r, entry, STR("deposed"), &found.resource, err) ||
        !note_move(r, entry, found.resource.address, err) ||
        !take_side(r, change, STR("before"), STR("before_sensitive"), &found.resource.attributes,
                   err) ||
        !take_side(r, change, STR("after"), STR("after_sensitive"), &found.live, err))
        return false;
    if (has_action(change, STR("no-op")))
        found.outcome = TFPLAN_SAME;
    else if (has_action(change, STR("delete")) || found.live.kind == VALUE_NULL)
        found.outcome = TFPLAN_GONE;
    static const struct value sets_nothing = {.kind = VALUE_OBJECT};
    const struct value *code = find_code(r, &found.resource);
    found.planned = value_get(table_find(&r->changes, found.resource.address), STR("change"));
    found.expressions = value_get(code, STR("expressions"));
    if (code && !found.expressions)
        found.expressions = &sets_nothing;
    return add_resource(r, &found, err);
}

static int resource_order(const void *a, const void *b)
{
    const struct tfplan_resource *x = a, *y = b;
    return str_compare(x->resource.address, y->resource.address);
}

static bool in_drift(const struct reading *r, size_t ndrift, struct str address)
{
    struct tfplan_resource key = {.resource = {.address = address}};
    return ndrift && bsearch(&key, r->list, ndrift, sizeof *r->list, resource_order);
}

/* Where the plan says what it does with every instance, one without an entry was not looked at. */
static struct str why_unread(const struct reading *r, struct str address)
{
    bool partial = r->errored || !r->complete;
    if (r->has_changes ? table_find(&r->changes, address) != NULL : !partial)
        return (struct str){0};
    if (r->errored)
        return STR("the plan ended with an error before it got to this resource");
    return STR("the plan was made for other targets and did not look at this resource");
}

static bool add_prior(struct reading *r, const struct value *entry, struct str module,
                      size_t ndrift, struct err *err)
{
    struct tfplan_resource found = {.outcome = TFPLAN_SAME};
    const struct value *values = value_get(entry, STR("values"));
    if (!is_managed(entry))
        return true;
    if (!take_resource(r, entry, STR("deposed_key"), &found.resource, err))
        return false;
    if (in_drift(r, ndrift, found.resource.address))
        return true;
    found.resource.module = module;
    found.resource.attributes = values ? *values : value_null();
    found.why = why_unread(r, found.resource.address);
    if (found.why.len)
        found.outcome = TFPLAN_UNREAD;
    return add_resource(r, &found, err);
}

static bool walk_prior(struct reading *r, const struct value *module, size_t ndrift,
                       unsigned depth_left, struct err *err)
{
    struct list resources = list_of(module, STR("resources"));
    struct list children = list_of(module, STR("child_modules"));
    if (depth_left == 0)
        return err_set(err, ERR_LIMIT, "%s: modules nested deeper than %d", r->name,
                       MODULES_DEEP_MAX);
    for (uint32_t i = 0; i < resources.n; i++)
        if (!add_prior(r, &resources.items[i], value_get_string(module, STR("address")), ndrift,
                       err))
            return false;
    for (uint32_t i = 0; i < children.n; i++)
        if (!walk_prior(r, &children.items[i], ndrift, depth_left - 1, err))
            return false;
    return true;
}

/* The provider put off reading these (deferred_changes). */
static bool mark_deferred(struct reading *r, struct err *err)
{
    struct list deferred = list_of(r->root, STR("deferred_changes"));
    for (uint32_t i = 0; i < deferred.n; i++) {
        const struct value *change = value_get(&deferred.items[i], STR("resource_change"));
        struct str reason = value_get_string(&deferred.items[i], STR("reason"));
        struct tfplan_resource key = {
            .resource = {.address = value_get_string(change, STR("address"))}};
        struct tfplan_resource *hit =
            r->n ? bsearch(&key, r->list, r->n, sizeof *r->list, resource_order) : NULL;
        if (!hit || hit->outcome != TFPLAN_SAME)
            continue;
        hit->outcome = TFPLAN_UNREAD;
        hit->why = arena_printf(r->arena, "the plan put it off: %.*s", STR_ARG(reason));
        if (!hit->why.ptr)
            return arena_full(r->arena, err);
    }
    return true;
}

/* --- the document --- */

static bool check_version(const struct reading *r, struct err *err)
{
    struct str version = value_get_string(r->root, STR("format_version"));
    if (!value_is_object_like(r->root) || !version.len)
        return err_set(err, ERR_SYNTAX,
                       "%s is no plan JSON: make one with `terraform show -json PLANFILE`",
                       r->name);
    if (!str_starts(version, STR("1.")))
        return err_set(err, ERR_UNSUPPORTED, "%s: plan format version %.*s; plumb reads 1.x",
                       r->name, STR_ARG(version));
    if (value_get(r->root, STR("values")))
        return err_set(err, ERR_UNSUPPORTED,
                       "%s is a state (show -json), not a plan: make one with `terraform plan "
                       "-out PLANFILE` and `terraform show -json PLANFILE`",
                       r->name);
    return true;
}

static bool read_tables(struct reading *r, struct err *err)
{
    struct list changes = list_of(r->root, STR("resource_changes"));
    const struct value *code = value_get(r->root, STR("configuration"));
    r->errored = value_get_bool(r->root, STR("errored"), false);
    r->complete = value_get_bool(r->root, STR("complete"), true);
    r->has_changes = value_get(r->root, STR("resource_changes")) != NULL;
    for (uint32_t i = 0; i < changes.n; i++) {
        struct resource resource;
        if (!is_managed(&changes.items[i]))
            continue;
        if (!take_resource(r, &changes.items[i], STR("deposed"), &resource, err) ||
            !table_add(r, &r->changes, resource.address, &changes.items[i], err))
            return false;
    }
    table_sort(&r->changes);
    if (!walk_code(r, value_get(code, STR("root_module")), STR(""), MODULES_DEEP_MAX, err))
        return false;
    table_sort(&r->code);
    return true;
}

static bool read_resources(struct reading *r, struct err *err)
{
    struct list drift = list_of(r->root, STR("resource_drift"));
    const struct value *prior = value_get(value_get(r->root, STR("prior_state")), STR("values"));
    for (uint32_t i = 0; i < drift.n; i++)
        if (!add_drift(r, &drift.items[i], err))
            return false;
    size_t ndrift = r->n;
    if (ndrift > 1)
        qsort(r->list, ndrift, sizeof *r->list, resource_order);
    if (!walk_prior(r, value_get(prior, STR("root_module")), ndrift, MODULES_DEEP_MAX, err))
        return false;
    if (r->n > 1)
        qsort(r->list, r->n, sizeof *r->list, resource_order);
    return mark_deferred(r, err);
}

static bool add_notes(struct reading *r, struct err *err)
{
    bool drift = false;
    for (size_t i = 0; i < r->n; i++)
        drift |= r->list[i].outcome == TFPLAN_DRIFTED || r->list[i].outcome == TFPLAN_GONE;
    if (r->errored && r->n == 0)
        return err_set(err, ERR_REMOTE,
                       "%s: the plan ended with an error before it knew any resource: run "
                       "`terraform plan` again and see what it says",
                       r->name);
    if (r->errored && !add_note(r, STR("the plan ended with an error: it is not complete"), err))
        return false;
    if (!r->errored && !r->complete &&
        !add_note(r,
                  STR("the plan is not complete: it was made with -target or -exclude, or puts "
                      "resources off"),
                  err))
        return false;
    if (r->n == 0)
        return add_note(r, STR("the plan has no prior state: nothing was applied yet"), err);
    return drift || add_note(r,
                             STR("a plan made with -refresh=false looks like one without "
                                 "drift: plumb can not tell them apart"),
                             err);
}

bool tfplan_parse(struct arena *arena, struct str text, const char *name, struct tfplan *ret,
                  struct err *err)
{
    struct value root;
    struct reading r = {.arena = arena, .name = name, .root = &root};
    if (str_starts(text, STR("PK\x03\x04")))
        return err_set(err, ERR_SYNTAX,
                       "%s is a saved plan, not its JSON: `terraform show -json %s > plan.json`",
                       name, name);
    if (!json_parse(arena, text, name, JSON_DUPLICATES_LAST | JSON_NFC, &root, err) ||
        !check_version(&r, err) || !read_tables(&r, err) || !read_resources(&r, err) ||
        !add_notes(&r, err))
        return false;
    struct str made_by = value_get_string(&root, STR("terraform_version"));
    struct desired_info info = {
        .kind = STR("plan"),
        .label = arena_printf(arena, "plan %s, made by %.*s", name, STR_ARG(made_by)),
        .terraform_version = made_by,
    };
    if (!info.label.ptr)
        return arena_full(arena, err);
    *ret = (struct tfplan){info, r.list, r.n, r.notes, r.nnotes};
    return true;
}

/* --- would the code change it back? --- */

/* Where `unknown` says so at this place or on the way to it. */
static bool is_unknown(const struct value *unknown, struct path path)
{
    for (size_t n = 0; n <= path.n; n++) {
        const struct value *v = path_find(unknown, (struct path){path.step, n});
        if (v && v->kind == VALUE_BOOL && v->truth)
            return true;
    }
    return false;
}

/* Positions in lists may differ between drift and plan: only what stands before counts. */
static struct path without_positions(struct path path)
{
    size_t n = 0;
    while (n < path.n && path.step[n].kind == PATH_KEY)
        n++;
    return (struct path){path.step, n};
}

static bool set_by_code(const struct tfplan_resource *resource, struct path path)
{
    return !resource->expressions || path.n == 0 ||
           value_get(resource->expressions, path.step[0].key);
}

static bool plan_changes(const struct value *planned, struct path path)
{
    const struct value *before = path_find(value_get(planned, STR("before")), path);
    const struct value *after = path_find(value_get(planned, STR("after")), path);
    return before && after ? !value_equal(before, after) : before != after;
}

bool tfplan_configurable(const struct tfplan_resource *resource, struct path path)
{
    struct path place = without_positions(path);
    if (!resource->planned || place.n == 0)
        return set_by_code(resource, place);
    if (is_unknown(value_get(resource->planned, STR("after_unknown")), place))
        return resource->expressions && set_by_code(resource, place);
    return plan_changes(resource->planned, place);
}

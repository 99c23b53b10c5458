/* hcl_configs.c - recorded configurations evaluated here and compared with what Terraform said.
 *
 * Usage: hcl_configs DIR [NAME-PREFIX]; format: golden/hcl/README.md of the shared data. The
 *        schemas of the recorded provider are read from DIR/../provider-schemas.json.
 * Each step: diagnostics of validate and of plan (severity, summary, file, line), instances
 *        (address, module, values, what is unknown, sensitive, places), outputs. And each instance
 *        asked for alone against the same among all: values, and what decides them.
 * Not compared: what only a provider can tell (attributes that it computes and the code does not
 *        set), what was decided by options of the plan, what a refresh found.
 * Prints each failure, then `N passed, N failed`; exit 1 if any failed.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "desired/address.h"
#include "desired/code.h"
#include "desired/provider_schema_json.h"
#include "lang/hcl/ops.h"
#include "wire/json.h"

enum { TEXT_MAX = 64 << 20, FAULTS_MAX = 40 };

struct step {
    struct arena *arena;
    const struct provider_schemas *schemas;
    struct str name, dir;
    const struct value *given, *want; /* of case.json and of want.json */
    struct value state;               /* of the step before; null = none */
    struct value after;               /* of this step: what its plan has read of data sources */
    struct buf *faults;
    size_t nfaults;
};

static void fault(struct step *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void fault(struct step *s, const char *fmt, ...)
{
    va_list args;
    if (s->nfaults++ >= FAULTS_MAX)
        return;
    va_start(args, fmt);
    struct str text = arena_vprintf(s->arena, fmt, args);
    va_end(args);
    buf_printf(s->faults, "  %.*s\n", STR_ARG(text));
}

static struct str json_text(struct arena *arena, const struct value *v)
{
    AUTO_BUF out = {.limit = TEXT_MAX};
    struct jsonw w = {.out = &out};
    if (!v)
        return STR("(absent)");
    if (v->kind == VALUE_UNKNOWN)
        return STR("(unknown)");
    jsonw_value(&w, v);
    return arena_dup(arena, buf_view(&out));
}

/* --- the state before --- */

static bool address_of(struct step *s, const struct value *resource, const struct value *instance,
                       struct str *ret)
{
    AUTO_BUF out = {.limit = 1 << 20};
    const struct value *key = value_get(instance, STR("index_key"));
    struct resource r = {
        .module = value_get_string(resource, STR("module")),
        .mode = str_equal(value_get_string(resource, STR("mode")), STR("data")) ? RESOURCE_DATA
                                                                                : RESOURCE_MANAGED,
        .type = value_get_string(resource, STR("type")),
        .name = value_get_string(resource, STR("name")),
        .index_key = key ? *key : value_null(),
    };
    address_print(&out, &r);
    *ret = arena_dup(s->arena, buf_view(&out));
    return ret->ptr;
}

/* What changed behind Terraform's back is what a refresh finds; null = deleted. */
static bool refreshed(struct step *s, const struct value *resource, struct value *attributes)
{
    const struct value *drift = value_get(s->given, STR("remote_drift"));
    const struct value *args = value_get(s->given, STR("plan_args"));
    struct str key =
        arena_printf(s->arena, "%.*s:%.*s", STR_ARG(value_get_string(resource, STR("type"))),
                     STR_ARG(value_get_string(attributes, STR("name"))));
    const struct value *changes = value_get(drift, key);
    for (uint32_t i = 0; args && i < args->len; i++)
        if (str_equal(value_text(&args->items[i]), STR("-refresh=false")))
            return true;
    if (!changes)
        return true;
    if (changes->kind == VALUE_NULL)
        return false;
    struct value_member *m = arena_new(s->arena, struct value_member, attributes->len);
    memcpy(m, attributes->members, attributes->len * sizeof *m);
    for (uint32_t i = 0; i < attributes->len; i++) {
        const struct value *v = value_get(changes, key_str(m[i].key));
        if (v)
            m[i].value = *v;
    }
    attributes->members = m;
    return true;
}

static bool find_in(struct step *s, const struct value *state, struct str address,
                    struct value *ret)
{
    const struct value *resources = value_get(state, STR("resources"));
    for (uint32_t i = 0; resources && i < resources->len; i++) {
        const struct value *r = &resources->items[i], *all = value_get(r, STR("instances"));
        for (uint32_t k = 0; all && k < all->len; k++) {
            const struct value *attributes = value_get(&all->items[k], STR("attributes"));
            struct str at;
            if (!attributes || !address_of(s, r, &all->items[k], &at) || !str_equal(at, address))
                continue;
            *ret = *attributes;
            return refreshed(s, r, ret);
        }
    }
    return false;
}

/* A data source is read while planning. */
static bool find_state(void *ctx, struct str address, struct value *ret)
{
    struct step *s = ctx;
    bool data =
        str_starts(address, STR("data.")) || str_find(address, STR(".data."), 0) != SIZE_MAX;
    return find_in(s, data ? &s->after : &s->state, address, ret);
}

/* --- the recorded provider, as far as its answers show how it plans --- */

static struct value *member(struct step *s, struct value *object, const char *name)
{
    struct value_member *m = arena_new(s->arena, struct value_member, object->len);
    memcpy(m, object->members, object->len * sizeof *m);
    object->members = m;
    for (uint32_t i = 0; i < object->len; i++)
        if (str_equal(key_str(m[i].key), str_from(name)))
            return &m[i].value;
    return NULL;
}

static void set_default(struct step *s, struct value *object, const char *name, struct value v)
{
    struct value *at = object->kind == VALUE_OBJECT ? member(s, object, name) : NULL;
    if (at && (at->kind == VALUE_UNKNOWN || at->kind == VALUE_NULL))
        *at = v;
}

static bool same_member(const struct value *a, const struct value *b, const char *name)
{
    const struct value *x = value_get(a, str_from(name)), *y = value_get(b, str_from(name));
    return x && y && !value_any_unknown(y) && value_equal(x, y);
}

/* Sizes default to 1, kinds to "ssd", lists of access to "private"; the address follows name and
 * size; a region cannot be changed. */
static bool plan_recorded(void *ctx, const struct code_instance *instance,
                          const struct value *prior, const struct value *config,
                          const struct value *proposed, struct value *ret, bool *ret_replace)
{
    struct step *s = ctx;
    bool there = prior->kind == VALUE_OBJECT;
    (void)config;
    *ret = *proposed;
    *ret_replace =
        there && value_get(prior, STR("region")) && !same_member(prior, proposed, "region");
    if (str_equal(instance->type, STR("fake_bucket")))
        set_default(s, ret, "acl", value_string(STR("private")));
    if (!str_equal(instance->type, STR("fake_server")))
        return true;
    if (value_get(config, STR("size"))->kind == VALUE_NULL && !there)
        set_default(s, ret, "size", value_int(1));
    if (there && (!same_member(prior, ret, "name") || !same_member(prior, ret, "size")))
        *member(s, ret, "ip") = hcl_unknown(s->arena, &type_string);
    struct value *disks = member(s, ret, "disks");
    if (disks->kind == VALUE_LIST && disks->len) {
        struct value *items = arena_new(s->arena, struct value, disks->len);
        memcpy(items, disks->items, disks->len * sizeof *items);
        for (uint32_t i = 0; i < disks->len; i++)
            set_default(s, &items[i], "kind", value_string(STR("ssd")));
        disks->items = items;
    }
    return true;
}

static const struct schema *find_schema(void *ctx, struct str provider, enum code_mode mode,
                                        struct str type)
{
    const struct step *s = ctx;
    return provider_schemas_type(s->schemas, provider, mode, type);
}

static const struct schema *find_provider_schema(void *ctx, struct str provider)
{
    const struct step *s = ctx;
    const struct provider_schema_json *p = provider_schemas_find(s->schemas, provider);
    return p ? p->schema.provider : NULL;
}

static const char *find_env(void *ctx, const char *name)
{
    const struct step *s = ctx;
    struct str text = value_get_string(value_get(s->given, STR("env")), str_from(name));
    return text.ptr ? arena_dup(s->arena, text).ptr : NULL;
}

/* --- diagnostics --- */

/* What only the rest of a plan can say: options, providers, and what they decide. */
static bool said_by_others(struct str summary)
{
    static const char *const others[] = {
        "Resource targeting is in effect",
        "Read failed",
        "Instance cannot be destroyed",
        "Some objects will no longer be managed by Terraform",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (str_equal(summary, str_from(others[i])))
            return true;
    return false;
}

/* The names of a cycle in any order. */
static bool same_summary(struct str a, struct str b)
{
    size_t sum_a = 0, sum_b = 0;
    if (str_equal(a, b))
        return true;
    if (!str_starts(a, STR("Cycle: ")) || !str_starts(b, STR("Cycle: ")) || a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        sum_a += (unsigned char)a.ptr[i];
        sum_b += (unsigned char)b.ptr[i];
    }
    return sum_a == sum_b;
}

static bool same_diag(const struct value *want, const struct hcl_diag *got)
{
    int64_t line = 0;
    struct str severity = value_get_string(want, STR("severity"));
    struct str file = value_get_string(want, STR("file"));
    (void)value_to_int64(value_get(want, STR("line")), &line);
    return str_equal(severity, got->warning ? STR("warning") : STR("error")) &&
           same_summary(value_get_string(want, STR("summary")), got->summary) &&
           str_equal(file, got->file) && line == (int64_t)got->line;
}

/* Is it a fault of syntax? */
static bool is_syntax(struct step *s, const struct hcl_diag *got)
{
    struct hcl_diags diags = {.arena = s->arena};
    struct hcl_file file;
    struct str text, path = io_join(s->arena, s->dir, got->file);
    struct err err = {0};
    if (!got->file.len || str_ends(got->file, STR(".json")) ||
        !io_read_file(s->arena, path.ptr, TEXT_MAX, &text, &err) ||
        !hcl_parse_file(s->arena, text, got->file, &diags, &file, &err))
        return false;
    for (size_t i = 0; i < diags.n; i++)
        if (diags.diag[i].line == got->line && str_equal(diags.diag[i].summary, got->summary))
            return true;
    return false;
}

/* Once Terraform's parser has lost its way in a file it keeps further faults to itself. */
static bool is_further_fault(struct step *s, const struct value *want, const struct hcl_diag *got)
{
    for (uint32_t i = 0; want && i < want->len; i++) {
        int64_t line = 0;
        (void)value_to_int64(value_get(&want->items[i], STR("line")), &line);
        if (str_equal(value_get_string(&want->items[i], STR("file")), got->file) &&
            line < (int64_t)got->line)
            return is_syntax(s, got);
    }
    return false;
}

static void compare_diags(struct step *s, const char *phase, const struct hcl_diags *diags)
{
    const struct value *want = value_get(value_get(s->want, str_from(phase)), STR("diagnostics"));
    bool *used = arena_new(s->arena, bool, diags->n);
    for (uint32_t i = 0; want && i < want->len; i++) {
        size_t at = 0;
        while (at < diags->n && (used[at] || !same_diag(&want->items[i], &diags->diag[at])))
            at++;
        if (at < diags->n)
            used[at] = true;
        else if (!said_by_others(value_get_string(&want->items[i], STR("summary"))))
            fault(s, "%s: not said: %.*s", phase, STR_ARG(json_text(s->arena, &want->items[i])));
    }
    for (size_t i = 0; i < diags->n; i++)
        if (!used[i] && !is_further_fault(s, want, &diags->diag[i]))
            fault(s, "%s: said: %s %.*s:%u %.*s; %.*s", phase,
                  diags->diag[i].warning ? "warning" : "error", STR_ARG(diags->diag[i].file),
                  diags->diag[i].line, STR_ARG(diags->diag[i].summary),
                  STR_ARG(diags->diag[i].detail));
}

/* --- values --- */

struct place {
    struct step *step;
    struct str address;
};

/* Is all of an unknown tree true, or absent? */
static bool says_true(const struct value *tree)
{
    return tree && tree->kind == VALUE_BOOL && tree->truth;
}

static void compare_value(struct place *p, struct str path, const struct value *want,
                          const struct value *unknown, const struct value *got);

static void compare_items(struct place *p, struct str path, const struct value *want,
                          const struct value *unknown, const struct value *got)
{
    if (!value_is_list_like(got) || (want && want->len != got->len)) {
        fault(p->step, "%.*s: %.*s: want %.*s, got %.*s", STR_ARG(p->address), STR_ARG(path),
              STR_ARG(json_text(p->step->arena, want)), STR_ARG(json_text(p->step->arena, got)));
        return;
    }
    for (uint32_t i = 0; i < got->len; i++)
        compare_value(p, arena_printf(p->step->arena, "%.*s[%u]", STR_ARG(path), i),
                      want && i < want->len ? &want->items[i] : NULL,
                      value_is_list_like(unknown) && i < unknown->len ? &unknown->items[i] : NULL,
                      &got->items[i]);
}

static void compare_members(struct place *p, struct str path, const struct value *want,
                            const struct value *unknown, const struct value *got)
{
    if (!value_is_object_like(got)) {
        fault(p->step, "%.*s: %.*s: want %.*s, got %.*s", STR_ARG(p->address), STR_ARG(path),
              STR_ARG(json_text(p->step->arena, want)), STR_ARG(json_text(p->step->arena, got)));
        return;
    }
    for (uint32_t i = 0; value_is_object_like(want) && i < want->len; i++)
        if (!value_get(got, key_str(want->members[i].key)))
            fault(p->step, "%.*s: %.*s: no %s", STR_ARG(p->address), STR_ARG(path),
                  want->members[i].key->text);
    for (uint32_t i = 0; i < got->len; i++) {
        struct str key = key_str(got->members[i].key);
        compare_value(p, arena_printf(p->step->arena, "%.*s.%.*s", STR_ARG(path), STR_ARG(key)),
                      value_get(want, key), value_get(unknown, key), &got->members[i].value);
    }
}

static void compare_value(struct place *p, struct str path, const struct value *want,
                          const struct value *unknown, const struct value *got)
{
    if (says_true(unknown) || got->kind == VALUE_UNKNOWN) {
        if (!says_true(unknown) || got->kind != VALUE_UNKNOWN)
            fault(p->step, "%.*s: %.*s: want %.*s, got %.*s", STR_ARG(p->address), STR_ARG(path),
                  says_true(unknown) ? 9 : 5, says_true(unknown) ? "(unknown)" : "known",
                  STR_ARG(json_text(p->step->arena, got)));
        return;
    }
    if (value_is_list_like(want) || (!want && value_is_list_like(unknown)))
        compare_items(p, path, want, unknown, got);
    else if (value_is_object_like(want) || (!want && value_is_object_like(unknown)))
        compare_members(p, path, want, unknown, got);
    else if (!want || !value_equal(want, got))
        fault(p->step, "%.*s: %.*s: want %.*s, got %.*s", STR_ARG(p->address), STR_ARG(path),
              STR_ARG(json_text(p->step->arena, want)), STR_ARG(json_text(p->step->arena, got)));
}

static void compare_marks(struct place *p, struct str path, const struct value *want,
                          const struct value *got)
{
    struct arena *arena = p->step->arena;
    if (says_true(want) != ((got->marks & VALUE_SENSITIVE) != 0))
        fault(p->step, "%.*s: %.*s is %ssensitive", STR_ARG(p->address), STR_ARG(path),
              says_true(want) ? "not " : "");
    if (says_true(want))
        return;
    for (uint32_t i = 0; value_is_list_like(got) && i < got->len; i++)
        compare_marks(p, arena_printf(arena, "%.*s[%u]", STR_ARG(path), i),
                      value_is_list_like(want) && i < want->len ? &want->items[i] : NULL,
                      &got->items[i]);
    for (uint32_t i = 0; value_is_object_like(got) && i < got->len; i++) {
        struct str key = key_str(got->members[i].key);
        compare_marks(p, arena_printf(arena, "%.*s.%.*s", STR_ARG(path), STR_ARG(key)),
                      value_get(want, key), &got->members[i].value);
    }
}

/* --- what only the provider knows --- */

static struct value forget_in(struct step *s, const struct schema_block *block,
                              const struct value *config, const struct value *v);

static struct value forget_items(struct step *s, const struct schema_block *block,
                                 const struct value *config, const struct value *v)
{
    struct value ret = *v;
    if (value_is_list_like(v)) {
        struct value *items = arena_new(s->arena, struct value, v->len);
        for (uint32_t i = 0; i < v->len; i++)
            items[i] = forget_in(
                s, block, value_is_list_like(config) && i < config->len ? &config->items[i] : NULL,
                &v->items[i]);
        ret.items = items;
        return ret;
    }
    return forget_in(s, block, config, v);
}

/* v without members that are computed and that config does not set. */
static struct value forget_in(struct step *s, const struct schema_block *block,
                              const struct value *config, const struct value *v)
{
    struct value ret = *v;
    if (!value_is_object_like(v) || !block)
        return ret;
    struct value_member *m = arena_new(s->arena, struct value_member, v->len);
    uint32_t n = 0;
    for (uint32_t i = 0; i < v->len; i++) {
        struct str key = key_str(v->members[i].key);
        const struct schema_attribute *a = schema_find_attribute(block, key);
        const struct schema_nested_block *b = schema_find_block(block, key);
        const struct value *set = value_get(config, key);
        const struct schema_block *inner = a ? a->nested : b ? b->block : NULL;
        if (a && a->computed && (!set || set->kind == VALUE_NULL))
            continue;
        m[n] = v->members[i];
        if (inner)
            m[n].value = forget_items(s, inner, set, &v->members[i].value);
        n++;
    }
    ret.members = m;
    ret.len = n;
    return ret;
}

/* --- instances --- */

static void compare_place(struct place *p, const struct value *want,
                          const struct code_instance *got)
{
    int64_t line = 0, end_line = 0;
    struct str file = value_get_string(want, STR("file"));
    const struct code_place *at = &got->resource->place;
    if (!file.ptr)
        return;
    (void)value_to_int64(value_get(want, STR("line")), &line);
    (void)value_to_int64(value_get(want, STR("end_line")), &end_line);
    if (!str_equal(file, at->file->name) || line != at->line || end_line != at->end_line)
        fault(p->step, "%.*s: want %.*s:%lld-%lld, got %.*s:%u-%u", STR_ARG(p->address),
              STR_ARG(file), (long long)line, (long long)end_line, STR_ARG(at->file->name),
              at->line, at->end_line);
}

static const struct hcl_attribute *find_written(const struct code_resource *r, struct str name,
                                                const struct hcl_file **ret_file)
{
    const struct hcl_attribute *found = hcl_find_attribute(r->body, name);
    *ret_file = r->file;
    for (size_t i = 0; i < r->noverrides; i++) {
        const struct hcl_attribute *over = hcl_find_attribute(r->overrides[i].body, name);
        if (over) {
            found = over;
            *ret_file = r->overrides[i].file;
        }
    }
    return found;
}

static void compare_lines(struct place *p, const struct value *want,
                          const struct code_instance *got)
{
    for (uint32_t i = 0; want && i < want->len; i++) {
        const struct value *at = &want->members[i].value;
        const struct hcl_file *file;
        const struct hcl_attribute *a =
            find_written(got->resource, key_str(want->members[i].key), &file);
        uint32_t line = 0, end_line = 0, column;
        int64_t want_line = 0, want_end = 0;
        (void)value_to_int64(&at->items[1], &want_line);
        (void)value_to_int64(&at->items[2], &want_end);
        if (a) {
            hcl_place(file->text, a->range.start, &line, &column);
            hcl_place(file->text, a->range.end ? a->range.end - 1 : 0, &end_line, &column);
        }
        if (!a || !str_equal(value_text(&at->items[0]), file->name) || line != want_line ||
            end_line != want_end)
            fault(p->step, "%.*s: %s: want %.*s, got %.*s:%u-%u", STR_ARG(p->address),
                  want->members[i].key->text, STR_ARG(json_text(p->step->arena, at)),
                  STR_ARG(a ? file->name : STR("nothing")), line, end_line);
    }
}

static bool has_action(const struct value *want, struct str action)
{
    const struct value *actions = value_get(want, STR("actions"));
    for (uint32_t i = 0; actions && i < actions->len; i++)
        if (str_equal(value_text(&actions->items[i]), action))
            return true;
    return false;
}

static bool was_replaced_by_option(const struct value *want)
{
    struct str reason = value_get_string(want, STR("action_reason"));
    return str_equal(reason, STR("replace_by_request"));
}

/* The provider configuration that the apply has recorded for the instance. */
static void compare_provider(struct step *s, const struct code_instance *got)
{
    const struct value *resources = value_get(&s->after, STR("resources"));
    for (uint32_t i = 0; resources && i < resources->len; i++) {
        const struct value *r = &resources->items[i], *all = value_get(r, STR("instances"));
        struct str provider = value_get_string(r, STR("provider")), at;
        for (uint32_t k = 0; all && k < all->len; k++)
            if (address_of(s, r, &all->items[k], &at) && str_equal(at, got->address) &&
                !str_equal(provider, got->provider_config))
                fault(s, "%.*s: provider %.*s, got %.*s", STR_ARG(at), STR_ARG(provider),
                      STR_ARG(got->provider_config));
    }
}

static void compare_move(struct step *s, struct code *code, const struct value *want)
{
    struct str before = value_get_string(want, STR("previous_address")), now;
    struct str address = value_get_string(want, STR("address"));
    if (before.ptr && (!code_moved_address(code, before, &now) || !str_equal(now, address)))
        fault(s, "%.*s: moved to %.*s, got %.*s", STR_ARG(before), STR_ARG(address), STR_ARG(now));
}

static void compare_instance(struct step *s, const struct value *want,
                             const struct code_instance *got)
{
    struct place p = {s, got->address};
    bool provider = !str_equal(got->provider, STR("terraform.io/builtin/terraform")) ||
                    was_replaced_by_option(want);
    const struct value *values = value_get(want, STR("values"));
    const struct value *unknown = value_get(want, STR("unknown"));
    struct value v, known, open;
    if (!str_equal(value_get_string(want, STR("module")), got->module))
        fault(s, "%.*s: module %.*s", STR_ARG(got->address), STR_ARG(got->module));
    if (!got->schema) {
        fault(s, "%.*s: no schema", STR_ARG(got->address));
        return;
    }
    v = got->desired;
    if (provider) {
        const struct schema_block *block = &got->schema->block;
        v = forget_in(s, block, &got->config, &v);
        known = values ? forget_in(s, block, &got->config, values) : value_null();
        values = values ? &known : NULL;
        open = unknown ? forget_in(s, block, &got->config, unknown) : value_null();
        unknown = unknown ? &open : NULL;
    }
    compare_value(&p, STR(""), values, unknown, &v);
    if (!has_action(want, STR("delete"))) /* made anew: the schema's marks are not in the plan */
        compare_marks(&p, STR(""), value_get(want, STR("sensitive")), &v);
    compare_place(&p, want, got);
    compare_lines(&p, value_get(want, STR("attr_lines")), got);
}

static bool has_plan_arg(const struct step *s, struct str prefix)
{
    const struct value *args = value_get(s->given, STR("plan_args"));
    for (uint32_t i = 0; args && i < args->len; i++)
        if (str_starts(value_text(&args->items[i]), prefix))
            return true;
    return false;
}

static void compare_instances(struct step *s, struct code *code)
{
    size_t n;
    const struct code_instance *got = code_instances(code, &n);
    const struct value *want = value_get(s->want, STR("instances"));
    if (!want)
        return;
    bool *used = arena_new(s->arena, bool, n);
    for (uint32_t i = 0; i < want->len; i++) {
        struct str address = value_get_string(&want->items[i], STR("address"));
        size_t at = 0;
        if (has_action(&want->items[i], STR("forget")))
            continue;
        while (at < n && !str_equal(got[at].address, address))
            at++;
        if (at == n) {
            fault(s, "%.*s: not found", STR_ARG(address));
            continue;
        }
        used[at] = true;
        compare_instance(s, &want->items[i], &got[at]);
        compare_provider(s, &got[at]);
        compare_move(s, code, &want->items[i]);
    }
    bool whole = value_get_bool(value_get(s->want, STR("plan")), STR("ok"), false) &&
                 !has_plan_arg(s, STR("-target")) && !has_plan_arg(s, STR("-destroy")) &&
                 !has_plan_arg(s, STR("-refresh-only"));
    for (size_t i = 0; i < n && whole; i++)
        if (!used[i] && got[i].mode == CODE_MANAGED)
            fault(s, "%.*s: nobody asked for it", STR_ARG(got[i].address));
}

/* --- outputs --- */

static void compare_output(struct step *s, const struct value *want,
                           const struct code_output_value *got)
{
    struct place p = {s, arena_printf(s->arena, "output %.*s", STR_ARG(got->name))};
    const struct value *value = value_get(want, STR("value"));
    const struct value *type = value_get(want, STR("type"));
    if (value_get_bool(want, STR("sensitive"), false) != got->sensitive)
        fault(s, "%.*s: sensitive", STR_ARG(p.address));
    if (!value)
        return; /* it is unknown, or in part */
    compare_value(&p, STR(""), value, NULL, &got->value);
    AUTO_BUF out = {.limit = 1 << 20};
    type_print_json(&out, hcl_type_of(s->arena, &got->value));
    struct str want_type = json_text(s->arena, type);
    bool null = got->value.kind == VALUE_NULL; /* a plan does not say of what type */
    if (type && !null && !str_equal(buf_view(&out), want_type))
        fault(s, "%.*s: type %.*s, want %.*s", STR_ARG(p.address), STR_ARG(buf_view(&out)),
              STR_ARG(want_type));
}

/* Does the output come from what a provider computes? Then it is not ours to know. */
static bool is_open(const struct code_output_value *got)
{
    return value_any_unknown(&got->value);
}

static void compare_outputs(struct step *s, struct code *code)
{
    size_t n;
    const struct code_output_value *got = code_outputs(code, &n);
    const struct value *want = value_get(s->want, STR("outputs"));
    bool fake = false;
    size_t ninstances;
    const struct code_instance *instances = code_instances(code, &ninstances);
    for (size_t i = 0; i < ninstances; i++)
        fake = fake || str_equal(instances[i].provider, STR("example.com/plumb/fake"));
    for (uint32_t i = 0; want && i < want->len; i++) {
        size_t at = 0;
        while (at < n && !str_equal(got[at].name, key_str(want->members[i].key)))
            at++;
        if (at == n)
            fault(s, "output %s: not found", want->members[i].key->text);
        else if (!fake || !is_open(&got[at]))
            compare_output(s, &want->members[i].value, &got[at]);
    }
}

/* --- one instance alone --- */

static void put_deep(struct buf *out, const struct value *v)
{
    buf_printf(out, "%d/%d", (int)v->kind, (int)v->marks);
    if (value_is_list_like(v) || value_is_object_like(v)) {
        buf_char(out, '(');
        for (uint32_t i = 0; i < v->len; i++) {
            bool items = value_is_list_like(v);
            buf_str(out, items ? STR(" ") : key_str(v->members[i].key));
            put_deep(out, items ? &v->items[i] : &v->members[i].value);
        }
        buf_char(out, ')');
    } else if (v->kind != VALUE_UNKNOWN) {
        struct jsonw w = {.out = out};
        jsonw_value(&w, v);
    }
}

static void put_chain(struct buf *out, struct arena *arena, struct code *code,
                      const struct code_instance *instance, struct path path)
{
    struct code_chain chain;
    if (!code_explain(code, instance, path, &chain))
        return;
    buf_printf(out, "\n%.*s:", STR_ARG(path_text(arena, path)));
    for (size_t i = 0; i < chain.n; i++)
        buf_printf(out, " %s %.*s %.*s:%u %.*s;", chain.link[i].what, STR_ARG(chain.link[i].name),
                   STR_ARG(chain.link[i].file), chain.link[i].line,
                   STR_ARG(path_text(arena, chain.link[i].rest)));
    buf_printf(out, " %.*s", STR_ARG(chain.unknown_because));
}

/* All that can be told of it. */
static struct str told(struct arena *arena, struct code *code, const struct code_instance *instance)
{
    AUTO_BUF out = {.limit = TEXT_MAX};
    const struct value *config = &instance->config;
    buf_printf(&out, "%.*s %.*s %d %d\n", STR_ARG(instance->address),
               STR_ARG(instance->provider_config), instance->failed, instance->triggered);
    put_deep(&out, config);
    put_deep(&out, &instance->desired);
    for (uint32_t i = 0; value_is_object_like(config) && i < config->len; i++) {
        const struct value *v = &config->members[i].value;
        struct path_step step[2] = {{.kind = PATH_KEY, .key = key_str(config->members[i].key)}};
        put_chain(&out, arena, code, instance, (struct path){step, 1});
        for (uint32_t k = 0; (value_is_list_like(v) || value_is_object_like(v)) && k < v->len;
             k++) {
            if (value_is_list_like(v))
                step[1] = (struct path_step){.kind = PATH_INDEX, .index = k};
            else
                step[1] = (struct path_step){.kind = PATH_KEY, .key = key_str(v->members[k].key)};
            put_chain(&out, arena, code, instance, (struct path){step, 2});
        }
    }
    return arena_dup(arena, buf_view(&out));
}

/* Asked for alone, where no more is evaluated than it needs, an instance is what it is among all.
 * In a root with errors: if it has a value in both. */
static void compare_alone(struct step *s, const struct code_options *options, struct code *code)
{
    size_t n;
    const struct code_instance *all = code_instances(code, &n);
    for (size_t i = 0; i < n; i++) {
        struct code *one;
        struct err err = {0};
        if (!code_open(options, &one, &err))
            return;
        const struct code_instance *alone = code_find_instance(one, all[i].address);
        bool errors = hcl_has_errors(code_diags(code));
        if (errors && (!alone || alone->failed || all[i].failed)) {
            code_close(one);
            continue;
        }
        struct str among = told(s->arena, code, &all[i]);
        struct str apart = alone ? told(s->arena, one, alone) : STR("(not there)");
        if (!str_equal(among, apart))
            fault(s, "%.*s alone: %.*s\n  among all: %.*s", STR_ARG(all[i].address), STR_ARG(apart),
                  STR_ARG(among));
        code_close(one);
    }
}

static void explore(struct step *s, const struct code_options *options)
{
    struct code *code;
    struct err err = {0};
    if (!code_open(options, &code, &err))
        return;
    if (code_evaluate(code, &err))
        compare_alone(s, options, code);
    code_close(code);
}

/* --- steps and cases --- */

static size_t read_args(struct step *s, struct code_input_value **ret)
{
    const struct value *args = value_get(s->given, STR("args"));
    struct code_input_value *in =
        arena_new(s->arena, struct code_input_value, args ? args->len : 0);
    size_t n = 0;
    for (uint32_t i = 0; args && i < args->len; i++) {
        struct str a = value_text(&args->items[i]), name;
        if (str_starts(a, STR("-var-file="))) {
            in[n++] = (struct code_input_value){.is_file = true,
                                                .text = str_sub(a, STR("-var-file=").len, a.len)};
            continue;
        }
        if (str_equal(a, STR("-var")) && i + 1 < args->len)
            a = value_text(&args->items[++i]);
        else if (str_starts(a, STR("-var=")))
            a = str_sub(a, STR("-var=").len, a.len);
        if (str_cut(&a, '=', &name))
            in[n++] = (struct code_input_value){.name = name, .text = a};
    }
    *ret = in;
    return n;
}

static void run_phase(struct step *s, enum code_phase phase)
{
    struct code_input_value *inputs;
    size_t ninputs = read_args(s, &inputs);
    struct code_options options = {.root_dir = s->dir,
                                   .phase = phase,
                                   .inputs = inputs,
                                   .ninputs = ninputs,
                                   .env = find_env,
                                   .schema = find_schema,
                                   .provider_config_schema = find_provider_schema,
                                   .state = find_state,
                                   .plan = plan_recorded,
                                   .ctx = s,
                                   .now_utc_ms = INT64_MIN};
    struct code *code;
    struct err err = {0};
    char why[ERR_TEXT_MAX * 2];
    if (!code_open(&options, &code, &err)) {
        fault(s, "%s", err_text(&err, why, sizeof why));
        return;
    }
    if (!code_evaluate(code, &err))
        fault(s, "%s", err_text(&err, why, sizeof why));
    compare_diags(s, phase == CODE_PLAN ? "plan" : "validate", code_diags(code));
    if (phase == CODE_PLAN) {
        compare_instances(s, code);
        compare_outputs(s, code);
        compare_alone(s, &options, code);
        options.phase = CODE_EXPLORE; /* as for plumb explain */
        explore(s, &options);
    }
    code_close(code);
}

static bool read_json(struct arena *arena, struct str path, struct value *ret)
{
    struct str text;
    struct err err = {0};
    char why[ERR_TEXT_MAX * 2];
    if (io_read_file(arena, path.ptr, TEXT_MAX, &text, &err) &&
        json_parse(arena, text, path.ptr, JSON_DUPLICATES_LAST, ret, &err))
        return true;
    fprintf(stderr, "%s\n", err_text(&err, why, sizeof why));
    return false;
}

static bool run_step(struct arena *arena, const struct provider_schemas *schemas, struct str name,
                     struct str dir, const struct value *given, const struct value *want,
                     struct str before)
{
    AUTO_BUF faults = {.limit = 16 << 20};
    struct str at = value_get_string(given, STR("dir"));
    struct step s = {.arena = arena,
                     .schemas = schemas,
                     .name = name,
                     .dir = arena_printf(arena, "%.*s/%.*s", STR_ARG(dir), STR_ARG(at)),
                     .given = given,
                     .want = want,
                     .faults = &faults};
    struct str state = arena_printf(arena, "%.*s/%.*s.tfstate", STR_ARG(dir), STR_ARG(before));
    struct str after = arena_printf(arena, "%.*s/%.*s.tfstate", STR_ARG(dir), STR_ARG(at));
    if ((before.len && io_exists(state.ptr) && !read_json(arena, state, &s.state)) ||
        (io_exists(after.ptr) && !read_json(arena, after, &s.after)))
        return false;
    run_phase(&s, CODE_VALIDATE);
    run_phase(&s, CODE_PLAN);
    if (s.nfaults == 0)
        return true;
    printf("FAIL %.*s step %.*s:\n%.*s", STR_ARG(name), STR_ARG(at), STR_ARG(buf_view(&faults)));
    return false;
}

static bool run_case(const struct provider_schemas *schemas, struct str all, struct str name)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << 30};
    struct value given, want;
    struct str dir = arena_printf(&arena, "%.*s/%.*s", STR_ARG(all), STR_ARG(name)), before = {0};
    if (!read_json(&arena, arena_printf(&arena, "%.*s/case.json", STR_ARG(dir)), &given) ||
        !read_json(&arena, arena_printf(&arena, "%.*s/want.json", STR_ARG(dir)), &want))
        return false;
    const struct value *steps = value_get(&given, STR("steps"));
    const struct value *answers = value_get(&want, STR("steps"));
    bool fine = true;
    for (uint32_t i = 0; steps && answers && i < steps->len && i < answers->len; i++) {
        if (!run_step(&arena, schemas, name, dir, &steps->items[i], &answers->items[i], before))
            fine = false;
        before = value_get_string(&steps->items[i], STR("dir"));
    }
    return fine && steps && answers;
}

int main(int argc, char **argv)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << 30};
    struct provider_schemas schemas = {0};
    struct str *names, text, dir;
    size_t n, passed = 0, failed = 0;
    struct err err = {0};
    char why[ERR_TEXT_MAX * 2];
    if (argc < 2) {
        fprintf(stderr, "usage: hcl_configs DIR [NAME-PREFIX]\n");
        return 2;
    }
    dir = str_from(argv[1]);
    struct str path = arena_printf(&arena, "%s/../provider-schemas.json", argv[1]);
    if (io_exists(path.ptr) && (!io_read_file(&arena, path.ptr, TEXT_MAX, &text, &err) ||
                                !provider_schemas_read(&arena, text, path.ptr, &schemas, &err))) {
        fprintf(stderr, "%s\n", err_text(&err, why, sizeof why));
        return 2;
    }
    if (!io_list_dir(&arena, argv[1], 1000000, &names, &n, &err)) {
        fprintf(stderr, "%s\n", err_text(&err, why, sizeof why));
        return 2;
    }
    for (size_t i = 0; i < n; i++) {
        if (argc > 2 && !str_starts(names[i], str_from(argv[2])))
            continue;
        if (run_case(&schemas, dir, names[i]))
            passed++;
        else
            failed++;
        fflush(stdout);
    }
    printf("%zu passed, %zu failed\n", passed, failed);
    return failed ? 1 : 0;
}

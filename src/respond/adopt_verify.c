/* adopt_verify.c - the edited code evaluated: the intended places differ, and nothing else. */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/pathname.h"
#include "respond/adopt_parts.h"
#include "value/diff.h"

enum { NAMED_MAX = 3 /* addresses that a message names */ };

/* --- what is expected --- */

static const struct type *type_at(const struct code_instance *instance, struct path path)
{
    const struct type *type = instance->schema ? instance->schema->block.type : NULL;
    for (size_t i = 0; i < path.n; i++)
        type = hcl_type_below(type, &path.step[i]);
    return type;
}

bool adopt_expect(struct adopter *ad, const struct code_instance *instance,
                  const struct adopt_change *change, struct adopt_expected **ret)
{
    struct value *v = arena_new(ad->arena, struct value, 1);
    struct adopt_expected *own = NULL;
    struct str why;
    for (size_t i = 0; i < ad->nexpected && !own; i++)
        if (str_equal(ad->expected[i].instance->address, instance->address))
            own = &ad->expected[i];
    if (!own) {
        ad->expected = arena_grow(ad->arena, ad->expected, ad->nexpected, &ad->room_expected,
                                  ad->nexpected + 1);
        if (!ad->expected || !v)
            return adopt_full(ad);
        own = &ad->expected[ad->nexpected++];
        *own = (struct adopt_expected){.instance = instance, .config = instance->config};
    }
    if (!v)
        return adopt_full(ad);
    *v = change->value;
    if (!change->unset &&
        !adopt_fit(ad->arena, type_at(instance, change->path), &change->value, v, &why))
        *v = change->value;
    own->change = change;
    own->loose |=
        !adopt_with(ad->arena, &own->config, change->path, change->unset ? NULL : v, &own->config);
    *ret = own;
    return true;
}

static const struct adopt_expected *expected_of(const struct adopter *ad,
                                                const struct code_instance *instance)
{
    for (size_t i = 0; i < ad->nexpected; i++)
        if (str_equal(ad->expected[i].instance->address, instance->address))
            return &ad->expected[i];
    return NULL;
}

/* --- the edited code --- */

/* The caller's view of the world with the edited texts in it. */
struct edited {
    const struct code_options *inner;
    const struct adopter *ad;
};

static const char *edited_env(void *ctx, const char *name)
{
    const struct edited *e = ctx;
    return e->inner->env(e->inner->ctx, name);
}

static const struct schema *edited_schema(void *ctx, struct str provider, enum code_mode mode,
                                          struct str type)
{
    const struct edited *e = ctx;
    return e->inner->schema(e->inner->ctx, provider, mode, type);
}

static const struct schema *edited_provider_schema(void *ctx, struct str provider)
{
    const struct edited *e = ctx;
    return e->inner->provider_config_schema(e->inner->ctx, provider);
}

static bool edited_state(void *ctx, struct str address, struct value *ret)
{
    const struct edited *e = ctx;
    return e->inner->state(e->inner->ctx, address, ret);
}

static bool edited_function(void *ctx, struct hcl_eval *ev, struct str provider, struct str name,
                            const struct value *args, size_t nargs, struct value *ret)
{
    const struct edited *e = ctx;
    return e->inner->call_function(e->inner->ctx, ev, provider, name, args, nargs, ret);
}

static bool edited_plan(void *ctx, const struct code_instance *instance, const struct value *prior,
                        const struct value *config, const struct value *proposed, struct value *ret,
                        bool *ret_replace)
{
    const struct edited *e = ctx;
    return e->inner->plan(e->inner->ctx, instance, prior, config, proposed, ret, ret_replace);
}

static bool edited_list(void *ctx, struct str dir, const struct str **ret_names, size_t *ret_n)
{
    const struct edited *e = ctx;
    return e->inner->list(e->inner->ctx, dir, ret_names, ret_n);
}

static bool edited_read(void *ctx, struct str path, struct str *ret)
{
    const struct edited *e = ctx;
    struct str clean = pathname_clean(e->ad->arena, path);
    for (size_t i = 0; clean.ptr && i < e->ad->ntexts; i++) {
        const struct adopt_text *text = &e->ad->text[i];
        struct str own =
            pathname_clean(e->ad->arena, text->read_as.len ? text->read_as : text->path);
        if (own.ptr && str_equal(own, clean)) {
            *ret = e->ad->text[i].text;
            return true;
        }
    }
    return e->inner->read && e->inner->read(e->inner->ctx, path, ret);
}

static struct code_options with_edits(struct edited *edited)
{
    const struct code_options *inner = edited->inner;
    struct code_options options = *inner;
    options.ctx = edited;
    options.read = edited_read;
    options.list = inner->list ? edited_list : NULL;
    options.env = inner->env ? edited_env : NULL;
    options.schema = inner->schema ? edited_schema : NULL;
    options.provider_config_schema = inner->provider_config_schema ? edited_provider_schema : NULL;
    options.state = inner->state ? edited_state : NULL;
    options.plan = inner->plan ? edited_plan : NULL;
    options.call_function = inner->call_function ? edited_function : NULL;
    return options;
}

/* --- comparing --- */

/* Addresses that a message counts and names. */
struct named {
    struct adopter *ad;
    struct str text;
    size_t n;
};

static void name_one(struct named *named, struct str address)
{
    if (named->n < NAMED_MAX)
        named->text = arena_printf(named->ad->arena, "%.*s%s%.*s", STR_ARG(named->text),
                                   named->n ? ", " : "", STR_ARG(address));
    else if (named->n == NAMED_MAX)
        named->text = arena_printf(named->ad->arena, "%.*s ...", STR_ARG(named->text));
    named->n++;
}

static size_t missing_elements(const struct value *from, const struct value *in,
                               const struct value **ret_last)
{
    size_t n = 0;
    for (uint32_t i = 0; i < from->len; i++) {
        bool found = false;
        for (uint32_t k = 0; k < in->len && !found; k++)
            found = adopt_same(&from->items[i], &in->items[k]);
        if (!found) {
            *ret_last = &from->items[i];
            n++;
        }
    }
    return n;
}

/* One element of the set that the path leads into differs, as it should, and nothing else. */
static bool loosely_same(struct adopter *ad, const struct adopt_expected *expected,
                         const struct value *after)
{
    const struct adopt_change *change = expected->change;
    const struct value *before = &expected->instance->config, none = value_null();
    struct path to = {change->path.step, 0};
    while (to.n < change->path.n && path_find(before, to) &&
           path_find(before, to)->kind != VALUE_SET)
        to.n++;
    const struct value *a = path_find(before, to), *b = path_find(after, to), *now = NULL, *was;
    struct value rest_before, rest_after;
    if (!a || !b || to.n + 1 > change->path.n || !value_is_list_like(a) || !value_is_list_like(b) ||
        !adopt_with(ad->arena, before, to, &none, &rest_before) ||
        !adopt_with(ad->arena, after, to, &none, &rest_after) ||
        !adopt_same(&rest_before, &rest_after) || missing_elements(a, b, &was) > 1 ||
        missing_elements(b, a, &now) > 1)
        return false;
    struct path inside = {change->path.step + to.n + 1, change->path.n - to.n - 1};
    if (change->unset)
        return true;
    const struct value *leaf = now ? path_find(now, inside) : NULL;
    return leaf && adopt_same(leaf, &change->value);
}

/* The first place where an instance is not as it should be. */
static bool refuse_own(struct adopter *ad, const struct adopt_expected *expected,
                       const struct value *after)
{
    const struct adopt_change *change = expected->change;
    struct str address = expected->instance->address;
    struct value_diff diff;
    if (ad->blocked.len)
        return adopt_refuse(ad, "%.*s", STR_ARG(ad->blocked));
    if (!value_diff(ad->arena, &expected->config, after, &diff, ad->err))
        return false;
    for (size_t i = 0; i < diff.n; i++) {
        struct path path = diff.change[i].path;
        bool intended = path_starts(path, change->path) || path_starts(change->path, path);
        if (intended && !expected->loose)
            continue;
        struct str text = path_text(ad->arena, path);
        return adopt_refuse(ad, "the edit would also change %.*s of %.*s", STR_ARG(text),
                            STR_ARG(address));
    }
    struct str text = path_text(ad->arena, change->path);
    return adopt_refuse(ad, "no single edit gives %.*s of %.*s that value", STR_ARG(text),
                        STR_ARG(address));
}

static bool is_sibling(const struct adopter *ad, const struct code_instance *instance)
{
    for (size_t i = 0; i < ad->nexpected; i++)
        if (ad->expected[i].instance->resource == instance->resource)
            return true;
    return false;
}

static bool refuse_others(struct adopter *ad, const struct named *siblings,
                          const struct named *others)
{
    struct str there = STR("there");
    if (ad->nedits == 1)
        there = arena_printf(ad->arena, "at %.*s", STR_ARG(ad->edited_at));
    if (siblings->n)
        return adopt_refuse(ad,
                            "what is written %.*s is shared by %zu instances: it also decides "
                            "%.*s, which should not change",
                            STR_ARG(there), siblings->n + ad->nexpected, STR_ARG(siblings->text));
    return adopt_refuse(ad, "what is written %.*s also feeds %.*s, which should not change",
                        STR_ARG(there), STR_ARG(others->text));
}

static bool is_removed(const struct adopter *ad, const struct code_instance *instance)
{
    return ad->removed.len && str_equal(instance->address, ad->removed);
}

static bool is_added(const struct adopter *ad, const struct code_instance *instance)
{
    return ad->added.len && str_equal(instance->address, ad->added);
}

/* The first difference between the instances there were and those there would be. */
static bool refuse_instances(struct adopter *ad, const struct code_instance *old,
                             const struct code_instance *new, const struct code *after)
{
    size_t n;
    const struct code_instance *all = code_instances(after, &n);
    bool stays = false;
    for (size_t i = 0; old && i < n && !stays; i++)
        stays = str_equal(all[i].address, old->address);
    if (old && (!stays || !new))
        return adopt_refuse(ad, "the edit would take %.*s away", STR_ARG(old->address));
    return adopt_refuse(ad, "the edit would also make %.*s", STR_ARG(new->address));
}

/* Is each attribute as the changes so far have it, or as all of them will? */
static bool partly_same(const struct adopter *ad, const struct code_instance *instance,
                        const struct value *want, const struct value *is)
{
    const struct value *all = NULL, none = value_null();
    for (size_t i = 0; ad->partial && i < ad->nall && !all; i++)
        if (str_equal(ad->all[i].instance->address, instance->address))
            all = &ad->all[i].config;
    for (uint32_t i = 0; all && value_is_object_like(is) && i < is->len; i++) {
        struct str name = key_str(is->members[i].key);
        const struct value *now = value_get(want, name), *later = value_get(all, name);
        if (!adopt_same(now ? now : &none, &is->members[i].value) &&
            !adopt_same(later ? later : &none, &is->members[i].value))
            return false;
    }
    return all;
}

/* null for what a provider of the old SDK takes for nothing. */
static struct value without_zeros(struct adopter *ad, const struct value *v, unsigned depth_left)
{
    struct value ret = *v;
    int64_t n;
    if (depth_left-- == 0)
        return ret;
    if (v->kind == VALUE_NUMBER ? value_to_int64(v, &n) && n == 0
        : v->kind == VALUE_BOOL ? !v->truth
                                : v->kind != VALUE_UNKNOWN && v->len == 0)
        return value_null();
    if (value_is_list_like(v)) {
        struct value *items = arena_new(ad->arena, struct value, v->len);
        for (uint32_t i = 0; items && i < v->len; i++)
            items[i] = without_zeros(ad, &v->items[i], depth_left);
        return items ? value_items(v->kind, items, v->len) : *v;
    }
    if (value_is_object_like(v)) {
        struct value_member *members = arena_new(ad->arena, struct value_member, v->len);
        for (uint32_t i = 0; members && i < v->len; i++)
            members[i] = (struct value_member){v->members[i].key,
                                               without_zeros(ad, &v->members[i].value, depth_left)};
        ret.members = members;
        return members ? ret : *v;
    }
    return ret;
}

/* What a dynamic block makes may have zeros where live values, as code says them, have nothing. */
static bool same_made(struct adopter *ad, const struct adopt_expected *expected,
                      const struct value *after)
{
    const struct schema *schema = expected->instance->schema;
    if (!ad->remade || !schema || !schema_is_legacy(schema))
        return false;
    struct value a = without_zeros(ad, &expected->config, VALUE_DEPTH_MAX);
    struct value b = without_zeros(ad, after, VALUE_DEPTH_MAX);
    return adopt_same(&a, &b);
}

static bool compare_instances(struct adopter *ad, const struct code *after)
{
    size_t n, n_after, at = 0;
    const struct code_instance *old = code_instances(ad->code, &n);
    const struct code_instance *new = code_instances(after, &n_after);
    struct named siblings = {.ad = ad}, others = {.ad = ad};
    for (size_t i = 0; i < n || at < n_after; i++, at++) {
        if (at < n_after && is_added(ad, &new[at]))
            at++;
        if (i < n && is_removed(ad, &old[i]))
            i++;
        if (i >= n && at >= n_after)
            break;
        if (i >= n || at >= n_after || !str_equal(old[i].address, new[at].address))
            return refuse_instances(ad, i < n ? &old[i] : NULL, at < n_after ? &new[at] : NULL,
                                    after);
        const struct adopt_expected *expected = expected_of(ad, &old[i]);
        const struct value *want = expected ? &expected->config : &old[i].config;
        if (adopt_same(want, &new[at].config) || partly_same(ad, &old[i], want, &new[at].config) ||
            (expected && same_made(ad, expected, &new[at].config)))
            continue;
        if (expected && !(expected->loose && loosely_same(ad, expected, &new[at].config)))
            return refuse_own(ad, expected, &new[at].config);
        if (!expected)
            name_one(is_sibling(ad, &old[i]) ? &siblings : &others, old[i].address);
    }
    return siblings.n + others.n == 0 || refuse_others(ad, &siblings, &others);
}

static bool compare_added(struct adopter *ad, struct code *after)
{
    if (ad->added.len == 0)
        return true;
    const struct code_instance *added = code_find_instance(after, ad->added);
    if (!added || added->failed)
        return adopt_refuse(ad, "the new block does not give %.*s", STR_ARG(ad->added));
    return true;
}

/* A resource that is the first of its provider brings its configuration along; the last one takes
 * it away. */
static bool compare_providers(struct adopter *ad, const struct code *after)
{
    size_t n, n_after, same = 0;
    const struct code_provider_instance *old = code_provider_instances(ad->code, &n);
    const struct code_provider_instance *new = code_provider_instances(after, &n_after);
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < n_after && !str_equal(old[i].config_name, new[k].config_name))
            k++;
        if (k == n_after && ad->removed.len)
            continue;
        if (k == n_after || !adopt_same(&old[i].config, &new[k].config))
            return adopt_refuse(ad, "the edit would also change the configuration of %.*s",
                                STR_ARG(old[i].config_name));
        same++;
    }
    return same == n_after || ad->added.len ||
           adopt_refuse(ad, "the edit would change which providers are used");
}

static size_t errors_in(const struct hcl_diags *diags, const struct hcl_diag **ret_last)
{
    size_t n = 0;
    for (size_t i = 0; i < diags->n; i++) {
        if (diags->diag[i].warning)
            continue;
        *ret_last = &diags->diag[i];
        n++;
    }
    return n;
}

static uint32_t lines_in(struct str text)
{
    uint32_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == '\n';
    return n;
}

/* Where a line of the edited code stands in the code as it is: behind what was taken out. */
static uint32_t line_before(const struct adopter *ad, struct str file, uint32_t line)
{
    for (size_t i = 0; ad->removed.len && i < ad->ntexts; i++) {
        const struct adopt_text *text = &ad->text[i];
        size_t same = 0;
        if (!str_equal(text->name, file))
            continue;
        while (same < text->text.len && text->text.ptr[same] == text->before.ptr[same])
            same++;
        if (line > lines_in(str_sub(text->text, 0, same)))
            line += lines_in(text->before) - lines_in(text->text);
    }
    return line;
}

static bool compare(struct adopter *ad, struct code *after)
{
    const struct hcl_diag *was = NULL, *is = NULL;
    size_t errors = errors_in(code_diags(ad->code), &was);
    bool wrong = errors_in(code_diags(after), &is) > errors;
    if (wrong && ad->blocked.len)
        return adopt_refuse(ad, "%.*s", STR_ARG(ad->blocked));
    if (wrong)
        return adopt_refuse(ad, "the edited code would be in error at %.*s:%u: %.*s",
                            STR_ARG(is->file), line_before(ad, is->file, is->line),
                            STR_ARG(is->summary));
    return compare_instances(ad, after) && compare_added(ad, after) && compare_providers(ad, after);
}

bool adopt_open_edited(struct adopter *ad, struct code **ret)
{
    struct edited *edited = arena_new(ad->arena, struct edited, 1);
    if (!edited)
        return adopt_full(ad);
    *edited = (struct edited){ad->options, ad};
    struct code_options options = with_edits(edited);
    return code_open(&options, ret, ad->err);
}

bool adopt_verify(struct adopter *ad)
{
    struct edited edited = {ad->options, ad};
    struct code_options options = with_edits(&edited);
    struct code *after = NULL;
    bool ok =
        code_open(&options, &after, ad->err) && code_evaluate(after, ad->err) && compare(ad, after);
    code_close(after);
    return ok;
}

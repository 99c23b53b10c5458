/* adopt.c - changes of the live world to edits of the code, one after the other, then the proof. */
#include "respond/adopt.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "lang/hcl/content.h"
#include "respond/adopt_parts.h"

/* --- what may not be adopted --- */

static bool step_is(const struct hcl_step *written, const struct path_step *step)
{
    int64_t index;
    if (written->key.kind == VALUE_STRING)
        return step->kind == PATH_KEY && str_equal(value_text(&written->key), step->key);
    return step->kind == PATH_INDEX && value_to_int64(&written->key, &index) &&
           index == step->index;
}

static bool ignores(const struct hcl_traversal *ignored, struct path path)
{
    if (path.n < ignored->n + 1 || !str_equal(ignored->root, path.step[0].key))
        return false;
    for (size_t i = 0; i < ignored->n; i++)
        if (!step_is(&ignored->step[i], &path.step[i + 1]))
            return false;
    return true;
}

static bool check_ignored(struct adopter *ad, const struct code_resource *resource,
                          struct path path)
{
    bool ignored = resource->ignore_all;
    for (size_t i = 0; i < resource->nignore_changes && !ignored; i++)
        ignored = ignores(&resource->ignore_changes[i], path);
    if (!ignored)
        return true;
    const struct hcl_file *file = resource->ignore_place.file;
    struct str at = adopt_at(ad, file ? file : resource->file, resource->ignore_place.range.start);
    return adopt_refuse(ad, "ignore_changes at %.*s names it: what is live is accepted already",
                        STR_ARG(at));
}

static bool check_change(struct adopter *ad, const struct adopt_change *change,
                         const struct code_instance *instance)
{
    if (!instance)
        return adopt_refuse(ad, "the code has no %.*s", STR_ARG(change->address));
    if (instance->mode != CODE_MANAGED)
        return adopt_refuse(ad, "%.*s is read, not managed: there is nothing to adopt",
                            STR_ARG(change->address));
    if (instance->failed)
        return adopt_refuse(ad, "%.*s cannot be evaluated", STR_ARG(change->address));
    if (change->path.n == 0 || change->path.step[0].kind != PATH_KEY)
        return adopt_refuse(ad, "the path must begin with the name of an attribute or a block");
    return check_ignored(ad, instance->resource, change->path);
}

/* --- where it is written --- */

static bool json_has(struct adopter *ad, const struct code_body *body, struct str name)
{
    struct hcl_attribute_spec attributes[] = {{.name = name}, {.name = STR("dynamic")}};
    struct hcl_body_spec spec = {.attribute = attributes, .nattributes = 2};
    struct hcl_diags diags = {.arena = ad->arena};
    struct hcl_content content = {0};
    if (!hcl_body_content(ad->arena, body->file, body->body, &spec, true, &diags, &content))
        return false;
    for (size_t i = 0; i < content.nattributes; i++) {
        const struct hcl_expr *value = content.attribute[i].value;
        if (str_equal(content.attribute[i].name, name))
            return true;
        for (size_t k = 0; value->kind == HCL_EXPR_OBJECT && k < value->items.n; k++) {
            struct value key;
            if (hcl_static_value(ad->arena, value->items.item[k].key, &key) &&
                key.kind == VALUE_STRING && str_equal(value_text(&key), name))
                return true;
        }
    }
    return false;
}

/* Does a body say something of an attribute or of blocks of that name? */
static bool sets(struct adopter *ad, const struct code_body *body, struct str name)
{
    const struct hcl_block *block;
    size_t at = 0;
    if (body->body->json)
        return json_has(ad, body, name);
    if (hcl_find_attribute(body->body, name) || hcl_find_block(body->body, name, &at))
        return true;
    for (at = 0; (block = hcl_find_block(body->body, STR("dynamic"), &at));)
        if (block->nlabels && str_equal(block->label[0].text, name))
            return true;
    return false;
}

/* The last body that says something of a name; the first where none does. */
static struct code_body body_that_sets(struct adopter *ad, const struct code_resource *resource,
                                       struct str name)
{
    struct code_body own = {resource->file, resource->body};
    for (size_t i = resource->noverrides; i-- > 0;)
        if (sets(ad, &resource->overrides[i], name))
            return resource->overrides[i];
    return own;
}

static bool change_in_place(struct adopter *ad, const struct adopt_change *change,
                            const struct code_instance *instance, const struct value *old)
{
    const struct code_resource *resource = instance->resource;
    struct code_body body = body_that_sets(ad, resource, change->path.step[0].key);
    struct adopt_place place = {.file = body.file->name,
                                .type = STR("resource"),
                                .label = {resource->type, resource->name},
                                .nlabels = 2};
    const struct schema_block *block = instance->schema ? &instance->schema->block : NULL;
    struct adopt_spot spot;
    if (!adopt_may_edit(ad, place.file) || !adopt_find(ad, &place, &spot))
        return false;
    struct adopt_job job = {
        .ad = ad, .change = change, .instance = instance, .file = spot.text->file, .old = old};
    hcl_edit_start(&job.edit, ad->arena, spot.text->file);
    bool ok = spot.body.json  ? adopt_json_change(&job, &spot.body, block)
              : change->unset ? adopt_body_unset(&job, &spot.body, block, change->path)
                              : adopt_body_set(&job, &spot.body, block, change->path);
    return ok && adopt_take(ad, spot.text, &job.edit);
}

/* --- all of them --- */

bool adopt_change_elsewhere(struct adopter *ad, const struct adopt_change *change,
                            const struct code_instance *instance, const struct value *old,
                            unsigned depth_left)
{
    if (ad->refused && !change->origin && !ad->has_other_way)
        ad->has_other_way =
            adopt_has_dynamic(ad, change, instance) || adopt_can_aim(ad, change, instance);
    if (!ad->refused || !change->origin)
        return false;
    if (adopt_has_dynamic(ad, change, instance))
        return adopt_change_blocks(ad, change, instance, depth_left);
    if (adopt_change_aimed(ad, change, instance))
        return true;
    if (ad->refused && ad->has_other_way && adopt_change_origin(ad, change, instance, old))
        return true;
    return ad->refused && adopt_change_parts(ad, change, instance, old, depth_left);
}

bool adopt_change_at(struct adopter *ad, const struct adopt_change *change,
                     const struct code_instance *instance, const struct value *old,
                     unsigned depth_left)
{
    /* In a module that is called, what the call gives it comes before what all calls of it share.
     */
    bool called = change->origin && instance->module.len &&
                  !adopt_has_dynamic(ad, change, instance) && code_choose(&ad->choices, 2) == 0;
    if (called && adopt_change_aimed(ad, change, instance))
        return true;
    if (called && !ad->refused)
        return false;
    ad->refused = false;
    return change_in_place(ad, change, instance, old) ||
           adopt_change_elsewhere(ad, change, instance, old, depth_left);
}

static bool apply(struct adopter *ad, const void *ctx)
{
    const struct adopt_change *change = ctx;
    const struct code_instance *instance = code_find_instance(ad->code, change->address);
    struct adopt_expected *expected;
    struct value before;
    const struct value *old = NULL;
    if (!check_change(ad, change, instance))
        return false;
    before = instance->config;
    for (size_t i = 0; i < ad->nexpected; i++)
        if (str_equal(ad->expected[i].instance->address, instance->address))
            before = ad->expected[i].config;
    old = path_find(&before, change->path);
    if (old && old->kind == VALUE_NULL)
        old = NULL;
    if (ad->nexpected && adopt_is_done(ad, change, instance))
        return adopt_expect(ad, instance, change, &expected);
    return adopt_change_at(ad, change, instance, old, VALUE_DEPTH_MAX) &&
           adopt_expect(ad, instance, change, &expected);
}

static int by_name(const void *a, const void *b)
{
    const struct adopt_file *x = a, *y = b;
    return str_compare(x->name, y->name);
}

bool adopt_collect(struct adopter *ad, struct adopt_result *ret)
{
    struct adopt_file *file = arena_new(ad->arena, struct adopt_file, ad->ntexts);
    size_t n = 0;
    if (!file)
        return adopt_full(ad);
    for (size_t i = 0; i < ad->ntexts; i++) {
        const struct adopt_text *text = &ad->text[i];
        if (!str_equal(text->before, text->text))
            file[n++] = (struct adopt_file){
                text->name, text->path, text->made ? (struct str){0} : text->before, text->text};
    }
    if (n == 0)
        return adopt_refuse(ad, "the code gives that value already");
    qsort(file, n, sizeof *file, by_name);
    ret->file = file;
    ret->nfiles = n;
    return true;
}

bool adopt_check_code(struct adopter *ad)
{
    const struct hcl_diags *diags = code_diags(ad->code);
    for (size_t i = 0; i < diags->n; i++)
        if (!diags->diag[i].warning)
            return adopt_refuse(ad, "the code is in error at %.*s:%u: %.*s",
                                STR_ARG(diags->diag[i].file), diags->diag[i].line,
                                STR_ARG(diags->diag[i].summary));
    return true;
}

/* What there is to be after all changes. */
static bool expect_all(struct adopter *ad, const struct adopt_change *change, size_t nchanges)
{
    struct adopt_expected *expected;
    for (size_t i = 0; nchanges > 1 && i < nchanges; i++) {
        const struct code_instance *instance = code_find_instance(ad->code, change[i].address);
        if (instance && !adopt_expect(ad, instance, &change[i], &expected))
            return false;
    }
    ad->all = ad->expected;
    ad->nall = ad->nexpected;
    ad->expected = NULL;
    ad->nexpected = ad->room_expected = 0;
    return true;
}

static bool plan(struct adopter *ad, const struct adopt_change *change, size_t nchanges,
                 struct adopt_result *ret)
{
    ret->change = SIZE_MAX;
    if (!adopt_check_code(ad))
        return false;
    if (!expect_all(ad, change, nchanges))
        return false;
    for (size_t i = 0; i < nchanges; i++) {
        ret->change = i;
        ad->partial = i + 1 < nchanges;
        if (!adopt_attempt(ad, apply, &change[i]))
            return false;
    }
    ad->partial = false;
    ret->change = nchanges == 1 ? 0 : SIZE_MAX;
    return adopt_verify(ad) && adopt_collect(ad, ret);
}

bool adopt_finish(struct adopter *ad, bool ok, struct adopt_result *ret)
{
    if (!ok && !ad->refused)
        return false;
    ret->refused = !ok;
    ret->reason = ad->reason;
    ret->origin = ad->origin;
    ret->norigins = ad->norigins;
    ret->has_other_way = ad->has_other_way;
    return true;
}

bool adopt_plan(struct arena *arena, const struct code_options *options, struct code *code,
                const struct adopt_change *change, size_t nchanges, struct adopt_result *ret,
                struct err *err)
{
    struct err own = {0};
    struct adopter ad = {.arena = arena, .options = options, .code = code, .err = err ? err : &own};
    struct adopt_result result = {0}, other = {0};
    bool ok = plan(&ad, change, nchanges, &result);
    code_close(ad.now);
    if (!ok && ad.refused && ad.remade) {
        /* What a dynamic block goes through is of others, too: blocks of their own, then. */
        struct adopter again = {
            .arena = arena, .options = options, .code = code, .err = ad.err, .beside = true};
        bool beside = plan(&again, change, nchanges, &other);
        code_close(again.now);
        if (beside && adopt_finish(&again, true, &other)) {
            *ret = other;
            return true;
        }
        if (!again.refused)
            return false;
    }
    if (!adopt_finish(&ad, ok, &result))
        return false;
    *ret = result;
    return true;
}

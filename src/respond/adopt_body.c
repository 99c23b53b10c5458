/* adopt_body.c - a path of a schema set or unset in a body: attributes, nested blocks. */
#include "base/arena.h"
#include "respond/adopt_parts.h"

static struct path below(struct path path)
{
    return (struct path){path.step + 1, path.n - 1};
}

size_t adopt_blocks_of(struct adopt_job *job, const struct hcl_body *body, struct str type,
                       const struct hcl_block ***ret)
{
    const struct hcl_block *block;
    size_t n = 0;
    *ret = arena_new(job->ad->arena, const struct hcl_block *, body->nblocks);
    for (size_t at = 0; *ret && (block = hcl_find_block(body, type, &at));)
        (*ret)[n++] = block;
    return n;
}

bool adopt_is_dynamic(struct adopt_job *job, const struct hcl_body *body, struct str type)
{
    const struct hcl_block *block;
    for (size_t at = 0; (block = hcl_find_block(body, STR("dynamic"), &at));) {
        if (block->nlabels == 0 || !str_equal(block->label[0].text, type))
            continue;
        const struct hcl_attribute *each = hcl_find_attribute(&block->body, STR("for_each"));
        struct adopt_origin origin = {
            .kind = STR("dynamic"), .name = type, .file = job->file->name};
        struct hcl_obstacle obstacle = {HCL_OBSTACLE_FOR, each ? each->value : NULL, {0}};
        struct str at_text = adopt_at(job->ad, job->file, block->range.start);
        hcl_place(job->file->text, block->range.start, &origin.line, &origin.column);
        adopt_add_origin(job->ad, origin);
        struct str of = each ? adopt_excerpt(job->ad, job->file, each->value) : STR("");
        (void)adopt_refuse(job->ad, "the %.*s blocks are made by a dynamic block at %.*s%s%.*s",
                           STR_ARG(type), STR_ARG(at_text), of.len ? ", one for each of " : "",
                           STR_ARG(of));
        if (each)
            (void)adopt_refuse_obstacle(job->ad, job->instance, job->change->path, job->file,
                                        &obstacle);
        job->ad->has_other_way = job->change->path.n > 1;
        return true;
    }
    return false;
}

/* --- attributes --- */

bool adopt_type_at(struct adopt_job *job, const struct schema_attribute *attribute,
                   struct path rest, const struct type **ret,
                   const struct schema_attribute **ret_attribute)
{
    *ret = attribute ? attribute->type : NULL;
    *ret_attribute = attribute;
    for (size_t i = 0; i < rest.n; i++) {
        const struct path_step *step = &rest.step[i];
        bool member = *ret && (*ret)->kind == TYPE_OBJECT;
        *ret = hcl_type_below(*ret, step);
        if (!attribute || !attribute->nested || !member)
            continue;
        attribute = schema_find_attribute(attribute->nested, step->key);
        *ret_attribute = attribute;
        if (attribute && !adopt_settable(attribute))
            return adopt_refuse(job->ad, "%.*s is a computed attribute: only the provider sets it",
                                STR_ARG(attribute->name));
    }
    return true;
}

bool adopt_new_value(struct adopt_job *job, const struct schema_attribute *attribute,
                     const struct type *type, const struct value *v, struct value *ret)
{
    struct value fitted;
    struct str why, path = path_text(job->ad->arena, job->change->path);
    if (!adopt_fit(job->ad->arena, type, v, &fitted, &why))
        return adopt_refuse(job->ad, "%.*s: the value does not fit the schema: %.*s", STR_ARG(path),
                            STR_ARG(why));
    return adopt_written(job->ad->arena, attribute, type, &fitted, ret) || adopt_full(job->ad);
}

static bool set_attribute(struct adopt_job *job, const struct hcl_body *body,
                          const struct hcl_attribute *written,
                          const struct schema_attribute *attribute, struct path rest)
{
    struct hcl_obstacle obstacle;
    struct value *v = arena_new(job->ad->arena, struct value, 2), *made = v + 1;
    const struct type *type;
    const struct schema_attribute *leaf;
    struct path inner = below(rest);
    if (!v)
        return adopt_full(job->ad);
    if (!adopt_type_at(job, attribute, inner, &type, &leaf) ||
        !adopt_new_value(job, leaf, type, &job->change->value, v))
        return false;
    if (written)
        return hcl_edit_set(&job->edit, written->value, inner, v,
                            (struct hcl_known){job->old, type}, &obstacle) ||
               adopt_refuse_obstacle(job->ad, job->instance, job->change->path, job->file,
                                     &obstacle);
    if (!hcl_edit_nest(job->ad->arena, inner, v, made))
        return adopt_refuse(job->ad, "the code has no list whose element could be set");
    struct hcl_new_item item = {.key = rest.step[0].key, .value = made};
    hcl_edit_add_attributes(&job->edit, body, &item, 1);
    return true;
}

static bool unset_attribute(struct adopt_job *job, const struct hcl_body *body,
                            const struct hcl_attribute *written,
                            const struct schema_attribute *attribute, struct path rest)
{
    struct hcl_obstacle obstacle;
    const struct type *type;
    const struct schema_attribute *leaf;
    if (!written)
        return true;
    if (rest.n > 1)
        return adopt_type_at(job, attribute, below(rest), &type, &leaf) &&
               (hcl_edit_unset(&job->edit, written->value, below(rest),
                               (struct hcl_known){job->old, type}, &obstacle) ||
                adopt_refuse_obstacle(job->ad, job->instance, job->change->path, job->file,
                                      &obstacle));
    if (attribute && attribute->required)
        return adopt_refuse(job->ad, "%.*s is required by the schema: it cannot be left out",
                            STR_ARG(written->name));
    hcl_edit_remove_attribute(&job->edit, body, written);
    return true;
}

/* --- blocks --- */

static const struct schema_block *inner_block(const struct schema_nested_block *nested)
{
    return nested ? nested->block : NULL;
}

static enum schema_nesting nesting_of(const struct schema_nested_block *nested, struct path rest)
{
    if (nested)
        return nested->nesting;
    return rest.n && rest.step[0].kind == PATH_KEY ? NESTING_SINGLE : NESTING_LIST;
}

/* A new block whose content the rest of the path leads to. */
static bool add_block(struct adopt_job *job, const struct hcl_body *body,
                      const struct schema_nested_block *nested, struct str type, struct path rest,
                      const struct str *label, const struct hcl_block *like)
{
    struct value *v = arena_new(job->ad->arena, struct value, 1);
    struct hcl_new_block block;
    if (!v || !hcl_edit_nest(job->ad->arena, rest, &job->change->value, v))
        return adopt_refuse(job->ad, "the code has no %.*s block whose part could be set",
                            STR_ARG(type));
    if (!adopt_new_block(job, type, inner_block(nested), v, like ? &like->body : NULL,
                         HCL_DEPTH_MAX, &block))
        return false;
    block.label = label;
    block.nlabels = label ? 1 : 0;
    hcl_edit_add_blocks(&job->edit, body, &block, 1);
    return true;
}

static bool set_one_block(struct adopt_job *job, const struct hcl_block *block,
                          const struct schema_nested_block *nested, struct path rest)
{
    if (rest.n)
        return adopt_body_set(job, &block->body, inner_block(nested), rest);
    return adopt_body_assign(job, &block->body, inner_block(nested), job->old, &job->change->value,
                             HCL_DEPTH_MAX);
}

static size_t labelled(const struct hcl_block *const *block, size_t n, struct str label)
{
    for (size_t i = 0; i < n; i++)
        if (block[i]->nlabels && str_equal(block[i]->label[0].text, label))
            return i;
    return n;
}

/* Which of the blocks a step means; n: a new one. False (refused): none of them. */
static bool which_block(struct adopt_job *job, const struct hcl_block *const *block, size_t n,
                        const struct path_step *step, size_t *ret)
{
    if (step->kind == PATH_KEY) {
        *ret = labelled(block, n, step->key);
        return true;
    }
    *ret = (size_t)step->index;
    if (step->kind == PATH_INDEX && step->index >= 0 && *ret <= n)
        return true;
    return adopt_refuse(job->ad, "the code has %zu such blocks; there is none that %s", n,
                        step->kind == PATH_INDEX ? "the index names" : "an element of a set names");
}

static bool set_blocks(struct adopt_job *job, const struct hcl_body *body,
                       const struct schema_nested_block *nested, struct str type, struct path rest)
{
    const struct hcl_block **block;
    size_t n = adopt_blocks_of(job, body, type, &block), at = 0;
    enum schema_nesting nesting = nesting_of(nested, rest);
    bool single = nesting == NESTING_SINGLE || nesting == NESTING_GROUP;
    const struct str *label = NULL;
    if (!block)
        return adopt_full(job->ad);
    if (!single && rest.n == 0)
        return adopt_blocks_assign(job, body, nested, type, job->old, &job->change->value,
                                   HCL_DEPTH_MAX);
    if (!single) {
        if (!which_block(job, block, n, &rest.step[0], &at))
            return false;
        label = rest.step[0].kind == PATH_KEY ? &rest.step[0].key : NULL;
        rest = below(rest);
    }
    return at < n ? set_one_block(job, block[at], nested, rest)
                  : add_block(job, body, nested, type, rest, label, n ? block[n - 1] : NULL);
}

static bool unset_blocks(struct adopt_job *job, const struct hcl_body *body,
                         const struct schema_nested_block *nested, struct str type,
                         struct path rest)
{
    const struct hcl_block **block;
    size_t n = adopt_blocks_of(job, body, type, &block), at = 0;
    enum schema_nesting nesting = nesting_of(nested, rest);
    bool single = nesting == NESTING_SINGLE || nesting == NESTING_GROUP;
    if (!block)
        return adopt_full(job->ad);
    for (size_t i = 0; rest.n == 0 && i < n; i++)
        hcl_edit_remove_block(&job->edit, body, block[i]);
    if (rest.n == 0 || n == 0)
        return true;
    if (!single) {
        if (!which_block(job, block, n, &rest.step[0], &at))
            return false;
        rest = below(rest);
    }
    if (at == n)
        return true;
    if (rest.n)
        return adopt_body_unset(job, &block[at]->body, inner_block(nested), rest);
    hcl_edit_remove_block(&job->edit, body, block[at]);
    return true;
}

/* --- either --- */

bool adopt_look_up(struct adopt_job *job, const struct schema_block *block, struct str name,
                   const struct schema_attribute **ret_attribute,
                   const struct schema_nested_block **ret_nested)
{
    *ret_attribute = block ? schema_find_attribute(block, name) : NULL;
    *ret_nested = block ? schema_find_block(block, name) : NULL;
    if (*ret_attribute && !adopt_settable(*ret_attribute))
        return adopt_refuse(job->ad, "%.*s is a computed attribute: only the provider sets it",
                            STR_ARG(name));
    if (block && !*ret_attribute && !*ret_nested)
        return adopt_refuse(job->ad, "%.*s has no attribute and no block \"%.*s\"",
                            STR_ARG(job->instance->type), STR_ARG(name));
    return true;
}

static bool has_block(const struct hcl_body *body, struct str type)
{
    size_t at = 0;
    return hcl_find_block(body, type, &at);
}

bool adopt_body_set(struct adopt_job *job, const struct hcl_body *body,
                    const struct schema_block *block, struct path rest)
{
    struct str name = rest.step[0].key;
    const struct schema_attribute *attribute;
    const struct schema_nested_block *nested;
    const struct hcl_attribute *written = hcl_find_attribute(body, name);
    if (rest.step[0].kind != PATH_KEY)
        return adopt_refuse(job->ad, "an index stands where an attribute's name should");
    if (!adopt_look_up(job, block, name, &attribute, &nested) || adopt_is_dynamic(job, body, name))
        return false;
    if (!written && (nested || has_block(body, name)))
        return set_blocks(job, body, nested, name, below(rest));
    if (!written && !block)
        return adopt_refuse(job->ad,
                            "the schema of %.*s is not known, so that \"%.*s\", which the code "
                            "does not set, may be one that only the provider sets",
                            STR_ARG(job->instance->type), STR_ARG(name));
    return set_attribute(job, body, written, attribute, rest);
}

bool adopt_body_unset(struct adopt_job *job, const struct hcl_body *body,
                      const struct schema_block *block, struct path rest)
{
    struct str name = rest.step[0].key;
    const struct schema_attribute *attribute;
    const struct schema_nested_block *nested;
    const struct hcl_attribute *written = hcl_find_attribute(body, name);
    if (rest.step[0].kind != PATH_KEY)
        return adopt_refuse(job->ad, "an index stands where an attribute's name should");
    if (!adopt_look_up(job, block, name, &attribute, &nested) || adopt_is_dynamic(job, body, name))
        return false;
    if (!written && (nested || has_block(body, name)))
        return unset_blocks(job, body, nested, name, below(rest));
    return unset_attribute(job, body, written, attribute, rest);
}

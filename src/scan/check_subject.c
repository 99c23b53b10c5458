/* check_subject.c - resource_changes of a plan, resources of states, manifests. */
#include "scan/check_subject.h"

#include "base/err.h"
#include "policy/document.h"
#include "value/diff.h"

enum { DEPTH_MAX = 100 };

struct gathering {
    struct arena *arena;
    struct check_resource *item;
    size_t n, room;
    struct err *err;
};

static bool full(struct gathering *g)
{
    return arena_full(g->arena, g->err);
}

static struct check_resource *add(struct gathering *g)
{
    struct check_resource *grown = arena_grow(g->arena, g->item, g->n, &g->room, g->n + 1);
    if (!grown) {
        (void)full(g);
        return NULL;
    }
    g->item = grown;
    grown[g->n] = (struct check_resource){0};
    return &grown[g->n++];
}

static bool path_make(struct gathering *g, const struct path_step *steps, size_t n,
                      const struct path_link *up, struct path *ret)
{
    struct path head = {0};
    if (up && !path_from_link(g->arena, up, &head))
        return full(g);
    struct path_step *all = arena_new(g->arena, struct path_step, head.n + n);
    if (!all)
        return full(g);
    for (size_t i = 0; i < head.n; i++)
        all[i] = head.step[i];
    for (size_t i = 0; i < n; i++)
        all[head.n + i] = steps[i];
    *ret = (struct path){all, head.n + n};
    return true;
}

/* --- marks --- */

static bool is_true(const struct value *v)
{
    return v && v->kind == VALUE_BOOL && v->truth;
}

static bool blend(struct gathering *g, const struct value *v, const struct value *secret,
                  const struct value *unknown, unsigned depth_left, struct value *ret);

static const struct value *item_of(const struct value *v, uint32_t i)
{
    return value_is_list_like(v) && i < v->len ? &v->items[i] : NULL;
}

static bool blend_items(struct gathering *g, const struct value *v, const struct value *secret,
                        const struct value *unknown, unsigned depth_left, struct value *ret)
{
    struct value *items = arena_new(g->arena, struct value, v->len);
    if (!items)
        return full(g);
    for (uint32_t i = 0; i < v->len; i++)
        if (!blend(g, &v->items[i], item_of(secret, i), item_of(unknown, i), depth_left, &items[i]))
            return false;
    ret->items = v->len ? items : NULL;
    return true;
}

/* Members that only `unknown` has are there, too: nobody knows them yet. */
static bool blend_members(struct gathering *g, const struct value *v, const struct value *secret,
                          const struct value *unknown, unsigned depth_left, struct value *ret)
{
    size_t more = value_is_object_like(unknown) ? unknown->len : 0, n = 0;
    struct value_member *members = arena_new(g->arena, struct value_member, v->len + more);
    if (!members)
        return full(g);
    for (uint32_t i = 0; i < v->len; i++) {
        struct str key = key_str(v->members[i].key);
        members[n].key = v->members[i].key;
        if (!blend(g, &v->members[i].value, value_get(secret, key), value_get(unknown, key),
                   depth_left, &members[n++].value))
            return false;
    }
    for (uint32_t i = 0; i < more; i++)
        if (!value_get(v, key_str(unknown->members[i].key)) && is_true(&unknown->members[i].value))
            members[n++] = (struct value_member){unknown->members[i].key, value_unknown(NULL)};
    return value_members(VALUE_OBJECT, members, n, ret, NULL, g->err);
}

/* The value with its marks on it; the parts that nothing marks are shared. */
static bool blend(struct gathering *g, const struct value *v, const struct value *secret,
                  const struct value *unknown, unsigned depth_left, struct value *ret)
{
    *ret = *v;
    if (is_true(unknown)) {
        *ret = value_unknown(NULL);
        return true;
    }
    if (is_true(secret) || depth_left == 0)
        ret->marks |= VALUE_SENSITIVE;
    bool plain =
        (!secret || secret->kind == VALUE_BOOL) && (!unknown || unknown->kind == VALUE_BOOL);
    if (plain || depth_left == 0)
        return true;
    if (value_is_list_like(v))
        return blend_items(g, v, secret, unknown, depth_left - 1, ret);
    if (!value_is_object_like(v))
        return true;
    struct value made;
    if (!blend_members(g, v, secret, unknown, depth_left - 1, &made))
        return false;
    made.marks |= ret->marks;
    *ret = made;
    return true;
}

static const struct value *blended(struct gathering *g, const struct value *v,
                                   const struct value *secret, const struct value *unknown)
{
    struct value *made = arena_new(g->arena, struct value, 1);
    if (!made || !v)
        return made ? NULL : (full(g), NULL);
    return blend(g, v, secret, unknown, DEPTH_MAX, made) ? made : NULL;
}

/* --- plans --- */

static struct str action_of(const struct value *actions)
{
    struct str first =
        value_is_list_like(actions) && actions->len && value_is_string(actions->items)
            ? value_text(actions->items)
            : STR("");
    return value_is_list_like(actions) && actions->len > 1 ? STR("replace") : first;
}

static void describe(const struct value *resource, struct rule_subject *s)
{
    const struct value *index = value_get(resource, STR("index"));
    s->source = RULE_SOURCE_TERRAFORM;
    s->address = value_get_string(resource, STR("address"));
    s->module = value_get_string(resource, STR("module_address"));
    s->mode = value_get_string(resource, STR("mode"));
    s->type = value_get_string(resource, STR("type"));
    s->name = value_get_string(resource, STR("name"));
    s->provider = value_get_string(resource, STR("provider_name"));
    s->index = index ? *index : value_null();
}

static bool add_changes(struct gathering *g, const struct value *before, const struct value *after,
                        struct rule_subject *s)
{
    struct value_diff diff;
    if (!before || !after || before->kind == VALUE_NULL || after->kind == VALUE_NULL)
        return true;
    if (!value_diff(g->arena, before, after, &diff, g->err))
        return false;
    struct rule_change *changes = arena_new(g->arena, struct rule_change, diff.n);
    if (!changes)
        return full(g);
    for (size_t i = 0; i < diff.n; i++) {
        const struct value_change *c = &diff.change[i];
        changes[i] =
            (struct rule_change){.path = c->path,
                                 .path_text = path_text(g->arena, c->path),
                                 .before = c->before,
                                 .after = c->after,
                                 .sensitive = (c->before && value_any_sensitive(c->before)) ||
                                              (c->after && value_any_sensitive(c->after))};
        if (!changes[i].path_text.ptr)
            return full(g);
    }
    s->change = changes;
    s->nchanges = diff.n;
    return true;
}

static bool add_planned(struct gathering *g, const struct value *resource, uint32_t at)
{
    const struct value *change = value_get(resource, STR("change"));
    const struct value *before = value_get(change, STR("before"));
    const struct value *after = value_get(change, STR("after"));
    const struct value *unknown = value_get(change, STR("after_unknown"));
    struct str action = action_of(value_get(change, STR("actions")));
    bool gone = str_equal(action, STR("delete")) || str_equal(action, STR("forget"));
    const struct path_step steps[] = {
        {.kind = PATH_KEY, .key = STR("resource_changes")},
        {.kind = PATH_INDEX, .index = at},
        {.kind = PATH_KEY, .key = STR("change")},
        {.kind = PATH_KEY, .key = gone ? STR("before") : STR("after")}};
    struct check_resource *r = value_is_object_like(change) ? add(g) : NULL;
    if (!r)
        return !value_is_object_like(change);
    r->subject.kind = SUBJECT_CHANGE;
    r->subject.action = action;
    describe(resource, &r->subject);
    before = blended(g, before, value_get(change, STR("before_sensitive")), NULL);
    after = blended(g, after, value_get(change, STR("after_sensitive")), unknown);
    if (g->err->kind || !path_make(g, steps, 4, NULL, &r->path))
        return false;
    r->subject.values = gone ? before : after;
    r->subject.desired = after;
    r->subject.live = before;
    return str_equal(action, STR("update")) || str_equal(action, STR("replace"))
               ? add_changes(g, before, after, &r->subject)
               : true;
}

static bool add_plan(struct gathering *g, const struct value *root)
{
    const struct value *changes = value_get(root, STR("resource_changes"));
    for (uint32_t i = 0; value_is_list_like(changes) && i < changes->len; i++)
        if (!add_planned(g, &changes->items[i], i))
            return false;
    return true;
}

/* --- states --- */

static bool add_module(struct gathering *g, const struct value *module, const struct path_link *up,
                       unsigned depth_left)
{
    const struct value *resources = value_get(module, STR("resources"));
    const struct value *children = value_get(module, STR("child_modules"));
    for (uint32_t i = 0; value_is_list_like(resources) && i < resources->len; i++) {
        const struct value *resource = &resources->items[i];
        const struct path_step steps[] = {{.kind = PATH_KEY, .key = STR("resources")},
                                          {.kind = PATH_INDEX, .index = i},
                                          {.kind = PATH_KEY, .key = STR("values")}};
        struct check_resource *r = add(g);
        if (!r || !path_make(g, steps, 3, up, &r->path))
            return false;
        describe(resource, &r->subject);
        r->subject.values = blended(g, value_get(resource, STR("values")),
                                    value_get(resource, STR("sensitive_values")), NULL);
        if (g->err->kind)
            return false;
    }
    struct path_link list = path_link_key(up, STR("child_modules"));
    for (uint32_t i = 0; depth_left && value_is_list_like(children) && i < children->len; i++) {
        struct path_link one = path_link_index(&list, i);
        if (!add_module(g, &children->items[i], &one, depth_left - 1))
            return false;
    }
    return true;
}

static bool add_state(struct gathering *g, const struct value *root)
{
    struct path_link values = path_link_key(NULL, STR("values"));
    struct path_link module = path_link_key(&values, STR("root_module"));
    return add_module(g, value_get(value_get(root, STR("values")), STR("root_module")), &module,
                      DEPTH_MAX);
}

/* The values of a state file have their marks as paths: what they name is hidden wherever it is
 * printed (secrets.h). */
static bool add_instances(struct gathering *g, const struct value *resource, uint32_t at)
{
    const struct value *instances = value_get(resource, STR("instances"));
    struct str module = value_get_string(resource, STR("module"));
    bool data = str_equal(value_get_string(resource, STR("mode")), STR("data"));
    for (uint32_t i = 0; value_is_list_like(instances) && i < instances->len; i++) {
        const struct value *key = value_get(&instances->items[i], STR("index_key"));
        const struct path_step steps[] = {{.kind = PATH_KEY, .key = STR("resources")},
                                          {.kind = PATH_INDEX, .index = at},
                                          {.kind = PATH_KEY, .key = STR("instances")},
                                          {.kind = PATH_INDEX, .index = i},
                                          {.kind = PATH_KEY, .key = STR("attributes")}};
        struct check_resource *r = add(g);
        if (!r || !path_make(g, steps, 5, NULL, &r->path))
            return false;
        describe(resource, &r->subject);
        r->subject.module = module;
        r->subject.index = key ? *key : value_null();
        r->subject.values = value_get(&instances->items[i], STR("attributes"));
        r->subject.address =
            arena_printf(g->arena, "%.*s%s%s%.*s.%.*s", STR_ARG(module), module.len ? "." : "",
                         data ? "data." : "", STR_ARG(r->subject.type), STR_ARG(r->subject.name));
        if (!r->subject.address.ptr)
            return full(g);
    }
    return true;
}

static bool add_raw_state(struct gathering *g, const struct value *root)
{
    const struct value *resources = value_get(root, STR("resources"));
    for (uint32_t i = 0; value_is_list_like(resources) && i < resources->len; i++)
        if (!add_instances(g, &resources->items[i], i))
            return false;
    return true;
}

/* --- manifests --- */

static bool add_manifest(struct gathering *g, const struct value *root,
                         const struct path_step *steps, size_t n)
{
    const struct value *meta = value_get(root, STR("metadata"));
    struct str space = value_get_string(meta, STR("namespace"));
    struct check_resource *r = value_is_object_like(root) ? add(g) : NULL;
    if (!r)
        return !value_is_object_like(root);
    r->subject.source = RULE_SOURCE_KUBERNETES;
    r->subject.type = value_get_string(root, STR("kind"));
    r->subject.name = value_get_string(meta, STR("name"));
    r->subject.values = root;
    r->subject.address =
        arena_printf(g->arena, "%.*s/%.*s%s%.*s", STR_ARG(r->subject.type), STR_ARG(space),
                     space.len ? "/" : "", STR_ARG(r->subject.name));
    return r->subject.address.ptr ? path_make(g, steps, n, NULL, &r->path) : full(g);
}

bool check_resources_find(struct arena *arena, const struct document *document,
                          struct check_resources *ret, struct err *err)
{
    static const struct path_step request[] = {{.kind = PATH_KEY, .key = STR_INIT("request")},
                                               {.kind = PATH_KEY, .key = STR_INIT("object")}};
    struct gathering g = {.arena = arena, .err = err};
    const struct value *root = document->root;
    bool ok = true;
    if (document->kind == DOCUMENT_PLAN)
        ok = add_plan(&g, root);
    else if (document->kind == DOCUMENT_STATE)
        ok = add_state(&g, root);
    else if (document->kind == DOCUMENT_RAW_STATE)
        ok = add_raw_state(&g, root);
    else if (document->kind == DOCUMENT_MANIFEST)
        ok = add_manifest(&g, root, NULL, 0);
    else if (document->kind == DOCUMENT_REVIEW)
        ok =
            add_manifest(&g, value_get(value_get(root, STR("request")), STR("object")), request, 2);
    *ret = (struct check_resources){g.item, g.n};
    return ok;
}

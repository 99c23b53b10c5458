/* gatekeeper.c - templates and constraints read, compiled, and asked. */
#include "policy/gatekeeper.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "policy/conftest.h"
#include "policy/document.h"
#include "policy/tree.h"
#include "wire/yaml.h"

static const struct str target_name = STR_INIT("admission.k8s.gatekeeper.sh");
static const struct str constraint_group = STR_INIT("constraints.gatekeeper.sh/");

static bool is_template(const struct value *doc)
{
    return str_equal(value_get_string(doc, STR("kind")), STR("ConstraintTemplate")) &&
           str_starts(value_get_string(doc, STR("apiVersion")), STR("templates.gatekeeper.sh/"));
}

static bool is_constraint(const struct value *doc)
{
    return str_starts(value_get_string(doc, STR("apiVersion")), constraint_group);
}

bool gatekeeper_is_part(const struct value *doc)
{
    return is_template(doc) || is_constraint(doc);
}

/* --- reading --- */

static struct location place_of(const struct documents *documents, const struct document *document,
                                const struct value *node)
{
    struct place at = document->yaml ? yaml_place(document->yaml, node) : (struct place){0};
    return (struct location){.file = documents->file, .line = at.line, .column = at.column};
}

static struct str name_of(const struct value *doc)
{
    return value_get_string(value_get(doc, STR("metadata")), STR("name"));
}

static bool wrong(const struct location *at, struct str name, const char *why, struct err *err)
{
    return err_set(err, ERR_SYNTAX, "%.*s:%u:%u: ConstraintTemplate %.*s: %s", STR_ARG(at->file),
                   at->line, at->column, STR_ARG(name), why);
}

/* The Rego of a target: `rego` and `libs`, there or in the `code` of the engine Rego. */
static const struct value *rego_source(const struct value *target, bool *ret_cel)
{
    const struct value *code = value_get(target, STR("code"));
    if (value_get_string(target, STR("rego")).len)
        return target;
    *ret_cel = false;
    for (uint32_t i = 0; value_is_list_like(code) && i < code->len; i++) {
        struct str engine = value_get_string(&code->items[i], STR("engine"));
        if (str_equal(engine, STR("Rego")))
            return value_get(&code->items[i], STR("source"));
        *ret_cel = *ret_cel || str_equal(engine, STR("K8sNativeValidation"));
    }
    return NULL;
}

static const struct value *target_of(const struct value *doc)
{
    const struct value *targets = value_get(value_get(doc, STR("spec")), STR("targets"));
    for (uint32_t i = 0; value_is_list_like(targets) && i < targets->len; i++)
        if (str_equal(value_get_string(&targets->items[i], STR("target")), target_name))
            return &targets->items[i];
    return NULL;
}

static struct str kind_of(const struct value *doc)
{
    const struct value *crd = value_get(value_get(doc, STR("spec")), STR("crd"));
    return value_get_string(value_get(value_get(crd, STR("spec")), STR("names")), STR("kind"));
}

static bool add_template(struct gatekeeper *g, const struct documents *documents,
                         const struct document *document, struct err *err)
{
    struct gatekeeper_template *t = arena_new(g->arena, struct gatekeeper_template, 1);
    struct gatekeeper_template **grown =
        arena_grow(g->arena, g->template, g->ntemplates, &g->template_room, g->ntemplates + 1);
    if (!t || !grown)
        return arena_full(g->arena, err);
    const struct value *doc = document->root, *target = target_of(doc);
    bool cel = false;
    *t = (struct gatekeeper_template){
        .kind = kind_of(doc), .at = place_of(documents, document, doc), .doc = doc};
    if (!t->kind.len)
        return wrong(&t->at, name_of(doc), "spec.crd.spec.names.kind is not set", err);
    if (!target)
        return wrong(&t->at, name_of(doc), "spec.targets has no target admission.k8s.gatekeeper.sh",
                     err);
    const struct value *source = rego_source(target, &cel);
    const struct value *rego = value_get(source, STR("rego"));
    if (!value_is_string(rego) && !cel)
        return wrong(&t->at, name_of(doc), "the target has no Rego", err);
    if (!value_is_string(rego))
        t->cel = STR("its template has only K8sNativeValidation (CEL), which is not evaluated");
    else
        t->rego_line = place_of(documents, document, rego).line;
    g->template = grown;
    grown[g->ntemplates++] = t;
    return true;
}

/* The strictest of those that scoped ones name. */
static struct str action_of(const struct value *spec)
{
    struct str action = value_get_string(spec, STR("enforcementAction"));
    const struct value *scoped = value_get(spec, STR("scopedEnforcementActions"));
    if (!str_equal(action, STR("scoped")))
        return action.len ? action : STR("deny");
    action = STR("dryrun");
    for (uint32_t i = 0; value_is_list_like(scoped) && i < scoped->len; i++) {
        struct str one = value_get_string(&scoped->items[i], STR("action"));
        if (str_equal(one, STR("deny")) ||
            (str_equal(one, STR("warn")) && !str_equal(action, STR("deny"))))
            action = one;
    }
    return action;
}

static bool add_constraint(struct gatekeeper *g, const struct documents *documents,
                           const struct document *document, struct err *err)
{
    const struct value *doc = document->root, *spec = value_get(doc, STR("spec"));
    struct gatekeeper_constraint *grown = arena_grow(g->arena, g->constraint, g->nconstraints,
                                                     &g->constraint_room, g->nconstraints + 1);
    if (!grown)
        return arena_full(g->arena, err);
    g->constraint = grown;
    grown[g->nconstraints++] =
        (struct gatekeeper_constraint){.kind = value_get_string(doc, STR("kind")),
                                       .name = name_of(doc),
                                       .at = place_of(documents, document, doc),
                                       .action = action_of(spec),
                                       .match = value_get(spec, STR("match")),
                                       .parameters = value_get(spec, STR("parameters"))};
    return true;
}

bool gatekeeper_add(struct gatekeeper *gatekeeper, const struct documents *documents,
                    const struct document *document, struct err *err)
{
    if (gatekeeper->ntemplates + gatekeeper->nconstraints >= GATEKEEPER_PARTS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d templates and constraints",
                       GATEKEEPER_PARTS_MAX);
    return is_template(document->root) ? add_template(gatekeeper, documents, document, err)
                                       : add_constraint(gatekeeper, documents, document, err);
}

/* --- inventory --- */

static struct tree *below(struct arena *arena, struct tree *at, struct str key)
{
    struct tree *next = at ? tree_find(at, key) : NULL;
    if (next || !at)
        return next && next->kind == TREE_OBJECT ? next : NULL;
    next = tree_make(arena, TREE_OBJECT);
    return tree_put(arena, at, key, next) ? next : NULL;
}

bool gatekeeper_inventory(struct arena *arena, const struct value *const *objects, size_t n,
                          struct value *ret, struct err *err)
{
    struct tree *root = tree_make(arena, TREE_OBJECT);
    struct tree *spaces = below(arena, root, STR("namespace"));
    struct tree *cluster = below(arena, root, STR("cluster"));
    for (size_t i = 0; i < n && spaces && cluster; i++) {
        const struct value *meta = value_get(objects[i], STR("metadata"));
        struct str space = value_get_string(meta, STR("namespace"));
        struct str name = value_get_string(meta, STR("name"));
        struct tree *at = space.len ? below(arena, spaces, space) : cluster;
        at = below(arena, at, value_get_string(objects[i], STR("apiVersion")));
        at = below(arena, at, value_get_string(objects[i], STR("kind")));
        if (!at)
            return arena_full(arena, err);
        if (!tree_find(at, name) && !tree_put(arena, at, name, tree_leaf(arena, *objects[i])))
            return arena_full(arena, err);
    }
    return spaces && cluster ? tree_value(arena, root, ret, err) : arena_full(arena, err);
}

/* --- compiling --- */

/* {"inventory": ...}: what templates see of data. */
static const struct value *make_data(struct gatekeeper *g, const struct value *inventory)
{
    struct value *data = arena_new(g->arena, struct value, 1);
    struct value_member *members = arena_new(g->arena, struct value_member, 1);
    if (!data || !members)
        return NULL;
    members[0].key = key_make(g->arena, STR("inventory"));
    members[0].value = inventory ? *inventory : (struct value){.kind = VALUE_OBJECT};
    *data = (struct value){.kind = VALUE_OBJECT, .len = 1, .members = members};
    return members[0].key ? data : NULL;
}

static size_t gather(struct gatekeeper *g, const struct gatekeeper_template *t,
                     struct rego_source **ret)
{
    bool cel;
    const struct value *source = rego_source(target_of(t->doc), &cel);
    const struct value *libs = value_get(source, STR("libs"));
    size_t n = 0, most = 1 + (value_is_list_like(libs) ? libs->len : 0);
    bool v0 = !str_equal(value_get_string(source, STR("version")), STR("v1"));
    struct rego_source *sources = arena_new(g->arena, struct rego_source, most);
    *ret = sources;
    if (!sources)
        return 0;
    sources[n++] = (struct rego_source){t->at.file, value_get_string(source, STR("rego")), v0};
    for (uint32_t i = 0; i + 1 < most; i++)
        if (value_is_string(&libs->items[i]))
            sources[n++] = (struct rego_source){
                arena_printf(g->arena, "%.*s (lib %u)", STR_ARG(t->at.file), i + 1),
                value_text(&libs->items[i]), v0};
    return n;
}

static bool compile(struct gatekeeper *g, struct gatekeeper_template *t, const struct value *data,
                    struct rego_diags *diags, struct err *err)
{
    const struct rego_compile_options how = {.keep_print = true};
    struct rego_diags own = {.arena = g->arena};
    AUTO_BUF space = {.limit = 1 << 16};
    struct rego_source *sources;
    size_t n = gather(g, t, &sources);
    if (!n)
        return arena_full(g->arena, err);
    diags = diags ? diags : &own;
    if (!rego_compile(sources, n, data, &how, diags, &t->policy, err))
        return diags->n ? err_set(err, ERR_SYNTAX, "%.*s:%u: ConstraintTemplate %.*s: %s: %.*s",
                                  STR_ARG(t->at.file), t->rego_line + diags->diag[0].row,
                                  STR_ARG(name_of(t->doc)), diags->diag[0].code,
                                  STR_ARG(diags->diag[0].message))
                        : false;
    conftest_space_text(rego_module_at(t->policy, 0), &space);
    struct str name = arena_dup(g->arena, buf_view(&space));
    const struct entries_options entries = {.space = &name, .nspaces = 1, .only = STR("violation")};
    if (!name.ptr)
        return arena_full(g->arena, err);
    return entries_open(g->arena, t->policy, &entries, &t->entries, err) ||
           err_wrap(err, "%.*s: ConstraintTemplate %.*s", STR_ARG(t->at.file),
                    STR_ARG(name_of(t->doc)));
}

bool gatekeeper_compile(struct gatekeeper *gatekeeper, const struct value *inventory,
                        struct rego_diags *diags, struct err *err)
{
    const struct value *data = make_data(gatekeeper, inventory);
    if (!data)
        return arena_full(gatekeeper->arena, err);
    gatekeeper->inventory = inventory;
    for (size_t i = 0; i < gatekeeper->ntemplates; i++)
        if (!gatekeeper->template[i] -> cel.len && !compile(gatekeeper, gatekeeper->template[i],
                                                            data, diags, err))
            return false;
    for (size_t i = 0; i < gatekeeper->nconstraints; i++) {
        struct gatekeeper_constraint *c = &gatekeeper->constraint[i];
        c->template = NULL;
        for (size_t k = 0; k < gatekeeper->ntemplates; k++)
            if (str_equal(gatekeeper->template[k] -> kind, c -> kind))
                c->template = gatekeeper->template[k];
    }
    return true;
}

void gatekeeper_close(struct gatekeeper *gatekeeper)
{
    for (size_t i = 0; i < gatekeeper->ntemplates; i++) {
        entries_close(gatekeeper->template[i] -> entries);
        rego_close(gatekeeper->template[i] -> policy);
        gatekeeper->template[i] -> entries = NULL;
        gatekeeper->template[i] -> policy = NULL;
    }
}

/* --- reviews --- */

static bool object(struct arena *arena, const struct str *keys, const struct value *values,
                   size_t n, struct value *ret, struct err *err)
{
    struct value_member *members = arena_new(arena, struct value_member, n);
    for (size_t i = 0; members && i < n; i++) {
        members[i] = (struct value_member){key_make(arena, keys[i]), values[i]};
        if (!members[i].key)
            return arena_full(arena, err);
    }
    return members ? value_members(VALUE_OBJECT, members, n, ret, NULL, err)
                   : arena_full(arena, err);
}

/* What a request to create the manifest would be. */
static bool review_of(struct arena *arena, const struct value *manifest, struct value *ret,
                      struct err *err)
{
    static const struct str kind_keys[] = {STR_INIT("group"), STR_INIT("kind"),
                                           STR_INIT("version")};
    static const struct str keys[] = {STR_INIT("kind"),      STR_INIT("name"),
                                      STR_INIT("namespace"), STR_INIT("object"),
                                      STR_INIT("operation"), STR_INIT("userInfo")};
    const struct value *meta = value_get(manifest, STR("metadata"));
    struct str version = value_get_string(manifest, STR("apiVersion")), group = {0};
    if (str_find_char(version, '/', 0) != SIZE_MAX)
        (void)str_cut(&version, '/', &group);
    const struct value kind_values[] = {value_string(group.ptr ? group : STR("")),
                                        value_string(value_get_string(manifest, STR("kind"))),
                                        value_string(version)};
    struct value values[] = {value_null(),
                             value_string(value_get_string(meta, STR("name"))),
                             value_string(value_get_string(meta, STR("namespace"))),
                             *manifest,
                             value_string(STR("CREATE")),
                             {.kind = VALUE_OBJECT}};
    return object(arena, kind_keys, kind_values, 3, &values[0], err) &&
           object(arena, keys, values, sizeof keys / sizeof *keys, ret, err);
}

static bool refuse(struct arena *arena, const struct gatekeeper_constraint *c, struct str rule,
                   struct str why, struct objections *ret, struct err *err)
{
    struct objection *grown = arena_grow(arena, ret->item, ret->n, &ret->room, ret->n + 1);
    struct str message = arena_printf(arena, "the constraint is not evaluated: %.*s", STR_ARG(why));
    if (!grown || !message.ptr)
        return arena_full(arena, err);
    ret->item = grown;
    grown[ret->n++] =
        (struct objection){.rule = rule, .message = message, .error = true, .policy = c->at};
    return true;
}

static bool ask(struct arena *arena, const struct gatekeeper_constraint *c, struct str rule,
                const struct value *review, const struct objections_input *of,
                const struct rego_eval_options *options, struct objections *ret, struct err *err)
{
    static const struct str keys[] = {STR_INIT("parameters"), STR_INIT("review")};
    const struct value values[] = {
        c->parameters ? *c->parameters : (struct value){.kind = VALUE_OBJECT}, *review};
    struct objections_input with = *of;
    struct value input;
    struct objections got;
    if (!object(arena, keys, values, 2, &input, err))
        return false;
    with.input = &input;
    if (!objections_find(arena, c->template->entries, &with, options, &got, err))
        return false;
    if (!got.n)
        return true;
    struct objection *grown = arena_grow(arena, ret->item, ret->n, &ret->room, ret->n + got.n);
    if (!grown)
        return arena_full(arena, err);
    ret->item = grown;
    for (size_t i = 0; i < got.n; i++) {
        struct objection *o = &grown[ret->n++];
        *o = got.item[i];
        o->rule = rule;
        o->warning = !str_equal(c->action, STR("deny"));
        if (str_equal(o->policy.file, c->template->at.file) && o->policy.line)
            o->policy.line += c->template->rego_line;
    }
    return true;
}

static bool judge_one(const struct gatekeeper *g, struct arena *arena,
                      const struct gatekeeper_constraint *c, const struct value *review,
                      const struct objections_input *of, const struct rego_eval_options *options,
                      struct objections *ret, struct err *err)
{
    enum gatekeeper_matching matching = gatekeeper_matches(c->match, review, g->inventory);
    struct str rule = arena_printf(arena, "%.*s/%.*s", STR_ARG(c->kind), STR_ARG(c->name));
    if (!rule.ptr)
        return arena_full(arena, err);
    if (matching == GATEKEEPER_NO)
        return true;
    if (!c->template)
        return refuse(arena, c, rule, STR("no ConstraintTemplate of that kind is here"), ret, err);
    if (c->template->cel.len)
        return refuse(arena, c, rule, c->template->cel, ret, err);
    if (matching == GATEKEEPER_UNKNOWN)
        return refuse(arena, c, rule,
                      STR("its namespaceSelector needs the object's Namespace, which is not among "
                          "the documents"),
                      ret, err);
    return ask(arena, c, rule, review, of, options, ret, err);
}

bool gatekeeper_judge(const struct gatekeeper *gatekeeper, struct arena *arena,
                      const struct documents *documents, const struct document *document,
                      const struct rego_eval_options *options, struct objections *ret,
                      struct err *err)
{
    const struct objections_input of = {.documents = documents, .document = document};
    const struct value *request = value_get(document->root, STR("request"));
    struct value review;
    *ret = (struct objections){0};
    if ((document->kind != DOCUMENT_MANIFEST && document->kind != DOCUMENT_REVIEW) ||
        gatekeeper_is_part(document->root))
        return true;
    if (document->kind == DOCUMENT_REVIEW && value_is_object_like(request))
        review = *request;
    else if (!review_of(arena, document->root, &review, err))
        return false;
    for (size_t i = 0; i < gatekeeper->nconstraints; i++)
        if (!judge_one(gatekeeper, arena, &gatekeeper->constraint[i], &review, &of, options, ret,
                       err))
            return false;
    return true;
}

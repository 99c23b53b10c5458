/* gatekeeper.c - templates and constraints read, compiled, and asked. */
#include "policy/gatekeeper.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "lang/rego/lookups.h"
#include "model/decision.h"
#include "policy/conftest.h"
#include "policy/document.h"
#include "policy/spot.h"
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

static struct location place_of(struct arena *arena, const struct documents *documents,
                                const struct document *document, const struct value *node)
{
    struct location at = {.file = documents->file};
    struct spots *spots;
    struct spot spot;
    if (document->yaml) {
        struct place place = yaml_place(document->yaml, node);
        at.line = place.line;
        at.column = place.column;
    } else if (spots_open(arena, documents, document, &spots, NULL) &&
               spots_find(spots, node, node, NULL, 0, &spot)) {
        at = spot.at;
    }
    return at;
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

static bool add_source(struct gatekeeper *g, const struct document *document,
                       struct gatekeeper_template *t, struct str file, const struct value *text,
                       bool v0)
{
    t->source[t->nsources] = (struct rego_source){file, value_text(text), v0};
    t->source_at[t->nsources++] = place_of(g->arena, t->documents, document, text);
    return file.ptr != NULL;
}

/* The template's own text has the name of its file, and libs one of their own each. */
static bool add_sources(struct gatekeeper *g, const struct document *document,
                        struct gatekeeper_template *t, const struct value *source, struct err *err)
{
    const struct value *libs = value_get(source, STR("libs"));
    size_t most = 1 + (value_is_list_like(libs) ? libs->len : 0);
    bool v0 = !str_equal(value_get_string(source, STR("version")), STR("v1"));
    t->source = arena_new(g->arena, struct rego_source, most);
    t->source_at = arena_new(g->arena, struct location, most);
    bool ok = t->source && t->source_at &&
              add_source(g, document, t, t->at.file, value_get(source, STR("rego")), v0);
    for (uint32_t i = 0; ok && i + 1 < most; i++) {
        if (!value_is_string(&libs->items[i]))
            return wrong(&t->at, name_of(t->doc), "a lib is no text", err);
        ok = add_source(g, document, t,
                        arena_printf(g->arena, "%.*s (lib %u)", STR_ARG(t->at.file), i + 1),
                        &libs->items[i], v0);
    }
    return ok || arena_full(g->arena, err);
}

/* The same one twice is one; two that differ would leave it to chance which is asked. */
static bool is_known(const struct gatekeeper *g, const struct gatekeeper_template *t, bool *ret,
                     struct err *err)
{
    *ret = false;
    for (size_t i = 0; i < g->ntemplates; i++) {
        const struct gatekeeper_template *other = g->template[i];
        if (!str_equal(other->kind, t->kind))
            continue;
        *ret = value_equal(other->doc, t->doc);
        return *ret ||
               err_set(err, ERR_SYNTAX,
                       "%.*s:%u:%u: ConstraintTemplate %.*s: another one for the kind "
                       "%.*s is in %.*s:%u",
                       STR_ARG(t->at.file), t->at.line, t->at.column, STR_ARG(name_of(t->doc)),
                       STR_ARG(t->kind), STR_ARG(other->at.file), other->at.line);
    }
    return true;
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
    bool cel = false, known = false;
    g->template = grown;
    *t = (struct gatekeeper_template){.kind = kind_of(doc),
                                      .at = place_of(g->arena, documents, document, doc),
                                      .doc = doc,
                                      .documents = documents};
    if (!t->kind.len)
        return wrong(&t->at, name_of(doc), "spec.crd.spec.names.kind is not set", err);
    if (!target && g->apart)
        return true;
    if (!target)
        return wrong(&t->at, name_of(doc), "spec.targets has no target admission.k8s.gatekeeper.sh",
                     err);
    if (!g->apart && (!is_known(g, t, &known, err) || known))
        return known;
    const struct value *source = rego_source(target, &cel);
    bool rego = value_is_string(value_get(source, STR("rego")));
    if (!rego && !cel)
        return wrong(&t->at, name_of(doc), "the target has no Rego", err);
    if (!rego)
        t->cel = STR("its template has only K8sNativeValidation (CEL), which is not evaluated");
    else if (!add_sources(g, document, t, source, err))
        return false;
    grown[g->ntemplates++] = t;
    return true;
}

static struct str line_at(struct str text, uint32_t line)
{
    struct str got = {0};
    for (bool more = true; more && line > 0; line--)
        more = str_cut(&text, '\n', &got);
    if (line > 0)
        return (struct str){0};
    return got.len && got.ptr[got.len - 1] == '\r' ? str_sub(got, 0, got.len - 1) : got;
}

/*
 * A literal block begins below the line that its value is said to be at, each line of it indented;
 * of a text in one line no more than that line can be told.
 */
struct location gatekeeper_place(const struct gatekeeper_template *t, struct location of)
{
    size_t i = 0;
    while (i < t->nsources && !str_equal(t->source[i].file, of.file))
        i++;
    if (i == t->nsources || !of.line)
        return of;
    struct location at = t->source_at[i];
    struct str have = line_at(t->documents->text, at.line + of.line);
    struct str want = line_at(t->source[i].text, of.line);
    struct str head = line_at(t->documents->text, at.line);
    char first = at.column && at.column <= head.len ? head.ptr[at.column - 1] : '\0';
    if ((first != '|' && first != '>') || !str_ends(have, want))
        return at;
    at.line += of.line;
    at.column = of.column ? of.column + (uint32_t)(have.len - want.len) : 0;
    at.end_line = at.line;
    return at;
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

/* A misspelt action would make a warning of what denies. */
static bool is_action(struct str action, bool scoped)
{
    return str_equal(action, STR("deny")) || str_equal(action, STR("warn")) ||
           str_equal(action, STR("dryrun")) || (scoped && str_equal(action, STR("scoped")));
}

static bool check_actions(const struct value *spec, const char **ret_key)
{
    struct str action = value_get_string(spec, STR("enforcementAction"));
    const struct value *scoped = value_get(spec, STR("scopedEnforcementActions"));
    *ret_key = "enforcementAction";
    if (action.len && !is_action(action, true))
        return false;
    *ret_key = "scopedEnforcementActions";
    for (uint32_t i = 0; value_is_list_like(scoped) && i < scoped->len; i++)
        if (!is_action(value_get_string(&scoped->items[i], STR("action")), false))
            return false;
    return true;
}

static bool check_constraint(const struct gatekeeper_constraint *c, const struct value *spec,
                             struct err *err)
{
    const char *key, *why = gatekeeper_match_wrong(c->match, &key);
    if (!why && !check_actions(spec, &key))
        why = "wants deny, warn or dryrun";
    return !why ||
           err_set(err, ERR_SYNTAX, "%.*s:%u:%u: %.*s %.*s: %s%s %s", STR_ARG(c->at.file),
                   c->at.line, c->at.column, STR_ARG(c->kind), STR_ARG(c->name),
                   str_ends(str_from(key), STR("Action")) || str_ends(str_from(key), STR("Actions"))
                       ? ""
                       : "match.",
                   key, why);
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
    grown[g->nconstraints] =
        (struct gatekeeper_constraint){.kind = value_get_string(doc, STR("kind")),
                                       .name = name_of(doc),
                                       .at = place_of(g->arena, documents, document, doc),
                                       .action = action_of(spec),
                                       .match = value_get(spec, STR("match")),
                                       .parameters = value_get(spec, STR("parameters")),
                                       .lookups = g->lookups ? rego_lookups_make(g->arena) : NULL};
    return check_constraint(&grown[g->nconstraints++], spec, err);
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

static bool told(const struct gatekeeper_template *t, struct rego_diags *diags, struct err *err)
{
    for (size_t i = 0; i < diags->n; i++) {
        struct rego_diag *d = &diags->diag[i];
        const struct location of = {.file = d->file, .line = d->row, .column = d->col};
        struct location at = gatekeeper_place(t, of);
        d->file = at.file;
        d->row = at.line;
        d->col = at.column;
    }
    return diags->n ? err_set(err, ERR_SYNTAX, "%.*s:%u:%u: ConstraintTemplate %.*s: %s: %.*s",
                              STR_ARG(diags->diag[0].file), diags->diag[0].row, diags->diag[0].col,
                              STR_ARG(name_of(t->doc)), diags->diag[0].code,
                              STR_ARG(diags->diag[0].message))
                    : false;
}

static bool compile(struct gatekeeper *g, struct gatekeeper_template *t, const struct value *data,
                    struct rego_diags *diags, struct err *err)
{
    struct rego_compile_options how = {
        .keep_print = true, .deadline_ms = g->timeout_ms, .cancel = g->cancel};
    struct rego_diags own = {.arena = g->arena};
    AUTO_BUF space = {.limit = 1 << 16};
    diags = diags ? diags : &own;
    rego_compile_within(&how, &g->capabilities);
    if (!rego_compile(t->source, t->nsources, data, &how, diags, &t->policy, err))
        return told(t, diags, err);
    rego_allow_all(t->policy);
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

static bool refuse(struct arena *arena, struct gatekeeper_constraint *c, struct str rule,
                   struct str why, struct objections *ret, struct err *err)
{
    struct objection *grown = arena_grow(arena, ret->item, ret->n, &ret->room, ret->n + 1);
    struct str message = arena_printf(arena, "the constraint is not evaluated: %.*s", STR_ARG(why));
    if (!grown || !message.ptr)
        return arena_full(arena, err);
    ret->item = grown;
    c->errors++;
    grown[ret->n++] =
        (struct objection){.rule = rule, .message = message, .error = true, .policy = c->at};
    return true;
}

static bool ask(struct arena *arena, struct gatekeeper_constraint *c, struct str rule,
                const struct value *review, const struct objections_input *of,
                const struct rego_eval_options *options, struct objections *ret, struct err *err)
{
    static const struct str keys[] = {STR_INIT("parameters"), STR_INIT("review")};
    const struct value values[] = {
        c->parameters ? *c->parameters : (struct value){.kind = VALUE_OBJECT}, *review};
    struct objections_input with = *of;
    struct rego_eval_options counted = *options;
    struct value input;
    struct objections got;
    bool failed = false;
    if (!object(arena, keys, values, 2, &input, err))
        return false;
    with.input = &input;
    counted.lookups = c->lookups;
    if (!objections_find(arena, c->template->entries, &with, &counted, &got, err))
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
        failed = failed || o->error;
        o->rule = rule;
        o->warning = !str_equal(c->action, STR("deny"));
        o->policy = gatekeeper_place(c->template, o->policy);
    }
    c->matched += !failed;
    c->errors += failed;
    return true;
}

/* Of a deletion Gatekeeper shows what was there as the object, too. */
static bool request_of(struct arena *arena, const struct value *request, struct value *ret,
                       const char **ret_why, struct err *err)
{
    const struct value *object = value_get(request, STR("object"));
    const struct value *old = value_get(request, STR("oldObject"));
    bool deletes = str_equal(value_get_string(request, STR("operation")), STR("DELETE"));
    *ret = *request;
    if (!value_is_object_like(old) && (deletes || !value_is_object_like(object))) {
        *ret_why = deletes ? "the request to delete has no oldObject"
                           : "the request has neither object nor oldObject";
        return true;
    }
    if (!deletes)
        return true;
    struct value_member *members = arena_new(arena, struct value_member, request->len + 1);
    size_t n = 0;
    for (uint32_t i = 0; members && i < request->len; i++)
        if (!str_equal(key_str(request->members[i].key), STR("object")))
            members[n++] = request->members[i];
    const struct value_key *key = key_make(arena, STR("object"));
    if (!members || !key)
        return arena_full(arena, err);
    members[n++] = (struct value_member){key, *old};
    return value_members(VALUE_OBJECT, members, n, ret, NULL, err);
}

static bool judge_one(const struct gatekeeper *g, struct arena *arena,
                      struct gatekeeper_constraint *c, const struct value *review,
                      const char *not_asked, const struct objections_input *of,
                      const struct rego_eval_options *options, struct objections *ret,
                      struct err *err)
{
    enum gatekeeper_matching matching = gatekeeper_matches(c->match, review, g->inventory);
    struct str rule = arena_printf(arena, "%.*s/%.*s", STR_ARG(c->kind), STR_ARG(c->name));
    if (!rule.ptr)
        return arena_full(arena, err);
    c->asked++;
    c->applicable += not_asked || matching != GATEKEEPER_NO;
    if (not_asked)
        return refuse(arena, c, rule, str_from(not_asked), ret, err);
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

bool gatekeeper_judge(struct gatekeeper *gatekeeper, struct arena *arena,
                      const struct documents *documents, const struct document *document,
                      const struct rego_eval_options *options, struct objections *ret,
                      struct err *err)
{
    const struct objections_input of = {.documents = documents, .document = document};
    const struct value *request = value_get(document->root, STR("request"));
    const char *not_asked = NULL;
    struct value review;
    *ret = (struct objections){0};
    if ((document->kind != DOCUMENT_MANIFEST && document->kind != DOCUMENT_REVIEW) ||
        gatekeeper_is_part(document->root))
        return true;
    if (document->kind == DOCUMENT_MANIFEST) {
        if (!review_of(arena, document->root, &review, err))
            return false;
    } else if (!value_is_object_like(request)) {
        not_asked = "the AdmissionReview has no request";
        review = value_null();
    } else if (!request_of(arena, request, &review, &not_asked, err)) {
        return false;
    }
    for (size_t i = 0; i < gatekeeper->nconstraints; i++)
        if (!judge_one(gatekeeper, arena, &gatekeeper->constraint[i], &review, not_asked, &of,
                       options, ret, err))
            return false;
    return true;
}

bool gatekeeper_report(const struct gatekeeper *gatekeeper, struct arena *arena,
                       struct policy_row *ret)
{
    for (size_t i = 0; i < gatekeeper->nconstraints; i++) {
        const struct gatekeeper_constraint *c = &gatekeeper->constraint[i];
        struct str *never = NULL;
        ret[i] = (struct policy_row){
            .rule = arena_printf(arena, "%.*s/%.*s", STR_ARG(c->kind), STR_ARG(c->name)),
            .at = c->at,
            .asked = c->asked,
            .applicable = c->applicable,
            .matched = c->matched,
            .errors = c->errors};
        if (!ret[i].rule.ptr ||
            (c->lookups && !rego_lookups_never_had(c->lookups, arena, &never, &ret[i].nnever_had)))
            return false;
        ret[i].never_had = never;
    }
    return true;
}

/* lint_templates.c - the Rego inside Gatekeeper's ConstraintTemplates, with the places of the file.
 */
#include "policy/lint.h"

#include "base/arena.h"
#include "base/err.h"
#include "policy/gatekeeper.h"

enum { SCHEMA_DEEP = 64 };

static bool one_member(struct arena *arena, struct str key, const struct value *v,
                       struct value *ret, struct err *err)
{
    struct value_member *member = arena_new(arena, struct value_member, 1);
    const struct value_key *name = key_make(arena, key);
    if (!member || !name)
        return arena_full(arena, err);
    *member = (struct value_member){name, *v};
    *ret = (struct value){.kind = VALUE_OBJECT, .len = 1, .members = member};
    return true;
}

static bool is_open(const struct value *schema)
{
    return value_get_bool(schema, STR("x-kubernetes-preserve-unknown-fields"), false) ||
           value_get(schema, STR("additionalProperties"));
}

/* The schema of parameters with what may hold more than it says as anything. */
static bool closed_parts(struct arena *arena, const struct value *schema, unsigned depth_left,
                         struct value *ret, struct err *err)
{
    *ret = *schema;
    if (depth_left == 0 || is_open(schema))
        *ret = (struct value){.kind = VALUE_OBJECT};
    if (!value_is_object_like(ret) || !ret->len)
        return true;
    struct value_member *members = arena_new(arena, struct value_member, schema->len);
    if (!members)
        return arena_full(arena, err);
    for (uint32_t i = 0; i < schema->len; i++) {
        members[i] = schema->members[i];
        if (value_is_object_like(&schema->members[i].value) &&
            !closed_parts(arena, &schema->members[i].value, depth_left - 1, &members[i].value, err))
            return false;
    }
    ret->members = members;
    return true;
}

/*
 * {properties: {parameters: SCHEMA, review: {}}}; false of *ret_known where the schema is no bound:
 * the old versions keep what it does not name.
 */
static bool input_schema(struct arena *arena, const struct gatekeeper_template *t,
                         struct value *ret, bool *ret_known, struct err *err)
{
    const struct value *crd = value_get(value_get(t->doc, STR("spec")), STR("crd"));
    const struct value *validation = value_get(value_get(crd, STR("spec")), STR("validation"));
    const struct value *schema = value_get(validation, STR("openAPIV3Schema"));
    bool v1 = str_ends(value_get_string(t->doc, STR("apiVersion")), STR("/v1"));
    struct value_member *members = arena_new(arena, struct value_member, 2);
    struct value parameters, both;
    *ret_known =
        value_is_object_like(schema) && !value_get_bool(validation, STR("legacySchema"), !v1);
    if (!*ret_known)
        return true;
    if (!members || !closed_parts(arena, schema, SCHEMA_DEEP, &parameters, err))
        return members ? false : arena_full(arena, err);
    members[0] = (struct value_member){key_make(arena, STR("parameters")), parameters};
    members[1] = (struct value_member){key_make(arena, STR("review")), {.kind = VALUE_OBJECT}};
    if (!members[0].key || !members[1].key)
        return arena_full(arena, err);
    both = (struct value){.kind = VALUE_OBJECT, .len = 2, .members = members};
    return one_member(arena, STR("properties"), &both, ret, err);
}

static bool lint_one(struct arena *arena, const struct gatekeeper_template *t,
                     struct rego_lint **ret, size_t *ret_n, struct err *err)
{
    struct value schema, data, none = {.kind = VALUE_OBJECT};
    bool known;
    if (!input_schema(arena, t, &schema, &known, err) ||
        !one_member(arena, STR("inventory"), &none, &data, err))
        return false;
    uint32_t *before = arena_new(arena, uint32_t, t->nsources);
    if (!before)
        return arena_full(arena, err);
    for (size_t i = 0; i < t->nsources; i++) {
        const struct location first = {.file = t->source[i].file, .line = 1, .column = 1};
        struct location at = gatekeeper_place(t, first);
        before[i] = at.line ? at.line - 1 : 0;
    }
    const struct rego_lint_options how = {
        .data = &data, .schema = known ? &schema : NULL, .before = before};
    if (!rego_lint(arena, t->source, t->nsources, &how, ret, ret_n, err))
        return false;
    for (size_t i = 0; i < *ret_n; i++) {
        struct rego_lint *lint = &(*ret)[i];
        const struct location of = {.file = lint->file, .line = lint->row, .column = lint->col};
        struct location at = gatekeeper_place(t, of);
        lint->file = at.file;
        lint->row = at.line;
        lint->col = at.column;
    }
    return true;
}

bool policy_lint_templates(struct arena *arena, struct gatekeeper *gatekeeper,
                           struct rego_diags *diags, struct rego_lint **ret, size_t *ret_n,
                           struct err *err)
{
    struct rego_lint *all = NULL, *some;
    size_t n = 0, room = 0, nsome;
    *ret = NULL;
    *ret_n = 0;
    if (!gatekeeper_compile(gatekeeper, NULL, diags, err))
        return false;
    for (size_t i = 0; i < gatekeeper->ntemplates; i++) {
        if (gatekeeper->template[i] -> cel.len)
            continue;
        if (!lint_one(arena, gatekeeper->template[i], &some, &nsome, err))
            return false;
        struct rego_lint *grown = arena_grow(arena, all, n, &room, n + nsome + 1);
        if (!grown)
            return arena_full(arena, err);
        all = grown;
        for (size_t k = 0; k < nsome; k++)
            all[n++] = some[k];
    }
    *ret = all;
    *ret_n = n;
    return true;
}

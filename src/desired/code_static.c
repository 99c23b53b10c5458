/* code_static.c - checks against schemas that need no values: paths behind references, depends_on,
 * ephemeral values where they may not be, types that a provider does not have. */
#include "desired/code_parts.h"

static bool fault(const struct code_scope *scope, const struct hcl_file *file,
                  struct hcl_range subject, const char *summary, struct str detail)
{
    code_say(scope->walk, file, subject, false, summary, "%.*s", STR_ARG(detail));
    return false;
}

/* --- paths behind references --- */

static struct hcl_range step_range(const struct hcl_step *step)
{
    struct hcl_range r = step->range;
    r.start -= r.start > 0;
    r.end += step->index;
    return r;
}

/* The rest of the steps on an unknown of that type: the evaluator knows what cannot be. */
static bool check_type(const struct code_scope *scope, const struct hcl_file *file,
                       const struct type *type, const struct hcl_step *step, size_t n)
{
    struct hcl_eval *ev = &scope->walk->code->ev;
    struct hcl_eval before = *ev;
    struct value v = hcl_unknown(ev->arena, type), next;
    bool fine = true;
    ev->file = file->name;
    ev->text = file->text;
    ev->diags = scope->walk->diags;
    for (size_t i = 0; i < n && fine; i++) {
        bool name = !step[i].index && step[i].key.kind == VALUE_STRING;
        fine =
            name ? hcl_get_attribute(ev, &v, value_text(&step[i].key), step_range(&step[i]), &next)
                 : hcl_index(ev, &v, &step[i].key, step_range(&step[i]), &next);
        v = next;
    }
    ev->file = before.file;
    ev->text = before.text;
    ev->diags = before.diags;
    return fine;
}

static bool bad_operation(const struct code_scope *scope, const struct hcl_file *file,
                          const struct hcl_step *step)
{
    struct arena *arena = &scope->walk->code->arena;
    if (step->key.kind == VALUE_STRING)
        return fault(scope, file, step_range(step), "Invalid index operation",
                     arena_printf(arena,
                                  "Only attribute access is allowed here. Did you mean to access "
                                  "attribute \"%.*s\" using the dot operator?",
                                  STR_ARG(value_text(&step->key))));
    return fault(scope, file, step_range(step), "Invalid index operation",
                 STR("Only attribute access is allowed here, using the dot operator."));
}

static bool unsupported(const struct code_scope *scope, const struct hcl_file *file,
                        const struct schema_block *block, const struct hcl_step *step)
{
    struct arena *arena = &scope->walk->code->arena;
    struct str *names = arena_new(arena, struct str, block->nattributes + block->nblocks);
    struct str name = value_text(&step->key), near = {0};
    size_t n = 0;
    for (size_t i = 0; names && i < block->nattributes; i++)
        names[n++] = block->attributes[i].name;
    for (size_t i = 0; names && i < block->nblocks; i++)
        names[n++] = block->blocks[i].name;
    if (names)
        near = str_nearest(name, names, n);
    return fault(scope, file, step_range(step), "Unsupported attribute",
                 arena_printf(arena,
                              "This object has no argument, nested block, or exported attribute "
                              "named \"%.*s\".%s%.*s%s",
                              STR_ARG(name), near.len ? " Did you mean \"" : "", STR_ARG(near),
                              near.len ? "\"?" : ""));
}

/* Into a nested block: how many steps it takes to be at an object. False: said why not. */
static bool enter_block(const struct code_scope *scope, const struct hcl_file *file,
                        const struct schema_nested_block *b, const struct hcl_step *step, size_t n,
                        size_t *ret_taken)
{
    struct arena *arena = &scope->walk->code->arena;
    *ret_taken = b->nesting == NESTING_SINGLE || b->nesting == NESTING_GROUP ? 0 : 1;
    if (*ret_taken == 0 || n == 0)
        return true;
    if (b->nesting == NESTING_SET)
        return fault(scope, file, step_range(step), "Cannot index a set value",
                     arena_printf(arena,
                                  "Block type \"%.*s\" is represented by a set of objects, and set "
                                  "elements do not have addressable keys. To find elements "
                                  "matching specific criteria, use a \"for\" expression with an "
                                  "\"if\" clause.",
                                  STR_ARG(b->name)));
    if (b->nesting == NESTING_LIST && !step->index)
        return fault(scope, file, step_range(step), "Invalid operation",
                     arena_printf(arena,
                                  "Block type \"%.*s\" is represented by a list of objects, so it "
                                  "must be indexed using a numeric key, like .%.*s[0].",
                                  STR_ARG(b->name), STR_ARG(b->name)));
    return true;
}

bool code_check_traversal(const struct code_scope *scope, const struct hcl_file *file,
                          const struct schema_block *block, const struct hcl_step *step, size_t n)
{
    while (n) {
        if (step->index || step->key.kind != VALUE_STRING)
            return bad_operation(scope, file, step);
        struct str name = value_text(&step->key);
        const struct schema_attribute *a = schema_find_attribute(block, name);
        const struct schema_nested_block *b = schema_find_block(block, name);
        size_t taken;
        if (a && a->deprecated)
            code_say(scope->walk, file, step_range(step), true, "Deprecated attribute",
                     "The attribute \"%.*s\" is deprecated. Refer to the provider documentation "
                     "for details.",
                     STR_ARG(name));
        if (a)
            return check_type(scope, file, a->type ? a->type : &type_dynamic, step + 1, n - 1);
        if (!b)
            return unsupported(scope, file, block, step);
        if (!enter_block(scope, file, b, step + 1, n - 1, &taken))
            return false;
        if (n - 1 < taken)
            return true;
        step += 1 + taken;
        n -= 1 + taken;
        block = b->block;
    }
    return true;
}

/* --- depends_on --- */

bool code_check_depends_on(const struct code_scope *scope, const struct code_expr *list, size_t n)
{
    bool fine = true;
    for (size_t i = 0; i < n; i++) {
        struct hcl_traversal t;
        struct code_ref ref;
        if (!hcl_static_traversal(&scope->walk->code->arena, list[i].expr, &t))
            continue; /* decoding has said so */
        code_ref_parse(scope->walk->code, list[i].file, &t, &ref);
        if (ref.kind != CODE_REF_INVALID && ref.nrest)
            fine = fault(scope, list[i].file,
                         (struct hcl_range){step_range(ref.rest).start, t.range.end},
                         "Invalid depends_on reference",
                         STR("References in depends_on must be to a whole object (resource, etc), "
                             "not to an attribute of an object."));
        if (fine && !code_check_refs(scope, (struct code_refs){&ref, 1}))
            fine = false;
    }
    return fine;
}

/* --- where an attribute is --- */

struct code_place code_attribute_place(struct code *code, const struct code_resource *r,
                                       struct str name)
{
    struct hcl_attribute_spec attribute = {.name = name};
    struct hcl_body_spec spec = {.attribute = &attribute, .nattributes = 1};
    struct code_place place = r->place;
    const struct code_body *bodies;
    size_t n = code_bodies_of(code, r, &bodies);
    for (size_t i = 0; i < n; i++) {
        struct hcl_diags quiet = {.arena = &code->arena};
        struct hcl_content content;
        if (!hcl_body_content(&code->arena, bodies[i].file, bodies[i].body, &spec, true, &quiet,
                              &content) ||
            !content.nattributes)
            continue;
        place.file = bodies[i].file;
        place.range = content.attribute[0].value->range;
    }
    return place;
}

/* --- ephemeral values --- */

struct ephemeral_search {
    const struct code_scope *scope;
    const struct code_resource *resource;
    bool fine;
};

static void say_ephemeral(struct ephemeral_search *s, struct str top, struct str path,
                          bool attribute)
{
    struct code_place at = code_attribute_place(s->scope->walk->code, s->resource, top);
    s->fine = fault(s->scope, at.file, at.range, "Invalid use of ephemeral value",
                    arena_printf(&s->scope->walk->code->arena,
                                 attribute ? "Ephemeral values are not valid for \"%.*s\", because "
                                             "it is not a write-only attribute and must be "
                                             "persisted to state."
                                           : "Ephemeral values are not valid for \"%.*s\", because "
                                             "it is not an assignable attribute.",
                                 STR_ARG(path)));
}

/* Every ephemeral value below v; schema NULL: below an attribute. */
static void search(struct ephemeral_search *s, const struct schema_block *block, struct str top,
                   struct str path, const struct value *v, unsigned depth_left)
{
    struct arena *arena = &s->scope->walk->code->arena;
    if (depth_left == 0 || !(hcl_deep_marks(v) & VALUE_EPHEMERAL))
        return;
    if (v->marks & VALUE_EPHEMERAL) {
        say_ephemeral(s, top, path, !block);
        return;
    }
    for (uint32_t i = 0; value_is_list_like(v) && i < v->len; i++)
        search(s, block, top, arena_printf(arena, "%.*s[%u]", STR_ARG(path), i), &v->items[i],
               depth_left - 1);
    for (uint32_t i = 0; value_is_object_like(v) && i < v->len; i++) {
        struct str name = key_str(v->members[i].key);
        const struct schema_attribute *a =
            block && v->kind == VALUE_OBJECT ? schema_find_attribute(block, name) : NULL;
        const struct schema_nested_block *b = block && !a ? schema_find_block(block, name) : NULL;
        struct str at =
            path.len ? arena_printf(arena, "%.*s.%.*s", STR_ARG(path), STR_ARG(name)) : name;
        if (a && a->write_only)
            continue;
        search(s,
               a   ? a->nested
               : b ? b->block
                   : NULL,
               top.len ? top : name, at, &v->members[i].value, depth_left - 1);
    }
}

bool code_check_ephemeral(const struct code_scope *scope, const struct code_resource *resource,
                          const struct schema_block *block, const struct value *config)
{
    struct ephemeral_search s = {.scope = scope, .resource = resource, .fine = true};
    if (resource->mode != CODE_EPHEMERAL)
        search(&s, block, STR(""), STR(""), config, CODE_BODY_DEPTH_MAX);
    return s.fine;
}

/* --- types that are not there --- */

bool code_say_no_type(struct code_walk *walk, const struct code_resource *r)
{
    static const struct {
        const char *summary, *what;
    } kinds[] = {[CODE_MANAGED] = {"Invalid resource type", "resource type"},
                 [CODE_DATA] = {"Invalid data source", "data source"},
                 [CODE_EPHEMERAL] = {"Invalid ephemeral resource", "ephemeral resource"}};
    code_say(walk, r->place.file, r->place.range, false, kinds[r->mode].summary,
             "The provider %.*s does not support %s \"%.*s\".", STR_ARG(r->provider_source),
             kinds[r->mode].what, STR_ARG(r->type));
    return false;
}

/* tf_reference.c - the first word of a reference decides: one row of `roots` for each. */
#include "desired/tf_reference.h"

#include "base/arena.h"

static bool problem(struct tf_problem *ret, const char *summary, struct str detail)
{
    *ret = (struct tf_problem){str_from(summary), detail};
    return false;
}

/* The name of step i, if it is one: .name, and ["name"] where Terraform takes that. */
static struct str name_at(const struct hcl_traversal *t, size_t i)
{
    if (i >= t->n || t->step[i].index || t->step[i].key.kind != VALUE_STRING)
        return (struct str){0};
    return value_text(&t->step[i].key);
}

static struct str attributes_of(const char *object)
{
    static const struct {
        const char *object, *names;
    } known[] = {{"path", " module root cwd "},
                 {"terraform", " workspace applying "},
                 {"tofu", " workspace applying "},
                 {"count", " index "},
                 {"each", " key value "}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_equal(str_from(object), str_from(known[i].object)))
            return str_from(known[i].names);
    return (struct str){0};
}

static bool cannot_be_alone(struct arena *arena, const struct hcl_traversal *t,
                            struct tf_problem *ret)
{
    return problem(ret, "Invalid reference",
                   arena_printf(arena,
                                "The \"%.*s\" object cannot be accessed directly. Instead, access "
                                "one of its attributes.",
                                STR_ARG(t->root)));
}

/* path, terraform, count, each: one of their attributes. */
static bool check_object(struct arena *arena, const struct hcl_traversal *t, const char *object,
                         bool available, struct tf_problem *ret)
{
    struct str name = name_at(t, 0);
    if (!name.ptr)
        return cannot_be_alone(arena, t, ret);
    struct str padded = arena_printf(arena, " %.*s ", STR_ARG(name));
    bool known = padded.ptr && str_find(attributes_of(object), padded, 0) != SIZE_MAX;
    if (known && available)
        return true;
    if (known)
        return problem(ret,
                       arena_printf(arena, "Reference to \"%s\" in %s context", object,
                                    str_equal(t->root, STR("count")) ? "non-counted"
                                                                     : "context without for_each")
                           .ptr,
                       arena_printf(arena,
                                    "The \"%s\" object can only be used in \"module\", "
                                    "\"resource\", and \"data\" blocks, and only when the "
                                    "\"%s\" argument is set.",
                                    object,
                                    str_equal(t->root, STR("count")) ? "count" : "for_each"));
    return problem(ret, arena_printf(arena, "Invalid \"%s\" attribute", object).ptr,
                   arena_printf(arena,
                                "The \"%s\" object does not have an attribute named \"%.*s\".",
                                object, STR_ARG(name)));
}

static bool check_named(struct arena *arena, const struct hcl_traversal *t, enum tf_noun noun,
                        const struct tf_names *names, struct tf_problem *ret)
{
    struct str name = name_at(t, 0);
    if (!name.ptr)
        return cannot_be_alone(arena, t, ret);
    if (names->declared(names->ctx, noun, STR(""), name))
        return true;
    if (noun == TF_VARIABLE)
        return problem(ret, "Reference to undeclared input variable",
                       arena_printf(arena,
                                    "An input variable with the name \"%.*s\" has not been "
                                    "declared. This variable can be declared with a variable "
                                    "\"%.*s\" {} block.",
                                    STR_ARG(name), STR_ARG(name)));
    if (noun == TF_LOCAL)
        return problem(ret, "Reference to undeclared local value",
                       arena_printf(arena,
                                    "A local value with the name \"%.*s\" has not been declared.",
                                    STR_ARG(name)));
    return problem(ret, "Reference to undeclared module",
                   arena_printf(arena,
                                "No module call named \"%.*s\" is declared in the root module.",
                                STR_ARG(name)));
}

/* TYPE.NAME with the type at step `at` - 1 (0 = the root is the type). */
static bool check_resource(struct arena *arena, const struct hcl_traversal *t, enum tf_noun noun,
                           size_t at, const struct tf_names *names, struct tf_problem *ret)
{
    static const char *const kinds[] = {
        [TF_RESOURCE] = "managed", [TF_DATA] = "data", [TF_EPHEMERAL] = "ephemeral"};
    struct str type = at == 0 ? t->root : name_at(t, at - 1), name = name_at(t, at);
    if (type.ptr && name.ptr && names->declared(names->ctx, noun, type, name))
        return true;
    if (type.ptr && name.ptr)
        return problem(ret, "Reference to undeclared resource",
                       arena_printf(arena,
                                    "A %s resource \"%.*s\" \"%.*s\" has not been declared in the "
                                    "root module.",
                                    kinds[noun], STR_ARG(type), STR_ARG(name)));
    if (noun == TF_DATA)
        return problem(ret, "Invalid reference",
                       STR("The \"data\" object must be followed by two attribute names: the data "
                           "source type and the resource name."));
    return problem(ret, "Invalid reference",
                   STR("A reference to a resource type must be followed by at least one attribute "
                       "access, specifying the resource name."));
}

bool tf_reference_check(struct arena *arena, const struct hcl_traversal *t,
                        const struct tf_names *names, struct tf_problem *ret)
{
    static const struct {
        const char *root;
        enum { NAMED, RESOURCE, OBJECT, SELF, RESERVED } kind;
        enum tf_noun noun;
    } roots[] = {
        {"var", NAMED, TF_VARIABLE},
        {"local", NAMED, TF_LOCAL},
        {"module", NAMED, TF_MODULE},
        {"data", RESOURCE, TF_DATA},
        {"resource", RESOURCE, TF_RESOURCE},
        {"ephemeral", RESOURCE, TF_EPHEMERAL},
        {"path", OBJECT, 0},
        {"terraform", OBJECT, 0},
        {"tofu", OBJECT, 0},
        {"count", OBJECT, 0},
        {"each", OBJECT, 0},
        {"self", SELF, 0},
        {"template", RESERVED, 0},
        {"lazy", RESERVED, 0},
        {"arg", RESERVED, 0},
    };
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
        const char *root = roots[i].root;
        if (!str_equal(t->root, str_from(root)))
            continue;
        if (roots[i].kind == NAMED)
            return check_named(arena, t, roots[i].noun, names, ret);
        if (roots[i].kind == RESOURCE)
            return check_resource(arena, t, roots[i].noun, 1, names, ret);
        if (roots[i].kind == RESERVED)
            return problem(ret, "Reserved symbol name",
                           arena_printf(arena,
                                        "The symbol name \"%s\" is reserved for use in a future "
                                        "Terraform version.",
                                        root));
        if (roots[i].kind == OBJECT)
            return check_object(arena, t, root,
                                root[0] == 'c'   ? names->has_count
                                : root[0] == 'e' ? names->has_each
                                                 : true,
                                ret);
        return names->has_self ||
               problem(ret, "Invalid \"self\" reference",
                       STR("The \"self\" object is not available in this context. This object can "
                           "be used only in resource provisioner, connection, and postcondition "
                           "blocks."));
    }
    return check_resource(arena, t, TF_RESOURCE, 0, names, ret);
}

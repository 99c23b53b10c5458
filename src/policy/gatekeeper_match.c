/* gatekeeper_match.c - which objects a constraint is for: its `match`.
 * Source: open-policy-agent.github.io/gatekeeper/website/docs/howto (the match field)
 */
#include "policy/gatekeeper.h"

#include <string.h>

/* One of the two objects of a request; of either, what is for it is for the request. */
struct subject {
    const struct value *object, *review;
};

static const struct value *meta_of(const struct subject *s)
{
    return value_get(s->object, STR("metadata"));
}

static const struct value *labels_of(const struct value *object)
{
    return value_get(value_get(object, STR("metadata")), STR("labels"));
}

/* Of what it says itself, as Gatekeeper reads it; of the request, where it says nothing. */
static struct str kind_of(const struct subject *s)
{
    struct str kind = value_get_string(s->object, STR("kind"));
    return kind.len ? kind : value_get_string(value_get(s->review, STR("kind")), STR("kind"));
}

static struct str group_of(const struct subject *s)
{
    struct str group, version = value_get_string(s->object, STR("apiVersion"));
    if (!version.len)
        return value_get_string(value_get(s->review, STR("kind")), STR("group"));
    return str_cut(&version, '/', &group) ? group : STR("");
}

/* A name with * in front, behind, or both. */
static bool wildcard(struct str pattern, struct str name)
{
    bool before = str_starts(pattern, STR("*")),
         behind = pattern.len > 1 && str_ends(pattern, STR("*"));
    struct str part = str_sub(pattern, before, pattern.len - behind);
    if (before && behind)
        return str_find(name, part, 0) != SIZE_MAX;
    return before   ? str_ends(name, part)
           : behind ? str_starts(name, part)
                    : str_equal(pattern, name);
}

static bool any_is(const struct value *list, struct str name, bool wild)
{
    for (uint32_t i = 0; value_is_list_like(list) && i < list->len; i++) {
        struct str item = value_is_string(&list->items[i]) ? value_text(&list->items[i]) : STR("");
        if (wild ? wildcard(item, name) : str_equal(item, STR("*")) || str_equal(item, name))
            return true;
    }
    return false;
}

/* A list that is empty, or not there, is of everything. */
static bool allows(const struct value *list, struct str name, bool wild)
{
    return !value_is_list_like(list) || !list->len || any_is(list, name, wild);
}

static bool kinds_match(const struct value *kinds, const struct subject *s)
{
    if (!value_is_list_like(kinds) || !kinds->len)
        return true;
    for (uint32_t i = 0; i < kinds->len; i++)
        if (allows(value_get(&kinds->items[i], STR("apiGroups")), group_of(s), false) &&
            allows(value_get(&kinds->items[i], STR("kinds")), kind_of(s), false))
            return true;
    return false;
}

static bool is_namespace(const struct subject *s)
{
    return str_equal(kind_of(s), STR("Namespace")) && !group_of(s).len;
}

static struct str namespace_of(const struct subject *s)
{
    if (is_namespace(s))
        return value_get_string(meta_of(s), STR("name"));
    struct str name = value_get_string(s->review, STR("namespace"));
    return name.len ? name : value_get_string(meta_of(s), STR("namespace"));
}

/* What is in no namespace is neither chosen nor passed over by one. */
static bool namespaces_match(const struct value *match, const struct subject *s)
{
    const struct value *chosen = value_get(match, STR("namespaces"));
    const struct value *excluded = value_get(match, STR("excludedNamespaces"));
    struct str name = namespace_of(s);
    return !name.len || (allows(chosen, name, true) && !any_is(excluded, name, true));
}

static bool scope_matches(struct str scope, const struct subject *s)
{
    bool cluster = is_namespace(s) || !namespace_of(s).len;
    return str_equal(scope, STR("Cluster"))      ? cluster
           : str_equal(scope, STR("Namespaced")) ? !cluster
                                                 : true;
}

/* A name to be, of which only the beginning is known, fits what asks for no end. */
static bool name_matches(struct str wanted, const struct subject *s)
{
    struct str begun = value_get_string(meta_of(s), STR("generateName"));
    return !wanted.len || wildcard(wanted, value_get_string(meta_of(s), STR("name"))) ||
           (begun.len && str_ends(wanted, STR("*")) && wildcard(wanted, begun));
}

static bool expression_matches(const struct value *expression, const struct value *labels)
{
    struct str key = value_get_string(expression, STR("key"));
    struct str op = value_get_string(expression, STR("operator"));
    const struct value *label = value_get(labels, key);
    const struct value *values = value_get(expression, STR("values"));
    bool in = value_is_string(label) && any_is(values, value_text(label), false);
    return str_equal(op, STR("In"))             ? in
           : str_equal(op, STR("NotIn"))        ? !in
           : str_equal(op, STR("Exists"))       ? label != NULL
           : str_equal(op, STR("DoesNotExist")) ? label == NULL
                                                : false;
}

static bool selector_matches(const struct value *selector, const struct value *labels)
{
    const struct value *wanted = value_get(selector, STR("matchLabels"));
    const struct value *expressions = value_get(selector, STR("matchExpressions"));
    for (uint32_t i = 0; value_is_object_like(wanted) && i < wanted->len; i++) {
        const struct value *label = value_get(labels, key_str(wanted->members[i].key));
        if (!label || !value_equal(label, &wanted->members[i].value))
            return false;
    }
    for (uint32_t i = 0; value_is_list_like(expressions) && i < expressions->len; i++)
        if (!expression_matches(&expressions->items[i], labels))
            return false;
    return true;
}

static enum gatekeeper_matching namespace_matches(const struct value *selector,
                                                  const struct subject *s,
                                                  const struct value *inventory)
{
    struct str name = namespace_of(s);
    const struct value *space = is_namespace(s) ? s->object : NULL;
    if (!value_is_object_like(selector) || (!space && !name.len))
        return GATEKEEPER_YES;
    if (!space)
        space = value_get(
            value_get(value_get(value_get(inventory, STR("cluster")), STR("v1")), STR("Namespace")),
            name);
    if (!space)
        return GATEKEEPER_UNKNOWN;
    return selector_matches(selector, labels_of(space)) ? GATEKEEPER_YES : GATEKEEPER_NO;
}

static enum gatekeeper_matching subject_matches(const struct value *match, const struct subject *s,
                                                const struct value *inventory)
{
    const struct value *selector = value_get(match, STR("labelSelector"));
    if (!value_is_object_like(s->object) || !kinds_match(value_get(match, STR("kinds")), s) ||
        !namespaces_match(match, s) || !scope_matches(value_get_string(match, STR("scope")), s) ||
        (selector && !selector_matches(selector, labels_of(s->object))) ||
        !name_matches(value_get_string(match, STR("name")), s) ||
        str_equal(value_get_string(match, STR("source")), STR("Generated")))
        return GATEKEEPER_NO;
    return namespace_matches(value_get(match, STR("namespaceSelector")), s, inventory);
}

enum gatekeeper_matching gatekeeper_matches(const struct value *match, const struct value *review,
                                            const struct value *inventory)
{
    static const struct str names[] = {STR_INIT("object"), STR_INIT("oldObject")};
    enum gatekeeper_matching all = match ? GATEKEEPER_NO : GATEKEEPER_YES;
    for (size_t i = 0; i < 2 && all != GATEKEEPER_YES; i++) {
        const struct subject s = {value_get(review, names[i]), review};
        enum gatekeeper_matching one = subject_matches(match, &s, inventory);
        all = one == GATEKEEPER_NO ? all : one;
    }
    return all;
}

/* --- what can never be meant --- */

static const char *selector_wrong(const struct value *selector)
{
    const struct value *all = value_get(selector, STR("matchExpressions"));
    if (selector && selector->kind != VALUE_NULL && !value_is_object_like(selector))
        return "is no object";
    for (uint32_t i = 0; value_is_list_like(all) && i < all->len; i++) {
        struct str op = value_get_string(&all->items[i], STR("operator"));
        const struct value *values = value_get(&all->items[i], STR("values"));
        bool some = value_is_list_like(values) && values->len;
        bool listed = str_equal(op, STR("In")) || str_equal(op, STR("NotIn"));
        if (!listed && !str_equal(op, STR("Exists")) && !str_equal(op, STR("DoesNotExist")))
            return "has an operator that is not In, NotIn, Exists or DoesNotExist";
        if (listed != some)
            return listed ? "has In or NotIn without values" : "has values that nothing asks for";
    }
    return NULL;
}

const char *gatekeeper_match_wrong(const struct value *match, const char **ret_key)
{
    static const char *const selectors[] = {"labelSelector", "namespaceSelector"};
    static const struct str sources[] = {STR_INIT(""), STR_INIT("All"), STR_INIT("Generated"),
                                         STR_INIT("Original")};
    const char *why = NULL;
    *ret_key = "source";
    for (size_t i = 0; i < 2 && !why; i++) {
        why = selector_wrong(value_get(match, str_from(selectors[i])));
        *ret_key = why ? selectors[i] : *ret_key;
    }
    for (size_t i = 0; i < sizeof sources / sizeof *sources && !why; i++)
        if (str_equal(value_get_string(match, STR("source")), sources[i]))
            return NULL;
    return why ? why : "is not All, Generated or Original";
}

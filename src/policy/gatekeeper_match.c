/* gatekeeper_match.c - which objects a constraint is for: its `match`.
 * Source: open-policy-agent.github.io/gatekeeper/website/docs/howto (the match field)
 */
#include "policy/gatekeeper.h"

#include <string.h>

/* The object that it is about: of a deletion, the one that was there. */
static const struct value *object_of(const struct value *review)
{
    const struct value *object = value_get(review, STR("object"));
    return value_is_object_like(object) ? object : value_get(review, STR("oldObject"));
}

static const struct value *labels_of(const struct value *object)
{
    return value_get(value_get(object, STR("metadata")), STR("labels"));
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

static bool kinds_match(const struct value *kinds, const struct value *review)
{
    const struct value *kind = value_get(review, STR("kind"));
    if (!value_is_list_like(kinds) || !kinds->len)
        return true;
    for (uint32_t i = 0; i < kinds->len; i++) {
        const struct value *groups = value_get(&kinds->items[i], STR("apiGroups"));
        const struct value *names = value_get(&kinds->items[i], STR("kinds"));
        if ((!groups || any_is(groups, value_get_string(kind, STR("group")), false)) &&
            (!names || any_is(names, value_get_string(kind, STR("kind")), false)))
            return true;
    }
    return false;
}

static bool is_namespace(const struct value *review)
{
    const struct value *kind = value_get(review, STR("kind"));
    return str_equal(value_get_string(kind, STR("kind")), STR("Namespace")) &&
           !value_get_string(kind, STR("group")).len;
}

static struct str namespace_of(const struct value *review)
{
    const struct value *meta = value_get(object_of(review), STR("metadata"));
    if (is_namespace(review))
        return value_get_string(meta, STR("name"));
    struct str name = value_get_string(review, STR("namespace"));
    return name.len ? name : value_get_string(meta, STR("namespace"));
}

/* What is in no namespace is neither chosen nor passed over by one. */
static bool namespaces_match(const struct value *match, const struct value *review)
{
    const struct value *chosen = value_get(match, STR("namespaces"));
    const struct value *excluded = value_get(match, STR("excludedNamespaces"));
    struct str name = namespace_of(review);
    if (!name.len)
        return true;
    return !(value_is_list_like(chosen) && chosen->len && !any_is(chosen, name, true)) &&
           !any_is(excluded, name, true);
}

static bool scope_matches(struct str scope, const struct value *review)
{
    bool cluster = is_namespace(review) || !namespace_of(review).len;
    return !scope.len || str_equal(scope, STR("*")) ||
           str_equal(scope, cluster ? STR("Cluster") : STR("Namespaced"));
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
                                                  const struct value *review,
                                                  const struct value *inventory)
{
    struct str name = namespace_of(review);
    const struct value *space = is_namespace(review) ? object_of(review) : NULL;
    if (!selector || !name.len)
        return GATEKEEPER_YES;
    if (!space)
        space = value_get(
            value_get(value_get(value_get(inventory, STR("cluster")), STR("v1")), STR("Namespace")),
            name);
    if (!space)
        return GATEKEEPER_UNKNOWN;
    return selector_matches(selector, labels_of(space)) ? GATEKEEPER_YES : GATEKEEPER_NO;
}

static bool labels_match(const struct value *selector, const struct value *review)
{
    const struct value *object = value_get(review, STR("object"));
    const struct value *old = value_get(review, STR("oldObject"));
    if (!selector)
        return true;
    return (value_is_object_like(object) && selector_matches(selector, labels_of(object))) ||
           (value_is_object_like(old) && selector_matches(selector, labels_of(old)));
}

enum gatekeeper_matching gatekeeper_matches(const struct value *match, const struct value *review,
                                            const struct value *inventory)
{
    struct str name = value_get_string(match, STR("name"));
    const struct value *meta = value_get(object_of(review), STR("metadata"));
    if (!match)
        return GATEKEEPER_YES;
    if (!kinds_match(value_get(match, STR("kinds")), review) || !namespaces_match(match, review) ||
        !scope_matches(value_get_string(match, STR("scope")), review) ||
        !labels_match(value_get(match, STR("labelSelector")), review) ||
        (name.len && !wildcard(name, value_get_string(meta, STR("name")))) ||
        str_equal(value_get_string(match, STR("source")), STR("Generated")))
        return GATEKEEPER_NO;
    return namespace_matches(value_get(match, STR("namespaceSelector")), review, inventory);
}

/* iam.c - when two IAM policies say the same (AWS IAM reference, "Grammar of the IAM JSON policy
 * language"): statements, actions, resources, principals and condition values have no order.
 *
 * Quadratic in the length of its lists: the caller bounds the text (NORMALISE_IAM_MAX). */
#include "drift/normalise.h"

typedef bool equal_fn(const struct value *a, const struct value *b);

/* One value in the place of a list of one. */
struct few {
    const struct value *items;
    size_t n;
};
static struct few few_of(const struct value *v)
{
    if (value_is_list_like(v))
        return (struct few){v->len ? v->items : NULL, v->len};
    return (struct few){v, 1};
}

static bool contains(struct few list, const struct value *v, equal_fn *equal)
{
    for (size_t i = 0; i < list.n; i++)
        if (equal(&list.items[i], v))
            return true;
    return false;
}

static bool few_equal(const struct value *a, const struct value *b, equal_fn *equal)
{
    struct few x = few_of(a), y = few_of(b);
    for (size_t i = 0; i < x.n; i++)
        if (!contains(y, &x.items[i], equal))
            return false;
    for (size_t i = 0; i < y.n; i++)
        if (!contains(x, &y.items[i], equal))
            return false;
    return true;
}

static bool values_equal(const struct value *a, const struct value *b)
{
    return few_equal(a, b, value_equal);
}

/* Objects of the same keys whose values are equal in the sense given. */
static bool members_equal(const struct value *a, const struct value *b, equal_fn *equal)
{
    if (!value_is_object_like(a) || !value_is_object_like(b) || a->len != b->len)
        return false;
    for (uint32_t i = 0; i < a->len; i++)
        if (!key_equal(a->members[i].key, b->members[i].key) ||
            !equal(&a->members[i].value, &b->members[i].value))
            return false;
    return true;
}

/* {"AWS": ["1", "2"], "Service": "x"}; "*" is not the same as {"AWS": "*"}. */
static bool principal_equal(const struct value *a, const struct value *b)
{
    return value_equal(a, b) || members_equal(a, b, values_equal);
}

static bool operator_equal(const struct value *a, const struct value *b)
{
    return members_equal(a, b, values_equal);
}

/* {"StringLike": {"aws:PrincipalArn": ["a", "b"]}} */
static bool condition_equal(const struct value *a, const struct value *b)
{
    return members_equal(a, b, operator_equal);
}

static bool element_equal(struct str name, const struct value *a, const struct value *b)
{
    static const struct {
        struct str name;
        equal_fn *equal;
    } elements[] = {
        {STR_INIT("Action"), values_equal},       {STR_INIT("NotAction"), values_equal},
        {STR_INIT("Resource"), values_equal},     {STR_INIT("NotResource"), values_equal},
        {STR_INIT("Principal"), principal_equal}, {STR_INIT("NotPrincipal"), principal_equal},
        {STR_INIT("Condition"), condition_equal},
    };
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++)
        if (str_equal(elements[i].name, name))
            return elements[i].equal(a, b);
    return value_equal(a, b);
}

static bool statement_equal(const struct value *a, const struct value *b)
{
    if (!value_is_object_like(a) || !value_is_object_like(b) || a->len != b->len)
        return false;
    for (uint32_t i = 0; i < a->len; i++)
        if (!key_equal(a->members[i].key, b->members[i].key) ||
            !element_equal(key_str(a->members[i].key), &a->members[i].value, &b->members[i].value))
            return false;
    return true;
}

bool iam_policy_equal(const struct value *a, const struct value *b)
{
    if (!value_get(a, STR("Statement")) || !value_get(b, STR("Statement")) || a->len != b->len)
        return false;
    for (uint32_t i = 0; i < a->len; i++) {
        const struct value_member *x = &a->members[i], *y = &b->members[i];
        bool statements = str_equal(key_str(x->key), STR("Statement"));
        if (!key_equal(x->key, y->key) ||
            !(statements ? few_equal(&x->value, &y->value, statement_equal)
                         : value_equal(&x->value, &y->value)))
            return false;
    }
    return true;
}

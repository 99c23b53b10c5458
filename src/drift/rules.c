/* rules.c - the table of normalisation rules, and what each of them asks. */
#include <string.h>

#include "base/arena.h"
#include "drift/normalise.h"
#include "wire/json.h"

/* --- one test per rule --- */

/* create, update ... of `timeouts`, whether it is an attribute or a block. */
static bool only_timeouts(const struct value *v)
{
    static const char *const names[] = {"create", "read",  "update", "delete", "default",
                                        "open",   "close", "renew",  "invoke", "configure"};
    if (v->kind == VALUE_NULL)
        return true;
    if (!value_is_object_like(v))
        return false;
    for (uint32_t i = 0; i < v->len; i++) {
        bool known = false;
        for (size_t j = 0; j < sizeof names / sizeof *names && !known; j++)
            known = str_equal(key_str(v->members[i].key), str_from(names[j]));
        if (!known)
            return false;
    }
    return true;
}

static bool timeouts_equal(const struct cursor *at, const struct value *desired,
                           const struct value *live)
{
    return at->depth == 1 && str_equal(at->name, STR("timeouts")) && only_timeouts(desired) &&
           only_timeouts(live);
}

static bool write_only_equal(const struct cursor *at, const struct value *desired,
                             const struct value *live)
{
    (void)desired;
    (void)live;
    return at->write_only;
}

static bool is_empty_collection(const struct value *v)
{
    return (value_is_list_like(v) || value_is_object_like(v)) && v->len == 0;
}

static bool null_and_empty(const struct value *a, const struct value *b)
{
    return (a->kind == VALUE_NULL && is_empty_collection(b)) ||
           (b->kind == VALUE_NULL && is_empty_collection(a));
}

static bool null_block_equal(const struct cursor *at, const struct value *desired,
                             const struct value *live)
{
    return at->kind == CURSOR_BLOCKS && at->own && !at->attribute && null_and_empty(desired, live);
}

/* A field of a schema; an entry of a map or an element of a list is data, where null and empty
 * differ. */
static bool is_legacy_field(const struct cursor *at)
{
    return at->legacy && at->kind == CURSOR_VALUE && (at->own || at->field);
}

static bool null_collection_equal(const struct cursor *at, const struct value *desired,
                                  const struct value *live)
{
    return is_legacy_field(at) && null_and_empty(desired, live);
}

static bool is_empty_string(const struct value *v)
{
    return v->kind == VALUE_STRING && v->len == 0;
}

static bool null_string_equal(const struct cursor *at, const struct value *desired,
                              const struct value *live)
{
    return is_legacy_field(at) && ((desired->kind == VALUE_NULL && is_empty_string(live)) ||
                                   (live->kind == VALUE_NULL && is_empty_string(desired)));
}

/* Fields that a service reads as JSON. Not in the list: content, body, user_data, value and all
 * others whose very bytes somebody may use. */
static bool is_json_field(const struct cursor *at)
{
    static const struct str names[] = {
        STR_INIT("policy"),          STR_INIT("policies"),
        STR_INIT("policy_document"), STR_INIT("policy_rule"),
        STR_INIT("access_policies"), STR_INIT("assume_role_policy"),
        STR_INIT("inline_policy"),   STR_INIT("container_definitions"),
        STR_INIT("event_pattern"),   STR_INIT("definition"),
        STR_INIT("dashboard_body"),  STR_INIT("dashboard_json"),
        STR_INIT("document"),        STR_INIT("json"),
    };
    static const struct str tails[] = {STR_INIT("_policy"), STR_INIT("_policy_document"),
                                       STR_INIT("_policies"), STR_INIT("_json")};
    if (!at->own && !at->field)
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_equal(at->name, names[i]))
            return true;
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++)
        if (str_ends(at->name, tails[i]))
            return true;
    return false;
}

static bool is_json_container(const struct value *v, size_t max_bytes)
{
    if (v->kind != VALUE_STRING || v->len > max_bytes)
        return false;
    struct str text = str_trim(value_text(v));
    return text.len && (text.ptr[0] == '{' || text.ptr[0] == '[');
}

/* A text with a duplicate key is no JSON here: which of the two counts is the reader's affair. */
static bool json_texts_equal(const struct cursor *at, const struct value *desired,
                             const struct value *live, size_t max_bytes,
                             bool (*equal)(const struct value *, const struct value *))
{
    AUTO_ARENA arena = {.limit = (size_t)NORMALISE_JSON_MAX * 64};
    struct value a, b;
    if (!is_json_field(at) || !is_json_container(desired, max_bytes) ||
        !is_json_container(live, max_bytes))
        return false;
    return json_parse(&arena, value_text(desired), "", JSON_DEFAULT, &a, NULL) &&
           json_parse(&arena, value_text(live), "", JSON_DEFAULT, &b, NULL) && equal(&a, &b);
}

static bool json_text_equal(const struct cursor *at, const struct value *desired,
                            const struct value *live)
{
    return json_texts_equal(at, desired, live, NORMALISE_JSON_MAX, value_equal);
}

static bool iam_text_equal(const struct cursor *at, const struct value *desired,
                           const struct value *live)
{
    return json_texts_equal(at, desired, live, NORMALISE_IAM_MAX, iam_policy_equal);
}

/* --- the table --- */

static const struct normalise_rule rules[] = {
    {"timeouts", "how long to wait is a setting of the tool; nothing live corresponds to it",
     timeouts_equal},
    {"write-only", "the value is never stored, so there is nothing to compare", write_only_equal},
    {"null-block-is-empty", "a block that is absent and one repeated zero times are the same",
     null_block_equal},
    {"null-collection-is-empty",
     "a provider built on SDKv2 can not tell an absent collection from one without elements",
     null_collection_equal},
    {"null-string-is-empty",
     "a provider built on SDKv2 can not tell an absent string from an empty one",
     null_string_equal},
    {"json-text", "the same JSON in other white space, key order or number spelling",
     json_text_equal},
    {"iam-policy", "the same IAM policy: order, and a single value in place of a list of one",
     iam_text_equal},
    {"mirrored-tags", "the same change is reported at the attribute that this one repeats", NULL},
};
enum { RULE_MIRRORED = sizeof rules / sizeof *rules - 1 };

const struct normalise_rule *normalise_rules(size_t *ret_n)
{
    *ret_n = sizeof rules / sizeof *rules;
    return rules;
}

const struct normalise_rule *normalise_place(const struct cursor *at, const struct value *desired,
                                             const struct value *live)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].equal && rules[i].equal(at, desired, live))
            return &rules[i];
    return NULL;
}

/* --- mirrors --- */

static bool equal_or_absent(const struct value *a, const struct value *b)
{
    return a && b ? value_equal(a, b) : a == b;
}

const struct normalise_rule *normalise_mirrored(const struct value *desired,
                                                const struct value *live, struct str attribute,
                                                struct str entry, const struct value *before,
                                                const struct value *after)
{
    static const struct {
        struct str mirror, of;
    } mirrors[] = {
        {STR_INIT("tags_all"), STR_INIT("tags")},
        {STR_INIT("effective_labels"), STR_INIT("labels")},
        {STR_INIT("terraform_labels"), STR_INIT("labels")},
        {STR_INIT("effective_annotations"), STR_INIT("annotations")},
    };
    for (size_t i = 0; i < sizeof mirrors / sizeof *mirrors; i++) {
        if (!str_equal(mirrors[i].mirror, attribute))
            continue;
        const struct value *b = value_get(desired, mirrors[i].of);
        const struct value *a = value_get(live, mirrors[i].of);
        if (entry.ptr) {
            b = value_get(b, entry);
            a = value_get(a, entry);
        }
        if (!equal_or_absent(a, b) && equal_or_absent(b, before) && equal_or_absent(a, after))
            return &rules[RULE_MIRRORED];
    }
    return NULL;
}

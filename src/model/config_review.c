/* config_review.c - the keys of `review:` in plumb.yaml, and what spans several of them. */
#include "base/err.h"
#include "model/config.h"
#include "model/config_field.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define AT(type, member) .at = offsetof(struct type, member)
#define MANY(type, member) \
    .at = offsetof(struct type, member), .count_at = offsetof(struct type, n##member)
#define MANY_REVIEW(member) \
    .at = offsetof(struct config, review.member), \
    .count_at = offsetof(struct config, review.n##member)

enum { APPROVALS_MAX = 20, NAMES_MAX = 1000 };
#define YEAR_MS (INT64_C(366) * 24 * 3600 * 1000)

static const struct field rule_fields[] = {
    {.name = "severity",
     .kind = FIELD_STRINGS,
     .check = CHECK_SEVERITY,
     MANY(config_review_rule, severity),
     .text = "of findings with these severities; without it any"},
    {.name = "decision",
     .kind = FIELD_STRINGS,
     .check = CHECK_DECISION,
     MANY(config_review_rule, decision),
     .text = "of findings that policy decides so; without it any"},
    {.name = "answer",
     .kind = FIELD_STRINGS,
     .check = CHECK_ANSWER,
     MANY(config_review_rule, answer),
     .text = "where the answer is one of these: revert, adopt, accept; without it any"},
    {.name = "env",
     .kind = FIELD_STRING,
     .check = CHECK_FILLED,
     AT(config_review_rule, env),
     .text = "glob over the stack's environment; without it any"},
    {.name = "stack",
     .kind = FIELD_STRING,
     .check = CHECK_FILLED,
     AT(config_review_rule, stack),
     .text = "glob over the stack's name; without it any"},
    {.name = "approvals",
     .kind = FIELD_INT,
     .required = true,
     .least = 0,
     .most = APPROVALS_MAX,
     AT(config_review_rule, approvals),
     .text = "how many different people must approve; 0: a request counts at once"},
    {.name = "by",
     .kind = FIELD_STRINGS,
     .check = CHECK_FILLED,
     MANY(config_review_rule, by),
     .text = "roles whose members may approve; codeowners are those of the code's file; without "
             "it anybody"},
    {.name = "self_approval",
     .kind = FIELD_STRINGS,
     .check = CHECK_SELF,
     MANY(config_review_rule, self_approval),
     .text = "who may approve nevertheless: the author of the change, the requester of the "
             "review; without it neither"},
    {.name = "longest",
     .kind = FIELD_DURATION,
     .least = 1000,
     .most = YEAR_MS,
     AT(config_review_rule, longest_ms),
     .text = "how long an answer may count at most, such as 30d; without it 90d"},
};
static const struct section rule_section = {.what = "review rule",
                                            .fields = rule_fields,
                                            .nfields = COUNT(rule_fields),
                                            .size = sizeof(struct config_review_rule),
                                            .place_at = offsetof(struct config_review_rule, place)};

static const struct field role_fields[] = {
    {.name = "name",
     .kind = FIELD_STRING,
     .check = CHECK_FILLED,
     .required = true,
     AT(config_role, name),
     .text = "of the role, or of a team as CODEOWNERS has it: \"@example/net\""},
    {.name = "members",
     .kind = FIELD_STRINGS,
     .check = CHECK_FILLED,
     .required = true,
     MANY(config_role, members),
     .text = "alice, os-user:alice, ci:github:alice, \"@alice\", names of people; * and ? stand "
             "for anything"},
};
static const struct section role_section = {.what = "role",
                                            .fields = role_fields,
                                            .nfields = COUNT(role_fields),
                                            .size = sizeof(struct config_role),
                                            .place_at = offsetof(struct config_role, place)};

static const struct field person_fields[] = {
    {.name = "name",
     .kind = FIELD_STRING,
     .check = CHECK_FILLED,
     .required = true,
     AT(config_person, name),
     .text = "of the person, as roles call it"},
    {.name = "known_as",
     .kind = FIELD_STRINGS,
     .check = CHECK_FILLED,
     .required = true,
     MANY(config_person, known_as),
     .text = "the names that the person has elsewhere: os-user:alice, \"@alice\", "
             "alice@example.org, the ARN of a session with * in it"},
};
static const struct section person_section = {.what = "person",
                                              .fields = person_fields,
                                              .nfields = COUNT(person_fields),
                                              .size = sizeof(struct config_person),
                                              .place_at = offsetof(struct config_person, place)};

#define DEADLINE(level, constant) \
    { \
        .name = level, .kind = FIELD_DURATION, .least = 1000, .most = YEAR_MS, \
        AT(config, review.deadline_ms[constant]), \
        .text = "until when a finding of this severity is to be answered, from when it is seen" \
    }
static const struct field deadline_fields[] = {
    DEADLINE("critical", SEVERITY_CRITICAL), DEADLINE("high", SEVERITY_HIGH),
    DEADLINE("medium", SEVERITY_MEDIUM),     DEADLINE("low", SEVERITY_LOW),
    DEADLINE("info", SEVERITY_INFO),
};
static const struct section deadline_section = {
    .what = "deadlines", .fields = deadline_fields, .nfields = COUNT(deadline_fields)};

static const struct field breakglass_fields[] = {
    {.name = "by",
     .kind = FIELD_STRINGS,
     .check = CHECK_FILLED,
     MANY_REVIEW(breakglass_by),
     .text = "roles whose members may break the glass; without it anybody"},
    {.name = "longest",
     .kind = FIELD_DURATION,
     .least = 1000,
     .most = YEAR_MS,
     AT(config, review.breakglass_longest_ms),
     .text = "for how long at most; without it 24h"},
    {.name = "review_within",
     .kind = FIELD_DURATION,
     .least = 1000,
     .most = YEAR_MS,
     AT(config, review.breakglass_review_ms),
     .text = "when what changed meanwhile is to be answered, from its end; without it 3d"},
};
static const struct section breakglass_section = {
    .what = "breakglass", .fields = breakglass_fields, .nfields = COUNT(breakglass_fields)};

static const struct field freeze_fields[] = {
    {.name = "by",
     .kind = FIELD_STRINGS,
     .check = CHECK_FILLED,
     MANY_REVIEW(freeze_by),
     .text = "roles whose members may freeze and end a freeze; without it anybody"},
};
static const struct section freeze_section = {
    .what = "freeze", .fields = freeze_fields, .nfields = COUNT(freeze_fields)};

static const struct field review_fields[] = {
    {.name = "rules",
     .kind = FIELD_LIST,
     .section = &rule_section,
     MANY_REVIEW(rules),
     .text = "what a review needs; the first that fits counts; without one it is one approval by "
             "anybody but the requester and the author of the change"},
    {.name = "roles",
     .kind = FIELD_LIST,
     .section = &role_section,
     MANY_REVIEW(roles),
     .text = "names for several people"},
    {.name = "people",
     .kind = FIELD_LIST,
     .section = &person_section,
     MANY_REVIEW(people),
     .text = "the names that one person has in different places"},
    {.name = "trust",
     .kind = FIELD_STRINGS,
     .check = CHECK_TRUST,
     MANY_REVIEW(trust),
     .text = "how an approver must be known for the approval to count; without it os-user, token "
             "and oidc"},
    {.name = "deadlines",
     .kind = FIELD_SECTION,
     .section = &deadline_section,
     .text = "by severity; a rule's own deadline counts where it is earlier"},
    {.name = "breakglass",
     .kind = FIELD_SECTION,
     .section = &breakglass_section,
     .text = "emergencies: gates warn instead of block"},
    {.name = "freeze",
     .kind = FIELD_SECTION,
     .section = &freeze_section,
     .text = "times in which nothing is applied"},
};
const struct section config_review_section = {
    .what = "review", .fields = review_fields, .nfields = COUNT(review_fields)};

/* --- what spans fields --- */

struct checking {
    const char *name; /* of the file */
    const struct config_review *review;
    struct err *err;
};

static bool role_known(const struct checking *c, struct str name)
{
    if (str_equal(name, STR("codeowners")))
        return true;
    for (size_t i = 0; i < c->review->nroles; i++)
        if (str_equal(c->review->roles[i].name, name))
            return true;
    return false;
}

static bool check_roles(const struct checking *c, struct config_place place, const char *what,
                        const struct str *by, size_t nby)
{
    for (size_t i = 0; i < nby; i++) {
        if (role_known(c, by[i]))
            continue;
        if (!place.line)
            return err_set(c->err, ERR_USAGE, "%s: review.%s.by: no role '%.*s' in review.roles",
                           c->name, what, STR_ARG(by[i]));
        return err_set(c->err, ERR_USAGE, "%s:%u:%u: by: no role '%.*s' in review.roles", c->name,
                       place.line, place.column, STR_ARG(by[i]));
    }
    return true;
}

static bool double_name(const struct checking *c, struct config_place place, struct str name)
{
    return err_set(c->err, ERR_USAGE, "%s:%u:%u: the name '%.*s' is there twice", c->name,
                   place.line, place.column, STR_ARG(name));
}

static bool check_names(const struct checking *c)
{
    const struct config_review *review = c->review;
    for (size_t i = 0; i < review->nroles; i++) {
        if (str_equal(review->roles[i].name, STR("codeowners")))
            return err_set(c->err, ERR_USAGE,
                           "%s:%u:%u: codeowners are those of the code's file, no role of your own",
                           c->name, review->roles[i].place.line, review->roles[i].place.column);
        for (size_t k = 0; k < i; k++)
            if (str_equal(review->roles[i].name, review->roles[k].name))
                return double_name(c, review->roles[i].place, review->roles[i].name);
    }
    for (size_t i = 0; i < review->npeople; i++)
        for (size_t k = 0; k < i; k++)
            if (str_equal(review->people[i].name, review->people[k].name))
                return double_name(c, review->people[i].place, review->people[i].name);
    return true;
}

bool config_check_review(const char *name, const struct config_review *review, struct err *err)
{
    const struct config_place nowhere = {0};
    struct checking c = {name, review, err};
    if (review->nroles > NAMES_MAX || review->npeople > NAMES_MAX || review->nrules > NAMES_MAX)
        return err_set(err, ERR_LIMIT, "%s: review: more than %d rules, roles or people", name,
                       NAMES_MAX);
    for (size_t i = 0; i < review->nrules; i++) {
        const struct config_review_rule *rule = &review->rules[i];
        if (!check_roles(&c, rule->place, "rules", rule->by, rule->nby))
            return false;
    }
    return check_names(&c) &&
           check_roles(&c, nowhere, "breakglass", review->breakglass_by, review->nbreakglass_by) &&
           check_roles(&c, nowhere, "freeze", review->freeze_by, review->nfreeze_by);
}

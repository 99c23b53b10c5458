/* workflow.c - the one place that decides about reviews: rules, roles, persons, time. */
#include "respond/workflow.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/glob.h"
#include "base/quantity.h"
#include "base/utf8.h"
#include "model/config.h"

static const struct config_review no_review;

static const struct config_review *review_of(const struct config *config)
{
    return config ? &config->review : &no_review;
}

/* --- the rule --- */

static bool among(const struct str *list, size_t n, struct str word)
{
    for (size_t i = 0; i < n; i++)
        if (str_equal(list[i], word))
            return true;
    return false;
}

static bool named(const struct str *list, size_t n, struct str word)
{
    return !n || among(list, n, word);
}

static bool fits(const struct config_review_rule *rule, const struct review *review)
{
    return named(rule->severity, rule->nseverity, str_from(severity_name(review->severity))) &&
           named(rule->decision, rule->ndecision, review->decision) &&
           named(rule->answer, rule->nanswer, str_from(review_answer_name(review->answer))) &&
           (!rule->env.len || glob_match(rule->env, review->environment, '\0')) &&
           (!rule->stack.len || glob_match(rule->stack, review->stack, '\0'));
}

bool workflow_rule_of(struct arena *arena, const struct config *config, const struct review *review,
                      struct workflow_rule *ret, struct err *err)
{
    const struct config_review *rules = review_of(config);
    *ret = (struct workflow_rule){
        .approvals = 1, .longest_ms = WORKFLOW_LONGEST_MS, .name = STR("the default")};
    for (size_t i = 0; i < rules->nrules; i++) {
        const struct config_review_rule *rule = &rules->rules[i];
        if (!fits(rule, review))
            continue;
        *ret = (struct workflow_rule){
            .approvals = rule->approvals,
            .longest_ms = rule->longest_ms ? rule->longest_ms : WORKFLOW_LONGEST_MS,
            .by = rule->by,
            .nby = rule->nby,
            .author_may = among(rule->self_approval, rule->nself_approval, STR("author")),
            .requester_may = among(rule->self_approval, rule->nself_approval, STR("requester")),
            .name =
                arena_printf(arena, "%.*s:%u", STR_ARG(config->path), (unsigned)rule->place.line)};
        return ret->name.ptr || arena_full(arena, err);
    }
    return true;
}

/* --- persons --- */

static const struct config_person *person_of(const struct config_review *review,
                                             const struct actor *actor)
{
    for (size_t i = 0; i < review->npeople; i++) {
        const struct config_person *person = &review->people[i];
        for (size_t k = 0; k < person->nknown_as; k++)
            if (actor_is(person->known_as[k], actor))
                return person;
    }
    return NULL;
}

bool workflow_same_person(const struct config *config, const struct actor *a, const struct actor *b)
{
    const struct config_person *person = person_of(review_of(config), a);
    return actor_same(a, b) || (person && person == person_of(review_of(config), b));
}

/* Under the name that an event has for him, or under all of his principal. */
static bool is_author(const struct config *config, const struct actor *by,
                      const struct actor *author)
{
    const struct actor principal = {.name = author->via, .how = author->how};
    return workflow_same_person(config, by, author) ||
           (author->via.len && workflow_same_person(config, by, &principal));
}

/* A name of a role's members or of CODEOWNERS: the actor's own, or the person's. */
static bool means(const struct config_review *review, struct str name, const struct actor *actor)
{
    const struct config_person *person = person_of(review, actor);
    return actor_is(name, actor) || (person && (str_equal(person->name, name) ||
                                                among(person->known_as, person->nknown_as, name)));
}

static bool in_role(const struct config_review *review, struct str role, const struct actor *actor)
{
    for (size_t i = 0; i < review->nroles; i++) {
        const struct config_role *one = &review->roles[i];
        if (!str_equal(one->name, role))
            continue;
        for (size_t k = 0; k < one->nmembers; k++)
            if (means(review, one->members[k], actor))
                return true;
    }
    return false;
}

/* owners: "@alice @example/net mail@example.org", as codeowners_match gives them. */
static bool owns(const struct config_review *review, struct str owners, const struct actor *actor)
{
    struct str rest = owners, owner;
    for (bool more = true; more;) {
        more = str_cut(&rest, ' ', &owner);
        if (owner.len && (means(review, owner, actor) || in_role(review, owner, actor)))
            return true;
    }
    return false;
}

static bool has_role(const struct config_review *review, const struct str *by, size_t nby,
                     struct str owners, const struct actor *actor, struct str *ret)
{
    *ret = STR("");
    for (size_t i = 0; i < nby; i++) {
        bool is_owners = str_equal(by[i], STR("codeowners"));
        if (is_owners ? !owns(review, owners, actor) : !in_role(review, by[i], actor))
            continue;
        *ret = by[i];
        return true;
    }
    return nby == 0;
}

static bool trusted(const struct config_review *review, struct str how)
{
    static const struct str standard[] = {STR_INIT("os-user"), STR_INIT("token"), STR_INIT("oidc")};
    return review->ntrust ? among(review->trust, review->ntrust, how)
                          : among(standard, sizeof standard / sizeof *standard, how);
}

static struct str joined(struct arena *arena, const struct str *list, size_t n, const char *last)
{
    struct str text = n ? list[0] : STR("");
    for (size_t i = 1; text.ptr && i < n; i++)
        text = arena_printf(arena, "%.*s%s%.*s", STR_ARG(text), i + 1 == n ? last : ", ",
                            STR_ARG(list[i]));
    return text;
}

/* --- one step --- */

struct deciding {
    struct arena *arena;
    const struct config *config;
    const struct config_review *rules;
    const struct review *review;
    const struct actor *by;
    int64_t now;
    struct workflow_outcome *out;
    bool full;
};

static bool say(struct deciding *d, bool allowed, struct str why)
{
    d->full = d->full || !why.ptr;
    d->out->allowed = allowed && why.ptr;
    d->out->why = why;
    return allowed;
}
#define REFUSE(d, ...) say((d), false, arena_printf((d)->arena, __VA_ARGS__))
#define ALLOW(d, ...) say((d), true, arena_printf((d)->arena, __VA_ARGS__))

static struct str hand_objection(struct deciding *d, const struct actor *by,
                                 const struct review_hand *hand)
{
    AUTO_BUF did = {.limit = 100};
    if (hand->glass)
        buf_printf(&did, "broke the glass B%lld, within which it was changed,",
                   (long long)hand->glass);
    else
        buf_str(&did, STR("made one of the changes since it was last in sync"));
    return arena_printf(d->arena, "%.*s %.*s and cannot approve it (%.*s)", STR_ARG(by->name),
                        STR_ARG(buf_view(&did)), STR_ARG(d->out->rule.name));
}

/* Empty: this actor's approval counts. */
static struct str objection(struct deciding *d, const struct actor *by, struct str *ret_role)
{
    const struct workflow_rule *rule = &d->out->rule;
    const struct review *review = d->review;
    if (!trusted(d->rules, by->how))
        return arena_printf(d->arena,
                            "%.*s is known by %.*s only, which review.trust does not name",
                            STR_ARG(by->name), STR_ARG(by->how));
    if (!rule->requester_may && workflow_same_person(d->config, by, &review->by))
        return arena_printf(d->arena, "%.*s asked for this review and cannot approve it (%.*s)",
                            STR_ARG(by->name), STR_ARG(rule->name));
    if (!rule->author_may && is_author(d->config, by, &review->author))
        return arena_printf(d->arena,
                            "%.*s made the change that is reviewed and cannot approve it (%.*s)",
                            STR_ARG(by->name), STR_ARG(rule->name));
    for (size_t i = 0; i < review->nhands && !rule->author_may; i++)
        if (is_author(d->config, by, &review->hand[i].by))
            return hand_objection(d, by, &review->hand[i]);
    if (!has_role(d->rules, rule->by, rule->nby, review->owners, by, ret_role))
        return arena_printf(d->arena, "%.*s is not among %.*s, as %.*s wants it", STR_ARG(by->name),
                            STR_ARG(joined(d->arena, rule->by, rule->nby, " or ")),
                            STR_ARG(rule->name));
    return STR("");
}

static bool one_line(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
            return false;
    return true;
}

static bool check_texts(struct deciding *d)
{
    const struct review *review = d->review;
    if (!str_trim(review->reason).len)
        return REFUSE(d, "a review has a reason");
    if (review->reason.len > WORKFLOW_REASON_MAX || review->ticket.len > WORKFLOW_TICKET_MAX)
        return REFUSE(d, "a reason has at most %d bytes, a ticket %d", WORKFLOW_REASON_MAX,
                      WORKFLOW_TICKET_MAX);
    if (!one_line(review->ticket))
        return REFUSE(d, "a ticket is one line");
    if (utf8_bad_at(review->reason) != SIZE_MAX || utf8_bad_at(review->ticket) != SIZE_MAX ||
        str_find_char(review->reason, '\0', 0) != SIZE_MAX)
        return REFUSE(d, "reason and ticket are text in UTF-8");
    return true;
}

static bool check_until(struct deciding *d)
{
    const struct review *review = d->review;
    const struct workflow_rule *rule = &d->out->rule;
    const int64_t second = 1000, day = 24 * 3600 * second;
    bool days = rule->longest_ms % day == 0;
    char text[CLOCK_TEXT];
    if (review->until_utc_ms <= d->now)
        return REFUSE(d, "the review would have ended already, at %s",
                      clock_format(review->until_utc_ms, text));
    if (review->until_utc_ms - d->now > rule->longest_ms)
        return REFUSE(d, "until %s is too long: at most %lld %s (%.*s)",
                      clock_format(review->until_utc_ms, text),
                      (long long)(rule->longest_ms / (days ? day : second)),
                      days ? "days" : "seconds", STR_ARG(rule->name));
    return true;
}

/* Without approvals a request counts at once; then who asks is who approves. */
static bool take_effect_at_once(struct deciding *d)
{
    const struct workflow_rule *rule = &d->out->rule;
    if (!has_role(d->rules, rule->by, rule->nby, d->review->owners, d->by, &d->out->role))
        return REFUSE(d, "%.*s is not among %.*s, as %.*s wants it", STR_ARG(d->by->name),
                      STR_ARG(joined(d->arena, rule->by, rule->nby, " or ")), STR_ARG(rule->name));
    if (rule->nby && !trusted(d->rules, d->by->how))
        return REFUSE(d, "%.*s is known by %.*s only, which review.trust does not name",
                      STR_ARG(d->by->name), STR_ARG(d->by->how));
    d->out->state = REVIEW_EFFECT;
    return ALLOW(d, "in effect: %.*s wants no approval", STR_ARG(rule->name));
}

/* Who asks should know where the rule cannot tell the author from those who approve: "; ...". */
static struct str unknown_author(struct deciding *d)
{
    static const struct str ours[] = {STR_INIT("os-user"), STR_INIT("token"), STR_INIT("oidc")};
    const struct actor *author = &d->review->author;
    const struct actor principal = {.name = author->via, .how = author->how};
    if (d->out->rule.author_may || !author->name.len ||
        among(ours, sizeof ours / sizeof *ours, author->how) || person_of(d->rules, author) ||
        person_of(d->rules, &principal))
        return STR("");
    return arena_printf(d->arena,
                        "; whose name %.*s is, who made the change, review.people does not say",
                        STR_ARG(author->name));
}

static bool decide_request(struct deciding *d)
{
    const struct review *review = d->review;
    const struct workflow_rule *rule = &d->out->rule;
    if (!d->by->name.len)
        return REFUSE(d, "nobody is known to ask for it");
    if (!review->value.len)
        return REFUSE(d, "nothing is known by which to tell whether it changes again: a secret "
                         "needs a key (PLUMB_KEY), another resource to be read; scan again");
    if (review->class_ == CLASS_UNCHECKED && review->answer != ANSWER_ACCEPT)
        return REFUSE(d, "it could not be compared: there is nothing to %s",
                      review_answer_name(review->answer));
    if (!check_texts(d) || !check_until(d))
        return false;
    if (rule->approvals == 0)
        return take_effect_at_once(d);
    d->out->state = REVIEW_REQUESTED;
    struct str unknown = unknown_author(d);
    if (!unknown.ptr)
        return say(d, false, unknown);
    return ALLOW(
        d, "needs %lld approval%s by %.*s%s%s (%.*s)%.*s", (long long)rule->approvals,
        rule->approvals == 1 ? "" : "s",
        STR_ARG(rule->nby ? joined(d->arena, rule->by, rule->nby, " or ") : STR("anybody")),
        rule->requester_may ? "" : " but the requester",
        rule->author_may || !review->author.name.len ? ""
        : rule->requester_may                        ? " but the author"
                                                     : " and the author",
        STR_ARG(rule->name), STR_ARG(unknown));
}

/* Different people among those whose approvals would count today. */
static int64_t count_approvals(struct deciding *d)
{
    const struct review *review = d->review;
    int64_t n = 0;
    for (size_t i = 0; i < review->napprovals; i++) {
        const struct actor *by = &review->approval[i].by;
        struct str role;
        bool again = workflow_same_person(d->config, by, d->by);
        for (size_t k = 0; k < i && !again; k++)
            again = workflow_same_person(d->config, by, &review->approval[k].by);
        n += !again && !objection(d, by, &role).len;
    }
    return n;
}

static bool has_approved(const struct deciding *d)
{
    for (size_t i = 0; i < d->review->napprovals; i++)
        if (workflow_same_person(d->config, &d->review->approval[i].by, d->by))
            return true;
    return false;
}

static bool decide_approve(struct deciding *d)
{
    const struct workflow_rule *rule = &d->out->rule;
    struct str no;
    if (d->review->state == REVIEW_EFFECT)
        return REFUSE(d, "it is in effect already");
    no = objection(d, d->by, &d->out->role);
    if (!no.ptr || no.len)
        return say(d, false, no);
    if (has_approved(d))
        return REFUSE(d, "%.*s has approved it already", STR_ARG(d->by->name));
    d->out->approvals = count_approvals(d) + 1;
    if (d->out->approvals < rule->approvals)
        return ALLOW(d, "%lld of %lld approvals (%.*s)", (long long)d->out->approvals,
                     (long long)rule->approvals, STR_ARG(rule->name));
    d->out->state = REVIEW_EFFECT;
    return ALLOW(d, "in effect with %lld of %lld approvals (%.*s)", (long long)d->out->approvals,
                 (long long)rule->approvals, STR_ARG(rule->name));
}

/* Who asked may always take it back; who could approve may refuse it. */
static bool decide_withdraw(struct deciding *d)
{
    struct str no, role;
    bool own = workflow_same_person(d->config, d->by, &d->review->by);
    if (!own) {
        no = objection(d, d->by, &role);
        if (!no.ptr || no.len)
            return say(d, false, no);
    }
    d->out->state = REVIEW_ENDED;
    d->out->end = REVIEW_WITHDRAWN;
    return ALLOW(d, "withdrawn by %.*s", STR_ARG(d->by->name));
}

bool workflow_decide(struct arena *arena, const struct config *config, const struct review *review,
                     enum workflow_step step, const struct actor *by, int64_t now_utc_ms,
                     struct workflow_outcome *ret, struct err *err)
{
    struct workflow_outcome out = {.state = review->state, .end = review->end};
    struct deciding d = {arena, config, review_of(config), review, by, now_utc_ms, &out, false};
    if (!workflow_rule_of(arena, config, review, &out.rule, err))
        return false;
    enum review_end end = step == WORKFLOW_REQUEST
                              ? REVIEW_NOT_ENDED
                              : review_look(review, SIGHT_NONE, STR(""), now_utc_ms);
    if (end != REVIEW_NOT_ENDED) {
        out.state = REVIEW_ENDED;
        out.end = end;
        (void)REFUSE(&d, "it has ended: %s", review_end_meaning(end));
    } else if (step == WORKFLOW_REQUEST) {
        (void)decide_request(&d);
    } else if (step == WORKFLOW_APPROVE) {
        (void)decide_approve(&d);
    } else {
        (void)decide_withdraw(&d);
    }
    if (d.full)
        return arena_full(arena, err);
    *ret = out;
    return true;
}

/* --- breakglass, freeze --- */

bool workflow_may(struct arena *arena, const struct config *config, enum workflow_power power,
                  const struct actor *by, bool *ret_may, struct str *ret_why, struct err *err)
{
    const struct config_review *review = review_of(config);
    bool glass = power == WORKFLOW_BREAKGLASS;
    const struct str *roles = glass ? review->breakglass_by : review->freeze_by;
    size_t n = glass ? review->nbreakglass_by : review->nfreeze_by;
    struct str role;
    *ret_may = true;
    *ret_why = STR("");
    if (!n)
        return true;
    if (!trusted(review, by->how))
        *ret_why =
            arena_printf(arena, "%.*s is known by %.*s only, which review.trust does not name",
                         STR_ARG(by->name), STR_ARG(by->how));
    else if (!has_role(review, roles, n, STR(""), by, &role))
        *ret_why = arena_printf(arena, "%.*s is not among %.*s, as review.%s of %.*s wants it",
                                STR_ARG(by->name), STR_ARG(joined(arena, roles, n, " or ")),
                                glass ? "breakglass" : "freeze", STR_ARG(config->path));
    *ret_may = ret_why->ptr && !ret_why->len;
    return ret_why->ptr || arena_full(arena, err);
}

/* --- time --- */

static int64_t add(int64_t from, int64_t ms)
{
    int64_t sum;
    return __builtin_add_overflow(from, ms, &sum) ? INT64_MAX : sum;
}

bool workflow_until(struct str text, int64_t now_utc_ms, int64_t *ret_utc_ms)
{
    int64_t ms;
    if (clock_parse(text, ret_utc_ms))
        return true;
    /* A number alone would be seconds: too easily meant as days. */
    if (!text.len || (text.ptr[text.len - 1] >= '0' && text.ptr[text.len - 1] <= '9') ||
        !quantity_parse_duration(text, &ms) || ms <= 0)
        return false;
    *ret_utc_ms = add(now_utc_ms, ms);
    return true;
}

/* finding.c - names of classes and severities, and what a result means as an exit code. */
#include "model/finding.h"

#include "model/decision.h"

enum counts_as { DRIFT, QUIET, INCOMPLETE };

static const struct {
    struct str name;
    const char *meaning;
    enum counts_as counts;
    enum severity severity;
} classes[] = {
#define X(constant, text, as, means, level) [constant] = {STR_INIT(text), means, as, level},
    FINDING_CLASSES(X)
#undef X
};
static_assert(sizeof classes / sizeof *classes == CLASS_COUNT, "a row for each class");

static const char *const severities[] = {
#define X(constant, text) [constant] = text,
    SEVERITIES(X)
#undef X
};
static_assert(sizeof severities / sizeof *severities == SEVERITY_COUNT, "a name for each");

static const struct {
    const char *name, *meaning;
} explanations[] = {
#define X(constant, text, means) [constant] = {text, means},
    EXPLANATION_KINDS(X)
#undef X
};
static_assert(sizeof explanations / sizeof *explanations == EXPLANATION_KIND_COUNT,
              "a row for each kind");

const char *explanation_kind_name(enum explanation_kind kind)
{
    return (unsigned)kind < EXPLANATION_KIND_COUNT ? explanations[kind].name : "invalid";
}

const char *explanation_kind_meaning(enum explanation_kind kind)
{
    return (unsigned)kind < EXPLANATION_KIND_COUNT ? explanations[kind].meaning : "not a kind";
}

struct location finding_location(const struct finding *finding)
{
    return finding->origin ? finding->origin->at : (struct location){0};
}

const char *finding_class_name(enum finding_class class_)
{
    return (unsigned)class_ < CLASS_COUNT ? classes[class_].name.ptr : "invalid";
}

const char *finding_class_meaning(enum finding_class class_)
{
    return (unsigned)class_ < CLASS_COUNT ? classes[class_].meaning : "not a class";
}

enum severity finding_class_severity(enum finding_class class_)
{
    return (unsigned)class_ < CLASS_COUNT ? classes[class_].severity : SEVERITY_CRITICAL;
}

bool finding_class_from(struct str name, enum finding_class *ret)
{
    for (unsigned i = 0; i < CLASS_COUNT; i++) {
        if (!str_equal(classes[i].name, name))
            continue;
        *ret = (enum finding_class)i;
        return true;
    }
    return false;
}

const char *severity_name(enum severity severity)
{
    return (unsigned)severity < SEVERITY_COUNT ? severities[severity] : "invalid";
}

bool severity_from(struct str name, enum severity *ret)
{
    for (unsigned i = 0; i < SEVERITY_COUNT; i++) {
        if (!str_equal(str_from(severities[i]), name))
            continue;
        *ret = (enum severity)i;
        return true;
    }
    return false;
}

/* A stack that hides what it could not check is never in sync, even where its list is short. */
static bool stack_is_incomplete(const struct stack_result *stack, unsigned fail_on)
{
    return stack->coverage.unchecked && (fail_on >> CLASS_UNCHECKED & 1);
}

void exit_facts_add(struct exit_facts *facts, enum finding_class class_, unsigned fail_on)
{
    if (!(fail_on >> class_ & 1))
        return;
    if (classes[class_].counts == INCOMPLETE)
        facts->incomplete = true;
    else
        facts->drift = true;
}

int exit_facts_worst(const struct exit_facts *facts)
{
    return facts->failed       ? EXIT_ERROR
           : facts->violation  ? EXIT_VIOLATION
           : facts->drift      ? EXIT_DRIFT
           : facts->incomplete ? EXIT_INCOMPLETE
                               : EXIT_IN_SYNC;
}

int scan_exit_code(const struct scan_result *result, unsigned fail_on)
{
    struct exit_facts facts = {0};
    for (size_t i = 0; i < result->nstacks; i++) {
        const struct stack_result *stack = &result->stacks[i];
        facts.failed |= stack->failed.len > 0;
        facts.incomplete |= stack_is_incomplete(stack, fail_on);
        for (size_t j = 0; j < stack->nfindings; j++) {
            const struct finding *finding = &stack->findings[j];
            if (finding->ignored)
                continue;
            facts.violation |= !finding->reviewed.len && finding->judgement &&
                               decision_is_violation(finding->judgement->decision);
            exit_facts_add(&facts, finding->class_, fail_on);
        }
    }
    return exit_facts_worst(&facts);
}

/* decision.c - names of decisions. */
#include "model/decision.h"

static const struct {
    const char *name, *meaning;
} decisions[] = {
#define X(constant, name, meaning) [constant] = {name, meaning},
    DECISIONS(X)
#undef X
};

const char *decision_name(enum decision decision)
{
    return decision < DECISION_COUNT ? decisions[decision].name : "?";
}

const char *decision_meaning(enum decision decision)
{
    return decision < DECISION_COUNT ? decisions[decision].meaning : "?";
}

bool decision_from(struct str name, enum decision *ret)
{
    for (unsigned i = 0; i < DECISION_COUNT; i++)
        if (str_equal(name, str_from(decisions[i].name))) {
            *ret = (enum decision)i;
            return true;
        }
    return false;
}

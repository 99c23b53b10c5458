/* decision.c - names of decisions, and judgements that outlive what they were made of. */
#include "model/decision.h"

#include "base/arena.h"

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

/* --- copies --- */

static bool dup(struct arena *arena, struct str *s)
{
    if (!s->len) {
        *s = STR("");
        return true;
    }
    *s = arena_dup(arena, *s);
    return s->ptr != NULL;
}

static bool dup_list(struct arena *arena, const struct str **list, size_t n)
{
    struct str *copy = arena_new(arena, struct str, n);
    for (size_t i = 0; copy && i < n; i++) {
        copy[i] = (*list)[i];
        if (!dup(arena, &copy[i]))
            return false;
    }
    *list = copy;
    return copy != NULL;
}

static bool copy_verdict(struct arena *arena, struct verdict *v)
{
    struct str *const texts[] = {&v->rule,   &v->at.file, &v->message,  &v->why,
                                 &v->remedy, &v->owner,   &v->deadline, &v->waived_by};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!dup(arena, texts[i]))
            return false;
    return dup_list(arena, &v->path, v->npaths) && dup_list(arena, &v->csf, v->ncsf) &&
           dup_list(arena, &v->sp800_53, v->nsp800_53) && dup_list(arena, &v->cis, v->ncis) &&
           dup_list(arena, &v->links, v->nlinks);
}

bool judgement_copy(struct arena *arena, const struct judgement *from, struct judgement *ret)
{
    struct judgement to = *from;
    struct str *const texts[] = {&to.message, &to.rule, &to.at.file, &to.owner, &to.deadline};
    struct verdict *verdict = arena_new(arena, struct verdict, from->nverdicts);
    if (!verdict)
        return false;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!dup(arena, texts[i]))
            return false;
    for (size_t i = 0; i < from->nverdicts; i++) {
        verdict[i] = from->verdict[i];
        if (!copy_verdict(arena, &verdict[i]))
            return false;
    }
    to.verdict = verdict;
    *ret = to;
    return true;
}

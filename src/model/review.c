/* review.c - names of answers and ends, when a review counts, how it is told. */
#include "model/review.h"

#include "base/arena.h"
#include "base/clock.h"

struct name {
    const char *name, *meaning;
};
#define X(constant, name, meaning) [constant] = {name, meaning},
static const struct name answers[] = {REVIEW_ANSWERS(X)};
static const struct name states[] = {REVIEW_STATES(X)};
static const struct name ends[] = {REVIEW_ENDS(X)};
#undef X

static const char *name_of(const struct name *names, size_t n, size_t i)
{
    return i < n ? names[i].name : "?";
}

static bool index_of(const struct name *names, size_t n, struct str name, unsigned *ret)
{
    for (unsigned i = 0; i < n; i++) {
        if (!str_equal(str_from(names[i].name), name))
            continue;
        *ret = i;
        return true;
    }
    return false;
}

const char *review_answer_name(enum review_answer answer)
{
    return name_of(answers, ANSWER_COUNT, answer);
}

bool review_answer_from(struct str name, enum review_answer *ret)
{
    unsigned i;
    if (!index_of(answers, ANSWER_COUNT, name, &i))
        return false;
    *ret = (enum review_answer)i;
    return true;
}

const char *review_state_name(enum review_state state)
{
    return name_of(states, REVIEW_STATE_COUNT, state);
}

bool review_state_from(struct str name, enum review_state *ret)
{
    unsigned i;
    if (!index_of(states, REVIEW_STATE_COUNT, name, &i))
        return false;
    *ret = (enum review_state)i;
    return true;
}

const char *review_end_name(enum review_end end)
{
    return name_of(ends, REVIEW_END_COUNT, end);
}

const char *review_end_meaning(enum review_end end)
{
    return end < REVIEW_END_COUNT ? ends[end].meaning : "?";
}

bool review_end_from(struct str name, enum review_end *ret)
{
    unsigned i;
    if (!index_of(ends, REVIEW_END_COUNT, name, &i))
        return false;
    *ret = (enum review_end)i;
    return true;
}

/* --- when it counts --- */

bool review_counts(const struct review *review, struct str value, int64_t now_utc_ms)
{
    return review->state == REVIEW_EFFECT &&
           review_look(review, SIGHT_FOUND, value, now_utc_ms) == REVIEW_NOT_ENDED;
}

enum review_end review_look(const struct review *review, enum review_sight sight, struct str value,
                            int64_t now_utc_ms)
{
    if (review->state == REVIEW_ENDED)
        return review->end;
    if (sight == SIGHT_GONE)
        return REVIEW_RESOLVED;
    /* A value that cannot be told is not the one that was reviewed. */
    if (sight == SIGHT_FOUND && (!value.len || !str_equal(value, review->value)))
        return REVIEW_VOIDED;
    return now_utc_ms >= review->until_utc_ms ? REVIEW_EXPIRED : REVIEW_NOT_ENDED;
}

int64_t review_deadline(const int64_t *by_severity, enum severity severity, int64_t rule_ms)
{
    int64_t own = by_severity && (unsigned)severity < SEVERITY_COUNT ? by_severity[severity] : 0;
    return own && (!rule_ms || own < rule_ms) ? own : rule_ms;
}

/* --- texts --- */

struct str review_says(struct arena *arena, const struct review *review)
{
    char until[CLOCK_TEXT];
    return arena_printf(arena, REVIEW_SAYS_PREFIX "%lld (%s) by %.*s until %s",
                        (long long)review->id, review_answer_name(review->answer),
                        STR_ARG(review->by.name), clock_format(review->until_utc_ms, until));
}

bool review_id_from(struct str text, char letter, int64_t *ret)
{
    if (text.len && (text.ptr[0] | ' ') == (letter | ' '))
        text = str_sub(text, 1, text.len);
    return text.len && text.ptr[0] >= '0' && text.ptr[0] <= '9' && str_to_int64(text, ret) &&
           *ret > 0;
}

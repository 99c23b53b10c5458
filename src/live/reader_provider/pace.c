/* pace.c - rounds of reads, their latency, and what follows for the limit. */
#include "live/reader_provider/pace.h"

enum { QUIET_US = 2000000, ROUND_LEAST = 8, GROWING_SLOW_ROUNDS = 2, SLOW_ROUNDS = 3 };

static const double SLOWER = 1.4;      /* times the best latency: no more at once */
static const double MUCH_SLOWER = 2.5; /* times the best latency: fewer */
static const double WORTH_IT = 1.6;    /* twice as many at once and at most so slow: 25 % more */
static const double FORGET = 2e-9;     /* of the best latency, each microsecond: 0.2 % a second */

static unsigned clamp(const struct pace *pace, unsigned limit)
{
    return limit < 1 ? 1 : limit > pace->most ? pace->most : limit;
}

static unsigned at_least(unsigned least, unsigned n)
{
    return n < least ? least : n;
}

void pace_init(struct pace *pace, unsigned most)
{
    *pace = (struct pace){.limit = 1, .most = most ? most : PACE_MOST};
}

static void begin_round(struct pace *pace, int64_t now_us)
{
    pace->round_len = at_least(ROUND_LEAST, pace->limit);
    pace->round_n = pace->round_measured = pace->round_fast = pace->round_slow = 0;
    pace->round_latency_us = 0;
    pace->round_start_us = now_us;
}

/* Reads in flight now belong to the old limit: the next round begins behind them. */
static void set_limit(struct pace *pace, unsigned limit, int64_t now_us)
{
    pace->settle = limit > pace->limit ? pace->limit - 1 : 0;
    pace->limit = clamp(pace, limit);
    begin_round(pace, now_us);
}

static bool may_grow(const struct pace *pace, int64_t now_us)
{
    return now_us >= pace->quiet_until_us && pace->limit < pace->most;
}

/* The best latency is forgotten slowly, so that a world that became slower is taken as it is. */
static void learn_latency(struct pace *pace, int64_t now_us)
{
    if (!pace->round_measured)
        return;
    double latency = (double)pace->round_latency_us / pace->round_measured + 1;
    int64_t took_us = now_us - pace->round_start_us;
    if (pace->best_latency_us == 0 || latency < pace->best_latency_us)
        pace->best_latency_us = latency;
    pace->best_latency_us *= 1 + FORGET * (double)(took_us > 0 ? took_us : 0);
}

/* The limit grew with each quick read already. */
static void end_growing_round(struct pace *pace, int64_t now_us)
{
    if (pace->slow_rounds >= GROWING_SLOW_ROUNDS || pace->limit == pace->most) {
        pace->stage = PACE_HOLDING;
        pace->slow_rounds = 0;
    }
    begin_round(pace, now_us);
}

/*
 * The limit follows the latency of most reads by quarters, down only after several slow rounds: one
 * is a pause of the machine or of a garbage collector, and fewer reads would not make it shorter.
 */
static void end_holding_round(struct pace *pace, int64_t now_us)
{
    bool fast = pace->round_fast > pace->round_n / 2;
    if (pace->slow_rounds >= SLOW_ROUNDS && pace->limit > PACE_START) {
        pace->slow_rounds = 0;
        set_limit(pace, pace->limit - pace->limit / 4, now_us);
    } else if (fast && may_grow(pace, now_us)) {
        set_limit(pace, pace->limit + 1 + pace->limit / 4, now_us);
    } else {
        begin_round(pace, now_us);
    }
}

static void measure(struct pace *pace, int64_t latency_us)
{
    double latency = (double)latency_us, best = pace->best_latency_us;
    bool growing = pace->stage == PACE_GROWING;
    bool worth_it = best == 0 || latency <= best * WORTH_IT;
    pace->round_measured++;
    pace->round_latency_us += latency_us;
    pace->round_fast += latency <= best * SLOWER;
    pace->round_slow += growing ? !worth_it : latency > best * MUCH_SLOWER;
    if (growing && worth_it)
        pace->limit = clamp(pace, pace->limit + 1);
}

void pace_done(struct pace *pace, int64_t now_us, int64_t latency_us)
{
    if (pace->stage == PACE_FIRST) {
        pace->stage = PACE_GROWING;
        set_limit(pace, PACE_START, now_us);
        return;
    }
    if (pace->settle) {
        if (--pace->settle == 0)
            pace->round_start_us = now_us;
        return;
    }
    pace->round_n++;
    if (latency_us > 0)
        measure(pace, latency_us);
    if (pace->round_n < pace->round_len)
        return;
    bool slow = pace->round_slow > pace->round_n / 2;
    pace->slow_rounds = slow ? pace->slow_rounds + 1 : 0;
    learn_latency(pace, now_us);
    if (pace->stage == PACE_GROWING)
        end_growing_round(pace, now_us);
    else
        end_holding_round(pace, now_us);
}

void pace_throttled(struct pace *pace, int64_t now_us)
{
    if (pace->stage == PACE_FIRST)
        return;
    pace->stage = PACE_HOLDING;
    if (now_us < pace->quiet_until_us)
        return;
    pace->quiet_until_us = now_us + QUIET_US;
    set_limit(pace, clamp(pace, pace->limit / 2), now_us);
}

void pace_restart(struct pace *pace)
{
    unsigned most = pace->limit / 4;
    pace_init(pace, most ? most : 1);
}

/* pace.c - rounds of reads, their rate and latency, and what follows for the limit. */
#include "live/reader_provider/pace.h"

enum { QUIET_US = 2000000, ROUND_LEAST = 8 };

/* A round that is this much better is worth having twice as many; a latency this much worse not. */
static const double GROWTH = 1.25, SLOWER = 2.0;

static unsigned clamp(const struct pace *pace, unsigned limit)
{
    return limit < 1 ? 1 : limit > pace->most ? pace->most : limit;
}

void pace_init(struct pace *pace, unsigned most)
{
    *pace = (struct pace){.limit = 1, .most = most ? most : PACE_MOST};
}

/* Reads in flight now belong to the old limit: the next round begins behind them. */
static void set_limit(struct pace *pace, unsigned limit, int64_t now_us)
{
    pace->settle = limit > pace->limit ? pace->limit - 1 : 0;
    pace->limit = clamp(pace, limit);
    pace->round_n = 0;
    pace->round_latency_us = 0;
    pace->round_start_us = now_us;
}

static void end_round(struct pace *pace, int64_t now_us)
{
    double elapsed = (double)(now_us - pace->round_start_us);
    double rate = pace->round_n * 1e6 / (elapsed > 1 ? elapsed : 1);
    double latency = (double)pace->round_latency_us / pace->round_n;
    bool quiet = now_us < pace->quiet_until_us;

    if (pace->stage == PACE_GROWING) {
        bool better = rate >= pace->best_rate * GROWTH;
        if (better) {
            pace->best_rate = rate;
            pace->best_latency_us = latency;
            pace->better = pace->limit;
        }
        if (better && !quiet && pace->limit < pace->most) {
            set_limit(pace, pace->limit * 2, now_us);
            return;
        }
        pace->stage = PACE_HOLDING;
        set_limit(pace, pace->better ? pace->better : pace->limit, now_us);
        return;
    }
    if (latency > pace->best_latency_us * SLOWER && pace->limit > PACE_START)
        set_limit(pace, pace->limit - pace->limit / 4, now_us);
    else if (latency <= pace->best_latency_us * GROWTH && !quiet)
        set_limit(pace, pace->limit + 1 + pace->limit / 16, now_us);
    else
        set_limit(pace, pace->limit, now_us);
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
    pace->round_latency_us += latency_us;
    if (pace->round_n >= pace->limit && pace->round_n >= ROUND_LEAST)
        end_round(pace, now_us);
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

/* pace.c - rounds of reads, their rate and latency, and what follows for the limit. */
#include "live/reader_provider/pace.h"

enum { QUIET_US = 2000000, ROUND_LEAST = 8, SLOW_ROUNDS = 3 };

static const double MORE = 1.25;       /* rate of a round that was worth doubling */
static const double SLOWER = 1.4;      /* times the best latency: no more at once */
static const double MUCH_SLOWER = 2.5; /* times the best latency: fewer */
static const double FORGET = 2e-9;     /* of the best latency, each microsecond: 0.2 % a second */

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
    pace->round_n = pace->round_fast = pace->round_slow = 0;
    pace->round_latency_us = 0;
    pace->round_start_us = now_us;
}

/*
 * Doubling goes on while twice as many at once bring a quarter more; that rate comes from Little's
 * law, limit / latency, and not from a clock: answers come in bursts. Later the limit follows the
 * latency of most reads by quarters, down only after several slow rounds: one is a pause of the
 * machine or of a garbage collector, and fewer reads would not make it shorter. The best latency is
 * forgotten slowly, so that a world that became slower is taken as it is.
 */
static void end_round(struct pace *pace, int64_t now_us)
{
    double latency = (double)pace->round_latency_us / pace->round_n + 1;
    double rate = pace->limit / latency;
    int64_t took_us = now_us - pace->round_start_us;
    bool may_grow = now_us >= pace->quiet_until_us && pace->limit < pace->most;

    if (pace->best_latency_us == 0 || latency < pace->best_latency_us)
        pace->best_latency_us = latency;
    bool slow = pace->round_slow > pace->round_n / 2, fast = pace->round_fast > pace->round_n / 2;
    pace->slow_rounds = slow ? pace->slow_rounds + 1 : 0;
    if (pace->stage == PACE_GROWING && rate >= pace->best_rate * MORE && may_grow) {
        pace->best_rate = rate;
        pace->better = pace->limit;
        set_limit(pace, pace->limit * 2, now_us);
    } else if (pace->stage == PACE_GROWING) {
        bool worse = pace->better && rate < pace->best_rate * MORE;
        pace->stage = PACE_HOLDING;
        set_limit(pace, worse ? pace->better : pace->limit, now_us);
    } else if (pace->slow_rounds >= SLOW_ROUNDS && pace->limit > PACE_START) {
        pace->slow_rounds = 0;
        set_limit(pace, pace->limit - pace->limit / 4, now_us);
    } else if (fast && may_grow) {
        set_limit(pace, pace->limit + 1 + pace->limit / 4, now_us);
    } else {
        set_limit(pace, pace->limit, now_us);
    }
    pace->best_latency_us *= 1 + FORGET * (double)(took_us > 0 ? took_us : 0);
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
    pace->round_fast += (double)latency_us <= pace->best_latency_us * SLOWER;
    pace->round_slow += (double)latency_us > pace->best_latency_us * MUCH_SLOWER;
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

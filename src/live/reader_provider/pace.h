/* pace.h - how many reads one process gets at once: grows while that brings more, shrinks on
 * trouble.
 *
 * Stages:  the first read alone (clients are set up on first use and not all providers are safe
 *          there); then PACE_START, and one more for each read that was answered about as quickly
 *          as before, which doubles it with every round trip; then holding: a quarter more while
 *          the latency allows, a quarter fewer when it does not for some rounds: a stall of the
 *          machine is not a provider that is overrun
 * Uses:    no clock: times are given. Same input, same limit
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { PACE_START = 10, PACE_MOST = 256 };

enum pace_stage { PACE_FIRST, PACE_GROWING, PACE_HOLDING };
struct pace {
    enum pace_stage stage;
    unsigned limit;          /* reads in flight allowed now */
    unsigned most;           /* never above it */
    double best_latency_us;  /* the average of the quickest round; 0 = no round yet */
    unsigned settle;         /* reads that started before the limit changed: not counted */
    unsigned round_len;      /* reads that make a round */
    unsigned round_n;        /* reads done in this round */
    unsigned round_measured; /* of these: with a latency */
    unsigned round_fast;     /* of these: about the best latency */
    unsigned round_slow;     /* much above it */
    unsigned slow_rounds;    /* one after the other */
    int64_t round_start_us, round_latency_us;
    int64_t quiet_until_us; /* after throttling: no growth, no second cut */
};

/* most  0 = PACE_MOST */
void pace_init(struct pace *pace, unsigned most);
/* A read came back. latency_us: of the read call alone; 0 = it failed, which says nothing. */
void pace_done(struct pace *pace, int64_t now_us, int64_t latency_us);
/* A read was answered with "slow down". */
void pace_throttled(struct pace *pace, int64_t now_us);
/* The process crashed and was started again: from one, and never above a quarter of before. */
void pace_restart(struct pace *pace);

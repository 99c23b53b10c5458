/* throttle.h - does an error text say "slow down"? Then it is worth another try, later. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { THROTTLE_TRIES_MAX = 6 };

/* Any of the phrases that cloud services and their SDKs use, in any case. */
bool throttle_is(struct str text);
/*
 * How long to wait before try number `tries` + 1 (tries >= 1): doubling from 250 ms up to 20 s,
 * of which a random half: `random` is any number.
 */
int throttle_wait_ms(unsigned tries, uint64_t random);

/* network.h - networks as text: 10.0.0.0/8, fd00::/8, a single address. */
#pragma once
#include <stdbool.h>

#include "base/str.h"

struct network {
    unsigned char byte[16]; /* an IPv4 address takes the first four */
    unsigned width, bits;   /* 32 or 128; how many of them are the network's */
};

/* An address alone is a network of one. False for anything else. */
bool network_parse(struct str text, struct network *ret);
/* Is all of `inner` part of `outer`? Never across IPv4 and IPv6. */
bool network_within(const struct network *inner, const struct network *outer);
bool network_overlaps(const struct network *a, const struct network *b);

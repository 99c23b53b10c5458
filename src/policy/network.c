/* network.c - parsing and comparing networks. */
#include "policy/network.h"

#include <arpa/inet.h>
#include <string.h>

bool network_parse(struct str text, struct network *ret)
{
    enum { ADDRESS_MAX = 64 };
    char address[ADDRESS_MAX];
    struct str head;
    int64_t bits = -1;
    struct network net = {.width = 32};
    if (str_cut(&text, '/', &head) && (!str_to_int64(text, &bits) || bits < 0))
        return false;
    if (head.len == 0 || head.len >= sizeof address || memchr(head.ptr, '\0', head.len))
        return false;
    memcpy(address, head.ptr, head.len);
    address[head.len] = '\0';
    if (inet_pton(AF_INET, address, net.byte) != 1) {
        net.width = 128;
        if (inet_pton(AF_INET6, address, net.byte) != 1)
            return false;
    }
    if (bits > (int64_t)net.width)
        return false;
    net.bits = bits < 0 ? net.width : (unsigned)bits;
    *ret = net;
    return true;
}

static bool same_start(const struct network *a, const struct network *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    if (a->width != b->width || memcmp(a->byte, b->byte, whole) != 0)
        return false;
    return rest == 0 || (unsigned)(a->byte[whole] ^ b->byte[whole]) >> (8 - rest) == 0;
}

bool network_within(const struct network *inner, const struct network *outer)
{
    return inner->bits >= outer->bits && same_start(inner, outer, outer->bits);
}

bool network_overlaps(const struct network *a, const struct network *b)
{
    return same_start(a, b, a->bits < b->bits ? a->bits : b->bits);
}

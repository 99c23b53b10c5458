/* egress.c - ranges of addresses that are not of the internet, and libcurl's question for each. */
#include "wire/egress.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "wire/curl.h"

enum { BAD_SOCKET = -1, HOST_MAX = 256 };

struct range {
    unsigned char prefix[16];
    unsigned char bits;
    const char *what; /* NULL: an address of IPv4 stands in it at byte `inner` */
    unsigned char inner;
};

#define PRIVATE "a private address"
#define SPECIAL "an address for special purposes"
#define DOCUMENTED "an address for documentation"

static const struct range ranges4[] = {
    {{0}, 8, "an address of this host", 0},
    {{10}, 8, PRIVATE, 0},
    {{100, 64}, 10, "an address behind a carrier's NAT", 0},
    {{127}, 8, "a loopback address", 0},
    {{169, 254}, 16, "a link-local address", 0},
    {{172, 16}, 12, PRIVATE, 0},
    {{192, 0, 0}, 24, SPECIAL, 0},
    {{192, 0, 2}, 24, DOCUMENTED, 0},
    {{192, 88, 99}, 24, SPECIAL, 0},
    {{192, 168}, 16, PRIVATE, 0},
    {{198, 18}, 15, SPECIAL, 0},
    {{198, 51, 100}, 24, DOCUMENTED, 0},
    {{203, 0, 113}, 24, DOCUMENTED, 0},
    {{224}, 4, "a multicast address", 0},
    {{240}, 4, SPECIAL, 0},
};
/* The more special ones first. */
static const struct range ranges6[] = {
    {{[15] = 1}, 128, "the loopback address", 0},
    {{0}, 128, "an address of this host", 0},
    {{[10] = 0xff, 0xff}, 96, NULL, 12}, /* ::ffff:a.b.c.d */
    {{0}, 96, NULL, 12},                 /* ::a.b.c.d */
    {{0, 0x64, 0xff, 0x9b}, 96, NULL, 12},
    {{0, 0x64, 0xff, 0x9b, 0, 1}, 48, SPECIAL, 0},
    {{0x01}, 64, SPECIAL, 0},
    {{0x20, 0x01}, 23, SPECIAL, 0},
    {{0x20, 0x01, 0x0d, 0xb8}, 32, DOCUMENTED, 0},
    {{0x20, 0x02}, 16, NULL, 2}, /* 6to4 */
    {{0x3f, 0xff}, 20, DOCUMENTED, 0},
    {{0xfc}, 7, PRIVATE, 0},
    {{0xfe, 0x80}, 10, "a link-local address", 0},
    {{0xfe, 0xc0}, 10, PRIVATE, 0},
    {{0xff}, 8, "a multicast address", 0},
};

static bool within(const unsigned char *address, const struct range *range)
{
    unsigned whole = range->bits / 8u, rest = range->bits % 8u;
    if (memcmp(address, range->prefix, whole) != 0)
        return false;
    return !rest || ((address[whole] ^ range->prefix[whole]) & (0xff00 >> rest) & 0xff) == 0;
}

static const char *refusal4(const unsigned char address[4])
{
    for (size_t i = 0; i < sizeof ranges4 / sizeof *ranges4; i++)
        if (within(address, &ranges4[i]))
            return ranges4[i].what;
    return NULL;
}

static const char *refusal6(const unsigned char address[16])
{
    for (size_t i = 0; i < sizeof ranges6 / sizeof *ranges6; i++)
        if (within(address, &ranges6[i]))
            return ranges6[i].what ? ranges6[i].what : refusal4(address + ranges6[i].inner);
    return NULL;
}

const char *egress_refusal(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        return refusal4((const unsigned char *)&in.sin_addr);
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof in6);
        return refusal6(in6.sin6_addr.s6_addr);
    }
    return "no address of the internet";
}

/* --- of a URL --- */

/* user:password@host:port, [v6]:port -> host */
static bool cut_host(struct str url, char host[HOST_MAX])
{
    size_t scheme = str_find(url, STR("://"), 0), end = scheme == SIZE_MAX ? 0 : scheme + 3;
    size_t from = end;
    while (end < url.len && !strchr("/?#\\", url.ptr[end]))
        end++;
    struct str s = str_sub(url, from, end);
    for (size_t at; (at = str_find_char(s, '@', 0)) != SIZE_MAX;)
        s = str_sub(s, at + 1, s.len);
    size_t close = str_find_char(s, ']', 0), colon = str_find_char(s, ':', 0);
    if (str_starts(s, STR("[")) && close != SIZE_MAX)
        s = str_sub(s, 1, close);
    else if (colon != SIZE_MAX)
        s.len = colon;
    if (s.len >= HOST_MAX)
        return false;
    memcpy(host, s.len ? s.ptr : "", s.len);
    host[s.len] = '\0';
    return s.len > 0;
}

static bool same_host(const struct sockaddr *a, const struct sockaddr *b)
{
    if (a->sa_family != b->sa_family)
        return false;
    if (a->sa_family == AF_INET) {
        struct sockaddr_in x, y;
        memcpy(&x, a, sizeof x);
        memcpy(&y, b, sizeof y);
        return x.sin_addr.s_addr == y.sin_addr.s_addr;
    }
    struct sockaddr_in6 x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return a->sa_family == AF_INET6 && memcmp(&x.sin6_addr, &y.sin6_addr, 16) == 0;
}

static bool is_proxy(const char *proxy, const struct sockaddr *address)
{
    char host[HOST_MAX];
    struct addrinfo *list = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    bool found = false;
    if (!proxy || !cut_host(str_from(proxy), host) || getaddrinfo(host, NULL, &hints, &list) != 0)
        return false;
    for (const struct addrinfo *i = list; i && !found; i = i->ai_next)
        found = same_host(i->ai_addr, address);
    freeaddrinfo(list);
    return found;
}

static void explain(struct egress *egress, const struct sockaddr *address, socklen_t len,
                    const char *what)
{
    char host[HOST_MAX] = "";
    if (getnameinfo(address, len, host, sizeof host, NULL, 0, NI_NUMERICHOST) != 0)
        host[0] = '\0';
    (void)snprintf(egress->why, sizeof egress->why, "%.64s is %s", *host ? host : "the receiver",
                   what);
}

/* --- for libcurl --- */

/* struct curl_sockaddr of curl/curl.h; `address` has `length` bytes. */
struct question {
    int family, type, protocol;
    unsigned length;
    struct sockaddr address;
};

static int open_socket(void *ctx, int purpose, struct question *q)
{
    struct egress *egress = ctx;
    const char *what = egress_refusal(&q->address);
    (void)purpose;
    if (what && !is_proxy(egress->proxy, &q->address)) {
        explain(egress, &q->address, q->length, what);
        return BAD_SOCKET;
    }
    return socket(q->family, q->type | SOCK_CLOEXEC, q->protocol);
}

/* The names that libcurl knows; HTTP_PROXY is none of them (httpoxy). */
static const char *proxy_of(struct str url)
{
    const char *all[] = {str_starts(url, STR("https:")) ? getenv("https_proxy")
                                                        : getenv("http_proxy"),
                         str_starts(url, STR("https:")) ? getenv("HTTPS_PROXY") : NULL,
                         getenv("all_proxy"), getenv("ALL_PROXY")};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i] && *all[i])
            return all[i];
    return NULL;
}

bool egress_set_curl(struct egress *egress, const struct curl *curl, void *easy, struct str url,
                     struct err *err)
{
    char host[HOST_MAX];
    struct addrinfo *list = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    *egress = (struct egress){.proxy = proxy_of(url)};
    if (!cut_host(url, host))
        return err_set(err, ERR_USAGE, "the URL names no host");
    if (getaddrinfo(host, NULL, &hints, &list) == 0) {
        const char *what = egress_refusal(list->ai_addr);
        if (what)
            explain(egress, list->ai_addr, list->ai_addrlen, what);
        freeaddrinfo(list);
        if (what)
            return err_set(err, ERR_USAGE, "%s", egress->why);
    }
    (void)curl->setopt(easy, OPT_OPENSOCKETFUNCTION, open_socket);
    (void)curl->setopt(easy, OPT_OPENSOCKETDATA, egress);
    return true;
}

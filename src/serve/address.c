/* address.c - addresses of the listener: parsing, listening, naming the other side. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "serve/listener_parts.h"

enum { HOST_MAX = 256, BACKLOG = 512 };

static bool split(struct str address, char host[HOST_MAX], char port[8], struct err *err)
{
    size_t colon = SIZE_MAX;
    for (size_t i = 0; i < address.len; i++)
        if (address.ptr[i] == ':')
            colon = i;
    struct str left = str_sub(address, 0, colon), right = {0};
    int64_t number = -1;
    if (colon != SIZE_MAX)
        right = str_sub(address, colon + 1, address.len);
    if (left.len > 2 && left.ptr[0] == '[' && left.ptr[left.len - 1] == ']')
        left = str_sub(left, 1, left.len - 1);
    else if (str_find_char(left, ':', 0) != SIZE_MAX)
        left.len = 0;
    if (left.len == 0 || left.len >= HOST_MAX || right.len > 5 || !str_to_int64(right, &number) ||
        number < 0 || number > 65535 || memchr(left.ptr, '\0', left.len))
        return err_set(err, ERR_USAGE,
                       "'%.*s' is no address to listen on: HOST:PORT is, such as 127.0.0.1:7430 "
                       "or [::1]:7430",
                       STR_ARG(address));
    memcpy(host, left.ptr, left.len);
    host[left.len] = '\0';
    memcpy(port, right.ptr, right.len);
    port[right.len] = '\0';
    return true;
}

static bool is_loopback(const struct sockaddr *addr)
{
    if (addr->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, addr, sizeof in);
        return ntohl(in.sin_addr.s_addr) >> 24 == 127;
    }
    struct sockaddr_in6 in6;
    memcpy(&in6, addr, sizeof in6);
    return addr->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
}

static void show(const struct sockaddr *addr, socklen_t len, char *text, size_t room)
{
    char host[INET6_ADDRSTRLEN + 32] = "?", port[8] = "?";
    (void)getnameinfo(addr, len, host, sizeof host, port, sizeof port,
                      NI_NUMERICHOST | NI_NUMERICSERV);
    bool six = addr->sa_family == AF_INET6;
    (void)snprintf(text, room, "%s%s%s:%s", six ? "[" : "", host, six ? "]" : "", port);
}

static bool listen_on(const struct addrinfo *info, struct str address, int *ret_fd, struct err *err)
{
    int one = 1;
    AUTO_FD fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set(err, ERR_IO, "listen on %.*s: %s", STR_ARG(address), strerror(errno));
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
        return err_set(err, ERR_IO, "listen on %.*s: %s", STR_ARG(address), strerror(errno));
    *ret_fd = fd;
    fd = -1; /* NOLINT(clang-analyzer-deadcode.DeadStores): its cleanup reads it */
    return true;
}

static bool resolve(struct str address, struct addrinfo **ret, struct err *err)
{
    char host[HOST_MAX], port[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    if (!split(address, host, port, err))
        return false;
    int code = getaddrinfo(host, port, &hints, ret);
    return code == 0 ||
           err_set(err, ERR_USAGE, "listen on %.*s: %s", STR_ARG(address), gai_strerror(code));
}

bool address_check(struct str address, struct err *err)
{
    struct addrinfo *found = NULL;
    if (!resolve(address, &found, err))
        return false;
    bool ok = true;
    for (const struct addrinfo *info = found; info && ok; info = info->ai_next)
        ok = is_loopback(info->ai_addr) ||
             err_set(err, ERR_USAGE,
                     "%.*s is not loopback: others can reach it, so it needs TLS (serve.tls) and "
                     "tokens (not serve.anonymous)",
                     STR_ARG(address));
    freeaddrinfo(found);
    return ok;
}

bool address_listen(struct str address, int *ret_fd, char *ret_text, size_t room, struct err *err)
{
    struct addrinfo *found = NULL;
    int fd = -1;
    if (!resolve(address, &found, err))
        return false;
    bool ok = listen_on(found, address, &fd, err);
    freeaddrinfo(found);
    if (!ok)
        return false;
    struct sockaddr_storage got = {0};
    socklen_t len = sizeof got;
    (void)getsockname(fd, (struct sockaddr *)&got, &len);
    show((struct sockaddr *)&got, len, ret_text, room);
    *ret_fd = fd;
    return true;
}

struct str address_peer(struct arena *arena, const struct sockaddr *peer)
{
    char text[INET6_ADDRSTRLEN] = "";
    if (peer && peer->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, peer, sizeof in);
        (void)inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
    } else if (peer && peer->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, peer, sizeof in6);
        (void)inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof text);
    }
    return arena_dup(arena, str_from(text));
}

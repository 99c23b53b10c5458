/* plugin_connect.c - AF_UNIX and loopback TCP. */
#include "live/reader_provider/plugin_connect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"

union address {
    struct sockaddr any;
    struct sockaddr_un local;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool fill_unix(struct str path, union address *to, socklen_t *len, struct err *err)
{
    if (path.len >= sizeof to->local.sun_path || memchr(path.ptr, '\0', path.len))
        return err_set(err, ERR_LIMIT, "socket path of %zu bytes, want less than %zu", path.len,
                       sizeof to->local.sun_path);
    to->local.sun_family = AF_UNIX;
    memcpy(to->local.sun_path, path.ptr, path.len);
    *len = sizeof to->local;
    return true;
}

static bool fill_tcp(struct str text, union address *to, socklen_t *len, struct err *err)
{
    int64_t port;
    size_t colon = text.len;
    while (colon > 0 && text.ptr[colon - 1] != ':')
        colon--;
    struct str port_text = str_sub(text, colon, text.len);
    struct str host = str_sub(text, 0, colon ? colon - 1 : 0);
    bool number = str_to_int64(port_text, &port) && port > 0 && port < 65536;
    if (number && (str_equal(host, STR("127.0.0.1")) || str_equal(host, STR("localhost")))) {
        to->v4 = (struct sockaddr_in){.sin_family = AF_INET,
                                      .sin_port = htons((uint16_t)port),
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        *len = sizeof to->v4;
    } else if (number && (str_equal(host, STR("[::1]")) || str_equal(host, STR("::1")))) {
        to->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
                                       .sin6_port = htons((uint16_t)port),
                                       .sin6_addr = in6addr_loopback};
        *len = sizeof to->v6;
    } else {
        return err_set(err, ERR_UNSUPPORTED, "address %.*s: want HOST:PORT of this machine",
                       (int)(text.len < 100 ? text.len : 100), text.ptr);
    }
    return true;
}

int plugin_connect(bool tcp, struct str address, bool *ret_connecting, struct err *err)
{
    union address to;
    socklen_t len = 0;
    int one = 1;
    memset(&to, 0, sizeof to);
    if (!(tcp ? fill_tcp : fill_unix)(address, &to, &len, err))
        return -1;
    int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && tcp)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (fd >= 0 && connect(fd, &to.any, len) == 0) {
        *ret_connecting = false;
        return fd;
    }
    int why = errno;
    if (fd >= 0 && why == EINPROGRESS) {
        *ret_connecting = true;
        return fd;
    }
    if (fd >= 0)
        close(fd);
    (void)err_set(err, ERR_UNAVAILABLE, "connect to %.*s: %s",
                  (int)(address.len < 120 ? address.len : 120), address.ptr, strerror(why));
    return -1;
}

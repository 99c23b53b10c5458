/* proxy_control.c - both ends of the socket of proxy_control.h. */
#include "cli/proxy_control.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"

static const char word[] = "stop\n";

static bool fill(struct sockaddr_un *to, struct str path)
{
    memset(to, 0, sizeof *to);
    to->sun_family = AF_UNIX;
    if (!path.len || path.len >= sizeof to->sun_path || memchr(path.ptr, '\0', path.len))
        return false;
    memcpy(to->sun_path, path.ptr, path.len);
    return true;
}

/* --- the proxy's end --- */

static void drop_client(struct proxy_control *control)
{
    loop_watch_remove(control->loop, &control->client_watch);
    io_close_auto(&control->client_fd);
    control->client_fd = -1;
}

static void on_word(void *ctx, uint32_t events)
{
    (void)events;
    struct proxy_control *control = ctx;
    char bytes[16];
    ssize_t n = recv(control->client_fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n == (ssize_t)sizeof word - 1 && memcmp(bytes, word, sizeof word - 1) == 0) {
        control->stop = true;
        loop_watch_remove(control->loop, &control->client_watch);
        return;
    }
    drop_client(control);
}

static void on_client(void *ctx, uint32_t events)
{
    (void)events;
    struct proxy_control *control = ctx;
    int fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    if (control->stop) { /* it is on its way already */
        close(fd);
        return;
    }
    if (control->client_fd >= 0)
        drop_client(control);
    control->client_fd = fd;
    control->client_watch = (struct loop_watch){.fd = fd, .on_ready = on_word, .ctx = control};
    if (!loop_watch_set(control->loop, &control->client_watch, EPOLLIN, NULL))
        drop_client(control);
}

bool proxy_control_open(struct proxy_control *control, struct loop *loop, struct str dir,
                        struct err *err)
{
    struct sockaddr_un at;
    *control = (struct proxy_control){.loop = loop, .fd = -1, .client_fd = -1};
    (void)snprintf(control->path, sizeof control->path, "%.*s/control", STR_ARG(dir));
    if (!fill(&at, str_from(control->path)))
        return err_set(err, ERR_LIMIT, "no room for a socket's path");
    control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    control->watch = (struct loop_watch){.fd = control->fd, .on_ready = on_client, .ctx = control};
    if (control->fd < 0 || bind(control->fd, (struct sockaddr *)&at, sizeof at) < 0 ||
        listen(control->fd, 4) < 0)
        return err_set(err, ERR_IO, "socket %s: %s", control->path, strerror(errno));
    return loop_watch_set(loop, &control->watch, EPOLLIN, err);
}

void proxy_control_close(struct proxy_control *control)
{
    loop_watch_remove(control->loop, &control->watch);
    drop_client(control);
    io_close_auto(&control->fd);
    control->fd = -1;
}

/* --- the other end --- */

static int connect_to(struct str path)
{
    struct sockaddr_un to;
    if (!fill(&to, path))
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    io_close_auto(&fd);
    return -1;
}

bool proxy_control_alive(struct str path)
{
    AUTO_FD fd = connect_to(path);
    return fd >= 0;
}

bool proxy_control_stop(struct str path, int timeout_ms, struct err *err)
{
    AUTO_FD fd = connect_to(path);
    if (fd < 0)
        return err_set(err, ERR_UNAVAILABLE, "no proxy listens at %.*s", STR_ARG(path));
    if (!io_write_all(fd, STR("stop\n"), err))
        return false;
    struct pollfd end = {.fd = fd, .events = POLLIN};
    int got;
    do
        got = poll(&end, 1, timeout_ms);
    while (got < 0 && errno == EINTR);
    return got > 0 || err_set(err, ERR_TIMEOUT, "the proxy at %.*s did not end within %d s",
                              STR_ARG(path), timeout_ms / 1000);
}

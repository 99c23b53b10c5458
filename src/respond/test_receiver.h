/* test_receiver.h - a receiver on loopback that answers as it is told and keeps what it was asked.
 */
#pragma once
#include "base/test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "respond/test_alert.h"

enum { TEST_REQUESTS_MAX = 16 };

struct test_receiver {
    int fd, port;
    pthread_t thread;
    pthread_mutex_t lock;
    const char *const *answer; /* "200 OK\r\nHeader: x\r\n\r\nbody"; NULL-ended, the last repeats */
    struct buf got[TEST_REQUESTS_MAX];
    struct str request[TEST_REQUESTS_MAX]; /* whole ones, once it is closed */
    size_t n;
};

static inline size_t test_body_at(struct str request, size_t *ret_length)
{
    size_t end = str_find(request, STR("\r\n\r\n"), 0);
    *ret_length = 0;
    for (size_t at = 0; end != SIZE_MAX && at < end; at++)
        if (strncasecmp(request.ptr + at, "\r\nContent-Length:", 17) == 0)
            *ret_length = (size_t)strtoul(request.ptr + at + 17, NULL, 10);
    return end == SIZE_MAX ? SIZE_MAX : end + 4;
}

static inline void test_serve_one(struct test_receiver *r, int client)
{
    char bytes[4096];
    struct buf request = {.limit = 8 << 20};
    size_t length, at = SIZE_MAX;
    const char *answer = r->answer[0];
    while (at == SIZE_MAX || request.len < at + length) {
        ssize_t n = recv(client, bytes, sizeof bytes, 0);
        if (n <= 0)
            break;
        buf_add(&request, bytes, (size_t)n);
        at = test_body_at(buf_view(&request), &length);
    }
    if (!request.len) /* whoever called ended before he asked */
        return;
    (void)pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i <= r->n && r->answer[i]; i++)
        answer = r->answer[i];
    if (r->n < TEST_REQUESTS_MAX)
        r->got[r->n++] = request;
    else
        buf_free(&request);
    (void)pthread_mutex_unlock(&r->lock);
    const char *body = strstr(answer, "\r\n\r\n");
    char head[512];
    int len = snprintf(head, sizeof head,
                       "HTTP/1.1 %.*s\r\nContent-Length: %zu\r\n"
                       "Connection: close\r\n\r\n",
                       (int)(body - answer), answer, strlen(body + 4));
    (void)send(client, head, (size_t)len, MSG_NOSIGNAL);
    (void)send(client, body + 4, strlen(body + 4), MSG_NOSIGNAL);
    (void)shutdown(client, SHUT_WR);
}

static inline void *test_receive(void *ctx)
{
    struct test_receiver *r = ctx;
    for (int client; (client = accept(r->fd, NULL, NULL)) >= 0;) {
        test_serve_one(r, client);
        (void)close(client);
    }
    return NULL;
}

static inline void test_receiver_open(struct test_receiver *r, const char *const *answer)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;
    *r = (struct test_receiver){.answer = answer};
    r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(r->fd >= 0 && bind(r->fd, (struct sockaddr *)&in, sizeof in) == 0);
    assert_int_equal(listen(r->fd, 16), 0);
    assert_int_equal(getsockname(r->fd, (struct sockaddr *)&in, &len), 0);
    r->port = ntohs(in.sin_port);
    assert_int_equal(pthread_mutex_init(&r->lock, NULL), 0);
    assert_int_equal(pthread_create(&r->thread, NULL, test_receive, r), 0);
}

/* What it got is then in the arena. */
static inline void test_receiver_close(struct test_receiver *r, struct arena *arena)
{
    (void)shutdown(r->fd, SHUT_RDWR);
    assert_int_equal(pthread_join(r->thread, NULL), 0);
    (void)close(r->fd);
    for (size_t i = 0; i < r->n; i++) {
        r->request[i] = arena_dup(arena, buf_view(&r->got[i]));
        buf_free(&r->got[i]);
        assert_true(r->request[i].len > 0);
    }
}

static inline struct str test_body(const struct test_receiver *r, size_t i)
{
    size_t length;
    struct str all = r->request[i];
    return str_sub(all, test_body_at(all, &length), all.len);
}

/* "POST /path" */
static inline struct str test_line(const struct test_receiver *r, size_t i)
{
    struct str all = r->request[i];
    return str_sub(all, 0, str_find(all, STR(" HTTP/"), 0));
}

/* The header's value; empty where it is not there. */
static inline struct str test_header(const struct test_receiver *r, size_t i, const char *name)
{
    struct str rest = r->request[i], line;
    size_t n = strlen(name);
    while (str_cut(&rest, '\n', &line) && line.len > 1)
        if (line.len > n && line.ptr[n] == ':' && strncasecmp(line.ptr, name, n) == 0)
            return str_trim(str_sub(line, n + 1, line.len));
    return (struct str){0};
}

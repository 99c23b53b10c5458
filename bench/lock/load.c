/* load.c - LOCK and UNLOCK over many connections at once, each with a state of its own.
 *
 *   load PORT TOKEN CONNECTIONS SECONDS [CYCLES]
 * Prints requests, failures, requests a second, and the 50th and 99th percentile of an answer. With
 * CYCLES each connection ends after so many.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 1000, SAMPLES_MAX = 4000000 };

struct connection {
    int fd, number;
    bool locked;
    long cycle;
    int64_t sent_ns;
    char answer[4096];
    size_t have;
};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void ask(struct connection *c, const char *token)
{
    char body[400], text[1200];
    int n = snprintf(body, sizeof body,
                     "{\"ID\":\"%08d-%010ld\",\"Operation\":\"OperationTypeApply\",\"Info\":\"\","
                     "\"Who\":\"load@bench\",\"Version\":\"1.11.4\","
                     "\"Created\":\"2026-11-21T23:40:42.725548359Z\",\"Path\":\"\"}",
                     c->number, c->cycle);
    int len =
        snprintf(text, sizeof text,
                 "%s /v1/states/load/%d HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n"
                 "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                 c->locked ? "UNLOCK" : "LOCK", c->number, token, n, body);
    c->sent_ns = now_ns();
    c->have = 0;
    if (send(c->fd, text, (size_t)len, MSG_NOSIGNAL) != len)
        exit(3);
}

/* The status of a whole answer, 0 = not all of it is here. */
static int answer_of(struct connection *c)
{
    c->answer[c->have] = '\0';
    char *end = strstr(c->answer, "\r\n\r\n");
    char *length = strcasestr(c->answer, "\r\ncontent-length:");
    if (!end || !length)
        return 0;
    size_t whole = (size_t)(end + 4 - c->answer) + (size_t)atol(length + 17);
    return c->have >= whole ? atoi(c->answer + 9) : 0;
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void dial(struct connection *c, int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int one = 1;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) != 0) {
        perror("connect");
        exit(2);
    }
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    int port = atoi(argv[1]), n = atoi(argv[3]), seconds = atoi(argv[4]);
    long cycles = argc > 5 ? atol(argv[5]) : 0;
    struct connection *all = calloc(CONNECTIONS_MAX, sizeof *all);
    int64_t *sample = malloc(SAMPLES_MAX * sizeof *sample);
    size_t samples = 0, failed = 0;
    int epoll = epoll_create1(0), open = n;
    if (!all || !sample || n < 1 || n > CONNECTIONS_MAX)
        return 2;
    for (int i = 0; i < n; i++) {
        all[i].number = i;
        dial(&all[i], port);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
        epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event);
    }
    int64_t start = now_ns(), until = start + (int64_t)seconds * 1000000000;
    for (int i = 0; i < n; i++)
        ask(&all[i], argv[2]);
    while (open > 0) {
        struct epoll_event ready[64];
        int m = epoll_wait(epoll, ready, 64, 10000);
        if (m <= 0)
            break;
        for (int i = 0; i < m; i++) {
            struct connection *c = ready[i].data.ptr;
            ssize_t got = recv(c->fd, c->answer + c->have, sizeof c->answer - 1 - c->have, 0);
            if (got <= 0)
                return 4;
            c->have += (size_t)got;
            int status = answer_of(c);
            if (!status)
                continue;
            failed += status != 200;
            if (samples < SAMPLES_MAX)
                sample[samples++] = now_ns() - c->sent_ns;
            c->locked = !c->locked;
            c->cycle += !c->locked;
            bool end = !c->locked && (now_ns() >= until || (cycles && c->cycle >= cycles));
            if (end) {
                close(c->fd);
                open--;
            } else {
                ask(c, argv[2]);
            }
        }
    }
    double took = (double)(now_ns() - start) / 1e9;
    qsort(sample, samples, sizeof *sample, by_size);
    printf("%zu %zu %.0f %.2f %.2f\n", samples, failed, (double)samples / took,
           samples ? (double)sample[samples / 2] / 1e6 : 0,
           samples ? (double)sample[samples * 99 / 100] / 1e6 : 0);
    return failed != 0 || open != 0;
}

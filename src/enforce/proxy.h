/* proxy.h - plumb between Terraform and its providers, through TF_REATTACH_PROVIDERS.
 *
 * Shape:   for each provider of a stack a socket in a private directory; behind each connection one
 *          process of the real provider. Everything is passed on byte for byte, both ways, as it
 *          comes; only what would change something waits for the guard's answer
 * Process: found, checked against the lock file and started as a scan does it. One that was only
 *          asked what it would be (schemas, validation) serves the next connection, so that it is
 *          started once where Terraform would start it three times. One that was configured serves
 *          one connection and ends with it
 * Memory:  what is on its way is bounded by HTTP/2 windows (wire/h2.h); only the request of a
 *          change is kept whole, PROXY_HELD_MAX bytes in all
 * Safety:  this is the one way in plumb by which a provider can be asked to change anything, and
 *          only Terraform asks. scan, check and watch have no way here
 * Source:  facts/terraform.md 1.7, 1.8
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct err;
struct guard;
struct loop;
struct reader_options;
struct stack;

enum { PROXY_HELD_MAX = 512 << 20, PROXY_REQUEST_MAX = 256 << 20, PROXY_START_MS = 65000 };

struct proxy;
struct proxy_options {
    struct loop *loop;
    const struct stack *stack;
    const struct reader_options *reader; /* cache_dir, allow_hash_mismatch */
    const char *(*env)(const char *name);
    const struct guard *guard; /* NULL = everything is passed on */
    bool logs;                 /* what providers print goes to on_output */
    void (*on_output)(void *ctx, struct str provider, struct str bytes);
    /* What a person should know: a crash, a refused provider. */
    void (*on_note)(void *ctx, struct str text);
    /*
     * Terraform works with a provider that took this configuration (msgpack): once for each
     * connection, before what it is used for first is passed on. The bytes are the callee's for the
     * time of the call; they may be secret. Or NULL.
     */
    void (*on_configured)(void *ctx, struct str provider, struct str config);
    void (*on_idle)(void *ctx); /* the last connection ended: a command is over; or NULL */
    void *ctx;
};
/* Finds the providers and starts one process of each; ready when they answered. Strings and structs
 * that are pointed at outlive it. */
bool proxy_open(const struct proxy_options *options, struct proxy **ret, struct err *err);
/* Turn the loop until all have answered. One that may not be run (hash) is an error. */
bool proxy_wait_ready(struct proxy *proxy, struct err *err);
size_t proxy_providers(const struct proxy *proxy);
struct str proxy_dir(const struct proxy *proxy); /* where its sockets are: 0700, goes with it */
/* Value of TF_REATTACH_PROVIDERS: one line of JSON. */
bool proxy_reattach(const struct proxy *proxy, struct buf *out, struct err *err);

struct proxy_counts {
    uint64_t connections, processes, calls, changes, allowed, refused, crashes;
};
struct proxy_counts proxy_counts(const struct proxy *proxy);
size_t proxy_connections(const struct proxy *proxy); /* open ones */

/* Orderly: Shutdown to every process, SIGKILL after two seconds. Turns the loop. */
void proxy_shutdown(struct proxy *proxy);
/* At once: everything is killed, and the directory removed. NULL is fine. */
void proxy_close(struct proxy *proxy);

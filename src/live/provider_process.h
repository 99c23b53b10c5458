/* provider_process.h - a stack's provider binaries as processes alone, without a client: found,
 * checked and started as a scan does it, and then somebody else's socket.
 *
 * For:     src/enforce alone (tests/check-includes), which passes on what Terraform says to a
 *          provider. Nothing that reads includes this: what a scan can call is enum plugin_method
 * Shape:   objects on a loop, no thread. The caller connects, speaks and says goodbye
 *          (GRPCController/Shutdown); the process, its pipes and its private directory are ours
 * Safety:  as of live/reader_provider/plugin.h: lock file's hashes, own process group, killed with
 *          the thread that started it, AutoMTLS, bounded start
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct arena;
struct err;
struct loop;
struct reader_options;
struct ssl_ctx_st; /* SSL_CTX */
struct stack;

/* --- which providers a stack has --- */

struct provider_set;
struct provider_row {
    struct str source;  /* HOST/NAMESPACE/TYPE */
    struct str version; /* empty for overrides and running ones */
    struct str refused; /* why it may not be run; or empty */
    struct str note;    /* what a person should know; or empty */
};
/*
 * Those of the lock file, dev_overrides and TF_REATTACH_PROVIDERS, found and checked. A folder that
 * was not initialised has none.
 * options  cache_dir, allow_hash_mismatch
 * Lives until provider_set_close(); `stack` outlives it.
 */
bool provider_set_open(const struct stack *stack, const struct reader_options *options,
                       const char *(*env)(const char *name), struct provider_set **ret,
                       struct err *err);
void provider_set_close(struct provider_set *set);
const struct provider_row *provider_set_rows(const struct provider_set *set, size_t *ret_n);

/* A new 0700 directory for sockets, with a path short enough; one whose maker was killed is removed
 * by the next that makes one. */
enum { PROVIDER_DIR = 64 };
bool provider_dir_make(char ret[PROVIDER_DIR], int *ret_lock_fd, struct err *err);
void provider_dir_remove(const char *dir, int *lock_fd);

/* --- a process of one of them --- */

struct provider_socket {
    int fd; /* non-blocking, CLOEXEC; the callee's from now on */
    bool connecting;
    struct ssl_ctx_st *tls; /* NULL = plaintext; valid as long as the process */
    int protocol;           /* 5 or 6 */
    bool reattached;        /* it ran before, and is nobody's to stop */
};
struct provider_process;
struct provider_process_spec {
    struct loop *loop;
    const struct provider_set *set;
    size_t row;
    bool logs; /* TF_LOG and its kin are passed on, and what it prints goes to on_line */
    /* Once: socket NULL = it could not be started, for that reason, and is down. */
    void (*on_ready)(void *ctx, const struct provider_socket *socket, const struct err *why);
    /* Once, after a good on_ready, when it has ended by itself or after provider_process_stop():
     * why names signal or exit code and the panic's own words. */
    void (*on_end)(void *ctx, const struct err *why);
    void (*on_output)(void *ctx, struct str bytes); /* stderr, as it comes; or NULL */
    void *ctx;
};
/* on_ready and on_end come from the loop, never from here. */
bool provider_process_start(const struct provider_process_spec *spec, struct provider_process **ret,
                            struct err *err);
/* Somebody said Shutdown to it: SIGKILL after a grace, then on_end. */
void provider_process_stop(struct provider_process *process);
/* Its connection broke: on_end comes when it was reaped, within a second. */
void provider_process_lost(struct provider_process *process);
/* At once: the group killed, reaped, the directory removed, freed. No callback after it; allowed
 * in each. NULL is fine. */
void provider_process_close(struct provider_process *process);

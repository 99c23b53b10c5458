/* feeds_parts.h - what feeds.c, feed_files.c, feed_git.c and push.c know of one another, and
 * the store that their threads and feed_states.c's have. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/watch.h"
#include "record/record.h"

struct config;
struct err;
struct server;
struct stack;

/* One thread's; zeroed at first. */
struct feed_store {
    struct arena arena;
    struct record record;
    bool open;
};
/* Where it is not open already; after a failure it is tried anew. */
bool feed_store_open(struct feed_store *store, const struct server *server, struct err *err);
void feed_store_forget(struct feed_store *store); /* what was done failed: open it anew */
void feed_store_close(struct feed_store *store);

/* --- feed_files.c: what of a stack lies in files --- */

enum feed_what { FEED_CODE, FEED_STATE, FEED_SNAPSHOT, FEED_MANAGED, FEED_POLICY, FEED_CONFIG };
/* The reason of a touch (record/touch.h), and what metrics call it. */
const char *feed_why(enum feed_what what);

struct feed_target {
    struct watch_target target;
    enum feed_what what;
    struct str address; /* FEED_MANAGED */
};
struct feed_targets {
    struct feed_target *item;
    size_t n, room;
};
/* Absolute paths; `cwd` before relative ones. What cannot be read is left out: the scan says so. */
bool feed_files_of_stack(struct arena *arena, const struct stack *stack, struct str cwd,
                         struct feed_targets *ret, struct err *err);
bool feed_files_of_config(struct arena *arena, const struct config *config, struct str cwd,
                          struct feed_targets *ret, struct err *err);

/* --- feed_git.c: the branch --- */

struct feed_git;
/* *ret stays NULL: nothing is fetched. moved: the clone stands at another commit now; from the
 * thread. */
bool feed_git_open(struct feed_git **ret, struct server *server, void (*moved)(void *ctx),
                   void *ctx, struct err *err);
void feed_git_close(struct feed_git *git);
/* feeds_code_is_old(), feeds_code_waits(); git may be NULL */
bool feed_git_is_old(struct feed_git *git, struct record *record, struct arena *arena,
                     struct str path, bool *ret, struct str *ret_head, struct err *err);
bool feed_git_waits(struct feed_git *git, struct str path);

/* --- feed_states.c: states elsewhere --- */

struct feed_states;
/* *ret stays NULL: none is watched. */
bool feed_states_open(struct feed_states **ret, struct server *server, struct err *err);
void feed_states_close(struct feed_states *states);

/* --- push.c: bodies of webhooks --- */

enum { PUSH_NAMES_MAX = 8, PUSH_BODY_MAX = 1 << 20 };
/* A push, of any of the senders: the repository under all names that it gives, and the branch. */
struct push {
    struct str repository[PUSH_NAMES_MAX];
    size_t nrepositories;
    struct str branch; /* empty: of none (a tag), or it does not say: any */
    bool ignored;      /* a ping, a tag, another event */
};
/* Views into `arena`. ERR_SYNTAX: no JSON, or it names no repository. */
bool push_parse(struct arena *arena, struct str body, struct push *ret, struct err *err);
struct push_headers {
    struct str github, gitlab;           /* X-Hub-Signature-256, X-Gitlab-Token */
    struct str id, timestamp, signature; /* webhook-id and the others of Standard Webhooks */
};
/* Is it from who knows the key? Standard Webhooks: within five minutes. */
bool push_is_signed(const struct push_headers *headers, struct str key, struct str body,
                    int64_t now_utc_ms);

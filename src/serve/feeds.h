/* feeds.h - what tells the service that something may have changed: files and git.
 *
 * Files:   inotify over the code of each stack with its local modules, plumb.yaml, its packs, state
 *          files, snapshots, and files that stacks manage; where it cannot be had, a slow look
 * States:  those that are elsewhere than in a file are asked for their version now and then
 * Git:     `serve.git` fetches and moves on the clones that plumb keeps; POST /v1/push asks at once
 * Out:     touches (record/touch.h); whoever scans takes them from there
 * Shape:   a part of the server: one thread for files, one for git, one for
 *          remote states. Nothing in it must survive
 */
#pragma once
#include <stdbool.h>

#include "base/str.h"

struct arena;
struct err;
struct feeds;
struct record;
struct request;
struct server;

bool feeds_open(struct feeds **ret, struct server *server, struct err *err);
void feeds_close(struct feeds *feeds);

/* Has this service, or another one on this store, fetched a commit of the stack's branch that the
 * clone here does not stand at? Then it is fetched, and until that was tried who scans leaves the
 * stack to others: old code would take back what they found. path: of the stack; feeds may be NULL.
 * ret_head: that newest commit, else the one that the clone stands at, in `arena`; empty: of none.
 * Whoever fetches says so before a file is written: what was read while it stayed the same was read
 * from one commit. */
bool feeds_code_is_old(struct feeds *feeds, struct record *record, struct arena *arena,
                       struct str path, bool *ret, struct str *ret_head, struct err *err);
/* As it was told last, without a question to the store. */
bool feeds_code_waits(struct feeds *feeds, struct str path);

/* POST /v1/push: a webhook of GitHub, GitLab or any that signs as Standard Webhooks. */
void feeds_push(void *service, struct request *request);

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

struct err;
struct feeds;
struct request;
struct server;

bool feeds_open(struct feeds **ret, struct server *server, struct err *err);
void feeds_close(struct feeds *feeds);

/* POST /v1/push: a webhook of GitHub, GitLab or any that signs as Standard Webhooks. */
void feeds_push(void *service, struct request *request);

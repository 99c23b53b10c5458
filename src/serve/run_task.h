/* run_task.h - HCP Terraform and Terraform Enterprise ask before an apply: run tasks.
 *
 * Way:     POST, signed with HMAC-SHA512 (X-TFC-Task-Signature), answered at once; then, on a
 *          thread of its own, the plan is fetched, the gate asked, and the result sent to the
 *          callback
 * Only:    plan and callback on the configured host, so that nobody makes plumb call elsewhere
 * Lost:    what was not sent when the service ends: the other side waits ten minutes, then
 *          fails the task, which stops a mandatory one
 * Source:  HCP Terraform, Run Tasks Integration; facts/integrations.md 7
 */
#pragma once
#include <stdbool.h>

#include "base/str.h"

struct arena;
struct buf;
struct err;
struct gate_called;
struct request;
struct run_tasks;
struct server;

struct run_task {
    struct str stage, access_token, plan_url, callback_url, run_id, workspace, created_by;
    bool is_test; /* sent when the task is set up: nothing to do */
};
/* base: "https://app.terraform.io". ERR_SYNTAX; ERR_USAGE for URLs that are elsewhere. */
bool run_task_parse(struct arena *arena, struct str body, struct str base, struct run_task *ret,
                    struct err *err);
/* The body of a callback: the outcomes while it runs, then the status alone. called NULL: it could
 * not be judged, why says so. */
void run_task_print(struct buf *out, const struct gate_called *called, const char *why,
                    struct str url, bool final);

bool run_tasks_open(struct run_tasks **ret, struct server *server, struct err *err);
void run_tasks_close(struct run_tasks *tasks); /* ends the one at work; NULL is fine */
void run_task_post(void *service, struct request *request);

/* run_tasks.c - the thread that works on run tasks, and the route that they come by. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "serve/gate_call.h"
#include "serve/log.h"
#include "serve/run_task.h"
#include "serve/secrets.h"
#include "serve/server.h"
#include "wire/http.h"

enum { WAITING_MAX = 1000, TASK_BYTES = 1 << 20, PLAN_BYTES_MAX = 256 << 20, HTTP_MS = 60000 };

struct waiting {
    struct waiting *next;
    struct arena arena; /* of the body and what is read from it */
    struct run_task task;
    struct str stack;
};
struct run_tasks {
    struct server *server;
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct waiting *first, *last;
    size_t n;
    bool closing;
    pthread_t thread;
};

/* Every URL and token here was checked to be printable. */
static bool ask(struct arena *arena, const struct run_task *task, struct str url,
                const char *method, struct str body, struct http_answer *ret, struct err *err)
{
    struct str bearer =
        arena_printf(arena, "Authorization: Bearer %.*s", STR_ARG(task->access_token));
    struct str where = arena_dup(arena, url);
    if (!bearer.ptr || !where.ptr)
        return arena_full(arena, err);
    const char *header[] = {bearer.ptr, "Content-Type: application/vnd.api+json", NULL};
    struct http_get get = {.url = where.ptr,
                           .timeout_ms = HTTP_MS,
                           .max_bytes = PLAN_BYTES_MAX,
                           .post = body,
                           .method = method,
                           .header = header};
    if (!http_fetch(arena, &get, ret, err))
        return false;
    return (ret->status >= 200 && ret->status < 300) ||
           err_set(err, ERR_REMOTE, "%s: the answer is %ld", method ? method : "GET", ret->status);
}

static bool judge(struct run_tasks *tasks, struct arena *arena, const struct waiting *w,
                  struct gate_called *called, struct err *err)
{
    struct http_answer plan = {0};
    struct gate_call call = {
        .stack = w->stack,
        .actor = {w->task.created_by.len ? w->task.created_by : STR("run task"), STR("run-task")}};
    if (w->task.plan_url.len == 0)
        return err_set(err, ERR_UNSUPPORTED,
                       "the stage %.*s has no plan: use post_plan or pre_apply",
                       STR_ARG(w->task.stage));
    if (!ask(arena, &w->task, w->task.plan_url, NULL, (struct str){0}, &plan, err))
        return err_wrap(err, "fetch the plan");
    call.plan = plan.body;
    return gate_call(tasks->server, arena, &call, called, err);
}

static bool send(struct run_tasks *tasks, struct arena *arena, const struct waiting *w,
                 const struct gate_called *called, const char *why, bool final, struct err *err)
{
    AUTO_BUF body = {.limit = 16 << 20};
    struct http_answer answer = {0};
    run_task_print(&body, called, why, tasks->server->options.rules.url, final);
    return buf_ok(&body, err) &&
           ask(arena, &w->task, w->task.callback_url, "PATCH", buf_view(&body), &answer, err);
}

static void do_task(struct run_tasks *tasks, const struct waiting *w)
{
    AUTO_ARENA arena = {.limit = (size_t)2 << 30};
    struct gate_called called;
    struct err err = {0}, sent = {0};
    char why[ERR_TEXT_MAX] = "", text[ERR_TEXT_MAX];
    bool judged = judge(tasks, &arena, w, &called, &err);
    if (!judged)
        (void)err_text(&err, why, sizeof why);
    const struct gate_called *result = judged ? &called : NULL;
    bool ok =
        (!judged || called.decision.n == 0 || send(tasks, &arena, w, result, why, false, &sent)) &&
        send(tasks, &arena, w, result, why, true, &sent);
    const char *outcome = !judged                               ? "not judged"
                          : gate_allows(called.decision.answer) ? "passed"
                                                                : "failed";
    LOG(tasks->server->options.log, ok ? LOG_INFO : LOG_ERROR, "run-task",
        ok ? "answered" : "the answer could not be sent", LOG_TEXT("run", w->task.run_id),
        LOG_TEXT("stack", w->stack), LOG_TEXT("outcome", str_from(outcome)),
        LOG_TEXT("error", str_from(ok ? why : err_text(&sent, text, sizeof text))));
}

static void drop(struct waiting *w)
{
    arena_free(&w->arena);
    free(w);
}

static void *work(void *ctx)
{
    struct run_tasks *tasks = ctx;
    (void)pthread_mutex_lock(&tasks->lock);
    while (!tasks->closing) {
        struct waiting *w = tasks->first;
        if (!w) {
            (void)pthread_cond_wait(&tasks->work, &tasks->lock);
            continue;
        }
        tasks->first = w->next;
        tasks->last = tasks->first ? tasks->last : NULL;
        tasks->n--;
        (void)pthread_mutex_unlock(&tasks->lock);
        do_task(tasks, w);
        drop(w);
        (void)pthread_mutex_lock(&tasks->lock);
    }
    (void)pthread_mutex_unlock(&tasks->lock);
    return NULL;
}

bool run_tasks_open(struct run_tasks **ret, struct server *server, struct err *err)
{
    struct run_tasks *tasks = calloc(1, sizeof *tasks);
    if (!tasks)
        return err_set(err, ERR_LIMIT, "out of memory");
    tasks->server = server;
    (void)pthread_mutex_init(&tasks->lock, NULL);
    (void)pthread_cond_init(&tasks->work, NULL);
    if (pthread_create(&tasks->thread, NULL, work, tasks) != 0) {
        (void)pthread_cond_destroy(&tasks->work);
        (void)pthread_mutex_destroy(&tasks->lock);
        free(tasks);
        return err_set(err, ERR_LIMIT, "a thread cannot be started");
    }
    *ret = tasks;
    return true;
}

void run_tasks_close(struct run_tasks *tasks)
{
    if (!tasks)
        return;
    (void)pthread_mutex_lock(&tasks->lock);
    tasks->closing = true;
    (void)pthread_cond_signal(&tasks->work);
    (void)pthread_mutex_unlock(&tasks->lock);
    (void)pthread_join(tasks->thread, NULL);
    while (tasks->first) {
        struct waiting *w = tasks->first;
        tasks->first = w->next;
        drop(w);
    }
    (void)pthread_cond_destroy(&tasks->work);
    (void)pthread_mutex_destroy(&tasks->lock);
    free(tasks);
}

/* False: too many wait, or no memory. */
static bool add(struct run_tasks *tasks, struct waiting *w)
{
    (void)pthread_mutex_lock(&tasks->lock);
    bool room = tasks->n < WAITING_MAX && !tasks->closing;
    if (room) {
        *(tasks->last ? &tasks->last->next : &tasks->first) = w;
        tasks->last = w;
        tasks->n++;
        (void)pthread_cond_signal(&tasks->work);
    }
    (void)pthread_mutex_unlock(&tasks->lock);
    return room;
}

/* A copy that outlives the request; NULL with err. */
static struct waiting *keep(struct server *server, const struct request *request, struct err *err)
{
    struct waiting *w = calloc(1, sizeof *w);
    if (!w) {
        (void)err_set(err, ERR_LIMIT, "out of memory");
        return NULL;
    }
    w->arena.limit = 16 * TASK_BYTES;
    struct str body = arena_dup(&w->arena, request->body);
    bool ok =
        body.ptr && run_task_parse(&w->arena, body, server->options.run_task_url, &w->task, err);
    w->stack = request->rest.len ? arena_dup(&w->arena, request->rest) : w->task.workspace;
    if (ok && !w->task.is_test && !state_name_good(w->stack))
        ok = err_set(err, ERR_SYNTAX, "run task: of which stack is it? .../v1/run-tasks/STACK");
    if (ok)
        return w;
    drop(w);
    return NULL;
}

void run_task_post(void *service, struct request *request)
{
    struct server *server = service;
    struct answer answer = {.status = 200};
    struct err err = {0};
    if (!secret_signed(SECRET_SHA512, server->options.run_task_key, request->body,
                       request_header(request, "x-tfc-task-signature"))) {
        request_problem(request, 401, "signature",
                        "X-TFC-Task-Signature is not that of serve.run_tasks.key");
        return;
    }
    struct waiting *w = keep(server, request, &err);
    if (!w) {
        request_failed(request, &err);
        return;
    }
    if (w->task.is_test) {
        drop(w);
    } else if (!add(server->run_tasks, w)) {
        drop(w);
        request_problem(request, 503, "busy", "too many run tasks wait");
        return;
    }
    request_answer(request, &answer);
}

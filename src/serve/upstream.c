/* upstream.c - locks and states of another HTTP backend. */
#include "serve/upstream.h"

#include <pthread.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "record/record.h"
#include "serve/committer.h"
#include "serve/log.h"
#include "serve/server.h"
#include "wire/http.h"

enum { UPSTREAM_MS = 60000, SHORT_ANSWER = 1 << 20, ADDRESS_BYTES = 16 << 10 };

/* --- here: one change, waited for --- */

struct here {
    struct commit_job job;
    struct lock_deed deed;
    struct lockinfo info;
    struct str approval, lock_id;
    bool forced;
    struct state_upload upload;
    bool (*act)(struct here *here, struct err *err);
    struct lock_result result;
    struct err err;
    bool ok, done;
    pthread_mutex_t lock;
    pthread_cond_t finished;
};

static bool on_run(struct commit_job *commit, struct record *record, struct event *ret_event,
                   bool *ret_has_event, struct err *err)
{
    struct here *here = (struct here *)(void *)commit;
    here->deed.record = record;
    if (!here->act(here, err))
        return false;
    *ret_has_event = here->result.has_event;
    *ret_event = here->result.event;
    return true;
}

static void on_done(struct commit_job *commit, const struct err *failed)
{
    struct here *here = (struct here *)(void *)commit;
    (void)pthread_mutex_lock(&here->lock);
    here->ok = failed == NULL;
    if (failed)
        here->err = *failed;
    here->done = true;
    (void)pthread_cond_signal(&here->finished);
    (void)pthread_mutex_unlock(&here->lock);
}

/* Durable when it returns true. */
static bool do_here(struct server *server, struct here *here,
                    bool (*act)(struct here *here, struct err *err))
{
    here->job = (struct commit_job){.run = on_run, .done = on_done};
    here->act = act;
    here->done = false;
    (void)pthread_mutex_init(&here->lock, NULL);
    (void)pthread_cond_init(&here->finished, NULL);
    committer_add(server->committer, &here->job);
    (void)pthread_mutex_lock(&here->lock);
    while (!here->done)
        (void)pthread_cond_wait(&here->finished, &here->lock);
    (void)pthread_mutex_unlock(&here->lock);
    (void)pthread_cond_destroy(&here->finished);
    (void)pthread_mutex_destroy(&here->lock);
    return here->ok;
}

static bool act_lock(struct here *here, struct err *err)
{
    return lock_take(&here->deed, &here->info, here->approval, &here->result, err);
}

static bool act_unlock(struct here *here, struct err *err)
{
    return lock_give_back(&here->deed, &here->info, here->forced, &here->result, err);
}

static bool act_may_unlock(struct here *here, struct err *err)
{
    return lock_check_give_back(&here->deed, &here->info, here->forced, &here->result, err);
}

static bool act_check(struct here *here, struct err *err)
{
    return lock_check_write(&here->deed, here->lock_id, &here->upload, &here->result, err);
}

static bool act_may_delete(struct here *here, struct err *err)
{
    return lock_check_delete(&here->deed, &here->result, err);
}

/* --- there --- */

/* What may stand in a path as it is; `slash` with the slashes of a name. */
static void add_escaped(struct buf *out, struct str text, bool slash)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if ((c && strchr(plain, c)) || (slash && c == '/'))
            buf_char(out, c);
        else
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)c);
    }
}

/* {stack}: the name, its parts as those of the path. {stack_segment}: all of it as one part, for
 * those whose names have no slash (GitLab). */
static struct str fill_address(struct arena *arena, struct str address, struct str stack)
{
    static const struct {
        struct str mark;
        bool slash;
    } marks[] = {{STR_INIT("{stack}"), true}, {STR_INIT("{stack_segment}"), false}};
    AUTO_BUF out = {.limit = ADDRESS_BYTES};
    for (size_t i = 0; i < address.len;) {
        struct str rest = str_sub(address, i, address.len);
        size_t k = 0;
        while (k < 2 && !str_starts(rest, marks[k].mark))
            k++;
        if (k < 2)
            add_escaped(&out, stack, marks[k].slash);
        else
            buf_char(&out, *rest.ptr);
        i += k < 2 ? marks[k].mark.len : 1;
    }
    return out.failed ? (struct str){0} : arena_dup(arena, buf_view(&out));
}

/* query: behind the address, or empty. The method's and user's words come from plumb.yaml. */
static bool ask_there(struct server *server, struct request *request, const char *method,
                      struct str address, struct str query, struct http_answer *ret,
                      struct err *err)
{
    struct arena *arena = &request->arena;
    const struct upstream *up = &server->options.upstream;
    struct str where = fill_address(arena, address, request->rest);
    struct str md5 = request_header(request, "content-md5");
    if (query.len)
        where = arena_printf(arena, "%.*s%s%.*s", STR_ARG(where),
                             str_find_char(where, '?', 0) == SIZE_MAX ? "?" : "&", STR_ARG(query));
    struct str digest = arena_printf(arena, "Content-MD5: %.*s", STR_ARG(md5));
    struct str user = arena_dup(arena, up->user), password = arena_dup(arena, up->password);
    if (!where.ptr || !digest.ptr || !user.ptr || !password.ptr)
        return arena_full(arena, err);
    const char *header[] = {"Content-Type: application/json", md5.len ? digest.ptr : NULL, NULL};
    bool reads = strcmp(method, "GET") == 0;
    struct http_get get = {.url = where.ptr,
                           .user = up->user.len ? user.ptr : NULL,
                           .password = up->user.len ? password.ptr : NULL,
                           .timeout_ms = UPSTREAM_MS,
                           .max_bytes = reads ? STATE_BYTES_MAX : SHORT_ANSWER,
                           .method = method,
                           .post = reads ? (struct str){0} : buf_view(&request->bytes),
                           .header = header};
    if (!reads && !get.post.ptr)
        get.post = STR("");
    return http_fetch(arena, &get, ret, err) || err_wrap(err, "the backend behind");
}

static const char *word(struct arena *arena, struct str method, const char *otherwise)
{
    struct str copy = method.len ? arena_dup(arena, method) : (struct str){0};
    return copy.ptr ? copy.ptr : otherwise;
}

static bool is_done(const struct http_answer *answer)
{
    return answer->status >= 200 && answer->status < 300;
}

/* What was said there, as it is: its words are what clients of that backend know. But that it does
 * not let plumb in is nothing that the client could mend by another token. */
static void pass_on(struct server *server, struct request *request, const struct http_answer *there)
{
    if (there->status == 401 || there->status == 403) {
        LOG(server->options.log, LOG_ERROR, "upstream", "the backend behind refuses us",
            LOG_NUMBER("status", there->status), LOG_TEXT("stack", request->rest));
        request_problem(request, 502, "backend",
                        "the backend behind plumb refuses plumb's own credential (status %ld)",
                        there->status);
        return;
    }
    struct answer answer = {
        .status = there->status >= 100 && there->status < 600 ? (unsigned)there->status : 502,
        .type = there->body.len ? "application/json" : NULL,
        .body = there->body};
    request_answer(request, &answer);
}

/* --- both --- */

static bool begin(struct server *server, struct request *request, struct here *ret)
{
    *ret = (struct here){.deed = {.arena = &request->arena,
                                  .stack = request->rest,
                                  .caller = {.role = request->who.role,
                                             .token = request->who.token,
                                             .name = request->who.name},
                                  .peer = request->peer,
                                  .rules = &server->options.rules}};
    request->arena.limit = (size_t)2 * STATE_BYTES_MAX;
    if (!state_name_good(request->rest)) {
        request_problem(request, 400, "name", "the path does not end in the name of a stack");
        return false;
    }
    if (!request_may_touch(request, request->rest)) {
        request_problem(request, 403, "scope", "this token is not for that stack");
        return false;
    }
    return true;
}

static void answer_result(struct request *request, const struct lock_result *result)
{
    struct answer answer = {.status = 423, .type = "application/json", .body = result->info};
    if (result->info.len)
        request_answer(request, &answer);
    else
        request_problem(request, result->answer == LOCK_FORBIDDEN ? 403 : 409, "state-conflict",
                        "%.*s", STR_ARG(result->why));
}

void upstream_get(void *service, struct request *request)
{
    struct server *server = service;
    struct http_answer there = {0};
    struct here here;
    struct err err = {0};
    if (!begin(server, request, &here) || !states_may_read(server, request))
        return;
    if (ask_there(server, request, "GET", server->options.upstream.address, (struct str){0}, &there,
                  &err))
        pass_on(server, request, &there);
    else
        request_failed(request, &err);
}

static struct str lock_address(const struct server *server)
{
    const struct upstream *up = &server->options.upstream;
    return up->lock_address.len ? up->lock_address : up->address;
}

static void give_back_here(struct server *server, struct here *here)
{
    char text[ERR_TEXT_MAX];
    here->forced = false;
    if (!do_here(server, here, act_unlock))
        LOG(server->options.log, LOG_ERROR, "upstream", "a lock stays here that is not held there",
            LOG_TEXT("stack", here->deed.stack),
            LOG_TEXT("error", str_from(err_text(&here->err, text, sizeof text))));
}

/* Held there, as those that know LOCK as well as those that do not (GitLab: 409) say it. */
static bool is_held(const struct http_answer *there)
{
    return there->status == 409 || there->status == 423;
}

/* Held there by this very request, whose answer was lost: not every backend gives a lock twice. */
static bool is_ours_already(struct request *request, const struct http_answer *there, struct str id)
{
    struct lockinfo holder = {0};
    return is_held(there) && lockinfo_parse(&request->arena, there->body, &holder, NULL) &&
           str_equal(holder.id, id);
}

void upstream_lock(void *service, struct request *request)
{
    struct server *server = service;
    struct http_answer there = {0};
    struct here here;
    struct err err = {0};
    if (!begin(server, request, &here))
        return;
    if (!lockinfo_parse(&request->arena, request->body, &here.info, &err)) {
        request_failed(request, &err);
        return;
    }
    if (!request_param(request, "approval", &here.approval))
        here.approval = request_header(request, "x-plumb-approval");
    if (!do_here(server, &here, act_lock)) {
        request_failed(request, &here.err);
        return;
    }
    if (!lock_is_given(here.result.answer)) {
        answer_result(request, &here.result);
        return;
    }
    const char *method = word(&request->arena, server->options.upstream.lock_method, "LOCK");
    bool asked =
        ask_there(server, request, method, lock_address(server), (struct str){0}, &there, &err);
    bool given = asked && (is_done(&there) || is_ours_already(request, &there, here.info.id));
    if (!given)
        give_back_here(server, &here);
    if (!asked)
        request_failed(request, &err);
    else if (given)
        request_answer(request, &(struct answer){.status = 200});
    else
        pass_on(server, request, &there);
}

void upstream_unlock(void *service, struct request *request)
{
    struct server *server = service;
    struct http_answer there = {0};
    struct here here;
    struct err err = {0};
    if (!begin(server, request, &here))
        return;
    if (request->body.len && !lockinfo_parse(&request->arena, request->body, &here.info, &err)) {
        request_failed(request, &err);
        return;
    }
    here.forced = here.info.operation.len == 0;
    if (here.forced && request->who.role < ROLE_ADMIN) {
        request_problem(request, 403, "role", "only an admin takes a lock away");
        return;
    }
    /* Whose lock it is, is known here alone: the other side takes all that comes from plumb. */
    if (!do_here(server, &here, act_may_unlock)) {
        request_failed(request, &here.err);
        return;
    }
    bool unknown = here.result.answer == LOCK_CONFLICT;
    if (here.result.answer == LOCK_FORBIDDEN || (unknown && request->who.role < ROLE_ADMIN)) {
        answer_result(request, &here.result);
        return;
    }
    const char *method = word(&request->arena, server->options.upstream.unlock_method, "UNLOCK");
    if (!ask_there(server, request, method, lock_address(server), (struct str){0}, &there, &err)) {
        request_failed(request, &err);
        return;
    }
    /* Not held there any more: by this very request, whose answer was lost, or somebody took it
     * away past plumb. It is not held here either then. */
    if (!is_done(&there) && !is_held(&there) && there.status != 404) {
        pass_on(server, request, &there);
        return;
    }
    if (!is_done(&there))
        LOG(server->options.log, LOG_WARN, "upstream", "a lock was not held there any more",
            LOG_TEXT("stack", request->rest), LOG_NUMBER("status", there.status));
    if (!do_here(server, &here, act_unlock))
        request_failed(request, &here.err);
    else if (lock_is_given(here.result.answer) || (unknown && is_done(&there)))
        request_answer(request, &(struct answer){.status = 200});
    else
        answer_result(request, &here.result);
}

/* A serial that it has already is refused by some (GitLab: 422), also where the bytes are the same:
 * a write whose answer was lost comes again. What it has says whether it is that. */
static void answer_write(struct server *server, struct request *request,
                         const struct http_answer *there, const struct digest *digest)
{
    struct http_answer now = {0};
    struct digest kept;
    bool doubtful = there->status == 409 || there->status == 422;
    if (doubtful &&
        ask_there(server, request, "GET", server->options.upstream.address, (struct str){0}, &now,
                  NULL) &&
        is_done(&now) && digest_sha256(now.body, &kept, NULL) && digest_equal(&kept, digest))
        request_answer(request, &(struct answer){.status = 200});
    else
        pass_on(server, request, there);
}

void upstream_write(void *service, struct request *request)
{
    struct server *server = service;
    struct http_answer there = {0};
    struct here here;
    struct err err = {0};
    if (!begin(server, request, &here))
        return;
    if (!states_digest_ok(request))
        return;
    (void)request_param(request, "ID", &here.lock_id);
    here.upload.size = request->body.len;
    if (!state_head_parse(&request->arena, request->body, &here.upload.head, &err) ||
        !digest_sha256(request->body, &here.upload.digest, &err)) {
        request_failed(request, &err);
        return;
    }
    if (!do_here(server, &here, act_check)) {
        request_failed(request, &here.err);
        return;
    }
    if (!lock_is_given(here.result.answer)) {
        answer_result(request, &here.result);
        return;
    }
    const char *method = word(&request->arena, server->options.upstream.update_method, "POST");
    if (ask_there(server, request, method, server->options.upstream.address, request->query, &there,
                  &err))
        answer_write(server, request, &there, &here.upload.digest);
    else
        request_failed(request, &err);
}

void upstream_delete(void *service, struct request *request)
{
    struct server *server = service;
    struct http_answer there = {0};
    struct here here;
    struct err err = {0};
    if (!begin(server, request, &here))
        return;
    /* Not every backend asks for the lock here (GitLab: the state goes, whoever holds it). */
    if (!do_here(server, &here, act_may_delete)) {
        request_failed(request, &here.err);
        return;
    }
    if (!lock_is_given(here.result.answer)) {
        answer_result(request, &here.result);
        return;
    }
    if (ask_there(server, request, "DELETE", server->options.upstream.address, (struct str){0},
                  &there, &err))
        pass_on(server, request, &there);
    else
        request_failed(request, &err);
}

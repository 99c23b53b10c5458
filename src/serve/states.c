/* states.c - the state of a stack over HTTP, as the http backend of Terraform and OpenTofu wants
 * it.
 */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/openssl.h"
#include "desired/lockinfo.h"
#include "record/record.h"
#include "serve/committer.h"
#include "serve/server.h"
#include "wire/json.h"

enum { MD5_BYTES = 16 };

/* A change on its way through the committer; lives in the request's arena. */
struct states_job {
    struct commit_job job;
    struct request *request;
    struct lock_deed deed;
    struct lockinfo info;
    struct str approval, lock_id;
    bool forced;
    struct state_upload upload;
    struct buf packed;
    bool (*act)(struct states_job *job, struct err *err);
    struct lock_result result;
};

/* --- the answer --- */

static unsigned status_of(enum lock_answer answer)
{
    switch (answer) {
    case LOCK_GIVEN:
    case LOCK_AGAIN:
        return 200;
    case LOCK_HELD:
    case LOCK_REFUSED:
        return 423;
    case LOCK_CONFLICT:
        return 409;
    case LOCK_NO_ANSWER:
    case LOCK_FORBIDDEN:
        break;
    }
    return 403;
}

static void on_done(struct commit_job *commit, const struct err *failed)
{
    struct states_job *job = (struct states_job *)(void *)commit;
    struct request *request = job->request;
    const struct lock_result *result = &job->result;
    buf_free(&job->packed);
    if (failed) {
        request_failed(request, failed);
        return;
    }
    unsigned status = result->info.len ? 423 : status_of(result->answer);
    if (status == 200 || status == 423) {
        struct answer answer = {.status = status, .type = "application/json", .body = result->info};
        request_answer(request, &answer);
        return;
    }
    request_problem(request, status, status == 409 ? "state-conflict" : "role", "%.*s",
                    STR_ARG(result->why));
}

static bool on_run(struct commit_job *commit, struct record *record, struct event *ret_event,
                   bool *ret_has_event, struct err *err)
{
    struct states_job *job = (struct states_job *)(void *)commit;
    job->deed.record = record;
    if (!job->act(job, err))
        return false;
    *ret_has_event = job->result.has_event;
    *ret_event = job->result.event;
    return true;
}

/* --- the request --- */

static bool check_stack(struct request *request, struct str stack)
{
    if (!state_name_good(stack)) {
        request_problem(request, 400, "name", "the path does not end in the name of a stack");
        return false;
    }
    if (!request_may_touch(request, stack)) {
        request_problem(request, 403, "scope", "this token is not for that stack");
        return false;
    }
    return true;
}

static struct states_job *make_job(struct server *server, struct request *request,
                                   bool (*act)(struct states_job *, struct err *))
{
    struct states_job *job = arena_new(&request->arena, struct states_job, 1);
    if (!job) {
        request_problem(request, 503, "busy", "out of memory");
        return NULL;
    }
    job->job = (struct commit_job){.run = on_run, .done = on_done};
    job->request = request;
    job->act = act;
    job->deed = (struct lock_deed){.arena = &request->arena,
                                   .stack = request->rest,
                                   .caller = {.role = request->who.role,
                                              .token = request->who.token,
                                              .name = request->who.name},
                                   .peer = request->peer,
                                   .rules = &server->options.rules};
    return job;
}

static bool act_lock(struct states_job *job, struct err *err)
{
    return lock_take(&job->deed, &job->info, job->approval, &job->result, err);
}

void states_lock(void *service, struct request *request)
{
    struct server *server = service;
    struct err err = {0};
    if (!check_stack(request, request->rest))
        return;
    struct states_job *job = make_job(server, request, act_lock);
    if (!job)
        return;
    if (!lockinfo_parse(&request->arena, request->body, &job->info, &err)) {
        request_failed(request, &err);
        return;
    }
    if (!request_param(request, "approval", &job->approval))
        job->approval = request_header(request, "x-plumb-approval");
    committer_add(server->committer, &job->job);
}

static bool act_unlock(struct states_job *job, struct err *err)
{
    return lock_give_back(&job->deed, &job->info, job->forced, &job->result, err);
}

void states_unlock(void *service, struct request *request)
{
    struct server *server = service;
    struct err err = {0};
    if (!check_stack(request, request->rest))
        return;
    struct states_job *job = make_job(server, request, act_unlock);
    if (!job)
        return;
    /* force-unlock: Terraform sends nothing at all, OpenTofu an ID alone. */
    if (request->body.len && !lockinfo_parse(&request->arena, request->body, &job->info, &err)) {
        request_failed(request, &err);
        return;
    }
    job->forced = job->info.operation.len == 0;
    committer_add(server->committer, &job->job);
}

static bool is_digest_right(struct request *request)
{
    struct str header = str_trim(request_header(request, "content-md5")), want = {0};
    unsigned char got[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (header.len == 0)
        return true;
    return base64_decode(&request->arena, header, &want, NULL) && want.len == MD5_BYTES &&
           openssl_load_crypto(NULL) &&
           EVP_Digest(request->body.ptr, request->body.len, got, &n, EVP_md5(), NULL) == 1 &&
           n == MD5_BYTES && memcmp(got, want.ptr, MD5_BYTES) == 0;
}

bool states_digest_ok(struct request *request)
{
    if (is_digest_right(request))
        return true;
    request_problem(request, 400, "digest",
                    "Content-MD5 is not that of the body: it was changed on the way");
    return false;
}

static bool act_write(struct states_job *job, struct err *err)
{
    return lock_write(&job->deed, job->lock_id, &job->upload, &job->result, err);
}

void states_post(void *service, struct request *request)
{
    struct server *server = service;
    struct err err = {0};
    if (!check_stack(request, request->rest) || !states_digest_ok(request))
        return;
    struct states_job *job = make_job(server, request, act_write);
    if (!job)
        return;
    (void)request_param(request, "ID", &job->lock_id);
    job->packed = (struct buf){.limit = STATE_BYTES_MAX + (1 << 20)};
    if (!state_head_parse(&request->arena, request->body, &job->upload.head, &err) ||
        !digest_sha256(request->body, &job->upload.digest, &err) ||
        !state_pack(request->body, &job->packed, &err)) {
        buf_free(&job->packed);
        request_failed(request, &err);
        return;
    }
    job->upload.size = request->body.len;
    job->upload.packed = buf_view(&job->packed);
    committer_add(server->committer, &job->job);
}

static bool act_delete(struct states_job *job, struct err *err)
{
    return lock_delete(&job->deed, &job->result, err);
}

void states_remove(void *service, struct request *request)
{
    struct server *server = service;
    if (!check_stack(request, request->rest))
        return;
    struct states_job *job = make_job(server, request, act_delete);
    if (job)
        committer_add(server->committer, &job->job);
}

/* --- reading --- */

/* Whoever may apply, and reads without a lock while something stands against an apply, is about to
 * run with -lock=false. */
static bool may_read(struct server *server, struct request *request, struct record *record,
                     const struct state_row *row, bool *ret, struct err *err)
{
    struct lock_deed deed = {.record = record,
                             .arena = &request->arena,
                             .stack = request->rest,
                             .rules = &server->options.rules};
    struct lock_reason *reason = NULL;
    struct str breakglass = {0};
    size_t n = 0;
    bool locked = row->lock.id.len && row->lock.token == request->who.token;
    *ret = true;
    if (!server->options.guard_reads || request->who.role != ROLE_APPLY || locked)
        return true;
    if (!lock_gather_reasons(&deed, row, STR(""), &reason, &n, &breakglass, err))
        return false;
    *ret = n == 0 || breakglass.len;
    return true;
}

static void answer_guarded(struct request *request)
{
    request_problem(request, 403, "guarded",
                    "something stands against an apply, and this token may apply: it reads the "
                    "state under its lock only");
}

bool states_may_read(struct server *server, struct request *request)
{
    struct record record = {0};
    struct state_row row = {0};
    struct err err = {0};
    bool may = false;
    if (!server->options.guard_reads || request->who.role != ROLE_APPLY)
        return true;
    if (!server_read(server, request, &record))
        return false;
    bool ok = db_begin(record.db, DB_READ, &err) &&
              states_get(&request->arena, record.db, request->rest, &row, &err) &&
              may_read(server, request, &record, &row, &may, &err);
    record_close(&record);
    if (!ok)
        request_failed(request, &err);
    else if (!may)
        answer_guarded(request);
    return ok && may;
}

static bool read_state(struct server *server, struct request *request, struct record *record,
                       struct buf *body, bool *ret_there, bool *ret_may, struct err *err)
{
    struct state_row row = {0};
    struct state_version version;
    struct str wanted = {0};
    int64_t number = 0;
    if (!db_begin(record->db, DB_READ, err) ||
        !states_get(&request->arena, record->db, request->rest, &row, err) ||
        !may_read(server, request, record, &row, ret_may, err))
        return false;
    number = row.version;
    if (request_param(request, "version", &wanted) &&
        (!str_to_int64(wanted, &number) || number < 1))
        return err_set(err, ERR_USAGE, "version: a number is needed");
    *ret_there = number > 0;
    return number == 0 || !*ret_may ||
           states_read(&request->arena, record->db, request->rest, number, body, &version, err);
}

void states_get_state(void *service, struct request *request)
{
    struct server *server = service;
    struct record record = {0};
    struct err err = {0};
    struct buf body = {.limit = STATE_BYTES_MAX + (2 << 20)};
    bool there = false, may = false;
    if (!check_stack(request, request->rest) || !server_read(server, request, &record))
        return;
    bool ok = read_state(server, request, &record, &body, &there, &may, &err);
    record_close(&record);
    if (ok && there && may) {
        struct answer answer = {.status = 200,
                                .type = "application/json",
                                .body = buf_view(&body),
                                .take_body = body.ptr};
        request_answer(request, &answer);
        return;
    }
    buf_free(&body);
    if (!ok && err.kind == ERR_USAGE)
        request_problem(request, 404, "no-version", "%s", err.frame[0]);
    else if (!ok)
        request_failed(request, &err);
    else if (!may)
        answer_guarded(request);
    else
        request_problem(request, 404, "no-state", "this stack has no state here yet");
}

static void answer_json(struct request *request, struct buf *body)
{
    buf_char(body, '\n');
    struct answer answer = {.status = 200, .type = "application/json", .body = buf_view(body)};
    if (body->failed)
        request_problem(request, 503, "busy", "the answer is too large");
    else
        request_answer(request, &answer);
    buf_free(body);
}

static void print_lock(struct jsonw *w, const struct state_row *row)
{
    jsonw_key(w, STR("lock"));
    if (row->lock.id.len == 0) {
        jsonw_null(w);
        return;
    }
    jsonw_object_open(w);
    jsonw_member_string(w, STR("id"), row->lock.id);
    jsonw_member_string(w, STR("kind"), row->lock.kind);
    jsonw_member_string(w, STR("name"), row->lock.name);
    jsonw_member_int(w, STR("taken_utc_ms"), row->lock.taken_utc_ms);
    jsonw_object_close(w);
}

void states_get_list(void *service, struct request *request)
{
    struct server *server = service;
    struct record record = {0};
    struct err err = {0};
    struct state_row *row = NULL;
    size_t n = 0;
    struct buf body = {.limit = 64 << 20};
    struct jsonw w = {.out = &body};
    if (!server_read(server, request, &record))
        return;
    bool ok = states_list(&request->arena, record.db, &row, &n, &err);
    record_close(&record);
    if (!ok) {
        request_failed(request, &err);
        return;
    }
    jsonw_object_open(&w);
    jsonw_key(&w, STR("states"));
    jsonw_array_open(&w);
    for (size_t i = 0; i < n; i++) {
        if (!request_may_touch(request, row[i].stack))
            continue;
        jsonw_object_open(&w);
        jsonw_member_string(&w, STR("stack"), row[i].stack);
        jsonw_member_int(&w, STR("version"), row[i].version);
        jsonw_member_int(&w, STR("serial"), row[i].serial);
        jsonw_member_string(&w, STR("lineage"), row[i].lineage);
        print_lock(&w, &row[i]);
        jsonw_object_close(&w);
    }
    jsonw_array_close(&w);
    jsonw_object_close(&w);
    answer_json(request, &body);
}

void states_get_versions(void *service, struct request *request)
{
    struct server *server = service;
    struct record record = {0};
    struct err err = {0};
    struct state_version *version = NULL;
    size_t n = 0;
    struct buf body = {.limit = 64 << 20};
    struct jsonw w = {.out = &body};
    if (!check_stack(request, request->rest) || !server_read(server, request, &record))
        return;
    bool ok = states_versions(&request->arena, record.db, request->rest, &version, &n, &err);
    record_close(&record);
    if (!ok) {
        request_failed(request, &err);
        return;
    }
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("stack"), request->rest);
    jsonw_key(&w, STR("versions"));
    jsonw_array_open(&w);
    for (size_t i = 0; i < n; i++) {
        char hex[DIGEST_HEX + 1];
        digest_hex(&version[i].digest, hex);
        jsonw_object_open(&w);
        jsonw_member_int(&w, STR("version"), version[i].version);
        jsonw_member_int(&w, STR("serial"), version[i].serial);
        jsonw_member_string(&w, STR("lineage"), version[i].lineage);
        jsonw_member_int(&w, STR("utc_ms"), version[i].utc_ms);
        jsonw_member_string(&w, STR("actor"), version[i].actor);
        jsonw_member_int(&w, STR("size"), version[i].size);
        jsonw_member_string(&w, STR("sha256"), str_from(hex));
        jsonw_object_close(&w);
    }
    jsonw_array_close(&w);
    jsonw_object_close(&w);
    answer_json(request, &body);
}

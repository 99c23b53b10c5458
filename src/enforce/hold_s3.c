/* hold_s3.c - GET, PUT and DELETE of a lock object, signed. */
#include "enforce/hold_s3.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "enforce/lockinfo.h"
#include "wire/http.h"
#include "wire/sigv4.h"

enum { ANSWER_BYTES = 256 << 10 };

static const char *const names[] = {
#define X(constant, name, meaning) name,
    HOLD_STATES(X)
#undef X
};

const char *hold_state_name(enum hold_state state)
{
    return names[state < HOLD_STATE_COUNT ? state : HOLD_OTHER];
}

static struct str host_of(struct str endpoint)
{
    size_t at = str_find(endpoint, STR("://"), 0);
    return at == SIZE_MAX ? endpoint : str_sub(endpoint, at + 3, endpoint.len);
}

static bool ask(struct arena *arena, const struct hold_place *place, const char *method,
                struct str body, bool only_if_new, struct http_answer *ret, struct err *err)
{
    struct sigv4_header fresh = {STR("if-none-match"), STR("*")};
    struct str raw =
        arena_printf(arena, "/%.*s/%.*s.tflock", STR_ARG(place->bucket), STR_ARG(place->key));
    struct str path = raw.ptr ? sigv4_encode_path(arena, raw) : raw;
    struct str url = arena_printf(arena, "%.*s%.*s", STR_ARG(place->endpoint), STR_ARG(path));
    struct sigv4_request request = {.method = str_from(method),
                                    .host = host_of(place->endpoint),
                                    .path = path,
                                    .header = &fresh,
                                    .nheaders = only_if_new,
                                    .payload = body,
                                    .key_id = place->key_id,
                                    .secret = place->secret,
                                    .token = place->token,
                                    .region = place->region,
                                    .service = STR("s3"),
                                    .now_utc_ms = place->now_utc_ms};
    const char *header[SIGV4_HEADERS + 3] = {0};
    if (!path.ptr || !url.ptr)
        return arena_full(arena, err);
    if (!sigv4_sign(arena, &request, header, err))
        return false;
    size_t n = 0;
    while (header[n])
        n++;
    header[n++] = "Content-Type: application/json";
    if (only_if_new)
        header[n++] = "If-None-Match: *";
    struct http_get get = {
        .url = url.ptr, .max_bytes = ANSWER_BYTES, .method = method, .header = header};
    if (body.len)
        get.post = body;
    return http_fetch(arena, &get, ret, err);
}

static bool refused(const char *method, long status, struct err *err)
{
    return err_set(err, ERR_REMOTE, "%s of the lock object: the answer is %ld%s", method, status,
                   status == 403 ? " (are AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the region "
                                   "those of the bucket?)"
                                 : "");
}

bool hold_look(struct arena *arena, const struct hold_place *place, enum hold_state *ret,
               struct lockinfo *ret_info, struct err *err)
{
    struct http_answer answer = {0};
    if (!ask(arena, place, "GET", STR(""), false, &answer, err))
        return false;
    if (answer.status == 404) {
        *ret = HOLD_FREE;
        return true;
    }
    if (answer.status != 200)
        return refused("GET", answer.status, err);
    /* What is no lock info is somebody's all the same. */
    *ret_info = (struct lockinfo){0};
    bool read = lockinfo_parse(arena, answer.body, ret_info, NULL);
    *ret = read && str_starts(ret_info->id, STR(HOLD_ID)) ? HOLD_OURS : HOLD_OTHER;
    return true;
}

bool hold_take(struct arena *arena, const struct hold_place *place, const struct lockinfo *info,
               enum hold_state *ret, struct err *err)
{
    AUTO_BUF body = {.limit = ANSWER_BYTES};
    struct http_answer answer = {0};
    lockinfo_print(&body, info);
    if (!buf_ok(&body, err) || !ask(arena, place, "PUT", buf_view(&body), true, &answer, err))
        return false;
    if (answer.status != 200 && answer.status != 412 && answer.status != 409)
        return refused("PUT", answer.status, err);
    *ret = answer.status == 200 ? HOLD_OURS : HOLD_OTHER;
    return true;
}

bool hold_release(struct arena *arena, const struct hold_place *place, enum hold_state *ret,
                  struct err *err)
{
    struct lockinfo info;
    struct http_answer answer = {0};
    if (!hold_look(arena, place, ret, &info, err))
        return false;
    if (*ret != HOLD_OURS)
        return true;
    if (!ask(arena, place, "DELETE", STR(""), false, &answer, err))
        return false;
    if (answer.status != 200 && answer.status != 204)
        return refused("DELETE", answer.status, err);
    *ret = HOLD_FREE;
    return true;
}

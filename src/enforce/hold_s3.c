/* hold_s3.c - GET, PUT and DELETE of a lock object in S3, signed. */
#include "base/arena.h"
#include "base/err.h"
#include "enforce/hold.h"
#include "wire/http.h"
#include "wire/sigv4.h"

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
        arena_printf(arena, "/%.*s/%.*s", STR_ARG(place->bucket), STR_ARG(place->object));
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
        .url = url.ptr, .max_bytes = HOLD_ANSWER_BYTES, .method = method, .header = header};
    if (body.len)
        get.post = body;
    return http_fetch(arena, &get, ret, err);
}

static bool get(struct arena *arena, const struct hold_place *place, struct http_answer *ret,
                struct str *ret_version, struct err *err)
{
    *ret_version = STR("");
    return ask(arena, place, "GET", STR(""), false, ret, err);
}

static bool put(struct arena *arena, const struct hold_place *place, struct str body,
                struct http_answer *ret, struct err *err)
{
    return ask(arena, place, "PUT", body, true, ret, err);
}

static bool delete_it(struct arena *arena, const struct hold_place *place, struct str version,
                      struct http_answer *ret, struct err *err)
{
    (void)version;
    return ask(arena, place, "DELETE", STR(""), false, ret, err);
}

const struct hold_kind hold_s3 = {
    .scheme = "s3",
    .get = get,
    .put = put,
    .remove = delete_it,
    .who = "are AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the region those of the bucket?"};

/* bucket.c - URL, headers and signature of a request for an object. */
#include "wire/bucket.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "wire/sigv4.h"

enum { NAME_BYTES = 64 << 10 };

static struct str host_of(struct str endpoint)
{
    size_t at = str_find(endpoint, STR("://"), 0);
    return at == SIZE_MAX ? endpoint : str_sub(endpoint, at + 3, endpoint.len);
}

bool bucket_s3(struct arena *arena, const struct bucket_place *place, const char *method,
               struct str body, bool only_if_new, struct http_get *ret, struct err *err)
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
    const char **header = arena_new(arena, const char *, SIGV4_HEADERS + 3);
    if (!path.ptr || !url.ptr || !header)
        return arena_full(arena, err);
    if (!sigv4_sign(arena, &request, header, err))
        return false;
    size_t n = 0;
    while (header[n])
        n++;
    header[n++] = "Content-Type: application/json";
    if (only_if_new)
        header[n++] = "If-None-Match: *";
    *ret = (struct http_get){.url = url.ptr, .method = method, .header = header};
    if (body.len)
        ret->post = body;
    return true;
}

struct str bucket_gcs_segment(struct arena *arena, struct str name)
{
    AUTO_BUF out = {.limit = NAME_BYTES};
    struct str path = sigv4_encode_path(arena, name), part;
    for (bool more = path.ptr != NULL; more;) {
        more = str_cut(&path, '/', &part);
        buf_str(&out, part);
        buf_str(&out, more ? STR("%2F") : STR(""));
    }
    return path.ptr && !out.failed ? arena_dup(arena, buf_view(&out)) : (struct str){0};
}

struct str bucket_gcs_url(struct arena *arena, const struct bucket_place *place, const char *query,
                          struct str version)
{
    struct str bucket = bucket_gcs_segment(arena, place->bucket);
    struct str object = bucket_gcs_segment(arena, place->object);
    if (!bucket.ptr || !object.ptr)
        return (struct str){0};
    return arena_printf(arena, "%.*s/storage/v1/b/%.*s/o/%.*s%s%.*s", STR_ARG(place->endpoint),
                        STR_ARG(bucket), STR_ARG(object), query, STR_ARG(version));
}

bool bucket_gcs(struct arena *arena, const struct bucket_place *place, const char *method,
                struct str url, struct str body, struct http_get *ret, struct err *err)
{
    struct str bearer = arena_printf(arena, "Authorization: Bearer %.*s", STR_ARG(place->token));
    const char **header = arena_new(arena, const char *, 3);
    if (!url.ptr || !bearer.ptr || !header)
        return arena_full(arena, err);
    header[0] = "Content-Type: application/json";
    header[1] = place->token.len ? bearer.ptr : NULL;
    *ret = (struct http_get){.url = url.ptr, .method = method, .header = header};
    if (body.len)
        ret->post = body;
    return true;
}

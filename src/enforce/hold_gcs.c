/* hold_gcs.c - a lock object in Google Cloud Storage, by its generation. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "enforce/hold.h"
#include "wire/http.h"
#include "wire/json.h"
#include "wire/sigv4.h"

/* A name as one segment of a path. */
static struct str segment(struct arena *arena, struct str name)
{
    AUTO_BUF out = {.limit = HOLD_ANSWER_BYTES};
    struct str path = sigv4_encode_path(arena, name), part;
    for (bool more = path.ptr != NULL; more;) {
        more = str_cut(&path, '/', &part);
        buf_str(&out, part);
        buf_str(&out, more ? STR("%2F") : STR(""));
    }
    return path.ptr && !out.failed ? arena_dup(arena, buf_view(&out)) : (struct str){0};
}

static bool ask(struct arena *arena, const struct hold_place *place, const char *method,
                struct str url, struct str body, struct http_answer *ret, struct err *err)
{
    struct str bearer = arena_printf(arena, "Authorization: Bearer %.*s", STR_ARG(place->token));
    const char *header[] = {"Content-Type: application/json", place->token.len ? bearer.ptr : NULL,
                            NULL};
    struct http_get get = {
        .url = url.ptr, .max_bytes = HOLD_ANSWER_BYTES, .method = method, .header = header};
    if (!url.ptr || !bearer.ptr)
        return arena_full(arena, err);
    if (body.len)
        get.post = body;
    return http_fetch(arena, &get, ret, err);
}

static struct str url_of(struct arena *arena, const struct hold_place *place, const char *query,
                         struct str version)
{
    struct str bucket = segment(arena, place->bucket), object = segment(arena, place->object);
    if (!bucket.ptr || !object.ptr)
        return (struct str){0};
    return arena_printf(arena, "%.*s/storage/v1/b/%.*s/o/%.*s%s%.*s", STR_ARG(place->endpoint),
                        STR_ARG(bucket), STR_ARG(object), query, STR_ARG(version));
}

/* Which generation it is, then that one's bytes. */
static bool get(struct arena *arena, const struct hold_place *place, struct http_answer *ret,
                struct str *ret_version, struct err *err)
{
    struct value meta;
    if (!ask(arena, place, "GET", url_of(arena, place, "", STR("")), STR(""), ret, err))
        return false;
    if (ret->status != 200)
        return true;
    if (!json_parse(arena, ret->body, "the lock object's metadata", JSON_DUPLICATES_LAST, &meta,
                    err))
        return false;
    *ret_version = value_get_string(&meta, STR("generation"));
    if (!ret_version->len)
        return err_set(err, ERR_REMOTE, "the lock object's metadata name no generation");
    return ask(arena, place, "GET", url_of(arena, place, "?alt=media&generation=", *ret_version),
               STR(""), ret, err);
}

static bool put(struct arena *arena, const struct hold_place *place, struct str body,
                struct http_answer *ret, struct err *err)
{
    struct str bucket = segment(arena, place->bucket), object = segment(arena, place->object);
    if (!bucket.ptr || !object.ptr)
        return arena_full(arena, err);
    return ask(arena, place, "POST",
               arena_printf(arena,
                            "%.*s/upload/storage/v1/b/%.*s/o?uploadType=media&name=%.*s"
                            "&ifGenerationMatch=0",
                            STR_ARG(place->endpoint), STR_ARG(bucket), STR_ARG(object)),
               body, ret, err);
}

static bool delete_it(struct arena *arena, const struct hold_place *place, struct str version,
                      struct http_answer *ret, struct err *err)
{
    return ask(arena, place, "DELETE", url_of(arena, place, "?ifGenerationMatch=", version),
               STR(""), ret, err);
}

const struct hold_kind hold_gcs = {
    .scheme = "gs",
    .get = get,
    .put = put,
    .remove = delete_it,
    .who = "may the account read, make and delete objects of the bucket?"};

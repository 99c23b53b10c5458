/* hold_gcs.c - making and deleting a lock object in Google Cloud Storage, by its generation. */
#include "base/arena.h"
#include "base/err.h"
#include "desired/object.h"
#include "enforce/hold.h"
#include "wire/http.h"

static bool ask(struct arena *arena, const struct hold_place *place, const char *method,
                struct str url, struct str body, struct http_answer *ret, struct err *err)
{
    struct http_get get;
    if (!bucket_gcs(arena, &place->at, method, url, body, &get, err))
        return false;
    get.max_bytes = HOLD_ANSWER_BYTES;
    return http_fetch(arena, &get, ret, err);
}

static bool put(struct arena *arena, const struct hold_place *place, struct str body,
                struct http_answer *ret, struct err *err)
{
    struct str bucket = bucket_gcs_segment(arena, place->at.bucket);
    struct str object = bucket_gcs_segment(arena, place->at.object);
    if (!bucket.ptr || !object.ptr)
        return arena_full(arena, err);
    return ask(arena, place, "POST",
               arena_printf(arena,
                            "%.*s/upload/storage/v1/b/%.*s/o?uploadType=media&name=%.*s"
                            "&ifGenerationMatch=0",
                            STR_ARG(place->at.endpoint), STR_ARG(bucket), STR_ARG(object)),
               body, ret, err);
}

static bool delete_it(struct arena *arena, const struct hold_place *place, struct str version,
                      struct http_answer *ret, struct err *err)
{
    return ask(arena, place, "DELETE",
               bucket_gcs_url(arena, &place->at, "?ifGenerationMatch=", version), STR(""), ret,
               err);
}

const struct hold_kind hold_gcs = {.store = &object_gcs, .put = put, .remove = delete_it};

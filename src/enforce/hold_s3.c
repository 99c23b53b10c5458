/* hold_s3.c - PUT and DELETE of a lock object in S3, signed. */
#include "base/err.h"
#include "desired/object.h"
#include "enforce/hold.h"
#include "wire/http.h"

static bool ask(struct arena *arena, const struct hold_place *place, const char *method,
                struct str body, bool only_if_new, struct http_answer *ret, struct err *err)
{
    struct http_get get;
    if (!bucket_s3(arena, &place->at, method, body, only_if_new, &get, err))
        return false;
    get.max_bytes = HOLD_ANSWER_BYTES;
    return http_fetch(arena, &get, ret, err);
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

const struct hold_kind hold_s3 = {.store = &object_s3, .put = put, .remove = delete_it};

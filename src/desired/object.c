/* object.c - GET and HEAD of objects in S3 and Cloud Storage. */
#include "desired/object.h"

#include "base/arena.h"
#include "base/err.h"
#include "value/value.h"
#include "wire/bucket.h"
#include "wire/json.h"

enum { TOTAL_MS = 30000 };
static const char *const methods[] = {[OBJECT_HEAD] = "HEAD", [OBJECT_GET] = "GET"};

bool object_refused(const struct object_store *store, const char *what, long status,
                    struct err *err)
{
    bool may_not = status == 401 || status == 403;
    return err_set(err, ERR_REMOTE, "%s: the answer is %ld%s%s%s", what, status,
                   may_not ? " (" : "", may_not ? store->who : "", may_not ? ")" : "");
}

static bool send(struct arena *arena, struct http_get *get, struct http_answer *ret,
                 struct err *err)
{
    get->max_bytes = OBJECT_BYTES_MAX;
    get->total_ms = TOTAL_MS;
    return http_fetch(arena, get, ret, err);
}

static bool look_s3(struct arena *arena, const struct bucket_place *place, enum object_look look,
                    struct object_answer *ret, struct err *err)
{
    struct http_get get;
    struct http_answer answer = {0};
    if (!bucket_s3(arena, place, methods[look], STR(""), false, &get, err) ||
        !send(arena, &get, &answer, err))
        return false;
    if (answer.status != 200 && answer.status != 404)
        return object_refused(&object_s3, "look at an object in S3", answer.status, err);
    *ret = (struct object_answer){.there = answer.status == 200};
    if (ret->there) {
        ret->version = answer.etag;
        ret->body = answer.body;
    }
    return true;
}

/* Its generation stands in its metadata; then that generation's bytes, where they are wanted. */
static bool look_gcs(struct arena *arena, const struct bucket_place *place, enum object_look look,
                     struct object_answer *ret, struct err *err)
{
    struct http_get get;
    struct http_answer answer = {0};
    struct value meta;
    for (int part = 0; part < (look == OBJECT_GET ? 2 : 1); part++) {
        struct str url = part ? bucket_gcs_url(arena, place, "?alt=media&generation=", ret->version)
                              : bucket_gcs_url(arena, place, "", STR(""));
        if (!bucket_gcs(arena, place, methods[OBJECT_GET], url, STR(""), &get, err) ||
            !send(arena, &get, &answer, err))
            return false;
        if (answer.status == 404) {
            *ret = (struct object_answer){0};
            return true;
        }
        if (answer.status != 200)
            return object_refused(&object_gcs, "look at an object in Cloud Storage", answer.status,
                                  err);
        if (part) {
            ret->body = answer.body;
            break;
        }
        if (!json_parse(arena, answer.body, "the object's metadata", JSON_DUPLICATES_LAST, &meta,
                        err))
            return false;
        *ret = (struct object_answer){.there = true,
                                      .version = value_get_string(&meta, STR("generation"))};
        if (!ret->version.len)
            return err_set(err, ERR_REMOTE, "the object's metadata name no generation");
    }
    return true;
}

const struct object_store object_s3 = {
    .scheme = "s3",
    .look = look_s3,
    .who = "are AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the region those of the bucket?"};
const struct object_store object_gcs = {
    .scheme = "gs",
    .look = look_gcs,
    .who = "may the account read, make and delete objects of the bucket?"};

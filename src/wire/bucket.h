/* bucket.h - requests for an object in a bucket, made and not sent: S3 with its signature, Cloud
 * Storage by its JSON API.
 *
 * Owner:   everything of a request lives in the arena
 * Secrets: keys and tokens are in headers alone, never in a URL or an error
 * Source:  Amazon S3 API, Signature Version 4; Cloud Storage JSON API v1
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "wire/http.h"

struct arena;
struct err;

struct bucket_place {
    struct str endpoint; /* "https://s3.eu-central-1.amazonaws.com", without a slash behind */
    struct str bucket, object;
    struct str region, key_id, secret; /* s3 */
    struct str token;                  /* s3: of a session; gcs: bearer, empty = none is sent */
    int64_t now_utc_ms;
};
/* only_if_new: If-None-Match: *. get's other fields are the caller's. */
bool bucket_s3(struct arena *arena, const struct bucket_place *place, const char *method,
               struct str body, bool only_if_new, struct http_get *ret, struct err *err);

/* url.ptr NULL: the arena is full. */
bool bucket_gcs(struct arena *arena, const struct bucket_place *place, const char *method,
                struct str url, struct str body, struct http_get *ret, struct err *err);
/* Of the object, with `query` and `version` behind it ("?generation=", "17"). ptr NULL: the arena
 * is full. */
struct str bucket_gcs_url(struct arena *arena, const struct bucket_place *place, const char *query,
                          struct str version);
/* A name as one segment of a path: slashes are encoded, too. */
struct str bucket_gcs_segment(struct arena *arena, struct str name);

/* object.h - an object in a bucket as it is there now: which version, and its bytes.
 *
 * Reads:   enum object_look has GET and HEAD and nothing else, so that whoever looks cannot write
 * Source:  S3 API (GetObject, HeadObject); Cloud Storage JSON API v1 (objects.get)
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct arena;
struct bucket_place;
struct err;

enum object_look { OBJECT_HEAD, OBJECT_GET };
enum { OBJECT_BYTES_MAX = 256 << 10 };

struct object_answer {
    bool there;         /* false: there is no such object */
    struct str version; /* ETag (s3), generation (gcs): another one, other bytes */
    struct str body;    /* OBJECT_GET */
};
struct object_store {
    const char *scheme; /* "s3" of s3://BUCKET/KEY */
    /* ERR_REMOTE with the status for anything but 200 and 404; ERR_LIMIT past OBJECT_BYTES_MAX. */
    bool (*look)(struct arena *arena, const struct bucket_place *place, enum object_look look,
                 struct object_answer *ret, struct err *err);
    const char *who; /* what to look at after a 401 or 403 */
};
extern const struct object_store object_s3, object_gcs;

bool object_refused(const struct object_store *store, const char *what, long status,
                    struct err *err);

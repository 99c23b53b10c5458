/* google_token.h - a bearer token for Google's APIs, from what the environment names.
 *
 * Order:   GOOGLE_OAUTH_ACCESS_TOKEN; the credentials of GOOGLE_BACKEND_CREDENTIALS,
 *          GOOGLE_CREDENTIALS or GOOGLE_APPLICATION_CREDENTIALS (JSON, or a file with it: a
 *          service account's key, or what gcloud keeps of a user); gcloud's own file; the
 *          machine's metadata server. As the gcs backend of Terraform and OpenTofu has it
 * Secrets: no key and no token is in an error
 * Source:  RFC 7523 (JWT bearer), RFC 6749 section 6; Google's documentation of service
 *          accounts
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct err;

struct google_asking {
    const char *(*env)(const char *name);
    struct str given; /* credentials, JSON or a file with it, before those of the environment */
    bool read_only;   /* may it read objects, or write them as well? */
    int64_t now_utc_ms;
};
/* ERR_UNAVAILABLE where nothing is there, ERR_SYNTAX for credentials that are none, ERR_REMOTE for
 * what was refused. A token is good for at least some minutes. */
bool google_token(struct arena *arena, const struct google_asking *asking, struct str *ret,
                  struct err *err);

/* oidc.h - OpenID Connect tokens of senders: Google's Pub/Sub signs each push with one.
 *
 * Counts:  a JSON Web Token that RS256 signs with one of the issuer's keys, of this issuer, for
 * this audience, not expired, with a verified e-mail address that plumb.yaml names. Nothing that a
 * token itself says chooses the algorithm or where keys come from Keys:    a JSON Web Key Set, from
 * a file or by https. Fetched when they are needed, again after an hour, or for a key that is not
 * known (at most twice a minute); where that fails the old ones count for a day Threads: any
 * Source:  RFC 7515, 7517, 7519; OpenID Connect Core 1.0, 3.1.3.7; Google's "Authentication for
 * push subscriptions"
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct err;
struct oidc;

enum { OIDC_TOKEN_MAX = 16 << 10, OIDC_KEYS_MAX = 256 << 10, OIDC_LEEWAY_S = 60 };

struct oidc_settings {
    struct str audience;     /* empty: no tokens are taken */
    struct str issuer;       /* empty = https://accounts.google.com */
    struct str keys;         /* a file or a URL; empty = Google's */
    const struct str *email; /* globs */
    size_t nemails;
};
/* settings outlive it. A file is read at once; ERR_SYNTAX, ERR_USAGE for what cannot be used. */
bool oidc_open(struct oidc **ret, const struct oidc_settings *settings, struct err *err);
void oidc_close(struct oidc *oidc); /* NULL is fine */

/* ret_email: whose it is, in the arena. ERR_USAGE says what is wrong with the token,
 * ERR_UNAVAILABLE that there are no keys. */
bool oidc_check(struct oidc *oidc, struct arena *arena, struct str token, int64_t now_utc_ms,
                struct str *ret_email, struct err *err);

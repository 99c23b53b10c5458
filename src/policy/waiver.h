/* waiver.h - accepted objections: a file under version control, bound to the very values.
 *
 *   version: 1
 *   waivers:
 *     - fingerprint: 3f2a...            # and / or address (glob), path (pattern), rule (glob)
 *       rule: net/open-port
 *       value: sha256:...               # of each change it accepts; `plumb policy waive` writes it
 *       reason: the partner's probe needs it until the move
 *       owner: '@net-team'
 *       expires: 2026-12-31
 *
 * Digest:  SHA-256 over path and live value; of a secret HMAC-SHA-256 under PLUMB_WAIVER_KEY, so
 *          that nobody can guess the secret from the file
 * Void:    another value, a change that was not there, a date that has come: then it covers nothing
 */
#pragma once
#include "policy/rule.h"

struct waiver {
    struct str fingerprint;
    struct str address, rule; /* globs; empty = any */
    struct str path_text;     /* pattern; empty = every change */
    struct path path;
    struct rule_strs value;
    struct str reason, owner, expires;
    int64_t expires_utc_ms;
    struct location at;
    /* what it did since it was read */
    uint64_t used, voided;
};
struct waivers {
    struct waiver *item;
    size_t n, room;
};

enum { WAIVERS_MAX = 100000 };

/* Is the document meant as waivers? */
bool waivers_is_file(const struct value *doc);
/* Add those of a file; problems as in rules_read. A waiver without reason, owner, value or expiry
 * is one. */
bool waivers_read(struct waivers *waivers, struct arena *arena, struct str text, struct str file,
                  struct rule_problems *problems, struct err *err);
/* "sha256:..." of a live value at a path; keyed where it is secret. ptr NULL: there is no key. */
bool waiver_digest(struct arena *arena, struct str key, struct str path, const struct value *live,
                   bool sensitive, struct str *ret, struct err *err);
/* Of a finding without changes. A resource that no code asks for: over address, type and all that
 * is live, for nothing else tells when it changes; ptr NULL where nothing is known of that. Of
 * other classes the class says it all. */
bool waiver_digest_whole(struct arena *arena, struct str key, enum finding_class class_,
                         struct str address, struct str type, const struct value *live,
                         struct str *ret, struct err *err);
/* The waiver that takes `rule` out of the decision on a change (or on the whole subject: change
 * NULL); NULL: none. Counts what was used and what was void. */
struct waiver *waivers_find(struct waivers *waivers, const struct rule_subject *subject,
                            const struct rule_change *change, struct str rule, struct str digest,
                            int64_t now_utc_ms);
/* The entry as YAML, with its dash, for `plumb policy waive`. */
void waiver_write(struct buf *out, const struct waiver *waiver);

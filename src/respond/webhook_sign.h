/* webhook_sign.h - signatures of a webhook's body: Standard Webhooks, and GitHub's form.
 *
 * Keys:    words of one text, so that an old and a new one are both used while keys are changed:
 *          whsec_BASE64 (24 to 64 bytes) signs as v1, HMAC-SHA256; whsk_BASE64 (an Ed25519 key of
 *          32 bytes, or 64 with its public half) as v1a; any other word is itself the bytes of a v1
 * Source:  Standard Webhooks, spec/standard-webhooks.md; GitHub, X-Hub-Signature-256
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct err;

enum { WEBHOOK_KEYS_MAX = 8 };
/* Are all of them keys? ERR_USAGE says which one is not, by its number alone. */
bool webhook_check_keys(struct arena *arena, struct str keys, struct err *err);
/* "v1,... v1a,...": one signature of each key. Empty where there is none. */
bool webhook_sign(struct arena *arena, struct str keys, struct str id, int64_t utc_s,
                  struct str body, struct str *ret, struct err *err);
/* "sha256=HEX" with the first key of v1, its text as it stands; empty where there is none. */
bool webhook_sign_hub(struct arena *arena, struct str keys, struct str body, struct str *ret,
                      struct err *err);

/* webhook_sign.c - HMAC and Ed25519 over what a webhook sends. */
#include "respond/webhook_sign.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/ed25519.h"
#include "base/err.h"
#include "respond/receiver.h"

enum { SECRET_LEAST = 24, SECRET_MOST = 64, PLAIN_LEAST = 16, HEADER_MAX = 4096 };

struct signer {
    bool asymmetric;
    struct str text;  /* as it was given */
    struct str bytes; /* the key */
};

static bool read_key(struct arena *arena, struct str word, unsigned number, struct signer *ret,
                     struct err *err)
{
    bool secret = str_starts(word, STR("whsec_")), private = str_starts(word, STR("whsk_"));
    struct str bytes = word;
    struct err ignored = {0};
    if (str_starts(word, STR("whpk_")))
        return err_set(err, ERR_USAGE, "key %u is a public one; whsk_ signs", number);
    if ((secret || private) &&
        !base64_decode(arena, str_sub(word, secret ? 6 : 5, word.len), &bytes, &ignored))
        return err_set(err, ERR_USAGE, "key %u is not base64 behind its first word", number);
    if (secret && (bytes.len < SECRET_LEAST || bytes.len > SECRET_MOST))
        return err_set(err, ERR_USAGE, "key %u has %zu bytes, and 24 to 64 are needed", number,
                       bytes.len);
    if (private && bytes.len != ED25519_KEY && bytes.len != 2 * ED25519_KEY)
        return err_set(err, ERR_USAGE, "key %u has %zu bytes, and an Ed25519 key has 32 or 64",
                       number, bytes.len);
    if (!secret && !private && bytes.len < PLAIN_LEAST)
        return err_set(err, ERR_USAGE, "key %u has %zu bytes, and 16 at least are needed", number,
                       bytes.len);
    *ret = (struct signer){private, word, bytes};
    return true;
}

static bool read_keys(struct arena *arena, struct str keys, struct signer ret[WEBHOOK_KEYS_MAX],
                      unsigned *ret_n, struct err *err)
{
    struct str word;
    *ret_n = 0;
    while (receiver_next(&keys, &word)) {
        if (*ret_n == WEBHOOK_KEYS_MAX)
            return err_set(err, ERR_USAGE, "more than %d keys", WEBHOOK_KEYS_MAX);
        if (!read_key(arena, word, *ret_n + 1, &ret[*ret_n], err))
            return false;
        ++*ret_n;
    }
    return true;
}

bool webhook_check_keys(struct arena *arena, struct str keys, struct err *err)
{
    struct signer signer[WEBHOOK_KEYS_MAX];
    unsigned n;
    return read_keys(arena, keys, signer, &n, err);
}

static bool sign_one(struct arena *arena, const struct signer *signer, struct str content,
                     struct buf *out, struct err *err)
{
    unsigned char signature[ED25519_SIGNATURE], seed[ED25519_KEY];
    struct digest digest;
    struct str bytes = {(const char *)signature, sizeof signature};
    if (signer->asymmetric) {
        memcpy(seed, signer->bytes.ptr, sizeof seed);
        bool ok = ed25519_sign(seed, content, signature, err);
        ed25519_wipe(seed, sizeof seed);
        if (!ok)
            return false;
    } else {
        if (!digest_hmac_sha256(signer->bytes, content, &digest, err))
            return false;
        bytes = (struct str){(const char *)digest.byte, sizeof digest.byte};
    }
    struct str text = base64_encode(arena, bytes);
    buf_printf(out, "%s%s,%.*s", out->len ? " " : "", signer->asymmetric ? "v1a" : "v1",
               STR_ARG(text));
    return text.ptr || arena_full(arena, err);
}

bool webhook_sign(struct arena *arena, struct str keys, struct str id, int64_t utc_s,
                  struct str body, struct str *ret, struct err *err)
{
    AUTO_BUF out = {.limit = HEADER_MAX};
    AUTO_BUF content = {.limit = BUF_DEFAULT_LIMIT};
    struct signer signer[WEBHOOK_KEYS_MAX];
    unsigned n;
    if (!read_keys(arena, keys, signer, &n, err))
        return false;
    buf_printf(&content, "%.*s.%" PRId64 ".", STR_ARG(id), utc_s);
    buf_str(&content, body);
    if (!buf_ok(&content, err))
        return false;
    for (unsigned i = 0; i < n; i++)
        if (!sign_one(arena, &signer[i], buf_view(&content), &out, err))
            return false;
    *ret = arena_dup(arena, buf_view(&out));
    return buf_ok(&out, err) && (ret->ptr || arena_full(arena, err));
}

bool webhook_sign_hub(struct arena *arena, struct str keys, struct str body, struct str *ret,
                      struct err *err)
{
    struct signer signer[WEBHOOK_KEYS_MAX];
    struct digest digest;
    char hex[DIGEST_HEX + 1];
    unsigned n;
    *ret = STR("");
    if (!read_keys(arena, keys, signer, &n, err))
        return false;
    for (unsigned i = 0; i < n; i++) {
        if (signer[i].asymmetric)
            continue;
        if (!digest_hmac_sha256(signer[i].text, body, &digest, err))
            return false;
        digest_hex(&digest, hex);
        *ret = arena_printf(arena, "sha256=%s", hex);
        break;
    }
    return ret->ptr || arena_full(arena, err);
}

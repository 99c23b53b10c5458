/* ed25519.c - one-shot calls of EVP behind ed25519.h. */
#include "base/ed25519.h"

#include <string.h>

#include "base/err.h"
#include "base/openssl.h"

bool ed25519_generate(unsigned char seed[ED25519_KEY], struct err *err)
{
    if (!openssl_load_crypto(err))
        return false;
    return RAND_priv_bytes(seed, ED25519_KEY) == 1 ||
           err_set(err, ERR_IO, "the system gave no random bytes for a key");
}

bool ed25519_public(const unsigned char seed[ED25519_KEY], unsigned char public_key[ED25519_KEY],
                    struct err *err)
{
    if (!openssl_load_crypto(err))
        return false;
    size_t len = ED25519_KEY;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_KEY);
    bool ok = key && EVP_PKEY_get_raw_public_key(key, public_key, &len) == 1 && len == ED25519_KEY;
    EVP_PKEY_free(key);
    return ok || err_set(err, ERR_UNSUPPORTED, "OpenSSL cannot use Ed25519 here");
}

bool ed25519_sign(const unsigned char seed[ED25519_KEY], struct str message,
                  unsigned char signature[ED25519_SIGNATURE], struct err *err)
{
    if (!openssl_load_crypto(err))
        return false;
    size_t len = ED25519_SIGNATURE;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_KEY);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const unsigned char *bytes = (const unsigned char *)(message.ptr ? message.ptr : "");
    bool ok = key && ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
              EVP_DigestSign(ctx, signature, &len, bytes, message.len) == 1 &&
              len == ED25519_SIGNATURE;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return ok || err_set(err, ERR_UNSUPPORTED, "OpenSSL cannot sign with Ed25519 here");
}

bool ed25519_verify(const unsigned char public_key[ED25519_KEY], struct str message,
                    struct str signature)
{
    if (signature.len != ED25519_SIGNATURE || !openssl_load_crypto(NULL))
        return false;
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, ED25519_KEY);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const unsigned char *bytes = (const unsigned char *)(message.ptr ? message.ptr : "");
    bool ok = key && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
              EVP_DigestVerify(ctx, (const unsigned char *)signature.ptr, signature.len, bytes,
                               message.len) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return ok;
}

void ed25519_wipe(void *secret, size_t n)
{
    explicit_bzero(secret, n);
}

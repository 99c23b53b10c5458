/* jose_sign.c - the signatures of RFC 7518 section 3 and RFC 8037, made and verified. */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/openssl.h"
#include "wire/jose.h"

static const struct jose_algorithm algorithms[] = {
    {STR_INIT("HS256"), JOSE_HMAC, 256},  {STR_INIT("HS384"), JOSE_HMAC, 384},
    {STR_INIT("HS512"), JOSE_HMAC, 512},  {STR_INIT("RS256"), JOSE_RSA, 256},
    {STR_INIT("RS384"), JOSE_RSA, 384},   {STR_INIT("RS512"), JOSE_RSA, 512},
    {STR_INIT("PS256"), JOSE_PSS, 256},   {STR_INIT("PS384"), JOSE_PSS, 384},
    {STR_INIT("PS512"), JOSE_PSS, 512},   {STR_INIT("ES256"), JOSE_ECDSA, 256},
    {STR_INIT("ES384"), JOSE_ECDSA, 384}, {STR_INIT("ES512"), JOSE_ECDSA, 512},
    {STR_INIT("EdDSA"), JOSE_EDDSA, 0},
};

/* NULL: the family hashes by itself. */
static const EVP_MD *hash(const struct jose_algorithm *alg)
{
    switch (alg->sha_bits) {
    case 256:
        return EVP_sha256();
    case 384:
        return EVP_sha384();
    case 512:
        return EVP_sha512();
    default:
        return NULL;
    }
}

const struct jose_algorithm *jose_algorithm_find(struct str name)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++)
        if (str_equal(algorithms[i].name, name))
            return &algorithms[i];
    return NULL;
}

static const unsigned char *bytes(struct str s)
{
    return (const unsigned char *)(s.ptr ? s.ptr : "");
}

static bool mac(const struct jose_algorithm *alg, const struct jose_key *key, struct str message,
                unsigned char *out, unsigned *ret_len)
{
    return !key->key && HMAC(hash(alg), bytes(key->secret), (int)key->secret.len, bytes(message),
                             message.len, out, ret_len) != NULL;
}

/* Is this the kind of key that the algorithm wants? */
static bool fits(const struct jose_algorithm *alg, const struct jose_key *key)
{
    static const int kinds[] = {[JOSE_RSA] = EVP_PKEY_RSA,
                                [JOSE_PSS] = EVP_PKEY_RSA,
                                [JOSE_ECDSA] = EVP_PKEY_EC,
                                [JOSE_EDDSA] = EVP_PKEY_ED25519};
    return key->key && EVP_PKEY_base_id(key->key) == kinds[alg->family];
}

static bool use_pss(EVP_PKEY_CTX *ctx, const struct jose_algorithm *alg, int salt)
{
    return alg->family != JOSE_PSS ||
           (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt) == 1);
}

/* The bytes of one of the two numbers of an ECDSA signature by this key. */
static size_t number_len(const struct jose_key *key)
{
    return ((size_t)EVP_PKEY_get_bits(key->key) + 7) / 8;
}

enum { DER_MAX = 256 };

/* r and s side by side as the ASN.1 that OpenSSL wants; 0 = they cannot be. */
static size_t to_der(const struct jose_key *key, struct str raw, bool lenient,
                     unsigned char der[DER_MAX])
{
    size_t half = raw.len / 2, len = 0;
    if ((!lenient && raw.len != 2 * number_len(key)) || raw.len > DER_MAX / 2 + 16)
        return 0;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(bytes(raw), (int)half, NULL);
    BIGNUM *s = BN_bin2bn(bytes(raw) + half, (int)(raw.len - half), NULL);
    if (sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
        r = s = NULL; /* the signature owns them now */
        int n = i2d_ECDSA_SIG(sig, NULL);
        unsigned char *at = der;
        if (n > 0 && n <= DER_MAX)
            len = (size_t)i2d_ECDSA_SIG(sig, &at);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    return len;
}

static bool verify_key(const struct jose_algorithm *alg, const struct jose_key *key,
                       struct str message, struct str signature, bool lenient)
{
    unsigned char der[DER_MAX];
    if (alg->family == JOSE_ECDSA) {
        size_t n = to_der(key, signature, lenient, der);
        signature = (struct str){(const char *)der, n};
    }
    EVP_PKEY_CTX *pkey = NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int salt = lenient ? RSA_PSS_SALTLEN_AUTO : RSA_PSS_SALTLEN_DIGEST;
    bool ok =
        ctx && signature.len && EVP_DigestVerifyInit(ctx, &pkey, hash(alg), NULL, key->key) == 1 &&
        use_pss(pkey, alg, salt) &&
        EVP_DigestVerify(ctx, bytes(signature), signature.len, bytes(message), message.len) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

bool jose_verify(const struct jose_algorithm *alg, const struct jose_key *key, struct str message,
                 struct str signature, bool lenient)
{
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (alg->family == JOSE_HMAC)
        return mac(alg, key, message, out, &n) && signature.len == n &&
               CRYPTO_memcmp(signature.ptr, out, n) == 0;
    return fits(alg, key) && !(lenient && key->is_private) &&
           verify_key(alg, key, message, signature, lenient);
}

/* ASN.1 as r and s side by side, each filled up with zeros. */
static struct str from_der(struct arena *arena, const struct jose_key *key,
                           const unsigned char *der, size_t len)
{
    size_t half = number_len(key);
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
    unsigned char *out = arena_new(arena, unsigned char, 2 * half);
    bool ok = sig && out && BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, (int)half) > 0 &&
              BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + half, (int)half) > 0;
    ECDSA_SIG_free(sig);
    return ok ? (struct str){(const char *)out, 2 * half} : (struct str){0};
}

static bool sign_key(struct arena *arena, const struct jose_algorithm *alg,
                     const struct jose_key *key, struct str message, struct str *ret)
{
    EVP_PKEY_CTX *pkey = NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t len = 0;
    unsigned char *out = NULL;
    bool ok = ctx && EVP_DigestSignInit(ctx, &pkey, hash(alg), NULL, key->key) == 1 &&
              use_pss(pkey, alg, RSA_PSS_SALTLEN_DIGEST) &&
              EVP_DigestSign(ctx, NULL, &len, bytes(message), message.len) == 1 &&
              (out = arena_new(arena, unsigned char, len)) &&
              EVP_DigestSign(ctx, out, &len, bytes(message), message.len) == 1;
    EVP_MD_CTX_free(ctx);
    if (!ok)
        return false;
    *ret = alg->family == JOSE_ECDSA ? from_der(arena, key, out, len)
                                     : (struct str){(const char *)out, len};
    return ret->ptr != NULL;
}

bool jose_sign(struct arena *arena, const struct jose_algorithm *alg, const struct jose_key *key,
               struct str message, struct str *ret, struct err *err)
{
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (alg->family == JOSE_HMAC) {
        if (!mac(alg, key, message, out, &n))
            return err_set(err, ERR_USAGE, "%.*s wants a key of type oct", STR_ARG(alg->name));
        *ret = arena_dup(arena, (struct str){(const char *)out, n});
        return ret->ptr || arena_full(arena, err);
    }
    if (!fits(alg, key) || !key->is_private)
        return err_set(err, ERR_USAGE, "%.*s wants another kind of private key",
                       STR_ARG(alg->name));
    return sign_key(arena, alg, key, message, ret) ||
           err_set(err, ERR_USAGE, "the key cannot sign with %.*s", STR_ARG(alg->name));
}

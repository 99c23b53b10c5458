/* jose_key.c - JSON Web Keys and PEM as keys of OpenSSL. */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/openssl.h"
#include "wire/base64.h"
#include "wire/jose.h"
#include "wire/json.h"
#include "wire/pem.h"

enum { KEY_BYTES_MAX = 1 << 20, NUMBERS_MAX = 8 };

void jose_keys_free(struct jose_keys *keys)
{
    for (size_t i = 0; i < keys->n; i++)
        EVP_PKEY_free(keys->key[i].key);
    *keys = (struct jose_keys){0};
}

/* A member that holds bytes as base64url; absent = false without an error. */
static bool field(struct arena *arena, const struct value *jwk, const char *name, struct str *ret)
{
    AUTO_BUF bytes = {.limit = KEY_BYTES_MAX};
    size_t bad;
    const struct value *v = value_get(jwk, str_from(name));
    if (!value_is_string(v) || !base64_read(&bytes, value_text(v), BASE64_URL, &bad))
        return false;
    *ret = arena_dup(arena, buf_view(&bytes));
    return ret->ptr != NULL;
}

static EVP_PKEY *from_params(const char *type, OSSL_PARAM_BLD *build, bool is_private)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (params && ctx && EVP_PKEY_fromdata_init(ctx) == 1)
        (void)EVP_PKEY_fromdata(ctx, &key, is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                                params);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return key;
}

static BIGNUM *number(struct str bytes)
{
    return BN_bin2bn((const unsigned char *)bytes.ptr, (int)bytes.len, NULL);
}

static bool rsa(struct arena *arena, const struct value *jwk, struct jose_key *key)
{
    static const struct {
        const char *name, *param;
    } parts[NUMBERS_MAX] = {
        {"n", OSSL_PKEY_PARAM_RSA_N},          {"e", OSSL_PKEY_PARAM_RSA_E},
        {"d", OSSL_PKEY_PARAM_RSA_D},          {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
        {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},    {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
        {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2}, {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1},
    };
    BIGNUM *numbers[NUMBERS_MAX] = {0};
    struct str bytes[NUMBERS_MAX] = {0};
    for (size_t i = 0; i < NUMBERS_MAX; i++)
        (void)field(arena, jwk, parts[i].name, &bytes[i]);
    key->is_private = bytes[2].len > 0;
    /* primes without their exponents are of no use to OpenSSL: n, e and d suffice */
    bool all = bytes[3].len && bytes[4].len && bytes[5].len && bytes[6].len && bytes[7].len;
    size_t n = !key->is_private ? 2 : all ? NUMBERS_MAX : 3;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    bool ok = build && bytes[0].len && bytes[1].len;
    for (size_t i = 0; ok && i < n; i++) {
        numbers[i] = number(bytes[i]);
        ok = numbers[i] && OSSL_PARAM_BLD_push_BN(build, parts[i].param, numbers[i]) == 1;
    }
    if (ok)
        key->key = from_params("RSA", build, key->is_private);
    OSSL_PARAM_BLD_free(build);
    for (size_t i = 0; i < NUMBERS_MAX; i++)
        BN_clear_free(numbers[i]);
    return key->key != NULL;
}

static bool ec(struct arena *arena, const struct value *jwk, struct jose_key *key)
{
    static const struct {
        const char *name;
        const char *group;
        size_t len;
    } curves[] = {{"P-256", "P-256", 32}, {"P-384", "P-384", 48}, {"P-521", "P-521", 66}};
    struct str x, y, d = {0}, name = value_get_string(jwk, STR("crv"));
    size_t c = 0;
    while (c < sizeof curves / sizeof *curves && !str_equal(name, str_from(curves[c].name)))
        c++;
    if (c == sizeof curves / sizeof *curves || !field(arena, jwk, "x", &x) ||
        !field(arena, jwk, "y", &y) || x.len > curves[c].len || y.len > curves[c].len)
        return false;
    size_t len = curves[c].len;
    unsigned char point[1 + 2 * 66] = {4}; /* not compressed; coordinates filled up with zeros */
    memcpy(point + 1 + len - x.len, x.ptr, x.len);
    memcpy(point + 1 + 2 * len - y.len, y.ptr, y.len);
    key->is_private = field(arena, jwk, "d", &d);
    BIGNUM *secret = key->is_private ? number(d) : NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    if (build &&
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, curves[c].group, 0) &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * len) &&
        (!secret || OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, secret)))
        key->key = from_params("EC", build, key->is_private);
    OSSL_PARAM_BLD_free(build);
    BN_clear_free(secret);
    return key->key != NULL;
}

static bool okp(struct arena *arena, const struct value *jwk, struct jose_key *key)
{
    struct str bytes;
    if (!str_equal(value_get_string(jwk, STR("crv")), STR("Ed25519")))
        return false;
    key->is_private = field(arena, jwk, "d", &bytes);
    if (!key->is_private && !field(arena, jwk, "x", &bytes))
        return false;
    const unsigned char *raw = (const unsigned char *)bytes.ptr;
    key->key = key->is_private
                   ? EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, raw, bytes.len)
                   : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, bytes.len);
    return key->key != NULL;
}

static bool oct(struct arena *arena, const struct value *jwk, struct jose_key *key)
{
    return field(arena, jwk, "k", &key->secret);
}

static bool parse_key(struct arena *arena, const struct value *jwk, struct jose_key *key,
                      struct err *err)
{
    static const struct {
        struct str kty;
        bool (*parse)(struct arena *arena, const struct value *jwk, struct jose_key *key);
    } types[] = {{STR_INIT("RSA"), rsa},
                 {STR_INIT("EC"), ec},
                 {STR_INIT("OKP"), okp},
                 {STR_INIT("oct"), oct}};
    struct str kty = value_get_string(jwk, STR("kty"));
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (!str_equal(kty, types[i].kty))
            continue;
        key->alg = value_get_string(jwk, STR("alg"));
        key->kid = value_get_string(jwk, STR("kid"));
        return types[i].parse(arena, jwk, key) ||
               err_set(err, ERR_SYNTAX, "a key of type %.*s lacks parts or has bad ones",
                       STR_ARG(kty));
    }
    return err_set(err, ERR_SYNTAX, "a key has no known type (kty): want RSA, EC, OKP or oct");
}

bool jose_keys_parse(struct arena *arena, struct str json, struct jose_keys *ret, struct err *err)
{
    struct value root;
    if (!json_parse(arena, json, "key", JSON_DUPLICATES_LAST, &root, err))
        return false;
    const struct value *list = value_get(&root, STR("keys"));
    const struct value *item = list && list->kind == VALUE_TUPLE ? list->items : &root;
    size_t n = list && list->kind == VALUE_TUPLE ? list->len : 1;
    AUTO_JOSE_KEYS keys = {.key = arena_new(arena, struct jose_key, n + 1)};
    if (!keys.key)
        return arena_full(arena, err);
    for (size_t i = 0; i < n; i++, keys.n++)
        if (!parse_key(arena, &item[i], &keys.key[i], err))
            return false;
    *ret = keys;
    keys.n = 0; /* the caller closes them now */
    return true;
}

static bool from_pem(const struct pem *pem, struct jose_key *key, struct err *err)
{
    const unsigned char *der = (const unsigned char *)pem->bytes.ptr, *end = der + pem->bytes.len;
    if (str_equal(pem->type, STR("CERTIFICATE"))) {
        X509 *certificate = d2i_X509(NULL, &der, (long)pem->bytes.len);
        key->key = certificate && der == end ? X509_get_pubkey(certificate) : NULL;
        X509_free(certificate);
        return key->key || err_set(err, ERR_SYNTAX, "failed to parse a PEM certificate");
    }
    if (str_equal(pem->type, STR("PUBLIC KEY"))) {
        key->key = d2i_PUBKEY(NULL, &der, (long)pem->bytes.len);
        return key->key || err_set(err, ERR_SYNTAX, "failed to parse a PEM public key");
    }
    return err_set(err, ERR_SYNTAX, "failed to extract a Key from the PEM certificate");
}

bool jose_keys_trust(struct arena *arena, struct str text, struct jose_keys *ret, struct err *err)
{
    struct pem pem;
    struct str rest = text;
    struct jose_keys keys;
    if (pem_next(arena, &rest, &pem)) {
        struct jose_key *key = arena_new(arena, struct jose_key, 1);
        if (rest.len)
            return err_set(err, ERR_SYNTAX, "extra data after a PEM certificate block");
        if (!key)
            return arena_full(arena, err);
        if (!from_pem(&pem, key, err))
            return false;
        *ret = (struct jose_keys){key, 1};
        return true;
    }
    if (!jose_keys_parse(arena, text, &keys, err))
        return err_wrap(err, "failed to parse a JWK key (set)");
    size_t n = 0;
    for (size_t i = 0; i < keys.n; i++) {
        if (keys.key[i].alg.len && !jose_algorithm_find(keys.key[i].alg))
            EVP_PKEY_free(keys.key[i].key);
        else
            keys.key[n++] = keys.key[i];
    }
    *ret = (struct jose_keys){keys.key, n};
    return true;
}

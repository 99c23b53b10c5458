/* jose.h - keys and signatures of JSON Web Tokens.
 *
 * Shape:   a key is an OpenSSL key or a secret; keys come from PEM (a certificate or a public key)
 *          or from a JSON Web Key or a set of them
 * Owner:   the OpenSSL handles belong to struct jose_keys: AUTO_JOSE_KEYS or jose_keys_free
 * Source:  RFC 7515, 7517, 7518 (sections 3 and 6), 8037 (Ed25519)
 */
#pragma once

#include "base/openssl.h"
#include "base/str.h"
#include "value/value.h"

struct arena;
struct err;

struct jose_key {
    struct str alg, kid; /* empty = the key does not say */
    EVP_PKEY *key;       /* NULL: a secret (kty "oct") */
    struct str secret;
    bool is_private;
};
struct jose_keys {
    struct jose_key *key;
    size_t n;
};
void jose_keys_free(struct jose_keys *keys);
#define AUTO_JOSE_KEYS __attribute__((cleanup(jose_keys_free))) struct jose_keys

/* A JSON Web Key or {"keys": [...]}. ERR_SYNTAX says what is wrong with which key. */
bool jose_keys_parse(struct arena *arena, struct str json, struct jose_keys *ret, struct err *err);
/* The same, or PEM with one certificate or public key and nothing behind it; keys of an algorithm
 * that nobody here knows are left out. */
bool jose_keys_trust(struct arena *arena, struct str text, struct jose_keys *ret, struct err *err);

enum jose_family { JOSE_HMAC, JOSE_RSA, JOSE_PSS, JOSE_ECDSA, JOSE_EDDSA };
struct jose_algorithm {
    struct str name; /* "RS256" */
    enum jose_family family;
    int sha_bits; /* of the SHA-2 before the signature; 0: the family hashes by itself */
};
const struct jose_algorithm *jose_algorithm_find(struct str name); /* NULL = unknown */

/*
 * Does the signature fit? False also for a key of another kind than the algorithm wants.
 * lenient  as io.jwt.verify_* has it: PSS with a salt of any length, ECDSA with any curve, and a
 *          private key verifies nothing
 */
bool jose_verify(const struct jose_algorithm *alg, const struct jose_key *key, struct str message,
                 struct str signature, bool lenient);
/* The raw signature (ECDSA: r and s side by side). */
bool jose_sign(struct arena *arena, const struct jose_algorithm *alg, const struct jose_key *key,
               struct str message, struct str *ret, struct err *err);

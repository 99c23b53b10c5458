/* digest.h - SHA-256 and HMAC-SHA-256 through OpenSSL EVP; XXH3 for tables only. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct err;

enum { DIGEST_SIZE = 32, DIGEST_HEX = 64 };
struct digest {
    unsigned char byte[DIGEST_SIZE];
};

/* A running SHA-256; open, add any number of times, then close exactly once (frees it). */
struct sha256;
struct sha256 *sha256_open(struct err *err);
void sha256_add(struct sha256 *sha, struct str bytes);
/* A length-prefixed field, so that ("ab","c") and ("a","bc") differ. */
void sha256_add_field(struct sha256 *sha, struct str bytes);
bool sha256_close(struct sha256 *sha, struct digest *ret, struct err *err);

/* A SHA-256 kept for many short inputs, a third of the price of a new one each: one per thread. */
struct hasher;
struct hasher *hasher_open(struct err *err);
void hasher_close(struct hasher *hasher); /* NULL is fine */
/* Of all parts one behind the other. False only where OpenSSL fails; *ret may be (in) a part. */
bool hasher_sha256(struct hasher *hasher, const struct str *part, size_t nparts,
                   struct digest *ret);

bool digest_sha256(struct str bytes, struct digest *ret, struct err *err);
bool digest_hmac_sha256(struct str key, struct str bytes, struct digest *ret, struct err *err);
/* SHA-256 of a regular file's content, read in pieces; of nothing else (ERR_IO). */
bool digest_file(const char *path, struct digest *ret, struct err *err);
/* 64 lower-case hex digits and a NUL. */
void digest_hex(const struct digest *digest, char out[DIGEST_HEX + 1]);
/* "sha256:" and the digits, as reports and the store have it; and that of some bytes. */
bool digest_text(struct arena *arena, const struct digest *digest, struct str *ret,
                 struct err *err);
bool digest_text_of(struct arena *arena, struct str bytes, struct str *ret, struct err *err);
bool digest_equal(const struct digest *a, const struct digest *b); /* in constant time */

/* Standard base64 with padding. Decoding accepts it with and without padding. */
struct str base64_encode(struct arena *arena, struct str bytes);
bool base64_decode(struct arena *arena, struct str text, struct str *ret, struct err *err);
int base64_digit(char c); /* 0 to 63, or -1 */

/* A fast table hash (XXH3), never for integrity. */
uint64_t hash_bytes(struct str bytes, uint64_t seed);

/* ed25519.h - Ed25519 signatures (RFC 8032) through OpenSSL.
 *
 * Keys:    raw 32 bytes, as every text form of them holds; a seed is the secret key
 * Owner:   nothing is kept between calls; the caller wipes seeds (ed25519_wipe)
 * Source:  RFC 8032 section 5.1; EVP_PKEY-ED25519(7)
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct err;

enum { ED25519_KEY = 32, ED25519_SIGNATURE = 64 };

/* A new seed from the system's randomness. */
bool ed25519_generate(unsigned char seed[ED25519_KEY], struct err *err);
bool ed25519_public(const unsigned char seed[ED25519_KEY], unsigned char public_key[ED25519_KEY],
                    struct err *err);
bool ed25519_sign(const unsigned char seed[ED25519_KEY], struct str message,
                  unsigned char signature[ED25519_SIGNATURE], struct err *err);
/* False for anything but a good signature of that very length; never an error to tell apart. */
bool ed25519_verify(const unsigned char public_key[ED25519_KEY], struct str message,
                    struct str signature);
void ed25519_wipe(void *secret, size_t n);

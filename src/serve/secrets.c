/* secrets.c - HMAC-SHA256 and HMAC-SHA512 of a request's body. */
#include "serve/secrets.h"

#include "base/openssl.h"

bool secret_signed(enum secret_hash hash, struct str key, struct str bytes, struct str hex)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char mac[EVP_MAX_MD_SIZE];
    char want[2 * EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (key.len == 0 || key.len > 4096 || hex.len == 0 || !openssl_load_crypto(NULL) ||
        !HMAC(hash == SECRET_SHA512 ? EVP_sha512() : EVP_sha256(), key.ptr, (int)key.len,
              (const unsigned char *)bytes.ptr, bytes.len, mac, &n))
        return false;
    for (unsigned i = 0; i < n; i++) {
        want[2 * i] = digits[mac[i] >> 4];
        want[2 * i + 1] = digits[mac[i] & 15];
    }
    return hex.len == 2u * n && CRYPTO_memcmp(want, hex.ptr, hex.len) == 0;
}

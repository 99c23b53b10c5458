/* digest.c - OpenSSL EVP and XXH3 behind digest.h. */
#include "base/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/openssl.h"

struct sha256 {
    EVP_MD_CTX *ctx;
    bool failed;
};

struct sha256 *sha256_open(struct err *err)
{
    if (!openssl_load_crypto(err))
        return NULL;
    struct sha256 *sha = calloc(1, sizeof *sha);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!sha || !ctx || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1) {
        free(sha);
        EVP_MD_CTX_free(ctx);
        err_set(err, ERR_LIMIT, "SHA-256 cannot be started");
        return NULL;
    }
    sha->ctx = ctx;
    return sha;
}

void sha256_add(struct sha256 *sha, struct str bytes)
{
    if (bytes.len && EVP_DigestUpdate(sha->ctx, bytes.ptr, bytes.len) != 1)
        sha->failed = true;
}

void sha256_add_field(struct sha256 *sha, struct str bytes)
{
    char len[8];
    for (unsigned i = 0; i < 8; i++)
        len[i] = (char)((uint64_t)bytes.len >> (56 - 8 * i));
    sha256_add(sha, (struct str){len, sizeof len});
    sha256_add(sha, bytes);
}

bool sha256_close(struct sha256 *sha, struct digest *ret, struct err *err)
{
    bool ok = !sha->failed && EVP_DigestFinal_ex(sha->ctx, ret->byte, NULL) == 1;
    EVP_MD_CTX_free(sha->ctx);
    free(sha);
    return ok || err_set(err, ERR_LIMIT, "SHA-256 failed");
}

struct hasher {
    EVP_MD *md; /* looked up once: EVP_sha256() is looked up at each start */
    EVP_MD_CTX *ctx;
};

struct hasher *hasher_open(struct err *err)
{
    if (!openssl_load_crypto(err))
        return NULL;
    struct hasher *hasher = calloc(1, sizeof *hasher);
    if (hasher) {
        hasher->md = EVP_MD_fetch(NULL, "SHA256", NULL);
        hasher->ctx = EVP_MD_CTX_new();
    }
    if (!hasher || !hasher->md || !hasher->ctx) {
        hasher_close(hasher);
        err_set(err, ERR_LIMIT, "SHA-256 cannot be started");
        return NULL;
    }
    return hasher;
}

void hasher_close(struct hasher *hasher)
{
    if (!hasher)
        return;
    EVP_MD_CTX_free(hasher->ctx);
    EVP_MD_free(hasher->md);
    free(hasher);
}

bool hasher_sha256(struct hasher *hasher, const struct str *part, size_t nparts, struct digest *ret)
{
    bool ok = EVP_DigestInit_ex2(hasher->ctx, hasher->md, NULL) == 1;
    for (size_t i = 0; i < nparts && ok; i++)
        ok = part[i].len == 0 || EVP_DigestUpdate(hasher->ctx, part[i].ptr, part[i].len) == 1;
    return ok && EVP_DigestFinal_ex(hasher->ctx, ret->byte, NULL) == 1;
}

bool digest_sha256(struct str bytes, struct digest *ret, struct err *err)
{
    struct sha256 *sha = sha256_open(err);
    if (!sha)
        return false;
    sha256_add(sha, bytes);
    return sha256_close(sha, ret, err);
}

bool digest_hmac_sha256(struct str key, struct str bytes, struct digest *ret, struct err *err)
{
    unsigned len = 0;
    if (!openssl_load_crypto(err))
        return false;
    if (key.len > INT32_MAX ||
        !HMAC(EVP_sha256(), key.ptr ? key.ptr : "", (int)key.len,
              (const unsigned char *)(bytes.ptr ? bytes.ptr : ""), bytes.len, ret->byte, &len) ||
        len != DIGEST_SIZE)
        return err_set(err, ERR_LIMIT, "HMAC-SHA-256 failed");
    return true;
}

static bool digest_fd(int fd, const char *path, struct digest *ret, struct err *err)
{
    enum { PIECE = 1 << 18 };
    struct sha256 *sha = sha256_open(err);
    char *piece = sha ? malloc(PIECE) : NULL;
    ssize_t n = -1;
    if (piece) {
        while ((n = read(fd, piece, PIECE)) > 0 || (n < 0 && errno == EINTR))
            if (n > 0)
                sha256_add(sha, (struct str){piece, (size_t)n});
        if (n < 0)
            err_set(err, ERR_IO, "read %s: %s", path, strerror(errno));
    }
    if (sha && !piece)
        err_set(err, ERR_LIMIT, "out of memory");
    free(piece);
    struct digest digest;
    if (!sha || !sha256_close(sha, &digest, n == 0 ? err : NULL) || n != 0)
        return false;
    *ret = digest;
    return true;
}

bool digest_file(const char *path, struct digest *ret, struct err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hold us up */
    if (fd < 0)
        return err_set(err, ERR_IO, "open %s: %s", path, strerror(errno));
    bool ok = fstat(fd, &st) == 0 && S_ISREG(st.st_mode)
                  ? digest_fd(fd, path, ret, err)
                  : err_set(err, ERR_IO, "%s is not a regular file", path);
    close(fd);
    return ok;
}

void digest_hex(const struct digest *digest, char out[DIGEST_HEX + 1])
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        out[2 * i] = hex[digest->byte[i] >> 4];
        out[2 * i + 1] = hex[digest->byte[i] & 15];
    }
    out[DIGEST_HEX] = '\0';
}

bool digest_text(struct arena *arena, const struct digest *digest, struct str *ret, struct err *err)
{
    char hex[DIGEST_HEX + 1];
    digest_hex(digest, hex);
    *ret = arena_printf(arena, "sha256:%s", hex);
    return ret->ptr || arena_full(arena, err);
}

bool digest_text_of(struct arena *arena, struct str bytes, struct str *ret, struct err *err)
{
    struct digest digest;
    return digest_sha256(bytes, &digest, err) && digest_text(arena, &digest, ret, err);
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
    return CRYPTO_memcmp(a->byte, b->byte, DIGEST_SIZE) == 0;
}

static void encode(const unsigned char *from, size_t len, char *to)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (; len >= 3; len -= 3, from += 3) {
        uint32_t bits = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
        for (int shift = 18; shift >= 0; shift -= 6)
            *to++ = digits[bits >> shift & 63];
    }
    if (len) {
        uint32_t bits = (uint32_t)from[0] << 16 | (len == 2 ? (uint32_t)from[1] << 8 : 0);
        *to++ = digits[bits >> 18];
        *to++ = digits[bits >> 12 & 63];
        *to++ = len == 2 ? digits[bits >> 6 & 63] : '=';
        *to++ = '=';
    }
    *to = '\0';
}

struct str base64_encode(struct arena *arena, struct str bytes)
{
    if (bytes.len > INT32_MAX / 2)
        return (struct str){0};
    size_t len = (bytes.len + 2) / 3 * 4;
    char *text = arena_alloc_raw(arena, len + 1, 1, 1);
    if (!text)
        return (struct str){0};
    encode((const unsigned char *)bytes.ptr, bytes.len, text);
    return (struct str){text, len};
}

int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_decode(struct arena *arena, struct str text, struct str *ret, struct err *err)
{
    size_t n = text.len;
    for (unsigned pad = 0; pad < 2 && n && text.ptr[n - 1] == '='; pad++)
        n--;
    char *out = arena_alloc_raw(arena, n / 4 * 3 + 4, 1, 1);
    if (!out)
        return arena_full(arena, err);
    size_t len = 0;
    uint32_t bits = 0;
    for (size_t i = 0; i < n; i++) {
        int six = base64_digit(text.ptr[i]);
        if (six < 0)
            return err_set(err, ERR_SYNTAX, "not base64 at byte %zu", i);
        bits = bits << 6 | (uint32_t)six;
        if (i % 4 != 0)
            out[len++] = (char)(bits >> (6 - 2 * (i % 4)));
    }
    if (n % 4 == 1 || (n < text.len && text.len % 4 != 0))
        return err_set(err, ERR_SYNTAX, "base64 text of %zu characters is cut off", text.len);
    *ret = (struct str){out, len};
    return true;
}

uint64_t hash_bytes(struct str bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes.ptr ? bytes.ptr : "", bytes.len, seed);
}

/* fn_crypto.c - hashes, UUIDs, bcrypt, and RSA decryption. */
#include <crypt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/library.h"
#include "base/openssl.h"
#include "base/utf8.h"
#include "lang/hcl/encode.h"
#include "lang/hcl/ops.h"

static struct str text_of(struct hcl_call *call, size_t i)
{
    return value_text(&call->arg[i]);
}

/* --- hashes --- */

static struct str hex_text(struct arena *arena, struct str bytes)
{
    static const char hex[] = "0123456789abcdef";
    char *text = arena_alloc_raw(arena, 2 * bytes.len + 1, 1, 1);
    for (size_t i = 0; text && i < bytes.len; i++) {
        text[2 * i] = hex[(unsigned char)bytes.ptr[i] >> 4];
        text[2 * i + 1] = hex[(unsigned char)bytes.ptr[i] & 15];
    }
    return (struct str){text, text ? 2 * bytes.len : 0};
}

static bool hash(struct hcl_call *call, const EVP_MD *md, bool base64, struct value *ret)
{
    struct str text = text_of(call, 0);
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (EVP_Digest(text.len ? text.ptr : "", text.len, bytes, &len, md, NULL) != 1)
        return hcl_call_fail(call, -1, "this hash is not available here");
    struct str digest = {(const char *)bytes, len};
    struct arena *arena = call->ev->arena;
    return hcl_give_text(call, base64 ? base64_encode(arena, digest) : hex_text(arena, digest),
                         ret);
}

#define HASH(fn, md, base64) \
    static bool run_##fn(struct hcl_call *call, struct value *ret) \
    { \
        return hash(call, md(), base64, ret); \
    }
HASH(md5, EVP_md5, false)
HASH(sha1, EVP_sha1, false)
HASH(sha256, EVP_sha256, false)
HASH(sha512, EVP_sha512, false)
HASH(base64sha256, EVP_sha256, true)
HASH(base64sha512, EVP_sha512, true)
#undef HASH

/* --- UUIDs --- */

enum { UUID_SIZE = 16 };

static bool give_uuid(struct hcl_call *call, const unsigned char *u, struct value *ret)
{
    struct str hex = hex_text(call->ev->arena, (struct str){(const char *)u, UUID_SIZE});
    if (!hex.ptr)
        return false;
    return hcl_give_text(call,
                         arena_printf(call->ev->arena, "%.8s-%.4s-%.4s-%.4s-%.12s", hex.ptr,
                                      hex.ptr + 8, hex.ptr + 12, hex.ptr + 16, hex.ptr + 20),
                         ret);
}

static bool run_uuid(struct hcl_call *call, struct value *ret)
{
    unsigned char u[UUID_SIZE];
    if (getrandom(u, sizeof u, 0) != sizeof u)
        return hcl_call_fail(call, -1, "no random bytes to be had");
    u[6] = (unsigned char)((u[6] & 0x0f) | 0x40);
    u[8] = (unsigned char)((u[8] & 0x3f) | 0x80);
    return give_uuid(call, u, ret);
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9'                 ? c - '0'
           : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                : -1;
}

/* 32 digits, the usual 36 characters, {in braces}, or urn:uuid:... */
static bool parse_uuid(struct str s, unsigned char *ret)
{
    bool braces = s.len == 38, urn = s.len == 45;
    if (s.len != 32 && s.len != 36 && !braces && !urn)
        return false;
    if (braces && (s.ptr[0] != '{' || s.ptr[37] != '}'))
        return false;
    if (urn) {
        static const char prefix[] = "urn:uuid:";
        for (size_t i = 0; i < 9; i++)
            if ((s.ptr[i] | 32) != (prefix[i] | 32))
                return false;
    }
    s = braces ? str_sub(s, 1, 37) : urn ? str_sub(s, 9, s.len) : s;
    bool dashes = s.len == 36;
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (dashes && (i == 8 || i == 13 || i == 18 || i == 23)) {
            if (s.ptr[i] != '-')
                return false;
            continue;
        }
        int digit = hex_value(s.ptr[i]);
        if (digit < 0)
            return false;
        ret[n / 2] = (unsigned char)(n % 2 ? ret[n / 2] | digit : digit << 4);
        n++;
    }
    return true;
}

/* RFC 9562, 6.6 */
static bool namespace_of(struct str name, unsigned char *ret)
{
    static const struct {
        struct str name;
        char byte;
    } known[] = {
        {STR_INIT("dns"), '\x10'},
        {STR_INIT("url"), '\x11'},
        {STR_INIT("oid"), '\x12'},
        {STR_INIT("x500"), '\x14'},
    };
    static const unsigned char base[UUID_SIZE] = {0x6b, 0xa7, 0xb8, 0x00, 0x9d, 0xad, 0x11, 0xd1,
                                                  0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_equal(name, known[i].name)) {
            memcpy(ret, base, UUID_SIZE);
            ret[3] = (unsigned char)known[i].byte;
            return true;
        }
    return parse_uuid(name, ret);
}

static bool run_uuidv5(struct hcl_call *call, struct value *ret)
{
    struct str space = text_of(call, 0), name = text_of(call, 1);
    unsigned char id[UUID_SIZE], digest[EVP_MAX_MD_SIZE];
    if (!namespace_of(space, id))
        return hcl_call_fail(call, -1, "uuidv5() doesn't support namespace %.*s (invalid UUID)",
                             STR_ARG(space));
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha1(), NULL) == 1 &&
              EVP_DigestUpdate(ctx, id, sizeof id) == 1 &&
              EVP_DigestUpdate(ctx, name.ptr, name.len) == 1 &&
              EVP_DigestFinal_ex(ctx, digest, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    if (!ok)
        return hcl_call_fail(call, -1, "SHA-1 is not available here");
    digest[6] = (unsigned char)((digest[6] & 0x0f) | 0x50);
    digest[8] = (unsigned char)((digest[8] & 0x3f) | 0x80);
    return give_uuid(call, digest, ret);
}

/* --- bcrypt --- */

enum { BCRYPT_COST = 10, BCRYPT_LEAST = 4, BCRYPT_MOST = 31, BCRYPT_BYTES_MAX = 72 };

struct crypt_library {
    char *(*gensalt)(const char *prefix, unsigned long count, const char *random, int nrandom,
                     char *out, int room);
    char *(*hash)(const char *phrase, const char *setting, struct crypt_data *data);
};

/* Loaded when a configuration asks for it, which few do. */
static bool load_crypt(struct crypt_library *ret)
{
    static const struct library library = {.files = "libcrypt.so.1\0libcrypt.so.2\0",
                                           .names = "crypt_gensalt_rn\0crypt_r\0",
                                           .missing = ""};
    return library_load(&library, ret, sizeof *ret, NULL);
}

static bool run_bcrypt(struct hcl_call *call, struct value *ret)
{
    int64_t cost = BCRYPT_COST;
    struct str password = text_of(call, 0);
    char random[16], setting[CRYPT_GENSALT_OUTPUT_SIZE];
    struct crypt_library crypt;
    if (call->n > 2)
        return hcl_call_fail(call, -1, "bcrypt() takes no more than two arguments");
    if (call->n == 2 && !value_to_int64(&call->arg[1], &cost))
        return hcl_call_fail(call, -1, "value must be a whole number");
    if (cost < BCRYPT_LEAST)
        cost = BCRYPT_COST;
    if (cost > BCRYPT_MOST || password.len > BCRYPT_BYTES_MAX)
        return hcl_call_fail(call, -1, "error occurred generating password %s",
                             cost > BCRYPT_MOST ? "crypto/bcrypt: cost is outside allowed range"
                                                : "bcrypt: password length exceeds 72 bytes");
    struct str text = arena_dup(call->ev->arena, password);
    struct crypt_data *data = calloc(1, sizeof *data);
    bool ok =
        text.ptr && data && load_crypt(&crypt) &&
        getrandom(random, sizeof random, 0) == sizeof random &&
        crypt.gensalt("$2a$", (unsigned long)cost, random, sizeof random, setting, sizeof setting);
    const char *hashed = ok ? crypt.hash(text.ptr, setting, data) : NULL;
    struct str copy =
        hashed && hashed[0] == '$' ? arena_dup(call->ev->arena, str_from(hashed)) : (struct str){0};
    free(data);
    return copy.ptr ? hcl_give_text(call, copy, ret)
                    : hcl_call_fail(call, -1, "bcrypt needs libcrypt (apt install libcrypt1)");
}

/* --- rsadecrypt --- */

/* PEM text to a key; *ret_why says what is wrong with it. */
static EVP_PKEY *read_key(struct str pem, const char **ret_why)
{
    *ret_why = "invalid private key: ssh: no key found";
    if (str_find(pem, STR("-----BEGIN "), 0) == SIZE_MAX || pem.len > INT32_MAX)
        return NULL;
    *ret_why = "invalid private key: ssh: unsupported key type";
    if (str_find(pem, STR("PRIVATE KEY-----"), 0) == SIZE_MAX)
        return NULL;
    *ret_why = "invalid ASN1 data in the given private key";
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    char nothing[] = ""; /* so that OpenSSL asks nobody for a passphrase */
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, nothing) : NULL;
    BIO_free(bio);
    if (key && EVP_PKEY_base_id(key) != EVP_PKEY_RSA) {
        *ret_why = "invalid private key type";
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

static bool decrypt(struct arena *arena, EVP_PKEY *key, struct str cipher, struct str *ret)
{
    size_t len = (size_t)EVP_PKEY_get_size(key), room = len;
    unsigned char *out = arena_alloc_raw(arena, room + 1, 1, 1);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    bool ok = out && ctx && cipher.len && EVP_PKEY_decrypt_init(ctx) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
    /* a wrong padding is an error here, as in Terraform, not a random text; older OpenSSL has no
     * such switch and reports it anyway */
    if (ok)
        (void)EVP_PKEY_CTX_ctrl_str(ctx, "rsa_pkcs1_implicit_rejection", "0");
    ok = ok && EVP_PKEY_decrypt(ctx, out, &len, (const unsigned char *)cipher.ptr, cipher.len) == 1;
    EVP_PKEY_CTX_free(ctx);
    if (ok)
        *ret = (struct str){(const char *)out, len};
    return ok;
}

static bool run_rsadecrypt(struct hcl_call *call, struct value *ret)
{
    struct str cipher, plain;
    size_t bad_at;
    const char *why;
    if (!hcl_base64_decode(call->ev->arena, text_of(call, 0), &cipher, &bad_at))
        return hcl_call_fail(call, 0,
                             "failed to decode input \"%.*s\": cipher text must be base64-encoded",
                             STR_ARG(text_of(call, 0)));
    EVP_PKEY *key = read_key(text_of(call, 1), &why);
    if (!key)
        return hcl_call_fail(call, 1, "%s", why);
    bool ok = decrypt(call->ev->arena, key, cipher, &plain);
    EVP_PKEY_free(key);
    if (!ok)
        return hcl_call_fail(call, -1, "failed to decrypt: crypto/rsa: decryption error");
    if (utf8_bad_at(plain) != SIZE_MAX)
        return hcl_call_fail(call, -1, "the decrypted data is not valid UTF-8");
    return hcl_give_text(call, plain, ret);
}

#define HASH(fn) \
    { \
        .name = #fn, .param = {{"str", "string", 0}}, .result = "string", .run = run_##fn, \
        .result_not_null = 1 \
    }

static const struct hcl_function functions[] = {
    HASH(md5),
    HASH(sha1),
    HASH(sha256),
    HASH(sha512),
    HASH(base64sha256),
    HASH(base64sha512),
    {.name = "uuid",
     .result = "string",
     .run = run_uuid,
     .result_not_null = 1,
     .unknown_when_planning = 1},
    {.name = "uuidv5",
     .param = {{"namespace", "string", 0}, {"name", "string", 0}},
     .result = "string",
     .run = run_uuidv5,
     .result_not_null = 1},
    {.name = "bcrypt",
     .param = {{"str", "string", 0}},
     .rest = {"cost", "number", 0},
     .result = "string",
     .run = run_bcrypt,
     .result_not_null = 1,
     .unknown_when_planning = 1},
    {.name = "rsadecrypt",
     .param = {{"ciphertext", "string", 0}, {"privatekey", "string", 0}},
     .result = "string",
     .run = run_rsadecrypt,
     .result_not_null = 1},
};

const struct hcl_function_family fn_crypto = {functions, sizeof functions / sizeof *functions};

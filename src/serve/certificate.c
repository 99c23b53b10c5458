/* certificate.c - certificates through OpenSSL. */
#include "serve/certificate.h"

#include <arpa/inet.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/openssl.h"
#include "base/x509_extension.h"

enum {
    VALID_BEFORE_S = 3600, /* clocks differ */
    VALID_DAYS = 3650,
    DAY_S = 24 * 3600,
    NAME_MAX_BYTES = 253,
    PEM_MAX = 1 << 20,
    SUBJECT_MAX = 256
};

static bool failed(struct err *err, const char *doing)
{
    unsigned long code = ERR_peek_error();
    const char *why = code ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    return err_set(err, ERR_UNAVAILABLE, "%s: %s", doing, why ? why : "no memory");
}

/* --- what one says --- */

static int no_password(char *to, int room, int writing, void *ctx)
{
    (void)to, (void)room, (void)writing, (void)ctx;
    return -1;
}

static int64_t time_of(const ASN1_TIME *time)
{
    struct tm tm = {0};
    return time && ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) * 1000 : 0;
}

static void add_part(struct buf *out, const X509_NAME_ENTRY *entry)
{
    char key[32] = "";
    unsigned char *text = NULL;
    int n = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
    (void)OBJ_obj2txt(key, sizeof key, X509_NAME_ENTRY_get_object(entry), 0);
    const char *name = strcmp(key, "commonName") == 0         ? "CN"
                       : strcmp(key, "organizationName") == 0 ? "O"
                                                              : key;
    buf_printf(out, "%s%s = ", out->len ? ", " : "", name);
    for (int i = 0; i < n; i++)
        buf_char(out, text[i] < ' ' || text[i] == 0x7f ? '?' : (char)text[i]);
    if (n >= 0)
        OPENSSL_free(text);
}

static struct str subject_of(struct arena *arena, const X509 *x509)
{
    AUTO_BUF out = {.limit = SUBJECT_MAX};
    const X509_NAME *name = X509_get_subject_name(x509);
    for (int i = 0; i < X509_NAME_entry_count(name); i++)
        add_part(&out, X509_NAME_get_entry(name, i));
    return out.failed ? STR("") : arena_dup(arena, buf_view(&out));
}

static bool describe(struct arena *arena, X509 *x509, struct certificate *ret, struct err *err)
{
    unsigned char *der = NULL;
    int n = i2d_X509(x509, &der);
    if (n <= 0)
        return failed(err, "read the certificate");
    struct certificate found = {.subject = subject_of(arena, x509),
                                .from_utc_ms = time_of(X509_get0_notBefore(x509)),
                                .until_utc_ms = time_of(X509_get0_notAfter(x509))};
    bool ok = digest_sha256((struct str){(const char *)der, (size_t)n}, &found.digest, err);
    OPENSSL_free(der);
    if (ok)
        *ret = found;
    return ok;
}

bool certificate_read(struct arena *arena, struct str pem, struct certificate *ret, struct err *err)
{
    if (!openssl_load_crypto(err))
        return false;
    BIO *text = pem.len <= PEM_MAX ? BIO_new_mem_buf(pem.ptr, (int)pem.len) : NULL;
    X509 *x509 = text ? PEM_read_bio_X509(text, NULL, no_password, NULL) : NULL;
    BIO_free(text);
    ERR_clear_error();
    if (!x509)
        return err_set(err, ERR_SYNTAX, "there is no certificate in PEM form in it");
    bool ok = describe(arena, x509, ret, err);
    X509_free(x509);
    return ok;
}

/* --- one of our own --- */

static bool is_address(struct str name)
{
    char text[INET6_ADDRSTRLEN];
    unsigned char bytes[16];
    if (name.len == 0 || name.len >= sizeof text)
        return false;
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* Only what has no meaning to OpenSSL's own syntax. */
static bool is_host(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '.' || c == '_';
        if (!plain && !(c == '*' && i == 0 && name.len > 2 && name.ptr[1] == '.'))
            return false;
    }
    return name.len > 0 && name.len <= NAME_MAX_BYTES;
}

static bool list_names(struct buf *out, const struct str *name, size_t n, struct err *err)
{
    if (n == 0 || n > CERTIFICATE_NAMES_MAX)
        return err_set(err, ERR_USAGE, "a certificate is for 1 to %d names", CERTIFICATE_NAMES_MAX);
    for (size_t i = 0; i < n; i++) {
        bool address = is_address(name[i]);
        if (!address && !is_host(name[i]))
            return err_set(err, ERR_USAGE, "'%.*s' is no name of a host and no IP address",
                           STR_ARG(name[i]));
        buf_printf(out, "%s%s:%.*s", i ? "," : "", address ? "IP" : "DNS", STR_ARG(name[i]));
    }
    buf_char(out, '\0');
    return buf_ok(out, err);
}

static bool fill(X509 *certificate, EVP_PKEY *key, const char *names)
{
    const struct {
        int nid;
        const char *value;
    } extensions[] = {
        {NID_basic_constraints, "critical,CA:FALSE"},
        {NID_key_usage, "critical,digitalSignature"},
        {NID_ext_key_usage, "serverAuth"},
        {NID_subject_key_identifier, "hash"},
        {NID_subject_alt_name, names},
    };
    uint64_t serial = 0;
    X509_NAME *subject = X509_get_subject_name(certificate);
    bool ok = RAND_bytes((unsigned char *)&serial, sizeof serial) == 1 &&
              X509_set_version(certificate, X509_VERSION_3) == 1 &&
              ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) == 1 &&
              X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                         (const unsigned char *)"plumb serve", -1, -1, 0) == 1 &&
              X509_set_issuer_name(certificate, subject) == 1 &&
              X509_set_pubkey(certificate, key) == 1;
    for (size_t i = 0; ok && i < sizeof extensions / sizeof *extensions; i++)
        ok = x509_extension_add(certificate, extensions[i].nid, extensions[i].value);
    return ok;
}

static bool set_times(X509 *certificate, int64_t now_utc_ms)
{
    time_t now = (time_t)(now_utc_ms / 1000);
    return X509_time_adj_ex(X509_getm_notBefore(certificate), 0, -VALID_BEFORE_S, &now) &&
           X509_time_adj_ex(X509_getm_notAfter(certificate), VALID_DAYS, 0, &now);
}

static struct str text_of(struct arena *arena, BIO *bio)
{
    char *text = NULL;
    long n = BIO_get_mem_data(bio, &text);
    return arena_dup(arena, (struct str){text, n > 0 ? (size_t)n : 0});
}

bool certificate_make(struct arena *arena, const struct str *name, size_t n, int64_t now_utc_ms,
                      struct str *ret_cert, struct str *ret_key, struct err *err)
{
    AUTO_BUF names = {.limit = (NAME_MAX_BYTES + 8) * CERTIFICATE_NAMES_MAX};
    if (!list_names(&names, name, n, err) || !openssl_load_crypto(err))
        return false;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x509 = X509_new();
    BIO *cert_text = BIO_new(BIO_s_mem()), *key_text = BIO_new(BIO_s_mem());
    bool ok = key && x509 && cert_text && key_text && set_times(x509, now_utc_ms) &&
              fill(x509, key, names.ptr) && X509_sign(x509, key, EVP_sha256()) > 0 &&
              PEM_write_bio_X509(cert_text, x509) == 1 &&
              PEM_write_bio_PrivateKey(key_text, key, NULL, NULL, 0, NULL, NULL) == 1;
    if (!ok)
        (void)failed(err, "make a certificate");
    struct str cert = ok ? text_of(arena, cert_text) : STR("");
    struct str secret = ok ? text_of(arena, key_text) : STR("");
    BIO_free(key_text);
    BIO_free(cert_text);
    X509_free(x509);
    EVP_PKEY_free(key);
    if (!ok)
        return false;
    if (!cert.len || !secret.len)
        return arena_full(arena, err);
    *ret_cert = cert;
    *ret_key = secret;
    return true;
}

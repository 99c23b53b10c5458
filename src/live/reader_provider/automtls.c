/* automtls.c - certificates and contexts through OpenSSL. */
#include "live/reader_provider/automtls.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/openssl.h"
#include "base/x509_extension.h"

struct automtls {
    EVP_PKEY *key;
    X509 *certificate;
    BIO *pem;
};

enum { VALID_BEFORE_S = 30, VALID_S = 365 * 24 * 3600, CERTIFICATE_MAX = 64 << 10 };

static bool tls_error(struct err *err, const char *doing)
{
    unsigned long code = ERR_peek_error();
    const char *why = code ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    return err_set(err, ERR_UNAVAILABLE, "AutoMTLS: %s: %s", doing, why ? why : "no memory");
}

static bool fill_certificate(X509 *certificate, EVP_PKEY *key)
{
    static const struct {
        int nid;
        const char *value;
    } extensions[] = {
        {NID_basic_constraints, "critical,CA:TRUE"},
        {NID_key_usage, "critical,digitalSignature,keyEncipherment,keyAgreement,keyCertSign"},
        {NID_ext_key_usage, "clientAuth,serverAuth"},
        {NID_subject_key_identifier, "hash"},
        {NID_subject_alt_name, "DNS:localhost"},
    };
    uint64_t serial = 0;
    X509_NAME *name = X509_get_subject_name(certificate);
    bool ok = RAND_bytes((unsigned char *)&serial, sizeof serial) == 1 &&
              X509_set_version(certificate, X509_VERSION_3) == 1 &&
              ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) == 1 &&
              X509_gmtime_adj(X509_getm_notBefore(certificate), -VALID_BEFORE_S) &&
              X509_gmtime_adj(X509_getm_notAfter(certificate), VALID_S) &&
              X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const unsigned char *)"plumb",
                                         -1, -1, 0) == 1 &&
              X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                         (const unsigned char *)"localhost", -1, -1, 0) == 1 &&
              X509_set_issuer_name(certificate, name) == 1 &&
              X509_set_pubkey(certificate, key) == 1;
    for (size_t i = 0; ok && i < sizeof extensions / sizeof *extensions; i++)
        ok = x509_extension_add(certificate, extensions[i].nid, extensions[i].value);
    return ok && X509_sign(certificate, key, EVP_sha256()) > 0;
}

bool automtls_open(struct automtls **ret, struct err *err)
{
    if (!openssl_load_crypto(err) || !openssl_load_tls(err))
        return err_wrap(err, "AutoMTLS");
    struct automtls *mtls = calloc(1, sizeof *mtls);
    if (!mtls)
        return err_set(err, ERR_LIMIT, "AutoMTLS: no memory");
    mtls->key = EVP_EC_gen("P-256");
    mtls->certificate = X509_new();
    mtls->pem = BIO_new(BIO_s_mem());
    if (!mtls->key || !mtls->certificate || !mtls->pem ||
        !fill_certificate(mtls->certificate, mtls->key) ||
        PEM_write_bio_X509(mtls->pem, mtls->certificate) != 1) {
        automtls_close(mtls);
        return tls_error(err, "make a certificate");
    }
    *ret = mtls;
    return true;
}

void automtls_close(struct automtls *mtls)
{
    if (!mtls)
        return;
    EVP_PKEY_free(mtls->key);
    X509_free(mtls->certificate);
    BIO_free(mtls->pem);
    free(mtls);
}

struct str automtls_pem(const struct automtls *mtls)
{
    char *text = NULL;
    long n = BIO_get_mem_data(mtls->pem, &text);
    return (struct str){text, n > 0 ? (size_t)n : 0};
}

static X509 *read_certificate(struct str base64, struct err *err)
{
    AUTO_ARENA arena = {.limit = CERTIFICATE_MAX};
    struct str der;
    if (!base64_decode(&arena, base64, &der, err)) {
        (void)err_wrap(err, "AutoMTLS: the server's certificate");
        return NULL;
    }
    const unsigned char *at = (const unsigned char *)der.ptr;
    X509 *certificate = d2i_X509(NULL, &at, (long)der.len);
    if (!certificate)
        (void)tls_error(err, "the server's certificate");
    return certificate;
}

static bool fill_context(SSL_CTX *ctx, const struct automtls *mtls, X509 *server)
{
    static const unsigned char h2[] = {2, 'h', '2'};
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
           SSL_CTX_use_certificate(ctx, mtls->certificate) == 1 &&
           SSL_CTX_use_PrivateKey(ctx, mtls->key) == 1 && X509_STORE_add_cert(store, server) == 1 &&
           X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) == 1 &&
           SSL_CTX_set_alpn_protos(ctx, h2, sizeof h2) == 0;
}

struct ssl_ctx_st *automtls_context(const struct automtls *mtls, struct str server_certificate,
                                    struct err *err)
{
    X509 *server = read_certificate(server_certificate, err);
    if (!server)
        return NULL;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    bool ok = ctx && fill_context(ctx, mtls, server);
    X509_free(server);
    if (ok)
        return ctx;
    SSL_CTX_free(ctx);
    (void)tls_error(err, "make a context");
    return NULL;
}

/* tls.c - is this certificate with this key fit to be served (the library would only say no), and
 * which one does a client show? */
#include <time.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/openssl.h"
#include "serve/listener_parts.h"

static int no_password(char *to, int room, int writing, void *ctx)
{
    (void)to, (void)room, (void)writing, (void)ctx;
    return -1;
}

static bool check(X509 *cert, EVP_PKEY *key, int64_t now_utc_ms, struct err *err)
{
    time_t now = (time_t)(now_utc_ms / 1000);
    if (!cert)
        return err_set(err, ERR_USAGE, "serve.tls.cert holds no certificate in PEM form");
    if (!key)
        return err_set(err, ERR_USAGE,
                       "serve.tls.key holds no private key in PEM form without a password");
    if (X509_check_private_key(cert, key) != 1)
        return err_set(err, ERR_USAGE, "serve.tls.key is not the key of serve.tls.cert");
    if (X509_cmp_time(X509_get0_notAfter(cert), &now) < 0)
        return err_set(err, ERR_USAGE, "the certificate of serve.tls.cert has expired");
    if (X509_cmp_time(X509_get0_notBefore(cert), &now) > 0)
        return err_set(err, ERR_USAGE, "the certificate of serve.tls.cert is not valid yet");
    return true;
}

bool tls_check(struct str cert, struct str key, int64_t now_utc_ms, struct err *err)
{
    if (!openssl_load_crypto(err))
        return false;
    BIO *cert_text = BIO_new_mem_buf(cert.ptr, (int)cert.len);
    BIO *key_text = BIO_new_mem_buf(key.ptr, (int)key.len);
    X509 *x509 = cert_text ? PEM_read_bio_X509(cert_text, NULL, no_password, NULL) : NULL;
    EVP_PKEY *pkey = key_text ? PEM_read_bio_PrivateKey(key_text, NULL, no_password, NULL) : NULL;
    bool ok = check(x509, pkey, now_utc_ms, err);
    EVP_PKEY_free(pkey);
    X509_free(x509);
    BIO_free(key_text);
    BIO_free(cert_text);
    ERR_clear_error();
    return ok;
}

/* --- clients --- */

static gnutls_session_t session_of(const struct listener *l, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        l->mhd.get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info ? (gnutls_session_t)info->tls_session : NULL;
}

void tls_ask_client(const struct listener *l, struct MHD_Connection *connection)
{
    gnutls_session_t session = session_of(l, connection);
    if (session)
        l->gnutls.certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
}

/* Who signed it does not matter: it is one that a token was made for, or it is nothing. That the
 * client has its key was shown by the handshake. */
bool tls_client_digest(const struct listener *l, struct MHD_Connection *connection,
                       struct digest *ret)
{
    unsigned n = 0;
    gnutls_session_t session = session_of(l, connection);
    const gnutls_datum_t *chain = session ? l->gnutls.certificate_get_peers(session, &n) : NULL;
    return chain && n > 0 &&
           digest_sha256((struct str){(const char *)chain->data, chain->size}, ret, NULL);
}

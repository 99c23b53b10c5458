/* openssl.h - OpenSSL, loaded when it is first called: most commands never call it.
 *
 * Loading libcrypto and libssl costs more than all else of a start, so nothing is linked against
 * them. Each function of the lists below is a member of a struct of pointers of the function's
 * own type, filled by dlopen and dlsym; gen/openssl_calls.inc (script/gen-lists writes it from
 * the lists) maps EVP_Digest to openssl_crypto()->EVP_Digest, and so on. So code reads as with
 * OpenSSL's own headers, calls stay checked, and OpenSSL's own macros work. A function that no
 * list has is an undefined reference when plumb is linked: add it here.
 *
 * Threads: any may call first.
 * Source:  OpenSSL 3.0, the manual pages of section 3
 */
#pragma once
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdbool.h>

struct err;

/* clang-format off */
#define OPENSSL_CRYPTO(X) \
    X(ASN1_BIT_STRING_free) X(ASN1_BIT_STRING_get_bit) X(ASN1_INTEGER_free) \
    X(ASN1_INTEGER_get) X(ASN1_INTEGER_set_uint64) X(ASN1_INTEGER_to_BN) \
    X(ASN1_OCTET_STRING_free) X(ASN1_STRING_get0_data) X(ASN1_STRING_length) \
    X(ASN1_STRING_to_UTF8) X(ASN1_TIME_to_tm) X(AUTHORITY_INFO_ACCESS_free) \
    X(AUTHORITY_KEYID_free) X(BASIC_CONSTRAINTS_free) X(BIO_ctrl) X(BIO_free) X(BIO_new) \
    X(BIO_new_mem_buf) X(BIO_s_mem) X(BN_bin2bn) X(BN_bn2bin) X(BN_bn2binpad) \
    X(BN_bn2dec) X(BN_clear_free) X(BN_free) X(BN_num_bits) X(CERTIFICATEPOLICIES_free) \
    X(CRL_DIST_POINTS_free) X(CRYPTO_free) X(CRYPTO_memcmp) X(ECDSA_SIG_free) \
    X(ECDSA_SIG_get0_r) X(ECDSA_SIG_get0_s) X(ECDSA_SIG_new) X(ECDSA_SIG_set0) \
    X(ERR_clear_error) X(ERR_peek_error) X(ERR_reason_error_string) X(EVP_Digest) \
    X(EVP_DigestFinal_ex) X(EVP_DigestInit_ex) X(EVP_DigestInit_ex2) X(EVP_DigestSign) \
    X(EVP_DigestSignInit) X(EVP_DigestUpdate) X(EVP_DigestVerify) \
    X(EVP_DigestVerifyInit) X(EVP_MD_CTX_free) X(EVP_MD_CTX_new) X(EVP_MD_fetch) \
    X(EVP_MD_free) X(EVP_PKEY_CTX_ctrl_str) X(EVP_PKEY_CTX_free) X(EVP_PKEY_CTX_new) \
    X(EVP_PKEY_CTX_new_from_name) X(EVP_PKEY_CTX_set_rsa_padding) \
    X(EVP_PKEY_CTX_set_rsa_pss_saltlen) X(EVP_PKEY_Q_keygen) X(EVP_PKEY_decrypt) \
    X(EVP_PKEY_decrypt_init) X(EVP_PKEY_free) X(EVP_PKEY_fromdata) \
    X(EVP_PKEY_fromdata_init) X(EVP_PKEY_get_base_id) X(EVP_PKEY_get_bits) \
    X(EVP_PKEY_get_bn_param) X(EVP_PKEY_get_raw_private_key) \
    X(EVP_PKEY_get_raw_public_key) X(EVP_PKEY_get_size) X(EVP_PKEY_new_raw_private_key) \
    X(EVP_PKEY_new_raw_public_key) X(EVP_md5) X(EVP_sha1) X(EVP_sha256) X(EVP_sha384) \
    X(EVP_sha512) X(EXTENDED_KEY_USAGE_free) X(GENERAL_NAMES_free) X(HMAC) \
    X(NAME_CONSTRAINTS_free) X(OBJ_nid2obj) X(OBJ_obj2nid) X(OBJ_obj2txt) \
    X(OPENSSL_sk_free) X(OPENSSL_sk_new_null) X(OPENSSL_sk_num) X(OPENSSL_sk_pop_free) \
    X(OPENSSL_sk_push) X(OPENSSL_sk_value) X(OSSL_PARAM_BLD_free) X(OSSL_PARAM_BLD_new) \
    X(OSSL_PARAM_BLD_push_BN) X(OSSL_PARAM_BLD_push_octet_string) \
    X(OSSL_PARAM_BLD_push_utf8_string) X(OSSL_PARAM_BLD_to_param) X(OSSL_PARAM_free) \
    X(PEM_read_bio_PrivateKey) X(PEM_read_bio_X509) X(PEM_write_bio_PrivateKey) \
    X(PEM_write_bio_X509) X(POLICY_CONSTRAINTS_free) \
    X(RAND_bytes) X(RAND_priv_bytes) X(X509V3_EXT_conf_nid) X(X509V3_get_d2i) \
    X(X509V3_set_ctx) X(X509_EXTENSION_free) X(X509_EXTENSION_get_critical) \
    X(X509_EXTENSION_get_data) X(X509_EXTENSION_get_object) X(X509_NAME_ENTRY_get_data) \
    X(X509_NAME_ENTRY_get_object) X(X509_NAME_add_entry_by_txt) X(X509_NAME_entry_count) \
    X(X509_NAME_get_entry) X(X509_NAME_get_index_by_NID) X(X509_REQ_free) \
    X(X509_REQ_get0_pubkey) X(X509_REQ_get0_signature) X(X509_REQ_get_X509_PUBKEY) \
    X(X509_REQ_get_extensions) X(X509_REQ_get_signature_nid) \
    X(X509_REQ_get_subject_name) X(X509_REQ_get_version) X(X509_STORE_CTX_free) \
    X(X509_STORE_CTX_get0_chain) X(X509_STORE_CTX_get0_param) \
    X(X509_STORE_CTX_get1_chain) X(X509_STORE_CTX_init) X(X509_STORE_CTX_new) \
    X(X509_STORE_add_cert) X(X509_STORE_free) X(X509_STORE_new) X(X509_STORE_set_flags) \
    X(X509_VERIFY_PARAM_set_flags) X(X509_VERIFY_PARAM_set_time) X(X509_add_ext) \
    X(X509_check_host) X(X509_cmp_time) X(X509_check_ip_asc) X(X509_check_private_key) X(X509_free) \
    X(X509_get0_extensions) X(X509_get0_notAfter) X(X509_get0_notBefore) \
    X(X509_get0_pubkey) X(X509_get0_serialNumber) X(X509_get0_signature) \
    X(X509_get_X509_PUBKEY) X(X509_get_ext_d2i) X(X509_get_issuer_name) \
    X(X509_get_pubkey) X(X509_get_serialNumber) X(X509_get_signature_info) \
    X(X509_get_signature_nid) X(X509_get_subject_name) X(X509_get_version) \
    X(X509_getm_notAfter) X(X509_getm_notBefore) X(X509_gmtime_adj) X(X509_new) \
    X(X509_set_issuer_name) X(X509_set_pubkey) X(X509_set_version) X(X509_sign) X(X509_time_adj_ex) \
    X(X509_verify_cert) X(X509_verify_cert_error_string) X(d2i_AutoPrivateKey) \
    X(d2i_ECDSA_SIG) X(d2i_PUBKEY) X(d2i_PrivateKey) X(d2i_X509) X(d2i_X509_REQ) \
    X(i2d_ECDSA_SIG) X(i2d_X509) X(i2d_X509_NAME) X(i2d_X509_PUBKEY) X(i2d_X509_REQ) \
    X(i2d_re_X509_REQ_tbs) X(i2d_re_X509_tbs)

#define OPENSSL_TLS(X) \
    X(SSL_CTX_ctrl) X(SSL_CTX_free) X(SSL_CTX_get_cert_store) X(SSL_CTX_new) \
    X(SSL_CTX_set_alpn_protos) X(SSL_CTX_set_default_verify_paths) X(SSL_CTX_set_verify) X(SSL_CTX_use_PrivateKey) \
    X(SSL_CTX_use_certificate) X(SSL_ctrl) X(SSL_free) X(SSL_get_error) \
    X(SSL_get_verify_result) X(SSL_is_init_finished) X(SSL_new) X(SSL_pending) \
    X(SSL_read) X(SSL_set1_host) X(SSL_set_connect_state) X(SSL_set_fd) X(SSL_shutdown) X(SSL_write) \
    X(TLS_client_method)
/* clang-format on */

#define X(name) __typeof__(name) *name;
struct openssl_crypto {
    OPENSSL_CRYPTO(X)
};
struct openssl_tls {
    OPENSSL_TLS(X)
};
#undef X

/*
 * Load the library where it is not yet. ERR_UNAVAILABLE names what is missing. Whoever can fail
 * asks first; a call without it ends the process with the same message and exit code 1.
 */
bool openssl_load_crypto(struct err *err);
bool openssl_load_tls(struct err *err);

/* Set once, by whoever loads; not for others. */
struct openssl_loaded {
    _Atomic(const struct openssl_crypto *) crypto;
    _Atomic(const struct openssl_tls *) tls;
};
extern struct openssl_loaded openssl_loaded;
const struct openssl_crypto *openssl_need_crypto(void);
const struct openssl_tls *openssl_need_tls(void);

static inline const struct openssl_crypto *openssl_crypto(void)
{
    const struct openssl_crypto *crypto =
        atomic_load_explicit(&openssl_loaded.crypto, memory_order_acquire);
    return __builtin_expect(crypto != NULL, 1) ? crypto : openssl_need_crypto();
}

static inline const struct openssl_tls *openssl_tls(void)
{
    const struct openssl_tls *tls = atomic_load_explicit(&openssl_loaded.tls, memory_order_acquire);
    return __builtin_expect(tls != NULL, 1) ? tls : openssl_need_tls();
}

#ifndef OPENSSL_NAMES_AS_THEY_ARE /* openssl.c's own */
#include "gen/openssl_calls.inc"
#endif

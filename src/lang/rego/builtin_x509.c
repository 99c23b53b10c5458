/* builtin_x509.c - crypto.x509.* and crypto.parse_private_keys: read certificates and keys, verify
 * chains. */
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/openssl.h"
#include "lang/rego/builtin.h"
#include "lang/rego/x509_json.h"
#include "wire/base64.h"
#include "wire/pem.h"

static const struct str begin = STR_INIT("-----BEGIN");
enum { CERTIFICATES_MAX = 1000 };

static enum rego_outcome give_json(struct rego_call *call, const struct buf *json,
                                   struct value *ret)
{
    struct str kept = json->failed ? (struct str){0} : arena_dup(call->arena, buf_view(json));
    return kept.ptr && json_parse(call->arena, kept, "json", JSON_DUPLICATES_LAST, ret, NULL)
               ? REGO_DEFINED
               : REGO_HALT;
}

/* Text that is not PEM is base64 of something; false with the error in call. */
static bool unwrap(struct rego_call *call, struct str text, struct str prefix, struct str *ret)
{
    AUTO_BUF bytes = {.limit = rego_room(call)};
    size_t bad = 0;
    *ret = text;
    if (str_starts(text, prefix))
        return true;
    if (!base64_read(&bytes, text, BASE64_STANDARD, &bad)) {
        (void)rego_fail(call, "illegal base64 data at input byte %zu", bad);
        return false;
    }
    *ret = arena_dup(call->arena, buf_view(&bytes));
    return ret->ptr != NULL;
}

/* --- certificates --- */

static void free_certificates(STACK_OF(X509) * *list)
{
    sk_X509_pop_free(*list, X509_free);
}
#define AUTO_X509S __attribute__((cleanup(free_certificates))) STACK_OF(X509)

static bool parse_ders(struct rego_call *call, struct str der, STACK_OF(X509) * list)
{
    const unsigned char *at = (const unsigned char *)der.ptr, *end = at + der.len;
    while (at < end && sk_X509_num(list) < CERTIFICATES_MAX) {
        X509 *certificate = d2i_X509(NULL, &at, end - at);
        if (!certificate || sk_X509_push(list, certificate) <= 0) {
            X509_free(certificate);
            ERR_clear_error();
            (void)rego_fail(call, "x509: malformed certificate");
            return false;
        }
    }
    return true;
}

static bool parse_certificates(struct rego_call *call, struct str text, STACK_OF(X509) * list)
{
    struct str bytes;
    struct pem pem;
    if (!list || !unwrap(call, text, begin, &bytes))
        return false;
    if (!str_starts(bytes, begin))
        return parse_ders(call, bytes, list);
    while (pem_next(call->arena, &bytes, &pem)) {
        if (!str_equal(pem.type, STR("CERTIFICATE"))) {
            (void)rego_fail(call, "PEM block type is '%.*s', expected CERTIFICATE",
                            STR_ARG(pem.type));
            return false;
        }
        if (!parse_ders(call, pem.bytes, list))
            return false;
    }
    return true;
}

static void write_list(struct jsonw *w, const STACK_OF(X509) * list, bool uri_strings)
{
    jsonw_array_open(w);
    for (int i = 0; i < sk_X509_num(list); i++)
        x509_write_certificate(w, sk_X509_value(list, i), uri_strings);
    jsonw_array_close(w);
}

static enum rego_outcome failed(const struct rego_call *call)
{
    return call->why.ptr ? REGO_FAILED : REGO_HALT;
}

static enum rego_outcome parse_list(struct rego_call *call, struct value *ret)
{
    AUTO_X509S *list = sk_X509_new_null();
    AUTO_BUF json = {.limit = rego_room(call)};
    struct jsonw w = {.out = &json};
    if (!parse_certificates(call, value_text(call->arg), list))
        return failed(call);
    write_list(&w, list, true);
    return give_json(call, &json, ret);
}

/* --- chains --- */

static const struct {
    const char *name;
    int nid;
} usages[] = {
    {"KeyUsageAny", NID_anyExtendedKeyUsage},
    {"KeyUsageServerAuth", NID_server_auth},
    {"KeyUsageClientAuth", NID_client_auth},
    {"KeyUsageCodeSigning", NID_code_sign},
    {"KeyUsageEmailProtection", NID_email_protect},
    {"KeyUsageIPSECEndSystem", NID_ipsecEndSystem},
    {"KeyUsageIPSECTunnel", NID_ipsecTunnel},
    {"KeyUsageIPSECUser", NID_ipsecUser},
    {"KeyUsageTimeStamping", NID_time_stamp},
    {"KeyUsageOCSPSigning", NID_OCSP_sign},
    {"KeyUsageMicrosoftServerGatedCrypto", NID_ms_sgc},
    {"KeyUsageNetscapeServerGatedCrypto", NID_ns_sgc},
    {"KeyUsageMicrosoftCommercialCodeSigning", NID_ms_code_com},
    {"KeyUsageMicrosoftKernelCodeSigning", NID_undef},
};
enum { USAGES = sizeof usages / sizeof *usages };

struct options {
    struct str dns_name; /* empty = not checked */
    int64_t now_s;
    bool wants[USAGES];
    bool any_wanted;
};

static bool allows(const EXTENDED_KEY_USAGE *list, int nid)
{
    for (int i = 0; i < sk_ASN1_OBJECT_num(list); i++) {
        int have = OBJ_obj2nid(sk_ASN1_OBJECT_value(list, i));
        if (have == nid || have == NID_anyExtendedKeyUsage)
            return true;
    }
    return list == NULL; /* no list: everything */
}

/* One wanted usage must be allowed by each certificate of the chain. */
static bool usage_fits(const STACK_OF(X509) * chain, const struct options *options)
{
    bool open[USAGES];
    memcpy(open, options->wants, sizeof open);
    if (!options->any_wanted)
        open[1] = true; /* what Go checks where nothing is asked for: servers */
    for (int i = 0; i < sk_X509_num(chain); i++) {
        EXTENDED_KEY_USAGE *list =
            X509_get_ext_d2i(sk_X509_value(chain, i), NID_ext_key_usage, NULL, NULL);
        for (size_t k = 1; k < USAGES; k++)
            open[k] = open[k] && allows(list, usages[k].nid);
        EXTENDED_KEY_USAGE_free(list);
    }
    for (size_t k = 0; k < USAGES; k++)
        if (open[k])
            return true;
    return false;
}

static bool name_fits(struct rego_call *call, X509 *leaf, struct str name)
{
    struct str text = arena_dup(call->arena, name);
    unsigned flags = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    return !name.len || (text.ptr && (X509_check_ip_asc(leaf, text.ptr, 0) == 1 ||
                                      X509_check_host(leaf, text.ptr, text.len, flags, NULL) == 1));
}

/* The first is the root, the last the leaf. NULL = cannot be trusted. */
static STACK_OF(X509) *
    verified_chain(struct rego_call *call, STACK_OF(X509) * list, const struct options *options)
{
    int n = sk_X509_num(list);
    STACK_OF(X509) *chain = NULL;
    if (n < 2)
        return NULL;
    X509 *leaf = sk_X509_value(list, n - 1);
    STACK_OF(X509) *between = sk_X509_new_null();
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    bool ok = between && store && ctx && X509_STORE_add_cert(store, sk_X509_value(list, 0)) == 1;
    for (int i = 1; ok && i < n - 1; i++)
        ok = sk_X509_push(between, sk_X509_value(list, i)) > 0;
    if (ok && X509_STORE_CTX_init(ctx, store, leaf, between) == 1) {
        X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
        X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
        X509_VERIFY_PARAM_set_time(param, (time_t)options->now_s);
        if (X509_verify_cert(ctx) == 1 && name_fits(call, leaf, options->dns_name) &&
            usage_fits(X509_STORE_CTX_get0_chain(ctx), options))
            chain = X509_STORE_CTX_get1_chain(ctx);
    }
    ERR_clear_error();
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    sk_X509_free(between);
    return chain;
}

static int64_t now_s(const struct rego_call *call)
{
    return call->host && call->host->now_utc_ns != INT64_MIN ? call->host->now_utc_ns / 1000000000
                                                             : (int64_t)time(NULL);
}

static bool option_usages(struct rego_call *call, const struct value *v, struct options *options)
{
    if (!rego_is_array(v) && v->kind != VALUE_SET) {
        (void)rego_fail(call, "'KeyUsages' should be an Array or Set");
        return false;
    }
    AUTO_BUF odd = {.limit = 1 << 16};
    for (uint32_t i = 0; i < v->len; i++) {
        size_t k = 0;
        if (v->items[i].kind != VALUE_STRING)
            continue;
        while (k < USAGES && !str_equal(value_text(&v->items[i]), str_from(usages[k].name)))
            k++;
        if (k < USAGES) {
            options->wants[k] = options->any_wanted = true;
            continue;
        }
        if (odd.len)
            buf_char(&odd, ' ');
        buf_str(&odd, value_text(&v->items[i]));
    }
    if (odd.len)
        (void)rego_fail(call, "invalid entries for 'KeyUsages' found: [%.*s]",
                        STR_ARG(buf_view(&odd)));
    return odd.len == 0;
}

static bool option(struct rego_call *call, struct str name, const struct value *v,
                   struct options *options)
{
    int64_t n;
    if (str_equal(name, STR("DNSName"))) {
        if (v->kind == VALUE_STRING)
            options->dns_name = value_text(v);
        else
            (void)rego_fail(call, "'DNSName' should be a string");
    } else if (str_equal(name, STR("CurrentTime"))) {
        if (v->kind != VALUE_NUMBER)
            (void)rego_fail(call, "'CurrentTime' should be a number");
        else if (!rego_to_int64(v, &n))
            (void)rego_fail(call, "'CurrentTime' should be a valid int64 number");
        else
            options->now_s = n / 1000000000;
    } else if (str_equal(name, STR("MaxConstraintComparisons"))) {
        if (v->kind != VALUE_NUMBER)
            (void)rego_fail(call, "'MaxConstraintComparisons' should be a number");
        else if (!rego_to_int64(v, &n))
            (void)rego_fail(call, "'MaxConstraintComparisons' should be a valid number");
    } else if (str_equal(name, STR("KeyUsages"))) {
        (void)option_usages(call, v, options);
    } else {
        (void)rego_fail(call, "invalid key option");
    }
    return !call->why.ptr;
}

/* named: options by name, or NULL. They are looked at once there is a chain to verify, as in OPA.
 */
static enum rego_outcome verify_with(struct rego_call *call, const struct value *named,
                                     bool uri_strings, struct value *ret)
{
    struct options options = {.now_s = now_s(call)};
    struct value key, v;
    AUTO_X509S *list = sk_X509_new_null();
    AUTO_X509S *chain = NULL;
    AUTO_BUF json = {.limit = rego_room(call)};
    struct jsonw w = {.out = &json};
    if (parse_certificates(call, value_text(call->arg), list)) {
        for (size_t at = 0; named && rego_next(named, &at, &key, &v);)
            if (key.kind == VALUE_STRING && !option(call, value_text(&key), &v, &options))
                return REGO_FAILED;
        chain = verified_chain(call, list, &options);
    }
    call->why = (struct str){0}; /* what cannot be read cannot be trusted: an answer, no error */
    jsonw_array_open(&w);
    jsonw_bool(&w, chain != NULL);
    write_list(&w, chain, uri_strings);
    jsonw_array_close(&w);
    return give_json(call, &json, ret);
}

static enum rego_outcome verify(struct rego_call *call, struct value *ret)
{
    return verify_with(call, NULL, true, ret);
}

static enum rego_outcome verify_options(struct rego_call *call, struct value *ret)
{
    return verify_with(call, &call->arg[1], false, ret);
}

/* --- requests --- */

static enum rego_outcome parse_request(struct rego_call *call, struct value *ret)
{
    struct str bytes;
    struct pem pem;
    AUTO_BUF json = {.limit = rego_room(call)};
    struct jsonw w = {.out = &json};
    if (!unwrap(call, value_text(call->arg), STR("-----BEGIN CERTIFICATE REQUEST-----"), &bytes))
        return failed(call);
    struct str rest = bytes;
    if (pem_next(call->arena, &rest, &pem)) {
        if (!str_equal(pem.type, STR("CERTIFICATE REQUEST")))
            return rego_fail(call, "invalid PEM-encoded certificate signing request");
        bytes = pem.bytes;
    }
    const unsigned char *at = (const unsigned char *)bytes.ptr, *end = at + bytes.len;
    X509_REQ *request = d2i_X509_REQ(NULL, &at, (long)bytes.len);
    if (!request || at != end) {
        X509_REQ_free(request);
        ERR_clear_error();
        return rego_fail(call, "asn1: structure error: not a certificate request");
    }
    x509_write_request(&w, request);
    X509_REQ_free(request);
    return give_json(call, &json, ret);
}

/* --- private keys --- */

static bool is_private_key(struct str type)
{
    return str_equal(type, STR("PRIVATE KEY")) || str_equal(type, STR("RSA PRIVATE KEY")) ||
           str_equal(type, STR("EC PRIVATE KEY"));
}

/* NULL with the error in call. */
static EVP_PKEY *read_key(struct rego_call *call, const struct pem *pem)
{
    const unsigned char *at = (const unsigned char *)pem->bytes.ptr;
    long n = (long)pem->bytes.len;
    EVP_PKEY *key =
        str_equal(pem->type, STR("RSA PRIVATE KEY"))  ? d2i_PrivateKey(EVP_PKEY_RSA, NULL, &at, n)
        : str_equal(pem->type, STR("EC PRIVATE KEY")) ? d2i_PrivateKey(EVP_PKEY_EC, NULL, &at, n)
                                                      : d2i_AutoPrivateKey(NULL, &at, n);
    ERR_clear_error();
    if (!key)
        (void)rego_fail(call, "asn1: structure error: not a private key");
    return key;
}

static enum rego_outcome parse_private_keys(struct rego_call *call, struct value *ret)
{
    AUTO_BUF json = {.limit = rego_room(call)};
    AUTO_BUF decoded = {.limit = rego_room(call)};
    struct jsonw w = {.out = &json};
    struct str text = value_text(call->arg);
    struct pem pem;
    size_t bad;
    if (!text.len) {
        *ret = value_null();
        return REGO_DEFINED;
    }
    if (base64_read(&decoded, text, BASE64_STANDARD, &bad))
        text = buf_view(&decoded);
    jsonw_array_open(&w);
    while (pem_next(call->arena, &text, &pem)) {
        if (!is_private_key(pem.type))
            continue;
        EVP_PKEY *key = read_key(call, &pem);
        if (!key)
            return REGO_FAILED;
        x509_write_private_key(&w, key);
        EVP_PKEY_free(key);
    }
    jsonw_array_close(&w);
    return give_json(call, &json, ret);
}

static enum rego_outcome parse_rsa_private_key(struct rego_call *call, struct value *ret)
{
    AUTO_BUF json = {.limit = rego_room(call)};
    struct jsonw w = {.out = &json};
    struct str text = value_text(call->arg);
    struct pem pem;
    if (!text.len)
        return rego_fail(call, "input PEM data was empty");
    if (!unwrap(call, text, begin, &text))
        return failed(call);
    while (pem_next(call->arena, &text, &pem)) {
        if (!is_private_key(pem.type))
            continue;
        EVP_PKEY *key = read_key(call, &pem);
        if (!key)
            return REGO_FAILED;
        x509_write_jwk(&w, key);
        EVP_PKEY_free(key);
        return give_json(call, &json, ret);
    }
    *ret = value_null();
    return REGO_DEFINED;
}

/* --- a certificate with its key --- */

static EVP_PKEY *pair_key(struct rego_call *call, struct str text)
{
    struct pem pem = {STR_INIT("PRIVATE KEY"), {NULL, 0}};
    if (!unwrap(call, text, STR("-----BEGIN "), &text))
        return NULL;
    if (!str_starts(text, begin)) {
        pem.bytes = text;
        return read_key(call, &pem);
    }
    while (pem_next(call->arena, &text, &pem))
        if (is_private_key(pem.type))
            return read_key(call, &pem);
    (void)rego_fail(call, "tls: failed to find any PEM data in key input");
    return NULL;
}

static void write_pair(struct jsonw *w, const STACK_OF(X509) * list, EVP_PKEY *key)
{
    static const char *const absent[] = {"OCSPStaple", "SignedCertificateTimestamps",
                                         "SupportedSignatureAlgorithms"};
    jsonw_object_open(w);
    jsonw_key(w, STR("Certificate"));
    jsonw_array_open(w);
    for (int i = 0; i < sk_X509_num(list); i++) {
        AUTO_BUF text = {.limit = VALUE_LEN_MAX};
        unsigned char *der = NULL;
        int n = i2d_X509(sk_X509_value(list, i), &der);
        base64_write(&text, (struct str){(const char *)der, n > 0 ? (size_t)n : 0},
                     BASE64_STANDARD);
        jsonw_string(w, buf_view(&text));
        w->out->failed |= text.failed;
        OPENSSL_free(der);
    }
    jsonw_array_close(w);
    jsonw_key(w, STR("Leaf"));
    x509_write_certificate(w, sk_X509_value(list, 0), false);
    jsonw_key(w, STR("PrivateKey"));
    x509_write_private_key(w, key);
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        jsonw_key(w, str_from(absent[i]));
        jsonw_null(w);
    }
    jsonw_object_close(w);
}

static enum rego_outcome parse_keypair(struct rego_call *call, struct value *ret)
{
    AUTO_X509S *list = sk_X509_new_null();
    AUTO_BUF json = {.limit = rego_room(call)};
    struct jsonw w = {.out = &json};
    if (!parse_certificates(call, value_text(&call->arg[0]), list))
        return failed(call);
    if (sk_X509_num(list) == 0)
        return rego_fail(call, "tls: failed to find any PEM data in certificate input");
    EVP_PKEY *key = pair_key(call, value_text(&call->arg[1]));
    if (!key)
        return failed(call);
    bool fits = X509_check_private_key(sk_X509_value(list, 0), key) == 1;
    ERR_clear_error();
    if (fits)
        write_pair(&w, list, key);
    EVP_PKEY_free(key);
    return fits ? give_json(call, &json, ret)
                : rego_fail(call, "tls: private key does not match public key");
}

static const struct rego_builtin table[] = {
    {"crypto.x509.parse_certificates", NULL, "(string) => array[object[string: any]]", parse_list,
     0},
    {"crypto.x509.parse_and_verify_certificates", NULL,
     "(string) => array<boolean, array[object[string: any]]>", verify, 0},
    {"crypto.x509.parse_and_verify_certificates_with_options", NULL,
     "(string, object[string: any]) => array<boolean, array[object[string: any]]>", verify_options,
     0},
    {"crypto.x509.parse_certificate_request", NULL, "(string) => object[string: any]",
     parse_request, 0},
    {"crypto.x509.parse_rsa_private_key", NULL, "(string) => object[string: any]",
     parse_rsa_private_key, 0},
    {"crypto.x509.parse_keypair", NULL, "(string, string) => object[string: any]", parse_keypair,
     0},
    {"crypto.parse_private_keys", NULL, "(string) => array[object[string: any]]",
     parse_private_keys, 0},
};
const struct rego_family builtin_x509 = {table, sizeof table / sizeof *table};

/* test_builtin_x509.c - a certificate and key made here: read, verified, refused. */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "lang/rego/test_call.h"

static void test_refusals(void **state)
{
    (void)state;
    static const struct test_row rows[] = {
        {"crypto.x509.parse_certificates", "[\"foobar\"]",
         "error: illegal base64 data at input byte 6"},
        {"crypto.x509.parse_certificates", "[\"YmFk\"]", "error: x509: malformed certificate"},
        {"crypto.x509.parse_and_verify_certificates", "[\"foobar\"]", "[false,[]]"},
        {"crypto.x509.parse_and_verify_certificates_with_options",
         "[\"\",{\"KeyUsages\":[\"x\",\"y\"]}]",
         "error: invalid entries for 'KeyUsages' found: [x y]"},
        {"crypto.x509.parse_and_verify_certificates_with_options", "[\"\",{\"DNSName\":1}]",
         "error: 'DNSName' should be a string"},
        {"crypto.x509.parse_and_verify_certificates_with_options", "[\"\",{\"a\":1}]",
         "error: invalid key option"},
        {"crypto.x509.parse_certificate_request", "[\"YmFkc3RyaW5n\"]",
         "error: asn1: structure error: not a certificate request"},
        {"crypto.x509.parse_rsa_private_key", "[\"\"]", "error: input PEM data was empty"},
        {"crypto.x509.parse_rsa_private_key", "[\"YmFk\"]", "null"},
        {"crypto.parse_private_keys", "[\"nope\"]", "[]"},
        {"crypto.parse_private_keys", "[\"\"]", "null"},
    };
    test_rows(rows, sizeof rows / sizeof *rows);
}

struct made {
    EVP_PKEY *key;
    X509 *certificate;
};

static struct made make(void)
{
    struct made made = {EVP_EC_gen("P-256"), X509_new()};
    X509 *x = made.certificate;
    X509V3_CTX ctx;
    assert_non_null(made.key);
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
    X509_gmtime_adj(X509_getm_notBefore(x), -60);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)"a.example", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    X509_set_pubkey(x, made.key);
    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    static const struct {
        int nid;
        const char *value;
    } extensions[] = {{NID_basic_constraints, "critical,CA:TRUE"},
                      {NID_subject_alt_name, "DNS:a.example,URI:spiffe://x/y"},
                      {NID_ext_key_usage, "serverAuth"}};
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++) {
        X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, extensions[i].nid, extensions[i].value);
        X509_add_ext(x, e, -1);
        X509_EXTENSION_free(e);
    }
    assert_true(X509_sign(x, made.key, EVP_sha256()) > 0);
    return made;
}

/* The text of a memory BIO as a JSON string. */
static struct str quoted(struct arena *arena, BIO *bio)
{
    AUTO_BUF out = {.limit = 1 << 20};
    char *bytes;
    long n = BIO_get_mem_data(bio, &bytes);
    json_quote(&out, (struct str){bytes, (size_t)n});
    BIO_free(bio);
    return arena_dup(arena, buf_view(&out));
}

static bool holds(struct str text, const char *part)
{
    return str_find(text, str_from(part), 0) != SIZE_MAX;
}

static void test_made(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 16 << 20};
    struct made made = make();
    BIO *one = BIO_new(BIO_s_mem()), *two = BIO_new(BIO_s_mem()), *keys = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(one, made.certificate);
    PEM_write_bio_X509(two, made.certificate);
    PEM_write_bio_X509(two, made.certificate);
    PEM_write_bio_PrivateKey(keys, made.key, NULL, NULL, 0, NULL, NULL);
    struct str pem = quoted(&arena, one), chain = quoted(&arena, two), key = quoted(&arena, keys);
    EVP_PKEY_free(made.key);
    X509_free(made.certificate);

    struct str got = test_call(&arena, "crypto.x509.parse_certificates",
                               arena_printf(&arena, "[%.*s]", STR_ARG(pem)), NULL);
    assert_true(holds(got, "\"CommonName\":\"a.example\"") && holds(got, "\"SerialNumber\":7") &&
                holds(got, "\"DNSNames\":[\"a.example\"]") && holds(got, "\"ExtKeyUsage\":[1]") &&
                holds(got, "\"URIStrings\":[\"spiffe://x/y\"]") &&
                holds(got, "\"SignatureAlgorithm\":10"));
    static const struct {
        const char *options;
        bool valid;
    } rows[] = {{"", true},
                {"\"DNSName\":\"a.example\"", true},
                {"\"DNSName\":\"b.example\"", false},
                {"\"KeyUsages\":[\"KeyUsageClientAuth\"]", false},
                {"\"KeyUsages\":[\"KeyUsageAny\"]", true},
                {"\"CurrentTime\":0", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        got = test_call(&arena, "crypto.x509.parse_and_verify_certificates_with_options",
                        arena_printf(&arena, "[%.*s,{%s}]", STR_ARG(chain), rows[i].options), NULL);
        if (str_starts(got, STR("[true,")) != rows[i].valid)
            fail_msg("{%s}: %.*s", rows[i].options, STR_ARG(got));
    }
    got = test_call(&arena, "crypto.x509.parse_keypair",
                    arena_printf(&arena, "[%.*s,%.*s]", STR_ARG(pem), STR_ARG(key)), NULL);
    assert_true(holds(got, "\"PrivateKey\":{\"Curve\":{},\"D\":"));
    got = test_call(&arena, "crypto.x509.parse_rsa_private_key",
                    arena_printf(&arena, "[%.*s]", STR_ARG(key)), NULL);
    assert_true(str_starts(got, STR("{\"crv\":\"P-256\",\"d\":\"")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

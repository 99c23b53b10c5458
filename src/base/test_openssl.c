/* test_openssl.c - OpenSSL is loaded once, whoever calls first, and both libraries are one. */
#include "base/test.h"

#include <pthread.h>

#include "base/err.h"
#include "base/openssl.h"

enum { THREADS = 8 };

static void *digest(void *ret)
{
    unsigned len = 0;
    return EVP_Digest("abc", 3, ret, &len, EVP_sha256(), NULL) == 1 && len == 32 ? ret : NULL;
}

static void any_thread_may_call_first(void **state)
{
    (void)state;
    pthread_t thread[THREADS];
    unsigned char out[THREADS][EVP_MAX_MD_SIZE];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, digest, out[i]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        void *ok = NULL;
        assert_int_equal(pthread_join(thread[i], &ok), 0);
        assert_ptr_equal(ok, out[i]);
        assert_memory_equal(out[i], out[0], 32);
    }
    assert_int_equal(out[0][0], 0xba);
    assert_int_equal(out[0][31], 0xad);
}

static void loading_twice_is_loading_once(void **state)
{
    (void)state;
    struct err err = {0};
    const struct openssl_crypto *crypto = openssl_crypto();
    assert_true(openssl_load_crypto(&err));
    assert_ptr_equal(openssl_crypto(), crypto);
    assert_true(openssl_load_tls(&err));
    assert_true(openssl_load_tls(&err));
}

static void tls_works_on_keys_of_crypto(void **state)
{
    (void)state;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    assert_non_null(ctx);
    assert_non_null(key);
    assert_int_equal(SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
    EVP_PKEY_free(key);
    SSL_CTX_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_thread_may_call_first),
        cmocka_unit_test(loading_twice_is_loading_once),
        cmocka_unit_test(tls_works_on_keys_of_crypto),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

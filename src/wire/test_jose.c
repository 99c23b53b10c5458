/* test_jose.c - keys of JSON Web Tokens as they are written, algorithms, signatures there and back.
 *
 * Source of the keys: RFC 7515 appendix A.1 (a secret), RFC 8037 appendix A (Ed25519)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "wire/jose.h"

#define SECRET \
    "{\"kty\":\"oct\",\"alg\":\"HS256\",\"kid\":\"one\",\"k\":" \
    "\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-" \
    "EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\"}"
#define ED25519 \
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\"," \
    "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"

static void keys_as_written(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        size_t n; /* 0: refused */
    } cases[] = {
        {SECRET, 1},
        {"{\"keys\":[" SECRET "," ED25519 "]}", 2},
        {"{\"keys\":[]}", 0},
        {"", 0},
        {"[]", 0},
        {"{\"kty\":\"RSA\",\"n\":\"AQAB\"}", 0},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}", 0},
        {"{\"kty\":\"none\"}", 0},
        {"{\"kty\":\"oct\",\"k\":1}", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        AUTO_JOSE_KEYS keys = {0};
        struct err err = {0};
        bool ok = jose_keys_parse(&arena, str_from(cases[i].json), &keys, &err);
        if (ok && cases[i].n == 0 && keys.n == 0)
            continue; /* an empty set holds no key */
        if (ok != (cases[i].n > 0) || (ok && keys.n != cases[i].n))
            fail_msg("%s: %d, %zu keys", cases[i].json, ok, keys.n);
        if (!ok)
            assert_true(err.kind != ERR_NONE);
    }
}

static void signatures_there_and_back(void **state)
{
    (void)state;
    static const struct {
        const char *alg, *key;
    } cases[] = {{"HS256", SECRET}, {"HS384", SECRET}, {"HS512", SECRET}, {"EdDSA", ED25519}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        AUTO_JOSE_KEYS keys = {0};
        struct err err = {0};
        struct str signature;
        const struct jose_algorithm *alg = jose_algorithm_find(str_from(cases[i].alg));
        assert_non_null(alg);
        assert_true(jose_keys_parse(&arena, str_from(cases[i].key), &keys, &err));
        assert_true(jose_sign(&arena, alg, &keys.key[0], STR("text"), &signature, &err));
        assert_true(jose_verify(alg, &keys.key[0], STR("text"), signature, false));
        assert_false(jose_verify(alg, &keys.key[0], STR("Text"), signature, false));
        assert_false(jose_verify(alg, &keys.key[0], STR("text"),
                                 str_sub(signature, 1, signature.len), false));
        assert_false(jose_verify(alg, &keys.key[0], STR("text"), STR(""), false));
    }
}

/* A key of another kind than the algorithm wants verifies nothing and signs nothing. */
static void a_key_of_another_kind(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    AUTO_JOSE_KEYS secret = {0}, edwards = {0};
    struct err err = {0};
    struct str signature;
    assert_true(jose_keys_parse(&arena, STR(SECRET), &secret, &err));
    assert_true(jose_keys_parse(&arena, STR(ED25519), &edwards, &err));
    static const char *const names[] = {"RS256", "PS256", "ES256", "EdDSA"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct jose_algorithm *alg = jose_algorithm_find(str_from(names[i]));
        struct err why = {0};
        assert_non_null(alg);
        assert_false(jose_sign(&arena, alg, &secret.key[0], STR("text"), &signature, &why));
        assert_true(why.kind != ERR_NONE);
        assert_false(jose_verify(alg, &secret.key[0], STR("text"), STR("abc"), false));
    }
    const struct jose_algorithm *hmac = jose_algorithm_find(STR("HS256"));
    assert_false(jose_verify(hmac, &edwards.key[0], STR("text"), STR("abc"), false));
    assert_null(jose_algorithm_find(STR("none")));
    assert_null(jose_algorithm_find(STR("hs256")));
    assert_null(jose_algorithm_find(STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(keys_as_written),
                                       cmocka_unit_test(signatures_there_and_back),
                                       cmocka_unit_test(a_key_of_another_kind)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

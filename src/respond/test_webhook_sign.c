/* test_webhook_sign.c - published vectors, several keys at once, and what is no key. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "respond/webhook_sign.h"

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
/* RFC 8032 TEST 1: the seed alone, and with its public half */
#define SEED "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
#define SEED_PUBLIC \
    "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2DXWpgBgrEKt9VL/" \
    "tPJZAc6DuFy89qmIyWvAhpo9wdRGg=="
#define V1 "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
#define V1A \
    "v1a,fldxM4gAKugP6nnt1hdz3sgGfZ6d99nzrMFnZOELIxbzEHoVmAb2ADpkJK7zgPePmPsle0zV9jSeGlHFG2NVAw=="

static void vectors_are_reproduced(void **state)
{
    static const struct {
        const char *keys, *want;
    } cases[] = {
        {SECRET, V1},
        {SEED, V1A},
        {SEED_PUBLIC, V1A},
        {SECRET "\n" SEED "\n", V1 " " V1A},
        {"  " SECRET " \t" SECRET, V1 " " V1},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct err err = {0};
        struct str got;
        assert_true(webhook_check_keys(&arena, str_from(cases[i].keys), &err));
        assert_true(webhook_sign(&arena, str_from(cases[i].keys),
                                 STR("msg_p5jXN8AQM9LWM0D4loKWxJek"), 1614265330,
                                 STR("{\"test\": 2432232314}"), &got, &err));
        assert_string_equal(got.ptr, cases[i].want);
    }
}

static void hub_signs_with_the_text_of_the_first_secret(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct str got;
    assert_true(webhook_sign_hub(&arena, STR(SEED " It's-a-Secret-to-Everybody"),
                                 STR("Hello, World!"), &got, &err));
    /* printf 'Hello, World!' | openssl dgst -sha256 -hmac "It's-a-Secret-to-Everybody" */
    assert_string_equal(got.ptr,
                        "sha256="
                        "fff9d530176ddefaf50a3004e52ad278a4ef09eee3f00efc14fc4c207384f931");
    assert_true(webhook_sign_hub(&arena, STR(SEED), STR("x"), &got, &err));
    assert_int_equal(got.len, 0);
}

static void no_key_is_named_by_its_number_alone(void **state)
{
    static const struct {
        const char *keys, *says;
    } cases[] = {
        {"whsec_c2hvcnQ=", "key 1 has 5 bytes, and 24 to 64 are needed"},
        {"whsec_!!!", "key 1 is not base64"},
        {SECRET " whsk_c2hvcnQ=", "key 2 has 5 bytes, and an Ed25519 key has 32 or 64"},
        {"whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "key 1 is a public one"},
        {"hunter2", "key 1 has 7 bytes, and 16 at least are needed"},
        {SECRET " " SECRET " " SECRET " " SECRET " " SECRET " " SECRET " " SECRET " " SECRET
                " " SECRET,
         "more than 8 keys"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct err err = {0};
        char text[500];
        struct str got;
        assert_false(webhook_check_keys(&arena, str_from(cases[i].keys), &err));
        assert_non_null(strstr(err_text(&err, text, sizeof text), cases[i].says));
        assert_null(strstr(text, "hunter2"));
        err_clear(&err);
        assert_false(
            webhook_sign(&arena, str_from(cases[i].keys), STR("a"), 1, STR("b"), &got, &err));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_are_reproduced),
        cmocka_unit_test(hub_signs_with_the_text_of_the_first_secret),
        cmocka_unit_test(no_key_is_named_by_its_number_alone),
    };
    return cmocka_run_group_tests_name("respond/webhook_sign", tests, NULL, NULL);
}

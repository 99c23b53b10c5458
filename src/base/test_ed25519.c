/* test_ed25519.c - signatures: the vectors of RFC 8032 and Wycheproof. */
#include "base/ed25519.h"
#include "base/vectors.h"
#include "wire/json.h"

static const unsigned char *bytes_of(struct arena *arena, const struct value *v, const char *name,
                                     size_t want)
{
    struct str bytes = vectors_unhex(arena, value_get_string(v, str_from(name)));
    assert_int_equal(bytes.len, want);
    return (const unsigned char *)bytes.ptr;
}

static void rfc_8032(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 16 << 20};
    struct err err = {0};
    struct str text;
    struct value doc;
    if (!vectors_read(&arena, "ed25519/rfc8032-7.1.json", &text))
        return;
    assert_true(json_parse(&arena, text, "rfc8032", JSON_DEFAULT, &doc, &err));
    const struct value *vectors = value_get(&doc, STR("vectors"));
    assert_true(value_is_list_like(vectors) && vectors->len >= 3);
    for (uint32_t i = 0; i < vectors->len; i++) {
        const struct value *v = &vectors->items[i];
        unsigned char public_key[ED25519_KEY], signature[ED25519_SIGNATURE];
        const unsigned char *seed = bytes_of(&arena, v, "seed", ED25519_KEY);
        struct str message = vectors_unhex(&arena, value_get_string(v, STR("msg")));
        assert_true(ed25519_public(seed, public_key, &err));
        assert_memory_equal(public_key, bytes_of(&arena, v, "public", ED25519_KEY), ED25519_KEY);
        assert_true(ed25519_sign(seed, message, signature, &err));
        assert_memory_equal(signature, bytes_of(&arena, v, "sig", ED25519_SIGNATURE),
                            ED25519_SIGNATURE);
        struct str sig = {(const char *)signature, sizeof signature};
        assert_true(ed25519_verify(public_key, message, sig));
        signature[5] ^= 1;
        assert_false(ed25519_verify(public_key, message, sig));
    }
}

static void wycheproof(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 16 << 20};
    struct err err = {0};
    struct str text;
    struct value doc;
    size_t n = 0;
    if (!vectors_read(&arena, "ed25519/wycheproof_ed25519_test.json", &text))
        return;
    assert_true(json_parse(&arena, text, "wycheproof", JSON_DEFAULT, &doc, &err));
    const struct value *groups = value_get(&doc, STR("testGroups"));
    assert_true(value_is_list_like(groups));
    for (uint32_t g = 0; g < groups->len; g++) {
        const struct value *key = value_get(&groups->items[g], STR("publicKey"));
        const struct value *tests = value_get(&groups->items[g], STR("tests"));
        const unsigned char *public_key = bytes_of(&arena, key, "pk", ED25519_KEY);
        for (uint32_t i = 0; i < tests->len; i++, n++) {
            const struct value *t = &tests->items[i];
            struct str message = vectors_unhex(&arena, value_get_string(t, STR("msg")));
            struct str sig = vectors_unhex(&arena, value_get_string(t, STR("sig")));
            bool want = str_equal(value_get_string(t, STR("result")), STR("valid"));
            if (ed25519_verify(public_key, message, sig) != want)
                fail_msg("group %u, case %u", g, i);
        }
    }
    assert_int_equal(n, 151);
}

static void new_keys_differ(void **state)
{
    (void)state;
    struct err err = {0};
    unsigned char a[ED25519_KEY], b[ED25519_KEY];
    assert_true(ed25519_generate(a, &err) && ed25519_generate(b, &err));
    assert_memory_not_equal(a, b, ED25519_KEY);
    ed25519_wipe(a, sizeof a);
    for (size_t i = 0; i < sizeof a; i++)
        assert_int_equal(a[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rfc_8032), cmocka_unit_test(wycheproof),
                                       cmocka_unit_test(new_keys_differ)};
    return cmocka_run_group_tests_name("base/ed25519", tests, NULL, NULL);
}

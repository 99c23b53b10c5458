/* test_digest.c - SHA-256 and HMAC against published vectors, base64, table hash. */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/io.h"

static void assert_hex(const struct digest *digest, const char *want)
{
    char hex[DIGEST_HEX + 1];
    digest_hex(digest, hex);
    assert_string_equal(hex, want);
}

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void sha256_of_the_standard(void **state)
{
    (void)state;
    struct err err = {0};
    struct digest digest, other;
    assert_true(digest_sha256((struct str){0}, &digest, &err));
    assert_hex(&digest, EMPTY);
    assert_true(digest_sha256(STR("abc"), &digest, &err));
    assert_hex(&digest, ABC);
    AUTO_ARENA arena = {.limit = 1 << 12};
    struct str text;
    assert_true(digest_text_of(&arena, STR("abc"), &text, &err));
    assert_true(str_equal(text, STR("sha256:" ABC)));
    struct sha256 *sha = sha256_open(&err);
    for (int i = 0; i < 1000; i++)
        sha256_add(sha, STR("aaaaaaaaaa"));
    for (int i = 0; i < 990; i++) {
        char block[1000];
        memset(block, 'a', sizeof block);
        sha256_add(sha, (struct str){block, sizeof block});
    }
    sha256_add(sha, (struct str){0});
    assert_true(sha256_close(sha, &digest, &err)); /* FIPS 180-2: a million "a" */
    assert_hex(&digest, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    assert_true(digest_sha256(STR("abc"), &other, &err));
    assert_false(digest_equal(&digest, &other));
    assert_true(digest_equal(&other, &other));
}

static void fields_keep_their_bounds(void **state)
{
    (void)state;
    struct err err = {0};
    struct digest one, two;
    struct sha256 *sha = sha256_open(&err);
    sha256_add_field(sha, STR("ab"));
    sha256_add_field(sha, STR("c"));
    assert_true(sha256_close(sha, &one, &err));
    sha = sha256_open(&err);
    sha256_add_field(sha, STR("a"));
    sha256_add_field(sha, STR("bc"));
    assert_true(sha256_close(sha, &two, &err));
    assert_false(digest_equal(&one, &two));
    assert_true(digest_sha256((struct str){"\0\0\0\0\0\0\0\2ab\0\0\0\0\0\0\0\1c", 19}, &two, &err));
    assert_true(digest_equal(&one, &two));
}

static void hmac_of_rfc_4231(void **state)
{
    (void)state;
    struct err err = {0};
    struct digest digest;
    char key[131];
    memset(key, 0x0b, 20);
    assert_true(digest_hmac_sha256((struct str){key, 20}, STR("Hi There"), &digest, &err));
    assert_hex(&digest, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    assert_true(
        digest_hmac_sha256(STR("Jefe"), STR("what do ya want for nothing?"), &digest, &err));
    assert_hex(&digest, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    assert_true(digest_hmac_sha256((struct str){key, sizeof key},
                                   STR("Test Using Larger Than Block-Size Key - Hash Key First"),
                                   &digest, &err));
    assert_hex(&digest, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    assert_true(digest_hmac_sha256((struct str){0}, (struct str){0}, &digest, &err));
    assert_hex(&digest, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void files_are_digested_in_pieces(void **state)
{
    (void)state;
    struct err err = {0};
    struct digest digest, want;
    char dir[] = "/tmp/plumb_digest_XXXXXX", path[64];
    static char big[700001];
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/file", dir);
    memset(big, 'x', sizeof big);
    struct str bytes = {big, sizeof big};
    assert_true(io_write_file_atomic(path, bytes, 0600, &err));
    assert_true(digest_file(path, &digest, &err));
    assert_true(digest_sha256(bytes, &want, &err));
    assert_true(digest_equal(&digest, &want));
    assert_true(io_write_file_atomic(path, (struct str){0}, 0600, &err));
    assert_true(digest_file(path, &digest, &err));
    assert_hex(&digest, EMPTY);
    assert_int_equal(unlink(path), 0);
    assert_false(digest_file(path, &digest, &err));
    assert_int_equal(err.kind, ERR_IO);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(digest_file(path, &digest, &err)); /* and does not wait for a writer */
    assert_int_equal(err.kind, ERR_IO);
    assert_false(digest_file(dir, &digest, &err));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
    assert_hex(&digest, EMPTY); /* untouched by the failures */
}

static void base64_both_ways(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *text, *bare;
    } cases[] = {{"", "", ""},
                 {"f", "Zg==", "Zg"},
                 {"fo", "Zm8=", "Zm8"},
                 {"foo", "Zm9v", "Zm9v"},
                 {"foob", "Zm9vYg==", "Zm9vYg"},
                 {"fooba", "Zm9vYmE=", "Zm9vYmE"},
                 {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
                 {"\xfb\xff\xfe", "+//+", "+//+"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 12};
        struct err err = {0};
        struct str got;
        assert_string_equal(base64_encode(&arena, str_from(cases[i].bytes)).ptr, cases[i].text);
        assert_true(base64_decode(&arena, str_from(cases[i].text), &got, &err));
        assert_true(str_equal(got, str_from(cases[i].bytes)));
        assert_true(base64_decode(&arena, str_from(cases[i].bare), &got, &err));
        assert_true(str_equal(got, str_from(cases[i].bytes)));
    }
    static const char *const bad[] = {"A",    "AAAAA", "Zg===", "Z=g=", "Zm9v\n",
                                      "Zm-_", "=",     "Zg=",   " Zg=="};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        AUTO_ARENA arena = {.limit = 1 << 12};
        struct err err = {0};
        struct str got;
        if (base64_decode(&arena, str_from(bad[i]), &got, &err))
            fail_msg("%s", bad[i]);
    }
    AUTO_ARENA none = {0};
    struct err err = {0};
    struct str got;
    assert_null(base64_encode(&none, STR("x")).ptr);
    assert_false(base64_decode(&none, STR("Zg"), &got, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
}

static void table_hashes_differ(void **state)
{
    (void)state;
    assert_int_equal(hash_bytes(STR("a"), 1), hash_bytes(STR("a"), 1));
    assert_int_not_equal(hash_bytes(STR("a"), 1), hash_bytes(STR("a"), 2));
    assert_int_not_equal(hash_bytes(STR("a"), 1), hash_bytes(STR("b"), 1));
    assert_int_equal(hash_bytes((struct str){0}, 1), hash_bytes(STR(""), 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_of_the_standard), cmocka_unit_test(fields_keep_their_bounds),
        cmocka_unit_test(hmac_of_rfc_4231),       cmocka_unit_test(files_are_digested_in_pieces),
        cmocka_unit_test(base64_both_ways),       cmocka_unit_test(table_hashes_differ),
    };
    return cmocka_run_group_tests_name("base/digest", tests, NULL, NULL);
}

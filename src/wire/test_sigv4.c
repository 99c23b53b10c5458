/* test_sigv4.c - the examples of the S3 API Reference, and paths. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "wire/sigv4.h"

static void the_published_example_is_signed_alike(void **state)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct sigv4_header range = {STR("range"), STR("bytes=0-9")};
    struct sigv4_request request = {.method = STR("GET"),
                                    .host = STR("examplebucket.s3.amazonaws.com"),
                                    .path = STR("/test.txt"),
                                    .header = &range,
                                    .nheaders = 1,
                                    .payload = STR(""),
                                    .key_id = STR("AKIAIOSFODNN7EXAMPLE"),
                                    .secret = STR("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
                                    .region = STR("us-east-1"),
                                    .service = STR("s3"),
                                    .now_utc_ms = 1369353600000};
    const char *header[SIGV4_HEADERS + 1];
    (void)state;
    assert_true(sigv4_sign(&arena, &request, header, NULL));
    assert_non_null(strstr(header[0], "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date"));
    assert_non_null(strstr(
        header[0], "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"));
    assert_string_equal(header[1], "x-amz-date: 20130524T000000Z");
    assert_null(header[3]);
    request.token = STR("a token");
    assert_true(sigv4_sign(&arena, &request, header, NULL));
    assert_string_equal(header[3], "x-amz-security-token: a token");
}

static void paths_are_encoded(void **state)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    (void)state;
    assert_true(str_equal(sigv4_encode_path(&arena, STR("/b/a b+c/é.tflock")),
                          STR("/b/a%20b%2Bc/%C3%A9.tflock")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_example_is_signed_alike),
        cmocka_unit_test(paths_are_encoded),
    };
    return cmocka_run_group_tests_name("wire/sigv4", tests, NULL, NULL);
}

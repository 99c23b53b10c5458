/* test_builtin_network.c - nothing is asked of a network without a grant; signed requests. */
#include "lang/rego/test_call.h"

static void test_refusals(void **state)
{
    (void)state;
    static const struct test_row rows[] = {
        {"net.lookup_ip_addr", "[\"10.0.0.0\"]", "[\"10.0.0.0\"]"},
        {"net.lookup_ip_addr", "[\"::ffff:10.0.0.1\"]", "[\"10.0.0.1\"]"},
        {"net.lookup_ip_addr", "[\"0:0::1\"]", "[\"::1\"]"},
        {"net.lookup_ip_addr", "[\"example.com\"]",
         "error: lookup example.com: the host is not in the list of allowed hosts"},
        {"http.send", "[{\"method\":\"get\",\"url\":\"https://u@example.com:1/x\"}]",
         "error: example.com: the host is not in the list of allowed hosts"},
        {"http.send", "[{\"method\":\"get\",\"url\":\"\",\"a\":1,\"b\":2}]",
         "error: operand 1 invalid request parameters(s): {\"a\", \"b\"}"},
        {"http.send", "[{\"url\":\"\"}]",
         "error: operand 1 missing required request parameters(s): {\"method\"}"},
    };
    test_rows(rows, sizeof rows / sizeof *rows);
}

static void test_grants(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 8 << 20};
    const struct str hosts[] = {STR_INIT("localhost")};
    struct rego_host host = {.now_utc_ns = INT64_MIN, .hosts = hosts, .nhosts = 1};
    struct str got = test_call(&arena, "http.send",
                               STR("[{\"method\":\"post\",\"url\":\"http://localhost/\"}]"), &host);
    assert_true(str_equal(got, STR("error: only requests with the method GET can be sent")));
    got = test_call(&arena, "http.send",
                    STR("[{\"method\":\"get\",\"url\":\"http://localhost/\",\"body\":1}]"), &host);
    assert_true(str_equal(got, STR("error: requests with \"body\" cannot be sent")));
}

#define CONFIG \
    "\"aws_access_key\":\"MYAWSACCESSKEYGOESHERE\"," \
    "\"aws_secret_access_key\":\"MYAWSSECRETACCESSKEYGOESHERE\",\"aws_service\":\"s3\""

static void test_sign_req(void **state)
{
    (void)state;
    static const struct test_row rows[] = {
        {"providers.aws.sign_req",
         "[{\"method\":\"get\",\"url\":\"http://example.com\"},{" CONFIG
         ",\"aws_region\":\"us-east-1\"},1451311705000000000]",
         "{\"headers\":{\"Authorization\":\"AWS4-HMAC-SHA256 Credential=MYAWSACCESSKEYGOESHERE/"
         "20151228/us-east-1/s3/aws4_request,SignedHeaders=host;x-amz-content-sha256;x-amz-date,"
         "Signature=0047a7016c81e5c7f29cd522f97e911e04fc472fced0aee7916cbc287ad6c8e3\","
         "\"host\":\"example.com\",\"x-amz-content-sha256\":\"e3b0c44298fc1c149afbf4c8996fb92427ae4"
         "1e4649b934ca495991b7852b855\",\"x-amz-date\":\"20151228T140825Z\"},\"method\":\"get\","
         "\"url\":\"http://example.com\"}"},
        {"providers.aws.sign_req", "[{\"method\":\"get\",\"url\":\"x\"},{" CONFIG "},0]",
         "error: operand 2 missing required AWS config parameters(s): {\"aws_region\"}"},
        {"providers.aws.sign_req",
         "[{\"method\":\"get\",\"url\":\"x\"},{" CONFIG ",\"aws_region\":1},0]",
         "error: operand 2 invalid values for required AWS config parameters(s): "
         "{\"aws_region\"}"},
        {"providers.aws.sign_req", "[{\"method\":1,\"url\":2},{" CONFIG ",\"aws_region\":\"r\"},0]",
         "error: operand 1 invalid values for required request parameters(s): {\"method\", "
         "\"url\"}"},
    };
    test_rows(rows, sizeof rows / sizeof *rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_grants),
        cmocka_unit_test(test_sign_req),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

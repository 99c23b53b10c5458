/* test_builtin_jwt.c - io.jwt.*: keys of RFC 7515 A.1 and A.3. */
#include "lang/rego/test_call.h"

#define TOKEN \
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJhIjoxfQ.UTEgbSj0r2Gd3E04StDQaWQGQv_jw1EWo7zXyDWhL0M"
#define EC_PUBLIC \
    "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define EC_PRIVATE EC_PUBLIC ",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\""
#define SECRET "{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}" /* secret */

static void test_decode(void **state)
{
    (void)state;
    static const struct test_row rows[] = {
        {"io.jwt.decode", "[\"eyJhbGciOiJub25lIn0.eyJhIjoxfQ.AQI\"]",
         "[{\"alg\":\"none\"},{\"a\":1},\"0102\"]"},
        {"io.jwt.decode", "[\"abc\"]", "error: encoded JWT had no period separators"},
        {"io.jwt.decode", "[\"a.b.c.d\"]", "error: encoded JWT must have 3 sections, found 4"},
        {"io.jwt.decode", "[\"e30.!.\"]",
         "error: JWT payload had invalid encoding: illegal base64 data at input byte 0"},
        {"io.jwt.decode", "[\"W10.e30.\"]",
         "error: bad JWT header: decoded JSON type was not an Object"},
        {"io.jwt.decode", "[\"eyJlbmMiOiJ4In0.e30.\"]",
         "error: JWT is a JWE object, which is not supported"},
    };
    test_rows(rows, sizeof rows / sizeof *rows);
}

static void test_sign(void **state)
{
    (void)state;
    static const struct test_row rows[] = {
        {"io.jwt.encode_sign",
         "[{\"alg\":\"HS256\",\"typ\":\"JWT\"},{},"
         "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr"
         "_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\"}]",
         "\"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.6cvao8lnOu6FAdK68jQFcDMXOmaWNwWiYhCgijd-"
         "AD8\""},
        {"io.jwt.encode_sign", "[{\"alg\":\"none\"},{}," SECRET "]",
         "error: unknown JWS algorithm: none"},
        {"io.jwt.encode_sign", "[{},{}," SECRET "]",
         "error: missing or invalid 'alg' header: jwsbb: header \"alg\" not found"},
        {"io.jwt.encode_sign", "[{\"alg\":\"ES256\"},{}," SECRET "]",
         "error: ES256 wants another kind of private key"},
        {"io.jwt.encode_sign", "[{\"alg\":\"ES256\"},{},{" EC_PUBLIC "}]",
         "error: ES256 wants another kind of private key"},
        {"io.jwt.encode_sign_raw", "[\"{\\\"alg\\\":\\\"HS256\\\"}\",\"x\",\"{}\"]",
         "error: failed to parse a JWK key (set): a key has no known type (kty): want RSA, EC, OKP "
         "or oct"},
    };
    test_rows(rows, sizeof rows / sizeof *rows);
}

/* Sign, then verify with the right key, a wrong one and a changed token. */
static void round_trip(const char *alg, const char *sign_key, const char *verify_key,
                       const char *function)
{
    AUTO_ARENA arena = {.limit = 8 << 20};
    struct str operands = arena_printf(&arena, "[{\"alg\":\"%s\"},{\"a\":1},%s]", alg, sign_key);
    struct str token = test_call(&arena, "io.jwt.encode_sign", operands, NULL);
    assert_true(token.len > 10 && token.ptr[0] == '"');
    AUTO_BUF quoted = {.limit = 1 << 16};
    struct value key = value_string(str_from(verify_key));
    rego_json(&quoted, &key);
    operands = arena_printf(&arena, "[%.*s,%.*s]", STR_ARG(token), STR_ARG(buf_view(&quoted)));
    assert_true(str_equal(test_call(&arena, function, operands, NULL), STR("true")));
    operands =
        arena_printf(&arena, "[%.*s,{\"cert\":%.*s}]", STR_ARG(token), STR_ARG(buf_view(&quoted)));
    struct str want = arena_printf(&arena, "[true,{\"alg\":\"%s\"},{\"a\":1}]", alg);
    assert_true(str_equal(test_call(&arena, "io.jwt.decode_verify", operands, NULL), want));
    char *dot = memchr(token.ptr, '.', token.len);
    dot[1] = 'f'; /* another payload */
    operands = arena_printf(&arena, "[%.*s,%.*s]", STR_ARG(token), STR_ARG(buf_view(&quoted)));
    assert_true(str_equal(test_call(&arena, function, operands, NULL), STR("false")));
}

static void test_round_trips(void **state)
{
    (void)state;
    round_trip("ES256", "{" EC_PRIVATE "}", "{" EC_PUBLIC "}", "io.jwt.verify_es256");
    round_trip("ES256", "{" EC_PRIVATE "}",
               "{\"keys\":[" SECRET ",{" EC_PUBLIC ",\"alg\":\"ES256\"}]}", "io.jwt.verify_es256");
}

static void test_claims(void **state)
{
    (void)state;
    static const struct {
        const char *claims, *constraints, *want;
    } rows[] = {
        {"{}", "", "true"},
        {"{\"exp\":10}", ",\"time\":9999999999", "true"},
        {"{\"exp\":10}", ",\"time\":10000000000", "false"},
        {"{\"nbf\":10}", ",\"time\":10000000000", "true"},
        {"{\"nbf\":10}", ",\"time\":9999999999", "false"},
        {"{\"iss\":\"a\"}", ",\"iss\":\"a\"", "true"},
        {"{}", ",\"iss\":\"a\"", "false"},
        {"{\"aud\":\"a\"}", "", "false"},
        {"{\"aud\":[\"b\",\"a\"]}", ",\"aud\":\"a\"", "true"},
        {"{}", ",\"alg\":\"HS512\"", "false"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO_ARENA arena = {.limit = 8 << 20};
        struct str operands =
            arena_printf(&arena, "[{\"alg\":\"HS256\"},%s," SECRET "]", rows[i].claims);
        struct str token = test_call(&arena, "io.jwt.encode_sign", operands, NULL);
        operands = arena_printf(&arena, "[%.*s,{\"secret\":\"secret\"%s}]", STR_ARG(token),
                                rows[i].constraints);
        struct str got = test_call(&arena, "io.jwt.decode_verify", operands, NULL);
        if (!str_starts(str_sub(got, 1, got.len), str_from(rows[i].want)))
            fail_msg("%s with %s: %.*s", rows[i].claims, rows[i].constraints, STR_ARG(got));
    }
}

static void test_constraints(void **state)
{
    (void)state;
    static const struct test_row rows[] = {
        {"io.jwt.decode_verify", "[\"a.b.c\",{}]", "error: no key constraint"},
        {"io.jwt.decode_verify", "[\"a.b.c\",{\"secret\":\"x\",\"junk\":1}]",
         "error: unknown token validation constraint: junk"},
        {"io.jwt.decode_verify", "[\"a.b.c\",{\"secret\":\"x\",\"time\":-1}]",
         "error: token time constraint: must not be negative"},
        {"io.jwt.decode_verify", "[\"e30.e30.\",{\"secret\":\"x\"}]", "[false,{},{}]"},
        {"io.jwt.verify_rs256", "[\"e30.e30.\",\"x\"]",
         "error: failed to parse a JWK key (set): key:1:1: not a JSON value"},
        {"io.jwt.verify_rs256", "[\"e30.e30.\",\"-----BEGIN X-----\\nAAAA\\n-----END X-----\\n\"]",
         "error: failed to extract a Key from the PEM certificate"},
        {"io.jwt.verify_rs256",
         "[\"e30.e30.\",\"-----BEGIN X-----\\nAAAA\\n-----END X-----\\n\\n\"]",
         "error: extra data after a PEM certificate block"},
        {"io.jwt.verify_hs256", "[\"" TOKEN "\",\"other\"]", "false"},
    };
    test_rows(rows, sizeof rows / sizeof *rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode),      cmocka_unit_test(test_sign),
        cmocka_unit_test(test_round_trips), cmocka_unit_test(test_claims),
        cmocka_unit_test(test_constraints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

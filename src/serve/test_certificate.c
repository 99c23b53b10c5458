/* test_certificate.c - certificates that are made and read. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "serve/certificate.h"
#include "serve/listener_parts.h"

enum { NOW_S = 1800000000 };
static const int64_t now = (int64_t)NOW_S * 1000;

static void what_is_made_can_be_served(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    const struct str names[] = {STR("localhost"), STR("127.0.0.1"), STR("::1"),
                                STR("*.plumb.test")};
    struct str cert, key, other, other_key;
    struct certificate read, again;
    struct err err = {0};
    assert_true(certificate_make(&arena, names, 4, now, &cert, &key, &err));
    assert_true(tls_check(cert, key, now, &err));
    assert_false(tls_check(cert, key, now - (int64_t)2 * 3600 * 1000, &err));
    assert_false(tls_check(cert, key, now + (int64_t)3651 * 24 * 3600 * 1000, &err));
    assert_true(certificate_read(&arena, cert, &read, NULL));
    assert_int_equal(read.from_utc_ms, now - 3600000);
    assert_int_equal(read.until_utc_ms, now + (int64_t)3650 * 24 * 3600 * 1000);
    assert_true(str_equal(read.subject, STR("CN = plumb serve")));
    assert_true(certificate_make(&arena, names, 4, now, &other, &other_key, &err));
    assert_true(certificate_read(&arena, other, &again, NULL));
    assert_false(digest_equal(&read.digest, &again.digest));
    assert_false(tls_check(cert, other_key, now, NULL));
}

static void what_is_no_name_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",     "a b",   "a,DNS:b", "plumb.test:7430", "a/b",      "*",
        "a*.b", "::1::", "x\ny",    "[::1]",           "dirName:x"};
    struct str cert, key;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct err err = {0};
        const struct str names[] = {STR("localhost"), str_from(wrong[i])};
        print_message("  '%s'\n", wrong[i]);
        assert_false(certificate_make(&arena, names, 2, now, &cert, &key, &err));
        assert_int_equal(err.kind, ERR_USAGE);
    }
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct str many[CERTIFICATE_NAMES_MAX + 1];
    for (size_t i = 0; i < sizeof many / sizeof *many; i++)
        many[i] = STR("localhost");
    assert_false(certificate_make(&arena, many, 0, now, &cert, &key, &err));
    assert_false(certificate_make(&arena, many, CERTIFICATE_NAMES_MAX + 1, now, &cert, &key, &err));
    assert_true(certificate_make(&arena, many, CERTIFICATE_NAMES_MAX, now, &cert, &key, NULL));
}

static void what_is_no_certificate_is_refused(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    const struct str names[] = {STR("localhost")};
    struct str cert, key;
    struct certificate read;
    struct err err = {0};
    assert_true(certificate_make(&arena, names, 1, now, &cert, &key, NULL));
    const struct str wrong[] = {STR(""), STR("x"), key, str_sub(cert, 0, cert.len / 2)};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        err_clear(&err);
        assert_false(certificate_read(&arena, wrong[i], &read, &err));
        assert_int_equal(err.kind, ERR_SYNTAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_made_can_be_served),
        cmocka_unit_test(what_is_no_name_is_refused),
        cmocka_unit_test(what_is_no_certificate_is_refused),
    };
    return cmocka_run_group_tests_name("serve/certificate", tests, NULL, NULL);
}

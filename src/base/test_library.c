/* test_library.c - functions of a library by name; what is said where there is none. */
#include "base/test.h"

#include <string.h>

#include "base/err.h"
#include "base/library.h"

struct functions {
    double (*sqrt)(double x);
    double (*pow)(double x, double power);
};

static void functions_come_in_the_order_of_their_names(void **state)
{
    (void)state;
    static const struct library library = {"libm.so.6\0", "sqrt\0pow\0", "no libm"};
    struct functions got = {0};
    struct err err = {0};
    assert_true(library_load(&library, &got, sizeof got, &err));
    assert_true(got.sqrt(9) == 3 && got.pow(2, 5) == 32);
}

static void the_first_file_that_is_there_is_taken(void **state)
{
    (void)state;
    static const struct library library = {"libplumb_none.so.1\0libm.so.6\0", "sqrt\0pow\0", ""};
    struct functions got = {0};
    struct err err = {0};
    assert_true(library_load(&library, &got, sizeof got, &err));
    assert_true(got.sqrt(4) == 2);
}

static void what_is_not_there_is_named(void **state)
{
    (void)state;
    static const struct library none = {"libplumb_none.so.1\0libplumb_none.so.2\0", "sqrt\0pow\0",
                                        "this needs libplumb_none"};
    static const struct library other = {"libm.so.6\0", "sqrt\0plumb_none\0", "no libm"};
    struct functions got = {0};
    struct err err = {0};
    assert_false(library_load(&none, &got, sizeof got, &err));
    assert_int_equal(err.kind, ERR_UNAVAILABLE);
    assert_string_equal(err.frame[0], "this needs libplumb_none");
    err_clear(&err);
    assert_false(library_load(&other, &got, sizeof got, &err));
    assert_string_equal(err.frame[0], "libm.so.6 has no plumb_none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_come_in_the_order_of_their_names),
        cmocka_unit_test(the_first_file_that_is_there_is_taken),
        cmocka_unit_test(what_is_not_there_is_named),
    };
    return cmocka_run_group_tests_name("base/library", tests, NULL, NULL);
}

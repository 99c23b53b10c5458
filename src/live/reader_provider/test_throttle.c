/* test_throttle.c - which words mean "slow down", and how long that is. */
#include "base/test.h"

#include "live/reader_provider/throttle.h"

static const struct {
    const char *text;
    bool throttled;
} cases[] = {
    {"ThrottlingException: Rate exceeded", true},
    {"api error Throttling: Rate exceeded", true},
    {"googleapi: Error 429: Quota exceeded for quota metric", true},
    {"StatusCode=429 -- too many requests", true},
    {"RequestLimitExceeded: Request limit exceeded.", true},
    {"SlowDown: Please reduce your request rate", true},
    {"HTTP 429", true},
    {"TOO MANY REQUESTS", true},
    {"rpc error: code = ResourceExhausted", true},
    {"AccessDenied: User is not authorized", false},
    {"RESOURCE_EXHAUSTED: the message is larger than 256 MiB", false},
    {"sg-0429ab not found", false},
    {"instance i-429 not found", false},
    {"port 4290 is closed", false},
    {"NoSuchBucket", false},
    {"", false},
};

static void phrases_are_found_in_any_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        print_message("  %s\n", cases[i].text);
        assert_int_equal(throttle_is(str_from(cases[i].text)), cases[i].throttled);
    }
}

static void waits_double_and_stay_bounded(void **state)
{
    (void)state;
    for (unsigned tries = 1; tries < 40; tries++)
        for (uint64_t random = 0; random < 40000; random += 997) {
            int most = tries > 7 ? 20000 : 250 << (tries - 1), wait;
            if (most > 20000)
                most = 20000;
            wait = throttle_wait_ms(tries, random);
            assert_true(wait >= most / 2 && wait <= most);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(phrases_are_found_in_any_case),
                                       cmocka_unit_test(waits_double_and_stay_bounded)};
    return cmocka_run_group_tests_name("live/reader_provider/throttle", tests, NULL, NULL);
}

/* test_request.c - request objects: members that no request has, members that each must have. */
#include "lang/rego/request.h"
#include "lang/rego/test_call.h"

static const struct {
    const char *request, *why; /* NULL: it is one */
} cases[] = {
    {"{\"method\":\"get\",\"url\":\"http://a\"}", NULL},
    {"{\"method\":\"get\",\"url\":\"http://a\",\"tls_server_name\":\"b\",\"timeout\":1,"
     "\"cache_ignored_headers\":[]}",
     NULL},
    {"{}", "operand 1 missing required request parameters(s): {\"method\", \"url\"}"},
    {"{\"url\":1}", "operand 1 missing required request parameters(s): {\"method\"}"},
    {"{\"url\":1,\"method\":1,\"uri\":1,\"Body\":1}",
     "operand 1 invalid request parameters(s): {\"Body\", \"uri\"}"},
};

static void requests_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct value request;
        assert_true(json_parse(&arena, str_from(cases[i].request), "request", JSON_DEFAULT,
                               &request, NULL));
        struct rego_call call = {.arena = &arena, .arg = &request, .n = 1};
        enum rego_outcome outcome = rego_check_request(&call);
        assert_int_equal(outcome, cases[i].why ? REGO_FAILED : REGO_DEFINED);
        assert_int_equal(call.type_error, cases[i].why != NULL);
        if (cases[i].why && !str_equal(call.why, str_from(cases[i].why)))
            fail_msg("%s: %.*s", cases[i].request, STR_ARG(call.why));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(requests_are_checked)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_message.c - the frame of a unary request, ApplyResourceChange taken apart, and refused. */
#include "base/test.h"

#include "base/arena.h"
#include "base/err.h"
#include "enforce/provider_proxy/message.h"
#include "wire/protobuf.h"

#define BYTES(text) STR_INIT(text)

static const struct {
    const char *says;
    struct str body;
    bool ok;
    size_t len;
} frames[] = {
    {"nothing", BYTES(""), false, 0},
    {"half a prefix", BYTES("\0\0\0"), false, 0},
    {"an empty message", BYTES("\0\0\0\0\0"), true, 0},
    {"a message", BYTES("\0\0\0\0\2ab"), true, 2},
    {"half of one", BYTES("\0\0\0\0\3ab"), false, 0},
    {"more than one", BYTES("\0\0\0\0\1a\0\0\0\0\1b"), false, 0},
    {"a compressed one", BYTES("\1\0\0\0\2ab"), false, 0},
    {"a length beyond all",
     BYTES("\0\xff\xff\xff\xff"
           "ab"),
     false, 0},
};

static void a_request_is_exactly_one_message(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        struct str message = {0};
        struct err err = {0};
        print_message("  %s\n", frames[i].says);
        assert_int_equal(message_of_body(frames[i].body, &message, &err), frames[i].ok);
        assert_int_equal(err.kind, frames[i].ok ? ERR_NONE : ERR_SYNTAX);
        assert_int_equal(message.len, frames[i].len);
    }
}

static void put_value(struct buf *out, uint32_t number, struct str msgpack)
{
    size_t mark = pb_open(out, number);
    pb_put_bytes(out, 1, msgpack);
    pb_close(out, mark);
}

static void make_request(struct buf *out, struct str prior)
{
    pb_put_bytes(out, 1, STR("lab_thing"));
    put_value(out, 2, prior);
    put_value(out, 3,
              STR("\x81\xa1"
                  "a\x02"));
    put_value(out, 4,
              STR("\x81\xa1"
                  "a\x02"));
    pb_put_bytes(out, 5, STR("private"));
    pb_put_bytes(out, 99, STR("of a later version"));
}

static void a_request_is_taken_apart(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    AUTO_BUF bytes = {.limit = 1 << 20};
    struct apply_request got;
    make_request(&bytes, STR("\xc0"));
    assert_true(apply_parse(&arena, buf_view(&bytes), &got, NULL));
    assert_true(str_equal(got.type, STR("lab_thing")));
    assert_true(str_equal(got.prior, STR("\xc0")));
    assert_true(str_equal(got.planned, STR("\x81\xa1"
                                           "a\x02")));
    assert_true(str_equal(got.private_bytes, STR("private")));
    assert_null(got.identity_message.ptr);
    struct err err = {0};
    assert_false(apply_parse(&arena, STR("\x0a\x7f"), &got, &err));
    assert_int_equal(err.kind, ERR_SYNTAX);
}

struct answer {
    struct str new_state, private_bytes;
    struct pb_list diagnostics;
    bool legacy;
};

static void a_refusal_leaves_everything_as_it_was(void **state)
{
    (void)state;
    static const struct pb_rule rules[] = {
        PB_RULE(1, PB_MESSAGE, struct answer, new_state),
        PB_RULE(2, PB_BYTES, struct answer, private_bytes),
        PB_RULE(3, PB_MANY, struct answer, diagnostics),
        PB_RULE(4, PB_BOOL, struct answer, legacy),
    };
    static const struct pb_message message = {"answer", rules, 4};
    AUTO_ARENA arena = {.limit = 1 << 20};
    AUTO_BUF bytes = {.limit = 1 << 20}, out = {.limit = 1 << 20};
    struct apply_request request;
    struct answer got = {0};
    make_request(&bytes, STR("\x81\xa1"
                             "a\x01"));
    assert_true(apply_parse(&arena, buf_view(&bytes), &request, NULL));
    apply_refuse(&out, &request, STR("no"), STR("because\nof that"));
    assert_true(pb_decode(&arena, &message, buf_view(&out), &got, NULL));
    assert_true(str_equal(got.new_state, STR("\x0a\x04\x81\xa1"
                                             "a\x01")));
    assert_true(str_equal(got.private_bytes, STR("private")));
    assert_int_equal(got.diagnostics.n, 1);
    assert_true(str_equal(got.diagnostics.items[0], STR("\x08\x01\x12\x02no\x1a\x0f"
                                                        "because\nof that")));
    assert_true(got.legacy);
}

static void a_configuration_is_taken_out(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 16};
    AUTO_BUF bytes = {.limit = 1 << 10};
    struct str got = {0};
    pb_put_bytes(&bytes, 1, STR("1.12.6"));
    put_value(&bytes, 2, STR("\x80"));
    assert_true(configure_parse(&arena, buf_view(&bytes), &got, NULL));
    assert_true(str_equal(got, STR("\x80")));
    assert_true(configure_parse(&arena, STR(""), &got, NULL));
    assert_int_equal(got.len, 0);
    assert_false(configure_parse(&arena, STR("\x12\x7f"), &got, NULL));
}

static void text_is_percent_encoded(void **state)
{
    (void)state;
    AUTO_BUF out = {.limit = 1 << 10};
    message_text(&out, STR("100% \xc3\xa4\n"));
    assert_true(str_equal(buf_view(&out), STR("100%25 %C3%A4%0A")));
}

static void a_message_gets_its_length(void **state)
{
    (void)state;
    AUTO_BUF out = {.limit = 1 << 10};
    struct str message;
    size_t mark = message_open(&out);
    buf_str(&out, STR("hello"));
    message_close(&out, mark);
    assert_true(message_of_body(buf_view(&out), &message, NULL));
    assert_true(str_equal(message, STR("hello")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_exactly_one_message),
        cmocka_unit_test(a_request_is_taken_apart),
        cmocka_unit_test(a_refusal_leaves_everything_as_it_was),
        cmocka_unit_test(a_configuration_is_taken_out),
        cmocka_unit_test(text_is_percent_encoded),
        cmocka_unit_test(a_message_gets_its_length),
    };
    return cmocka_run_group_tests_name("enforce/provider_proxy/message", tests, NULL, NULL);
}

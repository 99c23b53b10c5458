/* test_msgpack.c - cty values in MessagePack: every vector both ways, and what must be refused. */
#include "base/test.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "value/number.h"
#include "wire/json.h"
#include "wire/msgpack.h"

static struct str unhex(struct arena *arena, const char *hex)
{
    size_t n = strlen(hex) / 2;
    char *bytes = arena_new(arena, char, n + 1);
    for (size_t i = 0; i < n; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        bytes[i] = (char)byte;
    }
    return (struct str){bytes, n};
}

static struct str to_hex(struct arena *arena, struct str bytes)
{
    char *hex = arena_new(arena, char, 2 * bytes.len + 1);
    for (size_t i = 0; i < bytes.len; i++)
        (void)sprintf(hex + 2 * i, "%02x", (unsigned char)bytes.ptr[i]);
    return (struct str){hex, 2 * bytes.len};
}

static const struct type *type_of_json(struct arena *arena, const char *json)
{
    struct err err = {0};
    struct value v;
    const struct type *type = NULL;
    assert_true(json_parse(arena, str_from(json), "type", JSON_DEFAULT, &v, &err));
    assert_true(type_from_value(arena, &v, &type, &err));
    return type;
}

static struct value value_of_json(struct arena *arena, const struct type *type, const char *json)
{
    char text[1000];
    struct err err = {0};
    struct value v, typed = {0};
    if (!json_parse(arena, str_from(json), "value", JSON_DEFAULT, &v, &err) ||
        !type_apply(arena, type, &v, true, &typed, &err))
        fail_msg("%s: %s", json, err_text(&err, text, sizeof text));
    return typed;
}

enum { BOTH, IN_ONLY, OUT_ONLY, ANY_ORDER };
#define WHOLE_TYPE \
    "[\"object\",{\"any\":\"dynamic\",\"dyn\":\"dynamic\",\"flag\":\"bool\",\"grp\":[\"object\"," \
    "{\"x\":\"string\"}],\"id\":\"string\",\"lst\":[\"list\",[\"object\",{\"x\":\"string\"}]]," \
    "\"mp\":[\"map\",[\"object\",{\"x\":\"string\"}]],\"name\":\"string\",\"nested\":[\"list\"," \
    "[\"object\",{\"k\":\"string\",\"v\":\"number\"}]],\"num\":\"number\",\"obj\":[\"object\"," \
    "{\"a\":\"number\",\"b\":\"string\"}],\"one\":[\"object\",{\"x\":\"string\"}],\"ports\":" \
    "[\"list\",\"number\"],\"rule\":[\"set\",[\"object\",{\"cidr\":[\"set\",\"string\"]," \
    "\"port\":\"number\"}]],\"secret\":\"string\",\"tags\":[\"map\",\"string\"],\"tup\":" \
    "[\"tuple\",[\"string\",\"number\"]],\"zones\":[\"set\",\"string\"]}]"
#define WHOLE_JSON \
    "{\"any\":{\"value\":{\"k\":[1,\"a\",true],\"n\":null},\"type\":[\"object\",{\"k\":" \
    "[\"tuple\",[\"number\",\"string\",\"bool\"]],\"n\":\"dynamic\"}]},\"dyn\":{\"value\":" \
    "[{\"x\":1},{\"x\":\"two\"}],\"type\":[\"tuple\",[[\"object\",{\"x\":\"number\"}]," \
    "[\"object\",{\"x\":\"string\"}]]]},\"flag\":true,\"grp\":{\"x\":null},\"id\":\"fake-one\"," \
    "\"lst\":[{\"x\":\"l1\"}],\"mp\":{\"m1\":{\"x\":\"mm\"}},\"name\":\"one\",\"nested\":" \
    "[{\"k\":\"n1\",\"v\":7}],\"num\":18446744073709551615,\"obj\":{\"a\":1,\"b\":\"x\"}," \
    "\"one\":{\"x\":\"1\"},\"ports\":[1,2.5,-3],\"rule\":[{\"cidr\":[\"10.0.0.0/8\"]," \
    "\"port\":443},{\"cidr\":null,\"port\":22}],\"secret\":\"t0k\",\"tags\":{\"a\":\"1\"," \
    "\"b\":\"2\"},\"tup\":[\"s\",4],\"zones\":[\"z1\",\"z2\"]}"
#define WHOLE_HEX \
    "de0012a3616e7992c4435b226f626a656374222c7b226b223a5b227475706c65222c5b226e756d626572222c2273" \
    "7472696e67222c22626f6f6c225d5d2c226e223a2264796e616d6963227d5d82a16b9301a161c3a16ec0a364796e" \
    "92c43f5b227475706c65222c5b5b226f626a656374222c7b2278223a226e756d626572227d5d2c5b226f626a6563" \
    "74222c7b2278223a22737472696e67227d5d5d5d9281a1780181a178a374776fa4666c6167c3a367727081a178c0" \
    "a26964a866616b652d6f6e65a36c73749181a178a26c31a26d7081a26d3181a178a26d6da46e616d65a36f6e65a6" \
    "6e65737465649182a16ba26e31a17607a36e756db43138343436373434303733373039353531363135a36f626a82" \
    "a16101a162a178a36f6e6581a178a131a5706f7274739301cb4004000000000000fda472756c659282a463696472" \
    "91aa31302e302e302e302f38a4706f7274cd01bb82a463696472c0a4706f727416a6736563726574a374306ba474" \
    "61677382a161a131a162a132a374757092a17304a57a6f6e657392a27a31a27a32"

/* facts/terraform.md 2.5; json is cty JSON as in a state. */
static const struct {
    const char *type, *json, *hex;
    int way;
} vectors[] = {
    {"\"number\"", "1", "01", BOTH},
    {"\"number\"", "-1", "ff", BOTH},
    {"\"number\"", "-32", "e0", BOTH},
    {"\"number\"", "127", "7f", BOTH},
    {"\"number\"", "128", "cc80", BOTH},
    {"\"number\"", "255", "ccff", BOTH},
    {"\"number\"", "256", "cd0100", BOTH},
    {"\"number\"", "65535", "cdffff", BOTH},
    {"\"number\"", "65536", "ce00010000", BOTH},
    {"\"number\"", "4294967296", "cf0000000100000000", BOTH},
    {"\"number\"", "-33", "d0df", BOTH},
    {"\"number\"", "-128", "d080", BOTH},
    {"\"number\"", "-129", "d1ff7f", BOTH},
    {"\"number\"", "-32769", "d2ffff7fff", BOTH},
    {"\"number\"", "-2147483649", "d3ffffffff7fffffff", BOTH},
    {"\"number\"", "-9223372036854775808", "d38000000000000000", BOTH},
    {"\"number\"", "9223372036854775807", "cf7fffffffffffffff", BOTH},
    {"\"number\"", "0.5", "cb3fe0000000000000", BOTH},
    {"\"number\"", "1.5", "cb3ff8000000000000", BOTH},
    {"\"number\"", "2.5", "cb4004000000000000", BOTH},
    {"\"number\"", "0.1", "a3302e31", BOTH},
    {"\"number\"", "0.1", "cb3fb999999999999a", IN_ONLY},
    {"\"number\"", "1.5e-7", "aa302e3030303030303135", BOTH},
    {"\"number\"", "1E5", "ce000186a0", BOTH},
    {"\"number\"", "1.0", "01", BOTH},
    {"\"number\"", "-0", "00", BOTH},
    {"\"number\"", "0", "cb8000000000000000", IN_ONLY},
    {"\"number\"", "18446744073709551615", "b43138343436373434303733373039353531363135", BOTH},
    {"\"number\"", "18446744073709551615", "cfffffffffffffffff", IN_ONLY},
    {"\"number\"", "9223372036854775808", "cb43e0000000000000", IN_ONLY},
    {"\"number\"", "9223372036854775808", "b339323233333732303336383534373735383038", BOTH},
    {"\"number\"", "1e23", "b8313030303030303030303030303030303030303030303030", BOTH},
    {"\"number\"", "99999999999999991611392", "cb44b52d02c7e14af6", IN_ONLY},
    {"\"number\"", "0.5", "ca3f000000", IN_ONLY},
    {"\"number\"", "123456789012345678901234567890.5",
     "d9203132333435363738393031323334353637383930313233343536373839302e35", BOTH},
    {"\"number\"", "1e9999999999999999999", "cb7ff0000000000000", BOTH},
    {"\"number\"", "-1e9999999999999999999", "cbfff0000000000000", BOTH},
    {"\"string\"", "\"\"", "a0", BOTH},
    {"\"string\"", "\"e\\u0301\"", "a2c3a9", BOTH},
    {"\"string\"", "\"\\u00e9\"", "a365cc81", IN_ONLY},
    {"\"string\"", "\"x\"", "c40178", IN_ONLY},
    {"\"string\"", "null", "c0", BOTH},
    {"\"bool\"", "true", "c3", BOTH},
    {"\"bool\"", "false", "c2", BOTH},
    {"\"dynamic\"", "null", "c0", BOTH},
    {"\"dynamic\"", "{\"value\":null,\"type\":\"string\"}", "92c40822737472696e6722c0", BOTH},
    {"\"dynamic\"", "{\"value\":[],\"type\":[\"tuple\",[]]}", "92c40c5b227475706c65222c5b5d5d90",
     BOTH},
    {"[\"set\",[\"object\",{\"a\":\"string\",\"b\":[\"list\",\"number\"]}]]",
     "[{\"a\":\"z\",\"b\":[1]},{\"a\":\"a\",\"b\":null}]", "9282a161a161a162c082a161a17aa1629101",
     BOTH},
    {"[\"object\",{\"d\":\"dynamic\"}]",
     "{\"d\":{\"value\":[1,\"x\"],\"type\":[\"tuple\",[\"number\",\"string\"]]}}",
     "81a16492c41d5b227475706c65222c5b226e756d626572222c22737472696e67225d5d9201a178", BOTH},
    {"[\"map\",\"string\"]", "{\"\\u00e9\":\"\\u00fc\",\"a\":\"b\"}", "82a161a162a2c3a9a2c3bc",
     BOTH},
    {"[\"map\",\"string\"]", "{}", "80", BOTH},
    {"[\"list\",\"string\"]", "[]", "90", BOTH},
    {"[\"set\",\"string\"]", "[\"a\",\"b\"]", "93a162a161a162", IN_ONLY}, /* duplicates go */
    {"[\"object\",{\"a\":\"number\",\"b\":\"number\"}]", "{\"a\":1,\"b\":2}", "82a16202a16101",
     IN_ONLY}, /* any order */
    {"\"dynamic\"",
     "{\"value\":{\"l\":[],\"m\":{},\"n\":null},\"type\":[\"object\",{\"l\":[\"list\",\"bool\"],"
     "\"m\":[\"map\",\"number\"],\"n\":\"string\"}]}",
     "92c4425b226f626a656374222c7b226c223a5b226c697374222c22626f6f6c225d2c226d223a5b226d6170222c22"
     "6e756d626572225d2c226e223a22737472696e67227d5d83a16c90a16d80a16ec0",
     BOTH},
    {WHOLE_TYPE, WHOLE_JSON, WHOLE_HEX, ANY_ORDER},
};
enum { VECTORS = sizeof vectors / sizeof *vectors };

static void vectors_decode_to_their_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        char text[1000];
        struct err err = {0};
        struct value got;
        const struct type *type = type_of_json(&arena, vectors[i].type);
        struct value want = value_of_json(&arena, type, vectors[i].json);
        if (!msgpack_decode(&arena, type, unhex(&arena, vectors[i].hex), &got, &err))
            fail_msg("%s: %s", vectors[i].hex, err_text(&err, text, sizeof text));
        if (!value_equal(&got, &want))
            fail_msg("%s is not %s", vectors[i].hex, vectors[i].json);
        const struct type *a = type_of(&arena, &got), *b = type_of(&arena, &want);
        assert_true(type_equal(a, b));
    }
}

static void vectors_encode_to_their_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        AUTO_BUF out = {.limit = 1 << 20};
        struct err err = {0};
        const struct type *type = type_of_json(&arena, vectors[i].type);
        struct value v = value_of_json(&arena, type, vectors[i].json);
        if (vectors[i].way == IN_ONLY)
            continue;
        assert_true(msgpack_encode(&out, type, &v, &err));
        struct str hex = to_hex(&arena, buf_view(&out));
        if (vectors[i].way == BOTH)
            assert_string_equal(hex.ptr, vectors[i].hex);
        else /* sets of objects stand in another order: same length, same value back */
            assert_int_equal(hex.len, strlen(vectors[i].hex));
        struct value again;
        assert_true(msgpack_decode(&arena, type, buf_view(&out), &again, &err));
        assert_true(value_equal(&again, &v));
    }
}

static void unknown_keeps_what_is_known(void **state)
{
    (void)state;
    static const struct {
        const char *type, *hex;
    } cases[] = {
        {"\"string\"", "d40000"},
        {"\"dynamic\"", "d40000"},
        {"\"dynamic\"", "92c40822737472696e6722d40000"},
        {"\"string\"", "c7090c8201c202a47072652d"},
        {"\"number\"", "c7070c8201c2039200c3"},
        {"\"string\"", "c7030c8101c2"},
        {"[\"list\",\"string\"]", "93c0a161d40000"},
        {"[\"list\",\"string\"]", "c7070c8301c205000610"},
        {"[\"list\",\"string\"]", "d60c8105cc80"}, /* 4 bytes: a fixext */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        AUTO_BUF out = {.limit = 1 << 20};
        struct err err = {0};
        struct value v;
        const struct type *type = type_of_json(&arena, cases[i].type);
        assert_true(msgpack_decode(&arena, type, unhex(&arena, cases[i].hex), &v, &err));
        assert_true(value_any_unknown(&v));
        assert_true(msgpack_encode(&out, type, &v, &err));
        assert_string_equal(to_hex(&arena, buf_view(&out)).ptr, cases[i].hex);
    }
}

static void refinements_are_read(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct value v;
    assert_true(
        msgpack_decode(&arena, &type_string, unhex(&arena, "c7090c8201c202a47072652d"), &v, &err));
    assert_int_equal(v.kind, VALUE_UNKNOWN);
    assert_true(v.unknown->not_null);
    assert_true(str_equal(v.unknown->prefix, STR("pre-")));
    assert_ptr_equal(v.unknown->type, &type_string);
    assert_true(
        msgpack_decode(&arena, &type_number, unhex(&arena, "c7070c8201c2039200c3"), &v, &err));
    struct value zero = value_int(0);
    assert_int_equal(number_compare(v.unknown->least, &zero), 0);
    assert_true(v.unknown->least_inclusive);
    assert_null(v.unknown->most);
    assert_int_equal(v.unknown->len_least, -1);
    /* known to be null; a refinement of a later cty is passed over; any other ext is unknown */
    assert_true(msgpack_decode(&arena, &type_string, unhex(&arena, "c7030c8101c3"), &v, &err));
    assert_int_equal(v.kind, VALUE_NULL);
    assert_true(msgpack_decode(&arena, &type_string, unhex(&arena, "c7090c82638201029301c0c3c0"),
                               &v, &err) == false);
    assert_true(msgpack_decode(&arena, &type_string, unhex(&arena, "c70a0c82639301c0810ac301c2"),
                               &v, &err));
    assert_true(v.unknown->not_null);
    assert_true(msgpack_decode(&arena, &type_string, unhex(&arena, "c70363ffffff"), &v, &err));
    assert_int_equal(v.kind, VALUE_UNKNOWN);
}

static void wrong_input_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *type, *hex, *says;
    } cases[] = {
        {"\"string\"", "", "msgpack byte 0: cut off"},
        {"\"string\"", "c1", "msgpack byte 0: 0xc1 is no msgpack"},
        {"\"string\"", "a161a1", "msgpack byte 2: bytes behind the value"},
        {"\"string\"", "01", "msgpack byte 0: want string, got number"},
        {"\"bool\"", "a0", "msgpack byte 0: want bool, got string"},
        {"\"number\"", "c3", "msgpack byte 0: want number, got bool"},
        {"\"number\"", "a178", "msgpack byte 0: a string that is no number"},
        {"\"number\"", "cb7ff8000000000000", "msgpack byte 9: not a number (NaN)"},
        {"\"string\"", "a2c328", "msgpack byte 1: not UTF-8"},
        {"[\"list\",\"string\"]", "ddffffffff",
         "msgpack byte 5: announces more entries than there are bytes left"},
        {"[\"map\",\"string\"]", "dfffffffff",
         "msgpack byte 5: announces more entries than there are bytes left"},
        {"[\"map\",\"string\"]", "83a161a162",
         "msgpack byte 1: announces more entries than there are bytes left"},
        {"[\"list\",[\"list\",\"string\"]]", "9293a161a0",
         "msgpack byte 2: [0]: announces more entries than there are bytes left"},
        {"\"string\"", "dbffffffff", "msgpack byte 5: cut off"},
        {"\"string\"", "c9ffffffff0c", "msgpack byte 6: cut off"},
        {"[\"map\",\"string\"]", "82a161a0a161a0", "msgpack byte 1: the same key twice"},
        {"[\"map\",\"string\"]", "8101a0", "msgpack byte 1: want a string as key, got number"},
        {"[\"object\",{\"a\":\"number\",\"b\":\"number\"}]", "81a16101",
         "msgpack byte 1: want an object of 2 attributes, got 1"},
        {"[\"object\",{\"a\":\"number\",\"b\":\"number\"}]", "82a16101a16101",
         "msgpack byte 4: a: the same key twice"},
        {"[\"object\",{\"a\":\"number\",\"b\":\"number\"}]", "82a16101a16301",
         "msgpack byte 4: c: no attribute of that name"},
        {"[\"object\",{\"a\":[\"list\",\"number\"]}]", "81a1619201a0",
         "msgpack byte 5: a[1]: a string that is no number"},
        {"[\"tuple\",[\"number\"]]", "920101", "msgpack byte 0: want tuple([number]), got array"},
        {"\"dynamic\"", "93c0c0c0",
         "msgpack byte 0: want a dynamic value [type, value], got array"},
        {"\"dynamic\"", "92c0c0", "msgpack byte 1: want a type as JSON, got null"},
        {"\"dynamic\"", "92c40278780000", "msgpack byte 1: type:1:1"},
        {"\"dynamic\"", "92c402313201", "msgpack byte 1: type: not a type constraint"},
        {"\"string\"", "c7030c8101", "msgpack byte 3: cut off"},
        {"\"string\"", "c7030c8101a0", "msgpack byte 5: refinement: got string"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 16};
        char text[1000];
        struct err err = {0};
        struct value v;
        const struct type *type = type_of_json(&arena, cases[i].type);
        assert_false(msgpack_decode(&arena, type, unhex(&arena, cases[i].hex), &v, &err));
        if (strncmp(err_text(&err, text, sizeof text), cases[i].says, strlen(cases[i].says)) != 0)
            fail_msg("%s: %s, not %s", cases[i].hex, text, cases[i].says);
        assert_int_equal(err.kind, ERR_SYNTAX);
    }
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        AUTO_ARENA arena = {.limit = 1 << 24};
        const struct type *type = type_of_json(&arena, vectors[i].type);
        struct str bytes = unhex(&arena, vectors[i].hex);
        for (size_t n = 0; n < bytes.len; n++) {
            AUTO_ARENA exact = {.limit = 1 << 20}; /* a copy of its own: ASan sees an overrun */
            struct err err = {0};
            struct value v;
            char *copy = test_malloc(n ? n : 1);
            memcpy(copy, bytes.ptr, n);
            bool ok = msgpack_decode(&exact, type, (struct str){copy, n}, &v, &err);
            test_free(copy);
            assert_false(ok);
            assert_int_not_equal(err.kind, ERR_NONE);
        }
    }
}

/* Claims nested in claims: no more room is taken than a fixed multiple of the input. */
static void nested_claims_stay_bounded(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 64 << 20};
    const struct type *type = &type_string;
    enum { N = 100000, LEVELS = 100 };
    for (int i = 0; i < LEVELS; i++)
        type = type_collection(&arena, TYPE_LIST, type);
    char *bytes = arena_new(&arena, char, N);
    for (int i = 0; i < LEVELS; i++) {
        unsigned claim = N - 5 * LEVELS - 1;
        memcpy(bytes + 5L * i, "\xdd", 1);
        for (int b = 0; b < 4; b++)
            bytes[5 * i + 1 + b] = (char)(claim >> (24 - 8 * b));
    }
    AUTO_ARENA small = {.limit = (size_t)N * 20};
    struct err err = {0};
    struct value v;
    assert_false(msgpack_decode(&small, type, (struct str){bytes, N}, &v, &err));
    assert_int_equal(err.kind, ERR_SYNTAX);
}

/* dynamic within dynamic: the one way to nest without end. */
static void depth_is_bounded(void **state)
{
    (void)state;
    static const char wrap[] = "\x92\xc4\x15[\"tuple\",[\"dynamic\"]]\x91";
    for (unsigned depth = 990; depth <= 1100; depth += 10) {
        AUTO_ARENA arena = {.limit = 64 << 20};
        AUTO_BUF bytes = {.limit = 1 << 20};
        struct err err = {0};
        struct value v;
        for (unsigned i = 0; i < depth / 2; i++)
            buf_str(&bytes, STR(wrap));
        buf_char(&bytes, (char)0xc0);
        assert_int_equal(msgpack_decode(&arena, &type_dynamic, buf_view(&bytes), &v, &err),
                         depth / 2 * 2 <= VALUE_DEPTH_MAX);
        assert_int_equal(err.kind, depth / 2 * 2 <= VALUE_DEPTH_MAX ? ERR_NONE : ERR_LIMIT);
    }
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void garbage_is_survived(void **state)
{
    (void)state;
    AUTO_ARENA keep = {.limit = 1 << 20};
    const struct type *type = type_of_json(&keep, WHOLE_TYPE);
    struct str whole = unhex(&keep, WHOLE_HEX);
    uint64_t seed = 88172645463325252u;
    for (unsigned round = 0; round < 20000; round++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct err err = {0};
        struct value v;
        char *bytes = test_malloc(whole.len);
        memcpy(bytes, whole.ptr, whole.len);
        for (unsigned i = 0; i <= round % 4; i++)
            bytes[next_random(&seed) % whole.len] = (char)next_random(&seed);
        if (msgpack_decode(&arena, type, (struct str){bytes, whole.len}, &v, &err)) {
            AUTO_BUF out = {.limit = 1 << 20};
            struct value again;
            if (msgpack_encode(&out, type, &v, &err)) {
                assert_true(msgpack_decode(&arena, type, buf_view(&out), &again, &err));
                assert_true(value_equal(&v, &again));
            } else {
                assert_int_equal(err.kind, ERR_LIMIT); /* a digit became an 'e' */
            }
        }
        test_free(bytes);
    }
}

static void a_value_of_another_type_is_not_encoded(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 16};
    AUTO_BUF out = {.limit = 1 << 16};
    struct err err = {0};
    const struct type *type = type_of_json(&arena, "[\"object\",{\"a\":[\"list\",\"bool\"]}]");
    struct value item = value_int(1), list = value_items(VALUE_LIST, &item, 1), object;
    struct value_member member = {key_make(&arena, STR("a")), list};
    assert_true(value_members(VALUE_OBJECT, &member, 1, &object, NULL, &err));
    assert_false(msgpack_encode(&out, type, &object, &err));
    assert_string_equal(err.frame[0], "a[0]: want bool, got number");
    assert_false(msgpack_encode(&out, type, &list, &err));
    assert_string_equal(err.frame[0], "want object({a=list(bool)}), got list");
    assert_false(
        msgpack_encode(&out, type_of_json(&arena, "[\"object\",{\"b\":\"bool\"}]"), &object, &err));
    assert_string_equal(err.frame[0], "b: want bool, got nothing");
    struct value huge = value_number(STR("1e999999999"));
    assert_false(msgpack_encode(&out, &type_number, &huge, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_decode_to_their_value),
        cmocka_unit_test(vectors_encode_to_their_bytes),
        cmocka_unit_test(unknown_keeps_what_is_known),
        cmocka_unit_test(refinements_are_read),
        cmocka_unit_test(wrong_input_is_refused_with_its_place),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(nested_claims_stay_bounded),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(garbage_is_survived),
        cmocka_unit_test(a_value_of_another_type_is_not_encoded),
    };
    return cmocka_run_group_tests_name("wire/msgpack", tests, NULL, NULL);
}

/* test_fingerprint.c - what moves a fingerprint and what does not. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/finding.h"
#include "wire/json.h"

/* JSON in the place of a value; a string "SECRET:..." is marked sensitive. */
static void mark_secrets(struct value *v)
{
    if (v->kind == VALUE_STRING && str_starts(value_text(v), STR("SECRET:")))
        v->marks = VALUE_SENSITIVE;
}

static struct value *parse(struct arena *arena, const char *json)
{
    struct value *v = arena_new(arena, struct value, 1);
    struct err err = {0};
    if (!json_parse(arena, str_from(json), "test", JSON_DEFAULT, v, &err))
        fail_msg("%s: %s", json, err.frame[0]);
    mark_secrets(v);
    return v;
}

/* NULL stands for the side that is not there. */
struct side {
    const char *path, *before, *after;
    bool sensitive;
};

static void print(struct arena *arena, const char *stack, const char *address,
                  enum finding_class class_, const struct side *sides, size_t n, char out[33])
{
    struct change roots[4];
    struct finding finding = {
        .stack = str_from(stack), .address = str_from(address), .class_ = class_};
    struct err err = {0};
    for (size_t i = 0; i < n; i++)
        roots[i] = (struct change){
            .path = str_from(sides[i].path),
            .before = sides[i].before ? parse(arena, sides[i].before) : NULL,
            .after = sides[i].after ? parse(arena, sides[i].after) : NULL,
            .sensitive = sides[i].sensitive,
        };
    assert_true(finding_fingerprint(&finding, roots, n, &err));
    assert_int_equal(strlen(finding.fingerprint), 32);
    memcpy(out, finding.fingerprint, 33);
}

static const struct {
    const char *says;
    struct side a, b;
    bool same;
} cases[] = {
    {"the same", {"p", "1", "2", 0}, {"p", "1", "2", 0}, true},
    {"another path", {"p", "1", "2", 0}, {"q", "1", "2", 0}, false},
    {"another value", {"p", "1", "2", 0}, {"p", "1", "3", 0}, false},
    {"the other way round", {"p", "1", "2", 0}, {"p", "2", "1", 0}, false},
    {"1 and 1.0 are one number", {"p", "1", "2", 0}, {"p", "1.0", "20e-1", 0}, true},
    {"1 and \"1\" are not", {"p", "1", "2", 0}, {"p", "\"1\"", "2", 0}, false},
    {"null is not absent", {"p", "null", "2", 0}, {"p", NULL, "2", 0}, false},
    {"null is not empty", {"p", "null", "2", 0}, {"p", "\"\"", "2", 0}, false},
    {"list is not object", {"p", "[]", "2", 0}, {"p", "{}", "2", 0}, false},
    {"fields have borders",
     {"p", "{\"ab\":\"c\"}", "2", 0},
     {"p", "{\"a\":\"bc\"}", "2", 0},
     false},
    {"list order", {"p", "[1,2,3]", "[3,9,1]", 0}, {"p", "[3,1,2]", "[1,3,9]", 0}, true},
    {"what stays in a list is no part of it",
     {"p", "[1,2]", "[1,3]", 0},
     {"p", "[2,7]", "[3,7]", 0},
     true},
    {"how often counts", {"p", "[1]", "[1,1]", 0}, {"p", "[1]", "[1,1,1]", 0}, false},
    {"values changed places between elements are not a reordering",
     {"p", "[{\"a\":1,\"b\":2},{\"a\":3,\"b\":4}]", "[{\"a\":1,\"b\":4},{\"a\":3,\"b\":2}]", 0},
     {"p", "[{\"a\":1,\"b\":2},{\"a\":3,\"b\":4}]", "[{\"a\":3,\"b\":4},{\"a\":1,\"b\":2}]", 0},
     false},
    {"inner lists too",
     {"p", "1", "{\"x\":[1,[2,3]]}", 0},
     {"p", "1", "{\"x\":[[3,2],1]}", 0},
     true},
    {"a secret's value", {"p", "1", "2", true}, {"p", "7", "\"x\"", true}, true},
    {"a marked secret", {"p", "\"SECRET:a\"", "1", 0}, {"p", "\"SECRET:b\"", "1", 0}, true},
    {"a secret or not", {"p", "1", "2", true}, {"p", "1", "2", false}, false},
    {"1e999999999 does not grow",
     {"p", "1e999999999", "2", 0},
     {"p", "1e999999998", "2", 0},
     false},
};

static void each_case_moves_it_or_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        char a[33], b[33];
        print_message("  %s\n", cases[i].says);
        print(&arena, "s", "t.n", CLASS_CONTRADICTS_CODE, &cases[i].a, 1, a);
        print(&arena, "s", "t.n", CLASS_CONTRADICTS_CODE, &cases[i].b, 1, b);
        assert_int_equal(strcmp(a, b) == 0, cases[i].same);
    }
}

static void stack_address_and_class_are_part_of_it(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    char prints[4][33];
    print(&arena, "s", "t.n", CLASS_MISSING, NULL, 0, prints[0]);
    print(&arena, "s2", "t.n", CLASS_MISSING, NULL, 0, prints[1]);
    print(&arena, "s", "2t.n", CLASS_MISSING, NULL, 0, prints[2]);
    print(&arena, "s", "t.n", CLASS_UNCHECKED, NULL, 0, prints[3]);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(prints[i], prints[j]);
    /* The format is a promise to stores and waivers: a new one needs a new FINGERPRINT_VERSION. */
    assert_string_equal(prints[0], "c2ff15823c5c9f2ba1ae02e3c80c855a");
}

static void order_of_roots_does_not_matter(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    const struct side ab[] = {{"a", "1", "2", 0}, {"b", "[1]", "[2]", 0}};
    const struct side ba[] = {{"b", "[1]", "[2]", 0}, {"a", "1", "2", 0}};
    char a[33], b[33];
    print(&arena, "s", "t.n", CLASS_STATE_ONLY, ab, 2, a);
    print(&arena, "s", "t.n", CLASS_STATE_ONLY, ba, 2, b);
    assert_string_equal(a, b);
}

static void a_thousand_levels_are_fine_and_more_are_refused(void **state)
{
    (void)state;
    enum { DEEP = 1100 };
    static struct value levels[DEEP + 1];
    struct err err = {0};
    struct finding finding = {.stack = STR("s"), .address = STR("t.n")};
    levels[0] = value_int(1);
    for (size_t i = 1; i <= DEEP; i++)
        levels[i] = value_items(VALUE_LIST, &levels[i - 1], 1);
    struct change root = {.path = STR("p"), .before = NULL, .after = &levels[990]};
    assert_true(finding_fingerprint(&finding, &root, 1, &err));
    root.after = &levels[DEEP];
    assert_false(finding_fingerprint(&finding, &root, 1, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case_moves_it_or_not),
        cmocka_unit_test(stack_address_and_class_are_part_of_it),
        cmocka_unit_test(order_of_roots_does_not_matter),
        cmocka_unit_test(a_thousand_levels_are_fine_and_more_are_refused),
    };
    return cmocka_run_group_tests_name("model/fingerprint", tests, NULL, NULL);
}

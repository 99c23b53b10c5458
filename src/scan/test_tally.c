/* test_tally.c - what the result keeps of an observation: by what it is known again, no secrets. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "scan/tally.h"
#include "wire/json.h"

/* One finding of a class about a resource that is live so, as a scan that is recorded keeps it. */
static struct finding kept_of(struct arena *arena, enum finding_class class_, const char *live,
                              struct str key)
{
    static const struct resource resource = {.address = STR_INIT("aws_s3_bucket.b"),
                                             .type = STR_INIT("aws_s3_bucket")};
    static const struct path_step password = {.kind = PATH_KEY, .key = STR_INIT("password")};
    static const struct path secret = {&password, 1};
    struct resource *of = arena_new(arena, struct resource, 1);
    const struct scan_options options = {.record_key = key};
    struct value *value = arena_new(arena, struct value, 1);
    struct tally tally;
    struct stack_result result = {0};
    struct err err = {0};
    *of = resource;
    of->sensitive = &secret;
    of->nsensitive = 1;
    if (live)
        assert_true(json_parse(arena, str_from(live), "live", 0, value, &err));
    const struct drift_input in = {.resource = of, .live = live ? value : NULL};
    struct finding finding = {
        .class_ = class_, .address = of->address, .type = of->type, .stack = STR("prod")};
    const struct observation observation = {
        .outcome = OBSERVED_DIFFERENT, .findings = &finding, .nfindings = 1, .of = &in};
    assert_true(finding_fingerprint(&finding, NULL, 0, &err));
    tally_init(&tally, arena, STR("prod"), &options);
    if (!tally_add(&tally, &observation, &err) || !tally_finish(&tally, &result, &err))
        fail_msg("%s", err.frame[0]);
    assert_int_equal(result.nfindings, 1);
    return result.findings[0];
}

static void what_no_code_asks_for_is_known_by_its_values(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 22};
    const struct str key = STR("a key"), other = STR("another key"), none = STR("");
    static const char one[] = "{\"id\":\"b\",\"acl\":\"private\"}";
    static const char same[] = "{\"acl\":\"private\",\"id\":\"b\"}";
    static const char two[] = "{\"id\":\"b\",\"acl\":\"public-read\"}";
    static const char keyed[] = "{\"id\":\"b\",\"password\":\"hunter2\"}";
    static const char keyed2[] = "{\"id\":\"b\",\"password\":\"hunter3\"}";
    struct str a = kept_of(&arena, CLASS_UNMANAGED, one, key).kept_digest;
    assert_true(str_starts(a, STR("sha256:")));
    assert_true(str_equal(a, kept_of(&arena, CLASS_UNMANAGED, same, key).kept_digest));
    assert_false(str_equal(a, kept_of(&arena, CLASS_UNMANAGED, two, key).kept_digest));
    struct str b = kept_of(&arena, CLASS_UNMANAGED, keyed, key).kept_digest;
    assert_true(str_starts(b, STR("hmac-sha256:")));
    assert_false(str_equal(b, kept_of(&arena, CLASS_UNMANAGED, keyed2, key).kept_digest));
    assert_false(str_equal(b, kept_of(&arena, CLASS_UNMANAGED, keyed, other).kept_digest));
    assert_false(kept_of(&arena, CLASS_UNMANAGED, NULL, key).kept_digest.len);
    assert_false(kept_of(&arena, CLASS_UNMANAGED, one, none).kept_digest.len); /* not recorded */
    assert_false(kept_of(&arena, CLASS_MISSING, NULL, key).kept_digest.len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_no_code_asks_for_is_known_by_its_values),
    };
    return cmocka_run_group_tests_name("scan/tally", tests, NULL, NULL);
}

/* test_push.c - bodies and signatures of webhooks: GitHub's and Standard Webhooks' own examples. */
#include "base/test.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/vectors.h"
#include "serve/feeds_parts.h"
#include "wire/json.h"

/* Of GitHub's documentation, "Validating webhook deliveries". */
static void github_signs(void **state)
{
    (void)state;
    const struct str key = STR("It's a Secret to Everybody"), body = STR("Hello, World!");
    struct push_headers headers = {
        .github =
            STR_INIT("sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")};
    assert_true(push_is_signed(&headers, key, body, 0));
    assert_false(push_is_signed(&headers, STR("another"), body, 0));
    assert_false(push_is_signed(&headers, STR(""), body, 0));
    assert_false(push_is_signed(&headers, key, STR("Hello, World?"), 0));
    headers.github = str_sub(headers.github, 7, headers.github.len);
    assert_false(push_is_signed(&headers, key, body, 0));
    headers.github = STR("sha256=");
    assert_false(push_is_signed(&headers, key, body, 0));
    assert_false(push_is_signed(&(struct push_headers){0}, key, body, 0));
}

static void gitlab_knows_the_token(void **state)
{
    (void)state;
    struct push_headers headers = {.gitlab = STR_INIT("token")};
    assert_true(push_is_signed(&headers, STR("token"), STR("{}"), 0));
    assert_false(push_is_signed(&headers, STR("token2"), STR("{}"), 0));
    assert_false(push_is_signed(&headers, STR(""), STR("{}"), 0));
}

static void standard_webhooks(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 8 << 20};
    struct str text;
    struct value v;
    if (!vectors_read(&arena, "standard-webhooks/vectors.json", &text))
        return;
    assert_true(json_parse(&arena, text, "vectors", JSON_DEFAULT, &v, NULL));
    const struct value *one = &value_get(&v, STR("vectors"))->items[0];
    const struct value *cases = value_get(&v, STR("header_cases"));
    struct str secret = value_get_string(one, STR("secret"));
    struct str body = value_get_string(one, STR("payload"));
    int64_t at = 1614265330000;
    struct push_headers headers = {.id = value_get_string(one, STR("id")),
                                   .timestamp = STR_INIT("1614265330"),
                                   .signature = value_get_string(one, STR("signature"))};
    assert_true(push_is_signed(&headers, secret, body, at));
    assert_true(push_is_signed(&headers, secret, body, at + 299000));
    assert_false(push_is_signed(&headers, secret, body, at + 301000));
    assert_false(push_is_signed(&headers, secret, body, at - 301000));
    for (uint32_t i = 0; i < cases->len; i++) {
        headers.signature = value_get_string(&cases->items[i], STR("header"));
        const struct value *valid = value_get(&cases->items[i], STR("valid"));
        assert_int_equal(push_is_signed(&headers, secret, body, at), valid->truth);
    }
    /* the strongest header counts: a token does not stand in for a bad signature */
    headers.gitlab = secret;
    assert_false(push_is_signed(&headers, secret, body, at));
}

static const struct {
    const char *body;
    const char *repository, *branch; /* NULL: ignored; both: a syntax error */
} bodies[] = {
    {"{\"ref\":\"refs/heads/main\",\"repository\":{\"clone_url\":\"https://github.com/a/b.git\"}}",
     "https://github.com/a/b.git", "main"},
    {"{\"object_kind\":\"push\",\"ref\":\"refs/heads/x/y\",\"project\":{\"git_http_url\":"
     "\"https://gitlab.com/a/b.git\"}}",
     "https://gitlab.com/a/b.git", "x/y"},
    {"{\"repository\":{\"links\":{\"html\":{\"href\":\"https://bitbucket.org/a/b\"}}},\"push\":{"
     "\"changes\":[{\"new\":{\"type\":\"branch\",\"name\":\"main\"}}]}}",
     "https://bitbucket.org/a/b", "main"},
    {"{\"repository\":{\"links\":{\"html\":{\"href\":\"https://bitbucket.org/a/b\"}}},\"push\":{"
     "\"changes\":[{\"new\":{\"type\":\"tag\",\"name\":\"v1\"}},{\"new\":null}]}}",
     "https://bitbucket.org/a/b", NULL},
    {"{\"repository\":\"ssh://git@h/p\",\"branch\":\"main\"}", "ssh://git@h/p", "main"},
    {"{\"repository\":\"ssh://git@h/p\"}", "ssh://git@h/p", ""},
    {"{\"ref\":\"refs/tags/v1\",\"repository\":{\"url\":\"u\"}}", "u", NULL},
    {"{\"object_kind\":\"tag_push\",\"ref\":\"refs/heads/main\",\"project\":{\"web_url\":\"u\"}}",
     "u", NULL},
    {"{\"zen\":\"Keep it logically awesome.\",\"hook_id\":1}", NULL, NULL},
    {"{\"ref\":\"refs/heads/main\"}", "", NULL},
    {"[]", "", NULL},
    {"{", "", NULL},
    {"{\"repository\":7,\"ref\":[]}", "", NULL},
};

static void bodies_of_all_senders(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct push push = {0};
        struct str repository = str_from(bodies[i].repository);
        bool ok = push_parse(&arena, str_from(bodies[i].body), &push, NULL);
        bool wrong = bodies[i].repository && repository.len == 0;
        if (ok == wrong)
            fail_msg("%s", bodies[i].body);
        if (!ok)
            continue;
        assert_int_equal(push.ignored, bodies[i].branch == NULL);
        assert_true(push.nrepositories == 0 || str_equal(push.repository[0], repository));
        assert_true(push.ignored || str_equal(push.branch, str_from(bodies[i].branch)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(github_signs),
        cmocka_unit_test(gitlab_knows_the_token),
        cmocka_unit_test(standard_webhooks),
        cmocka_unit_test(bodies_of_all_senders),
    };
    return cmocka_run_group_tests_name("serve/push", tests, NULL, NULL);
}

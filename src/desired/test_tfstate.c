/* test_tfstate.c - states of the real Terraform, read both ways; what is no state v4 and why. */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "desired/desired.h"
#include "value/path.h"

enum { LIMIT = 64 << 20 };

static struct str data_file(struct arena *arena, const char *scenario, const char *file)
{
    struct err err = {0};
    struct str text;
    struct str path = arena_printf(arena, "tests/data/terraform/%s/%s", scenario, file);
    if (!io_read_file(arena, path.ptr, LIMIT, &text, &err))
        fail_msg("%s", err.frame[0]);
    return text;
}

/* A line of what both kinds of document say of an instance; sorted, they must be the same. */
static struct str line_of(struct arena *arena, const struct resource *r)
{
    AUTO_BUF out = {.limit = LIMIT};
    buf_printf(&out, "%.*s module=%.*s mode=%d type=%.*s name=%.*s provider=%.*s version=%d",
               STR_ARG(r->address), STR_ARG(r->module), r->mode, STR_ARG(r->type), STR_ARG(r->name),
               STR_ARG(r->provider), (int)r->schema_version);
    buf_printf(&out, " tainted=%d deposed=%.*s", r->tainted, STR_ARG(r->deposed));
    return arena_dup(arena, buf_view(&out));
}

static size_t lines_of(struct arena *arena, struct str text, struct str *lines, size_t most)
{
    struct desired *desired;
    struct err err = {0};
    struct resource r;
    size_t n = 0;
    if (!desired_open_state_text(text, "t", &desired, &err))
        fail_msg("%s", err.frame[0]);
    while (desired_next(desired, &r, &err) && n < most)
        lines[n++] = line_of(arena, &r);
    if (err.kind)
        fail_msg("%s", err.frame[0]);
    desired_close(desired);
    qsort(lines, n, sizeof *lines, str_compare_qsort);
    return n;
}

static void state_and_show_json_say_the_same(void **state)
{
    (void)state;
    static const char *const scenarios[] = {
        "foreach-weird-keys", "realistic-app", "deposed",   "tainted",      "sensitive-var",
        "drift-many",         "input-kinds",   "fake-full", "state-checks", "empty-tf"};
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        AUTO_ARENA arena = {.limit = LIMIT};
        struct str a[200], b[200];
        size_t n = lines_of(&arena, data_file(&arena, scenarios[i], "after.tfstate"), a, 200);
        size_t m = lines_of(&arena, data_file(&arena, scenarios[i], "after.state.json"), b, 200);
        print_message("  %s: %zu instances\n", scenarios[i], n);
        assert_int_equal(n, m);
        assert_true(n > 0 || strcmp(scenarios[i], "empty-tf") == 0);
        for (size_t k = 0; k < n; k++)
            assert_string_equal(a[k].ptr, b[k].ptr);
    }
}

/* One resource of a state with everything a state can hold. */
static const char full[] =
    "{\"version\":4,\"terraform_version\":\"1.9.0\",\"serial\":18446744073709551615,"
    "\"lineage\":\"l\",\"outputs\":{\"o\":{\"value\":1,\"type\":\"number\"}},\"resources\":[\n"
    "{\"module\":\"module.m[0].module.x[\\\"k\\\"]\",\"mode\":\"managed\",\"type\":\"t\","
    "\"name\":\"n\",\"each\":\"map\",\"provider\":\"module.m.provider[\\\"h/n/t\\\"].alias\","
    "\"instances\":[{\"index_key\":\"a$"
    "{b}\\n\\u0001\\ud83d\\ude00\",\"status\":\"tainted\","
    "\"deposed\":\"0123abcd\",\"schema_version\":3,\"attributes\":{ \"a\" : [1,{\"b\":null}] },"
    "\"sensitive_attributes\":[[{\"type\":\"get_attr\",\"value\":\"a\"},{\"type\":\"index\","
    "\"value\":{\"value\":0,\"type\":\"number\"}}],[{\"type\":\"index\",\"value\":"
    "{\"value\":\"x.y\",\"type\":\"string\"}}]],\"identity_schema_version\":2,"
    "\"identity\":{\"id\":\"i\"},\"private\":\"YWJj\",\"dependencies\":[\"t.o\",\"module.z.t.p\"],"
    "\"create_before_destroy\":true},\n"
    "{\"index_key\":7,\"schema_version\":0,\"attributes_flat\":{\"l.#\":\"1\"},\"provider\":"
    "\"provider[\\\"h/n/other\\\"].alias[\\\"k\\\"]\"}]}],\"check_results\":null}";

static void every_field_arrives(void **state)
{
    (void)state;
    struct desired *desired;
    struct err err = {0};
    struct resource r;
    assert_true(desired_open_state_text(STR(full), "f", &desired, &err));
    const struct desired_info *info = desired_info(desired);
    assert_true(info->serial == UINT64_MAX);
    assert_true(str_equal(info->lineage, STR("l")));
    assert_true(str_equal(info->terraform_version, STR("1.9.0")));
    assert_string_equal(info->label.ptr, "state f, serial 18446744073709551615");

    assert_true(desired_next(desired, &r, &err));
    assert_string_equal(r.address.ptr, "module.m[0].module.x[\"k\"].t.n[\"a$$"
                                       "{b}\\n\\u0001\xf0\x9f\x98\x80\"]"
                                       " (deposed 0123abcd)");
    assert_true(str_equal(r.module, STR("module.m[0].module.x[\"k\"]")));
    assert_true(str_equal(r.provider, STR("h/n/t")));
    assert_true(str_equal(r.provider_config, STR("module.m.provider[\"h/n/t\"].alias")));
    assert_true(r.tainted && r.create_before_destroy);
    assert_int_equal(r.schema_version, 3);
    assert_true(str_equal(r.attributes_json, STR("{ \"a\" : [1,{\"b\":null}] }")));
    assert_int_equal(r.identity_schema_version, 2);
    assert_true(str_equal(r.identity_json, STR("{\"id\":\"i\"}")));
    assert_true(str_equal(r.private_base64, STR("YWJj")));
    assert_int_equal(r.ndependencies, 2);
    assert_true(str_equal(r.dependencies[1], STR("module.z.t.p")));
    AUTO_ARENA arena = {.limit = LIMIT};
    assert_int_equal(r.nsensitive, 2);
    assert_string_equal(path_text(&arena, r.sensitive[0]).ptr, "a[0]");
    assert_string_equal(path_text(&arena, r.sensitive[1]).ptr, "[\"x.y\"]");

    assert_true(desired_next(desired, &r, &err));
    assert_true(str_ends(r.address, STR(".t.n[7]")));
    assert_true(str_equal(r.provider, STR("h/n/other")));
    assert_true(str_equal(r.flatmap_json, STR("{\"l.#\":\"1\"}")));
    assert_int_equal(r.attributes_json.len, 0);
    assert_false(desired_next(desired, &r, &err));
    assert_int_equal(err.kind, ERR_NONE);
    assert_false(desired_next(desired, &r, &err));
    desired_close(desired);
}

/* Open and walk to the end; the error's whole text, or "" where there is none. */
static const char *trouble(struct str text, char *room, size_t size)
{
    struct desired *desired;
    struct err err = {0};
    struct resource r;
    room[0] = '\0';
    if (!desired_open_state_text(text, "s", &desired, &err))
        return err_text(&err, room, size);
    while (desired_next(desired, &r, &err)) {}
    if (err.kind)
        (void)err_text(&err, room, size);
    desired_close(desired);
    return room;
}

#define HEAD "{\"version\":4,\"terraform_version\":\"1.0.0\",\"serial\":1,\"lineage\":\"x\","
#define RES \
    "{\"mode\":\"managed\",\"type\":\"t\",\"name\":\"n\",\"provider\":\"provider[\\\"a/b/" \
    "c\\\"]\","
static const struct {
    const char *text, *says; /* says: part of the message; "" = no trouble */
} cases[] = {
    {"", ""},
    {" \n", ""},
    {HEAD "\"resources\":[]}", ""},
    {HEAD "\"resources\":null}", ""},
    {HEAD "\"outputs\":{}}", ""},
    {HEAD "\"resources\":[" RES "\"instances\":null}]}", ""},
    {HEAD "\"resources\":[" RES "\"instances\":[{}]}]}", ""},
    {"{\"format_version\":\"1.0\"}", ""},
    {"{\"version\":3,\"modules\":[]}", "rewrite it as version 4"},
    {"{\"version\":1}", "Terraform 0.11 or older"},
    {"{\"version\":5}", "update plumb"},
    {"{\"version\":\"4\"}", "s:1:12: the version of a state is a number"},
    {"{\"serial\":1,\"lineage\":\"x\",\"meta\":{},\"encrypted_data\":\"AA==\","
     "\"encryption_version\":\"v0\"}",
     "encrypted by OpenTofu: run `tofu state pull"},
    {"{\"format_version\":\"1.2\",\"planned_values\":{}}", "plumb scan --plan"},
    {"{\"format_version\":\"2.0\",\"values\":{}}", "knows 1.x"},
    {"[]", "live resources, not a state"},
    {"{\"a\":1}", "has no \"version\""},
    {"hello", "s:1:1: expected an object"},
    {"\xef\xbb\xbf{\"version\":4}", "byte order mark"},
    {HEAD "\"resources\":[]}" HEAD "\"resources\":[]}", "are two files joined here?"},
    {HEAD "\"resources\":[],\"resources\":[]}", "stands here twice"},
    {HEAD "\"resources\":[" RES "\"instances\":[{", "restore it from terraform.tfstate.backup"},
    {HEAD "\"resources\":[" RES "\"instances\":[{\"status\":\"odd\"}]}]}", "empty or \"tainted\""},
    {HEAD "\"resources\":[" RES "\"instances\":[{\"index_key\":1.5}]}]}", "whole number"},
    {HEAD "\"resources\":[" RES "\"instances\":[{\"index_key\":[]}]}]}", "whole number"},
    {HEAD "\"resources\":[" RES "\"instances\":[{\"attributes\":[]}]}]}", "are an object"},
    {HEAD "\"resources\":[" RES "\"instances\":[{\"attributes\":{},\"\\u0061ttributes\":{}}]}]}",
     "stands here twice"},
    {HEAD "\"resources\":[" RES "\"instances\":[{\"attributes\":{\"a\":1e400,\"b\":01}}]}]}",
     "must not begin with 0"},
    {HEAD "\"resources\":[" RES "\"instances\":[{\"attributes\":{\"a\":\"\xff\"}}]}]}",
     "not UTF-8"},
    {HEAD "\"resources\":[" RES "\"instances\":[{}],\"module\":\"module.x\"}]}", "jq -S"},
    {HEAD "\"resources\":[{\"mode\":\"odd\",\"type\":\"t\",\"name\":\"n\",\"provider\":"
          "\"provider.x\",\"instances\":[{}]}]}",
     "\"managed\" or \"data\""},
    {HEAD "\"resources\":[{\"mode\":\"data\",\"type\":\"t\",\"name\":\"n\",\"provider\":"
          "\"odd\",\"instances\":[{}]}]}",
     "want provider["},
    {HEAD "\"resources\":[{\"mode\":\"data\",\"instances\":[{}]}]}", "without mode, type"},
    {HEAD "\"resources\":[" RES
          "\"instances\":[{\"sensitive_attributes\":[[{\"type\":\"x\"}]]}]}]}",
     "list of paths"},
};

static void says_what_is_wrong_and_what_to_do(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char room[2000];
        const char *got = trouble(str_from(cases[i].text), room, sizeof room);
        if (cases[i].says[0] ? !strstr(got, cases[i].says) : got[0] != '\0')
            fail_msg("%s\n  want: %s\n  got:  %s", cases[i].text, cases[i].says, got);
    }
}

static void keys_in_any_order(void **state)
{
    (void)state;
    static const char sorted[] =
        "{\"lineage\":\"x\",\"resources\":[{\"instances\":[{\"attributes\":{\"a\":1},"
        "\"index_key\":0}],\"mode\":\"managed\",\"module\":\"module.m\",\"name\":\"n\","
        "\"provider\":\"provider.aws\",\"type\":\"t\"},{\"instances\":[],\"mode\":\"data\","
        "\"name\":\"n\",\"provider\":\"provider.aws\",\"type\":\"t\"}],\"serial\":9,"
        "\"terraform_version\":\"1.0.0\",\"version\":4}";
    AUTO_ARENA arena = {.limit = LIMIT};
    struct str lines[4];
    assert_int_equal(lines_of(&arena, STR(sorted), lines, 4), 1);
    assert_string_equal(lines[0].ptr, "module.m.t.n[0] module=module.m mode=0 type=t name=n "
                                      "provider=registry.terraform.io/-/aws version=0 tainted=0 "
                                      "deposed=");
}

static void every_truncation_is_an_error(void **state)
{
    (void)state;
    for (size_t len = 1; len < sizeof full - 1; len++) {
        char room[2000];
        char *exact = malloc(len);
        assert_non_null(exact);
        memcpy(exact, full, len);
        const char *got = trouble((struct str){exact, len}, room, sizeof room);
        if (!strstr(got, "cut short") && !strstr(got, "s:"))
            fail_msg("cut at %zu: %s", len, got);
        free(exact);
    }
    char room[2000];
    assert_string_equal(trouble(STR(full), room, sizeof room), "");
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    AUTO_BUF text = {.limit = LIMIT};
    char room[2000];
    buf_str(&text, STR(HEAD "\"resources\":[" RES "\"instances\":[{\"attributes\":{\"a\":"));
    for (int i = 0; i < 100000; i++)
        buf_char(&text, '[');
    assert_non_null(strstr(trouble(buf_view(&text), room, sizeof room), "nested too deep"));
}

/* Addresses that together are far larger than the file: an error, not 100 GB. */
static void a_small_file_cannot_ask_for_much_memory(void **state)
{
    (void)state;
    AUTO_BUF text = {.limit = LIMIT};
    char room[2000];
    buf_str(&text, STR(HEAD "\"resources\":[" RES "\"module\":\""));
    for (int i = 0; i < 100000; i++)
        buf_str(&text, STR("module.m."));
    buf_str(&text, STR("\",\"instances\":[{}"));
    for (int i = 0; i < 100000; i++)
        buf_str(&text, STR(",{}"));
    buf_str(&text, STR("]}]}"));
    assert_non_null(strstr(trouble(buf_view(&text), room, sizeof room), "bytes of memory"));
}

/* Many instances are no reason to refuse: memory grows with the file. */
static void a_million_instances_are_walked(void **state)
{
    (void)state;
    enum { N = 1000000 };
    AUTO_BUF text = {.limit = LIMIT};
    struct desired *desired;
    struct resource r;
    struct err err = {0};
    size_t n = 0;
    buf_str(&text, STR(HEAD "\"resources\":[" RES "\"instances\":["));
    for (int i = 0; i < N; i++)
        buf_printf(&text, "%s{\"index_key\":%d}", i ? "," : "", i);
    buf_str(&text, STR("]}]}"));
    assert_true(desired_open_state_text(buf_view(&text), "s", &desired, &err));
    while (desired_next(desired, &r, &err))
        n++;
    assert_int_equal(n, N);
    assert_string_equal(r.address.ptr, "t.n[999999]");
    desired_close(desired);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_and_show_json_say_the_same),
        cmocka_unit_test(every_field_arrives),
        cmocka_unit_test(says_what_is_wrong_and_what_to_do),
        cmocka_unit_test(keys_in_any_order),
        cmocka_unit_test(every_truncation_is_an_error),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(a_million_instances_are_walked),
        cmocka_unit_test(a_small_file_cannot_ask_for_much_memory),
    };
    return cmocka_run_group_tests_name("desired/tfstate", tests, NULL, NULL);
}

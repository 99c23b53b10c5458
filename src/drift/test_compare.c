/* test_compare.c - drift_observe(): outcomes, classes, secrets, ignore rules and fingerprints. */
#include "base/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "drift/drift.h"
#include "wire/json.h"

/* --- a resource type with one of everything --- */

static const struct type list_of_string = {.kind = TYPE_LIST, .elem = &type_string};
static const struct type map_of_string = {.kind = TYPE_MAP, .elem = &type_string};

static const struct schema_attribute rule_attributes[] = {
    {.name = STR_INIT("key"), .type = &type_string, .optional = true, .sensitive = true},
    {.name = STR_INIT("port"), .type = &type_number, .required = true},
};
static const struct schema_attribute attributes[] = {
    {.name = STR_INIT("anything"), .type = &type_dynamic, .optional = true},
    {.name = STR_INIT("arn"), .type = &type_string, .computed = true},
    {.name = STR_INIT("etag"), .type = &type_string, .computed = true},
    {.name = STR_INIT("id"), .type = &type_string, .optional = true, .computed = true},
    {.name = STR_INIT("names"), .type = &list_of_string, .optional = true},
    {.name = STR_INIT("password"), .type = &type_string, .optional = true, .sensitive = true},
    {.name = STR_INIT("secrets"), .type = &map_of_string, .optional = true, .sensitive = true},
    {.name = STR_INIT("size"), .type = &type_number, .optional = true, .computed = true},
    {.name = STR_INIT("tags"), .type = &map_of_string, .optional = true},
    {.name = STR_INIT("tags_all"), .type = &map_of_string, .optional = true, .computed = true},
};
enum { NATTRIBUTES = sizeof attributes / sizeof *attributes };

struct lab {
    struct schema_block rule;
    struct schema_nested_block blocks[2];
    struct schema schema;
};

static void lab_init(struct arena *arena, struct lab *lab)
{
    lab->rule = (struct schema_block){.attributes = rule_attributes, .nattributes = 2};
    assert_true(schema_imply_type(arena, &lab->rule));
    lab->blocks[0] = (struct schema_nested_block){STR("ingress"), NESTING_SET, &lab->rule, 0, 0};
    lab->blocks[1] = (struct schema_nested_block){STR("rule"), NESTING_LIST, &lab->rule, 0, 0};
    lab->schema = (struct schema){.block = {.attributes = attributes,
                                            .nattributes = NATTRIBUTES,
                                            .blocks = lab->blocks,
                                            .nblocks = 2}};
    assert_true(schema_imply_type(arena, &lab->schema.block));
}

static struct value *typed(struct arena *arena, const struct lab *lab, const char *json)
{
    struct value raw, *v = arena_new(arena, struct value, 1);
    struct err err = {0};
    if (!json_parse(arena, str_from(json), "case", JSON_DEFAULT, &raw, &err) ||
        !type_apply(arena, lab->schema.block.type, &raw, false, v, &err))
        fail_msg("%s: %s", json, err.frame[0]);
    return v;
}

static const struct resource web = {
    .address = STR_INIT("lab_web.a"),
    .type = STR_INIT("lab_web"),
    .provider = STR_INIT("example.com/plumb/lab"),
};

static void observe(struct arena *arena, const struct drift_input *in, struct observation *ret)
{
    struct err err = {0};
    if (!drift_observe(arena, in, ret, &err))
        fail_msg("%s", err.frame[0]);
}

/* "path: before -> after" per change, with `*` secret, `c` configurable and `i` ignored. */
static void print_side(struct buf *out, const struct value *v)
{
    struct jsonw w = {.out = out};
    if (v)
        jsonw_value(&w, v);
    else
        buf_char(out, '-');
}

static struct str print_changes(struct arena *arena, const struct finding *finding)
{
    AUTO_BUF out = {.limit = 1 << 20};
    for (size_t i = 0; i < finding->nchanges; i++) {
        const struct change *change = &finding->changes[i];
        buf_printf(&out, "%s%.*s %s%s%s ", i ? "; " : "", STR_ARG(change->path),
                   change->sensitive ? "*" : "", change->configurable ? "c" : "",
                   change->ignored_by.len ? "i" : "");
        if (change->sensitive)
            continue;
        print_side(&out, change->before);
        buf_str(&out, STR(" -> "));
        print_side(&out, change->after);
    }
    return arena_dup(arena, buf_view(&out));
}

/* --- one desired and one live, each case --- */

static const struct {
    const char *desired, *live; /* live NULL = gone */
    int class_;                 /* -1 = no finding */
    const char *changes, *reason;
} cases[] = {
    {"{\"id\":\"x\"}", "{\"id\":\"x\"}", -1, "", ""},
    {"{\"id\":\"x\"}", NULL, CLASS_MISSING, "",
     "it does not exist any more: nothing was found with id \"x\""},
    {"{}", NULL, CLASS_MISSING, "", "it does not exist any more"},
    {"{\"size\":1}", "{\"size\":1.0}", -1, "", ""},
    {"{\"size\":1}", "{\"size\":2}", CLASS_CONTRADICTS_CODE, "size c 1 -> 2",
     "size was changed outside of the code"},
    {"{\"names\":[\"a\"]}", "{\"names\":null}", CLASS_CONTRADICTS_CODE, "names c [\"a\"] -> null",
     "names was removed outside of the code"},
    {"{\"names\":null}", "{\"names\":[\"a\"]}", CLASS_CONTRADICTS_CODE, "names c null -> [\"a\"]",
     "names was set outside of the code"},
    {"{\"etag\":\"1\"}", "{\"etag\":\"2\"}", CLASS_STATE_ONLY, "etag  \"1\" -> \"2\"",
     "etag differs from the last state; the code has no say in it"},
    {"{\"id\":\"1\"}", "{\"id\":\"2\"}", CLASS_STATE_ONLY, "id  \"1\" -> \"2\"",
     "id differs from the last state; the code has no say in it"},
    {"{\"arn\":\"1\",\"etag\":\"1\",\"size\":1}", "{\"arn\":\"2\",\"etag\":\"2\",\"size\":2}",
     CLASS_CONTRADICTS_CODE, "arn  \"1\" -> \"2\"; etag  \"1\" -> \"2\"; size c 1 -> 2",
     "arn, etag and size were changed outside of the code"},
    /* lists and blocks */
    {"{\"names\":[\"a\",\"b\"]}", "{\"names\":[\"a\",\"x\",\"b\"]}", CLASS_CONTRADICTS_CODE,
     "names[1] c - -> \"x\"", "names[1] was set outside of the code"},
    {"{\"rule\":[{\"port\":1}]}", "{\"rule\":[{\"port\":2}]}", CLASS_CONTRADICTS_CODE,
     "rule[0].port c 1 -> 2", "rule[0].port was changed outside of the code"},
    {"{\"ingress\":[{\"port\":2},{\"port\":1}]}", "{\"ingress\":[{\"port\":1},{\"port\":2}]}", -1,
     "", ""},
    {"{\"rule\":null}", "{\"rule\":[]}", -1, "", ""},
    {"{\"anything\":[1,{\"a\":2}]}", "{\"anything\":[1,{\"a\":3}]}", CLASS_CONTRADICTS_CODE,
     "anything[1].a c 2 -> 3", "anything[1].a was changed outside of the code"},
    {"{\"anything\":[1]}", "{\"anything\":\"[1]\"}", CLASS_CONTRADICTS_CODE,
     "anything c [1] -> \"[1]\"", "anything was changed outside of the code"},
    /* mirrors */
    {"{\"tags\":{\"o\":\"a\"},\"tags_all\":{\"o\":\"a\",\"d\":\"1\"}}",
     "{\"tags\":{\"o\":\"b\"},\"tags_all\":{\"o\":\"b\",\"d\":\"1\"}}", CLASS_CONTRADICTS_CODE,
     "tags.o c \"a\" -> \"b\"", "tags.o was changed outside of the code"},
    {"{\"tags\":null,\"tags_all\":{}}", "{\"tags\":{\"n\":\"1\"},\"tags_all\":{\"n\":\"1\"}}",
     CLASS_CONTRADICTS_CODE, "tags c null -> {\"n\":\"1\"}", "tags was set outside of the code"},
    {"{\"tags\":{},\"tags_all\":{\"d\":\"1\"}}", "{\"tags\":{},\"tags_all\":{\"d\":\"2\"}}",
     CLASS_CONTRADICTS_CODE, "tags_all.d c \"1\" -> \"2\"",
     "tags_all.d was changed outside of the code"},
    /* secrets: no value, no key, no place inside is told */
    {"{\"password\":\"a\"}", "{\"password\":\"b\"}", CLASS_CONTRADICTS_CODE, "password *c ",
     "password was changed outside of the code"},
    {"{\"secrets\":{\"k\":\"a\",\"l\":\"a\"}}", "{\"secrets\":{\"k\":\"b\",\"m\":\"c\"}}",
     CLASS_CONTRADICTS_CODE, "secrets *c ", "secrets was changed outside of the code"},
    {"{\"rule\":[]}", "{\"rule\":[{\"port\":1,\"key\":\"hush\"}]}", CLASS_CONTRADICTS_CODE,
     "rule[0] c - -> {\"key\":null,\"port\":1}", "rule[0] was set outside of the code"},
    {"{\"rule\":[{\"port\":1,\"key\":\"a\"}]}", "{\"rule\":[{\"port\":1,\"key\":\"b\"}]}",
     CLASS_CONTRADICTS_CODE, "rule[0].key *c ", "rule[0].key was changed outside of the code"},
    {"{\"ingress\":[{\"port\":1,\"key\":\"a\"}]}", "{\"ingress\":[{\"port\":1,\"key\":\"b\"}]}",
     CLASS_CONTRADICTS_CODE,
     "ingress[*] c {\"key\":null,\"port\":1} -> -; ingress[*] c - -> {\"key\":null,\"port\":1}",
     "ingress[*] was changed outside of the code"},
};

static void each_case_has_its_class_changes_and_sentence(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 8 << 20};
        struct lab lab;
        struct observation got;
        lab_init(&arena, &lab);
        print_message("  %s | %s\n", cases[i].desired, cases[i].live ? cases[i].live : "gone");
        struct drift_input in = {
            .resource = &web,
            .desired = typed(&arena, &lab, cases[i].desired),
            .live = cases[i].live ? typed(&arena, &lab, cases[i].live) : NULL,
            .schema = &lab.schema,
            .stack = STR("s"),
        };
        observe(&arena, &in, &got);
        assert_int_equal(got.nfindings, cases[i].class_ >= 0);
        assert_int_equal(got.outcome, cases[i].class_ < 0                ? OBSERVED_SAME
                                      : cases[i].class_ == CLASS_MISSING ? OBSERVED_MISSING
                                                                         : OBSERVED_DIFFERENT);
        if (!got.nfindings)
            continue;
        assert_int_equal(got.findings[0].class_, cases[i].class_);
        assert_string_equal(print_changes(&arena, got.findings).ptr, cases[i].changes);
        assert_string_equal(got.findings[0].reason.ptr, cases[i].reason);
        assert_int_equal(strlen(got.findings[0].fingerprint), 32);
        assert_false(got.findings[0].ignored);
    }
}

/* --- secrets --- */

static bool holds(struct str text, const char *part)
{
    return str_find(text, str_from(part), 0) != SIZE_MAX;
}

static void secrets_of_the_state_count_too(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 8 << 20};
    struct lab lab;
    struct observation got;
    lab_init(&arena, &lab);
    const struct path_step tag[] = {{.kind = PATH_KEY, .key = STR_INIT("tags")},
                                    {.kind = PATH_KEY, .key = STR_INIT("t")}};
    const struct path_step port[] = {{.kind = PATH_KEY, .key = STR_INIT("rule")},
                                     {.kind = PATH_INDEX, .index = 7},
                                     {.kind = PATH_KEY, .key = STR_INIT("port")}};
    const struct path_step id[] = {{.kind = PATH_KEY, .key = STR_INIT("id")}};
    const struct path paths[] = {{tag, 2}, {port, 3}, {id, 1}};
    struct resource resource = web;
    resource.sensitive = paths;
    resource.nsensitive = 3;
    struct drift_input in = {
        .resource = &resource,
        .desired =
            typed(&arena, &lab,
                  "{\"id\":\"hush\",\"tags\":{\"t\":\"1\",\"u\":\"1\"},\"rule\":[{\"port\":1}]}"),
        .live =
            typed(&arena, &lab,
                  "{\"id\":\"hush\",\"tags\":{\"t\":\"2\",\"u\":\"2\"},\"rule\":[{\"port\":2}]}"),
        .schema = &lab.schema,
        .stack = STR("s"),
    };
    observe(&arena, &in, &got);
    assert_string_equal(print_changes(&arena, got.findings).ptr,
                        "rule[0].port *c ; tags.t *c ; tags.u c \"1\" -> \"2\"");
    in.live = NULL;
    observe(&arena, &in, &got);
    assert_false(holds(got.findings[0].reason, "hush"));

    in.schema = NULL; /* without a schema the paths still hold */
    in.live = typed(&arena, &lab,
                    "{\"id\":\"hush\",\"tags\":{\"t\":\"2\",\"u\":\"1\"},\"rule\":[{\"port\":1}]}");
    observe(&arena, &in, &got);
    assert_string_equal(print_changes(&arena, got.findings).ptr, "tags.t *c ");
}

static void a_secret_has_no_part_in_a_fingerprint(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 8 << 20};
    struct lab lab;
    lab_init(&arena, &lab);
    static const char *const pairs[][4] = {
        {"{\"password\":\"a\"}", "{\"password\":\"b\"}", "{\"password\":\"c\"}",
         "{\"password\":\"d\"}"},
        {"{\"secrets\":{\"a\":\"1\"}}", "{\"secrets\":{\"b\":\"2\"}}",
         "{\"secrets\":{\"c\":\"1\",\"d\":\"\"}}", "{\"secrets\":{}}"},
        {"{\"ingress\":[{\"port\":1,\"key\":\"a\"}]}", "{\"ingress\":[{\"port\":1,\"key\":\"b\"}]}",
         "{\"ingress\":[{\"port\":1,\"key\":\"c\"}]}",
         "{\"ingress\":[{\"port\":1,\"key\":\"d\"}]}"},
        {"{\"rule\":[]}", "{\"rule\":[{\"port\":1,\"key\":\"b\"}]}", "{\"rule\":[]}",
         "{\"rule\":[{\"port\":1,\"key\":\"d\"}]}"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct observation got[2];
        for (size_t j = 0; j < 2; j++) {
            struct drift_input in = {.resource = &web,
                                     .desired = typed(&arena, &lab, pairs[i][2 * j]),
                                     .live = typed(&arena, &lab, pairs[i][2 * j + 1]),
                                     .schema = &lab.schema};
            observe(&arena, &in, &got[j]);
        }
        assert_string_equal(got[0].findings[0].fingerprint, got[1].findings[0].fingerprint);
    }
}

/* --- ignore rules --- */

static struct ignore_rule rule(struct arena *arena, const char *path, const char *value)
{
    struct ignore_rule r = {.reason = STR("known"), .expires_utc_ms = INT64_MAX};
    r.path = str_from(path);
    r.value = str_from(value);
    assert_true(path_parse(arena, r.path, &r.path_pattern, NULL));
    return r;
}

static void ignored_changes_leave_the_rest_to_count(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 8 << 20};
    struct lab lab;
    struct observation got, again;
    lab_init(&arena, &lab);
    struct ignore_rule rules[] = {rule(&arena, "size", ""), rule(&arena, "tags", "temp*")};
    struct drift_input in = {
        .resource = &web,
        .desired = typed(&arena, &lab, "{\"size\":1,\"etag\":\"1\",\"tags\":{\"a\":\"1\"}}"),
        .live = typed(&arena, &lab, "{\"size\":2,\"etag\":\"2\",\"tags\":{\"a\":\"temp 7\"}}"),
        .schema = &lab.schema,
        .stack = STR("infra/prod"),
        .ignores = rules,
        .nignores = 2,
    };
    /* All that the code can set is ignored, and the etag only follows: ignored as a whole. */
    observe(&arena, &in, &got);
    assert_string_equal(print_changes(&arena, got.findings).ptr,
                        "etag  \"1\" -> \"2\"; size ci 1 -> 2; tags.a ci \"1\" -> \"temp 7\"");
    assert_true(got.findings[0].ignored);
    assert_int_equal(got.findings[0].class_, CLASS_CONTRADICTS_CODE);
    assert_string_equal(got.findings[0].ignored_by.ptr, "known; known");

    /* What is ignored may go on changing without renewing the finding. */
    in.live = typed(&arena, &lab, "{\"size\":2,\"etag\":\"2\",\"tags\":{\"a\":\"else\"}}");
    observe(&arena, &in, &got);
    assert_false(got.findings[0].ignored);
    assert_string_equal(got.findings[0].reason.ptr,
                        "etag and tags.a were changed outside of the code");
    in.live = typed(&arena, &lab, "{\"size\":3,\"etag\":\"2\",\"tags\":{\"a\":\"else\"}}");
    observe(&arena, &in, &again);
    assert_string_equal(got.findings[0].fingerprint, again.findings[0].fingerprint);

    /* An ignored etag does not make the arn beside it ignored. */
    struct ignore_rule etag = rule(&arena, "etag", "");
    in.ignores = &etag;
    in.nignores = 1;
    in.live =
        typed(&arena, &lab, "{\"size\":1,\"arn\":\"x\",\"etag\":\"2\",\"tags\":{\"a\":\"1\"}}");
    observe(&arena, &in, &got);
    assert_false(got.findings[0].ignored);
    assert_int_equal(got.findings[0].class_, CLASS_STATE_ONLY);
    in.ignores = rules;
    in.nignores = 2;

    /* Everything ignored: the finding keeps its class and says by what. */
    in.live = typed(&arena, &lab, "{\"size\":2,\"etag\":\"1\",\"tags\":{\"a\":\"temp\"}}");
    observe(&arena, &in, &got);
    assert_true(got.findings[0].ignored);
    assert_int_equal(got.findings[0].class_, CLASS_CONTRADICTS_CODE);
    assert_string_equal(got.findings[0].ignored_by.ptr, "known; known");

    /* Another value than the one accepted counts. */
    in.live = typed(&arena, &lab, "{\"size\":2,\"etag\":\"1\",\"tags\":{\"a\":\"other\"}}");
    observe(&arena, &in, &got);
    assert_false(got.findings[0].ignored);
    assert_int_equal(got.findings[0].class_, CLASS_CONTRADICTS_CODE);
}

static void scope_and_expiry_of_ignore_rules(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 8 << 20};
    struct lab lab;
    lab_init(&arena, &lab);
    static const struct {
        const char *stack, *address, *type;
        int64_t expires;
        bool covers;
        const char *id;
    } scopes[] = {
        {"", "", "", INT64_MAX, true, "i-*"},
        {"", "", "", INT64_MAX, true, "i-1"},
        {"", "", "", INT64_MAX, false, "i-2"},
        {"", "", "", INT64_MAX, true},
        {"infra/*", "lab_web.*", "lab_*", INT64_MAX, true},
        {"infra", "", "", INT64_MAX, false},
        {"*", "", "", INT64_MAX, false}, /* one path segment */
        {"**", "", "", INT64_MAX, true},
        {"", "lab_web.b", "", INT64_MAX, false},
        {"", "", "other", INT64_MAX, false},
        {"", "", "", 1001, true},
        {"", "", "", 1000, false},
        {"", "", "", 0, false},
    };
    for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++) {
        struct observation got;
        struct ignore_rule r = rule(&arena, "", "");
        r.stack = str_from(scopes[i].stack);
        r.address = str_from(scopes[i].address);
        r.type = str_from(scopes[i].type);
        r.id = str_from(scopes[i].id);
        r.expires_utc_ms = scopes[i].expires;
        struct drift_input in = {.resource = &web,
                                 .desired = typed(&arena, &lab, "{\"id\":\"i-1\"}"),
                                 .schema = &lab.schema,
                                 .stack = STR("infra/prod"),
                                 .ignores = &r,
                                 .nignores = 1,
                                 .now_utc_ms = 1000};
        observe(&arena, &in, &got);
        assert_int_equal(got.findings[0].class_, CLASS_MISSING);
        assert_int_equal(got.findings[0].ignored, scopes[i].covers);
    }
}

static void a_rule_is_no_way_to_guess_a_secret(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 8 << 20};
    struct lab lab;
    struct observation got;
    lab_init(&arena, &lab);
    struct ignore_rule guess = rule(&arena, "password", "hush"),
                       path = rule(&arena, "password", "");
    struct drift_input in = {.resource = &web,
                             .desired = typed(&arena, &lab, "{\"password\":\"a\"}"),
                             .live = typed(&arena, &lab, "{\"password\":\"hush\"}"),
                             .schema = &lab.schema,
                             .ignores = &guess,
                             .nignores = 1};
    observe(&arena, &in, &got);
    assert_false(got.findings[0].ignored);
    in.ignores = &path;
    observe(&arena, &in, &got);
    assert_true(got.findings[0].ignored);
    /* nor an id that is one */
    const struct path_step step = {.kind = PATH_KEY, .key = STR_INIT("id")};
    const struct path secret = {&step, 1};
    struct resource resource = web;
    resource.sensitive = &secret;
    resource.nsensitive = 1;
    struct ignore_rule by_id = rule(&arena, "", "");
    by_id.id = STR("i-1");
    struct drift_input gone = {.resource = &resource,
                               .desired = typed(&arena, &lab, "{\"id\":\"i-1\"}"),
                               .ignores = &by_id,
                               .nignores = 1};
    observe(&arena, &gone, &got);
    assert_false(got.findings[0].ignored);
    /* and a rule with a path does not cover that the resource is gone */
    in.live = NULL;
    observe(&arena, &in, &got);
    assert_false(got.findings[0].ignored);
}

/* --- coverage, deposed, tainted, unchecked --- */

static void leaves_are_counted_and_those_not_observed_apart(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 8 << 20};
    struct lab lab;
    struct observation got;
    lab_init(&arena, &lab);
    const struct path_step steps[] = {{.kind = PATH_KEY, .key = STR_INIT("rule")},
                                      {.kind = PATH_ELEMENT},
                                      {.kind = PATH_KEY, .key = STR_INIT("port")}};
    const struct path blind[] = {{steps, 3}};
    struct value *v = typed(&arena, &lab, "{\"rule\":[{\"port\":1},{\"port\":2}],\"tags\":{}}");
    struct drift_input in = {.resource = &web, .desired = v, .live = v, .schema = &lab.schema};
    observe(&arena, &in, &got);
    assert_int_equal(got.attributes_compared, NATTRIBUTES + 1 + 4);
    in.not_observed = blind;
    in.nnot_observed = 1;
    observe(&arena, &in, &got);
    assert_int_equal(got.attributes_compared, NATTRIBUTES + 1 + 2);
    assert_int_equal(got.attributes_not_observed, 2);
    in.live = typed(&arena, &lab, "{\"rule\":[{\"port\":1},{\"port\":3}],\"tags\":{}}");
    observe(&arena, &in, &got);
    assert_int_equal(got.attributes_compared + got.attributes_not_observed, NATTRIBUTES + 1 + 4);
    assert_true(got.nfindings); /* never in the way of a finding */
}

static void a_deposed_object_never_contradicts_the_code(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 8 << 20};
    struct lab lab;
    struct observation got;
    lab_init(&arena, &lab);
    struct resource old = web;
    old.deposed = STR("1234abcd");
    old.tainted = true;
    struct drift_input in = {
        .resource = &old, .desired = typed(&arena, &lab, "{\"size\":1}"), .schema = &lab.schema};
    observe(&arena, &in, &got);
    assert_int_equal(got.outcome, OBSERVED_SAME);
    assert_false(got.nfindings);
    in.live = typed(&arena, &lab, "{\"size\":2}");
    observe(&arena, &in, &got);
    assert_int_equal(got.findings[0].class_, CLASS_STATE_ONLY);
    assert_true(got.findings[0].deposed && got.findings[0].tainted);
    assert_string_equal(got.findings[0].reason.ptr,
                        "size differs, on an object that the next apply destroys");
}

static void unchecked_keeps_the_reason(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct observation got;
    assert_true(drift_unchecked(&arena, &web, STR("s"), STR("AccessDenied"), &got, NULL));
    assert_int_equal(got.outcome, OBSERVED_UNCHECKED);
    assert_int_equal(got.findings[0].class_, CLASS_UNCHECKED);
    assert_string_equal(got.findings[0].reason.ptr, "AccessDenied");
    assert_int_equal((struct observation){0}.outcome, OBSERVED_UNCHECKED); /* zero is strict */
}

static bool only_size(const void *ctx, struct path path)
{
    return path.n && str_equal(path.step[0].key, *(const struct str *)ctx);
}

static void without_a_schema_somebody_else_may_know(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 8 << 20};
    struct lab lab;
    struct observation got;
    const struct str size = STR("size");
    lab_init(&arena, &lab);
    struct drift_input in = {.resource = &web,
                             .desired = typed(&arena, &lab, "{\"etag\":\"1\"}"),
                             .live = typed(&arena, &lab, "{\"etag\":\"2\"}")};
    observe(&arena, &in, &got);
    assert_int_equal(got.findings[0].class_, CLASS_CONTRADICTS_CODE);
    in.configurable = only_size;
    in.configurable_ctx = &size;
    observe(&arena, &in, &got);
    assert_int_equal(got.findings[0].class_, CLASS_STATE_ONLY);
}

/* --- properties over generated trees --- */

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void shuffle(struct value *items, size_t n, uint64_t *seed)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = random_next(seed) % i;
        struct value swap = items[i - 1];
        items[i - 1] = items[j];
        items[j] = swap;
    }
}

static struct value object_of(struct arena *arena, const char *key, struct value v)
{
    struct value_member *m = arena_new(arena, struct value_member, 1);
    *m = (struct value_member){key_make(arena, str_from(key)), v};
    return (struct value){.kind = VALUE_OBJECT, .len = 1, .members = m};
}

/* names: n strings, the first `changed` of them other ones; shuffled */
static struct value *shuffled(struct arena *arena, enum value_kind kind, size_t n, size_t changed,
                              uint64_t *seed)
{
    struct value *items = arena_new(arena, struct value, n), *v = arena_new(arena, struct value, 1);
    for (size_t i = 0; i < n; i++)
        items[i] = value_string(arena_printf(arena, "%s%zu", i < changed ? "other" : "name", i));
    if (kind == VALUE_SET)
        n = value_set_normalise(items, n);
    else
        shuffle(items, n, seed);
    *v = object_of(arena, "names", value_items(kind, items, n));
    return v;
}

static void reordering_never_moves_a_fingerprint(void **state)
{
    (void)state;
    uint64_t seed = 88172645463325252u;
    for (int round = 0; round < 200; round++) {
        AUTO_ARENA arena = {.limit = 32 << 20};
        char first[33] = "";
        enum value_kind kind = round % 2 ? VALUE_SET : VALUE_LIST;
        size_t n = 1 + random_next(&seed) % 30, changed = 1 + random_next(&seed) % n;
        for (int order = 0; order < 4; order++) {
            struct observation got;
            struct drift_input in = {.resource = &web,
                                     .desired = shuffled(&arena, kind, n, 0, &seed),
                                     .live = shuffled(&arena, kind, n, changed, &seed)};
            observe(&arena, &in, &got);
            assert_true(got.nfindings);
            if (order)
                assert_string_equal(got.findings[0].fingerprint, first);
            memcpy(first, got.findings[0].fingerprint, 33);
        }
    }
}

static struct value grow(struct arena *arena, unsigned depth, uint64_t *seed)
{
    uint64_t r = random_next(seed);
    if (depth == 0 || r % 4 == 0)
        return r % 3 ? value_int((int64_t)(r % 5))
                     : value_string(arena_printf(arena, "s%d", (int)(r % 7)));
    size_t n = r / 8 % 4;
    struct value *items = arena_new(arena, struct value, n);
    for (size_t i = 0; i < n; i++)
        items[i] = grow(arena, depth - 1, seed);
    if (r % 4 == 1)
        return value_items(VALUE_LIST, items, n);
    if (r % 4 == 2)
        return value_items(VALUE_SET, items, value_set_normalise(items, n));
    struct value_member *members = arena_new(arena, struct value_member, n);
    for (size_t i = 0; i < n; i++)
        members[i] =
            (struct value_member){key_make(arena, arena_printf(arena, "k%zu", i)), items[i]};
    return (struct value){.kind = VALUE_OBJECT, .len = (uint32_t)n, .members = n ? members : NULL};
}

static void the_same_is_the_same_and_the_other_is_not(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int round = 0; round < 2000; round++) {
        AUTO_ARENA arena = {.limit = 32 << 20};
        struct observation got, swapped;
        struct value a = object_of(&arena, "v", grow(&arena, 5, &seed));
        struct value b = object_of(&arena, "v", grow(&arena, 5, &seed)), copy;
        assert_true(value_copy(&arena, &a, &copy, NULL));
        struct drift_input in = {.resource = &web, .desired = &a, .live = &copy};
        size_t used = arena.used;
        observe(&arena, &in, &got);
        assert_int_equal(got.outcome, OBSERVED_SAME);
        assert_int_equal(arena.used, used); /* quick: nothing was allocated */
        in.live = &b;
        observe(&arena, &in, &got);
        assert_int_equal(got.outcome, value_equal(&a, &b) ? OBSERVED_SAME : OBSERVED_DIFFERENT);
        in.desired = &b;
        in.live = &a;
        observe(&arena, &in, &swapped);
        assert_int_equal(got.outcome, swapped.outcome);
    }
}

static struct value *nested(struct arena *arena, size_t depth, int64_t leaf)
{
    struct value *v = arena_new(arena, struct value, depth + 1);
    v[0] = value_int(leaf);
    for (size_t i = 1; i <= depth; i++)
        v[i] = i == depth ? object_of(arena, "v", v[i - 1]) : value_items(VALUE_LIST, &v[i - 1], 1);
    return &v[depth];
}

static void deep_and_huge_trees_are_answered(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 30};
    struct observation got;
    struct drift_input in = {
        .resource = &web, .desired = nested(&arena, 999, 1), .live = nested(&arena, 999, 2)};
    observe(&arena, &in, &got);
    assert_int_equal(got.findings[0].class_, CLASS_CONTRADICTS_CODE);
    assert_int_equal(got.findings[0].nchanges, 1);

    enum { N = 150000 }; /* more differences than are listed one by one */
    uint64_t seed = 3;
    struct value *members[2];
    for (int side = 0; side < 2; side++) {
        struct value_member *m = arena_new(&arena, struct value_member, N);
        members[side] = arena_new(&arena, struct value, 1);
        for (int i = 0; i < N; i++) {
            m[i].key = key_make(&arena, arena_printf(&arena, "k%06d", i));
            m[i].value = value_int(side ? (int64_t)random_next(&seed) : -1);
        }
        *members[side] =
            object_of(&arena, "v", (struct value){.kind = VALUE_MAP, .len = N, .members = m});
    }
    in.desired = members[0];
    in.live = members[1];
    observe(&arena, &in, &got);
    assert_int_equal(got.findings[0].nchanges, 1);
    assert_string_equal(got.findings[0].changes[0].path.ptr, "v");
    assert_int_equal(got.attributes_compared, N);
}

static void a_full_arena_is_an_error_with_nothing_returned(void **state)
{
    (void)state;
    AUTO_ARENA big = {.limit = 8 << 20};
    struct lab lab;
    lab_init(&big, &lab);
    struct drift_input in = {.resource = &web,
                             .desired = typed(&big, &lab, "{\"size\":1,\"password\":\"a\"}"),
                             .live = typed(&big, &lab, "{\"size\":2,\"password\":\"b\"}"),
                             .schema = &lab.schema};
    bool whole = false;
    for (size_t limit = 0; limit < 100000 && !whole; limit += 16) {
        AUTO_ARENA arena = {.limit = limit};
        struct observation got = {.attributes_compared = 77};
        struct err err = {0};
        whole = drift_observe(&arena, &in, &got, &err);
        if (!whole) {
            assert_int_equal(err.kind, ERR_LIMIT);
            assert_int_equal(got.attributes_compared, 77);
        }
    }
    assert_true(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case_has_its_class_changes_and_sentence),
        cmocka_unit_test(secrets_of_the_state_count_too),
        cmocka_unit_test(a_secret_has_no_part_in_a_fingerprint),
        cmocka_unit_test(ignored_changes_leave_the_rest_to_count),
        cmocka_unit_test(scope_and_expiry_of_ignore_rules),
        cmocka_unit_test(a_rule_is_no_way_to_guess_a_secret),
        cmocka_unit_test(leaves_are_counted_and_those_not_observed_apart),
        cmocka_unit_test(a_deposed_object_never_contradicts_the_code),
        cmocka_unit_test(unchecked_keeps_the_reason),
        cmocka_unit_test(without_a_schema_somebody_else_may_know),
        cmocka_unit_test(reordering_never_moves_a_fingerprint),
        cmocka_unit_test(the_same_is_the_same_and_the_other_is_not),
        cmocka_unit_test(deep_and_huge_trees_are_answered),
        cmocka_unit_test(a_full_arena_is_an_error_with_nothing_returned),
    };
    return cmocka_run_group_tests_name("drift/compare", tests, NULL, NULL);
}

/* test_against.c - live against the code: what is drift, what was not applied, what was accepted;
 * and lenient_plan() in the place of a provider. */
#include "base/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "desired/ignore_changes.h"
#include "drift/drift.h"
#include "drift/lenient.h"
#include "drift/sensitive.h"
#include "drift/settle.h"
#include "wire/json.h"

static const struct type list_of_string = {.kind = TYPE_LIST, .elem = &type_string};
static const struct type map_of_string = {.kind = TYPE_MAP, .elem = &type_string};

static const struct schema_attribute rule_attributes[] = {
    {.name = STR_INIT("id"), .type = &type_string, .computed = true},
    {.name = STR_INIT("port"), .type = &type_string, .required = true},
};
static const struct schema_attribute attributes[] = {
    {.name = STR_INIT("etag"), .type = &type_string, .computed = true},
    {.name = STR_INIT("names"), .type = &list_of_string, .optional = true},
    {.name = STR_INIT("password"), .type = &type_string, .optional = true, .sensitive = true},
    {.name = STR_INIT("size"), .type = &type_string, .optional = true, .computed = true},
    {.name = STR_INIT("tags"), .type = &map_of_string, .optional = true},
    {.name = STR_INIT("text"), .type = &type_string, .optional = true},
};
struct lab {
    struct schema_block rule;
    struct schema_nested_block blocks[2];
    struct schema schema;
};

static void lab_init(struct arena *arena, struct lab *lab)
{
    lab->rule = (struct schema_block){.attributes = rule_attributes, .nattributes = 2};
    assert_true(schema_imply_type(arena, &lab->rule));
    lab->blocks[0] = (struct schema_nested_block){STR("disk"), NESTING_LIST, &lab->rule, 0, 0};
    lab->blocks[1] = (struct schema_nested_block){STR("rule"), NESTING_SET, &lab->rule, 0, 0};
    lab->schema = (struct schema){
        .block = {.attributes = attributes, .nattributes = 6, .blocks = lab->blocks, .nblocks = 2}};
    assert_true(schema_imply_type(arena, &lab->schema.block));
}

/* "?" is unknown, "!x" is the secret x. */
static void replace_marked(struct value *v)
{
    struct str text = v->kind == VALUE_STRING ? value_text(v) : STR("");
    if (str_equal(text, STR("?")))
        *v = value_unknown(NULL);
    if (text.len && text.ptr[0] == '!') {
        *v = value_string(str_sub(text, 1, text.len));
        v->marks = VALUE_SENSITIVE;
    }
    for (uint32_t i = 0; value_is_list_like(v) && i < v->len; i++)
        replace_marked((struct value *)(uintptr_t)&v->items[i]);
    for (uint32_t i = 0; value_is_object_like(v) && i < v->len; i++)
        replace_marked((struct value *)(uintptr_t)&v->members[i].value);
}

static struct value *value_of(struct arena *arena, const struct lab *lab, const char *json)
{
    struct value raw, *v = arena_new(arena, struct value, 1);
    struct err err = {0};
    if (!json)
        return NULL;
    if (!json_parse(arena, str_from(json), "case", JSON_DEFAULT, &raw, &err) ||
        !type_apply(arena, lab ? lab->schema.block.type : &type_dynamic, &raw, false, v, &err))
        fail_msg("%s: %s", json, err.frame[0]);
    replace_marked(v);
    return v;
}

static const struct resource web = {.address = STR_INIT("lab_web.a"), .type = STR_INIT("lab_web")};

static void print_side(struct buf *out, const struct value *v)
{
    struct jsonw w = {.out = out};
    if (v && v->kind == VALUE_UNKNOWN)
        buf_char(out, '?');
    else if (v)
        jsonw_value(&w, v);
    else
        buf_char(out, '-');
}

/* "class(path before -> after, path *)" per finding; i = ignored, r = an apply would replace it. */
static struct str print(struct arena *arena, const struct observation *got)
{
    AUTO_BUF out = {.limit = 1 << 20};
    for (size_t i = 0; i < got->nfindings; i++) {
        const struct finding *finding = &got->findings[i];
        buf_printf(&out, "%s%s%s%s(", i ? " " : "", finding_class_name(finding->class_),
                   finding->ignored ? " i" : "", finding->requires_replace ? " r" : "");
        for (size_t j = 0; j < finding->nchanges; j++) {
            const struct change *change = &finding->changes[j];
            buf_printf(&out, "%s%.*s ", j ? ", " : "", STR_ARG(change->path));
            if (change->sensitive) {
                buf_char(&out, '*');
                continue;
            }
            print_side(&out, change->before);
            buf_str(&out, STR(" -> "));
            print_side(&out, change->after);
        }
        buf_char(&out, ')');
    }
    return arena_dup(arena, buf_view(&out));
}

static const struct {
    const char *says, *state, *live, *planned, *planned_state; /* the latter NULL: the same */
    const char *want;
} cases[] = {
    {"nothing", "{\"text\":\"a\"}", "{\"text\":\"a\"}", "{\"text\":\"a\"}", NULL, ""},
    {"drift that goes back", "{\"text\":\"a\"}", "{\"text\":\"b\"}", "{\"text\":\"a\"}",
     "{\"text\":\"a\"}", "contradicts-code(text \"a\" -> \"b\")"},
    {"the code is ahead", "{\"text\":\"a\"}", "{\"text\":\"a\"}", "{\"text\":\"c\"}", NULL,
     "unapplied(text \"c\" -> \"a\")"},
    {"drift, and the code is ahead there", "{\"text\":\"a\"}", "{\"text\":\"b\"}",
     "{\"text\":\"c\"}", "{\"text\":\"c\"}", "contradicts-code(text \"c\" -> \"b\")"},
    {"drift to what the code says by now", "{\"text\":\"a\"}", "{\"text\":\"c\"}",
     "{\"text\":\"c\"}", "{\"text\":\"c\"}", "state-only(text \"a\" -> \"c\")"},
    {"drift that stays", "{\"size\":\"1\"}", "{\"size\":\"2\"}", "{\"size\":\"2\"}",
     "{\"size\":\"1\"}", "state-only(size \"1\" -> \"2\")"},
    {"both, at two places", "{\"size\":\"1\",\"text\":\"a\"}", "{\"size\":\"2\",\"text\":\"a\"}",
     "{\"size\":\"1\",\"text\":\"c\"}", "{\"size\":\"1\",\"text\":\"c\"}",
     "contradicts-code(size \"1\" -> \"2\") unapplied(text \"c\" -> \"a\")"},
    {"computed anew says nothing", "{\"text\":\"a\",\"etag\":\"1\"}",
     "{\"text\":\"b\",\"etag\":\"2\"}", "{\"text\":\"a\",\"etag\":\"?\"}",
     "{\"text\":\"a\",\"etag\":\"1\"}",
     "contradicts-code(text \"a\" -> \"b\", etag \"1\" -> \"2\")"},
    {"a computed one alone", "{\"text\":\"a\",\"etag\":\"1\"}", "{\"text\":\"a\",\"etag\":\"2\"}",
     "{\"text\":\"a\",\"etag\":\"2\"}", "{\"text\":\"a\",\"etag\":\"1\"}",
     "state-only(etag \"1\" -> \"2\")"},
    {"a consequence of drift is drift", "{\"text\":\"a\",\"size\":\"1\"}",
     "{\"text\":\"b\",\"size\":\"1\"}", "{\"text\":\"b\",\"size\":\"2\"}",
     "{\"text\":\"a\",\"size\":\"1\"}",
     "contradicts-code(size \"2\" -> \"1\") state-only(text \"a\" -> \"b\")"},
    {"keys of a map are places", "{\"tags\":{\"a\":\"1\"}}", "{\"tags\":{\"a\":\"1\",\"x\":\"1\"}}",
     "{\"tags\":{\"a\":\"1\",\"n\":\"1\"}}", "{\"tags\":{\"a\":\"1\",\"n\":\"1\"}}",
     "contradicts-code(tags.x - -> \"1\") unapplied(tags.n \"1\" -> -)"},
    {"a list element that was put there", "{\"names\":[\"a\"]}", "{\"names\":[\"a\",\"x\"]}",
     "{\"names\":[\"a\"]}", "{\"names\":[\"a\"]}", "contradicts-code(names[1] - -> \"x\")"},
    {"one that the code put there", "{\"names\":[\"a\"]}", "{\"names\":[\"a\",\"x\"]}",
     "{\"names\":[\"n\",\"a\",\"x\"]}", "{\"names\":[\"n\",\"a\",\"x\"]}",
     "unapplied(names[0] \"n\" -> -)"},
    {"elements of a set", "{\"rule\":[{\"port\":\"1\"},{\"port\":\"2\"}]}",
     "{\"rule\":[{\"port\":\"1\"},{\"port\":\"9\"}]}",
     "{\"rule\":[{\"port\":\"2\"},{\"port\":\"3\"}]}",
     "{\"rule\":[{\"port\":\"2\"},{\"port\":\"3\"}]}",
     "contradicts-code(rule[*] {\"id\":null,\"port\":\"2\"} -> -, rule[*] - -> "
     "{\"id\":null,\"port\":\"9\"}) unapplied(rule[*] - -> {\"id\":null,\"port\":\"1\"}, rule[*] "
     "{\"id\":null,\"port\":\"3\"} -> -)"},
    {"unknown in a set element", "{\"text\":\"a\",\"rule\":[{\"id\":\"r1\",\"port\":\"1\"}]}",
     "{\"text\":\"b\",\"rule\":[{\"id\":\"r1\",\"port\":\"1\"}]}",
     "{\"text\":\"a\",\"rule\":[{\"id\":\"?\",\"port\":\"1\"}]}",
     "{\"text\":\"a\",\"rule\":[{\"id\":\"r1\",\"port\":\"1\"}]}",
     "contradicts-code(text \"a\" -> \"b\")"},
    {"inside of a block", "{\"disk\":[{\"port\":\"1\"},{\"port\":\"2\"}]}",
     "{\"disk\":[{\"port\":\"1\"},{\"port\":\"5\"}]}",
     "{\"disk\":[{\"port\":\"3\"},{\"port\":\"2\"}]}",
     "{\"disk\":[{\"port\":\"3\"},{\"port\":\"2\"}]}",
     "contradicts-code(disk[1].port \"2\" -> \"5\") unapplied(disk[0].port \"3\" -> \"1\")"},
    {"a secret", "{\"password\":\"a\"}", "{\"password\":\"b\"}", "{\"password\":\"a\"}",
     "{\"password\":\"a\"}", "contradicts-code(password *)"},
    {"never recorded", NULL, "{\"text\":\"b\"}", "{\"text\":\"a\"}", NULL,
     "contradicts-code(text \"a\" -> \"b\")"},
};

static void every_difference_has_its_class(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 16 << 20};
        struct lab lab;
        struct observation got;
        struct value none = value_null();
        lab_init(&arena, &lab);
        struct value *recorded = value_of(&arena, &lab, cases[i].state);
        struct drift_code code = {.from_live = value_of(&arena, &lab, cases[i].planned),
                                  .from_state = value_of(&arena, &lab, cases[i].planned_state)};
        struct drift_input in = {.resource = &web,
                                 .desired = recorded ? recorded : &none,
                                 .live = value_of(&arena, &lab, cases[i].live),
                                 .code = &code,
                                 .schema = &lab.schema,
                                 .stack = STR("s")};
        print_message("  %s\n", cases[i].says);
        assert_true(drift_observe(&arena, &in, &got, NULL));
        assert_string_equal(print(&arena, &got).ptr, cases[i].want);
        assert_int_equal(got.outcome, got.nfindings ? OBSERVED_DIFFERENT : OBSERVED_SAME);
        for (size_t j = 0; j < got.nfindings; j++)
            assert_int_equal(strlen(got.findings[j].fingerprint), 32);
    }
}

/* --- ignore_changes --- */

static const bool plain[] = {false};

static void what_the_authors_accept_is_ignored_with_its_place(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 16 << 20};
    struct lab lab;
    struct observation got;
    lab_init(&arena, &lab);
    const struct path_step step = {.kind = PATH_KEY, .key = STR("size")};
    const struct ignored_path at = {{&step, 1}, plain};
    struct ignore_changes ignored = {
        .paths = &at, .n = 1, .reason = STR("ignore_changes at main.tf:7")};
    struct value *live = value_of(&arena, &lab, "{\"size\":\"5\",\"text\":\"b\"}");
    struct drift_code code = {
        .from_live = value_of(&arena, &lab, "{\"size\":\"5\",\"text\":\"a\"}"),
        .from_state = value_of(&arena, &lab, "{\"size\":\"4\",\"text\":\"a\"}"),
        .config = value_of(&arena, &lab, "{\"size\":\"2\",\"text\":\"a\"}"),
        .asked = value_of(&arena, &lab, "{\"size\":\"5\",\"text\":\"a\"}"),
        .ignored = &ignored,
    };
    struct drift_input in = {.resource = &web,
                             .desired = value_of(&arena, &lab, "{\"size\":\"4\",\"text\":\"a\"}"),
                             .live = live,
                             .code = &code,
                             .schema = &lab.schema};
    assert_true(drift_observe(&arena, &in, &got, NULL));
    assert_string_equal(
        print(&arena, &got).ptr,
        "contradicts-code(text \"a\" -> \"b\") contradicts-code i(size \"2\" -> \"5\")");
    assert_string_equal(got.findings[1].ignored_by.ptr, "ignore_changes at main.tf:7");
    assert_string_equal(got.findings[1].changes[0].ignored_by.ptr, "ignore_changes at main.tf:7");

    /* the code says nothing there: only what changed since is told, from what it was */
    code.config = value_of(&arena, &lab, "{\"text\":\"a\"}");
    assert_true(drift_observe(&arena, &in, &got, NULL));
    assert_string_equal(
        print(&arena, &got).ptr,
        "contradicts-code(text \"a\" -> \"b\") contradicts-code i(size \"4\" -> \"5\")");
    in.desired = live;
    assert_true(drift_observe(&arena, &in, &got, NULL));
    assert_string_equal(print(&arena, &got).ptr, "unapplied(text \"a\" -> \"b\")");

    /* a legacy provider that changes it in spite of that */
    code.legacy = true;
    code.from_live = value_of(&arena, &lab, "{\"size\":\"9\",\"text\":\"b\"}");
    assert_true(drift_observe(&arena, &in, &got, NULL));
    assert_string_equal(print(&arena, &got).ptr, "");
}

/* --- the whole of it --- */

static void what_an_apply_does_to_the_whole_is_unapplied(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 16 << 20};
    struct lab lab;
    struct observation got;
    lab_init(&arena, &lab);
    struct value *a = value_of(&arena, &lab, "{\"text\":\"a\"}");
    struct value *b = value_of(&arena, &lab, "{\"text\":\"b\"}");
    struct drift_code code = {.absent = true, .because = STR("an apply would destroy it")};
    struct drift_input in = {
        .resource = &web, .desired = a, .live = b, .code = &code, .schema = &lab.schema};
    assert_true(drift_observe(&arena, &in, &got, NULL));
    assert_string_equal(print(&arena, &got).ptr, "state-only(text \"a\" -> \"b\") unapplied()");
    assert_string_equal(got.findings[1].reason.ptr, "an apply would destroy it");

    in.live = NULL; /* gone already: what the code asks for */
    assert_true(drift_observe(&arena, &in, &got, NULL));
    assert_string_equal(print(&arena, &got).ptr, "state-only()");
    assert_int_equal(got.outcome, OBSERVED_MISSING);

    code = (struct drift_code){.from_live = b, .pending = true, .because = STR("it is tainted")};
    in.live = b;
    in.desired = b;
    assert_true(drift_observe(&arena, &in, &got, NULL));
    assert_string_equal(print(&arena, &got).ptr, "unapplied()");

    code = (struct drift_code){.from_live = a, .importing = true};
    struct value none = value_null();
    in.desired = &none;
    assert_true(drift_observe(&arena, &in, &got, NULL));
    assert_string_equal(print(&arena, &got).ptr, "unapplied(text \"a\" -> \"b\")");

    code = (struct drift_code){.because = STR("in the code but never created")};
    assert_true(drift_uncreated(&arena, &in, &got, NULL));
    assert_string_equal(print(&arena, &got).ptr, "unapplied()");
}

static void a_replacement_is_told(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 16 << 20};
    struct lab lab;
    struct observation got;
    lab_init(&arena, &lab);
    const struct path_step step = {.kind = PATH_KEY, .key = STR("text")};
    const struct path replace = {&step, 1};
    struct value *a = value_of(&arena, &lab, "{\"text\":\"a\",\"size\":\"1\"}");
    struct drift_code code = {
        .from_live = a, .from_state = a, .requires_replace = &replace, .nrequires_replace = 1};
    struct drift_input in = {.resource = &web,
                             .desired = a,
                             .live = value_of(&arena, &lab, "{\"text\":\"b\",\"size\":\"2\"}"),
                             .code = &code,
                             .schema = &lab.schema};
    assert_true(drift_observe(&arena, &in, &got, NULL));
    assert_string_equal(print(&arena, &got).ptr,
                        "contradicts-code r(size \"1\" -> \"2\", text \"a\" -> \"b\")");
    assert_false(got.findings[0].changes[0].requires_replace);
    assert_true(got.findings[0].changes[1].requires_replace);
    assert_string_equal(got.findings[0].reason.ptr,
                        "size and text were changed outside of the code; an apply would replace "
                        "the resource");
}

/* What a variable of the code makes secret is nowhere in what the provider answers. */
static void secrets_of_the_code_are_kept(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 16 << 20};
    struct lab lab;
    struct observation got;
    lab_init(&arena, &lab);
    struct drift_code code = {.from_live = value_of(&arena, &lab, "{\"tags\":{\"k\":\"hush\"}}")};
    struct value *config = value_of(&arena, &lab, "{\"tags\":{\"k\":\"!hush\",\"o\":\"x\"}}");
    assert_true(sensitive_places(&arena, config, &code.sensitive, &code.nsensitive, NULL));
    assert_int_equal(code.nsensitive, 1);
    struct value *live = value_of(&arena, &lab, "{\"tags\":{\"k\":\"loud\"}}");
    struct drift_input in = {
        .resource = &web, .desired = live, .live = live, .code = &code, .schema = &lab.schema};
    assert_true(drift_observe(&arena, &in, &got, NULL));
    assert_string_equal(print(&arena, &got).ptr, "unapplied(tags.k *)");
}

/* --- without a provider --- */

static const struct {
    const char *prior, *config, *want; /* NULL = prior as it is */
} laid[] = {
    {"{\"a\":\"5\"}", "{\"a\":5}", NULL},
    {"{\"a\":\"true\"}", "{\"a\":true}", NULL},
    {"{\"a\":1,\"b\":2}", "{\"a\":1}", NULL},
    {"{\"a\":1,\"b\":2}", "{\"a\":\"?\",\"b\":null}", NULL},
    {"{\"a\":1}", "{\"a\":2,\"unheard\":1}", "{\"a\":2}"},
    {"{\"a\":{\"x\":\"1\",\"y\":null}}", "{\"a\":{\"x\":1}}", NULL},
    {"{\"a\":{\"x\":\"1\",\"y\":\"2\"}}", "{\"a\":{\"x\":1}}", "{\"a\":{\"x\":\"1\"}}"},
    {"{\"a\":[\"x\",\"y\"]}", "{\"a\":[\"y\",\"x\"]}", NULL},
    {"{\"a\":[\"x\",\"x\"]}", "{\"a\":[\"y\",\"x\"]}", "{\"a\":[\"y\",\"x\"]}"},
    {"{\"a\":[{\"p\":\"1\",\"id\":\"r\"}]}", "{\"a\":[{\"p\":1}]}", NULL},
    {"{\"a\":[{\"p\":\"1\",\"id\":\"r\"}]}", "{\"a\":[{\"p\":2}]}",
     "{\"a\":[{\"p\":2,\"id\":\"r\"}]}"},
    {"{\"a\":{\"p\":\"1\",\"id\":\"r\"}}", "{\"a\":[{\"p\":1}]}", NULL},
    {"{\"a\":[{\"p\":\"1\",\"id\":\"r\"}]}", "{\"a\":{\"p\":3}}",
     "{\"a\":[{\"p\":3,\"id\":\"r\"}]}"},
    {"{\"a\":null}", "{\"a\":[]}", NULL},
    {"{\"a\":[\"x\"]}", "{\"a\":[]}", "{\"a\":[]}"},
    {"{\"a\":null}", "{\"a\":[\"x\"]}", "{\"a\":[\"x\"]}"},
};

static void a_configuration_is_laid_over_what_is_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof laid / sizeof *laid; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct value *prior = value_of(&arena, NULL, laid[i].prior), got;
        struct value *config = value_of(&arena, NULL, laid[i].config);
        print_message("  %s over %s\n", laid[i].config, laid[i].prior);
        assert_true(lenient_plan(&arena, prior, config, &got, NULL));
        assert_true(
            value_equal(&got, value_of(&arena, NULL, laid[i].want ? laid[i].want : laid[i].prior)));
    }
}

static void what_is_not_known_is_as_it_is(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct lab lab;
    struct value got;
    lab_init(&arena, &lab);
    struct value *now =
        value_of(&arena, &lab,
                 "{\"etag\":\"1\",\"rule\":[{\"id\":\"a\",\"port\":\"1\"},{\"id\":"
                 "\"b\",\"port\":\"2\"}],\"disk\":[{\"id\":\"d\",\"port\":\"1\"}]}");
    struct value *plan = value_of(&arena, &lab,
                                  "{\"etag\":\"?\",\"rule\":[{\"id\":\"?\",\"port\":\"2\"},{\"id\":"
                                  "\"?\",\"port\":\"3\"}],\"disk\":[{\"id\":\"?\",\"port\":\"7\"},{"
                                  "\"id\":\"?\",\"port\":\"8\"}]}");
    assert_true(settle_unknown(&arena, plan, now, &got, NULL));
    assert_true(str_equal(value_get_string(&got, STR("etag")), STR("1")));
    const struct value *disk = value_get(&got, STR("disk"));
    assert_true(str_equal(value_get_string(&disk->items[0], STR("id")), STR("d")));
    assert_int_equal(value_get(&disk->items[1], STR("id"))->kind, VALUE_UNKNOWN);
    const struct value *rule = value_get(&got, STR("rule"));
    unsigned known = 0;
    for (uint32_t i = 0; i < rule->len; i++)
        known += str_equal(value_get_string(&rule->items[i], STR("id")), STR("b"));
    assert_int_equal(known, 1);
    assert_int_equal(rule->len, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_difference_has_its_class),
        cmocka_unit_test(what_the_authors_accept_is_ignored_with_its_place),
        cmocka_unit_test(what_an_apply_does_to_the_whole_is_unapplied),
        cmocka_unit_test(a_replacement_is_told),
        cmocka_unit_test(secrets_of_the_code_are_kept),
        cmocka_unit_test(a_configuration_is_laid_over_what_is_there),
        cmocka_unit_test(what_is_not_known_is_as_it_is),
    };
    return cmocka_run_group_tests_name("drift/against", tests, NULL, NULL);
}

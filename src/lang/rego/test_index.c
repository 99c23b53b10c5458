/* test_index.c - indexing changes nothing but time: generated modules evaluated with and without.
 */
#include "base/test.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "lang/rego/rego.h"
#include "wire/json.h"

enum { LIMIT = 256 << 20, MODULES = 300, ELEMENTS = 40 };

struct dice {
    uint64_t state;
};
static unsigned roll(struct dice *d, unsigned sides)
{
    d->state = d->state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(d->state >> 33) % sides;
}

static const char *const constants[] = {"\"a\"", "\"b\"", "\"c\"", "1",    "1.0",
                                        "2",     "true",  "false", "null", "[1]",
                                        "{}",    "\"\"",  "\"d\"", "{1}",  "{\"k\": 1}"};
static const char *const json_constants[] = {"\"a\"", "\"b\"", "\"c\"", "1",    "1.0",
                                             "2",     "true",  "false", "null", "[1]",
                                             "{}",    "\"\"",  "\"d\"", "1e0",  "{\"k\": 1}"};
static const char *const fields[] = {"kind", "name", "meta.kind", "meta.size", "none"};
enum { CONSTANTS = sizeof constants / sizeof *constants, FIELDS = sizeof fields / sizeof *fields };

static const char *constant(struct dice *d)
{
    return constants[roll(d, CONSTANTS)];
}
static const char *field(struct dice *d)
{
    return fields[roll(d, FIELDS)];
}

static void plain_condition(struct buf *out, struct dice *d)
{
    const char *f = field(d), *c = constant(d);
    switch (roll(d, 5)) {
    case 0:
        buf_printf(out, "\t%s == input.%s\n", c, f);
        break;
    case 1:
        buf_printf(out, "\tinput.%s != %s\n", f, c);
        break;
    case 2:
        buf_printf(out, "\tnot input.%s == %s\n", f, c);
        break;
    case 3:
        buf_printf(out, "\tinput.%s in {%s}\n", f, c);
        break;
    default:
        buf_printf(out, "\tinput.%s == %s\n", f, c);
        break;
    }
}

/* Binds x to elements of the input. */
static void element_condition(struct buf *out, struct dice *d)
{
    const char *f = field(d), *c = constant(d), *other = constant(d);
    switch (roll(d, 9)) {
    case 0:
        buf_printf(out, "\tsome i, x in input.items\n\tx.%s == %s\n\ti != 3\n", f, c);
        break;
    case 1:
        buf_printf(out, "\tsome x in input.items\n\tx.%s in {%s, %s}\n", f, c, other);
        break;
    case 2:
        buf_printf(out, "\tinput.items[j].%s == %s\n\tx := input.items[j]\n", f, c);
        break;
    case 3:
        buf_printf(out, "\tx := input.byname[_]\n\t%s == x.%s\n", c, f);
        break;
    case 4:
        buf_printf(out, "\tsome x in input.items\n\tsome y in input.items\n\ty.%s == x.name\n", f);
        break;
    case 5:
        buf_printf(out, "\tsome x in input.items\n\tx.%s in [%s, %s, %s]\n", f, c, other, c);
        break;
    case 6:
        buf_printf(out, "\tsome x in input.items\n\tnot x.%s == %s\n\tx.%s == %s\n", f, c, field(d),
                   other);
        break;
    case 7:
        buf_printf(out, "\tsome x in input.items\n\tyes := x.%s in {%s}\n\tyes != 1\n", f, c);
        break;
    default:
        buf_printf(out, "\tsome x in input.items\n\tx.%s == %s\n", f, c);
        break;
    }
}

static void rule(struct buf *out, struct dice *d)
{
    const char *c = constant(d);
    bool element = false, chain = false;
    switch (roll(d, 6)) {
    case 0:
        chain = roll(d, 5) == 0;
        buf_str(out, STR("p := 1 if {\n"));
        break;
    case 1:
        buf_printf(out, "f(%s, y) := y if {\n", c);
        break;
    case 2:
        buf_printf(out, "g(x, %s) if {\n\tx != 7\n", c);
        break;
    case 3:
        element = true;
        buf_str(out, STR("s contains x.name if {\n"));
        break;
    case 4:
        element = true;
        buf_str(out, STR("o[x.name] contains count(x) if {\n"));
        break;
    default:
        buf_printf(out, "q := %s if {\n", c);
        break;
    }
    if (element)
        element_condition(out, d);
    for (unsigned i = roll(d, 3) + !element; i > 0; i--)
        plain_condition(out, d);
    buf_str(out, chain ? STR("} else := 2 if input.kind == \"a\"\n") : STR("}\n"));
}

static void module(struct buf *out, struct dice *d)
{
    buf_str(out, STR("package t\n\nimport rego.v1\n\n"));
    for (unsigned i = 0; i < 40; i++)
        rule(out, d);
    for (unsigned i = 0; i < 3; i++)
        buf_printf(out, "l%u := [x | some x in input.items; x.%s == %s]\n", i, field(d),
                   constant(d));
    buf_str(out, STR("s contains 0 if false\no[0] contains 0 if false\np := 1 if false\n"
                     "q := 1 if false\nf(0, 0) := 0 if false\ng(0, 0) if false\n"));
    buf_str(out, STR("fs := [v | some a in [\"a\", \"b\", 1, 2, null, [1]]; v := f(a, a)]\n"
                     "gs := [a | some a in [\"a\", \"b\", 1, 2, null, [1]]; g(a, a)]\n"));
}

static void element(struct buf *out, struct dice *d, unsigned i)
{
    buf_str(out, STR("{"));
    if (roll(d, 8))
        buf_printf(out, "\"kind\": %s, ", json_constants[roll(d, CONSTANTS)]);
    if (roll(d, 8))
        buf_printf(out, "\"meta\": {\"kind\": %s, \"size\": %u}, ",
                   json_constants[roll(d, CONSTANTS)], roll(d, 3));
    buf_printf(out, "\"name\": %s, \"id\": %u}", json_constants[roll(d, CONSTANTS)], i);
}

static void document(struct buf *out, struct dice *d)
{
    buf_printf(out, "{\"kind\": %s, \"name\": %s, \"meta\": {\"kind\": %s}, \"items\": [",
               json_constants[roll(d, CONSTANTS)], json_constants[roll(d, CONSTANTS)],
               json_constants[roll(d, CONSTANTS)]);
    for (unsigned i = 0; i < ELEMENTS; i++) {
        buf_str(out, i ? STR(", ") : STR(""));
        element(out, d, i);
    }
    buf_str(out, STR("], \"byname\": {"));
    for (unsigned i = 0; i < ELEMENTS; i++) {
        buf_printf(out, "%s\"n%u\": ", i ? ", " : "", i);
        element(out, d, i);
    }
    buf_str(out, STR("}}"));
}

/* The document of the package, or the error that there is instead. */
static void evaluate(struct str text, const struct value *input, bool unindexed, struct buf *out)
{
    static const char *const queries[] = {"data.t.p",  "data.t.q",  "data.t.s",  "data.t.o",
                                          "data.t.fs", "data.t.gs", "data.t.l0", "data.t.l1",
                                          "data.t.l2", "data.t"};
    AUTO_ARENA arena = {.limit = LIMIT};
    const struct rego_source source = {.file = STR("t.rego"), .text = text};
    const struct rego_compile_options how = {.unindexed = unindexed};
    struct rego_diags diags = {.arena = &arena};
    struct rego_policy *policy;
    struct err err = {0};
    if (!rego_compile(&source, 1, NULL, &how, &diags, &policy, &err))
        fail_msg("%.*s\n%.*s at row %u", STR_ARG(text), (int)diags.diag[0].message.len,
                 diags.diag[0].message.ptr, diags.diag[0].row);
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        struct rego_query *query;
        struct rego_result result;
        assert_true(rego_prepare(policy, str_from(queries[i]), &diags, &query, &err));
        assert_true(rego_eval(query, input, &(struct rego_eval_options){0}, &arena, &result, &err));
        buf_printf(out, "%s: %s ", queries[i], result.error.code ? result.error.code : "");
        buf_str(out, result.error.message);
        rego_text(out, &result.values);
        buf_char(out, '\n');
        rego_query_close(query);
    }
    rego_close(policy);
}

static void results_are_the_same_with_and_without(void **state)
{
    (void)state;
    size_t defined = 0, errors = 0;
    for (unsigned i = 0; i < MODULES; i++) {
        struct dice d = {i + 1};
        AUTO_ARENA arena = {.limit = LIMIT};
        AUTO_BUF text = {.limit = 1 << 20}, json = {.limit = 1 << 20};
        AUTO_BUF with = {.limit = 1 << 24}, without = {.limit = 1 << 24};
        struct value input;
        struct err err = {0};
        module(&text, &d);
        document(&json, &d);
        if (!json_parse(&arena, buf_view(&json), "input", JSON_DEFAULT, &input, &err))
            fail_msg("%s", err.frame[0]);
        evaluate(buf_view(&text), &input, false, &with);
        evaluate(buf_view(&text), &input, true, &without);
        if (!str_equal(buf_view(&with), buf_view(&without)))
            fail_msg("seed %u\n%.*s\n%.*s\n--- with\n%.*s--- without\n%.*s", i,
                     STR_ARG(buf_view(&text)), STR_ARG(buf_view(&json)), STR_ARG(buf_view(&with)),
                     STR_ARG(buf_view(&without)));
        defined += str_find(buf_view(&with), STR("data.t.s:  [[{"), 0) != SIZE_MAX;
        errors += str_find(buf_view(&with), STR("eval_conflict_error"), 0) != SIZE_MAX;
    }
    print_message("  %zu with members, %zu with conflicts\n", defined, errors);
    assert_true(defined > MODULES / 4 && errors > 0); /* the modules say something */
}

/* What indexing is for: work that does not grow with what cannot match. */
static void work_does_not_grow_with_what_cannot_match(void **state)
{
    (void)state;
    for (unsigned unindexed = 0; unindexed < 2; unindexed++) {
        AUTO_ARENA arena = {.limit = LIMIT};
        AUTO_BUF text = {.limit = 1 << 20}, json = {.limit = 1 << 20};
        struct value input;
        struct rego_diags diags = {.arena = &arena};
        struct rego_policy *policy;
        struct rego_query *query;
        struct rego_result result;
        struct err err = {0};
        buf_str(&text, STR("package t\n"));
        for (unsigned i = 0; i < 200; i++)
            buf_printf(&text,
                       "p contains x.id if {\n\tsome x in input.items\n\tx.kind == \"k%u\"\n}\n"
                       "q contains %u if input.kind == \"k%u\"\n",
                       i, i, i);
        buf_str(&json, STR("{\"kind\": \"k7\", \"items\": ["));
        for (unsigned i = 0; i < 1000; i++)
            buf_printf(&json, "%s{\"kind\": \"k%u\", \"id\": %u}", i ? "," : "", i, i);
        buf_str(&json, STR("]}"));
        assert_true(json_parse(&arena, buf_view(&json), "input", JSON_DEFAULT, &input, &err));
        const struct rego_source source = {.file = STR("t.rego"), .text = buf_view(&text)};
        assert_true(rego_compile(&source, 1, NULL,
                                 &(struct rego_compile_options){.unindexed = unindexed}, &diags,
                                 &policy, &err));
        assert_true(rego_prepare(policy, STR("[count(data.t.p), data.t.q]"), &diags, &query, &err));
        const struct rego_eval_options few = {.steps = 20000};
        assert_true(rego_eval(query, &input, &few, &arena, &result, &err));
        if (unindexed) {
            assert_string_equal(result.error.code, "eval_cancel_error");
        } else {
            AUTO_BUF out = {.limit = 1 << 12};
            rego_text(&out, &result.values);
            buf_char(&out, '\0');
            assert_string_equal(out.ptr, "[[[200, {7}]]]");
        }
        rego_query_close(query);
        rego_close(policy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_the_same_with_and_without),
        cmocka_unit_test(work_does_not_grow_with_what_cannot_match),
    };
    return cmocka_run_group_tests_name("lang/rego/index", tests, NULL, NULL);
}

/* test_issues.c - every format over checks that are empty, usual, nasty, failed and large.
 *
 * With PLUMB_REPORT_DIR set, all reports are written there: tests/report/validate checks them
 * against the official schemas.
 */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "report/parts.h"
#include "report/report.h"
#include "wire/json.h"

static const struct issue usual[] = {
    {.kind = ISSUE_ERROR,
     .severity = SEVERITY_HIGH,
     .rule = STR_INIT("unsupported-argument"),
     .summary = STR_INIT("Unsupported argument"),
     .detail = STR_INIT("An argument named \"ami_id\" is not expected here. Did you mean \"ami\"?"),
     .subject = STR_INIT("infra/prod"),
     .address = STR_INIT("aws_instance.web"),
     .at = {STR_INIT("infra/prod/main.tf"), 12, 2, 12, 8},
     .excerpt = STR_INIT("\tami_id = \"x\"")},
    {.kind = ISSUE_WARNING,
     .severity = SEVERITY_LOW,
     .rule = STR_INIT("unused-variable"),
     .summary = STR_INIT("Variable is never used"),
     .detail = STR_INIT("Nothing in this module refers to var.old."),
     .remedy = STR_INIT("Remove it."),
     .subject = STR_INIT("infra/prod"),
     .at = {STR_INIT("infra/prod/variables.tf"), 3, 1, 5, 2},
     .excerpt = STR_INIT("variable \"old\" {\n  type = string\n}")},
    {.kind = ISSUE_VIOLATION,
     .severity = SEVERITY_CRITICAL,
     .rule = STR_INIT("s3-public"),
     .summary = STR_INIT("Bucket is public"),
     .subject = STR_INIT("infra/prod"),
     .address = STR_INIT("aws_s3_bucket.logs"),
     .link = STR_INIT("https://example.org/rules/s3-public")},
    {.kind = ISSUE_VIOLATION,
     .severity = SEVERITY_LOW,
     .rule = STR_INIT("no-owner"),
     .summary = STR_INIT("No owner"),
     .subject = STR_INIT("infra/prod")},
};
static const struct issue nasty[] = {
    {.kind = ISSUE_ERROR,
     .severity = SEVERITY_HIGH,
     .rule = STR_INIT("x"),
     .summary = STR_INIT("\033[31mred\r\n::error::injected @evil #1 http://evil"),
     .detail = STR_INIT("]]> <b>&amp;</b> ``` \xff \u202e |"),
     .subject = STR_INIT("/abs/`x`"),
     .address = STR_INIT("a.b[\"\n\"]"),
     .at = {STR_INIT("/abs/a b\n.tf"), 1, 1, 1, 1},
     .excerpt = STR_INIT("\033]0;title\007```\n</code>")},
    {.kind = ISSUE_ERROR,
     .severity = SEVERITY_HIGH,
     .rule = STR_INIT("x"),
     .summary = STR_INIT("the same place again"),
     .subject = STR_INIT("/abs/`x`"),
     .address = STR_INIT("a.b[\"\n\"]"),
     .at = {STR_INIT("/abs/a b\n.tf"), 1, 1, 1, 1}},
};

struct fixture {
    const char *name;
    struct check_result result;
};

static struct check_subject *subject_of(struct arena *arena, const struct issue *issues, size_t n)
{
    struct check_subject *subject = arena_new(arena, struct check_subject, 1);
    struct issue *copy = arena_new(arena, struct issue, n);
    if (n)
        memcpy(copy, issues, n * sizeof *copy);
    assert_true(issues_settle(arena, copy, &n, NULL));
    *subject = (struct check_subject){.name = STR("infra/prod"),
                                      .kind = STR("module"),
                                      .files = 3,
                                      .modules = 1,
                                      .resources = 12,
                                      .issues = copy,
                                      .nissues = n};
    return subject;
}

static size_t fixtures_of(struct arena *arena, struct fixture ret[8])
{
    static const struct str notes[] = {STR_INIT("arguments of x were not checked: \033[0m")};
    enum { MANY = 3000 };
    struct issue *many = arena_new(arena, struct issue, MANY);
    for (size_t i = 0; i < MANY; i++) {
        many[i] = usual[1];
        many[i].at.line = (uint32_t)i + 1;
        many[i].at.end_line = (uint32_t)i + 3;
    }
    struct check_subject *failed = subject_of(arena, NULL, 0);
    failed->failed = STR("reading main.tf: permission denied");
    failed->notes = notes;
    failed->nnotes = 1;
    ret[0] = (struct fixture){"nothing", {NULL, 0}};
    ret[1] = (struct fixture){"clean", {subject_of(arena, NULL, 0), 1}};
    ret[2] = (struct fixture){"usual", {subject_of(arena, usual, 4), 1}};
    ret[3] = (struct fixture){"nasty", {subject_of(arena, nasty, 2), 1}};
    ret[4] = (struct fixture){"failed", {failed, 1}};
    ret[5] = (struct fixture){"many", {subject_of(arena, many, MANY), 1}};
    return 6;
}

static void save(const char *fixture, const struct format *format, const struct buf *out)
{
    AUTO_ARENA arena = {.limit = 1 << 16};
    const char *dir = getenv("PLUMB_REPORT_DIR");
    if (!dir)
        return;
    struct str path = arena_printf(&arena, "%s/check-%s.%s", dir, fixture, format->name);
    assert_true(io_write_file_atomic(path.ptr, buf_view(out), 0644, NULL));
}

static void every_format_writes_every_check(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 256 << 20};
    struct fixture fixtures[8];
    size_t n = fixtures_of(&arena, fixtures), nformats;
    const struct format *const *formats = report_formats(&nformats);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < nformats; k++) {
            AUTO_BUF out = {.limit = 64 << 20}, again = {.limit = 64 << 20};
            struct report_options options = {.tool_version = STR("0.1.0")};
            struct value v;
            assert_non_null(formats[k]->write_issues);
            assert_true(formats[k]->write_issues(&out, &fixtures[i].result, &options, NULL));
            assert_true(formats[k]->write_issues(&again, &fixtures[i].result, &options, NULL));
            assert_true(str_equal(buf_view(&out), buf_view(&again)));
            assert_true(str_find(buf_view(&out), STR("\033"), 0) == SIZE_MAX);
            if (str_ends(str_from(formats[k]->extension), STR("json")) ||
                strcmp(formats[k]->name, "sarif") == 0)
                assert_true(json_parse(&arena, buf_view(&out), formats[k]->name, 0, &v, NULL));
            save(fixtures[i].name, formats[k], &out);
        }
}

static void text_shows_place_line_and_remedy(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 16 << 20};
    AUTO_BUF out = {.limit = 1 << 20};
    struct check_result result = {.subject = subject_of(&arena, usual, 4), .n = 1};
    struct report_options options = {0};
    assert_true(issues_write_text(&out, &result, &options, NULL));
    buf_char(&out, 0);
    assert_string_equal(
        out.ptr,
        "infra/prod  (module, 3 files, 12 resource blocks)\n"
        "  violation (low): No owner  [no-owner]\n"
        "\n"
        "  violation (critical): Bucket is public  [s3-public]\n"
        "    in aws_s3_bucket.logs\n"
        "    see https://example.org/rules/s3-public\n"
        "\n"
        "  infra/prod/main.tf:12:2: error: Unsupported argument  [unsupported-argument]\n"
        "     12 | \tami_id = \"x\"\n"
        "        | \t^^^^^^\n"
        "    in aws_instance.web\n"
        "    An argument named \"ami_id\" is not expected here. Did you mean \"ami\"?\n"
        "\n"
        "  infra/prod/variables.tf:3:1: warning: Variable is never used  [unused-variable]\n"
        "      3 | variable \"old\" {\n"
        "      4 |   type = string\n"
        "      5 | }\n"
        "    Nothing in this module refers to var.old.\n"
        "    => Remove it.\n"
        "\n"
        "1 error, 2 violations, 1 warning; 3 files, 1 module, 12 resource blocks checked\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_format_writes_every_check),
                                       cmocka_unit_test(text_shows_place_line_and_remedy)};
    return cmocka_run_group_tests_name("report/issues", tests, NULL, NULL);
}

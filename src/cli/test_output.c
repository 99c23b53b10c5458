/* test_output.c - --output: which format, which file, and the list that completion offers. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/command.h"
#include "cli/output.h"

static const struct {
    const char *text[3];
    const char *formats, *files, *on_stdout; /* joined by a comma */
    const char *error;
} cases[] = {
    {{0}, "text", "", "text", NULL},
    {{"json"}, "json", "", "json", NULL},
    {{"json=-"}, "json", "", "json", NULL},
    {{"json=a.txt"}, "json", "a.txt", NULL, NULL},
    {{"./drift.sarif"}, "sarif", "./drift.sarif", NULL, NULL},
    {{"a=b.json"}, "json", "a=b.json", NULL, NULL},
    {{"text", "x.json", "junit=y"}, "text,json,junit", ",x.json,y", "text", NULL},
    {{"jsno"}, NULL, NULL, NULL, "did you mean 'json'?"},
    {{"a.unknown"}, NULL, NULL, NULL, "no format 'a.unknown'"},
    {{"json="}, NULL, NULL, NULL, "a file is missing behind 'json='"},
    {{"json", "sarif"}, NULL, NULL, NULL, "json and sarif both go to standard output"},
    {{"json=no/such/dir/x"}, NULL, NULL, NULL, "no folder no/such/dir"},
};

static void an_output_is_a_format_and_a_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct err err = {0};
        struct outputs got = {0};
        struct str list[3];
        struct option_value value = {.list = list};
        for (; value.nlist < 3 && cases[i].text[value.nlist]; value.nlist++)
            list[value.nlist] = str_from(cases[i].text[value.nlist]);
        print_message("  %s\n", value.nlist ? cases[i].text[0] : "(none)");
        bool ok = outputs_parse(&arena, &value, STR("text"), &got, &err);
        assert_int_equal(ok, cases[i].error == NULL);
        if (!ok) {
            assert_non_null(strstr(err.frame[0], cases[i].error));
            continue;
        }
        struct str formats = STR(""), files = STR("");
        for (size_t k = 0; k < got.n; k++) {
            formats = arena_printf(&arena, "%.*s%s%s", STR_ARG(formats), k ? "," : "",
                                   got.output[k].format->name);
            files = arena_printf(&arena, "%.*s%s%.*s", STR_ARG(files), k ? "," : "",
                                 STR_ARG(got.output[k].file));
        }
        assert_string_equal(formats.ptr, cases[i].formats);
        assert_string_equal(files.ptr, cases[i].files);
        assert_true(str_equal(str_from(got.on_stdout ? got.on_stdout->name : NULL),
                              str_from(cases[i].on_stdout)));
    }
}

static void completion_offers_every_format(void **state)
{
    (void)state;
    const struct command *scan = command_find(STR("scan"));
    const char *const *choices = scan->options[command_option(scan, STR("output"))].choices;
    size_t n, offered = 0;
    const struct format *const *formats = report_formats(&n);
    while (choices[offered])
        offered++;
    assert_int_equal(offered, n);
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (choices[k] && strcmp(choices[k], formats[i]->name) != 0)
            k++;
        assert_non_null(choices[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_output_is_a_format_and_a_file),
        cmocka_unit_test(completion_offers_every_format),
    };
    return cmocka_run_group_tests_name("cli/output", tests, NULL, NULL);
}

/* test_code.c - scans against code without any provider: built-in resources and files. What an
 * apply would do, what that makes of others, and what cannot be known. */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "base/proc.h"
#include "scan/scan.h"

#define TEXT(v) "{\"value\":\"" v "\",\"type\":\"string\"}"
#define DATA(id, rest) "\"schema_version\":0,\"attributes\":{\"id\":\"" id "\"," rest "}"
#define SAID(v) "\"input\":" TEXT(v) ",\"output\":" TEXT(v) ",\"triggers_replace\":null"
#define MADE(name, instances) \
    "{\"mode\":\"managed\",\"type\":\"terraform_data\",\"name\":\"" name \
    "\",\"provider\":\"provider[\\\"terraform.io/builtin/" \
    "terraform\\\"]\",\"instances\":[" instances "]}"
#define FILED(name, content) \
    "{\"mode\":\"managed\",\"type\":\"local_file\",\"name\":\"f\",\"provider\":\"provider[" \
    "\\\"registry.terraform.io/hashicorp/local\\\"]\",\"instances\":[{\"schema_version\":0," \
    "\"attributes\":{\"filename\":\"" name "\",\"content\":\"" content \
    "\",\"file_permission\":\"0644\"}}]}"
#define ONE(name, v) MADE(name, "{" DATA(name, SAID(v)) "}")

/* want: "class address [paths that the code can set]", and parts of notes behind "note " */
static const struct {
    const char *says, *code, *resources, *live, *want;
} cases[] = {
    {"in order", "resource \"terraform_data\" \"a\" { input = \"x\" }\n", ONE("a", "x"), NULL, ""},
    {"what an apply makes of others",
     "resource \"terraform_data\" \"a\" { input = \"y\" }\n"
     "resource \"terraform_data\" \"b\" { input = terraform_data.a.output }\n"
     "resource \"terraform_data\" \"c\" { input = terraform_data.b.output }\n"
     "resource \"terraform_data\" \"d\" { input = terraform_data.a.id }\n",
     ONE("a", "x") "," ONE("b", "x") "," ONE("c", "x") "," ONE("d", "a"), NULL,
     "unapplied terraform_data.a input\nunapplied terraform_data.b input\n"
     "unapplied terraform_data.c input\n"},
    {"made anew: its id is another",
     "resource \"terraform_data\" \"a\" {\n  input = \"x\"\n  triggers_replace = 1\n}\n"
     "resource \"terraform_data\" \"b\" { input = terraform_data.a.id }\n",
     ONE("a", "x") "," ONE("b", "a"), NULL,
     "unapplied terraform_data.a triggers_replace\nunapplied terraform_data.b input\n"},
    {"replace_triggered_by",
     "resource \"terraform_data\" \"a\" { input = \"y\" }\n"
     "resource \"terraform_data\" \"b\" {\n  input = \"b\"\n"
     "  lifecycle { replace_triggered_by = [terraform_data.a] }\n}\n"
     "resource \"terraform_data\" \"c\" { input = terraform_data.b.id }\n",
     ONE("a", "x") "," ONE("b", "b") "," ONE("c", "b"), NULL,
     "unapplied terraform_data.a input\nunapplied terraform_data.b\n"
     "unapplied terraform_data.c input\n"},
    {"tainted",
     "resource \"terraform_data\" \"a\" { input = \"x\" }\n"
     "resource \"terraform_data\" \"b\" { input = terraform_data.a.input }\n",
     MADE("a", "{\"status\":\"tainted\"," DATA("a", SAID("x")) "}") "," ONE("b", "x"), NULL,
     "unapplied terraform_data.a\n"},
    {"never created, and what needs it",
     "resource \"terraform_data\" \"new\" { input = \"n\" }\n"
     "resource \"terraform_data\" \"b\" { input = terraform_data.new.id }\n",
     ONE("b", "x"), NULL, "unapplied terraform_data.b input\nunapplied terraform_data.new\n"},
    {"one less", "resource \"terraform_data\" \"a\" {\n  count = 1\n  input = \"x\"\n}\n",
     MADE("a",
          "{\"index_key\":0," DATA("a", SAID("x")) "},{\"index_key\":1," DATA("a", SAID("x")) "}"),
     NULL, "unapplied terraform_data.a[1]\n"},
    {"moved and removed",
     "resource \"terraform_data\" \"b\" { input = \"x\" }\n"
     "moved {\n  from = terraform_data.a\n  to = terraform_data.b\n}\n"
     "removed {\n  from = terraform_data.r\n  lifecycle { destroy = false }\n}\n",
     ONE("a", "x") "," ONE("r", "x"), NULL,
     "unapplied terraform_data.r\nnote terraform_data.b is terraform_data.a in the last state\n"},
    {"what nobody can tell is as it was",
     "variable \"v\" {}\nresource \"terraform_data\" \"a\" { input = var.v }\n"
     "resource \"terraform_data\" \"b\" { input = terraform_data.a.output }\n",
     ONE("a", "x") "," ONE("b", "x"), NULL,
     "note terraform_data.a: input cannot be known from the code (var.v\n"},
    {"a data source that was never read",
     "data \"terraform_remote_state\" \"r\" {\n  backend = \"s3\"\n}\n"
     "resource \"terraform_data\" \"a\" { input = data.terraform_remote_state.r.outputs.x }\n",
     ONE("a", "x"), NULL, "note terraform_data.a: input cannot be known from the code\n"},
    {"errors cost what they concern",
     "resource \"terraform_data\" \"a\" { input = nothing.here }\n"
     "resource \"terraform_data\" \"b\" { input = \"y\" }\n",
     ONE("a", "x") "," ONE("b", "x"), NULL,
     "unapplied terraform_data.b input\nnote Reference to undeclared resource\n"},
    {"by hand", "resource \"local_file\" \"f\" {\n  filename = \"out\"\n  content = \"one\"\n}\n",
     FILED("out", "one"), "two", "contradicts-code local_file.f content\n"},
    {"the code is ahead",
     "resource \"local_file\" \"f\" {\n  filename = \"out\"\n  content = \"two\"\n}\n",
     FILED("out", "one"), "one", "unapplied local_file.f content\n"},
    {"both", "resource \"local_file\" \"f\" {\n  filename = \"out\"\n  content = \"three\"\n}\n",
     FILED("out", "one"), "two", "contradicts-code local_file.f content\n"},
    {"the code asks for what is live",
     "resource \"local_file\" \"f\" {\n  filename = \"out\"\n  content = \"two\"\n}\n",
     FILED("out", "one"), "two", "state-only local_file.f content\n"},
    {"accepted",
     "resource \"local_file\" \"f\" {\n  filename = \"out\"\n  content = \"one\"\n"
     "  lifecycle { ignore_changes = [content] }\n}\n",
     FILED("out", "one"), "two", "ignored local_file.f content\n"},
    {"gone", "resource \"local_file\" \"f\" {\n  filename = \"out\"\n  content = \"one\"\n}\n",
     FILED("out", "one"), NULL, "missing local_file.f\n"},
    {"gone, and not asked for", "locals {}\n", FILED("out", "one"), NULL,
     "state-only local_file.f\n"},
};

static void put(const char *dir, const char *name, struct str content)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct str path = io_join(&arena, str_from(dir), str_from(name));
    struct err err = {0};
    if (!io_write_file_atomic(path.ptr, content, 0644, &err))
        fail_msg("%s", err.frame[0]);
}

static void remove_folder(const char *dir)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    const char *argv[] = {"rm", "-rf", dir, NULL};
    struct proc_result ran;
    assert_true(proc_run(&arena, &(struct proc_spec){.argv = argv}, &ran, NULL));
}

static struct str print_finding(struct arena *arena, const struct finding *f)
{
    struct str line =
        arena_printf(arena, "%s %.*s", f->ignored ? "ignored" : finding_class_name(f->class_),
                     STR_ARG(f->address));
    for (size_t i = 0; i < f->nchanges; i++) {
        size_t dot = str_find(f->changes[i].path, STR("["), 0);
        struct str top =
            str_sub(f->changes[i].path, 0, dot == SIZE_MAX ? f->changes[i].path.len : dot);
        if (f->changes[i].configurable && str_find(line, top, 0) == SIZE_MAX)
            line = arena_printf(arena, "%.*s %.*s", STR_ARG(line), STR_ARG(top));
    }
    return arena_printf(arena, "%.*s\n", STR_ARG(line));
}

static bool has_note(const struct stack_result *got, struct str part)
{
    for (size_t i = 0; i < got->nnotes; i++)
        if (str_find(got->notes[i], part, 0) != SIZE_MAX)
            return true;
    return false;
}

/* The findings in their order; then each note that is asked for. */
static void check_case(struct arena *arena, const struct stack_result *got, const char *text)
{
    struct str want = str_from(text), line, all = STR("");
    for (size_t i = 0; i < got->nfindings; i++)
        all = arena_printf(arena, "%.*s%.*s", STR_ARG(all),
                           STR_ARG(print_finding(arena, &got->findings[i])));
    size_t notes = str_starts(want, STR("note ")) ? 0 : str_find(want, STR("\nnote "), 0);
    struct str findings = str_sub(want, 0, notes == SIZE_MAX ? want.len : notes ? notes + 1 : 0);
    if (!str_equal(all, findings)) {
        for (size_t i = 0; i < got->nnotes; i++)
            print_message("    note %.*s\n", STR_ARG(got->notes[i]));
        fail_msg("%.*s instead of %.*s", STR_ARG(all), STR_ARG(findings));
    }
    struct str rest = str_sub(want, findings.len, want.len);
    while (str_cut(&rest, '\n', &line))
        if (!has_note(got, str_sub(line, 5, line.len)))
            fail_msg("no note: %.*s", STR_ARG(line));
}

static void scan_one_case(size_t at)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    char dir[] = "/tmp/plumb-code-XXXXXX";
    assert_non_null(mkdtemp(dir));
    struct stack stack = {.name = STR("s"),
                          .path = str_from(dir),
                          .workspace = STR("default"),
                          .data_dir = STR(".terraform")};
    struct scan_options options = {.now_utc_ms = 1000, .no_git = true};
    struct stack_result got;
    struct err err = {0};
    put(dir, "main.tf", str_from(cases[at].code));
    put(dir, "terraform.tfstate",
        arena_printf(&arena,
                     "{\"version\":4,\"terraform_version\":\"1.11.4\",\"serial\":3,\"lineage\":"
                     "\"l\",\"outputs\":{},\"resources\":[%s]}",
                     cases[at].resources));
    if (cases[at].live)
        put(dir, "out", str_from(cases[at].live));
    if (!scan_stack(&arena, &stack, &options, &got, &err))
        fail_msg("%s", err.frame[0]);
    if (got.failed.len)
        fail_msg("%.*s", STR_ARG(got.failed));
    assert_true(str_equal(got.desired, STR("code")));
    check_case(&arena, &got, cases[at].want);
    const struct coverage *c = &got.coverage;
    assert_int_equal(c->compared + c->unchecked, c->resources);
    remove_folder(dir);
}

static void scan_gives_the_findings_of_each_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        print_message("  %s\n", cases[i].says);
        scan_one_case(i);
    }
}

/* Nothing is recorded: of what no import names nobody can say which object it is. */
static void without_a_state_what_is_not_imported_is_unchecked(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 64 << 20};
    char dir[] = "/tmp/plumb-code-XXXXXX";
    assert_non_null(mkdtemp(dir));
    struct stack stack = {.name = STR("s"),
                          .path = str_from(dir),
                          .workspace = STR("default"),
                          .data_dir = STR(".terraform")};
    struct scan_options options = {.now_utc_ms = 1000, .no_git = true};
    struct stack_result got;
    put(dir, "main.tf", STR("resource \"terraform_data\" \"a\" {\n  count = 2\n}\n"));
    assert_true(scan_stack(&arena, &stack, &options, &got, NULL));
    assert_int_equal(got.failed.len, 0);
    assert_int_equal(got.nfindings, 2);
    assert_int_equal(got.coverage.unchecked, 2);
    remove_folder(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scan_gives_the_findings_of_each_case),
        cmocka_unit_test(without_a_state_what_is_not_imported_is_unchecked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_stacks.c - folders, globs, names and plumb.yaml to stacks; each case in a tree of its own.
 */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "desired/outline.h"
#include "desired/roots.h"
#include "desired/stacks.h"

enum { FILES_MAX = 12, STACK_MAX = 6 };

/* "path=content"; a path ending in "/" is a folder. */
#define BACKEND "terraform {\n  backend \"s3\" {}\n}\n"
#define CALLS(source) "module \"m\" {\n  source = \"" source "\"\n}\n"
#define PLAIN "resource \"x\" \"y\" {}\n"

static const struct {
    const char *says;
    const char *files[FILES_MAX];
    const char *args[3];
    const char *workspace;
    const char *stacks; /* "name|path|workspace|environment|owner" of each, by line */
    const char *error;
    const char *in; /* the working directory */
    bool twice;     /* is fine */
    const char *told;
} cases[] = {
    {"a root module here", {"main.tf=" PLAIN}, {0}, NULL, ".|.|default||\n", NULL},
    {"roots below, not the modules they call",
     {"infra/prod/main.tf=" CALLS("../../modules/net"), "infra/dev/main.tf=" PLAIN,
      "modules/net/main.tf=" PLAIN, "lib/shared/main.tf=" PLAIN,
      "app/main.tf=" CALLS("../lib/shared"), "node_modules/x/main.tf=" PLAIN, ".git/keep="},
     {0},
     NULL,
     "app|app|default||\ninfra/dev|infra/dev|default|dev|\ninfra/prod|infra/prod|default|prod|\n",
     NULL},
    {"a called module with a backend of its own is a root",
     {"a/main.tf=" CALLS("../b"), "b/main.tf=" BACKEND},
     {"."},
     NULL,
     "a|a|default||\nb|b|default||\n",
     NULL},
    {"a glob",
     {"x/a/main.tf=" PLAIN, "x/b/main.tf=" PLAIN, "y/c/main.tf=" PLAIN},
     {"x/*"},
     NULL,
     "x/a|x/a|default||\nx/b|x/b|default||\n",
     NULL},
    {"an argument twice is one stack",
     {"a/main.tf=" PLAIN},
     {"a", "./a/"},
     NULL,
     "a|a|default||\n",
     NULL},
    {"a module asked for by name is scanned",
     {"modules/n/main.tf=" PLAIN},
     {"modules/n"},
     NULL,
     "modules/n|modules/n|default||\n",
     NULL},
    {"a state file", {"s/x.tfstate={}"}, {"s/x.tfstate"}, NULL, "s/x.tfstate|s|default||\n", NULL},
    {"nothing there", {"a.txt="}, {"b"}, NULL, NULL, "b: no such folder or file"},
    {"no root", {"d/a.txt="}, {"d"}, NULL, NULL, "d: no root module here"},
    {"the selected workspace",
     {"main.tf=" PLAIN, ".terraform/environment=blue\n"},
     {0},
     NULL,
     ".:blue|.|blue||\n",
     NULL},
    {"named workspaces", {"a/main.tf=" PLAIN}, {"a"}, "prod", "a:prod|a|prod|prod|\n", NULL},
    {"every workspace",
     {"a/main.tf=" PLAIN, "a/terraform.tfstate={}", "a/terraform.tfstate.d/w1/terraform.tfstate={}",
      "a/terraform.tfstate.d/w2/"},
     {"a"},
     "*",
     "a|a|default||\na:w1|a|w1||\na:w2|a|w2||\n",
     NULL},
    {"plumb.yaml: the first entry that matches counts",
     {"plumb.yaml=version: 1\nstacks:\n  - {path: infra/special, name: s, owner: me}\n  - {path: "
      "infra/*, environment: \"{dir}\", owner: \"team-{dir}\"}\n",
      "infra/special/main.tf=" PLAIN, "infra/one/main.tf=" PLAIN},
     {0},
     NULL,
     "infra/one|infra/one|default|one|team-one\ns|infra/special|default||me\n",
     NULL},
    {"plumb.yaml: a stack by its name",
     {"plumb.yaml=version: 1\nstacks:\n  - {path: a, name: alpha}\n  - {path: b, name: beta}\n",
      "a/main.tf=" PLAIN, "b/main.tf=" PLAIN},
     {"bet*"},
     NULL,
     "beta|b|default||\n",
     NULL},
    {"plumb.yaml: settings reach a stack that is named by its folder",
     {"plumb.yaml=version: 1\nstacks: [{path: \"i/*\", owner: o}]\n", "i/a/main.tf=" PLAIN},
     {"i/a"},
     NULL,
     "i/a|i/a|default||o\n",
     NULL},
    {"plumb.yaml: a path without a root",
     {"plumb.yaml=version: 1\nstacks:\n  - nowhere/*\n"},
     {0},
     NULL,
     NULL,
     "plumb.yaml:3:5: no root module in nowhere/*"},
    {"plumb.yaml: two of one name",
     {"plumb.yaml=version: 1\nstacks: [{path: \"*\", name: x}]\n", "a/main.tf=" PLAIN,
      "b/main.tf=" PLAIN},
     {0},
     NULL,
     NULL,
     "two stacks are named x: a and b"},
    {"plumb.yaml: of several of one name one says so, and the others are found",
     {"plumb.yaml=version: 1\nstacks: [{path: \"*\", name: x}, deep/z]\n", "a/main.tf=" PLAIN,
      "b/main.tf=" PLAIN, "c/main.tf=" PLAIN, "deep/z/main.tf=" PLAIN},
     {0},
     NULL,
     "deep/z|deep/z|default||\nx|a|default||\n",
     NULL,
     NULL,
     true,
     "two stacks are named x: a and b; give one of them another name in plumb.yaml"},
    {"plumb.yaml above",
     {"plumb.yaml=version: 1\nstacks: [{path: \"deep/*\", owner: o}]\n", "deep/er/main.tf=" PLAIN},
     {"deep/er"},
     NULL,
     "deep/er|deep/er|default||o\n",
     NULL},
    {"plumb.yaml above: the folder itself, called within it",
     {"plumb.yaml=version: 1\nstacks: [{path: i/a, name: net}, {path: \"i/*\", name: "
      "\"{dir}!\"}]\n",
      "i/a/main.tf=" PLAIN, "i/b/main.tf=" PLAIN},
     {"."},
     NULL,
     "net|.|default||\n",
     NULL,
     "i/a"},
    {"plumb.yaml above: a glob, called within the folder",
     {"plumb.yaml=version: 1\nstacks: [{path: i/a, name: net}, {path: \"i/*\", name: "
      "\"{dir}!\"}]\n",
      "i/a/main.tf=" PLAIN, "i/b/main.tf=" PLAIN},
     {"../b", "../../i/a"},
     NULL,
     "b!|../b|default||\nnet|../../i/a|default||\n",
     NULL,
     "i/a"},
    {"plumb.yaml above: each stack of the folder",
     {"plumb.yaml=version: 1\nstacks: [{path: a, name: eu, state: eu.json}, {path: a, name: us, "
      "state: us.json}]\n",
      "a/main.tf=" PLAIN},
     {"."},
     NULL,
     "eu|.|default||\nus|.|default||\n",
     NULL,
     "a"},
    {"plumb.yaml above: a folder without code, whose state it knows",
     {"plumb.yaml=version: 1\nstacks: [{path: a, name: eu, state: eu.json}]\n", "a/keep="},
     {"."},
     NULL,
     "eu|.|default||\n",
     NULL,
     "a"},
    {"plumb.yaml: a module below a stack is not that stack",
     {"plumb.yaml=version: 1\nstacks: [{path: a, name: net}]\n", "a/main.tf=" CALLS("./m"),
      "a/m/main.tf=" PLAIN},
     {"a/m"},
     NULL,
     "a/m|a/m|default||\n",
     NULL},
    {"plumb.yaml here: a stack beside it",
     {"ops/plumb.yaml=version: 1\nstacks: [{path: ../a, name: net}]\n", "a/main.tf=" PLAIN},
     {"../a"},
     NULL,
     "net|../a|default||\n",
     NULL,
     "ops"},
    {"plumb.yaml here does not count for a folder elsewhere that it does not name",
     {".git/keep=", "ops/plumb.yaml=version: 1\nstacks: [{path: ../a, name: net}]\n",
      "a/main.tf=" PLAIN, "x/b/main.tf=" PLAIN},
     {"../x/b"},
     NULL,
     "x/b|../x/b|default||\n",
     NULL,
     "ops"},
    {"Terragrunt's copy of a unit is the unit's stack",
     {"plumb.yaml=version: 1\nstacks: [{path: live/prod, name: shop}]\n",
      "live/prod/terragrunt.hcl=", "live/prod/.terragrunt-cache/a/b/m/main.tf=" PLAIN},
     {"."},
     NULL,
     "shop|.|default|prod|\n",
     NULL,
     "live/prod/.terragrunt-cache/a/b/m"},
    {"a plumb.yaml that was copied with it does not count",
     {"live/plumb.yaml=version: 1\nstacks: [{path: ., name: shop}]\n",
      "live/.terragrunt-cache/a/b/plumb.yaml=version: 1\nstacks: [{path: ., name: copy}]\n",
      "live/.terragrunt-cache/a/b/main.tf=" PLAIN},
     {"."},
     NULL,
     "shop|.|default||\n",
     NULL,
     "live/.terragrunt-cache/a/b"},
    {"Terragrunt's copy without plumb.yaml is named as the unit",
     {".git/keep=", "live/prod/.terragrunt-cache/a/b/main.tf=" PLAIN},
     {"live/prod/.terragrunt-cache/a/b"},
     NULL,
     "live/prod|live/prod/.terragrunt-cache/a/b|default|prod|\n",
     NULL},
    {"CODEOWNERS",
     {".git/keep=", ".github/CODEOWNERS=* @all\n/infra/prod/ @ops\n", "infra/prod/main.tf=" PLAIN,
      "infra/dev/main.tf=" PLAIN},
     {"infra"},
     NULL,
     "infra/dev|infra/dev|default|dev|@all\ninfra/prod|infra/prod|default|prod|@ops\n",
     NULL},
};

static void make_file(const char *spec)
{
    struct err err = {0};
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct str content = str_from(spec), path;
    bool is_file = str_cut(&content, '=', &path);
    struct str dir = arena_dup(&arena, is_file ? io_dirname(path) : path);
    assert_true(io_make_dirs(dir.ptr, 0755, &err));
    struct str file = arena_dup(&arena, path);
    if (is_file)
        assert_true(io_write_file_atomic(file.ptr, content, 0644, &err));
}

static void print_stacks(struct buf *out, const struct stacks *stacks)
{
    for (size_t i = 0; i < stacks->n; i++) {
        const struct stack *s = &stacks->stack[i];
        buf_printf(out, "%.*s|%.*s|%.*s|%.*s|%.*s\n", STR_ARG(s->name), STR_ARG(s->path),
                   STR_ARG(s->workspace), STR_ARG(s->environment), STR_ARG(s->owner));
    }
    buf_char(out, '\0');
}

static void run_case(size_t i)
{
    AUTO_ARENA arena = {.limit = 1 << 26};
    AUTO_BUF buf = {.limit = 1 << 20};
    struct err err = {0};
    struct stacks stacks = {0};
    struct str args[3], workspace = str_from(cases[i].workspace);
    char text[4096];
    size_t nargs = 0;
    for (size_t k = 0; k < FILES_MAX && cases[i].files[k]; k++)
        make_file(cases[i].files[k]);
    if (cases[i].in)
        assert_int_equal(chdir(cases[i].in), 0);
    for (; nargs < 3 && cases[i].args[nargs]; nargs++)
        args[nargs] = str_from(cases[i].args[nargs]);
    const struct stacks_query query = {.dirs = args,
                                       .ndirs = nargs,
                                       .twice_is_fine = cases[i].twice,
                                       .workspaces = &workspace,
                                       .nworkspaces = workspace.len ? 1 : 0};
    bool ok = stacks_find(&arena, &query, &stacks, &err);
    (void)err_text(&err, text, sizeof text);
    if (cases[i].error) {
        assert_false(ok);
        assert_non_null(strstr(text, cases[i].error));
        return;
    }
    if (!ok)
        fail_msg("%s", text);
    print_stacks(&buf, &stacks);
    assert_string_equal(buf.ptr, cases[i].stacks);
    assert_true(str_equal(stacks.twice, str_from(cases[i].told)));
    for (size_t k = 0; k < stacks.n; k++)
        assert_int_equal(stacks.stack[k].twice.len > 0,
                         cases[i].twice && str_equal(stacks.stack[k].name, STR("x")));
}

static void each_tree_gives_its_stacks(void **state)
{
    (void)state;
    char home[4096], tree[] = "/tmp/plumb-stacks-XXXXXX";
    assert_non_null(getcwd(home, sizeof home));
    assert_non_null(mkdtemp(tree));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 16};
        struct err err = {0};
        print_message("  %s\n", cases[i].says);
        struct str dir = arena_printf(&arena, "%s/%zu", tree, i);
        assert_true(io_make_dirs(dir.ptr, 0755, &err));
        assert_int_equal(chdir(dir.ptr), 0);
        run_case(i);
    }
    assert_int_equal(chdir(home), 0);
    AUTO_ARENA arena = {.limit = 1 << 16};
    struct str remove_tree = arena_printf(&arena, "rm -rf %s", tree);
    assert_int_equal(system(remove_tree.ptr), 0); /* NOLINT(cert-env33-c): our own fixed path */
}

static const struct {
    const char *text;
    bool backend, provider;
    const char *sources; /* joined by a blank */
} outlines[] = {
    {BACKEND, true, false, ""},
    {"terraform {\n cloud {\n organization = \"x\"\n }\n}", true, false, ""},
    {"terraform {\n required_providers {\n  a = { source = \"./x\" }\n }\n}", false, false, ""},
    {"provider \"aws\" {}\n# module \"x\" { source = \"./no\" }\n" CALLS("./yes"), false, true,
     "./yes"},
    {"locals {\n  a = <<-EOT\n    module \"x\" {\n      source = \"./no\"\n    }\n  EOT\n}\n" CALLS(
         "../b"),
     false, false, "../b"},
    {"locals {\n  a = \"${\"}\"} module {\"\n}\n" CALLS("./c"), false, false, "./c"},
    {CALLS("hashicorp/consul/aws") CALLS("./d") CALLS("../e"), false, false, "./d ../e"},
    {"/* provider \"x\" {} */ // provider \"y\" {}\n", false, false, ""},
    {"module \"x\" {\n  providers = { a = a.b }\n  source = \"./f\"\n}", false, false, "./f"},
    {"\"${\"${\"${", false, false, ""},
    {"x = <<", false, false, ""},
};

static void an_outline_sees_blocks_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof outlines / sizeof *outlines; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct outline outline = {.has_code = true};
        struct err err = {0};
        print_message("  %s\n", outlines[i].text);
        assert_true(outline_add_hcl(&arena, str_from(outlines[i].text), &outline, &err));
        assert_int_equal(outline.has_backend, outlines[i].backend);
        assert_int_equal(outline.has_provider, outlines[i].provider);
        struct str all = STR("");
        for (size_t k = 0; k < outline.nsource; k++)
            all = arena_printf(&arena, "%.*s%s%.*s", STR_ARG(all), k ? " " : "",
                               STR_ARG(outline.source[k]));
        assert_true(str_equal(all, str_from(outlines[i].sources)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_tree_gives_its_stacks),
        cmocka_unit_test(an_outline_sees_blocks_only),
    };
    return cmocka_run_group_tests_name("desired/stacks", tests, NULL, NULL);
}

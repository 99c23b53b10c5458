/* test_folder.c - when a folder is of no matter to a provider, and what names something in it. */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/io.h"
#include "live/reader_provider/folder.h"
#include "model/resource.h"
#include "value/value.h"
#include "wire/json.h"

struct world {
    char dir[40];
    struct arena arena;
};

static struct str path_of(struct world *w, const char *name)
{
    return arena_printf(&w->arena, "%s/%s", w->dir, name);
}

static void make(struct world *w, const char *name)
{
    struct str path = path_of(w, name);
    assert_true(io_make_dirs(arena_dup(&w->arena, io_dirname(path)).ptr, 0755, NULL));
    assert_true(io_write_file_atomic(path.ptr, STR("x"), 0644, NULL));
}

static int open_world(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->arena.limit = 16 << 20;
    (void)strcpy(w->dir, "/tmp/plumb-folder-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    static const char *const usual[] = {
        "main.tf",
        "override.tf.json",
        "prod.auto.tfvars",
        ".terraform.lock.hcl",
        "terraform.tfstate",
        "terraform.tfstate.1700000000.backup",
        ".terraform.tfstate.lock.info",
        "README.md",
        ".terraform/providers/x/terraform-provider-x",
        "terraform.tfstate.d/other/terraform.tfstate",
        "modules/net/main.tf",
        "data/a-plan", /* TF_DATA_DIR */
    };
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        make(w, usual[i]);
    *state = w;
    return 0;
}

static int close_world(void **state)
{
    struct world *w = *state;
    char command[100];
    (void)snprintf(command, sizeof command, "rm -rf %s", w->dir);
    (void)!system(command);
    arena_free(&w->arena);
    free(w);
    return 0;
}

static struct folder look(struct world *w)
{
    struct folder folder;
    assert_true(folder_look(&w->arena, str_from(w->dir), path_of(w, "data"), &folder));
    return folder;
}

static void test_usual(void **state)
{
    struct folder folder = look(*state);
    assert_false(folder.other);
    assert_int_equal(folder.n, 12);
}

static void test_other(void **state)
{
    struct world *w = *state;
    static const char *const others[] = {"kubeconfig",  ".env",           "files/policy.json",
                                         "modules/key", ".terraformrc",   "tf",
                                         "x.tf.d/y",    "modules/.aws/c", "main.tf~"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        make(w, others[i]);
        if (!look(w).other)
            fail_msg("%s", others[i]);
        assert_int_equal(unlink(path_of(w, others[i]).ptr), 0);
        assert_false(look(w).other);
    }
    assert_int_equal(symlink("elsewhere", path_of(w, "link.tf").ptr), 0);
    assert_true(look(w).other);
    assert_int_equal(unlink(path_of(w, "link.tf").ptr), 0);
    assert_int_equal(symlink("main.tf", path_of(w, "link.tf").ptr), 0);
    assert_false(look(w).other);
    assert_int_equal(symlink("..", path_of(w, "modules/up").ptr), 0); /* round and round */
    assert_true(look(w).other);
    assert_int_equal(unlink(path_of(w, "modules/up").ptr), 0);
    assert_int_equal(mkfifo(path_of(w, "pipe.tf").ptr, 0600), 0);
    assert_true(look(w).other);
}

static void test_cannot_be_looked_at(void **state)
{
    struct world *w = *state;
    struct folder folder;
    assert_false(folder_look(&w->arena, path_of(w, "nothing"), STR(""), &folder));
    static const char *const spelt[] = {"a&b.tf", "a b.tf", "a\"b.tf", "\xc3\xa9.tf", "a\\b.tf"};
    for (size_t i = 0; i < sizeof spelt / sizeof *spelt; i++) {
        make(w, spelt[i]);
        if (folder_look(&w->arena, str_from(w->dir), STR(""), &folder))
            fail_msg("%s", spelt[i]);
        assert_int_equal(unlink(path_of(w, spelt[i]).ptr), 0);
    }
    for (int i = 0; i < 250; i++)
        make(w, arena_printf(&w->arena, "f%d.tf", i).ptr);
    assert_false(folder_look(&w->arena, str_from(w->dir), STR(""), &folder));
}

static const struct {
    const char *text;
    bool named;
} texts[] = {
    {"main.tf", true},
    {"MAIN.TF", true},
    {"./main.tf", true},
    {"/elsewhere/main.tf", true}, /* doubt */
    {"file:main.tf", true},
    {"@main.tf", true},
    {"modules", true},
    {"modules/net/x", true},
    {"Modules\\net", true},
    {"a=modules", true},
    {".terraform", true},
    {".terraform/x", true},
    {".", true},
    {"..", true},
    {"./x", true},
    {"../x", true},
    {"a/../x", true},
    {"/a/../x", true},
    {"a/..", true},
    {"--chdir=..", true},
    {"cat ./x", true},
    {"[\"./x\"]", true},
    {"line\n../x", true},
    {"", false},
    {"main", false},
    {"main.tf2", false},
    {"x-main.tf", false},
    {"xmain.tf", false},
    {"submodules", false},
    {"modules_x", false},
    {"terraform", false},
    {"out.txt", false}, /* leads nowhere */
    {"a/b", false},
    {"/abs/./x", false},
    {"~/.kube/config", false},
    {".aws/config", false},
    {"example.com/x", false},
    {"example.com.", false},
    {"1.5", false},
    {".5", false},
    {"wait...", false},
    {".../x", false},
    {"^.*$", false},
    {"arn:aws:s3:::bucket/*", false},
    {"https://h.example/a/b.c?d=e", false},
    {"An end. And more", false},
};

static struct str quoted(struct world *w, struct str text)
{
    struct buf out = {.limit = 10000};
    struct jsonw json = {.out = &out};
    jsonw_object_open(&json);
    jsonw_member_string(&json, STR("k"), text);
    jsonw_object_close(&json);
    struct str kept = arena_dup(&w->arena, buf_view(&out));
    buf_free(&out);
    return kept;
}

static void test_texts(void **state)
{
    struct world *w = *state;
    struct folder folder = look(w);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct str text = str_from(texts[i].text), json = quoted(w, text);
        struct value v;
        if (folder_named_in_text(&folder, text) != texts[i].named)
            fail_msg("text %s", texts[i].text);
        if (folder_named_in_json(&folder, json) != texts[i].named)
            fail_msg("json %.*s", STR_ARG(json));
        if (texts[i].named && !folder_named_in_json(&folder, quoted(w, json)))
            fail_msg("json in json %.*s", STR_ARG(json));
        assert_true(json_parse(&w->arena, json, "x", JSON_DEFAULT, &v, NULL));
        if (folder_named_in_value(&folder, &v) != texts[i].named)
            fail_msg("value %s", texts[i].text);
    }
}

static void test_escapes(void **state)
{
    struct world *w = *state;
    struct folder folder = look(w);
    static const char *const named[] = {"{\"k\":\"m\\u0061in.tf\"}",
                                        "{\"k\":\".\\/x\"}",
                                        "{\"k\":\"\\u002e/x\"}",
                                        "{\"k\":\"\\n./x\"}",
                                        "{\"k\":\"a\\tmain.tf\"}",
                                        "{\"main.tf\":1}",
                                        "{\"k\":\"{\\\"p\\\":\\\".\\\"}\"}"};
    static const char *const not [] = {"{\"k\":\"a \\u003c b \\u0026 c\"}", "{\"k\":\"\\u00e9\"}",
                                       "{\"k\":\"a\\\\b\\\"c\\nd\"}", "{\"k\":\"\\u001b[0m\"}"};
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (!folder_named_in_json(&folder, str_from(named[i])))
            fail_msg("%s", named[i]);
    for (size_t i = 0; i < sizeof not / sizeof *not ; i++)
        if (folder_named_in_json(&folder, str_from(not [i])))
            fail_msg("%s", not [i]);
    struct value v;
    assert_true(
        json_parse(&w->arena, STR("{\"a\":[1,{\"./k\":null}]}"), "x", JSON_DEFAULT, &v, NULL));
    assert_true(folder_named_in_value(&folder, &v));
}

static void test_resource(void **state)
{
    struct folder folder = look(*state);
    struct resource r = {.attributes_json = STR_INIT("{\"id\":\"i-1\"}"),
                         .identity_json = STR_INIT("{\"id\":\"i-1\"}"),
                         .private_base64 = STR_INIT("eyJhIjoxfQ=="), /* {"a":1} */
                         .import_id = STR_INIT("i-1")};
    assert_false(folder_named_in_resource(&folder, &r));
    struct resource each[] = {r, r, r, r, r, r};
    each[0].attributes_json = STR("{\"id\":\"main.tf\"}");
    each[1].flatmap_json = STR("{\"id\":\"../x\"}");
    each[2].identity_json = STR("{\"id\":\"./x\"}");
    each[3].private_base64 = STR("eyJhIjoiLi9iIn0="); /* {"a":"./b"} */
    each[4].private_base64 = STR("no base64");
    each[5].import_id = STR("modules/x");
    for (size_t i = 0; i < sizeof each / sizeof *each; i++)
        if (!folder_named_in_resource(&folder, &each[i]))
            fail_msg("%zu", i);
}

static void test_environment(void **state)
{
    struct folder folder = look(*state);
    const char *const none[] = {"HOME=/root", "PWD=/a/main.tf",     "_=./plumb", "REGION=eu",
                                "X=",         "PATH=/bin:/usr/bin", NULL};
    assert_false(folder_named_in_environment(&folder, none));
    static const char *const named[] = {"KUBECONFIG=../k", "KUBECONFIG=./k", "FILE=main.tf",
                                        "PATH=.:/bin", "PATH=/bin:../bin"};
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        const char *const env[] = {"HOME=/root", named[i], NULL};
        if (!folder_named_in_environment(&folder, env))
            fail_msg("%s", named[i]);
    }
}

int main(void)
{
#define EACH(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        EACH(test_usual),   EACH(test_other),    EACH(test_cannot_be_looked_at), EACH(test_texts),
        EACH(test_escapes), EACH(test_resource), EACH(test_environment),
    };
    return cmocka_run_group_tests_name("live/reader_provider/folder", tests, NULL, NULL);
}

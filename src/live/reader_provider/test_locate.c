/* test_locate.c - provider packages in all their places, the h1 hash, and what is refused. */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "live/reader_provider/dirhash.h"
#include "live/reader_provider/locate.h"
#include "model/stack.h"

/* A home, a root module and an environment that the test writes. */
struct place {
    struct arena arena;
    struct str dir, root;
    struct locator locator;
};

static const char *variables[16][2]; /* the test's own environment: no getenv here */

static const char *env(const char *name)
{
    for (size_t i = 0; i < 16 && variables[i][0]; i++)
        if (strcmp(variables[i][0], name) == 0)
            return variables[i][1];
    return NULL;
}

static void set_env(const char *name, const char *value)
{
    size_t i = 0;
    while (i < 15 && variables[i][0] && strcmp(variables[i][0], name) != 0)
        i++;
    variables[i][0] = name;
    variables[i][1] = value;
}

static void put(struct place *at, const char *path, const char *text, unsigned mode)
{
    struct err err = {0};
    struct str full = io_join(&at->arena, at->dir, str_from(path));
    struct str dir = arena_dup(&at->arena, io_dirname(full));
    assert_true(io_make_dirs(dir.ptr, 0755, &err));
    assert_true(io_write_file_atomic(full.ptr, str_from(text), mode, &err));
}

static int open_place(void **state)
{
    struct place *at = calloc(1, sizeof *at);
    char dir[] = "/tmp/plumb-locate-XXXXXX";
    assert_non_null(at);
    assert_non_null(mkdtemp(dir));
    at->arena.limit = 64 << 20;
    at->dir = arena_dup(&at->arena, str_from(dir));
    at->root = io_join(&at->arena, at->dir, STR("root"));
    memset(variables, 0, sizeof variables);
    set_env("HOME", arena_printf(&at->arena, "%s/home", dir).ptr);
    assert_int_equal(mkdir(at->root.ptr, 0755), 0);
    *state = at;
    return 0;
}

static int close_place(void **state)
{
    struct place *at = *state;
    char command[200];
    (void)snprintf(command, sizeof command, "rm -rf %s", at->dir.ptr);
    (void)!system(command);
    arena_free(&at->arena);
    free(at);
    return 0;
}

static void open_locator(struct place *at)
{
    struct err err = {0};
    char text[1024];
    struct stack stack = {.path = at->root};
    if (!locate_open(&at->arena, &stack, env, &at->locator, &err))
        fail_msg("%s", err_text(&err, text, sizeof text));
}

static struct located must_find(struct place *at, const char *source)
{
    struct err err = {0};
    char text[1024];
    struct located found;
    open_locator(at);
    if (!locate_find(&at->locator, str_from(source), &found, &err))
        fail_msg("%s", err_text(&err, text, sizeof text));
    return found;
}

static void must_refuse(struct place *at, const char *source, const char *why)
{
    struct err err = {0};
    char text[1024];
    struct located found;
    open_locator(at);
    assert_false(locate_find(&at->locator, str_from(source), &found, &err));
    print_message("  %s\n", err_text(&err, text, sizeof text));
    assert_non_null(strstr(text, why));
}

#define LOCK(hashes) \
    "provider \"example.com/a/b\" {\n  version = \"1.0.0\"\n  hashes = [" hashes "]\n}\n"
#define PACKAGE "example.com/a/b/1.0.0/linux_amd64/"
#define BINARY PACKAGE "terraform-provider-b_v1.0.0"

/* sha256 of "x\n" and of "" are known; the h1 over both was computed with Go's dirhash.Hash1. */
static void h1_is_what_go_computes(void **state)
{
    struct place *at = *state;
    struct err err = {0};
    struct str hash;
    struct digest binary;
    char hex[DIGEST_HEX + 1];
    put(at, "p/terraform-provider-b", "x\n", 0755);
    put(at, "p/sub/README", "", 0644);
    struct str dir = io_join(&at->arena, at->dir, STR("p"));
    assert_true(dirhash_h1(&at->arena, dir.ptr, STR("terraform-provider-b"), STR(""), &hash,
                           &binary, &err));
    digest_hex(&binary, hex);
    assert_string_equal(hex, "73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac");
    print_message("  %s\n", hash.ptr);
    assert_string_equal(hash.ptr, "h1:lzjvi9vFVQrna9jDyKh9PAk8QNKiv+sNPsyZHjYG6s8=");
    /* through a link to the directory it is the same */
    struct str link = io_join(&at->arena, at->dir, STR("link"));
    assert_int_equal(symlink(dir.ptr, link.ptr), 0);
    struct str again;
    assert_true(dirhash_h1(&at->arena, link.ptr, STR("terraform-provider-b"), STR(""), &again,
                           &binary, &err));
    assert_true(str_equal(hash, again));
}

static void installed_cached_mirrored(void **state)
{
    struct place *at = *state;
    put(at, "root/.terraform.lock.hcl", LOCK(""), 0644);
    must_refuse(at, "example.com/a/b", "example.com/a/b 1.0.0 is not installed in ");

    put(at, "home/.terraform.d/plugins/" BINARY, "implied", 0755);
    assert_non_null(strstr(must_find(at, "example.com/a/b").path.ptr, "/home/.terraform.d/"));

    put(at, "mirror/" BINARY, "mirror", 0755);
    put(at, "home/.terraformrc",
        arena_printf(
            &at->arena,
            "provider_installation {\n  filesystem_mirror {\n    path = \"%s/mirror\"\n"
            "    include = [\"example.com/*/*\"]\n  }\n}\nplugin_cache_dir = \"%s/cache\"\n",
            at->dir.ptr, at->dir.ptr)
            .ptr,
        0644);
    assert_non_null(strstr(must_find(at, "example.com/a/b").path.ptr, "/mirror/"));

    put(at, "cache/" BINARY, "cache", 0755);
    assert_non_null(strstr(must_find(at, "example.com/a/b").path.ptr, "/cache/"));

    put(at, "root/.terraform/providers/" BINARY, "installed", 0755);
    struct located found = must_find(at, "example.com/a/b");
    assert_non_null(strstr(found.path.ptr, "/root/.terraform/providers/"));
    assert_int_equal(found.path.ptr[0], '/');
    assert_true(str_equal(found.version, STR("1.0.0")));
}

static void overrides_and_reattach_come_first(void **state)
{
    struct place *at = *state;
    put(at, "root/.terraform/providers/" BINARY, "installed", 0755);
    put(at, "root/.terraform.lock.hcl", LOCK(""), 0644);
    put(at, "dev/terraform-provider-b", "dev", 0755);
    put(at, "rc",
        arena_printf(
            &at->arena,
            "provider_installation {\n  dev_overrides {\n    \"a/b\" = \"%s/dev\"\n  }\n}\n",
            at->dir.ptr)
            .ptr,
        0644);
    set_env("TF_CLI_CONFIG_FILE", io_join(&at->arena, at->dir, STR("rc")).ptr);
    struct located found = must_find(at, "example.com/a/b");
    assert_int_equal(found.origin, LOCATE_OVERRIDE);
    assert_true(found.note.len > 0);

    set_env("TF_REATTACH_PROVIDERS",
            "{\"example.com/a/b\":{\"Protocol\":\"grpc\",\"ProtocolVersion\":6,\"Pid\":16,"
            "\"Test\":true,\"Addr\":{\"Network\":\"unix\",\"String\":\"/tmp/s\"}}}");
    found = must_find(at, "example.com/a/b");
    assert_int_equal(found.origin, LOCATE_REATTACH);
    assert_int_equal(found.reattach.protocol, 6);
    assert_true(str_equal(found.reattach.address, STR("/tmp/s")));
}

static void the_twin_registry_is_tried(void **state)
{
    struct place *at = *state;
    put(at, "root/.terraform.lock.hcl",
        "provider \"registry.opentofu.org/hashicorp/b\" {\n  version = \"2.0.0\"\n}\n", 0644);
    put(at,
        "root/.terraform/providers/registry.opentofu.org/hashicorp/b/2.0.0/linux_amd64/"
        "terraform-provider-b",
        "x", 0755);
    struct located found = must_find(at, "registry.terraform.io/hashicorp/b");
    assert_true(str_equal(found.source, STR("registry.opentofu.org/hashicorp/b")));
    must_refuse(at, "example.com/hashicorp/b", "not installed");
}

static void nothing_outside_is_reached(void **state)
{
    struct place *at = *state;
    must_refuse(at, "../../../etc", "not a provider's address");
    must_refuse(at, "example.com/a", "not a provider's address");
    must_refuse(at, "example.com/a/b/c", "not a provider's address");
    must_refuse(at, "", "not a provider's address");
    put(at, "root/.terraform.lock.hcl",
        "provider \"example.com/a/b\" {\n  version = \"../../../x\"\n}\n", 0644);
    must_refuse(at, "example.com/a/b", "not installed");
}

static void a_packed_mirror_says_so(void **state)
{
    struct place *at = *state;
    put(at, "root/.terraform.lock.hcl", LOCK(""), 0644);
    put(at, "home/.terraform.d/plugins/example.com/a/b/terraform-provider-b_1.0.0_linux_amd64.zip",
        "PK", 0644);
    must_refuse(at, "example.com/a/b", "packed archive");
}

static const struct {
    const char *says, *lock, *why; /* why NULL: good */
} checks[] = {
    {"its hash is listed", LOCK("\"zh:00\", \"h1:A/6RqK6w7ZAN1McloCgJRePT8Rj9hk526lmx/Zfs14w=\""),
     NULL},
    {"no hash at all is listed", LOCK(""), NULL},
    {"another hash", LOCK("\"h1:AAAA\""), "does not match any of the checksums"},
    {"archive hashes only", LOCK("\"zh:00\""), "providers lock"},
    {"not in the lock file", "", "is not in "},
    {"no lock file", NULL, "is not in "},
    {"a lock file that cannot be read", "provider {", "1:"},
};

static void the_lock_file_decides(void **state)
{
    struct place *at = *state;
    put(at, "root/.terraform/providers/" BINARY, "x\n", 0755);
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        struct err err = {0};
        char text[1024];
        struct digest digest;
        print_message("  %s\n", checks[i].says);
        struct str lock = io_join(&at->arena, at->root, STR(".terraform.lock.hcl"));
        (void)unlink(lock.ptr);
        if (checks[i].lock)
            put(at, "root/.terraform.lock.hcl", checks[i].lock, 0644);
        struct located found = must_find(at, "example.com/a/b");
        bool ok = locate_verify(&at->locator, &found, STR(""), &digest, &err);
        assert_int_equal(ok, checks[i].why == NULL);
        if (ok)
            continue;
        assert_int_equal(err.kind, ERR_CONFLICT);
        assert_non_null(strstr(err_text(&err, text, sizeof text), checks[i].why));
    }
}

static void the_executable_is_the_first_that_fits(void **state)
{
    (void)state;
    static const struct str names[] = {STR_INIT("LICENSE"), STR_INIT("terraform-provider-local"),
                                       STR_INIT("terraform-provider-localx"),
                                       STR_INIT("terraform-provider-lo_v1"),
                                       STR_INIT("terraform-provider-lo_v2")};
    assert_true(str_equal(locate_executable(names, 5, STR("local")), names[1]));
    assert_true(str_equal(locate_executable(names, 5, STR("lo")), names[3]));
    assert_int_equal(locate_executable(names, 5, STR("other")).len, 0);
}

#define PLACE(test) cmocka_unit_test_setup_teardown(test, open_place, close_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE(h1_is_what_go_computes),
        PLACE(installed_cached_mirrored),
        PLACE(overrides_and_reattach_come_first),
        PLACE(the_twin_registry_is_tried),
        PLACE(nothing_outside_is_reached),
        PLACE(a_packed_mirror_says_so),
        PLACE(the_lock_file_decides),
        cmocka_unit_test(the_executable_is_the_first_that_fits),
    };
    return cmocka_run_group_tests_name("live/reader_provider/locate", tests, NULL, NULL);
}

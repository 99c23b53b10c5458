/* test_remote.c - which version of a remote state is there, and who holds its lock: what is asked,
 * by whose keys, and what is made of the answers. */
#include "respond/test_receiver.h"

#include <sys/stat.h>

#include "base/io.h"
#include "desired/remote.h"
#include "model/stack.h"

enum { NOW_MS = 1000000 };

struct world {
    struct arena arena;
    char dir[64];
    struct stack stack;
    struct test_receiver server;
    struct err err;
};

static const char *const names[] = {"TF_DATA_DIR",
                                    "TF_WORKSPACE",
                                    "TF_HTTP_ADDRESS",
                                    "TF_HTTP_USERNAME",
                                    "TF_HTTP_PASSWORD",
                                    "AWS_ACCESS_KEY_ID",
                                    "AWS_SECRET_ACCESS_KEY",
                                    "AWS_SESSION_TOKEN",
                                    "AWS_PROFILE",
                                    "AWS_SHARED_CREDENTIALS_FILE",
                                    "AWS_ENDPOINT_URL_S3",
                                    "AWS_REGION",
                                    "GOOGLE_OAUTH_ACCESS_TOKEN",
                                    "GOOGLE_STORAGE_CUSTOM_ENDPOINT"};

static void put(struct world *w, const char *name, const char *text)
{
    struct str path = io_join(&w->arena, str_from(w->dir), str_from(name));
    assert_true(io_make_dirs(arena_dup(&w->arena, io_dirname(path)).ptr, 0700, &w->err));
    if (!io_write_file_atomic(path.ptr, str_from(text), 0600, &w->err))
        fail_msg("%s", w->err.frame[0]);
}

/* config with %d for the server's port. */
static void make(struct world *w, const char *type, const char *config, const char *const *answer)
{
    char text[1500], settings[1000];
    *w = (struct world){.arena = {.limit = 1 << 24}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        (void)unsetenv(names[i]);
    (void)snprintf(w->dir, sizeof w->dir, "/tmp/plumb-remote-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    (void)setenv("HOME", w->dir, 1);
    w->stack = (struct stack){.name = STR("net"), .path = str_from(w->dir)};
    test_receiver_open(&w->server, answer);
    const char *at = strstr(config, "%d");
    (void)snprintf(settings, sizeof settings, "%.*s%d%s", (int)(at - config), config,
                   w->server.port, at + 2);
    (void)snprintf(text, sizeof text,
                   "{\"version\":3,\"backend\":{\"type\":\"%s\",\"config\":{%s}}}", type, settings);
    put(w, ".terraform/terraform.tfstate", text);
}

static void end(struct world *w)
{
    char command[128];
    test_receiver_close(&w->server, &w->arena);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", w->dir);
    assert_int_equal(system(command), 0);
}

static struct str mark(struct world *w, struct str before)
{
    struct str ret = {0};
    w->err = (struct err){0};
    return remote_mark(&w->arena, &w->stack, before, NOW_MS, NULL, &ret, &w->err)
               ? ret
               : str_from(w->err.frame[0]);
}

static bool have_libcurl(void)
{
    struct world w;
    static const char *const answers[] = {"404 No\r\n\r\n", NULL};
    make(&w, "http", "\"address\":\"http://127.0.0.1:%d/s\"", answers);
    struct str got = mark(&w, STR(""));
    end(&w);
    bool there = str_equal(got, STR("none"));
    arena_free(&w.arena);
    if (there)
        return true;
    const char *ci = getenv("CI");
    if (ci && strcmp(ci, "true") == 0)
        fail_msg("libcurl4 is not installed");
    print_message("  skipped: libcurl4 is not installed\n");
    return false;
}

#define IS(got, want) \
    do { \
        struct str got_ = (got); \
        if (!str_equal(got_, STR(want))) \
            fail_msg("want: %s, got: %.*s", want, STR_ARG(got_)); \
    } while (0)
#define HAS(got, want) \
    do { \
        struct str has_ = (got); \
        if (str_find(has_, STR(want), 0) == SIZE_MAX) \
            fail_msg("want: ... %s ..., got: %.*s", want, STR_ARG(has_)); \
    } while (0)

static void http_is_asked_by_its_etag(void **state)
{
    (void)state;
    struct world w;
    static const char *const answers[] = {"200 OK\r\nETag: \"v1\"\r\n\r\n{}",
                                          "304 Not Modified\r\nETag: \"v1\"\r\n\r\n",
                                          "200 OK\r\nEtAg: W/\"v2\"\r\n\r\n{}",
                                          "200 OK\r\n\r\n{\"serial\":3}",
                                          "200 OK\r\n\r\n{\"serial\":4}",
                                          "304 Not Modified\r\n\r\n",
                                          NULL};
    if (!have_libcurl())
        return;
    make(&w, "http", "\"address\":\"http://127.0.0.1:%d/s\",\"username\":\"u\"", answers);
    (void)setenv("TF_HTTP_PASSWORD", "pass", 1);
    struct str first = mark(&w, STR(""));
    IS(first, "etag:\"v1\"");
    IS(mark(&w, first), "etag:\"v1\"");
    struct str second = mark(&w, first);
    IS(second, "etag:W/\"v2\"");
    struct str third = mark(&w, STR("")), fourth = mark(&w, third);
    assert_true(str_starts(third, STR("sha256:")) && third.len == 71 && fourth.len == 71);
    assert_false(str_equal(third, fourth));
    HAS(mark(&w, third), "status 304"); /* nobody asked so */
    end(&w);
    assert_int_equal(test_header(&w.server, 0, "If-None-Match").len, 0);
    IS(test_header(&w.server, 1, "If-None-Match"), "\"v1\"");
    IS(test_header(&w.server, 1, "Authorization"), "Basic dTpwYXNz");
    assert_int_equal(test_header(&w.server, 4, "If-None-Match").len, 0);
    for (size_t i = 0; i < w.server.n; i++)
        IS(test_line(&w.server, i), "GET /s");
    arena_free(&w.arena);
}

static struct lock_holder look(struct world *w)
{
    struct lock_holder holder;
    w->err = (struct err){0};
    if (!lock_look(&w->arena, &w->stack, NOW_MS, &holder, &w->err))
        fail_msg("%s", w->err.frame[0]);
    return holder;
}

#define S3 \
    "\"bucket\":\"states\",\"key\":\"/net/prod.tfstate\",\"region\":\"eu-west-1\"," \
    "\"endpoints\":{\"s3\":\"http://127.0.0.1:%d\"}"
#define INFO(operation) \
    "200 OK\r\n\r\n{\"ID\":\"1\",\"Operation\":\"" operation "\",\"Who\":\"eve@x\"," \
    "\"Created\":\"2026-11-22T09:30:00Z\"}"

static void s3_is_only_looked_at(void **state)
{
    (void)state;
    struct world w;
    static const char *const answers[] = {"200 OK\r\nETag: \"aa\"\r\n\r\n",
                                          "404 Not Found\r\n\r\n",
                                          "403 Forbidden\r\n\r\n",
                                          "404 Not Found\r\n\r\n<Error/>",
                                          INFO("OperationTypeApply"),
                                          INFO("OperationTypePlan"),
                                          "200 OK\r\n\r\nno lock info",
                                          "200 OK\r\n\r\n{\"ID\":\"plumb-hold-1\",\"Who\":\"p\"}",
                                          NULL};
    if (!have_libcurl())
        return;
    make(&w, "s3", S3 ",\"use_lockfile\":true", answers);
    HAS(mark(&w, STR("")), "there are no keys for the bucket");
    put(&w, ".aws/credentials",
        "[other]\naws_access_key_id = no\naws_secret_access_key = no\n\n[default]\n"
        "aws_access_key_id = AKfile\naws_secret_access_key = s3cr3t\n");
    IS(mark(&w, STR("")), "\"aa\"");
    (void)setenv("AWS_ACCESS_KEY_ID", "AKenv", 1);
    (void)setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t", 1);
    IS(mark(&w, STR("")), "none");
    HAS(mark(&w, STR("")), "the answer is 403 (are AWS_ACCESS_KEY_ID");
    assert_false(look(&w).held);
    struct lock_holder holder = look(&w);
    assert_true(holder.held);
    IS(holder.who, "eve@x");
    IS(holder.operation, "apply");
    IS(holder.since, "2026-11-22T09:30:00Z");
    assert_false(look(&w).held); /* a plan */
    assert_true(look(&w).held);  /* somebody, who says nothing */
    w.stack.workspace = STR("blue");
    assert_false(look(&w).held); /* plumb hold */
    end(&w);
    assert_int_equal(w.server.n, 8);
    for (size_t i = 0; i < 3; i++)
        IS(test_line(&w.server, i), "HEAD /states/net/prod.tfstate");
    for (size_t i = 3; i < 7; i++)
        IS(test_line(&w.server, i), "GET /states/net/prod.tfstate.tflock");
    IS(test_line(&w.server, 7), "GET /states/env%3A/blue/net/prod.tfstate.tflock");
    HAS(test_header(&w.server, 0, "Authorization"), "Credential=AKfile/");
    HAS(test_header(&w.server, 1, "Authorization"), "Credential=AKenv/");
    HAS(test_header(&w.server, 1, "Authorization"), "/eu-west-1/s3/aws4_request");
    arena_free(&w.arena);
}

/* Without use_lockfile there is no lock object: nobody is asked. */
static void a_lock_that_cannot_be_seen_is_nobodys(void **state)
{
    (void)state;
    struct world w;
    static const char *const none[] = {"500 No\r\n\r\n", NULL};
    make(&w, "s3", S3, none);
    (void)setenv("AWS_ACCESS_KEY_ID", "k", 1);
    (void)setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
    assert_false(look(&w).held);
    end(&w);
    assert_int_equal(w.server.n, 0);
    arena_free(&w.arena);
    make(&w, "http", "\"address\":\"http://127.0.0.1:%d/s\"", none);
    assert_false(look(&w).held);
    end(&w);
    assert_int_equal(w.server.n, 0);
    arena_free(&w.arena);
}

#define GCS \
    "\"bucket\":\"states\",\"prefix\":\"/net prod/\",\"access_token\":\"t0ken\"," \
    "\"storage_custom_endpoint\":\"http://127.0.0.1:%d/storage/v1/\""

static void gcs_is_only_looked_at(void **state)
{
    (void)state;
    struct world w;
    static const char *const answers[] = {"200 OK\r\n\r\n{\"generation\":\"17\"}",
                                          "404 Not Found\r\n\r\n{}",
                                          "200 OK\r\n\r\n{}",
                                          "404 Not Found\r\n\r\n{}",
                                          "200 OK\r\n\r\n{\"generation\":\"18\"}",
                                          INFO("OperationTypeApply"),
                                          "200 OK\r\n\r\n{\"generation\":\"18\"}",
                                          "404 Not Found\r\n\r\n{}",
                                          NULL};
    if (!have_libcurl())
        return;
    make(&w, "gcs", GCS, answers);
    IS(mark(&w, STR("")), "17");
    IS(mark(&w, STR("17")), "none");
    HAS(mark(&w, STR("17")), "name no generation");
    assert_false(look(&w).held);
    struct lock_holder holder = look(&w);
    assert_true(holder.held);
    IS(holder.who, "eve@x");
    assert_false(look(&w).held); /* given back between the two requests */
    end(&w);
    IS(test_line(&w.server, 0), "GET /storage/v1/b/states/o/net%20prod%2Fdefault.tfstate");
    IS(test_line(&w.server, 3), "GET /storage/v1/b/states/o/net%20prod%2Fdefault.tflock");
    IS(test_line(&w.server, 5),
       "GET /storage/v1/b/states/o/net%20prod%2Fdefault.tflock?alt=media&generation=18");
    for (size_t i = 0; i < w.server.n; i++)
        IS(test_header(&w.server, i, "Authorization"), "Bearer t0ken");
    arena_free(&w.arena);
}

static void a_file_has_its_lock_beside_it(void **state)
{
    (void)state;
    struct world w;
    static const char *const none[] = {"500 No\r\n\r\n", NULL};
    enum remote_kind kind;
    make(&w, "local", "\"path\":\"terraform.tfstate\",\"x\":%d", none);
    assert_true(remote_kind(&w.arena, &w.stack, &kind, &w.err));
    assert_int_equal(kind, REMOTE_NONE);
    IS(mark(&w, STR("")), "");
    assert_false(look(&w).held);
    put(&w, ".terraform.tfstate.lock.info",
        "{\"ID\":\"1\",\"Operation\":\"OperationTypeApply\",\"Who\":\"bob\"}");
    assert_true(look(&w).held);
    put(&w, ".terraform.tfstate.lock.info", "{\"ID\":\"1\",");
    assert_false(look(&w).held);
    end(&w);
    arena_free(&w.arena);
}

/* Any other backend is read by its own binary. */
static void others_are_pulled(void **state)
{
    (void)state;
    struct world w;
    char tool[128];
    static const char *const none[] = {"500 No\r\n\r\n", NULL};
    make(&w, "consul", "\"x\":%d", none);
    (void)snprintf(tool, sizeof tool, "%s/tool", w.dir);
    put(&w, "tool", "#!/bin/sh\necho '{\"serial\":1}'\n");
    assert_int_equal(chmod(tool, 0700), 0);
    (void)setenv("PLUMB_TERRAFORM", tool, 1);
    struct str first = mark(&w, STR(""));
    assert_true(str_starts(first, STR("sha256:")));
    assert_true(str_equal(first, mark(&w, first)));
    put(&w, "tool", "#!/bin/sh\necho '{\"serial\":2}'\n");
    assert_int_equal(chmod(tool, 0700), 0);
    assert_false(str_equal(first, mark(&w, first)));
    put(&w, "tool", "#!/bin/sh\nexit 0\n");
    assert_int_equal(chmod(tool, 0700), 0);
    IS(mark(&w, first), "none");
    (void)unsetenv("PLUMB_TERRAFORM");
    end(&w);
    arena_free(&w.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http_is_asked_by_its_etag),
        cmocka_unit_test(s3_is_only_looked_at),
        cmocka_unit_test(a_lock_that_cannot_be_seen_is_nobodys),
        cmocka_unit_test(gcs_is_only_looked_at),
        cmocka_unit_test(a_file_has_its_lock_beside_it),
        cmocka_unit_test(others_are_pulled),
    };
    return cmocka_run_group_tests_name("desired/remote", tests, NULL, NULL);
}

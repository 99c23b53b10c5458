/* test_backend.c - where a stack's state is found: layouts, http, and its own binary. */
#include "base/test.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "desired/desired.h"
#include "model/stack.h"

#define STATE(name) \
    "{\"version\":4,\"terraform_version\":\"1.9.0\",\"serial\":3,\"lineage\":\"l\"," \
    "\"resources\":[{\"mode\":\"managed\",\"type\":\"t\",\"name\":\"" name "\"," \
    "\"provider\":\"provider[\\\"a/b/c\\\"]\",\"instances\":[{\"attributes\":{}}]}]}"
#define ENCRYPTED "{\"serial\":1,\"encrypted_data\":\"AA==\",\"encryption_version\":\"v0\"}"

struct fixture {
    char dir[64];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f)
        return -1;
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/plumb-backend-XXXXXX");
    *state = f;
    static const char *const names[] = {"TF_DATA_DIR",     "TF_WORKSPACE",     "PLUMB_TERRAFORM",
                                        "TF_HTTP_ADDRESS", "TF_HTTP_USERNAME", "TF_HTTP_PASSWORD"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        (void)unsetenv(names[i]);
    return mkdtemp(f->dir) ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", f->dir);
    int failed = system(command);
    free(f);
    return failed;
}

static void put(const struct fixture *f, const char *name, const char *text, unsigned mode)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct str path = io_join(&arena, str_from(f->dir), str_from(name));
    assert_true(io_make_dirs(arena_dup(&arena, io_dirname(path)).ptr, 0700, &err));
    if (!io_write_file_atomic(path.ptr, str_from(text), mode, &err))
        fail_msg("%s", err.frame[0]);
}

/* The only resource's name, "(none)" where there is no state, or the error; room of 1000. */
static const char *found(const struct stack *stack, char *room)
{
    struct desired *desired;
    struct err err = {0};
    struct resource r;
    if (!desired_open_stack_state(stack, &desired, &err))
        return err_text(&err, room, 1000);
    if (desired_info(desired)->no_state)
        (void)snprintf(room, 1000, "(none) %.*s", STR_ARG(desired_info(desired)->label));
    else if (desired_next(desired, &r, &err))
        (void)snprintf(room, 1000, "%.*s from %.*s", STR_ARG(r.name),
                       STR_ARG(desired_info(desired)->label));
    else
        (void)err_text(&err, room, 1000);
    desired_close(desired);
    return room;
}

static void expect(const struct fixture *f, struct stack stack, const char *want)
{
    char room[1000], whole[1000], dir[200];
    if (!stack.path.ptr)
        stack.path = str_from(f->dir);
    const char *got = found(&stack, room);
    /* the temporary directory is called DIR in what is wanted */
    (void)snprintf(dir, sizeof dir, "%s", f->dir);
    size_t n = 0;
    for (const char *p = got; *p && n + 4 < sizeof whole;) {
        if (strncmp(p, dir, strlen(dir)) == 0) {
            memcpy(whole + n, "DIR", 3);
            n += 3;
            p += strlen(dir);
        } else {
            whole[n++] = *p++;
        }
    }
    whole[n] = '\0';
    if (!strstr(whole, want))
        fail_msg("want: %s\n  got:  %s", want, whole);
}

static void local_layouts(void **state)
{
    struct fixture *f = *state;
    expect(f, (struct stack){.path = STR("/not/here")},
           "(none) there is no state, for there is no folder /not/here");
    expect(f, (struct stack){0}, "(none) there is no state: DIR/terraform.tfstate does not exist");
    put(f, "terraform.tfstate", STATE("default"), 0600);
    put(f, "terraform.tfstate.d/prod/terraform.tfstate", STATE("prod"), 0600);
    put(f, "explicit.json", STATE("explicit"), 0600);
    expect(f, (struct stack){0}, "default from state DIR/terraform.tfstate, serial 3");
    expect(f, (struct stack){.workspace = STR("prod")}, "prod from state DIR/terraform.tfstate.d/");
    expect(f, (struct stack){.workspace = STR("x")}, "(none) there is no state: DIR/terraform");
    put(f, ".terraform/environment", "prod\n", 0600);
    expect(f, (struct stack){0}, "prod from");
    expect(f, (struct stack){.workspace = STR("default")}, "default from");
    (void)setenv("TF_WORKSPACE", "default", 1);
    expect(f, (struct stack){0}, "default from");
    (void)unsetenv("TF_WORKSPACE");
    (void)setenv("TF_DATA_DIR", "other", 1);
    expect(f, (struct stack){0}, "default from");
    (void)unsetenv("TF_DATA_DIR");
    expect(f, (struct stack){.data_dir = STR("other")}, "default from");

    AUTO_ARENA arena = {.limit = 1 << 20};
    struct str path = io_join(&arena, str_from(f->dir), STR("explicit.json"));
    expect(f, (struct stack){.state = path}, "explicit from state DIR/explicit.json");
    expect(f, (struct stack){.state = STR("/nowhere/x")},
           "the state file /nowhere/x does not exist");
}

static void local_backend_with_paths(void **state)
{
    struct fixture *f = *state;
    put(f, ".terraform/terraform.tfstate",
        "{\"version\":3,\"backend\":{\"type\":\"local\",\"config\":{\"path\":\"sub/my.tfstate\","
        "\"workspace_dir\":\"spaces\"},\"hash\":1}}",
        0600);
    put(f, "sub/my.tfstate", STATE("mine"), 0600);
    put(f, "spaces/w/terraform.tfstate", STATE("w"), 0600);
    expect(f, (struct stack){0}, "mine from state DIR/sub/my.tfstate");
    expect(f, (struct stack){.workspace = STR("w")}, "w from state DIR/spaces/w/terraform.tfstate");
    put(f, ".terraform/terraform.tfstate",
        "{\"version\":3,\"backend\":{\"type\":\"local\",\"config\":{\"path\":null}}}", 0600);
    expect(f, (struct stack){0}, "(none)");
    put(f, ".terraform/terraform.tfstate", "{\"version\":3,", 0600);
    expect(f, (struct stack){0}, "DIR/.terraform/terraform.tfstate:1:14: the text ends too early");
}

static void other_backends_through_the_stacks_binary(void **state)
{
    struct fixture *f = *state;
    char binary[100];
    (void)snprintf(binary, sizeof binary, "%s/bin/tool", f->dir);
    put(f, ".terraform/terraform.tfstate",
        "{\"version\":3,\"backend\":{\"type\":\"s3\",\"config\":{\"bucket\":\"b\"}}}", 0600);
    (void)setenv("PLUMB_TERRAFORM", binary, 1);
    put(f, "state.json", STATE("pulled"), 0600);
    put(f, "bin/tool",
        "#!/bin/sh\n[ \"$*\" = 'state pull -no-color' ] || exit 9\n"
        "[ \"$TF_IN_AUTOMATION\" = 1 ] && [ \"$TF_DATA_DIR\" = .terraform ] || exit 8\n"
        "[ \"${TF_WORKSPACE-}\" = \"${WANT_WORKSPACE-}\" ] || exit 7\ncat state.json\n",
        0700);
    expect(f, (struct stack){0}, "pulled from state backend s3 (tool state pull), serial 3");
    (void)setenv("WANT_WORKSPACE", "prod", 1);
    expect(f, (struct stack){.workspace = STR("prod")}, "pulled from");
    (void)unsetenv("WANT_WORKSPACE");

    put(f, "bin/tool", "#!/bin/sh\necho 'Error: no credentials' >&2\necho '  for b' >&2\nexit 1\n",
        0700);
    expect(f, (struct stack){0}, "failed with exit code 1: Error: no credentials for b");
    put(f, "bin/tool", "#!/bin/sh\nexit 0\n", 0700);
    expect(f, (struct stack){0}, "(none) there is no state in backend s3");
    (void)setenv("PLUMB_TERRAFORM", "/nowhere/tofu", 1);
    expect(f, (struct stack){0}, "/nowhere/tofu state pull in DIR: run /nowhere/tofu");
    (void)unsetenv("PLUMB_TERRAFORM");
}

static void the_binary_that_the_lock_file_tells(void **state)
{
    struct fixture *f = *state;
    char path[100];
    const char *kept = getenv("PATH");
    char *before = strdup(kept ? kept : "");
    assert_non_null(before);
    (void)snprintf(path, sizeof path, "%s/bin", f->dir);
    put(f, ".terraform/terraform.tfstate", "{\"version\":3,\"backend\":{\"type\":\"gcs\"}}", 0600);
    put(f, ".terraform.lock.hcl", "provider \"registry.terraform.io/hashicorp/local\" {}\n", 0600);
    (void)setenv("PATH", path, 1);
    expect(f, (struct stack){0}, "neither tofu nor terraform is in PATH");
    put(f, "bin/tofu", "#!/bin/sh\necho '" STATE("tofu") "'\n", 0700);
    expect(f, (struct stack){0}, "tofu from state backend gcs (tofu state pull)");
    put(f, "bin/terraform", "#!/bin/sh\necho '" STATE("terraform") "'\n", 0700);
    expect(f, (struct stack){0}, "terraform from state backend gcs (terraform state pull)");
    put(f, ".terraform.lock.hcl", "provider \"registry.opentofu.org/hashicorp/local\" {}\n", 0600);
    expect(f, (struct stack){0}, "tofu from");
    (void)setenv("PATH", before, 1);
    free(before);
}

static void an_encrypted_local_state_is_asked_for_in_plain(void **state)
{
    struct fixture *f = *state;
    char binary[100];
    (void)snprintf(binary, sizeof binary, "%s/tool", f->dir);
    (void)setenv("PLUMB_TERRAFORM", binary, 1);
    put(f, "terraform.tfstate", ENCRYPTED, 0600);
    put(f, "tool", "#!/bin/sh\necho '" STATE("plain") "'\n", 0700);
    expect(f, (struct stack){0}, "plain from state DIR/terraform.tfstate (tool state pull)");
    put(f, "tool", "#!/bin/sh\necho '" ENCRYPTED "'\n", 0700);
    expect(f, (struct stack){0}, "is encrypted by OpenTofu: run `tofu state pull");
    (void)unsetenv("PLUMB_TERRAFORM");
    const char *kept = getenv("PATH");
    char *before = strdup(kept ? kept : "");
    assert_non_null(before);
    put(f, "bin/terraform", "#!/bin/sh\necho '" STATE("terraform") "'\n", 0700);
    (void)snprintf(binary, sizeof binary, "%s/bin", f->dir);
    (void)setenv("PATH", binary, 1);
    expect(f, (struct stack){0}, "tofu is not in PATH");
    (void)setenv("PATH", before, 1);
    free(before);
}

/* --- a server that gives one answer to each of `n` requests and keeps what the last one said ---
 */

struct server {
    int listener, n;
    const char *answer;
    char request[4000];
    pthread_t thread;
};

static void *serve(void *arg)
{
    struct server *server = arg;
    for (int i = 0; i < server->n; i++) {
        int fd = accept(server->listener, NULL, NULL);
        if (fd < 0)
            break;
        size_t have = 0;
        while (have + 1 < sizeof server->request) {
            ssize_t n = read(fd, server->request + have, sizeof server->request - 1 - have);
            if (n <= 0)
                break;
            have += (size_t)n;
            server->request[have] = '\0';
            if (strstr(server->request, "\r\n\r\n"))
                break;
        }
        (void)io_write_all(fd, str_from(server->answer), NULL);
        close(fd);
    }
    return NULL;
}

static int serve_start(struct server *server, int n, const char *answer)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    server->n = n;
    server->answer = answer;
    assert_int_equal(bind(server->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(server->listener, 4), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&at, &len), 0);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
    return ntohs(at.sin_port);
}

static void serve_end(struct server *server)
{
    (void)pthread_join(server->thread, NULL);
    close(server->listener);
}

static bool have_libcurl(void)
{
    const char *ci = getenv("CI");
    if (dlopen("libcurl.so.4", RTLD_NOW) || dlopen("libcurl-gnutls.so.4", RTLD_NOW))
        return true;
    if (ci && strcmp(ci, "true") == 0)
        fail_msg("libcurl4 is not installed");
    print_message("  skipped: libcurl4 is not installed\n");
    return false;
}

static void http_backend(void **state)
{
    struct fixture *f = *state;
    static const struct {
        int requests;
        const char *answer, *want;
    } rows[] = {
        {1, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" STATE("web"),
         "web from state http://127.0.0.1:"},
        {1, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", "(none) there is no state at"},
        {1, "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n", "(status 404)"},
        {1, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", "(none)"},
        {1, "HTTP/1.1 401 No\r\nConnection: close\r\n\r\n", "TF_HTTP_USERNAME, TF_HTTP_PASSWORD"},
        {3, "HTTP/1.1 500 Oops\r\nConnection: close\r\n\r\n", "status 500 where 200, 204 or 404"},
    };
    if (!have_libcurl())
        return;
    (void)setenv("TF_HTTP_PASSWORD", "pass", 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct server server = {0};
        char config[400];
        int port = serve_start(&server, rows[i].requests, rows[i].answer);
        (void)snprintf(config, sizeof config,
                       "{\"version\":3,\"backend\":{\"type\":\"http\",\"config\":{\"address\":"
                       "\"http://127.0.0.1:%d/s?token=secret\",\"username\":\"user\"}}}",
                       port);
        put(f, ".terraform/terraform.tfstate", config, 0600);
        expect(f, (struct stack){0}, rows[i].want);
        serve_end(&server);
        assert_non_null(strstr(server.request, "GET /s?token=secret HTTP/1.1\r\n"));
        assert_non_null(strstr(server.request, "Authorization: Basic dXNlcjpwYXNz\r\n"));
    }
    char room[1000];
    const struct stack closed = {.state = STR("http://u:p@127.0.0.1:1/x?token=secret"),
                                 .path = STR(".")};
    const char *got = found(&closed, room);
    assert_non_null(strstr(got, "GET http://127.0.0.1:1/x: "));
    assert_null(strstr(got, "secret"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(local_layouts, setup, teardown),
        cmocka_unit_test_setup_teardown(local_backend_with_paths, setup, teardown),
        cmocka_unit_test_setup_teardown(other_backends_through_the_stacks_binary, setup, teardown),
        cmocka_unit_test_setup_teardown(the_binary_that_the_lock_file_tells, setup, teardown),
        cmocka_unit_test_setup_teardown(an_encrypted_local_state_is_asked_for_in_plain, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(http_backend, setup, teardown),
    };
    return cmocka_run_group_tests_name("desired/backend", tests, NULL, NULL);
}

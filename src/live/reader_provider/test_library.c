/* test_library.c - schemas and functions of a provider process (tests/provider/fake_provider.py,
 * which needs python3-grpcio: without it one line says that this is skipped). */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "base/proc.h"
#include "lang/hcl/ops.h"
#include "live/library.h"
#include "live/reader.h"
#include "live/reader_provider/provider.h"
#include "model/stack.h"

#define FAKE STR("example.com/acme/fake")

struct world {
    char dir[40];
    struct arena arena;
    struct stack stack;
    struct reader_options options;
    struct library *library;
    char notes[500];
};

static void write_text(struct world *w, const char *name, const char *text, unsigned mode)
{
    struct str path = arena_printf(&w->arena, "%s/%s", w->dir, name);
    assert_true(io_write_file_atomic(path.ptr, str_from(text), mode, NULL));
}

static void open_library(struct world *w)
{
    struct err err = {0};
    if (!library_open(&w->stack, &w->options, &w->library, &err))
        fail_msg("%s", err.frame[0]);
}

/* Side by side: a folder for the CLI configuration, the provider by an override, and the cache. */
static int open_world(void **state)
{
    const char *root = getenv("PLUMB_ROOT") ? getenv("PLUMB_ROOT") : ".";
    struct world *w = calloc(1, sizeof *w);
    char cwd[1000];
    assert_non_null(w);
    assert_non_null(root[0] == '/' ? strcpy(cwd, "") : getcwd(cwd, sizeof cwd));
    w->arena.limit = 16 << 20;
    (void)strcpy(w->dir, "/tmp/plumb-library-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    const char *base = arena_printf(&w->arena, "%s%s%s", cwd, cwd[0] ? "/" : "", root).ptr;
    write_text(
        w, "terraform-provider-fake",
        arena_printf(&w->arena, "#!/bin/sh\nexec %s/tests/provider/fake_provider.py\n", base).ptr,
        0755);
    write_text(w, "rc",
               arena_printf(&w->arena,
                            "provider_installation {\n  dev_overrides {\n"
                            "    \"example.com/acme/fake\" = \"%s\"\n  }\n}\n",
                            w->dir)
                   .ptr,
               0644);
    (void)setenv("TF_CLI_CONFIG_FILE", arena_printf(&w->arena, "%s/rc", w->dir).ptr, 1);
    (void)setenv("FAKE_SCHEMA",
                 arena_printf(&w->arena, "%s/tests/data/tfplugin/schema6.bin", base).ptr, 1);
    (void)setenv("FAKE_PROTOCOL", "6", 1);
    (void)setenv("FAKE_START", "", 1);
    w->stack.path = str_from(w->dir);
    w->options.cache_dir = arena_printf(&w->arena, "%s/cache", w->dir);
    open_library(w);
    *state = w;
    return 0;
}

static int close_world(void **state)
{
    struct world *w = *state;
    char command[100];
    library_close(w->library);
    (void)snprintf(command, sizeof command, "rm -rf %s", w->dir);
    (void)!system(command);
    arena_free(&w->arena);
    free(w);
    return 0;
}

static void types_are_known_by_their_mode(void **state)
{
    struct world *w = *state;
    const struct str sources[] = {FAKE, STR("example.com/acme/none")};
    assert_true(library_prefetch(w->library, sources, 2, NULL));
    assert_non_null(library_schema(w->library, FAKE, CODE_MANAGED, STR("fake_nested")));
    assert_non_null(library_schema(w->library, FAKE, CODE_DATA, STR("fake_look")));
    assert_non_null(library_schema(w->library, FAKE, CODE_EPHEMERAL, STR("fake_token")));
    assert_null(library_schema(w->library, FAKE, CODE_DATA, STR("fake_nested")));
    assert_non_null(library_config_schema(w->library, FAKE));
    assert_int_equal(library_trouble(w->library, FAKE).len, 0);

    assert_null(library_schema(w->library, sources[1], CODE_MANAGED, STR("t")));
    assert_non_null(strstr(library_trouble(w->library, sources[1]).ptr, "not installed"));
    struct provider *shared = library_provider(w->library, FAKE);
    assert_int_equal(shared->protocol, 6);
}

/* One answer for as long as it is open: who reads is chosen by what was found. Opened again, it
 * looks again. */
static void what_is_installed_is_looked_at_once_for_each_library(void **state)
{
    struct world *w = *state;
    struct stack stack = w->stack;
    const struct resource ours = {
        .mode = RESOURCE_MANAGED, .type = STR_INIT("local_file"), .provider = FAKE};
    const struct resource other = {.mode = RESOURCE_MANAGED,
                                   .type = STR_INIT("local_file"),
                                   .provider = STR_INIT("registry.opentofu.org/hashicorp/local")};
    struct reader_choice choice = {.providers = w->library};
    assert_true(library_has(w->library, FAKE));
    assert_false(library_has(w->library, other.provider));
    assert_ptr_equal(reader_choose(&choice, &stack, &ours), reader_find(STR("provider")));
    assert_ptr_equal(reader_choose(&choice, &stack, &other), reader_find(STR("file")));
    assert_ptr_equal(choice.providers, w->library);
    assert_true(str_equal(library_locator(w->library)->root, stack.path));

    assert_int_equal(unlink(arena_printf(&w->arena, "%s/terraform-provider-fake", w->dir).ptr), 0);
    assert_true(library_has(w->library, FAKE));
    library_close(w->library);
    open_library(w);
    assert_false(library_has(w->library, FAKE));
}

/* The cache is enough, whatever the process would do. */
static void a_known_schema_needs_no_process(void **state)
{
    struct world *w = *state;
    assert_non_null(library_config_schema(w->library, FAKE));
    library_close(w->library);
    (void)setenv("FAKE_START", "exit", 1);
    open_library(w);
    assert_non_null(library_schema(w->library, FAKE, CODE_DATA, STR("fake_look")));
}

static void a_provider_that_does_not_start_is_trouble(void **state)
{
    struct world *w = *state;
    (void)setenv("FAKE_START", "exit", 1);
    assert_null(library_config_schema(w->library, FAKE));
    assert_non_null(strstr(library_trouble(w->library, FAKE).ptr, "exit code 3"));
    assert_null(library_config_schema(w->library, FAKE)); /* not tried again */
}

/* --- functions --- */

static const struct {
    const char *function;
    size_t nargs;
    int first; /* 0 "arn", 1 "bad", 2 null, 3 unknown, 4 secret, 5 a list */
    const char *error;
    enum value_kind result;
    bool secret;
} calls[] = {
    {"bare", 0, 0, NULL, VALUE_STRING, false},
    {"parse", 2, 0, NULL, VALUE_MAP, false},
    {"parse", 3, 4, NULL, VALUE_MAP, true},
    {"parse", 2, 3, NULL, VALUE_UNKNOWN, false},
    {"parse", 2, 1, "Invalid value for \"arn\" parameter: not an ARN", VALUE_UNKNOWN, false},
    {"parse", 2, 2, "argument must not be null", VALUE_UNKNOWN, false},
    {"parse", 2, 5, "Invalid value for \"arn\" parameter", VALUE_UNKNOWN, false},
    {"parse", 1, 0, "expects at least 2", VALUE_UNKNOWN, false},
    {"bare", 1, 0, "expects 0", VALUE_UNKNOWN, false},
    {"none", 0, 0, "not available from the provider", VALUE_UNKNOWN, false},
};

static struct value argument(struct arena *arena, int kind)
{
    static const struct value list = {.kind = VALUE_TUPLE};
    struct value secret = value_string(STR("arn"));
    secret.marks = VALUE_SENSITIVE;
    return kind == 1   ? value_string(STR("bad"))
           : kind == 2 ? value_null()
           : kind == 3 ? hcl_unknown(arena, &type_string)
           : kind == 4 ? secret
           : kind == 5 ? list
                       : value_string(STR("arn"));
}

static void functions_are_called(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct hcl_diags diags = {.arena = &w->arena};
        struct hcl_eval ev = {.arena = &w->arena, .diags = &diags};
        static const struct value rest = {.kind = VALUE_TUPLE};
        struct value args[3] = {argument(&w->arena, calls[i].first), value_int(1), rest};
        struct value got = hcl_any();
        print_message("  %s with %zu: %d\n", calls[i].function, calls[i].nargs, calls[i].first);
        bool ok = library_call_function(w->library, &ev, FAKE, str_from(calls[i].function), args,
                                        calls[i].nargs, &got);
        if (ok != !calls[i].error && diags.n)
            fail_msg("%.*s", STR_ARG(diags.diag[0].detail));
        assert_int_equal(ok, !calls[i].error);
        assert_int_equal(got.kind, calls[i].result);
        assert_int_equal(got.marks & VALUE_SENSITIVE, calls[i].secret ? VALUE_SENSITIVE : 0);
        assert_int_equal(diags.n, calls[i].error ? 1 : 0);
        if (calls[i].error)
            assert_true(str_find(diags.diag[0].detail, str_from(calls[i].error), 0) != SIZE_MAX);
    }
}

static void a_function_that_cannot_be_asked_is_unknown(void **state)
{
    struct world *w = *state;
    struct hcl_diags diags = {.arena = &w->arena};
    struct hcl_eval ev = {.arena = &w->arena, .diags = &diags};
    struct value got = hcl_any();
    assert_true(library_call_function(w->library, &ev, STR("example.com/acme/none"), STR("f"), NULL,
                                      0, &got));
    assert_int_equal(got.kind, VALUE_UNKNOWN);
    assert_int_equal(diags.n, 0);
}

static bool have_grpcio(void)
{
    AUTO_ARENA arena = {.limit = 4 << 20};
    const char *const argv[] = {"/usr/bin/python3", "-c", "import grpc", NULL};
    struct proc_spec spec = {.argv = argv};
    struct proc_result result;
    return proc_run(&arena, &spec, &result, NULL) && result.exit_code == 0;
}

#define WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD(types_are_known_by_their_mode),
        WORLD(what_is_installed_is_looked_at_once_for_each_library),
        WORLD(a_known_schema_needs_no_process),
        WORLD(a_provider_that_does_not_start_is_trouble),
        WORLD(functions_are_called),
        WORLD(a_function_that_cannot_be_asked_is_unknown),
    };
    if (!have_grpcio()) {
        const char *ci = getenv("CI");
        (void)fprintf(stderr, "live/library: skipped: python3-grpcio is not installed\n");
        return ci && strcmp(ci, "true") == 0 ? 1 : 0;
    }
    return cmocka_run_group_tests_name("live/reader_provider/library", tests, NULL, NULL);
}

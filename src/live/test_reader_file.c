/* test_reader_file.c - what the file reader sees of files that it makes: a behaviour is a row. */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "live/reader.h"
#include "model/stack.h"
#include "value/diff.h"

extern const struct reader reader_file;

/* "hello\n" */
#define MD5 "b1946ac92492d2347c6235b4d2611184"
#define SHA1 "f572d396fae9206628714fb2ce00f72e94f2258f"
#define SHA256 "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
#define SHA256_BASE64 "WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM="
#define DIGESTS \
    "\"id\":\"" SHA1 "\",\"content_md5\":\"" MD5 "\",\"content_sha256\":\"" SHA256 "\"," \
    "\"content_base64sha256\":\"" SHA256_BASE64 "\",\"source\":null,\"directory_permission\":" \
    "\"0777\""
#define HELLO \
    "{\"filename\":\"./f\",\"content\":\"hello\\n\",\"file_permission\":\"0644\"," DIGESTS "}"
#define BINARY "{\"filename\":\"f\",\"content_base64\":\"aGVsbG8K\",\"content\":null," DIGESTS "}"
#define SOURCE \
    "{\"filename\":\"f\",\"content\":null,\"id\":\"" SHA1 "\",\"content_sha256\":\"" SHA256 \
    "\",\"source\":\"/elsewhere\"}"
#define MODE(mode) \
    "{\"filename\":\"f\",\"content\":\"hello\\n\",\"file_permission\":\"" mode "\",\"id\":\"" SHA1 \
    "\"}"
#define DIRMODE(mode) \
    "{\"filename\":\"d/f\",\"content\":\"hello\\n\",\"directory_permission\":\"" mode "\"}"

enum make { MAKE_FILE, MAKE_NOTHING, MAKE_DIR, MAKE_PIPE, MAKE_LINK, MAKE_DANGLING, MAKE_IN_DIR };

static const struct {
    const char *says;
    const char *attributes;
    enum make make;
    const char *content;
    unsigned mode; /* of the file; MAKE_IN_DIR: of the directory */
    enum live_status status;
    const char *expect; /* changed paths with a blank behind each, or a part of the reason */
} cases[] = {
    {"the same", HELLO, MAKE_FILE, "hello\n", 0644, LIVE_READ, ""},
    {"other content", HELLO, MAKE_FILE, "bye\n", 0644, LIVE_READ,
     "content content_base64sha256 content_md5 content_sha256 id "},
    {"empty", HELLO, MAKE_FILE, "", 0644, LIVE_READ,
     "content content_base64sha256 content_md5 content_sha256 id "},
    {"other mode", HELLO, MAKE_FILE, "hello\n", 0755, LIVE_READ, "file_permission "},
    {"gone", HELLO, MAKE_NOTHING, "", 0, LIVE_GONE, ""},
    {"a link is followed", HELLO, MAKE_LINK, "hello\n", 0644, LIVE_READ, ""},
    {"a dangling link is gone", HELLO, MAKE_DANGLING, "", 0, LIVE_GONE, ""},
    {"a directory", HELLO, MAKE_DIR, "", 0, LIVE_UNREADABLE, "a directory"},
    {"a named pipe does not hang", HELLO, MAKE_PIPE, "", 0, LIVE_UNREADABLE, "a named pipe"},
    {"base64: the same", BINARY, MAKE_FILE, "hello\n", 0600, LIVE_READ, ""},
    {"base64: other", BINARY, MAKE_FILE, "hello", 0600, LIVE_READ,
     "content_base64 content_base64sha256 content_md5 content_sha256 id "},
    {"source: the same", SOURCE, MAKE_FILE, "hello\n", 0644, LIVE_READ, ""},
    {"source: digests tell", SOURCE, MAKE_FILE, "x", 0644, LIVE_READ, "content_sha256 id "},
    {"not UTF-8", MODE("0644"), MAKE_FILE, "\xff\xfe", 0644, LIVE_READ, "content id "},
    {"umask 077 explains", MODE("0644"), MAKE_FILE, "hello\n", 0600, LIVE_READ, ""},
    {"umask 022 explains", MODE("0777"), MAKE_FILE, "hello\n", 0755, LIVE_READ, ""},
    {"umask 002 explains", MODE("0664"), MAKE_FILE, "hello\n", 0664, LIVE_READ, ""},
    {"three digits", MODE("644"), MAKE_FILE, "hello\n", 0644, LIVE_READ, ""},
    {"no umask takes the owner's", MODE("0644"), MAKE_FILE, "hello\n", 0444, LIVE_READ,
     "file_permission "},
    {"no umask is 013", MODE("0755"), MAKE_FILE, "hello\n", 0744, LIVE_READ, "file_permission "},
    {"a set-uid bit is seen", MODE("0755"), MAKE_FILE, "hello\n", 04755, LIVE_READ,
     "file_permission "},
    {"directory: umask", DIRMODE("0777"), MAKE_IN_DIR, "hello\n", 0755, LIVE_READ, ""},
    {"directory: set-gid says nothing", DIRMODE("0777"), MAKE_IN_DIR, "hello\n", 02755, LIVE_READ,
     ""},
    {"directory: more readable proves nothing", DIRMODE("0700"), MAKE_IN_DIR, "hello\n", 0755,
     LIVE_READ, ""},
    {"directory: writable for others", DIRMODE("0700"), MAKE_IN_DIR, "hello\n", 0777, LIVE_READ,
     "directory_permission "},
    {"directory: sticky like /tmp", DIRMODE("0700"), MAKE_IN_DIR, "hello\n", 01777, LIVE_READ, ""},
    {"no filename", "{\"content\":\"x\"}", MAKE_NOTHING, "", 0, LIVE_UNREADABLE, "filename"},
    {"a NUL in the filename", "{\"filename\":\"a\\u0000b\"}", MAKE_NOTHING, "", 0, LIVE_UNREADABLE,
     "filename"},
    {"bad attributes", "{\"filename\":", MAKE_NOTHING, "", 0, LIVE_UNREADABLE, "attributes:1:"},
    {"flatmap", "", MAKE_NOTHING, "", 0, LIVE_UNREADABLE, "0.11"},
    {"a path through a file", "{\"filename\":\"f/g\"}", MAKE_FILE, "", 0644, LIVE_UNREADABLE,
     "Not a directory"},
    {"a new attribute of a newer provider", "{\"filename\":\"f\",\"zeal\":\"x\"}", MAKE_FILE, "",
     0644, LIVE_READ, ""},
};

static void write_file(const char *path, const char *content, unsigned mode)
{
    assert_true(io_write_file_atomic(path, str_from(content), 0600, NULL));
    assert_int_equal(chmod(path, (mode_t)mode), 0);
}

static void make_world(enum make make, const char *content, unsigned mode)
{
    switch (make) {
    case MAKE_FILE:
        write_file("f", content, mode);
        break;
    case MAKE_LINK:
        write_file("target", content, mode);
        assert_int_equal(symlink("target", "f"), 0);
        break;
    case MAKE_DANGLING:
        assert_int_equal(symlink("nowhere", "f"), 0);
        break;
    case MAKE_DIR:
        assert_int_equal(mkdir("f", 0755), 0);
        break;
    case MAKE_PIPE:
        assert_int_equal(mkfifo("f", 0644), 0);
        break;
    case MAKE_IN_DIR:
        assert_int_equal(mkdir("d", 0755), 0);
        write_file("d/f", content, 0644);
        assert_int_equal(chmod("d", (mode_t)mode), 0);
        break;
    case MAKE_NOTHING:
        break;
    }
}

static void clear_world(void)
{
    (void)unlink("d/f");
    (void)rmdir("d");
    if (unlink("f") < 0)
        (void)rmdir("f");
    (void)unlink("target");
}

/* What the callback saw, as text. */
struct seen {
    struct arena *arena;
    unsigned times;
    enum live_status status;
    struct str text; /* changed paths or the reason */
    bool content_sensitive, digest_sensitive, digest_configurable, content_not_observed;
    size_t nnot_observed;
};

static bool note_result(void *ctx, const struct live_result *result, struct err *err)
{
    struct seen *seen = ctx;
    AUTO_BUF text = {.limit = 1 << 20};
    seen->times++;
    seen->status = result->status;
    seen->nnot_observed = result->nnot_observed;
    if (result->status == LIVE_UNREADABLE)
        buf_str(&text, result->reason);
    if (result->status == LIVE_READ) {
        struct value_diff diff;
        assert_true(value_diff(seen->arena, &result->desired, &result->live, &diff, err));
        for (size_t i = 0; i < diff.n; i++) {
            path_print(&text, diff.change[i].path);
            buf_char(&text, ' ');
        }
        const struct schema_block *block = &result->schema->block;
        seen->content_sensitive = schema_find_attribute(block, STR("content"))->sensitive;
        seen->digest_sensitive = schema_find_attribute(block, STR("content_sha256"))->sensitive;
        seen->digest_configurable = schema_find_attribute(block, STR("content_sha256"))->optional;
    }
    for (size_t i = 0; i < result->nnot_observed; i++)
        seen->content_not_observed |=
            str_equal(result->not_observed[i].step[0].key, STR("content"));
    seen->text = arena_dup(seen->arena, buf_view(&text));
    return true;
}

static struct resource resource_of(const char *type, const char *attributes)
{
    return (struct resource){
        .address = STR("local_file.f"),
        .type = str_from(type),
        .provider = STR("registry.opentofu.org/hashicorp/local"),
        .attributes_json = str_from(attributes),
    };
}

static void read_one(struct arena *arena, const struct resource *resource, struct seen *ret)
{
    static const struct reader_options options;
    struct stack stack = {.path = STR(".")};
    struct err err = {0};
    *ret = (struct seen){.arena = arena};
    assert_true(reader_file.claims(&stack, resource, NULL));
    assert_true(reader_file.read(&stack, &resource, 1, &options, note_result, ret, &err));
    assert_int_equal(ret->times, 1);
}

static void sees_what_each_case_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 16 << 20};
        struct resource resource = resource_of("local_file", cases[i].attributes);
        struct seen seen;
        print_message("  %s\n", cases[i].says);
        make_world(cases[i].make, cases[i].content, cases[i].mode);
        read_one(&arena, &resource, &seen);
        assert_int_equal(seen.status, cases[i].status);
        if (seen.status == LIVE_READ)
            assert_string_equal(seen.text.ptr, cases[i].expect);
        else
            assert_non_null(strstr(seen.text.ptr, cases[i].expect));
        clear_world();
    }
}

static void no_permission_is_unreadable_not_gone(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct resource resource = resource_of("local_file", HELLO);
    struct seen seen;
    uid_t user = geteuid();
    write_file("f", "hello\n", 0);
    if (user == 0)
        assert_int_equal(seteuid(65534), 0);
    read_one(&arena, &resource, &seen);
    if (user == 0)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(seen.status, LIVE_UNREADABLE);
    assert_string_equal(seen.text.ptr, "the file cannot be read: Permission denied");
    clear_world();
}

static void a_secret_is_marked_and_so_are_its_digests(void **state)
{
    (void)state;
    static const struct path_step content = {.kind = PATH_KEY, .key = STR_INIT("content")};
    static const struct path_step unused = {.kind = PATH_KEY, .key = STR_INIT("sensitive_content")};
    static const struct path marked = {&content, 1}, elsewhere = {&unused, 1};
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct resource plain = resource_of("local_file", HELLO), by_state = plain;
    struct resource by_type = resource_of("local_sensitive_file", HELLO);
    struct seen seen;
    by_state.sensitive = &marked;
    by_state.nsensitive = 1;
    plain.sensitive = &elsewhere; /* as every local_file has it: the attribute is null */
    plain.nsensitive = 1;
    write_file("f", "other\n", 0644);
    read_one(&arena, &plain, &seen);
    assert_false(seen.content_sensitive || seen.digest_sensitive || seen.digest_configurable);
    read_one(&arena, &by_type, &seen);
    assert_true(seen.content_sensitive && seen.digest_sensitive);
    read_one(&arena, &by_state, &seen);
    assert_true(seen.content_sensitive && seen.digest_sensitive);
    clear_world();
}

/* Past the limit only the digests tell, and the one that stands in counts as the code's. */
static void a_huge_file_is_compared_by_its_digest(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct resource resource = resource_of("local_file", HELLO);
    struct seen seen;
    write_file("f", "", 0644);
    assert_int_equal(truncate("f", 40 << 20), 0);
    read_one(&arena, &resource, &seen);
    assert_int_equal(seen.status, LIVE_READ);
    assert_string_equal(seen.text.ptr, "content_base64sha256 content_md5 content_sha256 id ");
    assert_true(seen.digest_configurable && seen.content_not_observed);
    clear_world();
}

static void claims_its_two_types_only(void **state)
{
    (void)state;
    static const struct {
        const char *type, *provider;
        enum resource_mode mode;
        bool claimed;
    } rows[] = {
        {"local_file", "registry.terraform.io/hashicorp/local", RESOURCE_MANAGED, true},
        {"local_sensitive_file", "registry.opentofu.org/hashicorp/local", RESOURCE_MANAGED, true},
        {"local_file", "registry.terraform.io/hashicorp/local", RESOURCE_DATA, false},
        {"local_file", "registry.terraform.io/acme/local", RESOURCE_MANAGED, false},
        {"local_command", "registry.terraform.io/hashicorp/local", RESOURCE_MANAGED, false},
        {"aws_instance", "registry.terraform.io/hashicorp/aws", RESOURCE_MANAGED, false},
    };
    struct stack stack = {.path = STR(".")};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct resource resource = resource_of(rows[i].type, HELLO);
        resource.provider = str_from(rows[i].provider);
        resource.mode = rows[i].mode;
        assert_int_equal(reader_file.claims(&stack, &resource, NULL), rows[i].claimed);
    }
}

static void stops_when_cancelled(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct resource resource = resource_of("local_file", HELLO);
    const struct resource *list = &resource;
    const volatile int cancel = 1;
    struct reader_options options = {.cancel = &cancel};
    struct stack stack = {.path = STR(".")};
    struct seen seen = {.arena = &arena};
    struct err err = {0};
    assert_false(reader_file.read(&stack, &list, 1, &options, note_result, &seen, &err));
    assert_int_equal(err.kind, ERR_CANCELLED);
    assert_int_equal(seen.times, 0);
}

static int enter_folder(void **state)
{
    static char name[] = "/tmp/plumb-reader-file-XXXXXX";
    *state = mkdtemp(name);
    return *state && chmod(name, 0755) == 0 ? chdir(name) : -1;
}

static int leave_folder(void **state)
{
    return chdir("/") == 0 ? rmdir(*state) : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sees_what_each_case_says),
        cmocka_unit_test(no_permission_is_unreadable_not_gone),
        cmocka_unit_test(a_secret_is_marked_and_so_are_its_digests),
        cmocka_unit_test(a_huge_file_is_compared_by_its_digest),
        cmocka_unit_test(claims_its_two_types_only),
        cmocka_unit_test(stops_when_cancelled),
    };
    return cmocka_run_group_tests_name("live/reader_file", tests, enter_folder, leave_folder);
}

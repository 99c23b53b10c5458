/* test_pack.c - packs, their digests and pins, and bundles of them. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "policy/bundle.h"
#include "value/value.h"

enum { MEMORY = 64 << 20 };

static struct pack_file file(const char *path, const char *text)
{
    struct pack_file f = {.path = str_from(path), .text = str_from(text)};
    assert_true(digest_sha256(f.text, &f.digest, NULL));
    return f;
}

static void what_plumb_carries_is_read(void **state)
{
    AUTO_ARENA arena = {.limit = MEMORY};
    struct err err = {0};
    struct pack pack, again;
    struct str text;
    (void)state;
    assert_true(pack_read(&arena, STR("builtin:baseline"), &pack, &err));
    assert_true(str_equal(pack.name, STR("baseline")));
    assert_true(pack.version.len > 0 && pack.description.len > 0);
    assert_true(pack.n > 20);
    for (size_t i = 1; i < pack.n; i++)
        assert_true(str_compare(pack.file[i - 1].path, pack.file[i].path) < 0);
    assert_true(pack_read(&arena, STR("builtin:baseline"), &again, &err));
    assert_true(digest_equal(&pack.digest, &again.digest));
    assert_true(
        pack_read_text(&arena, STR("builtin:baseline/aws/storage.yaml"), MEMORY, &text, &err));
    assert_true(str_find(text, STR("aws-s3-public-access-block"), 0) != SIZE_MAX);
    assert_false(pack_read_text(&arena, STR("builtin:baseline/aws"), MEMORY, &text, &err));
    err_clear(&err);
    assert_false(pack_read_text(&arena, STR("builtin:baseline/aws/storage.yaml"), 10, &text, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    err_clear(&err);
    assert_false(pack_read(&arena, STR("builtin:nothing"), &pack, &err));
    assert_int_equal(err.kind, ERR_IO);
}

static const struct {
    const char *says, *path, *text; /* of the one file that is other, in place of b.rego */
    const char *wants;              /* in the message; NULL = no objection */
} pins[] = {
    {"nothing changed", "b.rego", "package b", NULL},
    {"another text", "b.rego", "package c", "changed b.rego;"},
    {"another name", "c.rego", "package b", "new c.rego"},
    {"a name before", "a.rego", "package b", "new a.rego, gone b.rego;"},
};

static void a_pin_names_what_differs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pins / sizeof *pins; i++) {
        AUTO_BUF text = {.limit = MEMORY};
        struct err err = {0};
        const struct pack_file then[] = {file("b.rego", "package b"), file("x.json", "{}")};
        const struct pack_file now[] = {file(pins[i].path, pins[i].text), file("x.json", "{}")};
        const struct pack before = {.origin = STR_INIT("p"), .file = then, .n = 2};
        const struct pack after = {.origin = STR_INIT("p"), .file = now, .n = 2};
        print_message("  %s\n", pins[i].says);
        pack_pins_write(&text, &before, 1);
        bool ok = pack_pins_check(buf_view(&text), STR("plumb.packs"), &after, 1, &err);
        assert_int_equal(ok, pins[i].wants == NULL);
        if (pins[i].wants) {
            assert_int_equal(err.kind, ERR_CONFLICT);
            assert_non_null(strstr(err.frame[0], pins[i].wants));
        }
    }
}

/* A pack that is not pinned, or pinned by another digest than its listing has, is none that was
 * reviewed; a pin of a pack that is not in use is nobody's business. */
static void what_is_not_pinned_is_refused(void **state)
{
    AUTO_BUF text = {.limit = MEMORY}, gone_too = {.limit = MEMORY};
    struct err err = {0};
    const struct pack_file files[] = {file("b.rego", "package b")};
    const struct pack packs[] = {{.origin = STR_INIT("p"), .file = files, .n = 1},
                                 {.origin = STR_INIT("q"), .file = files, .n = 1}};
    const struct pack other = {.origin = STR_INIT("./p"), .file = files, .n = 1};
    struct pack changed = packs[0];
    (void)state;
    pack_pins_write(&text, packs, 1);
    pack_pins_write(&gone_too, packs, 2);
    assert_true(pack_pins_check(buf_view(&gone_too), STR("plumb.packs"), packs, 1, &err));
    assert_false(pack_pins_check(buf_view(&text), STR("plumb.packs"), packs, 2, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_non_null(strstr(err.frame[0], "pack q is not among those that plumb.packs pins"));
    assert_false(pack_pins_check(buf_view(&text), STR("plumb.packs"), &other, 1, NULL));
    assert_false(pack_pins_check(STR("# none\n"), STR("plumb.packs"), packs, 1, NULL));
    changed.digest.byte[0] ^= 1;
    assert_false(pack_pins_check(buf_view(&text), STR("plumb.packs"), &changed, 1, &err));
    assert_non_null(strstr(err.frame[0], "is not that of the files"));
    assert_false(pack_pins_check(STR("pack p\n"), STR("plumb.packs"), packs, 1, &err));
    assert_non_null(strstr(err.frame[0], "plumb.packs:1: want"));
    err_clear(&err);
    assert_false(pack_pins_check(STR("  sha256:12 b\n"), STR("plumb.packs"), packs, 1, &err));
    assert_int_equal(err.kind, ERR_SYNTAX);
}

static void a_bundle_is_read_as_it_was_written(void **state)
{
    enum { LONG = 120 };
    AUTO_ARENA arena = {.limit = MEMORY};
    AUTO_BUF out = {.limit = MEMORY}, twice = {.limit = MEMORY};
    char name[LONG + 16] = "d/";
    struct err err = {0};
    const struct value data = {.kind = VALUE_OBJECT};
    struct pack_file *back;
    size_t n;
    (void)state;
    memset(name + 2, 'x', LONG / 2);
    memcpy(name + 2 + LONG / 2, "/", 1);
    memset(name + 3 + LONG / 2, 'y', LONG / 2);
    memcpy(name + 3 + LONG, ".rego", 6);
    const struct pack_file files[] = {file("a.rego", "# c\n\npackage a.b # d\n"),
                                      file(name, "package a.b.c")};
    const struct pack pack = {.origin = STR_INIT("p"), .file = files, .n = 2};
    const struct bundle_options how = {.data = &data, .revision = STR_INIT("r1")};
    assert_true(bundle_write(&arena, &pack, &how, &out, &err));
    assert_true(bundle_write(&arena, &pack, &how, &twice, &err));
    assert_true(str_equal(buf_view(&out), buf_view(&twice)));
    assert_true(bundle_unpack(&arena, buf_view(&out), STR("b"), &back, &n, &err));
    assert_int_equal(n, 4);
    assert_true(str_equal(back[0].text,
                          STR("{\"revision\":\"r1\",\"roots\":[\"a/b\"],\"rego_version\":1}")));
    assert_true(str_equal(back[1].text, files[0].text));
    assert_true(str_equal(back[2].path, str_from(name)));
    /* Any end that is cut off is an error, none a crash. */
    for (size_t cut = 0; cut < out.len; cut++)
        assert_false(
            bundle_unpack(&arena, str_sub(buf_view(&out), 0, cut), STR("b"), &back, &n, NULL));
}

static void rego_without_a_package_is_no_bundle(void **state)
{
    AUTO_ARENA arena = {.limit = MEMORY};
    AUTO_BUF out = {.limit = MEMORY};
    struct err err = {0};
    const struct value data = {.kind = VALUE_OBJECT};
    const struct pack_file files[] = {file("a.rego", "deny := 1")};
    const struct pack pack = {.origin = STR_INIT("p"), .file = files, .n = 1};
    const struct bundle_options how = {.data = &data};
    (void)state;
    assert_false(bundle_write(&arena, &pack, &how, &out, &err));
    assert_string_equal(err.frame[0], "a.rego: no package");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_plumb_carries_is_read),
        cmocka_unit_test(a_pin_names_what_differs),
        cmocka_unit_test(what_is_not_pinned_is_refused),
        cmocka_unit_test(a_bundle_is_read_as_it_was_written),
        cmocka_unit_test(rego_without_a_package_is_no_bundle),
    };
    return cmocka_run_group_tests_name("policy/pack", tests, NULL, NULL);
}

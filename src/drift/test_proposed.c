/* test_proposed.c - proposed_new(), proposed_fill_blocks() and ignore_changes_apply() give what
 * Terraform's own code gave for random schemas and values (tests/data/drift/proposed.jsonl: schema
 * as tfplugin6 bytes, values as msgpack, all base64), and the cases that matter by name. */
#include "base/test.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/io.h"
#include "desired/ignore_changes.h"
#include "drift/proposed.h"
#include "drift/setorder.h"
#include "live/reader_provider/tfplugin.h"
#include "wire/json.h"
#include "wire/msgpack.h"
#include "wire/protobuf.h"

static struct str bytes_of(struct arena *arena, const struct value *row, const char *key)
{
    struct str bytes = {0};
    struct str text = value_get_string(row, str_from(key));
    assert_true(base64_decode(arena, text, &bytes, NULL));
    return bytes;
}

static const struct schema_block *block_of(struct arena *arena, struct str block)
{
    AUTO_BUF out = {.limit = 1 << 20};
    struct provider_schema schema;
    struct tf_diagnostics diagnostics;
    size_t entry = pb_open(&out, 2);
    pb_put_bytes(&out, 1, STR("t"));
    size_t value = pb_open(&out, 2);
    pb_put_message(&out, 2, block);
    pb_close(&out, value);
    pb_close(&out, entry);
    size_t provider = pb_open(&out, 1);
    pb_close(&out, provider);
    assert_true(tf_decode_schema(arena, 6, TF_SCHEMA_RESOURCES, buf_view(&out), &schema,
                                 &diagnostics, NULL));
    return &schema.resources[0].schema->block;
}

static struct value value_of(struct arena *arena, const struct schema_block *block,
                             const struct value *row, const char *key)
{
    struct value v;
    struct err err = {0};
    if (!msgpack_decode(arena, block->type, bytes_of(arena, row, key), &v, &err))
        fail_msg("%s: %s", key, err.frame[0]);
    return v;
}

/* Equal, unknown values by their places. */
static bool same(struct arena *arena, const struct schema_block *block, const struct value *a,
                 const struct value *b)
{
    AUTO_BUF x = {.limit = 1 << 20}, y = {.limit = 1 << 20};
    (void)arena;
    assert_true(msgpack_encode(&x, block->type, a, NULL));
    assert_true(msgpack_encode(&y, block->type, b, NULL));
    return str_equal(buf_view(&x), buf_view(&y));
}

static struct str text_of(struct arena *arena, const struct value *v)
{
    AUTO_BUF out = {.limit = 1 << 20};
    struct jsonw w = {.out = &out};
    jsonw_value(&w, v);
    return arena_dup(arena, buf_view(&out));
}

static void must_be(struct arena *arena, const struct schema_block *block, const struct value *row,
                    const char *key, const struct value *got, size_t line)
{
    struct value want = value_of(arena, block, row, key);
    if (same(arena, block, got, &want))
        return;
    struct value prior = value_of(arena, block, row, "prior");
    struct value config = value_of(arena, block, row, "config");
    fail_msg("line %zu, %s\nprior:  %.*s\nconfig: %.*s\nwant:   %.*s\ngot:    %.*s", line, key,
             STR_ARG(text_of(arena, &prior)), STR_ARG(text_of(arena, &config)),
             STR_ARG(text_of(arena, &want)), STR_ARG(text_of(arena, got)));
}

static struct ignored_path path_of(struct arena *arena, const struct value *list)
{
    struct path_step *steps = arena_new(arena, struct path_step, list->len);
    bool *is_index = arena_new(arena, bool, list->len);
    for (uint32_t i = 0; i < list->len; i++) {
        const struct value *from = &list->items[i], *index = value_get(from, STR("index"));
        const struct value *attr = value_get(from, STR("attr"));
        is_index[i] = !attr;
        if (index) {
            steps[i].kind = PATH_INDEX;
            assert_true(value_to_int64(index, &steps[i].index));
        } else {
            steps[i] = (struct path_step){.kind = PATH_KEY};
            steps[i].key = attr ? value_text(attr) : value_get_string(from, STR("key"));
        }
    }
    return (struct ignored_path){{steps, list->len}, is_index};
}

static struct ignore_changes ignored_of(struct arena *arena, const struct value *row)
{
    struct ignore_changes ignored = {.all = value_get_bool(row, STR("all"), false)};
    const struct value *lists = value_get(row, STR("ignore"));
    if (!lists)
        return ignored;
    struct ignored_path *paths = arena_new(arena, struct ignored_path, lists->len);
    for (uint32_t i = 0; i < lists->len; i++)
        paths[i] = path_of(arena, &lists->items[i]);
    ignored.paths = paths;
    ignored.n = lists->len;
    return ignored;
}

static void check_row(struct arena *arena, struct str text, size_t line)
{
    struct value row, got;
    assert_true(json_parse(arena, text, "row", JSON_DEFAULT, &row, NULL));
    const struct schema_block *block = block_of(arena, bytes_of(arena, &row, "schema"));
    struct value prior = value_of(arena, block, &row, "prior");
    struct value config = value_of(arena, block, &row, "config");
    assert_true(proposed_new(arena, block, &prior, &config, &got, NULL));
    must_be(arena, block, &row, "want", &got, line);
    assert_true(proposed_fill_blocks(arena, block, &prior, &got, NULL));
    must_be(arena, block, &row, "filled", &got, line);
    struct ignore_changes ignored = ignored_of(arena, &row);
    if (!ignore_changes_any(&ignored))
        return;
    assert_true(ignore_changes_apply(arena, &ignored, block, &prior, &config, &got, NULL));
    must_be(arena, block, &row, "ignored", &got, line);
}

static void all_is_as_terraform_made_it(void **state)
{
    (void)state;
    AUTO_ARENA keep = {.limit = 1 << 30};
    const char *root = getenv("PLUMB_ROOT");
    struct str path = arena_printf(&keep, "%s/tests/data/drift/proposed.jsonl", root ? root : ".");
    struct str text, line;
    size_t n = 0;
    assert_true(io_read_file(&keep, path.ptr, 1 << 29, &text, NULL));
    while (str_cut(&text, '\n', &line) || line.len) {
        AUTO_ARENA arena = {.limit = 64 << 20};
        check_row(&arena, line, ++n);
        if (!text.len)
            break;
    }
    print_message("  %zu rows\n", n);
    assert_true(n >= 300);
}

/* --- by name --- */

static struct value json(struct arena *arena, const char *text)
{
    struct value v;
    assert_true(json_parse(arena, str_from(text), "v", JSON_DEFAULT, &v, NULL));
    return v;
}

static const struct {
    const char *says, *path;
    bool is_index; /* of the last step */
    const char *prior, *plan, *want;
} reverted[] = {
    {"an attribute", "a", false, "{\"a\":1,\"b\":1}", "{\"a\":2,\"b\":2}", "{\"a\":1,\"b\":2}"},
    {"a whole object by a key", "o[\"x\"]", true, "{\"o\":{\"x\":1,\"y\":1}}",
     "{\"o\":{\"x\":2,\"y\":2}}", "{\"o\":{\"x\":1,\"y\":1}}"},
    {"a place that is not there", "a.b", false, "{\"a\":1}", "{\"a\":2}", "{\"a\":2}"},
    {"a null place", "a", false, "{\"a\":null}", "{\"a\":2}", "{\"a\":null}"},
};

/* Without a schema: what a legacy provider planned in spite of its configuration. */
static void a_legacy_plan_is_taken_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof reverted / sizeof *reverted; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct ignored_path at;
        struct value prior = json(&arena, reverted[i].prior), plan = json(&arena, reverted[i].plan);
        struct value want = json(&arena, reverted[i].want), got;
        print_message("  %s\n", reverted[i].says);
        assert_true(path_parse(&arena, str_from(reverted[i].path), &at.path, NULL));
        bool *is_index = arena_new(&arena, bool, at.path.n);
        is_index[at.path.n - 1] = reverted[i].is_index;
        at.is_index = is_index;
        struct ignore_changes ignored = {.paths = &at, .n = 1};
        assert_true(ignore_changes_apply(&arena, &ignored, NULL, &prior, &plan, &got, NULL));
        assert_true(value_equal(&got, &want));
        ignored = (struct ignore_changes){.all = true};
        assert_true(ignore_changes_apply(&arena, &ignored, NULL, &prior, &plan, &got, NULL));
        assert_true(value_equal(&got, &prior));
        struct value none = value_null();
        assert_true(ignore_changes_apply(&arena, &ignored, NULL, &none, &plan, &got, NULL));
        assert_true(value_equal(&got, &plan));
    }
}

static void what_is_ignored_covers_what_is_below(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    const bool is_index[] = {false, true};
    struct ignored_path at = {.is_index = is_index};
    struct path inside, beside, above;
    assert_true(path_parse(&arena, STR("tags[\"a\"]"), &at.path, NULL));
    assert_true(path_parse(&arena, STR("tags.a.b"), &inside, NULL));
    assert_true(path_parse(&arena, STR("tags.b"), &beside, NULL));
    assert_true(path_parse(&arena, STR("tags"), &above, NULL));
    struct ignore_changes ignored = {.paths = &at, .n = 1};
    assert_true(ignore_changes_cover(&ignored, at.path));
    assert_true(ignore_changes_cover(&ignored, inside));
    assert_false(ignore_changes_cover(&ignored, beside));
    assert_false(ignore_changes_cover(&ignored, above));
    assert_false(ignore_changes_cover(NULL, above));
    ignored = (struct ignore_changes){.all = true};
    assert_true(ignore_changes_cover(&ignored, beside));
}

static void a_set_is_walked_as_cty_does(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct value list = json(&arena, "[{\"a\":10},{\"a\":9},{\"a\":null},null,{\"a\":true}]");
    const uint32_t *order = set_order(&arena, &list); /* <10;> <9;> <T;> <~;>, null last */
    const uint32_t want[] = {0, 1, 4, 2, 3};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(order[i], want[i]);
}

/* At every size of arena it fails whole or gives the same. */
static void a_full_arena_is_said(void **state)
{
    (void)state;
    AUTO_ARENA keep = {.limit = 64 << 20};
    const char *root = getenv("PLUMB_ROOT");
    struct str path = arena_printf(&keep, "%s/tests/data/drift/proposed.jsonl", root ? root : ".");
    struct str text, line;
    struct value row, got;
    assert_true(io_read_file(&keep, path.ptr, 1 << 29, &text, NULL));
    for (size_t i = 0; i < 20; i++) {
        (void)str_cut(&text, '\n', &line);
        assert_true(json_parse(&keep, line, "row", JSON_DEFAULT, &row, NULL));
        const struct schema_block *block = block_of(&keep, bytes_of(&keep, &row, "schema"));
        struct value prior = value_of(&keep, block, &row, "prior");
        struct value config = value_of(&keep, block, &row, "config");
        for (size_t limit = 0; limit < 20000; limit += 500) {
            AUTO_ARENA arena = {.limit = limit};
            struct err err = {0};
            if (proposed_new(&arena, block, &prior, &config, &got, &err))
                must_be(&keep, block, &row, "want", &got, i);
            else
                assert_int_equal(err.kind, ERR_LIMIT);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_as_terraform_made_it),
        cmocka_unit_test(a_legacy_plan_is_taken_back),
        cmocka_unit_test(what_is_ignored_covers_what_is_below),
        cmocka_unit_test(a_set_is_walked_as_cty_does),
        cmocka_unit_test(a_full_arena_is_said),
    };
    return cmocka_run_group_tests_name("drift/proposed", tests, NULL, NULL);
}

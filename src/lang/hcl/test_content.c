/* test_content.c - what a body holds by table: what is given, what is reported and where. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "lang/hcl/content.h"

static const struct hcl_attribute_spec attribute_specs[] = {{STR_INIT("value"), true},
                                                            {STR_INIT("description"), false}};
static const struct hcl_block_spec block_specs[] = {{STR_INIT("resource"), {"type", "name"}},
                                                    {STR_INIT("lifecycle"), {0}},
                                                    {STR_INIT("nested"), {"name"}}};
static const struct hcl_body_spec spec = {attribute_specs, 2, block_specs, 3, NULL};
static const struct hcl_attribute_spec earlier_attribute[] = {{STR_INIT("count"), false}};
static const struct hcl_block_spec earlier_block[] = {{STR_INIT("connection"), {0}}};
static const struct hcl_body_spec earlier = {earlier_attribute, 1, earlier_block, 1, NULL};
static const struct hcl_body_spec later = {attribute_specs, 2, block_specs, 3, &earlier};

static struct hcl_file parse(struct arena *arena, const char *text, struct hcl_diags *diags)
{
    struct err err = {0};
    struct hcl_file file;
    *diags = (struct hcl_diags){.arena = arena};
    assert_true(hcl_parse_file(arena, str_from(text), STR("main.tf"), diags, &file, &err));
    assert_int_equal(diags->n, 0);
    return file;
}

static const struct {
    const char *says, *text, *summary, *detail;
    uint32_t line, column;
} faults[] = {
    {"near name", "value = 1\ndescripton = 2\n", "Unsupported argument",
     "An argument named \"descripton\" is not expected here. Did you mean \"description\"?", 2, 1},
    {"a name that is set is no hint", "value = 1\nvalues = 2\n", "Unsupported argument",
     "An argument named \"values\" is not expected here.", 2, 1},
    {"argument for block", "value = 1\nlifecycle = {}\n", "Unsupported argument",
     "An argument named \"lifecycle\" is not expected here. Did you mean to define a block of type "
     "\"lifecycle\"?",
     2, 1},
    {"block for argument", "value = 1\ndescription {\n}\n", "Unsupported block type",
     "Blocks of type \"description\" are not expected here. Did you mean to define argument "
     "\"description\"? If so, use the equals sign to assign it a value.",
     2, 1},
    {"near block", "value = 1\nresorce \"a\" \"b\" {\n}\n", "Unsupported block type",
     "Blocks of type \"resorce\" are not expected here. Did you mean \"resource\"?", 2, 1},
    {"required", "description = 1\n", "Missing required argument",
     "The argument \"value\" is required, but no definition was found.", 1, 1},
    {"label too many", "value = 1\nlifecycle \"x\" {\n}\n", "Extraneous label for lifecycle",
     "No labels are expected for lifecycle blocks.", 2, 11},
    {"third label", "value = 1\nresource \"x\" \"y\" \"z\" {\n}\n", "Extraneous label for resource",
     "Only 2 labels (type, name) are expected for resource blocks.", 2, 18},
    {"label too few", "value = 1\nresource \"x\" {\n}\n", "Missing name for resource",
     "All resource blocks must have 2 labels (type, name).", 2, 14},
};

static void faults_have_terraforms_words_and_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct hcl_diags diags;
        struct hcl_content content;
        print_message("  %s\n", faults[i].says);
        struct hcl_file file = parse(&arena, faults[i].text, &diags);
        assert_true(hcl_body_content(&arena, &file, &file.body, &spec, false, &diags, &content));
        assert_int_equal(diags.n, 1);
        assert_string_equal(diags.diag[0].summary.ptr, faults[i].summary);
        assert_string_equal(diags.diag[0].detail.ptr, faults[i].detail);
        assert_int_equal(diags.diag[0].line, faults[i].line);
        assert_int_equal(diags.diag[0].column, faults[i].column);
    }
}

static void a_partial_look_leaves_the_rest_to_the_next(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct hcl_diags diags;
    struct hcl_content content;
    struct hcl_file file = parse(
        &arena, "count = 2\nvalue = 1\nconnection {\n}\nlifecycle {\n}\nlifecycle {\n}\n", &diags);
    assert_true(hcl_body_content(&arena, &file, &file.body, &earlier, true, &diags, &content));
    assert_int_equal(content.nattributes, 1);
    assert_int_equal(content.nblocks, 1);
    assert_true(hcl_body_content(&arena, &file, &file.body, &later, false, &diags, &content));
    assert_int_equal(diags.n, 0);
    assert_int_equal(content.nattributes, 1);
    assert_true(str_equal(content.attribute[0].name, STR("value")));
    assert_int_equal(content.nblocks, 2);
}

static void what_is_required_is_missed_at_the_opening_brace(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct hcl_diags diags;
    struct hcl_content content;
    struct hcl_file file =
        parse(&arena, "output \"o\" { # x\n}\noutput \"p\" { description = 1 }\n", &diags);
    for (size_t i = 0; i < 2; i++)
        assert_true(hcl_body_content(&arena, &file, &file.body.block[i].body, &spec, false, &diags,
                                     &content));
    assert_int_equal(diags.n, 2);
    assert_int_equal(diags.diag[0].column, 12);
    assert_int_equal(diags.diag[1].column, 14);
}

static void attributes_alone_allow_no_blocks(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct hcl_diags diags;
    struct hcl_content content;
    struct hcl_file file = parse(&arena, "a = 1\nfoo {\n}\nb = 2\nbar {\n}\n", &diags);
    assert_true(hcl_body_attributes(&arena, &file, &file.body, &diags, &content));
    assert_int_equal(content.nattributes, 2);
    assert_int_equal(diags.n, 1);
    assert_string_equal(diags.diag[0].summary.ptr, "Unexpected \"foo\" block");
    assert_int_equal(diags.diag[0].line, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_have_terraforms_words_and_places),
        cmocka_unit_test(a_partial_look_leaves_the_rest_to_the_next),
        cmocka_unit_test(what_is_required_is_missed_at_the_opening_brace),
        cmocka_unit_test(attributes_alone_allow_no_blocks),
    };
    return cmocka_run_group_tests_name("hcl/content", tests, NULL, NULL);
}

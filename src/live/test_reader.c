/* test_reader.c - which reader a resource goes to. */
#include "base/test.h"

#include <stdlib.h>
#include <string.h>

#include "live/reader.h"
#include "model/stack.h"

static void readers_are_found_by_name(void **state)
{
    (void)state;
    size_t n = 0;
    const struct reader *const *all = reader_list(&n);
    assert_true(n >= 3);
    for (size_t i = 0; i < n; i++)
        assert_ptr_equal(reader_find(str_from(all[i]->name)), all[i]);
    assert_null(reader_find(STR("nobody")));
}

static const struct {
    const char *says, *type, *provider, *snapshot, *reader;
    enum resource_mode mode;
} cases[] = {
    {"a snapshot that the stack names", "aws_vpc", "example.com/hashicorp/aws", "live.json",
     "snapshot", RESOURCE_MANAGED},
    {"the native reader where no provider is installed", "local_file",
     "registry.opentofu.org/hashicorp/local", "", "file", RESOURCE_MANAGED},
    {"the provider, which says what to do", "aws_vpc", "example.com/hashicorp/aws", "", "provider",
     RESOURCE_MANAGED},
    {"the built-in provider", "terraform_data", "terraform.io/builtin/terraform", "", "provider",
     RESOURCE_MANAGED},
    {"data sources are not read", "aws_ami", "example.com/hashicorp/aws", "", NULL, RESOURCE_DATA},
};

static void each_resource_has_its_reader(void **state)
{
    (void)state;
    struct reader_choice last = {0};
    (void)setenv("HOME", "/nonexistent", 1);
    (void)unsetenv("TF_CLI_CONFIG_FILE");
    (void)unsetenv("TF_REATTACH_PROVIDERS");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stack stack = {.path = STR("/nonexistent"), .snapshot = str_from(cases[i].snapshot)};
        struct resource resource = {.mode = cases[i].mode,
                                    .type = str_from(cases[i].type),
                                    .provider = str_from(cases[i].provider)};
        print_message("  %s\n", cases[i].says);
        last = (struct reader_choice){0};
        const struct reader *reader = reader_choose(&last, &stack, &resource);
        if (!cases[i].reader) {
            assert_null(reader);
            continue;
        }
        assert_non_null(reader);
        assert_string_equal(reader->name, cases[i].reader);
        assert_ptr_equal(reader_choose(&last, &stack, &resource), reader);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(readers_are_found_by_name),
                                       cmocka_unit_test(each_resource_has_its_reader)};
    return cmocka_run_group_tests_name("live/reader", tests, NULL, NULL);
}

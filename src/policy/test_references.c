/* test_references.c - the tables against the catalogues that NIST publishes, and other spellings.
 */
#include "policy/references.h"

#include "base/vectors.h"
#include "value/value.h"
#include "wire/json.h"

static bool known(const char *text, enum reference kind)
{
    AUTO_ARENA arena = {.limit = 1 << 16};
    struct str meant;
    return reference_known(&arena, kind, str_from(text), &meant);
}

static void every_subcategory_is_known_and_no_other(void **state)
{
    (void)state;
    enum { SUBCATEGORIES = 106, NUMBERS = 40, CATEGORY = 5, ID = 9 };
    AUTO_ARENA arena = {.limit = 1 << 22};
    struct str all, line;
    size_t n = 0;
    if (!shared_read(&arena, "schemas/csf2/csf2-subcategories.csv", &all))
        return;
    struct str rest = all;
    assert_true(str_cut(&rest, '\n', &line)); /* names of columns */
    for (; str_cut(&rest, '\n', &line) && line.len; n++) {
        size_t at = str_find(line, STR("-"), 0);
        assert_true(at != SIZE_MAX && at >= CATEGORY);
        struct str id = str_sub(line, at - CATEGORY, at - CATEGORY + ID - 1);
        assert_true(known(arena_dup(&arena, id).ptr, REFERENCE_CSF));
        struct str category = str_sub(id, 0, CATEGORY);
        for (int i = 0; i < NUMBERS; i++) {
            struct str other = arena_printf(&arena, "%.*s-%02d", STR_ARG(category), i);
            bool is = str_find(all, arena_printf(&arena, ",%s,", other.ptr), 0) != SIZE_MAX;
            if (known(other.ptr, REFERENCE_CSF) != is)
                fail_msg("%s", other.ptr);
        }
    }
    if (n != SUBCATEGORIES)
        fail_msg("%zu subcategories", n);
}

static void every_control_of_the_baselines_is_known(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 24};
    struct str text;
    struct value all, controls;
    struct err err = {0};
    if (!shared_read(&arena, "schemas/sp800-53/sp800-53r5-baseline-controls.json", &text))
        return;
    assert_true(json_parse(&arena, text, "controls", JSON_DEFAULT, &all, &err));
    assert_non_null(value_get(&all, STR("controls")));
    controls = *value_get(&all, STR("controls"));
    assert_true(controls.len > 300);
    for (uint32_t i = 0; i < controls.len; i++) {
        struct str label = value_get_string(&controls.items[i], STR("label"));
        if (!known(arena_dup(&arena, label).ptr, REFERENCE_800_53))
            fail_msg("%.*s", STR_ARG(label));
    }
}

static void another_spelling_is_told(void **state)
{
    (void)state;
    static const struct {
        enum reference kind;
        const char *text, *meant;
    } cases[] = {
        {REFERENCE_CSF, "pr.ds-01", "PR.DS-01"}, {REFERENCE_CSF, "PR.DS-1", "PR.DS-01"},
        {REFERENCE_CSF, "PR.DS-03", ""},         {REFERENCE_CSF, "PR.XX", ""},
        {REFERENCE_CSF, "PR.DS-01x", ""},        {REFERENCE_800_53, "ac-3", "AC-3"},
        {REFERENCE_800_53, "AC-03", "AC-3"},     {REFERENCE_800_53, "AC-3 (7)", "AC-3(7)"},
        {REFERENCE_800_53, "AC-26", ""},         {REFERENCE_800_53, "XX-1", ""},
        {REFERENCE_800_53, "AC-3(", ""},         {REFERENCE_800_53, "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 16};
        struct str meant;
        if (reference_known(&arena, cases[i].kind, str_from(cases[i].text), &meant) ||
            !str_equal(meant, str_from(cases[i].meant)))
            fail_msg("%s: %.*s", cases[i].text, STR_ARG(meant));
    }
    assert_true(known("PR", REFERENCE_CSF) && known("PR.DS", REFERENCE_CSF));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_subcategory_is_known_and_no_other),
        cmocka_unit_test(every_control_of_the_baselines_is_known),
        cmocka_unit_test(another_spelling_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

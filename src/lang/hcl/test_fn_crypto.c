/* test_fn_crypto.c - hashes, UUIDs and keys: answers of Terraform 1.11.4. */
#include "lang/hcl/test_eval.h"

static const struct eval_case cases[] = {
    {"uuidv5(\"{6ba7b810-9dad-11d1-80b4-00c04fd430c8}\", \"a\")",
     "\"4f3f2898-69e3-5a0d-820a-c4e87987dbce\""},
    {"uuidv5(\"urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8\", \"a\")",
     "\"4f3f2898-69e3-5a0d-820a-c4e87987dbce\""},
    {"uuidv5(\"6ba7b8109dad11d180b400c04fd430c8\", \"a\")",
     "\"4f3f2898-69e3-5a0d-820a-c4e87987dbce\""},
    {"rsadecrypt(\"aa==\", \"-----BEGIN RSA PRIVATE KEY-----\\nMIIB\\n-----END RSA PRIVATE "
     "KEY-----\\n\")",
     "!Invalid function argument"},
    {"bcrypt(\"x\", 4)", "?"},
    {"rsadecrypt(\"aa==\", \"-----BEGIN FOO KEY-----\\nMIIB\\n-----END FOO KEY-----\\n\")",
     "!Invalid function argument"},
};

/* What a plan leaves to the apply. */
static const struct eval_case applied[] = {
    {"length(bcrypt(\"x\", 4))", "60"},
    {"can(regex(\"^\\\\$2a\\\\$05\\\\$\", bcrypt(\"x\", 5)))", "true"},
    {"bcrypt(\"x\", 32)", "!Error in function call"},
};

static void an_apply_knows_more(void **state)
{
    (void)state;
    static const struct hcl_world world = {.planning = false};
    check_cases(applied, sizeof applied / sizeof *applied, &world);
}

static void answers_are_those_of_terraform(void **state)
{
    (void)state;
    check_cases(cases, sizeof cases / sizeof *cases, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_those_of_terraform),
        cmocka_unit_test(an_apply_knows_more),
    };
    return cmocka_run_group_tests_name("hcl/fn_crypto", tests, NULL, NULL);
}

/* test_fn_encoding.c - base64, URLs and character sets: answers of Terraform 1.11.4. */
#include "lang/hcl/test_eval.h"

static const struct eval_case cases[] = {
    {"base64decode(\"aGVsbG9=\")", "\"hello\""},
    {"base64decode(\"aGVsbG8==\")", "!Error in function call"},
    {"base64decode(\"aGVsb=G8\")", "!Error in function call"},
    {"base64decode(\"aG=\\n=\")", "\"h\""},
    {"base64decode(\"\\naGVs\\r\\nbG8=\\n\")", "\"hello\""},
    {"urlencode(\"a/b?c=d&e\")", "\"a%2Fb%3Fc%3Dd%26e\""},
    {"textencodebase64(\"héllo\", \"utf8\")", "!Invalid function argument"},
    {"textencodebase64(\"héllo\", \"latin1\")", "\"aOlsbG8=\""},
    {"textencodebase64(\"héllo\", \"US-ASCII\")", "!Invalid function argument"},
    {"textencodebase64(\"héllo\", \"ISO-8859-15\")", "\"aOlsbG8=\""},
    {"textencodebase64(\"héllo\", \"UTF-32\")", "!Invalid function argument"},
    {"textencodebase64(\"héllo\", \"UTF-7\")", "!Invalid function argument"},
    {"textencodebase64(\"hé\", \"UTF-16\")", "\"/v8AaADp\""},
    {"textencodebase64(\"日本\", \"EUC-JP\")", "\"xvzL3A==\""},
    {"textencodebase64(\"日本\", \"ISO-2022-JP\")", "\"GyRCRnxLXBsoQg==\""},
    {"textencodebase64(\"日本\", \"GBK\")", "\"yNWxvg==\""},
    {"textencodebase64(\"日本\", \"GB18030\")", "\"yNWxvg==\""},
    {"textencodebase64(\"日本\", \"gb2312\")", "!Invalid function argument"},
    {"textencodebase64(\"日本\", \"Big5\")", "\"pOmluw==\""},
    {"textencodebase64(\"한국\", \"EUC-KR\")", "\"x9GxuQ==\""},
    {"textencodebase64(\"ж\", \"KOI8-R\")", "\"1g==\""},
    {"textencodebase64(\"ж\", \"KOI8-U\")", "\"1g==\""},
    {"textencodebase64(\"ж\", \"windows-1251\")", "\"5g==\""},
    {"textencodebase64(\"ж\", \"cp866\")", "\"pg==\""},
    {"textencodebase64(\"ж\", \"IBM866\")", "\"pg==\""},
    {"textencodebase64(\"é\", \"IBM850\")", "\"gg==\""},
    {"textencodebase64(\"é\", \"macintosh\")", "\"jg==\""},
    {"textencodebase64(\"é\", \"IBM037\")", "\"UQ==\""},
    {"textdecodebase64(\"/v8ASABl\", \"UTF-16\")", "\"He\""},
    {"textdecodebase64(\"//5IAGUA\", \"UTF-16\")", "\"He\""},
    {"textdecodebase64(\"AEgAZQ==\", \"UTF-16\")", "\"He\""},
    {"textdecodebase64(\"AEgAZQA=\", \"UTF-16BE\")", "!Invalid function argument"},
    {"textdecodebase64(\"2AA=\", \"UTF-16BE\")", "!Invalid function argument"},
    {"textdecodebase64(\"/v8ASABl\", \"UTF-16BE\")", "\"﻿He\""},
    {"textdecodebase64(\"gA==\", \"windows-1252\")", "\"€\""},
    {"textdecodebase64(\"gQ==\", \"windows-1252\")", "!Invalid function argument"},
    {"textdecodebase64(\"77+9\", \"UTF-8\")", "!Invalid function argument"},
    {"textdecodebase64(\"SGVsbG8\", \"UTF-8\")", "!Invalid function argument"},
    {"textdecodebase64(\"//8=\", \"Shift_JIS\")", "!Invalid function argument"},
    {"textdecodebase64(\"gA==\", \"US-ASCII\")", "!Invalid function argument"},
};

static void answers_are_those_of_terraform(void **state)
{
    (void)state;
    check_cases(cases, sizeof cases / sizeof *cases, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers_are_those_of_terraform)};
    return cmocka_run_group_tests_name("hcl/fn_encoding", tests, NULL, NULL);
}

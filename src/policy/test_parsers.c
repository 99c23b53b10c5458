/* test_parsers.c - texts of each format as conftest gives them, and what is refused with a place.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/test.h"
#include "policy/dockerfile.h"
#include "policy/parsers.h"
#include "wire/json.h"

static bool dockerfile(PARSER_ARGS)
{
    (void)name;
    return policy_dockerfile(arena, text, ret, err);
}

static const struct {
    const char *says;
    bool (*parse)(PARSER_ARGS);
    const char *text, *want; /* want "f:1:2: ..." = the error */
} cases[] = {
    {"toml: keys, tables, dotted", parser_toml, "a = 1\nb.c = 'x'\n[d.e]\n\"f g\" = true # c\n",
     "{\"a\":1,\"b\":{\"c\":\"x\"},\"d\":{\"e\":{\"f g\":true}}}"},
    {"toml: lists of tables", parser_toml, "[[p]]\nn = 1\n[[p]]\nn = 2\n[p.q]\nr = 3\n",
     "{\"p\":[{\"n\":1},{\"n\":2,\"q\":{\"r\":3}}]}"},
    {"toml: numbers and dates", parser_toml,
     "a = 0xff\nb = 1_000\nc = -1.5e3\nd = 1979-05-27T07:32:00Z\ne = +7\n",
     "{\"a\":255,\"b\":1000,\"c\":-1.5e3,\"d\":\"1979-05-27T07:32:00Z\",\"e\":7}"},
    {"toml: strings", parser_toml,
     "a = \"\\u00e9\\t\"\nb = \"\"\"\nx \\\n   y\"\"\"\nc = '''\n\\z'''\n",
     "{\"a\":\"é\\t\",\"b\":\"x y\",\"c\":\"\\\\z\"}"},
    {"toml: lists and inline tables", parser_toml, "a = [1, # c\n [2,],]\nb = {x = 1, y.z = []}\n",
     "{\"a\":[1,[2]],\"b\":{\"x\":1,\"y\":{\"z\":[]}}}"},
    {"toml: a key twice", parser_toml, "a = 1\na = 2\n", "f:2:1: the key is set already"},
    {"toml: a table twice", parser_toml, "[a]\n[a]\n", "f:2:3: the table is there already"},
    {"toml: into an inline table", parser_toml, "a = {}\na.b = 1\n",
     "f:2:3: the key is set already, and is no table"},
    {"toml: a string without end", parser_toml, "a = \"x\n", "f:1:5: the string does not end"},
    {"toml: no value", parser_toml, "a = \n",
     "f:1:5: a value is wanted: a string, number, date, true, false, list or table"},
    {"ini: sections, types, comments", parser_ini,
     "top = 1\n[a]\nn = 007\nt = TRUE\ns = x ; c\nq = \"y\"\n[b]\nk: -1.5\n[a]\ne =\n",
     "{\"a\":{\"e\":\"\",\"n\":7,\"q\":\"y\",\"s\":\"x\",\"t\":true},\"b\":{\"k\":-1.5}}"},
    {"ini: no pair", parser_ini, "[a]\nword\n", "f:2:1: KEY = VALUE is wanted"},
    {"properties: separators, escapes, lines", parser_properties,
     "# c\na = b\nc:d\ne f\nk\\ y=1, \\\n   2\nu=\\u00e9\nn\n",
     "{\"a\":\"b\",\"c\":\"d\",\"e\":\"f\",\"k y\":\"1, 2\",\"n\":\"\",\"u\":\"é\"}"},
    {"dotenv: quotes, comments, references", parser_dotenv,
     "export A=1 # c\nB='$A'\nC=\"${A}\\n\"\nD=$A-x\nE=\n",
     "{\"A\":\"1\",\"B\":\"$A\",\"C\":\"1\\n\",\"D\":\"1-x\",\"E\":\"\"}"},
    {"dotenv: no pair", parser_dotenv, "A=1\nwhat\n", "f:2:1: NAME=VALUE is wanted"},
    {"hcl2: blocks and labels", parser_hcl2,
     "r \"a\" \"b\" {\n x = 1\n s {}\n s { y = true }\n}\nr \"a\" \"c\" {}\nlocals { z = -1 }\n",
     "{\"locals\":[{\"z\":-1}],\"r\":{\"a\":{\"b\":[{\"s\":[{},{\"y\":true}],\"x\":1}],\"c\":[{}]}}"
     "}"},
    {"hcl2: expressions as their source", parser_hcl2,
     "a = var.x\nb = \"p-${var.x}\"\nc = [1, f(2)]\nd = { k = \"${1}\" }\ne = \"$${x}\"\n",
     "{\"a\":\"${var.x}\",\"b\":\"p-${var.x}\",\"c\":[1,\"${f(2)}\"],\"d\":{\"k\":1},\"e\":"
     "\"$${x}\"}"},
    {"hcl1: lists of objects", parser_hcl1, "r \"a\" {\n o = { k = 1 }\n}\n",
     "{\"r\":[{\"a\":[{\"o\":[{\"k\":1}]}]}]}"},
    {"jsonc: comments and commas", parser_jsonc, "{ // c\n \"a\": [1, /* , */], \"b\": \"//\",\n}",
     "{\"a\":[1],\"b\":\"//\"}"},
    {"ignore: kinds of lines", parser_ignore, "a\\ \n!b\n# c\n",
     "[[{\"Kind\":\"Path\",\"Original\":\"a\\\\ \",\"Value\":\"a \"},{\"Kind\":\"NegatedPath\","
     "\"Original\":\"!b\",\"Value\":\"b\"},{\"Kind\":\"Comment\",\"Original\":\"# c\",\"Value\":"
     "\"c\"},{\"Kind\":\"Empty\",\"Original\":\"\",\"Value\":\"\"}]]"},
    {"codeowners: an address whose last part is too long", parser_codeowners,
     "# all\n\n* @me  @org/team_a a.b@c.example # both\r\na\\ b/ \n*.js#c\n",
     "f:3:20: an owner is @NAME, @ORG/TEAM or an address"},
    {"codeowners: kinds of owners, comments, escaped blanks", parser_codeowners,
     "# all\n\n* @me  @org/team_a a.b@c.info # both\r\na\\ b/ \n*.js#c\n",
     "{\"rules\":[{\"comment\":\"both\",\"lineNumber\":3,\"owners\":[{\"type\":\"username\","
     "\"value\":\"me\"},{\"type\":\"team\",\"value\":\"org/team_a\"},{\"type\":\"email\",\"value\":"
     "\"a.b@c.info\"}],\"pattern\":\"*\"},{\"comment\":\"\",\"lineNumber\":4,\"owners\":[],"
     "\"pattern\":\"a\\\\ b/\"},{\"comment\":\"c\",\"lineNumber\":5,\"owners\":[],\"pattern\":"
     "\"*.js\"}]}"},
    {"codeowners: no rule", parser_codeowners, "# none\n", "{\"rules\":null}"},
    {"codeowners: a pattern that is none", parser_codeowners, "a\n!b @me\n",
     "f:2:1: a character that no pattern of CODEOWNERS has"},
    {"xml: elements, attributes, text", parser_xml,
     "<?xml version='1.0'?><r a='1'><e>x &amp; &#65;</e><e/><n:f k=\"v\">t</n:f></r>",
     "{\"r\":{\"-a\":\"1\",\"e\":[\"x & A\",\"\"],\"f\":{\"#content\":\"t\",\"-k\":\"v\"}}}"},
    {"xml: another end", parser_xml, "<a>\n</b>",
     "f:2:4: another element ends here than has begun"},
    {"xml: entities of a DOCTYPE", parser_xml, "<!DOCTYPE r [<!ENTITY x 'y'>]><r>&x;</r>",
     "f:1:34: an entity that is not known (only those of XML itself are)"},
    {"spdx: packages, files, relationships", parser_spdx,
     "# c\nSPDXVersion: SPDX-2.3\nSPDXID: SPDXRef-D\nCreator: Tool: t\nPackageName: p\nSPDXID: "
     "SPDXRef-p\nPackageSupplier: Person: me\nPackageChecksum: SHA1: aa\nExternalRef: "
     "PACKAGE_MANAGER purl pkg:a/b\nFileName: f\nSPDXID: SPDXRef-f\nFileComment: "
     "<text>a\nb</text>\n"
     "Relationship: SPDXRef-D DESCRIBES SPDXRef-p\n",
     "{\"SPDXID\":\"SPDXRef-D\",\"creationInfo\":{\"created\":\"\",\"creators\":[\"Tool: "
     "t\"]},\"dataLicense\":\"\",\"documentNamespace\":\"\",\"name\":\"\",\"packages\":[{"
     "\"SPDXID\":"
     "\"SPDXRef-p\",\"checksums\":[{\"algorithm\":\"SHA1\",\"checksumValue\":\"aa\"}],"
     "\"downloadLocation\":\"\",\"externalRefs\":[{\"referenceCategory\":\"PACKAGE-MANAGER\","
     "\"referenceLocator\":\"pkg:a/"
     "b\",\"referenceType\":\"purl\"}],\"files\":[{\"SPDXID\":\"SPDXRef-"
     "f\",\"checksums\":null,\"comment\":\"a\\nb\",\"copyrightText\":\"\",\"fileName\":\"f\"}],"
     "\"filesAnalyzed\":true,\"name\":\"p\",\"supplier\":\"Person: me\"}],\"relationships\":[{"
     "\"relatedSpdxElement\":\"SPDXRef-p\",\"relationshipType\":\"DESCRIBES\",\"spdxElementId\":"
     "\"SPDXRef-D\"}],\"spdxVersion\":\"SPDX-2.3\"}"},
    {"spdx: a tag in the wrong section", parser_spdx,
     "SPDXVersion: SPDX-2.3\nCreated: x\nFileType: TEXT\n", "f:3:1: a tag that has no place here"},
    {"spdx: an element without its identifier", parser_spdx,
     "SPDXVersion: SPDX-2.2\nPackageName: p\nPackageName: q\n",
     "f:3:1: the package before has no SPDXID"},
    {"spdx: a text without end", parser_spdx, "SPDXVersion: SPDX-2.2\nDocumentComment: <text>\na\n",
     "f:2:1: <text> without </text>"},
    {"spdx: another version", parser_spdx, "SPDXVersion: SPDX-1.0\n",
     "f:1:1: SPDXVersion is none of SPDX-2.1, SPDX-2.2 and SPDX-2.3"},
    {"nginx: directives and blocks", parser_nginx, "a 1; # c\nhttp { b \"x y\" z; }",
     "{\"directives\":[{\"name\":\"a\",\"parameters\":[\"1\"]},{\"block\":{\"directives\":[{"
     "\"name\":"
     "\"b\",\"parameters\":[\"\\\"x y\\\"\",\"z\"]}]},\"name\":\"http\"}]}"},
    {"nginx: no end", parser_nginx, "a {", "f:1:4: } is wanted"},
    {"vcl: declarations", parser_vcl,
     "vcl 4.0;\nbackend b { .host = \"h\"; .t = 60s; }\nacl p { \"10.0.0.0\"/8; }\nsub s { if (x) "
     "{ } }\n",
     "{\"acl\":{\"p\":[\"10.0.0.0\"]},\"backend\":{\"b\":{\"host\":\"h\",\"t\":60}}}"},
    {"edn: keywords, tags, left out", parser_edn, "{:a 1 :b [nil \"s\"] #_ :x #_ 2 :c #t \"v\"}",
     "{\":a\":\"1\",\":b\":[\"<nil>\",\"s\"],\":c\":\"#t v\"}"},
    {"edn: no end", parser_edn, "{:a", "f:1:4: a value is wanted"},
    {"xml: two elements", parser_xml, "<a/>\n<!-- c --><b/>",
     "f:2:11: behind its element a document has nothing but comments"},
    {"xml: a comment behind", parser_xml, "<a/><!-- c -->\n", "{\"a\":\"\"}"},
    {"dockerfile: another escape", dockerfile, "# syntax=x\n# escape=`\nRUN a `\n  b \\\n",
     "[{\"Cmd\":\"run\",\"Flags\":[],\"JSON\":false,\"Stage\":0,\"SubCmd\":\"\",\"Value\":[\"a   b "
     "\\\\\"]}]"},
    {"dockerfile: no instruction", dockerfile, "# FROM a\n", "no instruction is in it"},
    {"dockerfile: not one of Docker's", dockerfile, "FROM a\nFORM b\n",
     "FORM b: there is no such instruction"},
    {"dockerfile: a name without a value", dockerfile, "LABEL a=b c\n",
     "LABEL a=b c: ENV and LABEL want a name and a value"},
    {"dockerfile: numbers in a list", dockerfile, "CMD [\"a\", 1]\n",
     "CMD [\"a\", 1]: a list in JSON has strings only"},
    {"dockerfile: stages, flags, forms", dockerfile,
     "ARG V\nFROM a AS b\nCOPY --from=x y z\nRUN a \\\n # c\n  && b\nCMD [\"c\"]\nONBUILD RUN d\n"
     "RUN <<E\nFROM no\nE\nHEALTHCHECK NONE\n",
     "[{\"Cmd\":\"arg\",\"Flags\":[],\"JSON\":false,\"Stage\":0,\"SubCmd\":\"\",\"Value\":[\"V\"]},"
     "{\"Cmd\":\"from\",\"Flags\":[],\"JSON\":false,\"Stage\":0,\"SubCmd\":\"\",\"Value\":[\"a\","
     "\"AS\",\"b\"]},{\"Cmd\":\"copy\",\"Flags\":[\"--from=x\"],\"JSON\":false,\"Stage\":0,"
     "\"SubCmd\":\"\",\"Value\":[\"y\",\"z\"]},{\"Cmd\":\"run\",\"Flags\":[],\"JSON\":false,"
     "\"Stage\":0,\"SubCmd\":\"\",\"Value\":[\"a   && b\"]},{\"Cmd\":\"cmd\",\"Flags\":[],\"JSON\":"
     "true,\"Stage\":0,\"SubCmd\":\"\",\"Value\":[\"c\"]},{\"Cmd\":\"onbuild\",\"Flags\":[],"
     "\"JSON\":false,\"Stage\":0,\"SubCmd\":\"RUN\",\"Value\":[\"d\"]},{\"Cmd\":\"run\",\"Flags\":["
     "]"
     ",\"JSON\":false,\"Stage\":0,\"SubCmd\":\"\",\"Value\":[\"<<E\"]},{\"Cmd\":\"healthcheck\","
     "\"Flags\":[],\"JSON\":false,\"Stage\":0,\"SubCmd\":\"\",\"Value\":[\"NONE\"]}]"},
};

static void texts_become_the_values_of_each_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 64 << 20};
        AUTO_BUF out = {.limit = 1 << 20};
        struct jsonw w = {.out = &out};
        struct value got;
        struct err err = {0};
        print_message("  %s\n", cases[i].says);
        if (cases[i].parse(&arena, str_from(cases[i].text), "f", &got, &err))
            jsonw_value(&w, &got);
        else
            buf_str(&out, str_from(err.frame[0]));
        buf_char(&out, '\0');
        assert_string_equal(out.ptr, cases[i].want);
    }
}

/* Nested texts end in an error, not in an overflow. */
static void nesting_is_bounded(void **state)
{
    (void)state;
    static const struct {
        bool (*parse)(PARSER_ARGS);
        const char *head, *open;
    } deep[] = {
        {parser_toml, "a = ", "["},
        {parser_toml, "a = ", "{b = "},
        {parser_edn, "", "["},
        {parser_xml, "", "<a>"},
        {parser_nginx, "", "a {"},
        {parser_hcl2, "", "a {\n"},
        {parser_vcl, "backend b ", "{ .a = "},
    };
    for (size_t i = 0; i < sizeof deep / sizeof *deep; i++) {
        AUTO_ARENA arena = {.limit = 256 << 20};
        AUTO_BUF text = {.limit = 16 << 20};
        struct value got;
        struct err err = {0};
        buf_str(&text, str_from(deep[i].head));
        for (size_t k = 0; k < 100000; k++)
            buf_str(&text, str_from(deep[i].open));
        assert_false(deep[i].parse(&arena, buf_view(&text), "f", &got, &err));
        assert_int_not_equal(err.kind, ERR_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(texts_become_the_values_of_each_case),
                                       cmocka_unit_test(nesting_is_bounded)};
    return cmocka_run_group_tests_name("policy/parsers", tests, NULL, NULL);
}

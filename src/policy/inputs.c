/* inputs.c - find configuration files and parse them. */
#include "policy/inputs.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/pathname.h"
#include "base/regex_re2.h"
#include "base/utf8.h"
#include "policy/dockerfile.h"
#include "policy/parsers.h"
#include "wire/json.h"
#include "wire/yaml.h"

enum { INPUTS_MAX = 100000, FOLDERS_DEEP = 100 };

/* --- parsers --- */

static bool one(struct arena *arena, const struct value *v, const struct value **ret, size_t *ret_n,
                struct err *err)
{
    struct value *doc = arena_new(arena, struct value, 1);
    if (!doc)
        return arena_full(arena, err);
    *doc = *v;
    *ret = v->kind == VALUE_TUPLE ? v->items : doc;
    *ret_n = v->kind == VALUE_TUPLE ? v->len : 1;
    return true;
}

static bool parse_json(struct arena *arena, struct str text, const char *name,
                       const struct value **ret, size_t *ret_n, struct err *err)
{
    struct value v;
    return json_parse(arena, text, name, JSON_DUPLICATES_LAST, &v, err) &&
           one(arena, &v, ret, ret_n, err);
}

static bool parse_yaml(struct arena *arena, struct str text, const char *name,
                       const struct value **ret, size_t *ret_n, struct err *err)
{
    struct yaml_doc *docs;
    size_t n, kept = 0;
    if (!yaml_parse(arena, text, name, YAML_V1_1_BOOLS | YAML_ANY_TAG, &docs, &n, err))
        return false;
    struct value nothing = value_null(); /* an empty file is one document, too */
    if (n <= 1)
        return one(arena, n ? &docs[0].root : &nothing, ret, ret_n, err);
    struct value *doc = arena_new(arena, struct value, n);
    if (!doc)
        return arena_full(arena, err);
    for (size_t i = 0; i < n; i++)
        doc[kept++] = docs[i].root;
    *ret = doc;
    *ret_n = kept;
    return true;
}

/* One document, though it is an array: policies count in it. */
static bool parse_dockerfile(struct arena *arena, struct str text, const char *name,
                             const struct value **ret, size_t *ret_n, struct err *err)
{
    struct value *doc = arena_new(arena, struct value, 1);
    (void)name;
    *ret = doc;
    *ret_n = 1;
    return doc ? policy_dockerfile(arena, text, doc, err) : arena_full(arena, err);
}

/* SBOMs in JSON are JSON. */
static bool parse_cyclonedx(struct arena *arena, struct str text, const char *name,
                            const struct value **ret, size_t *ret_n, struct err *err)
{
    if (!str_starts(str_trim(text), STR("{")))
        return err_set(err, ERR_UNSUPPORTED, "%s: CycloneDX is read as JSON only", name);
    return parse_json(arena, text, name, ret, ret_n, err);
}

static const struct parser {
    struct str name;
    /* several documents, or one that is no array's items */
    bool (*parse)(struct arena *arena, struct str text, const char *name, const struct value **ret,
                  size_t *ret_n, struct err *err);
    bool (*parse_one)(PARSER_ARGS);
    const char *instead; /* of a format that is not read: what makes JSON of it */
} parsers[] = {
    {STR_INIT("yaml"), parse_yaml, NULL, NULL},
    {STR_INIT("json"), parse_json, NULL, NULL},
    {STR_INIT("jsonc"), NULL, parser_jsonc, NULL},
    {STR_INIT("toml"), NULL, parser_toml, NULL},
    {STR_INIT("ini"), NULL, parser_ini, NULL},
    {STR_INIT("hcl2"), NULL, parser_hcl2, NULL},
    {STR_INIT("hcl1"), NULL, parser_hcl1, NULL},
    {STR_INIT("dockerfile"), parse_dockerfile, NULL, NULL},
    {STR_INIT("dotenv"), NULL, parser_dotenv, NULL},
    {STR_INIT("properties"), NULL, parser_properties, NULL},
    {STR_INIT("ignore"), NULL, parser_ignore, NULL},
    {STR_INIT("codeowners"), NULL, parser_codeowners, NULL},
    {STR_INIT("xml"), NULL, parser_xml, NULL},
    {STR_INIT("nginx"), NULL, parser_nginx, NULL},
    {STR_INIT("vcl"), NULL, parser_vcl, NULL},
    {STR_INIT("edn"), NULL, parser_edn, NULL},
    {STR_INIT("cyclonedx"), parse_cyclonedx, NULL, NULL},
    {STR_INIT("spdx"), NULL, parser_spdx, NULL},
    {STR_INIT("cue"), NULL, NULL, "`cue export --out json`"},
    {STR_INIT("groovy"), NULL, NULL, "a script of your own (JsonOutput.toJson)"},
    {STR_INIT("hocon"), NULL, NULL, "`pyhocon -f json`"},
    {STR_INIT("jsonnet"), NULL, NULL, "`jsonnet`"},
    {STR_INIT("textproto"), NULL, NULL, "protoc and its schema"},
};
enum { PARSERS = sizeof parsers / sizeof *parsers };

const char *const policy_parser_names[] = {
    "yaml",       "json",   "jsonc",      "toml",   "ini",        "hcl2", "hcl1",
    "dockerfile", "dotenv", "properties", "ignore", "codeowners", "xml",  "nginx",
    "vcl",        "edn",    "cyclonedx",  "spdx",   NULL};

static const struct parser *parser_named(struct str name)
{
    for (size_t i = 0; i < PARSERS; i++)
        if (str_equal(parsers[i].name, name))
            return &parsers[i];
    return NULL;
}

/* What an ending, or a whole name, stands for beyond the names of parsers. */
static const struct {
    struct str ending, parser;
} endings[] = {
    {STR_INIT("yml"), STR_INIT("yaml")},         {STR_INIT("hcl"), STR_INIT("hcl2")},
    {STR_INIT("tf"), STR_INIT("hcl2")},          {STR_INIT("tfvars"), STR_INIT("hcl2")},
    {STR_INIT("gitignore"), STR_INIT("ignore")}, {STR_INIT("dockerignore"), STR_INIT("ignore")},
    {STR_INIT("env"), STR_INIT("dotenv")},       {STR_INIT("jenkinsfile"), STR_INIT("groovy")},
    {STR_INIT("textpb"), STR_INIT("textproto")}, {STR_INIT("pbtxt"), STR_INIT("textproto")},
    {STR_INIT("txtpb"), STR_INIT("textproto")},  {STR_INIT("textproto"), STR_INIT("textproto")},
};
static const struct {
    struct str head, parser;
    bool alone; /* the name itself; else also with something behind a dot */
} heads[] = {
    {STR_INIT("dockerfile"), STR_INIT("dockerfile"), false},
    {STR_INIT(".env"), STR_INIT("dotenv"), false},
    {STR_INIT("jenkinsfile"), STR_INIT("groovy"), false},
    {STR_INIT("nginx.conf"), STR_INIT("nginx"), true},
    {STR_INIT("codeowners"), STR_INIT("codeowners"), true},
};

static const struct parser *parser_of(struct str path)
{
    char lower[256];
    struct str name = io_basename(path), ending = {0};
    if (name.len > sizeof lower)
        return NULL;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        lower[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
        if (c == '.')
            ending = (struct str){lower + i + 1, name.len - i - 1};
    }
    name.ptr = lower;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        if (str_starts(name, heads[i].head) &&
            (name.len == heads[i].head.len ||
             (!heads[i].alone && name.ptr[heads[i].head.len] == '.')))
            return parser_named(heads[i].parser);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (str_equal(endings[i].ending, ending))
            return parser_named(endings[i].parser);
    return parser_named(ending);
}

static bool unknown(struct str name, bool is_parser, struct err *err)
{
    AUTO_BUF names = {.limit = 1 << 10};
    for (const char *const *p = policy_parser_names; *p; p++)
        buf_printf(&names, "%s%s", p == policy_parser_names ? "" : p[1] ? ", " : " and ", *p);
    return is_parser ? err_set(err, ERR_USAGE, "no parser '%.*s'; there are %.*s", STR_ARG(name),
                               STR_ARG(buf_view(&names)))
                     : err_set(err, ERR_USAGE,
                               "%.*s: no parser has this ending; --parser names one of %.*s",
                               STR_ARG(name), STR_ARG(buf_view(&names)));
}

static bool choose(const struct policy_inputs_options *options, struct str path,
                   const struct parser **ret, struct err *err)
{
    bool from_stdin = str_equal(path, STR("-"));
    struct str name = from_stdin && options->stdin_name.len ? options->stdin_name : path;
    *ret = options->parser.len                      ? parser_named(options->parser)
           : from_stdin && !options->stdin_name.len ? parser_named(STR("yaml"))
                                                    : parser_of(name);
    if (!*ret)
        return options->parser.len ? unknown(options->parser, true, err)
                                   : unknown(name, false, err);
    if (!(*ret)->parse && !(*ret)->parse_one)
        return err_set(
            err, ERR_UNSUPPORTED,
            "%.*s: plumb does not read %.*s (conftest does): make JSON of it first, with "
            "%s, and check that",
            STR_ARG(name), STR_ARG((*ret)->name), (*ret)->instead);
    return true;
}

static bool parse(struct arena *arena, const struct parser *parser, struct str text,
                  const char *name, struct policy_input *ret, struct err *err)
{
    struct value v;
    size_t bad = utf8_bad_at(text);
    if (bad != SIZE_MAX)
        return parsers_fail(text, name, bad, "no UTF-8", err);
    return parser->parse ? parser->parse(arena, text, name, &ret->doc, &ret->n, err)
                         : parser->parse_one(arena, text, name, &v, err) &&
                               one(arena, &v, &ret->doc, &ret->n, err);
}

bool policy_inputs_parse(struct arena *arena, struct str parser, struct str text, struct str name,
                         struct value *ret, struct err *err)
{
    const struct policy_inputs_options how = {.parser = parser};
    struct str whole = arena_dup(arena, text), file = arena_dup(arena, name);
    struct policy_input input = {0};
    const struct parser *chosen;
    if (!whole.ptr || !file.ptr)
        return arena_full(arena, err);
    if (!choose(&how, name, &chosen, err) || !parse(arena, chosen, whole, file.ptr, &input, err))
        return false;
    *ret = input.n == 1 ? input.doc[0] : value_items(VALUE_TUPLE, input.doc, input.n);
    return true;
}

/* --- files --- */

struct reader {
    struct arena *arena;
    const struct policy_inputs_options *options;
    struct policy_input *input;
    size_t n, room;
};

static bool add(struct reader *r, struct str path, struct err *err)
{
    const struct parser *parser;
    struct str text;
    bool from_stdin = str_equal(path, STR("-"));
    struct policy_input *grown = arena_grow(r->arena, r->input, r->n, &r->room, r->n + 1);
    if (!grown)
        return arena_full(r->arena, err);
    r->input = grown;
    if (r->n == INPUTS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d files", INPUTS_MAX);
    if (!choose(r->options, path, &parser, err))
        return false;
    bool ok = from_stdin
                  ? io_read_fd(r->arena, STDIN_FILENO, "<stdin>", POLICY_INPUT_MAX, &text, err)
                  : io_read_file(r->arena, path.ptr, POLICY_INPUT_MAX, &text, err);
    struct policy_input *input = &r->input[r->n++];
    input->path = from_stdin && r->options->stdin_name.len ? r->options->stdin_name : path;
    return ok && parse(r->arena, parser, text, from_stdin ? "<stdin>" : path.ptr, input, err);
}

static bool is_ignored(const struct reader *r, struct str path)
{
    return r->options->ignore && regex_match(r->options->ignore, path, 0, NULL, 0);
}

static bool add_folder(struct reader *r, struct str path, unsigned depth_left, struct err *err)
{
    struct str *names;
    size_t n;
    if (depth_left == 0)
        return err_set(err, ERR_LIMIT, "%.*s: folders are nested deeper than %d", STR_ARG(path),
                       FOLDERS_DEEP);
    if (!io_list_dir(r->arena, path.ptr, INPUTS_MAX, &names, &n, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        struct str below = io_join(r->arena, path, names[i]);
        if (!below.ptr || !(below = pathname_clean(r->arena, below)).ptr)
            return arena_full(r->arena, err);
        if (io_is_loop(below.ptr))
            continue;
        if (io_is_dir(below.ptr)) {
            if (!add_folder(r, below, depth_left - 1, err))
                return false;
            continue;
        }
        if (is_ignored(r, below))
            continue;
        if (parser_of(below) && !add(r, below, err))
            return false;
    }
    return true;
}

static int compare_paths(const void *a, const void *b)
{
    return str_compare(((const struct policy_input *)a)->path,
                       ((const struct policy_input *)b)->path);
}

static int compare_files(const void *a, const void *b)
{
    const struct policy_input *x = *(const struct policy_input *const *)a;
    const struct policy_input *y = *(const struct policy_input *const *)b;
    int order = compare_paths(x, y);
    return order ? order : x < y ? -1 : 1;
}

/* A file that was named twice is tested once. */
static bool drop_repeated(struct reader *r, struct err *err)
{
    struct policy_input **by_path = arena_new(r->arena, struct policy_input *, r->n);
    size_t n = 0;
    if (!by_path)
        return arena_full(r->arena, err);
    for (size_t i = 0; i < r->n; i++)
        by_path[i] = &r->input[i];
    qsort(by_path, r->n, sizeof *by_path, compare_files);
    for (size_t i = 1; i < r->n; i++)
        if (str_equal(by_path[i]->path, by_path[i - 1]->path))
            by_path[i]->repeated = true;
    for (size_t i = 0; i < r->n; i++)
        if (!r->input[i].repeated)
            r->input[n++] = r->input[i];
    r->n = n;
    return true;
}

bool policy_inputs_read(struct arena *arena, const struct str *paths, size_t n,
                        const struct policy_inputs_options *options, struct policy_inputs *ret,
                        struct err *err)
{
    struct reader r = {.arena = arena, .options = options};
    for (size_t i = 0; i < n; i++) {
        struct str path = arena_dup(arena, paths[i]);
        if (!path.ptr)
            return arena_full(arena, err);
        bool folder = path.len && io_is_dir(path.ptr);
        if (!path.len || (!folder && !str_equal(path, STR("-")) && is_ignored(&r, path)))
            continue;
        bool ok = folder ? add_folder(&r, path, FOLDERS_DEEP, err) : add(&r, path, err);
        if (!ok)
            return false;
    }
    if (!r.n)
        return err_set(err, ERR_USAGE, "no file that a parser knows");
    if (!drop_repeated(&r, err))
        return false;
    *ret = (struct policy_inputs){r.input, r.n};
    return true;
}

static bool entry(struct arena *arena, struct str path, const struct value *doc, struct value *ret,
                  struct err *err)
{
    struct value_member *members = arena_new(arena, struct value_member, 2);
    const struct value_key *where = key_make(arena, STR("path"));
    const struct value_key *what = key_make(arena, STR("contents"));
    if (!members || !where || !what)
        return arena_full(arena, err);
    members[0] = (struct value_member){what, *doc};
    members[1] = (struct value_member){where, value_string(path)};
    return value_members(VALUE_OBJECT, members, 2, ret, NULL, err);
}

bool policy_inputs_combine(struct arena *arena, const struct policy_inputs *inputs,
                           struct value *ret, struct err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < inputs->n; i++)
        n += inputs->input[i].n;
    struct value *items = arena_new(arena, struct value, n);
    if (!items)
        return arena_full(arena, err);
    qsort(inputs->input, inputs->n, sizeof *inputs->input, compare_paths);
    n = 0;
    for (size_t i = 0; i < inputs->n; i++)
        for (size_t k = 0; k < inputs->input[i].n; k++)
            if (!entry(arena, inputs->input[i].path, &inputs->input[i].doc[k], &items[n++], err))
                return false;
    *ret = value_items(VALUE_TUPLE, items, n);
    return true;
}

/* inputs.c - find configuration files and parse them. */
#include "policy/inputs.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "base/regex_re2.h"
#include "policy/dockerfile.h"
#include "wire/json.h"
#include "wire/yaml.h"

enum { INPUT_BYTES_MAX = 1 << 30, INPUTS_MAX = 100000, FOLDERS_DEEP = 100 };

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
    if (!yaml_parse(arena, text, name, YAML_V1_1_BOOLS, &docs, &n, err))
        return false;
    if (n == 1)
        return one(arena, &docs[0].root, ret, ret_n, err);
    struct value *doc = arena_new(arena, struct value, n);
    if (!doc)
        return arena_full(arena, err);
    for (size_t i = 0; i < n; i++)
        doc[kept++] = docs[i].root;
    *ret = doc;
    *ret_n = kept;
    return true;
}

/* NAME=VALUE lines; quotes around the value go, `export ` before the name, too. */
static bool dotenv_line(struct arena *arena, struct str line, struct value_member *ret,
                        bool *ret_is)
{
    struct str name;
    line = str_trim(line);
    if (str_starts(line, STR("export ")))
        line = str_trim(str_sub(line, 7, line.len));
    *ret_is = line.len && line.ptr[0] != '#';
    if (!*ret_is)
        return true;
    if (!str_cut(&line, '=', &name))
        return false;
    line = str_trim(line);
    char quote = line.len ? line.ptr[0] : 0;
    if (line.len >= 2 && (quote == '"' || quote == '\'') && line.ptr[line.len - 1] == quote) {
        line = str_sub(line, 1, line.len - 1);
    } else {
        size_t comment = str_find(line, STR(" #"), 0);
        line = str_trim(str_sub(line, 0, comment == SIZE_MAX ? line.len : comment));
    }
    *ret = (struct value_member){key_make(arena, str_trim(name)), value_string(line)};
    return ret->key != NULL;
}

static bool parse_dotenv(struct arena *arena, struct str text, const char *name,
                         const struct value **ret, size_t *ret_n, struct err *err)
{
    struct value_member *members = NULL;
    size_t n = 0, room = 0, number = 0;
    struct str line;
    struct value v;
    for (bool more = true; more;) {
        bool is;
        more = str_cut(&text, '\n', &line);
        number++;
        members = arena_grow(arena, members, n, &room, n + 1);
        if (!members)
            return arena_full(arena, err);
        if (!dotenv_line(arena, line, &members[n], &is))
            return err_set(err, ERR_SYNTAX, "%s:%zu: NAME=VALUE is wanted", name, number);
        n += is;
    }
    return value_members(VALUE_OBJECT, members, n, &v, NULL, err) &&
           one(arena, &v, ret, ret_n, err);
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

static const struct parser {
    struct str name;
    struct str ending[3];
    bool (*parse)(struct arena *arena, struct str text, const char *name, const struct value **ret,
                  size_t *ret_n, struct err *err);
} parsers[] = {
    {STR_INIT("yaml"), {STR_INIT(".yaml"), STR_INIT(".yml")}, parse_yaml},
    {STR_INIT("json"), {STR_INIT(".json")}, parse_json},
    {STR_INIT("dotenv"), {STR_INIT(".env")}, parse_dotenv},
    {STR_INIT("dockerfile"), {STR_INIT("Dockerfile"), STR_INIT(".dockerfile")}, parse_dockerfile},
};

static const struct parser *parser_named(struct str name)
{
    for (size_t i = 0; i < sizeof parsers / sizeof *parsers; i++)
        if (str_equal(parsers[i].name, name))
            return &parsers[i];
    return NULL;
}

static const struct parser *parser_of(struct str path)
{
    for (size_t i = 0; i < sizeof parsers / sizeof *parsers; i++)
        for (size_t k = 0; k < 3 && parsers[i].ending[k].len; k++)
            if (str_ends(path, parsers[i].ending[k]))
                return &parsers[i];
    return NULL;
}

static bool choose(const struct policy_inputs_options *options, struct str path,
                   const struct parser **ret, struct err *err)
{
    bool from_stdin = str_equal(path, STR("-"));
    struct str name = from_stdin && options->stdin_name.len ? options->stdin_name : path;
    *ret = options->parser.len                      ? parser_named(options->parser)
           : from_stdin && !options->stdin_name.len ? parser_named(STR("yaml"))
                                                    : parser_of(name);
    if (*ret)
        return true;
    if (options->parser.len)
        return err_set(err, ERR_USAGE,
                       "no parser '%.*s'; there are yaml, json, dotenv and dockerfile",
                       STR_ARG(options->parser));
    return err_set(
        err, ERR_USAGE,
        "%.*s: no parser has this ending; --parser names one of yaml, json, dotenv and dockerfile",
        STR_ARG(name));
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
                  ? io_read_fd(r->arena, STDIN_FILENO, "<stdin>", INPUT_BYTES_MAX, &text, err)
                  : io_read_file(r->arena, path.ptr, INPUT_BYTES_MAX, &text, err);
    struct policy_input *input = &r->input[r->n++];
    input->path = from_stdin && r->options->stdin_name.len ? r->options->stdin_name : path;
    return ok && parser->parse(r->arena, text, from_stdin ? "<stdin>" : path.ptr, &input->doc,
                               &input->n, err);
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
        if (!below.ptr)
            return arena_full(r->arena, err);
        if (io_is_dir(below.ptr)) {
            if (!add_folder(r, below, depth_left - 1, err))
                return false;
            continue;
        }
        if (r->options->ignore && regex_match(r->options->ignore, below, 0, NULL, 0))
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

bool policy_inputs_read(struct arena *arena, const struct str *paths, size_t n,
                        const struct policy_inputs_options *options, struct policy_inputs *ret,
                        struct err *err)
{
    struct reader r = {.arena = arena, .options = options};
    for (size_t i = 0; i < n; i++) {
        struct str path = arena_dup(arena, paths[i]);
        if (!path.ptr)
            return arena_full(arena, err);
        if (!path.len)
            continue;
        bool ok =
            io_is_dir(path.ptr) ? add_folder(&r, path, FOLDERS_DEEP, err) : add(&r, path, err);
        if (!ok)
            return false;
    }
    if (!r.n)
        return err_set(err, ERR_USAGE, "no file that a parser knows");
    qsort(r.input, r.n, sizeof *r.input, compare_paths);
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
    n = 0;
    for (size_t i = 0; i < inputs->n; i++)
        for (size_t k = 0; k < inputs->input[i].n; k++)
            if (!entry(arena, inputs->input[i].path, &inputs->input[i].doc[k], &items[n++], err))
                return false;
    *ret = value_items(VALUE_TUPLE, items, n);
    return true;
}

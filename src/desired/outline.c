/* outline.c - a token scan of HCL: strings with templates, heredocs, comments, braces; no more. */
#include "desired/outline.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "wire/json.h"

/* --- tokens --- */

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_STRING,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_EQUALS,
    TOKEN_OTHER
};
struct token {
    enum token_kind kind;
    struct str text; /* a string without its quotes, as written */
};
struct scan {
    struct str text;
    size_t at;
};

static bool here(const struct scan *s, struct str what)
{
    return str_starts(str_sub(s->text, s->at, s->text.len), what);
}

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

static void skip_past(struct scan *s, struct str end)
{
    size_t at = str_find(s->text, end, s->at);
    s->at = at == SIZE_MAX ? s->text.len : at + end.len;
}

static void skip_blanks(struct scan *s)
{
    while (s->at < s->text.len) {
        char c = s->text.ptr[s->at];
        if (c == ' ' || (c >= '\t' && c <= '\r'))
            s->at++;
        else if (c == '#' || here(s, STR("//")))
            skip_past(s, STR("\n"));
        else if (here(s, STR("/*")))
            skip_past(s, STR("*/"));
        else
            break;
    }
}

/* Behind the opening quote: to the closing one, over escapes and ${...} with strings inside. */
static struct str scan_string(struct scan *s)
{
    enum { NESTED_MAX = 64 };
    unsigned braces[NESTED_MAX] = {0}, depth = 0; /* odd depth: inside a template of a string */
    size_t start = s->at;
    for (; s->at < s->text.len; s->at++) {
        char c = s->text.ptr[s->at];
        bool in_string = depth % 2 == 0;
        if (in_string && c == '\\') {
            s->at++;
        } else if (c == '"' && in_string && depth == 0) {
            return str_sub(s->text, start, s->at++);
        } else if (c == '"') {
            depth += in_string ? (unsigned)-1 : 1;
        } else if (in_string && (here(s, STR("${")) || here(s, STR("%{")))) {
            depth++;
            s->at++;
            if (depth < NESTED_MAX)
                braces[depth] = 0;
        } else if (!in_string && c == '{') {
            braces[depth]++;
        } else if (!in_string && c == '}') {
            if (braces[depth] == 0)
                depth--;
            else
                braces[depth]--;
        }
        if (depth >= NESTED_MAX - 1)
            s->at = s->text.len - 1; /* nobody writes that: give up on the file */
    }
    return str_sub(s->text, start, s->text.len);
}

/* Behind "<<": to the end of the line that is only the marker. */
static void skip_heredoc(struct scan *s)
{
    size_t line = str_find_char(s->text, '\n', s->at);
    struct str marker = str_trim(str_sub(s->text, s->at, line == SIZE_MAX ? s->text.len : line));
    struct str rest = str_sub(s->text, line == SIZE_MAX ? s->text.len : line + 1, s->text.len);
    if (str_starts(marker, STR("-")))
        marker = str_sub(marker, 1, marker.len);
    while (rest.len) {
        struct str one;
        (void)str_cut(&rest, '\n', &one);
        if (str_equal(str_trim(one), marker))
            break;
    }
    s->at = s->text.len - rest.len;
}

static struct token next_token(struct scan *s)
{
    static const struct {
        char c;
        enum token_kind kind;
    } marks[] = {{'{', TOKEN_OPEN}, {'}', TOKEN_CLOSE}, {'=', TOKEN_EQUALS}};
    skip_blanks(s);
    size_t start = s->at;
    if (start >= s->text.len)
        return (struct token){TOKEN_END, STR("")};
    if (is_word_char(s->text.ptr[start])) {
        while (s->at < s->text.len && is_word_char(s->text.ptr[s->at]))
            s->at++;
        return (struct token){TOKEN_WORD, str_sub(s->text, start, s->at)};
    }
    char c = s->text.ptr[s->at++];
    if (c == '"')
        return (struct token){TOKEN_STRING, scan_string(s)};
    if (c == '<' && here(s, STR("<")) && s->at + 1 < s->text.len &&
        (is_word_char(s->text.ptr[s->at + 1]))) {
        s->at++;
        skip_heredoc(s);
        return (struct token){TOKEN_OTHER, STR("")};
    }
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (c == marks[i].c)
            return (struct token){marks[i].kind, STR("")};
    return (struct token){TOKEN_OTHER, STR("")};
}

/* --- blocks --- */

static bool add_source(struct arena *arena, struct outline *outline, struct str source,
                       struct err *err)
{
    if (!str_starts(source, STR("./")) && !str_starts(source, STR("../")))
        return true;
    if (outline->nsource == OUTLINE_NAMES_MAX)
        return err_set(err, ERR_LIMIT, "more than %d module calls", OUTLINE_NAMES_MAX);
    outline->source = arena_grow(arena, outline->source, outline->nsource, &outline->source_room,
                                 outline->nsource + 1);
    struct str copy = arena_dup(arena, source);
    if (!outline->source || !copy.ptr)
        return arena_full(arena, err);
    outline->source[outline->nsource++] = copy;
    return true;
}

bool outline_add_hcl(struct arena *arena, struct str text, struct outline *outline, struct err *err)
{
    struct scan s = {text, 0};
    struct str top = STR(""), word = STR(""); /* type of the top-level block; last word in it */
    size_t depth = 0;
    bool first = true, equals = false;
    for (;;) {
        struct token token = next_token(&s);
        if (token.kind == TOKEN_END)
            return true;
        if (token.kind == TOKEN_WORD && depth == 0 && first) {
            top = token.text;
            first = false;
        }
        if (token.kind == TOKEN_OPEN) {
            if (depth == 0 && str_equal(top, STR("provider")))
                outline->has_provider = true;
            if (depth == 1 && !equals && str_equal(top, STR("terraform")) &&
                (str_equal(word, STR("backend")) || str_equal(word, STR("cloud"))))
                outline->has_backend = true;
            depth++;
        }
        if (token.kind == TOKEN_CLOSE && depth > 0 && --depth == 0)
            first = true;
        if (depth == 1 && token.kind == TOKEN_STRING && equals && str_equal(top, STR("module")) &&
            str_equal(word, STR("source")) && !add_source(arena, outline, token.text, err))
            return false;
        if (token.kind == TOKEN_WORD)
            word = token.text;
        equals = token.kind == TOKEN_EQUALS;
    }
}

/* --- JSON: each level may be an object or a list of objects --- */

static bool add_module_json(struct arena *arena, const struct value *module,
                            struct outline *outline, struct err *err)
{
    const struct value *list = value_is_list_like(module) ? module->items : module;
    size_t n = value_is_list_like(module) ? module->len : 1;
    for (size_t i = 0; i < n; i++)
        if (!add_source(arena, outline, value_get_string(&list[i], STR("source")), err))
            return false;
    return true;
}

static bool add_modules_json(struct arena *arena, const struct value *modules,
                             struct outline *outline, struct err *err)
{
    const struct value *list = value_is_list_like(modules) ? modules->items : modules;
    size_t n = value_is_list_like(modules) ? modules->len : modules ? 1 : 0;
    for (size_t i = 0; i < n; i++) {
        if (!value_is_object_like(&list[i]))
            continue;
        for (size_t k = 0; k < list[i].len; k++)
            if (!add_module_json(arena, &list[i].members[k].value, outline, err))
                return false;
    }
    return true;
}

static bool add_json(struct arena *arena, struct arena *scratch, struct str text, const char *name,
                     struct outline *outline, struct err *err)
{
    struct value root;
    if (!json_parse(scratch, text, name, JSON_DUPLICATES_LAST, &root, NULL))
        return true; /* told when the code is read in earnest */
    const struct value *settings = value_get(&root, STR("terraform"));
    const struct value *list = value_is_list_like(settings) ? settings->items : settings;
    size_t n = value_is_list_like(settings) ? settings->len : settings ? 1 : 0;
    for (size_t i = 0; i < n; i++)
        if (value_get(&list[i], STR("backend")) || value_get(&list[i], STR("cloud")))
            outline->has_backend = true;
    if (value_get(&root, STR("provider")))
        outline->has_provider = true;
    return add_modules_json(arena, value_get(&root, STR("module")), outline, err);
}

/* --- a folder --- */

static const struct code_file {
    struct str suffix;
    bool json;
} code_files[] = {{STR_INIT(".tf"), false},
                  {STR_INIT(".tofu"), false},
                  {STR_INIT(".tf.json"), true},
                  {STR_INIT(".tofu.json"), true}};

static bool add_file(struct arena *arena, const char *dir, struct str name, bool json,
                     struct outline *outline, struct err *err)
{
    AUTO_ARENA scratch = {.limit = (size_t)8 * OUTLINE_FILE_MAX};
    struct str path = io_join(&scratch, str_from(dir), name), text;
    if (!path.ptr)
        return arena_full(&scratch, err);
    if (!io_read_file(&scratch, path.ptr, OUTLINE_FILE_MAX, &text, NULL))
        return true;
    return json ? add_json(arena, &scratch, text, path.ptr, outline, err)
                : outline_add_hcl(arena, text, outline, err);
}

/* Which of code_files the name is one of, or NULL. */
static const struct code_file *code_file_of(struct str name)
{
    for (size_t i = 0; i < sizeof code_files / sizeof *code_files; i++)
        if (str_ends(name, code_files[i].suffix) && name.ptr[0] != '.')
            return &code_files[i];
    return NULL;
}

static bool add_name(struct arena *arena, struct str name, struct outline *outline, struct err *err)
{
    outline->has_lock |= str_equal(name, STR(".terraform.lock.hcl"));
    outline->has_data_dir |= str_equal(name, STR(".terraform"));
    outline->has_state |=
        str_equal(name, STR("terraform.tfstate")) || str_equal(name, STR("terraform.tfstate.d"));
    if (!code_file_of(name))
        return true;
    outline->has_code = true;
    if (!outline->first_file.len)
        outline->first_file = arena_dup(arena, name);
    return outline->first_file.ptr || arena_full(arena, err);
}

bool outline_names(struct arena *arena, const struct str *names, size_t n, struct outline *ret,
                   struct err *err)
{
    struct outline outline = {.has_code = false};
    for (size_t i = 0; i < n; i++)
        if (!add_name(arena, names[i], &outline, err))
            return false;
    *ret = outline;
    return true;
}

bool outline_read(struct arena *arena, const char *dir, const struct str *names, size_t n,
                  struct outline *ret, struct err *err)
{
    struct outline outline;
    if (!outline_names(arena, names, n, &outline, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct code_file *file = code_file_of(names[i]);
        if (file && !add_file(arena, dir, names[i], file->json, &outline, err))
            return false;
    }
    *ret = outline;
    return true;
}

bool outline_is_code(const struct outline *outline)
{
    return outline->has_code || outline->has_state || outline->has_data_dir;
}

/* dockerfile.c - Dockerfiles as conftest gives them: an instruction is {Cmd, SubCmd, JSON, Flags,
 * Value, Stage}.
 * Source: facts/rego.md 12; docs.docker.com/reference/dockerfile
 */
#include "policy/dockerfile.h"

#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "wire/json.h"

struct docker {
    struct arena *arena;
    struct value *command;
    size_t n, room;
    int64_t stage;
    char escape;     /* before the end of a line: the instruction goes on */
    const char *why; /* what Docker refuses of it; "" = nothing, memory is out */
};

enum form { FORM_WORDS, FORM_TEXT, FORM_PAIRS };
static const struct {
    struct str name;
    enum form form;
} forms[] = {
    {STR_INIT("run"), FORM_TEXT},        {STR_INIT("cmd"), FORM_TEXT},
    {STR_INIT("entrypoint"), FORM_TEXT}, {STR_INIT("shell"), FORM_TEXT},
    {STR_INIT("maintainer"), FORM_TEXT}, {STR_INIT("workdir"), FORM_TEXT},
    {STR_INIT("user"), FORM_TEXT},       {STR_INIT("stopsignal"), FORM_TEXT},
    {STR_INIT("env"), FORM_PAIRS},       {STR_INIT("label"), FORM_PAIRS},
};

static bool is_known(struct str name)
{
    static const char *const words[] = {"add",  "arg",         "copy",    "expose",
                                        "from", "healthcheck", "onbuild", "volume"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (str_equal(forms[i].name, name))
            return true;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_equal(str_from(words[i]), name))
            return true;
    return false;
}

static bool refuse(struct docker *d, const char *why)
{
    d->why = why;
    return false;
}

static enum form form_of(struct str name)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (str_equal(forms[i].name, name))
            return forms[i].form;
    return FORM_WORDS;
}

struct words {
    struct value *item;
    size_t n, room;
};

static bool push(struct docker *d, struct words *words, struct str text)
{
    struct value *grown = arena_grow(d->arena, words->item, words->n, &words->room, words->n + 1);
    if (!grown)
        return false;
    words->item = grown;
    grown[words->n++] = value_string(text);
    return true;
}

/* The next word, quoted parts as one; s becomes what follows. */
static struct str next_word(struct str *s)
{
    size_t at = 0;
    char quote = 0;
    *s = str_trim(*s);
    for (; at < s->len; at++) {
        char c = s->ptr[at];
        if (quote)
            quote = c == quote ? 0 : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == ' ' || c == '\t')
            break;
    }
    struct str word = str_sub(*s, 0, at);
    *s = str_trim(str_sub(*s, at, s->len));
    return word;
}

static bool push_pair(struct docker *d, struct words *words, struct str *rest)
{
    struct str word = next_word(rest), name;
    if (str_find_char(word, '=', 0) == SIZE_MAX) { /* ENV name the rest */
        if (!rest->len)
            return refuse(d, "ENV and LABEL want a name and a value");
        struct str value = *rest;
        *rest = (struct str){0};
        return push(d, words, word) && push(d, words, value) && push(d, words, STR(""));
    }
    (void)str_cut(&word, '=', &name);
    return push(d, words, name) && push(d, words, word) && push(d, words, STR("="));
}

static bool push_value(struct docker *d, struct str name, struct str rest, struct words *words)
{
    enum form form = form_of(name);
    if (form == FORM_TEXT)
        return push(d, words, rest);
    while (rest.len)
        if (!(form == FORM_PAIRS ? push_pair(d, words, &rest) : push(d, words, next_word(&rest))))
            return false;
    return true;
}

static struct str lower(struct arena *arena, struct str s)
{
    char *text = arena_new_raw(arena, char, s.len + 1);
    for (size_t i = 0; text && i < s.len; i++)
        text[i] = (char)(s.ptr[i] >= 'A' && s.ptr[i] <= 'Z' ? s.ptr[i] | 0x20 : s.ptr[i]);
    return (struct str){text, text ? s.len : 0};
}

static struct str upper(struct arena *arena, struct str s)
{
    char *text = arena_new_raw(arena, char, s.len + 1);
    for (size_t i = 0; text && i < s.len; i++)
        text[i] = (char)(s.ptr[i] >= 'a' && s.ptr[i] <= 'z' ? s.ptr[i] & ~0x20 : s.ptr[i]);
    return (struct str){text, text ? s.len : 0};
}

static bool add(struct docker *d, struct str name, struct str sub, const struct words *flags,
                const struct value *value, bool json)
{
    static const char *const keys[] = {"Cmd", "Flags", "JSON", "Stage", "SubCmd", "Value"};
    struct value_member *members = arena_new(d->arena, struct value_member, 6);
    struct value *grown = arena_grow(d->arena, d->command, d->n, &d->room, d->n + 1);
    if (!members || !grown)
        return false;
    d->command = grown;
    const struct value values[] = {
        value_string(name), value_items(VALUE_TUPLE, flags->item, flags->n),
        value_bool(json),   value_int(d->stage < 0 ? 0 : d->stage),
        value_string(sub),  *value};
    for (size_t i = 0; i < 6; i++) {
        members[i] = (struct value_member){key_make(d->arena, str_from(keys[i])), values[i]};
        if (!members[i].key)
            return false;
    }
    return value_members(VALUE_OBJECT, members, 6, &grown[d->n++], NULL, NULL);
}

/* HEALTHCHECK CMD ...: the word, and all that is behind it. */
static bool push_check(struct docker *d, struct str rest, struct words *words, bool *ret_json,
                       struct value *ret)
{
    struct str word = next_word(&rest);
    struct value list;
    if (!push(d, words, upper(d->arena, word)))
        return false;
    if (rest.len && rest.ptr[0] == '[' &&
        json_parse(d->arena, rest, "json", JSON_COPY, &list, NULL) && list.kind == VALUE_TUPLE) {
        *ret_json = true;
        for (uint32_t i = 0; i < list.len; i++)
            if (!push(d, words, value_text(&list.items[i])))
                return false;
    } else if (rest.len && !push(d, words, rest)) {
        return false;
    }
    *ret = value_items(VALUE_TUPLE, words->item, words->n);
    return true;
}

static bool instruction(struct docker *d, struct str line)
{
    struct words flags = {0}, words = {0};
    struct str rest = line, name = lower(d->arena, next_word(&rest)), sub = STR(""), form = name;
    struct value value;
    bool json = false;
    if (!is_known(name))
        return refuse(d, "there is no such instruction");
    if (str_equal(name, STR("from")))
        d->stage++;
    if (str_equal(name, STR("onbuild"))) {
        sub = upper(d->arena, next_word(&rest));
        form = lower(d->arena, sub);
    }
    while (str_starts(rest, STR("--")))
        if (!push(d, &flags, next_word(&rest)))
            return false;
    if (str_equal(form, STR("healthcheck")))
        return push_check(d, rest, &words, &json, &value) &&
               add(d, name, sub, &flags, &value, json);
    json = rest.len && rest.ptr[0] == '[' &&
           json_parse(d->arena, rest, "json", JSON_COPY, &value, NULL) && value.kind == VALUE_TUPLE;
    for (uint32_t i = 0; json && i < value.len; i++)
        if (!value_is_string(&value.items[i]))
            return refuse(d, "a list in JSON has strings only");
    if (!json) {
        if (!push_value(d, form, rest, &words))
            return false;
        value = value_items(VALUE_TUPLE, words.item, words.n);
    }
    if (sub.len)
        flags = (struct words){0}; /* of what is put off, conftest tells none */
    return add(d, name, sub, &flags, &value, json);
}

/* --- lines --- */

static struct str first_line(struct str text)
{
    enum { SHOWN_MAX = 60 };
    struct str line;
    (void)str_cut(&text, '\n', &line);
    return str_sub(line, 0, line.len < SHOWN_MAX ? line.len : SHOWN_MAX);
}

/* The texts that `<<NAME` in an instruction brings: passed over, up to their names. */
static void skip_documents(struct str line, struct str *text)
{
    struct str rest = line, word = next_word(&rest), body;
    static const struct str takers[] = {STR_INIT("run"), STR_INIT("copy"), STR_INIT("add")};
    bool takes = false;
    for (size_t i = 0; i < 3; i++)
        takes = takes ||
                (word.len == takers[i].len && strncasecmp(word.ptr, takers[i].ptr, word.len) == 0);
    while (takes && rest.len) {
        word = next_word(&rest);
        if (!str_starts(word, STR("<<")) || word.len < 3)
            continue;
        bool tabs = word.ptr[2] == '-';
        struct str name = str_sub(word, tabs ? 3 : 2, word.len);
        if (name.len > 2 && (name.ptr[0] == '"' || name.ptr[0] == '\''))
            name = str_sub(name, 1, name.len - 1);
        for (bool more = name.len > 0; more;) {
            more = str_cut(text, '\n', &body);
            while (tabs && body.len && body.ptr[0] == '\t')
                body = str_sub(body, 1, body.len);
            if (str_equal(str_trim(body), name))
                break;
        }
    }
}

/* Without the character that lets it go on; indentation stays: it is of the instruction. */
static struct str continued(const struct docker *d, struct str line, bool *ret_goes_on)
{
    struct str bare = line;
    while (bare.len && (bare.ptr[bare.len - 1] == ' ' || bare.ptr[bare.len - 1] == '\t' ||
                        bare.ptr[bare.len - 1] == '\r'))
        bare.len--;
    *ret_goes_on = bare.len && bare.ptr[bare.len - 1] == d->escape;
    return *ret_goes_on ? str_sub(bare, 0, bare.len - 1) : bare;
}

/* `# escape=\`` among the directives at the top: comments that assign. */
static char escape_of(struct str text)
{
    struct str line, name;
    for (bool more = true; more;) {
        more = str_cut(&text, '\n', &line);
        line = str_trim(line);
        if (!line.len || line.ptr[0] != '#')
            break;
        line = str_sub(line, 1, line.len);
        if (!str_cut(&line, '=', &name))
            break;
        name = str_trim(name);
        line = str_trim(line);
        if (name.len == 6 && strncasecmp(name.ptr, "escape", 6) == 0)
            return line.len == 1 && line.ptr[0] == '`' ? '`' : '\\';
    }
    return '\\';
}

bool policy_dockerfile(struct arena *arena, struct str text, struct value *ret, struct err *err)
{
    AUTO_BUF joined = {.limit = BUF_DEFAULT_LIMIT};
    struct docker d = {.arena = arena, .stage = -1, .escape = escape_of(text), .why = ""};
    struct str line;
    bool goes_on = false;
    for (bool more = true; more;) {
        more = str_cut(&text, '\n', &line);
        struct str bare = str_trim(line);
        if (more && ((bare.len && bare.ptr[0] == '#') || (goes_on && !bare.len)))
            continue; /* within an instruction that goes on, too */
        struct str part =
            bare.len && bare.ptr[0] == '#' ? (struct str){0} : continued(&d, line, &goes_on);
        buf_str(&joined, part);
        if (goes_on && more)
            continue;
        struct str whole = arena_dup(arena, str_trim(buf_view(&joined)));
        joined.len = 0;
        goes_on = false;
        if (joined.failed || !whole.ptr)
            return arena_full(arena, err);
        if (whole.len && !instruction(&d, whole))
            return *d.why ? err_set(err, ERR_SYNTAX, "%.*s: %s", STR_ARG(first_line(whole)), d.why)
                          : arena_full(arena, err);
        skip_documents(whole, &text);
        more = more && text.len;
    }
    if (!d.n)
        return err_set(err, ERR_SYNTAX, "no instruction is in it");
    *ret = value_items(VALUE_TUPLE, d.command, d.n);
    return true;
}

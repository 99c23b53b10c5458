/* dockerfile.c - Dockerfiles as conftest gives them: an instruction is {Cmd, SubCmd, JSON, Flags,
 * Value, Stage}. Source: facts/rego.md 12; docs.docker.com/reference/dockerfile
 */
#include "policy/dockerfile.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "wire/json.h"

struct docker {
    struct arena *arena;
    struct value *command;
    size_t n, room;
    int64_t stage;
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

static bool add(struct docker *d, struct str name, const struct words *flags,
                const struct value *value, bool json)
{
    static const char *const keys[] = {"Cmd", "Flags", "JSON", "Stage", "SubCmd", "Value"};
    struct value_member *members = arena_new(d->arena, struct value_member, 6);
    struct value *grown = arena_grow(d->arena, d->command, d->n, &d->room, d->n + 1);
    if (!members || !grown)
        return false;
    d->command = grown;
    const struct value values[] = {
        value_string(name),    value_items(VALUE_TUPLE, flags->item, flags->n),
        value_bool(json),      value_int(d->stage),
        value_string(STR("")), *value};
    for (size_t i = 0; i < 6; i++) {
        members[i] = (struct value_member){key_make(d->arena, str_from(keys[i])), values[i]};
        if (!members[i].key)
            return false;
    }
    return value_members(VALUE_OBJECT, members, 6, &grown[d->n++], NULL, NULL);
}

static bool instruction(struct docker *d, struct str line)
{
    struct words flags = {0}, words = {0};
    struct str rest = line, name = lower(d->arena, next_word(&rest));
    struct value value;
    if (str_equal(name, STR("from")))
        d->stage++;
    while (str_starts(rest, STR("--")))
        if (!push(d, &flags, next_word(&rest)))
            return false;
    bool json = rest.len && rest.ptr[0] == '[' &&
                json_parse(d->arena, rest, "json", JSON_COPY, &value, NULL) &&
                value.kind == VALUE_TUPLE;
    if (!json) {
        if (!push_value(d, name, rest, &words))
            return false;
        value = value_items(VALUE_TUPLE, words.item, words.n);
    }
    return add(d, name, &flags, &value, json);
}

bool policy_dockerfile(struct arena *arena, struct str text, struct value *ret, struct err *err)
{
    AUTO_BUF joined = {.limit = 64 << 20};
    struct docker d = {.arena = arena, .stage = -1};
    struct str line;
    for (bool more = true; more;) {
        more = str_cut(&text, '\n', &line);
        struct str bare = str_trim(line);
        if (bare.len && bare.ptr[0] == '#')
            continue; /* within an instruction that goes on, too */
        bool goes_on = more && bare.len && bare.ptr[bare.len - 1] == '\\';
        buf_str(&joined, goes_on ? str_sub(bare, 0, bare.len - 1) : bare);
        if (goes_on)
            continue;
        struct str whole = arena_dup(arena, buf_view(&joined));
        joined.len = 0;
        if (joined.failed || !whole.ptr ||
            (str_trim(whole).len && !instruction(&d, str_trim(whole))))
            return arena_full(arena, err);
    }
    *ret = value_items(VALUE_TUPLE, d.command, d.n);
    return true;
}

/* options.c - a command line against a command's option table; the environment stands in. */
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/quantity.h"
#include "base/str.h"
#include "cli/app.h"
#include "cli/command.h"

enum { ARGS_MAX = 100000, OPTIONS_MAX = 64 };

struct parser {
    struct arena *arena;
    const struct command *command;
    struct option_value *value;
    struct str *list[OPTIONS_MAX]; /* what value[i].list points at, while it grows */
    size_t room[OPTIONS_MAX];
    struct str *args;
    size_t nargs, args_room;
    int argc, at;
    char **argv;
};

size_t command_option(const struct command *command, struct str name)
{
    size_t i = 0;
    while (i < command->noptions && !str_equal(str_from(command->options[i].name), name))
        i++;
    return i;
}

const struct option_value *command_value(const struct command *command, const struct invocation *in,
                                         const char *name)
{
    return &in->value[command_option(command, str_from(name))];
}

static bool unknown_option(const struct command *command, struct str name, struct err *err)
{
    struct str names[OPTIONS_MAX + 1] = {0};
    size_t n = 0;
    for (; n < command->noptions; n++)
        names[n] = str_from(command->options[n].name);
    names[n++] = STR("help");
    struct str near = str_nearest(name, names, n);
    if (near.len)
        return err_set(err, ERR_USAGE, "unknown option --%.*s; did you mean --%.*s?", STR_ARG(name),
                       STR_ARG(near));
    return err_set(err, ERR_USAGE, "unknown option --%.*s; see `plumb %s --help`", STR_ARG(name),
                   command->name);
}

static bool check_choice(const struct option *option, struct str text, struct err *err)
{
    struct str names[OPTIONS_MAX] = {0};
    size_t n = 0;
    for (; n < OPTIONS_MAX && option->choices[n]; n++) {
        names[n] = str_from(option->choices[n]);
        if (str_equal(names[n], text))
            return true;
    }
    struct str near = str_nearest(text, names, n);
    AUTO_ARENA arena = {.limit = 1 << 16};
    struct str all = STR("");
    for (size_t i = 0; i < n; i++)
        all = arena_printf(&arena, "%.*s%s%.*s", STR_ARG(all), i ? ", " : "", STR_ARG(names[i]));
    return err_set(err, ERR_USAGE, "--%s: no '%.*s'%s%.*s%s; one of %.*s", option->name,
                   STR_ARG(text), near.len ? " (did you mean '" : "", STR_ARG(near),
                   near.len ? "'?)" : "", STR_ARG(all));
}

static bool set_number(const struct option *option, struct str text, struct option_value *value,
                       struct err *err)
{
    static const char *const wanted[] = {[OPTION_INT] = "a whole number",
                                         [OPTION_SIZE] = "a size such as 512M or 2G",
                                         [OPTION_DURATION] = "a duration such as 500ms, 30s or 2m"};
    bool ok = option->kind == OPTION_SIZE       ? quantity_parse_bytes(text, &value->number)
              : option->kind == OPTION_DURATION ? quantity_parse_duration(text, &value->number)
                                                : str_to_int64(text, &value->number);
    if (!ok)
        return err_set(err, ERR_USAGE, "--%s: want %s, got '%.*s'", option->name,
                       wanted[option->kind], STR_ARG(text));
    int64_t most = option->most ? option->most : INT64_MAX;
    if (value->number < option->least || value->number > most)
        return err_set(err, ERR_USAGE, "--%s: %.*s is not between %lld and %lld", option->name,
                       STR_ARG(text), (long long)option->least, (long long)most);
    return true;
}

bool command_parse_bool(struct str text, bool *ret)
{
    static const struct str words[] = {STR_INIT("0"),     STR_INIT("1"),     STR_INIT("f"),
                                       STR_INIT("t"),     STR_INIT("F"),     STR_INIT("T"),
                                       STR_INIT("false"), STR_INIT("true"),  STR_INIT("False"),
                                       STR_INIT("True"),  STR_INIT("FALSE"), STR_INIT("TRUE")};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_equal(words[i], text)) {
            *ret = i % 2 == 1;
            return true;
        }
    return false;
}

static bool set_flag(struct parser *p, size_t row, struct str text, struct err *err)
{
    struct option_value *value = &p->value[row];
    if (!command_parse_bool(text, &value->set))
        return err_set(err, ERR_USAGE, "--%s: want true or false, got '%.*s'",
                       p->command->options[row].name, STR_ARG(text));
    value->off = !value->set;
    return true;
}

static bool add_to_list(struct parser *p, size_t row, struct str text, struct err *err)
{
    struct option_value *value = &p->value[row];
    if (value->nlist == ARGS_MAX)
        return err_set(err, ERR_LIMIT, "--%s is given more than %d times",
                       p->command->options[row].name, ARGS_MAX);
    p->list[row] =
        arena_grow(p->arena, p->list[row], value->nlist, &p->room[row], value->nlist + 1);
    if (!p->list[row])
        return arena_full(p->arena, err);
    p->list[row][value->nlist++] = text;
    value->list = p->list[row];
    return true;
}

/* A line of comma-separated values: "a,\"b,c\"" are two, and a quote in quotes is doubled. */
static bool add_parts(struct parser *p, size_t row, struct str text, struct err *err)
{
    for (size_t at = 0; at < text.len || at == 0; at++) {
        bool quoted = at < text.len && text.ptr[at] == '"';
        char *part = arena_alloc_raw(p->arena, text.len + 1, 1, 1);
        size_t n = 0;
        if (!part)
            return arena_full(p->arena, err);
        for (at += quoted; at < text.len && (quoted || text.ptr[at] != ','); at++) {
            if (quoted && text.ptr[at] == '"' && (++at == text.len || text.ptr[at] != '"'))
                break;
            part[n++] = text.ptr[at];
        }
        part[n] = '\0';
        if (text.len && !add_to_list(p, row, (struct str){part, n}, err))
            return false;
    }
    return true;
}

static bool set_value(struct parser *p, size_t row, struct str text, struct err *err)
{
    const struct option *option = &p->command->options[row];
    struct option_value *value = &p->value[row];
    value->set = true;
    value->off = false;
    value->text = text;
    if (option->choices && !option->open && !check_choice(option, text, err))
        return false;
    if (option->kind == OPTION_LIST && p->command->pflag)
        return add_parts(p, row, text, err);
    if (option->kind == OPTION_LIST)
        return add_to_list(p, row, text, err);
    if (option->kind == OPTION_INT || option->kind == OPTION_SIZE ||
        option->kind == OPTION_DURATION)
        return set_number(option, text, value, err);
    return true;
}

/* The word behind an option. One that looks like an option is not taken for a value. */
static bool next_word(struct parser *p, const struct option *option, struct str *ret,
                      struct err *err)
{
    struct str word = p->at < p->argc ? str_from(p->argv[p->at]) : STR("");
    bool looks_like_one = !p->command->pflag && str_starts(word, STR("--")) && word.len > 2;
    if (p->at >= p->argc || looks_like_one)
        return err_set(err, ERR_USAGE, "--%s needs a value: --%s=%s", option->name, option->name,
                       option->arg);
    p->at++;
    *ret = word;
    return true;
}

static bool long_option(struct parser *p, struct str word, struct err *err)
{
    struct str rest = word, name;
    bool has_value = str_cut(&rest, '=', &name);
    size_t row = command_option(p->command, name);
    if (row == p->command->noptions)
        return unknown_option(p->command, name, err);
    const struct option *option = &p->command->options[row];
    if (option->kind == OPTION_FLAG) {
        if (has_value && p->command->pflag)
            return set_flag(p, row, rest, err);
        if (has_value)
            return err_set(err, ERR_USAGE, "--%s takes no value", option->name);
        return set_value(p, row, STR("true"), err);
    }
    if (!has_value && !next_word(p, option, &rest, err))
        return false;
    return set_value(p, row, rest, err);
}

/* "-o value", "-ovalue", "-qv". */
static bool short_options(struct parser *p, struct str letters, struct err *err)
{
    for (size_t i = 0; i < letters.len; i++) {
        size_t row = 0;
        while (row < p->command->noptions && p->command->options[row].letter != letters.ptr[i])
            row++;
        if (row == p->command->noptions)
            return err_set(err, ERR_USAGE, "unknown option -%c; see `plumb %s --help`",
                           letters.ptr[i], p->command->name);
        const struct option *option = &p->command->options[row];
        if (option->kind == OPTION_FLAG) {
            if (!set_value(p, row, STR("true"), err))
                return false;
            continue;
        }
        struct str value = str_sub(letters, i + 1, letters.len);
        if (p->command->pflag && value.len > 1 && value.ptr[0] == '=')
            value = str_sub(value, 1, value.len);
        if (!value.len && !next_word(p, option, &value, err))
            return false;
        return set_value(p, row, value, err);
    }
    return true;
}

static bool add_arg(struct parser *p, struct str word, struct err *err)
{
    if (p->nargs == p->command->args_most)
        return err_set(err, ERR_USAGE, "unexpected argument '%.*s'; usage: %s", STR_ARG(word),
                       p->command->usage);
    p->args = arena_grow(p->arena, p->args, p->nargs, &p->args_room, p->nargs + 1);
    if (!p->args)
        return arena_full(p->arena, err);
    p->args[p->nargs++] = word;
    return true;
}

static bool parse_words(struct parser *p, struct err *err)
{
    bool options_end = false;
    while (p->at < p->argc) {
        struct str word = str_from(p->argv[p->at++]);
        bool ok = true;
        if (options_end || word.len < 2 || word.ptr[0] != '-') {
            ok = add_arg(p, word, err);
            options_end = options_end || p->command->rest;
        } else if (str_equal(word, STR("--"))) {
            options_end = true;
        } else if (word.ptr[1] == '-') {
            ok = long_option(p, str_sub(word, 2, word.len), err);
        } else {
            ok = short_options(p, str_sub(word, 1, word.len), err);
        }
        if (!ok)
            return false;
    }
    if (p->nargs < p->command->args_least)
        return err_set(err, ERR_USAGE, "an argument is missing; usage: %s", p->command->usage);
    return true;
}

static bool flag_from_env(const struct option *option, struct str text, bool *ret, struct err *err)
{
    static const struct {
        struct str text;
        bool set;
    } words[] = {{STR_INIT("1"), true},  {STR_INIT("true"), true},   {STR_INIT("yes"), true},
                 {STR_INIT("0"), false}, {STR_INIT("false"), false}, {STR_INIT("no"), false}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_equal(text, words[i].text)) {
            *ret = words[i].set;
            return true;
        }
    return err_set(err, ERR_USAGE, "%s: want 1 or 0, got '%.*s'", option->env, STR_ARG(text));
}

static bool from_env(struct parser *p, size_t row, struct str text, struct err *err)
{
    const struct option *option = &p->command->options[row];
    if (option->kind == OPTION_FLAG) {
        bool set = false;
        return flag_from_env(option, text, &set, err) && (!set || set_value(p, row, text, err));
    }
    if (option->kind != OPTION_LIST)
        return set_value(p, row, text, err) || err_wrap(err, "environment %s", option->env);
    for (bool more = true; more;) {
        struct str part;
        more = str_cut(&text, ',', &part);
        part = str_trim(part);
        if (part.len && !set_value(p, row, part, err))
            return err_wrap(err, "environment %s", option->env);
    }
    return true;
}

static bool parse_environment(struct parser *p, const struct app *app, struct err *err)
{
    for (size_t i = 0; i < p->command->noptions; i++) {
        const struct option *option = &p->command->options[i];
        struct str text = str_from(option->env ? app->env(option->env) : NULL);
        if (text.len && !p->value[i].set && !from_env(p, i, text, err))
            return false;
    }
    return true;
}

bool command_parse(struct arena *arena, const struct app *app, const struct command *command,
                   int argc, char **argv, struct invocation *ret, struct err *err)
{
    if (command->noptions > OPTIONS_MAX)
        return err_set(err, ERR_LIMIT, "%s has more than %d options", command->name, OPTIONS_MAX);
    struct parser p = {.arena = arena,
                       .command = command,
                       .value = arena_new(arena, struct option_value, command->noptions),
                       .argc = argc,
                       .argv = argv};
    if (!p.value)
        return arena_full(arena, err);
    if (!parse_words(&p, err) || !parse_environment(&p, app, err))
        return false;
    *ret = (struct invocation){p.value, p.args, p.nargs};
    return true;
}

/* test_options.c - command_parse(): every way of writing an option, and what is refused. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/command.h"

static const char *const colours[] = {"red", "green", NULL};
static const struct option options[] = {
    {.name = "output", .letter = 'o', .kind = OPTION_LIST, .arg = "FORMAT", .env = "T_OUTPUT"},
    {.name = "quiet", .letter = 'q', .kind = OPTION_FLAG, .env = "T_QUIET"},
    {.name = "concurrency", .kind = OPTION_INT, .arg = "N", .least = 1, .most = 100, .env = "T_N"},
    {.name = "max-memory", .kind = OPTION_SIZE, .arg = "SIZE"},
    {.name = "timeout", .letter = 't', .kind = OPTION_DURATION, .arg = "TIME", .least = 1},
    {.name = "colour", .kind = OPTION_STRING, .arg = "C", .choices = colours},
};
static const struct command command = {.name = "paint",
                                       .usage = "plumb paint [WALL...]",
                                       .options = options,
                                       .noptions = sizeof options / sizeof *options,
                                       .args_most = 3};

enum { OUTPUT, QUIET, CONCURRENCY, MEMORY, TIMEOUT, COLOUR };

static const char *no_environment(const char *name)
{
    (void)name;
    return NULL;
}

static const char *environment(const char *name)
{
    return strcmp(name, "T_OUTPUT") == 0  ? "json, text"
           : strcmp(name, "T_QUIET") == 0 ? "1"
           : strcmp(name, "T_N") == 0     ? "7"
                                          : NULL;
}

/* argv as one text of words; nothing here holds a blank. */
static bool parse_as(struct arena *arena, const struct command *as, const char *line,
                     const char *(*env)(const char *name), struct invocation *ret, struct err *err)
{
    char *argv[16];
    int argc = 0;
    struct str rest = str_from(line), word;
    while (rest.len && argc < 16) {
        str_cut(&rest, ' ', &word);
        char *copy = arena_alloc(arena, word.len + 1, 1, 1);
        assert_non_null(copy);
        memcpy(copy, word.ptr, word.len);
        argv[argc++] = copy;
    }
    const struct app app = {.env = env};
    return command_parse(arena, &app, as, argc, argv, ret, err);
}

static bool parse(struct arena *arena, const char *line, const char *(*env)(const char *name),
                  struct invocation *ret, struct err *err)
{
    return parse_as(arena, &command, line, env, ret, err);
}

static const struct {
    const char *line;
    size_t row; /* the option that is looked at */
    const char *text;
    int64_t number;
    size_t nlist, nargs;
} good[] = {
    {"--output=json", OUTPUT, "json", 0, 1, 0},
    {"--output json -o text", OUTPUT, "text", 0, 2, 0},
    {"-ojson a", OUTPUT, "json", 0, 1, 1},
    {"--output=json=a=b", OUTPUT, "json=a=b", 0, 1, 0},
    {"-qo json", OUTPUT, "json", 0, 1, 0},
    {"-q a b c", QUIET, "true", 0, 0, 3},
    {"a - b", QUIET, NULL, 0, 0, 3},
    {"-- --quiet", QUIET, NULL, 0, 0, 1},
    {"--concurrency 100", CONCURRENCY, "100", 100, 0, 0},
    {"--max-memory=2G", MEMORY, "2G", (int64_t)2 << 30, 0, 0},
    {"--max-memory 512MiB", MEMORY, "512MiB", 512 << 20, 0, 0},
    {"-t 500ms", TIMEOUT, "500ms", 500, 0, 0},
    {"--timeout 30", TIMEOUT, "30", 30000, 0, 0},
    {"--timeout=-", TIMEOUT, NULL, -1, 0, 0},
    {"--colour green", COLOUR, "green", 0, 0, 0},
};

static void a_line_gives_its_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct err err = {0};
        struct invocation in = {0};
        bool ok = parse(&arena, good[i].line, no_environment, &in, &err);
        print_message("  %s\n", good[i].line);
        assert_int_equal(ok, good[i].number >= 0);
        if (!ok)
            continue;
        const struct option_value *value = &in.value[good[i].row];
        assert_int_equal(value->set, good[i].text != NULL);
        assert_true(str_equal(value->text, str_from(good[i].text)));
        assert_int_equal(value->number, good[i].number);
        assert_int_equal(value->nlist, good[i].nlist);
        assert_int_equal(in.nargs, good[i].nargs);
    }
}

static const struct {
    const char *line, *message;
} bad[] = {
    {"--ouput json", "did you mean --output?"},
    {"--zzzzzzzz", "unknown option --zzzzzzzz; see `plumb paint --help`"},
    {"-z", "unknown option -z"},
    {"--quiet=yes", "--quiet takes no value"},
    {"--output", "--output needs a value: --output=FORMAT"},
    {"--output --quiet", "--output needs a value"},
    {"--concurrency ten", "--concurrency: want a whole number, got 'ten'"},
    {"--concurrency 0", "0 is not between 1 and 100"},
    {"--concurrency 101", "101 is not between 1 and 100"},
    {"--concurrency 99999999999999999999", "want a whole number"},
    {"--max-memory 2X", "want a size such as 512M"},
    {"--timeout 0", "--timeout: 0 is not between 1 and"},
    {"--colour gren", "did you mean 'green'?"},
    {"--colour blue", "one of red, green"},
    {"a b c d", "unexpected argument 'd'; usage: plumb paint [WALL...]"},
};

static void a_wrong_line_says_what_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct err err = {0};
        struct invocation in = {0};
        print_message("  %s\n", bad[i].line);
        assert_false(parse(&arena, bad[i].line, no_environment, &in, &err));
        assert_int_equal(err.kind, ERR_USAGE);
        assert_non_null(strstr(err.frame[0], bad[i].message));
        assert_null(in.value);
    }
}

static void the_environment_stands_in(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct invocation in = {0};
    assert_true(parse(&arena, "--concurrency 9", environment, &in, &err));
    assert_int_equal(in.value[CONCURRENCY].number, 9);
    assert_true(in.value[QUIET].set);
    assert_int_equal(in.value[OUTPUT].nlist, 2);
    assert_true(str_equal(in.value[OUTPUT].list[1], STR("text")));
    assert_ptr_equal(command_value(&command, &in, "quiet"), &in.value[QUIET]);
}

static void as_go_takes_them(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        bool ok, quiet, off;
        size_t nlist;
        const char *first;
    } cases[] = {
        {"--quiet=true", true, true, false, 0, NULL},
        {"--quiet=T", true, true, false, 0, NULL},
        {"--quiet=1", true, true, false, 0, NULL},
        {"--quiet=False", true, false, true, 0, NULL},
        {"--quiet --quiet=0", true, false, true, 0, NULL},
        {"--quiet=f --quiet", true, true, false, 0, NULL},
        {"--quiet=yes", false, false, false, 0, NULL},
        {"--quiet=", false, false, false, 0, NULL},
        {"-qo=json", true, true, false, 1, "json"},
        {"-ojson,text", true, false, false, 2, "json"},
        {"--output=\"a,b\",c", true, false, false, 2, "a,b"},
        {"--output \"a\"\"b\"", true, false, false, 1, "a\"b"},
        {"--output --quiet", true, false, false, 1, "--quiet"},
        {"--output a,,b", true, false, false, 3, "a"},
        {"-o", false, false, false, 0, NULL},
    };
    struct command go = command;
    go.pflag = true;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct invocation in;
        struct err err = {0};
        print_message("  %s\n", cases[i].line);
        assert_int_equal(parse_as(&arena, &go, cases[i].line, no_environment, &in, &err),
                         cases[i].ok);
        assert_int_equal(err.kind, cases[i].ok ? ERR_NONE : ERR_USAGE);
        if (!cases[i].ok)
            continue;
        assert_int_equal(in.value[QUIET].set, cases[i].quiet);
        assert_int_equal(in.value[QUIET].off, cases[i].off);
        assert_int_equal(in.value[OUTPUT].nlist, cases[i].nlist);
        if (cases[i].first)
            assert_true(str_equal(in.value[OUTPUT].list[0], str_from(cases[i].first)));
    }
}

static void every_command_is_found(void **state)
{
    (void)state;
    size_t n;
    const struct command *const *commands = command_all(&n);
    for (size_t i = 0; i < n; i++) {
        print_message("  %s\n", commands[i]->name);
        assert_ptr_equal(command_find(str_from(commands[i]->name)), commands[i]);
    }
    assert_null(command_find(STR("policy")));
    assert_null(command_find(STR("policy evil")));
    assert_null(command_find(STR("policy_eval")));
    assert_null(command_find(STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_go_takes_them),
        cmocka_unit_test(a_line_gives_its_values),
        cmocka_unit_test(a_wrong_line_says_what_is_wrong),
        cmocka_unit_test(the_environment_stands_in),
        cmocka_unit_test(every_command_is_found),
    };
    return cmocka_run_group_tests_name("cli/options", tests, NULL, NULL);
}

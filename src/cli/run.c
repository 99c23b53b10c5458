/* run.c - find the subcommand, parse its options, run it, print its error. */
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/help.h"
#include "model/finding.h"
#include "report/parts.h"

enum { COMMANDS_MAX = 128, ARGS_ARENA = 64 << 20 };

/* Is this the name of a command: one word, or two? */
static bool is_name(const char *name, struct str first, struct str second)
{
    struct str rest = str_from(name), word;
    bool more = str_cut(&rest, ' ', &word);
    return str_equal(word, first) && more == (second.ptr != NULL) &&
           (!more || str_equal(rest, second));
}

static const struct command *find_in(struct str first, struct str second)
{
    size_t n;
    const struct command *const *commands = command_all(&n);
    for (size_t i = 0; i < n; i++)
        if (command_may_be(i, first) && is_name(commands[i]->name, first, second))
            return commands[i];
    return NULL;
}

const struct command *command_find(struct str name)
{
    struct str rest = name, first;
    return str_cut(&rest, ' ', &first) ? find_in(first, rest) : find_in(name, (struct str){0});
}

/* The command of the first one or two words; how many it took, 0 if there is none. */
static int find_words(int argc, char **argv, const struct command **ret)
{
    if (argc > 1 && (*ret = find_in(str_from(argv[0]), str_from(argv[1]))))
        return 2;
    return argc > 0 && (*ret = find_in(str_from(argv[0]), (struct str){0})) ? 1 : 0;
}

static bool unknown_command(int argc, char **argv, struct err *err)
{
    size_t n, nnames = 0;
    const struct command *const *commands = command_all(&n);
    struct str names[COMMANDS_MAX] = {0}, word = str_from(argv[0]), first;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct str below = {0};
    for (size_t i = 0; i < n && nnames < COMMANDS_MAX; i++) {
        struct str rest = str_from(commands[i]->name);
        names[nnames++] = rest;
        if (str_cut(&rest, ' ', &first) && str_equal(first, word))
            below = arena_printf(&arena, "%.*s%s%s", STR_ARG(below), below.len ? ", " : "",
                                 commands[i]->name);
    }
    if (below.len)
        return err_set(err, ERR_USAGE, "%s is followed by a second word: %.*s", argv[0],
                       STR_ARG(below));
    struct str two = argc > 1 ? arena_printf(&arena, "%s %s", argv[0], argv[1]) : word;
    struct str near = str_nearest(word, names, nnames);
    if (!near.len)
        near = str_nearest(two, names, nnames);
    if (near.len)
        return err_set(err, ERR_USAGE, "no command '%s'; did you mean '%.*s'?", argv[0],
                       STR_ARG(near));
    return err_set(err, ERR_USAGE, "no command '%s'; `plumb --help` lists them", argv[0]);
}

static bool asks_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

static bool run_help(const struct app *app, int argc, char **argv, struct err *err)
{
    const struct command *command = NULL;
    if (argc == 0) {
        help_overview(app->out);
        return true;
    }
    if (!find_words(argc, argv, &command))
        return unknown_command(argc, argv, err);
    help_command(app->out, command);
    return true;
}

/* What a message begins with. */
struct naming {
    const char *command; /* "" before one is known */
};

static bool run_command(const struct app *app, const struct command *command, int argc, char **argv,
                        int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARGS_ARENA};
    struct invocation in = {0};
    if (asks_help(argc, argv)) {
        help_command(app->out, command);
        *ret_exit = 0;
        return true;
    }
    return command_parse(&arena, app, command, argc, argv, &in, err) &&
           command->run(app, &in, ret_exit, err);
}

static bool run(const struct app *app, int argc, char **argv, struct naming *naming, int *ret_exit,
                struct err *err)
{
    const struct command *command = NULL;
    const char *first = argv[0];
    int words = 1;
    *ret_exit = 0;
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0 || strcmp(first, "help") == 0)
        return run_help(app, argc - 1, argv + 1, err);
    if (strcmp(first, "--version") == 0 || strcmp(first, "-V") == 0)
        command = command_find(STR("version"));
    else
        words = find_words(argc, argv, &command);
    if (!command)
        return unknown_command(argc, argv, err);
    naming->command = command->name;
    return run_command(app, command, argc - words, argv + words, ret_exit, err);
}

/* What was printed must have arrived: a full disk is not "in sync". */
static bool flush(const struct app *app, struct err *err)
{
    errno = 0;
    if (fflush(app->out) == 0 && !ferror(app->out))
        return true;
    return err_set(err, ERR_IO, "write the output: %s", strerror(errno ? errno : EIO));
}

/* An error names what it is about, and whoever wrote that must not steer the terminal with it. */
static void print_error(FILE *out, const char *command, struct str text)
{
    AUTO_BUF safe = {.limit = BUF_DEFAULT_LIMIT};
    text_safe_lines(&safe, text, 0);
    buf_char(&safe, '\0');
    (void)fprintf(out, "plumb%s%s: %s\n", *command ? " " : "", command,
                  safe.ptr && !safe.failed ? safe.ptr : "out of memory");
}

/* Apart, for its text is larger than all that most commands have on the stack. */
__attribute__((noinline)) static void tell(const struct app *app, const char *command,
                                           const struct err *err)
{
    char text[ERR_FRAMES_MAX * ERR_TEXT_MAX];
    print_error(app->err, command, str_from(err_text(err, text, sizeof text)));
}

int cli_main(const struct app *app, int argc, char **argv)
{
    struct err err = {0};
    int code = EXIT_ERROR;
    struct naming naming = {.command = ""};
    if (argc < 2) {
        help_overview(app->err);
        return EXIT_ERROR;
    }
    if (run(app, argc - 1, argv + 1, &naming, &code, &err) && flush(app, &err))
        return code;
    if (errno == EPIPE && ferror(app->out)) /* `plumb ... | head`: nobody wants to hear more */
        return EXIT_ERROR;
    (void)fflush(app->out);
    tell(app, naming.command, &err);
    return EXIT_ERROR;
}

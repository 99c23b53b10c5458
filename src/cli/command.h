/* command.h - a subcommand: its options as a table (parser, --help, man page and completion read
 * it) and its run.
 *
 * One subcommand = one file cmd_NAME.c with `const struct command cmd_NAME`; the build lists them.
 * A name of two words is two words in `name` and an underscore in the file: "config check" is
 * cmd_config_check.c, "import-driftignore" is cmd_import_driftignore.c.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct app;
struct err;

enum option_kind {
    OPTION_FLAG,
    OPTION_STRING,
    OPTION_INT,
    OPTION_SIZE,     /* "512M": number = bytes */
    OPTION_DURATION, /* "30s": number = milliseconds */
    OPTION_LIST      /* may be repeated; in its environment variable separated by commas */
};

struct option {
    const char *name; /* "output": --output */
    char letter;      /* 'o', or 0 */
    enum option_kind kind;
    const char *arg;            /* "FORMAT[=FILE]": how --help calls the value; NULL for a flag */
    const char *text;           /* one sentence */
    const char *env;            /* "PLUMB_OUTPUT": stands in when the option is absent; or NULL */
    int64_t least, most;        /* of the number; most 0 = INT64_MAX */
    const char *const *choices; /* NULL-ended: completion and checking; or NULL */
    bool open;                  /* choices are only what completion offers */
};

/* What the command line said, by index into the command's option table. */
struct option_value {
    bool set;
    bool off; /* of an OPTION_FLAG: set to false (struct command.pflag); then it is not `set` */
    int64_t number;
    struct str text;        /* the last one given */
    const struct str *list; /* OPTION_LIST: all of them */
    size_t nlist;
};
struct invocation {
    const struct option_value *value; /* one per row of the command's table */
    const struct str *args;
    size_t nargs;
};

struct command {
    const char *name;    /* "scan", "config check" */
    const char *usage;   /* "plumb scan [DIR...] [options]" */
    const char *summary; /* one line */
    const char *help;    /* paragraphs for --help and the man page; or NULL */
    const struct option *options;
    size_t noptions;
    size_t args_least, args_most; /* words that are not options */
    bool rest;                    /* options end at the first word that is none */
    bool pflag;  /* options as programs in Go take them: --flag=false, -o=x, lists with commas */
    bool hidden; /* not in the list of commands: for scripts */
    bool (*run)(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err);
};

/* Every subcommand of the build, sorted by file name; `hidden` ones are left out of the help. */
const struct command *const *command_all(size_t *ret_n);
/* May the first word of command i's name be this one? A look at the names of the files only. */
bool command_may_be(size_t i, struct str word);
const struct command *command_find(struct str name);
/* The row of an option's name without dashes, or noptions. */
size_t command_option(const struct command *command, struct str name);

/* argv without the program's and the subcommand's names. ERR_USAGE with the nearest option name. */
struct arena;
bool command_parse(struct arena *arena, const struct app *app, const struct command *command,
                   int argc, char **argv, struct invocation *ret, struct err *err);

/* "1", "t", "True" ... and their counterparts, as Go's strconv.ParseBool has them. False: none. */
bool command_parse_bool(struct str text, bool *ret);

/* Of a parsed command line, by the option's name (which must be in the table). */
const struct option_value *command_value(const struct command *command, const struct invocation *in,
                                         const char *name);

/* The whole program: finds the subcommand, parses, runs, prints an error to app->err. The exit
 * code. */
int cli_main(const struct app *app, int argc, char **argv);

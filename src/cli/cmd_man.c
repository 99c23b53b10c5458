/* cmd_man.c - `plumb man`: the manual page in roff, written from the option tables. */
#include "base/err.h"
#include "cli/app.h"
#include "cli/command.h"

/* Text of a line; roff's own characters escaped, "\n\n" a new paragraph, other line ends kept. */
static void roff(FILE *out, const char *text)
{
    bool line_start = true;
    for (; *text; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            (void)fputs("\\&", out);
        line_start = *text == '\n';
        if (*text == '\\')
            (void)fputs("\\e", out);
        else if (*text == '-')
            (void)fputs("\\-", out);
        else if (*text == '\n' && text[1] == '\n') {
            (void)fputs("\n.PP\n", out);
            text++;
        } else if (*text == '\n')
            (void)fputs("\n.br\n", out);
        else
            (void)fputc(*text, out);
    }
    (void)fputc('\n', out);
}

/* A word or usage line whose dashes can be copied as such. */
static void dashes(FILE *out, const char *text)
{
    for (; *text; text++)
        if (*text == '-')
            (void)fputs("\\-", out);
        else
            (void)fputc(*text, out);
}

static void option(FILE *out, const struct option *row)
{
    (void)fputs(".TP\n", out);
    if (row->letter)
        (void)fprintf(out, "\\fB\\-%c\\fR, ", row->letter);
    (void)fputs("\\fB\\-\\-", out);
    dashes(out, row->name);
    (void)fputs("\\fR", out);
    if (row->arg)
        (void)fprintf(out, " \\fI%s\\fR", row->arg);
    (void)fputc('\n', out);
    roff(out, row->text);
}

static void section(FILE *out, const struct command *command)
{
    (void)fprintf(out, ".SS \"plumb %s\"\n", command->name);
    (void)fputs("\\fB", out);
    dashes(out, command->usage);
    (void)fputs("\\fR\n.PP\n", out);
    roff(out, command->summary);
    if (command->help) {
        (void)fputs(".PP\n", out);
        roff(out, command->help);
    }
    for (size_t i = 0; i < command->noptions; i++)
        option(out, &command->options[i]);
}

static void environment(FILE *out, const struct command *const *commands, size_t n)
{
    (void)fputs(".SH ENVIRONMENT\n"
                "Options override the environment, the environment overrides plumb.yaml.\n",
                out);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < commands[i]->noptions; k++) {
            const struct option *row = &commands[i]->options[k];
            if (row->env)
                (void)fprintf(out, ".TP\n\\fB%s\\fR\n\\-\\-%s of plumb %s\n", row->env, row->name,
                              commands[i]->name);
        }
    (void)fputs(".TP\n\\fBNO_COLOR\\fR\nwhen set and not empty: no colours\n"
                ".TP\n\\fBTF_WORKSPACE\\fR, \\fBTF_DATA_DIR\\fR, \\fBTF_CLI_CONFIG_FILE\\fR, "
                "\\fBTF_PLUGIN_CACHE_DIR\\fR, \\fBTF_REATTACH_PROVIDERS\\fR\n"
                "as Terraform and OpenTofu read them\n",
                out);
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    (void)in;
    (void)err;
    size_t n;
    const struct command *const *commands = command_all(&n);
    FILE *out = app->out;
    (void)fprintf(out,
                  ".\\\" Written by `plumb man` from the option tables.\n"
                  ".TH PLUMB 1 \"\" \"plumb %s\" \"User Commands\"\n"
                  ".SH NAME\nplumb \\- find where live infrastructure differs from its code\n"
                  ".SH SYNOPSIS\n\\fBplumb\\fR \\fICOMMAND\\fR [\\fIoptions\\fR]\n"
                  ".SH DESCRIPTION\n",
                  PLUMB_VERSION);
    roff(out, "plumb reads what the last apply of Terraform or OpenTofu recorded, asks the stack's "
              "own providers what is live now, and reports every difference. Nothing in a scan can "
              "change infrastructure. What could not be compared is reported as unchecked, never "
              "as in sync. With a store it remembers findings, reviews and decisions in a log "
              "that can be verified, and refuses plans and applies that would undo or ignore "
              "drift that nobody has reviewed.");
    (void)fputs(".SH COMMANDS\n", out);
    for (size_t i = 0; i < n; i++)
        if (!commands[i]->hidden)
            section(out, commands[i]);
    (void)fputs(".SH \"EXIT STATUS\"\n"
                ".TP\n\\fB0\\fR\nin sync: everything was compared, nothing differs\n"
                ".TP\n\\fB1\\fR\nerror: a command line, a file or a stack that could not be read\n"
                ".TP\n\\fB2\\fR\ndrift: something live differs from the code\n"
                ".TP\n\\fB4\\fR\nincomplete: no drift seen, but something could not be checked\n",
                out);
    environment(out, commands, n);
    (void)fputs(".SH FILES\n.TP\n\\fBplumb.yaml\\fR\n"
                "which stacks there are and how they are judged; see docs/configuration.md\n",
                out);
    *ret_exit = 0;
    return true;
}

const struct command cmd_man = {.name = "man",
                                .usage = "plumb man",
                                .summary = "the manual page in roff: plumb man | man -l -",
                                .hidden = true,
                                .run = run};

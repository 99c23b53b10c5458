/* help.c - the overview and the page of one command, from the tables. */
#include "cli/help.h"

#include "cli/command.h"

enum { COLUMN_OPTION_TEXT = 30, COLUMN_SUMMARY = 23 };

/* Up to the next blank, line end or the end; skips one separator. */
static struct str next_word(struct str *text)
{
    size_t n = 0;
    while (n < text->len && text->ptr[n] != ' ' && text->ptr[n] != '\n')
        n++;
    struct str word = str_sub(*text, 0, n);
    *text = str_sub(*text, n, text->len);
    return word;
}

void help_wrap(FILE *out, struct str text, size_t indent, size_t at)
{
    bool line_start = true;
    for (; at < indent; at++)
        (void)fputc(' ', out);
    while (text.len) {
        if (text.ptr[0] == '\n') { /* kept: a paragraph's end or a line of an example */
            (void)fputc('\n', out);
            text = str_sub(text, 1, text.len);
            at = 0;
            line_start = true;
            continue;
        }
        size_t lead = 0;
        while (lead < text.len && text.ptr[lead] == ' ')
            lead++;
        text = str_sub(text, lead, text.len);
        struct str word = next_word(&text);
        if (!line_start && at + 1 + word.len > HELP_WIDTH) {
            (void)fputc('\n', out);
            at = 0;
            lead = 0;
        }
        size_t column = (at > indent ? at : indent) + lead;
        for (; at < column; at++)
            (void)fputc(' ', out);
        (void)fwrite(word.ptr, 1, word.len, out);
        at += word.len;
        line_start = false;
    }
    (void)fputc('\n', out);
}

void help_overview(FILE *out)
{
    size_t n;
    const struct command *const *commands = command_all(&n);
    (void)fputs(
        "plumb finds where live infrastructure differs from its code. A scan only reads.\n\n"
        "Usage: plumb COMMAND [options]\n\nCommands:\n",
        out);
    for (size_t i = 0; i < n; i++) {
        if (commands[i]->hidden)
            continue;
        int len = fprintf(out, "  %s", commands[i]->name);
        help_wrap(out, str_from(commands[i]->summary), COLUMN_SUMMARY, len > 0 ? (size_t)len : 0);
    }
    (void)fputs(
        "\n`plumb COMMAND --help` tells a command's options; `plumb --version` the version.\n"
        "Exit codes: 0 in sync, 1 error, 2 drift, 3 policy objects, 4 something could not be "
        "checked.\n",
        out);
}

static void print_option(FILE *out, const struct option *option)
{
    int len = fprintf(out, "  ");
    len += option->letter ? fprintf(out, "-%c, ", option->letter) : fprintf(out, "    ");
    len += fprintf(out, "--%s", option->name);
    if (option->arg)
        len += fprintf(out, " %s", option->arg);
    size_t at = len > 0 ? (size_t)len : 0;
    if (at + 1 >= COLUMN_OPTION_TEXT) {
        (void)fputc('\n', out);
        at = 0;
    }
    help_wrap(out, str_from(option->text), COLUMN_OPTION_TEXT, at);
    if (option->env)
        (void)fprintf(out, "%*s[environment: %s]\n", COLUMN_OPTION_TEXT, "", option->env);
}

void help_command(FILE *out, const struct command *command)
{
    (void)fprintf(out, "plumb %s - %s\n\nUsage: %s\n", command->name, command->summary,
                  command->usage);
    if (command->help) {
        (void)fputc('\n', out);
        help_wrap(out, str_from(command->help), 0, 0);
    }
    if (command->noptions)
        (void)fputs("\nOptions:\n", out);
    for (size_t i = 0; i < command->noptions; i++)
        print_option(out, &command->options[i]);
}

/* cmd_completion.c - `plumb completion SHELL`: completion scripts, written from the option tables.
 */
#include <string.h>

#include "base/err.h"
#include "cli/app.h"
#include "cli/command.h"

/* Text inside '...' of a shell; in zsh's specifications [ ] : are escaped as well. */
static void quoted(FILE *out, const char *text, const char *escape, const char *quote)
{
    for (; *text; text++) {
        if (*text == '\'')
            (void)fputs(quote, out);
        else if (strchr(escape, *text))
            (void)fprintf(out, "\\%c", *text);
        else
            (void)fputc(*text, out);
    }
}

static void words(FILE *out, const char *const *choices)
{
    for (size_t i = 0; choices[i]; i++)
        (void)fprintf(out, "%s%s", i ? " " : "", choices[i]);
}

/* The first word of a command of two; empty for a command of one. */
static struct str group_of(const struct command *command)
{
    struct str rest = str_from(command->name), first;
    return str_cut(&rest, ' ', &first) ? first : STR("");
}

static bool group_seen(const struct command *const *commands, size_t n, struct str group)
{
    for (size_t i = 0; i < n; i++)
        if (str_equal(group_of(commands[i]), group))
            return true;
    return false;
}

static const char *last_word(const struct command *command)
{
    const char *blank = strchr(command->name, ' ');
    return blank ? blank + 1 : command->name;
}

/* --- bash --- */

static void bash_words(FILE *out, const struct command *const *commands, size_t n, struct str group)
{
    for (size_t i = 0; i < n; i++) {
        struct str own = group_of(commands[i]);
        if (commands[i]->hidden || (group.len && !str_equal(own, group)))
            continue;
        if (group.len || !own.len)
            (void)fprintf(out, "%s ", last_word(commands[i]));
        else if (!group_seen(commands, i, own))
            (void)fprintf(out, "%.*s ", STR_ARG(own));
    }
}

static void bash_option_values(FILE *out, const struct command *command)
{
    (void)fputs("        case \"$prev\" in\n", out);
    for (size_t i = 0; i < command->noptions; i++) {
        const struct option *option = &command->options[i];
        if (option->kind == OPTION_FLAG)
            continue;
        (void)fprintf(out, "        --%s", option->name);
        if (option->letter)
            (void)fprintf(out, " | -%c", option->letter);
        if (option->choices) {
            (void)fputs(") mapfile -t COMPREPLY < <(compgen -W \"", out);
            words(out, option->choices);
            (void)fputs("\" -- \"$cur\"); return ;;\n", out);
        } else {
            (void)fputs(") mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); return ;;\n", out);
        }
    }
    (void)fputs("        esac\n", out);
}

static void bash_command(FILE *out, const struct command *command)
{
    (void)fprintf(out, "    \"%s\")\n", command->name);
    bash_option_values(out, command);
    (void)fputs("        options=\"--help", out);
    for (size_t i = 0; i < command->noptions; i++)
        (void)fprintf(out, " --%s", command->options[i].name);
    (void)fputs("\"\n        ;;\n", out);
}

static void bash_groups(FILE *out, const struct command *const *commands, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct str group = group_of(commands[i]);
        if (!group.len || group_seen(commands, i, group))
            continue;
        (void)fprintf(out, "    %.*s) second=\"", STR_ARG(group));
        bash_words(out, commands, n, group);
        (void)fputs("\" ;;\n", out);
    }
}

static void write_bash(FILE *out, const struct command *const *commands, size_t n)
{
    (void)fputs("# bash completion of plumb; made by `plumb completion bash`\n"
                "_plumb() {\n"
                "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
                "    local command=${COMP_WORDS[1]} second=\"\" options=\"--help\"\n"
                "    COMPREPLY=()\n"
                "    if [ \"$cur\" = \"=\" ]; then cur=\"\"; fi\n"
                "    if [ \"$prev\" = \"=\" ]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
                "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                "        mapfile -t COMPREPLY < <(compgen -W \"help --help --version ",
                out);
    bash_words(out, commands, n, STR(""));
    (void)fputs("\" -- \"$cur\")\n"
                "        return\n"
                "    fi\n"
                "    case \"$command\" in\n",
                out);
    bash_groups(out, commands, n);
    (void)fputs("    esac\n"
                "    if [ -n \"$second\" ] && [ \"$COMP_CWORD\" -eq 2 ]; then\n"
                "        mapfile -t COMPREPLY < <(compgen -W \"$second\" -- \"$cur\")\n"
                "        return\n"
                "    fi\n"
                "    if [ -n \"$second\" ]; then command=\"$command ${COMP_WORDS[2]}\"; fi\n"
                "    case \"$command\" in\n",
                out);
    for (size_t i = 0; i < n; i++)
        if (!commands[i]->hidden)
            bash_command(out, commands[i]);
    (void)fputs("    esac\n"
                "    case \"$cur\" in\n"
                "    -*) mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$cur\") ;;\n"
                "    *) mapfile -t COMPREPLY < <(compgen -f -- \"$cur\") ;;\n"
                "    esac\n"
                "}\n"
                "complete -o filenames -F _plumb plumb\n",
                out);
}

/* --- zsh --- */

static void zsh_option(FILE *out, const struct option *option)
{
    const char *many = option->kind == OPTION_LIST ? "*" : "";
    (void)fprintf(out, " \\\n            '%s--%s%s[", many, option->name,
                  option->kind == OPTION_FLAG ? "" : "=");
    quoted(out, option->text, "[]:\\", "'\\''");
    (void)fputc(']', out);
    if (option->kind != OPTION_FLAG) {
        (void)fputc(':', out);
        quoted(out, option->arg, "[]:\\", "'\\''");
        (void)fputc(':', out);
        if (option->choices) {
            (void)fputc('(', out);
            words(out, option->choices);
            (void)fputc(')', out);
        } else {
            (void)fputs("_files", out);
        }
    }
    (void)fputc('\'', out);
}

static void zsh_describe(FILE *out, const struct command *const *commands, size_t n,
                         struct str group)
{
    (void)fputs("        choices=(", out);
    for (size_t i = 0; i < n; i++) {
        struct str own = group_of(commands[i]);
        bool first = !group_seen(commands, i, own);
        if (commands[i]->hidden || (group.len && !str_equal(own, group)) ||
            (!group.len && own.len && !first))
            continue;
        if (!group.len && own.len) {
            (void)fprintf(out, " '%.*s'", STR_ARG(own));
            continue;
        }
        (void)fprintf(out, " '%s:", last_word(commands[i]));
        quoted(out, commands[i]->summary, ":\\", "'\\''");
        (void)fputc('\'', out);
    }
    (void)fputs(")\n        _describe command choices\n        return\n", out);
}

static void zsh_groups(FILE *out, const struct command *const *commands, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct str group = group_of(commands[i]);
        if (!group.len || group_seen(commands, i, group))
            continue;
        (void)fprintf(out,
                      "    if [[ $command == %.*s ]]; then\n"
                      "        if (( CURRENT == 3 )); then\n",
                      STR_ARG(group));
        zsh_describe(out, commands, n, group);
        (void)fputs("        fi\n        command=\"$command $words[3]\"\n    fi\n", out);
    }
}

static void write_zsh(FILE *out, const struct command *const *commands, size_t n)
{
    (void)fputs("#compdef plumb\n# zsh completion of plumb; made by `plumb completion zsh`\n"
                "_plumb() {\n"
                "    local -a choices\n"
                "    local command=$words[2]\n"
                "    if (( CURRENT == 2 )); then\n",
                out);
    zsh_describe(out, commands, n, STR(""));
    (void)fputs("    fi\n", out);
    zsh_groups(out, commands, n);
    (void)fputs("    case $command in\n", out);
    for (size_t i = 0; i < n; i++) {
        if (commands[i]->hidden)
            continue;
        (void)fprintf(out, "    '%s')\n        _arguments '--help[show the options]'",
                      commands[i]->name);
        for (size_t k = 0; k < commands[i]->noptions; k++)
            zsh_option(out, &commands[i]->options[k]);
        (void)fputs(" \\\n            '*:file:_files'\n        ;;\n", out);
    }
    (void)fputs("    esac\n}\n"
                "if [ \"$funcstack[1]\" = \"_plumb\" ]; then _plumb \"$@\"; "
                "else compdef _plumb plumb; fi\n",
                out);
}

/* --- fish --- */

static void fish_option(FILE *out, const struct command *command, const struct option *option)
{
    (void)fprintf(out, "complete -c plumb -n '__fish_seen_subcommand_from %s' -l %s",
                  last_word(command), option->name);
    if (option->letter)
        (void)fprintf(out, " -s %c", option->letter);
    if (option->kind != OPTION_FLAG)
        (void)fputs(option->choices ? " -x" : " -r", out);
    if (option->choices) {
        (void)fputs(" -a '", out);
        words(out, option->choices);
        (void)fputc('\'', out);
    }
    (void)fputs(" -d '", out);
    quoted(out, option->text, "\\", "\\'");
    (void)fputs("'\n", out);
}

static void fish_command(FILE *out, const struct command *command, bool group_is_new)
{
    struct str group = group_of(command);
    if (group.len && group_is_new)
        (void)fprintf(out, "complete -c plumb -f -n __fish_use_subcommand -a %.*s\n",
                      STR_ARG(group));
    if (group.len)
        (void)fprintf(out, "complete -c plumb -f -n '__fish_seen_subcommand_from %.*s' -a %s -d '",
                      STR_ARG(group), last_word(command));
    else
        (void)fprintf(out, "complete -c plumb -f -n __fish_use_subcommand -a %s -d '",
                      command->name);
    quoted(out, command->summary, "\\", "\\'");
    (void)fputs("'\n", out);
    for (size_t i = 0; i < command->noptions; i++)
        fish_option(out, command, &command->options[i]);
}

static void write_fish(FILE *out, const struct command *const *commands, size_t n)
{
    (void)fputs("# fish completion of plumb; made by `plumb completion fish`\n"
                "complete -c plumb -n __fish_use_subcommand -l version -d 'which plumb this is'\n"
                "complete -c plumb -l help -s h -d 'show the options'\n",
                out);
    for (size_t i = 0; i < n; i++)
        if (!commands[i]->hidden)
            fish_command(out, commands[i], !group_seen(commands, i, group_of(commands[i])));
}

/* --- the command --- */

static const char *const shells[] = {"bash", "zsh", "fish", NULL};
static void (*const writers[])(FILE *out, const struct command *const *commands,
                               size_t n) = {write_bash, write_zsh, write_fish};

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    size_t n;
    const struct command *const *commands = command_all(&n);
    for (size_t i = 0; shells[i]; i++)
        if (str_equal(in->args[0], str_from(shells[i]))) {
            writers[i](app->out, commands, n);
            *ret_exit = 0;
            return true;
        }
    return err_set(err, ERR_USAGE, "no shell '%.*s'; one of bash, zsh, fish", STR_ARG(in->args[0]));
}

const struct command cmd_completion = {
    .name = "completion",
    .usage = "plumb completion bash|zsh|fish",
    .summary = "a completion script for a shell",
    .help = "bash:  source <(plumb completion bash)\n"
            "zsh:   plumb completion zsh > \"${fpath[1]}/_plumb\"\n"
            "fish:  plumb completion fish > ~/.config/fish/completions/plumb.fish",
    .args_least = 1,
    .args_most = 1,
    .run = run};

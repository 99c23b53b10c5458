/* builtin_conftest.c - parse_config and its kin, which conftest adds to the language: what the
 * embedding program reads (struct rego_host); without that they fail.
 */
#include "base/arena.h"
#include "base/err.h"
#include "lang/rego/builtin.h"

static enum rego_outcome ask(struct rego_call *call, enum rego_configuration_kind kind,
                             struct value *ret)
{
    const struct rego_configuration what = {kind, call->arg, call->file};
    struct err err = {0};
    char text[1024];
    if (!call->host || !call->host->configuration)
        return rego_refuse(call, "configuration files are read by conftest's commands only");
    if (call->host->configuration(call->host->ctx, call->arena, &what, ret, &err))
        return REGO_DEFINED;
    struct str why = arena_dup(call->arena, str_from(err_text(&err, text, sizeof text)));
    return why.ptr ? rego_fail(call, "%.*s", STR_ARG(why)) : REGO_HALT;
}

static enum rego_outcome parse_config(struct rego_call *call, struct value *ret)
{
    return ask(call, REGO_CONFIGURATION_TEXT, ret);
}

static enum rego_outcome parse_config_file(struct rego_call *call, struct value *ret)
{
    return ask(call, REGO_CONFIGURATION_FILE, ret);
}

static enum rego_outcome parse_combined_config_files(struct rego_call *call, struct value *ret)
{
    return ask(call, REGO_CONFIGURATION_FILES, ret);
}

static const struct rego_builtin table[] = {
    {"parse_config", NULL, "(string, string) => any", parse_config, 0},
    {"parse_config_file", NULL, "(string) => any", parse_config_file, 0},
    {"parse_combined_config_files", NULL, "(array[string]) => any", parse_combined_config_files, 0},
};
const struct rego_family builtin_conftest = {table, sizeof table / sizeof *table};

/* cmd_stacks.c - `plumb stacks`: which stacks a scan would look at, and what is known of them. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/rows.h"
#include "desired/stacks.h"
#include "wire/json.h"

enum { OUTPUT, CONFIG, WORKSPACE, OPTION_COUNT };
static const struct option options[] = {
    [OUTPUT] = ROW_TEXT_OR_JSON,
    [CONFIG] = ROW_CONFIG,
    [WORKSPACE] = ROW_WORKSPACES,
};

/* X(column, member of struct stack): the columns of both outputs. */
#define COLUMNS(X) \
    X("name", name) \
    X("path", path) \
    X("workspace", workspace) \
    X("environment", environment) \
    X("owner", owner) \
    X("schedule", schedule)

enum { NCOLUMNS = 6 };

static void columns_of(const struct stack *stack, struct str ret[NCOLUMNS])
{
    size_t n = 0;
#define X(column, member) ret[n++] = stack->member;
    COLUMNS(X)
#undef X
}

static const char *const titles[NCOLUMNS] = {
#define X(column, member) column,
    COLUMNS(X)
#undef X
};

static bool write_json(FILE *out, const struct stacks *stacks, struct err *err)
{
    AUTO_BUF buf = {.limit = BUF_DEFAULT_LIMIT};
    struct jsonw w = {.out = &buf, .indent = 2};
    jsonw_object_open(&w);
    jsonw_member_int(&w, STR("schema_version"), 1);
    jsonw_key(&w, STR("stacks"));
    jsonw_array_open(&w);
    for (size_t i = 0; i < stacks->n; i++) {
        struct str column[NCOLUMNS];
        columns_of(&stacks->stack[i], column);
        jsonw_object_open(&w);
        for (size_t k = 0; k < NCOLUMNS; k++)
            jsonw_member_string(&w, str_from(titles[k]), column[k]);
        jsonw_object_close(&w);
    }
    jsonw_array_close(&w);
    jsonw_object_close(&w);
    buf_char(&buf, '\n');
    if (!buf_ok(&buf, err))
        return false;
    (void)fwrite(buf.ptr, 1, buf.len, out);
    return true;
}

/* A column that is empty everywhere is left out. */
static void write_text(FILE *out, const struct stacks *stacks)
{
    size_t width[NCOLUMNS] = {0};
    for (size_t i = 0; i < stacks->n; i++) {
        struct str column[NCOLUMNS];
        columns_of(&stacks->stack[i], column);
        for (size_t k = 0; k < NCOLUMNS; k++)
            if (column[k].len > width[k])
                width[k] = column[k].len;
    }
    for (size_t i = 0; i <= stacks->n; i++) {
        struct str column[NCOLUMNS];
        if (i)
            columns_of(&stacks->stack[i - 1], column);
        size_t pad = 0;
        for (size_t k = 0; k < NCOLUMNS; k++) {
            struct str text = i ? column[k] : str_from(titles[k]);
            size_t title = str_from(titles[k]).len;
            if (!width[k])
                continue;
            if (text.len)
                (void)fprintf(out, "%*s%.*s", (int)pad, "", STR_ARG(text));
            size_t wide = (width[k] > title ? width[k] : title) + 2;
            pad = text.len ? wide - text.len : pad + wide;
        }
        (void)fputc('\n', out);
    }
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct stacks stacks = {0};
    const struct stacks_query query = {.dirs = in->args,
                                       .ndirs = in->nargs,
                                       .config_file = in->value[CONFIG].text,
                                       .workspaces = in->value[WORKSPACE].list,
                                       .nworkspaces = in->value[WORKSPACE].nlist,
                                       .env = app->env};
    if (!stacks_find(&arena, &query, &stacks, err))
        return false;
    *ret_exit = 0;
    if (str_equal(in->value[OUTPUT].text, STR("json")))
        return write_json(app->out, &stacks, err);
    write_text(app->out, &stacks);
    return true;
}

const struct command cmd_stacks = {
    .name = "stacks",
    .usage = "plumb stacks [DIR...] [options]",
    .summary = "list the stacks that a scan would look at",
    .help = "Names, environments and owners as plumb.yaml, the paths and CODEOWNERS give them. "
            "Nothing is read but file names and code.",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_most = SIZE_MAX,
    .run = run};

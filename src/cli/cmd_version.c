/* cmd_version.c - `plumb version`: which plumb this is, for people and for scripts. */
#include "base/buf.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/command.h"
#include "wire/json.h"

static const char *const outputs[] = {"text", "json", NULL};
static const struct option options[] = {
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_STRING,
     .arg = "FORMAT",
     .text = "text or json",
     .choices = outputs},
};

static bool write_json(FILE *out, struct err *err)
{
    AUTO_BUF buf = {.limit = 1 << 16};
    struct jsonw w = {.out = &buf, .indent = 2};
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("name"), STR("plumb"));
    jsonw_member_string(&w, STR("version"), STR(PLUMB_VERSION));
    jsonw_key(&w, STR("provider_protocols"));
    jsonw_array_open(&w);
    jsonw_int(&w, 5);
    jsonw_int(&w, 6);
    jsonw_array_close(&w);
    jsonw_member_string(&w, STR("compiler"), STR(__VERSION__));
    jsonw_object_close(&w);
    buf_char(&buf, '\n');
    if (!buf_ok(&buf, err))
        return false;
    (void)fwrite(buf.ptr, 1, buf.len, out);
    return true;
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    *ret_exit = 0;
    if (str_equal(in->value[0].text, STR("json")))
        return write_json(app->out, err);
    (void)fprintf(app->out, "plumb %s\n", PLUMB_VERSION);
    return true;
}

const struct command cmd_version = {.name = "version",
                                    .usage = "plumb version [--output json]",
                                    .summary = "which plumb this is",
                                    .options = options,
                                    .noptions = sizeof options / sizeof *options,
                                    .run = run};

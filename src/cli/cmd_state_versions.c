/* cmd_state_versions.c - `plumb state versions`: what was written, when, by whom. */
#include <assert.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/state_command.h"
#include "report/json_out.h"
#include "wire/json.h"

enum { OUTPUT = STATE_OPTION_COUNT, OPTION_COUNT };
static const struct option options[] = {
    STATE_OPTIONS,
    [OUTPUT] = ROW_TEXT_OR_JSON,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

static void write_text(FILE *out, const struct state_version *v, size_t n, int64_t current)
{
    for (size_t i = 0; i < n; i++) {
        char when[CLOCK_TEXT];
        clock_format(v[i].utc_ms, when);
        (void)fprintf(out, "%c %-6lld serial %-6lld %-24s %10lld bytes  %.*s\n",
                      v[i].version == current ? '*' : ' ', (long long)v[i].version,
                      (long long)v[i].serial, when, (long long)v[i].size, STR_ARG(v[i].actor));
    }
}

static bool write_json(FILE *out, struct str stack, const struct state_version *v, size_t n,
                       int64_t current, struct err *err)
{
    AUTO_BUF buf = {.limit = BUF_DEFAULT_LIMIT};
    struct jsonw w;
    json_open(&w, &buf);
    jsonw_member_string(&w, STR("stack"), stack);
    jsonw_key(&w, STR("versions"));
    jsonw_array_open(&w);
    for (size_t i = 0; i < n; i++) {
        char when[CLOCK_TEXT], hex[DIGEST_HEX + 1];
        digest_hex(&v[i].digest, hex);
        jsonw_object_open(&w);
        jsonw_member_int(&w, STR("version"), v[i].version);
        jsonw_member_bool(&w, STR("current"), v[i].version == current);
        jsonw_member_int(&w, STR("serial"), v[i].serial);
        jsonw_member_string(&w, STR("lineage"), v[i].lineage);
        jsonw_member_string(&w, STR("written"), str_from(clock_format(v[i].utc_ms, when)));
        jsonw_member_string(&w, STR("actor"), v[i].actor);
        jsonw_member_string(&w, STR("lock_id"), v[i].lock_id);
        jsonw_member_int(&w, STR("size"), v[i].size);
        jsonw_member_string(&w, STR("sha256"), str_from(hex));
        jsonw_object_close(&w);
    }
    jsonw_array_close(&w);
    json_close(&w);
    return print_buf(out, &buf, err);
}

static bool list(const struct app *app, const struct invocation *in, struct state_command *c,
                 struct err *err)
{
    struct state_row row = {0};
    struct state_version *version = NULL;
    size_t n = 0;
    if (!state_command_open(c, app, in, STORE_READ, err) ||
        !states_get(&c->arena, c->record.db, in->args[0], &row, err) ||
        !states_versions(&c->arena, c->record.db, in->args[0], &version, &n, err))
        return false;
    if (str_equal(in->value[OUTPUT].text, STR("json")))
        return write_json(app->out, in->args[0], version, n, row.version, err);
    write_text(app->out, version, n, row.version);
    return true;
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    struct state_command command = {0};
    bool ok = list(app, in, &command, err);
    state_command_close(&command);
    *ret_exit = 0;
    return ok;
}

const struct command cmd_state_versions = {.name = "state versions",
                                           .usage = "plumb state versions STACK [options]",
                                           .summary = "the versions of a state of plumb serve",
                                           .help = "Newest first; * is the current one.",
                                           .options = options,
                                           .noptions = OPTION_COUNT,
                                           .args_least = 1,
                                           .args_most = 1,
                                           .run = run};

/* cmd_state_list.c - `plumb state list`: the states of plumb serve and who holds their locks. */
#include <assert.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/state_command.h"
#include "report/json_out.h"
#include "report/parts.h"
#include "wire/json.h"

enum { OUTPUT = STATE_OPTION_COUNT, OPTION_COUNT };
static const struct option options[] = {
    STATE_OPTIONS,
    [OUTPUT] = ROW_TEXT_OR_JSON,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

static struct lockinfo info_of(struct arena *arena, const struct state_row *row)
{
    struct lockinfo info = {0};
    (void)lockinfo_parse(arena, row->lock.info, &info, NULL);
    return info;
}

/* Who asked for a lock could write anything into it. */
static bool write_text(FILE *out, struct arena *arena, const struct state_row *row, size_t n,
                       struct err *err)
{
    enum { NAME_COLUMNS = 32 };
    AUTO_BUF buf = {.limit = BUF_DEFAULT_LIMIT};
    for (size_t i = 0; i < n; i++) {
        char since[CLOCK_TEXT];
        struct lockinfo info = info_of(arena, &row[i]);
        text_safe(&buf, row[i].stack);
        text_pad(&buf, text_columns(row[i].stack), NAME_COLUMNS);
        buf_printf(&buf, " version %-5lld serial %-5lld", (long long)row[i].version,
                   (long long)row[i].serial);
        if (row[i].lock.id.len) {
            buf_str(&buf, STR(" locked by "));
            text_safe(&buf, info.who);
            buf_str(&buf, STR(" ("));
            text_safe(&buf, row[i].lock.name);
            buf_str(&buf, STR(") for "));
            text_safe(&buf, lockinfo_operation(info.operation));
            buf_printf(&buf, " since %s: ", clock_format(row[i].lock.taken_utc_ms, since));
            text_safe(&buf, row[i].lock.id);
        }
        buf_char(&buf, '\n');
    }
    return print_buf(out, &buf, err);
}

static void write_lock(struct jsonw *w, struct arena *arena, const struct state_row *row)
{
    char since[CLOCK_TEXT];
    struct lockinfo info = info_of(arena, row);
    jsonw_key(w, STR("lock"));
    if (!row->lock.id.len) {
        jsonw_null(w);
        return;
    }
    jsonw_object_open(w);
    jsonw_member_string(w, STR("id"), row->lock.id);
    jsonw_member_string(w, STR("kind"), row->lock.kind);
    jsonw_member_string(w, STR("operation"), info.operation);
    jsonw_member_string(w, STR("who"), info.who);
    jsonw_member_string(w, STR("info"), info.info);
    jsonw_member_string(w, STR("token"), row->lock.name);
    jsonw_member_string(w, STR("since"), str_from(clock_format(row->lock.taken_utc_ms, since)));
    jsonw_object_close(w);
}

static bool write_json(FILE *out, struct arena *arena, const struct state_row *row, size_t n,
                       struct err *err)
{
    AUTO_BUF buf = {.limit = BUF_DEFAULT_LIMIT};
    struct jsonw w;
    json_open(&w, &buf);
    jsonw_key(&w, STR("states"));
    jsonw_array_open(&w);
    for (size_t i = 0; i < n; i++) {
        jsonw_object_open(&w);
        jsonw_member_string(&w, STR("stack"), row[i].stack);
        jsonw_member_int(&w, STR("version"), row[i].version);
        jsonw_member_int(&w, STR("serial"), row[i].serial);
        jsonw_member_string(&w, STR("lineage"), row[i].lineage);
        write_lock(&w, arena, &row[i]);
        jsonw_object_close(&w);
    }
    jsonw_array_close(&w);
    json_close(&w);
    return print_buf(out, &buf, err);
}

static bool list(const struct app *app, const struct invocation *in, struct state_command *c,
                 struct err *err)
{
    struct state_row *row = NULL;
    size_t n = 0;
    if (!state_command_open(c, app, in, STORE_READ, err) ||
        !states_list(&c->arena, c->record.db, &row, &n, err))
        return false;
    if (str_equal(in->value[OUTPUT].text, STR("json")))
        return write_json(app->out, &c->arena, row, n, err);
    return write_text(app->out, &c->arena, row, n, err);
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    struct state_command command = {0};
    bool ok = list(app, in, &command, err);
    state_command_close(&command);
    *ret_exit = 0;
    return ok;
}

const struct command cmd_state_list = {.name = "state list",
                                       .usage = "plumb state list [options]",
                                       .summary =
                                           "the states of plumb serve, and who holds their locks",
                                       .options = options,
                                       .noptions = OPTION_COUNT,
                                       .run = run};

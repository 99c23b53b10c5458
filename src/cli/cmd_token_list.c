/* cmd_token_list.c - `plumb token list`: which tokens the service knows. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/rows.h"
#include "cli/store_setup.h"
#include "record/tokens.h"
#include "report/json_out.h"
#include "wire/json.h"

enum { OUTPUT, CONFIG, STORE, OPTION_COUNT };
static const struct option options[] = {
    [OUTPUT] = ROW_TEXT_OR_JSON,
    [CONFIG] = ROW_CONFIG,
    [STORE] = ROW_STORE,
};

static const char *standing_of(const struct token *t, int64_t now)
{
    return t->revoked_utc_ms ? "revoked" : token_is_live(t, now) ? "live" : "expired";
}

static void write_text(FILE *out, const struct token *token, size_t n, int64_t now)
{
    for (size_t i = 0; i < n; i++) {
        const struct token *t = &token[i];
        char until[CLOCK_TEXT] = "-";
        if (t->expires_utc_ms)
            clock_format(t->expires_utc_ms, until);
        (void)fprintf(out, "%-4lld %-7s %-6s until %-20s stacks %-12.*s %.*s%s%.*s\n",
                      (long long)t->id, standing_of(t, now), role_name(t->role), until,
                      STR_ARG(t->stacks.len ? t->stacks : STR("*")), STR_ARG(t->name),
                      t->certificate.len ? ", certificate " : "", STR_ARG(t->certificate));
    }
}

static bool write_json(FILE *out, const struct token *token, size_t n, int64_t now, struct err *err)
{
    AUTO_BUF buf = {.limit = BUF_DEFAULT_LIMIT};
    struct jsonw w;
    json_open(&w, &buf);
    jsonw_key(&w, STR("tokens"));
    jsonw_array_open(&w);
    for (size_t i = 0; i < n; i++) {
        const struct token *t = &token[i];
        jsonw_object_open(&w);
        jsonw_member_int(&w, STR("id"), t->id);
        jsonw_member_string(&w, STR("name"), t->name);
        jsonw_member_string(&w, STR("role"), str_from(role_name(t->role)));
        jsonw_member_string(&w, STR("stacks"), t->stacks.len ? t->stacks : STR("*"));
        jsonw_member_string(&w, STR("status"), str_from(standing_of(t, now)));
        time_json(&w, STR("created"), t->created_utc_ms);
        time_json(&w, STR("expires"), t->expires_utc_ms);
        time_json(&w, STR("revoked"), t->revoked_utc_ms);
        jsonw_member_string(&w, STR("created_by"), t->created_by);
        if (t->certificate.len)
            jsonw_member_string(&w, STR("certificate"), t->certificate);
        jsonw_object_close(&w);
    }
    jsonw_array_close(&w);
    json_close(&w);
    return print_buf(out, &buf, err);
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct store_choice choice = {0};
    struct record record = {0};
    struct token *token = NULL;
    size_t n = 0;
    int64_t now = app->now_ms(app->clock);
    if (!store_find(&arena, app, &in->value[CONFIG], &in->value[STORE], &choice, err) ||
        !store_open(&arena, app, &choice, STORE_READ, &record, err))
        return false;
    bool ok = token_list(&arena, record.db, &token, &n, err);
    record_close(&record);
    *ret_exit = 0;
    if (!ok)
        return false;
    if (str_equal(in->value[OUTPUT].text, STR("json")))
        return write_json(app->out, token, n, now, err);
    write_text(app->out, token, n, now);
    return true;
}

const struct command cmd_token_list = {
    .name = "token list",
    .usage = "plumb token list [options]",
    .summary = "which tokens plumb serve knows",
    .help = "Ids, roles and names; the tokens themselves are not known to anybody but who has "
            "them. Of a client certificate that stands for one there is its SHA-256.",
    .options = options,
    .noptions = OPTION_COUNT,
    .run = run};

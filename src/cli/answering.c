/* answering.c - the store, the rules and the person of a command about reviews. */
#include "cli/answering.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/policy_setup.h"
#include "cli/who.h"
#include "report/json_out.h"
#include "report/parts.h"

bool answering_open(struct answering *a, const struct app *app, struct arena *arena,
                    const struct option_value *config, const struct option_value *store,
                    enum store_use use, struct err *err)
{
    struct store_choice choice;
    struct settled settled;
    *a = (struct answering){.app = app, .arena = arena, .now = app->now_ms(app->clock)};
    if (!who_am_i(app, arena, &a->actor, err) ||
        !policy_find_config(arena, app, config, &a->config, err) ||
        !store_choose(arena, app, &a->config, store, &choice, err) ||
        !(use == STORE_READ ? store_open_settled(arena, app, &choice, &a->record, err)
                            : store_open(arena, app, &choice, use, &a->record, err)))
        return false;
    return use == STORE_READ || record_settle(&a->record, &settled, err);
}

void answering_close(struct answering *a)
{
    store_close(a->app, &a->record);
}

bool answering_do(const struct app *app, const struct invocation *in,
                  const struct option_value *config, const struct option_value *store,
                  enum store_use use,
                  bool (*act)(struct answering *a, const struct invocation *in, struct err *err),
                  struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << ANSWERING_MEMORY_SHIFT};
    struct answering a;
    bool ok = answering_open(&a, app, &arena, config, store, use, err) && act(&a, in, err);
    answering_close(&a);
    return ok;
}

struct reviewing answering_review(struct answering *a)
{
    return (struct reviewing){&a->record, a->arena, &a->config, &a->actor};
}

bool answering_review_id(struct str text, int64_t *ret, struct err *err)
{
    return review_id_from(text, 'R', ret) ||
           err_set(err, ERR_USAGE, "want the number of a review such as R1, got '%.*s'",
                   STR_ARG(text));
}

bool answering_tell(const struct answering *a, int64_t id, const struct workflow_outcome *out,
                    struct str next, struct err *err)
{
    AUTO_BUF text = {.limit = BUF_DEFAULT_LIMIT};
    if (!out->allowed)
        return err_set(err, ERR_CONFLICT, "refused: %.*s", STR_ARG(out->why));
    buf_printf(&text, "R%lld: ", (long long)id);
    text_safe(&text, out->why);
    buf_str(&text, next);
    buf_char(&text, '\n');
    return print_buf(a->app->out, &text, err);
}

bool answering_need(const struct option_value *value, const char *name, const char *why,
                    struct err *err)
{
    return str_trim(value->text).len > 0 ||
           err_set(err, ERR_USAGE, "--%s is missing: %s", name, why);
}

bool answering_until(const struct answering *a, const struct option_value *value, const char *name,
                     int64_t *ret, struct err *err)
{
    if (!workflow_until(value->text, a->now, ret))
        return err_set(err, ERR_USAGE,
                       "--%s: want a date such as 2026-12-31, or a time from now such as 4h or "
                       "30d, got '%.*s'",
                       name, STR_ARG(value->text));
    return *ret > a->now ||
           err_set(err, ERR_USAGE, "--%s: %.*s has passed", name, STR_ARG(value->text));
}

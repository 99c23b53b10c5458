/* store_setup.c - the store of a command line, an environment and plumb.yaml. */
#include "cli/store_setup.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/policy_setup.h"
#include "model/config.h"
#include "record/audit_checkpoint.h"
#include "record/reviews.h"

#define DEFAULT_FILE ".plumb/plumb.db"

/* What plumb.yaml names is relative to it. */
static struct str below(struct arena *arena, struct str root, struct str url)
{
    struct str path = str_sub(url, sizeof "sqlite:" - 1, url.len);
    if (!str_starts(url, STR("sqlite:")) || str_starts(path, STR("/")) ||
        str_starts(path, STR(":")) || !root.len || str_equal(root, STR(".")))
        return url;
    struct str whole = io_join(arena, root, path);
    return whole.ptr ? arena_printf(arena, "sqlite:%.*s", STR_ARG(whole)) : whole;
}

bool store_choose(struct arena *arena, const struct app *app, const struct config *config,
                  const struct option_value *store, struct store_choice *ret, struct err *err)
{
    struct str root = config ? config->root : STR("");
    struct str given = store && store->set ? store->text : str_from(app->env("PLUMB_STORE"));
    struct store_choice choice = {.chosen = true,
                                  .keep_ms = config ? config->keep_ms : 0,
                                  .audit = config ? &config->audit : NULL};
    if (store && store->set && !given.len)
        return err_set(err, ERR_USAGE, "--store: want sqlite:PATH or postgres://HOST/DATABASE");
    if (given.len)
        choice.url = arena_dup(arena, given);
    else if (config && config->store.len)
        choice.url = below(arena, root, config->store);
    else {
        choice.chosen = false;
        choice.url = below(arena, root, STR("sqlite:" DEFAULT_FILE));
        struct str path =
            choice.url.ptr ? arena_dup(arena, str_sub(choice.url, 7, choice.url.len)) : choice.url;
        choice.there = path.ptr && io_exists(path.ptr);
    }
    if (!choice.url.ptr)
        return arena_full(arena, err);
    *ret = choice;
    return true;
}

bool store_find(struct arena *arena, const struct app *app, const struct option_value *config,
                const struct option_value *store, struct store_choice *ret, struct err *err)
{
    struct config *found = arena_new(arena, struct config, 1);
    if (!found)
        return arena_full(arena, err);
    return policy_find_config(arena, app, config, found, err) &&
           store_choose(arena, app, found, store, ret, err);
}

/* Of a server it is known when it is asked. */
static bool is_there(struct arena *arena, struct str url)
{
    struct str path = str_sub(url, sizeof "sqlite:" - 1, url.len);
    if (!str_starts(url, STR("sqlite:")) || str_starts(path, STR(":")))
        return true;
    path = arena_dup(arena, path);
    return path.ptr && io_exists(path.ptr);
}

bool store_open(struct arena *arena, const struct app *app, const struct store_choice *choice,
                enum store_use use, struct record *ret, struct err *err)
{
    const struct record_options options = {.url = choice->url,
                                           .read_only = use == STORE_READ,
                                           .env = app->env,
                                           .now_ms = app->now_ms,
                                           .clock = app->clock,
                                           .audit = choice->audit};
    if (use != STORE_WRITE && !choice->chosen && !choice->there)
        return err_set(err, ERR_USAGE,
                       "there is no store here yet: name one with `store:` in plumb.yaml, "
                       "PLUMB_STORE or --store and scan, or begin with `plumb scan --baseline "
                       "--reason TEXT`");
    if (use == STORE_CHANGE && !is_there(arena, choice->url))
        return err_set(err, ERR_USAGE, "there is no store %.*s yet: scan first",
                       STR_ARG(choice->url));
    return record_open(arena, &options, ret, err);
}

void store_close(const struct app *app, struct record *record)
{
    struct err err = {0};
    char text[ERR_FRAMES_MAX * ERR_TEXT_MAX];
    if (record->db && !db_in_transaction(record->db) && !audit_settle(record, &err))
        (void)fprintf(app->err, "plumb: warning: the audit log: %s\n",
                      err_text(&err, text, sizeof text));
    record_close(record);
}

static bool settle(struct arena *arena, const struct app *app, const struct store_choice *choice,
                   struct err *err)
{
    struct record record = {0};
    struct settled settled;
    bool ok = store_open(arena, app, choice, STORE_WRITE, &record, err) &&
              record_settle(&record, &settled, err);
    store_close(app, &record);
    return ok;
}

bool store_open_settled(struct arena *arena, const struct app *app,
                        const struct store_choice *choice, struct record *ret, struct err *err)
{
    struct err why = {0};
    char text[ERR_TEXT_MAX];
    bool open = false;
    if (!store_open(arena, app, choice, STORE_READ, ret, err))
        return false;
    if (!record_unsettled(ret, &open, err)) {
        record_close(ret);
        return false;
    }
    if (open && !settle(arena, app, choice, &why))
        (void)fprintf(app->err,
                      "plumb: reviews or deadlines have passed, and that could not be written "
                      "down: %s\n",
                      err_text(&why, text, sizeof text));
    return true;
}

/* state_command.c - the store and the person behind `plumb state ...`. */
#include "cli/state_command.h"

#include "base/err.h"
#include "cli/app.h"
#include "cli/who.h"
#include "record/audit.h"

bool state_command_open(struct state_command *ret, const struct app *app,
                        const struct invocation *in, enum store_use use, struct err *err)
{
    struct store_choice choice = {0};
    *ret = (struct state_command){.app = app, .arena = {.limit = ARENA_DEFAULT_LIMIT}};
    if (in->nargs && !state_name_good(in->args[0]))
        return err_set(err, ERR_USAGE, "'%.*s' is no name of a stack", STR_ARG(in->args[0]));
    if (!who_am_i(app, &ret->arena, &ret->by, err) ||
        !store_find(&ret->arena, app, &in->value[STATE_CONFIG], &in->value[STATE_STORE], &choice,
                    err) ||
        !store_open(&ret->arena, app, &choice, use, &ret->record, err))
        return false;
    ret->deed =
        (struct lock_deed){.record = &ret->record,
                           .arena = &ret->arena,
                           .stack = in->nargs ? in->args[0] : STR(""),
                           .caller = {.role = ROLE_ADMIN, .name = ret->by.name, .how = ret->by.how},
                           .rules = &ret->rules};
    return true;
}

void state_command_close(struct state_command *command)
{
    store_close(command->app, &command->record);
    arena_free(&command->arena);
}

bool state_command_do(struct state_command *command, const struct lockinfo *info,
                      bool (*act)(const struct lock_deed *deed, const struct lockinfo *info,
                                  struct lock_result *ret, struct err *err),
                      struct lock_result *ret, struct err *err)
{
    struct lock_result result = {0};
    struct record *record = &command->record;
    if (!db_begin(record->db, DB_WRITE, err))
        return false;
    if (act(&command->deed, info, &result, err) &&
        (!result.has_event || audit_append(record, &result.event, NULL, err)) &&
        db_commit(record->db, err)) {
        *ret = result;
        return true;
    }
    db_rollback(record->db);
    return false;
}

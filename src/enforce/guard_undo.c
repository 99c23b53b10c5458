/* guard_undo.c - the wire's values beside a finding of the store. */
#include "enforce/guard_undo.h"

#include "base/arena.h"
#include "base/buf.h"
#include "enforce/guard.h"
#include "enforce/kept_changes.h"
#include "enforce/undo.h"
#include "model/schema.h"
#include "record/standing.h"
#include "wire/msgpack.h"

enum { SHOWN_PATHS = 5, PATHS_BYTES = 1000 };

void guard_values_of(struct arena *arena, const struct guard_change *change,
                     const struct schema *schema, struct guard_values *ret)
{
    *ret = (struct guard_values){.change = change, .prior = value_null(), .planned = value_null()};
    ret->known = schema && change->prior.len && change->planned.len &&
                 msgpack_decode(arena, schema->block.type, change->prior, &ret->prior, NULL) &&
                 msgpack_decode(arena, schema->block.type, change->planned, &ret->planned, NULL);
}

bool guard_is_drift(const struct standing_finding *f)
{
    return f->class_ == CLASS_CONTRADICTS_CODE || f->class_ == CLASS_MISSING ||
           f->class_ == CLASS_STATE_ONLY;
}

bool guard_agreed(const struct standing_finding *f)
{
    return f->judged &&
           (f->decision == DECISION_IGNORE || (f->decision == DECISION_REVERT && f->rule.len));
}

static enum plan_action action_of(enum guard_kind kind)
{
    return kind == GUARD_CREATE   ? PLAN_CREATE
           : kind == GUARD_UPDATE ? PLAN_UPDATE
           : kind == GUARD_DELETE ? PLAN_DELETE
                                  : PLAN_UNKNOWN_ACTION;
}

/* What Terraform takes for live is live only where it has what the scan found. */
static bool sets_back(struct arena *arena, const struct guard_values *values,
                      enum finding_class class_, const struct change *change)
{
    struct undo_deed deed = {.action = action_of(values->change->kind)};
    if (values->known) {
        deed.before = &values->prior;
        deed.after = &values->planned;
        if (undo_shows(arena, &values->prior, change))
            deed.live = &values->prior;
    }
    return undo_sets_back(arena, &deed, class_, change);
}

/* Without values nothing is known of an attribute that only follows from others. */
static bool is_vague(const struct guard_values *values, const struct standing_finding *f)
{
    return f->class_ != CLASS_STATE_ONLY &&
           (!values->known || values->change->kind == GUARD_UNKNOWN);
}

static void add_path(struct buf *paths, size_t nth, struct str path)
{
    if (nth < SHOWN_PATHS)
        buf_printf(paths, "%s%.*s", nth ? ", " : "", STR_ARG(path));
    else if (nth == SHOWN_PATHS)
        buf_str(paths, STR(", ..."));
}

bool guard_undoes(struct arena *arena, struct record *record, const struct guard_values *values,
                  const struct standing_finding *finding, struct guard_undone *ret, struct err *err)
{
    const struct change *change = NULL;
    size_t n = 0, undone = 0;
    AUTO_BUF paths = {.limit = PATHS_BYTES};
    *ret = (struct guard_undone){0};
    if (finding->class_ == CLASS_MISSING) {
        ret->any = values->change->kind != GUARD_DELETE;
        return true;
    }
    if (!kept_changes_read(arena, record, finding->finding, &change, &n, err))
        return false;
    for (size_t i = 0; i < n; i++)
        if (sets_back(arena, values, finding->class_, &change[i]))
            add_path(&paths, undone++, change[i].path);
    ret->any = undone > 0 || is_vague(values, finding) ||
               (n == 0 && finding->class_ == CLASS_CONTRADICTS_CODE);
    ret->paths = arena_dup(arena, buf_view(&paths));
    return ret->paths.ptr || arena_full(arena, err);
}

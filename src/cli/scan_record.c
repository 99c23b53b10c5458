/* scan_record.c - recording scans, for `plumb scan`. */
#include "cli/scan_record.h"

#include "base/arena.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/policy_setup.h"
#include "cli/who.h"
#include "desired/git_clone.h"

bool scan_record_open(struct scan_record *r, struct arena *arena, struct scan_options *scan,
                      const struct scan_record_ask *ask, struct err *err)
{
    struct store_choice choice;
    struct actor actor;
    struct recording_options options = {
        .arena = arena, .scan = scan, .judges = &r->judges, .baseline = ask->baseline};
    r->judges = policy_judges(ask->config, ask->policies, ask->waivers);
    if (ask->baseline.ptr && ask->no_store)
        return err_set(err, ERR_USAGE, "--baseline needs a store: not with --no-store");
    if (ask->no_store)
        return true;
    if (!store_choose(arena, r->app, ask->config, ask->store, &choice, err))
        return false;
    if (!choice.chosen && !choice.there && !ask->baseline.ptr)
        return true;
    if (!who_am_i(r->app, arena, &actor, err))
        return false;
    options.actor = actor_of_event(&actor);
    options.keep_ms = choice.keep_ms;
    if (!recording_prepare(&r->to, &options, err))
        return false;
    return (store_open(arena, r->app, &choice, STORE_WRITE, &r->record, err) &&
            recording_use(&r->to, &r->record, err)) ||
           err_wrap(err, "nothing was scanned, for it could not be recorded (--no-store scans "
                         "without)");
}

bool scan_record_warn(const struct scan_record *r, const struct stack_result *result,
                      struct err *err)
{
    struct record *record = r->to.record;
    struct str now = result->revision ? result->revision->repository : STR(""), before;
    if (!record || r->to.failed.kind || !now.len)
        return true;
    if (!run_repository_before(record, r->to.options.arena, result->name, r->to.finish.run, &before,
                               err))
        return false;
    if (before.len && !git_same_repository(before, now))
        (void)fprintf(r->app->err,
                      "plumb: warning: in this store %.*s was a stack of %.*s, and is one of %.*s "
                      "now: if these are two, each scan resolves the findings of the other; give "
                      "one another name (`name` in plumb.yaml) or another store (--store)\n",
                      STR_ARG(result->name), STR_ARG(before), STR_ARG(now));
    return true;
}

void scan_record_close(struct scan_record *r)
{
    if (r->app)
        store_close(r->app, &r->record);
}

static void count(FILE *out, const char **separator, uint64_t n, const char *what)
{
    if (!n)
        return;
    (void)fprintf(out, "%s%llu %s", *separator, (unsigned long long)n, what);
    *separator = ", ";
}

void scan_record_tell(const struct scan_record *r, FILE *out)
{
    const struct run_changes *c = &r->to.total;
    const char *separator = ": ";
    if (!r->to.record || r->to.failed.kind)
        return;
    (void)fprintf(out, "recorded in %.*s", STR_ARG(db_shown(r->record.db)));
    count(out, &separator, c->baselined, "accepted as the baseline");
    count(out, &separator, c->fresh, "new");
    count(out, &separator, c->changed, "changed");
    count(out, &separator, c->reopened, "reopened");
    count(out, &separator, c->recurring, "recurring");
    count(out, &separator, c->waived - c->baselined, "accepted before");
    count(out, &separator, c->resolved, "resolved");
    count(out, &separator, c->kept, "not looked at");
    (void)fputc('\n', out);
}

/* cmd_events_add.c - `plumb events add`: events that came as files, into the store. */
#include <assert.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/policy_setup.h"
#include "cli/rows.h"
#include "cli/store_setup.h"
#include "live/feed.h"
#include "model/config.h"
#include "record/activity.h"

enum { CONFIG, STORE, OPTION_COUNT };
static const struct option options[] = {
    [CONFIG] = ROW_CONFIG,
    [STORE] = ROW_STORE,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

/* A store holds one writer at a time: not all of a large file in one go. */
enum { AT_ONCE = 500 };

static bool read_events(struct arena *arena, struct str path, struct feed *ret, struct err *err)
{
    bool standard = str_equal(path, STR("-"));
    struct str name = arena_dup(arena, standard ? STR("standard input") : path), bytes;
    if (!name.ptr)
        return arena_full(arena, err);
    const struct feed_from from = {.name = name.ptr};
    return (standard ? io_read_fd(arena, STDIN_FILENO, name.ptr, FEED_BYTES_MAX, &bytes, err)
                     : io_read_file(arena, name.ptr, FEED_BYTES_MAX, &bytes, err)) &&
           feed_read(arena, bytes, &from, ret, err);
}

/* ret_bad  what was wrong with the file, which keeps no other one from being added */
static bool add_file(struct record *record, const struct activity_rules *rules, struct str path,
                     struct activity_done *done, size_t *ret_unknown, struct err *ret_bad,
                     struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)ARENA_DEFAULT_LIMIT};
    struct feed feed;
    if (!read_events(&arena, path, &feed, ret_bad))
        return true;
    *ret_unknown += feed.unknown;
    for (size_t at = 0; at < feed.n; at += AT_ONCE)
        if (!activity_add(record, rules, &feed.event[at],
                          feed.n - at < AT_ONCE ? feed.n - at : AT_ONCE, done, err))
            return err_wrap(err, "%.*s", STR_ARG(path));
    return true;
}

static void tell(FILE *out, const struct activity_done *done, size_t unknown)
{
    static const char *const meaning[] = {[ACTIVITY_MATCHED] = "about resources of a state",
                                          [ACTIVITY_UNMANAGED] =
                                              "that make something no state knows",
                                          [ACTIVITY_UNMATCHED] = "about nothing that a state knows",
                                          [ACTIVITY_IGNORED] = "read only, or not final",
                                          [ACTIVITY_DUPLICATE] = "recorded before",
                                          [ACTIVITY_REFUSED] = "without an id or a time"};
    uint64_t all = unknown;
    for (int i = 0; i < ACTIVITY_RESULT_COUNT; i++)
        all += done->count[i];
    (void)fprintf(out, "%" PRIu64 " event%s", all, all == 1 ? "" : "s");
    const char *separator = ": ";
    for (int i = 0; i < ACTIVITY_RESULT_COUNT; i++) {
        if (!done->count[i])
            continue;
        (void)fprintf(out, "%s%" PRIu64 " %s", separator, done->count[i], meaning[i]);
        separator = ", ";
    }
    if (unknown)
        (void)fprintf(out, "%s%zu of no form that plumb knows", separator, unknown);
    (void)fputc('\n', out);
    if (done->touched || done->named)
        (void)fprintf(out,
                      "%" PRIu64 " to be looked at again, %" PRIu64 " finding%s got an actor\n",
                      done->touched, done->named, done->named == 1 ? "" : "s");
    if (done->whole)
        (void)fprintf(out,
                      "%" PRIu64 " stack%s to be scanned in whole: an event is about too many "
                      "of its resources to tell them one by one\n",
                      done->whole, done->whole == 1 ? "" : "s");
    if (done->cut)
        (void)fprintf(out,
                      "%" PRIu64 " event%s with more names than are looked up (%d): scan what "
                      "else they are about\n",
                      done->cut, done->cut == 1 ? "" : "s", ACTIVITY_NAMES_MAX);
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct config config;
    struct store_choice choice;
    struct record record = {0};
    struct activity_done done = {0};
    size_t unknown = 0;
    if (!policy_find_config(&arena, app, &in->value[CONFIG], &config, err) ||
        !store_choose(&arena, app, &config, &in->value[STORE], &choice, err) ||
        !store_open(&arena, app, &choice, STORE_WRITE, &record, err))
        return false;
    const struct activity_rules rules = activity_rules_of(&config.events);
    struct err bad = {0};
    size_t nbad = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < in->nargs; i++) {
        char text[ERR_TEXT_MAX];
        err_clear(&bad);
        ok = add_file(&record, &rules, in->args[i], &done, &unknown, &bad, err);
        nbad += bad.kind != ERR_NONE;
        if (bad.kind && in->nargs > 1)
            (void)fprintf(app->err, "plumb: %s\n", err_text(&bad, text, sizeof text));
    }
    store_close(app, &record);
    if (ok && (!nbad || in->nargs > 1))
        tell(app->out, &done, unknown);
    *ret_exit = 0;
    if (ok && nbad && in->nargs == 1 && err)
        *err = bad;
    else if (ok && nbad)
        (void)err_set(err, ERR_SYNTAX, "%zu of %zu files were not added", nbad, in->nargs);
    return ok && !nbad;
}

const struct command cmd_events_add = {
    .name = "events add",
    .usage = "plumb events add FILE... [options]",
    .summary = "record events of a cloud's log from files",
    .help = "Files as the log delivers them (JSON, lines of JSON, gzip; - is standard input): "
            "CloudTrail, Google Cloud's audit log, Azure's activity log, CloudEvents, plumb's own "
            "event. Each is recorded once, finds its resources by their ids, ARNs and names, and "
            "gives findings their actor. A running service looks at those resources again.\n\n"
            "  plumb events add 111122223333_CloudTrail_eu-west-1_20261122T1000Z_x.json.gz\n"
            "  gcloud logging read 'logName:cloudaudit' --format=json | plumb events add -",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_least = 1,
    .args_most = 10000,
    .run = run};

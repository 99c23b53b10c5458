/* scan_record.c - recording scans, for `plumb scan`. */
#include "cli/scan_record.h"

#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/io.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/policy_setup.h"
#include "cli/who.h"
#include "desired/stacks.h"
#include "model/config.h"
#include "policy/pack.h"
#include "policy/policy.h"
#include "record/maintain.h"
#include "report/report.h"
#include "scan/tally.h"

/* --- digests of what decides --- */

static bool add_source(struct arena *arena, struct sha256 *sha, struct str path, struct err *err)
{
    struct digest digest;
    struct str ended = arena_dup(arena, path);
    if (!ended.ptr)
        return arena_full(arena, err);
    if (pack_is_builtin(path) || pack_is_bundle(path) || io_is_dir(ended.ptr)) {
        AUTO_ARENA scratch = {.limit = ARENA_DEFAULT_LIMIT};
        struct pack pack;
        if (!pack_read(&scratch, path, &pack, err))
            return false;
        digest = pack.digest;
    } else if (!digest_file(ended.ptr, &digest, err)) {
        return false;
    }
    sha256_add_field(sha, io_basename(path));
    sha256_add(sha, (struct str){(const char *)digest.byte, DIGEST_SIZE});
    return true;
}

static bool print_digest(struct arena *arena, const struct digest *digest, struct str *ret,
                         struct err *err)
{
    char hex[DIGEST_HEX + 1];
    digest_hex(digest, hex);
    *ret = arena_printf(arena, "sha256:%s", hex);
    return ret->ptr || arena_full(arena, err);
}

/* Of the files that judge, in the order they are asked. */
bool scan_record_policy(struct arena *arena, const struct scan_record_ask *ask, struct str *ret,
                        struct err *err)
{
    struct policy_source *source = NULL;
    struct digest digest;
    size_t n = 0;
    bool ok = true;
    *ret = STR("");
    if (!policy_list_sources(arena, ask->config, ask->policies, &source, &n, err))
        return false;
    if (!n)
        return true;
    struct sha256 *sha = sha256_open(err);
    for (size_t i = 0; sha && ok && i < n; i++)
        ok = add_source(arena, sha, source[i].path, err);
    for (size_t i = 0; sha && ok && i < ask->waivers->nlist; i++)
        ok = add_source(arena, sha, ask->waivers->list[i], err);
    if (!sha || !sha256_close(sha, &digest, ok ? err : NULL) || !ok)
        return false;
    return print_digest(arena, &digest, ret, err);
}

static bool digest_config(struct arena *arena, const struct config *config, struct str *ret,
                          struct err *err)
{
    struct digest digest;
    struct str path = config ? arena_dup(arena, config->path) : STR("");
    *ret = STR("");
    if (!path.len)
        return path.ptr || arena_full(arena, err);
    return digest_file(path.ptr, &digest, err) && print_digest(arena, &digest, ret, err);
}

/* --- opening --- */

bool scan_record_open(struct scan_record *r, const struct scan_record_ask *ask, struct err *err)
{
    struct store_choice choice;
    struct actor actor;
    r->reason = ask->baseline;
    r->config = ask->config;
    if (ask->baseline.ptr && ask->no_store)
        return err_set(err, ERR_USAGE, "--baseline needs a store: not with --no-store");
    if (ask->no_store)
        return true;
    if (!store_choose(r->arena, r->app, ask->config, ask->store, &choice, err))
        return false;
    if (!choice.chosen && !choice.there && !ask->baseline.ptr)
        return true;
    if (!who_am_i(r->app, r->arena, &actor, err) ||
        !scan_record_policy(r->arena, ask, &r->start.policy, err) ||
        !digest_config(r->arena, ask->config, &r->start.config, err))
        return false;
    r->start.actor = actor_of_event(&actor);
    r->keep_ms = choice.keep_ms;
    return (store_open(r->arena, r->app, &choice, STORE_WRITE, &r->record, err) &&
            record_key(&r->record, &r->scan->record_key, err)) ||
           err_wrap(err, "nothing was scanned, for it could not be recorded (--no-store scans "
                         "without)");
}

void scan_record_close(struct scan_record *r)
{
    store_close(r->app, &r->record);
}

/* --- a stack --- */

static bool wanted(void *ctx, struct str address)
{
    const struct scan_record *r = ctx;
    return scan_wants(r->scan, address);
}

static bool describe(void *ctx, struct buf *out, const struct finding *finding, struct err *err)
{
    (void)ctx;
    return report_finding_json(out, finding, err);
}

/* A document is as old as its file says; providers answer now. */
static int64_t live_time(struct arena *arena, const struct scan_options *scan,
                         const struct stack *stack)
{
    struct str path = arena_dup(arena, scan->snapshot.len ? scan->snapshot : stack->snapshot);
    struct stat st;
    if (!path.len || stat(path.ptr, &st) != 0 || !S_ISREG(st.st_mode))
        return 0;
    return (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
}

bool scan_record_begin(struct scan_record *r, const struct stack *stack, struct err *err)
{
    if (!r->record.db || r->failed.kind)
        return true;
    r->start.stack = stack->name;
    r->start.path = stack->path;
    r->start.environment = stack->environment;
    r->start.owner = stack->owner;
    r->finish =
        (struct run_finish){.start = &r->start,
                            .partial = r->scan->ntargets != 0,
                            .wanted = wanted,
                            .describe = describe,
                            .ctx = r,
                            .live_utc_ms = live_time(r->arena, r->scan, stack),
                            .baseline = r->reason,
                            .deadline_ms = r->config ? r->config->review.deadline_ms : NULL};
    return run_begin(&r->record, &r->start, &r->finish.run, err) &&
           baseline_open(&r->record, r->arena, stack->name, &r->baseline, err) &&
           answers_open(&r->record, r->arena, stack->name, &r->answers, err);
}

static void add_changes(struct run_changes *to, const struct run_changes *c)
{
    to->fresh += c->fresh;
    to->recurring += c->recurring;
    to->changed += c->changed;
    to->reopened += c->reopened;
    to->waived += c->waived;
    to->ignored += c->ignored;
    to->reviewed += c->reviewed;
    to->resolved += c->resolved;
    to->kept += c->kept;
    to->baselined += c->baselined;
}

bool scan_record_end(struct scan_record *r, const struct stack *stack, struct stack_result *result,
                     struct err *err)
{
    struct run_changes changes;
    if (!r->record.db || r->failed.kind)
        return true;
    r->finish.result = result;
    if (!run_end(&r->record, &r->finish, &changes, &r->failed))
        return true;
    add_changes(&r->total, &changes);
    r->stacks++;
    if (changes.baselined && !baseline_open(&r->record, r->arena, stack->name, &r->baseline, err))
        return false;
    return baseline_apply_all(r->baseline, result, err) &&
           answers_open(&r->record, r->arena, stack->name, &r->answers, err) &&
           answers_apply_all(r->answers, result, err);
}

/* `keep:` of plumb.yaml. */
static bool forget(struct scan_record *r, struct err *err)
{
    struct pruned pruned;
    return !r->keep_ms || store_prune(&r->record, r->keep_ms, &r->start.actor, &pruned, err);
}

void scan_record_settle(struct scan_record *r)
{
    struct settled settled;
    if (r->record.db && !r->failed.kind)
        (void)(record_settle(&r->record, &settled, &r->failed) && forget(r, &r->failed));
}

void scan_record_fail(struct scan_record *r, const struct err *why)
{
    char text[ERR_TEXT_MAX];
    if (!r->record.db || r->failed.kind || !r->finish.run)
        return;
    (void)err_text(why, text, sizeof text);
    (void)run_fail(&r->record, r->finish.run, &r->start, str_from(text), &r->failed);
}

bool scan_record_mark(struct scan_record *r, struct finding *finding, struct err *err)
{
    return !r->baseline ||
           (baseline_apply(r->baseline, finding, err) && answers_apply(r->answers, finding, err));
}

/* --- for people --- */

static void count(FILE *out, const char **separator, uint64_t n, const char *what)
{
    if (!n)
        return;
    (void)fprintf(out, "%s%llu %s", *separator, (unsigned long long)n, what);
    *separator = ", ";
}

void scan_record_tell(const struct scan_record *r, FILE *out)
{
    const struct run_changes *c = &r->total;
    const char *separator = ": ";
    if (!r->record.db || r->failed.kind)
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

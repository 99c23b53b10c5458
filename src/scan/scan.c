/* scan.c - scan_stack(): every managed instance of a stack to a reader, every answer to drift. */
#include "scan/scan.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "desired/backend.h"
#include "desired/desired.h"
#include "desired/known.h"
#include "live/snapshot.h"
#include "scan/code.h"
#include "scan/scan_parts.h"
#include "scan/tally.h"

/* --- answers --- */

/* entry  NULL: of a snapshot that was matched with the state as texts */
bool scan_observe(struct scan *scan, const struct entry *entry, const struct live_result *given,
                  struct observation *ret, struct err *err)
{
    const struct scan_options *options = scan->tally.options;
    struct live_result typed = *given;
    const struct live_result *result = &typed;
    if (scan->code && entry && !scan_code_type(&scan->scratch, entry, given, &typed, err))
        return false;
    struct drift_code code;
    bool by_code = false;
    struct drift_input in = {
        .resource = result->resource,
        .desired = &result->desired,
        .live = result->status == LIVE_READ ? &result->live : NULL,
        .schema = result->schema,
        .not_observed = result->not_observed,
        .nnot_observed = result->nnot_observed,
        .stack = scan->tally.stack,
        .ignores = options->config ? options->config->ignores : NULL,
        .nignores = options->config ? options->config->nignores : 0,
        .now_utc_ms = options->now_utc_ms,
        .explain = options->explain,
    };
    if (result->status == LIVE_UNREADABLE)
        return drift_unchecked(&scan->scratch, result->resource, scan->tally.stack,
                               result->reason.len ? result->reason : STR("no reason was given"),
                               ret, err);
    if (scan->code && entry &&
        !scan_code_judge(scan->code, &scan->scratch, entry, result, &code, &by_code, err))
        return false;
    if (by_code)
        in.code = &code;
    return drift_observe(&scan->scratch, &in, ret, err) &&
           ((!options->policy && !options->attribute) ||
            scan_remember(&scan->scratch, &in, ret, err));
}

bool scan_note_result(struct scan *scan, const struct live_result *result, struct err *err)
{
    for (size_t i = 0; i < result->nwarnings; i++) {
        struct str note =
            arena_printf(&scan->scratch, "%.*s: %.*s", STR_ARG(result->resource->type),
                         STR_ARG(result->warnings[i]));
        if (!note.ptr)
            return arena_full(&scan->scratch, err);
        if (!tally_note(&scan->tally, note, err))
            return false;
    }
    return result->status == LIVE_UNREADABLE ||
           scan_note_resource(&scan->tally, result->resource, result->status == LIVE_READ, err);
}

/* An answer that is too large to be compared is one that was not compared. */
bool scan_tell(struct scan *scan, const struct entry *entry, const struct live_result *result,
               struct err *err)
{
    struct observation found;
    struct err why = {0};
    char text[ERR_FRAMES_MAX * ERR_TEXT_MAX];
    arena_reset(&scan->scratch);
    if (!scan_observe(scan, entry, result, &found, &why)) {
        arena_reset(&scan->scratch);
        if (!drift_unchecked(&scan->scratch, result->resource, scan->tally.stack,
                             str_from(err_text(&why, text, sizeof text)), &found, err))
            return false;
    }
    return tally_add(&scan->tally, &found, err);
}

static bool take_result(struct scan *scan, const struct live_result *result, struct err *err)
{
    return scan_tell(scan, NULL, result, err) && scan_note_result(scan, result, err);
}

static bool sink(void *ctx, const struct live_result *result, struct err *err)
{
    return take_result(ctx, result, err);
}

/* Of a reader that answers for the entries that it was given, each once. */
static bool sink_entry(void *ctx, const struct live_result *result, struct err *err)
{
    /* the reader was given this very place, and entries are not const */
    struct entry *entry = (struct entry *)(uintptr_t)result->resource;
    if (entry->answered)
        return true;
    entry->answered = true;
    struct scan *scan = ctx;
    const struct scan_options *options = scan->tally.options;
    if (options->on_answer && !options->on_answer(options->ctx, result, err))
        return false;
    if (!scan->code)
        return take_result(scan, result, err);
    return scan_code_take(scan->code, entry, result, err) && scan_note_result(scan, result, err);
}

static void take_note(void *ctx, struct str note)
{
    struct scan *scan = ctx;
    (void)tally_note(&scan->tally, note, NULL); /* a failure is kept in tally.failed */
}

static void pass_progress(void *ctx, const struct reader_progress *progress)
{
    const struct scan *scan = ctx;
    const struct reader_options *outer = &scan->tally.options->reader;
    if (outer->progress)
        outer->progress(outer->ctx, progress);
}

/* --- desired --- */

struct entry *scan_add_entry(struct scan *scan)
{
    if (!scan->last || scan->last->n == scan->last->room) {
        size_t room = scan->last ? SCAN_CHUNK : SCAN_CHUNK_FIRST;
        struct chunk *chunk =
            arena_alloc(scan->tally.arena, 1, sizeof *chunk + room * sizeof *chunk->entry,
                        _Alignof(struct chunk));
        if (!chunk)
            return NULL;
        chunk->room = room;
        if (scan->last)
            scan->last->next = chunk;
        else
            scan->first = chunk;
        scan->last = chunk;
    }
    scan->n++;
    return &scan->last->entry[scan->last->n++];
}

static bool take_one(struct scan *scan, struct reader_choice *choice, struct resource *resource,
                     struct err *err)
{
    if (scan->code && !scan_code_remember(scan->code, resource, err))
        return false;
    if (resource->mode != RESOURCE_MANAGED || !scan_wants(scan->tally.options, resource->address))
        return true;
    if (scan->code && !scan_code_library(scan->code, &choice->providers, err))
        return false;
    struct entry *entry = scan_add_entry(scan);
    if (!entry)
        return arena_full(scan->tally.arena, err);
    resource->attributes = value_null(); /* gone with the next one; the text stays */
    *entry = (struct entry){.resource = *resource};
    entry->reader = reader_choose(choice, scan->stack, &entry->resource);
    return true;
}

/* Every managed instance that is wanted, with who reads it; the code may ask for all of them. */
static bool take_desired(struct scan *scan, struct desired *desired, struct known_making *making,
                         struct err *err)
{
    struct resource resource;
    struct reader_choice choice = {0};
    while (desired_next(desired, &resource, err)) {
        known_add(making, &resource);
        if (!take_one(scan, &choice, &resource, err))
            return false;
    }
    return err->kind == ERR_NONE;
}

/* The same of a state that is known: those that are wanted, and nothing else of it. */
static bool take_known(struct scan *scan, struct err *err)
{
    const struct scan_options *options = scan->tally.options;
    struct resource resource;
    struct reader_choice choice = {0};
    for (size_t i = 0; i < options->naddresses; i++)
        for (size_t at = 0; known_next(scan->known, options->addresses[i], &at, &resource, err);)
            if (!take_one(scan, &choice, &resource, err))
                return false;
    return err->kind == ERR_NONE;
}

/* --- reading --- */

static bool answer_unread(struct scan *scan, struct entry *entry, struct str reason,
                          struct err *err)
{
    struct live_result result = {.resource = &entry->resource, .reason = reason};
    return sink_entry(scan, &result, err);
}

/* Whatever happened, no instance is passed over in silence. */
static bool answer_rest(struct scan *scan, const struct reader *reader, const struct err *why,
                        struct err *err)
{
    char text[ERR_FRAMES_MAX * ERR_TEXT_MAX];
    struct str reason = why->kind != ERR_NONE ? str_from(err_text(why, text, sizeof text))
                        : reader              ? STR("the reader gave no answer")
                                              : STR("no reader knows this resource");
    for (struct chunk *chunk = scan->first; chunk; chunk = chunk->next)
        for (size_t i = 0; i < chunk->n; i++)
            if (chunk->entry[i].reader == reader && !chunk->entry[i].answered &&
                !answer_unread(scan, &chunk->entry[i], reason, err))
                return false;
    return true;
}

static bool read_with(struct scan *scan, const struct reader *reader, bool *ret_used,
                      struct err *err)
{
    struct err why = {0};
    struct reader_options options = scan->tally.options->reader;
    const struct resource **list = arena_new(scan->tally.arena, const struct resource *, scan->n);
    size_t n = 0;
    if (!list)
        return arena_full(scan->tally.arena, err);
    for (struct chunk *chunk = scan->first; chunk; chunk = chunk->next)
        for (size_t i = 0; i < chunk->n; i++)
            if (chunk->entry[i].reader == reader && !chunk->entry[i].answered)
                list[n++] = &chunk->entry[i].resource;
    *ret_used = n > 0;
    if (n == 0)
        return true;
    options.note = take_note;
    options.progress = pass_progress;
    options.ctx = scan;
    if (scan->code)
        scan_code_options(scan->code, &options);
    if (reader && !reader->read(scan->stack, list, n, &options, sink_entry, scan, &why) &&
        (why.kind == ERR_CANCELLED || scan->tally.failed)) {
        if (err)
            *err = why;
        return false;
    }
    return answer_rest(scan, reader, &why, err);
}

static bool add_reader_name(const struct scan *scan, struct buf *out, const struct reader *reader)
{
    static const struct {
        struct str name, plural;
    } names[] = {{STR_INIT("provider"), STR_INIT("providers")},
                 {STR_INIT("file"), STR_INIT("files")}};
    struct str name = str_from(reader->name);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_equal(names[i].name, name))
            name = names[i].plural;
    if (out->len)
        buf_str(out, STR(" and "));
    buf_str(out, name);
    if (str_equal(name, STR("snapshot")))
        buf_printf(out, " %.*s", STR_ARG(scan->stack->snapshot));
    return !out->failed;
}

static bool read_all(struct scan *scan, struct str *ret_live, struct err *err)
{
    AUTO_BUF used_names = {.limit = 4096};
    size_t n;
    bool used;
    const struct reader *const *readers = reader_list(&n);
    for (size_t i = 0; i < n; i++) {
        if (!read_with(scan, readers[i], &used, err))
            return false;
        if (used)
            (void)add_reader_name(scan, &used_names, readers[i]);
    }
    if (!read_with(scan, NULL, &used, err))
        return false;
    *ret_live = arena_dup(scan->tally.arena, used_names.len ? buf_view(&used_names) : STR("none"));
    return ret_live->ptr || arena_full(scan->tally.arena, err);
}

bool scan_read_again(struct scan *scan, struct err *err)
{
    size_t n;
    bool used;
    const struct reader *const *readers = reader_list(&n);
    for (struct chunk *chunk = scan->first; chunk; chunk = chunk->next)
        for (size_t i = 0; i < chunk->n; i++) {
            chunk->entry[i].answered = !chunk->entry[i].again;
            chunk->entry[i].again = false;
        }
    for (size_t i = 0; i < n; i++)
        if (!read_with(scan, readers[i], &used, err))
            return false;
    return true;
}

/* --- the stack --- */

static bool fail_without_state(struct arena *arena, const struct stack *stack, struct str label,
                               struct stack_result *ret, struct err *err)
{
    ret->failed = arena_printf(arena,
                               "no state yet: %.*s; apply the stack first, or name its state "
                               "(`state:` in plumb.yaml, --state)",
                               STR_ARG(label.len ? label : stack->path));
    return ret->failed.ptr || arena_full(arena, err);
}

static bool set_source(struct arena *arena, struct str label, struct str *ret, struct err *err)
{
    *ret = arena_dup(arena, label);
    return ret->ptr || arena_full(arena, err);
}

static bool note_targets(struct scan *scan, struct err *err)
{
    if (scan->tally.options->ntargets == 0 || scan->tally.coverage.resources)
        return true;
    return tally_note(&scan->tally, STR("no resource of this stack matches the targets"), err);
}

static bool finish(struct scan *scan, struct stack_result *ret, struct err *err)
{
    return note_targets(scan, err) && tally_note_expired(&scan->tally, err) &&
           tally_finish(&scan->tally, ret, err);
}

/* The code, where it can be evaluated; without one the last state is what is wanted. */
static bool use_code(struct scan *scan, struct stack_result *ret, struct err *err)
{
    bool use = false;
    if (!scan->code)
        return true;
    if (!scan_code_evaluate(scan->code, &use, err))
        return false;
    if (!use) {
        scan_code_close(scan->code);
        scan->code = NULL;
        return true;
    }
    ret->desired = STR("code");
    if (scan->tally.options->on_finding || scan->tally.options->policy)
        scan_code_stream(scan->code);
    return scan_code_match(scan->code, err);
}

/* Code alone: what has an id can be read; of the rest nobody can say which object it is. */
static bool note_no_state(struct scan *scan, struct str label, struct err *err)
{
    struct str note = arena_printf(scan->tally.arena,
                                   "no state yet: %.*s; apply the stack first, or name its state "
                                   "(`state:` in plumb.yaml, --state); only what import blocks "
                                   "name can be compared",
                                   STR_ARG(label));
    return note.ptr ? tally_note(&scan->tally, note, err) : arena_full(scan->tally.arena, err);
}

/* Whoever wants to know what the resources are called. */
static bool tell_state(struct scan *scan, struct str text, struct stack_result *ret,
                       struct err *err)
{
    const struct scan_options *options = scan->tally.options;
    ret->state_hash = text.len ? hash_bytes(text, 0) : 0;
    return !options->on_state || !text.len ||
           options->on_state(options->on_state_ctx, text, "state", err);
}

/* The same for a state whose text is not at hand: it is read once more. */
static bool tell_state_again(struct scan *scan, struct stack_result *ret, struct err *err)
{
    struct backend_state state = {0};
    if (!scan->tally.options->on_state)
        return true;
    bool ok = backend_load(scan->stack, &state, err) && tell_state(scan, state.at.text, ret, err);
    backend_release(&state);
    return ok;
}

static bool walk_desired(struct scan *scan, struct desired *desired, struct stack_result *ret,
                         struct err *err)
{
    struct known_making *making = known_begin(scan->tally.options->known, desired);
    if (take_desired(scan, desired, making, err) &&
        tell_state(scan, desired_text(desired), ret, err)) {
        known_end(making, ret->state_hash);
        return true;
    }
    known_drop(making);
    return false;
}

static bool look_up_desired(struct scan *scan, struct stack_result *ret, struct err *err)
{
    const struct scan_options *options = scan->tally.options;
    bool told = !options->on_state;
    if (!take_known(scan, err))
        return false;
    if (!told && options->knows_state &&
        !options->knows_state(options->on_state_ctx, known_hash(scan->known), &told, err))
        return false;
    if (!told && !tell_state_again(scan, ret, err))
        return false;
    ret->state_hash = known_hash(scan->known);
    return true;
}

/* What is wanted: of the state, as far as it is asked for, and of the code. */
static bool take_wanted(struct scan *scan, struct desired *desired, struct stack_result *ret,
                        struct err *err)
{
    bool ok = scan->known      ? look_up_desired(scan, ret, err)
              : scan->no_state ? tell_state(scan, desired_text(desired), ret, err)
                               : walk_desired(scan, desired, ret, err);
    return ok && use_code(scan, ret, err);
}

/* Live values from providers, files ... The state's texts are needed until all have answered.
 * desired: NULL where the state is known. */
static bool scan_open(struct scan *scan, struct desired *desired, struct stack_result *ret,
                      struct err *err)
{
    struct err why = {0};
    const struct desired_info *info = scan->known ? known_info(scan->known) : desired_info(desired);
    scan->no_state = info->no_state;
    if (!set_source(scan->tally.arena, info->label, &ret->source, err))
        return false;
    if (info->no_state && !scan->code)
        return fail_without_state(scan->tally.arena, scan->stack, info->label, ret, err);
    if (!take_wanted(scan, desired, ret, &why)) {
        if (scan->tally.failed && err)
            *err = why;
        return !scan->tally.failed && scan_failed(scan->tally.arena, &why, ret, err);
    }
    if (info->no_state && (!scan->code || !scan_code_has_instances(scan->code)))
        return fail_without_state(scan->tally.arena, scan->stack, info->label, ret, err);
    if (info->no_state && !note_no_state(scan, info->label, err))
        return false;
    return read_all(scan, &ret->live, err) && (!scan->code || scan_code_finish(scan->code, err)) &&
           (!scan->code || scan_code_places(scan->code, ret, err)) && finish(scan, ret, err);
}

static bool scan_readers(struct scan *scan, struct stack_result *ret, struct err *err)
{
    const struct scan_options *options = scan->tally.options;
    struct desired *desired = NULL;
    struct err why = {0};
    if (options->exact && !options->ntargets && options->nslices <= 1)
        scan->known = known_open(options->known, scan->stack);
    if (!scan->known && !desired_open_stack_state(scan->stack, &desired, &why))
        return scan_failed(scan->tally.arena, &why, ret, err);
    bool ok = (!scan_code_wanted(scan) || scan_code_open(scan, &scan->code, err)) &&
              scan_open(scan, desired, ret, err);
    scan_code_close(scan->code);
    scan->code = NULL;
    desired_close(desired);
    known_close(scan->known);
    scan->known = NULL;
    return ok;
}

/* Live values from a document: state and document are matched as texts. */
static bool wanted(const void *ctx, struct str address)
{
    return scan_wants(ctx, address);
}

static bool scan_snapshot(struct scan *scan, struct str path, struct stack_result *ret,
                          struct err *err)
{
    const struct scan_options *options = scan->tally.options;
    struct snapshot_match_options how = {.cancel = options->reader.cancel};
    struct snapshot_match match = {0};
    struct err why = {0};
    if (scan_is_partial(options)) {
        how.wanted = wanted;
        how.wanted_ctx = options;
    }
    if (!snapshot_match(scan->tally.arena, scan->stack, path, &how, sink, scan, &match, &why)) {
        if (!scan->tally.failed)
            return scan_failed(scan->tally.arena, &why, ret, err);
        if (err)
            *err = why;
        return false;
    }
    ret->source = match.desired_label;
    ret->live = match.live_label;
    if (match.no_state)
        return fail_without_state(scan->tally.arena, scan->stack, match.desired_label, ret, err);
    tally_add_same(&scan->tally, match.same, match.same_leaves);
    if (!tell_state_again(scan, ret, &why))
        return scan_failed(scan->tally.arena, &why, ret, err);
    return finish(scan, ret, err);
}

bool scan_stack(struct arena *arena, const struct stack *stack, const struct scan_options *options,
                struct stack_result *ret, struct err *err)
{
    struct scan scan = {.scratch = {.limit = ARENA_DEFAULT_LIMIT}};
    struct str snapshot = options->snapshot.len ? options->snapshot : stack->snapshot;
    struct stack_result result = {
        .name = stack->name,
        .path = stack->path,
        .environment = stack->environment,
        .owner = stack->owner,
        .workspace = stack->workspace,
        .desired = STR("state"),
    };
    struct stack with_snapshot = *stack;
    with_snapshot.snapshot = snapshot;
    scan.stack = &with_snapshot;
    tally_init(&scan.tally, arena, stack->name, options);
    scan.tally.of = &with_snapshot;
    bool ok = snapshot.len && !scan_code_wanted(&scan) && !options->on_answer
                  ? scan_snapshot(&scan, snapshot, &result, err)
                  : scan_readers(&scan, &result, err);
    arena_free(&scan.scratch);
    if (ok)
        *ret = result;
    return ok;
}

/* snapshot_match.c - a whole state against a live document, on two threads.
 *
 * First each file is read and indexed by a thread of its own (every byte is checked there); then
 * the instances are compared chunk by chunk, by bytes where that decides (raw_same), else as
 * values. What is not the same is parsed once more and given out in the order of the state, so that
 * the result does not depend on which thread was faster.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "desired/backend.h"
#include "desired/desired.h"
#include "desired/document.h"
#include "desired/state_index.h"
#include "live/raw_same.h"
#include "live/snapshot.h"
#include "live/snapshot_pair.h"

enum {
    CHUNK = 4096,
    THREADS = 2,
    THREADS_MAX = 16,
    ROOM_LEAST = 64 << 20,
    ROOM_PER_BYTE = 40,
    ADDRESS_MAX = 1 << 20
};

/* The outcome of CHUNK instances. */
struct chunk {
    uint64_t wanted, same, leaves;
    uint32_t *other; /* entries that are to be given out, ascending */
    uint32_t nother, room;
    bool failed; /* out of memory */
};

struct match {
    const struct snapshot_match_options *options;
    const char *path;
    struct backend_state state;
    struct state_index index;
    struct snapshot *snapshot;
    struct err snapshot_err;
    bool snapshot_ok, opening, opened;
    pthread_t opener;
    struct chunk *chunk;
    size_t nchunks;
    atomic_size_t next;
    live_sink sink;
    void *sink_ctx;
    struct snapshot_match *ret;
};

static bool cancelled(const struct match *m)
{
    return m->options->cancel && *m->options->cancel;
}

static bool is_wanted(const struct match *m, struct str address)
{
    return !m->options->wanted || m->options->wanted(m->options->wanted_ctx, address);
}

/* --- comparing, on each thread --- */

struct worker {
    struct match *match;
    struct raw_scratch *scratch;
    struct buf address;
    size_t prefix_len;
    uint32_t prefix_head; /* whose prefix stands in `address`; UINT32_MAX = nobody's */
    bool prefix_plain;
    struct arena arena; /* for one instance at a time */
};

/* All of it, parsed; the arena grows with what there is to parse. */
static bool read_resource(struct worker *w, const struct state_entry *entry, struct resource *ret,
                          struct err *err)
{
    const struct state_index *index = &w->match->index;
    uint64_t next = entry + 1 < index->entry + index->n ? entry[1].at : index->text.len;
    arena_reset(&w->arena);
    w->arena.limit = ROOM_LEAST + ROOM_PER_BYTE * (size_t)(next - entry->at);
    return state_index_resource(index, entry, &w->arena, ret, err);
}

static bool address_of(struct worker *w, const struct state_entry *entry, struct str *ret)
{
    const struct state_index *index = &w->match->index;
    struct resource resource;
    if (w->prefix_head != entry->head) {
        w->address.len = 0;
        w->prefix_plain = state_index_prefix(index, entry, &w->address);
        w->prefix_len = w->address.len;
        w->prefix_head = entry->head;
    }
    w->address.len = w->prefix_len;
    if (w->prefix_plain && state_index_key(index, entry, &w->address)) {
        *ret = buf_view(&w->address);
        return true;
    }
    w->address.failed = false;
    if (!read_resource(w, entry, &resource, NULL))
        return false;
    *ret = resource.address;
    return true;
}

enum outcome { NOT_WANTED, SAME, OTHER };

/* The values are equal although their bytes are not? */
static bool same_values(struct worker *w, const struct state_entry *entry, uint64_t *ret_leaves)
{
    struct resource resource;
    struct live_result result;
    bool same = false;
    return read_resource(w, entry, &resource, NULL) &&
           snapshot_pair(w->match->snapshot, &w->arena, &resource, &result, &same, ret_leaves,
                         NULL) &&
           same;
}

static enum outcome compare(struct worker *w, const struct state_entry *entry, uint64_t *ret_leaves)
{
    const struct match *m = w->match;
    struct snapshot_answer answer;
    struct str address;
    if (!address_of(w, entry, &address))
        return OTHER; /* giving it out says why */
    if (!is_wanted(m, address))
        return NOT_WANTED;
    if (m->options->show_same || entry->tainted || entry->deposed || !entry->attributes)
        return OTHER;
    if (!snapshot_find(m->snapshot, &w->arena, address, &answer, NULL) ||
        answer.status != LIVE_READ)
        return OTHER;
    size_t at = entry->at + entry->attributes;
    struct str desired = str_sub(m->index.text, at, m->index.text.len);
    if (raw_same(w->scratch, desired, answer.attributes_json, ret_leaves))
        return SAME;
    return same_values(w, entry, ret_leaves) ? SAME : OTHER;
}

static void note_other(struct chunk *chunk, uint32_t entry)
{
    if (chunk->nother == chunk->room) {
        uint32_t room = chunk->room ? chunk->room * 2 : 16;
        uint32_t *grown = realloc(chunk->other, room * sizeof *grown);
        chunk->failed = chunk->failed || !grown;
        if (!grown)
            return;
        chunk->other = grown;
        chunk->room = room;
    }
    chunk->other[chunk->nother++] = entry;
}

static void compare_chunk(struct worker *w, size_t number)
{
    struct match *m = w->match;
    struct chunk made = {0};
    size_t from = number * CHUNK, to = from + CHUNK < m->index.n ? from + CHUNK : m->index.n;
    for (size_t i = from; i < to; i++) {
        uint64_t leaves = 0;
        enum outcome outcome = compare(w, &m->index.entry[i], &leaves);
        made.wanted += outcome != NOT_WANTED;
        if (outcome == SAME) {
            made.same++;
            made.leaves += leaves;
        } else if (outcome == OTHER) {
            note_other(&made, (uint32_t)i);
        }
    }
    m->chunk[number] = made;
}

static bool worker_open(struct worker *w, struct match *m)
{
    *w = (struct worker){.match = m,
                         .scratch = malloc(sizeof *w->scratch),
                         .address = {.limit = ADDRESS_MAX},
                         .prefix_head = UINT32_MAX,
                         .arena = {.limit = ROOM_LEAST}};
    return w->scratch != NULL;
}

static void worker_close(struct worker *w)
{
    free(w->scratch);
    buf_free(&w->address);
    arena_free(&w->arena);
}

static void *work(void *arg)
{
    struct match *m = arg;
    struct worker w;
    if (worker_open(&w, m))
        for (size_t i; !cancelled(m) && (i = atomic_fetch_add(&m->next, 1)) < m->nchunks;)
            compare_chunk(&w, i);
    worker_close(&w);
    return NULL;
}

static bool compare_all(struct match *m, struct err *err)
{
    pthread_t thread[THREADS_MAX];
    unsigned want = m->options->threads ? m->options->threads : THREADS, started = 0;
    m->nchunks = (m->index.n + CHUNK - 1) / CHUNK;
    m->chunk = calloc(m->nchunks + 1, sizeof *m->chunk);
    if (!m->chunk)
        return err_set(err, ERR_LIMIT, "out of memory");
    while (started + 1 < want && started < THREADS_MAX && started + 1 < m->nchunks &&
           pthread_create(&thread[started], NULL, work, m) == 0)
        started++;
    (void)work(m);
    for (unsigned i = 0; i < started; i++)
        (void)pthread_join(thread[i], NULL);
    if (cancelled(m))
        return err_set(err, ERR_CANCELLED, "cancelled");
    if (atomic_load(&m->next) < m->nchunks)
        return err_set(err, ERR_LIMIT, "out of memory");
    return true;
}

/* --- giving out, on the caller's thread --- */

static bool give(struct match *m, struct arena *arena, const struct resource *resource,
                 struct err *err)
{
    struct live_result result;
    bool same;
    uint64_t leaves;
    if (!snapshot_pair(m->snapshot, arena, resource, &result, &same, &leaves, err))
        return false;
    if (!same || m->options->show_same || resource->tainted || resource->deposed.len)
        return m->sink(m->sink_ctx, &result, err);
    m->ret->same++;
    m->ret->same_leaves += leaves;
    return true;
}

static bool give_others(struct match *m, struct worker *w, struct err *err)
{
    for (size_t c = 0; c < m->nchunks; c++) {
        const struct chunk *chunk = &m->chunk[c];
        if (chunk->failed)
            return err_set(err, ERR_LIMIT, "out of memory");
        m->ret->resources += chunk->wanted;
        m->ret->same += chunk->same;
        m->ret->same_leaves += chunk->leaves;
        for (uint32_t i = 0; i < chunk->nother; i++) {
            struct resource resource;
            if (cancelled(m))
                return err_set(err, ERR_CANCELLED, "cancelled");
            if (!read_resource(w, &m->index.entry[chunk->other[i]], &resource, err) ||
                !give(m, &w->arena, &resource, err))
                return false;
        }
    }
    return true;
}

/* --- the two ways --- */

static void *open_snapshot(void *arg)
{
    struct match *m = arg;
    m->snapshot_ok = snapshot_open(m->path, &m->snapshot, &m->snapshot_err);
    return NULL;
}

/* Beside the reading of the state where there may be two threads, else when it is waited for. */
static void start_snapshot(struct match *m)
{
    m->opening =
        m->options->threads != 1 && pthread_create(&m->opener, NULL, open_snapshot, m) == 0;
}

static bool wait_snapshot(struct match *m, struct err *err)
{
    if (m->opening)
        (void)pthread_join(m->opener, NULL);
    else if (!m->opened)
        (void)open_snapshot(m);
    m->opening = false;
    m->opened = true;
    if (!m->snapshot_ok && err)
        *err = m->snapshot_err;
    return m->snapshot_ok;
}

static bool match_state(struct match *m, struct arena *arena, struct err *err)
{
    struct worker w;
    if (!state_index_build(m->state.at.text, m->state.at.name, m->options->cancel, &m->index,
                           err) ||
        !wait_snapshot(m, err))
        return false;
    m->ret->desired_label = tfstate_label(arena, m->state.at.name, m->index.serial);
    if (!m->ret->desired_label.ptr)
        return arena_full(arena, err);
    if (!compare_all(m, err))
        return false;
    bool ok = worker_open(&w, m) ? give_others(m, &w, err) : err_set(err, ERR_LIMIT, "no memory");
    worker_close(&w);
    return ok;
}

/* Desired from anything else: one after the other. */
static bool match_source(struct match *m, struct desired *desired, struct err *err)
{
    struct resource resource;
    struct err local = {0};
    while (desired_next(desired, &resource, &local)) {
        AUTO_ARENA arena = {.limit = ROOM_LEAST + ROOM_PER_BYTE * resource.attributes_json.len};
        if (cancelled(m))
            return err_set(err, ERR_CANCELLED, "cancelled");
        if (resource.mode != RESOURCE_MANAGED || !is_wanted(m, resource.address))
            continue;
        m->ret->resources++;
        if (!give(m, &arena, &resource, err))
            return false;
    }
    if (local.kind != ERR_NONE && err)
        *err = local;
    return local.kind == ERR_NONE;
}

static bool match_any(struct match *m, struct arena *arena, struct err *err)
{
    struct desired *desired;
    const struct backend_text *at = &m->state.at;
    if (at->missing) {
        m->ret->desired_label = arena_dup(arena, at->why);
        m->ret->no_state = true;
        return m->ret->desired_label.ptr || arena_full(arena, err);
    }
    if (document_probe(at->text) == DOCUMENT_STATE)
        return match_state(m, arena, err);
    if (!desired_open_state_text(at->text, at->name, &desired, err))
        return false;
    m->ret->desired_label = arena_dup(arena, desired_info(desired)->label);
    m->ret->no_state = desired_info(desired)->no_state;
    bool ok = wait_snapshot(m, err) && match_source(m, desired, err);
    desired_close(desired);
    return ok;
}

bool snapshot_match(struct arena *arena, const struct stack *stack, struct str path,
                    const struct snapshot_match_options *options, live_sink sink, void *sink_ctx,
                    struct snapshot_match *ret, struct err *err)
{
    struct snapshot_match made = {0};
    struct match m = {.options = options, .sink = sink, .sink_ctx = sink_ctx, .ret = &made};
    struct str name = arena_dup(arena, path);
    made.live_label = arena_printf(arena, "snapshot %.*s", STR_ARG(path));
    if (!name.ptr || !made.live_label.ptr)
        return arena_full(arena, err);
    m.path = name.ptr;
    start_snapshot(&m);
    bool ok = backend_load(stack, &m.state, err) && match_any(&m, arena, err);
    if (m.opening)
        (void)wait_snapshot(&m, NULL);
    for (size_t i = 0; m.chunk && i < m.nchunks; i++)
        free(m.chunk[i].other);
    free(m.chunk);
    snapshot_close(m.snapshot);
    state_index_free(&m.index);
    backend_release(&m.state);
    if (ok)
        *ret = made;
    return ok;
}

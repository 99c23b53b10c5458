/* one.c - one instance of a state to the reader that knows it. */
#include "scan/one.h"

#include "base/arena.h"
#include "base/err.h"
#include "desired/desired.h"
#include "live/snapshot.h"
#include "model/stack.h"
#include "wire/json.h"
#include "wire/json_scan.h"

struct asking {
    struct arena *arena;
    struct scan_one *ret;
    bool answered;
};

/* The provider's schema goes with the provider: no type of it may stay. */
static bool take(void *ctx, const struct live_result *result, struct err *err)
{
    struct asking *asking = ctx;
    struct scan_one *ret = asking->ret;
    asking->answered = true;
    ret->status = result->status;
    ret->reason = arena_dup(asking->arena, result->reason);
    if (!ret->reason.ptr)
        return arena_full(asking->arena, err);
    return result->status != LIVE_READ ||
           (value_copy_untyped(asking->arena, &result->live, &ret->live, err) &&
            value_copy_untyped(asking->arena, &result->generated, &ret->generated, err));
}

static bool unreadable(struct arena *arena, struct str why, struct scan_one *ret, struct err *err)
{
    ret->status = LIVE_UNREADABLE;
    ret->reason = arena_dup(arena, why);
    return ret->reason.ptr || arena_full(arena, err);
}

static bool ask(struct arena *arena, const struct stack *stack,
                const struct reader_options *options, const struct resource *resource,
                struct scan_one *ret, struct err *err)
{
    struct asking asking = {arena, ret, false};
    struct reader_choice choice = {0};
    const struct reader *reader = reader_choose(&choice, stack, resource);
    struct err why = {0};
    char text[ERR_FRAMES_MAX * ERR_TEXT_MAX];
    if (!reader)
        return unreadable(arena, STR("no reader knows this resource"), ret, err);
    if (!reader->read(stack, &resource, 1, options, take, &asking, &why) || !asking.answered) {
        if (why.kind == ERR_CANCELLED || why.kind == ERR_LIMIT) {
            *err = why;
            return false;
        }
        return unreadable(arena,
                          why.kind == ERR_NONE ? STR("the reader gave no answer")
                                               : str_from(err_text(&why, text, sizeof text)),
                          ret, err);
    }
    return true;
}

/* --- a document --- */

/* The document's text goes on behind the value, and goes with it. */
static bool parse_live(struct arena *arena, struct str text, const char *name, struct value *ret,
                       struct err *err)
{
    struct json_scan scan = json_scan_open(text);
    struct str value;
    if (!json_scan_value(&scan, JSON_DEPTH_MAX, &value))
        return json_scan_error(&scan, name, 1, err);
    return json_parse(arena, value, name, JSON_COPY | JSON_NFC, ret, err);
}

static bool ask_document(struct arena *arena, struct str path, struct str address,
                         struct scan_one *ret, struct err *err)
{
    struct snapshot *snapshot;
    struct snapshot_answer answer;
    struct str name = arena_dup(arena, path);
    if (!name.ptr)
        return arena_full(arena, err);
    if (!snapshot_open(name.ptr, &snapshot, err))
        return false;
    bool ok = snapshot_find(snapshot, arena, address, &answer, err);
    if (ok) {
        ret->status = answer.status;
        ret->reason = answer.reason;
        ok = answer.status != LIVE_READ ||
             parse_live(arena, answer.attributes_json, name.ptr, &ret->live, err);
    }
    snapshot_close(snapshot);
    return ok;
}

/* --- the state --- */

static bool keep_sensitive(struct arena *arena, const struct resource *r, struct scan_one *ret,
                           struct err *err)
{
    struct path *kept = arena_new(arena, struct path, r->nsensitive);
    for (size_t i = 0; kept && i < r->nsensitive; i++) {
        struct str text = path_text(arena, r->sensitive[i]);
        if (!text.ptr || !path_parse(arena, text, &kept[i], err))
            return arena_full(arena, err);
    }
    ret->recorded = true;
    ret->sensitive = kept;
    ret->nsensitive = r->nsensitive;
    return kept || arena_full(arena, err);
}

/* What the state has of the address; *ret_found. */
static bool find_recorded(struct desired *state, struct str address, struct resource *ret,
                          bool *ret_found, struct err *err)
{
    struct err why = {0};
    *ret_found = false;
    while (!*ret_found && desired_next(state, ret, &why))
        *ret_found =
            ret->mode == RESOURCE_MANAGED && !ret->deposed.len && str_equal(ret->address, address);
    if (!*ret_found && why.kind != ERR_NONE) {
        *err = why;
        return false;
    }
    return true;
}

static bool look_at(struct arena *arena, const struct stack *stack,
                    const struct reader_options *options, struct desired *state, struct str address,
                    const struct resource *unrecorded, struct scan_one *ret, struct err *err)
{
    struct resource resource;
    bool found;
    if (!find_recorded(state, address, &resource, &found, err) ||
        (found && !keep_sensitive(arena, &resource, ret, err)))
        return false;
    if (stack->snapshot.len)
        return ask_document(arena, stack->snapshot, address, ret, err);
    if (!found && !unrecorded)
        return unreadable(arena, STR("the state does not have it"), ret, err);
    return ask(arena, stack, options, found ? &resource : unrecorded, ret, err);
}

bool scan_one(struct arena *arena, const struct stack *stack, const struct reader_options *options,
              struct str address, const struct resource *unrecorded, struct scan_one *ret,
              struct err *err)
{
    struct desired *state;
    struct scan_one one = {0};
    struct err own = {0};
    err = err ? err : &own;
    if (!desired_open_stack_state(stack, &state, err))
        return false;
    bool ok = look_at(arena, stack, options, state, address, unrecorded, &one, err);
    desired_close(state);
    if (ok)
        *ret = one;
    return ok;
}

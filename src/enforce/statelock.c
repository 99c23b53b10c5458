/* statelock.c - who may lock, give back and write a state. */
#include "enforce/statelock.h"

static const char *const because_names[] = {
#define X(constant, name) name,
    LOCK_REASONS(X)
#undef X
};

const char *lock_because_name(enum lock_because because)
{
    return because_names[because < LOCK_BECAUSE_COUNT ? because : 0];
}

/* The lock is this caller's: the same token took it. */
static bool is_mine(const struct state_lock *lock, const struct lock_caller *caller)
{
    return lock->token == caller->token;
}

struct str statelock_kind(const struct lockinfo *info)
{
    return lockinfo_kind(info->operation) == LOCK_PLAN ? STR("plan") : STR("write");
}

enum lock_answer statelock_may_lock(const struct lock_facts *f, bool *ret_warned)
{
    const struct state_lock *lock = &f->row->lock;
    bool plan = lockinfo_kind(f->info->operation) == LOCK_PLAN;
    *ret_warned = false;
    if (f->caller.role < (plan ? ROLE_PLAN : ROLE_APPLY))
        return LOCK_FORBIDDEN;
    /* The answer to the first try was lost: the same lock, not a second one. What was given for a
     * plan is not asked for an apply by the same request. */
    if (lock->id.len && str_equal(lock->id, f->info->id) && is_mine(lock, &f->caller) &&
        str_equal(lock->kind, statelock_kind(f->info)))
        return LOCK_AGAIN;
    if (lock->id.len)
        return LOCK_HELD;
    if (plan || f->nreasons == 0)
        return LOCK_GIVEN;
    if (f->breakglass.len == 0)
        return LOCK_REFUSED;
    *ret_warned = true;
    return LOCK_GIVEN;
}

enum lock_answer statelock_may_unlock(const struct lock_facts *f, bool forced)
{
    const struct state_lock *lock = &f->row->lock;
    bool admin = f->caller.role >= ROLE_ADMIN;
    if (f->caller.role < ROLE_PLAN)
        return LOCK_FORBIDDEN;
    if (lock->id.len == 0)
        return f->info->id.len == 0 || str_equal(f->row->lock_last, f->info->id) ? LOCK_AGAIN
                                                                                 : LOCK_CONFLICT;
    if (f->info->id.len && !str_equal(lock->id, f->info->id))
        return str_equal(f->row->lock_last, f->info->id) ? LOCK_AGAIN : LOCK_CONFLICT;
    if (!admin && (forced || !is_mine(lock, &f->caller)))
        return LOCK_FORBIDDEN;
    return LOCK_GIVEN;
}

enum lock_answer statelock_may_write(const struct write_facts *f, const char **ret_why)
{
    const struct state_row *row = f->row;
    *ret_why = "";
    if (f->caller.role < ROLE_APPLY)
        return LOCK_FORBIDDEN;
    if (f->lock_id.len == 0) {
        *ret_why = "a state is written under its lock only, and this request names none (was it "
                   "run with -lock=false, or without lock_address?)";
        return LOCK_CONFLICT;
    }
    if (row->lock.id.len == 0 || !str_equal(row->lock.id, f->lock_id)) {
        *ret_why = "the lock that this request names is not held any more";
        return LOCK_CONFLICT;
    }
    if (!is_mine(&row->lock, &f->caller)) {
        *ret_why = "the lock that this request names was taken by another token";
        return LOCK_CONFLICT;
    }
    if (!str_equal(row->lock.kind, STR("write"))) {
        *ret_why = "the lock was taken for a plan, which writes no state";
        return LOCK_CONFLICT;
    }
    if (row->version == 0)
        return LOCK_GIVEN;
    if (!str_equal(row->lineage, f->head.lineage)) {
        *ret_why = "this state has another lineage than the one that is stored: it belongs to "
                   "something else";
        return LOCK_CONFLICT;
    }
    if (f->same_bytes && f->head.serial == row->serial)
        return LOCK_AGAIN;
    if (f->head.serial <= row->serial) {
        *ret_why = "the stored state is newer: its serial is not less than this one's";
        return LOCK_CONFLICT;
    }
    return LOCK_GIVEN;
}

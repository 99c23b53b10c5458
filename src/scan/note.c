/* note.c - was the state written meanwhile, and what a result says of an apply that went on. */
#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "desired/backend.h"
#include "desired/known.h"
#include "desired/remote.h"
#include "scan/scan.h"

static struct str text_of(struct arena *arena, const struct lock_holder *holder)
{
    if (!holder->held)
        return STR("scanned while an apply went on (its state was written meanwhile)");
    struct str who = holder->who.len ? holder->who : STR("somebody");
    return arena_printf(arena, "scanned while an apply went on (lock held by %.*s%s%.*s)",
                        STR_ARG(who), holder->since.len ? " since " : "", STR_ARG(holder->since));
}

bool scan_note_apply(struct arena *arena, const struct lock_holder *holder,
                     struct stack_result *result, struct err *err)
{
    struct str *notes = arena_new(arena, struct str, result->nnotes + 1);
    struct str text = text_of(arena, holder);
    if (!notes || !text.ptr)
        return arena_full(arena, err);
    for (size_t i = 0; i < result->nnotes; i++)
        notes[i + 1] = result->notes[i];
    notes[0] = result->note = text;
    result->notes = notes;
    result->nnotes++;
    return true;
}

bool scan_state_hash(const struct stack *stack, struct known_states *known, uint64_t *ret,
                     struct err *err)
{
    struct backend_state state = {0};
    if (known_hash_now(known, stack, ret))
        return true;
    if (!backend_load(stack, &state, err))
        return false;
    bool there = !state.at.missing && state.at.text.len;
    *ret = there ? hash_bytes(state.at.text, 0) : 0;
    backend_release(&state);
    return true;
}

/* common.c - what scans of stacks and of plans share: targets, notes, failures. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/glob.h"
#include "scan/tally.h"

/* A target names a resource, or a module or a resource that it is inside of. */
static bool target_covers(struct str target, struct str address)
{
    if (glob_match(target, address, '\0'))
        return true;
    return str_starts(address, target) && address.len > target.len &&
           (address.ptr[target.len] == '.' || address.ptr[target.len] == '[' ||
            address.ptr[target.len] == ' ');
}

bool scan_is_partial(const struct scan_options *options)
{
    return options->ntargets || options->exact || options->nslices > 1;
}

bool scan_wants(const struct scan_options *options, struct str address)
{
    if (options->nslices > 1)
        return hash_bytes(address, 0) % options->nslices == options->slice;
    if (options->exact && bsearch(&address, options->addresses, options->naddresses, sizeof address,
                                  str_compare_qsort))
        return true;
    for (size_t i = 0; i < options->ntargets; i++)
        if (target_covers(options->targets[i], address))
            return true;
    return !scan_is_partial(options);
}

bool scan_note_resource(struct tally *tally, const struct resource *resource, bool exists,
                        struct err *err)
{
    struct str note = {0};
    if (!resource->tainted && !resource->deposed.len)
        return true;
    if (!resource->deposed.len)
        note = arena_printf(tally->arena, "%.*s is tainted: the next apply replaces it",
                            STR_ARG(resource->address));
    else if (exists)
        note = arena_printf(tally->arena,
                            "%.*s still exists: a replacement did not finish, and the next apply "
                            "destroys it",
                            STR_ARG(resource->address));
    else
        note = arena_printf(tally->arena, "%.*s is gone: the next apply takes it from the state",
                            STR_ARG(resource->address));
    if (!note.ptr)
        return arena_full(tally->arena, err);
    return tally_note(tally, note, err);
}

bool scan_failed(struct arena *arena, const struct err *why, struct stack_result *ret,
                 struct err *err)
{
    char text[ERR_FRAMES_MAX * ERR_TEXT_MAX];
    if (why->kind == ERR_CANCELLED) {
        if (err)
            *err = *why;
        return false;
    }
    ret->failed = arena_dup(arena, str_from(err_text(why, text, sizeof text)));
    return ret->failed.ptr || arena_full(arena, err);
}

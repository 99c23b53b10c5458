/* guard.c - words of guard.h. */
#include "enforce/guard.h"

const char *guard_kind_name(enum guard_kind kind)
{
    static const char *const names[] = {
        [GUARD_UNKNOWN] = "change",
        [GUARD_CREATE] = "create",
        [GUARD_UPDATE] = "update",
        [GUARD_DELETE] = "delete",
    };
    return (unsigned)kind < sizeof names / sizeof *names ? names[kind] : "change";
}

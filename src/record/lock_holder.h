/* lock_holder.h - who keeps others from writing to a store of SQLite. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* "process 4711 (plumb) holds its lock and is stopped: ...". False: nobody, or not to be known
 * (another PID namespace, a network file system, no /proc). */
bool lock_holder_tell(const char *file, char *ret, size_t room);

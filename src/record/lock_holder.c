/* lock_holder.c - who holds the lock that SQLite's one writer has: the kernel's list of locks
 * knows.
 *
 * Never by opening the file: whoever closes one loses all locks of his process on it (fcntl(2)).
 * Source:  proc_locks(5), proc_pid_stat(5); sqlite.org/walformat.html (the write lock is byte 120
 *          of the -shm)
 */
#include "record/lock_holder.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { WRITE_LOCK = 120, LINES_MOST = 100000, PATH_MOST = 4100 };

/* "1: POSIX  ADVISORY  WRITE 4711 fd:01:1234 120 120"; one that waits has "->" behind its number.
 */
static bool is_of(const char *line, uint64_t inode, int *ret_pid)
{
    char kind[16], device[32];
    uint64_t of = 0, from = 0;
    int pid = 0;
    if (strstr(line, "->") ||
        sscanf(line, "%*d: %15s %*s WRITE %d %31[^:]:%*[^:]:%" SCNu64 " %" SCNu64, kind, &pid,
               device, &of, &from) != 5)
        return false;
    *ret_pid = pid;
    return strcmp(kind, "POSIX") == 0 && of == inode && from == WRITE_LOCK && pid > 0;
}

static bool find_pid(uint64_t inode, int *ret_pid)
{
    char line[256];
    bool found = false;
    FILE *locks = fopen("/proc/locks", "re");
    for (int i = 0; locks && !found && i < LINES_MOST && fgets(line, sizeof line, locks); i++)
        found = is_of(line, inode, ret_pid);
    if (locks)
        (void)fclose(locks);
    return found;
}

/* "4711 (plumb) T ...": what is in brackets may have any byte. */
static bool read_stat(int pid, char *ret_name, size_t room, char *ret_state)
{
    char path[64], line[512];
    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool ok = fgets(line, sizeof line, file) != NULL;
    (void)fclose(file);
    char *open = ok ? strchr(line, '(') : NULL, *close = ok ? strrchr(line, ')') : NULL;
    if (!open || !close || close < open || close[1] != ' ')
        return false;
    *close = '\0';
    (void)snprintf(ret_name, room, "%s", open + 1);
    for (char *c = ret_name; *c; c++)
        if ((unsigned char)*c < ' ')
            *c = '?';
    *ret_state = close[2];
    return true;
}

bool lock_holder_tell(const char *file, char *ret, size_t room)
{
    char shm[PATH_MOST], name[32], state = '?';
    struct stat st;
    int pid = 0;
    (void)snprintf(shm, sizeof shm, "%s-shm", file);
    if (stat(shm, &st) != 0 || !find_pid((uint64_t)st.st_ino, &pid) ||
        !read_stat(pid, name, sizeof name, &state))
        return false;
    if (state == 'T' || state == 't')
        (void)snprintf(ret, room,
                       "process %d (%s) holds its lock and is stopped: `kill -CONT %d`, or end it",
                       pid, name, pid);
    else
        (void)snprintf(ret, room, "process %d (%s) holds its lock", pid, name);
    return true;
}

/* warm.h - providers that stay between scans: started, configured, their schema parsed. So that one
 * resource is read again within a second.
 *
 * Shape:   one set for a service, given to every scan (reader_options.warm). A scan takes what it
 *          needs out of it, alone, and gives it back; what another scan has is started once more.
 *          NULL: processes end with their scan, as on the command line
 * Key:     digest of the binary, its path, working directory, environment and whole configuration.
 *          Where one of them, or the lock file, is another by now, what was kept for the same
 *          provider of the same stack ends
 * Shared:  where the stack's folder can tell the provider nothing (reader_provider/folder.h) it
 *          runs in an empty one, and path and directory are no part of the key: stacks with the
 *          same provider, configuration and environment have the same processes
 * Trust:   before it is used again a process must answer its health check; one that was given back
 *          within the last second only if it does not answer what it is asked. Where a process that
 * was kept fails to read an instance, or says that it is gone, a new one is asked: nothing rests on
 * credentials or caches that grew old in it. It ends at its age in any case Bounds:  how many wait,
 * their memory (the biggest goes first), how long they wait, how many calls they have answered:
 * terraform-plugin-framework keeps the context of every call until the process ends, and so
 * collects garbage for ever more of its time Safety:  the methods of reader_provider/plugin.h and
 * no others. One thread of the set starts all of them and lives as long: they are killed with it,
 * however the service ends Threads: all functions but warm_open and warm_close from any thread
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct str;

struct warm_options {
    unsigned most;         /* processes that wait for a scan; 0 = 16 */
    uint64_t most_memory;  /* bytes, of all that wait; 0 = 1 GiB */
    uint64_t most_schemas; /* bytes of our own memory for parsed schemas; 0 = 32 MiB */
    int64_t idle_ms;       /* not used for so long: ended; 0 = 10 minutes */
    int64_t age_ms;        /* since it was configured; 0 = 30 minutes */
    uint64_t most_calls;   /* of one process; 0 = 5,000 */
    int64_t fresh_ms;      /* given back so short a time ago: taken at once; 0 = 1 second */
    bool apart;            /* no process for several stacks */
    /* Globs of HOST/NAMESPACE/TYPE: providers that look for no file of their own accord, so that
     * it does not matter what else is in a folder. They outlive the set. */
    const struct str *share;
    size_t nshare;
};

struct warm;
bool warm_open(const struct warm_options *options, struct warm **ret, struct err *err);
/* After the last scan that has it; an orderly end for all of them. NULL is fine. */
void warm_close(struct warm *warm);
/* What waits ends: other bounds, another configuration. */
void warm_drop(struct warm *warm);

struct warm_tally {
    size_t waiting, busy, schemas;
    uint64_t memory;                 /* bytes, resident, of those that wait */
    uint64_t schema_bytes;           /* of ours */
    uint64_t started, reused, ended; /* since warm_open; ended: while they waited, or unfit */
    uint64_t fresh;                  /* of the reused: fresh_ms */
};
void warm_tally(struct warm *warm, struct warm_tally *ret);

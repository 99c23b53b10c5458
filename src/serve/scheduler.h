/* scheduler.h - what scans: stacks when they are due, and what was touched, by a few threads.
 *
 * Shared:  any number of services on one store: who scans a stack has its lease (record/lease.h),
 *          and what is due moves on in the transaction that records the scan (record/planned.h). So
 *          a due scan is done once, and what somebody did not end is begun anew by another
 * Threads: serve.scheduler.workers that scan, two more for touches alone (an event does not wait
 *          for slow sweeps), one that renews leases, one that plans and listens
 * Apply:   while a stack's state is locked for writing, or was written while it was scanned,
 * nothing of it is recorded: it is scanned again soon. After serve.scheduler.apply_wait it is
 *          scanned all the same
 * Back-off: a scan without a result comes again after 30 s, 1 min, 2 min ... an hour, and not later
 *          than its schedule has it
 */
#pragma once
#include <stdbool.h>

struct err;
struct scheduler;
struct server;

/* Without a store's worth of stacks, or with serve.scheduler.enabled: false, it only waits. */
bool scheduler_open(struct scheduler **ret, struct server *server, struct err *err);
/* What is being scanned ends within serve.scheduler.drain, or is given up. */
void scheduler_close(struct scheduler *scheduler);

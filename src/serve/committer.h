/* committer.h - one thread that changes the store for many requests: what comes while the disk is
 * busy is committed together, each change with its event.
 *
 * Order:   job->run() of a batch in one DB_WRITE transaction, then all events, then the commit,
 * then job->done() of each. Where the batch fails it is rolled back and each job is tried alone, so
 * that one that cannot be done harms no other Durable: done(job, NULL) means that the change and
 * its event are
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct committer;
struct err;
struct event;
struct record;
struct record_options;

struct commit_job {
    struct commit_job *next;
    /* Within a transaction; may be called again after a rollback. *ret_has_event: ret_event is to
     * be appended. False: err says why, nothing of this job happens. */
    bool (*run)(struct commit_job *job, struct record *record, struct event *ret_event,
                bool *ret_has_event, struct err *err);
    /* Exactly once, on the committer's thread. failed is NULL where it is durable. */
    void (*done)(struct commit_job *job, const struct err *failed);
};

struct committer_options {
    const struct record_options *record;
    /* Called on its thread about every second, between batches; may be NULL. */
    void (*tick)(void *ctx, struct record *record);
    void *ctx;
};
bool committer_open(struct committer **ret, const struct committer_options *options,
                    struct err *err);
/* From any thread; the job stays where it is until done. */
void committer_add(struct committer *committer, struct commit_job *job);
/* Could the last batch be written? */
bool committer_is_well(struct committer *committer);
/* Does what is there, then ends. NULL is fine. */
void committer_close(struct committer *committer);

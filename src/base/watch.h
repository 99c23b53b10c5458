/* watch.h - which of many files and folders have changed: inotify, and a look at what is there.
 *
 * Truth:   what stat says (device, inode, size, mode, times) of everything that a target means. An
 *          event only says where to look, so renames, atomic replacement, links that are swapped,
 *          folders that come, go and are replaced, truncate and write are all the same; and names
 *          that nobody wants (backups, swap files) change nothing
 * Watches: each folder on the way to a target, links followed, so that what is not there yet is
 *          seen to come
 * Mounts:  what is mounted over a folder, and what comes to light when it goes, is looked for when
 *          /proc/self/mountinfo says that something was (poll, POLLPRI)
 * Lost:    an overflow (IN_Q_OVERFLOW) is mended by a look at everything. Past the system's limit
 *          of watches everything is looked at now and then, and watch_trouble says so; so it is
 *          anyway, seldom, for file systems that tell nothing (NFS)
 * Thread:  one
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct err;

enum watch_kind {
    WATCH_FILE,   /* one file, its content and mode */
    WATCH_FOLDER, /* the wanted files right in a folder */
    WATCH_TREE    /* and below it; hidden folders are left out */
};
struct watch_target {
    enum watch_kind kind;
    struct str path;                 /* absolute */
    bool (*wanted)(struct str name); /* of a folder's files; NULL = all but hidden ones */
};

struct watch_options {
    int quiet_ms;   /* told when nothing has happened for so long; 0 = 150 */
    int longest_ms; /* but at most so long after the first event; 0 = 1500 */
    int slow_ms;    /* looks at everything without watches; 0 = 20 s */
    int seldom_ms;  /* and with them; 0 = 5 minutes */
    size_t most;    /* watches; 0 = the system's limit alone */
};

struct watch;
bool watch_open(const struct watch_options *options, struct watch **ret, struct err *err);
void watch_close(struct watch *watch); /* NULL is fine */

/* These and no others; texts are copied. Of a target that was there before what it was is kept: a
 * change since then is told. A new one is what it is now. */
bool watch_set(struct watch *watch, const struct watch_target *target, size_t n, struct err *err);

/*
 * Wait for changes, at most timeout_ms (negative: without limit) or until wake_fd (-1 = none) can
 * be read, which is left to the caller. changed() is called for each target that is another: its
 * place in watch_set's list. False: the waiting failed.
 */
bool watch_wait(struct watch *watch, int wake_fd, int timeout_ms,
                void (*changed)(void *ctx, size_t target), void *ctx, struct err *err);

/* The next wait looks at everything. */
void watch_look(struct watch *watch);

/* Why it looks slowly instead of being told; empty: it need not. */
struct str watch_trouble(const struct watch *watch);
struct watch_tally {
    size_t targets, watches;
    uint64_t events, overflows, looks;
};
void watch_tally(const struct watch *watch, struct watch_tally *ret);

/* watch.c - ways to targets as inotify watches, and fingerprints by stat. */
#include "base/watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/io.h"

enum {
    LINKS_MAX = 40,
    DEPTH_MAX = 16,
    FILES_MAX = 20000, /* of one target */
    QUIET_MS = 150,
    LONGEST_MS = 1500,
    LULL_MS = 20, /* after events that nobody wants: a database beside the code writes all day */
    SLOW_MS = 20000,
    SELDOM_MS = 300000,
    MOUNTS_REST = 50,    /* so many times as long as a look for mounts took there is no other */
    STALE_MORE = 100000, /* interests that lead nowhere, before all is made anew */
    FRESH_NS = 12000000  /* file times are as coarse as the kernel's clock */
};
#define ON_THE_WAY \
    (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | \
     IN_ATTRIB | IN_ONLYDIR)
#define AT_THE_END (ON_THE_WAY | IN_MODIFY | IN_CLOSE_WRITE)

/* Who wants to hear of a name in a folder; hash 0: of all names. */
struct interest {
    uint64_t hash;
    size_t target;
};
/* A folder that is watched. */
struct place {
    int wd;
    uint32_t mask;
    struct interest *interest;
    size_t n, room;
};
struct known {
    struct watch_target target;
    uint64_t print;
    int64_t taken_ns, newest_ns; /* when it was looked at, and the newest time of its files */
    bool dirty, told;            /* told: by an event, not by a look at everything */
    bool broken;                 /* a watch on its way could not be had */
};

struct watch {
    struct watch_options options;
    int fd;
    struct arena arena; /* of the targets */
    struct known *known;
    size_t n;
    struct place *place; /* open addressing by wd */
    size_t nplaces, place_room, ninterests;
    bool all_dirty, anew;
    int64_t first_ms, last_ms; /* of events that were not looked into; 0 = none */
    int64_t looked_ms;
    int mounts;                         /* polled for changes; -1: nobody tells */
    int64_t mounts_ms, mounts_least_ms; /* when to look for them (0: none came), and not before */
    bool slow;
    char trouble[200];
    struct watch_tally tally;
};

/* --- places --- */

static struct place *place_slot(const struct watch *w, int wd)
{
    size_t at = (size_t)wd * 2654435761u & (w->place_room - 1);
    while (w->place[at].wd && w->place[at].wd != wd)
        at = (at + 1) & (w->place_room - 1);
    return &w->place[at];
}

static struct place *find_place(const struct watch *w, int wd)
{
    struct place *place = w->place_room ? place_slot(w, wd) : NULL;
    return place && place->wd ? place : NULL;
}

static bool grow_places(struct watch *w)
{
    size_t room = w->place_room ? w->place_room * 2 : 256, before = w->place_room;
    struct place *old = w->place, *place = calloc(room, sizeof *place);
    if (!place)
        return false;
    w->place = place;
    w->place_room = room;
    for (size_t i = 0; i < before; i++)
        if (old[i].wd)
            *place_slot(w, old[i].wd) = old[i];
    free(old);
    return true;
}

static struct place *get_place(struct watch *w, int wd)
{
    struct place *place = find_place(w, wd);
    if (place)
        return place;
    if ((w->nplaces + 1) * 2 > w->place_room && !grow_places(w))
        return NULL;
    place = place_slot(w, wd);
    *place = (struct place){.wd = wd};
    w->nplaces++;
    return place;
}

/* A wd is never given twice: its slot stays, without anybody's interest. */
static void empty_place(struct watch *w, struct place *place)
{
    w->ninterests -= place->n;
    free(place->interest);
    place->interest = NULL;
    place->n = place->room = 0;
    place->mask = 0;
}

static void free_places(struct watch *w)
{
    for (size_t i = 0; i < w->place_room; i++)
        free(w->place[i].interest);
    free(w->place);
    w->place = NULL;
    w->place_room = w->nplaces = w->ninterests = 0;
}

static uint64_t hash_name(const char *name, size_t len)
{
    return hash_bytes((struct str){name, len}, 1) | 1;
}

static void fall_back(struct watch *w, const char *why)
{
    if (!w->slow)
        (void)snprintf(w->trouble, sizeof w->trouble,
                       "%s: changes of files are looked for every %d s (more watches: sysctl "
                       "fs.inotify.max_user_watches, max_user_instances)",
                       why, w->options.slow_ms / 1000);
    w->slow = true;
}

/* Somebody wants to hear of `name` (NULL: any) in that folder. */
static void watch_name(struct watch *w, size_t target, const char *dir, const char *name,
                       uint32_t mask)
{
    if (w->fd < 0)
        return;
    if (w->options.most && w->nplaces >= w->options.most) {
        w->known[target].broken = true;
        fall_back(w, "there are too many folders to watch");
        return;
    }
    int wd = inotify_add_watch(w->fd, dir, mask | IN_MASK_ADD);
    if (wd < 0) {
        w->known[target].broken |= errno == ENOSPC || errno == ENOMEM;
        if (errno == ENOSPC || errno == ENOMEM)
            fall_back(w, "the system's limit of watched folders is reached");
        return; /* not there, or not to be seen: the look says so */
    }
    struct place *place = get_place(w, wd);
    uint64_t hash = name ? hash_name(name, strlen(name)) : 0;
    for (size_t i = 0; place && i < place->n; i++)
        if (place->interest[i].target == target && place->interest[i].hash == hash)
            return;
    if (place && place->n == place->room) {
        size_t room = place->room ? place->room * 2 : 4;
        struct interest *more = realloc(place->interest, room * sizeof *more);
        if (!more) {
            fall_back(w, "out of memory");
            return;
        }
        place->interest = more;
        place->room = room;
    }
    if (!place) {
        fall_back(w, "out of memory");
        return;
    }
    place->interest[place->n++] = (struct interest){hash, target};
    w->ninterests++;
}

/* --- fingerprints --- */

struct look {
    struct watch *watch;
    size_t target;
    uint64_t print;
    int64_t newest_ns;
    unsigned files;
};

static int64_t ns_of(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void add_stat(struct look *look, struct str name, const char *path)
{
    struct stat st;
    struct {
        uint64_t dev, ino, size, mode;
        int64_t mtime, ctime;
    } is = {0};
    if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode)) {
        is.dev = st.st_dev;
        is.ino = st.st_ino;
        is.size = (uint64_t)st.st_size;
        is.mode = st.st_mode;
        is.mtime = ns_of(st.st_mtim);
        is.ctime = ns_of(st.st_ctim);
        if (is.ctime > look->newest_ns)
            look->newest_ns = is.ctime;
    }
    look->print = hash_bytes(name, look->print);
    look->print = hash_bytes((struct str){(const char *)&is, sizeof is}, look->print);
    look->files++;
}

/*
 * Follow a path from the root, each folder on the way watched for its next part, links resolved.
 * True: it is there, and real has where.
 */
static bool walk(struct look *look, const char *path, uint32_t end_mask, char real[PATH_MAX])
{
    char rest[PATH_MAX], link[PATH_MAX], name[NAME_MAX + 1];
    struct stat st;
    unsigned links = 0;
    size_t len = 0;
    if (snprintf(rest, sizeof rest, "%s", path) >= (int)sizeof rest)
        return false;
    real[0] = '\0';
    for (char *at = rest;;) {
        at += strspn(at, "/");
        size_t part = strcspn(at, "/");
        if (part == 0)
            break;
        bool last = at[part + strspn(at + part, "/")] == '\0';
        if (part > NAME_MAX || len + part + 2 > PATH_MAX)
            return false;
        memcpy(name, at, part);
        name[part] = '\0';
        at += part;
        if (strcmp(name, ".") == 0)
            continue;
        if (strcmp(name, "..") == 0) {
            while (len && real[--len] != '/') {}
            real[len] = '\0';
            continue;
        }
        watch_name(look->watch, look->target, len ? real : "/", name, last ? end_mask : ON_THE_WAY);
        real[len] = '/';
        memcpy(real + len + 1, name, part + 1);
        if (lstat(real, &st) < 0)
            return false;
        if (!S_ISLNK(st.st_mode)) {
            len += part + 1;
            continue;
        }
        ssize_t n = readlink(real, link, sizeof link - 1);
        if (n <= 0 || ++links > LINKS_MAX || (size_t)n + strlen(at) + 2 > sizeof link)
            return false;
        link[n] = '\0';
        look->print = hash_bytes((struct str){link, (size_t)n}, look->print);
        (void)snprintf(link + n, sizeof link - (size_t)n, "/%s", at);
        memcpy(rest, link, sizeof rest);
        at = rest;
        if (rest[0] == '/')
            len = 0;
        real[len] = '\0';
    }
    if (len == 0)
        (void)strcpy(real, "/");
    return true;
}

static bool wants(const struct watch_target *target, const char *name)
{
    return target->wanted ? target->wanted(str_from(name)) : name[0] != '.';
}

static void look_folder(struct look *look, const char *dir, unsigned depth);

static void look_entry(struct look *look, const char *dir, const char *name, unsigned depth)
{
    const struct watch_target *target = &look->watch->known[look->target].target;
    char path[PATH_MAX], real[PATH_MAX];
    struct stat st;
    if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path || lstat(path, &st) < 0)
        return;
    bool is_link = S_ISLNK(st.st_mode);
    if (target->kind == WATCH_TREE && name[0] != '.' && depth < DEPTH_MAX &&
        (S_ISDIR(st.st_mode) || (is_link && io_is_dir(path)))) {
        if (is_link && !walk(look, path, ON_THE_WAY, real))
            return;
        look_folder(look, is_link ? real : path, depth + 1);
        return;
    }
    if (!wants(target, name))
        return;
    if (is_link)
        (void)walk(look, path, AT_THE_END, real);
    add_stat(look, str_from(name), path);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void look_folder(struct look *look, const char *dir, unsigned depth)
{
    AUTO_ARENA arena = {.limit = 16 << 20};
    char **name = NULL;
    size_t n = 0, room = 0;
    watch_name(look->watch, look->target, dir, NULL, AT_THE_END);
    DIR *open = opendir(dir);
    if (!open)
        return;
    for (struct dirent *entry; (entry = readdir(open)) && n < FILES_MAX;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        char **more = arena_grow(&arena, name, n, &room, n + 1);
        struct str kept = arena_dup(&arena, str_from(entry->d_name));
        if (!more || !kept.ptr)
            break;
        name = more;
        name[n++] = (char *)(uintptr_t)kept.ptr;
    }
    closedir(open);
    if (n > 1)
        qsort(name, n, sizeof *name, by_name);
    for (size_t i = 0; i < n && look->files < FILES_MAX; i++)
        look_entry(look, dir, name[i], depth);
}

static struct look look_at(struct watch *w, size_t target)
{
    struct look look = {.watch = w, .target = target, .print = 7};
    const struct watch_target *it = &w->known[target].target;
    char real[PATH_MAX];
    bool there = walk(&look, it->path.ptr, it->kind == WATCH_FILE ? AT_THE_END : ON_THE_WAY, real);
    if (there && it->kind != WATCH_FILE)
        look_folder(&look, real, 0);
    else
        add_stat(&look, STR(""), it->path.ptr);
    return look;
}

static int64_t wall_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return ns_of(now);
}

/* Is it another than it was? What was written in the very moment of the last look may have left the
 * same times: an event for it is believed. */
static bool take_look(struct watch *w, size_t target)
{
    struct known *known = &w->known[target];
    int64_t now = wall_ns();
    struct look look = look_at(w, target);
    bool changed =
        look.print != known->print || (known->told && look.newest_ns > known->taken_ns - FRESH_NS);
    known->print = look.print;
    known->newest_ns = look.newest_ns;
    known->taken_ns = now;
    known->dirty = known->told = false;
    return changed;
}

/* --- events --- */

static void open_queue(struct watch *w)
{
    free_places(w);
    io_close_auto(&w->fd);
    w->slow = false;
    w->trouble[0] = '\0';
    w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (w->fd < 0)
        fall_back(w, "the system's limit of inotify instances is reached");
}

static void happened(struct watch *w)
{
    int64_t now = clock_monotonic_ms();
    if (!w->first_ms)
        w->first_ms = now;
    w->last_ms = now;
}

static void take_event(struct watch *w, const struct inotify_event *event)
{
    w->tally.events++;
    if (event->mask & IN_Q_OVERFLOW) {
        w->tally.overflows++;
        w->all_dirty = w->anew = true;
        happened(w);
        return;
    }
    struct place *place = find_place(w, event->wd);
    if (!place)
        return;
    bool of_self = event->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT);
    uint64_t hash = event->len ? hash_name(event->name, strlen(event->name)) : 0;
    for (size_t i = 0; i < place->n; i++) {
        struct interest *interest = &place->interest[i];
        if (interest->hash && interest->hash != hash && !of_self)
            continue;
        struct known *known = &w->known[interest->target];
        const struct watch_target *target = &known->target;
        bool matters = target->kind == WATCH_TREE || interest->hash || of_self || !event->len ||
                       wants(target, event->name) ||
                       (event->mask & (IN_MOVED_TO | IN_CREATE | IN_DELETE));
        if (!matters)
            continue;
        known->dirty = true;
        known->told |= event->len && !(event->mask & IN_ISDIR) &&
                       (interest->hash || wants(target, event->name)) &&
                       (event->mask & (IN_CLOSE_WRITE | IN_MODIFY | IN_MOVED_TO));
        happened(w);
    }
    if (event->mask & IN_IGNORED)
        empty_place(w, place);
}

static void read_events(struct watch *w)
{
    _Alignas(struct inotify_event) char bytes[64 << 10];
    for (ssize_t n; w->fd >= 0 && (n = read(w->fd, bytes, sizeof bytes)) > 0;) {
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *event = (const void *)(bytes + at);
            at += (ssize_t)(sizeof *event + event->len);
            take_event(w, event);
        }
    }
}

/* What is mounted over a folder is no event of it. A machine that runs containers mounts all day:
 * looks at everything take a fiftieth of the time at most. */
static void mounts_changed(struct watch *w, int64_t now)
{
    if (w->mounts_ms)
        return;
    w->mounts_ms = now + w->options.quiet_ms;
    if (w->mounts_ms < w->mounts_least_ms)
        w->mounts_ms = w->mounts_least_ms;
}

static bool mounts_are_due(const struct watch *w, int64_t now)
{
    return w->mounts_ms && now >= w->mounts_ms;
}

static bool is_due(const struct watch *w, int64_t now)
{
    if (mounts_are_due(w, now))
        return true;
    if (w->first_ms &&
        (now - w->last_ms >= w->options.quiet_ms || now - w->first_ms >= w->options.longest_ms))
        return true;
    return now - w->looked_ms >= (w->slow ? w->options.slow_ms : w->options.seldom_ms);
}

static int ms_left(const struct watch *w, int64_t now)
{
    int64_t due = w->looked_ms + (w->slow ? w->options.slow_ms : w->options.seldom_ms);
    if (w->first_ms) {
        int64_t quiet = w->last_ms + w->options.quiet_ms;
        int64_t longest = w->first_ms + w->options.longest_ms;
        due = due < quiet ? due : quiet;
        due = due < longest ? due : longest;
    }
    if (w->mounts_ms && w->mounts_ms < due)
        due = w->mounts_ms;
    int64_t left = due - now;
    return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

static void look_around(struct watch *w, void (*changed)(void *ctx, size_t target), void *ctx)
{
    int64_t now = clock_monotonic_ms();
    bool mounts = mounts_are_due(w, now);
    bool all = mounts || w->all_dirty ||
               now - w->looked_ms >= (w->slow ? w->options.slow_ms : w->options.seldom_ms);
    if (w->anew || w->slow || w->ninterests > 20 * w->n + STALE_MORE) {
        open_queue(w); /* perhaps there is room for watches by now */
        all = true;
    }
    w->first_ms = w->last_ms = 0;
    w->all_dirty = w->anew = false;
    if (all)
        w->looked_ms = now;
    for (size_t i = 0; i < w->n; i++) {
        if (!all && !w->known[i].dirty)
            continue;
        w->tally.looks++;
        if (take_look(w, i))
            changed(ctx, i);
    }
    if (mounts) {
        int64_t end = clock_monotonic_ms();
        w->mounts_ms = 0;
        w->mounts_least_ms = end + MOUNTS_REST * (end - now);
    }
}

/* --- */

bool watch_open(const struct watch_options *options, struct watch **ret, struct err *err)
{
    struct watch *w = calloc(1, sizeof *w);
    if (!w)
        return err_set(err, ERR_LIMIT, "out of memory");
    struct watch_options *o = &w->options;
    *o = *options;
    o->quiet_ms = o->quiet_ms ? o->quiet_ms : QUIET_MS;
    o->longest_ms = o->longest_ms ? o->longest_ms : LONGEST_MS;
    o->slow_ms = o->slow_ms ? o->slow_ms : SLOW_MS;
    o->seldom_ms = o->seldom_ms ? o->seldom_ms : SELDOM_MS;
    w->arena.limit = ARENA_DEFAULT_LIMIT;
    w->fd = -1;
    w->mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    w->looked_ms = clock_monotonic_ms();
    open_queue(w);
    *ret = w;
    return true;
}

void watch_close(struct watch *w)
{
    if (!w)
        return;
    free_places(w);
    io_close_auto(&w->fd);
    io_close_auto(&w->mounts);
    arena_free(&w->arena);
    free(w);
}

static int by_target(const void *a, const void *b)
{
    const struct known *x = *(const struct known *const *)a, *y = *(const struct known *const *)b;
    if (x->target.kind != y->target.kind)
        return x->target.kind < y->target.kind ? -1 : 1;
    return str_compare(x->target.path, y->target.path);
}

/* What was seen of it before goes on. */
static bool take_over(struct known *known, const struct known *const *sorted, size_t n)
{
    const struct known *const *found =
        n ? bsearch(&known, sorted, n, sizeof *sorted, by_target) : NULL;
    if (!found)
        return false;
    struct watch_target target = known->target;
    *known = **found;
    known->target = target;
    return true;
}

bool watch_set(struct watch *w, const struct watch_target *target, size_t n, struct err *err)
{
    AUTO_ARENA scratch = {.limit = SIZE_MAX};
    struct arena arena = {.limit = ARENA_DEFAULT_LIMIT};
    const struct known **sorted = arena_new(&scratch, const struct known *, w->n);
    struct known *known = arena_new(&arena, struct known, n);
    bool *fresh = arena_new(&scratch, bool, n);
    bool ok = sorted && known && fresh;
    for (size_t i = 0; ok && i < w->n; i++)
        sorted[i] = &w->known[i];
    if (ok && w->n > 1)
        qsort(sorted, w->n, sizeof *sorted, by_target);
    read_events(w);
    for (size_t i = 0; ok && i < n; i++) {
        known[i].target = target[i];
        known[i].target.path = arena_dup(&arena, target[i].path);
        ok = known[i].target.path.ptr != NULL;
        fresh[i] = ok && !take_over(&known[i], sorted, w->n);
    }
    if (!ok) {
        arena_free(&arena);
        return err_set(err, ERR_LIMIT, "too many files to watch");
    }
    arena_free(&w->arena);
    w->arena = arena;
    w->known = known;
    w->n = n;
    open_queue(w);
    for (size_t i = 0; i < n; i++) {
        struct look look = look_at(w, i);
        bool same = look.print == known[i].print;
        if (fresh[i]) {
            known[i].print = look.print;
            known[i].taken_ns = wall_ns();
        } else if (!same || known[i].dirty) {
            known[i].dirty = true; /* told by the next wait */
            happened(w);
        }
    }
    return true;
}

bool watch_wait(struct watch *w, int wake_fd, int timeout_ms,
                void (*changed)(void *ctx, size_t target), void *ctx, struct err *err)
{
    int64_t start = clock_monotonic_ms(), lull = 0;
    for (;;) {
        int64_t now = clock_monotonic_ms();
        if (is_due(w, now)) {
            look_around(w, changed, ctx);
            return true;
        }
        int wait = ms_left(w, now);
        int64_t most = timeout_ms < 0 ? INT_MAX : start + timeout_ms - now;
        if (most <= 0)
            return true;
        struct pollfd fd[3] = {{.fd = w->fd, .events = POLLIN},
                               {.fd = wake_fd, .events = POLLIN},
                               {.fd = w->mounts, .events = POLLPRI}};
        if (now < lull) { /* the kernel makes one of those that are alike */
            fd[0].fd = -1;
            wait = wait < lull - now ? wait : (int)(lull - now);
        }
        int got = poll(fd, 3, most < wait ? (int)most : wait);
        if (got < 0 && errno != EINTR)
            return err_set(err, ERR_IO, "wait for changes of files: %s", strerror(errno));
        if (got > 0 && fd[0].revents) {
            int64_t before = w->last_ms;
            read_events(w);
            if (w->last_ms == before)
                lull = clock_monotonic_ms() + LULL_MS;
        }
        if (got > 0 && fd[2].revents) /* the poll itself takes it up */
            mounts_changed(w, clock_monotonic_ms());
        if (got > 0 && fd[1].revents)
            return true;
    }
}

void watch_look(struct watch *w)
{
    w->all_dirty = true;
    happened(w);
}

struct str watch_trouble(const struct watch *w)
{
    return str_from(w->trouble);
}

void watch_tally(const struct watch *w, struct watch_tally *ret)
{
    *ret = w->tally;
    ret->targets = w->n;
    ret->watches = w->nplaces;
}

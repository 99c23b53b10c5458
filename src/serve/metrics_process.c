/* metrics_process.c - figures of this process, its providers and its parts, from /proc. */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "serve/metrics.h"
#include "serve/metrics_parts.h"
#include "serve/server.h"

enum { TEXT_MAX = 4096, PROVIDER_KINDS_MAX = 200 };
#define PROVIDER "terraform-provider-"

static bool read_text(const char *path, char text[TEXT_MAX], size_t *ret_n)
{
    FILE *file = fopen(path, "re");
    size_t n = 0;
    if (file) {
        n = fread(text, 1, TEXT_MAX - 1, file);
        (void)fclose(file);
    }
    text[n] = '\0';
    *ret_n = n;
    return n > 0;
}

/* --- this process --- */

/* Field n of /proc/PID/stat, counted from 1; the name of field 2 may hold blanks and brackets. */
static unsigned long long stat_field(const char *text, int n)
{
    const char *at = strrchr(text, ')');
    for (int i = 2; at && i < n; i++)
        at = strchr(at + 1, ' ');
    return at ? strtoull(at, NULL, 10) : 0;
}

static double seconds_since_1970(unsigned long long ticks_since_boot)
{
    struct timespec now, boot;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)clock_gettime(CLOCK_BOOTTIME, &boot);
    return (double)(now.tv_sec - boot.tv_sec) + (double)(now.tv_nsec - boot.tv_nsec) / 1e9 +
           (double)ticks_since_boot / (double)sysconf(_SC_CLK_TCK);
}

static size_t count_entries(const char *path)
{
    DIR *dir = opendir(path);
    size_t n = 0;
    for (const struct dirent *entry; dir && (entry = readdir(dir));)
        n += entry->d_name[0] != '.';
    if (dir)
        (void)closedir(dir);
    return n;
}

static void set_own(struct metrics *metrics)
{
    char text[TEXT_MAX];
    size_t n = 0;
    struct rlimit files;
    if (read_text("/proc/self/stat", text, &n)) {
        double tick = (double)sysconf(_SC_CLK_TCK);
        metrics_set(metrics, METRIC_CPU, NULL,
                    (double)(stat_field(text, 14) + stat_field(text, 15)) / tick);
        metrics_set(metrics, METRIC_THREADS, NULL, (double)stat_field(text, 20));
        metrics_set(metrics, METRIC_START, NULL, seconds_since_1970(stat_field(text, 22)));
        metrics_set(metrics, METRIC_VIRTUAL, NULL, (double)stat_field(text, 23));
        metrics_set(metrics, METRIC_RESIDENT, NULL,
                    (double)stat_field(text, 24) * (double)sysconf(_SC_PAGESIZE));
    }
    size_t open = count_entries("/proc/self/fd");
    metrics_set(metrics, METRIC_FDS, NULL, (double)(open ? open - 1 : 0)); /* the folder's own */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0)
        metrics_set(metrics, METRIC_FDS_MAX, NULL, (double)files.rlim_cur);
}

/* --- providers: children whose program is called so --- */

struct kind {
    char name[64];
    double memory;
    unsigned processes;
};
struct kinds {
    struct kind kind[PROVIDER_KINDS_MAX];
    size_t n;
};

/* "…/terraform-provider-aws_v5.1.0_x5" is aws. False: it is no provider. */
static bool provider_name(const char *program, char ret[64])
{
    const char *base = strrchr(program, '/');
    base = base ? base + 1 : program;
    if (strncmp(base, PROVIDER, sizeof PROVIDER - 1) != 0)
        return false;
    base += sizeof PROVIDER - 1;
    size_t n = strcspn(base, "_");
    (void)snprintf(ret, 64, "%.*s", (int)(n < 63 ? n : 63), base);
    for (char *c = ret; *c; c++)
        *c = isalnum((unsigned char)*c) || *c == '-' ? *c : '?';
    return true;
}

static void add_child(struct kinds *kinds, long pid)
{
    char path[64], text[TEXT_MAX], name[64];
    size_t n = 0, i = 0;
    (void)snprintf(path, sizeof path, "/proc/%ld/cmdline", pid);
    if (!read_text(path, text, &n) || !provider_name(text, name))
        return;
    (void)snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    if (!read_text(path, text, &n))
        return;
    while (i < kinds->n && strcmp(kinds->kind[i].name, name) != 0)
        i++;
    if (i == PROVIDER_KINDS_MAX)
        return;
    if (i == kinds->n)
        memcpy(kinds->kind[kinds->n++].name, name, sizeof name);
    kinds->kind[i].processes++;
    kinds->kind[i].memory += (double)stat_field(text, 24) * (double)sysconf(_SC_PAGESIZE);
}

/* The kernel lists children by the thread that started them. */
static void find_children(struct kinds *kinds)
{
    DIR *tasks = opendir("/proc/self/task");
    for (const struct dirent *entry; tasks && (entry = readdir(tasks));) {
        char path[320];
        long pid = 0;
        (void)snprintf(path, sizeof path, "/proc/self/task/%s/children", entry->d_name);
        AUTO_FILE file = entry->d_name[0] == '.' ? NULL : fopen(path, "re");
        while (file && fscanf(file, "%ld", &pid) == 1)
            add_child(kinds, pid);
    }
    if (tasks)
        (void)closedir(tasks);
}

static void set_providers(struct metrics *metrics)
{
    struct kinds *kinds = calloc(1, sizeof *kinds);
    metrics_clear(metrics, METRIC_PROVIDERS);
    metrics_clear(metrics, METRIC_PROVIDER_MEMORY);
    if (!kinds)
        return;
    find_children(kinds);
    for (size_t i = 0; i < kinds->n; i++) {
        const struct str name = str_from(kinds->kind[i].name);
        metrics_set(metrics, METRIC_PROVIDERS, &name, kinds->kind[i].processes);
        metrics_set(metrics, METRIC_PROVIDER_MEMORY, &name, kinds->kind[i].memory);
    }
    free(kinds);
}

static void set_telemetry(struct metrics *metrics, struct telemetry *telemetry)
{
    static const struct str signals[] = {STR_INIT("spans"), STR_INIT("logs")};
    static const struct str reasons[] = {[FATE_FULL] = STR_INIT("queue full"),
                                         [FATE_REFUSED] = STR_INIT("refused"),
                                         [FATE_UNREACHABLE] = STR_INIT("unreachable")};
    uint64_t n[SIGNAL_COUNT][FATE_COUNT];
    telemetry_counts(telemetry, n);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        metrics_set(metrics, METRIC_TELEMETRY_SENT, &signals[i], (double)n[i][FATE_SENT]);
        for (size_t k = FATE_FULL; k < FATE_COUNT; k++)
            metrics_set(metrics, METRIC_TELEMETRY_DROPPED, LABELS(signals[i], reasons[k]),
                        (double)n[i][k]);
    }
}

void metrics_of_process(struct server *server)
{
    struct metrics *metrics = server_metrics(server);
    set_own(metrics);
    set_providers(metrics);
    if (telemetry_is_on(server_telemetry(server)))
        set_telemetry(metrics, server_telemetry(server));
    for (size_t i = 0; i < PART_COUNT; i++) {
        const struct str name = str_from(part_name((enum part)i));
        metrics_set(metrics, METRIC_PART_UP, &name, hub_part_is_up(server->hub, (enum part)i));
    }
}

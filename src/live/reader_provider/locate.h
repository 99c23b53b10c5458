/* locate.h - which provider binary a stack uses, found and checked as Terraform does it.
 *
 * Order:   TF_REATTACH_PROVIDERS, dev_overrides, then the version that .terraform.lock.hcl names
 *          in <data_dir>/providers, the plugin cache, filesystem mirrors, implied local mirrors
 * Hosts:   a state written by Terraform may name registry.terraform.io where OpenTofu's init
 *          installed registry.opentofu.org, and the other way round: the twin is tried second
 * Source:  facts/terraform.md 1.7, 4.4
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/str.h"
#include "live/reader_provider/clirc.h"
#include "live/reader_provider/lockfile.h"
#include "value/value.h"

struct arena;
struct err;
struct stack;

enum locate_origin { LOCATE_INSTALLED, LOCATE_OVERRIDE, LOCATE_REATTACH };

/* A provider that already runs: TF_REATTACH_PROVIDERS. */
struct locate_reattach {
    struct str network, address; /* "unix", the socket's path; or "tcp", host:port */
    int64_t protocol;            /* 5 or 6 */
    int64_t pid;
};

struct located {
    enum locate_origin origin;
    struct str source;             /* HOST/NS/TYPE that was found (perhaps the twin) */
    struct str version;            /* empty for overrides and reattached ones */
    struct str dir;                /* of the package, NUL-ended */
    struct str binary;             /* name of the executable in dir */
    struct str path;               /* dir/binary, absolute, NUL-ended */
    struct str note;               /* what a person should know (override in effect), or empty */
    const struct lock_entry *lock; /* LOCATE_INSTALLED: what it must match; NULL = not locked */
    struct locate_reattach reattach;
};

/* What is read once per stack. Opening never fails for a missing file. */
struct locator {
    struct arena *arena;
    const char *(*env)(const char *name);
    struct str root, data_dir; /* of the stack */
    struct str cwd;            /* ours: a provider is started in `root`, by an absolute path */
    struct str platform;       /* linux_amd64 */
    struct clirc clirc;
    struct lockfile lock;
    struct str lock_error; /* the lock file is there and cannot be read: no provider is run */
    struct value reattach; /* object, or null */
    struct str clirc_name; /* file that was read, or empty */
};

/*
 * Read the CLI configuration, the lock file and TF_REATTACH_PROVIDERS.
 * env  getenv, or a test's own
 * Fails for a CLI configuration or reattach text that cannot be read, naming the place.
 */
bool locate_open(struct arena *arena, const struct stack *stack,
                 const char *(*env)(const char *name), struct locator *ret, struct err *err);

/* Nothing is run or hashed. ERR_UNAVAILABLE: not installed, with what to do; ERR_UNSUPPORTED: only
 * a packed zip is there. */
bool locate_find(const struct locator *locator, struct str source, struct located *ret,
                 struct err *err);

/*
 * Hash what was found and compare with the lock file.
 * cache_dir   where digests of large files are remembered (filedigest.h), or empty
 * ret_binary  SHA-256 of the executable, also for overrides; filled even where the check fails
 * ERR_CONFLICT: hash or version not as recorded, with what to do.
 */
bool locate_verify(const struct locator *locator, const struct located *found, struct str cache_dir,
                   struct digest *ret_binary, struct err *err);

/* The first name that begins terraform-provider-TYPE and goes on with nothing, `_` or `.`. */
struct str locate_executable(const struct str *names, size_t n, struct str type);
/* Is it installed somewhere? locate_find without its words, for many cheap questions. */
bool locate_has(const struct stack *stack, const char *(*env)(const char *name), struct str source);

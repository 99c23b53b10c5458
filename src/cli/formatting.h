/* formatting.h - what the commands that format files share: finding files, writing, showing.
 *
 * One file that cannot be dealt with is told to standard error and does not keep the others from
 * it: then `failed` is set.
 */
#pragma once
#include <stdbool.h>

#include "base/str.h"

struct app;
struct arena;
struct err;
struct invocation;

enum { FORMATTING_PATHS_MAX = 10000 };

struct formatting {
    const struct app *app;
    const char *command; /* "fmt" */
    bool check, diff, list, write, print, recursive;
    struct arena *names;   /* of the whole run */
    struct arena *content; /* of one file */
    size_t size_max;
    const void *how;
    bool (*is_file)(struct str name);
    const char *wanted; /* "files that end in .tf" */
    /* *ret may be `before`. False: err. What is wrong with the text is told by it, `failed` set. */
    bool (*format)(struct formatting *f, struct str path, struct str before, struct str *ret,
                   struct err *err);
    bool differs, failed;
};

/* The arguments: paths, or a single dash for standard input; none: the folder here. */
bool formatting_run(struct formatting *f, const struct invocation *in, struct err *err);
/* 0, EXIT_UNFORMATTED with --check, EXIT_ERROR. */
int formatting_exit(const struct formatting *f);

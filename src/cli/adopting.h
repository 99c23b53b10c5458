/* adopting.h - what the files of `plumb adopt` share. */
#pragma once
#include "desired/code.h"
#include "live/reader.h"
#include "model/stack.h"
#include "respond/adopt.h"

struct app;
struct arena;
struct config;
struct err;
struct invocation;
struct look;

/* Rows of its option table. */
enum {
    ADOPT_ADDRESS,
    ADOPT_PATH,
    ADOPT_VALUE,
    ADOPT_UNSET,
    ADOPT_ID,
    ADOPT_FILE,
    ADOPT_ORIGIN,
    ADOPT_FORGET,
    ADOPT_WRITE,
    ADOPT_BRANCH,
    ADOPT_REPORT,
    ADOPT_LIVE,
    ADOPT_STATE,
    ADOPT_CONFIG,
    ADOPT_WORKSPACE,
    ADOPT_VAR,
    ADOPT_VAR_FILE,
    ADOPT_ALLOW_MISMATCH,
    ADOPT_TIMEOUT,
    ADOPT_NO_CACHE,
    ADOPT_CACHE_DIR,
    ADOPT_OPTION_COUNT
};

struct adopting {
    const struct app *app;
    const struct invocation *in;
    struct arena *arena;
    const struct config *config; /* plumb.yaml, or NULL */
    struct stack stack;          /* the one that has it */
    struct reader_options reader;
    struct look *look;
    struct code_options options;
    struct code *code; /* evaluated */
    struct str
        open_settings; /* of the provider that was asked: what of them is not known, or empty */

    /* What is to be adopted (adopt_target.c). */
    struct str address;
    const struct str *name; /* attributes and blocks that differ; none: all that do */
    size_t nnames;
    bool gone; /* it is not there any more */

    struct adopt_result *result; /* of what can be done */
    bool refused;                /* something could not; said so */
};

/* "1a2b3c4d..." as reports have it, or its beginning. */
bool adopting_is_fingerprint(struct str word);
/* The stack and the address: of the options, of a report, or of a scan made now. */
bool adopting_find(struct adopting *a, struct str fingerprint, const struct str *dirs, size_t ndirs,
                   struct err *err);
/* Changes of --value, --unset, or of what is live; n = 0: there is nothing to change, and it was
 * said. */
bool adopting_changes(struct adopting *a, const struct adopt_change **ret, size_t *ret_n,
                      struct err *err);
/* Of a resource that is not there any more: its block taken out, or why not, which is said. */
bool adopting_removal(struct adopting *a, struct adopt_result *ret, struct err *err);
/* A resource that the code does not have: import block and configuration. */
bool adopting_import(struct adopting *a, struct adopt_result *ret, struct err *err);
/* Differences to standard output; files written, or a branch made, where that was asked for. */
bool adopting_give(struct adopting *a, const struct adopt_result *result, struct err *err);
/* "plumb adopt: ..." to standard error. */
void adopting_say(const struct adopting *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
